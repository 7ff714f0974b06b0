/* watch.c - the metadata and watch calls, and what their answers say. */
#include "agent/watch.h"

#include <string.h>

#include "agent/metrics.h"
#include "common/arena.h"
#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/packed.h"

/* An answer is about 1 MiB; its columns unpack to 56 bytes a row of 8 bytes or more. */
#define EVENT_ARENA_MAX     (64 * MIB)
#define TOPICS_IN_EVENT_MAX 65536
#define RUNS_IN_EVENT_MAX   1000000
/* Where runs begin in an object (object.md). */
#define FIRST_POSITION 16
#define AGAIN_AFTER_MS 1000
#define GROUP_ID_MAX   INT16_MAX

struct watch {
    struct loop *loop;
    struct ctl *ctl;
    struct meta *meta;
    struct watch_hooks hooks;
    struct ctl_call *call;
    struct loop_timer again; /* load afresh, after an answer that made no sense */
    int64_t cursor;
    bool ready;
    struct list waiters;
    void (*on_ready)(void *arg);
    void *on_ready_arg;
};

static void load(struct watch *watch);
static void watch_on(struct watch *watch);

/* ---- who waits ---- */

void watch_wait(struct watch *watch, struct watch_waiter *waiter)
{
    list_node_init(&waiter->node);
    if (watch->ready && watch->cursor >= waiter->cursor)
        waiter->done(waiter);
    else
        list_push_back(&watch->waiters, &waiter->node);
}

void watch_wait_cancel(struct watch_waiter *waiter)
{
    list_remove(&waiter->node);
}

/* ALL: a load has begun a history of its own, in which old cursors mean nothing; but it
 * was made after everybody began to wait, so it is fresh enough for all. */
static void release_waiters(struct watch *watch, bool all)
{
    LIST_FOREACH(node, next, &watch->waiters)
    {
        struct watch_waiter *waiter = CONTAINER_OF(node, struct watch_waiter, node);
        if (!all && waiter->cursor > watch->cursor)
            continue;
        list_remove(&waiter->node);
        waiter->done(waiter);
    }
}

static void start_afresh(struct watch *watch, const char *why)
{
    log_warn("watch", "loading the metadata afresh", "why=%s", LOG_QUOTED(why));
    metric_add(agent_metric(watch_resets_total), 1);
    loop_timer_set(&watch->again, AGAIN_AFTER_MS);
}

static void on_again(struct loop_timer *timer, void *arg)
{
    (void)timer;
    load(arg);
}

/* ---- metadata ---- */

static void on_metadata(int code, const char *text, const struct json *answer, void *arg)
{
    struct watch *watch = arg;
    struct err err = {0};
    struct json_reader r = {.err = &err};

    watch->call = NULL;
    if (code == 0) {
        int64_t cursor = json_get_int(&r, answer, "cursor", 0, INT64_MAX);
        code = r.failed ? ERR_MALFORMED : meta_load(watch->meta, answer, &err);
        text = err.text;
        if (code == 0)
            watch->cursor = cursor;
    }
    if (code != 0) {
        start_afresh(watch, text);
        return;
    }
    meta_set_self(watch->meta, ctl_session(watch->ctl)->node_id);
    meta_publish(watch->meta, watch->cursor);
    watch->hooks.on_reset(watch->hooks.arg);
    bool first = !watch->ready;
    watch->ready = true;
    release_waiters(watch, true);
    watch->hooks.on_news(watch->hooks.arg);
    if (first && watch->on_ready != NULL)
        watch->on_ready(watch->on_ready_arg);
    watch_on(watch);
}

static void load(struct watch *watch)
{
    watch->call =
        ctl_send(watch->ctl, "/agent/v1/metadata", json_object(), 0, on_metadata, watch);
}

/* ---- events ---- */

/* The packed columns of a commit event, in their order. */
enum { C_TOPIC, C_PARTITION, C_BASE, C_RECORDS, C_POSITION, C_LENGTH, C_TIME, COLUMNS };

struct commit_rows {
    struct uuid *topics;
    size_t topic_count;
    struct reader column[COLUMNS];
    size_t count;
};

static void read_rows(struct json_reader *r, const struct json *event,
                      struct commit_rows *rows, struct arena *arena)
{
    const struct json *topics = json_at(r, event, 3);
    int64_t count = -1;

    rows->topic_count = json_count(topics);
    if (!r->failed && rows->topic_count > TOPICS_IN_EVENT_MAX)
        r->failed = true;
    if (r->failed)
        return;
    rows->topics = arena_array(arena, rows->topic_count, sizeof(rows->topics[0]));
    for (size_t i = 0; i < rows->topic_count; i++)
        rows->topics[i] = json_as_uuid(r, json_at(r, topics, i), "topic id");
    for (size_t i = 0; i < COLUMNS; i++) {
        struct slice column =
            json_as_base64(r, json_at(r, event, 4 + i), "column", arena);
        int64_t n = r->failed ? -1 : packed_count(column);
        if (n < 0 || (i > 0 && n != count) || n > RUNS_IN_EVENT_MAX) {
            r->failed = true;
            return;
        }
        count = n;
        reader_init(&rows->column[i], column);
    }
    rows->count = (size_t)count;
}

static bool unpack_rows(struct commit_rows *rows, struct tail_run *runs)
{
    int64_t topic = 0, partition = 0, base = 0, time = 0;
    uint64_t end = FIRST_POSITION;

    for (size_t i = 0; i < rows->count; i++) {
        packed_get_delta(&rows->column[C_TOPIC], &topic);
        packed_get_delta(&rows->column[C_PARTITION], &partition);
        packed_get_delta(&rows->column[C_BASE], &base);
        int64_t records = packed_get(&rows->column[C_RECORDS]);
        int64_t gap = packed_get(&rows->column[C_POSITION]);
        int64_t length = packed_get(&rows->column[C_LENGTH]);
        packed_get_delta(&rows->column[C_TIME], &time);
        if (topic < 0 || topic >= (int64_t)rows->topic_count || partition < 0 ||
            partition > INT32_MAX || base < 0 || records < 1 || records > UINT32_MAX ||
            gap < 0 || length < 1 || length > INT64_MAX / 4 || gap > INT64_MAX / 4 ||
            end > INT64_MAX / 4)
            return false;
        runs[i] = (struct tail_run){
            .topic_id = rows->topics[topic],
            .partition = (int32_t)partition,
            .base_offset = base,
            .records = (uint32_t)records,
            .position = end + (uint64_t)gap,
            .length = (uint64_t)length,
            .max_timestamp = time,
        };
        end = runs[i].position + runs[i].length;
    }
    return true;
}

int watch_read_commit(const struct json *event, struct arena *arena,
                      struct watch_commit *commit, struct err *err)
{
    struct json_reader r = {.err = err};
    struct commit_rows rows = {0};
    struct watch_commit out = {
        .object_id = json_as_uuid(&r, json_at(&r, event, 1), "object id"),
        .writer_node_id =
            (int32_t)json_as_int(&r, json_at(&r, event, 2), "node id", 0, INT32_MAX),
    };

    read_rows(&r, event, &rows, arena);
    out.runs = r.failed ? NULL : arena_try_array(arena, rows.count, sizeof(out.runs[0]));
    out.run_count = rows.count;
    if (out.runs == NULL || !unpack_rows(&rows, out.runs))
        return err_set(err, ERR_MALFORMED, "a commit event cannot be read");
    *commit = out;
    return 0;
}

static int on_commit_event(struct watch *watch, const struct json *event, struct err *err)
{
    struct watch_commit commit;
    struct arena arena;

    arena_init(&arena, EVENT_ARENA_MAX);
    int rc = watch_read_commit(event, &arena, &commit, err);
    if (rc == 0)
        watch->hooks.on_commit(&commit.object_id, commit.writer_node_id, commit.runs,
                               commit.run_count, watch->hooks.arg);
    arena_fini(&arena);
    return rc;
}

static int on_deleted_event(struct watch *watch, const struct json *event,
                            struct err *err)
{
    struct json_reader r = {.err = err};
    struct uuid id = json_as_uuid(&r, json_at(&r, event, 1), "topic id");
    if (r.failed)
        return ERR_MALFORMED;
    meta_delete_topic(watch->meta, &id);
    watch->hooks.on_topic_deleted(&id, watch->hooks.arg);
    return 0;
}

/* What it is now is not in here: who waits for it asks. */
static int on_group_event(struct watch *watch, const struct json *value, struct err *err)
{
    struct json_reader r = {.err = err};
    struct slice group = json_as_string(&r, value, "group", GROUP_ID_MAX);
    if (r.failed)
        return ERR_MALFORMED;
    watch->hooks.on_group(group, watch->hooks.arg);
    return 0;
}

static int on_log_starts(struct watch *watch, const struct json *event, struct err *err)
{
    struct json_reader r = {.err = err};
    const struct json *list = json_at(&r, event, 1);
    size_t n = json_count(list);

    for (size_t i = 0; i < n && !r.failed; i++) {
        const struct json *row = json_at(&r, list, i);
        struct uuid id = json_as_uuid(&r, json_at(&r, row, 0), "topic id");
        int64_t partition =
            json_as_int(&r, json_at(&r, row, 1), "partition", 0, INT32_MAX);
        int64_t offset = json_as_int(&r, json_at(&r, row, 2), "offset", 0, INT64_MAX);
        if (!r.failed)
            watch->hooks.on_log_start(&id, (int32_t)partition, offset, watch->hooks.arg);
    }
    return r.failed ? ERR_MALFORMED : 0;
}

static int on_event(struct watch *watch, const struct json *event, struct err *err)
{
    struct json_reader r = {.err = err};
    struct slice kind = json_as_string(&r, json_at(&r, event, 0), "event", 64);
    if (r.failed)
        return ERR_MALFORMED;
    if (slice_eq_str(kind, "commit"))
        return on_commit_event(watch, event, err);
    if (slice_eq_str(kind, "topic_deleted"))
        return on_deleted_event(watch, event, err);
    if (slice_eq_str(kind, "log_starts"))
        return on_log_starts(watch, event, err);
    const struct json *value = json_at(&r, event, 1);
    if (r.failed)
        return ERR_MALFORMED;
    if (slice_eq_str(kind, "group"))
        return on_group_event(watch, value, err);
    if (slice_eq_str(kind, "topic"))
        return meta_put_topic(watch->meta, value, err);
    if (slice_eq_str(kind, "agents"))
        return meta_put_agents(watch->meta, value, err);
    if (slice_eq_str(kind, "setting"))
        return meta_put_setting(watch->meta, value, err);
    return 0; /* a newer control plane has more to tell than we have to know */
}

static int take_events(struct watch *watch, const struct json *answer, struct err *err)
{
    struct json_reader r = {.err = err};
    int64_t cursor = json_get_int(&r, answer, "cursor", 0, INT64_MAX);
    const struct json *events = json_get_array(&r, answer, "events");
    size_t n = json_count(events);

    for (size_t i = 0; i < n && !r.failed; i++) {
        int rc = on_event(watch, json_at(&r, events, i), err);
        if (rc != 0)
            return rc;
    }
    if (r.failed)
        return ERR_MALFORMED;
    metric_add(agent_metric(watch_events_total), (int64_t)n);
    watch->cursor = cursor;
    return 0;
}

static void on_answer(int code, const char *text, const struct json *answer, void *arg)
{
    struct watch *watch = arg;
    struct err err = {0};
    struct json_reader r = {.err = &err};
    bool reset = false;

    watch->call = NULL;
    if (code == 0) {
        reset = json_get_bool(&r, answer, "reset");
        code = r.failed ? ERR_MALFORMED : 0;
        if (code == 0 && !reset)
            code = take_events(watch, answer, &err);
        text = err.text;
    }
    if (code != 0) {
        start_afresh(watch, text);
        return;
    }
    if (reset) {
        log_info("watch", "the control plane asks to load the metadata afresh", "");
        metric_add(agent_metric(watch_resets_total), 1);
        load(watch);
        return;
    }
    /* A session that was lost and found may have brought another node id. */
    meta_set_self(watch->meta, ctl_session(watch->ctl)->node_id);
    meta_publish(watch->meta, watch->cursor);
    release_waiters(watch, false);
    watch->hooks.on_news(watch->hooks.arg);
    watch_on(watch);
}

static void watch_on(struct watch *watch)
{
    struct json *body = json_object();
    int64_t wait_ms = ctl_session(watch->ctl)->watch_ms;
    json_set(body, "after", json_int(watch->cursor));
    json_set(body, "wait_ms", json_int(wait_ms));
    watch->call = ctl_send_patient(watch->ctl, "/agent/v1/watch", body, wait_ms, 0,
                                   on_answer, watch);
}

/* ---- life ---- */

struct watch *watch_new(struct loop *loop, struct ctl *ctl, struct meta *meta,
                        const struct watch_hooks *hooks)
{
    struct watch *watch = mem_zalloc(sizeof(*watch));
    watch->loop = loop;
    watch->ctl = ctl;
    watch->meta = meta;
    watch->hooks = *hooks;
    list_init(&watch->waiters);
    loop_timer_init(&watch->again, loop, on_again, watch);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    ASSERT(list_empty(&watch->waiters));
    if (watch->call != NULL)
        ctl_cancel(watch->call);
    loop_timer_fini(&watch->again);
    mem_free(watch);
}

void watch_start(struct watch *watch, void (*on_ready)(void *arg), void *arg)
{
    watch->on_ready = on_ready;
    watch->on_ready_arg = arg;
    load(watch);
}

bool watch_ready(const struct watch *watch)
{
    return watch->ready;
}
