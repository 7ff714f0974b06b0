/* grid.c - see grid.h. */
#include "cli/grid.h"

#include <string.h>

#include "common/check.h"

#define GAP      2
#define LEAST    8 /* a column is not cut below this */
#define CELL_MAX (64 * 1024)

/* ---- characters ---- */

/* The character at S and its length; an ill-formed byte is 0xfffd of length 1. */
static uint32_t decode(struct slice s, size_t *len)
{
    uint8_t c = s.ptr[0];
    size_t n = c < 0x80   ? 1
               : c < 0xc2 ? 0
               : c < 0xe0 ? 2
               : c < 0xf0 ? 3
               : c < 0xf5 ? 4
                          : 0;
    uint32_t v = n == 1 ? c : n == 2 ? c & 0x1fu : n == 3 ? c & 0x0fu : c & 0x07u;

    *len = 1;
    if (n == 0 || n > s.len)
        return 0xfffd;
    for (size_t i = 1; i < n; i++) {
        if ((s.ptr[i] & 0xc0) != 0x80)
            return 0xfffd;
        v = v << 6 | (s.ptr[i] & 0x3fu);
    }
    if ((n == 3 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
        (n == 4 && (v < 0x10000 || v > 0x10ffff)))
        return 0xfffd;
    *len = n;
    return v;
}

static bool is_control(uint32_t v)
{
    return v < 0x20 || (v >= 0x7f && v < 0xa0) || v == 0x2028 || v == 0x2029 ||
           (v >= 0x200b && v <= 0x200f) || (v >= 0x202a && v <= 0x202e) ||
           (v >= 0x2066 && v <= 0x2069) || v == 0xfeff;
}

/* Columns of a terminal; the blocks of Unicode that matter, not its whole table. */
static size_t columns_of(uint32_t v)
{
    if ((v >= 0x300 && v <= 0x36f) || (v >= 0x1ab0 && v <= 0x1aff) ||
        (v >= 0x20d0 && v <= 0x20ff) || (v >= 0xfe00 && v <= 0xfe0f))
        return 0;
    if ((v >= 0x1100 && v <= 0x115f) || (v >= 0x2e80 && v <= 0xa4cf) ||
        (v >= 0xac00 && v <= 0xd7a3) || (v >= 0xf900 && v <= 0xfaff) ||
        (v >= 0xfe30 && v <= 0xfe6f) || (v >= 0xff00 && v <= 0xff60) ||
        (v >= 0xffe0 && v <= 0xffe6) || (v >= 0x1f300 && v <= 0x1faff) ||
        (v >= 0x20000 && v <= 0x3fffd))
        return 2;
    return 1;
}

size_t grid_width(struct slice text)
{
    size_t width = 0, len;

    for (size_t i = 0; i < text.len; i += len)
        width += columns_of(decode(slice_of(text.ptr + i, text.len - i), &len));
    return width;
}

void grid_clean(struct slice text, struct str *out)
{
    size_t len;

    for (size_t i = 0; i < text.len; i += len) {
        uint32_t v = decode(slice_of(text.ptr + i, text.len - i), &len);
        if (v == 0xfffd && len == 1)
            str_putc(out, '?');
        else if (is_control(v))
            str_printf(out, v < 0x100 ? "\\x%02x" : "\\u%04x", v);
        else
            str_append(out, text.ptr + i, len);
    }
}

/* The bytes at the front of TEXT that take at most WIDTH columns. */
static size_t fitting(struct slice text, size_t width)
{
    size_t used = 0, len;

    for (size_t i = 0; i < text.len; i += len) {
        used += columns_of(decode(slice_of(text.ptr + i, text.len - i), &len));
        if (used > width)
            return i;
    }
    return text.len;
}

/* ---- the table ---- */

void grid_init(struct grid *grid, const char *const *titles, const bool *right,
               size_t columns)
{
    ASSERT(columns > 0 && columns <= GRID_COLUMNS_MAX);
    memset(grid, 0, sizeof(*grid));
    grid->columns = columns;
    str_init(&grid->texts, GRID_ROOM_MAX);
    for (size_t i = 0; i < columns; i++) {
        grid->titles[i] = titles[i];
        grid->right[i] = right[i];
        grid->widths[i] = grid_width(slice_str(titles[i]));
    }
}

void grid_fini(struct grid *grid)
{
    str_fini(&grid->texts);
}

void grid_cell(struct grid *grid, struct slice text)
{
    size_t column = grid->cells % grid->columns;
    size_t begin = grid->texts.len;

    text.len = MIN(text.len, CELL_MAX);
    grid_clean(text, &grid->texts);
    struct slice clean = slice_of(grid->texts.data + begin, grid->texts.len - begin);
    grid->widths[column] = MAX(grid->widths[column], grid_width(clean));
    str_putc(&grid->texts, '\0');
    grid->cells++;
}

/* Make the columns fit: take from the widest, one column of the terminal at a time. */
static void shrink(const struct grid *grid, size_t width, size_t widths[])
{
    size_t total = GAP * (grid->columns - 1);

    memcpy(widths, grid->widths, grid->columns * sizeof(*widths));
    for (size_t i = 0; i < grid->columns; i++)
        total += widths[i];
    while (width > 0 && total > width) {
        size_t widest = 0;
        for (size_t i = 1; i < grid->columns; i++) {
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (widths[widest] <= LEAST)
            return; /* too narrow for anything: the terminal breaks the lines */
        widths[widest]--;
        total--;
    }
}

static void print_cell(const struct grid *grid, size_t column, size_t width,
                       struct slice text, struct str *out)
{
    size_t needs = grid_width(text);
    bool last = column + 1 == grid->columns;
    bool cut = needs > width;

    if (cut) {
        text.len = fitting(text, width - 1);
        needs = grid_width(text) + 1;
    }
    size_t pad = width - needs;
    if (grid->right[column])
        str_printf(out, "%*s", (int)pad, "");
    str_append_slice(out, text);
    if (cut)
        str_puts(out, "…");
    if (!grid->right[column] && !last)
        str_printf(out, "%*s", (int)pad, "");
    if (!last)
        str_printf(out, "%*s", GAP, "");
    else
        str_putc(out, '\n');
}

void grid_print(struct grid *grid, size_t width, struct str *out)
{
    size_t widths[GRID_COLUMNS_MAX];
    const char *text = str_cstr(&grid->texts);

    shrink(grid, width, widths);
    for (size_t i = 0; i < grid->columns && !grid->headed; i++)
        print_cell(grid, i, widths[i], slice_str(grid->titles[i]), out);
    grid->headed = true;
    for (size_t i = 0; i < grid->cells && !grid->texts.overflowed; i++) {
        size_t len = strlen(text);
        print_cell(grid, i % grid->columns, widths[i % grid->columns],
                   slice_of(text, len), out);
        text += len + 1;
    }
    grid->cells = 0;
    str_reset(&grid->texts);
}
