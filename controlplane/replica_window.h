/* replica_window.h - the entries of the log that Raft may still ask for, in memory.
 *
 * It holds exactly the entries that libraft believes to be in the log: from FIRST on,
 * which follows the checkpoint by the trailing entries that followers may want, to LAST.
 * Whatever libraft says to send is here, so that nothing is ever read back from disk.
 * Used by replica*.c only. */
#ifndef CONTROLPLANE_REPLICA_WINDOW_H
#define CONTROLPLANE_REPLICA_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

/* What entries' bytes lie in, of raft_malloc; freed with the last of them. */
struct window_block {
    void *base;
    unsigned refs;
};

struct window_entry {
    uint64_t term;
    uint8_t type; /* enum raft_entry_type */
    struct slice data;
    struct window_block *block; /* one reference */
};

struct window {
    uint64_t first, last; /* last + 1 == first: empty */
    uint64_t bytes;       /* of data */
    /* private */
    struct window_entry *ring;
    size_t mask; /* slots - 1 */
};

/* BASE's owner is the block, which begins with REFS references. */
struct window_block *window_block_new(void *base, unsigned refs);
void window_block_unref(struct window_block *block);

void window_init(struct window *window, uint64_t first);
void window_fini(struct window *window);
/* Empty; the next entry is FIRST. */
void window_reset(struct window *window, uint64_t first);

bool window_has(const struct window *window, uint64_t index);
/* INDEX must be in it; valid until the next push. */
const struct window_entry *window_at(const struct window *window, uint64_t index);
/* The term of INDEX, or 0 when it is not in it. */
uint64_t window_term(const struct window *window, uint64_t index);
/* Takes the entry's reference to its block. */
void window_push(struct window *window, const struct window_entry *entry);
/* Forget entries up to INDEX; from INDEX on. */
void window_release(struct window *window, uint64_t index);
void window_truncate(struct window *window, uint64_t from);

#endif
