/* test_offset_commit.c - the bytes in which commits of offsets and their results travel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/err.h"
#include "proto/offset_commit.h"
#include "tests/lib/offset_driver.h"

static struct str payload;

static int setup(void **state)
{
    (void)state;
    str_init(&payload, MIB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    str_fini(&payload);
    return 0;
}

static const struct test_offset parts[] = {
    {1, 0, 7, 0, "m"},
    {1, 5, INT64_MAX, -1, NULL},
    {1, INT32_MAX, INT64_MIN, INT32_MAX, "a text"},
    {2, 3, -1, 2, NULL},
};
static const struct test_offsets commits[] = {
    {.group = "g", .generation = -1, .parts = parts, .count = 4},
    {.group = "",
     .generation = INT32_MAX,
     .member = "m-1",
     .instance = "i",
     .flags = OFFSET_COMMIT_KNOWS_EPOCHS,
     .late_ms = 70000,
     .parts = parts + 3,
     .count = 1},
    {.group = "empty", .generation = 0, .member = "x"},
};

/* What is written is read back, field by field, whatever the numbers are. */
static void test_round_trip(void **state)
{
    struct offset_commit_partition part;
    struct offset_commit_topic topic;
    struct offset_commit commit;
    struct offset_commits walk;
    struct uuid id;

    (void)state;
    offsets_payload(commits, 3, &payload);
    assert_true(offset_commits_valid(str_slice(&payload)));
    offset_commits_begin(&walk, str_slice(&payload));
    assert_int_equal(walk.commit_count, 3);
    offset_commits_next(&walk, &commit);
    assert_true(slice_eq_str(commit.group, "g"));
    assert_int_equal(commit.generation, -1);
    assert_int_equal(commit.member.len, 0);
    assert_null(commit.instance.ptr);
    assert_int_equal(commit.topic_count, 2);
    offset_commits_next_topic(&walk, &topic);
    assert_int_equal(topic.partition_count, 3);
    id = offset_commits_id(&walk, topic.index);
    struct uuid want = test_uuid(2, 1);
    assert_true(uuid_eq(&id, &want));
    for (int i = 0; i < 3; i++) {
        offset_commits_next_partition(&walk, &part);
        assert_int_equal(part.partition, parts[i].partition);
        assert_int_equal(part.offset, parts[i].offset);
        assert_int_equal(part.leader_epoch, parts[i].leader_epoch);
    }
    assert_true(slice_eq_str(part.metadata, "a text"));
    offset_commits_next_topic(&walk, &topic);
    offset_commits_next_partition(&walk, &part);
    assert_int_equal(part.offset, -1);
    assert_non_null(part.metadata.ptr);
    offset_commits_next(&walk, &commit);
    assert_true(slice_eq_str(commit.instance, "i"));
    assert_int_equal(commit.flags, OFFSET_COMMIT_KNOWS_EPOCHS);
    assert_int_equal(commit.late_ms, 70000);
    offset_commits_next_topic(&walk, &topic);
    offset_commits_next_partition(&walk, &part);
    offset_commits_next(&walk, &commit);
    assert_int_equal(commit.topic_count, 0);
    assert_int_equal(reader_left(&walk.r), 0);
}

/* A payload that ends early, or goes on behind its end, is refused as a whole. */
static void test_cut(void **state)
{
    (void)state;
    offsets_payload(commits, 3, &payload);
    for (size_t len = 0; len < payload.len; len++)
        assert_false(offset_commits_valid(slice_of(payload.data, len)));
    write_u8(&payload, 0);
    assert_false(offset_commits_valid(str_slice(&payload)));
}

/* Counts and indexes that lead out of the payload or over a limit are refused before
 * anything is made of them. */
static void test_bounds(void **state)
{
    static const struct {
        uint64_t ids, commits, topics, index, partitions, flags, gap;
    } cases[] = {
        {OFFSET_COMMIT_TOPICS_MAX + 1, 1, 1, 0, 1, 0, 0},
        {1, OFFSET_COMMIT_COUNT_MAX + 1, 1, 0, 1, 0, 0},
        {1, 1, OFFSET_COMMIT_TOPICS_MAX + 1, 0, 1, 0, 0},
        {1, 1, 1, 1, 1, 0, 0},
        {1, 1, 1, 0, 0, 0, 0},
        {1, 1, 1, 0, OFFSET_COMMIT_PARTITIONS_MAX + 1, 0, 0},
        {1, 1, 1, 0, 1, 2, 0},
        {1, 1, 1, 0, 1, 0, (uint64_t)INT32_MAX + 1},
        {1, 1, 1, 0, 1, 0, 0}, /* the last one is well-formed */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uuid id = test_uuid(2, 1);
        str_reset(&payload);
        write_uvarint(&payload, cases[i].ids);
        str_append(&payload, id.bytes, sizeof(id.bytes));
        write_uvarint(&payload, cases[i].commits);
        write_uvarint(&payload, 2), write_u8(&payload, 'g');
        write_varint(&payload, -1);
        write_uvarint(&payload, 1);
        write_uvarint(&payload, 0);
        write_u8(&payload, (uint8_t)cases[i].flags);
        write_uvarint(&payload, cases[i].topics);
        write_uvarint(&payload, cases[i].index);
        write_uvarint(&payload, cases[i].partitions);
        write_uvarint(&payload, cases[i].gap);
        write_varint(&payload, 1);
        write_varint(&payload, 0);
        write_uvarint(&payload, 1);
        assert_int_equal(offset_commits_valid(str_slice(&payload)),
                         i + 1 == ARRAY_LEN(cases));
    }
}

/* A result names only what failed; all else is read as no error. */
static void test_results(void **state)
{
    struct offset_results walk;
    int16_t error, errors[4];
    struct str exceptions;
    int64_t last = -1;

    (void)state;
    str_init(&exceptions, KIB);
    offset_results_except(&exceptions, &last, 1, 3);
    offset_results_except(&exceptions, &last, 3, 100);
    offset_results_write_count(&payload, 2);
    offset_results_write(&payload, 0, 2, str_slice(&exceptions));
    offset_results_write(&payload, 25, 0, SLICE_NULL);
    assert_int_equal(offset_results_begin(&walk, str_slice(&payload)), 0);
    assert_int_equal(walk.commit_count, 2);
    assert_int_equal(offset_results_next(&walk, &error, errors, 4), 0);
    assert_int_equal(error, 0);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], 3);
    assert_int_equal(errors[2], 0);
    assert_int_equal(errors[3], 100);
    assert_int_equal(offset_results_next(&walk, &error, errors, 4), 0);
    assert_int_equal(error, 25);
    assert_int_equal(offset_results_next(&walk, &error, errors, 4), ERR_MALFORMED);
    /* an exception behind the last partition */
    assert_int_equal(offset_results_begin(&walk, str_slice(&payload)), 0);
    assert_int_equal(offset_results_next(&walk, &error, errors, 3), ERR_MALFORMED);
    str_fini(&exceptions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_results, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
