/* fetch_op.h - one Fetch under way: shared by fetcher.c, which decides when it is ready,
 * and fetch_assemble.c, which makes its answer. Core thread only. */
#ifndef AGENT_FETCH_OP_H
#define AGENT_FETCH_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/cache.h"
#include "agent/core.h"
#include "agent/plan.h"
#include "agent/read_gate.h"
#include "agent/tail.h"
#include "common/list.h"
#include "common/loop.h"

enum fetch_state { FETCH_COLLECTING, FETCH_QUEUED, FETCH_LOADING };

struct fetch_hold {
    struct cache_hold hold;
    struct fetch_op *op;
};

/* A run that was chosen, and the holds that cover it: holds[first_hold ...]. */
struct fetch_run {
    struct index_run run;
    size_t first_hold, hold_count; /* 0: it was left out, with all after it */
};

struct fetch_op_part {
    struct fetch_op *op;
    struct fetch_part *part;
    struct tail_entry *entry; /* NULL: its error was known from the start */
    struct list_node wait;
    struct plan_ask plan;
    bool planning;
    unsigned plans;
    size_t first_run, run_count;
    int64_t records; /* in the answer */
    /* The offsets as they were when the runs were chosen; -1: not known then. The answer
     * tells these: with newer ones a reader that goes on through another agent, which has
     * not heard of what was committed while we read, would see them go back (I4). */
    int64_t high_watermark, log_start;
};

struct fetch_op {
    struct fetcher *fetcher;
    struct fetch_ask *ask;
    enum fetch_state state;
    struct fetch_op_part *parts;
    size_t part_count;
    size_t planning;
    bool expired;        /* max_wait is over */
    int64_t begun_at_us; /* or when a commit ended its wait */
    struct loop_timer timer;
    struct list_node node, woken;
    struct fetch_run *runs;
    size_t run_count, run_cap;
    struct fetch_hold *holds;
    size_t hold_count, hold_cap, unsettled;
    struct read_pass pass;
};

/* Fill the parts' slices and the ask's blobs from the holds, all of which are settled:
 * whole batches from the one that holds the offset, base offsets written, within the
 * limits of the request, but one batch at least (KIP-74). */
void fetch_assemble(struct fetch_op *op);

#endif
