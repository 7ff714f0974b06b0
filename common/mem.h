/* mem.h - allocation, and the byte budgets that bound what a peer can make us hold.
 *
 * mem_* without "try" aborts when the system has no memory: for small, fixed sizes.
 * Sizes that a peer chooses are first taken from a struct budget. */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

#define MEM_HUGE_PAGE (2 * MIB)

void *mem_alloc(size_t bytes); /* never NULL; contents undefined */
void *mem_zalloc(size_t bytes);
void *mem_realloc(void *ptr, size_t bytes);
void *mem_dup(const void *ptr, size_t bytes);
char *mem_strdup(const char *s);
void *mem_try_alloc(size_t bytes); /* NULL when the system has none */
/* The same at a multiple of ALIGN, a power of two of which BYTES is a multiple. At a
 * multiple of MEM_HUGE_PAGE the system is asked for huge pages. */
void *mem_try_alloc_aligned(size_t bytes, size_t align);
void mem_free(void *ptr); /* NULL is fine */

/* Forget the content of whole pages of memory: the system has them back until they are
 * written again. */
void mem_discard(void *ptr, size_t bytes);

/* For a process whose payload lies in blocks (block.h), which it keeps by itself: let the
 * allocator give what is freed back to the system. Once, before any thread. */
void mem_return_large(void);

/* Bytes in use against a limit. Any thread may take and give. */
struct budget {
    size_t limit_bytes;
    /* private */
    atomic_size_t used_bytes;
};

void budget_init(struct budget *budget, size_t limit_bytes);
/* Take BYTES; false, and nothing taken, when that would pass the limit. */
bool budget_take(struct budget *budget, size_t bytes) MUST_CHECK;
/* Take BYTES even past the limit: for bytes that are in memory already. */
void budget_force(struct budget *budget, size_t bytes);
void budget_give(struct budget *budget, size_t bytes);
size_t budget_used(const struct budget *budget);
/* True above PERCENT of the limit. */
bool budget_above(const struct budget *budget, unsigned percent);

#endif
