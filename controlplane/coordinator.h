/* coordinator.h - the timers of consumer groups: the leader's, in memory only.
 *
 * The state says what a group is; this says when its members have been silent for too
 * long, and when a phase of a rebalance has lasted long enough:
 *
 *   session            of each member, classic or of the consumer protocol, and of each
 * id that was given out and not yet used; begun afresh by each touch. Who waits in the
 * join phase does not expire. initial delay      of the first rebalance of a classic
 * group that was empty, extended while members come, up to the rebalance timeout
 * (KIP-134) rebalance timeout  of a classic group's join phase, and of its sync phase
 *   consumer rebalance of a member of the consumer protocol that has partitions to give
 * up
 *
 * What is due becomes a command (GROUP_DUE, GROUP_EXPIRE), whose apply judges again by
 * the generation or epoch in it: one that comes late does nothing. A node that becomes
 * leader begins all timers afresh (nobody heard the heartbeats but the leader before),
 * and drops them when it no longer leads.
 *
 * Core thread. A core without clock or loop: NOW_MS is monotonic and never goes back. A
 * touch costs a lookup; what is due is found by a heap, whose entries may be early and
 * are then put back: so 100,000 members that heartbeat move nothing. */
#ifndef CONTROLPLANE_COORDINATOR_H
#define CONTROLPLANE_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "controlplane/state.h"

struct coordinator;

struct coordinator_options {
    int64_t initial_delay_ms; /* group.initial.rebalance.delay.ms */
    /* Called once, until the next coordinator_settle, when there is something for it. */
    void (*on_noted)(void *arg);
    void *arg;
};

struct coordinator *coordinator_new(const struct coordinator_options *options);
void coordinator_free(struct coordinator *coordinator);

/* This node leads: begin all timers of all groups in STATE, as if each had been heard of
 * just now. */
void coordinator_begin(struct coordinator *coordinator, const struct state *state,
                       int64_t now_ms);
/* It no longer leads, or the state is another one. */
void coordinator_end(struct coordinator *coordinator);
bool coordinator_active(const struct coordinator *coordinator);

/* A group changed, came or went: to be looked at by the next coordinator_settle. Cheap,
 * for the state's on_group. Ignored while not active, as all below. */
void coordinator_note(struct coordinator *coordinator, const struct uuid *cluster_id,
                      struct slice group_id);
/* Look at the groups that were noted: at the end of a tick. */
void coordinator_settle(struct coordinator *coordinator, const struct state *state,
                        int64_t now_ms);
/* A member was heard of: its session begins anew. */
void coordinator_touch(struct coordinator *coordinator, const struct uuid *cluster_id,
                       struct slice group_id, struct slice member_id, int64_t now_ms);

/* When coordinator_next has something, at the earliest; INT64_MAX: nothing runs. */
int64_t coordinator_next_at_ms(const struct coordinator *coordinator);
/* Fill CMD with the next command that is due at NOW_MS: one group's, all its members that
 * have expired in one; what it points to is in ARENA. False: nothing is due. Should it
 * not come to be applied, it is due again after a second. */
bool coordinator_next(struct coordinator *coordinator, const struct state *state,
                      int64_t now_ms, struct arena *arena,
                      struct command *cmd) MUST_CHECK;

struct coordinator_counts {
    uint64_t groups, members;  /* with timers */
    uint64_t stable;           /* of the groups: all others are in a rebalance */
    uint64_t consumer;         /* of the groups: of KIP-848 */
    uint64_t rebalances_total; /* that were seen: new generations, new epochs */
};
void coordinator_count(const struct coordinator *coordinator,
                       struct coordinator_counts *counts);

#endif
