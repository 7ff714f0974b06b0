/* group_topics.c - a set of topics: only whether one is in it is asked, so that no order
 * comes out of the table (I7). */
#include "controlplane/group_topics.h"

#include "common/arena.h"
#include "common/mem.h"
#include "controlplane/catalog.h"
#include "controlplane/group.h"
#include "controlplane/group_consumer.h"
#include "proto/consumer_protocol.h"

/* A subscription comes in a frame of a few MiB at the most. */
#define SUBSCRIPTION_MAX ((size_t)64 * MIB)

bool group_topics_consumers(const struct group *group)
{
    return slice_eq_str(group->protocol_type, "consumer");
}

static uint32_t slot_of(const struct group_topics *topics, const struct topic *topic)
{
    uint32_t at = (uint32_t)(topic->serial * UINT64_C(0x9e3779b97f4a7c15) >> 32);

    for (at &= topics->mask; topics->slots[at] != NULL && topics->slots[at] != topic;)
        at = (at + 1) & topics->mask;
    return at;
}

static void grow(struct group_topics *topics)
{
    struct group_topics old = *topics;

    topics->mask = old.slots == NULL ? 15 : 2 * old.mask + 1;
    topics->slots = mem_zalloc((topics->mask + (size_t)1) * sizeof(struct topic *));
    for (uint32_t i = 0; old.slots != NULL && i <= old.mask; i++) {
        if (old.slots[i] != NULL)
            topics->slots[slot_of(topics, old.slots[i])] = old.slots[i];
    }
    mem_free(old.slots);
}

static void add(struct group_topics *topics, const struct topic *topic)
{
    if (topics->slots == NULL || 2 * topics->count > topics->mask)
        grow(topics);
    uint32_t at = slot_of(topics, topic);
    if (topics->slots[at] == NULL)
        topics->count++;
    topics->slots[at] = topic;
}

/* False: it cannot be known. */
static bool add_member(struct group_topics *topics, const struct group *group,
                       const struct group_member *member)
{
    struct consumer_protocol_subscription subscription;
    struct arena arena;

    arena_init(&arena, SUBSCRIPTION_MAX);
    bool ok =
        consumer_protocol_read_subscription(
            group_member_metadata(member, group->protocol), &arena, &subscription) == 0;
    for (size_t i = 0; ok && i < subscription.topics_count; i++) {
        const struct topic *topic =
            catalog_topic_by_name(group->cluster, subscription.topics[i]);
        if (topic != NULL)
            add(topics, topic);
    }
    arena_fini(&arena);
    return ok;
}

void group_topics_init(struct group_topics *topics, const struct group *group)
{
    const struct group_member *member = NULL;

    *topics = (struct group_topics){.consumer = NULL};
    if (group == NULL || group->member_count == 0)
        return;
    if (group->kind == GROUP_CONSUMER) {
        topics->consumer = group;
        return;
    }
    if (!group_topics_consumers(group))
        return; /* Kafka: what others read is not known, and nobody is spared */
    if (group->protocol.ptr == NULL) {
        topics->all = true;
        return;
    }
    while (!topics->all && (member = group_member_next(group, member)) != NULL)
        topics->all = !add_member(topics, group, member);
}

void group_topics_fini(struct group_topics *topics)
{
    mem_free(topics->slots);
    topics->slots = NULL;
}

bool group_topics_has(const struct group_topics *topics, const struct topic *topic)
{
    if (topics->all)
        return true;
    if (topics->consumer != NULL)
        return consumer_group_subscribed(topics->consumer, topic);
    return topics->slots != NULL && topics->slots[slot_of(topics, topic)] != NULL;
}
