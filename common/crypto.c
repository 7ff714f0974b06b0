/* crypto.c - hashes, HMAC, random bytes, sealing; a door to OpenSSL's libcrypto. */
#include "common/crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "common/check.h"

#define SEAL_VERSION 1
#define NONCE_LEN    12
#define TAG_LEN      16

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_LEN])
{
    unsigned len = 0;
    int ok = EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(), NULL);
    ASSERT(ok == 1 && len == SHA256_LEN);
}

/* The struct is OpenSSL's, under our name. */
struct crypto_sha256_stream *crypto_sha256_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ASSERT(context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    return (struct crypto_sha256_stream *)context;
}

void crypto_sha256_update(struct crypto_sha256_stream *stream, struct slice bytes)
{
    int ok = EVP_DigestUpdate((EVP_MD_CTX *)stream, bytes.ptr, bytes.len);
    ASSERT(ok == 1);
}

void crypto_sha256_end(struct crypto_sha256_stream *stream, uint8_t digest[SHA256_LEN])
{
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex((EVP_MD_CTX *)stream, digest, &len);
    ASSERT(ok == 1 && len == SHA256_LEN);
    EVP_MD_CTX_free((EVP_MD_CTX *)stream);
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

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int crypto_unhex(struct slice text, uint8_t *bytes, size_t len)
{
    if (text.len != 2 * len)
        return ERR_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        if (digit_of(text.ptr[i]) < 0)
            return ERR_MALFORMED;
    }
    for (size_t i = 0; i < len; i++)
        bytes[i] =
            (uint8_t)(digit_of(text.ptr[2 * i]) << 4 | digit_of(text.ptr[2 * i + 1]));
    return 0;
}

/* --- sealing --- */

static EVP_CIPHER_CTX *new_gcm(const uint8_t *key, const uint8_t *nonce,
                               const char *purpose, bool encrypt)
{
    int len = 0;
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    ASSERT(gcm != NULL);
    int ok = EVP_CipherInit_ex2(gcm, EVP_aes_256_gcm(), key, nonce, encrypt, NULL);
    ASSERT(ok == 1);
    ok =
        EVP_CipherUpdate(gcm, NULL, &len, (const uint8_t *)purpose, (int)strlen(purpose));
    ASSERT(ok == 1);
    return gcm;
}

void crypto_seal(const uint8_t key[CRYPTO_KEY_LEN], const char *purpose,
                 struct slice plain, struct str *sealed)
{
    uint8_t nonce[NONCE_LEN], tag[TAG_LEN], version = SEAL_VERSION;
    uint8_t chunk[1024];
    int len = 0;

    crypto_random(nonce, sizeof(nonce));
    str_append(sealed, &version, 1);
    str_append(sealed, nonce, sizeof(nonce));
    EVP_CIPHER_CTX *gcm = new_gcm(key, nonce, purpose, true);
    while (plain.len > 0) {
        size_t take = MIN(plain.len, sizeof(chunk));
        int ok = EVP_CipherUpdate(gcm, chunk, &len, plain.ptr, (int)take);
        ASSERT(ok == 1 && len == (int)take);
        str_append(sealed, chunk, take);
        plain = slice_of(plain.ptr + take, plain.len - take);
    }
    int ok = EVP_CipherFinal_ex(gcm, chunk, &len);
    ASSERT(ok == 1 && len == 0);
    ok = EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag);
    ASSERT(ok == 1);
    str_append(sealed, tag, sizeof(tag));
    EVP_CIPHER_CTX_free(gcm);
}

/* Nothing is believed before the tag was checked: into memory of its own first. */
int crypto_open(const uint8_t key[CRYPTO_KEY_LEN], const char *purpose,
                struct slice sealed, struct str *plain)
{
    uint8_t tag[TAG_LEN];
    struct str opened;
    int len = 0, code = 0;

    if (sealed.len < CRYPTO_SEAL_OVERHEAD || sealed.len > INT_MAX ||
        sealed.ptr[0] != SEAL_VERSION)
        return ERR_UNAUTHENTICATED;
    const uint8_t *nonce = sealed.ptr + 1;
    size_t plain_len = sealed.len - CRYPTO_SEAL_OVERHEAD;
    memcpy(tag, sealed.ptr + sealed.len - TAG_LEN, TAG_LEN);
    str_init(&opened, plain_len + 1);
    uint8_t *room = str_extend(&opened, plain_len);
    EVP_CIPHER_CTX *gcm = new_gcm(key, nonce, purpose, false);
    if ((plain_len > 0 &&
         EVP_CipherUpdate(gcm, room, &len, nonce + NONCE_LEN, (int)plain_len) != 1) ||
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1 ||
        EVP_CipherFinal_ex(gcm, tag, &len) != 1)
        code = ERR_UNAUTHENTICATED;
    else
        str_append_slice(plain, str_slice(&opened));
    EVP_CIPHER_CTX_free(gcm);
    crypto_forget(&opened);
    return code;
}

void crypto_forget(struct str *secret)
{
    if (secret->data != NULL)
        OPENSSL_cleanse(secret->data, secret->len);
    str_fini(secret);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
