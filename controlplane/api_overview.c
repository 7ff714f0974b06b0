/* api_overview.c - GET /api/v1/clusters/{cluster}/overview: a cluster at a glance. */
#include "controlplane/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/call.h"
#include "controlplane/overview.h"

struct overview_call {
    struct overview overview;
    const char *name;
    uint64_t revision;
};

/* What a dashboard shows of a number: six digits say enough of a rate. */
static struct json *rounded(double v)
{
    char text[32];
    snprintf(text, sizeof(text), "%.6g", v);
    return json_real(strtod(text, NULL));
}

static struct json *text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

static void add_problem(struct json *problems, bool there, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void add_problem(struct json *problems, bool there, const char *fmt, ...)
{
    char text[160];
    va_list args;

    if (!there)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    json_push(problems, json_string(text));
}

static struct json *health_json(const struct overview *o)
{
    struct json *value = json_object(), *problems = json_array();

    add_problem(problems, o->agents == 0, "no agent is registered");
    add_problem(problems, o->agents > 0 && o->active == 0,
                "none of %u agents serves clients", o->agents);
    add_problem(problems, o->silent > 0, "%u of %u agents were not heard of lately",
                o->silent, o->agents);
    add_problem(problems, o->draining > 0, "%u of %u agents are draining", o->draining,
                o->agents);
    add_problem(problems, o->load.rates[USAGE_STORE_ERRORS] > 0,
                "requests to the object store fail, %.3g a second",
                o->load.rates[USAGE_STORE_ERRORS]);
    json_set(value, "status", json_string(overview_health_name(o->health)));
    json_set(value, "problems", problems);
    return value;
}

static struct json *throughput_json(const struct load_sum *load)
{
    struct json *value = json_object();

    json_set(value, "produced_bytes_per_second", rounded(load->in_bytes_per_second));
    json_set(value, "produced_records_per_second",
             rounded(load->rates[USAGE_PRODUCED_RECORDS]));
    json_set(value, "produce_requests_per_second",
             rounded(load->rates[USAGE_PRODUCE_REQUESTS]));
    json_set(value, "fetched_bytes_per_second", rounded(load->out_bytes_per_second));
    json_set(value, "fetched_records_per_second",
             rounded(load->rates[USAGE_FETCHED_RECORDS]));
    json_set(value, "fetch_requests_per_second",
             rounded(load->rates[USAGE_FETCH_REQUESTS]));
    return value;
}

static struct json *latencies_json(const struct load_sum *load)
{
    struct json *value = json_object();

    for (size_t i = 0; i < USAGE_LATENCIES; i++) {
        const uint64_t *buckets = load->latencies[i];
        uint64_t count = 0;
        for (size_t k = 0; k <= METRIC_BUCKETS; k++)
            count += buckets[k];
        struct json *one = count == 0 ? json_null() : json_object();
        if (count > 0) {
            json_set(one, "p50_ms", rounded(metric_quantile(buckets, 0.5) / 1000));
            json_set(one, "p99_ms", rounded(metric_quantile(buckets, 0.99) / 1000));
            json_set(one, "count", json_int((int64_t)count));
        }
        json_set(value, usage_latency_names[i], one);
    }
    return value;
}

static struct json *store_json(const struct overview *o)
{
    struct json *value = json_object(), *requests = json_object();

    for (size_t kind = 0; kind <= STORE_DELETE; kind++)
        json_set(requests, store_kind_names[kind],
                 rounded(o->load.rates[USAGE_STORE_FIRST + kind]));
    json_set(value, "provider", text_or_null(o->provider));
    json_set(value, "region", text_or_null(o->region));
    json_set(value, "stored_bytes", json_int((int64_t)o->stored_bytes));
    json_set(value, "requests_per_second", requests);
    json_set(value, "errors_per_second", rounded(o->load.rates[USAGE_STORE_ERRORS]));
    return value;
}

static struct json *cost_json(const struct overview_cost *cost)
{
    if (!cost->known)
        return json_null();
    struct json *value = json_object();
    json_set(value, "currency", json_string("USD"));
    json_set(value, "as_of", json_string(cost->price.as_of));
    json_set(value, "source", json_string(cost->price.source));
    json_set(value, "price_region", json_string(cost->price.region));
    json_set(value, "dollars_per_gib",
             cost->per_gib < 0 ? json_null() : rounded(cost->per_gib));
    json_set(value, "dollars_per_month",
             rounded(cost->requests_month + cost->storage_month));
    json_set(value, "requests_dollars_per_month", rounded(cost->requests_month));
    json_set(value, "storage_dollars_per_month", rounded(cost->storage_month));
    return value;
}

static struct json *zones_json(const struct overview *o)
{
    struct json *zones = json_array();

    for (size_t i = 0; i < o->zone_count; i++) {
        const struct overview_zone *zone = &o->zones[i];
        struct json *value = json_object();
        json_set(value, "zone", json_string(zone->name));
        json_set(value, "agents", json_int(zone->agents));
        json_set(value, "active", json_int(zone->active));
        json_set(value, "draining", json_int(zone->draining));
        json_set(value, "silent", json_int(zone->silent));
        json_set(value, "connections", json_int((int64_t)zone->load.connections));
        json_set(value, "in_bytes_per_second", rounded(zone->load.in_bytes_per_second));
        json_set(value, "out_bytes_per_second", rounded(zone->load.out_bytes_per_second));
        json_push(zones, value);
    }
    return zones;
}

static void overview_core(struct node *node, struct call *call)
{
    struct overview_call *data = call->data;
    const struct cluster *cluster = call_cluster(node, call);

    data->name = arena_strdup(&call->arena, slice_str(cluster->name));
    data->revision = cluster->etag;
    overview_make(cluster, call->service->sessions, call->service->prices,
                  node_now_ms(node), &data->overview);
    call_done(call);
}

static void overview_answer(struct call *call)
{
    const struct overview_call *data = call->data;
    const struct overview *o = &data->overview;
    struct json *value = json_object();

    json_set(value, "cluster_id", json_uuid(&call->cluster_id));
    json_set(value, "cluster_name", json_string(data->name));
    json_set(value, "at_ms", json_int(call->now_ms));
    json_set(value, "health", health_json(o));
    json_set(value, "topics", json_int((int64_t)o->topics));
    json_set(value, "partitions", json_int((int64_t)o->partitions));
    json_set(value, "groups", json_int((int64_t)o->groups));
    json_set(value, "throughput", throughput_json(&o->load));
    json_set(value, "latency", latencies_json(&o->load));
    json_set(value, "store", store_json(o));
    json_set(value, "cost", cost_json(&o->cost));
    json_set(value, "zones", zones_json(o));
    json_set(value, "revision", json_int((int64_t)data->revision));
    call_etag(call, data->revision);
    call_reply_json(call, 200, value);
}

void api_overview(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct overview_call));
    call_ask(call, overview_core, overview_answer);
}
