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
#include "common/uuid.h"
#include "controlplane/peers.h"
#include "controlplane/state.h"
#include "proto/command.h"

struct node;
struct wal_ops;

/* What to make of a data directory that holds no node yet. One that holds a node of the
 * cell goes on in all three cases. */
enum node_begin {
    NODE_BOOTSTRAP, /* found a cell of this node alone */
    NODE_JOIN,      /* wait until a leader has added this node and sends it the log */
    NODE_GO_ON,     /* refuse: ERR_NOT_FOUND */
};

struct node_options {
    const char *dir;       /* data directory; made if missing, mode 0700 */
    struct uuid cell_id;   /* that the directory must have; zero: any, a new one random */
    uint64_t node_id;      /* > 0: this node's id in the cell; 0 means 1 */
    enum node_begin begin; /* of an empty directory */
    /* peers; all copied */
    const char *listen_peers; /* "host:port"; NULL: no other node is spoken to */
    const char *address;      /* how others reach it: "host:port" */
    struct peers_certificate certificate; /* its SAN: weft://cell/CELL_ID/node/NODE_ID */
    const struct peers_address *known;    /* others', from the answer to a join */
    size_t known_count;
    unsigned election_timeout_ms; /* 0: 500 */
    unsigned heartbeat_ms;        /* 0: 100 */
    uint64_t snapshot_rate_bytes; /* per second, of snapshots sent; 0: 64 MiB */
    size_t wal_segment_bytes;     /* 0: 64 MiB */
    size_t checkpoint_log_bytes;  /* a checkpoint after so much log; 0: 16 MiB */
    int64_t checkpoint_every_ms;  /* and at the latest after this, if anything changed;
                                   * 0: 60 s */
    int64_t producer_expiry_ms;   /* producer.id.expiration.ms; 0: 24 h */
    int64_t offsets_retention_ms; /* offsets.retention.minutes; 0: 7 days */
    int64_t audit_age_ms;         /* older entries of the audit log go; 0: none does */
    int64_t replies_age_ms;       /* older results kept for repeats go; 0: none does */
    size_t proposals_max_bytes;   /* proposed and not applied; more is ERR_OVERLOADED;
                                   * 0: 64 MiB */
    struct state_events events;   /* hooks of the state, from the core thread */
    void *arg;                    /* of the hooks below, which may be NULL; core thread */
    /* Leader or no longer. When it is no longer, whatever waits for the state to move on
     * (a watch) must be ended: it may be stale from now on. */
    void (*on_leader)(void *arg, bool leader);
    /* The state was replaced by a snapshot from the leader: node_state() is another one,
     * pointers into the old are dead, no event told of what lies between. */
    void (*on_installed)(void *arg);
    /* This node is no member of the cell any more: it must say so and end. REASON is for
     * the log. Called once. */
    void (*on_removed)(void *arg, const char *reason);
    /* This node cannot go on (the disk does not keep the vote, an install broke in the
     * middle, the cell is at a level that this program does not know; ERR says so and
     * what to do): it applies and proposes nothing any more, and the process must end, by
     * node_kill() or at once. NULL: abort(). */
    void (*on_fatal)(void *arg, const struct err *err);
    const struct wal_ops *wal_ops; /* tests: how the log writes; NULL: the system's */
    int64_t (*wall_ms)(void *arg); /* tests: the wall clock; NULL: the system's */
    /* Tests: what this program knows (0: FEATURE_LEVEL_MAX), and from which level on a
     * command is known (NULL: command_level). */
    uint32_t features_max;
    uint32_t (*command_level)(enum command_kind kind);
};

/* Open the data directory, load the last checkpoint, recover the log, listen for peers
 * and start the core thread. ERR_DAMAGED names file, offset and what to do; ERR_CONFLICT:
 * another process holds the directory, or it is another cell's or node's. */
int node_start(const struct node_options *options, struct node **node,
               struct err *err) MUST_CHECK;
/* Hand leadership over to a voter that is up to date, if there is one (at most 1 s, far
 * less usually); end proposals still waiting with ERR_CANCELLED (on the core thread),
 * stop and join it, write a last checkpoint, free. No asks may be sent any more; those
 * under way must have ended, or end with their proposals. Not from the core thread. */
void node_stop(struct node *node);
/* The same as a crash would leave it: no hand-over, no checkpoint (tests). */
void node_kill(struct node *node);

/* Make the empty data directory DIR one of a new cell from the backup FILE: node *NODE_ID
 * (reached at ADDRESS; 0: the next id that the backup's table of nodes gives, which is
 * set then) is its only member. Then node_start() goes on from it. INFO, if not NULL,
 * tells what is in the backup.
 * Its log goes on NODE_RESTORE_GAP behind the backup's index, so that no index of the
 * lost history, which agents may remember as a cursor, stands for another entry now. */
#define NODE_RESTORE_GAP (UINT64_C(1) << 32)
struct snapshot_info;
int node_restore(const char *dir, const char *file, const struct uuid *cell_id,
                 uint64_t *node_id, const char *address, struct snapshot_info *info,
                 struct err *err) MUST_CHECK;

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
     * may or may not happen; repeat it, commands are idempotent. ERR_TOO_LARGE.
     * ERR_UNSUPPORTED: the cell's feature level is below the command's. */
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

/* True when this node may answer reads from its state: leader by a live lease, judged by
 * the clock as it is now, and everything committed before its term is applied
 * (linearizable). */
bool node_can_read(const struct node *node);
/* The leader's id, or 0 when unknown; its URLs are in the state's table of nodes. */
uint64_t node_leader_id(const struct node *node);
/* The leader's address for peers, or NULL when unknown. */
const char *node_leader_address(const struct node *node);
bool node_is_leader(const struct node *node);
uint64_t node_id(const struct node *node);
/* Valid until the next on_installed. */
const struct state *node_state(const struct node *node);
struct uuid node_cell_id(const struct node *node); /* any thread */
/* The time that commands get: this node's wall clock; but never behind any command, and
 * at a leader that others have elected not later than NODE_CLOCK_AHEAD_MS after the time
 * that most of the voters' clocks had reached then (replica_clock.c), or than the last
 * command's time then; both gone on at the pace of the monotonic clock. So a clock that
 * is far in the future, or jumps there, moves the cell by minutes and not for ever. A
 * node alone in its cell goes by its own. */
#define NODE_CLOCK_AHEAD_MS (INT64_C(5) * 60 * 1000)
int64_t node_now_ms(const struct node *node);
/* Raft's term: a new one begins a new history of watch cursors. */
uint64_t node_term(const struct node *node);
/* The core thread's loop, for timers of the service side. */
struct loop *node_loop(struct node *node);

/* ---- members ---- */

enum node_role { NODE_STANDBY, NODE_VOTER };

struct node_server {
    uint64_t node_id;
    char address[256];
    enum node_role role;
    bool leader;
    bool self;
    bool connected;       /* our connection to it is up */
    uint64_t match_index; /* what the leader knows that it has; 0 unless we lead */
    int64_t contact_ms;   /* since it was last heard of; -1: never, or not known */
    bool installing;      /* it is being sent a snapshot */
};

#define NODE_SERVERS_MAX 16
/* The members by the last configuration, for status. Returns how many. Core thread. */
size_t node_servers(const struct node *node,
                    struct node_server servers[NODE_SERVERS_MAX]);

enum node_change_kind {
    NODE_CHANGE_ADD,      /* as standby; ended when that is committed */
    NODE_CHANGE_PROMOTE,  /* to voter; ERR_UNAVAILABLE while it is not caught up */
    NODE_CHANGE_DEMOTE,   /* to standby */
    NODE_CHANGE_REMOVE,   /* out of the cell */
    NODE_CHANGE_TRANSFER, /* make it leader; 0: any voter that is up to date */
};

/* One change of the cell's membership. CODE: ERR_NOT_LEADER; ERR_CONFLICT: another one
 * is under way; ERR_NOT_FOUND: no such member; ERR_EXISTS: it is one already;
 * ERR_INVALID: it would leave no voter, or the node is the leader, which is to hand over
 * first; ERR_TIMEOUT: not committed in time, nobody knows
 * whether it will be; ERR_UNAVAILABLE. ERR's text is for people. */
struct node_change {
    void (*done)(struct node_change *change, int code, const struct err *err);
    enum node_change_kind kind;
    uint64_t node_id;
    char address[256]; /* ADD */
    /* private */
    struct list_node node;
    int64_t until_ms;
    int code;
    struct err err;
};
/* Core thread. CHANGE must live until its done(), which comes exactly once, from the core
 * thread, never from inside this call. */
void node_change(struct node *node, struct node_change *change);

/* Take another certificate for peers: connections made from now on use it, and those end
 * whose other side its CAs do not vouch for. Any thread; copied. ERR_MALFORMED: PEM that
 * does not fit together, nothing is changed. */
int node_set_certificate(struct node *node, const struct peers_certificate *certificate,
                         struct err *err) MUST_CHECK;
/* Where peers are listened for, "host:port" with the port that was taken; or "". */
const char *node_peers_listen(const struct node *node);

/* ---- snapshots ---- */

/* A file of the whole state, for a backup (format: snapshot_file.h). */
struct node_snapshot {
    /* ERR_CONFLICT: too many are being made. On failure there is no file. */
    void (*done)(struct node_snapshot *snapshot, int code, const struct err *err);
    char path[1024];     /* made anew; its directory must be there */
    uint64_t rate_bytes; /* per second at most; 0: no limit */
    /* when done: */
    uint64_t index, term; /* everything up to here is in it */
    int64_t created_at_ms;
    uint64_t plain_bytes, file_bytes;
    uint8_t sha256[32]; /* of the plain bytes */
    /* private */
    struct list_node node;
    void *job;
};
/* Core thread; SNAPSHOT lives until its done(), on the core thread, never from inside
 * this call. Everything applied when it was called is in the file; commits go on. On any
 * node; a follower's may be behind. */
void node_make_snapshot(struct node *node, struct node_snapshot *snapshot);

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
    uint64_t leader_id;          /* 0: unknown */
    uint64_t elections_total;    /* this node became leader */
    uint64_t snapshots_sent_total, snapshots_installed_total;
    uint64_t snapshot_bytes_total; /* sent to other nodes */
    size_t server_count;
    struct node_server servers[NODE_SERVERS_MAX]; /* as node_servers */
};
void node_health(struct node *node, struct node_health *health);

#endif
