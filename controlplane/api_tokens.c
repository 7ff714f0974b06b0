/* api_tokens.c - people's calls about tokens: API tokens, those by which agents enrol,
 * and those by which nodes join the cell.
 *
 * A token's text is shown once, when it is made; the state has its hash only. The text
 * follows from the token's id (trust.h), so that a repeat by Idempotency-Key can show the
 * same one again. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"
#include "controlplane/names.h"
#include "controlplane/scope.h"

#define TTL_ENROL_MS    (INT64_C(24) * 3600 * 1000)
#define TTL_API_MS      (INT64_C(90) * 24 * 3600 * 1000)
#define TTL_JOIN_MS     (INT64_C(3600) * 1000)
#define TTL_JOIN_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)
#define TTL_MAX_MS      (INT64_C(365) * 24 * 3600 * 1000)

struct token_row {
    enum token_kind kind;
    enum role role;
    struct uuid id, cluster_id, user_id, used_by;
    const char *name; /* in the arena */
    int64_t created_at_ms, expires_at_ms, used_at_ms;
    bool single_use;
    uint64_t version;
    const char *text; /* once, when it was made */
};

static struct json *time_json(int64_t at_ms)
{
    return at_ms == 0 ? json_null() : json_int(at_ms);
}

static struct json *row_json(const void *out)
{
    const struct token_row *row = out;
    struct json *value = json_object();

    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    if (row->kind == TOKEN_API) {
        json_set(value, "expires_at_ms", time_json(row->expires_at_ms));
        json_set(value, "role", json_string(role_name(row->role)));
        json_set(value, "cluster_id", uuid_json(&row->cluster_id));
        json_set(value, "user_id", uuid_json(&row->user_id));
    } else {
        json_set(value, "expires_at_ms", json_int(row->expires_at_ms));
        if (row->kind == TOKEN_ENROL)
            json_set(value, "single_use", json_bool(row->single_use));
    }
    if (row->text != NULL) {
        json_set(value, "token", json_string(row->text));
        return value;
    }
    if (row->kind == TOKEN_JOIN)
        json_set(value, "used_at_ms", time_json(row->used_at_ms));
    if (row->kind == TOKEN_ENROL) {
        json_set(value, "used_at_ms", time_json(row->used_at_ms));
        json_set(value, "used_by", uuid_json(&row->used_by));
    }
    json_set(value, "revision", json_int((int64_t)row->version));
    return value;
}

static void copy_token(struct node *node, struct call *call, const void *from, void *out)
{
    const struct token *token = from;
    struct token_row *row = out;
    (void)node;
    *row = (struct token_row){
        .kind = token->token_kind,
        .role = token->role,
        .id = token->token_id,
        .cluster_id = token->cluster_id,
        .used_by = token->used_by,
        .name = arena_strdup(&call->arena, slice_str(token->name)),
        .created_at_ms = token->created_at_ms,
        .expires_at_ms = token->expires_at_ms,
        .used_at_ms = token->used_at_ms,
        .single_use = token->single_use,
        .version = token->etag,
    };
    if (token->user != NULL)
        row->user_id = token->user->user_id;
}

/* --- lists --- */

struct filter {
    enum token_kind kind;
    struct uuid cluster_id; /* whose; zero: the cell's own */
    bool has_user;
    struct uuid user_id;
};

static const void *next_token(struct node *node, const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct cluster *cluster;

    return scope_cluster(node, &filter->cluster_id, &cluster)
               ? state_token_next(node_state(node), cluster, row)
               : NULL;
}

static const void *find_token(struct node *node, const struct call *call,
                              const struct page_key *key)
{
    const struct filter *filter = call->data;
    const struct token *token = state_token_by_id(node_state(node), &key->id);
    return token != NULL && uuid_eq(&token->cluster_id, &filter->cluster_id) ? token
                                                                             : NULL;
}

static void key_of_token(const void *row, unsigned sort, struct page_key *key)
{
    const struct token *token = row;
    (void)sort;
    key->id = token->token_id;
    key->number = (int64_t)token->serial;
}

static bool match_token(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct token *token = row;
    if (token->token_kind != filter->kind)
        return false;
    return !filter->has_user ||
           (token->user != NULL && uuid_eq(&token->user->user_id, &filter->user_id));
}

static const char *const token_sorts[] = {"created_at_ms", NULL};
static const struct list_source tokens_source = {
    .sorts = token_sorts,
    .row_bytes = sizeof(struct token_row),
    .next = next_token,
    .find = find_token,
    .key = key_of_token,
    .match = match_token,
    .copy = copy_token,
    .print = row_json,
};

void api_enrolment_tokens_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->kind = TOKEN_ENROL;
    filter->cluster_id = call->cluster_id;
    call->data = filter;
    list_start(call, &tokens_source);
}

void api_join_tokens_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    *filter = (struct filter){.kind = TOKEN_JOIN};
    call->data = filter;
    list_start(call, &tokens_source);
}

void api_tokens_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->kind = TOKEN_API;
    filter->cluster_id = scope_of_list(call);
    filter->user_id = call_query_uuid(call, "user_id", &filter->has_user);
    call->data = filter;
    list_start(call, &tokens_source);
}

/* --- one --- */

struct token_change {
    struct change change;
    struct uuid token_id;
    enum token_kind kind;
    int64_t ttl_ms;
    struct uuid user_id;
    struct token_row row;
    char text[TOKEN_TEXT_MAX];
};

/* The path's token, if it is of the kind and the caller may see it; NULL: failed. */
static const struct token *want_token(struct node *node, struct call *call,
                                      const struct token_change *want)
{
    const struct token *token = state_token_by_id(node_state(node), &want->token_id);
    bool mine = token != NULL && token->token_kind == want->kind &&
                (want->kind == TOKEN_ENROL
                     ? uuid_eq(&token->cluster_id, &call->cluster_id)
                     : principal_sees(&call->principal, &token->cluster_id));
    if (mine)
        return token;
    call_fail(call, ERR_NOT_FOUND, "there is no such token (any more)");
    return NULL;
}

static const void *want_row(struct node *node, struct call *call)
{
    return want_token(node, call, call->data);
}

static const struct one_source token_source = {
    .rows = &tokens_source,
    .row_at = offsetof(struct token_change, row),
    .version_at = offsetof(struct token_row, version),
    .want = want_row,
};

static void get(struct call *call, enum token_kind kind)
{
    struct token_change *one = arena_alloc(&call->arena, sizeof(*one));
    one->kind = kind;
    call->data = one;
    if (call_path_uuid(call, &one->token_id))
        one_start(call, &token_source);
}

void api_enrolment_tokens_get(struct call *call)
{
    get(call, TOKEN_ENROL);
}

void api_join_tokens_get(struct call *call)
{
    get(call, TOKEN_JOIN);
}

void api_tokens_get(struct call *call)
{
    get(call, TOKEN_API);
}

/* --- DELETE --- */

/* Is TOKEN the last way for an operator to come in? */
static bool is_last_operator(const struct state *state, const struct token *token,
                             int64_t now_ms)
{
    const struct token *other = NULL;
    if (token->role != ROLE_OPERATOR)
        return false;
    while ((other = state_token_next(state, NULL, other)) != NULL)
        if (other != token && other->token_kind == TOKEN_API &&
            other->role == ROLE_OPERATOR &&
            (other->expires_at_ms == 0 || other->expires_at_ms > now_ms) &&
            (other->user == NULL ||
             (!other->user->disabled && other->user->role == ROLE_OPERATOR)))
            return false;
    return true;
}

static void delete_prepare(struct node *node, struct call *call, struct change *change)
{
    struct token_change *remove = CONTAINER_OF(change, struct token_change, change);
    const struct token *token = want_token(node, call, remove);
    bool self = uuid_eq(&remove->token_id, &call->principal.token_id);

    if (token == NULL)
        return;
    if (call->principal.role == ROLE_VIEWER && !self)
        call_fail(call, ERR_FORBIDDEN,
                  "this needs the role admin or operator: a viewer's token can revoke "
                  "itself only");
    else if (self && is_last_operator(node_state(node), token, node_now_ms(node)))
        call_fail(call, ERR_CONFLICT,
                  "this is the last token of an operator: make another one first");
    change->cmd.cluster_id = token->cluster_id;
    call_target(call, "tokens/%s", token->name);
}

static void remove_token(struct call *call, enum token_kind kind)
{
    struct token_change *remove = arena_alloc(&call->arena, sizeof(*remove));
    struct change *change = &remove->change;

    remove->kind = kind;
    if (!call_path_uuid(call, &remove->token_id))
        return;
    change->what = "token";
    change->cmd = (struct command){.kind = COMMAND_TOKEN_REMOVE,
                                   .token_remove = {.token_id = remove->token_id}};
    change->prepare = delete_prepare;
    change_start(call, change);
}

void api_enrolment_tokens_delete(struct call *call)
{
    remove_token(call, TOKEN_ENROL);
}

void api_join_tokens_delete(struct call *call)
{
    remove_token(call, TOKEN_JOIN);
}

void api_tokens_delete(struct call *call)
{
    remove_token(call, TOKEN_API);
}

/* --- POST --- */

static void create_cleanup(struct call *call)
{
    struct token_change *create = call->data;
    explicit_bzero(create->text, sizeof(create->text));
}

/* The user, if one is named, must be of the same scope and may do as much. */
static void check_user(struct node *node, struct call *call, struct change *change)
{
    struct token_change *create = CONTAINER_OF(change, struct token_change, change);
    const struct user *user;

    if (uuid_is_zero(&create->user_id))
        return;
    user = state_user(node_state(node), &create->user_id);
    struct uuid scope =
        user == NULL || user->cluster == NULL ? UUID_ZERO : user->cluster->cluster_id;
    if (user == NULL || !principal_sees(&call->principal, &scope)) {
        call_fail(call, ERR_INVALID, "user_id: there is no such user");
        return;
    }
    if (change->cmd.token_create.role < user->role)
        call_fail(
            call, ERR_INVALID,
            "role: more than the user's own, which is %s; its tokens can do no more",
            role_name(user->role));
    if (change->cmd.token_create.role != ROLE_OPERATOR &&
        uuid_is_zero(&change->cmd.cluster_id))
        change->cmd.cluster_id = scope;
    if (!uuid_eq(&change->cmd.cluster_id, &scope))
        call_fail(call, ERR_INVALID, "cluster_id: the user is of another cluster");
}

static void create_prepare(struct node *node, struct call *call, struct change *change)
{
    struct token_change *create = CONTAINER_OF(change, struct token_change, change);
    struct command *cmd = &change->cmd;

    if (create->kind == TOKEN_ENROL)
        cmd->cluster_id = call->cluster_id;
    else
        check_user(node, call, change);
    if (call->err.code == 0 && create->kind == TOKEN_API)
        scope_check(node, call, cmd->token_create.role, &cmd->cluster_id);
    if (call->err.code != 0)
        return;
    cmd->token_create.expires_at_ms = node_now_ms(node) + create->ttl_ms;
    call_target(call, "tokens/%.*s", (int)cmd->token_create.name.len,
                (const char *)cmd->token_create.name.ptr);
}

/* As it was made, by this request or an earlier one of the same key. */
static void create_copy(struct node *node, struct call *call, struct change *change)
{
    struct token_change *create = CONTAINER_OF(change, struct token_change, change);
    const struct command *cmd = &change->cmd;
    uint8_t hash[SHA256_LEN];
    (void)node;

    create->row = (struct token_row){
        .kind = create->kind,
        .role = cmd->token_create.role,
        .id = change->result.id,
        .cluster_id = cmd->cluster_id,
        .user_id = create->user_id,
        .name = arena_strdup(&call->arena, cmd->token_create.name),
        .created_at_ms = change->result.at_ms,
        .expires_at_ms = change->result.at_ms + create->ttl_ms,
        .single_use = cmd->token_create.single_use,
        .version = change->result.version,
        .text = create->text,
    };
    if (trust_token(call->service->trust, create->kind, &create->row.id, create->text,
                    hash) != 0)
        call_fail(call, ERR_UNAVAILABLE, "the cell's secrets are not there yet");
}

static void create_answer(struct call *call)
{
    const struct token_change *create = call->data;
    char id[UUID_TEXT_LEN + 1], cluster[UUID_TEXT_LEN + 1];

    uuid_print(&create->row.id, id);
    if (create->kind == TOKEN_JOIN)
        call_location(call, "/api/v1/cell/join-tokens/%s", id);
    else if (create->kind == TOKEN_ENROL)
        call_location(call, "/api/v1/clusters/%s/enrolment-tokens/%s",
                      uuid_print(&call->cluster_id, cluster), id);
    else
        call_location(call, "/api/v1/tokens/%s", id);
    struct json *answer = row_json(&create->row);
    if (create->kind == TOKEN_JOIN) {
        char fingerprint[X509_FINGERPRINT_LEN + 1];
        trust_fingerprint(call->service->trust, fingerprint);
        json_set(answer, "ca_fingerprint", json_string(fingerprint));
    }
    call_reply_json(call, 201, answer);
}

static void create_start(struct call *call, struct token_change *create,
                         const struct command *cmd)
{
    struct change *change = &create->change;

    change->what = "token";
    change->made_id = uuid_random();
    change->cmd = *cmd;
    change->cmd.kind = COMMAND_TOKEN_CREATE;
    change->cmd.token_create.token_id = change->made_id;
    change->cmd.token_create.token_kind = create->kind;
    if (trust_token(call->service->trust, create->kind, &change->made_id, create->text,
                    change->cmd.token_create.hash) != 0) {
        call_fail(call, ERR_UNAVAILABLE,
                  "this node has not loaded the cell's secrets yet: try again soon");
        return;
    }
    change->prepare = create_prepare;
    change->copy = create_copy;
    change->answer = create_answer;
    call->cleanup = create_cleanup;
    change_start(call, change);
}

static int64_t read_ttl(struct call *call, int64_t absent, int64_t max)
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, "ttl_ms");
    if (value == NULL || call->err.code != 0)
        return absent;
    return json_as_int(&r, value, "ttl_ms", 1, max);
}

void api_enrolment_tokens_create(struct call *call)
{
    struct token_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct json_reader r = call_reader(call);
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE};

    if (!call_check_members(call, "name, ttl_ms, single_use"))
        return;
    const struct json *single_use = json_find(call->body, "single_use");
    create->kind = TOKEN_ENROL;
    create->ttl_ms = read_ttl(call, TTL_ENROL_MS, TTL_MAX_MS);
    cmd.token_create.name = name_find(call, "name", name_is_label);
    if (single_use != NULL && call->err.code == 0)
        cmd.token_create.single_use = json_as_bool(&r, single_use, "single_use");
    if (call->err.code == 0)
        create_start(call, create, &cmd);
}

/* Always of one use. */
void api_join_tokens_create(struct call *call)
{
    struct token_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE};

    if (!call_check_members(call, "name, ttl_ms"))
        return;
    create->kind = TOKEN_JOIN;
    create->ttl_ms = read_ttl(call, TTL_JOIN_MS, TTL_JOIN_MAX_MS);
    cmd.token_create.name = name_find(call, "name", name_is_label);
    cmd.token_create.single_use = true;
    if (call->err.code == 0)
        create_start(call, create, &cmd);
}

void api_tokens_create(struct call *call)
{
    struct token_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE};

    if (!call_check_members(call, "name, role, cluster_id, user_id, ttl_ms"))
        return;
    create->kind = TOKEN_API;
    create->ttl_ms = read_ttl(call, TTL_API_MS, TTL_MAX_MS);
    cmd.token_create.name = name_read(call, "name", name_is_label);
    cmd.token_create.role = role_find(call);
    if (cmd.token_create.role == ROLE_NONE)
        call_fail(call, ERR_MALFORMED, "role: missing");
    cmd.cluster_id = scope_find(call);
    create->user_id = uuid_find(call, "user_id");
    cmd.token_create.user_id = create->user_id;
    if (call->err.code == 0)
        create_start(call, create, &cmd);
}
