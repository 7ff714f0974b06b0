/* call_core.c - a call on the core thread: may it go on, the visit itself, its proposals
 * and what came of them. */
#include "controlplane/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "proto/kafka_error.h"

/* --- who may go on --- */

/* The rate that holds for the cluster, told to the quota: it is checked in the head,
 * where the state is not to be seen. */
static void set_cluster_rate(struct call *call, const struct cluster *cluster)
{
    struct service *service = call->service;
    struct uuid who = call_bucket(call);
    quota_set_rate(service->cluster_quota, &who,
                   call_limits(call, cluster).requests_per_second, clock_monotonic_ms());
}

/* All people of a cluster together, beside what each token may. */
static void take_cluster_quota(struct call *call, const struct cluster *cluster)
{
    struct service *service = call->service;
    struct uuid who = call->principal.cluster_id;

    if (cluster == NULL || call->quota_taken)
        return;
    call->quota_taken = true;
    who.bytes[0] ^= 0x0f; /* not their agents' bucket */
    quota_set_rate(service->cluster_quota, &who,
                   call_limits(call, cluster).requests_per_second, clock_monotonic_ms());
    call->retry_ms = quota_take(service->cluster_quota, &who, clock_monotonic_ms());
    if (call->retry_ms > 0)
        call_fail(call, ERR_OVERLOADED,
                  "more requests per second than this cluster may make: wait as "
                  "Retry-After says");
}

/* An agent's call: the cluster must exist, the agent be registered; the session lives on.
 */
static void admit_agent(struct node *node, struct call *call)
{
    struct service *service = call->service;
    const struct cluster *cluster = call_cluster(node, call);
    if (cluster == NULL) {
        call_fail(
            call, ERR_FORBIDDEN,
            "the client certificate is of a cluster that does not exist (any more): "
            "enrol with a token of an existing one");
        return;
    }
    set_cluster_rate(call, cluster);
    if ((call->route->flags & ROUTE_UNREGISTERED) != 0)
        return;
    if (state_agent(cluster, &call->agent_id) == NULL) {
        call_fail(call, ERR_CONFLICT,
                  "this agent is not registered (any more): call "
                  "/agent/v1/register, then repeat");
        return;
    }
    sessions_touch(service->sessions, &call->cluster_id, &call->agent_id,
                   loop_now_ms(node_loop(node)));
    sessions_set_authority(service->sessions, &call->cluster_id, &call->agent_id,
                           http_exchange_peer_authority(call->x));
}

/* A people's call: whose token it is, whether its role is enough, and whether the path's
 * cluster is its own: another's does not exist for it. On every visit, so that a token
 * which was revoked meanwhile changes nothing any more. */
static void admit_person(struct node *node, struct call *call)
{
    const struct state *state = node_state(node);
    struct uuid cluster_id = UUID_ZERO;

    if (principal_of_token(state, call->token_hash, node_now_ms(node), &call->principal,
                           &call->err) != 0)
        return;
    if (call->cluster_text.ptr != NULL) {
        if (uuid_parse(call->cluster_text, &cluster_id) != 0 ||
            !principal_sees(&call->principal, &cluster_id) ||
            state_cluster(state, &cluster_id) == NULL) {
            call_fail(call, ERR_NOT_FOUND, "there is no cluster of this id");
            return;
        }
        call->cluster_id = cluster_id;
    }
    if (principal_check_role(&call->principal, call->route->access, &call->err) != 0)
        return;
    if (call->principal.role != ROLE_OPERATOR)
        take_cluster_quota(call, state_cluster(state, &call->principal.cluster_id));
}

/* The URL of whoever leads, for the agents' or the people's listener, or NULL. */
static const char *leader_url(const struct node *node, bool agents)
{
    uint64_t id = node_leader_id(node);
    const struct cell_node *row = id == 0 ? NULL : state_node(node_state(node), id);
    if (row == NULL)
        return NULL;
    const char *url = agents ? row->agents_url : row->people_url;
    return url[0] == '\0' ? NULL : url;
}

/* Name the leader in the answer, by the address of the listener that was asked; the text
 * is copied, since the call leaves this thread. */
static void fail_not_leader(struct call *call)
{
    bool agents =
        call->route->access == ACCESS_AGENT || call->route->access == ACCESS_NODE;
    const char *leader = leader_url(call->service->node, agents);
    if (leader == NULL) {
        call_fail(call, ERR_UNAVAILABLE,
                  "this node does not lead, and knows of none that does: try again soon, "
                  "or at another node");
        return;
    }
    call_fail(call, ERR_NOT_LEADER, "this node is not the leader: ask the one named");
    call->leader = arena_strdup(&call->arena, slice_str(leader));
}

bool call_may_read(struct node *node, struct call *call)
{
    if (node_can_read(node))
        return true;
    if (node_is_leader(node))
        call_fail(call, ERR_UNAVAILABLE, "this node is not ready yet: try again soon");
    else
        fail_not_leader(call);
    return false;
}

static bool admit(struct node *node, struct call *call)
{
    bool any_node = (call->route->flags & ROUTE_ANY_NODE) != 0;
    if (any_node || call_may_read(node, call)) {
        if (call->route->access == ACCESS_AGENT)
            admit_agent(node, call);
        else if (route_wants_person(call->route))
            admit_person(node, call);
    }
    return call->err.code == 0;
}

/* --- turns --- */

/* As much of a body counts as a small one. */
#define TURN_BYTES (4 * KIB)

/* Whose turns CALL takes; zero: nobody's. A tenant's people share their cluster's. */
static struct uuid turns_of(const struct call *call)
{
    if ((call->route->flags & (ROUTE_WAITS | ROUTE_ANY_NODE | ROUTE_OWN_TURNS)) != 0)
        return UUID_ZERO;
    if (call->route->access == ACCESS_AGENT)
        return call->cluster_id;
    return route_wants_person(call->route) && call->principal.role != ROLE_OPERATOR
               ? call->principal.cluster_id
               : UUID_ZERO;
}

/* It has waited: so it is looked again whether it may go on. */
static void on_visit(struct loop_deferred *deferred)
{
    struct call *call = CONTAINER_OF(deferred, struct call, visit);
    struct node *node = call->service->node;
    if (admit(node, call))
        call->on_core(node, call);
    else
        call_done(call);
}

/* The visit is not made from in here: it may end at once, and give its turn. */
static void on_turn(struct turn *turn)
{
    struct call *call = CONTAINER_OF(turn, struct call, turn);
    call->has_turn = true;
    if (!call->takes_turn)
        loop_defer(node_loop(call->service->node), &call->visit);
}

/* True: it has come already. */
static bool take_turn(struct call *call, const struct uuid *cluster_id)
{
    size_t bytes = http_exchange_body(call->x).len;
    call->turn = (struct turn){
        .go = on_turn, .quiet = true, .weight = 1 + (unsigned)(bytes / TURN_BYTES)};
    loop_deferred_init(&call->visit, on_visit);
    call->takes_turn = true;
    turns_take(call->service->call_turns, &call->turn, cluster_id, clock_monotonic_us());
    call->takes_turn = false;
    return call->has_turn;
}

static void give_turn(struct call *call)
{
    if (!call->has_turn)
        return;
    call->has_turn = false;
    turns_give(call->service->call_turns, &call->turn, clock_monotonic_us());
}

static void run(struct node *node, struct ask *ask)
{
    struct call *call = CONTAINER_OF(ask, struct call, ask);
    if (!admit(node, call)) {
        call_done(call);
        return;
    }
    struct uuid cluster_id = turns_of(call);
    if (uuid_is_zero(&cluster_id) || take_turn(call, &cluster_id))
        call->on_core(node, call);
}

static void on_ask_done(struct ask *ask)
{
    http_exchange_resume(CONTAINER_OF(ask, struct call, ask)->x);
}

void call_ask(struct call *call, void (*on_core)(struct node *node, struct call *call),
              void (*then)(struct call *call))
{
    call->on_core = on_core;
    call->then = then;
    call->ask.run = run;
    call->ask.done = on_ask_done;
    http_exchange_park(call->x);
    node_send(call->service->node, &call->ask);
}

const struct cluster *call_cluster(struct node *node, const struct call *call)
{
    return state_cluster(node_state(node), &call->cluster_id);
}

struct cluster_limits call_limits(const struct call *call, const struct cluster *cluster)
{
    const struct control_options *options = call->service->options;
    struct cluster_limits limits = cluster->limits;
    if (limits.agents == 0)
        limits.agents = (uint32_t)options->max_agents;
    if (limits.topics == 0)
        limits.topics = (uint32_t)options->max_topics;
    if (limits.partitions == 0)
        limits.partitions = (uint32_t)options->max_partitions;
    if (limits.requests_per_second == 0)
        limits.requests_per_second = (uint32_t)options->max_requests;
    if (limits.metadata_bytes == 0)
        limits.metadata_bytes = (uint64_t)options->max_metadata_bytes;
    return limits;
}

void call_done(struct call *call)
{
    struct service *service = call->service;
    call->cursor = state_applied_index(node_state(service->node));
    call->now_ms = node_now_ms(service->node);
    give_turn(call);
    feed_seal(service->feed, call->cursor);
    ask_done(&call->ask);
}

/* What a failed proposal means for who called. */
static void fail_proposal(struct call *call, int code)
{
    switch (code) {
    case ERR_NOT_LEADER:
        fail_not_leader(call);
        break;
    case ERR_NO_SPACE:
        call_fail(call, code,
                  "the control plane's disk is full: nothing is accepted until "
                  "there is room; what was acknowledged is safe");
        break;
    case ERR_IO:
        call_fail(call, code,
                  "the control plane cannot write its log: nothing is accepted "
                  "until it is restarted; what was acknowledged is safe");
        break;
    case ERR_UNSUPPORTED:
        call_fail(call, code,
                  "the cell's feature level is too low for this: upgrade all nodes, then "
                  "raise it (PATCH /api/v1/cell)");
        break;
    case ERR_OVERLOADED:
        call_fail(call, code, "too much waits to be written: try again");
        break;
    case ERR_TOO_LARGE:
        call_fail(call, code, "the request does not fit into one command: send less");
        break;
    default:
        call_fail(call, code, "the outcome is not known (%s): repeat the same request",
                  err_text(code));
        break;
    }
}

static void on_proposal_done(struct proposal *proposal, int code, struct slice result)
{
    struct call_proposal *cp = CONTAINER_OF(proposal, struct call_proposal, proposal);
    struct call *call = cp->call;
    struct node *node = call->service->node;

    if (code == 0 && result.len > 0) {
        uint8_t *copy = arena_try_alloc(&call->arena, result.len);
        if (copy == NULL)
            code = ERR_TOO_LARGE;
        else
            memcpy(copy, result.ptr, result.len);
        cp->result = slice_of(copy, result.len);
    }
    if (code != 0)
        fail_proposal(call, code);
    ASSERT(call->outstanding > 0);
    if (--call->outstanding > 0)
        return;
    if (call->release != NULL)
        call->release(node, call);
    if (call->err.code == 0 && call->on_settled != NULL)
        call->on_settled(node, call);
    else
        call_done(call);
}

void call_target(struct call *call, const char *fmt, ...)
{
    char text[COMMAND_NAME_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    call->context.target = arena_dup(&call->arena, slice_str(text));
}

void call_action(struct call *call, const char *action)
{
    call->context.action = slice_str(action);
}

void call_as_token(struct call *call, const struct token *token)
{
    struct principal *principal = &call->principal;
    principal->actor_kind = ACTOR_TOKEN;
    principal->actor_id = token->token_id;
    snprintf(principal->name, sizeof(principal->name), "%.*s", COMMAND_ACTOR_NAME_MAX,
             token->name);
}

/* Who, from where: once a call. */
static void fill_context(struct call *call)
{
    const struct control_options *options = call->service->options;
    struct command_context *context = &call->context;
    const char *remote = http_exchange_peer(call->x);
    char id[UUID_TEXT_LEN + 1];

    if (context->remote.ptr != NULL)
        return;
    if (call->route->access == ACCESS_AGENT) {
        context->actor_kind = ACTOR_AGENT;
        context->actor_id = call->agent_id;
        context->actor_name =
            arena_dup(&call->arena, slice_str(uuid_print(&call->agent_id, id)));
    } else {
        context->actor_kind = call->principal.actor_kind;
        context->actor_id = call->principal.actor_id;
        context->actor_name = slice_str(call->principal.name);
    }
    context->remote = arena_dup(
        &call->arena, slice_of(remote, MIN(strlen(remote), (size_t)COMMAND_REMOTE_MAX)));
    if (context->action.ptr == NULL)
        context->action = slice_str(call->route->action);
    if (context->target.ptr == NULL)
        context->target = slice_str("");
    context->request_id = call->request_id;
    context->audit_max = (uint32_t)options->audit_max;
    context->audit_age_ms = options->audit_age_ms;
    context->replies_age_ms = options->replies_age_ms;
}

void call_propose(struct node *node, struct call *call, struct call_proposal *proposal,
                  struct command *cmd,
                  void (*on_settled)(struct node *node, struct call *call))
{
    memset(proposal, 0, sizeof(*proposal));
    proposal->call = call;
    proposal->proposal.done = on_proposal_done;
    list_node_init(&proposal->proposal.node);
    call->on_settled = on_settled;
    call->outstanding++;
    if (call->route->action != NULL) {
        fill_context(call);
        cmd->context = &call->context;
    }
    node_propose(node, &proposal->proposal, cmd);
}

/* --- what came of it --- */

int call_code_of_kafka(int16_t error)
{
    switch (error) {
    case STATE_KAFKA_NONE:
        return 0;
    case STATE_KAFKA_TOPIC_ALREADY_EXISTS:
        return ERR_EXISTS;
    case STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case STATE_KAFKA_UNKNOWN_TOPIC_ID:
        return ERR_NOT_FOUND;
    case STATE_KAFKA_POLICY_VIOLATION:
        return ERR_LIMIT;
    case KAFKA_GROUP_ID_NOT_FOUND:
        return ERR_NOT_FOUND;
    case KAFKA_NON_EMPTY_GROUP:
    case KAFKA_UNKNOWN_MEMBER_ID: /* a commit of nobody's, to a group with members */
    case KAFKA_REBALANCE_IN_PROGRESS:
    case KAFKA_STALE_MEMBER_EPOCH:
        return ERR_CONFLICT;
    default:
        return ERR_INVALID;
    }
}

static void fail_refused(struct call *call, int code, const char *what)
{
    switch (code) {
    case ERR_EXISTS:
        call_fail(call, code, "a %s of this name exists: choose another name", what);
        break;
    case ERR_NOT_FOUND:
        call_fail(call, code, "there is no such %s (any more)", what);
        break;
    case ERR_STALE:
        call_fail(call, code,
                  "the %s was changed since the ETag in If-Match: get it again, look, "
                  "and repeat with its present ETag",
                  what);
        break;
    case ERR_LIMIT:
        call_fail(call, code,
                  "there are as many as there may be: remove what is not needed, or ask "
                  "for a higher limit");
        break;
    default:
        call_fail(call, code, "the %s was not changed: %s", what, err_text(code));
        break;
    }
}

bool call_result(struct call *call, const struct call_proposal *proposal,
                 const char *what, struct command_result *result)
{
    if (command_result_read(proposal->result, result) != 0) {
        memset(result, 0, sizeof(*result));
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
        return false;
    }
    int code = result->code;
    if (code == 0 && result->kafka_error != 0)
        code = call_code_of_kafka(result->kafka_error);
    /* It does not pass by waiting, as 429 would say. */
    if (code == ERR_OVERLOADED)
        code = ERR_LIMIT;
    if (code == 0)
        return true;
    if (code == ERR_CONFLICT && result->value == COMMAND_KEY_REUSED)
        call_fail(call, ERR_INVALID,
                  "Idempotency-Key: it was used before, for another request: each thing "
                  "wanted needs a key of its own");
    else if (result->message.ptr != NULL && result->message.len > 0)
        call_fail(call, code, "%.*s", (int)MIN(result->message.len, (size_t)200),
                  (const char *)result->message.ptr);
    else
        fail_refused(call, code, what);
    return false;
}
