/* fuzz_batch.c - records of a Produce request, and batches read back from objects.
 *
 * Bit 0 of the first byte: mend length, magic and checksum, so that mutations reach what
 * lies behind them. The other bits choose the topic's policy. The rest is the bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/defs.h"
#include "proto/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_MAX (256 * KIB)
#define NOW_MS    1700000000000

static void mend(uint8_t *batch, size_t size)
{
    if (size < BATCH_HEADER_BYTES)
        return;
    be64_put(batch, 0);
    be32_put(batch + 8, (uint32_t)size - BATCH_LENGTH_OVERHEAD);
    batch[16] = BATCH_MAGIC;
    be32_put(batch + 17, crc32c(batch + 21, size - 21));
}

/* Count what the iterator yields; every slice must lie in the batch or its plain form. */
static void walk(const struct batch_info *info)
{
    struct record_iter iter;
    struct record record;
    if (record_iter_init(&iter, info, PLAIN_MAX) != 0)
        return;
    int32_t n = 0;
    size_t sum = 0;
    for (; record_iter_next(&iter, &record); n++) {
        struct slice rest = record.headers, key, value;
        int32_t headers = 0;
        for (; record_header_next(&rest, &key, &value); headers++)
            sum += key.len + value.len;
        if (headers != record.header_count)
            abort();
        sum += record.key.len + record.value.len;
    }
    if ((iter.error == 0) != (n == info->count && reader_left(&iter.r) == 0))
        abort();
    if (sum > MAX(PLAIN_MAX, (size_t)info->length))
        abort();
    record_iter_fini(&iter);
}

static void look_into(const struct batch_info *info, const struct batch_policy *policy)
{
    struct batch_record_rules rules = {
        .require_key = true, .policy = policy, .max_bytes = PLAIN_MAX};
    struct batch_bad_record bad[4];
    size_t bad_count;
    bool found;
    int64_t offset, at_ms;
    walk(info);
    (void)batch_check_records(info, &rules, bad, ARRAY_LEN(bad), &bad_count);
    if (bad_count > ARRAY_LEN(bad))
        abort();
    if (batch_find_timestamp(info, NOW_MS, 0, PLAIN_MAX, &found, &offset, &at_ms) == 0 &&
        found && at_ms < NOW_MS)
        abort();
    if (batch_find_max_timestamp(info, 0, PLAIN_MAX, &found, &offset, &at_ms) == 0 &&
        found && offset < 0)
        abort();
}

/* A batch that was taken can be patched, and is still good. */
static void patch(uint8_t *batch, const struct batch_info *info)
{
    struct batch_info again;
    batch_put_base_offset(batch, 123456789, 7);
    batch_set_log_append_time(batch, NOW_MS);
    if (batch_parse(info->bytes, &again) != 0 || !batch_check_crc(&again) ||
        again.base_offset != 123456789 || again.max_timestamp != NOW_MS ||
        batch_end_offset(&again) != 123456789 + info->count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MIB)
        return 0;
    struct batch_policy policy = {
        .max_bytes = data[0] & 2 ? 512 : UINT32_MAX,
        .max_segment_bytes = UINT32_MAX,
        .log_append_time = (data[0] & 4) != 0,
        .zstd_allowed = (data[0] & 8) != 0,
        .now_ms = NOW_MS,
        .before_max_ms = data[0] & 16 ? 1000 : INT64_MAX,
        .after_max_ms = data[0] & 32 ? INT64_MAX : 3600000,
    };
    size_t len = size - 1;
    uint8_t *bytes = malloc(len + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data + 1, len);
    if (data[0] & 1)
        mend(bytes, len);

    struct batch_iter iter;
    struct batch_info info;
    batch_iter_init(&iter, slice_of(bytes, len));
    while (batch_iter_next(&iter, &info))
        look_into(&info, &policy);

    struct batch_verdict verdict;
    int16_t error =
        batch_validate_produce(slice_of(bytes, len), &policy, &info, &verdict);
    if (error != verdict.error || (error == 0) != (verdict.text == NULL))
        abort();
    if (error == 0) {
        if (!batch_check_crc(&info) || info.length != len)
            abort();
        patch(bytes, &info);
    }
    free(bytes);
    return 0;
}
