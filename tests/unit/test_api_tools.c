/* test_api_tools.c - the calls behind Kafka's admin tools (control_api.md) on the
 * product's own state, without sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake/control.c"

static struct fake_control *fake;
static struct uuid cluster, agent;
static char topic_id[UUID_TEXT_LEN + 1];

static struct json *call(const char *path, const char *body)
{
    struct json *value = fake_agent_call(fake, &cluster, &agent, path, body, 200);
    assert_non_null(value);
    return value;
}

static int setup(void **state)
{
    struct err err;
    struct json_reader r = {.err = &err};
    (void)state;
    fake = fake_control_new();
    cluster = fake_control_cluster(fake, "first");
    agent = uuid_random();
    json_free(call("/agent/v1/register",
                   "{\"zone\":\"a\",\"rack\":\"\",\"host\":\"h\",\"port\":9092,"
                   "\"http_url\":\"\",\"version\":\"1\",\"state\":\"active\"}"));
    struct json *value = call("/agent/v1/topics/create",
                              "{\"validate_only\":false,\"topics\":[[\"t\",2,1,{},[]]]}");
    const struct json *result = json_at(&r, json_find(value, "results"), 0);
    struct slice id = json_as_string(&r, json_at(&r, result, 2), "id", UUID_TEXT_LEN);
    memcpy(topic_id, id.ptr, id.len);
    json_free(value);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* The text of the member KEY of the answer to BODY, whose '$' stands for the topic's id.
 */
static const char *say(const char *path, const char *body, const char *key)
{
    static char text[4096];
    struct str real, out;
    str_init(&real, MIB);
    str_init(&out, MIB);
    for (const char *p = body; *p != '\0'; p++) {
        if (*p == '$')
            str_puts(&real, topic_id);
        else
            str_putc(&real, *p);
    }
    struct json *value = call(path, str_cstr(&real));
    assert_non_null(json_find(value, key));
    json_print(json_find(value, key), &out);
    snprintf(text, sizeof(text), "%s", str_cstr(&out));
    json_free(value);
    str_fini(&real);
    str_fini(&out);
    return text;
}

/* Each partition of a call has its own error or low watermark. */
static void records(void **state)
{
    (void)state;
    assert_string_equal(say("/agent/v1/records/delete",
                            "{\"partitions\":[[\"$\",0,-1],[\"$\",0,1],[\"$\",2,0],"
                            "[\"00000000-0000-4000-8000-000000000001\",0,0]]}",
                            "results"),
                        "[[0,0],[1,-1],[3,-1],[100,-1]]");
    assert_string_equal(say("/agent/v1/records/delete", "{\"partitions\":[]}", "results"),
                        "[]");
}

/* Sizes of all topics or of those named, a row a partition; unknown ones have none. */
static void sizes(void **state)
{
    char want[128];
    (void)state;
    snprintf(want, sizeof(want), "[[\"%s\",\"AAA=\"]]", topic_id);
    assert_string_equal(say("/agent/v1/sizes", "{\"topics\":null}", "sizes"), want);
    assert_string_equal(say("/agent/v1/sizes", "{\"topics\":[\"$\"]}", "sizes"), want);
    assert_string_equal(say("/agent/v1/sizes",
                            "{\"topics\":[\"00000000-0000-4000-8000-000000000001\"]}",
                            "sizes"),
                        "[[\"00000000-0000-4000-8000-000000000001\",\"\"]]");
}

/* Producers of partitions that there are. */
static void producers(void **state)
{
    (void)state;
    assert_string_equal(
        say("/agent/v1/producers", "{\"partitions\":[[\"$\",1],[\"$\",9]]}", "producers"),
        "[[0,[]],[3,[]]]");
}

/* The quorum's leader is one of its nodes, and no address is told. */
static void quorum(void **state)
{
    (void)state;
    struct json *value = call("/agent/v1/quorum", "{}");
    struct str text;
    str_init(&text, MIB);
    assert_true(json_is_array(json_find(value, "nodes")));
    assert_non_null(json_find(value, "leader"));
    assert_non_null(json_find(value, "term"));
    json_print(value, &text);
    assert_null(strstr(str_cstr(&text), "://"));
    str_fini(&text);
    json_free(value);
}

static const char *alter(const char *item)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"validate_only\":false,\"topics\":[%s]}", item);
    const char *results = say("/agent/v1/topics/configs", body, "results");
    static char error[8];
    snprintf(error, sizeof(error), "%.*s", (int)strcspn(results + 2, ","), results + 2);
    return error;
}

/* Settings of brokers and groups go with the topics': checked by name, value, and
 * together; told in the metadata; removed by deleting. */
static void settings(void **state)
{
    (void)state;
    assert_string_equal(alter("[\"\",[[0,\"num.partitions\",\"3\"]],4]"), "0");
    assert_string_equal(alter("[\"7\",[[0,\"weft.flush.bytes\",\"65536\"]],4]"), "0");
    assert_string_equal(
        alter("[\"g\",[[0,\"consumer.session.timeout.ms\",\"9000\"]],32]"), "0");
    assert_string_equal(
        say("/agent/v1/metadata", "{}", "settings"),
        "[[4,\"\",{\"num.partitions\":\"3\"}],[4,\"7\",{\"weft.flush.bytes\":\"65536\"}],"
        "[32,\"g\",{\"consumer.session.timeout.ms\":\"9000\"}]]");
    assert_string_equal(alter("[\"\",[[0,\"no.such\",\"3\"]],4]"), "40");
    assert_string_equal(alter("[\"\",[[0,\"num.partitions\",\"x\"]],4]"), "40");
    assert_string_equal(alter("[\"\",[[0,\"num.partitions\",\"0\"]],4]"), "40");
    assert_string_equal(alter("[\"\",[[2,\"num.partitions\",\"1\"]],4]"), "40");
    assert_string_equal(alter("[\"7\",[[0,\"message.max.bytes\",\"9\"]],4]"), "40");
    assert_string_equal(alter("[\"7\",[[0,\"group.consumer.max.size\",\"9\"]],4]"), "40");
    assert_string_equal(alter("[\"\",[[2,\"log.cleanup.policy\",\"compact\"]],4]"), "0");
    assert_string_equal(alter("[\"\",[[2,\"log.cleanup.policy\",\"nonsense\"]],4]"),
                        "40");
    assert_string_equal(
        alter("[\"g\",[[0,\"consumer.heartbeat.interval.ms\",\"9000\"]],32]"), "40");
    assert_string_equal(alter("[\"\",[[0,\"consumer.session.timeout.ms\",\"9000\"]],32]"),
                        "42");
    assert_string_equal(alter("[\"x\",[],16]"), "42");
    assert_string_equal(alter("[\"g\",[[4,null,null]],32]"), "0");
    assert_string_equal(alter("[\"7\",[[1,\"weft.flush.bytes\",null]],4]"), "0");
    assert_string_equal(alter("[\"\",[[4,null,null]],4]"), "0");
    assert_string_equal(say("/agent/v1/metadata", "{}", "settings"), "[]");
}

static const char *quota(const char *entry)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"validate_only\":false,\"entries\":[%s]}", entry);
    const char *results = say("/agent/v1/quotas/alter", body, "results");
    static char error[8];
    snprintf(error, sizeof(error), "%.*s", (int)strcspn(results + 2, ","), results + 2);
    return error;
}

/* Entities, keys and values are those that Kafka has. */
static void quota_rules(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[[],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"planet\",\"x\"]],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"user\",\"\"]],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"user\",\"a\"],[\"user\",\"b\"]],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"user\",\"a\"],[\"ip\",\"::1\"]],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"ip\",\"::1\"]],[[\"producer_byte_rate\",\"1\"]]]",
        "[[[\"user\",\"a\"]],[[\"connection_creation_rate\",\"1\"]]]",
        "[[[\"user\",\"a\"]],[[\"producer_byte_rate\",\"1.5\"]]]",
        "[[[\"user\",\"a\"]],[[\"producer_byte_rate\",\"0\"]]]",
        "[[[\"user\",\"a\"]],[[\"producer_byte_rate\",\"nan\"]]]",
        "[[[\"user\",\"a\"]],[[\"producer_byte_rate\",\"inf\"]]]",
        "[[[\"user\",\"a\"]],[[\"producer_byte_rate\",\"x\"]]]",
        "[[[\"user\",\"a\"]],[[\"nonsense\",null]]]"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_string_equal(quota(bad[i]), "42");
    assert_string_equal(
        say("/agent/v1/quotas", "{\"strict\":false,\"filters\":[]}", "entries"), "[]");
}

/* Quotas are found by name, default, any; strictly or among others. */
static void quota_filters(void **state)
{
    (void)state;
    static const struct {
        const char *filters;
        bool strict;
        size_t count;
    } cases[] = {{"", false, 4},
                 {"[\"user\",2,null]", false, 3},
                 {"[\"user\",2,null]", true, 2},
                 {"[\"user\",0,\"ann\"]", true, 1},
                 {"[\"user\",1,null]", true, 1},
                 {"[\"user\",0,\"ann\"],[\"client-id\",2,null]", true, 1},
                 {"[\"ip\",2,null]", true, 1},
                 {"[\"user\",0,\"nobody\"]", false, 0}};
    assert_string_equal(quota("[[[\"user\",\"ann\"]],[[\"consumer_byte_rate\",\"5\"]]]"),
                        "0");
    assert_string_equal(quota("[[[\"user\",null]],[[\"request_percentage\",\"12.5\"]]]"),
                        "0");
    assert_string_equal(quota("[[[\"user\",\"ann\"],[\"client-id\",\"c\"]],"
                              "[[\"producer_byte_rate\",\"7\"]]]"),
                        "0");
    assert_string_equal(quota("[[[\"ip\",null]],[[\"connection_creation_rate\",\"9\"]]]"),
                        "0");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{\"strict\":%s,\"filters\":[%s]}",
                 cases[i].strict ? "true" : "false", cases[i].filters);
        struct json *value = call("/agent/v1/quotas", body);
        assert_int_equal(json_count(json_find(value, "entries")), cases[i].count);
        json_free(value);
    }
    assert_string_equal(say("/agent/v1/quotas",
                            "{\"strict\":true,\"filters\":[[\"user\",1,null]]}",
                            "entries"),
                        "[[[[\"user\",null]],[[\"request_percentage\",\"12.5\"]]]]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(records),  TEST(sizes),       TEST(producers),     TEST(quorum),
        TEST(settings), TEST(quota_rules), TEST(quota_filters),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
