/* test_usage_report.c - what an agent tells of its use, and what it hears. The control
 * plane's client is this file's: ctl_send and ctl_cancel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/metrics.h"
#include "agent/usage_report.h"
#include "common/arena.h"
#include "common/str.h"
#include "proto/packed.h"

static struct loop *loop;
static struct usage_report *report;
static struct json *sent; /* the body under way */
static ctl_done_fn *sent_done;
static void *sent_arg;
static unsigned sends, cancels, wanted_calls, done_calls;
static bool wanted;

struct ctl_call *ctl_send(struct ctl *ctl, const char *path, struct json *body,
                          int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    (void)ctl;
    assert_string_equal(path, "/agent/v1/usage");
    assert_true(deadline_at_ms > loop_now_ms(loop));
    assert_null(sent);
    sent = body;
    sent_done = done;
    sent_arg = arg;
    sends++;
    return (struct ctl_call *)&sent;
}

static void drop_sent(void)
{
    json_free(sent);
    sent = NULL;
}

void ctl_cancel(struct ctl_call *call)
{
    assert_ptr_equal(call, &sent);
    drop_sent();
    cancels++;
}

static void on_wanted(bool drained, void *arg)
{
    assert_ptr_equal(arg, &wanted);
    wanted = drained;
    wanted_calls++;
}

static void on_done(void *arg)
{
    assert_ptr_equal(arg, &done_calls);
    done_calls++;
}

static int64_t number(const char *key)
{
    struct err err;
    struct json_reader r = {.err = &err};
    int64_t v = json_get_int(&r, sent, key, 0, INT64_MAX);
    assert_false(r.failed);
    return v;
}

static void answer(int code, const char *text)
{
    struct json *value = NULL;
    struct err err;
    if (text != NULL)
        assert_int_equal(json_parse(slice_str(text), &value, &err), 0);
    drop_sent();
    sent_done(code, "", value, sent_arg);
    json_free(value);
}

static int setup(void **state)
{
    (void)state;
    loop = loop_new();
    sends = cancels = wanted_calls = done_calls = 0;
    wanted = false;
    const struct usage_report_options options = {
        .loop = loop,
        .provider = "aws",
        .region = "eu-west-1",
        .on_wanted = on_wanted,
        .arg = &wanted,
    };
    report = usage_report_new(&options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    usage_report_free(report);
    assert_null(sent);
    loop_free(loop);
    return 0;
}

/* Counters are since the start and never fall, so that a report that failed changes
 * nothing: the next one says all of it. */
static void absolute(void **state)
{
    (void)state;
    int64_t before = metric_value(agent_metric(fetch_bytes_total));
    metric_add(agent_metric(fetch_bytes_total), 500);
    metric_add(agent_metric(fetch_records_total), 7);
    usage_report_start(report);
    assert_int_equal(number("fetched_bytes"), before + 500);
    assert_true(number("fetched_records") >= 7);
    assert_true(number("incarnation") > 0);
    int64_t incarnation = number("incarnation");
    answer(ERR_UNAVAILABLE, NULL);
    metric_add(agent_metric(fetch_bytes_total), 100);
    usage_report_finish(report, 1000, on_done, &done_calls);
    assert_int_equal(number("fetched_bytes"), before + 600);
    assert_int_equal(number("incarnation"), incarnation);
    answer(0, "{\"wanted_state\":\"active\"}");
    assert_int_equal(done_calls, 1);
}

/* A bucket of the histogram NAME, as the report under way tells it. */
static int64_t bucket(const char *name, size_t i)
{
    struct err err;
    struct json_reader r = {.err = &err};
    struct arena arena;
    struct reader column;
    int64_t v = -1;

    arena_init(&arena, 4096);
    struct slice bytes = json_as_base64(
        &r, json_get(&r, json_get(&r, sent, "latencies"), name), name, &arena);
    assert_false(r.failed);
    assert_int_equal(packed_count(bytes), METRIC_BUCKETS + 1);
    reader_init(&column, bytes);
    for (size_t k = 0; k <= i; k++)
        v = packed_get(&column);
    arena_fini(&arena);
    return v;
}

/* Latencies are told as what came since the report before, and with them who bills for
 * the store. */
static void since_the_last(void **state)
{
    (void)state;
    struct err err;
    struct json_reader r = {.err = &err};
    metric_observe(agent_metric(produce_seconds), 4);
    metric_observe(agent_metric(produce_seconds), 3);
    usage_report_start(report);
    assert_true(bucket("produce", 2) >= 2);
    assert_true(slice_eq_str(json_get_string(&r, sent, "provider", 64), "aws"));
    assert_true(slice_eq_str(json_get_string(&r, sent, "region", 64), "eu-west-1"));
    answer(0, "{\"wanted_state\":\"active\"}");
    metric_observe(agent_metric(produce_seconds), 4);
    usage_report_finish(report, 1000, on_done, &done_calls);
    assert_int_equal(bucket("produce", 2), 1);
    assert_int_equal(bucket("produce", 3), 0);
    answer(0, "{\"wanted_state\":\"active\"}");
}

/* What people want is told when it changes, and only then; an answer that makes no sense
 * changes nothing. */
static void drained(void **state)
{
    static const struct {
        const char *answer;
        unsigned calls;
        bool wanted;
    } steps[] = {
        {"{\"wanted_state\":\"active\"}", 0, false},
        {"{\"wanted_state\":\"draining\"}", 1, true},
        {"{\"wanted_state\":\"draining\"}", 1, true},
        {"{\"wanted_state\":5}", 1, true},
        {"{}", 1, true},
        {"{\"wanted_state\":\"active\"}", 2, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        usage_report_start(report);
        answer(0, steps[i].answer);
        assert_int_equal(wanted_calls, steps[i].calls);
        assert_int_equal(wanted, steps[i].wanted);
    }
}

/* The last report takes the place of one under way, says that it is the last, and ends
 * once, whatever the answer. */
static void last(void **state)
{
    (void)state;
    usage_report_start(report);
    usage_report_finish(report, 1000, on_done, &done_calls);
    assert_int_equal(cancels, 1);
    struct err err;
    struct json_reader r = {.err = &err};
    assert_true(json_get_bool(&r, sent, "final"));
    answer(ERR_TIMEOUT, NULL);
    assert_int_equal(done_calls, 1);
    assert_int_equal(sends, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absolute, setup, teardown),
        cmocka_unit_test_setup_teardown(since_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(drained, setup, teardown),
        cmocka_unit_test_setup_teardown(last, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
