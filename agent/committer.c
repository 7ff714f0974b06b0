/* committer.c - the queue of sealed objects, the one commit request, its results.
 *
 * What the control plane answers is checked like any peer's words: a result that does not
 * fit its object fails that object's producers retriably; it may have been committed, so
 * idempotent producers find out by retrying. */
#include "agent/committer.h"

#include <stdlib.h>

#include "agent/metrics.h"
#include "common/check.h"
#include "common/cursor.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/commit.h"
#include "proto/packed.h"

/* Results of 64 objects with an exception a batch at worst. */
#define RESULT_ARENA_MAX (256 * MIB)

#define KAFKA_STORAGE_ERROR 56 /* retriable: the client asks for metadata and repeats */

void committer_init(struct committer *committer, struct produces *produces,
                    const struct committer_io *io)
{
    *committer = (struct committer){.io = *io, .produces = produces};
    list_init(&committer->queue);
}

void committer_fini(struct committer *committer)
{
    ASSERT(list_empty(&committer->queue));
}

size_t committer_open(const struct committer *committer)
{
    return committer->queued;
}

void committer_add(struct committer *committer, struct intake *intake)
{
    ASSERT(intake->state == INTAKE_SEALED);
    list_push_back(&committer->queue, &intake->node);
    committer->queued++;
    metric_add(agent_metric(objects_open), 1);
}

struct intake *committer_next_sealed(const struct committer *committer)
{
    LIST_FOREACH(node, next, &committer->queue)
    {
        struct intake *intake = CONTAINER_OF(node, struct intake, node);
        if (intake->state == INTAKE_SEALED)
            return intake;
    }
    return NULL;
}

static void drop(struct committer *committer, struct intake *intake)
{
    list_remove(&intake->node);
    committer->queued--;
    metric_add(agent_metric(objects_open), -1);
    intake_unref(intake);
}

/* ---- failures of a whole object ---- */

/* What clients shall repeat must be told with a code that makes them repeat. */
static int16_t retriable_kafka_error(int code)
{
    if (err_retriable(code) || code == ERR_EXPIRED)
        return err_kafka(code);
    return KAFKA_STORAGE_ERROR;
}

static void settle_all(struct committer *committer, const struct intake *intake,
                       const struct produce_outcome *outcome, int64_t now)
{
    for (size_t i = 0; i < intake->run_count; i++) {
        for (const struct intake_batch *batch = intake->runs[i]->first; batch != NULL;
             batch = batch->next)
            produces_settle(committer->produces, batch->produce, batch->part, outcome,
                            now);
    }
}

static void fail(struct committer *committer, const struct intake *intake, int code,
                 const char *message, int64_t now)
{
    const struct produce_outcome outcome = {
        .kafka_error = retriable_kafka_error(code),
        .base_offset = -1,
        .log_start_offset = -1,
        .message = message,
    };
    settle_all(committer, intake, &outcome, now);
}

void committer_fail(struct committer *committer, struct intake *intake,
                    const struct err *err, int64_t now)
{
    static struct log_limit limit = {.interval_ms = 1000};
    uint64_t dropped;

    ASSERT(intake->state < INTAKE_COMMITTING);
    if (log_limit_pass(&limit, now, &dropped))
        log_error("committer", "object given up: it could not be stored",
                  "object=%llu bytes=%llu err=%s more=%llu",
                  (unsigned long long)intake->number, (unsigned long long)intake->bytes,
                  LOG_QUOTED(err->text), (unsigned long long)dropped);
    for (;;) {
        struct list_node *next = intake->node.next;
        metric_add(agent_metric(objects_failed_total), 1);
        fail(committer, intake, err->code, "the object store did not take the records",
             now);
        drop(committer, intake);
        if (next == &committer->queue.head)
            return;
        intake = CONTAINER_OF(next, struct intake, node);
    }
}

/* ---- sending ---- */

void committer_step(struct committer *committer, int64_t now)
{
    struct json *body = NULL;
    size_t bytes = 0;

    if (committer->committing > 0)
        return;
    LIST_FOREACH(node, next, &committer->queue)
    {
        struct intake *intake = CONTAINER_OF(node, struct intake, node);
        if (intake->state != INTAKE_UPLOADED ||
            committer->committing == COMMIT_OBJECTS_MAX)
            break;
        bytes += intake_commit_bytes(intake);
        if (body != NULL && bytes > COMMIT_BYTES_MAX)
            break;
        if (body == NULL)
            body = json_array();
        json_push(body, intake_commit(intake));
        intake->state = INTAKE_COMMITTING;
        metric_observe(agent_metric(object_commit_wait_seconds),
                       (now - intake->moved_at_ms) * 1000);
        committer->committing++;
    }
    if (body == NULL)
        return;
    committer->sent_at_ms = now;
    metric_add(agent_metric(commit_requests_total), 1);
    FAULT_POINT("agent.commit.before");
    committer->io.send(body, committer->io.arg);
}

/* ---- results ---- */

struct results {
    struct arena arena;
    struct tail_run *runs;
    size_t run_count;
    struct cache_piece *pieces;
    size_t piece_count;
};

static int compare_exceptions(const void *a, const void *b)
{
    const struct commit_exception *x = a, *y = b;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    return (x->batch > y->batch) - (x->batch < y->batch);
}

/* A result speaks of this object's runs and batches, of each once. */
static bool result_fits(const struct intake *intake, const struct commit_result *result)
{
    if (packed_count(result->base_offset) != (int64_t)intake->run_count)
        return false;
    for (uint32_t i = 0; i < result->exception_count; i++) {
        const struct commit_exception *e = &result->exceptions[i];
        if (e->run >= intake->run_count || e->batch < -1 ||
            (e->batch >= 0 && (uint32_t)e->batch >= intake->runs[e->run]->batches))
            return false;
        if (i > 0 && compare_exceptions(e - 1, e) >= 0)
            return false;
    }
    return true;
}

static void add_tail_run(struct results *results, const struct intake_run *run,
                         const struct intake_batch *batch, int64_t base_offset,
                         uint64_t position)
{
    struct tail_run *last =
        results->run_count == 0 ? NULL : &results->runs[results->run_count - 1];
    if (last != NULL && last->position + last->length == position &&
        last->partition == run->partition && uuid_eq(&last->topic_id, &run->topic_id)) {
        last->records += batch->records;
        last->length += batch->bytes.len;
        last->max_timestamp = MAX(last->max_timestamp, batch->max_timestamp);
        return;
    }
    results->runs[results->run_count++] = (struct tail_run){
        .topic_id = run->topic_id,
        .partition = run->partition,
        .base_offset = base_offset,
        .records = batch->records,
        .position = position,
        .length = batch->bytes.len,
        .max_timestamp = batch->max_timestamp,
    };
}

static void judge(const struct commit_exception *exception, int64_t next_offset,
                  struct produce_outcome *outcome)
{
    outcome->duplicate = exception != NULL && exception->kafka_error == 0;
    outcome->kafka_error = exception == NULL ? 0 : exception->kafka_error;
    outcome->base_offset = exception == NULL ? next_offset : exception->base_offset;
    outcome->log_append_time_ms = exception == NULL ? -1 : exception->timestamp;
    if (outcome->duplicate)
        metric_add(agent_metric(produce_duplicates_total), 1);
    else if (outcome->kafka_error != 0)
        metric_add(agent_metric(produce_rejected_total), 1);
    /* Accepted, and yet no offset: the answer contradicts itself. */
    if (outcome->kafka_error == 0 && outcome->base_offset < 0)
        outcome->kafka_error = KAFKA_STORAGE_ERROR;
}

/* Settle one run; *EXCEPTION moves past those of this run. */
static void settle_run(struct committer *committer, const struct intake *intake, size_t i,
                       int64_t base_offset, const struct commit_exception **exception,
                       const struct commit_exception *end, struct results *results,
                       int64_t now)
{
    const struct intake_run *run = intake->runs[i];
    const struct commit_exception *e = *exception;
    const struct commit_exception *whole = NULL;
    uint64_t position = intake->footer.runs[i].position;
    struct produce_outcome outcome = {
        .log_start_offset =
            committer->io.log_start(&run->topic_id, run->partition, committer->io.arg),
    };
    int32_t number = 0;

    if (e != end && e->run == i && e->batch == -1)
        whole = e++;
    for (const struct intake_batch *batch = run->first; batch != NULL;
         batch = batch->next, number++) {
        const struct commit_exception *own = whole;
        if (e != end && e->run == i && e->batch == number)
            own = e++;
        judge(own, base_offset, &outcome);
        if (own == NULL && outcome.kafka_error == 0) {
            add_tail_run(results, run, batch, base_offset, position);
            base_offset += batch->records;
        }
        results->pieces[results->piece_count++] = (struct cache_piece){
            .position = position, .bytes = batch->bytes, .blob = batch->produce->frame};
        position += batch->bytes.len;
        produces_settle(committer->produces, batch->produce, batch->part, &outcome, now);
    }
    *exception = e;
}

static void settle_object(struct committer *committer, const struct intake *intake,
                          const struct commit_result *result, int64_t now)
{
    struct results results = {0};
    const struct commit_exception *exception = result->exceptions;
    const struct commit_exception *end = exception + result->exception_count;
    struct reader column;
    int64_t base_offset = 0;

    /* An object's accepted pieces: one a run, and one more behind each exception. */
    results.runs = mem_alloc((intake->run_count + result->exception_count) *
                             sizeof(results.runs[0]));
    results.pieces = mem_alloc(intake->batch_count * sizeof(results.pieces[0]));
    reader_init(&column, result->base_offset);
    for (size_t i = 0; i < intake->run_count; i++) {
        packed_get_delta(&column, &base_offset);
        settle_run(committer, intake, i, base_offset, &exception, end, &results, now);
    }
    metric_add(agent_metric(objects_committed_total), 1);
    const struct committed committed = {
        .intake = intake,
        .runs = results.runs,
        .run_count = results.run_count,
        .pieces = results.pieces,
        .piece_count = results.piece_count,
    };
    committer->io.on_committed(&committed, committer->io.arg);
    mem_free(results.runs);
    mem_free(results.pieces);
}

static void log_refused(const struct intake *intake, int code, const char *why)
{
    char id[UUID_TEXT_LEN + 1];
    log_error("committer", "commit of an object refused", "object=%s code=%s why=%s",
              uuid_print(&intake->object_id, id), err_name(code), LOG_QUOTED(why));
}

static void on_result(struct committer *committer, struct intake *intake,
                      const struct json *value, int64_t now)
{
    struct commit_result result;
    struct err err = {0};
    struct arena arena;

    arena_init(&arena, RESULT_ARENA_MAX);
    int code = commit_result_from_json(value, &arena, &result, &err);
    if (code == 0 && result.code == 0) {
        qsort(result.exceptions, result.exception_count, sizeof(result.exceptions[0]),
              compare_exceptions);
        if (!result_fits(intake, &result))
            code = err_set(&err, ERR_MALFORMED, "the result does not fit the object");
    }
    if (code != 0 || result.code != 0) {
        code = code != 0 ? code : result.code;
        log_refused(intake, code, err.code != 0 ? err.text : err_text(code));
        metric_add(agent_metric(objects_refused_total), 1);
        fail(committer, intake, code,
             code == ERR_EXPIRED ? "the records were stored too late to be committed"
                                 : "the control plane refused the commit",
             now);
    } else {
        settle_object(committer, intake, &result, now);
    }
    arena_fini(&arena);
    drop(committer, intake);
}

static struct intake *head(const struct committer *committer)
{
    struct intake *intake =
        CONTAINER_OF(list_first(&committer->queue), struct intake, node);
    ASSERT(intake->state == INTAKE_COMMITTING);
    return intake;
}

void committer_on_answer(struct committer *committer, int code, const char *text,
                         const struct json *answer, int64_t now)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    size_t n = committer->committing;

    if (n == 0)
        return; /* abandoned meanwhile */
    committer->committing = 0;
    metric_observe(agent_metric(commit_seconds), (now - committer->sent_at_ms) * 1000);
    FAULT_POINT("agent.commit.after");
    const struct json *results = code == 0 ? json_at(&r, answer, 2) : NULL;
    if (code == 0 && (r.failed || json_count(results) != n)) {
        code = ERR_MALFORMED;
        text = "not one result for each object";
    }
    for (size_t i = 0; i < n; i++) {
        struct intake *intake = head(committer);
        if (code == 0) {
            on_result(committer, intake, json_at(&r, results, i), now);
            continue;
        }
        log_refused(intake, code, text);
        metric_add(agent_metric(objects_refused_total), 1);
        fail(committer, intake, code, "the control plane did not take the commit", now);
        drop(committer, intake);
    }
}

void committer_abandon(struct committer *committer, const struct err *err, int64_t now)
{
    committer->committing = 0;
    while (!list_empty(&committer->queue)) {
        struct intake *intake =
            CONTAINER_OF(list_first(&committer->queue), struct intake, node);
        fail(committer, intake, err->code, "the agent is going away", now);
        drop(committer, intake);
    }
}
