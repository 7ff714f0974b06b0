/* apply_commit.c - an object's runs become part of their partitions: offsets are given.
 *
 * The hot path of the control plane: 320 runs of 5 batches in a fraction of a
 * millisecond. In order: is it a repeat (I5), is it too old (I6), are its columns sound;
 * then run by run and batch by batch the producer's sequence is judged and what is
 * accepted appended. A refused batch fails alone; the run is then indexed in pieces
 * around it. Nothing is changed before all columns were read. */
#include <string.h>

#include "common/crc32c.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* A result is kept so much longer than a repeat would be accepted. */
#define RESULT_GRACE_MS 3600000

/* Make room for one more in a scratch array; its bound is the commit's own. */
#define GROW(array, count, cap)                                                          \
    ((count) < (cap) ? (void)0                                                           \
                     : (void)((array) = grow((array), &(cap), sizeof(*(array)))))

static void *grow(void *array, uint32_t *cap, size_t size)
{
    *cap = *cap == 0 ? 256 : *cap * 2;
    return mem_realloc(array, *cap * size);
}

static void refuse(struct state *state, int code)
{
    struct commit_result result = {.code = code};
    commit_result_write(&result, &state->commit.result);
}

/* ---- reading ---- */

static bool decode_batches(struct apply_scratch *s, struct commit_walk *walk,
                           struct apply_run *run)
{
    run->first_batch = s->batch_count;
    while (commit_walk_next_batch(walk)) {
        if (s->batch_count == run->first_batch)
            run->position = walk->position;
        if (s->batch_count == COMMIT_BATCHES_MAX)
            return false;
        GROW(s->batches, s->batch_count, s->batch_cap);
        s->batches[s->batch_count++] =
            (struct apply_batch){.max_timestamp = walk->max_timestamp,
                                 .length = walk->length,
                                 .records = walk->records,
                                 .producer = walk->producer,
                                 .sequence = walk->sequence};
    }
    return !walk->failed;
}

/* Unfold the columns of COMMIT into the scratch arrays; checks what commit_check does. */
static bool decode(struct apply_scratch *s, const struct commit *commit)
{
    struct commit_walk walk;

    s->run_count = s->batch_count = 0;
    if (commit->topic_count < 1 || commit->topic_count > COMMIT_TOPICS_MAX ||
        commit->producer_count > COMMIT_PRODUCERS_MAX || commit->created_at_ms < 0 ||
        uuid_is_zero(&commit->object_id))
        return false;
    for (uint32_t i = 0; i < commit->producer_count; i++) {
        if (commit->producers[i].producer_id < 0 ||
            commit->producers[i].producer_epoch < 0)
            return false;
    }
    commit_walk_init(&walk, commit);
    while (commit_walk_next_run(&walk)) {
        if (s->run_count == COMMIT_RUNS_MAX)
            return false;
        GROW(s->runs, s->run_count, s->run_cap);
        struct apply_run *run = &s->runs[s->run_count++];
        run->topic = walk.topic;
        run->partition = walk.partition;
        run->batches = walk.batches;
        if (!decode_batches(s, &walk, run))
            return false;
    }
    return !walk.failed && s->run_count > 0 && walk.next_position <= commit->object_size;
}

static void resolve_topics(struct apply_scratch *s, const struct cluster *cluster,
                           const struct commit *commit)
{
    if (s->topic_cap < commit->topic_count) {
        s->topic_cap = commit->topic_count;
        s->topics = mem_realloc(s->topics, s->topic_cap * sizeof(struct topic *));
    }
    for (uint32_t i = 0; i < commit->topic_count; i++)
        s->topics[i] = catalog_topic(cluster, &commit->topics[i]);
}

/* ---- one run ---- */

/* A run while it is appended: the piece that is open, and the producer seen last. */
struct appending {
    struct state *state;
    const struct commit *commit;
    struct stored_object *object;
    struct partition *partition;
    struct run piece; /* records 0: none open */
    struct producer *producer;
    uint32_t producer_index; /* in the commit; 0: none looked up yet */
    uint32_t run;
    int64_t now_ms;
    int64_t first_offset; /* of what was accepted; -1: nothing yet */
};

static void except(struct apply_scratch *s, uint32_t run, int32_t batch, int16_t error,
                   const struct producer_batch *duplicate)
{
    GROW(s->exceptions, s->exception_count, s->exception_cap);
    s->exceptions[s->exception_count++] = (struct commit_exception){
        .run = run,
        .batch = batch,
        .kafka_error = error,
        .base_offset = duplicate == NULL ? -1 : duplicate->base_offset,
        .timestamp = duplicate == NULL ? -1 : duplicate->timestamp};
}

static void close_piece(struct appending *a)
{
    struct apply_scratch *s = &a->state->commit;
    struct run *piece = &a->piece;

    if (piece->records == 0)
        return;
    partition_append(a->partition, piece);
    a->object->run_count++;
    GROW(s->accepted, s->accepted_count, s->accepted_cap);
    s->accepted[s->accepted_count++] =
        (struct committed_run){.topic = a->partition->topic,
                               .partition = a->partition->index,
                               .base_offset = piece->base_offset,
                               .records = piece->records,
                               .length = piece->length,
                               .position = piece->position,
                               .max_timestamp = piece->max_timestamp};
    piece->records = 0;
}

/* Add BATCH at POSITION of the object to the open piece, or open one. */
static void extend_piece(struct appending *a, const struct apply_batch *batch,
                         uint64_t position)
{
    struct run *piece = &a->piece;

    /* Batches are below 2^31 bytes and records each; so are the runs of the index. */
    if (piece->records > INT32_MAX - batch->records ||
        piece->length > INT32_MAX - batch->length)
        close_piece(a);
    if (piece->records == 0)
        *piece = (struct run){.object = a->object,
                              .position = position,
                              .max_timestamp = batch->max_timestamp};
    piece->records += batch->records;
    piece->length += batch->length;
    piece->max_timestamp = MAX(piece->max_timestamp, batch->max_timestamp);
}

/* Judge BATCH's sequence; *DUPLICATE as in producers_judge. */
static int16_t judge(struct appending *a, const struct apply_batch *batch,
                     const struct producer_batch **duplicate)
{
    const struct commit_producer *from = &a->commit->producers[batch->producer - 1];

    if (a->producer_index != batch->producer) {
        a->producer = producers_find(a->partition, from->producer_id);
        a->producer_index = batch->producer;
    }
    return producers_judge(a->producer, from->producer_epoch, batch->sequence,
                           batch->records, duplicate);
}

static void accept(struct appending *a, const struct apply_batch *batch,
                   uint64_t position)
{
    /* What the open piece holds is not in next_offset yet. */
    int64_t offset = a->partition->next_offset + a->piece.records;

    struct apply_scratch *s = &a->state->commit;
    s->bytes += batch->length;
    s->records += batch->records;
    s->batch_sum++;
    if (a->first_offset < 0) {
        apply_touch(a->state, &a->partition->row);
        a->first_offset = offset;
    }
    extend_piece(a, batch, position);
    if (batch->producer == 0)
        return;
    const struct commit_producer *from = &a->commit->producers[batch->producer - 1];
    struct producer_batch remembered = {
        .base_offset = offset,
        .timestamp = batch->max_timestamp,
        .first_sequence = batch->sequence,
        .last_sequence = producers_last_sequence(batch->sequence, batch->records)};
    a->producer =
        producers_record(&a->state->producers, a->partition, a->producer,
                         from->producer_id, from->producer_epoch, &remembered, a->now_ms);
}

static void append_run(struct appending *a, const struct apply_run *run)
{
    struct apply_scratch *s = &a->state->commit;
    uint64_t position = run->position;

    for (uint32_t i = 0; i < run->batches; i++) {
        const struct apply_batch *batch = &s->batches[run->first_batch + i];
        const struct producer_batch *duplicate = NULL;
        int16_t error = batch->producer == 0 ? 0 : judge(a, batch, &duplicate);
        if (error == 0 && duplicate == NULL &&
            a->partition->next_offset > INT64_MAX / 2 - INT32_MAX)
            error = 18; /* RECORD_LIST_TOO_LARGE: no offsets left */
        if (error == 0 && duplicate == NULL) {
            accept(a, batch, position);
        } else {
            close_piece(a);
            except(s, a->run, (int32_t)i, error, duplicate);
        }
        position += batch->length;
    }
    close_piece(a);
}

static void apply_run(struct appending *a, const struct apply_run *run)
{
    struct apply_scratch *s = &a->state->commit;
    struct topic *topic = s->topics[run->topic];

    a->partition = topic == NULL ? NULL : partition_of(topic, run->partition);
    a->producer_index = 0;
    a->producer = NULL;
    a->first_offset = -1;
    if (a->partition == NULL) {
        int16_t error = topic == NULL ? STATE_KAFKA_UNKNOWN_TOPIC_ID
                                      : STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        except(s, a->run, -1, error, NULL);
        return;
    }
    if (s->full) {
        except(s, a->run, -1, STATE_KAFKA_POLICY_VIOLATION, NULL);
        return;
    }
    append_run(a, run);
}

/* ---- the whole ---- */

/* The object's runs as its row of the database will hold them (checkpoint.c reads it). */
static void pack_runs(struct state *state, struct stored_object *object)
{
    struct apply_scratch *s = &state->commit;
    struct str *out = &s->packed;
    int64_t topic = 0, partition = 0, offset = 0, timestamp = 0;
    uint64_t end = 0;

    str_reset(out);
    for (uint32_t i = 0; i < s->accepted_count; i++) {
        const struct committed_run *run = &s->accepted[i];
        packed_put_delta(out, &topic, (int64_t)run->topic->serial);
        packed_put_delta(out, &partition, run->partition);
        packed_put_delta(out, &offset, run->base_offset);
        packed_put(out, run->records);
        packed_put(out, (int64_t)(run->position - end));
        packed_put(out, run->length);
        packed_put_delta(out, &timestamp, run->max_timestamp);
        end = run->position + run->length;
    }
    if (s->accepted_count == 0)
        return;
    object->runs = mem_dup(out->data, out->len);
    object->runs_bytes = (uint32_t)out->len;
}

static void append_all(struct state *state, const struct command *cmd,
                       const struct commit *commit, struct stored_object *object)
{
    struct apply_scratch *s = &state->commit;
    struct appending a = {
        .state = state, .commit = commit, .object = object, .now_ms = cmd->now_ms};
    int64_t last = 0;

    s->accepted_count = s->exception_count = 0;
    s->bytes = s->records = s->batch_sum = 0;
    str_reset(&s->base_offset);
    for (uint32_t i = 0; i < s->run_count; i++) {
        a.run = i;
        apply_run(&a, &s->runs[i]);
        packed_put_delta(&s->base_offset, &last, a.first_offset);
    }
    state->run_count += s->accepted_count;
    object->cluster->run_count += s->accepted_count;
}

/* Count what was accepted for the bill. */
static void meter(struct state *state, struct cluster *cluster)
{
    const struct apply_scratch *s = &state->commit;

    if (s->accepted_count == 0)
        return;
    struct usage_hour *hour = apply_meter(state, cluster);
    usage_count(&hour->produced_bytes, s->bytes);
    usage_count(&hour->produced_records, s->records);
    usage_count(&hour->produced_batches, s->batch_sum);
    usage_count(&hour->produced_objects, 1);
}

/* How long a result is kept: a repeat can come while the commit is not too old, and its
 * age is counted from a time of the agent's own, perhaps in the future. */
static int64_t keep_ms(const struct command *cmd)
{
    int64_t most = INT64_C(60) * 86400000;
    return MIN(cmd->commit.max_age_ms, most) + MIN(cmd->commit.max_future_ms, most) +
           RESULT_GRACE_MS;
}

/* A new object: give it offsets, remember it, tell who watches. */
static void commit_object(struct state *state, const struct command *cmd,
                          struct cluster *cluster, const struct commit *commit)
{
    struct apply_scratch *s = &state->commit;
    struct slice payload = cmd->commit.payload;
    uint64_t max = apply_limit(cluster->limits.metadata_bytes, cmd->commit.metadata_max);
    s->full = max != 0 && catalog_metadata_bytes(cluster) >= max;
    struct stored_object *object =
        objects_add(&state->objects, cluster, &commit->object_id, 0);

    objects_sweep_results(&state->objects, state->now_ms);
    apply_touch(state, &object->row);
    objects_set_size(object, commit->object_size);
    object->created_at_ms = commit->created_at_ms;
    object->committed_at_ms = cmd->now_ms;
    object->node_id = cmd->commit.node_id;
    object->result_until_ms = state->now_ms + keep_ms(cmd);
    object->content_crc = crc32c(payload.ptr, payload.len);
    object->content_bytes = (uint32_t)payload.len;
    resolve_topics(s, cluster, commit);
    append_all(state, cmd, commit, object);
    meter(state, cluster);

    struct commit_result result = {.base_offset = str_slice(&s->base_offset),
                                   .exceptions = s->exceptions,
                                   .exception_count = s->exception_count};
    commit_result_write(&result, &s->result);
    objects_set_result(&state->objects, object, str_slice(&s->result));
    if (object->run_count == 0)
        objects_set_garbage(&state->objects, object, cmd->now_ms);
    pack_runs(state, object);
    if (s->accepted_count > 0 && state->events.on_commit != NULL) {
        struct commit_event event = {.object_id = object->object_id,
                                     .node_id = object->node_id,
                                     .runs = s->accepted,
                                     .run_count = s->accepted_count};
        state->events.on_commit(state->events.arg, cluster, &event);
    }
}

/* The first answer again, while it is kept: longer than the age that commits may have. */
static void answer_repeat(struct state *state, const struct stored_object *known,
                          struct slice payload)
{
    if (known->content_bytes != payload.len ||
        known->content_crc != crc32c(payload.ptr, payload.len))
        refuse(state, ERR_CONFLICT);
    else if (state->now_ms >= known->result_until_ms)
        refuse(state, ERR_EXPIRED);
    else
        str_append(&state->commit.result, known->result->bytes, known->result->len);
}

void apply_drop_object(struct state *state, struct stored_object *object)
{
    apply_forget(state, &object->row);
    checkpoint_delete_object(object, &state->deletes);
    objects_remove(&state->objects, object);
}

void apply_commit(struct state *state, const struct command *cmd,
                  struct command_result *unused)
{
    struct cluster *cluster = catalog_cluster(&state->catalog, &cmd->cluster_id);
    struct slice payload = cmd->commit.payload;
    struct commit commit;
    struct reader r;

    (void)unused; /* a commit's result has its own form, in state->commit.result */
    reader_init(&r, payload);
    if (cluster == NULL) {
        refuse(state, ERR_NOT_FOUND);
        return;
    }
    if (commit_read(&r, &state->arena, &commit) != 0 || reader_left(&r) != 0) {
        refuse(state, ERR_MALFORMED);
        return;
    }
    const struct stored_object *known = objects_find(cluster, &commit.object_id);
    if (known != NULL) {
        answer_repeat(state, known, payload);
        return;
    }
    if (!decode(&state->commit, &commit))
        refuse(state, ERR_MALFORMED);
    else if (cmd->now_ms - commit.created_at_ms > cmd->commit.max_age_ms)
        refuse(state, ERR_EXPIRED);
    else if (commit.created_at_ms - cmd->now_ms > cmd->commit.max_future_ms)
        refuse(state, ERR_INVALID);
    else
        commit_object(state, cmd, cluster, &commit);
}
