/* lookup.c - see lookup.h; Kafka's ListOffsets rules are in kafka.md's section 3.8.
 *
 * The control plane knows offsets and each run's greatest timestamp: it answers the ends
 * of a log, and names the one run in which a timestamp must be looked for. That run is
 * read here and searched batch by batch, and only one batch is unpacked. */
#include "agent/lookup.h"

#include <string.h>

#include "agent/cache.h"
#include "agent/ctl.h"
#include "agent/read_gate.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"

#define TIMESTAMP_MAX (-3)
/* Plain records of the one batch that is unpacked. */
#define PLAIN_MAX (128 * MIB)

/* A run that is searched for the timestamp of one part. There are two where the log
 * begins within the first: what that was named for may be gone. */
struct search {
    struct lookup_op *op;
    struct offsets_part *part;
    struct uuid object_id;
    int64_t base_offset;
    int64_t log_start; /* records before it are no more, though they be in the run */
    uint64_t position, length;
    struct search_hold *holds;
    size_t hold_count;
    size_t unsettled;
    struct read_pass pass;
    bool done;
    int64_t offset, found_at_ms; /* -1: nothing found */
};

struct search_hold {
    struct cache_hold hold;
    struct search *search;
};

struct lookup_op {
    struct list_node node;
    struct lookup *lookup;
    struct offsets_ask *ask;
    struct ctl_call *call;
    struct search *searches;
    size_t search_count;
    size_t open;             /* searches that still read */
    struct loop_timer timer; /* the ask's deadline, while they do */
};

struct lookup {
    struct lookup_options options;
    struct list ops;
};

struct lookup *lookup_new(const struct lookup_options *options)
{
    struct lookup *lookup = mem_zalloc(sizeof(*lookup));

    lookup->options = *options;
    list_init(&lookup->ops);
    return lookup;
}

void lookup_free(struct lookup *lookup)
{
    ASSERT(list_empty(&lookup->ops));
    mem_free(lookup);
}

bool lookup_idle(const struct lookup *lookup)
{
    return list_empty(&lookup->ops);
}

/* The first of two that found something, or for the greatest the greater. */
static void take_result(const struct search *search)
{
    struct offsets_part *part = search->part;
    bool better = part->offset < 0 || (part->timestamp == TIMESTAMP_MAX &&
                                       search->found_at_ms > part->found_timestamp);
    if (part->kafka_error != 0 || search->offset < 0 || !better)
        return;
    part->offset = search->offset;
    part->found_timestamp = search->found_at_ms;
}

/* Let go of all that the search holds or waits for. */
static void release(struct search *search)
{
    const struct lookup_options *options = &search->op->lookup->options;

    while (search->hold_count > 0)
        cache_release(options->cache, &search->holds[--search->hold_count].hold);
    search->unsettled = 0;
    read_gate_leave(options->gate, &search->pass);
}

static void op_finish(struct lookup_op *op)
{
    struct offsets_ask *ask = op->ask;

    for (size_t i = 0; i < op->search_count; i++) {
        struct search *search = &op->searches[i];
        take_result(search);
        release(search);
        mem_free(search->holds);
    }
    loop_timer_fini(&op->timer);
    list_remove(&op->node);
    mem_free(op->searches);
    mem_free(op);
    ask_reply(&ask->ask);
}

static void fail_all(struct lookup_op *op, int16_t kafka_error)
{
    for (size_t i = 0; i < op->ask->part_count; i++)
        if (op->ask->parts[i].kafka_error == 0) {
            op->ask->parts[i].kafka_error = kafka_error;
            op->ask->parts[i].offset = -1;
            op->ask->parts[i].found_timestamp = -1;
        }
    op_finish(op);
}

/* ---- searching a run ---- */

/* The run's bytes in one piece: borrowed when they are, else copied into *COPY. */
static struct slice run_bytes(const struct search *search, struct str *copy)
{
    uint64_t at = search->position;
    uint64_t left = search->length;
    struct blob *blob;

    for (size_t i = 0; i < search->hold_count; i++) {
        const struct cache_hold *hold = &search->holds[i].hold;
        if (cache_hold_code(hold) != 0)
            return SLICE_NULL;
        struct slice bytes;
        while (left > 0 && (bytes = cache_bytes(hold, at, left, &blob)).len > 0) {
            if (bytes.len == search->length)
                return bytes;
            str_append_slice(copy, bytes);
            at += bytes.len;
            left -= bytes.len;
        }
    }
    return left == 0 && !copy->overflowed ? str_slice(copy) : SLICE_NULL;
}

/* One batch: true when the search ends here, with or without an error in the part. */
static bool search_batch(struct search *search, const struct batch_info *info,
                         int64_t greatest)
{
    struct offsets_part *part = search->part;
    bool by_max = part->timestamp == TIMESTAMP_MAX;
    bool found = true;
    int64_t offset;
    int64_t at_ms;
    int rc;

    if (info->max_timestamp < (by_max ? greatest : part->timestamp) ||
        batch_end_offset(info) <= search->log_start)
        return false;
    int64_t from = MAX(info->base_offset, search->log_start);
    rc = by_max ? batch_find_max_timestamp(info, from, PLAIN_MAX, &found, &offset, &at_ms)
                : batch_find_timestamp(info, part->timestamp, from, PLAIN_MAX, &found,
                                       &offset, &at_ms);
    if (rc != 0) {
        part->kafka_error = KAFKA_CORRUPT_MESSAGE;
        return true;
    }
    if (found) {
        search->offset = offset;
        search->found_at_ms = at_ms;
    }
    return found;
}

static void search_run(struct search *search)
{
    struct batch_iter iter;
    struct batch_info info;
    int64_t greatest = INT64_MIN;
    int64_t offset = search->base_offset;
    struct str copy;

    str_init(&copy, search->length);
    struct slice bytes = run_bytes(search, &copy);
    if (bytes.ptr == NULL)
        search->part->kafka_error = KAFKA_KAFKA_STORAGE_ERROR;
    batch_iter_init(&iter, bytes);
    while (batch_iter_next(&iter, &info)) {
        info.base_offset = offset;
        offset = batch_end_offset(&info);
        if (offset > search->log_start)
            greatest = MAX(greatest, info.max_timestamp);
    }
    offset = search->base_offset;
    batch_iter_init(&iter, bytes);
    while (batch_iter_next(&iter, &info)) {
        info.base_offset = offset;
        if (search_batch(search, &info, greatest))
            break;
        offset = batch_end_offset(&info);
    }
    if (iter.error != 0)
        search->part->kafka_error = KAFKA_KAFKA_STORAGE_ERROR;
    str_fini(&copy);
}

/* It has its result; what it held is for others now. */
static void search_end(struct search *search)
{
    struct lookup_op *op = search->op;

    search->done = true;
    release(search);
    if (--op->open == 0)
        op_finish(op);
}

static void on_hold_settled(struct cache_hold *hold)
{
    struct search *search = CONTAINER_OF(hold, struct search_hold, hold)->search;

    if (--search->unsettled > 0)
        return;
    search_run(search);
    search_end(search);
}

/* Pieces of the run at most. */
static size_t holds_needed(const struct search *search)
{
    return search->length / CACHE_CHUNK_BYTES + 2;
}

/* Hold the run, reading what is not in memory; false, and nothing is held, when there is
 * no room for that. */
static bool hold_run(struct search *search)
{
    const struct lookup_options *options = &search->op->lookup->options;
    uint64_t at = search->position;
    uint64_t end = at + search->length;
    size_t cap = holds_needed(search);

    while (at < end && search->hold_count < cap) {
        if (!cache_has(options->cache, &search->object_id, at) &&
            !read_gate_take(options->gate, &search->pass, true)) {
            release(search);
            return false;
        }
        struct search_hold *hold = &search->holds[search->hold_count++];
        hold->search = search;
        if (!cache_acquire(options->cache, &search->object_id, at, &hold->hold,
                           on_hold_settled))
            search->unsettled++;
        at = cache_hold_end(&hold->hold);
    }
    return true;
}

static void search_start(struct search *search);

static void on_entered(struct read_pass *pass)
{
    search_start(CONTAINER_OF(pass, struct search, pass));
}

static void search_start(struct search *search)
{
    struct read_gate *gate = search->op->lookup->options.gate;

    if (hold_run(search)) {
        if (search->unsettled > 0)
            return;
        search_run(search);
    } else if (read_gate_wait(gate, &search->pass, on_entered)) {
        return;
    } else {
        search->part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE; /* the agent ends */
    }
    search_end(search);
}

/* ---- the control plane's answer ---- */

static void read_run(struct json_reader *r, const struct json *run, int64_t log_start,
                     struct lookup_op *op, struct offsets_part *part)
{
    struct search *search = &op->searches[op->search_count];

    *search = (struct search){.op = op, .part = part, .offset = -1, .found_at_ms = -1};
    read_pass_init(&search->pass);
    search->object_id = json_as_uuid(r, json_at(r, run, 0), "object id");
    search->base_offset = json_as_int(r, json_at(r, run, 1), "offset", 0, INT64_MAX);
    search->log_start = log_start;
    search->position =
        (uint64_t)json_as_int(r, json_at(r, run, 3), "position", 0, INT64_MAX);
    search->length = (uint64_t)json_as_int(r, json_at(r, run, 4), "length", 1, INT32_MAX);
    if (!r->failed)
        op->search_count++;
}

static void read_answer(struct json_reader *r, const struct json *answer,
                        struct lookup_op *op, struct offsets_part *part)
{
    part->kafka_error =
        (int16_t)json_as_int(r, json_at(r, answer, 0), "error", INT16_MIN, INT16_MAX);
    part->offset = -1;
    part->found_timestamp = -1;
    if (part->kafka_error != 0 || r->failed)
        return;
    int64_t log_start = json_as_int(r, json_at(r, answer, 2), "log start", -1, INT64_MAX);
    const struct json *run = json_at(r, answer, 5);
    if (part->timestamp >= 0 || part->timestamp == TIMESTAMP_MAX) {
        if (!json_is_null(run))
            read_run(r, run, log_start, op, part);
        /* An older control plane has six values. */
        run = json_count(answer) > 6 ? json_at(r, answer, 6) : NULL;
        if (!json_is_null(run))
            read_run(r, run, log_start, op, part);
        return;
    }
    part->offset = json_as_int(r, json_at(r, answer, 3), "offset", -1, INT64_MAX);
}

/* The store is slow: what has been found is told, the rest is to be asked for again. */
static void on_deadline(struct loop_timer *timer, void *arg)
{
    struct lookup_op *op = arg;

    (void)timer;
    for (size_t i = 0; i < op->search_count; i++)
        if (!op->searches[i].done)
            op->searches[i].part->kafka_error = KAFKA_OFFSET_NOT_AVAILABLE;
    op_finish(op);
}

static void on_answer(int code, const char *text, const struct json *body, void *arg)
{
    struct lookup_op *op = arg;
    struct err err;
    struct json_reader r = {.err = &err};
    size_t k = 0;

    (void)text;
    op->call = NULL;
    if (code != 0) {
        fail_all(op, KAFKA_OFFSET_NOT_AVAILABLE);
        return;
    }
    const struct json *answers = json_get_array(&r, body, "answers");
    for (size_t i = 0; i < op->ask->part_count && !r.failed; i++)
        if (op->ask->parts[i].kafka_error == 0)
            read_answer(&r, json_at(&r, answers, k++), op, &op->ask->parts[i]);
    if (r.failed) {
        op->search_count = 0;
        fail_all(op, KAFKA_UNKNOWN_SERVER_ERROR);
        return;
    }
    /* One more, so that none of those that are there already ends the whole. */
    op->open = op->search_count + 1;
    for (size_t i = 0; i < op->search_count; i++) {
        struct search *search = &op->searches[i];
        search->holds = mem_zalloc(holds_needed(search) * sizeof(*search->holds));
        search_start(search);
    }
    if (--op->open == 0) {
        op_finish(op);
        return;
    }
    loop_timer_init(&op->timer, op->lookup->options.loop, on_deadline, op);
    loop_timer_set(&op->timer, op->ask->deadline_at_ms - clock_monotonic_ms());
}

void lookup_ask(struct lookup *lookup, struct offsets_ask *ask)
{
    struct lookup_op *op = mem_zalloc(sizeof(*op));
    struct json *body = json_object();
    struct json *queries = json_array();
    size_t n = 0;

    op->lookup = lookup;
    op->ask = ask;
    op->searches = mem_zalloc(2 * ask->part_count * sizeof(*op->searches) + 1);
    list_push_back(&lookup->ops, &op->node);
    for (size_t i = 0; i < ask->part_count; i++) {
        const struct offsets_part *part = &ask->parts[i];
        if (part->kafka_error != 0)
            continue;
        struct json *row = json_array();
        json_push(row, json_uuid(&part->topic_id));
        json_push(row, json_int(part->partition));
        json_push(row, json_int(part->timestamp));
        json_push(queries, row);
        n++;
    }
    json_set(body, "queries", queries);
    if (n == 0) {
        json_free(body);
        op_finish(op);
        return;
    }
    op->call = ctl_send(lookup->options.ctl, "/agent/v1/offsets", body,
                        ask->deadline_at_ms, on_answer, op);
    ask_trace(&ask->ask, ctl_request_id(op->call));
}

void lookup_drain(struct lookup *lookup)
{
    LIST_FOREACH(node, next, &lookup->ops)
    {
        struct lookup_op *op = CONTAINER_OF(node, struct lookup_op, node);
        if (op->call == NULL)
            continue; /* it only reads; that ends by itself */
        ctl_cancel(op->call);
        fail_all(op, KAFKA_REQUEST_TIMED_OUT);
    }
}
