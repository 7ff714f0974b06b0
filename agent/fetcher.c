/* fetcher.c - see fetcher.h; the rules are KIP-74's and Kafka's (max_wait, min_bytes).
 *
 * A fetch is looked at whenever something may have changed for it:
 *
 *   COLLECTING --fetch_step: some offset is not in memory--> a plan is asked, and again
 *       |                      nothing or too little there--> waits on its partitions
 *       | enough, an error, or the deadline
 *       v
 *   LOADING    --all holds settled (cache.h)--> assembled (fetch_assemble.c), answered
 *       | the store must be read, and others read as much as memory allows
 *       v
 *   QUEUED     --let in (read_gate.h)--> LOADING
 *
 * The deadline (max_wait) ends waiting for new records, not the reading of those that are
 * there: a slow store would otherwise stop a reader for good. An offset is called out of
 * range only after the control plane said so. */
#include "agent/fetcher.h"

#include "agent/cache.h"
#include "agent/ctl.h"
#include "agent/fetch_op.h"
#include "agent/meta.h"
#include "agent/metrics.h"
#include "agent/plan.h"
#include "agent/tail.h"
#include "agent/traffic.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "proto/kafka_error.h"

/* Plans for one partition of one fetch before it is answered "try again". */
#define PLANS_MAX 4
/* Chunks that one fetch reads from the store at a time; the rest comes next time. */
#define READS_MAX 16
/* Runs that one fetch answers with at most. */
#define RUNS_MAX 16384

struct fetcher {
    struct fetcher_options options;
    struct planner *planner;
    struct list ops;
    bool draining;
};

static void fetch_step(struct fetch_op *op);

struct fetcher *fetcher_new(const struct fetcher_options *options)
{
    struct fetcher *fetcher = mem_zalloc(sizeof(*fetcher));

    fetcher->options = *options;
    fetcher->planner = planner_new(options->loop, options->ctl, options->tail);
    list_init(&fetcher->ops);
    return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
    ASSERT(list_empty(&fetcher->ops));
    planner_free(fetcher->planner);
    mem_free(fetcher);
}

bool fetcher_idle(const struct fetcher *fetcher)
{
    return list_empty(&fetcher->ops);
}

/* ---- the end of a fetch ---- */

static void op_free(struct fetch_op *op)
{
    struct fetcher *fetcher = op->fetcher;

    op->ask->fetch = NULL;
    for (size_t i = 0; i < op->part_count; i++) {
        planner_forget(&op->parts[i].plan);
        list_remove(&op->parts[i].wait);
        if (op->parts[i].entry != NULL)
            tail_unuse(fetcher->options.tail, op->parts[i].entry);
    }
    for (size_t i = 0; i < op->hold_count; i++)
        cache_release(fetcher->options.cache, &op->holds[i].hold);
    loop_timer_fini(&op->timer);
    list_remove(&op->node);
    read_gate_leave(fetcher->options.gate, &op->pass);
    metric_add(agent_metric(fetches_open), -1);
    mem_free(op->holds);
    mem_free(op->runs);
    mem_free(op->parts);
    mem_free(op);
}

/* Offsets that the reader is told beside the records. */
static void fill_offsets(struct fetch_op *op)
{
    for (size_t i = 0; i < op->part_count; i++) {
        const struct fetch_op_part *from = &op->parts[i];
        struct fetch_part *part = from->part;
        if (from->entry == NULL)
            continue;
        if (part->kafka_error == 0 && from->high_watermark < 0)
            part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
        bool told =
            part->kafka_error == 0 || part->kafka_error == KAFKA_OFFSET_OUT_OF_RANGE;
        part->high_watermark = told ? from->high_watermark : -1;
        part->last_stable_offset = part->high_watermark;
        part->log_start_offset = told ? from->log_start : -1;
    }
}

/* What it gave to whom, and in what time: for fetches with records in their answer, since
 * all others take as long as their clients want. */
static void count(const struct fetch_op *op)
{
    const struct fetcher_options *options = &op->fetcher->options;
    int64_t now_ms = loop_now_ms(options->loop);
    bool any = false;

    for (size_t i = 0; i < op->part_count; i++) {
        const struct fetch_op_part *part = &op->parts[i];
        if (part->records == 0)
            continue;
        any = true;
        traffic_fetched(options->traffic, &part->part->topic_id, (uint64_t)part->records,
                        part->part->bytes, now_ms);
    }
    if (any)
        metric_observe(agent_metric(fetch_seconds),
                       clock_monotonic_us() - op->begun_at_us);
}

static void op_finish(struct fetch_op *op)
{
    struct fetch_ask *ask = op->ask;

    fetch_assemble(op);
    count(op);
    fill_offsets(op);
    op_free(op);
    ask_reply(&ask->ask);
}

void fetcher_cancel(struct fetch_ask *ask)
{
    struct fetch_op *op = ask->fetch;

    if (op == NULL)
        return;
    op_free(op);
    ask_reply(&ask->ask);
}

/* ---- loading ---- */

static void on_hold_settled(struct cache_hold *hold)
{
    struct fetch_op *op = CONTAINER_OF(hold, struct fetch_hold, hold)->op;

    ASSERT(op->state == FETCH_LOADING && op->unsettled > 0);
    if (--op->unsettled == 0)
        op_finish(op);
}

/* What is in memory may be held, else the gate decides; but the first run is read whole
 * once it is begun, so that every fetch gets on. */
static bool may_hold(struct fetch_op *op, const struct fetch_run *run, uint64_t position,
                     bool first)
{
    const struct fetcher_options *options = &op->fetcher->options;

    if (cache_has(options->cache, &run->run.object_id, position))
        return true;
    return (first || op->pass.used < READS_MAX) &&
           read_gate_take(options->gate, &op->pass, first);
}

static void let_run_go(struct fetch_op *op, struct fetch_run *run)
{
    while (op->hold_count > run->first_hold) {
        struct cache_hold *hold = &op->holds[--op->hold_count].hold;
        if (list_linked(&hold->node))
            op->unsettled--;
        cache_release(op->fetcher->options.cache, hold);
    }
}

/* Hold all of RUN; false when that would read more from the store than one fetch may. */
static bool hold_run(struct fetch_op *op, struct fetch_run *run, bool first)
{
    uint64_t at = run->run.position;
    uint64_t end = at + run->run.length;

    run->first_hold = op->hold_count;
    while (at < end) {
        if (op->hold_count == op->hold_cap || !may_hold(op, run, at, first)) {
            let_run_go(op, run);
            return false;
        }
        struct fetch_hold *hold = &op->holds[op->hold_count];
        hold->op = op;
        bool settled = cache_acquire(op->fetcher->options.cache, &run->run.object_id, at,
                                     &hold->hold, on_hold_settled);
        op->hold_count++;
        if (!settled)
            op->unsettled++;
        at = settled && cache_hold_code(&hold->hold) != 0 ? end
                                                          : cache_hold_end(&hold->hold);
    }
    run->hold_count = op->hold_count - run->first_hold;
    return true;
}

static int64_t end_of(const struct index_run *run)
{
    return run->base_offset + run->records;
}

/* Runs of one partition from its offset on, until a limit is reached. What the index has
 * may lie in several spans, one behind the other. */
static void choose_of_part(struct fetch_op *op, struct fetch_op_part *part,
                           int64_t *total)
{
    int64_t offset = part->part->offset;
    int64_t bytes = 0;
    const struct index_run *runs;
    size_t n;

    while ((n = tail_find(part->entry, offset, &runs)) > 0) {
        for (size_t k = 0; k < n; k++) {
            bool full = bytes >= part->part->max_bytes || *total >= op->ask->max_bytes ||
                        op->run_count == RUNS_MAX;
            if (op->run_count > 0 && full)
                return;
            if (op->run_count == op->run_cap) {
                op->run_cap = op->run_cap == 0 ? 16 : op->run_cap * 2;
                op->runs = mem_realloc(op->runs, op->run_cap * sizeof(*op->runs));
            }
            op->runs[op->run_count++] = (struct fetch_run){runs[k], 0, 0};
            bytes += (int64_t)runs[k].length;
            *total += (int64_t)runs[k].length;
        }
        offset = end_of(&runs[n - 1]);
    }
}

static void choose_runs(struct fetch_op *op)
{
    int64_t total = 0;

    for (size_t i = 0; i < op->part_count; i++) {
        struct fetch_op_part *part = &op->parts[i];
        part->first_run = op->run_count;
        part->high_watermark = part->log_start = -1;
        if (part->entry == NULL || !tail_known(part->entry))
            continue;
        /* An answer that ends before the offset would be false: the plan is still open.
         */
        if (part->part->kafka_error == 0 &&
            (part->part->offset > tail_high_watermark(part->entry) ||
             part->part->offset < tail_entry_log_start(part->entry)))
            continue;
        part->high_watermark = tail_high_watermark(part->entry);
        part->log_start = tail_entry_log_start(part->entry);
        if (part->part->kafka_error == 0)
            choose_of_part(op, part, &total);
        part->run_count = op->run_count - part->first_run;
    }
}

/* Pieces of one run at most: a run lies in one object of our own, or in chunks. */
static size_t holds_needed(const struct fetch_op *op)
{
    size_t n = 0;

    for (size_t i = 0; i < op->run_count; i++)
        n += op->runs[i].run.length / CACHE_CHUNK_BYTES + 2;
    return n;
}

static void load(struct fetch_op *op);

static void on_entered(struct read_pass *pass)
{
    load(CONTAINER_OF(pass, struct fetch_op, pass));
}

/* False when it need not or cannot wait. */
static bool wait_for_room(struct fetch_op *op)
{
    if (op->pass.chunks > 0 ||
        !read_gate_wait(op->fetcher->options.gate, &op->pass, on_entered))
        return false;
    op->state = FETCH_QUEUED;
    return true;
}

static void load(struct fetch_op *op)
{
    op->state = FETCH_LOADING;
    for (size_t i = 0; i < op->run_count; i++) {
        if (hold_run(op, &op->runs[i], i == 0))
            continue;
        if (i == 0 && wait_for_room(op))
            return;
        /* What was not held is left out: the reader asks again from there. */
        op->runs[i].hold_count = 0;
    }
    if (op->unsettled == 0)
        op_finish(op);
}

static void start_loading(struct fetch_op *op)
{
    for (size_t i = 0; i < op->part_count; i++)
        list_remove(&op->parts[i].wait);
    choose_runs(op);
    op->hold_cap = holds_needed(op);
    op->holds = mem_zalloc(op->hold_cap * sizeof(*op->holds));
    load(op);
}

/* ---- collecting ---- */

static void on_planned(struct plan_ask *plan, int code, int16_t kafka_error)
{
    struct fetch_op_part *part = CONTAINER_OF(plan, struct fetch_op_part, plan);
    struct fetch_op *op = part->op;

    part->planning = false;
    op->planning--;
    if (code != 0)
        part->part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
    else if (kafka_error != 0)
        part->part->kafka_error = kafka_error;
    if (op->state == FETCH_COLLECTING && op->planning == 0)
        fetch_step(op);
}

static void ask_plan(struct fetch_op_part *part)
{
    if (++part->plans > PLANS_MAX) {
        part->part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
        return;
    }
    metric_add(agent_metric(fetch_plans_total), 1);
    part->planning = true;
    part->op->planning++;
    part->plan.entry = part->entry;
    part->plan.offset = part->part->offset;
    part->plan.done = on_planned;
    planner_ask(part->op->fetcher->planner, &part->plan);
}

/* Bytes of one partition that the fetch could have now; asks for a plan when its offset
 * is not in memory. */
static int64_t look_at(struct fetch_op_part *part)
{
    struct tail_entry *entry = part->entry;
    int64_t offset = part->part->offset;
    int64_t bytes = 0;
    const struct index_run *runs;

    if (part->part->kafka_error != 0 || part->planning)
        return 0;
    if (tail_deleted(entry)) {
        part->part->kafka_error = KAFKA_UNKNOWN_TOPIC_ID;
        return 0;
    }
    /* A log's start never goes back, so this needs no asking. */
    if (tail_known(entry) && offset < tail_entry_log_start(entry)) {
        part->part->kafka_error = KAFKA_OFFSET_OUT_OF_RANGE;
        return 0;
    }
    if (tail_known(entry) && offset == tail_high_watermark(entry))
        return 0;
    if (!tail_known(entry) || tail_find(entry, offset, &runs) == 0) {
        if (part->op->fetcher->draining)
            part->part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
        else
            ask_plan(part);
        return 0;
    }
    size_t n;
    while (bytes < part->part->max_bytes && (n = tail_find(entry, offset, &runs)) > 0) {
        for (size_t i = 0; i < n && bytes < part->part->max_bytes; i++)
            bytes += (int64_t)runs[i].length;
        offset = end_of(&runs[n - 1]);
    }
    return bytes;
}

static void wait_for_change(struct fetch_op *op)
{
    for (size_t i = 0; i < op->part_count; i++)
        if (op->parts[i].entry != NULL && !list_linked(&op->parts[i].wait))
            tail_wait(op->parts[i].entry, &op->parts[i].wait);
}

static void fetch_step(struct fetch_op *op)
{
    int64_t bytes = 0;
    bool error = false;

    ASSERT(op->state == FETCH_COLLECTING);
    for (size_t i = 0; i < op->part_count; i++) {
        if (op->parts[i].entry != NULL)
            bytes += look_at(&op->parts[i]);
        error |= op->parts[i].part->kafka_error != 0;
    }
    /* Others' plans are not waited for when there is something to say by the deadline;
     * with nothing to say yet, the plan itself has a deadline. */
    bool late = op->expired || op->fetcher->draining;
    if (op->planning > 0 && !(late && (bytes > 0 || error)))
        return;
    if (error || late || bytes >= op->ask->min_bytes) {
        start_loading(op);
        return;
    }
    wait_for_change(op);
}

static void on_deadline(struct loop_timer *timer, void *arg)
{
    struct fetch_op *op = arg;

    (void)timer;
    op->expired = true;
    if (op->state == FETCH_COLLECTING)
        fetch_step(op);
}

void fetcher_ask(struct fetcher *fetcher, struct fetch_ask *ask)
{
    struct fetch_op *op = mem_zalloc(sizeof(*op));

    metric_add(agent_metric(fetch_requests_total), 1);
    metric_add(agent_metric(fetches_open), 1);
    op->fetcher = fetcher;
    op->begun_at_us = clock_monotonic_us();
    op->ask = ask;
    ask->fetch = op;
    op->part_count = ask->part_count;
    op->parts = mem_zalloc(ask->part_count * sizeof(*op->parts) + 1);
    list_node_init(&op->woken);
    read_pass_init(&op->pass);
    list_push_back(&fetcher->ops, &op->node);
    for (size_t i = 0; i < ask->part_count; i++) {
        struct fetch_op_part *part = &op->parts[i];
        part->op = op;
        part->part = &ask->parts[i];
        list_node_init(&part->wait);
        if (part->part->kafka_error == 0)
            part->entry = tail_use(fetcher->options.tail, &part->part->topic_id,
                                   part->part->partition);
    }
    loop_timer_init(&op->timer, fetcher->options.loop, on_deadline, op);
    int64_t wait_ms = ask->deadline_at_ms - clock_monotonic_ms();
    op->expired = wait_ms <= 0;
    if (!op->expired)
        loop_timer_set(&op->timer, wait_ms);
    fetch_step(op);
}

void fetcher_on_tail(struct fetcher *fetcher)
{
    struct list *changed = tail_changed(fetcher->options.tail);
    struct list woken;
    struct list_node *node;
    int64_t now_us = 0;

    /* Each fetch once, however many of its partitions changed. */
    list_init(&woken);
    while ((node = list_pop_front(changed)) != NULL) {
        struct fetch_op *op = CONTAINER_OF(node, struct fetch_op_part, wait)->op;
        if (!list_linked(&op->woken))
            list_push_back(&woken, &op->woken);
    }
    while ((node = list_pop_front(&woken)) != NULL) {
        struct fetch_op *op = CONTAINER_OF(node, struct fetch_op, woken);
        if (op->state != FETCH_COLLECTING)
            continue;
        if (now_us == 0)
            now_us = clock_monotonic_us();
        op->begun_at_us = now_us;
        fetch_step(op);
    }
}

/* The control plane may be gone, and its answer with it. */
static void give_plans_up(struct fetch_op *op)
{
    for (size_t i = 0; i < op->part_count; i++) {
        struct fetch_op_part *part = &op->parts[i];
        if (!part->planning)
            continue;
        planner_forget(&part->plan);
        part->planning = false;
        part->part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
    }
    op->planning = 0;
}

void fetcher_drain(struct fetcher *fetcher)
{
    fetcher->draining = true;
    LIST_FOREACH(node, next, &fetcher->ops)
    {
        struct fetch_op *op = CONTAINER_OF(node, struct fetch_op, node);
        if (op->state != FETCH_COLLECTING)
            continue;
        give_plans_up(op);
        fetch_step(op);
    }
}
