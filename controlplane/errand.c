/* errand.c - see errand.h. */
#include "controlplane/errand.h"

static void on_done(struct ask *ask)
{
    struct errand *errand = errand_of(ask);
    pthread_mutex_lock(&errand->lock);
    errand->done = true;
    pthread_cond_signal(&errand->ended);
    pthread_mutex_unlock(&errand->lock);
}

void errand_run(struct errand *errand, struct node *node,
                void (*run)(struct node *node, struct ask *ask))
{
    errand->ask.run = run;
    errand->ask.done = on_done;
    pthread_mutex_init(&errand->lock, NULL);
    pthread_cond_init(&errand->ended, NULL);
    node_send(node, &errand->ask);
    pthread_mutex_lock(&errand->lock);
    while (!errand->done)
        pthread_cond_wait(&errand->ended, &errand->lock);
    pthread_mutex_unlock(&errand->lock);
    pthread_cond_destroy(&errand->ended);
    pthread_mutex_destroy(&errand->lock);
}
