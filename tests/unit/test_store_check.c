/* test_store_check.c - what an agent asks of its store before it serves anybody. The
 * store is a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store_check.h"
#include "common/log.h"

struct fixture {
    char dir[64];
    struct loop *loop;
    struct store *store;
    struct store_check *check;
    int calls, code;
};

static void on_done(int code, const char *text, void *arg)
{
    struct fixture *f = arg;
    f->calls++;
    f->code = code;
    assert_true((code == 0) == (text == NULL));
}

static int setup(void **state)
{
    static struct fixture f;
    char url[128];
    struct err err = {0};
    f = (struct fixture){.dir = "/tmp/weft-check-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    snprintf(url, sizeof(url), "file://%s", f.dir);
    const struct store_options options = {.url = url, .threads = 1};
    assert_int_equal(store_open(&options, &f.store, &err), 0);
    f.loop = loop_new();
    log_set_level(LOG_ERROR);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];
    store_check_stop(f->check);
    while (!store_check_idle(f->check))
        loop_run_once(f->loop, 10);
    store_check_free(f->check);
    store_close(f->store);
    loop_free(f->loop);
    snprintf(path, sizeof(path), "%s/agent-check", f->dir);
    (void)unlink(path);
    (void)rmdir(f->dir);
    return 0;
}

/* Run until DONE was called or the check has something to wait for. */
static void run(struct fixture *f)
{
    for (int i = 0; i < 2000 && f->calls == 0 && store_check_why(f->check)[0] == '\0';
         i++)
        loop_run_once(f->loop, 10);
}

/* A store that takes and gives is good, for the second agent as for the first. */
static void a_good_store_is_good(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        f->calls = 0;
        f->check = store_check_start(f->loop, f->store, on_done, f);
        assert_int_equal(f->calls, 0); /* never from inside */
        run(f);
        assert_int_equal(f->calls, 1);
        assert_int_equal(f->code, 0);
        assert_string_equal(store_check_why(f->check), "");
        store_check_free(f->check);
    }
    f->check = NULL;
}

/* Stopped on its way it says nothing more, and is idle when the store has let go. */
static void stopped_it_is_silent(void **state)
{
    struct fixture *f = *state;
    f->check = store_check_start(f->loop, f->store, on_done, f);
    loop_run_once(f->loop, 0);
    store_check_stop(f->check);
    while (!store_check_idle(f->check))
        loop_run_once(f->loop, 10);
    assert_int_equal(f->calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_store_is_good, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_it_is_silent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
