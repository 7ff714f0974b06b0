/* db.c - tables and rows in SQLite.
 *
 * WAL mode with synchronous=FULL: a commit of a transaction is durable, and readers (a
 * backup) do not stop it. Statements are prepared once. SQLite's own checksum of a page
 * is none: what is read is checked for sense where it is loaded (checkpoint.c). */
#include "controlplane/db.h"

#include <string.h>

#include <sqlite3.h>

#include "common/check.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"

#define APPLICATION_ID 0x57656674 /* "Weft" */
#define SCHEMA_VERSION 4
#define ROW_MAX        ((size_t)1 << 30)
#define COPY_PAGES     256

struct table {
    const char *name;
    const char *types;
    const char *columns;
    const char *where;
};

static const struct table tables[DB_TABLES] = {
#define TABLE(name, types, columns, where) [DB_##name] = {#name, types, columns, where},
#include "controlplane/db_table.def"
#undef TABLE
};

/* What leads from the versions `since` and later to version `to`. */
static const struct {
    int to, since;
    const char *sql;
} upgrades[] = {
#define UPGRADE(to, since, sql) {to, since, sql},
#include "controlplane/db_table.def"
#undef UPGRADE
};

struct db {
    sqlite3 *sqlite;
    sqlite3_stmt *put[DB_TABLES];
    sqlite3_stmt *delete[DB_TABLES];
};

/* ---- errors ---- */

static int code_of(int sqlite_rc)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return ERR_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_CONFLICT;
    default:
        return ERR_IO;
    }
}

static int check(struct db *db, int sqlite_rc, struct err *err, const char *what)
{
    int code = code_of(sqlite_rc);
    if (code == 0)
        return 0;
    return err_set(err, code, "database: %s: %s", what, sqlite3_errmsg(db->sqlite));
}

static int execute(struct db *db, const char *sql, struct err *err)
{
    return check(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL), err, sql);
}

/* ---- opening ---- */

static int query_int(struct db *db, const char *sql, int64_t *value, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = check(db, sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL), err, sql);
    if (rc == 0)
        rc = check(db, sqlite3_step(stmt), err, sql);
    if (rc == 0)
        *value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc;
}

/* Make the tables, or make those of VERSION into today's: in one transaction. */
static int make_tables(struct db *db, int64_t version, struct err *err)
{
    char sql[1024];
    int rc = execute(db, "BEGIN IMMEDIATE", err);

    for (size_t i = 0; rc == 0 && version > 0 && i < ARRAY_LEN(upgrades); i++) {
        if (upgrades[i].to > version && upgrades[i].since <= version)
            rc = execute(db, upgrades[i].sql, err);
    }
    for (int i = 0; rc == 0 && i < DB_TABLES; i++) {
        const char *without =
            strstr(tables[i].columns, "PRIMARY KEY(") == NULL ? "" : " WITHOUT ROWID";
        sqlite3_snprintf(sizeof(sql), sql, "CREATE TABLE IF NOT EXISTS %s(%s)%s",
                         tables[i].name, tables[i].columns, without);
        rc = execute(db, sql, err);
    }
    if (rc == 0) {
        sqlite3_snprintf(sizeof(sql), sql,
                         "PRAGMA application_id=%d; PRAGMA user_version=%d",
                         APPLICATION_ID, SCHEMA_VERSION);
        rc = execute(db, sql, err);
    }
    if (rc == 0)
        rc = execute(db, "COMMIT", err);
    if (rc != 0 && sqlite3_get_autocommit(db->sqlite) == 0)
        (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static int check_schema(struct db *db, struct err *err)
{
    int64_t id = 0, version = 0, count = 0;
    int rc = query_int(db, "PRAGMA application_id", &id, err);
    if (rc == 0)
        rc = query_int(db, "PRAGMA user_version", &version, err);
    if (rc == 0)
        rc = query_int(db, "SELECT count(*) FROM sqlite_master", &count, err);
    if (rc != 0)
        return rc;
    if (count == 0)
        return make_tables(db, 0, err);
    if (id != APPLICATION_ID)
        return err_set(err, ERR_DAMAGED, "database: not a file of Weft");
    /* A file from elsewhere (a backup) must not bring code along. */
    rc = query_int(db,
                   "SELECT count(*) FROM sqlite_master WHERE type IN ('trigger','view')",
                   &count, err);
    if (rc != 0)
        return rc;
    if (count != 0)
        return err_set(err, ERR_DAMAGED, "database: it has triggers or views");
    if (version >= 1 && version < SCHEMA_VERSION)
        return make_tables(db, version, err);
    if (version != SCHEMA_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "database: version %lld, this program knows %d: start the program "
                       "that wrote it",
                       (long long)version, SCHEMA_VERSION);
    return 0;
}

/* "?,?,?": as many as TYPES has letters. */
static void print_marks(const char *types, char marks[64])
{
    size_t n = strlen(types);
    ASSERT(2 * n <= 64);
    for (size_t i = 0; i < n; i++) {
        marks[2 * i] = '?';
        marks[2 * i + 1] = ',';
    }
    marks[2 * n - 1] = '\0';
}

static int prepare_one(struct db *db, const char *sql, sqlite3_stmt **stmt,
                       struct err *err)
{
    int rc =
        sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    return check(db, rc, err, sql);
}

static int prepare(struct db *db, struct err *err)
{
    char sql[1024], marks[64];
    int rc = 0;

    for (int i = 0; rc == 0 && i < DB_TABLES; i++) {
        print_marks(tables[i].types, marks);
        sqlite3_snprintf(sizeof(sql), sql, "INSERT OR REPLACE INTO %s VALUES(%s)",
                         tables[i].name, marks);
        rc = prepare_one(db, sql, &db->put[i], err);
        sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM %s WHERE %s", tables[i].name,
                         tables[i].where);
        if (rc == 0)
            rc = prepare_one(db, sql, &db->delete[i], err);
    }
    return rc;
}

int db_open(const char *path, struct db **db_out, struct err *err)
{
    struct db *db = mem_zalloc(sizeof(*db));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = check(db, sqlite3_open_v2(path, &db->sqlite, flags, NULL), err, "open");

    if (rc == 0)
        (void)sqlite3_busy_timeout(db->sqlite, 5000);
    if (rc == 0)
        rc = execute(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384;"
                     "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                     "PRAGMA cell_size_check=ON",
                     err);
    if (rc == 0)
        rc = check_schema(db, err);
    if (rc == 0)
        rc = prepare(db, err);
    if (rc != 0) {
        db_close(db);
        return rc;
    }
    *db_out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (int i = 0; i < DB_TABLES; i++) {
        sqlite3_finalize(db->put[i]);
        sqlite3_finalize(db->delete[i]);
    }
    (void)sqlite3_close(db->sqlite);
    mem_free(db);
}

/* ---- copies ---- */

static int open_for_copy(const char *path, int flags, sqlite3 **sqlite, struct err *err)
{
    int rc = sqlite3_open_v2(path, sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return err_set(err, code_of(rc), "database %s: %s", path,
                       sqlite3_errmsg(*sqlite));
    (void)sqlite3_busy_timeout(*sqlite, 5000);
    return 0;
}

/* FROM's view is pinned by its open transaction, so that commits of others neither show
 * nor make the copying begin anew. */
static int copy_pages(sqlite3 *from, sqlite3 *to, bool (*stopped)(void *arg), void *arg,
                      struct err *err)
{
    int rc = SQLITE_OK;
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

    if (backup == NULL)
        return err_set(err, ERR_IO, "database copy: %s", sqlite3_errmsg(to));
    while (rc == SQLITE_OK && (stopped == NULL || !stopped(arg)))
        rc = sqlite3_backup_step(backup, COPY_PAGES);
    int done = sqlite3_backup_finish(backup);
    if (rc == SQLITE_OK)
        return err_set(err, ERR_CANCELLED, "stopped");
    if (rc != SQLITE_DONE || done != SQLITE_OK)
        return err_set(err, code_of(rc == SQLITE_DONE ? done : rc), "database copy: %s",
                       sqlite3_errstr(rc == SQLITE_DONE ? done : rc));
    return 0;
}

int db_copy(const char *from_path, const char *to_path, bool (*stopped)(void *arg),
            void *arg, struct err *err)
{
    sqlite3 *from = NULL, *to = NULL;
    int rc = open_for_copy(from_path, SQLITE_OPEN_READONLY, &from, err);

    if (rc == 0)
        rc = open_for_copy(to_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &to, err);
    if (rc == 0 && sqlite3_exec(from, "BEGIN; SELECT count(*) FROM META", NULL, NULL,
                                NULL) != SQLITE_OK)
        rc = err_set(err, ERR_IO, "database %s: %s", from_path, sqlite3_errmsg(from));
    if (rc == 0)
        rc = copy_pages(from, to, stopped, arg, err);
    if (from != NULL)
        (void)sqlite3_exec(from, "ROLLBACK", NULL, NULL, NULL);
    (void)sqlite3_close(to);
    (void)sqlite3_close(from);
    return rc;
}

/* ---- deltas ---- */

enum { OP_PUT = 1, OP_DELETE = 2 };

void db_put_row(struct str *delta, enum db_table table)
{
    write_u8(delta, OP_PUT);
    write_u8(delta, (uint8_t)table);
}

void db_delete_row(struct str *delta, enum db_table table)
{
    write_u8(delta, OP_DELETE);
    write_u8(delta, (uint8_t)table);
}

void db_put_int(struct str *delta, int64_t v)
{
    write_u64(delta, (uint64_t)v);
}

void db_put_bytes(struct str *delta, struct slice bytes)
{
    write_u32(delta, (uint32_t)bytes.len);
    str_append_slice(delta, bytes);
}

int64_t db_get_int(struct reader *row)
{
    return reader_i64(row);
}

struct slice db_get_bytes(struct reader *row)
{
    return reader_bytes(row, reader_u32(row));
}

/* Bind the next of R as parameter COLUMN of STMT. */
static void bind(sqlite3_stmt *stmt, int column, char type, struct reader *r)
{
    struct slice bytes;
    switch (type) {
    case 'i':
        (void)sqlite3_bind_int64(stmt, column, db_get_int(r));
        break;
    case 't':
        bytes = db_get_bytes(r);
        (void)sqlite3_bind_text(stmt, column, (const char *)bytes.ptr, (int)bytes.len,
                                SQLITE_STATIC);
        break;
    default:
        bytes = db_get_bytes(r);
        (void)sqlite3_bind_blob64(stmt, column, bytes.len == 0 ? NULL : bytes.ptr,
                                  bytes.len, SQLITE_STATIC);
        break;
    }
}

static int apply_row(struct db *db, struct reader *r, struct err *err)
{
    uint8_t op = reader_u8(r);
    uint8_t table = reader_u8(r);

    ASSERT(!r->failed && table < DB_TABLES && (op == OP_PUT || op == OP_DELETE));
    sqlite3_stmt *stmt = op == OP_PUT ? db->put[table] : db->delete[table];
    int columns = sqlite3_bind_parameter_count(stmt);
    for (int i = 0; i < columns; i++)
        bind(stmt, i + 1, tables[table].types[i], r);
    ASSERT(!r->failed);
    int rc = check(db, sqlite3_step(stmt), err, tables[table].name);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return rc;
}

int db_apply(struct db *db, struct slice delta, struct err *err)
{
    struct reader r;
    int rc = execute(db, "BEGIN IMMEDIATE", err);

    reader_init(&r, delta);
    while (rc == 0 && reader_left(&r) > 0)
        rc = apply_row(db, &r, err);
    FAULT_POINT("db-commit");
    if (rc == 0 && FAULT_ERROR("db-commit-fails"))
        rc = err_set(err, ERR_NO_SPACE, "database: injected");
    if (rc == 0)
        rc = execute(db, "COMMIT", err);
    if (rc != 0 && sqlite3_get_autocommit(db->sqlite) == 0)
        (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    FAULT_POINT("db-committed");
    return rc;
}

/* ---- loading ---- */

static void put_column(struct str *row, sqlite3_stmt *stmt, int column, char type)
{
    if (type == 'i') {
        db_put_int(row, sqlite3_column_int64(stmt, column));
        return;
    }
    /* The bytes first, then their number: SQLite may convert between. */
    const void *bytes = sqlite3_column_blob(stmt, column);
    db_put_bytes(row, slice_of(bytes, (size_t)sqlite3_column_bytes(stmt, column)));
}

int db_scan(struct db *db, enum db_table table,
            int (*on_row)(void *arg, struct reader *row), void *arg, struct err *err)
{
    const struct table *t = &tables[table];
    sqlite3_stmt *stmt = NULL;
    struct str row;
    char sql[256];
    int step = SQLITE_DONE;

    /* Both kinds of table keep their rows in the order of the first two columns. */
    sqlite3_snprintf(sizeof(sql), sql, "SELECT * FROM %s ORDER BY 1,2", t->name);
    int rc = check(db, sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL), err, sql);
    str_init(&row, ROW_MAX);
    while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct reader r;
        str_reset(&row);
        for (int i = 0; t->types[i] != '\0'; i++)
            put_column(&row, stmt, i, t->types[i]);
        reader_init(&r, str_slice(&row));
        rc = on_row(arg, &r);
        if (rc == 0 && (r.failed || reader_left(&r) != 0 || row.overflowed))
            rc = ERR_DAMAGED;
        if (rc != 0 && err != NULL && err->code == 0)
            err_set(err, rc, "database: a row of %s makes no sense", t->name);
    }
    if (rc == 0)
        rc = check(db, step, err, sql);
    sqlite3_finalize(stmt);
    str_fini(&row);
    return rc;
}
