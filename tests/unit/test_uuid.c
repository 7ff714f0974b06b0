/* test_uuid.c - identifiers as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/uuid.h"

/* Printed and parsed again it is the same; upper case is read as well. */
static void text_round_trips(void **state)
{
    (void)state;
    char text[UUID_TEXT_LEN + 1];
    struct uuid a = uuid_random(), b;
    assert_int_equal(uuid_parse(slice_str(uuid_print(&a, text)), &b), 0);
    assert_true(uuid_eq(&a, &b));
    assert_int_equal(uuid_parse(slice_str("01234567-89AB-CDEF-0123-456789ABCDEF"), &b),
                     0);
    assert_string_equal(uuid_print(&b, text), "01234567-89ab-cdef-0123-456789abcdef");
}

/* Random ones differ, are of version 4, and are not the zero one. */
static void random_is_version_4(void **state)
{
    (void)state;
    struct uuid a = uuid_random(), b = uuid_random();
    assert_false(uuid_eq(&a, &b));
    assert_int_equal(a.bytes[6] >> 4, 4);
    assert_int_equal(a.bytes[8] >> 6, 2);
    assert_false(uuid_is_zero(&a));
    assert_true(uuid_is_zero(&UUID_ZERO));
    assert_true(uuid_cmp(&UUID_ZERO, &a) < 0);
}

/* What is not 8-4-4-4-12 hex digits is malformed and leaves the result alone. */
static void bad_text_is_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0",
        "01234567089ab-cdef-0123-456789abcdef",
        "0123456-789ab-cdef-0123-456789abcdef",
        "g1234567-89ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-0123-456789abcd f",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct uuid uuid = UUID_ZERO;
        assert_int_equal(uuid_parse(slice_str(bad[i]), &uuid), ERR_MALFORMED);
        assert_true(uuid_is_zero(&uuid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_round_trips),
        cmocka_unit_test(random_is_version_4),
        cmocka_unit_test(bad_text_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
