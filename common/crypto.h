/* crypto.h - hashes, HMAC and random bytes (OpenSSL). */
#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

#define SHA256_LEN 32

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_LEN]);
void crypto_hmac_sha256(struct slice key, struct slice bytes, uint8_t digest[SHA256_LEN]);
void crypto_random(void *bytes, size_t len);
/* Lower-case hex; HEX has room for 2 * LEN + 1. */
void crypto_hex(const uint8_t *bytes, size_t len, char *hex);
/* Compare in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

#endif
