/* api_consumer_group.c - ConsumerGroupHeartbeat and ConsumerGroupDescribe (KIP-848).
 *
 * The control plane decides. Here: member ids for those of version 0 that have none, made
 * by the agent so that a repeated call is the same member's; topic names of assignments
 * from the metadata view. */
#include "agent/dispatch.h"
#include "agent/group_op.h"
#include "common/base64.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* The client makes its member id from this version on (KIP-1082). */
#define MEMBER_ID_BY_CLIENT 1
#define MEMBER_ID_LEN       22 /* a uuid in base64url */

enum { MEMBER_CONSUMER = 1, MEMBER_CLASSIC = 0 };

/* ---- ConsumerGroupHeartbeat ---- */

static int read_heartbeat(struct group_op *op, struct json_reader *r,
                          const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct consumer_group_heartbeat_response *reply = op->own;
    struct group_topics topics;

    reply->error_code = group_read_error(r, result, 0);
    reply->error_message = group_read_text(r, result, 1, arena);
    if (r->failed || reply->error_code != 0)
        return 0;
    reply->member_id = group_read_text(r, result, 2, arena);
    reply->member_epoch =
        (int32_t)json_as_int(r, json_at(r, result, 3), "epoch", INT32_MIN, INT32_MAX);
    reply->heartbeat_interval_ms =
        (int32_t)json_as_int(r, json_at(r, result, 4), "interval", 0, INT32_MAX);
    group_read_topics(r, result, 5, arena, &topics);
    if (r->failed || topics.null)
        return 0;
    struct consumer_group_heartbeat_response_assignment *assignment =
        group_read_array(r, 1, sizeof(*assignment), arena);
    struct consumer_group_heartbeat_response_topic *rows =
        group_read_array(r, topics.count, sizeof(*rows), arena);
    if (r->failed)
        return 0;
    for (size_t i = 0; i < topics.count; i++) {
        rows[i].topic_id = topics.topics[i].topic_id;
        rows[i].partitions = topics.topics[i].partitions;
        rows[i].partitions_count = topics.topics[i].partition_count;
    }
    assignment->topic_partitions = rows;
    assignment->topic_partitions_count = topics.count;
    reply->assignment = assignment;
    return 0;
}

static int refuse(struct request *req, int16_t error, const char *message)
{
    struct consumer_group_heartbeat_response reply =
        consumer_group_heartbeat_response_defaults;
    reply.error_code = error;
    reply.error_message = slice_str(message);
    return request_reply(req, &reply);
}

static int on_heartbeat(struct request *req)
{
    const struct group_op *op = &((const struct group_ask *)req->own)->ops[0];
    if (op->kafka_error != 0)
        return refuse(req, op->kafka_error, kafka_error_text(op->kafka_error));
    return request_reply(req, op->own);
}

/* As Kafka prints its uuids. */
static struct slice make_member_id(struct request *req)
{
    struct uuid id = uuid_random();
    struct str text;
    char *copy = request_array(req, MEMBER_ID_LEN + 1, 1);

    str_init(&text, 64);
    base64_encode(slice_of(id.bytes, sizeof(id.bytes)), &text);
    for (size_t i = 0; copy != NULL && i < MEMBER_ID_LEN; i++) {
        char c = text.data[i];
        copy[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    str_fini(&text);
    return slice_str(copy);
}

static struct json *heartbeat_json(struct request *req, struct slice member)
{
    const struct consumer_group_heartbeat_request *body = req->body;
    struct json *json = group_op_json("consumer", body->group_id);
    struct json *names = json_null(), *owned = json_null();

    if (body->subscribed_topic_names != NULL) {
        json_free(names);
        names = json_array();
        for (size_t i = 0; i < body->subscribed_topic_names_count; i++)
            json_push(names, json_slice(body->subscribed_topic_names[i]));
    }
    if (body->topic_partitions != NULL) {
        json_free(owned);
        owned = json_array();
        for (size_t i = 0; i < body->topic_partitions_count; i++)
            json_push(owned,
                      group_partitions_json(&body->topic_partitions[i].topic_id,
                                            body->topic_partitions[i].partitions,
                                            body->topic_partitions[i].partitions_count));
    }
    json_push(json, json_slice(member));
    json_push(json, json_int(body->member_epoch));
    json_push(json, json_slice(body->instance_id));
    json_push(json, json_slice(body->rack_id));
    json_push(json, json_slice(request_client_id(req)));
    json_push(json, json_slice(request_client_host(req)));
    json_push(json, json_int(body->rebalance_timeout_ms));
    json_push(json, names);
    json_push(json, json_slice(body->subscribed_topic_regex));
    json_push(json, json_slice(body->server_assignor));
    json_push(json, owned);
    return json;
}

/* The member says only that it is alive. */
static bool changes_nothing(const struct consumer_group_heartbeat_request *body)
{
    return body->member_epoch > 0 && body->subscribed_topic_names == NULL &&
           body->subscribed_topic_regex.ptr == NULL &&
           body->server_assignor.ptr == NULL && body->topic_partitions == NULL;
}

int api_consumer_group_heartbeat(struct request *req)
{
    const struct consumer_group_heartbeat_request *body = req->body;
    struct slice member = body->member_id;

    if (member.len == 0) {
        if (req->header.api_version >= MEMBER_ID_BY_CLIENT || body->member_epoch != 0)
            return refuse(req, KAFKA_INVALID_REQUEST, "MemberId can't be empty.");
        member = make_member_id(req);
        if (member.ptr == NULL)
            return ERR_TOO_LARGE;
    }
    if (body->group_id.len == 0)
        return refuse(req, KAFKA_INVALID_REQUEST, "GroupId can't be empty.");
    struct consumer_group_heartbeat_response *reply =
        request_array(req, 1, sizeof(*reply));
    struct group_ask *ask = group_ask_new(req, 1);
    if (reply == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    *reply = consumer_group_heartbeat_response_defaults;
    int rc = group_ask_set(req, &ask->ops[0], body->group_id, heartbeat_json(req, member),
                           read_heartbeat, reply);
    ask->ops[0].lazy = changes_nothing(body);
    return rc != 0 ? rc : group_ask_send(req, ask, on_heartbeat);
}

/* ---- ConsumerGroupDescribe ---- */

/* Names come later, from the client thread's view. */
static void read_assignment(struct json_reader *r, const struct json *row, size_t i,
                            struct arena *arena,
                            struct consumer_group_describe_response_assignment *out)
{
    struct group_topics topics;

    group_read_topics(r, row, i, arena, &topics);
    struct consumer_group_describe_response_topic *rows =
        group_read_array(r, topics.count, sizeof(*rows), arena);
    if (r->failed)
        return;
    for (size_t k = 0; k < topics.count; k++) {
        rows[k] = consumer_group_describe_response_topic_defaults;
        rows[k].topic_id = topics.topics[k].topic_id;
        rows[k].partitions = topics.topics[k].partitions;
        rows[k].partitions_count = topics.topics[k].partition_count;
    }
    out->topic_partitions = rows;
    out->topic_partitions_count = topics.count;
}

static void read_member(struct json_reader *r, const struct json *row,
                        struct arena *arena,
                        struct consumer_group_describe_response_member *member)
{
    *member = consumer_group_describe_response_member_defaults;
    member->member_id = group_not_null(group_read_text(r, row, 0, arena));
    member->instance_id = group_read_text(r, row, 1, arena);
    member->rack_id = group_read_text(r, row, 2, arena);
    member->member_epoch =
        (int32_t)json_as_int(r, json_at(r, row, 3), "epoch", INT32_MIN, INT32_MAX);
    member->client_id = group_not_null(group_read_text(r, row, 4, arena));
    member->client_host = group_not_null(group_read_text(r, row, 5, arena));
    const struct json *names = json_at(r, row, 6);
    size_t count = json_count(names);
    member->subscribed_topic_names =
        group_read_array(r, count, sizeof(struct slice), arena);
    for (size_t i = 0; i < count && !r->failed; i++)
        member->subscribed_topic_names[i] =
            group_not_null(group_read_text(r, names, i, arena));
    member->subscribed_topic_names_count = r->failed ? 0 : count;
    member->subscribed_topic_regex = group_read_text(r, row, 7, arena);
    read_assignment(r, row, 8, arena, &member->assignment);
    read_assignment(r, row, 9, arena, &member->target_assignment);
    member->member_type = json_as_bool(r, json_at(r, row, 10), "is classic")
                              ? MEMBER_CLASSIC
                              : MEMBER_CONSUMER;
}

static int read_described(struct group_op *op, struct json_reader *r,
                          const struct json *result)
{
    struct arena *arena = op->ask->ask.arena;
    struct consumer_group_describe_response_group *group = op->own;

    group->error_code = group_read_error(r, result, 0);
    group->error_message = group_read_text(r, result, 1, arena);
    if (r->failed || group->error_code != 0)
        return 0;
    group->group_state = group_not_null(group_read_text(r, result, 2, arena));
    group->group_epoch =
        (int32_t)json_as_int(r, json_at(r, result, 3), "epoch", 0, INT32_MAX);
    group->assignment_epoch =
        (int32_t)json_as_int(r, json_at(r, result, 4), "epoch", 0, INT32_MAX);
    group->assignor_name = group_not_null(group_read_text(r, result, 5, arena));
    const struct json *members = json_at(r, result, 6);
    size_t count = json_count(members);
    group->members = group_read_array(r, count, sizeof(group->members[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++)
        read_member(r, json_at(r, members, i), arena, &group->members[i]);
    group->members_count = r->failed ? 0 : count;
    return 0;
}

/* What is not in the view any more is left out, as Kafka does. */
static void name_topics(const struct meta_view *view,
                        struct consumer_group_describe_response_assignment *assignment)
{
    size_t kept = 0;
    for (size_t i = 0; i < assignment->topic_partitions_count; i++) {
        struct consumer_group_describe_response_topic row =
            assignment->topic_partitions[i];
        const struct meta_topic *topic = meta_topic_by_id(view, &row.topic_id);
        if (topic == NULL)
            continue;
        row.topic_name = topic->name;
        assignment->topic_partitions[kept++] = row;
    }
    assignment->topic_partitions_count = kept;
}

static int on_described(struct request *req)
{
    const struct consumer_group_describe_request *body = req->body;
    const struct group_ask *ask = req->own;
    struct consumer_group_describe_response reply =
        consumer_group_describe_response_defaults;
    const struct meta_view *view = request_view(req);

    reply.groups = request_array(req, ask->op_count, sizeof(reply.groups[0]));
    if (reply.groups == NULL && ask->op_count > 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ask->op_count; i++) {
        struct consumer_group_describe_response_group *group = &reply.groups[i];
        *group = *(struct consumer_group_describe_response_group *)ask->ops[i].own;
        if (ask->ops[i].kafka_error != 0) {
            group->error_code = ask->ops[i].kafka_error;
            group->error_message = slice_str(kafka_error_text(group->error_code));
        }
        for (size_t k = 0; k < group->members_count; k++) {
            name_topics(view, &group->members[k].assignment);
            name_topics(view, &group->members[k].target_assignment);
        }
        if (body->include_authorized_operations && group->error_code == 0)
            group->authorized_operations = GROUP_OPERATIONS;
    }
    reply.groups_count = ask->op_count;
    return request_reply(req, &reply);
}

int api_consumer_group_describe(struct request *req)
{
    const struct consumer_group_describe_request *body = req->body;
    size_t count = body->group_ids_count;
    struct group_ask *ask = group_ask_new(req, count);
    struct consumer_group_describe_response_group *groups =
        request_array(req, MAX(count, (size_t)1), sizeof(*groups));

    if (ask == NULL || groups == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        groups[i] = consumer_group_describe_response_group_defaults;
        groups[i].group_id = body->group_ids[i];
        int rc = group_ask_set(req, &ask->ops[i], body->group_ids[i],
                               group_op_json("describe_consumer", body->group_ids[i]),
                               read_described, &groups[i]);
        if (rc != 0)
            return rc;
        if (body->group_ids[i].len == 0)
            ask->ops[i].kafka_error = KAFKA_INVALID_GROUP_ID;
    }
    return group_ask_send(req, ask, on_described);
}
