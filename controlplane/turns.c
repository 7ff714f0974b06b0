/* turns.c - clusters in a table and in a list by last use: whether another one is busy is
 * told by the last two. While something of a cluster waits, something of it is under way,
 * so that there always comes a turns_give() that goes on. */
#include "controlplane/turns.h"

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/check.h"
#include "common/mem.h"

struct turns_cluster {
    struct uuid id;
    int64_t used_at_ms;
    size_t turns;    /* under way */
    uint64_t weight; /* of them all */
    struct list waiting;
    struct list_node node;
    UT_hash_handle hh;
};

struct turns {
    struct turns_cluster *table;
    struct list by_use; /* first: unused longest */
    size_t waiting;
};

struct turns *turns_new(void)
{
    struct turns *turns = mem_zalloc(sizeof(*turns));
    list_init(&turns->by_use);
    return turns;
}

static void drop(struct turns *turns, struct turns_cluster *cluster)
{
    ASSERT(cluster->turns == 0 && list_empty(&cluster->waiting));
    HASH_DEL(turns->table, cluster);
    list_remove(&cluster->node);
    mem_free(cluster);
}

void turns_free(struct turns *turns)
{
    if (turns == NULL)
        return;
    LIST_FOREACH(node, next, &turns->by_use)
    {
        drop(turns, CONTAINER_OF(node, struct turns_cluster, node));
    }
    mem_free(turns);
}

size_t turns_waiting(const struct turns *turns)
{
    return turns->waiting;
}

static struct turns_cluster *cluster_of(struct turns *turns, const struct uuid *id)
{
    struct turns_cluster *cluster = NULL;

    HASH_FIND(hh, turns->table, id, sizeof(*id), cluster);
    if (cluster != NULL)
        return cluster;
    cluster = mem_zalloc(sizeof(*cluster));
    cluster->id = *id;
    list_init(&cluster->waiting);
    list_node_init(&cluster->node);
    HASH_ADD(hh, turns->table, id, sizeof(cluster->id), cluster);
    return cluster;
}

/* Forget who is not busy any more, a few at a time. */
static void sweep(struct turns *turns, int64_t now_ms)
{
    for (int i = 0; i < 4; i++) {
        struct list_node *first = list_first(&turns->by_use);
        if (first == NULL)
            return;
        struct turns_cluster *cluster = CONTAINER_OF(first, struct turns_cluster, node);
        if (now_ms - cluster->used_at_ms <= TURNS_MEMORY_MS)
            return;
        if (cluster->turns > 0) {
            /* It takes long, that is all. */
            list_remove(first);
            list_push_back(&turns->by_use, first);
            cluster->used_at_ms = now_ms;
            return;
        }
        drop(turns, cluster);
    }
}

static bool is_busy(const struct turns_cluster *cluster, int64_t now_ms)
{
    return now_ms - cluster->used_at_ms <= TURNS_MEMORY_MS;
}

/* Whether another cluster than CLUSTER is. */
static bool has_others(const struct turns *turns, const struct turns_cluster *cluster,
                       int64_t now_ms)
{
    struct list_node *last = turns->by_use.head.prev;

    for (int i = 0; i < 2 && last != &turns->by_use.head; i++, last = last->prev) {
        struct turns_cluster *other = CONTAINER_OF(last, struct turns_cluster, node);
        if (other != cluster)
            return is_busy(other, now_ms);
    }
    return false;
}

static void begin(struct turn *turn)
{
    turn->cluster->turns++;
    turn->cluster->weight += turn->weight;
    turn->go(turn);
}

static bool may_go(const struct turns *turns, const struct turns_cluster *cluster,
                   const struct turn *turn, int64_t now_ms)
{
    return cluster->turns == 0 || cluster->weight + turn->weight <= TURNS_UNDER_WAY ||
           !has_others(turns, cluster, now_ms);
}

void turns_take(struct turns *turns, struct turn *turn, const struct uuid *cluster_id,
                int64_t now_ms)
{
    struct turns_cluster *cluster = cluster_of(turns, cluster_id);

    ASSERT(turn->weight > 0);
    cluster->used_at_ms = now_ms;
    list_remove(&cluster->node);
    list_push_back(&turns->by_use, &cluster->node);
    sweep(turns, now_ms);
    turn->cluster = cluster;
    list_node_init(&turn->node);
    if (list_empty(&cluster->waiting) && may_go(turns, cluster, turn, now_ms)) {
        begin(turn);
        return;
    }
    list_push_back(&cluster->waiting, &turn->node);
    turns->waiting++;
}

void turns_give(struct turns *turns, struct turn *turn, int64_t now_ms)
{
    struct turns_cluster *cluster = turn->cluster;
    struct list_node *first;

    ASSERT(cluster->turns > 0);
    cluster->turns--;
    cluster->weight -= turn->weight;
    while ((first = list_first(&cluster->waiting)) != NULL) {
        struct turn *next = CONTAINER_OF(first, struct turn, node);
        if (!may_go(turns, cluster, next, now_ms))
            return;
        list_remove(first);
        turns->waiting--;
        begin(next);
    }
}
