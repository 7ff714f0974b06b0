/* conn.h - one client's connection: reads frames, keeps replies in order, writes them.
 *
 *   conn_new -> OPEN -- conn_finish(), conn_fail() -> FINISHING (reads no more)
 *                 \                                     | last reply written
 *                  ------- conn_kill(), peer gone ------+--> DEAD (freed at tick's end)
 *
 * Reading stops while the connection has as many requests or bytes outstanding as it may
 * (connection_max_*), while one of its requests waits for newer metadata (so that what
 * follows cannot overtake it, I8), and while the agent is short of memory; it goes on by
 * itself. An idle connection holds no buffer. Requests are handled in the order of their
 * arrival and may be in flight together; replies leave in that order.
 *
 * A frame must arrive, and a reply be taken, within a time; a connection on which nothing
 * happens is closed after idle_timeout_ms. Belongs to its client thread. */
#ifndef AGENT_CONN_H
#define AGENT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent/client_thread.h"
#include "agent/frame.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/slice.h"

struct request;

enum conn_state { CONN_OPEN, CONN_FINISHING, CONN_DEAD };

struct conn {
    uint32_t magic;
    uint32_t id;
    struct client_thread *thread;
    struct list_node node;    /* in thread->conns */
    struct list_node starved; /* in thread->starved */
    int fd;
    enum conn_state state;
    bool held; /* a request waits for metadata: begin no other */
    struct loop_io io;
    struct loop_deferred work; /* write replies, go on with the input */
    struct frame_reader in;
    uint8_t *stash; /* read, but behind frames that may not begin yet; NULL: none */
    size_t stash_len;
    struct list requests; /* by arrival, until their replies are written */
    size_t request_count;
    size_t outstanding_bytes;
    int64_t frame_since_ms; /* begin of the frame under way; 0: none */
    int64_t active_at_ms;   /* the last read */
    int64_t stuck_since_ms; /* last progress of writing; 0: nothing waits */
    struct slice zone;      /* by address; null: unknown */
    char *rack;             /* what its fetches say (client.rack); NULL: nothing */
    struct loop_deferred bury;
    struct sockaddr_storage peer;
};

/* Serve FD (any stream socket) on THREAD; the descriptor is the connection's. */
struct conn *conn_new(struct client_thread *thread, int fd,
                      const struct sockaddr_storage *peer);
/* Close now; WHY is logged (rate limited), NULL: not worth a line. Requests that the core
 * still holds live on without the connection. May be called from anywhere, twice. */
void conn_kill(struct conn *conn, const char *why);
/* Read no more; close when everything is answered. */
void conn_finish(struct conn *conn);
/* The same because the client did what it must not; WHY is logged (rate limited). */
void conn_fail(struct conn *conn, const char *why);
/* A fetch named RACK as the client's: from now on it counts as its zone (KIP-392). */
void conn_set_rack(struct conn *conn, struct slice rack);
/* Once a second: close what has waited too long. */
void conn_sweep(struct conn *conn, int64_t now_ms);
/* There may be memory again. */
void conn_feed_starved(struct conn *conn);

/* ---- called by request.c ---- */

/* A request has its reply (or needs none): send what is next in line. */
void conn_on_request_done(struct conn *conn);
/* Begin no further request before conn_release. */
void conn_hold(struct conn *conn);
void conn_release(struct conn *conn);

#endif
