/* replica_raft.h - what the parts of the replica share: libraft, and struct replica.
 *
 *   replica_start.c    bootstrap, log and checkpoint at the start
 *   replica.c          events into raft_step() and its updates out, log, applying
 *   replica_message.c  messages of peers in and out, with the guards against libraft
 *   replica_install.c  snapshots that come from a leader
 *   replica_members.c  changes of the configuration, transfers
 *   replica_window.c   entries in memory
 *   replica_lease.c    who may read and vote, by the clock
 *
 * Included by these only: the door to raft.h. */
#ifndef CONTROLPLANE_REPLICA_RAFT_H
#define CONTROLPLANE_REPLICA_RAFT_H

#include <raft.h>

#include "common/list.h"
#include "controlplane/replica.h"
#include "controlplane/replica_lease.h"
#include "controlplane/replica_window.h"
#include "proto/peer_message.h"

/* An append that the log has not finished. */
struct append {
    struct list_node node;
    struct window_block *block; /* one reference, while the log reads */
    uint64_t report;            /* durable when it is done, capped by later conflicts */
};

/* What is known of another node. */
struct replica_peer {
    uint64_t id;
    int64_t heard_ms;   /* -1: never */
    int64_t install_ms; /* when our snapshot was offered to it last; -1: not */
    int64_t wall_ms;    /* its wall clock, when a vote of it came last: */
    int64_t wall_at_ms; /* -1: never */
    /* A standby's, see guard 10 of replica_message.c: the last entry that was sent to it,
     * or REPLICA_SENT_UNKNOWN; what the last append began behind, and what libraft had it
     * begin behind. */
    uint64_t sent_index, sent_prev, asked_prev;
};
#define REPLICA_SENT_UNKNOWN UINT64_MAX

enum install_state {
    INSTALL_NONE,
    INSTALL_FETCHING, /* on_install was called; Raft knows nothing of it */
    INSTALL_BEGUN,    /* Raft waits for the snapshot; the state is being replaced */
    INSTALL_RESET,    /* the log is being begun anew */
};

struct replica {
    struct replica_options options;
    char *address;
    struct raft raft;
    bool started;         /* raft_init was called */
    bool dead;            /* see on_fatal */
    bool applying;        /* replica_apply_committed() is not entered again */
    unsigned short state; /* Raft's */
    struct vote vote;
    struct log_port log;
    struct list appends; /* struct append, in the order of the log */
    struct window window;
    struct lease lease;
    uint64_t persisted_index; /* durable in our log */
    uint64_t committed_index; /* up to here configurations were handed back to Raft */
    uint64_t applied_index, applied_term;
    bool was_member;           /* a committed configuration had this node */
    uint64_t term_start_index; /* reads wait until this is applied */
    int write_code;            /* 0 or why the log cannot be written */
    int64_t muted_until_ms;    /* of a follower with a broken log: no election before */
    uint64_t heir; /* to be handed leadership when it has the whole log; 0: none */
    int64_t heir_since_ms;
    /* the configuration as of applied_index */
    struct str applied_configuration;
    uint64_t applied_configuration_index;
    /* the last checkpoint or snapshot */
    struct replica_position checkpoint; /* borrows from: */
    struct str checkpoint_configuration;
    struct {
        enum install_state state;
        uint64_t from;
    } install;
    /* what the callbacks were told last */
    struct {
        unsigned short state;
        uint64_t term, leader_id;
        bool transferring;
        int write_code;
        uint64_t committed, uncommitted; /* of the configuration */
    } told;
    int64_t clock_ms, clock_at_ms; /* of a leader: see replica_clock_ms() */
    struct replica_peer peers[LEASE_PEERS_MAX];
    size_t peer_count;
    struct str out; /* the message that is being encoded */
};

/* ---- replica.c ---- */

/* One event and its consequences, but applying. Raft's code; it consumed EVENT's memory
 * only if 0. */
int replica_step(struct replica *replica, struct raft_event *event, int64_t now_ms);
/* The same for one that must not fail: if it does, this node is dead. */
void replica_step_or_die(struct replica *replica, struct raft_event *event,
                         const char *what, int64_t now_ms);
void replica_die(struct replica *replica, const struct err *err);
void replica_apply_committed(struct replica *replica, int64_t now_ms);
/* Append an entry of TYPE with DATA (copied); Raft's code. */
int replica_append(struct replica *replica, enum raft_entry_type type, struct slice data,
                   int64_t now_ms);
/* Hand leadership to ID, a voter. */
void replica_begin_transfer(struct replica *replica, uint64_t id, int64_t now_ms);
void replica_submit_job(struct replica *replica, enum log_job_kind kind, uint64_t index);
/* Jobs that are with the log make nothing durable from entry FROM on. */
void replica_cap_appends(struct replica *replica, uint64_t from);
/* Remember POSITION as the newest snapshot of this node. */
void replica_set_checkpoint(struct replica *replica,
                            const struct replica_position *position);
/* The term of the entry INDEX, also when it is the last of the snapshot; 0: not known. */
uint64_t replica_term_of(const struct replica *replica, uint64_t index);
struct replica_peer *replica_peer(struct replica *replica, uint64_t id);
void replica_free_append(struct append *append);
/* DATA is the configuration of what is applied, from entry INDEX. */
void replica_keep_configuration(struct replica *replica, uint64_t index,
                                struct slice data);

/* ---- replica_start.c ---- */

bool replica_sole_voter(const struct raft_configuration *configuration, uint64_t id);
int replica_decode_configuration(struct slice bytes,
                                 struct raft_configuration *configuration);

/* ---- replica_message.c ---- */

void replica_send(struct replica *replica, const struct raft_message *message,
                  int64_t now_ms);

/* ---- replica_clock.c ---- */

/* MSG, a vote of FROM, tells its wall clock. */
void replica_heard_clock(struct replica *replica, uint64_t from,
                         const struct peer_message *msg, int64_t now_ms);
/* This node was elected. */
void replica_compare_clocks(struct replica *replica, int64_t now_ms);

/* ---- replica_install.c ---- */

void replica_offered_snapshot(struct replica *replica, uint64_t from,
                              const struct peer_message *msg);
void replica_reset_done(struct replica *replica, const struct log_job *job,
                        int64_t now_ms);

/* ---- replica_members.c ---- */

bool replica_has_server(const struct raft_configuration *configuration, uint64_t id);
/* By the newest configuration, committed or not. */
bool replica_is_voter(const struct replica *replica, uint64_t id);
/* The log is broken and this node leads: hand over, if there is somebody. */
void replica_give_way(struct replica *replica, int64_t now_ms);

#endif
