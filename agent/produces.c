/* produces.c - the open produce asks and their deadlines. */
#include "agent/produces.h"

#include "agent/metrics.h"
#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"

/* Marks a part that has no outcome yet; no Kafka error has this number. */
#define PART_OPEN INT16_MIN

void produces_init(struct produces *produces, int64_t now,
                   void (*reply)(struct ask *ask, void *arg), void *arg)
{
    for (size_t i = 0; i < PRODUCES_SLOTS; i++)
        list_init(&produces->slots[i]);
    produces->slot = now / PRODUCES_SLOT_MS;
    produces->open = 0;
    produces->reply = reply;
    produces->arg = arg;
}

struct produce *produces_take(struct produces *produces, struct produce_ask *ask,
                              int64_t now)
{
    if (ask->part_count == 0) {
        produces->reply(&ask->ask, produces->arg);
        return NULL;
    }
    struct produce *produce = mem_alloc(sizeof(*produce));
    produce->ask = ask;
    produce->frame = blob_ref(ask->frame);
    produce->batches = ask->part_count;
    produce->taken_at_ms = now;
    produce->deadline_at_ms = ask->deadline_at_ms;
    ask->open_parts = ask->part_count;
    for (size_t i = 0; i < ask->part_count; i++)
        ask->parts[i].kafka_error = PART_OPEN;
    /* A deadline that has passed already is dealt with at the next step. */
    int64_t slot = MAX(ask->deadline_at_ms / PRODUCES_SLOT_MS, produces->slot);
    list_push_back(&produces->slots[slot % PRODUCES_SLOTS], &produce->node);
    produces->open++;
    metric_add(agent_metric(produce_requests_total), 1);
    metric_add(agent_metric(produce_open_batches), (int64_t)ask->part_count);
    return produce;
}

static void answer(struct produces *produces, struct produce *produce, int64_t now)
{
    struct produce_ask *ask = produce->ask;
    list_remove(&produce->node);
    produce->ask = NULL;
    produces->open--;
    metric_observe(agent_metric(produce_seconds), (now - produce->taken_at_ms) * 1000);
    produces->reply(&ask->ask, produces->arg);
}

static void fill(struct produce_part *part, const struct produce_outcome *outcome)
{
    part->kafka_error = outcome->kafka_error;
    part->base_offset = outcome->kafka_error == 0 ? outcome->base_offset : -1;
    part->log_start_offset = outcome->kafka_error == 0 ? outcome->log_start_offset : -1;
    part->message = outcome->message;
    if (outcome->duplicate)
        part->log_append_time_ms = outcome->log_append_time_ms;
}

void produces_settle(struct produces *produces, struct produce *produce, size_t part,
                     const struct produce_outcome *outcome, int64_t now)
{
    struct produce_ask *ask = produce->ask;
    if (ask == NULL)
        return;
    ASSERT(part < ask->part_count && ask->parts[part].kafka_error == PART_OPEN);
    fill(&ask->parts[part], outcome);
    metric_add(agent_metric(produce_open_batches), -1);
    if (--ask->open_parts == 0)
        answer(produces, produce, now);
}

static void expire(struct produces *produces, struct produce *produce, int64_t now)
{
    const struct produce_outcome late = {
        .kafka_error = err_kafka(ERR_TIMEOUT),
        .message = "not committed in time; it may be committed later",
    };
    struct produce_ask *ask = produce->ask;
    for (size_t i = 0; i < ask->part_count; i++) {
        if (ask->parts[i].kafka_error == PART_OPEN)
            fill(&ask->parts[i], &late);
    }
    metric_add(agent_metric(produce_timeouts_total), (int64_t)ask->open_parts);
    metric_add(agent_metric(produce_open_batches), -(int64_t)ask->open_parts);
    ask->open_parts = 0;
    answer(produces, produce, now);
}

void produces_step(struct produces *produces, int64_t now)
{
    int64_t last = now / PRODUCES_SLOT_MS;
    /* After a long pause one turn sees every slot. */
    if (last - produces->slot >= PRODUCES_SLOTS)
        produces->slot = last - PRODUCES_SLOTS + 1;
    for (int64_t slot = produces->slot; slot <= last; slot++) {
        struct list *list = &produces->slots[slot % PRODUCES_SLOTS];
        LIST_FOREACH(node, next, list)
        {
            struct produce *produce = CONTAINER_OF(node, struct produce, node);
            if (produce->deadline_at_ms <= now)
                expire(produces, produce, now);
        }
    }
    produces->slot = last; /* this one may hold later deadlines still */
}

int64_t produces_due_at_ms(const struct produces *produces)
{
    if (produces->open == 0)
        return INT64_MAX;
    for (int64_t slot = produces->slot; slot < produces->slot + PRODUCES_SLOTS; slot++) {
        if (!list_empty(&produces->slots[slot % PRODUCES_SLOTS]))
            return (slot + 1) * PRODUCES_SLOT_MS;
    }
    return (produces->slot + PRODUCES_SLOTS) * PRODUCES_SLOT_MS;
}

void produce_release(struct produce *produce)
{
    ASSERT(produce->batches > 0);
    if (--produce->batches > 0)
        return;
    ASSERT(produce->ask == NULL);
    blob_unref(produce->frame);
    mem_free(produce);
}
