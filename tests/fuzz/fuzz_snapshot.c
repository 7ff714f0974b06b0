/* fuzz_snapshot.c - the reader of snapshot files, fed with anything in pieces of any
 * size.
 *
 * The first byte chooses the piece. Checksums would keep a fuzzer out, so the second byte
 * says whether they are mended first, as far as the sizes in the file lead. What the
 * reader accepts must be what its own words say: the plain bytes' number and hash. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/mem.h"
#include "proto/snapshot_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t bytes;
    struct crypto_sha256_stream *sha256;
};

static int on_plain(void *arg, struct slice plain, struct err *err)
{
    struct seen *seen = arg;
    (void)err;
    if (plain.len == 0 || plain.len > SNAPSHOT_CHUNK_BYTES)
        __builtin_trap();
    seen->bytes += plain.len;
    crypto_sha256_update(seen->sha256, plain);
    return 0;
}

/* Make the header's, the chunks' and the trailer's checksums right. */
static void mend(uint8_t *bytes, size_t size)
{
    size_t at = SNAPSHOT_HEADER_BYTES;

    if (size < at)
        return;
    be32_put(bytes + at - 4, crc32c(bytes, at - 4));
    while (size - at >= 12 && be32_get(bytes + at) != 0) {
        size_t packed = be32_get(bytes + at + 4);
        if (packed > size - at - 12)
            return;
        be32_put(bytes + at + 8, crc32c(bytes + at + 12, packed));
        at += 12 + packed;
    }
    if (size - at >= SNAPSHOT_TRAILER_BYTES)
        be32_put(bytes + at + 40, crc32c(bytes + at, 40));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.sha256 = crypto_sha256_new()};
    struct snapshot_reader reader;
    uint8_t digest[SHA256_LEN];
    struct err err;
    int rc = 0;

    if (size < 2) {
        crypto_sha256_end(seen.sha256, digest);
        return 0;
    }
    size_t piece = data[0] == 0 ? size : data[0];
    size_t len = size - 2;
    uint8_t *bytes = mem_zalloc(len + 1);
    memcpy(bytes, data + 2, len);
    if (data[1] & 1)
        mend(bytes, len);
    snapshot_reader_init(&reader);
    for (size_t at = 0; rc == 0 && at < len; at += piece)
        rc = snapshot_reader_feed(&reader, slice_of(bytes + at, MIN(piece, len - at)),
                                  on_plain, &seen, &err);
    crypto_sha256_end(seen.sha256, digest);
    if (reader.ended && (seen.bytes != reader.info.plain_bytes ||
                         memcmp(digest, reader.info.sha256, sizeof(digest)) != 0))
        __builtin_trap();
    snapshot_reader_fini(&reader);
    mem_free(bytes);
    return 0;
}
