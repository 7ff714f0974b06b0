/* group_sim.h - what the simulations of groups have in common: a seed, the state that the
 * clients' commands change, and the log of them, which gives the same state again.
 *
 * Used by tests/sim/test_groups.c and test_consumer_groups.c, one seed at a time. */
#ifndef TESTS_LIB_GROUP_SIM_H
#define TESTS_LIB_GROUP_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "controlplane/coordinator.h"
#include "tests/lib/state_driver.h"

struct group_sim {
    unsigned seed, random;
    int step;
    bool faults; /* requests and answers are lost, and so on */
    struct driver live;
    struct slice *log; /* every command, in its order */
    size_t log_count, log_cap;
    uint32_t next_id; /* for names of members */
};

/* A seed begins: an empty state with one cluster, and faults. It must not be moved. */
void group_sim_begin(struct group_sim *sim, unsigned seed);
void group_sim_end(struct group_sim *sim);

uint32_t group_sim_pick(struct group_sim *sim, uint32_t n); /* below N */
const struct cluster *group_sim_cluster(const struct group_sim *sim);

/* OFFSET of a partition of topic-TOPIC is committed to group "g" by MEMBER (NULL
 * instance: a dynamic one). Returns Kafka's error. */
int16_t group_sim_commit(struct group_sim *sim, int32_t generation, const char *member,
                         const char *instance, uint32_t topic, int32_t partition,
                         int64_t offset);
/* What the offsets of GROUP count in its cluster's bytes. */
uint64_t group_sim_offset_bytes(const struct group *group);

/* Apply BYTES as one more command that came. */
void group_sim_apply(struct group_sim *sim, struct slice bytes);
/* Apply to STATE what of the log it has not yet. */
void group_sim_replay(const struct group_sim *sim, struct state *state);
/* Whether the log, from the beginning, gives the live state again (I7). */
bool group_sim_replays(const struct group_sim *sim);

/* The leader's timers, which group_sim_run_timers runs; for coordinator_free. */
struct coordinator *group_sim_coordinator(int64_t initial_delay_ms);
/* What they say at NOW_MS is due for group "g" goes through APPLY, the way of all
 * commands, until nothing is. */
void group_sim_run_timers(struct group_sim *sim, struct coordinator *coordinator,
                          int64_t now_ms, void (*apply)(struct command *cmd));

/* Ends the program, naming the seed. */
_Noreturn void group_sim_fail(const struct group_sim *sim, const char *what);
#define GROUP_SIM_CHECK(sim, cond) ((cond) ? (void)0 : group_sim_fail((sim), #cond))

/* The seeds that the command line asks for, [FIRST [COUNT]]; false: it asks for none. */
bool group_sim_args(int argc, char **argv, unsigned *first, unsigned *count);

#endif
