/* test_cursor.c - integers and varints on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cursor.h"

static struct reader read_of(const struct str *str)
{
    struct reader r;
    reader_init(&r, str_slice(str));
    return r;
}

/* What is written is read back, big-endian. */
static void integers_round_trip(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 100);
    write_u8(&str, 0xfe);
    write_u16(&str, 0x0102);
    write_u32(&str, 0x01020304);
    write_u64(&str, 0x0102030405060708u);
    assert_memory_equal(str.data, "\xfe\1\2\1\2\3\4\1\2\3\4\5\6\7\10", 15);
    struct reader r = read_of(&str);
    assert_int_equal(reader_i8(&r), -2);
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u32(&r), 0x01020304);
    assert_int_equal(reader_u64(&r), 0x0102030405060708u);
    assert_false(r.failed);
    assert_int_equal(reader_left(&r), 0);
    str_fini(&str);
}

/* After one read past the end every read is zero and nothing is left. */
static void failure_is_sticky(void **state)
{
    (void)state;
    struct reader r;
    reader_init(&r, SLICE_LITERAL("\1\2\3"));
    assert_int_equal(reader_u8(&r), 1);
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(reader_u8(&r), 0);
    assert_null(reader_bytes(&r, 0).ptr);
    reader_init(&r, SLICE_NULL);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.failed);
}

/* A length from the wire that passes the end fails, however large. */
static void bytes_are_bounded(void **state)
{
    (void)state;
    struct reader r;
    reader_init(&r, SLICE_LITERAL("abc"));
    assert_true(slice_eq_str(reader_bytes(&r, 2), "ab"));
    assert_null(reader_bytes(&r, SIZE_MAX).ptr);
    assert_true(r.failed);
    reader_init(&r, SLICE_LITERAL("abc"));
    reader_skip(&r, 3);
    assert_false(r.failed);
    reader_skip(&r, 1);
    assert_true(r.failed);
}

/* Unsigned and zigzag varints round-trip at their edges, in the size foretold. */
static void varints_round_trip(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,         1,         127,        128,
                                      16383,     16384,     UINT32_MAX, UINT32_MAX + 1ull,
                                      INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct str str;
        str_init(&str, 10);
        write_uvarint(&str, values[i]);
        assert_int_equal(str.len, uvarint_size(values[i]));
        struct reader r = read_of(&str);
        assert_int_equal(reader_uvarlong(&r), values[i]);
        assert_false(r.failed);
        r = read_of(&str);
        uint32_t low = reader_uvarint(&r);
        assert_int_equal(r.failed, values[i] > UINT32_MAX);
        assert_int_equal(low, r.failed ? 0 : values[i]);
        str_fini(&str);

        int64_t signed_value = (int64_t)values[i];
        str_init(&str, 10);
        write_varint(&str, signed_value);
        r = read_of(&str);
        assert_int_equal(reader_varlong(&r), signed_value);
        assert_false(r.failed);
        str_fini(&str);
    }
}

/* The examples of the zigzag mapping: small negative numbers stay small. */
static void zigzag_examples(void **state)
{
    (void)state;
    assert_int_equal(zigzag_encode(0), 0);
    assert_int_equal(zigzag_encode(-1), 1);
    assert_int_equal(zigzag_encode(1), 2);
    assert_int_equal(zigzag_encode(INT64_MIN), UINT64_MAX);
    assert_int_equal(zigzag_decode(UINT64_MAX), INT64_MIN);
}

/* Varints that are too long, too large or cut off fail. */
static void bad_varints_fail(void **state)
{
    (void)state;
    struct reader r;
    reader_init(&r, SLICE_LITERAL("\xff\xff\xff\xff\x1f"));
    (void)reader_uvarint(&r);
    assert_true(r.failed);
    reader_init(&r, SLICE_LITERAL("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    (void)reader_uvarlong(&r);
    assert_true(r.failed);
    reader_init(&r, SLICE_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
    (void)reader_uvarlong(&r);
    assert_true(r.failed);
    reader_init(&r, SLICE_LITERAL("\x80"));
    (void)reader_varint(&r);
    assert_true(r.failed);
    reader_init(&r, SLICE_LITERAL("\xff\xff\xff\xff\x0f"));
    assert_int_equal(reader_varint(&r), INT32_MIN);
    assert_false(r.failed);
}

/* A string that is full drops the write and says so. */
static void write_overflow_is_told(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 6);
    write_u32(&str, 1);
    write_u32(&str, 2);
    assert_true(str.overflowed);
    assert_int_equal(str.len, 4);
    str_fini(&str);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_round_trip),    cmocka_unit_test(failure_is_sticky),
        cmocka_unit_test(bytes_are_bounded),      cmocka_unit_test(varints_round_trip),
        cmocka_unit_test(zigzag_examples),        cmocka_unit_test(bad_varints_fail),
        cmocka_unit_test(write_overflow_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
