/* node.h - the core thread: owns replica, state, log and database of this node.
 *
 * Everybody else asks: node_send() from any thread, and the ask's `run` executes on the
 * core thread, where it may read the state and propose. Functions below are for the core
 * thread (that is, for asks, proposals' callbacks and hooks) unless they say otherwise.
 */
#ifndef CONTROLPLANE_NODE_H
#define CONTROLPLANE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/slice.h"
#include "controlplane/state.h"
#include "proto/command.h"

struct node;
struct wal_ops;

struct node_options {
    const char *dir;             /* data directory; made if missing, mode 0700 */
    uint64_t node_id;            /* > 0: this node's id in the cell; 0 means 1 */
    const char *address;         /* for peers: "host:port" */
    size_t wal_segment_bytes;    /* 0: 64 MiB */
    size_t checkpoint_log_bytes; /* a checkpoint after so much log; 0: 16 MiB */
    int64_t checkpoint_every_ms; /* and at the latest after this, if anything changed;
                                  * 0: 60 s */
    int64_t producer_expiry_ms;  /* producer.id.expiration.ms; 0: 24 h */
    size_t proposals_max_bytes;  /* proposed and not applied; more is ERR_OVERLOADED;
                                  * 0: 64 MiB */
    struct state_events events;  /* hooks of the state, from the core thread */
    void (*on_leader)(void *arg, bool leader); /* core thread; may be NULL */
    void *on_leader_arg;
    const struct wal_ops *wal_ops; /* tests: how the log writes; NULL: the system's */
};

/* Open the data directory, load the last checkpoint, recover the log and start the core
 * thread. ERR_DAMAGED names file, offset and what to do; ERR_CONFLICT: another process
 * holds the directory. */
int node_start(const struct node_options *options, struct node **node,
               struct err *err) MUST_CHECK;
/* End proposals still waiting with ERR_CANCELLED (on the core thread), stop and join it,
 * write a last checkpoint, free. No asks may be sent any more; those under way must have
 * ended, or end with their proposals. Not from the core thread. */
void node_stop(struct node *node);

/* ---- asks ---- */

struct ask {
    struct message message;                          /* private */
    void (*run)(struct node *node, struct ask *ask); /* on the core thread */
    void (*done)(struct ask *ask);                   /* on the core thread */
};

/* Any thread. ASK must live until its done() was called. */
void node_send(struct node *node, struct ask *ask);
/* End an ask, exactly once, from run() or later: calls ask->done at once; ASK may be
 * freed there. */
void ask_done(struct ask *ask);

/* ---- proposals ---- */

struct proposal {
    /* RESULT is state_apply's, borrowed for the call; empty unless CODE is 0. CODE:
     * ERR_NOT_LEADER: not accepted, go to the leader. ERR_NO_SPACE, ERR_IO: the log
     * cannot be written. ERR_OVERLOADED: too much waits. ERR_UNAVAILABLE, ERR_CANCELLED:
     * may or may not happen; repeat it, commands are idempotent. ERR_TOO_LARGE. */
    void (*done)(struct proposal *proposal, int code, struct slice result);
    /* private */
    struct list_node node;
    size_t bytes;
    int code;
};

/* Propose CMD, whose now_ms is stamped here. Its bytes are copied at once. Always one
 * done(), after CMD was durable and applied or has failed, never from inside this call.
 * All proposals of one tick become one Raft entry. */
void node_propose(struct node *node, struct proposal *proposal, struct command *cmd);

/* ---- reading ---- */

/* True when this node may answer reads from its state: leader by a live lease, and
 * everything committed before its term is applied (linearizable). */
bool node_can_read(const struct node *node);
/* The leader's address, or NULL when unknown. */
const char *node_leader_address(const struct node *node);
bool node_is_leader(const struct node *node);
const struct state *node_state(const struct node *node);
/* Wall clock that never goes back behind any command. */
int64_t node_now_ms(const struct node *node);
/* Raft's term: a new one begins a new history of watch cursors. */
uint64_t node_term(const struct node *node);
/* The core thread's loop, for timers of the service side. */
struct loop *node_loop(struct node *node);

/* ---- health: any thread ---- */

struct node_health {
    bool leader;
    bool readable;  /* node_can_read */
    int write_code; /* 0: proposals are accepted; ERR_NOT_LEADER, ERR_NO_SPACE ... */
    uint64_t term, last_index, commit_index, applied_index, checkpoint_index;
    uint64_t log_bytes; /* of all segments */
    uint64_t entries_total, commands_total, log_bytes_total, syncs_total;
    uint64_t checkpoints_total, checkpoint_failures_total;
    int64_t checkpoint_pause_us, checkpoint_pause_max_us; /* of the core thread */
    int64_t checkpoint_write_ms; /* of the last one, all in all */
    int64_t sync_us_max;         /* since the last call of this */
    struct state_counts counts;  /* as of a few seconds ago */
};
void node_health(struct node *node, struct node_health *health);

#endif
