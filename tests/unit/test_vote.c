/* test_vote.c - term and vote survive restarts and the loss of one copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/vote.h"
#include "tests/lib/node_driver.h"

static char dir[64], path[80];

static int setup(void **state)
{
    (void)state;
    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/vote", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

static void check(uint64_t term, uint64_t voted_for)
{
    struct vote vote;
    struct err err;
    assert_int_equal(vote_open(&vote, path, NULL, &err), 0);
    assert_int_equal(vote.term, term);
    assert_int_equal(vote.voted_for, voted_for);
    vote_close(&vote);
}

static void flip(off_t at)
{
    char byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* What was stored is read back; a new file says term 0. */
static void test_store(void **state)
{
    struct vote vote;
    struct err err;

    (void)state;
    check(0, 0);
    for (uint64_t term = 1; term < 20; term++) {
        assert_int_equal(vote_open(&vote, path, NULL, &err), 0);
        assert_int_equal(vote_store(&vote, term, term % 3, &err), 0);
        vote_close(&vote);
        check(term, term % 3);
    }
}

/* Either copy alone is enough, at any damaged byte, and mends the other; without both the
 * node refuses: a forgotten vote could be given twice. */
static void test_damage(void **state)
{
    struct vote vote;
    struct err err;

    (void)state;
    assert_int_equal(vote_open(&vote, path, NULL, &err), 0);
    assert_int_equal(vote_store(&vote, 7, 2, &err), 0);
    assert_int_equal(vote_store(&vote, 8, 3, &err), 0);
    vote_close(&vote);
    for (off_t at = 0; at < 36; at++) {
        flip(at);
        check(8, 3);
        flip(4096 + at);
        check(8, 3);
    }
    flip(20);
    flip(4096 + 20);
    assert_int_equal(vote_open(&vote, path, NULL, &err), ERR_DAMAGED);
    assert_non_null(strstr(err.text, "neither copy"));
}

/* A crash between the two copies leaves the old or the new, whole. */
static void test_half_written(void **state)
{
    struct vote vote;
    struct err err;
    char first[36];

    (void)state;
    assert_int_equal(vote_open(&vote, path, NULL, &err), 0);
    assert_int_equal(vote_store(&vote, 7, 2, &err), 0);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, first, 36, 0), 36);
    assert_int_equal(vote_store(&vote, 8, 3, &err), 0);
    vote_close(&vote);
    assert_int_equal(pwrite(fd, first, 36, 4096), 36); /* only the first was written */
    close(fd);
    check(8, 3);
    flip(5); /* the first half written: the second counts, which is now mended to 8 */
    check(8, 3);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_store), TEST(test_damage),
                                       TEST(test_half_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
