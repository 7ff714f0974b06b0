/* test_api_people.c - people's calls on the product's own state, without sockets: who
 * may, what is found, what a repeat says. Each resource end to end:
 * tests/system/test_rest.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/fake/control.c"

static struct fake_control *fake;
static struct uuid ours, theirs;

static int setup(void **state)
{
    (void)state;
    fake = fake_control_new();
    ours = fake_control_cluster(fake, "ours");
    theirs = fake_control_cluster(fake, "theirs");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* --- helpers --- */

static struct fake_reply send(struct fake_request *request)
{
    struct fake_reply reply;
    fake_control_call(fake, request, &reply);
    fake_control_wait(fake, &reply);
    return reply;
}

static struct fake_reply people(const char *method, const char *path, const char *token,
                                const char *body)
{
    struct fake_request request = {
        .method = method, .path = path, .token = token, .body = slice_str(body)};
    return send(&request);
}

static int status_of(const char *method, const char *path, const char *token,
                     const char *body)
{
    struct fake_reply reply = people(method, path, token, body);
    int status = reply.status;
    fake_reply_free(&reply);
    return status;
}

/* A member of REPLY's body, which is freed. */
static void take_text(struct fake_reply *reply, const char *key, char *text, size_t size)
{
    struct json *value;
    struct err err;
    assert_int_equal(json_parse(str_slice(&reply->body), &value, &err), 0);
    struct json_reader r = {.err = &err};
    struct slice s = json_get_string(&r, value, key, size - 1);
    assert_false(r.failed);
    snprintf(text, size, "%.*s", (int)s.len, (const char *)s.ptr);
    json_free(value);
    fake_reply_free(reply);
}

/* "/api/v1/clusters/ID" and REST */
static const char *in(const struct uuid *cluster, const char *rest)
{
    static char path[4][256];
    static unsigned turn;
    char id[UUID_TEXT_LEN + 1], *text = path[turn++ % ARRAY_LEN(path)];
    snprintf(text, sizeof(path[0]), "/api/v1/clusters/%s%s", uuid_print(cluster, id),
             rest);
    return text;
}

/* A token of ROLE in CLUSTER. */
static void make_token(const struct uuid *cluster, const char *role, char token[128])
{
    char body[256], id[UUID_TEXT_LEN + 1];
    snprintf(body, sizeof(body), "{\"name\":\"t\",\"role\":\"%s\",\"cluster_id\":\"%s\"}",
             role, uuid_print(cluster, id));
    struct fake_reply reply = people("POST", "/api/v1/tokens", fake->admin_token, body);
    assert_int_equal(reply.status, 201);
    take_text(&reply, "token", token, 128);
}

/* --- tests --- */

/* Clusters are created, listed page by page, read, and refused when named twice. */
static void clusters(void **state)
{
    const char *token = fake->admin_token;
    char next[1100], query[1200];
    (void)state;
    struct fake_reply reply =
        people("POST", "/api/v1/clusters", token, "{\"name\":\"b\"}");
    assert_int_equal(reply.status, 201);
    assert_non_null(strstr(reply.headers, "Location: /api/v1/clusters/"));
    fake_reply_free(&reply);
    assert_int_equal(status_of("POST", "/api/v1/clusters", token, "{\"name\":\"b\"}"),
                     409);
    assert_int_equal(status_of("POST", "/api/v1/clusters", token, "{\"name\":\"a b\"}"),
                     422);
    assert_int_equal(status_of("POST", "/api/v1/clusters", token, "{\"name\":\"\"}"),
                     422);
    assert_int_equal(
        status_of("POST", "/api/v1/clusters", token, "{\"name\":\"c\",\"x\":1}"), 400);

    struct fake_request list = {
        .method = "GET", .path = "/api/v1/clusters", .query = "limit=2", .token = token};
    reply = send(&list);
    assert_int_equal(reply.status, 200);
    take_text(&reply, "next", next, sizeof(next));
    snprintf(query, sizeof(query), "limit=2&after=%s", next);
    list.query = query;
    reply = send(&list);
    assert_non_null(strstr(str_cstr(&reply.body), "\"next\":null"));
    assert_non_null(strstr(str_cstr(&reply.body), "\"name\":\"b\""));
    fake_reply_free(&reply);
    list.query = "limit=0";
    reply = send(&list);
    assert_int_equal(reply.status, 422);
    fake_reply_free(&reply);

    assert_int_equal(status_of("GET", in(&ours, ""), token, ""), 200);
    assert_int_equal(status_of("GET", "/api/v1/clusters/x", token, ""), 404);
    struct uuid unknown = uuid_random();
    assert_int_equal(status_of("GET", in(&unknown, ""), token, ""), 404);
}

/* Every route of people wants its kind of token, and says which. */
static void credentials(void **state)
{
    const char *enrol = "weft_enrol_0000000000000000000000000000000000000000000000000000";
    (void)state;
    assert_int_equal(status_of("GET", "/api/v1/clusters", NULL, ""), 401);
    assert_int_equal(status_of("GET", "/api/v1/clusters", "nonsense", ""), 401);
    assert_int_equal(status_of("GET", "/api/v1/clusters", enrol, ""), 403);
    assert_int_equal(status_of("POST", "/api/v1/enrol", NULL, "{}"), 401);
    assert_int_equal(status_of("POST", "/api/v1/enrol", fake->admin_token, "{}"), 403);
    struct fake_reply reply = people("GET", "/api/v1/clusters", NULL, "");
    assert_non_null(strstr(reply.headers, "WWW-Authenticate: Bearer"));
    assert_non_null(strstr(reply.headers, "application/problem+json"));
    assert_non_null(strstr(reply.headers, "X-Request-Id: "));
    assert_non_null(strstr(str_cstr(&reply.body), "\"code\":\"UNAUTHENTICATED\""));
    fake_reply_free(&reply);
}

/* For a token of one cluster another one is not there, by whatever route (I10); what is
 * the cell's is forbidden; a viewer changes nothing. */
static void scopes(void **state)
{
    char admin[128], viewer[128];
    (void)state;
    make_token(&ours, "admin", admin);
    make_token(&ours, "viewer", viewer);
    for (size_t i = 0; i < people_table.count; i++) {
        const struct route *route = &people_table.routes[i];
        const char *rest = strstr(route->path, "{cluster}");
        bool reads = strcmp(route->method, "GET") == 0;
        char path[64];
        if (rest != NULL) {
            rest += strlen("{cluster}");
            const char *brace = strchr(rest, '{');
            if (brace == NULL)
                snprintf(path, sizeof(path), "%s", rest);
            else
                snprintf(path, sizeof(path), "%.*st%s", (int)(brace - rest), rest,
                         strchr(brace, '}') + 1);
            assert_int_equal(status_of(route->method, in(&theirs, path), admin, "{}"),
                             404);
            assert_int_equal(status_of(route->method, in(&theirs, path), viewer, "{}"),
                             404);
            if (!reads)
                assert_int_equal(status_of(route->method, in(&ours, path), viewer, "{}"),
                                 403);
        } else if (route->access == ACCESS_OPERATOR) {
            char whole[128];
            snprintf(whole, sizeof(whole), "%s", route->path);
            char *brace = strchr(whole, '{');
            if (brace != NULL && strchr(brace, '/') == NULL)
                snprintf(brace, 3, "1");
            else if (brace != NULL)
                continue;
            assert_int_equal(status_of(route->method, whole, admin, "{}"), 403);
        }
    }
    assert_int_equal(status_of("GET", in(&ours, ""), viewer, ""), 200);
    assert_int_equal(status_of("POST", in(&ours, "/topics"), admin, "{\"name\":\"t\"}"),
                     201);
}

/* A repeat by Idempotency-Key gets the first answer, to the letter; the key is good for
 * one request of one actor. */
static void repeats(void **state)
{
    struct fake_request create = {
        .path = "/api/v1/tokens",
        .token = fake->admin_token,
        .idempotency_key = "k",
        .body = slice_str("{\"name\":\"a\",\"role\":\"operator\"}")};
    char first[1024], token[128];
    (void)state;
    struct fake_reply reply = send(&create);
    assert_int_equal(reply.status, 201);
    snprintf(first, sizeof(first), "%s", str_cstr(&reply.body));
    take_text(&reply, "token", token, sizeof(token));
    fake->now_ms += 5000;
    reply = send(&create);
    assert_int_equal(reply.status, 201);
    assert_string_equal(str_cstr(&reply.body), first);
    assert_non_null(strstr(reply.headers, "Idempotency-Replayed: true"));
    fake_reply_free(&reply);
    create.body = slice_str("{\"name\":\"b\",\"role\":\"operator\"}");
    reply = send(&create);
    assert_int_equal(reply.status, 422);
    fake_reply_free(&reply);
    /* Another's key of the same text is another key. */
    create.token = token;
    reply = send(&create);
    assert_int_equal(reply.status, 201);
    fake_reply_free(&reply);
    create.idempotency_key = "with space";
    reply = send(&create);
    assert_int_equal(reply.status, 400);
    fake_reply_free(&reply);
}

/* Text for a JSON string out of PEM. */
static void escape_lines(struct slice pem, struct str *out)
{
    for (size_t i = 0; i < pem.len; i++) {
        if (pem.ptr[i] == '\n')
            str_puts(out, "\\n");
        else
            str_append(out, &pem.ptr[i], 1);
    }
}

/* What a new node sends, with the right proof of the cell key. */
static void join_body(struct str *body)
{
    char proof[2 * SHA256_LEN + 1];
    struct str key, request;
    struct err err;

    str_init(&key, X509_PEM_MAX);
    str_init(&request, X509_PEM_MAX);
    assert_int_equal(x509_make_key(&key, &err), 0);
    assert_int_equal(x509_make_request(str_slice(&key), "node", &request, &err), 0);
    trust_join_proof(fake->service.trust, str_slice(&request), proof);
    str_puts(body, "{\"request_pem\":\"");
    escape_lines(str_slice(&request), body);
    str_printf(body,
               "\",\"cell_key_proof\":\"%s\",\"name\":\"two\","
               "\"tls_names\":\"localhost\",\"people_url\":\"https://two\","
               "\"agents_url\":\"https://two\",\"version\":\"1\","
               "\"peer_address\":\"two:7802\",\"feature_level_max\":9,"
               "\"instance\":\"00000000-0000-0000-0000-000000000022\"}",
               proof);
    str_fini(&key);
    str_fini(&request);
}

/* A node joins in two commands, so a key for repeats would give the second the result of
 * the first: it is not looked at. And the audit log says by whose token the node came. */
static void join_audited(void **state)
{
    struct audit_query query = {.action = SLICE_LITERAL("node.join")};
    const struct audit_entry *entries[4];
    uint64_t next;
    char token[128];
    struct str body;
    (void)state;
    struct fake_reply reply =
        people("POST", "/api/v1/cell/join-tokens", fake->admin_token, "{\"name\":\"j\"}");
    assert_int_equal(reply.status, 201);
    take_text(&reply, "token", token, sizeof(token));
    str_init(&body, MIB);
    join_body(&body);
    struct fake_request join = {.path = "/api/v1/cell/join",
                                .token = token,
                                .idempotency_key = "k",
                                .body = str_slice(&body)};
    reply = send(&join);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(str_cstr(&reply.body), "\"node_id\":2"));
    fake_reply_free(&reply);
    str_fini(&body);
    assert_int_equal(state_audit(fake->service.node->state, &query, entries, 4, &next),
                     2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(entries[i]->actor_kind, ACTOR_TOKEN);
        assert_string_equal(entries[i]->actor_name, "j");
        assert_string_equal(entries[i]->target, "nodes/two");
    }
}

/* The cell key alone brings a node in where the cell was started so, and the audit log
 * says that it was the key; else it is refused with what to do. A repeat is the same
 * join. */
static void join_by_key(void **state)
{
    struct audit_query query = {.action = SLICE_LITERAL("node.join")};
    const struct audit_entry *entries[4];
    char token[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN];
    uint64_t next;
    struct str body;
    (void)state;

    str_init(&body, MIB);
    join_body(&body);
    trust_key_token(fake->service.trust, token, hash);
    struct fake_request join = {
        .path = "/api/v1/cell/join", .token = token, .body = str_slice(&body)};
    struct fake_reply reply = send(&join);
    assert_int_equal(reply.status, 403);
    assert_non_null(strstr(str_cstr(&reply.body), "--join-by-key"));
    fake_reply_free(&reply);
    fake->options.join_by_key = true;
    for (int i = 0; i < 2; i++) {
        reply = send(&join);
        assert_int_equal(reply.status, 200);
        assert_non_null(strstr(str_cstr(&reply.body), "\"node_id\":2"));
        fake_reply_free(&reply);
    }
    /* Only the one that the key makes. */
    token[strlen(token) - 1] ^= 1;
    reply = send(&join);
    assert_int_equal(reply.status, 401);
    fake_reply_free(&reply);
    str_fini(&body);
    assert_true(state_audit(fake->service.node->state, &query, entries, 4, &next) >= 1);
    assert_int_equal(entries[0]->actor_kind, ACTOR_CELL);
    assert_string_equal(entries[0]->actor_name, "cell key");
    assert_string_equal(entries[0]->target, "nodes/two");
    fake->options.join_by_key = false;
}

/* The cell proves its CA to who asks with a nonce, where nodes join by the key; to nobody
 * else, and of no text that is not a nonce. */
static void ca_proof(void **state)
{
    static const char nonce[] = "0123456789abcdef0123456789abcdef";
    static const struct {
        bool by_key;
        const char *nonce;
        bool proves;
    } cases[] = {{false, nonce, false},
                 {true, nonce, true},
                 {true, NULL, false},
                 {true, "0123", false},
                 {true, "", false},
                 {true, "0123456789ABCDEF0123456789ABCDEF", false},
                 {true, "0123456789abcdef0123456789abcdef0", false}};
    char proof[2 * SHA256_LEN + 1], line[128];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_request ask = {
            .method = "GET", .path = "/api/v1/ca", .nonce = cases[i].nonce};
        fake->options.join_by_key = cases[i].by_key;
        struct fake_reply reply = send(&ask);
        assert_int_equal(reply.status, 200);
        trust_ca_proof(fake->service.trust, slice_str(nonce), str_slice(&reply.body),
                       proof);
        snprintf(line, sizeof(line), "X-Weft-Cell-Key-Proof: %s", proof);
        assert_int_equal(strstr(reply.headers, line) != NULL, cases[i].proves);
        if (!cases[i].proves)
            assert_null(strstr(reply.headers, "Cell-Key-Proof"));
        fake_reply_free(&reply);
    }
    fake->options.join_by_key = false;
}

/* Who had leadership handed over is in the audit log, though no command does it; whether
 * it came to anything, the members tell. */
static void transfer_audited(void **state)
{
    struct audit_query query = {.action = SLICE_LITERAL("cell.transfer")};
    const struct audit_entry *entry;
    uint64_t next;
    (void)state;
    assert_int_equal(
        status_of("POST", "/api/v1/cell/transfer", fake->admin_token, "{\"node_id\":7}"),
        503);
    assert_int_equal(state_audit(fake->service.node->state, &query, &entry, 1, &next), 1);
    assert_string_equal(entry->target, "nodes/7");
    assert_int_equal(entry->actor_kind, ACTOR_TOKEN);
}

/* The fingerprints of the cell's authorities, oldest first. */
static void fingerprints(char found[2][X509_FINGERPRINT_LEN + 1])
{
    const struct cell_ca *ca = NULL;
    struct err err;
    for (int i = 0; i < 2; i++) {
        ca = state_ca_next(fake->service.node->state, ca);
        assert_non_null(ca);
        assert_int_equal(x509_fingerprint(slice_str(ca->certificate), found[i], &err), 0);
    }
}

/* As service.c does when the state's authorities have changed. */
static void load_trust(void)
{
    const struct cell *cell = state_cell(fake->service.node->state);
    const struct cell_ca *ca = NULL;
    struct trust_ca cas[2];
    struct err err;
    size_t count = 0;
    while ((ca = state_ca_next(fake->service.node->state, ca)) != NULL)
        cas[count++] =
            (struct trust_ca){.cert_pem = slice_str(ca->certificate),
                              .cross_pem = slice_str(ca->cross),
                              .sealed_key = slice_of(ca->sealed_key, ca->sealed_key_len)};
    assert_int_equal(
        trust_load(fake->service.trust, cas, count,
                   slice_of(cell->sealed_token_secret, cell->sealed_token_secret_len),
                   &err),
        0);
}

static int agent_status(const struct uuid *agent, const char *path, const char *body,
                        const char *authority)
{
    struct fake_request request = {.agents = true,
                                   .path = path,
                                   .cluster_id = ours,
                                   .agent_id = *agent,
                                   .authority = authority,
                                   .body = slice_str(body)};
    struct fake_reply reply = send(&request);
    int status = reply.status;
    fake_reply_free(&reply);
    return status;
}

/* An authority is not retired while a node or a registered agent was not heard of with a
 * certificate of another one, unless that is asked for; then what it signed is refused on
 * connections that are open. */
static void authority_retired(void **state)
{
    static const char me[] = "{\"zone\":\"\",\"rack\":\"\",\"host\":\"h\",\"port\":1,"
                             "\"http_url\":\"\",\"version\":\"\",\"state\":\"active\"}";
    struct uuid agent = uuid_random();
    char found[2][X509_FINGERPRINT_LEN + 1], path[128], forced[160];
    char old[X509_KEY_ID_LEN + 1], new[X509_KEY_ID_LEN + 1];
    const struct state *cell = fake->service.node->state;
    struct err err;
    (void)state;

    assert_int_equal(agent_status(&agent, "/agent/v1/register", me, NULL), 200);
    assert_int_equal(status_of("POST", "/api/v1/cell/ca", fake->admin_token, "{}"), 201);
    load_trust();
    fingerprints(found);
    const struct cell_ca *ca = state_ca_next(cell, NULL);
    assert_int_equal(x509_key_id(slice_str(ca->certificate), old, &err), 0);
    ca = state_ca_next(cell, ca);
    assert_int_equal(x509_key_id(slice_str(ca->certificate), new, &err), 0);
    snprintf(path, sizeof(path), "/api/v1/cell/ca/%s", found[0]);
    assert_int_equal(status_of("DELETE", path, fake->admin_token, ""), 409);
    node_certificates_set(&fake->service.certificates, 1, 1000, old);
    assert_int_equal(status_of("DELETE", path, fake->admin_token, ""), 409);
    node_certificates_set(&fake->service.certificates, 1, 1000, new);
    assert_int_equal(status_of("DELETE", path, fake->admin_token, ""), 409);
    assert_int_equal(agent_status(&agent, "/agent/v1/metadata", "{}", new), 200);
    assert_int_equal(agent_status(&agent, "/agent/v1/metadata", "{}", old), 200);
    assert_int_equal(status_of("DELETE", path, fake->admin_token, ""), 409);
    struct fake_request force = {.method = "DELETE",
                                 .path = path,
                                 .query = "force=perhaps",
                                 .token = fake->admin_token};
    struct fake_reply reply = send(&force);
    assert_int_equal(reply.status, 422);
    fake_reply_free(&reply);
    assert_int_equal(agent_status(&agent, "/agent/v1/metadata", "{}", new), 200);
    assert_int_equal(status_of("DELETE", path, fake->admin_token, ""), 204);
    load_trust();
    assert_int_equal(agent_status(&agent, "/agent/v1/metadata", "{}", old), 401);
    assert_int_equal(agent_status(&agent, "/agent/v1/metadata", "{}", new), 200);
    /* And by force, whoever has not renewed. */
    assert_int_equal(status_of("POST", "/api/v1/cell/ca", fake->admin_token, "{}"), 201);
    fingerprints(found);
    snprintf(forced, sizeof(forced), "/api/v1/cell/ca/%s", found[0]);
    force.path = forced;
    force.query = "force=true";
    assert_int_equal(status_of("DELETE", forced, fake->admin_token, ""), 409);
    reply = send(&force);
    assert_int_equal(reply.status, 204);
    fake_reply_free(&reply);
}

/* A change of what was changed since is refused; without If-Match it is made. */
static void if_match(void **state)
{
    struct fake_request rename = {.method = "PATCH",
                                  .path = in(&ours, ""),
                                  .token = fake->admin_token,
                                  .body = slice_str("{\"name\":\"new\"}")};
    static const struct {
        const char *tag;
        int status;
    } cases[] = {{"\"1\"", 412},   {"\"99\"", 412}, {"nonsense", 412}, {"\"0\"", 412},
                 {"W/\"1\"", 412}, {"*", 200},      {NULL, 200}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rename.if_match = cases[i].tag;
        struct fake_reply reply = send(&rename);
        assert_int_equal(reply.status, cases[i].status);
        fake_reply_free(&reply);
    }
    uint64_t etag = state_cluster(fake->service.node->state, &ours)->etag;
    char tag[32];
    snprintf(tag, sizeof(tag), "\"%llu\"", (unsigned long long)etag);
    rename.if_match = tag;
    rename.body = slice_str("{\"name\":\"newer\"}");
    struct fake_reply reply = send(&rename);
    assert_int_equal(reply.status, 200);
    fake_reply_free(&reply);
}

/* A cluster's requests are bounded as its limits say; others' are not touched. */
static void throttled(void **state)
{
    struct uuid agent = uuid_random();
    struct fake_request call = {.agents = true,
                                .path = "/agent/v1/nodes",
                                .cluster_id = ours,
                                .agent_id = agent,
                                .body = slice_str("{}")};
    int passed = 0;
    (void)state;
    assert_int_equal(status_of("PATCH", in(&ours, "/limits"), fake->admin_token,
                               "{\"requests_per_second\":5}"),
                     200);
    /* The first one tells the quota of the limit. */
    call.path = "/agent/v1/leave";
    for (int i = 0; i < 40; i++) {
        struct fake_reply reply = send(&call);
        passed += reply.status == 200;
        if (reply.status != 200) {
            assert_int_equal(reply.status, 429);
            assert_non_null(strstr(reply.headers, "Retry-After: 1"));
        }
        fake_reply_free(&reply);
    }
    assert_in_range(passed, 5, 10);
    call.cluster_id = theirs;
    for (int i = 0; i < 40; i++) {
        struct fake_reply reply = send(&call);
        assert_int_equal(reply.status, 200);
        fake_reply_free(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clusters, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(scopes, setup, teardown),
        cmocka_unit_test_setup_teardown(repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(join_audited, setup, teardown),
        cmocka_unit_test_setup_teardown(join_by_key, setup, teardown),
        cmocka_unit_test_setup_teardown(ca_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(transfer_audited, setup, teardown),
        cmocka_unit_test_setup_teardown(authority_retired, setup, teardown),
        cmocka_unit_test_setup_teardown(if_match, setup, teardown),
        cmocka_unit_test_setup_teardown(throttled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
