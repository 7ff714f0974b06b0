/* x509.h - keys, certificates and signing requests (OpenSSL), PEM in and out.
 *
 * Keys are ECDSA P-256. Used by the control plane as a certificate authority and by the
 * agent to enrol. Private keys are never logged; callers keep them in memory or in files
 * of mode 0600. */
#ifndef COMMON_X509_H
#define COMMON_X509_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define X509_PEM_MAX (16 * 1024)

/* SHA-256 of a certificate's DER as 64 lower-case hex digits and a NUL. */
#define X509_FINGERPRINT_LEN 64

/* A new private key, PKCS#8 PEM. */
int x509_make_key(struct str *key_pem, struct err *err) MUST_CHECK;
/* A self-signed CA certificate (keyCertSign) of DAYS days. Its pathlen is 1: room for the
 * cross-certificate of its successor. */
int x509_make_ca(struct slice key_pem, const char *common_name, int days,
                 struct str *cert_pem, struct err *err) MUST_CHECK;
/* A certificate by the old CA for the name and key of the new one: whoever trusts only
 * the old CA verifies through it what the new one has signed (RFC 5280 section 3.2). */
int x509_cross_sign(struct slice old_key_pem, struct slice old_cert_pem,
                    struct slice new_cert_pem, struct str *cert_pem,
                    struct err *err) MUST_CHECK;
/* A PKCS#10 request for KEY; the subject is a courtesy, the CA decides. */
int x509_make_request(struct slice key_pem, const char *common_name,
                      struct str *request_pem, struct err *err) MUST_CHECK;

struct x509_profile {
    const char *common_name;
    const char *uri_san; /* or NULL */
    const char *const
        *dns_san;          /* NULL-terminated list of names and IP literals, or NULL */
    bool server;           /* extendedKeyUsage serverAuth */
    bool client;           /* extendedKeyUsage clientAuth */
    int64_t not_before_ms; /* wall clock */
    int64_t not_after_ms;
};

/* Sign REQUEST_PEM after checking its own signature. ERR_MALFORMED for a bad one. */
int x509_sign_request(struct slice ca_key_pem, struct slice ca_cert_pem,
                      struct slice request_pem, const struct x509_profile *profile,
                      struct str *cert_pem, struct err *err) MUST_CHECK;
/* Key and certificate in one step, for the server's own. */
int x509_issue(struct slice ca_key_pem, struct slice ca_cert_pem,
               const struct x509_profile *profile, struct str *key_pem,
               struct str *cert_pem, struct err *err) MUST_CHECK;

int x509_fingerprint(struct slice cert_pem, char hex[X509_FINGERPRINT_LEN + 1],
                     struct err *err) MUST_CHECK;
/* The id of a certificate's own key, and of the key that signed it (RFC 5280 sections
 * 4.2.1.2 and 4.2.1.1), as lower-case hex digits: an authority keeps its key whoever
 * signs it across. "" when the certificate does not say. */
#define X509_KEY_ID_LEN 40
int x509_key_id(struct slice cert_pem, char hex[X509_KEY_ID_LEN + 1],
                struct err *err) MUST_CHECK;
int x509_authority_id(struct slice cert_pem, char hex[X509_KEY_ID_LEN + 1],
                      struct err *err) MUST_CHECK;
/* Append the certificate of BUNDLE_PEM (many, one after the other) that has this
 * fingerprint. ERR_NOT_FOUND; ERR_MALFORMED when there is no certificate at all. */
int x509_find(struct slice bundle_pem, const char *fingerprint, struct str *cert_pem,
              struct err *err) MUST_CHECK;
/* Does KEY belong to CERT? */
bool x509_matches(struct slice key_pem, struct slice cert_pem);
int x509_not_after_ms(struct slice cert_pem, int64_t *not_after_ms,
                      struct err *err) MUST_CHECK;

/* The identities in certificates. An agent's: URI SAN weft://cluster/UUID/agent/UUID. */
void x509_agent_uri(const struct uuid *cluster_id, const struct uuid *agent_id,
                    char uri[128]);
int x509_parse_agent_uri(struct slice uri, struct uuid *cluster_id,
                         struct uuid *agent_id) MUST_CHECK;

/* A control-plane node's: weft://cell/UUID/node/NUMBER, the number > 0. */
void x509_node_uri(const struct uuid *cell_id, uint64_t node_id, char uri[128]);
int x509_parse_node_uri(struct slice uri, struct uuid *cell_id,
                        uint64_t *node_id) MUST_CHECK;

#endif
