/* lookup.h - answers ListOffsets and OffsetForLeaderEpoch asks through the control plane.
 *
 * Core thread only. An ask is answered by ask_reply(&offsets_ask->ask), perhaps from
 * inside lookup_ask, exactly once, at its deadline at the latest. */
#ifndef AGENT_LOOKUP_H
#define AGENT_LOOKUP_H

#include <stdbool.h>

#include "agent/core.h"
#include "common/loop.h"

struct cache;
struct ctl;
struct lookup;
struct read_gate;

struct lookup_options {
    struct loop *loop;
    struct ctl *ctl;
    struct cache *cache; /* to find a record within its run */
    struct read_gate *gate;
};

struct lookup *lookup_new(const struct lookup_options *options);
void lookup_free(struct lookup *lookup); /* nothing may be open: see lookup_drain */
void lookup_ask(struct lookup *lookup, struct offsets_ask *ask);
/* Answer what is open with ERR_CANCELLED's Kafka error. */
void lookup_drain(struct lookup *lookup);
bool lookup_idle(const struct lookup *lookup);

#endif
