/* trust.h - whom the cell trusts: its certificate authorities, the certificates that they
 * sign, and the texts of tokens.
 *
 * Everything comes out of the replicated state (trust_load, whenever that changes), where
 * the keys lie sealed under the cell key; so every node can do what any can, and no
 * secret is on a disk in plain. Any thread may call it.
 *
 * A token's text is a prefix that names its kind, and base64url of its id and of the
 * HMAC-SHA256 of that id under the cell's token secret: so whoever repeats a request that
 * made one can be shown the same text, while only the SHA-256 of the text is kept. Tokens
 * are compared by that, and none is ever logged. */
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
#include "common/x509.h"
#include "proto/command.h"

struct trust;

struct trust_options {
    uint8_t cell_key[CRYPTO_KEY_LEN];
    const char *tls_names; /* comma-separated names and IP literals of this node */
    int64_t agent_life_ms; /* of an agent's certificate */
    int64_t node_life_ms;  /* of a node's */
};

struct trust *trust_new(const struct trust_options *options);
void trust_free(struct trust *trust); /* NULL is fine */

/* One authority, as the state keeps it. */
struct trust_ca {
    struct slice cert_pem;
    struct slice cross_pem; /* it, signed by the one before; empty for the first */
    struct slice sealed_key;
};

/* Trust CAS, oldest first; the last one signs. ERR_UNAUTHENTICATED: the cell key does not
 * open them, which is a wrong one; nothing is changed then. */
int trust_load(struct trust *trust, const struct trust_ca *cas, size_t count,
               struct slice sealed_token_secret, struct err *err) MUST_CHECK;
/* Until then the calls below that sign or make tokens fail with ERR_UNAVAILABLE. */
bool trust_loaded(const struct trust *trust);
/* Grows with each load that changed anything. */
uint64_t trust_version(const struct trust *trust);

/* Append all CA certificates, the one that signs first. */
void trust_bundle(const struct trust *trust, struct str *pem);
/* Of the one that signs; "" before the load. */
void trust_fingerprint(const struct trust *trust, char hex[X509_FINGERPRINT_LEN + 1]);

/* Was what this authority has signed (x509_authority_id) signed by one that is trusted
 * still? True before the load: then the handshake alone decides. */
bool trust_knows(const struct trust *trust, const char *authority);

/* Sign an agent's request: the identity is the caller's word, never the request's (I10).
 * ERR_MALFORMED when the request or its signature is bad. */
int trust_sign_agent(const struct trust *trust, struct slice request_pem,
                     const struct uuid *cluster_id, const struct uuid *agent_id,
                     int64_t now_ms, struct str *cert_pem, int64_t *not_after_ms,
                     struct err *err) MUST_CHECK;
/* Sign a node's request, for its listeners and for the other nodes. NAMES: as tls_names.
 * CHAIN_PEM: the certificate, and the cross-certificate that leads to the CA before. */
int trust_sign_node(const struct trust *trust, struct slice request_pem,
                    const struct uuid *cell_id, uint64_t node_id, const char *names,
                    int64_t now_ms, struct str *chain_pem, int64_t *not_after_ms,
                    struct err *err) MUST_CHECK;
/* The same for this node itself, with its own names and a fresh key. */
int trust_issue_node(const struct trust *trust, const struct uuid *cell_id,
                     uint64_t node_id, int64_t now_ms, struct str *chain_pem,
                     struct str *key_pem, int64_t *not_after_ms,
                     struct err *err) MUST_CHECK;

/* Append what signs now, as it was loaded: certificate, cross-certificate, sealed key;
 * and the sealed token secret. Nothing before the load. */
void trust_export(const struct trust *trust, struct str *cert_pem, struct str *cross_pem,
                  struct str *sealed_key, struct str *sealed_token_secret);
/* A new authority, cross-signed by the one that signs now (CROSS_PEM stays empty without
 * one). It takes effect when the state has it and is loaded. */
int trust_make_ca(const struct trust *trust, struct str *cert_pem, struct str *cross_pem,
                  struct str *sealed_key, struct err *err) MUST_CHECK;
/* A new token secret, sealed, for a new cell. */
void trust_make_secret(const struct trust *trust, struct str *sealed);

/* Proof that a joining node has the cell key: a MAC of its request under it. */
void trust_join_proof(const struct trust *trust, struct slice request_pem,
                      char hex[2 * SHA256_LEN + 1]);

#define CA_NONCE_LEN 32 /* lower-case hex digits */
/* Proof of the cell to a joining node that was told no fingerprint: a MAC of the node's
 * NONCE and of the certificates CA_PEM under the cell key. */
void trust_ca_proof(const struct trust *trust, struct slice nonce, struct slice ca_pem,
                    char hex[2 * SHA256_LEN + 1]);

/* --- tokens --- */

#define TOKEN_UNKNOWN  0 /* beside the kinds of enum token_kind */
#define TOKEN_TEXT_MAX 96

/* The text of the token of KIND with this id, and its hash. ERR_UNAVAILABLE before the
 * load. */
int trust_token(const struct trust *trust, enum token_kind kind,
                const struct uuid *token_id, char text[TOKEN_TEXT_MAX],
                uint8_t hash[SHA256_LEN]) MUST_CHECK;
/* The join token of whoever has the cell key, made from that alone; so it may be used any
 * number of times, where the nodes take it (--join-by-key). */
void trust_key_token(const struct trust *trust, char text[TOKEN_TEXT_MAX],
                     uint8_t hash[SHA256_LEN]);
void token_hash(struct slice token, uint8_t hash[SHA256_LEN]);
/* What the prefix says; proves nothing. */
int token_kind_of(struct slice token);
/* The token of "Bearer TOKEN" (RFC 6750 section 2.1), or a null slice. */
struct slice token_of_header(const char *authorization);

#endif
