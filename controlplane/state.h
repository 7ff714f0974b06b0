/* state.h - everything that is replicated: one owner, the core thread.
 *
 * state_apply() is the only thing that changes it: total and deterministic (I7), no
 * clock, file or SQLite inside. The service side reads with the functions below, from
 * asks that run on the core thread (node.h), when node_can_read() says so. Pointers stay
 * good until control returns to the loop. */
#ifndef CONTROLPLANE_STATE_H
#define CONTROLPLANE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/audit.h"
#include "controlplane/catalog.h"
#include "controlplane/group.h"
#include "controlplane/usage.h"
#include "proto/command.h"

struct state;

/* Kafka's error codes that the state itself answers with. */
enum state_kafka_error {
    STATE_KAFKA_NONE = 0,
    STATE_KAFKA_OFFSET_OUT_OF_RANGE = 1,
    STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION = 3,
    STATE_KAFKA_INVALID_TOPIC = 17,
    STATE_KAFKA_TOPIC_ALREADY_EXISTS = 36,
    STATE_KAFKA_INVALID_PARTITIONS = 37,
    STATE_KAFKA_INVALID_CONFIG = 40,
    STATE_KAFKA_INVALID_REQUEST = 42,
    STATE_KAFKA_POLICY_VIOLATION = 44,
    STATE_KAFKA_OUT_OF_ORDER_SEQUENCE = 45,
    STATE_KAFKA_INVALID_PRODUCER_EPOCH = 47,
    STATE_KAFKA_UNKNOWN_TOPIC_ID = 100,
};

/* ---- events: called from inside state_apply, on the core thread ---- */

struct committed_run {
    const struct topic *topic;
    int32_t partition;
    int64_t base_offset;
    uint32_t records;
    uint32_t length;
    uint64_t position; /* in the object */
    int64_t max_timestamp;
};

struct commit_event {
    struct uuid object_id;
    int32_t node_id; /* the writer's */
    /* What was appended, in the object's order: topics and partitions ascend as in the
     * commit, a run with rejected batches appears in pieces. Never empty. */
    const struct committed_run *runs;
    size_t run_count;
};

/* A partition that begins at another offset than before. */
struct log_start {
    const struct topic *topic;
    int32_t partition;
    int64_t offset;
};

/* Hooks may be NULL. They must not change the state. A commit that appended nothing, and
 * a repeat, make no event. */
struct state_events {
    void *arg;
    void (*on_commit)(void *arg, const struct cluster *cluster,
                      const struct commit_event *event);
    void (*on_topic)(void *arg, const struct cluster *cluster, const struct topic *topic);
    void (*on_topic_deleted)(void *arg, const struct cluster *cluster,
                             const struct uuid *topic_id);
    void (*on_agents)(void *arg, const struct cluster *cluster); /* the list changed */
    /* SET, perhaps empty now, of brokers and groups; quotas make no event. */
    void (*on_setting)(void *arg, const struct cluster *cluster,
                       const struct setting_set *set);
    /* Records went: the logs begin later now. */
    void (*on_log_starts)(void *arg, const struct cluster *cluster,
                          const struct log_start *starts, size_t count);
    /* From now on nothing finds it. Its topics make no event of their own. */
    void (*on_cluster_deleted)(void *arg, const struct uuid *cluster_id);
    /* GROUP, or a member of it, changed or is new; GROUP_DEAD: it is about to go (not of
     * a deleted cluster). May come more than once for one command. */
    void (*on_group)(void *arg, const struct cluster *cluster, const struct group *group);
    void (*on_nodes)(void *arg); /* the table of nodes changed */
    void (*on_cell)(void *arg);  /* CAs or feature level */
};

/* ---- life ---- */

struct state *state_new(const struct state_events *events); /* NULL: no hooks */
void state_free(struct state *state);

/* Apply one command of the log entry INDEX, and append its result's bytes to RESULT:
 * commit_result_write()'s for a commit, else command_result_write()'s. The indexes of
 * successive calls never go down. */
void state_apply(struct state *state, uint64_t index, struct slice command,
                 struct str *result);
/* Entry INDEX held nothing to apply (a barrier, a configuration). */
void state_skip(struct state *state, uint64_t index);

uint64_t state_applied_index(const struct state *state);
/* The latest now_ms of any command so far. */
int64_t state_now_ms(const struct state *state);
/* A hash over all replicated state, independent of addresses and history: equal on all
 * nodes, before and after a restart. For tests; walks everything. */
uint64_t state_hash(const struct state *state);

/* ---- reading: the catalog ---- */

const struct cluster *state_cluster(const struct state *state, const struct uuid *id);
const struct cluster *state_cluster_by_name(const struct state *state, struct slice name);
/* NULL first; in order of creation; NULL at the end. */
const struct cluster *state_cluster_next(const struct state *state,
                                         const struct cluster *cluster);
const struct topic *state_topic(const struct cluster *cluster, const struct uuid *id);
const struct topic *state_topic_by_name(const struct cluster *cluster, struct slice name);
const struct topic *state_topic_next(const struct cluster *cluster,
                                     const struct topic *topic);
const struct agent_info *state_agent(const struct cluster *cluster,
                                     const struct uuid *agent_id);
const struct agent_info *state_agent_next(const struct cluster *cluster,
                                          const struct agent_info *agent);
/* By the SHA-256 of its text; NULL: none. Expiry, use and a disabled user are the
 * caller's to look at (TOKEN_USE judges again when it is applied). */
const struct token *state_token(const struct state *state,
                                const uint8_t hash[SHA256_LEN]);
const struct token *state_token_by_id(const struct state *state, const struct uuid *id);
/* Of CLUSTER, or of the cell (NULL). */
const struct token *state_token_next(const struct state *state,
                                     const struct cluster *cluster,
                                     const struct token *token);
const struct user *state_user(const struct state *state, const struct uuid *id);
const struct user *state_user_next(const struct state *state,
                                   const struct cluster *cluster,
                                   const struct user *user);
/* Groups of consumers (group.h, group_classic.h); NULL: none of that id. */
const struct group *state_group(const struct cluster *cluster, struct slice group_id);
/* NULL first; in order of creation; NULL at the end. */
const struct group *state_group_next(const struct cluster *cluster,
                                     const struct group *group);
/* What a group has committed of a partition. */
struct group_offset {
    const struct topic *topic;
    int32_t partition;
    int32_t leader_epoch; /* -1: unknown */
    int64_t offset;
    int64_t committed_at_ms;
    struct slice metadata; /* "" without any */
};
/* False: nothing. GROUP and TOPIC may be NULL. */
bool state_group_offset(const struct group *group, const struct topic *topic,
                        int32_t partition, struct group_offset *offset) MUST_CHECK;
/* All that GROUP has committed, by topic in order of creation, then by partition: begin
 * with a zeroed WALK; false at the end. */
struct group_offset_walk {
    /* private */
    const struct group_topic *of_topic;
    uint32_t next;
};
bool state_group_offset_next(const struct group *group, struct group_offset_walk *walk,
                             struct group_offset *offset) MUST_CHECK;
/* OFFSETS_EXPIRE with this before_ms would take something of GROUP. */
bool state_offsets_expire(const struct group *group, int64_t before_ms);
/* What of CLUSTER's limits of metadata bytes is used: its share of this memory, about. */
uint64_t state_metadata_bytes(const struct cluster *cluster);

/* ---- reading: the cell ---- */

const struct cell *state_cell(const struct state *state);
const struct cell_node *state_node(const struct state *state, uint64_t node_id);
const struct cell_node *state_node_next(const struct state *state,
                                        const struct cell_node *node);
/* It was a node once: it must stop, and never comes back under that id. */
bool state_node_removed(const struct state *state, uint64_t node_id);
/* The one that signs; NULL before CELL_INIT. All of the list are trusted. */
const struct cell_ca *state_ca_active(const struct state *state);
const struct cell_ca *state_ca_next(const struct state *state, const struct cell_ca *ca);
/* Oldest first; the cell remembers the last hundred. */
const struct backup_info *state_backup_next(const struct state *state,
                                            const struct backup_info *backup);

/* ---- reading: audit and usage ---- */

/* Up to MAX entries that QUERY asks for, in its order. *NEXT is the `after` to go on
 * with, or 0 at the end; it may be set with no entry found (AUDIT_SCAN_MAX). */
size_t state_audit(const struct state *state, const struct audit_query *query,
                   const struct audit_entry **entries, size_t max, uint64_t *next);
/* CLUSTER's hours that overlap [FROM_MS, TO_MS) and in which anything was used, oldest
 * first, up to MAX; the present hour as far as it is known at NOW_MS. */
size_t state_usage(const struct cluster *cluster, int64_t from_ms, int64_t to_ms,
                   int64_t now_ms, struct usage_hour *hours, size_t max);

/* True while something that was deleted has not been forgotten: propose PURGE. */
bool state_purge_due(const struct state *state);
/* Whether PURGE would find entries of the audit log or replies older than it says. */
bool state_has_older(const struct state *state, const struct command *purge);

/* What TOPIC_CREATE, PARTITIONS_CREATE and CONFIGS_ALTER would say now (for
 * validate_only): the Kafka error and, unless 0, a text for people appended to MESSAGE.
 */
int16_t state_check_topic_create(const struct cluster *cluster, const struct command *cmd,
                                 struct str *message);
int16_t state_check_partitions_create(const struct cluster *cluster,
                                      const struct command *cmd, struct str *message);
int16_t state_check_configs_alter(const struct cluster *cluster,
                                  const struct command *cmd, struct str *message);
/* What SETTINGS_ALTER and QUOTAS_ALTER would say now. */
int16_t state_check_settings_alter(const struct cluster *cluster,
                                   const struct command *cmd, struct str *message);
int16_t state_check_quotas_alter(const struct cluster *cluster, const struct command *cmd,
                                 struct str *message);
/* What FROM would be after CHANGES. RESULT is set up by this and freed by
 * topic_config_set_fini. */
void state_changes_preview(const struct topic_config_set *from,
                           const struct config_change *changes, uint32_t change_count,
                           struct topic_config_set *result);
/* The settings that TOPIC would have after CHANGES, for the proposer to check values.
 * RESULT is set up by this and freed by topic_config_set_fini. */
void state_config_preview(const struct topic *topic, const struct config_change *changes,
                          uint32_t change_count, struct topic_config_set *result);

/* ---- reading: logs and objects ---- */

struct partition_offsets {
    int64_t high_watermark;
    int64_t log_start_offset;
};

/* Returns 0 or Kafka's 3. TOPIC may be NULL (then 3; the caller knows whether it was
 * asked by id and says 100). */
int16_t state_offsets(const struct topic *topic, int32_t partition,
                      struct partition_offsets *offsets) MUST_CHECK;

/* An idempotent producer as its partition remembers it. */
struct producer_view {
    int64_t producer_id;
    int64_t last_timestamp;
    int32_t last_sequence;
    int16_t epoch;
};
/* Up to MAX of the partition's, in no order that means anything; how many were given. */
size_t state_producers(const struct topic *topic, int32_t partition,
                       struct producer_view *views, size_t max);

struct partition_size {
    uint64_t bytes; /* of batches */
    uint64_t runs;
    int64_t max_timestamp; /* of any record; without runs: nothing */
};
/* Zero for a partition that is not there. */
struct partition_size state_partition_size(const struct topic *topic, int32_t partition);

struct run_view {
    const struct uuid *object_id;
    int64_t base_offset;
    uint32_t records;
    uint32_t length;
    uint64_t position;
    int64_t max_timestamp;
};

/* Runs from the one that holds an offset on. */
struct run_walk {
    /* private */
    const struct partition *partition;
    uint32_t next;
};

/* Returns 0, Kafka's 3, or 1 when OFFSET lies outside of [log start, high watermark];
 * OFFSETS is set unless 3. After 0, state_plan_next gives the runs in order. */
int16_t state_plan(const struct topic *topic, int32_t partition, int64_t offset,
                   struct partition_offsets *offsets, struct run_walk *walk) MUST_CHECK;
bool state_plan_next(struct run_walk *walk, struct run_view *run) MUST_CHECK;

/* The first run whose max timestamp is >= TIMESTAMP; *FOUND false: none. */
int16_t state_run_by_timestamp(const struct topic *topic, int32_t partition,
                               int64_t timestamp, struct run_view *run,
                               bool *found) MUST_CHECK;
/* The run that holds the greatest timestamp, the first of equals. */
int16_t state_run_of_max_timestamp(const struct topic *topic, int32_t partition,
                                   struct run_view *run, bool *found) MUST_CHECK;

/* When the log begins within its first run, and that is the one of the two functions
 * above: the records that it was named for may be gone. The one to look in as well (by
 * max), or instead; *FOUND false: there is none, or no need. */
int16_t state_run_behind_start(const struct topic *topic, int32_t partition,
                               int64_t timestamp, bool by_max, struct run_view *run,
                               bool *found) MUST_CHECK;

/* True while an object is remembered. */
bool state_object_known(const struct cluster *cluster, const struct uuid *object_id);

struct state_counts {
    uint64_t clusters, topics, partitions, runs, producers, objects, garbage_objects,
        agents;
    uint64_t memory_bytes; /* of runs, producers and results, about */
};
void state_count(const struct state *state, struct state_counts *counts);

/* When producer states expire next: the last use of the one unused longest, or -1. */
int64_t state_oldest_producer_ms(const struct state *state);

#endif
