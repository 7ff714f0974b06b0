/* quota.c - buckets in a table and in a list by last use. A bucket counts in thousandths
 * of a request, so that a rate of r gains r of them each millisecond. */
#include "controlplane/quota.h"

#include <pthread.h>

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/list.h"
#include "common/mem.h"

#define WHOLE 1000 /* one request */

struct bucket {
    struct uuid who;
    uint32_t rate;
    int64_t level; /* thousandths; at most RATE * WHOLE */
    int64_t at_ms; /* when LEVEL was so */
    struct list_node node;
    UT_hash_handle hh;
};

struct quota {
    pthread_mutex_t lock;
    uint32_t rate;
    size_t entries_max;
    struct bucket *table;
    struct list by_use; /* first: unused longest */
    struct bucket rest; /* of all for whom there is no room in the table */
};

struct quota *quota_new(uint32_t rate, size_t entries_max)
{
    struct quota *quota = mem_zalloc(sizeof(*quota));
    pthread_mutex_init(&quota->lock, NULL);
    quota->rate = rate;
    quota->entries_max = entries_max;
    list_init(&quota->by_use);
    quota->rest.rate = rate;
    quota->rest.level = (int64_t)rate * WHOLE;
    return quota;
}

static void drop(struct quota *quota, struct bucket *bucket)
{
    HASH_DEL(quota->table, bucket);
    list_remove(&bucket->node);
    mem_free(bucket);
}

void quota_free(struct quota *quota)
{
    if (quota == NULL)
        return;
    LIST_FOREACH(node, next, &quota->by_use)
    {
        drop(quota, CONTAINER_OF(node, struct bucket, node));
    }
    pthread_mutex_destroy(&quota->lock);
    mem_free(quota);
}

static void refill(struct bucket *bucket, int64_t now_ms)
{
    int64_t full = (int64_t)bucket->rate * WHOLE;
    int64_t passed_ms = now_ms - bucket->at_ms;
    if (passed_ms <= 0)
        return;
    /* After a second it is full whatever it was: nothing overflows. */
    bucket->level = passed_ms >= 1000
                        ? full
                        : MIN(full, bucket->level + passed_ms * (int64_t)bucket->rate);
    bucket->at_ms = now_ms;
}

/* Forget from the longest unused on whoever is full again, a few at a time: with the
 * default rate a new bucket would be no other. */
static void sweep(struct quota *quota, int64_t now_ms)
{
    for (int i = 0; i < 4; i++) {
        struct list_node *first = list_first(&quota->by_use);
        if (first == NULL)
            return;
        struct bucket *bucket = CONTAINER_OF(first, struct bucket, node);
        if (now_ms - bucket->at_ms < 1000)
            return;
        drop(quota, bucket);
    }
}

static struct bucket *bucket_of(struct quota *quota, const struct uuid *who,
                                int64_t now_ms)
{
    struct bucket *bucket = NULL;
    HASH_FIND(hh, quota->table, who, sizeof(*who), bucket);
    if (bucket != NULL)
        return bucket;
    sweep(quota, now_ms);
    if (HASH_COUNT(quota->table) >= quota->entries_max)
        return &quota->rest;
    bucket = mem_zalloc(sizeof(*bucket));
    bucket->who = *who;
    bucket->rate = quota->rate;
    bucket->level = (int64_t)quota->rate * WHOLE;
    bucket->at_ms = now_ms;
    HASH_ADD(hh, quota->table, who, sizeof(bucket->who), bucket);
    list_push_back(&quota->by_use, &bucket->node);
    return bucket;
}

void quota_set_rate(struct quota *quota, const struct uuid *who, uint32_t rate,
                    int64_t now_ms)
{
    pthread_mutex_lock(&quota->lock);
    struct bucket *bucket = bucket_of(quota, who, now_ms);
    if (bucket != &quota->rest && bucket->rate != rate) {
        refill(bucket, now_ms);
        /* Without a limit nothing was counted: it begins full. */
        int64_t full = (int64_t)rate * WHOLE;
        bucket->level = bucket->rate == 0 ? full : MIN(bucket->level, full);
        bucket->rate = rate;
    }
    pthread_mutex_unlock(&quota->lock);
}

int64_t quota_take(struct quota *quota, const struct uuid *who, int64_t now_ms)
{
    int64_t wait_ms = 0;

    pthread_mutex_lock(&quota->lock);
    struct bucket *bucket = bucket_of(quota, who, now_ms);
    if (bucket != &quota->rest) {
        list_remove(&bucket->node);
        list_push_back(&quota->by_use, &bucket->node);
    }
    refill(bucket, now_ms);
    if (bucket->rate == 0)
        bucket->at_ms = now_ms;
    else if (bucket->level >= WHOLE)
        bucket->level -= WHOLE;
    else
        wait_ms = (WHOLE - bucket->level + bucket->rate - 1) / bucket->rate;
    pthread_mutex_unlock(&quota->lock);
    return wait_ms;
}

size_t quota_count(const struct quota *quota)
{
    return HASH_COUNT(quota->table);
}
