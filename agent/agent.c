/* agent.c - start, drain and stop the parts in order.
 *
 * The main thread and the core thread tell each other by messages; everything in struct
 * agent below "core thread" is touched by that thread only, until it is gone. */
#include "agent/agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/address.h"
#include "agent/admin.h"
#include "agent/client_thread.h"
#include "agent/core.h"
#include "agent/ctl.h"
#include "agent/memory_limit.h"
#include "agent/meta.h"
#include "agent/metrics.h"
#include "agent/store_check.h"
#include "agent/usage_report.h"
#include "common/block.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/json.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/prices.h"
#include "common/process_metrics.h"
#include "common/store.h"
#include "common/version.h"

/* How often the core thread looks whether draining is done. */
#define DRAIN_POLL_MS 2
/* The farewell to the control plane, and what is cancelled, may take so long. */
#define LEAVE_MS  1000
#define REPORT_MS 1000
#define QUIET_MS  3000
/* Shares of the memory budget. */
#define CACHE_SHARE 2
#define TAIL_SHARE  16

enum message_type {
    TO_CORE_START,
    TO_CORE_DRAIN,
    TO_CORE_FINISH,
    TO_MAIN_FAILED,
    TO_MAIN_DRAINED,
    TO_MAIN_GONE,
};

struct agent {
    const struct agent_options *options;
    struct budget budget;
    struct store *store;
    struct price price; /* of what the store is asked */
    struct loop_thread core_thread;
    struct mailbox to_core;
    struct message start, drain, finish;
    int64_t started_at_us;
    /* main thread */
    struct loop *loop;
    struct mailbox to_main;
    struct message failed, drained, gone;
    unsigned signals;
    bool ending;
    int status;
    char failure[2048]; /* written before `failed` is sent */
    /* core thread */
    struct ctl *ctl;
    struct store_check *check;
    bool store_good, enrolled;
    struct usage_report *report; /* once registered */
    struct core *core;
    struct front *front;
    struct admin *admin;
    struct address advertised;
    bool ready, draining, finishing;
    bool wanted_drained; /* by people */
    int64_t give_up_at_ms;
    struct loop_timer timer; /* the drain's, then the end's */
};

static void tell_main(struct agent *agent, struct message *message, int type)
{
    message->type = type;
    mailbox_send(&agent->to_main, message);
}

static void tell_core(struct agent *agent, struct message *message, int type)
{
    message->type = type;
    mailbox_send(&agent->to_core, message);
}

/* ---- core thread: start ---- */

/* The first reason is told; another may come while that one is on its way. */
static void fail(struct agent *agent, const char *text)
{
    if (agent->failure[0] != '\0')
        return;
    snprintf(agent->failure, sizeof(agent->failure), "%s", text);
    tell_main(agent, &agent->failed, TO_MAIN_FAILED);
}

static const char *store_why(const struct agent *agent)
{
    const char *why = store_check_why(agent->check);
    return why[0] == '\0' ? "waiting for the object store" : why;
}

/* Why clients should not come here, or NULL. */
static const char *not_ready(const struct agent *agent)
{
    return agent->draining   ? "draining"
           : agent->ready    ? NULL
           : agent->core     ? "loading the metadata"
           : agent->enrolled ? store_why(agent)
                             : "waiting for the control plane";
}

static void print_metrics(struct agent *agent, struct str *body)
{
    metric_set(agent_metric(ready), not_ready(agent) == NULL);
    metric_set(agent_metric(draining), agent->draining || agent->wanted_drained);
    if (agent->core != NULL)
        core_update_metrics(agent->core);
    metric_print_head(agent_family(build_info), body);
    metric_print_int(agent_family(build_info), "version=\"" WEFT_VERSION "\"", 1, body);
    metric_print(agent_metric_specs, agent_metrics, AGENT_METRIC_COUNT, body);
    if (agent->core != NULL)
        core_print_metrics(agent->core, body);
    if (agent->front != NULL)
        front_print_metrics(agent->front, body);
    process_metrics_print(body);
}

/* They name clients and topics, so they are not for whoever reaches the port. */
static int serve_logs(bool local, struct str *body)
{
    if (local)
        log_recent(body);
    else
        str_puts(body, "the log is shown to who asks from this machine, or through "
                       "kubectl port-forward\n");
    return local ? 200 : 403;
}

static int serve_admin(const char *path, bool local, struct str *body, void *arg)
{
    struct agent *agent = arg;

    if (strcmp(path, "/healthz") == 0) {
        str_puts(body, "ok\n");
        return 200;
    }
    if (strcmp(path, "/readyz") == 0) {
        const char *why = not_ready(agent);
        str_printf(body, "%s\n", why == NULL ? "ready" : why);
        return why == NULL ? 200 : 503;
    }
    if (strcmp(path, "/metrics") == 0) {
        print_metrics(agent, body);
        return 200;
    }
    if (strcmp(path, "/logs") == 0)
        return serve_logs(local, body);
    return 404;
}

static void on_ready(void *arg)
{
    struct agent *agent = arg;
    agent->ready = true;
    log_info("agent", "ready", "node_id=%d listen=%s:%d admin_port=%d after_ms=%.1f",
             ctl_session(agent->ctl)->node_id, agent->advertised.host,
             agent->advertised.port, agent->admin == NULL ? 0 : admin_port(agent->admin),
             (double)(clock_monotonic_us() - agent->started_at_us) / 1000.0);
    notify_ready();
}

static struct json *describe(const struct agent *agent, const char *state);

/* An admin wants this agent drained, or back: clients are told to go elsewhere, who stays
 * is served. Only SIGTERM ends it. */
static void on_wanted(bool drained, void *arg)
{
    struct agent *agent = arg;
    agent->wanted_drained = drained;
    if (agent->draining)
        return;
    log_info("agent", drained ? "an admin wants it drained" : "an admin wants it back",
             "");
    ctl_register(agent->ctl, describe(agent, drained ? "draining" : "active"), NULL,
                 NULL);
}

static void on_registered(int code, const char *text, void *arg)
{
    struct agent *agent = arg;
    char sentence[1024];
    if (code != 0) {
        snprintf(sentence, sizeof(sentence),
                 "the control plane does not let this agent join: %s", text);
        fail(agent, sentence);
        return;
    }
    core_start(agent->core, on_ready, agent);
    const struct usage_report_options options = {
        .loop = agent->core_thread.loop,
        .ctl = agent->ctl,
        .store = agent->store,
        .provider = agent->price.provider,
        .region = agent->price.region,
        .on_wanted = on_wanted,
        .arg = agent,
    };
    agent->report = usage_report_new(&options);
    usage_report_start(agent->report);
}

/* What the cluster is told of this agent. */
static struct json *describe(const struct agent *agent, const char *state)
{
    struct json *body = json_object();
    json_set(body, "zone", json_string(agent->options->zone));
    json_set(body, "rack", json_string(agent->options->zone));
    json_set(body, "host", json_string(agent->advertised.host));
    json_set(body, "port", json_int(agent->advertised.port));
    json_set(body, "http_url", json_string(""));
    json_set(body, "version", json_string(WEFT_VERSION));
    json_set(body, "state", json_string(state));
    return body;
}

static void make_core(struct agent *agent)
{
    const struct agent_options *o = agent->options;
    const struct core_options options = {
        .loop = agent->core_thread.loop,
        .ctl = agent->ctl,
        .store = agent->store,
        .budget = &agent->budget,
        .flush_bytes = o->flush_bytes,
        .flush_interval_ms = o->flush_interval_ms,
        .log_level = o->log_level,
        .max_uploads = o->max_uploads,
        .max_objects = o->max_objects,
        .upload_timeout_ms = o->upload_timeout_ms,
        .hedge_after_ms = o->hedge_after_ms,
        .cache_bytes = agent->budget.limit_bytes / CACHE_SHARE,
        .tail_bytes = agent->budget.limit_bytes / TAIL_SHARE,
        .metrics_topics = (size_t)o->metrics_topics,
        .price = agent->price,
    };
    agent->core = core_new(&options);
}

static int make_front(struct agent *agent, struct err *err)
{
    const struct agent_options *o = agent->options;
    const struct front_options options = {
        .listen = o->listen,
        .threads = (size_t)o->client_threads,
        .max_connections = (size_t)o->max_connections,
        .max_request_bytes = (size_t)o->max_request_bytes,
        .connection_max_requests = (size_t)o->connection_max_requests,
        .connection_max_bytes = (size_t)o->connection_max_bytes,
        .idle_timeout_ms = o->idle_timeout_ms,
        .frame_timeout_ms = o->request_timeout_ms,
        .write_timeout_ms = o->write_timeout_ms,
        .fetch_max_bytes = o->fetch_max_bytes,
        .auto_create_topics = o->auto_create_topics,
        .default_partitions = (int32_t)o->default_partitions,
        .default_replication_factor = (int16_t)o->default_replication_factor,
        .flush_bytes = o->flush_bytes,
        .flush_interval_ms = o->flush_interval_ms,
        .log_level = o->log_level,
        .store = o->store,
        .zone_cidr = o->zone_cidr,
        .core = agent->core,
        .meta = core_meta(agent->core),
        .budget = &agent->budget,
    };
    struct front *front;
    int rc = front_new(&options, &front, err);
    if (rc != 0)
        return rc;
    rc = front_start(front, err);
    if (rc != 0) {
        front_free(front);
        return rc;
    }
    agent->front = front; /* it runs: from now on `end` stops it */
    return address_advertised(o->advertise, o->listen, front_port(front, 0),
                              &agent->advertised, err);
}

/* Both are there, store and control plane: now clients may come. */
static void begin(struct agent *agent)
{
    struct err err = {0};

    if (!agent->store_good || !agent->enrolled || agent->draining || agent->finishing)
        return;
    make_core(agent);
    if (make_front(agent, &err) != 0) {
        fail(agent, err.text);
        return;
    }
    ctl_register(agent->ctl, describe(agent, "active"), on_registered, agent);
}

static void on_enrolled(int code, const char *text, void *arg)
{
    struct agent *agent = arg;

    agent->enrolled = code == 0;
    if (code != 0)
        fail(agent, text);
    else
        begin(agent);
}

static void on_store_checked(int code, const char *text, void *arg)
{
    struct agent *agent = arg;

    agent->store_good = code == 0;
    if (code != 0)
        fail(agent, text);
    else
        begin(agent);
}

static void core_start_parts(struct agent *agent)
{
    const struct agent_options *o = agent->options;
    struct loop *loop = agent->core_thread.loop;
    const struct ctl_options ctl_options = {
        .urls = o->control_plane,
        .ca_fingerprint = o->ca_fingerprint,
        .enrolment_token = o->enrolment_token,
    };
    struct err err = {0};

    int rc = ctl_new(loop, &ctl_options, &agent->ctl, &err);
    if (rc == 0 && o->admin_listen != NULL && o->admin_listen[0] != '\0')
        rc = admin_new(loop, o->admin_listen, serve_admin, agent, &agent->admin, &err);
    if (rc != 0) {
        fail(agent, err.text);
        return;
    }
    notify_status("waiting for the control plane");
    agent->check = store_check_start(loop, agent->store, on_store_checked, agent);
    ctl_enrol(agent->ctl, on_enrolled, agent);
}

/* ---- core thread: drain ---- */

static void on_left(int code, const char *text, void *arg)
{
    struct agent *agent = arg;
    (void)code, (void)text; /* if they did not hear it, the session runs out */
    tell_main(agent, &agent->drained, TO_MAIN_DRAINED);
}

static void on_reported(void *arg)
{
    struct agent *agent = arg;
    ctl_leave(agent->ctl, LEAVE_MS, on_left, agent);
}

static void poll_drain(struct agent *agent)
{
    bool done = front_idle(agent->front) && core_idle(agent->core);
    bool late = loop_now_ms(agent->core_thread.loop) >= agent->give_up_at_ms;

    if (!done && !late) {
        loop_timer_set(&agent->timer, DRAIN_POLL_MS);
        return;
    }
    if (!done)
        log_warn("agent", "not drained in time, giving up what is open", "");
    else
        log_info("agent", "drained", "");
    usage_report_finish(agent->report, REPORT_MS, on_reported, agent);
}

static void core_drain_parts(struct agent *agent)
{
    if (agent->draining)
        return;
    agent->draining = true;
    if (agent->front == NULL || !agent->ready) {
        tell_main(agent, &agent->drained, TO_MAIN_DRAINED);
        return;
    }
    agent->give_up_at_ms =
        loop_now_ms(agent->core_thread.loop) + agent->options->drain_timeout_ms;
    ctl_register(agent->ctl, describe(agent, "draining"), NULL, NULL);
    front_drain(agent->front);
    core_drain(agent->core);
    /* What the front has read by now comes as asks within the next ticks. */
    loop_timer_set(&agent->timer, DRAIN_POLL_MS);
}

/* ---- core thread: end ---- */

static void free_parts(struct agent *agent)
{
    store_check_free(agent->check);
    core_free(agent->core);
    usage_report_free(agent->report);
    ctl_free(agent->ctl);
    admin_free(agent->admin);
    loop_timer_fini(&agent->timer);
    tell_main(agent, &agent->gone, TO_MAIN_GONE);
}

static void poll_quiet(struct agent *agent)
{
    if ((agent->core == NULL || core_quiet(agent->core)) &&
        store_check_idle(agent->check))
        free_parts(agent);
    else
        loop_timer_set(&agent->timer, DRAIN_POLL_MS);
}

/* The front is gone: nobody asks any more. */
static void core_finish_parts(struct agent *agent)
{
    agent->finishing = true;
    agent->front = NULL;
    store_check_stop(agent->check);
    if (agent->core != NULL)
        core_abandon(agent->core);
    poll_quiet(agent);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    struct agent *agent = arg;
    (void)timer;
    if (agent->finishing)
        poll_quiet(agent);
    else
        poll_drain(agent);
}

static void on_core_message(struct message *message, void *arg)
{
    struct agent *agent = arg;
    switch ((enum message_type)message->type) {
    case TO_CORE_START:
        loop_timer_init(&agent->timer, agent->core_thread.loop, on_timer, agent);
        core_start_parts(agent);
        break;
    case TO_CORE_DRAIN:
        core_drain_parts(agent);
        break;
    case TO_CORE_FINISH:
        core_finish_parts(agent);
        break;
    case TO_MAIN_FAILED:
    case TO_MAIN_DRAINED:
    case TO_MAIN_GONE:
        ASSERT(false);
    }
}

/* ---- main thread ---- */

/* Stop the front, which waits for the core to give back what it was asked, then the rest.
 * What is still open now is open past the drain's time limit. */
static void end(struct agent *agent, int status)
{
    if (agent->ending)
        return;
    agent->ending = true;
    agent->status = status;
    alarm(QUIET_MS / 1000); /* the last resort, should a part never come to rest */
    if (agent->front != NULL) {
        front_stop(agent->front);
        front_free(agent->front);
    }
    tell_core(agent, &agent->finish, TO_CORE_FINISH);
}

static void on_main_message(struct message *message, void *arg)
{
    struct agent *agent = arg;
    switch ((enum message_type)message->type) {
    case TO_MAIN_FAILED:
        log_last_words("weft-agent", agent->failure);
        end(agent, 1);
        break;
    case TO_MAIN_DRAINED:
        end(agent, 0);
        break;
    case TO_MAIN_GONE:
        loop_stop(agent->loop);
        break;
    case TO_CORE_START:
    case TO_CORE_DRAIN:
    case TO_CORE_FINISH:
        ASSERT(false);
    }
}

static void on_signal(int signum, void *arg)
{
    struct agent *agent = arg;
    if (agent->signals++ > 0) {
        log_warn("agent", "second signal, ending at once", "signal=%d", signum);
        _exit(1);
    }
    log_info("agent", "draining", "signal=%d", signum);
    notify_stopping(agent->options->drain_timeout_ms + REPORT_MS + LEAVE_MS + QUIET_MS);
    if (!agent->ending)
        tell_core(agent, &agent->drain, TO_CORE_DRAIN);
}

static int open_store(struct agent *agent, struct err *err)
{
    const struct agent_options *o = agent->options;
    const struct store_options options = {
        .url = o->store,
        .threads = (unsigned)o->store_threads,
        .attempt_timeout_ms = o->store_timeout_ms,
        .access_key = o->store_access_key,
        .secret_key = o->store_secret_key,
        .session_token = o->store_session_token,
        .budget = &agent->budget,
    };
    return store_open(&options, &agent->store, err);
}

/* What its requests cost, by whoever bills for it. */
static int find_price(struct agent *agent, struct err *err)
{
    const struct agent_options *o = agent->options;
    char provider[PRICE_NAME_MAX], region[PRICE_NAME_MAX];
    struct prices *prices;

    int rc = prices_open(o->prices, &prices, err);
    if (rc != 0)
        return rc;
    price_place(o->store, getenv, provider, region);
    if (o->store_provider[0] != '\0')
        snprintf(provider, sizeof(provider), "%s", o->store_provider);
    if (o->store_region[0] != '\0')
        snprintf(region, sizeof(region), "%s", o->store_region);
    if (!prices_find(prices, provider, region, &agent->price))
        rc = err_set(err, ERR_INVALID,
                     "the table of prices has no provider \"%s\": name one that it has "
                     "with --store-provider, or bring a table by --prices",
                     provider);
    prices_free(prices);
    return rc;
}

static void set_memory(struct agent *agent)
{
    int64_t bytes = agent->options->memory_bytes;
    if (bytes == 0)
        bytes = memory_limit_bytes("") / 2;
    budget_init(&agent->budget, MAX((size_t)bytes, MEMORY_LEAST));
    block_keep();
}

static int start(struct agent *agent, struct err *err)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    int rc = find_price(agent, err);
    if (rc == 0)
        rc = open_store(agent, err);
    if (rc != 0)
        return rc;
    rc = sigaction(SIGPIPE, &ignore, NULL);
    ASSERT(rc == 0);
    agent->loop = loop_new();
    mailbox_init(&agent->to_main, agent->loop, on_main_message, agent);
    rc = loop_on_signal(agent->loop, SIGTERM, on_signal, agent);
    ASSERT(rc == 0);
    rc = loop_on_signal(agent->loop, SIGINT, on_signal, agent);
    ASSERT(rc == 0);
    rc = loop_thread_start(&agent->core_thread, "core");
    if (rc != 0)
        return err_set(err, rc, "cannot start the core thread");
    mailbox_init(&agent->to_core, agent->core_thread.loop, on_core_message, agent);
    tell_core(agent, &agent->start, TO_CORE_START);
    return 0;
}

int agent_run(const struct agent_options *options)
{
    struct agent *agent = mem_zalloc(sizeof(*agent));
    struct err err = {0};

    agent->options = options;
    agent->started_at_us = clock_monotonic_us();
    set_memory(agent);
    if (start(agent, &err) != 0) {
        log_last_words("weft-agent", err.text);
        _exit(1); /* nothing was begun that needs an end */
    }
    loop_run(agent->loop);
    loop_thread_stop(&agent->core_thread);
    mailbox_fini(&agent->to_core);
    loop_thread_fini(&agent->core_thread);
    mailbox_fini(&agent->to_main);
    loop_free(agent->loop);
    store_close(agent->store);
    int status = agent->status;
    mem_free(agent);
    return status;
}
