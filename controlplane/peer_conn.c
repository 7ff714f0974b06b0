/* peer_conn.c - see peer_conn.h. */
#include "controlplane/peer_conn.h"

#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"

#define READ_BYTES ((size_t)64 << 10)
/* One connection's share of a tick. */
#define TICK_BYTES ((size_t)1 << 20)
/* Buffers that grew beyond this are given back when they are empty. */
#define KEEP_BYTES ((size_t)1 << 20)
#define OUT_MAX    (PEERS_MESSAGE_MAX + ((size_t)64 << 20))

static void step(struct peer_conn *conn);

static void on_ready(struct loop_io *io, unsigned events, void *arg)
{
    (void)io, (void)events;
    step(arg);
}

/* The work of the end of the tick: send what was appended, go on reading, or go. */
static void on_work(struct loop_deferred *deferred)
{
    struct peer_conn *conn = CONTAINER_OF(deferred, struct peer_conn, work);

    if (conn->state != CONN_CLOSED) {
        step(conn);
        return;
    }
    str_fini(&conn->in);
    str_fini(&conn->out);
    peer_tls_context_unref(conn->context);
    mem_free(conn);
}

static struct peer_conn *new_conn(struct loop *loop, struct peer_tls_context *context,
                                  int fd, const struct uuid *cell_id,
                                  const struct peer_conn_ops *ops, void *owner)
{
    struct peer_conn *conn = mem_zalloc(sizeof(*conn));

    list_node_init(&conn->node);
    conn->owner = owner;
    conn->ops = ops;
    conn->cell_id = cell_id;
    conn->loop = loop;
    conn->context = peer_tls_context_ref(context);
    conn->fd = fd;
    conn->frame_max = PEER_HELLO_MAX;
    conn->sent_at_ms = conn->received_at_ms = clock_monotonic_ms();
    str_init(&conn->in, PEERS_MESSAGE_MAX + KEEP_BYTES);
    str_init(&conn->out, OUT_MAX);
    loop_deferred_init(&conn->work, on_work);
    loop_io_init(&conn->io, loop, fd, on_ready, conn);
    return conn;
}

struct peer_conn *peer_conn_dial(struct loop *loop, struct peer_tls_context *context,
                                 int fd, const struct uuid *cell_id,
                                 const struct peer_conn_ops *ops, void *owner)
{
    struct peer_conn *conn = new_conn(loop, context, fd, cell_id, ops, owner);
    conn->dialler = true;
    conn->state = CONN_CONNECTING;
    loop_io_want(&conn->io, LOOP_WRITE);
    return conn;
}

struct peer_conn *peer_conn_accept(struct loop *loop, struct peer_tls_context *context,
                                   int fd, const struct uuid *cell_id,
                                   const struct peer_conn_ops *ops, void *owner)
{
    struct peer_conn *conn = new_conn(loop, context, fd, cell_id, ops, owner);
    conn->state = CONN_HANDSHAKE;
    conn->tls = peer_tls_new(context, fd, true);
    loop_io_want(&conn->io, LOOP_READ);
    return conn;
}

struct str *peer_conn_out(struct peer_conn *conn)
{
    if (conn->state != CONN_CLOSED)
        loop_defer(conn->loop, &conn->work);
    return &conn->out;
}

size_t peer_conn_queued(const struct peer_conn *conn)
{
    return conn->out.len - conn->out_done;
}

static void release(struct peer_conn *conn)
{
    conn->state = CONN_CLOSED;
    loop_io_fini(&conn->io);
    list_remove(&conn->node);
    loop_defer(conn->loop, &conn->work);
}

bool peer_conn_trusted(struct peer_conn *conn, struct peer_tls_context *context)
{
    return conn->state != CONN_OPEN || peer_tls_trusted(conn->tls, context);
}

void peer_conn_take(struct peer_conn *conn, int *fd, struct peer_tls **tls)
{
    ASSERT(conn->state == CONN_OPEN);
    *fd = conn->fd;
    *tls = conn->tls;
    conn->tls = NULL;
    conn->fd = -1;
    release(conn);
}

/* What is left of the answers, as far as the socket takes it: a refusal should arrive. */
static void send_last(struct peer_conn *conn)
{
    struct err err;
    size_t count = 0;
    unsigned wants = 0;

    if (conn->state == CONN_OPEN && conn->out.len > conn->out_done)
        (void)!peer_tls_write(
            conn->tls,
            slice_of(conn->out.data + conn->out_done, conn->out.len - conn->out_done),
            &count, &wants, &err);
}

void peer_conn_kill(struct peer_conn *conn, const struct err *err)
{
    if (conn->state == CONN_CLOSED)
        return;
    send_last(conn);
    release(conn);
    peer_tls_free(conn->tls);
    conn->tls = NULL;
    close(conn->fd);
    conn->fd = -1;
    conn->ops->on_closed(conn, err);
}

void peer_conn_pause(struct peer_conn *conn, bool paused)
{
    if (conn->state != CONN_OPEN || conn->paused == paused)
        return;
    conn->paused = paused;
    loop_defer(conn->loop, &conn->work);
}

/* ---- steps; each returns an error that ends the connection ---- */

static int step_handshake(struct peer_conn *conn, struct err *err)
{
    unsigned wants = 0;
    int rc = peer_tls_handshake(conn->tls, &wants, err);

    if (rc == 0 && wants != 0) {
        conn->read_wants = wants;
        return 0;
    }
    if (rc != 0)
        return rc;
    conn->state = CONN_OPEN;
    rc = peer_tls_node(conn->tls, conn->cell_id, &conn->node_id, err);
    if (rc != 0) {
        if (!conn->dialler) /* so that its log says it too */
            peer_refused_write(PEER_REFUSED_OTHER, err->text, &conn->out);
        return rc;
    }
    conn->read_wants = 0;
    conn->ops->on_secure(conn);
    return 0;
}

/* Hand out the whole frames of `in`, and move the rest to its front. */
static int take_frames(struct peer_conn *conn, struct err *err)
{
    size_t at = 0;

    while (conn->state == CONN_OPEN && !conn->paused) {
        struct slice body = SLICE_NULL;
        uint8_t type = 0;
        size_t used = 0;
        int rc = peer_frame_next(slice_of(conn->in.data + at, conn->in.len - at),
                                 conn->frame_max, &type, &body, &used);
        if (rc != 0)
            return err_set(err, rc, "it sent a frame that is too long or makes no sense");
        if (type == 0)
            break;
        at += used;
        conn->ops->on_frame(conn, type, body);
    }
    if (conn->state == CONN_CLOSED)
        return 0;
    if (at > 0 && at < conn->in.len)
        memmove(conn->in.data, conn->in.data + at, conn->in.len - at);
    str_truncate(&conn->in, conn->in.len - at);
    if (conn->in.len == 0 && conn->in_big) {
        str_fini(&conn->in);
        str_init(&conn->in, PEERS_MESSAGE_MAX + KEEP_BYTES);
    }
    conn->in_big = conn->in.len > KEEP_BYTES;
    return 0;
}

static int step_read(struct peer_conn *conn, struct err *err)
{
    size_t taken = 0;
    int rc = take_frames(conn, err); /* of before the pause */

    conn->read_wants = 0;
    while (rc == 0 && conn->state == CONN_OPEN && !conn->paused) {
        size_t count = 0, len = conn->in.len;
        if (taken >= TICK_BYTES) {
            loop_defer(conn->loop, &conn->work); /* the others' turn */
            return 0;
        }
        void *room = str_extend(&conn->in, READ_BYTES);
        ASSERT(room != NULL); /* frame_max is below the buffer's maximum */
        rc = peer_tls_read(conn->tls, room, READ_BYTES, &count, &conn->read_wants, err);
        str_truncate(&conn->in, len + count);
        if (rc != 0 || count == 0)
            return rc;
        taken += count;
        conn->received_bytes += count;
        conn->received_at_ms = clock_monotonic_ms();
        rc = take_frames(conn, err);
    }
    return rc;
}

static int step_write(struct peer_conn *conn, struct err *err)
{
    int rc = 0;

    conn->write_wants = 0;
    conn->out_big = conn->out_big || conn->out.len > KEEP_BYTES;
    while (rc == 0 && conn->write_wants == 0 && conn->out_done < conn->out.len) {
        size_t count = 0;
        rc = peer_tls_write(
            conn->tls,
            slice_of(conn->out.data + conn->out_done, conn->out.len - conn->out_done),
            &count, &conn->write_wants, err);
        conn->out_done += count;
        conn->sent_bytes += count;
        if (count > 0)
            conn->sent_at_ms = clock_monotonic_ms();
    }
    if (conn->out_done == conn->out.len) {
        conn->out_done = 0;
        str_reset(&conn->out);
        if (conn->out_big) {
            str_fini(&conn->out);
            str_init(&conn->out, OUT_MAX);
            conn->out_big = false;
        }
    } else if (conn->out_done > KEEP_BYTES) {
        size_t left = conn->out.len - conn->out_done;
        memmove(conn->out.data, conn->out.data + conn->out_done, left);
        str_truncate(&conn->out, left);
        conn->out_done = 0;
    }
    return rc;
}

static void want(struct peer_conn *conn)
{
    unsigned tls = conn->read_wants | conn->write_wants;
    unsigned events =
        (tls & PEER_TLS_READ ? LOOP_READ : 0u) | (tls & PEER_TLS_WRITE ? LOOP_WRITE : 0u);

    loop_io_want(&conn->io, events);
}

static void step(struct peer_conn *conn)
{
    struct err err = {.code = 0};
    int rc = 0;

    if (conn->state == CONN_CLOSED)
        return;
    if (conn->state == CONN_CONNECTING) {
        if (conn->out.len > 0)
            return; /* nothing is sent before it is open */
        rc = peer_connected(conn->fd, &err);
        if (rc == 0) {
            conn->tls = peer_tls_new(conn->context, conn->fd, false);
            conn->state = CONN_HANDSHAKE;
        }
    }
    if (rc == 0 && conn->state == CONN_HANDSHAKE)
        rc = step_handshake(conn, &err);
    if (rc == 0 && conn->state == CONN_OPEN)
        rc = step_read(conn, &err);
    if (rc == 0 && conn->state == CONN_OPEN)
        rc = step_write(conn, &err);
    if (conn->state == CONN_CLOSED)
        return;
    if (rc != 0)
        peer_conn_kill(conn, &err);
    else
        want(conn);
}
