/* group_offsets.h - the offsets that a consumer group has committed.
 *
 * A group has a struct group_topic for each topic of which it has any; that is a row of
 * the database, with all its partitions packed, so that a commit costs the log a few
 * bytes and the next checkpoint one row however often it came. Within it partitions stand
 * sorted in one array: committing all partitions of a topic again allocates nothing.
 * Offsets are of the topic, not of its name: they go with it (PURGE), and a topic that
 * was made again begins without any.
 *
 * Used by apply_*.c, state.c and checkpoint.c only; others read through state.h. */
#ifndef CONTROLPLANE_GROUP_OFFSETS_H
#define CONTROLPLANE_GROUP_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/slice.h"
#include "common/str.h"
#include "controlplane/row.h"

struct group;
struct topic;

/* What is counted (group_count_bytes); part of the rules, as in catalog.h. */
#define METADATA_GROUP_TOPIC_BYTES 160
#define METADATA_COMMITTED_BYTES   40 /* a partition, and its metadata text */

struct committed_text {
    uint32_t len; /* > 0 */
    uint8_t bytes[];
};

struct committed {
    int64_t offset;
    int64_t committed_at_ms;
    struct committed_text *metadata; /* NULL: "" */
    int32_t partition;
    int32_t leader_epoch; /* -1: unknown */
};

struct group_topic {
    struct group *group;
    struct topic *topic;
    struct committed *items; /* by partition */
    uint32_t count, cap;
    struct list_node of_topic; /* in topic->group_topics */
    struct row row;            /* ROW_GROUP_TOPIC */
};

/* group->offsets, there while there are any. */
struct group_offsets {
    struct group_topic **topics; /* by topic->serial */
    uint32_t count, cap;
};

/* What one commit says of a partition. */
struct committed_part {
    int32_t partition;
    int32_t leader_epoch;
    int64_t offset;
    struct slice metadata;
};

/* GROUP's offsets of TOPIC, or NULL. */
struct group_topic *group_topic_find(const struct group *group,
                                     const struct topic *topic);
/* NULL first; in order of the topics' creation, without those of deleted topics; NULL at
 * the end. */
struct group_topic *group_topic_next(const struct group *group,
                                     const struct group_topic *group_topic);
/* A new one, empty: there must be none. */
struct group_topic *group_topic_add(struct group *group, struct topic *topic);
/* Unlink and free it. */
void group_topic_remove(struct group_topic *group_topic);
/* Free all that GROUP has. */
void group_offsets_free(struct group *group);

/* The offset of PARTITION, or NULL. */
const struct committed *group_topic_get(const struct group_topic *group_topic,
                                        int32_t partition);
/* Whether what is COMMITTED is what PART says. */
bool group_topic_says(const struct committed *committed,
                      const struct committed_part *part);
/* How many of PARTS, which ascend, have no offset yet. */
uint32_t group_topic_missing(const struct group_topic *group_topic,
                             const struct committed_part *parts, uint32_t count);
/* Set the offsets of PARTS, which ascend. */
void group_topic_put(struct group_topic *group_topic, const struct committed_part *parts,
                     uint32_t count, int64_t now_ms);
/* Forget those of PARTITIONS, which ascend. Returns how many there were. */
uint32_t group_topic_drop(struct group_topic *group_topic, const int32_t *partitions,
                          uint32_t count);
/* Forget those that were committed at BEFORE_MS or earlier. Returns how many. */
uint32_t group_topic_drop_older(struct group_topic *group_topic, int64_t before_ms);

/* As the row of the database holds them. */
void group_topic_write(const struct group_topic *group_topic, struct str *out);
/* Into an empty one. Returns 0 or ERR_DAMAGED. */
int group_topic_read(struct group_topic *group_topic, struct slice packed) MUST_CHECK;

#endif
