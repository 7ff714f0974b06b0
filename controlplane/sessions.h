/* sessions.h - which agents are alive: the leader's leases, in memory only.
 *
 * Any call of an agent touches its session; one that is not touched for the timeout has
 * expired, and whoever asks (service.c, by a timer) proposes AGENT_REMOVE. A node that
 * becomes leader begins all of them afresh. While agents are turned away at the door
 * (newcomers.h) one that is not heard of may be standing there, and has SESSIONS_PATIENCE
 * leases; so a storm does not grow by all who would have to register again. Core thread;
 * a core without clock: NOW_MS is monotonic and never goes back. */
#ifndef CONTROLPLANE_SESSIONS_H
#define CONTROLPLANE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/uuid.h"
#include "common/x509.h"
#include "controlplane/session_load.h"

struct sessions;

#define SESSIONS_PATIENCE 18

struct sessions *sessions_new(int64_t timeout_ms);
void sessions_free(struct sessions *sessions);

/* Begin or extend the session of an agent. */
void sessions_touch(struct sessions *sessions, const struct uuid *cluster_id,
                    const struct uuid *agent_id, int64_t now_ms);
/* Remember its load, if there is a session. */
void sessions_set_load(struct sessions *sessions, const struct uuid *cluster_id,
                       const struct uuid *agent_id, const struct session_load *load);
/* Remember the authority of the certificate that it calls with (x509_authority_id). */
void sessions_set_authority(struct sessions *sessions, const struct uuid *cluster_id,
                            const struct uuid *agent_id, const char *authority);
/* ... and tell it; "" when it has not called since this node leads. */
const char *sessions_authority(const struct sessions *sessions,
                               const struct uuid *cluster_id,
                               const struct uuid *agent_id);
/* When it was touched last, and its load. False: there is no session. */
bool sessions_seen(const struct sessions *sessions, const struct uuid *cluster_id,
                   const struct uuid *agent_id, int64_t *at_ms,
                   struct session_load *load) MUST_CHECK;
/* What it told last (at_ms 0: nothing yet), borrowed until it is touched next. NULL:
 * there is no session. */
const struct session_load *sessions_load(const struct sessions *sessions,
                                         const struct uuid *cluster_id,
                                         const struct uuid *agent_id);
/* May a report of this agent's use be proposed now? Once in INTERVAL_MS: then it counts
 * as made. False without a session. */
bool sessions_take_report(struct sessions *sessions, const struct uuid *cluster_id,
                          const struct uuid *agent_id, int64_t now_ms,
                          int64_t interval_ms) MUST_CHECK;
/* End it, if there is one. */
void sessions_forget(struct sessions *sessions, const struct uuid *cluster_id,
                     const struct uuid *agent_id);
void sessions_clear(struct sessions *sessions);
/* Somebody was turned away: for two leases from now on, all have patience. That is
 * longer than an agent pauses (agent/seek.c). */
void sessions_crowded(struct sessions *sessions, int64_t now_ms);
/* Take out one session that has expired; false: there is none. */
bool sessions_take_expired(struct sessions *sessions, int64_t now_ms,
                           struct uuid *cluster_id, struct uuid *agent_id) MUST_CHECK;
bool sessions_has(const struct sessions *sessions, const struct uuid *cluster_id,
                  const struct uuid *agent_id);
size_t sessions_count(const struct sessions *sessions);

#endif
