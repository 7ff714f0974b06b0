/* feed.h - what watching agents are told: a ring of recent events for each cluster, and
 * those who wait for the next one.
 *
 * The state's hooks bring events; an event's JSON text (control_api.md, /agent/v1/watch)
 * is made once, here, and shared by all who read it as a counted blob. A cursor is an
 * applied Raft index: an event belongs to the index at which it was sealed, which is at
 * or after its own and before any reader has seen a later one. What the ring of a cluster
 * no longer holds is below its floor; whoever asks from there must begin anew.
 *
 * Core thread only. A core: no clock, no loop. It tells `on_dirty` (once, until the next
 * feed_deliver) that there are new events for waiters; the owner calls feed_deliver when
 * its tick ends, so that one wake-up carries the events of many commits. */
#ifndef CONTROLPLANE_FEED_H
#define CONTROLPLANE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/state.h"

/* One answer holds about so much, and always whole indexes. */
#define FEED_ANSWER_BYTES MIB

struct feed;

/* One who watches; embedded by the caller. */
struct feed_watch {
    struct uuid cluster_id;
    uint64_t after; /* the cursor that the agent has */
    /* Called once, with the result set: from feed_watch, feed_deliver or
     * feed_wake_all. Not after feed_cancel. */
    void (*done)(struct feed_watch *watch);
    /* result */
    uint64_t cursor;
    bool reset;
    struct blob **events; /* references, freed by feed_watch_fini */
    size_t event_count;
    /* private */
    struct list_node node;
    struct feed_ring *ring;
};

/* Rings hold RING_BYTES at most, of texts and what they cost beside. */
struct feed *feed_new(size_t ring_bytes, void (*on_dirty)(void *arg), void *arg);
void feed_free(struct feed *feed); /* nobody may wait */
/* Begin to keep events: those after INDEX. Before, they are dropped. */
void feed_attach(struct feed *feed, uint64_t index);
/* Keep no more events from now on: nobody is told any more. */
void feed_detach(struct feed *feed);
/* The state is another one, at INDEX: forget all events. Nobody may wait. */
void feed_restart(struct feed *feed, uint64_t index);
/* Who else is to hear what on_group says: the state has one hook only. */
void feed_pass_groups(struct feed *feed,
                      void (*hook)(void *arg, const struct cluster *cluster,
                                   const struct group *group),
                      void *arg);
/* The hooks; pass the feed as `arg`. */
struct state_events feed_hooks(struct feed *feed);

/* INDEX is applied: what the hooks have brought so far belongs to it. Call before a
 * cursor is given out. */
void feed_seal(struct feed *feed, uint64_t index);
/* Answer at once if there is something after the cursor (or it is not known), else wait.
 * True: it waits, and done() comes later. Seals at INDEX. */
bool feed_watch(struct feed *feed, struct feed_watch *watch, uint64_t index);
/* The caller's note for a cluster: that a reader was seen who knows more than there is.
 */
bool *feed_ahead_noted(struct feed *feed, const struct uuid *cluster_id);
/* End the wait without an event: the result is the present cursor, and done() is not
 * called. True if it did wait. */
bool feed_cancel(struct feed *feed, struct feed_watch *watch, uint64_t index);
void feed_watch_fini(struct feed_watch *watch); /* any thread */
/* Seal at INDEX and answer all for whom there is something. */
void feed_deliver(struct feed *feed, uint64_t index);
/* Answer all, events or not (shutdown). */
void feed_wake_all(struct feed *feed, uint64_t index);

struct feed_counts {
    uint64_t events, bytes, watchers;
};
void feed_count(const struct feed *feed, struct feed_counts *counts);

/* For metadata: the list of all TOPICs of control_api.md, a reference to a text that is
 * kept until a topic changes; and of all AGENTs. */
struct blob *feed_topics(struct feed *feed, const struct cluster *cluster);
void feed_print_agents(const struct cluster *cluster, struct str *out);
/* The list of all SETTINGs of brokers and groups. */
void feed_print_settings(const struct cluster *cluster, struct str *out);

#endif
