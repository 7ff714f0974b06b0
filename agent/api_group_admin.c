/* api_group_admin.c - DescribeGroups, ListGroups, DeleteGroups.
 *
 * Tools ask every broker that Metadata shows them for its groups, and put the answers
 * together. Any agent knows all groups, so each tells of those that FindCoordinator
 * steers to it among the agents which this client is shown: together they tell of each
 * group once. An agent that clients are not shown (it drains, or is of another zone) has
 * none to tell of. */
#include "agent/dispatch.h"
#include "agent/group_op.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* From this version on an unknown group is an error and not a dead one (KIP-1043). */
#define DESCRIBE_NOT_FOUND 6
/* Words of a filter: more than there are states. */
#define FILTER_MAX 64

/* ---- DescribeGroups ---- */

static void read_member(struct json_reader *r, const struct json *row,
                        struct arena *arena,
                        struct describe_groups_response_member *member)
{
    *member = describe_groups_response_member_defaults;
    member->member_id = group_not_null(group_read_text(r, row, 0, arena));
    member->group_instance_id = group_read_text(r, row, 1, arena);
    member->client_id = group_not_null(group_read_text(r, row, 2, arena));
    member->client_host = group_not_null(group_read_text(r, row, 3, arena));
    member->member_metadata = group_not_null(group_read_bytes(r, row, 4, arena));
    member->member_assignment = group_not_null(group_read_bytes(r, row, 5, arena));
}

static int read_described(struct group_op *op, struct json_reader *r,
                          const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct describe_groups_response_group *group = op->own;

    group->error_code = group_read_error(r, result, 0);
    group->error_message = group_read_text(r, result, 1, arena);
    struct slice kind = group_read_text(r, result, 2, arena);
    if (r->failed || group->error_code != 0)
        return 0;
    if (slice_eq_str(kind, "consumer")) { /* ConsumerGroupDescribe's */
        group->error_code = KAFKA_GROUP_ID_NOT_FOUND;
        group->error_message =
            group_message(arena, "Group ", op->group, " is not a classic group.");
        return 0;
    }
    group->group_state = group_not_null(group_read_text(r, result, 3, arena));
    group->protocol_type = group_not_null(group_read_text(r, result, 4, arena));
    group->protocol_data = group_not_null(group_read_text(r, result, 5, arena));
    const struct json *members = json_at(r, result, 6);
    size_t count = json_count(members);
    group->members = group_read_array(r, count, sizeof(group->members[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++)
        read_member(r, json_at(r, members, i), arena, &group->members[i]);
    group->members_count = r->failed ? 0 : count;
    return 0;
}

static void set_error(struct describe_groups_response_group *group, int16_t error)
{
    group->error_code = error;
    group->error_message = slice_str(kafka_error_text(error));
}

/* There is no such classic group. */
static void set_dead(struct describe_groups_response_group *group, int16_t version,
                     struct arena *arena)
{
    group->group_state = slice_str("Dead");
    if (version < DESCRIBE_NOT_FOUND)
        group->error_code = 0;
    else if (group->error_message.ptr == NULL)
        group->error_message =
            group_message(arena, "Group ", group->group_id, " not found.");
}

static int on_described(struct request *req)
{
    const struct describe_groups_request *body = req->body;
    const struct group_ask *ask = req->own;
    struct describe_groups_response reply = describe_groups_response_defaults;
    int16_t version = req->header.api_version;

    reply.groups = request_array(req, ask->op_count, sizeof(reply.groups[0]));
    if (reply.groups == NULL && ask->op_count > 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ask->op_count; i++) {
        struct describe_groups_response_group *group = &reply.groups[i];
        *group = *(struct describe_groups_response_group *)ask->ops[i].own;
        if (ask->ops[i].kafka_error != 0)
            set_error(group, ask->ops[i].kafka_error);
        else if (group->error_code == KAFKA_GROUP_ID_NOT_FOUND)
            set_dead(group, version, &req->arena);
        if (body->include_authorized_operations && group->error_code == 0)
            group->authorized_operations = GROUP_OPERATIONS;
    }
    reply.groups_count = ask->op_count;
    return request_reply(req, &reply);
}

int api_describe_groups(struct request *req)
{
    const struct describe_groups_request *body = req->body;
    struct group_ask *ask = group_ask_new(req, body->groups_count);
    struct describe_groups_response_group *groups =
        request_array(req, MAX(body->groups_count, (size_t)1), sizeof(*groups));

    if (ask == NULL || groups == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->groups_count; i++) {
        groups[i] = describe_groups_response_group_defaults;
        groups[i].group_id = body->groups[i];
        int rc = group_ask_set(req, &ask->ops[i], body->groups[i],
                               group_op_json("describe", body->groups[i]), read_described,
                               &groups[i]);
        if (rc != 0)
            return rc;
    }
    return group_ask_send(req, ask, on_described);
}

/* ---- ListGroups ---- */

static int read_list(struct group_op *op, struct json_reader *r,
                     const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct list_groups_response *reply = op->own;

    reply->error_code = group_read_error(r, result, 0);
    const struct json *groups = json_at(r, result, 1);
    size_t count = json_count(groups);
    reply->groups = group_read_array(r, count, sizeof(reply->groups[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *row = json_at(r, groups, i);
        struct list_groups_response_group *group = &reply->groups[i];
        *group = list_groups_response_group_defaults;
        group->group_id = group_not_null(group_read_text(r, row, 0, arena));
        group->protocol_type = group_not_null(group_read_text(r, row, 1, arena));
        group->group_state = group_not_null(group_read_text(r, row, 2, arena));
        group->group_type = group_not_null(group_read_text(r, row, 3, arena));
    }
    reply->groups_count = r->failed ? 0 : count;
    return 0;
}

/* Leave those that another agent tells of. */
static int keep_own(struct request *req, struct list_groups_response *reply)
{
    const struct meta_view *view = request_view(req);
    struct steering steering;
    size_t kept = 0;

    if (steering_init(&steering, view, request_zone(req), &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < reply->groups_count; i++) {
        const struct meta_agent *agent =
            steering_coordinator(&steering, reply->groups[i].group_id);
        if (agent != NULL && agent->node_id == view->self_node_id)
            reply->groups[kept++] = reply->groups[i];
    }
    reply->groups_count = kept;
    return 0;
}

static int on_list(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    struct list_groups_response *reply = op->own;

    if (op->kafka_error != 0)
        reply->error_code = op->kafka_error;
    int rc = keep_own(req, reply);
    return rc != 0 ? rc : request_reply(req, reply);
}

/* None means all. */
static struct json *filter_json(const struct slice *names, size_t count)
{
    struct json *filter = count == 0 ? json_null() : json_array();
    for (size_t i = 0; i < count; i++)
        json_push(filter, json_slice(names[i]));
    return filter;
}

int api_list_groups(struct request *req)
{
    const struct list_groups_request *body = req->body;
    struct list_groups_response *reply = request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);

    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = list_groups_response_defaults;
    if (body->states_filter_count > FILTER_MAX || body->types_filter_count > FILTER_MAX) {
        reply->error_code = KAFKA_INVALID_REQUEST;
        return request_reply(req, reply);
    }
    struct json *json = json_array();
    json_push(json, json_string("list"));
    json_push(json, filter_json(body->states_filter, body->states_filter_count));
    json_push(json, filter_json(body->types_filter, body->types_filter_count));
    int rc = group_ask_set(req, &ask->ops[0], slice_str(""), json, read_list, reply);
    if (rc != 0)
        return rc;
    ask->ops[0].moved_error = KAFKA_COORDINATOR_NOT_AVAILABLE; /* asks again here */
    return group_ask_send(req, ask, on_list);
}

/* ---- DeleteGroups ---- */

static int read_deleted(struct group_op *op, struct json_reader *r,
                        const struct json *result)
{
    struct delete_groups_response_result *out = op->own;
    out->error_code = group_read_error(r, result, 0);
    return 0;
}

static int on_deleted(struct request *req)
{
    const struct group_ask *ask = req->own;
    struct delete_groups_response reply = delete_groups_response_defaults;

    reply.results = request_array(req, ask->op_count, sizeof(reply.results[0]));
    if (reply.results == NULL && ask->op_count > 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ask->op_count; i++) {
        reply.results[i] = *(struct delete_groups_response_result *)ask->ops[i].own;
        if (ask->ops[i].kafka_error != 0)
            reply.results[i].error_code = ask->ops[i].kafka_error;
    }
    reply.results_count = ask->op_count;
    return request_reply(req, &reply);
}

int api_delete_groups(struct request *req)
{
    const struct delete_groups_request *body = req->body;
    size_t count = body->groups_names_count;
    struct group_ask *ask = group_ask_new(req, count);
    struct delete_groups_response_result *results =
        request_array(req, MAX(count, (size_t)1), sizeof(*results));

    if (ask == NULL || results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        results[i] = delete_groups_response_result_defaults;
        results[i].group_id = body->groups_names[i];
        int rc = group_ask_set(req, &ask->ops[i], body->groups_names[i],
                               group_op_json("delete", body->groups_names[i]),
                               read_deleted, &results[i]);
        if (rc != 0)
            return rc;
    }
    return group_ask_send(req, ask, on_deleted);
}
