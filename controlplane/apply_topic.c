/* apply_topic.c - topics are created, grow, change their settings and go.
 *
 * The state_check_* functions judge; apply and validate_only both call them. Names and
 * config values were checked by the proposer with proto/topic_config.h: those rules may
 * differ between versions of the program and so must not decide here (I7). */
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* ---- create ---- */

/* PARTITIONS more would pass the cluster's limit. */
static bool too_many_partitions(const struct cluster *cluster, int64_t more,
                                uint64_t stamped, struct str *message)
{
    uint64_t max = apply_limit(cluster->limits.partitions, stamped);
    if (cluster->partition_count + (uint64_t)more <= max)
        return false;
    str_printf(message,
               "the cluster may have %llu partitions and has %llu: delete topics or ask "
               "for a higher limit",
               (unsigned long long)max, (unsigned long long)cluster->partition_count);
    return true;
}

/* BYTES more would pass the cluster's limit. */
static bool too_much_metadata(const struct cluster *cluster, uint64_t bytes,
                              uint64_t stamped, struct str *message)
{
    uint64_t max = apply_limit(cluster->limits.metadata_bytes, stamped);
    uint64_t used = catalog_metadata_bytes(cluster);
    if (max == 0 || used + bytes <= max)
        return false;
    str_printf(message,
               "the cluster may have %llu bytes of metadata and has %llu: delete topics "
               "or ask for a higher limit",
               (unsigned long long)max, (unsigned long long)used);
    return true;
}

int16_t state_check_topic_create(const struct cluster *cluster, const struct command *cmd,
                                 struct str *message)
{
    struct slice name = cmd->topic_create.name;
    const struct topic *other = catalog_topic_colliding(cluster, name);

    if (catalog_topic_by_name(cluster, name) != NULL) {
        str_printf(message, "Topic '%.*s' already exists.", (int)name.len, name.ptr);
        return STATE_KAFKA_TOPIC_ALREADY_EXISTS;
    }
    if (catalog_topic(cluster, &cmd->topic_create.topic_id) != NULL) {
        str_puts(message, "a topic of that id exists");
        return STATE_KAFKA_TOPIC_ALREADY_EXISTS;
    }
    if (other != NULL) {
        str_printf(message, "Topic '%.*s' collides with existing topic: %s",
                   (int)name.len, name.ptr, other->name);
        return STATE_KAFKA_INVALID_TOPIC;
    }
    uint64_t topics_max =
        apply_limit(cluster->limits.topics, cmd->topic_create.topics_max);
    if (cluster->topic_count >= topics_max) {
        str_printf(message,
                   "the cluster may have %llu topics: delete some or ask for a "
                   "higher limit",
                   (unsigned long long)topics_max);
        return STATE_KAFKA_POLICY_VIOLATION;
    }
    uint64_t bytes = METADATA_TOPIC_BYTES + name.len +
                     (uint64_t)cmd->topic_create.partitions * METADATA_PARTITION_BYTES;
    if (too_many_partitions(cluster, cmd->topic_create.partitions,
                            cmd->topic_create.partitions_max, message) ||
        too_much_metadata(cluster, bytes, cmd->topic_create.metadata_max, message))
        return STATE_KAFKA_POLICY_VIOLATION;
    return 0;
}

static void touch_topic(struct state *state, struct topic *topic)
{
    apply_touch(state, &topic->cluster->row);
    apply_touch(state, &topic->row);
}

/* Anything of TOPIC changed: readers of the metadata must hear of it. */
static void topic_changed(struct state *state, struct topic *topic,
                          struct command_result *result)
{
    struct cluster *cluster = topic->cluster;
    cluster->config_version++;
    catalog_count_text(topic);
    topic->etag = result->version = state->applied_index;
    result->id = topic->topic_id;
    if (state->events.on_topic != NULL)
        state->events.on_topic(state->events.arg, cluster, topic);
}

void apply_topic_create(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct topic *topic = catalog_topic(cluster, &cmd->topic_create.topic_id);
    if (topic != NULL && slice_eq_str(cmd->topic_create.name, topic->name)) {
        result->id = topic->topic_id; /* a repeat */
        result->version = topic->etag;
        return;
    }
    int16_t error = state_check_topic_create(cluster, cmd, &state->message);
    if (error != 0) {
        apply_refuse_kafka(state, error, result);
        return;
    }
    topic = catalog_add_topic(&state->catalog, cluster, &cmd->topic_create.topic_id,
                              cmd->topic_create.name, cmd->now_ms);
    touch_topic(state, topic);
    topic->replication_factor = cmd->topic_create.replication_factor;
    for (uint32_t i = 0; i < cmd->topic_create.config_count; i++)
        topic_config_set_put(&topic->configs, cmd->topic_create.configs[i].key,
                             cmd->topic_create.configs[i].value);
    (void)apply_meter(state, cluster);
    partition_grow_topic(topic, cmd->topic_create.partitions);
    topic_changed(state, topic, result);
}

/* ---- delete ---- */

void apply_doom_topic(struct state *state, struct topic *topic)
{
    if (topic->cluster->doomed == 0)
        (void)apply_meter(state, topic->cluster);
    apply_touch(state, &topic->row);
    catalog_doom_topic(&state->catalog, topic, state->catalog.next_serial++);
}

/* TOPIC of CMD's cluster, or NULL after saying so. */
static struct topic *find_topic(struct state *state, const struct command *cmd,
                                const struct uuid *topic_id,
                                struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return NULL;
    struct topic *topic = catalog_topic(cluster, topic_id);
    if (topic == NULL)
        apply_refuse_kafka(state, STATE_KAFKA_UNKNOWN_TOPIC_ID, result);
    return topic;
}

void apply_topic_delete(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct topic *topic = find_topic(state, cmd, &cmd->topic_delete.topic_id, result);
    if (topic == NULL)
        return;
    struct cluster *cluster = topic->cluster;
    struct uuid topic_id = topic->topic_id;

    if (apply_stale(cmd, topic->etag, result))
        return;
    apply_touch(state, &cluster->row);
    cluster->config_version++;
    apply_doom_topic(state, topic);
    if (state->events.on_topic_deleted != NULL)
        state->events.on_topic_deleted(state->events.arg, cluster, &topic_id);
}

/* ---- more partitions ---- */

int16_t state_check_partitions_create(const struct cluster *cluster,
                                      const struct command *cmd, struct str *message)
{
    const struct topic *topic = catalog_topic(cluster, &cmd->partitions_create.topic_id);
    int32_t total = cmd->partitions_create.total;

    if (topic == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_ID;
    if (total <= topic->partition_count) {
        str_printf(message, "Topic currently has %d partitions, %s %d.",
                   topic->partition_count,
                   total == topic->partition_count ? "which is the requested number of"
                                                   : "which is higher than the requested",
                   total);
        return STATE_KAFKA_INVALID_PARTITIONS;
    }
    uint64_t bytes =
        (uint64_t)(total - topic->partition_count) * METADATA_PARTITION_BYTES;
    if (too_many_partitions(cluster, total - topic->partition_count,
                            cmd->partitions_create.partitions_max, message) ||
        too_much_metadata(cluster, bytes, cmd->partitions_create.metadata_max, message))
        return STATE_KAFKA_POLICY_VIOLATION;
    return 0;
}

void apply_partitions_create(struct state *state, const struct command *cmd,
                             struct command_result *result)
{
    struct topic *topic =
        find_topic(state, cmd, &cmd->partitions_create.topic_id, result);
    if (topic == NULL || apply_stale(cmd, topic->etag, result))
        return;
    int16_t error = state_check_partitions_create(topic->cluster, cmd, &state->message);
    if (error != 0) {
        apply_refuse_kafka(state, error, result);
        return;
    }
    touch_topic(state, topic);
    (void)apply_meter(state, topic->cluster);
    partition_grow_topic(topic, cmd->partitions_create.total);
    topic_changed(state, topic, result);
}

/* ---- settings ---- */

/* Whether comma-separated LIST has ITEM, blanks around items aside. */
static bool list_has(struct slice list, struct slice item)
{
    if (list.len == 0) /* perhaps null, which has no end */
        return false;
    const char *p = (const char *)list.ptr, *end = p + list.len;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma == NULL ? end : comma;
        const char *from = p, *to = stop;
        while (from < to && *from == ' ')
            from++;
        while (to > from && to[-1] == ' ')
            to--;
        if (slice_eq(slice_of(from, (size_t)(to - from)), item))
            return true;
        p = comma == NULL ? end : comma + 1;
    }
    return false;
}

/* Append the items of FROM to OUT that are not in EXCEPT and not in OUT yet. */
static void list_add(struct slice from, struct slice except, struct str *out)
{
    if (from.len == 0)
        return;
    const char *p = (const char *)from.ptr, *end = p + from.len;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma == NULL ? end : comma;
        const char *start = p;
        p = comma == NULL ? end : comma + 1;
        while (start < stop && *start == ' ')
            start++;
        while (stop > start && stop[-1] == ' ')
            stop--;
        struct slice item = slice_of(start, (size_t)(stop - start));
        if (item.len == 0 || list_has(except, item) || list_has(str_slice(out), item))
            continue;
        if (out->len > 0)
            str_putc(out, ',');
        str_append_slice(out, item);
    }
}

/* APPEND to or SUBTRACT from the list that is set, or its default. */
static void change_list(struct topic_config_set *set, const struct config_change *change)
{
    char key[COMMAND_TEXT_MAX + 1];
    struct str value;

    memcpy(key, change->key.ptr, change->key.len);
    key[change->key.len] = '\0';
    const char *old = topic_config_set_get(set, key);
    const struct topic_config_spec *spec = topic_config_find(change->key);
    if (spec == NULL) /* the default of all topics */
        spec = setting_find(SETTING_BROKER, change->key);
    if (old == NULL)
        old = spec == NULL || spec->default_text == NULL ? "" : spec->default_text;
    str_init(&value, 2 * COMMAND_CONFIG_VALUE_MAX);
    bool append = change->op == CONFIG_APPEND;
    list_add(slice_str(old), append ? SLICE_LITERAL("") : change->value, &value);
    if (append)
        list_add(change->value, SLICE_LITERAL(""), &value);
    topic_config_set_put(set, change->key, slice_str(str_cstr(&value)));
    str_fini(&value);
}

void state_config_preview(const struct topic *topic, const struct config_change *changes,
                          uint32_t change_count, struct topic_config_set *result)
{
    state_changes_preview(&topic->configs, changes, change_count, result);
}

void state_changes_preview(const struct topic_config_set *from,
                           const struct config_change *changes, uint32_t change_count,
                           struct topic_config_set *result)
{
    memset(result, 0, sizeof(*result));
    topic_config_set_copy(result, from);
    for (uint32_t i = 0; i < change_count; i++) {
        switch (changes[i].op) {
        case CONFIG_SET:
            topic_config_set_put(result, changes[i].key, changes[i].value);
            break;
        case CONFIG_DELETE:
            topic_config_set_remove(result, changes[i].key);
            break;
        case CONFIG_APPEND:
        case CONFIG_SUBTRACT:
            change_list(result, &changes[i]);
            break;
        case CONFIG_REPLACE_ALL:
            topic_config_set_fini(result);
            memset(result, 0, sizeof(*result));
            break;
        }
    }
}

/* A topic's settings have a bound like everything that a peer can grow (I12). */
static int16_t check_set(const struct topic_config_set *set, struct str *message)
{
    bool too_long = false;
    for (size_t i = 0; i < set->count; i++)
        too_long |= strlen(set->entries[i].value) > COMMAND_CONFIG_VALUE_MAX;
    if (set->count <= COMMAND_CONFIGS_MAX && !too_long)
        return 0;
    str_puts(message, "too many settings, or too long a value");
    return STATE_KAFKA_INVALID_CONFIG;
}

/* Whether TOPIC may have SET, by its size and by what it adds to the cluster's metadata:
 * who is over the limit can still take settings away. */
static int16_t check_configs(const struct topic *topic, const struct command *cmd,
                             const struct topic_config_set *set, struct str *message)
{
    uint64_t bytes = strlen(topic->name);
    int16_t error = check_set(set, message);

    for (size_t i = 0; i < set->count; i++)
        bytes += strlen(set->entries[i].name) + strlen(set->entries[i].value);
    if (error == 0 && bytes > topic->text_bytes &&
        too_much_metadata(topic->cluster, bytes - topic->text_bytes,
                          cmd->configs_alter.metadata_max, message))
        error = STATE_KAFKA_POLICY_VIOLATION;
    return error;
}

int16_t state_check_configs_alter(const struct cluster *cluster,
                                  const struct command *cmd, struct str *message)
{
    const struct topic *topic = catalog_topic(cluster, &cmd->configs_alter.topic_id);
    struct topic_config_set set;

    if (topic == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_ID;
    state_config_preview(topic, cmd->configs_alter.changes,
                         cmd->configs_alter.change_count, &set);
    int16_t error = check_configs(topic, cmd, &set, message);
    topic_config_set_fini(&set);
    return error;
}

void apply_configs_alter(struct state *state, const struct command *cmd,
                         struct command_result *result)
{
    struct topic_config_set set;
    struct topic *topic = find_topic(state, cmd, &cmd->configs_alter.topic_id, result);
    if (topic == NULL || apply_stale(cmd, topic->etag, result))
        return;
    state_config_preview(topic, cmd->configs_alter.changes,
                         cmd->configs_alter.change_count, &set);
    int16_t error = check_configs(topic, cmd, &set, &state->message);
    if (error != 0) {
        topic_config_set_fini(&set);
        apply_refuse_kafka(state, error, result);
        return;
    }
    touch_topic(state, topic);
    topic_config_set_fini(&topic->configs);
    topic->configs = set;
    topic_changed(state, topic, result);
}
