/* assignor.h - who shall have which partition of a consumer group (KIP-848): the target
 * assignment, by one of the server's assignors.
 *
 * Pure and deterministic (I7): the outcome depends on what is passed in and its order
 * alone, never on addresses or hashes. Members are taken in the order static ones by
 * instance id, then the others by member id.
 *
 *   uniform  as even as can be: no two members that could trade differ by two or more
 *            partitions; and sticky: a member keeps what it had as far as that goes.
 *            When all have the same subscription (nearly always) in linear time.
 *   range    for each topic, its partitions in as many ranges as it has subscribers:
 *            members with the same subscription get the same numbers of topics of the
 *            same size, so that these can be joined. Not sticky.
 *
 * Racks (KIP-881): an assignor prefers a member in whose rack a partition has a replica.
 * Here every partition is in the object store, and every agent of every zone serves it
 * alike, as with a replica in all racks: there Kafka's assignors let racks be, too. So a
 * rack is kept and shown, and changes nothing here. */
#ifndef CONTROLPLANE_ASSIGNOR_H
#define CONTROLPLANE_ASSIGNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/uuid.h"
#include "controlplane/partition_set.h"

/* The first is the default. */
enum assignor_kind { ASSIGNOR_UNIFORM, ASSIGNOR_RANGE, ASSIGNOR_KINDS };

struct assignor_topic {
    struct uuid topic_id;
    int32_t partitions;
};

struct assignor_member {
    struct slice member_id;
    struct slice instance_id; /* null: dynamic */
    const uint32_t *topics;   /* indexes of what it subscribes to, ascending */
    uint32_t topic_count;
    const struct partition_set *current; /* its target so far, or NULL */
    struct partition_set *target;        /* is made; empty before */
};

/* All that somebody subscribes to, ascending by id. MEMBERS is put into order. */
void assignor_run(enum assignor_kind kind, const struct assignor_topic *topics,
                  uint32_t topic_count, struct assignor_member *members,
                  uint32_t member_count);

/* ASSIGNOR_KINDS: there is none of that name. */
enum assignor_kind assignor_by_name(struct slice name);
const char *assignor_name(enum assignor_kind kind);

#endif
