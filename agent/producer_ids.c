/* producer_ids.c - a block in use, the next one on its way when it runs low. */
#include "agent/producer_ids.h"

#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"
#include "common/log.h"
#include "common/mem.h"

#define BLOCK        1000
#define REFILL_BELOW 250

struct producer_ids {
    struct loop *loop;
    struct ctl *ctl;
    int64_t next;
    int64_t left;
    struct ctl_call *call;
    struct list waiting; /* asks in order, while there is no id */
};

struct id_waiter {
    struct list_node node;
    struct producer_id_ask *ask;
    struct loop_timer timer;
};

static void fetch(struct producer_ids *ids);

static void answer(struct id_waiter *waiter, int64_t id, int code)
{
    struct producer_id_ask *ask = waiter->ask;
    list_remove(&waiter->node);
    loop_timer_fini(&waiter->timer);
    mem_free(waiter);
    ask->producer_id = id;
    ask->kafka_error = code == 0 ? 0 : err_kafka(code);
    ask_reply(&ask->ask);
}

static void fail_all(struct producer_ids *ids, int code)
{
    struct list_node *node;
    while ((node = list_first(&ids->waiting)) != NULL)
        answer(CONTAINER_OF(node, struct id_waiter, node), -1, code);
}

static void on_block(int code, const char *text, const struct json *value, void *arg)
{
    struct producer_ids *ids = arg;
    struct json_reader r = {0};
    struct list_node *node;

    ids->call = NULL;
    if (code == 0) {
        int64_t first = json_get_int(&r, value, "first", 0, INT64_MAX - BLOCK);
        int64_t count = json_get_int(&r, value, "count", 1, BLOCK);
        code = r.failed ? ERR_MALFORMED : 0;
        /* What is left of the block before is fewer than are in the new one. */
        if (code == 0) {
            ids->next = first;
            ids->left = count;
        }
    }
    if (code != 0) {
        log_error("producer_ids", "no producer ids to be had", "err=%s",
                  LOG_QUOTED(text == NULL ? err_text(code) : text));
        fail_all(ids, ERR_UNAVAILABLE);
        return;
    }
    while (ids->left > 0 && (node = list_first(&ids->waiting)) != NULL) {
        ids->left--;
        answer(CONTAINER_OF(node, struct id_waiter, node), ids->next++, 0);
    }
    if (ids->left < REFILL_BELOW)
        fetch(ids);
}

static void fetch(struct producer_ids *ids)
{
    if (ids->call != NULL)
        return;
    struct json *body = json_object();
    json_set(body, "count", json_int(BLOCK));
    ids->call = ctl_send(ids->ctl, "/agent/v1/producer-ids", body, 0, on_block, ids);
}

static void on_deadline(struct loop_timer *timer, void *arg)
{
    (void)timer;
    answer(arg, -1, ERR_TIMEOUT);
}

void producer_ids_ask(struct producer_ids *ids, struct producer_id_ask *ask)
{
    if (ids->left > 0) {
        ids->left--;
        ask->producer_id = ids->next++;
        ask->kafka_error = 0;
        ask_reply(&ask->ask);
    } else {
        struct id_waiter *waiter = mem_alloc(sizeof(*waiter));
        waiter->ask = ask;
        loop_timer_init(&waiter->timer, ids->loop, on_deadline, waiter);
        loop_timer_set(&waiter->timer, ask->deadline_at_ms - loop_now_ms(ids->loop));
        list_push_back(&ids->waiting, &waiter->node);
    }
    if (ids->left < REFILL_BELOW)
        fetch(ids);
}

void producer_ids_drain(struct producer_ids *ids)
{
    fail_all(ids, ERR_CANCELLED);
}

bool producer_ids_idle(const struct producer_ids *ids)
{
    return list_empty(&ids->waiting);
}

struct producer_ids *producer_ids_new(struct loop *loop, struct ctl *ctl)
{
    struct producer_ids *ids = mem_zalloc(sizeof(*ids));
    ids->loop = loop;
    ids->ctl = ctl;
    list_init(&ids->waiting);
    return ids;
}

void producer_ids_free(struct producer_ids *ids)
{
    if (ids == NULL)
        return;
    ASSERT(producer_ids_idle(ids));
    if (ids->call != NULL)
        ctl_cancel(ids->call);
    mem_free(ids);
}
