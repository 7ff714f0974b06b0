/* partition.h - one partition's log index: its runs in offset order, and its offsets.
 *
 * Used by apply_*.c, state.c and checkpoint.c only. A run costs 40 bytes, its array grows
 * by half, and every 64 runs have one timestamp more: under 64 bytes a run at the worst.
 * Offsets are dense (I4): each run begins where the one before it ends. Runs go at the
 * beginning (records are deleted) in time of those that go: their slots stay free until
 * there are as many as runs. */
#ifndef CONTROLPLANE_PARTITION_H
#define CONTROLPLANE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/catalog.h"

struct producer;
struct stored_object;

struct run {
    struct stored_object *object;
    int64_t base_offset;
    int64_t max_timestamp;
    uint64_t position; /* in the object */
    uint32_t records;
    uint32_t length;
};

struct partition {
    struct topic *topic;
    int32_t index;
    int64_t log_start_offset;
    int64_t next_offset; /* the high watermark */
    uint64_t bytes;      /* of all runs */
    struct run *runs;    /* the first; run_head free slots lie before it */
    uint32_t run_count;
    uint32_t run_head, run_cap; /* slots: before the first run, and in all */
    /* Greatest timestamp of all runs up to the end of each block of slots. */
    int64_t *block_max;
    struct producer **producers; /* open addressing by producer id; producers.c */
    uint32_t producer_count, producer_slots;
    struct row row;
};

#define PARTITION_BLOCK 64

/* Give TOPIC partitions up to TOTAL, empty. */
void partition_grow_topic(struct topic *topic, int32_t total);
/* Free all partitions of TOPIC; their producers must be gone already. */
void partition_free_topic(struct topic *topic);
/* Free the last partition of a doomed TOPIC, likewise. */
void partition_free_last(struct topic *topic);
/* TOPIC's partition, or NULL when there is none of that index. */
struct partition *partition_of(const struct topic *topic, int32_t index);

/* Append RUN, whose base_offset is set here to the next offset. */
void partition_append(struct partition *partition, struct run *run);
/* The first N runs go. */
void partition_drop_first_runs(struct partition *partition, uint32_t n);
/* The newest run, and without it: what PURGE does, from the end. */
struct run *partition_last_run(const struct partition *partition);
void partition_drop_run(struct partition *partition);
/* The run that holds OFFSET, which lies in [first run's base, next_offset). */
uint32_t partition_find_offset(const struct partition *partition, int64_t offset);
/* The first run whose max timestamp is >= TIMESTAMP, or run_count. */
uint32_t partition_find_timestamp(const struct partition *partition, int64_t timestamp);
/* The greatest timestamp of all runs; INT64_MIN without any. */
int64_t partition_max_timestamp(const struct partition *partition);

#endif
