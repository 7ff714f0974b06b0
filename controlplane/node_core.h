/* node_core.h - what the parts of the node share: its struct and the calls between
 * node.c (threads, start, stop), node_propose.c, node_checkpoint.c, node_peers.c and
 * node_install.c. For nobody else. All of it belongs to the core thread unless it says
 * otherwise.
 *
 * The replica's callbacks may only ask it, so what they cause is put off to the end of
 * the tick: node_touch(). */
#ifndef CONTROLPLANE_NODE_CORE_H
#define CONTROLPLANE_NODE_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/log.h"
#include "controlplane/checkpoint.h"
#include "controlplane/db.h"
#include "controlplane/log_writer.h"
#include "controlplane/node.h"
#include "controlplane/offsets_expiry.h"
#include "controlplane/peers.h"
#include "controlplane/replica.h"
#include "controlplane/saver.h"
#include "controlplane/snapshot_store.h"
#include "controlplane/wal.h"
#include "controlplane/worker.h"

#define NODE_PATH_BYTES 1024
/* An entry is begun with what a tick proposed, and cut at about this size. */
#define NODE_ENTRY_BYTES ((size_t)2 << 20)

struct node {
    struct node_options options; /* strings that it needs later are copied below */
    char dir[NODE_PATH_BYTES - 64];
    char *address;
    int lock_fd;
    struct uuid cell_id;
    struct loop_thread thread;
    struct mailbox asks, log_back, save_back, peers_in, jobs_back;
    struct log_writer writer;
    struct saver saver;
    struct wal *wal; /* until the writer has it */
    struct db *db;
    struct state *state;
    struct replica *replica;
    struct checkpoint_meta loaded;
    bool reset_log; /* loaded came from an install */
    struct peers_address *known;
    struct str configuration; /* loaded borrows it */
    bool timers_up, running;
    struct loop_timer raft_timer, housekeeping;
    int64_t scheduled_ms; /* what raft_timer is set to */
    int64_t housekeep_at_ms;
    /* proposals */
    struct list pending; /* of this tick; their commands are in entry */
    struct str entry;
    struct list sealed;  /* batches that are full, to be submitted */
    struct list batches; /* submitted, not yet applied */
    struct list failed;  /* to be told at the end of the tick */
    size_t waiting_bytes;
    struct loop_deferred flush;
    struct str result;
    int64_t stamped_ms;
    /* When this node began to lead: the state's time and the monotonic clock's. */
    int64_t led_from_ms, led_since_ms;
    bool leader, stopping;
    bool dead; /* see on_fatal */
    struct err dead_err;
    /* checkpoints */
    struct save_job *saving; /* with the saver, or waiting to be tried again */
    bool collecting;         /* ... or not complete yet */
    bool save_failed;
    uint64_t applied_bytes; /* of entries since the last checkpoint */
    uint64_t saved_index;   /* of the last one that was written */
    int64_t checkpoint_at_ms;
    struct log_limit save_warning;
    int64_t expire_at_ms;
    struct offsets_expiry offsets_expiry;
    bool purging; /* a PURGE of ours is under way */
    /* snapshots */
    struct snapshot_store *snapshots;
    struct list snapshots_waiting; /* struct node_snapshot: for a checkpoint */
    struct worker jobs;
    bool jobs_up;
    /* peers */
    struct peers *peers;
    bool configuration_changed; /* tell peers at the end of the tick */
    bool removed_told;
    bool checkpoint_wanted;       /* soon: the members changed */
    uint64_t members_hash;        /* of the state's table of nodes, as peers were told */
    struct node_change *changing; /* appended or handed over, not ended */
    uint64_t changing_index, changing_term;
    struct list changes_ended;
    struct ask *stepping_down; /* node_stop waits for the hand-over */
    int64_t step_down_until_ms;
    /* a snapshot from the leader */
    struct install *install;
    struct recovery *recovery; /* its log was lost, it has no vote yet; or NULL */
    uint64_t transfer_for; /* hand over in transfer_term: this one lost its log; 0: no */
    uint64_t transfer_term;
    bool installed; /* tell about it at the end of the tick */
    /* health, for all threads */
    pthread_mutex_t health_mutex;
    struct node_health health;
    atomic_uint_fast64_t entries, commands;
};

/* ---- node.c ---- */

/* What happened inside the replica is dealt with at the end of the tick. */
void node_touch(struct node *node);
/* The file NAME of the data directory. */
void node_path(const struct node *node, const char *name, char path[NODE_PATH_BYTES]);
/* Make the data directory's entries durable. */
int node_sync_dir(const struct node *node, struct err *err) MUST_CHECK;
void node_publish(struct node *node, bool count);
/* Nothing can go on: end the process by the service's hook, or at once. */
void node_fatal(struct node *node, const struct err *err);
/* ERR_UNSUPPORTED if STATE is of a cell at a level that this program does not know. */
int node_check_level(const struct node *node, const struct state *state,
                     struct err *err) MUST_CHECK;

/* ---- node_propose.c ---- */

/* What is pending becomes an entry, unless many are under way: then it waits for the next
 * end of a tick. ALL: it does not. */
void node_flush_proposals(struct node *node, bool all);
void node_begin_time(struct node *node); /* this node leads from now on */
/* Nobody knows whether what was submitted will happen: tell who waits. */
void node_end_batches(struct node *node, int code);
void node_end_all(struct node *node, int code);
void node_on_apply(void *arg, uint64_t index, uint64_t term, struct slice data);
void node_on_skip(void *arg, uint64_t index);
void node_expire_producers(struct node *node);
/* The leader proposes that offsets of groups which are long gone are forgotten. */
void node_expire_offsets(struct node *node);
/* The leader proposes that what was deleted or is too old is forgotten, a step after the
 * other. */
void node_purge(struct node *node);

/* ---- node_checkpoint.c ---- */

void node_consider_checkpoint(struct node *node);
void node_retry_checkpoint(struct node *node);
void node_on_saved(struct message *message, void *arg);
/* The state as it is now goes into the database, so that the next start is short. */
void node_last_checkpoint(struct node *node);
void node_flush_snapshots(struct node *node); /* those whose checkpoint is written */
void node_end_snapshots(struct node *node, int code);
int node_start_jobs(struct node *node, struct err *err) MUST_CHECK;

/* ---- node_peers.c ---- */

int node_start_peers(struct node *node, struct err *err) MUST_CHECK;
void node_stop_peers(struct node *node);
void node_on_peer(struct message *message, void *arg);
void node_on_message(void *arg, uint64_t to, struct slice bytes);
void node_on_configuration(void *arg);
/* The end of a tick: addresses to peers, changes that ended. */
void node_flush_peers(struct node *node);
/* Now and then: whether the state's table of nodes has changed. */
void node_look_at_members(struct node *node);
void node_change_applied(struct node *node, uint64_t index);
void node_change_role(struct node *node); /* leadership came or went */
void node_change_tick(struct node *node);
void node_end_changes(struct node *node, int code);
void node_step_down(struct node *node, struct ask *ask);

/* ---- node_install.c ---- */

/* Before the database is opened: finish an install that a crash interrupted. *FOUND: the
 * database came from one, and the log may be as it was before. */
int node_recover_install(struct node *node, bool *found, struct err *err) MUST_CHECK;
/* The log stands behind the database now: the note of an install can go. */
int node_finish_install(struct node *node, struct err *err) MUST_CHECK;
void node_on_install(void *arg, uint64_t from, const struct replica_position *at_least);
void node_on_installed(void *arg);
void node_flush_install(struct node *node);
/* No checkpoint may begin: the database is to be replaced. */
bool node_install_waits(const struct node *node);
void node_install_saved(struct node *node); /* the saver is idle now */
void node_stop_install(struct node *node);

/* ---- node_recover.c ---- */

/* Open the log; a damaged one is set aside when others have what was in it. */
int node_recover_log(struct node *node, int (*open_log)(struct node *, struct err *),
                     struct err *err) MUST_CHECK;
/* Whether a message from or to others is dropped while this node recovers. */
bool node_recover_drops(const struct node *node, struct slice bytes);
void node_begin_recovery(struct node *node); /* Raft has begun, no message came yet */
void node_flush_recovery(struct node *node);
void node_peer_lost(struct node *node, uint64_t from);
void node_retry_transfer(struct node *node);

#endif
