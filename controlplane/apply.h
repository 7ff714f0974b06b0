/* apply.h - the inside of struct state, and the functions that change it.
 *
 * For state.c, apply_*.c and checkpoint.c only. Each command has one apply_NAME function;
 * it cannot fail: what it refuses, it says in the result. It may use nothing but the
 * state and the command (I7): no clock, no random, no order of a hash table. */
#ifndef CONTROLPLANE_APPLY_H
#define CONTROLPLANE_APPLY_H

#include <stdint.h>

#include "common/arena.h"
#include "common/str.h"
#include "controlplane/catalog.h"
#include "controlplane/objects.h"
#include "controlplane/partition.h"
#include "controlplane/producers.h"
#include "controlplane/state.h"
#include "proto/commit.h"

/* The commit being applied, decoded: reused from one to the next, so that a commit
 * allocates nothing for a run or a batch. */
struct apply_run {
    uint32_t topic;
    int32_t partition;
    uint32_t first_batch, batches;
    uint64_t position;
};

struct apply_batch {
    int64_t max_timestamp;
    uint32_t length;
    uint32_t records;
    uint32_t producer;
    int32_t sequence;
};

struct apply_scratch {
    struct apply_run *runs;
    uint32_t run_count, run_cap;
    struct apply_batch *batches;
    uint32_t batch_count, batch_cap;
    struct topic **topics; /* of the commit; NULL: unknown id */
    uint32_t topic_cap;
    struct committed_run *accepted;
    uint32_t accepted_count, accepted_cap;
    struct commit_exception *exceptions;
    uint32_t exception_count, exception_cap;
    struct str base_offset;
    struct str result;
    struct str packed;
};

struct state {
    struct catalog catalog;
    struct object_list objects;
    struct producer_table producers;
    uint64_t run_count;
    uint64_t applied_index;
    int64_t now_ms;
    int64_t next_producer_id;
    struct state_events events;
    /* since the last checkpoint */
    struct list dirty;    /* struct row.dirty */
    uint64_t dirty_count; /* about: rows that went are still counted */
    struct str deletes;   /* rows that went, in checkpoint.h's form */
    /* scratch */
    struct arena arena;
    struct str message;
    struct apply_scratch commit;
};

#define COMMAND(name, lower, number)                                                     \
    void apply_##lower(struct state *state, const struct command *cmd,                   \
                       struct command_result *result);
#include "proto/command.def"
#undef COMMAND

/* ROW is newer in memory than in the database. */
void apply_touch(struct state *state, struct row *row);
/* Refuse with a Kafka error and what state->message says. */
void apply_refuse_kafka(struct state *state, int16_t kafka_error,
                        struct command_result *result);
/* The cluster of CMD; NULL after setting NOT_FOUND. */
struct cluster *apply_cluster(struct state *state, const struct command *cmd,
                              struct command_result *result);

#endif
