/* uploader.h - brings sealed objects into the store: parallel PUTs, late ones hedged.
 *
 * A core: the store is behind struct uploader_io, `now` comes as a parameter. Each try of
 * an object has an object id and a key of its own. The first PUT that succeeds names the
 * object; the other try is cancelled, and since only the winner's id ever reaches a
 * commit, never both can be committed (I5). An object fails when no try is left.
 *
 *   first PUT --late--> second PUT under another id (at most one)
 *       \__ first success: intake->object_id, on_uploaded __/
 *
 * Retries within a try are the store's (store.h), until the upload's deadline. */
#ifndef AGENT_UPLOADER_H
#define AGENT_UPLOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/intake.h"
#include "common/err.h"
#include "common/list.h"
#include "common/store.h"

struct uploader_options {
    size_t max_uploads;        /* objects at the same time */
    int64_t upload_timeout_ms; /* from the begin to giving up */
    int64_t hedge_after_ms;    /* 0: by what PUTs took lately */
};

struct uploader_io {
    /* Begin REQUEST; ends in uploader_on_put(uploader, request, now), never from inside.
     */
    void (*put)(struct store_request *request, void *arg);
    /* Give REQUEST up early; uploader_on_put still comes. */
    void (*cancel)(struct store_request *request, void *arg);
    struct uuid (*make_id)(void *arg);
    /* The object is in the store under intake->object_id; state INTAKE_UPLOADED. */
    void (*on_uploaded)(struct intake *intake, int64_t now, void *arg);
    /* It is not, and never will be. */
    void (*on_failed)(struct intake *intake, const struct err *err, int64_t now,
                      void *arg);
    void *arg;
};

#define UPLOADER_SAMPLES 128

struct uploader {
    /* private */
    struct uploader_options options;
    struct uploader_io io;
    struct list uploads; /* of objects without an outcome, oldest first */
    size_t upload_count;
    size_t try_count;   /* PUTs that uploader_on_put is still to be called for */
    size_t hedge_count; /* uploads on the list that have a second try */
    int64_t samples_ms[UPLOADER_SAMPLES]; /* what the last successful PUTs took */
    size_t sample_count;                  /* ever */
};

void uploader_init(struct uploader *uploader, const struct uploader_options *options,
                   const struct uploader_io *io);
void uploader_fini(struct uploader *uploader); /* must be idle */

bool uploader_has_room(const struct uploader *uploader);
/* Begin; takes a reference of its own for as long as a PUT reads the batches. */
void uploader_start(struct uploader *uploader, struct intake *intake, int64_t now);
void uploader_on_put(struct uploader *uploader, struct store_request *request,
                     int64_t now);
/* Begin second tries that are due. */
void uploader_step(struct uploader *uploader, int64_t now);
int64_t uploader_due_at_ms(const struct uploader *uploader);
/* Give up all uploads: each fails when the store has let go of it. */
void uploader_cancel_all(struct uploader *uploader);
bool uploader_idle(const struct uploader *uploader);

/* After how long a PUT counts as late. */
int64_t uploader_hedge_after_ms(const struct uploader *uploader);

#endif
