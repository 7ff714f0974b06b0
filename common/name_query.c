/* name_query.c - see name_query.h. Who asked and the thread have a reference each; the
 * last one frees. */
#include "common/name_query.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/stop_signal.h"

/* How often who waits looks whether it is to stop. */
#define LOOK_EVERY_MS 50

struct name_query {
    char *host, *port;
    int flags;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    /* under the mutex */
    int references;
    bool done;
    int code; /* of getaddrinfo */
    struct addrinfo *list;
};

static atomic_int under_way;

static int ask(const char *host, const char *port, int flags, struct addrinfo **list)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, list);
}

static void unref(struct name_query *query)
{
    pthread_mutex_lock(&query->mutex);
    bool last = --query->references == 0;
    pthread_mutex_unlock(&query->mutex);
    if (!last)
        return;
    if (query->list != NULL)
        freeaddrinfo(query->list);
    pthread_cond_destroy(&query->answered);
    pthread_mutex_destroy(&query->mutex);
    mem_free(query->host);
    mem_free(query->port);
    mem_free(query);
}

static void *run(void *arg)
{
    struct name_query *query = arg;
    struct addrinfo *list = NULL;

    int code = ask(query->host, query->port, query->flags, &list);
    atomic_fetch_sub(&under_way, 1);
    pthread_mutex_lock(&query->mutex);
    query->done = true;
    query->code = code;
    query->list = code == 0 ? list : NULL;
    pthread_cond_signal(&query->answered);
    pthread_mutex_unlock(&query->mutex);
    unref(query);
    return NULL;
}

static bool start_thread(struct name_query *query)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attr, run, query);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rc == 0;
}

struct name_query *name_query_start(const char *host, const char *port, int flags)
{
    pthread_condattr_t attr;

    if (atomic_fetch_add(&under_way, 1) >= NAME_QUERY_MAX) {
        atomic_fetch_sub(&under_way, 1);
        return NULL;
    }
    struct name_query *query = mem_zalloc(sizeof(*query));
    query->host = mem_strdup(host);
    query->port = mem_strdup(port);
    query->flags = flags;
    query->references = 2;
    pthread_mutex_init(&query->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&query->answered, &attr);
    pthread_condattr_destroy(&attr);
    if (start_thread(query))
        return query;
    atomic_fetch_sub(&under_way, 1);
    unref(query);
    unref(query);
    return NULL;
}

bool name_query_done(struct name_query *query, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};

    pthread_mutex_lock(&query->mutex);
    while (!query->done && wait_ms > 0 &&
           pthread_cond_timedwait(&query->answered, &query->mutex, &until) == 0)
        ;
    bool done = query->done;
    pthread_mutex_unlock(&query->mutex);
    return done;
}

int name_query_take(struct name_query *query, struct addrinfo **list, struct err *err)
{
    pthread_mutex_lock(&query->mutex);
    ASSERT(query->done);
    int code = query->code;
    struct addrinfo *found = query->list;
    query->list = NULL;
    pthread_mutex_unlock(&query->mutex);
    if (code != 0)
        return err_set(err, code == EAI_AGAIN ? ERR_UNAVAILABLE : ERR_NOT_FOUND, "%s: %s",
                       query->host, gai_strerror(code));
    *list = found;
    return 0;
}

void name_query_free(struct name_query *query)
{
    if (query != NULL)
        unref(query);
}

int name_query_figures(const char *host, const char *port, int flags,
                       struct addrinfo **list)
{
    return ask(host, port, flags | AI_NUMERICHOST, list) == 0 ? 0 : ERR_NOT_FOUND;
}

int name_query_now(const char *host, const char *port, int flags,
                   const struct name_wait *wait, struct addrinfo **list, struct err *err)
{
    int64_t until_ms = clock_monotonic_ms() + wait->limit_ms;
    int rc = 0;

    if (name_query_figures(host, port, flags, list) == 0)
        return 0;
    struct name_query *query = name_query_start(host, port, flags);
    if (query == NULL)
        return err_set(err, ERR_OVERLOADED, "%s: too many names are being looked up",
                       host);
    while (rc == 0 && !name_query_done(query, LOOK_EVERY_MS)) {
        if (wait->stopped == NULL ? stop_signal_waits() : wait->stopped(wait->arg))
            rc = err_set(err, ERR_CANCELLED, "stopped while %s was looked up", host);
        else if (clock_monotonic_ms() >= until_ms)
            rc = err_set(err, ERR_TIMEOUT, "%s: no name server answers within %lld ms",
                         host, (long long)wait->limit_ms);
    }
    if (rc == 0)
        rc = name_query_take(query, list, err);
    name_query_free(query);
    return rc;
}
