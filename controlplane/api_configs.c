/* api_configs.c - settings of topics, brokers and groups: IncrementalAlterConfigs and
 * AlterConfigs.
 *
 * The rules for values (proto/topic_config.h) are judged here, before the command: they
 * may differ between versions of the program, and so have no place in apply (I7). Values
 * that depend on what was set before (APPEND, SUBTRACT) are judged on the core thread,
 * on a preview of the outcome. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/topic_items.h"
#include "proto/kafka_error.h"
#include "proto/topic_config.h"

static bool op_wants_value(enum config_op op)
{
    return op == CONFIG_SET || op == CONFIG_APPEND || op == CONFIG_SUBTRACT;
}

/* One [op, key, value or null]. */
static void read_change(struct call *call, struct json_reader *r,
                        const struct json *value, struct topic_item *item,
                        struct config_change *change)
{
    const struct json *text = json_at(r, value, 2), *key = json_at(r, value, 1);

    change->op = (enum config_op)json_as_int(r, json_at(r, value, 0), "op", CONFIG_SET,
                                             CONFIG_REPLACE_ALL);
    if (r->failed || change->op == CONFIG_REPLACE_ALL)
        return;
    change->key = json_as_string(r, key, "key", COMMAND_TEXT_MAX);
    if (op_wants_value(change->op) && !json_is_null(text))
        change->value = json_as_string(r, text, "value", COMMAND_CONFIG_VALUE_MAX);
    if (r->failed)
        return;
    const struct topic_config_spec *spec = topic_item_spec(item, change->key);
    if (spec == NULL || op_wants_value(change->op)) {
        struct slice judged = change->value;
        /* A part of a list need not be a list that stands by itself. */
        if (spec != NULL && change->op != CONFIG_SET && judged.ptr != NULL &&
            spec->type == TOPIC_CONFIG_LIST)
            judged = slice_str(spec->default_text);
        if (!topic_item_check_config(call, item, change->key, judged))
            return;
    }
    if ((change->op == CONFIG_APPEND || change->op == CONFIG_SUBTRACT) &&
        spec->type != TOPIC_CONFIG_LIST)
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG,
                          "Can't %s to key %s because its type is not LIST.",
                          change->op == CONFIG_APPEND ? "APPEND" : "SUBTRACT",
                          spec->name);
}

/* Whose they are: of a topic, unless a third value gives Kafka's resource type. */
static void read_kind(struct call *call, struct json_reader *r, const struct json *value,
                      struct topic_item *item)
{
    int64_t kind = json_as_int(r, json_at(r, value, 2), "kind", 0, INT8_MAX);

    if (kind == SETTING_BROKER || kind == SETTING_GROUP)
        item->kind = (enum setting_kind)kind;
    else
        topic_item_refuse(call, item, KAFKA_INVALID_REQUEST,
                          "only topics, brokers and groups are configured");
    if (kind == SETTING_GROUP && item->name.len == 0)
        topic_item_refuse(call, item, KAFKA_INVALID_REQUEST,
                          "Default group resources are not allowed.");
}

static void configs_read(struct call *call, struct json_reader *r,
                         const struct json *value, struct topic_item *item)
{
    item->name = json_as_string(r, json_at(r, value, 0), "name", COMMAND_TEXT_MAX);
    if (json_count(value) > 2)
        read_kind(call, r, value, item);
    const struct json *list = json_at(r, value, 1);
    size_t count = json_count(list);

    if (r->failed)
        return;
    if (!json_is_array(list)) {
        call_fail(call, ERR_MALFORMED, "topics: the changes of a topic are not a list");
        return;
    }
    item->changes = arena_try_array(&call->arena, count, sizeof(*item->changes));
    if (count > COMMAND_CONFIGS_MAX || item->changes == NULL) {
        topic_item_refuse(call, item, KAFKA_INVALID_REQUEST, "too many changes");
        return;
    }
    for (size_t i = 0; i < count && item->error == 0 && !r->failed; i++)
        read_change(call, r, json_at(r, list, i), item, &item->changes[i]);
    item->change_count = (uint32_t)count;
    for (uint32_t i = 1; i < item->change_count; i++)
        if (item->changes[i].op == CONFIG_REPLACE_ALL)
            topic_item_refuse(call, item, KAFKA_INVALID_REQUEST,
                              "REPLACE_ALL must be the first change");
}

/* Judge what SET, that of the item's resource, would be after the changes. */
static void check_outcome(struct call *call, const struct topic_config_set *before,
                          struct topic_item *item)
{
    struct topic_config_set set;
    struct err err;

    state_changes_preview(before, item->changes, item->change_count, &set);
    for (uint32_t i = 0; i < item->change_count && item->error == 0; i++) {
        if (item->changes[i].op != CONFIG_APPEND &&
            item->changes[i].op != CONFIG_SUBTRACT)
            continue;
        char key[COMMAND_TEXT_MAX + 1];
        memcpy(key, item->changes[i].key.ptr, item->changes[i].key.len);
        key[item->changes[i].key.len] = '\0';
        const char *value = topic_config_set_get(&set, key);
        if (value != NULL)
            (void)topic_item_check_config(call, item, item->changes[i].key,
                                          slice_str(value));
    }
    if (item->kind != 0 && setting_check_all(item->kind, &set, &err) != 0)
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG, "%s", err.text);
    topic_config_set_fini(&set);
}

static void propose_topic(struct node *node, struct call *call, struct topic_item *item)
{
    const struct control_options *options = call->service->options;
    const struct topic *topic = state_topic_by_name(call_cluster(node, call), item->name);

    if (topic == NULL)
        topic_item_refuse(call, item, KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                          "This server does not host this topic-partition.");
    else if (item->error == 0)
        check_outcome(call, &topic->configs, item);
    if (item->error != 0)
        return;
    struct command cmd = {
        .kind = COMMAND_CONFIGS_ALTER,
        .cluster_id = call->cluster_id,
        .configs_alter = {.topic_id = topic->topic_id,
                          .changes = item->changes,
                          .change_count = item->change_count,
                          .metadata_max = (uint64_t)options->max_metadata_bytes}};
    topic_item_propose(node, call, item, &cmd, state_check_configs_alter);
}

static void propose_setting(struct node *node, struct call *call, struct topic_item *item)
{
    static const struct topic_config_set none = {.count = 0};
    const struct control_options *options = call->service->options;
    const struct setting_set *set =
        settings_find(&call_cluster(node, call)->settings, item->kind, item->name);

    if (item->error == 0)
        check_outcome(call, set == NULL ? &none : &set->values, item);
    if (item->error != 0)
        return;
    struct command cmd = {
        .kind = COMMAND_SETTINGS_ALTER,
        .cluster_id = call->cluster_id,
        .settings_alter = {.setting_kind = (uint8_t)item->kind,
                           .name = item->name,
                           .changes = item->changes,
                           .change_count = item->change_count,
                           .sets_max = SETTINGS_MAX,
                           .metadata_max = (uint64_t)options->max_metadata_bytes}};
    topic_item_propose(node, call, item, &cmd, state_check_settings_alter);
}

static void configs_core(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].kind == 0)
            propose_topic(node, call, &items->items[i]);
        else
            propose_setting(node, call, &items->items[i]);
    }
    topic_items_sent(call);
}

static struct json *print(struct topic_item *item)
{
    return topic_item_result(item);
}

static void configs_answer(struct call *call)
{
    topic_items_answer(call, print);
}

void api_topics_configs(struct call *call)
{
    call->data = topic_items_read(call, configs_read);
    if (call->data != NULL)
        call_ask(call, configs_core, configs_answer);
}
