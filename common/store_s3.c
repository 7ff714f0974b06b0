/* store_s3.c - see store_s3.h; the table store_s3_ops is used by store.c.
 *
 * One try of a request:
 *
 *   s3_start -> KEYS: credentials_get -> on_keys: signed and sent -> ASKING
 *     -> on_response: done | refused for stale keys or a wrong clock: once more from
 *        KEYS | a list page without one of our keys: the next page, from KEYS
 *     -> a PUT that finds its key taken -> CHECKING: a HEAD tells whether it is ours
 *
 * Integrity of a PUT: the payload goes unsigned (UNSIGNED-PAYLOAD), since SHA-256 over
 * every byte would cost more CPU than all else that an agent does with it; in its place
 * the server checks the CRC-32C that we have anyway (x-amz-checksum-crc32c, which is
 * signed). A server that does not know that header ignores it; readers check the
 * object's own checksums. With x-amz-meta-weft-crc a repeated PUT knows its own object.
 *
 * Create-only: If-None-Match: * (S3 PutObject, 412 when the key is taken). */
#include "common/store_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/http_client.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sigv4.h"
#include "common/str.h"

#define CONNECTIONS_PER_WORKER 64
#define CONNECT_TIMEOUT_MS     3000
#define ERROR_BODY_MAX_BYTES   (64 * KIB)
#define LIST_BODY_MAX_BYTES    (8 * MIB)
#define OBJECT_MAX_BYTES       (5 * GIB) /* S3's limit for one PUT */
#define UNSIGNED_PAYLOAD       "UNSIGNED-PAYLOAD"
#define META_CRC               "x-amz-meta-weft-crc"
/* What the x-amz-date may be off, S3's limit being 15 minutes. */
#define SKEW_MIN_MS (60 * INT64_C(1000))

struct s3_worker {
    const struct s3_config *config;
    struct http_client *http;
    struct credentials *credentials;
    int64_t skew_ms; /* the server's clock minus ours */
};

enum s3_step { S3_KEYS, S3_ASKING, S3_CHECKING };

struct s3_try {
    struct s3_worker *worker;
    struct store_try *try;
    enum s3_step step;
    bool checking;     /* what is asked for next is the HEAD after a 412 */
    bool mended;       /* keys or clock were renewed once: not again */
    int64_t end_at_ms; /* monotonic */
    struct credentials_waiter waiter;
    struct http_call *call;
    char access_key[128]; /* it was signed with */
    char crc_hex[9];
    char *list_after; /* LIST: the last key seen, when another page is needed */
};

/* --- the end of a try --- */

static void s3_try_free(struct s3_try *t)
{
    t->try->state = NULL;
    mem_free(t->list_after);
    mem_free(t);
}

static void end(struct s3_try *t)
{
    struct store_try *try = t->try;
    s3_try_free(t);
    store_try_done(try);
}

static void end_well(struct s3_try *t)
{
    t->try->err.code = 0;
    t->try->err.text[0] = '\0';
    end(t);
}

/* With try->err set. */
static void end_badly(struct s3_try *t, bool retry)
{
    t->try->retry = retry;
    end(t);
}

/* --- asking --- */

static void on_response(const struct http_response *response, void *arg);

struct header_set {
    struct sigv4_pair pairs[SIGV4_PAIRS_MAX];
    size_t count;
    char range[64], checksum[16];
};

static void add_header(struct header_set *set, const char *name, const char *value)
{
    ASSERT(set->count < SIGV4_PAIRS_MAX);
    set->pairs[set->count++] = (struct sigv4_pair){name, value};
}

/* The CRC in base64 of its four bytes, as S3 wants it. */
static void checksum_text(uint32_t crc, char out[16])
{
    uint8_t bytes[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
                        (uint8_t)crc};
    struct str text;
    str_init(&text, 16);
    base64_encode(slice_of(bytes, sizeof(bytes)), &text);
    snprintf(out, 16, "%s", str_cstr(&text));
    str_fini(&text);
}

static void request_headers(const struct s3_try *t, struct header_set *set)
{
    const struct store_request *request = t->try->request;
    if (t->checking)
        return;
    if (request->kind == STORE_PUT) {
        checksum_text(request->crc, set->checksum);
        add_header(set, "if-none-match", "*");
        add_header(set, "x-amz-checksum-crc32c", set->checksum);
        add_header(set, META_CRC, t->crc_hex);
    } else if (request->kind == STORE_GET &&
               (request->offset != 0 || request->length != 0)) {
        int n = snprintf(set->range, sizeof(set->range), "bytes=%llu-",
                         (unsigned long long)request->offset);
        if (request->length != 0)
            snprintf(set->range + n, sizeof(set->range) - (size_t)n, "%llu",
                     (unsigned long long)(request->offset + request->length - 1));
        add_header(set, "range", set->range);
    }
}

/* What the request asks for: method, path, and for LIST the query. */
static const char *method_of(const struct s3_try *t)
{
    static const char *const methods[] = {"PUT", "GET", "HEAD", "GET", "DELETE"};
    return t->checking ? "HEAD" : methods[t->try->request->kind];
}

static void path_of(const struct s3_try *t, struct str *path)
{
    const struct s3_config *config = t->worker->config;
    str_putc(path, '/');
    if (config->path_style)
        str_puts(path, config->bucket);
    if (t->try->request->kind == STORE_LIST)
        return;
    if (config->path_style)
        str_putc(path, '/');
    str_puts(path, config->prefix);
    str_puts(path, t->try->request->key);
}

struct list_query {
    struct sigv4_pair params[4];
    size_t count;
    char prefix[S3_KEY_MAX + 8], after[S3_KEY_MAX + 8];
};

static void query_of(const struct s3_try *t, struct list_query *query)
{
    const struct s3_config *config = t->worker->config;
    const struct store_request *request = t->try->request;
    if (request->kind != STORE_LIST)
        return;
    snprintf(query->prefix, sizeof(query->prefix), "%s%s", config->prefix, request->key);
    if (t->list_after != NULL)
        snprintf(query->after, sizeof(query->after), "%s", t->list_after);
    else if (request->start_after[0] != '\0')
        snprintf(query->after, sizeof(query->after), "%s%s", config->prefix,
                 request->start_after);
    query->params[query->count++] = (struct sigv4_pair){"list-type", "2"};
    /* XML cannot hold every byte that a foreign key may have. */
    query->params[query->count++] = (struct sigv4_pair){"encoding-type", "url"};
    query->params[query->count++] = (struct sigv4_pair){"prefix", query->prefix};
    if (query->after[0] != '\0')
        query->params[query->count++] = (struct sigv4_pair){"start-after", query->after};
}

static size_t max_answer(const struct s3_try *t)
{
    const struct store_request *request = t->try->request;
    if (request->kind == STORE_LIST)
        return LIST_BODY_MAX_BYTES;
    if (request->kind != STORE_GET)
        return ERROR_BODY_MAX_BYTES;
    if (request->length == 0)
        return OBJECT_MAX_BYTES;
    /* An error's document may be longer than the range. */
    return MAX((size_t)request->length, ERROR_BODY_MAX_BYTES);
}

/* Hand the signed request to curl. */
static void send_signed(struct s3_try *t, const struct header_set *set,
                        const struct sigv4_output *signature)
{
    const struct store_request *request = t->try->request;
    const char *lines[SIGV4_PAIRS_MAX + 3];
    struct str texts[SIGV4_PAIRS_MAX + 2], url;
    size_t n = 0;
    bool body = request->kind == STORE_PUT && !t->checking;

    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->pairs[i].name, "host") == 0)
            continue; /* curl makes that one itself */
        str_init(&texts[n], 16 * KIB);
        str_printf(&texts[n], "%s: %s", set->pairs[i].name, set->pairs[i].value);
        n++;
    }
    str_init(&texts[n], KIB);
    str_printf(&texts[n++], "x-amz-date: %s", signature->date);
    str_init(&texts[n], 64 * KIB);
    str_printf(&texts[n++], "Authorization: %s", str_cstr(&signature->authorization));
    for (size_t i = 0; i < n; i++)
        lines[i] = str_cstr(&texts[i]);
    lines[n] = NULL;
    str_init(&url, 64 * KIB);
    str_printf(&url, "%s%s", t->worker->config->base, str_cstr(&signature->target));

    int64_t left_ms = MAX(t->end_at_ms - clock_monotonic_ms(), 1);
    struct http_request http = {
        .method = method_of(t),
        .url = str_cstr(&url),
        .headers = lines,
        .body = body ? request->pieces : NULL,
        .body_count = body ? request->piece_count : 0,
        .connect_timeout_ms = MIN(left_ms, CONNECT_TIMEOUT_MS),
        .timeout_ms = left_ms,
        .max_response_bytes = max_answer(t),
        .budget = request->kind == STORE_GET ? t->worker->config->budget : NULL,
    };
    t->step = t->checking ? S3_CHECKING : S3_ASKING;
    t->call = http_client_send(t->worker->http, &http, on_response, t);
    for (size_t i = 0; i < n; i++)
        str_fini(&texts[i]);
    str_fini(&url);
}

/* Keys are there: sign and send. */
static void on_keys(struct credentials_waiter *waiter, const struct aws_keys *keys,
                    const struct err *err)
{
    struct s3_try *t = CONTAINER_OF(waiter, struct s3_try, waiter);
    struct header_set set = {.count = 0};
    struct list_query query = {.count = 0};
    struct sigv4_output signature;
    struct str path;

    if (keys == NULL) {
        t->try->err = *err;
        /* Even a refusal may be for now: roles are attached while we run. */
        end_badly(t, true);
        return;
    }
    snprintf(t->access_key, sizeof(t->access_key), "%s", keys->access_key);
    str_init(&path, 4 * KIB);
    path_of(t, &path);
    query_of(t, &query);
    add_header(&set, "host", t->worker->config->host);
    add_header(&set, "x-amz-content-sha256", UNSIGNED_PAYLOAD);
    if (keys->session_token[0] != '\0')
        add_header(&set, "x-amz-security-token", keys->session_token);
    request_headers(t, &set);
    struct sigv4_input input = {
        .method = method_of(t),
        .path = str_cstr(&path),
        .params = query.params,
        .param_count = query.count,
        .headers = set.pairs,
        .header_count = set.count,
        .payload_hash = UNSIGNED_PAYLOAD,
        .access_key = keys->access_key,
        .secret_key = keys->secret_key,
        .region = t->worker->config->region,
        .service = "s3",
        .wall_ms = clock_wall_ms() + t->worker->skew_ms,
    };
    int code = sigv4_sign(&input, &signature);
    ASSERT(code == 0); /* everything in it is bounded by us */
    send_signed(t, &set, &signature);
    sigv4_fini(&signature);
    str_fini(&path);
}

static void ask(struct s3_try *t)
{
    t->step = S3_KEYS;
    t->waiter.ready = on_keys;
    credentials_get(t->worker->credentials, &t->waiter);
}

static void ask_again(struct s3_try *t, enum store_kind kind)
{
    store_count_extra(t->try, kind);
    ask(t);
}

/* --- answers --- */

/* The server's clock is so far from ours that it refuses us: sign with its time. */
static bool adjust_clock(struct s3_worker *worker, const struct http_response *response)
{
    char date[64];
    int64_t server_ms;
    if (!s3_header(response->headers, "date", date, sizeof(date)) ||
        s3_parse_http_date(date, &server_ms) != 0)
        return false;
    int64_t skew_ms = server_ms - clock_wall_ms();
    if (llabs(skew_ms - worker->skew_ms) < SKEW_MIN_MS)
        return false;
    worker->skew_ms = skew_ms;
    log_warn("store",
             "our clock differs from the object store's, whose time we sign with",
             "skew_s=%lld", (long long)(skew_ms / 1000));
    return true;
}

static void on_refusal(struct s3_try *t, const struct http_response *response)
{
    struct store_try *try = t->try;
    enum store_kind kind = t->checking ? STORE_HEAD : try->request->kind;
    struct s3_error answer;

    s3_error_parse(blob_slice(response->body), &answer);
    if (answer.region[0] == '\0' && !s3_header(response->headers, "x-amz-bucket-region",
                                               answer.region, sizeof(answer.region)))
        answer.region[0] = '\0';
    enum s3_remedy remedy =
        s3_judge(kind, try->request->key, response->status, &answer, &try->err);
    /* An object that was there for the PUT is gone for the HEAD. */
    if (t->checking && try->err.code == ERR_NOT_FOUND) {
        err_set(&try->err, ERR_UNAVAILABLE, "the object that stood in the way is gone");
        remedy = S3_RETRY_LATER;
    }
    try->retry_after_ms = response->retry_after_ms;
    bool mend = !t->mended && clock_monotonic_ms() < t->end_at_ms &&
                ((remedy == S3_ADJUST_CLOCK && adjust_clock(t->worker, response)) ||
                 (remedy == S3_NEW_KEYS &&
                  credentials_refused(t->worker->credentials, t->access_key)));
    if (mend) {
        t->mended = true;
        ask_again(t, kind);
        return;
    }
    end_badly(t, remedy == S3_RETRY_LATER);
}

/* The whole of what was asked must have come: a proxy may cut an answer and mend its
 * length. */
static void on_object(struct s3_try *t, const struct http_response *response)
{
    struct store_request *request = t->try->request;
    struct err *err = &t->try->err;
    bool ranged = request->offset != 0 || request->length != 0;
    uint64_t len = response->body->len;
    uint64_t total = response->content_total >= 0 ? (uint64_t)response->content_total
                                                  : request->offset + len;
    if (ranged && response->status == 200 &&
        (request->offset != 0 || len > request->length)) {
        err_set(err, ERR_UNSUPPORTED, "the object store ignores ranges");
        end_badly(t, false);
        return;
    }
    uint64_t expected = total > request->offset ? total - request->offset : 0;
    if (request->length != 0)
        expected = MIN(expected, request->length);
    if (len != expected) {
        err_set(err, ERR_CLOSED, "%llu bytes came in place of %llu",
                (unsigned long long)len, (unsigned long long)expected);
        end_badly(t, true);
        return;
    }
    request->blob = blob_ref(response->body);
    request->object_size = total;
    end_well(t);
}

/* A HEAD's answer to a PUT that was refused with 412: is that our own object? */
static void on_check(struct s3_try *t, const struct http_response *response)
{
    const struct store_request *request = t->try->request;
    char crc[16];
    uint64_t size = 0;
    for (size_t i = 0; i < request->piece_count; i++)
        size += request->pieces[i].len;
    if (response->content_total >= 0 && (uint64_t)response->content_total == size &&
        s3_header(response->headers, META_CRC, crc, sizeof(crc)) &&
        strcmp(crc, t->crc_hex) == 0) {
        end_well(t);
        return;
    }
    err_set(&t->try->err, ERR_EXISTS, "%s exists with other content", request->key);
    end_badly(t, false);
}

/* The key of ENTRY without the store's prefix; NULL for what somebody else has put
 * there. */
static const char *our_key(const struct s3_try *t, const struct s3_entry *entry)
{
    const char *prefix = t->worker->config->prefix;
    size_t len = strlen(prefix);
    if (strncmp(entry->key, prefix, len) != 0 ||
        store_check_key(entry->key + len, NULL) != 0)
        return NULL;
    return entry->key + len;
}

/* Move the keys of this store into the request. */
static void take_keys(struct s3_try *t, const struct s3_list *list)
{
    struct store_request *request = t->try->request;
    size_t n = 0;
    request->keys = mem_alloc(STORE_LIST_MAX * sizeof(*request->keys));
    request->sizes = mem_alloc(STORE_LIST_MAX * sizeof(*request->sizes));
    request->modified_ms = mem_alloc(STORE_LIST_MAX * sizeof(*request->modified_ms));
    for (size_t i = 0; i < list->count; i++) {
        const char *key = our_key(t, &list->entries[i]);
        if (key == NULL)
            continue;
        request->keys[n] = mem_strdup(key);
        request->sizes[n] = list->entries[i].size;
        request->modified_ms[n++] = list->entries[i].modified_ms;
    }
    request->key_count = n;
    request->more = list->truncated;
}

/* A page of strangers: the caller could not go on from there, so we do. */
static void next_page(struct s3_try *t, const struct s3_list *list)
{
    const char *last = list->entries[list->count - 1].key;
    bool forward = t->list_after == NULL || strcmp(last, t->list_after) > 0;
    mem_free(t->list_after);
    t->list_after = mem_strdup(last);
    if (forward && clock_monotonic_ms() < t->end_at_ms) {
        ask_again(t, STORE_LIST);
        return;
    }
    err_set(&t->try->err, ERR_TIMEOUT, "the list holds too many foreign keys");
    end_badly(t, false);
}

static void on_list(struct s3_try *t, const struct http_response *response)
{
    struct s3_list list;
    bool any = false;
    int code = s3_list_parse(blob_slice(response->body), &list, &t->try->err);
    if (code != 0) {
        end_badly(t, code == ERR_MALFORMED); /* as a cut document is */
        return;
    }
    for (size_t i = 0; i < list.count && !any; i++)
        any = our_key(t, &list.entries[i]) != NULL;
    if (!any && list.truncated) {
        next_page(t, &list);
    } else {
        take_keys(t, &list);
        end_well(t);
    }
    s3_list_free(&list);
}

static void on_success(struct s3_try *t, const struct http_response *response)
{
    struct store_request *request = t->try->request;
    if (t->step == S3_CHECKING) {
        on_check(t, response);
        return;
    }
    switch (request->kind) {
    case STORE_GET:
        on_object(t, response);
        return;
    case STORE_LIST:
        on_list(t, response);
        return;
    case STORE_HEAD:
        request->object_size =
            response->content_total >= 0 ? (uint64_t)response->content_total : 0;
        break;
    case STORE_PUT:
    case STORE_DELETE:
        break;
    }
    end_well(t);
}

static void on_response(const struct http_response *response, void *arg)
{
    struct s3_try *t = arg;
    enum store_kind kind = t->try->request->kind;
    t->call = NULL;
    if (response->code != 0) {
        err_set(&t->try->err, response->code, "the object store: %s", response->error);
        end_badly(t, err_retriable(response->code));
    } else if (response->status >= 200 && response->status < 300) {
        on_success(t, response);
    } else if (response->status == 404 && kind == STORE_DELETE) {
        end_well(t); /* not there, as we want it; some servers say 404 for that */
    } else if (response->status == 412 && kind == STORE_PUT && !t->checking) {
        t->checking = true;
        ask_again(t, STORE_HEAD);
    } else {
        on_refusal(t, response);
    }
}

/* --- the table --- */

static void s3_start(void *worker, struct store_try *try)
{
    struct s3_try *t = mem_zalloc(sizeof(*t));
    t->worker = worker;
    t->try = try;
    t->end_at_ms = clock_monotonic_ms() + try->timeout_ms;
    snprintf(t->crc_hex, sizeof(t->crc_hex), "%08x", try->request->crc);
    try->state = t;
    ask(t);
}

static void s3_cancel(void *worker, struct store_try *try)
{
    struct s3_try *t = try->state;
    (void)worker;
    if (t->step == S3_KEYS)
        credentials_cancel(&t->waiter);
    if (t->call != NULL)
        http_client_cancel(t->call);
    s3_try_free(t);
}

static int s3_open(const struct store_options *options, const struct store_url *url,
                   void **state, struct err *err)
{
    struct s3_config *config = mem_alloc(sizeof(*config));
    int code = s3_config_init(options, url, getenv, config, err);
    if (code != 0)
        mem_free(config);
    else
        *state = config;
    return code;
}

static void s3_close(void *state)
{
    s3_config_fini(state);
    mem_free(state);
}

static void *s3_worker_new(void *state, struct loop *loop)
{
    struct s3_worker *worker = mem_zalloc(sizeof(*worker));
    worker->config = state;
    worker->http = http_client_new(loop, CONNECTIONS_PER_WORKER);
    if (worker->config->ca_pem != NULL) {
        struct http_tls tls = {.ca_pem = slice_str(worker->config->ca_pem)};
        http_client_set_tls(worker->http, &tls);
    }
    worker->credentials = credentials_new(&worker->config->credentials, worker->http);
    return worker;
}

static void s3_worker_free(void *state)
{
    struct s3_worker *worker = state;
    credentials_free(worker->credentials);
    http_client_free(worker->http);
    mem_free(worker);
}

const struct store_ops store_s3_ops = {
    .scheme = "s3",
    .default_threads = 2,
    .backoff_base_ms = 50,
    .backoff_max_ms = 5000,
    .open = s3_open,
    .close = s3_close,
    .worker_new = s3_worker_new,
    .worker_free = s3_worker_free,
    .start = s3_start,
    .cancel = s3_cancel,
};
