/* group_owners.h - which member of a group has which partition, for showing.
 *
 * Of a group of KIP-848 the state knows; of a classic one the leader's assignments are
 * read, when they are of Kafka's consumers. Core thread; nothing outlives the visit but
 * what ARENA holds. */
#ifndef CONTROLPLANE_GROUP_OWNERS_H
#define CONTROLPLANE_GROUP_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "controlplane/state.h"

struct group_owned;

struct group_owners {
    const struct group *group;
    /* private: of a classic group, by topic and partition */
    struct group_owned *owned;
    size_t count;
};

/* Assignments of more than GROUP_OWNERS_BYTES_MAX together are not read: then nobody is
 * known.
 */
#define GROUP_OWNERS_BYTES_MAX ((size_t)512 << 10)

void group_owners_init(struct group_owners *owners, const struct group *group,
                       struct arena *arena);
/* NULL: nobody has it, or nobody is known. */
const struct group_member *group_owners_find(const struct group_owners *owners,
                                             const struct topic *topic,
                                             int32_t partition);

#endif
