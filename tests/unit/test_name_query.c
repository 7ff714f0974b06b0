/* test_name_query.c - who asks for a name waits no longer than he wants to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/name_query.h"
#include "tests/lib/fake_names.h"

#define SOON_MS (FAKE_NAME_GIVE_UP_S * 1000 / 2)

static const struct name_wait patient = {.limit_ms = 60000};

static struct sockaddr_in take_first(struct addrinfo *list)
{
    struct sockaddr_in first;
    assert_int_equal(list->ai_family, AF_INET);
    memcpy(&first, list->ai_addr, sizeof(first));
    freeaddrinfo(list);
    return first;
}

/* Addresses in figures, and the wildcard, are there at once; a name is not one. */
static void test_figures(void **state)
{
    struct addrinfo *list = NULL;
    (void)state;
    assert_int_equal(name_query_figures("127.0.0.3", "99", 0, &list), 0);
    struct sockaddr_in first = take_first(list);
    assert_int_equal(ntohs(first.sin_port), 99);
    assert_int_equal(ntohl(first.sin_addr.s_addr), INADDR_LOOPBACK + 2);
    assert_int_equal(name_query_figures("", "99", AI_PASSIVE, &list), 0);
    freeaddrinfo(list);
    fake_name_set("some.test", FAKE_NAME_LOOPBACK);
    assert_int_equal(name_query_figures("some.test", "99", 0, &list), ERR_NOT_FOUND);
}

/* A name has its addresses, with the port; one that there is not fails with its name. */
static void test_names(void **state)
{
    struct addrinfo *list = NULL;
    struct err err = {0};
    (void)state;
    fake_name_set("some.test", FAKE_NAME_LOOPBACK);
    assert_int_equal(name_query_now("some.test", "7", 0, &patient, &list, &err), 0);
    assert_int_equal(ntohs(take_first(list).sin_port), 7);
    fake_name_set("none.test", FAKE_NAME_UNKNOWN);
    assert_int_equal(name_query_now("none.test", "7", 0, &patient, &list, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none.test: "));
}

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

/* Where no server answers, who waits goes at his limit, or when he is stopped. */
static void test_no_answer(void **state)
{
    struct addrinfo *list = NULL;
    struct err err = {0};
    bool stopped = true;
    const struct name_wait brief = {.limit_ms = 60};
    const struct name_wait ended = {
        .limit_ms = 60000, .stopped = is_true, .arg = &stopped};
    int64_t began_ms = clock_monotonic_ms();
    (void)state;

    fake_name_set("hangs.test", FAKE_NAME_HANGS);
    assert_int_equal(name_query_now("hangs.test", "7", 0, &brief, &list, &err),
                     ERR_TIMEOUT);
    assert_string_equal(err.text, "hangs.test: no name server answers within 60 ms");
    assert_int_equal(name_query_now("hangs.test", "7", 0, &ended, &list, &err),
                     ERR_CANCELLED);
    assert_true(clock_monotonic_ms() - began_ms < SOON_MS);
}

/* A signal that was blocked to be taken later ends the wait of whoever names no other
 * reason. */
static void test_signal(void **state)
{
    struct addrinfo *list = NULL;
    sigset_t signals, before;
    int number = 0;
    int64_t began_ms = clock_monotonic_ms();
    (void)state;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    fake_name_set("hangs.test", FAKE_NAME_HANGS);
    kill(getpid(), SIGTERM);
    assert_int_equal(name_query_now("hangs.test", "7", 0, &patient, &list, NULL),
                     ERR_CANCELLED);
    assert_true(clock_monotonic_ms() - began_ms < SOON_MS);
    assert_int_equal(sigwait(&signals, &number), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Lookups that nobody waits for any more are bounded, and end by themselves. */
static void test_bound(void **state)
{
    struct name_query *queries[NAME_QUERY_MAX];
    struct name_query *more = NULL;
    size_t count = 0;
    (void)state;

    fake_name_set("hangs.test", FAKE_NAME_UNKNOWN); /* those of the tests before end */
    while (fake_names_hanging() > 0)
        usleep(1000);
    fake_name_set("hangs.test", FAKE_NAME_HANGS);
    while (count < NAME_QUERY_MAX) {
        queries[count] = name_query_start("hangs.test", "7", 0);
        if (queries[count] == NULL)
            usleep(1000); /* one of before is about to end */
        else
            count++;
    }
    assert_null(name_query_start("hangs.test", "7", 0));
    assert_false(name_query_done(queries[0], 20));
    for (size_t i = 1; i < count; i++)
        name_query_free(queries[i]);
    fake_name_set("hangs.test", FAKE_NAME_LOOPBACK);
    assert_true(name_query_done(queries[0], 60000));
    name_query_free(queries[0]); /* its answer is not taken */
    while ((more = name_query_start("hangs.test", "7", 0)) == NULL)
        usleep(1000);
    name_query_free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_answer), cmocka_unit_test(test_signal),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
