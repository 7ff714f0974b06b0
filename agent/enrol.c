/* enrol.c - fetch the CA, check it, enrol; sign anew for renewals. */
#include "agent/enrol.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/check.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/x509.h"

#define ANSWER_MAX     (64 * KIB)
#define TEXT_MAX       2048
#define TRY_TIMEOUT_MS 10000
/* Each try is two handshakes: thousands of agents must not try for ever every second. */
#define BACKOFF_MIN_MS 20
#define BACKOFF_MAX_MS 8000

enum enrol_state { ENROL_IDLE, ENROL_FETCH_CA, ENROL_ASK };

struct enrol {
    struct enrol_options options;
    char *urls[ENROL_URLS_MAX];
    char *fingerprint, *token;
    char issuer[X509_FINGERPRINT_LEN + 1];
    enum enrol_state state;
    size_t url; /* the one in use */
    struct backoff backoff;
    struct loop_timer timer;
    struct http_call *call;
    struct log_limit log_limit;
    struct str ca_pem, cert_pem, key_pem;
    struct str new_key_pem; /* of the request under way */
    struct str body;
    struct slice body_slice;
    enrol_done_fn *done;
    void *done_arg;
};

static void try_now(struct enrol *enrol);

static void on_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    try_now(arg);
}

struct enrol *enrol_new(const struct enrol_options *options)
{
    struct enrol *enrol = mem_zalloc(sizeof(*enrol));
    ASSERT(options->url_count > 0 && options->url_count <= ENROL_URLS_MAX);
    enrol->options = *options;
    for (size_t i = 0; i < options->url_count; i++)
        enrol->urls[i] = mem_strdup(options->urls[i]);
    enrol->fingerprint = mem_strdup(options->fingerprint);
    enrol->token = mem_strdup(options->token);
    enrol->log_limit.interval_ms = 5000;
    uint64_t seed;
    memcpy(&seed, options->agent_id.bytes, sizeof(seed));
    backoff_init(&enrol->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS, seed);
    loop_timer_init(&enrol->timer, options->loop, on_timer, enrol);
    str_init(&enrol->ca_pem, ANSWER_MAX);
    str_init(&enrol->cert_pem, ANSWER_MAX);
    str_init(&enrol->key_pem, ANSWER_MAX);
    str_init(&enrol->new_key_pem, ANSWER_MAX);
    str_init(&enrol->body, ANSWER_MAX);
    return enrol;
}

void enrol_free(struct enrol *enrol)
{
    if (enrol == NULL)
        return;
    if (enrol->call != NULL)
        enrol->options.transport->cancel(enrol->call, enrol->options.transport->arg);
    loop_timer_fini(&enrol->timer);
    for (size_t i = 0; i < enrol->options.url_count; i++)
        mem_free(enrol->urls[i]);
    mem_free(enrol->fingerprint);
    mem_free(enrol->token);
    str_fini(&enrol->ca_pem);
    str_fini(&enrol->cert_pem);
    str_fini(&enrol->key_pem);
    str_fini(&enrol->new_key_pem);
    str_fini(&enrol->body);
    mem_free(enrol);
}

int enrol_parse_fingerprint(const char *text, char hex[65], struct err *err)
{
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == ':' || isspace((unsigned char)*p))
            continue;
        if (!isxdigit((unsigned char)*p) || n == 64)
            return err_set(err, ERR_INVALID,
                           "ca-fingerprint must be the 64 hex digits of a SHA-256");
        hex[n++] = (char)tolower((unsigned char)*p);
    }
    hex[n] = '\0';
    return n == 64 ? 0
                   : err_set(err, ERR_INVALID,
                             "ca-fingerprint has %zu hex digits, not 64", n);
}

/* ---- outcomes ---- */

static void finish(struct enrol *enrol, int code, const char *text,
                   const struct enrol_identity *identity)
{
    enrol->state = ENROL_IDLE;
    backoff_reset(&enrol->backoff);
    enrol->done(code, text, identity, enrol->done_arg);
}

static void fail(struct enrol *enrol, int code, const char *text)
{
    finish(enrol, code, text, NULL);
}

/* The next address, after a while. */
static void try_again(struct enrol *enrol, const char *why, int64_t least_ms)
{
    uint64_t dropped;
    if (log_limit_pass(&enrol->log_limit, loop_now_ms(enrol->options.loop), &dropped))
        log_warn("enrol", "control plane does not answer, trying on", "url=%s err=%s",
                 enrol->urls[enrol->url], LOG_QUOTED(why));
    enrol->url = (enrol->url + 1) % enrol->options.url_count;
    loop_timer_set(&enrol->timer, backoff_next_ms(&enrol->backoff) + MAX(least_ms, 0));
}

/* What a problem answer says in words (RFC 9457), or its status. */
static void read_problem(const struct http_response *response, char *text, size_t size)
{
    struct json *json = NULL;
    const struct json *detail = NULL;
    struct json_reader r = {0};
    struct slice s = SLICE_LITERAL("no detail");

    if (json_parse(blob_slice(response->body), &json, NULL) == 0)
        detail = json_find(json, "detail");
    if (detail != NULL)
        s = json_as_string(&r, detail, "detail", TEXT_MAX / 2);
    snprintf(text, size, "%.*s (HTTP %d)", (int)s.len, (const char *)s.ptr,
             response->status);
    json_free(json);
}

static bool transient(int status)
{
    return status >= 500 || status == 429 || status == 421;
}

/* True if the response was not a success and has been dealt with. */
static bool handle_failure(struct enrol *enrol, const struct http_response *response)
{
    char text[TEXT_MAX], problem[TEXT_MAX / 2 + 64];

    if (response->code == ERR_UNAUTHENTICATED) {
        const char *error = response->error;
        bool time =
            strstr(error, "expired") != NULL || strstr(error, "not yet valid") != NULL;
        snprintf(text, sizeof(text), "%s is not trusted: %s. %s", enrol->urls[enrol->url],
                 error,
                 time ? "Is the clock of this machine, or of that one, wrong? Set both "
                        "by NTP"
                      : "Check that --control-plane names the host that its certificate "
                        "is made for");
        fail(enrol, ERR_UNAUTHENTICATED, text);
        return true;
    }
    if (response->code != 0) {
        try_again(enrol, response->error, 0);
        return true;
    }
    if (response->status == 200 || response->status == 201)
        return false;
    read_problem(response, problem, sizeof(problem));
    if (transient(response->status)) {
        try_again(enrol, problem, response->retry_after_ms);
    } else if (response->status == 401) {
        snprintf(
            text, sizeof(text),
            "the enrolment token was refused: %s. Make a new one (weft token enrolment "
            "create) and give it as --enrolment-token",
            problem);
        fail(enrol, ERR_UNAUTHENTICATED, text);
    } else if (response->status == 403) {
        snprintf(text, sizeof(text),
                 "the token given as --enrolment-token is not an enrolment token: %s",
                 problem);
        fail(enrol, ERR_FORBIDDEN, text);
    } else {
        snprintf(text, sizeof(text), "%s does not let this agent enrol: %s",
                 enrol->urls[enrol->url], problem);
        fail(enrol, ERR_INVALID, text);
    }
    return true;
}

/* ---- the CA ---- */

static void on_ca(const struct http_response *response, void *arg)
{
    struct enrol *enrol = arg;
    char text[TEXT_MAX];
    struct err err = {0};

    enrol->call = NULL;
    if (handle_failure(enrol, response))
        return;
    str_reset(&enrol->ca_pem);
    int code =
        x509_find(blob_slice(response->body), enrol->fingerprint, &enrol->ca_pem, &err);
    if (code != 0 && code != ERR_NOT_FOUND) {
        snprintf(text, sizeof(text), "%s/api/v1/ca is not a certificate: %s",
                 enrol->urls[enrol->url], err.text);
        fail(enrol, ERR_MALFORMED, text);
        return;
    }
    if (code != 0) {
        char hex[X509_FINGERPRINT_LEN + 1] = "?";
        if (x509_fingerprint(blob_slice(response->body), hex, &err) != 0)
            log_debug("enrol", "no fingerprint", "err=%s", LOG_QUOTED(err.text));
        snprintf(text, sizeof(text),
                 "%s has another CA than --ca-fingerprint says: its fingerprint is %s. "
                 "Either the option is wrong (the cell may have changed its CA), or "
                 "somebody is in between",
                 enrol->urls[enrol->url], hex);
        fail(enrol, ERR_UNAUTHENTICATED, text);
        return;
    }
    enrol->state = ENROL_ASK;
    try_now(enrol);
}

/* ---- key, request, certificate ---- */

static int make_request(struct enrol *enrol, struct str *request, struct err *err)
{
    str_reset(&enrol->new_key_pem);
    int rc = x509_make_key(&enrol->new_key_pem, err);
    if (rc == 0)
        rc =
            x509_make_request(str_slice(&enrol->new_key_pem), "weft-agent", request, err);
    return rc;
}

int enrol_make_request(struct enrol *enrol, struct json **body, struct err *err)
{
    struct str request;
    str_init(&request, X509_PEM_MAX);
    int rc = make_request(enrol, &request, err);
    if (rc == 0) {
        *body = json_object();
        json_set(*body, "request_pem", json_slice(str_slice(&request)));
    }
    str_fini(&request);
    return rc;
}

int enrol_install(struct enrol *enrol, const struct json *answer, int64_t *not_after_ms,
                  struct err *err)
{
    struct json_reader r = {.err = err};
    struct slice cert = json_get_string(&r, answer, "certificate_pem", X509_PEM_MAX);
    struct slice ca = json_get_string(&r, answer, "ca_pem", X509_PEM_MAX);
    int64_t until = json_get_int(&r, answer, "not_after_ms", 0, INT64_MAX);
    if (r.failed)
        return ERR_MALFORMED;
    if (!x509_matches(str_slice(&enrol->new_key_pem), cert))
        return err_set(err, ERR_MALFORMED, "the certificate is not for our key");
    int code = x509_fingerprint(ca, enrol->issuer, err);
    if (code != 0)
        return code;
    str_reset(&enrol->ca_pem);
    str_append_slice(&enrol->ca_pem, ca);
    str_reset(&enrol->cert_pem);
    str_append_slice(&enrol->cert_pem, cert);
    str_reset(&enrol->key_pem);
    str_append_slice(&enrol->key_pem, str_slice(&enrol->new_key_pem));
    const struct http_tls tls = {
        .ca_pem = str_slice(&enrol->ca_pem),
        .cert_pem = str_slice(&enrol->cert_pem),
        .key_pem = str_slice(&enrol->key_pem),
    };
    enrol->options.agents->set_tls(&tls, enrol->options.agents->arg);
    *not_after_ms = until;
    return 0;
}

static int take_answer(struct enrol *enrol, const struct json *answer,
                       struct enrol_identity *identity, struct err *err)
{
    struct json_reader r = {.err = err};
    identity->cluster_id = json_get_uuid(&r, answer, "cluster_id");
    identity->agent_id = json_get_uuid(&r, answer, "agent_id");
    identity->agent_url = json_get_string(&r, answer, "agent_url", 1024);
    identity->now_ms = json_get_int(&r, answer, "now_ms", 0, INT64_MAX);
    if (r.failed)
        return ERR_MALFORMED;
    return enrol_install(enrol, answer, &identity->not_after_ms, err);
}

static void on_certificate(const struct http_response *response, void *arg)
{
    struct enrol *enrol = arg;
    struct enrol_identity identity;
    struct err err = {0};
    struct json *answer = NULL;

    enrol->call = NULL;
    if (handle_failure(enrol, response))
        return;
    int code = json_parse(blob_slice(response->body), &answer, &err);
    if (code == 0)
        code = take_answer(enrol, answer, &identity, &err);
    if (code == 0) {
        finish(enrol, 0, NULL, &identity);
    } else {
        char text[TEXT_MAX];
        snprintf(text, sizeof(text), "%s gave no usable answer to the enrolment: %s",
                 enrol->urls[enrol->url], err.text);
        fail(enrol, code, text);
    }
    json_free(answer);
}

/* ---- sending ---- */

static void send_get_ca(struct enrol *enrol)
{
    char url[1200];
    const struct http_tls tls = {.verify_none = true};
    const struct ctl_transport *transport = enrol->options.transport;

    snprintf(url, sizeof(url), "%s/api/v1/ca", enrol->urls[enrol->url]);
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .connect_timeout_ms = TRY_TIMEOUT_MS / 2,
        .timeout_ms = TRY_TIMEOUT_MS,
        .max_response_bytes = ANSWER_MAX,
    };
    transport->set_tls(&tls, transport->arg);
    enrol->call = transport->send(&request, on_ca, enrol, transport->arg);
}

static int make_body(struct enrol *enrol, struct err *err)
{
    struct json *body;
    int rc = enrol_make_request(enrol, &body, err);
    if (rc != 0)
        return rc;
    json_set(body, "agent_id", json_uuid(&enrol->options.agent_id));
    str_reset(&enrol->body);
    json_print(body, &enrol->body);
    json_free(body);
    enrol->body_slice = str_slice(&enrol->body);
    return 0;
}

static void send_enrol(struct enrol *enrol)
{
    char url[1200];
    struct str bearer;
    struct err err = {0};
    const struct ctl_transport *transport = enrol->options.transport;

    if (make_body(enrol, &err) != 0) {
        fail(enrol, err.code, err.text);
        return;
    }
    str_init(&bearer, ANSWER_MAX);
    str_printf(&bearer, "Authorization: Bearer %s", enrol->token);
    const char *headers[] = {str_cstr(&bearer), "Content-Type: application/json", NULL};
    snprintf(url, sizeof(url), "%s/api/v1/enrol", enrol->urls[enrol->url]);
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = &enrol->body_slice,
        .body_count = 1,
        .connect_timeout_ms = TRY_TIMEOUT_MS / 2,
        .timeout_ms = TRY_TIMEOUT_MS,
        .max_response_bytes = ANSWER_MAX,
    };
    /* From here on nothing goes to whom this CA does not vouch for. */
    const struct http_tls tls = {.ca_pem = str_slice(&enrol->ca_pem)};
    transport->set_tls(&tls, transport->arg);
    enrol->call = transport->send(&request, on_certificate, enrol, transport->arg);
    str_fini(&bearer);
}

static void try_now(struct enrol *enrol)
{
    ASSERT(enrol->call == NULL);
    if (enrol->state == ENROL_FETCH_CA)
        send_get_ca(enrol);
    else
        send_enrol(enrol);
}

const char *enrol_issuer(const struct enrol *enrol)
{
    return enrol->issuer;
}

void enrol_stop(struct enrol *enrol)
{
    if (enrol->call != NULL)
        enrol->options.transport->cancel(enrol->call, enrol->options.transport->arg);
    enrol->call = NULL;
    loop_timer_cancel(&enrol->timer);
    enrol->state = ENROL_IDLE;
}

void enrol_start(struct enrol *enrol, enrol_done_fn *done, void *arg)
{
    ASSERT(enrol->state == ENROL_IDLE);
    enrol->done = done;
    enrol->done_arg = arg;
    enrol->state = enrol->ca_pem.len == 0 ? ENROL_FETCH_CA : ENROL_ASK;
    /* Never an answer from inside the call, not even that a key cannot be made. */
    loop_timer_set(&enrol->timer, 0);
}
