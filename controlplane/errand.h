/* errand.h - a thread that is not the core's has something done there, and waits for it.
 * For the start and the end of the service; calls go by call.h, which waits for nobody.
 */
#ifndef CONTROLPLANE_ERRAND_H
#define CONTROLPLANE_ERRAND_H

#include <pthread.h>
#include <stdbool.h>

#include "controlplane/node.h"

struct errand {
    struct ask ask;
    void *arg;
    bool yes; /* an answer, set by run */
    int code;
    struct err err;
    /* what run may use until ask_done */
    struct node_change change;
    struct proposal proposal;
    /* private */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static inline struct errand *errand_of(struct ask *ask)
{
    return CONTAINER_OF(ask, struct errand, ask);
}

/* Have RUN executed on the core thread, and wait until it, or what it began, calls
 * ask_done. ERRAND is zeroed but for `arg`, and may be looked at after. */
void errand_run(struct errand *errand, struct node *node,
                void (*run)(struct node *node, struct ask *ask));

#endif
