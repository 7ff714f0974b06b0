/* test_batch.c - record batches: what is taken from a producer and what is not, patches,
 * and the walk over records in every codec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "common/crc32c.h"
#include "common/defs.h"
#include "common/err.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"
#include "tests/lib/batch_builder.h"

#define NOW 1700000000000

static const struct built_header headers[] = {{"trace", "abc"}, {"none", NULL}};
static const struct built_record three[] = {
    {"k0", "v0", NOW, headers, 2},
    {NULL, "value one", NOW + 7, NULL, 0},
    {"k2", NULL, NOW + 3, NULL, 0},
};

static const struct batch_policy policy = {
    .max_bytes = 1048588,
    .max_segment_bytes = 1 << 30,
    .zstd_allowed = true,
    .now_ms = NOW,
    .before_max_ms = INT64_MAX,
    .after_max_ms = 3600000,
};

/* A batch of `three` that a test may damage. */
struct fixture {
    struct str bytes;
    struct batch_info info;
    struct batch_verdict verdict;
};

static void build(struct fixture *f, int16_t attributes, int64_t producer_id)
{
    str_init(&f->bytes, MIB);
    batch_build(&(struct built_batch){.attributes = attributes,
                                      .producer_id = producer_id,
                                      .base_sequence = 40,
                                      .records = three,
                                      .record_count = 3},
                &f->bytes);
}

static uint8_t *at(struct fixture *f, size_t offset)
{
    return (uint8_t *)f->bytes.data + offset;
}

/* The error for the bytes as they are; a sealed checksum unless the test broke it. */
static int judge(struct fixture *f, const struct batch_policy *p)
{
    int16_t error =
        batch_validate_produce(str_slice(&f->bytes), p, &f->info, &f->verdict);
    assert_int_equal(error, f->verdict.error);
    assert_int_equal(error == 0, f->verdict.text == NULL);
    str_fini(&f->bytes);
    return error;
}

static int judge_sealed(struct fixture *f, const struct batch_policy *p)
{
    batch_seal(at(f, 0));
    return judge(f, p);
}

/* Parsing gives every header field, and the length of the whole batch. */
static void test_parse(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE | BATCH_TRANSACTIONAL, 77);
    be32_put(at(&f, 12), 9);
    be16_put(at(&f, 51), 3);
    batch_seal(at(&f, 0));
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(f.info.length, f.bytes.len);
    assert_int_equal(f.info.leader_epoch, 9);
    assert_int_equal(f.info.magic, 2);
    assert_int_equal(f.info.attributes, BATCH_TRANSACTIONAL);
    assert_int_equal(f.info.count, 3);
    assert_int_equal(f.info.last_offset_delta, 2);
    assert_int_equal(f.info.base_timestamp, NOW);
    assert_int_equal(f.info.max_timestamp, NOW + 7);
    assert_int_equal(f.info.producer_id, 77);
    assert_int_equal(f.info.producer_epoch, 3);
    assert_int_equal(f.info.base_sequence, 40);
    assert_int_equal(batch_last_sequence(&f.info), 42);
    assert_int_equal(batch_end_offset(&f.info), 3);
    assert_true(batch_check_crc(&f.info));
    str_fini(&f.bytes);
}

/* Sequences wrap from 2^31-1 to 0 (KIP-98). */
static void test_sequence_wraps(void **state)
{
    (void)state;
    struct batch_info info = {
        .producer_id = 1, .base_sequence = INT32_MAX - 1, .last_offset_delta = 3};
    assert_int_equal(batch_last_sequence(&info), 1);
    info.producer_id = -1;
    assert_int_equal(batch_last_sequence(&info), -1);
}

/* A batch that is cut anywhere does not parse. */
static void test_parse_cut(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    for (size_t len = 0; len < f.bytes.len; len++)
        assert_int_equal(batch_parse(slice_of(f.bytes.data, len), &f.info),
                         ERR_MALFORMED);
    be32_put(at(&f, 8), UINT32_MAX);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), ERR_MALFORMED);
    be32_put(at(&f, 8), INT32_MAX);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), ERR_MALFORMED);
    str_fini(&f.bytes);
}

/* An honest batch of each codec is taken, with or without a producer id. */
static void test_validate_good(void **state)
{
    (void)state;
    for (int16_t codec = LZ_NONE; codec <= LZ_ZSTD; codec++) {
        for (int64_t pid = 0; pid < 2; pid++) {
            struct fixture f;
            build(&f, codec, pid);
            assert_int_equal(judge(&f, &policy), 0);
            assert_int_equal(f.info.codec, codec);
            assert_int_equal(batch_has_producer(&f.info), pid == 1);
        }
    }
}

/* Nothing, a stump, two batches and the old magics are INVALID_RECORD (87); magics to
 * come are CORRUPT_MESSAGE. So Apache Kafka 4.2.1 answers. */
static void test_validate_framing(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    str_reset(&f.bytes);
    assert_int_equal(judge(&f, &policy), KAFKA_INVALID_RECORD);
    build(&f, LZ_NONE, 0);
    f.bytes.len--;
    assert_int_equal(judge(&f, &policy), KAFKA_INVALID_RECORD);
    build(&f, LZ_NONE, 0);
    str_append(&f.bytes, f.bytes.data, 1);
    assert_int_equal(judge(&f, &policy), KAFKA_INVALID_RECORD);
    static const int by_magic[] = {KAFKA_INVALID_RECORD, KAFKA_INVALID_RECORD, KAFKA_NONE,
                                   KAFKA_CORRUPT_MESSAGE};
    for (uint8_t magic = 0; magic < ARRAY_LEN(by_magic); magic++) {
        build(&f, LZ_NONE, 0);
        *at(&f, 16) = magic;
        assert_int_equal(judge(&f, &policy), by_magic[magic]);
    }
    assert_int_equal(batch_validate_produce(SLICE_NULL, &policy, &f.info, &f.verdict),
                     KAFKA_INVALID_RECORD);
}

/* Lengths below the header and wrong checksums are CORRUPT_MESSAGE (2), which clients
 * retry. */
static void test_validate_corrupt(void **state)
{
    (void)state;
    struct fixture f;
    static const uint32_t lengths[] = {0, 10, 14, 48, UINT32_MAX, 0x80000000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        build(&f, LZ_NONE, 0);
        be32_put(at(&f, 8), lengths[i]);
        assert_int_equal(judge(&f, &policy), KAFKA_CORRUPT_MESSAGE);
    }
    build(&f, LZ_NONE, 0);
    size_t len = f.bytes.len;
    str_fini(&f.bytes);
    for (size_t i = 17; i < len; i++) {
        build(&f, LZ_NONE, 0);
        *at(&f, i) ^= 0x80;
        assert_int_equal(judge(&f, &policy), KAFKA_CORRUPT_MESSAGE);
    }
}

/* The size limit counts the whole batch, its first 12 bytes included: at the limit it
 * passes, one byte above it does not. */
static void test_validate_size(void **state)
{
    (void)state;
    struct fixture f;
    struct batch_policy p = policy;
    build(&f, LZ_NONE, 0);
    p.max_bytes = (uint32_t)f.bytes.len;
    assert_int_equal(judge(&f, &p), 0);
    build(&f, LZ_NONE, 0);
    p.max_bytes--;
    assert_int_equal(judge(&f, &p), KAFKA_MESSAGE_TOO_LARGE);
    build(&f, LZ_NONE, 0);
    p = policy;
    p.max_segment_bytes = (uint32_t)f.bytes.len - 1;
    assert_int_equal(judge(&f, &p), KAFKA_RECORD_LIST_TOO_LARGE);
}

/* zstd needs Produce v7; codecs that nobody defined are refused in all versions. */
static void test_validate_codec(void **state)
{
    (void)state;
    struct fixture f;
    struct batch_policy p = policy;
    p.zstd_allowed = false;
    build(&f, LZ_ZSTD, 0);
    assert_int_equal(judge(&f, &p), KAFKA_UNSUPPORTED_COMPRESSION_TYPE);
    build(&f, LZ_LZ4, 0);
    assert_int_equal(judge(&f, &p), 0);
    for (uint8_t codec = 5; codec < 8; codec++) {
        build(&f, LZ_NONE, 0);
        *at(&f, 22) = codec;
        assert_int_equal(judge_sealed(&f, &policy), KAFKA_UNSUPPORTED_COMPRESSION_TYPE);
    }
}

/* Base offset, count, last delta, control bit and sequence must be a producer's. */
static void test_validate_header(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    be64_put(at(&f, 0), 1);
    assert_int_equal(judge(&f, &policy), KAFKA_INVALID_RECORD);

    static const struct {
        uint32_t last_delta, count;
    } bad[] = {{3, 3},
               {1, 3},
               {UINT32_MAX, 0},
               {0, 0},
               {0x7fffffff, 0x80000000},
               {0xfffffffe, UINT32_MAX},
               {0x7ffffffe, 0x7fffffff},
               {99, 100}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        build(&f, LZ_NONE, 0);
        be32_put(at(&f, 23), bad[i].last_delta);
        be32_put(at(&f, 57), bad[i].count);
        assert_int_equal(judge_sealed(&f, &policy), KAFKA_INVALID_RECORD);
    }
    build(&f, BATCH_CONTROL, 0);
    assert_int_equal(judge(&f, &policy), KAFKA_INVALID_RECORD);
    build(&f, LZ_NONE, 5);
    be32_put(at(&f, 53), UINT32_MAX);
    assert_int_equal(judge_sealed(&f, &policy), KAFKA_INVALID_RECORD);
    build(&f, LZ_NONE, 5);
    be16_put(at(&f, 51), UINT16_MAX);
    assert_int_equal(judge_sealed(&f, &policy), KAFKA_INVALID_RECORD);
}

static int judge_at(int64_t base_ms, int64_t max_ms, const struct batch_policy *p)
{
    struct fixture f;
    build(&f, LZ_NONE, 0);
    be64_put(at(&f, 27), (uint64_t)base_ms);
    be64_put(at(&f, 35), (uint64_t)max_ms);
    return judge_sealed(&f, p);
}

/* Timestamps: up to now + after.max and down to now - before.max, -1 always, unless the
 * log stamps them itself; the LogAppendTime bit is the log's alone. */
static void test_validate_timestamps(void **state)
{
    (void)state;
    struct batch_policy p = policy;
    assert_int_equal(judge_at(NOW, NOW + 3600000, &p), 0);
    assert_int_equal(judge_at(NOW, NOW + 3600001, &p), KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(judge_at(0, 0, &p), 0);
    assert_int_equal(judge_at(-1, -1, &p), 0);
    assert_int_equal(judge_at(INT64_MIN, 0, &p), 0);
    assert_int_equal(judge_at(0, INT64_MAX, &p), KAFKA_INVALID_TIMESTAMP);
    p.before_max_ms = 1000;
    assert_int_equal(judge_at(NOW - 1000, NOW, &p), 0);
    assert_int_equal(judge_at(NOW - 1001, NOW, &p), KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(judge_at(INT64_MIN, NOW, &p), KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(judge_at(-1, -1, &p), 0);
    p.log_append_time = true;
    assert_int_equal(judge_at(0, INT64_MAX, &p), 0);
    struct fixture f;
    build(&f, BATCH_LOG_APPEND_TIME, 0);
    assert_int_equal(judge(&f, &p), KAFKA_INVALID_TIMESTAMP);
}

/* Base offset and leader epoch lie outside of the checksum; both ways of patching them
 * give the same bytes. */
static void test_put_base_offset(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    uint8_t head[BATCH_PATCH_BYTES];
    batch_patched_head(&f.info, 1234567890123, 6, head);
    batch_put_base_offset(at(&f, 0), 1234567890123, 6);
    assert_memory_equal(head, f.bytes.data, sizeof(head));
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(f.info.base_offset, 1234567890123);
    assert_int_equal(f.info.leader_epoch, 6);
    assert_true(batch_check_crc(&f.info));
    str_fini(&f.bytes);
}

/* LogAppendTime sets bit 3 and the max timestamp, and the checksum fits again; readers
 * then see that time on every record. */
static void test_log_append_time(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_GZIP, 0);
    batch_set_log_append_time(at(&f, 0), NOW + 99);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_true(batch_check_crc(&f.info));
    assert_int_equal(f.info.attributes, LZ_GZIP | BATCH_LOG_APPEND_TIME);
    assert_int_equal(f.info.max_timestamp, NOW + 99);
    assert_int_equal(f.info.base_timestamp, NOW);
    struct record_iter iter;
    struct record record;
    int n = 0;
    assert_int_equal(record_iter_init(&iter, &f.info, MIB), 0);
    for (; record_iter_next(&iter, &record); n++)
        assert_int_equal(record.timestamp_ms, NOW + 99);
    assert_int_equal(n, 3);
    assert_int_equal(iter.error, 0);
    record_iter_fini(&iter);
    str_fini(&f.bytes);
}

/* Batches back to back come out one by one; damage after the second is told apart from
 * the end. */
static void test_batch_iter(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    batch_build(
        &(struct built_batch){.base_offset = 3, .records = three, .record_count = 2},
        &f.bytes);
    struct batch_iter iter;
    batch_iter_init(&iter, str_slice(&f.bytes));
    assert_true(batch_iter_next(&iter, &f.info));
    assert_int_equal(f.info.count, 3);
    assert_true(batch_iter_next(&iter, &f.info));
    assert_int_equal(f.info.base_offset, 3);
    assert_int_equal(f.info.count, 2);
    assert_false(batch_iter_next(&iter, &f.info));
    assert_int_equal(iter.error, 0);

    batch_iter_init(&iter, slice_of(f.bytes.data, f.bytes.len - 1));
    assert_true(batch_iter_next(&iter, &f.info));
    assert_false(batch_iter_next(&iter, &f.info));
    assert_int_equal(iter.error, ERR_MALFORMED);
    assert_false(batch_iter_next(&iter, &f.info));
    str_fini(&f.bytes);
}

static void assert_field(struct slice s, const char *expected)
{
    assert_int_equal(s.ptr == NULL, expected == NULL);
    assert_true(expected == NULL || slice_eq_str(s, expected));
}

/* Records of every codec come out with offset, time, key, value and headers, nulls kept
 * apart from empty. */
static void test_records(void **state)
{
    (void)state;
    for (int16_t codec = LZ_NONE; codec <= LZ_ZSTD; codec++) {
        struct fixture f;
        build(&f, codec, 0);
        batch_put_base_offset(at(&f, 0), 500, 0);
        assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
        struct record_iter iter;
        struct record record;
        assert_int_equal(record_iter_init(&iter, &f.info, MIB), 0);
        for (int i = 0; i < 3; i++) {
            assert_true(record_iter_next(&iter, &record));
            assert_int_equal(record.offset, 500 + i);
            assert_int_equal(record.timestamp_ms, three[i].timestamp_ms);
            assert_field(record.key, three[i].key);
            assert_field(record.value, three[i].value);
            assert_int_equal(record.header_count, three[i].header_count);
            struct slice rest = record.headers, key, value;
            for (size_t h = 0; h < three[i].header_count; h++) {
                assert_true(record_header_next(&rest, &key, &value));
                assert_field(key, headers[h].key);
                assert_field(value, headers[h].value);
            }
            assert_false(record_header_next(&rest, &key, &value));
        }
        assert_false(record_iter_next(&iter, &record));
        assert_int_equal(iter.error, 0);
        record_iter_fini(&iter);
        str_fini(&f.bytes);
    }
}

static int walk(const struct batch_info *info, size_t max_bytes)
{
    struct record_iter iter;
    struct record record;
    int rc = record_iter_init(&iter, info, max_bytes);
    if (rc != 0)
        return rc;
    while (record_iter_next(&iter, &record))
        ;
    rc = iter.error;
    record_iter_fini(&iter);
    return rc;
}

/* Fewer or more records than the header counts, and lengths that lead outside, are
 * malformed, whatever byte is wrong; nothing is read past the end. */
static void test_records_damaged(void **state)
{
    (void)state;
    struct fixture f;
    build(&f, LZ_NONE, 0);
    for (int32_t count = 0; count < 6; count++) {
        be32_put(at(&f, 57), (uint32_t)count);
        assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
        assert_int_equal(walk(&f.info, MIB), count == 3 ? 0 : ERR_MALFORMED);
    }
    be32_put(at(&f, 57), 3);
    uint8_t *first = at(&f, 61);
    *first ^= 2; /* the length of the first record, one off */
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(walk(&f.info, MIB), ERR_MALFORMED);
    str_fini(&f.bytes);
}

/* A batch that would unpack to more than the limit fails before it is unpacked. */
static void test_records_bomb(void **state)
{
    (void)state;
    static char zeros[400001];
    memset(zeros, '0', sizeof(zeros) - 1);
    struct built_record record = {"k", zeros, NOW, NULL, 0};
    for (int16_t codec = LZ_NONE; codec <= LZ_ZSTD; codec++) {
        struct fixture f;
        str_init(&f.bytes, MIB);
        batch_build(&(struct built_batch){.attributes = codec,
                                          .records = &record,
                                          .record_count = 1},
                    &f.bytes);
        assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
        assert_int_equal(walk(&f.info, 100000), ERR_TOO_LARGE);
        assert_int_equal(walk(&f.info, MIB), 0);
        str_fini(&f.bytes);
    }
}

/* ListOffsets by time is exact to the record, and looks at or above the log start only.
 */
static void test_find_timestamp(void **state)
{
    (void)state;
    struct fixture f;
    bool found;
    int64_t offset, when;
    build(&f, LZ_SNAPPY, 0);
    batch_put_base_offset(at(&f, 0), 10, 0);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(
        batch_find_timestamp(&f.info, NOW + 1, 0, MIB, &found, &offset, &when), 0);
    assert_true(found);
    assert_int_equal(offset, 11);
    assert_int_equal(when, NOW + 7);
    assert_int_equal(batch_find_timestamp(&f.info, 0, 12, MIB, &found, &offset, &when),
                     0);
    assert_true(found);
    assert_int_equal(offset, 12);
    assert_int_equal(when, NOW + 3);
    assert_int_equal(
        batch_find_timestamp(&f.info, NOW + 8, 0, MIB, &found, &offset, &when), 0);
    assert_false(found);

    assert_int_equal(batch_find_max_timestamp(&f.info, 0, MIB, &found, &offset, &when),
                     0);
    assert_true(found);
    assert_int_equal(offset, 11);
    assert_int_equal(when, NOW + 7);
    assert_int_equal(batch_find_max_timestamp(&f.info, 12, MIB, &found, &offset, &when),
                     0);
    assert_int_equal(offset, 12);
    assert_int_equal(batch_find_max_timestamp(&f.info, 13, MIB, &found, &offset, &when),
                     0);
    assert_false(found);
    assert_int_not_equal(batch_find_timestamp(&f.info, NOW, 0, 4, &found, &offset, &when),
                         0);
    str_fini(&f.bytes);
}

/* The greatest timestamp's first record is the answer, not the last that equals it. */
static void test_find_max_timestamp_first(void **state)
{
    (void)state;
    static const struct built_record same[] = {{"a", "1", NOW, NULL, 0},
                                               {"b", "2", NOW + 5, NULL, 0},
                                               {"c", "3", NOW + 5, NULL, 0}};
    struct fixture f;
    bool found;
    int64_t offset, when;
    str_init(&f.bytes, MIB);
    batch_build(&(struct built_batch){.records = same, .record_count = 3}, &f.bytes);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(batch_find_max_timestamp(&f.info, 0, MIB, &found, &offset, &when),
                     0);
    assert_true(found);
    assert_int_equal(offset, 1);
    str_fini(&f.bytes);
}

/* Compacted topics refuse null keys and tell which records; times are judged one by one;
 * holes in the inner offsets are refused. */
static void test_check_records(void **state)
{
    (void)state;
    struct fixture f;
    struct batch_bad_record bad[2];
    size_t n;
    struct batch_policy p = policy;
    struct batch_record_rules rules = {
        .require_key = true, .policy = &p, .max_bytes = MIB};
    build(&f, LZ_LZ4, 0);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_INVALID_RECORD);
    assert_int_equal(n, 1);
    assert_int_equal(bad[0].index, 1);
    rules.require_key = false;
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n), 0);
    assert_int_equal(n, 0);
    p.after_max_ms = 5;
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(bad[0].index, 1);
    p.after_max_ms = -1;
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_INVALID_TIMESTAMP);
    assert_int_equal(n, 2); /* of three: no room for more */
    p.log_append_time = true;
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n), 0);
    rules.max_bytes = 8;
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_MESSAGE_TOO_LARGE);
    rules.max_bytes = MIB;
    memset(at(&f, 61), 0xee, f.bytes.len - 61);
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_CORRUPT_MESSAGE);
    str_fini(&f.bytes);

    static const int32_t gaps[] = {0, 2, 2};
    str_init(&f.bytes, MIB);
    batch_build(
        &(struct built_batch){.records = three, .record_count = 3, .offset_deltas = gaps},
        &f.bytes);
    assert_int_equal(batch_parse(str_slice(&f.bytes), &f.info), 0);
    assert_int_equal(batch_check_records(&f.info, &rules, bad, 2, &n),
                     KAFKA_INVALID_RECORD);
    assert_int_equal(bad[0].index, 1);
    str_fini(&f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_sequence_wraps),
        cmocka_unit_test(test_parse_cut),
        cmocka_unit_test(test_validate_good),
        cmocka_unit_test(test_validate_framing),
        cmocka_unit_test(test_validate_corrupt),
        cmocka_unit_test(test_validate_size),
        cmocka_unit_test(test_validate_codec),
        cmocka_unit_test(test_validate_header),
        cmocka_unit_test(test_validate_timestamps),
        cmocka_unit_test(test_put_base_offset),
        cmocka_unit_test(test_log_append_time),
        cmocka_unit_test(test_batch_iter),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_records_damaged),
        cmocka_unit_test(test_records_bomb),
        cmocka_unit_test(test_find_timestamp),
        cmocka_unit_test(test_find_max_timestamp_first),
        cmocka_unit_test(test_check_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
