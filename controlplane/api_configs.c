/* api_configs.c - topics' settings: IncrementalAlterConfigs and AlterConfigs.
 *
 * The rules for values (proto/topic_config.h) are judged here, before the command: they
 * may differ between versions of the program, and so have no place in apply (I7). Values
 * that depend on what was set before (APPEND, SUBTRACT) are judged on the core thread,
 * on a preview of the outcome. */
#include "controlplane/api.h"

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
    const struct topic_config_spec *spec = topic_config_find(change->key);
    if (spec == NULL || op_wants_value(change->op)) {
        struct slice judged = change->value;
        /* A part of a list need not be a list that stands by itself. */
        if (spec != NULL && change->op != CONFIG_SET && judged.ptr != NULL)
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

static void configs_read(struct call *call, struct json_reader *r,
                         const struct json *value, struct topic_item *item)
{
    item->name = json_as_string(r, json_at(r, value, 0), "name", COMMAND_TEXT_MAX);
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

/* Judge what the topic would have after the changes. */
static void check_outcome(struct call *call, const struct topic *topic,
                          struct topic_item *item)
{
    struct topic_config_set set;
    state_config_preview(topic, item->changes, item->change_count, &set);
    for (uint32_t i = 0; i < item->change_count && item->error == 0; i++) {
        if (item->changes[i].op != CONFIG_APPEND &&
            item->changes[i].op != CONFIG_SUBTRACT)
            continue;
        const struct topic_config_spec *spec = topic_config_find(item->changes[i].key);
        const char *value = topic_config_set_get(&set, spec->name);
        if (value != NULL)
            (void)topic_item_check_config(call, item, slice_str(spec->name),
                                          slice_str(value));
    }
    topic_config_set_fini(&set);
}

static void configs_core(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    for (size_t i = 0; i < items->count; i++) {
        struct topic_item *item = &items->items[i];
        const struct topic *topic =
            state_topic_by_name(call_cluster(node, call), item->name);
        if (topic == NULL)
            topic_item_refuse(call, item, KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                              "This server does not host this topic-partition.");
        else if (item->error == 0)
            check_outcome(call, topic, item);
        if (item->error != 0)
            continue;
        const struct control_options *options = call->service->options;
        struct command cmd = {
            .kind = COMMAND_CONFIGS_ALTER,
            .cluster_id = call->cluster_id,
            .configs_alter = {.topic_id = topic->topic_id,
                              .changes = item->changes,
                              .change_count = item->change_count,
                              .metadata_max = (uint64_t)options->max_metadata_bytes}};
        topic_item_propose(node, call, item, &cmd, state_check_configs_alter);
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
