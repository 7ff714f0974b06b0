/* test_topic_config.c - Kafka's topic settings: the table, its checks, what acts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/topic_config.h"

static int check(const char *name, const char *value)
{
    struct err err;
    const struct topic_config_spec *spec = topic_config_find(slice_str(name));

    assert_non_null(spec);
    return topic_config_check(spec, slice_str(value), &err);
}

/* The table is sorted, as the search needs it, and every default passes its own check. */
static void table_is_sound(void **state)
{
    struct err err;

    (void)state;
    for (size_t i = 0; i < topic_config_spec_count; i++) {
        const struct topic_config_spec *spec = &topic_config_specs[i];
        if (i > 0)
            assert_true(strcmp(spec[-1].name, spec->name) < 0);
        assert_ptr_equal(topic_config_find(slice_str(spec->name)), spec);
        assert_int_equal(topic_config_check(spec, slice_str(spec->default_text), &err),
                         0);
    }
    assert_null(topic_config_find(SLICE_LITERAL("no.such.setting")));
    assert_null(topic_config_find(SLICE_LITERAL("cleanup.polic")));
}

/* Values are held to type, range and the words that are allowed. */
static void values_are_checked(void **state)
{
    (void)state;
    assert_int_equal(check("retention.ms", "-1"), 0);
    assert_int_equal(check("retention.ms", "-2"), ERR_INVALID);
    assert_int_equal(check("retention.ms", "10x"), ERR_INVALID);
    assert_int_equal(check("retention.ms", ""), ERR_INVALID);
    assert_int_equal(check("retention.ms", "9223372036854775808"), ERR_INVALID);
    assert_int_equal(check("max.message.bytes", "2147483648"), ERR_INVALID);
    assert_int_equal(check("max.message.bytes", " 5 "), 0);
    assert_int_equal(check("cleanup.policy", "compact,delete"), 0);
    assert_int_equal(check("cleanup.policy", "delete, compact"), 0);
    assert_int_equal(check("cleanup.policy", "shred"), ERR_INVALID);
    assert_int_equal(check("compression.type", "lz4"), 0);
    assert_int_equal(check("compression.type", "LZ4"), ERR_INVALID);
    assert_int_equal(check("preallocate", "TRUE"), 0);
    assert_int_equal(check("preallocate", "yes"), ERR_INVALID);
    assert_int_equal(check("min.cleanable.dirty.ratio", "1.5"), ERR_INVALID);
    assert_int_equal(check("min.cleanable.dirty.ratio", "nan"), ERR_INVALID);
    assert_int_equal(check("message.timestamp.type", "LogAppendTime"), 0);
    assert_int_equal(check("min.insync.replicas", "0"), ERR_INVALID);
    assert_int_equal(check("segment.bytes", "1000"), ERR_INVALID);
    assert_int_equal(check("compression.gzip.level", "10"), ERR_INVALID);
}

/* A set stays sorted, replaces, removes and copies. */
static void sets_hold_values(void **state)
{
    struct topic_config_set set = {0};
    struct topic_config_set copy;

    (void)state;
    topic_config_set_put(&set, SLICE_LITERAL("retention.ms"), SLICE_LITERAL("1"));
    topic_config_set_put(&set, SLICE_LITERAL("cleanup.policy"), SLICE_LITERAL("compact"));
    topic_config_set_put(&set, SLICE_LITERAL("retention.ms"), SLICE_LITERAL("2"));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.entries[0].name, "cleanup.policy");
    assert_string_equal(topic_config_set_get(&set, "retention.ms"), "2");
    topic_config_set_copy(&copy, &set);
    topic_config_set_remove(&set, SLICE_LITERAL("cleanup.policy"));
    topic_config_set_remove(&set, SLICE_LITERAL("cleanup.policy"));
    assert_int_equal(set.count, 1);
    assert_null(topic_config_set_get(&set, "cleanup.policy"));
    assert_string_equal(topic_config_set_get(&copy, "cleanup.policy"), "compact");
    topic_config_set_fini(&set);
    topic_config_set_fini(&copy);
}

/* What acts on a produce follows from what was set, else from the defaults. */
static void effective_values(void **state)
{
    struct topic_config_set set = {0};
    struct topic_config config;

    (void)state;
    topic_config_effective(&set, &config);
    assert_int_equal(config.max_message_bytes, 1048588);
    assert_int_equal(config.timestamp_after_max_ms, 3600000);
    assert_true(config.timestamp_before_max_ms == INT64_MAX);
    assert_false(config.log_append_time);
    assert_false(config.compacted);
    assert_int_equal(config.compression, -1);
    topic_config_set_put(&set, SLICE_LITERAL("cleanup.policy"),
                         SLICE_LITERAL("delete, compact"));
    topic_config_set_put(&set, SLICE_LITERAL("compression.type"), SLICE_LITERAL("zstd"));
    topic_config_set_put(&set, SLICE_LITERAL("message.timestamp.type"),
                         SLICE_LITERAL("LogAppendTime"));
    topic_config_effective(&set, &config);
    assert_true(config.compacted);
    assert_true(config.log_append_time);
    assert_int_equal(config.compression, 4);
    topic_config_set_fini(&set);
}

/* Kafka's rules for names, and the collision of '.' with '_'. */
static void names_are_checked(void **state)
{
    char longest[251];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_true(topic_name_valid(slice_of(longest, 249)));
    assert_false(topic_name_valid(slice_of(longest, 250)));
    assert_false(topic_name_valid(SLICE_LITERAL("")));
    assert_false(topic_name_valid(SLICE_LITERAL(".")));
    assert_false(topic_name_valid(SLICE_LITERAL("..")));
    assert_true(topic_name_valid(SLICE_LITERAL("a.b_C-9")));
    assert_false(topic_name_valid(SLICE_LITERAL("a b")));
    assert_true(topic_name_collides(SLICE_LITERAL("a.b"), SLICE_LITERAL("a_b")));
    assert_false(topic_name_collides(SLICE_LITERAL("a.b"), SLICE_LITERAL("a-b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),    cmocka_unit_test(values_are_checked),
        cmocka_unit_test(sets_hold_values),  cmocka_unit_test(effective_values),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
