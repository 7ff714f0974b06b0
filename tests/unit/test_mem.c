/* test_mem.c - budgets: what bounds the bytes that a peer can make us hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "common/mem.h"

/* The limit can be reached exactly and not passed, also by sizes that overflow a sum. */
static void take_stops_at_the_limit(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100);
    assert_true(budget_take(&budget, 60));
    assert_false(budget_take(&budget, 41));
    assert_false(budget_take(&budget, SIZE_MAX));
    assert_true(budget_take(&budget, 40));
    assert_int_equal(budget_used(&budget), 100);
    budget_give(&budget, 100);
    assert_int_equal(budget_used(&budget), 0);
}

/* Forced bytes count and keep others out until they are given back. */
static void force_passes_the_limit(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100);
    budget_force(&budget, 150);
    assert_int_equal(budget_used(&budget), 150);
    assert_false(budget_take(&budget, 1));
    budget_give(&budget, 60);
    assert_true(budget_take(&budget, 10));
}

/* "Above N percent" is strict, and right for limits near the top of size_t. */
static void above_is_strict(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 200);
    budget_force(&budget, 150);
    assert_false(budget_above(&budget, 75));
    budget_force(&budget, 1);
    assert_true(budget_above(&budget, 75));
    budget_init(&budget, SIZE_MAX);
    budget_force(&budget, SIZE_MAX / 2);
    assert_true(budget_above(&budget, 49));
    assert_false(budget_above(&budget, 51));
}

static void *take_and_give(void *arg)
{
    struct budget *budget = arg;
    for (int i = 0; i < 20000; i++) {
        if (budget_take(budget, 3)) {
            if (budget_used(budget) > 5)
                return budget; /* two at once */
            budget_give(budget, 3);
        }
    }
    return NULL;
}

/* Two threads together never pass the limit. */
static void threads_share_the_limit(void **state)
{
    (void)state;
    struct budget budget;
    pthread_t threads[2];
    void *failed;
    budget_init(&budget, 5);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &budget), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(budget_used(&budget), 0);
}

/* Empty sizes are fine everywhere, and zeroed memory is zero. */
static void small_sizes_work(void **state)
{
    (void)state;
    static const char zero[64];
    void *empty = mem_alloc(0);
    assert_non_null(empty);
    empty = mem_realloc(empty, 0);
    mem_free(empty);
    char *bytes = mem_zalloc(64);
    assert_memory_equal(bytes, zero, 64);
    mem_free(bytes);
    char *copy = mem_strdup("copy");
    assert_string_equal(copy, "copy");
    mem_free(copy);
    mem_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_stops_at_the_limit),
        cmocka_unit_test(force_passes_the_limit),
        cmocka_unit_test(above_is_strict),
        cmocka_unit_test(threads_share_the_limit),
        cmocka_unit_test(small_sizes_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
