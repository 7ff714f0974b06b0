/* arena.c - bump allocation out of a chain of blocks.
 *
 * The newest block is the first of the chain and the only one that is bumped; what does
 * not fit starts a new one, twice as large as the last up to a limit, so that a small
 * request costs one block and a large one few. The rest of the old block is given up. */
#include "common/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

#define BLOCK_MIN ((size_t)2048)
#define BLOCK_MAX ((size_t)256 * 1024)
#define ALIGN     _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    arena->blocks = NULL;
    arena->used_bytes = 0;
    arena->max_bytes = MIN(max_bytes, SIZE_MAX / 2);
}

void arena_set_max(struct arena *arena, size_t max_bytes)
{
    ASSERT(max_bytes >= arena->used_bytes);
    arena->max_bytes = MIN(max_bytes, SIZE_MAX / 2);
}

void arena_fini(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->used_bytes = 0;
}

/* A block with room for BYTES, made the first of the chain; NULL without memory. */
static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
    size_t size = arena->blocks == NULL ? BLOCK_MIN : arena->blocks->size * 2;
    size = MAX(MIN(size, BLOCK_MAX), bytes);
    struct arena_block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->used = 0;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_try_alloc(struct arena *arena, size_t bytes)
{
    /* The cap (at most SIZE_MAX / 2) also keeps the sums below from overflowing. */
    if (bytes > arena->max_bytes - arena->used_bytes)
        return NULL;
    size_t rounded = (MAX(bytes, 1) + ALIGN - 1) & ~(ALIGN - 1);
    struct arena_block *block = arena->blocks;
    if (block == NULL || rounded > block->size - block->used) {
        block = add_block(arena, rounded);
        if (block == NULL)
            return NULL;
    }
    void *ptr = (char *)block->data + block->used;
    block->used += rounded;
    arena->used_bytes = MIN(arena->used_bytes + rounded, arena->max_bytes);
    return memset(ptr, 0, bytes);
}

void *arena_try_array(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return arena_try_alloc(arena, bytes);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    void *ptr = arena_try_alloc(arena, bytes);
    ASSERT(ptr != NULL);
    return ptr;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
    void *ptr = arena_try_array(arena, n, size);
    ASSERT(ptr != NULL);
    return ptr;
}

char *arena_strdup(struct arena *arena, struct slice s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

struct slice arena_dup(struct arena *arena, struct slice s)
{
    if (s.ptr == NULL)
        return SLICE_NULL;
    return slice_of(arena_strdup(arena, s), s.len);
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ASSERT(n >= 0);

    char *text = arena_alloc(arena, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used_bytes;
}
