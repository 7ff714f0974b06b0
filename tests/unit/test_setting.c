/* test_setting.c - settings of brokers and groups: which there are, and what they may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "proto/setting.h"

/* Each name is there once, sorted, and its default is a value that it may have. */
static void tables_are_sound(void **state)
{
    static const struct {
        const struct topic_config_spec *specs;
        size_t count;
    } tables[] = {{broker_settings, 0}, {group_settings, 0}};
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        size_t count = t == 0 ? broker_setting_count : group_setting_count;
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            const struct topic_config_spec *spec = &tables[t].specs[i];
            struct err err;
            if (i > 0)
                assert_true(strcmp(spec[-1].name, spec->name) < 0);
            if (spec->default_text != NULL)
                assert_int_equal(
                    topic_config_check(spec, slice_str(spec->default_text), &err), 0);
            assert_true(strlen(spec->help) > 10);
        }
    }
}

/* A group's default is the broker setting that it names, with the same bounds. */
static void groups_fall_back_on_brokers(void **state)
{
    (void)state;
    for (size_t i = 0; i < group_setting_count; i++) {
        const struct topic_config_spec *group = &group_settings[i];
        const struct topic_config_spec *broker =
            setting_find(SETTING_BROKER, slice_str(group->broker_name));
        assert_non_null(broker);
        assert_string_equal(broker->default_text, group->default_text);
        assert_int_equal(broker->min, group->min);
        assert_int_equal(broker->max, group->max);
    }
}

/* A broker's settings are its own and the topics' defaults; a group's are its own. */
static void names_are_found(void **state)
{
    const struct topic_config_spec *spec;
    (void)state;
    spec = setting_find(SETTING_BROKER, slice_str("weft.flush.bytes"));
    assert_non_null(spec);
    assert_false(setting_is_topic_default(spec, slice_str("weft.flush.bytes")));
    spec = setting_find(SETTING_BROKER, slice_str("message.max.bytes"));
    assert_non_null(spec);
    assert_string_equal(spec->name, "max.message.bytes");
    assert_true(setting_is_topic_default(spec, slice_str("message.max.bytes")));
    assert_true(setting_is_shared(spec, slice_str("message.max.bytes")));
    spec = setting_find(SETTING_BROKER, slice_str("group.consumer.max.size"));
    assert_true(setting_is_shared(spec, slice_str("group.consumer.max.size")));
    spec = setting_find(SETTING_BROKER, slice_str("num.partitions"));
    assert_false(setting_is_shared(spec, slice_str("num.partitions")));
    assert_null(setting_find(SETTING_BROKER, slice_str("max.message.bytes")));
    assert_null(setting_find(SETTING_BROKER, slice_str("consumer.session.timeout.ms")));
    assert_non_null(
        setting_find(SETTING_GROUP, slice_str("consumer.session.timeout.ms")));
    assert_null(setting_find(SETTING_GROUP, slice_str("weft.flush.bytes")));
    assert_null(setting_find(SETTING_GROUP, slice_str("")));
}

/* A heartbeat interval that is no shorter than the session would end every session. */
static void sessions_are_longer_than_intervals(void **state)
{
    struct topic_config_set set = {.count = 0};
    struct err err;
    (void)state;
    topic_config_set_put(&set, slice_str("consumer.session.timeout.ms"),
                         slice_str("5000"));
    assert_int_equal(setting_check_all(SETTING_GROUP, &set, &err), 0);
    topic_config_set_put(&set, slice_str("consumer.heartbeat.interval.ms"),
                         slice_str("5000"));
    assert_int_equal(setting_check_all(SETTING_GROUP, &set, &err), ERR_INVALID);
    topic_config_set_put(&set, slice_str("consumer.heartbeat.interval.ms"),
                         slice_str("4999"));
    assert_int_equal(setting_check_all(SETTING_GROUP, &set, &err), 0);
    topic_config_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(groups_fall_back_on_brokers),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(sessions_are_longer_than_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
