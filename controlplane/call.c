/* call.c - the life of a call: who may call, what the body is, the way to the core thread
 * and back, the answer. Every listener's exchanges come through call_ops.
 *
 * Order of judgement, so that nobody unknown makes us read or parse anything: path,
 * method, credential, media type, size; then the body. */
#include "controlplane/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/lz.h"
#include "common/x509.h"
#include "controlplane/metrics.h"
#include "controlplane/problem.h"

#define ARENA_MAX           (48 * MIB)
#define ANSWER_MAX          (256 * MIB)
#define COMPRESS_FROM_BYTES (4 * KIB)
/* A JSON value costs about so much memory, whatever its text; so their number is bounded
 * beside the size of the text (I12). */
#define VALUE_BYTES 64
#define VALUES_MAX  (256 * KIB)

void call_fail(struct call *call, int code, const char *fmt, ...)
{
    va_list args;
    if (call->err.code != 0)
        return;
    call->err.code = code;
    va_start(args, fmt);
    vsnprintf(call->err.text, sizeof(call->err.text), fmt, args);
    va_end(args);
}

struct json_reader call_reader(struct call *call)
{
    return (struct json_reader){.err = &call->err, .failed = false};
}

void call_drop_body(struct call *call)
{
    json_free(call->body);
    call->body = NULL;
    str_fini(&call->plain);
    str_init(&call->plain, 0);
}

static void call_free(struct call *call)
{
    if (call->cleanup != NULL)
        call->cleanup(call);
    call_drop_body(call);
    if (call->charged_bytes > 0)
        budget_give(&call->service->budget, call->charged_bytes);
    arena_fini(&call->arena);
    mem_free(call);
}

/* --- who calls --- */

static void check_admin(struct call *call)
{
    struct slice token = token_of_header(http_exchange_header(call->x, "Authorization"));
    if (token.ptr == NULL)
        call_fail(
            call, ERR_UNAUTHENTICATED,
            "this call wants the admin token: send \"Authorization: Bearer TOKEN\"; "
            "the control plane's first start wrote it to its admin token file");
    else if (token_kind_of(token) == TOKEN_ENROL)
        call_fail(call, ERR_FORBIDDEN,
                  "this is an enrolment token, which lets agents enrol and nothing else: "
                  "use the admin token");
    else
        token_hash(token, call->token_hash);
}

/* On the core thread: the state knows the tokens. */
static void admit_admin(struct node *node, struct call *call)
{
    const struct token *token = state_token(node_state(node), call->token_hash);
    if (token == NULL ||
        (token->expires_at_ms != 0 && token->expires_at_ms <= node_now_ms(node)))
        call_fail(call, ERR_UNAUTHENTICATED,
                  "unknown token: use the one in the control plane's admin token file");
    else if (token->token_kind != TOKEN_API || token->role != ROLE_OPERATOR)
        call_fail(call, ERR_FORBIDDEN, "this call wants an operator's token");
}

static void check_enrol(struct call *call)
{
    struct slice token = token_of_header(http_exchange_header(call->x, "Authorization"));
    if (token.ptr == NULL)
        call_fail(call, ERR_UNAUTHENTICATED,
                  "this call wants an enrolment token: send \"Authorization: Bearer "
                  "TOKEN\"; an admin makes one for a cluster");
    else if (token_kind_of(token) == TOKEN_API)
        call_fail(call, ERR_FORBIDDEN,
                  "this is an admin token: agents enrol with an enrolment token, made by "
                  "POST /api/v1/clusters/{id}/enrolment-tokens");
    else
        token_hash(token, call->token_hash);
}

static void check_agent(struct call *call)
{
    const char *uri = http_exchange_peer_uri(call->x);
    if (x509_parse_agent_uri(slice_str(uri), &call->cluster_id, &call->agent_id) != 0)
        call_fail(call, ERR_FORBIDDEN,
                  "the client certificate names no cluster and agent: enrol to get one");
    else if (http_exchange_peer_not_after_ms(call->x) < clock_wall_ms())
        call_fail(call, ERR_UNAUTHENTICATED,
                  "the client certificate has expired while the connection was open: "
                  "enrol again with an enrolment token");
}

static void check_access(struct call *call)
{
    switch (call->route->access) {
    case ACCESS_OPEN:
        break;
    case ACCESS_ADMIN:
        check_admin(call);
        break;
    case ACCESS_ENROL:
        check_enrol(call);
        break;
    case ACCESS_AGENT:
        check_agent(call);
        break;
    }
}

/* --- the head --- */

/* Whoever had the call last has answered, parked it, or failed. */
static void finish(struct call *call)
{
    /* Parked: it may be another thread's already, so look at nothing of it. */
    if (http_exchange_parked(call->x))
        return;
    if (!http_exchange_replied(call->x)) {
        ASSERT(call->err.code != 0);
        problem_reply(call->x, &call->err, call->leader);
    }
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = content_type + sizeof(json) - 1;
    return *rest == '\0' || *rest == ';' || *rest == ' ';
}

/* What the head says of the body. False: answered. */
static bool check_media(struct call *call)
{
    struct http_exchange *x = call->x;
    const char *encoding = http_exchange_header(x, "X-Weft-Encoding");
    if (!http_exchange_has_body(x))
        return true;
    /* Agents send nothing else, and are not asked to say so in every request. */
    if (call->route->access != ACCESS_AGENT &&
        !is_json(http_exchange_header(x, "Content-Type"))) {
        problem_reply_status(x, 415, "unsupported media type",
                             "send the body with Content-Type: application/json");
        return false;
    }
    if (encoding != NULL && strcasecmp(encoding, "lz4") != 0) {
        problem_reply_status(x, 415, "unsupported encoding",
                             "X-Weft-Encoding can be lz4, or left away");
        return false;
    }
    return true;
}

static void on_head(struct http_exchange *x, void *arg)
{
    const struct call_listener *listener = arg;
    struct str allow;
    struct slice id;
    size_t index = 0;

    str_init(&allow, 256);
    enum route_result found = route_find(listener->table, http_exchange_method(x),
                                         http_exchange_path(x), &index, &id, &allow);
    if (found == ROUTE_NO_METHOD) {
        http_exchange_add_header(x, "Allow", str_cstr(&allow));
        problem_reply_status(x, 405, "method not allowed",
                             "this path has other methods: see the Allow header");
    } else if (found == ROUTE_NO_PATH) {
        struct err err;
        err_set(&err, ERR_NOT_FOUND, "there is no such path on this listener");
        problem_reply(x, &err, NULL);
    }
    str_fini(&allow);
    if (found != ROUTE_FOUND)
        return;
    struct call *call = mem_zalloc(sizeof(*call));
    call->x = x;
    call->service = listener->service;
    call->route = &listener->table->routes[index];
    call->stats = &listener->table->stats[index];
    call->id = id;
    arena_init(&call->arena, ARENA_MAX);
    str_init(&call->plain, 0);
    http_exchange_set_user(x, call);
    http_exchange_limit_body(x, call->route->body_max);
    check_access(call);
    if (call->err.code != 0)
        finish(call);
    else
        (void)check_media(call);
}

/* --- the body --- */

/* Take what the parsed body will cost from the budget of all requests. */
static bool charge(struct call *call, size_t bytes)
{
    if (!budget_take(&call->service->budget, bytes)) {
        call_fail(call, ERR_OVERLOADED, "too many requests are being served; try again");
        return false;
    }
    call->charged_bytes += bytes;
    return true;
}

static bool unpack(struct call *call, struct slice *text)
{
    str_init(&call->plain, call->route->body_max);
    int code = lz_body_decode(*text, call->route->body_max, &call->plain);
    if (code != 0) {
        call_fail(
            call, code,
            code == ERR_TOO_LARGE
                ? "the unpacked body is over the limit of %zu bytes for this call"
                : "the body is not what X-Weft-Encoding: lz4 says (limit %zu bytes)",
            call->route->body_max);
        return false;
    }
    *text = str_slice(&call->plain);
    return charge(call, call->plain.len);
}

/* About how many values the text holds: each but the first follows one of these. */
static size_t count_values(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    return count;
}

static void parse_body(struct call *call)
{
    struct slice text = http_exchange_body(call->x);
    if (text.len == 0 && (call->route->flags & ROUTE_OPTIONAL_BODY) != 0) {
        call->body = json_object();
        return;
    }
    if (http_exchange_header(call->x, "X-Weft-Encoding") != NULL && !unpack(call, &text))
        return;
    size_t values = count_values(text);
    if (values > VALUES_MAX) {
        call_fail(call, ERR_TOO_LARGE, "the body holds too many JSON values (limit %zu)",
                  VALUES_MAX);
        return;
    }
    if (charge(call, values * VALUE_BYTES) &&
        json_parse(text, &call->body, &call->err) != 0)
        ASSERT(call->err.code != 0);
}

static void on_request(struct http_exchange *x, void *arg)
{
    struct call *call = http_exchange_user(x);
    (void)arg;
    metric_add(control_metric(http_request_bytes_total),
               (int64_t)http_exchange_body(x).len);
    if (strcmp(call->route->method, "GET") != 0)
        parse_body(call);
    if (call->err.code == 0)
        call->route->start(call);
    finish(call);
}

static void on_resume(struct http_exchange *x, void *arg)
{
    struct call *call = http_exchange_user(x);
    (void)arg;
    if (call->err.code == 0)
        call->then(call);
    finish(call);
}

static void on_end(struct http_exchange *x, void *arg)
{
    struct call *call = http_exchange_user(x);
    int status = http_exchange_status(x);
    (void)arg;

    metric_add(control_metric(http_requests_total), 1);
    if (status >= 400) {
        metric_add(control_metric(http_refused_total), 1);
        log_debug("http", "refused", "peer=%s method=%s path=%s status=%d",
                  http_exchange_peer(x), http_exchange_method(x),
                  call == NULL ? "?" : call->route->path, status);
    }
    if (call == NULL)
        return;
    if ((call->route->flags & ROUTE_WAITS) == 0)
        metric_observe(control_metric(http_seconds),
                       clock_monotonic_us() - http_exchange_started_us(x));
    if (status >= 100 && status < 600)
        atomic_fetch_add_explicit(&call->stats->by_class[status / 100], 1,
                                  memory_order_relaxed);
    call_free(call);
}

const struct http_server_ops call_ops = {.on_head = on_head,
                                         .on_request = on_request,
                                         .on_resume = on_resume,
                                         .on_end = on_end};

/* --- to the core thread and back --- */

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
    bool agents = call->route->access == ACCESS_AGENT;
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

static void run(struct node *node, struct ask *ask)
{
    struct call *call = CONTAINER_OF(ask, struct call, ask);
    if (call_may_read(node, call)) {
        if (call->route->access == ACCESS_AGENT)
            admit_agent(node, call);
        else if (call->route->access == ACCESS_ADMIN)
            admit_admin(node, call);
    }
    if (call->err.code != 0)
        call_done(call);
    else
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

void call_done(struct call *call)
{
    struct service *service = call->service;
    call->cursor = state_applied_index(node_state(service->node));
    call->now_ms = node_now_ms(service->node);
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
    if (call->err.code == 0 && call->on_settled != NULL)
        call->on_settled(node, call);
    else
        call_done(call);
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
    node_propose(node, &proposal->proposal, cmd);
}

/* --- answers --- */

bool call_path_uuid(struct call *call, struct uuid *id)
{
    if (uuid_parse(call->id, id) == 0)
        return true;
    call_fail(call, ERR_NOT_FOUND, "the path names no such thing: its id is not a uuid");
    return false;
}

/* Pack TEXT when the caller can unpack and it is worth it. */
static void pack(struct call *call, struct str *text)
{
    const char *accept = http_exchange_header(call->x, "X-Weft-Accept");
    struct str packed;
    if (accept == NULL || strcasecmp(accept, "lz4") != 0 ||
        text->len < COMPRESS_FROM_BYTES)
        return;
    str_init(&packed, ANSWER_MAX);
    if (lz_body_encode(str_slice(text), &packed) == 0 && packed.len < text->len) {
        http_exchange_add_header(call->x, "X-Weft-Encoding", "lz4");
        struct str plain = *text;
        *text = packed;
        packed = plain;
    }
    str_fini(&packed);
}

void call_reply_text(struct call *call, int status, const char *content_type,
                     struct str *text)
{
    if (text->overflowed) {
        str_fini(text);
        str_init(text, 0);
        call_fail(call, ERR_INTERNAL, "the answer is larger than an answer can be");
        return;
    }
    pack(call, text);
    metric_add(control_metric(http_response_bytes_total), (int64_t)text->len);
    http_exchange_reply(call->x, status, content_type, text);
}

struct json *call_answer(const struct call *call)
{
    struct json *answer = json_object();
    json_set(answer, "now_ms", json_int(call->now_ms));
    json_set(answer, "cursor", json_int((int64_t)call->cursor));
    return answer;
}

void call_reply_json(struct call *call, int status, struct json *value)
{
    struct str text;
    str_init(&text, ANSWER_MAX);
    json_print(value, &text);
    json_free(value);
    call_reply_text(call, status, "application/json", &text);
}
