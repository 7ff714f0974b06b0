/* test_cli_format.c - values as people read them; templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/format.h"

static struct str out;

static int setup(void **state)
{
    (void)state;
    str_init(&out, 65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    str_fini(&out);
    return 0;
}

static const char *bytes(int64_t n)
{
    str_reset(&out);
    format_bytes(n, &out);
    return str_cstr(&out);
}

static const char *duration(int64_t ms)
{
    str_reset(&out);
    format_duration(ms, &out);
    return str_cstr(&out);
}

/* Bytes have a decimal below a hundred of their unit, and binary units. */
static void test_bytes(void **state)
{
    (void)state;
    assert_string_equal(bytes(0), "0 B");
    assert_string_equal(bytes(1023), "1023 B");
    assert_string_equal(bytes(1536), "1.5 KiB");
    assert_string_equal(bytes(100 * 1024), "100 KiB");
    assert_string_equal(bytes(INT64_MAX), "8.0 EiB");
}

/* A duration has the unit that says enough. */
static void test_duration(void **state)
{
    (void)state;
    assert_string_equal(duration(850), "850ms");
    assert_string_equal(duration(1500), "1.5s");
    assert_string_equal(duration(42000), "42s");
    assert_string_equal(duration(300000), "5m");
    assert_string_equal(duration(INT64_C(7200000)), "2h");
    assert_string_equal(duration(INT64_C(30) * 86400000), "30d");
}

static const char *cell(const char *json, const char *path, enum cell kind)
{
    struct json *value;
    assert_int_equal(json_parse(slice_str(json), &value, NULL), 0);
    str_reset(&out);
    format_cell(format_find(value, path), kind, 1000000, &out);
    json_free(value);
    return str_cstr(&out);
}

/* Each kind of column has its form; what is not there is a dash. */
static void test_cells(void **state)
{
    (void)state;
    assert_string_equal(cell("{\"a\":{\"b\":5}}", "a.b", CELL_INT), "5");
    assert_string_equal(cell("{\"a\":null,\"b\":7}", "a|b", CELL_INT), "7");
    assert_string_equal(cell("{\"a\":null}", "a|b", CELL_INT), "-");
    assert_string_equal(cell("{}", "a.b.c", CELL_TEXT), "-");
    assert_string_equal(cell("{\"a\":true}", "a", CELL_TEXT), "yes");
    assert_string_equal(cell("{\"a\":\"\"}", "a", CELL_TEXT), "-");
    assert_string_equal(cell("{\"a\":0}", "a", CELL_TIME), "1970-01-01 00:00:00");
    assert_string_equal(cell("{\"a\":940000}", "a", CELL_AGE), "60s");
    assert_string_equal(cell("{\"a\":1060000}", "a", CELL_UNTIL), "60s");
    assert_string_equal(cell("{\"a\":1}", "a", CELL_UNTIL), "expired");
    assert_string_equal(cell("{\"a\":5400000}", "a", CELL_HOURS), "1.5");
    assert_string_equal(cell("{\"a\":{\"x\":\"1\",\"y\":\"2\"}}", "a", CELL_PAIRS),
                        "x=1, y=2");
    assert_string_equal(cell("{\"a\":[1,2]}", "a", CELL_COUNT), "2");
    assert_string_equal(cell("{\"a\":[1,2]}", "a", CELL_TEXT), "[1,2]");
}

static const char *lookup(const char *name, void *arg)
{
    (void)arg;
    return strcmp(name, "topic") == 0 ? "a/b ü" : NULL;
}

/* Paths are filled in escaped, spoken texts as they are; unknown names stay. */
static void test_fill(void **state)
{
    (void)state;
    format_fill("/t/{topic}/x", lookup, NULL, true, &out);
    assert_string_equal(str_cstr(&out), "/t/a%2Fb%20%C3%BC/x");
    str_reset(&out);
    format_fill("delete {topic}, {other} {", lookup, NULL, false, &out);
    assert_string_equal(str_cstr(&out), "delete a/b ü, {other} {");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bytes),
        TEST(test_duration),
        TEST(test_cells),
        TEST(test_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
