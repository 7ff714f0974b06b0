/* topic_change.c - the four calls under /agent/v1/topics, and the reading of results. */
#include "agent/topic_change.h"

#include <string.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/json.h"

#define MESSAGE_MAX  4096
#define NAME_MAX_LEN 249

/* ---- results: on the core thread ---- */

static struct slice copy(struct arena *arena, struct slice s)
{
    uint8_t *bytes = s.ptr == NULL ? NULL : arena_try_alloc(arena, s.len + 1);
    if (bytes == NULL)
        return SLICE_NULL;
    memcpy(bytes, s.ptr, s.len);
    return slice_of(bytes, s.len);
}

static struct slice read_text(struct json_reader *r, const struct json *row, size_t i,
                              const char *what, size_t max, struct arena *arena)
{
    const struct json *value = json_at(r, row, i);
    if (r->failed || json_is_null(value))
        return SLICE_NULL;
    return copy(arena, json_as_string(r, value, what, max));
}

static int64_t read_int(struct json_reader *r, const struct json *row, size_t i,
                        const char *what, int64_t max)
{
    const struct json *value = json_at(r, row, i);
    return r->failed || json_is_null(value) ? 0 : json_as_int(r, value, what, -1, max);
}

static void read_result(struct json_reader *r, enum topic_change_op op,
                        const struct json *row, struct arena *arena,
                        struct topic_result *result)
{
    result->kafka_error =
        (int16_t)json_as_int(r, json_at(r, row, 0), "error", -1, INT16_MAX);
    result->message =
        (const char *)read_text(r, row, 1, "message", MESSAGE_MAX, arena).ptr;
    if (op != TOPICS_CREATE && op != TOPICS_DELETE)
        return;
    const struct json *id = json_at(r, row, 2);
    if (!r->failed && !json_is_null(id))
        result->topic_id = json_as_uuid(r, id, "topic id");
    if (op == TOPICS_DELETE) {
        result->name = read_text(r, row, 3, "name", NAME_MAX_LEN, arena);
        return;
    }
    result->partitions = (int32_t)read_int(r, row, 3, "partitions", INT32_MAX);
    result->replication_factor =
        (int16_t)read_int(r, row, 4, "replication factor", INT16_MAX);
}

static int read_results(struct relay_ask *ask, const struct json *answer)
{
    struct topic_change *change = CONTAINER_OF(ask, struct topic_change, relay);
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "results");

    if (r.failed || json_count(rows) != change->item_count)
        return ERR_MALFORMED;
    change->results =
        arena_try_array(ask->ask.arena, change->item_count, sizeof(change->results[0]));
    if (change->results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < change->item_count && !r.failed; i++)
        read_result(&r, change->op, json_at(&r, rows, i), ask->ask.arena,
                    &change->results[i]);
    return r.failed ? ERR_MALFORMED : 0;
}

/* ---- asking ---- */

void topic_change_init(struct topic_change *change, enum topic_change_op op,
                       bool validate_only)
{
    *change = (struct topic_change){.op = op, .validate_only = validate_only};
}

size_t topic_change_add(struct topic_change *change, struct json *item)
{
    if (change->items == NULL)
        change->items = json_array();
    json_push(change->items, item);
    return change->item_count++;
}

void topic_change_seal(struct topic_change *change, int64_t deadline_at_ms)
{
    static const char *const paths[] = {
        [TOPICS_CREATE] = "/agent/v1/topics/create",
        [TOPICS_DELETE] = "/agent/v1/topics/delete",
        [TOPICS_PARTITIONS] = "/agent/v1/topics/partitions",
        [TOPICS_CONFIGS] = "/agent/v1/topics/configs",
    };
    struct relay_ask *relay = &change->relay;

    relay->path = paths[change->op];
    relay->body = json_object();
    relay->sees = !change->validate_only;
    relay->deadline_at_ms = deadline_at_ms;
    relay->read = read_results;
    json_set(relay->body, "validate_only", json_bool(change->validate_only));
    json_set(relay->body, "topics", change->items);
    change->items = NULL;
}

int topic_change_ask(struct request *req, struct topic_change *change,
                     int64_t deadline_at_ms, request_answer_fn *on_answer)
{
    if (change->item_count == 0)
        return on_answer(req);
    topic_change_seal(change, deadline_at_ms);
    return request_ask(req, &change->relay.ask, ASK_RELAY, on_answer);
}

int16_t topic_change_error(const struct topic_change *change, size_t item,
                           const struct topic_result **result)
{
    *result = NULL;
    if (change->relay.kafka_error != 0)
        return change->relay.kafka_error;
    *result = &change->results[item];
    return (*result)->kafka_error;
}
