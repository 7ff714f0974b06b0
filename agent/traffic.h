/* traffic.h - what each topic's clients produced and fetched here, for /metrics.
 *
 * Core thread. Counted for a run of a committed object and for a partition of an answered
 * Fetch, never for a record. The number of topics told is bounded: a topic gets counters
 * of its own when it is first used, while there is room, or in place of one that was not
 * used for ten minutes; what the others do is told as topic="other". So no counter ever
 * falls. A topic that is deleted gives its place back. */
#ifndef AGENT_TRAFFIC_H
#define AGENT_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "common/str.h"
#include "common/uuid.h"

struct meta_view;
struct traffic;

/* So many topics at most are told by name; 0: none. */
struct traffic *traffic_new(size_t topics_max);
void traffic_free(struct traffic *traffic); /* NULL is fine */

void traffic_produced(struct traffic *traffic, const struct uuid *topic_id,
                      uint64_t records, uint64_t bytes, int64_t now_ms);
void traffic_fetched(struct traffic *traffic, const struct uuid *topic_id,
                     uint64_t records, uint64_t bytes, int64_t now_ms);
void traffic_forget(struct traffic *traffic, const struct uuid *topic_id);

/* The families topic_* of metric.def, with VIEW's names. */
void traffic_print(const struct traffic *traffic, const struct meta_view *view,
                   struct str *out);

#endif
