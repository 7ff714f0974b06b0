/* test_base64.c - RFC 4648. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/base64.h"
#include "common/err.h"

/* The vectors of RFC 4648 section 10, both ways. */
static void rfc_vectors(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n < ARRAY_LEN(texts); n++) {
        struct str out;
        uint8_t bytes[8];
        size_t len = 99;
        str_init(&out, 16);
        base64_encode(slice_of("foobar", n), &out);
        assert_string_equal(str_cstr(&out), texts[n]);
        assert_int_equal(out.len, base64_encoded_len(n));
        assert_int_equal(base64_decode(str_slice(&out), bytes, &len), 0);
        assert_int_equal(len, n);
        assert_memory_equal(bytes, "foobar", n);
        str_fini(&out);
    }
}

/* Every byte value survives, at every length around a group. */
static void all_bytes_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[259], back[300];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 250; n <= sizeof(bytes); n++) {
        struct str out;
        size_t len;
        str_init(&out, 400);
        base64_encode(slice_of(bytes, n), &out);
        assert_int_equal(base64_decode(str_slice(&out), back, &len), 0);
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
        str_fini(&out);
    }
}

/* What no encoder makes is malformed: lengths, padding in the middle, stray bits. */
static void malformed_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",    "Zg",     "Zg=",       "Zh==", "Zm9=", "====",     "Zg==Zg==",
        "Zm-v", "Zm9v\n", "Zm9v Zm9v", "=m9v", "Z===", "Zm9vZ=9v", "\xff\xff\xff\xff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t bytes[16];
        size_t len = 99;
        assert_int_equal(base64_decode(slice_str(bad[i]), bytes, &len), ERR_MALFORMED);
        assert_int_equal(len, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_vectors),
        cmocka_unit_test(all_bytes_round_trip),
        cmocka_unit_test(malformed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
