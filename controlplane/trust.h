/* trust.h - whom the control plane trusts: its certificate authority, the admin token,
 * and the making and hashing of tokens.
 *
 * Everything lives in the data directory: ca.key (0600), ca.crt, ca.fingerprint, and the
 * admin token (0600). A trust is immutable once it is open: any thread may call it.
 * Tokens are 256 random bits behind a prefix that names their kind; only their SHA-256
 * is ever kept or compared, and none is ever logged. */
#ifndef CONTROLPLANE_TRUST_H
#define CONTROLPLANE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "proto/command.h"

struct trust;

struct trust_options {
    const char *data_dir;         /* exists */
    const char *admin_token_file; /* NULL: DATA_DIR/admin-token */
    const char *tls_names;        /* comma-separated names and IP literals of ours */
    int64_t agent_life_ms;        /* of an agent's certificate */
    int64_t server_life_ms;       /* of our own */
};

/* Load what is there, make what is missing (the first start). A key without its
 * certificate is completed; a certificate without its key, or a private file that others
 * can read, is refused with a text that says what to do. */
int trust_open(const struct trust_options *options, struct trust **trust,
               struct err *err) MUST_CHECK;
void trust_close(struct trust *trust); /* NULL is fine */

struct slice trust_ca_pem(const struct trust *trust);
const char *trust_ca_fingerprint(const struct trust *trust); /* 64 hex digits */
const char *trust_admin_token_file(const struct trust *trust);

/* A fresh key and certificate for our listeners, from NOW_MS (wall) on. */
int trust_issue_server(const struct trust *trust, int64_t now_ms, struct str *cert_pem,
                       struct str *key_pem, struct err *err) MUST_CHECK;
/* Sign an agent's request: the identity is the caller's word, never the request's (I10).
 * ERR_MALFORMED when the request or its signature is bad. */
int trust_sign_agent(const struct trust *trust, struct slice request_pem,
                     const struct uuid *cluster_id, const struct uuid *agent_id,
                     int64_t now_ms, struct str *cert_pem, int64_t *not_after_ms,
                     struct err *err) MUST_CHECK;

/* Replace PATH by a file of BYTES and MODE: whole or not at all, also over a crash. */
int trust_write_file(const char *path, struct slice bytes, unsigned mode,
                     struct err *err) MUST_CHECK;

/* Is TOKEN the admin token? In constant time. */
bool trust_is_admin(const struct trust *trust, struct slice token);

#define TOKEN_UNKNOWN 0 /* beside the kinds of enum token_kind */

#define TOKEN_TEXT_MAX 96

/* A new token of KIND and its hash. */
void token_make(enum token_kind kind, char text[TOKEN_TEXT_MAX],
                uint8_t hash[SHA256_LEN]);
void token_hash(struct slice token, uint8_t hash[SHA256_LEN]);
/* What the prefix says; proves nothing. */
int token_kind_of(struct slice token);
/* The token of "Bearer TOKEN" (RFC 6750 section 2.1), or a null slice. */
struct slice token_of_header(const char *authorization);

#endif
