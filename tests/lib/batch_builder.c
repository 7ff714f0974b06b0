/* batch_builder.c - record batches for tests. Written against the format's description,
 * not with proto/batch.c, so that a mistake there does not hide here. */
#include "tests/lib/batch_builder.h"

#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/defs.h"
#include "common/lz.h"

static void put_field(struct str *out, const char *s)
{
    write_varint(out, s == NULL ? -1 : (int64_t)strlen(s));
    str_append_slice(out, slice_str(s));
}

static void put_record(struct str *out, const struct built_record *record,
                       int64_t base_timestamp, int32_t offset_delta)
{
    struct str body;
    str_init(&body, 64 * MIB);
    write_u8(&body, 0);
    write_varint(&body, record->timestamp_ms - base_timestamp);
    write_varint(&body, offset_delta);
    put_field(&body, record->key);
    put_field(&body, record->value);
    write_varint(&body, (int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        put_field(&body, record->headers[i].key);
        put_field(&body, record->headers[i].value);
    }
    write_varint(out, (int64_t)body.len);
    str_append_slice(out, str_slice(&body));
    str_fini(&body);
}

static int32_t offset_delta(const struct built_batch *batch, size_t i)
{
    return batch->offset_deltas == NULL ? (int32_t)i : batch->offset_deltas[i];
}

void batch_build(const struct built_batch *batch, struct str *out)
{
    struct str plain, packed;
    size_t start = out->len, n = batch->record_count;
    int64_t base_ts = n == 0 ? -1 : batch->records[0].timestamp_ms, max_ts = base_ts;
    str_init(&plain, 64 * MIB);
    str_init(&packed, 64 * MIB);
    for (size_t i = 0; i < n; i++) {
        put_record(&plain, &batch->records[i], base_ts, offset_delta(batch, i));
        max_ts = MAX(max_ts, batch->records[i].timestamp_ms);
    }
    int codec = batch->attributes & 7;
    if (codec == LZ_NONE)
        str_append_slice(&packed, str_slice(&plain));
    else
        ASSERT(lz_compress((enum lz_codec)codec, str_slice(&plain), &packed) == 0);

    write_u64(out, (uint64_t)batch->base_offset);
    write_u32(out, (uint32_t)(49 + packed.len));
    write_u32(out, UINT32_MAX); /* leader epoch: none */
    write_u8(out, 2);
    write_u32(out, 0); /* checksum: below */
    write_u16(out, (uint16_t)batch->attributes);
    write_u32(out, (uint32_t)(n == 0 ? 0 : offset_delta(batch, n - 1)));
    write_u64(out, (uint64_t)base_ts);
    write_u64(out, (uint64_t)max_ts);
    int64_t producer_id = batch->producer_id == 0 ? -1 : batch->producer_id;
    write_u64(out, (uint64_t)producer_id);
    write_u16(out, (uint16_t)(producer_id < 0 ? -1 : batch->producer_epoch));
    write_u32(out, (uint32_t)(producer_id < 0 ? -1 : batch->base_sequence));
    write_u32(out, (uint32_t)n);
    str_append_slice(out, str_slice(&packed));
    ASSERT(!out->overflowed);
    batch_seal((uint8_t *)out->data + start);
    str_fini(&packed);
    str_fini(&plain);
}

void batch_seal(uint8_t *batch)
{
    size_t length = 12 + (size_t)be32_get(batch + 8);
    be32_put(batch + 17, crc32c(batch + 21, length - 21));
}
