/* lz.c - the record codecs and the HTTP body encoding.
 *
 * Every decoder appends to the caller's string, whose maximum is the limit. Where the
 * input tells its plain size (snappy, lz4 bodies) that is checked before anything is
 * unfolded; the streaming decoders (gzip, lz4 frames, zstd) unfold in pieces of
 * PIECE_BYTES and stop at the first that does not fit. Kafka's own reading is followed:
 * several gzip members or lz4 and zstd frames in a row are one text. */
#include "common/lz.h"

#include <limits.h>
#include <string.h>

#include <lz4.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/check.h"
#include "common/cursor.h"
#include "common/err.h"
#include "common/mem.h"

#define PIECE_BYTES           (64 * KIB)
#define ZSTD_LEVEL            3
#define ZSTD_WINDOW_LOG_USUAL 23
#define ZSTD_WINDOW_LOG_MAX   27

/* Kafka's Java clients frame snappy as the xerial library does: this magic, two version
 * numbers, then blocks of a big-endian length and raw snappy. */
static const uint8_t xerial_magic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
#define XERIAL_HEADER_BYTES 16
#define XERIAL_BLOCK_BYTES  (32 * KIB)
#define XERIAL_VERSION      1

const char *lz_name(enum lz_codec codec)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    return (size_t)codec < ARRAY_LEN(names) ? names[codec] : "unknown";
}

/* The end of OUT as a buffer for the next piece: at least one byte, or ERR_TOO_LARGE. It
 * counts as appended; trim_piece() takes back what was not filled. */
static int next_piece(struct str *out, size_t want, uint8_t **room, size_t *len)
{
    size_t left = str_room(out);
    if (left == 0)
        return ERR_TOO_LARGE;
    *len = MIN(left, want);
    *room = str_extend(out, *len);
    return *room == NULL ? ERR_TOO_LARGE : 0;
}

static void trim_piece(struct str *out, size_t unused)
{
    str_truncate(out, out->len - unused);
}

/* A piece grows with what came already, so that large texts need few rounds. */
static size_t piece_size(const struct str *out, size_t before)
{
    return MIN(MAX(PIECE_BYTES, out->len - before), MIB);
}

/* --- gzip --- */

/* Inflate all of Z's input, member by member. */
static int inflate_all(z_stream *z, struct slice in, struct str *out)
{
    size_t before = out->len;
    size_t fed = 0;
    int rc = Z_OK;

    do {
        uint8_t *room;
        size_t len;
        if (z->avail_in == 0 && fed < in.len) {
            size_t n = MIN(in.len - fed, (size_t)UINT_MAX);
            z->next_in = (Bytef *)(uintptr_t)(in.ptr + fed);
            z->avail_in = (uInt)n;
            fed += n;
        }
        int code = next_piece(out, piece_size(out, before), &room, &len);
        if (code != 0) {
            /* Full to the brim: fine if nothing more comes out. */
            uint8_t spare;
            z->next_out = &spare;
            z->avail_out = 1;
            rc = inflate(z, Z_NO_FLUSH);
            if (z->avail_out == 0)
                return code;
        } else {
            z->next_out = room;
            z->avail_out = (uInt)len;
            rc = inflate(z, Z_NO_FLUSH);
            trim_piece(out, z->avail_out);
        }
        if (rc == Z_STREAM_END && (z->avail_in > 0 || fed < in.len))
            rc = inflateReset(z);
    } while (rc == Z_OK);
    return rc == Z_STREAM_END ? 0 : rc == Z_MEM_ERROR ? ERR_NOMEM : ERR_MALFORMED;
}

static int gzip_decompress(struct slice in, struct str *out)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    if (inflateInit2(&z, 15 + 16) != Z_OK) /* 16: gzip's header */
        return ERR_NOMEM;
    int code = inflate_all(&z, in, out);
    inflateEnd(&z);
    return code;
}

static int gzip_compress(int level, struct slice in, struct str *out)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    if (in.len > INT_MAX)
        return ERR_TOO_LARGE;
    if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    size_t bound = deflateBound(&z, (uLong)in.len);
    uint8_t *room = str_extend(out, bound);
    int code = ERR_TOO_LARGE;
    if (room != NULL) {
        z.next_in = (Bytef *)(uintptr_t)in.ptr;
        z.avail_in = (uInt)in.len;
        z.next_out = room;
        z.avail_out = (uInt)bound;
        int rc = deflate(&z, Z_FINISH);
        ASSERT(rc == Z_STREAM_END);
        trim_piece(out, z.avail_out);
        code = 0;
    }
    deflateEnd(&z);
    return code;
}

/* --- snappy --- */

static int snappy_block(struct slice in, struct str *out)
{
    size_t plain;
    if (snappy_uncompressed_length((const char *)in.ptr, in.len, &plain) != SNAPPY_OK)
        return ERR_MALFORMED;
    /* A copy of 64 bytes takes two: no honest block unfolds further than that. */
    if (plain / 64 > in.len)
        return ERR_MALFORMED;
    if (plain > str_room(out))
        return ERR_TOO_LARGE;
    char *room = str_extend(out, plain);
    if (room == NULL)
        return ERR_TOO_LARGE;
    if (snappy_uncompress((const char *)in.ptr, in.len, room, &plain) != SNAPPY_OK)
        return ERR_MALFORMED;
    return 0;
}

static bool is_xerial(struct slice in)
{
    return in.len >= XERIAL_HEADER_BYTES &&
           memcmp(in.ptr, xerial_magic, sizeof(xerial_magic)) == 0;
}

static int snappy_decompress(struct slice in, struct str *out)
{
    struct reader r;
    int code = 0;

    if (in.len == 0)
        return ERR_MALFORMED;
    if (!is_xerial(in))
        return snappy_block(in, out);
    reader_init(&r, in);
    reader_skip(&r, XERIAL_HEADER_BYTES);
    while (code == 0 && reader_left(&r) > 0) {
        struct slice block = reader_bytes(&r, reader_u32(&r));
        code = r.failed || block.len == 0 ? ERR_MALFORMED : snappy_block(block, out);
    }
    return code;
}

static int snappy_compress_blocks(struct slice in, struct str *out)
{
    str_append(out, xerial_magic, sizeof(xerial_magic));
    write_u32(out, XERIAL_VERSION);
    write_u32(out, XERIAL_VERSION); /* the oldest reader that understands it */
    for (size_t at = 0; at < in.len && !out->overflowed;) {
        size_t plain = MIN(in.len - at, XERIAL_BLOCK_BYTES);
        size_t len = snappy_max_compressed_length(plain);
        uint8_t *room = str_extend(out, 4 + len);
        if (room == NULL)
            break;
        size_t reserved = len;
        snappy_status rc =
            snappy_compress((const char *)in.ptr + at, plain, (char *)room + 4, &len);
        ASSERT(rc == SNAPPY_OK);
        be32_put(room, (uint32_t)len);
        trim_piece(out, reserved - len);
        at += plain;
    }
    return out->overflowed ? ERR_TOO_LARGE : 0;
}

/* --- lz4 frames --- */

static int lz4_unfold(LZ4F_dctx *dctx, struct slice in, struct str *out)
{
    size_t before = out->len;
    size_t at = 0;
    size_t hint = 1; /* 0 at the end of a frame */
    uint8_t spare;
    bool more;

    do {
        uint8_t *room;
        size_t room_len, in_len = in.len - at;
        int full = next_piece(out, piece_size(out, before), &room, &room_len);
        if (full != 0) {
            room = &spare;
            room_len = 1;
        }
        size_t filled = room_len;
        hint = LZ4F_decompress(dctx, room, &filled, in.ptr + at, &in_len, NULL);
        if (full == 0)
            trim_piece(out, LZ4F_isError(hint) ? room_len : room_len - filled);
        if (LZ4F_isError(hint))
            return ERR_MALFORMED;
        if (full != 0 && filled > 0)
            return full;
        at += in_len;
        /* Neither input taken nor output given: the frame is cut off. */
        more = in_len > 0 || filled > 0;
    } while (more && (hint != 0 || at < in.len));
    return hint == 0 ? 0 : ERR_MALFORMED;
}

static int lz4_decompress(struct slice in, struct str *out)
{
    LZ4F_dctx *dctx;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&dctx, LZ4F_VERSION)))
        return ERR_NOMEM;
    int code = in.len == 0 ? ERR_MALFORMED : lz4_unfold(dctx, in, out);
    LZ4F_freeDecompressionContext(dctx);
    return code;
}

static int lz4_compress(int level, struct slice in, struct str *out)
{
    /* What Kafka's clients write: independent blocks of 64 KiB, the content's size not
     * told. */
    LZ4F_preferences_t prefs;
    memset(&prefs, 0, sizeof(prefs));
    prefs.frameInfo.blockMode = LZ4F_blockIndependent;
    prefs.frameInfo.blockSizeID = LZ4F_max64KB;
    prefs.compressionLevel = level;
    size_t bound = LZ4F_compressFrameBound(in.len, &prefs);
    uint8_t *room = str_extend(out, bound);
    if (room == NULL)
        return ERR_TOO_LARGE;
    size_t n = LZ4F_compressFrame(room, bound, in.ptr, in.len, &prefs);
    ASSERT(!LZ4F_isError(n));
    trim_piece(out, bound - n);
    return 0;
}

/* --- zstd --- */

static int zstd_unfold(ZSTD_DCtx *dctx, struct slice in, struct str *out)
{
    size_t before = out->len;
    ZSTD_inBuffer from = {in.ptr, in.len, 0};
    size_t hint = 1; /* 0 at the end of a frame */
    uint8_t spare;
    bool more;

    do {
        uint8_t *room;
        size_t room_len, in_before = from.pos;
        int full = next_piece(out, piece_size(out, before), &room, &room_len);
        ZSTD_outBuffer to = {full == 0 ? room : &spare, full == 0 ? room_len : 1, 0};
        hint = ZSTD_decompressStream(dctx, &to, &from);
        if (full == 0)
            trim_piece(out, room_len - to.pos);
        if (ZSTD_isError(hint))
            return ZSTD_getErrorCode(hint) == ZSTD_error_frameParameter_windowTooLarge
                       ? ERR_TOO_LARGE
                       : ERR_MALFORMED;
        if (full != 0 && to.pos > 0)
            return full;
        more = from.pos > in_before || to.pos > 0;
    } while (more && (hint != 0 || from.pos < from.size));
    return hint == 0 ? 0 : ERR_MALFORMED;
}

/* The largest window that we give memory for: what the text may have, but not less than
 * the usual levels (to 19) ask for, nor more than the format's own recommendation. */
static int zstd_window_log(size_t room)
{
    int log = ZSTD_WINDOW_LOG_USUAL;
    while (log < ZSTD_WINDOW_LOG_MAX && room >> log != 0)
        log++;
    return log;
}

static int zstd_decompress(struct slice in, struct str *out)
{
    ZSTD_DCtx *dctx = ZSTD_createDCtx();
    if (dctx == NULL)
        return ERR_NOMEM;
    ZSTD_DCtx_setParameter(dctx, ZSTD_d_windowLogMax, zstd_window_log(str_room(out)));
    int code = in.len == 0 ? ERR_MALFORMED : zstd_unfold(dctx, in, out);
    ZSTD_freeDCtx(dctx);
    return code;
}

static int zstd_compress(int level, struct slice in, struct str *out)
{
    size_t bound = ZSTD_compressBound(in.len);
    uint8_t *room = str_extend(out, bound);
    if (room == NULL)
        return ERR_TOO_LARGE;
    size_t n = ZSTD_compress(room, bound, in.ptr, in.len, level);
    if (ZSTD_isError(n)) {
        trim_piece(out, bound);
        return ERR_NOMEM;
    }
    trim_piece(out, bound - n);
    return 0;
}

/* --- the doors --- */

static int decompress(enum lz_codec codec, struct slice in, struct str *out)
{
    switch (codec) {
    case LZ_NONE:
        str_append_slice(out, in);
        return out->overflowed ? ERR_TOO_LARGE : 0;
    case LZ_GZIP:
        return gzip_decompress(in, out);
    case LZ_SNAPPY:
        return snappy_decompress(in, out);
    case LZ_LZ4:
        return lz4_decompress(in, out);
    case LZ_ZSTD:
        return zstd_decompress(in, out);
    }
    return ERR_UNSUPPORTED;
}

int lz_decompress(enum lz_codec codec, struct slice in, struct str *out)
{
    size_t before = out->len;
    int code = decompress(codec, in, out);
    if (code != 0)
        str_truncate(out, before);
    return code;
}

int lz_compress(enum lz_codec codec, struct slice in, struct str *out)
{
    static const int levels[] = {
        [LZ_GZIP] = Z_DEFAULT_COMPRESSION, [LZ_LZ4] = 0, [LZ_ZSTD] = ZSTD_LEVEL};
    return lz_compress_level(codec, (size_t)codec < ARRAY_LEN(levels) ? levels[codec] : 0,
                             in, out);
}

int lz_compress_level(enum lz_codec codec, int level, struct slice in, struct str *out)
{
    switch (codec) {
    case LZ_NONE:
        return lz_decompress(LZ_NONE, in, out);
    case LZ_GZIP:
        return gzip_compress(level, in, out);
    case LZ_SNAPPY:
        return snappy_compress_blocks(in, out);
    case LZ_LZ4:
        return lz4_compress(level, in, out);
    case LZ_ZSTD:
        return zstd_compress(level, in, out);
    }
    return ERR_UNSUPPORTED;
}

int lz_body_decode(struct slice in, size_t max_bytes, struct str *out)
{
    struct reader r;
    reader_init(&r, in);
    size_t plain = reader_u32(&r);
    if (r.failed)
        return ERR_MALFORMED;
    if (plain > max_bytes || plain > LZ4_MAX_INPUT_SIZE)
        return ERR_TOO_LARGE;
    /* A byte of lz4 unfolds to 255 at most: a liar gets no memory. */
    if (plain / 255 > reader_left(&r))
        return ERR_MALFORMED;
    char *room = str_extend(out, plain);
    if (room == NULL)
        return ERR_TOO_LARGE;
    int n =
        LZ4_decompress_safe((const char *)r.pos, room, (int)reader_left(&r), (int)plain);
    if (n < 0 || (size_t)n != plain) {
        trim_piece(out, plain);
        return ERR_MALFORMED;
    }
    return 0;
}

int lz_body_encode(struct slice in, struct str *out)
{
    if (in.len > LZ4_MAX_INPUT_SIZE)
        return ERR_TOO_LARGE;
    int bound = LZ4_compressBound((int)in.len);
    uint8_t *room = str_extend(out, 4 + (size_t)bound);
    if (room == NULL)
        return ERR_TOO_LARGE;
    be32_put(room, (uint32_t)in.len);
    int n = LZ4_compress_default(in.ptr == NULL ? "" : (const char *)in.ptr,
                                 (char *)room + 4, (int)in.len, bound);
    ASSERT(n > 0);
    trim_piece(out, (size_t)(bound - n));
    return 0;
}
