/* change.h - a call that changes one thing by one command: what they have in common.
 *
 *   server's thread  the api fills a struct change (the first member of its own struct)
 *   core thread      prepare: look at what is there, complete the command
 *                    ... the command is applied ...
 *                    copy: what the answer will show
 *   server's thread  answer */
#ifndef CONTROLPLANE_CHANGE_H
#define CONTROLPLANE_CHANGE_H

#include "controlplane/call.h"

struct change {
    const char *what;   /* "cluster", for texts */
    struct command cmd; /* its slices must outlive the call's visits: body or arena */
    /* The id that was proposed for what is made; zero: nothing is. */
    struct uuid made_id;
    /* May be NULL. Fail the call to stop. PREPARE may set cmd.if_version when the caller
     * gave none, so that what it read is what is changed: it is called again when another
     * change was faster. */
    void (*prepare)(struct node *node, struct call *call, struct change *change);
    void (*copy)(struct node *node, struct call *call, struct change *change);
    void (*answer)(struct call *call); /* NULL: 204 */
    /* From copy on. */
    struct command_result result;
    bool replayed; /* by Idempotency-Key: the answer is that to an earlier request */
    /* private */
    struct call_proposal proposal;
    unsigned races; /* that were lost */
};

/* Go; call->data is CHANGE from now on. */
void change_start(struct call *call, struct change *change);

#endif
