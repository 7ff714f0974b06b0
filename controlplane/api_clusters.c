/* api_clusters.c - people's calls: clusters and their limits. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"
#include "controlplane/names.h"

struct cluster_row {
    struct uuid id;
    const char *name; /* in the arena */
    int64_t created_at_ms;
    uint64_t topics, partitions, agents, version;
};

static struct json *row_json(const void *out)
{
    const struct cluster_row *row = out;
    struct json *value = json_object();
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    json_set(value, "topics", json_int((int64_t)row->topics));
    json_set(value, "partitions", json_int((int64_t)row->partitions));
    json_set(value, "agents", json_int((int64_t)row->agents));
    json_set(value, "revision", json_int((int64_t)row->version));
    return value;
}

static void copy_row(struct node *node, struct call *call, const void *from, void *out)
{
    const struct cluster *cluster = from;
    struct cluster_row *row = out;
    (void)node;
    *row = (struct cluster_row){
        .id = cluster->cluster_id,
        .name = arena_strdup(&call->arena, slice_str(cluster->name)),
        .created_at_ms = cluster->created_at_ms,
        .topics = cluster->topic_count,
        .partitions = cluster->partition_count,
        .agents = cluster->agent_count,
        .version = cluster->etag,
    };
}

/* --- GET /api/v1/clusters --- */

struct filter {
    struct slice name, q;
};

static const void *next_cluster(struct node *node, const struct call *call,
                                const void *row)
{
    const struct state *state = node_state(node);
    if (call->principal.role == ROLE_OPERATOR)
        return state_cluster_next(state, row);
    /* The only one there is, for whoever belongs to it. */
    return row == NULL ? state_cluster(state, &call->principal.cluster_id) : NULL;
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
    key->id = cluster->cluster_id;
    if (sort == 0)
        key->number = (int64_t)cluster->serial;
    else
        page_key_set_text(key, slice_str(cluster->name));
}

static bool match_cluster(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct cluster *cluster = row;
    return (filter->name.ptr == NULL || slice_eq_str(filter->name, cluster->name)) &&
           (filter->q.ptr == NULL || list_contains(cluster->name, filter->q));
}

static const char *const cluster_sorts[] = {"created_at_ms", "name", NULL};
static const struct list_source clusters_source = {
    .sorts = cluster_sorts,
    .row_bytes = sizeof(struct cluster_row),
    .next = next_cluster,
    .find = find_cluster,
    .key = key_of_cluster,
    .match = match_cluster,
    .copy = copy_row,
    .print = row_json,
};

void api_clusters_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->name = call_query_text(call, "name", 249);
    filter->q = call_query_text(call, "q", 100);
    call->data = filter;
    list_start(call, &clusters_source);
}

/* --- POST /api/v1/clusters; GET, PATCH and DELETE /api/v1/clusters/{cluster} --- */

struct cluster_change {
    struct change change;
    struct cluster_row row;
};

static const void *want_cluster(struct node *node, struct call *call)
{
    const struct cluster *cluster = call_cluster(node, call);
    if (cluster == NULL)
        call_fail(call, ERR_NOT_FOUND, "the cluster was deleted at the same time");
    return cluster;
}

static const struct one_source cluster_source = {
    .rows = &clusters_source,
    .row_at = offsetof(struct cluster_change, row),
    .version_at = offsetof(struct cluster_row, version),
    .want = want_cluster,
};

void api_clusters_get(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct cluster_change));
    one_start(call, &cluster_source);
}

/* As it was when it was made: the same for a repeat. */
static void create_copy(struct node *node, struct call *call, struct change *change)
{
    struct cluster_change *create = CONTAINER_OF(change, struct cluster_change, change);
    (void)node;
    create->row = (struct cluster_row){
        .id = change->result.id,
        .name = arena_strdup(&call->arena, change->cmd.cluster_create.name),
        .created_at_ms = change->result.at_ms,
        .version = change->result.version};
}

static void create_answer(struct call *call)
{
    const struct cluster_change *create = call->data;
    char id[UUID_TEXT_LEN + 1];
    call_location(call, "/api/v1/clusters/%s", uuid_print(&create->row.id, id));
    call_etag(call, create->row.version);
    call_reply_json(call, 201, row_json(&create->row));
}

void api_clusters_create(struct call *call)
{
    struct cluster_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct change *change = &create->change;

    if (!call_check_members(call, "name"))
        return;
    struct slice name = name_read(call, "name", name_is_plain);
    if (call->err.code != 0)
        return;
    change->what = "cluster";
    change->made_id = uuid_random();
    change->cmd = (struct command){.kind = COMMAND_CLUSTER_CREATE,
                                   .cluster_id = change->made_id,
                                   .cluster_create = {.name = name}};
    change->copy = create_copy;
    change->answer = create_answer;
    call_target(call, "clusters/%.*s", (int)name.len, (const char *)name.ptr);
    change_start(call, change);
}

static void target_cluster(struct node *node, struct call *call, struct change *change)
{
    change->cmd.cluster_id = call->cluster_id;
    call_target(call, "clusters/%s", call_cluster(node, call)->name);
}

void api_clusters_patch(struct call *call)
{
    struct cluster_change *patch = arena_alloc(&call->arena, sizeof(*patch));
    struct change *change = &patch->change;

    if (!call_check_members(call, "name"))
        return;
    struct slice name = name_read(call, "name", name_is_plain);
    if (call->err.code != 0)
        return;
    change->what = "cluster";
    change->cmd =
        (struct command){.kind = COMMAND_CLUSTER_ALTER, .cluster_alter = {.name = name}};
    change->prepare = target_cluster;
    one_after(call, change, &cluster_source);
    change_start(call, change);
}

void api_clusters_delete(struct call *call)
{
    struct change *change = arena_alloc(&call->arena, sizeof(*change));
    change->what = "cluster";
    change->cmd.kind = COMMAND_CLUSTER_DELETE;
    change->prepare = target_cluster;
    change_start(call, change);
}

/* --- /api/v1/clusters/{cluster}/limits --- */

#define AGENTS_MAX   1000000
#define TOPICS_MAX   10000000
#define REQUESTS_MAX 1000000
#define METADATA_MAX (INT64_C(1) << 50)

struct limits_row {
    struct cluster_limits set, effective;
    uint64_t agents, topics, partitions, metadata_bytes, version;
};

struct limits_change {
    struct change change;
    struct cluster_limits limits;
    unsigned given; /* a bit each, in the order of the struct */
    struct limits_row row;
};

static void copy_limits(struct node *node, struct call *call, struct limits_row *row)
{
    const struct cluster *cluster = call_cluster(node, call);
    if (cluster == NULL) {
        call_fail(call, ERR_NOT_FOUND, "the cluster was deleted at the same time");
        return;
    }
    row->set = cluster->limits;
    row->effective = call_limits(call, cluster);
    row->agents = cluster->agent_count;
    row->topics = cluster->topic_count;
    row->partitions = cluster->partition_count;
    row->metadata_bytes = state_metadata_bytes(cluster);
    row->version = cluster->etag;
}

static struct json *values_json(const struct cluster_limits *limits)
{
    struct json *value = json_object();
    json_set(value, "agents", json_int(limits->agents));
    json_set(value, "topics", json_int(limits->topics));
    json_set(value, "partitions", json_int(limits->partitions));
    json_set(value, "requests_per_second", json_int(limits->requests_per_second));
    json_set(value, "metadata_bytes", json_int((int64_t)limits->metadata_bytes));
    return value;
}

static void reply_limits(struct call *call, const struct limits_row *row)
{
    struct json *used = json_object(), *value = json_object();
    json_set(used, "agents", json_int((int64_t)row->agents));
    json_set(used, "topics", json_int((int64_t)row->topics));
    json_set(used, "partitions", json_int((int64_t)row->partitions));
    json_set(used, "metadata_bytes", json_int((int64_t)row->metadata_bytes));
    json_set(value, "set", values_json(&row->set));
    json_set(value, "effective", values_json(&row->effective));
    json_set(value, "used", used);
    json_set(value, "revision", json_int((int64_t)row->version));
    call_etag(call, row->version);
    call_reply_json(call, 200, value);
}

static void limits_core(struct node *node, struct call *call)
{
    copy_limits(node, call, call->data);
    call_done(call);
}

static void limits_answer(struct call *call)
{
    reply_limits(call, call->data);
}

void api_limits_get(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct limits_row));
    call_ask(call, limits_core, limits_answer);
}

/* What is left out of the body stays as it is. */
static void limits_prepare(struct node *node, struct call *call, struct change *change)
{
    const struct limits_change *patch =
        CONTAINER_OF(change, struct limits_change, change);
    const struct cluster *cluster = call_cluster(node, call);
    struct cluster_limits limits = cluster->limits;

    if ((patch->given & 1) != 0)
        limits.agents = patch->limits.agents;
    if ((patch->given & 2) != 0)
        limits.topics = patch->limits.topics;
    if ((patch->given & 4) != 0)
        limits.partitions = patch->limits.partitions;
    if ((patch->given & 8) != 0)
        limits.requests_per_second = patch->limits.requests_per_second;
    if ((patch->given & 16) != 0)
        limits.metadata_bytes = patch->limits.metadata_bytes;
    target_cluster(node, call, change);
    change->cmd.cluster_alter.limits = limits;
    /* What was read must be what is changed, or another's change would be undone. */
    if (change->cmd.if_version == 0)
        change->cmd.if_version = cluster->etag;
}

static void limits_copy(struct node *node, struct call *call, struct change *change)
{
    struct limits_change *patch = CONTAINER_OF(change, struct limits_change, change);
    copy_limits(node, call, &patch->row);
}

static void limits_patched(struct call *call)
{
    const struct limits_change *patch = call->data;
    reply_limits(call, &patch->row);
}

static uint64_t read_limit(struct call *call, struct limits_change *patch,
                           const char *name, unsigned bit, int64_t max)
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, name);
    if (value == NULL || call->err.code != 0)
        return 0;
    patch->given |= bit;
    return (uint64_t)json_as_int(&r, value, name, 0, max);
}

void api_limits_patch(struct call *call)
{
    struct limits_change *patch = arena_alloc(&call->arena, sizeof(*patch));
    struct change *change = &patch->change;
    struct cluster_limits *limits = &patch->limits;

    if (!call_check_members(
            call, "agents, topics, partitions, requests_per_second, metadata_bytes"))
        return;
    limits->agents = (uint32_t)read_limit(call, patch, "agents", 1, AGENTS_MAX);
    limits->topics = (uint32_t)read_limit(call, patch, "topics", 2, TOPICS_MAX);
    limits->partitions = (uint32_t)read_limit(call, patch, "partitions", 4, TOPICS_MAX);
    limits->requests_per_second =
        (uint32_t)read_limit(call, patch, "requests_per_second", 8, REQUESTS_MAX);
    limits->metadata_bytes = read_limit(call, patch, "metadata_bytes", 16, METADATA_MAX);
    if (patch->given == 0)
        call_fail(call, ERR_INVALID, "the body names no limit to be changed");
    if (call->err.code != 0)
        return;
    change->what = "cluster";
    change->cmd = (struct command){.kind = COMMAND_CLUSTER_ALTER,
                                   .cluster_alter = {.set_limits = true}};
    change->prepare = limits_prepare;
    change->copy = limits_copy;
    change->answer = limits_patched;
    change_start(call, change);
}
