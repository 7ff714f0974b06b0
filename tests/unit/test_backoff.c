/* test_backoff.c - delays between retries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/backoff.h"

/* Delays double from the base to the cap, each somewhere in its upper half. */
static void delays_double_to_the_cap(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct backoff backoff;
        backoff_init(&backoff, 100, 1500, seed);
        static const int64_t full[] = {100, 200, 400, 800, 1500, 1500, 1500};
        for (int i = 0; i < 7; i++)
            assert_in_range(backoff_next_ms(&backoff), full[i] / 2, full[i]);
        backoff_reset(&backoff);
        assert_in_range(backoff_next_ms(&backoff), 50, 100);
    }
}

/* The same seed gives the same delays, another seed others. */
static void seed_decides(void **state)
{
    (void)state;
    struct backoff a, b, c;
    int differ = 0;
    backoff_init(&a, 1000, 100000, 1);
    backoff_init(&b, 1000, 100000, 1);
    backoff_init(&c, 1000, 100000, 2);
    for (int i = 0; i < 10; i++) {
        int64_t delay = backoff_next_ms(&a);
        assert_int_equal(delay, backoff_next_ms(&b));
        differ += delay != backoff_next_ms(&c);
    }
    assert_true(differ > 0);
}

/* However many attempts, the delay stays at the cap. */
static void no_overflow(void **state)
{
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, 1, INT64_MAX, 3);
    for (int i = 0; i < 200; i++)
        assert_true(backoff_next_ms(&backoff) >= 0);
    assert_true(backoff_next_ms(&backoff) >= INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_to_the_cap),
        cmocka_unit_test(seed_decides),
        cmocka_unit_test(no_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
