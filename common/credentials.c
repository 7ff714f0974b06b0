/* credentials.c - see credentials.h: fetching and renewing keys on a worker's loop.
 *
 * At most one fetch is under way; it is one to three HTTP requests:
 *
 *   WEB_IDENTITY   POST to STS with the token read from its file    -> XML
 *   CONTAINER      GET with the Authorization token                 -> JSON
 *   INSTANCE       PUT api/token; GET the role's name; GET its keys -> JSON
 *
 * Version 1 of the instance metadata service (no token) is not used: whatever makes this
 * process fetch a URL could read keys from it. */
#include "common/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/s3_answer.h"
#include "common/sigv4.h"
#include "common/str.h"

#define ANSWER_MAX_BYTES   (64 * KIB)
#define TOKEN_MAX_BYTES    (16 * KIB)
#define CONNECT_TIMEOUT_MS 1000
#define REQUEST_TIMEOUT_MS 5000
#define MINUTE_MS          (60 * INT64_C(1000))
/* After a failed fetch, as long as the old keys are good. */
#define PAUSE_MS 10000
/* Keys that are younger than this are not fetched again because they were refused. */
#define YOUNG_MS 1000

#define IMDS_TOKEN_PATH "/latest/api/token"
#define IMDS_ROLE_PATH  "/latest/meta-data/iam/security-credentials/"

enum fetch_step { FETCH_IDLE, FETCH_TOKEN, FETCH_ROLE, FETCH_KEYS };

struct credentials {
    const struct credentials_config *config;
    struct http_client *http;
    struct aws_keys keys;
    bool have_keys;
    int64_t fetched_at_ms;  /* wall */
    int64_t renew_at_ms;    /* wall */
    int64_t pause_until_ms; /* wall: after a failure, while the old keys are good */
    struct list waiters;
    struct log_limit log_limit;
    /* the fetch */
    enum fetch_step step;
    struct http_call *call;
    struct str token; /* IMDS session token, or the text of a token file */
    char role[128];
};

/* --- what decides --- */

int64_t credentials_renew_at_ms(int64_t fetched_at_ms, int64_t expires_at_ms,
                                double jitter)
{
    int64_t life_ms = expires_at_ms - fetched_at_ms;
    if (expires_at_ms == INT64_MAX)
        return INT64_MAX;
    if (life_ms < 10 * MINUTE_MS)
        return fetched_at_ms + life_ms / 2;
    return expires_at_ms - 5 * MINUTE_MS - (int64_t)(jitter * (double)MINUTE_MS);
}

/* All of KEYS is there and can stand in a header line. */
static int check_keys(const struct aws_keys *keys, const char *expiration,
                      struct err *err)
{
    const char *const parts[] = {keys->access_key, keys->secret_key, keys->session_token};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (const char *p = parts[i]; *p != '\0'; p++)
            if (*p <= 0x20 || *p > 0x7e)
                return err_set(err, ERR_MALFORMED, "the keys hold strange characters");
    if (keys->access_key[0] == '\0' || keys->secret_key[0] == '\0')
        return err_set(err, ERR_MALFORMED, "the answer holds no keys");
    if (expiration[0] != '\0' && keys->expires_at_ms == INT64_MAX)
        return err_set(err, ERR_MALFORMED, "the keys' expiration is not a date");
    return 0;
}

static bool take_text(const struct json *object, const char *name, char *out, size_t size)
{
    const struct json *value = json_find(object, name);
    struct err ignored;
    struct json_reader reader = {.err = &ignored};
    if (value == NULL || json_is_null(value))
        return true;
    struct slice text = json_as_string(&reader, value, name, size - 1);
    if (reader.failed)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

int credentials_parse_json(struct slice body, struct aws_keys *keys, struct err *err)
{
    struct json *root = NULL;
    struct aws_keys parsed = {.expires_at_ms = INT64_MAX};
    char expiration[64] = "", status[64] = "";
    /* The text of json_parse says where, never what. */
    int code = json_parse(body, &root, err);
    if (code != 0)
        return err_wrap(err, code, "the metadata service's answer");
    if (!json_is_object(root) || !take_text(root, "Code", status, sizeof(status)) ||
        !take_text(root, "AccessKeyId", parsed.access_key, sizeof(parsed.access_key)) ||
        !take_text(root, "SecretAccessKey", parsed.secret_key,
                   sizeof(parsed.secret_key)) ||
        !take_text(root, "Token", parsed.session_token, sizeof(parsed.session_token)) ||
        !take_text(root, "Expiration", expiration, sizeof(expiration)))
        code = err_set(err, ERR_MALFORMED,
                       "the metadata service's answer has fields of a wrong kind");
    else if (status[0] != '\0' && strcmp(status, "Success") != 0)
        code = err_set(err, ERR_UNAUTHENTICATED,
                       "the metadata service has no keys for this role");
    json_free(root);
    if (code == 0 && expiration[0] != '\0')
        (void)!s3_parse_time(expiration, &parsed.expires_at_ms);
    if (code == 0)
        code = check_keys(&parsed, expiration, err);
    if (code == 0)
        *keys = parsed;
    explicit_bzero(&parsed, sizeof(parsed));
    return code;
}

int credentials_parse_sts(struct slice body, struct aws_keys *keys, struct err *err)
{
    struct aws_keys parsed = {.expires_at_ms = INT64_MAX};
    char expiration[64];
    int code;
    if (!s3_find_text(body, "AccessKeyId", parsed.access_key,
                      sizeof(parsed.access_key)) ||
        !s3_find_text(body, "SecretAccessKey", parsed.secret_key,
                      sizeof(parsed.secret_key)) ||
        !s3_find_text(body, "SessionToken", parsed.session_token,
                      sizeof(parsed.session_token)) ||
        !s3_find_text(body, "Expiration", expiration, sizeof(expiration)) ||
        s3_parse_time(expiration, &parsed.expires_at_ms) != 0)
        code = err_set(err, ERR_MALFORMED, "the answer of STS holds no keys");
    else
        code = check_keys(&parsed, expiration, err);
    if (code == 0)
        *keys = parsed;
    explicit_bzero(&parsed, sizeof(parsed));
    return code;
}

/* --- the fetch --- */

static void fetch_next(struct credentials *c, enum fetch_step step);

static bool valid(const struct credentials *c, int64_t now_ms)
{
    return c->have_keys && now_ms < c->keys.expires_at_ms;
}

static void tell_all(struct credentials *c, const struct aws_keys *keys,
                     const struct err *err)
{
    struct list batch;
    struct list_node *node;
    list_init(&batch);
    list_splice(&batch, &c->waiters); /* whoever asks again now waits for the next */
    while ((node = list_pop_front(&batch)) != NULL) {
        struct credentials_waiter *waiter =
            CONTAINER_OF(node, struct credentials_waiter, node);
        waiter->ready(waiter, keys, err);
    }
}

static void fetch_end(struct credentials *c)
{
    if (c->token.data != NULL)
        explicit_bzero(c->token.data, c->token.len);
    str_reset(&c->token);
    c->step = FETCH_IDLE;
    c->call = NULL;
}

static void fetch_failed(struct credentials *c, struct err *err)
{
    int64_t now_ms = clock_wall_ms();
    bool still_good = valid(c, now_ms);
    uint64_t dropped;
    fetch_end(c);
    c->pause_until_ms = now_ms + PAUSE_MS;
    err_wrap(err, err->code, "cannot get AWS keys");
    if (log_limit_pass(&c->log_limit, now_ms, &dropped))
        log_warn("store", "cannot renew the AWS keys", "err=%s old_keys=%s dropped=%llu",
                 LOG_QUOTED(err->text), still_good ? "still-valid" : "none",
                 (unsigned long long)dropped);
    /* Whoever waits does so because there are no valid keys. */
    tell_all(c, NULL, err);
}

static void fetch_succeeded(struct credentials *c, const struct aws_keys *keys)
{
    uint32_t random;
    crypto_random(&random, sizeof(random));
    c->keys = *keys;
    c->have_keys = true;
    c->fetched_at_ms = clock_wall_ms();
    c->renew_at_ms = credentials_renew_at_ms(c->fetched_at_ms, keys->expires_at_ms,
                                             random / 4294967296.0);
    fetch_end(c);
    tell_all(c, &c->keys, NULL);
}

/* The last answer came: keys, if all is well. */
static void take_keys(struct credentials *c, struct slice body)
{
    struct aws_keys keys;
    struct err err;
    int code = c->config->source == CREDENTIALS_WEB_IDENTITY
                   ? credentials_parse_sts(body, &keys, &err)
                   : credentials_parse_json(body, &keys, &err);
    if (code == 0 && keys.expires_at_ms <= clock_wall_ms())
        code = err_set(&err, ERR_EXPIRED, "the keys that came have expired already");
    if (code != 0) {
        fetch_failed(c, &err);
        return;
    }
    fetch_succeeded(c, &keys);
    explicit_bzero(&keys, sizeof(keys));
}

/* The name of the instance's role: the first line. */
static int take_role(struct credentials *c, struct slice body, struct err *err)
{
    size_t len = 0;
    while (len < body.len && body.ptr[len] > ' ' && body.ptr[len] < 0x7f)
        len++;
    if (len == 0 || len >= sizeof(c->role))
        return err_set(err, ERR_UNAUTHENTICATED, "this instance has no IAM role");
    memcpy(c->role, body.ptr, len);
    c->role[len] = '\0';
    return 0;
}

static int status_error(const struct credentials *c, const struct http_response *response,
                        struct err *err)
{
    static const char *const who[] = {"", "STS", "the container's credentials service",
                                      "the instance metadata service"};
    const char *name = who[c->config->source];
    if (response->code != 0)
        return err_set(err, response->code, "%s does not answer: %s", name,
                       response->error);
    struct s3_error answer;
    s3_error_parse(blob_slice(response->body), &answer);
    return err_set(err, response->status >= 500 ? ERR_UNAVAILABLE : ERR_UNAUTHENTICATED,
                   "%s answered %d %s", name, response->status, answer.code);
}

static void on_response(const struct http_response *response, void *arg)
{
    struct credentials *c = arg;
    struct err err;
    c->call = NULL;
    if (response->code != 0 || response->status != 200) {
        /* 404 for the list of roles: none is attached. */
        if (response->code == 0 && response->status == 404 && c->step == FETCH_ROLE)
            err_set(&err, ERR_UNAUTHENTICATED, "this instance has no IAM role");
        else
            status_error(c, response, &err);
        fetch_failed(c, &err);
        return;
    }
    struct slice body = blob_slice(response->body);
    switch (c->step) {
    case FETCH_TOKEN:
        str_reset(&c->token);
        str_append_slice(&c->token, body);
        fetch_next(c, FETCH_ROLE);
        return;
    case FETCH_ROLE:
        if (take_role(c, body, &err) != 0)
            fetch_failed(c, &err);
        else
            fetch_next(c, FETCH_KEYS);
        return;
    case FETCH_KEYS:
        take_keys(c, body);
        return;
    case FETCH_IDLE:
        break;
    }
    ASSERT(false);
}

/* The token of file PATH, without the newline that may end it, into c->token. */
static int read_token(struct credentials *c, const char *path, struct err *err)
{
    char buf[TOKEN_MAX_BYTES];
    size_t len = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot open the token file %s: %s", path,
                       strerror(errno));
    while (len < sizeof(buf) && (n = read(fd, buf + len, sizeof(buf) - len)) > 0)
        len += (size_t)n;
    close(fd);
    while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == '\r'))
        len--;
    int code = 0;
    if (len == 0 || len == sizeof(buf))
        code = err_set(err, ERR_INVALID, "the token file %s is empty or too large", path);
    for (size_t i = 0; i < len && code == 0; i++)
        if (buf[i] <= 0x20 || buf[i] > 0x7e)
            code = err_set(err, ERR_INVALID, "the token file %s holds no token", path);
    if (code == 0) {
        str_reset(&c->token);
        str_append(&c->token, buf, len);
    }
    explicit_bzero(buf, sizeof(buf));
    return code;
}

static void send_request(struct credentials *c, const char *method, const char *url,
                         const char *header, struct slice body)
{
    const char *headers[3] = {0};
    size_t n = 0;
    if (header != NULL)
        headers[n++] = header;
    if (body.len > 0)
        headers[n++] = "Content-Type: application/x-www-form-urlencoded";
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = &body,
        .body_count = body.len > 0 ? 1 : 0,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .max_response_bytes = ANSWER_MAX_BYTES,
    };
    c->call = http_client_send(c->http, &request, on_response, c);
}

/* The form of AssumeRoleWithWebIdentity. It needs no signature: the token is the proof.
 * The body must live until the answer, so that it replaces the token in c->token. */
static void send_web_identity(struct credentials *c)
{
    struct str form;
    str_init(&form, 4 * TOKEN_MAX_BYTES);
    str_puts(&form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    sigv4_encode(c->config->role_arn, false, &form);
    str_puts(&form, "&RoleSessionName=");
    sigv4_encode(c->config->session_name, false, &form);
    str_puts(&form, "&WebIdentityToken=");
    sigv4_encode(str_cstr(&c->token), false, &form);
    str_reset(&c->token);
    str_append_slice(&c->token, str_slice(&form));
    explicit_bzero(form.data, form.len);
    str_fini(&form);
    send_request(c, "POST", c->config->url, NULL, str_slice(&c->token));
}

static int send_container(struct credentials *c, struct err *err)
{
    struct str header;
    const char *token = c->config->token;
    if (c->config->token_file != NULL) {
        int code = read_token(c, c->config->token_file, err);
        if (code != 0)
            return code;
        token = str_cstr(&c->token);
    }
    str_init(&header, TOKEN_MAX_BYTES + 64);
    str_printf(&header, "Authorization: %s", token != NULL ? token : "");
    send_request(c, "GET", c->config->url, token != NULL ? str_cstr(&header) : NULL,
                 SLICE_NULL);
    explicit_bzero(header.data, header.len);
    str_fini(&header);
    return 0;
}

static void send_instance(struct credentials *c)
{
    struct str url, header;
    str_init(&url, 8 * KIB);
    str_init(&header, TOKEN_MAX_BYTES + 64);
    str_puts(&url, c->config->url);
    if (c->step == FETCH_TOKEN) {
        str_puts(&url, IMDS_TOKEN_PATH);
        str_puts(&header, "X-aws-ec2-metadata-token-ttl-seconds: 300");
    } else {
        str_puts(&url, IMDS_ROLE_PATH);
        str_printf(&header, "X-aws-ec2-metadata-token: %s", str_cstr(&c->token));
    }
    if (c->step == FETCH_KEYS)
        sigv4_encode(c->role, false, &url);
    send_request(c, c->step == FETCH_TOKEN ? "PUT" : "GET", str_cstr(&url),
                 str_cstr(&header), SLICE_NULL);
    explicit_bzero(header.data, header.len);
    str_fini(&header);
    str_fini(&url);
}

static void fetch_next(struct credentials *c, enum fetch_step step)
{
    struct err err;
    int code = 0;
    c->step = step;
    switch (c->config->source) {
    case CREDENTIALS_WEB_IDENTITY:
        code = read_token(c, c->config->token_file, &err);
        if (code == 0)
            send_web_identity(c);
        break;
    case CREDENTIALS_CONTAINER:
        code = send_container(c, &err);
        break;
    case CREDENTIALS_INSTANCE:
        send_instance(c);
        break;
    case CREDENTIALS_STATIC:
        ASSERT(false);
    }
    if (code != 0)
        fetch_failed(c, &err);
}

/* --- the users --- */

struct credentials *credentials_new(const struct credentials_config *config,
                                    struct http_client *http)
{
    struct credentials *c = mem_zalloc(sizeof(*c));
    c->config = config;
    c->http = http;
    c->log_limit.interval_ms = PAUSE_MS;
    list_init(&c->waiters);
    str_init(&c->token, 4 * TOKEN_MAX_BYTES);
    if (config->source == CREDENTIALS_STATIC) {
        c->keys = *config->keys;
        c->have_keys = true;
        c->renew_at_ms = INT64_MAX;
    }
    return c;
}

void credentials_free(struct credentials *c)
{
    if (c == NULL)
        return;
    ASSERT(list_empty(&c->waiters));
    if (c->call != NULL)
        http_client_cancel(c->call);
    fetch_end(c);
    str_fini(&c->token);
    explicit_bzero(&c->keys, sizeof(c->keys));
    mem_free(c);
}

void credentials_get(struct credentials *c, struct credentials_waiter *waiter)
{
    int64_t now_ms = clock_wall_ms();
    bool good = valid(c, now_ms);
    if (!good) {
        list_push_back(&c->waiters, &waiter->node);
    } else {
        list_node_init(&waiter->node);
    }
    if (c->step == FETCH_IDLE &&
        (!good || (now_ms >= c->renew_at_ms && now_ms >= c->pause_until_ms)))
        fetch_next(c,
                   c->config->source == CREDENTIALS_INSTANCE ? FETCH_TOKEN : FETCH_KEYS);
    /* Last, since the waiter may ask again in here. */
    if (good)
        waiter->ready(waiter, &c->keys, NULL);
}

void credentials_cancel(struct credentials_waiter *waiter)
{
    list_remove(&waiter->node);
}

bool credentials_refused(struct credentials *c, const char *access_key)
{
    if (c->config->source == CREDENTIALS_STATIC)
        return false;
    if (!c->have_keys || strcmp(c->keys.access_key, access_key) != 0)
        return true; /* others are there, or under way, already */
    if (clock_wall_ms() < c->fetched_at_ms + YOUNG_MS)
        return false;
    c->have_keys = false;
    return true;
}
