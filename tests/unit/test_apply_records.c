/* test_apply_records.c - DeleteRecords: where logs begin, and what goes with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cursor.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/partition.h"
#include "tests/lib/stored_state.h"

struct fixture {
    struct stored_state stored;
    uint32_t next_object;
    struct log_start told[16];
    size_t told_count;
};

static void on_log_starts(void *arg, const struct cluster *cluster,
                          const struct log_start *starts, size_t count)
{
    struct fixture *f = arg;
    (void)cluster;
    for (size_t i = 0; i < count; i++)
        f->told[f->told_count++ % ARRAY_LEN(f->told)] = starts[i];
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct state_events events = {.arg = f, .on_log_starts = on_log_starts};
    stored_state_init(&f->stored, &events);
    driver_topic(&f->stored.driver, 1, 4);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stored_state_fini(&f->stored);
    mem_free(f);
    return 0;
}

/* An object with 10 records for each of partitions 0 and 1, of time TIMESTAMP. */
static void commit_object(struct fixture *f, int64_t timestamp)
{
    struct uuid topic = test_uuid(2, 1), id = test_uuid(9, ++f->next_object);
    const struct test_batch batches[] = {
        {0, 0, 10, 5, 0, (int32_t)(f->next_object - 1) * 10, timestamp, 0},
        {0, 1, 10, -1, 0, -1, timestamp, 0}};
    struct test_commit c;
    test_commit_init(&c, &id, f->stored.driver.now_ms, &topic, 1, batches, 2);
    assert_int_equal(driver_commit(&f->stored.driver, &c.commit).code, 0);
    test_commit_fini(&c);
}

static void commit_objects(struct fixture *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        commit_object(f, 1000 + i);
}

/* Cut one partition of topic NUMBER; the low watermark, or -1 and *ERROR. */
static int64_t cut(struct fixture *f, uint32_t number, int32_t partition, int64_t offset,
                   int16_t *error)
{
    struct records_cut one = {test_uuid(2, number), partition, offset};
    struct command cmd = {.kind = COMMAND_RECORDS_DELETE,
                          .records_delete = {.cuts = &one, .cut_count = 1}};
    struct command_result result = driver_apply(&f->stored.driver, &cmd);
    struct reader r;
    assert_int_equal(result.code, 0);
    assert_int_equal(result.data.len, COMMAND_CUT_RESULT_BYTES);
    reader_init(&r, result.data);
    *error = reader_i16(&r);
    return reader_i64(&r);
}

static int64_t cut_ok(struct fixture *f, int32_t partition, int64_t offset)
{
    int16_t error;
    int64_t low = cut(f, 1, partition, offset, &error);
    assert_int_equal(error, 0);
    return low;
}

static const struct topic *topic(struct fixture *f)
{
    const struct cluster *cluster =
        state_cluster(f->stored.driver.state, &f->stored.driver.cluster_id);
    struct uuid id = test_uuid(2, 1);
    return state_topic(cluster, &id);
}

static struct state_counts counts(struct fixture *f)
{
    struct state_counts all;
    state_count(f->stored.driver.state, &all);
    return all;
}

/* The log begins where it was cut, and what lies wholly before is gone; a run that the
 * start lies in stays, since the records behind are in it. */
static void test_start_moves(void **state)
{
    struct fixture *f = *state;
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;

    commit_objects(f, 5);
    assert_int_equal(cut_ok(f, 0, 25), 25);
    assert_int_equal(state_offsets(topic(f), 0, &offsets), 0);
    assert_int_equal(offsets.log_start_offset, 25);
    assert_int_equal(offsets.high_watermark, 50);
    assert_int_equal(state_partition_size(topic(f), 0).runs, 3);
    assert_int_equal(state_plan(topic(f), 0, 24, &offsets, &walk), 1);
    assert_int_equal(state_plan(topic(f), 0, 25, &offsets, &walk), 0);
    assert_true(state_plan_next(&walk, &run));
    assert_int_equal(run.base_offset, 20);
    stored_state_check(&f->stored);
}

/* What was appended to a topic is counted on when records go: rates are its differences.
 */
static void test_appended_never_falls(void **state)
{
    struct fixture *f = *state;

    commit_objects(f, 5);
    uint64_t bytes = topic(f)->appended_bytes;
    assert_int_equal(topic(f)->appended_records, 100);
    assert_int_equal(bytes, topic(f)->bytes);
    assert_int_equal(cut_ok(f, 0, -1), 50);
    assert_int_equal(topic(f)->records, 50);
    assert_int_equal(topic(f)->appended_records, 100);
    assert_int_equal(topic(f)->appended_bytes, bytes);
    commit_objects(f, 1);
    assert_int_equal(topic(f)->appended_records, 120);
}

/* I4: a start never goes back; to cut less is no error and says where the log begins. */
static void test_start_never_goes_back(void **state)
{
    struct fixture *f = *state;
    commit_objects(f, 3);
    assert_int_equal(cut_ok(f, 0, 20), 20);
    assert_int_equal(cut_ok(f, 0, 5), 20);
    assert_int_equal(cut_ok(f, 0, 0), 20);
    assert_int_equal(f->told_count, 1);
}

/* -1 cuts up to the high watermark: the log is empty, and goes on from there. */
static void test_everything_goes(void **state)
{
    struct fixture *f = *state;
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;

    commit_objects(f, 3);
    assert_int_equal(cut_ok(f, 0, -1), 30);
    assert_int_equal(state_partition_size(topic(f), 0).bytes, 0);
    assert_int_equal(state_plan(topic(f), 0, 30, &offsets, &walk), 0);
    assert_false(state_plan_next(&walk, &run));
    stored_state_check(&f->stored);
    commit_objects(f, 1);
    assert_int_equal(state_plan(topic(f), 0, 30, &offsets, &walk), 0);
    assert_true(state_plan_next(&walk, &run));
    assert_int_equal(run.base_offset, 30);
    stored_state_check(&f->stored);
}

/* Kafka's errors: 1 out of range, 3 no such partition, 100 no such id, 44 compacted only.
 */
static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct config_change change = {CONFIG_SET, SLICE_LITERAL("cleanup.policy"),
                                   SLICE_LITERAL("compact")};
    struct command cmd = {.kind = COMMAND_CONFIGS_ALTER,
                          .configs_alter = {.topic_id = test_uuid(2, 1),
                                            .changes = &change,
                                            .change_count = 1}};
    int16_t error;

    commit_objects(f, 1);
    assert_int_equal(cut(f, 1, 0, 11, &error), -1);
    assert_int_equal(error, STATE_KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(cut(f, 1, 0, -2, &error), -1);
    assert_int_equal(error, STATE_KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(cut(f, 1, 4, 0, &error), -1);
    assert_int_equal(error, STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(cut(f, 7, 0, 0, &error), -1);
    assert_int_equal(error, STATE_KAFKA_UNKNOWN_TOPIC_ID);
    assert_int_equal(driver_apply(&f->stored.driver, &cmd).kafka_error, 0);
    assert_int_equal(cut(f, 1, 0, 5, &error), -1);
    assert_int_equal(error, STATE_KAFKA_POLICY_VIOLATION);
    change.value = SLICE_LITERAL("compact,delete");
    assert_int_equal(driver_apply(&f->stored.driver, &cmd).kafka_error, 0);
    assert_int_equal(cut(f, 1, 0, 5, &error), 5);
    assert_int_equal(f->told_count, 1);
}

/* I6: an object is garbage when the last run that refers to it went, not before. */
static void test_objects_become_garbage(void **state)
{
    struct fixture *f = *state;
    commit_objects(f, 3);
    assert_int_equal(cut_ok(f, 0, 20), 20);
    assert_int_equal(counts(f).garbage_objects, 0);
    assert_int_equal(counts(f).runs, 4);
    assert_int_equal(cut_ok(f, 1, 15), 15);
    assert_int_equal(counts(f).garbage_objects, 1);
    assert_int_equal(counts(f).objects, 3);
    stored_state_check(&f->stored);
    assert_int_equal(cut_ok(f, 1, -1), 30);
    assert_int_equal(cut_ok(f, 0, -1), 30);
    assert_int_equal(counts(f).garbage_objects, 3);
    assert_int_equal(counts(f).runs, 0);
    stored_state_check(&f->stored);
}

/* What is remembered of producers survives: a retry of records that are gone is still a
 * duplicate with its first offset, and the next batch goes on. */
static void test_producers_survive(void **state)
{
    struct fixture *f = *state;
    struct uuid topic_id = test_uuid(2, 1), id = test_uuid(9, 100);
    const struct test_batch retry = {0, 0, 10, 5, 0, 10, 1001, 0};
    struct producer_view views[2];
    struct test_commit c;

    commit_objects(f, 2);
    assert_int_equal(cut_ok(f, 0, -1), 20);
    assert_int_equal(state_producers(topic(f), 0, views, 2), 1);
    assert_int_equal(views[0].producer_id, 5);
    assert_int_equal(views[0].last_sequence, 19);
    test_commit_init(&c, &id, f->stored.driver.now_ms, &topic_id, 1, &retry, 1);
    struct commit_result r = driver_commit(&f->stored.driver, &c.commit);
    assert_int_equal(r.exception_count, 1);
    assert_int_equal(r.exceptions[0].kafka_error, 0);
    assert_int_equal(r.exceptions[0].base_offset, 10);
    test_commit_fini(&c);
    commit_objects(f, 1);
    assert_int_equal(state_partition_size(topic(f), 0).runs, 1);
}

/* Who watches hears of each log that begins elsewhere now, in one event. */
static void test_event(void **state)
{
    struct fixture *f = *state;
    struct records_cut cuts[] = {{test_uuid(2, 1), 0, 7},
                                 {test_uuid(2, 1), 9, 7},
                                 {test_uuid(2, 1), 1, 20},
                                 {test_uuid(2, 1), 2, -1}};
    struct command cmd = {.kind = COMMAND_RECORDS_DELETE,
                          .records_delete = {.cuts = cuts, .cut_count = 4}};
    commit_objects(f, 2);
    struct command_result result = driver_apply(&f->stored.driver, &cmd);
    assert_int_equal(result.data.len, 4 * COMMAND_CUT_RESULT_BYTES);
    assert_int_equal(f->told_count, 2);
    assert_int_equal(f->told[0].partition, 0);
    assert_int_equal(f->told[0].offset, 7);
    assert_int_equal(f->told[1].partition, 1);
    assert_int_equal(f->told[1].offset, 20);
}

/* A run that the start lies in may be the first or greatest of a time for records that
 * are gone: the one to look in besides is named. */
static void test_times_behind_the_start(void **state)
{
    struct fixture *f = *state;
    struct run_view run;
    bool found;

    commit_object(f, 9000);
    commit_object(f, 100);
    commit_object(f, 200);
    assert_int_equal(state_run_behind_start(topic(f), 0, 0, true, &run, &found), 0);
    assert_false(found); /* nothing was cut */
    assert_int_equal(cut_ok(f, 0, 5), 5);
    assert_int_equal(state_run_of_max_timestamp(topic(f), 0, &run, &found), 0);
    assert_int_equal(run.base_offset, 0);
    assert_int_equal(state_run_behind_start(topic(f), 0, 0, true, &run, &found), 0);
    assert_true(found);
    assert_int_equal(run.base_offset, 20);
    assert_int_equal(state_run_behind_start(topic(f), 0, 150, false, &run, &found), 0);
    assert_true(found);
    assert_int_equal(run.base_offset, 20);
    assert_int_equal(state_run_behind_start(topic(f), 0, 5000, false, &run, &found), 0);
    assert_false(found);
    assert_int_equal(cut_ok(f, 0, 10), 10); /* the run is gone, and its time with it */
    assert_int_equal(state_run_of_max_timestamp(topic(f), 0, &run, &found), 0);
    assert_int_equal(run.base_offset, 20);
    assert_int_equal(run.max_timestamp, 200);
}

/* After any cuts and commits the index finds what a plain list of runs finds, by offset
 * and by time, and a restart makes the same state. */
static void test_like_a_plain_list(void **state)
{
    struct fixture *f = *state;
    static int64_t times[2000];
    int64_t start = 0;
    uint32_t seed = 7, n = 0;

    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 40; i++) {
            seed = seed * 1103515245 + 12345;
            times[n++] = (int64_t)(seed >> 16) % 5000;
            commit_object(f, times[n - 1]);
        }
        seed = seed * 1103515245 + 12345;
        start += (int64_t)(seed >> 16) % ((int64_t)n * 10 - start + 1) / 2;
        assert_int_equal(cut_ok(f, 0, start), start);
        uint32_t first = (uint32_t)(start / 10);
        for (int64_t time = 0; time < 5000; time += 617) {
            struct run_view run;
            bool found;
            uint32_t want = first;
            while (want < n && times[want] < time)
                want++;
            assert_int_equal(state_run_by_timestamp(topic(f), 0, time, &run, &found), 0);
            assert_int_equal(found, want < n);
            if (found)
                assert_int_equal(run.base_offset, want * 10);
        }
        int64_t max = INT64_MIN;
        for (uint32_t i = first; i < n; i++)
            max = MAX(max, times[i]);
        if (first < n)
            assert_int_equal(state_partition_size(topic(f), 0).max_timestamp, max);
    }
    stored_state_check(&f->stored);
}

/* A deleted topic whose log was cut is purged, and a restart half way finds the same. */
static void test_cut_then_purged(void **state)
{
    struct fixture *f = *state;
    commit_objects(f, 10);
    assert_int_equal(cut_ok(f, 1, 45), 45);
    assert_int_equal(cut_ok(f, 0, -1), 100);
    driver_topic_delete(&f->stored.driver, 1);
    stored_state_check(&f->stored);
    driver_purge(&f->stored.driver, 4);
    stored_state_check(&f->stored);
    while (driver_purge(&f->stored.driver, 3) > 0)
        continue;
    assert_int_equal(counts(f).runs, 0);
    assert_int_equal(counts(f).garbage_objects, 10);
    stored_state_check(&f->stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_start_moves),
        TEST(test_appended_never_falls),
        TEST(test_start_never_goes_back),
        TEST(test_everything_goes),
        TEST(test_refusals),
        TEST(test_objects_become_garbage),
        TEST(test_producers_survive),
        TEST(test_event),
        TEST(test_times_behind_the_start),
        TEST(test_like_a_plain_list),
        TEST(test_cut_then_purged),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
