/* relay.h - asks that are one call to the control plane: sent as they are, read by who
 * asked.
 *
 * Core thread only. An ask is answered exactly once, by ask_reply: after the control
 * plane's answer was read (and, if it `sees`, when this agent's view holds what was
 * changed), or with an error, at its deadline at the latest. */
#ifndef AGENT_RELAY_H
#define AGENT_RELAY_H

#include <stdbool.h>

#include "agent/core.h"
#include "agent/ctl.h"
#include "agent/watch.h"
#include "common/loop.h"

struct relay;

struct relay *relay_new(struct loop *loop, struct ctl *ctl, struct watch *watch);
void relay_free(struct relay *relay); /* after relay_drain */
void relay_ask(struct relay *relay, struct relay_ask *ask);
/* Answer what is open with ERR_CANCELLED's Kafka error. */
void relay_drain(struct relay *relay);
bool relay_idle(const struct relay *relay);

#endif
