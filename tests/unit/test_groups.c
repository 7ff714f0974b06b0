/* test_groups.c - ops of groups gathered into calls, and joins and syncs that wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/core.h"
#include "agent/ctl.h"
#include "agent/groups.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

#define UNKNOWN_SERVER  (-1)
#define NOT_AVAILABLE   15
#define NOT_COORDINATOR 16
#define CALLS_MAX       64

/* ---- the control plane ---- */

struct ctl_call {
    struct str body;
    ctl_done_fn *done;
    void *arg;
    bool open;
};

static struct ctl_call calls[CALLS_MAX]; /* all so far, in their order */
static size_t call_count;

struct ctl_call *ctl_send_text(struct ctl *ctl, const char *path, struct str *text,
                               int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    (void)ctl;
    assert_string_equal(path, "/agent/v1/groups");
    assert_int_equal(deadline_at_ms, 0);
    assert_true(call_count < CALLS_MAX);
    struct ctl_call *call = &calls[call_count++];
    *call = (struct ctl_call){.body = *text, .done = done, .arg = arg, .open = true};
    str_init(text, 0);
    return call;
}

static int64_t the_time;

int64_t ctl_now_ms(const struct ctl *ctl)
{
    (void)ctl;
    return the_time;
}

const char *ctl_request_id(const struct ctl_call *call)
{
    (void)call;
    return "fake-1";
}

void ctl_cancel(struct ctl_call *call)
{
    assert_true(call->open);
    call->open = false;
}

/* ---- one test's world ---- */

struct asked {
    struct group_ask ask;
    struct group_op op;
    struct arena arena;
    int answered;
    int64_t result; /* what `read` found */
};

struct world {
    struct loop *loop;
    struct mailbox replies;
    struct groups *groups;
    struct asked asked[16];
};

static void on_reply(struct message *message, void *arg)
{
    struct ask *ask = CONTAINER_OF(message, struct ask, message);
    struct asked *asked =
        CONTAINER_OF(CONTAINER_OF(ask, struct group_ask, ask), struct asked, ask);
    (void)arg;
    asked->answered++;
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    w->loop = loop_new();
    mailbox_init(&w->replies, w->loop, on_reply, w);
    w->groups = groups_new(w->loop, NULL);
    call_count = 0;
    the_time = 5000;
    *state = w;
    return 0;
}

static void run(struct world *w)
{
    for (int i = 0; i < 4; i++)
        loop_run_once(w->loop, 0);
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_true(groups_idle(w->groups));
    groups_free(w->groups);
    run(w);
    mailbox_fini(&w->replies);
    loop_free(w->loop);
    for (size_t i = 0; i < ARRAY_LEN(w->asked); i++) {
        if (w->asked[i].ask.ops != NULL)
            arena_fini(&w->asked[i].arena);
    }
    for (size_t i = 0; i < call_count; i++)
        str_fini(&calls[i].body);
    mem_free(w);
    return 0;
}

static int read_number(struct group_op *op, struct json_reader *r,
                       const struct json *result)
{
    struct asked *asked = op->own;
    asked->result = json_as_int(r, json_at(r, result, 0), "result", -1, 1000000);
    return 0;
}

static struct asked *ask_within(struct world *w, size_t i, enum group_op_kind kind,
                                const char *group, const char *text, int64_t wait_ms)
{
    struct asked *asked = &w->asked[i];
    if (asked->ask.ops != NULL)
        arena_fini(&asked->arena);
    *asked = (struct asked){0};
    arena_init(&asked->arena, MIB);
    asked->op.kind = kind;
    asked->op.group = slice_str(group);
    asked->op.text = slice_str(text);
    asked->op.values = 4;
    asked->op.read = read_number;
    asked->op.lazy = text[0] == 'h';
    asked->op.own = asked;
    asked->op.away_error = NOT_AVAILABLE;
    asked->op.moved_error = NOT_COORDINATOR;
    if (kind == GROUP_OP_SYNC) {
        asked->op.member = slice_str("m");
        asked->op.generation = 7;
    }
    asked->ask.ops = &asked->op;
    asked->ask.op_count = 1;
    asked->ask.deadline_at_ms = clock_monotonic_ms() + wait_ms;
    asked->ask.ask.reply_to = &w->replies;
    asked->ask.ask.arena = &asked->arena;
    groups_ask(w->groups, &asked->ask);
    return asked;
}

static struct asked *ask(struct world *w, size_t i, enum group_op_kind kind,
                         const char *group, const char *text)
{
    return ask_within(w, i, kind, group, text, 600000); /* no test waits for it */
}

/* Call I is on its way with these ops ({"ops":[...]}), which it says were sent first at
 * ASKED_AT_MS. */
static void expect_call_of(size_t i, const char *body, int64_t asked_at_ms)
{
    char text[4096];

    assert_true(i < call_count);
    assert_true(calls[i].open);
    snprintf(text, sizeof(text), "%.*s,\"asked_at_ms\":%lld}", (int)strlen(body) - 1,
             body, (long long)asked_at_ms);
    assert_string_equal(str_cstr(&calls[i].body), text);
}

static void expect_call(size_t i, const char *body)
{
    expect_call_of(i, body, the_time);
}

/* Answer call I: RESULTS as JSON text, or a CODE. */
static void answer_code(struct world *w, size_t i, int code, const char *results)
{
    char text[4096];
    struct json *answer = NULL;

    assert_true(calls[i].open);
    calls[i].open = false;
    if (code == 0) {
        snprintf(text, sizeof(text), "{\"now_ms\":1,\"cursor\":1,\"results\":%s}",
                 results);
        assert_int_equal(json_parse(slice_str(text), &answer, NULL), 0);
    }
    calls[i].done(code, code == 0 ? NULL : "no", answer, calls[i].arg);
    json_free(answer);
    run(w);
}

static void answer(struct world *w, size_t i, const char *results)
{
    answer_code(w, i, 0, results);
}

static void expect(const struct asked *asked, int16_t error, int64_t result)
{
    assert_int_equal(asked->answered, 1);
    assert_int_equal(asked->op.kafka_error, error);
    assert_int_equal(asked->result, result);
}

static void pass(struct world *w, int64_t ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    while (clock_monotonic_ms() < until)
        loop_run_once(w->loop, until - clock_monotonic_ms());
    run(w);
}

/* ---- gathering ---- */

/* An op of an idle lane leaves at the end of the tick, with those of the same tick; each
 * gets its own result. */
static void ops_of_a_tick_leave_together(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "[\"a\"]");
    struct asked *b = ask(w, 1, GROUP_OP_PLAIN, "g", "[\"b\"]");
    assert_int_equal(call_count, 0);
    run(w);
    assert_int_equal(call_count, 1);
    expect_call(0, "{\"ops\":[[\"a\"],[\"b\"]]}");
    answer(w, 0, "[[1],[2]]");
    expect(a, 0, 1);
    expect(b, 0, 2);
    assert_int_equal(call_count, 1);
}

/* What comes while a lane's call is on its way makes up the next one, in its order. */
static void a_lane_has_one_call_on_its_way(void **state)
{
    struct world *w = *state;
    ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    run(w);
    ask(w, 2, GROUP_OP_PLAIN, "g", "3");
    run(w);
    assert_int_equal(call_count, 1);
    answer(w, 0, "[[0]]");
    assert_int_equal(call_count, 2);
    expect_call(1, "{\"ops\":[2,3]}");
    answer(w, 1, "[[0],[0]]");
}

/* Groups are spread over a few lanes, so that one call in the way of a group is not in
 * the way of all. */
static void groups_are_spread_over_lanes(void **state)
{
    static const char *const names[] = {"g0", "g1", "g2", "g3",  "g4",  "g5",  "g6",
                                        "g7", "g8", "g9", "g10", "g11", "g12", "g13"};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        ask(w, i, GROUP_OP_PLAIN, names[i], "1");
    run(w);
    assert_true(call_count > 1 && call_count <= 4);
    groups_abandon(w->groups);
    run(w);
}

/* What only keeps members alive travels together whatever its group, and is in nobody's
 * way: not behind the calls of groups, and they not behind its. */
static void heartbeats_have_a_lane_of_their_own(void **state)
{
    struct world *w = *state;
    ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    for (size_t i = 1; i < 5; i++)
        ask(w, i, GROUP_OP_PLAIN, i % 2 == 0 ? "g" : "g7", "h");
    run(w);
    assert_int_equal(call_count, 2);
    expect_call(1, "{\"ops\":[h,h,h,h]}");
    answer(w, 0, "[[1]]");
    ask(w, 0, GROUP_OP_PLAIN, "g", "2");
    run(w);
    expect_call(2, "{\"ops\":[2]}");
    answer(w, 2, "[[1]]");
    answer(w, 1, "[[0],[0],[0],[0]]");
}

/* The first heartbeat leaves at once; those that come soon after a call are gathered for
 * 50 ms from its begin, and no longer. */
static void busy_heartbeats_are_gathered(void **state)
{
    struct world *w = *state;
    ask(w, 0, GROUP_OP_PLAIN, "g", "h0");
    run(w);
    answer(w, 0, "[[0]]");
    ask(w, 1, GROUP_OP_PLAIN, "g", "h1");
    run(w);
    ask(w, 2, GROUP_OP_PLAIN, "g2", "h2");
    run(w);
    assert_int_equal(call_count, 1);
    pass(w, 70);
    assert_int_equal(call_count, 2);
    expect_call(1, "{\"ops\":[h1,h2]}");
    answer(w, 1, "[[0],[0]]");
    pass(w, 60);
    ask(w, 3, GROUP_OP_PLAIN, "g", "h3");
    run(w);
    expect_call(2, "{\"ops\":[h3]}");
    answer(w, 2, "[[0]]");
}

/* An ask of several ops is answered when all of them are, each with its own error; one
 * that is refused already is not sent. */
static void an_ask_may_have_several_ops(void **state)
{
    struct world *w = *state;
    struct asked *a = &w->asked[0];
    struct group_op ops[3];

    ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    answer(w, 0, "[[5]]");
    for (size_t i = 0; i < 3; i++)
        ops[i] = a->op;
    ops[1].kafka_error = 24;
    a->ask.ops = ops;
    a->ask.op_count = 3;
    a->answered = 0;
    groups_ask(w->groups, &a->ask);
    run(w);
    expect_call(1, "{\"ops\":[1,1]}");
    answer(w, 1, "[[1],[\"x\"]]");
    assert_int_equal(a->answered, 1);
    assert_int_equal(ops[0].kafka_error, 0);
    assert_int_equal(ops[1].kafka_error, 24);
    assert_int_equal(ops[2].kafka_error, UNKNOWN_SERVER);
}

/* An ask of which nothing is to be sent is answered at once. */
static void an_ask_of_nothing_is_answered(void **state)
{
    struct world *w = *state;
    struct asked *a = &w->asked[0];
    a->ask.ask.reply_to = &w->replies;
    groups_ask(w->groups, &a->ask);
    run(w);
    assert_int_equal(a->answered, 1);
    assert_int_equal(call_count, 0);
}

/* A call holds no more bytes and no more JSON values than the control plane takes. */
static void calls_are_bounded(void **state)
{
    struct world *w = *state;
    char *large = mem_zalloc(3 * MIB + 1);
    memset(large, '1', 3 * MIB);
    for (size_t i = 0; i < 4; i++)
        ask(w, i, GROUP_OP_PLAIN, "g", large);
    run(w);
    assert_true(calls[0].body.len > 6 * MIB && calls[0].body.len < 8 * MIB);
    answer(w, 0, "[[0],[0]]");
    answer(w, 1, "[[0],[0]]");
    for (size_t i = 0; i < 3; i++)
        ask(w, i, GROUP_OP_PLAIN, "g", "1")->op.values = 100000;
    run(w);
    expect_call(2, "{\"ops\":[1,1]}");
    answer(w, 2, "[[0],[0]]");
    expect_call(3, "{\"ops\":[1]}");
    answer(w, 3, "[[0]]");
    mem_free(large);
}

/* More than may be queued is refused at once, retriably. */
static void the_queue_is_bounded(void **state)
{
    struct world *w = *state;
    char *large = mem_zalloc(30 * MIB + 1);
    memset(large, '1', 30 * MIB);
    ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    ask(w, 1, GROUP_OP_PLAIN, "g", large);
    ask(w, 2, GROUP_OP_PLAIN, "g", large);
    struct asked *over = ask(w, 3, GROUP_OP_PLAIN, "g", large);
    run(w);
    expect(over, NOT_AVAILABLE, 0);
    assert_int_equal(w->asked[1].answered, 0);
    groups_abandon(w->groups);
    run(w);
    mem_free(large);
}

/* One op that spoils its call does not spoil the others': each goes alone. */
static void a_refused_call_is_taken_apart(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    struct asked *b = ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    struct asked *c = ask(w, 2, GROUP_OP_PLAIN, "g", "3");
    run(w);
    answer_code(w, 0, ERR_INVALID, NULL);
    expect_call(1, "{\"ops\":[1]}");
    answer(w, 1, "[[1]]");
    expect_call(2, "{\"ops\":[2]}");
    answer_code(w, 2, ERR_INVALID, NULL);
    expect_call(3, "{\"ops\":[3]}");
    answer(w, 3, "[[3]]");
    expect(a, 0, 1);
    expect(b, UNKNOWN_SERVER, 0);
    expect(c, 0, 3);
}

/* A call that is refused for no op's sake is not taken apart: its clients try again. */
static void a_refusal_of_the_agent_is_everybodys(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    struct asked *b = ask(w, 1, GROUP_OP_JOIN, "g", "2");
    run(w);
    answer_code(w, 0, ERR_FORBIDDEN, NULL);
    expect(a, NOT_AVAILABLE, 0);
    expect(b, NOT_AVAILABLE, 0);
    assert_int_equal(call_count, 1);
}

/* What does not fit an answer is asked again. */
static void again_is_asked_again(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    answer(w, 0, "[[\"again\"]]");
    expect_call(1, "{\"ops\":[1]}");
    answer(w, 1, "[[9]]");
    expect(a, 0, 9);
}

/* An answer that makes no sense is an error of the server for the ops in it, no more. */
static void nonsense_is_an_error(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    answer(w, 0, "[[1],[2]]");
    expect(a, UNKNOWN_SERVER, 0);
    a = ask(w, 1, GROUP_OP_JOIN, "g", "1");
    run(w);
    answer(w, 1, "[[\"wait\"]]"); /* without a member */
    expect(a, UNKNOWN_SERVER, 0);
}

/* ---- deadlines ---- */

/* An op without an answer in time is answered, and the call is not repeated with it: the
 * others go on in another one. */
static void what_is_late_is_not_repeated(void **state)
{
    struct world *w = *state;
    struct asked *late = ask_within(w, 0, GROUP_OP_PLAIN, "g", "1", 100);
    struct asked *other = ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    run(w);
    struct asked *queued = ask_within(w, 2, GROUP_OP_PLAIN, "g", "3", 100);
    pass(w, 600);
    expect(late, NOT_AVAILABLE, 0);
    expect(queued, NOT_AVAILABLE, 0);
    assert_false(calls[0].open);
    expect_call(1, "{\"ops\":[2]}");
    answer(w, 1, "[[4]]");
    expect(other, 0, 4);
}

/* What is repeated says when it was sent first, and goes by itself: what came later is
 * asked for later. */
static void a_repeat_says_since_when(void **state)
{
    struct world *w = *state;
    ask_within(w, 0, GROUP_OP_PLAIN, "g", "1", 100);
    struct asked *other = ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    run(w);
    expect_call_of(0, "{\"ops\":[1,2]}", 5000);
    struct asked *later = ask(w, 2, GROUP_OP_PLAIN, "g", "3");
    the_time = 5700;
    pass(w, 600);
    expect_call_of(1, "{\"ops\":[2]}", 5000);
    answer(w, 1, "[[4]]");
    expect_call_of(2, "{\"ops\":[3]}", 5700);
    answer(w, 2, "[[5]]");
    expect(other, 0, 4);
    expect(later, 0, 5);
}

/* What is asked after an answer is not older than that, whatever the agent takes the
 * control plane's clock for; nor is what an answer bade to ask again. */
static void what_follows_an_answer_is_newer(void **state)
{
    struct world *w = *state;
    the_time = 0; /* far behind */
    ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    run(w);
    answer(w, 0, "[[\"again\"]]");
    expect_call_of(1, "{\"ops\":[1]}", 1); /* now_ms of the answer */
    answer(w, 1, "[[0]]");
    ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    run(w);
    expect_call_of(2, "{\"ops\":[2]}", 1);
    answer(w, 2, "[[0]]");
}

/* ---- waiting ---- */

/* A join that is told to wait is asked again, as the member it became, when its group
 * changes, and not when another does. */
static void a_join_waits_for_its_group(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_JOIN, "g\"1", "[\"join\"]");
    a->op.instance = slice_str("i");
    run(w);
    answer(w, 0, "[[\"wait\",\"m-1\"]]");
    assert_int_equal(a->answered, 0);
    groups_on_change(w->groups, slice_str("g2"));
    run(w);
    assert_int_equal(call_count, 1);
    groups_on_change(w->groups, slice_str("g\"1"));
    run(w);
    expect_call(1, "{\"ops\":[[\"poll_join\",\"g\\\"1\",\"m-1\",\"i\"]]}");
    answer(w, 1, "[[\"wait\",\"m-1\"]]");
    assert_int_equal(a->answered, 0);
    groups_on_change(w->groups, slice_str("g\"1"));
    run(w);
    answer(w, 2, "[[3]]");
    expect(a, 0, 3);
}

/* A sync is asked again with its generation and member. */
static void a_sync_waits_for_its_group(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "[\"sync\"]");
    run(w);
    answer(w, 0, "[[\"wait\"]]");
    groups_on_change(w->groups, slice_str("g"));
    run(w);
    expect_call(1, "{\"ops\":[[\"poll_sync\",\"g\",7,\"m\",null]]}");
    answer(w, 1, "[[0]]");
    expect(a, 0, 0);
}

/* News that comes while the question is on its way may be newer than its answer: then it
 * is asked once more, at once. */
static void news_during_a_call_is_not_lost(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "[\"sync\"]");
    run(w);
    groups_on_change(w->groups, slice_str("g"));
    answer(w, 0, "[[\"wait\"]]");
    assert_int_equal(call_count, 2);
    answer(w, 1, "[[\"wait\"]]");
    assert_int_equal(call_count, 2);
    groups_on_reset(w->groups);
    run(w);
    answer(w, 2, "[[2]]");
    expect(a, 0, 2);
}

/* A watch that begins afresh may have missed anything: all who wait ask. */
static void a_reset_wakes_all(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "1");
    struct asked *b = ask(w, 1, GROUP_OP_JOIN, "g", "2");
    run(w);
    answer(w, 0, "[[\"wait\"],[\"wait\",\"x\"]]");
    groups_on_reset(w->groups);
    run(w);
    answer(w, 1, "[[1],[2]]");
    expect(a, 0, 1);
    expect(b, 0, 2);
}

/* In case that news is lost, who waits asks every 3 seconds. */
static void who_waits_asks_in_the_end(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "1");
    run(w);
    answer(w, 0, "[[\"wait\"]]");
    pass(w, 2500);
    assert_int_equal(call_count, 1);
    pass(w, 1000);
    assert_int_equal(call_count, 2);
    answer(w, 1, "[[1]]");
    expect(a, 0, 1);
}

/* ---- clients that go ---- */

/* Whoever waits and has no client any more is answered at once, also while asked again;
 * an answer that comes for it later is nobody's. */
static void a_parked_ask_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "1");
    struct asked *b = ask(w, 1, GROUP_OP_SYNC, "g", "2");
    run(w);
    answer(w, 0, "[[\"wait\"],[\"wait\"]]");
    groups_cancel(w->groups, &a->ask);
    run(w);
    expect(a, NOT_COORDINATOR, 0);
    groups_on_change(w->groups, slice_str("g"));
    run(w);
    groups_cancel(w->groups, &b->ask);
    run(w);
    expect(b, NOT_COORDINATOR, 0);
    answer(w, 1, "[[5]]");
    expect(b, NOT_COORDINATOR, 0);
}

/* The first question is carried out though its client went: it was asked. */
static void what_was_asked_is_carried_out(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_PLAIN, "g", "1");
    struct asked *b = ask(w, 1, GROUP_OP_SYNC, "g", "2");
    groups_cancel(w->groups, &a->ask);
    groups_cancel(w->groups, &b->ask);
    run(w);
    expect_call(0, "{\"ops\":[1,2]}");
    answer(w, 0, "[[1],[\"wait\"]]");
    expect(a, 0, 1);
    expect(b, NOT_COORDINATOR, 0);
    groups_cancel(w->groups, &a->ask); /* too late: nothing */
}

/* A member that joined without an id and whose client went before it was told one would
 * hold up its group: it leaves. */
static void a_nameless_member_leaves(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_JOIN, "g", "1");
    a->op.nameless = true;
    run(w);
    answer(w, 0, "[[\"wait\",\"m-1\"]]");
    groups_cancel(w->groups, &a->ask);
    run(w);
    expect(a, NOT_COORDINATOR, 0);
    expect_call(1, "{\"ops\":[[\"leave\",\"g\",[[\"m-1\",null,null]]]]}");
    assert_false(groups_idle(w->groups));
    answer(w, 1, "[[0,[[\"m-1\",null,0]]]]");
    assert_true(groups_idle(w->groups));
}

/* ---- the end ---- */

/* An agent that drains answers who waits, and who would wait, with NOT_COORDINATOR, and
 * goes on with the rest. */
static void nobody_waits_in_a_drain(void **state)
{
    struct world *w = *state;
    struct asked *a = ask(w, 0, GROUP_OP_SYNC, "g", "1");
    run(w);
    answer(w, 0, "[[\"wait\"]]");
    struct asked *b = ask(w, 1, GROUP_OP_JOIN, "g", "2");
    struct asked *c = ask(w, 2, GROUP_OP_PLAIN, "g", "3");
    run(w);
    groups_drain(w->groups);
    run(w);
    expect(a, NOT_COORDINATOR, 0);
    answer(w, 1, "[[\"wait\",\"m\"],[6]]");
    expect(b, NOT_COORDINATOR, 0);
    expect(c, 0, 6);
}

/* The end answers everything, and what comes after it. */
static void abandon_answers_all(void **state)
{
    struct world *w = *state;
    struct asked *parked = ask(w, 0, GROUP_OP_JOIN, "g", "1");
    parked->op.nameless = true;
    run(w);
    answer(w, 0, "[[\"wait\",\"m\"]]");
    struct asked *sent = ask(w, 1, GROUP_OP_PLAIN, "g", "2");
    run(w);
    struct asked *queued = ask(w, 2, GROUP_OP_PLAIN, "g", "3");
    groups_abandon(w->groups);
    struct asked *after = ask(w, 3, GROUP_OP_PLAIN, "g", "4");
    run(w);
    expect(parked, NOT_COORDINATOR, 0);
    expect(sent, NOT_COORDINATOR, 0);
    expect(queued, NOT_COORDINATOR, 0);
    expect(after, NOT_COORDINATOR, 0);
    assert_false(calls[1].open);
    assert_int_equal(call_count, 2);
}

/* ---- anything at any time ---- */

static uint64_t seed;

static size_t any(size_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % below;
}

static void answer_any_call(struct world *w)
{
    static const char *const results[] = {"[1]", "[\"again\"]", "[\"wait\",\"m\"]",
                                          "[\"wait\",\"m\"]"};
    char text[2048] = "[";
    struct json *body;
    struct json_reader r = {0};
    size_t i = any(call_count);

    if (!calls[i].open)
        return;
    if (any(8) == 0) {
        answer_code(w, i, ERR_INVALID, NULL);
        return;
    }
    for (char *h = calls[i].body.data; (h = strchr(h, 'h')) != NULL;)
        *h = '1'; /* to be JSON */
    assert_int_equal(json_parse(str_slice(&calls[i].body), &body, NULL), 0);
    size_t count = json_count(json_get_array(&r, body, "ops"));
    for (size_t k = 0; k < count; k++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                 k == 0 ? "" : ",", results[any(ARRAY_LEN(results))]);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "]");
    json_free(body);
    answer(w, i, text);
}

static void do_anything(struct world *w, size_t *asked)
{
    static const char *const names[] = {"g1", "g2", "g3", "g4", "g5"};
    const char *name = names[any(ARRAY_LEN(names))];
    size_t i = any(ARRAY_LEN(w->asked));
    bool open = w->asked[i].ask.ops != NULL && w->asked[i].answered == 0;

    switch (any(8)) {
    case 0:
    case 1:
        if (open || call_count + 8 >= CALLS_MAX)
            break;
        w->asked[i].answered = 0;
        if (any(4) == 0)
            ask(w, i, GROUP_OP_PLAIN, name, "h");
        else
            ask(w, i, (enum group_op_kind)any(3), name, "[1]")->op.nameless = any(2) == 0;
        ++*asked;
        break;
    case 2:
        if (open)
            groups_cancel(w->groups, &w->asked[i].ask);
        break;
    case 3:
        groups_on_change(w->groups, slice_str(name));
        break;
    case 4:
        if (any(10) == 0)
            groups_on_reset(w->groups);
        break;
    case 5:
        run(w);
        break;
    default:
        if (call_count > 0 && call_count + 8 < CALLS_MAX)
            answer_any_call(w);
    }
}

/* Whatever happens in whatever order, each ask is answered once, and nothing is left. */
static void each_ask_is_answered_once(void **state)
{
    size_t asked = 0;
    for (uint64_t first = 1; first <= 200; first++) {
        struct world *w = *state;
        seed = first;
        for (int step = 0; step < 300; step++)
            do_anything(w, &asked);
        if (first % 3 == 0)
            groups_drain(w->groups);
        groups_abandon(w->groups);
        run(w);
        for (size_t i = 0; i < ARRAY_LEN(w->asked); i++)
            assert_int_equal(w->asked[i].answered, w->asked[i].ask.ops != NULL);
        teardown(state);
        setup(state);
    }
    assert_true(asked > 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ops_of_a_tick_leave_together),
        TEST(a_lane_has_one_call_on_its_way),
        TEST(groups_are_spread_over_lanes),
        TEST(heartbeats_have_a_lane_of_their_own),
        TEST(busy_heartbeats_are_gathered),
        TEST(an_ask_may_have_several_ops),
        TEST(an_ask_of_nothing_is_answered),
        TEST(calls_are_bounded),
        TEST(the_queue_is_bounded),
        TEST(a_refused_call_is_taken_apart),
        TEST(a_refusal_of_the_agent_is_everybodys),
        TEST(again_is_asked_again),
        TEST(nonsense_is_an_error),
        TEST(what_is_late_is_not_repeated),
        TEST(a_repeat_says_since_when),
        TEST(what_follows_an_answer_is_newer),
        TEST(a_join_waits_for_its_group),
        TEST(a_sync_waits_for_its_group),
        TEST(news_during_a_call_is_not_lost),
        TEST(a_reset_wakes_all),
        TEST(who_waits_asks_in_the_end),
        TEST(a_parked_ask_can_be_cancelled),
        TEST(what_was_asked_is_carried_out),
        TEST(a_nameless_member_leaves),
        TEST(nobody_waits_in_a_drain),
        TEST(abandon_answers_all),
        TEST(each_ask_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
