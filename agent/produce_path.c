/* produce_path.c - what happens to a produce, in reading order from top to bottom. */
#include "agent/produce_path.h"

#include "agent/metrics.h"
#include "common/check.h"
#include "common/fault.h"

/* ---- taking in ---- */

static void answer_all(struct produce_path *path, struct produce_ask *ask, int code,
                       const char *message)
{
    for (size_t i = 0; i < ask->part_count; i++) {
        ask->parts[i].kafka_error = err_kafka(code);
        ask->parts[i].base_offset = -1;
        ask->parts[i].log_start_offset = -1;
        ask->parts[i].message = message;
    }
    path->io.reply(&ask->ask, path->io.arg);
}

static void count(const struct produce_ask *ask)
{
    int64_t bytes = 0, records = 0;
    for (size_t i = 0; i < ask->part_count; i++) {
        bytes += (int64_t)ask->parts[i].bytes.len;
        records += ask->parts[i].records;
    }
    metric_add(agent_metric(produce_bytes_total), bytes);
    metric_add(agent_metric(produce_records_total), records);
    metric_add(agent_metric(produce_batches_total), (int64_t)ask->part_count);
}

static void seal(struct produce_path *path, struct intake *intake, int64_t now)
{
    const struct intake_seal with = {
        .number = ++path->objects,
        .created_at_ms = path->io.wall_ms(path->io.arg),
        .cluster_id = &path->options.cluster_id,
        .agent_id = &path->options.agent_id,
        .name = path->io.topic_name,
        .name_arg = path->io.arg,
    };
    FAULT_POINT("agent.seal.before");
    intake_seal(intake, &with);
    intake->moved_at_ms = now;
    metric_observe(agent_metric(object_open_seconds),
                   (now - intake->opened_at_ms) * 1000);
    metric_add(agent_metric(objects_sealed_total), 1);
    metric_observe(agent_metric(object_bytes), (int64_t)intake->bytes);
    metric_observe(agent_metric(object_runs), (int64_t)intake->run_count);
    committer_add(&path->committer, intake);
}

void produce_path_ask(struct produce_path *path, struct produce_ask *ask, int64_t now)
{
    if (path->closed) {
        answer_all(path, ask, ERR_CANCELLED, "the agent is going away");
        return;
    }
    if (batcher_refuses(ask)) {
        answer_all(path, ask, ERR_TOO_LARGE, "too many partitions in one request");
        return;
    }
    FAULT_POINT("agent.produce.taken");
    count(ask);
    struct produce *produce = produces_take(&path->produces, ask, now);
    if (produce == NULL)
        return;
    struct intake *full = batcher_add(&path->batcher, produce, now);
    if (full != NULL)
        seal(path, full, now);
}

/* ---- going on ---- */

static bool saturated(const struct produce_path *path)
{
    return committer_open(&path->committer) >= path->options.max_objects ||
           !uploader_has_room(&path->uploader);
}

void produce_path_step(struct produce_path *path, int64_t now)
{
    struct intake *intake;

    produces_step(&path->produces, now);
    intake = batcher_step(&path->batcher, saturated(path), now);
    if (intake != NULL)
        seal(path, intake, now);
    while (uploader_has_room(&path->uploader) &&
           (intake = committer_next_sealed(&path->committer)) != NULL)
        uploader_start(&path->uploader, intake, now);
    uploader_step(&path->uploader, now);
    committer_step(&path->committer, now);
}

int64_t produce_path_due_at_ms(const struct produce_path *path)
{
    int64_t due = batcher_due_at_ms(&path->batcher, saturated(path));
    int64_t hedge = uploader_due_at_ms(&path->uploader);
    int64_t deadline = produces_due_at_ms(&path->produces);
    due = MIN(due, hedge);
    return MIN(due, deadline);
}

/* ---- what the store and the control plane answer ---- */

void produce_path_on_put(struct produce_path *path, struct store_request *request,
                         int64_t now)
{
    uploader_on_put(&path->uploader, request, now);
}

static void on_uploaded(struct intake *intake, int64_t now, void *arg)
{
    /* It stands in the committer's queue; the step at the end of the tick finds it. */
    (void)intake, (void)now, (void)arg;
}

static void on_upload_failed(struct intake *intake, const struct err *err, int64_t now,
                             void *arg)
{
    struct produce_path *path = arg;
    struct intake *open;

    /* After produce_path_abandon, or behind one that failed, the queue has let go of it.
     */
    if (!list_linked(&intake->node))
        return;
    /* What is open came after it, so it goes the same way. */
    open = batcher_take(&path->batcher);
    if (open != NULL)
        seal(path, open, now);
    committer_fail(&path->committer, intake, err, now);
}

void produce_path_on_commit(struct produce_path *path, int code, const char *text,
                            const struct json *answer, int64_t now)
{
    committer_on_answer(&path->committer, code, text, answer, now);
}

/* ---- the hooks of the parts, passed on to ours ---- */

static void put(struct store_request *request, void *arg)
{
    struct produce_path *path = arg;
    path->io.put(request, path->io.arg);
}

static void cancel_put(struct store_request *request, void *arg)
{
    struct produce_path *path = arg;
    path->io.cancel_put(request, path->io.arg);
}

static struct uuid make_id(void *arg)
{
    struct produce_path *path = arg;
    return path->io.make_id(path->io.arg);
}

/* ---- life ---- */

void produce_path_init(struct produce_path *path,
                       const struct produce_path_options *options,
                       const struct produce_path_io *io, int64_t now)
{
    const struct uploader_io uploader_io = {
        .put = put,
        .cancel = cancel_put,
        .make_id = make_id,
        .on_uploaded = on_uploaded,
        .on_failed = on_upload_failed,
        .arg = path,
    };
    const struct committer_io committer_io = {
        .send = io->commit,
        .on_committed = io->on_committed,
        .log_start = io->log_start,
        .arg = io->arg,
    };
    path->options = *options;
    path->io = *io;
    path->objects = 0;
    path->closed = false;
    produces_init(&path->produces, now, io->reply, io->arg);
    batcher_init(&path->batcher, &options->batcher);
    uploader_init(&path->uploader, &options->uploader, &uploader_io);
    committer_init(&path->committer, &path->produces, &committer_io);
}

void produce_path_fini(struct produce_path *path)
{
    batcher_fini(&path->batcher);
    uploader_fini(&path->uploader);
    committer_fini(&path->committer);
}

void produce_path_set_limits(struct produce_path *path, uint64_t flush_bytes,
                             int64_t flush_interval_ms)
{
    batcher_set_limits(&path->batcher, flush_bytes, flush_interval_ms);
}

void produce_path_flush(struct produce_path *path)
{
    batcher_flush(&path->batcher);
}

bool produce_path_idle(const struct produce_path *path)
{
    return path->produces.open == 0 && batcher_empty(&path->batcher) &&
           committer_open(&path->committer) == 0 && uploader_idle(&path->uploader);
}

void produce_path_abandon(struct produce_path *path, int64_t now)
{
    const struct err err = {.code = ERR_CANCELLED, .text = "the agent is going away"};
    struct intake *intake;

    path->closed = true;
    intake = batcher_take(&path->batcher);
    if (intake != NULL)
        seal(path, intake, now);
    uploader_cancel_all(&path->uploader);
    committer_abandon(&path->committer, &err, now);
    ASSERT(path->produces.open == 0);
}
