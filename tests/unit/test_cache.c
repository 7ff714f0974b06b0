/* test_cache.c - objects in memory: one read for all who ask, holds, eviction, failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/cache.h"
#include "agent/metrics.h"
#include "tests/lib/fake/objects.c"

#define OBJECT_LEN 1000

static const struct uuid cluster_id = {{1}};
static const struct uuid first = {{2}}, second = {{3}}, large = {{4}};
static uint8_t bytes[CACHE_CHUNK_BYTES + 500];

struct reader_of {
    struct cache_hold hold;
    int settled; /* how often on_settled came */
    struct cache *cache;
    struct reader_of *releases; /* whom it lets go when it is told */
};

static int64_t count(struct metric *metric)
{
    return atomic_load(&metric->value);
}

static void on_settled(struct cache_hold *hold)
{
    struct reader_of *reader = CONTAINER_OF(hold, struct reader_of, hold);

    reader->settled++;
    if (reader->releases != NULL)
        cache_release(reader->cache, &reader->releases->hold);
}

static struct cache *make(size_t max_bytes, struct budget *budget)
{
    const struct cache_options options = {
        .max_bytes = max_bytes, .cluster_id = cluster_id, .budget = budget};

    fake_objects_reset();
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    fake_objects_add(&cluster_id, &first, bytes, OBJECT_LEN);
    fake_objects_add(&cluster_id, &second, bytes, OBJECT_LEN);
    fake_objects_add(&cluster_id, &large, bytes, sizeof(bytes));
    return cache_new(&options);
}

static bool acquire(struct cache *cache, struct reader_of *reader,
                    const struct uuid *object_id, uint64_t position)
{
    reader->cache = cache;
    return cache_acquire(cache, object_id, position, &reader->hold, on_settled);
}

/* READER sees byte AT of its object as it is in BYTES. */
static void assert_byte(struct reader_of *reader, uint64_t at)
{
    struct blob *blob = NULL;
    struct slice found = cache_bytes(&reader->hold, at, 10, &blob);

    assert_true(found.len > 0);
    assert_int_equal(found.ptr[0], bytes[at]);
    assert_non_null(blob);
}

/* However many ask for a chunk while it is read, it is read once, and all are told. */
static void single_flight(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0}, c = {0};
    int64_t misses = count(agent_metric(cache_misses_total));
    int64_t hits = count(agent_metric(cache_hits_total));

    (void)state;
    assert_false(acquire(cache, &a, &first, 16));
    assert_false(acquire(cache, &b, &first, 500));
    assert_int_equal(fake_objects.gets, 1);
    fake_objects_answer(0);
    assert_int_equal(a.settled, 1);
    assert_int_equal(b.settled, 1);
    assert_byte(&a, 16);
    assert_byte(&b, 500);
    assert_true(acquire(cache, &c, &first, 0));
    assert_int_equal(c.settled, 0);
    assert_int_equal(fake_objects.gets, 1);
    assert_int_equal(count(agent_metric(cache_misses_total)) - misses, 1);
    assert_int_equal(count(agent_metric(cache_hits_total)) - hits, 2);
    assert_int_equal(count(agent_metric(cache_bytes)), OBJECT_LEN);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_release(cache, &c.hold);
    cache_free(cache);
}

/* A chunk has what lies in it and nothing else; the next one is a read of its own. */
static void chunks(void **state)
{
    struct cache *cache = make(64 * MIB, NULL);
    struct reader_of a = {0}, b = {0};
    struct blob *blob;

    (void)state;
    assert_false(acquire(cache, &a, &large, CACHE_CHUNK_BYTES - 5));
    assert_false(acquire(cache, &b, &large, CACHE_CHUNK_BYTES));
    assert_int_equal(fake_objects.gets, 2);
    fake_objects_answer_all();
    assert_int_equal(cache_hold_end(&a.hold), CACHE_CHUNK_BYTES);
    assert_int_equal(cache_bytes(&a.hold, CACHE_CHUNK_BYTES - 5, 100, &blob).len, 5);
    assert_int_equal(cache_bytes(&a.hold, CACHE_CHUNK_BYTES, 100, &blob).len, 0);
    assert_int_equal(cache_bytes(&b.hold, CACHE_CHUNK_BYTES - 1, 100, &blob).len, 0);
    assert_int_equal(cache_bytes(&b.hold, sizeof(bytes) - 2, 100, &blob).len, 2);
    assert_int_equal(cache_bytes(&b.hold, sizeof(bytes), 100, &blob).len, 0);
    assert_byte(&b, CACHE_CHUNK_BYTES + 3);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_free(cache);
}

/* What is held stays above the limit, and goes when the last hold does. */
static void holds_are_not_evicted(void **state)
{
    struct cache *cache = make(OBJECT_LEN, NULL);
    struct reader_of a = {0}, b = {0}, c = {0};
    int64_t evictions = count(agent_metric(cache_evictions_total));

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    fake_objects_answer(0);
    assert_true(acquire(cache, &c, &first, 0));
    assert_false(acquire(cache, &b, &second, 0));
    fake_objects_answer(0);
    assert_byte(&a, 100);
    assert_byte(&b, 100);
    assert_int_equal(count(agent_metric(cache_bytes)), 2 * OBJECT_LEN);
    cache_release(cache, &a.hold);
    assert_byte(&c, 100);
    cache_release(cache, &c.hold);
    assert_int_equal(count(agent_metric(cache_bytes)), OBJECT_LEN);
    assert_int_equal(count(agent_metric(cache_evictions_total)) - evictions, 1);
    cache_release(cache, &b.hold);
    assert_true(acquire(cache, &b, &second, 0));
    assert_false(acquire(cache, &a, &first, 0));
    fake_objects_answer(0);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_free(cache);
}

/* Near the agent's limit of memory the cache gives way before its own limit. */
static void budget_evicts(void **state)
{
    struct budget budget;
    struct cache *cache;
    struct reader_of a = {0};

    (void)state;
    budget_init(&budget, 100);
    cache = make(MIB, &budget);
    assert_false(acquire(cache, &a, &first, 0));
    fake_objects_answer(0);
    cache_release(cache, &a.hold);
    assert_true(acquire(cache, &a, &first, 0));
    budget_force(&budget, 90);
    cache_release(cache, &a.hold);
    assert_int_equal(count(agent_metric(cache_bytes)), 0);
    budget_give(&budget, 90);
    cache_free(cache);
}

/* A failed read is told to all who wait; the next reader tries again. */
static void failures_are_not_kept(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0};

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    assert_false(acquire(cache, &b, &first, 0));
    fake_objects_answer(ERR_IO);
    assert_int_equal(a.settled + b.settled, 2);
    assert_int_equal(cache_hold_code(&a.hold), ERR_IO);
    assert_int_equal(cache_hold_code(&b.hold), ERR_IO);
    cache_release(cache, &a.hold);
    assert_false(acquire(cache, &a, &first, 0));
    assert_int_equal(fake_objects.gets, 2);
    fake_objects_answer(0);
    assert_int_equal(cache_hold_code(&a.hold), 0);
    assert_int_equal(cache_hold_code(&b.hold), ERR_IO);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_free(cache);
}

/* Who lets go while it is read is not called; the bytes are kept for the next. */
static void released_while_read(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0};

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    cache_release(cache, &a.hold);
    assert_false(cache_idle(cache));
    fake_objects_answer(0);
    assert_true(cache_idle(cache));
    assert_int_equal(a.settled, 0);
    assert_true(acquire(cache, &b, &first, 0));
    cache_release(cache, &b.hold);
    /* The same with a read that fails. */
    assert_false(acquire(cache, &a, &second, 0));
    cache_release(cache, &a.hold);
    fake_objects_answer(ERR_TIMEOUT);
    assert_int_equal(a.settled, 0);
    cache_free(cache);
}

/* Who is told may let go of what others, not told yet, hold. */
static void released_by_another(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0}, c = {0};

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    assert_false(acquire(cache, &b, &first, 0));
    assert_false(acquire(cache, &c, &first, 0));
    a.releases = &b;
    c.releases = &c;
    fake_objects_answer(ERR_IO);
    assert_int_equal(a.settled, 1);
    assert_int_equal(b.settled, 0);
    assert_int_equal(c.settled, 1);
    cache_release(cache, &a.hold);
    cache_free(cache);
}

/* At the end everybody who waits is told that it was given up. */
static void cancelled(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0};

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    assert_false(acquire(cache, &b, &second, 0));
    cache_stop(cache);
    assert_int_equal(a.settled, 0);
    fake_objects_answer(ERR_CANCELLED);
    fake_objects_answer(ERR_CANCELLED);
    assert_true(cache_idle(cache));
    assert_int_equal(cache_hold_code(&a.hold), ERR_CANCELLED);
    assert_int_equal(cache_hold_code(&b.hold), ERR_CANCELLED);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_free(cache);
}

/* What was written here is served out of the producers' own blobs, without a read; what
 * lies outside of them is read. */
static void written_here(void **state)
{
    struct cache *cache = make(MIB, NULL);
    struct reader_of a = {0}, b = {0};
    struct blob *one = blob_new(300, NULL), *two = blob_new(400, NULL), *found;

    (void)state;
    memcpy(one->data, bytes + 16, 300);
    memcpy(two->data, bytes + 316, 400);
    const struct cache_piece pieces[] = {
        {16, blob_slice(one), one},
        {316, slice_of(two->data, 100), two},
        {416, slice_of(two->data + 100, 300), two},
    };
    cache_put_written(cache, &first, pieces, 3);
    cache_put_written(cache, &first, pieces, 3); /* told twice: kept once */
    blob_unref(one);
    blob_unref(two);
    assert_true(acquire(cache, &a, &first, 200));
    assert_int_equal(cache_hold_code(&a.hold), 0);
    assert_int_equal(cache_hold_end(&a.hold), 716);
    assert_int_equal(cache_bytes(&a.hold, 200, 1000, &found).len, 116);
    assert_ptr_equal(found, one);
    assert_int_equal(cache_bytes(&a.hold, 316, 1000, &found).len, 100);
    assert_ptr_equal(found, two);
    assert_byte(&a, 16);
    assert_byte(&a, 500);
    assert_int_equal(cache_bytes(&a.hold, 15, 10, &found).len, 0);
    assert_int_equal(cache_bytes(&a.hold, 716, 10, &found).len, 0);
    assert_int_equal(fake_objects.gets, 0);
    assert_false(acquire(cache, &b, &first, 716));
    fake_objects_answer(0);
    assert_byte(&b, 716);
    cache_release(cache, &a.hold);
    cache_release(cache, &b.hold);
    cache_free(cache);
}

/* The one used longest ago goes first. */
static void least_recently_used(void **state)
{
    struct cache *cache = make(2 * OBJECT_LEN, NULL);
    struct reader_of a = {0};
    struct blob *blob = blob_new(OBJECT_LEN, NULL);
    const struct uuid third = {{9}};

    (void)state;
    assert_false(acquire(cache, &a, &first, 0));
    fake_objects_answer(0);
    cache_release(cache, &a.hold);
    assert_false(acquire(cache, &a, &second, 0));
    fake_objects_answer(0);
    cache_release(cache, &a.hold);
    assert_true(acquire(cache, &a, &first, 0));
    cache_release(cache, &a.hold);
    const struct cache_piece piece = {16, blob_slice(blob), blob};
    cache_put_written(cache, &third, &piece, 1);
    blob_unref(blob);
    assert_true(acquire(cache, &a, &first, 0));
    cache_release(cache, &a.hold);
    assert_true(acquire(cache, &a, &third, 16));
    cache_release(cache, &a.hold);
    assert_false(acquire(cache, &a, &second, 0));
    fake_objects_answer(0);
    cache_release(cache, &a.hold);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_flight),         cmocka_unit_test(chunks),
        cmocka_unit_test(holds_are_not_evicted), cmocka_unit_test(budget_evicts),
        cmocka_unit_test(failures_are_not_kept), cmocka_unit_test(released_while_read),
        cmocka_unit_test(released_by_another),   cmocka_unit_test(cancelled),
        cmocka_unit_test(written_here),          cmocka_unit_test(least_recently_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
