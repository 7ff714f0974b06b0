/* test_api_read.c - Fetch, ListOffsets, OffsetForLeaderEpoch, InitProducerId. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/cursor.h"
#include "proto/kafka_error.h"
#include "tests/lib/batch_builder.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;
static struct fetch_request fetch;
static struct fetch_request_topic fetch_topic;
static struct fetch_request_partition fetch_partition;

static void produce(const char *value)
{
    const struct produce_response *reply =
        fixture_call(&f, fd, KAFKA_PRODUCE, 9,
                     fixture_produce(&f, 9, "t", 0, fixture_batch(&f, 2, value)));
    assert_int_equal(reply->responses[0].partition_responses[0].error_code, 0);
}

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4, "{}");
    fd = fixture_connect(&f);
    fetch = fetch_request_defaults;
    fetch_topic = fetch_request_topic_defaults;
    fetch_partition = fetch_request_partition_defaults;
    fetch_partition.partition_max_bytes = 100000;
    fetch_topic.topic = slice_str("t");
    fetch_topic.topic_id = fake_core_topic_id(f.fake, "t");
    fetch_topic.partitions = &fetch_partition;
    fetch_topic.partitions_count = 1;
    fetch.topics = &fetch_topic;
    fetch.topics_count = 1;
    fetch.min_bytes = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    fixture_fini(&f);
    return 0;
}

static const struct fetch_response_partition *fetch_one(int16_t version)
{
    const struct fetch_response *reply =
        fixture_call(&f, fd, KAFKA_FETCH, version, &fetch);
    assert_non_null(reply);
    assert_int_equal(reply->error_code, 0);
    assert_int_equal(reply->session_id, 0);
    assert_int_equal(reply->throttle_time_ms, 0);
    assert_int_equal(reply->responses_count, 1);
    assert_int_equal(reply->responses[0].partitions_count, 1);
    return &reply->responses[0].partitions[0];
}

/* Versions 4 to 18 return the batches and the three offsets; ids from 13 on. */
static void all_versions_fetch(void **state)
{
    (void)state;
    produce("one");
    produce("two");
    for (int16_t v = 4; v <= 18; v++) {
        const struct fetch_response_partition *out = fetch_one(v);
        assert_int_equal(out->error_code, 0);
        assert_int_equal(out->high_watermark, 4);
        assert_int_equal(out->last_stable_offset, 4);
        if (v >= 5)
            assert_int_equal(out->log_start_offset, 0);
        if (v >= 11)
            assert_int_equal(out->preferred_read_replica, -1);
        assert_null(out->aborted_transactions);
        assert_true(out->records.bytes > 0);
        assert_int_equal(be64_get(out->records.items[0].ptr), 0);
    }
    fetch.isolation_level = 1;
    const struct fetch_response_partition *out = fetch_one(11);
    assert_non_null(out->aborted_transactions);
    assert_int_equal(out->aborted_transactions_count, 0);
}

/* Errors of a partition come at once, with all offsets -1 and no records. */
static void errors_are_immediate(void **state)
{
    (void)state;
    fetch.max_wait_ms = 60000;
    fetch_partition.partition = 4;
    const struct fetch_response_partition *out = fetch_one(11);
    assert_int_equal(out->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out->high_watermark, -1);
    assert_int_equal(out->last_stable_offset, -1);
    assert_int_equal(out->log_start_offset, -1);
    assert_int_equal(out->records.bytes, 0);
    fetch_partition.partition = -1;
    assert_int_equal(fetch_one(11)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    fetch_partition.partition = 0;
    fetch_topic.topic = slice_str("nowhere");
    assert_int_equal(fetch_one(12)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    fetch_topic.topic_id.bytes[5] ^= 1;
    assert_int_equal(fetch_one(13)->error_code, KAFKA_UNKNOWN_TOPIC_ID);
    fetch_topic.topic = slice_str("t");
    fetch_partition.fetch_offset = 1;
    assert_int_equal(fetch_one(11)->error_code, KAFKA_OFFSET_OUT_OF_RANGE);
}

/* A topic that is deleted on the way: versions that name topics say 3, the others 100. */
static void deleted_topics_are_named_as_asked(void **state)
{
    (void)state;
    fake_core_fail(f.fake, KAFKA_UNKNOWN_TOPIC_ID);
    assert_int_equal(fetch_one(12)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(fetch_one(13)->error_code, KAFKA_UNKNOWN_TOPIC_ID);
    fake_core_fail(f.fake, 0);
}

/* The leader epoch is 0: a higher one is unknown, -1 is not checked; last_fetched_epoch
 * cannot lie ahead. */
static void epochs_are_checked(void **state)
{
    (void)state;
    fetch_partition.current_leader_epoch = 1;
    assert_int_equal(fetch_one(11)->error_code, KAFKA_UNKNOWN_LEADER_EPOCH);
    fetch_partition.current_leader_epoch = -2;
    assert_int_equal(fetch_one(11)->error_code, KAFKA_FENCED_LEADER_EPOCH);
    fetch_partition.current_leader_epoch = 0;
    assert_int_equal(fetch_one(11)->error_code, 0);
    fetch_partition.last_fetched_epoch = 0;
    assert_int_equal(fetch_one(12)->error_code, 0);
    fetch_partition.last_fetched_epoch = 1;
    assert_int_equal(fetch_one(12)->error_code, KAFKA_OFFSET_OUT_OF_RANGE);
}

/* Sessions are never made: full requests are answered with session 0, one that goes on
 * with a session is told that there is none. */
static void sessions_are_not_made(void **state)
{
    static const struct {
        int32_t id, epoch;
        int16_t error;
    } cases[] = {{0, -1, 0}, {0, 0, 0},  {5, 0, 0},  {5, -1, 0},
                 {5, 1, 70}, {0, 1, 70}, {5, 7, 70}, {5, INT32_MAX, 70}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fetch.session_id = cases[i].id;
        fetch.session_epoch = cases[i].epoch;
        const struct fetch_response *reply =
            fixture_call(&f, fd, KAFKA_FETCH, 12, &fetch);
        assert_int_equal(reply->error_code, cases[i].error);
        assert_int_equal(reply->session_id, 0);
        assert_int_equal(reply->responses_count, cases[i].error == 0 ? 1 : 0);
    }
}

/* The ask carries what Kafka's limits mean; waiting is bounded. */
static void limits_are_passed_on(void **state)
{
    (void)state;
    fake_core_hold(f.fake, ASK_FETCH, true);
    fetch.max_bytes = INT32_MAX;
    fetch.min_bytes = INT32_MAX;
    fetch.max_wait_ms = INT32_MAX;
    fetch_partition.partition_max_bytes = -5;
    fixture_send(&f, fd, KAFKA_FETCH, 12, 1, "test", &fetch);
    struct fetch_ask *ask =
        CONTAINER_OF(fake_core_held_ask(f.fake, 0), struct fetch_ask, ask);
    assert_int_equal(ask->max_bytes, 55 * MIB);
    assert_int_equal(ask->min_bytes, 55 * MIB);
    assert_int_equal(ask->parts[0].max_bytes, 0);
    assert_in_range(ask->deadline_at_ms, loop_now_ms(f.loop) + 50000,
                    loop_now_ms(f.loop) + 60000);
}

/* Without data a fetch waits for max_wait, no less and not much more. */
static void waiting_takes_max_wait(void **state)
{
    struct str frame;

    (void)state;
    str_init(&frame, MIB);
    fetch.max_wait_ms = 120;
    int64_t begin = clock_monotonic_ms();
    fixture_send(&f, fd, KAFKA_FETCH, 12, 1, "test", &fetch);
    while (!fixture_receive(&f, fd, &frame))
        assert_true(clock_monotonic_ms() - begin < 2000);
    assert_in_range(clock_monotonic_ms() - begin, 110, 1000);
    str_fini(&frame);
}

/* ---- ListOffsets ---- */

static struct list_offsets_request list;
static struct list_offsets_request_topic list_topic;
static struct list_offsets_request_partition list_partitions[2];

static const struct list_offsets_response_partition *list_at(int16_t version,
                                                             int64_t timestamp)
{
    list = list_offsets_request_defaults;
    list_topic = list_offsets_request_topic_defaults;
    list_partitions[0] = list_offsets_request_partition_defaults;
    list_partitions[0].timestamp = timestamp;
    list_topic.name = slice_str("t");
    list_topic.partitions = list_partitions;
    list_topic.partitions_count = 1;
    list.topics = &list_topic;
    list.topics_count = 1;
    list.replica_id = -1;
    const struct list_offsets_response *reply =
        fixture_call(&f, fd, KAFKA_LIST_OFFSETS, version, &list);
    assert_non_null(reply);
    return &reply->topics[0].partitions[0];
}

/* Latest, earliest and by time, in all versions; the epoch of a found offset is 0. */
static void offsets_are_listed(void **state)
{
    int64_t before = clock_wall_ms();

    (void)state;
    produce("one");
    for (int16_t v = 1; v <= 11; v++) {
        const struct list_offsets_response_partition *out = list_at(v, -1);
        assert_int_equal(out->error_code, 0);
        assert_int_equal(out->offset, 2);
        assert_int_equal(out->timestamp, -1);
        if (v >= 4)
            assert_int_equal(out->leader_epoch, 0);
        assert_int_equal(list_at(v, -2)->offset, 0);
        out = list_at(v, before);
        assert_int_equal(out->offset, 0);
        assert_true(out->timestamp >= before);
        out = list_at(v, before + 1000000);
        assert_int_equal(out->error_code, 0);
        assert_int_equal(out->offset, -1);
        assert_int_equal(out->timestamp, -1);
        assert_int_equal(out->leader_epoch, -1);
    }
}

/* Special timestamps by version: -4 is the earliest, -5 and -6 are "none" without tiers,
 * others do not exist. */
static void special_timestamps(void **state)
{
    static const struct {
        int64_t timestamp;
        int16_t since;
        int64_t offset;
    } cases[] = {{-4, 8, 0}, {-5, 9, -1}, {-6, 11, -1}};

    (void)state;
    produce("one");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int16_t v = 1; v <= 11; v++) {
            const struct list_offsets_response_partition *out =
                list_at(v, cases[i].timestamp);
            assert_int_equal(out->error_code,
                             v < cases[i].since ? KAFKA_UNSUPPORTED_VERSION : 0);
            assert_int_equal(out->offset, v < cases[i].since ? -1 : cases[i].offset);
        }
    }
    assert_int_equal(list_at(6, -3)->error_code, KAFKA_UNSUPPORTED_VERSION);
    assert_int_equal(list_at(11, -7)->error_code, KAFKA_UNSUPPORTED_VERSION);
    assert_int_equal(list_at(11, INT64_MIN)->error_code, KAFKA_UNSUPPORTED_VERSION);
}

/* Twice the same partition is refused, both times; so are unknown ones and epochs. */
static void bad_partitions_are_refused(void **state)
{
    (void)state;
    (void)list_at(5, -1);
    list_partitions[1] = list_partitions[0];
    list_topic.partitions_count = 2;
    const struct list_offsets_response *reply =
        fixture_call(&f, fd, KAFKA_LIST_OFFSETS, 5, &list);
    assert_int_equal(reply->topics[0].partitions[0].error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(reply->topics[0].partitions[1].error_code, KAFKA_INVALID_REQUEST);
    list_partitions[0].partition_index = 4;
    list_partitions[1].current_leader_epoch = 3;
    reply = fixture_call(&f, fd, KAFKA_LIST_OFFSETS, 5, &list);
    assert_int_equal(reply->topics[0].partitions[0].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(reply->topics[0].partitions[1].error_code,
                     KAFKA_UNKNOWN_LEADER_EPOCH);
    list_topic.name = slice_str("nowhere");
    list_partitions[1].current_leader_epoch = -1;
    reply = fixture_call(&f, fd, KAFKA_LIST_OFFSETS, 5, &list);
    assert_int_equal(reply->topics[0].partitions[1].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

/* ---- OffsetForLeaderEpoch ---- */

/* Epoch 0 ends at the log's end; no other epoch ever was; a wrong current one is told. */
static void the_epoch_ends_at_the_log_end(void **state)
{
    struct offset_for_leader_epoch_request_partition partitions[3];
    struct offset_for_leader_epoch_request_topic topic = {slice_str("t"), partitions, 3};
    struct offset_for_leader_epoch_request body =
        offset_for_leader_epoch_request_defaults;

    (void)state;
    produce("one");
    body.topics = &topic;
    body.topics_count = 1;
    for (int16_t v = 2; v <= 4; v++) {
        for (size_t i = 0; i < 3; i++)
            partitions[i] = offset_for_leader_epoch_request_partition_defaults;
        partitions[0].leader_epoch = 0;
        partitions[1].leader_epoch = 3;
        partitions[2].current_leader_epoch = 1;
        const struct offset_for_leader_epoch_response *reply =
            fixture_call(&f, fd, KAFKA_OFFSET_FOR_LEADER_EPOCH, v, &body);
        const struct offset_for_leader_epoch_response_partition *out =
            reply->topics[0].partitions;
        assert_int_equal(out[0].error_code, 0);
        assert_int_equal(out[0].leader_epoch, 0);
        assert_int_equal(out[0].end_offset, 2);
        assert_int_equal(out[1].error_code, 0);
        assert_int_equal(out[1].leader_epoch, -1);
        assert_int_equal(out[1].end_offset, -1);
        assert_int_equal(out[2].error_code, KAFKA_UNKNOWN_LEADER_EPOCH);
    }
}

/* ---- InitProducerId ---- */

/* A fresh id every time, whatever id is given; none for transactions. */
static void producer_ids_are_fresh(void **state)
{
    struct init_producer_id_request body = init_producer_id_request_defaults;
    int64_t last = -1;

    (void)state;
    body.transactional_id = SLICE_NULL;
    for (int16_t v = 0; v <= 5; v++) {
        if (v >= 3) {
            body.producer_id = last;
            body.producer_epoch = 0;
        }
        const struct init_producer_id_response *reply =
            fixture_call(&f, fd, KAFKA_INIT_PRODUCER_ID, v, &body);
        assert_int_equal(reply->error_code, 0);
        assert_true(reply->producer_id > last);
        assert_int_equal(reply->producer_epoch, 0);
        last = reply->producer_id;
    }
    body.producer_epoch = -1;
    const struct init_producer_id_response *reply =
        fixture_call(&f, fd, KAFKA_INIT_PRODUCER_ID, 4, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    assert_int_equal(reply->producer_id, -1);
    body.transactional_id = slice_str("tx");
    reply = fixture_call(&f, fd, KAFKA_INIT_PRODUCER_ID, 4, &body);
    assert_int_equal(reply->error_code, KAFKA_UNSUPPORTED_VERSION);
    body.transactional_id = slice_str("");
    reply = fixture_call(&f, fd, KAFKA_INIT_PRODUCER_ID, 4, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(all_versions_fetch),
        TEST(errors_are_immediate),
        TEST(deleted_topics_are_named_as_asked),
        TEST(epochs_are_checked),
        TEST(sessions_are_not_made),
        TEST(limits_are_passed_on),
        TEST(waiting_takes_max_wait),
        TEST(offsets_are_listed),
        TEST(special_timestamps),
        TEST(bad_partitions_are_refused),
        TEST(the_epoch_ends_at_the_log_end),
        TEST(producer_ids_are_fresh),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
