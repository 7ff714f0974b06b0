/* Unit tests of agent/batcher.c and agent/intake.c: when objects are sealed, and how the
 * sealed object looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/batcher.h"
#include "common/crc32c.h"
#include "proto/object.h"
#include "tests/lib/produce_asks.h"

static struct produces produces;
static const struct batcher_options defaults = {.flush_bytes = 1000,
                                                .flush_interval_ms = 250};

static struct produce *take(struct made_ask *made, int64_t now)
{
    return produces_take(&produces, &made->ask, now);
}

/* Answer everything and drop INTAKE, so that nothing of it is open. */
static void drop(struct intake *intake)
{
    produces_step(&produces, INT64_C(1) << 40);
    intake_unref(intake);
}

static int setup(void **state)
{
    (void)state;
    produces_init(&produces, 0, count_reply, NULL);
    return 0;
}

/* Age counts from the first batch; nothing produced, nothing sealed. */
static void test_sealed_by_age(void **state)
{
    struct batcher b;
    struct made_ask *first = make_ask(1, 100, 9999), *second = make_ask(1, 100, 9999);
    (void)state;

    batcher_init(&b, &defaults);
    assert_int_equal(batcher_due_at_ms(&b, false), INT64_MAX);
    assert_null(batcher_step(&b, false, 5000));
    assert_null(batcher_add(&b, take(first, 100), 100));
    assert_null(batcher_add(&b, take(second, 300), 300));
    assert_int_equal(batcher_due_at_ms(&b, false), 350);
    assert_null(batcher_step(&b, false, 349));
    struct intake *intake = batcher_step(&b, false, 350);
    assert_non_null(intake);
    assert_int_equal(intake->batch_count, 2);
    assert_true(batcher_empty(&b));
    drop(intake);
    made_ask_free(first);
    made_ask_free(second);
}

/* Size seals at once, also while the pipeline is saturated; age alone does not then. */
static void test_sealed_by_size(void **state)
{
    struct batcher b;
    struct made_ask *small = make_ask(1, 500, 9999), *more = make_ask(1, 500, 9999);
    (void)state;

    batcher_init(&b, &defaults);
    assert_null(batcher_add(&b, take(small, 0), 0));
    assert_null(batcher_step(&b, true, 100000));
    assert_int_equal(batcher_due_at_ms(&b, true), INT64_MAX);
    struct intake *intake = batcher_add(&b, take(more, 10), 10);
    assert_non_null(intake);
    assert_int_equal(intake->bytes, 1000);
    drop(intake);
    made_ask_free(small);
    made_ask_free(more);
}

/* While draining, whatever is open is due. */
static void test_flush(void **state)
{
    struct batcher b;
    struct made_ask *made = make_ask(1, 100, 9999);
    (void)state;

    batcher_init(&b, &defaults);
    batcher_flush(&b);
    assert_null(batcher_step(&b, true, 0));
    assert_null(batcher_add(&b, take(made, 7), 7));
    struct intake *intake = batcher_step(&b, true, 7);
    assert_non_null(intake);
    drop(intake);
    made_ask_free(made);
}

/* An ask is never split: when it does not fit, what was open goes first. */
static void test_does_not_split(void **state)
{
    struct batcher b;
    const struct batcher_options large = {.flush_bytes = 1 << 30, .flush_interval_ms = 1};
    struct made_ask *made[INTAKE_BATCHES_MAX / MADE_PARTS_MAX + 1];
    struct intake *full = NULL;
    size_t n = 0;
    (void)state;

    batcher_init(&b, &large);
    for (; full == NULL; n++) {
        assert_true(n < sizeof(made) / sizeof(made[0]));
        made[n] = make_ask(MADE_PARTS_MAX, 80, 9999);
        full = batcher_add(&b, take(made[n], 0), 0);
    }
    assert_true(full->batch_count <= INTAKE_BATCHES_MAX);
    assert_int_equal(full->batch_count % MADE_PARTS_MAX, 0);
    struct intake *rest = batcher_take(&b);
    assert_int_equal(rest->batch_count, MADE_PARTS_MAX);
    drop(full);
    drop(rest);
    for (size_t i = 0; i < n; i++)
        made_ask_free(made[i]);
}

static struct slice name_of(const struct uuid *topic_id, void *arg)
{
    (void)arg;
    return topic_id->bytes[15] == 1 ? SLICE_LITERAL("one") : SLICE_NULL;
}

/* Join the pieces of a layout. */
static size_t join(const struct slice *pieces, size_t n, uint8_t *out, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(len + pieces[i].len <= max);
        memcpy(out + len, pieces[i].ptr, pieces[i].len);
        len += pieces[i].len;
    }
    return len;
}

static struct intake *sealed(struct made_ask **made, size_t n)
{
    static const struct uuid cluster = {{7}}, agent = {{8}};
    const struct intake_seal seal = {.number = 1,
                                     .created_at_ms = 123456,
                                     .cluster_id = &cluster,
                                     .agent_id = &agent,
                                     .name = name_of};
    struct intake *intake = intake_new(NULL, 0);
    for (size_t i = 0; i < n; i++)
        intake_add(intake, take(made[i], 0));
    intake_seal(intake, &seal);
    return intake;
}

/* The bytes are an object by object.md: sorted runs, arrival order within a run, right
 * checksums (the combined ones too), names where known. */
static void test_layout(void **state)
{
    struct made_ask *made[3] = {make_ask(3, 100, 9999), make_ask(2, 20000, 9999),
                                make_ask(1, 90, 9999)};
    static uint8_t bytes[100000];
    struct slice pieces[16];
    uint8_t header[OBJECT_HEADER_LEN];
    const struct uuid id = {{9}};
    struct object_footer footer;
    struct arena arena;
    struct err err = {0};
    struct str text;
    uint64_t size, at;
    uint32_t crc, len;
    (void)state;

    made[2]->parts[0].topic_id = made_topic(2);
    made[0]->parts[2].partition = 0; /* a partition twice in one ask: in that order */
    struct intake *intake = sealed(made, 3);
    str_init(&text, MIB);
    intake_layout(intake, &id, header, &text, pieces, &crc, &size);
    size_t n = join(pieces, intake_piece_count(intake), bytes, sizeof(bytes));
    assert_int_equal(n, size);
    assert_int_equal(crc, crc32c(bytes, n));
    assert_int_equal(
        object_read_trailer(slice_of(bytes + n - OBJECT_TRAILER_LEN, OBJECT_TRAILER_LEN),
                            n, &at, &len, &err),
        0);
    arena_init(&arena, MIB);
    assert_int_equal(
        object_read_footer(slice_of(bytes + at, n - at), n, &arena, &footer, &err), 0);
    assert_true(uuid_eq(&footer.object_id, &id));
    assert_int_equal(footer.topic_count, 2);
    assert_true(slice_eq_str(footer.topics[0].name, "one"));
    assert_int_equal(footer.topics[1].name.len, 0);
    assert_int_equal(footer.run_count, 3); /* topic 1: partitions 0 and 1; topic 2: 0 */
    assert_int_equal(footer.runs[0].batches, 3);
    assert_int_equal(footer.runs[0].length, 100 + 100 + 20000);
    assert_int_equal(footer.runs[0].records, 9);
    for (size_t i = 0; i < footer.run_count; i++)
        assert_int_equal(crc32c(bytes + footer.runs[i].position, footer.runs[i].length),
                         footer.runs[i].crc);
    assert_memory_equal(bytes + 16, made[0]->parts[0].bytes.ptr, 100);
    assert_memory_equal(bytes + 116, made[0]->parts[2].bytes.ptr, 100);
    assert_memory_equal(bytes + 216, made[1]->parts[0].bytes.ptr, 20000);
    arena_fini(&arena);
    str_fini(&text);
    drop(intake);
    for (size_t i = 0; i < 3; i++)
        made_ask_free(made[i]);
}

/* The commit says of every batch what its producer said, within the stated bound. */
static void test_commit(void **state)
{
    struct made_ask *made[2] = {make_ask(2, 100, 9999), make_ask(2, 200, 9999)};
    struct arena arena;
    struct commit commit;
    struct commit_walk walk;
    struct err err = {0};
    struct str text;
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        made[i]->parts[0].producer_id = 55;
        made[i]->parts[0].producer_epoch = 2;
        made[i]->parts[0].base_sequence = (int32_t)i * 3;
    }
    struct intake *intake = sealed(made, 2);
    intake->object_id.bytes[0] = 3;
    intake->object_size = 5000;
    struct json *json = intake_commit(intake);
    str_init(&text, MIB);
    json_print(json, &text);
    assert_true(text.len <= intake_commit_bytes(intake));
    arena_init(&arena, MIB);
    assert_int_equal(commit_from_json(json, &arena, &commit, &err), 0);
    assert_int_equal(commit.created_at_ms, 123456);
    assert_int_equal(commit.producer_count, 1);
    assert_int_equal(commit.producers[0].producer_id, 55);
    commit_walk_init(&walk, &commit);
    assert_true(commit_walk_next_run(&walk));
    for (int i = 0; i < 2; i++) {
        assert_true(commit_walk_next_batch(&walk));
        assert_int_equal(walk.producer, 1);
        assert_int_equal(walk.sequence, i * 3);
        assert_int_equal(walk.length, i == 0 ? 100 : 200);
        assert_int_equal(walk.records, 3);
        assert_int_equal(walk.max_timestamp, 2000);
    }
    assert_false(commit_walk_next_batch(&walk));
    assert_true(commit_walk_next_run(&walk));
    assert_int_equal(walk.partition, 1);
    assert_true(commit_walk_next_batch(&walk));
    assert_int_equal(walk.producer, 0);
    arena_fini(&arena);
    str_fini(&text);
    json_free(json);
    drop(intake);
    for (size_t i = 0; i < 2; i++)
        made_ask_free(made[i]);
}

/* The books of an object are on the budget until it is gone. */
static void test_books_are_charged(void **state)
{
    struct budget budget;
    struct batcher b;
    struct batcher_options options = defaults;
    struct made_ask *made = make_ask(4, 100, 9999);
    (void)state;

    budget_init(&budget, MIB);
    options.budget = &budget;
    batcher_init(&b, &options);
    assert_null(batcher_add(&b, take(made, 0), 0));
    assert_true(budget_used(&budget) >= 4 * sizeof(struct intake_batch));
    produces_step(&produces, INT64_C(1) << 40);
    batcher_fini(&b);
    assert_int_equal(budget_used(&budget), 0);
    made_ask_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sealed_by_age, setup),
        cmocka_unit_test_setup(test_sealed_by_size, setup),
        cmocka_unit_test_setup(test_flush, setup),
        cmocka_unit_test_setup(test_does_not_split, setup),
        cmocka_unit_test_setup(test_layout, setup),
        cmocka_unit_test_setup(test_commit, setup),
        cmocka_unit_test_setup(test_books_are_charged, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
