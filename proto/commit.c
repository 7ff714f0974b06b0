/* commit.c - see commit.h; the coding of each column is in control_api.md. */
#include "proto/commit.h"

#include <string.h>

#include "common/check.h"

/* The least that a record batch can be: its header. */
#define BATCH_LEN_MIN 61
/* Where runs begin in an object (object.md). */
#define FIRST_POSITION 16
#define COLUMNS        8
/* Bound of one column that is being built: ten bytes for each of the most batches. */
#define COLUMN_MAX ((size_t)10 * COMMIT_BATCHES_MAX)

/* ---- walking ---- */

enum {
    R_TOPIC,
    R_PARTITION,
    R_BATCHES,
    R_LENGTH,
    R_RECORDS,
    R_PRODUCER,
    R_SEQUENCE,
    R_TIME
};

void commit_walk_init(struct commit_walk *walk, const struct commit *commit)
{
    const struct slice columns[COLUMNS] = {
        commit->topic,   commit->partition, commit->batches,  commit->length,
        commit->records, commit->producer,  commit->sequence, commit->max_timestamp};

    *walk = (struct commit_walk){.commit = commit, .run = UINT32_MAX};
    for (size_t i = 0; i < COLUMNS; i++)
        reader_init(&walk->r[i], columns[i]);
    walk->next_position = FIRST_POSITION;
    walk->last_timestamp = commit->created_at_ms;
}

static bool walk_fail(struct commit_walk *walk)
{
    walk->failed = true;
    return false;
}

static bool any_reader_failed(const struct commit_walk *walk)
{
    bool failed = false;

    for (size_t i = 0; i < COLUMNS; i++)
        failed |= walk->r[i].failed;
    return failed;
}

/* The end is right only when every column ended too. */
static bool walk_end(struct commit_walk *walk)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (reader_left(&walk->r[i]) != 0)
            return walk_fail(walk);
    return false;
}

bool commit_walk_next_run(struct commit_walk *walk)
{
    int64_t topic_before = walk->last_topic;
    int64_t partition_before = walk->last_partition;

    if (walk->failed || walk->batch != walk->batches)
        return walk_fail(walk);
    if (reader_left(&walk->r[R_TOPIC]) == 0)
        return walk_end(walk);

    int64_t topic = packed_get_delta(&walk->r[R_TOPIC], &walk->last_topic);
    int64_t partition = packed_get_delta(&walk->r[R_PARTITION], &walk->last_partition);
    int64_t batches = packed_get(&walk->r[R_BATCHES]);
    bool sorted = walk->run == UINT32_MAX || topic > topic_before ||
                  (topic == topic_before && partition > partition_before);
    if (any_reader_failed(walk) || !sorted || topic < 0 ||
        topic >= (int64_t)walk->commit->topic_count || partition < 0 ||
        partition > INT32_MAX || batches < 1 || batches > COMMIT_BATCHES_MAX)
        return walk_fail(walk);
    walk->run++;
    walk->topic = (uint32_t)topic;
    walk->partition = (int32_t)partition;
    walk->batches = (uint32_t)batches;
    walk->batch = 0;
    walk->last_producer = 0;
    walk->next_sequence = 0;
    return true;
}

/* Kafka's sequences wrap from 2^31 - 1 to 0 (KIP-98). */
static int32_t sequence_after(int32_t sequence, uint32_t records)
{
    return (int32_t)(((uint32_t)sequence + records) & INT32_MAX);
}

static bool walk_sequence(struct commit_walk *walk)
{
    if (walk->producer == 0) {
        walk->sequence = -1;
        return true;
    }
    int64_t base = walk->producer == walk->last_producer ? walk->next_sequence : 0;
    int64_t delta = packed_get(&walk->r[R_SEQUENCE]);
    if (delta < -(int64_t)INT32_MAX || delta > INT32_MAX || base + delta < 0 ||
        base + delta > INT32_MAX)
        return walk_fail(walk);
    walk->sequence = (int32_t)(base + delta);
    walk->last_producer = walk->producer;
    walk->next_sequence = sequence_after(walk->sequence, walk->records);
    return true;
}

bool commit_walk_next_batch(struct commit_walk *walk)
{
    if (walk->failed || walk->batch == walk->batches)
        return false;

    int64_t length = packed_get(&walk->r[R_LENGTH]);
    int64_t records = packed_get(&walk->r[R_RECORDS]);
    int64_t producer = packed_get(&walk->r[R_PRODUCER]);
    if (length < BATCH_LEN_MIN || length > INT32_MAX || records < 1 ||
        records > INT32_MAX || producer < 0 ||
        producer > (int64_t)walk->commit->producer_count)
        return walk_fail(walk);
    walk->position = walk->next_position;
    walk->next_position += (uint64_t)length;
    walk->length = (uint32_t)length;
    walk->records = (uint32_t)records;
    walk->producer = (uint32_t)producer;
    walk->max_timestamp = packed_get_delta(&walk->r[R_TIME], &walk->last_timestamp);
    if (!walk_sequence(walk) || any_reader_failed(walk))
        return walk_fail(walk);
    walk->batch++;
    return true;
}

int commit_check(const struct commit *commit, struct err *err)
{
    struct commit_walk walk;
    uint64_t batches = 0;
    uint64_t runs = 0;

    if (commit->topic_count < 1 || commit->topic_count > COMMIT_TOPICS_MAX ||
        commit->producer_count > COMMIT_PRODUCERS_MAX)
        return err_set(err, ERR_MALFORMED, "commit: %u topics and %u producers",
                       commit->topic_count, commit->producer_count);
    for (uint32_t i = 0; i < commit->producer_count; i++)
        if (commit->producers[i].producer_id < 0 ||
            commit->producers[i].producer_epoch < 0)
            return err_set(err, ERR_MALFORMED, "commit: producer %u is negative", i);
    if (commit->object_size > INT64_MAX || commit->created_at_ms < 0)
        return err_set(err, ERR_MALFORMED, "commit: size or time is out of range");
    commit_walk_init(&walk, commit);
    while (commit_walk_next_run(&walk)) {
        batches += walk.batches;
        if (++runs > COMMIT_RUNS_MAX || batches > COMMIT_BATCHES_MAX)
            return err_set(err, ERR_TOO_LARGE, "commit: more than %d runs or %d batches",
                           COMMIT_RUNS_MAX, COMMIT_BATCHES_MAX);
        while (commit_walk_next_batch(&walk))
            ;
    }
    if (walk.failed || runs == 0)
        return err_set(err, ERR_MALFORMED, "commit: bad columns near run %u, batch %u",
                       walk.run + 1, walk.batch);
    if (walk.next_position > commit->object_size)
        return err_set(err, ERR_MALFORMED,
                       "commit: runs end at %llu, the object has %llu bytes",
                       (unsigned long long)walk.next_position,
                       (unsigned long long)commit->object_size);
    return 0;
}

/* ---- building ---- */

void commit_builder_init(struct commit_builder *b, int64_t created_at_ms)
{
    struct str *columns[COLUMNS] = {&b->topic,    &b->partition,    &b->batches,
                                    &b->length,   &b->records,      &b->producer,
                                    &b->sequence, &b->max_timestamp};

    *b = (struct commit_builder){.last_timestamp = created_at_ms};
    for (size_t i = 0; i < COLUMNS; i++)
        str_init(columns[i], COLUMN_MAX);
}

void commit_builder_fini(struct commit_builder *b)
{
    struct str *columns[COLUMNS] = {&b->topic,    &b->partition,    &b->batches,
                                    &b->length,   &b->records,      &b->producer,
                                    &b->sequence, &b->max_timestamp};

    for (size_t i = 0; i < COLUMNS; i++)
        str_fini(columns[i]);
}

void commit_builder_run(struct commit_builder *b, uint32_t topic, int32_t partition,
                        uint32_t batches)
{
    packed_put_delta(&b->topic, &b->last_topic, topic);
    packed_put_delta(&b->partition, &b->last_partition, partition);
    packed_put(&b->batches, batches);
    b->last_producer = 0;
    b->next_sequence = 0;
}

void commit_builder_batch(struct commit_builder *b, uint32_t length, uint32_t records,
                          uint32_t producer, int32_t sequence, int64_t max_timestamp)
{
    packed_put(&b->length, length);
    packed_put(&b->records, records);
    packed_put(&b->producer, producer);
    packed_put_delta(&b->max_timestamp, &b->last_timestamp, max_timestamp);
    if (producer == 0)
        return;
    int64_t base = producer == b->last_producer ? b->next_sequence : 0;
    packed_put(&b->sequence, (int64_t)sequence - base);
    b->last_producer = producer;
    b->next_sequence = sequence_after(sequence, records);
}

void commit_builder_columns(const struct commit_builder *b, struct commit *commit)
{
    commit->topic = str_slice(&b->topic);
    commit->partition = str_slice(&b->partition);
    commit->batches = str_slice(&b->batches);
    commit->length = str_slice(&b->length);
    commit->records = str_slice(&b->records);
    commit->producer = str_slice(&b->producer);
    commit->sequence = str_slice(&b->sequence);
    commit->max_timestamp = str_slice(&b->max_timestamp);
}

/* ---- JSON ---- */

struct json *commit_to_json(const struct commit *commit)
{
    struct json *value = json_array();
    struct json *topics = json_array();
    struct json *producers = json_array();
    const struct slice columns[COLUMNS] = {
        commit->topic,   commit->partition, commit->batches,  commit->length,
        commit->records, commit->producer,  commit->sequence, commit->max_timestamp};

    for (uint32_t i = 0; i < commit->topic_count; i++)
        json_push(topics, json_uuid(&commit->topics[i]));
    for (uint32_t i = 0; i < commit->producer_count; i++) {
        struct json *pair = json_array();
        json_push(pair, json_int(commit->producers[i].producer_id));
        json_push(pair, json_int(commit->producers[i].producer_epoch));
        json_push(producers, pair);
    }
    json_push(value, json_uuid(&commit->object_id));
    json_push(value, json_int((int64_t)commit->object_size));
    json_push(value, json_int(commit->created_at_ms));
    json_push(value, topics);
    json_push(value, producers);
    for (size_t i = 0; i < COLUMNS; i++)
        json_push(value, json_base64(columns[i]));
    return value;
}

static void topics_from_json(struct json_reader *r, const struct json *list,
                             struct arena *arena, struct commit *commit)
{
    size_t n = json_count(list);

    if (n > COMMIT_TOPICS_MAX)
        n = 0; /* commit_check refuses a commit without topics */
    commit->topic_count = (uint32_t)n;
    commit->topics = arena_try_array(arena, n, sizeof(*commit->topics));
    for (size_t i = 0; i < n && commit->topics != NULL; i++)
        commit->topics[i] = json_as_uuid(r, json_at(r, list, i), "topic id");
}

static void producers_from_json(struct json_reader *r, const struct json *list,
                                struct arena *arena, struct commit *commit)
{
    size_t n = json_count(list);

    if (n > COMMIT_PRODUCERS_MAX)
        n = 0; /* the producer column then points nowhere, which commit_check refuses */
    commit->producer_count = (uint32_t)n;
    commit->producers = arena_try_array(arena, n, sizeof(*commit->producers));
    for (size_t i = 0; i < n && commit->producers != NULL; i++) {
        const struct json *pair = json_at(r, list, i);
        commit->producers[i].producer_id =
            json_as_int(r, json_at(r, pair, 0), "producer id", 0, INT64_MAX);
        commit->producers[i].producer_epoch =
            (int16_t)json_as_int(r, json_at(r, pair, 1), "producer epoch", 0, INT16_MAX);
    }
}

int commit_from_json(const struct json *value, struct arena *arena, struct commit *commit,
                     struct err *err)
{
    struct json_reader r = {.err = err};
    struct commit c = {.object_size = 0};
    struct slice *columns[COLUMNS] = {&c.topic,    &c.partition,    &c.batches,
                                      &c.length,   &c.records,      &c.producer,
                                      &c.sequence, &c.max_timestamp};

    c.object_id = json_as_uuid(&r, json_at(&r, value, 0), "object id");
    c.object_size =
        (uint64_t)json_as_int(&r, json_at(&r, value, 1), "object size", 0, INT64_MAX);
    c.created_at_ms =
        json_as_int(&r, json_at(&r, value, 2), "created_at_ms", 0, INT64_MAX);
    topics_from_json(&r, json_at(&r, value, 3), arena, &c);
    producers_from_json(&r, json_at(&r, value, 4), arena, &c);
    for (size_t i = 0; i < COLUMNS; i++)
        *columns[i] = json_as_base64(&r, json_at(&r, value, 5 + i), "column", arena);
    if (r.failed)
        return ERR_MALFORMED;
    if (c.topics == NULL || c.producers == NULL)
        return err_set(err, ERR_TOO_LARGE, "commit: too many topics or producers");
    int rc = commit_check(&c, err);
    if (rc == 0)
        *commit = c;
    return rc;
}

struct json *commit_result_to_json(const struct commit_result *result)
{
    struct json *value = json_array();
    struct json *exceptions = json_array();

    for (uint32_t i = 0; i < result->exception_count; i++) {
        const struct commit_exception *e = &result->exceptions[i];
        struct json *row = json_array();
        json_push(row, json_int(e->run));
        json_push(row, json_int(e->batch));
        json_push(row, json_int(e->kafka_error));
        json_push(row, json_int(e->base_offset));
        json_push(row, json_int(e->timestamp));
        json_push(exceptions, row);
    }
    json_push(value,
              result->code == 0 ? json_int(0) : json_string(err_name(result->code)));
    json_push(value, json_base64(result->base_offset));
    json_push(value, exceptions);
    return value;
}

/* A code is 0 or the name of a row of err.def. */
static int code_from_json(struct json_reader *r, const struct json *value)
{
    struct json_reader as_int = {.err = NULL};

    if (json_as_int(&as_int, value, "code", 0, 0) == 0 && !as_int.failed)
        return 0;
    struct slice name = json_as_string(r, value, "code", 64);
    for (int code = 1; code < ERR_MAX; code++)
        if (slice_eq_str(name, err_name(code)))
            return code;
    return ERR_INTERNAL;
}

int commit_result_from_json(const struct json *value, struct arena *arena,
                            struct commit_result *result, struct err *err)
{
    struct json_reader r = {.err = err};
    struct commit_result out = {.code = code_from_json(&r, json_at(&r, value, 0))};
    const struct json *rows = json_at(&r, value, 2);
    size_t n = json_count(rows);

    out.base_offset = json_as_base64(&r, json_at(&r, value, 1), "base_offset", arena);
    if (n > COMMIT_BATCHES_MAX)
        return err_set(err, ERR_TOO_LARGE, "commit result: %zu exceptions", n);
    out.exceptions = arena_try_array(arena, n, sizeof(*out.exceptions));
    if (out.exceptions == NULL)
        return err_set(err, ERR_TOO_LARGE, "commit result: %zu exceptions", n);
    out.exception_count = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const struct json *row = json_at(&r, rows, i);
        struct commit_exception *e = &out.exceptions[i];
        e->run =
            (uint32_t)json_as_int(&r, json_at(&r, row, 0), "run", 0, COMMIT_RUNS_MAX);
        e->batch = (int32_t)json_as_int(&r, json_at(&r, row, 1), "batch", -1,
                                        COMMIT_BATCHES_MAX);
        e->kafka_error =
            (int16_t)json_as_int(&r, json_at(&r, row, 2), "error", -1, INT16_MAX);
        e->base_offset = json_as_int(&r, json_at(&r, row, 3), "offset", -1, INT64_MAX);
        e->timestamp =
            json_as_int(&r, json_at(&r, row, 4), "timestamp", INT64_MIN, INT64_MAX);
    }
    if (r.failed)
        return ERR_MALFORMED;
    *result = out;
    return 0;
}

/* ---- raw ---- */

static void write_column(struct slice column, struct str *out)
{
    write_uvarint(out, column.len);
    str_append_slice(out, column);
}

static struct slice read_column(struct reader *r)
{
    return reader_bytes(r, reader_uvarint(r));
}

void commit_write(const struct commit *commit, struct str *out)
{
    const struct slice columns[COLUMNS] = {
        commit->topic,   commit->partition, commit->batches,  commit->length,
        commit->records, commit->producer,  commit->sequence, commit->max_timestamp};

    str_append(out, commit->object_id.bytes, 16);
    write_u64(out, commit->object_size);
    write_u64(out, (uint64_t)commit->created_at_ms);
    write_uvarint(out, commit->topic_count);
    for (uint32_t i = 0; i < commit->topic_count; i++)
        str_append(out, commit->topics[i].bytes, 16);
    write_uvarint(out, commit->producer_count);
    for (uint32_t i = 0; i < commit->producer_count; i++) {
        write_u64(out, (uint64_t)commit->producers[i].producer_id);
        write_u16(out, (uint16_t)commit->producers[i].producer_epoch);
    }
    for (size_t i = 0; i < COLUMNS; i++)
        write_column(columns[i], out);
}

static void read_uuid(struct reader *r, struct uuid *uuid)
{
    struct slice bytes = reader_bytes(r, 16);

    if (!r->failed)
        memcpy(uuid->bytes, bytes.ptr, 16);
}

int commit_read(struct reader *r, struct arena *arena, struct commit *commit)
{
    struct commit c = {.object_size = 0};
    struct slice *columns[COLUMNS] = {&c.topic,    &c.partition,    &c.batches,
                                      &c.length,   &c.records,      &c.producer,
                                      &c.sequence, &c.max_timestamp};

    read_uuid(r, &c.object_id);
    c.object_size = reader_u64(r);
    c.created_at_ms = reader_i64(r);
    c.topic_count = reader_uvarint(r);
    if (r->failed || c.topic_count > reader_left(r) / 16)
        return ERR_MALFORMED;
    c.topics = arena_try_array(arena, c.topic_count, sizeof(*c.topics));
    if (c.topics == NULL)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < c.topic_count; i++)
        read_uuid(r, &c.topics[i]);
    c.producer_count = reader_uvarint(r);
    if (r->failed || c.producer_count > reader_left(r) / 10)
        return ERR_MALFORMED;
    c.producers = arena_try_array(arena, c.producer_count, sizeof(*c.producers));
    if (c.producers == NULL)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < c.producer_count; i++) {
        c.producers[i].producer_id = reader_i64(r);
        c.producers[i].producer_epoch = reader_i16(r);
    }
    for (size_t i = 0; i < COLUMNS; i++)
        *columns[i] = read_column(r);
    if (r->failed)
        return ERR_MALFORMED;
    *commit = c;
    return 0;
}

void commit_result_write(const struct commit_result *result, struct str *out)
{
    write_u16(out, (uint16_t)result->code);
    write_column(result->base_offset, out);
    write_uvarint(out, result->exception_count);
    for (uint32_t i = 0; i < result->exception_count; i++) {
        const struct commit_exception *e = &result->exceptions[i];
        write_uvarint(out, e->run);
        write_varint(out, e->batch);
        write_varint(out, e->kafka_error);
        write_varint(out, e->base_offset);
        write_varint(out, e->timestamp);
    }
}

/* The least that an exception takes: five varints. */
#define EXCEPTION_LEN_MIN 5

int commit_result_read(struct reader *r, struct arena *arena,
                       struct commit_result *result)
{
    struct commit_result out = {.code = reader_u16(r)};

    out.base_offset = read_column(r);
    out.exception_count = reader_uvarint(r);
    if (r->failed || out.exception_count > reader_left(r) / EXCEPTION_LEN_MIN)
        return ERR_MALFORMED;
    out.exceptions = arena_try_array(arena, out.exception_count, sizeof(*out.exceptions));
    if (out.exceptions == NULL)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < out.exception_count; i++) {
        struct commit_exception *e = &out.exceptions[i];
        e->run = reader_uvarint(r);
        e->batch = reader_varint(r);
        e->kafka_error = (int16_t)reader_varint(r);
        e->base_offset = reader_varlong(r);
        e->timestamp = reader_varlong(r);
    }
    if (r->failed)
        return ERR_MALFORMED;
    *result = out;
    return 0;
}
