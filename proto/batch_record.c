/* batch_record.c - the records inside of a batch, for those few who must look at them.
 *
 * A record (KIP-98), all numbers zigzag varints:
 *   length | attributes 1 | timestamp delta | offset delta | key length, key |
 *   value length, value | header count | { key length, key | value length, value } ... */
#include "proto/batch.h"

#include <string.h>

#include "common/err.h"
#include "proto/kafka_error.h"

int record_iter_init(struct record_iter *iter, const struct batch_info *info,
                     size_t max_bytes)
{
    struct slice packed = slice_of(info->bytes.ptr + BATCH_HEADER_BYTES,
                                   info->bytes.len - BATCH_HEADER_BYTES);
    memset(iter, 0, sizeof(*iter));
    iter->info = *info;
    str_init(&iter->plain, max_bytes);
    if (info->codec == LZ_NONE) {
        if (packed.len > max_bytes)
            return ERR_TOO_LARGE;
        reader_init(&iter->r, packed);
        return 0;
    }
    if (info->codec > LZ_ZSTD)
        return ERR_UNSUPPORTED;
    int rc = lz_decompress((enum lz_codec)info->codec, packed, &iter->plain);
    if (rc != 0) {
        str_fini(&iter->plain);
        return rc;
    }
    reader_init(&iter->r, str_slice(&iter->plain));
    return 0;
}

void record_iter_fini(struct record_iter *iter)
{
    str_fini(&iter->plain);
}

/* Bytes with a length in front, -1 being null. */
static struct slice read_field(struct reader *r)
{
    int32_t len = reader_varint(r);
    if (len == -1)
        return SLICE_NULL;
    if (len < 0) {
        reader_fail(r);
        return SLICE_NULL;
    }
    return reader_bytes(r, (size_t)len);
}

/* Step over COUNT headers, which must be all that is left. */
static void check_headers(struct reader *r, int32_t count)
{
    for (int32_t i = 0; i < count && !r->failed; i++) {
        int32_t key_len = reader_varint(r);
        if (key_len < 0)
            reader_fail(r);
        reader_skip(r, (size_t)key_len);
        (void)read_field(r);
    }
    if (count < 0 || reader_left(r) != 0)
        reader_fail(r);
}

static bool read_record(struct record_iter *iter, struct reader *r, struct record *record)
{
    const struct batch_info *info = &iter->info;
    (void)reader_u8(r); /* attributes: none is defined */
    uint64_t timestamp_delta = (uint64_t)reader_varlong(r);
    int32_t offset_delta = reader_varint(r);
    struct record found = {
        .offset =
            (int64_t)((uint64_t)info->base_offset + (uint64_t)(int64_t)offset_delta),
        .timestamp_ms = (int64_t)((uint64_t)info->base_timestamp + timestamp_delta),
    };
    if (info->attributes & BATCH_LOG_APPEND_TIME)
        found.timestamp_ms = info->max_timestamp;
    found.key = read_field(r);
    found.value = read_field(r);
    found.header_count = reader_varint(r);
    found.headers = slice_of(r->pos, reader_left(r));
    check_headers(r, found.header_count);
    if (r->failed)
        return false;
    *record = found;
    return true;
}

bool record_iter_next(struct record_iter *iter, struct record *record)
{
    if (iter->error != 0)
        return false;
    if (iter->done == iter->info.count) {
        if (reader_left(&iter->r) != 0)
            iter->error = ERR_MALFORMED;
        return false;
    }
    int32_t len = reader_varint(&iter->r);
    if (len < 0)
        reader_fail(&iter->r);
    struct slice body = reader_bytes(&iter->r, (size_t)len);
    struct reader r;
    reader_init(&r, body);
    if (iter->r.failed || !read_record(iter, &r, record)) {
        iter->error = ERR_MALFORMED;
        return false;
    }
    iter->done++;
    return true;
}

bool record_header_next(struct slice *rest, struct slice *key, struct slice *value)
{
    struct reader r;
    if (rest->len == 0)
        return false;
    reader_init(&r, *rest);
    *key = read_field(&r);
    *value = read_field(&r);
    *rest = slice_of(r.pos, reader_left(&r));
    return !r.failed;
}

/* ---- by timestamp ---- */

int batch_find_timestamp(const struct batch_info *info, int64_t timestamp_ms,
                         int64_t from_offset, size_t max_bytes, bool *found,
                         int64_t *offset, int64_t *at_ms)
{
    struct record_iter iter;
    struct record record;
    bool match = false;
    int rc = record_iter_init(&iter, info, max_bytes);
    if (rc != 0)
        return rc;
    while (!match && record_iter_next(&iter, &record))
        match = record.timestamp_ms >= timestamp_ms && record.offset >= from_offset;
    rc = iter.error;
    record_iter_fini(&iter);
    if (rc != 0)
        return rc;
    *found = match;
    if (match) {
        *offset = record.offset;
        *at_ms = record.timestamp_ms;
    }
    return 0;
}

int batch_find_max_timestamp(const struct batch_info *info, int64_t from_offset,
                             size_t max_bytes, bool *found, int64_t *offset,
                             int64_t *at_ms)
{
    struct record_iter iter;
    struct record record;
    bool match = false;
    int64_t best_offset = 0, best_ms = 0;
    int rc = record_iter_init(&iter, info, max_bytes);
    if (rc != 0)
        return rc;
    while (record_iter_next(&iter, &record)) {
        if (record.offset < from_offset || (match && record.timestamp_ms <= best_ms))
            continue;
        match = true;
        best_offset = record.offset;
        best_ms = record.timestamp_ms;
    }
    rc = iter.error;
    record_iter_fini(&iter);
    if (rc != 0)
        return rc;
    *found = match;
    if (match) {
        *offset = best_offset;
        *at_ms = best_ms;
    }
    return 0;
}

/* ---- one by one, for topics that need it ---- */

static struct batch_verdict check_record(const struct batch_info *info,
                                         const struct batch_record_rules *rules,
                                         const struct record *record, int32_t index)
{
    if (record->offset != info->base_offset + index)
        return (struct batch_verdict){KAFKA_INVALID_RECORD,
                                      "offset deltas within the batch have gaps"};
    if (rules->require_key && record->key.ptr == NULL)
        return (struct batch_verdict){KAFKA_INVALID_RECORD,
                                      "compacted topics take no record without a key"};
    if (!rules->policy->log_append_time &&
        !batch_timestamp_allowed(record->timestamp_ms, rules->policy))
        return (struct batch_verdict){
            KAFKA_INVALID_TIMESTAMP, "the timestamp is out of the topic's allowed range"};
    return (struct batch_verdict){0, NULL};
}

static int16_t unpack_error(int rc)
{
    return rc == ERR_TOO_LARGE ? KAFKA_MESSAGE_TOO_LARGE : KAFKA_CORRUPT_MESSAGE;
}

int16_t batch_check_records(const struct batch_info *info,
                            const struct batch_record_rules *rules,
                            struct batch_bad_record *bad, size_t bad_max,
                            size_t *bad_count)
{
    struct record_iter iter;
    struct record record;
    int16_t error = 0;
    int32_t index = 0;
    *bad_count = 0;
    int rc = record_iter_init(&iter, info, rules->max_bytes);
    if (rc != 0)
        return unpack_error(rc);
    for (; record_iter_next(&iter, &record); index++) {
        struct batch_verdict verdict = check_record(info, rules, &record, index);
        if (verdict.error == 0)
            continue;
        if (*bad_count < bad_max)
            bad[(*bad_count)++] = (struct batch_bad_record){index, verdict.text};
        /* Kafka answers with the timestamp's error if any record has it. */
        if (error == 0 || verdict.error == KAFKA_INVALID_TIMESTAMP)
            error = verdict.error;
    }
    rc = iter.error;
    record_iter_fini(&iter);
    return rc != 0 ? unpack_error(rc) : error;
}
