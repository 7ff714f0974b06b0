/* test_cli_render.c - JSON and YAML for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "cli/render.h"

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

static void check(void (*render)(const struct json *, unsigned, struct str *),
                  const char *json, const char *wanted)
{
    struct json *value;
    str_reset(&out);
    assert_int_equal(json_parse(slice_str(json), &value, NULL), 0);
    render(value, 0, &out);
    json_free(value);
    assert_string_equal(str_cstr(&out), wanted);
}

/* JSON is indented by two, empty containers stay on their line. */
static void test_json(void **state)
{
    (void)state;
    check(render_json, "{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{},\"d\":[]}",
          "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null,\n    \"x\"\n  ],\n"
          "  \"c\": {},\n  \"d\": []\n}");
    check(render_json, "\"text\"", "\"text\"");
}

/* Objects in lists begin behind their dash; what is below a key is indented. */
static void test_yaml(void **state)
{
    (void)state;
    check(render_yaml,
          "{\"items\":[{\"name\":\"a\",\"n\":1},{\"name\":\"b\",\"l\":[1,[2]]}],"
          "\"next\":null,\"e\":{},\"f\":[]}",
          "items:\n"
          "  - name: a\n"
          "    \"n\": 1\n"
          "  - name: b\n"
          "    l:\n"
          "      - 1\n"
          "      - - 2\n"
          "next: null\n"
          "e: {}\n"
          "f: []\n");
}

/* A list of a stream of pages is the same as one list. */
static void test_yaml_item(void **state)
{
    struct json *value;
    (void)state;
    assert_int_equal(json_parse(SLICE_LITERAL("{\"a\":1,\"b\":2}"), &value, NULL), 0);
    render_yaml_item(value, 1, &out);
    json_free(value);
    assert_string_equal(str_cstr(&out), "  - a: 1\n    b: 2\n");
}

/* Strings that a reader could take for something else are quoted. */
static void test_yaml_strings(void **state)
{
    static const char *const quoted[] = {
        "no",  "Yes",  "null", "~", "1.10", "2026-01-31",   "",     " a",
        "a b", "a: b", "#x",   "-", "0x1",  "on",           "TRUE", "a#b",
        "*x",  "&x",   "<<",   "=", "!x",   "5b1c9e02-77aa"};
    (void)state;
    for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
        char json[64], wanted[64];
        snprintf(json, sizeof(json), "\"%s\"", quoted[i]);
        snprintf(wanted, sizeof(wanted), "\"%s\"\n", quoted[i]);
        check(render_yaml, json, wanted);
    }
    check(render_yaml, "\"orders.v1_x-y/z\"", "orders.v1_x-y/z\n");
}

/* Control characters never leave as they are: a terminal would obey them. */
static void test_escapes(void **state)
{
    static const char json[] =
        "\"a\\\"b\\\\\\n\\t\\u001b\\u007f\\u009b\\u2028\\ufeff\\u00fc\"";
    static const char wanted[] =
        "\"a\\\"b\\\\\\n\\t\\u001b\\u007f\\u009b\\u2028\\ufeffü\"";
    char line[128];
    (void)state;
    check(render_json, json, wanted);
    snprintf(line, sizeof(line), "%s\n", wanted);
    check(render_yaml, json, line);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_json),         TEST(test_yaml),    TEST(test_yaml_item),
        TEST(test_yaml_strings), TEST(test_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
