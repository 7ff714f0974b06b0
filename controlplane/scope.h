/* scope.h - whose users and tokens a people's call is about: the cell's or a cluster's.
 *
 * An operator says it (cluster_id), everybody else's is that of the token (I10). */
#ifndef CONTROLPLANE_SCOPE_H
#define CONTROLPLANE_SCOPE_H

#include "controlplane/call.h"

/* Server's thread. Of a list: ?cluster_id= for operators (zero: the cell), else the
 * caller's cluster; naming another one fails with NOT_FOUND. */
struct uuid scope_of_list(struct call *call);
/* The body's cluster_id, or the caller's own when it is left out or null. */
struct uuid scope_find(struct call *call);
/* The body's KEY as a uuid; zero when left out or null. */
struct uuid uuid_find(struct call *call, const char *key);
/* ID as an answer shows it: null when it is zero. */
struct json *uuid_json(const struct uuid *id);
/* Core thread. *CLUSTER is ID's, or NULL for the cell (zero). False: there is no such
 * cluster (any more). */
bool scope_cluster(struct node *node, const struct uuid *id,
                   const struct cluster **cluster) MUST_CHECK;
/* Core thread. May the caller give ROLE in CLUSTER_ID, and is there such a cluster? Else
 * the call fails. */
void scope_check(struct node *node, struct call *call, enum role role,
                 const struct uuid *cluster_id);

#endif
