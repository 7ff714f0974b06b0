/* metrics.c - the control plane's metrics out of metric.def. */
#include "controlplane/metrics.h"

#define PREFIX "weft_controlplane_"

const struct metric_spec control_metric_specs[CONTROL_METRIC_COUNT] = {
#define METRIC(type, name, unit, help) {METRIC_##type, PREFIX #name, unit, help, NULL},
#define FAMILY(type, name, unit, labels, help)
#include "controlplane/metric.def"
#undef METRIC
#undef FAMILY
};

const struct metric_spec control_family_specs[CONTROL_FAMILY_COUNT] = {
#define METRIC(type, name, unit, help)
#define FAMILY(type, name, unit, labels, help)                                           \
    {METRIC_##type, PREFIX #name, unit, help, labels},
#include "controlplane/metric.def"
#undef METRIC
#undef FAMILY
};

struct metric control_metrics[CONTROL_METRIC_COUNT];
