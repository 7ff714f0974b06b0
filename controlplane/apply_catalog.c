/* apply_catalog.c - clusters, tokens and agents come and go. */
#include <string.h>

#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* Of one cluster; expired ones are forgotten a day later. */
#define TOKENS_MAX     10000
#define TOKEN_GRACE_MS 86400000

void apply_cluster_create(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct slice name = cmd->cluster_create.name;
    struct cluster *same = catalog_cluster(&state->catalog, &cmd->cluster_id);

    if (same != NULL && slice_eq_str(name, same->name))
        return; /* a repeat */
    if (same != NULL || uuid_is_zero(&cmd->cluster_id) ||
        catalog_cluster_by_name(&state->catalog, name) != NULL) {
        result->code = ERR_EXISTS;
        return;
    }
    struct cluster *cluster =
        catalog_add_cluster(&state->catalog, &cmd->cluster_id, name, cmd->now_ms);
    apply_touch(state, &cluster->row);
}

/* Drop tokens that expired long ago; returns how many CLUSTER_ID has left. */
static uint32_t sweep_tokens(struct state *state, const struct uuid *cluster_id,
                             int64_t now_ms)
{
    uint32_t left = 0;
    LIST_FOREACH(node, next, &state->catalog.tokens)
    {
        struct token *token = CONTAINER_OF(node, struct token, node);
        if (token->expires_at_ms != 0 && now_ms - TOKEN_GRACE_MS > token->expires_at_ms) {
            checkpoint_delete_token(token, &state->deletes);
            catalog_remove_token(&state->catalog, token);
        } else if (uuid_eq(&token->cluster_id, cluster_id)) {
            left++;
        }
    }
    return left;
}

void apply_token_create(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct token *token = catalog_token(&state->catalog, cmd->token_create.hash);

    if (token != NULL) {
        bool repeat = uuid_eq(&token->token_id, &cmd->token_create.token_id);
        result->code = repeat ? 0 : ERR_EXISTS;
        return;
    }
    /* The cell's own tokens have no cluster. */
    if (!uuid_is_zero(&cmd->cluster_id) && apply_cluster(state, cmd, result) == NULL)
        return;
    if (sweep_tokens(state, &cmd->cluster_id, cmd->now_ms) >= TOKENS_MAX) {
        result->code = ERR_OVERLOADED;
        return;
    }
    token = catalog_add_token(&state->catalog, &cmd->token_create.token_id,
                              cmd->token_create.hash);
    token->cluster_id = cmd->cluster_id;
    token->token_kind = cmd->token_create.token_kind;
    token->created_at_ms = cmd->now_ms;
    token->expires_at_ms = cmd->token_create.expires_at_ms;
    token->single_use = cmd->token_create.single_use;
    apply_touch(state, &token->row);
}

void apply_token_use(struct state *state, const struct command *cmd,
                     struct command_result *result)
{
    struct token *token = catalog_token(&state->catalog, cmd->token_use.hash);
    const struct uuid *user = &cmd->token_use.used_by;

    if (token == NULL || !uuid_eq(&token->cluster_id, &cmd->cluster_id))
        result->code = ERR_NOT_FOUND;
    else if (token->used_at_ms != 0 && token->single_use)
        result->code = uuid_eq(&token->used_by, user) ? 0 : ERR_CONFLICT;
    else if (token->expires_at_ms != 0 && cmd->now_ms >= token->expires_at_ms)
        result->code = ERR_EXPIRED;
    if (result->code != 0 || token->used_at_ms != 0)
        return;
    token->used_at_ms = cmd->now_ms;
    token->used_by = *user;
    apply_touch(state, &token->row);
}

static void agents_changed(struct state *state, const struct cluster *cluster)
{
    if (state->events.on_agents != NULL)
        state->events.on_agents(state->events.arg, cluster);
}

/* Whether CMD says nothing new of AGENT. */
static bool agent_unchanged(const struct agent_info *agent, const struct command *cmd)
{
    return slice_eq_str(cmd->agent_register.zone, agent->zone) &&
           slice_eq_str(cmd->agent_register.rack, agent->rack) &&
           slice_eq_str(cmd->agent_register.host, agent->host) &&
           slice_eq_str(cmd->agent_register.http_url, agent->http_url) &&
           slice_eq_str(cmd->agent_register.version, agent->version) &&
           cmd->agent_register.port == agent->port &&
           cmd->agent_register.state == agent->state;
}

/* The agent that CMD's address belonged to until now, or NULL. */
static struct agent_info *agent_at_address(const struct cluster *cluster,
                                           const struct command *cmd)
{
    struct agent_info *agent = catalog_agent_next(cluster, NULL);

    while (agent != NULL && (agent->port != cmd->agent_register.port ||
                             !slice_eq_str(cmd->agent_register.host, agent->host)))
        agent = catalog_agent_next(cluster, agent);
    return agent;
}

static void remove_agent(struct state *state, struct agent_info *agent)
{
    checkpoint_delete_agent(agent, &state->deletes);
    catalog_remove_agent(agent);
}

/* The node id of a new agent. Two agents cannot share an address, and a client takes a
 * broker for its address: who comes back at one, after a crash, is the same node. */
static int32_t take_node_id(struct state *state, struct cluster *cluster,
                            const struct command *cmd)
{
    struct agent_info *before = agent_at_address(cluster, cmd);

    if (before == NULL)
        return cluster->next_node_id++;
    int32_t node_id = before->node_id;
    remove_agent(state, before);
    return node_id;
}

void apply_agent_register(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct agent_info *agent = catalog_agent(cluster, &cmd->agent_register.agent_id);
    if (agent != NULL && agent_unchanged(agent, cmd)) {
        result->value = agent->node_id;
        return;
    }
    if (agent == NULL) {
        if (agent_at_address(cluster, cmd) == NULL &&
            (cluster->agent_count >= cmd->agent_register.agents_max ||
             cluster->next_node_id == INT32_MAX)) {
            result->code = ERR_OVERLOADED;
            return;
        }
        agent = catalog_add_agent(cluster, &cmd->agent_register.agent_id,
                                  take_node_id(state, cluster, cmd));
        agent->registered_at_ms = cmd->now_ms;
        apply_touch(state, &cluster->row);
    }
    catalog_set_agent(agent, cmd->agent_register.zone, cmd->agent_register.rack,
                      cmd->agent_register.host, cmd->agent_register.http_url,
                      cmd->agent_register.version);
    agent->port = cmd->agent_register.port;
    agent->state = cmd->agent_register.state;
    apply_touch(state, &agent->row);
    result->value = agent->node_id;
    agents_changed(state, cluster);
}

void apply_agent_remove(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct agent_info *agent = catalog_agent(cluster, &cmd->agent_remove.agent_id);
    if (agent == NULL) {
        result->code = ERR_NOT_FOUND;
        return;
    }
    remove_agent(state, agent);
    agents_changed(state, cluster);
}
