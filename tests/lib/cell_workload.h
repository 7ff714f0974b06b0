/* cell_workload.h - random commands about the cell itself, its nodes and CAs, for
 * tests/sim/test_state_replay.c. */
#ifndef TESTS_LIB_CELL_WORKLOAD_H
#define TESTS_LIB_CELL_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/state_driver.h"

struct cell_model {
    uint64_t node_id; /* the last one given */
    bool founded;
};

/* Apply one; PICK(n) chooses below n, UNUSED is a number that nothing has. False: an id
 * of a node was given twice, or one is both there and removed. */
bool cell_workload_step(struct cell_model *model, struct driver *driver,
                        uint32_t (*pick)(uint32_t n), uint32_t unused);

#endif
