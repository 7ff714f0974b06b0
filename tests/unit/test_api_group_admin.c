/* test_api_group_admin.c - DescribeGroups, ListGroups, DeleteGroups, FindCoordinator. */
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

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
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

/* ---- DescribeGroups ---- */

static const struct describe_groups_response *describe(int16_t version,
                                                       struct slice *names, size_t count)
{
    struct describe_groups_request body = describe_groups_request_defaults;
    body.groups = names;
    body.groups_count = count;
    body.include_authorized_operations = version >= 3;
    return fixture_call(&f, fd, KAFKA_DESCRIBE_GROUPS, version, &body);
}

/* A group with its members, in every version. */
static void a_group_is_described(void **state)
{
    struct slice names[1] = {slice_str("g")};
    (void)state;
    for (int16_t v = 0; v <= 6; v++) {
        fake_core_group_result(f.fake,
                               "[0,null,\"classic\",\"Stable\",\"consumer\",\"range\","
                               "[[\"m\",\"i\",\"app\",\"/h\",\"AAEC\",\"AA==\"]]]");
        const struct describe_groups_response *reply = describe(v, names, 1);
        assert_string_equal(fake_core_group_ops(f.fake), "[\"describe\",\"g\"]");
        assert_int_equal(reply->groups_count, 1);
        const struct describe_groups_response_group *g = reply->groups;
        assert_int_equal(g->error_code, 0);
        assert_true(slice_eq_str(g->group_id, "g"));
        assert_true(slice_eq_str(g->group_state, "Stable"));
        assert_true(slice_eq_str(g->protocol_type, "consumer"));
        assert_true(slice_eq_str(g->protocol_data, "range"));
        assert_int_equal(g->authorized_operations, v >= 3 ? GROUP_OPERATIONS : INT32_MIN);
        assert_int_equal(g->members_count, 1);
        assert_true(slice_eq_str(g->members[0].member_id, "m"));
        assert_true(slice_eq_str(g->members[0].group_instance_id, v >= 4 ? "i" : ""));
        assert_true(slice_eq_str(g->members[0].client_host, "/h"));
        assert_int_equal(g->members[0].member_metadata.len, 3);
        assert_int_equal(g->members[0].member_assignment.len, 1);
    }
}

/* What is not there is dead; from version 6 on that is an error, with a message. What is
 * a group of the consumer protocol is no classic group. Each of several groups has its
 * own answer. */
static void unknown_groups_are_dead(void **state)
{
    struct slice names[2] = {slice_str("a"), slice_str("b")};
    (void)state;
    for (int16_t v = 0; v <= 6; v++) {
        fake_core_group_result(f.fake, "[69,null,\"none\",\"Dead\",\"\",\"\",[]]");
        fake_core_group_result(f.fake, "[0,null,\"consumer\",\"Stable\",\"\",\"\",[]]");
        const struct describe_groups_response *reply = describe(v, names, 2);
        assert_int_equal(reply->groups_count, 2);
        for (size_t i = 0; i < 2; i++) {
            const struct describe_groups_response_group *g = &reply->groups[i];
            assert_true(slice_eq_str(g->group_state, "Dead"));
            assert_int_equal(g->error_code, v >= 6 ? KAFKA_GROUP_ID_NOT_FOUND : 0);
            assert_int_equal(g->members_count, 0);
            assert_int_equal(g->authorized_operations,
                             v >= 3 && v < 6 ? GROUP_OPERATIONS : INT32_MIN);
        }
        if (v >= 6) {
            assert_true(
                slice_eq_str(reply->groups[0].error_message, "Group a not found."));
            assert_true(slice_eq_str(reply->groups[1].error_message,
                                     "Group b is not a classic group."));
        }
    }
}

/* When the control plane is away, the tool tries again. */
static void without_an_answer_tools_try_again(void **state)
{
    struct slice names[1] = {slice_str("g")};
    struct delete_groups_request deletes = delete_groups_request_defaults;
    struct list_groups_request lists = list_groups_request_defaults;
    (void)state;
    assert_int_equal(describe(6, names, 1)->groups[0].error_code,
                     KAFKA_COORDINATOR_NOT_AVAILABLE);
    deletes.groups_names = names;
    deletes.groups_names_count = 1;
    const struct delete_groups_response *deleted =
        fixture_call(&f, fd, KAFKA_DELETE_GROUPS, 2, &deletes);
    assert_int_equal(deleted->results[0].error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    const struct list_groups_response *listed =
        fixture_call(&f, fd, KAFKA_LIST_GROUPS, 5, &lists);
    assert_int_equal(listed->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(listed->groups_count, 0);
}

/* ---- ListGroups ---- */

/* Filters are passed on; none is null. */
static void filters_are_passed_on(void **state)
{
    struct list_groups_request body = list_groups_request_defaults;
    struct slice states[1] = {slice_str("Stable")}, types[1] = {slice_str("classic")};
    (void)state;
    for (int16_t v = 0; v <= 5; v++) {
        body.states_filter = states;
        body.states_filter_count = v >= 4;
        body.types_filter = types;
        body.types_filter_count = v >= 5;
        fake_core_group_result(f.fake, "[0,[[\"g\",\"consumer\",\"Stable\",\"classic\"],"
                                       "[\"offsets\",\"\",\"Empty\",\"classic\"]]]");
        const struct list_groups_response *reply =
            fixture_call(&f, fd, KAFKA_LIST_GROUPS, v, &body);
        assert_string_equal(fake_core_group_ops(f.fake),
                            v >= 5   ? "[\"list\",[\"Stable\"],[\"classic\"]]"
                            : v >= 4 ? "[\"list\",[\"Stable\"],null]"
                                     : "[\"list\",null,null]");
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->groups_count, 2);
        assert_true(slice_eq_str(reply->groups[0].group_id, "g"));
        assert_true(slice_eq_str(reply->groups[0].protocol_type, "consumer"));
        assert_true(slice_eq_str(reply->groups[0].group_state, v >= 4 ? "Stable" : ""));
        assert_true(slice_eq_str(reply->groups[0].group_type, v >= 5 ? "classic" : ""));
        assert_true(slice_eq_str(reply->groups[1].protocol_type, ""));
    }
}

/* A filter of more words than there can be states is no request of a tool. */
static void filters_are_bounded(void **state)
{
    struct list_groups_request body = list_groups_request_defaults;
    struct slice words[65];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        words[i] = slice_str("Stable");
    body.states_filter = words;
    body.states_filter_count = ARRAY_LEN(words);
    const struct list_groups_response *reply =
        fixture_call(&f, fd, KAFKA_LIST_GROUPS, 5, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(fake_core_asks(f.fake, ASK_GROUP), 0);
}

static int32_t coordinator_of(const char *group)
{
    struct find_coordinator_request body = find_coordinator_request_defaults;
    body.key = slice_str(group);
    const struct find_coordinator_response *reply =
        fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, 2, &body);
    assert_int_equal(reply->error_code, 0);
    return reply->node_id;
}

/* Of several agents each tells of the groups that clients are steered to it with, so that
 * all together tell of each once; one that clients are not shown tells of none. */
static void each_agent_lists_its_own(void **state)
{
    struct list_groups_request body = list_groups_request_defaults;
    char all[2048] = "[0,[";
    size_t own = 0, found = 0;
    (void)state;
    fake_core_add_agent(f.fake, 2, "a");
    fake_core_add_agent(f.fake, 3, "b");
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "group-%d", i);
        own += coordinator_of(name) == 1;
        snprintf(all + strlen(all), sizeof(all) - strlen(all),
                 "%s[\"%s\",\"consumer\",\"Stable\",\"classic\"]", i == 0 ? "" : ",",
                 name);
    }
    snprintf(all + strlen(all), sizeof(all) - strlen(all), "]]");
    assert_true(own > 0 && own < 20);
    fake_core_group_result(f.fake, all);
    const struct list_groups_response *reply =
        fixture_call(&f, fd, KAFKA_LIST_GROUPS, 5, &body);
    assert_int_equal(reply->groups_count, own);
    for (size_t i = 0; i < reply->groups_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%.*s", (int)reply->groups[i].group_id.len,
                 (const char *)reply->groups[i].group_id.ptr);
        found += coordinator_of(name) == 1;
    }
    assert_int_equal(found, own);
    fake_core_group_result(f.fake, all);
    reply = fixture_call_as(&f, fd, KAFKA_LIST_GROUPS, 5, "app,zone=b", &body);
    assert_int_equal(reply->groups_count, 0);
    fake_core_group_result(f.fake, all);
    reply = fixture_call_as(&f, fd, KAFKA_LIST_GROUPS, 5, "app,zone=a", &body);
    assert_true(reply->groups_count > own);
}

/* ---- DeleteGroups ---- */

/* Each group has its own result; the empty name is one like any other, for old commits
 * made such a group. */
static void groups_are_deleted(void **state)
{
    struct delete_groups_request body = delete_groups_request_defaults;
    struct slice names[4] = {slice_str("a"), slice_str("b"), slice_str(""),
                             slice_str("c")};
    (void)state;
    body.groups_names = names;
    body.groups_names_count = 4;
    for (int16_t v = 0; v <= 2; v++) {
        fake_core_group_result(f.fake, "[0]");
        fake_core_group_result(f.fake, "[68]");
        fake_core_group_result(f.fake, "[0]");
        fake_core_group_result(f.fake, "[69]");
        const struct delete_groups_response *reply =
            fixture_call(&f, fd, KAFKA_DELETE_GROUPS, v, &body);
        assert_string_equal(fake_core_group_ops(f.fake),
                            "[\"delete\",\"a\"]\n[\"delete\",\"b\"]\n[\"delete\",\"\"]\n"
                            "[\"delete\",\"c\"]");
        static const int16_t want[4] = {0, 68, 0, 69};
        assert_int_equal(reply->results_count, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(reply->results[i].error_code, want[i]);
            assert_true(slice_eq(reply->results[i].group_id, names[i]));
        }
    }
}

/* ---- FindCoordinator ---- */

/* The text of success is Kafka's, which some clients print. */
static void success_has_a_text(void **state)
{
    struct find_coordinator_request body = find_coordinator_request_defaults;
    struct slice keys[1] = {slice_str("g")};
    (void)state;
    body.key = slice_str("g");
    body.coordinator_keys = keys;
    body.coordinator_keys_count = 1;
    for (int16_t v = 0; v <= 6; v++) {
        const struct find_coordinator_response *reply =
            fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, v, &body);
        if (v >= 4) {
            assert_int_equal(reply->coordinators_count, 1);
            assert_non_null(reply->coordinators[0].error_message.ptr);
            assert_int_equal(reply->coordinators[0].error_message.len, 0);
        } else if (v >= 1) {
            assert_true(slice_eq_str(reply->error_message, "NONE"));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_described),
        TEST(unknown_groups_are_dead),
        TEST(without_an_answer_tools_try_again),
        TEST(filters_are_passed_on),
        TEST(filters_are_bounded),
        TEST(each_agent_lists_its_own),
        TEST(groups_are_deleted),
        TEST(success_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
