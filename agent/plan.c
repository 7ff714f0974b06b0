/* plan.c - see plan.h and control_api.md, /agent/v1/plan. */
#include "agent/plan.h"

#include "agent/ctl.h"
#include "common/arena.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/packed.h"

#define ITEMS_MAX    4096
#define TIMEOUT_MS   5000
#define AHEAD_BYTES  (32 * MIB) /* of runs that one answer names */
#define RUNS_MAX     65536
#define ANSWER_ARENA (64 * MIB)

struct plan_item {
    struct tail_entry *entry;
    int64_t offset;
    struct plan_ask *ask; /* NULL: forgotten */
};

/* One call. */
struct plan_batch {
    struct list_node node;
    struct planner *planner;
    struct ctl_call *call;
    struct plan_item *items;
    size_t count;
    uint64_t resets; /* of the tail index when the call left */
};

struct planner {
    struct loop *loop;
    struct ctl *ctl;
    struct tail *tail;
    struct loop_deferred deferred;
    struct plan_batch *open; /* filled in this tick */
    struct list in_flight;
};

static void send_open(struct loop_deferred *deferred);

struct planner *planner_new(struct loop *loop, struct ctl *ctl, struct tail *tail)
{
    struct planner *planner = mem_zalloc(sizeof(*planner));

    planner->loop = loop;
    planner->ctl = ctl;
    planner->tail = tail;
    loop_deferred_init(&planner->deferred, send_open);
    list_init(&planner->in_flight);
    return planner;
}

static void batch_free(struct plan_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        tail_unuse(batch->planner->tail, batch->items[i].entry);
    list_remove(&batch->node);
    mem_free(batch->items);
    mem_free(batch);
}

void planner_free(struct planner *planner)
{
    struct list_node *node;

    loop_defer_cancel(&planner->deferred);
    if (planner->open != NULL)
        batch_free(planner->open);
    while ((node = list_first(&planner->in_flight)) != NULL) {
        struct plan_batch *batch = CONTAINER_OF(node, struct plan_batch, node);
        ctl_cancel(batch->call);
        batch_free(batch);
    }
    mem_free(planner);
}

void planner_ask(struct planner *planner, struct plan_ask *ask)
{
    struct plan_batch *batch = planner->open;

    if (batch == NULL) {
        batch = mem_zalloc(sizeof(*batch));
        batch->planner = planner;
        batch->items = mem_alloc(ITEMS_MAX * sizeof(*batch->items));
        list_node_init(&batch->node);
        planner->open = batch;
        loop_defer(planner->loop, &planner->deferred);
    }
    struct plan_item *item = &batch->items[batch->count++];
    *item = (struct plan_item){
        tail_use(planner->tail, tail_topic_id(ask->entry), tail_partition(ask->entry)),
        ask->offset, ask};
    ask->item = item;
    if (batch->count == ITEMS_MAX)
        send_open(&planner->deferred);
}

void planner_forget(struct plan_ask *ask)
{
    if (ask->item == NULL)
        return;
    ask->item->ask = NULL;
    ask->item = NULL;
}

/* ---- the answer ---- */

static void tell(struct plan_item *item, int code, int16_t kafka_error)
{
    struct plan_ask *ask = item->ask;

    if (ask == NULL)
        return;
    item->ask = NULL;
    ask->item = NULL;
    ask->done(ask, code, kafka_error);
}

enum { C_OFFSET, C_OBJECT, C_RECORDS, C_POSITION, C_LENGTH, C_TIME, COLUMNS };

/* Decode one PLAN's columns into *RUNS (in ARENA). 0 or ERR_MALFORMED. */
static int read_runs(struct json_reader *r, const struct json *plan, struct arena *arena,
                     struct index_run **runs, size_t *count)
{
    const struct json *objects = json_at(r, plan, 3);
    struct slice columns[COLUMNS];
    struct reader readers[COLUMNS];
    int64_t offset = 0;
    int64_t object = 0;

    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = json_as_base64(r, json_at(r, plan, 4 + i), "column", arena);
        reader_init(&readers[i], columns[i]);
    }
    int64_t n = packed_count(columns[C_OFFSET]);
    if (r->failed || n < 0 || n > RUNS_MAX)
        return ERR_MALFORMED;
    *runs = arena_try_array(arena, (size_t)n, sizeof(**runs));
    if (*runs == NULL)
        return ERR_MALFORMED;
    for (int64_t i = 0; i < n; i++) {
        struct index_run *run = &(*runs)[i];
        run->base_offset = packed_get_delta(&readers[C_OFFSET], &offset);
        int64_t index = packed_get_delta(&readers[C_OBJECT], &object);
        int64_t records = packed_get(&readers[C_RECORDS]);
        int64_t position = packed_get(&readers[C_POSITION]);
        int64_t length = packed_get(&readers[C_LENGTH]);
        if (index < 0 || index >= (int64_t)json_count(objects) || records < 1 ||
            records > UINT32_MAX || position < 0 || length < 1 || length > INT32_MAX ||
            (i > 0 && run->base_offset != run[-1].base_offset + run[-1].records))
            return ERR_MALFORMED;
        run->object_id = json_as_uuid(r, json_at(r, objects, (size_t)index), "object id");
        run->records = (uint32_t)records;
        run->position = (uint64_t)position;
        run->length = (uint64_t)length;
    }
    for (size_t i = 0; i < C_TIME; i++)
        if (readers[i].failed || reader_left(&readers[i]) != 0)
            return ERR_MALFORMED;
    *count = (size_t)n;
    return r->failed ? ERR_MALFORMED : 0;
}

static int take_plan(struct planner *planner, struct plan_item *item, uint64_t resets,
                     const struct json *plan, struct err *err)
{
    struct json_reader r = {.err = err};
    struct index_run *runs = NULL;
    struct arena arena;
    size_t n = 0;

    int16_t error =
        (int16_t)json_as_int(&r, json_at(&r, plan, 0), "error", INT16_MIN, INT16_MAX);
    int64_t hw = json_as_int(&r, json_at(&r, plan, 1), "high watermark", -1, INT64_MAX);
    int64_t start = json_as_int(&r, json_at(&r, plan, 2), "log start", -1, INT64_MAX);
    if (r.failed)
        return ERR_MALFORMED;
    if (resets != tail_resets(planner->tail)) {
        tell(item, 0, 0); /* too old to be of use: the asker looks, and asks again */
        return 0;
    }
    arena_init(&arena, ANSWER_ARENA);
    int rc = error == 0 ? read_runs(&r, plan, &arena, &runs, &n) : 0;
    if (rc == 0) {
        if (error == 0 ||
            error == 1) /* out of range: the offsets are told all the same */
            tail_on_plan(planner->tail, item->entry, hw, start, runs, n);
        tell(item, 0, error);
    }
    arena_fini(&arena);
    return rc;
}

static void on_answer(int code, const char *text, const struct json *answer, void *arg)
{
    struct plan_batch *batch = arg;
    struct err err = {.code = code, .text = ""};
    struct json_reader r = {.err = &err};
    const char *why = code != 0 ? text : err.text;

    /* No planner_ask of a callback may land in this batch. */
    const struct json *plans = code == 0 ? json_get_array(&r, answer, "plans") : NULL;
    if (code == 0 && json_count(plans) != batch->count)
        code = err_set(&err, ERR_MALFORMED, "%zu plans for %zu partitions",
                       json_count(plans), batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct plan_item *item = &batch->items[i];
        int rc = code;
        if (rc == 0)
            rc = take_plan(batch->planner, item, batch->resets, json_at(&r, plans, i),
                           &err);
        if (rc != 0)
            tell(item, rc, 0);
    }
    if (err.code == ERR_MALFORMED)
        log_error("plan", "the control plane's answer makes no sense", "err=%s",
                  LOG_QUOTED(why));
    batch_free(batch);
}

static void send_open(struct loop_deferred *deferred)
{
    struct planner *planner = CONTAINER_OF(deferred, struct planner, deferred);
    struct plan_batch *batch = planner->open;
    struct json *body = json_object();
    struct json *list = json_array();

    if (batch == NULL) {
        json_free(body);
        json_free(list);
        return;
    }
    planner->open = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        struct json *row = json_array();
        json_push(row, json_uuid(tail_topic_id(batch->items[i].entry)));
        json_push(row, json_int(tail_partition(batch->items[i].entry)));
        json_push(row, json_int(batch->items[i].offset));
        json_push(row, json_int((int64_t)AHEAD_BYTES));
        json_push(list, row);
    }
    json_set(body, "partitions", list);
    list_push_back(&planner->in_flight, &batch->node);
    batch->resets = tail_resets(planner->tail);
    batch->call = ctl_send(planner->ctl, "/agent/v1/plan", body,
                           clock_monotonic_ms() + TIMEOUT_MS, on_answer, batch);
}
