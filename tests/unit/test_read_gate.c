/* test_read_gate.c - who may read from the store, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/cache.h"
#include "agent/read_gate.h"
#include "tests/lib/fake/objects.c"

#define CHUNKS 4 /* of 64 MiB, a quarter */

static const struct uuid cluster_id = {{1}}, object_id = {{8}};

struct reader_of {
    struct read_pass pass;
    int entered;
};

struct world {
    struct loop *loop;
    struct budget budget;
    struct cache *cache;
    struct read_gate gate;
    struct reader_of readers[6];
};

static void on_enter(struct read_pass *pass)
{
    CONTAINER_OF(pass, struct reader_of, pass)->entered++;
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    fake_objects_reset();
    w->loop = loop_new();
    budget_init(&w->budget, 64 * MIB);
    const struct cache_options cache = {
        .loop = w->loop, .max_bytes = 64 * MIB, .cluster_id = cluster_id};
    w->cache = cache_new(&cache);
    read_gate_init(&w->gate, w->loop, w->cache, &w->budget);
    for (size_t i = 0; i < 6; i++)
        read_pass_init(&w->readers[i].pass);
}

static void world_fini(struct world *w)
{
    for (size_t i = 0; i < 6; i++)
        read_gate_leave(&w->gate, &w->readers[i].pass);
    read_gate_fini(&w->gate);
    fake_objects_answer_all();
    cache_free(w->cache);
    loop_free(w->loop);
}

static void run(struct world *w)
{
    for (int i = 0; i < 4; i++)
        loop_run_once(w->loop, 0);
}

static bool may_read(struct world *w, size_t i)
{
    return read_gate_take(&w->gate, &w->readers[i].pass, false);
}

static void stand_in_line(struct world *w, size_t i)
{
    assert_true(read_gate_wait(&w->gate, &w->readers[i].pass, on_enter));
}

static void leave(struct world *w, size_t i)
{
    read_gate_leave(&w->gate, &w->readers[i].pass);
    run(w);
}

/* A quarter of the memory may be read into at a time; whoever is inside may go on past
 * that when it must, so that what it has is of use. */
static void a_part_of_the_memory(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < CHUNKS; i++)
        assert_true(may_read(&w, i % 2));
    assert_false(may_read(&w, 0));
    assert_false(may_read(&w, 2));
    assert_false(read_gate_take(&w.gate, &w.readers[2].pass, true));
    assert_true(read_gate_take(&w.gate, &w.readers[0].pass, true));
    leave(&w, 0);
    assert_true(may_read(&w, 2));
    world_fini(&w);
}

/* Who waits enters in the order of arrival, and before anybody who comes later. */
static void first_come_first_served(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < CHUNKS; i++)
        assert_true(may_read(&w, 0));
    stand_in_line(&w, 1);
    stand_in_line(&w, 2);
    stand_in_line(&w, 3);
    read_gate_leave(&w.gate, &w.readers[2].pass); /* it waits no more */
    read_gate_leave(&w.gate, &w.readers[0].pass);
    assert_false(may_read(&w, 4));
    run(&w);
    assert_int_equal(w.readers[1].entered, 1);
    assert_int_equal(w.readers[2].entered, 0);
    assert_int_equal(w.readers[3].entered, 1);
    /* The chunk that it entered with is the first that it reads. */
    assert_int_equal(w.gate.open_chunks, 2);
    assert_true(may_read(&w, 1));
    assert_int_equal(w.gate.open_chunks, 2);
    assert_true(may_read(&w, 4));
    world_fini(&w);
}

/* Near the end of the memory one reads at a time, and that one always may: when memory
 * comes back, those in line go on though nobody left. */
static void short_of_memory(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    budget_force(&w.budget, 60 * MIB);
    assert_true(may_read(&w, 0));
    assert_false(may_read(&w, 0));
    assert_false(may_read(&w, 1));
    stand_in_line(&w, 1);
    stand_in_line(&w, 2);
    leave(&w, 0);
    assert_int_equal(w.readers[1].entered, 1);
    assert_int_equal(w.readers[2].entered, 0);
    budget_give(&w.budget, 60 * MIB);
    while (w.readers[2].entered == 0)
        loop_run_once(w.loop, 1000);
    world_fini(&w);
}

/* Reads that nobody waits for any more take room until they end. */
static void reads_without_readers_count(void **state)
{
    struct world w;
    struct cache_hold hold;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < CHUNKS; i++) {
        assert_false(
            cache_acquire(w.cache, &object_id, i * CACHE_CHUNK_BYTES, &hold, NULL));
        cache_release(w.cache, &hold);
    }
    assert_int_equal(cache_reading(w.cache), CHUNKS);
    assert_false(may_read(&w, 0));
    stand_in_line(&w, 0);
    fake_objects_answer(ERR_NOT_FOUND);
    while (w.readers[0].entered == 0)
        loop_run_once(w.loop, 1000);
    world_fini(&w);
}

/* At the end nobody enters, and who waited is told. */
static void closed(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < CHUNKS; i++)
        assert_true(may_read(&w, 0));
    stand_in_line(&w, 1);
    read_gate_close(&w.gate);
    assert_int_equal(w.readers[1].entered, 1);
    assert_false(may_read(&w, 1));
    assert_false(read_gate_wait(&w.gate, &w.readers[1].pass, on_enter));
    leave(&w, 0);
    assert_false(may_read(&w, 2));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_the_memory),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(short_of_memory),
        cmocka_unit_test(reads_without_readers_count),
        cmocka_unit_test(closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
