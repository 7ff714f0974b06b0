/* offset_driver.c - see offset_driver.h. */
#include "tests/lib/offset_driver.h"

#include "common/check.h"

#define PARTS_MAX 4096

static struct slice text_of(const char *text)
{
    return slice_str(text == NULL ? "" : text);
}

/* Every run of parts of one topic has an id of its own. */
static size_t runs_of(const struct test_offsets *commit)
{
    size_t runs = 0;
    for (size_t i = 0; i < commit->count; i++)
        runs += i == 0 || commit->parts[i].topic != commit->parts[i - 1].topic;
    return runs;
}

static void write_commit(const struct test_offsets *from, uint32_t *index,
                         struct str *out)
{
    const struct offset_commit commit = {.group = slice_str(from->group),
                                         .generation = from->generation,
                                         .member = text_of(from->member),
                                         .instance = slice_str(from->instance),
                                         .flags = from->flags,
                                         .late_ms = from->late_ms,
                                         .topic_count = (uint32_t)runs_of(from)};
    offset_commits_write_commit(out, &commit);
    for (size_t i = 0; i < from->count;) {
        struct offset_commit_topic topic = {(*index)++, 0};
        size_t end = i;
        int32_t last = -1;
        while (end < from->count && from->parts[end].topic == from->parts[i].topic)
            end++;
        topic.partition_count = (uint32_t)(end - i);
        offset_commits_write_topic(out, &topic);
        for (; i < end; i++) {
            const struct offset_commit_partition part = {
                .partition = from->parts[i].partition,
                .leader_epoch = from->parts[i].leader_epoch,
                .offset = from->parts[i].offset,
                .metadata = text_of(from->parts[i].metadata)};
            offset_commits_write_partition(out, &last, &part);
        }
    }
}

void offsets_payload(const struct test_offsets *commits, size_t count, struct str *out)
{
    struct uuid ids[PARTS_MAX] = {{{0}}};
    uint32_t n = 0, index = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < commits[i].count; j++) {
            uint32_t topic = commits[i].parts[j].topic;
            if (j > 0 && topic == commits[i].parts[j - 1].topic)
                continue;
            ASSERT(n < PARTS_MAX);
            ids[n++] = test_uuid(2, topic);
        }
    }
    offset_commits_write_ids(out, ids, n);
    offset_commits_write_count(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        write_commit(&commits[i], &index, out);
}

int16_t driver_offsets_of(struct driver *driver, enum command_kind kind,
                          const struct test_offsets *commits, size_t count)
{
    int16_t first = 0, errors[PARTS_MAX];
    struct offset_results walk;
    struct str payload;
    struct command cmd = {.kind = kind};

    str_init(&payload, 64 * MIB);
    offsets_payload(commits, count, &payload);
    if (kind == COMMAND_OFFSETS_COMMIT) {
        cmd.offsets_commit.groups_max = TEST_GROUPS_MAX;
        cmd.offsets_commit.payload = str_slice(&payload);
    } else {
        cmd.offsets_delete.payload = str_slice(&payload);
    }
    struct command_result result = driver_apply(driver, &cmd);
    ASSERT(result.code == 0);
    int rc = offset_results_begin(&walk, result.data);
    ASSERT(rc == 0 && walk.commit_count == count);
    for (size_t i = 0; i < count; i++) {
        int16_t error = 0;
        rc = offset_results_next(&walk, &error,
                                 commits[i].errors == NULL ? errors : commits[i].errors,
                                 (uint32_t)commits[i].count);
        ASSERT(rc == 0);
        first = i == 0 ? error : first;
    }
    ASSERT(reader_left(&walk.r) == 0);
    str_fini(&payload);
    return first;
}

int16_t driver_offsets(struct driver *driver, const struct test_offsets *commit)
{
    return driver_offsets_of(driver, COMMAND_OFFSETS_COMMIT, commit, 1);
}

int16_t driver_offsets_delete(struct driver *driver, const struct test_offsets *commit)
{
    return driver_offsets_of(driver, COMMAND_OFFSETS_DELETE, commit, 1);
}

int64_t driver_offsets_expire(struct driver *driver, int64_t before_ms, const char *group)
{
    struct slice id = slice_str(group);
    struct command cmd = {
        .kind = COMMAND_OFFSETS_EXPIRE,
        .offsets_expire = {.before_ms = before_ms, .groups = &id, .group_count = 1}};
    struct command_result result = driver_apply(driver, &cmd);
    ASSERT(result.code == 0);
    return result.value;
}

int64_t driver_offset(const struct driver *driver, const char *group, uint32_t topic,
                      int32_t partition)
{
    const struct cluster *cluster = state_cluster(driver->state, &driver->cluster_id);
    struct uuid id = test_uuid(2, topic);
    struct group_offset offset;

    return state_group_offset(state_group(cluster, slice_str(group)),
                              state_topic(cluster, &id), partition, &offset)
               ? offset.offset
               : INT64_MIN;
}
