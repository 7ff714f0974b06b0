/* state_driver.c - see state_driver.h. */
#include "tests/lib/state_driver.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/cursor.h"

struct uuid test_uuid(uint32_t kind, uint32_t number)
{
    struct uuid uuid = UUID_ZERO;
    be32_put(uuid.bytes, kind);
    be32_put(uuid.bytes + 12, number + 1);
    return uuid;
}

struct ca_fields test_ca(uint32_t number)
{
    struct ca_fields fields = {.ca_id = test_uuid(8, number),
                               .certificate = SLICE_LITERAL("PEM"),
                               .sealed_key = SLICE_LITERAL("sealed")};
    return fields;
}

void driver_init(struct driver *driver, const struct state_events *events)
{
    memset(driver, 0, sizeof(*driver));
    driver->state = state_new(events);
    driver->now_ms = 1000000;
    arena_init(&driver->arena, 64 * MIB);
    str_init(&driver->result, 64 * MIB);
    str_init(&driver->command, 64 * MIB);
}

void driver_fini(struct driver *driver)
{
    state_free(driver->state);
    arena_fini(&driver->arena);
    str_fini(&driver->result);
    str_fini(&driver->command);
}

static void apply(struct driver *driver, struct command *cmd)
{
    cmd->now_ms = driver->now_ms;
    if (cmd->kind != COMMAND_CLUSTER_CREATE && uuid_is_zero(&cmd->cluster_id) &&
        cmd->kind != COMMAND_TOKEN_CREATE)
        cmd->cluster_id = driver->cluster_id;
    str_reset(&driver->command);
    str_reset(&driver->result);
    command_write(cmd, &driver->command);
    ASSERT(!driver->command.overflowed);
    if (driver->on_command != NULL)
        driver->on_command(driver->arg, str_slice(&driver->command));
    state_apply(driver->state, ++driver->index, str_slice(&driver->command),
                &driver->result);
}

struct command_result driver_apply(struct driver *driver, struct command *cmd)
{
    struct command_result result;
    apply(driver, cmd);
    int rc = command_result_read(str_slice(&driver->result), &result);
    ASSERT(rc == 0);
    return result;
}

void driver_cluster(struct driver *driver, uint32_t number)
{
    char name[32];
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = test_uuid(1, number)};
    snprintf(name, sizeof(name), "cluster-%u", number);
    cmd.cluster_create.name = slice_str(name);
    struct command_result result = driver_apply(driver, &cmd);
    ASSERT(result.code == 0);
    driver->cluster_id = cmd.cluster_id;
}

struct command_result driver_topic(struct driver *driver, uint32_t number,
                                   int32_t partitions)
{
    char name[32];
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE};
    snprintf(name, sizeof(name), "topic-%u", number);
    cmd.topic_create.topic_id = test_uuid(2, number);
    cmd.topic_create.name = slice_str(name);
    cmd.topic_create.partitions = partitions;
    cmd.topic_create.replication_factor = 3;
    cmd.topic_create.topics_max = 1000;
    cmd.topic_create.partitions_max = 100000;
    return driver_apply(driver, &cmd);
}

struct command_result driver_topic_delete(struct driver *driver, uint32_t number)
{
    struct command cmd = {.kind = COMMAND_TOPIC_DELETE};
    cmd.topic_delete.topic_id = test_uuid(2, number);
    return driver_apply(driver, &cmd);
}

int64_t driver_purge(struct driver *driver, uint32_t rows)
{
    struct command cmd = {.kind = COMMAND_PURGE, .purge = {.rows_max = rows}};
    return driver_apply(driver, &cmd).value;
}

/* The index + 1 of a producer in the commit's list. */
static uint32_t producer_index(struct test_commit *commit, int64_t id, int16_t epoch)
{
    struct commit *c = &commit->commit;
    if (id < 0)
        return 0;
    for (uint32_t i = 0; i < c->producer_count; i++) {
        if (c->producers[i].producer_id == id && c->producers[i].producer_epoch == epoch)
            return i + 1;
    }
    ASSERT(c->producer_count < ARRAY_LEN(commit->producers));
    c->producers[c->producer_count] = (struct commit_producer){id, epoch};
    return ++c->producer_count;
}

void test_commit_init(struct test_commit *commit, const struct uuid *object_id,
                      int64_t created_at_ms, const struct uuid *topics,
                      uint32_t topic_count, const struct test_batch *batches,
                      size_t count)
{
    struct commit *c = &commit->commit;

    memset(commit, 0, sizeof(*commit));
    ASSERT(topic_count <= ARRAY_LEN(commit->topics));
    c->object_id = *object_id;
    c->created_at_ms = created_at_ms;
    c->object_size = 1 << 30;
    memcpy(commit->topics, topics, topic_count * sizeof(*topics));
    c->topics = commit->topics;
    c->topic_count = topic_count;
    c->producers = commit->producers;
    commit_builder_init(&commit->builder, created_at_ms);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && batches[end].topic == batches[i].topic &&
               batches[end].partition == batches[i].partition)
            end++;
        commit_builder_run(&commit->builder, batches[i].topic, batches[i].partition,
                           (uint32_t)(end - i));
        for (; i < end; i++)
            commit_builder_batch(
                &commit->builder, batches[i].length == 0 ? 100 : batches[i].length,
                batches[i].records,
                producer_index(commit, batches[i].producer_id, batches[i].epoch),
                batches[i].sequence, batches[i].max_timestamp);
    }
    commit_builder_columns(&commit->builder, c);
}

void test_commit_fini(struct test_commit *commit)
{
    commit_builder_fini(&commit->builder);
}

void driver_commit_command(const struct commit *commit, struct str *payload,
                           struct command *cmd)
{
    commit_write(commit, payload);
    cmd->kind = COMMAND_COMMIT;
    cmd->commit.agent_id = test_uuid(3, 1);
    cmd->commit.node_id = 1;
    cmd->commit.max_age_ms = 3600000;
    cmd->commit.max_future_ms = 300000;
    cmd->commit.payload = str_slice(payload);
}

struct commit_result driver_commit(struct driver *driver, const struct commit *commit)
{
    struct command cmd = {.kind = COMMAND_COMMIT};
    struct commit_result result;
    struct str payload;
    struct reader r;

    str_init(&payload, 64 * MIB);
    driver_commit_command(commit, &payload, &cmd);
    apply(driver, &cmd);
    str_fini(&payload);
    arena_fini(&driver->arena);
    arena_init(&driver->arena, 64 * MIB);
    reader_init(&r, str_slice(&driver->result));
    int rc = commit_result_read(&r, &driver->arena, &result);
    ASSERT(rc == 0);
    return result;
}

int64_t result_offset(const struct commit_result *result, uint32_t run)
{
    struct reader r;
    int64_t last = 0, offset = -1;
    reader_init(&r, result->base_offset);
    for (uint32_t i = 0; i <= run; i++)
        offset = packed_get_delta(&r, &last);
    ASSERT(!r.failed);
    return offset;
}
