/* fake_store.c - PUTs that take a while, fail, stall, or succeed without saying so. */
#include "tests/lib/fake_store.h"

#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/mem.h"

struct fake_object {
    struct list_node node;
    char key[513];
    uint8_t *bytes;
    size_t len;
};

enum fake_fate { FATE_OK, FATE_FAIL, FATE_LOST };

struct fake_put {
    struct list_node node;
    struct fake_store *store;
    struct store_request *request; /* NULL once answered; kept for events still to come */
    enum fake_fate fate;
};

void fake_store_init(struct fake_store *store, struct vtime *time)
{
    *store = (struct fake_store){.time = time, .base_ms = 5, .spread_ms = 40};
    list_init(&store->objects);
    list_init(&store->puts);
}

void fake_store_fini(struct fake_store *store)
{
    struct list_node *node;
    while ((node = list_pop_front(&store->objects)) != NULL) {
        struct fake_object *object = CONTAINER_OF(node, struct fake_object, node);
        mem_free(object->bytes);
        mem_free(object);
    }
    while ((node = list_pop_front(&store->puts)) != NULL)
        mem_free(CONTAINER_OF(node, struct fake_put, node));
}

static struct fake_object *find(const struct fake_store *store, const char *key)
{
    LIST_FOREACH(node, next, &store->objects)
    {
        struct fake_object *object = CONTAINER_OF(node, struct fake_object, node);
        if (strcmp(object->key, key) == 0)
            return object;
    }
    return NULL;
}

/* Create-only, and only what its checksum says it is. */
static void store_object(struct fake_store *store, const struct store_request *request)
{
    struct fake_object *object = mem_zalloc(sizeof(*object));
    for (size_t i = 0; i < request->piece_count; i++)
        object->len += request->pieces[i].len;
    object->bytes = mem_alloc(object->len);
    size_t at = 0;
    for (size_t i = 0; i < request->piece_count; i++) {
        memcpy(object->bytes + at, request->pieces[i].ptr, request->pieces[i].len);
        at += request->pieces[i].len;
    }
    ASSERT(crc32c(object->bytes, object->len) == request->crc);
    ASSERT(find(store, request->key) == NULL);
    memcpy(object->key, request->key, sizeof(object->key));
    list_push_back(&store->objects, &object->node);
    store->put_count++;
}

static void answer(struct fake_put *put, int code)
{
    struct store_request *request = put->request;
    put->request = NULL;
    request->attempts = 1;
    request->err.code = 0;
    if (code != 0)
        err_set(&request->err, code, "the fake store says no");
    put->store->on_done(request, put->store->arg);
}

static void on_due(void *arg)
{
    struct fake_put *put = arg;
    struct fake_store *store = put->store;

    if (put->request != NULL && store->hold &&
        store->time->now_ms < put->request->deadline_at_ms) {
        vtime_after(store->time, 10, on_due, put);
        return;
    }
    if (put->request != NULL) {
        if (put->fate != FATE_FAIL && store->time->now_ms < put->request->deadline_at_ms)
            store_object(store, put->request);
        else if (put->fate == FATE_OK)
            put->fate = FATE_FAIL;
        answer(put, put->fate == FATE_OK     ? 0
                    : put->fate == FATE_LOST ? ERR_TIMEOUT
                                             : ERR_FORBIDDEN);
    }
}

void fake_store_put(struct fake_store *store, struct store_request *request)
{
    struct fake_put *put = mem_zalloc(sizeof(*put));
    struct vtime *time = store->time;
    int64_t delay =
        store->base_ms + (int64_t)vtime_random(time, (uint64_t)store->spread_ms + 1);

    put->store = store;
    put->request = request;
    if (vtime_chance(time, store->slow_percent))
        delay += store->slow_ms;
    if (vtime_chance(time, store->fail_percent))
        put->fate = FATE_FAIL;
    else if (vtime_chance(time, store->lost_percent))
        put->fate = FATE_LOST;
    if (vtime_chance(time, store->stall_percent))
        delay = request->deadline_at_ms - time->now_ms;
    list_push_back(&store->puts, &put->node);
    vtime_after(time, delay, on_due, put);
}

/* Half of what is cancelled is stored all the same. */
static void on_cancelled(void *arg)
{
    struct fake_put *put = arg;
    if (put->request == NULL)
        return;
    if (vtime_chance(put->store->time, 50))
        store_object(put->store, put->request);
    answer(put, ERR_CANCELLED);
}

void fake_store_cancel(struct fake_store *store, struct store_request *request)
{
    LIST_FOREACH(node, next, &store->puts)
    {
        struct fake_put *put = CONTAINER_OF(node, struct fake_put, node);
        if (put->request == request)
            vtime_after(store->time, 0, on_cancelled, put);
    }
}

struct slice fake_store_get(const struct fake_store *store, const char *key)
{
    const struct fake_object *object = find(store, key);
    return object == NULL ? SLICE_NULL : slice_of(object->bytes, object->len);
}

size_t fake_store_object_count(const struct fake_store *store)
{
    return store->put_count;
}

size_t fake_store_open(const struct fake_store *store)
{
    size_t n = 0;
    LIST_FOREACH(node, next, &store->puts)
    {
        n += CONTAINER_OF(node, struct fake_put, node)->request != NULL;
    }
    return n;
}
