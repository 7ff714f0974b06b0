/* test_tail.c - the index of partitions: joins, gaps, hints, windows, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/tail.h"

static const struct uuid topic = {{7}};

static struct index_run run_at(int64_t offset, uint32_t records)
{
    return (struct index_run){{{(uint8_t)(offset + 1)}}, offset, 16, 100, records};
}

static void commit(struct tail *tail, int64_t offset, uint32_t records)
{
    struct uuid object = {{(uint8_t)(offset + 1)}};
    struct tail_run run = {topic, 0, offset, records, 16, 100, 0};

    tail_on_commit(tail, &object, 1, &run, 1);
}

static void hint(struct tail *tail, int64_t offset, uint32_t records)
{
    struct uuid object = {{(uint8_t)(offset + 1)}};
    struct tail_run run = {topic, 0, offset, records, 16, 100, 0};

    tail_on_own_commit(tail, &object, &run, 1);
}

/* A plan makes a partition known; commits that join it are found by any offset. */
static void commits_join_the_plan(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run plan[] = {run_at(10, 5), run_at(15, 5)};
    const struct index_run *runs;

    (void)state;
    assert_false(tail_known(entry));
    commit(tail, 10, 5); /* known by the plan, too */
    assert_false(tail_known(entry));
    tail_on_plan(tail, entry, 20, 3, plan, 2);
    assert_true(tail_known(entry));
    assert_int_equal(tail_entry_log_start(entry), 3);
    assert_int_equal(tail_log_start(tail, &topic, 0), 3);
    commit(tail, 20, 10);
    assert_int_equal(tail_high_watermark(entry), 30);
    assert_int_equal(tail_find(entry, 17, &runs), 2);
    assert_int_equal(runs[0].base_offset, 15);
    assert_int_equal(tail_find(entry, 29, &runs), 1);
    assert_int_equal(tail_find(entry, 30, &runs), 0);
    assert_int_equal(tail_find(entry, 9, &runs), 0);
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* What the watch brings while a plan is on its way is joined to a plan that was made
 * before: the watch will not bring it again. */
static void plan_is_older_than_the_watch(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run plan[] = {run_at(0, 5), run_at(5, 5)};
    const struct index_run *runs;

    (void)state;
    commit(tail, 10, 5);
    commit(tail, 15, 5);
    hint(tail, 20, 5); /* no news of a partition that is not known */
    tail_on_plan(tail, entry, 10, 0, plan, 2);
    assert_true(tail_known(entry));
    assert_int_equal(tail_high_watermark(entry), 20);
    assert_int_equal(tail_find(entry, 12, &runs), 2);
    assert_int_equal(tail_find(entry, 7, &runs), 1);
    commit(tail, 20, 5);
    assert_int_equal(tail_high_watermark(entry), 25);
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* A plan that what was heard does not join leaves the partition unknown: a reader would
 * else wait at its end although there is more. */
static void plan_is_too_old(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run plan[] = {run_at(0, 5), run_at(5, 5)};

    (void)state;
    commit(tail, 15,
           5); /* 10 to 14 came while nobody used the entry, or before a reset */
    tail_on_plan(tail, entry, 10, 0, plan, 2);
    assert_false(tail_known(entry));
    tail_unuse(tail, entry);
    commit(tail, 20, 5); /* in nobody's use */
    assert_ptr_equal(tail_use(tail, &topic, 0), entry);
    commit(tail, 25, 5);
    tail_on_plan(tail, entry, 20, 0, NULL, 0);
    assert_false(tail_known(entry));
    tail_on_plan(tail, entry, 25, 0, NULL, 0);
    assert_true(tail_known(entry));
    assert_int_equal(tail_high_watermark(entry), 30);
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* What is heard twice counts once; what does not join makes the partition unknown. */
static void repeats_and_gaps(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);

    (void)state;
    tail_on_plan(tail, entry, 0, 0, NULL, 0);
    hint(tail, 5, 5); /* ahead of another agent's commit: ignored, the watch brings it */
    assert_int_equal(tail_high_watermark(entry), 0);
    assert_true(tail_known(entry));
    commit(tail, 0, 5);
    hint(tail, 5, 5);
    assert_int_equal(tail_high_watermark(entry), 10);
    commit(tail, 5, 5);
    assert_int_equal(tail_high_watermark(entry), 10);
    commit(tail, 11, 1);
    assert_false(tail_known(entry));
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* The high watermark of a partition never goes back by an older plan (I4). */
static void old_plan_is_kept_apart(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run newer[] = {run_at(100, 10)};
    struct index_run older[] = {run_at(0, 50)};
    const struct index_run *runs;

    (void)state;
    tail_on_plan(tail, entry, 110, 0, newer, 1);
    tail_on_plan(tail, entry, 90, 0, older, 1);
    assert_int_equal(tail_high_watermark(entry), 110);
    assert_int_equal(tail_find(entry, 20, &runs), 1);
    assert_int_equal(tail_find(entry, 105, &runs), 1);
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* After a reset the index may be of a cell that was restored, whose log ends earlier and
 * begins earlier: what was heard before does not keep its partitions from being known. */
static void a_log_that_was_restored(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);

    (void)state;
    tail_on_plan(tail, entry, 0, 0, NULL, 0);
    commit(tail, 0, 100);
    tail_on_log_start(tail, &topic, 0, 60);
    assert_int_equal(tail_high_watermark(entry), 100);
    tail_on_reset(tail);
    assert_false(tail_known(entry));
    tail_on_plan(tail, entry, 50, 10, NULL, 0);
    assert_true(tail_known(entry));
    assert_int_equal(tail_high_watermark(entry), 50);
    assert_int_equal(tail_entry_log_start(entry), 10);
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* Whoever waits is moved to the list of changes, by commits, resets and deletion. */
static void waiters_are_told(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct list_node waiter;

    (void)state;
    list_node_init(&waiter);
    tail_on_plan(tail, entry, 0, 0, NULL, 0);
    tail_wait(entry, &waiter);
    assert_true(list_empty(tail_changed(tail)));
    commit(tail, 0, 1);
    assert_ptr_equal(list_pop_front(tail_changed(tail)), &waiter);
    tail_wait(entry, &waiter);
    tail_on_reset(tail);
    assert_ptr_equal(list_pop_front(tail_changed(tail)), &waiter);
    assert_false(tail_known(entry));
    tail_wait(entry, &waiter);
    tail_on_topic_deleted(tail, &topic);
    assert_ptr_equal(list_pop_front(tail_changed(tail)), &waiter);
    assert_true(tail_deleted(entry));
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* Memory has a bound: the partitions used longest ago lose their runs first. */
static void memory_is_bounded(void **state)
{
    struct tail *tail = tail_new(64 * sizeof(struct index_run));
    const struct index_run *runs;

    (void)state;
    for (int32_t p = 0; p < 100; p++) {
        struct tail_entry *entry = tail_use(tail, &topic, p);
        struct index_run plan[] = {run_at(0, 1), run_at(1, 1), run_at(2, 1),
                                   run_at(3, 1)};
        tail_on_plan(tail, entry, 4, 0, plan, 4);
        assert_int_equal(tail_find(entry, 0, &runs), 4);
        tail_unuse(tail, entry);
    }
    assert_int_equal(tail_log_start(tail, &topic, 0), -1);
    assert_int_equal(tail_log_start(tail, &topic, 99), 0);
    tail_free(tail);
}

/* A log that begins later is without the runs that went, for whoever asks from now on,
 * and who waits is told; it never begins earlier again, whatever an older plan says. */
static void the_start_moves(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run plan[] = {run_at(10, 5), run_at(15, 5), run_at(20, 5)};
    const struct index_run *runs;
    struct list_node waiter;

    (void)state;
    tail_on_plan(tail, entry, 25, 3, plan, 3);
    list_node_init(&waiter);
    tail_wait(entry, &waiter);
    tail_on_log_start(tail, &topic, 0, 17);
    assert_ptr_equal(list_pop_front(tail_changed(tail)), &waiter);
    assert_int_equal(tail_entry_log_start(entry), 17);
    assert_int_equal(tail_find(entry, 12, &runs), 0);
    assert_int_equal(tail_find(entry, 17, &runs), 2);
    assert_int_equal(runs[0].base_offset, 15);
    tail_on_log_start(tail, &topic, 0, 5);
    tail_on_plan(tail, entry, 25, 3, plan, 3);
    assert_int_equal(tail_entry_log_start(entry), 17);
    tail_on_log_start(tail, &topic, 0, 25);
    assert_int_equal(tail_find(entry, 24, &runs), 0);
    commit(tail, 25, 5);
    assert_int_equal(tail_high_watermark(entry), 30);
    assert_int_equal(tail_find(entry, 25, &runs), 1);
    tail_on_log_start(tail, &(struct uuid){{99}}, 0, 5); /* nobody's */
    tail_unuse(tail, entry);
    tail_free(tail);
}

/* A start that comes while the plan is on its way holds, though the plan was made before.
 */
static void the_start_comes_before_the_plan(void **state)
{
    struct tail *tail = tail_new(1 << 20);
    struct tail_entry *entry = tail_use(tail, &topic, 0);
    struct index_run plan[] = {run_at(10, 5)};

    (void)state;
    tail_on_log_start(tail, &topic, 0, 12);
    tail_on_plan(tail, entry, 15, 10, plan, 1);
    assert_true(tail_known(entry));
    assert_int_equal(tail_entry_log_start(entry), 12);
    tail_unuse(tail, entry);
    tail_free(tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_join_the_plan),
        cmocka_unit_test(plan_is_older_than_the_watch),
        cmocka_unit_test(plan_is_too_old),
        cmocka_unit_test(repeats_and_gaps),
        cmocka_unit_test(old_plan_is_kept_apart),
        cmocka_unit_test(a_log_that_was_restored),
        cmocka_unit_test(waiters_are_told),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(the_start_moves),
        cmocka_unit_test(the_start_comes_before_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
