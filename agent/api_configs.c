/* api_configs.c - AlterConfigs and IncrementalAlterConfigs, for topics, brokers and
 * groups.
 *
 * AlterConfigs replaces all settings of a resource, IncrementalAlterConfigs changes
 * single ones (KIP-339). Both become a list of operations for the control plane, which
 * checks names and values and stores them; the replies differ in their type only. */
#include <ctype.h>

#include "agent/config_source.h"
#include "agent/dispatch.h"
#include "agent/duplicates.h"
#include "agent/topic_change.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_MS 30000

/* Operations as control_api.md numbers them; 0 to 3 are Kafka's. */
enum config_op { OP_SET, OP_DELETE, OP_APPEND, OP_SUBTRACT, OP_REPLACE_ALL };

struct op {
    int8_t op; /* as the client says */
    struct slice key, value;
};

/* One resource of either API, and what became of it. */
struct change {
    int8_t type;
    struct slice name;
    struct op *ops;
    size_t op_count;
    int16_t error;
    const char *message;
    size_t item; /* index in what is sent, without error */
};

struct configs {
    struct topic_change sent;
    bool replaces; /* AlterConfigs */
    struct change *changes;
    size_t count;
};

static struct configs *make(struct request *req, size_t count, bool replaces,
                            bool validate_only)
{
    struct configs *own = request_array(req, 1, sizeof(*own));
    if (own == NULL)
        return NULL;
    own->changes = request_array(req, count, sizeof(*own->changes));
    own->count = count;
    own->replaces = replaces;
    topic_change_init(&own->sent, TOPICS_CONFIGS, validate_only);
    return own->changes == NULL ? NULL : own;
}

static struct change *begin(struct request *req, struct configs *own, size_t i,
                            int8_t type, struct slice name, size_t ops)
{
    struct change *change = &own->changes[i];
    change->type = type;
    change->name = name;
    change->ops = request_array(req, ops, sizeof(*change->ops));
    change->op_count = ops;
    return change->ops == NULL ? NULL : change;
}

static void refuse(struct change *change, int16_t error, const char *message)
{
    change->error = error;
    change->message = message;
}

/* ---- what is wrong with a request ---- */

/* A broker is named by its number, or all by none. */
static bool is_broker(struct request *req, struct slice name)
{
    int64_t id = 0;
    if (name.len == 0)
        return true;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9' || id > INT32_MAX ||
            (i > 0 && id == 0))
            return false;
        id = id * 10 + (name.ptr[i] - '0');
    }
    return id <= INT32_MAX && meta_agent_by_id(request_view(req), (int32_t)id) != NULL;
}

static void judge_resource(struct request *req, const struct configs *own,
                           struct change *change)
{
    switch (change->type) {
    case CONFIG_RESOURCE_TOPIC:
        return;
    case CONFIG_RESOURCE_BROKER:
        if (!is_broker(req, change->name))
            refuse(change, KAFKA_INVALID_REQUEST, "there is no such broker");
        return;
    case CONFIG_RESOURCE_GROUP:
        if (change->name.len == 0)
            refuse(change, KAFKA_INVALID_REQUEST,
                   "Default group resources are not allowed.");
        return;
    case CONFIG_RESOURCE_BROKER_LOGGER:
        if (own->replaces || change->name.len == 0 || !is_broker(req, change->name))
            refuse(change, KAFKA_INVALID_REQUEST,
                   "loggers are changed one by one, of brokers that exist");
        return;
    default:
        refuse(change, KAFKA_INVALID_REQUEST,
               "only topics, brokers and groups can be configured");
    }
}

/* Resources of one type that are named more than once are refused, all of them. */
static int judge_twice(struct request *req, struct configs *own, int8_t type)
{
    struct slice *names = request_array(req, own->count, sizeof(*names));
    bool *twice;
    if (names == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        if (own->changes[i].type == type)
            names[i] =
                own->changes[i].name.len == 0 ? SLICE_LITERAL("") : own->changes[i].name;
    }
    if (duplicates_find(names, own->count, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        if (twice[i] && own->changes[i].error == 0)
            refuse(&own->changes[i], KAFKA_INVALID_REQUEST,
                   "the resource is named more than once");
    }
    return 0;
}

static int judge_ops(struct request *req, const struct configs *own,
                     struct change *change)
{
    struct slice *keys = request_array(req, change->op_count, sizeof(*keys));
    bool *twice;
    if (keys == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < change->op_count && change->error == 0; i++) {
        const struct op *op = &change->ops[i];
        keys[i] = op->key;
        if (op->op < OP_SET || op->op > OP_SUBTRACT)
            refuse(change, KAFKA_INVALID_REQUEST, "an operation that does not exist");
        else if (op->value.ptr == NULL && (own->replaces || op->op != OP_DELETE))
            refuse(change, KAFKA_INVALID_REQUEST, "a value is null");
    }
    if (change->error != 0)
        return 0;
    if (duplicates_find(keys, change->op_count, &req->arena, &twice) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < change->op_count && change->error == 0; i++) {
        if (twice[i])
            refuse(change, KAFKA_INVALID_REQUEST,
                   "a configuration is named more than once");
    }
    return 0;
}

/* A logger's level is a setting of its broker, whose words are small. */
static int translate_loggers(struct request *req, struct change *change)
{
    for (size_t i = 0; i < change->op_count && change->error == 0; i++) {
        struct op *op = &change->ops[i];
        uint8_t *level = request_array(req, op->value.len + 1, 1);
        if (level == NULL)
            return ERR_TOO_LARGE;
        if (!slice_eq_str(op->key, ROOT_LOGGER))
            refuse(change, KAFKA_INVALID_CONFIG, "there is no such logger, only root");
        else if (op->op != OP_SET && op->op != OP_DELETE)
            refuse(change, KAFKA_INVALID_REQUEST, "a level is no list");
        for (size_t k = 0; k < op->value.len; k++)
            level[k] = (uint8_t)tolower(op->value.ptr[k]);
        op->key = SLICE_LITERAL(LOG_LEVEL_SETTING);
        if (op->value.ptr != NULL)
            op->value = slice_of(level, op->value.len);
    }
    return 0;
}

static int judge(struct request *req, struct configs *own)
{
    static const int8_t types[] = {CONFIG_RESOURCE_TOPIC, CONFIG_RESOURCE_BROKER,
                                   CONFIG_RESOURCE_GROUP, CONFIG_RESOURCE_BROKER_LOGGER};
    int rc = 0;
    for (size_t i = 0; i < own->count; i++)
        judge_resource(req, own, &own->changes[i]);
    for (size_t i = 0; i < ARRAY_LEN(types) && rc == 0; i++)
        rc = judge_twice(req, own, types[i]);
    for (size_t i = 0; i < own->count && rc == 0; i++) {
        if (own->changes[i].error == 0)
            rc = judge_ops(req, own, &own->changes[i]);
        if (rc == 0 && own->changes[i].type == CONFIG_RESOURCE_BROKER_LOGGER)
            rc = translate_loggers(req, &own->changes[i]);
    }
    return rc;
}

/* ---- to the control plane, and back ---- */

static void push_op(struct json *ops, enum config_op op, struct slice key,
                    struct slice value)
{
    struct json *row = json_array();
    json_push(row, json_int(op));
    json_push(row, json_slice(key));
    json_push(row, json_slice(value));
    json_push(ops, row);
}

static void add(struct configs *own, struct change *change)
{
    struct json *item = json_array(), *ops = json_array();
    if (own->replaces)
        push_op(ops, OP_REPLACE_ALL, SLICE_NULL, SLICE_NULL);
    for (size_t i = 0; i < change->op_count; i++)
        push_op(ops, (enum config_op)change->ops[i].op, change->ops[i].key,
                change->ops[i].value);
    json_push(item,
              json_slice(change->name.ptr == NULL ? SLICE_LITERAL("") : change->name));
    json_push(item, ops);
    if (change->type == CONFIG_RESOURCE_GROUP)
        json_push(item, json_int(CONFIG_RESOURCE_GROUP));
    else if (change->type != CONFIG_RESOURCE_TOPIC)
        json_push(item, json_int(CONFIG_RESOURCE_BROKER));
    change->item = topic_change_add(&own->sent, item);
}

static int hand_over(struct request *req, struct configs *own,
                     request_answer_fn *on_answer)
{
    int rc = judge(req, own);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < own->count; i++) {
        if (own->changes[i].error == 0)
            add(own, &own->changes[i]);
    }
    req->own = own;
    return topic_change_ask(req, &own->sent, request_now_ms(req) + TIMEOUT_MS, on_answer);
}

static int16_t outcome(const struct configs *own, const struct change *change,
                       struct slice *message)
{
    int16_t error = change->error;
    const char *text = change->message;
    const struct topic_result *result = NULL;
    if (error == 0)
        error = topic_change_error(&own->sent, change->item, &result);
    if (result != NULL)
        text = result->message;
    if (error != 0 && text == NULL)
        text = kafka_error_text(error);
    *message = slice_str(text);
    return error;
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

int api_alter_configs(struct request *req)
{
    const struct alter_configs_request *body = req->body;
    struct configs *own = make(req, body->resources_count, true, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        const struct alter_configs_request_resource *from = &body->resources[i];
        struct change *change = begin(req, own, i, from->resource_type,
                                      from->resource_name, from->configs_count);
        if (change == NULL)
            return ERR_TOO_LARGE;
        for (size_t k = 0; k < change->op_count; k++)
            change->ops[k] =
                (struct op){OP_SET, from->configs[k].name, from->configs[k].value};
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

int api_incremental_alter_configs(struct request *req)
{
    const struct incremental_alter_configs_request *body = req->body;
    struct configs *own = make(req, body->resources_count, false, body->validate_only);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        const struct incremental_alter_configs_request_resource *from =
            &body->resources[i];
        struct change *change = begin(req, own, i, from->resource_type,
                                      from->resource_name, from->configs_count);
        if (change == NULL)
            return ERR_TOO_LARGE;
        for (size_t k = 0; k < change->op_count; k++)
            change->ops[k] = (struct op){from->configs[k].config_operation,
                                         from->configs[k].name, from->configs[k].value};
    }
    return hand_over(req, own, on_altered_incrementally);
}
