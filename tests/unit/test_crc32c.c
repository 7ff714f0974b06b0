/* test_crc32c.c - the checksum against known values and a slow computation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "common/defs.h"

/* One bit at a time, as the definition says (RFC 3720 appendix B.4). */
static uint32_t slow(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8));
}

/* The check value of the algorithm, and nothing. */
static void known_values(void **state)
{
    (void)state;
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c("", 0), 0);
}

/* Every length around the steps of the fast code gives what the definition gives. */
static void equals_the_definition(void **state)
{
    (void)state;
    static uint8_t bytes[3000];
    fill(bytes, sizeof(bytes));
    for (size_t len = 0; len < sizeof(bytes); len += len < 300 ? 1 : 97)
        assert_int_equal(crc32c(bytes + 1, len), slow(bytes + 1, len));
}

/* Checksums of pieces, continued or combined, are that of the whole. */
static void pieces_make_the_whole(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    fill(bytes, sizeof(bytes));
    uint32_t whole = crc32c(bytes, sizeof(bytes));
    static const size_t cuts[] = {0, 1, 7, 4096, 65535, 69999, 70000};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        size_t cut = cuts[i];
        uint32_t a = crc32c(bytes, cut);
        uint32_t b = crc32c(bytes + cut, sizeof(bytes) - cut);
        assert_int_equal(crc32c_extend(a, bytes + cut, sizeof(bytes) - cut), whole);
        assert_int_equal(crc32c_combine(a, b, sizeof(bytes) - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(equals_the_definition),
        cmocka_unit_test(pieces_make_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
