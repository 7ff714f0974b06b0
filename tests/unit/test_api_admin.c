/* test_api_admin.c - topics and their configurations: what is refused here, what is
 * passed on, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/kafka_error.h"
#include "proto/topic_config.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4,
                        "{\"retention.ms\":\"1000\",\"cleanup.policy\":\"compact\"}");
    fd = fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    fixture_fini(&f);
    return 0;
}

/* ---- CreateTopics ---- */

static struct create_topics_request_topic new_topic(const char *name, int32_t partitions,
                                                    int16_t factor)
{
    struct create_topics_request_topic topic = create_topics_request_topic_defaults;
    topic.name = slice_str(name);
    topic.num_partitions = partitions;
    topic.replication_factor = factor;
    return topic;
}

/* All versions create; the reply has counts and configs from 5 on, the id from 7 on. */
static void topics_are_created(void **state)
{
    (void)state;
    for (int16_t v = 2; v <= 7; v++) {
        char name[] = {'n', (char)('0' + v), '\0'};
        struct create_topics_request_config config = {slice_str("retention.ms"),
                                                      slice_str("5")};
        struct create_topics_request_topic topic = new_topic(name, v, 3);
        struct create_topics_request body = create_topics_request_defaults;
        topic.configs = &config;
        topic.configs_count = 1;
        body.topics = &topic;
        body.topics_count = 1;
        const struct create_topics_response *reply =
            fixture_call(&f, fd, KAFKA_CREATE_TOPICS, v, &body);
        const struct create_topics_response_topic *out = &reply->topics[0];
        assert_int_equal(out->error_code, 0);
        assert_true(slice_eq_str(out->name, name));
        if (v == 2)
            assert_string_equal(fake_core_last_items(f.fake),
                                "[[\"n2\",2,3,{\"retention.ms\":\"5\"},[]]]");
        if (v >= 5) {
            assert_int_equal(out->num_partitions, v);
            assert_int_equal(out->replication_factor, 3);
            assert_int_equal(out->configs_count, topic_config_spec_count);
            for (size_t i = 0; i < out->configs_count; i++) {
                bool is_set = slice_eq_str(out->configs[i].name, "retention.ms");
                assert_int_equal(out->configs[i].config_source, is_set ? 1 : 5);
            }
        }
        if (v >= 7)
            assert_false(uuid_is_zero(&out->topic_id));
    }
}

/* -1 stands for the agent's defaults; assignments take their place. */
static void counts_have_defaults(void **state)
{
    int32_t ids[] = {1, 2};
    struct create_topics_request_assignment assignment = {0, ids, 2};
    struct create_topics_request_topic topics[] = {new_topic("a", -1, -1),
                                                   new_topic("b", -1, -1)};
    struct create_topics_request body = create_topics_request_defaults;

    (void)state;
    fake_core_add_agent(f.fake, 2, "a");
    topics[1].assignments = &assignment;
    topics[1].assignments_count = 1;
    body.topics = topics;
    body.topics_count = 2;
    body.validate_only = true;
    assert_non_null(fixture_call(&f, fd, KAFKA_CREATE_TOPICS, 5, &body));
    assert_string_equal(fake_core_last_items(f.fake),
                        "[[\"a\",1,1,{},[]],[\"b\",-1,-1,{},[[0,[1,2]]]]]");
}

/* What contradicts itself is refused, each topic by itself; the rest is created. */
static void contradictions_are_refused(void **state)
{
    char long_name[400];
    int32_t nobody[] = {1, 99};
    struct create_topics_request_assignment assignment = {0, NULL, 0};
    struct create_topics_request_assignment unknown = {0, nobody, 2};
    struct create_topics_request_config null_value = {slice_str("retention.ms"),
                                                      SLICE_NULL};
    struct create_topics_request_config config = {slice_of(long_name, 399),
                                                  slice_str("1")};
    struct create_topics_request_topic topics[] = {
        new_topic("twice", 1, 1),  new_topic("good", 1, 1),
        new_topic("twice", 2, 1),  new_topic("both", 3, 1),
        new_topic("t", 1, 1),      new_topic("long", 1, 1),
        new_topic("null", 1, 1),   new_topic("unknown", -1, -1),
        new_topic("no/good", 1, 1)};
    struct create_topics_request body = create_topics_request_defaults;

    (void)state;
    memset(long_name, 'c', sizeof(long_name));
    topics[3].assignments = &assignment;
    topics[3].assignments_count = 1;
    topics[5].configs = &config;
    topics[5].configs_count = 1;
    topics[6].configs = &null_value;
    topics[6].configs_count = 1;
    topics[7].assignments = &unknown;
    topics[7].assignments_count = 1;
    topics[8].configs = &null_value;
    topics[8].configs_count = 1;
    topics[4].configs = &null_value; /* but the topic exists, which Kafka sees first */
    topics[4].configs_count = 1;
    body.topics = topics;
    body.topics_count = 9;
    const struct create_topics_response *reply =
        fixture_call(&f, fd, KAFKA_CREATE_TOPICS, 7, &body);
    static const int16_t errors[] = {
        KAFKA_INVALID_REQUEST,        0,
        KAFKA_INVALID_REQUEST,        KAFKA_INVALID_REQUEST,
        KAFKA_TOPIC_ALREADY_EXISTS,   KAFKA_INVALID_CONFIG,
        KAFKA_INVALID_CONFIG,         KAFKA_INVALID_REPLICA_ASSIGNMENT,
        KAFKA_INVALID_TOPIC_EXCEPTION};
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(reply->topics[i].error_code, errors[i]);
        assert_int_equal(reply->topics[i].num_partitions, errors[i] == 0 ? 1 : -1);
        assert_int_equal(reply->topics[i].error_message.len > 0, errors[i] != 0);
    }
}

/* When the control plane cannot be reached, every topic that needs it says so. */
static void a_failed_call_fails_each(void **state)
{
    struct create_topics_request_topic topics[] = {new_topic("a", 1, 1),
                                                   new_topic("b", 1, 1)};
    struct create_topics_request body = create_topics_request_defaults;

    (void)state;
    body.topics = topics;
    body.topics_count = 2;
    fake_core_fail(f.fake, KAFKA_REQUEST_TIMED_OUT);
    const struct create_topics_response *reply =
        fixture_call(&f, fd, KAFKA_CREATE_TOPICS, 7, &body);
    assert_int_equal(reply->topics[0].error_code, KAFKA_REQUEST_TIMED_OUT);
    assert_int_equal(reply->topics[1].error_code, KAFKA_REQUEST_TIMED_OUT);
    fake_core_fail(f.fake, 0);
    body.topics_count = 0;
    reply = fixture_call(&f, fd, KAFKA_CREATE_TOPICS, 7, &body);
    assert_int_equal(reply->topics_count, 0);
}

/* ---- DeleteTopics ---- */

/* By name in all versions, by id in 6; the reply to an id has the name. */
static void topics_are_deleted(void **state)
{
    (void)state;
    for (int16_t v = 1; v <= 5; v++) {
        char name[] = {'d', (char)('0' + v), '\0'};
        struct slice names[] = {slice_str(name), slice_str("nowhere")};
        struct delete_topics_request body = delete_topics_request_defaults;
        fake_core_add_topic(f.fake, name, 1, "{}");
        body.topic_names = names;
        body.topic_names_count = 2;
        const struct delete_topics_response *reply =
            fixture_call(&f, fd, KAFKA_DELETE_TOPICS, v, &body);
        assert_int_equal(reply->responses[0].error_code, 0);
        assert_int_equal(reply->responses[1].error_code,
                         KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        assert_true(slice_eq_str(reply->responses[1].name, "nowhere"));
    }
    struct delete_topics_request_topic topics[5] = {{.name = SLICE_NULL}};
    struct delete_topics_request body = delete_topics_request_defaults;
    topics[0].topic_id = fake_core_topic_id(f.fake, "t");
    topics[1].topic_id = (struct uuid){{0xee}};
    topics[2].name = topics[3].name = slice_str("same");
    body.topics = topics;
    body.topics_count = 5; /* the last has neither */
    const struct delete_topics_response *reply =
        fixture_call(&f, fd, KAFKA_DELETE_TOPICS, 6, &body);
    assert_int_equal(reply->responses[0].error_code, 0);
    assert_true(slice_eq_str(reply->responses[0].name, "t"));
    assert_int_equal(reply->responses[1].error_code, KAFKA_UNKNOWN_TOPIC_ID);
    assert_null(reply->responses[1].name.ptr);
    assert_int_equal(reply->responses[2].error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(reply->responses[3].error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(reply->responses[4].error_code, KAFKA_INVALID_REQUEST);
}

/* ---- CreatePartitions ---- */

/* Items are [name, total, assignments or null]; doubled names are refused. */
static void partitions_are_added(void **state)
{
    int32_t ids[] = {1};
    int32_t nobody[] = {99};
    struct create_partitions_request_assignment assignment = {ids, 1},
                                                unknown = {nobody, 1};
    struct create_partitions_request_topic topics[] = {
        {.name = slice_str("t"), .count = 6},
        {.name = slice_str("u"),
         .count = 2,
         .assignments = &assignment,
         .assignments_count = 1},
        {.name = slice_str("v"), .count = 2},
        {.name = slice_str("v"), .count = 3},
        {.name = slice_str("w"),
         .count = 3,
         .assignments = &unknown,
         .assignments_count = 1}};
    struct create_partitions_request body = create_partitions_request_defaults;

    (void)state;
    body.topics = topics;
    body.topics_count = 5;
    for (int16_t v = 0; v <= 3; v++) {
        const struct create_partitions_response *reply =
            fixture_call(&f, fd, KAFKA_CREATE_PARTITIONS, v, &body);
        assert_string_equal(fake_core_last_items(f.fake),
                            "[[\"t\",6,null],[\"u\",2,[[1]]]]");
        assert_int_equal(reply->results[0].error_code, 0);
        assert_int_equal(reply->results[1].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        assert_int_equal(reply->results[2].error_code, KAFKA_INVALID_REQUEST);
        assert_int_equal(reply->results[3].error_code, KAFKA_INVALID_REQUEST);
        assert_int_equal(reply->results[4].error_code, KAFKA_INVALID_REPLICA_ASSIGNMENT);
    }
}

/* ---- DescribeConfigs ---- */

static const struct describe_configs_response_config *find(
    const struct describe_configs_response_result *result, const char *name)
{
    for (size_t i = 0; i < result->configs_count; i++) {
        if (slice_eq_str(result->configs[i].name, name))
            return &result->configs[i];
    }
    return NULL;
}

/* A topic shows every name that Kafka has, with source, synonyms, type and words. */
static void topic_configs_are_described(void **state)
{
    struct describe_configs_request_resource resource = {2, slice_str("t"), NULL, 0};
    struct describe_configs_request body = describe_configs_request_defaults;

    (void)state;
    body.resources = &resource;
    body.resources_count = 1;
    body.include_synonyms = true;
    for (int16_t v = 1; v <= 4; v++) {
        body.include_documentation = v >= 3;
        const struct describe_configs_response *reply =
            fixture_call(&f, fd, KAFKA_DESCRIBE_CONFIGS, v, &body);
        const struct describe_configs_response_result *result = &reply->results[0];
        assert_int_equal(result->error_code, 0);
        assert_int_equal(result->configs_count, topic_config_spec_count);
        const struct describe_configs_response_config *c = find(result, "cleanup.policy");
        assert_true(slice_eq_str(c->value, "compact"));
        assert_int_equal(c->config_source, 1);
        assert_false(c->read_only);
        assert_int_equal(c->synonyms_count, 2);
        assert_true(slice_eq_str(c->synonyms[0].value, "compact"));
        assert_int_equal(c->synonyms[0].source, 1);
        assert_true(slice_eq_str(c->synonyms[1].name, "log.cleanup.policy"));
        assert_int_equal(c->synonyms[1].source, 5);
        c = find(result, "max.message.bytes");
        assert_true(slice_eq_str(c->value, "1048588"));
        assert_int_equal(c->config_source, 5);
        if (v >= 3) {
            assert_int_equal(c->config_type, TOPIC_CONFIG_INT);
            assert_true(c->documentation.len > 10);
        }
    }
}

/* A broker has the names that clients look at, with values that are true. */
static void broker_configs_are_described(void **state)
{
    struct slice keys[] = {slice_str("num.partitions"), slice_str("node.id"),
                           slice_str("nonsense")};
    struct describe_configs_request_resource resources[] = {
        {4, slice_str("1"), NULL, 0},       {4, slice_str("1"), keys, 3},
        {4, slice_str(""), NULL, 0},        {4, slice_str("7"), NULL, 0},
        {2, slice_str("nowhere"), NULL, 0}, {2, slice_str("no/good"), NULL, 0},
        {99, slice_str("x"), NULL, 0}};
    struct describe_configs_request body = describe_configs_request_defaults;

    (void)state;
    body.resources = resources;
    body.resources_count = ARRAY_LEN(resources);
    const struct describe_configs_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_CONFIGS, 4, &body);
    const struct describe_configs_response_result *all = &reply->results[0];
    assert_int_equal(all->error_code, 0);
    assert_true(slice_eq_str(find(all, "num.partitions")->value, "1"));
    assert_true(slice_eq_str(find(all, "default.replication.factor")->value, "1"));
    assert_true(slice_eq_str(find(all, "auto.create.topics.enable")->value, "true"));
    assert_true(slice_eq_str(find(all, "broker.rack")->value, "a"));
    assert_true(slice_eq_str(find(all, "message.max.bytes")->value, "1048588"));
    assert_true(slice_eq_str(find(all, "broker.id")->value, "1"));
    assert_true(slice_eq_str(find(all, "advertised.listeners")->value,
                             "PLAINTEXT://agent-1.example:9092"));
    assert_true(find(all, "log.retention.hours")->read_only);
    assert_int_equal(reply->results[1].configs_count, 2);
    assert_int_equal(reply->results[2].error_code, 0);
    assert_int_equal(reply->results[2].configs_count, 0);
    assert_int_equal(reply->results[3].error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(reply->results[4].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(reply->results[5].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(reply->results[6].error_code, KAFKA_INVALID_REQUEST);
}

/* ---- AlterConfigs, IncrementalAlterConfigs ---- */

/* Replacing begins with "forget all". */
static void configs_are_replaced(void **state)
{
    struct alter_configs_request_config configs[] = {
        {slice_str("retention.ms"), slice_str("7")},
        {slice_str("segment.bytes"), slice_str("8")}};
    struct alter_configs_request_config null_value = {slice_str("x"), SLICE_NULL};
    struct alter_configs_request_config twice[] = {{slice_str("x"), slice_str("1")},
                                                   {slice_str("x"), slice_str("2")}};
    struct alter_configs_request_resource resources[] = {
        {2, slice_str("t"), configs, 2},
        {4, slice_str("99"), configs, 2},
        {2, slice_str("n"), &null_value, 1},
        {2, slice_str("d"), twice, 2}};
    struct alter_configs_request body = alter_configs_request_defaults;

    (void)state;
    body.resources = resources;
    body.resources_count = 4;
    for (int16_t v = 0; v <= 2; v++) {
        const struct alter_configs_response *reply =
            fixture_call(&f, fd, KAFKA_ALTER_CONFIGS, v, &body);
        assert_string_equal(fake_core_last_items(f.fake),
                            "[[\"t\",[[4,null,null],[0,\"retention.ms\",\"7\"],"
                            "[0,\"segment.bytes\",\"8\"]]]]");
        assert_int_equal(reply->responses[0].error_code, 0);
        for (size_t i = 1; i < 4; i++) {
            assert_int_equal(reply->responses[i].error_code, KAFKA_INVALID_REQUEST);
            assert_true(reply->responses[i].error_message.len > 0);
        }
    }
}

/* Single changes are passed on as they are; impossible ones are refused. */
static void configs_are_changed_one_by_one(void **state)
{
    struct incremental_alter_configs_request_config configs[] = {
        {slice_str("retention.ms"), 0, slice_str("7")},
        {slice_str("segment.bytes"), 1, SLICE_NULL},
        {slice_str("cleanup.policy"), 2, slice_str("delete")},
        {slice_str("compression.type"), 3, slice_str("gzip")}};
    struct incremental_alter_configs_request_config no_op = {slice_str("x"), 4,
                                                             slice_str("1")};
    struct incremental_alter_configs_request_config no_value = {slice_str("x"), 0,
                                                                SLICE_NULL};
    struct incremental_alter_configs_request_resource resources[] = {
        {2, slice_str("t"), configs, 4},   {2, slice_str("a"), &no_op, 1},
        {2, slice_str("b"), &no_value, 1}, {2, slice_str("c"), configs, 1},
        {2, slice_str("c"), configs, 1},   {16, slice_str("1"), configs, 1}};
    struct incremental_alter_configs_request body =
        incremental_alter_configs_request_defaults;

    (void)state;
    body.resources = resources;
    body.resources_count = 6;
    for (int16_t v = 0; v <= 1; v++) {
        const struct incremental_alter_configs_response *reply =
            fixture_call(&f, fd, KAFKA_INCREMENTAL_ALTER_CONFIGS, v, &body);
        assert_string_equal(
            fake_core_last_items(f.fake),
            "[[\"t\",[[0,\"retention.ms\",\"7\"],[1,\"segment.bytes\",null],"
            "[2,\"cleanup.policy\",\"delete\"],[3,\"compression.type\",\"gzip\"]]]]");
        assert_int_equal(reply->responses[0].error_code, 0);
        for (size_t i = 1; i < 6; i++)
            assert_int_equal(reply->responses[i].error_code, KAFKA_INVALID_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(topics_are_created),          TEST(counts_have_defaults),
        TEST(contradictions_are_refused),  TEST(a_failed_call_fails_each),
        TEST(topics_are_deleted),          TEST(partitions_are_added),
        TEST(topic_configs_are_described), TEST(broker_configs_are_described),
        TEST(configs_are_replaced),        TEST(configs_are_changed_one_by_one),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
