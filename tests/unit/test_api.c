/* test_api.c - the calls of control_api.md on the product's own state, without sockets.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/lz.h"
#include "common/mem.h"
#include "common/x509.h"
#include "proto/commit.h"
#include "proto/packed.h"
#include "tests/lib/fake/control.c"

static struct fake_control *fake;
static struct uuid cluster, agent;

#define REGISTER_AT(port)                                                                \
    "{\"zone\":\"a\",\"rack\":\"\",\"host\":\"h\",\"port\":" port                        \
    ",\"http_url\":\"\",\"version\":\"1\",\"state\":\"active\"}"
#define REGISTER REGISTER_AT("9092")
/* Whoever registers at an address takes the place of who was there. */
#define REGISTER_OTHER REGISTER_AT("9093")

static int setup(void **state)
{
    (void)state;
    fake = fake_control_new();
    cluster = fake_control_cluster(fake, "first");
    agent = uuid_random();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* --- helpers --- */

static struct json *call(const char *path, const char *body)
{
    struct json *value = fake_agent_call(fake, &cluster, &agent, path, body, 200);
    assert_non_null(value);
    return value;
}

static void ok(const char *path, const char *body)
{
    json_free(call(path, body));
}

static struct fake_reply people(const char *method, const char *path, const char *token,
                                const char *body)
{
    struct fake_request request = {
        .method = method, .path = path, .token = token, .body = slice_str(body)};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    return reply;
}

/* Status of a call of people; the body is thrown away. */
static int people_status(const char *method, const char *path, const char *token,
                         const char *body)
{
    struct fake_reply reply = people(method, path, token, body);
    int status = reply.status;
    fake_reply_free(&reply);
    return status;
}

static int64_t int_at(const struct json *value, size_t i)
{
    struct err err;
    struct json_reader r = {.err = &err};
    int64_t v = json_as_int(&r, json_at(&r, value, i), "v", INT64_MIN, INT64_MAX);
    assert_false(r.failed);
    return v;
}

static const struct json *at(const struct json *value, size_t i)
{
    struct err err;
    struct json_reader r = {.err = &err};
    const struct json *item = json_at(&r, value, i);
    assert_false(r.failed);
    return item;
}

static int64_t get_int(const struct json *value, const char *key)
{
    struct err err;
    struct json_reader r = {.err = &err};
    int64_t v = json_get_int(&r, value, key, INT64_MIN, INT64_MAX);
    assert_false(r.failed);
    return v;
}

static void copy_string(const struct json *value, char *text, size_t size)
{
    struct err err;
    struct json_reader r = {.err = &err};
    struct slice s = json_as_string(&r, value, "text", size - 1);
    assert_false(r.failed);
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
}

/* Values of a packed column; delta columns summed up. */
static size_t column(const struct json *value, bool delta, int64_t *out, size_t max)
{
    struct err err;
    struct json_reader r = {.err = &err};
    struct arena arena;
    struct reader reader;
    int64_t last = 0;
    size_t n = 0;

    arena_init(&arena, MIB);
    struct slice bytes = json_as_base64(&r, value, "column", &arena);
    assert_false(r.failed);
    reader_init(&reader, bytes);
    while (reader_left(&reader) > 0 && n < max)
        out[n++] = delta ? packed_get_delta(&reader, &last) : packed_get(&reader);
    assert_false(reader.failed);
    arena_fini(&arena);
    return n;
}

static void create_topic(const char *name, int partitions, char id[UUID_TEXT_LEN + 1])
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"validate_only\":false,\"topics\":[[\"%s\",%d,3,{},[]]]}", name,
             partitions);
    struct json *value = call("/agent/v1/topics/create", body);
    const struct json *result = at(json_find(value, "results"), 0);
    assert_int_equal(int_at(result, 0), 0);
    copy_string(at(result, 2), id, UUID_TEXT_LEN + 1);
    assert_int_equal(int_at(result, 3), partitions);
    assert_int_equal(int_at(result, 4), 3);
    json_free(value);
}

/* A request of one object with RUNS runs of one batch of RECORDS records each. */
static void commit_body(const struct uuid *object, const char *topic_id, int runs,
                        unsigned records, int32_t producer, int32_t sequence,
                        struct str *body)
{
    struct commit_builder builder;
    struct commit_producer one = {.producer_id = producer, .producer_epoch = 0};
    struct uuid topic;
    struct commit commit = {.object_id = *object,
                            .object_size = 1 << 20,
                            .created_at_ms = fake->now_ms,
                            .topics = &topic,
                            .topic_count = 1,
                            .producers = &one,
                            .producer_count = producer >= 0};
    assert_int_equal(uuid_parse(slice_str(topic_id), &topic), 0);
    commit_builder_init(&builder, fake->now_ms);
    for (int i = 0; i < runs; i++) {
        commit_builder_run(&builder, 0, i, 1);
        commit_builder_batch(&builder, 100, records, producer >= 0, sequence,
                             fake->now_ms + i);
    }
    commit_builder_columns(&builder, &commit);
    struct json *list = json_array();
    json_push(list, commit_to_json(&commit));
    str_init(body, MIB);
    json_print(list, body);
    json_free(list);
    commit_builder_fini(&builder);
}

/* --- people --- */

static void make_token(const char *body, char token[128])
{
    char path[128], id[UUID_TEXT_LEN + 1];
    struct json *value;
    struct err err;
    snprintf(path, sizeof(path), "/api/v1/clusters/%s/enrolment-tokens",
             uuid_print(&cluster, id));
    struct fake_reply reply = people("POST", path, fake->admin_token, body);
    assert_int_equal(reply.status, 201);
    assert_int_equal(json_parse(str_slice(&reply.body), &value, &err), 0);
    copy_string(json_find(value, "token"), token, 128);
    json_free(value);
    fake_reply_free(&reply);
}

static int enrol(const char *token, const struct uuid *id, const char *pem)
{
    struct json *body = json_object();
    struct str text;
    json_set(body, "request_pem", json_string(pem));
    json_set(body, "agent_id", json_uuid(id));
    str_init(&text, MIB);
    json_print(body, &text);
    json_free(body);
    int status = people_status("POST", "/api/v1/enrol", token, str_cstr(&text));
    str_fini(&text);
    return status;
}

/* An enrolment token gives certificates until it expires; one for a single use gives
 * one, again to the same agent only; a bad request uses up no token. */
static void enrolment(void **state)
{
    (void)state;
    struct str key, request;
    struct err err;
    struct uuid other = uuid_random();
    char many[128], once[128], brief[128];

    str_init(&key, X509_PEM_MAX);
    str_init(&request, X509_PEM_MAX);
    assert_int_equal(x509_make_key(&key, &err), 0);
    assert_int_equal(x509_make_request(str_slice(&key), "x", &request, &err), 0);
    make_token("", many);
    make_token("{\"single_use\":true}", once);
    make_token("{\"ttl_ms\":1000}", brief);

    assert_int_equal(enrol(many, &agent, str_cstr(&request)), 200);
    assert_int_equal(enrol(many, &other, str_cstr(&request)), 200);
    assert_int_equal(enrol(once, &agent, "nonsense"), 400);
    assert_int_equal(enrol(once, &agent, str_cstr(&request)), 200);
    assert_int_equal(enrol(once, &agent, str_cstr(&request)), 200);
    assert_int_equal(enrol(once, &other, str_cstr(&request)), 401);
    assert_int_equal(enrol(brief, &agent, str_cstr(&request)), 200);
    fake->now_ms += 1001;
    assert_int_equal(enrol(brief, &agent, str_cstr(&request)), 401);
    assert_int_equal(enrol("weft_enrol_unknown", &agent, str_cstr(&request)), 401);
    str_fini(&key);
    str_fini(&request);
}

/* Unknown paths, wrong methods, wrong media types are told apart. */
static void routing(void **state)
{
    (void)state;
    const char *token = fake->admin_token;
    assert_int_equal(people_status("GET", "/nothing", token, ""), 404);
    assert_int_equal(people_status("GET", "/agent/v1/watch", token, ""), 404);
    struct fake_reply reply = people("DELETE", "/api/v1/clusters", token, "");
    assert_int_equal(reply.status, 405);
    assert_non_null(strstr(reply.headers, "Allow: OPTIONS, GET, HEAD, POST"));
    fake_reply_free(&reply);
    struct fake_request xml = {.path = "/api/v1/clusters",
                               .token = token,
                               .content_type = "text/xml",
                               .body = slice_str("<a/>")};
    fake_control_call(fake, &xml, &reply);
    assert_int_equal(reply.status, 415);
    fake_reply_free(&reply);
    xml.content_type = "application/json; charset=utf-8";
    xml.encoding = "gzip";
    fake_control_call(fake, &xml, &reply);
    assert_int_equal(reply.status, 415);
    fake_reply_free(&reply);
    assert_int_equal(people_status("POST", "/api/v1/clusters", token, "{\"name\":"), 400);
    assert_int_equal(people_status("POST", "/api/v1/clusters", token, "[]"), 400);
    assert_int_equal(people_status("GET", "/healthz", NULL, ""), 200);
    assert_int_equal(people_status("GET", "/readyz", NULL, ""), 200);
    assert_int_equal(people_status("GET", "/metrics", NULL, ""), 200);
    assert_int_equal(people_status("GET", "/api/v1/ca", NULL, ""), 200);
}

/* --- agents: standing --- */

static int agent_status(const struct uuid *c, const struct uuid *a, const char *path,
                        const char *body)
{
    struct fake_request request = {.agents = true,
                                   .path = path,
                                   .cluster_id = *c,
                                   .agent_id = *a,
                                   .body = slice_str(body)};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    int status = reply.status;
    fake_reply_free(&reply);
    return status;
}

/* The cluster is the certificate's: without one, or of an unknown cluster, nothing. */
static void agent_credentials(void **state)
{
    (void)state;
    struct uuid none = UUID_ZERO, elsewhere = uuid_random();
    assert_int_equal(agent_status(&none, &none, "/agent/v1/metadata", "{}"), 403);
    assert_int_equal(agent_status(&elsewhere, &agent, "/agent/v1/register", REGISTER),
                     403);
    struct fake_request old = {.agents = true,
                               .path = "/agent/v1/register",
                               .cluster_id = cluster,
                               .agent_id = agent,
                               .certificate_ends_at_ms = 1000,
                               .body = slice_str(REGISTER)};
    struct fake_reply reply;
    fake_control_call(fake, &old, &reply);
    assert_int_equal(reply.status, 401);
    fake_reply_free(&reply);
    assert_int_equal(agent_status(&cluster, &agent, "/api/v1/clusters", "{}"), 404);
}

/* An agent must register before all else, keeps its node id when it repeats, and is gone
 * after leaving. */
static void registration(void **state)
{
    (void)state;
    struct uuid second = uuid_random();
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/metadata", "{}"), 409);
    struct json *value = call("/agent/v1/register", REGISTER);
    int64_t node_id = get_int(value, "node_id");
    assert_true(node_id > 0);
    assert_int_equal(get_int(value, "session_ms"), 10000);
    json_free(value);
    value = call("/agent/v1/register", REGISTER);
    assert_int_equal(get_int(value, "node_id"), node_id);
    json_free(value);
    value = fake_agent_call(fake, &cluster, &second, "/agent/v1/register", REGISTER_OTHER,
                            200);
    assert_true(get_int(value, "node_id") > node_id);
    json_free(value);
    value = call("/agent/v1/metadata", "{}");
    assert_int_equal(json_count(json_find(value, "agents")), 2);
    json_free(value);
    assert_true(sessions_has(fake->service.sessions, &cluster, &agent));
    ok("/agent/v1/leave", "{}");
    ok("/agent/v1/leave", "{}");
    assert_false(sessions_has(fake->service.sessions, &cluster, &agent));
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/metadata", "{}"), 409);
    assert_int_equal(
        agent_status(&cluster, &agent, "/agent/v1/register",
                     "{\"zone\":\"a\",\"rack\":\"\",\"host\":\"h\",\"port\":0,"
                     "\"http_url\":\"\",\"version\":\"1\","
                     "\"state\":\"active\"}"),
        422);
}

/* Renewal gives a certificate of the same identity whatever the request's subject. */
static void renewal(void **state)
{
    (void)state;
    struct str key, request, body;
    struct err err;
    str_init(&key, X509_PEM_MAX);
    str_init(&request, X509_PEM_MAX);
    str_init(&body, MIB);
    assert_int_equal(x509_make_key(&key, &err), 0);
    assert_int_equal(x509_make_request(str_slice(&key), "somebody else", &request, &err),
                     0);
    struct json *value = json_object();
    json_set(value, "request_pem", json_slice(str_slice(&request)));
    json_print(value, &body);
    json_free(value);
    value = call("/agent/v1/renew", str_cstr(&body));
    assert_int_equal(get_int(value, "not_after_ms"), fake->now_ms + 86400000);
    json_free(value);
    assert_int_equal(
        agent_status(&cluster, &agent, "/agent/v1/renew", "{\"request_pem\":\"x\"}"),
        400);
    str_fini(&key);
    str_fini(&request);
    str_fini(&body);
}

/* Producer ids are given out once. */
static void producer_ids(void **state)
{
    (void)state;
    ok("/agent/v1/register", REGISTER);
    struct json *value = call("/agent/v1/producer-ids", "{\"count\":1000}");
    int64_t first = get_int(value, "first");
    json_free(value);
    value = call("/agent/v1/producer-ids", "{\"count\":1}");
    assert_true(get_int(value, "first") >= first + 1000);
    json_free(value);
    assert_int_equal(
        agent_status(&cluster, &agent, "/agent/v1/producer-ids", "{\"count\":10001}"),
        422);
}

/* --- agents: topics --- */

static int64_t topic_error(const char *path, const char *body)
{
    struct json *value = call(path, body);
    int64_t error = int_at(at(json_find(value, "results"), 0), 0);
    json_free(value);
    return error;
}

/* Each way of asking for a wrong topic has Kafka's own error. */
static void topic_errors(void **state)
{
    (void)state;
    const char *create = "/agent/v1/topics/create";
    char id[UUID_TEXT_LEN + 1];
    ok("/agent/v1/register", REGISTER);
    create_topic("t", 2, id);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"t\",1,1,{},[]]]}"), 36);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"a b\",1,1,{},[]]]}"), 17);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"n\",0,1,{},[]]]}"), 37);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"n\",1,0,{},[]]]}"), 38);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"n\",-1,-1,{},[[1,[1]]]]]}"),
                     39);
    assert_int_equal(
        topic_error(create, "{\"topics\":[[\"n\",-1,-1,{},[[0,[1]],[1,[1,2]]]]]}"), 39);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"n\",-1,-1,{},[[0,[1,1]]]]]}"),
                     39);
    assert_int_equal(topic_error(create, "{\"topics\":[[\"n\",1,-1,{},[[0,[1]]]]]}"), 42);
    assert_int_equal(
        topic_error(create, "{\"topics\":[[\"n\",1,1,{\"no.such\":\"1\"},[]]]}"), 40);
    assert_int_equal(
        topic_error(create, "{\"topics\":[[\"n\",1,1,{\"retention.ms\":\"x\"},[]]]}"),
        40);
    assert_int_equal(
        topic_error(create, "{\"topics\":[[\"n\",1,1,{\"retention.ms\":null},[]]]}"), 40);
    assert_int_equal(topic_error(create, "{\"validate_only\":true,"
                                         "\"topics\":[[\"v\",1,1,{},[]]]}"),
                     0);
    assert_int_equal(topic_error(create, "{\"validate_only\":true,"
                                         "\"topics\":[[\"t\",1,1,{},[]]]}"),
                     36);
    assert_int_equal(
        topic_error("/agent/v1/topics/partitions", "{\"topics\":[[\"v\",3,null]]}"), 3);
    assert_int_equal(
        topic_error("/agent/v1/topics/partitions", "{\"topics\":[[\"t\",2,null]]}"), 37);
    assert_int_equal(
        topic_error("/agent/v1/topics/partitions", "{\"topics\":[[\"t\",4,[[1]]]]}"), 39);
    assert_int_equal(
        topic_error("/agent/v1/topics/partitions", "{\"topics\":[[\"t\",3,[[1]]]]}"), 0);
    assert_int_equal(
        topic_error("/agent/v1/topics/delete", "{\"topics\":[[null,\"x\"]]}"), 3);
    assert_int_equal(
        topic_error("/agent/v1/topics/delete",
                    "{\"topics\":[[\"00000000-0000-4000-8000-000000000000\",null]]}"),
        100);
    char body[128];
    snprintf(body, sizeof(body), "{\"topics\":[[\"%s\",null]]}", id);
    assert_int_equal(topic_error("/agent/v1/topics/delete", body), 0);
    assert_int_equal(topic_error("/agent/v1/topics/delete", body), 100);
}

/* Settings are set, deleted, appended to, replaced; what is wrong changes nothing. */
static void configs(void **state)
{
    (void)state;
    const char *path = "/agent/v1/topics/configs";
    char id[UUID_TEXT_LEN + 1];
    ok("/agent/v1/register", REGISTER);
    create_topic("t", 1, id);
    assert_int_equal(
        topic_error(path, "{\"topics\":[[\"t\",[[0,\"retention.ms\",\"5\"]]]]}"), 0);
    assert_int_equal(
        topic_error(path, "{\"topics\":[[\"t\",[[0,\"retention.ms\",\"x\"]]]]}"), 40);
    assert_int_equal(topic_error(path, "{\"topics\":[[\"t\",[[0,\"no.such\",\"x\"]]]]}"),
                     40);
    assert_int_equal(topic_error(path, "{\"topics\":[[\"t\",[[1,\"no.such\",null]]]]}"),
                     40);
    assert_int_equal(
        topic_error(path, "{\"topics\":[[\"t\",[[2,\"retention.ms\",\"1\"]]]]}"), 40);
    assert_int_equal(
        topic_error(path, "{\"topics\":[[\"t\",[[2,\"cleanup.policy\",\"compact\"]]]]}"),
        0);
    assert_int_equal(
        topic_error(path, "{\"topics\":[[\"t\",[[2,\"cleanup.policy\",\"nonsense\"]]]]}"),
        40);
    assert_int_equal(topic_error(path, "{\"topics\":[[\"x\",[]]]}"), 3);
    struct json *value = call("/agent/v1/metadata", "{}");
    const struct json *set = at(at(json_find(value, "topics"), 0), 4);
    char text[64];
    copy_string(json_find(set, "retention.ms"), text, sizeof(text));
    assert_string_equal(text, "5");
    copy_string(json_find(set, "cleanup.policy"), text, sizeof(text));
    assert_string_equal(text, "delete,compact");
    json_free(value);
    assert_int_equal(
        topic_error(path,
                    "{\"topics\":[[\"t\",[[4,null,null],[0,\"retention.ms\",\"7\"]]]]}"),
        0);
    value = call("/agent/v1/metadata", "{}");
    assert_int_equal(json_count(at(at(json_find(value, "topics"), 0), 4)), 1);
    json_free(value);
}

/* --- agents: commit and reading --- */

/* A commit gives dense offsets; its repeat gives the same answer; plan and offsets show
 * its runs where the object has them. */
static void commit_and_read(void **state)
{
    (void)state;
    char id[UUID_TEXT_LEN + 1], query[512];
    struct uuid first = uuid_random(), second = uuid_random();
    struct str body;
    int64_t values[8];

    ok("/agent/v1/register", REGISTER);
    create_topic("t", 3, id);
    commit_body(&first, id, 3, 10, -1, 0, &body);
    for (int i = 0; i < 2; i++) {
        struct json *value = call("/agent/v1/commit", str_cstr(&body));
        assert_int_equal(int_at(value, 0), fake->now_ms);
        const struct json *result = at(at(value, 2), 0);
        assert_int_equal(int_at(result, 0), 0);
        assert_int_equal(column(at(result, 1), true, values, 8), 3);
        assert_int_equal(values[0] + values[1] + values[2], 0);
        assert_int_equal(json_count(at(result, 2)), 0);
        json_free(value);
    }
    str_fini(&body);
    commit_body(&second, id, 1, 5, -1, 0, &body);
    struct json *value = call("/agent/v1/commit", str_cstr(&body));
    assert_int_equal(column(at(at(at(value, 2), 0), 1), true, values, 8), 1);
    assert_int_equal(values[0], 10);
    json_free(value);
    str_fini(&body);

    snprintf(query, sizeof(query),
             "{\"partitions\":[[\"%s\",0,3,1000000],[\"%s\",0,15,1],[\"%s\",0,16,1],"
             "[\"%s\",9,0,1],[\"%s\",1,0,0]]}",
             id, id, id, id, id);
    value = call("/agent/v1/plan", query);
    const struct json *plans = json_find(value, "plans");
    const struct json *plan = at(plans, 0);
    assert_int_equal(int_at(plan, 0), 0);
    assert_int_equal(int_at(plan, 1), 15);
    assert_int_equal(int_at(plan, 2), 0);
    assert_int_equal(json_count(at(plan, 3)), 2);
    assert_int_equal(column(at(plan, 4), true, values, 8), 2);
    assert_int_equal(values[0], 0);
    assert_int_equal(values[1], 10);
    assert_int_equal(column(at(plan, 5), true, values, 8), 2);
    assert_int_equal(values[1], 1);
    assert_int_equal(column(at(plan, 7), false, values, 8), 2);
    assert_int_equal(values[0], 16);
    assert_int_equal(int_at(at(plans, 1), 0), 0);
    assert_int_equal(column(at(at(plans, 1), 4), true, values, 8), 0);
    assert_int_equal(int_at(at(plans, 2), 0), 1);
    assert_int_equal(int_at(at(plans, 3), 0), 3);
    assert_int_equal(int_at(at(plans, 4), 1), 10);
    json_free(value);

    snprintf(query, sizeof(query),
             "{\"queries\":[[\"%s\",0,-1],[\"%s\",0,-2],[\"%s\",0,%lld],[\"%s\",0,-3],"
             "[\"%s\",0,99999999999999],[\"%s\",7,-1]]}",
             id, id, id, (long long)fake->now_ms, id, id, id);
    value = call("/agent/v1/offsets", query);
    const struct json *answers = json_find(value, "answers");
    assert_int_equal(int_at(at(answers, 0), 3), 15);
    assert_int_equal(int_at(at(answers, 1), 3), 0);
    assert_int_equal(int_at(at(answers, 2), 3), 0);
    assert_int_equal(json_count(at(at(answers, 2), 5)), 5);
    assert_int_equal(int_at(at(answers, 3), 3), 0);
    assert_int_equal(int_at(at(answers, 4), 3), -1);
    assert_true(json_is_null(at(at(answers, 4), 5)));
    assert_int_equal(int_at(at(answers, 5), 0), 3);
    json_free(value);
}

/* A retry of an idempotent batch in another object is answered with the original offset;
 * a gap is refused by itself. */
static void idempotence(void **state)
{
    (void)state;
    char id[UUID_TEXT_LEN + 1];
    struct uuid object;
    struct str body;
    ok("/agent/v1/register", REGISTER);
    create_topic("t", 1, id);
    static const struct {
        int32_t sequence;
        int64_t error, base;
    } steps[] = {{0, -1, 0}, {0, 0, 0}, {4, -1, 4}, {20, 45, -1}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        object = uuid_random();
        commit_body(&object, id, 1, 4, 7, steps[i].sequence, &body);
        struct json *value = call("/agent/v1/commit", str_cstr(&body));
        const struct json *result = at(at(value, 2), 0);
        if (steps[i].error < 0) {
            int64_t base;
            assert_int_equal(json_count(at(result, 2)), 0);
            assert_int_equal(column(at(result, 1), true, &base, 1), 1);
            assert_int_equal(base, steps[i].base);
        } else {
            const struct json *exception = at(at(result, 2), 0);
            assert_int_equal(int_at(exception, 2), steps[i].error);
            assert_int_equal(int_at(exception, 3), steps[i].base);
        }
        json_free(value);
        str_fini(&body);
    }
}

static void result_code(const struct json *value, size_t i, const char *expected)
{
    char text[64];
    copy_string(at(at(at(value, 2), i), 0), text, sizeof(text));
    assert_string_equal(text, expected);
}

/* A malformed object is refused alone, an old one is refused for ever, and a list that
 * is none is refused as a request. */
static void commit_refusals(void **state)
{
    (void)state;
    char id[UUID_TEXT_LEN + 1];
    struct uuid object = uuid_random();
    struct str good, both;

    ok("/agent/v1/register", REGISTER);
    create_topic("t", 1, id);
    commit_body(&object, id, 1, 4, -1, 0, &good);
    str_init(&both, MIB);
    str_puts(&both, "[[\"x\"],");
    str_append(&both, good.data + 1, good.len - 1);
    struct json *value = call("/agent/v1/commit", str_cstr(&both));
    result_code(value, 0, "MALFORMED");
    assert_int_equal(int_at(at(at(value, 2), 1), 0), 0);
    json_free(value);
    str_fini(&good);
    str_fini(&both);

    object = uuid_random();
    commit_body(&object, id, 1, 4, -1, 0, &good);
    fake->now_ms += fake->options.commit_max_age_ms + 1;
    value = call("/agent/v1/commit", str_cstr(&good));
    result_code(value, 0, "EXPIRED");
    json_free(value);
    str_fini(&good);
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/commit", "{}"), 400);
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/commit", "[]"), 400);
}

/* A commit repeated through another agent has the first one's answer (I5); the same
 * object id with other content is refused. */
static void commit_through_another(void **state)
{
    (void)state;
    char id[UUID_TEXT_LEN + 1];
    struct uuid object = uuid_random(), other = uuid_random();
    struct str body;
    int64_t base = -1;
    ok("/agent/v1/register", REGISTER);
    json_free(fake_agent_call(fake, &cluster, &other, "/agent/v1/register",
                              REGISTER_OTHER, 200));
    create_topic("t", 1, id);
    commit_body(&object, id, 1, 4, -1, 0, &body);
    ok("/agent/v1/commit", str_cstr(&body));
    struct json *value =
        fake_agent_call(fake, &cluster, &other, "/agent/v1/commit", str_cstr(&body), 200);
    assert_non_null(value);
    assert_int_equal(column(at(at(at(value, 2), 0), 1), true, &base, 1), 1);
    assert_int_equal(base, 0);
    json_free(value);
    str_fini(&body);
    commit_body(&object, id, 1, 5, -1, 0, &body);
    value = call("/agent/v1/commit", str_cstr(&body));
    result_code(value, 0, "CONFLICT");
    json_free(value);
    str_fini(&body);
}

/* --- watch --- */

/* A watch brings what happened after its cursor, in order, and wakes by the next event.
 */
static void watch(void **state)
{
    (void)state;
    char id[UUID_TEXT_LEN + 1], body[128], kind[32];
    struct uuid object = uuid_random();
    struct str commit;

    ok("/agent/v1/register", REGISTER);
    struct json *value = call("/agent/v1/metadata", "{}");
    int64_t cursor = get_int(value, "cursor");
    json_free(value);
    create_topic("t", 2, id);
    snprintf(body, sizeof(body), "{\"after\":%lld,\"wait_ms\":1000}", (long long)cursor);
    value = call("/agent/v1/watch", body);
    assert_int_equal(json_count(json_find(value, "events")), 1);
    copy_string(at(at(json_find(value, "events"), 0), 0), kind, sizeof(kind));
    assert_string_equal(kind, "topic");
    cursor = get_int(value, "cursor");
    json_free(value);

    snprintf(body, sizeof(body), "{\"after\":%lld,\"wait_ms\":3000}", (long long)cursor);
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/watch",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str(body)};
    struct fake_reply parked;
    fake_control_call(fake, &request, &parked);
    assert_int_equal(parked.status, 0);
    commit_body(&object, id, 2, 3, -1, 0, &commit);
    ok("/agent/v1/commit", str_cstr(&commit));
    str_fini(&commit);
    fake_control_wait(fake, &parked);
    assert_int_equal(parked.status, 200);
    struct err err;
    assert_int_equal(json_parse(str_slice(&parked.body), &value, &err), 0);
    const struct json *event = at(json_find(value, "events"), 0);
    int64_t values[4];
    copy_string(at(event, 0), kind, sizeof(kind));
    assert_string_equal(kind, "commit");
    assert_int_equal(json_count(event), 11);
    assert_int_equal(column(at(event, 5), true, values, 4), 2);
    assert_int_equal(values[1], 1);
    assert_int_equal(column(at(event, 7), false, values, 4), 2);
    assert_int_equal(values[0], 3);
    assert_int_equal(column(at(event, 8), false, values, 4), 2);
    assert_int_equal(values[0] + values[1], 0);
    assert_true(get_int(value, "cursor") > cursor);
    json_free(value);
    fake_reply_free(&parked);
}

/* Without an event a watch ends when its time is over; a cursor from elsewhere resets. */
static void watch_timeout_and_reset(void **state)
{
    (void)state;
    char body[128];
    ok("/agent/v1/register", REGISTER);
    struct json *value = call("/agent/v1/metadata", "{}");
    int64_t cursor = get_int(value, "cursor");
    json_free(value);
    snprintf(body, sizeof(body), "{\"after\":%lld,\"wait_ms\":20}", (long long)cursor);
    value = call("/agent/v1/watch", body);
    assert_int_equal(json_count(json_find(value, "events")), 0);
    assert_int_equal(get_int(value, "cursor"), cursor);
    json_free(value);
    snprintf(body, sizeof(body), "{\"after\":%lld,\"wait_ms\":20}",
             (long long)cursor + 1000);
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/watch",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str(body)};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    assert_non_null(strstr(str_cstr(&reply.body), "\"reset\":true"));
    fake_reply_free(&reply);
}

/* An agent that has seen more than there is tells that commits are missing (the cell was
 * restored from a backup): it stands in the audit log, once, however many agents tell. */
static void commits_missing(void **state)
{
    (void)state;
    char path[128], id[UUID_TEXT_LEN + 1];
    ok("/agent/v1/register", REGISTER);
    for (int i = 0; i < 3; i++)
        ok("/agent/v1/watch", "{\"after\":100000,\"wait_ms\":20}");
    snprintf(path, sizeof(path), "/api/v1/clusters/%s/audit", uuid_print(&cluster, id));
    struct fake_reply reply = people("GET", path, fake->admin_token, "");
    const char *entry = strstr(str_cstr(&reply.body), "cell.commits-missing");
    assert_non_null(entry);
    assert_null(strstr(entry + 1, "cell.commits-missing"));
    fake_reply_free(&reply);
}

/* --- failures of the node, bounds --- */

/* What the node cannot do is told with the status that makes an agent do the right thing.
 */
static void node_failures(void **state)
{
    (void)state;
    static const struct {
        int code, status;
    } cases[] = {{ERR_NO_SPACE, 507},
                 {ERR_IO, 503},
                 {ERR_UNAVAILABLE, 503},
                 {ERR_OVERLOADED, 429},
                 {ERR_NOT_LEADER, 421}};
    ok("/agent/v1/register", REGISTER);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake->propose_code = cases[i].code;
        struct fake_request ask = {.agents = true,
                                   .path = "/agent/v1/producer-ids",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str("{\"count\":1}")};
        struct fake_reply refused;
        fake_control_call(fake, &ask, &refused);
        assert_int_equal(refused.status, cases[i].status);
        assert_int_equal(strstr(refused.headers, "Retry-After: 1") != NULL,
                         cases[i].status != 421);
        fake_reply_free(&refused);
    }
    assert_int_equal(people_status("GET", "/readyz", NULL, ""), 503);
    fake->propose_code = 0;
    fake_control_node(fake, "https://two:7800", "https://two:7801");
    fake->readable = false;
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/metadata", "{}"), 503);
    assert_int_equal(people_status("GET", "/readyz", NULL, ""), 503);
    fake->leader = false;
    fake->leader_id = 2;
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/metadata",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str("{}")};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    assert_int_equal(reply.status, 421);
    assert_non_null(strstr(str_cstr(&reply.body), "\"leader\":\"https://two:7801\""));
    fake_reply_free(&reply);
    reply = people("GET", "/api/v1/clusters", fake->admin_token, "");
    assert_int_equal(reply.status, 421);
    assert_non_null(strstr(str_cstr(&reply.body), "\"leader\":\"https://two:7800\""));
    fake_reply_free(&reply);
}

/* Bodies are bounded in bytes, in values and in depth; requests together by the budget.
 */
static void bounds(void **state)
{
    (void)state;
    struct str body;
    str_init(&body, 16 * MIB);
    ok("/agent/v1/register", REGISTER);
    str_puts(&body, "[0");
    for (int i = 0; i < 300000; i++)
        str_puts(&body, ",0");
    str_puts(&body, "]");
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/commit", str_cstr(&body)),
                     413);
    str_reset(&body);
    for (int i = 0; i < 100000; i++)
        str_putc(&body, '[');
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/commit", str_cstr(&body)),
                     400);
    str_reset(&body);
    for (int i = 0; i < 70000; i++)
        str_putc(&body, ' ');
    assert_int_equal(
        agent_status(&cluster, &agent, "/agent/v1/metadata", str_cstr(&body)), 413);
    str_fini(&body);
    assert_true(budget_take(&fake->service.budget, 256 * MIB));
    assert_int_equal(agent_status(&cluster, &agent, "/agent/v1/metadata", "{}"), 429);
    budget_give(&fake->service.budget, 256 * MIB);
}

/* A large body may come as lz4 and an answer goes so when asked; what is not lz4, or
 * unfolds past the limit, is refused. */
static void compression(void **state)
{
    (void)state;
    struct str plain, packed;
    struct fake_reply reply;
    ok("/agent/v1/register", REGISTER);
    str_init(&plain, 16 * MIB);
    str_init(&packed, 16 * MIB);
    str_puts(&plain, "{\"partitions\":[");
    for (int i = 0; i < 500; i++)
        str_printf(&plain, "%s[\"00000000-0000-4000-8000-%012d\",0,0,1]", i ? "," : "",
                   i);
    str_puts(&plain, "]}");
    assert_int_equal(lz_body_encode(str_slice(&plain), &packed), 0);
    struct fake_request request = {.agents = true,
                                   .path = "/agent/v1/plan",
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .encoding = "lz4",
                                   .accept = "lz4",
                                   .body = str_slice(&packed)};
    fake_control_call(fake, &request, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.headers, "X-Weft-Encoding: lz4"));
    struct str answer;
    str_init(&answer, 16 * MIB);
    assert_int_equal(lz_body_decode(str_slice(&reply.body), 16 * MIB, &answer), 0);
    assert_non_null(strstr(str_cstr(&answer), "\"plans\":[[100,"));
    str_fini(&answer);
    fake_reply_free(&reply);
    request.body = slice_str("this is not lz4");
    fake_control_call(fake, &request, &reply);
    assert_in_range(reply.status, 400, 413);
    fake_reply_free(&reply);
    str_reset(&plain);
    str_reset(&packed);
    for (size_t i = 0; i < 2 * MIB; i++)
        str_putc(&plain, ' ');
    assert_int_equal(lz_body_encode(str_slice(&plain), &packed), 0);
    request.body = str_slice(&packed);
    fake_control_call(fake, &request, &reply);
    assert_int_equal(reply.status, 413);
    fake_reply_free(&reply);
    str_fini(&plain);
    str_fini(&packed);
}

/* --- turns --- */

static void nothing(struct turn *turn)
{
    (void)turn;
}

static void ask_pending(const char *path, const char *body, struct fake_reply *reply)
{
    struct fake_request request = {.agents = true,
                                   .path = path,
                                   .cluster_id = cluster,
                                   .agent_id = agent,
                                   .body = slice_str(body)};
    fake_control_call(fake, &request, reply);
}

/* While another cluster commits, a cluster's calls wait until there is room under what
 * it may have under way; watches and other clusters' calls do not; and whoever waited is
 * looked at again, for it may not be registered any more. */
static void calls_take_turns(void **state)
{
    struct turns *turns = fake->service.call_turns;
    struct uuid second = fake_control_cluster(fake, "second");
    struct turn flood[TURNS_UNDER_WAY];
    struct fake_reply one, two, watch;
    int64_t now_us = clock_monotonic_us();
    (void)state;

    ok("/agent/v1/register", REGISTER);
    turns_note(turns, &second, now_us);
    for (size_t i = 0; i < TURNS_UNDER_WAY; i++) {
        flood[i] = (struct turn){.go = nothing, .quiet = true, .weight = 1};
        turns_take(turns, &flood[i], &cluster, now_us);
    }
    ask_pending("/agent/v1/producer-ids", "{\"count\":1}", &one);
    assert_non_null(one.pending);
    ask_pending("/agent/v1/watch", "{\"after\":0,\"wait_ms\":0}", &watch);
    assert_null(watch.pending);
    fake_reply_free(&watch);
    json_free(fake_agent_call(fake, &second, &agent, "/agent/v1/register", REGISTER_OTHER,
                              200));
    assert_non_null(one.pending);
    /* The other one has committed nothing for long. */
    turns_give(turns, &flood[0], now_us + 2 * TURNS_MEMORY_US);
    fake_control_wait(fake, &one);
    assert_int_equal(one.status, 200);
    fake_reply_free(&one);

    turns_note(turns, &second, now_us);
    turns_take(turns, &flood[0], &cluster, now_us);
    ask_pending("/agent/v1/producer-ids", "{\"count\":1}", &two);
    assert_non_null(two.pending);
    struct command cmd = {.kind = COMMAND_AGENT_REMOVE,
                          .cluster_id = cluster,
                          .agent_remove = {.agent_id = agent}};
    fake_control_apply(fake, &cmd);
    for (size_t i = 0; i < TURNS_UNDER_WAY; i++)
        turns_give(turns, &flood[i], now_us + 2 * TURNS_MEMORY_US);
    fake_control_wait(fake, &two);
    assert_int_equal(two.status, 409);
    fake_reply_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(enrolment, setup, teardown),
        cmocka_unit_test_setup_teardown(routing, setup, teardown),
        cmocka_unit_test_setup_teardown(agent_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(registration, setup, teardown),
        cmocka_unit_test_setup_teardown(renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(producer_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(topic_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(configs, setup, teardown),
        cmocka_unit_test_setup_teardown(commit_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(idempotence, setup, teardown),
        cmocka_unit_test_setup_teardown(commit_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(commit_through_another, setup, teardown),
        cmocka_unit_test_setup_teardown(watch, setup, teardown),
        cmocka_unit_test_setup_teardown(watch_timeout_and_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(commits_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(node_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(compression, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_take_turns, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
