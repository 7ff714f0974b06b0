/* batch.h - record batches, magic 2: parse, check, patch, and walk.
 *
 * A batch travels from producer to object to consumer as it came. What a broker must
 * touch is outside of the checksum: base offset and leader epoch, the first 8 and the
 * 4 bytes at 12. Only LogAppendTime topics change bytes inside, and then the checksum.
 *
 *   0 base offset 8 | 8 length 4 (of what follows) | 12 leader epoch 4 | 16 magic 1
 *   17 crc-32c 4 (of 21..end) | 21 attributes 2 | 23 last offset delta 4
 *   27 base timestamp 8 | 35 max timestamp 8 | 43 producer id 8 | 51 epoch 2
 *   53 base sequence 4 | 57 count 4 | 61 records, as one blob if compressed
 *
 * Producing never walks the records: batch_validate_produce() looks at the header and
 * the checksum. Apache Kafka walks them, to find null keys on compacted topics, single
 * timestamps out of range, and inner deltas that are not 0..n-1, which it would rewrite.
 * Here the header's count and last delta are what offsets are assigned by, and its base
 * and max timestamps what is held against the limits: a producer that lies in its records
 * fools the readers of its own records only. Topics that need records looked at
 * (compaction) call batch_check_records() as well. */
#ifndef PROTO_BATCH_H
#define PROTO_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/lz.h"
#include "common/slice.h"
#include "common/str.h"

#define BATCH_HEADER_BYTES    61
#define BATCH_LENGTH_OVERHEAD 12 /* base offset and length: not counted by the length */
#define BATCH_MAGIC           2
#define BATCH_NO_TIMESTAMP    ((int64_t)-1)

enum batch_attribute {
    BATCH_CODEC_MASK = 0x07,
    BATCH_LOG_APPEND_TIME = 0x08,
    BATCH_TRANSACTIONAL = 0x10,
    BATCH_CONTROL = 0x20,
    BATCH_DELETE_HORIZON = 0x40,
};

struct batch_info {
    struct slice bytes; /* the whole batch, borrowed; bytes.len == length */
    int64_t base_offset;
    int64_t base_timestamp, max_timestamp;
    int64_t producer_id; /* -1: not idempotent */
    uint32_t length;     /* of the whole batch, its first 12 bytes included */
    uint32_t crc;
    int32_t leader_epoch;
    int32_t last_offset_delta;
    int32_t base_sequence;
    int32_t count;
    int16_t producer_epoch;
    int16_t attributes;
    int8_t magic;
    uint8_t codec; /* enum lz_codec, or 5 to 7 for what nobody defined */
};

/* Offset of the record after the last one. */
static inline int64_t batch_end_offset(const struct batch_info *info)
{
    return info->base_offset + info->last_offset_delta + 1;
}

static inline bool batch_has_producer(const struct batch_info *info)
{
    return info->producer_id >= 0;
}

/* The sequence number of the last record; wraps from 2^31-1 to 0. -1 without producer. */
int32_t batch_last_sequence(const struct batch_info *info);

/* Read the header of the batch that BYTES begins with; more may follow it.
 *
 * Returns 0, or ERR_MALFORMED when the batch is not whole, its length is below the
 * header's, or its magic is not 2. The checksum is not looked at. */
int batch_parse(struct slice bytes, struct batch_info *info) MUST_CHECK;

/* True if the checksum fits. */
bool batch_check_crc(const struct batch_info *info);

/* ---- many batches, back to back ---- */

struct batch_iter {
    struct slice rest;
    int error; /* why it ended early: ERR_MALFORMED; 0 at the true end */
};

static inline void batch_iter_init(struct batch_iter *iter, struct slice bytes)
{
    iter->rest = bytes;
    iter->error = 0;
}

/* The next batch; false at the end, or at damage (iter->error). A cut batch at the end
 * is damage: the wire never carries one here. */
bool batch_iter_next(struct batch_iter *iter, struct batch_info *info) MUST_CHECK;

/* ---- what a producer sent ---- */

struct batch_policy {
    uint32_t max_bytes;         /* max.message.bytes, against the whole batch */
    uint32_t max_segment_bytes; /* segment.bytes */
    bool log_append_time;       /* message.timestamp.type */
    bool zstd_allowed;          /* Produce v7 and later */
    int64_t now_ms;
    int64_t before_max_ms; /* message.timestamp.before.max.ms */
    int64_t after_max_ms;  /* message.timestamp.after.max.ms */
};

struct batch_verdict {
    int16_t error;    /* enum kafka_error */
    const char *text; /* for the reply's error message; static; NULL when error is 0 */
};

/* Judge RECORDS, one partition of a Produce request, by kafka.md's list: exactly one
 * batch, whole, magic 2, codec, base offset 0, size limits, checksum, count and last
 * delta, no control bit, sequence, timestamps of the header; the first that fails, in
 * Kafka's order, is the answer. Left to others: acks and transactional ids (the request),
 * the order of sequences and epochs (where offsets are assigned). Returns 0 and fills
 * *INFO, or the Kafka error, which with its text is in *VERDICT (set in both cases). */
int16_t batch_validate_produce(struct slice records, const struct batch_policy *policy,
                               struct batch_info *info, struct batch_verdict *verdict);

/* True if a record of that time may stand in a CreateTime topic: -1, or within
 * [now - before_max, now + after_max]. */
bool batch_timestamp_allowed(int64_t timestamp_ms, const struct batch_policy *policy);

/* ---- patches, in place, on bytes that batch_parse() accepted ---- */

void batch_put_base_offset(uint8_t *batch, int64_t base_offset, int32_t leader_epoch);
/* LogAppendTime: attribute bit 3, max timestamp NOW_MS, a new checksum. */
void batch_set_log_append_time(uint8_t *batch, int64_t now_ms);

/* The first bytes of a batch with another base offset and leader epoch, to be sent in
 * front of the batch's bytes from BATCH_PATCH_BYTES on, which stay shared. */
#define BATCH_PATCH_BYTES 16
void batch_patched_head(const struct batch_info *info, int64_t base_offset,
                        int32_t leader_epoch, uint8_t head[BATCH_PATCH_BYTES]);

/* ---- another codec (batch_recompress.c) ---- */

/* Append the batch of INFO, which batch_validate_produce() passed, to OUT with its
 * records packed by CODEC: header as it is but for length, codec, checksum and, of a
 * CreateTime batch, a max timestamp that is wrong. At most MAX_BYTES of plain records.
 * Walks the records: what is damaged is refused. Returns 0, KAFKA_CORRUPT_MESSAGE (does
 * not unpack), KAFKA_INVALID_RECORD or KAFKA_MESSAGE_TOO_LARGE; then nothing is appended.
 */
int16_t batch_recompress(const struct batch_info *info, enum lz_codec codec, int level,
                         size_t max_bytes, struct str *out) MUST_CHECK;

/* ---- records ---- */

struct record {
    int64_t offset;
    int64_t timestamp_ms;    /* the batch's max for LogAppendTime */
    struct slice key, value; /* ptr NULL: null */
    int32_t header_count;
    struct slice headers; /* encoded; walk with record_header_next() */
};

/* Walks the records of one batch. Slices point into the batch or, if compressed, into
 * the iterator's own buffer: they live until record_iter_fini(). */
struct record_iter {
    int error; /* why it ended early: ERR_MALFORMED, ERR_TOO_LARGE, ERR_UNSUPPORTED */
    /* private */
    struct batch_info info;
    struct reader r;
    struct str plain;
    int32_t done;
};

/* Unpack the batch; at most MAX_BYTES of plain records. Returns 0, ERR_MALFORMED,
 * ERR_TOO_LARGE or ERR_UNSUPPORTED (codec); after a failure there is nothing to free. */
int record_iter_init(struct record_iter *iter, const struct batch_info *info,
                     size_t max_bytes) MUST_CHECK;
void record_iter_fini(struct record_iter *iter);
/* The next record; false at the end or at damage (iter->error). Bytes after the last
 * record, or fewer records than the header counts, are damage. */
bool record_iter_next(struct record_iter *iter, struct record *record) MUST_CHECK;

/* The next of the headers of a record: start with a copy of record->headers. False at
 * the end. Its damage was found by record_iter_next(). */
bool record_header_next(struct slice *rest, struct slice *key, struct slice *value);

/* The first record at or above FROM_OFFSET (the log start may lie within a batch) with a
 * timestamp of TIMESTAMP_MS or later, for ListOffsets. Returns 0 and sets *FOUND, and
 * *OFFSET and *AT_MS if there is one; or the iterator's error. A batch whose
 * info->max_timestamp is earlier has none and need not be asked. */
int batch_find_timestamp(const struct batch_info *info, int64_t timestamp_ms,
                         int64_t from_offset, size_t max_bytes, bool *found,
                         int64_t *offset, int64_t *at_ms) MUST_CHECK;
/* The first record at or above FROM_OFFSET that has their greatest timestamp
 * (ListOffsets -3). Otherwise as above. */
int batch_find_max_timestamp(const struct batch_info *info, int64_t from_offset,
                             size_t max_bytes, bool *found, int64_t *offset,
                             int64_t *at_ms) MUST_CHECK;

/* One record that a topic refuses. */
struct batch_bad_record {
    int32_t index;
    const char *text; /* static */
};

struct batch_record_rules {
    bool require_key; /* cleanup.policy has compact */
    const struct batch_policy *policy;
    size_t max_bytes; /* plain records */
};

/* Judge every record of a batch that batch_validate_produce() passed: inner deltas
 * 0..n-1, keys, timestamps. Stores at most BAD_MAX bad ones, the number stored in
 * *BAD_COUNT. Returns 0, KAFKA_INVALID_RECORD, KAFKA_INVALID_TIMESTAMP,
 * KAFKA_CORRUPT_MESSAGE (does not unpack) or KAFKA_MESSAGE_TOO_LARGE. */
int16_t batch_check_records(const struct batch_info *info,
                            const struct batch_record_rules *rules,
                            struct batch_bad_record *bad, size_t bad_max,
                            size_t *bad_count);

#endif
