/* fake_transport.c - requests to a handler, answers by timer. */
#include "tests/lib/fake_transport.h"

#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/lz.h"
#include "common/mem.h"

struct fake_http_call {
    struct list_node node;
    struct fake_transport *fake;
    struct loop_timer timer;
    struct fake_http_reply reply;
    http_done_fn *done;
    void *arg;
};

static void call_free(struct fake_http_call *call)
{
    list_remove(&call->node);
    loop_timer_fini(&call->timer);
    json_free(call->reply.body);
    mem_free(call);
}

static struct blob *body_of(struct fake_http_reply *reply, struct http_response *response)
{
    struct str text, packed;
    str_init(&text, 64 * MIB);
    str_init(&packed, 65 * MIB);
    if (reply->text != NULL)
        str_puts(&text, reply->text);
    else if (reply->body != NULL)
        json_print(reply->body, &text);
    else
        str_puts(&text, "{}");
    struct slice s = str_slice(&text);
    if (reply->lz4) {
        ASSERT(lz_body_encode(s, &packed) == 0);
        s = str_slice(&packed);
        memcpy(response->encoding, "lz4", 4);
    }
    struct blob *blob = blob_new(s.len, NULL);
    memcpy(blob->data, s.ptr, s.len);
    str_fini(&text);
    str_fini(&packed);
    return blob;
}

static void on_answer(struct loop_timer *timer, void *arg)
{
    struct fake_http_call *call = arg;
    struct http_response response = {
        .code = call->reply.code,
        .strained = call->reply.code != 0,
        .status = call->reply.status == 0 ? 200 : call->reply.status,
        .error = "the fake transport says no",
        .retry_after_ms = call->reply.retry_after_ms,
    };
    http_done_fn *done = call->done;
    void *done_arg = call->arg;
    (void)timer;

    if (response.code == 0)
        response.body = body_of(&call->reply, &response);
    call_free(call);
    done(&response, done_arg);
    blob_unref(response.body);
}

static const char *header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        if (strncmp(request->headers[i], name, strlen(name)) == 0)
            return request->headers[i] + strlen(name);
    }
    return "";
}

static struct http_call *send_request(const struct http_request *request,
                                      http_done_fn *done, void *done_arg, void *arg)
{
    struct fake_transport *fake = arg;
    struct fake_http_call *call = mem_zalloc(sizeof(*call));
    struct fake_http_request seen = {
        .method = request->method,
        .url = request->url,
        .authorization = header(request, "Authorization: "),
        .has_certificate = fake->has_certificate,
        .verified = !fake->verify_none,
        .timeout_ms = request->timeout_ms,
    };
    struct json *body = NULL;
    struct str text, plain;

    str_init(&text, 16 * MIB);
    str_init(&plain, 16 * MIB);
    for (size_t i = 0; i < request->body_count; i++)
        str_append_slice(&text, request->body[i]);
    seen.body_text = str_slice(&text);
    if (strcmp(header(request, "X-Weft-Encoding: "), "lz4") == 0) {
        seen.lz4 = true;
        ASSERT(lz_body_decode(str_slice(&text), 8 * MIB, &plain) == 0);
        seen.body_text = str_slice(&plain);
    }
    if (seen.body_text.len > 0)
        ASSERT(json_parse(seen.body_text, &body, NULL) == 0);
    seen.body = body;
    seen.path = strchr(request->url + 8, '/');
    fake->requests++;
    call->fake = fake;
    call->done = done;
    call->arg = done_arg;
    call->reply.retry_after_ms = -1;
    list_push_back(&fake->calls, &call->node);
    loop_timer_init(&call->timer, fake->loop, on_answer, call);
    fake->handler(&seen, &call->reply, fake->arg);
    if (!call->reply.never)
        loop_timer_set(&call->timer, call->reply.delay_ms);
    json_free(body);
    str_fini(&text);
    str_fini(&plain);
    return (struct http_call *)(void *)call;
}

static void cancel_request(struct http_call *call, void *arg)
{
    (void)arg;
    call_free((struct fake_http_call *)(void *)call);
}

static void set_tls(const struct http_tls *tls, void *arg)
{
    struct fake_transport *fake = arg;
    fake->verify_none = tls->verify_none;
    fake->has_certificate = tls->cert_pem.ptr != NULL;
    str_reset(&fake->key_pem);
    str_append_slice(&fake->key_pem, tls->key_pem);
}

void fake_transport_init(struct fake_transport *fake, struct loop *loop,
                         fake_handler_fn *handler, void *arg)
{
    struct err err = {0};
    *fake = (struct fake_transport){.loop = loop, .handler = handler, .arg = arg};
    fake->ops = (struct ctl_transport){
        .send = send_request, .cancel = cancel_request, .set_tls = set_tls, .arg = fake};
    fake->cluster_id.bytes[0] = 0xc1;
    fake->certificate_life_ms = 86400000;
    list_init(&fake->calls);
    str_init(&fake->key_pem, X509_PEM_MAX);
    str_init(&fake->ca_key, X509_PEM_MAX);
    str_init(&fake->ca_cert, X509_PEM_MAX);
    ASSERT(x509_make_key(&fake->ca_key, &err) == 0);
    ASSERT(x509_make_ca(str_slice(&fake->ca_key), "test", 1, &fake->ca_cert, &err) == 0);
    ASSERT(x509_fingerprint(str_slice(&fake->ca_cert), fake->fingerprint, &err) == 0);
}

void fake_transport_fini(struct fake_transport *fake)
{
    ASSERT(list_empty(&fake->calls));
    str_fini(&fake->key_pem);
    str_fini(&fake->ca_key);
    str_fini(&fake->ca_cert);
}

void fake_transport_problem(struct fake_http_reply *reply, int status, const char *code,
                            const char *detail)
{
    reply->status = status;
    reply->body = json_object();
    json_set(reply->body, "status", json_int(status));
    json_set(reply->body, "code", json_string(code));
    json_set(reply->body, "detail", json_string(detail));
}

static void sign(struct fake_transport *fake, const struct json *body,
                 struct json *answer)
{
    struct json_reader r = {0};
    struct err err = {0};
    struct str cert;
    int64_t now = clock_wall_ms();
    const struct x509_profile profile = {
        .common_name = "agent",
        .client = true,
        .not_before_ms = now - 1000,
        .not_after_ms = now + fake->certificate_life_ms,
    };
    str_init(&cert, X509_PEM_MAX);
    ASSERT(x509_sign_request(str_slice(&fake->ca_key), str_slice(&fake->ca_cert),
                             json_get_string(&r, body, "request_pem", X509_PEM_MAX),
                             &profile, &cert, &err) == 0);
    json_set(answer, "certificate_pem", json_slice(str_slice(&cert)));
    json_set(answer, "ca_pem", json_slice(str_slice(&fake->ca_cert)));
    json_set(answer, "not_after_ms", json_int(now + fake->certificate_life_ms));
    json_set(answer, "now_ms", json_int(now));
    str_fini(&cert);
}

static void serve_nodes(const struct fake_transport *fake, struct fake_http_reply *reply)
{
    struct json *nodes = json_array();
    for (size_t i = 0; i < ARRAY_LEN(fake->nodes) && fake->nodes[i] != NULL; i++) {
        struct json *row = json_array();
        json_push(row, json_int((int64_t)i + 1));
        json_push(row, json_string(fake->nodes[i]));
        json_push(nodes, row);
    }
    reply->body = json_object();
    json_set(reply->body, "now_ms", json_int(clock_wall_ms()));
    json_set(reply->body, "nodes", nodes);
    json_set(reply->body, "ca",
             json_string(fake->other_ca != NULL ? fake->other_ca : fake->fingerprint));
}

bool fake_transport_serve(struct fake_transport *fake,
                          const struct fake_http_request *request,
                          struct fake_http_reply *reply)
{
    struct json_reader r = {0};

    if (strcmp(request->path, "/api/v1/ca") == 0) {
        reply->text = str_cstr(&fake->ca_cert);
        return true;
    }
    if (strcmp(request->path, "/api/v1/enrol") == 0) {
        struct uuid agent_id = json_get_uuid(&r, request->body, "agent_id");
        reply->body = json_object();
        sign(fake, request->body, reply->body);
        json_set(reply->body, "cluster_id", json_uuid(&fake->cluster_id));
        json_set(reply->body, "agent_id", json_uuid(&agent_id));
        json_set(reply->body, "agent_url", json_string("https://agents.one:1"));
        return true;
    }
    if (strcmp(request->path, "/agent/v1/renew") == 0) {
        reply->body = json_object();
        sign(fake, request->body, reply->body);
        return true;
    }
    if (strcmp(request->path, "/agent/v1/register") == 0) {
        reply->body = json_object();
        json_set(reply->body, "node_id", json_int(42));
        json_set(reply->body, "session_ms", json_int(10000));
        json_set(reply->body, "watch_ms", json_int(3000));
        json_set(reply->body, "commit_max_age_ms", json_int(3600000));
        json_set(reply->body, "now_ms", json_int(clock_wall_ms()));
        return true;
    }
    if (strcmp(request->path, "/agent/v1/nodes") == 0) {
        serve_nodes(fake, reply);
        return true;
    }
    return false;
}

void fake_transport_run(struct fake_transport *fake, const bool *flag)
{
    int64_t until = clock_monotonic_ms() + 2000;
    while (!*flag) {
        ASSERT(clock_monotonic_ms() < until);
        loop_run_once(fake->loop, 20);
    }
}

static void on_done(int code, const char *text, void *arg)
{
    (void)text;
    ASSERT(code == 0);
    *(bool *)arg = true;
}

struct ctl *fake_transport_join(struct fake_transport *fake)
{
    const struct ctl_options options = {
        .urls = "https://people.one:1,https://people.two:1/",
        .ca_fingerprint = fake->fingerprint,
        .enrolment_token = "sesame",
        .transport = &fake->ops,
    };
    struct ctl *ctl;
    struct err err = {0};
    bool done = false;

    ASSERT(ctl_new(fake->loop, &options, &ctl, &err) == 0);
    ctl_enrol(ctl, on_done, &done);
    fake_transport_run(fake, &done);
    done = false;
    ctl_register(ctl, json_object(), on_done, &done);
    fake_transport_run(fake, &done);
    return ctl;
}
