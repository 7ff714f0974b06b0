/* api_join.c - a further node comes into the cell, and each node says what it is.
 *
 * Joining wants two things: a token of one use, which an operator made, and proof of the
 * cell key, without which the node could open nothing that it will be sent. Both are
 * judged before anything is written. With --join-by-key the key is enough: then the token
 * may be the one that is made of it. The node's own random instance makes a repeat, whose
 * first answer was lost, the same join: it gets the same id. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/call.h"

#define NAME_MAX_LEN    100
#define ADDRESS_MAX_LEN 255
#define URL_MAX_LEN     1024
#define NAMES_MAX_LEN   8192

struct join {
    struct slice request_pem, tls_names;
    struct node_fields fields;
    bool by_key; /* its token is the one that the cell key makes */
    uint64_t node_id;
    size_t peer_count;
    struct {
        uint64_t node_id;
        const char *address;
    } peers[PEERS_MAX];
    struct call_proposal use, put;
};

/* --- POST /api/v1/cell/join --- */

static void join_copy(struct node *node, struct call *call)
{
    struct join *join = call->data;
    const struct cell_node *row = NULL;
    while (join->peer_count < PEERS_MAX &&
           (row = state_node_next(node_state(node), row)) != NULL) {
        if (row->node_id == join->node_id)
            continue;
        join->peers[join->peer_count].node_id = row->node_id;
        join->peers[join->peer_count++].address =
            arena_strdup(&call->arena, slice_str(row->peer_address));
    }
}

static void put_settled(struct node *node, struct call *call)
{
    struct join *join = call->data;
    struct command_result result;
    if (call_result(call, &join->put, "node", &result)) {
        join->node_id = (uint64_t)result.value;
        join_copy(node, call);
    }
    call_done(call);
}

static void use_settled(struct node *node, struct call *call)
{
    struct join *join = call->data;
    struct command_result result;
    struct command cmd = {.kind = COMMAND_NODE_PUT, .node_put = join->fields};

    if (command_result_read(join->use.result, &result) != 0)
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    else if (result.code != 0)
        call_fail(call, ERR_UNAUTHENTICATED,
                  "this join token is used up or has expired: make a new one");
    if (call->err.code != 0)
        call_done(call);
    else
        call_propose(node, call, &join->put, &cmd, put_settled);
}

static void token_check(struct node *node, struct call *call)
{
    const struct join *join = call->data;
    const struct token *token = state_token(node_state(node), call->token_hash);

    if (token == NULL)
        call_fail(call, ERR_UNAUTHENTICATED,
                  "unknown join token: an operator makes one by POST "
                  "/api/v1/cell/join-tokens");
    else if (token->token_kind != TOKEN_JOIN)
        call_fail(call, ERR_FORBIDDEN,
                  "this is no join token: an operator makes one by POST "
                  "/api/v1/cell/join-tokens");
    else if (token->expires_at_ms != 0 && token->expires_at_ms <= node_now_ms(node))
        call_fail(call, ERR_UNAUTHENTICATED,
                  "this join token has expired: make a new one");
    else if (token->used_at_ms != 0 && !uuid_eq(&token->used_by, &join->fields.instance))
        call_fail(call, ERR_UNAUTHENTICATED,
                  "this join token was used already, by another node: each is for one, "
                  "make a new one");
}

/* What can be known before anything is written. */
static void join_check(struct node *node, struct call *call)
{
    const struct join *join = call->data;
    const struct state *state = node_state(node);
    const struct cell_node *row = NULL;

    if (!join->by_key)
        token_check(node, call);
    else if (!call->service->options->join_by_key)
        call_fail(
            call, ERR_FORBIDDEN,
            "this cell takes no node in by the cell key alone: start its nodes with "
            "--join-by-key, or join with --join-token and --ca-fingerprint");
    if (join->fields.features_max < state_cell(state)->feature_level)
        call_fail(call, ERR_CONFLICT,
                  "the cell is at feature level %u, which this node's program does not "
                  "know: upgrade it",
                  state_cell(state)->feature_level);
    while ((row = state_node_next(state, row)) != NULL) {
        if (slice_eq_str(join->fields.peer_address, row->peer_address) &&
            !uuid_eq(&row->instance, &join->fields.instance))
            call_fail(call, ERR_CONFLICT,
                      "node %llu has the address %s already: remove it first if it is "
                      "lost, or give this one another --advertise-peers",
                      (unsigned long long)row->node_id, row->peer_address);
    }
}

/* The audit log has nobody to name but the cell, whose key it was. */
static void join_by_key(struct node *node, struct call *call)
{
    struct join *join = call->data;
    struct command cmd = {.kind = COMMAND_NODE_PUT, .node_put = join->fields};
    snprintf(call->principal.name, sizeof(call->principal.name), "cell key");
    call_propose(node, call, &join->put, &cmd, put_settled);
}

static void join_core(struct node *node, struct call *call)
{
    struct join *join = call->data;
    struct command cmd = {.kind = COMMAND_TOKEN_USE,
                          .token_use = {.used_by = join->fields.instance}};
    join_check(node, call);
    if (call->err.code != 0) {
        call_done(call);
        return;
    }
    call_target(call, "nodes/%.*s", (int)join->fields.name.len,
                (const char *)join->fields.name.ptr);
    if (join->by_key) {
        join_by_key(node, call);
        return;
    }
    call_as_token(call, state_token(node_state(node), call->token_hash));
    memcpy(cmd.token_use.hash, call->token_hash, SHA256_LEN);
    call_propose(node, call, &join->use, &cmd, use_settled);
}

static struct json *join_json(struct call *call, const struct join *join,
                              const struct str *chain)
{
    struct json *answer = json_object(), *peers = json_array();
    struct uuid cell_id = node_cell_id(call->service->node);
    struct str ca;

    str_init(&ca, MIB);
    trust_bundle(call->service->trust, &ca);
    for (size_t i = 0; i < join->peer_count; i++) {
        struct json *peer = json_object();
        json_set(peer, "node_id", json_int((int64_t)join->peers[i].node_id));
        json_set(peer, "address", json_string(join->peers[i].address));
        json_push(peers, peer);
    }
    json_set(answer, "node_id", json_int((int64_t)join->node_id));
    json_set(answer, "cell_id", json_uuid(&cell_id));
    json_set(answer, "certificate_pem", json_slice(str_slice(chain)));
    json_set(answer, "ca_pem", json_slice(str_slice(&ca)));
    json_set(answer, "peers", peers);
    json_set(answer, "now_ms", json_int(call->now_ms));
    str_fini(&ca);
    return answer;
}

static void join_answer(struct call *call)
{
    struct join *join = call->data;
    struct uuid cell_id = node_cell_id(call->service->node);
    int64_t not_after_ms;
    struct str chain;
    struct err err;
    char *names = arena_strdup(&call->arena, join->tls_names);

    str_init(&chain, 4 * X509_PEM_MAX);
    int code =
        trust_sign_node(call->service->trust, join->request_pem, &cell_id, join->node_id,
                        names, call->now_ms, &chain, &not_after_ms, &err);
    if (code != 0)
        call_fail(call, code, "request_pem or tls_names: %.200s", err.text);
    else
        call_reply_json(call, 200, join_json(call, join, &chain));
    str_fini(&chain);
}

static bool proves_cell_key(struct call *call, const struct join *join)
{
    char want[2 * SHA256_LEN + 1];
    struct json_reader r = call_reader(call);
    struct slice proof =
        json_get_string(&r, call->body, "cell_key_proof", 2 * SHA256_LEN);
    if (r.failed)
        return false;
    trust_join_proof(call->service->trust, join->request_pem, want);
    if (proof.len == 2 * SHA256_LEN && crypto_equal(proof.ptr, want, proof.len))
        return true;
    call_fail(call, ERR_FORBIDDEN,
              "this node was given another cell key than the cell has: copy the key of "
              "the cell's first node, and name it with --cell-key-file");
    return false;
}

static bool has_key_token(const struct call *call)
{
    char text[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN];
    trust_key_token(call->service->trust, text, hash);
    explicit_bzero(text, sizeof(text));
    return crypto_equal(hash, call->token_hash, sizeof(hash));
}

/* Goes into tables and logs of all nodes: printable, and no spaces. */
static void check_text(struct call *call, const char *key, struct slice text, bool space)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < (space ? ' ' : '!') || text.ptr[i] > '~')
            call_fail(call, ERR_INVALID, "%s: want printable ASCII%s", key,
                      space ? "" : " without spaces");
    }
}

static void read_fields(struct call *call, struct json_reader *r,
                        struct node_fields *fields)
{
    fields->name = json_get_string(r, call->body, "name", NAME_MAX_LEN);
    fields->people_url = json_get_string(r, call->body, "people_url", URL_MAX_LEN);
    fields->agents_url = json_get_string(r, call->body, "agents_url", URL_MAX_LEN);
    fields->version = json_get_string(r, call->body, "version", NAME_MAX_LEN);
    fields->features_max =
        (uint32_t)json_get_int(r, call->body, "feature_level_max", 1, UINT32_MAX);
    check_text(call, "name", fields->name, true);
    check_text(call, "people_url", fields->people_url, false);
    check_text(call, "agents_url", fields->agents_url, false);
    check_text(call, "version", fields->version, true);
    if (!r->failed && fields->name.len == 0)
        call_fail(call, ERR_INVALID, "name: is empty");
}

void api_cell_join(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct join *join = arena_alloc(&call->arena, sizeof(*join));
    *join = (struct join){0};

    join->request_pem = json_get_string(&r, call->body, "request_pem", X509_PEM_MAX);
    join->tls_names = json_get_string(&r, call->body, "tls_names", NAMES_MAX_LEN);
    read_fields(call, &r, &join->fields);
    join->fields.peer_address =
        json_get_string(&r, call->body, "peer_address", ADDRESS_MAX_LEN);
    join->fields.instance = json_get_uuid(&r, call->body, "instance");
    const struct json *standby = json_find(call->body, "standby");
    bool stays = standby != NULL && json_as_bool(&r, standby, "standby");
    join->fields.wanted = stays ? WANT_STANDBY : WANT_VOTER;
    check_text(call, "peer_address", join->fields.peer_address, false);
    check_text(call, "tls_names", join->tls_names, false);
    if (r.failed || call->err.code != 0)
        return;
    if (join->fields.peer_address.len < 3 || uuid_is_zero(&join->fields.instance)) {
        call_fail(call, ERR_INVALID, "peer_address, instance: want HOST:PORT and a uuid");
        return;
    }
    if (!proves_cell_key(call, join))
        return;
    join->by_key = has_key_token(call);
    call->data = join;
    call_ask(call, join_core, join_answer);
}

/* --- POST /node/v1/report, on the agents' listener --- */

struct report {
    struct node_fields fields;
    int64_t not_after_ms;   /* of its certificate: */
    struct slice authority; /* empty: it did not tell */
    struct call_proposal put;
};

static void report_settled(struct node *node, struct call *call)
{
    struct report *report = call->data;
    struct command_result result;
    (void)node;
    if (!call_result(call, &report->put, "node", &result))
        call->err.code = result.code;
    call_done(call);
}

/* Not in the state: it is asked for by people, and before an authority is retired. */
static void note_certificate(struct call *call, const struct report *report)
{
    char authority[X509_KEY_ID_LEN + 1];

    if (report->authority.len == 0)
        return;
    snprintf(authority, sizeof(authority), "%.*s", (int)report->authority.len,
             (const char *)report->authority.ptr);
    node_certificates_set(&call->service->certificates, report->fields.node_id,
                          report->not_after_ms, authority);
}

static bool says_nothing_new(const struct cell_node *row,
                             const struct node_fields *fields)
{
    return slice_eq_str(fields->name, row->name) &&
           slice_eq_str(fields->people_url, row->people_url) &&
           slice_eq_str(fields->agents_url, row->agents_url) &&
           slice_eq_str(fields->version, row->version) &&
           fields->features_max == row->features_max;
}

static void report_core(struct node *node, struct call *call)
{
    struct report *report = call->data;
    const struct cell_node *row = state_node(node_state(node), report->fields.node_id);
    struct command cmd = {.kind = COMMAND_NODE_PUT, .node_put = report->fields};

    if (row == NULL) {
        call_fail(call, ERR_NOT_FOUND, "this node is not in the cell (any more)");
        call_done(call);
        return;
    }
    note_certificate(call, report);
    if (says_nothing_new(row, &report->fields)) {
        call_done(call);
        return;
    }
    cmd.node_put.instance = row->instance;
    cmd.node_put.peer_address = slice_str(row->peer_address);
    cmd.node_put.wanted = row->wanted;
    /* An operator may just be changing what is wanted of it: the node reports again. */
    cmd.if_version = row->etag;
    call_propose(node, call, &report->put, &cmd, report_settled);
}

static void report_answer(struct call *call)
{
    call_reply_json(call, 200, call_answer(call));
}

/* Of itself alone, by its certificate. */
void api_node_report(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct report *report = arena_alloc(&call->arena, sizeof(*report));
    const char *uri = http_exchange_peer_uri(call->x);
    struct uuid cell_id;

    *report = (struct report){0};
    if (x509_parse_node_uri(slice_str(uri), &cell_id, &report->fields.node_id) != 0) {
        call_fail(call, ERR_FORBIDDEN, "this call is for the nodes of this cell");
        return;
    }
    read_fields(call, &r, &report->fields);
    const struct json *authority = json_find(call->body, "certificate_authority");
    if (authority != NULL) { /* a node of the release before does not tell */
        report->authority =
            json_as_string(&r, authority, "certificate_authority", X509_KEY_ID_LEN);
        report->not_after_ms =
            json_get_int(&r, call->body, "certificate_expires_at_ms", 0, CALL_TIME_MAX);
        check_text(call, "certificate_authority", report->authority, false);
    }
    if (r.failed || call->err.code != 0)
        return;
    call->data = report;
    call_ask(call, report_core, report_answer);
}
