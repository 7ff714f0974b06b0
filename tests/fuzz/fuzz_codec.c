/* fuzz_codec.c - bodies of every message and version.
 *
 * The first byte is an API's key and request or response, the second the version; the
 * rest is a body. Keys that no API has pick what members of groups embed. What decodes
 * must encode, and that must decode and encode to itself: the first pass may drop unknown
 * tagged fields, the second may change nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "proto/codec.h"
#include "proto/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_MAX (4 * MIB)
#define OUT_MAX   (4 * MIB)

/* Decode BYTES and encode again into FLAT; false if they do not decode. */
static bool turn(const struct codec_message *msg, int16_t version, struct slice bytes,
                 struct str *flat)
{
    struct arena arena;
    struct reader r;
    struct codec_out out;
    arena_init(&arena, ARENA_MAX);
    reader_init(&r, bytes);
    void *body = arena_alloc(&arena, msg->body->size);
    bool decoded = codec_decode(msg, version, &r, &arena, body) == 0;
    if (decoded) {
        codec_out_init(&out, OUT_MAX);
        if (codec_encode(msg, version, body, &out) != 0)
            abort();
        codec_out_flatten(&out, flat);
        if (flat->overflowed || flat->len != codec_out_bytes(&out))
            abort();
        codec_out_fini(&out);
        struct str text;
        str_init(&text, 64 * KIB);
        codec_print(msg, version, body, &text);
        str_fini(&text);
    }
    arena_fini(&arena);
    return decoded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > MIB)
        return 0;
    const struct kafka_api *api = kafka_api_find(data[0] >> 1);
    const struct codec_message *msg;
    if (api == NULL)
        msg = data[0] & 1 ? &consumer_protocol_assignment_message
                          : &consumer_protocol_subscription_message;
    else
        msg = data[0] & 1 ? api->response : api->request;
    int16_t version = (int8_t)data[1];
    struct str once, twice;
    str_init(&once, OUT_MAX);
    str_init(&twice, OUT_MAX);
    if (turn(msg, version, slice_of(data + 2, size - 2), &once)) {
        if (once.len > size - 2)
            abort(); /* nothing is made up on the way */
        if (!turn(msg, version, str_slice(&once), &twice) ||
            !slice_eq(str_slice(&once), str_slice(&twice)))
            abort();
    }
    str_fini(&twice);
    str_fini(&once);
    return 0;
}
