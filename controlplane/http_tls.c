/* http_tls.c - see http_tls.h.
 *
 * libmicrohttpd asks a client for a certificate but goes on without one, and verifies
 * nothing: so the session is told to require it, and verifies in the handshake, once for
 * the connection (a verification for every request costs ten times the request). */
#include "controlplane/http_tls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/log.h"
#include "common/mem.h"

#define NAMES_MAX 64 /* alternative names looked at */

/* So often may a handshake look in vain: one with a client nearby takes fewer. */
#define IN_VAIN_MAX 50
#define PAUSE_US    500

#define CHAIN_MAX 4 /* certificates sent: ours, and what leads to the CA */

/* Our certificate; immutable. Superseded ones stay until the end, since a handshake may
 * still use them: that is a few in the life of a process. */
struct credential {
    struct credential *older;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned chain_len;
    gnutls_privkey_t key;
};

/* Whose certificates clients may have; likewise. */
struct authorities {
    struct authorities *older;
    gnutls_x509_trust_list_t list;
};

struct http_tls {
    char name[16];
    _Atomic(struct credential *) credential;
    _Atomic(struct authorities *) authorities; /* NULL: clients need no certificate */
    atomic_uint_fast64_t refused;
};

static _Thread_local struct http_tls *serving;

static void credential_free(struct credential *credential)
{
    while (credential != NULL) {
        struct credential *older = credential->older;
        for (unsigned i = 0; i < credential->chain_len; i++)
            gnutls_pcert_deinit(&credential->chain[i]);
        gnutls_privkey_deinit(credential->key);
        mem_free(credential);
        credential = older;
    }
}

static gnutls_datum_t datum(struct slice s)
{
    /* GnuTLS does not write through it. */
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)s.ptr,
                            .size = (unsigned)s.len};
}

static int credential_load(struct slice cert_pem, struct slice key_pem,
                           struct credential **out, struct err *err)
{
    gnutls_datum_t cert = datum(cert_pem), key = datum(key_pem);
    struct credential *credential = mem_zalloc(sizeof(*credential));

    int rc = gnutls_privkey_init(&credential->key);
    ASSERT(rc == 0);
    rc = gnutls_privkey_import_x509_raw(credential->key, &key, GNUTLS_X509_FMT_PEM, NULL,
                                        0);
    credential->chain_len = CHAIN_MAX;
    if (rc == 0)
        rc = gnutls_pcert_list_import_x509_raw(credential->chain, &credential->chain_len,
                                               &cert, GNUTLS_X509_FMT_PEM, 0);
    if (rc != 0) {
        gnutls_privkey_deinit(credential->key);
        mem_free(credential);
        return err_set(err, ERR_INVALID, "server certificate: %s", gnutls_strerror(rc));
    }
    *out = credential;
    return 0;
}

static int on_want_certificate(gnutls_session_t session, const gnutls_datum_t *names,
                               int name_count, const gnutls_pk_algorithm_t *algorithms,
                               int algorithm_count, gnutls_pcert_st **certificate,
                               unsigned *length, gnutls_privkey_t *key)
{
    (void)session, (void)names, (void)name_count, (void)algorithms, (void)algorithm_count;
    struct credential *credential = atomic_load(&serving->credential);
    *certificate = credential->chain;
    *length = credential->chain_len;
    *key = credential->key;
    return 0;
}

static void log_refused(struct http_tls *tls, gnutls_session_t session, unsigned status)
{
    static _Thread_local struct log_limit limit = {.interval_ms = 1000};
    gnutls_datum_t text = {NULL, 0};
    uint64_t dropped;

    atomic_fetch_add(&tls->refused, 1);
    if (!log_limit_pass(&limit, clock_monotonic_ms(), &dropped))
        return;
    const char *why = "no certificate";
    if (status != 0 &&
        gnutls_certificate_verification_status_print(
            status, gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS), &text,
            0) == 0)
        why = (const char *)text.data;
    log_warn("http", "client certificate refused", "listener=%s reason=%s more=%llu",
             tls->name, LOG_QUOTED(why), (unsigned long long)dropped);
    gnutls_free(text.data);
}

/* The chain of SESSION's client, at most CHAIN_MAX of it; returns how many. */
static unsigned read_chain(gnutls_session_t session, gnutls_x509_crt_t chain[CHAIN_MAX])
{
    unsigned sent = 0, count = 0;
    const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &sent);
    for (; raw != NULL && count < MIN(sent, CHAIN_MAX); count++) {
        if (gnutls_x509_crt_init(&chain[count]) != 0)
            break;
        if (gnutls_x509_crt_import(chain[count], &raw[count], GNUTLS_X509_FMT_DER) != 0) {
            gnutls_x509_crt_deinit(chain[count]);
            break;
        }
    }
    return count;
}

/* Part of the handshake: anything but 0 ends it. Verified against our own list, and not
 * the library's, since that one cannot change while it serves. */
static int on_verify(gnutls_session_t session)
{
    static const char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st want = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                  .data = (unsigned char *)(uintptr_t)purpose,
                                  .size = 0};
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned status = 0, count = read_chain(session, chain);
    const struct authorities *authorities = atomic_load(&serving->authorities);
    int rc = count == 0 || authorities == NULL
                 ? GNUTLS_E_NO_CERTIFICATE_FOUND
                 : gnutls_x509_trust_list_verify_crt2(authorities->list, chain, count,
                                                      &want, 1, 0, &status, NULL);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    if (rc == 0 && status == 0)
        return 0;
    log_refused(serving, session, status);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static void read_uri(gnutls_x509_crt_t crt, char uri[HTTP_TLS_URI_MAX])
{
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        char name[HTTP_TLS_URI_MAX];
        size_t size = sizeof(name) - 1;
        int type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &size, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return;
        if (type != GNUTLS_SAN_URI || size >= sizeof(name))
            continue;
        memcpy(uri, name, size);
        uri[size] = '\0';
        return;
    }
}

int http_tls_set_certificate(struct http_tls *tls, struct slice cert_pem,
                             struct slice key_pem, struct err *err)
{
    struct credential *credential = NULL;
    int code = credential_load(cert_pem, key_pem, &credential, err);
    if (code != 0)
        return code;
    credential->older = atomic_load(&tls->credential);
    while (
        !atomic_compare_exchange_weak(&tls->credential, &credential->older, credential))
        ;
    return 0;
}

static void authorities_free(struct authorities *authorities)
{
    while (authorities != NULL) {
        struct authorities *older = authorities->older;
        gnutls_x509_trust_list_deinit(authorities->list, 1);
        mem_free(authorities);
        authorities = older;
    }
}

int http_tls_set_client_ca(struct http_tls *tls, struct slice ca_pem, struct err *err)
{
    gnutls_datum_t pem = datum(ca_pem);
    struct authorities *authorities = mem_zalloc(sizeof(*authorities));
    int rc = gnutls_x509_trust_list_init(&authorities->list, 0);
    ASSERT(rc == 0);
    rc = gnutls_x509_trust_list_add_trust_mem(authorities->list, &pem, NULL,
                                              GNUTLS_X509_FMT_PEM, 0, 0);
    if (rc <= 0) {
        authorities_free(authorities);
        return err_set(err, ERR_INVALID, "clients' CA: %s",
                       rc == 0 ? "no certificate" : gnutls_strerror(rc));
    }
    authorities->older = atomic_load(&tls->authorities);
    while (!atomic_compare_exchange_weak(&tls->authorities, &authorities->older,
                                         authorities))
        ;
    return 0;
}

int http_tls_new(const char *name, struct slice cert_pem, struct slice key_pem,
                 struct http_tls **out, struct err *err)
{
    struct http_tls *tls = mem_zalloc(sizeof(*tls));
    snprintf(tls->name, sizeof(tls->name), "%s", name);
    int code = http_tls_set_certificate(tls, cert_pem, key_pem, err);
    if (code != 0) {
        mem_free(tls);
        return code;
    }
    *out = tls;
    return 0;
}

void http_tls_free(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    credential_free(atomic_load(&tls->credential));
    authorities_free(atomic_load(&tls->authorities));
    mem_free(tls);
}

uint64_t http_tls_refused(const struct http_tls *tls)
{
    return atomic_load(&tls->refused);
}

static _Thread_local bool has_read; /* this thread, since its last pause */

/* Once in a round of the thread at the most, however many handshakes stand still; and not
 * while others move on. */
static void pause_thread(void)
{
    static _Thread_local int64_t paused_at_us;
    int64_t now_us = clock_monotonic_us();

    if (now_us - paused_at_us < PAUSE_US / 4)
        return;
    if (!has_read)
        usleep(PAUSE_US);
    has_read = false;
    paused_at_us = clock_monotonic_us();
}

/* A gnutls_pull_func. */
static ssize_t pull(gnutls_transport_ptr_t arg, void *bytes, size_t len)
{
    struct http_tls_wire *wire = arg;
    ssize_t n = recv(wire->fd, bytes, len, 0);
    int error = errno;

    has_read = has_read || n > 0;
    if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK) && !atomic_load(wire->ready) &&
        ++wire->in_vain > IN_VAIN_MAX) {
        pause_thread();
        errno = error;
    }
    return n;
}

void http_tls_read_from(void *session, struct http_tls_wire *wire)
{
    gnutls_transport_ptr_t in, out;

    gnutls_transport_get_ptr2(session, &in, &out);
    gnutls_transport_set_ptr2(session, wire, out);
    gnutls_transport_set_pull_function(session, pull);
}

void http_tls_serve(struct http_tls *tls)
{
    serving = tls;
}

void (*http_tls_certificate_callback(void))(void)
{
    return (void (*)(void))on_want_certificate;
}

void http_tls_require_client(void *session)
{
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_function(session, on_verify);
}

static void read_authority(gnutls_x509_crt_t crt, char hex[X509_KEY_ID_LEN + 1])
{
    uint8_t id[X509_KEY_ID_LEN / 2];
    size_t size = sizeof(id);

    if (gnutls_x509_crt_get_authority_key_id(crt, id, &size, NULL) == 0 &&
        size == sizeof(id))
        crypto_hex(id, size, hex);
}

void http_tls_identify(void *session, struct http_tls_client *client)
{
    unsigned count = 0;
    gnutls_x509_crt_t crt;

    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&crt) != 0)
        return;
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
        client->not_after_ms = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
        read_uri(crt, client->uri);
        read_authority(crt, client->authority);
    }
    gnutls_x509_crt_deinit(crt);
}
