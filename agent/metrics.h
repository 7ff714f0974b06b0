/* metrics.h - the agent's metrics, made of metric.def: one array of those without labels,
 * and what is said of the families, whose series others print.
 *
 * Any thread. agent_metric(produce_bytes_total) is the struct metric of that row, to be
 * used with metric_add, metric_set and metric_observe; agent_family(requests_total) is
 * the struct metric_spec of that one, for metric_print_head and its like. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stddef.h>

#include "common/metric.h"
#include "common/str.h"

enum agent_metric_id {
#define METRIC(type, name, unit, help) AGENT_METRIC_##name,
#define FAMILY(type, name, unit, labels, help)
#include "agent/metric.def"
#undef METRIC
#undef FAMILY
    AGENT_METRIC_COUNT
};

enum agent_family_id {
#define METRIC(type, name, unit, help)
#define FAMILY(type, name, unit, labels, help) AGENT_FAMILY_##name,
#include "agent/metric.def"
#undef METRIC
#undef FAMILY
    AGENT_FAMILY_COUNT
};

extern const struct metric_spec agent_metric_specs[AGENT_METRIC_COUNT];
extern const struct metric_spec agent_family_specs[AGENT_FAMILY_COUNT];
extern struct metric agent_metrics[AGENT_METRIC_COUNT];

#define agent_metric(name) (&agent_metrics[AGENT_METRIC_##name])
#define agent_family(name) (&agent_family_specs[AGENT_FAMILY_##name])

#endif
