/* test_apply_commit.c - commits: offsets, repeats, ages, producers' sequences, and what
 * the index says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

#define NO_PRODUCER -1, 0, -1

static struct commit_event last_event;
static struct committed_run last_runs[64];
static int event_count;

static void on_commit(void *arg, const struct cluster *cluster,
                      const struct commit_event *event)
{
    (void)arg, (void)cluster;
    last_event = *event;
    memcpy(last_runs, event->runs, event->run_count * sizeof(*last_runs));
    event_count++;
}

static int setup(void **state)
{
    struct state_events events = {.on_commit = on_commit};
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, &events);
    driver_cluster(d, 1);
    driver_topic(d, 1, 4);
    driver_topic(d, 2, 2);
    event_count = 0;
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

/* Commit BATCHES as object NUMBER, of topics 1 and 2, created now. */
static struct commit_result commit(struct driver *d, uint32_t number,
                                   const struct test_batch *batches, size_t count)
{
    struct uuid id = test_uuid(9, number);
    struct uuid topics[2] = {test_uuid(2, 1), test_uuid(2, 2)};
    struct test_commit c;
    test_commit_init(&c, &id, d->now_ms, topics, 2, batches, count);
    struct commit_result result = driver_commit(d, &c.commit);
    test_commit_fini(&c);
    return result;
}

/* One batch of a producer into topic 1, partition 0. */
static struct commit_result send_batch(struct driver *d, uint32_t number, int64_t pid,
                                       int16_t epoch, int32_t sequence, uint32_t records)
{
    struct test_batch batch = {
        0, 0, records, pid, epoch, sequence, (int64_t)5000 + sequence, 0};
    return commit(d, number, &batch, 1);
}

/* The only exception of RESULT has this error; offset and timestamp too. */
static void assert_exception(const struct commit_result *result, int16_t error,
                             int64_t offset, int64_t timestamp)
{
    assert_int_equal(result->code, 0);
    assert_int_equal(result->exception_count, 1);
    assert_int_equal(result->exceptions[0].run, 0);
    assert_int_equal(result->exceptions[0].batch, 0);
    assert_int_equal(result->exceptions[0].kafka_error, error);
    assert_int_equal(result->exceptions[0].base_offset, offset);
    assert_int_equal(result->exceptions[0].timestamp, timestamp);
}

static const struct topic *topic(struct driver *d, uint32_t number)
{
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    struct uuid id = test_uuid(2, number);
    return state_topic(cluster, &id);
}

static int64_t high_watermark(struct driver *d, uint32_t number, int32_t partition)
{
    struct partition_offsets offsets;
    assert_int_equal(state_offsets(topic(d, number), partition, &offsets), 0);
    return offsets.high_watermark;
}

/* I4: offsets are dense per partition, in commit order. */
static void test_offsets(void **state)
{
    const struct test_batch batches[] = {{0, 0, 10, NO_PRODUCER, 1, 0},
                                         {0, 0, 5, NO_PRODUCER, 2, 0},
                                         {0, 3, 1, NO_PRODUCER, 3, 0},
                                         {1, 1, 7, NO_PRODUCER, 4, 0}};
    struct commit_result r = commit(*state, 1, batches, 4);

    assert_int_equal(r.code, 0);
    assert_int_equal(r.exception_count, 0);
    assert_int_equal(result_offset(&r, 0), 0);
    assert_int_equal(result_offset(&r, 1), 0);
    assert_int_equal(result_offset(&r, 2), 0);
    r = commit(*state, 2, batches, 4);
    assert_int_equal(result_offset(&r, 0), 15);
    assert_int_equal(result_offset(&r, 1), 1);
    assert_int_equal(result_offset(&r, 2), 7);
    assert_int_equal(high_watermark(*state, 1, 0), 30);
    assert_int_equal(high_watermark(*state, 2, 1), 14);
    assert_int_equal(high_watermark(*state, 2, 0), 0);
}

/* The event names what was appended, with places in the object. */
static void test_event(void **state)
{
    const struct test_batch batches[] = {{0, 0, 10, NO_PRODUCER, 1, 70},
                                         {0, 0, 5, NO_PRODUCER, 9, 80},
                                         {1, 1, 7, NO_PRODUCER, 4, 90}};
    commit(*state, 1, batches, 3);
    struct uuid id = test_uuid(9, 1);

    assert_int_equal(event_count, 1);
    assert_true(uuid_eq(&last_event.object_id, &id));
    assert_int_equal(last_event.node_id, 1);
    assert_int_equal(last_event.run_count, 2);
    assert_int_equal(last_runs[0].position, 16);
    assert_int_equal(last_runs[0].length, 150);
    assert_int_equal(last_runs[0].records, 15);
    assert_int_equal(last_runs[0].max_timestamp, 9);
    assert_ptr_equal(last_runs[1].topic, topic(*state, 2));
    assert_int_equal(last_runs[1].partition, 1);
    assert_int_equal(last_runs[1].position, 166);
}

/* I5: a repeat gives the same bytes, changes nothing and makes no event; also after more
 * was committed and after the age limit. Later than a repeat could come, the result is
 * forgotten, but not that the object is known: it is refused. */
static void test_repeat(void **state)
{
    struct driver *d = *state;
    const struct test_batch batches[] = {{0, 0, 10, 5, 0, 0, 1, 0},
                                         {0, 1, 3, NO_PRODUCER, 1, 0},
                                         {0, 9, 3, NO_PRODUCER, 1, 0}};
    struct uuid id = test_uuid(9, 1), topics[1] = {test_uuid(2, 1)};
    struct test_commit c;
    struct str first;

    test_commit_init(&c, &id, d->now_ms, topics, 1, batches, 3);
    driver_commit(d, &c.commit);
    str_init(&first, MIB);
    str_append_slice(&first, str_slice(&d->result));
    const struct test_batch other = {0, 0, 10, 5, 0, 10, 1, 0};
    commit(d, 2, &other, 1);
    uint64_t runs = high_watermark(d, 1, 0);
    d->now_ms += 2 * 3600000;
    driver_commit(d, &c.commit);
    assert_true(slice_eq(str_slice(&first), str_slice(&d->result)));
    assert_int_equal(high_watermark(d, 1, 0), runs);
    assert_int_equal(event_count, 2);
    d->now_ms += 300000;
    assert_int_equal(driver_commit(d, &c.commit).code, ERR_EXPIRED);
    assert_int_equal(high_watermark(d, 1, 0), runs);
    assert_int_equal(event_count, 2);
    assert_true(state_object_known(state_cluster(d->state, &d->cluster_id), &id));
    test_commit_fini(&c);
    str_fini(&first);
}

/* An object id stands for one content: another under the same id is refused. */
static void test_conflict(void **state)
{
    const struct test_batch a = {0, 0, 10, NO_PRODUCER, 1, 0};
    const struct test_batch b = {0, 0, 11, NO_PRODUCER, 1, 0};

    assert_int_equal(commit(*state, 1, &a, 1).code, 0);
    assert_int_equal(commit(*state, 1, &b, 1).code, ERR_CONFLICT);
    assert_int_equal(high_watermark(*state, 1, 0), 10);
}

/* I6: too old is refused, and so is what comes from the future; the limits travel in the
 * command. Refused objects are not remembered. */
static void test_age(void **state)
{
    struct driver *d = *state;
    const struct test_batch batch = {0, 0, 1, NO_PRODUCER, 1, 0};
    struct uuid id = test_uuid(9, 1), topics[1] = {test_uuid(2, 1)};
    struct test_commit c;
    const struct {
        int64_t created_ms;
        int code;
    } cases[] = {{-3600001, ERR_EXPIRED}, {300001, ERR_INVALID}, {300000, 0}};

    d->now_ms = 100000000;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        test_commit_init(&c, &id, d->now_ms + cases[i].created_ms, topics, 1, &batch, 1);
        assert_int_equal(driver_commit(d, &c.commit).code, cases[i].code);
        test_commit_fini(&c);
    }
    id = test_uuid(9, 2);
    test_commit_init(&c, &id, d->now_ms - 3600000, topics, 1, &batch, 1);
    assert_int_equal(driver_commit(d, &c.commit).code, 0);
    test_commit_fini(&c);
}

/* Unknown topics and partitions fail alone, as whole runs; what is left of the object is
 * appended. */
static void test_unknown_partitions(void **state)
{
    struct driver *d = *state;
    const struct test_batch batches[] = {{0, 0, 1, NO_PRODUCER, 1, 0},
                                         {0, 4, 1, NO_PRODUCER, 1, 0},
                                         {1, 0, 1, NO_PRODUCER, 1, 0}};
    struct uuid id = test_uuid(9, 1), topics[2] = {test_uuid(2, 1), test_uuid(2, 77)};
    struct test_commit c;

    test_commit_init(&c, &id, d->now_ms, topics, 2, batches, 3);
    struct commit_result r = driver_commit(d, &c.commit);
    assert_int_equal(r.code, 0);
    assert_int_equal(result_offset(&r, 0), 0);
    assert_int_equal(result_offset(&r, 1), -1);
    assert_int_equal(result_offset(&r, 2), -1);
    assert_int_equal(r.exception_count, 2);
    assert_int_equal(r.exceptions[0].run, 1);
    assert_int_equal(r.exceptions[0].batch, -1);
    assert_int_equal(r.exceptions[0].kafka_error, 3);
    assert_int_equal(r.exceptions[1].kafka_error, 100);
    test_commit_fini(&c);
}

/* I10: the topics and objects of another cluster do not exist. */
static void test_tenants(void **state)
{
    struct driver *d = *state;
    const struct test_batch batch = {0, 0, 1, NO_PRODUCER, 1, 0};

    assert_int_equal(commit(d, 1, &batch, 1).code, 0);
    driver_cluster(d, 2);
    struct commit_result r = commit(d, 1, &batch, 1);
    assert_int_equal(r.code, 0); /* not a repeat: another object */
    assert_int_equal(r.exceptions[0].kafka_error, 100);
    d->cluster_id = test_uuid(1, 1);
    assert_int_equal(high_watermark(d, 1, 0), 1);
}

/* Malformed columns change nothing at all, wherever they break. */
static void test_malformed(void **state)
{
    struct driver *d = *state;
    const struct test_batch batches[] = {{0, 0, 1, 3, 0, 0, 1, 0},
                                         {0, 1, 1, 3, 0, 0, 1, 0}};
    struct uuid id = test_uuid(9, 1), topics[1] = {test_uuid(2, 1)};
    struct test_commit c;
    uint64_t objects;
    struct state_counts counts;

    test_commit_init(&c, &id, d->now_ms, topics, 1, batches, 2);
    struct slice *columns[] = {&c.commit.topic,    &c.commit.partition,
                               &c.commit.batches,  &c.commit.length,
                               &c.commit.records,  &c.commit.producer,
                               &c.commit.sequence, &c.commit.max_timestamp};
    state_count(d->state, &counts);
    objects = counts.objects;
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        struct slice whole = *columns[i];
        columns[i]->len--;
        assert_int_equal(driver_commit(d, &c.commit).code, ERR_MALFORMED);
        *columns[i] = whole;
    }
    c.commit.object_size = 16;
    assert_int_equal(driver_commit(d, &c.commit).code, ERR_MALFORMED);
    c.commit.object_size = 1 << 20;
    c.commit.topic_count = 0;
    assert_int_equal(driver_commit(d, &c.commit).code, ERR_MALFORMED);
    c.commit.topic_count = 1;
    c.commit.object_id = UUID_ZERO;
    assert_int_equal(driver_commit(d, &c.commit).code, ERR_MALFORMED);
    c.commit.object_id = id;
    state_count(d->state, &counts);
    assert_int_equal(counts.objects, objects);
    assert_int_equal(high_watermark(d, 1, 0), 0);
    assert_int_equal(driver_commit(d, &c.commit).code, 0);
    test_commit_fini(&c);
}

/* ---- sequences: kafka.md 3.3, KIP-98 ---- */

/* The next sequence is last + 1, else OUT_OF_ORDER_SEQUENCE_NUMBER (45). */
static void test_sequence(void **state)
{
    struct driver *d = *state;
    struct commit_result r = send_batch(d, 1, 7, 0, 0, 10);
    assert_int_equal(result_offset(&r, 0), 0);
    r = send_batch(d, 2, 7, 0, 10, 1);
    assert_int_equal(result_offset(&r, 0), 10);
    r = send_batch(d, 3, 7, 0, 12, 1);
    assert_exception(&r, 45, -1, -1);
    assert_int_equal(result_offset(&r, 0), -1);
    r = send_batch(d, 4, 7, 0, 11, 1);
    assert_int_equal(result_offset(&r, 0), 11);
    assert_int_equal(high_watermark(d, 1, 0), 12);
}

/* A producer nothing is known of may begin anywhere. */
static void test_any_first_sequence(void **state)
{
    struct commit_result r = send_batch(*state, 1, 7, 3, 12345, 10);
    assert_int_equal(r.exception_count, 0);
    assert_int_equal(result_offset(&r, 0), 0);
}

/* A duplicate among the last five is answered with the original's offset and timestamp,
 * and appends nothing; an older one is out of order. */
static void test_duplicates(void **state)
{
    struct driver *d = *state;
    for (int32_t i = 0; i < 6; i++)
        send_batch(d, (uint32_t)i, 7, 0, i * 2, 2);
    assert_int_equal(high_watermark(d, 1, 0), 12);
    for (int32_t i = 1; i < 6; i++) {
        struct commit_result r = send_batch(d, 100 + (uint32_t)i, 7, 0, i * 2, 2);
        assert_exception(&r, 0, i * 2, 5000 + i * 2);
        assert_int_equal(result_offset(&r, 0), -1);
    }
    struct commit_result r = send_batch(d, 200, 7, 0, 0, 2);
    assert_exception(&r, 45, -1, -1);
    /* The same first but another last sequence is no duplicate. */
    r = send_batch(d, 201, 7, 0, 10, 3);
    assert_exception(&r, 45, -1, -1);
    assert_int_equal(high_watermark(d, 1, 0), 12);
    struct state_counts counts;
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 6);
    assert_int_equal(counts.garbage_objects, 7); /* objects without a run */
}

/* An older epoch is 47; a newer one begins at 0, else 45, and forgets the batches. */
static void test_epochs(void **state)
{
    struct driver *d = *state;
    send_batch(d, 1, 7, 5, 0, 1);
    struct commit_result r = send_batch(d, 2, 7, 4, 1, 1);
    assert_exception(&r, 47, -1, -1);
    r = send_batch(d, 3, 7, 6, 1, 1);
    assert_exception(&r, 45, -1, -1);
    r = send_batch(d, 4, 7, 6, 0, 1);
    assert_int_equal(r.exception_count, 0);
    assert_int_equal(result_offset(&r, 0), 1);
    r = send_batch(d, 5, 7, 6, 0, 1);
    assert_exception(&r, 0, 1, 5000);
    r = send_batch(d, 6, 7, 5, 1, 1);
    assert_exception(&r, 47, -1, -1);
}

/* Sequences wrap from 2^31 - 1 to 0, within a batch and between two. */
static void test_wrap(void **state)
{
    struct driver *d = *state;
    send_batch(d, 1, 7, 0, INT32_MAX - 1, 2); /* ends at INT32_MAX */
    struct commit_result r = send_batch(d, 2, 7, 0, 0, 1);
    assert_int_equal(r.exception_count, 0);
    r = send_batch(d, 3, 8, 0, INT32_MAX, 3); /* ends at 1 */
    assert_int_equal(r.exception_count, 0);
    r = send_batch(d, 4, 8, 0, 2, 1);
    assert_int_equal(r.exception_count, 0);
    r = send_batch(d, 5, 8, 0, INT32_MAX, 3);
    assert_exception(&r, 0, 3, 5000 + (int64_t)INT32_MAX);
}

/* State is per partition: the same producer has its own sequence in each. */
static void test_per_partition(void **state)
{
    const struct test_batch batches[] = {
        {0, 0, 1, 7, 0, 0, 1, 0}, {0, 1, 1, 7, 0, 50, 1, 0}, {1, 0, 1, 7, 0, 9, 1, 0}};
    const struct test_batch next[] = {
        {0, 0, 1, 7, 0, 1, 1, 0}, {0, 1, 1, 7, 0, 51, 1, 0}, {1, 0, 1, 7, 0, 9, 1, 0}};
    commit(*state, 1, batches, 3);
    struct commit_result r = commit(*state, 2, next, 3);
    assert_int_equal(r.exception_count, 1);
    assert_int_equal(r.exceptions[0].run, 2);
    assert_int_equal(r.exceptions[0].kafka_error, 0);
}

/* A refused batch in the middle fails alone: the run is indexed in pieces around it, its
 * accepted batches get consecutive offsets. */
static void test_split_run(void **state)
{
    struct driver *d = *state;
    const struct test_batch batches[] = {
        {0, 2, 3, NO_PRODUCER, 1, 70}, {0, 2, 4, 7, 0, 0, 2, 71},
        {0, 2, 5, 7, 0, 9, 9, 72},     {0, 2, 6, 7, 0, 4, 3, 73},
        {0, 2, 1, 7, 0, 0, 8, 74},     {0, 2, 2, 8, 0, 4, 4, 75}};
    struct commit_result r = commit(d, 1, batches, 6);
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;

    assert_int_equal(result_offset(&r, 0), 0);
    assert_int_equal(r.exception_count, 2);
    assert_int_equal(r.exceptions[0].batch, 2);
    assert_int_equal(r.exceptions[0].kafka_error, 45);
    assert_int_equal(r.exceptions[1].batch, 4);
    assert_int_equal(r.exceptions[1].kafka_error, 45); /* 1 record: no duplicate of 4 */
    assert_int_equal(state_plan(topic(d, 1), 2, 0, &offsets, &walk), 0);
    assert_int_equal(offsets.high_watermark, 15);
    assert_true(state_plan_next(&walk, &run));
    assert_int_equal(run.base_offset, 0);
    assert_int_equal(run.records, 7);
    assert_int_equal(run.position, 16);
    assert_int_equal(run.length, 141);
    assert_int_equal(run.max_timestamp, 2);
    assert_true(state_plan_next(&walk, &run));
    assert_int_equal(run.base_offset, 7);
    assert_int_equal(run.records, 6);
    assert_int_equal(run.position, 16 + 141 + 72);
    assert_int_equal(run.length, 73);
    assert_true(state_plan_next(&walk, &run));
    assert_int_equal(run.base_offset, 13);
    assert_int_equal(run.position, 16 + 141 + 72 + 73 + 74);
    assert_false(state_plan_next(&walk, &run));
    assert_int_equal(last_event.run_count, 3);
}

/* An object that appended nothing is garbage from the start, and makes no event. */
static void test_all_refused(void **state)
{
    struct driver *d = *state;
    struct state_counts counts;
    send_batch(d, 1, 7, 0, 0, 1);
    event_count = 0;
    send_batch(d, 2, 7, 0, 0, 1);
    assert_int_equal(event_count, 0);
    state_count(d->state, &counts);
    assert_int_equal(counts.garbage_objects, 1);
}

static uint64_t expire(struct driver *d, int64_t before_ms)
{
    struct command cmd = {.kind = COMMAND_EXPIRE_PRODUCERS,
                          .expire_producers = {.before_ms = before_ms}};
    return (uint64_t)driver_apply(d, &cmd).value;
}

/* States unused since a time are forgotten, exactly those; then any sequence begins. */
static void test_expiry(void **state)
{
    struct driver *d = *state;
    int64_t start = d->now_ms;
    send_batch(d, 1, 7, 0, 0, 1);
    send_batch(d, 2, 8, 0, 0, 1);
    d->now_ms = start + 30000; /* less than the list's minute: no move in it */
    send_batch(d, 3, 7, 0, 1, 1);
    d->now_ms = start + 90000;
    send_batch(d, 4, 9, 0, 0, 1);
    assert_int_equal(state_oldest_producer_ms(d->state), start);
    assert_int_equal(expire(d, start), 0);
    assert_int_equal(expire(d, start + 30000), 1); /* 8; 7 was used at that time */
    struct commit_result r = send_batch(d, 5, 7, 0, 1, 1);
    assert_exception(&r, 0, 2, 5001);
    r = send_batch(d, 6, 8, 0, 500, 1);
    assert_int_equal(r.exception_count, 0);
    assert_int_equal(expire(d, start + 200000), 3);
    assert_int_equal(state_oldest_producer_ms(d->state), -1);
}

/* I12: a partition remembers a bounded number of producers, the latest. */
static void test_many_producers(void **state)
{
    struct driver *d = *state;
    struct state_counts counts;
    for (uint32_t i = 0; i < 20000; i++) {
        d->now_ms++;
        send_batch(d, i, i, 0, 0, 1);
    }
    state_count(d->state, &counts);
    assert_true(counts.producers <= 16384);
    assert_true(counts.producers >= 12288);
    struct commit_result r = send_batch(d, 30000, 19999, 0, 0, 1);
    assert_exception(&r, 0, 19999, 5000);
    r = send_batch(d, 30001, 0, 0, 0, 1);
    assert_int_equal(r.exception_count, 0); /* forgotten: appended again */
}

/* ---- reading the index ---- */

/* A plan begins with the run that holds the offset; the end of the log has none, beyond
 * it is out of range. */
static void test_plan(void **state)
{
    struct driver *d = *state;
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct test_batch batch = {0, 0, 1 + i % 7, NO_PRODUCER, i, 0};
        commit(d, i, &batch, 1);
    }
    int64_t end = high_watermark(d, 1, 0);
    for (int64_t offset = 0; offset < end; offset++) {
        assert_int_equal(state_plan(topic(d, 1), 0, offset, &offsets, &walk), 0);
        assert_true(state_plan_next(&walk, &run));
        assert_true(run.base_offset <= offset &&
                    offset < run.base_offset + (int64_t)run.records);
    }
    assert_int_equal(state_plan(topic(d, 1), 0, end, &offsets, &walk), 0);
    assert_false(state_plan_next(&walk, &run));
    assert_int_equal(state_plan(topic(d, 1), 0, end + 1, &offsets, &walk), 1);
    assert_int_equal(state_plan(topic(d, 1), 0, -1, &offsets, &walk), 1);
    assert_int_equal(offsets.high_watermark, end);
    assert_int_equal(state_plan(topic(d, 1), 4, 0, &offsets, &walk), 3);
    assert_int_equal(state_plan(NULL, 0, 0, &offsets, &walk), 3);
}

/* By timestamp: the first run whose greatest timestamp reaches it, although they go up
 * and down; the greatest of all, the first of equals. */
static void test_timestamps(void **state)
{
    struct driver *d = *state;
    static const int64_t times[] = {50, 10, 80, 80, 30, 90, 5, 90};
    struct run_view run;
    bool found;

    assert_int_equal(state_run_of_max_timestamp(topic(d, 1), 0, &run, &found), 0);
    assert_false(found);
    for (uint32_t i = 0; i < 400; i++) {
        struct test_batch batch = {0, 0, 1, NO_PRODUCER, 0, 0};
        batch.max_timestamp = (int64_t)(i / 8) * 1000 + times[i % 8];
        commit(d, i, &batch, 1);
    }
    for (int64_t t = 0; t < 50100; t += 7) {
        uint32_t want = 0;
        while (want < 400 && (int64_t)(want / 8) * 1000 + times[want % 8] < t)
            want++;
        assert_int_equal(state_run_by_timestamp(topic(d, 1), 0, t, &run, &found), 0);
        assert_int_equal(found, want < 400);
        if (found)
            assert_int_equal(run.base_offset, want);
    }
    assert_int_equal(state_run_of_max_timestamp(topic(d, 1), 0, &run, &found), 0);
    assert_int_equal(run.base_offset, 49 * 8 + 5);
    assert_int_equal(state_run_by_timestamp(topic(d, 1), 9, 0, &run, &found), 3);
}

/* Deleting a topic drops its runs; objects without runs become garbage, others stay; the
 * topic made again under its name has an empty log. */
static void test_topic_deletion(void **state)
{
    struct driver *d = *state;
    const struct test_batch both[] = {{0, 0, 1, 7, 0, 0, 1, 0}, {1, 0, 1, 7, 0, 0, 1, 0}};
    struct state_counts counts;

    commit(d, 1, both, 1);
    commit(d, 2, both, 2);
    driver_topic_delete(d, 1);
    driver_purge(d, 100);
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 1);
    assert_int_equal(counts.garbage_objects, 1);
    assert_int_equal(counts.producers, 1);
    assert_int_equal(high_watermark(d, 2, 0), 1);
    driver_topic_delete(d, 2);
    driver_purge(d, 100);
    assert_false(state_purge_due(d->state));
    state_count(d->state, &counts);
    assert_int_equal(counts.runs, 0);
    assert_int_equal(counts.garbage_objects, 2);
    assert_int_equal(counts.objects, 2);
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE};
    cmd.topic_create.topic_id = test_uuid(2, 50);
    cmd.topic_create.name = SLICE_LITERAL("topic-1");
    cmd.topic_create.partitions = 1;
    cmd.topic_create.topics_max = cmd.topic_create.partitions_max = 10;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(high_watermark(d, 50, 0), 0);
}

/* Bytes that are no command are applied as a refusal, and change nothing but the index.
 */
static void test_garbage_command(void **state)
{
    struct driver *d = *state;
    struct command_result result;
    struct str out;

    str_init(&out, MIB);
    state_apply(d->state, ++d->index, SLICE_LITERAL("\x01\x0agarbage"), &out);
    assert_int_equal(command_result_read(str_slice(&out), &result), 0);
    assert_int_equal(result.code, ERR_MALFORMED);
    assert_int_equal(state_applied_index(d->state), d->index);
    str_fini(&out);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_offsets),
        TEST(test_event),
        TEST(test_repeat),
        TEST(test_conflict),
        TEST(test_age),
        TEST(test_unknown_partitions),
        TEST(test_tenants),
        TEST(test_malformed),
        TEST(test_sequence),
        TEST(test_any_first_sequence),
        TEST(test_duplicates),
        TEST(test_epochs),
        TEST(test_wrap),
        TEST(test_per_partition),
        TEST(test_split_run),
        TEST(test_all_refused),
        TEST(test_expiry),
        TEST(test_many_producers),
        TEST(test_plan),
        TEST(test_timestamps),
        TEST(test_topic_deletion),
        TEST(test_garbage_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
