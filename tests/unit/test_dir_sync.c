/* test_dir_sync.c - the directory of a path is found, and what cannot be synced is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/dir_sync.h"
#include "tests/lib/node_driver.h"

/* A directory is synced by its name, and by that of what lies in it; "." and "/" too. */
static void test_synced(void **state)
{
    char dir[64], path[128];
    struct err err = {.code = 0};

    (void)state;
    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/there-is-no-such-file", dir);
    assert_int_equal(dir_sync(dir, &err), 0);
    assert_int_equal(dir_sync_of(path, &err), 0);
    assert_int_equal(dir_sync_of("in-the-working-directory", &err), 0);
    assert_int_equal(dir_sync_of("/root-of-all", &err), 0);
    temp_dir_remove(dir);
}

/* A directory that is not there, a file in its place and a path that is too long are
 * errors that name it, and errno stays. */
static void test_refused(void **state)
{
    struct err err = {.code = 0};
    char path[8192];

    (void)state;
    assert_int_equal(dir_sync_of("/there-is-no-such-directory/file", &err),
                     ERR_NOT_FOUND);
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(err.text, "/there-is-no-such-directory"));
    assert_int_equal(dir_sync_of("/dev/null/file", &err), ERR_IO);
    memset(path, 'a', sizeof(path));
    memcpy(path + sizeof(path) - 3, "/b", 3);
    assert_int_equal(dir_sync_of(path, &err), ERR_IO);
    assert_int_equal(errno, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synced),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
