/* producer_ids.h - producer ids for clients, out of blocks fetched ahead.
 *
 * Core thread only. Ids of a block that is not used up when the agent ends are lost;
 * there are enough (2^63). */
#ifndef AGENT_PRODUCER_IDS_H
#define AGENT_PRODUCER_IDS_H

#include <stdbool.h>

#include "agent/core.h"
#include "agent/ctl.h"
#include "common/loop.h"

struct producer_ids;

struct producer_ids *producer_ids_new(struct loop *loop, struct ctl *ctl);
void producer_ids_free(struct producer_ids *ids); /* after producer_ids_drain */
/* Answered by ask_reply, exactly once, at its deadline at the latest. */
void producer_ids_ask(struct producer_ids *ids, struct producer_id_ask *ask);
/* Answer what is open with ERR_CANCELLED's Kafka error. */
void producer_ids_drain(struct producer_ids *ids);
bool producer_ids_idle(const struct producer_ids *ids);

#endif
