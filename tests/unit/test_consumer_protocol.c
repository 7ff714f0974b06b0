/* test_consumer_protocol.c - what members of a group embed: versions and bounds. That
 * real bytes pass unchanged is test_golden_groups'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "common/defs.h"
#include "common/err.h"
#include "proto/consumer_protocol.h"

#define HEX(s) slice_of(s, sizeof(s) - 1)

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, MIB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

/* Fields that a version lacks read as their defaults. */
static void old_versions_lack_fields(void **state)
{
    struct consumer_protocol_subscription sub;
    (void)state;
    assert_int_equal(consumer_protocol_read_subscription(
                         HEX("\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"), &arena, &sub),
                     0);
    assert_int_equal(sub.topics_count, 1);
    assert_true(slice_eq_str(sub.topics[0], "t"));
    assert_null(sub.user_data.ptr);
    assert_int_equal(sub.owned_partitions_count, 0);
    assert_int_equal(sub.generation_id, -1);
    assert_null(sub.rack_id.ptr);
}

/* A version to come is read as the last that is known; what is behind it is left alone.
 */
static void newer_versions_are_read_as_the_last(void **state)
{
    struct consumer_protocol_subscription sub;
    struct consumer_protocol_assignment made;
    (void)state;
    struct slice bytes = HEX("\0\x09\0\0\0\0\0\0\0\1x\0\0\0\0\0\0\0\5\0\1rNEW");
    assert_int_equal(consumer_protocol_read_subscription(bytes, &arena, &sub), 0);
    assert_true(slice_eq_str(sub.user_data, "x"));
    assert_int_equal(sub.generation_id, 5);
    assert_true(slice_eq_str(sub.rack_id, "r"));

    bytes = HEX("\x7f\xff\0\0\0\1\0\1t\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\0more");
    assert_int_equal(consumer_protocol_read_assignment(bytes, &arena, &made), 0);
    assert_int_equal(made.assigned_partitions_count, 1);
    assert_int_equal(made.assigned_partitions[0].partitions_count, 2);
    assert_int_equal(made.assigned_partitions[0].partitions[1], 4);
    assert_int_equal(made.user_data.len, 0);
}

/* Members may send anything: no bytes, negative versions and cut ones are refused. */
static void bad_bytes_are_refused(void **state)
{
    static const char whole[] = "\0\3\0\0\0\1\0\1t\0\0\0\1x\0\0\0\0\0\0\0\5\0\1r";
    struct consumer_protocol_subscription sub;
    struct consumer_protocol_assignment made;
    (void)state;
    assert_int_equal(consumer_protocol_read_subscription(SLICE_NULL, &arena, &sub),
                     ERR_MALFORMED);
    assert_int_equal(
        consumer_protocol_read_assignment(HEX("\xff\xff\0\0\0\0\0\0\0\0"), &arena, &made),
        ERR_MALFORMED);
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct slice cut = arena_dup(&arena, slice_of(whole, len));
        assert_int_equal(consumer_protocol_read_subscription(cut, &arena, &sub),
                         ERR_MALFORMED);
    }
    assert_int_equal(consumer_protocol_read_subscription(
                         slice_of(whole, sizeof(whole) - 1), &arena, &sub),
                     0);
}

/* What is written in each version reads the same; an unknown version is an error, and so
 * is a text without room. */
static void writing_and_reading(void **state)
{
    int32_t numbers[] = {0, 7};
    struct consumer_protocol_assignment_assigned assigned = {slice_str("t"), numbers, 2};
    struct consumer_protocol_assignment body = {.assigned_partitions = &assigned,
                                                .assigned_partitions_count = 1,
                                                .user_data = SLICE_NULL};
    struct consumer_protocol_subscription sub = consumer_protocol_subscription_defaults;
    struct consumer_protocol_assignment back;
    struct str out;
    (void)state;
    for (int16_t v = 0; v <= CONSUMER_PROTOCOL_VERSION_MAX; v++) {
        str_init(&out, MIB);
        assert_int_equal(consumer_protocol_write_assignment(v, &body, &out), 0);
        assert_int_equal(out.data[1], v);
        assert_int_equal(
            consumer_protocol_read_assignment(str_slice(&out), &arena, &back), 0);
        assert_int_equal(back.assigned_partitions[0].partitions[1], 7);
        assert_null(back.user_data.ptr);
        str_fini(&out);
    }
    str_init(&out, 9);
    assert_int_equal(consumer_protocol_write_subscription(4, &sub, &out),
                     ERR_UNSUPPORTED);
    assert_int_equal(out.len, 0);
    assert_int_equal(consumer_protocol_write_subscription(0, &sub, &out), ERR_TOO_LARGE);
    str_fini(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_versions_lack_fields),
        TEST(newer_versions_are_read_as_the_last),
        TEST(bad_bytes_are_refused),
        TEST(writing_and_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
