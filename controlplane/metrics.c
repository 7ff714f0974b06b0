/* metrics.c - the control plane's metrics out of metric.def. */
#include "controlplane/metrics.h"

const struct metric_spec control_metric_specs[CONTROL_METRIC_COUNT] = {
#define METRIC(type, name, unit, help)                                                   \
    {METRIC_##type, "weft_controlplane_" #name, unit, help},
#include "controlplane/metric.def"
#undef METRIC
};

struct metric control_metrics[CONTROL_METRIC_COUNT];
