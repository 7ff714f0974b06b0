/* api_fleet.c - people's calls about a cluster's agents: list, drain, forget. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"

struct agent_row {
    struct uuid id;
    int32_t node_id, port;
    const char *zone, *rack, *host, *http_url, *version; /* in the arena */
    enum agent_state state, wanted;
    int64_t registered_at_ms, last_seen_ms; /* -1: not seen */
    bool has_load;
    struct session_load load;
    uint64_t etag;
};

static const char *state_name(enum agent_state state)
{
    return state == AGENT_DRAINING ? "draining" : "active";
}

static struct json *load_json(const struct session_load *load)
{
    struct json *value = json_object();
    json_set(value, "in_bytes_per_second", json_int((int64_t)load->in_bytes_per_second));
    json_set(value, "out_bytes_per_second",
             json_int((int64_t)load->out_bytes_per_second));
    json_set(value, "connections", json_int((int64_t)load->connections));
    json_set(value, "at_ms", json_int(load->at_ms));
    return value;
}

static struct json *row_json(const void *out)
{
    const struct agent_row *row = out;
    struct json *value = json_object();
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "node_id", json_int(row->node_id));
    json_set(value, "zone", json_string(row->zone));
    json_set(value, "rack", json_string(row->rack));
    json_set(value, "host", json_string(row->host));
    json_set(value, "port", json_int(row->port));
    json_set(value, "http_url", json_string(row->http_url));
    json_set(value, "version", json_string(row->version));
    json_set(value, "state", json_string(state_name(row->state)));
    json_set(value, "wanted_state", json_string(state_name(row->wanted)));
    json_set(value, "registered_at_ms", json_int(row->registered_at_ms));
    json_set(value, "last_seen_ms",
             row->last_seen_ms < 0 ? json_null() : json_int(row->last_seen_ms));
    json_set(value, "load", row->has_load ? load_json(&row->load) : json_null());
    json_set(value, "revision", json_int((int64_t)row->etag));
    return value;
}

static void copy_agent(struct node *node, struct call *call, const void *from, void *out)
{
    const struct agent_info *agent = from;
    struct agent_row *row = out;
    struct arena *arena = &call->arena;
    int64_t now_ms = loop_now_ms(node_loop(node)), seen_ms;

    *row = (struct agent_row){
        .id = agent->agent_id,
        .node_id = agent->node_id,
        .port = agent->port,
        .zone = arena_strdup(arena, slice_str(agent->zone)),
        .rack = arena_strdup(arena, slice_str(agent->rack)),
        .host = arena_strdup(arena, slice_str(agent->host)),
        .http_url = arena_strdup(arena, slice_str(agent->http_url)),
        .version = arena_strdup(arena, slice_str(agent->version)),
        .state = agent->state,
        .wanted = agent->wanted,
        .registered_at_ms = agent->registered_at_ms,
        .last_seen_ms = -1,
        .etag = agent->etag,
    };
    if (sessions_seen(call->service->sessions, &call->cluster_id, &agent->agent_id,
                      &seen_ms, &row->load)) {
        /* The lease counts on the monotonic clock; people want the wall's. */
        row->last_seen_ms = node_now_ms(node) - (now_ms - seen_ms);
        row->has_load = row->load.at_ms != 0;
    }
}

/* --- GET /api/v1/clusters/{cluster}/agents --- */

struct filter {
    struct slice zone, version, state;
};

static const void *next_agent(struct node *node, const struct call *call, const void *row)
{
    return state_agent_next(call_cluster(node, call), row);
}

static const void *find_agent(struct node *node, const struct call *call,
                              const struct page_key *key)
{
    return state_agent(call_cluster(node, call), &key->id);
}

enum agent_sort { SORT_NODE_ID, SORT_HOST, SORT_ZONE, SORT_REGISTERED };
static const char *const agent_sorts[] = {"node_id", "host", "zone", "registered_at_ms",
                                          NULL};

static void key_of_agent(const void *row, unsigned sort, struct page_key *key)
{
    const struct agent_info *agent = row;
    key->id = agent->agent_id;
    switch ((enum agent_sort)sort) {
    case SORT_NODE_ID:
        key->number = agent->node_id;
        break;
    case SORT_HOST:
        page_key_set_text(key, slice_str(agent->host));
        break;
    case SORT_ZONE:
        page_key_set_text(key, slice_str(agent->zone));
        break;
    case SORT_REGISTERED:
        key->number = agent->registered_at_ms;
        break;
    }
}

static bool match_agent(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct agent_info *agent = row;
    return (filter->zone.ptr == NULL || slice_eq_str(filter->zone, agent->zone)) &&
           (filter->version.ptr == NULL ||
            slice_eq_str(filter->version, agent->version)) &&
           (filter->state.ptr == NULL ||
            slice_eq_str(filter->state, state_name(agent->state)));
}

static const struct list_source agents_source = {
    .sorts = agent_sorts,
    .row_bytes = sizeof(struct agent_row),
    .next = next_agent,
    .find = find_agent,
    .key = key_of_agent,
    .match = match_agent,
    .copy = copy_agent,
    .print = row_json,
};

void api_agents_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->zone = call_query_text(call, "zone", 255);
    filter->version = call_query_text(call, "version", 255);
    filter->state = call_query_text(call, "state", 255);
    if (filter->state.ptr != NULL && !slice_eq_str(filter->state, "active") &&
        !slice_eq_str(filter->state, "draining"))
        call_fail(call, ERR_INVALID, "state: want active or draining");
    call->data = filter;
    list_start(call, &agents_source);
}

/* --- GET, PATCH, DELETE /api/v1/clusters/{cluster}/agents/{agent} --- */

struct agent_change {
    struct change change;
    struct uuid agent_id;
    struct agent_row row;
};

/* The path's agent; NULL: the call has failed. */
static const struct agent_info *want_agent(struct node *node, struct call *call,
                                           const struct uuid *id)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct agent_info *agent = cluster == NULL ? NULL : state_agent(cluster, id);
    if (agent == NULL)
        call_fail(call, ERR_NOT_FOUND, "the cluster has no agent of this id (any more)");
    return agent;
}

static const void *want_row(struct node *node, struct call *call)
{
    const struct agent_change *want = call->data;
    return want_agent(node, call, &want->agent_id);
}

static const struct one_source agent_source = {
    .rows = &agents_source,
    .row_at = offsetof(struct agent_change, row),
    .version_at = offsetof(struct agent_row, etag),
    .want = want_row,
};

void api_agents_get(struct call *call)
{
    struct agent_change *get = arena_alloc(&call->arena, sizeof(*get));
    call->data = get;
    if (call_path_uuid(call, &get->agent_id))
        one_start(call, &agent_source);
}

static void prepare(struct node *node, struct call *call, struct change *change)
{
    struct agent_change *alter = CONTAINER_OF(change, struct agent_change, change);
    const struct agent_info *agent = want_agent(node, call, &alter->agent_id);
    if (agent == NULL)
        return;
    change->cmd.cluster_id = call->cluster_id;
    call_target(call, "agents/%d (%s:%d)", agent->node_id, agent->host, agent->port);
}

void api_agents_patch(struct call *call)
{
    struct agent_change *alter = arena_alloc(&call->arena, sizeof(*alter));
    struct change *change = &alter->change;
    struct json_reader r = call_reader(call);
    enum agent_state wanted = AGENT_ACTIVE;

    if (!call_check_members(call, "wanted_state"))
        return;
    struct slice text = json_get_string(&r, call->body, "wanted_state", 20);
    if (slice_eq_str(text, "draining"))
        wanted = AGENT_DRAINING;
    else if (!slice_eq_str(text, "active") && !r.failed)
        call_fail(call, ERR_INVALID, "wanted_state: want active or draining");
    if (call->err.code != 0 || !call_path_uuid(call, &alter->agent_id))
        return;
    change->what = "agent";
    change->cmd =
        (struct command){.kind = COMMAND_AGENT_ALTER,
                         .agent_alter = {.agent_id = alter->agent_id, .wanted = wanted}};
    change->prepare = prepare;
    one_after(call, change, &agent_source);
    change_start(call, change);
}

static void forget_copy(struct node *node, struct call *call, struct change *change)
{
    struct agent_change *forget = CONTAINER_OF(change, struct agent_change, change);
    (void)node;
    sessions_forget(call->service->sessions, &call->cluster_id, &forget->agent_id);
}

void api_agents_delete(struct call *call)
{
    struct agent_change *forget = arena_alloc(&call->arena, sizeof(*forget));
    struct change *change = &forget->change;

    if (!call_path_uuid(call, &forget->agent_id))
        return;
    change->what = "agent";
    change->cmd = (struct command){.kind = COMMAND_AGENT_REMOVE,
                                   .agent_remove = {.agent_id = forget->agent_id}};
    change->prepare = prepare;
    change->copy = forget_copy;
    change_start(call, change);
}
