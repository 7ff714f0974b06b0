/* group_classic.c - what a classic group answers from memory, and the judgements that its
 * transitions (apply_group.c) share with these answers. */
#include "controlplane/group_classic.h"

#include <string.h>

#include "common/check.h"
#include "controlplane/group_consumer.h"
#include "controlplane/group_convert.h"
#include "controlplane/group_judge.h"
#include "proto/kafka_error.h"

/* ---- judgements ---- */

int16_t group_judge_member(const struct group *group, struct slice member_id,
                           struct slice instance_id)
{
    const struct group_member *owner = group_static_member(group, instance_id);
    const struct group_member *member = group_find_member(group, member_id);

    if (owner != NULL && owner != member)
        return KAFKA_FENCED_INSTANCE_ID;
    if (member == NULL || member->pending || (instance_id.ptr != NULL && owner == NULL))
        return KAFKA_UNKNOWN_MEMBER_ID;
    return 0;
}

/* Whether every member of GROUP speaks NAME. */
static bool spoken_by_all(const struct group *group, struct slice name)
{
    const struct group_vote *vote;
    HASH_FIND(hh, group->votes, name.ptr, name.len, vote);
    return vote != NULL && vote->members == group->member_count;
}

bool group_judge_protocols(const struct group *group, const struct command *cmd)
{
    const struct join_protocol *protocols = cmd->group_join.protocols;
    uint32_t count = cmd->group_join.protocol_count;

    if (group == NULL || group->state == GROUP_EMPTY)
        return cmd->group_join.protocol_type.len > 0 && count > 0;
    if (!slice_eq(group->protocol_type, cmd->group_join.protocol_type))
        return false;
    if (group->member_count == 0)
        return count > 0;
    for (uint32_t i = 0; i < count; i++) {
        if (spoken_by_all(group, protocols[i].name))
            return true;
    }
    return false;
}

bool group_judge_same_protocols(const struct group_member *member,
                                const struct command *cmd)
{
    struct join_protocol mine;
    struct reader walk;
    uint32_t i = 0;

    reader_init(&walk, member->protocols);
    for (; group_member_protocol(&walk, &mine); i++) {
        const struct join_protocol *said = &cmd->group_join.protocols[i];
        if (i == cmd->group_join.protocol_count || !slice_eq(mine.name, said->name) ||
            !slice_eq(mine.metadata, said->metadata))
            return false;
    }
    return i == cmd->group_join.protocol_count;
}

/* The first protocol of MEMBER that is one of the COUNT candidates; COUNT: none. */
static uint32_t favourite(const struct group_member *member,
                          const struct slice *candidates, uint32_t count)
{
    struct join_protocol protocol;
    struct reader walk;

    reader_init(&walk, member->protocols);
    while (group_member_protocol(&walk, &protocol)) {
        for (uint32_t i = 0; i < count; i++) {
            if (slice_eq(candidates[i], protocol.name))
                return i;
        }
    }
    return count;
}

struct slice group_judge_vote(const struct group *group)
{
    struct slice candidates[COMMAND_PROTOCOLS_MAX];
    uint32_t votes[COMMAND_PROTOCOLS_MAX] = {0}, count = 0, best = 0;
    struct join_protocol protocol;
    struct reader walk;

    const struct group_member *first = group_member_next(group, NULL);
    ASSERT(first != NULL);
    reader_init(&walk, first->protocols);
    while (group_member_protocol(&walk, &protocol)) {
        if (count < COMMAND_PROTOCOLS_MAX && spoken_by_all(group, protocol.name))
            candidates[count++] = protocol.name;
    }
    ASSERT(count > 0);
    for (const struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;)
        votes[favourite(m, candidates, count)]++;
    for (uint32_t i = 1; i < count; i++)
        best = votes[i] > votes[best] ? i : best;
    return candidates[best];
}

int16_t group_judge_sync(const struct group *group, const struct command *cmd)
{
    struct slice type = cmd->group_sync.protocol_type;
    struct slice name = cmd->group_sync.protocol_name;

    int16_t error =
        group_judge_member(group, cmd->group_sync.member_id, cmd->group_sync.instance_id);
    if (error != 0)
        return error;
    if (cmd->group_sync.generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if ((type.ptr != NULL && !slice_eq(type, group->protocol_type)) ||
        (name.ptr != NULL && !slice_eq(name, group->protocol)))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : 0;
}

/* ---- answers ---- */

bool group_classic_poll_join(const struct group *group, struct slice member_id,
                             struct slice instance_id, struct group_join_answer *answer)
{
    const struct group_member *member = group_find_member(group, member_id);

    if (group != NULL && group->kind == GROUP_CONSUMER)
        return consumer_classic_poll_join(group, member_id, instance_id, answer);
    memset(answer, 0, sizeof(*answer));
    answer->error = group_judge_member(group, member_id, instance_id);
    if (answer->error != 0)
        return true;
    /* While the next rebalance is being prepared, an answer of the present generation may
     * still be owed; its sync will say that it is over. One that nobody was told of (the
     * first, or a static member that missed it) is not. */
    if (group->state == GROUP_PREPARING && group_member_joined(member))
        return false;
    if (group->state == GROUP_PREPARING &&
        member->joined_generation != group->generation) {
        answer->error = KAFKA_UNKNOWN_MEMBER_ID;
        return true;
    }
    answer->generation = group->generation;
    answer->protocol_type = group->protocol_type;
    answer->protocol = group->protocol;
    answer->leader = SLICE_LITERAL("");
    if (group->state == GROUP_PREPARING)
        return true; /* who led it may be gone */
    answer->leader = group->leader->member_id;
    answer->leads = group->leader == member;
    return true;
}

bool group_classic_poll_sync(const struct group *group, int32_t generation,
                             struct slice member_id, struct slice instance_id,
                             struct group_sync_answer *answer)
{
    const struct group_member *member = group_find_member(group, member_id);

    if (group != NULL && group->kind == GROUP_CONSUMER)
        return consumer_classic_poll_sync(group, generation, member_id, instance_id,
                                          answer);
    memset(answer, 0, sizeof(*answer));
    answer->error = group_judge_member(group, member_id, instance_id);
    /* It was the present one when the sync came: a rebalance has begun since. */
    if (answer->error == 0 &&
        (generation != group->generation || group->state == GROUP_PREPARING))
        answer->error = KAFKA_REBALANCE_IN_PROGRESS;
    if (answer->error != 0)
        return true;
    if (group->state == GROUP_COMPLETING)
        return false;
    answer->protocol_type = group->protocol_type;
    answer->protocol = group->protocol;
    if (member->assigned_generation == group->generation)
        answer->assignment = member->assignment;
    return true;
}

int16_t group_classic_heartbeat(const struct group *group, int32_t generation,
                                struct slice member_id, struct slice instance_id)
{
    if (group != NULL && group->kind == GROUP_CONSUMER)
        return consumer_classic_heartbeat(group, generation, member_id, instance_id);
    int16_t error = group_judge_member(group, member_id, instance_id);
    if (error != 0)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    return group->state == GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : 0;
}

int16_t group_classic_check_commit(const struct group *group, int32_t generation,
                                   struct slice member_id, struct slice instance_id)
{
    if (generation < 0 && group->state == GROUP_EMPTY)
        return 0;
    if (generation < 0 && member_id.len == 0 && instance_id.ptr == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    int16_t error = group_judge_member(group, member_id, instance_id);
    if (error != 0)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    return group->state == GROUP_COMPLETING ? KAFKA_REBALANCE_IN_PROGRESS : 0;
}

/* ---- what need not be proposed ---- */

bool group_classic_join_changes(const struct group *group, const struct command *cmd)
{
    const struct group_member *member =
        group_find_member(group, cmd->group_join.member_id);

    if (member == NULL || group->kind == GROUP_CONSUMER ||
        group_judge_member(group, cmd->group_join.member_id,
                           cmd->group_join.instance_id) != 0 ||
        cmd->group_join.session_ms < cmd->group_join.limits.session_min_ms ||
        cmd->group_join.session_ms > cmd->group_join.limits.session_max_ms ||
        !group_judge_protocols(group, cmd))
        return true;
    return !group_judge_known_join(group, member, cmd);
}

bool group_judge_known_join(const struct group *group, const struct group_member *member,
                            const struct command *cmd)
{
    if (group->state == GROUP_STABLE && group->leader == member)
        return false;
    return (group->state == GROUP_STABLE || group->state == GROUP_COMPLETING) &&
           group_judge_same_protocols(member, cmd);
}

bool group_classic_sync_changes(const struct group *group, const struct command *cmd)
{
    if (group != NULL && group->kind == GROUP_CONSUMER)
        return consumer_classic_sync_changes(group, cmd);
    if (group == NULL || group_judge_sync(group, cmd) != 0)
        return true;
    const struct group_member *member =
        group_find_member(group, cmd->group_sync.member_id);
    return !group_member_synced(member) ||
           (group->state == GROUP_COMPLETING && group->leader == member);
}

bool group_classic_due(const struct group *group, enum group_phase phase)
{
    if (group == NULL || group->kind == GROUP_CONSUMER)
        return false;
    if (phase == GROUP_PHASE_JOIN)
        return group->state == GROUP_PREPARING;
    return (group->state == GROUP_COMPLETING || group->state == GROUP_STABLE) &&
           group->synced_count < group->member_count;
}
