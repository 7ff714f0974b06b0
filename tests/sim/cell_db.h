/* cell_db.h - a stand-in for the SQLite files of the simulated nodes: rows in memory.
 *
 * db_open(), db_apply(), db_scan() and db_close() of db.h come here (--wrap in the
 * Makefile) when the path begins with DISK_ROOT; deltas and rows are the product's own.
 * What a transaction is to SQLite holds by nature: a delta is there as a whole from the
 * moment db_apply() is called, and a crash takes nothing of it. */
#ifndef TESTS_SIM_CELL_DB_H
#define TESTS_SIM_CELL_DB_H

#include "controlplane/db.h"

struct cell_db;

struct cell_db *cell_db_new(void);
void cell_db_free(struct cell_db *db); /* NULL is fine */
/* Another of the same rows, which are shared until one of them changes. */
struct cell_db *cell_db_copy(const struct cell_db *db);
/* The file of disk NUMBER is DB from now on (taken; NULL: none, made when opened); what
 * it was is freed. It must not be open. */
void cell_db_put(unsigned number, struct cell_db *db);
struct cell_db *cell_db_of(unsigned number); /* NULL: none */

#endif
