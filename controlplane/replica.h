/* replica.h - this node's part in Raft: drives raft_step() of libraft 0.22.1.
 *
 * The only user of raft.h. Events in (submitted commands, peers' messages, entries that
 * the log has made durable, time, snapshots), consequences out: term and vote are stored
 * before anything else happens, entries go to the log, messages to the peers, committed
 * and durable entries to on_apply in order, once. No thread of its own, no clock, no
 * socket: the core thread calls and passes the time. The same events in the same order
 * with the same seed do the same: the simulator stands on that.
 *
 * Callbacks come from inside the functions below, and may call only those that ask (the
 * last group). NOW_MS is the monotonic clock, read after whatever the call hands over
 * was there: a message's bytes, a log job. An older time would let a follower's timer
 * begin before the leader's message was sent, which the lease forbids. */
#ifndef CONTROLPLANE_REPLICA_H
#define CONTROLPLANE_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "controlplane/log_writer.h"
#include "controlplane/vote.h"
#include "controlplane/wal.h"

struct replica;

#define REPLICA_VOTERS_MAX  7
#define REPLICA_SERVERS_MAX 16
#define REPLICA_ADDRESS_MAX 255
#define REPLICA_TRAILING    4096 /* the default of `trailing` */

/* Where the state stands in Raft's history: what a snapshot must know besides data. */
struct replica_position {
    uint64_t index; /* 0: nothing applied yet */
    uint64_t term;
    uint64_t configuration_index;
    struct slice configuration; /* Raft's encoding; borrowed */
};

struct replica_options {
    uint64_t id;         /* > 0, never reused in the cell */
    const char *address; /* for peers; copied */
    const char *vote_path;
    const struct vote_ops *vote_ops; /* NULL: the system's */
    unsigned election_timeout_ms, heartbeat_ms;
    unsigned random_seed;
    unsigned trailing; /* entries kept behind a checkpoint, for followers that are a
                        * little late; 0: REPLICA_TRAILING */
    /* An empty log without checkpoint: found a cell of this node alone. Without it such a
     * node waits until a leader sends it the log, and never votes before. */
    bool bootstrap;
    /* The checkpoint came from an installed snapshot, and a crash may have left the log
     * as it was before: let it begin anew behind the checkpoint. */
    bool reset_log;
    struct replica_position start; /* of the last checkpoint */
    struct wal *wal; /* read at the start; later belongs to the log's thread */
    void *arg;       /* of the callbacks; all but on_apply and on_skip may be NULL */
    /* The wall clock, told to others with our votes: replica_clock_ms(). */
    int64_t (*wall_ms)(void *arg);
    /* A committed, durable command. */
    void (*on_apply)(void *arg, uint64_t index, uint64_t term, struct slice data);
    /* An entry that holds no command. */
    void (*on_skip)(void *arg, uint64_t index);
    /* Leader or not, another leader, writable or not, a hand-over began or ended: ask. */
    void (*on_role)(void *arg);
    /* Send BYTES (a peer message as proto/peer_message.h has it, borrowed) to TO: in
     * order, or not at all. */
    void (*on_message)(void *arg, uint64_t to, struct slice bytes);
    /* The members or their roles changed, committed or not: see replica_servers(). */
    void (*on_configuration)(void *arg);
    /* This node is too far behind for the log: fetch from node FROM its snapshot, which
     * must stand at AT_LEAST or later. Comes once, until replica_installed() or
     * replica_install_failed(). */
    void (*on_install)(void *arg, uint64_t from, const struct replica_position *at_least);
    /* After replica_installed(): the log begins behind the snapshot now, durably. */
    void (*on_installed)(void *arg);
    /* Term and vote cannot be stored, or the leader's history contradicts what was
     * committed here: the replica does nothing any more, the process must end. NULL:
     * abort(). */
    void (*on_fatal)(void *arg, const struct err *err);
};

/* Refuses any other libraft than 0.22.1, as far as it can be told. ERR_DAMAGED when log,
 * vote and checkpoint do not fit together. */
int replica_new(const struct replica_options *options, struct replica **replica,
                struct err *err) MUST_CHECK;
void replica_free(struct replica *replica);

/* Begin: entries of the log that are committed are applied before this returns (for a
 * single voter, all). LOG takes the appends from now on. */
int replica_start(struct replica *replica, const struct log_port *log, int64_t now_ms,
                  struct err *err) MUST_CHECK;

/* Append DATA (copied) as one entry; *INDEX and *TERM are its own. ERR_NOT_LEADER (also
 * while leadership is handed over), ERR_NO_SPACE, ERR_IO (the log cannot be written),
 * ERR_TOO_LARGE, ERR_OVERLOADED (too much waits for the log or the peers). */
int replica_submit(struct replica *replica, struct slice data, int64_t now_ms,
                   uint64_t *index, uint64_t *term) MUST_CHECK;
/* BYTES came from the authenticated node FROM; of one connection in order, nothing of an
 * older connection after something of a newer. ERR_MALFORMED: not a message; close it. */
int replica_receive(struct replica *replica, uint64_t from, struct slice bytes,
                    int64_t now_ms) MUST_CHECK;
/* A log job came back; frees it. Applies what that committed. */
void replica_log_done(struct replica *replica, struct log_job *job, int64_t now_ms);
/* What the voters' wall clocks say by now, as far as they told it when this node was
 * elected: the time that more than half of them had reached, gone on at the pace of the
 * monotonic clock. One clock that is far ahead does not count in it. REPLICA_NO_CLOCK:
 * this node alone was asked, or does not lead. */
#define REPLICA_NO_CLOCK INT64_MIN
int64_t replica_clock_ms(const struct replica *replica, int64_t now_ms);
/* The time has come that replica_timeout_ms() named. */
void replica_tick(struct replica *replica, int64_t now_ms);
int64_t replica_timeout_ms(const struct replica *replica); /* monotonic */

/* ---- checkpoints and snapshots ---- */

/* Where the state stands now. The configuration is appended to CONFIGURATION, which
 * POSITION borrows. ERR_UNAVAILABLE from replica_install_begin() to on_installed: the
 * state is that of the snapshot, or none, and the position still the old one. */
int replica_position(struct replica *replica, struct replica_position *position,
                     struct str *configuration) MUST_CHECK;
/* A checkpoint of POSITION is durable: the log up to it, but for some entries that a
 * follower may still want, can go. */
void replica_checkpointed(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms);

/* The snapshot that on_install asked for is here, verified, at POSITION, and is about to
 * replace state and database. From now on nothing is appended, applied or voted for.
 * ERR_CANCELLED: it is not needed any more (the log has come, or this node leads): drop
 * the file; this ends the install. The order that survives a crash at any step: a marker
 * that says so, the database in its place (now replica_options.reset_log holds at a
 * start), replica_installed(), on_installed, the marker away. */
int replica_install_begin(struct replica *replica,
                          const struct replica_position *position,
                          int64_t now_ms) MUST_CHECK;
/* State and database stand at replica_install_begin()'s position. */
void replica_installed(struct replica *replica, int64_t now_ms);
/* The fetching failed: the next message of a leader may ask again. Not allowed after
 * replica_install_begin(): whoever cannot go on then must end the process. */
void replica_install_failed(struct replica *replica, int64_t now_ms);

/* ---- members ---- */

enum replica_change_kind {
    REPLICA_ADD,     /* ID at ADDRESS, as standby */
    REPLICA_PROMOTE, /* to voter */
    REPLICA_DEMOTE,  /* to standby */
    REPLICA_REMOVE,
};

/* Append one change, which is *INDEX and in force at once, and done when that is applied
 * in the same term. ERR_NOT_LEADER and the codes of a log that cannot be written;
 * ERR_CONFLICT: another is not committed yet; ERR_UNAVAILABLE: later, ERR says what for
 * (the node is not caught up; a voter does not know of the last change yet: promoting
 * then can end in a cell that elects nobody); ERR_NOT_FOUND, ERR_EXISTS; ERR_INVALID: it
 * would leave no voter, or demotes or removes this leader itself, which must hand over
 * first (replica_transfer()); ERR_TOO_LARGE. */
int replica_change(struct replica *replica, enum replica_change_kind kind, uint64_t id,
                   const char *address, int64_t now_ms, uint64_t *index,
                   struct err *err) MUST_CHECK;
/* Hand leadership to voter ID, or with 0 to the one that is closest behind. Begins it,
 * and ends the lease at once; on_role tells how it goes on: another leads, or after an
 * election timeout this node goes on. ERR_NOT_LEADER (also: under way already),
 * ERR_NOT_FOUND, ERR_UNAVAILABLE (no such voter was heard of lately). */
int replica_transfer(struct replica *replica, uint64_t id, int64_t now_ms,
                     struct err *err) MUST_CHECK;

enum replica_role { REPLICA_STANDBY, REPLICA_VOTER };

struct replica_server {
    uint64_t id;
    const char *address; /* borrowed until the next event */
    enum replica_role role;
    bool self, leader;
    bool installing;      /* it was referred to our snapshot and has not answered yet */
    uint64_t match_index; /* durable there, as far as the leader knows; 0 elsewhere */
    int64_t heard_ms;     /* when a message of it came last; -1: never */
};

/* The members by the newest configuration in the log. */
size_t replica_servers(const struct replica *replica,
                       struct replica_server servers[REPLICA_SERVERS_MAX]);
/* The last change is not committed yet. */
bool replica_changing(const struct replica *replica);
/* This node was a member, and a committed configuration is known without it. Which it
 * cannot tell of itself when it learns of neither; others tell it then (peers.h). */
bool replica_removed(const struct replica *replica);
/* Bytes that replica_position.configuration would have for one voter ID at ADDRESS
 * alone: the configuration that a restored backup begins with. Appended to OUT. */
int replica_configuration_alone(uint64_t id, const char *address,
                                struct str *out) MUST_CHECK;
/* How many voters such bytes name; 0 when they are none. */
size_t replica_configuration_voters(struct slice configuration);

/* ---- asking ---- */

bool replica_is_leader(const struct replica *replica);
/* Leader by a live lease, and everything before its term applied. NOW_MS must be read
 * for this call: a process that was stopped must not ask with an older time.
 *
 * The lease: each follower answers the newest time that the leader wrote into a message,
 * by the leader's own clock. From the newest one that a majority has answered (itself
 * included) it may read for election_timeout_ms less REPLICA_DRIFT_PERCENT of it and one
 * heartbeat: none of that majority votes before, as long as no two clocks' speeds differ
 * by more than the allowance. A hand-over ends the lease; if it fails, messages sent
 * after that begin a new one. */
bool replica_can_read(const struct replica *replica, int64_t now_ms);
#define REPLICA_DRIFT_PERCENT 10
/* Until when it may read, if nothing else is heard; INT64_MIN: not at all. */
int64_t replica_lease_end_ms(const struct replica *replica);
uint64_t replica_leader_id(const struct replica *replica);         /* or 0 */
const char *replica_leader_address(const struct replica *replica); /* or NULL */
/* 0, or why replica_submit would refuse. After ERR_IO only a restart of the process can
 * tell what the disk holds: this node acknowledges nothing until then, and is not
 * elected. */
int replica_write_code(const struct replica *replica);
uint64_t replica_term(const struct replica *replica);
uint64_t replica_last_index(const struct replica *replica);
uint64_t replica_commit_index(const struct replica *replica);
uint64_t replica_applied_index(const struct replica *replica);

#endif
