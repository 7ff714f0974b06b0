/* topics.h - topic asks: passed to the control plane, answered when this agent sees them.
 *
 * Core thread only. An ask is answered exactly once, by ask_reply: after the control
 * plane has done it and the local view shows it, or with an error, at its deadline at the
 * latest. */
#ifndef AGENT_TOPICS_H
#define AGENT_TOPICS_H

#include <stdbool.h>

#include "agent/core.h"
#include "agent/ctl.h"
#include "agent/watch.h"
#include "common/loop.h"

struct topics;

struct topics *topics_new(struct loop *loop, struct ctl *ctl, struct watch *watch);
void topics_free(struct topics *topics); /* after topics_drain */
void topics_ask(struct topics *topics, struct topics_ask *ask);
/* Answer what is open with ERR_CANCELLED's Kafka error. */
void topics_drain(struct topics *topics);
bool topics_idle(const struct topics *topics);

#endif
