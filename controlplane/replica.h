/* replica.h - this node's part in Raft: drives raft_step() of libraft 0.22.1.
 *
 * The only user of raft.h. Events in (submitted commands, entries that the log has made
 * durable, time, snapshots), consequences out: term and vote are stored before anything
 * else happens, entries go to the log writer, committed and durable ones to on_apply in
 * order, once. No thread of its own, no clock: the core thread calls and passes the time.
 *
 * One voter so far; what several need and raft_step() asks of its user holds already: the
 * vote is synced first; a conflicting suffix is cut from the log and completions of it
 * are capped; each committed configuration is handed back before the next event; nothing
 * is applied that is not durable here, so that a checkpoint never runs ahead of the log.
 */
#ifndef CONTROLPLANE_REPLICA_H
#define CONTROLPLANE_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "controlplane/log_writer.h"
#include "controlplane/wal.h"

struct replica;

/* Where the state stands in Raft's history: what a snapshot must know besides data. */
struct replica_position {
    uint64_t index; /* 0: nothing applied yet */
    uint64_t term;
    uint64_t configuration_index;
    struct slice configuration; /* Raft's encoding; borrowed */
};

struct replica_options {
    uint64_t id;
    const char *address;
    const char *vote_path;
    unsigned election_timeout_ms, heartbeat_ms;
    unsigned random_seed;
    struct replica_position start; /* of the last checkpoint */
    struct wal *wal; /* read at the start; later belongs to the log writer */
    void *arg;
    /* A committed, durable command. */
    void (*on_apply)(void *arg, uint64_t index, uint64_t term, struct slice data);
    /* An entry that holds no command. */
    void (*on_skip)(void *arg, uint64_t index);
    /* Leader or not, or another leader. */
    void (*on_role)(void *arg);
};

/* Refuses any other libraft than 0.22.1, as far as it can be told. A log without entries
 * and no checkpoint: bootstrap a cell of this node alone. */
int replica_new(const struct replica_options *options, struct replica **replica,
                struct err *err) MUST_CHECK;
void replica_free(struct replica *replica);

/* Begin: entries of the log that are committed are applied before this returns (for a
 * single voter, all). WRITER takes the appends from now on. */
int replica_start(struct replica *replica, struct log_writer *writer, int64_t now_ms,
                  struct err *err) MUST_CHECK;

/* Append DATA (copied) as one entry; *INDEX and *TERM are its own. ERR_NOT_LEADER,
 * ERR_NO_SPACE, ERR_IO (the log cannot be written), ERR_TOO_LARGE. */
int replica_submit(struct replica *replica, struct slice data, int64_t now_ms,
                   uint64_t *index, uint64_t *term) MUST_CHECK;
/* A log job came back; frees it. Applies what that committed. */
void replica_log_done(struct replica *replica, struct log_job *job, int64_t now_ms);
/* The time has come that replica_timeout_ms() named. */
void replica_tick(struct replica *replica, int64_t now_ms);
int64_t replica_timeout_ms(const struct replica *replica); /* monotonic */

/* Where the state stands now. The configuration is appended to CONFIGURATION, which
 * POSITION borrows. */
int replica_position(struct replica *replica, struct replica_position *position,
                     struct str *configuration) MUST_CHECK;
/* A checkpoint of POSITION is durable: the log up to it, but for some entries that a
 * follower may still want, can go. */
void replica_checkpointed(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms);

bool replica_is_leader(const struct replica *replica);
/* Leader by a live lease, and everything before its term applied. */
bool replica_can_read(const struct replica *replica);
const char *replica_leader_address(const struct replica *replica); /* or NULL */
int replica_write_code(const struct replica *replica); /* as replica_submit's */
uint64_t replica_term(const struct replica *replica);
uint64_t replica_last_index(const struct replica *replica);
uint64_t replica_commit_index(const struct replica *replica);
uint64_t replica_applied_index(const struct replica *replica);

#endif
