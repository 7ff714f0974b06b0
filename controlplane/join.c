/* join.c - see join.h. Two requests, repeated at the next address, or at the leader's,
 * until one of them decides. */
#include "controlplane/join.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/name_query.h"
#include "common/s3_answer.h"
#include "common/stop_signal.h"
#include "common/version.h"
#include "common/x509.h"

#define ANSWER_MAX    (512 * KIB)
#define TRY_MS        10000
#define PAUSE_MS      200
#define TELL_EVERY_MS 10000
#define URL_MAX_LEN   1024
#define REDIRECT_MAX  8
#define LOOK_EVERY_MS 100

struct join {
    const struct join_options *options;
    struct identity *identity;
    struct loop *loop;
    struct http_client *http;
    char url[URL_MAX_LEN];     /* who is asked */
    char unknown[URL_MAX_LEN]; /* whose name nobody could tell of in this round, or "" */
    struct str ca;
    struct str request_pem;
    char nonce[CA_NONCE_LEN + 1];
    char proof[2 * SHA256_LEN + 1]; /* the cell's, of the nonce; "": none came */
    /* the answer under way */
    bool answered, looked_up;
    int code, status;
    char text[ERR_TEXT_MAX];
    struct json *json;
    struct str raw;
};

static void on_answer(const struct http_response *response, void *arg)
{
    struct join *join = arg;
    join->answered = true;
    join->code = response->code;
    join->looked_up = response->looked_up;
    join->status = response->status;
    json_free(join->json);
    join->json = NULL;
    str_reset(&join->raw);
    if (response->code != 0) {
        snprintf(join->text, sizeof(join->text), "%s", response->error);
        return;
    }
    str_append_slice(&join->raw, blob_slice(response->body));
    if (!s3_header(response->headers, "x-weft-cell-key-proof", join->proof,
                   sizeof(join->proof)))
        join->proof[0] = '\0';
    if (json_parse(blob_slice(response->body), &join->json, NULL) != 0)
        join->json = NULL;
}

static void ask(struct join *join, const struct http_request *request)
{
    join->answered = false;
    struct http_call *call = http_client_send(join->http, request, on_answer, join);
    while (!join->answered && !stop_signal_waits())
        loop_run_once(join->loop, LOOK_EVERY_MS);
    if (join->answered)
        return;
    http_client_cancel(call);
    join->code = ERR_CANCELLED;
    snprintf(join->text, sizeof(join->text), "stopped while it was asked");
}

/* The member KEY of the answer as text, or empty. */
static struct slice text_of(const struct join *join, const char *key)
{
    struct json_reader r = {0};
    const struct json *value =
        json_is_object(join->json) ? json_find(join->json, key) : NULL;
    if (json_is_null(value))
        return SLICE_NULL;
    return json_as_string(&r, value, key, URL_MAX_LEN - 1);
}

/* GET /api/v1/ca at join->url, whoever that is. */
static void ask_ca(struct join *join)
{
    char url[URL_MAX_LEN + 64], nonce[CA_NONCE_LEN + 32];
    const char *headers[] = {nonce, NULL};
    const struct http_tls open = {.verify_none = true};
    uint8_t random[CA_NONCE_LEN / 2];

    crypto_random(random, sizeof(random));
    crypto_hex(random, sizeof(random), join->nonce);
    snprintf(nonce, sizeof(nonce), "X-Weft-Nonce: %s", join->nonce);
    snprintf(url, sizeof(url), "%s/api/v1/ca", join->url);
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .headers = headers,
                                         .connect_timeout_ms = TRY_MS / 2,
                                         .timeout_ms = TRY_MS,
                                         .max_response_bytes = ANSWER_MAX};
    http_client_set_tls(join->http, &open);
    ask(join, &request);
}

/* Without a fingerprint: is who answered given the same cell key as we are? */
static int check_proof(struct join *join, struct err *err)
{
    char want[2 * SHA256_LEN + 1];

    if (join->raw.len == 0) /* the authority comes with the state */
        return err_set(err, ERR_UNAVAILABLE, "%s has no CA yet", join->url);
    if (join->proof[0] == '\0')
        return err_set(
            err, ERR_FORBIDDEN,
            "%s takes no node in by the cell key alone: start the cell's nodes "
            "with --join-by-key, or give --join-token and --ca-fingerprint",
            join->url);
    trust_ca_proof(join->options->trust, slice_str(join->nonce), str_slice(&join->raw),
                   want);
    if (strlen(join->proof) != strlen(want) ||
        !crypto_equal(join->proof, want, strlen(want)))
        return err_set(err, ERR_UNAUTHENTICATED,
                       "%s has another cell key than this node was given: either the key "
                       "is wrong, or somebody is in between",
                       join->url);
    str_append_slice(&join->ca, str_slice(&join->raw));
    return 0;
}

static int fetch_ca(struct join *join, struct err *err)
{
    ask_ca(join);
    if (join->code != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", join->url, join->text);
    if (join->status != 200)
        return err_set(err, ERR_UNAVAILABLE, "%s/api/v1/ca answers %d", join->url,
                       join->status);
    str_reset(&join->ca);
    if (join->options->ca_fingerprint == NULL)
        return check_proof(join, err);
    int code =
        x509_find(str_slice(&join->raw), join->options->ca_fingerprint, &join->ca, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "%s has another CA than --ca-fingerprint says: either the option "
                       "is wrong, or somebody is in between",
                       join->url);
    if (code == 0)
        return 0;
    err->code = ERR_UNAUTHENTICATED;
    return err_wrap(err, ERR_UNAUTHENTICATED, "%s/api/v1/ca", join->url);
}

static void make_body(const struct join *join, struct str *text)
{
    const struct join_options *options = join->options;
    char proof[2 * SHA256_LEN + 1];
    struct json *body = json_object();

    trust_join_proof(options->trust, str_slice(&join->request_pem), proof);
    json_set(body, "request_pem", json_slice(str_slice(&join->request_pem)));
    json_set(body, "name", json_string(options->name));
    json_set(body, "peer_address", json_string(options->peer_address));
    json_set(body, "people_url", json_string(options->people_url));
    json_set(body, "agents_url", json_string(options->agents_url));
    json_set(body, "tls_names", json_string(options->tls_names));
    json_set(body, "version", json_string(WEFT_VERSION));
    json_set(body, "feature_level_max", json_int(options->features_max));
    json_set(body, "standby", json_bool(options->standby));
    json_set(body, "instance", json_uuid(&join->identity->instance));
    json_set(body, "cell_key_proof", json_string(proof));
    json_print(body, text);
    json_free(body);
}

static void post_join(struct join *join)
{
    char url[URL_MAX_LEN + 64], key_token[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN];
    struct str bearer, body;
    const struct http_tls tls = {.ca_pem = str_slice(&join->ca)};

    str_init(&bearer, 4 * KIB);
    str_init(&body, ANSWER_MAX);
    trust_key_token(join->options->trust, key_token, hash);
    str_printf(&bearer, "Authorization: Bearer %s",
               join->options->token != NULL ? join->options->token : key_token);
    explicit_bzero(key_token, sizeof(key_token));
    make_body(join, &body);
    snprintf(url, sizeof(url), "%s/api/v1/cell/join", join->url);
    const char *headers[] = {str_cstr(&bearer), "Content-Type: application/json", NULL};
    struct slice slice = str_slice(&body);
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = &slice,
                                         .body_count = 1,
                                         .connect_timeout_ms = TRY_MS / 2,
                                         .timeout_ms = TRY_MS,
                                         .max_response_bytes = ANSWER_MAX};
    http_client_set_tls(join->http, &tls);
    ask(join, &request);
    crypto_forget(&bearer);
    str_fini(&body);
}

/* --- the answer --- */

static void read_peers(struct json_reader *r, const struct json *json,
                       struct identity *identity)
{
    const struct json *list = json_get_array(r, json, "peers");
    identity->peer_count = 0;
    for (size_t i = 0; !r->failed && i < MIN(json_count(list), IDENTITY_PEERS_MAX); i++) {
        const struct json *row = json_at(r, list, i);
        struct identity_peer *peer = &identity->peers[identity->peer_count];
        memset(peer, 0, sizeof(*peer));
        peer->node_id = (uint64_t)json_get_int(r, row, "node_id", 1, INT64_MAX);
        struct slice address =
            json_get_string(r, row, "address", sizeof(peer->address) - 1);
        if (!r->failed)
            memcpy(peer->address, address.ptr, address.len);
        identity->peer_count++;
    }
}

static int take(struct join *join, struct err *err)
{
    struct identity *identity = join->identity;
    struct json_reader r = {.err = err};
    uint64_t node_id = (uint64_t)json_get_int(&r, join->json, "node_id", 1, INT64_MAX);
    struct uuid cell_id = json_get_uuid(&r, join->json, "cell_id");
    struct slice chain = json_get_string(&r, join->json, "certificate_pem", ANSWER_MAX);
    struct slice ca = json_get_string(&r, join->json, "ca_pem", ANSWER_MAX);

    read_peers(&r, join->json, identity);
    if (r.failed)
        return err_wrap(err, ERR_MALFORMED, "%s gave no usable answer", join->url);
    if (!x509_matches(str_slice(&identity->key_pem), chain))
        return err_set(err, ERR_MALFORMED, "%s gave a certificate for another key",
                       join->url);
    int code = x509_not_after_ms(chain, &identity->not_after_ms, err);
    if (code != 0)
        return code;
    str_reset(&identity->chain_pem);
    str_append_slice(&identity->chain_pem, chain);
    str_reset(&identity->ca_pem);
    str_append_slice(&identity->ca_pem, ca);
    identity->node_id = node_id;
    identity->cell_id = cell_id;
    identity->stage = IDENTITY_JOINED;
    return 0;
}

/* What the status means: 0, final (any code), or ERR_UNAVAILABLE: try on. */
static int judge(struct join *join, struct err *err)
{
    struct slice detail = text_of(join, "detail");

    if (join->code == ERR_UNAUTHENTICATED)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "%s is not trusted: %s. Check that --join names the host that its "
                       "certificate is made for",
                       join->url, join->text);
    if (join->code != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", join->url, join->text);
    if (join->status == 200 && json_is_object(join->json))
        return take(join, err);
    err_set(err, ERR_UNAVAILABLE, "%s does not take this node in: %.*s (HTTP %d)",
            join->url, (int)detail.len,
            detail.ptr == NULL ? "" : (const char *)detail.ptr, join->status);
    bool passing = join->status == 421 || join->status == 429 || join->status >= 500;
    if (!passing)
        err->code = join->status == 401 ? ERR_UNAUTHENTICATED : ERR_FORBIDDEN;
    return err->code;
}

/* Ask at join->url; follow who names the leader. */
static int try_once(struct join *join, struct err *err)
{
    for (int i = 0; i < REDIRECT_MAX; i++) {
        int code = fetch_ca(join, err);
        if (code != 0)
            return code;
        post_join(join);
        code = judge(join, err);
        struct slice leader = join->status == 421 ? text_of(join, "leader") : SLICE_NULL;
        if (code != ERR_UNAVAILABLE || leader.len == 0 || leader.len >= URL_MAX_LEN)
            return code;
        snprintf(join->url, sizeof(join->url), "%.*s", (int)leader.len,
                 (const char *)leader.ptr);
    }
    return ERR_UNAVAILABLE;
}

static void pause_a_little(struct join *join)
{
    int64_t until = clock_monotonic_ms() + PAUSE_MS;
    while (clock_monotonic_ms() < until && !stop_signal_waits())
        loop_run_once(join->loop, LOOK_EVERY_MS);
}

/* TRY at each address, again and again until one of them decides. */
static int try_all(struct join *join, int (*try)(struct join *join, struct err *err),
                   struct err *err)
{
    int64_t until = clock_monotonic_ms() + join->options->patience_ms, tell_at_ms = 0;
    int code;
    for (;;) {
        bool tell = clock_monotonic_ms() >= tell_at_ms;
        char *copy = mem_strdup(join->options->urls), *rest = NULL;
        code = err_set(err, ERR_INVALID, "--join names no address");
        join->unknown[0] = '\0';
        for (char *url = strtok_r(copy, ", ", &rest); url != NULL;
             url = strtok_r(NULL, ", ", &rest)) {
            size_t len = strlen(url);
            while (len > 0 && url[len - 1] == '/')
                len--;
            snprintf(join->url, sizeof(join->url), "%.*s", (int)len, url);
            code = try(join, err);
            if (stop_signal_waits())
                code = err_set(err, ERR_CANCELLED, "a signal came while it joined");
            if (code != ERR_UNAVAILABLE)
                break;
            if (tell)
                log_info("join", "the cell does not answer, trying on", "err=%s",
                         LOG_QUOTED(err->text));
        }
        if (tell)
            tell_at_ms = clock_monotonic_ms() + TELL_EVERY_MS;
        mem_free(copy);
        if (code != ERR_UNAVAILABLE || clock_monotonic_ms() >= until)
            return code;
        pause_a_little(join);
    }
}

static void join_init(struct join *join, const struct join_options *options)
{
    *join = (struct join){.options = options};
    str_init(&join->ca, ANSWER_MAX);
    str_init(&join->request_pem, X509_PEM_MAX);
    str_init(&join->raw, ANSWER_MAX);
    join->loop = loop_new();
    join->http = http_client_new(join->loop, 2);
}

static void join_fini(struct join *join)
{
    http_client_free(join->http);
    loop_free(join->loop);
    json_free(join->json);
    str_fini(&join->ca);
    str_fini(&join->request_pem);
    str_fini(&join->raw);
}

int join_cell(const struct join_options *options, struct identity *identity,
              struct err *err)
{
    struct join join;

    join_init(&join, options);
    join.identity = identity;
    int code =
        x509_make_request(str_slice(&identity->key_pem), "node", &join.request_pem, err);
    if (code == 0)
        code = try_all(&join, try_once, err);
    join_fini(&join);
    return code;
}

/* Whether a name server says that there is no host of join->url. */
static bool is_no_host(const struct join *join)
{
    const struct name_wait wait = {.limit_ms = TRY_MS};
    struct addrinfo *list = NULL;
    char host[URL_MAX_LEN];
    const char *begin = strstr(join->url, "://");

    begin = begin == NULL ? join->url : begin + 3;
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(begin, ":/"), begin);
    int code = name_query_now(host, "0", 0, &wait, &list, NULL);
    if (code == 0)
        freeaddrinfo(list);
    return code == ERR_NOT_FOUND;
}

/* Whatever it answers, a node of a cell is there: one that has no cell does not listen.
 */
static int try_anybody(struct join *join, struct err *err)
{
    ask_ca(join);
    if (join->code == 0)
        return 0;
    if (!join->looked_up && !is_no_host(join))
        snprintf(join->unknown, sizeof(join->unknown), "%s", join->url);
    return err_set(err, ERR_UNAVAILABLE, "%s: %s", join->url, join->text);
}

int join_anybody(const char *urls, int64_t patience_ms, int64_t most_ms, bool *anybody,
                 struct err *err)
{
    struct join_options options = {.urls = urls, .patience_ms = patience_ms};
    int64_t until = clock_monotonic_ms() + most_ms;
    struct join join;

    join_init(&join, &options);
    int code = try_all(&join, try_anybody, err);
    options.patience_ms = 0;
    while (code == ERR_UNAVAILABLE && join.unknown[0] != '\0' &&
           clock_monotonic_ms() < until)
        code = try_all(&join, try_anybody, err);
    *anybody = code == 0;
    if (code == ERR_UNAVAILABLE && join.unknown[0] == '\0')
        code = 0;
    else if (code == ERR_UNAVAILABLE)
        err_set(
            err, code,
            "whether there is a cell cannot be told, since no name server answers for "
            "%s: mend the names, and start this node again; it founds no second cell",
            join.unknown);
    join_fini(&join);
    return code;
}
