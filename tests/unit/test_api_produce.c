/* test_api_produce.c - Produce: every check of kafka.md 3.2, acks, replies by version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/cursor.h"
#include "common/lz.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"
#include "tests/lib/batch_builder.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4, "{}");
    fake_core_add_topic(f.fake, "compacted", 1, "{\"cleanup.policy\":\"compact\"}");
    fake_core_add_topic(f.fake, "stamped", 1,
                        "{\"message.timestamp.type\":\"LogAppendTime\"}");
    fake_core_add_topic(f.fake, "small", 1, "{\"max.message.bytes\":\"500\"}");
    fd = fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    fixture_fini(&f);
    return 0;
}

static const struct produce_response_partition *produce_to(int16_t version,
                                                           const char *topic,
                                                           int32_t partition,
                                                           struct slice records)
{
    const struct produce_response *reply =
        fixture_call(&f, fd, KAFKA_PRODUCE, version,
                     fixture_produce(&f, version, topic, partition, records));
    assert_non_null(reply);
    assert_int_equal(reply->responses_count, 1);
    assert_int_equal(reply->responses[0].partition_responses_count, 1);
    assert_int_equal(reply->throttle_time_ms, 0);
    return &reply->responses[0].partition_responses[0];
}

static void assert_error(int16_t error, const char *topic, struct slice records)
{
    int64_t before = fake_core_end(f.fake, topic, 0);
    const struct produce_response_partition *out = produce_to(9, topic, 0, records);
    if (out->error_code != error)
        fail_msg("error %d instead of %d", out->error_code, error);
    assert_int_equal(out->base_offset, -1);
    assert_int_equal(out->log_append_time_ms, -1);
    assert_int_equal(fake_core_end(f.fake, topic, 0), before);
}

/* A batch that a test spoils: writable, the checksum made anew by batch_seal. */
static uint8_t *spoil(struct slice batch)
{
    union {
        const uint8_t *from;
        uint8_t *to;
    } bytes = {.from = batch.ptr};
    return bytes.to;
}

/* Versions 3 to 13 all append, and answer with the first record's offset. */
static void all_versions_append(void **state)
{
    (void)state;
    for (int16_t v = 3; v <= 13; v++) {
        const struct produce_response_partition *out =
            produce_to(v, "t", 1, fixture_batch(&f, 3, "value"));
        assert_int_equal(out->error_code, 0);
        assert_int_equal(out->index, 1);
        assert_int_equal(out->base_offset, 3 * (v - 3));
        assert_int_equal(out->log_append_time_ms, -1);
        if (v >= 5)
            assert_int_equal(out->log_start_offset, 0);
        if (v >= 8)
            assert_int_equal(out->record_errors_count, 0);
    }
}

/* acks other than -1, 0 and 1 fail every partition. */
static void acks_are_checked(void **state)
{
    static const int16_t bad[] = {2, -2, 100, INT16_MIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct produce_request *body =
            fixture_produce(&f, 9, "t", 0, fixture_batch(&f, 1, "v"));
        body->acks = bad[i];
        const struct produce_response *reply =
            fixture_call(&f, fd, KAFKA_PRODUCE, 9, body);
        assert_int_equal(reply->responses[0].partition_responses[0].error_code,
                         KAFKA_INVALID_REQUIRED_ACKS);
    }
    assert_int_equal(fake_core_end(f.fake, "t", 0), 0);
    struct produce_request *body =
        fixture_produce(&f, 9, "t", 0, fixture_batch(&f, 1, "v"));
    body->acks = 1;
    const struct produce_response *reply = fixture_call(&f, fd, KAFKA_PRODUCE, 9, body);
    assert_int_equal(reply->responses[0].partition_responses[0].error_code, 0);
}

/* acks=0 gets no reply when all is well, and its error closes the connection. */
static void acks_0_is_silent(void **state)
{
    struct str frame;
    struct produce_request *body =
        fixture_produce(&f, 9, "t", 0, fixture_batch(&f, 1, "v"));

    (void)state;
    str_init(&frame, MIB);
    body->acks = 0;
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 1, "test", body);
    fixture_send(&f, fd, KAFKA_API_VERSIONS, 0, 2, "test",
                 &api_versions_request_defaults);
    assert_true(fixture_receive(&f, fd, &frame));
    assert_int_equal(be32_get((const uint8_t *)frame.data), 2);
    assert_int_equal(fake_core_end(f.fake, "t", 0), 1);
    fake_core_fail(f.fake, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER);
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 3, "test", body);
    assert_true(fixture_closed(&f, fd));
    fake_core_fail(f.fake, 0);
    close(fd);

    fd = fixture_connect(&f);
    body = fixture_produce(&f, 9, "t", 99, fixture_batch(&f, 1, "v"));
    body->acks = 0;
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 4, "test", body);
    assert_true(fixture_closed(&f, fd));
    str_fini(&frame);
}

/* Unknown topics and partitions: 3, by id 100, after one look at the control plane. */
static void unknown_targets(void **state)
{
    struct slice batch = fixture_batch(&f, 1, "v");

    (void)state;
    assert_int_equal(produce_to(9, "nowhere", 0, batch)->error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(fake_core_asks(f.fake, ASK_METADATA), 1);
    assert_int_equal(produce_to(9, "t", 4, batch)->error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_to(9, "t", -1, batch)->error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    struct produce_request *body = fixture_produce(&f, 13, "t", 0, batch);
    body->topic_data[0].topic_id.bytes[3] ^= 1;
    const struct produce_response *reply = fixture_call(&f, fd, KAFKA_PRODUCE, 13, body);
    assert_int_equal(reply->responses[0].partition_responses[0].error_code,
                     KAFKA_UNKNOWN_TOPIC_ID);
    assert_int_equal(fake_core_asks(f.fake, ASK_PRODUCE), 0);
}

/* A batch that is damaged, short, doubled or of another format. */
static void broken_batches(void **state)
{
    struct slice batch = fixture_batch(&f, 2, "value");
    uint8_t twice[1000];

    (void)state;
    assert_error(KAFKA_INVALID_RECORD, "t", SLICE_NULL);
    assert_error(KAFKA_INVALID_RECORD, "t", slice_of(batch.ptr, 0));
    memcpy(twice, batch.ptr, batch.len);
    memcpy(twice + batch.len, batch.ptr, batch.len);
    assert_error(KAFKA_INVALID_RECORD, "t", slice_of(twice, 2 * batch.len));
    spoil(batch)[batch.len - 1] ^= 1;
    assert_error(KAFKA_CORRUPT_MESSAGE, "t", batch);
    batch = fixture_batch(&f, 2, "value");
    spoil(batch)[16] = 1;
    assert_error(KAFKA_INVALID_RECORD, "t", batch);
    batch = fixture_batch(&f, 2, "value");
    be64_put(spoil(batch), 5); /* base offset */
    assert_error(KAFKA_INVALID_RECORD, "t", batch);
    batch = fixture_batch(&f, 2, "value");
    be32_put(spoil(batch) + 57, 3); /* count */
    batch_seal(spoil(batch));
    assert_error(KAFKA_INVALID_RECORD, "t", batch);
    batch = fixture_batch(&f, 2, "value");
    spoil(batch)[22] |= BATCH_CONTROL;
    batch_seal(spoil(batch));
    assert_error(KAFKA_INVALID_RECORD, "t", batch);
}

/* max.message.bytes counts the whole batch: one more byte is too many. */
static void sizes_are_checked(void **state)
{
    char value[600];
    struct slice batch;
    size_t n = 0;

    (void)state;
    memset(value, 'x', sizeof(value));
    do {
        value[n] = 'x';
        value[++n] = '\0';
        batch = fixture_batch(&f, 1, value);
    } while (batch.len < 500);
    assert_int_equal(batch.len, 500);
    assert_int_equal(produce_to(9, "small", 0, batch)->error_code, 0);
    value[n] = 'x';
    value[n + 1] = '\0';
    assert_error(KAFKA_MESSAGE_TOO_LARGE, "small", fixture_batch(&f, 1, value));
}

static struct slice batch_of(struct built_batch *batch)
{
    struct str out;
    str_init(&out, MIB);
    batch_build(batch, &out);
    struct slice copy = arena_dup(&f.arena, str_slice(&out));
    str_fini(&out);
    return copy;
}

/* Timestamps far in the future are refused, and the records named from version 8 on. */
static void timestamps_are_checked(void **state)
{
    int64_t now = clock_wall_ms();
    struct built_record rows[] = {
        {.key = "a", .value = "1", .timestamp_ms = now},
        {.key = "b", .value = "2", .timestamp_ms = now + 7200000},
        {.key = "c", .value = "3", .timestamp_ms = now}};
    struct built_batch batch = {.records = rows, .record_count = 3};

    (void)state;
    assert_error(KAFKA_INVALID_TIMESTAMP, "t", batch_of(&batch));
    const struct produce_response_partition *out =
        produce_to(8, "t", 0, batch_of(&batch));
    assert_int_equal(out->error_code, KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(out->record_errors_count, 1);
    assert_int_equal(out->record_errors[0].batch_index, 1);
    assert_true(out->error_message.len > 0);
    out = produce_to(7, "t", 0, batch_of(&batch));
    assert_int_equal(out->error_code, KAFKA_INVALID_TIMESTAMP);
    /* Who stamps by himself must not claim that the server did. */
    rows[1].timestamp_ms = now;
    batch.attributes = BATCH_LOG_APPEND_TIME;
    assert_error(KAFKA_INVALID_TIMESTAMP, "t", batch_of(&batch));
}

/* A compacted topic wants keys: the records without are named. */
static void compacted_topics_want_keys(void **state)
{
    int64_t now = clock_wall_ms();
    struct built_record rows[] = {{.key = "a", .value = "1", .timestamp_ms = now},
                                  {.key = NULL, .value = "2", .timestamp_ms = now},
                                  {.key = NULL, .value = "3", .timestamp_ms = now}};
    struct built_batch batch = {.records = rows, .record_count = 3};

    (void)state;
    for (int16_t codec = LZ_NONE; codec <= LZ_ZSTD; codec++) {
        batch.attributes = codec;
        const struct produce_response_partition *out =
            produce_to(9, "compacted", 0, batch_of(&batch));
        assert_int_equal(out->error_code, KAFKA_INVALID_RECORD);
        assert_int_equal(out->record_errors_count, 2);
        assert_int_equal(out->record_errors[0].batch_index, 1);
        assert_int_equal(out->record_errors[1].batch_index, 2);
        assert_true(out->error_message.len > 0);
        assert_int_equal(produce_to(9, "t", 0, batch_of(&batch))->error_code, 0);
    }
    rows[1].key = rows[2].key = "k";
    assert_int_equal(produce_to(9, "compacted", 0, batch_of(&batch))->error_code, 0);
}

/* A compressed batch that unfolds to too much is refused, not unfolded. */
static void bombs_do_not_explode(void **state)
{
    struct str plain, packed;
    struct slice batch = fixture_batch(&f, 1, "v");

    (void)state;
    str_init(&plain, 200 * MIB);
    str_init(&packed, 200 * MIB);
    memset(str_extend(&plain, 150 * MIB), 0, 150 * MIB);
    assert_int_equal(lz_compress(LZ_ZSTD, str_slice(&plain), &packed), 0);
    uint8_t *bytes = arena_alloc(&f.arena, BATCH_HEADER_BYTES + packed.len);
    memcpy(bytes, batch.ptr, BATCH_HEADER_BYTES);
    memcpy(bytes + BATCH_HEADER_BYTES, packed.data, packed.len);
    be32_put(bytes + 8, (uint32_t)(BATCH_HEADER_BYTES - 12 + packed.len));
    bytes[22] = LZ_ZSTD;
    batch_seal(bytes);
    const struct produce_response_partition *out =
        produce_to(9, "compacted", 0, slice_of(bytes, BATCH_HEADER_BYTES + packed.len));
    assert_int_not_equal(out->error_code, 0);
    str_fini(&plain);
    str_fini(&packed);
}

/* zstd came with version 7. */
static void zstd_needs_version_7(void **state)
{
    struct built_record row = {.key = "a", .value = "1", .timestamp_ms = clock_wall_ms()};
    struct built_batch batch = {
        .records = &row, .record_count = 1, .attributes = LZ_ZSTD};

    (void)state;
    assert_int_equal(produce_to(6, "t", 0, batch_of(&batch))->error_code,
                     KAFKA_UNSUPPORTED_COMPRESSION_TYPE);
    assert_int_equal(produce_to(7, "t", 0, batch_of(&batch))->error_code, 0);
}

/* LogAppendTime: the batch is stamped, its checksum is right, the reply says when. */
static void log_append_time_is_written(void **state)
{
    int64_t before = clock_wall_ms();
    struct built_record row = {.key = "a", .value = "1", .timestamp_ms = 5};
    struct built_batch batch = {.records = &row, .record_count = 1};

    (void)state;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 1, "test",
                 fixture_produce(&f, 9, "stamped", 0, batch_of(&batch)));
    const struct produce_ask *ask =
        CONTAINER_OF(fake_core_held_ask(f.fake, 0), struct produce_ask, ask);
    struct batch_info info;
    assert_int_equal(batch_parse(ask->parts[0].bytes, &info), 0);
    assert_true(batch_check_crc(&info));
    assert_true(info.attributes & BATCH_LOG_APPEND_TIME);
    assert_true(info.max_timestamp >= before);
    assert_int_equal(ask->parts[0].max_timestamp, info.max_timestamp);
    assert_int_equal(ask->parts[0].log_append_time_ms, info.max_timestamp);
    fake_core_hold(f.fake, ASK_PRODUCE, false);
    fake_core_answer(f.fake, 0);
    struct str frame;
    str_init(&frame, MIB);
    assert_true(fixture_receive(&f, fd, &frame));
    str_fini(&frame);
    assert_true(produce_to(9, "stamped", 0, batch_of(&batch))->log_append_time_ms >=
                before);
}

/* A topic's compression.type: a batch in another codec is packed anew, with its sequence;
 * one that has it already stays as it was sent; both in one request. */
static void batches_are_packed_as_the_topic_wants(void **state)
{
    struct built_record row = {.key = "a", .value = "1", .timestamp_ms = clock_wall_ms()};
    struct built_batch batch = {.records = &row,
                                .record_count = 1,
                                .producer_id = 9,
                                .base_sequence = 4,
                                .attributes = LZ_GZIP};
    struct batch_info info;

    (void)state;
    fake_core_add_topic(f.fake, "zstd", 2, "{\"compression.type\":\"zstd\"}");
    struct slice gzip = batch_of(&batch);
    batch.attributes = LZ_ZSTD;
    struct slice zstd = batch_of(&batch);
    struct produce_request *body = fixture_produce(&f, 9, "zstd", 0, gzip);
    struct produce_request_partition both[2] = {body->topic_data[0].partition_data[0],
                                                body->topic_data[0].partition_data[0]};
    both[1].index = 1;
    both[1].records = zstd;
    body->topic_data[0].partition_data = both;
    body->topic_data[0].partition_data_count = 2;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 1, "test", body);
    const struct produce_ask *ask =
        CONTAINER_OF(fake_core_held_ask(f.fake, 0), struct produce_ask, ask);
    assert_int_equal(ask->part_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *bytes = ask->parts[i].bytes.ptr;
        assert_int_equal(batch_parse(ask->parts[i].bytes, &info), 0);
        assert_true(batch_check_crc(&info));
        assert_int_equal(info.codec, LZ_ZSTD);
        assert_int_equal(info.producer_id, 9);
        assert_int_equal(info.base_sequence, 4);
        assert_true(bytes >= ask->frame->data &&
                    bytes + info.length <= ask->frame->data + ask->frame->len);
    }
    assert_true(slice_eq(ask->parts[1].bytes, zstd));
    fake_core_hold(f.fake, ASK_PRODUCE, false);
    fake_core_answer(f.fake, 0);
    struct str frame;
    str_init(&frame, MIB);
    assert_true(fixture_receive(&f, fd, &frame));
    str_fini(&frame);
    assert_int_equal(produce_to(9, "zstd", 0, gzip)->error_code, 0);
}

/* The size limit holds for what would be stored too. */
static void packing_does_not_pass_the_limit(void **state)
{
    struct built_record rows[8];
    struct built_batch batch = {
        .records = rows, .record_count = 8, .attributes = LZ_ZSTD};
    char value[101];

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    value[100] = '\0';
    for (size_t i = 0; i < 8; i++)
        rows[i] = (struct built_record){
            .key = "a", .value = value, .timestamp_ms = clock_wall_ms()};
    fake_core_add_topic(
        f.fake, "plain", 1,
        "{\"compression.type\":\"uncompressed\",\"max.message.bytes\":\"500\"}");
    assert_int_equal(produce_to(9, "small", 0, batch_of(&batch))->error_code, 0);
    assert_error(KAFKA_MESSAGE_TOO_LARGE, "plain", batch_of(&batch));
    batch.record_count = 1;
    assert_int_equal(produce_to(9, "plain", 0, batch_of(&batch))->error_code, 0);
}

/* A topic that limits how old records may be has each one looked at. */
static void old_records_are_found(void **state)
{
    int64_t now = clock_wall_ms();
    struct built_record rows[] = {{.key = "a", .value = "1", .timestamp_ms = now},
                                  {.key = "b", .value = "2", .timestamp_ms = now - 90000},
                                  {.key = "c", .value = "3", .timestamp_ms = now}};
    struct built_batch batch = {.records = rows, .record_count = 3};

    (void)state;
    fake_core_add_topic(f.fake, "fresh", 1,
                        "{\"message.timestamp.before.max.ms\":\"60000\"}");
    const struct produce_response_partition *out =
        produce_to(8, "fresh", 0, batch_of(&batch));
    assert_int_equal(out->error_code, KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(out->record_errors_count, 1);
    assert_int_equal(out->record_errors[0].batch_index, 1);
    rows[1].timestamp_ms = now - 1000;
    assert_int_equal(produce_to(8, "fresh", 0, batch_of(&batch))->error_code, 0);
}

/* What is set for all brokers is the topics' default: it acts at once, and a topic's own
 * setting stands before it. */
static void defaults_of_all_brokers_act(void **state)
{
    struct built_record row = {.key = "a", .timestamp_ms = clock_wall_ms()};
    struct built_batch batch = {.records = &row, .record_count = 1};
    char value[601];

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    value[600] = '\0';
    row.value = value;
    assert_int_equal(produce_to(9, "t", 0, batch_of(&batch))->error_code, 0);
    fake_core_put_setting(f.fake, "[4,\"\",{\"message.max.bytes\":\"400\"}]");
    assert_error(KAFKA_MESSAGE_TOO_LARGE, "t", batch_of(&batch));
    fake_core_add_topic(f.fake, "own", 1, "{\"max.message.bytes\":\"900\"}");
    assert_int_equal(produce_to(9, "own", 0, batch_of(&batch))->error_code, 0);
    fake_core_put_setting(f.fake, "[4,\"\",{}]");
    assert_int_equal(produce_to(9, "t", 0, batch_of(&batch))->error_code, 0);
}

/* Transactions are not served: 53 without a transactional id, 48 with one. */
static void transactional_batches_are_refused(void **state)
{
    struct built_record row = {.key = "a", .value = "1", .timestamp_ms = clock_wall_ms()};
    struct built_batch batch = {.records = &row,
                                .record_count = 1,
                                .producer_id = 7,
                                .attributes = BATCH_TRANSACTIONAL};

    (void)state;
    assert_error(KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "t", batch_of(&batch));
    struct produce_request *body = fixture_produce(&f, 9, "t", 0, batch_of(&batch));
    body->transactional_id = slice_str("tx");
    const struct produce_response *reply = fixture_call(&f, fd, KAFKA_PRODUCE, 9, body);
    assert_int_equal(reply->responses[0].partition_responses[0].error_code,
                     KAFKA_INVALID_TXN_STATE);
}

/* One bad partition does not fail the others, and answers stay in place. */
static void partitions_are_independent(void **state)
{
    struct slice good = fixture_batch(&f, 1, "v");
    uint8_t bad[500];
    struct produce_request_partition partitions[4] = {
        {.index = 3, .records = good},
        {.index = 2, .records = {bad, good.len}},
        {.index = 9, .records = good},
        {.index = 1, .records = good},
    };
    struct produce_request *body = fixture_produce(&f, 9, "t", 0, good);

    (void)state;
    memcpy(bad, good.ptr, good.len);
    bad[good.len - 1] ^= 1;
    body->topic_data[0].partition_data = partitions;
    body->topic_data[0].partition_data_count = 4;
    const struct produce_response *reply = fixture_call(&f, fd, KAFKA_PRODUCE, 9, body);
    const struct produce_response_partition *out =
        reply->responses[0].partition_responses;
    assert_int_equal(out[0].index, 3);
    assert_int_equal(out[0].error_code, 0);
    assert_int_equal(out[1].index, 2);
    assert_int_equal(out[1].error_code, KAFKA_CORRUPT_MESSAGE);
    assert_int_equal(out[2].index, 9);
    assert_int_equal(out[2].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out[3].index, 1);
    assert_int_equal(out[3].error_code, 0);
    assert_int_equal(fake_core_end(f.fake, "t", 3), 1);
    assert_int_equal(fake_core_end(f.fake, "t", 2), 0);
    assert_int_equal(fake_core_end(f.fake, "t", 1), 1);
}

/* What the core says of a partition reaches the client. */
static void the_cores_errors_are_passed_on(void **state)
{
    (void)state;
    fake_core_fail(f.fake, KAFKA_INVALID_PRODUCER_EPOCH);
    assert_error(KAFKA_INVALID_PRODUCER_EPOCH, "t", fixture_batch(&f, 1, "v"));
    fake_core_fail(f.fake, 0);
}

/* A topic deleted on the way is 3 where topics have names, 100 where they have ids. */
static void deleted_on_the_way(void **state)
{
    struct slice batch = fixture_batch(&f, 1, "v");

    (void)state;
    fake_core_fail(f.fake, KAFKA_UNKNOWN_TOPIC_ID);
    assert_int_equal(produce_to(9, "t", 0, batch)->error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(produce_to(13, "t", 0, batch)->error_code, KAFKA_UNKNOWN_TOPIC_ID);
    fake_core_fail(f.fake, 0);
}

/* A request without any partition is answered without the core. */
static void nothing_is_answered_with_nothing(void **state)
{
    struct produce_request body = produce_request_defaults;

    (void)state;
    body.transactional_id = SLICE_NULL;
    body.acks = -1;
    const struct produce_response *reply = fixture_call(&f, fd, KAFKA_PRODUCE, 9, &body);
    assert_int_equal(reply->responses_count, 0);
    assert_int_equal(fake_core_asks(f.fake, ASK_PRODUCE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(all_versions_append),
        TEST(acks_are_checked),
        TEST(acks_0_is_silent),
        TEST(unknown_targets),
        TEST(broken_batches),
        TEST(sizes_are_checked),
        TEST(timestamps_are_checked),
        TEST(compacted_topics_want_keys),
        TEST(bombs_do_not_explode),
        TEST(zstd_needs_version_7),
        TEST(batches_are_packed_as_the_topic_wants),
        TEST(packing_does_not_pass_the_limit),
        TEST(old_records_are_found),
        TEST(defaults_of_all_brokers_act),
        TEST(log_append_time_is_written),
        TEST(transactional_batches_are_refused),
        TEST(partitions_are_independent),
        TEST(the_cores_errors_are_passed_on),
        TEST(deleted_on_the_way),
        TEST(nothing_is_answered_with_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
