/* replica_cell.h - some replicas in one process, on virtual time, with queues for wires.
 *
 * Each has a real log in a directory of its own (whose syncs do nothing) and a state that
 * is a hash over all it applied, compared between nodes at each index. The test moves
 * the time; nothing happens otherwise. Time is in milliseconds. */
#ifndef TESTS_LIB_REPLICA_CELL_H
#define TESTS_LIB_REPLICA_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "common/str.h"
#include "controlplane/replica.h"
#include "proto/peer_message.h"

#define CELL_NODES    8 /* ids 1 to 7 */
#define CELL_ELECTION 500
#define CELL_BEAT     100

struct cell_snapshot {
    struct replica_position position;
    struct str configuration;
    uint64_t hash;
};

struct cell_node {
    struct cell *cell;
    uint64_t id;
    char dir[96], address[32];
    struct wal *wal;
    struct replica *replica; /* NULL: not running */
    struct list jobs;        /* with the log */
    int64_t disk_ms;         /* that a job takes */
    bool hold_jobs;          /* the disk stands still */
    bool hold_installs;      /* on_install is noted only */
    bool paused;             /* as by SIGSTOP: nothing reaches it */
    int fail_jobs;           /* code for what the log does from now on */
    uint64_t hash, applied;
    struct cell_snapshot saved; /* the last checkpoint */
    bool marker;                /* an install is not finished */
    uint64_t install_from;      /* 0: none asked for */
    unsigned installs, configurations;
    int fatal;
};

struct cell_message {
    struct list_node node;
    uint64_t from, to;
    int64_t due_ms;
    struct str bytes;
};

struct cell {
    char dir[64];
    int64_t now_ms;
    unsigned seed;
    int64_t delay_ms; /* of messages */
    struct cell_node nodes[CELL_NODES];
    struct list messages;
    bool cut[CELL_NODES][CELL_NODES]; /* from, to */
    /* Sees each message that is sent; false: it is lost. */
    bool (*filter)(struct cell *cell, uint64_t from, uint64_t to,
                   const struct peer_message *msg);
    void *arg;
    uint64_t hashes[32768]; /* by index */
    uint64_t leaders[4096]; /* by term */
    uint64_t reader_term;   /* the newest term in which somebody could read */
    unsigned elections;
};

/* A cell of COUNT voters with ids from 1 on, that has a leader and has settled. */
struct cell *cell_new(unsigned count);
void cell_free(struct cell *cell);

/* Start (or start again after a crash); the first one ever of node 1 founds the cell. */
void cell_start(struct cell *cell, uint64_t id);
/* What was with the log and not done is lost. */
void cell_crash(struct cell *cell, uint64_t id);

/* Let MS pass. At each step: one leader a term, the same applied prefix everywhere, and
 * nobody may read who could miss what a later leader has. */
void cell_run(struct cell *cell, int64_t ms);
/* Until DONE, at most 20 s; fails the test after that. */
void cell_until(struct cell *cell, bool (*done)(struct cell *cell));
void cell_until_leader(struct cell *cell);
/* Until all that run have applied the leader's last entry. */
void cell_until_equal(struct cell *cell);

/* Cut all wires to and from ID, or mend them. */
void cell_isolate(struct cell *cell, uint64_t id, bool cut);

struct replica *cell_replica(struct cell *cell, uint64_t id);
/* The leader of the highest term that runs and is not paused; 0: none. */
uint64_t cell_leader(struct cell *cell);
/* Another running node than A and B. */
uint64_t cell_other(struct cell *cell, uint64_t a, uint64_t b);
/* Submit TEXT to ID; the index, or 0. */
uint64_t cell_submit(struct cell *cell, uint64_t id, const char *text);
void cell_checkpoint(struct cell *cell, uint64_t id);
/* A change by the leader, tried until it is taken, and committed. */
void cell_change(struct cell *cell, enum replica_change_kind kind, uint64_t id);
/* How many may read now. */
unsigned cell_readers(struct cell *cell);
bool cell_server(struct cell *cell, uint64_t at, uint64_t id,
                 struct replica_server *server);

#endif
