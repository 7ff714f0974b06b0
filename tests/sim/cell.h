/* cell.h - a whole cell in virtual time: what the parts of the simulator share.
 *
 *   cell_disk   the nodes' disks          cell_node    the product's replica, log, vote,
 *   cell_db     their databases                        state and checkpoints, driven
 *   cell_net    the network between them  cell_load    clients: commits, topics, reads,
 *   cell_check  what must hold                         changes of the membership
 *   cell_chaos  faults, from the seed     test_cell    seeds, reports
 *
 * One seed is one process: everything is in `cell`, nothing is freed at the end. Time is
 * virtual and runs from event to event; all chance is the seed's, so that a seed does the
 * same each time. */
#ifndef TESTS_SIM_CELL_H
#define TESTS_SIM_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "proto/command.h"
#include "tests/lib/state_driver.h"
#include "tests/lib/vtime.h"
#include "tests/sim/cell_net.h"

#define CELL_TOPICS     256 /* in the whole life of a cell */
#define CELL_PARTITIONS 8   /* of a topic, at most */

struct cell_counts {
    uint64_t crashes, power_cuts, pauses, elections, transfers, installs, changes;
    uint64_t cuts, commits, repeats, topics, reads, refused_reads, torn_tails, flips;
    uint64_t replaced, disk_faults, entries, milliseconds;
};

struct simulation {
    struct vtime time;
    struct net net;
    uint64_t seed;
    unsigned voters;    /* that the cell should have: 3 or 5 */
    unsigned last_node; /* number of the newest */
    bool calm;          /* no more faults: everything must recover */
    bool trace;         /* tell what happens */
    struct cell_counts counts;
};
extern struct simulation cell;

/* Tell what is wrong, and end the process. */
NORETURN void cell_fail(const char *format, ...) PRINTF_LIKE(1, 2);
#define CELL_CHECK(cond, ...) ((cond) ? (void)0 : cell_fail(__VA_ARGS__))
/* A line of the trace, if it is wanted. */
void cell_trace(const char *format, ...) PRINTF_LIKE(1, 2);

/* Chance: a number from LOW to HIGH; PERCENT of the times true. */
int64_t cell_between(int64_t low, int64_t high);
bool cell_chance(unsigned percent);

/* ---- what clients want of nodes ---- */

enum op_kind { OP_CLUSTER, OP_COMMIT, OP_TOPIC_CREATE, OP_TOPIC_DELETE, OP_READ };

struct client;

/* Lives to the end of the seed, since answers may come late. */
struct op {
    struct client *client;
    enum op_kind kind;
    struct command cmd; /* but for reads */
    struct str payload; /* of cmd, if it is a commit */
    struct test_commit commit;
    uint32_t topic;    /* number */
    int32_t partition; /* read */
    int64_t begun_at_ms;
    uint64_t floor_index; /* acknowledged before this attempt of a read was begun */
    int64_t floor_offset; /* ... of the partition */
    bool floor_deleted;   /* ... the topic was */
    unsigned attempt;
    bool done;
    bool answered; /* a commit: with these bytes */
    struct str answer;
};

/* What a node says. CODE: 0 or ERR_*. */
struct answer {
    int code;
    unsigned leader;     /* 0: unknown */
    uint64_t index;      /* a command: of its entry; a read: applied when it was made */
    struct slice result; /* borrowed */
    bool found;          /* a read: the partition is there */
    int64_t offset;      /* ... and its high watermark */
};

/* The request of OP arrives at NODE; answers go to load_answer(), over a network. */
void cell_node_request(unsigned node, struct op *op, unsigned attempt);
void load_answer(struct op *op, unsigned attempt, unsigned node,
                 const struct answer *answer);

void load_start(void); /* clients begin */
void load_stop(void);  /* ... nothing new */
/* Nothing new is written for so long; 0: go on. */
void load_quiet(int64_t for_ms);
bool load_idle(void); /* nothing is under way */
/* Whether every client had success with something that it began after SINCE_MS. */
bool load_recovered(int64_t since_ms);

/* ---- what goes wrong: cell_chaos.c ---- */

void chaos_start(void);   /* found a cell, wait until it has its voters */
void chaos_begin(void);   /* from now on faults happen */
void chaos_end(void);     /* no more; what is broken is mended */
void chaos_end_all(void); /* the node that was kept down comes back too */
bool chaos_settled(void); /* all members run, and have applied the same */

/* ---- what must hold: cell_check.c ---- */

void check_init(void);
void check_leader(unsigned node, uint64_t term);
/* NODE applies entry INDEX; null DATA: nothing to apply. Returns the hash that the
 * results must have. */
uint64_t check_entry(unsigned node, uint64_t index, uint64_t term, struct slice data);
/* The state of NODE is that of everything up to INDEX; looked at for some of them only,
 * and for the last one after check_state_at_end(). */
void check_state(unsigned node, uint64_t index, const struct state *state);
void check_state_at_end(void);
void check_acked(uint64_t index); /* a client knows that INDEX is committed */
uint64_t check_acked_index(void);
uint64_t check_hash(uint64_t hash, struct slice bytes);

#endif
