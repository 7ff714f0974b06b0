/* fuzz_header.c - whole request frames, as a hostile client sends them.
 *
 * What the header announces is decoded as the agent would. Headers that were read are
 * written again and must read the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "common/err.h"
#include "proto/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct request_header *header)
{
    struct request_header again;
    struct codec_out out;
    struct reader r;
    codec_out_init(&out, MIB);
    if (header_write_request(header->api, header->api_version, header->correlation_id,
                             header->client_id, header->api->request->body->defaults,
                             &out) != 0)
        abort();
    reader_init(&r, str_slice(&out.own));
    if (reader_u32(&r) != out.own.len - 4 || header_read_request(&r, &again) != 0)
        abort();
    if (again.api != header->api || again.api_version != header->api_version ||
        again.correlation_id != header->correlation_id ||
        !slice_eq(again.client_id, header->client_id) ||
        (again.client_id.ptr == NULL) != (header->client_id.ptr == NULL))
        abort();
    codec_out_fini(&out);
}

static void read_body(struct reader *r, const struct request_header *header)
{
    struct arena arena;
    arena_init(&arena, 4 * MIB);
    void *body = arena_alloc(&arena, header->api->request->body->size);
    int rc = codec_decode(header->api->request, header->api_version, r, &arena, body);
    if (rc != 0 && rc != ERR_MALFORMED && rc != ERR_TOO_LARGE)
        abort();
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request_header header;
    struct reader r;
    if (size > MIB)
        return 0;
    reader_init(&r, slice_of(data, size));
    int rc = header_read_request(&r, &header);
    if (rc != 0 && rc != ERR_MALFORMED && rc != ERR_UNSUPPORTED)
        abort();
    if (rc == 0 && header.downgrade && header.api->key != KAFKA_API_VERSIONS)
        abort();
    if (rc == 0 && !header.downgrade) {
        check_written(&header);
        read_body(&r, &header);
    }
    /* The same bytes as a reply, to a client of ours. */
    const struct kafka_api *api = size > 2 ? kafka_api_find(data[0]) : NULL;
    if (api != NULL) {
        int32_t correlation_id;
        reader_init(&r, slice_of(data + 2, size - 2));
        rc = header_read_response(&r, api, data[1], &correlation_id);
        if (rc != 0 && rc != ERR_MALFORMED)
            abort();
    }
    return 0;
}
