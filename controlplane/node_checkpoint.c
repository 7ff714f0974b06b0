/* node_checkpoint.c - the state into the database now and then, and files of it for
 * backups.
 *
 * The core thread copies what changed (that is the pause) and the saver writes it. A
 * backup waits for a checkpoint that has everything that was applied when it was asked
 * for; then a thread of its own copies the database while commits go on. */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"
#include "controlplane/metrics.h"
#include "controlplane/node_core.h"

/* So many changed rows are copied in a few milliseconds: more would pause too long. */
#define CHECKPOINT_ROWS 8192
/* So many rows at once: a millisecond or two, in which nothing else is done. */
#define STEP_ROWS     2048
#define SNAPSHOTS_MAX 4

/* A backup on its way through the thread for them. */
struct snapshot_job {
    struct message message; /* back */
    struct list_node node;
    struct node_snapshot *snapshot;
    uint64_t index; /* what must be in it */
    int code;
    struct err err;
    struct snapshot_info info;
};

static void publish_pause(struct node *node, int64_t pause_us)
{
    pthread_mutex_lock(&node->health_mutex);
    node->health.checkpoint_pause_us = pause_us;
    node->health.checkpoint_pause_max_us =
        MAX(node->health.checkpoint_pause_max_us, pause_us);
    pthread_mutex_unlock(&node->health_mutex);
}

/* Copy some rows more; the next tick goes on, and lets others in between. */
static void go_on_collecting(struct node *node)
{
    int64_t start = clock_monotonic_us();
    struct save_job *job = node->saving;

    node->collecting = !checkpoint_step(node->state, STEP_ROWS);
    publish_pause(node, clock_monotonic_us() - start);
    if (node->collecting) {
        node_touch(node);
        return;
    }
    ASSERT(!job->delta.overflowed);
    FAULT_POINT("checkpoint-collected");
    saver_submit(&node->saver, job);
}

static void begin_checkpoint(struct node *node)
{
    struct save_job *job = save_job_new();

    job->meta.cell_id = node->cell_id;
    int rc = replica_position(node->replica, &job->meta.position, &job->configuration);
    if (rc != 0) {
        save_job_free(job);
        return;
    }
    checkpoint_begin(node->state, &job->meta, &job->delta);
    node->saving = job;
    node->save_failed = false;
    node->checkpoint_wanted = false;
    node->applied_bytes = 0;
    node->checkpoint_at_ms = loop_now_ms(node->thread.loop);
    go_on_collecting(node);
}

/* The log has grown or much has changed: the state should go into the database. */
static bool checkpoint_due(const struct node *node)
{
    if (replica_applied_index(node->replica) == 0)
        return false; /* it waits to be let into a cell */
    if (node->applied_bytes >= node->options.checkpoint_log_bytes ||
        checkpoint_pending(node->state) >= CHECKPOINT_ROWS)
        return true;
    if (!list_empty(&node->snapshots_waiting) || node->checkpoint_wanted)
        return true;
    return node->applied_bytes > 0 &&
           loop_now_ms(node->thread.loop) - node->checkpoint_at_ms >=
               node->options.checkpoint_every_ms;
}

void node_consider_checkpoint(struct node *node)
{
    if (node->collecting)
        go_on_collecting(node);
    else if (node->saving == NULL && !node->stopping && !node_install_waits(node) &&
             checkpoint_due(node))
        begin_checkpoint(node);
}

void node_retry_checkpoint(struct node *node)
{
    if (!node->save_failed)
        return;
    node->save_failed = false;
    saver_submit(&node->saver, node->saving);
}

void node_on_saved(struct message *message, void *arg)
{
    struct node *node = arg;
    struct save_job *job = CONTAINER_OF(message, struct save_job, message);
    uint64_t dropped;

    ASSERT(job == node->saving);
    if (job->code != 0) {
        /* The delta stays and is tried again: the log is still there, nothing is lost. */
        node->save_failed = true;
        if (log_limit_pass(&node->save_warning, clock_monotonic_ms(), &dropped))
            log_error("node", "checkpoint not written, will try again", "err=%s",
                      LOG_QUOTED(job->err.text));
        pthread_mutex_lock(&node->health_mutex);
        node->health.checkpoint_failures_total++;
        pthread_mutex_unlock(&node->health_mutex);
        node_install_saved(node);
        return;
    }
    metric_observe(control_metric(checkpoint_seconds), job->took_ms * 1000);
    node->saving = NULL;
    node->saved_index = job->meta.position.index;
    pthread_mutex_lock(&node->health_mutex);
    node->health.checkpoints_total++;
    node->health.checkpoint_write_ms = job->took_ms;
    node->health.checkpoint_index = job->meta.position.index;
    pthread_mutex_unlock(&node->health_mutex);
    log_debug("node", "checkpoint written", "index=%llu bytes=%zu ms=%lld",
              (unsigned long long)job->meta.position.index, job->delta.len,
              (long long)job->took_ms);
    if (!node->stopping) { /* the log's thread may be gone */
        replica_checkpointed(node->replica, &job->meta.position, clock_monotonic_ms());
        node_touch(node);
    }
    save_job_free(job);
    node_install_saved(node);
}

void node_last_checkpoint(struct node *node)
{
    struct err err;
    struct save_job *job = save_job_new();
    int rc = 0;

    /* An install is under way, and the next start goes on with it; or the state is not
     * what the log says. */
    if (node->db == NULL || node->dead) {
        save_job_free(job);
        return;
    }
    job->meta.cell_id = node->cell_id;
    while (node->collecting)
        node->collecting = !checkpoint_step(node->state, STEP_ROWS);
    if (node->saving != NULL)
        rc = db_apply(node->db, str_slice(&node->saving->delta), &err);
    if (rc == 0 &&
        replica_position(node->replica, &job->meta.position, &job->configuration) == 0) {
        checkpoint_collect(node->state, &job->meta, &job->delta);
        rc = db_apply(node->db, str_slice(&job->delta), &err);
    }
    if (rc != 0)
        log_warn("node", "no last checkpoint; the log will be replayed", "err=%s",
                 LOG_QUOTED(err.text));
    save_job_free(job);
}

/* ---- backups ---- */

static void run_jobs(void *arg, struct list *jobs)
{
    struct node *node = arg;
    struct list_node *item;

    while ((item = list_pop_front(jobs)) != NULL) {
        struct snapshot_job *job = CONTAINER_OF(item, struct snapshot_job, node);
        job->code = snapshot_store_make(node->snapshots, job->snapshot->path,
                                        job->snapshot->rate_bytes, &job->info, &job->err);
        mailbox_send(&node->jobs_back, &job->message);
    }
}

static void end_job(struct node *node, struct snapshot_job *job)
{
    struct node_snapshot *snapshot = job->snapshot;

    if (job->code == 0) {
        snapshot->index = job->info.index;
        snapshot->term = job->info.term;
        snapshot->created_at_ms = job->info.created_at_ms;
        snapshot->plain_bytes = job->info.plain_bytes;
        snapshot->file_bytes = job->info.file_bytes;
        memcpy(snapshot->sha256, job->info.sha256, sizeof(snapshot->sha256));
    }
    (void)node;
    snapshot->job = NULL;
    snapshot->done(snapshot, job->code, &job->err);
    mem_free(job);
}

static void on_job_done(struct message *message, void *arg)
{
    end_job(arg, CONTAINER_OF(message, struct snapshot_job, message));
}

int node_start_jobs(struct node *node, struct err *err)
{
    mailbox_init(&node->jobs_back, node->thread.loop, on_job_done, node);
    if (worker_start(&node->jobs, "weft-backup", run_jobs, node) != 0)
        return err_set(err, ERR_NOMEM, "start the backups' thread");
    node->jobs_up = true;
    return 0;
}

void node_make_snapshot(struct node *node, struct node_snapshot *snapshot)
{
    struct snapshot_job *job = mem_zalloc(sizeof(*job));
    size_t waiting = 0;

    LIST_FOREACH(other, next, &node->snapshots_waiting)
    {
        waiting++;
    }
    job->snapshot = snapshot;
    job->index = replica_applied_index(node->replica);
    if (waiting >= SNAPSHOTS_MAX)
        job->code = err_set(&job->err, ERR_CONFLICT, "too many backups are being made");
    if (node->stopping)
        job->code = err_set(&job->err, ERR_CANCELLED, "this node stops");
    snapshot->job = job;
    list_push_back(&node->snapshots_waiting, &snapshot->node);
    node_touch(node);
}

void node_flush_snapshots(struct node *node)
{
    LIST_FOREACH(item, next, &node->snapshots_waiting)
    {
        struct node_snapshot *snapshot = CONTAINER_OF(item, struct node_snapshot, node);
        struct snapshot_job *job = snapshot->job;
        if (job->code == 0 && node->saved_index < job->index)
            continue;
        list_remove(&snapshot->node);
        if (job->code == 0)
            worker_submit(&node->jobs, &job->node);
        else
            end_job(node, job);
    }
}

void node_end_snapshots(struct node *node, int code)
{
    struct list_node *item;

    while ((item = list_pop_front(&node->snapshots_waiting)) != NULL) {
        struct snapshot_job *job = CONTAINER_OF(item, struct node_snapshot, node)->job;
        job->code = err_set(&job->err, code, "%s", err_text(code));
        end_job(node, job);
    }
}
