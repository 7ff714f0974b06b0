/* log_writer.h - the thread that writes the log: many appends, one fdatasync.
 *
 * The core thread submits jobs, in order; each comes back through the mailbox given at
 * the start, with its code. Without room on the disk jobs wait and are tried again every
 * second; a notice says so at once, and another when it goes on. After a failed write or
 * sync all jobs fail: only a restart can tell what the disk has. */
#ifndef CONTROLPLANE_LOG_WRITER_H
#define CONTROLPLANE_LOG_WRITER_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/loop.h"
#include "controlplane/wal.h"
#include "controlplane/worker.h"

enum log_job_kind {
    LOG_APPEND,   /* entries[0..count) */
    LOG_TRUNCATE, /* forget from `index` on */
    LOG_TRIM,     /* delete segments up to `index` */
    LOG_RESET,    /* forget everything; the next entry is `index` */
    LOG_NOTICE,   /* from the writer: `code` is the log's state now */
};

struct log_job {
    struct message message; /* back to the core thread */
    enum log_job_kind kind;
    struct wal_entry *entries; /* data must live until the job is back */
    size_t count;
    uint64_t index;
    int code; /* 0 or ERR_* when it comes back */
    struct err err;
    void *arg; /* the submitter's */
    /* private */
    struct list_node node;
    size_t done;
};

/* Where the replica's jobs go: the writer below, or a test's. Each job comes back, in
 * order, through replica_log_done(). */
struct log_port {
    void *arg;
    void (*submit)(void *arg, struct log_job *job);
};

/* Of one that came back, or was lost with its writer. */
void log_job_free(struct log_job *job);

struct log_writer {
    /* private */
    struct wal *wal;
    struct mailbox *back;
    struct worker worker;
    int state; /* 0, ERR_NO_SPACE or ERR_IO; the writer's thread only */
    atomic_uint_fast64_t bytes, appended_bytes, syncs, sync_us_max;
};

/* Take WAL and write it from a thread; jobs return through BACK. */
int log_writer_start(struct log_writer *writer, struct wal *wal,
                     struct mailbox *back) MUST_CHECK;
void log_writer_submit(struct log_writer *writer, struct log_job *job);
/* log_writer_submit() as a table. */
struct log_port log_writer_port(struct log_writer *writer);
/* Finish what was submitted (what waits for room comes back as ERR_NO_SPACE), end the
 * thread, close the log. The mailbox then holds the last jobs. */
void log_writer_stop(struct log_writer *writer);

#endif
