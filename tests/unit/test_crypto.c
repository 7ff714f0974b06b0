/* test_crypto.c - hashes against published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/crypto.h"

static void assert_hex(const uint8_t *digest, const char *expected)
{
    char hex[2 * SHA256_LEN + 1];
    crypto_hex(digest, SHA256_LEN, hex);
    assert_string_equal(hex, expected);
}

/* SHA-256 of "abc" and of nothing (FIPS 180-4 examples). */
static void sha256_vectors(void **state)
{
    (void)state;
    uint8_t digest[SHA256_LEN];
    crypto_sha256(slice_str("abc"), digest);
    assert_hex(digest,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256(SLICE_NULL, digest);
    assert_hex(digest,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* HMAC-SHA-256: RFC 4231 test case 2, a key longer than a block (case 6), and no key. */
static void hmac_vectors(void **state)
{
    (void)state;
    uint8_t digest[SHA256_LEN], key[131];
    crypto_hmac_sha256(slice_str("Jefe"), slice_str("what do ya want for nothing?"),
                       digest);
    assert_hex(digest,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    crypto_hmac_sha256(
        slice_of(key, sizeof(key)),
        slice_str("Test Using Larger Than Block-Size Key - Hash Key First"), digest);
    assert_hex(digest,
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    crypto_hmac_sha256(SLICE_NULL, SLICE_NULL, digest);
    assert_hex(digest,
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* Random bytes fill the whole buffer and differ each time. */
static void random_fills(void **state)
{
    (void)state;
    uint8_t a[64] = {0}, b[64] = {0};
    static const uint8_t zero[32];
    crypto_random(a, sizeof(a));
    crypto_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + 32, zero, 32);
}

/* Equal means equal in every byte. */
static void equal_compares_all(void **state)
{
    (void)state;
    assert_true(crypto_equal("abcd", "abcd", 4));
    assert_false(crypto_equal("abcd", "abce", 4));
    assert_true(crypto_equal("x", "y", 0));
}

/* What was sealed opens with the same key and purpose, and with nothing else; a changed
 * byte anywhere, or a cut, is found. */
static void seal_and_open(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_LEN], other[CRYPTO_KEY_LEN];
    struct str sealed, again, plain;
    struct slice secret = SLICE_LITERAL("a secret that is longer than one block of AES");
    crypto_random(key, sizeof(key));
    crypto_random(other, sizeof(other));
    str_init(&sealed, 4096);
    str_init(&again, 4096);
    str_init(&plain, 4096);
    crypto_seal(key, "test", secret, &sealed);
    crypto_seal(key, "test", secret, &again);
    assert_int_equal(sealed.len, secret.len + CRYPTO_SEAL_OVERHEAD);
    assert_memory_not_equal(sealed.data, again.data, sealed.len);
    assert_int_equal(crypto_open(key, "test", str_slice(&sealed), &plain), 0);
    assert_true(slice_eq(str_slice(&plain), secret));
    str_reset(&plain);
    assert_int_equal(crypto_open(other, "test", str_slice(&sealed), &plain),
                     ERR_UNAUTHENTICATED);
    assert_int_equal(crypto_open(key, "tests", str_slice(&sealed), &plain),
                     ERR_UNAUTHENTICATED);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(crypto_open(key, "test", str_slice(&sealed), &plain),
                         ERR_UNAUTHENTICATED);
        sealed.data[i] ^= 1;
        assert_int_equal(crypto_open(key, "test", slice_of(sealed.data, i), &plain),
                         ERR_UNAUTHENTICATED);
    }
    assert_int_equal(plain.len, 0);
    str_reset(&sealed);
    crypto_seal(key, "", SLICE_NULL, &sealed);
    assert_int_equal(crypto_open(key, "", str_slice(&sealed), &plain), 0);
    assert_int_equal(plain.len, 0);
    crypto_forget(&plain);
    str_fini(&again);
    str_fini(&sealed);
}

/* Hex goes both ways; what is not hex, or of another length, is refused. */
static void unhex(void **state)
{
    (void)state;
    uint8_t bytes[3];
    char hex[7];
    assert_int_equal(crypto_unhex(SLICE_LITERAL("00fFa5"), bytes, 3), 0);
    crypto_hex(bytes, 3, hex);
    assert_string_equal(hex, "00ffa5");
    assert_int_equal(crypto_unhex(SLICE_LITERAL("00ffa"), bytes, 3), ERR_MALFORMED);
    assert_int_equal(crypto_unhex(SLICE_LITERAL("00ffa5a"), bytes, 3), ERR_MALFORMED);
    assert_int_equal(crypto_unhex(SLICE_LITERAL("00ffg5"), bytes, 3), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors), cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(random_fills),   cmocka_unit_test(equal_compares_all),
        cmocka_unit_test(seal_and_open),  cmocka_unit_test(unhex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
