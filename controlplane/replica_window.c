/* replica_window.c - a ring of entries; see replica_window.h. */
#include "controlplane/replica_window.h"

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/replica_raft.h"

#define SLOTS_FIRST 1024

struct window_block *window_block_new(void *base, unsigned refs)
{
    struct window_block *block = mem_zalloc(sizeof(*block));
    block->base = base;
    block->refs = refs;
    return block;
}

void window_block_unref(struct window_block *block)
{
    if (--block->refs > 0)
        return;
    raft_free(block->base);
    mem_free(block);
}

void window_init(struct window *window, uint64_t first)
{
    *window = (struct window){.first = first, .last = first - 1};
}

void window_fini(struct window *window)
{
    window_reset(window, 1);
    mem_free(window->ring);
    window->ring = NULL;
}

void window_reset(struct window *window, uint64_t first)
{
    window_release(window, window->last);
    window->first = first;
    window->last = first - 1;
}

bool window_has(const struct window *window, uint64_t index)
{
    return index >= window->first && index <= window->last;
}

const struct window_entry *window_at(const struct window *window, uint64_t index)
{
    ASSERT(window_has(window, index));
    return &window->ring[index & window->mask];
}

uint64_t window_term(const struct window *window, uint64_t index)
{
    return window_has(window, index) ? window_at(window, index)->term : 0;
}

static void grow(struct window *window)
{
    size_t slots = window->ring == NULL ? SLOTS_FIRST : (window->mask + 1) * 2;
    struct window_entry *ring = mem_zalloc(slots * sizeof(*ring));

    for (uint64_t i = window->first; i <= window->last; i++)
        ring[i & (slots - 1)] = window->ring[i & window->mask];
    mem_free(window->ring);
    window->ring = ring;
    window->mask = slots - 1;
}

void window_push(struct window *window, const struct window_entry *entry)
{
    uint64_t count = window->last + 1 - window->first;
    if (window->ring == NULL || count > window->mask)
        grow(window);
    window->last++;
    window->ring[window->last & window->mask] = *entry;
    window->bytes += entry->data.len;
}

static void drop(struct window *window, uint64_t index)
{
    const struct window_entry *entry = window_at(window, index);
    window->bytes -= entry->data.len;
    window_block_unref(entry->block);
}

void window_release(struct window *window, uint64_t index)
{
    for (; window->first <= index && window->first <= window->last; window->first++)
        drop(window, window->first);
}

void window_truncate(struct window *window, uint64_t from)
{
    for (; window->last >= from && window->last >= window->first; window->last--)
        drop(window, window->last);
}
