/* api_join_group.c - JoinGroup, SyncGroup, Heartbeat, LeaveGroup: members of classic
 * groups.
 *
 * The control plane decides (groups.h); what is here is what the versions say. A join or
 * a sync may be parked for as long as the group's rebalance timeout: that is on a
 * connection of its own, and holds no thread. */
#include <string.h>

#include "agent/dispatch.h"
#include "agent/group_op.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* Versions from which on ... */
#define JOIN_REBALANCE_TIMEOUT 1
#define JOIN_KNOWN_MEMBER      4 /* KIP-394 */
#define JOIN_NULL_PROTOCOL     7
#define JOIN_SKIP_ASSIGNMENT   9 /* KIP-814 */
#define SYNC_PROTOCOL          5
#define LEAVE_BATCH            3

enum { FLAG_KNOWN_MEMBER = 1, FLAG_SKIP_ASSIGNMENT = 2 };

/* The op's own failure, or what RESULT's first element said. */
static int16_t error_of(const struct group_op *op, int16_t error)
{
    return op->kafka_error != 0 ? op->kafka_error : error;
}

/* ---- JoinGroup ---- */

static int read_join(struct group_op *op, struct json_reader *r,
                     const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct join_group_response *reply = op->own;

    reply->error_code = group_read_error(r, result, 0);
    reply->generation_id =
        (int32_t)json_as_int(r, json_at(r, result, 1), "generation", -1, INT32_MAX);
    reply->protocol_type = group_read_text(r, result, 2, arena);
    reply->protocol_name = group_read_text(r, result, 3, arena);
    reply->leader = group_not_null(group_read_text(r, result, 4, arena));
    reply->member_id = group_not_null(group_read_text(r, result, 5, arena));
    reply->skip_assignment = json_as_bool(r, json_at(r, result, 6), "skip");
    const struct json *members = json_at(r, result, 7);
    size_t count = json_count(members);
    reply->members = group_read_array(r, count, sizeof(reply->members[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *row = json_at(r, members, i);
        reply->members[i] = join_group_response_member_defaults;
        reply->members[i].member_id = group_not_null(group_read_text(r, row, 0, arena));
        reply->members[i].group_instance_id = group_read_text(r, row, 1, arena);
        reply->members[i].metadata = group_not_null(group_read_bytes(r, row, 2, arena));
    }
    reply->members_count = r->failed ? 0 : count;
    return 0;
}

static int reply_join(struct request *req, struct join_group_response *reply)
{
    if (req->header.api_version < JOIN_NULL_PROTOCOL)
        reply->protocol_name = group_not_null(reply->protocol_name);
    return request_reply(req, reply);
}

static int refuse_join(struct request *req, int16_t error)
{
    const struct join_group_request *body = req->body;
    struct join_group_response reply = join_group_response_defaults;

    reply.error_code = error;
    reply.member_id = body->member_id;
    reply.protocol_name = SLICE_NULL;
    return reply_join(req, &reply);
}

static int on_join(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    if (op->kafka_error != 0)
        return refuse_join(req, op->kafka_error);
    return reply_join(req, op->own);
}

static struct json *join_json(struct request *req)
{
    const struct join_group_request *body = req->body;
    int16_t version = req->header.api_version;
    struct json *json = group_op_json("join", body->group_id);
    struct json *protocols = json_array();
    int flags = 0;

    for (size_t i = 0; i < body->protocols_count; i++) {
        struct json *protocol = json_array();
        json_push(protocol, json_slice(group_not_null(body->protocols[i].name)));
        json_push(protocol, json_base64(body->protocols[i].metadata));
        json_push(protocols, protocol);
    }
    if (version >= JOIN_KNOWN_MEMBER && body->group_instance_id.ptr == NULL)
        flags |= FLAG_KNOWN_MEMBER;
    if (version >= JOIN_SKIP_ASSIGNMENT)
        flags |= FLAG_SKIP_ASSIGNMENT;
    struct uuid join_id = uuid_random();
    json_push(json, json_slice(body->member_id));
    json_push(json, json_slice(body->group_instance_id));
    json_push(json, json_slice(request_client_id(req)));
    json_push(json, json_slice(request_client_host(req)));
    json_push(json, json_int(body->session_timeout_ms));
    json_push(json,
              json_int(version < JOIN_REBALANCE_TIMEOUT ? body->session_timeout_ms
                                                        : body->rebalance_timeout_ms));
    json_push(json, json_slice(group_not_null(body->protocol_type)));
    json_push(json, protocols);
    json_push(json, json_int(flags));
    json_push(json, json_uuid(&join_id));
    return json;
}

int api_join_group(struct request *req)
{
    const struct join_group_request *body = req->body;

    if (body->group_id.len == 0)
        return refuse_join(req, KAFKA_INVALID_GROUP_ID);
    struct join_group_response *reply = request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);
    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = join_group_response_defaults;
    struct group_op *op = &ask->ops[0];
    int rc = group_ask_set(req, op, body->group_id, join_json(req), read_join, reply);
    if (rc != 0)
        return rc;
    op->kind = GROUP_OP_JOIN;
    op->instance = body->group_instance_id;
    op->nameless = body->member_id.len == 0 && body->group_instance_id.ptr == NULL;
    return group_ask_send(req, ask, on_join);
}

/* ---- SyncGroup ---- */

static int read_sync(struct group_op *op, struct json_reader *r,
                     const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct sync_group_response *reply = op->own;

    reply->error_code = group_read_error(r, result, 0);
    reply->protocol_type = group_read_text(r, result, 1, arena);
    reply->protocol_name = group_read_text(r, result, 2, arena);
    reply->assignment = group_not_null(group_read_bytes(r, result, 3, arena));
    return 0;
}

static int refuse_sync(struct request *req, int16_t error)
{
    struct sync_group_response reply = sync_group_response_defaults;
    reply.error_code = error;
    return request_reply(req, &reply);
}

static int on_sync(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    if (op->kafka_error != 0)
        return refuse_sync(req, op->kafka_error);
    return request_reply(req, op->own);
}

static struct json *sync_json(const struct sync_group_request *body)
{
    struct json *json = group_op_json("sync", body->group_id);
    struct json *assignments = json_array();

    for (size_t i = 0; i < body->assignments_count; i++) {
        struct json *assignment = json_array();
        json_push(assignment, json_slice(body->assignments[i].member_id));
        json_push(assignment, json_base64(body->assignments[i].assignment));
        json_push(assignments, assignment);
    }
    json_push(json, json_int(body->generation_id));
    json_push(json, json_slice(body->member_id));
    json_push(json, json_slice(body->group_instance_id));
    json_push(json, json_slice(body->protocol_type));
    json_push(json, json_slice(body->protocol_name));
    json_push(json, assignments);
    return json;
}

int api_sync_group(struct request *req)
{
    const struct sync_group_request *body = req->body;

    if (body->group_id.len == 0)
        return refuse_sync(req, KAFKA_INVALID_GROUP_ID);
    if (req->header.api_version >= SYNC_PROTOCOL &&
        (body->protocol_type.ptr == NULL || body->protocol_name.ptr == NULL))
        return refuse_sync(req, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    struct sync_group_response *reply = request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);
    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = sync_group_response_defaults;
    struct group_op *op = &ask->ops[0];
    int rc = group_ask_set(req, op, body->group_id, sync_json(body), read_sync, reply);
    if (rc != 0)
        return rc;
    op->kind = GROUP_OP_SYNC;
    op->generation = body->generation_id;
    op->member = body->member_id;
    op->instance = body->group_instance_id;
    return group_ask_send(req, ask, on_sync);
}

/* ---- Heartbeat ---- */

static int read_heartbeat(struct group_op *op, struct json_reader *r,
                          const struct json *result)
{
    struct heartbeat_response *reply = op->own;
    reply->error_code = group_read_error(r, result, 0);
    return 0;
}

static int on_heartbeat(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    struct heartbeat_response *reply = op->own;
    reply->error_code = error_of(op, reply->error_code);
    return request_reply(req, reply);
}

int api_heartbeat(struct request *req)
{
    const struct heartbeat_request *body = req->body;
    struct heartbeat_response *reply = request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);

    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = heartbeat_response_defaults;
    if (body->group_id.len == 0) {
        reply->error_code = KAFKA_INVALID_GROUP_ID;
        return request_reply(req, reply);
    }
    struct json *json = group_op_json("heartbeat", body->group_id);
    json_push(json, json_int(body->generation_id));
    json_push(json, json_slice(body->member_id));
    json_push(json, json_slice(body->group_instance_id));
    int rc =
        group_ask_set(req, &ask->ops[0], body->group_id, json, read_heartbeat, reply);
    ask->ops[0].lazy = true;
    return rc != 0 ? rc : group_ask_send(req, ask, on_heartbeat);
}

/* ---- LeaveGroup ---- */

static int read_leave(struct group_op *op, struct json_reader *r,
                      const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct leave_group_response *reply = op->own;

    reply->error_code = group_read_error(r, result, 0);
    const struct json *members = json_at(r, result, 1);
    size_t count = json_count(members);
    reply->members = group_read_array(r, count, sizeof(reply->members[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *row = json_at(r, members, i);
        reply->members[i] = leave_group_response_member_defaults;
        reply->members[i].member_id = group_not_null(group_read_text(r, row, 0, arena));
        reply->members[i].group_instance_id = group_read_text(r, row, 1, arena);
        reply->members[i].error_code = group_read_error(r, row, 2);
    }
    reply->members_count = r->failed ? 0 : count;
    return 0;
}

static int on_leave(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    struct leave_group_response *reply = op->own;

    reply->error_code = error_of(op, reply->error_code);
    if (req->header.api_version < LEAVE_BATCH) {
        if (reply->error_code == 0 && reply->members_count > 0)
            reply->error_code = reply->members[0].error_code;
        reply->members_count = 0;
    }
    return request_reply(req, reply);
}

static void push_leaver(struct json *members, struct slice member, struct slice instance,
                        struct slice reason)
{
    struct json *row = json_array();
    json_push(row, json_slice(group_not_null(member)));
    json_push(row, json_slice(instance));
    json_push(row, json_slice(reason));
    json_push(members, row);
}

int api_leave_group(struct request *req)
{
    const struct leave_group_request *body = req->body;
    struct leave_group_response *reply = request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);

    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = leave_group_response_defaults;
    if (body->group_id.len == 0) {
        reply->error_code = KAFKA_INVALID_GROUP_ID;
        return request_reply(req, reply);
    }
    struct json *json = group_op_json("leave", body->group_id);
    struct json *members = json_array();
    if (req->header.api_version < LEAVE_BATCH)
        push_leaver(members, body->member_id, SLICE_NULL, SLICE_NULL);
    for (size_t i = 0; i < body->members_count; i++)
        push_leaver(members, body->members[i].member_id,
                    body->members[i].group_instance_id, body->members[i].reason);
    json_push(json, members);
    int rc = group_ask_set(req, &ask->ops[0], body->group_id, json, read_leave, reply);
    return rc != 0 ? rc : group_ask_send(req, ask, on_leave);
}
