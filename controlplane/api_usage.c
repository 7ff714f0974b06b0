/* api_usage.c - what clusters used, hour by hour and summed up: for the bill. */
#include "controlplane/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/list.h"

#define HOURS_MAX ((size_t)(USAGE_KEEP_DAYS + 1) * 24)

struct usage_call {
    int64_t from_ms, to_ms;
    size_t limit, count;
    bool newest_first, more, priced;
    struct price price; /* of the cluster's store, when priced */
    struct usage_hour *hours;
};

static void set_store(struct json *value, const struct usage_store *counted)
{
    struct json *store = json_object();
    json_set(store, "put", json_int((int64_t)counted->put));
    json_set(store, "get", json_int((int64_t)counted->get));
    json_set(store, "head", json_int((int64_t)counted->head));
    json_set(store, "list", json_int((int64_t)counted->list));
    json_set(store, "delete", json_int((int64_t)counted->delete));
    json_set(store, "written_bytes", json_int((int64_t)counted->written_bytes));
    json_set(store, "read_bytes", json_int((int64_t)counted->read_bytes));
    json_set(value, "store", store);
}

static void set_counts(struct json *value, const struct usage_hour *hour)
{
    struct json *produced = json_object(), *fetched = json_object();
    json_set(produced, "bytes", json_int((int64_t)hour->produced_bytes));
    json_set(produced, "records", json_int((int64_t)hour->produced_records));
    json_set(produced, "batches", json_int((int64_t)hour->produced_batches));
    json_set(produced, "objects", json_int((int64_t)hour->produced_objects));
    json_set(produced, "requests", json_int((int64_t)hour->produce_requests));
    json_set(fetched, "bytes", json_int((int64_t)hour->fetched_bytes));
    json_set(fetched, "records", json_int((int64_t)hour->fetched_records));
    json_set(fetched, "requests", json_int((int64_t)hour->fetch_requests));
    json_set(value, "produced", produced);
    json_set(value, "fetched", fetched);
    json_set(value, "partition_ms", json_int((int64_t)hour->partition_ms));
    set_store(value, &hour->store);
}

/* By what the agents last told of who bills for the store; null when none did. */
static void set_dollars(struct json *value, const struct usage_hour *hour, bool priced,
                        const struct price *price)
{
    const double requests[STORE_DELETE + 1] = {
        (double)hour->store.put, (double)hour->store.get, (double)hour->store.head,
        (double)hour->store.list, (double)hour->store.delete};
    json_set(value, "requests_dollars",
             priced ? json_real(price_of_requests(price, requests)) : json_null());
}

static void read_range(struct call *call, struct usage_call *usage)
{
    usage->from_ms = call_query_int(call, "from_ms", 0, CALL_TIME_MAX, 0);
    usage->to_ms = call_query_int(call, "to_ms", 0, CALL_TIME_MAX, INT64_MAX);
}

/* Whose prices hold for CLUSTER: those that the first of its agents told which did. */
static bool find_price(const struct call *call, const struct cluster *cluster,
                       struct price *price)
{
    const struct agent_info *agent = NULL;
    while ((agent = state_agent_next(cluster, agent)) != NULL) {
        const struct session_load *load = sessions_load(
            call->service->sessions, &cluster->cluster_id, &agent->agent_id);
        if (load != NULL && load->provider[0] != '\0')
            return prices_find(call->service->prices, load->provider, load->region,
                               price);
    }
    return false;
}

/* --- GET /api/v1/clusters/{cluster}/usage --- */

static void hours_core(struct node *node, struct call *call)
{
    struct usage_call *usage = call->data;
    size_t max = usage->newest_first ? HOURS_MAX : usage->limit + 1;

    usage->count = state_usage(call_cluster(node, call), usage->from_ms, usage->to_ms,
                               node_now_ms(node), usage->hours, max);
    usage->more = usage->count > usage->limit;
    usage->priced = find_price(call, call_cluster(node, call), &usage->price);
    call_done(call);
}

static void hours_answer(struct call *call)
{
    const struct usage_call *usage = call->data;
    size_t shown = MIN(usage->count, usage->limit);
    const struct usage_hour *hour = NULL;
    struct json *items = json_array();
    char next[24];

    for (size_t i = 0; i < shown; i++) {
        struct json *value = json_object();
        hour = &usage->hours[usage->newest_first ? usage->count - 1 - i : i];
        json_set(value, "hour_ms", json_int(hour->start_ms));
        set_counts(value, hour);
        set_dollars(value, hour, usage->priced, &usage->price);
        json_push(items, value);
    }
    if (hour != NULL)
        snprintf(next, sizeof(next), "%lld", (long long)hour->start_ms);
    list_reply(call, items, usage->more ? next : NULL);
}

/* `after` is the begin of the hour shown last. */
static void read_after(struct call *call, struct usage_call *usage)
{
    int64_t after = call_query_int(call, "after", 0, INT64_MAX / 2, -1);
    if (after < 0)
        return;
    if (usage->newest_first)
        usage->to_ms = MIN(usage->to_ms, after);
    else
        usage->from_ms = MAX(usage->from_ms, after + USAGE_HOUR_MS);
}

void api_usage_list(struct call *call)
{
    struct usage_call *usage = arena_alloc(&call->arena, sizeof(*usage));
    const char *sort = http_exchange_query(call->x, "sort");

    usage->newest_first = sort != NULL && sort[0] == '-';
    if (sort != NULL && strcmp(sort + usage->newest_first, "hour_ms") != 0)
        call_fail(call, ERR_INVALID, "sort: want hour_ms or -hour_ms");
    usage->limit = list_limit(call);
    read_range(call, usage);
    read_after(call, usage);
    if (call->err.code != 0)
        return;
    usage->hours = arena_array(&call->arena, HOURS_MAX, sizeof(*usage->hours));
    call->data = usage;
    call_ask(call, hours_core, hours_answer);
}

/* --- GET /api/v1/usage --- */

struct sum_row {
    struct uuid cluster_id;
    const char *name;
    struct usage_hour sum;
    bool priced;
    struct price price;
};

static void add(struct usage_hour *sum, const struct usage_hour *hour)
{
    sum->produced_bytes += hour->produced_bytes;
    sum->produced_records += hour->produced_records;
    sum->produced_batches += hour->produced_batches;
    sum->produced_objects += hour->produced_objects;
    sum->fetched_bytes += hour->fetched_bytes;
    sum->fetched_records += hour->fetched_records;
    sum->fetch_requests += hour->fetch_requests;
    sum->produce_requests += hour->produce_requests;
    sum->partition_ms += hour->partition_ms;
    usage_count(&sum->store.put, hour->store.put);
    usage_count(&sum->store.get, hour->store.get);
    usage_count(&sum->store.head, hour->store.head);
    usage_count(&sum->store.list, hour->store.list);
    usage_count(&sum->store.delete, hour->store.delete);
    usage_count(&sum->store.written_bytes, hour->store.written_bytes);
    usage_count(&sum->store.read_bytes, hour->store.read_bytes);
}

static const void *next_cluster(struct node *node, const struct call *call,
                                const void *row)
{
    (void)call;
    return state_cluster_next(node_state(node), row);
}

static const void *find_cluster(struct node *node, const struct call *call,
                                const struct page_key *key)
{
    (void)call;
    return state_cluster(node_state(node), &key->id);
}

static void key_of_cluster(const void *row, unsigned sort, struct page_key *key)
{
    const struct cluster *cluster = row;
    (void)sort;
    key->id = cluster->cluster_id;
    key->number = (int64_t)cluster->serial;
}

static void copy_sum(struct node *node, struct call *call, const void *from, void *out)
{
    struct usage_call *usage = call->data;
    const struct cluster *cluster = from;
    struct sum_row *row = out;

    row->cluster_id = cluster->cluster_id;
    row->name = arena_strdup(&call->arena, slice_str(cluster->name));
    size_t count = state_usage(cluster, usage->from_ms, usage->to_ms, node_now_ms(node),
                               usage->hours, HOURS_MAX);
    for (size_t i = 0; i < count; i++)
        add(&row->sum, &usage->hours[i]);
    row->priced = find_price(call, cluster, &row->price);
}

static struct json *print_sum(const void *out)
{
    const struct sum_row *row = out;
    struct json *value = json_object();
    json_set(value, "cluster_id", json_uuid(&row->cluster_id));
    json_set(value, "cluster_name", json_string(row->name));
    set_counts(value, &row->sum);
    set_dollars(value, &row->sum, row->priced, &row->price);
    return value;
}

static const char *const sum_sorts[] = {"cluster", NULL};
static const struct list_source sums_source = {
    .sorts = sum_sorts,
    .row_bytes = sizeof(struct sum_row),
    .next = next_cluster,
    .find = find_cluster,
    .key = key_of_cluster,
    .copy = copy_sum,
    .print = print_sum,
};

void api_usage_all(struct call *call)
{
    struct usage_call *usage = arena_alloc(&call->arena, sizeof(*usage));
    read_range(call, usage);
    usage->hours = arena_array(&call->arena, HOURS_MAX, sizeof(*usage->hours));
    call->data = usage;
    list_start(call, &sums_source);
}
