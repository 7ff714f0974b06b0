/* vcell.h - some replicas in one process, on virtual time, with queues for wires.
 *
 * Each has a real log in a directory of its own (whose syncs do nothing) and a state that
 * is a hash over all it applied, compared between nodes at each index. The test moves
 * the time; nothing happens otherwise. Time is in milliseconds. */
#ifndef TESTS_LIB_VCELL_H
#define TESTS_LIB_VCELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "common/str.h"
#include "controlplane/replica.h"
#include "proto/peer_message.h"

#define VCELL_NODES    8 /* ids 1 to 7 */
#define VCELL_ELECTION 500
#define VCELL_BEAT     100

struct vcell_snapshot {
    struct replica_position position;
    struct str configuration;
    uint64_t hash;
};

struct vcell_node {
    struct vcell *cell;
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
    struct vcell_snapshot saved; /* the last checkpoint */
    bool marker;                 /* an install is not finished */
    uint64_t install_from;       /* 0: none asked for */
    unsigned installs, configurations;
    int fatal;
    int64_t wall_ms; /* what its wall clock shows when the cell's time is 0 */
};

struct vcell_message {
    struct list_node node;
    uint64_t from, to;
    int64_t due_ms;
    struct str bytes;
};

struct vcell {
    char dir[64];
    int64_t now_ms;
    unsigned seed;
    int64_t delay_ms;  /* of messages */
    unsigned trailing; /* replica_options.trailing of those that start from now on */
    struct vcell_node nodes[VCELL_NODES];
    struct list messages;
    bool cut[VCELL_NODES][VCELL_NODES]; /* from, to */
    /* Sees each message that is sent; false: it is lost. */
    bool (*filter)(struct vcell *cell, uint64_t from, uint64_t to,
                   const struct peer_message *msg);
    void *arg;
    uint64_t hashes[32768]; /* by index */
    uint64_t leaders[4096]; /* by term */
    uint64_t reader_term;   /* the newest term in which somebody could read */
    unsigned elections;
};

/* A cell of COUNT voters with ids from 1 on, that has a leader and has settled. */
struct vcell *vcell_new(unsigned count);
void vcell_free(struct vcell *cell);

/* Start (or start again after a crash); the first one ever of node 1 founds the cell. */
void vcell_start(struct vcell *cell, uint64_t id);
/* What was with the log and not done is lost. */
void vcell_crash(struct vcell *cell, uint64_t id);

/* Let MS pass. At each step: one leader a term, the same applied prefix everywhere, and
 * nobody may read who could miss what a later leader has. */
void vcell_run(struct vcell *cell, int64_t ms);
/* Until DONE, at most 20 s; fails the test after that. */
void vcell_until(struct vcell *cell, bool (*done)(struct vcell *cell));
void vcell_until_leader(struct vcell *cell);
/* Until all that run have applied the leader's last entry. */
void vcell_until_equal(struct vcell *cell);

/* Cut all wires to and from ID, or mend them. */
void vcell_isolate(struct vcell *cell, uint64_t id, bool cut);

struct replica *vcell_replica(struct vcell *cell, uint64_t id);
/* The leader of the highest term that runs and is not paused; 0: none. */
uint64_t vcell_leader(struct vcell *cell);
/* Another running node than A and B. */
uint64_t vcell_other(struct vcell *cell, uint64_t a, uint64_t b);
/* Submit TEXT to ID; the index, or 0. */
uint64_t vcell_submit(struct vcell *cell, uint64_t id, const char *text);
void vcell_checkpoint(struct vcell *cell, uint64_t id);
/* A change by the leader, tried until it is taken, and committed. */
void vcell_change(struct vcell *cell, enum replica_change_kind kind, uint64_t id);
/* How many may read now. */
unsigned vcell_readers(struct vcell *cell);
bool vcell_server(struct vcell *cell, uint64_t at, uint64_t id,
                  struct replica_server *server);

#endif
