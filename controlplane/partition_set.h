/* partition_set.h - partitions of topics: what a member of a consumer group has, shall
 * have, or must give back.
 *
 * Topics ascend by id and partitions by number, so that sets compare, merge and are
 * written in one pass, the same on every node. A topic is in it only with partitions. A
 * zeroed struct is the empty set. Two sets that an operation reads may be the same one;
 * the one it makes must be another, and empty. */
#ifndef CONTROLPLANE_PARTITION_SET_H
#define CONTROLPLANE_PARTITION_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/str.h"
#include "common/uuid.h"

struct partition_topic {
    struct uuid topic_id;
    int32_t *partitions; /* ascending */
    uint32_t count, cap;
};

struct partition_set {
    struct partition_topic *topics; /* ascending */
    uint32_t topic_count, topic_cap;
};

struct partition_pair {
    struct uuid topic_id;
    int32_t partition;
};

/* Fill the empty SET with PAIRS, in any order, doubles too; sorts them. */
void partition_set_build(struct partition_set *set, struct partition_pair *pairs,
                         size_t count);
void partition_set_fini(struct partition_set *set); /* empty again */
/* False: it was there. In ascending order it costs nothing to speak of; what comes in any
 * order, from a peer, goes through partition_set_build. */
bool partition_set_add(struct partition_set *set, const struct uuid *topic_id,
                       int32_t partition);
bool partition_set_has(const struct partition_set *set, const struct uuid *topic_id,
                       int32_t partition);
/* NULL: none of that topic. */
const struct partition_topic *partition_set_topic(const struct partition_set *set,
                                                  const struct uuid *topic_id);
uint64_t partition_set_count(const struct partition_set *set);
bool partition_set_equal(const struct partition_set *a, const struct partition_set *b);
bool partition_set_overlaps(const struct partition_set *a, const struct partition_set *b);
/* All of PART is in WHOLE. */
bool partition_set_covers(const struct partition_set *whole,
                          const struct partition_set *part);
void partition_set_copy(struct partition_set *to, const struct partition_set *from);
/* What is in both; what is in A and not in B. */
void partition_set_intersect(struct partition_set *out, const struct partition_set *a,
                             const struct partition_set *b);
void partition_set_subtract(struct partition_set *out, const struct partition_set *a,
                            const struct partition_set *b);
/* Add all of FROM. */
void partition_set_merge(struct partition_set *set, const struct partition_set *from);
/* Take *FROM's content, which is empty then, in the place of what SET had. */
void partition_set_move(struct partition_set *set, struct partition_set *from);

/* Packed: uvarint topics, each its id, uvarint partitions, and those as uvarint
 * differences. Reading fails by R on what was not written so, or for more than MAX
 * partitions; SET is empty then. */
void partition_set_write(const struct partition_set *set, struct str *out);
void partition_set_read(struct partition_set *set, struct reader *r, uint32_t max);

#endif
