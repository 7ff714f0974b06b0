/* metrics.h - the control plane's metrics, made of metric.def: one array of those without
 * labels, and what is said of the families, whose series others print.
 *
 * Any thread. control_metric(commits_total) is the struct metric of that row, to be used
 * with metric_add, metric_set and metric_observe; control_family(requests_total) is the
 * struct metric_spec of that one, for metric_print_head and its like. */
#ifndef CONTROLPLANE_METRICS_H
#define CONTROLPLANE_METRICS_H

#include <stddef.h>

#include "common/metric.h"
#include "common/str.h"

enum control_metric_id {
#define METRIC(type, name, unit, help) CONTROL_METRIC_##name,
#define FAMILY(type, name, unit, labels, help)
#include "controlplane/metric.def"
#undef METRIC
#undef FAMILY
    CONTROL_METRIC_COUNT
};

enum control_family_id {
#define METRIC(type, name, unit, help)
#define FAMILY(type, name, unit, labels, help) CONTROL_FAMILY_##name,
#include "controlplane/metric.def"
#undef METRIC
#undef FAMILY
    CONTROL_FAMILY_COUNT
};

extern const struct metric_spec control_metric_specs[CONTROL_METRIC_COUNT];
extern const struct metric_spec control_family_specs[CONTROL_FAMILY_COUNT];
extern struct metric control_metrics[CONTROL_METRIC_COUNT];

#define control_metric(name) (&control_metrics[CONTROL_METRIC_##name])
#define control_family(name) (&control_family_specs[CONTROL_FAMILY_##name])

#endif
