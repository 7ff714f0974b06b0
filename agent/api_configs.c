/* api_configs.c - AlterConfigs and IncrementalAlterConfigs, for topics.
 *
 * AlterConfigs replaces all settings of a topic, IncrementalAlterConfigs changes single
 * ones (KIP-339). Both become a list of operations for the control plane, which checks
 * names and values and stores them. An agent's own settings are its options: they are not
 * changed from outside. */
#include "agent/config_source.h"
#include "agent/dispatch.h"
#include "agent/duplicates.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_MS 30000

/* Operations as control_api.md numbers them; 0 to 3 are Kafka's. */
enum config_op { OP_SET, OP_DELETE, OP_APPEND, OP_SUBTRACT, OP_REPLACE_ALL };

/* One resource of either API, and what became of it. */
struct change {
    int8_t type;
    struct slice name;
    int16_t error;
    const char *message;
    size_t item; /* index in the ask, without error */
};

struct configs {
    struct topics_ask ask;
    struct change *changes;
    size_t count;
};

static struct configs *make(struct request *req, size_t count, bool validate_only)
{
    struct configs *own = request_array(req, 1, sizeof(*own));
    if (own == NULL)
        return NULL;
    own->changes = request_array(req, count, sizeof(*own->changes));
    own->count = count;
    own->ask.op = TOPICS_CONFIGS;
    own->ask.validate_only = validate_only;
    return own->changes == NULL ? NULL : own;
}

static void refuse(struct change *change, int16_t error, const char *message)
{
    change->error = error;
    change->message = message;
}

/* What is wrong with the resources themselves. */
static int judge_resources(struct request *req, struct configs *own)
{
    struct slice *names = request_array(req, own->count, sizeof(*names));
    bool *twice;
    if (names == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        if (own->changes[i].type == CONFIG_RESOURCE_TOPIC)
            names[i] = own->changes[i].name;
    }
    if (duplicates_find(names, own->count, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        struct change *change = &own->changes[i];
        if (change->type == CONFIG_RESOURCE_BROKER)
            refuse(change, KAFKA_INVALID_REQUEST,
                   "brokers are configured by the options of weft-agent, not here");
        else if (change->type != CONFIG_RESOURCE_TOPIC)
            refuse(change, KAFKA_INVALID_REQUEST, "only topics can be configured");
        else if (twice[i])
            refuse(change, KAFKA_INVALID_REQUEST, "the topic is named more than once");
    }
    return 0;
}

static void push_op(struct json *ops, enum config_op op, struct slice key,
                    struct slice value)
{
    struct json *row = json_array();
    json_push(row, json_int(op));
    json_push(row, json_slice(key));
    json_push(row, json_slice(value));
    json_push(ops, row);
}

static void add(struct configs *own, struct change *change, struct json *ops)
{
    struct json *item = json_array();
    json_push(item, json_slice(change->name));
    json_push(item, ops);
    if (own->ask.items == NULL)
        own->ask.items = json_array();
    json_push(own->ask.items, item);
    change->item = own->ask.item_count++;
}

static int hand_over(struct request *req, struct configs *own,
                     request_answer_fn *on_answer)
{
    req->own = own;
    if (own->ask.item_count == 0)
        return on_answer(req);
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    return request_ask(req, &own->ask.ask, ASK_TOPICS, on_answer);
}

static int16_t outcome(const struct configs *own, const struct change *change,
                       struct slice *message)
{
    int16_t error = change->error;
    const char *text = change->message;
    if (error == 0 && own->ask.kafka_error != 0) {
        error = own->ask.kafka_error;
    } else if (error == 0) {
        error = own->ask.results[change->item].kafka_error;
        text = own->ask.results[change->item].message;
    }
    if (error != 0 && text == NULL)
        text = kafka_error_text(error);
    *message = slice_str(text);
    return error;
}

/* Keys of one resource: the first that is there twice, or null. Lists are short. */
static int keys_twice(struct request *req, const struct slice *keys, size_t n,
                      bool *found)
{
    bool *twice;
    *found = false;
    if (duplicates_find(keys, n, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        *found |= twice[i];
    return 0;
}

/* ---- AlterConfigs ---- */

static int on_altered(struct request *req)
{
    const struct configs *own = req->own;
    struct alter_configs_response reply = alter_configs_response_defaults;
    struct alter_configs_response_result *rows =
        request_array(req, own->count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        rows[i].resource_type = own->changes[i].type;
        rows[i].resource_name = own->changes[i].name;
        rows[i].error_code = outcome(own, &own->changes[i], &rows[i].error_message);
    }
    reply.responses = rows;
    reply.responses_count = own->count;
    return request_reply(req, &reply);
}

static int replace_all(struct request *req, struct configs *own, struct change *change,
                       const struct alter_configs_request_resource *resource)
{
    size_t n = resource->configs_count;
    struct slice *keys = request_array(req, n, sizeof(*keys));
    bool twice;
    if (keys == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        keys[i] = resource->configs[i].name;
        if (resource->configs[i].value.ptr == NULL) {
            refuse(change, KAFKA_INVALID_REQUEST, "a value is null");
            return 0;
        }
    }
    if (keys_twice(req, keys, n, &twice) != 0)
        return ERR_TOO_LARGE;
    if (twice) {
        refuse(change, KAFKA_INVALID_REQUEST, "a configuration is named more than once");
        return 0;
    }
    struct json *ops = json_array();
    push_op(ops, OP_REPLACE_ALL, SLICE_NULL, SLICE_NULL);
    for (size_t i = 0; i < n; i++)
        push_op(ops, OP_SET, resource->configs[i].name, resource->configs[i].value);
    add(own, change, ops);
    return 0;
}

int api_alter_configs(struct request *req)
{
    const struct alter_configs_request *body = req->body;
    struct configs *own = make(req, body->resources_count, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        own->changes[i].type = body->resources[i].resource_type;
        own->changes[i].name = body->resources[i].resource_name;
    }
    int rc = judge_resources(req, own);
    for (size_t i = 0; i < own->count && rc == 0; i++) {
        if (own->changes[i].error == 0)
            rc = replace_all(req, own, &own->changes[i], &body->resources[i]);
    }
    if (rc != 0) {
        json_free(own->ask.items);
        return rc;
    }
    return hand_over(req, own, on_altered);
}

/* ---- IncrementalAlterConfigs ---- */

static int on_altered_incrementally(struct request *req)
{
    const struct configs *own = req->own;
    struct incremental_alter_configs_response reply =
        incremental_alter_configs_response_defaults;
    struct incremental_alter_configs_response_result *rows =
        request_array(req, own->count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        rows[i].resource_type = own->changes[i].type;
        rows[i].resource_name = own->changes[i].name;
        rows[i].error_code = outcome(own, &own->changes[i], &rows[i].error_message);
    }
    reply.responses = rows;
    reply.responses_count = own->count;
    return request_reply(req, &reply);
}

static int change_some(struct request *req, struct configs *own, struct change *change,
                       const struct incremental_alter_configs_request_resource *resource)
{
    size_t n = resource->configs_count;
    struct slice *keys = request_array(req, n, sizeof(*keys));
    bool twice;
    if (keys == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const struct incremental_alter_configs_request_config *config =
            &resource->configs[i];
        keys[i] = config->name;
        if (config->config_operation < OP_SET || config->config_operation > OP_SUBTRACT)
            refuse(change, KAFKA_INVALID_REQUEST, "an operation that does not exist");
        else if (config->value.ptr == NULL && config->config_operation != OP_DELETE)
            refuse(change, KAFKA_INVALID_REQUEST, "a value is null");
        if (change->error != 0)
            return 0;
    }
    if (keys_twice(req, keys, n, &twice) != 0)
        return ERR_TOO_LARGE;
    if (twice) {
        refuse(change, KAFKA_INVALID_REQUEST, "a configuration is named more than once");
        return 0;
    }
    struct json *ops = json_array();
    for (size_t i = 0; i < n; i++)
        push_op(ops, (enum config_op)resource->configs[i].config_operation,
                resource->configs[i].name, resource->configs[i].value);
    add(own, change, ops);
    return 0;
}

int api_incremental_alter_configs(struct request *req)
{
    const struct incremental_alter_configs_request *body = req->body;
    struct configs *own = make(req, body->resources_count, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        own->changes[i].type = body->resources[i].resource_type;
        own->changes[i].name = body->resources[i].resource_name;
    }
    int rc = judge_resources(req, own);
    for (size_t i = 0; i < own->count && rc == 0; i++) {
        if (own->changes[i].error == 0)
            rc = change_some(req, own, &own->changes[i], &body->resources[i]);
    }
    if (rc != 0) {
        json_free(own->ask.items);
        return rc;
    }
    return hand_over(req, own, on_altered_incrementally);
}
