/* header.h - what stands before a Kafka message's body, and the table of APIs.
 *
 * A frame is an int32 length and that many bytes: a header, and a body for codec.h.
 * Request headers: v0 has key, version and correlation id (only the removed
 * ControlledShutdown used it), v1 adds the client id, v2 (flexible versions, KIP-482)
 * adds tagged fields; the client id stays a plain nullable string in all of them.
 * Response headers: v0 the correlation id, v1 (flexible) adds tagged fields; the reply to
 * ApiVersions has v0 in every version, because who asks does not know us yet
 * (KIP-511). */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/slice.h"
#include "proto/codec.h"
#include "proto/kafka_gen.h"

/* The API of KEY whose messages this build knows, or NULL. Whether it is served says the
 * agent (agent/dispatch.h). */
const struct kafka_api *kafka_api_find(int16_t key);

static inline bool kafka_api_serves(const struct kafka_api *api, int16_t version)
{
    return version >= api->min_version && version <= api->max_version;
}

struct request_header {
    const struct kafka_api *api;
    int16_t api_version;
    int32_t correlation_id;
    struct slice client_id; /* borrowed; ptr NULL when null; not checked to be UTF-8 */
    /* An ApiVersions request of a version that is not served: leave the body alone and
     * answer in version 0 with UNSUPPORTED_VERSION (KIP-511). */
    bool downgrade;
};

/* Read a request's header, up to where the body begins.
 *
 * Returns 0; ERR_UNSUPPORTED for a key or version that is not served (the connection
 * must be closed: Kafka sends no reply either); ERR_MALFORMED. */
int header_read_request(struct reader *r, struct request_header *header) MUST_CHECK;

/* A whole reply, length first: header and BODY in VERSION (0 when the request said
 * `downgrade`). OUT must be empty. Returns what codec_encode returns, and ERR_TOO_LARGE
 * past 2 GiB. */
int header_write_response(const struct kafka_api *api, int16_t version,
                          int32_t correlation_id, const void *body,
                          struct codec_out *out) MUST_CHECK;

/* The client's side, for tests and tools: a whole request, length first. */
int header_write_request(const struct kafka_api *api, int16_t version,
                         int32_t correlation_id, struct slice client_id, const void *body,
                         struct codec_out *out) MUST_CHECK;
/* Read a reply's header, up to where the body begins. Returns 0 or ERR_MALFORMED. */
int header_read_response(struct reader *r, const struct kafka_api *api, int16_t version,
                         int32_t *correlation_id) MUST_CHECK;

#endif
