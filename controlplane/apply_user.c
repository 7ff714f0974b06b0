/* apply_user.c - users and tokens of a cluster, or of the cell: who may call. */
#include <string.h>

#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* Of one cluster, or of the cell; expired tokens are forgotten a day later. */
#define TOKENS_MAX      10000
#define USER_TOKENS_MAX 100
#define USERS_MAX       1000
#define TOKEN_GRACE_MS  86400000

/* What CMD is about: a cluster, or with a zero id the cell (*CLUSTER NULL). False after
 * saying that there is no such cluster. */
static bool find_scope(struct state *state, const struct command *cmd,
                       struct cluster **cluster, struct command_result *result)
{
    *cluster = NULL;
    if (uuid_is_zero(&cmd->cluster_id))
        return true;
    *cluster = apply_cluster(state, cmd, result);
    return *cluster != NULL;
}

static bool role_fits(enum role role, const struct cluster *cluster)
{
    if (cluster == NULL)
        return role == ROLE_OPERATOR;
    return role == ROLE_ADMIN || role == ROLE_VIEWER;
}

void apply_drop_token(struct state *state, struct token *token)
{
    apply_forget(state, &token->row);
    checkpoint_delete_token(token, &state->deletes);
    catalog_remove_token(&state->catalog, token);
}

void apply_drop_user(struct state *state, struct user *user)
{
    struct list_node *node;
    while ((node = list_first(&user->tokens)) != NULL)
        apply_drop_token(state, CONTAINER_OF(node, struct token, of_user));
    apply_forget(state, &user->row);
    checkpoint_delete_user(user, &state->deletes);
    catalog_remove_user(&state->catalog, user);
}

/* ---- tokens ---- */

/* Drop tokens of SCOPE that expired long ago. */
static void sweep_tokens(struct state *state, const struct scope *scope, int64_t now_ms)
{
    LIST_FOREACH(node, next, &scope->tokens)
    {
        struct token *token = CONTAINER_OF(node, struct token, node);
        if (token->expires_at_ms != 0 && now_ms - TOKEN_GRACE_MS > token->expires_at_ms)
            apply_drop_token(state, token);
    }
}

static size_t tokens_of_user(const struct user *user)
{
    size_t n = 0;
    LIST_FOREACH(node, next, &user->tokens)
    {
        n++;
    }
    return n;
}

/* Whether a new token of CMD may be in the scope of CLUSTER; *USER is whose it is. */
static bool token_allowed(struct state *state, const struct command *cmd,
                          const struct cluster *cluster, struct user **user,
                          struct command_result *result)
{
    const struct scope *scope = catalog_scope(&state->catalog, cluster);
    bool api = cmd->token_create.token_kind == TOKEN_API;

    *user = NULL;
    if ((api && !role_fits(cmd->token_create.role, cluster)) ||
        (cmd->token_create.token_kind == TOKEN_JOIN && cluster != NULL)) {
        result->code = ERR_INVALID;
        return false;
    }
    if (api && !uuid_is_zero(&cmd->token_create.user_id)) {
        *user = catalog_user(&state->catalog, &cmd->token_create.user_id);
        if (*user == NULL || (*user)->cluster != cluster) {
            *user = NULL;
            result->code = ERR_NOT_FOUND;
            return false;
        }
    }
    sweep_tokens(state, scope, cmd->now_ms);
    if (scope->token_count >= TOKENS_MAX ||
        (*user != NULL && tokens_of_user(*user) >= USER_TOKENS_MAX)) {
        result->code = ERR_OVERLOADED;
        return false;
    }
    return true;
}

void apply_token_create(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct token *token = catalog_token(&state->catalog, cmd->token_create.hash);
    struct token *same =
        catalog_token_by_id(&state->catalog, &cmd->token_create.token_id);
    struct cluster *cluster;
    struct user *user;

    result->id = cmd->token_create.token_id;
    if (token != NULL || same != NULL) {
        result->code = token == same ? 0 : ERR_EXISTS; /* or a repeat */
        return;
    }
    if (!find_scope(state, cmd, &cluster, result) ||
        !token_allowed(state, cmd, cluster, &user, result))
        return;
    token = catalog_add_token(&state->catalog, cluster, user, &cmd->token_create.token_id,
                              cmd->token_create.hash, cmd->token_create.name);
    apply_touch(state, &token->row);
    token->token_kind = cmd->token_create.token_kind;
    token->role =
        cmd->token_create.token_kind == TOKEN_API ? cmd->token_create.role : ROLE_NONE;
    token->created_at_ms = cmd->now_ms;
    token->expires_at_ms = cmd->token_create.expires_at_ms;
    token->single_use = cmd->token_create.single_use;
    token->etag = result->version = state->applied_index;
}

void apply_token_use(struct state *state, const struct command *cmd,
                     struct command_result *result)
{
    struct token *token = catalog_token(&state->catalog, cmd->token_use.hash);
    const struct uuid *user = &cmd->token_use.used_by;

    if (token == NULL || !uuid_eq(&token->cluster_id, &cmd->cluster_id) ||
        (token->cluster != NULL && token->cluster->doomed != 0))
        result->code = ERR_NOT_FOUND;
    else if (token->used_at_ms != 0 && token->single_use)
        result->code = uuid_eq(&token->used_by, user) ? 0 : ERR_CONFLICT;
    else if (token->expires_at_ms != 0 && cmd->now_ms >= token->expires_at_ms)
        result->code = ERR_EXPIRED;
    if (result->code != 0)
        return;
    result->id = token->token_id;
    if (token->used_at_ms != 0)
        return;
    apply_touch(state, &token->row);
    token->used_at_ms = cmd->now_ms;
    token->used_by = *user;
    token->etag = state->applied_index;
}

void apply_token_remove(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster;
    if (!find_scope(state, cmd, &cluster, result))
        return;
    struct token *token =
        catalog_token_by_id(&state->catalog, &cmd->token_remove.token_id);
    if (token == NULL || token->cluster != cluster)
        result->code = ERR_NOT_FOUND;
    else if (!apply_stale(cmd, token->etag, result))
        apply_drop_token(state, token);
}

/* ---- users ---- */

static const struct user *user_by_name(const struct scope *scope, struct slice name)
{
    LIST_FOREACH(node, next, &scope->users)
    {
        const struct user *user = CONTAINER_OF(node, struct user, node);
        if (slice_eq_str(name, user->name))
            return user;
    }
    return NULL;
}

/* Whether CMD may make USER (NULL: a new one) what it says. */
static bool user_allowed(struct state *state, const struct command *cmd,
                         const struct cluster *cluster, const struct user *user,
                         struct command_result *result)
{
    const struct scope *scope = catalog_scope(&state->catalog, cluster);
    const struct user *named = user_by_name(scope, cmd->user_put.name);

    if (user != NULL && user->cluster != cluster)
        result->code = ERR_EXISTS; /* the id is another cluster's */
    else if (user != NULL && apply_stale(cmd, user->etag, result))
        return false;
    else if (!role_fits(cmd->user_put.role, cluster))
        result->code = ERR_INVALID;
    else if (named != NULL && named != user)
        result->code = ERR_EXISTS;
    else if (user == NULL && cmd->if_version != 0)
        result->code = ERR_STALE; /* somebody removed it */
    else if (user == NULL && scope->user_count >= USERS_MAX)
        result->code = ERR_OVERLOADED;
    return result->code == 0;
}

void apply_user_put(struct state *state, const struct command *cmd,
                    struct command_result *result)
{
    struct user *user = catalog_user(&state->catalog, &cmd->user_put.user_id);
    struct cluster *cluster;

    if (!find_scope(state, cmd, &cluster, result) ||
        !user_allowed(state, cmd, cluster, user, result))
        return;
    if (user == NULL) {
        user = catalog_add_user(&state->catalog, cluster, &cmd->user_put.user_id);
        user->created_at_ms = cmd->now_ms;
    }
    apply_touch(state, &user->row);
    catalog_set_user(user, cmd->user_put.name, cmd->user_put.email);
    user->role = cmd->user_put.role;
    user->disabled = cmd->user_put.disabled;
    user->etag = result->version = state->applied_index;
    result->id = user->user_id;
}

void apply_user_remove(struct state *state, const struct command *cmd,
                       struct command_result *result)
{
    struct cluster *cluster;
    if (!find_scope(state, cmd, &cluster, result))
        return;
    struct user *user = catalog_user(&state->catalog, &cmd->user_remove.user_id);
    if (user == NULL || user->cluster != cluster)
        result->code = ERR_NOT_FOUND;
    else if (!apply_stale(cmd, user->etag, result))
        apply_drop_user(state, user);
}
