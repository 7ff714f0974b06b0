/* principal.h - who calls, and what that one may do.
 *
 * A people's call names its principal by an API token; the token's scope is the cell or
 * one cluster, whatever the path says (I10). Used by call.c on the core thread. */
#ifndef CONTROLPLANE_PRINCIPAL_H
#define CONTROLPLANE_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/uuid.h"
#include "controlplane/route.h"
#include "controlplane/state.h"
#include "proto/command.h"

struct principal {
    enum actor_kind actor_kind; /* for the audit log, as the next two */
    struct uuid actor_id;
    char name[COMMAND_ACTOR_NAME_MAX + 1];
    enum role role;         /* NONE: not known, or no person */
    struct uuid cluster_id; /* its scope; zero: the cell */
    struct uuid token_id, user_id;
    int64_t expires_at_ms; /* of the token; 0: never */
};

/* The principal of the API token with this hash. ERR_UNAUTHENTICATED: unknown, expired,
 * revoked, its user disabled; ERR_FORBIDDEN: a token of another kind. */
int principal_of_token(const struct state *state, const uint8_t hash[SHA256_LEN],
                       int64_t now_ms, struct principal *principal,
                       struct err *err) MUST_CHECK;
/* May its role make calls of ACCESS? ERR_FORBIDDEN says what is wanted. */
int principal_check_role(const struct principal *principal, enum route_access access,
                         struct err *err) MUST_CHECK;
/* Is CLUSTER_ID in its scope? */
bool principal_sees(const struct principal *principal, const struct uuid *cluster_id);

const char *role_name(enum role role); /* "operator" */

#endif
