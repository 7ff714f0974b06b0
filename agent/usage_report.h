/* usage_report.h - tells the control plane what this agent served and asked of the store,
 * and how busy it is.
 *
 * Counters are those of metric.def and of the store since the agent's start, named by an
 * incarnation, so that a report that is repeated, or lost, changes nothing: the next has
 * it all. Rates and latencies are those since the report before. The answer says whether
 * people want this agent drained. Core thread. */
#ifndef AGENT_USAGE_REPORT_H
#define AGENT_USAGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "common/loop.h"

struct store;
struct usage_report;

struct usage_report_options {
    struct loop *loop;
    struct ctl *ctl;
    const struct store *store;
    const char *provider, *region; /* who bills for the store; prices.h */
    /* Called whenever an answer says other than before what is wanted; at first this
     * agent is taken not to be wanted drained. */
    void (*on_wanted)(bool drained, void *arg);
    void *arg;
};

/* OPTIONS are copied, their texts borrowed. */
struct usage_report *usage_report_new(const struct usage_report_options *options);
void usage_report_free(struct usage_report *report); /* NULL is fine; no callback */
/* Report every few seconds from now on. The session (ctl_register) must stand. */
void usage_report_start(struct usage_report *report);
/* The last one, then no more; DONE once, after WAIT_MS at the latest. */
void usage_report_finish(struct usage_report *report, int64_t wait_ms,
                         void (*done)(void *arg), void *arg);

#endif
