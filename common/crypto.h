/* crypto.h - hashes, HMAC, random bytes, and sealing of secrets at rest (OpenSSL). */
#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"

#define SHA256_LEN     32
#define CRYPTO_KEY_LEN 32

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_LEN]);
/* The same in pieces: new, update..., end (which frees). */
struct crypto_sha256_stream;
struct crypto_sha256_stream *crypto_sha256_new(void);
void crypto_sha256_update(struct crypto_sha256_stream *stream, struct slice bytes);
void crypto_sha256_end(struct crypto_sha256_stream *stream, uint8_t digest[SHA256_LEN]);
void crypto_hmac_sha256(struct slice key, struct slice bytes, uint8_t digest[SHA256_LEN]);
void crypto_random(void *bytes, size_t len);
/* Lower-case hex; HEX has room for 2 * LEN + 1. */
void crypto_hex(const uint8_t *bytes, size_t len, char *hex);
/* The reverse of TEXT, which is 2 * LEN hex digits of either case: ERR_MALFORMED. */
int crypto_unhex(struct slice text, uint8_t *bytes, size_t len) MUST_CHECK;

/* Append PLAIN encrypted and authenticated under KEY (AES-256-GCM, a random nonce):
 * u8 1, nonce, ciphertext, tag. PURPOSE names what it is for, so that what was sealed for
 * one place cannot be put into another. A key seals secrets by the dozen, not by the
 * billion: nonces are random. */
#define CRYPTO_SEAL_OVERHEAD (1 + 12 + 16)
void crypto_seal(const uint8_t key[CRYPTO_KEY_LEN], const char *purpose,
                 struct slice plain, struct str *sealed);
/* Append what was sealed. ERR_UNAUTHENTICATED: another key, another purpose, or damaged;
 * nothing is appended then. */
int crypto_open(const uint8_t key[CRYPTO_KEY_LEN], const char *purpose,
                struct slice sealed, struct str *plain) MUST_CHECK;
/* Overwrite a secret's memory and free it. */
void crypto_forget(struct str *secret);
/* Compare in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

#endif
