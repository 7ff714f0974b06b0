/* grid.h - a table of texts, printed in aligned columns.
 *
 * Texts come from servers and are not trusted: control characters, which could steer a
 * terminal, are printed as "\x1b", bytes that are not UTF-8 as "?". Widths are those of a
 * terminal: wide East Asian characters take two columns, combining ones none. When a
 * table is wider than the terminal its widest columns are cut, with "…" at the cut, down
 * to a least width; into a pipe or file nothing is ever cut. */
#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "common/str.h"

#define GRID_COLUMNS_MAX 16
#define GRID_ROOM_MAX    (256 * 1024 * 1024) /* bytes of one table */

struct grid {
    /* private */
    size_t columns;
    bool right[GRID_COLUMNS_MAX];
    size_t widths[GRID_COLUMNS_MAX]; /* only ever grow, over pages too */
    struct str texts;                /* cells, clean, each with a NUL, row after row */
    size_t cells;                    /* that wait to be printed */
    bool headed;
    const char *titles[GRID_COLUMNS_MAX];
};

/* RIGHT: whether a column's cells stand at its right edge. Titles are borrowed. */
void grid_init(struct grid *grid, const char *const *titles, const bool *right,
               size_t columns);
void grid_fini(struct grid *grid);
/* The cells of a row, in order; each is copied. */
void grid_cell(struct grid *grid, struct slice text);
/* Append the rows since the last print to OUT, the titles in front the first time.
 * WIDTH: the terminal's, 0: never cut. */
void grid_print(struct grid *grid, size_t width, struct str *out);

/* Columns that TEXT takes, and TEXT made fit to be shown; for others who print. */
size_t grid_width(struct slice text);
void grid_clean(struct slice text, struct str *out);

#endif
