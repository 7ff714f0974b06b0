/* test_cli_grid.c - tables: alignment, widths, hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/grid.h"

static struct str out;
static struct grid grid;

static int setup(void **state)
{
    static const char *const titles[] = {"NAME", "SIZE", "WHAT"};
    static const bool right[] = {false, true, false};
    (void)state;
    str_init(&out, 65536);
    grid_init(&grid, titles, right, 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    grid_fini(&grid);
    str_fini(&out);
    return 0;
}

static void row(const char *a, const char *b, const char *c)
{
    grid_cell(&grid, slice_str(a));
    grid_cell(&grid, slice_str(b));
    grid_cell(&grid, slice_str(c));
}

/* Columns are as wide as their widest cell, numbers stand right, nothing trails. */
static void test_aligned(void **state)
{
    (void)state;
    row("orders", "12", "x");
    row("a", "1234567", "");
    grid_print(&grid, 0, &out);
    assert_string_equal(str_cstr(&out), "NAME       SIZE  WHAT\n"
                                        "orders       12  x\n"
                                        "a       1234567  \n");
}

/* The titles come once, and columns never become narrower from page to page. */
static void test_pages(void **state)
{
    (void)state;
    row("a-long-name", "1", "x");
    grid_print(&grid, 0, &out);
    str_reset(&out);
    row("b", "2", "y");
    grid_print(&grid, 0, &out);
    assert_string_equal(str_cstr(&out), "b               2  y\n");
}

/* On a terminal the widest column is cut, and the cut is seen. */
static void test_cut(void **state)
{
    (void)state;
    row("abcdefghijklmnopqrstuvwxyz", "1", "x");
    grid_print(&grid, 25, &out);
    assert_string_equal(str_cstr(&out), "NAME           SIZE  WHAT\n"
                                        "abcdefghijkl…     1  x\n");
}

/* A pipe gets whole values, however long. */
static void test_never_cut_into_pipe(void **state)
{
    char name[1001];
    (void)state;
    memset(name, 'n', 1000);
    name[1000] = '\0';
    row(name, "1", "x");
    grid_print(&grid, 0, &out);
    assert_non_null(strstr(str_cstr(&out), name));
}

/* A terminal too narrow for every column's least width gets the table all the same. */
static void test_too_narrow(void **state)
{
    (void)state;
    row("abcdefghijklmnop", "12345678901234", "abcdefghijklmnop");
    grid_print(&grid, 5, &out);
    assert_non_null(strstr(str_cstr(&out), "abcdefg…"));
}

/* Wide characters count two columns, combining ones none. */
static void test_width(void **state)
{
    (void)state;
    assert_int_equal(grid_width(slice_str("abc")), 3);
    assert_int_equal(grid_width(slice_str("日本")), 4);
    assert_int_equal(grid_width(slice_str("e\xcc\x81")), 1);
    assert_int_equal(grid_width(slice_str("ü…")), 2);
}

/* What could steer a terminal is shown, not obeyed. */
static void test_control_characters(void **state)
{
    (void)state;
    grid_clean(slice_str("a\x1b[31mb\nc\x7f\xc2\x9b\xe2\x80\xae"), &out);
    assert_string_equal(str_cstr(&out), "a\\x1b[31mb\\x0ac\\x7f\\x9b\\u202e");
}

/* Bytes that are no UTF-8 become question marks, one each. */
static void test_bad_utf8(void **state)
{
    (void)state;
    grid_clean(slice_str("a\xff\xc0\x80z\xe2\x82"), &out);
    assert_string_equal(str_cstr(&out), "a???z??");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_aligned),
        TEST(test_pages),
        TEST(test_cut),
        TEST(test_never_cut_into_pipe),
        TEST(test_too_narrow),
        TEST(test_width),
        TEST(test_control_characters),
        TEST(test_bad_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
