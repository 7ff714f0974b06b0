/* metrics.h - the control plane's metrics: one array, made of metric.def.
 *
 * Any thread. control_metric(commits_total) is the struct metric of that row, to be used
 * with metric_add, metric_set and metric_observe. */
#ifndef CONTROLPLANE_METRICS_H
#define CONTROLPLANE_METRICS_H

#include "common/metric.h"

enum control_metric_id {
#define METRIC(type, name, unit, help) CONTROL_METRIC_##name,
#include "controlplane/metric.def"
#undef METRIC
    CONTROL_METRIC_COUNT
};

extern const struct metric_spec control_metric_specs[CONTROL_METRIC_COUNT];
extern struct metric control_metrics[CONTROL_METRIC_COUNT];

#define control_metric(name) (&control_metrics[CONTROL_METRIC_##name])

#endif
