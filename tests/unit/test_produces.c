/* Unit tests of agent/produces.c: every ask is answered once, by results or by time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/produces.h"
#include "tests/lib/produce_asks.h"

static const struct produce_outcome good = {.base_offset = 70, .log_start_offset = 4};

static struct produces *fresh(void)
{
    static struct produces produces;
    produces_init(&produces, 1000, count_reply, NULL);
    return &produces;
}

static void release_all(struct produce *produce, size_t n)
{
    for (size_t i = 0; i < n; i++)
        produce_release(produce);
}

/* An ask is answered when its last part is settled, not before, with each part's own. */
static void test_last_part_answers(void **state)
{
    struct produces *p = fresh();
    struct made_ask *made = make_ask(3, 80, 99999);
    const struct produce_outcome bad = {.kafka_error = 45, .message = "why"};
    (void)state;

    struct produce *produce = produces_take(p, &made->ask, 1000);
    produces_settle(p, produce, 2, &good, 1001);
    produces_settle(p, produce, 0, &bad, 1001);
    assert_int_equal(made->answered, 0);
    produces_settle(p, produce, 1, &good, 1001);
    assert_int_equal(made->answered, 1);
    assert_int_equal(made->parts[0].kafka_error, 45);
    assert_int_equal(made->parts[0].base_offset, -1);
    assert_string_equal(made->parts[0].message, "why");
    assert_int_equal(made->parts[1].kafka_error, 0);
    assert_int_equal(made->parts[2].base_offset, 70);
    assert_int_equal(made->parts[2].log_start_offset, 4);
    assert_int_equal(made->parts[2].log_append_time_ms, -1); /* as the asker set it */
    release_all(produce, 3);
    made_ask_free(made);
}

/* A duplicate carries the time of the original (kafka.md 3.3, rule 2). */
static void test_duplicate(void **state)
{
    struct produces *p = fresh();
    struct made_ask *made = make_ask(1, 80, 99999);
    const struct produce_outcome duplicate = {
        .base_offset = 12, .duplicate = true, .log_append_time_ms = 777};
    (void)state;

    struct produce *produce = produces_take(p, &made->ask, 1000);
    produces_settle(p, produce, 0, &duplicate, 1001);
    assert_int_equal(made->parts[0].kafka_error, 0);
    assert_int_equal(made->parts[0].base_offset, 12);
    assert_int_equal(made->parts[0].log_append_time_ms, 777);
    release_all(produce, 1);
    made_ask_free(made);
}

/* At the deadline what is open gets 7 and what was settled keeps its result; what comes
 * later changes nothing any more. */
static void test_deadline(void **state)
{
    struct produces *p = fresh();
    struct made_ask *made = make_ask(2, 80, 1500);
    (void)state;

    struct produce *produce = produces_take(p, &made->ask, 1000);
    produces_settle(p, produce, 0, &good, 1001);
    produces_step(p, 1499);
    assert_int_equal(made->answered, 0);
    assert_true(produces_due_at_ms(p) <= 1500 + PRODUCES_SLOT_MS);
    produces_step(p, produces_due_at_ms(p));
    assert_int_equal(made->answered, 1);
    assert_int_equal(made->parts[0].base_offset, 70);
    assert_int_equal(made->parts[1].kafka_error, 7);
    assert_int_equal(produces_due_at_ms(p), INT64_MAX);
    produces_settle(p, produce, 1, &good, 2000);
    assert_int_equal(made->answered, 1);
    assert_int_equal(made->parts[1].kafka_error, 7);
    release_all(produce, 2);
    made_ask_free(made);
}

/* A deadline further away than one turn of the wheel is not met early, and one that was
 * over when the ask came is met at once. */
static void test_far_and_past_deadlines(void **state)
{
    const int64_t turn = (int64_t)PRODUCES_SLOTS * PRODUCES_SLOT_MS;
    struct produces *p = fresh();
    struct made_ask *far = make_ask(1, 80, 1000 + 3 * turn + 10);
    struct made_ask *past = make_ask(1, 80, 5);
    (void)state;

    struct produce *a = produces_take(p, &far->ask, 1000);
    struct produce *b = produces_take(p, &past->ask, 1000);
    produces_step(p, 1000);
    assert_int_equal(past->answered, 1);
    assert_int_equal(past->parts[0].kafka_error, 7);
    for (int64_t now = 1000; now < 1000 + 3 * turn + 10; now += 500)
        produces_step(p, now);
    assert_int_equal(far->answered, 0);
    produces_step(p, 1000 + 5 * turn); /* and after a pause of whole turns it is found */
    assert_int_equal(far->answered, 1);
    release_all(a, 1);
    release_all(b, 1);
    made_ask_free(far);
    made_ask_free(past);
}

/* The frame lives as long as a batch refers to it, though the ask was answered. */
static void test_frame_outlives_the_ask(void **state)
{
    struct produces *p = fresh();
    struct budget budget;
    (void)state;
    budget_init(&budget, 1000);
    struct made_ask *made = make_ask(2, 80, 1001);
    blob_unref(made->ask.frame);
    made->ask.frame = blob_new(200, &budget);

    struct produce *produce = produces_take(p, &made->ask, 1000);
    produces_step(p, 1100);
    assert_int_equal(made->answered, 1);
    made_ask_free(made);
    produce_release(produce);
    assert_int_equal(budget_used(&budget), 200);
    produce_release(produce);
    assert_int_equal(budget_used(&budget), 0);
}

/* An ask without parts is answered at once. */
static void test_no_parts(void **state)
{
    struct produces *p = fresh();
    struct made_ask *made = make_ask(0, 80, 99999);
    (void)state;
    assert_null(produces_take(p, &made->ask, 1000));
    assert_int_equal(made->answered, 1);
    made_ask_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_part_answers),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_far_and_past_deadlines),
        cmocka_unit_test(test_frame_outlives_the_ask),
        cmocka_unit_test(test_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
