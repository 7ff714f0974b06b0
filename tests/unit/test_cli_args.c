/* test_cli_args.c - command lines, right ones and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/args.h"

static struct args args;
static struct err err;
static bool parsed;

/* Parse the words of LINE, cut at single spaces; '' is an empty word. */
static int parse(const char *line)
{
    static char copy[512];
    static char *argv[64];
    int argc = 0;

    if (parsed)
        args_fini(&args);
    parsed = true;
    err = (struct err){0};
    (void)snprintf(copy, sizeof(copy), "%s", line);
    for (char *rest = copy, *word; *line != '\0' && (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return args_parse(&args, argc, argv, &err);
}

static int teardown(void **state)
{
    (void)state;
    if (parsed)
        args_fini(&args);
    parsed = false;
    return 0;
}

/* Words and flags may come in any order, values behind "=" or as the next word. */
static void test_order(void **state)
{
    (void)state;
    assert_int_equal(parse("-o json topic create --cluster=c -p 3 orders --config a=b=c"),
                     0);
    assert_string_equal(args.command->words, "topic create");
    assert_string_equal(args_value(&args, "name"), "orders");
    assert_string_equal(args_flag(&args, "partitions"), "3");
    assert_string_equal(args_flag(&args, "cluster"), "c");
    assert_string_equal(args_flag(&args, "output"), "json");
    assert_string_equal(args_flag(&args, "config"), "a=b=c");
    assert_null(args_flag(&args, "timeout"));
}

/* Single letters may stand together; one with a value takes the rest of the word. */
static void test_letters(void **state)
{
    (void)state;
    assert_int_equal(parse("topic delete orders -yqv"), 0);
    assert_true(args_on(&args, "yes"));
    assert_true(args_on(&args, "quiet"));
    assert_true(args_on(&args, "verbose"));
    assert_int_equal(parse("topic list -ojson"), 0);
    assert_string_equal(args_flag(&args, "output"), "json");
    assert_int_equal(parse("topic list --all=false"), 0);
    assert_false(args_on(&args, "all"));
}

/* Behind "--" everything is an argument. */
static void test_end_of_flags(void **state)
{
    (void)state;
    assert_int_equal(parse("topic show -- --odd"), 0);
    assert_string_equal(args_value(&args, "topic"), "--odd");
}

/* Help is asked for by --help, -h or the word in front, however unfinished the line. */
static void test_help(void **state)
{
    (void)state;
    assert_int_equal(parse("topic create --help"), 0);
    assert_true(args.help);
    assert_int_equal(parse("help topic create"), 0);
    assert_true(args.help);
    assert_string_equal(args.words, "topic create");
    assert_int_equal(parse("-h"), 0);
    assert_true(args.help);
}

/* A group alone is understood, but is no command. */
static void test_group(void **state)
{
    (void)state;
    assert_int_equal(parse("cell node"), 0);
    assert_null(args.command);
    assert_string_equal(args.words, "cell node");
    assert_int_equal(parse(""), 0);
    assert_null(args.command);
}

static void refused(const char *line, const char *text)
{
    assert_int_equal(parse(line), ERR_INVALID);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' says: %s", line, err.text);
}

/* What is wrong with a line is said, and the nearest right word. */
static void test_wrong(void **state)
{
    (void)state;
    refused("topic crate x", "do you mean create");
    refused("topci list", "do you mean topic");
    refused("topic list --outptu json", "do you mean --output");
    refused("topic show", "topic is missing");
    refused("topic show a b", "too many");
    refused("topic create x --partitions many", "wants a number");
    refused("topic create x -p -1", "wants a number");
    refused("topic create x --config a", "KEY=VALUE");
    refused("topic create x --partitions 1 --partitions 2", "twice");
    refused("topic create x --partitions", "wants N");
    refused("topic list -o xml", "table|json|yaml");
    refused("token create x", "--role ROLE is missing");
    refused("token create x --role king", "operator|admin|viewer");
    refused("topic list --timeout soon", "duration");
    refused("topic list -z", "no flag -z");
    refused("topic show ''", "empty");
    refused("completion fish", "bash|zsh");
    refused("cell transfer one", "number");
    refused("--all topic list", "--all");
    refused("topic list --yes", "--yes");
}

/* A value that may be secret is not repeated in an error. */
static void test_secret_is_not_shown(void **state)
{
    (void)state;
    assert_int_equal(parse("topic list --token s3cret --token s3cret"), ERR_INVALID);
    assert_null(strstr(err.text, "s3cret"));
}

/* Times are dates, instants, milliseconds, or how long ago. */
static void test_times(void **state)
{
    int64_t n, now = INT64_C(1800000000000);
    (void)state;
    assert_int_equal(args_number(FLAG_TIME, "2026-01-31", now, &n), 0);
    assert_int_equal(n, INT64_C(1769817600000));
    assert_int_equal(args_number(FLAG_TIME, "2026-01-31T10:00:00Z", now, &n), 0);
    assert_int_equal(n, INT64_C(1769853600000));
    assert_int_equal(args_number(FLAG_TIME, "24h", now, &n), 0);
    assert_int_equal(n, now - 86400000);
    assert_int_equal(args_number(FLAG_TIME, "2d", now, &n), 0);
    assert_int_equal(n, now - 2 * 86400000);
    assert_int_equal(args_number(FLAG_TIME, "1769817600000", now, &n), 0);
    assert_int_equal(n, INT64_C(1769817600000));
    assert_int_not_equal(args_number(FLAG_TIME, "yesterday", now, &n), 0);
    assert_int_not_equal(args_number(FLAG_TIME, "2026-13-45", now, &n), 0);
    assert_int_not_equal(args_number(FLAG_INT, "9223372036854775808", now, &n), 0);
    assert_int_equal(args_number(FLAG_INT, "9223372036854775807", now, &n), 0);
}

/* A flag may be repeated a bounded number of times. */
static void test_repeats(void **state)
{
    static char *argv[2 * ARGS_REPEAT_MAX + 8];
    int argc = 0;
    (void)state;
    teardown(NULL);
    argv[argc++] = (char *)(uintptr_t) "topic";
    argv[argc++] = (char *)(uintptr_t) "create";
    argv[argc++] = (char *)(uintptr_t) "x";
    for (int i = 0; i < ARGS_REPEAT_MAX; i++)
        argv[argc++] = (char *)(uintptr_t) "--config=a=b";
    parsed = true;
    assert_int_equal(args_parse(&args, argc, argv, &err), 0);
    assert_int_equal(args_flags(&args, "config")->count, ARGS_REPEAT_MAX);
    args_fini(&args);
    argv[argc++] = (char *)(uintptr_t) "--config=a=b";
    assert_int_equal(args_parse(&args, argc, argv, &err), ERR_INVALID);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order),
        TEST(test_letters),
        TEST(test_end_of_flags),
        TEST(test_help),
        TEST(test_group),
        TEST(test_wrong),
        TEST(test_secret_is_not_shown),
        TEST(test_times),
        TEST(test_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
