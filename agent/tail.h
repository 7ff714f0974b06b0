/* tail.h - the agent's index of the partitions it serves: which runs hold which offsets.
 *
 * Core thread only. A partition enters the index when somebody fetches it. Its *tail* is
 * fed by the watch with every committed run of the cluster in commit order, so that
 * fetches at the tail need no call to the control plane; its *windows* are runs that a
 * plan brought for readers further behind. Runs never change (I4), so an index that is
 * behind is never wrong, only short: what it does not know is asked for.
 *
 * Between two resets the watch's feed has no holes: all runs committed after the cursor
 * of the first event, each once, cursors rising. Our own commits come ahead of it as
 * hints. Where a run does not join the end of a tail, the tail is forgotten and planned
 * anew. */
#ifndef AGENT_TAIL_H
#define AGENT_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/list.h"
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
                    int32_t writer_node_id, const struct tail_run *runs,
                    size_t run_count);
/* The same of an object of our own, from the answer to its commit: earlier than the watch
 * says it, perhaps ahead of other agents' commits, and once more from the watch later. */
void tail_on_own_commit(struct tail *tail, const struct uuid *object_id,
                        const struct tail_run *runs, size_t run_count);
/* The watch was cut and starts afresh: forget everything, at the start too. */
void tail_on_reset(struct tail *tail);
void tail_on_topic_deleted(struct tail *tail, const struct uuid *topic_id);

/* The watch says: the partition begins at OFFSET now. */
void tail_on_log_start(struct tail *tail, const struct uuid *topic_id, int32_t partition,
                       int64_t offset);

/* The partition's first offset as last heard, or -1 when it is not known here. */
int64_t tail_log_start(const struct tail *tail, const struct uuid *topic_id,
                       int32_t partition);

/* ---- for the fetch side ---- */

/* Where a run lies. */
struct index_run {
    struct uuid object_id;
    int64_t base_offset;
    uint64_t position, length;
    uint32_t records;
};

struct tail_entry;

/* The index of one partition, made if need be, with one user more. */
struct tail_entry *tail_use(struct tail *tail, const struct uuid *topic_id,
                            int32_t partition);
void tail_unuse(struct tail *tail, struct tail_entry *entry);
const struct uuid *tail_topic_id(const struct tail_entry *entry);
int32_t tail_partition(const struct tail_entry *entry);

/* False until a plan was given, and after a reset or a gap. */
bool tail_known(const struct tail_entry *entry);
bool tail_deleted(const struct tail_entry *entry);           /* its topic is gone */
int64_t tail_high_watermark(const struct tail_entry *entry); /* of a known one */
int64_t tail_entry_log_start(const struct tail_entry *entry);

/* The runs in memory from the one that holds OFFSET on, contiguous in offsets; *RUNS is
 * borrowed until the tail changes. 0 when OFFSET is not in memory. */
size_t tail_find(struct tail_entry *entry, int64_t offset, const struct index_run **runs);

/* A plan's answer: the runs (contiguous, N may be 0) and the two offsets as they were. It
 * may be older than what the watch brought meanwhile: that is joined to it. Where it does
 * not join, the partition stays unknown, since what lies between has passed by unseen. */
void tail_on_plan(struct tail *tail, struct tail_entry *entry, int64_t high_watermark,
                  int64_t log_start, const struct index_run *runs, size_t n);

/* How often the index was forgotten: what a plan says that was asked for before the last
 * time may lack commits which nobody will tell of again. */
uint64_t tail_resets(const struct tail *tail);

/* Wait for a change of ENTRY: NODE is moved to tail_changed's list when one comes. */
void tail_wait(struct tail_entry *entry, struct list_node *node);
/* Nodes whose entries changed since the last call. */
struct list *tail_changed(struct tail *tail);

#endif
