/* api_people_topics.c - people's calls about topics. What Kafka's admin protocol can do,
 * agents ask for in api_topics.c; the rules for names and configs are the same. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"
#include "controlplane/names.h"
#include "proto/topic_config.h"

#define TOPIC_KEY_MAX 249 /* of a config's name, too */

struct config_row {
    const char *name, *value;
};

struct topic_row {
    struct uuid id;
    const char *name; /* in the arena */
    int32_t partitions;
    int16_t replication_factor;
    struct config_row *configs;
    size_t config_count;
    int64_t created_at_ms;
    uint64_t bytes, records, version;
    uint64_t appended_bytes, appended_records;
};

static struct json *row_json(const void *out)
{
    const struct topic_row *row = out;
    struct json *value = json_object(), *configs = json_object();
    struct json *appended = json_object();
    for (size_t i = 0; i < row->config_count; i++)
        json_set(configs, row->configs[i].name, json_string(row->configs[i].value));
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "partitions", json_int(row->partitions));
    json_set(value, "replication_factor", json_int(row->replication_factor));
    json_set(value, "configs", configs);
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    json_set(value, "bytes", json_int((int64_t)row->bytes));
    json_set(value, "records", json_int((int64_t)row->records));
    json_set(appended, "bytes", json_int((int64_t)row->appended_bytes));
    json_set(appended, "records", json_int((int64_t)row->appended_records));
    json_set(value, "appended", appended);
    json_set(value, "revision", json_int((int64_t)row->version));
    return value;
}

static void copy_configs(struct call *call, const struct topic_config_set *set,
                         struct topic_row *row)
{
    row->configs = arena_array(&call->arena, set->count, sizeof(*row->configs));
    for (size_t i = 0; i < set->count; i++)
        row->configs[row->config_count++] = (struct config_row){
            arena_strdup(&call->arena, slice_str(set->entries[i].name)),
            arena_strdup(&call->arena, slice_str(set->entries[i].value))};
}

static void copy_topic(struct node *node, struct call *call, const void *from, void *out)
{
    const struct topic *topic = from;
    struct topic_row *row = out;
    (void)node;
    *row = (struct topic_row){
        .id = topic->topic_id,
        .name = arena_strdup(&call->arena, slice_str(topic->name)),
        .partitions = topic->partition_count,
        .replication_factor = topic->replication_factor,
        .created_at_ms = topic->created_at_ms,
        .bytes = topic->bytes,
        .records = topic->records,
        .appended_bytes = topic->appended_bytes,
        .appended_records = topic->appended_records,
        .version = topic->etag,
    };
    copy_configs(call, &topic->configs, row);
}

/* The path's topic, by its name or else its id; NULL: the call has failed. */
static const struct topic *want_topic(struct node *node, struct call *call)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct topic *topic = NULL;
    struct uuid id;

    if (cluster != NULL)
        topic = state_topic_by_name(cluster, call->id);
    if (cluster != NULL && topic == NULL && uuid_parse(call->id, &id) == 0)
        topic = state_topic(cluster, &id);
    if (topic == NULL)
        call_fail(call, ERR_NOT_FOUND, "the cluster has no such topic (any more)");
    return topic;
}

/* --- GET /api/v1/clusters/{cluster}/topics --- */

struct filter {
    struct slice name, q;
};

static const void *next_topic(struct node *node, const struct call *call, const void *row)
{
    return state_topic_next(call_cluster(node, call), row);
}

static const void *find_topic(struct node *node, const struct call *call,
                              const struct page_key *key)
{
    return state_topic(call_cluster(node, call), &key->id);
}

static void key_of_topic(const void *row, unsigned sort, struct page_key *key)
{
    const struct topic *topic = row;
    key->id = topic->topic_id;
    if (sort == 0)
        key->number = (int64_t)topic->serial;
    else
        page_key_set_text(key, slice_str(topic->name));
}

static bool match_topic(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct topic *topic = row;
    return (filter->name.ptr == NULL || slice_eq_str(filter->name, topic->name)) &&
           (filter->q.ptr == NULL || list_contains(topic->name, filter->q));
}

static const char *const topic_sorts[] = {"created_at_ms", "name", NULL};
static const struct list_source topics_source = {
    .sorts = topic_sorts,
    .row_bytes = sizeof(struct topic_row),
    .next = next_topic,
    .find = find_topic,
    .key = key_of_topic,
    .match = match_topic,
    .copy = copy_topic,
    .print = row_json,
};

void api_people_topics_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->name = call_query_text(call, "name", TOPIC_KEY_MAX);
    filter->q = call_query_text(call, "q", 100);
    call->data = filter;
    list_start(call, &topics_source);
}

/* --- the body's configs --- */

/* {"name": "value" or null}; null only if MAY_UNSET. */
static void read_configs(struct call *call, bool may_unset,
                         struct config_change **changes, uint32_t *count)
{
    const struct json *configs = json_find(call->body, "configs"), *value;
    const struct topic_config_spec *spec;
    struct json_reader r = call_reader(call);
    const char *key;
    void *iter = NULL;

    if (configs == NULL || call->err.code != 0)
        return;
    if (!json_is_object(configs)) {
        call_fail(call, ERR_MALFORMED, "configs: not an object");
        return;
    }
    if (json_count(configs) > COMMAND_CONFIGS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "configs: more than %d", COMMAND_CONFIGS_MAX);
        return;
    }
    *changes = arena_array(&call->arena, json_count(configs), sizeof(**changes));
    while (call->err.code == 0 && json_next(configs, &iter, &key, &value)) {
        struct config_change *change = &(*changes)[(*count)++];
        struct err err;
        change->key = slice_str(key);
        change->op = CONFIG_SET;
        if (may_unset && json_is_null(value))
            change->op = CONFIG_DELETE;
        else
            change->value =
                json_as_string(&r, value, "configs", COMMAND_CONFIG_VALUE_MAX);
        if ((spec = topic_config_find(change->key)) == NULL)
            call_fail(call, ERR_INVALID,
                      "configs: one of the names is no topic config of Kafka's");
        else if (change->op == CONFIG_SET && !r.failed &&
                 topic_config_check(spec, change->value, &err) != 0)
            call_fail(call, ERR_INVALID, "configs: %.200s", err.text);
    }
}

static int64_t read_number(struct call *call, const char *name, int64_t max,
                           int64_t absent)
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, name);
    if (value == NULL || call->err.code != 0)
        return absent;
    return json_as_int(&r, value, name, 1, max);
}

/* --- POST /api/v1/clusters/{cluster}/topics --- */

struct topic_change {
    struct change change;
    struct topic_row row;
    /* PATCH */
    int32_t partitions; /* 0: as they are */
    struct config_change *changes;
    uint32_t change_count;
    struct uuid topic_id;
    struct call_proposal more;
};

static void create_prepare(struct node *node, struct call *call, struct change *change)
{
    const struct cluster *cluster = call_cluster(node, call);
    struct cluster_limits limits = call_limits(call, cluster);
    change->cmd.cluster_id = call->cluster_id;
    change->cmd.topic_create.topics_max = limits.topics;
    change->cmd.topic_create.partitions_max = limits.partitions;
    change->cmd.topic_create.metadata_max = limits.metadata_bytes;
}

static void create_copy(struct node *node, struct call *call, struct change *change)
{
    struct topic_change *create = CONTAINER_OF(change, struct topic_change, change);
    struct topic_row *row = &create->row;
    const struct command *cmd = &change->cmd;
    (void)node;

    *row = (struct topic_row){
        .id = change->result.id,
        .name = arena_strdup(&call->arena, cmd->topic_create.name),
        .partitions = cmd->topic_create.partitions,
        .replication_factor = cmd->topic_create.replication_factor,
        .created_at_ms = change->result.at_ms,
        .version = change->result.version,
    };
    row->configs =
        arena_array(&call->arena, cmd->topic_create.config_count, sizeof(*row->configs));
    for (uint32_t i = 0; i < cmd->topic_create.config_count; i++)
        row->configs[row->config_count++] = (struct config_row){
            arena_strdup(&call->arena, cmd->topic_create.configs[i].key),
            arena_strdup(&call->arena, cmd->topic_create.configs[i].value)};
}

static void create_answer(struct call *call)
{
    const struct topic_change *create = call->data;
    char id[UUID_TEXT_LEN + 1];
    call_location(call, "/api/v1/clusters/%s/topics/%s",
                  uuid_print(&call->cluster_id, id), create->row.name);
    call_etag(call, create->row.version);
    call_reply_json(call, 201, row_json(&create->row));
}

void api_people_topics_create(struct call *call)
{
    const struct control_options *options = call->service->options;
    struct topic_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct change *change = &create->change;
    struct json_reader r = call_reader(call);

    if (!call_check_members(call, "name, partitions, replication_factor, configs"))
        return;
    struct slice name = json_get_string(&r, call->body, "name", TOPIC_KEY_MAX);
    if (!r.failed && !topic_name_valid(name))
        call_fail(call, ERR_INVALID,
                  "name: want 1 to 249 letters, digits, dots, underscores or hyphens, "
                  "and not . or ..");
    change->what = "topic";
    change->made_id = uuid_random();
    change->cmd = (struct command){
        .kind = COMMAND_TOPIC_CREATE,
        .topic_create = {
            .topic_id = change->made_id,
            .name = name,
            .partitions = (int32_t)read_number(call, "partitions", COMMAND_PARTITIONS_MAX,
                                               options->default_partitions),
            .replication_factor = (int16_t)read_number(
                call, "replication_factor", INT16_MAX, options->default_replication)}};
    read_configs(call, false, &create->changes, &create->change_count);
    if (call->err.code != 0)
        return;
    change->cmd.topic_create.configs = create->changes;
    change->cmd.topic_create.config_count = create->change_count;
    change->prepare = create_prepare;
    change->copy = create_copy;
    change->answer = create_answer;
    call_target(call, "topics/%.*s", (int)name.len, (const char *)name.ptr);
    change_start(call, change);
}

/* --- GET, DELETE /api/v1/clusters/{cluster}/topics/{topic} --- */

static const void *want_row(struct node *node, struct call *call)
{
    return want_topic(node, call);
}

static const struct one_source topic_source = {
    .rows = &topics_source,
    .row_at = offsetof(struct topic_change, row),
    .version_at = offsetof(struct topic_row, version),
    .want = want_row,
};

void api_people_topics_get(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct topic_change));
    one_start(call, &topic_source);
}

static void delete_prepare(struct node *node, struct call *call, struct change *change)
{
    const struct topic *topic = want_topic(node, call);
    if (topic == NULL)
        return;
    change->cmd = (struct command){.kind = COMMAND_TOPIC_DELETE,
                                   .cluster_id = call->cluster_id,
                                   .if_version = change->cmd.if_version,
                                   .topic_delete = {.topic_id = topic->topic_id}};
    call_target(call, "topics/%s", topic->name);
}

void api_people_topics_delete(struct call *call)
{
    struct change *change = arena_alloc(&call->arena, sizeof(*change));
    change->what = "topic";
    change->prepare = delete_prepare;
    change_start(call, change);
}

/* --- PATCH /api/v1/clusters/{cluster}/topics/{topic} ---
 *
 * Two commands when both configs and partitions change; what the second may refuse is
 * asked before the first is proposed. */

static void patch_copy_topic(struct node *node, struct call *call)
{
    struct topic_change *patch = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    const struct topic *topic =
        cluster == NULL ? NULL : state_topic(cluster, &patch->topic_id);
    if (topic == NULL)
        call_fail(call, ERR_NOT_FOUND, "the topic was deleted at the same time");
    else
        copy_topic(node, call, topic, &patch->row);
}

static void partitions_settled(struct node *node, struct call *call)
{
    struct topic_change *patch = call->data;
    struct command_result result;
    if (call_result(call, &patch->more, "topic", &result))
        patch_copy_topic(node, call);
    call_done(call);
}

static struct command partitions_command(struct node *node, struct call *call)
{
    const struct topic_change *patch = call->data;
    struct cluster_limits limits = call_limits(call, call_cluster(node, call));
    return (struct command){.kind = COMMAND_PARTITIONS_CREATE,
                            .cluster_id = call->cluster_id,
                            .partitions_create = {.topic_id = patch->topic_id,
                                                  .total = patch->partitions,
                                                  .partitions_max = limits.partitions,
                                                  .metadata_max = limits.metadata_bytes}};
}

static void propose_partitions(struct node *node, struct call *call, uint64_t if_version)
{
    struct topic_change *patch = call->data;
    struct command cmd = partitions_command(node, call);
    cmd.if_version = if_version;
    call_action(call, "topic.partitions");
    call_propose(node, call, &patch->more, &cmd, partitions_settled);
}

static void configs_settled(struct node *node, struct call *call)
{
    struct topic_change *patch = call->data;
    struct command_result result;

    if (!call_result(call, &patch->change.proposal, "topic", &result) ||
        call_cluster(node, call) == NULL) {
        call_fail(call, ERR_NOT_FOUND, "the cluster was deleted at the same time");
        call_done(call);
    } else if (patch->partitions != 0) {
        propose_partitions(node, call, 0);
    } else {
        patch_copy_topic(node, call);
        call_done(call);
    }
}

/* What a check of the state says, as the call's failure. */
static bool passes(struct call *call, int16_t error, struct str *message)
{
    if (error != 0)
        call_fail(call, error == STATE_KAFKA_POLICY_VIOLATION ? ERR_LIMIT : ERR_INVALID,
                  "%.200s", str_cstr(message));
    str_fini(message);
    return error == 0;
}

/* Only partitions change, or nothing at all. */
static void keep_configs(struct node *node, struct call *call, const struct topic *topic)
{
    struct topic_change *patch = call->data;

    if (patch->partitions != 0) {
        propose_partitions(node, call, call->if_version);
        return;
    }
    if (call->if_version != 0 && call->if_version != topic->etag)
        call_fail(call, ERR_STALE, "the topic was changed since: get it again");
    else
        copy_topic(node, call, topic, &patch->row);
    call_done(call);
}

static void patch_core(struct node *node, struct call *call)
{
    struct topic_change *patch = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    const struct topic *topic = want_topic(node, call);
    struct str message;

    if (topic == NULL) {
        call_done(call);
        return;
    }
    patch->topic_id = topic->topic_id;
    call_target(call, "topics/%s", topic->name);
    /* As many as there are is no change. */
    if (patch->partitions == topic->partition_count)
        patch->partitions = 0;
    if (patch->partitions != 0) {
        struct command cmd = partitions_command(node, call);
        str_init(&message, 4 * KIB);
        if (!passes(call, state_check_partitions_create(cluster, &cmd, &message),
                    &message)) {
            call_done(call);
            return;
        }
    }
    if (patch->change_count == 0) {
        keep_configs(node, call, topic);
        return;
    }
    struct command cmd = {
        .kind = COMMAND_CONFIGS_ALTER,
        .cluster_id = call->cluster_id,
        .if_version = call->if_version,
        .configs_alter = {.topic_id = patch->topic_id,
                          .changes = patch->changes,
                          .change_count = patch->change_count,
                          .metadata_max = call_limits(call, cluster).metadata_bytes}};
    call_action(call, "topic.configs");
    call_propose(node, call, &patch->change.proposal, &cmd, configs_settled);
}

static void patch_answer(struct call *call)
{
    one_reply(call, 200, &topic_source);
}

void api_people_topics_patch(struct call *call)
{
    struct topic_change *patch = arena_alloc(&call->arena, sizeof(*patch));

    if (!call_check_members(call, "partitions, configs"))
        return;
    if (json_count(call->body) == 0)
        call_fail(call, ERR_INVALID, "the body names nothing to be changed");
    patch->partitions =
        (int32_t)read_number(call, "partitions", COMMAND_PARTITIONS_MAX, 0);
    read_configs(call, true, &patch->changes, &patch->change_count);
    if (call->err.code != 0)
        return;
    call->data = patch;
    call_ask(call, patch_core, patch_answer);
}

/* --- GET /api/v1/clusters/{cluster}/topics/{topic}/partitions --- */

struct partition_row {
    struct partition_offsets offsets;
    struct partition_size size;
};

struct partitions_call {
    int64_t first;
    size_t limit, count;
    int32_t total;
    struct partition_row *rows;
};

static void partitions_core(struct node *node, struct call *call)
{
    struct partitions_call *list = call->data;
    const struct topic *topic = want_topic(node, call);
    int32_t first = (int32_t)list->first;

    if (topic != NULL) {
        list->total = topic->partition_count;
        for (int32_t i = first; i < list->total && list->count < list->limit; i++) {
            struct partition_row *row = &list->rows[list->count];
            if (state_offsets(topic, i, &row->offsets) != 0)
                break;
            row->size = state_partition_size(topic, i);
            list->count++;
        }
    }
    call_done(call);
}

static struct json *partition_json(int64_t index, const struct partition_row *row)
{
    struct json *value = json_object();
    json_set(value, "partition", json_int(index));
    json_set(value, "log_start_offset", json_int(row->offsets.log_start_offset));
    json_set(value, "high_watermark", json_int(row->offsets.high_watermark));
    json_set(value, "bytes", json_int((int64_t)row->size.bytes));
    json_set(value, "runs", json_int((int64_t)row->size.runs));
    json_set(value, "last_timestamp_ms",
             row->size.runs > 0 ? json_int(row->size.max_timestamp) : json_null());
    return value;
}

static void partitions_answer(struct call *call)
{
    const struct partitions_call *list = call->data;
    struct json *items = json_array();
    int64_t end = list->first + (int64_t)list->count;
    char next[24];

    for (size_t i = 0; i < list->count; i++)
        json_push(items, partition_json(list->first + (int64_t)i, &list->rows[i]));
    snprintf(next, sizeof(next), "%lld", (long long)end - 1);
    list_reply(call, items, end < list->total && list->count > 0 ? next : NULL);
}

void api_partitions_list(struct call *call)
{
    struct partitions_call *list = arena_alloc(&call->arena, sizeof(*list));
    list->limit = list_limit(call);
    list->first = call_query_int(call, "after", 0, COMMAND_PARTITIONS_MAX, -1) + 1;
    if (call->err.code != 0)
        return;
    list->rows = arena_array(&call->arena, list->limit, sizeof(*list->rows));
    call->data = list;
    call_ask(call, partitions_core, partitions_answer);
}
