/* session_load.h - how busy an agent last told to be, and the sum over a cluster's
 * agents.
 *
 * A report (control_api.md, /agent/v1/usage) has whole rates of bytes, and, of agents
 * that tell them, further rates, the buckets of histograms of the time since the report
 * before, and who bills for the object store. In the leader's memory only. Plain data, no
 * clock. */
#ifndef CONTROLPLANE_SESSION_LOAD_H
#define CONTROLPLANE_SESSION_LOAD_H

#include <stdint.h>

#include "common/arena.h"
#include "common/json.h"
#include "common/metric.h"
#include "common/prices.h"
#include "proto/usage.h"

struct session_load {
    uint64_t in_bytes_per_second, out_bytes_per_second, connections;
    int64_t at_ms; /* wall clock; 0: it told nothing yet */
    double rates[USAGE_RATES];
    uint32_t latencies[USAGE_LATENCIES][METRIC_BUCKETS + 1]; /* microseconds */
    char provider[PRICE_NAME_MAX], region[PRICE_NAME_MAX];   /* "" when not told */
};

/* Read what BODY tells; ARENA for what is decoded. A failure is R's. */
void session_load_read(struct json_reader *r, const struct json *body,
                       struct arena *arena, struct session_load *load);

/* Of several agents. */
struct load_sum {
    double in_bytes_per_second, out_bytes_per_second;
    double rates[USAGE_RATES];
    uint64_t connections;
    uint64_t latencies[USAGE_LATENCIES][METRIC_BUCKETS + 1];
};

void load_sum_add(struct load_sum *sum, const struct session_load *load);

#endif
