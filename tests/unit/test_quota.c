/* test_quota.c - token buckets: how often somebody may, and when again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/defs.h"
#include "controlplane/quota.h"

static const struct uuid a = {{1}}, b = {{2}};

/* How many of COUNT requests pass at NOW_MS. */
static int passed(struct quota *quota, const struct uuid *who, int count, int64_t now_ms)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += quota_take(quota, who, now_ms) == 0;
    return n;
}

/* A second's worth passes at once, then as many as time gives back. */
static void burst_and_refill(void **state)
{
    struct quota *quota = quota_new(10, 100);
    (void)state;
    assert_int_equal(passed(quota, &a, 50, 1000), 10);
    assert_int_equal(passed(quota, &a, 50, 1099), 0);
    assert_int_equal(passed(quota, &a, 50, 1100), 1);
    assert_int_equal(passed(quota, &a, 50, 1600), 5);
    assert_int_equal(passed(quota, &a, 50, 100000), 10);
    quota_free(quota);
}

/* What is told of the wait is true: then, and not before, one passes. */
static void wait_is_true(void **state)
{
    (void)state;
    for (uint32_t rate = 1; rate <= 1000; rate = rate * 3 + 1) {
        struct quota *quota = quota_new(rate, 100);
        int64_t wait_ms;
        (void)passed(quota, &a, (int)rate, 5000);
        wait_ms = quota_take(quota, &a, 5000);
        assert_true(wait_ms > 0 && wait_ms <= 1000);
        assert_true(quota_take(quota, &a, 5000 + wait_ms - 1) > 0);
        assert_int_equal(quota_take(quota, &a, 5000 + wait_ms), 0);
        quota_free(quota);
    }
}

/* Nobody pays for another. */
static void each_for_itself(void **state)
{
    struct quota *quota = quota_new(5, 100);
    (void)state;
    assert_int_equal(passed(quota, &a, 1000, 1), 5);
    assert_int_equal(passed(quota, &b, 5, 1), 5);
    quota_free(quota);
}

/* A rate of one's own holds from when it is set; 0 is without limit. */
static void own_rates(void **state)
{
    struct quota *quota = quota_new(100, 100);
    (void)state;
    quota_set_rate(quota, &a, 3, 1);
    assert_int_equal(passed(quota, &a, 50, 1), 3);
    quota_set_rate(quota, &a, 0, 2);
    assert_int_equal(passed(quota, &a, 500, 2), 500);
    quota_set_rate(quota, &a, 4, 3);
    assert_int_equal(passed(quota, &a, 50, 3), 4);
    quota_free(quota);

    quota = quota_new(0, 100);
    assert_int_equal(passed(quota, &a, 500, 1), 500);
    quota_free(quota);
}

/* The table does not grow for ever, and who finds it full is not without limit: all those
 * share a bucket. */
static void bounded(void **state)
{
    struct quota *quota = quota_new(1, 10);
    (void)state;
    for (int round = 0; round < 3; round++)
        for (uint8_t i = 0; i < 200; i++) {
            struct uuid who = {{9, i}};
            (void)!quota_take(quota, &who, 1 + round * 10);
        }
    assert_int_equal(quota_count(quota), 10);
    assert_int_equal(passed(quota, &b, 50, 100), 0);
    assert_int_equal(passed(quota, &a, 50, 900), 0);
    /* After a second the first ones are full again, and forgotten. */
    assert_int_equal(passed(quota, &b, 50, 5000), 1);
    assert_true(quota_count(quota) <= 10);
    quota_free(quota);
}

/* A clock that stands still or goes back gives nothing. */
static void time_back(void **state)
{
    struct quota *quota = quota_new(10, 10);
    (void)state;
    assert_int_equal(passed(quota, &a, 50, 10000), 10);
    assert_int_equal(passed(quota, &a, 50, 9000), 0);
    assert_int_equal(passed(quota, &a, 50, 10100), 1);
    quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_and_refill), cmocka_unit_test(wait_is_true),
        cmocka_unit_test(each_for_itself),  cmocka_unit_test(own_rates),
        cmocka_unit_test(bounded),          cmocka_unit_test(time_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
