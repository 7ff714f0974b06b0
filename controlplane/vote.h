/* vote.h - the term and the vote, which Raft must never forget (raft 5.1, 5.2).
 *
 * Two checksummed copies, each synced before the other is touched: a crash leaves at
 * least one whole, and the damage of one is mended from the other. Used by replica.c. */
#ifndef CONTROLPLANE_VOTE_H
#define CONTROLPLANE_VOTE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/defs.h"
#include "common/err.h"

/* What touches the disk; tests put failing ones in. */
struct vote_ops {
    ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
    int (*fdatasync)(int fd);
};

struct vote {
    uint64_t term;
    uint64_t voted_for; /* node id, or 0 */
    /* private */
    uint64_t serial;
    int fd;
    const struct vote_ops *ops;
};

/* Open or make PATH and read it; a new one says term 0. ERR_DAMAGED when neither copy can
 * be read. OPS NULL: the system's. */
int vote_open(struct vote *vote, const char *path, const struct vote_ops *ops,
              struct err *err) MUST_CHECK;
/* Store both, durably. After a failure the node must not act on them. */
int vote_store(struct vote *vote, uint64_t term, uint64_t voted_for,
               struct err *err) MUST_CHECK;
void vote_close(struct vote *vote);

#endif
