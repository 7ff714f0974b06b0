/* group_topics.h - which topics the members of a group read.
 *
 * Of a classic group of type "consumer" the members say it in what they joined with, in
 * the protocol that was voted for (proto/consumer_protocol.h); of a group of KIP-848 the
 * state knows it. For OffsetDelete, which spares what is read, and for expiry. What
 * cannot be known counts as read: members that have not agreed yet, or whose metadata is
 * no subscription. */
#ifndef CONTROLPLANE_GROUP_TOPICS_H
#define CONTROLPLANE_GROUP_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

struct group;
struct topic;

struct group_topics {
    /* private */
    const struct group *consumer; /* of KIP-848: ask it */
    bool all;
    const struct topic **slots; /* open addressing; NULL: free */
    uint32_t count, mask;
};

/* The classic group is one of consumers, whose metadata says what they read. */
bool group_topics_consumers(const struct group *group);

/* What the members of GROUP (NULL: nobody) read at this moment. */
void group_topics_init(struct group_topics *topics, const struct group *group);
void group_topics_fini(struct group_topics *topics);
bool group_topics_has(const struct group_topics *topics, const struct topic *topic);

#endif
