/* test_metric.c - Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/metric.h"

/* Counters and gauges print their value with help and type; seconds are scaled. */
static void values_print(void **state)
{
    (void)state;
    static const struct metric_spec specs[] = {
        {METRIC_COUNTER, "weft_bytes_total", "bytes", "Bytes."},
        {METRIC_GAUGE, "weft_level", "", "Level."},
        {METRIC_GAUGE, "weft_lag_seconds", "seconds", "Lag."},
    };
    struct metric metrics[3];
    struct str out;
    memset(metrics, 0, sizeof(metrics));
    metric_add(&metrics[0], 40);
    metric_add(&metrics[0], 2);
    metric_set(&metrics[1], -7);
    metric_set(&metrics[2], 1500000);
    str_init(&out, 4096);
    metric_print(specs, metrics, 3, &out);
    metric_print_labelled("weft_up", "zone=\"a\"", 1, &out);
    assert_string_equal(str_cstr(&out), "# HELP weft_bytes_total Bytes.\n"
                                        "# TYPE weft_bytes_total counter\n"
                                        "weft_bytes_total 42\n"
                                        "# HELP weft_level Level.\n"
                                        "# TYPE weft_level gauge\n"
                                        "weft_level -7\n"
                                        "# HELP weft_lag_seconds Lag.\n"
                                        "# TYPE weft_lag_seconds gauge\n"
                                        "weft_lag_seconds 1.500000\n"
                                        "weft_up{zone=\"a\"} 1\n");
    str_fini(&out);
}

/* A value counts in the first bucket that is not below it, and in all above. */
static void histogram_is_cumulative(void **state)
{
    (void)state;
    static const struct metric_spec spec = {METRIC_HISTOGRAM, "h", "bytes", "H."};
    struct metric metric;
    struct str out;
    memset(&metric, 0, sizeof(metric));
    metric_observe(&metric, -3); /* a clock that went back counts as nothing */
    metric_observe(&metric, 1);
    metric_observe(&metric, 2);
    metric_observe(&metric, 3);
    metric_observe(&metric, 4);
    metric_observe(&metric, 1 << 26);
    metric_observe(&metric, (1 << 26) + 1);
    str_init(&out, 8192);
    metric_print(&spec, &metric, 1, &out);
    assert_non_null(strstr(out.data, "# TYPE h histogram\nh_bucket{le=\"1\"} 2\n"
                                     "h_bucket{le=\"2\"} 3\nh_bucket{le=\"4\"} 5\n"
                                     "h_bucket{le=\"8\"} 5\n"));
    assert_non_null(strstr(out.data, "h_bucket{le=\"67108864\"} 6\n"
                                     "h_bucket{le=\"+Inf\"} 7\n"
                                     "h_sum 134217739\nh_count 7\n"));
    str_fini(&out);
}

/* Seconds are recorded in microseconds: bounds and sum are printed in seconds. */
static void histogram_of_seconds(void **state)
{
    (void)state;
    static const struct metric_spec spec = {METRIC_HISTOGRAM, "d", "seconds", "D."};
    struct metric metric;
    struct str out;
    memset(&metric, 0, sizeof(metric));
    metric_observe(&metric, 2500000);
    str_init(&out, 8192);
    metric_print(&spec, &metric, 1, &out);
    assert_non_null(strstr(out.data, "d_bucket{le=\"2.097152\"} 0\n"
                                     "d_bucket{le=\"4.194304\"} 1\n"));
    assert_non_null(strstr(out.data, "d_sum 2.500000\nd_count 1\n"));
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print),
        cmocka_unit_test(histogram_is_cumulative),
        cmocka_unit_test(histogram_of_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
