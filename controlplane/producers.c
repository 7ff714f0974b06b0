/* producers.c - see producers.h.
 *
 * The hot path is one hash lookup for a run and a few compares for a batch. The list by
 * use is kept almost sorted: a state moves to its end at most once a minute of use, which
 * saves three cache misses a run; expiry looks at the exact time. */
#include "controlplane/producers.h"

#include <stdlib.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"

#define SLOTS_FIRST     4
#define REQUEUE_MS      60000
#define BATCH_ROW_BYTES 24

void producers_init(struct producer_table *table)
{
    list_init(&table->by_use);
    table->count = 0;
}

/* ---- a partition's hash table ---- */

static uint32_t slot_of(int64_t producer_id, uint32_t slots)
{
    /* Ids are handed out in sequence: spread them (Fibonacci hashing). */
    uint64_t h = (uint64_t)producer_id * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32) & (slots - 1);
}

struct producer *producers_find(const struct partition *partition, int64_t producer_id)
{
    if (partition->producer_slots == 0)
        return NULL;
    uint32_t i = slot_of(producer_id, partition->producer_slots);
    struct producer *producer;
    while ((producer = partition->producers[i]) != NULL) {
        if (producer->producer_id == producer_id)
            return producer;
        i = (i + 1) & (partition->producer_slots - 1);
    }
    return NULL;
}

static void slot_put(struct producer **table, uint32_t slots, struct producer *producer)
{
    uint32_t i = slot_of(producer->producer_id, slots);
    while (table[i] != NULL)
        i = (i + 1) & (slots - 1);
    table[i] = producer;
}

static void resize(struct partition *partition, uint32_t slots)
{
    struct producer **table = mem_zalloc(slots * sizeof(struct producer *));
    for (uint32_t i = 0; i < partition->producer_slots; i++) {
        if (partition->producers[i] != NULL)
            slot_put(table, slots, partition->producers[i]);
    }
    mem_free(partition->producers);
    partition->producers = table;
    partition->producer_slots = slots;
}

/* Take PRODUCER out and close the gap in its chain. */
static void slot_remove(struct partition *partition, const struct producer *producer)
{
    uint32_t mask = partition->producer_slots - 1;
    uint32_t i = slot_of(producer->producer_id, partition->producer_slots);

    while (partition->producers[i] != producer)
        i = (i + 1) & mask;
    partition->producers[i] = NULL;
    for (uint32_t j = (i + 1) & mask; partition->producers[j] != NULL;
         j = (j + 1) & mask) {
        struct producer *moved = partition->producers[j];
        partition->producers[j] = NULL;
        slot_put(partition->producers, partition->producer_slots, moved);
    }
}

static void drop(struct producer_table *table, struct producer *producer)
{
    slot_remove(producer->partition, producer);
    producer->partition->producer_count--;
    producer->partition->topic->cluster->producer_count--;
    list_remove(&producer->node);
    table->count--;
    mem_free(producer);
}

static int by_use_then_id(const void *a, const void *b)
{
    const struct producer *x = *(struct producer *const *)a;
    const struct producer *y = *(struct producer *const *)b;
    if (x->used_at_ms != y->used_at_ms)
        return x->used_at_ms < y->used_at_ms ? -1 : 1;
    return (x->producer_id > y->producer_id) - (x->producer_id < y->producer_id);
}

static int by_id(const void *a, const void *b)
{
    const struct producer *x = *(struct producer *const *)a;
    const struct producer *y = *(struct producer *const *)b;
    return (x->producer_id > y->producer_id) - (x->producer_id < y->producer_id);
}

/* All states of PARTITION in the order of COMPARE; to be freed. */
static struct producer **sorted(const struct partition *partition,
                                int (*compare)(const void *, const void *))
{
    struct producer **list =
        mem_alloc((partition->producer_count + 1) * sizeof(struct producer *));
    uint32_t n = 0;
    for (uint32_t i = 0; i < partition->producer_slots; i++) {
        if (partition->producers[i] != NULL)
            list[n++] = partition->producers[i];
    }
    qsort(list, n, sizeof(struct producer *), compare);
    return list;
}

/* A bound on what a client that makes up producer ids can take (I12). */
static void forget_quarter(struct producer_table *table, struct partition *partition)
{
    struct producer **list = sorted(partition, by_use_then_id);
    for (uint32_t i = 0; i < PRODUCERS_PER_PARTITION / 4; i++)
        drop(table, list[i]);
    mem_free(list);
}

static struct producer *add(struct producer_table *table, struct partition *partition,
                            int64_t producer_id)
{
    if (partition->producer_count == PRODUCERS_PER_PARTITION)
        forget_quarter(table, partition);
    if ((partition->producer_count + 1) * 4 > partition->producer_slots * 3)
        resize(partition, MAX(SLOTS_FIRST, partition->producer_slots * 2));
    struct producer *producer = mem_zalloc(sizeof(*producer));
    producer->producer_id = producer_id;
    producer->partition = partition;
    slot_put(partition->producers, partition->producer_slots, producer);
    partition->producer_count++;
    partition->topic->cluster->producer_count++;
    list_push_back(&table->by_use, &producer->node);
    table->count++;
    return producer;
}

/* ---- judging ---- */

int32_t producers_last_sequence(int32_t first_sequence, uint32_t records)
{
    return (int32_t)(((uint32_t)first_sequence + records - 1) & INT32_MAX);
}

int16_t producers_judge(const struct producer *producer, int16_t epoch,
                        int32_t first_sequence, uint32_t records,
                        const struct producer_batch **duplicate)
{
    *duplicate = NULL;
    if (producer == NULL)
        return 0; /* expired or new: any first sequence is right */
    if (epoch < producer->epoch)
        return 47; /* INVALID_PRODUCER_EPOCH */
    if (epoch > producer->epoch)
        return first_sequence == 0 ? 0 : 45; /* OUT_OF_ORDER_SEQUENCE_NUMBER */
    int32_t last = producer->batches[producer->last].last_sequence;
    if (first_sequence == producers_last_sequence(last, 2))
        return 0;
    int32_t last_sequence = producers_last_sequence(first_sequence, records);
    for (uint8_t i = 0; i < producer->count; i++) {
        const struct producer_batch *batch = &producer->batches[i];
        if (batch->first_sequence == first_sequence &&
            batch->last_sequence == last_sequence) {
            *duplicate = batch;
            return 0;
        }
    }
    return 45;
}

struct producer *producers_record(struct producer_table *table,
                                  struct partition *partition, struct producer *producer,
                                  int64_t producer_id, int16_t epoch,
                                  const struct producer_batch *batch, int64_t now_ms)
{
    if (producer == NULL) {
        producer = add(table, partition, producer_id);
        producer->epoch = epoch;
        producer->queued_at_ms = now_ms;
    } else if (now_ms - producer->queued_at_ms > REQUEUE_MS) {
        list_remove(&producer->node);
        list_push_back(&table->by_use, &producer->node);
        producer->queued_at_ms = now_ms;
    }
    if (epoch != producer->epoch) {
        producer->epoch = epoch;
        producer->count = 0;
    }
    producer->used_at_ms = now_ms;
    if (producer->count > 0)
        producer->last = (uint8_t)((producer->last + 1u) % PRODUCER_BATCHES);
    else
        producer->last = 0;
    producer->batches[producer->last] = *batch;
    if (producer->count < PRODUCER_BATCHES)
        producer->count++;
    return producer;
}

/* ---- forgetting ---- */

uint64_t producers_expire(struct producer_table *table, int64_t before_ms,
                          void (*on_drop)(void *arg, struct partition *partition),
                          void *arg)
{
    uint64_t dropped = 0;
    LIST_FOREACH(node, next, &table->by_use)
    {
        struct producer *producer = CONTAINER_OF(node, struct producer, node);
        if (producer->queued_at_ms >= before_ms)
            break;
        if (producer->used_at_ms >= before_ms)
            continue;
        on_drop(arg, producer->partition);
        drop(table, producer);
        dropped++;
    }
    return dropped;
}

void producers_drop(struct producer_table *table, struct partition *partition)
{
    partition->topic->cluster->producer_count -= partition->producer_count;
    for (uint32_t i = 0; i < partition->producer_slots; i++) {
        struct producer *producer = partition->producers[i];
        if (producer == NULL)
            continue;
        list_remove(&producer->node);
        table->count--;
        mem_free(producer);
    }
    mem_free(partition->producers);
    partition->producers = NULL;
    partition->producer_slots = 0;
    partition->producer_count = 0;
}

/* ---- bytes ---- */

static void write_one(const struct producer *producer, struct str *out)
{
    write_u64(out, (uint64_t)producer->producer_id);
    write_u64(out, (uint64_t)producer->used_at_ms);
    write_u16(out, (uint16_t)producer->epoch);
    write_u8(out, producer->count);
    /* Oldest first, whatever the ring's turn. */
    for (uint8_t i = 0; i < producer->count; i++) {
        uint8_t at =
            (uint8_t)((producer->last + 1 + PRODUCER_BATCHES - producer->count + i) %
                      PRODUCER_BATCHES);
        const struct producer_batch *batch = &producer->batches[at];
        write_u64(out, (uint64_t)batch->base_offset);
        write_u64(out, (uint64_t)batch->timestamp);
        write_u32(out, (uint32_t)batch->first_sequence);
        write_u32(out, (uint32_t)batch->last_sequence);
    }
}

void producers_write(const struct partition *partition, struct str *out)
{
    struct producer **list = sorted(partition, by_id);
    for (uint32_t i = 0; i < partition->producer_count; i++)
        write_one(list[i], out);
    mem_free(list);
}

static int read_one(struct producer_table *table, struct partition *partition,
                    struct reader *r)
{
    int64_t producer_id = reader_i64(r);
    int64_t used_at_ms = reader_i64(r);
    int16_t epoch = reader_i16(r);
    uint8_t count = reader_u8(r);

    if (r->failed || count < 1 || count > PRODUCER_BATCHES ||
        reader_left(r) < (size_t)count * BATCH_ROW_BYTES ||
        partition->producer_count >= PRODUCERS_PER_PARTITION ||
        producers_find(partition, producer_id) != NULL)
        return ERR_DAMAGED;
    struct producer *producer = add(table, partition, producer_id);
    producer->used_at_ms = producer->queued_at_ms = used_at_ms;
    producer->epoch = epoch;
    producer->count = count;
    producer->last = (uint8_t)(count - 1);
    for (uint8_t i = 0; i < count; i++) {
        producer->batches[i].base_offset = reader_i64(r);
        producer->batches[i].timestamp = reader_i64(r);
        producer->batches[i].first_sequence = reader_i32(r);
        producer->batches[i].last_sequence = reader_i32(r);
    }
    return 0;
}

int producers_read(struct producer_table *table, struct partition *partition,
                   struct slice bytes)
{
    struct reader r;
    int rc = 0;
    reader_init(&r, bytes);
    while (rc == 0 && reader_left(&r) > 0)
        rc = read_one(table, partition, &r);
    return rc;
}

void producers_sort(struct producer_table *table)
{
    struct producer **list = mem_alloc((table->count + 1) * sizeof(struct producer *));
    size_t n = 0;
    LIST_FOREACH(node, next, &table->by_use)
    {
        list[n++] = CONTAINER_OF(node, struct producer, node);
        list_remove(node);
    }
    ASSERT(n == table->count);
    qsort(list, n, sizeof(struct producer *), by_use_then_id);
    for (size_t i = 0; i < n; i++)
        list_push_back(&table->by_use, &list[i]->node);
    mem_free(list);
}
