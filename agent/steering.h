/* steering.h - which agents a client is shown, and which one leads what for it.
 *
 * Any agent serves any partition (I9); steering keeps clients within their availability
 * zone and spreads the partitions over its agents. A client's zone is what its client id
 * says ("app,zone=eu-1a"; also ws_az= and diskless_az=, as other products spell it), else
 * the rack that its fetches over the same connection name (client.rack), else what its
 * address is mapped to by the option zone-cidr, else unknown: then it is shown all
 * agents. No I/O. */
#ifndef AGENT_STEERING_H
#define AGENT_STEERING_H

#include <stdint.h>
#include <sys/socket.h>

#include "agent/meta.h"
#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

/* Zones by address range, from the option's text. */
struct zone_table;

/* TEXT is "CIDR=ZONE[,CIDR=ZONE...]" or NULL. ERR_INVALID names what cannot be read. */
int zone_table_new(const char *text, struct zone_table **table,
                   struct err *err) MUST_CHECK;
void zone_table_free(struct zone_table *table);
/* The zone of the longest range that holds PEER; null when none does. Lives as long as
 * the table. IPv4 addresses mapped into IPv6 count as IPv4. */
struct slice zone_table_find(const struct zone_table *table,
                             const struct sockaddr_storage *peer);

/* What a client id says of the zone; null when nothing. Borrowed. */
struct slice zone_of_client_id(struct slice client_id);

/* The agents for one client, and replica lists made of them. */
struct steering {
    const struct meta_view *view;
    const struct meta_agent **agents;
    size_t agent_count;
    int32_t *replicas; /* for each agent as leader: `replication_factor` node ids */
    int16_t replication_factor;
};

/* Choose the agents for ZONE (null: unknown). Returns 0 or ERR_TOO_LARGE (the arena). */
int steering_init(struct steering *steering, const struct meta_view *view,
                  struct slice zone, struct arena *arena) MUST_CHECK;
/* The agent that calls itself controller: this one if it is shown, else the first; -1
 * when there is none. */
int32_t steering_controller(const struct steering *steering);
/* Before steering_place of a topic's partitions: lists of REPLICATION_FACTOR node ids.
 * The object store replicates, so the ids say nothing of where data is: the leader first,
 * then other agents, and when there are fewer agents than asked for, the leader again, so
 * that clients count as many replicas as the topic was made with. */
int steering_set_factor(struct steering *steering, int16_t replication_factor,
                        struct arena *arena) MUST_CHECK;
/* The leader's node id (-1: there is no agent) and the list of replicas, as long as the
 * factor; borrowed from the arena. */
int32_t steering_place(const struct steering *steering, const struct uuid *topic_id,
                       int32_t partition, int32_t **replicas, size_t *replica_count);

/* The agent that a group is steered to; NULL: there is none. */
const struct meta_agent *steering_coordinator(const struct steering *steering,
                                              struct slice group);

/* What clients see as the agent's rack: its own, else its zone, else null. */
struct slice steering_rack(const struct meta_agent *agent);

#endif
