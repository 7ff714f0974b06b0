/* snapshot_file.c - see snapshot_file.h. */
#include "proto/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/dir_sync.h"
#include "common/fault.h"
#include "common/lz.h"

#define CHUNK_HEADER 12
/* LZ4 of what does not pack is a little longer than it was. */
#define PACKED_MAX (SNAPSHOT_CHUNK_BYTES + SNAPSHOT_CHUNK_BYTES / 64 + 64)
#define PATH_MAX_  1100

static const char magic[8] = {'W', 'E', 'F', 'T', 'S', 'N', 'A', 'P'};

/* ---- writing ---- */

void snapshot_write_header(const struct snapshot_info *info, struct str *out)
{
    size_t at = out->len;

    str_append(out, magic, sizeof(magic));
    write_u16(out, SNAPSHOT_VERSION);
    write_u16(out, info->feature_level);
    write_u32(out, (uint32_t)SNAPSHOT_CHUNK_BYTES);
    str_append(out, info->cell_id.bytes, sizeof(info->cell_id.bytes));
    write_u64(out, info->index);
    write_u64(out, info->term);
    write_u64(out, (uint64_t)info->created_at_ms);
    write_u64(out, info->plain_bytes);
    write_u32(out, 0);
    if (!out->overflowed)
        write_u32(out, crc32c(out->data + at, out->len - at));
}

int snapshot_write_chunk(struct slice plain, struct str *out)
{
    size_t at = out->len;

    ASSERT(plain.len > 0 && plain.len <= SNAPSHOT_CHUNK_BYTES);
    write_u32(out, (uint32_t)plain.len);
    write_u64(out, 0);
    int rc = lz_body_encode(plain, out);
    if (rc != 0)
        return rc;
    size_t packed = out->len - at - CHUNK_HEADER;
    uint8_t *head = (uint8_t *)out->data + at;
    be32_put(head + 4, (uint32_t)packed);
    be32_put(head + 8, crc32c(head + CHUNK_HEADER, packed));
    return 0;
}

void snapshot_write_trailer(uint32_t chunks, const uint8_t sha256[SHA256_LEN],
                            struct str *out)
{
    size_t at = out->len;

    write_u32(out, 0);
    write_u32(out, chunks);
    str_append(out, sha256, SHA256_LEN);
    if (!out->overflowed)
        write_u32(out, crc32c(out->data + at, out->len - at));
}

/* ---- reading ---- */

void snapshot_reader_init(struct snapshot_reader *reader)
{
    memset(reader, 0, sizeof(*reader));
    str_init(&reader->in, PACKED_MAX + CHUNK_HEADER);
    str_init(&reader->plain, SNAPSHOT_CHUNK_BYTES);
    reader->sha256 = crypto_sha256_new();
}

void snapshot_reader_fini(struct snapshot_reader *reader)
{
    uint8_t ignored[SHA256_LEN];

    str_fini(&reader->in);
    str_fini(&reader->plain);
    if (reader->sha256 != NULL)
        crypto_sha256_end(reader->sha256, ignored);
    reader->sha256 = NULL;
}

static int read_header(struct snapshot_reader *reader, const uint8_t *bytes,
                       struct err *err)
{
    struct snapshot_info *info = &reader->info;
    struct reader r;

    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return err_set(err, ERR_DAMAGED, "not a snapshot of Weft");
    reader_init(&r, slice_of(bytes + sizeof(magic), SNAPSHOT_HEADER_BYTES - 8));
    info->version = reader_u16(&r);
    if (info->version != SNAPSHOT_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "snapshot of version %u, this program knows %d", info->version,
                       SNAPSHOT_VERSION);
    info->feature_level = reader_u16(&r);
    uint32_t chunk_bytes = reader_u32(&r);
    memcpy(info->cell_id.bytes, r.pos, sizeof(info->cell_id.bytes));
    reader_skip(&r, sizeof(info->cell_id.bytes));
    info->index = reader_u64(&r);
    info->term = reader_u64(&r);
    info->created_at_ms = reader_i64(&r);
    info->plain_bytes = reader_u64(&r);
    if (reader_u32(&r) != 0 ||
        reader_u32(&r) != crc32c(bytes, SNAPSHOT_HEADER_BYTES - 4) ||
        chunk_bytes != SNAPSHOT_CHUNK_BYTES || info->plain_bytes > SNAPSHOT_PLAIN_MAX)
        return err_set(err, ERR_DAMAGED, "the snapshot's header is damaged");
    reader->headed = true;
    return 0;
}

static int read_trailer(struct snapshot_reader *reader, const uint8_t *bytes,
                        struct err *err)
{
    uint8_t digest[SHA256_LEN];

    if (be32_get(bytes + SNAPSHOT_TRAILER_BYTES - 4) !=
            crc32c(bytes, SNAPSHOT_TRAILER_BYTES - 4) ||
        be32_get(bytes + 4) != reader->chunks ||
        reader->plain_bytes != reader->info.plain_bytes)
        return err_set(err, ERR_DAMAGED, "the snapshot ends at chunk %u of %llu bytes",
                       reader->chunks, (unsigned long long)reader->info.plain_bytes);
    crypto_sha256_end(reader->sha256, digest);
    reader->sha256 = NULL;
    if (memcmp(digest, bytes + 8, SHA256_LEN) != 0)
        return err_set(err, ERR_DAMAGED, "the snapshot's SHA-256 is another one");
    memcpy(reader->info.sha256, digest, SHA256_LEN);
    reader->ended = true;
    return 0;
}

/* How many bytes the next piece of the file has, as far as is known by now. */
static int next_length(const struct snapshot_reader *reader, size_t *need,
                       struct err *err)
{
    const uint8_t *head = (const uint8_t *)reader->in.data;
    uint64_t left = reader->info.plain_bytes - reader->plain_bytes;

    if (!reader->headed) {
        *need = SNAPSHOT_HEADER_BYTES;
        return 0;
    }
    if (reader->in.len < CHUNK_HEADER) {
        *need = CHUNK_HEADER; /* the trailer is longer too */
        return 0;
    }
    uint32_t plain = be32_get(head), packed = be32_get(head + 4);
    if (left == 0 || plain == 0) {
        *need = SNAPSHOT_TRAILER_BYTES;
        return plain == 0
                   ? 0
                   : err_set(err, ERR_DAMAGED, "the snapshot is longer than it says");
    }
    if (plain != MIN(left, SNAPSHOT_CHUNK_BYTES) || packed < 4 || packed > PACKED_MAX)
        return err_set(err, ERR_DAMAGED, "chunk %u of the snapshot has impossible sizes",
                       reader->chunks);
    *need = CHUNK_HEADER + packed;
    return 0;
}

static int read_chunk(struct snapshot_reader *reader,
                      int (*on_plain)(void *arg, struct slice plain, struct err *err),
                      void *arg, struct err *err)
{
    const uint8_t *head = (const uint8_t *)reader->in.data;
    uint32_t plain = be32_get(head), packed = be32_get(head + 4);

    if (be32_get(head + 8) != crc32c(head + CHUNK_HEADER, packed))
        return err_set(err, ERR_DAMAGED, "chunk %u of the snapshot is damaged",
                       reader->chunks);
    str_reset(&reader->plain);
    if (lz_body_decode(slice_of(head + CHUNK_HEADER, packed), plain, &reader->plain) !=
            0 ||
        reader->plain.len != plain)
        return err_set(err, ERR_DAMAGED, "chunk %u of the snapshot does not unpack",
                       reader->chunks);
    crypto_sha256_update(reader->sha256, str_slice(&reader->plain));
    reader->chunks++;
    reader->plain_bytes += plain;
    return on_plain == NULL ? 0 : on_plain(arg, str_slice(&reader->plain), err);
}

int snapshot_reader_feed(struct snapshot_reader *reader, struct slice bytes,
                         int (*on_plain)(void *arg, struct slice plain, struct err *err),
                         void *arg, struct err *err)
{
    int rc = 0;

    while (rc == 0 && bytes.len > 0) {
        size_t need = 0;
        if (reader->ended)
            return err_set(err, ERR_DAMAGED, "bytes behind the end of the snapshot");
        rc = next_length(reader, &need, err);
        if (rc != 0)
            break;
        if (reader->in.len < need) {
            size_t take = MIN(need - reader->in.len, bytes.len);
            str_append(&reader->in, bytes.ptr, take);
            bytes = slice_of(bytes.ptr + take, bytes.len - take);
            if (reader->in.len < need)
                break;
            rc = next_length(reader, &need, err); /* a chunk's header tells the rest */
            if (rc != 0 || reader->in.len < need)
                continue;
        }
        const uint8_t *piece = (const uint8_t *)reader->in.data;
        if (!reader->headed)
            rc = read_header(reader, piece, err);
        else if (be32_get(piece) == 0)
            rc = read_trailer(reader, piece, err);
        else
            rc = read_chunk(reader, on_plain, arg, err);
        str_reset(&reader->in);
    }
    return rc;
}

/* ---- files ---- */

static bool is_stopped(const struct snapshot_pace *pace)
{
    return pace != NULL && pace->stopped != NULL && pace->stopped(pace->arg);
}

/* Wait until DONE bytes since START_MS are not more than the pace allows. */
static int keep_pace(const struct snapshot_pace *pace, uint64_t done, int64_t start_ms,
                     struct err *err)
{
    while (pace != NULL && pace->rate_bytes > 0 && !is_stopped(pace)) {
        uint64_t spent_ms = (uint64_t)(clock_monotonic_ms() - start_ms);
        uint64_t due_ms = done / pace->rate_bytes * 1000 +
                          done % pace->rate_bytes * 1000 / pace->rate_bytes;
        if (due_ms <= spent_ms)
            break;
        struct timespec nap = {.tv_nsec =
                                   (long)MIN(due_ms - spent_ms, (uint64_t)50) * 1000000L};
        (void)nanosleep(&nap, NULL);
    }
    return is_stopped(pace) ? err_set(err, ERR_CANCELLED, "stopped") : 0;
}

static int write_all(int fd, struct slice bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(err, n < 0 ? errno : EIO, "write");
        bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

/* Up to LEN bytes; fewer at the end of the file only. */
static int read_some(int fd, uint8_t *bytes, size_t len, size_t *count, struct err *err)
{
    size_t at = 0;

    while (at < len) {
        ssize_t n = read(fd, bytes + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "read");
        if (n == 0)
            break;
        at += (size_t)n;
    }
    *count = at;
    return 0;
}

static int part_path(const char *path, char part[PATH_MAX_], struct err *err)
{
    int n = snprintf(part, PATH_MAX_, "%s.part", path);
    return n > 0 && n < PATH_MAX_ ? 0 : err_set(err, ERR_INVALID, "the path is too long");
}

/* FD's file PART, complete, becomes PATH, durably; or goes, when RC says so. */
static int finish_file(int fd, const char *part, const char *path, int rc,
                       struct err *err)
{
    if (rc == 0 && (fsync(fd) != 0 || FAULT_ERROR("snapshot-sync-fails")))
        rc = err_set_errno(err, errno == 0 ? EIO : errno, "sync %s", part);
    close(fd);
    if (rc == 0 && rename(part, path) != 0)
        rc = err_set_errno(err, errno, "rename %s", part);
    if (rc == 0)
        rc = dir_sync_of(path, err);
    if (rc != 0)
        (void)unlink(part);
    return rc;
}

static int pack_chunks(int in, int out, struct snapshot_info *info,
                       const struct snapshot_pace *pace, struct str *plain,
                       struct str *packed, struct err *err)
{
    struct crypto_sha256_stream *sha256 = crypto_sha256_new();
    int64_t start_ms = clock_monotonic_ms();
    uint64_t done = 0;
    uint32_t chunks = 0;
    int rc = 0;

    snapshot_write_header(info, packed);
    info->file_bytes = packed->len;
    rc = write_all(out, str_slice(packed), err);
    while (rc == 0 && done < info->plain_bytes) {
        size_t len = MIN(info->plain_bytes - done, SNAPSHOT_CHUNK_BYTES), count = 0;
        str_reset(plain);
        str_reset(packed);
        rc = read_some(in, str_extend(plain, len), len, &count, err);
        if (rc == 0 && count != len)
            rc = err_set(err, ERR_IO, "the database became shorter");
        if (rc == 0)
            rc = snapshot_write_chunk(str_slice(plain), packed);
        if (rc != 0)
            break;
        crypto_sha256_update(sha256, str_slice(plain));
        rc = write_all(out, str_slice(packed), err);
        info->file_bytes += packed->len;
        done += len;
        chunks++;
        FAULT_POINT("snapshot-chunk");
        if (rc == 0)
            rc = keep_pace(pace, done, start_ms, err);
    }
    crypto_sha256_end(sha256, info->sha256);
    str_reset(packed);
    snapshot_write_trailer(chunks, info->sha256, packed);
    info->file_bytes += packed->len;
    return rc == 0 ? write_all(out, str_slice(packed), err) : rc;
}

int snapshot_pack(const char *plain_path, const char *path, struct snapshot_info *info,
                  const struct snapshot_pace *pace, struct err *err)
{
    char part[PATH_MAX_];
    struct str plain, packed;
    struct stat st;
    int rc = part_path(path, part, err);

    if (rc != 0)
        return rc;
    int in = open(plain_path, O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &st) != 0) {
        rc = err_set_errno(err, errno, "open %s", plain_path);
        if (in >= 0)
            close(in);
        return rc;
    }
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0) {
        rc = err_set_errno(err, errno, "make %s", part);
        close(in);
        return rc;
    }
    info->version = SNAPSHOT_VERSION;
    info->plain_bytes = (uint64_t)st.st_size;
    str_init(&plain, SNAPSHOT_CHUNK_BYTES);
    str_init(&packed, PACKED_MAX + SNAPSHOT_HEADER_BYTES);
    rc = pack_chunks(in, out, info, pace, &plain, &packed, err);
    str_fini(&plain);
    str_fini(&packed);
    close(in);
    return finish_file(out, part, path, rc, err);
}

struct unpacking {
    int fd; /* -1: only verify */
};

static int on_unpacked(void *arg, struct slice plain, struct err *err)
{
    struct unpacking *unpacking = arg;
    return unpacking->fd < 0 ? 0 : write_all(unpacking->fd, plain, err);
}

static int unpack_all(int in, int out, struct snapshot_info *info,
                      const struct snapshot_pace *pace, struct err *err)
{
    struct unpacking unpacking = {.fd = out};
    int64_t start_ms = clock_monotonic_ms();
    struct snapshot_reader reader;
    struct str buf;
    size_t count = 1;
    uint64_t file_bytes = 0;
    int rc = 0;

    snapshot_reader_init(&reader);
    str_init(&buf, SNAPSHOT_CHUNK_BYTES);
    uint8_t *bytes = str_extend(&buf, SNAPSHOT_CHUNK_BYTES);
    while (rc == 0 && count > 0) {
        rc = read_some(in, bytes, SNAPSHOT_CHUNK_BYTES, &count, err);
        if (rc == 0)
            rc = snapshot_reader_feed(&reader, slice_of(bytes, count), on_unpacked,
                                      &unpacking, err);
        file_bytes += count;
        if (rc == 0)
            rc = keep_pace(pace, file_bytes, start_ms, err);
    }
    if (rc == 0 && !reader.ended)
        rc = err_set(err, ERR_DAMAGED, "the snapshot is cut off after %llu bytes",
                     (unsigned long long)file_bytes);
    if (rc == 0) {
        *info = reader.info;
        info->file_bytes = file_bytes;
    }
    str_fini(&buf);
    snapshot_reader_fini(&reader);
    return rc;
}

int snapshot_unpack(const char *path, const char *plain_path, struct snapshot_info *info,
                    const struct snapshot_pace *pace, struct err *err)
{
    char part[PATH_MAX_] = "";
    int rc = plain_path == NULL ? 0 : part_path(plain_path, part, err), out = -1;

    if (rc != 0)
        return rc;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return err_set_errno(err, errno, "open %s", path);
    if (plain_path != NULL) {
        out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (out < 0)
            rc = err_set_errno(err, errno, "make %s", part);
    }
    if (rc == 0)
        rc = unpack_all(in, out, info, pace, err);
    close(in);
    if (out >= 0)
        rc = finish_file(out, part, plain_path, rc, err);
    return rc == 0 ? 0 : err_wrap(err, rc, "%s", path);
}
