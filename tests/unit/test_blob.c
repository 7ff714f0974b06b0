/* test_blob.c - counted bytes: freed with the last reference, budget given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "common/blob.h"

/* The budget is charged as long as any reference is held. */
static void last_reference_gives_back(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100);
    struct blob *blob = blob_try_new(80, &budget);
    assert_non_null(blob);
    assert_int_equal(blob->len, 80);
    assert_ptr_equal(blob_ref(blob), blob);
    assert_null(blob_try_new(30, &budget));
    blob_unref(blob);
    assert_int_equal(budget_used(&budget), 80);
    blob_unref(blob);
    assert_int_equal(budget_used(&budget), 0);
    blob_unref(NULL);
}

/* blob_new takes bytes that are there already, even past the limit. */
static void new_passes_the_limit(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 10);
    struct blob *blob = blob_new(20, &budget);
    assert_int_equal(budget_used(&budget), 20);
    blob_unref(blob);
    assert_int_equal(budget_used(&budget), 0);
    struct blob *empty = blob_new(0, NULL);
    assert_int_equal(blob_slice(empty).len, 0);
    blob_unref(empty);
}

static void count_release(struct blob *blob, void *arg)
{
    assert_int_equal(blob->len, 3);
    ++*(int *)arg;
}

/* Foreign bytes are released once, with the last reference, and not copied. */
static void wrap_releases_once(void **state)
{
    (void)state;
    uint8_t bytes[3] = {1, 2, 3};
    int released = 0;
    struct blob *blob = blob_wrap(bytes, 3, count_release, &released);
    assert_ptr_equal(blob->data, bytes);
    blob_unref(blob_ref(blob));
    assert_int_equal(released, 0);
    blob_unref(blob);
    assert_int_equal(released, 1);
}

#define THREADS 3
#define ROUNDS  10000

static void *ref_and_unref(void *arg)
{
    struct blob *blob = arg;
    for (int i = 0; i < ROUNDS; i++) {
        blob_ref(blob);
        if (blob->data[i % 16] != 0x5a)
            return NULL;
        blob_unref(blob);
    }
    blob_unref(blob);
    return blob; /* not followed any more */
}

/* References taken and dropped by many threads add up. */
static void threads_count_right(void **state)
{
    (void)state;
    struct budget budget;
    pthread_t threads[THREADS];
    budget_init(&budget, 100);
    struct blob *blob = blob_try_new(16, &budget);
    assert_non_null(blob);
    memset(blob->data, 0x5a, 16);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref, blob_ref(blob)),
                         0);
    blob_unref(blob);
    for (int i = 0; i < THREADS; i++) {
        void *done;
        pthread_join(threads[i], &done);
        assert_non_null(done);
    }
    assert_int_equal(budget_used(&budget), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_reference_gives_back),
        cmocka_unit_test(new_passes_the_limit),
        cmocka_unit_test(wrap_releases_once),
        cmocka_unit_test(threads_count_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
