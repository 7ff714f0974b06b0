/* batch.c - headers of record batches: parse, validate, patch. batch_record.c has the
 * records. The layout is drawn in batch.h. */
#include "proto/batch.h"

#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/err.h"
#include "proto/kafka_error.h"

#define AT_BASE_OFFSET    0
#define AT_LENGTH         8
#define AT_LEADER_EPOCH   12
#define AT_MAGIC          16
#define AT_CRC            17
#define AT_ATTRIBUTES     21
#define AT_LAST_DELTA     23
#define AT_BASE_TIMESTAMP 27
#define AT_MAX_TIMESTAMP  35
#define AT_PRODUCER_ID    43
#define AT_PRODUCER_EPOCH 51
#define AT_BASE_SEQUENCE  53
#define AT_COUNT          57

/* What Kafka's reader takes for the start of a batch: up to the magic. */
#define PEEK_BYTES 17
/* Smaller lengths stood for damage already in the oldest format. */
#define LENGTH_MIN 14
/* Length, attributes, two deltas, key, value, headers: a byte each at least. */
#define RECORD_BYTES_MIN 7

int32_t batch_last_sequence(const struct batch_info *info)
{
    if (!batch_has_producer(info))
        return -1;
    uint32_t sum = (uint32_t)info->base_sequence + (uint32_t)info->last_offset_delta;
    return (int32_t)(sum & INT32_MAX);
}

/* The fields, of bytes that hold them. */
static void read_header(struct slice batch, struct batch_info *info)
{
    const uint8_t *p = batch.ptr;
    uint16_t attributes = be16_get(p + AT_ATTRIBUTES);
    *info = (struct batch_info){
        .bytes = batch,
        .base_offset = (int64_t)be64_get(p + AT_BASE_OFFSET),
        .base_timestamp = (int64_t)be64_get(p + AT_BASE_TIMESTAMP),
        .max_timestamp = (int64_t)be64_get(p + AT_MAX_TIMESTAMP),
        .producer_id = (int64_t)be64_get(p + AT_PRODUCER_ID),
        .length = (uint32_t)batch.len,
        .crc = be32_get(p + AT_CRC),
        .leader_epoch = (int32_t)be32_get(p + AT_LEADER_EPOCH),
        .last_offset_delta = (int32_t)be32_get(p + AT_LAST_DELTA),
        .base_sequence = (int32_t)be32_get(p + AT_BASE_SEQUENCE),
        .count = (int32_t)be32_get(p + AT_COUNT),
        .producer_epoch = (int16_t)be16_get(p + AT_PRODUCER_EPOCH),
        .attributes = (int16_t)attributes,
        .magic = (int8_t)p[AT_MAGIC],
        .codec = attributes & BATCH_CODEC_MASK,
    };
}

/* Length of the whole batch that P begins, by its own account; may be anything. */
static int64_t whole_length(const uint8_t *p)
{
    return (int64_t)(int32_t)be32_get(p + AT_LENGTH) + BATCH_LENGTH_OVERHEAD;
}

int batch_parse(struct slice bytes, struct batch_info *info)
{
    if (bytes.len < BATCH_HEADER_BYTES)
        return ERR_MALFORMED;
    int64_t length = whole_length(bytes.ptr);
    if (length < BATCH_HEADER_BYTES || (uint64_t)length > bytes.len ||
        bytes.ptr[AT_MAGIC] != BATCH_MAGIC)
        return ERR_MALFORMED;
    read_header(slice_of(bytes.ptr, (size_t)length), info);
    return 0;
}

static uint32_t checksum(struct slice batch)
{
    return crc32c(batch.ptr + AT_ATTRIBUTES, batch.len - AT_ATTRIBUTES);
}

bool batch_check_crc(const struct batch_info *info)
{
    return checksum(info->bytes) == info->crc;
}

bool batch_iter_next(struct batch_iter *iter, struct batch_info *info)
{
    if (iter->error != 0 || iter->rest.len == 0)
        return false;
    iter->error = batch_parse(iter->rest, info);
    if (iter->error != 0)
        return false;
    iter->rest = slice_of(iter->rest.ptr + info->length, iter->rest.len - info->length);
    return true;
}

/* ---- what a producer sent ---- */

static struct batch_verdict verdict_of(enum kafka_error error, const char *text)
{
    return (struct batch_verdict){(int16_t)error, text};
}

#define PASSED ((struct batch_verdict){0, NULL})

/* One whole batch and nothing else. */
static struct batch_verdict check_framing(struct slice records)
{
    if (records.len < PEEK_BYTES)
        return verdict_of(KAFKA_INVALID_RECORD, "no record batch for the partition");
    int64_t length = whole_length(records.ptr);
    if (length < LENGTH_MIN + BATCH_LENGTH_OVERHEAD)
        return verdict_of(KAFKA_CORRUPT_MESSAGE, "the batch's length is too small");
    if (records.ptr[AT_MAGIC] > BATCH_MAGIC)
        return verdict_of(KAFKA_CORRUPT_MESSAGE, "the batch's magic is unknown");
    if (records.ptr[AT_MAGIC] != BATCH_MAGIC)
        return verdict_of(KAFKA_INVALID_RECORD,
                          "only record batches of magic 2 are taken");
    if ((uint64_t)length > records.len)
        return verdict_of(KAFKA_INVALID_RECORD, "the record batch is cut short");
    if (length < BATCH_HEADER_BYTES)
        return verdict_of(KAFKA_CORRUPT_MESSAGE, "the batch is shorter than its header");
    if ((uint64_t)length < records.len)
        return verdict_of(KAFKA_INVALID_RECORD,
                          "more than one record batch for a partition");
    return PASSED;
}

static struct batch_verdict check_size_and_crc(const struct batch_info *info,
                                               const struct batch_policy *policy)
{
    if (info->codec > LZ_ZSTD)
        return verdict_of(KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "unknown compression");
    if (info->codec == LZ_ZSTD && !policy->zstd_allowed)
        return verdict_of(KAFKA_UNSUPPORTED_COMPRESSION_TYPE,
                          "zstd needs version 7 of Produce");
    if (info->base_offset != 0)
        return verdict_of(KAFKA_INVALID_RECORD, "the batch's base offset is not 0");
    if (info->length > policy->max_bytes)
        return verdict_of(KAFKA_MESSAGE_TOO_LARGE, "the batch exceeds max.message.bytes");
    if (info->length > policy->max_segment_bytes)
        return verdict_of(KAFKA_RECORD_LIST_TOO_LARGE, "the batch exceeds segment.bytes");
    if (!batch_check_crc(info))
        return verdict_of(KAFKA_CORRUPT_MESSAGE, "the batch's checksum does not fit");
    return PASSED;
}

static struct batch_verdict check_header(const struct batch_info *info)
{
    if (info->count <= 0 || info->last_offset_delta != info->count - 1)
        return verdict_of(KAFKA_INVALID_RECORD,
                          "the batch's count and last offset delta do not agree");
    size_t room = (info->length - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN;
    if (info->codec == LZ_NONE && (size_t)info->count > room)
        return verdict_of(KAFKA_INVALID_RECORD, "the batch has no room for its count");
    if (info->attributes & BATCH_CONTROL)
        return verdict_of(KAFKA_INVALID_RECORD, "clients may not write control records");
    if (batch_has_producer(info) && info->base_sequence < 0)
        return verdict_of(KAFKA_INVALID_RECORD, "producer id without a sequence number");
    if (batch_has_producer(info) && info->producer_epoch < 0)
        return verdict_of(KAFKA_INVALID_RECORD, "producer id without an epoch");
    return PASSED;
}

bool batch_timestamp_allowed(int64_t timestamp_ms, const struct batch_policy *policy)
{
    if (timestamp_ms == BATCH_NO_TIMESTAMP)
        return true;
    int64_t age_ms;
    if (__builtin_sub_overflow(policy->now_ms, timestamp_ms, &age_ms))
        return timestamp_ms < 0 && policy->before_max_ms == INT64_MAX;
    return age_ms <= policy->before_max_ms && -age_ms <= policy->after_max_ms;
}

/* The header's are the first record's and the greatest. */
static struct batch_verdict check_timestamps(const struct batch_info *info,
                                             const struct batch_policy *policy)
{
    if (info->attributes & BATCH_LOG_APPEND_TIME)
        return verdict_of(KAFKA_INVALID_TIMESTAMP, "producers may not set LogAppendTime");
    if (policy->log_append_time)
        return PASSED;
    if (!batch_timestamp_allowed(info->base_timestamp, policy) ||
        !batch_timestamp_allowed(info->max_timestamp, policy))
        return verdict_of(KAFKA_INVALID_TIMESTAMP,
                          "a timestamp is out of the topic's allowed range");
    return PASSED;
}

int16_t batch_validate_produce(struct slice records, const struct batch_policy *policy,
                               struct batch_info *info, struct batch_verdict *verdict)
{
    struct batch_info found;
    *verdict = check_framing(records);
    if (verdict->error != 0)
        return verdict->error;
    read_header(records, &found);
    *verdict = check_size_and_crc(&found, policy);
    if (verdict->error == 0)
        *verdict = check_header(&found);
    if (verdict->error == 0)
        *verdict = check_timestamps(&found, policy);
    if (verdict->error == 0)
        *info = found;
    return verdict->error;
}

/* ---- patches ---- */

void batch_put_base_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch)
{
    be64_put(batch + AT_BASE_OFFSET, (uint64_t)base_offset);
    be32_put(batch + AT_LEADER_EPOCH, (uint32_t)leader_epoch);
}

void batch_set_log_append_time(uint8_t *batch, int64_t now_ms)
{
    int64_t length = whole_length(batch);
    ASSERT(length >= BATCH_HEADER_BYTES);
    uint16_t attributes = be16_get(batch + AT_ATTRIBUTES);
    be16_put(batch + AT_ATTRIBUTES, (uint16_t)(attributes | BATCH_LOG_APPEND_TIME));
    be64_put(batch + AT_MAX_TIMESTAMP, (uint64_t)now_ms);
    be32_put(batch + AT_CRC, checksum(slice_of(batch, (size_t)length)));
}

void batch_patched_head(const struct batch_info *info, int64_t base_offset,
                        int32_t leader_epoch, uint8_t head[BATCH_PATCH_BYTES])
{
    memcpy(head, info->bytes.ptr, BATCH_PATCH_BYTES);
    batch_put_base_offset(head, base_offset, leader_epoch);
}
