/* test_lag.c - how far behind groups are, as a scrape shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/group_op.h"
#include "agent/lag.h"
#include "common/mem.h"
#include "tests/lib/fake_core_send.h"

#define TOPIC "00000000-0000-4000-8000-00000000000a"
#define GONE  "00000000-0000-4000-8000-00000000000b"
#define AGENT "00000000-0000-4000-8000-0000000000a1"
#define OTHER "00000000-0000-4000-8000-0000000000a2"

/* ---- groups.c's part: the test answers ---- */

static struct group_ask *asked; /* open */
static size_t ask_count;

void groups_ask(struct groups *groups, struct group_ask *ask)
{
    (void)groups;
    assert_null(asked);
    asked = ask;
    ask_count++;
    for (size_t i = 0; i < ask->op_count; i++)
        ask->ops[i].ask = ask;
}

/* ---- one test's world ---- */

struct world {
    struct loop *loop;
    struct meta *meta;
    struct lag *lag;
    struct str out;
};

static void load(struct world *w, bool two_agents)
{
    char text[1024];
    struct json *answer;
    snprintf(text, sizeof(text),
             "{\"cursor\":1,\"agents\":[[1,\"" AGENT
             "\",\"h\",1,\"z\",\"\",\"\",\"active\"]%s],"
             "\"topics\":[[\"" TOPIC "\",\"t\",2,1,{},1]]}",
             two_agents ? ",[2,\"" OTHER "\",\"h\",2,\"y\",\"\",\"\",\"active\"]" : "");
    assert_int_equal(json_parse(slice_str(text), &answer, NULL), 0);
    assert_int_equal(meta_load(w->meta, answer, NULL), 0);
    json_free(answer);
    meta_set_self(w->meta, 1);
    meta_publish(w->meta, 1);
}

static int setup(void **state)
{
    const struct uuid cluster = {{1}};
    struct world *w = mem_zalloc(sizeof(*w));
    w->loop = loop_new();
    w->meta = meta_new(&cluster);
    load(w, false);
    w->lag = lag_new(w->loop, NULL, w->meta);
    str_init(&w->out, MIB);
    asked = NULL;
    ask_count = 0;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_null(asked);
    lag_free(w->lag);
    meta_free(w->meta);
    loop_free(w->loop);
    str_fini(&w->out);
    mem_free(w);
    return 0;
}

/* Op I of the ask that is out is RESULT (JSON text), or failed. */
static void result(size_t i, const char *text)
{
    struct json *json;
    struct json_reader r = {0};
    struct group_op *op = &asked->ops[i];
    if (text == NULL) {
        op->kafka_error = 15;
        return;
    }
    assert_int_equal(json_parse(slice_str(text), &json, NULL), 0);
    assert_int_equal(op->read(op, &r, json), 0);
    assert_false(r.failed);
    json_free(json);
}

static void reply(struct world *w)
{
    struct group_ask *ask = asked;
    asked = NULL;
    ask_reply(&ask->ask);
    for (int i = 0; i < 3; i++)
        loop_run_once(w->loop, 0);
}

static const char *print(struct world *w)
{
    str_reset(&w->out);
    lag_print(w->lag, &w->out);
    return str_cstr(&w->out);
}

static void expect_op(size_t i, const char *text)
{
    assert_true(slice_eq_str(asked->ops[i].text, text));
}

/* ---- tests ---- */

/* A scrape asks; the next one shows. Labels are escaped; topics that are gone are not
 * shown; an offset of -1 means all there is. */
static void a_scrape_shows_what_the_one_before_asked(void **state)
{
    struct world *w = *state;
    assert_null(strchr(print(w), '{'));
    expect_op(0, "[\"list\",null,null]");
    result(0, "[0,[[\"g\\\"1\",\"consumer\",\"Stable\",\"classic\"],"
              "[\"g2\",\"\",\"Empty\",\"classic\"]]]");
    reply(w);
    assert_int_equal(asked->op_count, 2);
    expect_op(0, "[\"lag\",\"g\\\"1\",100]");
    expect_op(1, "[\"lag\",\"g2\",100]");
    result(0, "[0,[[\"" TOPIC "\",1,10,35,61234],[\"" GONE "\",0,0,9,1]]]");
    result(1, "[0,[[\"" TOPIC "\",0,-1,7,5]]]");
    reply(w);
    const char *text = print(w);
    assert_non_null(strstr(text, "# TYPE weft_agent_group_lag_records gauge\n"
                                 "weft_agent_group_lag_records{group=\"g\\\"1\","
                                 "topic=\"t\",partition=\"1\"} 25\n"
                                 "weft_agent_group_lag_records{group=\"g2\","
                                 "topic=\"t\",partition=\"0\"} 7\n# HELP"));
    assert_non_null(strstr(text, "weft_agent_group_lag_seconds{group=\"g\\\"1\","
                                 "topic=\"t\",partition=\"1\"} 61.234\n"
                                 "weft_agent_group_lag_seconds{group=\"g2\","
                                 "topic=\"t\",partition=\"0\"} 0.005\n"));
    assert_int_equal(ask_count, 2); /* the next round is not due yet */
}

/* However often somebody scrapes, one round is under way. */
static void one_round_at_a_time(void **state)
{
    struct world *w = *state;
    print(w);
    print(w);
    assert_int_equal(ask_count, 1);
    result(0, NULL);
    reply(w);
    assert_int_equal(ask_count, 1);
    assert_null(strchr(print(w), '{')); /* and begins another one */
    assert_int_equal(ask_count, 2);
    result(0, "[0,[]]");
    reply(w);
    reply(w);
}

/* Of two agents each asks for its own groups, so that each group is told of once. */
static void agents_share_the_groups(void **state)
{
    struct world *w = *state;
    char list[1024] = "[0,[";
    load(w, true);
    for (int i = 0; i < 20; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s[\"g%d\"]",
                 i == 0 ? "" : ",", i);
    snprintf(list + strlen(list), sizeof(list) - strlen(list), "]]");
    size_t own = 0;
    for (int32_t self = 1; self <= 2; self++) {
        struct lag *lag = lag_new(w->loop, NULL, w->meta);
        meta_set_self(w->meta, self);
        meta_publish(w->meta, 1 + self);
        lag_print(lag, &w->out);
        result(0, list);
        reply(w);
        assert_in_range(asked->op_count, 1, 19);
        own += asked->op_count;
        for (size_t i = 0; i < asked->op_count; i++)
            result(i, "[69,[]]");
        reply(w);
        lag_free(lag);
    }
    assert_int_equal(own, 20);
}

/* An agent that ends asks no more. */
static void who_ends_asks_no_more(void **state)
{
    struct world *w = *state;
    print(w);
    lag_stop(w->lag);
    result(0, "[0,[[\"g\"]]]");
    reply(w);
    assert_int_equal(ask_count, 1);
    assert_null(strchr(print(w), '{'));
    assert_int_equal(ask_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_scrape_shows_what_the_one_before_asked),
        TEST(one_round_at_a_time),
        TEST(agents_share_the_groups),
        TEST(who_ends_asks_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
