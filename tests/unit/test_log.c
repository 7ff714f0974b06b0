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

#include "common/json.h"
#include "common/log.h"
#include "common/logfmt.h"

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

/* As JSON a line has the same fields: numbers as they were printed, texts as they were
 * before they were quoted. */
static void json_has_the_same_fields(void **state)
{
    (void)state;
    char quoted[64];
    struct json *json = NULL;
    struct json_reader r = {0};
    log_set_format(LOG_JSON);
    capture_begin();
    log_warn("store", "put failed", "key=%s bytes=%d err=%s ratio=%.1f", "007", 7,
             log_quote("a\"b\\c\x01\n\xff \xc3\xa9", quoted, sizeof(quoted)), 0.5);
    capture_end();
    log_set_format(LOG_LOGFMT);
    size_t len = strlen(captured);
    assert_int_equal(captured[len - 1], '\n');
    assert_int_equal(json_parse(slice_of(captured, len - 1), &json, NULL), 0);
    assert_int_equal(json_get_string(&r, json, "time", 64).len, 24);
    assert_string_equal(json_get_string(&r, json, "level", 64).ptr, "warn");
    assert_string_equal(json_get_string(&r, json, "module", 64).ptr, "store");
    assert_string_equal(json_get_string(&r, json, "msg", 64).ptr, "put failed");
    assert_string_equal(json_get_string(&r, json, "key", 64).ptr, "007");
    assert_int_equal(json_get_int(&r, json, "bytes", 0, 100), 7);
    assert_string_equal(json_get_string(&r, json, "err", 64).ptr,
                        "a\"b\\c\x01\n\xef\xbf\xbd \xc3\xa9");
    assert_false(r.failed);
    json_free(json);
}

/* A line is text and one JSON object whatever bytes stand in a value, quoted or not, cut
 * or whole. */
static void any_bytes_make_a_line(void **state)
{
    (void)state;
    char hostile[256], quoted[2048], mess[6000];
    for (int i = 0; i < 255; i++)
        hostile[i] = (char)(255 - i);
    hostile[255] = '\0';
    for (size_t i = 0; i < sizeof(mess) - 1; i++)
        mess[i] = "\"\\ =\xf0\x9f\x98\x80x\n"[i % 10];
    mess[sizeof(mess) - 1] = '\0';
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        log_set_format((enum log_format)format);
        capture_begin();
        log_info("m", "quoted", "v=%s", log_quote(hostile, quoted, sizeof(quoted)));
        log_info("m", "bare", "v=%s", hostile);
        log_info("m", "long", "v=\"%s", mess);
        capture_end();
        log_set_format(LOG_LOGFMT);
        size_t lines = 0;
        char *rest = captured;
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++) {
            for (const char *p = line; *p != '\0'; p++)
                assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
            for (const char *p = line; *p != '\0'; p += logfmt_utf8_len(p, strlen(p)))
                assert_true(logfmt_utf8_len(p, strlen(p)) > 0);
            if (format == LOG_JSON)
                assert_true(line[0] == '{' && line[strlen(line) - 1] == '}');
        }
        assert_int_equal(lines, 3);
    }
}

/* What is shown of the log is its last lines, whole ones only. */
static void recent_lines_are_kept(void **state)
{
    (void)state;
    struct str out;
    char filler[1001];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    log_info("m", "first", "n=%d", 1);
    for (int i = 0; i < 400; i++)
        log_info("m", "filler", "i=%d v=%s", i, filler);
    log_info("m", "last", "n=%d", 2);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(null);
    str_init(&out, 2 * LOG_RECENT_BYTES);
    log_recent(&out);
    assert_true(out.len <= LOG_RECENT_BYTES && out.len > LOG_RECENT_BYTES - 2000);
    assert_null(strstr(out.data, "first"));
    assert_non_null(strstr(out.data, "msg=\"last\" n=2\n"));
    assert_true(out.data[0] == '2' && out.data[4] == '-'); /* a line's time */
    str_fini(&out);
}

/* So many lines a second, and the next second tells how many were held back. */
static void burst_counts_what_it_drops(void **state)
{
    (void)state;
    struct log_burst burst = {.lines = 2};
    uint64_t dropped = 99;
    assert_true(log_burst_pass(&burst, 5000, &dropped));
    assert_int_equal(dropped, 0);
    assert_true(log_burst_pass(&burst, 5999, &dropped));
    assert_false(log_burst_pass(&burst, 5999, &dropped));
    assert_true(log_burst_pass(&burst, 6000, &dropped));
    assert_int_equal(dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_has_its_parts),
        cmocka_unit_test(one_event_is_one_line),
        cmocka_unit_test(level_filters),
        cmocka_unit_test(quote_escapes_and_cuts),
        cmocka_unit_test(limit_counts_what_it_drops),
        cmocka_unit_test(json_has_the_same_fields),
        cmocka_unit_test(any_bytes_make_a_line),
        cmocka_unit_test(recent_lines_are_kept),
        cmocka_unit_test(burst_counts_what_it_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
