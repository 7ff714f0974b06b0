/* codec.h - Kafka messages: one interpreter over the generated field tables.
 *
 * kafka/NAME.schema describes an API; gen.py makes of it a C struct per message that
 * holds every version's fields (kafka_gen.h), and a table row per field (kafka_gen.c).
 * This module decodes, encodes and prints any of them. header.h frames them.
 *
 * How values look in the structs:
 *   string, bytes, records  struct slice, borrowed from the frame; ptr == NULL is null
 *   []x              pointer to elements, NAME_count beside it; NULL is null or empty
 *   struct, null     pointer; NULL is null. Other structs are embedded.
 *   slices           struct slice_list: record batches as a list of borrowed pieces
 *
 * A field that a version lacks reads as its default (strings and arrays: null). On the
 * way out it is left out, but a `strict` field that was set to something fails, as in
 * Kafka: the caller must not believe that the peer will see it. Zero counts as "not set"
 * beside the default. Defaults are not all zero: start a reply from codec_new() or from
 * the X_defaults constants. Unknown tagged fields are skipped.
 *
 * Strings must be UTF-8, as the protocol says; what is not is ERR_MALFORMED here, so
 * that nobody behind has to check again before building JSON or logs of them. */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/cursor.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"

/* Bytes in pieces, for record batches whose headers were patched apart from their
 * payload. `bytes` is the sum of the items' lengths: the maker keeps it true. Zeroed, it
 * is "no bytes"; null is said explicitly. */
struct slice_list {
    const struct slice *items;
    size_t count;
    size_t bytes;
    bool is_null;
};

/* ---- tables (generated) ---- */

enum codec_type {
    CODEC_BOOL,
    CODEC_INT8,
    CODEC_INT16,
    CODEC_INT32,
    CODEC_INT64,
    CODEC_UINT16,
    CODEC_FLOAT64,
    CODEC_UUID,
    CODEC_STRING,
    CODEC_RECORDS,
    CODEC_SLICES,
    CODEC_STRUCT,
};

enum codec_flag {
    CODEC_ARRAY = 1,  /* pointer at `offset`, count at `count_offset` */
    CODEC_STRICT = 2, /* must not be set for a version that lacks it */
    CODEC_HIDDEN = 4, /* may be a secret: never printed */
};

#define CODEC_VERSION_NONE INT16_MAX

struct codec_field {
    const char *name;
    const struct codec_struct *sub; /* CODEC_STRUCT: its fields */
    uint16_t offset;
    uint16_t count_offset;
    int16_t min_version, max_version; /* versions that have the field */
    int16_t null_from;                /* nullable from here on, or CODEC_VERSION_NONE */
    int8_t tag;                       /* -1: not a tagged field */
    uint8_t type;                     /* enum codec_type */
    uint8_t flags;                    /* enum codec_flag */
};

struct codec_struct {
    const char *name;
    const struct codec_field *fields; /* wire order; tagged ones last, by tag */
    const void *defaults;             /* an instance with every default */
    uint16_t size;
    uint8_t field_count;
    uint8_t plain_count; /* fields before the tagged ones */
};

struct codec_message {
    const char *name;
    const struct codec_struct *body;
    int16_t api_key; /* -1: embedded in a field of another */
    int16_t min_version, max_version;
    int16_t flexible_from; /* CODEC_VERSION_NONE: never */
};

/* ---- decode ---- */

/* Decode what R has next as MSG in VERSION into *OUT, a struct of MSG->body->size bytes.
 * Arrays go into ARENA; strings and records stay borrowed. Bytes behind the message stay
 * in R: Kafka ignores them in requests, and librdkafka 2.16 sends some.
 *
 * Returns 0, ERR_UNSUPPORTED (no such version), ERR_MALFORMED, or ERR_TOO_LARGE (the
 * arena's cap). On failure *OUT is undefined. */
int codec_decode(const struct codec_message *msg, int16_t version, struct reader *r,
                 struct arena *arena, void *out) MUST_CHECK;

/* N structs of TYPE with defaults, out of ARENA; NULL past its cap. */
void *codec_new(const struct codec_struct *type, size_t n,
                struct arena *arena) MUST_CHECK;

/* ---- encode ---- */

/* Where the borrowed bytes go: before byte AT of the own ones. */
struct codec_borrow {
    size_t at;
    struct slice bytes;
};

/* Encoded bytes: small ones are owned, record batches stay where they are. What was
 * borrowed must live until the output was sent. */
struct codec_out {
    struct str own;
    struct codec_borrow *borrows;
    size_t borrow_count;
    size_t borrowed_bytes;
    /* private */
    size_t borrow_cap;
};

/* Pieces of records below this many bytes are copied: an iovec costs more. */
#define CODEC_COPY_BELOW 256

/* MAX_BYTES bounds the owned bytes only. */
void codec_out_init(struct codec_out *out, size_t max_bytes);
void codec_out_fini(struct codec_out *out);
static inline size_t codec_out_bytes(const struct codec_out *out)
{
    return out->own.len + out->borrowed_bytes;
}

/* The output in order, piece by piece; false at the end. Start from a zeroed iterator.
 * At most 2 * borrow_count + 1 pieces, none empty. */
struct codec_out_iter {
    size_t own_pos;
    size_t borrow;
};
bool codec_out_next(const struct codec_out *out, struct codec_out_iter *iter,
                    struct slice *piece) MUST_CHECK;
/* All of it as one string, for tests and small clients. */
void codec_out_flatten(const struct codec_out *out, struct str *flat);

/* Append BODY as MSG in VERSION. Returns 0, ERR_UNSUPPORTED (no such version, or a strict
 * field set that it lacks), ERR_INVALID (a string over 32,767 bytes, which no version
 * takes, records or an array over 2 GiB, a null struct where the version knows none), or
 * ERR_TOO_LARGE. Other nulls where the version knows none are written as empty.
 * After a failure OUT is only good for codec_out_fini(). */
int codec_encode(const struct codec_message *msg, int16_t version, const void *body,
                 struct codec_out *out) MUST_CHECK;

/* ---- print ---- */

/* Append BODY as one line, for traces: name{field=value ...}. Records show as their
 * number of bytes, hidden fields (config values) too; long arrays are cut. */
void codec_print(const struct codec_message *msg, int16_t version, const void *body,
                 struct str *text);

#endif
