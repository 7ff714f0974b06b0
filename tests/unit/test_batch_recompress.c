/* test_batch_recompress.c - a batch as another codec packs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"
#include "tests/lib/batch_builder.h"

#define PLAIN_MAX (16 * MIB)

static const struct built_header header = {"h", "x"};

static void build(int16_t codec, struct str *out)
{
    const struct built_record records[] = {
        {.key = "a", .value = "first", .timestamp_ms = 1000},
        {.key = NULL, .value = "second", .timestamp_ms = 3000},
        {.key = "c", .value = NULL, .timestamp_ms = 2000, &header, 1}};
    const struct built_batch batch = {.records = records,
                                      .record_count = 3,
                                      .producer_id = 77,
                                      .producer_epoch = 3,
                                      .base_sequence = 12,
                                      .attributes = codec};
    batch_build(&batch, out);
}

/* The records of a batch, one after another as text. */
static void print_records(const struct batch_info *info, struct str *out)
{
    struct record_iter iter;
    struct record record;
    assert_int_equal(record_iter_init(&iter, info, PLAIN_MAX), 0);
    while (record_iter_next(&iter, &record))
        str_printf(out, "%lld %lld %.*s %.*s %d\n", (long long)record.offset,
                   (long long)record.timestamp_ms, (int)record.key.len,
                   (const char *)record.key.ptr, (int)record.value.len,
                   (const char *)record.value.ptr, record.header_count);
    assert_int_equal(iter.error, 0);
    record_iter_fini(&iter);
}

/* From any codec to any: the same records, sequence, epoch and times; codec, length and
 * checksum are those of the new batch. */
static void every_codec_becomes_every_other(void **state)
{
    (void)state;
    for (int16_t from = LZ_NONE; from <= LZ_ZSTD; from++) {
        for (int to = LZ_NONE; to <= LZ_ZSTD; to++) {
            struct batch_info before, after;
            struct str batch, packed, want, got;
            str_init(&batch, MIB);
            str_init(&packed, MIB);
            str_init(&want, MIB);
            str_init(&got, MIB);
            build(from, &batch);
            assert_int_equal(batch_parse(str_slice(&batch), &before), 0);
            int level = to == LZ_GZIP ? -1 : to == LZ_LZ4 ? 9 : 3;
            assert_int_equal(
                batch_recompress(&before, (enum lz_codec)to, level, PLAIN_MAX, &packed),
                0);
            assert_int_equal(batch_parse(str_slice(&packed), &after), 0);
            assert_true(batch_check_crc(&after));
            assert_int_equal(after.length, packed.len);
            assert_int_equal(after.codec, to);
            assert_int_equal(after.producer_id, 77);
            assert_int_equal(after.producer_epoch, 3);
            assert_int_equal(after.base_sequence, 12);
            assert_int_equal(after.count, 3);
            assert_int_equal(after.base_timestamp, before.base_timestamp);
            assert_int_equal(after.max_timestamp, 3000);
            print_records(&before, &want);
            print_records(&after, &got);
            assert_string_equal(str_cstr(&want), str_cstr(&got));
            str_fini(&batch);
            str_fini(&packed);
            str_fini(&want);
            str_fini(&got);
        }
    }
}

/* A higher level packs no worse. */
static void levels_count(void **state)
{
    struct str text, best, fast;
    (void)state;
    str_init(&text, MIB);
    for (int i = 0; i < 4000; i++)
        str_printf(&text, "%d,%d;", i * i % 977, i);
    for (int codec = LZ_GZIP; codec <= LZ_ZSTD; codec++) {
        str_init(&best, MIB);
        str_init(&fast, MIB);
        assert_int_equal(
            lz_compress_level((enum lz_codec)codec, 1, str_slice(&text), &fast), 0);
        assert_int_equal(
            lz_compress_level((enum lz_codec)codec, 9, str_slice(&text), &best), 0);
        if (codec == LZ_SNAPPY)
            assert_int_equal(best.len, fast.len);
        else
            assert_true(best.len < fast.len);
        str_fini(&best);
        str_fini(&fast);
    }
    str_fini(&text);
}

/* What does not unpack, or is not what its header says, is refused and leaves nothing. */
static void damage_is_refused(void **state)
{
    struct str batch, packed;
    struct batch_info info;

    (void)state;
    str_init(&batch, MIB);
    str_init(&packed, MIB);
    build(LZ_GZIP, &batch);
    batch.data[BATCH_HEADER_BYTES] ^= 0x55;
    assert_int_equal(batch_parse(str_slice(&batch), &info), 0);
    assert_int_equal(batch_recompress(&info, LZ_ZSTD, 3, PLAIN_MAX, &packed),
                     KAFKA_CORRUPT_MESSAGE);
    str_reset(&batch);
    build(LZ_NONE, &batch);
    batch.data[batch.len - 1] = 9; /* counts more headers than there are */
    assert_int_equal(batch_parse(str_slice(&batch), &info), 0);
    info.count = 4;
    assert_int_equal(batch_recompress(&info, LZ_ZSTD, 3, PLAIN_MAX, &packed),
                     KAFKA_INVALID_RECORD);
    info.count = 3;
    assert_int_equal(batch_recompress(&info, LZ_NONE, 0, 8, &packed),
                     KAFKA_MESSAGE_TOO_LARGE);
    assert_int_equal(packed.len, 0);
    str_fini(&batch);
    str_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_becomes_every_other),
        cmocka_unit_test(levels_count),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
