/* offset_commit.c - one pass over varints; see the header for the layout. */
#include "proto/offset_commit.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"

/* ---- writing ---- */

static void put_text(struct str *out, struct slice text)
{
    write_uvarint(out, text.ptr == NULL ? 0 : text.len + 1);
    if (text.ptr != NULL)
        str_append_slice(out, text);
}

void offset_commits_write_ids(struct str *out, const struct uuid *ids, uint32_t count)
{
    write_uvarint(out, count);
    for (uint32_t i = 0; i < count; i++)
        str_append(out, ids[i].bytes, sizeof(ids[i].bytes));
}

void offset_commits_write_count(struct str *out, uint32_t commits)
{
    write_uvarint(out, commits);
}

void offset_commits_write_commit(struct str *out, const struct offset_commit *commit)
{
    put_text(out, commit->group);
    write_varint(out, commit->generation);
    put_text(out, commit->member);
    put_text(out, commit->instance);
    if (commit->late_ms == 0) {
        write_u8(out, commit->flags);
    } else {
        write_u8(out, (uint8_t)(commit->flags | OFFSET_COMMIT_LATE));
        write_uvarint(out, commit->late_ms);
    }
    write_uvarint(out, commit->topic_count);
}

void offset_commits_write_topic(struct str *out, const struct offset_commit_topic *topic)
{
    write_uvarint(out, topic->index);
    write_uvarint(out, topic->partition_count);
}

void offset_commits_write_partition(struct str *out, int32_t *last,
                                    const struct offset_commit_partition *partition)
{
    ASSERT(partition->partition > *last);
    write_uvarint(out, (uint64_t)(partition->partition - *last - 1));
    *last = partition->partition;
    write_varint(out, partition->offset);
    write_varint(out, partition->leader_epoch);
    put_text(out, partition->metadata);
}

/* ---- walking ---- */

static struct slice get_text(struct reader *r, size_t max)
{
    uint32_t len = reader_uvarint(r);
    if (len == 0)
        return SLICE_NULL;
    if (len - 1 > max)
        reader_fail(r);
    struct slice text = reader_bytes(r, len - 1);
    if (text.ptr == NULL && !r->failed)
        text = SLICE_LITERAL("");
    return text;
}

static void need(struct reader *r, struct slice text)
{
    if (text.ptr == NULL)
        reader_fail(r);
}

static void begin(struct offset_commits *walk, struct slice payload)
{
    reader_init(&walk->r, payload);
    walk->id_count = reader_uvarint(&walk->r);
    if (walk->id_count > OFFSET_COMMIT_TOPICS_MAX)
        reader_fail(&walk->r);
    walk->ids = reader_bytes(&walk->r, (size_t)walk->id_count * 16).ptr;
    walk->commit_count = reader_uvarint(&walk->r);
    if (walk->commit_count > OFFSET_COMMIT_COUNT_MAX)
        reader_fail(&walk->r);
    walk->last = -1;
}

static void next_commit(struct offset_commits *walk, struct offset_commit *commit)
{
    struct reader *r = &walk->r;

    commit->group = get_text(r, OFFSET_COMMIT_TEXT_MAX);
    commit->generation = reader_varint(r);
    commit->member = get_text(r, OFFSET_COMMIT_TEXT_MAX);
    commit->instance = get_text(r, OFFSET_COMMIT_TEXT_MAX);
    commit->flags = reader_u8(r);
    commit->late_ms = (commit->flags & OFFSET_COMMIT_LATE) != 0 ? reader_uvarint(r) : 0;
    commit->flags &= (uint8_t)~OFFSET_COMMIT_LATE;
    commit->topic_count = reader_uvarint(r);
}

static void next_topic(struct offset_commits *walk, struct offset_commit_topic *topic)
{
    topic->index = reader_uvarint(&walk->r);
    topic->partition_count = reader_uvarint(&walk->r);
    walk->last = -1;
}

static void next_partition(struct offset_commits *walk,
                           struct offset_commit_partition *partition)
{
    struct reader *r = &walk->r;
    int64_t number = (int64_t)walk->last + 1 + reader_uvarint(r);

    if (number > INT32_MAX) {
        reader_fail(r);
        number = 0;
    }
    walk->last = partition->partition = (int32_t)number;
    partition->offset = reader_varlong(r);
    partition->leader_epoch = reader_varint(r);
    partition->metadata = get_text(r, OFFSET_COMMIT_METADATA_MAX);
}

static void check_commit(struct offset_commits *walk)
{
    struct reader *r = &walk->r;
    struct offset_commit commit;

    next_commit(walk, &commit);
    need(r, commit.group);
    need(r, commit.member);
    if (commit.flags > OFFSET_COMMIT_KNOWS_EPOCHS ||
        commit.topic_count > OFFSET_COMMIT_TOPICS_MAX)
        reader_fail(r);
    for (uint32_t i = 0; i < commit.topic_count && !r->failed; i++) {
        struct offset_commit_topic topic;
        next_topic(walk, &topic);
        if (topic.index >= walk->id_count || topic.partition_count == 0 ||
            topic.partition_count > OFFSET_COMMIT_PARTITIONS_MAX)
            reader_fail(r);
        for (uint32_t j = 0; j < topic.partition_count && !r->failed; j++) {
            struct offset_commit_partition partition;
            next_partition(walk, &partition);
            need(r, partition.metadata);
        }
    }
}

bool offset_commits_valid(struct slice payload)
{
    struct offset_commits walk;

    begin(&walk, payload);
    for (uint32_t i = 0; i < walk.commit_count && !walk.r.failed; i++)
        check_commit(&walk);
    return !walk.r.failed && reader_left(&walk.r) == 0;
}

void offset_commits_begin(struct offset_commits *walk, struct slice payload)
{
    begin(walk, payload);
    ASSERT(!walk->r.failed);
}

void offset_commits_next(struct offset_commits *walk, struct offset_commit *commit)
{
    next_commit(walk, commit);
    ASSERT(!walk->r.failed);
}

void offset_commits_next_topic(struct offset_commits *walk,
                               struct offset_commit_topic *topic)
{
    next_topic(walk, topic);
    ASSERT(!walk->r.failed);
}

void offset_commits_next_partition(struct offset_commits *walk,
                                   struct offset_commit_partition *partition)
{
    next_partition(walk, partition);
    ASSERT(!walk->r.failed);
}

struct uuid offset_commits_id(const struct offset_commits *walk, uint32_t index)
{
    struct uuid id;

    ASSERT(index < walk->id_count);
    memcpy(id.bytes, walk->ids + (size_t)index * sizeof(id.bytes), sizeof(id.bytes));
    return id;
}

/* ---- the result ---- */

void offset_results_write_count(struct str *out, uint32_t commits)
{
    write_uvarint(out, commits);
}

void offset_results_write(struct str *out, int16_t error, uint32_t count,
                          struct slice exceptions)
{
    write_varint(out, error);
    write_uvarint(out, count);
    str_append_slice(out, exceptions);
}

void offset_results_except(struct str *exceptions, int64_t *last, uint32_t position,
                           int16_t error)
{
    write_uvarint(exceptions, (uint64_t)((int64_t)position - *last - 1));
    *last = position;
    write_varint(exceptions, error);
}

int offset_results_begin(struct offset_results *walk, struct slice result)
{
    struct offset_results begun;

    reader_init(&begun.r, result);
    begun.commit_count = reader_uvarint(&begun.r);
    if (begun.r.failed || begun.commit_count > OFFSET_COMMIT_COUNT_MAX)
        return ERR_MALFORMED;
    *walk = begun;
    return 0;
}

static int16_t get_error(struct reader *r)
{
    int32_t error = reader_varint(r);
    if (error < INT16_MIN || error > INT16_MAX)
        reader_fail(r);
    return (int16_t)error;
}

int offset_results_next(struct offset_results *walk, int16_t *error, int16_t *errors,
                        uint32_t count)
{
    struct reader *r = &walk->r;
    int64_t position = -1;

    for (uint32_t i = 0; i < count; i++)
        errors[i] = 0;
    *error = get_error(r);
    uint32_t exceptions = reader_uvarint(r);
    if (exceptions > count)
        reader_fail(r);
    for (uint32_t i = 0; i < exceptions && !r->failed; i++) {
        position += 1 + (int64_t)reader_uvarint(r);
        int16_t code = get_error(r);
        if (position >= count)
            reader_fail(r);
        else
            errors[position] = code;
    }
    return r->failed ? ERR_MALFORMED : 0;
}
