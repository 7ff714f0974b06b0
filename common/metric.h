/* metric.h - counters, gauges and histograms from one table, as Prometheus text.
 *
 * A program lists its metrics in a metric.def of rows
 *   METRIC(COUNTER|GAUGE|HISTOGRAM, name, "unit", "one line of help")
 *   FAMILY(COUNTER|GAUGE, name, "unit", "names of labels", "one line of help")
 * and keeps the METRICs in an array of struct metric; whoever knows the values of a
 * FAMILY prints them. Updates are relaxed atomics from any
 * thread. Histograms have fixed buckets: powers of two from 2^0 to 2^26 of the recorded
 * integer unit (microseconds, bytes), printed in base units (seconds, bytes). */
#ifndef COMMON_METRIC_H
#define COMMON_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/str.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_BUCKETS 27

struct metric_spec {
    enum metric_type type;
    const char *name; /* "weft_agent_produce_bytes_total" */
    const char *unit; /* "seconds": recorded in microseconds; "bytes"; "" */
    const char *help;
    const char *labels; /* of a FAMILY: their names, separated by spaces */
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
/* What the buckets of a histogram hold; bucket i up to 2^i, the last one all above. */
void metric_buckets(struct metric *metric, uint64_t buckets[METRIC_BUCKETS + 1]);
/* The quantile Q (0 to 1) of what BUCKETS counted, linear within a bucket; 0 when they
 * are empty. */
double metric_quantile(const uint64_t buckets[METRIC_BUCKETS + 1], double q);
/* Append the exposition text (version 0.0.4) of N metrics. */
void metric_print(const struct metric_spec *specs, struct metric *metrics, size_t n,
                  struct str *out);
/* Of a family: its HELP and TYPE; then lines of name{labels} value. LABELS are already
 * escaped ("" for none); metric_print_label appends one, name="value". Units are the
 * text's here: seconds, not microseconds. */
void metric_print_head(const struct metric_spec *spec, struct str *out);
void metric_print_label(const char *name, struct slice value, struct str *out);
void metric_print_int(const struct metric_spec *spec, const char *labels, int64_t value,
                      struct str *out);
void metric_print_real(const struct metric_spec *spec, const char *labels, double value,
                       struct str *out);

#endif
