/* group_consumer.h - consumer groups of KIP-848: the server assigns, members reconcile
 * one by one, as Apache Kafka 4.2's coordinator has it.
 *
 * Three numbers drive it. The group's epoch (group->generation) grows when its members,
 * their subscriptions, or the topics they read change. The target assignment is of
 * assignment_epoch; the next heartbeat that finds it behind makes it anew. Each member
 * moves to that epoch on its own: in its heartbeats it is told what to give up
 * (UNREVOKED_PARTITIONS), and gets what others have given up (UNRELEASED_PARTITIONS: some
 * are not free yet) until it has its target (STABLE). A partition has one owner at a time
 * (consumer_group_owner): it is owned from when it is assigned until a heartbeat says
 * that it was given up, or the member goes.
 *
 * CONSUMER_HEARTBEAT is the transition (apply_consumer.c); the leader proposes it only if
 * consumer_heartbeat_changes() says so, and else answers from memory. Members that speak
 * the classic protocol may be among the others: group_convert.h.
 *
 * The functions for the leader are pure: they read what is passed in. */
#ifndef CONTROLPLANE_GROUP_CONSUMER_H
#define CONTROLPLANE_GROUP_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/cursor.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "controlplane/assignor.h"
#include "controlplane/group.h"
#include "controlplane/partition_set.h"
#include "proto/command.h"

/* Regular expressions that the members of one group may have, all together (I12). */
#define CONSUMER_REGEXES_MAX 100

/* What a partition of a member's target counts against the cluster's metadata bytes: it
 * is in two sets, and has an owner. A part of the rules (catalog.h). */
#define METADATA_ASSIGNED_BYTES 16

#define CONSUMER_EPOCH_LEAVE        (-1)
#define CONSUMER_EPOCH_LEAVE_STATIC (-2)

/* The numbers are stored. */
enum consumer_state {
    CONSUMER_STABLE = 1,
    CONSUMER_UNREVOKED = 2,  /* it has to give up `revoking` first */
    CONSUMER_UNRELEASED = 3, /* it waits for partitions that others have */
};

struct consumer_member {
    int32_t epoch; /* CONSUMER_EPOCH_LEAVE_STATIC: it has left for a while */
    int32_t previous_epoch;
    enum consumer_state state;
    struct slice rack, regex, assignor; /* null: none */
    struct slice names;                 /* packed, ascending: consumer_member_name() */
    uint32_t name_count;
    struct partition_set assigned; /* what it may have, or has */
    struct partition_set revoking; /* what it had and has not yet given up */
    struct partition_set target;   /* of the group's assignment_epoch */
    /* It speaks the classic protocol: group_member has protocols and the session. */
    bool classic;
    bool awaits_sync; /* classic: it has joined, and not asked its assignment yet */
    /* Log index of the last change of what it has, or of its joining again. */
    uint64_t moved_index;
    uint64_t bytes; /* private: counted in the cluster */
};

struct consumer_regex {
    struct slice pattern;
    struct uuid *topics; /* in ascending order */
    uint32_t topic_count;
    /* The cluster's config_version that it was resolved with; 0: not yet. */
    uint64_t topics_version;
    /* private */
    uint32_t members; /* that subscribe with it */
    struct list_node node;
};

struct consumer_group {
    int32_t assignment_epoch;
    /* Of the topics that are subscribed to and their partitions, when the epoch was made.
     */
    uint64_t topics_hash;
    uint32_t classic_count; /* of the members */
    uint32_t flags;         /* enum consumer_heartbeat_flag, as the last command said */
    struct list regexes;    /* struct consumer_regex.node, in order of pattern */
    uint32_t regex_count;
    /* private */
    struct consumer_name *names;   /* that members subscribe to, with how many do */
    struct consumer_owner *owners; /* of partitions, by topic */
    /* Not replicated, decides nothing but when to look again: the config_version at which
     * topics_hash was found to be true still. */
    uint64_t seen_version;
};

/* ---- the leader, on the core thread ---- */

/* Whether CMD (CONSUMER_HEARTBEAT) is a valid request: 0, or Kafka's 42 or 112, and
 * what is wrong in *MESSAGE, a constant. */
int16_t consumer_heartbeat_check(const struct command *cmd, const char **message);
/* Whether CMD has to be proposed. False: consumer_heartbeat_answer() has the answer.
 * GROUP, of that id in CLUSTER, may be NULL. */
bool consumer_heartbeat_changes(const struct cluster *cluster, const struct group *group,
                                const struct command *cmd);
/* Fill in the regular expressions that CMD has to carry, in ARENA. 0, or 128 with what is
 * wrong in ERR. Before proposing; costs nothing when there are none to resolve. */
int16_t consumer_heartbeat_resolve(const struct cluster *cluster,
                                   const struct group *group, struct command *cmd,
                                   struct arena *arena, struct err *err) MUST_CHECK;

struct consumer_answer {
    int16_t error;
    struct slice message; /* null without an error, perhaps with one */
    int32_t epoch;
    const struct partition_set *assignment; /* NULL: as it was */
};

/* Answer CMD: from memory (RESULT NULL), or after it was applied with RESULT. What it
 * points to lives as long as the group's (and RESULT's) does. The caller keeps the
 * member's session alive unless there is an error or the epoch is below 0. */
void consumer_heartbeat_answer(const struct group *group, const struct command *cmd,
                               const struct command_result *result,
                               struct consumer_answer *answer);

/* What the leader times for MEMBER of a consumer group beside its session: how long it
 * may take to give up partitions, to join again, or to sync; 0: nothing. The time begins
 * when *KEY differs from what it was; when it is over: GROUP_EXPIRE with
 * consumer_member_epoch.
 */
int32_t consumer_member_deadline_ms(const struct group_member *member, uint64_t *key);
/* What GROUP_EXPIRE says of it. */
int32_t consumer_member_epoch(const struct group_member *member);
/* The session timeout of MEMBER: SESSION_MS is the group's setting. */
int32_t consumer_member_session_ms(const struct group_member *member, int32_t session_ms);

/* OffsetCommit and OffsetFetch by a member, for a consumer group: 0 or Kafka's 22, 25,
 * 35, 113. KNOWS_EPOCHS: OffsetCommit 9 and later. */
int16_t consumer_check_commit(const struct group *group, int32_t epoch,
                              struct slice member_id, bool knows_epochs);
int16_t consumer_check_fetch(const struct group *group, int32_t epoch,
                             struct slice member_id);
/* Somebody in the group reads TOPIC (OffsetDelete: 86). */
bool consumer_group_subscribed(const struct group *group, const struct topic *topic);

/* ---- for showing ---- */

/* Names of MEMBER's subscription: set up with reader_init(consumer->names). */
bool consumer_member_name(struct reader *walk, struct slice *name);
/* By the most of the members who name one. */
enum assignor_kind consumer_group_assignor(const struct group *group);
/* Who owns a partition, or NULL. */
const struct group_member *consumer_group_owner(const struct group *group,
                                                const struct uuid *topic_id,
                                                int32_t partition);

/* ---- for apply_*.c, group_convert.c and the checkpoint ---- */

/* CONSUMER_HEARTBEAT's value. */
int64_t consumer_heartbeat_value(int32_t epoch, bool with_assignment);

void consumer_group_new(struct group *group);  /* it has no members of the kind yet */
void consumer_group_free(struct group *group); /* members' parts are gone */
void consumer_member_new(struct group_member *member);
/* It owns nothing any more, subscribes to nothing; its part goes. */
void consumer_member_free(struct group_member *member);

/* The kind's part of the rows of a group and of a member, as one blob; empty for groups
 * and members of other kinds. Read after the columns of the row are set, the group before
 * its members; consumer_group_loaded when all are there. ERR_DAMAGED. */
void consumer_group_write(const struct group *group, struct str *out);
int consumer_group_read(struct group *group, struct slice bytes) MUST_CHECK;
void consumer_member_write(const struct group_member *member, struct str *out);
int consumer_member_read(struct group_member *member, struct slice bytes) MUST_CHECK;
int consumer_group_loaded(const struct group *group) MUST_CHECK;

#endif
