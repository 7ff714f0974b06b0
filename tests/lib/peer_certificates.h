/* peer_certificates.h - a CA and certificates of nodes, for tests of the peers. */
#ifndef LIB_PEER_CERTIFICATES_H
#define LIB_PEER_CERTIFICATES_H

#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/peers.h"

struct test_ca {
    struct str key, cert;
};
void test_ca_init(struct test_ca *ca);
void test_ca_fini(struct test_ca *ca);

struct test_certificate {
    struct str key, cert;
    struct peers_certificate pem; /* borrows both, and the CA's certificate */
};
/* For the node, or with URI for whatever that names. */
void test_certificate_init(struct test_certificate *certificate, const struct test_ca *ca,
                           const struct uuid *cell_id, uint64_t node_id, const char *uri);
void test_certificate_fini(struct test_certificate *certificate);

#endif
