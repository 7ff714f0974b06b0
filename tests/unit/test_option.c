/* test_option.c - options from defaults, file, environment and command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/option.h"

struct values {
    char *name;
    char *token;
    char *urls;
    int64_t count;
    int64_t memory;
    int64_t flush_interval;
    int64_t wait_for_files;
    bool verbose;
};

#define ROW(name, type, field, value)                                                    \
    {                                                                                    \
        name, type, offsetof(struct values, field), value, "X", "Help of " name "."      \
    }

static const struct option_spec specs[] = {
    ROW("name", OPTION_STRING, name, "anna"),
    ROW("token", OPTION_SECRET, token, NULL),
    ROW("urls", OPTION_LIST, urls, NULL),
    ROW("count", OPTION_INT, count, "3"),
    ROW("memory", OPTION_SIZE, memory, "8MiB"),
    ROW("flush-interval", OPTION_DURATION, flush_interval, "250ms"),
    ROW("wait-for-files", OPTION_DURATION, wait_for_files, "0s"),
    ROW("verbose", OPTION_BOOL, verbose, "false"),
};

static const struct option_program program = {
    .name = "prog",
    .summary = "Does things.",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

static struct values values;
static struct err err;
static char path[] = "/tmp/test_option.XXXXXX";

/* Parse the NULL-terminated words; returns the code. */
static int parse(const char *first, ...)
{
    char *argv[16] = {(char *)(uintptr_t) "prog"};
    int argc = 1;
    enum option_outcome outcome = OPTION_HELP;
    va_list args;
    va_start(args, first);
    for (const char *word = first; word != NULL; word = va_arg(args, const char *))
        argv[argc++] = (char *)(uintptr_t)word;
    va_end(args);
    option_free(&program, &values);
    memset(&values, 0, sizeof(values));
    memset(&err, 0, sizeof(err));
    int code = option_parse(&program, argc, argv, &values, &outcome, &err);
    if (code == 0)
        assert_int_equal(outcome, OPTION_RUN);
    return code;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

/* Without any source the defaults hold, and what has none stays unset. */
static void defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(parse(NULL), 0);
    assert_string_equal(values.name, "anna");
    assert_null(values.token);
    assert_null(values.urls);
    assert_int_equal(values.count, 3);
    assert_int_equal(values.memory, 8 << 20);
    assert_int_equal(values.flush_interval, 250);
    assert_false(values.verbose);
}

/* The command line wins over the environment, which wins over the file. */
static void stronger_source_wins(void **state)
{
    (void)state;
    write_file("# a comment\n\n count = 10 \nname=\" file \"\nflush-interval = 1s\n");
    setenv("WEFT_FLUSH_INTERVAL", "2s", 1);
    setenv("WEFT_MEMORY", "1k", 1);
    assert_int_equal(parse("--config", path, "--memory=2k", "--verbose", NULL), 0);
    unsetenv("WEFT_FLUSH_INTERVAL");
    unsetenv("WEFT_MEMORY");
    assert_int_equal(values.count, 10);
    assert_string_equal(values.name, " file ");
    assert_int_equal(values.flush_interval, 2000);
    assert_int_equal(values.memory, 2048);
    assert_true(values.verbose);
}

/* A variable that is nearly an option's is refused by that name; others are not ours. */
static void misspelt_variable_is_told(void **state)
{
    (void)state;
    setenv("WEFT_FLUSH_INTERVL", "2s", 1);
    assert_int_equal(parse(NULL), ERR_INVALID);
    assert_string_equal(err.text,
                        "no option WEFT_FLUSH_INTERVL in the environment; did you "
                        "mean WEFT_FLUSH_INTERVAL?");
    unsetenv("WEFT_FLUSH_INTERVL");
    setenv("WEFT_SOMETHING_ELSE", "2s", 1);
    setenv("WEFT_NAMES", "x", 1); /* short names are near to too much */
    assert_int_equal(parse(NULL), 0);
    unsetenv("WEFT_SOMETHING_ELSE");
    unsetenv("WEFT_NAMES");
}

/* A list adds up within a source and replaces that of a weaker one. */
static void lists_add_up_within_a_source(void **state)
{
    (void)state;
    write_file("urls = f1\nurls = f2,f3\n");
    assert_int_equal(parse("--config", path, NULL), 0);
    assert_string_equal(values.urls, "f1,f2,f3");
    assert_int_equal(parse("--config", path, "--urls", "a", "--urls=b", NULL), 0);
    assert_string_equal(values.urls, "a,b");
}

/* "@/path" is the contents of that file, without its last line end. */
static void value_comes_from_a_file(void **state)
{
    (void)state;
    char at[64];
    write_file("s3cret\n");
    snprintf(at, sizeof(at), "@%s", path);
    assert_int_equal(parse("--token", at, "--name", "@home", NULL), 0);
    assert_string_equal(values.token, "s3cret");
    assert_string_equal(values.name, "@home");
    assert_int_equal(parse("--token=@/nonexistent/x", NULL), ERR_NOT_FOUND);
    assert_string_equal(err.text,
                        "--token: cannot read /nonexistent/x: No such file or directory");
}

/* A file that a stronger source replaces is not read. */
static void only_the_file_that_counts_is_read(void **state)
{
    (void)state;
    setenv("WEFT_TOKEN", "@/nonexistent/x", 1);
    assert_int_equal(parse("--token=here", NULL), 0);
    assert_string_equal(values.token, "here");
    assert_int_equal(parse(NULL), ERR_NOT_FOUND);
    unsetenv("WEFT_TOKEN");
    assert_string_equal(
        err.text, "WEFT_TOKEN: cannot read /nonexistent/x: No such file or directory");
}

/* With --wait-for-files a file may come later, whole under its name. */
static void file_is_waited_for(void **state)
{
    (void)state;
    char at[64], later[64];
    write_file("late\n");
    snprintf(later, sizeof(later), "%s.later", path);
    snprintf(at, sizeof(at), "@%s.later", path);
    pid_t child = fork();
    if (child == 0) {
        usleep(150000);
        _exit(link(path, later) == 0 ? 0 : 1);
    }
    int code = parse("--token", at, "--wait-for-files=60s", NULL);
    waitpid(child, NULL, 0);
    unlink(later);
    assert_int_equal(code, 0);
    assert_string_equal(values.token, "late");
}

/* It is waited for no longer than was said. */
static void waiting_ends(void **state)
{
    (void)state;
    assert_int_equal(parse("--token=@/nonexistent/x", "--wait-for-files=120ms", NULL),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "cannot read /nonexistent/x"));
}

/* A signal ends the waiting, also for a process that no signal would end. */
static void signal_ends_the_waiting(void **state)
{
    (void)state;
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    raise(SIGTERM);
    assert_int_equal(parse("--token=@/nonexistent/x", "--wait-for-files=1h", NULL),
                     ERR_CANCELLED);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_string_equal(err.text, "--token: signal 15 while waiting for /nonexistent/x");
}

/* Mistakes name the option, the value and what is allowed; a failed parse leaves no
 * memory behind. */
static void mistakes_are_explained(void **state)
{
    (void)state;
    assert_int_equal(parse("--count", "many", NULL), ERR_INVALID);
    assert_string_equal(err.text, "--count: \"many\" is not a whole number");
    assert_int_equal(parse("--flush-interval=10", NULL), ERR_INVALID);
    assert_string_equal(err.text, "--flush-interval: \"10\" is not a time with its unit, "
                                  "such as 250ms, 10s or 1h");
    assert_int_equal(parse("--flush-intervall=10s", NULL), ERR_INVALID);
    assert_string_equal(err.text,
                        "no option --flush-intervall; did you mean --flush-interval?");
    assert_int_equal(parse("--colour=red", NULL), ERR_INVALID);
    assert_string_equal(err.text, "no option --colour; see prog --help");
    assert_int_equal(parse("--name", NULL), ERR_INVALID);
    assert_string_equal(err.text, "--name needs a value (X)");
    assert_int_equal(parse("name", NULL), ERR_INVALID);
    assert_string_equal(err.text, "unexpected argument \"name\"; see prog --help");
    assert_int_equal(parse("--verbose=maybe", NULL), ERR_INVALID);
    assert_int_equal(parse("--config", NULL), ERR_INVALID);
    assert_null(values.name);
    setenv("WEFT_COUNT", "", 1);
    assert_int_equal(parse(NULL), ERR_INVALID);
    unsetenv("WEFT_COUNT");
    assert_string_equal(err.text, "WEFT_COUNT: \"\" is not a whole number");
}

/* A mistake in the file names file and line. */
static void mistakes_in_the_file_name_the_line(void **state)
{
    (void)state;
    char expected[128];
    write_file("\ncount = 1\nmemry = 5k\n");
    assert_int_equal(parse("--config", path, NULL), ERR_INVALID);
    snprintf(expected, sizeof(expected),
             "%s line 3: no option memry; did you mean memory?", path);
    assert_string_equal(err.text, expected);
    write_file("count\n");
    assert_int_equal(parse("--config", path, NULL), ERR_INVALID);
    snprintf(expected, sizeof(expected), "%s line 1: no \"name = value\"", path);
    assert_string_equal(err.text, expected);
}

/* --help and --version are found behind other words, but not as a value. */
static void help_and_version_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        enum option_outcome outcome;
    } rows[] = {
        {{"prog", "--count", "bad", "--help"}, OPTION_HELP},
        {{"prog", "--verbose", "--version"}, OPTION_VERSION},
        {{"prog", "--name", "--help"}, OPTION_RUN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum option_outcome outcome = OPTION_RUN;
        char *argv[4];
        int argc = 0;
        while (argc < 4 && rows[i].words[argc] != NULL) {
            argv[argc] = (char *)(uintptr_t)rows[i].words[argc];
            argc++;
        }
        struct values got;
        memset(&got, 0, sizeof(got));
        assert_int_equal(option_parse(&program, argc, argv, &got, &outcome, &err), 0);
        assert_int_equal(outcome, rows[i].outcome);
        option_free(&program, &got);
    }
}

/* The dump shows what is set, quoted where needed, and never a secret. */
static void dump_hides_secrets(void **state)
{
    (void)state;
    struct str out;
    str_init(&out, 1000);
    assert_int_equal(parse("--token=hush", "--name=a b", NULL), 0);
    option_dump(&program, &values, &out);
    assert_string_equal(str_cstr(&out), "name=\"a b\" token=*** count=3 memory=8388608 "
                                        "flush-interval=250ms wait-for-files=0ms "
                                        "verbose=false");
    str_fini(&out);
}

/* Sizes and durations: their units, and what is refused. */
static void units(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "k", "-1", "1.5M", "1 k", "1x", "99999999999999999999", "9999999999T"};
    int64_t v = 7;
    assert_int_equal(option_parse_size("64k", &v), 0);
    assert_int_equal(v, 65536);
    assert_int_equal(option_parse_size("3GiB", &v), 0);
    assert_int_equal(v, INT64_C(3) << 30);
    assert_int_equal(option_parse_size("512", &v), 0);
    assert_int_equal(v, 512);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(option_parse_size(bad[i], &v), ERR_INVALID);
    assert_int_equal(v, 512);
    assert_int_equal(option_parse_duration("0", &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(option_parse_duration("2h", &v), 0);
    assert_int_equal(v, 7200000);
    assert_int_equal(option_parse_duration("10", &v), ERR_INVALID);
    assert_int_equal(option_parse_duration("1w", &v), ERR_INVALID);
    assert_int_equal(v, 7200000);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int clean_up(void **state)
{
    (void)state;
    option_free(&program, &values);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold),
        cmocka_unit_test(stronger_source_wins),
        cmocka_unit_test(misspelt_variable_is_told),
        cmocka_unit_test(lists_add_up_within_a_source),
        cmocka_unit_test(value_comes_from_a_file),
        cmocka_unit_test(only_the_file_that_counts_is_read),
        cmocka_unit_test(file_is_waited_for),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(signal_ends_the_waiting),
        cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(mistakes_in_the_file_name_the_line),
        cmocka_unit_test(help_and_version_are_found),
        cmocka_unit_test(dump_hides_secrets),
        cmocka_unit_test(units),
    };
    return cmocka_run_group_tests(tests, make_path, clean_up);
}
