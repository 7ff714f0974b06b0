/* peers.h - how the nodes of a cell talk: mutually authenticated TLS, one connection in
 * each direction.
 *
 * Each node dials every other and only sends on its own connection, so that order holds
 * and a connection that died takes its messages with it. Both sides verify: a certificate
 * of the cell's CA whose URI SAN is weft://cell/CELL_ID/node/NODE_ID, the node that was
 * meant. Then frames, all numbers big-endian:
 *
 *   frame     u32 length of what follows (1 to 64 MiB + 4 KiB), u8 type, body
 *   HELLO     from the dialler, once: u8 version (1), cell id 16, u64 from, u64 to,
 *             u8 purpose (1 RAFT, 2 SNAPSHOT), u8 flags (1: it lost its log),
 *             u64 boot, u64 number, u64 index, u64 file index, u64 file created at, u64
 * offset, u8 length and bytes of the dialler's address WELCOME   its answer: nothing more
 * for RAFT; for SNAPSHOT u64 size of the file, u64 index, u64 created at, u64 offset
 * where it begins, then DATA frames REFUSED   its answer: u8 reason, text; then the
 * connection ends MESSAGE   one of proto/peer_message.h PING      from the dialler, every
 * second that has nothing else DATA      bytes of the snapshot's file
 *
 * Until HELLO was accepted a connection may hold 1 KiB of frames and five seconds. A
 * newer connection of a node (same boot, higher number; or another boot) ends the older:
 * of the older one nothing is delivered any more. What waits to be sent is bounded: over
 * it the connection ends and all that waits is dropped, which Raft repeats. What was
 * received and not taken is bounded too: a connection over it is not read.
 *
 * Threads: one of its own (weft-peers), one for each name that is being looked up, which
 * nobody waits for, and one for each snapshot that is being sent. */
#ifndef CONTROLPLANE_PEERS_H
#define CONTROLPLANE_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

struct peers;

#define PEERS_MAX         32 /* other nodes known at a time */
#define PEERS_ADDRESS_MAX 255
#define PEERS_MESSAGE_MAX ((size_t)64 << 20)

/* This node towards the others, PEM: its chain, its key, and the CAs to trust. */
struct peers_certificate {
    struct slice chain_pem, key_pem, ca_pem;
};

struct peers_address {
    uint64_t node_id;
    const char *address; /* "host:port" */
};

enum peers_event_kind {
    PEERS_MESSAGE, /* body is a message of `from` */
    PEERS_REMOVED, /* `from` says that this node was removed from the cell */
    PEERS_LOST,    /* `from` has lost its log; told once for each of its processes */
};

/* What arrives in the core's mailbox, in order for each sender; goes back through
 * peers_event_done(). */
struct peers_event {
    struct message message;
    enum peers_event_kind kind;
    uint64_t from;
    struct str body;
};

/* A snapshot file that is ready to be sent. */
struct peers_file {
    int fd;
    uint64_t size;
    uint64_t index;
    int64_t created_at_ms;
    void *arg; /* the maker's */
};

struct peers_options {
    struct uuid cell_id;
    uint64_t node_id;
    const char *listen;  /* "host:port"; port 0: any */
    const char *address; /* told to others */
    struct peers_certificate certificate;
    uint64_t snapshot_rate_bytes; /* per second and snapshot sent; 0: no limit */
    struct mailbox *back;         /* for struct peers_event */
    void *arg;
    /* On a thread of a snapshot, may take its time: a file of the state at INDEX or
     * later. Exactly FILE_INDEX and CREATED_AT_MS, if that is still there (a fetch that
     * goes on). */
    int (*open_snapshot)(void *arg, uint64_t index, uint64_t file_index,
                         int64_t created_at_ms, struct peers_file *file, struct err *err);
    void (*close_snapshot)(void *arg, struct peers_file *file);
};

/* Listen and start. ERR_MALFORMED: the certificate; ERR_CONFLICT: the port is taken. */
int peers_start(const struct peers_options *options, struct peers **peers,
                struct err *err) MUST_CHECK;
/* End all connections and threads. Events of this that are still in the mailbox are the
 * caller's: peers_event_free. */
void peers_stop(struct peers *peers);
/* Where it listens: "host:port". */
const char *peers_listen(const struct peers *peers);

/* Any thread: dial these nodes (this one's own id is passed over) and no others; refuse
 * the REMOVED ones. Copied. */
void peers_set_nodes(struct peers *peers, const struct peers_address *nodes, size_t count,
                     const uint64_t *removed, size_t removed_count);
/* Any thread: what to say of this node's log to others from now on. */
void peers_set_lost(struct peers *peers, bool lost);
/* Any thread: send BYTES (copied) to a node, or drop them when there is no connection. */
void peers_send(struct peers *peers, uint64_t to, struct slice bytes);
/* Any thread: what NODE_ID sends makes no sense, end its connection. */
void peers_close(struct peers *peers, uint64_t node_id);
/* Any thread: an event was used. */
void peers_event_done(struct peers *peers, struct peers_event *event);
void peers_event_free(struct peers_event *event);

/* Any thread: connections made from now on use it; those whose other side its authorities
 * would not let in end. ERR_MALFORMED: nothing changed. */
int peers_set_certificate(struct peers *peers,
                          const struct peers_certificate *certificate,
                          struct err *err) MUST_CHECK;

struct peers_status {
    uint64_t node_id;
    char address[PEERS_ADDRESS_MAX + 1]; /* where it is dialled, or "" */
    bool connected;                      /* ours to it */
    bool heard;                          /* its to us */
    uint64_t sent_bytes, received_bytes, dropped_messages, connects;
    char error[ERR_TEXT_MAX]; /* why it is not connected, or "" */
};
/* Any thread; returns how many. */
size_t peers_status(struct peers *peers, struct peers_status status[PEERS_MAX]);

/* Snapshots that went out whole, and bytes of all. Any thread. */
void peers_sent_snapshots(struct peers *peers, uint64_t *files, uint64_t *bytes);

/* ---- fetching a snapshot: blocking, on a thread of the caller ---- */

struct peers_fetch {
    uint64_t node_id; /* whose */
    const char *address;
    uint64_t index; /* at least this */
    /* A fetch that goes on: which file, from where; in: 0 or what a former one left; out:
     * the file that is being sent, and where it goes on. */
    uint64_t file_index;
    int64_t created_at_ms;
    uint64_t offset;
    uint64_t size; /* out */
    void *arg;
    /* The file begins anew at OFFSET 0 or goes on. */
    int (*on_begin)(void *arg, struct peers_fetch *fetch, struct err *err);
    int (*on_bytes)(void *arg, struct slice bytes, struct err *err);
    bool (*cancelled)(void *arg);
};
/* 0: the whole file came. Else `offset` says how far it got. */
int peers_fetch(struct peers *peers, struct peers_fetch *fetch,
                struct err *err) MUST_CHECK;

#endif
