/* header.c - request and response headers, and whole frames. */
#include "proto/header.h"

#include <string.h>

#include "common/err.h"

const struct kafka_api *kafka_api_find(int16_t key)
{
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        if (kafka_apis[i].key == key)
            return &kafka_apis[i];
    }
    return NULL;
}

static bool is_flexible(const struct kafka_api *api, int16_t version)
{
    return version >= api->flexible_from;
}

/* No tagged field of a header means anything to us. */
static void skip_tags(struct reader *r)
{
    uint32_t n = reader_uvarint(r);
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        (void)reader_uvarint(r);
        reader_skip(r, reader_uvarint(r));
    }
}

int header_read_request(struct reader *r, struct request_header *header)
{
    struct request_header h = {0};
    h.api = kafka_api_find(reader_i16(r));
    h.api_version = reader_i16(r);
    h.correlation_id = reader_i32(r);
    if (r->failed)
        return ERR_MALFORMED;
    if (h.api == NULL)
        return ERR_UNSUPPORTED;
    h.downgrade = !kafka_api_serves(h.api, h.api_version);
    if (h.downgrade && h.api->key != KAFKA_API_VERSIONS)
        return ERR_UNSUPPORTED;
    int16_t len = reader_i16(r);
    if (len < -1)
        return ERR_MALFORMED;
    if (len >= 0)
        h.client_id = reader_bytes(r, (size_t)len);
    /* What follows the correlation id in a version to come, nobody knows. */
    if (!h.downgrade && is_flexible(h.api, h.api_version))
        skip_tags(r);
    if (r->failed && !h.downgrade)
        return ERR_MALFORMED;
    *header = h;
    return 0;
}

/* The length goes in front when the end is known. */
static int finish_frame(struct codec_out *out)
{
    size_t bytes = codec_out_bytes(out);
    if (out->own.overflowed || bytes - sizeof(uint32_t) > INT32_MAX)
        return ERR_TOO_LARGE;
    be32_put((uint8_t *)out->own.data, (uint32_t)(bytes - sizeof(uint32_t)));
    return 0;
}

int header_write_response(const struct kafka_api *api, int16_t version,
                          int32_t correlation_id, const void *body, struct codec_out *out)
{
    write_u32(&out->own, 0);
    write_u32(&out->own, (uint32_t)correlation_id);
    if (is_flexible(api, version) && api->key != KAFKA_API_VERSIONS)
        write_uvarint(&out->own, 0);
    int rc = codec_encode(api->response, version, body, out);
    return rc != 0 ? rc : finish_frame(out);
}

int header_write_request(const struct kafka_api *api, int16_t version,
                         int32_t correlation_id, struct slice client_id, const void *body,
                         struct codec_out *out)
{
    if (client_id.len > INT16_MAX)
        return ERR_INVALID;
    write_u32(&out->own, 0);
    write_u16(&out->own, (uint16_t)api->key);
    write_u16(&out->own, (uint16_t)version);
    write_u32(&out->own, (uint32_t)correlation_id);
    write_u16(&out->own, client_id.ptr == NULL ? UINT16_MAX : (uint16_t)client_id.len);
    str_append_slice(&out->own, client_id);
    if (is_flexible(api, version))
        write_uvarint(&out->own, 0);
    int rc = codec_encode(api->request, version, body, out);
    return rc != 0 ? rc : finish_frame(out);
}

int header_read_response(struct reader *r, const struct kafka_api *api, int16_t version,
                         int32_t *correlation_id)
{
    int32_t id = reader_i32(r);
    if (is_flexible(api, version) && api->key != KAFKA_API_VERSIONS)
        skip_tags(r);
    if (r->failed)
        return ERR_MALFORMED;
    *correlation_id = id;
    return 0;
}
