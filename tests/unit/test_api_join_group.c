/* test_api_join_group.c - JoinGroup, SyncGroup, Heartbeat, LeaveGroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/request.h"
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

/* The op without what is random in it: everything before the last comma. */
static void expect_op(const char *want)
{
    const char *got = fake_core_group_ops(f.fake);
    if (strncmp(got, want, strlen(want)) != 0)
        fail_msg("op %s\nwanted %s", got, want);
}

/* ---- JoinGroup ---- */

static struct join_group_request_protocol protocols[2];

static struct join_group_request join_body(const char *group, const char *member)
{
    struct join_group_request body = join_group_request_defaults;
    protocols[0] =
        (struct join_group_request_protocol){slice_str("range"), slice_of("\0\1\2", 3)};
    protocols[1] =
        (struct join_group_request_protocol){slice_str("sticky"), slice_str("")};
    body.group_id = slice_str(group);
    body.member_id = slice_str(member);
    body.session_timeout_ms = 10000;
    body.rebalance_timeout_ms = 30000;
    body.protocol_type = slice_str("consumer");
    body.protocols = protocols;
    body.protocols_count = 2;
    return body;
}

/* All that a join says goes to the control plane; that the id must be known first from
 * version 4 on, that the assignment may be skipped from 9 on; a static member's id need
 * not be known; version 0 has no rebalance timeout: the session's. */
static void a_join_says_what_its_version_can(void **state)
{
    struct join_group_request body = join_body("g", "");
    (void)state;
    fixture_call_as(&f, fd, KAFKA_JOIN_GROUP, 0, "app", &body);
    expect_op("[\"join\",\"g\",\"\",null,\"app\",\"/\",10000,10000,\"consumer\","
              "[[\"range\",\"AAEC\"],[\"sticky\",\"\"]],0,\"");
    fixture_call_as(&f, fd, KAFKA_JOIN_GROUP, 4, NULL, &body);
    expect_op("[\"join\",\"g\",\"\",null,\"\",\"/\",10000,30000,\"consumer\","
              "[[\"range\",\"AAEC\"],[\"sticky\",\"\"]],1,\"");
    body.member_id = slice_str("m");
    body.group_instance_id = slice_str("i");
    fixture_call_as(&f, fd, KAFKA_JOIN_GROUP, 5, "app", &body);
    expect_op("[\"join\",\"g\",\"m\",\"i\",\"app\",\"/\",10000,30000,\"consumer\","
              "[[\"range\",\"AAEC\"],[\"sticky\",\"\"]],0,\"");
    fixture_call_as(&f, fd, KAFKA_JOIN_GROUP, 9, "app", &body);
    expect_op("[\"join\",\"g\",\"m\",\"i\",\"app\",\"/\",10000,30000,\"consumer\","
              "[[\"range\",\"AAEC\"],[\"sticky\",\"\"]],2,\"");
}

/* Each request has a join id of its own, by which a repeat of the call is known. */
static void join_ids_are_new(void **state)
{
    struct join_group_request body = join_body("g", "");
    char first[512];
    (void)state;
    fixture_call(&f, fd, KAFKA_JOIN_GROUP, 4, &body);
    snprintf(first, sizeof(first), "%s", fake_core_group_ops(f.fake));
    fixture_call(&f, fd, KAFKA_JOIN_GROUP, 4, &body);
    assert_string_not_equal(first, fake_core_group_ops(f.fake));
}

/* The leader gets the members, in every version; types and null protocols from 7 on. */
static void a_join_is_answered(void **state)
{
    (void)state;
    for (int16_t v = 0; v <= 9; v++) {
        struct join_group_request body = join_body("g", "m1");
        fake_core_group_result(f.fake, "[0,7,\"consumer\",\"range\",\"m1\",\"m1\",true,"
                                       "[[\"m1\",null,\"AAEC\"],[\"m2\",\"i2\",\"\"]]]");
        const struct join_group_response *reply =
            fixture_call(&f, fd, KAFKA_JOIN_GROUP, v, &body);
        assert_non_null(reply);
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->throttle_time_ms, 0);
        assert_int_equal(reply->generation_id, 7);
        assert_true(slice_eq_str(reply->protocol_type, v >= 7 ? "consumer" : ""));
        assert_true(slice_eq_str(reply->protocol_name, "range"));
        assert_true(slice_eq_str(reply->leader, "m1"));
        assert_true(slice_eq_str(reply->member_id, "m1"));
        assert_int_equal(reply->skip_assignment, v >= 9);
        assert_int_equal(reply->members_count, 2);
        assert_true(slice_eq(reply->members[0].metadata, slice_of("\0\1\2", 3)));
        assert_true(slice_eq_str(reply->members[1].member_id, "m2"));
        assert_true(
            slice_eq_str(reply->members[1].group_instance_id, v >= 5 ? "i2" : ""));
    }
}

/* A refusal with an id (79) brings it; the protocol is null where that can be said. */
static void a_refused_join_brings_the_member_id(void **state)
{
    (void)state;
    for (int16_t v = 4; v <= 9; v++) {
        struct join_group_request body = join_body("g", "");
        fake_core_group_result(f.fake, "[79,-1,null,null,\"\",\"app-1\",false,[]]");
        const struct join_group_response *reply =
            fixture_call(&f, fd, KAFKA_JOIN_GROUP, v, &body);
        assert_int_equal(reply->error_code, KAFKA_MEMBER_ID_REQUIRED);
        assert_int_equal(reply->generation_id, -1);
        assert_true(slice_eq_str(reply->member_id, "app-1"));
        assert_true((reply->protocol_name.ptr == NULL) == (v >= 7));
        assert_int_equal(reply->members_count, 0);
    }
}

/* A group has a name: without, joins and the others are refused with 24, and nobody is
 * asked. */
static void a_group_has_a_name(void **state)
{
    struct join_group_request join = join_body("", "m");
    struct sync_group_request sync = sync_group_request_defaults;
    struct heartbeat_request heartbeat = heartbeat_request_defaults;
    struct leave_group_request leave = leave_group_request_defaults;
    (void)state;
    const struct join_group_response *joined =
        fixture_call(&f, fd, KAFKA_JOIN_GROUP, 5, &join);
    assert_int_equal(joined->error_code, KAFKA_INVALID_GROUP_ID);
    const struct sync_group_response *synced =
        fixture_call(&f, fd, KAFKA_SYNC_GROUP, 3, &sync);
    assert_int_equal(synced->error_code, KAFKA_INVALID_GROUP_ID);
    const struct heartbeat_response *beaten =
        fixture_call(&f, fd, KAFKA_HEARTBEAT, 3, &heartbeat);
    assert_int_equal(beaten->error_code, KAFKA_INVALID_GROUP_ID);
    const struct leave_group_response *left =
        fixture_call(&f, fd, KAFKA_LEAVE_GROUP, 3, &leave);
    assert_int_equal(left->error_code, KAFKA_INVALID_GROUP_ID);
    assert_int_equal(left->members_count, 0);
    assert_int_equal(fake_core_asks(f.fake, ASK_GROUP), 0);
}

/* When the control plane is away, the client is told to look for the coordinator and to
 * try again as who it is. */
static void without_an_answer_members_try_again(void **state)
{
    struct join_group_request join = join_body("g", "m");
    struct sync_group_request sync = sync_group_request_defaults;
    struct heartbeat_request heartbeat = heartbeat_request_defaults;
    struct leave_group_request leave = leave_group_request_defaults;
    (void)state;
    sync.group_id = heartbeat.group_id = leave.group_id = slice_str("g");
    const struct join_group_response *joined =
        fixture_call(&f, fd, KAFKA_JOIN_GROUP, 7, &join);
    assert_int_equal(joined->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_true(slice_eq_str(joined->member_id, "m"));
    assert_int_equal(joined->generation_id, -1);
    const struct sync_group_response *synced =
        fixture_call(&f, fd, KAFKA_SYNC_GROUP, 3, &sync);
    assert_int_equal(synced->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    const struct heartbeat_response *beaten =
        fixture_call(&f, fd, KAFKA_HEARTBEAT, 0, &heartbeat);
    assert_int_equal(beaten->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    for (int16_t v = 0; v <= 5; v++) {
        const struct leave_group_response *left =
            fixture_call(&f, fd, KAFKA_LEAVE_GROUP, v, &leave);
        assert_int_equal(left->error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    }
}

/* A join that waits is in the way of its own connection's replies only. */
static void a_waiting_join_blocks_its_connection_only(void **state)
{
    struct join_group_request join = join_body("g", "m");
    struct heartbeat_request heartbeat = heartbeat_request_defaults;
    struct str frame;
    int other = fixture_connect(&f);
    (void)state;
    heartbeat.group_id = slice_str("g");
    str_init(&frame, MIB);
    fake_core_hold(f.fake, ASK_GROUP, true);
    fixture_send(&f, fd, KAFKA_JOIN_GROUP, 5, 1, "app", &join);
    fake_core_hold(f.fake, ASK_GROUP, false);
    assert_int_equal(fake_core_held(f.fake), 1);
    assert_non_null(fixture_call(&f, other, KAFKA_HEARTBEAT, 3, &heartbeat));
    assert_false(fixture_receive(&f, fd, &frame));
    fake_core_answer(f.fake, 0);
    assert_true(fixture_receive(&f, fd, &frame));
    str_fini(&frame);
    close(other);
}

/* A join whose client is gone is called back. */
static void a_vanished_member_waits_no_more(void **state)
{
    struct join_group_request join = join_body("g", "m");
    int other = fixture_connect(&f);
    (void)state;
    fake_core_hold(f.fake, ASK_GROUP, true);
    fixture_send(&f, other, KAFKA_JOIN_GROUP, 5, 1, "app", &join);
    assert_false(front_idle(f.front));
    close(other);
    fixture_run(&f, 0);
    assert_int_equal(fake_core_asks(f.fake, ASK_CANCEL), 1);
    assert_int_equal(fake_core_held(f.fake), 0);
    assert_true(front_idle(f.front));
}

/* Whether a member without an id is told to leave again when its client goes depends on
 * what only the handler knows: dynamic, and without an id. */
static void who_has_no_name_is_told_to_the_core(void **state)
{
    static const struct {
        const char *member, *instance;
        bool nameless;
    } cases[] = {{"", NULL, true}, {"m", NULL, false}, {"", "i", false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct join_group_request join = join_body("g", cases[i].member);
        int other = fixture_connect(&f);
        join.group_instance_id = slice_str(cases[i].instance);
        fake_core_hold(f.fake, ASK_GROUP, true);
        fixture_send(&f, other, KAFKA_JOIN_GROUP, 5, 1, "app", &join);
        struct ask *ask = fake_core_held_ask(f.fake, 0);
        const struct group_op *op = CONTAINER_OF(ask, struct group_ask, ask)->ops;
        assert_int_equal(op->kind, GROUP_OP_JOIN);
        assert_int_equal(op->nameless, cases[i].nameless);
        assert_true(slice_eq_str(op->instance, cases[i].instance));
        close(other);
        fixture_run(&f, 0);
    }
}

/* ---- SyncGroup ---- */

static struct sync_group_request_assignment assignments[1];

static struct sync_group_request sync_body(void)
{
    struct sync_group_request body = sync_group_request_defaults;
    assignments[0] =
        (struct sync_group_request_assignment){slice_str("m"), slice_of("\0\1\2", 3)};
    body.group_id = slice_str("g");
    body.generation_id = 7;
    body.member_id = slice_str("m");
    body.group_instance_id = slice_str("i");
    body.protocol_type = slice_str("consumer");
    body.protocol_name = slice_str("range");
    body.assignments = assignments;
    body.assignments_count = 1;
    return body;
}

/* A sync says and brings what its version can. */
static void a_sync_is_answered(void **state)
{
    struct sync_group_request body = sync_body();
    (void)state;
    for (int16_t v = 0; v <= 5; v++) {
        fake_core_group_result(f.fake, "[0,\"consumer\",\"range\",\"AAEC\"]");
        const struct sync_group_response *reply =
            fixture_call(&f, fd, KAFKA_SYNC_GROUP, v, &body);
        assert_int_equal(reply->error_code, 0);
        assert_true(slice_eq(reply->assignment, slice_of("\0\1\2", 3)));
        assert_true(slice_eq_str(reply->protocol_name, v >= 5 ? "range" : ""));
        if (v >= 5)
            expect_op("[\"sync\",\"g\",7,\"m\",\"i\",\"consumer\",\"range\","
                      "[[\"m\",\"AAEC\"]]]");
        else if (v >= 3)
            expect_op("[\"sync\",\"g\",7,\"m\",\"i\",null,null,[[\"m\",\"AAEC\"]]]");
        else
            expect_op("[\"sync\",\"g\",7,\"m\",null,null,null,[[\"m\",\"AAEC\"]]]");
    }
}

/* From version 5 on a sync names the protocol that it is for: 23 else. */
static void a_sync_names_its_protocol(void **state)
{
    struct sync_group_request body = sync_body();
    (void)state;
    body.protocol_name = SLICE_NULL;
    const struct sync_group_response *reply =
        fixture_call(&f, fd, KAFKA_SYNC_GROUP, 5, &body);
    assert_int_equal(reply->error_code, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    body = sync_body();
    body.protocol_type = SLICE_NULL;
    reply = fixture_call(&f, fd, KAFKA_SYNC_GROUP, 5, &body);
    assert_int_equal(reply->error_code, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(fake_core_asks(f.fake, ASK_GROUP), 0);
}

/* An error of a sync comes without assignment. */
static void a_refused_sync_is_empty(void **state)
{
    struct sync_group_request body = sync_body();
    (void)state;
    fake_core_group_result(f.fake, "[22,null,null,null]");
    const struct sync_group_response *reply =
        fixture_call(&f, fd, KAFKA_SYNC_GROUP, 5, &body);
    assert_int_equal(reply->error_code, KAFKA_ILLEGAL_GENERATION);
    assert_null(reply->protocol_type.ptr);
    assert_int_equal(reply->assignment.len, 0);
}

/* ---- Heartbeat ---- */

/* The control plane's word is passed on. */
static void a_heartbeat_is_answered(void **state)
{
    struct heartbeat_request body = heartbeat_request_defaults;
    (void)state;
    body.group_id = slice_str("g");
    body.generation_id = 7;
    body.member_id = slice_str("m");
    body.group_instance_id = slice_str("i");
    for (int16_t v = 0; v <= 4; v++) {
        fake_core_group_result(f.fake, "[27]");
        const struct heartbeat_response *reply =
            fixture_call(&f, fd, KAFKA_HEARTBEAT, v, &body);
        assert_int_equal(reply->error_code, KAFKA_REBALANCE_IN_PROGRESS);
        assert_string_equal(fake_core_group_ops(f.fake),
                            v >= 3 ? "[\"heartbeat\",\"g\",7,\"m\",\"i\"]"
                                   : "[\"heartbeat\",\"g\",7,\"m\",null]");
    }
}

/* Nothing of a group depends on when a heartbeat comes: the core may gather them. */
static void a_heartbeat_is_lazy(void **state)
{
    struct heartbeat_request body = heartbeat_request_defaults;
    (void)state;
    body.group_id = slice_str("g");
    fake_core_hold(f.fake, ASK_GROUP, true);
    fixture_send(&f, fd, KAFKA_HEARTBEAT, 4, 1, "app", &body);
    struct ask *ask = fake_core_held_ask(f.fake, 0);
    assert_true(CONTAINER_OF(ask, struct group_ask, ask)->ops[0].lazy);
    fake_core_answer(f.fake, 0);
    fixture_run(&f, 0);
}

/* ---- LeaveGroup ---- */

/* One member up to version 2, whose error is the reply's. */
static void one_member_leaves(void **state)
{
    struct leave_group_request body = leave_group_request_defaults;
    (void)state;
    body.group_id = slice_str("g");
    body.member_id = slice_str("m");
    for (int16_t v = 0; v <= 2; v++) {
        fake_core_group_result(f.fake, "[0,[[\"m\",null,25]]]");
        const struct leave_group_response *reply =
            fixture_call(&f, fd, KAFKA_LEAVE_GROUP, v, &body);
        assert_int_equal(reply->error_code, KAFKA_UNKNOWN_MEMBER_ID);
        assert_string_equal(fake_core_group_ops(f.fake),
                            "[\"leave\",\"g\",[[\"m\",null,null]]]");
    }
}

/* A batch from version 3 on, each with its error; reasons from 5 on. */
static void many_members_leave(void **state)
{
    struct leave_group_request body = leave_group_request_defaults;
    struct leave_group_request_member members[2] = {
        {slice_str("m"), SLICE_NULL, slice_str("why")},
        {slice_str(""), slice_str("i"), SLICE_NULL}};
    (void)state;
    body.group_id = slice_str("g");
    body.members = members;
    body.members_count = 2;
    for (int16_t v = 3; v <= 5; v++) {
        fake_core_group_result(f.fake, "[0,[[\"m\",null,0],[\"\",\"i\",82]]]");
        const struct leave_group_response *reply =
            fixture_call(&f, fd, KAFKA_LEAVE_GROUP, v, &body);
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->members_count, 2);
        assert_true(slice_eq_str(reply->members[0].member_id, "m"));
        assert_int_equal(reply->members[1].error_code, KAFKA_FENCED_INSTANCE_ID);
        assert_true(slice_eq_str(reply->members[1].group_instance_id, "i"));
        assert_string_equal(
            fake_core_group_ops(f.fake),
            v >= 5 ? "[\"leave\",\"g\",[[\"m\",null,\"why\"],[\"\",\"i\",null]]]"
                   : "[\"leave\",\"g\",[[\"m\",null,null],[\"\",\"i\",null]]]");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_join_says_what_its_version_can),
        TEST(join_ids_are_new),
        TEST(a_join_is_answered),
        TEST(a_refused_join_brings_the_member_id),
        TEST(a_group_has_a_name),
        TEST(without_an_answer_members_try_again),
        TEST(a_waiting_join_blocks_its_connection_only),
        TEST(a_vanished_member_waits_no_more),
        TEST(who_has_no_name_is_told_to_the_core),
        TEST(a_sync_is_answered),
        TEST(a_sync_names_its_protocol),
        TEST(a_refused_sync_is_empty),
        TEST(a_heartbeat_is_answered),
        TEST(a_heartbeat_is_lazy),
        TEST(one_member_leaves),
        TEST(many_members_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
