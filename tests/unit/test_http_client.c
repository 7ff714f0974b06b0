/* test_http_client.c - the HTTP client against a small server in this process.
 *
 * The server has a thread for each connection and does what the path says:
 *
 *   /echo       the request's body back, with the headers the client reads
 *   /bytes/N    N bytes; /chunked/N the same without a length
 *   /status/N   that status, and Retry-After: 7
 *   /range      206 with a Content-Range
 *   /sleep/MS   an empty answer after MS milliseconds
 *   /close      no answer; /cut an answer that ends early
 *   /last       an answer, and then the connection is closed without a word of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/x509.h"
#include "tests/lib/fake_names.h"

/* --- the server --- */

#define REQUEST_MAX (12 * MIB)

struct server {
    int fd;
    unsigned port;
    SSL_CTX *tls; /* NULL: plain */
    pthread_t thread;
    atomic_int connections; /* accepted so far */
    atomic_int requests;
    atomic_int open;      /* connection threads alive */
    atomic_int turn_away; /* connections: 1 reset, 2 closed, before or in the handshake */
};

struct peer {
    struct server *server;
    int fd;
    SSL *ssl;
};

static ssize_t peer_read(struct peer *peer, void *to, size_t len)
{
    return peer->ssl != NULL ? SSL_read(peer->ssl, to, (int)len)
                             : recv(peer->fd, to, len, 0);
}

static bool peer_write(struct peer *peer, const void *from, size_t len)
{
    const char *at = from;
    while (len > 0) {
        ssize_t n = peer->ssl != NULL ? SSL_write(peer->ssl, at, (int)MIN(len, MIB))
                                      : send(peer->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&ts, NULL);
}

/* A whole request into BUF: 0 when the peer is gone, else where its body begins. */
static size_t read_request(struct peer *peer, char *buf, size_t *body_len)
{
    size_t have = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t n = peer_read(peer, buf + have, 64 * KIB);
        if (n <= 0)
            return 0;
        have += (size_t)n;
        buf[have] = '\0';
        end = strstr(buf, "\r\n\r\n");
    }
    size_t body_at = (size_t)(end + 4 - buf);
    char *length = strcasestr(buf, "\r\ncontent-length:");
    *body_len = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    while (have < body_at + *body_len) {
        ssize_t n = peer_read(peer, buf + have, body_at + *body_len - have);
        if (n <= 0)
            return 0;
        have += (size_t)n;
    }
    return body_at;
}

static bool answer(struct peer *peer, int status, const char *headers, const void *body,
                   size_t len)
{
    char head[512];
    int n =
        snprintf(head, sizeof(head), "HTTP/1.1 %d Word\r\nContent-Length: %zu\r\n%s\r\n",
                 status, len, headers);
    return peer_write(peer, head, (size_t)n) && peer_write(peer, body, len);
}

static bool answer_chunked(struct peer *peer, const char *body, size_t len)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    bool ok = peer_write(peer, head, sizeof(head) - 1);
    for (size_t at = 0; ok && at < len;) {
        char size[32];
        size_t n = MIN(len - at, 10000);
        int size_len = snprintf(size, sizeof(size), "%zx\r\n", n);
        ok = peer_write(peer, size, (size_t)size_len) && peer_write(peer, body + at, n) &&
             peer_write(peer, "\r\n", 2);
        at += n;
    }
    return ok && peer_write(peer, "0\r\n\r\n", 5);
}

/* Answer the request in BUF; false closes the connection. */
static bool serve(struct peer *peer, const char *buf, size_t body_at, size_t body_len)
{
    char method[16] = "", path[128] = "", headers[256];
    sscanf(buf, "%15s %127s", method, path);
    const char *last = strrchr(path, '/');
    size_t number = last == NULL ? 0 : strtoul(last + 1, NULL, 10);

    if (strcmp(path, "/echo") == 0) {
        snprintf(headers, sizeof(headers),
                 "X-Method: %s\r\nX-Weft-Encoding: lz4\r\nETag: \"abc\"\r\n", method);
        return answer(peer, 200, headers, buf + body_at,
                      strcmp(method, "HEAD") == 0 ? 0 : body_len);
    }
    if (strncmp(path, "/bytes/", 7) == 0 || strncmp(path, "/chunked/", 9) == 0) {
        char *bytes = malloc(number + 1);
        for (size_t i = 0; i < number; i++)
            bytes[i] = (char)(i * 7);
        bool ok = path[1] == 'b' ? answer(peer, 200, "", bytes, number)
                                 : answer_chunked(peer, bytes, number);
        free(bytes);
        return ok;
    }
    if (strncmp(path, "/status/", 8) == 0)
        return answer(peer, (int)number, "Retry-After: 7\r\n", "why", 3);
    if (strcmp(path, "/range") == 0)
        return answer(peer, 206, "Content-Range: bytes 5-7/1234\r\n", "abc", 3);
    if (strncmp(path, "/sleep/", 7) == 0) {
        sleep_ms((long)number);
        return answer(peer, 200, "", "", 0);
    }
    if (strcmp(path, "/cut") == 0) {
        static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc";
        peer_write(peer, cut, sizeof(cut) - 1);
        return false;
    }
    if (strcmp(path, "/last") == 0)
        answer(peer, 200, "", "", 0);
    return false;
}

static void *serve_connection(void *arg)
{
    struct peer *peer = arg;
    struct server *server = peer->server;
    char *buf = malloc(REQUEST_MAX);
    size_t body_at, body_len;

    if (server->tls != NULL) {
        peer->ssl = SSL_new(server->tls);
        SSL_set_fd(peer->ssl, peer->fd);
    }
    if (peer->ssl == NULL || SSL_accept(peer->ssl) == 1) {
        while ((body_at = read_request(peer, buf, &body_len)) != 0) {
            atomic_fetch_add(&server->requests, 1);
            if (!serve(peer, buf, body_at, body_len))
                break;
        }
    }
    /* Read what is still coming: closing over it would reset the connection, and the
     * reset would overtake the last answer or the alert. */
    shutdown(peer->fd, SHUT_WR);
    while (recv(peer->fd, buf, KIB, 0) > 0)
        continue;
    SSL_free(peer->ssl);
    close(peer->fd);
    free(peer);
    free(buf);
    atomic_fetch_sub(&server->open, 1);
    return NULL;
}

static void turn_away(int fd, bool reset)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    char hello[16];

    if (reset) {
        if (recv(fd, hello, sizeof(hello), 0) > 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    close(fd);
}

static void *accept_connections(void *arg)
{
    struct server *server = arg;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        struct peer *peer = calloc(1, sizeof(*peer));
        pthread_t thread;
        peer->server = server;
        peer->fd = fd;
        if (atomic_load(&server->turn_away) != 0) {
            turn_away(fd, atomic_load(&server->turn_away) == 1);
            free(peer);
            continue;
        }
        atomic_fetch_add(&server->connections, 1);
        atomic_fetch_add(&server->open, 1);
        if (pthread_create(&thread, NULL, serve_connection, peer) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static struct server *server_start(SSL_CTX *tls)
{
    struct server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->tls = tls;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->fd >= 0);
    assert_int_equal(bind(server->fd, (void *)&address, len), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(getsockname(server->fd, (void *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, accept_connections, server),
                     0);
    return server;
}

/* The clients are gone by now, so that the connections end by themselves. */
static void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < 1000 && atomic_load(&server->open) > 0; i++)
        sleep_ms(10);
    assert_int_equal(atomic_load(&server->open), 0);
    close(server->fd);
    SSL_CTX_free(server->tls);
    free(server);
}

/* --- one client, and what it was told --- */

struct client {
    struct server *server;
    struct loop *loop;
    struct http_client *http;
};

/* A copy of the response, since it is borrowed. */
struct answer {
    bool done;
    struct http_response response;
    struct blob *body;
    char error[256];
    char headers[1024];
};

static void keep(const struct http_response *response, void *arg)
{
    struct answer *answer = arg;
    assert_false(answer->done);
    answer->done = true;
    answer->response = *response;
    if (response->body != NULL)
        answer->body = blob_ref(response->body);
    snprintf(answer->error, sizeof(answer->error), "%s",
             response->error == NULL ? "" : response->error);
    snprintf(answer->headers, sizeof(answer->headers), "%.*s", (int)response->headers.len,
             (const char *)response->headers.ptr);
}

static void client_open(struct client *client, SSL_CTX *server_tls)
{
    client->server = server_start(server_tls);
    client->loop = loop_new();
    client->http = http_client_new(client->loop, 4);
}

static void client_close(struct client *client)
{
    http_client_free(client->http);
    loop_free(client->loop);
    server_stop(client->server);
}

static struct http_request make_request(const char *method)
{
    return (struct http_request){
        .method = method,
        .connect_timeout_ms = 5000,
        .timeout_ms = 20000,
        .max_response_bytes = 16 * MIB,
    };
}

static struct http_call *send_to(struct client *client, const char *path,
                                 struct http_request *request, struct answer *answer)
{
    char url[128];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s",
             client->server->tls == NULL ? "http" : "https", client->server->port, path);
    memset(answer, 0, sizeof(*answer));
    request->url = url;
    return http_client_send(client->http, request, keep, answer);
}

static void wait_for(struct client *client, struct answer *answer)
{
    int64_t end_ms = clock_monotonic_ms() + 30000;
    while (!answer->done && clock_monotonic_ms() < end_ms)
        loop_run_once(client->loop, 1000);
    assert_true(answer->done);
}

static void drop(struct answer *answer)
{
    blob_unref(answer->body);
    answer->body = NULL;
}

/* Send and wait; the caller drops the answer. */
static void call(struct client *client, const char *path, struct http_request *request,
                 struct answer *answer)
{
    send_to(client, path, request, answer);
    assert_false(answer->done); /* never from inside send */
    wait_for(client, answer);
}

/* --- plain HTTP --- */

/* The pieces of a body arrive in order as one, under every method that has a body. */
static void body_is_gathered(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    static const char *const methods[] = {"PUT", "POST", "PATCH"};
    const struct slice pieces[] = {slice_str("ab"), SLICE_NULL, slice_str("cde"),
                                   slice_str("f")};
    client_open(&client, NULL);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct http_request request = make_request(methods[i]);
        request.body = pieces;
        request.body_count = ARRAY_LEN(pieces);
        call(&client, "/echo", &request, &answer);
        assert_int_equal(answer.response.code, 0);
        assert_int_equal(answer.response.status, 200);
        assert_true(slice_eq_str(blob_slice(answer.body), "abcdef"));
        assert_string_equal(answer.response.encoding, "lz4");
        assert_string_equal(answer.response.etag, "\"abc\"");
        assert_int_equal(answer.response.content_total, 6);
        assert_non_null(strstr(answer.headers, methods[i]));
        drop(&answer);
    }
    client_close(&client);
}

/* GET, DELETE and HEAD send no body, and PUT without one says so; an empty answer still
 * has a blob. */
static void empty_bodies_work(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    static const char *const methods[] = {"GET", "DELETE", "HEAD", "PUT", "POST"};
    client_open(&client, NULL);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct http_request request = make_request(methods[i]);
        call(&client, "/echo", &request, &answer);
        assert_int_equal(answer.response.code, 0);
        assert_int_equal(answer.body->len, 0);
        assert_non_null(strstr(answer.headers, methods[i]));
        drop(&answer);
    }
    client_close(&client);
}

static void assert_pattern(const struct blob *blob, size_t len)
{
    assert_int_equal(blob->len, len);
    for (size_t i = 0; i < len; i++) {
        if (blob->data[i] != (uint8_t)(i * 7))
            fail_msg("byte %zu", i);
    }
}

/* Large answers arrive whole, with and without a length, and large bodies leave whole. */
static void large_bodies_arrive(void **state)
{
    (void)state;
    struct client client;
    struct answer answer, echo;
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    call(&client, "/bytes/8388608", &request, &answer);
    assert_pattern(answer.body, 8388608);
    call(&client, "/chunked/1000003", &request, &echo);
    assert_pattern(echo.body, 1000003);
    drop(&echo);

    struct slice body = blob_slice(answer.body);
    struct http_request put = make_request("PUT");
    put.body = &body;
    put.body_count = 1;
    call(&client, "/echo", &put, &echo);
    assert_pattern(echo.body, 8388608);
    drop(&echo);
    drop(&answer);
    client_close(&client);
}

/* An answer above the limit fails, whether its length is told or not, and one at the
 * limit does not. */
static void limit_holds(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    request.max_response_bytes = 50000;
    call(&client, "/bytes/50000", &request, &answer);
    assert_pattern(answer.body, 50000);
    drop(&answer);
    call(&client, "/chunked/50000", &request, &answer);
    assert_pattern(answer.body, 50000);
    drop(&answer);
    call(&client, "/bytes/50001", &request, &answer);
    assert_int_equal(answer.response.code, ERR_TOO_LARGE);
    call(&client, "/chunked/50001", &request, &answer);
    assert_int_equal(answer.response.code, ERR_TOO_LARGE);
    assert_null(answer.body);
    client_close(&client);
}

/* The answer's bytes are taken from the budget, and given back with the blob. */
static void budget_is_charged(void **state)
{
    (void)state;
    struct client client;
    struct answer answer, refused;
    struct budget budget;
    struct http_request request = make_request("GET");
    budget_init(&budget, 60000);
    client_open(&client, NULL);
    request.budget = &budget;
    call(&client, "/bytes/50000", &request, &answer);
    assert_int_equal(budget_used(&budget), 50000);
    call(&client, "/bytes/50000", &request, &refused);
    assert_int_equal(refused.response.code, ERR_NOMEM);
    drop(&answer);
    assert_int_equal(budget_used(&budget), 0);
    client_close(&client);
}

/* A status of any kind is an answer; Retry-After and Content-Range are read. */
static void status_and_headers_are_told(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    call(&client, "/status/503", &request, &answer);
    assert_int_equal(answer.response.code, 0);
    assert_int_equal(answer.response.status, 503);
    assert_int_equal(answer.response.retry_after_ms, 7000);
    assert_true(slice_eq_str(blob_slice(answer.body), "why"));
    drop(&answer);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.status, 206);
    assert_int_equal(answer.response.content_total, 1234);
    assert_int_equal(answer.response.retry_after_ms, -1);
    assert_string_equal(answer.response.encoding, "");
    assert_string_equal(answer.headers,
                        "Content-Length: 3\r\nContent-Range: bytes 5-7/1234\r\n");
    drop(&answer);
    client_close(&client);
}

/* Requests one after the other share a connection; at once, no more than the limit. */
static void connections_are_kept_and_bounded(void **state)
{
    (void)state;
    struct client client;
    struct answer answers[10];
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    for (int i = 0; i < 5; i++) {
        call(&client, "/range", &request, &answers[0]);
        drop(&answers[0]);
    }
    assert_int_equal(atomic_load(&client.server->connections), 1);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        send_to(&client, "/sleep/20", &request, &answers[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        wait_for(&client, &answers[i]);
        assert_int_equal(answers[i].response.code, 0);
        drop(&answers[i]);
    }
    assert_int_equal(atomic_load(&client.server->connections), 4);
    client_close(&client);
}

/* A kept connection that the server has closed meanwhile is replaced, and the body is
 * sent again from its beginning. */
static void dead_connection_is_replaced(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    const struct slice pieces[] = {slice_str("abc"), slice_str("def")};
    client_open(&client, NULL);
    for (int i = 0; i < 3; i++) {
        struct http_request get = make_request("GET");
        call(&client, "/last", &get, &answer);
        assert_int_equal(answer.response.code, 0);
        drop(&answer);
        if (i == 1)
            sleep_ms(30); /* sometimes the end has arrived, sometimes it has not */
        struct http_request put = make_request("PUT");
        put.body = pieces;
        put.body_count = 2;
        call(&client, "/echo", &put, &answer);
        assert_int_equal(answer.response.code, 0);
        assert_true(slice_eq_str(blob_slice(answer.body), "abcdef"));
        drop(&answer);
    }
    client_close(&client);
}

/* How a call fails says what is known: never sent, no answer in time, or cut off. */
static void failures_are_told_apart(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    call(&client, "/close", &request, &answer);
    assert_int_equal(answer.response.code, ERR_CLOSED);
    assert_true(strlen(answer.error) > 0);
    call(&client, "/cut", &request, &answer);
    assert_int_equal(answer.response.code, ERR_CLOSED);
    assert_null(answer.body);
    request.timeout_ms = 50;
    call(&client, "/sleep/300", &request, &answer);
    assert_int_equal(answer.response.code, ERR_TIMEOUT);
    assert_true(answer.response.strained);
    client_close(&client);

    /* Nobody listens at the port that was just given up. */
    client_open(&client, NULL);
    unsigned port = client.server->port;
    client_close(&client);
    client_open(&client, NULL);
    unsigned own_port = client.server->port;
    request = make_request("GET");
    client.server->port = port;
    call(&client, "/echo", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAVAILABLE);
    assert_false(answer.response.strained);
    assert_true(answer.response.looked_up);
    client.server->port = own_port;
    client_close(&client);
}

/* A name that nobody answers for holds up its own calls, no others: neither when they end
 * by their time limit nor when they are cancelled does the loop wait for the answer. */
static void slow_name_holds_up_nobody(void **state)
{
    (void)state;
    struct client client;
    struct answer limited = {0}, cancelled = {0}, other;
    struct http_request request = make_request("GET");
    fake_name_set("hangs.test", FAKE_NAME_HANGS);
    client_open(&client, NULL);
    request.url = "http://hangs.test/";
    struct http_call *cancel = http_client_send(client.http, &request, keep, &cancelled);
    request.connect_timeout_ms = 50;
    http_client_send(client.http, &request, keep, &limited);
    wait_for(&client, &limited);
    assert_int_equal(limited.response.code, ERR_UNAVAILABLE);
    assert_false(limited.response.looked_up);
    http_client_cancel(cancel);
    request = make_request("GET");
    call(&client, "/range", &request, &other);
    assert_int_equal(other.response.code, 0);
    drop(&other);

    while (fake_names_asked() < 2)
        usleep(1000);
    assert_int_equal(fake_names_hanging(), 2);
    fake_name_set("hangs.test", FAKE_NAME_UNKNOWN);
    client_close(&client);
}

/* A name whose address changes is found at the new one before long. */
static void moved_name_is_found(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    char url[64];
    int64_t end_ms = clock_monotonic_ms() + 20000;
    bool first = true;
    fake_name_set("moves.test", FAKE_NAME_ELSEWHERE);
    client_open(&client, NULL);
    snprintf(url, sizeof(url), "http://moves.test:%u/range", client.server->port);
    do {
        answer = (struct answer){0};
        request.url = url;
        http_client_send(client.http, &request, keep, &answer);
        wait_for(&client, &answer);
        if (first)
            assert_int_equal(answer.response.code, ERR_UNAVAILABLE);
        first = false;
        fake_name_set("moves.test", FAKE_NAME_LOOPBACK);
        if (answer.response.code != 0)
            sleep_ms(50);
    } while (answer.response.code != 0 && clock_monotonic_ms() < end_ms);
    assert_int_equal(answer.response.code, 0);
    drop(&answer);
    client_close(&client);
}

/* A URL that is none fails by the callback as well, not inside send. */
static void bad_url_fails_later(void **state)
{
    (void)state;
    struct client client;
    struct answer answer = {0};
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    request.url = "ftp://127.0.0.1/";
    http_client_send(client.http, &request, keep, &answer);
    assert_false(answer.done);
    wait_for(&client, &answer);
    assert_int_equal(answer.response.code, ERR_INVALID);
    client_close(&client);
}

/* After a cancel, and after the client was freed, no callback comes. */
static void cancel_is_silent(void **state)
{
    (void)state;
    struct client client;
    struct answer cancelled, freed, other;
    struct http_request request = make_request("GET");
    client_open(&client, NULL);
    struct http_call *call_1 = send_to(&client, "/sleep/50", &request, &cancelled);
    send_to(&client, "/sleep/600", &request, &freed);
    loop_run_once(client.loop, 20);
    http_client_cancel(call_1);
    call(&client, "/sleep/100", &request, &other);
    assert_false(cancelled.done);
    drop(&other);
    http_client_free(client.http);
    client.http = http_client_new(client.loop, 1);
    loop_run_once(client.loop, 20);
    assert_false(freed.done);
    client_close(&client);
}

struct chain {
    struct client *client;
    int left;
    bool free_at_end;
    struct http_call *victim;
    char url[64];
};

static void send_next(const struct http_response *response, void *arg)
{
    struct chain *chain = arg;
    assert_int_equal(response->code, 0);
    if (chain->victim != NULL)
        http_client_cancel(chain->victim);
    chain->victim = NULL;
    if (--chain->left > 0) {
        struct http_request request = make_request("GET");
        request.url = chain->url;
        http_client_send(chain->client->http, &request, send_next, chain);
    } else if (chain->free_at_end) {
        http_client_free(chain->client->http);
        chain->client->http = NULL;
    }
}

/* A callback may send, cancel another call, and free the client. */
static void callback_may_do_anything(void **state)
{
    (void)state;
    struct client client;
    struct answer victim;
    client_open(&client, NULL);
    struct chain chain = {.client = &client, .left = 5, .free_at_end = true};
    snprintf(chain.url, sizeof(chain.url), "http://127.0.0.1:%u/range",
             client.server->port);
    struct http_request request = make_request("GET");
    chain.victim = send_to(&client, "/sleep/600", &request, &victim);
    request.url = chain.url;
    http_client_send(client.http, &request, send_next, &chain);
    int64_t end_ms = clock_monotonic_ms() + 20000;
    while (chain.left > 0 && clock_monotonic_ms() < end_ms)
        loop_run_once(client.loop, 1000);
    assert_int_equal(chain.left, 0);
    assert_null(client.http);
    assert_false(victim.done);
    client_close(&client);
}

/* --- TLS --- */

static struct str ca_key, ca_cert, server_key, server_cert, agent_key, agent_cert,
    rogue_ca_key, rogue_ca, rogue_key, rogue_cert;
static struct str *const pems[] = {&ca_key,    &ca_cert,    &server_key,   &server_cert,
                                   &agent_key, &agent_cert, &rogue_ca_key, &rogue_ca,
                                   &rogue_key, &rogue_cert};

static int issue(const struct str *key, const struct str *cert, bool server,
                 struct str *new_key, struct str *new_cert)
{
    static const char *const names[] = {"127.0.0.1", "localhost", NULL};
    int64_t now_ms = clock_wall_ms();
    const struct x509_profile profile = {
        .common_name = server ? "server" : "agent",
        .dns_san = server ? names : NULL,
        .server = server,
        .client = !server,
        .not_before_ms = now_ms - 60000,
        .not_after_ms = now_ms + 3600000,
    };
    return x509_issue(str_slice(key), str_slice(cert), &profile, new_key, new_cert, NULL);
}

static int make_certificates(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(pems); i++)
        str_init(pems[i], X509_PEM_MAX);
    return x509_make_key(&ca_key, NULL) ||
           x509_make_ca(str_slice(&ca_key), "CA", 2, &ca_cert, NULL) ||
           issue(&ca_key, &ca_cert, true, &server_key, &server_cert) ||
           issue(&ca_key, &ca_cert, false, &agent_key, &agent_cert) ||
           x509_make_key(&rogue_ca_key, NULL) ||
           x509_make_ca(str_slice(&rogue_ca_key), "CA", 2, &rogue_ca, NULL) ||
           issue(&rogue_ca_key, &rogue_ca, false, &rogue_key, &rogue_cert);
}

static int drop_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pems); i++)
        str_fini(pems[i]);
    return 0;
}

static X509 *load_cert(const struct str *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

/* A server that requires a client certificate of our authority. */
static SSL_CTX *mutual_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    BIO *bio = BIO_new_mem_buf(server_key.data, (int)server_key.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    X509 *cert = load_cert(&server_cert), *ca = load_cert(&ca_cert);
    assert_int_equal(SSL_CTX_use_certificate(tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca), 1);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return tls;
}

/* With certificates of one authority both sides accept each other. */
static void mutual_tls_works(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    const struct http_tls tls = {.ca_pem = str_slice(&ca_cert),
                                 .cert_pem = str_slice(&agent_cert),
                                 .key_pem = str_slice(&agent_key)};
    client_open(&client, mutual_tls());
    http_client_set_tls(client.http, &tls);
    for (int i = 0; i < 3; i++) {
        call(&client, "/bytes/100000", &request, &answer);
        assert_int_equal(answer.response.code, 0);
        assert_pattern(answer.body, 100000);
        drop(&answer);
    }
    assert_int_equal(atomic_load(&client.server->connections), 1);
    /* New certificates: the connection that the old ones opened is not used any more. */
    const struct http_tls none = {.ca_pem = str_slice(&ca_cert)};
    http_client_set_tls(client.http, &none);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAUTHENTICATED);
    client_close(&client);
}

/* A server of another authority is refused, unless the caller verifies by itself. */
static void strange_server_is_refused(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    struct http_tls tls = {.ca_pem = str_slice(&rogue_ca),
                           .cert_pem = str_slice(&agent_cert),
                           .key_pem = str_slice(&agent_key)};
    client_open(&client, mutual_tls());
    http_client_set_tls(client.http, &tls);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAUTHENTICATED);
    tls.ca_pem = SLICE_NULL; /* the system's certificates do not know it either */
    http_client_set_tls(client.http, &tls);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAUTHENTICATED);
    assert_int_equal(atomic_load(&client.server->requests), 0);
    tls.verify_none = true;
    http_client_set_tls(client.http, &tls);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, 0);
    drop(&answer);
    client_close(&client);
}

/* A server that closes or resets the connection instead of a handshake is not there right
 * now; it is nobody strange. */
static void turned_away(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    struct http_tls tls = {.ca_pem = str_slice(&ca_cert),
                           .cert_pem = str_slice(&agent_cert),
                           .key_pem = str_slice(&agent_key)};
    client_open(&client, mutual_tls());
    http_client_set_tls(client.http, &tls);
    for (int how = 1; how <= 2; how++) {
        atomic_store(&client.server->turn_away, how);
        for (int i = 0; i < 10; i++) {
            call(&client, "/range", &request, &answer);
            assert_int_equal(answer.response.code, ERR_UNAVAILABLE);
            assert_true(answer.response.strained);
        }
    }
    atomic_store(&client.server->turn_away, 0);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, 0);
    drop(&answer);
    client_close(&client);
}

/* Without a certificate, or with a stranger's, the server refuses us, and we say so. */
static void strange_client_is_refused(void **state)
{
    (void)state;
    struct client client;
    struct answer answer;
    struct http_request request = make_request("GET");
    struct http_tls tls = {.ca_pem = str_slice(&ca_cert)};
    client_open(&client, mutual_tls());
    http_client_set_tls(client.http, &tls);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAUTHENTICATED);
    tls.cert_pem = str_slice(&rogue_cert);
    tls.key_pem = str_slice(&rogue_key);
    http_client_set_tls(client.http, &tls);
    call(&client, "/range", &request, &answer);
    assert_int_equal(answer.response.code, ERR_UNAUTHENTICATED);
    assert_int_equal(atomic_load(&client.server->requests), 0);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_gathered),
        cmocka_unit_test(empty_bodies_work),
        cmocka_unit_test(large_bodies_arrive),
        cmocka_unit_test(limit_holds),
        cmocka_unit_test(budget_is_charged),
        cmocka_unit_test(status_and_headers_are_told),
        cmocka_unit_test(connections_are_kept_and_bounded),
        cmocka_unit_test(dead_connection_is_replaced),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(slow_name_holds_up_nobody),
        cmocka_unit_test(moved_name_is_found),
        cmocka_unit_test(bad_url_fails_later),
        cmocka_unit_test(cancel_is_silent),
        cmocka_unit_test(callback_may_do_anything),
        cmocka_unit_test(mutual_tls_works),
        cmocka_unit_test(strange_server_is_refused),
        cmocka_unit_test(turned_away),
        cmocka_unit_test(strange_client_is_refused),
    };
    return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
