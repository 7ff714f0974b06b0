/* freshness.c - one probe at a time, shared by all who asked before it left. */
#include "agent/freshness.h"

#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"
#include "common/mem.h"

struct freshness {
    struct loop *loop;
    struct ctl *ctl;
    struct watch *watch;
    struct ctl_call *probe;
    struct list next;    /* asks for the next probe */
    struct list probing; /* asks that the probe on its way is for */
    struct list waiting; /* asks that wait for the view */
};

struct fresh_waiter {
    struct list_node node;
    struct metadata_ask *ask;
    struct loop_timer timer;
    struct watch_waiter waiter;
};

static void probe(struct freshness *freshness);

static void answer(struct fresh_waiter *waiter, int code)
{
    struct metadata_ask *ask = waiter->ask;
    list_remove(&waiter->node);
    watch_wait_cancel(&waiter->waiter);
    loop_timer_fini(&waiter->timer);
    mem_free(waiter);
    ask->kafka_error = code == 0 ? 0 : err_kafka(code);
    ask_reply(&ask->ask);
}

static void fail_all(struct list *list, int code)
{
    struct list_node *node;
    while ((node = list_first(list)) != NULL)
        answer(CONTAINER_OF(node, struct fresh_waiter, node), code);
}

static void on_deadline(struct loop_timer *timer, void *arg)
{
    (void)timer;
    answer(arg, ERR_TIMEOUT);
}

static void on_seen(struct watch_waiter *waiter)
{
    answer(CONTAINER_OF(waiter, struct fresh_waiter, waiter), 0);
}

static void on_probed(int code, const char *text, const struct json *value, void *arg)
{
    struct freshness *freshness = arg;
    struct json_reader r = {0};
    struct list_node *node;
    (void)text;

    freshness->probe = NULL;
    int64_t cursor = code == 0 ? json_get_int(&r, value, "cursor", 0, INT64_MAX) : 0;
    if (code == 0 && r.failed)
        code = ERR_MALFORMED;
    if (code != 0)
        fail_all(&freshness->probing, code);
    while ((node = list_pop_front(&freshness->probing)) != NULL) {
        struct fresh_waiter *waiter = CONTAINER_OF(node, struct fresh_waiter, node);
        list_push_back(&freshness->waiting, node);
        waiter->waiter.cursor = cursor;
        watch_wait(freshness->watch, &waiter->waiter);
    }
    probe(freshness);
}

static void probe(struct freshness *freshness)
{
    if (freshness->probe != NULL || list_empty(&freshness->next))
        return;
    struct json *body = json_object();
    json_set(body, "partitions", json_array());
    list_splice(&freshness->probing, &freshness->next);
    freshness->probe =
        ctl_send(freshness->ctl, "/agent/v1/plan", body, 0, on_probed, freshness);
}

void freshness_ask(struct freshness *freshness, struct metadata_ask *ask)
{
    struct fresh_waiter *waiter = mem_zalloc(sizeof(*waiter));
    waiter->ask = ask;
    waiter->waiter.done = on_seen;
    list_node_init(&waiter->waiter.node);
    loop_timer_init(&waiter->timer, freshness->loop, on_deadline, waiter);
    loop_timer_set(&waiter->timer, ask->deadline_at_ms - loop_now_ms(freshness->loop));
    list_push_back(&freshness->next, &waiter->node);
    probe(freshness);
}

void freshness_drain(struct freshness *freshness)
{
    fail_all(&freshness->next, ERR_CANCELLED);
    fail_all(&freshness->probing, ERR_CANCELLED);
    fail_all(&freshness->waiting, ERR_CANCELLED);
}

bool freshness_idle(const struct freshness *freshness)
{
    return list_empty(&freshness->next) && list_empty(&freshness->probing) &&
           list_empty(&freshness->waiting);
}

struct freshness *freshness_new(struct loop *loop, struct ctl *ctl, struct watch *watch)
{
    struct freshness *freshness = mem_zalloc(sizeof(*freshness));
    freshness->loop = loop;
    freshness->ctl = ctl;
    freshness->watch = watch;
    list_init(&freshness->next);
    list_init(&freshness->probing);
    list_init(&freshness->waiting);
    return freshness;
}

void freshness_free(struct freshness *freshness)
{
    if (freshness == NULL)
        return;
    ASSERT(freshness_idle(freshness));
    if (freshness->probe != NULL)
        ctl_cancel(freshness->probe);
    mem_free(freshness);
}
