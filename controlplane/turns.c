/* turns.c - clusters in a table and, when they commit, in a list by last use: whether
 * another one is busy is told by the last two. While something of a cluster waits,
 * something of it is under way or it rests, so that there always comes a turns_give() or
 * turns_go_on() that goes on.
 */
#include "controlplane/turns.h"

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/check.h"
#include "common/mem.h"

struct turns_cluster {
    struct uuid id;
    int64_t used_at_us;
    size_t turns;        /* under way */
    uint64_t weight;     /* of them all */
    int64_t begun_at_us; /* the first of them, when nothing was under way */
    int64_t rests_until_us;
    struct list waiting;
    struct list_node node; /* in by_use, or in none: all of its turns are quiet */
    struct list_node rest; /* in resting, or in none */
    UT_hash_handle hh;
};

struct turns {
    struct turns_cluster *table;
    struct list by_use; /* first: unused longest */
    struct list resting;
    size_t waiting;
    void (*on_due)(void *arg, int64_t due_us);
    void *arg;
};

struct turns *turns_new(void (*on_due)(void *arg, int64_t due_us), void *arg)
{
    struct turns *turns = mem_zalloc(sizeof(*turns));
    list_init(&turns->by_use);
    list_init(&turns->resting);
    turns->on_due = on_due;
    turns->arg = arg;
    return turns;
}

static void drop(struct turns *turns, struct turns_cluster *cluster)
{
    ASSERT(cluster->turns == 0 && list_empty(&cluster->waiting));
    HASH_DEL(turns->table, cluster);
    list_remove(&cluster->node);
    list_remove(&cluster->rest);
    mem_free(cluster);
}

void turns_free(struct turns *turns)
{
    if (turns == NULL)
        return;
    ASSERT(turns->waiting == 0);
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
    list_node_init(&cluster->rest);
    HASH_ADD(hh, turns->table, id, sizeof(cluster->id), cluster);
    return cluster;
}

static bool is_resting(const struct turns_cluster *cluster)
{
    return list_linked(&cluster->rest);
}

/* Forget who is not busy any more, a few at a time. */
static void sweep(struct turns *turns, int64_t now_us)
{
    for (int i = 0; i < 4; i++) {
        struct list_node *first = list_first(&turns->by_use);
        if (first == NULL)
            return;
        struct turns_cluster *cluster = CONTAINER_OF(first, struct turns_cluster, node);
        if (now_us - cluster->used_at_us <= TURNS_MEMORY_US)
            return;
        if (cluster->turns > 0 || is_resting(cluster)) {
            /* It takes long, that is all. */
            list_remove(first);
            list_push_back(&turns->by_use, first);
            cluster->used_at_us = now_us;
            return;
        }
        drop(turns, cluster);
    }
}

static bool is_busy(const struct turns_cluster *cluster, int64_t now_us)
{
    return now_us - cluster->used_at_us <= TURNS_MEMORY_US;
}

/* Whether another cluster than CLUSTER is. */
static bool has_others(const struct turns *turns, const struct turns_cluster *cluster,
                       int64_t now_us)
{
    struct list_node *last = turns->by_use.head.prev;

    for (int i = 0; i < 2 && last != &turns->by_use.head; i++, last = last->prev) {
        struct turns_cluster *other = CONTAINER_OF(last, struct turns_cluster, node);
        if (other != cluster)
            return is_busy(other, now_us);
    }
    return false;
}

static void begin(struct turn *turn, int64_t now_us)
{
    struct turns_cluster *cluster = turn->cluster;

    if (cluster->turns == 0)
        cluster->begun_at_us = now_us;
    cluster->turns++;
    cluster->weight += turn->weight;
    turn->go(turn);
}

static bool may_go(const struct turns *turns, const struct turns_cluster *cluster,
                   const struct turn *turn, int64_t now_us)
{
    return cluster->turns == 0 || cluster->weight + turn->weight <= TURNS_UNDER_WAY ||
           !has_others(turns, cluster, now_us);
}

/* Begin what may be under way of what waits. */
static void begin_round(struct turns *turns, struct turns_cluster *cluster,
                        int64_t now_us)
{
    struct list_node *first;

    while ((first = list_first(&cluster->waiting)) != NULL) {
        struct turn *next = CONTAINER_OF(first, struct turn, node);
        if (!may_go(turns, cluster, next, now_us))
            return;
        list_remove(first);
        turns->waiting--;
        begin(next, now_us);
    }
}

static void note(struct turns *turns, struct turns_cluster *cluster, int64_t now_us)
{
    cluster->used_at_us = now_us;
    list_remove(&cluster->node);
    list_push_back(&turns->by_use, &cluster->node);
    sweep(turns, now_us);
}

void turns_note(struct turns *turns, const struct uuid *cluster_id, int64_t now_us)
{
    note(turns, cluster_of(turns, cluster_id), now_us);
}

void turns_take(struct turns *turns, struct turn *turn, const struct uuid *cluster_id,
                int64_t now_us)
{
    struct turns_cluster *cluster = cluster_of(turns, cluster_id);

    ASSERT(turn->weight > 0);
    if (!turn->quiet)
        note(turns, cluster, now_us);
    turn->cluster = cluster;
    list_node_init(&turn->node);
    if (list_empty(&cluster->waiting) && may_go(turns, cluster, turn, now_us)) {
        begin(turn, now_us);
        return;
    }
    list_push_back(&cluster->waiting, &turn->node);
    turns->waiting++;
}

/* ---- resting ---- */

/* When the first of those that rest is to go on. */
static void tell_due(const struct turns *turns)
{
    int64_t due_us = INT64_MAX;

    LIST_FOREACH(node, next, &turns->resting)
    {
        due_us =
            MIN(due_us, CONTAINER_OF(node, struct turns_cluster, rest)->rests_until_us);
    }
    if (due_us != INT64_MAX)
        turns->on_due(turns->arg, due_us);
}

/* The round of CLUSTER is over, and more of it waits. */
static void begin_rest(struct turns *turns, struct turns_cluster *cluster, int64_t now_us)
{
    int64_t took_us = MAX(now_us - cluster->begun_at_us, 0);

    cluster->rests_until_us = now_us + MIN(took_us * TURNS_REST, TURNS_REST_MAX_US);
    list_push_back(&turns->resting, &cluster->rest);
    tell_due(turns);
}

void turns_give(struct turns *turns, struct turn *turn, int64_t now_us)
{
    struct turns_cluster *cluster = turn->cluster;

    ASSERT(cluster->turns > 0);
    cluster->turns--;
    cluster->weight -= turn->weight;
    if (list_empty(&cluster->waiting)) {
        if (cluster->turns == 0 && !list_linked(&cluster->node))
            drop(turns, cluster); /* nobody asks whether it was busy */
        return;
    }
    if (!has_others(turns, cluster, now_us))
        begin_round(turns, cluster, now_us);
    else if (cluster->turns == 0)
        begin_rest(turns, cluster, now_us);
}

void turns_go_on(struct turns *turns, int64_t now_us)
{
    LIST_FOREACH(node, next, &turns->resting)
    {
        struct turns_cluster *cluster = CONTAINER_OF(node, struct turns_cluster, rest);
        if (cluster->rests_until_us > now_us)
            continue;
        list_remove(node);
        begin_round(turns, cluster, now_us);
    }
    tell_due(turns);
}
