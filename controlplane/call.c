/* call.c - the life of a call: who may call, what the body is, the way to the core thread
 * and back, the answer. Every listener's exchanges come through call_ops.
 *
 * Order of judgement, so that nobody unknown makes us read or parse anything: path,
 * method, the credential's form, quota, media type, size; for people then the token's
 * principal, its scope and role (on the core thread); then the body. */
#include "controlplane/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
#define KEY_MAX     128 /* of Idempotency-Key */
/* An answer that takes so long is worth a line; so many lines a second at most about
 * slow, and about refused ones, since who is refused may ask for ever. */
#define SLOW_MS          1000
#define LINES_PER_SECOND 50
#define LOCATION_MAX     512

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

/* --- who calls: what the head alone tells --- */

static const struct {
    enum token_kind kind;
    const char *name, *origin;
} token_words[] = {
    {TOKEN_API, "an API token", "an operator or admin makes one (weft token create)"},
    {TOKEN_ENROL, "an enrolment token", "an admin makes one for a cluster"},
    {TOKEN_JOIN, "a join token", "an operator makes one for each new node"},
};

static const char *token_word(int kind)
{
    for (size_t i = 0; i < ARRAY_LEN(token_words); i++)
        if ((int)token_words[i].kind == kind)
            return token_words[i].name;
    return "no token of ours";
}

static enum token_kind wanted_kind(enum route_access access)
{
    if (access == ACCESS_ENROL)
        return TOKEN_ENROL;
    return access == ACCESS_JOIN ? TOKEN_JOIN : TOKEN_API;
}

/* The token's form and kind; whose it is, is known on the core thread only. */
static void check_token(struct call *call)
{
    enum token_kind want = wanted_kind(call->route->access);
    struct slice token = token_of_header(http_exchange_header(call->x, "Authorization"));
    int kind = token.ptr == NULL ? TOKEN_UNKNOWN : token_kind_of(token);

    if (kind == (int)want) {
        token_hash(token, call->token_hash);
    } else if (kind != TOKEN_UNKNOWN)
        call_fail(call, ERR_FORBIDDEN, "this is %s, but the call wants %s",
                  token_word(kind), token_word((int)want));
    else
        call_fail(call, ERR_UNAUTHENTICATED,
                  "%s: send \"Authorization: Bearer TOKEN\" with %s; %s",
                  token.ptr == NULL ? "there is no token" : "this is no token of ours",
                  token_word((int)want), token_words[want - 1].origin);
}

/* A connection outlives its handshake: so what was verified there is looked at again. */
static void check_certificate(struct call *call, const char *what)
{
    if (http_exchange_peer_not_after_ms(call->x) < clock_wall_ms())
        call_fail(call, ERR_UNAUTHENTICATED,
                  "the client certificate has expired while the connection was open: %s",
                  what);
    else if (!trust_knows(call->service->trust, http_exchange_peer_authority(call->x)))
        call_fail(call, ERR_UNAUTHENTICATED,
                  "the authority of the client certificate was retired while the "
                  "connection was open: %s",
                  what);
}

static void check_agent(struct call *call)
{
    const char *uri = http_exchange_peer_uri(call->x);
    if (x509_parse_agent_uri(slice_str(uri), &call->cluster_id, &call->agent_id) != 0)
        call_fail(call, ERR_FORBIDDEN,
                  "the client certificate names no cluster and agent: enrol to get one");
    else
        check_certificate(call, "enrol again with an enrolment token");
}

static void check_node(struct call *call)
{
    const char *uri = http_exchange_peer_uri(call->x);
    struct uuid cell_id, ours = node_cell_id(call->service->node);
    uint64_t node_id;
    if (x509_parse_node_uri(slice_str(uri), &cell_id, &node_id) != 0 ||
        !uuid_eq(&cell_id, &ours))
        call_fail(call, ERR_FORBIDDEN, "this call is for the nodes of this cell");
    else
        check_certificate(call, "connect again with the node's present one");
}

static void check_credential(struct call *call)
{
    switch (call->route->access) {
    case ACCESS_OPEN:
        break;
    case ACCESS_VIEWER:
    case ACCESS_ADMIN:
    case ACCESS_OPERATOR:
    case ACCESS_ENROL:
    case ACCESS_JOIN:
        check_token(call);
        break;
    case ACCESS_NODE:
        check_node(call);
        break;
    case ACCESS_AGENT:
        check_agent(call);
        break;
    }
}

/* --- how often --- */

/* Watches have a bucket of their own: whoever uses up the rest still hears the news, and
 * keeps its session. */
struct uuid call_bucket(const struct call *call)
{
    struct uuid who = call->cluster_id;
    if (call->route->access != ACCESS_AGENT)
        memcpy(who.bytes, call->token_hash, sizeof(who.bytes));
    else if ((call->route->flags & ROUTE_WAITS) != 0)
        who.bytes[0] ^= 0xff;
    return who;
}

static void check_quota(struct call *call)
{
    struct service *service = call->service;
    struct uuid who = call_bucket(call);
    bool agent = call->route->access == ACCESS_AGENT;

    if (call->err.code != 0 || call->route->access == ACCESS_OPEN)
        return;
    call->retry_ms = quota_take(agent ? service->cluster_quota : service->token_quota,
                                &who, clock_monotonic_ms());
    if (call->retry_ms == 0)
        return;
    metric_add(control_metric(throttled_total), 1);
    call_fail(call, ERR_OVERLOADED,
              "more requests per second than %s may make: wait as Retry-After says",
              agent ? "this cluster" : "one token");
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
        problem_reply(call->x, &call->err, call->leader, call->retry_ms);
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

/* No route: OPTIONS is answered for every path there is. */
static void reply_without_route(struct http_exchange *x, enum route_result found,
                                const char *allow)
{
    struct str empty;
    struct err err;

    if (found == ROUTE_NO_PATH) {
        err_set(&err, ERR_NOT_FOUND, "there is no such path on this listener");
        problem_reply(x, &err, NULL, 0);
        return;
    }
    http_exchange_add_header(x, "Allow", allow);
    if (strcmp(http_exchange_method(x), "OPTIONS") == 0) {
        str_init(&empty, 0);
        http_exchange_reply(x, 204, NULL, &empty);
    } else {
        problem_reply_status(x, 405, "method not allowed",
                             "this path has other methods: see the Allow header");
    }
}

/* Every answer to people can be found again in the audit log, and in this node's. */
static struct uuid give_request_id(struct http_exchange *x)
{
    struct uuid id = uuid_random();
    char text[UUID_TEXT_LEN + 1];
    http_exchange_add_header(x, "X-Request-Id", uuid_print(&id, text));
    return id;
}

/* Agents have numbered their call, and log that. */
static void take_trace(struct call *call)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
    const char *sent = http_exchange_header(call->x, "X-Request-Id");
    _Static_assert(CALL_TRACE_MAX >= UUID_TEXT_LEN, "room for either");

    if (!uuid_is_zero(&call->request_id))
        uuid_print(&call->request_id, call->trace);
    else if (sent != NULL && strlen(sent) <= CALL_TRACE_MAX &&
             sent[strspn(sent, allowed)] == '\0')
        memcpy(call->trace, sent, strlen(sent) + 1);
    if (call->trace[0] == '\0')
        call->trace[0] = '-';
}

static void on_head(struct http_exchange *x, void *arg)
{
    const struct call_listener *listener = arg;
    struct uuid request_id = UUID_ZERO;
    struct route_match match;
    struct str allow;

    str_init(&allow, 256);
    enum route_result found = route_find(listener->table, http_exchange_method(x),
                                         http_exchange_path(x), &match, &allow);
    if (listener->table == &people_table)
        request_id = give_request_id(x);
    if (found != ROUTE_FOUND)
        reply_without_route(x, found, str_cstr(&allow));
    str_fini(&allow);
    if (found != ROUTE_FOUND)
        return;
    struct call *call = mem_zalloc(sizeof(*call));
    call->x = x;
    call->service = listener->service;
    call->route = &listener->table->routes[match.index];
    call->stats = &listener->table->stats[match.index];
    call->id = match.id;
    call->cluster_text = match.cluster;
    call->request_id = request_id;
    take_trace(call);
    arena_init(&call->arena, ARENA_MAX);
    str_init(&call->plain, 0);
    http_exchange_set_user(x, call);
    http_exchange_limit_body(x, call->route->body_max);
    check_credential(call);
    check_quota(call);
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

static bool takes_body(const struct route *route)
{
    return strcmp(route->method, "GET") != 0 && strcmp(route->method, "DELETE") != 0;
}

/* Idempotency-Key of a person's call: its hash, and that of what it is good for. Others'
 * calls may be several commands, which one key cannot tell apart, and are repeatable by
 * themselves. */
static void read_key(struct call *call)
{
    const char *key = http_exchange_header(call->x, "Idempotency-Key");
    struct str all;

    if (key == NULL || strcmp(call->route->method, "POST") != 0 ||
        !route_wants_person(call->route))
        return;
    size_t len = strlen(key);
    for (size_t i = 0; i < len; i++)
        if (key[i] < '!' || key[i] > '~')
            len = 0;
    if (len == 0 || len > KEY_MAX) {
        call_fail(call, ERR_MALFORMED,
                  "Idempotency-Key: want 1 to %d printable ASCII characters, no space",
                  KEY_MAX);
        return;
    }
    call->has_key = true;
    crypto_sha256(slice_str(key), call->context.idempotency_key);
    str_init(&all, call->route->body_max + 4 * KIB);
    str_printf(&all, "%s %s\n", call->route->method, http_exchange_path(call->x));
    str_append_slice(&all, http_exchange_body(call->x));
    crypto_sha256(str_slice(&all), call->context.body_hash);
    str_fini(&all);
}

#define NO_VERSION UINT64_MAX /* that nothing has */

/* If-Match: "7", or * for whatever there is (RFC 9110 section 13.1.1). What is no ETag of
 * ours matches nothing. */
static void read_if_match(struct call *call)
{
    const char *text = http_exchange_header(call->x, "If-Match");
    char *end = NULL;
    if (text == NULL || strcmp(text, "*") == 0)
        return;
    errno = 0;
    if (text[0] == '"' && text[1] >= '0' && text[1] <= '9')
        call->if_version = strtoull(text + 1, &end, 10);
    if (end == NULL || strcmp(end, "\"") != 0 || errno != 0 || call->if_version == 0)
        call->if_version = NO_VERSION;
}

/* The head is approved: now the body counts. */
static void start(struct call *call)
{
    if (takes_body(call->route))
        parse_body(call);
    if (call->err.code == 0) {
        read_key(call);
        read_if_match(call);
    }
    if (call->err.code != 0)
        return;
    call->route->start(call);
    /* A text that is too long is a bad value; 413 is for bodies. A parked call may be
     * another thread's already. */
    if (!http_exchange_parked(call->x) && call->err.code == ERR_TOO_LARGE &&
        call->route->access != ACCESS_AGENT)
        call->err.code = ERR_INVALID;
}

static void admitted(struct node *node, struct call *call)
{
    (void)node;
    call_done(call);
}

static void on_request(struct http_exchange *x, void *arg)
{
    struct call *call = http_exchange_user(x);
    (void)arg;
    metric_add(control_metric(http_request_bytes_total),
               (int64_t)http_exchange_body(x).len);
    if (route_wants_person(call->route))
        call_ask(call, admitted, start);
    else
        start(call);
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

/* --- the log --- */

/* A failover, a restart, too many at once: callers go on by themselves. */
static bool is_passing(int status)
{
    return status == 421 || status == 503 || status == 429;
}

static void log_end(const struct call *call, int status)
{
    static struct log_burst refused = {.lines = LINES_PER_SECOND};
    static struct log_burst slow = {.lines = LINES_PER_SECOND};
    int64_t took_us = clock_monotonic_us() - http_exchange_started_us(call->x);
    enum log_level level = LOG_DEBUG;
    const char *msg = "request";
    uint64_t not_logged = 0;
    struct log_burst *burst = NULL;
    char cluster[UUID_TEXT_LEN + 1] = "-";

    if (status >= 400 && !is_passing(status)) {
        level = status >= 500 ? LOG_ERROR : LOG_INFO;
        msg = status >= 500 ? "request failed" : "request refused";
        burst = &refused;
    } else if (took_us >= SLOW_MS * 1000 && (call->route->flags & ROUTE_WAITS) == 0) {
        level = LOG_WARN;
        msg = "slow request";
        burst = &slow;
    }
    if (!log_enabled(level) ||
        (burst != NULL && !log_burst_pass(burst, clock_monotonic_ms(), &not_logged)))
        return;
    if (!uuid_is_zero(&call->cluster_id))
        uuid_print(&call->cluster_id, cluster);
    log_write(level, "http", msg,
              "request=%s method=%s path=%s cluster=%s peer=%s status=%d ms=%.1f "
              "not_logged=%llu err=%s",
              call->trace, call->route->method, call->route->path, cluster,
              http_exchange_peer(call->x), status, (double)took_us / 1000.0,
              (unsigned long long)not_logged, LOG_QUOTED(call->err.text));
}

static void on_end(struct http_exchange *x, void *arg)
{
    struct call *call = http_exchange_user(x);
    int status = http_exchange_status(x);
    (void)arg;

    metric_add(control_metric(http_requests_total), 1);
    if (status >= 400)
        metric_add(control_metric(http_refused_total), 1);
    if (call == NULL)
        return;
    log_end(call, status);
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

/* --- answers --- */

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

void call_etag(struct call *call, uint64_t version)
{
    char text[24];
    snprintf(text, sizeof(text), "\"%llu\"", (unsigned long long)version);
    http_exchange_add_header(call->x, "ETag", text);
}

void call_location(struct call *call, const char *fmt, ...)
{
    char text[LOCATION_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    http_exchange_add_header(call->x, "Location", text);
}

void call_reply_empty(struct call *call)
{
    struct str empty;
    str_init(&empty, 0);
    http_exchange_reply(call->x, 204, NULL, &empty);
}

void call_reply_json(struct call *call, int status, struct json *value)
{
    struct str text;
    str_init(&text, ANSWER_MAX);
    json_print(value, &text);
    json_free(value);
    if (call->route->access != ACCESS_AGENT && call->route->access != ACCESS_OPEN)
        http_exchange_add_header(call->x, "Cache-Control", "no-store");
    call_reply_text(call, status, "application/json", &text);
}
