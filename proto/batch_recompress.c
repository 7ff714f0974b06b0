/* batch_recompress.c - a topic's compression.type: a batch as another codec packs it.
 *
 * The bytes of the records stay, so offsets, sequences and timestamps do; what the header
 * says of the whole changes. Called by the produce path, for topics that ask for it and
 * batches that differ. */
#include "proto/batch.h"

#include <string.h>

#include "common/crc32c.h"
#include "common/err.h"
#include "proto/kafka_error.h"

enum { AT_LENGTH = 8, AT_CRC = 17, AT_ATTRIBUTES = 21, AT_MAX_TIMESTAMP = 35 };

/* Walk the records: whether all are whole, and the greatest timestamp. */
static int16_t check(struct record_iter *iter, int64_t *max_timestamp)
{
    struct record record;
    int32_t n = 0;

    while (record_iter_next(iter, &record)) {
        if (record.offset != iter->info.base_offset + n)
            return KAFKA_INVALID_RECORD;
        *max_timestamp =
            n == 0 ? record.timestamp_ms : MAX(*max_timestamp, record.timestamp_ms);
        n++;
    }
    return iter->error == 0 ? 0 : KAFKA_INVALID_RECORD;
}

static struct slice plain_of(const struct record_iter *iter)
{
    const struct batch_info *info = &iter->info;
    return info->codec == LZ_NONE ? slice_of(info->bytes.ptr + BATCH_HEADER_BYTES,
                                             info->bytes.len - BATCH_HEADER_BYTES)
                                  : str_slice(&iter->plain);
}

/* Set right what the header of the batch of LEN bytes says of the whole. */
static void mend_header(uint8_t *batch, size_t len, enum lz_codec codec,
                        int64_t max_timestamp)
{
    uint16_t attributes = be16_get(batch + AT_ATTRIBUTES);

    be32_put(batch + AT_LENGTH, (uint32_t)(len - BATCH_LENGTH_OVERHEAD));
    be16_put(batch + AT_ATTRIBUTES,
             (uint16_t)((attributes & ~(unsigned)BATCH_CODEC_MASK) | (unsigned)codec));
    be64_put(batch + AT_MAX_TIMESTAMP, (uint64_t)max_timestamp);
    be32_put(batch + AT_CRC, crc32c(batch + AT_ATTRIBUTES, len - AT_ATTRIBUTES));
}

int16_t batch_recompress(const struct batch_info *info, enum lz_codec codec, int level,
                         size_t max_bytes, struct str *out)
{
    int64_t max_timestamp = info->max_timestamp;
    size_t before = out->len;
    struct record_iter iter;

    int rc = record_iter_init(&iter, info, max_bytes);
    if (rc != 0)
        return rc == ERR_TOO_LARGE ? KAFKA_MESSAGE_TOO_LARGE : KAFKA_CORRUPT_MESSAGE;
    int16_t error = check(&iter, &max_timestamp);
    if (error == 0) {
        str_append(out, info->bytes.ptr, BATCH_HEADER_BYTES);
        if (out->overflowed || lz_compress_level(codec, level, plain_of(&iter), out) != 0)
            error = KAFKA_MESSAGE_TOO_LARGE;
    }
    record_iter_fini(&iter);
    if (error == 0)
        mend_header((uint8_t *)out->data + before, out->len - before, codec,
                    max_timestamp);
    else
        str_truncate(out, before);
    return error;
}
