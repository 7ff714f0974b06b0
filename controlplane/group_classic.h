/* group_classic.h - classic consumer groups: join, sync, heartbeat, leave (KIP-62, 134,
 * 345, 394, 559, 814), as Apache Kafka 4.2's coordinator has them.
 *
 * The transitions are made by apply_group.c for GROUP_* commands. The functions below
 * change nothing: the leader answers with them from memory, without Raft. What they say
 * is Kafka's error, or the whole answer, or that the client has to wait.
 *
 * A join that waits: GROUP_JOIN was applied, the client's request stays parked at its
 * agent, and is answered when group_classic_poll_join() has an answer; it can have one
 * only after on_group. A sync likewise. */
#ifndef CONTROLPLANE_GROUP_CLASSIC_H
#define CONTROLPLANE_GROUP_CLASSIC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "controlplane/group.h"
#include "proto/command.h"

struct group_join_answer {
    int16_t error; /* else: */
    int32_t generation;
    struct slice protocol_type, protocol;
    struct slice leader; /* "": the generation is over already */
    /* The one that asks leads: it gets all members (group_member_next, with
     * group_member_metadata of the protocol); others get none. */
    bool leads;
};

struct group_sync_answer {
    int16_t error; /* else: */
    struct slice protocol_type, protocol;
    struct slice assignment; /* null: empty */
};

/* What the parked join of MEMBER_ID (its instance, or null) is answered now; false: it
 * waits on. GROUP may be NULL here and below. Slices live as long as the group's. */
bool group_classic_poll_join(const struct group *group, struct slice member_id,
                             struct slice instance_id,
                             struct group_join_answer *answer) MUST_CHECK;
/* What the parked sync of MEMBER_ID for GENERATION is answered now; false: it waits. */
bool group_classic_poll_sync(const struct group *group, int32_t generation,
                             struct slice member_id, struct slice instance_id,
                             struct group_sync_answer *answer) MUST_CHECK;
/* A heartbeat's answer; 0 and 27 (rebalance) keep the member alive. */
int16_t group_classic_heartbeat(const struct group *group, int32_t generation,
                                struct slice member_id, struct slice instance_id);
/* Whether an OffsetCommit may be made: 0, or the error of all its partitions. For a group
 * that is there; of none, see GROUP_ID_NOT_FOUND. After 0 a member of a group that is not
 * empty was heard of. */
int16_t group_classic_check_commit(const struct group *group, int32_t generation,
                                   struct slice member_id, struct slice instance_id);
/* Whether the GROUP_JOIN, or GROUP_SYNC, CMD would change anything now; if not, it need
 * not be proposed: the poll function has its answer. */
bool group_classic_join_changes(const struct group *group, const struct command *cmd);
bool group_classic_sync_changes(const struct group *group, const struct command *cmd);
/* Whether GROUP_DUE would do something in that phase (the generation being right). */
bool group_classic_due(const struct group *group, enum group_phase phase);

#endif
