/* test_client_thread.c - the whole front with real threads and TCP connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "agent/listener.h"
#include "common/clock.h"
#include "common/cursor.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

#define PATIENCE_MS 10000

/* The core's loop runs in the test's thread: whoever waits turns it. */
static struct loop *loop;
static struct fake_core *fake;
static struct budget budget;
static struct front *front;

static struct front_options make_options(size_t threads)
{
    struct front_options options = front_defaults;
    options.listen = "127.0.0.1:0";
    options.threads = threads;
    options.core = fake_core_as_core(fake);
    options.meta = fake_core_meta(fake);
    options.budget = &budget;
    return options;
}

static void begin(size_t threads, size_t max_connections)
{
    struct err err;
    loop = loop_new();
    fake = fake_core_new(loop);
    fake_core_add_agent(fake, 1, "a");
    fake_core_add_topic(fake, "t", 1, "{}");
    budget_init(&budget, 64 * MIB);
    struct front_options options = make_options(threads);
    options.max_connections = max_connections;
    assert_int_equal(front_new(&options, &front, &err), 0);
    assert_int_equal(front_start(front, &err), 0);
    assert_true(front_port(front, 0) > 0);
    assert_int_equal(front_port(front, 1), 0);
}

static void end(void)
{
    front_stop(front);
    assert_true(front_idle(front));
    front_free(front);
    loop_run_once(loop, 0);
    fake_core_free(fake);
    loop_free(loop);
    assert_int_equal(budget_used(&budget), 0);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)front_port(front, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* LEN bytes while the core runs; 0 when the connection is closed instead. */
static size_t receive(int fd, void *bytes, size_t len)
{
    size_t got = 0;
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (got < len) {
        ssize_t n = recv(fd, (char *)bytes + got, len - got, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
        if (n > 0)
            got += (size_t)n;
        else
            loop_run_once(loop, 1);
        assert_true(clock_monotonic_ms() < until);
    }
    return got;
}

/* Metadata v1 of "t": goes through the view; Produce goes through the core. */
static const char metadata[] =
    "\0\0\0\x11\0\x03\0\x01\0\0\0\x05\xff\xff\0\0\0\x01\0\x01t";

static int32_t ask_metadata(int fd)
{
    uint8_t head[8], rest[4096];
    assert_int_equal(send(fd, metadata, sizeof(metadata) - 1, MSG_NOSIGNAL),
                     sizeof(metadata) - 1);
    if (receive(fd, head, sizeof(head)) == 0)
        return -1;
    size_t len = be32_get(head) - 4;
    assert_true(len < sizeof(rest));
    assert_int_equal(receive(fd, rest, len), len);
    return (int32_t)be32_get(head + 4);
}

/* Many connections over several threads are all served, and spread evenly. */
static void connections_are_spread(void **state)
{
    int fds[60];

    (void)state;
    begin(3, 1000);
    for (size_t i = 0; i < 60; i++)
        fds[i] = dial();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 60; i++)
            assert_int_equal(ask_metadata(fds[i]), 5);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(atomic_load(&front->threads[i].conn_count), 20);
    for (size_t i = 0; i < 60; i++)
        close(fds[i]);
    end();
}

/* Above the limit a connection is closed at once; when one goes, another may come. */
static void the_limit_of_connections_holds(void **state)
{
    int fds[4];
    char byte;

    (void)state;
    begin(2, 3);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = dial();
        assert_int_equal(ask_metadata(fds[i]), 5);
    }
    fds[3] = dial();
    assert_int_equal(receive(fds[3], &byte, 1), 0);
    close(fds[3]);
    close(fds[0]);
    while (atomic_load(&front->connections) == 3)
        loop_run_once(loop, 1);
    fds[0] = dial();
    assert_int_equal(ask_metadata(fds[0]), 5);
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
    end();
}

/* Draining closes the door; stopping waits for what the core still has. */
static void stopping_waits_for_the_core(void **state)
{
    (void)state;
    begin(2, 100);
    int fd = dial();
    assert_int_equal(ask_metadata(fd), 5);
    front_drain(front);
    char byte;
    assert_int_equal(receive(fd, &byte, 1), 0);
    close(fd);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)front_port(front, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
        close(fd); /* the listener closes in its own time */
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    end();
}

static void assert_no_listener(const char *listen, const char *what)
{
    struct err err;
    struct front_options options = make_options(1);
    options.listen = listen;
    assert_int_equal(front_new(&options, &front, &err), 0);
    assert_int_not_equal(front_start(front, &err), 0);
    assert_non_null(strstr(err.text, what));
    front_free(front);
}

/* An address that cannot be bound is an error that names it; nothing runs then. */
static void bad_addresses_are_errors(void **state)
{
    (void)state;
    loop = loop_new();
    fake = fake_core_new(loop);
    assert_no_listener("nonsense", "\"nonsense\" is not HOST:PORT");
    assert_no_listener("127.0.0.1:", "is not HOST:PORT");
    assert_no_listener("", "no address");
    assert_no_listener("127.0.0.1:0,203.0.113.7:9", "203.0.113.7:9");
    assert_no_listener("127.0.0.1:http", "127.0.0.1:http");
    fake_core_free(fake);
    loop_free(loop);
}

/* Several addresses are listened on, IPv6 in brackets among them. */
static void several_addresses(void **state)
{
    struct err err;

    (void)state;
    loop = loop_new();
    fake = fake_core_new(loop);
    budget_init(&budget, MIB);
    struct front_options options = make_options(1);
    options.listen = "127.0.0.1:0, [::1]:0";
    assert_int_equal(front_new(&options, &front, &err), 0);
    int rc = front_start(front, &err);
    if (rc != 0) { /* a machine without IPv6 */
        assert_non_null(strstr(err.text, "[::1]:0"));
        front_free(front);
    } else {
        assert_true(front_port(front, 1) > 0);
        front_stop(front);
        front_free(front);
    }
    fake_core_free(fake);
    loop_free(loop);
}

/* Options out of range are refused with their names. */
static void options_are_checked(void **state)
{
    struct err err;
    struct front_options options = front_defaults;

    (void)state;
    options.max_request_bytes = 1;
    assert_int_equal(front_new(&options, &front, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "max-request-bytes"));
    options = front_defaults;
    options.zone_cidr = "x";
    assert_int_equal(front_new(&options, &front, &err), ERR_INVALID);
    options = front_defaults;
    options.threads = 100000;
    assert_int_equal(front_new(&options, &front, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "client-threads"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_spread),
        cmocka_unit_test(the_limit_of_connections_holds),
        cmocka_unit_test(stopping_waits_for_the_core),
        cmocka_unit_test(bad_addresses_are_errors),
        cmocka_unit_test(several_addresses),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
