/* offsets_expiry.h - when committed offsets are to be forgotten: the leader looks at all
 * groups every now and then, a bounded number of them at a time, and proposes
 * OFFSETS_EXPIRE for those that have something to lose. What goes is decided when that is
 * applied (apply_offsets.c).
 *
 * A core: no clock inside. It keeps no pointer into the state from one call to the next.
 * Used by node_propose.c. */
#ifndef CONTROLPLANE_OFFSETS_EXPIRY_H
#define CONTROLPLANE_OFFSETS_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/state.h"

struct offsets_expiry {
    /* private */
    int64_t retention_ms;
    int64_t round_at_ms;    /* the next look at all groups begins; monotonic */
    bool going;             /* one is under way, and goes on with: */
    struct uuid cluster_id; /* zero: the first */
    struct str group_id;    /* of it; empty and !named: the first */
    bool named;
};

void offsets_expiry_init(struct offsets_expiry *expiry, int64_t retention_ms);
void offsets_expiry_fini(struct offsets_expiry *expiry);
/* Begin from the front: the state is another one, or this node no longer leads. */
void offsets_expiry_reset(struct offsets_expiry *expiry);
/* Look at some groups more, at the wall clock's NOW_MS and the monotonic TICK_MS. True:
 * propose CMD, whose arrays are ARENA's. */
bool offsets_expiry_step(struct offsets_expiry *expiry, const struct state *state,
                         int64_t now_ms, int64_t tick_ms, struct arena *arena,
                         struct command *cmd) MUST_CHECK;

#endif
