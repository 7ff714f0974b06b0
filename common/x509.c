/* x509.c - keys, certificates and signing requests (OpenSSL 3).
 *
 * Subject names and extensions of a request are never copied: the profile decides. SANs
 * are built value by value and not through OpenSSL's configuration syntax, in which a
 * comma in a name would begin the next one. */
#include "common/x509.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/check.h"
#include "common/crypto.h"

#define SERIAL_BYTES 16

/* ERR with OpenSSL's own reason behind WHAT; empties OpenSSL's queue of errors. */
static int fail(struct err *err, int code, const char *what)
{
    unsigned long number = ERR_peek_last_error();
    const char *reason = number == 0 ? NULL : ERR_reason_error_string(number);
    ERR_clear_error();
    if (reason == NULL)
        return err_set(err, code, "%s", what);
    return err_set(err, code, "%s: %s", what, reason);
}

/* --- PEM --- */

/* An encrypted key is refused: without this OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static BIO *open_pem(struct slice pem)
{
    if (pem.ptr == NULL || pem.len > X509_PEM_MAX)
        return NULL;
    return BIO_new_mem_buf(pem.ptr, (int)pem.len);
}

static int read_key(struct slice pem, EVP_PKEY **key, struct err *err)
{
    BIO *bio = open_pem(pem);
    EVP_PKEY *read =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (read == NULL)
        return fail(err, ERR_MALFORMED, "not a private key in PEM");
    *key = read;
    return 0;
}

static int read_cert(struct slice pem, X509 **cert, struct err *err)
{
    BIO *bio = open_pem(pem);
    X509 *read = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (read == NULL)
        return fail(err, ERR_MALFORMED, "not a certificate in PEM");
    *cert = read;
    return 0;
}

static int read_request(struct slice pem, X509_REQ **request, struct err *err)
{
    BIO *bio = open_pem(pem);
    X509_REQ *read =
        bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (read == NULL)
        return fail(err, ERR_MALFORMED, "not a signing request in PEM");
    *request = read;
    return 0;
}

/* Append what the memory BIO holds, if WRITTEN says that writing it went well. */
static int take_pem(BIO *bio, int written, struct str *out, struct err *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    if (written != 1 || len <= 0)
        return fail(err, ERR_INTERNAL, "cannot write PEM");
    str_append(out, data, (size_t)len);
    return out->overflowed ? err_set(err, ERR_TOO_LARGE, "no room for the PEM") : 0;
}

static BIO *new_memory(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ASSERT(bio != NULL);
    return bio;
}

static int write_key(EVP_PKEY *key, struct str *out, struct err *err)
{
    BIO *bio = new_memory();
    int rc = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    int code = take_pem(bio, rc, out, err);
    BIO_free(bio);
    return code;
}

static int write_cert(X509 *cert, struct str *out, struct err *err)
{
    BIO *bio = new_memory();
    int code = take_pem(bio, PEM_write_bio_X509(bio, cert), out, err);
    BIO_free(bio);
    return code;
}

/* --- parts of a certificate --- */

static int new_key(EVP_PKEY **key, struct err *err)
{
    EVP_PKEY *made = EVP_EC_gen("P-256");
    if (made == NULL)
        return fail(err, ERR_INTERNAL, "cannot make a key");
    *key = made;
    return 0;
}

static bool is_p256(EVP_PKEY *key)
{
    char group[64];
    size_t len = 0;
    return key != NULL && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static bool set_common_name(X509_NAME *name, const char *common_name)
{
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* A random positive number of 127 bits (RFC 5280 section 4.1.2.2). */
static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    crypto_random(bytes, sizeof(bytes));
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return ok;
}

static bool set_time(ASN1_TIME *at, int64_t ms)
{
    return ASN1_TIME_set(at, (time_t)(ms / 1000)) != NULL;
}

static bool add_extension(X509 *cert, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    bool ok = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool push_name(GENERAL_NAMES *names, int type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_IPADD ? a2i_IPADDRESS(text) : ASN1_IA5STRING_new();
    ASSERT(name != NULL && value != NULL);
    if (type != GEN_IPADD && ASN1_STRING_set(value, text, -1) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    int pushed = sk_GENERAL_NAME_push(names, name);
    ASSERT(pushed > 0);
    return true;
}

static bool is_ip(const char *text)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(text);
    bool ok = ip != NULL;
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    return ok;
}

static bool add_names(X509 *cert, const struct x509_profile *profile)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    ASSERT(names != NULL);
    bool ok = true;
    if (profile->uri_san != NULL)
        ok = push_name(names, GEN_URI, profile->uri_san);
    for (const char *const *n = profile->dns_san; n != NULL && *n != NULL && ok; n++)
        ok = push_name(names, is_ip(*n) ? GEN_IPADD : GEN_DNS, *n);
    if (ok && sk_GENERAL_NAME_num(names) > 0)
        ok = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0,
                               X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

/* What every certificate of ours has; ISSUER may be CERT itself. */
static bool set_common_parts(X509 *cert, X509 *issuer, EVP_PKEY *public_key,
                             const char *common_name, int64_t not_before_ms,
                             int64_t not_after_ms)
{
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           set_common_name(X509_get_subject_name(cert), common_name) &&
           X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
           set_time(X509_getm_notBefore(cert), not_before_ms) &&
           set_time(X509_getm_notAfter(cert), not_after_ms) &&
           X509_set_pubkey(cert, public_key) == 1;
}

/* A certificate for PUBLIC_KEY by the CA, as PEM. */
static int issue(EVP_PKEY *ca_key, X509 *ca_cert, EVP_PKEY *public_key,
                 const struct x509_profile *profile, struct str *cert_pem,
                 struct err *err)
{
    X509V3_CTX context;
    X509 *cert = X509_new();
    const char *usage = profile->server && profile->client ? "serverAuth,clientAuth"
                        : profile->server                  ? "serverAuth"
                                                           : "clientAuth";
    int code = 0;

    ASSERT(cert != NULL && (profile->server || profile->client));
    X509V3_set_ctx(&context, ca_cert, cert, NULL, NULL, 0);
    if (!set_common_parts(cert, ca_cert, public_key, profile->common_name,
                          profile->not_before_ms, profile->not_after_ms) ||
        !add_extension(cert, &context, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(cert, &context, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(cert, &context, NID_ext_key_usage, usage) ||
        !add_extension(cert, &context, NID_subject_key_identifier, "hash") ||
        !add_extension(cert, &context, NID_authority_key_identifier, "keyid:always") ||
        !add_names(cert, profile))
        code = fail(err, ERR_INVALID, "cannot make a certificate of this profile");
    else if (X509_sign(cert, ca_key, EVP_sha256()) == 0)
        code = fail(err, ERR_INTERNAL, "cannot sign the certificate");
    else
        code = write_cert(cert, cert_pem, err);
    X509_free(cert);
    return code;
}

/* Both halves of the CA, which must belong together. */
static int read_ca(struct slice key_pem, struct slice cert_pem, EVP_PKEY **key,
                   X509 **cert, struct err *err)
{
    int code = read_key(key_pem, key, err);
    if (code == 0)
        code = read_cert(cert_pem, cert, err);
    if (code == 0 && X509_check_private_key(*cert, *key) != 1)
        code = fail(err, ERR_INVALID, "the CA's key is not that of its certificate");
    else if (code != 0)
        code = err_wrap(err, code, "certificate authority");
    return code;
}

/* --- the interface --- */

int x509_make_key(struct str *key_pem, struct err *err)
{
    EVP_PKEY *key = NULL;
    int code = new_key(&key, err);
    if (code == 0)
        code = write_key(key, key_pem, err);
    EVP_PKEY_free(key);
    return code;
}

int x509_make_ca(struct slice key_pem, const char *common_name, int days,
                 struct str *cert_pem, struct err *err)
{
    const int64_t day_ms = INT64_C(86400) * 1000;
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    X509V3_CTX context;
    EVP_PKEY *key = NULL;
    X509 *cert = X509_new();
    ASSERT(cert != NULL);

    int code = read_key(key_pem, &key, err);
    if (code != 0)
        goto out;
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    /* A day back: the others' clocks may be behind ours. The subject is there before it
     * is read as the issuer, since the parts are set in order. */
    if (!set_common_parts(cert, cert, key, common_name, now_ms - day_ms,
                          now_ms + days * day_ms) ||
        !add_extension(cert, &context, NID_basic_constraints,
                       "critical,CA:TRUE,pathlen:1") ||
        !add_extension(cert, &context, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert, &context, NID_subject_key_identifier, "hash"))
        code = fail(err, ERR_INVALID, "cannot make a CA certificate");
    else if (X509_sign(cert, key, EVP_sha256()) == 0)
        code = fail(err, ERR_INTERNAL, "cannot sign the CA certificate");
    else
        code = write_cert(cert, cert_pem, err);
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    return code;
}

/* The end of a certificate's life, or 0 when it is no time. */
static int64_t ends_at_ms(const X509 *cert)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000;
}

int x509_cross_sign(struct slice old_key_pem, struct slice old_cert_pem,
                    struct slice new_cert_pem, struct str *cert_pem, struct err *err)
{
    X509V3_CTX context;
    EVP_PKEY *old_key = NULL;
    X509 *old_cert = NULL, *new_cert = NULL, *cert = X509_new();
    ASSERT(cert != NULL);

    int code = read_ca(old_key_pem, old_cert_pem, &old_key, &old_cert, err);
    if (code == 0)
        code = read_cert(new_cert_pem, &new_cert, err);
    if (code != 0)
        goto out;
    X509V3_set_ctx(&context, old_cert, cert, NULL, NULL, 0);
    if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
        X509_set_subject_name(cert, X509_get_subject_name(new_cert)) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(old_cert)) != 1 ||
        X509_set1_notBefore(cert, X509_get0_notBefore(new_cert)) != 1 ||
        !set_time(X509_getm_notAfter(cert),
                  MIN(ends_at_ms(old_cert), ends_at_ms(new_cert))) ||
        X509_set_pubkey(cert, X509_get0_pubkey(new_cert)) != 1 ||
        !add_extension(cert, &context, NID_basic_constraints,
                       "critical,CA:TRUE,pathlen:0") ||
        !add_extension(cert, &context, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert, &context, NID_subject_key_identifier, "hash") ||
        !add_extension(cert, &context, NID_authority_key_identifier, "keyid:always"))
        code = fail(err, ERR_INVALID, "cannot make a cross-certificate");
    else if (X509_sign(cert, old_key, EVP_sha256()) == 0)
        code = fail(err, ERR_INTERNAL, "cannot sign the cross-certificate");
    else
        code = write_cert(cert, cert_pem, err);
out:
    X509_free(cert);
    X509_free(new_cert);
    X509_free(old_cert);
    EVP_PKEY_free(old_key);
    return code;
}

int x509_make_request(struct slice key_pem, const char *common_name,
                      struct str *request_pem, struct err *err)
{
    EVP_PKEY *key = NULL;
    BIO *bio = new_memory();
    X509_REQ *request = X509_REQ_new();
    ASSERT(request != NULL);

    int code = read_key(key_pem, &key, err);
    if (code != 0)
        goto out;
    if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        !set_common_name(X509_REQ_get_subject_name(request), common_name) ||
        X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) == 0)
        code = fail(err, ERR_INVALID, "cannot make a signing request");
    else
        code = take_pem(bio, PEM_write_bio_X509_REQ(bio, request), request_pem, err);
out:
    X509_REQ_free(request);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return code;
}

int x509_sign_request(struct slice ca_key_pem, struct slice ca_cert_pem,
                      struct slice request_pem, const struct x509_profile *profile,
                      struct str *cert_pem, struct err *err)
{
    EVP_PKEY *ca_key = NULL;
    X509 *ca_cert = NULL;
    X509_REQ *request = NULL;

    int code = read_ca(ca_key_pem, ca_cert_pem, &ca_key, &ca_cert, err);
    if (code != 0)
        goto out;
    code = read_request(request_pem, &request, err);
    if (code != 0)
        goto out;
    /* The kind of key first: a peer's giant RSA key is not worth a verification. */
    EVP_PKEY *public_key = X509_REQ_get0_pubkey(request);
    if (!is_p256(public_key))
        code = fail(err, ERR_MALFORMED, "the request's key is not ECDSA P-256");
    else if (X509_REQ_verify(request, public_key) != 1)
        code = fail(err, ERR_MALFORMED, "the request is not signed by its own key");
    else
        code = issue(ca_key, ca_cert, public_key, profile, cert_pem, err);
out:
    X509_REQ_free(request);
    X509_free(ca_cert);
    EVP_PKEY_free(ca_key);
    return code;
}

int x509_issue(struct slice ca_key_pem, struct slice ca_cert_pem,
               const struct x509_profile *profile, struct str *key_pem,
               struct str *cert_pem, struct err *err)
{
    EVP_PKEY *ca_key = NULL, *key = NULL;
    X509 *ca_cert = NULL;

    int code = read_ca(ca_key_pem, ca_cert_pem, &ca_key, &ca_cert, err);
    if (code == 0)
        code = new_key(&key, err);
    if (code == 0)
        code = issue(ca_key, ca_cert, key, profile, cert_pem, err);
    if (code == 0)
        code = write_key(key, key_pem, err);
    X509_free(ca_cert);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return code;
}

static int fingerprint_of(X509 *cert, char hex[X509_FINGERPRINT_LEN + 1], struct err *err)
{
    unsigned char digest[SHA256_LEN];
    unsigned len = 0;
    if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
        return fail(err, ERR_INTERNAL, "cannot hash the certificate");
    crypto_hex(digest, len, hex);
    return 0;
}

static void print_key_id(const ASN1_OCTET_STRING *id, char hex[X509_KEY_ID_LEN + 1])
{
    hex[0] = '\0';
    if (id != NULL && ASN1_STRING_length(id) == X509_KEY_ID_LEN / 2)
        crypto_hex(ASN1_STRING_get0_data(id), X509_KEY_ID_LEN / 2, hex);
}

int x509_key_id(struct slice cert_pem, char hex[X509_KEY_ID_LEN + 1], struct err *err)
{
    X509 *cert = NULL;
    int code = read_cert(cert_pem, &cert, err);
    if (code != 0)
        return code;
    print_key_id(X509_get0_subject_key_id(cert), hex);
    X509_free(cert);
    return 0;
}

int x509_authority_id(struct slice cert_pem, char hex[X509_KEY_ID_LEN + 1],
                      struct err *err)
{
    X509 *cert = NULL;
    int code = read_cert(cert_pem, &cert, err);
    if (code != 0)
        return code;
    print_key_id(X509_get0_authority_key_id(cert), hex);
    X509_free(cert);
    return 0;
}

int x509_fingerprint(struct slice cert_pem, char hex[X509_FINGERPRINT_LEN + 1],
                     struct err *err)
{
    X509 *cert = NULL;
    int code = read_cert(cert_pem, &cert, err);
    if (code == 0)
        code = fingerprint_of(cert, hex, err);
    X509_free(cert);
    return code;
}

int x509_find(struct slice bundle_pem, const char *fingerprint, struct str *cert_pem,
              struct err *err)
{
    char hex[X509_FINGERPRINT_LEN + 1] = "";
    BIO *bio = open_pem(bundle_pem);
    X509 *cert = NULL;
    size_t count = 0;
    int code = ERR_NOT_FOUND;

    while (code == ERR_NOT_FOUND && bio != NULL &&
           (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        count++;
        int rc = fingerprint_of(cert, hex, err);
        if (rc != 0)
            code = rc;
        else if (strcmp(hex, fingerprint) == 0)
            code = write_cert(cert, cert_pem, err);
        X509_free(cert);
    }
    BIO_free(bio);
    if (count == 0)
        return fail(err, ERR_MALFORMED, "not a certificate in PEM");
    ERR_clear_error(); /* the end of the bundle is one to OpenSSL */
    if (code == ERR_NOT_FOUND)
        err_set(err, code, "another fingerprint: %s", hex);
    return code;
}

bool x509_matches(struct slice key_pem, struct slice cert_pem)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    bool ok = read_key(key_pem, &key, NULL) == 0 &&
              read_cert(cert_pem, &cert, NULL) == 0 &&
              X509_check_private_key(cert, key) == 1;
    ERR_clear_error();
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

int x509_not_after_ms(struct slice cert_pem, int64_t *not_after_ms, struct err *err)
{
    X509 *cert = NULL;
    int code = read_cert(cert_pem, &cert, err);
    int64_t ms = code == 0 ? ends_at_ms(cert) : 0;
    if (code == 0 && ms == 0)
        code = fail(err, ERR_MALFORMED, "the certificate's end is no time");
    if (code == 0)
        *not_after_ms = ms;
    X509_free(cert);
    return code;
}

/* --- identities --- */

static const char uri_cluster[] = "weft://cluster/";
static const char uri_agent[] = "/agent/";

void x509_agent_uri(const struct uuid *cluster_id, const struct uuid *agent_id,
                    char uri[128])
{
    char cluster[UUID_TEXT_LEN + 1], agent[UUID_TEXT_LEN + 1];
    snprintf(uri, 128, "%s%s%s%s", uri_cluster, uuid_print(cluster_id, cluster),
             uri_agent, uuid_print(agent_id, agent));
}

int x509_parse_agent_uri(struct slice uri, struct uuid *cluster_id, struct uuid *agent_id)
{
    const size_t cluster_at = sizeof(uri_cluster) - 1;
    const size_t middle_at = cluster_at + UUID_TEXT_LEN;
    const size_t agent_at = middle_at + sizeof(uri_agent) - 1;
    struct uuid cluster, agent;

    if (uri.len != agent_at + UUID_TEXT_LEN ||
        memcmp(uri.ptr, uri_cluster, cluster_at) != 0 ||
        memcmp(uri.ptr + middle_at, uri_agent, agent_at - middle_at) != 0 ||
        uuid_parse(slice_of(uri.ptr + cluster_at, UUID_TEXT_LEN), &cluster) != 0 ||
        uuid_parse(slice_of(uri.ptr + agent_at, UUID_TEXT_LEN), &agent) != 0)
        return ERR_MALFORMED;
    *cluster_id = cluster;
    *agent_id = agent;
    return 0;
}

static const char uri_cell[] = "weft://cell/";
static const char uri_node[] = "/node/";

void x509_node_uri(const struct uuid *cell_id, uint64_t node_id, char uri[128])
{
    char cell[UUID_TEXT_LEN + 1];
    snprintf(uri, 128, "%s%s%s%llu", uri_cell, uuid_print(cell_id, cell), uri_node,
             (unsigned long long)node_id);
}

int x509_parse_node_uri(struct slice uri, struct uuid *cell_id, uint64_t *node_id)
{
    const size_t cell_at = sizeof(uri_cell) - 1;
    const size_t middle_at = cell_at + UUID_TEXT_LEN;
    const size_t number_at = middle_at + sizeof(uri_node) - 1;
    struct uuid cell;
    uint64_t number = 0;

    /* One spelling a node: no leading zero, no more digits than 64 bits surely hold. */
    if (uri.len <= number_at || uri.len > number_at + 19 || uri.ptr[number_at] == '0' ||
        memcmp(uri.ptr, uri_cell, cell_at) != 0 ||
        memcmp(uri.ptr + middle_at, uri_node, number_at - middle_at) != 0 ||
        uuid_parse(slice_of(uri.ptr + cell_at, UUID_TEXT_LEN), &cell) != 0)
        return ERR_MALFORMED;
    for (size_t i = number_at; i < uri.len; i++) {
        if (uri.ptr[i] < '0' || uri.ptr[i] > '9')
            return ERR_MALFORMED;
        number = number * 10 + (uint64_t)(uri.ptr[i] - '0');
    }
    *cell_id = cell;
    *node_id = number;
    return 0;
}
