/* watch.h - keeps this agent's knowledge of the cluster fresh: metadata once, then the
 * watch.
 *
 *   LOADING (/agent/v1/metadata) -> WATCHING (/agent/v1/watch, one always outstanding)
 *      ^------------- reset: true, or an answer that makes no sense ------/
 *
 * Feeds the metadata view, the tail index and whoever waits for a cursor. Core thread. */
#ifndef AGENT_WATCH_H
#define AGENT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "agent/meta.h"
#include "agent/tail.h"
#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/loop.h"

struct watch;

struct watch_hooks {
    /* As tail.h's functions of the same names. */
    void (*on_commit)(const struct uuid *object_id, int32_t writer_node_id,
                      const struct tail_run *runs, size_t run_count, void *arg);
    void (*on_reset)(void *arg);
    void (*on_topic_deleted)(const struct uuid *topic_id, void *arg);
    void (*on_log_start)(const struct uuid *topic_id, int32_t partition, int64_t offset,
                         void *arg);
    /* A classic group has another state or generation, or is gone. */
    void (*on_group)(struct slice group, void *arg);
    /* An answer has been dealt with and published. */
    void (*on_news)(void *arg);
    void *arg;
};

struct watch *watch_new(struct loop *loop, struct ctl *ctl, struct meta *meta,
                        const struct watch_hooks *hooks);
void watch_free(struct watch *watch); /* nobody may wait */
/* ON_READY once, when the first view is published. The session (ctl_register) must stand.
 */
void watch_start(struct watch *watch, void (*on_ready)(void *arg), void *arg);
bool watch_ready(const struct watch *watch);

/* A "commit" event of control_api.md. */
struct watch_commit {
    struct uuid object_id;
    int32_t writer_node_id;
    struct tail_run *runs; /* in the arena */
    size_t run_count;
};
int watch_read_commit(const struct json *event, struct arena *arena,
                      struct watch_commit *commit, struct err *err) MUST_CHECK;

/* Waits until the view holds everything up to CURSOR. */
struct watch_waiter {
    struct list_node node; /* list_node_init'ed: not waiting */
    int64_t cursor;
    void (*done)(struct watch_waiter *waiter); /* not waiting any more; may be freed */
};
/* DONE is called at once if that is so already. */
void watch_wait(struct watch *watch, struct watch_waiter *waiter);
void watch_wait_cancel(struct watch_waiter *waiter);

#endif
