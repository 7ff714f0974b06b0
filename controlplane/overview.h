/* overview.h - a cluster at a glance: what its agents do together, where they are,
 * whether they are well, what the object store costs at the present rate.
 *
 * Made on the leader's core thread, of the state and of what agents last told; for people
 * (api_overview.c) and for /metrics (admin.c). */
#ifndef CONTROLPLANE_OVERVIEW_H
#define CONTROLPLANE_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/prices.h"
#include "controlplane/session_load.h"
#include "controlplane/sessions.h"
#include "controlplane/state.h"

/* Zones beyond these are told as one of the name "other". */
#define OVERVIEW_ZONES_MAX 64
/* A report that is older says nothing of now; agents send one every 10 s. */
#define OVERVIEW_LOAD_MS 35000

enum overview_health { OVERVIEW_OK, OVERVIEW_DEGRADED, OVERVIEW_DOWN };

struct overview_zone {
    char name[256];
    uint32_t agents, active, draining, silent;
    struct load_sum load;
};

struct overview_cost {
    bool known;         /* who bills was told, and is in the table of prices */
    struct price price; /* when known */
    double requests_month, storage_month; /* dollars, at the present rate */
    double per_gib; /* dollars of requests for a GiB produced; < 0: nothing is produced */
};

struct overview {
    enum overview_health health;
    uint32_t agents, active, draining, silent;
    uint64_t topics, partitions, groups, stored_bytes;
    struct load_sum load;
    char provider[PRICE_NAME_MAX], region[PRICE_NAME_MAX]; /* "": nobody told */
    struct overview_cost cost;
    size_t zone_count;
    struct overview_zone zones[OVERVIEW_ZONES_MAX];
};

/* Fill OVERVIEW; NOW_MS is the wall clock of session_load.at_ms. */
void overview_make(const struct cluster *cluster, const struct sessions *sessions,
                   const struct prices *prices, int64_t now_ms,
                   struct overview *overview);
/* The same without zones, which are not touched: all that /metrics needs, of thousands.
 */
void overview_sum(const struct cluster *cluster, const struct sessions *sessions,
                  const struct prices *prices, int64_t now_ms, struct overview *overview);
const char *overview_health_name(enum overview_health health);

#endif
