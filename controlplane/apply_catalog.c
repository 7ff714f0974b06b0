/* apply_catalog.c - clusters, tokens and agents come and go. */
#include <string.h>

#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

#define CLUSTERS_MAX 100000

void apply_cluster_create(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct slice name = cmd->cluster_create.name;
    struct cluster *same = catalog_cluster(&state->catalog, &cmd->cluster_id);

    result->id = cmd->cluster_id;
    if (same != NULL && slice_eq_str(name, same->name)) {
        result->version = same->etag;
        return; /* a repeat */
    }
    if (same != NULL || uuid_is_zero(&cmd->cluster_id) ||
        catalog_doomed_cluster(&state->catalog, &cmd->cluster_id) != NULL ||
        catalog_cluster_by_name(&state->catalog, name) != NULL)
        result->code = ERR_EXISTS;
    else if (HASH_COUNT(state->catalog.clusters_by_id) >= CLUSTERS_MAX)
        result->code = ERR_OVERLOADED;
    if (result->code != 0)
        return;
    struct cluster *cluster =
        catalog_add_cluster(&state->catalog, &cmd->cluster_id, name, cmd->now_ms);
    apply_touch(state, &cluster->row);
    cluster->limits = cmd->cluster_create.limits;
    cluster->etag = result->version = state->applied_index;
}

void apply_cluster_alter(struct state *state, const struct command *cmd,
                         struct command_result *result)
{
    struct slice name = cmd->cluster_alter.name;
    struct cluster *cluster = apply_cluster(state, cmd, result);

    if (cluster == NULL || apply_stale(cmd, cluster->etag, result))
        return;
    const struct cluster *named =
        name.ptr == NULL ? NULL : catalog_cluster_by_name(&state->catalog, name);
    if (named != NULL && named != cluster) {
        result->code = ERR_EXISTS;
        return;
    }
    apply_touch(state, &cluster->row);
    if (name.ptr != NULL && named == NULL)
        catalog_set_cluster_name(&state->catalog, cluster, name);
    if (cmd->cluster_alter.set_limits)
        cluster->limits = cmd->cluster_alter.limits;
    cluster->etag = result->version = state->applied_index;
    result->id = cluster->cluster_id;
}

void apply_cluster_delete(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    if (catalog_doomed_cluster(&state->catalog, &cmd->cluster_id) != NULL)
        return; /* a repeat */
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL || apply_stale(cmd, cluster->etag, result))
        return;
    (void)apply_meter(state, cluster);
    apply_touch(state, &cluster->row);
    catalog_doom_cluster(&state->catalog, cluster, state->catalog.next_serial++);
    if (state->events.on_cluster_deleted != NULL)
        state->events.on_cluster_deleted(state->events.arg, &cluster->cluster_id);
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

void apply_drop_agent(struct state *state, struct agent_info *agent)
{
    apply_forget(state, &agent->row);
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
    apply_drop_agent(state, before);
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
        result->version = agent->etag;
        return;
    }
    if (agent == NULL) {
        if (agent_at_address(cluster, cmd) == NULL &&
            (cluster->agent_count >=
                 apply_limit(cluster->limits.agents, cmd->agent_register.agents_max) ||
             cluster->next_node_id == INT32_MAX)) {
            result->code = ERR_OVERLOADED;
            return;
        }
        apply_touch(state, &cluster->row);
        agent = catalog_add_agent(cluster, &cmd->agent_register.agent_id,
                                  take_node_id(state, cluster, cmd));
        agent->registered_at_ms = cmd->now_ms;
    }
    apply_touch(state, &agent->row);
    catalog_set_agent(agent, cmd->agent_register.zone, cmd->agent_register.rack,
                      cmd->agent_register.host, cmd->agent_register.http_url,
                      cmd->agent_register.version);
    agent->port = cmd->agent_register.port;
    agent->state = cmd->agent_register.state;
    agent->etag = result->version = state->applied_index;
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
    if (apply_stale(cmd, agent->etag, result))
        return;
    apply_drop_agent(state, agent);
    agents_changed(state, cluster);
}

void apply_agent_alter(struct state *state, const struct command *cmd,
                       struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct agent_info *agent = catalog_agent(cluster, &cmd->agent_alter.agent_id);
    if (agent == NULL) {
        result->code = ERR_NOT_FOUND;
        return;
    }
    if (apply_stale(cmd, agent->etag, result))
        return;
    result->version = agent->etag;
    if (agent->wanted == cmd->agent_alter.wanted)
        return;
    apply_touch(state, &agent->row);
    agent->wanted = cmd->agent_alter.wanted;
    agent->etag = result->version = state->applied_index;
    agents_changed(state, cluster);
}
