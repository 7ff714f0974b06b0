/* overview.c - see overview.h. A walk over the agents: a few thousand take a millisecond.
 */
#include "controlplane/overview.h"

#include <stdio.h>
#include <string.h>

#include "common/defs.h"

/* The row of NAME; what does not fit any more is "other". */
static struct overview_zone *zone_of(struct overview *overview, const char *name)
{
    for (size_t i = 0; i < overview->zone_count; i++)
        if (strcmp(overview->zones[i].name, name) == 0)
            return &overview->zones[i];
    if (overview->zone_count == OVERVIEW_ZONES_MAX)
        return &overview->zones[OVERVIEW_ZONES_MAX - 1];
    if (overview->zone_count == OVERVIEW_ZONES_MAX - 1)
        name = "other";
    struct overview_zone *zone = &overview->zones[overview->zone_count++];
    snprintf(zone->name, sizeof(zone->name), "%s", name);
    return zone;
}

static void add_agent(struct overview *overview, const struct agent_info *agent,
                      const struct session_load *load, bool zones)
{
    bool draining = agent->state == AGENT_DRAINING;
    struct overview_zone unused = {.agents = 0};
    struct overview_zone *zone = zones ? zone_of(overview, agent->zone) : &unused;

    overview->agents++;
    zone->agents++;
    if (load == NULL) {
        overview->silent++;
        zone->silent++;
        return;
    }
    overview->draining += draining;
    zone->draining += draining;
    overview->active += !draining;
    zone->active += !draining;
    load_sum_add(&overview->load, load);
    if (zones)
        load_sum_add(&zone->load, load);
    if (overview->provider[0] == '\0' && load->provider[0] != '\0') {
        memcpy(overview->provider, load->provider, sizeof(overview->provider));
        memcpy(overview->region, load->region, sizeof(overview->region));
    }
}

static void price(struct overview *overview, const struct prices *prices)
{
    struct overview_cost *cost = &overview->cost;
    const double *requests = &overview->load.rates[USAGE_STORE_FIRST];
    double gib_per_second = overview->load.in_bytes_per_second / (double)GIB;

    cost->per_gib = -1;
    cost->known = overview->provider[0] != '\0' &&
                  prices_find(prices, overview->provider, overview->region, &cost->price);
    if (!cost->known)
        return;
    double dollars_per_second = price_of_requests(&cost->price, requests);
    cost->requests_month = dollars_per_second * PRICE_MONTH_S;
    cost->storage_month =
        (double)overview->stored_bytes / (double)GIB * cost->price.gib_month;
    if (gib_per_second > 0)
        cost->per_gib = dollars_per_second / gib_per_second;
}

static void make(const struct cluster *cluster, const struct sessions *sessions,
                 const struct prices *prices, int64_t now_ms, bool zones,
                 struct overview *overview)
{
    const struct agent_info *agent = NULL;

    overview->topics = cluster->topic_count;
    overview->partitions = cluster->partition_count;
    overview->groups = cluster->group_count;
    overview->stored_bytes = cluster->objects.stored_bytes;
    while ((agent = state_agent_next(cluster, agent)) != NULL) {
        const struct session_load *load =
            sessions_load(sessions, &cluster->cluster_id, &agent->agent_id);
        if (load != NULL && load->at_ms != 0 && now_ms - load->at_ms > OVERVIEW_LOAD_MS)
            load = NULL;
        add_agent(overview, agent, load, zones);
    }
    overview->health = overview->active == 0 ? OVERVIEW_DOWN
                       : overview->silent > 0 || overview->draining > 0 ||
                               overview->load.rates[USAGE_STORE_ERRORS] > 0
                           ? OVERVIEW_DEGRADED
                           : OVERVIEW_OK;
    price(overview, prices);
}

void overview_make(const struct cluster *cluster, const struct sessions *sessions,
                   const struct prices *prices, int64_t now_ms, struct overview *overview)
{
    memset(overview, 0, sizeof(*overview));
    make(cluster, sessions, prices, now_ms, true, overview);
}

void overview_sum(const struct cluster *cluster, const struct sessions *sessions,
                  const struct prices *prices, int64_t now_ms, struct overview *overview)
{
    memset(overview, 0, offsetof(struct overview, zones));
    make(cluster, sessions, prices, now_ms, false, overview);
}

const char *overview_health_name(enum overview_health health)
{
    static const char *const names[] = {"ok", "degraded", "down"};
    return names[health];
}
