/* api_metadata.c - Metadata and DescribeCluster: brokers, topics, leaders.
 *
 * Metadata shows a client the agents of its zone only, and gives each partition to one of
 * them (steering.h); leader epochs are always 0: any agent serves any partition and the
 * log never diverges. A name that the agent does not know is looked up at the control
 * plane before it is called unknown, or created when both the request and the option
 * auto-create-topics allow it; the topic is durable before the answer. */
#include <stdlib.h>

#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "agent/topic_change.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"
#include "proto/topic_config.h"

/* Operations that a client without restrictions may do, as bits by Kafka's AclOperation
 * numbers: on a topic read to describe and both configs; on the cluster likewise. */
#define TOPIC_OPERATIONS   0xdf8
#define CLUSTER_OPERATIONS 0x1fa0

#define BROKER_ENDPOINTS 1

/* Topics that one request may bring into being; the client asks again for the rest. */
#define CREATE_MAX 256

#define CREATE_TIMEOUT_MS 30000

/* One thing that a request asks about: each is answered once, however often named. */
struct wanted {
    struct slice name; /* null: by id */
    struct uuid id;
    const struct meta_topic *topic;
    int16_t error; /* when there is no topic */
};

struct metadata {
    struct topic_change change;
    struct wanted *wanted;
    size_t count;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *const *x = a, *const *y = b;
    int c = uuid_cmp(&(*x)->id, &(*y)->id);
    if (c == 0)
        c = ((*x)->name.ptr != NULL) - ((*y)->name.ptr != NULL);
    if (c == 0)
        c = slice_cmp((*x)->name, (*y)->name);
    return c != 0 ? c : (*x > *y) - (*x < *y);
}

/* The request's topics, each once, in the order of their first mention. Returns 0 or
 * ERR_TOO_LARGE. */
static int collect(struct request *req, const struct metadata_request *body,
                   struct metadata *own)
{
    size_t n = body->topics_count;
    struct wanted *all = request_array(req, n, sizeof(*all));
    struct wanted **sorted = request_array(req, n, sizeof(*sorted));
    if (all == NULL || sorted == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        all[i].name = body->topics[i].name;
        all[i].id = body->topics[i].topic_id;
        sorted[i] = &all[i];
    }
    if (n > 1)
        qsort(sorted, n, sizeof(*sorted), compare_wanted);
    for (size_t i = 1; i < n; i++) {
        if (uuid_eq(&sorted[i]->id, &sorted[i - 1]->id) &&
            slice_eq(sorted[i]->name, sorted[i - 1]->name))
            sorted[i]->error = KAFKA_DUPLICATE_RESOURCE; /* marked; dropped below */
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (all[i].error == 0)
            all[kept++] = all[i];
    }
    own->wanted = all;
    own->count = kept;
    return 0;
}

/* Look everything up; the number of valid names and ids that are not known. */
static size_t look_up(struct request *req, struct metadata *own)
{
    const struct meta_view *view = request_view(req);
    int16_t version = req->header.api_version;
    size_t missing = 0;
    for (size_t i = 0; i < own->count; i++) {
        struct wanted *w = &own->wanted[i];
        bool by_id = w->name.ptr == NULL;
        w->error = 0;
        if (version < 12 && (by_id || !uuid_is_zero(&w->id))) {
            w->error = KAFKA_INVALID_REQUEST; /* KIP-516: ids from version 12 on */
            continue;
        }
        if (!by_id && !topic_name_valid(w->name)) {
            w->error = KAFKA_INVALID_TOPIC_EXCEPTION;
            continue;
        }
        w->topic =
            by_id ? meta_topic_by_id(view, &w->id) : meta_topic_by_name(view, w->name);
        if (w->topic != NULL)
            continue;
        missing++;
        if (by_id)
            w->error = KAFKA_UNKNOWN_TOPIC_ID;
        else
            w->error = req->refresh_failed ? KAFKA_LEADER_NOT_AVAILABLE
                                           : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return missing;
}

static int fill_partitions(struct request *req, struct steering *steering,
                           const struct meta_topic *topic,
                           struct metadata_response_topic *out)
{
    size_t n = (size_t)topic->partitions;
    struct metadata_response_partition *rows = request_array(req, n, sizeof(*rows));
    if (rows == NULL ||
        steering_set_factor(steering, topic->replication_factor, &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        struct metadata_response_partition *row = &rows[i];
        row->partition_index = (int32_t)i;
        row->leader_id = steering_place(steering, &topic->id, (int32_t)i,
                                        &row->replica_nodes, &row->replica_nodes_count);
        row->leader_epoch = 0;
        row->isr_nodes = row->replica_nodes;
        row->isr_nodes_count = row->replica_nodes_count;
        if (row->leader_id < 0)
            row->error_code = KAFKA_LEADER_NOT_AVAILABLE;
    }
    out->partitions = rows;
    out->partitions_count = n;
    return 0;
}

static int fill_topic(struct request *req, struct steering *steering,
                      const struct meta_topic *topic, struct metadata_response_topic *out)
{
    const struct metadata_request *body = req->body;
    *out = metadata_response_topic_defaults;
    out->name = topic->name;
    out->topic_id = topic->id;
    if (body->include_topic_authorized_operations)
        out->topic_authorized_operations = TOPIC_OPERATIONS;
    return fill_partitions(req, steering, topic, out);
}

static int fill_topics(struct request *req, struct steering *steering,
                       const struct metadata *own, struct metadata_response *reply)
{
    const struct meta_view *view = steering->view;
    size_t n = own == NULL ? view->topic_count : own->count;
    struct metadata_response_topic *rows = request_array(req, n, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const struct meta_topic *topic =
            own == NULL ? view->topics[i] : own->wanted[i].topic;
        if (topic != NULL) {
            int rc = fill_topic(req, steering, topic, &rows[i]);
            if (rc != 0)
                return rc;
            continue;
        }
        rows[i] = metadata_response_topic_defaults;
        rows[i].error_code = own->wanted[i].error;
        rows[i].name = own->wanted[i].name;
        rows[i].topic_id = own->wanted[i].id;
    }
    reply->topics = rows;
    reply->topics_count = n;
    return 0;
}

static int fill_brokers(struct request *req, const struct steering *steering,
                        struct metadata_response *reply)
{
    size_t n = steering->agent_count;
    struct metadata_response_broker *rows = request_array(req, n, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const struct meta_agent *agent = steering->agents[i];
        rows[i].node_id = agent->node_id;
        rows[i].host = slice_str(agent->host);
        rows[i].port = agent->port;
        rows[i].rack = steering_rack(agent);
    }
    reply->brokers = rows;
    reply->brokers_count = n;
    return 0;
}

/* OWN NULL: all topics. */
static int answer(struct request *req, const struct metadata *own)
{
    const struct metadata_request *body = req->body;
    const struct meta_view *view = request_view(req);
    struct metadata_response reply = metadata_response_defaults;
    struct steering steering;
    char cluster_id[UUID_TEXT_LEN + 1];

    if (steering_init(&steering, view, request_zone(req), &req->arena) != 0 ||
        fill_brokers(req, &steering, &reply) != 0 ||
        fill_topics(req, &steering, own, &reply) != 0)
        return ERR_TOO_LARGE;
    reply.cluster_id = slice_str(uuid_print(&view->cluster_id, cluster_id));
    reply.controller_id = steering_controller(&steering);
    if (body->include_cluster_authorized_operations)
        reply.cluster_authorized_operations = CLUSTER_OPERATIONS;
    return request_reply(req, &reply);
}

static bool is_missing_name(const struct wanted *w)
{
    return w->topic == NULL && w->name.ptr != NULL &&
           (w->error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION ||
            w->error == KAFKA_LEADER_NOT_AVAILABLE);
}

static int on_created(struct request *req)
{
    struct metadata *own = req->own;
    const struct topic_change *change = &own->change;
    int16_t failed = change->relay.kafka_error;
    size_t created = 0;

    meta_release(req->view);
    req->view = NULL;
    bool *asked = request_array(req, own->count, sizeof(*asked));
    if (asked == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++)
        asked[i] = is_missing_name(&own->wanted[i]);
    (void)look_up(req, own);
    for (size_t i = 0; i < own->count && created < change->item_count; i++) {
        struct wanted *w = &own->wanted[i];
        if (!asked[i])
            continue;
        const struct topic_result *result;
        int16_t error = topic_change_error(change, created++, &result);
        if (w->topic != NULL)
            continue;
        /* The whole call failing is no verdict on the topic: the client may ask again. */
        w->error = failed != 0 || error == 0 || error == KAFKA_REQUEST_TIMED_OUT
                       ? KAFKA_LEADER_NOT_AVAILABLE
                       : error;
    }
    return answer(req, own);
}

/* Ask for what is missing to be created. */
static int create(struct request *req, struct metadata *own)
{
    const struct front_options *options = request_options(req);
    struct topic_change *change = &own->change;
    topic_change_init(change, TOPICS_CREATE, false);
    for (size_t i = 0; i < own->count; i++) {
        if (!is_missing_name(&own->wanted[i]))
            continue;
        if (change->item_count == CREATE_MAX) {
            own->wanted[i].error = KAFKA_LEADER_NOT_AVAILABLE;
            continue;
        }
        struct json *item = json_array();
        json_push(item, json_slice(own->wanted[i].name));
        json_push(item, json_int(meta_own_number(request_view(req), "num.partitions",
                                                 options->default_partitions)));
        json_push(item, json_int(meta_own_number(request_view(req),
                                                 "default.replication.factor",
                                                 options->default_replication_factor)));
        json_push(item, json_object());
        json_push(item, json_array());
        (void)topic_change_add(change, item);
    }
    req->own = own;
    return topic_change_ask(req, change, request_now_ms(req) + CREATE_TIMEOUT_MS,
                            on_created);
}

static bool any_missing_name(const struct metadata *own)
{
    for (size_t i = 0; i < own->count; i++) {
        if (is_missing_name(&own->wanted[i]))
            return true;
    }
    return false;
}

int api_metadata(struct request *req)
{
    const struct metadata_request *body = req->body;

    /* Null means all; in version 0, which has no null, empty does. */
    if (body->topics == NULL || (req->header.api_version == 0 && body->topics_count == 0))
        return answer(req, NULL);
    struct metadata *own = request_array(req, 1, sizeof(*own));
    if (own == NULL || collect(req, body, own) != 0)
        return ERR_TOO_LARGE;
    if (look_up(req, own) > 0 && !req->refreshed)
        return request_refresh(req);
    if (body->allow_auto_topic_creation &&
        meta_own_flag(request_view(req), "auto.create.topics.enable",
                      request_options(req)->auto_create_topics) &&
        !req->refresh_failed && any_missing_name(own))
        return create(req, own);
    return answer(req, own);
}

/* ---- DescribeCluster ---- */

int api_describe_cluster(struct request *req)
{
    const struct describe_cluster_request *body = req->body;
    const struct meta_view *view = request_view(req);
    struct describe_cluster_response reply = describe_cluster_response_defaults;
    char cluster_id[UUID_TEXT_LEN + 1];

    if (body->endpoint_type != BROKER_ENDPOINTS) {
        /* KIP-919: 2 asks for controllers, of which clients see none here. */
        reply.error_code = body->endpoint_type == 2 ? KAFKA_MISMATCHED_ENDPOINT_TYPE
                                                    : KAFKA_UNSUPPORTED_ENDPOINT_TYPE;
        reply.error_message = slice_str(kafka_error_text(reply.error_code));
        return request_reply(req, &reply);
    }
    struct steering all;
    struct describe_cluster_response_broker *rows =
        request_array(req, view->agent_count, sizeof(*rows));
    if (rows == NULL || steering_init(&all, view, request_zone(req), &req->arena) != 0)
        return ERR_TOO_LARGE;
    /* A description, not an invitation: agents of all zones. */
    for (size_t i = 0; i < view->agent_count; i++) {
        rows[i].broker_id = view->agents[i].node_id;
        rows[i].host = slice_str(view->agents[i].host);
        rows[i].port = view->agents[i].port;
        rows[i].rack = steering_rack(&view->agents[i]);
    }
    reply.brokers = rows;
    reply.brokers_count = view->agent_count;
    reply.cluster_id = slice_str(uuid_print(&view->cluster_id, cluster_id));
    reply.controller_id = steering_controller(&all);
    if (body->include_cluster_authorized_operations)
        reply.cluster_authorized_operations = CLUSTER_OPERATIONS;
    return request_reply(req, &reply);
}
