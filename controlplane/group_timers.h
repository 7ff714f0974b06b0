/* group_timers.h - the coordinator on the core thread's loop: groups that changed are
 * looked at when a tick ends, what is due is proposed in time.
 *
 * Core thread only; owned by service.c. */
#ifndef CONTROLPLANE_GROUP_TIMERS_H
#define CONTROLPLANE_GROUP_TIMERS_H

#include <stdbool.h>

#include "controlplane/coordinator.h"
#include "controlplane/node.h"
#include "controlplane/options.h"

struct group_timers;

/* COORDINATOR is made here and freed with it; nothing runs before group_timers_attach. */
struct group_timers *group_timers_new(const struct control_options *options);
void group_timers_free(struct group_timers *timers);
struct coordinator *group_timers_coordinator(struct group_timers *timers);
/* From now on there is a loop; until group_timers_detach. */
void group_timers_attach(struct group_timers *timers, struct node *node);
void group_timers_detach(struct group_timers *timers);
/* This node leads, as far as reads go: begin all timers afresh; or drop them. */
void group_timers_lead(struct group_timers *timers, bool leads);

#endif
