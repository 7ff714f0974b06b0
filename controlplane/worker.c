/* worker.c - a queue under a mutex and one thread behind it. */
#include "controlplane/worker.h"

#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/err.h"

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct list jobs;

    list_init(&jobs);
    for (;;) {
        pthread_mutex_lock(&worker->mutex);
        while (list_empty(&worker->queue) && !worker->stopping)
            pthread_cond_wait(&worker->wake, &worker->mutex);
        list_splice(&jobs, &worker->queue);
        bool stop = list_empty(&jobs);
        pthread_mutex_unlock(&worker->mutex);
        if (stop)
            return NULL;
        worker->run(worker->arg, &jobs);
        if (!list_empty(&jobs))
            return NULL; /* put back while stopping: nobody will do them */
    }
}

int worker_start(struct worker *worker, const char *name,
                 void (*run)(void *arg, struct list *jobs), void *arg)
{
    pthread_condattr_t attr;

    memset(worker, 0, sizeof(*worker));
    list_init(&worker->queue);
    worker->run = run;
    worker->arg = arg;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        pthread_cond_destroy(&worker->wake);
        pthread_mutex_destroy(&worker->mutex);
        return ERR_NOMEM;
    }
    worker->started = true;
    (void)pthread_setname_np(worker->thread, name);
    return 0;
}

void worker_submit(struct worker *worker, struct list_node *job)
{
    pthread_mutex_lock(&worker->mutex);
    ASSERT(!worker->stopping);
    list_push_back(&worker->queue, job);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
}

bool worker_put_back(struct worker *worker, struct list *jobs, int delay_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += delay_ms / 1000;
    until.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&worker->mutex);
    while (!worker->stopping &&
           pthread_cond_timedwait(&worker->wake, &worker->mutex, &until) == 0)
        ;
    bool stopping = worker->stopping;
    if (!stopping) {
        list_splice(jobs, &worker->queue);
        list_splice(&worker->queue, jobs);
    }
    pthread_mutex_unlock(&worker->mutex);
    return !stopping;
}

void worker_stop(struct worker *worker)
{
    if (!worker->started)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->mutex);
    worker->started = false;
}
