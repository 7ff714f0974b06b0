/* http_client.c - curl's multi interface on a loop.
 *
 * curl tells us by callbacks which sockets and which timeout it waits for; we tell it by
 * curl_multi_socket_action what became ready. Rules that hold here:
 *
 *   - curl is never called from inside one of its own callbacks (they only store);
 *   - finished transfers are gathered first and their callers told after curl returned,
 *     so that a caller may send, cancel or free the client in its callback;
 *   - a transfer keeps a reference on the certificates it was sent with, since curl
 *     borrows them (CURL_BLOB_NOCOPY).
 *
 * The response goes straight into the blob that the caller gets: one allocation of
 * Content-Length bytes, or a doubling one where the length is not told. Proxies are those
 * of the environment (https_proxy, no_proxy), as everywhere with curl. */
#include "common/http_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "common/check.h"
#include "common/list.h"
#include "common/mem.h"
#include "common/version.h"

#define HEADERS_MAX_BYTES  (16 * KIB)
#define FIRST_BLOB_BYTES   (16 * KIB)  /* where the length is not told */
#define LARGE_BYTES        (256 * KIB) /* from here on larger socket buffers pay */
#define LARGE_BUFFER_BYTES (256L * 1024)
#define IDLE_HANDLES_MAX   64
/* Enough for a burst of connections. A name that moves, as a Pod's when it starts again,
 * must not keep its callers waiting for the old address (libcurl: 60 s). */
#define NAMES_KEPT_S           1L
#define POOLED_CONNECTIONS_MAX 256L

/* One setting of http_client_set_tls; counted, since calls in flight borrow it. */
struct tls {
    unsigned refs;
    bool verify_none;
    struct str ca, cert, key;
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer;
    struct loop_deferred deferred; /* tells of calls that failed at once */
    struct tls *tls;
    struct list calls;    /* in curl's hands */
    struct list finished; /* their callers are to be told */
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
    bool telling; /* inside tell_finished */
    bool closed;  /* freed by a callback of tell_finished, which frees the struct */
};

struct http_call {
    struct list_node node;
    struct http_client *client;
    struct tls *tls;
    CURL *easy;
    struct curl_slist *headers;
    http_done_fn *done;
    void *arg;

    struct slice *body; /* the array is ours, the bytes are the caller's */
    size_t body_count;
    size_t body_index, body_offset; /* what curl reads next */

    struct blob *blob; /* response; len is its capacity until the end */
    size_t received;
    size_t max_response_bytes;
    struct budget *budget;
    int (*on_body)(struct slice bytes, void *arg);
    int failure; /* our own reason to break off */

    struct str response_headers;
    struct http_response response;
    char error[CURL_ERROR_SIZE];
};

/* A socket that curl has asked us to watch. */
struct watch {
    struct loop_io io;
    struct http_client *client;
};

/* --- certificates --- */

static struct tls *tls_new(const struct http_tls *from)
{
    struct tls *tls = mem_zalloc(sizeof(*tls));
    tls->refs = 1;
    str_init(&tls->ca, SIZE_MAX);
    str_init(&tls->cert, SIZE_MAX);
    str_init(&tls->key, SIZE_MAX);
    if (from != NULL) {
        tls->verify_none = from->verify_none;
        str_append_slice(&tls->ca, from->ca_pem);
        str_append_slice(&tls->cert, from->cert_pem);
        str_append_slice(&tls->key, from->key_pem);
    }
    return tls;
}

static void tls_unref(struct tls *tls)
{
    if (tls == NULL || --tls->refs > 0)
        return;
    if (tls->key.data != NULL)
        explicit_bzero(tls->key.data, tls->key.len);
    str_fini(&tls->ca);
    str_fini(&tls->cert);
    str_fini(&tls->key);
    mem_free(tls);
}

/* --- the end of a call --- */

/* Give back all that CALL holds; it must be in no list and its handle in no multi. */
static void call_free(struct http_call *call)
{
    struct http_client *client = call->client;
    if (call->easy != NULL && client->idle_count < IDLE_HANDLES_MAX) {
        curl_easy_reset(call->easy);
        client->idle[client->idle_count++] = call->easy;
    } else if (call->easy != NULL) {
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    tls_unref(call->tls);
    blob_unref(call->blob);
    str_fini(&call->response_headers);
    mem_free(call->body);
    mem_free(call);
}

/* Tell the callers of all finished calls. The client may be freed meanwhile. */
static void tell_finished(struct http_client *client)
{
    struct list_node *node;
    if (client->telling)
        return;
    client->telling = true;
    while (!client->closed && (node = list_pop_front(&client->finished)) != NULL) {
        struct http_call *call = CONTAINER_OF(node, struct http_call, node);
        call->done(&call->response, call->arg);
        call_free(call);
    }
    client->telling = false;
    if (client->closed) {
        while (client->idle_count > 0)
            curl_easy_cleanup(client->idle[--client->idle_count]);
        mem_free(client);
    }
}

static void on_deferred(struct loop_deferred *deferred)
{
    tell_finished(CONTAINER_OF(deferred, struct http_client, deferred));
}

/* What curl's RESULT means to our callers. */
static int map_result(const struct http_call *call, CURLcode result)
{
    curl_off_t sent_after_us = 0;

    switch (result) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return ERR_UNAVAILABLE;
    case CURLE_OPERATION_TIMEDOUT:
        /* Still connecting: the request surely was not seen. */
        curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after_us);
        return sent_after_us == 0 ? ERR_UNAVAILABLE : ERR_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
        /* "SSL_connect: <system error>" and "Recv failure: <system error>" are broken
         * connections, not refusals. */
        return strstr(call->error, "SSL_connect: ") != NULL ||
                       strstr(call->error, "Recv failure: ") != NULL ||
                       strstr(call->error, "Send failure: ") != NULL
                   ? ERR_UNAVAILABLE
                   : ERR_UNAUTHENTICATED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CLIENTCERT:
        return ERR_UNAUTHENTICATED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        /* TLS 1.3 servers refuse our certificate after the handshake, by an alert. */
        return strstr(call->error, " alert ") != NULL ? ERR_UNAUTHENTICATED : ERR_CLOSED;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return ERR_CLOSED;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NOMEM;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_INVALID;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* Make the response out of what has come; CALL is out of curl's hands. */
static void call_finish(struct http_call *call, CURLcode result)
{
    struct http_response *response = &call->response;
    curl_off_t found_after_us = 0;

    if (call->easy != NULL)
        curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &found_after_us);
    response->code = call->failure != 0 ? call->failure : map_result(call, result);
    response->looked_up = response->code == 0 || found_after_us > 0;
    if (response->code != 0) {
        response->error = call->failure != 0       ? err_text(call->failure)
                          : call->error[0] != '\0' ? call->error
                                                   : curl_easy_strerror(result);
        response->strained =
            result == CURLE_OPERATION_TIMEDOUT || result == CURLE_SSL_CONNECT_ERROR;
    } else {
        long status = 0;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
        if (call->blob == NULL)
            call->blob = blob_new(0, NULL);
        call->blob->len = call->received;
        response->body = call->blob;
        response->headers = str_slice(&call->response_headers);
    }
    list_remove(&call->node);
    list_push_back(&call->client->finished, &call->node);
}

/* --- curl's loop --- */

/* Gather what curl has finished, then tell. */
static void after_curl(struct http_client *client)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct http_call *call = NULL;
        CURLcode result = msg->data.result; /* MSG is gone after the removal */
        CURL *easy = msg->easy_handle;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
        curl_multi_remove_handle(client->multi, easy);
        call_finish(call, result);
    }
    tell_finished(client);
}

static void on_socket_ready(struct loop_io *io, unsigned events, void *arg)
{
    struct watch *watch = arg; /* curl may have us free it in here */
    struct http_client *client = watch->client;
    int mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
               (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(client->multi, io->fd, mask, &running);
    after_curl(client);
}

static void on_timeout(struct loop_timer *timer, void *arg)
{
    struct http_client *client = arg;
    int running;
    (void)timer;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    after_curl(client);
}

static int curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                             void *socket_arg)
{
    struct http_client *client = arg;
    struct watch *watch = socket_arg;
    (void)easy;

    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            loop_io_fini(&watch->io);
            mem_free(watch);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = mem_zalloc(sizeof(*watch));
        watch->client = client;
        loop_io_init(&watch->io, client->loop, fd, on_socket_ready, watch);
        curl_multi_assign(client->multi, fd, watch);
    }
    loop_io_want(&watch->io, (what & CURL_POLL_IN ? LOOP_READ : 0u) |
                                 (what & CURL_POLL_OUT ? LOOP_WRITE : 0u));
    return 0;
}

static int curl_wants_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_client *client = arg;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_cancel(&client->timer);
    else
        loop_timer_set(&client->timer, timeout_ms);
    return 0;
}

/* --- one transfer: body out, headers and body in --- */

static size_t curl_reads_body(char *to, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t room = size * n, done = 0;

    while (done < room && call->body_index < call->body_count) {
        const struct slice *piece = &call->body[call->body_index];
        size_t len = MIN(room - done, piece->len - call->body_offset);
        if (len > 0)
            memcpy(to + done, piece->ptr + call->body_offset, len);
        done += len;
        call->body_offset += len;
        if (call->body_offset == piece->len) {
            call->body_index++;
            call->body_offset = 0;
        }
    }
    return done;
}

/* curl sends again when a kept connection turns out to be dead. */
static int curl_seeks_body(void *arg, curl_off_t offset, int origin)
{
    struct http_call *call = arg;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    size_t left = (size_t)offset;
    call->body_index = 0;
    while (call->body_index < call->body_count &&
           left >= call->body[call->body_index].len)
        left -= call->body[call->body_index++].len;
    call->body_offset = left;
    return CURL_SEEKFUNC_OK;
}

/* The value of header LINE if its name is NAME ("etag:"), else NULL. */
static const char *header_value(const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0)
        return NULL;
    line += n;
    return line + strspn(line, " \t");
}

static void copy_value(char *to, size_t size, const char *value)
{
    size_t len = strcspn(value, "\r\n");
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (len >= size)
        return; /* half a value is worse than none */
    memcpy(to, value, len);
    to[len] = '\0';
}

/* A decimal number at the beginning of TEXT, or -1. */
static int64_t parse_number(const char *text)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    long long v = strtoll(text, &end, 10);
    return v;
}

static void read_header(struct http_response *response, const char *line)
{
    const char *value;

    if ((value = header_value(line, "x-weft-encoding:")) != NULL) {
        copy_value(response->encoding, sizeof(response->encoding), value);
    } else if ((value = header_value(line, "etag:")) != NULL) {
        copy_value(response->etag, sizeof(response->etag), value);
    } else if ((value = header_value(line, "retry-after:")) != NULL) {
        int64_t seconds = parse_number(value);
        if (seconds >= 0)
            response->retry_after_ms = MIN(seconds, INT64_C(86400)) * 1000;
    } else if ((value = header_value(line, "content-length:")) != NULL) {
        /* The total of a Content-Range goes before. */
        if (response->content_total < 0)
            response->content_total = parse_number(value);
    } else if ((value = header_value(line, "content-range:")) != NULL) {
        const char *slash = strchr(value, '/');
        if (slash != NULL)
            response->content_total = parse_number(slash + 1);
    }
}

static size_t curl_writes_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t len = size * n;
    char line[512];

    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        /* A new answer, after a 100 Continue for instance: forget the last one's. */
        str_reset(&call->response_headers);
        call->response.encoding[0] = call->response.etag[0] = '\0';
        call->response.retry_after_ms = call->response.content_total = -1;
        return len;
    }
    if (len <= 2)
        return len;
    if (len <= HEADERS_MAX_BYTES - call->response_headers.len)
        str_append(&call->response_headers, bytes, len);
    if (len < sizeof(line)) {
        memcpy(line, bytes, len);
        line[len] = '\0';
        read_header(&call->response, line);
    }
    return len;
}

/* Make room in the blob for NEED bytes in all; the first time to Content-Length. */
static int grow_blob(struct http_call *call, size_t need)
{
    size_t cap = MAX(FIRST_BLOB_BYTES, need);
    if (call->blob != NULL) {
        cap = MAX(call->blob->len * 2, need);
    } else {
        curl_off_t told = -1;
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
        if (told >= 0)
            cap = MAX((size_t)told, need);
        if (told >= 0 && cap > call->max_response_bytes)
            return ERR_TOO_LARGE;
    }
    if (need > call->max_response_bytes)
        return ERR_TOO_LARGE;
    cap = MIN(cap, call->max_response_bytes);
    struct blob *blob = blob_try_new(cap, call->budget);
    if (blob == NULL)
        return ERR_NOMEM;
    if (call->received > 0)
        memcpy(blob->data, call->blob->data, call->received);
    blob_unref(call->blob);
    call->blob = blob;
    return 0;
}

static size_t curl_writes_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t len = size * n;
    long status = 0;
    if (len == 0)
        return 0;
    if (call->on_body != NULL)
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        call->failure = call->on_body(slice_of(bytes, len), call->arg);
        return call->failure == 0 ? len : 0;
    }
    size_t room = call->blob == NULL ? 0 : call->blob->len - call->received;
    if (len > room) {
        call->failure = grow_blob(call, call->received + len);
        if (call->failure != 0)
            return 0; /* anything but LEN breaks off */
    }
    memcpy(call->blob->data + call->received, bytes, len);
    call->received += len;
    return len;
}

/* --- sending --- */

static CURLcode set_tls(struct http_call *call)
{
    CURL *easy = call->easy;
    const struct {
        CURLoption option;
        struct str *pem;
    } blobs[] = {
        {CURLOPT_CAINFO_BLOB, &call->tls->ca},
        {CURLOPT_SSLCERT_BLOB, &call->tls->cert},
        {CURLOPT_SSLKEY_BLOB, &call->tls->key},
    };
    CURLcode rc =
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    for (size_t i = 0; i < ARRAY_LEN(blobs) && rc == CURLE_OK; i++) {
        struct str *pem = blobs[i].pem;
        struct curl_blob blob = {pem->data, pem->len, CURL_BLOB_NOCOPY};
        if (pem->len > 0)
            rc = curl_easy_setopt(easy, blobs[i].option, &blob);
    }
    if (rc == CURLE_OK && call->tls->verify_none) {
        rc = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        if (rc == CURLE_OK)
            rc = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return rc;
}

static CURLcode add_header(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (longer == NULL)
        return CURLE_OUT_OF_MEMORY;
    call->headers = longer;
    return CURLE_OK;
}

static CURLcode set_headers(struct http_call *call, const struct http_request *request)
{
    /* No "100 Continue" round trip in front of large bodies. */
    CURLcode rc = add_header(call, "Expect:");
    for (const char *const *h = request->headers;
         h != NULL && *h != NULL && rc == CURLE_OK; h++)
        rc = add_header(call, *h);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return rc;
}

/* The method, and whether there is a body: PUT and POST always have one. */
static void set_method(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;
    size_t body_bytes = 0;

    for (size_t i = 0; i < call->body_count; i++)
        body_bytes += call->body[i].len;
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (body_bytes > 0 || request->method[0] == 'P') {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_bytes);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, curl_reads_body);
        curl_easy_setopt(easy, CURLOPT_READDATA, call);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, curl_seeks_body);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
    }
    if (body_bytes >= LARGE_BYTES)
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, LARGE_BUFFER_BYTES);
    if (request->max_response_bytes >= LARGE_BYTES || request->on_body != NULL)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, LARGE_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* What cannot fail but for a programming error, and what may for want of memory. */
static CURLcode set_options(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Names are looked up by threads: do not wait for the one of a call that has ended.
     */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, NAMES_KEPT_S);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, curl_writes_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_writes_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (request->connect_timeout_ms > 0)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                         (long)request->connect_timeout_ms);
    if (request->timeout_ms > 0)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->stall_timeout_ms > 0) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1024L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                         (long)((request->stall_timeout_ms + 999) / 1000));
    }
    set_method(call, request);

    CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(easy, CURLOPT_USERAGENT, "weft/" WEFT_VERSION);
    if (rc == CURLE_OK)
        rc = set_headers(call, request);
    if (rc == CURLE_OK)
        rc = set_tls(call);
    return rc;
}

struct http_call *http_client_send(struct http_client *client,
                                   const struct http_request *request, http_done_fn *done,
                                   void *arg)
{
    struct http_call *call = mem_zalloc(sizeof(*call));

    call->client = client;
    call->tls = client->tls;
    call->tls->refs++;
    call->done = done;
    call->arg = arg;
    call->body_count = request->body_count;
    if (request->body_count > 0)
        call->body = mem_dup(request->body, request->body_count * sizeof(*call->body));
    call->max_response_bytes = request->max_response_bytes;
    call->budget = request->budget;
    call->on_body = request->on_body;
    call->response.retry_after_ms = call->response.content_total = -1;
    str_init(&call->response_headers, HEADERS_MAX_BYTES);
    list_push_back(&client->calls, &call->node);

    call->easy =
        client->idle_count > 0 ? client->idle[--client->idle_count] : curl_easy_init();
    CURLcode rc = call->easy == NULL ? CURLE_OUT_OF_MEMORY : set_options(call, request);
    if (rc == CURLE_OK && curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
        rc = CURLE_OUT_OF_MEMORY;
    if (rc != CURLE_OK) {
        call_finish(call, rc);
        loop_defer(client->loop, &client->deferred);
    }
    return call;
}

void http_client_cancel(struct http_call *call)
{
    struct http_client *client = call->client;
    list_remove(&call->node);
    /* A call that is finished already is in no multi any more: that is fine with curl. */
    if (call->easy != NULL)
        curl_multi_remove_handle(client->multi, call->easy);
    call_free(call);
}

/* --- the client --- */

static void init_curl(void)
{
    CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
    ASSERT(rc == CURLE_OK);
}

struct http_client *http_client_new(struct loop *loop, size_t max_connections_per_host)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);

    struct http_client *client = mem_zalloc(sizeof(*client));
    client->loop = loop;
    client->multi = curl_multi_init();
    ASSERT(client->multi != NULL);
    client->tls = tls_new(NULL);
    list_init(&client->calls);
    list_init(&client->finished);
    loop_timer_init(&client->timer, loop, on_timeout, client);
    loop_deferred_init(&client->deferred, on_deferred);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, POOLED_CONNECTIONS_MAX);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)max_connections_per_host);
    return client;
}

void http_client_free(struct http_client *client)
{
    struct list_node *node;

    if (client == NULL)
        return;
    while ((node = list_first(&client->calls)) != NULL ||
           (node = list_first(&client->finished)) != NULL)
        http_client_cancel(CONTAINER_OF(node, struct http_call, node));
    while (client->idle_count > 0)
        curl_easy_cleanup(client->idle[--client->idle_count]);
    curl_multi_cleanup(client->multi);
    loop_timer_fini(&client->timer);
    loop_defer_cancel(&client->deferred);
    tls_unref(client->tls);
    client->closed = true;
    if (!client->telling)
        mem_free(client);
}

void http_client_set_tls(struct http_client *client, const struct http_tls *tls)
{
    /* Calls in flight keep the old one; curl does not share connections between
     * different certificates. */
    tls_unref(client->tls);
    client->tls = tls_new(tls);
}
