/* join.h - a new node asks the cell to take it in: POST /api/v1/cell/join, with a token
 * of one use, or one that the cell key makes, and proof that it was given that key.
 *
 * Nothing secret is sent before the cell's CA was checked: against the fingerprint, or
 * without one by the cell's own proof of the key. Blocks its thread; for the start of the
 * process. */
#ifndef CONTROLPLANE_JOIN_H
#define CONTROLPLANE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "controlplane/identity.h"
#include "controlplane/trust.h"

struct join_options {
    const char *urls;           /* people's listeners of nodes, comma-separated */
    const char *ca_fingerprint; /* NULL: the cell proves itself by the key */
    const char *token;          /* NULL: that of the cell key */
    const char *name, *peer_address, *people_url, *agents_url, *tls_names;
    uint32_t features_max;
    bool standby;
    int64_t patience_ms;       /* how long to try while nobody answers, or nobody leads */
    const struct trust *trust; /* for the proof */
};

/* Join with IDENTITY's key and instance; then it is JOINED: id, cell, certificate, CAs
 * and peers are set. What repeating cannot mend (a used token, a wrong fingerprint, a
 * wrong cell key) fails at once, with a text that says what to do. Both end with
 * ERR_CANCELLED when a signal to stop waits (stop_signal.h). */
int join_cell(const struct join_options *options, struct identity *identity,
              struct err *err) MUST_CHECK;

/* Does ANYBODY answer at one of URLS? Asked until somebody does, or for PATIENCE_MS.
 * Where no name server says that a node is not there, or where it is, nothing is known:
 * then for MOST_MS, after which it fails. */
int join_anybody(const char *urls, int64_t patience_ms, int64_t most_ms, bool *anybody,
                 struct err *err) MUST_CHECK;

#endif
