/* db.h - the SQLite database, which is the snapshot of the state; the only door to
 * sqlite3.
 *
 * Knows tables and rows (db_table.def), not what they mean: checkpoint.c turns the state
 * into a delta of rows and back. A delta is applied in one transaction that carries the
 * applied index too, so that the file is always the state of exactly one moment. Belongs
 * to one thread at a time: whoever loads, then the saver's. */
#ifndef CONTROLPLANE_DB_H
#define CONTROLPLANE_DB_H

#include <stdbool.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"

struct db;

enum db_table {
#define TABLE(name, types, columns, where) DB_##name,
#include "controlplane/db_table.def"
#undef TABLE
    DB_TABLES
};

/* Open or make the database. ERR_DAMAGED, ERR_UNSUPPORTED (a newer program's), ERR_IO,
 * ERR_NO_SPACE. */
int db_open(const char *path, struct db **db, struct err *err) MUST_CHECK;
void db_close(struct db *db);
/* Copy the database FROM, which others may have open and write, as it is at one moment
 * into the new file TO, durably. Any thread; ends early, with ERR_CANCELLED, when STOPPED
 * says so. */
int db_copy(const char *from, const char *to, bool (*stopped)(void *arg), void *arg,
            struct err *err) MUST_CHECK;

/* ---- deltas: rows to put and to delete, in order ---- */

/* Begin a row, then append its columns in order with db_put_*. */
void db_put_row(struct str *delta, enum db_table table);
/* Begin a deletion, then append the columns of the table's `where`. */
void db_delete_row(struct str *delta, enum db_table table);
void db_put_int(struct str *delta, int64_t v);
void db_put_bytes(struct str *delta, struct slice bytes); /* blob or text */

/* Apply DELTA in one transaction, durably. On failure nothing of it was. */
int db_apply(struct db *db, struct slice delta, struct err *err) MUST_CHECK;

/* ---- loading ---- */

/* Call ON_ROW for each row of TABLE in order of its key; ROW has the columns for
 * db_get_*. A non-zero return ends it and is returned. */
int db_scan(struct db *db, enum db_table table,
            int (*on_row)(void *arg, struct reader *row), void *arg,
            struct err *err) MUST_CHECK;
int64_t db_get_int(struct reader *row);
struct slice db_get_bytes(struct reader *row); /* borrowed until on_row returns */

#endif
