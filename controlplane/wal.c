/* wal.c - segments, records and recovery; see wal.h.
 *
 * Rules that recovery relies on:
 *  - a segment is made under a temporary name, synced, renamed, and the directory synced
 *    before a record goes into it; the segment before it was synced then. So only the
 *    last segment can have a torn tail.
 *  - behind the last record of a segment there are zeros: what is cut or truncated is
 *    erased, so that no old record can follow a new one.
 *  - what recovery takes beyond `durable` it writes and syncs anew: after a failed
 *    fdatasync the page cache may show what the disk does not have. */
#include "controlplane/wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"

#define SEGMENT_MAGIC   0x5745465457414c31u /* "WEFTWAL1" */
#define SEGMENT_VERSION 1
#define SEGMENT_HEADER  64
#define RECORD_HEADER   40
#define RECORD_ALIGN    8
#define DURABLE_BYTES   28
#define IOV_MAX_        512
#define PATH_BYTES      1024

struct segment {
    uint64_t first_index;
    uint64_t bytes; /* of the file */
};

struct wal {
    char dir[PATH_BYTES - 64];
    size_t segment_bytes;
    struct uuid cell_id;
    const struct wal_ops *ops;
    struct segment *segments; /* oldest first */
    size_t segment_count, segment_cap;
    int fd; /* the last segment; -1: none yet */
    int dir_fd;
    int durable_fd;
    uint64_t end; /* where the next record goes in the last segment */
    uint64_t last_index;
    uint64_t durable_index;
    uint64_t cut_index; /* entries from this one on are being erased; 0: none */
    uint64_t cut_bytes;
    bool dirty; /* written since the last sync */
    bool broken;
};

static int system_fallocate(int fd, off_t at, off_t len)
{
    int rc; /* the error; posix_fallocate sets no errno */
    do {
        rc = posix_fallocate(fd, at, len);
    } while (rc == EINTR);
    return rc;
}

static const struct wal_ops system_ops = {pwritev, fdatasync, system_fallocate};

/* ---- names ---- */

static void segment_path(const struct wal *wal, uint64_t first_index,
                         char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/wal-%020" PRIu64 ".log", wal->dir, first_index);
}

static bool parse_name(const char *name, uint64_t *first_index)
{
    char *end;
    if (strncmp(name, "wal-", 4) != 0 || strlen(name) != 28 || name[4] < '0' ||
        name[4] > '9')
        return false;
    *first_index = strtoull(name + 4, &end, 10);
    return strcmp(end, ".log") == 0;
}

static struct segment *last_segment(struct wal *wal)
{
    return &wal->segments[wal->segment_count - 1];
}

static void push_segment(struct wal *wal, uint64_t first_index, uint64_t bytes)
{
    if (wal->segment_count == wal->segment_cap) {
        wal->segment_cap = wal->segment_cap == 0 ? 8 : wal->segment_cap * 2;
        wal->segments =
            mem_realloc(wal->segments, wal->segment_cap * sizeof(*wal->segments));
    }
    wal->segments[wal->segment_count++] = (struct segment){first_index, bytes};
}

/* ---- the durable mark ---- */

static int break_errno(struct wal *wal, int errnum, struct err *err, const char *what);

/* A hint for recovery: lost with a power cut at worst, never ahead of the truth. */
static void write_durable(struct wal *wal)
{
    uint8_t bytes[DURABLE_BYTES];
    be64_put(bytes, SEGMENT_MAGIC);
    be64_put(bytes + 8, wal->durable_index);
    be64_put(bytes + 16, wal->cut_index);
    be32_put(bytes + 24, crc32c(bytes, DURABLE_BYTES - 4));
    if (pwrite(wal->durable_fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        log_debug("wal", "durable mark not written", "errno=%d", errno);
}

/* What is read must also be what a power cut leaves: if the process died before it had
 * synced the end of a cut, an older mark would cut again, and then what was acknowledged
 * since. */
static int read_durable(struct wal *wal, struct err *err)
{
    uint8_t bytes[DURABLE_BYTES];
    wal->durable_index = 0;
    if (wal->ops->fdatasync(wal->durable_fd) != 0)
        return err_set_errno(err, errno, "sync %s/durable", wal->dir);
    if (pread(wal->durable_fd, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
        be64_get(bytes) == SEGMENT_MAGIC &&
        be32_get(bytes + 24) == crc32c(bytes, DURABLE_BYTES - 4)) {
        wal->durable_index = be64_get(bytes + 8);
        wal->cut_index = be64_get(bytes + 16);
    }
    return 0;
}

/* The mark, where a crash must find it. */
static int sync_durable(struct wal *wal, struct err *err)
{
    write_durable(wal);
    if (fdatasync(wal->durable_fd) != 0)
        return break_errno(wal, errno, err, "sync the mark of");
    return 0;
}

/* ---- records ---- */

static size_t record_bytes(size_t payload)
{
    return (RECORD_HEADER + payload + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

struct record {
    struct wal_entry entry;
    uint64_t durable; /* the index that was durable when this was written */
    size_t bytes;     /* with header and padding */
};

static void fill_header(uint8_t *h, const struct wal_entry *entry, uint64_t durable)
{
    be32_put(h, (uint32_t)entry->data.len);
    be64_put(h + 8, entry->index);
    be64_put(h + 16, entry->term);
    be64_put(h + 24, durable);
    be32_put(h + 32, entry->type);
    be32_put(h + 36, 0);
    uint32_t crc = crc32c(h, 4);
    crc = crc32c_extend(crc, h + 8, RECORD_HEADER - 8);
    be32_put(h + 4, crc32c_extend(crc, entry->data.ptr, entry->data.len));
}

/* A whole record at P of at most LEFT bytes. */
static bool parse_record(const uint8_t *p, size_t left, struct record *record)
{
    if (left < RECORD_HEADER)
        return false;
    size_t len = be32_get(p);
    if (len > WAL_ENTRY_MAX || record_bytes(len) > left || be32_get(p + 32) > UINT8_MAX ||
        be32_get(p + 36) != 0)
        return false;
    uint32_t crc = crc32c(p, 4);
    crc = crc32c_extend(crc, p + 8, RECORD_HEADER - 8);
    if (be32_get(p + 4) != crc32c_extend(crc, p + RECORD_HEADER, len))
        return false;
    record->entry.index = be64_get(p + 8);
    record->entry.term = be64_get(p + 16);
    record->durable = be64_get(p + 24);
    record->entry.type = (uint8_t)be32_get(p + 32);
    record->entry.data = slice_of(p + RECORD_HEADER, len);
    record->bytes = record_bytes(len);
    return true;
}

/* ---- segments ---- */

static int break_errno(struct wal *wal, int errnum, struct err *err, const char *what)
{
    wal->broken = true;
    err_set_errno(err, errnum, "%s the log in %s", what, wal->dir);
    return ERR_IO;
}

static int sync_dir(struct wal *wal, struct err *err)
{
    if (fsync(wal->dir_fd) != 0)
        return break_errno(wal, errno, err, "sync the directory of");
    return 0;
}

static void fill_segment_header(const struct wal *wal, uint64_t first_index,
                                uint8_t header[SEGMENT_HEADER])
{
    memset(header, 0, SEGMENT_HEADER);
    be64_put(header, SEGMENT_MAGIC);
    be32_put(header + 8, SEGMENT_VERSION);
    memcpy(header + 16, wal->cell_id.bytes, 16);
    be64_put(header + 32, first_index);
    be32_put(header + 12, crc32c(header + 16, SEGMENT_HEADER - 16));
}

/* Room and header of the file FD; on failure it is useless. */
static int prepare_segment(struct wal *wal, int fd, uint64_t first_index, uint64_t bytes,
                           struct err *err)
{
    uint8_t header[SEGMENT_HEADER];
    struct iovec iov = {header, sizeof(header)};
    int rc =
        FAULT_ERROR("wal-no-space") ? ENOSPC : wal->ops->fallocate(fd, 0, (off_t)bytes);

    if (rc != 0)
        return err_set_errno(err, rc, "make room for the log in %s", wal->dir);
    fill_segment_header(wal, first_index, header);
    ssize_t n = wal->ops->pwritev(fd, &iov, 1, 0);
    if (n != (ssize_t)sizeof(header))
        return err_set_errno(err, n < 0 ? errno : ENOSPC, "begin a segment in %s",
                             wal->dir);
    if (wal->ops->fdatasync(fd) != 0)
        return err_set_errno(err, errno, "sync a new segment in %s", wal->dir);
    return 0;
}

/* Begin the segment for FIRST_INDEX with room for BYTES. ERR_NO_SPACE may be retried. */
static int new_segment(struct wal *wal, uint64_t first_index, uint64_t bytes,
                       struct err *err)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];

    FAULT_POINT("wal-segment");
    segment_path(wal, first_index, path);
    snprintf(temporary, sizeof(temporary), "%s/wal-new.tmp", wal->dir);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "make %s", temporary);
    int rc = prepare_segment(wal, fd, first_index, bytes, err);
    FAULT_POINT("wal-segment-made");
    if (rc == 0 && rename(temporary, path) != 0)
        rc = err_set_errno(err, errno, "rename to %s", path);
    if (rc == 0)
        rc = sync_dir(wal, err);
    if (rc != 0) {
        close(fd);
        (void)unlink(temporary);
        return rc;
    }
    FAULT_POINT("wal-segment-named");
    if (wal->fd >= 0)
        close(wal->fd);
    wal->fd = fd;
    wal->end = SEGMENT_HEADER;
    push_segment(wal, first_index, bytes);
    return 0;
}

/* ---- appending ---- */

int wal_sync(struct wal *wal, struct err *err)
{
    if (wal->broken)
        return err_set(err, ERR_IO, "the log in %s failed before: restart", wal->dir);
    if (!wal->dirty)
        return 0;
    FAULT_POINT("wal-sync");
    if (FAULT_ERROR("wal-sync-fails"))
        return break_errno(wal, EIO, err, "sync");
    if (wal->ops->fdatasync(wal->fd) != 0)
        return break_errno(wal, errno, err, "sync");
    FAULT_POINT("wal-synced");
    wal->dirty = false;
    wal->durable_index = wal->last_index;
    write_durable(wal);
    return 0;
}

static int write_all(struct wal *wal, struct iovec *iov, int count, uint64_t at,
                     struct err *err)
{
    while (count > 0) {
        ssize_t n = wal->ops->pwritev(wal->fd, iov, count, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOSPC)
            return err_set_errno(err, errno, "write the log in %s", wal->dir);
        if (n <= 0)
            return break_errno(wal, n < 0 ? errno : EIO, err, "write");
        at += (uint64_t)n;
        while (count > 0 && (size_t)n >= iov->iov_len) {
            n -= (ssize_t)iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
    return 0;
}

/* How many of ENTRIES fit into the last segment and into one pwritev. */
static size_t count_fitting(struct wal *wal, const struct wal_entry *entries,
                            size_t count)
{
    uint64_t room = wal->fd < 0 ? 0 : last_segment(wal)->bytes - wal->end;
    size_t n = 0, bytes = 0;

    while (n < count && n < IOV_MAX_ / 3) {
        size_t record = record_bytes(entries[n].data.len);
        if (record > room - bytes)
            break;
        bytes += record;
        n++;
    }
    return n;
}

/* Write N entries, which fit, in one go. */
static int write_group(struct wal *wal, const struct wal_entry *entries, size_t n,
                       struct err *err)
{
    static uint8_t zeros[RECORD_ALIGN];
    uint8_t headers[IOV_MAX_ / 3][RECORD_HEADER];
    struct iovec iov[IOV_MAX_];
    int count = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        struct slice data = entries[i].data;
        size_t record = record_bytes(data.len);
        size_t padding = record - RECORD_HEADER - data.len;
        fill_header(headers[i], &entries[i], wal->durable_index);
        iov[count++] = (struct iovec){headers[i], RECORD_HEADER};
        /* pwritev only reads; its struct knows no const. */
        if (data.len > 0)
            iov[count++] = (struct iovec){(void *)(uintptr_t)data.ptr, data.len};
        if (padding > 0)
            iov[count++] = (struct iovec){zeros, padding};
        bytes += record;
    }
    FAULT_POINT("wal-write");
    int rc = write_all(wal, iov, count, wal->end, err);
    if (rc != 0)
        return rc;
    FAULT_POINT("wal-written");
    wal->end += bytes;
    wal->last_index = entries[n - 1].index;
    wal->dirty = true;
    return 0;
}

/* The last segment is full: sync it, and begin one that takes ENTRY. */
static int roll(struct wal *wal, const struct wal_entry *entry, struct err *err)
{
    uint64_t need = SEGMENT_HEADER + record_bytes(entry->data.len);
    int rc = wal_sync(wal, err);
    if (rc != 0)
        return rc;
    return new_segment(wal, entry->index, MAX(need, wal->segment_bytes), err);
}

int wal_append(struct wal *wal, const struct wal_entry *entries, size_t count,
               size_t *done, struct err *err)
{
    *done = 0;
    if (wal->broken)
        return err_set(err, ERR_IO, "the log in %s failed before: restart", wal->dir);
    for (size_t i = 0; i < count; i++)
        ASSERT(entries[i].index == wal->last_index + 1 + i &&
               entries[i].data.len <= WAL_ENTRY_MAX);
    while (*done < count) {
        size_t n = count_fitting(wal, entries + *done, count - *done);
        int rc = n == 0 ? roll(wal, &entries[*done], err)
                        : write_group(wal, entries + *done, n, err);
        if (rc != 0)
            return rc;
        *done += n;
    }
    return 0;
}

/* ---- cutting ---- */

/* Leave the last segment with END bytes of records, zeros behind, all synced. */
static int cut_tail(struct wal *wal, uint64_t end, struct err *err)
{
    struct segment *segment = last_segment(wal);

    if (ftruncate(wal->fd, (off_t)end) != 0)
        return break_errno(wal, errno, err, "cut");
    FAULT_POINT("wal-cut");
    uint64_t bytes = MAX(segment->bytes, (uint64_t)SEGMENT_HEADER);
    int rc = wal->ops->fallocate(wal->fd, 0, (off_t)bytes);
    if (rc != 0) {
        /* Without room the segment is simply full. */
        bytes = end;
        log_warn("wal", "no room behind the cut", "bytes=%" PRIu64, bytes);
    }
    segment->bytes = bytes;
    if (wal->ops->fdatasync(wal->fd) != 0)
        return break_errno(wal, errno, err, "sync");
    wal->end = end;
    wal->dirty = false;
    return 0;
}

static int drop_segment(struct wal *wal, uint64_t first_index, struct err *err)
{
    char path[PATH_BYTES];
    segment_path(wal, first_index, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(err, errno, "delete %s", path);
    /* One by one, so that a crash leaves no hole in the middle. */
    return sync_dir(wal, err);
}

struct find_end {
    uint64_t from;
    uint64_t end;
};

static int add_record(void *arg, const struct wal_entry *entry)
{
    struct find_end *find = arg;
    if (entry->index >= find->from)
        return ERR_EXISTS; /* far enough */
    find->end += record_bytes(entry->data.len);
    return 0;
}

static int open_last(struct wal *wal, struct err *err)
{
    char path[PATH_BYTES];
    segment_path(wal, last_segment(wal)->first_index, path);
    if (wal->fd >= 0)
        close(wal->fd);
    wal->fd = open(path, O_RDWR | O_CLOEXEC);
    return wal->fd < 0 ? err_set_errno(err, errno, "open %s", path) : 0;
}

/* Delete the segments of what is being cut, but never the first. */
static int drop_cut_segments(struct wal *wal, struct err *err)
{
    while (wal->segment_count > 1 && last_segment(wal)->first_index >= wal->cut_index) {
        int rc = drop_segment(wal, last_segment(wal)->first_index, err);
        if (rc != 0)
            return rc;
        wal->segment_count--;
    }
    return 0;
}

/* All is erased: before anything is written in its place, the mark must say so. */
static int end_cut(struct wal *wal, struct err *err)
{
    wal->cut_index = 0;
    return sync_durable(wal, err);
}

int wal_truncate(struct wal *wal, uint64_t from, struct err *err)
{
    if (wal->broken)
        return err_set(err, ERR_IO, "the log in %s failed before: restart", wal->dir);
    if (from > wal->last_index)
        return 0;
    ASSERT(from >= wal_first_index(wal));
    /* The mark goes back first: a crash must not find it ahead of the log. And it says
     * what is being cut: of that a crash may leave any part, which would look like damage
     * of what was acknowledged. */
    wal->durable_index = MIN(wal->durable_index, from - 1);
    wal->cut_index = from;
    int rc = sync_durable(wal, err);
    if (rc == 0)
        rc = drop_cut_segments(wal, err);
    if (rc == 0)
        rc = open_last(wal, err);
    if (rc != 0)
        return rc;
    wal->last_index = from - 1;
    struct find_end find = {from, SEGMENT_HEADER};
    rc = wal_read(wal, last_segment(wal)->first_index, add_record, &find, err);
    if (rc != 0 && rc != ERR_EXISTS)
        return rc;
    rc = cut_tail(wal, find.end, err);
    return rc == 0 ? end_cut(wal, err) : rc;
}

int wal_reset(struct wal *wal, uint64_t next_index, struct err *err)
{
    if (wal->broken)
        return err_set(err, ERR_IO, "the log in %s failed before: restart", wal->dir);
    wal->durable_index = 0;
    int rc = sync_durable(wal, err);
    if (rc != 0)
        return rc;
    if (wal->fd >= 0)
        close(wal->fd);
    wal->fd = -1;
    wal->dirty = false;
    while (wal->segment_count > 0) {
        FAULT_POINT("wal-reset");
        rc = drop_segment(wal, last_segment(wal)->first_index, err);
        if (rc != 0)
            return rc;
        wal->segment_count--;
    }
    FAULT_POINT("wal-reset-empty");
    wal->last_index = next_index - 1;
    rc = new_segment(wal, next_index, wal->segment_bytes, err);
    if (rc != 0)
        return rc;
    wal->durable_index = wal->last_index;
    write_durable(wal);
    return 0;
}

int wal_trim(struct wal *wal, uint64_t index, struct err *err)
{
    size_t gone = 0;
    int rc = 0;

    while (rc == 0 && gone + 1 < wal->segment_count &&
           wal->segments[gone + 1].first_index <= index + 1) {
        FAULT_POINT("wal-trim");
        rc = drop_segment(wal, wal->segments[gone].first_index, err);
        if (rc == 0)
            gone++;
    }
    wal->segment_count -= gone;
    memmove(wal->segments, wal->segments + gone,
            wal->segment_count * sizeof(*wal->segments));
    return rc;
}

/* ---- reading ---- */

/* The whole file of segment I, to be freed. */
static int load_segment(const struct wal *wal, size_t i, uint8_t **bytes, size_t *len,
                        struct err *err)
{
    char path[PATH_BYTES];
    struct stat st;
    size_t done = 0;

    segment_path(wal, wal->segments[i].first_index, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "open %s", path);
    int rc = fstat(fd, &st) == 0 ? 0 : err_set_errno(err, errno, "stat %s", path);
    uint8_t *data = rc == 0 ? mem_alloc((size_t)st.st_size + 1) : NULL;
    while (rc == 0 && done < (size_t)st.st_size) {
        ssize_t n = pread(fd, data + done, (size_t)st.st_size - done, (off_t)done);
        if (n < 0)
            rc = err_set_errno(err, errno, "read %s at %zu", path, done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(fd);
    if (rc != 0) {
        mem_free(data);
        return rc;
    }
    *bytes = data;
    *len = done;
    return 0;
}

int wal_read(struct wal *wal, uint64_t from,
             int (*on_entry)(void *arg, const struct wal_entry *entry), void *arg,
             struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wal->segment_count; i++) {
        bool more = i + 1 < wal->segment_count;
        if (more && wal->segments[i + 1].first_index <= from)
            continue;
        uint64_t expect = wal->segments[i].first_index;
        uint64_t last = more ? wal->segments[i + 1].first_index - 1 : wal->last_index;
        uint8_t *bytes;
        size_t len, at = SEGMENT_HEADER;
        struct record record;
        rc = load_segment(wal, i, &bytes, &len, err);
        if (rc != 0)
            return rc;
        for (; rc == 0 && expect <= last; expect++) {
            if (at > len || !parse_record(bytes + at, len - at, &record) ||
                record.entry.index != expect)
                rc =
                    err_set(err, ERR_DAMAGED, "the log in %s changed under us", wal->dir);
            else if (expect >= from)
                rc = on_entry(arg, &record.entry);
            at += record.bytes;
        }
        mem_free(bytes);
    }
    return rc;
}

/* ---- recovery ---- */

static int damaged(const struct wal *wal, size_t segment, uint64_t at, uint64_t index,
                   const char *what, struct err *err)
{
    char path[PATH_BYTES];
    segment_path(wal, wal->segments[segment].first_index, path);
    const char *name = strrchr(path, '/') + 1;
    return err_set(err, ERR_DAMAGED,
                   "%s: %s at offset %" PRIu64 " (entry %" PRIu64
                   "): acknowledged data; do not edit or delete it, restore the "
                   "directory from a backup, or remove this node from its cell and "
                   "join it anew",
                   name, what, at, index);
}

static int check_segment_header(struct wal *wal, size_t i, const uint8_t *bytes,
                                size_t len, struct err *err)
{
    uint64_t first = wal->segments[i].first_index;

    if (len < SEGMENT_HEADER || be64_get(bytes) != SEGMENT_MAGIC ||
        be32_get(bytes + 12) != crc32c(bytes + 16, SEGMENT_HEADER - 16) ||
        be64_get(bytes + 32) != first)
        return damaged(wal, i, 0, first, "bad segment header", err);
    if (be32_get(bytes + 8) != SEGMENT_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "the log in %s is of version %u: start a newer program", wal->dir,
                       be32_get(bytes + 8));
    struct uuid cell;
    memcpy(cell.bytes, bytes + 16, 16);
    if (uuid_is_zero(&wal->cell_id))
        wal->cell_id = cell;
    if (!uuid_eq(&wal->cell_id, &cell))
        return err_set(err, ERR_CONFLICT,
                       "%s holds the log of another cell: give the right directory",
                       wal->dir);
    return 0;
}

/* Whether behind AT there is a record which proves that entry INDEX was durable. */
static bool proves_durable(const uint8_t *bytes, size_t len, size_t at, uint64_t index)
{
    struct record record;

    for (; at + RECORD_HEADER <= len; at += RECORD_ALIGN) {
        /* Cheap looks first: an index that can follow, and a mark that covers. */
        if (be64_get(bytes + at + 8) < index || be64_get(bytes + at + 24) < index ||
            be64_get(bytes + at + 24) >= be64_get(bytes + at + 8))
            continue;
        if (parse_record(bytes + at, len - at, &record))
            return true;
    }
    return false;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Write the records from AT to END again, and sync them. */
static int rewrite(struct wal *wal, uint8_t *bytes, uint64_t at, uint64_t end,
                   struct err *err)
{
    struct iovec iov = {bytes + at, (size_t)(end - at)};
    int rc = at == end ? 0 : write_all(wal, &iov, 1, at, err);
    if (rc == 0 && wal->ops->fdatasync(wal->fd) != 0)
        rc = break_errno(wal, errno, err, "sync");
    return rc;
}

/* The records of segment I end at AT, where entry INDEX would be; TAIL is the first byte
 * that was not known to be durable. */
static int finish_last(struct wal *wal, size_t i, uint8_t *bytes, size_t len, size_t at,
                       size_t tail, struct err *err)
{
    uint64_t index = wal->last_index + 1;
    size_t left = len > at ? len - at : 0;
    bool cutting = wal->cut_index != 0;

    if (cutting && index >= wal->cut_index)
        log_info("wal", "finish cutting", "from=%" PRIu64, wal->cut_index);
    else if (wal->durable_index >= index || proves_durable(bytes, len, at, index))
        return damaged(wal, i, at, index, "unreadable record", err);
    int rc = open_last(wal, err);
    if (rc == 0)
        rc = rewrite(wal, bytes, MIN(tail, at), at, err);
    if (rc != 0)
        return rc;
    wal->end = at;
    /* Zeros of a cut whose sync failed may be in the page cache only. */
    if (cutting || !all_zero(bytes + at, left)) {
        size_t cut = left;
        while (cut > 0 && bytes[at + cut - 1] == 0)
            cut--;
        wal->cut_bytes = cut;
        rc = cut_tail(wal, at, err);
    }
    if (rc != 0)
        return rc;
    wal->durable_index = wal->last_index;
    if (cutting)
        return end_cut(wal, err);
    write_durable(wal);
    return 0;
}

/* Whether the entry after the last read is one that is being cut. */
static bool at_cut(const struct wal *wal)
{
    return wal->cut_index != 0 && wal->last_index + 1 >= wal->cut_index;
}

static int recover_segment(struct wal *wal, size_t i, struct err *err)
{
    bool last = i + 1 == wal->segment_count;
    uint8_t *bytes;
    size_t len, at = SEGMENT_HEADER, tail = SEGMENT_HEADER;
    struct record record;

    int rc = load_segment(wal, i, &bytes, &len, err);
    if (rc != 0)
        return rc;
    rc = check_segment_header(wal, i, bytes, len, err);
    if (rc != 0)
        goto out;
    wal->segments[i].bytes = len;
    while (!at_cut(wal) && at <= len && parse_record(bytes + at, len - at, &record) &&
           record.entry.index == wal->last_index + 1) {
        at += record.bytes;
        wal->last_index++;
        if (wal->last_index <= wal->durable_index)
            tail = at;
    }
    if (last)
        rc = finish_last(wal, i, bytes, len, at, tail, err);
    else if (wal->last_index + 1 != wal->segments[i + 1].first_index)
        rc = damaged(wal, i, at, wal->last_index + 1, "unreadable record", err);
out:
    mem_free(bytes);
    return rc;
}

static int by_first_index(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->first_index;
    uint64_t y = ((const struct segment *)b)->first_index;
    return (x > y) - (x < y);
}

static int list_segments(struct wal *wal, struct err *err)
{
    DIR *dir = opendir(wal->dir);
    struct dirent *item;
    uint64_t first_index;

    if (dir == NULL)
        return err_set_errno(err, errno, "open directory %s", wal->dir);
    while ((item = readdir(dir)) != NULL) {
        if (parse_name(item->d_name, &first_index))
            push_segment(wal, first_index, 0);
    }
    closedir(dir);
    if (wal->segment_count > 0)
        qsort(wal->segments, wal->segment_count, sizeof(*wal->segments), by_first_index);
    (void)unlinkat(wal->dir_fd, "wal-new.tmp", 0);
    return 0;
}

static int open_files(struct wal *wal, struct err *err)
{
    wal->dir_fd = open(wal->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (wal->dir_fd < 0)
        return err_set_errno(err, errno, "open directory %s", wal->dir);
    wal->durable_fd = openat(wal->dir_fd, "durable", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (wal->durable_fd < 0)
        return err_set_errno(err, errno, "open %s/durable", wal->dir);
    return 0;
}

static int recover(struct wal *wal, struct err *err)
{
    int rc = open_files(wal, err);
    if (rc == 0)
        rc = list_segments(wal, err);
    if (rc == 0)
        rc = read_durable(wal, err);
    if (rc != 0)
        return rc;
    if (wal->segment_count == 0 && wal->durable_index > 0)
        return err_set(err, ERR_DAMAGED,
                       "%s: the log's segments are gone (entries up to %" PRIu64
                       " were acknowledged): restore them",
                       wal->dir, wal->durable_index);
    if (wal->segment_count == 0 && uuid_is_zero(&wal->cell_id))
        wal->cell_id = uuid_random();
    if (wal->segment_count == 0)
        return new_segment(wal, 1, wal->segment_bytes, err);
    wal->last_index = wal->segments[0].first_index - 1;
    if (wal->cut_index != 0)
        rc = drop_cut_segments(wal, err);
    for (size_t i = 0; rc == 0 && i < wal->segment_count; i++)
        rc = recover_segment(wal, i, err);
    return rc;
}

int wal_open(const struct wal_options *options, struct wal **wal_out, struct err *err)
{
    struct wal *wal = mem_zalloc(sizeof(*wal));

    wal->fd = wal->dir_fd = wal->durable_fd = -1;
    wal->segment_bytes = MAX(options->segment_bytes, (size_t)4096);
    wal->cell_id = options->cell_id;
    wal->ops = options->ops == NULL ? &system_ops : options->ops;
    int n = snprintf(wal->dir, sizeof(wal->dir), "%s", options->dir);
    int rc = n < 0 || (size_t)n >= sizeof(wal->dir)
                 ? err_set(err, ERR_INVALID, "the path of the data directory is too long")
                 : recover(wal, err);
    if (rc != 0) {
        wal_close(wal);
        return rc;
    }
    *wal_out = wal;
    return 0;
}

void wal_close(struct wal *wal)
{
    if (wal == NULL)
        return;
    if (wal->fd >= 0)
        close(wal->fd);
    if (wal->durable_fd >= 0)
        close(wal->durable_fd);
    if (wal->dir_fd >= 0)
        close(wal->dir_fd);
    mem_free(wal->segments);
    mem_free(wal);
}

struct uuid wal_cell_id(const struct wal *wal)
{
    return wal->cell_id;
}

uint64_t wal_first_index(const struct wal *wal)
{
    return wal->segment_count == 0 ? wal->last_index + 1 : wal->segments[0].first_index;
}

uint64_t wal_last_index(const struct wal *wal)
{
    return wal->last_index;
}

uint64_t wal_bytes(const struct wal *wal)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < wal->segment_count; i++)
        bytes += wal->segments[i].bytes;
    return bytes;
}

uint64_t wal_cut_bytes(const struct wal *wal)
{
    return wal->cut_bytes;
}
