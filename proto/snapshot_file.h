/* snapshot_file.h - the file of a snapshot: what one node ships to another, and what a
 * backup is. All numbers are big-endian.
 *
 *   header   72   magic "WEFTSNAP", u16 version (1), u16 feature level, u32 bytes of a
 *                 chunk (1 MiB), cell id 16, u64 applied index, u64 its term, i64 when it
 *                 was made (ms since 1970), u64 plain bytes, u32 0, u32 CRC-32C of the 68
 *                 bytes before
 *   chunks        each: u32 plain bytes (1 MiB, the last one less or as much), u32 packed
 *                 bytes, u32 CRC-32C of the packed bytes; then these: u32 plain bytes and
 *                 one LZ4 block (lz_body_encode)
 *   trailer  44   u32 0, u32 number of chunks, SHA-256 of the plain bytes 32, u32 CRC-32C
 *                 of the 40 bytes before
 *
 * The plain bytes are a SQLite database in one file: the control plane's state at exactly
 * the applied index. Secrets in it are sealed with the cell key.
 *
 * The reader takes a file in pieces of any size, from a file or a peer, believes nothing,
 * and holds one chunk at a time. What it accepted is what the writer wrote: each chunk is
 * checked before it is unpacked, the whole by its SHA-256 at the end. */
#ifndef PROTO_SNAPSHOT_FILE_H
#define PROTO_SNAPSHOT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define SNAPSHOT_VERSION       1
#define SNAPSHOT_CHUNK_BYTES   ((size_t)1 << 20)
#define SNAPSHOT_HEADER_BYTES  72
#define SNAPSHOT_TRAILER_BYTES 44
#define SNAPSHOT_PLAIN_MAX     ((uint64_t)1 << 40)

struct snapshot_info {
    uint16_t version;
    uint16_t feature_level;
    struct uuid cell_id;
    uint64_t index, term;
    int64_t created_at_ms;
    uint64_t plain_bytes;
    /* known at the end */
    uint64_t file_bytes;
    uint8_t sha256[SHA256_LEN];
};

/* ---- bytes: pure ---- */

void snapshot_write_header(const struct snapshot_info *info, struct str *out);
/* One chunk of PLAIN (1 to 1 MiB bytes). */
int snapshot_write_chunk(struct slice plain, struct str *out) MUST_CHECK;
void snapshot_write_trailer(uint32_t chunks, const uint8_t sha256[SHA256_LEN],
                            struct str *out);

struct snapshot_reader {
    struct snapshot_info info; /* once `headed`; all of it once `ended` */
    bool headed, ended;
    uint32_t chunks;
    uint64_t plain_bytes; /* so far */
    /* private */
    struct str in, plain;
    struct crypto_sha256_stream *sha256;
};

void snapshot_reader_init(struct snapshot_reader *reader);
void snapshot_reader_fini(struct snapshot_reader *reader);
/* Take the next BYTES of the file. ON_PLAIN (may be NULL) gets each chunk; what it
 * returns but 0 ends the reading. ERR_DAMAGED, ERR_UNSUPPORTED; after `ended` any byte
 * more is ERR_DAMAGED. */
int snapshot_reader_feed(struct snapshot_reader *reader, struct slice bytes,
                         int (*on_plain)(void *arg, struct slice plain, struct err *err),
                         void *arg, struct err *err) MUST_CHECK;

/* ---- files: blocking ---- */

/* How fast, and for how long: both may be 0. */
struct snapshot_pace {
    uint64_t rate_bytes; /* of plain bytes a second; 0: no limit */
    bool (*stopped)(void *arg);
    void *arg;
};

/* Pack PLAIN_PATH into PATH, which is made anew, durably, and is not there when this
 * fails. INFO comes with what the header says but sizes, and goes with all of it. */
int snapshot_pack(const char *plain_path, const char *path, struct snapshot_info *info,
                  const struct snapshot_pace *pace, struct err *err) MUST_CHECK;
/* Verify PATH, and unpack it to PLAIN_PATH (made anew, durably; NULL: only verify). */
int snapshot_unpack(const char *path, const char *plain_path, struct snapshot_info *info,
                    const struct snapshot_pace *pace, struct err *err) MUST_CHECK;

#endif
