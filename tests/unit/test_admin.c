/* Unit tests of agent/admin.c over real sockets: GET only, bounded in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/admin.h"

static int handler(const char *path, bool local, struct str *body, void *arg)
{
    (void)arg;
    if (strcmp(path, "/local") == 0)
        return local ? 200 : 403;
    if (strcmp(path, "/hello") == 0) {
        str_puts(body, "world\n");
        return 200;
    }
    if (strcmp(path, "/large") == 0) {
        for (int i = 0; i < 100000; i++)
            str_puts(body, "0123456789");
        return 200;
    }
    return 404;
}

struct fixture {
    struct loop *loop;
    struct admin *admin;
};

static int setup(void **state)
{
    static struct fixture f;
    struct err err = {0};
    f.loop = loop_new();
    assert_int_equal(admin_new(f.loop, "127.0.0.1:0", handler, NULL, &f.admin, &err), 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    admin_free(f->admin);
    loop_free(f->loop);
    return 0;
}

static int connect_to(struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)admin_port(f->admin)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval tv = {.tv_usec = 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return fd;
}

/* Send TEXT, run the loop, and return all that comes until the end; -1: still open. */
static ssize_t ask(struct fixture *f, const char *text, char *answer, size_t max)
{
    int fd = connect_to(f);
    size_t len = 0;
    if (text[0] != '\0')
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    for (int i = 0; i < 1000; i++) {
        loop_run_once(f->loop, 1);
        ssize_t n = read(fd, answer + len, max - 1 - len);
        if (n == 0) {
            answer[len] = '\0';
            close(fd);
            return (ssize_t)len;
        }
        if (n > 0)
            len += (size_t)n;
        else if (len == 0 && i > 50)
            break;
    }
    close(fd);
    return -1;
}

/* A GET is answered with status, length and body, and the connection ends. */
static void test_get(void **state)
{
    char answer[2048];
    assert_true(ask(*state, "GET /hello?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", answer,
                    sizeof(answer)) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(answer, "Content-Length: 6\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nworld\n"));
    assert_true(ask(*state, "GET /other HTTP/1.0\r\n\r\n", answer, sizeof(answer)) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 404", 12), 0);
}

/* The handler is told who asks from this machine: loopback addresses of all kinds do. */
static void test_local(void **state)
{
    static const char *const texts[] = {
        "127.0.0.1",        "127.9.9.9",       "::1",     "10.0.0.1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "::"};
    static const bool local[] = {true, true, true, false, true, false, false, false};
    char answer[2048];
    assert_true(ask(*state, "GET /local HTTP/1.1\r\n\r\n", answer, sizeof(answer)) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sockaddr_storage peer = {0};
        struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&peer;
        bool is_v6 = strchr(texts[i], ':') != NULL;
        peer.ss_family = is_v6 ? AF_INET6 : AF_INET;
        void *to = is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
        assert_int_equal(inet_pton(peer.ss_family, texts[i], to), 1);
        assert_int_equal(admin_is_local(&peer), local[i]);
    }
    struct sockaddr_storage none = {.ss_family = AF_UNIX};
    assert_false(admin_is_local(&none));
}

/* Other methods and what is not HTTP are refused. */
static void test_refused(void **state)
{
    char answer[2048];
    assert_true(ask(*state, "POST /hello HTTP/1.1\r\n\r\n", answer, sizeof(answer)) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 405", 12), 0);
    assert_non_null(strstr(answer, "Allow: GET"));
    assert_true(ask(*state, "nonsense\r\n\r\n", answer, sizeof(answer)) > 0);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400", 12), 0);
}

/* An answer larger than a socket's buffer arrives whole. */
static void test_large(void **state)
{
    static char answer[1100000];
    ssize_t n = ask(*state, "GET /large HTTP/1.1\r\n\r\n", answer, sizeof(answer));
    assert_true(n > 1000000);
    assert_non_null(strstr(answer, "Content-Length: 1000000\r\n"));
}

/* A head that does not end is cut off at its maximum. */
static void test_endless_head(void **state)
{
    static char text[20000];
    char answer[100];
    memset(text, 'x', sizeof(text) - 1);
    struct fixture *f = *state;
    int fd = connect_to(f);
    bool ended = false;
    for (int i = 0; i < 200 && !ended; i++) {
        if (send(fd, text, 1000, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            ended = true;
        loop_run_once(f->loop, 1);
        ended |= read(fd, answer, sizeof(answer)) == 0;
    }
    assert_true(ended);
    close(fd);
}

/* Connections are bounded: one too many is closed, those before it are served. */
static void test_many_connections(void **state)
{
    struct fixture *f = *state;
    int fds[64];
    char answer[100];
    for (int i = 0; i < 64; i++) {
        fds[i] = connect_to(f);
        loop_run_once(f->loop, 1);
    }
    int extra = connect_to(f);
    loop_run_once(f->loop, 10);
    assert_int_equal(read(extra, answer, sizeof(answer)), 0);
    assert_true(write(fds[0], "GET /hello HTTP/1.1\r\n\r\n", 23) == 23);
    for (int i = 0; i < 5; i++)
        loop_run_once(f->loop, 5);
    assert_true(read(fds[0], answer, sizeof(answer)) > 0);
    close(extra);
    for (int i = 0; i < 64; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_get, setup, teardown),
        cmocka_unit_test_setup_teardown(test_local, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_connections, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
