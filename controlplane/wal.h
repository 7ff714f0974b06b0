/* wal.h - the write-ahead log: Raft's entries in segment files, checksummed.
 *
 *   wal-00000000000000000001.log   named by its first entry; preallocated with zeros
 *     header  64: magic, version, CRC-32C, cell id, first index
 *     record  40 + payload, padded to 8: length, CRC-32C, index, term, the index known
 *             durable when it was written, type
 *   durable                        the last index that an fdatasync has covered
 *
 * Recovery cuts a torn tail: records that a crash left half written, none of which was
 * ever acknowledged. Damage of what was acknowledged is refused with file and offset.
 * What was acknowledged is known from `durable`, which is written after each sync without
 * a sync of its own, and from the records that follow.
 *
 * This part is synchronous and belongs to one thread at a time: wal_open at start, then
 * the log writer (log_writer.h). */
#ifndef CONTROLPLANE_WAL_H
#define CONTROLPLANE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/uuid.h"

struct wal;

#define WAL_ENTRY_MAX ((size_t)64 << 20)

struct wal_entry {
    uint64_t index;
    uint64_t term;
    uint8_t type; /* Raft's entry type */
    struct slice data;
};

/* What touches the disk; tests put failing ones in. */
struct wal_ops {
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int count, off_t at);
    int (*fdatasync)(int fd);
    int (*fallocate)(int fd, off_t at, off_t len);
};

struct wal_options {
    const char *dir;
    size_t segment_bytes;
    struct uuid cell_id;       /* that the log must have; zero: any, a new one random */
    const struct wal_ops *ops; /* NULL: the system's */
};

/* Open the log of DIR, recover it; a DIR without one gets a log that begins at index 1.
 * ERR_DAMAGED, ERR_CONFLICT (another cell's), ERR_IO.
 */
int wal_open(const struct wal_options *options, struct wal **wal,
             struct err *err) MUST_CHECK;
void wal_close(struct wal *wal);

struct uuid wal_cell_id(const struct wal *wal);
uint64_t wal_first_index(const struct wal *wal); /* of what is there; last + 1 if empty */
uint64_t wal_last_index(const struct wal *wal);
uint64_t wal_bytes(const struct wal *wal); /* of all segment files */
/* The bytes that recovery cut from the tail. */
uint64_t wal_cut_bytes(const struct wal *wal);

/* Call ON_ENTRY for each entry from index FROM on, in order; its data is borrowed for the
 * call. A non-zero return of it ends the reading and is returned. */
int wal_read(struct wal *wal, uint64_t from,
             int (*on_entry)(void *arg, const struct wal_entry *entry), void *arg,
             struct err *err) MUST_CHECK;

/* Write COUNT entries that follow the last; *DONE is how many were. Not durable before
 * wal_sync. ERR_NO_SPACE: go on with the rest when there is room again. ERR_IO and all
 * else: the log is broken until it is opened anew. */
int wal_append(struct wal *wal, const struct wal_entry *entries, size_t count,
               size_t *done, struct err *err) MUST_CHECK;
/* Make durable what was appended. A failure breaks the log: what the kernel then holds
 * of it is unknown, a second fdatasync would lie. */
int wal_sync(struct wal *wal, struct err *err) MUST_CHECK;
/* Forget entries from index FROM on (a conflicting suffix), durably. */
int wal_truncate(struct wal *wal, uint64_t from, struct err *err) MUST_CHECK;
/* Forget all entries, durably; the next one to be appended is NEXT_INDEX: the log behind
 * an installed snapshot. After a crash in it the log is as before, empty at its old end,
 * or as wanted: whoever installs keeps a note until this returned, and repeats it. */
int wal_reset(struct wal *wal, uint64_t next_index, struct err *err) MUST_CHECK;
/* Delete segments that hold only entries up to INDEX. */
int wal_trim(struct wal *wal, uint64_t index, struct err *err) MUST_CHECK;

#endif
