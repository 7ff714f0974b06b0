/* frame.c - frames out of a byte stream. */
#include "agent/frame.h"

#include <string.h>

#include "agent/dispatch.h"
#include "common/check.h"
#include "common/cursor.h"
#include "proto/header.h"

/* Key, version and correlation id: no request is shorter. */
#define FRAME_MIN_BYTES 8
#define LENGTH_BYTES    4

void frame_reader_init(struct frame_reader *reader)
{
    memset(reader, 0, sizeof(*reader));
}

void frame_reader_fini(struct frame_reader *reader)
{
    blob_unref(reader->blob);
    reader->blob = NULL;
}

/* No request has this length, whatever it asks: not worth waiting for the rest. */
static int judge_length(const struct frame_reader *reader,
                        const struct frame_limits *limits, struct err *err)
{
    int32_t length = (int32_t)be32_get(reader->prefix);

    if (length < FRAME_MIN_BYTES)
        return err_set(err, ERR_MALFORMED, "frame of %d bytes", length);
    if ((size_t)length > limits->produce_max_bytes)
        return err_set(err, ERR_TOO_LARGE, "frame of %d bytes, at most %zu are allowed",
                       length, limits->produce_max_bytes);
    return 0;
}

/* The prefix is whole: may this frame be read? */
static int judge(const struct frame_reader *reader, const struct frame_limits *limits,
                 size_t *len, struct err *err)
{
    int32_t length = (int32_t)be32_get(reader->prefix);
    int16_t key = (int16_t)be16_get(reader->prefix + LENGTH_BYTES);
    int16_t version = (int16_t)be16_get(reader->prefix + LENGTH_BYTES + 2);

    const struct kafka_api *api = kafka_api_find(key);
    if (api == NULL || dispatch_find(key) == NULL ||
        (key != KAFKA_API_VERSIONS && !kafka_api_serves(api, version)))
        return err_set(err, ERR_UNSUPPORTED, "api key %d version %d is not served", key,
                       version);
    size_t max =
        key == KAFKA_PRODUCE ? limits->produce_max_bytes : limits->other_max_bytes;
    /* A frame that needs more than half of the memory might wait for ever. */
    if (limits->budget != NULL)
        max = MIN(max, limits->budget->limit_bytes / 2);
    if ((size_t)length > max)
        return err_set(err, ERR_TOO_LARGE, "frame of %d bytes, at most %zu are allowed",
                       length, max);
    *len = (size_t)length;
    return 0;
}

/* Get the blob of the frame whose prefix is whole; false when it must wait. */
static bool begin(struct frame_reader *reader, const struct frame_limits *limits,
                  size_t len)
{
    bool produce = be16_get(reader->prefix + LENGTH_BYTES) == KAFKA_PRODUCE;
    unsigned percent = produce ? FRAME_PAUSE_PERCENT : FRAME_PAUSE_OTHERS_PERCENT;

    if (limits->budget != NULL && budget_above(limits->budget, percent))
        return false;
    reader->blob = blob_try_new(len, limits->budget);
    if (reader->blob == NULL)
        return false;
    reader->filled = FRAME_PREFIX_BYTES - LENGTH_BYTES;
    memcpy(reader->blob->data, reader->prefix + LENGTH_BYTES, reader->filled);
    return true;
}

int frame_feed(struct frame_reader *reader, const struct frame_limits *limits,
               const uint8_t **pos, const uint8_t *end, enum frame_result *result,
               struct err *err)
{
    if (reader->blob == NULL) {
        size_t missing = (size_t)(FRAME_PREFIX_BYTES - reader->prefix_len);
        size_t n = MIN(missing, (size_t)(end - *pos));
        if (n > 0)
            memcpy(reader->prefix + reader->prefix_len, *pos, n);
        reader->prefix_len = (uint8_t)(reader->prefix_len + n);
        *pos += n;
        if (reader->prefix_len >= LENGTH_BYTES) {
            int rc = judge_length(reader, limits, err);
            if (rc != 0)
                return rc;
        }
        if (reader->prefix_len < FRAME_PREFIX_BYTES) {
            *result = FRAME_MORE;
            return 0;
        }
        size_t len = 0;
        int rc = judge(reader, limits, &len, err);
        if (rc != 0)
            return rc;
        if (!begin(reader, limits, len)) {
            *result = FRAME_WAIT;
            return 0;
        }
    }
    size_t n = MIN(reader->blob->len - reader->filled, (size_t)(end - *pos));
    if (n > 0)
        memcpy(reader->blob->data + reader->filled, *pos, n);
    *pos += n;
    *result = frame_filled(reader, n) ? FRAME_READY : FRAME_MORE;
    return 0;
}

size_t frame_room(const struct frame_reader *reader, uint8_t **at)
{
    if (reader->blob == NULL)
        return 0;
    *at = reader->blob->data + reader->filled;
    return reader->blob->len - reader->filled;
}

bool frame_filled(struct frame_reader *reader, size_t n)
{
    ASSERT(reader->blob != NULL && n <= reader->blob->len - reader->filled);
    reader->filled += n;
    return reader->filled == reader->blob->len;
}

struct blob *frame_take(struct frame_reader *reader)
{
    struct blob *blob = reader->blob;
    ASSERT(blob != NULL && reader->filled == blob->len);
    frame_reader_init(reader);
    return blob;
}
