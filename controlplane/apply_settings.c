/* apply_settings.c - what is set for brokers, groups and quota entities (settings.h).
 *
 * The state_check_* functions judge; apply and validate_only both call them. Names and
 * values were checked by the proposer with proto/setting.h: those rules may differ
 * between versions of the program and so must not decide here (I7). */
#include <stdio.h>
#include <string.h>

#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"
#include "controlplane/quota_entity.h"

#define METADATA_SETTING_BYTES 200 /* a set's share of the cluster's metadata bytes */

static size_t text_bytes(struct slice name, const struct topic_config_set *values)
{
    size_t bytes = name.len;
    for (size_t i = 0; i < values->count; i++)
        bytes += strlen(values->entries[i].name) + strlen(values->entries[i].value);
    return bytes;
}

/* Whether the set of KIND and NAME may have VALUES (I12): who is over a limit can still
 * take settings away. */
static int16_t check(const struct cluster *cluster, enum setting_kind kind,
                     struct slice name, const struct topic_config_set *values,
                     uint32_t sets_max, uint64_t metadata_max, struct str *message)
{
    const struct setting_set *set = settings_find(&cluster->settings, kind, name);
    uint64_t max = apply_limit(cluster->limits.metadata_bytes, metadata_max);
    uint64_t had = set == NULL ? 0 : set->text_bytes;
    uint64_t bytes = text_bytes(name, values);

    for (size_t i = 0; i < values->count; i++) {
        if (values->count > COMMAND_CONFIGS_MAX ||
            strlen(values->entries[i].value) > COMMAND_CONFIG_VALUE_MAX) {
            str_puts(message, "too many settings, or too long a value");
            return STATE_KAFKA_INVALID_CONFIG;
        }
    }
    if (set == NULL && values->count > 0 && cluster->settings.count >= sets_max) {
        str_printf(message, "settings of %u brokers, groups and quotas are the most",
                   sets_max);
        return STATE_KAFKA_POLICY_VIOLATION;
    }
    if (max != 0 && bytes > had &&
        catalog_metadata_bytes(cluster) + METADATA_SETTING_BYTES + bytes - had > max) {
        str_puts(message, "the cluster has as many bytes of metadata as it may have: "
                          "delete topics or ask for a higher limit");
        return STATE_KAFKA_POLICY_VIOLATION;
    }
    return 0;
}

static const struct topic_config_set *values_of(const struct cluster *cluster,
                                                enum setting_kind kind, struct slice name)
{
    static const struct topic_config_set none = {.count = 0};
    const struct setting_set *set = settings_find(&cluster->settings, kind, name);
    return set == NULL ? &none : &set->values;
}

void apply_drop_setting(struct state *state, struct setting_set *set)
{
    apply_forget(state, &set->row);
    checkpoint_delete_setting(set, &state->deletes);
    settings_remove(set);
}

/* The set of KIND and NAME has VALUES from now on, whose memory moves. */
static void store(struct state *state, struct cluster *cluster, enum setting_kind kind,
                  struct slice name, struct topic_config_set *values,
                  struct command_result *result)
{
    struct setting_set *set = settings_find(&cluster->settings, kind, name);

    result->version = state->applied_index;
    if (set == NULL) {
        if (values->count == 0)
            return;
        apply_touch(state, &cluster->row);
        set = settings_add(cluster, kind, name);
        set->serial = state->catalog.next_serial++;
    }
    apply_touch(state, &set->row);
    topic_config_set_fini(&set->values);
    set->values = *values;
    memset(values, 0, sizeof(*values));
    set->etag = state->applied_index;
    settings_count_text(set);
    if (kind != SETTING_QUOTA && state->events.on_setting != NULL)
        state->events.on_setting(state->events.arg, cluster, set);
    if (set->values.count == 0)
        apply_drop_setting(state, set);
}

/* ---- brokers and groups ---- */

static int16_t preview_settings(const struct cluster *cluster, const struct command *cmd,
                                struct topic_config_set *values, struct str *message)
{
    enum setting_kind kind = (enum setting_kind)cmd->settings_alter.setting_kind;
    struct slice name = cmd->settings_alter.name;

    state_changes_preview(values_of(cluster, kind, name), cmd->settings_alter.changes,
                          cmd->settings_alter.change_count, values);
    return check(cluster, kind, name, values, cmd->settings_alter.sets_max,
                 cmd->settings_alter.metadata_max, message);
}

int16_t state_check_settings_alter(const struct cluster *cluster,
                                   const struct command *cmd, struct str *message)
{
    struct topic_config_set values;
    int16_t error = preview_settings(cluster, cmd, &values, message);
    topic_config_set_fini(&values);
    return error;
}

void apply_settings_alter(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    struct topic_config_set values;

    if (cluster == NULL)
        return;
    int16_t error = preview_settings(cluster, cmd, &values, &state->message);
    if (error != 0)
        apply_refuse_kafka(state, error, result);
    else
        store(state, cluster, (enum setting_kind)cmd->settings_alter.setting_kind,
              cmd->settings_alter.name, &values, result);
    topic_config_set_fini(&values);
}

/* ---- quotas ---- */

/* Values are kept as the shortest text that reads back as the same number. */
static void print_value(double value, char text[QUOTA_VALUE_TEXT])
{
    snprintf(text, QUOTA_VALUE_TEXT, "%.17g", value);
}

static int16_t preview_quotas(const struct cluster *cluster, const struct command *cmd,
                              struct str *entity, struct topic_config_set *values,
                              struct str *message)
{
    quota_entity_write(cmd->quotas_alter.parts, cmd->quotas_alter.part_count, entity);
    memset(values, 0, sizeof(*values));
    topic_config_set_copy(values, values_of(cluster, SETTING_QUOTA, str_slice(entity)));
    for (uint32_t i = 0; i < cmd->quotas_alter.change_count; i++) {
        const struct quota_change *change = &cmd->quotas_alter.changes[i];
        char text[QUOTA_VALUE_TEXT];
        if (change->remove) {
            topic_config_set_remove(values, change->key);
            continue;
        }
        print_value(change->value, text);
        topic_config_set_put(values, change->key, slice_str(text));
    }
    return check(cluster, SETTING_QUOTA, str_slice(entity), values,
                 cmd->quotas_alter.sets_max, cmd->quotas_alter.metadata_max, message);
}

int16_t state_check_quotas_alter(const struct cluster *cluster, const struct command *cmd,
                                 struct str *message)
{
    struct topic_config_set values;
    struct str entity;

    str_init(&entity, QUOTA_ENTITY_MAX);
    int16_t error = preview_quotas(cluster, cmd, &entity, &values, message);
    topic_config_set_fini(&values);
    str_fini(&entity);
    return error;
}

void apply_quotas_alter(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    struct topic_config_set values;
    struct str entity;

    if (cluster == NULL)
        return;
    str_init(&entity, QUOTA_ENTITY_MAX);
    int16_t error = preview_quotas(cluster, cmd, &entity, &values, &state->message);
    if (error != 0)
        apply_refuse_kafka(state, error, result);
    else
        store(state, cluster, SETTING_QUOTA, str_slice(&entity), &values, result);
    topic_config_set_fini(&values);
    str_fini(&entity);
}
