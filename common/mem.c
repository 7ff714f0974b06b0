/* mem.c - the system's allocator behind names that say what happens without memory, and
 * byte budgets.
 *
 * A budget is one atomic counter. Taking is a compare-and-swap, so that two threads never
 * pass the limit together; nothing is ordered by it, hence the relaxed accesses. */
#include "common/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/check.h"

void *mem_try_alloc(size_t bytes)
{
    return malloc(bytes == 0 ? 1 : bytes);
}

void *mem_alloc(size_t bytes)
{
    void *ptr = mem_try_alloc(bytes);
    ASSERT(ptr != NULL);
    return ptr;
}

void *mem_zalloc(size_t bytes)
{
    void *ptr = calloc(1, bytes == 0 ? 1 : bytes);
    ASSERT(ptr != NULL);
    return ptr;
}

void *mem_realloc(void *ptr, size_t bytes)
{
    void *moved = realloc(ptr, bytes == 0 ? 1 : bytes);
    ASSERT(moved != NULL);
    return moved;
}

void *mem_dup(const void *ptr, size_t bytes)
{
    void *copy = mem_alloc(bytes);
    if (bytes > 0)
        memcpy(copy, ptr, bytes);
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s) + 1);
}

void mem_free(void *ptr)
{
    free(ptr);
}

void *mem_try_alloc_aligned(size_t bytes, size_t align)
{
    void *ptr = aligned_alloc(align, bytes);
    if (ptr != NULL && align >= MEM_HUGE_PAGE)
        (void)madvise(ptr, bytes, MADV_HUGEPAGE);
    return ptr;
}

void mem_discard(void *ptr, size_t bytes)
{
    int rc = madvise(ptr, bytes, MADV_DONTNEED);
    ASSERT(rc == 0);
}

void mem_return_large(void)
{
    /* Left to itself glibc raises the first of them with what is freed, and large blocks
     * lie in its heaps, where one small piece behind them keeps them all. */
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

void budget_init(struct budget *budget, size_t limit_bytes)
{
    budget->limit_bytes = limit_bytes;
    atomic_init(&budget->used_bytes, 0);
}

bool budget_take(struct budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (used > budget->limit_bytes || bytes > budget->limit_bytes - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used,
                                                    used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void budget_force(struct budget *budget, size_t bytes)
{
    atomic_fetch_add_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
}

void budget_give(struct budget *budget, size_t bytes)
{
    size_t before =
        atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
    ASSERT(before >= bytes);
}

size_t budget_used(const struct budget *budget)
{
    return atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
}

bool budget_above(const struct budget *budget, unsigned percent)
{
    /* In two parts, so that the product stays within size_t. */
    size_t limit = budget->limit_bytes;
    return budget_used(budget) > limit / 100 * percent + limit % 100 * percent / 100;
}
