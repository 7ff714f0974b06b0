/* cell_node.h - a simulated node: what node.c does with threads and sockets, in virtual
 * time. See cell.h.
 *
 * A node's life ends by a crash at any event, or in the middle of one, when its disk says
 * so: then nothing of what that event sends or applies has happened. While it is paused
 * (SIGSTOP) everything that would reach it waits. */
#ifndef TESTS_SIM_CELL_NODE_H
#define TESTS_SIM_CELL_NODE_H

#include "controlplane/checkpoint.h"
#include "controlplane/replica.h"
#include "controlplane/wal.h"
#include "tests/sim/cell.h"
#include "tests/sim/cell_db.h"
#include "tests/sim/cell_disk.h"

#define CELL_ELECTION_MS  500
#define CELL_HEARTBEAT_MS 100
#define CELL_NO_SPACE_MS  1000 /* then a full disk is tried again */

enum node_status {
    NODE_UNUSED,  /* no such node yet */
    NODE_RUNS,    /* perhaps paused */
    NODE_DOWN,    /* crashed */
    NODE_DAMAGED, /* its log is: it must be replaced */
    NODE_REMOVED, /* from the cell, and stopped */
};

struct node_event;

struct sim_node {
    unsigned number; /* its id, its disk, its place on the network */
    enum node_status status;
    uint32_t life; /* counts starts */
    /* clocks: the monotonic one runs at 1 + drift of the world's */
    double drift;
    int64_t clock_from_ms, clock_base_ms, wall_offset_ms;
    bool paused;
    struct node_event *backlog, **backlog_end;
    int64_t timer_at_ms; /* a wake-up is scheduled for then; INT64_MAX: none */
    size_t segment_bytes;
    struct wal *wal;
    struct db *db;
    struct state *state;
    struct replica *replica;
    uint64_t applied;       /* as the callbacks said */
    uint64_t durable_index; /* of the log */
    bool leader;
    /* the log's "thread" */
    struct list log_queue, log_doing;
    bool log_busy;
    int log_state;
    /* the saver's; NULL: nothing under way */
    struct saving *saving;
    uint64_t entries_unsaved, checkpoint_every;
    unsigned trailing;
    /* proposals */
    struct proposed *pending, **pending_end; /* of this moment */
    struct str entry;
    struct batch *batches; /* submitted, oldest first */
    bool flush_scheduled;
    int64_t stamped_ms;
    /* an install: the snapshot under way, and what of it survives a crash */
    struct fetch *fetch;
    bool removing, stopping; /* an operator wants it out; it knows */
    bool marker; /* the database came from an install, the log perhaps is older */
};

extern struct sim_node cell_nodes[DISKS];

/* Set up node NUMBER, which is none yet; BOOTSTRAP: the first of the cell. */
void cell_node_make(unsigned number, bool bootstrap);
void cell_node_start(unsigned number);
/* The process dies, or the machine does. */
void cell_node_crash(unsigned number, bool power);
void cell_node_pause(unsigned number);
void cell_node_resume(unsigned number);
/* The disk is lost, and the node with it. */
void cell_node_forget(unsigned number, enum node_status status);
/* A message of the network. */
void cell_node_deliver(unsigned from, unsigned to, struct slice bytes);
int64_t cell_node_now_ms(const struct sim_node *node);
bool cell_node_up(unsigned number); /* runs and is not paused */
/* The node that leads by the newest term, or 0. */
unsigned cell_leader(void);
/* An operator's wish; codes as replica_change(), replica_transfer() (ERR_NOT_LEADER too
 * when the node does not run). */
int cell_node_change(unsigned number, enum replica_change_kind kind, unsigned id);
int cell_node_transfer(unsigned number, unsigned to);

/* ---- between its parts ---- */

/* Let RUN happen to NODE, if it lives then as it does now; later, while it is paused. */
void cell_node_after(struct sim_node *node, int64_t delay_ms,
                     void (*run)(struct sim_node *node, void *arg), void *arg);
/* The disk has stopped in the middle of what runs: nothing gets out any more. */
bool cell_node_doomed(const struct sim_node *node);
/* log_port.submit; ARG is the node. */
void cell_log_submit(void *arg, struct log_job *job);
/* replica_options' on_install and on_installed. */
void cell_install_wanted(void *arg, uint64_t from,
                         const struct replica_position *at_least);
void cell_install_done(void *arg);
/* Between replica_install_begin() and replica_installed(). */
bool cell_install_begun(const struct sim_node *node);
/* What a start does that finds an install half done. */
void cell_install_after_crash(struct sim_node *node);

#endif
