/* group_reconcile.c - from what a group subscribes to, to what each member may have now.
 *
 * Pure: nothing here changes the group. KIP-848, "Reconciliation of the group" and
 * "Member epoch and state"; where it is silent, as Apache Kafka 4.2. */
#include "controlplane/group_reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* ---- the topics of a group ---- */

static void add_topic(struct consumer_topics *topics, const struct topic *topic)
{
    if (topic == NULL)
        return;
    if (topics->count == topics->cap) {
        topics->cap = topics->cap == 0 ? 8 : topics->cap * 2;
        topics->items = mem_realloc(topics->items, topics->cap * sizeof(*topics->items));
    }
    topics->items[topics->count++] =
        (struct assignor_topic){topic->topic_id, topic->partition_count};
}

static int compare_topics(const void *a, const void *b)
{
    const struct assignor_topic *x = a, *y = b;
    return uuid_cmp(&x->topic_id, &y->topic_id);
}

static void sort_topics(struct consumer_topics *topics)
{
    uint32_t kept = 0;

    if (topics->count > 0)
        qsort(topics->items, topics->count, sizeof(*topics->items), compare_topics);
    for (uint32_t i = 0; i < topics->count; i++) {
        if (kept == 0 || compare_topics(&topics->items[kept - 1], &topics->items[i]) != 0)
            topics->items[kept++] = topics->items[i];
    }
    topics->count = kept;
}

static void add_regex_topics(const struct group *group, struct slice pattern,
                             struct consumer_topics *topics)
{
    const struct consumer_regex *regex = consumer_group_regex(group, pattern);
    for (uint32_t i = 0; i < regex->topic_count; i++)
        add_topic(topics, catalog_topic(group->cluster, &regex->topics[i]));
}

void consumer_topics_collect(const struct group *group, struct consumer_topics *topics)
{
    const void *walk = NULL;
    struct slice name;

    memset(topics, 0, sizeof(*topics));
    while (consumer_group_next_name(group, &walk, &name))
        add_topic(topics, catalog_topic_by_name(group->cluster, name));
    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        add_regex_topics(group, CONTAINER_OF(node, struct consumer_regex, node)->pattern,
                         topics);
    }
    sort_topics(topics);
}

void consumer_topics_fini(struct consumer_topics *topics)
{
    mem_free(topics->items);
    memset(topics, 0, sizeof(*topics));
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

uint64_t consumer_topics_hash(const struct consumer_topics *topics)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < topics->count; i++) {
        uint32_t partitions = (uint32_t)topics->items[i].partitions;
        uint8_t bytes[4] = {(uint8_t)(partitions >> 24), (uint8_t)(partitions >> 16),
                            (uint8_t)(partitions >> 8), (uint8_t)partitions};
        hash = hash_bytes(hash, topics->items[i].topic_id.bytes, sizeof(struct uuid));
        hash = hash_bytes(hash, bytes, sizeof(bytes));
    }
    return hash;
}

/* ---- targets ---- */

/* The indexes in TOPICS of what MEMBER subscribes to; for many members it is the same as
 * for the one before. */
struct chosen {
    uint32_t *indexes;
    uint32_t count;
};

static void choose(const struct group_member *member,
                   const struct consumer_topics *topics, struct chosen *chosen)
{
    struct consumer_topics own = {0};
    struct slice name;
    struct reader walk;
    uint32_t at = 0;

    reader_init(&walk, member->consumer->names);
    while (consumer_member_name(&walk, &name))
        add_topic(&own, catalog_topic_by_name(member->group->cluster, name));
    if (member->consumer->regex.len > 0)
        add_regex_topics(member->group, member->consumer->regex, &own);
    sort_topics(&own);
    chosen->indexes = mem_alloc(MAX(own.count, 1u) * sizeof(*chosen->indexes));
    for (uint32_t i = 0; i < own.count; i++) {
        while (compare_topics(&topics->items[at], &own.items[i]) < 0)
            at++;
        chosen->indexes[i] = at;
    }
    chosen->count = own.count;
    consumer_topics_fini(&own);
}

static bool same_choice(const struct group_member *a, const struct group_member *b)
{
    return a != NULL && slice_eq(a->consumer->names, b->consumer->names) &&
           slice_eq(a->consumer->regex, b->consumer->regex);
}

void consumer_make_targets(const struct group *group,
                           const struct consumer_topics *topics,
                           struct partition_set *targets)
{
    uint32_t count = group->member_count, i = 0, choices = 0;
    struct assignor_member *members = mem_zalloc(MAX(count, 1u) * sizeof(*members));
    struct chosen *chosen = mem_zalloc(MAX(count, 1u) * sizeof(*chosen));
    const struct group_member *last = NULL;

    for (const struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;
         i++) {
        if (!same_choice(last, m))
            choose(m, topics, &chosen[choices++]);
        last = m;
        members[i] = (struct assignor_member){.member_id = m->member_id,
                                              .instance_id = m->instance_id,
                                              .topics = chosen[choices - 1].indexes,
                                              .topic_count = chosen[choices - 1].count,
                                              .current = &m->consumer->target,
                                              .target = &targets[i]};
    }
    assignor_run(consumer_group_assignor(group), topics->items, topics->count, members,
                 count);
    for (uint32_t c = 0; c < choices; c++)
        mem_free(chosen[c].indexes);
    mem_free(chosen);
    mem_free(members);
}

/* ---- reconciling a member ---- */

void reconciled_fini(struct reconciled *reconciled)
{
    partition_set_fini(&reconciled->assigned);
    partition_set_fini(&reconciled->revoking);
}

/* Put those of WANTED into *FREE that nobody but MEMBER owns. True when some are not. */
static bool pick_free(const struct group_member *member,
                      const struct partition_set *wanted, struct partition_set *free)
{
    bool unreleased = false;

    for (uint32_t i = 0; i < wanted->topic_count; i++) {
        const struct partition_topic *topic = &wanted->topics[i];
        for (uint32_t j = 0; j < topic->count; j++) {
            const struct group_member *owner = consumer_group_owner(
                member->group, &topic->topic_id, topic->partitions[j]);
            if (owner == NULL || owner == member)
                (void)partition_set_add(free, &topic->topic_id, topic->partitions[j]);
            else
                unreleased = true;
        }
    }
    return unreleased;
}

/* From having ASSIGNED at EPOCH: give up first what is not in the target, then take what
 * of it is free. */
static void next_assignment(const struct group_member *member, int32_t epoch,
                            const struct partition_set *assigned,
                            const struct partition_set *owned, struct reconciled *out)
{
    const struct partition_set *target = &member->consumer->target;
    struct partition_set wanted = {0};

    partition_set_intersect(&out->assigned, assigned, target);
    partition_set_subtract(&out->revoking, assigned, &out->assigned);
    if (out->revoking.topic_count > 0 &&
        (owned == NULL || partition_set_overlaps(owned, &out->revoking))) {
        out->epoch = epoch;
        out->state = CONSUMER_UNREVOKED;
        return;
    }
    partition_set_fini(&out->revoking);
    partition_set_subtract(&wanted, target, &out->assigned);
    out->epoch = member->group->consumer->assignment_epoch;
    struct partition_set free = {0};
    out->state =
        pick_free(member, &wanted, &free) ? CONSUMER_UNRELEASED : CONSUMER_STABLE;
    partition_set_merge(&out->assigned, &free);
    partition_set_fini(&free);
    partition_set_fini(&wanted);
}

static void stay(const struct consumer_member *consumer, struct reconciled *out)
{
    out->epoch = consumer->epoch;
    out->state = consumer->state;
    partition_set_copy(&out->assigned, &consumer->assigned);
    partition_set_copy(&out->revoking, &consumer->revoking);
}

/* The member reads other topics now, and does not wait for us to drop what it has of
 * those that it does not: so that has to be given up, too. */
static void drop_unsubscribed(const struct group_member *member, struct reconciled *out)
{
    struct partition_set dropped = {0}, kept = {0};

    for (uint32_t i = 0; i < out->assigned.topic_count; i++) {
        const struct partition_topic *had = &out->assigned.topics[i];
        const struct topic *topic = catalog_topic(member->group->cluster, &had->topic_id);
        bool keeps = topic != NULL && consumer_member_subscribes(member, topic);
        for (uint32_t j = 0; j < had->count; j++)
            (void)partition_set_add(keeps ? &kept : &dropped, &had->topic_id,
                                    had->partitions[j]);
    }
    partition_set_merge(&out->revoking, &dropped);
    partition_set_move(&out->assigned, &kept);
    partition_set_fini(&dropped);
}

static void unrevoked(const struct group_member *member,
                      const struct partition_set *owned, bool resubscribed,
                      struct reconciled *out)
{
    const struct consumer_member *consumer = member->consumer;
    struct reconciled now = {0};

    stay(consumer, &now);
    if (resubscribed)
        drop_unsubscribed(member, &now);
    if (owned == NULL || partition_set_overlaps(owned, &now.revoking)) {
        *out = now;
        return;
    }
    /* It has given them up: the next epoch, which may ask for more. */
    int32_t target_epoch = member->group->consumer->assignment_epoch;
    next_assignment(member, MIN(consumer->epoch + 1, target_epoch), &now.assigned, owned,
                    out);
    reconciled_fini(&now);
}

bool consumer_reconcile(const struct group_member *member,
                        const struct partition_set *owned, bool resubscribed,
                        struct reconciled *out)
{
    const struct consumer_member *consumer = member->consumer;

    memset(out, 0, sizeof(*out));
    if (consumer->state == CONSUMER_UNREVOKED)
        unrevoked(member, owned, resubscribed, out);
    else if (consumer->state == CONSUMER_STABLE &&
             consumer->epoch == member->group->consumer->assignment_epoch)
        stay(consumer, out);
    else
        next_assignment(member, consumer->epoch, &consumer->assigned, owned, out);
    return out->epoch != consumer->epoch || out->state != consumer->state ||
           !partition_set_equal(&out->assigned, &consumer->assigned) ||
           !partition_set_equal(&out->revoking, &consumer->revoking);
}

/* ---- the group ---- */

enum group_state consumer_group_state(const struct group *group)
{
    int32_t epoch = group->consumer->assignment_epoch;

    if (group->member_count == 0)
        return GROUP_EMPTY;
    if (group->generation > epoch)
        return GROUP_ASSIGNING;
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        if (m->consumer->epoch != epoch || m->consumer->state != CONSUMER_STABLE)
            return GROUP_RECONCILING;
    }
    return GROUP_STABLE;
}
