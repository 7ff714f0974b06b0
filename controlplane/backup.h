/* backup.h - backups that a cell makes by itself: the leader writes a snapshot file now
 * and then, puts it into an object store, notes it in the state and deletes the oldest.
 *
 * A thread of its own does the slow parts; the core thread is asked for the snapshot and
 * the note only. Every node runs one, and only the one that leads does anything, so a
 * failover costs at most the backup that was being made: what lies in the store without
 * a note is deleted with the others when it is old. Files are named
 *
 *   weft-backup-<cell id>-<milliseconds since 1970, 14 digits>-<applied index>.snapshot
 *
 * so that names sort by age. One file is one PUT, of which S3 takes 5 GiB: a larger
 * backup is refused, with what to do instead. */
#ifndef CONTROLPLANE_BACKUP_H
#define CONTROLPLANE_BACKUP_H

#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"

struct backup;
struct node;

struct backup_options {
    const char *url;   /* of the store: file:///DIR or s3://BUCKET/PREFIX */
    int64_t every_ms;  /* from one backup to the next */
    unsigned keep;     /* so many of this cell's stay in the store; at least 1 */
    const char *dir;   /* where a file lies until it is in the store */
    struct node *node; /* outlives this */
    /* Limits of the audit log, which each backup gets an entry in. */
    uint32_t audit_max;
    int64_t audit_age_ms;
    int64_t look_ms;  /* how often to see whether one is due; 0: a 60th of every_ms,
                       * between 1 and 60 s */
    int64_t limit_ms; /* a request of the store is tried so long; 0: 60 s */
    uint64_t
        put_max_bytes; /* a larger file is refused; 0: what S3 takes, 5 GiB, for s3:// */
};

/* Open the store and begin. ERR_INVALID names what is wrong with the URL. */
int backup_start(const struct backup_options *options, struct backup **backup,
                 struct err *err) MUST_CHECK;
/* Give up what is under way, and end. NULL is fine. Not from the core thread. */
void backup_stop(struct backup *backup);

struct backup_health {
    uint64_t made_total, failures_total;
    int64_t last_made_at_ms; /* by this process; 0: none */
};
void backup_health(const struct backup *backup, struct backup_health *health);

#endif
