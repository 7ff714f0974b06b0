/* api_group_offsets.c - OffsetCommit, OffsetFetch, OffsetDelete.
 *
 * What a group has committed is the control plane's to know and to judge; here names
 * become ids and the answer takes the shape of its version. A topic that this agent has
 * not heard of is asked after once before it is unknown: whoever takes an offset that is
 * there for one that is not begins to read at the wrong place. */
#include <string.h>

#include "agent/dispatch.h"
#include "agent/group_op.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* offset.metadata.max.bytes, as Kafka counts it: in units of UTF-16. */
#define METADATA_MAX 4096

#define COMMIT_KNOWS_EPOCHS 9
#define COMMIT_BY_ID        10
#define FETCH_TOP_ERROR     2
#define FETCH_GROUPS        8
#define FETCH_BY_ID         10

/* The topic by ID, when the request is of a version that has ids, or else by NAME. */
static const struct meta_topic *find_topic(struct request *req, bool by_id,
                                           struct slice name, const struct uuid *id)
{
    return by_id ? meta_topic_by_id(request_view(req), id)
                 : meta_topic_by_name(request_view(req), name);
}

/* What a topic that nobody knows is answered with; when nobody could be asked, something
 * that makes the client come again. */
static int16_t unknown_topic(const struct request *req, bool by_id)
{
    if (req->refresh_failed)
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    return by_id ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}

/* The topic was deleted while the control plane was asked. */
static int16_t by_version(int16_t error, bool by_id)
{
    return error == KAFKA_UNKNOWN_TOPIC_ID && !by_id ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                                     : error;
}

static size_t utf16_length(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += (text.ptr[i] & 0xc0) == 0x80 ? 0 : text.ptr[i] >= 0xf0 ? 2 : 1;
    return n;
}

/* ---- [error, [[error...]...]]: of commit and delete ---- */

struct errors {
    int16_t error; /* of all */
    int16_t *each; /* in the order in which they were sent */
    size_t sent;
};

/* An empty list stands for: none. */
static int read_errors(struct group_op *op, struct json_reader *r,
                       const struct json *result)
{
    struct errors *errors = op->own;
    size_t n = 0;

    errors->error = group_read_error(r, result, 0);
    const struct json *lists = json_at(r, result, 1);
    if (r->failed || errors->error != 0 || json_count(lists) == 0)
        return 0;
    for (size_t i = 0; i < json_count(lists) && !r->failed; i++) {
        const struct json *list = json_at(r, lists, i);
        for (size_t j = 0; j < json_count(list) && !r->failed; j++, n++) {
            if (n == errors->sent)
                r->failed = true;
            else
                errors->each[n] = group_read_error(r, list, j);
        }
    }
    if (n != errors->sent)
        r->failed = true;
    return 0;
}

/* The ops that a request made, of which req->own knows. */
static const struct group_op *asked_op(const struct request *req, size_t i)
{
    return &((const struct group_ask *)req->own)->ops[i];
}

static int16_t top_error(const struct group_op *op, const struct errors *errors)
{
    return op->kafka_error != 0 ? op->kafka_error : errors->error;
}

/* ---- OffsetCommit ---- */

struct commit {
    struct errors errors;
    int16_t *preset; /* of each partition of the request; 0: it was sent */
};

static bool commit_by_id(const struct request *req)
{
    return req->header.api_version >= COMMIT_BY_ID;
}

static const struct meta_topic *commit_topic(struct request *req, size_t i)
{
    const struct offset_commit_request *body = req->body;
    return find_topic(req, commit_by_id(req), body->topics[i].name,
                      &body->topics[i].topic_id);
}

static bool commit_any_unknown(struct request *req)
{
    const struct offset_commit_request *body = req->body;
    for (size_t i = 0; i < body->topics_count; i++) {
        if (commit_topic(req, i) == NULL)
            return true;
    }
    return false;
}

/* The error of partition I by position: what is unknown stays so; then the whole's. */
static int16_t commit_error(const struct request *req, const struct commit *commit,
                            const struct group_op *op, size_t at, size_t *sent)
{
    int16_t preset = commit->preset[at];
    int16_t of_all = op == NULL ? 0 : top_error(op, &commit->errors);

    if (preset != 0 && (preset != KAFKA_OFFSET_METADATA_TOO_LARGE || of_all == 0))
        return preset;
    if (of_all != 0)
        return of_all;
    return by_version(commit->errors.each[(*sent)++], commit_by_id(req));
}

static int commit_reply(struct request *req, const struct commit *commit,
                        const struct group_op *op)
{
    const struct offset_commit_request *body = req->body;
    struct offset_commit_response reply = offset_commit_response_defaults;
    size_t at = 0, sent = 0;

    reply.topics_count = body->topics_count;
    reply.topics = request_array(req, reply.topics_count, sizeof(*reply.topics));
    if (reply.topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct offset_commit_request_topic *asked = &body->topics[i];
        struct offset_commit_response_topic *topic = &reply.topics[i];
        *topic = offset_commit_response_topic_defaults;
        topic->name = asked->name;
        topic->topic_id = asked->topic_id;
        topic->partitions_count = asked->partitions_count;
        topic->partitions =
            request_array(req, asked->partitions_count, sizeof(*topic->partitions));
        if (topic->partitions == NULL)
            return ERR_TOO_LARGE;
        for (size_t j = 0; j < asked->partitions_count; j++) {
            topic->partitions[j].partition_index = asked->partitions[j].partition_index;
            topic->partitions[j].error_code = commit_error(req, commit, op, at++, &sent);
        }
    }
    return request_reply(req, &reply);
}

static int on_committed(struct request *req)
{
    const struct group_op *op = asked_op(req, 0);
    return commit_reply(req, op->own, op);
}

static struct json *commit_partition(const struct offset_commit_request_partition *part)
{
    struct json *row = json_array();
    json_push(row, json_int(part->partition_index));
    json_push(row, json_int(part->committed_offset));
    json_push(row, json_int(part->committed_leader_epoch));
    json_push(row, json_slice(part->committed_metadata));
    return row;
}

static int16_t judge_partition(const struct request *req, const struct meta_topic *topic,
                               const struct offset_commit_request_partition *part)
{
    if (topic == NULL)
        return unknown_topic(req, commit_by_id(req));
    if (part->partition_index < 0 || part->partition_index >= topic->partitions)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return utf16_length(part->committed_metadata) > METADATA_MAX
               ? KAFKA_OFFSET_METADATA_TOO_LARGE
               : 0;
}

/* Topics as the op has them. *ANY: a partition that is known, so that the group is to be
 * asked, though what it said be too long. */
static struct json *commit_topics(struct request *req, struct commit *commit, bool *any)
{
    const struct offset_commit_request *body = req->body;
    struct json *topics = json_array();
    size_t at = 0;

    for (size_t i = 0; i < body->topics_count; i++) {
        const struct offset_commit_request_topic *asked = &body->topics[i];
        const struct meta_topic *topic = commit_topic(req, i);
        struct json *parts = json_array();
        for (size_t j = 0; j < asked->partitions_count; j++, at++) {
            int16_t error = judge_partition(req, topic, &asked->partitions[j]);
            commit->preset[at] = error;
            *any |= error == 0 || error == KAFKA_OFFSET_METADATA_TOO_LARGE;
            if (error == 0)
                json_push(parts, commit_partition(&asked->partitions[j]));
        }
        if (json_count(parts) == 0) {
            json_free(parts);
            continue;
        }
        commit->errors.sent += json_count(parts);
        struct json *row = json_array();
        json_push(row, json_uuid(&topic->id));
        json_push(row, parts);
        json_push(topics, row);
    }
    return topics;
}

int api_offset_commit(struct request *req)
{
    const struct offset_commit_request *body = req->body;
    struct group_ask *ask = group_ask_new(req, 1);
    struct commit *commit = request_array(req, 1, sizeof(*commit));
    bool any = false;
    size_t n = 0;

    if (!req->refreshed && commit_any_unknown(req))
        return request_refresh(req);
    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partitions_count;
    if (ask == NULL || commit == NULL)
        return ERR_TOO_LARGE;
    commit->preset = request_array(req, n, sizeof(*commit->preset));
    commit->errors.each = request_array(req, n, sizeof(*commit->errors.each));
    if (commit->preset == NULL || commit->errors.each == NULL)
        return ERR_TOO_LARGE;
    struct json *topics = commit_topics(req, commit, &any);
    if (!any) { /* the group is not asked, as in Kafka */
        json_free(topics);
        return commit_reply(req, commit, NULL);
    }
    struct json *op = group_op_json("commit", body->group_id);
    json_push(op, json_int(body->generation_id_or_member_epoch));
    json_push(op, json_slice(body->member_id));
    json_push(op, json_slice(body->group_instance_id));
    json_push(op, topics);
    json_push(op, json_int(req->header.api_version >= COMMIT_KNOWS_EPOCHS));
    int rc = group_ask_set(req, &ask->ops[0], body->group_id, op, read_errors, commit);
    return rc != 0 ? rc : group_ask_send(req, ask, on_committed);
}

/* ---- OffsetFetch ---- */

struct fetched_offset {
    int32_t partition;
    int32_t leader_epoch;
    int64_t offset;
    struct slice metadata;
};

struct fetched_topic {
    struct uuid id;
    struct fetched_offset *offsets;
    size_t count;
};

/* One group of the request, in the form of all versions, and what came of it. */
struct fetched {
    struct slice group_id, member_id;
    int32_t member_epoch;
    bool all;
    struct offset_fetch_request_group_topic *asked; /* unless all */
    size_t asked_count;
    /* the result */
    int16_t error;
    struct fetched_topic *topics;
    size_t count;
};

static bool fetch_by_id(const struct request *req)
{
    return req->header.api_version >= FETCH_BY_ID;
}

static const struct meta_topic *fetch_topic(
    struct request *req, const struct offset_fetch_request_group_topic *asked)
{
    return find_topic(req, fetch_by_id(req), asked->name, &asked->topic_id);
}

static void read_offset(struct json_reader *r, const struct json *row,
                        struct arena *arena, struct fetched_offset *offset)
{
    offset->partition =
        (int32_t)json_as_int(r, json_at(r, row, 0), "partition", 0, INT32_MAX);
    offset->offset = json_as_int(r, json_at(r, row, 1), "offset", INT64_MIN, INT64_MAX);
    offset->leader_epoch =
        (int32_t)json_as_int(r, json_at(r, row, 2), "epoch", INT32_MIN, INT32_MAX);
    offset->metadata = group_read_text(r, row, 3, arena);
}

/* [error, [[topic_id, [[partition, offset, leader_epoch, metadata]...]]...]] */
static int read_fetched(struct group_op *op, struct json_reader *r,
                        const struct json *result)
{
    struct fetched *fetched = op->own;
    struct arena *arena = op->ask->ask.arena;

    fetched->error = group_read_error(r, result, 0);
    const struct json *list = json_at(r, result, 1);
    size_t count = json_count(list);
    fetched->topics = group_read_array(r, count, sizeof(*fetched->topics), arena);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *row = json_at(r, list, i);
        struct fetched_topic *topic = &fetched->topics[i];
        topic->id = json_as_uuid(r, json_at(r, row, 0), "topic id");
        const struct json *offsets = json_at(r, row, 1);
        topic->count = json_count(offsets);
        topic->offsets =
            group_read_array(r, topic->count, sizeof(*topic->offsets), arena);
        for (size_t j = 0; j < topic->count && !r->failed; j++)
            read_offset(r, json_at(r, offsets, j), arena, &topic->offsets[j]);
    }
    fetched->count = r->failed ? 0 : count;
    return 0;
}

/* A row of the answer: nothing was committed, or ERROR. */
static struct offset_fetch_response_partition no_offset(int32_t partition, int16_t error)
{
    struct offset_fetch_response_partition row = offset_fetch_response_partition_defaults;
    row.partition_index = partition;
    row.committed_offset = -1;
    row.metadata = SLICE_LITERAL("");
    row.error_code = error;
    return row;
}

static struct offset_fetch_response_partition some_offset(
    const struct fetched_offset *offset)
{
    struct offset_fetch_response_partition row = no_offset(offset->partition, 0);
    row.committed_offset = offset->offset;
    row.committed_leader_epoch = offset->leader_epoch;
    row.metadata = offset->metadata;
    return row;
}

/* The partitions ASKED of one topic: TOPIC has those with an offset, in the order in
 * which they were asked for. */
static int list_partitions(struct request *req,
                           const struct offset_fetch_request_group_topic *asked,
                           const struct fetched_topic *topic, int16_t error,
                           struct offset_fetch_response_group_topic *out)
{
    size_t next = 0;

    out->name = asked->name;
    out->topic_id = asked->topic_id;
    out->partitions_count = asked->partition_indexes_count;
    out->partitions = request_array(req, out->partitions_count, sizeof(*out->partitions));
    if (out->partitions == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < out->partitions_count; i++) {
        int32_t partition = asked->partition_indexes[i];
        if (topic != NULL && next < topic->count &&
            topic->offsets[next].partition == partition)
            out->partitions[i] = some_offset(&topic->offsets[next++]);
        else
            out->partitions[i] = no_offset(partition, error);
    }
    return 0;
}

static int list_asked(struct request *req, const struct fetched *fetched, int16_t error,
                      struct offset_fetch_response_group *out)
{
    size_t next = 0;

    out->topics_count = fetched->asked_count;
    out->topics = request_array(req, out->topics_count, sizeof(*out->topics));
    if (out->topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < out->topics_count; i++) {
        const struct offset_fetch_request_group_topic *asked = &fetched->asked[i];
        const struct meta_topic *topic = fetch_topic(req, asked);
        const struct fetched_topic *found = NULL;
        out->topics[i] = offset_fetch_response_group_topic_defaults;
        if (topic != NULL && next < fetched->count) /* a row for each that was sent */
            found = &fetched->topics[next++];
        int16_t of_each =
            topic == NULL && fetch_by_id(req) ? KAFKA_UNKNOWN_TOPIC_ID : error;
        if (list_partitions(req, asked, found, of_each, &out->topics[i]) != 0)
            return ERR_TOO_LARGE;
    }
    return 0;
}

/* Everything the group has. What was deleted meanwhile has no name any more. */
static int list_all(struct request *req, const struct fetched *fetched,
                    struct offset_fetch_response_group *out)
{
    out->topics = request_array(req, fetched->count, sizeof(*out->topics));
    if (out->topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < fetched->count; i++) {
        const struct fetched_topic *found = &fetched->topics[i];
        const struct meta_topic *topic = meta_topic_by_id(request_view(req), &found->id);
        if (topic == NULL)
            continue;
        struct offset_fetch_response_group_topic *row = &out->topics[out->topics_count++];
        *row = offset_fetch_response_group_topic_defaults;
        row->name = topic->name;
        row->topic_id = topic->id;
        row->partitions_count = found->count;
        row->partitions = request_array(req, found->count, sizeof(*row->partitions));
        if (row->partitions == NULL)
            return ERR_TOO_LARGE;
        for (size_t j = 0; j < found->count; j++)
            row->partitions[j] = some_offset(&found->offsets[j]);
    }
    return 0;
}

/* A group's answer, as version 8 and later have it. */
static int list_group(struct request *req, const struct group_op *op,
                      struct offset_fetch_response_group *out)
{
    const struct fetched *fetched = op->own;
    int16_t error = op->kafka_error != 0 ? op->kafka_error : fetched->error;

    *out = offset_fetch_response_group_defaults;
    out->group_id = fetched->group_id;
    if (error != 0 && req->header.api_version >= FETCH_TOP_ERROR) {
        out->error_code = error;
        return 0;
    }
    return fetched->all ? list_all(req, fetched, out)
                        : list_asked(req, fetched, error, out);
}

/* A result names a topic that came after our view of the cluster. */
static bool any_unknown_id(struct request *req, const struct group_ask *ask)
{
    for (size_t i = 0; i < ask->op_count; i++) {
        const struct fetched *fetched = ask->ops[i].own;
        for (size_t j = 0; j < fetched->count; j++) {
            if (meta_topic_by_id(request_view(req), &fetched->topics[j].id) == NULL)
                return true;
        }
    }
    return false;
}

/* The one group of versions up to 7. */
static int reply_single(struct request *req, const struct group_op *op)
{
    struct offset_fetch_response reply = offset_fetch_response_defaults;
    struct offset_fetch_response_group group;
    int rc = list_group(req, op, &group);

    if (rc != 0)
        return rc;
    reply.error_code = group.error_code;
    reply.topics_count = group.topics_count;
    reply.topics = request_array(req, group.topics_count, sizeof(*reply.topics));
    if (reply.topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < group.topics_count; i++) {
        reply.topics[i] = offset_fetch_response_topic_defaults;
        reply.topics[i].name = group.topics[i].name;
        reply.topics[i].partitions = group.topics[i].partitions;
        reply.topics[i].partitions_count = group.topics[i].partitions_count;
    }
    return request_reply(req, &reply);
}

static int on_fetched(struct request *req)
{
    const struct group_ask *ask = req->own;
    struct offset_fetch_response reply = offset_fetch_response_defaults;

    if (!req->refreshed && any_unknown_id(req, ask))
        return request_refresh(req);
    if (req->header.api_version < FETCH_GROUPS)
        return reply_single(req, asked_op(req, 0));
    reply.groups_count = ask->op_count;
    reply.groups = request_array(req, reply.groups_count, sizeof(*reply.groups));
    if (reply.groups == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ask->op_count; i++) {
        int rc = list_group(req, asked_op(req, i), &reply.groups[i]);
        if (rc != 0)
            return rc;
    }
    return request_reply(req, &reply);
}

/* The groups of the request, whatever its version. */
static struct fetched *groups_asked(struct request *req, size_t *count)
{
    const struct offset_fetch_request *body = req->body;
    bool single = req->header.api_version < FETCH_GROUPS;

    *count = single ? 1 : body->groups_count;
    struct fetched *groups = request_array(req, *count, sizeof(*groups));
    if (groups == NULL)
        return NULL;
    for (size_t i = 0; !single && i < *count; i++) {
        const struct offset_fetch_request_group *asked = &body->groups[i];
        groups[i] = (struct fetched){.group_id = asked->group_id,
                                     .member_id = asked->member_id,
                                     .member_epoch = asked->member_epoch,
                                     .all = asked->topics == NULL,
                                     .asked = asked->topics,
                                     .asked_count = asked->topics_count};
    }
    if (!single)
        return groups;
    groups->group_id = body->group_id;
    groups->member_epoch = -1;
    groups->all = body->topics == NULL;
    groups->asked_count = body->topics_count;
    groups->asked = request_array(req, body->topics_count, sizeof(*groups->asked));
    if (groups->asked == NULL)
        return NULL;
    for (size_t i = 0; i < body->topics_count; i++) {
        groups->asked[i] = offset_fetch_request_group_topic_defaults;
        groups->asked[i].name = body->topics[i].name;
        groups->asked[i].partition_indexes = body->topics[i].partition_indexes;
        groups->asked[i].partition_indexes_count =
            body->topics[i].partition_indexes_count;
    }
    return groups;
}

static bool fetch_any_unknown(struct request *req, const struct fetched *groups,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < groups[i].asked_count; j++) {
            if (fetch_topic(req, &groups[i].asked[j]) == NULL)
                return true;
        }
    }
    return false;
}

/* Numbers below 0 are no partitions: nothing can have been committed there. */
static struct json *fetch_partitions(const struct meta_topic *topic,
                                     const struct offset_fetch_request_group_topic *asked)
{
    struct json *row = json_array(), *list = json_array();

    for (size_t i = 0; i < asked->partition_indexes_count; i++) {
        if (asked->partition_indexes[i] >= 0)
            json_push(list, json_int(asked->partition_indexes[i]));
    }
    json_push(row, json_uuid(&topic->id));
    json_push(row, list);
    return row;
}

static int fetch_op(struct request *req, struct fetched *fetched, struct group_op *op)
{
    struct json *json = group_op_json("fetch", fetched->group_id);
    struct json *topics = fetched->all ? json_null() : json_array();

    for (size_t i = 0; i < fetched->asked_count; i++) {
        const struct meta_topic *topic = fetch_topic(req, &fetched->asked[i]);
        if (topic != NULL)
            json_push(topics, fetch_partitions(topic, &fetched->asked[i]));
    }
    json_push(json, json_slice(fetched->member_id));
    json_push(json, json_int(fetched->member_epoch));
    json_push(json, topics);
    return group_ask_set(req, op, fetched->group_id, json, read_fetched, fetched);
}

int api_offset_fetch(struct request *req)
{
    size_t count = 0;
    struct fetched *groups = groups_asked(req, &count);
    struct group_ask *ask = group_ask_new(req, count);

    if (groups == NULL || ask == NULL)
        return ERR_TOO_LARGE;
    bool unknown = fetch_any_unknown(req, groups, count);
    if (unknown && !req->refreshed)
        return request_refresh(req);
    for (size_t i = 0; i < count; i++) {
        int rc = fetch_op(req, &groups[i], &ask->ops[i]);
        if (rc != 0)
            return rc;
        /* Whether there is such a topic could not be found out: say nothing of it. */
        if (unknown && req->refresh_failed)
            ask->ops[i].kafka_error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    req->own = ask;
    return count == 0 ? on_fetched(req) : group_ask_send(req, ask, on_fetched);
}

/* ---- OffsetDelete ---- */

struct deletion {
    struct errors errors;
    int16_t *preset; /* of each topic of the request; 0: it was sent */
};

static int delete_reply(struct request *req, const struct deletion *deletion,
                        const struct group_op *op)
{
    const struct offset_delete_request *body = req->body;
    struct offset_delete_response reply = offset_delete_response_defaults;
    size_t sent = 0;

    reply.error_code = top_error(op, &deletion->errors);
    if (reply.error_code != 0)
        return request_reply(req, &reply);
    reply.topics_count = body->topics_count;
    reply.topics = request_array(req, reply.topics_count, sizeof(*reply.topics));
    if (reply.topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct offset_delete_request_topic *asked = &body->topics[i];
        struct offset_delete_response_topic *topic = &reply.topics[i];
        topic->name = asked->name;
        topic->partitions_count = asked->partitions_count;
        topic->partitions =
            request_array(req, asked->partitions_count, sizeof(*topic->partitions));
        if (topic->partitions == NULL)
            return ERR_TOO_LARGE;
        for (size_t j = 0; j < asked->partitions_count; j++) {
            int32_t partition = asked->partitions[j].partition_index;
            topic->partitions[j].partition_index = partition;
            topic->partitions[j].error_code = deletion->preset[i];
            if (deletion->preset[i] == 0 && partition >= 0)
                topic->partitions[j].error_code =
                    by_version(deletion->errors.each[sent++], false);
        }
    }
    return request_reply(req, &reply);
}

static int on_deleted(struct request *req)
{
    const struct group_op *op = asked_op(req, 0);
    return delete_reply(req, op->own, op);
}

/* Topics as the op has them: those that are there. */
static struct json *delete_topics(struct request *req, struct deletion *deletion)
{
    const struct offset_delete_request *body = req->body;
    struct json *topics = json_array();

    for (size_t i = 0; i < body->topics_count; i++) {
        const struct offset_delete_request_topic *asked = &body->topics[i];
        const struct meta_topic *topic =
            meta_topic_by_name(request_view(req), asked->name);
        if (topic == NULL) {
            deletion->preset[i] = unknown_topic(req, false);
            continue;
        }
        struct json *row = json_array(), *list = json_array();
        for (size_t j = 0; j < asked->partitions_count; j++) {
            if (asked->partitions[j].partition_index >= 0)
                json_push(list, json_int(asked->partitions[j].partition_index));
        }
        deletion->errors.sent += json_count(list);
        json_push(row, json_uuid(&topic->id));
        json_push(row, list);
        json_push(topics, row);
    }
    return topics;
}

int api_offset_delete(struct request *req)
{
    const struct offset_delete_request *body = req->body;
    struct group_ask *ask = group_ask_new(req, 1);
    struct deletion *deletion = request_array(req, 1, sizeof(*deletion));
    size_t n = 0;

    for (size_t i = 0; i < body->topics_count; i++) {
        n += body->topics[i].partitions_count;
        if (!req->refreshed &&
            meta_topic_by_name(request_view(req), body->topics[i].name) == NULL)
            return request_refresh(req);
    }
    if (ask == NULL || deletion == NULL)
        return ERR_TOO_LARGE;
    deletion->preset = request_array(req, body->topics_count, sizeof(*deletion->preset));
    deletion->errors.each = request_array(req, n, sizeof(*deletion->errors.each));
    if (deletion->preset == NULL || deletion->errors.each == NULL)
        return ERR_TOO_LARGE;
    struct json *topics = delete_topics(req, deletion);
    /* The group is asked, though none of the topics be there: it may not be, either. */
    struct json *op = group_op_json("offset_delete", body->group_id);
    json_push(op, topics);
    int rc = group_ask_set(req, &ask->ops[0], body->group_id, op, read_errors, deletion);
    return rc != 0 ? rc : group_ask_send(req, ask, on_deleted);
}
