/* metrics.c - the agent's metrics out of metric.def. */
#include "agent/metrics.h"

const struct metric_spec agent_metric_specs[AGENT_METRIC_COUNT] = {
#define METRIC(type, name, unit, help) {METRIC_##type, "weft_agent_" #name, unit, help},
#include "agent/metric.def"
#undef METRIC
};

struct metric agent_metrics[AGENT_METRIC_COUNT];
