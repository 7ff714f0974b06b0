/* stored_state.h - a state with a database beside it, to see that a restart from a
 * checkpoint gives the same again. For cmocka tests. */
#ifndef TESTS_LIB_STORED_STATE_H
#define TESTS_LIB_STORED_STATE_H

#include "controlplane/db.h"
#include "tests/lib/state_driver.h"

struct stored_state {
    struct driver driver; /* with cluster 1 */
    struct db *db;
    char dir[64];
};

void stored_state_init(struct stored_state *stored, const struct state_events *events);
void stored_state_fini(struct stored_state *stored);
/* Take a checkpoint; the state that is loaded from it must be the same. */
void stored_state_check(struct stored_state *stored);

#endif
