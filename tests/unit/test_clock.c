/* test_clock.c - the two clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "common/clock.h"

/* The monotonic clock does not go back, and its two units are the same clock. */
static void monotonic_does_not_go_back(void **state)
{
    (void)state;
    int64_t before_us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    int64_t after_us = clock_monotonic_us();
    assert_true(before_us / 1000 <= ms);
    assert_true(ms <= after_us / 1000);
    for (int i = 0; i < 1000; i++) {
        int64_t now_us = clock_monotonic_us();
        assert_true(now_us >= after_us);
        after_us = now_us;
    }
}

/* The wall clock is the system's, in milliseconds. */
static void wall_is_the_systems(void **state)
{
    (void)state;
    int64_t before_s = (int64_t)time(NULL) - 1;
    int64_t ms = clock_wall_ms();
    assert_in_range(ms / 1000, before_s, before_s + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_does_not_go_back),
        cmocka_unit_test(wall_is_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
