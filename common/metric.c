/* metric.c - Prometheus text out of tables of counters, gauges and histograms.
 *
 * Histograms count in powers of two of the recorded unit: bucket i holds values up to
 * 2^i, the last one everything above. The text has base units, hence the scaling. */
#include "common/metric.h"

#include <stdbool.h>
#include <string.h>

void metric_observe(struct metric *metric, int64_t v)
{
    uint64_t u = v < 0 ? 0 : (uint64_t)v;
    size_t i = u <= 1 ? 0 : (size_t)(64 - __builtin_clzll(u - 1));
    if (i > METRIC_BUCKETS)
        i = METRIC_BUCKETS;
    atomic_fetch_add_explicit(&metric->buckets[i], 1, memory_order_relaxed);
    metric_add(metric, (int64_t)u);
}

void metric_buckets(struct metric *metric, uint64_t buckets[METRIC_BUCKETS + 1])
{
    for (size_t i = 0; i <= METRIC_BUCKETS; i++)
        buckets[i] = atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
}

double metric_quantile(const uint64_t buckets[METRIC_BUCKETS + 1], double q)
{
    uint64_t total = 0, before = 0;

    for (size_t i = 0; i <= METRIC_BUCKETS; i++)
        total += buckets[i];
    double rank = q * (double)total;
    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        double low = i == 0 ? 0 : (double)(UINT64_C(1) << (i - 1));
        double high = (double)(UINT64_C(1) << i);
        if (buckets[i] > 0 && (double)(before + buckets[i]) >= rank)
            return low + (high - low) * (rank - (double)before) / (double)buckets[i];
        before += buckets[i];
    }
    /* Above the last bound, as much is known as that. */
    return total == 0 ? 0 : (double)(UINT64_C(1) << (METRIC_BUCKETS - 1));
}

/* V of the recorded unit in the unit of the text. */
static void print_value(const struct metric_spec *spec, int64_t v, struct str *out)
{
    if (strcmp(spec->unit, "seconds") != 0) {
        str_printf(out, "%lld", (long long)v);
        return;
    }
    /* Microseconds, printed exactly: no binary fraction in the way. */
    uint64_t us = v < 0 ? -(uint64_t)v : (uint64_t)v;
    str_printf(out, "%s%llu.%06llu", v < 0 ? "-" : "", (unsigned long long)(us / 1000000),
               (unsigned long long)(us % 1000000));
}

static void print_histogram(const struct metric_spec *spec, struct metric *metric,
                            struct str *out)
{
    uint64_t total = 0;
    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        total += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        str_printf(out, "%s_bucket{le=\"", spec->name);
        print_value(spec, (int64_t)1 << i, out);
        str_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
    total += atomic_load_explicit(&metric->buckets[METRIC_BUCKETS], memory_order_relaxed);
    str_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n", spec->name,
               (unsigned long long)total);
    str_printf(out, "%s_sum ", spec->name);
    print_value(spec, atomic_load_explicit(&metric->value, memory_order_relaxed), out);
    str_printf(out, "\n%s_count %llu\n", spec->name, (unsigned long long)total);
}

void metric_print_head(const struct metric_spec *spec, struct str *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", spec->name, spec->help, spec->name,
               types[spec->type]);
}

void metric_print(const struct metric_spec *specs, struct metric *metrics, size_t n,
                  struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct metric_spec *spec = &specs[i];
        metric_print_head(spec, out);
        if (spec->type == METRIC_HISTOGRAM) {
            print_histogram(spec, &metrics[i], out);
            continue;
        }
        str_printf(out, "%s ", spec->name);
        print_value(spec, atomic_load_explicit(&metrics[i].value, memory_order_relaxed),
                    out);
        str_putc(out, '\n');
    }
}

void metric_print_label(const char *name, struct slice value, struct str *out)
{
    str_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = (char)value.ptr[i];
        if (c == '\\' || c == '"')
            str_putc(out, '\\');
        if (c == '\n')
            str_puts(out, "\\n");
        else
            str_putc(out, c);
    }
    str_putc(out, '"');
}

/* The name with its labels, and what comes before the value. */
static void print_series(const struct metric_spec *spec, const char *labels,
                         struct str *out)
{
    if (labels[0] == '\0')
        str_printf(out, "%s ", spec->name);
    else
        str_printf(out, "%s{%s} ", spec->name, labels);
}

void metric_print_int(const struct metric_spec *spec, const char *labels, int64_t value,
                      struct str *out)
{
    print_series(spec, labels, out);
    str_printf(out, "%lld\n", (long long)value);
}

void metric_print_real(const struct metric_spec *spec, const char *labels, double value,
                       struct str *out)
{
    print_series(spec, labels, out);
    str_printf(out, "%.9g\n", value);
}
