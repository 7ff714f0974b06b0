/* api_topics.c - CreateTopics, DeleteTopics, CreatePartitions.
 *
 * What contradicts itself is refused here; everything else is the control plane's to
 * decide, so that all agents decide alike. Items go there as control_api.md's lists; an
 * answer comes after the change is durable and in this agent's own metadata view. */
#include <string.h>

#include "agent/client_thread.h"
#include "agent/config_source.h"
#include "agent/dispatch.h"
#include "agent/duplicates.h"
#include "agent/topic_change.h"
#include "common/check.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"
#include "proto/topic_config.h"

/* Longer than the name of any configuration. */
#define CONFIG_NAME_MAX 255

#define TIMEOUT_LEAST_MS 1000
#define TIMEOUT_MOST_MS  120000

/* One topic of the request: refused here, or the ITEM-th of what is sent. */
struct outcome {
    int16_t error;
    const char *message;
    size_t item;
};

struct topics {
    struct topic_change change;
    struct outcome *outcomes;
};

static struct topics *make(struct request *req, enum topic_change_op op, size_t count,
                           bool validate_only)
{
    struct topics *own = request_array(req, 1, sizeof(*own));
    if (own == NULL)
        return NULL;
    own->outcomes = request_array(req, count, sizeof(*own->outcomes));
    if (own->outcomes == NULL)
        return NULL;
    topic_change_init(&own->change, op, validate_only);
    return own;
}

static void refuse(struct outcome *outcome, int16_t error, const char *message)
{
    outcome->error = error;
    outcome->message = message;
}

static void add(struct topics *own, struct outcome *outcome, struct json *item)
{
    outcome->item = topic_change_add(&own->change, item);
}

static int hand_over(struct request *req, struct topics *own, int32_t timeout_ms,
                     request_answer_fn *on_answer)
{
    int64_t wait_ms = MAX(MIN(timeout_ms, TIMEOUT_MOST_MS), TIMEOUT_LEAST_MS);

    req->own = own;
    return topic_change_ask(req, &own->change, request_now_ms(req) + wait_ms, on_answer);
}

/* What became of one topic: *RESULT is NULL when it never reached the control plane. */
static int16_t judge(const struct topics *own, const struct outcome *outcome,
                     const struct topic_result **result, struct slice *message)
{
    int16_t error = outcome->error;
    const char *text = outcome->message;
    *result = NULL;
    if (error == 0)
        error = topic_change_error(&own->change, outcome->item, result);
    if (*result != NULL)
        text = (*result)->message;
    if (error != 0 && text == NULL)
        text = kafka_error_text(error);
    *message = slice_str(text);
    return error;
}

/* Assignments say nothing of where data is, but they must name brokers that exist. */
static const char unknown_broker[] = "the assignment names a broker that does not exist";

static bool all_known(struct request *req, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (meta_agent_by_id(request_view(req), ids[i]) == NULL)
            return false;
    }
    return true;
}

/* ---- CreateTopics ---- */

static struct json *assignments_json(const struct create_topics_request_topic *topic)
{
    struct json *list = json_array();
    for (size_t i = 0; i < topic->assignments_count; i++) {
        const struct create_topics_request_assignment *a = &topic->assignments[i];
        struct json *pair = json_array(), *ids = json_array();
        for (size_t j = 0; j < a->broker_ids_count; j++)
            json_push(ids, json_int(a->broker_ids[j]));
        json_push(pair, json_int(a->partition_index));
        json_push(pair, ids);
        json_push(list, pair);
    }
    return list;
}

/* Names with a NUL in them end there, and are refused as unknown by who knows all names.
 */
static struct json *configs_json(const struct create_topics_request_topic *topic)
{
    struct json *object = json_object();
    for (size_t i = 0; i < topic->configs_count; i++) {
        const struct create_topics_request_config *config = &topic->configs[i];
        char name[CONFIG_NAME_MAX + 1];
        ASSERT(config->name.len <= CONFIG_NAME_MAX); /* bad_config saw to it */
        memcpy(name, config->name.ptr, config->name.len);
        name[config->name.len] = '\0';
        json_set(object, name, json_slice(config->value));
    }
    return object;
}

/* What is wrong with a topic's configurations beside their names and values, or NULL. */
static const char *bad_config(const struct create_topics_request_topic *topic)
{
    for (size_t i = 0; i < topic->configs_count; i++) {
        if (topic->configs[i].value.ptr == NULL)
            return "a value is null";
        if (topic->configs[i].name.len > CONFIG_NAME_MAX)
            return "no configuration has so long a name";
    }
    return NULL;
}

/* Kafka looks at a topic's configurations and assignments only after its name. */
static void refuse_details(struct request *req,
                           const struct create_topics_request_topic *topic,
                           struct outcome *outcome)
{
    const char *wrong = bad_config(topic);
    if (wrong != NULL)
        refuse(outcome, KAFKA_INVALID_CONFIG, wrong);
    for (size_t i = 0; i < topic->assignments_count && outcome->error == 0; i++) {
        const struct create_topics_request_assignment *a = &topic->assignments[i];
        if (!all_known(req, a->broker_ids, a->broker_ids_count))
            refuse(outcome, KAFKA_INVALID_REPLICA_ASSIGNMENT, unknown_broker);
    }
    if (outcome->error == 0)
        return;
    if (!topic_name_valid(topic->name))
        refuse(outcome, KAFKA_INVALID_TOPIC_EXCEPTION, NULL);
    else if (meta_topic_by_name(request_view(req), topic->name) != NULL)
        refuse(outcome, KAFKA_TOPIC_ALREADY_EXISTS, NULL);
}

static void create_item(struct request *req, struct topics *own,
                        const struct create_topics_request_topic *topic, bool duplicate,
                        struct outcome *outcome)
{
    const struct front_options *options = request_options(req);
    int32_t partitions = topic->num_partitions;
    int16_t factor = topic->replication_factor;
    if (duplicate) {
        refuse(outcome, KAFKA_INVALID_REQUEST, "the topic is named more than once");
        return;
    }
    if (topic->assignments_count > 0 && (partitions != -1 || factor != -1)) {
        refuse(outcome, KAFKA_INVALID_REQUEST,
               "give either assignments, or partitions and replication factor");
        return;
    }
    refuse_details(req, topic, outcome);
    if (outcome->error != 0)
        return;
    if (topic->assignments_count == 0) {
        const struct meta_view *view = request_view(req);
        if (partitions == -1)
            partitions = (int32_t)meta_own_number(view, "num.partitions",
                                                  options->default_partitions);
        if (factor == -1)
            factor = (int16_t)meta_own_number(view, "default.replication.factor",
                                              options->default_replication_factor);
    }
    struct json *item = json_array();
    json_push(item, json_slice(topic->name));
    json_push(item, json_int(partitions));
    json_push(item, json_int(factor));
    json_push(item, configs_json(topic));
    json_push(item, assignments_json(topic));
    add(own, outcome, item);
}

static struct slice requested_value(const struct create_topics_request_topic *topic,
                                    const char *name)
{
    for (size_t i = topic->configs_count; i-- > 0;) {
        if (slice_eq_str(topic->configs[i].name, name))
            return topic->configs[i].value;
    }
    return SLICE_NULL;
}

/* KIP-525: the settings that the new topic has. */
static int fill_configs(struct request *req,
                        const struct create_topics_request_topic *topic,
                        struct create_topics_response_topic *out)
{
    struct create_topics_response_config *rows =
        request_array(req, topic_config_spec_count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < topic_config_spec_count; i++) {
        const struct topic_config_spec *spec = &topic_config_specs[i];
        struct slice value = requested_value(topic, spec->name);
        bool is_set = value.ptr != NULL;
        rows[i] = create_topics_response_config_defaults;
        rows[i].name = slice_str(spec->name);
        rows[i].value = is_set ? value : slice_str(spec->default_text);
        rows[i].config_source = is_set ? CONFIG_SOURCE_TOPIC : CONFIG_SOURCE_DEFAULT;
    }
    out->configs = rows;
    out->configs_count = topic_config_spec_count;
    return 0;
}

static int on_created(struct request *req)
{
    const struct create_topics_request *body = req->body;
    const struct topics *own = req->own;
    struct create_topics_response reply = create_topics_response_defaults;
    struct create_topics_response_topic *rows =
        request_array(req, body->topics_count, sizeof(*rows));
    struct create_topics_response_config *none = request_array(req, 1, sizeof(*none));
    if (rows == NULL || none == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct topic_result *result;
        rows[i] = create_topics_response_topic_defaults;
        rows[i].name = body->topics[i].name;
        rows[i].configs = none;
        rows[i].error_code =
            judge(own, &own->outcomes[i], &result, &rows[i].error_message);
        if (rows[i].error_code != 0)
            continue;
        rows[i].topic_id = result->topic_id;
        rows[i].num_partitions = result->partitions;
        rows[i].replication_factor = result->replication_factor;
        if (req->header.api_version >= 5 && fill_configs(req, &body->topics[i], &rows[i]))
            return ERR_TOO_LARGE;
    }
    reply.topics = rows;
    reply.topics_count = body->topics_count;
    return request_reply(req, &reply);
}

int api_create_topics(struct request *req)
{
    const struct create_topics_request *body = req->body;
    size_t n = body->topics_count;
    struct slice *names = request_array(req, n, sizeof(*names));
    bool *twice;
    if (names == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        names[i] = body->topics[i].name;
    if (duplicates_find(names, n, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    struct topics *own = make(req, TOPICS_CREATE, n, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        create_item(req, own, &body->topics[i], twice[i], &own->outcomes[i]);
    return hand_over(req, own, body->timeout_ms, on_created);
}

/* ---- DeleteTopics ---- */

/* What a request asks to delete, whatever its version. */
struct doomed {
    struct slice name; /* null: by id */
    struct uuid id;
};

struct deletion {
    struct topics topics; /* first */
    struct doomed *doomed;
    size_t count;
};

static int on_deleted(struct request *req)
{
    const struct deletion *own = req->own;
    struct delete_topics_response reply = delete_topics_response_defaults;
    struct delete_topics_response_topic *rows =
        request_array(req, own->count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        const struct topic_result *result;
        rows[i] = delete_topics_response_topic_defaults;
        rows[i].name = own->doomed[i].name;
        rows[i].topic_id = own->doomed[i].id;
        rows[i].error_code = judge(&own->topics, &own->topics.outcomes[i], &result,
                                   &rows[i].error_message);
        if (rows[i].error_code != 0)
            continue;
        if (result->name.ptr != NULL)
            rows[i].name = result->name;
        rows[i].topic_id = result->topic_id;
    }
    reply.responses = rows;
    reply.responses_count = own->count;
    return request_reply(req, &reply);
}

static void delete_item(struct deletion *own, size_t i, bool duplicate)
{
    const struct doomed *doomed = &own->doomed[i];
    struct outcome *outcome = &own->topics.outcomes[i];
    bool by_name = doomed->name.ptr != NULL, by_id = !uuid_is_zero(&doomed->id);
    if (duplicate) {
        refuse(outcome, KAFKA_INVALID_REQUEST, "the topic is named more than once");
    } else if (by_name == by_id) {
        refuse(outcome, KAFKA_INVALID_REQUEST, "give either a name or an id");
    } else {
        struct json *item = json_array();
        json_push(item, by_id ? json_uuid(&doomed->id) : json_null());
        json_push(item, by_name ? json_slice(doomed->name) : json_null());
        add(&own->topics, outcome, item);
    }
}

int api_delete_topics(struct request *req)
{
    const struct delete_topics_request *body = req->body;
    bool by_entry = req->header.api_version >= 6;
    size_t n = by_entry ? body->topics_count : body->topic_names_count;
    struct deletion *own = request_array(req, 1, sizeof(*own));
    struct doomed *doomed = request_array(req, n, sizeof(*doomed));
    struct slice *keys = request_array(req, n, sizeof(*keys));
    struct outcome *outcomes = request_array(req, n, sizeof(*outcomes));
    bool *twice;
    if (own == NULL || doomed == NULL || keys == NULL || outcomes == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        doomed[i].name = by_entry ? body->topics[i].name : body->topic_names[i];
        if (by_entry)
            doomed[i].id = body->topics[i].topic_id;
        keys[i] = doomed[i].name.ptr != NULL
                      ? doomed[i].name
                      : slice_of(doomed[i].id.bytes, sizeof(doomed[i].id.bytes));
    }
    if (duplicates_find(keys, n, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    own->doomed = doomed;
    own->count = n;
    own->topics.outcomes = outcomes;
    topic_change_init(&own->topics.change, TOPICS_DELETE, false);
    for (size_t i = 0; i < n; i++)
        delete_item(own, i, twice[i]);
    return hand_over(req, &own->topics, body->timeout_ms, on_deleted);
}

/* ---- CreatePartitions ---- */

static struct json *new_assignments_json(const struct create_partitions_request_topic *t)
{
    if (t->assignments == NULL)
        return json_null();
    struct json *list = json_array();
    for (size_t i = 0; i < t->assignments_count; i++) {
        struct json *ids = json_array();
        for (size_t j = 0; j < t->assignments[i].broker_ids_count; j++)
            json_push(ids, json_int(t->assignments[i].broker_ids[j]));
        json_push(list, ids);
    }
    return list;
}

static void grow_item(struct request *req, struct topics *own,
                      const struct create_partitions_request_topic *topic, bool duplicate,
                      struct outcome *outcome)
{
    if (duplicate) {
        refuse(outcome, KAFKA_INVALID_REQUEST, "the topic is named more than once");
        return;
    }
    for (size_t i = 0; i < topic->assignments_count; i++) {
        if (!all_known(req, topic->assignments[i].broker_ids,
                       topic->assignments[i].broker_ids_count)) {
            refuse(outcome, KAFKA_INVALID_REPLICA_ASSIGNMENT, unknown_broker);
            return;
        }
    }
    struct json *item = json_array();
    json_push(item, json_slice(topic->name));
    json_push(item, json_int(topic->count));
    json_push(item, new_assignments_json(topic));
    add(own, outcome, item);
}

static int on_grown(struct request *req)
{
    const struct create_partitions_request *body = req->body;
    const struct topics *own = req->own;
    struct create_partitions_response reply = create_partitions_response_defaults;
    struct create_partitions_response_result *rows =
        request_array(req, body->topics_count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct topic_result *result;
        rows[i].name = body->topics[i].name;
        rows[i].error_code =
            judge(own, &own->outcomes[i], &result, &rows[i].error_message);
    }
    reply.results = rows;
    reply.results_count = body->topics_count;
    return request_reply(req, &reply);
}

int api_create_partitions(struct request *req)
{
    const struct create_partitions_request *body = req->body;
    size_t n = body->topics_count;
    struct slice *names = request_array(req, n, sizeof(*names));
    bool *twice;
    if (names == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        names[i] = body->topics[i].name;
    if (duplicates_find(names, n, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    struct topics *own = make(req, TOPICS_PARTITIONS, n, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        grow_item(req, own, &body->topics[i], twice[i], &own->outcomes[i]);
    return hand_over(req, own, body->timeout_ms, on_grown);
}
