/* groups.h - what clients ask of consumer groups, passed to the control plane.
 *
 * Any agent serves any group (I9) and none holds state of one: every op of core.h's
 * group_ask goes to the control plane (`/agent/v1/groups`), those of all connections
 * gathered. The ops of a group go through one of a few lanes, chosen by its id; a lane
 * has one call on its way, and what comes meanwhile makes up the next one, so that an
 * op waits for no timer. Heartbeats change nothing, so their order does not matter: all
 * of them go through a lane of their own, which gathers for 50 ms after a call, so that
 * those of thousands of members are a few calls a second.
 *
 *   QUEUED -> SENT -> answered
 *      ^        |
 *      |        v  "wait" (a join or a sync)
 *      +----- PARKED
 *          the group changed (watch), the watch began afresh, or POLL_MS are over
 *
 * Every call is safe to repeat (control_api.md says why for each op), so ctl does; an op
 * whose deadline is over is not repeated any more: a commit must not overtake what the
 * client does next. Nor must a repeat overtake what the client has done through another
 * agent meanwhile: each call says when its ops were sent first, and the control plane
 * does not put an older commit over a newer one (control_api.md). Core thread only. */
#ifndef AGENT_GROUPS_H
#define AGENT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/core.h"
#include "common/loop.h"
#include "common/slice.h"

struct ctl;
struct groups;

struct groups *groups_new(struct loop *loop, struct ctl *ctl);
void groups_free(struct groups *groups); /* nothing may be open: see groups_abandon */

/* Answered by ask_reply, exactly once, perhaps from inside. Over the bounds on what may
 * be queued with COORDINATOR_LOAD_IN_PROGRESS or COORDINATOR_NOT_AVAILABLE. */
void groups_ask(struct groups *groups, struct group_ask *ask);
/* ASK's client is gone: what of it waits for its group is answered at once, or as soon as
 * the control plane has been asked; the rest is carried out as ever. */
void groups_cancel(struct groups *groups, struct group_ask *ask);

/* The watch says that GROUP changed; or (groups_on_reset) that changes were missed. */
void groups_on_change(struct groups *groups, struct slice group);
void groups_on_reset(struct groups *groups);

/* From now on nobody waits: parked joins and syncs are answered with NOT_COORDINATOR, so
 * that members go to another agent, where they join as who they are: no rebalance. */
void groups_drain(struct groups *groups);
/* Answer everything that is open the same way, now. */
void groups_abandon(struct groups *groups);
bool groups_idle(const struct groups *groups);

/* Bring the gauges of metric.def up to date. */
void groups_update_metrics(const struct groups *groups);

#endif
