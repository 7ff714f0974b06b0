/* one.h - a call that shows one thing: what they have in common.
 *
 *   core thread      want: find it, by what the api has put into call->data; copy its row
 *   server's thread  print the row, with its version as ETag
 *
 * The row is copied and printed as in the list of such things (list.h). A change that
 * shows what it has changed answers in the same way (change.h). */
#ifndef CONTROLPLANE_ONE_H
#define CONTROLPLANE_ONE_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/change.h"
#include "controlplane/list.h"

#define ONE_NO_VERSION SIZE_MAX

struct one_source {
    const struct list_source *rows; /* its copy and print */
    size_t row_at;                  /* where in call->data the row lies */
    size_t version_at;              /* where in that its uint64_t, or ONE_NO_VERSION */
    /* Core thread. NULL: the call has failed. */
    const void *(*want)(struct node *node, struct call *call);
};

/* Answer CALL, whose data is set, with its one of SOURCE. */
void one_start(struct call *call, const struct one_source *source);
/* CHANGE shows its one of SOURCE when it was made. */
void one_after(struct call *call, struct change *change, const struct one_source *source);

/* For calls with steps of their own: the row is copied (core thread), and the answer. */
void one_copy(struct node *node, struct call *call, const struct one_source *source);
void one_reply(struct call *call, int status, const struct one_source *source);

#endif
