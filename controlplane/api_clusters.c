/* api_clusters.c - people's calls: clusters and enrolment tokens. */
#include "controlplane/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "controlplane/call.h"

#define NAME_MAX_LEN   100
#define LIST_DEFAULT   100
#define LIST_MAX       1000
#define TTL_DEFAULT_MS (INT64_C(24) * 3600 * 1000)
#define TTL_MAX_MS     (INT64_C(365) * 24 * 3600 * 1000)

struct cluster_row {
    struct uuid id;
    const char *name; /* in the arena */
    int64_t created_at_ms;
    uint64_t topics, partitions, agents;
};

static struct json *row_json(const struct cluster_row *row)
{
    struct json *value = json_object();
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    json_set(value, "topics", json_int((int64_t)row->topics));
    json_set(value, "partitions", json_int((int64_t)row->partitions));
    json_set(value, "agents", json_int((int64_t)row->agents));
    return value;
}

static void copy_row(struct call *call, const struct cluster *cluster,
                     struct cluster_row *row)
{
    *row = (struct cluster_row){
        .id = cluster->cluster_id,
        .name = arena_strdup(&call->arena, slice_str(cluster->name)),
        .created_at_ms = cluster->created_at_ms,
        .topics = cluster->topic_count,
        .partitions = cluster->partition_count,
        .agents = cluster->agent_count,
    };
}

/* --- GET /api/v1/ca --- */

void api_ca(struct call *call)
{
    struct str body;
    str_init(&body, MIB);
    trust_bundle(call->service->trust, &body);
    call_reply_text(call, 200, "application/x-pem-file", &body);
}

/* --- POST /api/v1/clusters --- */

struct create {
    struct slice name;
    struct uuid id;
    struct call_proposal proposal;
    struct cluster_row row;
};

static void create_settled(struct node *node, struct call *call)
{
    struct create *create = call->data;
    struct command_result result;

    if (command_result_read(create->proposal.result, &result) != 0)
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    else if (result.code == ERR_EXISTS)
        call_fail(call, ERR_EXISTS, "a cluster of this name exists: choose another name");
    else if (result.code != 0)
        call_fail(call, result.code, "the cluster was not created");
    else
        copy_row(call, state_cluster(node_state(node), &create->id), &create->row);
    call_done(call);
}

static void create_core(struct node *node, struct call *call)
{
    struct create *create = call->data;
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = create->id,
                          .cluster_create = {.name = create->name}};
    call_propose(node, call, &create->proposal, &cmd, create_settled);
}

static void create_answer(struct call *call)
{
    const struct create *create = call->data;
    char location[64 + UUID_TEXT_LEN], id[UUID_TEXT_LEN + 1];
    snprintf(location, sizeof(location), "/api/v1/clusters/%s",
             uuid_print(&create->row.id, id));
    http_exchange_add_header(call->x, "Location", location);
    call_reply_json(call, 201, row_json(&create->row));
}

static bool name_ok(struct slice name)
{
    if (name.len == 0)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                   name.ptr[i]) == NULL ||
            name.ptr[i] == '\0')
            return false;
    return true;
}

void api_clusters_create(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct create *create = arena_alloc(&call->arena, sizeof(*create));
    create->name = json_get_string(&r, call->body, "name", NAME_MAX_LEN);
    if (r.failed)
        return;
    if (!name_ok(create->name)) {
        call_fail(call, ERR_INVALID,
                  "name: want 1 to %d letters, digits, dots, underscores or hyphens",
                  NAME_MAX_LEN);
        return;
    }
    create->id = uuid_random();
    call->data = create;
    call_ask(call, create_core, create_answer);
}

/* --- GET /api/v1/clusters?limit=N&after=ID --- */

struct list_call {
    size_t limit, count;
    bool more, has_after;
    struct uuid after;
    struct cluster_row *rows;
};

static void list_core(struct node *node, struct call *call)
{
    struct list_call *list = call->data;
    const struct state *state = node_state(node);
    const struct cluster *cluster = NULL;

    if (list->has_after && (cluster = state_cluster(state, &list->after)) == NULL)
        call_fail(call, ERR_INVALID, "after: there is no such cluster; begin anew");
    while (call->err.code == 0 &&
           (cluster = state_cluster_next(state, cluster)) != NULL) {
        if (list->count == list->limit) {
            list->more = true;
            break;
        }
        copy_row(call, cluster, &list->rows[list->count++]);
    }
    call_done(call);
}

static void list_answer(struct call *call)
{
    const struct list_call *list = call->data;
    struct json *rows = json_array(), *answer = json_object();
    for (size_t i = 0; i < list->count; i++)
        json_push(rows, row_json(&list->rows[i]));
    json_set(answer, "clusters", rows);
    json_set(answer, "next",
             list->more ? json_uuid(&list->rows[list->count - 1].id) : json_null());
    call_reply_json(call, 200, answer);
}

void api_clusters_list(struct call *call)
{
    struct list_call *list = arena_alloc(&call->arena, sizeof(*list));
    const char *limit = http_exchange_query(call->x, "limit");
    const char *after = http_exchange_query(call->x, "after");
    char *end = NULL;

    long n = limit == NULL ? LIST_DEFAULT : strtol(limit, &end, 10);
    if (n < 1 || n > LIST_MAX || (limit != NULL && (end == limit || *end != '\0'))) {
        call_fail(call, ERR_INVALID, "limit: want a number from 1 to %d", LIST_MAX);
        return;
    }
    list->limit = (size_t)n;
    list->has_after = after != NULL;
    if (after != NULL && uuid_parse(slice_str(after), &list->after) != 0) {
        call_fail(call, ERR_INVALID, "after: want the `next` of the page before");
        return;
    }
    list->rows = arena_array(&call->arena, list->limit, sizeof(*list->rows));
    call->data = list;
    call_ask(call, list_core, list_answer);
}

/* --- GET /api/v1/clusters/{id} --- */

struct get {
    struct uuid id;
    struct cluster_row row;
};

static void get_core(struct node *node, struct call *call)
{
    struct get *get = call->data;
    const struct cluster *cluster = state_cluster(node_state(node), &get->id);
    if (cluster == NULL)
        call_fail(call, ERR_NOT_FOUND, "there is no cluster of this id");
    else
        copy_row(call, cluster, &get->row);
    call_done(call);
}

static void get_answer(struct call *call)
{
    const struct get *get = call->data;
    call_reply_json(call, 200, row_json(&get->row));
}

void api_clusters_get(struct call *call)
{
    struct get *get = arena_alloc(&call->arena, sizeof(*get));
    call->data = get;
    if (call_path_uuid(call, &get->id))
        call_ask(call, get_core, get_answer);
}

/* --- POST /api/v1/clusters/{id}/enrolment-tokens --- */

struct token_call {
    struct uuid cluster_id, token_id;
    char text[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN];
    int64_t ttl_ms, expires_at_ms;
    bool single_use;
    struct call_proposal proposal;
};

static void token_settled(struct node *node, struct call *call)
{
    const struct token_call *token = call->data;
    struct command_result result;
    (void)node;

    if (command_result_read(token->proposal.result, &result) != 0)
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    else if (result.code == ERR_NOT_FOUND)
        call_fail(call, ERR_NOT_FOUND, "there is no cluster of this id");
    else if (result.code != 0)
        call_fail(call, result.code, "the token was not created");
    call_done(call);
}

static void token_core(struct node *node, struct call *call)
{
    struct token_call *token = call->data;
    token->expires_at_ms = node_now_ms(node) + token->ttl_ms;
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE,
                          .cluster_id = token->cluster_id,
                          .token_create = {.token_id = token->token_id,
                                           .token_kind = TOKEN_ENROL,
                                           .expires_at_ms = token->expires_at_ms,
                                           .single_use = token->single_use}};
    memcpy(cmd.token_create.hash, token->hash, SHA256_LEN);
    call_propose(node, call, &token->proposal, &cmd, token_settled);
}

static void token_answer(struct call *call)
{
    const struct token_call *token = call->data;
    struct json *answer = json_object();
    json_set(answer, "id", json_uuid(&token->token_id));
    json_set(answer, "token", json_string(token->text));
    json_set(answer, "expires_at_ms", json_int(token->expires_at_ms));
    json_set(answer, "single_use", json_bool(token->single_use));
    call_reply_json(call, 201, answer);
}

static void token_cleanup(struct call *call)
{
    struct token_call *token = call->data;
    explicit_bzero(token->text, sizeof(token->text));
}

void api_tokens_create(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct token_call *token = arena_alloc(&call->arena, sizeof(*token));
    const struct json *ttl = json_find(call->body, "ttl_ms");
    const struct json *single_use = json_find(call->body, "single_use");

    token->ttl_ms = TTL_DEFAULT_MS;
    if (!json_is_object(call->body)) {
        call_fail(call, ERR_INVALID, "the body is not an object");
        return;
    }
    if (ttl != NULL)
        token->ttl_ms = json_as_int(&r, ttl, "ttl_ms", 1, TTL_MAX_MS);
    if (single_use != NULL)
        token->single_use = json_as_bool(&r, single_use, "single_use");
    if (r.failed || !call_path_uuid(call, &token->cluster_id))
        return;
    token->token_id = uuid_random();
    int code = trust_token(call->service->trust, TOKEN_ENROL, &token->token_id,
                           token->text, token->hash);
    if (code != 0) {
        call_fail(call, code, "this node is starting: try again soon");
        return;
    }
    call->data = token;
    call->cleanup = token_cleanup;
    call_ask(call, token_core, token_answer);
}
