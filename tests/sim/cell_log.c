/* cell_log.c - the thread of a simulated node that writes its log (log_writer.c), in
 * virtual time: jobs that wait are written together, then the disk takes its time, then
 * all are synced and go back. See cell_node.h. */
#include "common/mem.h"
#include "tests/sim/cell_node.h"

static void log_run(struct sim_node *node, void *arg);

/* Back to the replica. */
static void log_back(struct sim_node *node, struct log_job *job, int code)
{
    job->code = code;
    replica_log_done(node->replica, job, cell_node_now_ms(node));
}

static void log_notice(struct sim_node *node, int state)
{
    if (node->log_state == state)
        return;
    node->log_state = state;
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_NOTICE;
    list_node_init(&job->node);
    log_back(node, job, state);
}

static void log_fail(struct sim_node *node)
{
    struct list_node *item;

    cell.counts.disk_faults++;
    cell_trace("node %u: the log cannot be written", node->number);
    log_notice(node, ERR_IO);
    list_splice(&node->log_doing, &node->log_queue);
    while ((item = list_pop_front(&node->log_doing)) != NULL)
        log_back(node, CONTAINER_OF(item, struct log_job, node), ERR_IO);
}

static void log_deliver(struct sim_node *node, void *arg)
{
    struct list_node *item;

    (void)arg;
    while ((item = list_pop_front(&node->log_doing)) != NULL)
        log_back(node, CONTAINER_OF(item, struct log_job, node), 0);
    if (node->log_state == ERR_NO_SPACE && list_empty(&node->log_queue))
        log_notice(node, 0);
    node->log_busy = false;
    if (!list_empty(&node->log_queue)) {
        node->log_busy = true;
        cell_node_after(node, node->log_state == ERR_NO_SPACE ? CELL_NO_SPACE_MS : 0,
                        log_run, NULL);
    }
}

/* The disk has taken its time: what was written is durable, or never will be. */
static void log_synced(struct sim_node *node, void *arg)
{
    struct err err;

    (void)arg;
    if (wal_sync(node->wal, &err) != 0) {
        log_fail(node);
        return;
    }
    node->durable_index = wal_last_index(node->wal);
    cell_node_after(node, 0, log_deliver, NULL);
}

static int log_one(struct sim_node *node, struct log_job *job)
{
    struct err err = {.code = 0};
    size_t done = 0;
    int rc = 0;

    switch (job->kind) {
    case LOG_APPEND:
        rc = wal_append(node->wal, job->entries + job->done, job->count - job->done,
                        &done, &err);
        job->done += done;
        break;
    case LOG_TRUNCATE:
        node->durable_index = MIN(node->durable_index, job->index - 1);
        rc = wal_truncate(node->wal, job->index, &err);
        break;
    case LOG_TRIM:
        if (wal_trim(node->wal, job->index, &err) != 0)
            cell_trace("node %u: old segments stay: %s", node->number, err.text);
        break;
    case LOG_RESET:
        rc = wal_reset(node->wal, job->index, &err);
        node->durable_index = job->index - 1;
        break;
    case LOG_NOTICE:
        break;
    }
    if (rc != 0 && rc != ERR_NO_SPACE)
        cell_trace("node %u: log: %s", node->number, err.text);
    return rc;
}

static void log_run(struct sim_node *node, void *arg)
{
    struct list_node *item;
    int rc = 0;

    (void)arg;
    while (rc == 0 && (item = list_first(&node->log_queue)) != NULL) {
        rc = log_one(node, CONTAINER_OF(item, struct log_job, node));
        if (rc == 0) {
            list_remove(item);
            list_push_back(&node->log_doing, item);
        }
    }
    if (rc != 0 && rc != ERR_NO_SPACE) {
        log_fail(node);
        return;
    }
    if (rc == ERR_NO_SPACE)
        log_notice(node, rc);
    else if (node->log_state == ERR_NO_SPACE)
        log_notice(node, 0);
    int64_t delay_ms = cell_chance(2) ? cell_between(30, 400) : cell_between(0, 4);
    cell_node_after(node, delay_ms, log_synced, NULL);
}

void cell_log_submit(void *arg, struct log_job *job)
{
    struct sim_node *node = arg;

    job->done = 0;
    list_node_init(&job->node);
    list_push_back(&node->log_queue, &job->node);
    if (node->log_busy)
        return;
    node->log_busy = true;
    cell_node_after(node, 0, log_run, NULL);
}
