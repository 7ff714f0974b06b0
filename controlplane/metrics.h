/* metrics.h - the control plane's metrics, one array made of metric.def.
 *
 * Any thread updates; /metrics (admin.c) prints. A row in metric.def makes the name
 * here: METRIC(COUNTER, weft_x_total, ...) is M_weft_x_total. */
#ifndef CONTROLPLANE_METRICS_H
#define CONTROLPLANE_METRICS_H

#include "common/metric.h"

enum control_metric {
#define METRIC(type, name, unit, help) M_##name,
#include "controlplane/metric.def"
#undef METRIC
    M_COUNT
};

extern struct metric control_metrics[M_COUNT];
extern const struct metric_spec control_metric_specs[M_COUNT];

#define METRIC_ADD(name, n) metric_add(&control_metrics[M_##name], (int64_t)(n))
#define METRIC_SET(name, v) metric_set(&control_metrics[M_##name], (int64_t)(v))
#define METRIC_OBSERVE(name, v) metric_observe(&control_metrics[M_##name], (int64_t)(v))

#endif
