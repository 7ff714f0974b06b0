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
#include "controlplane/audit.h"
#include "controlplane/catalog.h"
#include "controlplane/group.h"
#include "controlplane/group_offsets.h"
#include "controlplane/objects.h"
#include "controlplane/partition.h"
#include "controlplane/producers.h"
#include "controlplane/replies.h"
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
    uint64_t bytes, records, batch_sum; /* accepted */
    bool full;                          /* the cluster may not grow */
    struct str base_offset;
    struct str result;
    struct str packed;
};

/* The offsets of one topic being committed, and the result: reused likewise. */
struct apply_offsets_scratch {
    struct committed_part *parts;
    uint32_t *positions; /* of each in its commit */
    int16_t *errors;
    int32_t *partitions;
    uint32_t part_cap;
    struct str exceptions; /* of one commit */
    struct str data;
};

struct state {
    struct catalog catalog;
    struct object_list objects;
    struct producer_table producers;
    struct audit audit;
    struct replies replies;
    uint64_t run_count;
    uint64_t applied_index;
    int64_t now_ms;
    int64_t next_producer_id;
    struct state_events events;
    /* since the last checkpoint */
    struct list dirty;    /* struct row.dirty */
    uint64_t dirty_count; /* about: rows that went are still counted */
    struct str deletes;   /* rows that went, in checkpoint.h's form */
    /* the checkpoint being collected */
    struct list saving; /* rows that are in it and not copied yet */
    uint8_t dirty_mark; /* of rows in `dirty`: 1 or 2, those in `saving` have the other */
    struct str *delta;  /* NULL: none */
    /* scratch */
    struct arena arena;
    struct str message;
    struct apply_scratch commit;
    struct apply_offsets_scratch offsets;
};

#define COMMAND(name, lower, number, level)                                              \
    void apply_##lower(struct state *state, const struct command *cmd,                   \
                       struct command_result *result);
#include "proto/command.def"
#undef COMMAND

/* ROW is about to change, or is new: always before the first change, for a checkpoint
 * under way still has to see it as it was (checkpoint.h). */
void apply_touch(struct state *state, struct row *row);
/* ROW is about to be freed; what deletes it from the database goes to state->deletes. */
void apply_forget(struct state *state, struct row *row);
/* Refuse with CODE and what state->message says. */
void apply_refuse(struct state *state, int code, struct command_result *result);
/* True, after saying so, when CMD is about another version than ETAG. */
bool apply_stale(const struct command *cmd, uint64_t etag, struct command_result *result);
/* Refuse with a Kafka error and what state->message says. */
void apply_refuse_kafka(struct state *state, int16_t kafka_error,
                        struct command_result *result);
/* The cluster of CMD; NULL after setting NOT_FOUND. */
struct cluster *apply_cluster(struct state *state, const struct command *cmd,
                              struct command_result *result);
/* A cluster's own limit, or else what the proposer stamped. */
static inline uint64_t apply_limit(uint64_t own, uint64_t stamped)
{
    return own != 0 ? own : stamped;
}
/* Remove from memory and database. */
void apply_drop_token(struct state *state, struct token *token);
void apply_drop_user(struct state *state, struct user *user); /* with its tokens */
void apply_drop_agent(struct state *state, struct agent_info *agent);
void apply_drop_object(struct state *state, struct stored_object *object);
void apply_drop_usage_day(struct state *state, struct usage_day *day);
void apply_drop_usage_source(struct state *state, struct usage_source *source);
void apply_drop_reply(struct state *state, struct reply *reply);
void apply_drop_audit(struct state *state, struct audit_entry *entry);
void apply_drop_group_topic(struct state *state, struct group_topic *group_topic);
void apply_drop_group_offsets(struct state *state, struct group *group); /* all of it */
void apply_drop_setting(struct state *state, struct setting_set *set);
/* ---- groups (apply_group.c) ---- */

/* GROUP is about to change: its row, and its version. */
void apply_touch_group(struct state *state, struct group *group);
/* Tell of it, after a command has changed GROUP or its members. */
void apply_group_changed(struct state *state, const struct group *group);
/* A new group or member, its row touched; ids must be free. */
struct group *apply_add_group(struct state *state, struct cluster *cluster,
                              struct slice group_id, int64_t now_ms);
struct group_member *apply_add_member(struct state *state, struct group *group,
                                      struct slice member_id, struct slice instance_id,
                                      bool pending);
/* Remove from memory and database. A group goes with members, and tells of it unless the
 * cluster is deleted. */
void apply_drop_member(struct state *state, struct group_member *member);
void apply_drop_group(struct state *state, struct group *group);
/* Whether CLUSTER may have so many more bytes of metadata (STAMPED: the limit that the
 * command carries); if not, state->message says so. */
bool apply_group_room(struct state *state, const struct cluster *cluster, uint64_t bytes,
                      uint64_t stamped);

/* If CMD is a repeat by its idempotency key, append the first one's result to RESULT. */
bool apply_repeat(struct state *state, const struct command *cmd, struct str *result);
/* After CMD: keep RESULT, whose bytes are BYTES, for repeats, and write the audit log. */
void apply_context(struct state *state, const struct command *cmd,
                   const struct command_result *result, struct slice bytes);
/* Count CLUSTER's partition time up to now: before its partitions change. Returns the
 * present hour, to be counted on. */
struct usage_hour *apply_meter(struct state *state, struct cluster *cluster);
/* Hide TOPIC until PURGE. */
void apply_doom_topic(struct state *state, struct topic *topic);

#endif
