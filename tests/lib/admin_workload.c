/* admin_workload.c - see admin_workload.h. */
#include "tests/lib/admin_workload.h"

#include <stdio.h>
#include <string.h>

#include "common/cursor.h"
#include "controlplane/quota_entity.h"

static const struct topic *any_topic(const struct cluster *cluster,
                                     uint32_t (*pick)(uint32_t n))
{
    const struct topic *topic = NULL;
    for (uint32_t i = 0; cluster->topic_count > 0 && i <= pick(cluster->topic_count); i++)
        topic = state_topic_next(cluster, topic);
    return topic;
}

/* What a cut must say now. */
static int16_t expected(const struct topic *topic, const struct records_cut *cut,
                        int64_t *start)
{
    struct partition_offsets offsets;
    *start = -1;
    if (topic == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_ID;
    if (state_offsets(topic, cut->partition, &offsets) != 0)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    const char *policy = topic_config_set_get(&topic->configs, "cleanup.policy");
    if (policy != NULL && policy[0] != '\0' && strstr(policy, "delete") == NULL)
        return STATE_KAFKA_POLICY_VIOLATION;
    int64_t offset = cut->offset == -1 ? offsets.high_watermark : cut->offset;
    if (offset < 0 || offset > offsets.high_watermark)
        return STATE_KAFKA_OFFSET_OUT_OF_RANGE;
    *start = MAX(offset, offsets.log_start_offset);
    return 0;
}

/* The log begins at START, and its first run holds that offset. */
static bool begins_at(const struct topic *topic, int32_t partition, int64_t start)
{
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;

    if (state_plan(topic, partition, start, &offsets, &walk) != 0 ||
        offsets.log_start_offset != start)
        return false;
    if (!state_plan_next(&walk, &run))
        return start == offsets.high_watermark &&
               state_partition_size(topic, partition).runs == 0;
    return run.base_offset <= start && start < run.base_offset + run.records;
}

static bool delete_records(struct driver *driver, uint32_t (*pick)(uint32_t n))
{
    const struct cluster *cluster = state_cluster(driver->state, &driver->cluster_id);
    struct records_cut cut = {.partition = (int32_t)pick(5) - 1};
    struct command cmd = {.kind = COMMAND_RECORDS_DELETE,
                          .records_delete = {.cuts = &cut, .cut_count = 1}};
    const struct topic *topic = pick(8) == 0 ? NULL : any_topic(cluster, pick);
    struct partition_offsets offsets = {0, 0};
    struct reader r;
    int64_t start;

    cut.topic_id = topic == NULL ? test_uuid(77, 1) : topic->topic_id;
    if (topic != NULL && state_offsets(topic, cut.partition, &offsets) == 0)
        cut.offset = (int64_t)pick((uint32_t)offsets.high_watermark + 4) - 2;
    int16_t want = expected(topic, &cut, &start);
    struct command_result result = driver_apply(driver, &cmd);
    reader_init(&r, result.data);
    return result.code == 0 && reader_i16(&r) == want && reader_i64(&r) == start &&
           (want != 0 || begins_at(topic, cut.partition, start));
}

static bool alter_settings(struct driver *driver, uint32_t (*pick)(uint32_t n))
{
    static const char *const names[] = {"", "1", "2"};
    static const char *const keys[] = {"weft.log.level", "message.max.bytes", "y"};
    const struct cluster *cluster = state_cluster(driver->state, &driver->cluster_id);
    enum setting_kind kind = pick(2) == 0 ? SETTING_BROKER : SETTING_GROUP;
    struct slice name = slice_str(names[pick(3)]);
    char value[16];
    struct config_change change = {.op = (enum config_op)pick(2),
                                   .key = slice_str(keys[pick(3)])};
    struct command cmd = {.kind = COMMAND_SETTINGS_ALTER,
                          .settings_alter = {.setting_kind = (uint8_t)kind,
                                             .name = name,
                                             .changes = &change,
                                             .change_count = 1,
                                             .sets_max = 7}};
    snprintf(value, sizeof(value), "%u", pick(100));
    if (change.op == CONFIG_SET)
        change.value = slice_str(value);
    bool was = settings_find(&cluster->settings, kind, name) != NULL;
    bool full = change.op == CONFIG_SET && !was && cluster->settings.count >= 7;
    struct command_result result = driver_apply(driver, &cmd);
    if (result.kafka_error != (full ? STATE_KAFKA_POLICY_VIOLATION : 0))
        return false;
    const struct setting_set *set = settings_find(&cluster->settings, kind, name);
    if (set != NULL && set->values.count == 0)
        return false;
    if (change.op != CONFIG_SET || full)
        return true;
    char key[32];
    snprintf(key, sizeof(key), "%.*s", (int)change.key.len, (const char *)change.key.ptr);
    const char *now = set == NULL ? NULL : topic_config_set_get(&set->values, key);
    return now != NULL && strcmp(now, value) == 0;
}

static bool alter_quotas(struct driver *driver, uint32_t (*pick)(uint32_t n))
{
    static const char *const users[] = {"ann", "bob"};
    const struct cluster *cluster = state_cluster(driver->state, &driver->cluster_id);
    struct quota_part parts[2] = {{SLICE_LITERAL("client-id"), SLICE_NULL},
                                  {SLICE_LITERAL("user"), slice_str(users[pick(2)])}};
    struct quota_change change = {SLICE_LITERAL("producer_byte_rate"), pick(2) == 0,
                                  1 + pick(1000)};
    uint32_t first = pick(2);
    struct command cmd = {.kind = COMMAND_QUOTAS_ALTER,
                          .quotas_alter = {.parts = parts + first,
                                           .part_count = 2 - first,
                                           .changes = &change,
                                           .change_count = 1,
                                           .sets_max = 100}};
    struct str entity;

    if (driver_apply(driver, &cmd).kafka_error != 0)
        return false;
    str_init(&entity, QUOTA_ENTITY_MAX);
    quota_entity_write(parts + first, 2 - first, &entity);
    const struct setting_set *set =
        settings_find(&cluster->settings, SETTING_QUOTA, str_slice(&entity));
    str_fini(&entity);
    return (set == NULL) == change.remove;
}

bool admin_workload_step(struct driver *driver, uint32_t (*pick)(uint32_t n))
{
    switch (pick(4)) {
    case 0:
        return alter_settings(driver, pick);
    case 1:
        return alter_quotas(driver, pick);
    default:
        return delete_records(driver, pick);
    }
}
