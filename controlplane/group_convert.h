/* group_convert.h - a group changes its kind while its members go on, and members of the
 * classic protocol in a consumer group (KIP-848's migration, online, both ways).
 *
 * Classic to consumer: when a member of the consumer protocol joins a classic group of
 * protocol type "consumer"; the members it had become members of the consumer group that
 * speak the classic protocol. Consumer to classic: when the last member of the consumer
 * protocol has gone and all others are classic; they are told to join again. A group
 * without members becomes what the next member is; its offsets stay.
 *
 * A classic member's JoinGroup, SyncGroup, Heartbeat and LeaveGroup in a consumer group:
 * its generation is its member epoch; it never leads; a heartbeat says 27 when it has to
 * join again, because the epoch grew, it has to give something up, or something is free
 * for it. Nothing waits: join and sync are answered at once.
 *
 * apply_group.c and group_classic.c call these when group->kind is GROUP_CONSUMER and it
 * has members; with none left a join makes it classic first (group_convert_empty). */
#ifndef CONTROLPLANE_GROUP_CONVERT_H
#define CONTROLPLANE_GROUP_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "controlplane/group.h"
#include "controlplane/group_classic.h"
#include "proto/command.h"

struct state;

/* ---- commands on a consumer group, from their apply_ function; the group's row is
 * touched and on_group called inside ---- */

void consumer_apply_join(struct state *state, struct group *group,
                         const struct command *cmd, struct command_result *result);
void consumer_apply_sync(struct state *state, struct group *group,
                         const struct command *cmd, struct command_result *result);
/* One of GROUP_LEAVE's members: its error. */
int16_t consumer_apply_leaver(struct state *state, struct group *group,
                              const struct group_leaver *leaver);
/* One of GROUP_EXPIRE's: whether it went. */
bool consumer_apply_expiry(struct state *state, struct group *group,
                           const struct group_expiry *expiry);
/* After either, for all of a command. GROUP may be a classic one afterwards. */
void consumer_apply_removed(struct state *state, struct group *group, int64_t now_ms);

/* A consumer group without members is one of no kind yet, with its offsets. */
void group_convert_empty(struct state *state, struct group *group);
/* GROUP, classic with members, as a consumer group. False: it cannot become one, and
 * nothing was done. */
bool group_convert_to_consumer(struct state *state, struct group *group) MUST_CHECK;

/* ---- reading: what group_classic.h's functions say of a consumer group ---- */

bool consumer_classic_poll_join(const struct group *group, struct slice member_id,
                                struct slice instance_id,
                                struct group_join_answer *answer) MUST_CHECK;
bool consumer_classic_poll_sync(const struct group *group, int32_t generation,
                                struct slice member_id, struct slice instance_id,
                                struct group_sync_answer *answer) MUST_CHECK;
int16_t consumer_classic_heartbeat(const struct group *group, int32_t generation,
                                   struct slice member_id, struct slice instance_id);
bool consumer_classic_sync_changes(const struct group *group, const struct command *cmd);

#endif
