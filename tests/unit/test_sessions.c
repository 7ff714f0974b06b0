/* test_sessions.c - leases of agents, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controlplane/sessions.h"

static const struct uuid cluster_a = {{1}}, cluster_b = {{2}}, agent_x = {{3}},
                         agent_y = {{4}};

/* A session ends when it was not touched for the timeout, not a millisecond before. */
static void expiry(void **state)
{
    struct uuid cluster, agent;
    struct sessions *sessions = sessions_new(100);
    (void)state;
    sessions_touch(sessions, &cluster_a, &agent_x, 1000);
    assert_false(sessions_take_expired(sessions, 1099, &cluster, &agent));
    assert_true(sessions_take_expired(sessions, 1100, &cluster, &agent));
    assert_true(uuid_eq(&cluster, &cluster_a) && uuid_eq(&agent, &agent_x));
    assert_false(sessions_take_expired(sessions, 9999, &cluster, &agent));
    assert_int_equal(sessions_count(sessions), 0);
    sessions_free(sessions);
}

/* Touching extends; they expire in the order of their last touch. */
static void order(void **state)
{
    struct uuid cluster, agent;
    struct sessions *sessions = sessions_new(100);
    (void)state;
    sessions_touch(sessions, &cluster_a, &agent_x, 1000);
    sessions_touch(sessions, &cluster_a, &agent_y, 1010);
    sessions_touch(sessions, &cluster_a, &agent_x, 1050);
    assert_true(sessions_take_expired(sessions, 1200, &cluster, &agent));
    assert_true(uuid_eq(&agent, &agent_y));
    assert_true(sessions_take_expired(sessions, 1200, &cluster, &agent));
    assert_true(uuid_eq(&agent, &agent_x));
    sessions_free(sessions);
}

/* While agents are turned away, one that is silent may stand at the door: it has several
 * leases, until nobody was turned away for two; but not for ever. */
static void crowded(void **state)
{
    struct uuid cluster, agent;
    struct sessions *sessions = sessions_new(100);
    (void)state;
    sessions_touch(sessions, &cluster_a, &agent_x, 1000);
    sessions_touch(sessions, &cluster_a, &agent_y, 1400);
    sessions_crowded(sessions, 1050);
    assert_false(sessions_take_expired(sessions, 1249, &cluster, &agent));
    sessions_crowded(sessions, 1249);
    assert_false(sessions_take_expired(sessions, 1448, &cluster, &agent));
    int64_t end = 1000 + SESSIONS_PATIENCE * 100;
    sessions_crowded(sessions, end - 10);
    assert_false(sessions_take_expired(sessions, end - 1, &cluster, &agent));
    assert_true(sessions_take_expired(sessions, end, &cluster, &agent));
    assert_true(uuid_eq(&agent, &agent_x));
    assert_false(sessions_take_expired(sessions, end + 189, &cluster, &agent));
    assert_true(sessions_take_expired(sessions, end + 190, &cluster, &agent));
    sessions_free(sessions);
}

/* A session remembers by which authority's certificate its agent calls, until it ends. */
static void authority(void **state)
{
    struct sessions *sessions = sessions_new(100);
    (void)state;
    sessions_set_authority(sessions, &cluster_a, &agent_x, "aa"); /* there is none */
    sessions_touch(sessions, &cluster_a, &agent_x, 1000);
    assert_string_equal(sessions_authority(sessions, &cluster_a, &agent_x), "");
    sessions_set_authority(sessions, &cluster_a, &agent_x, "aa");
    sessions_touch(sessions, &cluster_a, &agent_x, 1001);
    sessions_set_authority(sessions, &cluster_a, &agent_x, "bb");
    assert_string_equal(sessions_authority(sessions, &cluster_a, &agent_x), "bb");
    assert_string_equal(sessions_authority(sessions, &cluster_b, &agent_x), "");
    sessions_forget(sessions, &cluster_a, &agent_x);
    sessions_touch(sessions, &cluster_a, &agent_x, 1002);
    assert_string_equal(sessions_authority(sessions, &cluster_a, &agent_x), "");
    sessions_free(sessions);
}

/* The same agent id in another cluster is another session (I10). */
static void clusters_apart(void **state)
{
    struct sessions *sessions = sessions_new(100);
    (void)state;
    sessions_touch(sessions, &cluster_a, &agent_x, 1000);
    assert_false(sessions_has(sessions, &cluster_b, &agent_x));
    sessions_touch(sessions, &cluster_b, &agent_x, 1000);
    sessions_forget(sessions, &cluster_a, &agent_x);
    sessions_forget(sessions, &cluster_a, &agent_x);
    assert_false(sessions_has(sessions, &cluster_a, &agent_x));
    assert_true(sessions_has(sessions, &cluster_b, &agent_x));
    sessions_clear(sessions);
    assert_int_equal(sessions_count(sessions), 0);
    sessions_free(sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expiry),         cmocka_unit_test(order),
        cmocka_unit_test(crowded),        cmocka_unit_test(authority),
        cmocka_unit_test(clusters_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
