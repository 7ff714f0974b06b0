/* rest.c - see rest.h.
 *
 *   try -> answer below 500, but not 421, 429   -> done
 *       -> 421 with a leader                    -> try there at once, some times in a row
 *       -> 421 without, 503, 504, 429           -> wait, try (the next server for 503)
 *       -> no answer                            -> wait a little, try the next server
 *       -> TLS refused                          -> next server; all refuse: done
 */
#include "cli/rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/grid.h"
#include "common/backoff.h"
#include "common/blob.h"
#include "common/clock.h"
#include "common/http_client.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/uuid.h"

#define CONNECT_TIMEOUT_MS 5000
#define TRY_TIMEOUT_MS     30000
#define STALL_TIMEOUT_MS   60000
#define ANSWER_MAX         (64 * MIB)
#define FOLLOW_MAX         4 /* redirects in a row without a pause */
#define OVERLOADS_MAX      3
#define BODY_MAX           (8 * MIB)
#define PATIENCE_MS        2000

struct rest {
    struct loop *loop;
    struct http_client *http;
    char *servers[CONFIG_SERVERS_MAX + 1]; /* the last may be a leader that was named */
    size_t server_count;
    size_t current; /* where the next try goes */
    char *authorization;
    int64_t timeout_ms;
    bool verbose, patient, said;
};

/* One call with its repeats. */
struct attempt {
    struct rest *rest;
    const struct rest_request *request;
    struct rest_answer *answer;
    struct err *err;
    struct str body;
    char key[64]; /* the Idempotency-Key header, or "" */
    /* of the last try */
    bool done;
    int code; /* of http_client.h */
    int64_t retry_after_ms;
    char leader[1024];
    bool streamed; /* a piece went to on_body */
    int stream_code;
    /* of all tries */
    bool unsure;      /* one may have been carried out without our hearing of it */
    unsigned refused; /* servers whose TLS failed, one after the other */
    unsigned follows;
    unsigned overloads; /* 429s in a row */
    char heard[384];    /* what a node that does not lead last said, with its address */
};

struct rest *rest_new(const struct rest_options *options)
{
    struct rest *rest = mem_zalloc(sizeof(*rest));
    struct str line;

    rest->loop = loop_new();
    rest->http = http_client_new(rest->loop, 2);
    const struct http_tls tls = {
        .ca_pem = options->ca_pem == NULL ? SLICE_NULL : slice_str(options->ca_pem),
        .verify_none = options->verify_none};
    http_client_set_tls(rest->http, &tls);
    for (size_t i = 0; i < options->server_count && i < CONFIG_SERVERS_MAX; i++)
        rest->servers[rest->server_count++] = mem_strdup(options->servers[i]);
    if (options->token != NULL && !options->verify_none) {
        str_init(&line, 8192);
        str_printf(&line, "Authorization: Bearer %s", options->token);
        rest->authorization = str_take(&line);
    }
    rest->timeout_ms = options->timeout_ms;
    rest->verbose = options->verbose;
    rest->patient = options->patient;
    return rest;
}

void rest_free(struct rest *rest)
{
    if (rest == NULL)
        return;
    http_client_free(rest->http);
    loop_free(rest->loop);
    for (size_t i = 0; i < rest->server_count; i++)
        mem_free(rest->servers[i]);
    context_set(&rest->authorization, NULL);
    mem_free(rest);
}

void rest_answer_fini(struct rest_answer *answer)
{
    json_free(answer->body);
    answer->body = NULL;
    str_fini(&answer->text);
}

struct slice rest_text(const struct json *value, const char *field)
{
    struct json_reader r = {0};
    const struct json *text = json_find(value, field);
    return json_kind(text) == JSON_KIND_STRING ? json_as_string(&r, text, field, SIZE_MAX)
                                               : SLICE_NULL;
}

static void answer_reset(struct rest_answer *answer)
{
    rest_answer_fini(answer);
    memset(answer, 0, sizeof(*answer));
    str_init(&answer->text, ANSWER_MAX);
}

int rest_exit(int code)
{
    switch (code) {
    case 0:
        return CLI_OK;
    case ERR_NOT_FOUND:
        return CLI_NOT_FOUND;
    case ERR_UNAUTHENTICATED:
    case ERR_FORBIDDEN:
        return CLI_DENIED;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        return CLI_CONFLICT;
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_OVERLOADED:
    case ERR_NOT_LEADER:
        return CLI_UNREACHABLE;
    default:
        return CLI_FAILED;
    }
}

/* The code of a refusal; the name in the body may be of a newer server. */
static int code_of_status(int status)
{
    switch (status) {
    case 401:
        return ERR_UNAUTHENTICATED;
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 413:
        return ERR_TOO_LARGE;
    case 421:
        return ERR_NOT_LEADER;
    case 429:
        return ERR_OVERLOADED;
    case 503:
    case 502:
    case 504:
        return ERR_UNAVAILABLE;
    case 507:
        return ERR_NO_SPACE;
    default:
        return status >= 500 ? ERR_INTERNAL : ERR_INVALID;
    }
}

/* ---- an answer ---- */

/* Member KEY as text for a terminal. */
static void take_text(const struct json *body, const char *key, char *to, size_t size)
{
    const struct json *value = json_find(body, key);
    struct json_reader r = {0};
    struct str clean;

    if (json_kind(value) != JSON_KIND_STRING)
        return;
    str_init(&clean, 16 * KIB);
    grid_clean(json_as_string(&r, value, key, SIZE_MAX), &clean);
    (void)snprintf(to, size, "%s", str_cstr(&clean));
    str_fini(&clean);
}

static void take_problem(struct attempt *attempt)
{
    struct rest_answer *answer = attempt->answer;
    const struct json *leader = json_find(answer->body, "leader");
    struct json_reader r = {0};

    take_text(answer->body, "code", answer->code, sizeof(answer->code));
    take_text(answer->body, "title", answer->title, sizeof(answer->title));
    take_text(answer->body, "detail", answer->detail, sizeof(answer->detail));
    if (json_kind(leader) == JSON_KIND_STRING) {
        struct slice url = json_as_string(&r, leader, "leader", 1000);
        if (!r.failed)
            (void)snprintf(attempt->leader, sizeof(attempt->leader), "%.*s", (int)url.len,
                           (const char *)url.ptr);
    }
}

static void on_response(const struct http_response *response, void *arg)
{
    struct attempt *attempt = arg;
    struct rest_answer *answer = attempt->answer;
    struct err err = {0};

    attempt->done = true;
    attempt->code = response->code;
    attempt->retry_after_ms = response->retry_after_ms;
    if (response->code != 0) {
        struct str clean;
        str_init(&clean, 4096);
        grid_clean(slice_str(response->error), &clean);
        err_set(attempt->err, response->code, "%s", str_cstr(&clean));
        str_fini(&clean);
        return;
    }
    answer->status = response->status;
    memcpy(answer->etag, response->etag, sizeof(answer->etag));
    struct slice bytes = blob_slice(response->body);
    if (bytes.len > 0 && (bytes.ptr[0] == '{' || bytes.ptr[0] == '[') &&
        json_parse(bytes, &answer->body, &err) == 0) {
        if (answer->status >= 300)
            take_problem(attempt);
    } else {
        str_append_slice(&answer->text, bytes);
    }
}

static int on_piece(struct slice bytes, void *arg)
{
    struct attempt *attempt = arg;

    attempt->streamed = true;
    attempt->stream_code = attempt->request->on_body(bytes, attempt->request->arg);
    return attempt->stream_code;
}

/* ---- one try ---- */

static void try_server(struct attempt *attempt, const char *server, int64_t left_ms)
{
    const struct rest_request *request = attempt->request;
    struct rest *rest = attempt->rest;
    bool streams = request->on_body != NULL;
    const char *headers[6];
    size_t n = 0;
    char match[128];
    struct str url;

    str_init(&url, 16 * KIB);
    str_printf(&url, "%s%s", server, request->path);
    headers[n++] = "Accept: application/json, application/problem+json;q=0.9, */*;q=0.5";
    if (rest->authorization != NULL)
        headers[n++] = rest->authorization;
    if (request->body != NULL)
        headers[n++] = "Content-Type: application/json";
    if (attempt->key[0] != '\0')
        headers[n++] = attempt->key;
    if (request->if_match != NULL) {
        (void)snprintf(match, sizeof(match), "If-Match: %s", request->if_match);
        headers[n++] = match;
    }
    headers[n] = NULL;
    struct slice body = str_slice(&attempt->body);
    const struct http_request http = {
        .method = request->method,
        .url = str_cstr(&url),
        .headers = headers,
        .body = &body,
        .body_count = request->body == NULL ? 0 : 1,
        .connect_timeout_ms = MIN(left_ms, CONNECT_TIMEOUT_MS),
        .timeout_ms = streams ? 0 : MAX(MIN(left_ms, TRY_TIMEOUT_MS), 1),
        .stall_timeout_ms = streams ? STALL_TIMEOUT_MS : 0,
        .max_response_bytes = ANSWER_MAX,
        .on_body = streams ? on_piece : NULL,
    };
    answer_reset(attempt->answer);
    attempt->done = false;
    attempt->leader[0] = '\0';
    (void)snprintf(attempt->answer->server, sizeof(attempt->answer->server), "%s",
                   server);
    int64_t begin_ms = clock_monotonic_ms();
    http_client_send(rest->http, &http, on_response, attempt);
    while (!attempt->done)
        loop_run_once(rest->loop, 1000);
    if (rest->verbose)
        (void)fprintf(stderr, "%s %s%s -> %d%s%s in %" PRId64 " ms\n", request->method,
                      server, request->path, attempt->answer->status,
                      attempt->code == 0 ? "" : " ",
                      attempt->code == 0 ? "" : attempt->err->text,
                      clock_monotonic_ms() - begin_ms);
    str_fini(&url);
}

/* ---- the next try ---- */

static void next_server(struct rest *rest)
{
    rest->current = (rest->current + 1) % rest->server_count;
}

/* Make LEADER the server of the next try. False when it is no address to go to. */
static bool follow(struct rest *rest, const char *leader)
{
    struct err err;
    char *clean;

    if (leader[0] == '\0' || config_clean_url(leader, &clean, &err) != 0)
        return false;
    for (size_t i = 0; i < rest->server_count; i++) {
        if (strcmp(rest->servers[i], clean) == 0) {
            mem_free(clean);
            bool moved = rest->current != i;
            rest->current = i;
            return moved;
        }
    }
    size_t slot = MIN(rest->server_count, (size_t)CONFIG_SERVERS_MAX);
    if (slot < rest->server_count)
        mem_free(rest->servers[slot]); /* a leader that was named before */
    else
        rest->server_count++;
    rest->servers[slot] = clean;
    rest->current = slot;
    return true;
}

/* The text for a server whose certificate we do not believe. */
static int untrusted(struct attempt *attempt)
{
    attempt->answer->untrusted = true;
    return err_wrap(attempt->err, ERR_UNAVAILABLE, "%.100s is not trusted",
                    attempt->answer->server);
}

/* After a try: true when the call is over, with *CODE; else *PAUSE_MS until the next. */
static bool judge(struct attempt *attempt, struct backoff *backoff, int *code,
                  int64_t *pause_ms)
{
    struct rest *rest = attempt->rest;
    struct rest_answer *answer = attempt->answer;

    *pause_ms = 0;
    if (attempt->streamed || attempt->stream_code != 0) {
        *code = attempt->code;
        return true;
    }
    if (attempt->code == ERR_UNAUTHENTICATED) {
        *code = ERR_UNAVAILABLE;
        (void)untrusted(attempt);
        next_server(rest);
        return ++attempt->refused >= rest->server_count;
    }
    attempt->refused = 0;
    if (answer->status == 421 || answer->status == 503)
        (void)snprintf(attempt->heard, sizeof(attempt->heard), "%.100s says: %.200s",
                       answer->server, answer->detail);
    if (attempt->code != 0) {
        *code = attempt->code;
        if (attempt->code != ERR_UNAVAILABLE)
            attempt->unsure = true;
        next_server(rest);
        *pause_ms = backoff_next_ms(backoff);
        return attempt->code == ERR_INVALID || attempt->code == ERR_TOO_LARGE;
    }
    *code = answer->status < 300 ? 0 : code_of_status(answer->status);
    switch (answer->status) {
    case 421:
        if (follow(rest, attempt->leader) && attempt->follows++ < FOLLOW_MAX)
            return false;
        if (attempt->leader[0] == '\0')
            next_server(rest);
        break;
    case 503:
    case 504:
        attempt->unsure = true;
        next_server(rest);
        break;
    case 429:
        /* Of requests per second; a limit of things is 409. Others call too: do not
         * insist for ever. */
        if (++attempt->overloads > OVERLOADS_MAX)
            return true;
        break;
    case 404:
        if (attempt->unsure && strcmp(attempt->request->method, "DELETE") == 0) {
            answer_reset(answer);
            answer->status = 204;
            *code = 0;
        }
        return true;
    default:
        return true;
    }
    attempt->follows = 0;
    *pause_ms = attempt->retry_after_ms >= 0 ? MAX(attempt->retry_after_ms, 50)
                                             : backoff_next_ms(backoff);
    return false;
}

/* Sleep, saying once that it takes a while. */
static void wait_for(struct rest *rest, int64_t ms, int64_t begin_ms,
                     const struct attempt *attempt)
{
    int64_t until_ms = clock_monotonic_ms() + ms;

    if (rest->patient && !rest->said && until_ms - begin_ms > PATIENCE_MS) {
        const struct rest_answer *answer = attempt->answer;
        rest->said = true;
        (void)fprintf(stderr, "weft: still trying: %s: %s\n", answer->server,
                      attempt->code != 0          ? attempt->err->text
                      : answer->detail[0] != '\0' ? answer->detail
                                                  : "it does not lead");
    }
    for (int64_t left; (left = until_ms - clock_monotonic_ms()) > 0;)
        loop_run_once(rest->loop, left);
}

/* The last words about a call that ended with CODE. */
static int conclude(struct attempt *attempt, int code)
{
    const struct rest_answer *answer = attempt->answer;
    struct rest *rest = attempt->rest;

    if (code == 0)
        return 0;
    if (attempt->stream_code != 0)
        return err_set(attempt->err, code, "%s", err_text(code));
    if (answer->status == 0 && attempt->refused == 0 && attempt->heard[0] != '\0')
        return err_set(attempt->err, code, "no answer from %.60s; %s", answer->server,
                       attempt->heard);
    if (answer->status == 0 && attempt->refused == 0)
        return err_wrap(attempt->err, code, "no answer from %.100s%s", answer->server,
                        rest->server_count > 1 ? " and the others" : "");
    if (answer->status != 0)
        return err_set(attempt->err, code, "%.240s",
                       answer->detail[0] != '\0'  ? answer->detail
                       : answer->title[0] != '\0' ? answer->title
                                                  : err_text(code));
    return code;
}

int rest_send(struct rest *rest, const struct rest_request *request,
              struct rest_answer *answer, struct err *err)
{
    struct err scratch;
    struct attempt attempt = {.rest = rest,
                              .request = request,
                              .answer = answer,
                              .err = err == NULL ? &scratch : err};
    int64_t begin_ms = clock_monotonic_ms();
    int64_t until_ms = begin_ms + rest->timeout_ms;
    struct backoff backoff;
    struct uuid key = uuid_random();
    char text[UUID_TEXT_LEN + 1];
    int64_t pause_ms;
    int code = 0;

    memset(answer, 0, sizeof(*answer));
    str_init(&answer->text, ANSWER_MAX);
    str_init(&attempt.body, BODY_MAX);
    if (request->body != NULL)
        json_print(request->body, &attempt.body);
    if (strcmp(request->method, "POST") == 0)
        (void)snprintf(attempt.key, sizeof(attempt.key), "Idempotency-Key: %s",
                       uuid_print(&key, text));
    backoff_init(&backoff, 100, 1000, (uint64_t)key.bytes[0] << 8 | key.bytes[1]);
    rest->said = false;
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        try_server(&attempt, rest->servers[rest->current], MAX(left_ms, 1));
        if (judge(&attempt, &backoff, &code, &pause_ms))
            break;
        if (clock_monotonic_ms() + pause_ms >= until_ms)
            break;
        wait_for(rest, pause_ms, begin_ms, &attempt);
    }
    str_fini(&attempt.body);
    return conclude(&attempt, code);
}

int rest_probe(struct rest *rest, const char *server, const char *path,
               struct rest_answer *answer, struct err *err)
{
    const struct rest_request request = {.method = "GET", .path = path};
    struct attempt attempt = {
        .rest = rest, .request = &request, .answer = answer, .err = err};

    memset(answer, 0, sizeof(*answer));
    str_init(&answer->text, ANSWER_MAX);
    str_init(&attempt.body, BODY_MAX);
    try_server(&attempt, server, CONNECT_TIMEOUT_MS);
    str_fini(&attempt.body);
    if (attempt.code == 0)
        return 0;
    return attempt.code == ERR_UNAUTHENTICATED ? untrusted(&attempt) : attempt.code;
}
