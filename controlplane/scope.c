/* scope.c - the cell's, or a cluster's. */
#include "controlplane/scope.h"

struct uuid scope_of_list(struct call *call)
{
    bool found;
    struct uuid id = call_query_uuid(call, "cluster_id", &found);
    if (call->principal.role == ROLE_OPERATOR)
        return id;
    if (found && !uuid_eq(&id, &call->principal.cluster_id))
        call_fail(call, ERR_NOT_FOUND, "there is no cluster of this id");
    return call->principal.cluster_id;
}

struct uuid uuid_find(struct call *call, const char *key)
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, key);
    if (json_is_null(value) || call->err.code != 0)
        return UUID_ZERO;
    return json_as_uuid(&r, value, key);
}

struct json *uuid_json(const struct uuid *id)
{
    return uuid_is_zero(id) ? json_null() : json_uuid(id);
}

bool scope_cluster(struct node *node, const struct uuid *id,
                   const struct cluster **cluster)
{
    *cluster = uuid_is_zero(id) ? NULL : state_cluster(node_state(node), id);
    return *cluster != NULL || uuid_is_zero(id);
}

struct uuid scope_find(struct call *call)
{
    struct uuid id = uuid_find(call, "cluster_id");
    return uuid_is_zero(&id) ? call->principal.cluster_id : id;
}

void scope_check(struct node *node, struct call *call, enum role role,
                 const struct uuid *cluster_id)
{
    bool cell = uuid_is_zero(cluster_id);

    if (role == ROLE_OPERATOR && call->principal.role != ROLE_OPERATOR)
        call_fail(call, ERR_FORBIDDEN, "only an operator can make operators");
    else if (role == ROLE_OPERATOR && !cell)
        call_fail(call, ERR_INVALID,
                  "cluster_id: an operator is of the whole cell: leave it out");
    else if (role != ROLE_OPERATOR && cell)
        call_fail(call, ERR_INVALID, "cluster_id: the role %s wants a cluster",
                  role_name(role));
    else if (!cell && (!principal_sees(&call->principal, cluster_id) ||
                       state_cluster(node_state(node), cluster_id) == NULL))
        call_fail(call, ERR_INVALID, "cluster_id: there is no such cluster");
}
