/* produces.h - the produce asks that are open: who waits, for how much, and until when.
 *
 * A core: no clock, no thread; `now` comes as a parameter. Every ask is answered exactly
 * once: when its last part is settled, or at its deadline with REQUEST_TIMED_OUT for the
 * parts that are still open. What was timed out may be committed all the same, so the
 * batches and the frame live on until the batches are released. */
#ifndef AGENT_PRODUCES_H
#define AGENT_PRODUCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core.h"
#include "common/blob.h"
#include "common/list.h"

/* One ask on its way. `batches` counts those that refer to it. */
struct produce {
    struct produce_ask *ask; /* NULL once it was answered */
    struct blob *frame;
    size_t batches;
    int64_t taken_at_ms;
    int64_t deadline_at_ms;
    /* private */
    struct list_node node;
};

/* What became of one part. */
struct produce_outcome {
    int16_t kafka_error;
    int64_t base_offset;
    int64_t log_append_time_ms; /* only looked at for duplicates */
    bool duplicate;
    int64_t log_start_offset;
    const char *message; /* static text, or NULL */
};

#define PRODUCES_SLOTS   1024
#define PRODUCES_SLOT_MS 64

/* Deadlines lie in a wheel of slots: an ask whose deadline is further than one turn away
 * is looked at once a turn. So a client's choice of timeouts costs nothing. */
struct produces {
    struct list slots[PRODUCES_SLOTS];
    int64_t slot; /* the first one not looked at yet, counted from time zero */
    size_t open;  /* asks not answered */
    void (*reply)(struct ask *ask, void *arg);
    void *arg;
};

void produces_init(struct produces *produces, int64_t now,
                   void (*reply)(struct ask *ask, void *arg), void *arg);
/* Take ASK in: all its parts are open, one batch each, to be settled and released. An ask
 * without parts is answered at once; then NULL. */
struct produce *produces_take(struct produces *produces, struct produce_ask *ask,
                              int64_t now);
/* Settle part PART; the last one answers the ask. No effect after the deadline. */
void produces_settle(struct produces *produces, struct produce *produce, size_t part,
                     const struct produce_outcome *outcome, int64_t now);
/* Time out what is due. */
void produces_step(struct produces *produces, int64_t now);
/* When produces_step has something to do, or INT64_MAX. */
int64_t produces_due_at_ms(const struct produces *produces);
/* A batch of PRODUCE is gone; the last one frees it. It must be settled before. */
void produce_release(struct produce *produce);

#endif
