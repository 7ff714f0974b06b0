/* batcher.c - when the open object is full or old enough. */
#include "agent/batcher.h"

#include <stddef.h>

#include "common/check.h"

void batcher_init(struct batcher *batcher, const struct batcher_options *options)
{
    *batcher = (struct batcher){.options = *options};
}

void batcher_fini(struct batcher *batcher)
{
    if (batcher->open != NULL)
        intake_unref(batcher->open);
    batcher->open = NULL;
}

void batcher_set_limits(struct batcher *batcher, uint64_t flush_bytes,
                        int64_t flush_interval_ms)
{
    batcher->options.flush_bytes = flush_bytes;
    batcher->options.flush_interval_ms = flush_interval_ms;
}

bool batcher_refuses(const struct produce_ask *ask)
{
    return ask->part_count > INTAKE_RUNS_MAX;
}

struct intake *batcher_take(struct batcher *batcher)
{
    struct intake *intake = batcher->open;
    batcher->open = NULL;
    return intake;
}

struct intake *batcher_add(struct batcher *batcher, struct produce *produce, int64_t now)
{
    struct intake *full = NULL;

    ASSERT(!batcher_refuses(produce->ask));
    if (batcher->open != NULL && !intake_fits(batcher->open, produce->ask))
        full = batcher_take(batcher);
    if (batcher->open == NULL)
        batcher->open = intake_new(batcher->options.budget, now);
    intake_add(batcher->open, produce);
    /* What is full now but did not have to make room is given out by the next call or
     * step: one call returns one object at most. */
    if (full == NULL && batcher->open->bytes >= batcher->options.flush_bytes)
        full = batcher_take(batcher);
    return full;
}

int64_t batcher_due_at_ms(const struct batcher *batcher, bool saturated)
{
    const struct intake *open = batcher->open;
    if (open == NULL)
        return INT64_MAX;
    if (batcher->flushing || open->bytes >= batcher->options.flush_bytes)
        return open->opened_at_ms;
    return saturated ? INT64_MAX
                     : open->opened_at_ms + batcher->options.flush_interval_ms;
}

struct intake *batcher_step(struct batcher *batcher, bool saturated, int64_t now)
{
    return batcher_due_at_ms(batcher, saturated) <= now ? batcher_take(batcher) : NULL;
}

void batcher_flush(struct batcher *batcher)
{
    batcher->flushing = true;
}

bool batcher_empty(const struct batcher *batcher)
{
    return batcher->open == NULL;
}
