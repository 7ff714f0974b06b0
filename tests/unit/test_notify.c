/* test_notify.c - what the service manager is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/notify.h"

struct manager {
    int fd;
    char dir[64];
    char path[96];
};

/* A manager's socket at PATH, "/..." or "@...". */
static int bind_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    return fd;
}

static void begin(struct manager *manager)
{
    snprintf(manager->dir, sizeof(manager->dir), "/tmp/weft-notify-XXXXXX");
    assert_non_null(mkdtemp(manager->dir));
    snprintf(manager->path, sizeof(manager->path), "%s/socket", manager->dir);
    manager->fd = bind_socket(manager->path);
    setenv("NOTIFY_SOCKET", manager->path, 1);
}

static void end(struct manager *manager)
{
    unsetenv("NOTIFY_SOCKET");
    close(manager->fd);
    unlink(manager->path);
    rmdir(manager->dir);
}

/* The next datagram is TEXT; NULL: there is none. */
static void expect(int fd, const char *text)
{
    char got[1024];
    ssize_t n = recv(fd, got, sizeof(got) - 1, 0);
    if (text == NULL) {
        assert_int_equal(n, -1);
        return;
    }
    assert_true(n >= 0);
    got[n] = '\0';
    assert_string_equal(got, text);
}

/* Each call is one datagram in the form of sd_notify(3). */
static void each_call_is_one_datagram(void **state)
{
    struct manager manager;
    (void)state;
    begin(&manager);
    notify_status("waiting for the control plane");
    expect(manager.fd, "STATUS=waiting for the control plane");
    notify_ready();
    expect(manager.fd, "READY=1\nSTATUS=ready");
    notify_stopping(35000);
    expect(manager.fd, "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=35000000");
    notify_stopping(0);
    expect(manager.fd, "STOPPING=1\nSTATUS=stopping");
    expect(manager.fd, NULL);
    end(&manager);
}

/* A socket may lie in the abstract name space, where the length of the name counts. */
static void abstract_names_work(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof(path), "@weft-notify-%ld", (long)getpid());
    int fd = bind_socket(path);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_ready();
    expect(fd, "READY=1\nSTATUS=ready");
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

/* Without a manager, or with an address that is none, nothing happens. */
static void no_manager_is_no_error(void **state)
{
    char much[256];
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    memset(much, 'x', sizeof(much) - 1);
    much[0] = '/';
    much[sizeof(much) - 1] = '\0';
    const char *const wrong[] = {"", "/", "relative", "/nonexistent/socket", much};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        notify_ready();
        notify_stopping(1);
    }
    unsetenv("NOTIFY_SOCKET");
}

/* A status that is too long is cut, and what follows is not lost. */
static void long_status_is_cut(void **state)
{
    struct manager manager;
    char text[2000], got[1024];
    (void)state;
    begin(&manager);
    memset(text, 's', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    notify_status(text);
    ssize_t n = recv(manager.fd, got, sizeof(got), 0);
    assert_in_range(n, 100, 511);
    assert_memory_equal(got, "STATUS=sss", 10);
    notify_ready();
    expect(manager.fd, "READY=1\nSTATUS=ready");
    end(&manager);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_one_datagram),
        cmocka_unit_test(abstract_names_work),
        cmocka_unit_test(no_manager_is_no_error),
        cmocka_unit_test(long_status_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
