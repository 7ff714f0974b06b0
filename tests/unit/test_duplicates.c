/* test_duplicates.c - names that stand more than once in a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/duplicates.h"
#include "common/err.h"

/* Every mention of a doubled name is marked; null names never are. */
static void all_mentions_are_marked(void **state)
{
    const struct slice names[] = {slice_str("a"), slice_str("b"),  SLICE_NULL,
                                  slice_str("a"), slice_str("ab"), SLICE_NULL,
                                  slice_str(""),  slice_str("a"),  slice_str("")};
    static const bool wanted[] = {true,  false, false, true, false,
                                  false, true,  true,  true};
    struct arena arena;
    bool *marked;

    (void)state;
    arena_init(&arena, MIB);
    assert_int_equal(duplicates_find(names, ARRAY_LEN(names), &arena, &marked), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(marked[i], wanted[i]);
    assert_int_equal(duplicates_find(NULL, 0, &arena, &marked), 0);
    arena_fini(&arena);
}

/* The request's memory bounds it. */
static void memory_is_bounded(void **state)
{
    struct slice names[100] = {{NULL, 0}};
    struct arena arena;
    bool *marked;

    (void)state;
    arena_init(&arena, 300);
    assert_int_equal(duplicates_find(names, 100, &arena, &marked), ERR_TOO_LARGE);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_mentions_are_marked),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
