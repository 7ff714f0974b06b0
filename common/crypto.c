/* crypto.c - hashes, HMAC and random bytes; a door to OpenSSL's libcrypto. */
#include "common/crypto.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "common/check.h"

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_LEN])
{
    unsigned len = 0;
    int ok = EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(), NULL);
    ASSERT(ok == 1 && len == SHA256_LEN);
}

void crypto_hmac_sha256(struct slice key, struct slice bytes, uint8_t digest[SHA256_LEN])
{
    unsigned len = 0;
    ASSERT(key.len <= INT_MAX);
    /* A NULL key would mean "as before" to OpenSSL. */
    const void *key_ptr = key.ptr == NULL ? "" : (const void *)key.ptr;
    const unsigned char *done =
        HMAC(EVP_sha256(), key_ptr, (int)key.len, bytes.ptr, bytes.len, digest, &len);
    ASSERT(done != NULL && len == SHA256_LEN);
}

void crypto_random(void *bytes, size_t len)
{
    ASSERT(len <= INT_MAX);
    int ok = RAND_bytes(bytes, (int)len);
    ASSERT(ok == 1);
}

void crypto_hex(const uint8_t *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 15];
    }
    *hex = '\0';
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
