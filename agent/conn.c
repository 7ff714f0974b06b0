/* conn.c - a client's connection: input, order, output, time limits. */
#include "agent/conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/metrics.h"
#include "agent/request.h"
#include "agent/steering.h"
#include "common/check.h"

#define CONN_MAGIC 0x636f6e6eu

/* Work for one connection in one tick of the loop: then others have their turn. */
#define READS_PER_TICK  16
#define WRITES_PER_TICK 16
#define IOVECS          64

/* Longer names of racks are nobody's. */
#define RACK_MAX 255

/* How soon connections that wait for memory look again. */
#define MEMORY_RETRY_MS 5

/* How long a request may take to arrive grows by a second per so many of its bytes. */
#define FRAME_BYTES_PER_SECOND MIB

/* A peer that vanished without a word: probes after a minute, four of them. */
#define KEEPALIVE_IDLE_SECONDS     60
#define KEEPALIVE_INTERVAL_SECONDS 15
#define KEEPALIVE_PROBES           4

static void on_ready(struct loop_io *io, unsigned events, void *arg);
static void on_work(struct loop_deferred *deferred);
static void on_bury(struct loop_deferred *deferred);

static const struct front_options *options(const struct conn *conn)
{
    return &conn->thread->front->options;
}

static void set_options(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_SECONDS, interval = KEEPALIVE_INTERVAL_SECONDS,
        probes = KEEPALIVE_PROBES;
    /* Not all of these fit every kind of socket, and none is vital. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

struct conn *conn_new(struct client_thread *thread, int fd,
                      const struct sockaddr_storage *peer)
{
    struct conn *conn = mem_zalloc(sizeof(*conn));
    conn->magic = CONN_MAGIC;
    conn->id =
        atomic_fetch_add_explicit(&thread->front->next_conn_id, 1, memory_order_relaxed);
    conn->thread = thread;
    conn->fd = fd;
    conn->state = CONN_OPEN;
    conn->peer = *peer;
    conn->zone = zone_table_find(thread->front->zones, peer);
    conn->active_at_ms = loop_now_ms(thread->loop);
    list_node_init(&conn->starved);
    list_init(&conn->requests);
    frame_reader_init(&conn->in);
    loop_deferred_init(&conn->work, on_work);
    loop_deferred_init(&conn->bury, on_bury);
    set_options(fd);
    loop_io_init(&conn->io, thread->loop, fd, on_ready, conn);
    loop_io_want(&conn->io, LOOP_READ);
    list_push_back(&thread->conns, &conn->node);
    metric_add(agent_metric(connections), 1);
    metric_add(agent_metric(connections_total), 1);
    return conn;
}

/* ---- the end ---- */

static void log_end(const struct conn *conn, const char *why)
{
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    uint64_t dropped;
    if (!log_limit_pass(&conn->thread->kill_log, loop_now_ms(conn->thread->loop),
                        &dropped))
        return;
    (void)getnameinfo((const struct sockaddr *)&conn->peer, sizeof(conn->peer), host,
                      sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    log_warn("conn", "connection closed", "conn=%u peer=%s:%s reason=%s not_logged=%llu",
             conn->id, host, port, LOG_QUOTED(why), (unsigned long long)dropped);
}

void conn_kill(struct conn *conn, const char *why)
{
    ASSERT_MAGIC(conn, CONN_MAGIC);
    if (conn->state == CONN_DEAD)
        return;
    conn->state = CONN_DEAD;
    if (why != NULL) {
        metric_add(agent_metric(connections_closed_total), 1);
        log_end(conn, why);
    }
    loop_io_fini(&conn->io);
    close(conn->fd);
    conn->fd = -1;
    list_remove(&conn->node);
    list_remove(&conn->starved);
    loop_defer_cancel(&conn->work);
    /* What the core holds comes back some time; the rest may be in use up the stack. */
    LIST_FOREACH(node, next, &conn->requests)
    {
        struct request *req = CONTAINER_OF(node, struct request, node);
        if (req->state == REQUEST_ASKING)
            request_abandon(req);
    }
    metric_add(agent_metric(connections), -1);
    atomic_fetch_sub_explicit(&conn->thread->conn_count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&conn->thread->front->connections, 1, memory_order_relaxed);
    loop_defer(conn->thread->loop, &conn->bury);
}

static void on_bury(struct loop_deferred *deferred)
{
    struct conn *conn = CONTAINER_OF(deferred, struct conn, bury);
    struct list_node *node;
    while ((node = list_first(&conn->requests)) != NULL)
        request_free(CONTAINER_OF(node, struct request, node));
    frame_reader_fini(&conn->in);
    mem_free(conn->stash);
    mem_free(conn->rack);
    conn->magic = 0;
    mem_free(conn);
}

/* ---- input ---- */

static bool may_read(const struct conn *conn)
{
    return conn->state == CONN_OPEN && !conn->held && !list_linked(&conn->starved) &&
           conn->request_count < options(conn)->connection_max_requests &&
           conn->outstanding_bytes < options(conn)->connection_max_bytes;
}

static void update_interest(struct conn *conn)
{
    if (conn->state == CONN_DEAD)
        return;
    loop_io_want(&conn->io, (may_read(conn) ? LOOP_READ : 0u) |
                                (conn->stuck_since_ms != 0 ? LOOP_WRITE : 0u));
}

static void starve(struct conn *conn)
{
    struct client_thread *thread = conn->thread;
    if (list_empty(&thread->starved))
        loop_timer_set(&thread->memory, MEMORY_RETRY_MS);
    list_push_back(&thread->starved, &conn->starved);
    metric_add(agent_metric(reads_paused_total), 1);
}

static void begin_request(struct conn *conn, struct blob *frame)
{
    struct request *req;
    struct err err;
    conn->frame_since_ms = 0;
    if (request_new(conn, frame, &req, &err) != 0) {
        conn_fail(conn, err.text);
        return;
    }
    list_push_back(&conn->requests, &req->node);
    conn->request_count++;
    request_run(req);
}

/* Cut [POS, END) into requests as far as they may begin; returns where it stopped. */
static const uint8_t *feed(struct conn *conn, const uint8_t *pos, const uint8_t *end)
{
    do {
        enum frame_result result;
        struct err err;
        if (frame_feed(&conn->in, &conn->thread->front->frame_limits, &pos, end, &result,
                       &err) != 0) {
            conn_fail(conn, err.text);
        } else if (result == FRAME_WAIT) {
            starve(conn);
        } else if (result == FRAME_READY) {
            begin_request(conn, frame_take(&conn->in));
        }
    } while (pos < end && may_read(conn));
    return conn->state == CONN_OPEN ? pos : end;
}

/* Keep what may not begin yet. POS may point into the stash itself. */
static void keep(struct conn *conn, const uint8_t *pos, const uint8_t *end)
{
    size_t len = (size_t)(end - pos);
    uint8_t *old = conn->stash;
    conn->stash = len == 0 ? NULL : mem_dup(pos, len);
    conn->stash_len = len;
    mem_free(old);
}

/* Go on with what was read before; false when the socket may not be read yet. */
static bool feed_stash(struct conn *conn)
{
    /* After FRAME_WAIT the first try is for memory, with or without further bytes. */
    bool waits = conn->in.blob == NULL && conn->in.prefix_len == FRAME_PREFIX_BYTES;
    if (may_read(conn) && (conn->stash_len > 0 || waits)) {
        static const uint8_t nothing[1];
        const uint8_t *bytes = conn->stash == NULL ? nothing : conn->stash;
        const uint8_t *end = bytes + conn->stash_len;
        const uint8_t *pos = feed(conn, bytes, end);
        if (conn->state != CONN_DEAD)
            keep(conn, pos, end);
    }
    return may_read(conn) && conn->stash_len == 0;
}

/* One read; false when the socket has no more for now. */
static bool read_once(struct conn *conn)
{
    uint8_t *scratch = conn->thread->scratch;
    uint8_t *room = NULL;
    size_t room_len = frame_room(&conn->in, &room);
    struct iovec iov[2] = {{room, room_len}, {scratch, SCRATCH_BYTES}};
    bool direct = room_len > 0;

    ssize_t n = readv(conn->fd, direct ? iov : iov + 1, direct ? 2 : 1);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            conn_kill(conn, NULL);
        return errno == EINTR;
    }
    if (n == 0) {
        conn_kill(conn,
                  frame_begun(&conn->in) ? "closed in the middle of a request" : NULL);
        return false;
    }
    conn->active_at_ms = loop_now_ms(conn->thread->loop);
    metric_add(agent_metric(received_bytes_total), n);
    size_t here = MIN((size_t)n, room_len), behind = (size_t)n - here;
    if (direct && frame_filled(&conn->in, here))
        begin_request(conn, frame_take(&conn->in));
    if (conn->state == CONN_DEAD)
        return false;
    const uint8_t *pos = scratch, *end = scratch + behind;
    if (behind > 0 && may_read(conn))
        pos = feed(conn, pos, end);
    if (conn->state == CONN_DEAD)
        return false;
    if (pos < end)
        keep(conn, pos, end);
    return (size_t)n == room_len + SCRATCH_BYTES;
}

static void read_input(struct conn *conn)
{
    if (!feed_stash(conn))
        return;
    for (int i = 0; i < READS_PER_TICK; i++) {
        if (!read_once(conn) || !may_read(conn))
            break;
    }
    if (conn->state == CONN_DEAD)
        return;
    if (frame_begun(&conn->in) && conn->frame_since_ms == 0)
        conn->frame_since_ms = loop_now_ms(conn->thread->loop);
}

void conn_feed_starved(struct conn *conn)
{
    list_remove(&conn->starved);
    (void)feed_stash(conn);
    update_interest(conn);
}

/* ---- output ---- */

/* The unsent pieces of the replies that are next in line. */
static size_t gather(struct conn *conn, struct iovec *iov, size_t max)
{
    size_t n = 0;
    LIST_FOREACH(node, next, &conn->requests)
    {
        struct request *req = CONTAINER_OF(node, struct request, node);
        if (req->state != REQUEST_DONE)
            break;
        struct codec_out_iter iter = req->sent;
        size_t skip = req->sent_in_piece;
        struct slice piece;
        while (n < max && codec_out_next(&req->out, &iter, &piece)) {
            union {
                const uint8_t *from;
                void *to; /* an iovec knows no const */
            } at = {.from = piece.ptr + skip};
            iov[n++] = (struct iovec){at.to, piece.len - skip};
            skip = 0;
        }
        if (n == max)
            break;
    }
    return n;
}

/* BYTES more of REQ were sent; false when it has more to send. */
static bool advance(struct request *req, size_t *bytes)
{
    for (;;) {
        struct codec_out_iter before = req->sent;
        struct slice piece;
        if (!codec_out_next(&req->out, &req->sent, &piece))
            return true;
        size_t left = piece.len - req->sent_in_piece;
        if (*bytes < left) {
            req->sent = before;
            req->sent_in_piece += *bytes;
            *bytes = 0;
            return false;
        }
        *bytes -= left;
        req->sent_in_piece = 0;
    }
}

/* Free the requests that are answered; also those that get no reply. */
static void retire(struct conn *conn, size_t bytes)
{
    struct list_node *node;
    while ((node = list_first(&conn->requests)) != NULL) {
        struct request *req = CONTAINER_OF(node, struct request, node);
        if (req->state != REQUEST_DONE || !advance(req, &bytes))
            break;
        if (req->closes) {
            conn_kill(conn, NULL);
            return;
        }
        conn->request_count--;
        request_free(req);
    }
    ASSERT(bytes == 0);
}

static void write_output(struct conn *conn)
{
    for (int i = 0; i < WRITES_PER_TICK; i++) {
        retire(conn, 0);
        if (conn->state == CONN_DEAD)
            return;
        struct iovec iov[IOVECS];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = gather(conn, iov, IOVECS)};
        if (msg.msg_iovlen == 0) {
            conn->stuck_since_ms = 0;
            if (conn->state == CONN_FINISHING && list_empty(&conn->requests))
                conn_kill(conn, NULL);
            return;
        }
        ssize_t n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (conn->stuck_since_ms == 0)
                conn->stuck_since_ms = loop_now_ms(conn->thread->loop);
            return;
        }
        if (n < 0) {
            conn_kill(conn, NULL);
            return;
        }
        metric_add(agent_metric(sent_bytes_total), n);
        conn->stuck_since_ms = 0;
        conn->active_at_ms = loop_now_ms(conn->thread->loop);
        retire(conn, (size_t)n);
        if (conn->state == CONN_DEAD)
            return;
    }
    loop_defer(conn->thread->loop, &conn->work);
}

static void on_work(struct loop_deferred *deferred)
{
    struct conn *conn = CONTAINER_OF(deferred, struct conn, work);
    write_output(conn);
    if (conn->state == CONN_DEAD)
        return;
    (void)feed_stash(conn);
    update_interest(conn);
}

static void on_ready(struct loop_io *io, unsigned events, void *arg)
{
    struct conn *conn = arg;
    (void)io;
    ASSERT_MAGIC(conn, CONN_MAGIC);
    if (events & LOOP_READ)
        read_input(conn);
    if (conn->state != CONN_DEAD && (events & LOOP_WRITE))
        write_output(conn);
    update_interest(conn);
}

void conn_on_request_done(struct conn *conn)
{
    if (conn->state != CONN_DEAD)
        loop_defer(conn->thread->loop, &conn->work);
}

void conn_hold(struct conn *conn)
{
    conn->held = true;
}

void conn_release(struct conn *conn)
{
    conn->held = false;
    if (conn->state != CONN_DEAD)
        loop_defer(conn->thread->loop, &conn->work);
}

void conn_set_rack(struct conn *conn, struct slice rack)
{
    if (rack.len == 0 || rack.len > RACK_MAX ||
        (conn->rack != NULL && slice_eq_str(rack, conn->rack)))
        return;
    mem_free(conn->rack);
    conn->rack = mem_zalloc(rack.len + 1);
    memcpy(conn->rack, rack.ptr, rack.len);
}

void conn_finish(struct conn *conn)
{
    if (conn->state != CONN_OPEN)
        return;
    conn->state = CONN_FINISHING;
    list_remove(&conn->starved);
    loop_defer(conn->thread->loop, &conn->work);
}

void conn_fail(struct conn *conn, const char *why)
{
    if (conn->state != CONN_OPEN)
        return;
    metric_add(agent_metric(connections_closed_total), 1);
    log_end(conn, why);
    conn_finish(conn);
}

/* ---- time ---- */

void conn_sweep(struct conn *conn, int64_t now_ms)
{
    const struct front_options *opt = options(conn);
    /* Also one that was begun by bytes of an earlier read, which had to wait. */
    if (conn->frame_since_ms == 0 && frame_begun(&conn->in))
        conn->frame_since_ms = now_ms;
    if (conn->stuck_since_ms != 0 &&
        now_ms - conn->stuck_since_ms > opt->write_timeout_ms) {
        conn_kill(conn, "the client does not read its replies");
        return;
    }
    if (conn->frame_since_ms != 0) {
        size_t len = conn->in.blob == NULL ? 0 : conn->in.blob->len;
        int64_t patience_ms =
            opt->frame_timeout_ms + (int64_t)(len / (FRAME_BYTES_PER_SECOND / 1000));
        if (!may_read(conn)) {
            conn->frame_since_ms = now_ms; /* our pause, not the client's */
        } else if (now_ms - conn->frame_since_ms > patience_ms) {
            conn_kill(conn, "a request did not arrive in time");
            return;
        }
    }
    if (list_empty(&conn->requests) && now_ms - conn->active_at_ms > opt->idle_timeout_ms)
        conn_kill(conn, NULL);
}
