/* tail.h - what was committed lately in every partition of this cluster, in memory.
 *
 * Fed by the watch (watch.c) with every committed run of the cluster in commit order, so
 * that fetches at the tail need no call to the control plane. Core thread only.
 *
 * Between two resets the watch's feed has no holes: all runs committed after the cursor of
 * the first event, each once, cursors rising. Our own commits come ahead of it as hints. */
#ifndef AGENT_TAIL_H
#define AGENT_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/uuid.h"

struct tail;

/* One contiguous piece of an object: whole batches of one partition. */
struct tail_run {
    struct uuid topic_id;
    int32_t partition;
    int64_t base_offset;
    uint32_t records;
    uint64_t position; /* in the object */
    uint64_t length;
    int64_t max_timestamp;
};

struct tail *tail_new(size_t max_bytes);
void tail_free(struct tail *tail);

/* The watch says: OBJECT, written by agent WRITER, was committed. RUNS are borrowed. */
void tail_on_commit(struct tail *tail, const struct uuid *object_id,
                    int32_t writer_node_id, const struct tail_run *runs, size_t run_count);
/* The same of an object of our own, from the answer to its commit: earlier than the watch
 * says it, perhaps ahead of other agents' commits, and once more from the watch later. */
void tail_on_own_commit(struct tail *tail, const struct uuid *object_id,
                        const struct tail_run *runs, size_t run_count);
/* The watch was cut and starts afresh: forget everything, at the start too. */
void tail_on_reset(struct tail *tail);
void tail_on_topic_deleted(struct tail *tail, const struct uuid *topic_id);

/* The partition's first offset as last heard, or -1 when it is not known here. */
int64_t tail_log_start(const struct tail *tail, const struct uuid *topic_id,
                       int32_t partition);

#endif
