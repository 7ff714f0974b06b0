/* address.c - parse, choose and bind addresses. */
#include "agent/address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/name_query.h"

#define BACKLOG 128

static int parse_port(const char *text, int *port)
{
    char *end;
    long v = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || v > 65535)
        return ERR_INVALID;
    *port = (int)v;
    return 0;
}

int address_parse(const char *name, const char *text, int default_port,
                  struct address *address, struct err *err)
{
    const char *host = text, *colon = strrchr(text, ':');
    size_t len;
    int port = default_port;

    if (text[0] == '[') {
        const char *bracket = strchr(text, ']');
        if (bracket == NULL || (bracket[1] != ':' && bracket[1] != '\0'))
            return err_set(err, ERR_INVALID, "%s: %.200s is not HOST:PORT", name, text);
        host = text + 1;
        len = (size_t)(bracket - host);
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
    } else {
        len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    }
    if (len >= sizeof(address->host) || memchr(host, ',', len) != NULL ||
        (colon == NULL ? port < 0 : parse_port(colon + 1, &port) != 0))
        return err_set(err, ERR_INVALID, "%s: %.200s is not HOST:PORT", name, text);
    memcpy(address->host, host, len);
    address->host[len] = '\0';
    address->port = port;
    return 0;
}

/* ---- what clients are told ---- */

static bool is_any(const char *host)
{
    return host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* The first interface's address that other machines could reach, IPv4 before IPv6. */
static void machine_address(char host[ADDRESS_HOST_MAX])
{
    struct ifaddrs *list = NULL;

    memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) != 0 || (i->ifa_flags & IFF_UP) == 0)
            continue;
        if (getnameinfo(i->ifa_addr, sizeof(struct sockaddr_in), host, ADDRESS_HOST_MAX,
                        NULL, 0, NI_NUMERICHOST) == 0)
            break;
    }
    freeifaddrs(list);
}

int address_advertised(const char *advertise, const char *listen, int port,
                       struct address *address, struct err *err)
{
    char first[ADDRESS_HOST_MAX + 16];
    const char *pod_ip = getenv("POD_IP");
    int rc;

    if (advertise != NULL && advertise[0] != '\0') {
        rc = address_parse("advertise", advertise, port, address, err);
        if (rc == 0 && (is_any(address->host) || address->port == 0))
            rc = err_set(err, ERR_INVALID,
                         "advertise: %.200s is not an address that clients can use",
                         advertise);
        return rc;
    }
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(listen, ","), listen);
    rc = address_parse("listen", first, -1, address, err);
    if (rc != 0)
        return rc;
    if (pod_ip != NULL && pod_ip[0] != '\0')
        snprintf(address->host, sizeof(address->host), "%s", pod_ip);
    else if (is_any(address->host))
        machine_address(address->host);
    address->port = port;
    return 0;
}

/* ---- listening ---- */

static int listen_on(const struct addrinfo *info, int *out)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int saved = errno;
        close(fd);
        return saved;
    }
    *out = fd;
    return 0;
}

int address_listen(const char *name, const struct address *address, int *fd,
                   struct err *err)
{
    const struct name_wait wait = {.limit_ms = NAME_QUERY_START_MS};
    struct addrinfo *info = NULL;
    char port[16];

    snprintf(port, sizeof(port), "%d", address->port);
    int rc = name_query_now(address->host, port, AI_PASSIVE, &wait, &info, err);
    if (rc != 0)
        return err_wrap(err, rc, "%s", name);
    rc = listen_on(info, fd);
    freeaddrinfo(info);
    if (rc != 0)
        return err_set_errno(err, rc, "%s: cannot listen on %s:%d", name, address->host,
                             address->port);
    return 0;
}

int address_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    char port[16];
    int value = 0;

    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
        getnameinfo((struct sockaddr *)&bound, len, NULL, 0, port, sizeof(port),
                    NI_NUMERICSERV) != 0 ||
        parse_port(port, &value) != 0)
        return 0;
    return value;
}
