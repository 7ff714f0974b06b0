/* file_io.c - see file_io.h.
 *
 * Direct I/O wants addresses, offsets and lengths that are multiples of the disk's
 * block; BLOCK_ALIGN is that of all disks. The pieces of an object lie anywhere, so they
 * are copied into a buffer first: that is cheaper than the page cache by far. What is
 * left over at the end, less than a block, goes through the page cache. O_DIRECT is
 * switched by fcntl: where it is refused, or a transfer is (EINVAL), the rest goes on
 * without. */
#include "common/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/block.h"

/* Below this the page cache does as well. */
#define DIRECT_LEAST (256 * KIB)
/* One write; the disk is idle while the next is copied, so not much less. */
#define BUFFER_BYTES (2 * MIB)

/* Where we are in a row of pieces. */
struct place {
    const struct slice *pieces;
    size_t count;
    size_t next; /* the first piece that is not done with as a whole */
    size_t done; /* of that piece */
};

static void advance(struct place *place, size_t bytes)
{
    place->done += bytes;
    while (place->next < place->count && place->done >= place->pieces[place->next].len)
        place->done -= place->pieces[place->next++].len;
}

static bool set_direct(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return false;
    return fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static int write_cached(int fd, struct place *place)
{
    struct iovec iov[IOV_MAX];

    while (place->next < place->count) {
        int n = 0;
        for (size_t i = place->next; i < place->count && n < IOV_MAX; i++, n++) {
            size_t skip = i == place->next ? place->done : 0;
            iov[n].iov_base = (void *)(uintptr_t)(place->pieces[i].ptr + skip);
            iov[n].iov_len = place->pieces[i].len - skip;
        }
        ssize_t written = writev(fd, iov, n);
        if (written < 0 && errno != EINTR)
            return errno;
        advance(place, written < 0 ? 0 : (size_t)written);
    }
    return 0;
}

/* Copy LEN bytes from PLACE on, which stays. */
static void copy_out(struct place place, uint8_t *to, size_t len)
{
    while (len > 0) {
        struct slice piece = place.pieces[place.next];
        size_t n = MIN(len, piece.len - place.done);
        if (n > 0)
            memcpy(to, piece.ptr + place.done, n);
        to += n;
        len -= n;
        advance(&place, n);
    }
}

/* Write whole blocks of the LEFT bytes from PLACE on. 0, or an errno: PLACE is then where
 * the writing stopped. */
static int write_direct(int fd, struct place *place, size_t left)
{
    struct block buffer;
    int rc = 0;

    if (!block_try_new(&buffer, BUFFER_BYTES))
        return EINVAL;
    while (rc == 0 && left >= BLOCK_ALIGN) {
        size_t len = MIN(left / BLOCK_ALIGN * BLOCK_ALIGN, BUFFER_BYTES);
        copy_out(*place, buffer.data, len);
        ssize_t written = write(fd, buffer.data, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            rc = errno;
        } else {
            advance(place, (size_t)written);
            left -= (size_t)written;
            /* A disk that is nearly full; the next try tells why. */
            if ((size_t)written % BLOCK_ALIGN != 0)
                rc = EINVAL;
        }
    }
    block_free(&buffer);
    return rc;
}

int file_io_write(int fd, const struct slice *pieces, size_t count)
{
    struct place place = {pieces, count, 0, 0};
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += pieces[i].len;
    if (size >= DIRECT_LEAST && set_direct(fd, true)) {
        int rc = write_direct(fd, &place, size);
        if (!set_direct(fd, false))
            return errno;
        if (rc != 0 && rc != EINVAL)
            return rc;
    }
    return write_cached(fd, &place);
}

/* Read up to LEN bytes, in pieces of whatever size come; 0 at the end of the file. */
static int read_up_to(int fd, uint8_t *data, size_t len, uint64_t offset, size_t *done)
{
    while (*done < len) {
        ssize_t n = pread(fd, data + *done, len - *done, (off_t)(offset + *done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        *done += (size_t)n;
    }
    return 0;
}

int file_io_read(int fd, uint8_t *data, size_t len, size_t room, uint64_t offset,
                 size_t *done)
{
    size_t whole = (len + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    bool aligned = offset % BLOCK_ALIGN == 0 && (uintptr_t)data % BLOCK_ALIGN == 0;

    *done = 0;
    if (len >= DIRECT_LEAST && aligned && whole <= room && set_direct(fd, true)) {
        /* What the end of the file cuts off is not a multiple: EINVAL, or nothing more.
         */
        int rc = read_up_to(fd, data, whole, offset, done);
        if (!set_direct(fd, false))
            return errno;
        *done = MIN(*done, len);
        if (rc != 0 && rc != EINVAL)
            return rc;
    }
    return read_up_to(fd, data, len, offset, done);
}
