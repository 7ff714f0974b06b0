/* consumer_protocol.c - a version, then a body of the tables. */
#include "proto/consumer_protocol.h"

#include "common/cursor.h"
#include "common/err.h"

static int read_message(const struct codec_message *msg, struct slice bytes,
                        struct arena *arena, void *out)
{
    struct reader r;
    reader_init(&r, bytes);
    int16_t version = reader_i16(&r);
    if (r.failed || version < 0)
        return ERR_MALFORMED;
    return codec_decode(msg, (int16_t)MIN(version, CONSUMER_PROTOCOL_VERSION_MAX), &r,
                        arena, out);
}

static int write_message(const struct codec_message *msg, int16_t version,
                         const void *body, struct str *out)
{
    struct codec_out encoded;
    codec_out_init(&encoded, str_room(out));
    int rc = codec_encode(msg, version, body, &encoded);
    if (rc == 0) {
        write_u16(out, (uint16_t)version);
        codec_out_flatten(&encoded, out);
        rc = out->overflowed ? ERR_TOO_LARGE : 0;
    }
    codec_out_fini(&encoded);
    return rc;
}

int consumer_protocol_read_subscription(struct slice bytes, struct arena *arena,
                                        struct consumer_protocol_subscription *out)
{
    return read_message(&consumer_protocol_subscription_message, bytes, arena, out);
}

int consumer_protocol_read_assignment(struct slice bytes, struct arena *arena,
                                      struct consumer_protocol_assignment *out)
{
    return read_message(&consumer_protocol_assignment_message, bytes, arena, out);
}

int consumer_protocol_write_subscription(
    int16_t version, const struct consumer_protocol_subscription *body, struct str *out)
{
    return write_message(&consumer_protocol_subscription_message, version, body, out);
}

int consumer_protocol_write_assignment(int16_t version,
                                       const struct consumer_protocol_assignment *body,
                                       struct str *out)
{
    return write_message(&consumer_protocol_assignment_message, version, body, out);
}
