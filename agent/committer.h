/* committer.h - commits uploaded objects in seal order and hands every part its result.
 *
 * A core: the control plane is behind struct committer_io, `now` comes as a parameter.
 * All sealed objects stand in one queue. One request is in flight; it carries the objects
 * at the head of the queue that are uploaded, up to the first that is not (I8), at most
 * COMMIT_OBJECTS_MAX and about COMMIT_BYTES_MAX of JSON. A request whose outcome is not
 * known is repeated as it is, with the same object ids (I5): by ctl_send, below `send`.
 */
#ifndef AGENT_COMMITTER_H
#define AGENT_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/cache.h"
#include "agent/intake.h"
#include "agent/produces.h"
#include "agent/tail.h"
#include "common/arena.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"

#define COMMIT_BYTES_MAX (4 * MIB)

/* What a commit made of an object, for the tail index and the cache. */
struct committed {
    const struct intake *intake;
    const struct tail_run *runs; /* accepted pieces of runs */
    size_t run_count;
    const struct cache_piece *pieces; /* every batch */
    size_t piece_count;
};

struct committer_io {
    /* Send BODY (ownership moves) to /agent/v1/commit; ends in committer_on_answer, never
     * from inside. */
    void (*send)(struct json *body, void *arg);
    /* After the object's producers have been answered; borrowed. */
    void (*on_committed)(const struct committed *committed, void *arg);
    /* The log start to tell producers, or -1. */
    int64_t (*log_start)(const struct uuid *topic_id, int32_t partition, void *arg);
    void *arg;
};

struct committer {
    /* private */
    struct committer_io io;
    struct produces *produces;
    struct list queue; /* of intakes in seal order */
    size_t queued;
    size_t committing; /* of those at the head: they are in the request in flight */
    int64_t sent_at_ms;
};

void committer_init(struct committer *committer, struct produces *produces,
                    const struct committer_io *io);
void committer_fini(struct committer *committer); /* must be idle */

/* A sealed object joins the queue; ownership moves. */
void committer_add(struct committer *committer, struct intake *intake);
/* The first object that waits for its upload, or NULL. */
struct intake *committer_next_sealed(const struct committer *committer);
/* INTAKE will not be uploaded. Its producers get ERR's Kafka error, and so do those of
 * all objects behind it that are not being committed yet: what a producer sent after it
 * must not be committed before it is repeated (I8). The queue in front goes on. */
void committer_fail(struct committer *committer, struct intake *intake,
                    const struct err *err, int64_t now);
/* Send what is next in line, unless a request is in flight. */
void committer_step(struct committer *committer, int64_t now);
/* The answer of the request in flight: CODE 0 and ANSWER, else ERR_* and TEXT, which says
 * that repeating is over. */
void committer_on_answer(struct committer *committer, int code, const char *text,
                         const struct json *answer, int64_t now);
/* Objects sealed and not settled. */
size_t committer_open(const struct committer *committer);
/* Drop everything: producers get ERR's Kafka error; an answer to come is ignored. */
void committer_abandon(struct committer *committer, const struct err *err, int64_t now);

#endif
