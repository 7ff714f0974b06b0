/* group_workload.h - random commands of classic groups, for tests that look at rows and
 * hashes and not at what the groups do (tests/sim/test_groups.c does that). */
#ifndef TESTS_LIB_GROUP_WORKLOAD_H
#define TESTS_LIB_GROUP_WORKLOAD_H

#include <stdint.h>

#include "tests/lib/state_driver.h"

/* Apply one to one of three groups of the driver's cluster, mostly about a member that is
 * there. PICK(n) chooses below n; NUMBER has not been used before. */
struct command_result group_workload_step(struct driver *driver,
                                          uint32_t (*pick)(uint32_t n), uint32_t number);

#endif
