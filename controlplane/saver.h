/* saver.h - the thread that writes checkpoints into the database.
 *
 * The core thread collects a delta, which costs it a copy, and goes on; SQLite's work and
 * its fsyncs happen here. One delta at a time, in order. A delta that could not be
 * written must be given again: the next one builds on it. */
#ifndef CONTROLPLANE_SAVER_H
#define CONTROLPLANE_SAVER_H

#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/str.h"
#include "controlplane/checkpoint.h"
#include "controlplane/db.h"
#include "controlplane/worker.h"

struct save_job {
    struct message message; /* back to the core thread */
    struct str delta;
    struct checkpoint_meta meta;
    struct str configuration; /* meta borrows it */
    int code;
    struct err err;
    int64_t took_ms;
    /* private */
    struct list_node node;
};

struct saver {
    /* private */
    struct db *db;
    struct mailbox *back;
    struct worker worker;
};

int saver_start(struct saver *saver, struct db *db, struct mailbox *back) MUST_CHECK;
void saver_submit(struct saver *saver, struct save_job *job);
/* Finish what was submitted and end the thread; the database stays open. */
void saver_stop(struct saver *saver);

struct save_job *save_job_new(void);
void save_job_free(struct save_job *job); /* NULL is fine */

#endif
