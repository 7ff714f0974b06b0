/* usage.h - what each cluster used, hour by hour: the base of the bill.
 *
 * Produced is counted where a commit is applied, fetched and the requests to the object
 * store where an agent's absolute counters are (so that a repeat adds nothing), partition
 * time where partitions come and go; all by the commands' own time, and so the same on
 * every node (I7). Changed by apply_*.c only; the service side reads through
 * state_usage() of state.h.
 *
 * Hours are kept by days: the present day as counters, those before it packed into a few
 * bytes an hour. */
#ifndef CONTROLPLANE_USAGE_H
#define CONTROLPLANE_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/crc32c.h"
/* uthash's own hash function does not pass our warnings; must stand before uthash. */
#ifndef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = crc32c((key), (len)))
#endif
#include <uthash.h>

#include "common/defs.h"
#include "common/list.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/row.h"
#include "proto/command.h"

/* What a counter holds at most: the largest that everybody reads the same. It stays
 * there: what an agent says of itself must not bring a bill back to nothing. */
#define USAGE_COUNTER_MAX ((uint64_t)INT64_MAX)

static inline void usage_count(uint64_t *counter, uint64_t more)
{
    *counter = *counter >= USAGE_COUNTER_MAX || more > USAGE_COUNTER_MAX - *counter
                   ? USAGE_COUNTER_MAX
                   : *counter + more;
}

#define USAGE_HOUR_MS INT64_C(3600000)
#define USAGE_DAY_MS  (24 * USAGE_HOUR_MS)
/* Thirteen months: a bill can be checked against that of a year ago. */
#define USAGE_KEEP_DAYS 400
/* Agents whose counters are remembered, of one cluster; and for how long at least. */
#define USAGE_SOURCES_MAX   20000
#define USAGE_SOURCE_AGE_MS (31 * USAGE_DAY_MS)

struct usage_hour {
    int64_t start_ms; /* of the hour, a multiple of USAGE_HOUR_MS */
    uint64_t produced_bytes, produced_records, produced_batches, produced_objects;
    uint64_t fetched_bytes, fetched_records, fetch_requests, produce_requests;
    uint64_t partition_ms; /* partitions times milliseconds */
    struct usage_store store;
};

/* ---- for apply_*.c, state.c and checkpoint.c ---- */

struct cluster;

struct usage_day {
    int64_t day; /* since 1970 */
    struct cluster *cluster;
    struct usage_hour *hours; /* 24; NULL when packed */
    uint8_t *packed;
    uint32_t packed_len;
    struct list_node node;
    struct row row;
};

/* What an agent reported last; outlives its registration, for it may come back and
 * report the same counters again. */
struct usage_source {
    struct uuid agent_id;
    struct cluster *cluster;
    uint64_t serial;
    uint64_t incarnation;
    struct usage_counters counters;
    int64_t reported_at_ms;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
};

struct usage {
    struct list days;      /* struct usage_day.node, oldest first; the last one is open */
    int64_t metered_at_ms; /* partition time is counted up to here; 0: not yet */
    struct list sources;   /* struct usage_source.node, in order of serial */
    struct usage_source *sources_by_id;
    uint32_t source_count;
};

void usage_init(struct usage *usage);
/* The open day, or NULL before the first. */
struct usage_day *usage_open_day(const struct usage *usage);
/* A new day, which is open; the one before it is packed. */
struct usage_day *usage_add_day(struct cluster *cluster, int64_t day);
void usage_remove_day(struct usage_day *day);
struct usage_source *usage_source(const struct usage *usage, const struct uuid *agent_id);
struct usage_source *usage_add_source(struct cluster *cluster,
                                      const struct uuid *agent_id, uint64_t serial);
void usage_remove_source(struct usage_source *source);
/* Free all of USAGE. */
void usage_fini(struct usage *usage);

/* A day's hours as bytes, with the time up to which partitions are metered, and back. */
void usage_day_write(const struct usage_day *day, struct str *out);
int usage_day_read(struct usage_day *day, struct slice bytes) MUST_CHECK;
/* What a source counted of the store, likewise; no bytes: nothing. */
void usage_store_write(const struct usage_store *store, struct str *out);
int usage_store_read(struct usage_store *store, struct slice bytes) MUST_CHECK;

#endif
