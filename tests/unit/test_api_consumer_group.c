/* test_api_consumer_group.c - ConsumerGroupHeartbeat and ConsumerGroupDescribe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/group_op.h"
#include "proto/kafka_error.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;
static char topic_text[UUID_TEXT_LEN + 1];
static struct uuid topic_id;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4, "{}");
    topic_id = fake_core_topic_id(f.fake, "t");
    uuid_print(&topic_id, topic_text);
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

static void expect_op(const char *want)
{
    assert_string_equal(fake_core_group_ops(f.fake), want);
}

/* ---- ConsumerGroupHeartbeat ---- */

static struct consumer_group_heartbeat_request beat(const char *member, int32_t epoch)
{
    struct consumer_group_heartbeat_request body =
        consumer_group_heartbeat_request_defaults;
    body.group_id = slice_str("g");
    body.member_id = slice_str(member);
    body.member_epoch = epoch;
    return body;
}

/* What is null stays null: it means "as it was". */
static void a_short_heartbeat_stays_short(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 3);
    (void)state;
    fixture_call_as(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, "app", &body);
    expect_op("[\"consumer\",\"g\",\"m\",3,null,null,\"app\",\"/\",-1,null,null,null,"
              "null]");
}

/* Empty lists are not null. */
static void a_full_heartbeat_says_all(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 0);
    struct slice names[2] = {slice_str("a"), slice_str("b")};
    int32_t partitions[2] = {0, 2};
    struct consumer_group_heartbeat_request_topic owned = {topic_id, partitions, 2};
    char want[256];
    (void)state;
    body.instance_id = slice_str("i");
    body.rack_id = slice_str("r");
    body.rebalance_timeout_ms = 5000;
    body.subscribed_topic_names = names;
    body.subscribed_topic_names_count = 2;
    body.subscribed_topic_regex = slice_str("x.*");
    body.server_assignor = slice_str("range");
    body.topic_partitions = &owned;
    body.topic_partitions_count = 1;
    fixture_call_as(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, "app", &body);
    snprintf(want, sizeof(want),
             "[\"consumer\",\"g\",\"m\",0,\"i\",\"r\",\"app\",\"/\",5000,[\"a\",\"b\"],"
             "\"x.*\",\"range\",[[\"%s\",[0,2]]]]",
             topic_text);
    expect_op(want);
    body.subscribed_topic_names_count = 0;
    body.topic_partitions_count = 0;
    fixture_call_as(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 0, "app", &body);
    expect_op("[\"consumer\",\"g\",\"m\",0,\"i\",\"r\",\"app\",\"/\",5000,[],null,"
              "\"range\",[]]");
}

/* A heartbeat that says only that the member is alive may be gathered; one that says
 * more, joins or leaves goes the way of what changes a group. */
static void short_heartbeats_are_lazy(void **state)
{
    struct consumer_group_heartbeat_request bodies[5];
    struct slice names[1] = {slice_str("a")};
    struct consumer_group_heartbeat_request_topic owned = {topic_id, NULL, 0};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        bodies[i] = beat("m", 3);
    bodies[1].member_epoch = 0;
    bodies[2].member_epoch = -1;
    bodies[3].subscribed_topic_names = names;
    bodies[3].subscribed_topic_names_count = 1;
    bodies[4].topic_partitions = &owned;
    bodies[4].topic_partitions_count = 1;
    fake_core_hold(f.fake, ASK_GROUP, true);
    for (size_t i = 0; i < 5; i++) {
        fixture_send(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, 1, "app", &bodies[i]);
        struct ask *ask = fake_core_held_ask(f.fake, 0);
        assert_int_equal(CONTAINER_OF(ask, struct group_ask, ask)->ops[0].lazy, i == 0);
        fake_core_answer(f.fake, 0);
        fixture_run(&f, 0);
    }
}

/* Without an assignment in the result the reply's is null: it did not change. */
static void an_unchanged_assignment_is_null(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 3);
    (void)state;
    fake_core_group_result(f.fake, "[0,null,\"m\",4,5000,null]");
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_int_equal(reply->error_code, 0);
    assert_true(slice_eq_str(reply->member_id, "m"));
    assert_int_equal(reply->member_epoch, 4);
    assert_int_equal(reply->heartbeat_interval_ms, 5000);
    assert_null(reply->assignment);
}

/* An assignment is passed on; an empty one is not null. */
static void an_assignment_is_passed_on(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 3);
    char result[256];
    (void)state;
    snprintf(result, sizeof(result), "[0,null,\"m\",4,5000,[[\"%s\",[1,3]]]]",
             topic_text);
    fake_core_group_result(f.fake, result);
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_non_null(reply->assignment);
    assert_int_equal(reply->assignment->topic_partitions_count, 1);
    const struct consumer_group_heartbeat_response_topic *topic =
        reply->assignment->topic_partitions;
    assert_true(uuid_eq(&topic->topic_id, &topic_id));
    assert_int_equal(topic->partitions_count, 2);
    assert_int_equal(topic->partitions[1], 3);
    fake_core_group_result(f.fake, "[0,null,\"m\",4,5000,[]]");
    reply = fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_non_null(reply->assignment);
    assert_int_equal(reply->assignment->topic_partitions_count, 0);
}

/* An error comes with its message and nothing else. */
static void an_error_comes_alone(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 3);
    (void)state;
    fake_core_group_result(f.fake, "[110,\"fenced\",\"m\",3,5000,null]");
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_FENCED_MEMBER_EPOCH);
    assert_true(slice_eq_str(reply->error_message, "fenced"));
    assert_null(reply->member_id.ptr);
    assert_int_equal(reply->member_epoch, 0);
    assert_int_equal(reply->heartbeat_interval_ms, 0);
}

/* When the control plane is away, the member tries again. */
static void without_an_answer_the_member_tries_again(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 3);
    (void)state;
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_true(reply->error_message.len > 0);
}

/* A member has an id from version 1 on, and before that from its first answer on: 42
 * else. In version 0 the agent makes one, another for each. */
static void member_ids_are_made_in_version_0_only(void **state)
{
    struct consumer_group_heartbeat_request body = beat("", 0);
    char first[256];
    (void)state;
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    assert_true(slice_eq_str(reply->error_message, "MemberId can't be empty."));
    body.member_epoch = 1;
    reply = fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 0, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(fake_core_asks(f.fake, ASK_GROUP), 0);
    body.member_epoch = 0;
    fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 0, &body);
    snprintf(first, sizeof(first), "%s", fake_core_group_ops(f.fake));
    assert_int_equal(strcspn(first + strlen("[\"consumer\",\"g\",\""), "+/=\""), 22);
    fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 0, &body);
    assert_string_not_equal(first, fake_core_group_ops(f.fake));
}

/* A group has a name. */
static void a_group_has_a_name(void **state)
{
    struct consumer_group_heartbeat_request body = beat("m", 0);
    (void)state;
    body.group_id = slice_str("");
    const struct consumer_group_heartbeat_response *reply =
        fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_HEARTBEAT, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    assert_true(slice_eq_str(reply->error_message, "GroupId can't be empty."));
}

/* ---- ConsumerGroupDescribe ---- */

/* Topics get their names; those that are gone are left out; what a member is, is told
 * from version 1 on. */
static void a_group_is_described(void **state)
{
    struct consumer_group_describe_request body =
        consumer_group_describe_request_defaults;
    struct slice ids[3] = {slice_str("g"), slice_str("none"), slice_str("")};
    char result[512];
    (void)state;
    body.group_ids = ids;
    body.group_ids_count = 3;
    body.include_authorized_operations = true;
    for (int16_t v = 0; v <= 1; v++) {
        snprintf(result, sizeof(result),
                 "[0,null,\"Stable\",5,4,\"uniform\",[[\"m\",\"i\",null,3,\"app\","
                 "\"/h\",[\"t\"],null,[[\"%s\",[1]],[\"00000000-0000-0000-0000-"
                 "000000000009\",[2]]],[],true]]]",
                 topic_text);
        fake_core_group_result(f.fake, result);
        fake_core_group_result(f.fake, "[69,\"Group none not found.\",\"\",0,0,\"\",[]]");
        const struct consumer_group_describe_response *reply =
            fixture_call(&f, fd, KAFKA_CONSUMER_GROUP_DESCRIBE, v, &body);
        assert_int_equal(reply->groups_count, 3);
        const struct consumer_group_describe_response_group *g = &reply->groups[0];
        assert_true(slice_eq_str(g->group_state, "Stable"));
        assert_int_equal(g->group_epoch, 5);
        assert_int_equal(g->assignment_epoch, 4);
        assert_true(slice_eq_str(g->assignor_name, "uniform"));
        assert_int_equal(g->authorized_operations, GROUP_OPERATIONS);
        assert_int_equal(g->members_count, 1);
        const struct consumer_group_describe_response_member *m = g->members;
        assert_true(slice_eq_str(m->instance_id, "i"));
        assert_null(m->rack_id.ptr);
        assert_int_equal(m->member_epoch, 3);
        assert_int_equal(m->subscribed_topic_names_count, 1);
        assert_int_equal(m->assignment.topic_partitions_count, 1);
        assert_true(slice_eq_str(m->assignment.topic_partitions[0].topic_name, "t"));
        assert_int_equal(m->target_assignment.topic_partitions_count, 0);
        assert_int_equal(m->member_type, v >= 1 ? 0 : -1);
        assert_int_equal(reply->groups[1].error_code, KAFKA_GROUP_ID_NOT_FOUND);
        assert_true(slice_eq_str(reply->groups[1].group_id, "none"));
        assert_int_equal(reply->groups[1].authorized_operations, INT32_MIN);
        assert_int_equal(reply->groups[2].error_code, KAFKA_INVALID_GROUP_ID);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_short_heartbeat_stays_short),
        TEST(a_full_heartbeat_says_all),
        TEST(short_heartbeats_are_lazy),
        TEST(an_unchanged_assignment_is_null),
        TEST(an_assignment_is_passed_on),
        TEST(an_error_comes_alone),
        TEST(without_an_answer_the_member_tries_again),
        TEST(member_ids_are_made_in_version_0_only),
        TEST(a_group_has_a_name),
        TEST(a_group_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
