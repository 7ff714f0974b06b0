/* test_arena.c - memory of one request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/arena.h"

/* The cap holds for the sum of many pieces, and the arena works on after a refusal. */
static void cap_holds(void **state)
{
    (void)state;
    struct arena arena;
    size_t got = 0;
    arena_init(&arena, 1000);
    assert_null(arena_try_alloc(&arena, 1001));
    assert_null(arena_try_alloc(&arena, SIZE_MAX));
    while (arena_try_alloc(&arena, 100) != NULL)
        got++;
    assert_in_range(got, 8, 10);
    assert_true(arena_used(&arena) <= 1000);
    arena_fini(&arena);
}

/* The last byte of the cap can be had. */
static void cap_can_be_used_up(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1001);
    assert_non_null(arena_try_alloc(&arena, 1001));
    assert_null(arena_try_alloc(&arena, 1));
    arena_fini(&arena);
}

/* Pieces are zeroed, aligned for any type, and do not overlap. */
static void pieces_are_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    unsigned char *pieces[300];
    arena_init(&arena, 10 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = i * 37 % 5000 + 1;
        pieces[i] = arena_alloc(&arena, len);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < len; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)i % 255 + 1, len);
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = i * 37 % 5000 + 1;
        for (size_t j = 0; j < len; j++)
            assert_int_equal(pieces[i][j], (int)i % 255 + 1);
    }
    arena_fini(&arena);
}

/* N elements whose bytes overflow size_t are refused, not wrapped. */
static void array_overflow_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_try_array(&arena, SIZE_MAX / 2, 3));
    assert_non_null(arena_try_array(&arena, 10, 3));
    assert_non_null(arena_try_array(&arena, 0, 3));
    arena_fini(&arena);
}

/* Copies are the arena's own; null stays null. */
static void copies_are_own(void **state)
{
    (void)state;
    struct arena arena;
    char text[] = "abc";
    arena_init(&arena, 1000);
    char *copy = arena_strdup(&arena, slice_str(text));
    struct slice dup = arena_dup(&arena, slice_str(text));
    text[0] = 'X';
    assert_string_equal(copy, "abc");
    assert_true(slice_eq_str(dup, "abc"));
    assert_null(arena_dup(&arena, SLICE_NULL).ptr);
    assert_string_equal(arena_strdup(&arena, SLICE_NULL), "");
    assert_string_equal(arena_printf(&arena, "%s-%d", "n", 7), "n-7");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cap_holds),
        cmocka_unit_test(cap_can_be_used_up),
        cmocka_unit_test(pieces_are_zeroed_and_apart),
        cmocka_unit_test(array_overflow_is_refused),
        cmocka_unit_test(copies_are_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
