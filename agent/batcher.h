/* batcher.h - collects produced batches into the open object and says when it is full.
 *
 * A core: pure, `now` comes as a parameter. The open object is sealed when it has reached
 * flush_bytes, or when its first batch is flush_interval_ms old; nothing produced,
 * nothing sealed. While the pipeline behind is `saturated` age alone does not seal: the
 * object would only wait, so it grows instead; its size seals it all the same. */
#ifndef AGENT_BATCHER_H
#define AGENT_BATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/intake.h"
#include "common/mem.h"

struct batcher_options {
    uint64_t flush_bytes;
    int64_t flush_interval_ms;
    struct budget *budget; /* for the books, may be NULL */
};

struct batcher {
    /* private */
    struct batcher_options options;
    struct intake *open; /* NULL: nothing was produced */
    bool flushing;
};

void batcher_init(struct batcher *batcher, const struct batcher_options *options);
void batcher_fini(struct batcher *batcher); /* drops what is open */
/* Other limits hold from now on, also for what is open. */
void batcher_set_limits(struct batcher *batcher, uint64_t flush_bytes,
                        int64_t flush_interval_ms);

/* An ask that no object can take: more parts than an object may have. */
bool batcher_refuses(const struct produce_ask *ask);
/* Append PRODUCE. Returns the object that became full, ownership to the caller, or NULL.
 * An ask is never split, so its batches are committed together. */
struct intake *batcher_add(struct batcher *batcher, struct produce *produce, int64_t now);
/* The open object if it is due now, ownership to the caller, or NULL. */
struct intake *batcher_step(struct batcher *batcher, bool saturated, int64_t now);
/* Whatever is open, ownership to the caller, or NULL. */
struct intake *batcher_take(struct batcher *batcher);
/* When batcher_step has something to do, or INT64_MAX. */
int64_t batcher_due_at_ms(const struct batcher *batcher, bool saturated);
/* From now on whatever is open is due (the agent drains). */
void batcher_flush(struct batcher *batcher);
bool batcher_empty(const struct batcher *batcher);

#endif
