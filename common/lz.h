/* lz.h - compression: Kafka's record codecs, and lz4 blocks for HTTP bodies.
 *
 * The only door to zlib, snappy, lz4 and zstd. Output is always bounded: a bomb fails
 * as ERR_TOO_LARGE before it is unfolded. */
#ifndef COMMON_LZ_H
#define COMMON_LZ_H

#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"

enum lz_codec { LZ_NONE = 0, LZ_GZIP = 1, LZ_SNAPPY = 2, LZ_LZ4 = 3, LZ_ZSTD = 4 };

const char *lz_name(enum lz_codec codec); /* "none", "gzip", ... */

/* Kafka's framings: gzip (RFC 1952), snappy raw or xerial-framed, lz4 frame, zstd frame.
 * Append to OUT, whose maximum is the limit; after a failure nothing is appended. Returns
 * 0, ERR_MALFORMED, ERR_TOO_LARGE, ERR_UNSUPPORTED or ERR_NOMEM. Compression asks for the
 * room of the worst case: a few bytes more than the input. */
int lz_decompress(enum lz_codec codec, struct slice in, struct str *out) MUST_CHECK;
int lz_compress(enum lz_codec codec, struct slice in, struct str *out) MUST_CHECK;
/* With a level in the codec's own numbers: gzip -1 (the library's) or 0 to 9, lz4 1 to 17
 * (from 3 on the slower, denser kind), zstd as zstd's own; snappy has none. */
int lz_compress_level(enum lz_codec codec, int level, struct slice in,
                      struct str *out) MUST_CHECK;

/* An HTTP body under "X-Weft-Encoding: lz4": u32 big-endian plain size, one lz4 block. */
int lz_body_decode(struct slice in, size_t max_bytes, struct str *out) MUST_CHECK;
int lz_body_encode(struct slice in, struct str *out) MUST_CHECK;

#endif
