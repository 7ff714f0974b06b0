/* cell_db.c - see cell_db.h. A table is an array of rows, sorted by their key's bytes;
 * integers are stored big-endian, so that these sort as SQLite's do. */
#include "tests/sim/cell_db.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "tests/sim/cell_disk.h"

struct row {
    unsigned refs;
    size_t key_len, len;
    uint8_t bytes[];
};

struct rows {
    struct row **rows;
    size_t count, cap;
};

struct cell_db {
    struct rows tables[DB_TABLES];
};

struct table {
    const char *types, *columns, *where;
};

static const struct table tables[DB_TABLES] = {
#define TABLE(name, types, columns, where) [DB_##name] = {types, columns, where},
#include "controlplane/db_table.def"
#undef TABLE
};

static struct cell_db *files[DISKS];

/* ---- rows ---- */

static int compare(const struct row *row, const uint8_t *key, size_t len)
{
    int order = memcmp(row->bytes, key, MIN(row->key_len, len));
    return order != 0 ? order : (row->key_len > len) - (row->key_len < len);
}

/* Where KEY is, or would be. */
static size_t position(const struct rows *rows, const uint8_t *key, size_t len)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(rows->rows[middle], key, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void row_unref(struct row *row)
{
    if (--row->refs == 0)
        mem_free(row);
}

static void put(struct rows *rows, struct row *row)
{
    size_t at = position(rows, row->bytes, row->key_len);

    if (at < rows->count && compare(rows->rows[at], row->bytes, row->key_len) == 0) {
        row_unref(rows->rows[at]);
        rows->rows[at] = row;
        return;
    }
    if (rows->count == rows->cap) {
        rows->cap = MAX((size_t)16, rows->cap * 2);
        rows->rows = mem_realloc(rows->rows, rows->cap * sizeof(struct row *));
    }
    memmove(rows->rows + at + 1, rows->rows + at,
            (rows->count - at) * sizeof(struct row *));
    rows->rows[at] = row;
    rows->count++;
}

/* Delete the rows whose key begins with KEY. */
static void delete (struct rows *rows, const uint8_t *key, size_t len)
{
    size_t at = position(rows, key, len), end = at;

    while (end < rows->count && rows->rows[end]->key_len >= len &&
           memcmp(rows->rows[end]->bytes, key, len) == 0)
        row_unref(rows->rows[end++]);
    if (end == at)
        return;
    memmove(rows->rows + at, rows->rows + end,
            (rows->count - end) * sizeof(struct row *));
    rows->count -= end - at;
}

/* ---- columns ---- */

static unsigned count_of(const char *text, char c)
{
    unsigned n = 0;
    for (; *text != '\0'; text++)
        n += *text == c;
    return n;
}

/* The number of columns of the primary key, which are the first. */
static unsigned key_columns(const struct table *table)
{
    const char *key = strstr(table->columns, "PRIMARY KEY(");
    return key == NULL ? 1 : count_of(key, ',') + 1;
}

static void skip_column(struct reader *r, char type)
{
    if (type == 'i')
        (void)db_get_int(r);
    else
        (void)db_get_bytes(r);
}

static void apply_row(struct cell_db *db, struct reader *r)
{
    bool is_put = reader_u8(r) == 1; /* else a deletion: db.c */
    uint8_t number = reader_u8(r);
    const uint8_t *start = r->pos;
    size_t key_len = 0;

    ASSERT(!r->failed && number < DB_TABLES);
    const struct table *table = &tables[number];
    unsigned columns =
        is_put ? (unsigned)strlen(table->types) : count_of(table->where, '?');
    unsigned keys = key_columns(table);
    for (unsigned i = 0; i < columns; i++) {
        skip_column(r, table->types[i]);
        if (i < keys)
            key_len = (size_t)(r->pos - start);
    }
    ASSERT(!r->failed);
    size_t len = (size_t)(r->pos - start);
    if (!is_put) {
        delete (&db->tables[number], start, len);
        return;
    }
    struct row *row = mem_alloc(sizeof(*row) + len);
    *row = (struct row){.refs = 1, .key_len = key_len, .len = len};
    memcpy(row->bytes, start, len);
    put(&db->tables[number], row);
}

/* ---- whole ---- */

struct cell_db *cell_db_new(void)
{
    return mem_zalloc(sizeof(struct cell_db));
}

void cell_db_free(struct cell_db *db)
{
    if (db == NULL)
        return;
    for (size_t t = 0; t < DB_TABLES; t++) {
        for (size_t i = 0; i < db->tables[t].count; i++)
            row_unref(db->tables[t].rows[i]);
        mem_free(db->tables[t].rows);
    }
    mem_free(db);
}

struct cell_db *cell_db_copy(const struct cell_db *db)
{
    struct cell_db *copy = cell_db_new();

    for (size_t t = 0; t < DB_TABLES; t++) {
        const struct rows *from = &db->tables[t];
        struct rows *to = &copy->tables[t];
        to->count = to->cap = from->count;
        to->rows = mem_alloc((from->count + 1) * sizeof(struct row *));
        for (size_t i = 0; i < from->count; i++) {
            to->rows[i] = from->rows[i];
            to->rows[i]->refs++;
        }
    }
    return copy;
}

void cell_db_put(unsigned number, struct cell_db *db)
{
    ASSERT(number < DISKS);
    cell_db_free(files[number]);
    files[number] = db;
}

struct cell_db *cell_db_of(unsigned number)
{
    ASSERT(number < DISKS);
    return files[number];
}

/* ---- what the product calls ---- */

/* A handle of the product is one of ours. */
static struct cell_db *ours(struct db *db)
{
    return (struct cell_db *)(void *)db;
}

int __wrap_db_open(const char *path, struct db **db, struct err *err);
int __wrap_db_open(const char *path, struct db **db, struct err *err)
{
    unsigned long number = strtoul(path + strlen(DISK_ROOT), NULL, 10);

    ASSERT(strncmp(path, DISK_ROOT, strlen(DISK_ROOT)) == 0 && number < DISKS);
    (void)err;
    if (files[number] == NULL)
        files[number] = cell_db_new();
    *db = (struct db *)(void *)files[number];
    return 0;
}

void __wrap_db_close(struct db *db);
void __wrap_db_close(struct db *db)
{
    (void)db; /* the file stays */
}

int __wrap_db_apply(struct db *db, struct slice delta, struct err *err);
int __wrap_db_apply(struct db *db, struct slice delta, struct err *err)
{
    struct reader r;

    (void)err;
    reader_init(&r, delta);
    while (reader_left(&r) > 0)
        apply_row(ours(db), &r);
    return 0;
}

int __wrap_db_scan(struct db *db, enum db_table table,
                   int (*on_row)(void *arg, struct reader *row), void *arg,
                   struct err *err);
int __wrap_db_scan(struct db *db, enum db_table table,
                   int (*on_row)(void *arg, struct reader *row), void *arg,
                   struct err *err)
{
    const struct rows *rows = &ours(db)->tables[table];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rows->count; i++) {
        struct reader r;
        reader_init(&r, slice_of(rows->rows[i]->bytes, rows->rows[i]->len));
        rc = on_row(arg, &r);
        if (rc == 0 && (r.failed || reader_left(&r) != 0))
            rc = ERR_DAMAGED;
        if (rc != 0 && err != NULL && err->code == 0)
            err_set(err, rc, "a row of table %d makes no sense", (int)table);
    }
    return rc;
}
