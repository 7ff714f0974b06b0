/* test_x509.c - the certificate authority, read back with OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/x509.h"

static struct str ca_key, ca_cert, key, request;
static struct err err;

static const char *const names[] = {"localhost", "127.0.0.1", "::1", "a.example,DNS:evil",
                                    NULL};

static struct x509_profile make_profile(void)
{
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    return (struct x509_profile){
        .common_name = "agent, CN=x",
        .uri_san = "weft://cluster/a/agent/b",
        .dns_san = names,
        .client = true,
        .not_before_ms = now_ms - 60000,
        .not_after_ms = now_ms + 3600000,
    };
}

static X509 *load(const struct str *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

/* Is CERT good for PURPOSE under the authority CA? */
static bool verifies(X509 *ca, X509 *cert, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(context, store, cert, NULL);
    X509_STORE_CTX_set_purpose(context, purpose);
    bool ok = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return ok;
}

/* The certificate that is made for a request verifies for its use only, and holds exactly
 * the names of the profile: a comma in a name begins no other. */
static void signed_request_verifies(void **state)
{
    (void)state;
    struct x509_profile profile = make_profile();
    struct str pem;
    str_init(&pem, X509_PEM_MAX);
    assert_int_equal(x509_sign_request(str_slice(&ca_key), str_slice(&ca_cert),
                                       str_slice(&request), &profile, &pem, &err),
                     0);
    X509 *ca = load(&ca_cert), *cert = load(&pem);
    assert_true(verifies(ca, cert, X509_PURPOSE_SSL_CLIENT));
    assert_false(verifies(ca, cert, X509_PURPOSE_SSL_SERVER));
    assert_int_equal(X509_check_ca(cert), 0);

    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(sans), 5);
    const GENERAL_NAME *uri = sk_GENERAL_NAME_value(sans, 0);
    assert_int_equal(uri->type, GEN_URI);
    assert_string_equal((const char *)ASN1_STRING_get0_data(uri->d.ia5), profile.uri_san);
    assert_int_equal(sk_GENERAL_NAME_value(sans, 2)->type, GEN_IPADD);
    const GENERAL_NAME *odd = sk_GENERAL_NAME_value(sans, 4);
    assert_string_equal((const char *)ASN1_STRING_get0_data(odd->d.ia5), names[3]);
    GENERAL_NAMES_free(sans);

    char cn[64];
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn,
                              sizeof(cn));
    assert_string_equal(cn, "agent, CN=x");
    X509_free(ca);
    X509_free(cert);
    str_fini(&pem);
}

/* The end of a certificate is the profile's, to the second. */
static void end_is_the_profiles(void **state)
{
    (void)state;
    struct x509_profile profile = make_profile();
    struct str cert_key, pem;
    int64_t end_ms = 0;
    str_init(&cert_key, X509_PEM_MAX);
    str_init(&pem, X509_PEM_MAX);
    profile.client = false;
    profile.server = true;
    assert_int_equal(x509_issue(str_slice(&ca_key), str_slice(&ca_cert), &profile,
                                &cert_key, &pem, &err),
                     0);
    assert_int_equal(x509_not_after_ms(str_slice(&pem), &end_ms, &err), 0);
    assert_int_equal(end_ms / 1000, profile.not_after_ms / 1000);
    X509 *ca = load(&ca_cert), *cert = load(&pem);
    assert_true(verifies(ca, cert, X509_PURPOSE_SSL_SERVER));
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    X509_free(ca);
    X509_free(cert);
    str_fini(&cert_key);
    str_fini(&pem);
}

/* A certificate of another authority does not verify. */
static void other_authority_is_a_stranger(void **state)
{
    (void)state;
    struct str other_key, other_cert;
    str_init(&other_key, X509_PEM_MAX);
    str_init(&other_cert, X509_PEM_MAX);
    assert_int_equal(x509_make_key(&other_key, &err), 0);
    assert_int_equal(
        x509_make_ca(str_slice(&other_key), "weft CA", 10, &other_cert, &err), 0);
    struct x509_profile profile = make_profile();
    struct str pem;
    str_init(&pem, X509_PEM_MAX);
    /* Key and certificate that do not belong together sign nothing. */
    assert_int_equal(x509_sign_request(str_slice(&other_key), str_slice(&ca_cert),
                                       str_slice(&request), &profile, &pem, &err),
                     ERR_INVALID);
    assert_int_equal(x509_sign_request(str_slice(&other_key), str_slice(&other_cert),
                                       str_slice(&request), &profile, &pem, &err),
                     0);
    X509 *ca = load(&ca_cert), *cert = load(&pem);
    assert_false(verifies(ca, cert, X509_PURPOSE_SSL_CLIENT));
    X509_free(ca);
    X509_free(cert);
    str_fini(&pem);
    str_fini(&other_key);
    str_fini(&other_cert);
}

/* Requests that are no PEM, cut, too long, or with another key's signature are refused.
 */
static void bad_requests_are_refused(void **state)
{
    (void)state;
    struct x509_profile profile = make_profile();
    struct str pem, forged;
    static char longer[X509_PEM_MAX + 1];
    str_init(&pem, X509_PEM_MAX);
    str_init(&forged, X509_PEM_MAX);

    /* The forger has the owner's public key, but not the private one. */
    BIO *bio = BIO_new_mem_buf(request.data, (int)request.len);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_mem_buf(ca_key.data, (int)ca_key.len);
    EVP_PKEY *forger = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_true(X509_REQ_sign(req, forger, EVP_sha256()) > 0);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_REQ(bio, req);
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    str_append(&forged, data, (size_t)len);
    BIO_free(bio);
    X509_REQ_free(req);
    EVP_PKEY_free(forger);

    const struct slice bad[] = {
        SLICE_NULL,
        slice_str("hello"),
        slice_of(request.data, request.len / 2),
        slice_of(longer, sizeof(longer)),
        str_slice(&ca_cert),
        str_slice(&forged),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(x509_sign_request(str_slice(&ca_key), str_slice(&ca_cert),
                                           bad[i], &profile, &pem, &err),
                         ERR_MALFORMED);
        assert_int_equal(pem.len, 0);
    }
    assert_non_null(strstr(err.text, "the request is not signed by its own key"));
    str_fini(&pem);
    str_fini(&forged);
}

/* Only P-256 keys are signed: a request with an RSA key is refused. */
static void other_keys_are_refused(void **state)
{
    (void)state;
    struct x509_profile profile = make_profile();
    struct str rsa_key, rsa_request, pem;
    str_init(&rsa_key, X509_PEM_MAX);
    str_init(&rsa_request, X509_PEM_MAX);
    str_init(&pem, X509_PEM_MAX);
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    PEM_write_bio_PKCS8PrivateKey(bio, rsa, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &data);
    str_append(&rsa_key, data, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(rsa);
    assert_int_equal(x509_make_request(str_slice(&rsa_key), "rsa", &rsa_request, &err),
                     0);
    assert_int_equal(x509_sign_request(str_slice(&ca_key), str_slice(&ca_cert),
                                       str_slice(&rsa_request), &profile, &pem, &err),
                     ERR_MALFORMED);
    assert_string_equal(err.text, "the request's key is not ECDSA P-256");
    str_fini(&rsa_key);
    str_fini(&rsa_request);
    str_fini(&pem);
}

/* The fingerprint is that of the DER, the same each time and another for another. */
static void fingerprint_tells_apart(void **state)
{
    (void)state;
    char a[X509_FINGERPRINT_LEN + 1], b[X509_FINGERPRINT_LEN + 1];
    unsigned char digest[32];
    unsigned len = 0;
    struct str other;
    str_init(&other, X509_PEM_MAX);
    assert_int_equal(x509_make_ca(str_slice(&ca_key), "weft CA", 10, &other, &err), 0);
    assert_int_equal(x509_fingerprint(str_slice(&ca_cert), a, &err), 0);
    assert_int_equal(x509_fingerprint(str_slice(&other), b, &err), 0);
    assert_string_not_equal(a, b);
    X509 *cert = load(&ca_cert);
    X509_digest(cert, EVP_sha256(), digest, &len);
    char first[3];
    snprintf(first, sizeof(first), "%02x", digest[0]);
    assert_memory_equal(a, first, 2);
    assert_int_equal(strlen(a), X509_FINGERPRINT_LEN);
    X509_free(cert);
    assert_int_equal(x509_fingerprint(str_slice(&ca_key), a, &err), ERR_MALFORMED);
    str_fini(&other);
}

/* What an authority signs names the authority's key, and so does its own certificate,
 * also when another authority has signed that across. */
static void key_ids_lead_to_the_authority(void **state)
{
    (void)state;
    char own[X509_KEY_ID_LEN + 1], id[X509_KEY_ID_LEN + 1];
    struct str other_key, other, cross, leaf_key, cert;
    struct x509_profile profile = {.common_name = "a",
                                   .client = true,
                                   .not_before_ms = 0,
                                   .not_after_ms = INT64_C(4000000000000)};
    str_init(&other_key, X509_PEM_MAX);
    str_init(&other, X509_PEM_MAX);
    str_init(&cross, X509_PEM_MAX);
    str_init(&leaf_key, X509_PEM_MAX);
    str_init(&cert, X509_PEM_MAX);
    assert_int_equal(x509_make_key(&other_key, &err), 0);
    assert_int_equal(x509_make_ca(str_slice(&other_key), "other", 10, &other, &err), 0);
    assert_int_equal(x509_cross_sign(str_slice(&other_key), str_slice(&other),
                                     str_slice(&ca_cert), &cross, &err),
                     0);
    assert_int_equal(x509_issue(str_slice(&ca_key), str_slice(&ca_cert), &profile,
                                &leaf_key, &cert, &err),
                     0);
    assert_int_equal(x509_key_id(str_slice(&ca_cert), own, &err), 0);
    assert_int_equal(strlen(own), X509_KEY_ID_LEN);
    assert_int_equal(x509_key_id(str_slice(&cross), id, &err), 0);
    assert_string_equal(id, own);
    assert_int_equal(x509_authority_id(str_slice(&cert), id, &err), 0);
    assert_string_equal(id, own);
    assert_int_equal(x509_authority_id(str_slice(&cross), id, &err), 0);
    assert_string_not_equal(id, own);
    assert_int_equal(x509_key_id(str_slice(&ca_key), id, &err), ERR_MALFORMED);
    str_fini(&other_key);
    str_fini(&other);
    str_fini(&cross);
    str_fini(&leaf_key);
    str_fini(&cert);
}

/* An encrypted key is refused, without asking anybody for a password. */
static void encrypted_key_is_refused(void **state)
{
    (void)state;
    struct str pem, out;
    EVP_PKEY *plain = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    PEM_write_bio_PKCS8PrivateKey(bio, plain, EVP_aes_128_cbc(), "pass", 4, NULL, NULL);
    long len = BIO_get_mem_data(bio, &data);
    str_init(&pem, X509_PEM_MAX);
    str_init(&out, X509_PEM_MAX);
    str_append(&pem, data, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(plain);
    assert_int_equal(x509_make_request(str_slice(&pem), "x", &out, &err), ERR_MALFORMED);
    str_fini(&pem);
    str_fini(&out);
}

/* A common name that X.509 does not allow (64 characters at most) is refused. */
static void long_name_is_refused(void **state)
{
    (void)state;
    char name[66];
    struct str out;
    memset(name, 'n', 65);
    name[65] = '\0';
    str_init(&out, X509_PEM_MAX);
    assert_int_equal(x509_make_request(str_slice(&key), name, &out, &err), ERR_INVALID);
    assert_int_equal(x509_make_ca(str_slice(&key), name, 1, &out, &err), ERR_INVALID);
    str_fini(&out);
}

/* The agent's URI is read back; anything else is malformed. */
static void agent_uri_round_trips(void **state)
{
    (void)state;
    struct uuid cluster = uuid_random(), agent = uuid_random(), c, a;
    char uri[128];
    x509_agent_uri(&cluster, &agent, uri);
    assert_int_equal(x509_parse_agent_uri(slice_str(uri), &c, &a), 0);
    assert_true(uuid_eq(&cluster, &c) && uuid_eq(&agent, &a));
    assert_int_equal(x509_parse_agent_uri(slice_of(uri, strlen(uri) - 1), &c, &a),
                     ERR_MALFORMED);
    assert_int_equal(x509_parse_agent_uri(SLICE_NULL, &c, &a), ERR_MALFORMED);
    uri[3] = 'T';
    assert_int_equal(x509_parse_agent_uri(slice_str(uri), &c, &a), ERR_MALFORMED);
}

/* A node's URI is read back; a number that is zero, has another spelling or is too large
 * is malformed, and so is an agent's. */
static void node_uri_round_trips(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "01", "1x", "-1", "10000000000000000000"};
    struct uuid cell = uuid_random(), c;
    uint64_t node_id = 0;
    char uri[128], text[UUID_TEXT_LEN + 1], other[160];
    x509_node_uri(&cell, 1234567890123456789, uri);
    assert_int_equal(x509_parse_node_uri(slice_str(uri), &c, &node_id), 0);
    assert_true(uuid_eq(&cell, &c) && node_id == 1234567890123456789);
    uuid_print(&cell, text);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(other, sizeof(other), "weft://cell/%s/node/%s", text, bad[i]);
        assert_int_equal(x509_parse_node_uri(slice_str(other), &c, &node_id),
                         ERR_MALFORMED);
    }
    x509_agent_uri(&cell, &cell, uri);
    assert_int_equal(x509_parse_node_uri(slice_str(uri), &c, &node_id), ERR_MALFORMED);
}

/* What a new authority signs verifies for whoever trusts only the old one, when the
 * cross-certificate is sent along, and for whoever trusts the new one without it. */
static void cross_certificate_bridges(void **state)
{
    (void)state;
    struct x509_profile profile = make_profile();
    struct str new_key, new_cert, cross, pem;
    struct str *all[] = {&new_key, &new_cert, &cross, &pem};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_init(all[i], X509_PEM_MAX);
    assert_int_equal(x509_make_key(&new_key, &err), 0);
    assert_int_equal(x509_make_ca(str_slice(&new_key), "CA 2", 20, &new_cert, &err), 0);
    assert_int_equal(x509_cross_sign(str_slice(&ca_key), str_slice(&ca_cert),
                                     str_slice(&new_cert), &cross, &err),
                     0);
    assert_int_equal(x509_sign_request(str_slice(&new_key), str_slice(&new_cert),
                                       str_slice(&request), &profile, &pem, &err),
                     0);
    X509 *old_ca = load(&ca_cert), *new_ca = load(&new_cert), *cert = load(&pem);
    X509 *bridge = load(&cross);
    assert_true(verifies(new_ca, cert, X509_PURPOSE_SSL_CLIENT));
    assert_false(verifies(old_ca, cert, X509_PURPOSE_SSL_CLIENT));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, bridge);
    X509_STORE_add_cert(store, old_ca);
    X509_STORE_CTX_init(context, store, cert, chain);
    assert_int_equal(X509_verify_cert(context), 1);
    /* It lives no longer than the authority that vouches. */
    assert_true(
        ASN1_TIME_compare(X509_get0_notAfter(bridge), X509_get0_notAfter(old_ca)) <= 0);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_free(chain);
    X509_free(old_ca);
    X509_free(new_ca);
    X509_free(cert);
    X509_free(bridge);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_fini(all[i]);
}

/* Of a bundle the certificate with the fingerprint is found, wherever it stands; another
 * fingerprint finds none. */
static void bundle_is_searched(void **state)
{
    (void)state;
    struct str second, bundle, found;
    char a[X509_FINGERPRINT_LEN + 1], b[X509_FINGERPRINT_LEN + 1];
    str_init(&second, X509_PEM_MAX);
    str_init(&bundle, X509_PEM_MAX);
    str_init(&found, X509_PEM_MAX);
    assert_int_equal(x509_make_ca(str_slice(&ca_key), "second", 10, &second, &err), 0);
    assert_int_equal(x509_fingerprint(str_slice(&ca_cert), a, &err), 0);
    assert_int_equal(x509_fingerprint(str_slice(&second), b, &err), 0);
    str_append_slice(&bundle, str_slice(&ca_cert));
    str_append_slice(&bundle, str_slice(&second));
    assert_int_equal(x509_find(str_slice(&bundle), b, &found, &err), 0);
    assert_string_equal(str_cstr(&found), str_cstr(&second));
    str_reset(&found);
    assert_int_equal(x509_find(str_slice(&bundle), a, &found, &err), 0);
    assert_string_equal(str_cstr(&found), str_cstr(&ca_cert));
    str_reset(&found);
    assert_int_equal(x509_find(str_slice(&ca_cert), b, &found, &err), ERR_NOT_FOUND);
    assert_int_equal(x509_find(SLICE_LITERAL("junk"), b, &found, &err), ERR_MALFORMED);
    assert_int_equal(found.len, 0);
    str_fini(&second);
    str_fini(&bundle);
    str_fini(&found);
}

/* A key belongs to its own certificate only. */
static void keys_match(void **state)
{
    (void)state;
    assert_true(x509_matches(str_slice(&ca_key), str_slice(&ca_cert)));
    assert_false(x509_matches(str_slice(&key), str_slice(&ca_cert)));
    assert_false(x509_matches(SLICE_LITERAL("junk"), str_slice(&ca_cert)));
}

static int make_authority(void **state)
{
    (void)state;
    struct str *all[] = {&ca_key, &ca_cert, &key, &request};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_init(all[i], X509_PEM_MAX);
    return x509_make_key(&ca_key, &err) ||
           x509_make_ca(str_slice(&ca_key), "weft CA", 10, &ca_cert, &err) ||
           x509_make_key(&key, &err) ||
           x509_make_request(str_slice(&key), "agent", &request, &err);
}

static int drop_authority(void **state)
{
    (void)state;
    struct str *all[] = {&ca_key, &ca_cert, &key, &request};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        str_fini(all[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_request_verifies),
        cmocka_unit_test(end_is_the_profiles),
        cmocka_unit_test(other_authority_is_a_stranger),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(fingerprint_tells_apart),
        cmocka_unit_test(key_ids_lead_to_the_authority),
        cmocka_unit_test(encrypted_key_is_refused),
        cmocka_unit_test(long_name_is_refused),
        cmocka_unit_test(agent_uri_round_trips),
        cmocka_unit_test(node_uri_round_trips),
        cmocka_unit_test(cross_certificate_bridges),
        cmocka_unit_test(bundle_is_searched),
        cmocka_unit_test(keys_match),
    };
    return cmocka_run_group_tests(tests, make_authority, drop_authority);
}
