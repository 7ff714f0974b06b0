/* arena.h - memory of one request: bump allocation with a cap, freed in one go.
 *
 * Not thread-safe; it may be handed from thread to thread with the request. */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/defs.h"
#include "common/slice.h"

struct arena {
    /* private */
    struct arena_block *blocks;
    size_t used_bytes;
    size_t max_bytes;
};

/* An arena that hands out MAX_BYTES at most. Allocates nothing yet. */
void arena_init(struct arena *arena, size_t max_bytes);
/* Another cap from now on; not below what is used. */
void arena_set_max(struct arena *arena, size_t max_bytes);
void arena_fini(struct arena *arena);

/* BYTES aligned for any type, zeroed; NULL when the cap would be passed. */
void *arena_try_alloc(struct arena *arena, size_t bytes) MUST_CHECK;
/* N zeroed elements of SIZE bytes; NULL on overflow or past the cap. */
void *arena_try_array(struct arena *arena, size_t n, size_t size) MUST_CHECK;
/* Like arena_try_alloc for sizes that our own code bounds: asserts success. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_array(struct arena *arena, size_t n, size_t size);
/* A copy of S with a NUL behind it, as C string / as slice. Asserts room. */
char *arena_strdup(struct arena *arena, struct slice s);
struct slice arena_dup(struct arena *arena, struct slice s);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

size_t arena_used(const struct arena *arena);

#endif
