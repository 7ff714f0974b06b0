/* test_control_options.c - the control plane's options and their ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controlplane/options.h"

static int check(int argc, char **argv, struct err *err)
{
    struct control_options options = {0};
    enum option_outcome outcome;
    int code = option_parse(&control_program, argc, argv, &options, &outcome, err);
    if (code == 0)
        code = control_options_check(&options, err);
    option_free(&control_program, &options);
    return code;
}

/* The defaults stand by themselves, but for the data directory. */
static void defaults(void **state)
{
    char *good[] = {"weft-controlplane", "--data-dir", "/x", NULL};
    char *none[] = {"weft-controlplane", NULL};
    struct err err = {0};
    (void)state;
    assert_int_equal(check(3, good, &err), 0);
    assert_int_equal(check(1, none, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--data-dir"));
}

/* A value out of its range is refused by the name of its option. */
static void ranges(void **state)
{
    static const char *const cases[][2] = {
        {"--session-timeout", "1ms"}, {"--watch-wait", "0ms"},
        {"--http-threads", "0"},      {"--feed-bytes", "1"},
        {"--max-connections", "1"},   {"--watch-wait", "9s"},
        {"--heartbeat", "400ms"},     {"--election-timeout", "1ms"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[64], value[64];
        struct err err = {0};
        snprintf(name, sizeof(name), "%s", cases[i][0]);
        snprintf(value, sizeof(value), "%s", cases[i][1]);
        char *argv[] = {"weft-controlplane", "--data-dir", "/x", name, value, NULL};
        assert_int_equal(check(5, argv, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, cases[i][0]));
    }
}

/* How a node begins is said once, and joining says all that it needs. */
static void beginnings(void **state)
{
    char *two[] = {"weft-controlplane", "--data-dir", "/x", "--bootstrap",
                   "--restore",         "/b",         NULL};
    char *alone[] = {"weft-controlplane", "--data-dir", "/x", "--join",
                     "https://a:1",       NULL};
    char *good[] = {"weft-controlplane",
                    "--data-dir",
                    "/x",
                    "--join",
                    "https://a:1",
                    "--join-token",
                    "t",
                    "--ca-fingerprint",
                    "f",
                    NULL};
    struct err err = {0};
    (void)state;
    assert_int_equal(check(6, two, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "exclude"));
    assert_int_equal(check(5, alone, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--join-token"));
    assert_int_equal(check(9, good, &err), 0);
}

/* By the cell key a node joins without token and fingerprint; a founder is named only
 * where all are started so. */
static void beginnings_by_key(void **state)
{
    char *by_key[] = {"weft-controlplane", "--data-dir", "/x", "--join", "https://a:1",
                      "--join-by-key",     "--founder",  "a",  NULL};
    char *founder[] = {"weft-controlplane", "--data-dir",  "/x", "--founder", "a",
                       "--join-by-key",     "--bootstrap", NULL};
    struct err err = {0};
    (void)state;
    assert_int_equal(check(6, by_key, &err), 0);
    assert_int_equal(check(8, by_key, &err), 0);
    assert_int_equal(check(7, founder, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--founder wants --join"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(ranges),
        cmocka_unit_test(beginnings), cmocka_unit_test(beginnings_by_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
