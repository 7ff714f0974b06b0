/* process_metrics.h - what Prometheus expects of every process: CPU, memory, open files,
 * start, by the names that its client libraries use. Of Linux, out of /proc/self. */
#ifndef COMMON_PROCESS_METRICS_H
#define COMMON_PROCESS_METRICS_H

#include "common/str.h"

/* Append the families process_*, all without labels. Any thread. */
void process_metrics_print(struct str *out);

#endif
