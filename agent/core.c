/* core.c - the core thread: takes asks in, owns the parts that answer them, wires them
 * up.
 *
 * Decides nothing itself: produces go to produce_path.c, fetches to fetcher.c, offsets to
 * lookup.c, producer ids, metadata, relayed calls and groups to their modules. What
 * happens in one tick is gathered: asks are taken in as they come, and the end of the
 * tick seals, uploads, commits and wakes fetches once for all of them. */
#include "agent/core.h"

#include <stdio.h>

#include "agent/cache.h"
#include "agent/ctl.h"
#include "agent/fetcher.h"
#include "agent/freshness.h"
#include "agent/groups.h"
#include "agent/lag.h"
#include "agent/lookup.h"
#include "agent/meta.h"
#include "agent/metrics.h"
#include "agent/produce_path.h"
#include "agent/producer_ids.h"
#include "agent/read_gate.h"
#include "agent/relay.h"
#include "agent/tail.h"
#include "agent/traffic.h"
#include "agent/watch.h"
#include "common/block.h"
#include "common/check.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/store.h"

struct core {
    struct core_options options;
    struct loop *loop;
    struct mailbox asks;
    struct mailbox store_replies;
    struct loop_timer timer; /* for what is due by itself */
    int64_t timer_at_ms;     /* INT64_MAX: not armed */
    struct loop_deferred end_of_tick;
    struct meta *meta;
    struct watch *watch;
    struct tail *tail;
    struct cache *cache;
    struct read_gate gate;
    struct fetcher *fetcher;
    struct lookup *lookup;
    struct producer_ids *producer_ids;
    struct freshness *freshness;
    struct relay *relay;
    struct groups *groups;
    struct lag *lag;
    struct traffic *traffic;
    struct produce_path path;
    struct ctl_call *commit; /* the one in flight */
    /* ... and its id, which is that of all produces that its answer settles */
    char commit_id[CTL_REQUEST_ID_LEN + 1];
    bool settling;
    bool news; /* the tail index changed in this tick */
    bool abandoned;
};

/* ---- ticks ---- */

/* At the end of this tick, look what is to be done. */
static void defer(struct core *core)
{
    loop_defer(core->loop, &core->end_of_tick);
}

static void arm(struct core *core, int64_t now)
{
    int64_t due = produce_path_due_at_ms(&core->path);
    if (due == core->timer_at_ms)
        return;
    core->timer_at_ms = due;
    if (due == INT64_MAX)
        loop_timer_cancel(&core->timer);
    else
        loop_timer_set(&core->timer, MAX(due - now, 0));
}

static void on_end_of_tick(struct loop_deferred *deferred)
{
    struct core *core = CONTAINER_OF(deferred, struct core, end_of_tick);
    int64_t now = loop_now_ms(core->loop);

    produce_path_step(&core->path, now);
    if (core->news) {
        core->news = false;
        fetcher_on_tail(core->fetcher);
    }
    arm(core, now);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    struct core *core = arg;
    (void)timer;
    core->timer_at_ms = INT64_MAX;
    defer(core);
}

/* ---- asks ---- */

void core_send(struct core *core, struct ask *ask)
{
    mailbox_send(&core->asks, &ask->message);
}

static void cancel(struct core *core, struct ask *asked)
{
    if (asked->message.type == ASK_FETCH)
        fetcher_cancel(CONTAINER_OF(asked, struct fetch_ask, ask));
    else
        groups_cancel(core->groups, CONTAINER_OF(asked, struct group_ask, ask));
}

static void on_ask(struct message *message, void *arg)
{
    struct core *core = arg;
    struct ask *ask = CONTAINER_OF(message, struct ask, message);

    switch ((enum ask_type)message->type) {
    case ASK_PRODUCE:
        produce_path_ask(&core->path, CONTAINER_OF(ask, struct produce_ask, ask),
                         loop_now_ms(core->loop));
        defer(core);
        break;
    case ASK_FETCH:
        fetcher_ask(core->fetcher, CONTAINER_OF(ask, struct fetch_ask, ask));
        break;
    case ASK_OFFSETS:
        lookup_ask(core->lookup, CONTAINER_OF(ask, struct offsets_ask, ask));
        break;
    case ASK_PRODUCER_ID:
        producer_ids_ask(core->producer_ids,
                         CONTAINER_OF(ask, struct producer_id_ask, ask));
        break;
    case ASK_METADATA:
        freshness_ask(core->freshness, CONTAINER_OF(ask, struct metadata_ask, ask));
        break;
    case ASK_GROUP:
        groups_ask(core->groups, CONTAINER_OF(ask, struct group_ask, ask));
        break;
    case ASK_RELAY:
        relay_ask(core->relay, CONTAINER_OF(ask, struct relay_ask, ask));
        break;
    case ASK_CANCEL:
        cancel(core, CONTAINER_OF(ask, struct cancel_ask, ask)->asked);
        ask_reply(ask);
        break;
    }
    if (core->abandoned)
        core_abandon(core); /* this one too */
}

/* ---- what the produce path needs of the world ---- */

static void on_put_done(struct store_request *request)
{
    struct core *core = CONTAINER_OF(request->reply_to, struct core, store_replies);
    produce_path_on_put(&core->path, request, loop_now_ms(core->loop));
    defer(core);
}

static void put(struct store_request *request, void *arg)
{
    struct core *core = arg;
    request->reply_to = &core->store_replies;
    request->done = on_put_done;
    store_send(core->options.store, request);
}

static void cancel_put(struct store_request *request, void *arg)
{
    struct core *core = arg;
    store_cancel(core->options.store, request);
}

static struct uuid make_id(void *arg)
{
    (void)arg;
    return uuid_random();
}

static void on_commit_answer(int code, const char *text, const struct json *answer,
                             void *arg)
{
    struct core *core = arg;
    core->commit = NULL;
    core->settling = true;
    produce_path_on_commit(&core->path, code, text, answer, loop_now_ms(core->loop));
    core->settling = false;
    defer(core);
}

/* Without a deadline: whether it was done is found out by repeating it, until the control
 * plane says (I5). It says EXPIRED to what is too old. */
static void commit(struct json *body, void *arg)
{
    struct core *core = arg;
    core->commit =
        ctl_send(core->options.ctl, "/agent/v1/commit", body, 0, on_commit_answer, core);
    snprintf(core->commit_id, sizeof(core->commit_id), "%s",
             ctl_request_id(core->commit));
}

static void reply(struct ask *ask, void *arg)
{
    const struct core *core = arg;
    FAULT_POINT("agent.reply.before");
    if (core->settling)
        ask_trace(ask, core->commit_id);
    ask_reply(ask);
}

static void on_committed(const struct committed *committed, void *arg)
{
    struct core *core = arg;
    const struct uuid *object_id = &committed->intake->object_id;
    int64_t now = loop_now_ms(core->loop);
    for (size_t i = 0; i < committed->run_count; i++) {
        const struct tail_run *run = &committed->runs[i];
        traffic_produced(core->traffic, &run->topic_id, run->records, run->length, now);
    }
    cache_put_written(core->cache, object_id, committed->pieces, committed->piece_count);
    tail_on_own_commit(core->tail, object_id, committed->runs, committed->run_count);
    core->news = true;
}

static int64_t log_start(const struct uuid *topic_id, int32_t partition, void *arg)
{
    struct core *core = arg;
    return tail_log_start(core->tail, topic_id, partition);
}

static int64_t wall_ms(void *arg)
{
    struct core *core = arg;
    return ctl_now_ms(core->options.ctl);
}

/* Only this thread replaces the view, so it stays while the caller copies the name. */
static struct slice topic_name(const struct uuid *topic_id, void *arg)
{
    struct core *core = arg;
    struct meta_view *view = meta_acquire(core->meta);
    const struct meta_topic *topic = meta_topic_by_id(view, topic_id);
    struct slice name = topic == NULL ? SLICE_NULL : topic->name;
    meta_release(view);
    return name;
}

/* ---- what the watch brings ---- */

static void on_watch_commit(const struct uuid *object_id, int32_t writer_node_id,
                            const struct tail_run *runs, size_t run_count, void *arg)
{
    struct core *core = arg;
    tail_on_commit(core->tail, object_id, writer_node_id, runs, run_count);
}

static void on_watch_reset(void *arg)
{
    struct core *core = arg;
    tail_on_reset(core->tail);
    groups_on_reset(core->groups);
}

static void on_topic_deleted(const struct uuid *topic_id, void *arg)
{
    struct core *core = arg;
    tail_on_topic_deleted(core->tail, topic_id);
    traffic_forget(core->traffic, topic_id);
}

static void on_log_start(const struct uuid *topic_id, int32_t partition, int64_t offset,
                         void *arg)
{
    struct core *core = arg;
    tail_on_log_start(core->tail, topic_id, partition, offset);
}

static void on_group(struct slice group, void *arg)
{
    struct core *core = arg;
    groups_on_change(core->groups, group);
}

/* What people set for agents while they run. */
static void take_settings(struct core *core)
{
    const struct core_options *o = &core->options;
    struct meta_view *view = meta_acquire(core->meta);
    const char *text = meta_own_setting(view, "weft.log.level");
    enum log_level level;

    produce_path_set_limits(
        &core->path, (uint64_t)meta_own_number(view, "weft.flush.bytes", o->flush_bytes),
        meta_own_number(view, "weft.flush.interval.ms", o->flush_interval_ms));
    if (text == NULL)
        text = o->log_level;
    if (text != NULL && log_parse_level(text, &level) == 0)
        log_set_level(level);
    meta_release(view);
}

static void on_news(void *arg)
{
    struct core *core = arg;
    take_settings(core);
    core->news = true;
    defer(core);
}

/* ---- life ---- */

static void on_store_reply(struct message *message, void *arg)
{
    struct store_request *request = CONTAINER_OF(message, struct store_request, message);
    (void)arg;
    request->done(request);
}

static void make_path(struct core *core)
{
    const struct core_options *o = &core->options;
    const struct produce_path_options options = {
        .batcher = {.flush_bytes = (uint64_t)o->flush_bytes,
                    .flush_interval_ms = o->flush_interval_ms,
                    .budget = o->budget},
        .uploader = {.max_uploads = (size_t)o->max_uploads,
                     .upload_timeout_ms = o->upload_timeout_ms,
                     .hedge_after_ms = o->hedge_after_ms},
        .max_objects = (size_t)o->max_objects,
        .cluster_id = *ctl_cluster_id(o->ctl),
        .agent_id = *ctl_agent_id(o->ctl),
    };
    const struct produce_path_io io = {
        .put = put,
        .cancel_put = cancel_put,
        .make_id = make_id,
        .commit = commit,
        .reply = reply,
        .on_committed = on_committed,
        .log_start = log_start,
        .wall_ms = wall_ms,
        .topic_name = topic_name,
        .arg = core,
    };
    produce_path_init(&core->path, &options, &io, loop_now_ms(core->loop));
}

static void make_fetch_side(struct core *core)
{
    const struct core_options *o = &core->options;
    const struct cache_options cache = {
        .loop = core->loop,
        .store = o->store,
        .store_replies = &core->store_replies,
        .budget = o->budget,
        .max_bytes = o->cache_bytes,
        .cluster_id = *ctl_cluster_id(o->ctl),
    };
    core->traffic = traffic_new(o->metrics_topics);
    core->tail = tail_new(o->tail_bytes);
    core->cache = cache_new(&cache);
    read_gate_init(&core->gate, core->loop, core->cache, o->budget);
    const struct fetcher_options fetcher = {
        .loop = core->loop,
        .ctl = o->ctl,
        .meta = core->meta,
        .tail = core->tail,
        .cache = core->cache,
        .gate = &core->gate,
        .traffic = core->traffic,
    };
    core->fetcher = fetcher_new(&fetcher);
    const struct lookup_options lookup = {
        .loop = core->loop, .ctl = o->ctl, .cache = core->cache, .gate = &core->gate};
    core->lookup = lookup_new(&lookup);
}

struct core *core_new(const struct core_options *options)
{
    struct core *core = mem_zalloc(sizeof(*core));
    const struct watch_hooks hooks = {
        .on_commit = on_watch_commit,
        .on_reset = on_watch_reset,
        .on_topic_deleted = on_topic_deleted,
        .on_log_start = on_log_start,
        .on_group = on_group,
        .on_news = on_news,
        .arg = core,
    };

    core->options = *options;
    core->loop = options->loop;
    core->timer_at_ms = INT64_MAX;
    mailbox_init(&core->asks, core->loop, on_ask, core);
    mailbox_init(&core->store_replies, core->loop, on_store_reply, core);
    loop_timer_init(&core->timer, core->loop, on_timer, core);
    loop_deferred_init(&core->end_of_tick, on_end_of_tick);
    core->meta = meta_new(ctl_cluster_id(options->ctl));
    core->watch = watch_new(core->loop, options->ctl, core->meta, &hooks);
    make_fetch_side(core);
    core->producer_ids = producer_ids_new(core->loop, options->ctl);
    core->freshness = freshness_new(core->loop, options->ctl, core->watch);
    core->relay = relay_new(core->loop, options->ctl, core->watch);
    core->groups = groups_new(core->loop, options->ctl);
    core->lag = lag_new(core->loop, core->groups, core->meta);
    make_path(core);
    return core;
}

void core_start(struct core *core, void (*on_ready)(void *arg), void *arg)
{
    watch_start(core->watch, on_ready, arg);
}

struct meta *core_meta(struct core *core)
{
    return core->meta;
}

bool core_ready(const struct core *core)
{
    return watch_ready(core->watch);
}

void core_drain(struct core *core)
{
    produce_path_flush(&core->path);
    fetcher_drain(core->fetcher);
    lag_stop(core->lag);
    groups_drain(core->groups);
    defer(core);
}

bool core_idle(const struct core *core)
{
    return produce_path_idle(&core->path) && fetcher_idle(core->fetcher) &&
           lookup_idle(core->lookup) && producer_ids_idle(core->producer_ids) &&
           freshness_idle(core->freshness) && relay_idle(core->relay) &&
           groups_idle(core->groups);
}

void core_abandon(struct core *core)
{
    if (!core->abandoned) {
        core->abandoned = true;
        produce_path_abandon(&core->path, loop_now_ms(core->loop));
        if (core->commit != NULL)
            ctl_cancel(core->commit);
        core->commit = NULL;
        cache_stop(core->cache);
        read_gate_close(&core->gate);
    }
    fetcher_drain(core->fetcher);
    lookup_drain(core->lookup);
    producer_ids_drain(core->producer_ids);
    freshness_drain(core->freshness);
    relay_drain(core->relay);
    groups_abandon(core->groups);
}

bool core_quiet(const struct core *core)
{
    return core_idle(core) && cache_idle(core->cache);
}

void core_free(struct core *core)
{
    if (core == NULL)
        return;
    loop_defer_cancel(&core->end_of_tick);
    loop_timer_fini(&core->timer);
    produce_path_fini(&core->path);
    lag_free(core->lag);
    groups_free(core->groups);
    relay_free(core->relay);
    freshness_free(core->freshness);
    producer_ids_free(core->producer_ids);
    lookup_free(core->lookup);
    fetcher_free(core->fetcher);
    read_gate_fini(&core->gate);
    traffic_free(core->traffic);
    cache_free(core->cache);
    tail_free(core->tail);
    watch_free(core->watch);
    meta_free(core->meta);
    mailbox_fini(&core->asks);
    mailbox_fini(&core->store_replies);
    mem_free(core);
}

void core_update_metrics(struct core *core)
{
    struct store_counters counters;

    store_counters(core->options.store, &counters);
    metric_set(agent_metric(store_retries_total), (int64_t)counters.retries);
    metric_set(agent_metric(store_written_bytes_total), (int64_t)counters.bytes_written);
    metric_set(agent_metric(store_read_bytes_total), (int64_t)counters.bytes_read);
    groups_update_metrics(core->groups);
    metric_set(agent_metric(memory_idle_bytes), (int64_t)block_idle_bytes());
    metric_set(agent_metric(memory_used_bytes),
               (int64_t)budget_used(core->options.budget));
    metric_set(agent_metric(memory_limit_bytes),
               (int64_t)core->options.budget->limit_bytes);
}

/* Requests are what a store bills: they are told by kind. */
static void print_by_kind(const struct metric_spec *family,
                          const uint64_t counts[STORE_DELETE + 1], struct str *out)
{
    static const char *const labels[STORE_DELETE + 1] = {"kind=\"put\"", "kind=\"get\"",
                                                         "kind=\"head\"", "kind=\"list\"",
                                                         "kind=\"delete\""};

    metric_print_head(family, out);
    for (size_t kind = 0; kind <= STORE_DELETE; kind++)
        metric_print_int(family, labels[kind], (int64_t)counts[kind], out);
}

/* Of a price that is not known there is no series. */
static void print_cost(const struct price *price, const uint64_t counts[STORE_DELETE + 1],
                       struct str *out)
{
    const struct metric_spec *cost = agent_family(store_cost_dollars_total);
    const struct metric_spec *gib_month = agent_family(store_gib_month_price_dollars);
    double requests[STORE_DELETE + 1];
    char labels[2 * PRICE_NAME_MAX + 32];

    snprintf(labels, sizeof(labels), "provider=\"%s\",region=\"%s\"", price->provider,
             price->region);
    for (size_t kind = 0; kind <= STORE_DELETE; kind++)
        requests[kind] = (double)counts[kind];
    metric_print_head(cost, out);
    metric_print_real(cost, labels, price_of_requests(price, requests), out);
    metric_print_head(gib_month, out);
    metric_print_real(gib_month, labels, price->gib_month, out);
}

void core_print_metrics(struct core *core, struct str *out)
{
    struct store_counters counters;
    struct meta_view *view = meta_acquire(core->meta);

    store_counters(core->options.store, &counters);
    print_by_kind(agent_family(store_requests_total), counters.requests, out);
    print_by_kind(agent_family(store_errors_total), counters.errors, out);
    print_cost(&core->options.price, counters.requests, out);
    traffic_print(core->traffic, view, out);
    meta_release(view);
    lag_print(core->lag, out);
}
