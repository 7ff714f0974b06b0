/* api_group_classic.c - ops of classic groups: join, sync, their polls, heartbeat, leave.
 *
 * A join or sync that changes something is a command, and after it, or without one, its
 * answer is what the poll says; "wait" makes the agent park the client's request. */
#include "controlplane/api_groups.h"

#include <string.h>

#include "controlplane/group_classic.h"
#include "controlplane/metrics.h"
#include "proto/kafka_error.h"

#define JOIN_KNOWN_ID 1 /* flags of a join */
#define JOIN_MAY_SKIP 2

static const struct group *group_of(struct node *node, const struct call *call,
                                    const struct group_op *op)
{
    return state_group(call_cluster(node, call), op->group);
}

/* Texts of the state go into the call's arena; null stays null. */
static struct slice keep(struct call *call, struct slice text)
{
    return text.ptr == NULL ? SLICE_NULL : arena_dup(&call->arena, text);
}

/* "" when there is no room. */
static struct slice keep_if_room(struct call *call, struct slice text)
{
    uint8_t *copy = arena_try_alloc(&call->arena, text.len + 1);
    if (copy == NULL)
        return SLICE_NULL;
    memcpy(copy, text.ptr, text.len);
    return slice_of(copy, text.len);
}

static struct json *error_only(int16_t error)
{
    struct json *value = json_array();
    json_push(value, json_int(error));
    return value;
}

static struct json *bytes_or_null(struct slice bytes)
{
    return bytes.ptr == NULL ? json_null() : json_base64(bytes);
}

/* --- join and poll_join --- */

struct listed_member {
    struct slice member_id, instance_id, metadata;
};

struct join_op {
    struct command cmd; /* member_id and instance_id are set for a poll too */
    struct call_proposal proposal;
    /* the answer */
    bool wait;
    bool skip_assignment;
    struct group_join_answer join;
    struct slice replaced_id; /* of the static member whose place is taken */
    struct listed_member *members;
    size_t member_count;
};

static void read_protocols(struct call *call, struct json_reader *r,
                           const struct json *list, struct join_op *join)
{
    uint32_t count = (uint32_t)json_count(list);
    struct join_protocol *protocols;

    if (!json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "ops: the protocols of a join are no list");
        return;
    }
    protocols = arena_array(&call->arena, count, sizeof(*protocols));
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        const struct json *item = json_at(r, list, i);
        protocols[i].name =
            json_as_string(r, json_at(r, item, 0), "protocol", GROUP_OP_ID_MAX);
        protocols[i].metadata =
            json_as_base64(r, json_at(r, item, 1), "metadata", &call->arena);
    }
    join->cmd.group_join.protocols = protocols;
    join->cmd.group_join.protocol_count = count;
}

/* What a new member is called: Kafka's form (instance or client id, and a uuid), of the
 * random id that the agent gave, so that a repeat makes no second member. */
static struct slice new_member_id(struct call *call, const struct command *cmd,
                                  const struct uuid *join_id)
{
    struct slice instance_id = cmd->group_join.instance_id;
    char text[UUID_TEXT_LEN + 1];
    struct str name;
    str_init(&name, 2 * COMMAND_GROUP_TEXT_MAX);
    str_append_slice(&name,
                     instance_id.ptr != NULL ? instance_id : cmd->group_join.client_id);
    str_printf(&name, "-%s", uuid_print(join_id, text));
    struct slice id = arena_dup(&call->arena, str_slice(&name));
    str_fini(&name);
    return id;
}

static void join_parse(struct call *call, struct json_reader *r, const struct json *value,
                       struct group_op *op)
{
    struct join_op *join = arena_alloc(&call->arena, sizeof(*join));
    int64_t flags;

    op->data = join;
    join->cmd.kind = COMMAND_GROUP_JOIN;
    join->cmd.cluster_id = call->cluster_id;
    join->cmd.group_join.group_id = op->group;
    join->cmd.group_join.member_id = group_op_text(r, value, 2, "member");
    join->cmd.group_join.instance_id = group_op_text_or_null(r, value, 3, "instance");
    join->cmd.group_join.client_id = group_op_text(r, value, 4, "client_id");
    join->cmd.group_join.client_host = group_op_text(r, value, 5, "client_host");
    join->cmd.group_join.session_ms =
        (int32_t)json_as_int(r, json_at(r, value, 6), "session_ms", INT32_MIN, INT32_MAX);
    join->cmd.group_join.rebalance_ms = (int32_t)json_as_int(
        r, json_at(r, value, 7), "rebalance_ms", INT32_MIN, INT32_MAX);
    join->cmd.group_join.protocol_type = group_op_text(r, value, 8, "protocol_type");
    read_protocols(call, r, json_at(r, value, 9), join);
    flags = json_as_int(r, json_at(r, value, 10), "flags", 0, INT32_MAX);
    join->cmd.group_join.require_known_id = (flags & JOIN_KNOWN_ID) != 0;
    join->cmd.group_join.may_skip_assignment = (flags & JOIN_MAY_SKIP) != 0;
    struct uuid join_id = json_as_uuid(r, json_at(r, value, 11), "join_id");
    if (r->failed || call->err.code != 0)
        return;
    join->cmd.group_join.new_member_id = new_member_id(call, &join->cmd, &join_id);
}

/* What no command can carry is refused before. */
static int16_t join_check(const struct join_op *join)
{
    const struct command *cmd = &join->cmd;
    size_t bytes = 0;

    for (uint32_t i = 0; i < cmd->group_join.protocol_count; i++)
        bytes += cmd->group_join.protocols[i].name.len +
                 cmd->group_join.protocols[i].metadata.len;
    if (cmd->group_join.new_member_id.len > COMMAND_GROUP_TEXT_MAX ||
        cmd->group_join.protocol_count > COMMAND_PROTOCOLS_MAX ||
        bytes > COMMAND_GROUP_BYTES_MAX)
        return KAFKA_INVALID_REQUEST;
    return 0;
}

/* Bytes of the list that the leader gets, about. */
static size_t list_bytes(const struct group *group)
{
    const struct group_member *member = NULL;
    size_t bytes = 0;
    while ((member = group_member_next(group, member)) != NULL)
        bytes += sizeof(struct listed_member) + member->member_id.len +
                 member->instance_id.len +
                 group_member_metadata(member, group->protocol).len;
    return bytes;
}

static void copy_list(struct call *call, const struct group *group, struct join_op *join)
{
    const struct group_member *member = NULL;

    join->members =
        arena_array(&call->arena, group->member_count, sizeof(*join->members));
    while ((member = group_member_next(group, member)) != NULL)
        join->members[join->member_count++] = (struct listed_member){
            .member_id = keep(call, member->member_id),
            .instance_id = keep(call, member->instance_id),
            .metadata = keep(call, group_member_metadata(member, group->protocol)),
        };
}

/* The answer is what a poll says now, whoever asks. */
static void join_answer(struct node *node, struct call *call, struct group_op *op,
                        struct slice member_id, enum group_join_outcome outcome)
{
    const struct group *group = group_of(node, call, op);
    struct join_op *join = op->data;
    struct group_join_answer answer = {.error = 0};

    join->cmd.group_join.member_id = member_id;
    if (!group_classic_poll_join(group, member_id, join->cmd.group_join.instance_id,
                                 &answer)) {
        join->wait = true;
        return;
    }
    bool listed = answer.error == 0 && answer.leads && outcome != GROUP_JOIN_REPLACED_OLD;
    if (!group_op_room(call, op,
                       answer.protocol_type.len + answer.protocol.len +
                           answer.leader.len + (listed ? list_bytes(group) : 0))) {
        join->wait = op->again; /* the poll will have it */
        join->join.error = KAFKA_COORDINATOR_NOT_AVAILABLE;
        return;
    }
    join->join = answer;
    if (answer.error != 0)
        return;
    join->join.protocol_type = keep(call, answer.protocol_type);
    join->join.protocol = keep(call, answer.protocol);
    join->join.leader = outcome == GROUP_JOIN_REPLACED_OLD && answer.leads
                            ? join->replaced_id
                            : keep(call, answer.leader);
    join->skip_assignment = outcome == GROUP_JOIN_REPLACED && answer.leads;
    if (listed)
        copy_list(call, group, join);
}

/* Whether the command would have room: the leader's list is one answer, so a group whose
 * list could not be told does not come to be. */
static void join_limits(const struct call *call, const struct cluster *cluster,
                        struct command *cmd)
{
    const struct control_options *options = call->service->options;
    cmd->group_join.limits = (struct group_limits){
        .members_max = options->group_max_size == 0 ? COMMAND_MEMBERS_MAX
                                                    : (uint32_t)options->group_max_size,
        .groups_max = (uint32_t)options->max_groups,
        .metadata_max = call_limits(call, cluster).metadata_bytes,
        .session_min_ms = (int32_t)options->group_min_session_ms,
        .session_max_ms = (int32_t)options->group_max_session_ms,
    };
}

static enum group_op_step join_run(struct node *node, struct call *call,
                                   struct group_op *op)
{
    const struct group *group = group_of(node, call, op);
    struct join_op *join = op->data;
    struct slice member_id = join->cmd.group_join.member_id;
    int16_t error = join_check(join);

    if (error != 0) {
        join->join.error = error;
        return GROUP_OP_ANSWERED;
    }
    join_limits(call, call_cluster(node, call), &join->cmd);
    const struct group_member *before =
        group_static_member(group, join->cmd.group_join.instance_id);
    if (before != NULL)
        join->replaced_id = keep_if_room(call, before->member_id);
    if (member_id.len > 0)
        group_op_touch(node, call, op->group, member_id);
    if (!op->after_change && !group_classic_join_changes(group, &join->cmd)) {
        join_answer(node, call, op, member_id, GROUP_JOIN_POLL);
        return GROUP_OP_ANSWERED;
    }
    group_op_propose(node, call, &join->proposal, &join->cmd);
    return GROUP_OP_PROPOSED;
}

static void join_settle(struct node *node, struct call *call, struct group_op *op)
{
    struct join_op *join = op->data;
    struct command_result result;

    join->join.error = group_op_result(&join->proposal, &result);
    if (join->join.error == KAFKA_MEMBER_ID_REQUIRED)
        join->cmd.group_join.member_id = result.data;
    if (join->join.error == 0)
        join_answer(node, call, op, result.data, (enum group_join_outcome)result.value);
}

static struct json *members_json(const struct join_op *join)
{
    struct json *members = json_array();
    for (size_t i = 0; i < join->member_count; i++) {
        const struct listed_member *member = &join->members[i];
        struct json *item = json_array();
        json_push(item, json_slice(member->member_id));
        json_push(item, json_slice(member->instance_id));
        json_push(item, bytes_or_null(member->metadata));
        json_push(members, item);
    }
    return members;
}

static struct json *join_print(const struct call *call, const struct group_op *op)
{
    const struct join_op *join = op->data;
    const struct group_join_answer *answer = &join->join;
    struct json *value = json_array();
    (void)call;

    if (join->wait) {
        json_push(value, json_string("wait"));
        json_push(value, json_slice(join->cmd.group_join.member_id));
        return value;
    }
    json_push(value, json_int(answer->error));
    json_push(value, json_int(answer->error == 0 ? answer->generation : -1));
    json_push(value, json_slice(answer->protocol_type));
    json_push(value, json_slice(answer->protocol));
    json_push(value,
              answer->leader.ptr == NULL ? json_string("") : json_slice(answer->leader));
    json_push(value, json_slice(join->cmd.group_join.member_id));
    json_push(value, json_bool(join->skip_assignment));
    json_push(value, members_json(join));
    return value;
}

static void poll_join_parse(struct call *call, struct json_reader *r,
                            const struct json *value, struct group_op *op)
{
    struct join_op *join = arena_alloc(&call->arena, sizeof(*join));
    op->data = join;
    join->cmd.group_join.member_id = group_op_text(r, value, 2, "member");
    join->cmd.group_join.instance_id = group_op_text_or_null(r, value, 3, "instance");
}

static enum group_op_step poll_join_run(struct node *node, struct call *call,
                                        struct group_op *op)
{
    struct join_op *join = op->data;
    join_answer(node, call, op, join->cmd.group_join.member_id, GROUP_JOIN_POLL);
    return GROUP_OP_ANSWERED;
}

/* --- sync and poll_sync --- */

struct sync_op {
    struct command cmd; /* generation, member and instance are set for a poll too */
    struct call_proposal proposal;
    bool wait;
    struct group_sync_answer sync;
};

static void read_assignments(struct call *call, struct json_reader *r,
                             const struct json *list, struct sync_op *sync)
{
    uint32_t count = (uint32_t)json_count(list);
    struct sync_assignment *assignments;

    if (!json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "ops: the assignments of a sync are no list");
        return;
    }
    assignments = arena_array(&call->arena, count, sizeof(*assignments));
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        const struct json *item = json_at(r, list, i);
        assignments[i].member_id =
            json_as_string(r, json_at(r, item, 0), "member", GROUP_OP_ID_MAX);
        assignments[i].assignment =
            json_as_base64(r, json_at(r, item, 1), "assignment", &call->arena);
    }
    sync->cmd.group_sync.assignments = assignments;
    sync->cmd.group_sync.assignment_count = count;
}

static void sync_parse(struct call *call, struct json_reader *r, const struct json *value,
                       struct group_op *op)
{
    struct sync_op *sync = arena_alloc(&call->arena, sizeof(*sync));

    op->data = sync;
    sync->cmd.kind = COMMAND_GROUP_SYNC;
    sync->cmd.cluster_id = call->cluster_id;
    sync->cmd.group_sync.group_id = op->group;
    sync->cmd.group_sync.generation =
        (int32_t)json_as_int(r, json_at(r, value, 2), "generation", INT32_MIN, INT32_MAX);
    sync->cmd.group_sync.member_id = group_op_text(r, value, 3, "member");
    sync->cmd.group_sync.instance_id = group_op_text_or_null(r, value, 4, "instance");
    if (op->kind->fields == 5) /* a poll */
        return;
    sync->cmd.group_sync.protocol_type =
        group_op_text_or_null(r, value, 5, "protocol_type");
    sync->cmd.group_sync.protocol_name = group_op_text_or_null(r, value, 6, "protocol");
    read_assignments(call, r, json_at(r, value, 7), sync);
}

static int16_t sync_check(const struct sync_op *sync)
{
    const struct command *cmd = &sync->cmd;
    size_t bytes = 0;

    for (uint32_t i = 0; i < cmd->group_sync.assignment_count; i++)
        bytes += cmd->group_sync.assignments[i].member_id.len +
                 cmd->group_sync.assignments[i].assignment.len;
    if (cmd->group_sync.assignment_count > COMMAND_MEMBERS_MAX ||
        bytes > COMMAND_GROUP_BYTES_MAX)
        return KAFKA_INVALID_REQUEST;
    return 0;
}

static void sync_answer(struct node *node, struct call *call, struct group_op *op)
{
    struct sync_op *sync = op->data;
    struct group_sync_answer answer = {.error = 0};

    if (!group_classic_poll_sync(
            group_of(node, call, op), sync->cmd.group_sync.generation,
            sync->cmd.group_sync.member_id, sync->cmd.group_sync.instance_id, &answer) ||
        !group_op_room(call, op,
                       answer.assignment.len + answer.protocol_type.len +
                           answer.protocol.len)) {
        sync->wait = true;
        return;
    }
    sync->sync = answer;
    if (answer.error != 0)
        return;
    sync->sync.protocol_type = keep(call, answer.protocol_type);
    sync->sync.protocol = keep(call, answer.protocol);
    sync->sync.assignment = keep(call, answer.assignment);
}

static enum group_op_step sync_run(struct node *node, struct call *call,
                                   struct group_op *op)
{
    const struct group *group = group_of(node, call, op);
    struct sync_op *sync = op->data;

    sync->sync.error = sync_check(sync);
    if (sync->sync.error != 0)
        return GROUP_OP_ANSWERED;
    group_op_touch(node, call, op->group, sync->cmd.group_sync.member_id);
    sync->cmd.group_sync.metadata_max =
        call_limits(call, call_cluster(node, call)).metadata_bytes;
    if (!op->after_change && !group_classic_sync_changes(group, &sync->cmd)) {
        sync_answer(node, call, op);
        return GROUP_OP_ANSWERED;
    }
    group_op_propose(node, call, &sync->proposal, &sync->cmd);
    return GROUP_OP_PROPOSED;
}

static enum group_op_step poll_sync_run(struct node *node, struct call *call,
                                        struct group_op *op)
{
    sync_answer(node, call, op);
    return GROUP_OP_ANSWERED;
}

static void sync_settle(struct node *node, struct call *call, struct group_op *op)
{
    struct sync_op *sync = op->data;
    struct command_result result;

    sync->sync.error = group_op_result(&sync->proposal, &result);
    if (sync->sync.error == 0)
        sync_answer(node, call, op);
}

static struct json *sync_print(const struct call *call, const struct group_op *op)
{
    const struct sync_op *sync = op->data;
    struct json *value = json_array();
    (void)call;

    if (sync->wait) {
        json_push(value, json_string("wait"));
        return value;
    }
    json_push(value, json_int(sync->sync.error));
    json_push(value, json_slice(sync->sync.protocol_type));
    json_push(value, json_slice(sync->sync.protocol));
    json_push(value, json_base64(sync->sync.assignment));
    return value;
}

/* --- heartbeat --- */

struct heartbeat_op {
    int32_t generation;
    struct slice member_id, instance_id;
    int16_t error;
};

static void heartbeat_parse(struct call *call, struct json_reader *r,
                            const struct json *value, struct group_op *op)
{
    struct heartbeat_op *heartbeat = arena_alloc(&call->arena, sizeof(*heartbeat));
    op->data = heartbeat;
    heartbeat->generation =
        (int32_t)json_as_int(r, json_at(r, value, 2), "generation", INT32_MIN, INT32_MAX);
    heartbeat->member_id = group_op_text(r, value, 3, "member");
    heartbeat->instance_id = group_op_text_or_null(r, value, 4, "instance");
}

static enum group_op_step heartbeat_run(struct node *node, struct call *call,
                                        struct group_op *op)
{
    struct heartbeat_op *heartbeat = op->data;
    heartbeat->error =
        group_classic_heartbeat(group_of(node, call, op), heartbeat->generation,
                                heartbeat->member_id, heartbeat->instance_id);
    if (heartbeat->error == 0 || heartbeat->error == KAFKA_REBALANCE_IN_PROGRESS)
        group_op_touch(node, call, op->group, heartbeat->member_id);
    metric_add(control_metric(group_heartbeats_total), 1);
    return GROUP_OP_ANSWERED;
}

static struct json *heartbeat_print(const struct call *call, const struct group_op *op)
{
    const struct heartbeat_op *heartbeat = op->data;
    (void)call;
    return error_only(heartbeat->error);
}

/* --- leave --- */

struct leave_op {
    struct group_leaver *members;
    int16_t *errors;
    uint32_t count;
    int16_t error;
    struct call_proposal proposal;
};

static void leave_parse(struct call *call, struct json_reader *r,
                        const struct json *value, struct group_op *op)
{
    const struct json *list = json_at(r, value, 2);
    struct leave_op *leave = arena_alloc(&call->arena, sizeof(*leave));

    op->data = leave;
    if (!r->failed && !json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "ops: the members of a leave are no list");
        return;
    }
    leave->count = (uint32_t)json_count(list);
    leave->members = arena_array(&call->arena, leave->count, sizeof(*leave->members));
    leave->errors = arena_array(&call->arena, leave->count, sizeof(*leave->errors));
    for (uint32_t i = 0; i < leave->count && !r->failed; i++) {
        const struct json *item = json_at(r, list, i);
        leave->members[i].member_id = group_op_text(r, item, 0, "member");
        leave->members[i].instance_id = group_op_text_or_null(r, item, 1, "instance");
        (void)group_op_text_or_null(r, item, 2, "reason");
    }
}

static enum group_op_step leave_run(struct node *node, struct call *call,
                                    struct group_op *op)
{
    struct leave_op *leave = op->data;

    if (leave->count > COMMAND_MEMBERS_MAX) {
        leave->error = KAFKA_INVALID_REQUEST;
        return GROUP_OP_ANSWERED;
    }
    struct command cmd = {.kind = COMMAND_GROUP_LEAVE,
                          .cluster_id = call->cluster_id,
                          .group_leave = {.group_id = op->group,
                                          .members = leave->members,
                                          .member_count = leave->count}};
    group_op_propose(node, call, &leave->proposal, &cmd);
    return GROUP_OP_PROPOSED;
}

static void leave_settle(struct node *node, struct call *call, struct group_op *op)
{
    struct leave_op *leave = op->data;
    struct command_result result;
    struct reader r;
    (void)node, (void)call;

    leave->error = group_op_result(&leave->proposal, &result);
    if (leave->error != 0)
        return;
    reader_init(&r, result.data);
    for (uint32_t i = 0; i < leave->count; i++)
        leave->errors[i] = reader_i16(&r);
    if (r.failed)
        leave->error = KAFKA_UNKNOWN_SERVER_ERROR;
}

static struct json *leave_print(const struct call *call, const struct group_op *op)
{
    const struct leave_op *leave = op->data;
    struct json *value = error_only(leave->error), *members = json_array();
    (void)call;

    for (uint32_t i = 0; i < leave->count && leave->error == 0; i++) {
        struct json *item = json_array();
        json_push(item, json_slice(leave->members[i].member_id));
        json_push(item, json_slice(leave->members[i].instance_id));
        json_push(item, json_int(leave->errors[i]));
        json_push(members, item);
    }
    json_push(value, members);
    return value;
}

const struct group_op_kind group_classic_ops[] = {
    {"heartbeat", 5, true, false, false, heartbeat_parse, heartbeat_run, NULL, NULL,
     heartbeat_print},
    {"join", 12, true, true, true, join_parse, join_run, NULL, join_settle, join_print},
    {"poll_join", 4, true, false, true, poll_join_parse, poll_join_run, NULL, NULL,
     join_print},
    {"sync", 8, true, true, true, sync_parse, sync_run, NULL, sync_settle, sync_print},
    {"poll_sync", 5, true, false, true, sync_parse, poll_sync_run, NULL, NULL,
     sync_print},
    {"leave", 3, true, true, false, leave_parse, leave_run, NULL, leave_settle,
     leave_print},
};
const size_t group_classic_op_count = ARRAY_LEN(group_classic_ops);
