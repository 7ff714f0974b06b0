/* test_json.c - JSON values, what is refused, and the paths in error texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/json.h"

static struct json *parse(const char *text)
{
    struct json *value = NULL;
    struct err err = {0};
    if (json_parse(slice_str(text), &value, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static void assert_prints(struct json *value, const char *expected)
{
    struct str out;
    str_init(&out, 4096);
    json_print(value, &out);
    assert_string_equal(str_cstr(&out), expected);
    str_fini(&out);
    json_free(value);
}

/* Built values print compactly, members in the order they were set. */
static void builders_print(void **state)
{
    (void)state;
    struct uuid uuid = {{1, 2, 3}};
    struct json *object = json_object();
    struct json *array = json_array();
    json_push(array, json_int(INT64_MIN));
    json_push(array, json_bool(true));
    json_push(array, json_null());
    json_push(array, json_slice(SLICE_NULL));
    json_set(object, "z", array);
    json_set(object, "a", json_string("q\"\n"));
    json_set(object, "id", json_uuid(&uuid));
    json_set(object, "b", json_base64(slice_of("\x00\xff", 2)));
    json_set(object, "e", json_base64(SLICE_NULL));
    assert_prints(object,
                  "{\"z\":[-9223372036854775808,true,null,null],\"a\":\"q\\\"\\n\","
                  "\"id\":\"01020300-0000-0000-0000-000000000000\","
                  "\"b\":\"AP8=\",\"e\":\"\"}");
}

/* Bytes that are not UTF-8 become question marks, one for one, also in keys. */
static void bad_utf8_is_replaced(void **state)
{
    (void)state;
    assert_prints(json_string("a\xffz"), "\"a?z\"");
    assert_prints(json_string("\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"),
                  "\"???????????\"");
    assert_prints(json_string("\xe2\x82\xac\xf0\x9f\x98\x80"),
                  "\"\xe2\x82\xac\xf0\x9f\x98\x80\"");
    struct json *object = json_object();
    json_set(object, "k\xfe", json_int(1));
    assert_prints(object, "{\"k?\":1}");
}

/* A NUL inside a string survives the way out and back. */
static void nul_survives(void **state)
{
    (void)state;
    struct json_reader r = {0};
    struct str out;
    struct json *value = json_slice(slice_of("a\0b", 3));
    str_init(&out, 100);
    json_print(value, &out);
    json_free(value);
    value = parse(str_cstr(&out));
    assert_true(slice_eq(json_as_string(&r, value, "s", 3), slice_of("a\0b", 3)));
    json_free(value);
    str_fini(&out);
}

static void assert_refused(struct slice text, const char *expected)
{
    struct json *value = NULL;
    struct err err;
    assert_int_equal(json_parse(text, &value, &err), ERR_MALFORMED);
    assert_null(value);
    if (expected != NULL)
        assert_string_equal(err.text, expected);
}

/* Exactly one value, no duplicate keys, valid UTF-8; the text says where and quotes
 * nothing of it. */
static void bad_text_is_refused(void **state)
{
    (void)state;
    assert_refused(SLICE_NULL, NULL);
    assert_refused(slice_str("1 2"), NULL);
    assert_refused(slice_str("[1,]"), NULL);
    assert_refused(slice_str("{\"a\":1,\"a\":2}"), NULL);
    assert_refused(slice_str("\"\xff\""), NULL);
    assert_refused(slice_str("9223372036854775808"), NULL);
    assert_refused(slice_str("{\n \"k\": secret}"), "invalid JSON at line 2, column 12");
    assert_refused(slice_of("1", 0), NULL);
}

/* Values need no NUL behind them. */
static void length_is_respected(void **state)
{
    (void)state;
    struct json *value;
    assert_int_equal(json_parse(slice_of("12345", 2), &value, NULL), 0);
    assert_prints(value, "12");
}

/* The depth is bounded exactly, and brackets inside strings do not count. */
static void depth_is_bounded(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 3];
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    text[2 * JSON_DEPTH_MAX + 2] = '\0';
    assert_refused(slice_str(text), "JSON nested deeper than 32");
    json_free(NULL);
    struct json *value;
    assert_int_equal(json_parse(slice_of(text + 1, 2 * JSON_DEPTH_MAX), &value, NULL), 0);
    json_free(value);
    value = parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"");
    json_free(value);
}

/* Getters answer what is there. */
static void getters_read(void **state)
{
    (void)state;
    struct json_reader r = {0};
    struct arena arena;
    struct json *v =
        parse("{\"n\":-5,\"b\":true,\"s\":\"x\",\"nil\":null,\"a\":[1,2],"
              "\"id\":\"01020300-0000-0000-0000-000000000000\",\"p\":\"AP8=\"}");
    arena_init(&arena, 100);
    assert_int_equal(json_get_int(&r, v, "n", -5, 0), -5);
    assert_true(json_get_bool(&r, v, "b"));
    assert_true(slice_eq_str(json_get_string(&r, v, "s", 1), "x"));
    assert_true(json_is_null(json_get(&r, v, "nil")));
    assert_true(json_is_null(json_find(v, "absent")));
    assert_int_equal(json_count(json_get_array(&r, v, "a")), 2);
    assert_int_equal(json_count(v), 7);
    assert_int_equal(json_count(json_find(v, "n")), 0);
    assert_int_equal(json_get_uuid(&r, v, "id").bytes[1], 2);
    struct slice bytes = json_as_base64(&r, json_get(&r, v, "p"), "p", &arena);
    assert_true(slice_eq(bytes, slice_of("\x00\xff", 2)));
    assert_false(r.failed);
    arena_fini(&arena);
    json_free(v);
}

/* Read VALUE's topics[i].name and .parts[j][1] as a handler would. */
static void read_topics(struct json_reader *r, const struct json *value)
{
    const struct json *topics = json_get_array(r, value, "topics");
    for (size_t i = 0; i < json_count(topics); i++) {
        const struct json *topic = json_at(r, topics, i);
        (void)json_get_string(r, topic, "name", 5);
        const struct json *parts = json_get_array(r, topic, "parts");
        for (size_t j = 0; j < json_count(parts); j++) {
            const struct json *row = json_at(r, parts, j);
            (void)json_as_int(r, json_at(r, row, 0), "partition", 0, 100);
            (void)json_as_bool(r, json_at(r, row, 1), "leader");
        }
    }
}

/* The text of a failure names the whole path and what was wrong. */
static void failures_name_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *error;
    } rows[] = {
        {"[]", ERR_MALFORMED, "topics: not in an object"},
        {"{}", ERR_MALFORMED, "topics: missing"},
        {"{\"topics\":1}", ERR_MALFORMED, "topics: not an array"},
        {"{\"topics\":[1]}", ERR_MALFORMED, "topics[0].name: not in an object"},
        {"{\"topics\":[{\"name\":7}]}", ERR_MALFORMED, "topics[0].name: not a string"},
        {"{\"topics\":[{\"name\":\"toolong\"}]}", ERR_TOO_LARGE,
         "topics[0].name: longer than 5 bytes"},
        {"{\"topics\":[{\"name\":\"a\",\"parts\":[]},{\"name\":\"b\",\"parts\":[[1,true],"
         "[1]]}]}",
         ERR_MALFORMED, "topics[1].parts[1][1]: missing"},
        {"{\"topics\":[{\"name\":\"a\",\"parts\":[[101,true]]}]}", ERR_INVALID,
         "topics[0].parts[0].partition: not from 0 to 100"},
        {"{\"topics\":[{\"name\":\"a\",\"parts\":[[1.5,true]]}]}", ERR_MALFORMED,
         "topics[0].parts[0].partition: not an integer"},
        {"{\"topics\":[{\"name\":\"a\",\"parts\":[[1,0]]}]}", ERR_MALFORMED,
         "topics[0].parts[0].leader: not true or false"},
        {"{\"topics\":[{\"name\":\"a\",\"parts\":[3]}]}", ERR_MALFORMED,
         "topics[0].parts[0][0]: not in an array"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        struct json_reader r = {.err = &err};
        struct json *value = parse(rows[i].text);
        read_topics(&r, value);
        assert_true(r.failed);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(err.code, rows[i].code);
        json_free(value);
    }
}

/* Only the first failure is kept, and after it every getter is empty. */
static void failure_is_sticky(void **state)
{
    (void)state;
    struct err err = {0};
    struct json_reader r = {.err = &err};
    struct json *v = parse("{\"n\":5,\"s\":\"x\"}");
    (void)json_get_int(&r, v, "absent", 0, 9);
    assert_int_equal(json_get_int(&r, v, "n", 0, 9), 0);
    assert_null(json_get_string(&r, v, "s", 9).ptr);
    assert_null(json_get(&r, v, "s"));
    assert_string_equal(err.text, "absent: missing");
    json_free(v);
}

/* Base64 that the arena has no room for, or that is none, fails. */
static void base64_is_bounded(void **state)
{
    (void)state;
    struct err err = {0};
    struct json_reader r = {.err = &err};
    struct arena arena;
    struct json *v = parse("[\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\",\"Z\"]");
    arena_init(&arena, 8);
    assert_null(json_as_base64(&r, json_at(&r, v, 0), "column", &arena).ptr);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    r = (struct json_reader){.err = &err};
    assert_null(json_as_base64(&r, json_at(&r, v, 1), "column", &arena).ptr);
    assert_string_equal(err.text, "column: not base64");
    arena_fini(&arena);
    json_free(v);
}

/* Numbers that are not whole are read within their bounds and written so that they read
 * back the same. */
static void numbers(void **state)
{
    (void)state;
    struct err err = {0};
    struct json_reader r = {.err = &err};
    struct str out;
    struct json *v = parse("{\"a\":0.25,\"b\":3,\"c\":\"x\",\"d\":1e9}");
    assert_true(json_get_number(&r, v, "a", 0, 1) == 0.25);
    assert_true(json_get_number(&r, v, "b", 0, 3) == 3);
    assert_false(r.failed);
    assert_true(json_get_number(&r, v, "d", 0, 1) == 0);
    assert_string_equal(err.text, "d: not from 0 to 1");
    r = (struct json_reader){.err = &err};
    assert_true(json_get_number(&r, v, "c", 0, 1) == 0);
    assert_string_equal(err.text, "c: not a number");
    json_free(v);
    str_init(&out, 100);
    v = json_real(0.1);
    json_print(v, &out);
    struct json *again = parse(str_cstr(&out));
    r = (struct json_reader){.err = &err};
    assert_true(json_as_number(&r, again, "", 0, 1) == 0.1);
    json_free(again);
    json_free(v);
    str_fini(&out);
}

/* Walking an object gives each member once; walking anything else gives none. */
static void walk_gives_members(void **state)
{
    (void)state;
    struct json *v = parse("{\"a\":1,\"b\":[],\"c\":null}");
    char keys[8] = "";
    void *iter = NULL;
    const char *key;
    const struct json *member;
    while (json_next(v, &iter, &key, &member))
        strcat(keys, key);
    assert_string_equal(keys, "abc");
    iter = NULL;
    assert_false(json_next(json_find(v, "b"), &iter, &key, &member));
    assert_false(json_next(NULL, &iter, &key, &member));
    json_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_print),      cmocka_unit_test(bad_utf8_is_replaced),
        cmocka_unit_test(nul_survives),        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(length_is_respected), cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(getters_read),        cmocka_unit_test(failures_name_the_path),
        cmocka_unit_test(failure_is_sticky),   cmocka_unit_test(base64_is_bounded),
        cmocka_unit_test(walk_gives_members),  cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
