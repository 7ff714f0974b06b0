/* metric.h - counters, gauges and histograms from one table, as Prometheus text.
 *
 * A program lists its metrics in a metric.def of rows
 *   METRIC(COUNTER|GAUGE|HISTOGRAM, name, "unit", "one line of help")
 * and keeps them in an array of struct metric. Updates are relaxed atomics from any
 * thread. Histograms have fixed buckets: powers of two from 2^0 to 2^26 of the recorded
 * integer unit (microseconds, bytes), printed in base units (seconds, bytes). */
#ifndef COMMON_METRIC_H
#define COMMON_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_BUCKETS 27

struct metric_spec {
    enum metric_type type;
    const char *name; /* "weft_agent_produce_bytes_total" */
    const char *unit; /* "seconds": recorded in microseconds; "bytes"; "" */
    const char *help;
};

struct metric {
    _Atomic int64_t value; /* counter, gauge; sum for histograms */
    _Atomic uint64_t buckets[METRIC_BUCKETS + 1];
};

static inline void metric_add(struct metric *metric, int64_t n)
{
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t v)
{
    atomic_store_explicit(&metric->value, v, memory_order_relaxed);
}

/* Of a counter or gauge. */
static inline int64_t metric_value(struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe(struct metric *metric, int64_t v);
/* Append the exposition text (version 0.0.4) of N metrics. */
void metric_print(const struct metric_spec *specs, struct metric *metrics, size_t n,
                  struct str *out);
/* One line of a labelled family: name{labels} value; LABELS already escaped. */
void metric_print_labelled(const char *name, const char *labels, int64_t value,
                           struct str *out);

#endif
