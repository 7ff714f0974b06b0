/* node_certificates.h - what certificate each node of the cell has, as far as this node
 * knows: its own, and of the others what they reported while it led. In memory only; core
 * thread. */
#ifndef CONTROLPLANE_NODE_CERTIFICATES_H
#define CONTROLPLANE_NODE_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

#include "common/x509.h"

#define NODE_CERTIFICATES_MAX 64

struct node_certificate {
    uint64_t node_id;
    int64_t not_after_ms;
    char authority[X509_KEY_ID_LEN + 1]; /* x509_authority_id() */
};

struct node_certificates {
    struct node_certificate items[NODE_CERTIFICATES_MAX];
    size_t count;
};

/* NODE_ID has this one now. When there is no room for it, the longest unchanged goes. */
void node_certificates_set(struct node_certificates *all, uint64_t node_id,
                           int64_t not_after_ms, const char *authority);
/* NULL: not known. */
const struct node_certificate *node_certificates_find(const struct node_certificates *all,
                                                      uint64_t node_id);

#endif
