/* api_topics.c - topics: create, delete, add partitions. Errors are those that Kafka's
 * CreateTopics, DeleteTopics and CreatePartitions give (kafka 4.2's ReplicationControl).
 *
 * Manual assignments are checked as Kafka does and then counted only: the object store
 * replicates, and any agent serves any partition (I9). */
#include "controlplane/api.h"

#include <string.h>

#include "common/mem.h"
#include "controlplane/topic_items.h"
#include "proto/kafka_error.h"
#include "proto/topic_config.h"

#define REPLICAS_MAX 32767

/* --- assignments --- */

/* One partition's replicas: node ids, none twice, as many as FACTOR (0: unknown yet).
 * Returns their number, or 0 when the item is refused. */
static size_t check_replicas(struct call *call, struct json_reader *r,
                             struct topic_item *item, const struct json *list,
                             size_t factor)
{
    size_t count = json_count(list);
    if (!json_is_array(list) || count == 0 || count > REPLICAS_MAX) {
        topic_item_refuse(
            call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes an empty replica list.");
        return 0;
    }
    if (factor != 0 && count != factor) {
        topic_item_refuse(call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                          "The manual partition assignment includes partitions with "
                          "different numbers of replicas.");
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t id = json_as_int(r, json_at(r, list, i), "replica", INT32_MIN, INT32_MAX);
        bool bad = id < 0;
        for (size_t j = 0; j < i && !bad && count <= 64; j++)
            bad = json_as_int(r, json_at(r, list, j), "replica", INT32_MIN, INT32_MAX) ==
                  id;
        if (bad) {
            topic_item_refuse(call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                              "The manual partition assignment includes the broker %lld "
                              "more than once, or one that cannot be.",
                              (long long)id);
            return 0;
        }
    }
    return count;
}

/* [[partition, [node_id...]]...]: each partition of 0..n-1 once. */
static void check_create_assignments(struct call *call, struct json_reader *r,
                                     struct topic_item *item)
{
    const struct json *list = item->assignments;
    size_t count = json_count(list), factor = 0;

    if (item->partitions != -1 || item->replication_factor != -1) {
        topic_item_refuse(
            call, item, KAFKA_INVALID_REQUEST,
            "A manual partition assignment was specified, but numPartitions "
            "or replicationFactor was not set to -1.");
        return;
    }
    if (count > COMMAND_PARTITIONS_MAX) {
        topic_item_refuse(call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                          "The manual partition assignment has too many partitions.");
        return;
    }
    uint8_t *seen = mem_zalloc(count);
    for (size_t i = 0; i < count && item->error == 0 && !r->failed; i++) {
        const struct json *value = json_at(r, list, i);
        int64_t partition =
            json_as_int(r, json_at(r, value, 0), "partition", INT32_MIN, INT32_MAX);
        if (partition < 0 || (size_t)partition >= count || seen[partition] != 0)
            topic_item_refuse(
                call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                "partitions should be a consecutive 0-based integer sequence");
        else
            seen[partition] = 1;
        factor = check_replicas(call, r, item, json_at(r, value, 1), factor);
    }
    mem_free(seen);
    item->partitions = (int32_t)count;
    item->replication_factor = (int16_t)factor;
}

/* --- create --- */

static void read_configs(struct call *call, struct json_reader *r,
                         const struct json *configs, struct topic_item *item)
{
    const struct json *value;
    const char *key;
    void *iter = NULL;
    size_t count = json_count(configs);

    if (json_is_null(configs) || item->error != 0)
        return;
    if (!json_is_object(configs)) {
        call_fail(call, ERR_MALFORMED,
                  "topics: the configs of a topic are not an object");
        return;
    }
    item->changes = arena_try_array(&call->arena, count, sizeof(*item->changes));
    if (count > COMMAND_CONFIGS_MAX || item->changes == NULL) {
        topic_item_refuse(call, item, KAFKA_INVALID_CONFIG, "too many configs");
        return;
    }
    while (item->error == 0 && !r->failed && json_next(configs, &iter, &key, &value)) {
        struct slice text = SLICE_NULL;
        if (!json_is_null(value))
            text = json_as_string(r, value, "config", COMMAND_CONFIG_VALUE_MAX);
        if (topic_item_check_config(call, item, slice_str(key), text))
            item->changes[item->change_count++] = (struct config_change){
                .op = CONFIG_SET, .key = slice_str(key), .value = text};
    }
}

static void check_numbers(struct call *call, struct topic_item *item)
{
    const struct control_options *options = call->service->options;
    if (item->partitions == -1)
        item->partitions = (int32_t)options->default_partitions;
    if (item->replication_factor == -1)
        item->replication_factor = (int16_t)options->default_replication;
    if (item->partitions < 1)
        topic_item_refuse(call, item, KAFKA_INVALID_PARTITIONS,
                          "Number of partitions must be larger than 0.");
    else if (item->partitions > COMMAND_PARTITIONS_MAX)
        topic_item_refuse(call, item, KAFKA_INVALID_PARTITIONS,
                          "A topic can have %d partitions at most.",
                          COMMAND_PARTITIONS_MAX);
    if (item->replication_factor < 1)
        topic_item_refuse(call, item, KAFKA_INVALID_REPLICATION_FACTOR,
                          "Replication factor must be larger than 0, or -1 to use the "
                          "default value.");
}

static void create_read(struct call *call, struct json_reader *r,
                        const struct json *value, struct topic_item *item)
{
    item->name = json_as_string(r, json_at(r, value, 0), "name", COMMAND_TEXT_MAX);
    item->partitions =
        (int32_t)json_as_int(r, json_at(r, value, 1), "partitions", INT32_MIN, INT32_MAX);
    item->replication_factor = (int16_t)json_as_int(
        r, json_at(r, value, 2), "replication_factor", INT16_MIN, INT16_MAX);
    item->assignments = json_at(r, value, 4);
    if (r->failed)
        return;
    if (!topic_name_valid(item->name))
        topic_item_refuse(
            call, item, KAFKA_INVALID_TOPIC_EXCEPTION,
            "Topic name is invalid: want 1 to 249 letters, digits, '.', '_' "
            "or '-', and not '.' or '..'");
    if (json_count(item->assignments) > 0)
        check_create_assignments(call, r, item);
    check_numbers(call, item);
    read_configs(call, r, json_at(r, value, 3), item);
}

/* As Kafka: that a topic exists is said before what else is wrong with the request. */
static void exists_first(struct node *node, struct call *call, struct topic_item *item)
{
    const struct cluster *cluster = call_cluster(node, call);

    if (item->name.len == 0 || state_topic_by_name(cluster, item->name) == NULL)
        return;
    item->error = KAFKA_TOPIC_ALREADY_EXISTS;
    item->message = arena_printf(&call->arena, "Topic '%.*s' already exists.",
                                 (int)item->name.len, (const char *)item->name.ptr);
}

static void create_core(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    const struct control_options *options = call->service->options;
    for (size_t i = 0; i < items->count; i++) {
        struct topic_item *item = &items->items[i];
        if (item->error != 0) {
            exists_first(node, call, item);
            continue;
        }
        struct command cmd = {
            .kind = COMMAND_TOPIC_CREATE,
            .cluster_id = call->cluster_id,
            .topic_create = {.topic_id = item->topic_id,
                             .name = item->name,
                             .partitions = item->partitions,
                             .replication_factor = item->replication_factor,
                             .configs = item->changes,
                             .config_count = item->change_count,
                             .topics_max = (uint32_t)options->max_topics,
                             .partitions_max = (uint32_t)options->max_partitions,
                             .metadata_max = (uint64_t)options->max_metadata_bytes}};
        topic_item_propose(node, call, item, &cmd, state_check_topic_create);
    }
    topic_items_sent(call);
}

static struct json *create_print(struct topic_item *item)
{
    struct json *value = topic_item_result(item);
    struct uuid none = UUID_ZERO;
    json_push(value, json_uuid(item->error == 0 ? &item->topic_id : &none));
    json_push(value, json_int(item->error == 0 ? item->partitions : -1));
    json_push(value, json_int(item->error == 0 ? item->replication_factor : -1));
    return value;
}

static void create_answer(struct call *call)
{
    topic_items_answer(call, create_print);
}

void api_topics_create(struct call *call)
{
    struct topic_items *items = topic_items_read(call, create_read);
    if (items == NULL)
        return;
    /* Kafka answers validate_only with the zero id: nothing has one yet. */
    for (size_t i = 0; i < items->count && !items->validate_only; i++)
        items->items[i].topic_id = uuid_random();
    call->data = items;
    call_ask(call, create_core, create_answer);
}

/* --- delete --- */

static void delete_read(struct call *call, struct json_reader *r,
                        const struct json *value, struct topic_item *item)
{
    const struct json *id = json_at(r, value, 0), *name = json_at(r, value, 1);
    if (!json_is_null(id))
        item->topic_id = json_as_uuid(r, id, "topic_id");
    if (!json_is_null(name))
        item->name = json_as_string(r, name, "name", COMMAND_TEXT_MAX);
    if (!r->failed && json_is_null(id) && json_is_null(name))
        call_fail(call, ERR_INVALID, "topics: neither topic_id nor name is given");
}

static const struct topic *find_topic(const struct cluster *cluster,
                                      const struct topic_item *item)
{
    return item->name.ptr != NULL ? state_topic_by_name(cluster, item->name)
                                  : state_topic(cluster, &item->topic_id);
}

/* The item's topic, or NULL when there is none: then it is refused. */
static const struct topic *want_topic(struct node *node, struct call *call,
                                      struct topic_item *item)
{
    const struct topic *topic = find_topic(call_cluster(node, call), item);
    if (topic == NULL && item->name.ptr == NULL)
        topic_item_refuse(call, item, KAFKA_UNKNOWN_TOPIC_ID,
                          "This server does not host this topic ID.");
    else if (topic == NULL)
        topic_item_refuse(call, item, KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                          "This server does not host this topic-partition.");
    return topic;
}

static void delete_core(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    for (size_t i = 0; i < items->count; i++) {
        struct topic_item *item = &items->items[i];
        const struct topic *topic = want_topic(node, call, item);
        if (topic == NULL)
            continue;
        item->topic_id = topic->topic_id;
        item->name = arena_dup(&call->arena, slice_str(topic->name));
        struct command cmd = {.kind = COMMAND_TOPIC_DELETE,
                              .cluster_id = call->cluster_id,
                              .topic_delete = {.topic_id = item->topic_id}};
        topic_item_propose(node, call, item, &cmd, NULL);
    }
    topic_items_sent(call);
}

static struct json *delete_print(struct topic_item *item)
{
    struct json *value = topic_item_result(item);
    json_push(value, json_uuid(&item->topic_id));
    json_push(value, json_slice(item->name));
    return value;
}

static void delete_answer(struct call *call)
{
    topic_items_answer(call, delete_print);
}

void api_topics_delete(struct call *call)
{
    call->data = topic_items_read(call, delete_read);
    if (call->data != NULL)
        call_ask(call, delete_core, delete_answer);
}

/* --- partitions --- */

static void partitions_read(struct call *call, struct json_reader *r,
                            const struct json *value, struct topic_item *item)
{
    size_t factor = 0;
    item->name = json_as_string(r, json_at(r, value, 0), "name", COMMAND_TEXT_MAX);
    item->partitions =
        (int32_t)json_as_int(r, json_at(r, value, 1), "new_total", INT32_MIN, INT32_MAX);
    item->assignments = json_at(r, value, 2);
    if (r->failed)
        return;
    if (item->partitions < 1 || item->partitions > COMMAND_PARTITIONS_MAX)
        topic_item_refuse(call, item, KAFKA_INVALID_PARTITIONS,
                          "A topic can have 1 to %d partitions.", COMMAND_PARTITIONS_MAX);
    if (json_is_null(item->assignments))
        item->assignments = NULL;
    for (size_t i = 0; i < json_count(item->assignments) && item->error == 0; i++)
        factor = check_replicas(call, r, item, json_at(r, item->assignments, i), factor);
}

static void partitions_core(struct node *node, struct call *call)
{
    struct topic_items *items = call->data;
    const struct control_options *options = call->service->options;
    for (size_t i = 0; i < items->count; i++) {
        struct topic_item *item = &items->items[i];
        const struct topic *topic = want_topic(node, call, item);
        if (topic == NULL || item->error != 0)
            continue;
        int64_t more = (int64_t)item->partitions - topic->partition_count;
        if (more > 0 && item->assignments != NULL &&
            (int64_t)json_count(item->assignments) != more) {
            topic_item_refuse(
                call, item, KAFKA_INVALID_REPLICA_ASSIGNMENT,
                "Attempted to add %lld additional partition(s), but only %zu "
                "assignment(s) were specified.",
                (long long)more, json_count(item->assignments));
            continue;
        }
        struct command cmd = {
            .kind = COMMAND_PARTITIONS_CREATE,
            .cluster_id = call->cluster_id,
            .partitions_create = {.topic_id = topic->topic_id,
                                  .total = item->partitions,
                                  .partitions_max = (uint32_t)options->max_partitions,
                                  .metadata_max = (uint64_t)options->max_metadata_bytes}};
        topic_item_propose(node, call, item, &cmd, state_check_partitions_create);
    }
    topic_items_sent(call);
}

static struct json *plain_print(struct topic_item *item)
{
    return topic_item_result(item);
}

static void partitions_answer(struct call *call)
{
    topic_items_answer(call, plain_print);
}

void api_topics_partitions(struct call *call)
{
    call->data = topic_items_read(call, partitions_read);
    if (call->data != NULL)
        call_ask(call, partitions_core, partitions_answer);
}
