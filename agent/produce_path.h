/* produce_path.h - the way of a produce: ask -> open object -> store -> commit -> answer.
 *
 * Composes the cores produces, batcher, uploader and committer. Still a core: store and
 * control plane are behind struct produce_path_io, `now` comes as a parameter, so that
 * the simulation runs exactly what the agent runs. core.c is its shell. */
#ifndef AGENT_PRODUCE_PATH_H
#define AGENT_PRODUCE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/batcher.h"
#include "agent/committer.h"
#include "agent/produces.h"
#include "agent/uploader.h"

struct produce_path_options {
    struct batcher_options batcher;
    struct uploader_options uploader;
    size_t max_objects; /* sealed and not settled, above which age alone does not seal */
    struct uuid cluster_id, agent_id;
};

struct produce_path_io {
    void (*put)(struct store_request *request, void *arg);
    void (*cancel_put)(struct store_request *request, void *arg);
    struct uuid (*make_id)(void *arg);
    void (*commit)(struct json *body, void *arg);
    void (*reply)(struct ask *ask, void *arg);
    void (*on_committed)(const struct committed *committed, void *arg);
    int64_t (*log_start)(const struct uuid *topic_id, int32_t partition, void *arg);
    int64_t (*wall_ms)(void *arg); /* the control plane's clock */
    intake_name_fn *topic_name;
    void *arg;
};

struct produce_path {
    /* private */
    struct produce_path_options options;
    struct produce_path_io io;
    struct produces produces;
    struct batcher batcher;
    struct uploader uploader;
    struct committer committer;
    uint64_t objects; /* sealed so far */
    bool closed;
};

void produce_path_init(struct produce_path *path,
                       const struct produce_path_options *options,
                       const struct produce_path_io *io, int64_t now);
void produce_path_fini(struct produce_path *path); /* must be idle, or abandoned */

void produce_path_ask(struct produce_path *path, struct produce_ask *ask, int64_t now);
void produce_path_on_put(struct produce_path *path, struct store_request *request,
                         int64_t now);
void produce_path_on_commit(struct produce_path *path, int code, const char *text,
                            const struct json *answer, int64_t now);
/* To be called after any of the above, at the end of a tick, and when it is due: seals,
 * begins uploads and commits, times out. */
void produce_path_step(struct produce_path *path, int64_t now);
/* When produce_path_step has something to do by itself, or INT64_MAX. */
int64_t produce_path_due_at_ms(const struct produce_path *path);

/* Objects are sealed at another size and age from now on. */
void produce_path_set_limits(struct produce_path *path, uint64_t flush_bytes,
                             int64_t flush_interval_ms);
/* Drain: seal whatever comes without waiting for size or age. */
void produce_path_flush(struct produce_path *path);
/* Nothing is open: no ask, no object, no request to the store. */
bool produce_path_idle(const struct produce_path *path);
/* Give everything up; every open ask is answered with ERR_CANCELLED's Kafka error, and so
 * are those to come. Requests to the store still come back. */
void produce_path_abandon(struct produce_path *path, int64_t now);

#endif
