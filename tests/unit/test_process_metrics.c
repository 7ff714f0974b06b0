/* test_process_metrics.c - what a process tells of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/process_metrics.h"

static double value(const struct str *out, const char *name)
{
    char line[128];
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(out->data, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

/* The numbers are those of this process: about now, some memory, its open files. */
static void own_numbers(void **state)
{
    struct str out;
    (void)state;
    str_init(&out, 64 * KIB);
    process_metrics_print(&out);
    (void)str_cstr(&out);
    double fds = value(&out, "process_open_fds");
    assert_true(fds >= 3 && fds < 1000);
    assert_true(value(&out, "process_max_fds") >= fds);
    assert_true(value(&out, "process_threads") == 1);
    assert_true(value(&out, "process_resident_memory_bytes") > 500 * KIB);
    assert_true(value(&out, "process_virtual_memory_bytes") >
                value(&out, "process_resident_memory_bytes"));
    assert_true(value(&out, "process_cpu_seconds_total") < 60);
    double began = value(&out, "process_start_time_seconds");
    assert_true(began > (double)time(NULL) - 600 && began < (double)time(NULL) + 60);
    int fd = dup(0);
    str_reset(&out);
    process_metrics_print(&out);
    (void)str_cstr(&out);
    assert_true(value(&out, "process_open_fds") == fds + 1);
    close(fd);
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
