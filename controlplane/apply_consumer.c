/* apply_consumer.c - CONSUMER_HEARTBEAT: members of KIP-848 groups join, go on and leave.
 *
 * Each heartbeat that changes anything goes through the same steps: what the member says
 * of itself is kept; if that, or the topics, are others than before, the group's epoch
 * grows; if the target assignment is behind the epoch, it is made anew; and the member
 * moves towards its target (group_reconcile.c). The leader proposes only heartbeats that
 * change something, but what is applied is judged again here (I7). */
#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/group_convert.h"
#include "controlplane/group_reconcile.h"
#include "proto/kafka_error.h"

#define NAMES_BYTES_MAX COMMAND_BYTES_MAX

/* ---- the group goes on ---- */

static void make_targets(struct state *state, struct group *group,
                         const struct consumer_topics *topics)
{
    struct partition_set *targets =
        mem_zalloc(MAX(group->member_count, 1u) * sizeof(*targets));
    uint32_t i = 0;

    consumer_make_targets(group, topics, targets);
    for (struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL; i++) {
        if (!partition_set_equal(&targets[i], &m->consumer->target)) {
            apply_touch(state, &m->row);
            partition_set_move(&m->consumer->target, &targets[i]);
            consumer_count_member(m);
        }
        partition_set_fini(&targets[i]);
    }
    mem_free(targets);
    group->consumer->assignment_epoch = group->generation;
}

/* The epoch grows when BUMP says so, or the topics are others than it was made for. */
static void renew(struct state *state, struct group *group, bool bump)
{
    struct consumer_topics topics;

    consumer_topics_collect(group, &topics);
    uint64_t hash = consumer_topics_hash(&topics);
    if (bump || group->generation == 0 || hash != group->consumer->topics_hash) {
        group->consumer->topics_hash = hash;
        group_set_generation(group, group_next_generation(group));
    }
    if (group->consumer->assignment_epoch != group->generation)
        make_targets(state, group, &topics);
    consumer_topics_fini(&topics);
}

bool consumer_advance(struct state *state, struct group_member *member, bool bump,
                      const struct partition_set *owned, bool resubscribed)
{
    struct consumer_member *consumer = member->consumer;
    struct group *group = member->group;
    struct reconciled next;

    apply_touch_group(state, group);
    renew(state, group, bump);
    bool moved = consumer_reconcile(member, owned, resubscribed, &next);
    bool others = !partition_set_equal(&next.assigned, &consumer->assigned);
    if (moved) {
        apply_touch(state, &member->row);
        consumer->previous_epoch = consumer->epoch;
        consumer->epoch = next.epoch;
        consumer->state = next.state;
        consumer->moved_index = state->applied_index;
        consumer_set_partitions(member, &next.assigned, &next.revoking);
    }
    reconciled_fini(&next);
    if (consumer->classic && others)
        consumer_classic_keep_assignment(member);
    group->state = consumer_group_state(group);
    return others;
}

void consumer_begin_group(struct state *state, struct group *group)
{
    struct group_member *pending;

    while ((pending = group_pending_next(group, NULL)) != NULL)
        apply_drop_member(state, pending);
    apply_touch_group(state, group);
    group->kind = GROUP_CONSUMER;
    group->initial = false;
    group_set_text(&group->protocol_type, SLICE_LITERAL("consumer"));
    group_set_text(&group->protocol, SLICE_NULL);
    consumer_group_new(group);
    group->consumer->assignment_epoch = group->generation;
}

/* ---- members go ---- */

void consumer_drop_member(struct state *state, struct group_member *member)
{
    /* Before anything changes: a checkpoint under way has to see the member whole. */
    apply_touch_group(state, member->group);
    apply_forget(state, &member->row);
    consumer_member_free(member);
    apply_drop_member(state, member);
}

/* The next heartbeat of any member finds the target behind. */
static void go_on_without(struct group *group, int64_t now_ms)
{
    struct consumer_topics topics;

    consumer_topics_collect(group, &topics);
    group->consumer->topics_hash = consumer_topics_hash(&topics);
    consumer_topics_fini(&topics);
    group_set_generation(group, group_next_generation(group));
    if (group->member_count == 0)
        group->empty_since_ms = now_ms;
    group->state = consumer_group_state(group);
}

void consumer_apply_removed(struct state *state, struct group *group, int64_t now_ms)
{
    apply_touch_group(state, group);
    if (group->member_count > 0 &&
        group->consumer->classic_count == group->member_count &&
        (group->consumer->flags & CONSUMER_MAY_DOWNGRADE) != 0)
        group_convert_to_classic(state, group); /* with their generation, as it is */
    else
        go_on_without(group, now_ms);
    apply_group_changed(state, group);
}

/* A static member will be back, under another id: what it has stays its own until then,
 * or until its session runs out. */
static void leave_static(struct state *state, struct group_member *member)
{
    struct partition_set assigned = {0}, none = {0};
    struct consumer_member *consumer = member->consumer;

    apply_touch_group(state, member->group);
    apply_touch(state, &member->row);
    consumer->epoch = CONSUMER_EPOCH_LEAVE_STATIC;
    consumer->state = CONSUMER_STABLE;
    consumer->moved_index = state->applied_index;
    partition_set_copy(&assigned, &consumer->assigned);
    consumer_set_partitions(member, &assigned, &none);
    member->group->state = consumer_group_state(member->group);
    apply_group_changed(state, member->group);
}

/* ---- what a member says ---- */

bool consumer_take_names(struct group_member *member, const struct slice *names,
                         uint32_t count)
{
    struct str packed;

    str_init(&packed, NAMES_BYTES_MAX);
    uint32_t kept = consumer_pack_names(names, count, &packed);
    bool others = !slice_eq(str_slice(&packed), member->consumer->names);
    if (others)
        consumer_set_names(member, str_slice(&packed), kept);
    str_fini(&packed);
    return others;
}

bool consumer_take_text(struct slice *field, struct slice said)
{
    if (said.ptr == NULL || slice_eq(said, *field))
        return false;
    group_set_text(field, said);
    return true;
}

static bool take_regex(struct group_member *member, struct slice said)
{
    if (said.ptr == NULL || slice_eq(said, member->consumer->regex))
        return false;
    consumer_set_regex(member, said);
    return true;
}

/* Returns whether it subscribes to something else now. */
static bool take_fields(struct group_member *member, const struct command *cmd)
{
    struct consumer_member *consumer = member->consumer;
    bool others = false;

    if (!slice_eq(member->client_id, cmd->consumer_heartbeat.client_id) ||
        !slice_eq(member->client_host, cmd->consumer_heartbeat.client_host))
        group_set_client(member, cmd->consumer_heartbeat.client_id,
                         cmd->consumer_heartbeat.client_host);
    if (cmd->consumer_heartbeat.rebalance_ms != -1)
        member->rebalance_ms = cmd->consumer_heartbeat.rebalance_ms;
    (void)consumer_take_text(&consumer->rack, cmd->consumer_heartbeat.rack_id);
    (void)consumer_take_text(&consumer->assignor, cmd->consumer_heartbeat.assignor);
    if (cmd->consumer_heartbeat.has_names)
        others = consumer_take_names(member, cmd->consumer_heartbeat.names,
                                     cmd->consumer_heartbeat.name_count);
    others |= take_regex(member, cmd->consumer_heartbeat.regex);
    if (consumer->classic) {
        consumer_set_classic(member, false);
        consumer->awaits_sync = false;
        group_set_protocols(member, NULL, 0);
        group_set_assignment(member, SLICE_NULL);
    }
    consumer_count_member(member);
    return others;
}

/* ---- members come ---- */

struct heartbeat {
    struct state *state;
    const struct command *cmd;
    struct command_result *result;
    struct cluster *cluster;
    struct group *group; /* NULL: there is none yet */
    struct heartbeat_judgement judgement;
};

static void refuse(struct heartbeat *h, int16_t error, const char *message)
{
    if (message != NULL) {
        str_reset(&h->state->message);
        str_puts(&h->state->message, message);
    }
    apply_refuse_kafka(h->state, error, h->result);
}

/* Whether what CMD may add has room: about, for a member that is there. */
static bool has_room(struct heartbeat *h)
{
    const struct command *cmd = h->cmd;
    uint64_t bytes =
        cmd->consumer_heartbeat.regex.len + cmd->consumer_heartbeat.rack_id.len;

    for (uint32_t i = 0; i < cmd->consumer_heartbeat.name_count; i++)
        bytes += cmd->consumer_heartbeat.names[i].len + 2;
    if (h->judgement.verdict == HEARTBEAT_NEW)
        bytes += METADATA_MEMBER_BYTES + cmd->consumer_heartbeat.member_id.len +
                 cmd->consumer_heartbeat.instance_id.len +
                 cmd->consumer_heartbeat.client_id.len +
                 cmd->consumer_heartbeat.client_host.len;
    else if (h->judgement.member != NULL)
        bytes -= MIN(bytes, h->judgement.member->consumer->bytes);
    if (h->group == NULL)
        bytes += METADATA_GROUP_BYTES + cmd->consumer_heartbeat.group_id.len;
    if (apply_group_room(h->state, h->cluster, bytes,
                         cmd->consumer_heartbeat.limits.metadata_max))
        return true;
    refuse(h, KAFKA_POLICY_VIOLATION, NULL);
    return false;
}

/* The group of a new member: made, or made a consumer group. False after refusing. */
static bool need_group(struct heartbeat *h)
{
    const struct command *cmd = h->cmd;
    uint32_t max = cmd->consumer_heartbeat.limits.groups_max;

    if (h->group != NULL && h->group->kind == GROUP_CONSUMER)
        return true;
    if (h->group == NULL && h->cluster->group_count >= max) {
        str_printf(&h->state->message, "the cluster may have %u groups: delete some",
                   max);
        refuse(h, KAFKA_POLICY_VIOLATION, NULL);
        return false;
    }
    if (h->group == NULL)
        h->group = apply_add_group(h->state, h->cluster, cmd->consumer_heartbeat.group_id,
                                   cmd->now_ms);
    if (h->group->member_count == 0) {
        consumer_begin_group(h->state, h->group);
        return true;
    }
    if ((cmd->consumer_heartbeat.flags & CONSUMER_MAY_UPGRADE) != 0 &&
        group_convert_to_consumer(h->state, h->group))
        return true;
    refuse(h, KAFKA_GROUP_ID_NOT_FOUND, "The group is not a consumer group.");
    return false;
}

/* The member as it is when it has said nothing yet: one that is there or a new one. */
static struct group_member *need_member(struct heartbeat *h)
{
    struct slice id = h->cmd->consumer_heartbeat.member_id;
    struct group_member *member;

    if (h->judgement.verdict == HEARTBEAT_NEW) {
        member = apply_add_member(h->state, h->group, id,
                                  h->cmd->consumer_heartbeat.instance_id, false);
        consumer_member_new(member);
        return member;
    }
    if (h->judgement.verdict == HEARTBEAT_KNOWN) {
        member = group_find_member(h->group, id);
        apply_touch(h->state, &member->row);
        return member;
    }
    /* A static member takes its place again, with all that was its own. */
    member = group_static_member(h->group, h->cmd->consumer_heartbeat.instance_id);
    apply_touch(h->state, &member->row);
    group_rename_member(member, id);
    member->consumer->epoch = 0;
    member->consumer->previous_epoch = 0;
    return member;
}

static void resolve_regexes(struct heartbeat *h)
{
    const struct command *cmd = h->cmd;

    for (uint32_t i = 0; i < cmd->consumer_heartbeat.regex_count; i++) {
        const struct resolved_regex *regex = &cmd->consumer_heartbeat.regexes[i];
        consumer_resolve_regex(h->group, regex->pattern, regex->topics,
                               regex->topic_count,
                               cmd->consumer_heartbeat.topics_version);
    }
}

static void go_on(struct heartbeat *h)
{
    const struct command *cmd = h->cmd;
    bool joins = h->judgement.verdict == HEARTBEAT_NEW;
    struct partition_set owned;

    apply_touch_group(h->state, h->group);
    struct group_member *member = need_member(h);
    h->group->consumer->flags = cmd->consumer_heartbeat.flags;
    bool others = take_fields(member, cmd);
    resolve_regexes(h);
    consumer_owned(cmd, &owned);
    bool with_assignment = consumer_advance(
        h->state, member, others, cmd->consumer_heartbeat.has_owned ? &owned : NULL,
        others && !joins);
    partition_set_fini(&owned);
    h->result->value = consumer_heartbeat_value(member->consumer->epoch, with_assignment);
    apply_group_changed(h->state, h->group);
}

/* A member that is there, or will be. */
static void stay(struct heartbeat *h)
{
    if (!has_room(h) || !need_group(h))
        return;
    if (h->judgement.verdict == HEARTBEAT_NEW) {
        /* Once more, for a group that was a classic one: it may be one of its members. */
        consumer_judge_heartbeat(h->group, h->cmd, &h->judgement);
        if (h->judgement.verdict == HEARTBEAT_REFUSED) {
            refuse(h, h->judgement.error, h->judgement.message);
            return;
        }
    }
    go_on(h);
}

void apply_consumer_heartbeat(struct state *state, const struct command *cmd,
                              struct command_result *result)
{
    struct heartbeat h = {.state = state, .cmd = cmd, .result = result};
    const char *message = NULL;

    h.cluster = apply_cluster(state, cmd, result);
    if (h.cluster == NULL)
        return;
    int16_t error = consumer_heartbeat_check(cmd, &message);
    if (error != 0) {
        refuse(&h, error, message);
        return;
    }
    h.group = group_find(h.cluster, cmd->consumer_heartbeat.group_id);
    consumer_judge_heartbeat(h.group, cmd, &h.judgement);
    switch (h.judgement.verdict) {
    case HEARTBEAT_REFUSED:
        refuse(&h, h.judgement.error, h.judgement.message);
        break;
    case HEARTBEAT_LEAVES:
        consumer_drop_member(state,
                             group_find_member(h.group, h.judgement.member->member_id));
        consumer_apply_removed(state, h.group, cmd->now_ms);
        break;
    case HEARTBEAT_LEAVES_STATIC:
        leave_static(state, group_find_member(h.group, h.judgement.member->member_id));
        break;
    case HEARTBEAT_NEW:
    case HEARTBEAT_REPLACE:
    case HEARTBEAT_KNOWN:
        stay(&h);
        break;
    }
}
