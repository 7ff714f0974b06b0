/* metrics.c - the agent's metrics out of metric.def. */
#include "agent/metrics.h"

#define PREFIX "weft_agent_"

const struct metric_spec agent_metric_specs[AGENT_METRIC_COUNT] = {
#define METRIC(type, name, unit, help) {METRIC_##type, PREFIX #name, unit, help, NULL},
#define FAMILY(type, name, unit, labels, help)
#include "agent/metric.def"
#undef METRIC
#undef FAMILY
};

const struct metric_spec agent_family_specs[AGENT_FAMILY_COUNT] = {
#define METRIC(type, name, unit, help)
#define FAMILY(type, name, unit, labels, help)                                           \
    {METRIC_##type, PREFIX #name, unit, help, labels},
#include "agent/metric.def"
#undef METRIC
#undef FAMILY
};

struct metric agent_metrics[AGENT_METRIC_COUNT];
