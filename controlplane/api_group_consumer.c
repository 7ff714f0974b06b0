/* api_group_consumer.c - ops of consumer groups (KIP-848): the heartbeat, and describing
 * one.
 *
 * A heartbeat is judged against the state first: one that changes nothing, which is
 * nearly every one, is answered from memory; else it is proposed, with the names of
 * topics that its regular expressions match by now. */
#include "controlplane/api_groups.h"

#include <string.h>
#include <strings.h>

#include "controlplane/group_consumer.h"
#include "controlplane/metrics.h"
#include "controlplane/settings.h"
#include "proto/kafka_error.h"

static struct slice keep(struct call *call, struct slice text)
{
    return text.ptr == NULL ? SLICE_NULL : arena_dup(&call->arena, text);
}

/* ---- an assignment, copied ---- */

struct copied_topic {
    struct uuid topic_id;
    int32_t *partitions;
    uint32_t count;
};

struct copied_set {
    struct copied_topic *topics;
    uint32_t count;
};

static size_t set_bytes(const struct partition_set *set)
{
    return set->topic_count * sizeof(struct copied_topic) +
           (size_t)partition_set_count(set) * sizeof(int32_t);
}

static void copy_set(struct call *call, const struct partition_set *set,
                     struct copied_set *out)
{
    out->topics = arena_array(&call->arena, set->topic_count, sizeof(*out->topics));
    out->count = set->topic_count;
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        out->topics[i].topic_id = topic->topic_id;
        out->topics[i].count = topic->count;
        out->topics[i].partitions =
            arena_array(&call->arena, topic->count, sizeof(int32_t));
        if (topic->count > 0)
            memcpy(out->topics[i].partitions, topic->partitions,
                   topic->count * sizeof(int32_t));
    }
}

static struct json *set_json(const struct copied_set *set)
{
    struct json *value = json_array();
    for (uint32_t i = 0; i < set->count; i++) {
        struct json *topic = json_array(), *partitions = json_array();
        for (uint32_t j = 0; j < set->topics[i].count; j++)
            json_push(partitions, json_int(set->topics[i].partitions[j]));
        json_push(topic, json_uuid(&set->topics[i].topic_id));
        json_push(topic, partitions);
        json_push(value, topic);
    }
    return value;
}

/* ---- consumer: ConsumerGroupHeartbeat ---- */

struct heartbeat_op {
    struct command cmd;
    struct call_proposal proposal;
    struct err err; /* of a regular expression */
    /* the answer */
    int16_t error;
    struct slice message;
    int32_t epoch;
    int64_t interval_ms;
    bool has_assignment;
    struct copied_set assignment;
};

static void read_names(struct call *call, struct json_reader *r, const struct json *list,
                       struct heartbeat_op *heartbeat)
{
    size_t count = json_count(list);
    struct slice *names;

    if (r->failed || json_is_null(list))
        return;
    if (!json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "ops: the names of a consumer are no list");
        return;
    }
    names = arena_array(&call->arena, count, sizeof(*names));
    for (size_t i = 0; i < count && !r->failed; i++)
        names[i] = group_op_text(r, list, i, "name");
    heartbeat->cmd.consumer_heartbeat.has_names = true;
    heartbeat->cmd.consumer_heartbeat.names = names;
    heartbeat->cmd.consumer_heartbeat.name_count = (uint32_t)count;
}

static void read_owned(struct call *call, struct json_reader *r, const struct json *list,
                       struct heartbeat_op *heartbeat)
{
    size_t count = json_count(list);
    struct owned_topic *owned;

    if (r->failed || json_is_null(list))
        return;
    if (!json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "ops: what a consumer owns is no list");
        return;
    }
    owned = arena_array(&call->arena, count, sizeof(*owned));
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *item = json_at(r, list, i), *parts = json_at(r, item, 1);
        size_t part_count = json_count(parts);
        int32_t *partitions = arena_array(&call->arena, part_count, sizeof(*partitions));
        owned[i].topic_id = json_as_uuid(r, json_at(r, item, 0), "topic_id");
        for (size_t j = 0; j < part_count && !r->failed; j++)
            partitions[j] = (int32_t)json_as_int(r, json_at(r, parts, j), "partition",
                                                 INT32_MIN, INT32_MAX);
        owned[i].partitions = partitions;
        owned[i].partition_count = (uint32_t)part_count;
    }
    heartbeat->cmd.consumer_heartbeat.has_owned = true;
    heartbeat->cmd.consumer_heartbeat.owned = owned;
    heartbeat->cmd.consumer_heartbeat.owned_count = (uint32_t)count;
}

static void heartbeat_parse(struct call *call, struct json_reader *r,
                            const struct json *value, struct group_op *op)
{
    struct heartbeat_op *heartbeat = arena_alloc(&call->arena, sizeof(*heartbeat));
    struct command *cmd = &heartbeat->cmd;

    op->data = heartbeat;
    cmd->kind = COMMAND_CONSUMER_HEARTBEAT;
    cmd->cluster_id = call->cluster_id;
    cmd->consumer_heartbeat.group_id = op->group;
    cmd->consumer_heartbeat.member_id = group_op_text(r, value, 2, "member");
    cmd->consumer_heartbeat.member_epoch =
        (int32_t)json_as_int(r, json_at(r, value, 3), "epoch", INT32_MIN, INT32_MAX);
    cmd->consumer_heartbeat.instance_id = group_op_text_or_null(r, value, 4, "instance");
    cmd->consumer_heartbeat.rack_id = group_op_text_or_null(r, value, 5, "rack");
    cmd->consumer_heartbeat.client_id = group_op_text(r, value, 6, "client_id");
    cmd->consumer_heartbeat.client_host = group_op_text(r, value, 7, "client_host");
    cmd->consumer_heartbeat.rebalance_ms = (int32_t)json_as_int(
        r, json_at(r, value, 8), "rebalance_ms", INT32_MIN, INT32_MAX);
    read_names(call, r, json_at(r, value, 9), heartbeat);
    cmd->consumer_heartbeat.regex = group_op_text_or_null(r, value, 10, "regex");
    cmd->consumer_heartbeat.assignor = group_op_text_or_null(r, value, 11, "assignor");
    read_owned(call, r, json_at(r, value, 12), heartbeat);
}

/* What the group's people have set for it. */
static void apply_settings(const struct call *call, const struct cluster *cluster,
                           struct heartbeat_op *heartbeat)
{
    struct command *cmd = &heartbeat->cmd;
    struct slice group = cmd->consumer_heartbeat.group_id;
    const char *policy = group_setting(cluster, group, "group.consumer.migration.policy");
    int64_t most = group_setting_int(cluster, group, "group.consumer.max.size");
    bool both = strcasecmp(policy, "bidirectional") == 0;

    cmd->consumer_heartbeat.flags = 0;
    if (both || strcasecmp(policy, "upgrade") == 0)
        cmd->consumer_heartbeat.flags |= CONSUMER_MAY_UPGRADE;
    if (both || strcasecmp(policy, "downgrade") == 0)
        cmd->consumer_heartbeat.flags |= CONSUMER_MAY_DOWNGRADE;
    cmd->consumer_heartbeat.limits = (struct group_limits){
        .members_max = (uint32_t)MIN(most, (int64_t)COMMAND_MEMBERS_MAX),
        .groups_max = (uint32_t)call->service->options->max_groups,
        .metadata_max = call_limits(call, cluster).metadata_bytes,
    };
    heartbeat->interval_ms =
        group_setting_int(cluster, group, "consumer.heartbeat.interval.ms");
}

static void heartbeat_answer(struct node *node, struct call *call, struct group_op *op,
                             const struct command_result *result)
{
    const struct group *group = state_group(call_cluster(node, call), op->group);
    struct heartbeat_op *heartbeat = op->data;
    struct consumer_answer answer = {.error = 0};

    consumer_heartbeat_answer(group, &heartbeat->cmd, result, &answer);
    heartbeat->error = answer.error;
    heartbeat->message = keep(call, answer.message);
    heartbeat->epoch = answer.epoch;
    heartbeat->has_assignment = answer.assignment != NULL;
    if (answer.error == 0 && answer.epoch >= 0)
        group_op_touch(node, call, op->group,
                       heartbeat->cmd.consumer_heartbeat.member_id);
    if (answer.assignment == NULL)
        return;
    if (group_op_room(call, op, set_bytes(answer.assignment)))
        copy_set(call, answer.assignment, &heartbeat->assignment);
    else
        heartbeat->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
}

static enum group_op_step refuse(struct call *call, struct heartbeat_op *heartbeat,
                                 int16_t error, const char *message)
{
    heartbeat->error = error;
    heartbeat->message = message == NULL ? SLICE_NULL : keep(call, slice_str(message));
    return GROUP_OP_ANSWERED;
}

/* Clients may send anything: what no partition can be is theirs alone to hear of. */
static bool owns_nonsense(const struct command *cmd)
{
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.owned_count; i++)
        for (uint32_t j = 0; j < cmd->consumer_heartbeat.owned[i].partition_count; j++)
            if (cmd->consumer_heartbeat.owned[i].partitions[j] < 0)
                return true;
    return false;
}

static enum group_op_step heartbeat_run(struct node *node, struct call *call,
                                        struct group_op *op)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = state_group(cluster, op->group);
    struct heartbeat_op *heartbeat = op->data;
    const char *message = NULL;

    metric_add(control_metric(group_heartbeats_total), 1);
    heartbeat->epoch = heartbeat->cmd.consumer_heartbeat.member_epoch;
    apply_settings(call, cluster, heartbeat);
    int16_t error = consumer_heartbeat_check(&heartbeat->cmd, &message);
    if (owns_nonsense(&heartbeat->cmd))
        return refuse(call, heartbeat, KAFKA_INVALID_REQUEST,
                      "a partition is below zero");
    if (error != 0)
        return refuse(call, heartbeat, error, message);
    if (!op->after_change &&
        !consumer_heartbeat_changes(cluster, group, &heartbeat->cmd)) {
        heartbeat_answer(node, call, op, NULL);
        return GROUP_OP_ANSWERED;
    }
    error = consumer_heartbeat_resolve(cluster, group, &heartbeat->cmd, &call->arena,
                                       &heartbeat->err);
    if (error != 0)
        return refuse(call, heartbeat, error, heartbeat->err.text);
    group_op_propose(node, call, &heartbeat->proposal, &heartbeat->cmd);
    return GROUP_OP_PROPOSED;
}

static void heartbeat_settle(struct node *node, struct call *call, struct group_op *op)
{
    struct heartbeat_op *heartbeat = op->data;
    struct command_result result;

    int16_t error = group_op_result(&heartbeat->proposal, &result);
    if (error == KAFKA_UNKNOWN_SERVER_ERROR || error == KAFKA_COORDINATOR_NOT_AVAILABLE)
        heartbeat->error = error;
    else
        heartbeat_answer(node, call, op, &result);
}

static struct json *heartbeat_print(const struct call *call, const struct group_op *op)
{
    const struct heartbeat_op *heartbeat = op->data;
    struct json *value = json_array();
    (void)call;

    json_push(value, json_int(heartbeat->error));
    json_push(value, json_slice(heartbeat->message));
    json_push(value, json_slice(heartbeat->cmd.consumer_heartbeat.member_id));
    json_push(value, json_int(heartbeat->epoch));
    json_push(value, json_int(heartbeat->interval_ms));
    json_push(value,
              heartbeat->has_assignment ? set_json(&heartbeat->assignment) : json_null());
    return value;
}

/* ---- describe_consumer ---- */

struct described_member {
    struct slice member_id, instance_id, rack_id, client_id, host, regex;
    int32_t epoch;
    struct slice *names;
    size_t name_count;
    struct copied_set assigned, target;
    bool is_classic;
};

struct describe_op {
    int16_t error;
    const char *message, *state, *assignor;
    int32_t epoch, assignment_epoch;
    struct described_member *members;
    size_t count;
};

static void describe_parse(struct call *call, struct json_reader *r,
                           const struct json *value, struct group_op *op)
{
    (void)r, (void)value;
    op->data = arena_alloc(&call->arena, sizeof(struct describe_op));
}

static size_t described_bytes(const struct group *group)
{
    const struct group_member *member = NULL;
    size_t bytes = sizeof(struct describe_op);
    while ((member = group_member_next(group, member)) != NULL) {
        const struct consumer_member *consumer = member->consumer;
        bytes += sizeof(struct described_member) + member->member_id.len +
                 member->instance_id.len + member->client_id.len +
                 member->client_host.len + consumer->names.len +
                 consumer->name_count * sizeof(struct slice) + consumer->regex.len +
                 consumer->rack.len + set_bytes(&consumer->assigned) +
                 set_bytes(&consumer->target);
    }
    return bytes;
}

static void copy_member(struct call *call, const struct group_member *member,
                        struct described_member *out)
{
    const struct consumer_member *consumer = member->consumer;
    struct reader walk;
    struct slice name;

    *out = (struct described_member){
        .member_id = keep(call, member->member_id),
        .instance_id = keep(call, member->instance_id),
        .rack_id = keep(call, consumer->rack),
        .client_id = keep(call, member->client_id),
        .host = keep(call, member->client_host),
        .regex = keep(call, consumer->regex),
        .epoch = consumer->epoch,
        .is_classic = consumer->classic,
    };
    out->names = arena_array(&call->arena, consumer->name_count, sizeof(*out->names));
    reader_init(&walk, consumer->names);
    while (out->name_count < consumer->name_count && consumer_member_name(&walk, &name))
        out->names[out->name_count++] = keep(call, name);
    copy_set(call, &consumer->assigned, &out->assigned);
    copy_set(call, &consumer->target, &out->target);
}

static enum group_op_step describe_run(struct node *node, struct call *call,
                                       struct group_op *op)
{
    const struct group *group = state_group(call_cluster(node, call), op->group);
    const struct group_member *member = NULL;
    struct describe_op *describe = op->data;

    describe->state = group == NULL ? "Dead" : group_state_name(group->state);
    describe->assignor = "";
    if (group == NULL || group->kind != GROUP_CONSUMER) {
        describe->error = KAFKA_GROUP_ID_NOT_FOUND;
        describe->message =
            group == NULL ? "there is no such group" : "the group is no consumer group";
        return GROUP_OP_ANSWERED;
    }
    if (!group_op_room(call, op, described_bytes(group))) {
        describe->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
        describe->message = "the group's members are too much for one answer";
        return GROUP_OP_ANSWERED;
    }
    describe->epoch = group->generation;
    describe->assignment_epoch = group->consumer->assignment_epoch;
    describe->assignor = assignor_name(consumer_group_assignor(group));
    describe->members =
        arena_array(&call->arena, group->member_count, sizeof(*describe->members));
    while ((member = group_member_next(group, member)) != NULL)
        copy_member(call, member, &describe->members[describe->count++]);
    return GROUP_OP_ANSWERED;
}

static struct json *member_json(const struct described_member *member)
{
    struct json *value = json_array(), *names = json_array();
    for (size_t i = 0; i < member->name_count; i++)
        json_push(names, json_slice(member->names[i]));
    json_push(value, json_slice(member->member_id));
    json_push(value, json_slice(member->instance_id));
    json_push(value, json_slice(member->rack_id));
    json_push(value, json_int(member->epoch));
    json_push(value, json_slice(member->client_id));
    json_push(value, json_slice(member->host));
    json_push(value, names);
    json_push(value, json_slice(member->regex));
    json_push(value, set_json(&member->assigned));
    json_push(value, set_json(&member->target));
    json_push(value, json_bool(member->is_classic));
    return value;
}

static struct json *describe_print(const struct call *call, const struct group_op *op)
{
    const struct describe_op *describe = op->data;
    struct json *value = json_array(), *members = json_array();
    (void)call;

    json_push(value, json_int(describe->error));
    json_push(value,
              describe->message == NULL ? json_null() : json_string(describe->message));
    json_push(value, json_string(describe->state));
    json_push(value, json_int(describe->epoch));
    json_push(value, json_int(describe->assignment_epoch));
    json_push(value, json_string(describe->assignor));
    for (size_t i = 0; i < describe->count; i++)
        json_push(members, member_json(&describe->members[i]));
    json_push(value, members);
    return value;
}

const struct group_op_kind group_consumer_ops[] = {
    {"consumer", 13, true, true, false, heartbeat_parse, heartbeat_run, NULL,
     heartbeat_settle, heartbeat_print},
    {"describe_consumer", 2, true, false, false, describe_parse, describe_run, NULL, NULL,
     describe_print},
};
const size_t group_consumer_op_count = ARRAY_LEN(group_consumer_ops);
