/* usage_report.c - one call every few seconds; rates are the difference to the one
 * before.
 */
#include "agent/usage_report.h"

#include "agent/metrics.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

#define EVERY_MS 10000

struct usage_report {
    struct loop *loop;
    struct ctl *ctl;
    struct ctl_call *call;
    struct loop_timer timer;
    int64_t incarnation; /* when this process began: grows with each start */
    int64_t sent_at_ms, received_bytes, fetched_bytes; /* as of the last report */
    bool drained, finishing;
    void (*on_wanted)(bool drained, void *arg);
    void *on_wanted_arg;
    void (*done)(void *arg);
    void *done_arg;
};

/* What grew by MORE in PASSED_MS, a second. */
static int64_t rate(int64_t more, int64_t passed_ms)
{
    return passed_ms > 0 && more > 0 ? more * 1000 / passed_ms : 0;
}

static struct json *describe(struct usage_report *report)
{
    struct json *body = json_object();
    int64_t now_ms = loop_now_ms(report->loop);
    int64_t passed_ms = now_ms - report->sent_at_ms;
    int64_t received = metric_value(agent_metric(produce_bytes_total));
    int64_t fetched = metric_value(agent_metric(fetch_bytes_total));

    json_set(body, "incarnation", json_int(report->incarnation));
    json_set(body, "fetched_bytes", json_int(fetched));
    json_set(body, "fetched_records",
             json_int(metric_value(agent_metric(fetch_records_total))));
    json_set(body, "fetch_requests",
             json_int(metric_value(agent_metric(fetch_requests_total))));
    json_set(body, "produce_requests",
             json_int(metric_value(agent_metric(produce_requests_total))));
    json_set(body, "in_bytes_per_second",
             json_int(rate(received - report->received_bytes, passed_ms)));
    json_set(body, "out_bytes_per_second",
             json_int(rate(fetched - report->fetched_bytes, passed_ms)));
    json_set(body, "connections", json_int(metric_value(agent_metric(connections))));
    json_set(body, "final", json_bool(report->finishing));
    report->sent_at_ms = now_ms;
    report->received_bytes = received;
    report->fetched_bytes = fetched;
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
    report->on_wanted(drained, report->on_wanted_arg);
}

static void send(struct usage_report *report, int64_t wait_ms)
{
    report->call = ctl_send(report->ctl, "/agent/v1/usage", describe(report),
                            loop_now_ms(report->loop) + wait_ms, on_answer, report);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    send(arg, EVERY_MS);
}

struct usage_report *usage_report_new(struct loop *loop, struct ctl *ctl,
                                      void (*on_wanted)(bool drained, void *arg),
                                      void *arg)
{
    struct usage_report *report = mem_zalloc(sizeof(*report));
    report->loop = loop;
    report->ctl = ctl;
    report->incarnation = clock_wall_ms();
    report->sent_at_ms = loop_now_ms(loop);
    report->on_wanted = on_wanted;
    report->on_wanted_arg = arg;
    loop_timer_init(&report->timer, loop, on_timer, report);
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
