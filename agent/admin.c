/* admin.c - one GET a connection, answered and closed. */
#include "agent/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/address.h"
#include "common/list.h"
#include "common/mem.h"

#define CONNECTIONS_MAX 64
#define HEAD_MAX        8192
#define BODY_MAX        (24 * MIB)
#define TIME_LIMIT_MS   10000

struct admin {
    struct loop *loop;
    int fd;
    struct loop_io io;
    admin_handler_fn *handler;
    void *arg;
    struct list conns;
    size_t conn_count;
};

struct admin_conn {
    struct list_node node;
    struct admin *admin;
    int fd;
    struct loop_io io;
    struct loop_timer timer;
    char head[HEAD_MAX + 1];
    size_t head_len;
    struct str out; /* once the head is whole */
    size_t out_pos;
};

static void conn_free(struct admin_conn *conn)
{
    list_remove(&conn->node);
    conn->admin->conn_count--;
    loop_io_fini(&conn->io);
    loop_timer_fini(&conn->timer);
    close(conn->fd);
    str_fini(&conn->out);
    mem_free(conn);
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    default:
        return "Service Unavailable";
    }
}

bool admin_is_local(const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (peer->ss_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

static bool is_local(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    return getpeername(fd, (struct sockaddr *)(void *)&peer, &len) == 0 &&
           admin_is_local(&peer);
}

/* Make the answer to the request in conn->head. */
static void respond(struct admin_conn *conn)
{
    char method[16], path[256], version[16];
    struct str body;
    int status;

    str_init(&body, BODY_MAX);
    if (sscanf(conn->head, "%15s %255s %15s", method, path, version) != 3 ||
        strncmp(version, "HTTP/1.", 7) != 0) {
        status = 400;
    } else if (strcmp(method, "GET") != 0) {
        status = 405;
    } else {
        path[strcspn(path, "?")] = '\0';
        status = conn->admin->handler(path, is_local(conn->fd), &body, conn->admin->arg);
    }
    if (body.len == 0)
        str_printf(&body, "%s\n", reason(status));
    str_printf(&conn->out,
               "HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4; "
               "charset=utf-8\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
               status, reason(status), body.len, status == 405 ? "Allow: GET\r\n" : "");
    str_append_slice(&conn->out, str_slice(&body));
    str_fini(&body);
}

/* True while the connection lives. */
static bool read_head(struct admin_conn *conn)
{
    ssize_t n = read(conn->fd, conn->head + conn->head_len, HEAD_MAX - conn->head_len);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    conn->head_len += (size_t)n;
    conn->head[conn->head_len] = '\0';
    if (strstr(conn->head, "\r\n\r\n") == NULL)
        return conn->head_len < HEAD_MAX;
    respond(conn);
    loop_io_want(&conn->io, LOOP_WRITE);
    return true;
}

static bool write_answer(struct admin_conn *conn)
{
    ssize_t n = send(conn->fd, conn->out.data + conn->out_pos,
                     conn->out.len - conn->out_pos, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    conn->out_pos += (size_t)n;
    return conn->out_pos < conn->out.len;
}

static void on_conn(struct loop_io *io, unsigned events, void *arg)
{
    struct admin_conn *conn = arg;
    (void)io, (void)events;
    bool lives = conn->out.len == 0 ? read_head(conn) : write_answer(conn);
    if (!lives)
        conn_free(conn);
}

static void on_time(struct loop_timer *timer, void *arg)
{
    (void)timer;
    conn_free(arg);
}

static void on_accept(struct loop_io *io, unsigned events, void *arg)
{
    struct admin *admin = arg;
    (void)io, (void)events;
    int fd = accept4(admin->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (admin->conn_count == CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    struct admin_conn *conn = mem_zalloc(sizeof(*conn));
    conn->admin = admin;
    conn->fd = fd;
    str_init(&conn->out, BODY_MAX + HEAD_MAX);
    list_push_back(&admin->conns, &conn->node);
    admin->conn_count++;
    loop_timer_init(&conn->timer, admin->loop, on_time, conn);
    loop_timer_set(&conn->timer, TIME_LIMIT_MS);
    loop_io_init(&conn->io, admin->loop, fd, on_conn, conn);
    loop_io_want(&conn->io, LOOP_READ);
}

int admin_new(struct loop *loop, const char *listen, admin_handler_fn *handler, void *arg,
              struct admin **out, struct err *err)
{
    struct address address;
    int fd;
    int rc = address_parse("admin-listen", listen, -1, &address, err);
    if (rc == 0)
        rc = address_listen("admin-listen", &address, &fd, err);
    if (rc != 0)
        return rc;
    struct admin *admin = mem_zalloc(sizeof(*admin));
    admin->loop = loop;
    admin->fd = fd;
    admin->handler = handler;
    admin->arg = arg;
    list_init(&admin->conns);
    loop_io_init(&admin->io, loop, fd, on_accept, admin);
    loop_io_want(&admin->io, LOOP_READ);
    *out = admin;
    return 0;
}

int admin_port(const struct admin *admin)
{
    return address_port(admin->fd);
}

void admin_free(struct admin *admin)
{
    struct list_node *node;

    if (admin == NULL)
        return;
    while ((node = list_first(&admin->conns)) != NULL)
        conn_free(CONTAINER_OF(node, struct admin_conn, node));
    loop_io_fini(&admin->io);
    close(admin->fd);
    mem_free(admin);
}
