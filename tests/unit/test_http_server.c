/* test_http_server.c - the HTTPS server against the product's own HTTP client.
 *
 * The handler does what the path says: /echo answers with the body, /park answers from
 * another thread, /twice parks two times, /refuse refuses at the head, /uri answers with
 * the certificate's URI. */
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
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/loop.h"
#include "common/x509.h"
#include "controlplane/http_server.h"

#define LIMIT_MS 10000
#define BODY_MAX (64 * KIB)

/* --- a certificate authority with a server and a client --- */

struct authority {
    struct str key, cert, server_key, server_cert, client_key, client_cert;
};

static struct authority ours, foreign;

static void authority_make(struct authority *a, const char *uri)
{
    static const char *const names[] = {"127.0.0.1", "localhost", NULL};
    struct str *all[] = {&a->key,         &a->cert,       &a->server_key,
                         &a->server_cert, &a->client_key, &a->client_cert};
    int64_t now_ms = clock_wall_ms();
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_init(all[i], X509_PEM_MAX);
    struct x509_profile server = {.common_name = "s",
                                  .dns_san = names,
                                  .server = true,
                                  .not_before_ms = now_ms - 60000,
                                  .not_after_ms = now_ms + 3600000};
    struct x509_profile client = {.common_name = "c",
                                  .uri_san = uri,
                                  .client = true,
                                  .not_before_ms = now_ms - 60000,
                                  .not_after_ms = now_ms + 3600000};
    assert_int_equal(x509_make_key(&a->key, &err), 0);
    assert_int_equal(x509_make_ca(str_slice(&a->key), "CA", 1, &a->cert, &err), 0);
    assert_int_equal(x509_issue(str_slice(&a->key), str_slice(&a->cert), &server,
                                &a->server_key, &a->server_cert, &err),
                     0);
    assert_int_equal(x509_issue(str_slice(&a->key), str_slice(&a->cert), &client,
                                &a->client_key, &a->client_cert, &err),
                     0);
}

static void authority_fini(struct authority *a)
{
    struct str *all[] = {&a->key,         &a->cert,       &a->server_key,
                         &a->server_cert, &a->client_key, &a->client_cert};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_fini(all[i]);
}

/* --- the server --- */

static struct http_server *server;
static struct budget budget;
static atomic_int ended;

static void reply_text(struct http_exchange *x, int status, struct slice text)
{
    struct str body;
    str_init(&body, MIB);
    str_append_slice(&body, text);
    http_exchange_reply(x, status, "text/plain", &body);
}

static void on_head(struct http_exchange *x, void *arg)
{
    (void)arg;
    if (strcmp(http_exchange_path(x), "/refuse") == 0)
        reply_text(x, 403, SLICE_LITERAL("no"));
    if (strcmp(http_exchange_path(x), "/tiny") == 0)
        http_exchange_limit_body(x, 10);
}

static void *resume_later(void *arg)
{
    usleep(20000);
    http_exchange_resume(arg);
    return NULL;
}

/* Hand X to a thread that resumes it after a while, or at once. */
static void park(struct http_exchange *x, bool at_once)
{
    pthread_t thread;
    http_exchange_park(x);
    if (at_once) {
        http_exchange_resume(x);
        return;
    }
    assert_int_equal(pthread_create(&thread, NULL, resume_later, x), 0);
    pthread_detach(thread);
}

/* All but the last six bytes of the body, by way of a file. */
static void reply_file(struct http_exchange *x)
{
    struct slice body = http_exchange_body(x);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(body.ptr, 1, body.len, file), body.len);
    assert_int_equal(fflush(file), 0);
    rewind(file);
    http_exchange_reply_file(x, "text/plain", dup(fileno(file)), body.len - 6);
    fclose(file);
}

static void on_request(struct http_exchange *x, void *arg)
{
    const char *path = http_exchange_path(x);
    (void)arg;
    if (strncmp(path, "/park", 5) == 0 || strcmp(path, "/twice") == 0)
        park(x, strcmp(path, "/park-at-once") == 0);
    else if (strcmp(path, "/file") == 0)
        reply_file(x);
    else if (strcmp(path, "/uri") == 0)
        reply_text(x, 200, slice_str(http_exchange_peer_uri(x)));
    else if (strcmp(path, "/query") == 0)
        reply_text(x, 200, slice_str(http_exchange_query(x, "q")));
    else
        reply_text(x, 200, http_exchange_body(x));
}

static void on_resume(struct http_exchange *x, void *arg)
{
    (void)arg;
    if (strcmp(http_exchange_path(x), "/twice") == 0 && http_exchange_user(x) == NULL) {
        http_exchange_set_user(x, x);
        park(x, false);
        return;
    }
    reply_text(x, 200, http_exchange_body(x));
}

static void on_end(struct http_exchange *x, void *arg)
{
    (void)x, (void)arg;
    atomic_fetch_add(&ended, 1);
}

static const struct http_server_ops ops = {on_head, on_request, on_resume, on_end};

static unsigned newcomers_max;

static int start(const char *listen, bool clients, struct http_server **out,
                 struct err *err)
{
    struct http_server_options options = {
        .name = "test",
        .listen = listen,
        .threads = 2,
        .max_connections = 64,
        .newcomers_max = newcomers_max,
        .max_body_bytes = BODY_MAX,
        .budget = &budget,
        .idle_timeout_ms = 5000,
        .request_timeout_ms = 5000,
        .cert_pem = str_slice(&ours.server_cert),
        .key_pem = str_slice(&ours.server_key),
        .client_ca_pem = clients ? str_slice(&ours.cert) : SLICE_NULL,
        .ops = &ops,
    };
    return http_server_start(&options, out, err);
}

static int setup_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    authority_make(&ours, "weft://cluster/a/agent/b");
    authority_make(&foreign, "weft://cluster/a/agent/b");
    return 0;
}

static int teardown_all(void **state)
{
    (void)state;
    authority_fini(&ours);
    authority_fini(&foreign);
    return 0;
}

static int setup(void **state)
{
    struct err err;
    (void)state;
    budget_init(&budget, MIB);
    atomic_store(&ended, 0);
    return start("127.0.0.1:0", false, &server, &err);
}

static int setup_clients(void **state)
{
    struct err err;
    (void)state;
    budget_init(&budget, MIB);
    return start("127.0.0.1:0", true, &server, &err);
}

static int teardown(void **state)
{
    (void)state;
    http_server_stop(server);
    assert_int_equal(budget_used(&budget), 0);
    return 0;
}

/* --- the client --- */

struct answer {
    int code, status, waiting;
    char body[128];
};

static struct loop *loop;
static struct http_client *client;

static void client_open(const struct authority *trusted, const struct authority *identity)
{
    struct http_tls tls = {.ca_pem = str_slice(&trusted->cert)};
    if (identity != NULL) {
        tls.cert_pem = str_slice(&identity->client_cert);
        tls.key_pem = str_slice(&identity->client_key);
    }
    loop = loop_new();
    client = http_client_new(loop, 32);
    http_client_set_tls(client, &tls);
}

static void client_close(void)
{
    http_client_free(client);
    loop_free(loop);
}

static void on_answer(const struct http_response *response, void *arg)
{
    struct answer *answer = arg;
    answer->code = response->code;
    answer->status = response->status;
    answer->waiting = 0;
    if (response->code == 0)
        snprintf(answer->body, sizeof(answer->body), "%.*s",
                 (int)MIN(response->body->len, (size_t)100),
                 (const char *)response->body->data);
}

static void send_request(const char *path, struct slice body, struct answer *answer)
{
    char url[128];
    snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", http_server_port(server), path);
    struct http_request request = {.method = "POST",
                                   .url = url,
                                   .body = &body,
                                   .body_count = 1,
                                   .connect_timeout_ms = LIMIT_MS,
                                   .timeout_ms = LIMIT_MS,
                                   .max_response_bytes = MIB};
    *answer = (struct answer){.waiting = 1};
    http_client_send(client, &request, on_answer, answer);
}

static void await(struct answer *answer)
{
    int64_t deadline_ms = clock_monotonic_ms() + LIMIT_MS;
    while (answer->waiting && clock_monotonic_ms() < deadline_ms)
        loop_run_once(loop, 100);
    assert_int_equal(answer->waiting, 0);
}

static struct answer post(const char *path, struct slice body)
{
    struct answer answer;
    send_request(path, body, &answer);
    await(&answer);
    return answer;
}

/* --- tests --- */

/* A body goes in and out, on one connection that lives on. */
static void echo(void **state)
{
    struct http_server_counters counters;
    (void)state;
    client_open(&ours, NULL);
    for (int i = 0; i < 5; i++) {
        struct answer answer = post("/echo", SLICE_LITERAL("hello"));
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "hello");
    }
    struct answer answer = post("/query?q=a%20b", SLICE_LITERAL(""));
    assert_string_equal(answer.body, "a b");
    http_server_counters(server, &counters);
    assert_int_equal(counters.accepted, 1);
    client_close();
}

/* An answer may be a file, which nobody holds in memory; the connection lives on. */
static void file_answer(void **state)
{
    (void)state;
    client_open(&ours, NULL);
    for (int i = 0; i < 3; i++) {
        struct answer answer = post("/file", SLICE_LITERAL("what a file holds"));
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "what a file");
    }
    client_close();
}

/* Parked exchanges cost no thread: many at once, resumed from elsewhere, also at once and
 * also twice; each gets its own answer and its one end. */
static void parking(void **state)
{
    static const char *const paths[] = {"/park", "/twice", "/park-at-once"};
    struct answer answers[24];
    char bodies[24][8];
    (void)state;
    client_open(&ours, NULL);
    for (size_t i = 0; i < 24; i++) {
        snprintf(bodies[i], sizeof(bodies[i]), "%zu", i);
        send_request(paths[i % 3], slice_str(bodies[i]), &answers[i]);
    }
    for (size_t i = 0; i < 24; i++) {
        await(&answers[i]);
        assert_int_equal(answers[i].status, 200);
        assert_string_equal(answers[i].body, bodies[i]);
    }
    for (int i = 0; i < 100 && atomic_load(&ended) < 24; i++)
        usleep(10000);
    assert_int_equal(atomic_load(&ended), 24);
    client_close();
}

/* A refusal at the head reaches a client that is still sending, whose connection lives
 * on when the rest is small. */
static void early_refusal(void **state)
{
    static char body[50 * 1024];
    struct http_server_counters counters;
    (void)state;
    client_open(&ours, NULL);
    for (int i = 0; i < 3; i++) {
        struct answer answer = post("/refuse", slice_of(body, sizeof(body)));
        assert_int_equal(answer.status, 403);
        assert_string_equal(answer.body, "no");
    }
    http_server_counters(server, &counters);
    assert_int_equal(counters.accepted, 1);
    client_close();
}

/* Bodies are bounded: by the server, by the call, and all together. */
static void bounds(void **state)
{
    static char body[BODY_MAX + 1];
    (void)state;
    client_open(&ours, NULL);
    assert_int_equal(post("/echo", slice_of(body, BODY_MAX)).status, 200);
    assert_int_equal(post("/echo", slice_of(body, BODY_MAX + 1)).status, 413);
    assert_int_equal(post("/tiny", slice_of(body, 10)).status, 200);
    assert_int_equal(post("/tiny", slice_of(body, 11)).status, 413);
    assert_true(budget_take(&budget, MIB - 100));
    assert_int_equal(post("/echo", slice_of(body, 1000)).status, 429);
    budget_give(&budget, MIB - 100);
    assert_int_equal(post("/echo", slice_of(body, 1000)).status, 200);
    client_close();
}

/* A client certificate is wanted in the handshake: none, or one of another authority,
 * gets no answer at all; ours is read. */
static void client_certificates(void **state)
{
    struct http_server_counters counters;
    (void)state;
    client_open(&ours, NULL);
    assert_int_not_equal(post("/uri", SLICE_LITERAL("")).code, 0);
    client_close();
    client_open(&ours, &foreign);
    assert_int_not_equal(post("/uri", SLICE_LITERAL("")).code, 0);
    client_close();
    http_server_counters(server, &counters);
    assert_int_equal(counters.handshakes_refused, 1);
    client_open(&ours, &ours);
    struct answer answer = post("/uri", SLICE_LITERAL(""));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "weft://cluster/a/agent/b");
    client_close();
}

/* A new certificate is used by the next handshake; a broken one is not taken. */
static void new_certificate(void **state)
{
    struct err err;
    (void)state;
    client_open(&foreign, NULL);
    assert_int_not_equal(post("/echo", SLICE_LITERAL("x")).code, 0);
    client_close();
    assert_int_equal(http_server_set_certificate(server, str_slice(&foreign.server_cert),
                                                 str_slice(&foreign.server_key), &err),
                     0);
    assert_int_equal(
        http_server_set_certificate(server, SLICE_LITERAL("x"), SLICE_LITERAL("y"), &err),
        ERR_INVALID);
    client_open(&foreign, NULL);
    assert_int_equal(post("/echo", SLICE_LITERAL("x")).status, 200);
    client_close();
}

/* Who comes while the server is stopping is told to go elsewhere. */
static void quiesced(void **state)
{
    (void)state;
    client_open(&ours, NULL);
    assert_int_equal(post("/echo", SLICE_LITERAL("x")).status, 200);
    http_server_quiesce(server);
    struct answer answer = post("/echo", SLICE_LITERAL("x"));
    assert_true(answer.code != 0 || answer.status == 503);
    client_close();
}

/* A connection that is too slow for all timeouts together is cut off, no other. */
static void reaping(void **state)
{
    struct http_server_counters counters;
    (void)state;
    client_open(&ours, NULL);
    assert_int_equal(post("/echo", SLICE_LITERAL("x")).status, 200);
    assert_int_equal(http_server_reap(server, clock_monotonic_ms() + 9000), 0);
    /* The server learns a little after us that the answer is across. */
    size_t reaped = 0;
    for (int i = 0; i < 200 && reaped == 0; i++) {
        reaped = http_server_reap(server, clock_monotonic_ms() + 11000);
        usleep(10000);
    }
    assert_int_equal(reaped, 1);
    for (int i = 0; i < 200; i++) {
        http_server_counters(server, &counters);
        if (counters.connections == 0)
            break;
        usleep(10000);
    }
    assert_int_equal(counters.connections, 0);
    assert_int_equal(http_server_reap(server, clock_monotonic_ms() + 11000), 0);
    assert_int_equal(post("/echo", SLICE_LITERAL("x")).status, 200);
    client_close();
}

/* Who connects and asks nothing is cut off before others: it may stand in the middle of a
 * handshake, which costs us time. */
static void silent_peer(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(server)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct http_server_counters counters = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, "\x16\x03\x01", 3), 3); /* half a ClientHello's head */
    for (int i = 0; i < 200 && counters.connections == 0; i++) {
        usleep(10000);
        http_server_counters(server, &counters);
    }
    assert_int_equal(counters.connections, 1);
    assert_int_equal(http_server_reap(server, clock_monotonic_ms() + 7000), 0);
    assert_int_equal(http_server_reap(server, clock_monotonic_ms() + 9000), 1);
    for (int i = 0; i < 200 && counters.connections > 0; i++) {
        usleep(10000);
        http_server_counters(server, &counters);
    }
    assert_int_equal(counters.connections, 0);
    close(fd);
}

/* How often this process has gone to sleep by itself. */
static long sleeps(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_nvcsw;
}

/* A handshake that stands still costs no core: its thread sleeps between looks at it. */
static void standing_handshake(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(server)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct http_server_counters counters = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, "\x16\x03\x01", 3), 3);
    for (int i = 0; i < 500 && counters.connections == 0; i++) {
        usleep(10000);
        http_server_counters(server, &counters);
    }
    usleep(50000);
    long before = sleeps();
    usleep(500000);
    assert_true(sleeps() - before > 20);
    close(fd);
}

static int come(const struct http_server *to)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(to)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* When so many have connected and asked nothing yet, others are closed at once; one that
 * has gone makes room, and so does one that has asked. */
static void newcomers(void **state)
{
    struct http_server_counters counters = {0};
    struct http_server *few;
    struct err err;
    int fds[4];
    char byte;
    (void)state;
    newcomers_max = 3;
    assert_int_equal(start("127.0.0.1:0", false, &few, &err), 0);
    newcomers_max = 0;
    for (int i = 0; i < 3; i++)
        fds[i] = come(few);
    for (int i = 0; i < 500 && counters.connections < 3; i++) {
        usleep(10000);
        http_server_counters(few, &counters);
    }
    assert_int_equal(counters.connections, 3);
    fds[3] = come(few);
    assert_true(read(fds[3], &byte, 1) <= 0); /* its end */
    close(fds[3]);
    http_server_counters(few, &counters);
    assert_int_equal(counters.turned_away, 1);
    close(fds[2]);
    for (int i = 0; i < 500 && counters.connections > 2; i++) {
        usleep(10000);
        http_server_counters(few, &counters);
    }
    fds[2] = come(few);
    for (int i = 0; i < 500 && counters.connections < 3; i++) {
        usleep(10000);
        http_server_counters(few, &counters);
    }
    assert_int_equal(counters.connections, 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    http_server_stop(few);
    /* Those that have asked are no newcomers: far more than so many come one by one. */
    client_open(&ours, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(post("/echo", SLICE_LITERAL("x")).status, 200);
    http_server_counters(server, &counters);
    assert_int_equal(counters.turned_away, 0);
    client_close();
}

/* Addresses that cannot be listened on are refused with a text that names them. */
static void addresses(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "[::1:80",
                                      "no.such.host.invalid:1",
                                      "127.0.0.1:notaport"};
    struct http_server *other;
    struct err err;
    char taken[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(start(bad[i], false, &other, &err), ERR_INVALID);
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", http_server_port(server));
    assert_int_equal(start(taken, false, &other, &err), ERR_IO);
    assert_non_null(strstr(err.text, taken));
    assert_int_equal(start("[::1]:0", false, &other, &err), 0);
    http_server_stop(other);
    assert_int_equal(start(":0", false, &other, &err), 0);
    http_server_stop(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(echo, setup, teardown),
        cmocka_unit_test_setup_teardown(file_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(parking, setup, teardown),
        cmocka_unit_test_setup_teardown(early_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(client_certificates, setup_clients, teardown),
        cmocka_unit_test_setup_teardown(new_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(quiesced, setup, teardown),
        cmocka_unit_test_setup_teardown(reaping, setup, teardown),
        cmocka_unit_test_setup_teardown(silent_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(standing_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(newcomers, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
