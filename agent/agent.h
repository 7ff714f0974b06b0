/* agent.h - the agent as a whole: which parts there are, and in which order they live.
 *
 * Two threads of its own: the main thread waits for signals and stops the front; the core
 * thread runs everything else (core.c, ctl, watch, admin). Client threads belong to the
 * front, store threads to the store.
 *
 *   start   store -> control plane (enrol) -> core -> front listens -> register -> watch
 *   end     register as draining -> front and core drain -> leave -> front -> core ->
 * store */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/options.h"

/* Run until a signal ends it; returns the exit status of the process. */
int agent_run(const struct agent_options *options);

#endif
