/* group_judge.h - judgements about classic groups that group_classic.c's answers and
 * apply_group.c's transitions share. They change nothing. */
#ifndef CONTROLPLANE_GROUP_JUDGE_H
#define CONTROLPLANE_GROUP_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "controlplane/group.h"
#include "proto/command.h"

/* 0, 25 (no such member or instance, or a pending one) or 82 (the instance is another
 * member's). */
int16_t group_judge_member(const struct group *group, struct slice member_id,
                           struct slice instance_id);
/* Whether the GROUP_JOIN CMD has GROUP's protocol type and a protocol that all members
 * speak; of an empty group, or none (NULL), whether it has any. */
bool group_judge_protocols(const struct group *group, const struct command *cmd);
/* Whether CMD has the protocols and metadata that MEMBER joined with. */
bool group_judge_same_protocols(const struct group_member *member,
                                const struct command *cmd);
/* Whether a member's CMD is answered with the present generation, without a rebalance:
 * it has lost the answer, or is a follower that says nothing new. */
bool group_judge_known_join(const struct group *group, const struct group_member *member,
                            const struct command *cmd);
/* What the members vote for: each for its first of those that all speak; of equals, the
 * one that the first member prefers. There must be members. */
struct slice group_judge_vote(const struct group *group);
/* 0, or why the GROUP_SYNC CMD is refused. */
int16_t group_judge_sync(const struct group *group, const struct command *cmd);

#endif
