/* told_groups.h - what watching agents were told last of each group of a cluster, so that
 * they hear of changes of state and generation, and not of each member that comes.
 *
 * For feed.c. A table that begins as NULL. */
#ifndef CONTROLPLANE_TOLD_GROUPS_H
#define CONTROLPLANE_TOLD_GROUPS_H

#include <stdbool.h>

#include "controlplane/group.h"

struct told_group;

/* Is GROUP another than was told last? Then it counts as told. One of the consumer
 * protocol is told of once, when it was a classic one before: nobody waits for it. */
bool told_groups_news(struct told_group **table, const struct group *group);
void told_groups_free(struct told_group **table);

#endif
