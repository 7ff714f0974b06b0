/* group_lag.h - how far a group is behind, per partition: in offsets, and in time.
 *
 * Core thread; reads the state only. */
#ifndef CONTROLPLANE_GROUP_LAG_H
#define CONTROLPLANE_GROUP_LAG_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "controlplane/state.h"

struct group_lag {
    const struct topic *topic;
    int32_t partition;
    int64_t offset; /* committed: the next to be consumed */
    int64_t high_watermark, log_start_offset;
    int64_t lag; /* offsets up to the high watermark; 0 when there are none */
    /* The age of the oldest record that was not consumed, as well as the index knows it:
     * by the greatest timestamp of the run that holds it. 0 without lag, and when that
     * record has no timestamp or one of the future. */
    int64_t lag_ms;
};

struct group_lag group_lag_of(const struct group_offset *offset, int64_t now_ms);

/* The MAX partitions of GROUP (may be NULL) that lag most, the worst first, in ARENA.
 * Returns how many. */
size_t group_lag_worst(const struct group *group, int64_t now_ms, size_t max,
                       struct arena *arena, struct group_lag **out);

#endif
