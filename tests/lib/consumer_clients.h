/* consumer_clients.h - what members of a KIP-848 group do, one line each, in tests of the
 * state: heartbeats go the way of the leader's, which answers from memory or proposes.
 *
 * The group is "g" unless said otherwise. Partitions are texts: "1:0,1 2:3" is topic-1's
 * 0 and 1, and topic-2's 3. */
#ifndef TESTS_LIB_CONSUMER_CLIENTS_H
#define TESTS_LIB_CONSUMER_CLIENTS_H

#include "controlplane/group_consumer.h"
#include "tests/lib/state_driver.h"

struct beat {
    const char *group, *member; /* NULL: "g" */
    int32_t epoch;
    const char *instance, *rack;
    int32_t rebalance_ms; /* 0: as of a member that joins, or as it was */
    const char *names;    /* "topic-1,topic-2"; NULL: as they were */
    const char *regex, *assignor;
    const char *owned; /* NULL: not said */
    const char *client_id;
    uint32_t members_max, groups_max; /* 0: many */
    uint64_t metadata_max;
    uint32_t flags_off; /* of both kinds of migration */
    bool force;         /* propose it, though it would change nothing */
};

struct beaten {
    int16_t error;
    char message[256];
    int32_t epoch;
    bool proposed;     /* else it was answered from memory */
    bool has_assigned; /* the answer holds it: */
    char assigned[2048];
};

/* A heartbeat of D's group. */
struct beaten beat(struct driver *d, const struct beat *beat);
#define BEAT(d, ...) beat(d, &(struct beat){__VA_ARGS__})
/* A member joins "g" and reads topic-1. */
struct beaten join_consumer(struct driver *d, const char *member);

const struct group *consumer_group(const struct driver *d);
const struct consumer_member *consumer_of(const struct driver *d, const char *member);
/* What MEMBER may have, what it shall, as texts; in a buffer of its own for each of the
 * last few calls. */
const char *assigned_of(const struct driver *d, const char *member);
const char *target_of(const struct driver *d, const char *member);
const char *set_text(const struct partition_set *set);
void set_parse(const char *text, struct partition_set *set);

/* GROUP_EXPIRE of MEMBER with its present epoch, or that one. */
void expire_consumer(struct driver *d, const char *member, int32_t epoch);

#endif
