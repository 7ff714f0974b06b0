/* apply_group.c - the transitions of classic groups: GROUP_JOIN, SYNC, LEAVE, DUE, EXPIRE
 * and DELETE. The answers that follow are read by group_classic.c.
 *
 *              first member                  joined, or DUE(JOIN)            leader's
 * SYNC EMPTY ----------------> PREPARING -----------------------> COMPLETING
 * ------------> ^                      |  ^  ^                                | STABLE
 *       +--- nobody is left ---+  |  +-- a member comes or goes ------+            |
 *                                 +--- comes, goes or leads and joins; DUE(SYNC) --+
 *
 * A generation begins when PREPARING ends. Who has joined for it, and who has asked for
 * its assignment, are generations in the member (group.h). Who does not come back in time
 * is removed; static members (KIP-345) stay until their session runs out. */
#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"
#include "controlplane/group_classic.h"
#include "controlplane/group_convert.h"
#include "controlplane/group_judge.h"
#include "proto/kafka_error.h"

/* ---- groups come, change and go; for all apply_*.c ---- */

void apply_touch_group(struct state *state, struct group *group)
{
    apply_touch(state, &group->row);
    group->etag = state->applied_index;
}

void apply_group_changed(struct state *state, const struct group *group)
{
    if (state->events.on_group != NULL)
        state->events.on_group(state->events.arg, group->cluster, group);
}

struct group *apply_add_group(struct state *state, struct cluster *cluster,
                              struct slice group_id, int64_t now_ms)
{
    struct group *group = group_add(&state->catalog, cluster, group_id, now_ms);
    apply_touch_group(state, group);
    return group;
}

struct group_member *apply_add_member(struct state *state, struct group *group,
                                      struct slice member_id, struct slice instance_id,
                                      bool pending)
{
    struct group_member *member;

    apply_touch_group(state, group);
    member = group_add_member(&state->catalog, group, member_id, instance_id, pending);
    apply_touch(state, &member->row);
    return member;
}

void apply_drop_member(struct state *state, struct group_member *member)
{
    apply_touch_group(state, member->group);
    apply_forget(state, &member->row);
    checkpoint_delete_member(member, &state->deletes);
    group_remove_member(member);
}

void apply_drop_group(struct state *state, struct group *group)
{
    struct group_member *member;

    apply_forget(state, &group->row);
    apply_drop_group_offsets(state, group);
    while ((member = group_member_next(group, NULL)) != NULL ||
           (member = group_pending_next(group, NULL)) != NULL) {
        apply_forget(state, &member->row);
        checkpoint_delete_member(member, &state->deletes);
        group_remove_member(member);
    }
    group->state = GROUP_DEAD;
    if (group->cluster->doomed == 0)
        apply_group_changed(state, group);
    checkpoint_delete_group(group, &state->deletes);
    group_remove(group);
}

bool apply_group_room(struct state *state, const struct cluster *cluster, uint64_t bytes,
                      uint64_t stamped)
{
    uint64_t max = apply_limit(cluster->limits.metadata_bytes, stamped);
    uint64_t used = catalog_metadata_bytes(cluster);

    if (max == 0 || bytes == 0 || used + bytes <= max)
        return true;
    str_printf(&state->message,
               "the cluster may have %llu bytes of metadata and has %llu: delete topics "
               "or groups or ask for a higher limit",
               (unsigned long long)max, (unsigned long long)used);
    return false;
}

/* ---- the phases ---- */

/* The member leaves for ever. Should it have led, another one does. */
static void remove_member(struct state *state, struct group_member *member)
{
    struct group *group = member->group;

    apply_drop_member(state, member);
    if (group->leader == NULL)
        group->leader = group_member_next(group, NULL);
}

/* The leader stays, if it has joined; or else the first who has. False: nobody has. */
static bool elect(struct group *group)
{
    struct group_member *member = group->leader;

    if (group_member_joined(member))
        return true;
    member = NULL;
    while ((member = group_member_next(group, member)) != NULL &&
           !group_member_joined(member)) {
    }
    if (member == NULL)
        return false;
    group->leader = member;
    return true;
}

/* The join phase is over: the next generation is who has joined. While only static
 * members are left and none of them has, it lasts on. */
static void complete_join(struct state *state, struct group *group, int64_t now_ms)
{
    struct group_member *next, *member = group_member_next(group, NULL);

    apply_touch_group(state, group);
    for (; member != NULL; member = next) {
        next = group_member_next(group, member);
        if (!group_member_joined(member) && member->instance_id.ptr == NULL)
            remove_member(state, member);
    }
    if (group->member_count > 0 && !elect(group))
        return;
    group_set_generation(group, group_next_generation(group));
    group->initial = false;
    if (group->member_count == 0) {
        group->state = GROUP_EMPTY;
        group->empty_since_ms = now_ms;
        group_set_text(&group->protocol, SLICE_NULL);
    } else {
        group->state = GROUP_COMPLETING;
        group_set_text(&group->protocol, group_judge_vote(group));
    }
}

/* Nobody is waited for any more: but the first rebalance has its delay. */
static void complete_if_joined(struct state *state, struct group *group, int64_t now_ms)
{
    if (group->state == GROUP_PREPARING &&
        (group->member_count == 0 ||
         (!group->initial && group->joined_count == group->member_count &&
          group->pending_count == 0)))
        complete_join(state, group, now_ms);
}

/* Members came, went or want another assignment. */
static void rebalance(struct state *state, struct group *group, int64_t now_ms)
{
    if (group->state != GROUP_PREPARING) {
        apply_touch_group(state, group);
        group->initial = group->state == GROUP_EMPTY;
        group->state = GROUP_PREPARING;
    }
    complete_if_joined(state, group, now_ms);
}

/* A member or a pending id went. */
static void after_removal(struct state *state, struct group *group, bool member,
                          int64_t now_ms)
{
    if (member && (group->state == GROUP_STABLE || group->state == GROUP_COMPLETING))
        rebalance(state, group, now_ms);
    else
        complete_if_joined(state, group, now_ms);
    apply_group_changed(state, group);
}

/* ---- join ---- */

struct join {
    struct state *state;
    const struct command *cmd;
    struct command_result *result;
    struct cluster *cluster;
    struct group *group; /* NULL: not yet */
};

static void refuse(struct join *j, int16_t error)
{
    apply_refuse_kafka(j->state, error, j->result);
}

/* Whether BYTES more have room, and the group if it has to be made; after refusing if
 * not. */
static bool has_room(struct join *j, uint64_t bytes)
{
    if (j->group == NULL)
        bytes += METADATA_GROUP_BYTES + j->cmd->group_join.group_id.len;
    if (apply_group_room(j->state, j->cluster, bytes,
                         j->cmd->group_join.limits.metadata_max))
        return true;
    refuse(j, KAFKA_POLICY_VIOLATION);
    return false;
}

/* What the metadata of the join counts. */
static uint64_t protocol_bytes(const struct command *cmd)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < cmd->group_join.protocol_count; i++) {
        const struct join_protocol *protocol = &cmd->group_join.protocols[i];
        bytes += protocol->name.len + uvarint_size(protocol->name.len) +
                 protocol->metadata.len + uvarint_size(protocol->metadata.len);
    }
    return bytes;
}

static bool room_for_member(struct join *j, struct slice member_id)
{
    const struct command *cmd = j->cmd;
    return has_room(j, METADATA_MEMBER_BYTES + member_id.len +
                           cmd->group_join.instance_id.len +
                           cmd->group_join.client_id.len +
                           cmd->group_join.client_host.len + protocol_bytes(cmd));
}

static bool room_for_change(struct join *j, const struct group_member *member)
{
    uint64_t bytes = protocol_bytes(j->cmd);
    return has_room(j, bytes > member->protocols.len ? bytes - member->protocols.len : 0);
}

/* The group, which may have to be made: there is room. False after refusing. */
static bool need_group(struct join *j)
{
    const struct command *cmd = j->cmd;

    if (j->group != NULL)
        return true;
    uint32_t max = cmd->group_join.limits.groups_max;
    if (j->cluster->group_count >= max) {
        str_printf(&j->state->message, "the cluster may have %u groups: delete some",
                   max);
        refuse(j, KAFKA_POLICY_VIOLATION);
        return false;
    }
    j->group =
        apply_add_group(j->state, j->cluster, cmd->group_join.group_id, cmd->now_ms);
    j->group->kind = GROUP_CLASSIC;
    return true;
}

/* What the join says of MEMBER, who waits for the next generation from now on. */
static void take_member(struct join *j, struct group_member *member)
{
    const struct command *cmd = j->cmd;

    apply_touch(j->state, &member->row);
    group_set_client(member, cmd->group_join.client_id, cmd->group_join.client_host);
    group_set_protocols(member, cmd->group_join.protocols,
                        cmd->group_join.protocol_count);
    member->session_ms = cmd->group_join.session_ms;
    member->rebalance_ms = cmd->group_join.rebalance_ms;
    group_set_joined(member, group_next_generation(member->group));
}

static void add_member(struct join *j, struct slice member_id)
{
    const struct command *cmd = j->cmd;

    if (!room_for_member(j, member_id) || !need_group(j))
        return;
    struct group_member *member = apply_add_member(j->state, j->group, member_id,
                                                   cmd->group_join.instance_id, false);
    if (j->group->member_count == 1) {
        group_set_text(&j->group->protocol_type, cmd->group_join.protocol_type);
        j->group->kind = GROUP_CLASSIC;
        j->group->leader = member;
    }
    take_member(j, member);
    j->result->data = member_id;
    rebalance(j->state, j->group, cmd->now_ms);
}

/* Give out the id: whoever does not come back with it never was a member (KIP-394). */
static void add_pending(struct join *j)
{
    const struct command *cmd = j->cmd;
    struct slice member_id = cmd->group_join.new_member_id;

    if (j->group != NULL && j->group->pending_count >= GROUP_PENDING_MAX) {
        refuse(j, KAFKA_GROUP_MAX_SIZE_REACHED);
        return;
    }
    if (!has_room(j, METADATA_MEMBER_BYTES + member_id.len) || !need_group(j))
        return;
    struct group_member *member =
        apply_add_member(j->state, j->group, member_id, SLICE_NULL, true);
    member->session_ms = cmd->group_join.session_ms;
    j->result->kafka_error = KAFKA_MEMBER_ID_REQUIRED;
    j->result->data = member_id;
}

/* A static member is back, under a new id; whoever has the old one is fenced from now on.
 * As long as the group's protocol remains the one that is voted for, a group that is
 * stable stays so: the assignment passes to the new id. */
static void replace_static(struct join *j, struct group_member *member)
{
    struct group *group = j->group;
    bool leads = group->leader == member;

    if (!room_for_change(j, member))
        return;
    apply_touch_group(j->state, group);
    apply_touch(j->state, &member->row);
    group_rename_member(member, j->cmd->group_join.new_member_id);
    take_member(j, member);
    j->result->data = j->cmd->group_join.new_member_id;
    if (group->state != GROUP_STABLE ||
        !slice_eq(group_judge_vote(group), group->protocol)) {
        rebalance(j->state, group, j->cmd->now_ms);
        return;
    }
    group_set_joined(member, group->generation);
    if (j->cmd->group_join.may_skip_assignment)
        j->result->value = GROUP_JOIN_REPLACED;
    else if (leads)
        j->result->value = GROUP_JOIN_REPLACED_OLD;
}

/* The new id is known: it is made of the request's own random id, so this is the same
 * request once more, whose answer was lost. It has been done, and is answered. */
static void join_repeated(struct join *j, const struct group_member *member)
{
    j->result->data = member->member_id;
    if (member->pending)
        j->result->kafka_error = KAFKA_MEMBER_ID_REQUIRED;
    else if (member->instance_id.ptr != NULL && j->group->state == GROUP_STABLE &&
             j->cmd->group_join.may_skip_assignment)
        j->result->value = GROUP_JOIN_REPLACED;
}

static void join_new(struct join *j)
{
    const struct command *cmd = j->cmd;
    struct slice member_id = cmd->group_join.new_member_id;
    const struct group_member *same = group_find_member(j->group, member_id);
    struct group_member *known =
        group_static_member(j->group, cmd->group_join.instance_id);

    if (same != NULL)
        join_repeated(j, same);
    else if (!group_judge_protocols(j->group, cmd))
        refuse(j, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    else if (known != NULL)
        replace_static(j, known);
    else if (cmd->group_join.instance_id.ptr == NULL && cmd->group_join.require_known_id)
        add_pending(j);
    else
        add_member(j, member_id);
}

static void join_known(struct join *j)
{
    const struct command *cmd = j->cmd;
    struct slice member_id = cmd->group_join.member_id;
    struct group_member *member = group_find_member(j->group, member_id);

    if (!group_judge_protocols(j->group, cmd)) {
        refuse(j, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    if (member != NULL && member->pending && cmd->group_join.instance_id.ptr == NULL) {
        /* Members are in the order in which they join: so it gets a new row. */
        if (room_for_member(j, member_id)) {
            apply_drop_member(j->state, member);
            add_member(j, member_id);
        }
        return;
    }
    int16_t error = group_judge_member(j->group, member_id, cmd->group_join.instance_id);
    if (error != 0) {
        refuse(j, error);
        return;
    }
    j->result->data = member_id;
    if (group_judge_known_join(j->group, member, cmd) || !room_for_change(j, member))
        return;
    apply_touch_group(j->state, j->group);
    take_member(j, member);
    rebalance(j->state, j->group, cmd->now_ms);
}

/* Whether the group takes one more, or the one it has. While members join, those who have
 * joined count: should the limit have been lowered, the last to come back are refused. */
static bool accepts(const struct join *j)
{
    const struct group *group = j->group;
    const struct group_member *member = group_find_member(
        group, j->cmd->group_join.member_id.len > 0 ? j->cmd->group_join.member_id
                                                    : j->cmd->group_join.new_member_id);
    if (member == NULL) /* a static one that comes back is no member more */
        member = group_static_member(group, j->cmd->group_join.instance_id);
    uint32_t max =
        MIN(j->cmd->group_join.limits.members_max, (uint32_t)GROUP_MEMBERS_MAX);

    if (group == NULL || group->state == GROUP_EMPTY)
        return max > 0;
    if (group->state == GROUP_PREPARING)
        return (member != NULL && group_member_joined(member)) ||
               (group->joined_count < max && (group->member_count < GROUP_MEMBERS_MAX ||
                                              (member != NULL && !member->pending)));
    return (member != NULL && !member->pending) || group->member_count < max;
}

/* A member that a full group does not take is none any more. */
static void refuse_full(struct join *j)
{
    struct group_member *member =
        group_find_member(j->group, j->cmd->group_join.member_id);

    refuse(j, KAFKA_GROUP_MAX_SIZE_REACHED);
    if (member == NULL)
        return;
    bool was_member = !member->pending;
    remove_member(j->state, member);
    after_removal(j->state, j->group, was_member, j->cmd->now_ms);
}

void apply_group_join(struct state *state, const struct command *cmd,
                      struct command_result *result)
{
    const struct group_limits *limits = &cmd->group_join.limits;
    struct join j = {.state = state, .cmd = cmd, .result = result};
    bool is_new = cmd->group_join.member_id.len == 0;

    j.cluster = apply_cluster(state, cmd, result);
    if (j.cluster == NULL)
        return;
    j.group = group_find(j.cluster, cmd->group_join.group_id);
    if (j.group != NULL && j.group->kind == GROUP_CONSUMER && j.group->member_count == 0)
        group_convert_empty(state, j.group);
    if (cmd->group_join.group_id.len == 0)
        refuse(&j, KAFKA_INVALID_GROUP_ID);
    else if (cmd->group_join.session_ms < limits->session_min_ms ||
             cmd->group_join.session_ms > limits->session_max_ms)
        refuse(&j, KAFKA_INVALID_SESSION_TIMEOUT);
    else if (j.group != NULL && j.group->kind == GROUP_CONSUMER)
        consumer_apply_join(state, j.group, cmd, result);
    else if (j.group == NULL && !is_new)
        refuse(&j, KAFKA_UNKNOWN_MEMBER_ID);
    else if (!accepts(&j))
        refuse_full(&j);
    else if (is_new)
        join_new(&j);
    else
        join_known(&j);
    if (j.group != NULL && j.group->etag == state->applied_index)
        apply_group_changed(state, j.group);
}

/* ---- sync ---- */

/* How much more the assignments of CMD count than those that they replace. */
static uint64_t assignment_growth(const struct group *group, const struct command *cmd)
{
    uint64_t more = 0, less = 0;

    for (uint32_t i = 0; i < cmd->group_sync.assignment_count; i++) {
        const struct sync_assignment *given = &cmd->group_sync.assignments[i];
        const struct group_member *member = group_find_member(group, given->member_id);
        if (member == NULL)
            continue;
        more += given->assignment.len;
        less += member->assignment.len;
    }
    return more > less ? more - less : 0;
}

/* The leader has assigned. Who is not named has an empty assignment. */
static void take_assignments(struct state *state, struct group *group,
                             const struct command *cmd)
{
    for (uint32_t i = 0; i < cmd->group_sync.assignment_count; i++) {
        const struct sync_assignment *given = &cmd->group_sync.assignments[i];
        struct group_member *member = group_find_member(group, given->member_id);
        if (member == NULL || member->pending)
            continue;
        apply_touch(state, &member->row);
        group_set_assignment(member, given->assignment);
    }
    group->state = GROUP_STABLE;
}

void apply_group_sync(struct state *state, const struct command *cmd,
                      struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct group *group = group_find(cluster, cmd->group_sync.group_id);
    bool empty_id = cmd->group_sync.group_id.len == 0;
    int16_t error = empty_id ? KAFKA_INVALID_GROUP_ID : KAFKA_UNKNOWN_MEMBER_ID;
    if (group != NULL && group->kind == GROUP_CONSUMER) {
        consumer_apply_sync(state, group, cmd, result);
        return;
    }
    if (group != NULL)
        error = group_judge_sync(group, cmd);
    if (error == 0 && !group_classic_sync_changes(group, cmd))
        return;
    if (error == 0) {
        struct group_member *member = group_find_member(group, cmd->group_sync.member_id);
        bool assigns = group->state == GROUP_COMPLETING && group->leader == member;
        if (assigns && !apply_group_room(state, cluster, assignment_growth(group, cmd),
                                         cmd->group_sync.metadata_max))
            error = KAFKA_POLICY_VIOLATION;
        if (error == 0) {
            apply_touch_group(state, group);
            apply_touch(state, &member->row);
            group_set_synced(member, group->generation);
            if (assigns)
                take_assignments(state, group, cmd);
            apply_group_changed(state, group);
        }
    }
    if (error != 0)
        apply_refuse_kafka(state, error, result);
}

/* ---- leave ---- */

/* Remove whom LEAVER means. Returns what it is answered; *MEMBERS counts who went and was
 * more than a pending id. */
static int16_t leave(struct state *state, struct group *group,
                     const struct group_leaver *leaver, uint32_t *members)
{
    struct group_member *member = group_find_member(group, leaver->member_id);
    int16_t error = 0;

    if (leaver->member_id.len == 0) { /* somebody removes it by its instance */
        member = group_static_member(group, leaver->instance_id);
        error = member == NULL ? KAFKA_UNKNOWN_MEMBER_ID : 0;
    } else if (member == NULL || !member->pending) {
        error = group_judge_member(group, leaver->member_id, leaver->instance_id);
    }
    if (error != 0)
        return error;
    *members += member->pending ? 0 : 1;
    remove_member(state, member);
    return 0;
}

void apply_group_leave(struct state *state, const struct command *cmd,
                       struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    uint32_t count = cmd->group_leave.member_count, members = 0;

    if (cluster == NULL)
        return;
    struct group *group = group_find(cluster, cmd->group_leave.group_id);
    if (cmd->group_leave.group_id.len == 0) {
        apply_refuse_kafka(state, KAFKA_INVALID_GROUP_ID, result);
        return;
    }
    bool consumer = group != NULL && group->kind == GROUP_CONSUMER;
    uint8_t *errors = arena_array(&state->arena, MAX(count, 1u), 2);
    for (uint32_t i = 0; i < count; i++) {
        const struct group_leaver *leaver = &cmd->group_leave.members[i];
        int16_t error = group == NULL ? KAFKA_UNKNOWN_MEMBER_ID
                        : consumer    ? consumer_apply_leaver(state, group, leaver)
                                      : leave(state, group, leaver, &members);
        be16_put(errors + (size_t)2 * i, (uint16_t)error);
    }
    result->data = slice_of(errors, (size_t)2 * count);
    if (consumer && group->etag == state->applied_index)
        consumer_apply_removed(state, group, cmd->now_ms);
    else if (group != NULL && group->etag == state->applied_index)
        after_removal(state, group, members > 0, cmd->now_ms);
}

/* ---- time is over ---- */

/* Who has not asked for its assignment did not survive the rebalance: static ones too. */
static void drop_unsynced(struct state *state, struct group *group)
{
    struct group_member *next, *member = group_member_next(group, NULL);

    for (; member != NULL; member = next) {
        next = group_member_next(group, member);
        if (!group_member_synced(member))
            remove_member(state, member);
    }
}

void apply_group_due(struct state *state, const struct command *cmd,
                     struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct group *group = group_find(cluster, cmd->group_due.group_id);
    if (!group_classic_due(group, cmd->group_due.phase) ||
        group->generation != cmd->group_due.generation)
        return;
    result->value = 1;
    if (cmd->group_due.phase == GROUP_PHASE_JOIN) {
        complete_join(state, group, cmd->now_ms);
    } else {
        drop_unsynced(state, group);
        rebalance(state, group, cmd->now_ms);
    }
    apply_group_changed(state, group);
}

/* Whether MEMBER is still as silent as when its timer began at EPOCH: who waits for a
 * phase to end is not, unless nobody ever answered it (group_member_new). */
static bool still_silent(const struct group_member *member, int32_t epoch)
{
    const struct group *group = member->group;

    if (member->pending)
        return true;
    if (epoch != group->generation)
        return false;
    if (group->state == GROUP_PREPARING && group_member_joined(member))
        return group_member_new(member);
    return group->state != GROUP_COMPLETING || !group_member_synced(member);
}

void apply_group_expire(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    uint32_t members = 0;

    if (cluster == NULL)
        return;
    struct group *group = group_find(cluster, cmd->group_expire.group_id);
    if (group == NULL)
        return;
    bool consumer = group->kind == GROUP_CONSUMER;
    for (uint32_t i = 0; i < cmd->group_expire.member_count; i++) {
        const struct group_expiry *expiry = &cmd->group_expire.members[i];
        if (consumer) {
            result->value += consumer_apply_expiry(state, group, expiry);
            continue;
        }
        struct group_member *member = group_find_member(group, expiry->member_id);
        if (member == NULL || !still_silent(member, expiry->epoch))
            continue;
        members += member->pending ? 0 : 1;
        result->value++;
        remove_member(state, member);
    }
    if (consumer && result->value > 0)
        consumer_apply_removed(state, group, cmd->now_ms);
    else if (result->value > 0)
        after_removal(state, group, members > 0, cmd->now_ms);
}

/* ---- delete ---- */

void apply_group_delete(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct group *group = group_find(cluster, cmd->group_delete.group_id);
    if (group == NULL)
        apply_refuse_kafka(state, KAFKA_GROUP_ID_NOT_FOUND, result);
    else if (group->member_count > 0)
        apply_refuse_kafka(state, KAFKA_NON_EMPTY_GROUP, result);
    else
        apply_drop_group(state, group);
}
