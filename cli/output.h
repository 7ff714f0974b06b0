/* output.h - answers on standard output, as --output says. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"
#include "cli/grid.h"

/* One object: lines "title  value" of COLUMNS; or all of it as JSON or YAML. */
void output_one(const struct cli *cli, const struct column *columns,
                const struct json *value);

/* A list that comes in pages, printed as they come. */
struct output_list {
    /* private */
    const struct cli *cli;
    const struct column *columns;
    size_t column_count;
    struct grid grid;
    size_t items;
};

void output_list_init(struct output_list *list, const struct cli *cli,
                      const struct column *columns);
void output_list_item(struct output_list *list, const struct json *item);
/* Print what has come so far: at the end of a page. */
void output_list_flush(struct output_list *list);
/* NEXT: the cursor of the page behind, or NULL when this was the last. */
void output_list_end(struct output_list *list, const char *next);

#endif
