/* test_fault.c - fault points, in builds that have them (FAULTS=1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fault.h"

#ifdef WEFT_FAULTS

/* FAULT_ERROR is true at exactly the pass that was asked for. */
static void error_at_the_nth_pass(void **state)
{
    (void)state;
    assert_int_equal(fault_configure("here:2:error,there:*:error"), 0);
    assert_false(FAULT_ERROR("here"));
    assert_true(FAULT_ERROR("here"));
    assert_false(FAULT_ERROR("here"));
    assert_true(FAULT_ERROR("there"));
    assert_true(FAULT_ERROR("there"));
    assert_false(FAULT_ERROR("elsewhere"));
    assert_int_equal(fault_passes("here"), 3);
    assert_int_equal(fault_passes("nowhere"), 0);
}

/* A killed process is gone as by kill -9, at the pass that was asked for. */
static void kill_is_sigkill(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        if (fault_configure("die:2") != 0)
            _exit(1);
        FAULT_POINT("die");
        if (fault_passes("die") != 1)
            _exit(2);
        FAULT_POINT("die");
        _exit(3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* Sleeping takes the time and nothing else. */
static void sleep_takes_time(void **state)
{
    (void)state;
    assert_int_equal(fault_configure("slow:1:sleep=30"), 0);
    int64_t begin_us = clock_monotonic_us();
    assert_false(FAULT_ERROR("slow"));
    assert_true(clock_monotonic_us() - begin_us >= 30000);
}

/* Passes are counted and printed. */
static void passes_are_printed(void **state)
{
    (void)state;
    struct str out;
    assert_int_equal(fault_configure(""), 0);
    FAULT_POINT("a");
    FAULT_POINT("b");
    FAULT_POINT("a");
    str_init(&out, 100);
    fault_print(&out);
    assert_string_equal(str_cstr(&out), "a 2\nb 1\n");
    str_fini(&out);
}

/* What cannot be read is refused, so that no test passes by a misspelling. */
static void misspelt_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a",           "a:0",        "a:x",
                                      "a:1:explode", "a:1:sleep=", "a:1:sleep=x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(fault_configure(bad[i]), ERR_INVALID);
    assert_int_equal(fault_configure("a:1:kill"), 0);
}

#else

/* Without faults a point is nothing: even WEFT_FAULT does not reach it. */
static void points_are_nothing(void **state)
{
    (void)state;
    setenv("WEFT_FAULT", "here:*:error,die:*", 1);
    FAULT_POINT("die");
    assert_false(FAULT_ERROR("here"));
    unsetenv("WEFT_FAULT");
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef WEFT_FAULTS
        cmocka_unit_test(error_at_the_nth_pass), cmocka_unit_test(kill_is_sigkill),
        cmocka_unit_test(sleep_takes_time),      cmocka_unit_test(passes_are_printed),
        cmocka_unit_test(misspelt_is_refused),
#else
        cmocka_unit_test(points_are_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
