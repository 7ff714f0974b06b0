/* vote.c - see vote.h. A copy: magic, serial, term, vote, CRC-32C; at 0 and at 4096, so
 * that they share no sector or page. */
#include "controlplane/vote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/dir_sync.h"
#include "common/fault.h"

#define VOTE_MAGIC  0x57454654564f5445u /* "WEFTVOTE" */
#define COPY_BYTES  36
#define COPY_STRIDE 4096

static const struct vote_ops system_ops = {.pwrite = pwrite, .fdatasync = fdatasync};

static bool read_copy(int fd, off_t at, struct vote *vote)
{
    uint8_t bytes[COPY_BYTES];

    if (pread(fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes) ||
        be64_get(bytes) != VOTE_MAGIC ||
        be32_get(bytes + 32) != crc32c(bytes, COPY_BYTES - 4))
        return false;
    vote->serial = be64_get(bytes + 8);
    vote->term = be64_get(bytes + 16);
    vote->voted_for = be64_get(bytes + 24);
    return true;
}

static int write_copy(const struct vote *vote, off_t at, struct err *err)
{
    uint8_t bytes[COPY_BYTES];

    be64_put(bytes, VOTE_MAGIC);
    be64_put(bytes + 8, vote->serial);
    be64_put(bytes + 16, vote->term);
    be64_put(bytes + 24, vote->voted_for);
    be32_put(bytes + 32, crc32c(bytes, COPY_BYTES - 4));
    if (FAULT_ERROR("vote-write"))
        return err_set(err, ERR_IO, "write the vote file: injected");
    ssize_t n = vote->ops->pwrite(vote->fd, bytes, sizeof(bytes), at);
    if (n != (ssize_t)sizeof(bytes))
        return err_set_errno(err, n < 0 ? errno : ENOSPC, "write the vote file");
    FAULT_POINT("vote-written");
    if (vote->ops->fdatasync(vote->fd) != 0)
        return err_set_errno(err, errno, "sync the vote file");
    return 0;
}

/* Write both copies of VOTE. */
static int write_both(const struct vote *vote, struct err *err)
{
    int rc = write_copy(vote, 0, err);
    return rc != 0 ? rc : write_copy(vote, COPY_STRIDE, err);
}

int vote_open(struct vote *vote, const char *path, const struct vote_ops *ops,
              struct err *err)
{
    struct vote a = {.term = 0}, b = {.term = 0};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "open %s", path);
    a.fd = b.fd = fd;
    a.ops = b.ops = ops != NULL ? ops : &system_ops;
    off_t size = lseek(fd, 0, SEEK_END);
    bool have_a = read_copy(fd, 0, &a);
    bool have_b = read_copy(fd, COPY_STRIDE, &b);
    /* One whole copy and a crash later there is less than both. */
    if (!have_a && !have_b && size > COPY_STRIDE) {
        close(fd);
        return err_set(err, ERR_DAMAGED,
                       "%s: neither copy of term and vote can be read; remove this node "
                       "from its cell and add it anew, or restore a backup",
                       path);
    }
    *vote = have_a && (!have_b || a.serial > b.serial) ? a : b;
    int rc = have_a && have_b && a.serial == b.serial ? 0 : write_both(vote, err);
    /* Or a power cut can take a file whose bytes were all synced, and the vote with it.
     */
    if (rc == 0)
        rc = dir_sync_of(path, err);
    if (rc != 0) {
        close(fd);
        vote->fd = -1;
    }
    return rc;
}

int vote_store(struct vote *vote, uint64_t term, uint64_t voted_for, struct err *err)
{
    struct vote next = *vote;

    next.serial++;
    next.term = term;
    next.voted_for = voted_for;
    FAULT_POINT("vote-store");
    int rc = write_both(&next, err);
    if (rc == 0)
        *vote = next;
    return rc;
}

void vote_close(struct vote *vote)
{
    if (vote->fd >= 0)
        close(vote->fd);
    vote->fd = -1;
}
