/* output.c - see output.h. */
#include "cli/output.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/render.h"

#define CELL_ROOM (1 * MIB)

static void print(const struct str *text)
{
    (void)fwrite(str_cstr(text), 1, text->len, stdout);
}

/* ---- one object ---- */

static void print_fields(const struct cli *cli, const struct column *columns,
                         const struct json *value, struct str *out)
{
    size_t widest = 0;
    struct str cell;

    for (const struct column *c = columns; c->title != NULL; c++)
        widest = MAX(widest, strlen(c->title));
    str_init(&cell, CELL_ROOM);
    for (const struct column *c = columns; c->title != NULL; c++) {
        for (const char *t = c->title; *t != '\0'; t++)
            str_putc(out, (char)tolower((unsigned char)*t));
        str_printf(out, "%*s", (int)(widest + 2 - strlen(c->title)), "");
        str_reset(&cell);
        format_cell(format_find(value, c->path), c->cell, cli->now_ms, &cell);
        grid_clean(str_slice(&cell), out);
        str_putc(out, '\n');
    }
    str_fini(&cell);
}

void output_one(const struct cli *cli, const struct column *columns,
                const struct json *value)
{
    struct str out;

    str_init(&out, RENDER_MAX);
    if (cli->output == OUTPUT_JSON) {
        render_json(value, 0, &out);
        str_putc(&out, '\n');
    } else if (cli->output == OUTPUT_YAML) {
        render_yaml(value, 0, &out);
    } else {
        print_fields(cli, columns, value, &out);
    }
    print(&out);
    str_fini(&out);
}

/* ---- lists ---- */

void output_list_init(struct output_list *list, const struct cli *cli,
                      const struct column *columns)
{
    const char *titles[GRID_COLUMNS_MAX];
    bool right[GRID_COLUMNS_MAX];
    size_t n = 0;

    for (; columns[n].title != NULL && n < GRID_COLUMNS_MAX; n++) {
        titles[n] = columns[n].title;
        right[n] = format_is_right(columns[n].cell);
    }
    list->cli = cli;
    list->columns = columns;
    list->column_count = n;
    list->items = 0;
    grid_init(&list->grid, titles, right, n);
}

void output_list_item(struct output_list *list, const struct json *item)
{
    struct str text;

    str_init(&text, RENDER_MAX);
    switch (list->cli->output) {
    case OUTPUT_JSON:
        str_puts(&text, list->items == 0 ? "{\n  \"items\": [\n    " : ",\n    ");
        render_json(item, 2, &text);
        print(&text);
        break;
    case OUTPUT_YAML:
        if (list->items == 0)
            str_puts(&text, "items:\n");
        render_yaml_item(item, 1, &text);
        print(&text);
        break;
    case OUTPUT_TABLE:
        for (size_t i = 0; i < list->column_count; i++) {
            const struct column *column = &list->columns[i];
            str_reset(&text);
            format_cell(format_find(item, column->path), column->cell, list->cli->now_ms,
                        &text);
            grid_cell(&list->grid, str_slice(&text));
        }
        break;
    }
    list->items++;
    str_fini(&text);
}

void output_list_flush(struct output_list *list)
{
    struct str text;

    if (list->cli->output != OUTPUT_TABLE || list->items == 0)
        return;
    str_init(&text, RENDER_MAX);
    grid_print(&list->grid, list->cli->width, &text);
    print(&text);
    str_fini(&text);
}

void output_list_end(struct output_list *list, const char *next)
{
    struct json *cursor = next == NULL ? json_null() : json_string(next);
    struct str text;

    output_list_flush(list);
    str_init(&text, RENDER_MAX);
    if (list->cli->output == OUTPUT_JSON) {
        str_puts(&text, list->items == 0 ? "{\n  \"items\": []" : "\n  ]");
        str_puts(&text, ",\n  \"next\": ");
        render_json(cursor, 0, &text);
        str_puts(&text, "\n}\n");
    } else if (list->cli->output == OUTPUT_YAML) {
        str_puts(&text, list->items == 0 ? "items: []\nnext:" : "next:");
        str_putc(&text, ' ');
        render_yaml(cursor, 0, &text);
    } else if (list->items == 0) {
        cli_note(list->cli, "there are none");
    }
    print(&text);
    if (next != NULL)
        cli_note(list->cli, "there are more: --all shows all, --after '%s' the next page",
                 next);
    str_fini(&text);
    json_free(cursor);
    grid_fini(&list->grid);
}
