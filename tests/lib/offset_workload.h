/* offset_workload.h - random commits, deletions and expiries of offsets, and a model of
 * what is committed, for tests/sim/test_state_replay.c. */
#ifndef TESTS_LIB_OFFSET_WORKLOAD_H
#define TESTS_LIB_OFFSET_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/state_driver.h"

#define OFFSET_GROUPS     3 /* that only commit */
#define OFFSET_TOPICS     6
#define OFFSET_PARTITIONS 20

/* A topic as the test knows it. */
struct offset_topic {
    uint32_t id; /* 0: there never was one; a topic made again has another */
    bool exists;
    int32_t partitions;
};

/* What the groups have committed; zeroed at first. */
struct offset_model {
    struct {
        uint32_t topic; /* its id; 0: nothing */
        int64_t offset, at_ms;
    } offsets[OFFSET_GROUPS][OFFSET_TOPICS][OFFSET_PARTITIONS];
    uint64_t commits;
};

/* Apply one command about offsets of some of TOPICS; PICK(n) chooses below n. Returns
 * NULL, or what is not as the model says. */
const char *offset_workload_step(struct offset_model *model, struct driver *driver,
                                 const struct offset_topic topics[OFFSET_TOPICS],
                                 uint32_t (*pick)(uint32_t n));

#endif
