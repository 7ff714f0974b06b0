/* api_inspect.c - DescribeProducers and DescribeQuorum: what only the control plane knows
 * of partitions and of itself. */
#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "agent/named_part.h"
#include "common/clock.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_MS 30000

/* ---- DescribeProducers (KIP-664) ---- */

#define PARTITIONS_MAX 4096 /* of one request: Kafka's own default page is far less */

struct producers_part {
    struct named_part part; /* its error is of the whole */
    struct describe_producers_response_producer *rows;
    size_t count;
};

struct producers {
    struct relay_ask ask;
    struct producers_part *parts;
    size_t count;
};

static int read_part(struct json_reader *r, const struct json *value, struct arena *arena,
                     struct producers_part *part)
{
    part->part.error =
        (int16_t)json_as_int(r, json_at(r, value, 0), "error", -1, INT16_MAX);
    const struct json *list = json_at(r, value, 1);
    size_t n = json_count(list);

    part->rows = arena_try_array(arena, n, sizeof(*part->rows));
    if (part->rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n && !r->failed; i++) {
        const struct json *row = json_at(r, list, i);
        struct describe_producers_response_producer *out = &part->rows[i];
        *out = describe_producers_response_producer_defaults;
        out->producer_id = json_as_int(r, json_at(r, row, 0), "id", 0, INT64_MAX);
        out->producer_epoch =
            (int32_t)json_as_int(r, json_at(r, row, 1), "epoch", 0, INT16_MAX);
        out->last_sequence =
            (int32_t)json_as_int(r, json_at(r, row, 2), "sequence", -1, INT32_MAX);
        out->last_timestamp =
            json_as_int(r, json_at(r, row, 3), "timestamp", INT64_MIN, INT64_MAX);
        out->coordinator_epoch = -1; /* no transaction has ended here */
    }
    part->count = n;
    return r->failed ? ERR_MALFORMED : 0;
}

static int read_producers(struct relay_ask *ask, const struct json *answer)
{
    struct producers *own = CONTAINER_OF(ask, struct producers, ask);
    struct json_reader r = {0};
    const struct json *list = json_get_array(&r, answer, "producers");
    size_t k = 0;
    int rc = r.failed ? ERR_MALFORMED : 0;

    for (size_t i = 0; i < own->count && rc == 0; i++) {
        if (own->parts[i].part.error == 0)
            rc = read_part(&r, json_at(&r, list, k++), ask->ask.arena, &own->parts[i]);
    }
    return rc;
}

static int on_producers(struct request *req)
{
    const struct describe_producers_request *body = req->body;
    const struct producers *own = req->own;
    const struct producers_part *part = own->parts;
    struct describe_producers_response reply = describe_producers_response_defaults;
    struct describe_producers_response_partition *rows =
        request_array(req, own->count, sizeof(*rows));

    reply.topics = request_array(req, body->topics_count, sizeof(*reply.topics));
    reply.topics_count = body->topics_count;
    if (reply.topics == NULL || rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        reply.topics[i].name = body->topics[i].name;
        reply.topics[i].partitions = rows;
        reply.topics[i].partitions_count = body->topics[i].partition_indexes_count;
        for (size_t j = 0; j < reply.topics[i].partitions_count; j++, part++, rows++) {
            *rows = describe_producers_response_partition_defaults;
            rows->partition_index = body->topics[i].partition_indexes[j];
            rows->error_code = named_part_error(
                part->part.error != 0 ? part->part.error : own->ask.kafka_error);
            if (rows->error_code != 0) {
                rows->error_message = slice_str(kafka_error_text(rows->error_code));
                continue;
            }
            rows->active_producers = part->rows;
            rows->active_producers_count = part->count;
        }
    }
    return request_reply(req, &reply);
}

/* Ask for those of the request's partitions that there are. */
static int ask_producers(struct request *req, struct producers *own)
{
    struct json *list = json_array();
    for (size_t i = 0; i < own->count; i++) {
        if (own->parts[i].part.error == 0)
            json_push(list, named_part_json(&own->parts[i].part));
    }
    req->own = own;
    if (json_count(list) == 0) {
        json_free(list);
        return on_producers(req);
    }
    own->ask.path = "/agent/v1/producers";
    own->ask.body = json_object();
    json_set(own->ask.body, "partitions", list);
    own->ask.read = read_producers;
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_producers);
}

int api_describe_producers(struct request *req)
{
    const struct describe_producers_request *body = req->body;
    struct producers *own = request_array(req, 1, sizeof(*own));
    bool unknown = false;
    size_t n = 0;

    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partition_indexes_count;
    if (own == NULL || n > PARTITIONS_MAX)
        return ERR_TOO_LARGE;
    own->parts = request_array(req, n, sizeof(*own->parts));
    if (own->parts == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        for (size_t j = 0; j < body->topics[i].partition_indexes_count; j++) {
            struct named_part *part = &own->parts[own->count++].part;
            *part = named_part_find(req, body->topics[i].name,
                                    body->topics[i].partition_indexes[j]);
            unknown |= part->error != 0;
        }
    }
    if (unknown && !req->refreshed)
        return request_refresh(req);
    return ask_producers(req, own);
}

/* ---- DescribeQuorum (KIP-595) ---- */

/* The one log that Kafka's controllers replicate; here it stands for the cell's. */
static const char quorum_topic[] = "__cluster_metadata";

struct quorum {
    struct relay_ask ask;
    int32_t leader_id, leader_epoch;
    int64_t high_watermark;
    struct describe_quorum_response_replica *replicas; /* voters first */
    size_t voters, count;
};

static int32_t as_id(struct json_reader *r, const struct json *value, const char *what)
{
    return (int32_t)json_as_int(r, value, what, 0, INT32_MAX);
}

static void read_replica(struct json_reader *r, const struct json *row, int64_t now_ms,
                         int64_t high_watermark,
                         struct describe_quorum_response_replica *out)
{
    *out = describe_quorum_response_replica_defaults;
    out->replica_id = as_id(r, json_at(r, row, 0), "node id");
    out->log_end_offset = json_as_int(r, json_at(r, row, 2), "index", 0, INT64_MAX);
    int64_t ago_ms = json_as_int(r, json_at(r, row, 3), "contact", -1, INT64_MAX);
    if (ago_ms < 0)
        return;
    out->last_fetch_timestamp = now_ms - ago_ms;
    if (out->log_end_offset >= high_watermark)
        out->last_caught_up_timestamp = out->last_fetch_timestamp;
}

static int read_quorum(struct relay_ask *ask, const struct json *answer)
{
    struct quorum *own = CONTAINER_OF(ask, struct quorum, ask);
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "nodes");
    size_t n = json_count(rows);

    own->leader_id = as_id(&r, json_get(&r, answer, "leader"), "leader");
    own->leader_epoch =
        (int32_t)MIN(json_get_int(&r, answer, "term", 0, INT64_MAX), (int64_t)INT32_MAX);
    own->high_watermark = json_get_int(&r, answer, "commit_index", 0, INT64_MAX);
    int64_t now_ms = json_get_int(&r, answer, "now_ms", 0, INT64_MAX);
    own->replicas = arena_try_array(ask->ask.arena, n, sizeof(*own->replicas));
    if (own->replicas == NULL)
        return ERR_TOO_LARGE;
    for (int observers = 0; observers < 2; observers++) {
        for (size_t i = 0; i < n && !r.failed; i++) {
            const struct json *row = json_at(&r, rows, i);
            bool voter = json_as_bool(&r, json_at(&r, row, 1), "voter");
            if (r.failed || voter == (observers == 1))
                continue;
            read_replica(&r, row, now_ms, own->high_watermark,
                         &own->replicas[own->count++]);
        }
        if (observers == 0)
            own->voters = own->count;
    }
    return r.failed ? ERR_MALFORMED : 0;
}

/* What was asked for is not the one partition that there is. */
static int refuse_quorum(struct request *req)
{
    const struct describe_quorum_request *body = req->body;
    struct describe_quorum_response reply = describe_quorum_response_defaults;

    reply.topics = request_array(req, body->topics_count, sizeof(*reply.topics));
    reply.topics_count = body->topics_count;
    if (reply.topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        size_t n = body->topics[i].partitions_count;
        struct describe_quorum_response_partition *rows =
            request_array(req, n, sizeof(*rows));
        if (rows == NULL)
            return ERR_TOO_LARGE;
        reply.topics[i].topic_name = body->topics[i].topic_name;
        reply.topics[i].partitions = rows;
        reply.topics[i].partitions_count = n;
        for (size_t k = 0; k < n; k++) {
            rows[k] = describe_quorum_response_partition_defaults;
            rows[k].partition_index = body->topics[i].partitions[k].partition_index;
            rows[k].error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            rows[k].error_message = slice_str(kafka_error_text(rows[k].error_code));
        }
    }
    return request_reply(req, &reply);
}

/* Addresses of the cell's nodes are not for tenants: nodes are named by id only. */
static int on_quorum(struct request *req)
{
    const struct quorum *own = req->own;
    struct describe_quorum_response reply = describe_quorum_response_defaults;
    struct describe_quorum_response_topic topic = {.topic_name = slice_str(quorum_topic)};
    struct describe_quorum_response_partition partition =
        describe_quorum_response_partition_defaults;

    if (own->ask.kafka_error != 0) {
        reply.error_code = own->ask.kafka_error;
        reply.error_message = slice_str(kafka_error_text(reply.error_code));
        return request_reply(req, &reply);
    }
    reply.nodes = request_array(req, own->voters, sizeof(*reply.nodes));
    if (reply.nodes == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->voters; i++)
        reply.nodes[i].node_id = own->replicas[i].replica_id;
    reply.nodes_count = own->voters;
    partition.leader_id = own->leader_id;
    partition.leader_epoch = own->leader_epoch;
    partition.high_watermark = own->high_watermark;
    partition.current_voters = own->replicas;
    partition.current_voters_count = own->voters;
    partition.observers = own->replicas + own->voters;
    partition.observers_count = own->count - own->voters;
    topic.partitions = &partition;
    topic.partitions_count = 1;
    reply.topics = &topic;
    reply.topics_count = 1;
    return request_reply(req, &reply);
}

int api_describe_quorum(struct request *req)
{
    const struct describe_quorum_request *body = req->body;
    struct quorum *own = request_array(req, 1, sizeof(*own));

    if (own == NULL)
        return ERR_TOO_LARGE;
    if (body->topics_count != 1 ||
        !slice_eq_str(body->topics[0].topic_name, quorum_topic) ||
        body->topics[0].partitions_count != 1 ||
        body->topics[0].partitions[0].partition_index != 0)
        return refuse_quorum(req);
    own->ask.path = "/agent/v1/quorum";
    own->ask.body = json_object();
    own->ask.read = read_quorum;
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    req->own = own;
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_quorum);
}
