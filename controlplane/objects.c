/* objects.c - see objects.h. The table of a cluster is open addressing over pointers; ids
 * are random, so that their own bytes serve as hash. */
#include "controlplane/objects.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"

#define SLOTS_FIRST   16
#define SWEEP_AT_ONCE 4 /* more than a commit adds */

void objects_init(struct object_list *objects)
{
    memset(objects, 0, sizeof(*objects));
    list_init(&objects->results);
    objects->next_serial = 1;
}

/* An id is chosen by an agent, perhaps badly: mix all of it. */
static uint32_t hash(const struct uuid *id)
{
    uint64_t a, b;
    memcpy(&a, id->bytes, 8);
    memcpy(&b, id->bytes + 8, 8);
    a = (a ^ (b >> 29)) * 0x9e3779b97f4a7c15u;
    a = (a ^ (a >> 32) ^ b) * 0xd6e8feb86659fd93u;
    return (uint32_t)(a >> 32);
}

struct stored_object *objects_find(const struct cluster *cluster, const struct uuid *id)
{
    const struct object_table *table = &cluster->objects;
    struct stored_object *object;

    if (table->mask == 0)
        return NULL;
    for (uint32_t i = hash(id) & table->mask; (object = table->slots[i]) != NULL;
         i = (i + 1) & table->mask) {
        if (uuid_eq(&object->object_id, id))
            return object;
    }
    return NULL;
}

static void put(struct object_table *table, struct stored_object *object)
{
    uint32_t i = hash(&object->object_id) & table->mask;
    while (table->slots[i] != NULL)
        i = (i + 1) & table->mask;
    table->slots[i] = object;
}

static void grow(struct object_table *table)
{
    struct object_table bigger = {.count = table->count};
    uint32_t old = table->mask == 0 ? 0 : table->mask + 1;
    uint32_t slots = old == 0 ? SLOTS_FIRST : old * 2;

    ASSERT(slots != 0);
    bigger.mask = slots - 1;
    bigger.slots = mem_zalloc(slots * sizeof(struct stored_object *));
    for (uint32_t i = 0; i < old; i++) {
        if (table->slots[i] != NULL)
            put(&bigger, table->slots[i]);
    }
    mem_free(table->slots);
    table->slots = bigger.slots;
    table->mask = bigger.mask;
}

struct stored_object *objects_add(struct object_list *objects, struct cluster *cluster,
                                  const struct uuid *id, uint64_t serial)
{
    struct object_table *table = &cluster->objects;
    struct stored_object *object = mem_zalloc(sizeof(*object));

    object->object_id = *id;
    object->cluster = cluster;
    object->serial = serial == 0 ? objects->next_serial : serial;
    ASSERT(object->serial >= objects->next_serial);
    objects->next_serial = object->serial + 1;
    row_init(&object->row, ROW_OBJECT);
    list_push_back(&table->list, &object->node);
    if (table->mask == 0 || (table->count + 1) > table->mask / 4 * 3)
        grow(table);
    put(table, object);
    table->count++;
    objects->count++;
    objects->bytes += sizeof(*object);
    return object;
}

void objects_set_size(struct stored_object *object, uint64_t size_bytes)
{
    object->size_bytes = size_bytes;
    object->cluster->objects.stored_bytes += size_bytes;
}

void objects_set_result(struct object_list *objects, struct stored_object *object,
                        struct slice result)
{
    ASSERT(object->result == NULL && result.len > 0);
    struct kept_result *kept = mem_alloc(sizeof(*kept) + result.len);
    kept->object = object;
    kept->len = (uint32_t)result.len;
    memcpy(kept->bytes, result.ptr, result.len);
    list_node_init(&kept->node);
    list_push_back(&objects->results, &kept->node);
    object->result = kept;
    objects->bytes += sizeof(*kept) + result.len;
}

static void drop_result(struct object_list *objects, struct stored_object *object)
{
    struct kept_result *kept = object->result;
    if (kept == NULL)
        return;
    objects->bytes -= sizeof(*kept) + kept->len;
    list_remove(&kept->node);
    mem_free(kept);
    object->result = NULL;
}

void objects_sweep_results(struct object_list *objects, int64_t now_ms)
{
    for (int i = 0; i < SWEEP_AT_ONCE; i++) {
        struct list_node *node = list_first(&objects->results);
        struct kept_result *kept =
            node == NULL ? NULL : CONTAINER_OF(node, struct kept_result, node);
        /* While its row is to be written, the row needs it. */
        if (kept == NULL || kept->object->result_until_ms > now_ms ||
            list_linked(&kept->object->row.dirty))
            break;
        drop_result(objects, kept->object);
    }
}

void objects_set_garbage(struct object_list *objects, struct stored_object *object,
                         int64_t now_ms)
{
    ASSERT(object->run_count == 0 && object->garbage_at_ms == 0);
    object->garbage_at_ms = now_ms;
    objects->garbage_count++;
    object->cluster->objects.garbage++;
    mem_free(object->runs);
    object->runs = NULL;
    object->runs_bytes = 0;
}

bool objects_unref_run(struct object_list *objects, struct stored_object *object,
                       int64_t now_ms)
{
    ASSERT(object->run_count > 0);
    if (--object->run_count > 0)
        return false;
    objects_set_garbage(objects, object, now_ms);
    return true;
}

void objects_remove(struct object_list *objects, struct stored_object *object)
{
    struct object_table *table = &object->cluster->objects;
    uint32_t i = hash(&object->object_id) & table->mask;

    while (table->slots[i] != object)
        i = (i + 1) & table->mask;
    table->slots[i] = NULL;
    for (uint32_t j = (i + 1) & table->mask; table->slots[j] != NULL;
         j = (j + 1) & table->mask) {
        struct stored_object *moved = table->slots[j];
        table->slots[j] = NULL;
        put(table, moved);
    }
    table->stored_bytes -= object->size_bytes;
    table->count--;
    objects->count--;
    objects->garbage_count -= object->garbage_at_ms != 0;
    table->garbage -= object->garbage_at_ms != 0;
    objects->bytes -= sizeof(*object);
    drop_result(objects, object);
    list_remove(&object->node);
    list_remove(&object->row.dirty);
    mem_free(object->runs);
    mem_free(object);
}

void objects_free_table(struct cluster *cluster)
{
    ASSERT(cluster->objects.count == 0);
    mem_free(cluster->objects.slots);
    cluster->objects.slots = NULL;
    cluster->objects.mask = 0;
}
