/* plan.h - asks the control plane which runs hold an offset, many partitions a call.
 *
 * Core thread only. What is asked within one tick leaves as one call; the answers go into
 * the tail index, and whoever asked is told. */
#ifndef AGENT_PLAN_H
#define AGENT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/tail.h"
#include "common/loop.h"

struct ctl;
struct planner;

struct planner *planner_new(struct loop *loop, struct ctl *ctl, struct tail *tail);
void planner_free(struct planner *planner); /* cancels what is open, without callback */

/* A question, owned by the asker until DONE or planner_forget. */
struct plan_ask {
    struct tail_entry *entry; /* the planner keeps a use of its own */
    int64_t offset;
    /* CODE: 0 when the control plane answered, with KAFKA_ERROR about this offset (0 or
     * 1, 3, 100); else the ERR_* of the call. The entry is up to date before. */
    void (*done)(struct plan_ask *ask, int code, int16_t kafka_error);
    /* private */
    struct plan_item *item;
};

void planner_ask(struct planner *planner, struct plan_ask *ask);
void planner_forget(struct plan_ask *ask); /* no callback any more; harmless after done */

#endif
