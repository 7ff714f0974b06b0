/* log_writer.c - see log_writer.h. */
#include "controlplane/log_writer.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/metrics.h"

#define NO_SPACE_RETRY_MS 1000

static void send_back(struct log_writer *writer, struct log_job *job, int code,
                      const struct err *err)
{
    job->code = code;
    if (code != 0 && err != NULL)
        job->err = *err;
    mailbox_send(writer->back, &job->message);
}

/* The log's state changed: tell the core thread. */
static void notice(struct log_writer *writer, int state, const struct err *err)
{
    if (writer->state == state)
        return;
    writer->state = state;
    if (state == 0)
        log_info("wal", "the log is written again", "%s", "");
    else
        log_error("wal", "the log cannot be written", "err=%s", LOG_QUOTED(err->text));
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_NOTICE;
    list_node_init(&job->node);
    send_back(writer, job, state, err);
}

static int run_one(struct log_writer *writer, struct log_job *job, struct err *err)
{
    size_t done = 0;
    int64_t began_us;
    int rc = 0;

    switch (job->kind) {
    case LOG_APPEND:
        began_us = clock_monotonic_us();
        rc = wal_append(writer->wal, job->entries + job->done, job->count - job->done,
                        &done, err);
        metric_observe(control_metric(log_append_seconds),
                       clock_monotonic_us() - began_us);
        for (size_t i = job->done; i < job->done + done; i++)
            atomic_fetch_add(&writer->appended_bytes, job->entries[i].data.len);
        job->done += done;
        break;
    case LOG_TRUNCATE:
        rc = wal_truncate(writer->wal, job->index, err);
        break;
    case LOG_TRIM:
        rc = wal_trim(writer->wal, job->index, err);
        if (rc != 0) /* no harm: the next one tries again */
            log_warn("wal", "old segments stay", "err=%s", LOG_QUOTED(err->text));
        rc = 0;
        break;
    case LOG_RESET:
        rc = wal_reset(writer->wal, job->index, err);
        break;
    case LOG_NOTICE:
        break;
    }
    return rc;
}

static int sync_all(struct log_writer *writer, struct err *err)
{
    int64_t start = clock_monotonic_us();
    int rc = wal_sync(writer->wal, err);
    uint64_t took = (uint64_t)(clock_monotonic_us() - start);
    metric_observe(control_metric(log_sync_seconds), (int64_t)took);
    if (took > atomic_load(&writer->sync_us_max))
        atomic_store(&writer->sync_us_max, took);
    atomic_fetch_add(&writer->syncs, 1);
    return rc;
}

/* Fail everything: what the disk has is not known any more. */
static void fail_all(struct log_writer *writer, struct list *jobs, const struct err *err)
{
    struct list_node *node;
    while ((node = list_pop_front(jobs)) != NULL)
        send_back(writer, CONTAINER_OF(node, struct log_job, node), ERR_IO, err);
}

static void run(void *arg, struct list *jobs)
{
    struct log_writer *writer = arg;
    struct list done;
    struct err err = {.code = 0};
    int rc = 0;

    /* What failed is missing from now on, though the next might be written. */
    if (writer->state == ERR_IO) {
        err_set(&err, ERR_IO, "the log failed before: restart");
        fail_all(writer, jobs, &err);
        return;
    }
    list_init(&done);
    while (rc == 0 && !list_empty(jobs)) {
        struct list_node *node = list_first(jobs);
        rc = run_one(writer, CONTAINER_OF(node, struct log_job, node), &err);
        if (rc == 0) {
            list_remove(node);
            list_push_back(&done, node);
        }
    }
    struct err sync_err = {.code = 0};
    int sync_rc = rc == 0 || rc == ERR_NO_SPACE ? sync_all(writer, &sync_err) : 0;
    if (sync_rc != 0 || (rc != 0 && rc != ERR_NO_SPACE)) {
        if (sync_rc != 0)
            err = sync_err;
        notice(writer, ERR_IO, &err);
        list_splice(&done, jobs);
        fail_all(writer, &done, &err);
        return;
    }
    struct list_node *node;
    while ((node = list_pop_front(&done)) != NULL)
        send_back(writer, CONTAINER_OF(node, struct log_job, node), 0, NULL);
    atomic_store(&writer->bytes, wal_bytes(writer->wal));
    notice(writer, rc, &err);
    if (rc == ERR_NO_SPACE)
        (void)worker_put_back(&writer->worker, jobs, NO_SPACE_RETRY_MS);
}

static void run_until_stop(void *arg, struct list *jobs)
{
    struct log_writer *writer = arg;
    struct err err = {.code = 0};

    run(arg, jobs);
    if (list_empty(jobs))
        return;
    /* Stopping without room: these were never durable. */
    err_set(&err, ERR_NO_SPACE, "the node stopped before there was room");
    struct list_node *node;
    while ((node = list_pop_front(jobs)) != NULL)
        send_back(writer, CONTAINER_OF(node, struct log_job, node), ERR_NO_SPACE, &err);
}

void log_job_free(struct log_job *job)
{
    mem_free(job->entries);
    mem_free(job);
}

int log_writer_start(struct log_writer *writer, struct wal *wal, struct mailbox *back)
{
    memset(writer, 0, sizeof(*writer));
    writer->wal = wal;
    writer->back = back;
    atomic_store(&writer->bytes, wal_bytes(wal));
    return worker_start(&writer->worker, "weft-wal", run_until_stop, writer);
}

void log_writer_submit(struct log_writer *writer, struct log_job *job)
{
    job->done = 0;
    list_node_init(&job->node);
    worker_submit(&writer->worker, &job->node);
}

static void port_submit(void *arg, struct log_job *job)
{
    log_writer_submit(arg, job);
}

struct log_port log_writer_port(struct log_writer *writer)
{
    return (struct log_port){.arg = writer, .submit = port_submit};
}

void log_writer_stop(struct log_writer *writer)
{
    worker_stop(&writer->worker);
    wal_close(writer->wal);
    writer->wal = NULL;
}
