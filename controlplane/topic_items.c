/* topic_items.c - see topic_items.h. */
#include "controlplane/topic_items.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/kafka_error.h"
#include "proto/topic_config.h"

#define MESSAGE_MAX 512

struct topic_items *topic_items_read(
    struct call *call, void (*read)(struct call *call, struct json_reader *r,
                                    const struct json *value, struct topic_item *item))
{
    struct json_reader r = call_reader(call);
    struct topic_items *items = arena_alloc(&call->arena, sizeof(*items));
    const struct json *list = json_get_array(&r, call->body, "topics");
    const struct json *validate_only = json_find(call->body, "validate_only");

    if (validate_only != NULL)
        items->validate_only = json_as_bool(&r, validate_only, "validate_only");
    if (r.failed)
        return NULL;
    items->count = json_count(list);
    if (items->count > TOPIC_ITEMS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "topics: more than %d; use several calls",
                  TOPIC_ITEMS_MAX);
        return NULL;
    }
    items->items = arena_try_array(&call->arena, items->count, sizeof(*items->items));
    if (items->items == NULL) {
        call_fail(call, ERR_TOO_LARGE, "topics: too many for one call");
        return NULL;
    }
    for (size_t i = 0; i < items->count && !r.failed && call->err.code == 0; i++)
        read(call, &r, json_at(&r, list, i), &items->items[i]);
    return r.failed || call->err.code != 0 ? NULL : items;
}

/* A text in the arena, or a standard one when the arena is full. */
static const char *keep(struct call *call, struct slice text)
{
    char *copy = arena_try_alloc(&call->arena, text.len + 1);
    if (copy == NULL)
        return "the request is not valid";
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

void topic_item_refuse(struct call *call, struct topic_item *item, int16_t error,
                       const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    if (item->error != 0)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    item->error = error;
    item->message = keep(call, slice_str(text));
}

void topic_item_settle(struct call *call, struct topic_item *item)
{
    struct command_result result;

    if (!item->proposed)
        return;
    if (command_result_read(item->proposal.result, &result) != 0) {
        item->error = KAFKA_UNKNOWN_SERVER_ERROR;
        return;
    }
    item->error = result.kafka_error;
    if (result.kafka_error == 0 && result.code != 0)
        item->error = err_kafka(result.code);
    if (item->error != 0)
        item->message = result.message.ptr != NULL ? keep(call, result.message)
                                                   : kafka_error_text(item->error);
}

/* All proposals of the call are applied: take over what each said. */
static void settled(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    (void)node;
    for (size_t i = 0; i < items->count; i++)
        topic_item_settle(call, &items->items[i]);
    call_done(call);
}

void topic_item_propose(struct node *node, struct call *call, struct topic_item *item,
                        struct command *cmd,
                        int16_t (*check)(const struct cluster *cluster,
                                         const struct command *cmd, struct str *message))
{
    const struct topic_items *items = call->data;
    struct str message;

    if (!items->validate_only) {
        item->proposed = true;
        call_target(call, "%s/%.*s",
                    item->kind == SETTING_BROKER  ? "brokers"
                    : item->kind == SETTING_GROUP ? "groups"
                                                  : "topics",
                    (int)MIN(item->name.len, (size_t)TOPIC_NAME_MAX),
                    (const char *)item->name.ptr);
        call_propose(node, call, &item->proposal, cmd, settled);
        return;
    }
    if (check == NULL)
        return;
    str_init(&message, 64 * KIB);
    int16_t error = check(call_cluster(node, call), cmd, &message);
    if (error != 0)
        topic_item_refuse(call, item, error, "%s", str_cstr(&message));
    str_fini(&message);
}

void topic_items_sent(struct call *call)
{
    const struct topic_items *items = call->data;
    for (size_t i = 0; i < items->count; i++)
        if (items->items[i].proposed)
            return; /* settled() will go on */
    call_done(call);
}

void topic_items_answer(struct call *call, struct json *(*print)(struct topic_item *item))
{
    const struct topic_items *items = call->data;
    struct json *results = json_array(), *answer = call_answer(call);
    for (size_t i = 0; i < items->count; i++)
        json_push(results, print(&items->items[i]));
    json_set(answer, "results", results);
    call_reply_json(call, 200, answer);
}

struct json *topic_item_result(const struct topic_item *item)
{
    struct json *value = json_array();
    json_push(value, json_int(item->error));
    json_push(value, item->message == NULL ? json_null() : json_string(item->message));
    return value;
}

const struct topic_config_spec *topic_item_spec(const struct topic_item *item,
                                                struct slice key)
{
    return item->kind == 0 ? topic_config_find(key) : setting_find(item->kind, key);
}

bool topic_item_check_config(struct call *call, struct topic_item *item, struct slice key,
                             struct slice value)
{
    const struct topic_config_spec *spec = topic_item_spec(item, key);
    struct err err;
    if (spec == NULL) {
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG,
                          "Unknown %s config name: %.*s",
                          item->kind == SETTING_BROKER  ? "broker"
                          : item->kind == SETTING_GROUP ? "group"
                                                        : "topic",
                          (int)MIN(key.len, (size_t)200), (const char *)key.ptr);
        return false;
    }
    if (value.ptr == NULL) {
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG,
                          "Null value not supported for topic config: %s", spec->name);
        return false;
    }
    if (item->kind == SETTING_BROKER && item->name.len > 0 &&
        setting_is_shared(spec, key)) {
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG,
                          "%.*s is about topics or groups, which every broker serves: "
                          "set it for all brokers",
                          (int)MIN(key.len, (size_t)200), (const char *)key.ptr);
        return false;
    }
    if (topic_config_check(spec, value, &err) != 0) {
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG, "%s", err.text);
        return false;
    }
    return true;
}
