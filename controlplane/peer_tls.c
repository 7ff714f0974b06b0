/* peer_tls.c - see peer_tls.h. */
#include "controlplane/peer_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/check.h"
#include "common/mem.h"

#define PEM_MAX       (256 * 1024)
#define WAIT_SLICE_MS 100
static const char uri_prefix[] = "weft://cell/";

struct peer_tls_context {
    SSL_CTX *ssl; /* has the count of references */
};

struct peer_tls {
    SSL *ssl;
    int fd;
    bool dead; /* OpenSSL reported a failure: nothing more may be called on it */
};

/* ERR with OpenSSL's own reason; empties its queue of errors. */
static int fail(struct err *err, int code, const char *what)
{
    unsigned long number = ERR_peek_last_error();
    const char *reason = number == 0 ? NULL : ERR_reason_error_string(number);

    ERR_clear_error();
    return err_set(err, code, "%s%s%s", what, reason == NULL ? "" : ": ",
                   reason == NULL ? "" : reason);
}

/* ---- contexts ---- */

static BIO *open_pem(struct slice pem)
{
    return pem.ptr == NULL || pem.len > PEM_MAX ? NULL
                                                : BIO_new_mem_buf(pem.ptr, (int)pem.len);
}

/* An encrypted key is refused: without this OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static int use_chain(SSL_CTX *ssl, struct slice pem, struct err *err)
{
    BIO *bio = open_pem(pem);
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    int rc = 0;

    if (cert == NULL || SSL_CTX_use_certificate(ssl, cert) != 1)
        rc = fail(err, ERR_MALFORMED, "the certificate for peers");
    X509_free(cert);
    while (rc == 0 && (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ssl, cert) != 1) {
            X509_free(cert);
            rc = fail(err, ERR_MALFORMED, "the chain of the certificate for peers");
        }
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the PEM is one */
    return rc;
}

static int use_key(SSL_CTX *ssl, struct slice pem, struct err *err)
{
    BIO *bio = open_pem(pem);
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    int rc = 0;

    if (key == NULL || SSL_CTX_use_PrivateKey(ssl, key) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1)
        rc = fail(err, ERR_MALFORMED, "the key for peers");
    EVP_PKEY_free(key);
    BIO_free(bio);
    return rc;
}

static int use_cas(SSL_CTX *ssl, struct slice pem, struct err *err)
{
    BIO *bio = open_pem(pem);
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    X509 *cert;
    int count = 0;

    while (bio != NULL &&
           (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, cert);
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error();
    return count > 0 ? 0
                     : err_set(err, ERR_MALFORMED, "no certificate of a CA for peers");
}

int peer_tls_context_new(const struct peers_certificate *certificate,
                         struct peer_tls_context **context, struct err *err)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_method());
    ASSERT(ssl != NULL);
    int rc = SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1
                 ? 0
                 : fail(err, ERR_UNSUPPORTED, "TLS 1.3");

    if (rc == 0)
        rc = use_chain(ssl, certificate->chain_pem, err);
    if (rc == 0)
        rc = use_key(ssl, certificate->key_pem, err);
    if (rc == 0)
        rc = use_cas(ssl, certificate->ca_pem, err);
    if (rc != 0) {
        SSL_CTX_free(ssl);
        return rc;
    }
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    SSL_CTX_set_mode(ssl,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    *context = mem_zalloc(sizeof(**context));
    (*context)->ssl = ssl;
    return 0;
}

struct peer_tls_context *peer_tls_context_ref(struct peer_tls_context *context)
{
    struct peer_tls_context *other = mem_zalloc(sizeof(*other));
    SSL_CTX_up_ref(context->ssl);
    other->ssl = context->ssl;
    return other;
}

void peer_tls_context_unref(struct peer_tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    mem_free(context);
}

/* ---- connections ---- */

struct peer_tls *peer_tls_new(struct peer_tls_context *context, int fd, bool server)
{
    struct peer_tls *tls = mem_zalloc(sizeof(*tls));
    tls->fd = fd;
    tls->ssl = SSL_new(context->ssl);
    ASSERT(tls->ssl != NULL);
    int ok = SSL_set_fd(tls->ssl, fd);
    ASSERT(ok == 1);
    if (server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    return tls;
}

void peer_tls_free(struct peer_tls *tls)
{
    if (tls == NULL)
        return;
    if (!tls->dead && SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    SSL_free(tls->ssl);
    mem_free(tls);
}

/* What OpenSSL's return value RC means. */
static int result(struct peer_tls *tls, int rc, unsigned *wants, struct err *err)
{
    long verified;
    int saved = errno;

    *wants = 0;
    if (rc > 0)
        return 0;
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        *wants = PEER_TLS_READ;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        *wants = PEER_TLS_WRITE;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return err_set(err, ERR_CLOSED, "the other side ended the connection");
    case SSL_ERROR_SYSCALL:
        tls->dead = true;
        ERR_clear_error();
        if (saved == 0)
            return err_set(err, ERR_CLOSED, "the connection ended");
        return err_set_errno(err, saved, "connection");
    default:
        break;
    }
    tls->dead = true;
    verified = SSL_get_verify_result(tls->ssl);
    if (verified != X509_V_OK) {
        ERR_clear_error();
        return err_set(err, ERR_UNAUTHENTICATED,
                       "its certificate is not of this cell: %s",
                       X509_verify_cert_error_string(verified));
    }
    bool told =
        ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    return told ? fail(err, ERR_CLOSED, "the connection ended")
                : fail(err, ERR_UNAUTHENTICATED, "TLS");
}

int peer_tls_handshake(struct peer_tls *tls, unsigned *wants, struct err *err)
{
    ERR_clear_error();
    errno = 0;
    return result(tls, SSL_do_handshake(tls->ssl), wants, err);
}

int peer_tls_read(struct peer_tls *tls, void *bytes, size_t len, size_t *count,
                  unsigned *wants, struct err *err)
{
    ERR_clear_error();
    errno = 0;
    *count = 0;
    int ok = SSL_read_ex(tls->ssl, bytes, len, count);
    return result(tls, ok, wants, err);
}

int peer_tls_write(struct peer_tls *tls, struct slice bytes, size_t *count,
                   unsigned *wants, struct err *err)
{
    ERR_clear_error();
    errno = 0;
    *count = 0;
    int ok = SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, count);
    return result(tls, ok, wants, err);
}

/* ---- who it is ---- */

void peer_tls_uri(const struct uuid *cell_id, uint64_t node_id, char uri[128])
{
    char cell[UUID_TEXT_LEN + 1];
    (void)snprintf(uri, 128, "%s%s/node/%llu", uri_prefix, uuid_print(cell_id, cell),
                   (unsigned long long)node_id);
}

/* The node's id out of URI, or 0 when it is not one of the cell. */
static uint64_t parse_uri(struct slice uri, const struct uuid *cell_id)
{
    char want[128];
    uint64_t id = 0;

    peer_tls_uri(cell_id, 0, want);
    size_t fixed = strlen(want) - 1; /* without the 0 */
    if (uri.len <= fixed || uri.len > fixed + 20 || memcmp(uri.ptr, want, fixed) != 0 ||
        uri.ptr[fixed] == '0')
        return 0;
    for (size_t i = fixed; i < uri.len; i++) {
        if (uri.ptr[i] < '0' || uri.ptr[i] > '9' ||
            id > (UINT64_MAX - (uint64_t)(uri.ptr[i] - '0')) / 10)
            return 0;
        id = id * 10 + (uint64_t)(uri.ptr[i] - '0');
    }
    return id;
}

/* The first name of kind URI; only one is looked at, ours have one. */
static struct slice first_uri(const GENERAL_NAMES *names)
{
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
        return slice_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
    }
    return SLICE_NULL;
}

int peer_tls_node(struct peer_tls *tls, const struct uuid *cell_id, uint64_t *node_id,
                  struct err *err)
{
    X509 *cert = SSL_get1_peer_certificate(tls->ssl);
    char printable[100];
    size_t n = 0;

    if (cert == NULL)
        return err_set(err, ERR_UNAUTHENTICATED, "it showed no certificate");
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    struct slice uri = first_uri(names);
    uint64_t id = parse_uri(uri, cell_id);
    for (; n < uri.len && n < sizeof(printable) - 1; n++)
        printable[n] = uri.ptr[n] > ' ' && uri.ptr[n] < 0x7f && uri.ptr[n] != '"'
                           ? (char)uri.ptr[n]
                           : '?';
    printable[n] = '\0';
    GENERAL_NAMES_free(names);
    X509_free(cert);
    if (id == 0)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "its certificate is not of a node of this cell but of '%s'",
                       printable);
    *node_id = id;
    return 0;
}

bool peer_tls_trusted(struct peer_tls *tls, struct peer_tls_context *context)
{
    X509 *cert = SSL_get1_peer_certificate(tls->ssl);
    X509_STORE_CTX *check = X509_STORE_CTX_new();

    ASSERT(check != NULL);
    bool good = cert != NULL &&
                X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context->ssl), cert,
                                    SSL_get_peer_cert_chain(tls->ssl)) == 1 &&
                X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    X509_free(cert);
    ERR_clear_error();
    return good;
}

/* ---- waiting forms ---- */

int peer_tls_wait_fd(int fd, unsigned wants, const struct peer_tls_wait *wait,
                     struct err *err)
{
    struct pollfd poll_fd = {.fd = fd};

    poll_fd.events = (short)((wants & PEER_TLS_READ ? POLLIN : 0) |
                             (wants & PEER_TLS_WRITE ? POLLOUT : 0));
    for (int waited_ms = 0; waited_ms < wait->timeout_ms; waited_ms += WAIT_SLICE_MS) {
        if (wait->stopped != NULL && wait->stopped(wait->arg))
            return err_set(err, ERR_CANCELLED, "stopped");
        int n = poll(&poll_fd, 1, WAIT_SLICE_MS);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, errno, "poll");
    }
    return err_set(err, ERR_TIMEOUT, "nothing moved for %d ms", wait->timeout_ms);
}

int peer_tls_handshake_all(struct peer_tls *tls, const struct peer_tls_wait *wait,
                           struct err *err)
{
    for (;;) {
        unsigned wants = 0;
        int rc = peer_tls_handshake(tls, &wants, err);
        if (rc == 0 && wants != 0)
            rc = peer_tls_wait_fd(tls->fd, wants, wait, err);
        if (rc != 0 || wants == 0)
            return rc;
    }
}

int peer_tls_read_all(struct peer_tls *tls, void *bytes, size_t len,
                      const struct peer_tls_wait *wait, struct err *err)
{
    uint8_t *at = bytes;
    int rc = 0;

    while (rc == 0 && len > 0) {
        unsigned wants = 0;
        size_t count = 0;
        rc = peer_tls_read(tls, at, len, &count, &wants, err);
        if (rc == 0 && wants != 0)
            rc = peer_tls_wait_fd(tls->fd, wants, wait, err);
        at += count;
        len -= count;
    }
    return rc;
}

int peer_tls_write_all(struct peer_tls *tls, struct slice bytes,
                       const struct peer_tls_wait *wait, struct err *err)
{
    int rc = 0;

    while (rc == 0 && bytes.len > 0) {
        unsigned wants = 0;
        size_t count = 0;
        rc = peer_tls_write(tls, bytes, &count, &wants, err);
        if (rc == 0 && wants != 0)
            rc = peer_tls_wait_fd(tls->fd, wants, wait, err);
        bytes = slice_of(bytes.ptr + count, bytes.len - count);
    }
    return rc;
}
