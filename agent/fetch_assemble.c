/* fetch_assemble.c - see fetch_op.h: from held bytes to the answer of a Fetch.
 *
 * No payload is copied. Of each batch the first BATCH_PATCH_BYTES are written anew into
 * the request's arena, with the base offset that the control plane gave; the rest stays
 * where it is, as one slice, or more where a batch lies across pieces. */
#include <string.h>

#include "agent/fetch_op.h"
#include "agent/metrics.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"

/* Weft has no leaders; the epoch never changes (kafka.md: it must not go back). */
#define LEADER_EPOCH 0
/* Slices of one answer at most: a bound for the arena; the reader asks again. */
#define SLICES_MAX 65536

/* Where in a run we are, and through which hold it is read. */
struct place {
    struct fetch_op *op;
    const struct fetch_run *run;
    size_t hold;
    uint64_t position;
};

struct output {
    struct fetch_op *op;
    struct fetch_part *part;
    size_t slice_cap;
    size_t blob_cap;
    int64_t total;   /* bytes of all parts so far */
    int64_t records; /* in them */
    size_t slices;   /* of all parts before this one */
};

/* The contiguous bytes at PLACE, LEN at most; empty when the holds do not have them. */
static struct slice bytes_at(struct place *place, uint64_t len, struct blob **blob)
{
    while (place->hold < place->run->hold_count) {
        const struct fetch_hold *hold =
            &place->op->holds[place->run->first_hold + place->hold];
        struct slice bytes = SLICE_NULL;
        if (cache_hold_code(&hold->hold) == 0)
            bytes = cache_bytes(&hold->hold, place->position, len, blob);
        if (bytes.len > 0)
            return bytes;
        place->hold++;
    }
    return SLICE_NULL;
}

static void push_slice(struct output *out, struct slice bytes)
{
    struct fetch_part *part = out->part;

    if (part->slice_count == out->slice_cap) {
        size_t cap = out->slice_cap == 0 ? 32 : out->slice_cap * 2;
        struct slice *slices = arena_array(out->op->ask->ask.arena, cap, sizeof(*slices));
        if (part->slice_count > 0)
            memcpy(slices, part->slices, part->slice_count * sizeof(*slices));
        part->slices = slices;
        out->slice_cap = cap;
    }
    part->slices[part->slice_count++] = bytes;
    part->bytes += bytes.len;
    out->total += (int64_t)bytes.len;
}

static void push_blob(struct output *out, struct blob *blob)
{
    struct fetch_ask *ask = out->op->ask;

    if (ask->blob_count > 0 && ask->blobs[ask->blob_count - 1] == blob)
        return;
    if (ask->blob_count == out->blob_cap) {
        size_t cap = out->blob_cap == 0 ? 16 : out->blob_cap * 2;
        struct blob **blobs = arena_array(ask->ask.arena, cap, sizeof(struct blob *));
        if (ask->blob_count > 0)
            memcpy(blobs, ask->blobs, ask->blob_count * sizeof(struct blob *));
        ask->blobs = blobs;
        out->blob_cap = cap;
    }
    ask->blobs[ask->blob_count++] = blob_ref(blob);
}

/* The header of the batch at PLACE, wherever its bytes lie. */
static bool read_header(const struct place *from, uint8_t header[BATCH_HEADER_BYTES])
{
    struct place place = *from;
    size_t got = 0;

    while (got < BATCH_HEADER_BYTES) {
        struct blob *blob;
        struct slice bytes = bytes_at(&place, BATCH_HEADER_BYTES - got, &blob);
        if (bytes.len == 0)
            return false;
        memcpy(header + got, bytes.ptr, bytes.len);
        got += bytes.len;
        place.position += bytes.len;
    }
    return true;
}

/* Append the batch of LENGTH bytes at PLACE with its base offset; PLACE moves behind it.
 * False when its bytes are not all there: then nothing was appended. */
static bool emit_batch(struct output *out, struct place *place, uint64_t length,
                       const uint8_t header[BATCH_HEADER_BYTES], int64_t base_offset)
{
    struct fetch_part *part = out->part;
    size_t slices_before = part->slice_count;
    size_t bytes_before = part->bytes;
    int64_t total_before = out->total;
    uint64_t left = length - BATCH_PATCH_BYTES;
    struct place at = *place;

    uint8_t *head = arena_alloc(out->op->ask->ask.arena, BATCH_PATCH_BYTES);
    memcpy(head, header, BATCH_PATCH_BYTES);
    batch_put_base_offset(head, base_offset, LEADER_EPOCH);
    push_slice(out, slice_of(head, BATCH_PATCH_BYTES));
    at.position += BATCH_PATCH_BYTES;
    while (left > 0) {
        struct blob *blob;
        struct slice bytes = bytes_at(&at, left, &blob);
        if (bytes.len == 0) {
            part->slice_count = slices_before;
            part->bytes = bytes_before;
            out->total = total_before;
            return false;
        }
        push_slice(out, bytes);
        push_blob(out, blob);
        at.position += bytes.len;
        left -= bytes.len;
    }
    *place = at;
    return true;
}

enum run_outcome { RUN_DONE, RUN_FULL, RUN_MISSING, RUN_DAMAGED };

/* Append the batches of one run that the reader has not seen. */
static enum run_outcome emit_run(struct output *out, const struct fetch_run *run)
{
    struct place place = {out->op, run, 0, run->run.position};
    uint64_t end = run->run.position + run->run.length;
    int64_t end_offset = run->run.base_offset + run->run.records;
    int64_t offset = run->run.base_offset;
    uint8_t header[BATCH_HEADER_BYTES];

    while (place.position < end) {
        if (!read_header(&place, header))
            return RUN_MISSING;
        uint64_t length = (uint64_t)be32_get(header + 8) + BATCH_LENGTH_OVERHEAD;
        int64_t records = (int64_t)(int32_t)be32_get(header + 23) + 1;
        if (length < BATCH_HEADER_BYTES || length > end - place.position || records < 1 ||
            records > end_offset - offset)
            return RUN_DAMAGED;
        if (offset + records <= out->part->offset) {
            place.position += length;
        } else {
            bool over = (int64_t)(out->part->bytes + length) > out->part->max_bytes ||
                        out->total + (int64_t)length > out->op->ask->max_bytes;
            bool many = out->slices + out->part->slice_count > SLICES_MAX;
            if (out->total > 0 && (over || many))
                return RUN_FULL;
            if (!emit_batch(out, &place, length, header, offset))
                return RUN_MISSING;
            out->records += records;
        }
        offset += records;
    }
    return offset == end_offset ? RUN_DONE : RUN_DAMAGED;
}

static void report(const struct fetch_op_part *part, const struct fetch_run *run,
                   enum run_outcome outcome)
{
    static struct log_limit limit = {.interval_ms = 5000};
    char object[UUID_TEXT_LEN + 1];
    char topic[UUID_TEXT_LEN + 1];
    uint64_t dropped;

    if (!log_limit_pass(&limit, clock_monotonic_ms(), &dropped))
        return;
    log_error("fetch",
              outcome == RUN_DAMAGED ? "a run does not hold the batches it should"
                                     : "a run could not be read",
              "object=%s position=%llu topic=%s partition=%d offset=%lld",
              uuid_print(&run->run.object_id, object),
              (unsigned long long)run->run.position,
              uuid_print(&part->part->topic_id, topic), part->part->partition,
              (long long)run->run.base_offset);
}

void fetch_assemble(struct fetch_op *op)
{
    struct output out = {.op = op};

    for (size_t i = 0; i < op->part_count; i++) {
        struct fetch_op_part *part = &op->parts[i];
        enum run_outcome outcome = RUN_DONE;
        int64_t records_before = out.records;
        out.part = part->part;
        out.slice_cap = 0;
        for (size_t k = 0; k < part->run_count && outcome == RUN_DONE; k++) {
            const struct fetch_run *run = &op->runs[part->first_run + k];
            if (run->hold_count == 0)
                break;
            outcome = emit_run(&out, run);
            if (outcome == RUN_MISSING || outcome == RUN_DAMAGED)
                report(part, run, outcome);
        }
        if ((outcome == RUN_MISSING || outcome == RUN_DAMAGED) && out.part->bytes == 0)
            out.part->kafka_error = KAFKA_KAFKA_STORAGE_ERROR;
        part->records = out.records - records_before;
        out.slices += out.part->slice_count;
    }
    metric_add(agent_metric(fetch_bytes_total), out.total);
    metric_add(agent_metric(fetch_records_total), out.records);
}
