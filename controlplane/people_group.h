/* people_group.h - what people's calls about groups have in common: which group a path
 * names. */
#ifndef CONTROLPLANE_PEOPLE_GROUP_H
#define CONTROLPLANE_PEOPLE_GROUP_H

#include "controlplane/call.h"

/* The id that the path gives: as it is; or, for ids with a '/' and those that begin with
 * '~', '~' and its bytes in hex. In the arena. Fails the call with NOT_FOUND when there
 * cannot be a group of such an id. Server's thread. */
bool people_group_id(struct call *call, struct slice *id) MUST_CHECK;
/* The group of that id, which has offsets or members; NULL: the call has failed. Core
 * thread. */
const struct group *people_group(struct node *node, struct call *call, struct slice id);
/* For the audit log: the call is about this group. */
void people_group_target(struct call *call, struct slice id);
/* The name of a topic by its id: its id's text when it was deleted. In the arena. */
const char *people_topic_name(struct call *call, const struct cluster *cluster,
                              const struct uuid *topic_id);

#endif
