/* lag.h - how far behind groups are, for /metrics: in records and in seconds.
 *
 * Asked of the control plane when somebody scrapes, and at most every few seconds: a
 * scrape shows what the one before began to ask for. Of several agents each tells of the
 * groups that rendezvous hashing gives it, so that all together tell of each once.
 * Bounded: groups, partitions of a group, rows in all. Core thread only. */
#ifndef AGENT_LAG_H
#define AGENT_LAG_H

#include "agent/groups.h"
#include "agent/meta.h"
#include "common/loop.h"
#include "common/str.h"

struct lag;

struct lag *lag_new(struct loop *loop, struct groups *groups, struct meta *meta);
void lag_free(struct lag *lag); /* after groups_abandon, when groups_idle */
/* Append what is known, and see to it that the next one knows newer. */
void lag_print(struct lag *lag, struct str *out);
/* Ask no more. */
void lag_stop(struct lag *lag);

#endif
