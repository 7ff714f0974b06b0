/* metrics.c - the tables behind metrics.h. */
#include "controlplane/metrics.h"

struct metric control_metrics[M_COUNT];

const struct metric_spec control_metric_specs[M_COUNT] = {
#define METRIC(type, name, unit, help) {METRIC_##type, #name, unit, help},
#include "controlplane/metric.def"
#undef METRIC
};
