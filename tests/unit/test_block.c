/* test_block.c - large blocks: any size out of what was freed, given back when idle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "common/block.h"

#define PAGE   (2 * MIB)
#define REGION (32 * MIB)

static int64_t now_ms = 1000000;

static void *new_block(struct block *block, size_t bytes)
{
    assert_true(block_try_new(block, bytes));
    assert_int_equal((uintptr_t)block->data % BLOCK_ALIGN, 0);
    assert_int_equal(block->size % BLOCK_ALIGN, 0);
    assert_true(block->size >= bytes && block->size < bytes + 16 * KIB);
    memset(block->data, 0x5a, block->size);
    return block->data;
}

/* Let the time of idle memory pass. */
static void pass(void)
{
    block_trim(now_ms); /* freed from now on counts from here */
    block_trim(now_ms += 10000);
}

/* Without block_keep a block is memory of its own, of whole pages, and nothing is kept.
 */
static void nothing_is_kept(void **state)
{
    struct block block, none = {0};
    (void)state;
    new_block(&block, 70000);
    assert_int_equal(block.size, 73728);
    block_free(&block);
    block_free(&none);
    assert_int_equal(block_idle_bytes(), 0);
    block_trim(0);
}

static int set_up(void **state)
{
    (void)state;
    block_keep();
    block_trim(now_ms += 10000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pass();
    assert_int_equal(block_idle_bytes(), 0);
    return 0;
}

/* Neighbours that are freed make room for a larger block, wherever they lie. */
static void neighbours_merge(void **state)
{
    struct block a, b, c, large;
    (void)state;
    void *first = new_block(&a, 300000);
    new_block(&b, 200000);
    new_block(&c, BLOCK_LEAST);
    block_free(&a);
    block_free(&b);
    assert_ptr_equal(new_block(&large, 490000), first);
    block_free(&c);
    block_free(&large);
}

/* A block goes to the lowest place that has room for it. */
static void lowest_place_first(void **state)
{
    struct block a, b, c, d;
    (void)state;
    void *low = new_block(&a, MIB);
    new_block(&b, BLOCK_LEAST);
    void *high = new_block(&c, 2 * MIB);
    new_block(&d, BLOCK_LEAST);
    block_free(&c);
    block_free(&a);
    assert_ptr_equal(new_block(&a, MIB + 1), high);
    assert_ptr_equal(new_block(&c, MIB), low);
    block_free(&a);
    block_free(&b);
    block_free(&c);
    block_free(&d);
}

/* Blocks fill regions to the last byte and never overlap. */
static void regions_fill_up(void **state)
{
    struct block blocks[17];
    (void)state;
    for (size_t i = 0; i < 17; i++) {
        assert_true(block_try_new(&blocks[i], 4 * MIB));
        memset(blocks[i].data, (int)i, blocks[i].size);
    }
    assert_true(blocks[7].region == blocks[0].region);
    assert_true(blocks[8].region != blocks[0].region);
    assert_true(blocks[16].region != blocks[8].region);
    for (size_t i = 0; i < 17; i++) {
        for (size_t k = 0; k < blocks[i].size; k += 4096)
            assert_int_equal(blocks[i].data[k], i);
        block_free(&blocks[i]);
    }
    assert_int_equal(block_idle_bytes(), 17 * 4 * MIB);
}

/* A block of more than half a region is never kept; an absurd one is refused. */
static void huge_is_not_kept(void **state)
{
    struct block block;
    (void)state;
    new_block(&block, REGION / 2 + 1);
    block_free(&block);
    assert_int_equal(block_idle_bytes(), 0);
    assert_false(block_try_new(&block, SIZE_MAX));
}

/* Pages that lay free for some seconds go back, those in use and those freed a moment ago
 * stay; what comes back is fresh. */
static void idle_pages_leave(void **state)
{
    struct block a, b, c;
    (void)state;
    new_block(&a, PAGE);
    new_block(&b, BLOCK_LEAST);
    new_block(&c, PAGE); /* on the rest of b's page, and a third one */
    block_free(&a);
    block_trim(now_ms += 1000);
    assert_int_equal(block_idle_bytes(), 3 * PAGE - b.size - c.size);
    block_free(&c);
    block_trim(now_ms += 4500); /* only a is old enough */
    assert_int_equal(block_idle_bytes(), 2 * PAGE - b.size);
    block_trim(now_ms += 4500);
    assert_int_equal(block_idle_bytes(), PAGE - b.size); /* b holds its page */
    assert_int_equal(b.data[0], 0x5a);
    assert_true(block_try_new(&a, PAGE));
    assert_int_equal(a.data[0], 0);
    block_free(&a);
    block_free(&b);
}

struct churner {
    uint8_t mark;
    bool trims;
};

static void *churn(void *arg)
{
    const struct churner *churner = arg;
    struct block held[8] = {0};
    for (size_t i = 0; i < 4000; i++) {
        struct block *block = &held[i % 8];
        if (block->data != NULL) {
            if (block->data[63] != churner->mark ||
                block->data[block->size - 1] != churner->mark)
                return arg;
            block_free(block);
        }
        if (!block_try_new(block, BLOCK_LEAST + i % 7 * 300000))
            return arg;
        memset(block->data, churner->mark, 64);
        block->data[block->size - 1] = churner->mark;
        if (churner->trims)
            block_trim(now_ms += 1000);
    }
    for (size_t i = 0; i < 8; i++)
        block_free(&held[i]);
    return NULL;
}

/* No two threads ever have the same memory, nor loses one its own to a trim. */
static void threads_share(void **state)
{
    struct churner churners[3] = {{1, true}, {2, false}, {3, false}};
    pthread_t threads[3];
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &churners[i]), 0);
    for (size_t i = 0; i < 3; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_kept), /* first: block_keep is for good */
        cmocka_unit_test_setup_teardown(neighbours_merge, set_up, tear_down),
        cmocka_unit_test_teardown(lowest_place_first, tear_down),
        cmocka_unit_test_teardown(regions_fill_up, tear_down),
        cmocka_unit_test_teardown(huge_is_not_kept, tear_down),
        cmocka_unit_test_teardown(idle_pages_leave, tear_down),
        cmocka_unit_test_teardown(threads_share, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
