/* block.h - large pieces of memory, page-aligned, kept for whoever needs the next one.
 *
 * Payload comes and goes in pieces of 64 KiB to some MiB. Memory fresh from the kernel
 * costs a page fault and the zeroing of every page, a third of what it costs to read an
 * object; so a process that moves payload calls block_keep once, and from then on what is
 * freed lies ready for the next block of any size. What nobody needed for some seconds
 * goes back to the system by block_trim. A process that does not call block_keep, as most
 * tests, allocates and frees: then sanitizers see every block's end.
 *
 * Used by blob.c and by what needs a buffer for direct I/O. Any thread may call. */
#ifndef COMMON_BLOCK_H
#define COMMON_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

/* Below this the allocator does as well. */
#define BLOCK_LEAST (64 * KIB)
/* Alignment of every block, and of its size: enough for direct I/O on any disk. */
#define BLOCK_ALIGN ((size_t)4096)

struct block {
    uint8_t *data;
    size_t size;
    /* private */
    struct block_region *region;
};

/* At least BYTES of undefined content; false when the system has no memory. */
bool block_try_new(struct block *block, size_t bytes) MUST_CHECK;
void block_free(struct block *block);

/* Keep what is freed. Once, before any thread. */
void block_keep(void);
/* Give back to the system what nobody needed for some seconds; call it about once a
 * second, with a monotonic clock, from one thread. */
void block_trim(int64_t now_ms);
/* Bytes that are kept and in no block. */
size_t block_idle_bytes(void);

#endif
