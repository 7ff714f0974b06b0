/* test_usage.c - names of what agents tell of their load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/usage.h"

/* Every rate has a name of its own, and those of the store are named as its requests. */
static void names_differ(void **state)
{
    (void)state;
    for (int i = 0; i < USAGE_RATES; i++) {
        assert_non_null(usage_rate_name((enum usage_rate)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(usage_rate_name((enum usage_rate)i),
                                    usage_rate_name((enum usage_rate)k));
    }
    assert_string_equal(usage_rate_name(USAGE_STORE_FIRST + STORE_PUT), "put");
    assert_string_equal(usage_rate_name(USAGE_STORE_ERRORS), "store_errors");
    assert_string_equal(usage_latency_names[USAGE_COMMIT], "commit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
