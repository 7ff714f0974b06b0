/* test_api_groups.c - /agent/v1/groups on the product's own state, without sockets: what
 * agents ask for their clients' groups. */
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
#include "tests/lib/state_driver.h"

static struct fake_control *fake;
static struct uuid cluster, agent, other_agent;
static struct uuid topic_id;

#define JOIN_ID "00000000-0000-4000-8000-00000000000"

static void register_agent(const struct uuid *id, int port)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"zone\":\"a\",\"rack\":\"\",\"host\":\"h\",\"port\":%d,\"http_url\":\"\","
             "\"version\":\"1\",\"state\":\"active\"}",
             port);
    json_free(fake_agent_call(fake, &cluster, id, "/agent/v1/register", body, 200));
}

static int setup(void **state)
{
    (void)state;
    fake = fake_control_new();
    cluster = fake_control_cluster(fake, "first");
    agent = uuid_random();
    other_agent = uuid_random();
    register_agent(&agent, 9092);
    register_agent(&other_agent, 9093);
    topic_id = uuid_random();
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE,
                          .cluster_id = cluster,
                          .topic_create = {.topic_id = topic_id,
                                           .name = SLICE_LITERAL("orders"),
                                           .partitions = 4,
                                           .replication_factor = 1,
                                           .topics_max = 10,
                                           .partitions_max = 100}};
    fake_control_apply(fake, &cmd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* --- helpers --- */

static struct json *last; /* the answer to the last call, freed by the next */

/* The ops, a list without its brackets; *RESULTS of the answer as text. */
static const char *ask_as(const struct uuid *who, const char *ops)
{
    static struct str text;
    struct str body;

    str_init(&body, 64 * MIB);
    str_printf(&body, "{\"ops\":[%s]}", ops);
    last = fake_agent_call(fake, &cluster, who, "/agent/v1/groups", str_cstr(&body), 200);
    str_fini(&body);
    assert_non_null(last);
    str_fini(&text);
    str_init(&text, 64 * MIB);
    json_print(json_find(last, "results"), &text);
    json_free(last);
    return str_cstr(&text);
}

static const char *ask(const char *ops)
{
    return ask_as(&agent, ops);
}

#define assert_answer(ops, expected) assert_string_equal(ask(ops), expected)

static int status_of(const char *body)
{
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/groups",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str(body)};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    int status = reply.status;
    fake_reply_free(&reply);
    return status;
}

/* Let the clock of the coordinator go on by MS, and apply what becomes due. */
static void pass(int64_t ms)
{
    struct coordinator *coordinator = fake->service.coordinator;
    const struct state *state = fake->service.node->state;
    int64_t now = loop_now_ms(fake->service.node->loop) + ms;
    struct command cmd;
    struct arena arena;

    coordinator_settle(coordinator, state, now - ms);
    arena_init(&arena, MIB);
    while (coordinator_next(coordinator, state, now, &arena, &cmd))
        fake_control_apply(fake, &cmd);
    arena_fini(&arena);
}

/* "range" with the metadata "m" (bQ==), new member ids as of before v4. */
#define JOIN(member, join_id)                                                            \
    "[\"join\",\"g\",\"" member "\",null,\"c\",\"/::1\",10000,60000,\"consumer\","       \
    "[[\"range\",\"bQ==\"]],0,\"" JOIN_ID join_id "\"]"
#define MEMBER(n) "c-" JOIN_ID n

/* A stable group "g" of MEMBER("1"), which leads, and MEMBER("2"). */
static void make_stable(void)
{
    ask(JOIN("", "1"));
    ask(JOIN("", "2"));
    pass(60000);
    ask("[\"sync\",\"g\",1,\"" MEMBER("1") "\",null,null,null,"
                                           "[[\"" MEMBER("1") "\",\"YTE=\"],[\"" MEMBER(
                                               "2") "\",\"YTI=\"]]]");
    ask("[\"sync\",\"g\",1,\"" MEMBER("2") "\",null,null,null,[]]");
}

/* --- classic groups --- */

/* A new member waits for the rebalance, then gets its generation: the leader with the
 * list of members, others without; any agent may ask. */
static void join_waits(void **state)
{
    (void)state;
    assert_answer(JOIN("", "1"), "[[\"wait\",\"" MEMBER("1") "\"]]");
    assert_answer(JOIN("", "2"), "[[\"wait\",\"" MEMBER("2") "\"]]");
    assert_answer("[\"poll_join\",\"g\",\"" MEMBER("1") "\",null]",
                  "[[\"wait\",\"" MEMBER("1") "\"]]");
    pass(60000);
    assert_string_equal(
        ask_as(&other_agent, "[\"poll_join\",\"g\",\"" MEMBER("1") "\",null]"),
        "[[0,1,\"consumer\",\"range\",\"" MEMBER("1") "\",\"" MEMBER(
            "1") "\",false,"
                 "[[\"" MEMBER("1") "\",null,\"bQ==\"],[\"" MEMBER(
                     "2") "\",null,\"bQ==\"]]]]");
    assert_answer("[\"poll_join\",\"g\",\"" MEMBER("2") "\",null]",
                  "[[0,1,\"consumer\",\"range\",\"" MEMBER("1") "\",\"" MEMBER(
                      "2") "\",false,[]]]");
}

/* A repeated call makes no second member: the id is of the join's own. */
static void join_repeated(void **state)
{
    (void)state;
    ask(JOIN("", "1"));
    assert_string_equal(ask_as(&other_agent, JOIN("", "1")),
                        "[[\"wait\",\"" MEMBER("1") "\"]]");
    pass(60000);
    assert_answer("[\"list\",null,null]",
                  "[[0,[[\"g\",\"consumer\",\"CompletingRebalance\",\"classic\"]]]]");
    const struct group *group = state_group(
        state_cluster(fake->service.node->state, &cluster), SLICE_LITERAL("g"));
    assert_int_equal(group->member_count, 1);
}

/* From v4 on the id is told first (79), and the same to a repeat; then it is accepted. */
static void join_known_id(void **state)
{
    static const char first[] =
        "[\"join\",\"g\",\"\",null,\"c\",\"/::1\",10000,60000,\"consumer\","
        "[[\"range\",\"bQ==\"]],1,\"" JOIN_ID "1\"]";
    static const char told[] = "[[79,-1,null,null,\"\",\"" MEMBER("1") "\",false,[]]]";
    (void)state;
    assert_answer(first, told);
    assert_answer(first, told);
    assert_answer(JOIN("c-" JOIN_ID "1", "9"), "[[\"wait\",\"" MEMBER("1") "\"]]");
}

/* Refusals are Kafka's: no group id, a session timeout out of bounds, no protocols, an
 * unknown member. */
static void join_refused(void **state)
{
    (void)state;
    assert_answer("[\"join\",\"\",\"\",null,\"c\",\"h\",10000,60000,\"consumer\","
                  "[[\"range\",\"\"]],0,\"" JOIN_ID "1\"]",
                  "[[24,-1,null,null,\"\",\"\",false,[]]]");
    assert_answer("[\"join\",\"g\",\"\",null,\"c\",\"h\",5999,60000,\"consumer\","
                  "[[\"range\",\"\"]],0,\"" JOIN_ID "1\"]",
                  "[[26,-1,null,null,\"\",\"\",false,[]]]");
    assert_answer("[\"join\",\"g\",\"\",null,\"c\",\"h\",10000,60000,\"consumer\",[],0,"
                  "\"" JOIN_ID "1\"]",
                  "[[23,-1,null,null,\"\",\"\",false,[]]]");
    assert_answer(JOIN("nobody", "1"), "[[25,-1,null,null,\"\",\"nobody\",false,[]]]");
}

/* The options bound groups and sessions. */
static void join_limits_of_options(void **state)
{
    (void)state;
    fake->options.group_max_size = 1;
    ask(JOIN("", "1"));
    assert_answer(JOIN("", "1"), "[[\"wait\",\"" MEMBER("1") "\"]]"); /* a repeat */
    assert_answer(JOIN("", "2"), "[[81,-1,null,null,\"\",\"\",false,[]]]");
    fake->options.group_max_size = 0;
    fake->options.group_max_session_ms = 9000;
    assert_answer(JOIN("", "3"), "[[26,-1,null,null,\"\",\"\",false,[]]]");
}

/* A follower's sync waits for the leader's; each gets its own bytes, and a poll repeats
 * the answer. */
static void sync_waits(void **state)
{
    (void)state;
    ask(JOIN("", "1"));
    ask(JOIN("", "2"));
    pass(60000);
    assert_answer("[\"sync\",\"g\",1,\"" MEMBER("2") "\",null,null,null,[]]",
                  "[[\"wait\"]]");
    assert_answer("[\"poll_sync\",\"g\",1,\"" MEMBER("2") "\",null]", "[[\"wait\"]]");
    assert_answer(
        "[\"sync\",\"g\",1,\"" MEMBER("1") "\",null,\"consumer\",\"range\","
                                           "[[\"" MEMBER("1") "\",\"YTE=\"],[\"" MEMBER(
                                               "2") "\",\"YTI=\"]]]",
        "[[0,\"consumer\",\"range\",\"YTE=\"]]");
    for (int i = 0; i < 2; i++)
        assert_string_equal(
            ask_as(&other_agent, "[\"poll_sync\",\"g\",1,\"" MEMBER("2") "\",null]"),
            "[[0,\"consumer\",\"range\",\"YTI=\"]]");
}

/* A heartbeat is answered from memory: nothing is written, and the session goes on. */
static void heartbeat_writes_nothing(void **state)
{
    (void)state;
    make_stable();
    uint64_t before = fake->applied;
    assert_answer("[\"heartbeat\",\"g\",1,\"" MEMBER(
                      "1") "\",null],"
                           "[\"heartbeat\",\"g\",1,\"" MEMBER(
                               "2") "\",null],"
                                    "[\"heartbeat\",\"g\",2,\"" MEMBER(
                                        "1") "\",null],"
                                             "[\"heartbeat\",\"g\",1,\"nobody\",null],"
                                             "[\"heartbeat\",\"none\",1,\"nobody\",null]",
                  "[[0],[0],[22],[25],[25]]");
    assert_int_equal(fake->applied, before);
}

/* Who is silent for its session timeout goes; a rebalance is told to the others' by 27.
 */
static void session_over(void **state)
{
    struct coordinator *coordinator;
    (void)state;
    make_stable();
    coordinator = fake->service.coordinator;
    int64_t now = loop_now_ms(fake->service.node->loop);
    coordinator_touch(coordinator, &cluster, SLICE_LITERAL("g"),
                      SLICE_LITERAL(MEMBER("1")), now + 5000);
    pass(10001);
    assert_answer("[\"heartbeat\",\"g\",1,\"" MEMBER(
                      "1") "\",null],"
                           "[\"heartbeat\",\"g\",1,\"" MEMBER("2") "\",null]",
                  "[[27],[25]]");
}

/* Ops on one group are done in order within a call: what comes behind a change sees it,
 * what stands before does not. */
static void ops_in_order(void **state)
{
    (void)state;
    make_stable();
    assert_answer(
        "[\"heartbeat\",\"g\",1,\"" MEMBER(
            "2") "\",null],"
                 "[\"leave\",\"g\",[[\"" MEMBER(
                     "2") "\",null,\"bye\"]]],"
                          "[\"heartbeat\",\"g\",1,\"" MEMBER(
                              "2") "\",null],"
                                   "[\"heartbeat\",\"g\",1,\"" MEMBER(
                                       "1") "\",null],"
                                            "[\"list\",null,null]",
        "[[0],[0,[[\"" MEMBER(
            "2") "\",null,0]]],[25],[27],"
                 "[0,[[\"g\",\"consumer\",\"PreparingRebalance\",\"classic\"]]]]");
}

/* All that a call changes, of many groups, is proposed before any of it is applied. */
static void many_groups_in_one_call(void **state)
{
    struct str ops, expected;
    (void)state;
    str_init(&ops, MIB);
    str_init(&expected, MIB);
    str_puts(&expected, "[");
    for (int i = 0; i < 100; i++) {
        str_printf(&ops,
                   "%s[\"join\",\"g%d\",\"\",null,\"c\",\"h\",10000,60000,\"connect\","
                   "[[\"x\",\"\"]],0,\"" JOIN_ID "1\"]",
                   i == 0 ? "" : ",", i);
        str_printf(&expected, "%s[\"wait\",\"" MEMBER("1") "\"]", i == 0 ? "" : ",");
    }
    str_puts(&expected, "]");
    assert_answer(str_cstr(&ops), str_cstr(&expected));
    str_fini(&ops);
    str_fini(&expected);
}

/* Leaving tells an error for each member, by id or by instance. */
static void leave_errors(void **state)
{
    (void)state;
    make_stable();
    assert_answer(
        "[\"leave\",\"g\",[[\"nobody\",null,null],[\"" MEMBER(
            "2") "\",null,null],[\"\",\"i\",null]]]",
        "[[0,[[\"nobody\",null,25],[\"" MEMBER("2") "\",null,0],[\"\",\"i\",25]]]]");
}

/* A static member that comes back takes its place without a rebalance, and whoever had it
 * is fenced. */
static void static_member_replaced(void **state)
{
#define STATIC(n)                                                                        \
    "[\"join\",\"g\",\"\",\"inst\",\"c\",\"h\",10000,60000,\"consumer\","                \
    "[[\"range\",\"bQ==\"]],2,\"" JOIN_ID n "\"]"
    (void)state;
    assert_answer(STATIC("1"), "[[\"wait\",\"inst-" JOIN_ID "1\"]]");
    pass(60000);
    ask("[\"sync\",\"g\",1,\"inst-" JOIN_ID "1\",\"inst\",null,null,"
        "[[\"inst-" JOIN_ID "1\",\"YTE=\"]]]");
    assert_answer(STATIC("2"),
                  "[[0,1,\"consumer\",\"range\",\"inst-" JOIN_ID "2\",\"inst-" JOIN_ID
                  "2\",true,[[\"inst-" JOIN_ID "2\",\"inst\",\"bQ==\"]]]]");
    assert_answer("[\"heartbeat\",\"g\",1,\"inst-" JOIN_ID "1\",\"inst\"],"
                  "[\"heartbeat\",\"g\",1,\"inst-" JOIN_ID "2\",\"inst\"],"
                  "[\"poll_join\",\"g\",\"inst-" JOIN_ID "1\",\"inst\"]",
                  "[[82],[0],[82,-1,null,null,\"\",\"inst-" JOIN_ID "1\",false,[]]]");
}

/* --- groups of KIP-848 --- */

#define CONSUMER(member, epoch, owned)                                                   \
    "[\"consumer\",\"k\",\"" member "\"," epoch ",null,null,\"c\",\"/::1\","             \
    "60000,"                                                                             \
    "[\"orders\"],null,null," owned "]"
#define BEAT(member, epoch)                                                              \
    "[\"consumer\",\"k\",\"" member "\"," epoch                                          \
    ",null,null,\"c\",\"/::1\",-1,null,null,null,null]"

static const char *topic_text(void)
{
    static char text[UUID_TEXT_LEN + 1];
    return uuid_print(&topic_id, text);
}

/* A member joins, is told its epoch, the heartbeat interval and what it has; heartbeats
 * after that change nothing, are answered from memory and write nothing. */
static void consumer_heartbeats(void **state)
{
    char expected[256];
    (void)state;
    snprintf(expected, sizeof(expected), "[[0,null,\"m\",1,5000,[[\"%s\",[0,1,2,3]]]]]",
             topic_text());
    assert_answer(CONSUMER("m", "0", "[]"), expected);
    uint64_t before = fake->applied;
    assert_answer(BEAT("m", "1") "," BEAT("m", "1"),
                  "[[0,null,\"m\",1,5000,null],[0,null,\"m\",1,5000,null]]");
    assert_int_equal(fake->applied, before);
}

/* Two members in one call: the second is judged after the first. */
static void consumer_two_at_once(void **state)
{
    (void)state;
    ask(CONSUMER("m", "0", "[]") "," CONSUMER("n", "0", "[]"));
    const struct group *group = state_group(
        state_cluster(fake->service.node->state, &cluster), SLICE_LITERAL("k"));
    assert_non_null(group);
    assert_int_equal(group->member_count, 2);
    assert_int_equal(group->kind, GROUP_CONSUMER);
}

/* Refusals are Kafka's, with a text: nothing to subscribe to (42), an unknown assignor
 * (112), a regular expression that is none (128), an epoch of the future (110), an
 * unknown member (25). */
static void consumer_refused(void **state)
{
    (void)state;
    ask(CONSUMER("m", "0", "[]"));
    static const struct {
        const char *op;
        int error;
    } cases[] = {
        {"[\"consumer\",\"k\",\"x\",0,null,null,\"c\",\"h\",60000,null,null,null,[]]",
         42},
        {"[\"consumer\",\"k\",\"x\",0,null,null,\"c\",\"h\",60000,[\"orders\"],null,"
         "\"none\",[]]",
         112},
        {"[\"consumer\",\"k\",\"x\",0,null,null,\"c\",\"h\",60000,null,\"(\",null,[]]",
         128},
        {BEAT("m", "7"), 110},
        {CONSUMER("m", "1", "[[\"00000000-0000-4000-8000-000000000001\",[-1]]]"), 42},
        {BEAT("nobody", "1"), 25},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char start[16];
        snprintf(start, sizeof(start), "[[%d,", cases[i].error);
        const char *answer = ask(cases[i].op);
        if (strncmp(answer, start, strlen(start)) != 0)
            fail_msg("%s: %s", cases[i].op, answer);
    }
}

/* A regular expression is resolved to the topics that there are. */
static void consumer_regex(void **state)
{
    char expected[256];
    (void)state;
    snprintf(expected, sizeof(expected), "[[0,null,\"m\",1,5000,[[\"%s\",[0,1,2,3]]]]]",
             topic_text());
    assert_answer("[\"consumer\",\"k\",\"m\",0,null,null,\"c\",\"h\",60000,null,"
                  "\"ord.*\",null,[]]",
                  expected);
}

/* A member that is silent for the session timeout goes; a heartbeat keeps it. */
static void consumer_session(void **state)
{
    (void)state;
    ask(CONSUMER("m", "0", "[]"));
    pass(44000);
    ask(BEAT("m", "1"));
    pass(46000);
    const struct group *group = state_group(
        state_cluster(fake->service.node->state, &cluster), SLICE_LITERAL("k"));
    assert_true(group == NULL || group->member_count == 0);
}

/* A consumer group is described with what each member has and shall have; it is no
 * classic one for the other call, and the other way. */
static void consumer_described(void **state)
{
    char expected[512];
    (void)state;
    ask(CONSUMER("m", "0", "[]"));
    snprintf(expected, sizeof(expected),
             "[[0,null,\"Stable\",1,1,\"uniform\",[[\"m\",null,null,1,\"c\",\"/::1\","
             "[\"orders\"],null,[[\"%s\",[0,1,2,3]]],[[\"%s\",[0,1,2,3]]],false]]]]",
             topic_text(), topic_text());
    assert_answer("[\"describe_consumer\",\"k\"]", expected);
    assert_answer("[\"describe\",\"k\"]",
                  "[[69,\"the group is no classic group\",\"consumer\",\"Stable\",\"\","
                  "\"\",[]]]");
    assert_answer("[\"list\",null,[\"consumer\"]]",
                  "[[0,[[\"k\",\"consumer\",\"Stable\",\"consumer\"]]]]");
    assert_answer("[\"describe_consumer\",\"none\"]",
                  "[[69,\"there is no such group\",\"Dead\",0,0,\"\",[]]]");
}

/* --- tools --- */

/* Groups are listed with type and state, filtered by either, without case. */
static void list_filters(void **state)
{
    (void)state;
    make_stable();
    ask("[\"join\",\"h\",\"\",null,\"c\",\"h\",10000,60000,\"connect\",[[\"x\",\"\"]],0,"
        "\"" JOIN_ID "1\"]");
    assert_answer("[\"list\",[\"stable\"],null]",
                  "[[0,[[\"g\",\"consumer\",\"Stable\",\"classic\"]]]]");
    assert_answer("[\"list\",[\"Empty\",\"PreparingRebalance\"],[\"CLASSIC\"]]",
                  "[[0,[[\"h\",\"connect\",\"PreparingRebalance\",\"classic\"]]]]");
    assert_answer("[\"list\",null,[\"consumer\"]]", "[[0,[]]]");
}

/* A group is described with its members; one that is not there is Dead, with 69. */
static void describe(void **state)
{
    (void)state;
    make_stable();
    assert_answer(
        "[\"describe\",\"g\"]",
        "[[0,null,\"classic\",\"Stable\",\"consumer\",\"range\","
        "[[\"" MEMBER("1") "\",null,\"c\",\"/::1\",\"bQ==\",\"YTE=\"],"
                           "[\"" MEMBER(
                               "2") "\",null,\"c\",\"/::1\",\"bQ==\",\"YTI=\"]]]]");
    assert_answer("[\"describe\",\"none\"]", "[[69,\"there is no such group\",\"none\","
                                             "\"Dead\",\"\",\"\",[]]]");
}

/* A group with members is not deleted (68), an unknown one neither (69). */
static void delete_group(void **state)
{
    (void)state;
    make_stable();
    assert_answer("[\"delete\",\"g\"],[\"delete\",\"none\"],[\"delete\",\"\"]",
                  "[[68],[69],[69]]");
    ask("[\"leave\",\"g\",[[\"" MEMBER("1") "\",null,null],[\"" MEMBER(
        "2") "\",null,null]]]");
    assert_answer("[\"delete\",\"g\"],[\"list\",null,null],[\"delete\",\"g\"]",
                  "[[0],[0,[]],[69]]");
}

/* --- offsets and lag --- */

#define COMMIT_TAIL ",0" /* flags */

/* What is committed is read back behind it in the same call, and told as lag: of a log
 * that is shorter there is none. */
static void commit_then_fetch(void **state)
{
    char ops[512], expected[512];
    (void)state;
    struct json *answer;
    snprintf(ops, sizeof(ops),
             "{\"ops\":[[\"fetch\",\"o\",null,-1,null],"
             "[\"commit\",\"o\",-1,\"\",null,[[\"%s\",[[1,7,-1,\"note\"]]]]%s],"
             "[\"fetch\",\"o\",null,-1,null],[\"lag\",\"o\",10]]}",
             topic_text(), COMMIT_TAIL);
    answer = fake_agent_call(fake, &cluster, &agent, "/agent/v1/groups", ops, 200);
    struct str text;
    str_init(&text, MIB);
    json_print(json_find(answer, "results"), &text);
    snprintf(expected, sizeof(expected),
             "[[0,[]],[0,[]],[0,[[\"%s\",[[1,7,-1,\"note\"]]]]],"
             "[0,[[\"%s\",1,7,0,0]]]]",
             topic_text(), topic_text());
    assert_string_equal(str_cstr(&text), expected);
    str_fini(&text);
    json_free(answer);
}

/* The partitions that lag most come first, in offsets and in time, no more than asked
 * for. */
static void lag(void **state)
{
    struct test_commit built;
    struct str payload;
    struct command cmd = {.kind = COMMAND_COMMIT};
    char expected[256];
    const struct test_batch batches[] = {
        {0, 0, 10, -1, 0, 0, fake->now_ms - 5000, 0},
        {0, 1, 30, -1, 0, 0, fake->now_ms - 9000, 0},
        {0, 2, 20, -1, 0, 0, fake->now_ms + 5000, 0},
    };
    char op[512];
    (void)state;
    struct uuid object = uuid_random();
    test_commit_init(&built, &object, fake->now_ms, &topic_id, 1, batches, 3);
    str_init(&payload, MIB);
    driver_commit_command(&built.commit, &payload, &cmd);
    cmd.cluster_id = cluster;
    fake_control_apply(fake, &cmd);
    str_fini(&payload);
    test_commit_fini(&built);
    snprintf(op, sizeof(op),
             "[\"commit\",\"o\",-1,\"\",null,[[\"%s\",[[0,4,-1,null],[1,10,-1,null],"
             "[2,0,-1,null],[3,0,-1,null]]]]%s]",
             topic_text(), COMMIT_TAIL);
    assert_answer(op, "[[0,[]]]");
    snprintf(expected, sizeof(expected),
             "[[0,[[\"%s\",1,10,30,9000],[\"%s\",2,0,20,0],[\"%s\",0,4,10,5000]]]]",
             topic_text(), topic_text(), topic_text());
    assert_answer("[\"lag\",\"o\",3]", expected);
    assert_answer("[\"lag\",\"none\",3],[\"lag\",\"o\",0]", "[[0,[]],[0,[]]]");
}

/* --- the watch --- */

/* Agents are told of each new state or generation of a classic group, not of each member
 * that comes, and of its end. */
static void watch_tells(void **state)
{
    struct str text;
    char body[64];
    (void)state;
    ask("[\"list\",null,null]"); /* what was before is sealed */
    uint64_t cursor = fake->applied;
    ask(JOIN("", "1"));
    ask(JOIN("", "2"));
    pass(60000);
    ask("[\"leave\",\"g\",[[\"" MEMBER("1") "\",null,null],[\"" MEMBER(
        "2") "\",null,null]]],[\"delete\",\"g\"]");
    snprintf(body, sizeof(body), "{\"after\":%llu,\"wait_ms\":0}",
             (unsigned long long)cursor);
    struct json *answer =
        fake_agent_call(fake, &cluster, &other_agent, "/agent/v1/watch", body, 200);
    str_init(&text, MIB);
    json_print(json_find(answer, "events"), &text);
    assert_string_equal(str_cstr(&text), "[[\"group\",\"g\",0,\"PreparingRebalance\"],"
                                         "[\"group\",\"g\",1,\"CompletingRebalance\"],"
                                         "[\"group\",\"g\",2,\"Empty\"],"
                                         "[\"group\",\"g\",2,\"Dead\"]]");
    str_fini(&text);
    json_free(answer);
}

/* --- bounds --- */

/* What is no op is refused as a whole; the agent has sent nonsense. */
static void malformed(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "{\"ops\":1}",
        "{\"ops\":[1]}",
        "{\"ops\":[[]]}",
        "{\"ops\":[[\"nonsense\",\"g\"]]}",
        "{\"ops\":[[\"heartbeat\",\"g\"]]}",
        "{\"ops\":[[\"heartbeat\",\"g\",\"1\",\"m\",null]]}",
        "{\"ops\":[[\"heartbeat\",1,1,\"m\",null]]}",
        "{\"ops\":[[\"heartbeat\",\"g\",4294967296,\"m\",null]]}",
        "{\"ops\":[[\"leave\",\"g\",[\"m\"]]]}",
        "{\"ops\":[[\"leave\",\"g\",{}]]}",
        "{\"ops\":[[\"list\",7,null]]}",
        "{\"ops\":[[\"join\",\"g\",\"\",null,\"c\",\"h\",1,1,\"t\",[[\"x\",\"?\"]],0,"
        "\"" JOIN_ID "1\"]]}",
        "{\"ops\":[[\"join\",\"g\",\"\",null,\"c\",\"h\",1,1,\"t\",[],0,\"x\"]]}",
        "{\"ops\":[[\"join\",\"g\",\"\",null,\"c\",\"h\",1,1,\"t\",3,0,"
        "\"" JOIN_ID "1\"]]}",
        "{\"ops\":[[\"sync\",\"g\",1,\"m\",null,null,null,[[\"m\"]]]]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(status_of(bodies[i]), i == 8 ? 422 : 400);
}

/* A call has no more than 4,096 ops; none is fine. */
static void too_many_ops(void **state)
{
    struct str body;
    (void)state;
    str_init(&body, MIB);
    str_puts(&body, "{\"ops\":[");
    for (int i = 0; i < 4097; i++)
        str_printf(&body, "%s[\"delete\",\"none\"]", i == 0 ? "" : ",");
    str_puts(&body, "]}");
    assert_int_equal(status_of(str_cstr(&body)), 413);
    str_fini(&body);
    assert_int_equal(status_of("{\"ops\":[]}"), 200);
}

/* Ids may hold every character, a NUL too, and come back as they were. */
static void any_name(void **state)
{
    (void)state;
    assert_answer("[\"join\",\"\\u0000/\\u00e9\\\"\",\"\",null,\"c\",\"h\",10000,60000,"
                  "\"t\",[[\"x\",\"\"]],0,\"" JOIN_ID "1\"]",
                  "[[\"wait\",\"" MEMBER("1") "\"]]");
    assert_answer("[\"list\",null,null]",
                  "[[0,[[\"\\u0000/\xc3\xa9\\\"\",\"t\",\"PreparingRebalance\","
                  "\"classic\"]]]]");
}

/* COUNT members of 3.5 MiB each of the group "g", in its first generation. */
static void make_large(int count)
{
    size_t metadata = 7 * MIB / 2;
    struct str op;
    for (int i = 1; i <= count; i++) {
        str_init(&op, 64 * MIB);
        str_puts(&op, "[\"join\",\"g\",\"\",null,\"c\",\"h\",10000,60000,\"consumer\","
                      "[[\"range\",\"");
        for (size_t j = 0; j < metadata / 3; j++)
            str_puts(&op, "AAAA");
        str_printf(&op, "\"]],0,\"" JOIN_ID "%x\"]", (unsigned)i);
        ask(str_cstr(&op));
        str_fini(&op);
    }
    pass(60000);
}

/* What the answer has no room for is asked for again; the first op always gets its. */
static void room_in_the_answer(void **state)
{
    (void)state;
    make_large(7);
    const char *answer = ask("[\"poll_join\",\"g\",\"" MEMBER(
        "1") "\",null],"
             "[\"poll_join\",\"g\",\"" MEMBER(
                 "1") "\",null],"
                      "[\"list\",null,null],[\"describe\",\"g\"]");
    size_t len = strlen(answer);
    assert_true(len > 7 * (7 * MIB / 2));
    assert_non_null(memmem(answer, len, ",[\"wait\",\"" MEMBER("1") "\"],[\"again\"],",
                           strlen(",[\"wait\",\"" MEMBER("1") "\"],[\"again\"],")));
}

/* A list that no answer can hold is refused by 15, rather than asked for for ever. */
static void no_room_at_all(void **state)
{
    static const char refused[] = "[[15,-1,null,null,\"\",\"" MEMBER("1") "\",false,[]]]";
    (void)state;
    make_large(12);
    assert_answer("[\"poll_join\",\"g\",\"" MEMBER("1") "\",null]", refused);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(join_waits),
        T(join_repeated),
        T(join_known_id),
        T(join_refused),
        T(join_limits_of_options),
        T(sync_waits),
        T(heartbeat_writes_nothing),
        T(session_over),
        T(ops_in_order),
        T(many_groups_in_one_call),
        T(leave_errors),
        T(static_member_replaced),
        T(consumer_heartbeats),
        T(consumer_two_at_once),
        T(consumer_refused),
        T(consumer_regex),
        T(consumer_session),
        T(consumer_described),
        T(list_filters),
        T(describe),
        T(delete_group),
        T(commit_then_fetch),
        T(lag),
        T(watch_tells),
        T(malformed),
        T(too_many_ops),
        T(any_name),
        T(room_in_the_answer),
        T(no_room_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
