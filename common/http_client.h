/* http_client.h - HTTP requests on a loop; the only door to libcurl.
 *
 * One client belongs to one loop's thread. Connections are kept alive and pooled by
 * curl. A request is copied at send except for its body slices, which must stay valid
 * until the callback ran. Exactly one callback per request, never from inside
 * http_client_send; after http_client_cancel none. With the callback the call is over: it
 * must not be cancelled from then on. The callback may send, cancel other calls and free
 * the client. Retries are the caller's matter, but for one: curl sends a request again,
 * on a new connection, when a kept one proves dead before any byte of an answer. Proxies
 * are those of the environment (https_proxy, no_proxy). */
#ifndef COMMON_HTTP_CLIENT_H
#define COMMON_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/slice.h"
#include "common/str.h"

struct http_client;
struct http_call;

/* Who we are and whom we trust; PEM in memory, copied. NULL client cert: none. */
struct http_tls {
    struct slice ca_pem; /* null slice: the system's certificates */
    struct slice cert_pem;
    struct slice key_pem;
    bool verify_none; /* only to fetch a CA whose fingerprint is checked after */
};

struct http_client *http_client_new(struct loop *loop, size_t max_connections_per_host);
void http_client_free(struct http_client *client); /* cancels what is in flight */
/* For requests sent from now on; existing connections are not used any more. */
void http_client_set_tls(struct http_client *client, const struct http_tls *tls);

struct http_request {
    const char *method; /* "GET", "PUT", ... */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
    const struct slice *body;   /* gathered in order */
    size_t body_count;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;        /* of the whole call; 0: none */
    int64_t stall_timeout_ms;  /* less than 1 KiB/s for so long fails; 0: none */
    size_t max_response_bytes; /* more fails as ERR_TOO_LARGE */
    struct budget *budget;     /* for the response's blob, or NULL */
    /* Take the body of an answer of status 200 piece by piece instead of in the blob,
     * which then stays empty; max_response_bytes bounds all other answers. Anything but 0
     * breaks the call off with that code. May not call the client. NULL: no streaming. */
    int (*on_body)(struct slice bytes, void *arg);
};

struct http_response {
    int code;               /* 0, or ERR_UNAVAILABLE (connect), ERR_TIMEOUT, ERR_CLOSED,
                             * ERR_UNAUTHENTICATED (TLS refused), ERR_TOO_LARGE, ERR_NOMEM */
    int status;             /* HTTP status when code is 0 */
    struct blob *body;      /* never NULL when code is 0; the callback may blob_ref it */
    const char *error;      /* for people, when code is not 0 */
    bool strained;          /* code is not 0, since the peer was silent for too long or
                             * broke off the handshake: it may have more to do than it
                             * can. A broken connection alone says nothing of that */
    bool looked_up;         /* the host's address was known */
    int64_t retry_after_ms; /* from Retry-After in seconds, or -1 */
    char encoding[16];      /* the X-Weft-Encoding header, or "" */
    char etag[80];
    int64_t content_total; /* total of Content-Range, else Content-Length, or -1 */
    struct slice headers;  /* "Name: value\r\n" lines of the final answer as they came,
                            * without the status line, at most 16 KiB; borrowed */
};

typedef void http_done_fn(const struct http_response *response, void *arg);

struct http_call *http_client_send(struct http_client *client,
                                   const struct http_request *request, http_done_fn *done,
                                   void *arg);
void http_client_cancel(struct http_call *call);

#endif
