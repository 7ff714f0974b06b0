/* http_server.h - HTTPS in: connections, bodies, parked requests; the only door to
 * libmicrohttpd and GnuTLS.
 *
 * A server has a few threads of its own, which call the ops below. A request is a struct
 * http_exchange; every one gets exactly one reply. A handler either replies before it
 * returns, or parks the exchange, hands it to another thread, and returns: the connection
 * then costs no thread until http_exchange_resume. So JSON is read and printed on the
 * server's threads, and whoever owns the state only looks at it.
 *
 * Bounds (I12): connections, head and body bytes per request, body bytes of all requests
 * together (a budget), time without progress, time until a body is complete. */
#ifndef CONTROLPLANE_HTTP_SERVER_H
#define CONTROLPLANE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/str.h"

struct http_server;
struct http_exchange;

/* All are called on one of the server's threads; those of one exchange never at once. */
struct http_server_ops {
    /* The head is in, the body is not: reply to refuse it unread, or return. */
    void (*on_head)(struct http_exchange *x, void *arg);
    /* The whole body is in: reply, or park. Not called after a reply in on_head. */
    void (*on_request)(struct http_exchange *x, void *arg);
    /* After http_exchange_resume: reply, or park again. Not called when the connection
     * was lost meanwhile. */
    void (*on_resume)(struct http_exchange *x, void *arg);
    /* The last call for X, whatever became of it: free what hangs on it. */
    void (*on_end)(struct http_exchange *x, void *arg);
};

struct http_server_options {
    const char *name; /* for logs: "agents" */
    const char
        *listen; /* "HOST:PORT", "[::]:PORT", ":PORT" (all); port 0: any free one */
    unsigned threads;
    unsigned max_connections;
    /* Tests: so many may have connected and asked nothing yet; 0: 512, of one address a
     * quarter, fewer when it is slow (newcomers.h). Others are closed at once: they are
     * to come again. */
    unsigned newcomers_max;
    size_t max_body_bytes;
    struct budget *budget;          /* body bytes of all requests; may be shared */
    int64_t idle_timeout_ms;        /* a connection without progress is closed */
    int64_t request_timeout_ms;     /* the body must be complete after so long */
    struct slice cert_pem, key_pem; /* our own certificate; copied */
    struct slice client_ca_pem;     /* not null: a client certificate of this CA is
                                     * required, and verified in the handshake */
    const struct http_server_ops *ops;
    void *arg;
};

/* Bind and serve. ERR_INVALID (address), ERR_IO (bind), with a text for the operator. */
int http_server_start(const struct http_server_options *options,
                      struct http_server **server, struct err *err) MUST_CHECK;
/* Use another certificate for handshakes from now on. Any thread. */
int http_server_set_certificate(struct http_server *server, struct slice cert_pem,
                                struct slice key_pem, struct err *err) MUST_CHECK;
/* Whose certificates clients may have from now on: one or more CAs. Any thread; for a
 * server that was started with client_ca_pem. */
int http_server_set_client_ca(struct http_server *server, struct slice ca_pem,
                              struct err *err) MUST_CHECK;
uint16_t http_server_port(const struct http_server *server);
/* Cut off who has connected and asked nothing for 8 s, its handshake perhaps half done;
 * and who has made progress all the time, but so little that a request's head, or its
 * answer, was not across after the timeouts together (to which, with a request, the
 * longest that one is parked is added). Call it every second or so, any thread, with the
 * monotonic time; returns how many. */
size_t http_server_reap(struct http_server *server, int64_t now_ms);
#define HTTP_SERVER_PARK_MAX_MS 60000
/* Accept no more connections and answer new requests with 503. */
void http_server_quiesce(struct http_server *server);
/* Stop and free. Waits until no exchange is parked (the caller has seen to it that each
 * is resumed), and a little for the answers to be sent. */
void http_server_stop(struct http_server *server);

struct http_server_counters {
    uint64_t connections; /* open now */
    uint64_t accepted;
    uint64_t handshakes_refused; /* for the client's certificate */
    uint64_t turned_away;        /* too many had just connected (newcomers.h) */
    uint64_t parked;             /* exchanges now */
};
void http_server_counters(const struct http_server *server,
                          struct http_server_counters *counters);

/* --- the request; borrowed until on_end --- */
const char *http_exchange_method(const struct http_exchange *x);
const char *http_exchange_path(const struct http_exchange *x); /* percent-decoded */
const char *http_exchange_header(const struct http_exchange *x, const char *name);
/* A parameter of the query ("?limit=5"), percent-decoded, or NULL. */
const char *http_exchange_query(const struct http_exchange *x, const char *name);
/* The plain bytes as they came; complete from on_request on. */
struct slice http_exchange_body(const struct http_exchange *x);
/* Does a body follow the head? */
bool http_exchange_has_body(const struct http_exchange *x);
/* In on_head: this request's body may hold so much (no more than the server's limit). */
void http_exchange_limit_body(struct http_exchange *x, size_t max_bytes);
/* "1.2.3.4", for logs. */
const char *http_exchange_peer(const struct http_exchange *x);
/* The first URI in the verified client certificate's subject alternative names, or ""
 * without one; when that certificate ends (0: none). Read once per connection. */
const char *http_exchange_peer_uri(const struct http_exchange *x);
int64_t http_exchange_peer_not_after_ms(const struct http_exchange *x);
/* ... and whose key has signed it: x509_authority_id(); "" without one. */
const char *http_exchange_peer_authority(const struct http_exchange *x);
int64_t http_exchange_started_us(const struct http_exchange *x); /* monotonic */
void http_exchange_set_user(struct http_exchange *x, void *user);
void *http_exchange_user(const struct http_exchange *x);

/* --- the reply; inside a callback only --- */
/* A further header of the reply; NAME is a literal, VALUE is copied. At most 8. */
void http_exchange_add_header(struct http_exchange *x, const char *name,
                              const char *value);
/* Reply; BODY's memory moves. The last thing a handler does with X. */
void http_exchange_reply(struct http_exchange *x, int status, const char *content_type,
                         struct str *body);
/* The same with status 200 and the first BYTES of FILE, which moves, as body. Who takes
 * it slower than 64 KiB a second is cut off. */
void http_exchange_reply_file(struct http_exchange *x, const char *content_type, int file,
                              uint64_t bytes);
bool http_exchange_replied(const struct http_exchange *x);
/* After http_exchange_park, on the same thread: it is parked, whatever came since. */
bool http_exchange_parked(const struct http_exchange *x);
int http_exchange_status(const struct http_exchange *x); /* of the reply, or 0 */
/* Give the connection up without a thread. The callback must return right after it has
 * told whoever will resume, and may not touch X once that one may do so. */
void http_exchange_park(struct http_exchange *x);
/* Any thread: have on_resume called on a thread of the server. */
void http_exchange_resume(struct http_exchange *x);

#endif
