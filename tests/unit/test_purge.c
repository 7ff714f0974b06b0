/* test_purge.c - deletion hides at once and forgets in bounded steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

static int clusters_gone;

static void on_cluster_deleted(void *arg, const struct uuid *cluster_id)
{
    (void)arg, (void)cluster_id;
    clusters_gone++;
}

static int setup(void **state)
{
    struct state_events events = {.on_cluster_deleted = on_cluster_deleted};
    struct driver *d = mem_zalloc(sizeof(*d));
    clusters_gone = 0;
    driver_init(d, &events);
    driver_cluster(d, 1);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

static void commits(struct driver *d, uint32_t topic, uint32_t first, uint32_t count)
{
    struct uuid topic_id = test_uuid(2, topic);
    for (uint32_t i = first; i < first + count; i++) {
        const struct test_batch batch = {
            0, (int32_t)(i % 3), 10, 5, 0, (int32_t)(i - first) / 3 * 10, 1, 0};
        struct uuid id = test_uuid(9, i);
        struct test_commit c;
        test_commit_init(&c, &id, d->now_ms, &topic_id, 1, &batch, 1);
        struct commit_result r = driver_commit(d, &c.commit);
        assert_int_equal(r.code, 0);
        assert_int_equal(r.exception_count, 0);
        test_commit_fini(&c);
    }
}

/* A deleted topic is unknown and its name free at once; each PURGE forgets so many rows
 * and no more, until nothing is left; what has the name now is not touched. */
static void test_topic(void **state)
{
    struct driver *d = *state;
    struct uuid id = test_uuid(2, 1);
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    struct state_counts counts;

    driver_topic(d, 1, 3);
    commits(d, 1, 0, 30);
    uint64_t used = state_metadata_bytes(cluster);
    assert_int_equal(driver_topic_delete(d, 1).kafka_error, 0);
    assert_null(state_topic(cluster, &id));
    assert_null(state_topic_by_name(cluster, SLICE_LITERAL("topic-1")));
    assert_int_equal(cluster->partition_count, 0);
    assert_int_equal(driver_topic(d, 1, 3).kafka_error, 0); /* the very same id, even */
    commits(d, 1, 100, 6);
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 36);
    assert_true(state_purge_due(d->state));
    assert_int_equal(driver_purge(d, 7), 7);
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 29);
    assert_int_equal(counts.garbage_objects, 7);
    while (state_purge_due(d->state))
        assert_true(driver_purge(d, 7) > 0);
    assert_int_equal(driver_purge(d, 7), 0);
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 6);
    assert_int_equal(counts.producers, 3);
    assert_int_equal(counts.garbage_objects, 30);
    assert_true(state_metadata_bytes(cluster) < used);
}

static void make_token(struct driver *d, uint8_t number)
{
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE, .cluster_id = d->cluster_id};
    cmd.token_create.token_id = test_uuid(4, number);
    memset(cmd.token_create.hash, number, SHA256_LEN);
    cmd.token_create.token_kind = TOKEN_ENROL;
    assert_int_equal(driver_apply(d, &cmd).code, 0);
}

/* A deleted cluster refuses every command from then on, its tokens open nothing, its name
 * is free; its id is not until it is forgotten. */
static void test_cluster(void **state)
{
    struct driver *d = *state;
    struct command gone = {.kind = COMMAND_CLUSTER_DELETE, .cluster_id = d->cluster_id};
    struct command again = {.kind = COMMAND_CLUSTER_CREATE, .cluster_id = d->cluster_id};
    struct command agent = {.kind = COMMAND_AGENT_REGISTER};
    struct command use = {.kind = COMMAND_TOKEN_USE, .cluster_id = d->cluster_id};
    uint8_t hash[SHA256_LEN];
    struct state_counts counts;

    driver_topic(d, 1, 3);
    driver_topic(d, 2, 3);
    commits(d, 1, 0, 9);
    make_token(d, 9);
    agent.agent_register.agent_id = test_uuid(3, 1);
    agent.agent_register.state = AGENT_ACTIVE;
    agent.agent_register.agents_max = 5;
    assert_int_equal(driver_apply(d, &agent).code, 0);
    gone.if_version = 1000;
    assert_int_equal(driver_apply(d, &gone).code, ERR_STALE);
    gone.if_version = 0;
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_int_equal(clusters_gone, 1);

    assert_null(state_cluster(d->state, &d->cluster_id));
    assert_int_equal(driver_topic(d, 3, 1).code, ERR_NOT_FOUND);
    assert_int_equal(driver_apply(d, &agent).code, ERR_NOT_FOUND);
    memset(hash, 9, sizeof(hash));
    memcpy(use.token_use.hash, hash, sizeof(hash));
    assert_int_equal(driver_apply(d, &use).code, ERR_NOT_FOUND);
    assert_null(state_token(d->state, hash));
    again.cluster_create.name = SLICE_LITERAL("cluster-1");
    assert_int_equal(driver_apply(d, &again).code, ERR_EXISTS);
    again.cluster_id = test_uuid(1, 77);
    assert_int_equal(driver_apply(d, &again).code, 0);

    int steps = 0;
    while (state_purge_due(d->state)) {
        assert_in_range(driver_purge(d, 3), 1, 3);
        steps++;
    }
    assert_true(steps > 5);
    state_count(d->state, &counts);
    assert_int_equal(counts.clusters, 1);
    assert_int_equal(counts.runs + counts.objects + counts.agents + counts.producers, 0);
    assert_int_equal(driver_apply(d, &gone).code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cluster, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
