/* worker.h - a thread that does blocking work for the core thread: one writes the log,
 * one the database.
 *
 * Jobs are done in order. All that wait are handed over at once, so that the log can make
 * one fdatasync of many. A job's result goes back by mailbox. */
#ifndef CONTROLPLANE_WORKER_H
#define CONTROLPLANE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "common/defs.h"
#include "common/list.h"

struct worker {
    /* private */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct list queue;
    bool stopping;
    bool started;
    void (*run)(void *arg, struct list *jobs);
    void *arg;
};

/* Start the thread NAME (at most 15 bytes). RUN gets a non-empty list and must take all
 * of it; a job that must wait goes back to the front by worker_put_back. */
int worker_start(struct worker *worker, const char *name,
                 void (*run)(void *arg, struct list *jobs), void *arg) MUST_CHECK;
/* Queue a job, by its node. Any thread. */
void worker_submit(struct worker *worker, struct list_node *job);
/* From inside RUN: JOBS could not be done now. Waits DELAY_MS (or for the stop), and puts
 * them before all others; returns false when the worker stops, and leaves them there. */
bool worker_put_back(struct worker *worker, struct list *jobs, int delay_ms);
/* Let the thread finish what is queued, and join it. Jobs that were put back stay. */
void worker_stop(struct worker *worker);

#endif
