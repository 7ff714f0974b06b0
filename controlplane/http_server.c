/* http_server.c - the shell over libmicrohttpd: one daemon with a few epoll threads.
 *
 * libmicrohttpd calls on_access once when the head is in, once for each piece of the
 * body, and then again and again until a response is queued; a suspended connection is
 * left alone until it is resumed. A response can be queued at the first call (the
 * connection then closes if a body follows) or after the body, not between: so what is
 * found wrong while a body arrives is told after the rest was read and dropped, and a
 * client that goes on for too long is cut off.
 *
 * A client certificate is required and verified in the handshake (http_tls.c):
 * libmicrohttpd by itself only asks for one.
 *
 * Who writes what: an exchange's fields only ever change on the server's thread, also
 * those of a parked one; resuming touches nothing but libmicrohttpd's own state. */
#include "controlplane/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <microhttpd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/list.h"
#include "common/log.h"
#include "common/name_query.h"
#include "controlplane/http_tls.h"
#include "controlplane/newcomers.h"

#define HEAD_BYTES_MAX (32 * KIB) /* request line and headers; also the read buffer */
#define LISTEN_BACKLOG 1024
#define HEADERS_MAX    8
/* A refused body up to this size is read and dropped, so that the client sees the answer
 * and the connection lives on; a larger one ends the connection. */
#define DRAIN_BYTES_MAX  (256 * KIB)
#define STOP_PATIENCE_MS 2000
/* From connecting to the first request's head. libmicrohttpd polls a handshake that
 * stands still (http_tls.h says how often), as long as it may stand. */
#define FIRST_REQUEST_MS 8000
/* So many may have connected and asked nothing yet: of all, and which part of one
 * address. */
#define NEWCOMERS_MAX       512
#define NEWCOMERS_EACH_PART 4
/* Whoever downloads a file slower than this, in bytes a millisecond, is cut off. */
#define FILE_BYTES_MS_MIN 64

struct http_server {
    char name[16];
    struct MHD_Daemon *daemon;
    const struct http_server_ops *ops;
    void *arg;
    size_t max_body_bytes;
    int64_t request_timeout_ms, idle_timeout_ms;
    struct budget *budget;
    char *client_ca_pem; /* NULL: no client certificates */
    struct http_tls *tls;
    uint16_t port;
    int quiesced_fd;
    struct newcomers *newcomers;
    atomic_bool draining;
    atomic_uint_fast64_t connections, accepted, parked;
    atomic_uint_fast64_t exchanges; /* not ended */
    pthread_mutex_t lock;           /* of peers, for http_server_reap's sake alone */
    struct list peers;
};

/* A connection's context in libmicrohttpd; belongs to the connection's thread. */
struct peer {
    struct list_node node; /* in server->peers */
    int fd;
    /* When it was accepted, or its last request began or ended; and which of them. */
    _Atomic int64_t since_ms;
    _Atomic int64_t file_ms; /* that the answer, a file, may take besides */
    atomic_bool busy, asked; /* asked: the head of a request was in, once */
    struct newcomers_place place;
    struct http_tls_wire wire;
    char address[INET6_ADDRSTRLEN];
    bool identified;
    struct http_tls_client client;
};

/* EXCHANGE_HEAD --on_access--> BODY --last piece--> RUNNING --reply--> REPLIED --> QUEUED
 *                                |                   |    ^
 *                                +-- refused --> REPLIED  |
 *                                                  PARKED-+  (resume) */
enum exchange_state {
    EXCHANGE_HEAD,
    EXCHANGE_BODY,
    EXCHANGE_RUNNING,
    EXCHANGE_PARKED,
    EXCHANGE_REPLIED,
    EXCHANGE_QUEUED,
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum exchange_state state;
    char *method, *path;
    bool has_body;
    size_t max_body_bytes;
    size_t dropped_bytes; /* of a refused body */
    struct str body;
    size_t charged_bytes; /* from the budget */
    int64_t started_us;
    void *user;
    /* the reply */
    int status;
    const char *content_type;
    struct str reply;
    int file; /* the reply is this file instead; -1: none */
    uint64_t file_bytes;
    struct {
        const char *name;
        char *value;
    } headers[HEADERS_MAX];
    size_t header_count;
};

/* --- connections --- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void print_address(struct MHD_Connection *connection, char *text, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    text[0] = '\0';
    if (info == NULL || info->client_addr == NULL)
        return;
    if (getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                             : sizeof(struct sockaddr_in),
                    text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        text[0] = '\0';
}

static void touch_peer(struct peer *peer, bool busy)
{
    atomic_store(&peer->busy, busy);
    atomic_store(&peer->file_ms, 0);
    atomic_store(&peer->since_ms, clock_monotonic_ms());
}

static struct peer *add_peer(struct http_server *server,
                             struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct peer *peer = mem_zalloc(sizeof(*peer));
    ASSERT(info != NULL);
    peer->fd = info->connect_fd;
    touch_peer(peer, false);
    print_address(connection, peer->address, sizeof(peer->address));
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    peer->place = newcomers_place_of(info == NULL ? NULL : info->client_addr);
    newcomers_enter(server->newcomers, &peer->place);
    atomic_fetch_add(&server->connections, 1);
    atomic_fetch_add(&server->accepted, 1);
    pthread_mutex_lock(&server->lock);
    list_push_back(&server->peers, &peer->node);
    pthread_mutex_unlock(&server->lock);
    return peer;
}

/* It has asked nothing: it gave up, or was idle until it was cut off. */
static void leave_unasked(struct http_server *server, const struct peer *peer)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t stayed_ms = now_ms - atomic_load(&peer->since_ms);
    if (stayed_ms > FIRST_REQUEST_MS)
        newcomers_expel(server->newcomers, &peer->place);
    else
        newcomers_leave(server->newcomers, &peer->place, stayed_ms, now_ms);
}

/* Called before the descriptor is closed: so what is in the list is open. */
static void forget_peer(struct http_server *server, struct peer *peer)
{
    pthread_mutex_lock(&server->lock);
    list_remove(&peer->node);
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_sub(&server->connections, 1);
    if (!atomic_load(&peer->asked))
        leave_unasked(server, peer);
    mem_free(peer);
}

/* Before a connection is made of what was accepted: otherwise it is closed. */
static enum MHD_Result on_accept(void *arg, const struct sockaddr *address, socklen_t len)
{
    struct http_server *server = arg;
    struct newcomers_place place = newcomers_place_of(address);
    (void)len;
    return newcomers_admit(server->newcomers, &place, clock_monotonic_ms()) ? MHD_YES
                                                                            : MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        forget_peer(server, *context);
        *context = NULL;
        return;
    }
    http_tls_serve(server->tls);
    struct peer *peer = add_peer(server, connection);
    *context = peer;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    ASSERT(info != NULL && info->tls_session != NULL);
    peer->wire = (struct http_tls_wire){.fd = peer->fd, .ready = &peer->asked};
    http_tls_read_from(info->tls_session, &peer->wire);
    if (server->client_ca_pem != NULL)
        http_tls_require_client(info->tls_session);
}

/* Who is it? The handshake has verified the certificate; read it once. */
static void identify(struct MHD_Connection *connection, struct peer *peer)
{
    peer->identified = true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL && info->tls_session != NULL)
        http_tls_identify(info->tls_session, &peer->client);
}

/* --- exchanges --- */

static struct http_exchange *exchange_new(struct http_server *server,
                                          struct MHD_Connection *connection,
                                          const char *method, const char *path)
{
    struct http_exchange *x = mem_zalloc(sizeof(*x));
    x->file = -1;
    x->server = server;
    x->connection = connection;
    x->peer = peer_of(connection);
    ASSERT(x->peer != NULL);
    if (server->client_ca_pem != NULL && !x->peer->identified)
        identify(connection, x->peer);
    x->method = mem_strdup(method);
    x->path = mem_strdup(path);
    x->max_body_bytes = server->max_body_bytes;
    str_init(&x->body, server->max_body_bytes);
    str_init(&x->reply, 0);
    x->started_us = clock_monotonic_us();
    atomic_fetch_add(&server->exchanges, 1);
    int64_t since_ms = atomic_load(&x->peer->since_ms);
    touch_peer(x->peer, true);
    int64_t now_ms = atomic_load(&x->peer->since_ms);
    if (!atomic_exchange(&x->peer->asked, true))
        newcomers_leave(server->newcomers, &x->peer->place, now_ms - since_ms, now_ms);
    return x;
}

static void exchange_free(struct http_exchange *x)
{
    if (x->charged_bytes > 0)
        budget_give(x->server->budget, x->charged_bytes);
    for (size_t i = 0; i < x->header_count; i++)
        mem_free(x->headers[i].value);
    str_fini(&x->body);
    str_fini(&x->reply);
    if (x->file >= 0)
        close(x->file);
    mem_free(x->method);
    mem_free(x->path);
    mem_free(x);
}

/* Our own refusals, where no handler has a say; problem details all the same. */
static void refuse(struct http_exchange *x, int code, const char *detail)
{
    struct str body;
    str_init(&body, 4 * KIB);
    str_printf(&body,
               "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
               "\"detail\":\"%s\",\"code\":\"%s\"}",
               err_text(code), err_http_status(code), detail, err_name(code));
    if (err_retriable(code))
        http_exchange_add_header(x, "Retry-After", "1");
    http_exchange_reply(x, err_http_status(code), "application/problem+json", &body);
}

static struct MHD_Response *make_response(struct http_exchange *x)
{
    if (x->file >= 0) {
        int file = x->file;
        x->file = -1; /* libmicrohttpd closes it */
        return MHD_create_response_from_fd64(x->file_bytes, file);
    }
    size_t len = x->reply.len;
    char *bytes = str_take(&x->reply);
    return MHD_create_response_from_buffer(
        len, bytes, bytes == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result queue(struct http_exchange *x)
{
    ASSERT(x->state == EXCHANGE_REPLIED);
    struct MHD_Response *response = make_response(x);
    ASSERT(response != NULL);
    if (x->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", x->content_type);
    for (size_t i = 0; i < x->header_count; i++)
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    enum MHD_Result result =
        MHD_queue_response(x->connection, (unsigned)x->status, response);
    MHD_destroy_response(response);
    x->state = EXCHANGE_QUEUED;
    return result;
}

/* The bytes that the head announces; -1: chunked, of unknown length. */
static int64_t announced_bytes(const struct http_exchange *x)
{
    const char *length = http_exchange_header(x, "Content-Length");
    if (length != NULL) {
        unsigned long long n = strtoull(length, NULL, 10);
        return n > INT64_MAX ? INT64_MAX : (int64_t)n;
    }
    return http_exchange_header(x, "Transfer-Encoding") != NULL ? -1 : 0;
}

#define TOO_LARGE_DETAIL "the body is over the limit for this call; send less"

/* The context of a request whose URI holds an encoded NUL: libmicrohttpd decodes path and
 * query to C strings, and what stood behind it would be ignored. */
static char nul_in_uri;

static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)arg, (void)connection;
    return strstr(uri, "%00") != NULL ? &nul_in_uri : NULL;
}

static enum MHD_Result on_head(struct http_exchange *x, bool has_nul)
{
    struct http_server *server = x->server;
    int64_t announced = announced_bytes(x);

    x->has_body = announced != 0;
    if (has_nul) {
        refuse(x, ERR_MALFORMED, "the URI holds %00; no name has that byte");
    } else if (atomic_load(&server->draining)) {
        refuse(x, ERR_UNAVAILABLE, "this node is stopping; try another one, or again");
    } else {
        server->ops->on_head(x, server->arg);
        if (x->state == EXCHANGE_HEAD && announced > (int64_t)x->max_body_bytes)
            refuse(x, ERR_TOO_LARGE, TOO_LARGE_DETAIL);
    }
    if (x->state != EXCHANGE_REPLIED) {
        x->state = EXCHANGE_BODY;
        return MHD_YES;
    }
    /* Queued now, it ends the connection; later, when a small body has been dropped, the
     * connection lives on. */
    if (announced >= 0 && announced <= (int64_t)DRAIN_BYTES_MAX)
        return MHD_YES;
    return queue(x);
}

static enum MHD_Result on_piece(struct http_exchange *x, const char *piece, size_t len)
{
    struct http_server *server = x->server;
    int64_t deadline_us = x->started_us + server->request_timeout_ms * 1000;

    if (clock_monotonic_us() > deadline_us)
        return MHD_NO;
    if (x->state == EXCHANGE_REPLIED) {
        x->dropped_bytes += len;
        return x->dropped_bytes <= DRAIN_BYTES_MAX ? MHD_YES : MHD_NO;
    }
    ASSERT(x->state == EXCHANGE_BODY);
    if (x->body.len + len > x->max_body_bytes) {
        refuse(x, ERR_TOO_LARGE, TOO_LARGE_DETAIL);
        return MHD_YES;
    }
    if (!budget_take(server->budget, len)) {
        refuse(x, ERR_OVERLOADED, "too many requests are being received; try again");
        return MHD_YES;
    }
    x->charged_bytes += len;
    str_append(&x->body, piece, len);
    ASSERT(!x->body.overflowed);
    return MHD_YES;
}

/* The access handler: see the head of this file. */
static enum MHD_Result on_access(void *arg, struct MHD_Connection *connection,
                                 const char *path, const char *method,
                                 const char *version, const char *piece,
                                 size_t *piece_len, void **context)
{
    struct http_server *server = arg;
    struct http_exchange *x = *context;
    (void)version;

    if (x == NULL || *context == &nul_in_uri) {
        bool has_nul = x != NULL;
        x = exchange_new(server, connection, method, path);
        *context = x;
        return on_head(x, has_nul);
    }
    if (*piece_len > 0) {
        size_t len = *piece_len;
        *piece_len = 0;
        return on_piece(x, piece, len);
    }
    if (x->state == EXCHANGE_BODY) {
        x->state = EXCHANGE_RUNNING;
        server->ops->on_request(x, server->arg);
    } else if (x->state == EXCHANGE_PARKED) {
        x->state = EXCHANGE_RUNNING;
        server->ops->on_resume(x, server->arg);
    }
    if (x->state == EXCHANGE_PARKED)
        return MHD_YES;
    return queue(x);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct http_server *server = arg;
    struct http_exchange *x = *context;
    (void)connection, (void)why;
    if (x == NULL || *context == &nul_in_uri)
        return;
    *context = NULL;
    touch_peer(x->peer, false);
    server->ops->on_end(x, server->arg);
    exchange_free(x);
    atomic_fetch_sub(&server->exchanges, 1);
}

const char *http_exchange_method(const struct http_exchange *x)
{
    return x->method;
}

const char *http_exchange_path(const struct http_exchange *x)
{
    return x->path;
}

const char *http_exchange_header(const struct http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *http_exchange_query(const struct http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct slice http_exchange_body(const struct http_exchange *x)
{
    return slice_of(str_cstr(&x->body), x->body.len);
}

bool http_exchange_has_body(const struct http_exchange *x)
{
    return x->has_body;
}

void http_exchange_limit_body(struct http_exchange *x, size_t max_bytes)
{
    ASSERT(x->state == EXCHANGE_HEAD);
    x->max_body_bytes = MIN(max_bytes, x->server->max_body_bytes);
}

const char *http_exchange_peer(const struct http_exchange *x)
{
    return x->peer->address;
}

const char *http_exchange_peer_uri(const struct http_exchange *x)
{
    return x->peer->client.uri;
}

int64_t http_exchange_peer_not_after_ms(const struct http_exchange *x)
{
    return x->peer->client.not_after_ms;
}

const char *http_exchange_peer_authority(const struct http_exchange *x)
{
    return x->peer->client.authority;
}

int64_t http_exchange_started_us(const struct http_exchange *x)
{
    return x->started_us;
}

void http_exchange_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_exchange_user(const struct http_exchange *x)
{
    return x->user;
}

void http_exchange_add_header(struct http_exchange *x, const char *name,
                              const char *value)
{
    ASSERT(x->header_count < HEADERS_MAX);
    x->headers[x->header_count].name = name;
    x->headers[x->header_count].value = mem_strdup(value);
    x->header_count++;
}

void http_exchange_reply(struct http_exchange *x, int status, const char *content_type,
                         struct str *body)
{
    ASSERT(x->state == EXCHANGE_HEAD || x->state == EXCHANGE_BODY ||
           x->state == EXCHANGE_RUNNING);
    ASSERT(!body->overflowed);
    x->status = status;
    x->content_type = content_type;
    x->reply = *body;
    str_init(body, 0);
    x->state = EXCHANGE_REPLIED;
}

void http_exchange_reply_file(struct http_exchange *x, const char *content_type, int file,
                              uint64_t bytes)
{
    struct str none;

    str_init(&none, 0);
    http_exchange_reply(x, 200, content_type, &none);
    x->file = file;
    x->file_bytes = bytes;
    atomic_store(&x->peer->file_ms, (int64_t)(bytes / FILE_BYTES_MS_MIN));
}

bool http_exchange_replied(const struct http_exchange *x)
{
    return x->state == EXCHANGE_REPLIED || x->state == EXCHANGE_QUEUED;
}

bool http_exchange_parked(const struct http_exchange *x)
{
    return x->state == EXCHANGE_PARKED;
}

int http_exchange_status(const struct http_exchange *x)
{
    return x->status;
}

void http_exchange_park(struct http_exchange *x)
{
    ASSERT(x->state == EXCHANGE_RUNNING);
    x->state = EXCHANGE_PARKED;
    atomic_fetch_add(&x->server->parked, 1);
    MHD_suspend_connection(x->connection);
}

void http_exchange_resume(struct http_exchange *x)
{
    struct http_server *server = x->server;
    MHD_resume_connection(x->connection);
    atomic_fetch_sub(&server->parked, 1); /* last: http_server_stop waits for it */
}

/* --- the server --- */

/* Split "HOST:PORT"; an empty host means all addresses. */
static int split_address(const char *text, char *host, size_t host_size,
                         const char **port, struct err *err)
{
    const char *colon = strrchr(text, ':');
    const char *end = colon;
    if (colon == NULL || colon[1] == '\0')
        return err_set(err, ERR_INVALID, "listen address \"%s\": want HOST:PORT", text);
    if (text[0] == '[') {
        text++;
        end = colon - 1;
        if (end < text || *end != ']')
            return err_set(err, ERR_INVALID, "listen address: want [IPV6]:PORT");
    }
    if ((size_t)(end - text) >= host_size)
        return err_set(err, ERR_INVALID, "listen address: the host name is too long");
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
    *port = colon + 1;
    return 0;
}

static int bind_first(const struct addrinfo *found, const char *listen_text,
                      struct err *err)
{
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "socket for %s", listen_text), -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    /* Connections inherit it. libmicrohttpd sets it after the handshake only, whose
     * flights would wait 40 ms for the client's delayed acknowledgement. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(fd, LISTEN_BACKLOG) != 0) {
        err_set_errno(err, errno, "listen on %s", listen_text);
        close(fd);
        return -1;
    }
    return fd;
}

static int listen_on(const char *text, int *fd, uint16_t *port, struct err *err)
{
    const struct name_wait wait = {.limit_ms = NAME_QUERY_START_MS};
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof(bound);
    char host[256];
    const char *service = NULL;

    int code = split_address(text, host, sizeof(host), &service, err);
    if (code != 0)
        return code;
    code = name_query_now(host, service, AI_PASSIVE, &wait, &found, err);
    if (code != 0) {
        err_wrap(err, code, "listen on %s", text);
        return code == ERR_CANCELLED ? code : ERR_INVALID; /* whatever the servers say */
    }
    *fd = bind_first(found, text, err);
    freeaddrinfo(found);
    if (*fd < 0)
        return ERR_IO;
    if (getsockname(*fd, (struct sockaddr *)(void *)&bound, &bound_len) != 0) {
        close(*fd);
        return err_set_errno(err, errno, "getsockname");
    }
    *port = ntohs(bound.ss_family == AF_INET6
                      ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                      : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return 0;
}

static void on_mhd_log(void *arg, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
static void on_mhd_log(void *arg, const char *fmt, va_list args)
{
    const struct http_server *server = arg;
    char text[256];
    if (!log_enabled(LOG_DEBUG))
        return;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", "from the http library", "listener=%s text=%s", server->name,
              LOG_QUOTED(text));
}

static struct MHD_Daemon *start_daemon(struct http_server *server,
                                       const struct http_server_options *options, int fd)
{
    struct MHD_OptionItem with_clients[] = {
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, server->client_ca_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem *more = with_clients;
    gnutls_certificate_retrieve_function2 *callback =
        (gnutls_certificate_retrieve_function2 *)http_tls_certificate_callback();
    if (server->client_ca_pem == NULL)
        more++;
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                                MHD_USE_TLS | MHD_USE_ERROR_LOG,
                            0, on_accept, server, on_access, server,        /**/
                            MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, server, /**/
                            MHD_OPTION_LISTEN_SOCKET, fd,                   /**/
                            MHD_OPTION_THREAD_POOL_SIZE,
                            options->threads < 2 ? 0 : options->threads,           /**/
                            MHD_OPTION_CONNECTION_LIMIT, options->max_connections, /**/
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES_MAX,    /**/
                            MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)((options->idle_timeout_ms + 999) / 1000),
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,                     /**/
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                /**/
                            MHD_OPTION_HTTPS_PRIORITIES, HTTP_TLS_PRIORITIES,    /**/
                            MHD_OPTION_HTTPS_CERT_CALLBACK, callback,            /**/
                            MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,           /**/
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, /**/
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,   /**/
                            MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static char *copy_pem(struct slice pem)
{
    char *text = mem_alloc(pem.len + 1);
    memcpy(text, pem.ptr, pem.len);
    text[pem.len] = '\0';
    return text;
}

int http_server_start(const struct http_server_options *options, struct http_server **out,
                      struct err *err)
{
    struct http_server *server = mem_zalloc(sizeof(*server));
    int fd = -1;

    snprintf(server->name, sizeof(server->name), "%s", options->name);
    server->ops = options->ops;
    server->arg = options->arg;
    server->max_body_bytes = options->max_body_bytes;
    server->request_timeout_ms = options->request_timeout_ms;
    server->idle_timeout_ms = options->idle_timeout_ms;
    pthread_mutex_init(&server->lock, NULL);
    list_init(&server->peers);
    server->budget = options->budget;
    server->quiesced_fd = -1;
    server->newcomers = options->newcomers_max != 0
                            ? newcomers_new(options->newcomers_max, 1)
                            : newcomers_new(NEWCOMERS_MAX, NEWCOMERS_EACH_PART);
    if (options->client_ca_pem.ptr != NULL)
        server->client_ca_pem = copy_pem(options->client_ca_pem);
    int code = http_tls_new(server->name, options->cert_pem, options->key_pem,
                            &server->tls, err);
    if (code == 0 && server->client_ca_pem != NULL)
        code = http_tls_set_client_ca(server->tls, slice_str(server->client_ca_pem), err);
    if (code != 0)
        goto out;
    code = listen_on(options->listen, &fd, &server->port, err);
    if (code != 0)
        goto out;
    server->daemon = start_daemon(server, options, fd);
    if (server->daemon == NULL) {
        close(fd);
        code = err_set(err, ERR_IO, "start the %s listener: see the debug log",
                       options->name);
    }
out:
    if (code != 0) {
        http_tls_free(server->tls);
        newcomers_free(server->newcomers);
        pthread_mutex_destroy(&server->lock);
        mem_free(server->client_ca_pem);
        mem_free(server);
        return code;
    }
    *out = server;
    return 0;
}

int http_server_set_certificate(struct http_server *server, struct slice cert_pem,
                                struct slice key_pem, struct err *err)
{
    return http_tls_set_certificate(server->tls, cert_pem, key_pem, err);
}

int http_server_set_client_ca(struct http_server *server, struct slice ca_pem,
                              struct err *err)
{
    return http_tls_set_client_ca(server->tls, ca_pem, err);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_reap(struct http_server *server, int64_t now_ms)
{
    int64_t idle_ms = server->idle_timeout_ms + server->request_timeout_ms;
    size_t count = 0;

    pthread_mutex_lock(&server->lock);
    LIST_FOREACH(node, next, &server->peers)
    {
        struct peer *peer = CONTAINER_OF(node, struct peer, node);
        int64_t limit_ms =
            atomic_load(&peer->asked) ? idle_ms : MIN(idle_ms, FIRST_REQUEST_MS);
        if (atomic_load(&peer->busy))
            limit_ms += HTTP_SERVER_PARK_MAX_MS + atomic_load(&peer->file_ms);
        if (now_ms - atomic_load(&peer->since_ms) <= limit_ms)
            continue;
        /* Its thread sees the end of it and closes it. */
        shutdown(peer->fd, SHUT_RDWR);
        count++;
    }
    pthread_mutex_unlock(&server->lock);
    return count;
}

void http_server_quiesce(struct http_server *server)
{
    if (atomic_exchange(&server->draining, true))
        return;
    server->quiesced_fd = MHD_quiesce_daemon(server->daemon);
}

void http_server_stop(struct http_server *server)
{
    http_server_quiesce(server);
    while (atomic_load(&server->parked) > 0)
        usleep(1000);
    /* Those just resumed are being answered; slow clients are not waited for long. */
    int64_t deadline_ms = clock_monotonic_ms() + STOP_PATIENCE_MS;
    while (atomic_load(&server->exchanges) > 0 && clock_monotonic_ms() < deadline_ms)
        usleep(1000);
    MHD_stop_daemon(server->daemon);
    if (server->quiesced_fd >= 0)
        close(server->quiesced_fd);
    http_tls_free(server->tls);
    newcomers_free(server->newcomers);
    pthread_mutex_destroy(&server->lock);
    mem_free(server->client_ca_pem);
    mem_free(server);
}

void http_server_counters(const struct http_server *server,
                          struct http_server_counters *counters)
{
    counters->connections = atomic_load(&server->connections);
    counters->accepted = atomic_load(&server->accepted);
    counters->handshakes_refused = http_tls_refused(server->tls);
    counters->turned_away = newcomers_turned_away(server->newcomers);
    counters->parked = atomic_load(&server->parked);
}
