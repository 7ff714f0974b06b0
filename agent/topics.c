/* topics.c - create, delete, partitions, configs: one call each, then wait for the view.
 */
#include "agent/topics.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"
#include "common/mem.h"

#define MESSAGE_MAX  4096
#define NAME_MAX_LEN 249

struct topics {
    struct loop *loop;
    struct ctl *ctl;
    struct watch *watch;
    struct list ops;
};

struct topics_op_state {
    struct list_node node;
    struct topics *topics;
    struct topics_ask *ask;
    struct ctl_call *call; /* NULL: answered, waits for the view */
    struct watch_waiter waiter;
    struct loop_timer timer; /* the deadline while waiting for the view */
};

static void answer(struct topics_op_state *op, int code)
{
    struct topics_ask *ask = op->ask;

    if (code != 0)
        ask->kafka_error = err_kafka(code);
    list_remove(&op->node);
    watch_wait_cancel(&op->waiter);
    loop_timer_fini(&op->timer);
    mem_free(op);
    ask_reply(&ask->ask);
}

static void on_seen(struct watch_waiter *waiter)
{
    answer(CONTAINER_OF(waiter, struct topics_op_state, waiter), 0);
}

static void on_deadline(struct loop_timer *timer, void *arg)
{
    (void)timer;
    answer(arg, ERR_TIMEOUT);
}

/* ---- results ---- */

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

static void read_result(struct json_reader *r, enum topics_op op, const struct json *row,
                        struct arena *arena, struct topics_result *result)
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

static int read_results(struct topics_ask *ask, const struct json *answer,
                        int64_t *cursor)
{
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "results");
    *cursor = json_get_int(&r, answer, "cursor", 0, INT64_MAX);

    if (r.failed || json_count(rows) != ask->item_count)
        return ERR_MALFORMED;
    ask->results =
        arena_try_array(ask->ask.arena, ask->item_count, sizeof(ask->results[0]));
    if (ask->results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < ask->item_count && !r.failed; i++)
        read_result(&r, ask->op, json_at(&r, rows, i), ask->ask.arena, &ask->results[i]);
    return r.failed ? ERR_MALFORMED : 0;
}

static void on_answer(int code, const char *text, const struct json *value, void *arg)
{
    struct topics_op_state *op = arg;
    (void)text;

    op->call = NULL;
    if (code == 0)
        code = read_results(op->ask, value, &op->waiter.cursor);
    if (code != 0 || op->ask->validate_only) {
        answer(op, code);
        return;
    }
    loop_timer_set(&op->timer, op->ask->deadline_at_ms - loop_now_ms(op->topics->loop));
    watch_wait(op->topics->watch, &op->waiter);
}

/* ---- asking ---- */

void topics_ask(struct topics *topics, struct topics_ask *ask)
{
    static const char *const paths[] = {
        [TOPICS_CREATE] = "/agent/v1/topics/create",
        [TOPICS_DELETE] = "/agent/v1/topics/delete",
        [TOPICS_PARTITIONS] = "/agent/v1/topics/partitions",
        [TOPICS_CONFIGS] = "/agent/v1/topics/configs",
    };
    struct topics_op_state *op = mem_zalloc(sizeof(*op));
    struct json *body = json_object();

    ask->kafka_error = 0;
    ask->results = NULL;
    op->topics = topics;
    op->ask = ask;
    op->waiter.done = on_seen;
    list_node_init(&op->waiter.node);
    loop_timer_init(&op->timer, topics->loop, on_deadline, op);
    list_push_back(&topics->ops, &op->node);
    json_set(body, "validate_only", json_bool(ask->validate_only));
    json_set(body, "topics", ask->items);
    ask->items = NULL;
    op->call =
        ctl_send(topics->ctl, paths[ask->op], body, ask->deadline_at_ms, on_answer, op);
}

void topics_drain(struct topics *topics)
{
    LIST_FOREACH(node, next, &topics->ops)
    {
        struct topics_op_state *op = CONTAINER_OF(node, struct topics_op_state, node);
        if (op->call != NULL)
            ctl_cancel(op->call);
        answer(op, ERR_CANCELLED);
    }
}

bool topics_idle(const struct topics *topics)
{
    return list_empty(&topics->ops);
}

struct topics *topics_new(struct loop *loop, struct ctl *ctl, struct watch *watch)
{
    struct topics *topics = mem_zalloc(sizeof(*topics));
    topics->loop = loop;
    topics->ctl = ctl;
    topics->watch = watch;
    list_init(&topics->ops);
    return topics;
}

void topics_free(struct topics *topics)
{
    if (topics == NULL)
        return;
    ASSERT(topics_idle(topics));
    mem_free(topics);
}
