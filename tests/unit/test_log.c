/* test_log.c - logfmt lines: one write per event, one line whatever the values hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static char captured[16384];

/* Standard error goes to a pipe between these two. */
static int saved_stderr, pipe_fds[2];

static void capture_begin(void)
{
    assert_int_equal(pipe(pipe_fds), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
}

static void capture_end(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_fds[1]);
    ssize_t n = read(pipe_fds[0], captured, sizeof(captured) - 1);
    captured[n < 0 ? 0 : n] = '\0';
    close(pipe_fds[0]);
}

/* A line has time, level, module, message and the pairs, and ends in a line end. */
static void line_has_its_parts(void **state)
{
    (void)state;
    char time[32], rest[256];
    capture_begin();
    log_warn("store", "put failed", "key=%s bytes=%d", "a/b", 7);
    capture_end();
    assert_int_equal(sscanf(captured, "%31s %255[^\n]", time, rest), 2);
    assert_int_equal(strlen(time), strlen("2026-01-02T03:04:05.678Z"));
    assert_string_equal(rest,
                        "level=warn module=store msg=\"put failed\" key=a/b bytes=7");
    assert_int_equal(captured[strlen(captured) - 1], '\n');
}

/* A value with a line end does not make a second line; a long one is cut. */
static void one_event_is_one_line(void **state)
{
    (void)state;
    static char longer[9000];
    memset(longer, 'x', sizeof(longer) - 1);
    capture_begin();
    log_info("m", "a\nb", "v=%s", "1\r\n2");
    log_info("m", "long", "v=%s", longer);
    capture_end();
    char *first_end = strchr(captured, '\n');
    assert_non_null(first_end);
    *first_end = '\0';
    assert_non_null(strstr(captured, "msg=\"a\\x0ab\" v=1??2"));
    char *second_end = strchr(first_end + 1, '\n');
    assert_non_null(second_end);
    assert_int_equal(second_end[1], '\0');
    assert_memory_equal(second_end - 3, "...", 3);
}

/* What is below the level is not written; level names are read, others refused. */
static void level_filters(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    assert_int_equal(log_parse_level("error", &level), 0);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_parse_level("loud", &level), ERR_INVALID);
    assert_int_equal(level, LOG_ERROR);
    capture_begin();
    log_set_level(level);
    log_warn("m", "hidden", "%s", "");
    log_error("m", "shown", "");
    log_set_level(LOG_INFO);
    log_debug("m", "hidden", "");
    capture_end();
    assert_null(strstr(captured, "hidden"));
    assert_non_null(strstr(captured, "shown"));
}

/* Quoting escapes what would end the value, and cuts whole characters only. */
static void quote_escapes_and_cuts(void **state)
{
    (void)state;
    char buf[64], small[9];
    assert_string_equal(log_quote("a\"b\\c\x01", buf, sizeof(buf)),
                        "\"a\\\"b\\\\c\\x01\"");
    assert_string_equal(log_quote("123456789", small, sizeof(small)), "\"123456\"");
    assert_string_equal(log_quote("12345\"", small, sizeof(small)), "\"12345\"");
    assert_string_equal(log_quote("1234\n", small, sizeof(small)), "\"1234\"");
    assert_string_equal(log_quote("", small, 3), "\"\"");
}

/* One pass per interval; the next one tells how many were held back. */
static void limit_counts_what_it_drops(void **state)
{
    (void)state;
    struct log_limit limit = {.interval_ms = 100};
    uint64_t dropped = 99;
    assert_true(log_limit_pass(&limit, 1000, &dropped));
    assert_int_equal(dropped, 0);
    assert_false(log_limit_pass(&limit, 1050, &dropped));
    assert_false(log_limit_pass(&limit, 1099, &dropped));
    assert_true(log_limit_pass(&limit, 1100, &dropped));
    assert_int_equal(dropped, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_has_its_parts),
        cmocka_unit_test(one_event_is_one_line),
        cmocka_unit_test(level_filters),
        cmocka_unit_test(quote_escapes_and_cuts),
        cmocka_unit_test(limit_counts_what_it_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
