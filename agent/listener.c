/* listener.c - listening sockets. */
#include "agent/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/metrics.h"
#include "common/check.h"
#include "common/name_query.h"

#define BACKLOG          1024
#define ACCEPTS_PER_TICK 64
#define RETRY_MS         100
#define LOG_INTERVAL_MS  1000

/* The thread with the fewest connections; the counts may be a little old. */
static struct client_thread *choose(struct front *front)
{
    struct client_thread *best = &front->threads[0];
    for (size_t i = 1; i < front->thread_count; i++) {
        struct client_thread *thread = &front->threads[i];
        if (atomic_load_explicit(&thread->conn_count, memory_order_relaxed) <
            atomic_load_explicit(&best->conn_count, memory_order_relaxed))
            best = thread;
    }
    return best;
}

static void refuse(struct listener *listener, int fd)
{
    uint64_t dropped;
    close(fd);
    metric_add(agent_metric(connections_refused_total), 1);
    if (log_limit_pass(&listener->log, loop_now_ms(listener->io.loop), &dropped))
        log_warn("listener", "connection refused: max-connections is reached",
                 "max_connections=%zu not_logged=%llu",
                 listener->front->options.max_connections, (unsigned long long)dropped);
}

static void on_acceptable(struct loop_io *io, unsigned events, void *arg)
{
    struct listener *listener = arg;
    struct front *front = listener->front;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TICK; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(listener->fd, (struct sockaddr *)&peer, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM) {
                uint64_t dropped;
                if (log_limit_pass(&listener->log, loop_now_ms(io->loop), &dropped))
                    log_warn("listener", "cannot accept", "errno=%d err=%s", errno,
                             LOG_QUOTED(strerror(errno)));
                loop_io_want(io, 0);
                loop_timer_set(&listener->retry, RETRY_MS);
                return;
            }
            if (errno == EAGAIN)
                return;
            continue; /* the client gave up meanwhile */
        }
        if (atomic_load_explicit(&front->connections, memory_order_relaxed) >=
            front->options.max_connections)
            refuse(listener, fd);
        else
            client_thread_adopt(choose(front), fd, &peer);
    }
}

static void on_retry(struct loop_timer *timer, void *arg)
{
    struct listener *listener = arg;
    (void)timer;
    loop_io_want(&listener->io, LOOP_READ);
}

static int open_socket(const struct addrinfo *ai, const char *text,
                       struct listener *listener, struct err *err)
{
    int on = 1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "listen: socket for %s", text);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
        int rc = err_set_errno(err, errno, "listen: %s", text);
        close(fd);
        return rc;
    }
    listener->fd = fd;
    listener->port = ntohs(bound.ss_family == AF_INET6
                               ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                               : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return 0;
}

/* "HOST:PORT", "[V6]:PORT" or ":PORT"; ITEM is cut. */
static int bind_one(struct front *front, char *item, struct listener *listener,
                    struct err *err)
{
    char text[256];
    size_t n = MIN(strlen(item), sizeof(text) - 1);
    memcpy(text, item, n);
    text[n] = '\0';

    char *colon = strrchr(item, ':');
    if (colon == NULL || colon[1] == '\0')
        return err_set(err, ERR_INVALID, "listen: \"%s\" is not HOST:PORT", text);
    *colon = '\0';
    char *host = item;
    size_t host_len = strlen(host);
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host[host_len - 1] = '\0';
        host++;
    }
    const struct name_wait wait = {.limit_ms = NAME_QUERY_START_MS};
    struct addrinfo *found = NULL;
    int rc = name_query_now(host, colon + 1, AI_PASSIVE, &wait, &found, err);
    if (rc != 0)
        return err_wrap(err, rc, "listen: \"%s\"", text);
    memset(listener, 0, sizeof(*listener));
    listener->front = front;
    listener->log.interval_ms = LOG_INTERVAL_MS;
    rc = open_socket(found, text, listener, err);
    freeaddrinfo(found);
    return rc;
}

int listener_bind_all(struct front *front, const char *text, struct listener *listeners,
                      size_t max, size_t *count, struct err *err)
{
    char *copy = mem_strdup(text);
    char *save = NULL;
    size_t n = 0;
    int rc = 0;
    for (char *item = strtok_r(copy, ", ", &save); item != NULL && rc == 0;
         item = strtok_r(NULL, ", ", &save)) {
        rc = n == max ? err_set(err, ERR_INVALID, "listen: more than %zu addresses", max)
                      : bind_one(front, item, &listeners[n], err);
        n += rc == 0;
    }
    if (rc == 0 && n == 0)
        rc = err_set(err, ERR_INVALID, "listen: no address");
    mem_free(copy);
    if (rc != 0) {
        while (n > 0)
            listener_close(&listeners[--n]);
        return rc;
    }
    *count = n;
    return 0;
}

void listener_attach(struct listener *listener, struct loop *loop)
{
    loop_io_init(&listener->io, loop, listener->fd, on_acceptable, listener);
    loop_timer_init(&listener->retry, loop, on_retry, listener);
    loop_io_want(&listener->io, LOOP_READ);
    listener->attached = true;
}

void listener_close(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    if (listener->attached) {
        loop_io_fini(&listener->io);
        loop_timer_fini(&listener->retry);
        listener->attached = false;
    }
    close(listener->fd);
    listener->fd = -1;
}
