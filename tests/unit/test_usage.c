/* test_usage.c - what a cluster used is exact, by hours, whatever is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

static int setup(void **state)
{
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, NULL);
    d->now_ms = 1000 * USAGE_DAY_MS;
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

static size_t read_usage(struct driver *d, struct usage_hour *hours, size_t max)
{
    return state_usage(state_cluster(d->state, &d->cluster_id), 0, INT64_MAX, d->now_ms,
                       hours, max);
}

static void report(struct driver *d, uint64_t incarnation, uint64_t bytes)
{
    struct command cmd = {.kind = COMMAND_USAGE_REPORT};
    cmd.usage_report.agent_id = test_uuid(3, 1);
    cmd.usage_report.incarnation = incarnation;
    cmd.usage_report.counters.fetched_bytes = bytes;
    assert_int_equal(driver_apply(d, &cmd).code, 0);
}

/* A commit counts once, however often it is repeated; refused batches and duplicates do
 * not count. */
static void test_produced(void **state)
{
    struct driver *d = *state;
    const struct test_batch batches[] = {{0, 0, 10, 5, 0, 0, 1, 700},
                                         {0, 0, 10, 5, 0, 0, 1, 700},  /* duplicate */
                                         {0, 0, 10, 5, 0, 77, 1, 700}, /* out of order */
                                         {0, 9, 10, -1, 0, -1, 1, 700}}; /* unknown */
    struct uuid id = test_uuid(9, 1), topic = test_uuid(2, 1);
    struct usage_hour hours[4];
    struct test_commit c;

    driver_topic(d, 1, 1);
    test_commit_init(&c, &id, d->now_ms, &topic, 1, batches, 4);
    driver_commit(d, &c.commit);
    driver_commit(d, &c.commit);
    test_commit_fini(&c);
    assert_int_equal(read_usage(d, hours, 4), 1);
    assert_int_equal(hours[0].produced_bytes, 700);
    assert_int_equal(hours[0].produced_records, 10);
    assert_int_equal(hours[0].produced_batches, 1);
    assert_int_equal(hours[0].produced_objects, 1);
}

/* Absolute counters: a repeat and an overtaken report add nothing, a new life of the
 * agent begins at zero, an older one's report counts no more; also after the agent was
 * away. */
static void test_fetched(void **state)
{
    struct driver *d = *state;
    struct command gone = {.kind = COMMAND_AGENT_REMOVE};
    struct usage_hour hours[4];

    report(d, 1, 100);
    report(d, 1, 100);
    report(d, 1, 60);
    gone.agent_remove.agent_id = test_uuid(3, 1);
    driver_apply(d, &gone);
    report(d, 1, 130);
    d->now_ms += USAGE_HOUR_MS;
    report(d, 2, 20);
    report(d, 1, 500);
    report(d, 2, 25);
    assert_int_equal(read_usage(d, hours, 4), 2);
    assert_int_equal(hours[0].fetched_bytes, 130);
    assert_int_equal(hours[1].fetched_bytes, 25);
    assert_int_equal(hours[1].start_ms - hours[0].start_ms, USAGE_HOUR_MS);
}

/* What the agents asked of the object store is counted by kind in the same way. */
static void test_store_requests(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_USAGE_REPORT};
    struct usage_store *store = &cmd.usage_report.counters.store;
    struct usage_hour hours[4];

    cmd.usage_report.agent_id = test_uuid(3, 1);
    cmd.usage_report.incarnation = 1;
    *store = (struct usage_store){.put = 10, .get = 4, .list = 1, .written_bytes = 900};
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    store->put = 12;
    store->delete = 3;
    store->head = 2;
    store->read_bytes = 50;
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    cmd.usage_report.agent_id = test_uuid(3, 2);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_int_equal(read_usage(d, hours, 4), 1);
    assert_int_equal(hours[0].store.put, 24);
    assert_int_equal(hours[0].store.get, 8);
    assert_int_equal(hours[0].store.head, 4);
    assert_int_equal(hours[0].store.list, 2);
    assert_int_equal(hours[0].store.delete, 6);
    assert_int_equal(hours[0].store.written_bytes, 1800);
    assert_int_equal(hours[0].store.read_bytes, 100);
}

/* A day that was written before the store's requests were counted reads as one in which
 * there were none; one of a later program does not read. */
static void test_day_formats(void **state)
{
    struct driver *d = *state;
    struct usage_day *day;
    uint8_t old[] = {1, 0, 0, 0, 0, 0, 0, 0, 7, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct cluster *cluster = mem_zalloc(sizeof(*cluster));

    (void)d;
    usage_init(&cluster->usage);
    day = usage_add_day(cluster, 3);
    assert_int_equal(usage_day_read(day, slice_of(old, sizeof(old))), 0);
    assert_int_equal(day->hours[5].partition_ms, 9);
    assert_int_equal(day->hours[5].store.put, 0);
    old[0] = 3;
    assert_int_equal(usage_day_read(day, slice_of(old, sizeof(old))), ERR_DAMAGED);
    old[0] = 2;
    assert_int_equal(usage_day_read(day, slice_of(old, sizeof(old))), ERR_DAMAGED);
    usage_fini(&cluster->usage);
    mem_free(cluster);
}

/* However much an agent claims, with each of its lives anew: a counter stays at its end
 * and does not come round. */
static void test_counters_end(void **state)
{
    struct driver *d = *state;
    struct usage_hour hours[4];

    for (uint64_t life = 1; life <= 40; life++)
        report(d, life, UINT64_C(1) << 60);
    assert_int_equal(read_usage(d, hours, 4), 1);
    assert_true(hours[0].fetched_bytes == (uint64_t)INT64_MAX);
    report(d, 41, 5);
    assert_int_equal(read_usage(d, hours, 4), 1);
    assert_true(hours[0].fetched_bytes == (uint64_t)INT64_MAX);
}

/* Partition time goes on while nothing happens, and is split at the hours. */
static void test_partition_time(void **state)
{
    struct driver *d = *state;
    struct usage_hour hours[8];

    d->now_ms += USAGE_HOUR_MS / 2;
    driver_topic(d, 1, 4);
    d->now_ms += USAGE_HOUR_MS;
    assert_int_equal(read_usage(d, hours, 8), 2);
    assert_int_equal(hours[0].partition_ms, 4 * USAGE_HOUR_MS / 2);
    assert_int_equal(hours[1].partition_ms, 4 * USAGE_HOUR_MS / 2);
    driver_topic(d, 2, 1);
    d->now_ms += USAGE_HOUR_MS / 2;
    driver_topic_delete(d, 1);
    driver_topic_delete(d, 2);
    d->now_ms += 10 * USAGE_HOUR_MS;
    assert_int_equal(read_usage(d, hours, 8), 2);
    assert_int_equal(hours[1].partition_ms, 4 * USAGE_HOUR_MS + USAGE_HOUR_MS / 2);
}

/* Thirteen months are kept, then the oldest day goes. */
static void test_retention(void **state)
{
    struct driver *d = *state;
    static struct usage_hour hours[2000];

    for (int day = 0; day < USAGE_KEEP_DAYS + 50; day++) {
        report(d, 1, (uint64_t)day + 1);
        d->now_ms += USAGE_DAY_MS;
    }
    assert_int_equal(read_usage(d, hours, 2000), USAGE_KEEP_DAYS);
    assert_int_equal(hours[0].fetched_bytes, 1);
    assert_int_equal(hours[0].start_ms, (1000 + 50) * USAGE_DAY_MS);
    size_t n = state_usage(state_cluster(d->state, &d->cluster_id), 1100 * USAGE_DAY_MS,
                           1102 * USAGE_DAY_MS, d->now_ms, hours, 2000);
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_produced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fetched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_day_formats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_partition_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
