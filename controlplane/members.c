/* members.c - see members.h. Everything is looked at anew a few times a second: nothing
 * has to be remembered over a change of the leader. */
#include "controlplane/members.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/x509.h"
#include "controlplane/membership.h"

#define LOOK_MS         100
#define REPORT_EVERY_MS 2000
#define REPORT_MS       3000
#define WANTED_MAX      64

struct members {
    struct node *node;
    struct node_fields self;
    const struct command *founding;
    unsigned election_timeout_ms;
    struct loop_timer look;
    bool ready; /* our URLs are known */
    /* one of each at a time */
    struct proposal proposal;
    bool proposing;
    struct node_change change;
    bool changing;
    struct http_client *http;
    struct http_call *report;
    struct str body;
    struct slice body_slice;
    int64_t reported_at_ms;
    /* our certificate, and of what and to whom it was last told */
    int64_t not_after_ms;
    char authority[X509_KEY_ID_LEN + 1];
    struct {
        int64_t not_after_ms;
        uint64_t leader_id, term;
    } told, telling;
    bool ending;
};

/* What was under way when members_free came has ended. */
static void end(struct members *members)
{
    if (!members->changing && !members->proposing)
        mem_free(members);
}

/* ---- Raft's members ---- */

static const char *kind_name(enum node_change_kind kind)
{
    switch (kind) {
    case NODE_CHANGE_ADD:
        return "add";
    case NODE_CHANGE_PROMOTE:
        return "promote";
    case NODE_CHANGE_DEMOTE:
        return "demote";
    case NODE_CHANGE_REMOVE:
        return "remove";
    case NODE_CHANGE_TRANSFER:
        return "transfer";
    }
    return "?";
}

static void on_changed(struct node_change *change, int code, const struct err *err)
{
    struct members *members = CONTAINER_OF(change, struct members, change);
    members->changing = false;
    if (code == 0)
        log_info("members", "changed", "what=%s node=%llu", kind_name(change->kind),
                 (unsigned long long)change->node_id);
    else if (code != ERR_UNAVAILABLE && code != ERR_CONFLICT)
        log_warn("members", "a change of the members failed, trying again",
                 "what=%s node=%llu err=%s", kind_name(change->kind),
                 (unsigned long long)change->node_id, LOG_QUOTED(err->text));
    if (members->ending)
        end(members);
}

static enum node_change_kind kind_of(const struct membership_step *step)
{
    if (step->kind == MEMBERSHIP_TRANSFER)
        return NODE_CHANGE_TRANSFER;
    switch (step->change) {
    case REPLICA_ADD:
        return NODE_CHANGE_ADD;
    case REPLICA_PROMOTE:
        return NODE_CHANGE_PROMOTE;
    case REPLICA_DEMOTE:
        return NODE_CHANGE_DEMOTE;
    case REPLICA_REMOVE:
        break;
    }
    return NODE_CHANGE_REMOVE;
}

static void begin_change(struct members *members, const struct membership_step *step)
{
    members->changing = true;
    members->change =
        (struct node_change){.done = on_changed,
                             .kind = kind_of(step),
                             .node_id = step->kind == MEMBERSHIP_TRANSFER ? 0 : step->id};
    if (step->kind == MEMBERSHIP_CHANGE && step->change == REPLICA_ADD)
        snprintf(members->change.address, sizeof(members->change.address), "%s",
                 step->address);
    node_change(members->node, &members->change);
}

static void change_members(struct members *members, const struct state *state,
                           int64_t now)
{
    struct membership_node wanted[WANTED_MAX];
    struct node_server servers[NODE_SERVERS_MAX];
    struct replica_server seen[NODE_SERVERS_MAX];
    struct node_health health;
    const struct cell_node *row = NULL;
    struct membership_view view = {.servers = seen,
                                   .nodes = wanted,
                                   .changing = members->changing,
                                   .election_timeout_ms = members->election_timeout_ms,
                                   .now_ms = now};

    while (view.node_count < WANTED_MAX && (row = state_node_next(state, row)) != NULL)
        wanted[view.node_count++] =
            (struct membership_node){.id = row->node_id,
                                     .address = row->peer_address,
                                     .standby = row->wanted == WANT_STANDBY};
    view.server_count = node_servers(members->node, servers);
    for (size_t i = 0; i < view.server_count; i++)
        seen[i] = (struct replica_server){
            .id = servers[i].node_id,
            .address = servers[i].address,
            .role = servers[i].role == NODE_VOTER ? REPLICA_VOTER : REPLICA_STANDBY,
            .self = servers[i].self,
            .leader = servers[i].leader,
            .installing = servers[i].installing,
            .match_index = servers[i].match_index,
            .heard_ms = servers[i].contact_ms < 0 ? -1 : now - servers[i].contact_ms};
    node_health(members->node, &health);
    view.last_index = health.last_index;
    struct membership_step step = membership_next(&view);
    if (!members->changing &&
        (step.kind == MEMBERSHIP_CHANGE || step.kind == MEMBERSHIP_TRANSFER))
        begin_change(members, &step);
}

/* ---- our own row ---- */

static void on_proposed(struct proposal *proposal, int code, struct slice result)
{
    struct members *members = CONTAINER_OF(proposal, struct members, proposal);
    struct command_result r = {0};
    members->proposing = false;
    if (members->ending) {
        end(members);
        return;
    }
    if (code == 0 && command_result_read(result, &r) != 0)
        r.code = ERR_INTERNAL;
    if (code == 0 && r.code != 0 && r.code != ERR_EXISTS && r.code != ERR_STALE)
        log_warn("members", "the cell refuses what this node says of itself", "code=%s",
                 err_name(r.code));
}

static void propose(struct members *members, struct command *cmd)
{
    if (members->proposing)
        return;
    members->proposing = true;
    memset(&members->proposal, 0, sizeof(members->proposal));
    members->proposal.done = on_proposed;
    list_node_init(&members->proposal.node);
    node_propose(members->node, &members->proposal, cmd);
}

static void found(struct members *members)
{
    struct command cmd = *members->founding;
    cmd.cell_init.node = members->self;
    propose(members, &cmd);
}

static bool says_so(const struct cell_node *row, const struct node_fields *self)
{
    return slice_eq_str(self->name, row->name) &&
           slice_eq_str(self->people_url, row->people_url) &&
           slice_eq_str(self->agents_url, row->agents_url) &&
           slice_eq_str(self->version, row->version) &&
           self->features_max == row->features_max;
}

static void on_report(const struct http_response *response, void *arg)
{
    struct members *members = arg;
    members->report = NULL;
    if (response->code != 0)
        log_debug("members", "the leader does not take our report", "err=%s",
                  LOG_QUOTED(response->error));
    else if (response->status != 200)
        log_debug("members", "the leader does not take our report", "status=%d",
                  response->status);
    else
        members->told = members->telling;
}

/* A follower cannot propose: it tells the leader, on the agents' listener, which asks for
 * a certificate of the cell's CA. */
static void report(struct members *members, const struct cell_node *leader, int64_t now)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct node_fields *self = &members->self;
    char url[1200];

    if (members->report != NULL || now - members->reported_at_ms < REPORT_EVERY_MS)
        return;
    members->reported_at_ms = now;
    struct json *body = json_object();
    json_set(body, "name", json_slice(self->name));
    json_set(body, "people_url", json_slice(self->people_url));
    json_set(body, "agents_url", json_slice(self->agents_url));
    json_set(body, "version", json_slice(self->version));
    json_set(body, "feature_level_max", json_int(self->features_max));
    if (members->authority[0] != '\0') {
        json_set(body, "certificate_expires_at_ms", json_int(members->not_after_ms));
        json_set(body, "certificate_authority", json_string(members->authority));
    }
    members->telling.not_after_ms = members->not_after_ms;
    members->telling.leader_id = leader->node_id;
    members->telling.term = node_term(members->node);
    str_reset(&members->body);
    json_print(body, &members->body);
    json_free(body);
    members->body_slice = str_slice(&members->body);
    snprintf(url, sizeof(url), "%s/node/v1/report", leader->agents_url);
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = &members->body_slice,
                                         .body_count = 1,
                                         .connect_timeout_ms = REPORT_MS / 2,
                                         .timeout_ms = REPORT_MS,
                                         .max_response_bytes = 64 * KIB};
    members->report = http_client_send(members->http, &request, on_report, members);
}

/* Whether the present leader knows our certificate: it keeps that in memory only. */
static bool is_told(const struct members *members)
{
    return members->told.leader_id == node_leader_id(members->node) &&
           members->told.term == node_term(members->node) &&
           members->told.not_after_ms == members->not_after_ms;
}

static void tell_of_self(struct members *members, const struct state *state, int64_t now)
{
    const struct cell_node *row = state_node(state, node_id(members->node));
    bool same = row != NULL && says_so(row, &members->self);
    if (row == NULL || (same && (node_is_leader(members->node) || is_told(members))))
        return;
    if (node_is_leader(members->node)) {
        struct command cmd = {.kind = COMMAND_NODE_PUT, .node_put = members->self};
        cmd.node_put.node_id = row->node_id;
        cmd.node_put.instance = row->instance;
        cmd.node_put.peer_address = slice_str(row->peer_address);
        cmd.node_put.wanted = row->wanted;
        /* An operator may just be changing what is wanted of us: then we look again. */
        cmd.if_version = row->etag;
        propose(members, &cmd);
        return;
    }
    const struct cell_node *leader = state_node(state, node_leader_id(members->node));
    if (leader != NULL && leader->agents_url[0] != '\0')
        report(members, leader, now);
}

static void on_look(struct loop_timer *timer, void *arg)
{
    struct members *members = arg;
    const struct state *state = node_state(members->node);
    bool leads = node_can_read(members->node);

    loop_timer_set(timer, LOOK_MS);
    if (!members->ready)
        return;
    if (!state_cell(state)->founded) {
        if (leads && members->founding != NULL)
            found(members);
        return;
    }
    int64_t now = loop_now_ms(node_loop(members->node));
    tell_of_self(members, state, now);
    if (leads)
        change_members(members, state, now);
}

/* ---- life ---- */

struct members *members_new(const struct members_options *options)
{
    struct members *members = mem_zalloc(sizeof(*members));
    struct loop *loop = node_loop(options->node);
    members->node = options->node;
    members->self = options->self;
    members->founding = options->founding;
    members->election_timeout_ms = options->election_timeout_ms;
    members->reported_at_ms = INT64_MIN / 2;
    str_init(&members->body, 64 * KIB);
    members->http = http_client_new(loop, 1);
    loop_timer_init(&members->look, loop, on_look, members);
    loop_timer_set(&members->look, 0);
    return members;
}

void members_free(struct members *members)
{
    if (members == NULL)
        return;
    loop_timer_fini(&members->look);
    http_client_free(members->http);
    str_fini(&members->body);
    /* A proposal or a change under way ends when the node stops, after us. */
    members->ending = true;
    end(members);
}

void members_set_urls(struct members *members, struct slice people_url,
                      struct slice agents_url)
{
    members->self.people_url = people_url;
    members->self.agents_url = agents_url;
    members->ready = true;
    loop_timer_set(&members->look, 0);
}

void members_set_certificate(struct members *members, int64_t not_after_ms,
                             const char *authority)
{
    members->not_after_ms = not_after_ms;
    snprintf(members->authority, sizeof(members->authority), "%s", authority);
}

void members_set_tls(struct members *members, const struct http_tls *tls)
{
    http_client_set_tls(members->http, tls);
}
