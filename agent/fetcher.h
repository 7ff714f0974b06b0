/* fetcher.h - answers Fetch asks: from the tail index and the cache, else by plan and
 * store.
 *
 * Core thread only. An ask is answered by ask_reply(&fetch_ask->ask), perhaps from inside
 * fetcher_ask, exactly once: when min_bytes are there, when something makes the answer
 * immediate (core.h), or at its deadline. */
#ifndef AGENT_FETCHER_H
#define AGENT_FETCHER_H

#include <stdbool.h>

#include "agent/core.h"
#include "common/loop.h"

struct cache;
struct ctl;
struct fetcher;
struct meta;
struct read_gate;
struct tail;
struct traffic;

struct fetcher_options {
    struct loop *loop;
    struct ctl *ctl;
    struct meta *meta;
    struct tail *tail;
    struct cache *cache;
    struct read_gate *gate;
    struct traffic *traffic;
};

struct fetcher *fetcher_new(const struct fetcher_options *options);
/* Nothing may be open: see fetcher_drain. */
void fetcher_free(struct fetcher *fetcher);
void fetcher_ask(struct fetcher *fetcher, struct fetch_ask *ask);
/* Answer ASK now, without data, unless it is answered already: its client is gone. */
void fetcher_cancel(struct fetch_ask *ask);
/* Something was committed or reset: look again at the fetches that wait. Called once
 * after each batch of watch events and own commits. */
void fetcher_on_tail(struct fetcher *fetcher);
/* From now on nobody waits: asks are answered with what there is, or with an error that
 * has the client come again where a plan of the control plane would be needed. */
void fetcher_drain(struct fetcher *fetcher);
bool fetcher_idle(const struct fetcher *fetcher); /* no ask and no request is open */

#endif
