/* group_op.c - ops of groups as JSON text, and their results. */
#include "agent/group_op.h"

#include <string.h>

#include "common/str.h"
#include "proto/kafka_error.h"

/* A call takes 8 MiB; this leaves room for what is around the op. */
#define OP_MAX        (8 * MIB - 4096)
#define OP_VALUES_MAX 262000
/* Below the times after which clients ask again by themselves (30 s and more), so that
 * what they do then is not overtaken by what they did before. */
#define TIMEOUT_MS 20000
/* The longest string of the protocol. */
#define TEXT_MAX INT16_MAX

/* ---- asking ---- */

struct group_ask *group_ask_new(struct request *req, size_t op_count)
{
    struct group_ask *ask = request_array(req, 1, sizeof(*ask));
    if (ask == NULL)
        return NULL;
    ask->ops = request_array(req, MAX(op_count, (size_t)1), sizeof(ask->ops[0]));
    if (ask->ops == NULL)
        return NULL;
    ask->op_count = op_count;
    ask->deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    return ask;
}

struct json *group_op_json(const char *kind, struct slice group)
{
    struct json *op = json_array();
    json_push(op, json_string(kind));
    json_push(op, json_slice(group));
    return op;
}

/* How many JSON values there are in TEXT, or some more: what is in strings counts. */
static size_t count_values(const struct str *text)
{
    size_t count = 1;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == ',' || text->data[i] == '[';
    return count;
}

int group_op_set(struct group_op *op, struct arena *arena, struct slice group,
                 struct json *json, group_read_fn *read, void *own)
{
    struct str text;
    int rc = 0;

    op->group = group;
    op->read = read;
    op->own = own;
    op->away_error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    op->moved_error = KAFKA_NOT_COORDINATOR;
    str_init(&text, OP_MAX);
    json_print(json, &text);
    json_free(json);
    op->values = count_values(&text);
    if (text.overflowed || op->values > OP_VALUES_MAX) {
        /* As Kafka says it of a group that is too large for a record. */
        op->kafka_error = KAFKA_UNKNOWN_SERVER_ERROR;
    } else {
        uint8_t *bytes = arena_try_alloc(arena, text.len);
        if (bytes == NULL)
            rc = ERR_TOO_LARGE;
        else
            op->text = slice_of(memcpy(bytes, text.data, text.len), text.len);
    }
    str_fini(&text);
    return rc;
}

int group_ask_set(struct request *req, struct group_op *op, struct slice group,
                  struct json *json, group_read_fn *read, void *own)
{
    return group_op_set(op, &req->arena, group, json, read, own);
}

int group_ask_send(struct request *req, struct group_ask *ask,
                   request_answer_fn *on_answer)
{
    req->own = ask;
    return request_ask(req, &ask->ask, ASK_GROUP, on_answer);
}

struct slice group_message(struct arena *arena, const char *before, struct slice name,
                           const char *after)
{
    size_t begin = strlen(before), end = strlen(after);
    char *text = arena_try_alloc(arena, begin + name.len + end);
    if (text == NULL)
        return SLICE_NULL;
    memcpy(text, before, begin);
    if (name.len > 0)
        memcpy(text + begin, name.ptr, name.len);
    memcpy(text + begin + name.len, after, end);
    return slice_of(text, begin + name.len + end);
}

struct json *group_partitions_json(const struct uuid *topic_id, const int32_t *partitions,
                                   size_t count)
{
    struct json *row = json_array(), *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(list, json_int(partitions[i]));
    json_push(row, json_uuid(topic_id));
    json_push(row, list);
    return row;
}

/* ---- reading ---- */

int16_t group_read_error(struct json_reader *r, const struct json *row, size_t i)
{
    return (int16_t)json_as_int(r, json_at(r, row, i), "error", -1, INT16_MAX);
}

struct slice group_read_text(struct json_reader *r, const struct json *row, size_t i,
                             struct arena *arena)
{
    const struct json *value = json_at(r, row, i);
    if (r->failed || json_is_null(value))
        return SLICE_NULL;
    struct slice text = json_as_string(r, value, "text", TEXT_MAX);
    uint8_t *copy = group_read_array(r, text.len + 1, 1, arena);
    if (copy == NULL)
        return SLICE_NULL;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return slice_of(copy, text.len);
}

struct slice group_read_bytes(struct json_reader *r, const struct json *row, size_t i,
                              struct arena *arena)
{
    const struct json *value = json_at(r, row, i);
    if (r->failed || json_is_null(value))
        return SLICE_NULL;
    return json_as_base64(r, value, "bytes", arena);
}

void *group_read_array(struct json_reader *r, size_t n, size_t size, struct arena *arena)
{
    void *array = r->failed ? NULL : arena_try_array(arena, MAX(n, (size_t)1), size);
    if (array == NULL)
        r->failed = true;
    return array;
}

static void read_topic(struct json_reader *r, const struct json *row, struct arena *arena,
                       struct group_topic *topic)
{
    topic->topic_id = json_as_uuid(r, json_at(r, row, 0), "topic id");
    const struct json *list = json_at(r, row, 1);
    size_t count = json_count(list);
    topic->partitions = group_read_array(r, count, sizeof(topic->partitions[0]), arena);
    for (size_t i = 0; i < count && !r->failed; i++)
        topic->partitions[i] =
            (int32_t)json_as_int(r, json_at(r, list, i), "partition", 0, INT32_MAX);
    topic->partition_count = r->failed ? 0 : count;
}

void group_read_topics(struct json_reader *r, const struct json *row, size_t i,
                       struct arena *arena, struct group_topics *topics)
{
    const struct json *list = json_at(r, row, i);
    *topics = (struct group_topics){.null = json_is_null(list)};
    if (r->failed || topics->null)
        return;
    if (!json_is_array(list)) {
        r->failed = true;
        return;
    }
    size_t count = json_count(list);
    topics->topics = group_read_array(r, count, sizeof(topics->topics[0]), arena);
    for (size_t k = 0; k < count && !r->failed; k++)
        read_topic(r, json_at(r, list, k), arena, &topics->topics[k]);
    topics->count = r->failed ? 0 : count;
}
