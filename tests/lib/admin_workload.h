/* admin_workload.h - random commands of the admin APIs beside groups, for simulations of
 * the state: records deleted, settings, quotas.
 *
 * Each is applied to the driver's state, and what it says and does is held against the
 * state before. */
#ifndef TESTS_LIB_ADMIN_WORKLOAD_H
#define TESTS_LIB_ADMIN_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "tests/lib/state_driver.h"

/* One command of the driver's cluster; PICK(n) is a random number below n. False: it did
 * what it must not, or not what it must. */
bool admin_workload_step(struct driver *driver, uint32_t (*pick)(uint32_t n)) MUST_CHECK;

#endif
