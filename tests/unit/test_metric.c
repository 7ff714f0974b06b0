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
        {METRIC_COUNTER, "weft_bytes_total", "bytes", "Bytes.", NULL},
        {METRIC_GAUGE, "weft_level", "", "Level.", NULL},
        {METRIC_GAUGE, "weft_lag_seconds", "seconds", "Lag.", NULL},
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
    static const struct metric_spec up = {METRIC_GAUGE, "weft_up", "", "Up.", "zone"};
    metric_print_head(&up, &out);
    metric_print_int(&up, "zone=\"a\"", 1, &out);
    metric_print_real(&up, "", 0.25, &out);
    metric_print_label("zone", slice_str("a\"b\\c\nd"), &out);
    assert_string_equal(str_cstr(&out), "# HELP weft_bytes_total Bytes.\n"
                                        "# TYPE weft_bytes_total counter\n"
                                        "weft_bytes_total 42\n"
                                        "# HELP weft_level Level.\n"
                                        "# TYPE weft_level gauge\n"
                                        "weft_level -7\n"
                                        "# HELP weft_lag_seconds Lag.\n"
                                        "# TYPE weft_lag_seconds gauge\n"
                                        "weft_lag_seconds 1.500000\n"
                                        "# HELP weft_up Up.\n"
                                        "# TYPE weft_up gauge\n"
                                        "weft_up{zone=\"a\"} 1\n"
                                        "weft_up 0.25\n"
                                        "zone=\"a\\\"b\\\\c\\nd\"");
    str_fini(&out);
}

/* A value counts in the first bucket that is not below it, and in all above. */
static void histogram_is_cumulative(void **state)
{
    (void)state;
    static const struct metric_spec spec = {METRIC_HISTOGRAM, "h", "bytes", "H.", NULL};
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

/* A quantile lies within the bucket that holds it, linearly; of nothing it is 0. */
static void quantiles(void **state)
{
    (void)state;
    struct metric metric;
    uint64_t buckets[METRIC_BUCKETS + 1];
    memset(&metric, 0, sizeof(metric));
    metric_buckets(&metric, buckets);
    assert_true(metric_quantile(buckets, 0.99) == 0);
    for (int i = 0; i < 99; i++)
        metric_observe(&metric, 1000); /* 512 to 1,024 */
    metric_observe(&metric, 3000);
    metric_buckets(&metric, buckets);
    assert_true(metric_quantile(buckets, 0.99) == 1024);
    assert_true(metric_quantile(buckets, 0.495) == 768);
    double p100 = metric_quantile(buckets, 1);
    assert_true(p100 > 2048 && p100 <= 4096);
    metric_observe(&metric, INT64_MAX);
    metric_buckets(&metric, buckets);
    assert_true(metric_quantile(buckets, 1) == 1 << 26);
}

/* Seconds are recorded in microseconds: bounds and sum are printed in seconds. */
static void histogram_of_seconds(void **state)
{
    (void)state;
    static const struct metric_spec spec = {METRIC_HISTOGRAM, "d", "seconds", "D.", NULL};
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
        cmocka_unit_test(quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
