/* usage_report.c - one call every few seconds; rates and latencies are the difference to
 * the one before. */
#include "agent/usage_report.h"

#include <string.h>

#include "agent/metrics.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/store.h"
#include "proto/packed.h"
#include "proto/usage.h"

#define EVERY_MS 10000

/* What rates are made of: those of the report, and two in whole bytes beside them. */
enum counter {
    COUNTED_RATES = USAGE_RATES,
    COUNTED_PRODUCED_BYTES = COUNTED_RATES,
    COUNTED_FETCHED_BYTES,
    COUNTERS,
};

/* The histograms of the report. */
static const enum agent_metric_id latencies[USAGE_LATENCIES] = {
    [USAGE_PRODUCE] = AGENT_METRIC_produce_seconds,
    [USAGE_FETCH] = AGENT_METRIC_fetch_seconds,
    [USAGE_PUT] = AGENT_METRIC_put_seconds,
    [USAGE_GET] = AGENT_METRIC_get_seconds,
    [USAGE_COMMIT] = AGENT_METRIC_commit_seconds,
};

struct usage_report {
    struct usage_report_options options;
    struct ctl_call *call;
    struct loop_timer timer;
    int64_t incarnation; /* when this process began: grows with each start */
    /* as of the last report */
    int64_t sent_at_ms;
    int64_t counted[COUNTERS];
    uint64_t buckets[USAGE_LATENCIES][METRIC_BUCKETS + 1];
    bool drained, finishing;
    void (*done)(void *arg);
    void *done_arg;
};

/* All that rates are made of, as it stands now. */
static void read_counters(const struct store_counters *store, int64_t now[COUNTERS])
{
    now[COUNTED_PRODUCED_BYTES] = metric_value(agent_metric(produce_bytes_total));
    now[USAGE_PRODUCED_RECORDS] = metric_value(agent_metric(produce_records_total));
    now[USAGE_PRODUCE_REQUESTS] = metric_value(agent_metric(produce_requests_total));
    now[COUNTED_FETCHED_BYTES] = metric_value(agent_metric(fetch_bytes_total));
    now[USAGE_FETCHED_RECORDS] = metric_value(agent_metric(fetch_records_total));
    now[USAGE_FETCH_REQUESTS] = metric_value(agent_metric(fetch_requests_total));
    now[USAGE_STORE_ERRORS] = 0;
    for (int kind = 0; kind <= STORE_DELETE; kind++) {
        now[USAGE_STORE_FIRST + kind] = (int64_t)store->requests[kind];
        now[USAGE_STORE_ERRORS] += (int64_t)store->errors[kind];
    }
}

/* What grew by MORE in PASSED_MS, a second. */
static double rate(int64_t more, int64_t passed_ms)
{
    return passed_ms > 0 && more > 0 ? (double)more * 1000 / (double)passed_ms : 0;
}

static struct json *describe_store(const struct store_counters *store)
{
    struct json *value = json_object();

    for (size_t kind = 0; kind <= STORE_DELETE; kind++)
        json_set(value, store_kind_names[kind], json_int((int64_t)store->requests[kind]));
    json_set(value, "written_bytes", json_int((int64_t)store->bytes_written));
    json_set(value, "read_bytes", json_int((int64_t)store->bytes_read));
    return value;
}

static void describe_rates(struct usage_report *report, int64_t passed_ms,
                           const int64_t now[COUNTERS], struct json *body)
{
    struct json *rates = json_object();

    for (size_t i = 0; i < COUNTERS; i++) {
        double v = rate(now[i] - report->counted[i], passed_ms);
        if (i < COUNTED_RATES)
            json_set(rates, usage_rate_name((enum usage_rate)i), json_real(v));
        else
            json_set(body,
                     i == COUNTED_PRODUCED_BYTES ? "in_bytes_per_second"
                                                 : "out_bytes_per_second",
                     json_int((int64_t)v));
    }
    json_set(body, "rates", rates);
    memcpy(report->counted, now, sizeof(report->counted));
}

/* Of each histogram what came since the last report, a packed column of its buckets. */
static struct json *describe_latencies(struct usage_report *report)
{
    struct json *value = json_object();

    for (size_t i = 0; i < USAGE_LATENCIES; i++) {
        uint64_t now[METRIC_BUCKETS + 1];
        struct str column;
        str_init(&column, sizeof(now) * 2);
        metric_buckets(&agent_metrics[latencies[i]], now);
        for (size_t k = 0; k <= METRIC_BUCKETS; k++)
            packed_put(&column, (int64_t)(now[k] - report->buckets[i][k]));
        memcpy(report->buckets[i], now, sizeof(now));
        json_set(value, usage_latency_names[i], json_base64(str_slice(&column)));
        str_fini(&column);
    }
    return value;
}

static struct json *describe(struct usage_report *report)
{
    struct json *body = json_object();
    int64_t now_ms = loop_now_ms(report->options.loop);
    int64_t passed_ms = now_ms - report->sent_at_ms;
    struct store_counters store = {.retries = 0};
    int64_t now[COUNTERS];

    if (report->options.store != NULL)
        store_counters(report->options.store, &store);
    read_counters(&store, now);
    json_set(body, "incarnation", json_int(report->incarnation));
    json_set(body, "fetched_bytes", json_int(now[COUNTED_FETCHED_BYTES]));
    json_set(body, "fetched_records", json_int(now[USAGE_FETCHED_RECORDS]));
    json_set(body, "fetch_requests", json_int(now[USAGE_FETCH_REQUESTS]));
    json_set(body, "produce_requests", json_int(now[USAGE_PRODUCE_REQUESTS]));
    json_set(body, "store", describe_store(&store));
    describe_rates(report, passed_ms, now, body);
    json_set(body, "latencies", describe_latencies(report));
    json_set(body, "provider", json_string(report->options.provider));
    json_set(body, "region", json_string(report->options.region));
    json_set(body, "connections", json_int(metric_value(agent_metric(connections))));
    json_set(body, "final", json_bool(report->finishing));
    report->sent_at_ms = now_ms;
    return body;
}

static void on_answer(int code, const char *text, const struct json *answer, void *arg)
{
    struct usage_report *report = arg;
    struct err err;
    struct json_reader r = {.err = &err};
    (void)text; /* the next one says it all again */

    report->call = NULL;
    if (report->finishing) {
        report->done(report->done_arg);
        return;
    }
    loop_timer_set(&report->timer, EVERY_MS);
    if (code != 0)
        return;
    struct slice wanted = json_get_string(&r, answer, "wanted_state", 64);
    bool drained = slice_eq_str(wanted, "draining");
    if (r.failed || drained == report->drained)
        return;
    report->drained = drained;
    report->options.on_wanted(drained, report->options.arg);
}

static void send(struct usage_report *report, int64_t wait_ms)
{
    report->call =
        ctl_send(report->options.ctl, "/agent/v1/usage", describe(report),
                 loop_now_ms(report->options.loop) + wait_ms, on_answer, report);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    send(arg, EVERY_MS);
}

struct usage_report *usage_report_new(const struct usage_report_options *options)
{
    struct usage_report *report = mem_zalloc(sizeof(*report));
    report->options = *options;
    report->incarnation = clock_wall_ms();
    report->sent_at_ms = loop_now_ms(options->loop);
    loop_timer_init(&report->timer, options->loop, on_timer, report);
    return report;
}

void usage_report_free(struct usage_report *report)
{
    if (report == NULL)
        return;
    if (report->call != NULL)
        ctl_cancel(report->call);
    loop_timer_fini(&report->timer);
    mem_free(report);
}

void usage_report_start(struct usage_report *report)
{
    send(report, EVERY_MS);
}

void usage_report_finish(struct usage_report *report, int64_t wait_ms,
                         void (*done)(void *arg), void *arg)
{
    if (report->call != NULL)
        ctl_cancel(report->call);
    loop_timer_cancel(&report->timer);
    report->finishing = true;
    report->done = done;
    report->done_arg = arg;
    send(report, wait_ms);
}
