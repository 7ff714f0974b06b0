/* apply_records.c - DeleteRecords: a log begins later from now on (KIP-107).
 *
 * The start moves forwards only (I4). Runs that end at or before it go at once, in time
 * that their number decides; their objects lose a reference each, and become garbage with
 * the last (I6). What is remembered of producers stays: a retry of a batch whose records
 * are gone is still a duplicate. */
#include <string.h>

#include "common/cursor.h"
#include "controlplane/apply.h"

/* The runs of PARTITION that end at or before START go. */
static void drop_runs(struct state *state, struct partition *partition, int64_t start,
                      int64_t now_ms)
{
    uint32_t n = 0;

    for (; n < partition->run_count; n++) {
        const struct run *run = &partition->runs[n];
        if (run->base_offset + run->records > start)
            break;
        if (run->object->run_count == 1) /* it becomes garbage */
            apply_touch(state, &run->object->row);
        objects_unref_run(&state->objects, run->object, now_ms);
    }
    partition_drop_first_runs(partition, n);
    state->run_count -= n;
    partition->topic->cluster->run_count -= n;
}

/* As Kafka: only a log that may lose its beginning at all. */
static bool may_delete(const struct topic *topic)
{
    const char *policy = topic_config_set_get(&topic->configs, "cleanup.policy");
    return policy == NULL || strstr(policy, "delete") != NULL || policy[0] == '\0';
}

/* The error, or 0 and the new *START. */
static int16_t judge(const struct topic *topic, const struct partition *partition,
                     int64_t offset, int64_t *start)
{
    if (topic == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_ID;
    if (partition == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (!may_delete(topic))
        return STATE_KAFKA_POLICY_VIOLATION;
    if (offset == -1)
        offset = partition->next_offset;
    if (offset < 0 || offset > partition->next_offset)
        return STATE_KAFKA_OFFSET_OUT_OF_RANGE;
    *start = MAX(offset, partition->log_start_offset);
    return 0;
}

/* Cut PARTITION's log; true when that changed it. */
static bool cut(struct state *state, struct partition *partition, int64_t start,
                int64_t now_ms)
{
    if (start == partition->log_start_offset)
        return false;
    apply_touch(state, &partition->row);
    partition->log_start_offset = start;
    drop_runs(state, partition, start, now_ms);
    return true;
}

void apply_records_delete(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    uint32_t n = cmd->records_delete.cut_count;
    struct log_start *changed = arena_array(&state->arena, n, sizeof(*changed));
    size_t changed_count = 0;

    if (cluster == NULL)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const struct records_cut *asked = &cmd->records_delete.cuts[i];
        struct topic *topic = catalog_topic(cluster, &asked->topic_id);
        struct partition *partition =
            topic == NULL ? NULL : partition_of(topic, asked->partition);
        int64_t start = -1;
        int16_t error = judge(topic, partition, asked->offset, &start);
        write_u16(&state->message, (uint16_t)error);
        write_u64(&state->message, (uint64_t)start);
        if (error == 0 && cut(state, partition, start, cmd->now_ms))
            changed[changed_count++] = (struct log_start){topic, asked->partition, start};
    }
    result->data = str_slice(&state->message);
    if (changed_count > 0 && state->events.on_log_starts != NULL)
        state->events.on_log_starts(state->events.arg, cluster, changed, changed_count);
}
