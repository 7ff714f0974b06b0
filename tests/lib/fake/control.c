/* control.c - see control.h; included as source. It defines all of http_server.h and
 * node.h, so that the linker leaves those objects of the product in their archive. */
#include "tests/lib/fake/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/x509.h"
#include "controlplane/call.h"

struct node {
    struct fake_control *fake;
    struct state *state;
    struct loop *loop;
    struct list proposals;
    bool dirty; /* the feed has news */
};

struct queued {
    struct list_node node;
    struct proposal *proposal;
    struct str bytes;
};

/* --- node.h --- */

static void drain(struct node *node)
{
    struct list_node *first;
    while ((first = list_pop_front(&node->proposals)) != NULL) {
        struct queued *queued = CONTAINER_OF(first, struct queued, node);
        struct str result;
        int code = node->fake->propose_code;
        str_init(&result, 64 * MIB);
        if (code == 0)
            state_apply(node->state, ++node->fake->applied, str_slice(&queued->bytes),
                        &result);
        queued->proposal->done(queued->proposal, code, str_slice(&result));
        str_fini(&result);
        str_fini(&queued->bytes);
        mem_free(queued);
    }
    if (node->dirty) {
        node->dirty = false;
        feed_deliver(node->fake->service.feed, state_applied_index(node->state));
    }
}

void node_send(struct node *node, struct ask *ask)
{
    ask->run(node, ask);
    drain(node);
}

void ask_done(struct ask *ask)
{
    ask->done(ask);
}

void node_propose(struct node *node, struct proposal *proposal, struct command *cmd)
{
    struct queued *queued = mem_zalloc(sizeof(*queued));
    cmd->now_ms = node->fake->now_ms;
    str_init(&queued->bytes, COMMAND_BYTES_MAX);
    command_write(cmd, &queued->bytes);
    ASSERT(!queued->bytes.overflowed);
    queued->proposal = proposal;
    list_push_back(&node->proposals, &queued->node);
}

bool node_can_read(const struct node *node)
{
    return node->fake->readable;
}

uint64_t node_leader_id(const struct node *node)
{
    return node->fake->leader ? 1 : node->fake->leader_id;
}

uint64_t node_id(const struct node *node)
{
    (void)node;
    return 1;
}

struct uuid node_cell_id(const struct node *node)
{
    (void)node;
    return (struct uuid){.bytes = {0xce}};
}

size_t node_servers(const struct node *node, struct node_server servers[NODE_SERVERS_MAX])
{
    servers[0] = (struct node_server){.node_id = 1,
                                      .address = "localhost:7802",
                                      .role = NODE_VOTER,
                                      .leader = true,
                                      .self = true,
                                      .connected = true,
                                      .match_index = node->fake->applied};
    return 1;
}

void node_change(struct node *node, struct node_change *change)
{
    struct err err;
    (void)node;
    err_set(&err, ERR_UNAVAILABLE, "there are no other nodes in fake_control");
    change->done(change, ERR_UNAVAILABLE, &err);
}

int node_set_certificate(struct node *node, const struct peers_certificate *certificate,
                         struct err *err)
{
    (void)node, (void)certificate, (void)err;
    return 0;
}

bool node_is_leader(const struct node *node)
{
    return node->fake->leader;
}

const struct state *node_state(const struct node *node)
{
    return node->state;
}

int64_t node_now_ms(const struct node *node)
{
    return node->fake->now_ms;
}

uint64_t node_term(const struct node *node)
{
    (void)node;
    return 1;
}

struct loop *node_loop(struct node *node)
{
    return node->loop;
}

void node_health(struct node *node, struct node_health *health)
{
    memset(health, 0, sizeof(*health));
    health->leader = node->fake->leader;
    health->readable = node->fake->readable;
    health->write_code = node->fake->propose_code;
    health->applied_index = node->fake->applied;
}

int node_start(const struct node_options *options, struct node **node, struct err *err)
{
    (void)options, (void)node;
    return err_set(err, ERR_UNSUPPORTED, "there is no node in fake_control");
}

void node_make_snapshot(struct node *node, struct node_snapshot *snapshot)
{
    struct err err;
    (void)node;
    err_set(&err, ERR_CONFLICT, "no snapshots are made in fake_control");
    snapshot->done(snapshot, ERR_CONFLICT, &err);
}

void node_stop(struct node *node)
{
    (void)node;
}

/* --- http_server.h --- */

struct http_exchange {
    const struct fake_request *request;
    struct fake_request copy;
    char authority[X509_KEY_ID_LEN + 1];
    struct slice body; /* a copy of exact size: overreads are found */
    char uri[128];
    char authorization[256];
    void *user;
    size_t max_body_bytes;
    bool parked, resumed, replied;
    int status;
    struct str reply;
    char headers[1024];
    int64_t started_us;
    struct call_listener listener;
};

const char *http_exchange_method(const struct http_exchange *x)
{
    return x->copy.method;
}

const char *http_exchange_path(const struct http_exchange *x)
{
    return x->copy.path;
}

const char *http_exchange_header(const struct http_exchange *x, const char *name)
{
    if (strcmp(name, "Authorization") == 0)
        return x->authorization[0] == '\0' ? NULL : x->authorization;
    if (strcmp(name, "Content-Type") == 0)
        return x->copy.content_type[0] == '\0' ? NULL : x->copy.content_type;
    if (strcmp(name, "X-Weft-Encoding") == 0)
        return x->copy.encoding;
    if (strcmp(name, "X-Weft-Accept") == 0)
        return x->copy.accept;
    if (strcmp(name, "Idempotency-Key") == 0)
        return x->copy.idempotency_key;
    if (strcmp(name, "X-Weft-Nonce") == 0)
        return x->copy.nonce;
    if (strcmp(name, "If-Match") == 0)
        return x->copy.if_match;
    if (strcmp(name, "If-None-Match") == 0)
        return x->copy.if_none_match;
    return NULL;
}

const char *http_exchange_query(const struct http_exchange *x, const char *name)
{
    static char values[8][1200]; /* so many are looked at at once */
    static unsigned turn;
    const char *at = x->copy.query;
    size_t len = strlen(name);

    while (at != NULL && (strncmp(at, name, len) != 0 || at[len] != '=')) {
        at = strchr(at, '&');
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL)
        return NULL;
    char *value = values[turn++ % ARRAY_LEN(values)];
    at += len + 1;
    snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at, "&"), at);
    return value;
}

struct slice http_exchange_body(const struct http_exchange *x)
{
    return x->body;
}

bool http_exchange_has_body(const struct http_exchange *x)
{
    return x->body.len > 0;
}

void http_exchange_limit_body(struct http_exchange *x, size_t max_bytes)
{
    x->max_body_bytes = max_bytes;
}

const char *http_exchange_peer(const struct http_exchange *x)
{
    (void)x;
    return "127.0.0.1";
}

const char *http_exchange_peer_uri(const struct http_exchange *x)
{
    return x->uri;
}

int64_t http_exchange_peer_not_after_ms(const struct http_exchange *x)
{
    return x->copy.certificate_ends_at_ms == 0 ? INT64_MAX
                                               : x->copy.certificate_ends_at_ms;
}

const char *http_exchange_peer_authority(const struct http_exchange *x)
{
    struct http_exchange *own = (struct http_exchange *)(uintptr_t)x;
    struct slice ca = str_slice(
        &CONTAINER_OF(x->listener.service, struct fake_control, service)->ca_cert);

    if (x->copy.authority != NULL)
        return x->copy.authority;
    return x509_key_id(ca, own->authority, NULL) == 0 ? own->authority : "";
}

int64_t http_exchange_started_us(const struct http_exchange *x)
{
    return x->started_us;
}

void http_exchange_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_exchange_user(const struct http_exchange *x)
{
    return x->user;
}

void http_exchange_add_header(struct http_exchange *x, const char *name,
                              const char *value)
{
    size_t len = strlen(x->headers);
    snprintf(x->headers + len, sizeof(x->headers) - len, "%s: %s\n", name, value);
}

void http_exchange_reply(struct http_exchange *x, int status, const char *content_type,
                         struct str *body)
{
    ASSERT(!x->replied && !x->parked && !body->overflowed);
    x->replied = true;
    x->status = status;
    x->reply = *body;
    str_init(body, 0);
    if (content_type != NULL)
        http_exchange_add_header(x, "Content-Type", content_type);
}

void http_exchange_reply_file(struct http_exchange *x, const char *content_type, int file,
                              uint64_t size)
{
    struct str none;
    (void)size;
    close(file);
    str_init(&none, 0);
    http_exchange_reply(x, 200, content_type, &none);
}

bool http_exchange_replied(const struct http_exchange *x)
{
    return x->replied;
}

bool http_exchange_parked(const struct http_exchange *x)
{
    return x->parked;
}

int http_exchange_status(const struct http_exchange *x)
{
    return x->status;
}

void http_exchange_park(struct http_exchange *x)
{
    ASSERT(!x->parked && !x->replied);
    x->parked = true;
    x->resumed = false;
}

void http_exchange_resume(struct http_exchange *x)
{
    ASSERT(x->parked && !x->resumed);
    x->resumed = true;
}

int http_server_start(const struct http_server_options *options,
                      struct http_server **server, struct err *err)
{
    (void)options, (void)server;
    return err_set(err, ERR_UNSUPPORTED, "there are no sockets in fake_control");
}

int http_server_set_certificate(struct http_server *server, struct slice cert_pem,
                                struct slice key_pem, struct err *err)
{
    (void)server, (void)cert_pem, (void)key_pem, (void)err;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    (void)server;
    return 0;
}

size_t http_server_reap(struct http_server *server, int64_t now_ms)
{
    (void)server, (void)now_ms;
    return 0;
}

void http_server_quiesce(struct http_server *server)
{
    (void)server;
}

void http_server_stop(struct http_server *server)
{
    (void)server;
}

void http_server_counters(const struct http_server *server,
                          struct http_server_counters *counters)
{
    (void)server;
    memset(counters, 0, sizeof(*counters));
}

/* --- calls --- */

static void exchange_end(struct http_exchange *x, struct fake_reply *reply)
{
    ASSERT(x->replied);
    call_ops.on_end(x, &x->listener);
    reply->status = x->status;
    reply->body = x->reply;
    reply->pending = NULL;
    memcpy(reply->headers, x->headers, sizeof(reply->headers));
    free((void *)(uintptr_t)x->body.ptr);
    mem_free(x);
}

/* Go on as far as it goes; true when it ended. */
static bool exchange_drive(struct http_exchange *x, struct fake_reply *reply)
{
    while (x->parked && x->resumed) {
        x->parked = false;
        call_ops.on_resume(x, &x->listener);
    }
    if (x->parked)
        return false;
    exchange_end(x, reply);
    return true;
}

void fake_control_call(struct fake_control *fake, const struct fake_request *request,
                       struct fake_reply *reply)
{
    struct http_exchange *x = mem_zalloc(sizeof(*x));
    memset(reply, 0, sizeof(*reply));
    x->copy = *request;
    if (x->copy.method == NULL)
        x->copy.method = "POST";
    if (x->copy.content_type == NULL)
        x->copy.content_type = "application/json";
    if (!uuid_is_zero(&request->agent_id))
        x509_agent_uri(&request->cluster_id, &request->agent_id, x->uri);
    if (request->token != NULL)
        snprintf(x->authorization, sizeof(x->authorization), "Bearer %s", request->token);
    if (request->body.len > 0)
        x->body = slice_of(
            memcpy(malloc(request->body.len), request->body.ptr, request->body.len),
            request->body.len);
    x->started_us = clock_monotonic_us();
    x->listener.service = &fake->service;
    x->listener.table = request->agents ? &agents_table : &people_table;
    call_ops.on_head(x, &x->listener);
    if (!x->replied && x->body.len > x->max_body_bytes) {
        struct str empty;
        str_init(&empty, 0);
        http_exchange_reply(x, 413, "text/plain", &empty);
    }
    if (!x->replied)
        call_ops.on_request(x, &x->listener);
    if (!exchange_drive(x, reply))
        reply->pending = x;
}

void fake_control_wait(struct fake_control *fake, struct fake_reply *reply)
{
    struct http_exchange *x = reply->pending;
    for (int i = 0; x != NULL && i < 1000; i++) {
        if (exchange_drive(x, reply))
            return;
        loop_run_once(fake->service.node->loop, 10);
        drain(fake->service.node);
    }
    ASSERT(x == NULL);
}

void fake_reply_free(struct fake_reply *reply)
{
    ASSERT(reply->pending == NULL);
    str_fini(&reply->body);
}

struct json *fake_agent_call(struct fake_control *fake, const struct uuid *cluster_id,
                             const struct uuid *agent_id, const char *path,
                             const char *body, int expected)
{
    struct fake_request request = {.agents = true,
                                   .path = path,
                                   .cluster_id = *cluster_id,
                                   .agent_id = *agent_id,
                                   .body = slice_str(body)};
    struct fake_reply reply;
    struct json *value = NULL;
    struct err err = {0};

    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    if (reply.status != expected)
        fprintf(stderr, "%s: status %d, body %s\n", path, reply.status,
                str_cstr(&reply.body));
    else if (json_parse(str_slice(&reply.body), &value, &err) != 0)
        fprintf(stderr, "%s: %s\n", path, err.text);
    fake_reply_free(&reply);
    return value;
}

void fake_control_apply(struct fake_control *fake, struct command *cmd)
{
    struct str bytes, result;
    cmd->now_ms = fake->now_ms;
    str_init(&bytes, COMMAND_BYTES_MAX);
    str_init(&result, MIB);
    command_write(cmd, &bytes);
    state_apply(fake->service.node->state, ++fake->applied, str_slice(&bytes), &result);
    str_fini(&bytes);
    str_fini(&result);
}

struct uuid fake_control_cluster(struct fake_control *fake, const char *name)
{
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = uuid_random(),
                          .cluster_create = {.name = slice_str(name)}};
    fake_control_apply(fake, &cmd);
    ASSERT(state_cluster(fake->service.node->state, &cmd.cluster_id) != NULL);
    return cmd.cluster_id;
}

void fake_control_node(struct fake_control *fake, const char *people_url,
                       const char *agents_url)
{
    struct command cmd = {.kind = COMMAND_NODE_PUT,
                          .node_put = {.instance = uuid_random(),
                                       .name = SLICE_LITERAL("n"),
                                       .peer_address = SLICE_LITERAL("h:7802"),
                                       .people_url = slice_str(people_url),
                                       .agents_url = slice_str(agents_url),
                                       .version = SLICE_LITERAL("1"),
                                       .features_max = 1,
                                       .wanted = WANT_VOTER}};
    fake_control_apply(fake, &cmd);
}

/* --- life --- */

static void on_dirty(void *arg)
{
    struct node *node = arg;
    node->dirty = true;
}

static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    struct service *service = arg;
    coordinator_note(service->coordinator, &cluster->cluster_id, group->group_id);
}

static void make_trust(struct fake_control *fake)
{
    struct service *service = &fake->service;
    struct trust_options options = {
        .tls_names = "localhost", .agent_life_ms = 86400000, .node_life_ms = 86400000};
    struct str cross;
    struct err err = {0};

    options.cell_key[0] = 1;
    service->trust = trust_new(&options);
    str_init(&fake->ca_cert, X509_PEM_MAX);
    str_init(&fake->ca_sealed_key, X509_PEM_MAX);
    str_init(&fake->sealed_secret, X509_PEM_MAX);
    str_init(&cross, X509_PEM_MAX);
    int code =
        trust_make_ca(service->trust, &fake->ca_cert, &cross, &fake->ca_sealed_key, &err);
    ASSERT(code == 0);
    str_fini(&cross);
    trust_make_secret(service->trust, &fake->sealed_secret);
    struct trust_ca ca = {.cert_pem = str_slice(&fake->ca_cert),
                          .sealed_key = str_slice(&fake->ca_sealed_key)};
    code = trust_load(service->trust, &ca, 1, str_slice(&fake->sealed_secret), &err);
    ASSERT(code == 0);
    fake->admin_token_id = uuid_random();
}

/* The cell, its CA, node 1, and the first operator's token. */
static void found(struct fake_control *fake)
{
    struct command cmd = {.kind = COMMAND_CELL_INIT};
    cmd.cell_init.name = SLICE_LITERAL("cell");
    cmd.cell_init.ca.ca_id = uuid_random();
    cmd.cell_init.ca.certificate = str_slice(&fake->ca_cert);
    cmd.cell_init.ca.sealed_key = str_slice(&fake->ca_sealed_key);
    cmd.cell_init.sealed_token_secret = str_slice(&fake->sealed_secret);
    cmd.cell_init.token_id = fake->admin_token_id;
    int code = trust_token(fake->service.trust, TOKEN_API, &fake->admin_token_id,
                           fake->admin_token, cmd.cell_init.token_hash);
    ASSERT(code == 0);
    cmd.cell_init.node = (struct node_fields){
        .node_id = 1,
        .instance = uuid_random(),
        .name = SLICE_LITERAL("one"),
        .peer_address = SLICE_LITERAL("localhost:7802"),
        .people_url = slice_str(fake->service.people_url),
        .agents_url = slice_str(fake->service.agents_url),
        .version = SLICE_LITERAL("1"),
        .features_max = 1,
        .wanted = WANT_VOTER,
    };
    fake_control_apply(fake, &cmd);
}

/* Asks run at once and their proposals with them: no round of commits leaves a rest. */
static void no_rest(void *arg, int64_t due_us)
{
    (void)arg, (void)due_us;
    ASSERT(false);
}

static void make_state(struct fake_control *fake)
{
    struct service *service = &fake->service;
    service->feed = feed_new((size_t)fake->options.feed_bytes, on_dirty, service->node);
    service->sessions = sessions_new(fake->options.session_timeout_ms);
    service->turns = turns_new(no_rest, NULL);
    service->call_turns = turns_new(no_rest, NULL);
    struct state_events events = feed_hooks(service->feed);
    service->node->state = state_new(&events);
    service->node->dirty = false;
    fake->applied = 0;
    service->group_timers = group_timers_new(&fake->options);
    service->coordinator = group_timers_coordinator(service->group_timers);
    feed_pass_groups(service->feed, on_group, service);
    feed_attach(service->feed, 0);
    found(fake);
    group_timers_attach(service->group_timers, service->node);
    group_timers_lead(service->group_timers, true);
}

static void free_state(struct fake_control *fake)
{
    state_free(fake->service.node->state);
    feed_free(fake->service.feed);
    sessions_free(fake->service.sessions);
    group_timers_detach(fake->service.group_timers);
    group_timers_free(fake->service.group_timers);
    turns_free(fake->service.turns);
    turns_free(fake->service.call_turns);
}

void fake_control_reset(struct fake_control *fake)
{
    free_state(fake);
    make_state(fake);
}

struct fake_control *fake_control_new(void)
{
    struct fake_control *fake = mem_zalloc(sizeof(*fake));
    struct node *node = mem_zalloc(sizeof(*node));
    enum option_outcome outcome;
    struct err err = {0};
    char *argv[] = {"weft-controlplane", "--data-dir=.", NULL};

    int code = option_parse(&control_program, 2, argv, &fake->options, &outcome, &err);
    ASSERT(code == 0);
    fake->readable = fake->leader = true;
    fake->leader_id = 1;
    fake->options.max_requests = 0;
    fake->now_ms = 1700000000000;
    node->fake = fake;
    node->loop = loop_new();
    list_init(&node->proposals);
    struct service *service = &fake->service;
    service->options = &fake->options;
    service->node = node;
    service->agents_url = mem_strdup("https://localhost:7801");
    service->people_url = mem_strdup("https://localhost:7800");
    budget_init(&service->budget, 256 * MIB);
    make_trust(fake);
    service->cluster_quota = quota_new(0, QUOTA_ENTRIES_MAX);
    service->token_quota = quota_new(0, QUOTA_ENTRIES_MAX);
    make_state(fake);
    return fake;
}

void fake_control_free(struct fake_control *fake)
{
    struct service *service = &fake->service;

    ASSERT(budget_used(&service->budget) == 0);
    free_state(fake);
    trust_free(service->trust);
    str_fini(&fake->ca_cert);
    str_fini(&fake->ca_sealed_key);
    str_fini(&fake->sealed_secret);
    quota_free(service->cluster_quota);
    quota_free(service->token_quota);
    loop_free(service->node->loop);
    mem_free(service->node);
    mem_free(service->agents_url);
    mem_free(service->people_url);
    option_free(&control_program, &fake->options);
    mem_free(fake);
}
