/* freshness.h - metadata asks: answered when the view is as new as the control plane was.
 *
 * For a client that names a topic which the view does not have: it may have been created
 * through another agent a moment ago. One small call (a plan of nothing) tells the
 * control plane's cursor; all asks that came while one was on its way share the next one.
 * Core thread only. */
#ifndef AGENT_FRESHNESS_H
#define AGENT_FRESHNESS_H

#include <stdbool.h>

#include "agent/core.h"
#include "agent/ctl.h"
#include "agent/watch.h"
#include "common/loop.h"

struct freshness;

struct freshness *freshness_new(struct loop *loop, struct ctl *ctl, struct watch *watch);
void freshness_free(struct freshness *freshness); /* after freshness_drain */
/* Answered by ask_reply, exactly once, at its deadline at the latest. */
void freshness_ask(struct freshness *freshness, struct metadata_ask *ask);
/* Answer what is open with ERR_CANCELLED's Kafka error. */
void freshness_drain(struct freshness *freshness);
bool freshness_idle(const struct freshness *freshness);

#endif
