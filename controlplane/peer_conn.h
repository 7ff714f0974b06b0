/* peer_conn.h - one connection between nodes, in peers.c's loop: TLS, then frames.
 *
 *        peer_conn_dial        peer_conn_accept
 *             |                      |
 *         CONNECTING                 |
 *             |  socket writable     |
 *             +----> HANDSHAKE <-----+
 *                       |  both certificates are of the cell: on_secure
 *                     OPEN       frames out and in: on_frame
 *                       |  peer_conn_kill, or the other side: on_closed, once
 *                     CLOSED     freed at the end of the tick
 *
 * What waits to go out is bounded, what may come in too: frames over `frame_max` end the
 * connection before they are stored. */
#ifndef CONTROLPLANE_PEER_CONN_H
#define CONTROLPLANE_PEER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/peer_frame.h"
#include "controlplane/peer_net.h"
#include "controlplane/peer_tls.h"

struct peer_conn;

struct peer_conn_ops {
    /* conn->node_id is known. */
    void (*on_secure)(struct peer_conn *conn);
    void (*on_frame)(struct peer_conn *conn, uint8_t type, struct slice body);
    void (*on_closed)(struct peer_conn *conn, const struct err *err);
};

enum peer_conn_state { CONN_CONNECTING, CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSED };

struct peer_conn {
    struct list_node node; /* the owner's */
    void *owner, *link;    /* the owner's */
    uint64_t node_id;      /* of the other side, once secure */
    bool dialler;
    bool greeted; /* the owner's: HELLO or WELCOME was taken */
    char address[PEER_ADDRESS_BYTES];
    enum peer_conn_state state;
    size_t frame_max;    /* of bodies */
    int64_t deadline_ms; /* the owner's; monotonic */
    int64_t sent_at_ms, received_at_ms;
    uint64_t sent_bytes, received_bytes;
    /* private */
    const struct peer_conn_ops *ops;
    const struct uuid *cell_id;
    struct loop *loop;
    struct loop_io io;
    struct peer_tls *tls;
    struct peer_tls_context *context;
    struct str in, out;
    size_t out_done;
    unsigned read_wants, write_wants;
    bool paused, in_big, out_big;
    int fd;
    struct loop_deferred work;
};

/* Take FD, which is being connected. */
struct peer_conn *peer_conn_dial(struct loop *loop, struct peer_tls_context *context,
                                 int fd, const struct uuid *cell_id,
                                 const struct peer_conn_ops *ops, void *owner);
/* Take FD, which was accepted. */
struct peer_conn *peer_conn_accept(struct loop *loop, struct peer_tls_context *context,
                                   int fd, const struct uuid *cell_id,
                                   const struct peer_conn_ops *ops, void *owner);
/* Where a frame can be appended; it is sent at the end of the tick. */
struct str *peer_conn_out(struct peer_conn *conn);
size_t peer_conn_queued(const struct peer_conn *conn);
/* Do not read (the owner has too much of it), or go on. */
void peer_conn_pause(struct peer_conn *conn, bool paused);
/* Send what waits as far as it goes, and end. */
void peer_conn_kill(struct peer_conn *conn, const struct err *err);
/* Whether its other side would be let in by CONTEXT; true before the handshake is over.
 */
bool peer_conn_trusted(struct peer_conn *conn, struct peer_tls_context *context);
/* Give the socket and TLS away (they go on elsewhere); CONN ends without on_closed. */
void peer_conn_take(struct peer_conn *conn, int *fd, struct peer_tls **tls);

#endif
