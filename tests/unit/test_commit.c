/* test_commit.c - commits survive JSON and raw form; hostile columns are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/commit.h"

#define ARENA_MAX (64 * MIB)

struct fixture {
    struct commit_builder builder;
    struct commit commit;
    struct uuid topics[2];
    struct commit_producer producers[2];
};

/* Two topics, three runs; the first has a producer whose sequence wraps. */
static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.commit = {.created_at_ms = 1000, .object_size = 10000}};
    f->topics[0] = uuid_random();
    f->topics[1] = uuid_random();
    f->producers[0] = (struct commit_producer){7, 1};
    f->producers[1] = (struct commit_producer){INT64_MAX, INT16_MAX};
    commit_builder_init(&f->builder, 1000);
    commit_builder_run(&f->builder, 0, 3, 2);
    commit_builder_batch(&f->builder, 100, 10, 1, INT32_MAX - 4, 1500);
    commit_builder_batch(&f->builder, 200, 1, 1, 5, -1);
    commit_builder_run(&f->builder, 0, 4, 1);
    commit_builder_batch(&f->builder, 61, 1, 0, -1, INT64_MAX);
    commit_builder_run(&f->builder, 1, 0, 1);
    commit_builder_batch(&f->builder, 300, 5, 2, 77, INT64_MIN);
    f->commit.object_id = uuid_random();
    f->commit.topics = f->topics;
    f->commit.topic_count = 2;
    f->commit.producers = f->producers;
    f->commit.producer_count = 2;
    commit_builder_columns(&f->builder, &f->commit);
}

static void check_walk(const struct commit *commit)
{
    struct commit_walk w;

    commit_walk_init(&w, commit);
    assert_true(commit_walk_next_run(&w));
    assert_int_equal(w.partition, 3);
    assert_true(commit_walk_next_batch(&w));
    assert_int_equal(w.position, 16);
    assert_int_equal(w.sequence, INT32_MAX - 4);
    assert_int_equal(w.max_timestamp, 1500);
    assert_true(commit_walk_next_batch(&w));
    assert_int_equal(w.position, 116);
    assert_int_equal(w.sequence, 5);
    assert_int_equal(w.max_timestamp, -1);
    assert_false(commit_walk_next_batch(&w));
    assert_true(commit_walk_next_run(&w));
    assert_true(commit_walk_next_batch(&w));
    assert_int_equal(w.position, 316);
    assert_int_equal(w.producer, 0);
    assert_int_equal(w.sequence, -1);
    assert_true(w.max_timestamp == INT64_MAX);
    assert_true(commit_walk_next_run(&w));
    assert_int_equal(w.topic, 1);
    assert_int_equal(w.partition, 0);
    assert_true(commit_walk_next_batch(&w));
    assert_int_equal(w.sequence, 77);
    assert_true(w.max_timestamp == INT64_MIN);
    assert_false(commit_walk_next_run(&w));
    assert_false(w.failed);
}

/* What the builder wrote is what a walk sees. */
static void builder_and_walk_agree(void **state)
{
    struct fixture f;
    struct err err;

    (void)state;
    fixture_init(&f);
    assert_int_equal(commit_check(&f.commit, &err), 0);
    check_walk(&f.commit);
    commit_builder_fini(&f.builder);
}

/* A commit passes through JSON text and through the raw form unchanged. */
static void forms_are_equivalent(void **state)
{
    struct fixture f;
    struct arena arena;
    struct str text;
    struct commit back;
    struct json *value;
    struct reader r;
    struct err err;

    (void)state;
    fixture_init(&f);
    arena_init(&arena, ARENA_MAX);
    str_init(&text, MIB);
    value = commit_to_json(&f.commit);
    json_print(value, &text);
    json_free(value);
    assert_int_equal(json_parse(str_slice(&text), &value, &err), 0);
    assert_int_equal(commit_from_json(value, &arena, &back, &err), 0);
    check_walk(&back);
    assert_true(uuid_eq(&back.topics[1], &f.topics[1]));
    assert_true(back.producers[1].producer_id == INT64_MAX);
    json_free(value);

    str_reset(&text);
    commit_write(&f.commit, &text);
    reader_init(&r, str_slice(&text));
    assert_int_equal(commit_read(&r, &arena, &back), 0);
    assert_int_equal(reader_left(&r), 0);
    check_walk(&back);
    str_fini(&text);
    arena_fini(&arena);
    commit_builder_fini(&f.builder);
}

/* Every truncation of the raw form is refused, or walks to a clean failure. */
static void truncations_fail(void **state)
{
    struct fixture f;
    struct arena arena;
    struct str text;

    (void)state;
    fixture_init(&f);
    str_init(&text, MIB);
    commit_write(&f.commit, &text);
    for (size_t len = 0; len < text.len; len++) {
        struct reader r;
        struct commit back;
        arena_init(&arena, ARENA_MAX);
        reader_init(&r, slice_of(text.data, len));
        assert_int_not_equal(commit_read(&r, &arena, &back), 0);
        arena_fini(&arena);
    }
    str_fini(&text);
    commit_builder_fini(&f.builder);
}

/* Columns of unequal length, unsorted runs, an object too small: all refused. */
static void hostile_columns_fail(void **state)
{
    struct fixture f;
    struct commit bad;
    struct err err;

    (void)state;
    fixture_init(&f);
    bad = f.commit;
    bad.length.len--;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad = f.commit;
    bad.topic.len--;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad = f.commit;
    bad.producer_count = 1;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad = f.commit;
    bad.topic_count = 1;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad = f.commit;
    bad.object_size = 676;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad.object_size = 677;
    assert_int_equal(commit_check(&bad, &err), 0);
    bad.object_size = (uint64_t)INT64_MAX + 1;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    bad = f.commit;
    bad.created_at_ms = -1;
    assert_int_equal(commit_check(&bad, &err), ERR_MALFORMED);
    commit_builder_fini(&f.builder);

    commit_builder_init(&f.builder, 0);
    commit_builder_run(&f.builder, 0, 3, 1);
    commit_builder_batch(&f.builder, 100, 1, 0, -1, 0);
    commit_builder_run(&f.builder, 0, 3, 1);
    commit_builder_batch(&f.builder, 100, 1, 0, -1, 0);
    commit_builder_columns(&f.builder, &f.commit);
    assert_int_equal(commit_check(&f.commit, &err), ERR_MALFORMED);
    commit_builder_fini(&f.builder);
}

/* A result passes through both forms, a refusal by its name. */
static void results_are_equivalent(void **state)
{
    struct commit_exception rows[] = {{0, -1, 3, -1, -1}, {2, 5, 0, 123456789012, 99}};
    uint8_t column[] = {2, 4, 6};
    struct commit_result result = {0, slice_of(column, 3), rows, 2};
    struct arena arena;
    struct commit_result back;
    struct str raw;
    struct reader r;
    struct err err;

    (void)state;
    arena_init(&arena, ARENA_MAX);
    str_init(&raw, MIB);
    struct json *value = commit_result_to_json(&result);
    assert_int_equal(commit_result_from_json(value, &arena, &back, &err), 0);
    assert_true(slice_eq(back.base_offset, result.base_offset));
    assert_int_equal(back.exception_count, 2);
    assert_true(back.exceptions[1].base_offset == 123456789012);
    json_free(value);
    commit_result_write(&result, &raw);
    reader_init(&r, str_slice(&raw));
    assert_int_equal(commit_result_read(&r, &arena, &back), 0);
    assert_int_equal(back.exceptions[0].kafka_error, 3);
    assert_int_equal(back.exceptions[0].batch, -1);
    result = (struct commit_result){.code = ERR_EXPIRED};
    value = commit_result_to_json(&result);
    assert_int_equal(commit_result_from_json(value, &arena, &back, &err), 0);
    assert_int_equal(back.code, ERR_EXPIRED);
    json_free(value);
    str_fini(&raw);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_and_walk_agree), cmocka_unit_test(forms_are_equivalent),
        cmocka_unit_test(truncations_fail),       cmocka_unit_test(hostile_columns_fail),
        cmocka_unit_test(results_are_equivalent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
