/* store_ops.h - what a kind of store provides, and what the shell gives it; private to
 * store.c and the store_*.c files.
 *
 * The shell (store.c) owns threads, mailboxes, deadlines, retries and counters. A kind
 * owns how one try of one request is made. Everything of a worker happens on that
 * worker's thread. */
#ifndef COMMON_STORE_OPS_H
#define COMMON_STORE_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/store.h"
#include "common/store_url.h"

/* Most keys in one answer to LIST; S3's own limit. */
#define STORE_LIST_MAX 1000

/* One try of a request. The kind fills in what came of it and calls store_try_done. */
struct store_try {
    struct store_request *request; /* results go here, on success only */
    int64_t timeout_ms;            /* for this try, above 0 */
    unsigned number;               /* 1 for the first try of the request */
    void *state;                   /* the kind's own, NULL at start */
    /* outcome */
    struct err err;
    bool retry;             /* another try may help */
    int64_t retry_after_ms; /* the server asked to wait so long; else -1 */
};

struct store_ops {
    const char *scheme;
    unsigned default_threads;
    int64_t backoff_base_ms, backoff_max_ms;
    /* The kind's state for a whole store; called before any thread runs. */
    int (*open)(const struct store_options *options, const struct store_url *url,
                void **state, struct err *err);
    void (*close)(void *state);
    /* The kind's state for one thread, and its end after the thread has ended. */
    void *(*worker_new)(void *state, struct loop *loop);
    void (*worker_free)(void *worker);
    /* Begin a try. It ends with store_try_done, perhaps before this returns. */
    void (*start)(void *worker, struct store_try *try);
    /* Give a begun try up at once: no store_try_done after this. */
    void (*cancel)(void *worker, struct store_try *try);
};

extern const struct store_ops store_dir_ops;
extern const struct store_ops store_s3_ops;

/* The try is over: try->err, retry and retry_after_ms say how. TRY is gone after. */
void store_try_done(struct store_try *try);
/* Count a request that a try sends beyond its own (the HEAD after a refused PUT). */
void store_count_extra(struct store_try *try, enum store_kind kind);

/* ERR_INVALID unless KEY is a well-formed key. A prefix may be "", or end anywhere. */
int store_check_key(const char *key, struct err *err) MUST_CHECK;
int store_check_prefix(const char *prefix, struct err *err) MUST_CHECK;

#endif
