/* test_str.c - growing strings with a maximum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/str.h"

/* The append that would pass the maximum fails whole, and all after it. */
static void overflow_is_sticky(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 10);
    str_puts(&str, "12345678");
    assert_int_equal(str_room(&str), 2);
    str_puts(&str, "abc");
    assert_true(str.overflowed);
    assert_int_equal(str_room(&str), 0);
    str_putc(&str, 'x');
    str_printf(&str, "%d", 1);
    assert_null(str_extend(&str, 1));
    assert_string_equal(str_cstr(&str), "12345678");
    str_reset(&str);
    str_puts(&str, "1234567890");
    assert_false(str.overflowed);
    assert_int_equal(str.len, 10);
    str_fini(&str);
}

/* printf grows as needed and stops at the maximum, like an append. */
static void printf_is_bounded(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 300);
    for (int i = 0; i < 10; i++)
        str_printf(&str, "%0*d", 29, i);
    assert_int_equal(str.len, 290);
    assert_int_equal(strlen(str.data), 290);
    str_printf(&str, "%s", "12345678901");
    assert_true(str.overflowed);
    assert_int_equal(strlen(str.data), 290);
    str_fini(&str);
}

/* Nothing appended still reads as a C string, and can be taken. */
static void empty_is_a_string(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 10);
    assert_string_equal(str_cstr(&str), "");
    str_append(&str, NULL, 0);
    assert_false(str.overflowed);
    char *taken = str_take(&str);
    assert_string_equal(taken, "");
    free(taken);
    str_fini(&str);
}

/* Taking moves the bytes out and leaves an empty string that works. */
static void take_moves_out(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, 10);
    str_puts(&str, "abc");
    char *taken = str_take(&str);
    assert_string_equal(taken, "abc");
    assert_int_equal(str.len, 0);
    str_puts(&str, "def");
    assert_string_equal(str_cstr(&str), "def");
    free(taken);
    str_fini(&str);
}

/* Extended bytes count as appended; truncating takes bytes back. */
static void extend_and_truncate(void **state)
{
    (void)state;
    struct str str;
    str_init(&str, SIZE_MAX);
    char *room = str_extend(&str, 1000);
    assert_non_null(room);
    memset(room, 'a', 1000);
    str_truncate(&str, 3);
    assert_string_equal(str_cstr(&str), "aaa");
    str_append_slice(&str, slice_of("b\0c", 3));
    assert_int_equal(str.len, 6);
    assert_memory_equal(str.data, "aaab\0c", 7);
    str_fini(&str);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflow_is_sticky),  cmocka_unit_test(printf_is_bounded),
        cmocka_unit_test(empty_is_a_string),   cmocka_unit_test(take_moves_out),
        cmocka_unit_test(extend_and_truncate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
