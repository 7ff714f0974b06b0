/* group_reconcile.h - the inside of consumer groups: what group_consumer.c, the leader's
 * answers, apply_consumer.c and group_convert.c share. Nobody else includes it. */
#ifndef CONTROLPLANE_GROUP_RECONCILE_H
#define CONTROLPLANE_GROUP_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "controlplane/group_consumer.h"

/* ---- group_consumer.c: setters; the rows are touched by the caller ---- */

/* PACKED as consumer_member_name() reads it, ascending, none twice. */
void consumer_set_names(struct group_member *member, struct slice packed, uint32_t count);
void consumer_set_regex(struct group_member *member, struct slice pattern);
void consumer_set_classic(struct group_member *member, bool classic);
/* Takes both sets' content, which nobody else may own. */
void consumer_set_partitions(struct group_member *member, struct partition_set *assigned,
                             struct partition_set *revoking);
/* Names, texts or the target are new. */
void consumer_count_member(struct group_member *member);

/* NULL: nobody subscribes with it. */
struct consumer_regex *consumer_group_regex(const struct group *group,
                                            struct slice pattern);
/* TOPICS ascend. Nothing happens when nobody subscribes with PATTERN. */
void consumer_resolve_regex(struct group *group, struct slice pattern,
                            const struct uuid *topics, uint32_t count, uint64_t version);
bool consumer_member_subscribes(const struct group_member *member,
                                const struct topic *topic);
/* The names that members subscribe to, each once, in no order: *WALK is NULL first. */
bool consumer_group_next_name(const struct group *group, const void **walk,
                              struct slice *name);

/* ---- group_reconcile.c ---- */

/* The topics that the group reads, those of them that exist, ascending by id. */
struct consumer_topics {
    struct assignor_topic *items;
    uint32_t count, cap;
};

void consumer_topics_collect(const struct group *group, struct consumer_topics *topics);
void consumer_topics_fini(struct consumer_topics *topics);
/* Differs when they do, or their partitions. */
uint64_t consumer_topics_hash(const struct consumer_topics *topics);

/* One target for each member, in order of joining: TARGETS has member_count empty sets.
 */
void consumer_make_targets(const struct group *group,
                           const struct consumer_topics *topics,
                           struct partition_set *targets);

/* Where a member stands after a heartbeat. */
struct reconciled {
    int32_t epoch;
    enum consumer_state state;
    struct partition_set assigned, revoking;
};

/* Move MEMBER towards its target. OWNED is what it says it has, or NULL: it does not say.
 * RESUBSCRIBED: it reads other topics than before. Returns whether OUT, to be ended with
 * reconciled_fini in any case, is another place than where it stands. */
bool consumer_reconcile(const struct group_member *member,
                        const struct partition_set *owned, bool resubscribed,
                        struct reconciled *out) MUST_CHECK;
void reconciled_fini(struct reconciled *reconciled);

/* What the members' epochs make of the group. */
enum group_state consumer_group_state(const struct group *group);

/* ---- group_judge of heartbeats (group_heartbeat.c) ---- */

enum heartbeat_verdict {
    HEARTBEAT_REFUSED, /* with an error */
    HEARTBEAT_NEW,     /* a new member; the group may have to be made, or converted */
    HEARTBEAT_REPLACE, /* a static member takes its place again, under a new id */
    HEARTBEAT_KNOWN,
    HEARTBEAT_LEAVES,
    HEARTBEAT_LEAVES_STATIC, /* for a while */
};

struct heartbeat_judgement {
    enum heartbeat_verdict verdict;
    int16_t error;
    const char *message;               /* a constant; of what was REFUSED */
    const struct group_member *member; /* unless NEW or REFUSED */
};

/* Judge the valid request CMD. */
void consumer_judge_heartbeat(const struct group *group, const struct command *cmd,
                              struct heartbeat_judgement *judgement);
/* The set of partitions that CMD says its member owns. */
void consumer_owned(const struct command *cmd, struct partition_set *owned);
/* The names of CMD as they are kept, in OUT; returns how many. */
uint32_t consumer_pack_names(const struct slice *names, uint32_t count, struct str *out);
/* A full request: its answer holds the whole assignment. */
bool consumer_heartbeat_full(const struct command *cmd);
/* Classic members: whether they have to join again. */
bool consumer_classic_must_rejoin(const struct group_member *member);

/* ---- apply_consumer.c ---- */

struct state;

/* How a member that is there, its fields set and touched, goes on: the group's epoch
 * grows if its topics are others or BUMP says so, the target is made anew if it is
 * behind, and the member moves towards it (OWNED, RESUBSCRIBED as for
 * consumer_reconcile). Returns whether what it may have is something else now. */
bool consumer_advance(struct state *state, struct group_member *member, bool bump,
                      const struct partition_set *owned, bool resubscribed);
/* MEMBER goes; consumer_apply_removed has to follow. */
void consumer_drop_member(struct state *state, struct group_member *member);
/* GROUP becomes a consumer group without members. */
void consumer_begin_group(struct state *state, struct group *group);
/* Set names (of a command) and regex of a touched member; whether they are others. */
bool consumer_take_names(struct group_member *member, const struct slice *names,
                         uint32_t count);
bool consumer_take_text(struct slice *field, struct slice said);

/* ---- group_convert.c ---- */

/* Keep what the classic MEMBER may have as its SyncGroup answers it. */
void consumer_classic_keep_assignment(struct group_member *member);
/* All members of GROUP are classic: so is it. */
void group_convert_to_classic(struct state *state, struct group *group);

#endif
