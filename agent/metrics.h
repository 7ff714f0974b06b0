/* metrics.h - the agent's metrics: one array, made of metric.def.
 *
 * Any thread. agent_metric(produce_bytes_total) is the struct metric of that row, to be
 * used with metric_add, metric_set and metric_observe. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stddef.h>

#include "common/metric.h"
#include "common/str.h"

enum agent_metric_id {
#define METRIC(type, name, unit, help) AGENT_METRIC_##name,
#include "agent/metric.def"
#undef METRIC
    AGENT_METRIC_COUNT
};

extern const struct metric_spec agent_metric_specs[AGENT_METRIC_COUNT];
extern struct metric agent_metrics[AGENT_METRIC_COUNT];

#define agent_metric(name) (&agent_metrics[AGENT_METRIC_##name])

#endif
