/* test_apply_settings.c - what is set for brokers and groups, and client quotas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/quota_entity.h"
#include "tests/lib/stored_state.h"

struct fixture {
    struct stored_state stored;
    int told;
    size_t told_values; /* of the set that was told last */
};

static void on_setting(void *arg, const struct cluster *cluster,
                       const struct setting_set *set)
{
    struct fixture *f = arg;
    (void)cluster;
    f->told++;
    f->told_values = set->values.count;
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct state_events events = {.arg = f, .on_setting = on_setting};
    stored_state_init(&f->stored, &events);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stored_state_fini(&f->stored);
    mem_free(f);
    return 0;
}

static const struct cluster *cluster(struct fixture *f)
{
    return state_cluster(f->stored.driver.state, &f->stored.driver.cluster_id);
}

static struct command_result alter(struct fixture *f, enum setting_kind kind,
                                   const char *name, const char *key, const char *value)
{
    struct config_change change = {value == NULL ? CONFIG_DELETE : CONFIG_SET,
                                   slice_str(key), slice_str(value)};
    struct command cmd = {.kind = COMMAND_SETTINGS_ALTER,
                          .settings_alter = {.setting_kind = (uint8_t)kind,
                                             .name = slice_str(name),
                                             .changes = &change,
                                             .change_count = 1,
                                             .sets_max = 3}};
    return driver_apply(&f->stored.driver, &cmd);
}

static struct command_result alter_quota(struct fixture *f, const char *user,
                                         double value, bool remove)
{
    struct quota_part part = {slice_str("user"), slice_str(user)};
    struct quota_change change = {slice_str("producer_byte_rate"), remove, value};
    struct command cmd = {.kind = COMMAND_QUOTAS_ALTER,
                          .quotas_alter = {.parts = &part,
                                           .part_count = 1,
                                           .changes = &change,
                                           .change_count = 1,
                                           .sets_max = 3}};
    return driver_apply(&f->stored.driver, &cmd);
}

/* A set is there while a value is in it; who watches hears of each change, also of the
 * last one. */
static void test_sets_come_and_go(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(alter(f, SETTING_BROKER, "", "num.partitions", "3").kafka_error, 0);
    assert_int_equal(alter(f, SETTING_BROKER, "", "weft.log.level", "warn").kafka_error,
                     0);
    assert_int_equal(f->told, 2);
    assert_int_equal(f->told_values, 2);
    assert_int_equal(cluster(f)->settings.count, 1);
    stored_state_check(&f->stored);
    assert_int_equal(alter(f, SETTING_BROKER, "", "weft.log.level", NULL).kafka_error, 0);
    assert_int_equal(alter(f, SETTING_BROKER, "", "num.partitions", NULL).kafka_error, 0);
    assert_int_equal(f->told_values, 0);
    assert_int_equal(cluster(f)->settings.count, 0);
    assert_int_equal(cluster(f)->text_bytes, 0);
    stored_state_check(&f->stored);
    assert_int_equal(alter(f, SETTING_BROKER, "", "num.partitions", NULL).kafka_error, 0);
    assert_int_equal(f->told, 4); /* nothing was there, nothing is told */
}

/* What holds for a group: its own, else what all brokers have, else the default. */
static void test_group_setting(void **state)
{
    struct fixture *f = *state;
    static const char name[] = "consumer.session.timeout.ms";
    struct slice g = slice_str("g");

    assert_int_equal(group_setting_int(cluster(f), g, name), 45000);
    alter(f, SETTING_BROKER, "", "group.consumer.session.timeout.ms", "50000");
    assert_int_equal(group_setting_int(cluster(f), g, name), 50000);
    alter(f, SETTING_GROUP, "g", name, "20000");
    assert_int_equal(group_setting_int(cluster(f), g, name), 20000);
    assert_int_equal(group_setting_int(cluster(f), slice_str("h"), name), 50000);
    alter(f, SETTING_GROUP, "g", name, NULL);
    assert_int_equal(group_setting_int(cluster(f), g, name), 50000);
    assert_string_equal(group_setting(cluster(f), g, "group.consumer.migration.policy"),
                        "bidirectional");
}

/* I12: a cluster has so many sets at most; who has one can still change and remove it. */
static void test_limit(void **state)
{
    struct fixture *f = *state;
    alter(f, SETTING_GROUP, "a", "x", "1");
    alter(f, SETTING_GROUP, "b", "x", "1");
    alter(f, SETTING_BROKER, "1", "x", "1");
    struct command_result result = alter(f, SETTING_GROUP, "c", "x", "1");
    assert_int_equal(result.kafka_error, STATE_KAFKA_POLICY_VIOLATION);
    assert_true(result.message.len > 0);
    assert_int_equal(alter(f, SETTING_GROUP, "b", "x", "2").kafka_error, 0);
    assert_int_equal(alter(f, SETTING_GROUP, "c", "x", NULL).kafka_error, 0);
    assert_int_equal(alter(f, SETTING_GROUP, "b", "x", NULL).kafka_error, 0);
    assert_int_equal(alter(f, SETTING_GROUP, "c", "x", "1").kafka_error, 0);
    stored_state_check(&f->stored);
}

/* Sets are walked by kind and name, however they came, also after a restart. */
static void test_order(void **state)
{
    struct fixture *f = *state;
    const struct setting_set *set = NULL;
    static const char *const want[] = {"", "7", "g"};

    alter(f, SETTING_GROUP, "g", "x", "1");
    alter(f, SETTING_BROKER, "7", "x", "1");
    alter(f, SETTING_BROKER, "", "x", "1");
    for (size_t i = 0; i < 3; i++) {
        set = settings_next(&cluster(f)->settings, set);
        assert_non_null(set);
        assert_true(slice_eq_str(set->name, want[i]));
    }
    assert_null(settings_next(&cluster(f)->settings, set));
    stored_state_check(&f->stored);
}

/* Quotas are kept by entity, told to nobody, and survive. */
static void test_quotas(void **state)
{
    struct fixture *f = *state;
    struct quota_part parts[COMMAND_ENTITY_MAX];

    assert_int_equal(alter_quota(f, "ann", 1024.5, false).kafka_error, 0);
    assert_int_equal(alter_quota(f, NULL, 7, false).kafka_error, 0);
    assert_int_equal(f->told, 0);
    assert_int_equal(cluster(f)->settings.count, 2);
    const struct setting_set *set = settings_next(&cluster(f)->settings, NULL);
    assert_int_equal(quota_entity_read(set->name, parts), 1);
    assert_true(slice_eq_str(parts[0].type, "user"));
    assert_null(parts[0].name.ptr); /* the default */
    set = settings_next(&cluster(f)->settings, set);
    assert_int_equal(quota_entity_read(set->name, parts), 1);
    assert_true(slice_eq_str(parts[0].name, "ann"));
    assert_string_equal(topic_config_set_get(&set->values, "producer_byte_rate"),
                        "1024.5");
    stored_state_check(&f->stored);
    assert_int_equal(alter_quota(f, "ann", 0, true).kafka_error, 0);
    assert_int_equal(cluster(f)->settings.count, 1);
    stored_state_check(&f->stored);
}

/* The bytes of an entity are read back as they were, and damaged ones are none. */
static void test_entities(void **state)
{
    const struct quota_part parts[] = {{slice_str("client-id"), slice_str("")},
                                       {slice_str("user"), SLICE_NULL}};
    struct quota_part back[COMMAND_ENTITY_MAX];
    struct str bytes;
    (void)state;
    str_init(&bytes, QUOTA_ENTITY_MAX);
    quota_entity_write(parts, 2, &bytes);
    assert_int_equal(quota_entity_read(str_slice(&bytes), back), 2);
    assert_true(slice_eq_str(back[0].type, "client-id"));
    assert_true(back[0].name.ptr != NULL && back[0].name.len == 0);
    assert_null(back[1].name.ptr);
    for (size_t len = 0; len < bytes.len; len++)
        assert_true(quota_entity_read(slice_of(bytes.data, len), back) < 2);
    str_fini(&bytes);
}

/* A deleted cluster takes its settings with it. */
static void test_cluster_goes(void **state)
{
    struct fixture *f = *state;
    struct command cmd = {.kind = COMMAND_CLUSTER_DELETE};
    alter(f, SETTING_GROUP, "g", "x", "1");
    alter_quota(f, "ann", 1, false);
    assert_int_equal(driver_apply(&f->stored.driver, &cmd).code, 0);
    stored_state_check(&f->stored);
    while (driver_purge(&f->stored.driver, 1) > 0)
        continue;
    assert_false(state_purge_due(f->stored.driver.state));
    stored_state_check(&f->stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_sets_come_and_go),
        TEST(test_group_setting),
        TEST(test_limit),
        TEST(test_order),
        TEST(test_quotas),
        TEST(test_entities),
        TEST(test_cluster_goes),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
