/* peer_certificates.c - see peer_certificates.h. */
#include "tests/lib/peer_certificates.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/x509.h"
#include "controlplane/peer_tls.h"

void test_ca_init(struct test_ca *ca)
{
    str_init(&ca->key, X509_PEM_MAX);
    str_init(&ca->cert, X509_PEM_MAX);
    ASSERT(x509_make_key(&ca->key, NULL) == 0);
    ASSERT(x509_make_ca(str_slice(&ca->key), "test cell", 10, &ca->cert, NULL) == 0);
}

void test_ca_fini(struct test_ca *ca)
{
    str_fini(&ca->key);
    str_fini(&ca->cert);
}

void test_certificate_init(struct test_certificate *certificate, const struct test_ca *ca,
                           const struct uuid *cell_id, uint64_t node_id, const char *uri)
{
    char own[128];
    struct x509_profile profile = {.common_name = "node",
                                   .uri_san = uri,
                                   .server = true,
                                   .client = true,
                                   .not_before_ms = clock_wall_ms() - 60000,
                                   .not_after_ms = clock_wall_ms() + 3600000};

    if (uri == NULL) {
        peer_tls_uri(cell_id, node_id, own);
        profile.uri_san = own;
    }
    str_init(&certificate->key, X509_PEM_MAX);
    str_init(&certificate->cert, X509_PEM_MAX);
    ASSERT(x509_issue(str_slice(&ca->key), str_slice(&ca->cert), &profile,
                      &certificate->key, &certificate->cert, NULL) == 0);
    certificate->pem.chain_pem = str_slice(&certificate->cert);
    certificate->pem.key_pem = str_slice(&certificate->key);
    certificate->pem.ca_pem = str_slice(&ca->cert);
}

void test_certificate_fini(struct test_certificate *certificate)
{
    str_fini(&certificate->key);
    str_fini(&certificate->cert);
}
