/* test_api_offset_ops.c - the ops of /agent/v1/groups about offsets, on the product's own
 * state, without sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "controlplane/coordinator.h"
#include "tests/lib/fake/control.c"

#define TOPIC  "11111111-1111-4111-8111-111111111111"
#define OTHER  "22222222-2222-4222-8222-222222222222"
#define NONE   "33333333-3333-4333-8333-333333333333"
#define MEMBER "c-00000000-0000-4000-8000-000000000001"

static struct fake_control *fake;
static struct uuid cluster, agent;

static void make_topic(const char *id, const char *name)
{
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE,
                          .cluster_id = cluster,
                          .topic_create = {.name = slice_str(name),
                                           .partitions = 4,
                                           .replication_factor = 1,
                                           .topics_max = 10,
                                           .partitions_max = 100}};
    assert_int_equal(uuid_parse(slice_str(id), &cmd.topic_create.topic_id), 0);
    fake_control_apply(fake, &cmd);
}

static int setup(void **state)
{
    (void)state;
    fake = fake_control_new();
    cluster = fake_control_cluster(fake, "first");
    agent = uuid_random();
    json_free(fake_agent_call(
        fake, &cluster, &agent, "/agent/v1/register",
        "{\"zone\":\"a\",\"rack\":\"\",\"host\":\"h\",\"port\":9092,\"http_url\":\"\","
        "\"version\":\"1\",\"state\":\"active\"}",
        200));
    make_topic(TOPIC, "orders");
    make_topic(OTHER, "bills");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* The ops, a list without its brackets, which were sent first at ASKED_AT_MS (0: it is
 * not said); the results as text. */
static const char *ask_late(const char *ops, int64_t asked_at_ms)
{
    static char text[65536];
    struct str body, out;

    str_init(&body, MIB);
    str_init(&out, sizeof(text));
    str_printf(&body, "{\"ops\":[%s]", ops);
    if (asked_at_ms > 0)
        str_printf(&body, ",\"asked_at_ms\":%lld", (long long)asked_at_ms);
    str_putc(&body, '}');
    struct json *answer =
        fake_agent_call(fake, &cluster, &agent, "/agent/v1/groups", str_cstr(&body), 200);
    assert_non_null(answer);
    json_print(json_find(answer, "results"), &out);
    snprintf(text, sizeof(text), "%s", str_cstr(&out));
    json_free(answer);
    str_fini(&body);
    str_fini(&out);
    return text;
}

static const char *ask(const char *ops)
{
    return ask_late(ops, 0);
}

#define assert_answer(ops, expected) assert_string_equal(ask(ops), expected)

#define COMMIT(group, parts)                                                             \
    "[\"commit\",\"" group "\",-1,\"\",null,[[\"" TOPIC "\",[" parts "]]],0]"
#define FETCH(group, parts)                                                              \
    "[\"fetch\",\"" group "\",null,-1,[[\"" TOPIC "\",[" parts "]]]]"
#define DELETE(group, parts)                                                             \
    "[\"offset_delete\",\"" group "\",[[\"" TOPIC "\",[" parts "]]]]"

static int status_of(const char *op)
{
    struct str body;
    struct fake_reply reply;

    str_init(&body, MIB);
    str_printf(&body, "{\"ops\":[%s]}", op);
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/groups",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = str_slice(&body)};
    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    int status = reply.status;
    fake_reply_free(&reply);
    str_fini(&body);
    return status;
}

/* What was committed is fetched, with epoch and text; all commits of a call are one
 * command. */
static void committed_is_fetched(void **state)
{
    (void)state;
    uint64_t before = fake->applied;
    assert_answer(COMMIT("a", "[0,5,2,\"text\"],[2,7,-1,null]") "," COMMIT(
                      "b", "[1,1,0,\"\"]") ",[\"commit\",\"b\",-1,\"\",null,[[\"" OTHER
                                           "\",[[3,9,0,null]]],[\"" TOPIC "\",[]]],1]",
                  "[[0,[]],[0,[]],[0,[]]]");
    assert_int_equal(fake->applied, before + 1);
    assert_answer(FETCH("a", "2,1,0"),
                  "[[0,[[\"" TOPIC "\",[[2,7,-1,\"\"],[0,5,2,\"text\"]]]]]]");
    assert_answer("[\"fetch\",\"b\",null,-1,null]",
                  "[[0,[[\"" TOPIC "\",[[1,1,0,\"\"]]],[\"" OTHER
                  "\",[[3,9,0,\"\"]]]]]]");
    assert_int_equal(fake->applied, before + 1); /* a fetch writes nothing */
}

/* Of a group, a topic, or a partition that is not there nothing was committed; a topic
 * asked for has a row all the same. */
static void nothing_is_no_error(void **state)
{
    (void)state;
    assert_answer(FETCH("g", "0,1"), "[[0,[[\"" TOPIC "\",[]]]]]");
    assert_answer("[\"fetch\",\"g\",null,-1,null]", "[[0,[]]]");
    assert_answer(COMMIT("g", "[0,5,0,null]"), "[[0,[]]]");
    assert_answer("[\"fetch\",\"g\",null,-1,[[\"" NONE "\",[0]],[\"" TOPIC "\",[9,0]]]]",
                  "[[0,[[\"" NONE "\",[]],[\"" TOPIC "\",[[0,5,0,\"\"]]]]]]");
}

/* Partitions come in any order, and twice: the last one counts, and errors stand in the
 * order of the op. */
static void any_order(void **state)
{
    (void)state;
    assert_answer(
        COMMIT("g", "[3,1,0,null],[9,1,0,null],[0,2,0,null],[3,3,0,null],[8,1,0,null]"),
        "[[0,[[0,3,0,0,3]]]]");
    assert_answer(FETCH("g", "0,3"),
                  "[[0,[[\"" TOPIC "\",[[0,2,0,\"\"],[3,3,0,\"\"]]]]]]");
    assert_answer("[\"commit\",\"g\",-1,\"\",null,[[\"" NONE
                  "\",[[0,1,0,null]]],[\"" TOPIC "\",[[1,1,0,null]]]],0]",
                  "[[0,[[100],[0]]]]");
}

/* An error of the group stands in front, and the other commits of the call go on. */
static void errors_of_groups(void **state)
{
    (void)state;
    assert_answer("[\"commit\",\"g\",3,\"m\",null,[[\"" TOPIC
                  "\",[[0,1,0,null]]],[\"" OTHER "\",[[0,1,0,null]]]],0],"
                  "[\"commit\",\"g\",3,\"m\",null,[[\"" TOPIC
                  "\",[[0,1,0,null]]]],1]," COMMIT("h", "[0,1,0,null]"),
                  "[[22,[]],[69,[]],[0,[]]]");
    assert_answer("[\"commit\",\"h\",-1,\"m\",null,[],0]", "[[0,[]]]");
    assert_answer("[\"offset_delete\",\"g\",[]]," DELETE("h", "0,1,1,0"),
                  "[[69,[]],[0,[]]]");
    assert_answer(FETCH("h", "0"), "[[0,[[\"" TOPIC "\",[]]]]]");
}

/* Ops of one call that concern the same group have their effect in their order, though
 * those of a kind are gathered: the last one is what stays, and a fetch sees it. */
static void order_within_a_call(void **state)
{
    (void)state;
    assert_answer(COMMIT("g", "[0,1,0,null]") "," DELETE("g", "0") "," COMMIT(
                      "g", "[0,2,0,null]") "," FETCH("g", "0"),
                  "[[0,[]],[0,[]],[0,[]],[0,[[\"" TOPIC "\",[[0,2,0,\"\"]]]]]]");
    assert_answer(COMMIT("g", "[0,3,0,null]") "," DELETE("g", "0") "," FETCH("g", "0"),
                  "[[0,[]],[0,[]],[0,[[\"" TOPIC "\",[]]]]]");
    assert_answer(COMMIT("g", "[0,3,0,null]") ",[\"delete\",\"g\"]", "[[0,[]],[0]]");
    assert_answer("[\"delete\",\"g\"]," COMMIT("g", "[0,4,0,null]"), "[[69],[0,[]]]");
    assert_answer(FETCH("g", "0"), "[[0,[[\"" TOPIC "\",[[0,4,0,\"\"]]]]]]");
}

static void pass(int64_t ms)
{
    struct coordinator *coordinator = fake->service.coordinator;
    const struct state *now_state = fake->service.node->state;
    int64_t now = loop_now_ms(fake->service.node->loop) + ms;
    struct command cmd;
    struct arena arena;

    coordinator_settle(coordinator, now_state, now - ms);
    arena_init(&arena, MIB);
    while (coordinator_next(coordinator, now_state, now, &arena, &cmd))
        fake_control_apply(fake, &cmd);
    arena_fini(&arena);
}

/* A member that commits and leaves in the same call has committed, however the two are
 * gathered. */
static void commit_then_leave(void **state)
{
    (void)state;
    ask("[\"join\",\"g\",\"\",null,\"c\",\"h\",10000,60000,\"consumer\","
        "[[\"range\",\"bQ==\"]],0,\"00000000-0000-4000-8000-000000000001\"]");
    pass(60000);
    ask("[\"sync\",\"g\",1,\"" MEMBER "\",null,null,null,[[\"" MEMBER "\",\"YTE=\"]]]");
    assert_answer("[\"commit\",\"g\",1,\"" MEMBER "\",null,[[\"" TOPIC
                  "\",[[0,8,0,null]]]],0],[\"leave\",\"g\",[[\"" MEMBER
                  "\",null,null]]],[\"commit\",\"g\",1,\"" MEMBER "\",null,[[\"" TOPIC
                  "\",[[0,9,0,null]]]],0]",
                  "[[0,[]],[0,[[\"" MEMBER "\",null,0]]],[25,[]]]");
    assert_answer(FETCH("g", "0"), "[[0,[[\"" TOPIC "\",[[0,8,0,\"\"]]]]]]");
}

/* What is no op of ours fails the call as a whole, and nothing of it is done. */
static void malformed(void **state)
{
    static const char *const ops[] = {
        "[\"commit\",\"g\",-1,\"\",null,[]]",
        "[\"commit\",\"g\",-1,null,null,[],0]",
        "[\"commit\",\"g\",4294967296,\"\",null,[],0]",
        "[\"commit\",\"g\",-1,\"\",null,[],2]",
        "[\"commit\",\"g\",-1,\"\",null,[[\"x\",[]]],0]",
        COMMIT("g", "[-1,0,0,null]"),
        COMMIT("g", "[0,\"0\",0,null]"),
        COMMIT("g", "[0,0,0]"),
        "[\"fetch\",\"g\",null,-1]",
        "[\"fetch\",\"g\",null,-1,[[\"" TOPIC "\"]]]",
        FETCH("g", "-1"),
        FETCH("g", "null"),
        DELETE("g", "2147483648"),
        "[\"offset_delete\",\"g\",null,1]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        assert_in_range(status_of(ops[i]), 400, 422);
    assert_answer(COMMIT("g", "[0,9223372036854775807,-2147483648,\"\\u0000\"]"),
                  "[[0,[]]]");
    assert_answer(FETCH("g", "0"),
                  "[[0,[[\"" TOPIC "\",[[0,9223372036854775807,-2147483648,\"\\u0000\"]]]"
                  "]]]");
}

/* A call that comes late, as a repeat does, does not put an offset back that another
 * agent has committed since; to itself it is no obstacle; and what says nothing is not
 * late. */
static void late_call(void **state)
{
    (void)state;
    int64_t asked_at_ms = fake->now_ms;
    assert_answer(COMMIT("g", "[0,10,0,null],[1,1,0,null]"), "[[0,[]]]");
    fake->now_ms += 100;
    assert_answer(COMMIT("g", "[0,20,0,null]"), "[[0,[]]]");
    fake->now_ms += 100;
    assert_string_equal(
        ask_late(COMMIT("g", "[0,10,0,null],[1,1,0,null]"), asked_at_ms - 1),
        "[[0,[[14,0]]]]");
    assert_answer(FETCH("g", "0,1"),
                  "[[0,[[\"" TOPIC "\",[[0,20,0,\"\"],[1,1,0,\"\"]]]]]]");
    assert_string_equal(ask_late(COMMIT("g", "[0,10,0,null]"), fake->now_ms - 1),
                        "[[0,[]]]");
    assert_answer(COMMIT("g", "[0,5,0,null]"), "[[0,[]]]");
}

/* A call that the log did not take changes nothing and says so; the agent repeats it. */
static void not_written(void **state)
{
    (void)state;
    fake->propose_code = ERR_UNAVAILABLE;
    assert_int_equal(status_of(COMMIT("g", "[0,1,0,null]")), 503);
    fake->propose_code = 0;
    assert_answer(FETCH("g", "0"), "[[0,[[\"" TOPIC "\",[]]]]]");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(committed_is_fetched),
        T(nothing_is_no_error),
        T(any_order),
        T(errors_of_groups),
        T(order_within_a_call),
        T(commit_then_leave),
        T(malformed),
        T(late_call),
        T(not_written),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
