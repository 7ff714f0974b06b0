/* test_check.c - assertions end the process and say where. */
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

#include "common/check.h"

struct thing {
    unsigned magic;
};

/* Run ASSERT_MAGIC over THING in a child; returns its wait status and its log line. */
static int status_of(const struct thing *thing, char *line, size_t size)
{
    int fds[2], status = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* not the test runner's */
        dup2(fds[1], STDERR_FILENO);
        ASSERT_MAGIC(thing, 7);
        _exit(0);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], line, size - 1);
    line[n < 0 ? 0 : n] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* What holds costs nothing; what does not aborts, with the expression and the place. */
static void failed_assertion_aborts(void **state)
{
    (void)state;
    const struct thing good = {.magic = 7}, bad = {.magic = 8};
    char line[1024];
    int status = status_of(&good, line, sizeof(line));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = status_of(&bad, line, sizeof(line));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(line, "msg=\"assertion failed\""));
    assert_non_null(strstr(line, "tests/unit/test_check.c:"));
    status = status_of(NULL, line, sizeof(line));
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_assertion_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
