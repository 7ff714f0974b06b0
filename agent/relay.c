/* relay.c - one call each, then perhaps wait for the view. */
#include "agent/relay.h"

#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"
#include "common/mem.h"

struct relay {
    struct loop *loop;
    struct ctl *ctl;
    struct watch *watch;
    struct list ops;
};

struct relay_op {
    struct list_node node;
    struct relay *relay;
    struct relay_ask *ask;
    struct ctl_call *call; /* NULL: answered, waits for the view */
    struct watch_waiter waiter;
    struct loop_timer timer; /* the deadline while waiting for the view */
};

static void answer(struct relay_op *op, int code)
{
    struct relay_ask *ask = op->ask;

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
    answer(CONTAINER_OF(waiter, struct relay_op, waiter), 0);
}

static void on_deadline(struct loop_timer *timer, void *arg)
{
    (void)timer;
    answer(arg, ERR_TIMEOUT);
}

static void on_answer(int code, const char *text, const struct json *value, void *arg)
{
    struct relay_op *op = arg;
    struct json_reader r = {0};
    (void)text;

    op->call = NULL;
    if (code == 0)
        code = op->ask->read(op->ask, value);
    if (code == 0)
        op->waiter.cursor = json_get_int(&r, value, "cursor", 0, INT64_MAX);
    if (code == 0 && r.failed)
        code = ERR_MALFORMED;
    if (code != 0 || !op->ask->sees) {
        answer(op, code);
        return;
    }
    loop_timer_set(&op->timer, op->ask->deadline_at_ms - loop_now_ms(op->relay->loop));
    watch_wait(op->relay->watch, &op->waiter);
}

void relay_ask(struct relay *relay, struct relay_ask *ask)
{
    struct relay_op *op = mem_zalloc(sizeof(*op));
    struct json *body = ask->body;

    ask->kafka_error = 0;
    ask->body = NULL;
    op->relay = relay;
    op->ask = ask;
    op->waiter.done = on_seen;
    list_node_init(&op->waiter.node);
    loop_timer_init(&op->timer, relay->loop, on_deadline, op);
    list_push_back(&relay->ops, &op->node);
    op->call = ctl_send(relay->ctl, ask->path, body, ask->deadline_at_ms, on_answer, op);
    ask_trace(&ask->ask, ctl_request_id(op->call));
}

void relay_drain(struct relay *relay)
{
    LIST_FOREACH(node, next, &relay->ops)
    {
        struct relay_op *op = CONTAINER_OF(node, struct relay_op, node);
        if (op->call != NULL)
            ctl_cancel(op->call);
        answer(op, ERR_CANCELLED);
    }
}

bool relay_idle(const struct relay *relay)
{
    return list_empty(&relay->ops);
}

struct relay *relay_new(struct loop *loop, struct ctl *ctl, struct watch *watch)
{
    struct relay *relay = mem_zalloc(sizeof(*relay));
    relay->loop = loop;
    relay->ctl = ctl;
    relay->watch = watch;
    list_init(&relay->ops);
    return relay;
}

void relay_free(struct relay *relay)
{
    if (relay == NULL)
        return;
    ASSERT(relay_idle(relay));
    mem_free(relay);
}
