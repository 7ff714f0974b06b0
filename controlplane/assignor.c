/* assignor.c - partitions are one array, topic behind topic; the assignors fill in who
 * owns each, and the targets are made of that at the end. */
#include "controlplane/assignor.h"

#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "common/mem.h"

#define NOBODY UINT32_MAX

struct assigning {
    const struct assignor_topic *topics;
    uint32_t topic_count;
    struct assignor_member *members;
    uint32_t member_count;
    uint64_t *first;  /* of each topic's partitions; and the end */
    uint32_t *owners; /* of each partition: a member's index */
    uint32_t *loads;  /* partitions of each member */
    /* Subscribers, topic behind topic, as members' indexes. */
    uint64_t *first_subscriber;
    uint32_t *subscribers;
};

/* ---- order ---- */

/* Static members first, so that a restart does not move anybody's place. */
static int compare_members(const void *a, const void *b)
{
    const struct assignor_member *x = a, *y = b;
    bool x_static = x->instance_id.ptr != NULL, y_static = y->instance_id.ptr != NULL;

    if (x_static != y_static)
        return x_static ? -1 : 1;
    return x_static ? slice_cmp(x->instance_id, y->instance_id)
                    : slice_cmp(x->member_id, y->member_id);
}

static int compare_topic(const void *key, const void *topic)
{
    return uuid_cmp(key, &((const struct assignor_topic *)topic)->topic_id);
}

static int compare_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool subscribes(const struct assigning *a, uint32_t member, uint32_t topic)
{
    const struct assignor_member *m = &a->members[member];

    if (m->topic_count == a->topic_count)
        return true;
    return bsearch(&topic, m->topics, m->topic_count, sizeof(topic), compare_index) !=
           NULL;
}

/* Everybody subscribes to everything that anybody does. */
static bool homogeneous(const struct assigning *a)
{
    for (uint32_t i = 0; i < a->member_count; i++) {
        if (a->members[i].topic_count != a->topic_count)
            return false;
    }
    return true;
}

static void list_subscribers(struct assigning *a)
{
    uint64_t *at = mem_zalloc((a->topic_count + (size_t)1) * sizeof(*at));

    a->first_subscriber = mem_zalloc((a->topic_count + (size_t)1) * sizeof(*at));
    for (uint32_t i = 0; i < a->member_count; i++) {
        for (uint32_t j = 0; j < a->members[i].topic_count; j++)
            a->first_subscriber[a->members[i].topics[j] + 1]++;
    }
    for (uint32_t t = 0; t < a->topic_count; t++) {
        a->first_subscriber[t + 1] += a->first_subscriber[t];
        at[t] = a->first_subscriber[t];
    }
    a->subscribers =
        mem_zalloc((a->first_subscriber[a->topic_count] + 1) * sizeof(*a->subscribers));
    for (uint32_t i = 0; i < a->member_count; i++) {
        for (uint32_t j = 0; j < a->members[i].topic_count; j++)
            a->subscribers[at[a->members[i].topics[j]]++] = i;
    }
    mem_free(at);
}

/* ---- uniform ---- */

static void give(struct assigning *a, uint64_t partition, uint32_t member)
{
    a->owners[partition] = member;
    a->loads[member]++;
}

/* MEMBER keeps up to MAX of what it had and may still have. */
static void keep(struct assigning *a, uint32_t member, uint64_t max)
{
    const struct partition_set *current = a->members[member].current;

    for (uint32_t i = 0; current != NULL && i < current->topic_count; i++) {
        const struct partition_topic *had = &current->topics[i];
        const struct assignor_topic *topic = bsearch(
            &had->topic_id, a->topics, a->topic_count, sizeof(*a->topics), compare_topic);
        if (topic == NULL || !subscribes(a, member, (uint32_t)(topic - a->topics)))
            continue;
        for (uint32_t j = 0; j < had->count && a->loads[member] < max; j++) {
            uint64_t partition =
                a->first[topic - a->topics] + (uint64_t)had->partitions[j];
            if (had->partitions[j] < topic->partitions && a->owners[partition] == NOBODY)
                give(a, partition, member);
        }
    }
}

/* How many partitions MEMBER had that it may still have. */
static uint64_t count_kept(struct assigning *a, uint32_t member)
{
    uint64_t count = 0;
    const struct partition_set *current = a->members[member].current;

    for (uint32_t i = 0; current != NULL && i < current->topic_count; i++) {
        const struct partition_topic *had = &current->topics[i];
        const struct assignor_topic *topic = bsearch(
            &had->topic_id, a->topics, a->topic_count, sizeof(*a->topics), compare_topic);
        for (uint32_t j = 0; topic != NULL && j < had->count; j++)
            count += had->partitions[j] < topic->partitions;
    }
    return count;
}

/* All have the same choice: everybody gets total / members, and the first ones that have
 * more already one more. */
static void uniform_homogeneous(struct assigning *a)
{
    uint64_t total = a->first[a->topic_count];
    uint64_t least = total / a->member_count, extra = total % a->member_count;
    uint64_t *quotas = mem_zalloc(a->member_count * sizeof(*quotas));
    uint32_t next = 0;

    for (uint32_t m = 0; m < a->member_count; m++) {
        quotas[m] = least;
        if (extra > 0 && count_kept(a, m) > least) {
            quotas[m]++;
            extra--;
        }
        keep(a, m, quotas[m]);
    }
    for (uint32_t m = 0; m < a->member_count && extra > 0; m++) {
        if (quotas[m] == least) {
            quotas[m]++;
            extra--;
        }
    }
    /* In turn, so that the partitions of one topic spread. */
    for (uint64_t p = 0; p < total; p++) {
        if (a->owners[p] != NOBODY)
            continue;
        while (a->loads[next] >= quotas[next])
            next = (next + 1) % a->member_count;
        give(a, p, next);
        next = (next + 1) % a->member_count;
    }
    mem_free(quotas);
}

/* The subscriber of TOPIC with the fewest partitions, the first of equals. */
static uint32_t least_loaded(const struct assigning *a, uint32_t topic)
{
    uint32_t best = NOBODY;
    for (uint64_t i = a->first_subscriber[topic]; i < a->first_subscriber[topic + 1];
         i++) {
        uint32_t m = a->subscribers[i];
        if (best == NOBODY || a->loads[m] < a->loads[best])
            best = m;
    }
    return best;
}

/* The last partition of TOPIC whose owner has the most; NOBODY owns one: the end. */
static uint64_t most_loaded(const struct assigning *a, uint32_t topic)
{
    uint64_t best = a->first[topic + 1];
    for (uint64_t p = a->first[topic]; p < a->first[topic + 1]; p++) {
        if (a->owners[p] != NOBODY &&
            (best == a->first[topic + 1] ||
             a->loads[a->owners[p]] >= a->loads[a->owners[best]]))
            best = p;
    }
    return best;
}

/* Move partitions of TOPIC from who has most to who has least, while they differ by two
 * or more. Each move makes the sum of the squares of all loads less: it ends. */
static bool balance_topic(struct assigning *a, uint32_t topic)
{
    bool moved = false;

    for (;;) {
        uint64_t p = most_loaded(a, topic);
        uint32_t to = least_loaded(a, topic);
        if (p == a->first[topic + 1] || to == NOBODY ||
            a->loads[a->owners[p]] < a->loads[to] + 2)
            return moved;
        a->loads[a->owners[p]]--;
        give(a, p, to);
        moved = true;
    }
}

struct topic_order {
    uint64_t subscribers;
    uint32_t topic;
};

static int compare_order(const void *a, const void *b)
{
    const struct topic_order *x = a, *y = b;
    if (x->subscribers != y->subscribers)
        return x->subscribers < y->subscribers ? -1 : 1;
    return (x->topic > y->topic) - (x->topic < y->topic);
}

/* Members have different choices: what they had stays, what is free goes to who has
 * least, those with the fewest takers first; then what is uneven is evened out. */
static void uniform_heterogeneous(struct assigning *a)
{
    struct topic_order *order = mem_alloc((a->topic_count + (size_t)1) * sizeof(*order));
    bool moved = true;

    for (uint32_t m = 0; m < a->member_count; m++)
        keep(a, m, UINT64_MAX);
    for (uint32_t t = 0; t < a->topic_count; t++)
        order[t] =
            (struct topic_order){a->first_subscriber[t + 1] - a->first_subscriber[t], t};
    qsort(order, a->topic_count, sizeof(*order), compare_order);
    for (uint32_t i = 0; i < a->topic_count; i++) {
        uint32_t t = order[i].topic;
        for (uint64_t p = a->first[t]; p < a->first[t + 1]; p++) {
            uint32_t m = a->owners[p] == NOBODY ? least_loaded(a, t) : NOBODY;
            if (m != NOBODY)
                give(a, p, m);
        }
    }
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < a->topic_count; i++)
            moved |= balance_topic(a, order[i].topic);
    }
    mem_free(order);
}

/* ---- range ---- */

static void range(struct assigning *a)
{
    for (uint32_t t = 0; t < a->topic_count; t++) {
        uint64_t from = a->first_subscriber[t], p = a->first[t];
        uint64_t takers = a->first_subscriber[t + 1] - from;
        uint64_t total = a->first[t + 1] - p;
        for (uint64_t i = 0; i < takers; i++) {
            uint64_t share = total / takers + (i < total % takers);
            while (share-- > 0)
                give(a, p++, a->subscribers[from + i]);
        }
    }
}

/* ---- all ---- */

static void make_targets(struct assigning *a)
{
    for (uint32_t t = 0; t < a->topic_count; t++) {
        for (uint64_t p = a->first[t]; p < a->first[t + 1]; p++) {
            if (a->owners[p] != NOBODY)
                (void)partition_set_add(a->members[a->owners[p]].target,
                                        &a->topics[t].topic_id,
                                        (int32_t)(p - a->first[t]));
        }
    }
}

void assignor_run(enum assignor_kind kind, const struct assignor_topic *topics,
                  uint32_t topic_count, struct assignor_member *members,
                  uint32_t member_count)
{
    struct assigning a = {.topics = topics,
                          .topic_count = topic_count,
                          .members = members,
                          .member_count = member_count};

    if (member_count == 0 || topic_count == 0)
        return;
    qsort(members, member_count, sizeof(*members), compare_members);
    a.first = mem_zalloc((topic_count + (size_t)1) * sizeof(*a.first));
    for (uint32_t t = 0; t < topic_count; t++)
        a.first[t + 1] = a.first[t] + (uint64_t)topics[t].partitions;
    a.owners = mem_alloc((a.first[topic_count] + 1) * sizeof(*a.owners));
    for (uint64_t p = 0; p < a.first[topic_count]; p++)
        a.owners[p] = NOBODY;
    a.loads = mem_zalloc(member_count * sizeof(*a.loads));
    list_subscribers(&a);
    if (kind == ASSIGNOR_RANGE)
        range(&a);
    else if (homogeneous(&a))
        uniform_homogeneous(&a);
    else
        uniform_heterogeneous(&a);
    make_targets(&a);
    mem_free(a.first);
    mem_free(a.owners);
    mem_free(a.loads);
    mem_free(a.first_subscriber);
    mem_free(a.subscribers);
}

static const char *const names[ASSIGNOR_KINDS] = {"uniform", "range"};

enum assignor_kind assignor_by_name(struct slice name)
{
    unsigned kind = 0;
    while (kind < ASSIGNOR_KINDS && !slice_eq_str(name, names[kind]))
        kind++;
    return (enum assignor_kind)kind;
}

const char *assignor_name(enum assignor_kind kind)
{
    return names[kind];
}
