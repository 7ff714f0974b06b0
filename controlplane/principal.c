/* principal.c - from a token to a principal. */
#include "controlplane/principal.h"

#include <stdio.h>
#include <string.h>

const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_OPERATOR:
        return "operator";
    case ROLE_ADMIN:
        return "admin";
    case ROLE_VIEWER:
        return "viewer";
    case ROLE_NONE:
        break;
    }
    return "none";
}

static int check_token(const struct token *token, int64_t now_ms, struct err *err)
{
    if (token == NULL)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "unknown or revoked token: check it, or ask for a new one");
    if (token->token_kind != TOKEN_API)
        return err_set(err, ERR_FORBIDDEN,
                       "this is an %s token, which is good for nothing else: use an API "
                       "token",
                       token->token_kind == TOKEN_ENROL ? "enrolment" : "join");
    if (token->expires_at_ms != 0 && token->expires_at_ms <= now_ms)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "this token has expired: ask for a new one");
    if (token->user != NULL && token->user->disabled)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "the user of this token is disabled: ask whoever manages users");
    return 0;
}

int principal_of_token(const struct state *state, const uint8_t hash[SHA256_LEN],
                       int64_t now_ms, struct principal *principal, struct err *err)
{
    const struct token *token = state_token(state, hash);
    int code = check_token(token, now_ms, err);
    if (code != 0)
        return code;
    memset(principal, 0, sizeof(*principal));
    principal->token_id = token->token_id;
    principal->cluster_id = token->cluster_id;
    principal->expires_at_ms = token->expires_at_ms;
    principal->role = token->role;
    const char *name = token->name;
    if (token->user != NULL) {
        principal->user_id = token->user->user_id;
        principal->actor_kind = ACTOR_USER;
        principal->actor_id = token->user->user_id;
        /* No more than its user may: a greater number is a smaller role. */
        principal->role = MAX(principal->role, token->user->role);
        name = token->user->name;
    } else {
        principal->actor_kind = ACTOR_TOKEN;
        principal->actor_id = token->token_id;
    }
    snprintf(principal->name, sizeof(principal->name), "%.*s", COMMAND_ACTOR_NAME_MAX,
             name);
    return 0;
}

int principal_check_role(const struct principal *principal, enum route_access access,
                         struct err *err)
{
    const char *wanted = NULL;
    if (access == ACCESS_OPERATOR && principal->role != ROLE_OPERATOR)
        wanted = "operator";
    else if (access == ACCESS_ADMIN && principal->role != ROLE_OPERATOR &&
             principal->role != ROLE_ADMIN)
        wanted = "admin or operator";
    if (wanted == NULL)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "this needs the role %s; this token's is %s",
                   wanted, role_name(principal->role));
}

bool principal_sees(const struct principal *principal, const struct uuid *cluster_id)
{
    return principal->role == ROLE_OPERATOR ||
           uuid_eq(&principal->cluster_id, cluster_id);
}
