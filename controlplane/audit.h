/* audit.h - the audit log: who changed what, when, from where, and what came of it.
 *
 * Every command that carries a context makes an entry, refused or not, in the log of its
 * cluster or, without one, in the cell's. Each log is bounded by count, all of them by
 * age and by AUDIT_TOTAL_MAX; the oldest go first, of the total those of the log that has
 * most, as long as one has more than a fair share: no tenant's flood pushes others' out.
 * The entries of a deleted cluster stay until they age out. Changed by apply_*.c only;
 * the service side reads through state_audit() of state.h. */
#ifndef CONTROLPLANE_AUDIT_H
#define CONTROLPLANE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crc32c.h"
/* uthash's own hash function does not pass our warnings; must stand before uthash. */
#ifndef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = crc32c((key), (len)))
#endif
#include <uthash.h>

#include "common/list.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "controlplane/row.h"
#include "proto/command.h"

/* In all logs together; at 300 bytes each. */
#define AUDIT_TOTAL_MAX 500000
#define AUDIT_FAIR      5000
/* So many entries does one read look at, at the most. */
#define AUDIT_SCAN_MAX 20000

struct audit_entry {
    uint64_t id; /* grows with time, over all logs: a cursor */
    int64_t at_ms;
    struct uuid cluster_id; /* zero: the cell's own */
    enum actor_kind actor_kind;
    struct uuid actor_id;
    struct uuid request_id;
    const char *actor_name, *remote, *action, *target; /* never NULL */
    int code;                                          /* ERR_* or 0 */
    int16_t kafka_error;
    /* private */
    struct row row;
};

/* What to read; zero fields do not filter. */
struct audit_query {
    const struct uuid *cluster_id; /* NULL: all logs; zero: the cell's own */
    struct slice actor;            /* the actor's name, or its id as text */
    struct slice action;           /* "topic.create", or with a last '.' the family */
    int64_t from_ms, to_ms;        /* from <= at < to; 0: no bound */
    bool newest_first;
    uint64_t after; /* go on behind this id, in the order asked for; 0: begin */
};

/* ---- for apply_*.c, state.c and checkpoint.c ---- */

struct audit_slot {
    uint64_t id;
    struct audit_entry *entry; /* NULL: gone */
};

/* Entries by id, oldest first: [head, end) of slots. */
struct audit_ring {
    struct audit_slot *slots;
    size_t head, end, cap;
    size_t live; /* entries that are not gone */
};

struct audit_log {
    struct uuid cluster_id;
    struct audit_ring ring; /* only its oldest ever goes */
    struct list_node big;   /* in audit.big while over AUDIT_FAIR */
    UT_hash_handle hh;
};

struct audit {
    uint64_t next_id;
    struct audit_ring all;
    struct audit_log *logs; /* by cluster id */
    struct list big;        /* at most AUDIT_TOTAL_MAX / AUDIT_FAIR */
};

void audit_init(struct audit *audit);
void audit_fini(struct audit *audit);
/* Add FIELDS' copy, texts and all; its id must be the greatest so far. */
struct audit_entry *audit_add(struct audit *audit, const struct audit_entry *fields);
/* The oldest of all, or of CLUSTER_ID's log; NULL: none. */
struct audit_entry *audit_oldest(const struct audit *audit);
struct audit_entry *audit_oldest_of(const struct audit *audit,
                                    const struct uuid *cluster_id, size_t *count);
/* What goes when there are too many in all. */
struct audit_entry *audit_excess(const struct audit *audit);
/* Remove the oldest entry of some log. */
void audit_remove(struct audit *audit, struct audit_entry *entry);
size_t audit_read(const struct audit *audit, const struct audit_query *query,
                  const struct audit_entry **entries, size_t max, uint64_t *next);

#endif
