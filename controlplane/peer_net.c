/* peer_net.c - see peer_net.h.
 *
 * A connection whose other side is gone without a word is found out by TCP's user timeout
 * within seconds: after a partition heals nobody waits for a retransmission that backed
 * off for minutes. */
#include "controlplane/peer_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USER_TIMEOUT_MS 4000
#define BACKLOG         64

/* "host:port" or "[host]:port" into its parts. */
static int split(const char *address, char host[256], char port[8], struct err *err)
{
    const char *colon = strrchr(address, ':');
    size_t host_len = colon == NULL ? 0 : (size_t)(colon - address);
    size_t port_len = colon == NULL ? 0 : strlen(colon + 1);
    const char *begin = address;

    if (host_len >= 2 && address[0] == '[' && address[host_len - 1] == ']') {
        begin++;
        host_len -= 2;
    } else if (memchr(address, ':', host_len) != NULL) {
        host_len = 256; /* an IPv6 address needs brackets */
    }
    if (host_len >= 256 || port_len == 0 || port_len >= 8 ||
        strspn(colon + 1, "0123456789") != port_len)
        return err_set(err, ERR_INVALID, "'%s' is not host:port", address);
    memcpy(host, begin, host_len);
    host[host_len] = '\0';
    memcpy(port, colon + 1, port_len + 1);
    return 0;
}

/* The one with number ATTEMPT of LIST, which is freed. */
static void choose(struct addrinfo *list, unsigned attempt, struct peer_sockaddr *found)
{
    unsigned count = 0;

    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        count++;
    const struct addrinfo *take = list;
    for (unsigned i = attempt % count; i > 0; i--)
        take = take->ai_next;
    memcpy(&found->address, take->ai_addr, take->ai_addrlen);
    found->len = take->ai_addrlen;
    freeaddrinfo(list);
}

int peer_query_start(const char *address, struct peer_sockaddr *found,
                     struct name_query **query, struct err *err)
{
    struct addrinfo *list = NULL;
    char host[256], port[8];
    int rc = split(address, host, port, err);

    *query = NULL;
    if (rc != 0)
        return rc;
    if (name_query_figures(host, port, 0, &list) == 0) {
        choose(list, 0, found);
        return 0;
    }
    *query = name_query_start(host, port, 0);
    return *query != NULL
               ? 0
               : err_set(err, ERR_OVERLOADED,
                         "look up %s: too many names are being looked up", address);
}

int peer_query_take(struct name_query *query, unsigned attempt,
                    struct peer_sockaddr *found, struct err *err)
{
    struct addrinfo *list = NULL;
    int rc = name_query_take(query, &list, err);

    name_query_free(query);
    if (rc != 0)
        return err_wrap(err, rc, "look up");
    choose(list, attempt, found);
    return 0;
}

static int look_up(const char *address, int flags, const struct name_wait *wait,
                   struct addrinfo **list, struct err *err)
{
    char host[256], port[8];
    int rc = split(address, host, port, err);

    if (rc == 0)
        rc = name_query_now(host, port, flags, wait, list, err);
    return rc == 0 ? 0 : err_wrap(err, rc, "look up");
}

int peer_resolve(const char *address, const struct name_wait *wait,
                 struct peer_sockaddr *found, struct err *err)
{
    struct addrinfo *list = NULL;
    int rc = look_up(address, 0, wait, &list, err);

    if (rc == 0)
        choose(list, 0, found);
    return rc;
}

static void set_options(int fd)
{
    int one = 1, timeout = USER_TIMEOUT_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

int peer_connect(const struct peer_sockaddr *to, int *fd, struct err *err)
{
    int made =
        socket(to->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (made < 0)
        return err_set_errno(err, errno, "socket");
    set_options(made);
    if (connect(made, (const struct sockaddr *)&to->address, to->len) != 0 &&
        errno != EINPROGRESS) {
        int rc = err_set_errno(err, errno, "connect");
        close(made);
        return rc;
    }
    *fd = made;
    return 0;
}

int peer_connected(int fd, struct err *err)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error == 0 ? 0 : err_set_errno(err, error, "connect");
}

static void print(const struct sockaddr_storage *address, socklen_t len,
                  char printed[PEER_ADDRESS_BYTES])
{
    char host[64] = "?", port[8] = "?";
    (void)getnameinfo((const struct sockaddr *)address, len, host, sizeof(host), port,
                      sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(printed, PEER_ADDRESS_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s",
                   host, port);
}

/* One address to listen on. */
static int listen_on(const struct addrinfo *a, int *fd)
{
    int one = 1;
    int made = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (made < 0)
        return -1;
    (void)setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(made, a->ai_addr, a->ai_addrlen) != 0 || listen(made, BACKLOG) != 0) {
        int saved = errno;
        close(made);
        errno = saved;
        return -1;
    }
    *fd = made;
    return 0;
}

int peer_listen(const char *address, int *fd, char printed[PEER_ADDRESS_BYTES],
                struct err *err)
{
    const struct name_wait wait = {.limit_ms = NAME_QUERY_START_MS};
    struct addrinfo *list = NULL;
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int made = -1;
    int rc = look_up(address, AI_PASSIVE, &wait, &list, err);

    if (rc != 0)
        return rc;
    for (const struct addrinfo *a = list; a != NULL && made < 0; a = a->ai_next) {
        if (listen_on(a, &made) != 0)
            rc = errno == EADDRINUSE
                     ? err_set(err, ERR_CONFLICT,
                               "listen for peers on %s: another process has the port",
                               address)
                     : err_set_errno(err, errno, "listen for peers on %s", address);
    }
    freeaddrinfo(list);
    if (made < 0)
        return rc;
    memset(&bound, 0, sizeof(bound));
    (void)getsockname(made, (struct sockaddr *)&bound, &len);
    print(&bound, len, printed);
    *fd = made;
    return 0;
}

int peer_accept(int listen_fd, char from[PEER_ADDRESS_BYTES])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    int fd = accept4(listen_fd, (struct sockaddr *)&address, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -1;
    set_options(fd);
    print(&address, len, from);
    return fd;
}
