/* http_tls.h - the TLS of a listener: our certificate, and the clients'. Beside
 * http_server.c the only user of GnuTLS, and used by that alone.
 *
 * GnuTLS has no closure for its callbacks; but a connection stays with the thread that
 * accepted it, and that thread serves one listener: http_tls_serve says which. */
#ifndef CONTROLPLANE_HTTP_TLS_H
#define CONTROLPLANE_HTTP_TLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/x509.h"

/* X25519 first: it is what OpenSSL sends a key share for, and any other choice of ours
 * costs a HelloRetryRequest. */
#define HTTP_TLS_PRIORITIES                                                              \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:"               \
    "+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:%SERVER_PRECEDENCE"
#define HTTP_TLS_URI_MAX 128

struct http_tls;

/* NAME is the listener's, for logs. CERT_PEM may go on with what leads to the CA.
 * ERR_INVALID when certificate and key are not good. */
int http_tls_new(const char *name, struct slice cert_pem, struct slice key_pem,
                 struct http_tls **tls, struct err *err) MUST_CHECK;
void http_tls_free(struct http_tls *tls); /* no handshake may be going on; NULL is fine */
/* Any thread: for handshakes from now on. */
int http_tls_set_certificate(struct http_tls *tls, struct slice cert_pem,
                             struct slice key_pem, struct err *err) MUST_CHECK;
/* Any thread: whose certificates clients may have from now on; CA_PEM holds one or more
 * authorities. */
int http_tls_set_client_ca(struct http_tls *tls, struct slice ca_pem,
                           struct err *err) MUST_CHECK;
uint64_t http_tls_refused(const struct http_tls *tls); /* handshakes, by certificate */

/* This thread's handshakes are TLS's from now on. */
void http_tls_serve(struct http_tls *tls);
/* A gnutls_certificate_retrieve_function2 that hands out our certificate. */
void (*http_tls_certificate_callback(void))(void);
/* Before the handshake of SESSION (a gnutls_session_t): a certificate for clients, of
 * an authority of http_tls_set_client_ca, is required and verified. */
void http_tls_require_client(void *session);
/* What SESSION reads from. libmicrohttpd calls a handshake that waits for its client
 * again and again, without waiting for the socket: one that does for long has the thread
 * pause for half a millisecond in each round in which nothing was read. FD and READY,
 * which says that the handshake is over, live as long as SESSION. */
struct http_tls_wire {
    int fd;
    const atomic_bool *ready;
    unsigned in_vain; /* private: reads that found nothing */
};
void http_tls_read_from(void *session, struct http_tls_wire *wire);

/* Who the client is, by its verified certificate. */
struct http_tls_client {
    char uri[HTTP_TLS_URI_MAX];          /* the first one of its alternative names */
    char authority[X509_KEY_ID_LEN + 1]; /* x509_authority_id() */
    int64_t not_after_ms;
};
/* The client of SESSION; untouched without a certificate. */
void http_tls_identify(void *session, struct http_tls_client *client);

#endif
