/* test_apply_catalog.c - clusters, tokens, agents, topics and their settings: what each
 * command changes, refuses and tells the hooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

static int topics_heard, deletions_heard, agents_heard;

static void on_topic(void *arg, const struct cluster *cluster, const struct topic *topic)
{
    (void)arg;
    assert_ptr_equal(topic->cluster, cluster);
    topics_heard++;
}

static void on_topic_deleted(void *arg, const struct cluster *cluster,
                             const struct uuid *topic_id)
{
    (void)arg;
    assert_null(state_topic(cluster, topic_id));
    deletions_heard++;
}

static void on_agents(void *arg, const struct cluster *cluster)
{
    (void)arg, (void)cluster;
    agents_heard++;
}

static int setup(void **state)
{
    struct state_events events = {.on_topic = on_topic,
                                  .on_topic_deleted = on_topic_deleted,
                                  .on_agents = on_agents};
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, &events);
    driver_cluster(d, 1);
    topics_heard = deletions_heard = agents_heard = 0;
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

static const struct cluster *cluster_of(struct driver *d)
{
    return state_cluster(d->state, &d->cluster_id);
}

static int create_cluster(struct driver *d, uint32_t number, const char *name)
{
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = test_uuid(1, number)};
    cmd.cluster_create.name = slice_str(name);
    return driver_apply(d, &cmd).code;
}

/* A cluster has one id and one name; making the same again is no error. */
static void test_clusters(void **state)
{
    struct driver *d = *state;
    assert_int_equal(create_cluster(d, 1, "cluster-1"), 0);
    assert_int_equal(create_cluster(d, 1, "other"), ERR_EXISTS);
    assert_int_equal(create_cluster(d, 2, "cluster-1"), ERR_EXISTS);
    assert_int_equal(create_cluster(d, 2, "two"), 0);
    const struct cluster *two = state_cluster_by_name(d->state, SLICE_LITERAL("two"));
    assert_non_null(two);
    assert_ptr_equal(state_cluster_next(d->state, cluster_of(d)), two);
    assert_null(state_cluster_next(d->state, two));
    d->cluster_id = test_uuid(1, 77);
    assert_int_equal(driver_topic(d, 1, 1).code, ERR_NOT_FOUND);
}

/* ---- tokens ---- */

static struct command token(uint8_t number, int64_t expires_at_ms, bool single_use)
{
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE, .cluster_id = test_uuid(1, 1)};
    memset(cmd.token_create.hash, number, SHA256_LEN);
    cmd.token_create.token_id = test_uuid(4, number);
    cmd.token_create.token_kind = TOKEN_ENROL;
    cmd.token_create.expires_at_ms = expires_at_ms;
    cmd.token_create.single_use = single_use;
    return cmd;
}

static int use(struct driver *d, uint8_t number, uint32_t agent)
{
    struct command cmd = {.kind = COMMAND_TOKEN_USE};
    memset(cmd.token_use.hash, number, SHA256_LEN);
    cmd.token_use.used_by = test_uuid(3, agent);
    return driver_apply(d, &cmd).code;
}

/* A single-use token serves one user, as often as that one repeats; others any. */
static void test_token_use(void **state)
{
    struct driver *d = *state;
    struct command single = token(1, 0, true), many = token(2, 0, false);
    assert_int_equal(driver_apply(d, &single).code, 0);
    assert_int_equal(driver_apply(d, &single).code, 0); /* a repeat */
    assert_int_equal(driver_apply(d, &many).code, 0);
    assert_int_equal(use(d, 1, 5), 0);
    assert_int_equal(use(d, 1, 5), 0);
    assert_int_equal(use(d, 1, 6), ERR_CONFLICT);
    assert_int_equal(use(d, 2, 5), 0);
    assert_int_equal(use(d, 2, 6), 0);
    assert_int_equal(use(d, 3, 5), ERR_NOT_FOUND);
    single.token_create.token_id = test_uuid(4, 99);
    assert_int_equal(driver_apply(d, &single).code, ERR_EXISTS);
}

/* Expiry is judged by the command's time; long expired tokens go when one is made. */
static void test_token_expiry(void **state)
{
    struct driver *d = *state;
    struct command cmd = token(1, d->now_ms + 1000, false);
    uint8_t hash[SHA256_LEN];
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    d->now_ms += 999;
    assert_int_equal(use(d, 1, 1), 0);
    d->now_ms += 1;
    assert_int_equal(use(d, 1, 1), ERR_EXPIRED);
    memset(hash, 1, sizeof(hash));
    assert_non_null(state_token(d->state, hash));
    d->now_ms += 2 * 86400000;
    cmd = token(2, 0, false);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_null(state_token(d->state, hash));
}

/* I10: a token is of its cluster only. */
static void test_token_cluster(void **state)
{
    struct driver *d = *state;
    struct command cmd = token(1, 0, false);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    driver_cluster(d, 2);
    assert_int_equal(use(d, 1, 1), ERR_NOT_FOUND);
    cmd = token(2, 0, false);
    cmd.cluster_id = test_uuid(1, 50);
    assert_int_equal(driver_apply(d, &cmd).code, ERR_NOT_FOUND);
}

/* ---- agents ---- */

static struct command_result reg(struct driver *d, uint32_t agent, const char *zone)
{
    struct command cmd = {.kind = COMMAND_AGENT_REGISTER};
    cmd.agent_register.agent_id = test_uuid(3, agent);
    cmd.agent_register.zone = slice_str(zone);
    cmd.agent_register.host = SLICE_LITERAL("h");
    cmd.agent_register.port = 9000 + (int32_t)(agent % 10);
    cmd.agent_register.state = AGENT_ACTIVE;
    cmd.agent_register.agents_max = 3;
    return driver_apply(d, &cmd);
}

/* Node ids are given once in a cluster; registering again changes, or says nothing. */
static void test_agents(void **state)
{
    struct driver *d = *state;
    struct command gone = {.kind = COMMAND_AGENT_REMOVE,
                           .agent_remove = {.agent_id = test_uuid(3, 1)}};
    struct uuid id = test_uuid(3, 1);
    assert_int_equal(reg(d, 1, "a").value, 1);
    assert_int_equal(reg(d, 2, "a").value, 2);
    assert_int_equal(agents_heard, 2);
    assert_int_equal(reg(d, 1, "a").value, 1);
    assert_int_equal(agents_heard, 2);
    assert_int_equal(reg(d, 1, "b").value, 1);
    assert_int_equal(agents_heard, 3);
    assert_string_equal(state_agent(cluster_of(d), &id)->zone, "b");
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_int_equal(driver_apply(d, &gone).code, ERR_NOT_FOUND);
    assert_null(state_agent(cluster_of(d), &id));
    assert_int_equal(reg(d, 1, "a").value, 3); /* not 1 again */
    assert_int_equal(reg(d, 4, "a").value, 4);
    assert_int_equal(reg(d, 5, "a").code, ERR_OVERLOADED);
    driver_cluster(d, 2);
    assert_int_equal(reg(d, 1, "a").value, 1);
}

/* Who comes back at an address under a new agent id is the same node to clients: it keeps
 * the node id, and whoever had it is gone. */
static void test_agent_returns(void **state)
{
    struct driver *d = *state;
    struct uuid before = test_uuid(3, 1), after = test_uuid(3, 11);
    assert_int_equal(reg(d, 1, "a").value, 1);
    assert_int_equal(reg(d, 2, "a").value, 2);
    assert_int_equal(reg(d, 3, "a").value, 3); /* the most there may be */
    assert_int_equal(reg(d, 11, "a").value, 1);
    assert_null(state_agent(cluster_of(d), &before));
    const struct agent_info *agent = state_agent_next(cluster_of(d), NULL);
    assert_true(uuid_eq(&agent->agent_id, &after)); /* in order of node id */
    assert_int_equal(cluster_of(d)->agent_count, 3);
    assert_int_equal(reg(d, 4, "a").code, ERR_OVERLOADED);
}

/* ---- topics ---- */

static struct command create(const char *name, uint32_t number, int32_t partitions)
{
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE};
    cmd.topic_create.topic_id = test_uuid(2, number);
    cmd.topic_create.name = slice_str(name);
    cmd.topic_create.partitions = partitions;
    cmd.topic_create.replication_factor = 3;
    cmd.topic_create.topics_max = 4;
    cmd.topic_create.partitions_max = 20;
    return cmd;
}

/* A name exists once (36), also in the eyes of metrics ('.' is '_': 17); limits are 44.
 */
static void test_topic_names(void **state)
{
    struct driver *d = *state;
    struct command cmd = create("a.b", 1, 5);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0); /* a repeat */
    assert_int_equal(topics_heard, 1);
    cmd = create("a.b", 2, 5);
    struct command_result r = driver_apply(d, &cmd);
    assert_int_equal(r.kafka_error, 36);
    assert_true(r.message.len > 0);
    cmd = create("a_b", 2, 5);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 17);
    cmd = create("c", 1, 5);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 36); /* the id */
    cmd = create("c", 2, 16);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    cmd = create("c", 2, 1);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    cmd = create("d", 3, 1);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    cmd = create("e", 4, 1);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    cmd = create("f", 5, 1);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    assert_int_equal(cluster_of(d)->topic_count, 4);
    assert_int_equal(cluster_of(d)->partition_count, 8);
}

/* Deleted topics are gone by id and by name, and their name is free, with a new id. */
static void test_topic_delete(void **state)
{
    struct driver *d = *state;
    uint64_t version = cluster_of(d)->config_version;
    assert_int_equal(driver_topic(d, 1, 3).kafka_error, 0);
    assert_int_equal(driver_topic_delete(d, 1).kafka_error, 0);
    assert_int_equal(deletions_heard, 1);
    assert_int_equal(driver_topic_delete(d, 1).kafka_error, 100);
    assert_null(state_topic_by_name(cluster_of(d), SLICE_LITERAL("topic-1")));
    assert_int_equal(cluster_of(d)->partition_count, 0);
    struct command cmd = create("topic-1", 9, 1);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_true(cluster_of(d)->config_version > version);
}

/* Partitions only grow (37 else), within the cluster's limit (44). */
static void test_partitions(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_PARTITIONS_CREATE};
    struct str message;
    driver_topic(d, 1, 3);
    cmd.partitions_create.topic_id = test_uuid(2, 1);
    cmd.partitions_create.partitions_max = 10;
    static const struct {
        int32_t total;
        int16_t error;
    } cases[] = {{3, 37}, {2, 37}, {11, 44}, {10, 0}, {10, 37}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cmd.partitions_create.total = cases[i].total;
        cmd.cluster_id = d->cluster_id;
        str_init(&message, KIB); /* validate_only says the same */
        assert_int_equal(state_check_partitions_create(cluster_of(d), &cmd, &message),
                         cases[i].error);
        str_fini(&message);
        assert_int_equal(driver_apply(d, &cmd).kafka_error, cases[i].error);
    }
    cmd.partitions_create.topic_id = test_uuid(2, 5);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 100);
}

/* ---- settings ---- */

static int16_t alter(struct driver *d, enum config_op op, const char *key,
                     const char *value)
{
    struct config_change change = {op, slice_str(key), slice_str(value)};
    struct command cmd = {.kind = COMMAND_CONFIGS_ALTER};
    cmd.configs_alter.topic_id = test_uuid(2, 1);
    cmd.configs_alter.changes = &change;
    cmd.configs_alter.change_count = 1;
    return driver_apply(d, &cmd).kafka_error;
}

/* Settings count as metadata: over the cluster's limit they do not grow, by apply and by
 * the check before it, but can be taken away. */
static void test_configs_are_metadata(void **state)
{
    struct driver *d = *state;
    struct config_change change = {CONFIG_SET, SLICE_LITERAL("retention.ms"),
                                   SLICE_LITERAL("3600000")};
    struct command cmd = {.kind = COMMAND_CONFIGS_ALTER, .cluster_id = d->cluster_id};
    struct str message;

    driver_topic(d, 1, 1);
    cmd.configs_alter.topic_id = test_uuid(2, 1);
    cmd.configs_alter.changes = &change;
    cmd.configs_alter.change_count = 1;
    uint64_t used = state_metadata_bytes(cluster_of(d));
    cmd.configs_alter.metadata_max = used + change.key.len + change.value.len - 1;
    str_init(&message, KIB);
    assert_int_equal(state_check_configs_alter(cluster_of(d), &cmd, &message), 44);
    assert_non_null(strstr(str_cstr(&message), "bytes of metadata"));
    str_fini(&message);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    assert_int_equal(state_metadata_bytes(cluster_of(d)), used);
    cmd.configs_alter.metadata_max++;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    cmd.configs_alter.metadata_max = 1;
    change.value = SLICE_LITERAL("360000");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0); /* less than before */
    change.value = SLICE_LITERAL("36000000");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    change =
        (struct config_change){CONFIG_DELETE, SLICE_LITERAL("retention.ms"), SLICE_NULL};
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(state_metadata_bytes(cluster_of(d)), used);
}

static const char *setting(struct driver *d, const char *key)
{
    struct uuid id = test_uuid(2, 1);
    return topic_config_set_get(&state_topic(cluster_of(d), &id)->configs, key);
}

/* The operations of IncrementalAlterConfigs; lists begin from the default when not set.
 */
static void test_configs(void **state)
{
    struct driver *d = *state;
    driver_topic(d, 1, 1);
    assert_int_equal(alter(d, CONFIG_SET, "retention.ms", "5"), 0);
    assert_string_equal(setting(d, "retention.ms"), "5");
    assert_int_equal(alter(d, CONFIG_APPEND, "cleanup.policy", "compact"), 0);
    assert_string_equal(setting(d, "cleanup.policy"), "delete,compact");
    assert_int_equal(alter(d, CONFIG_APPEND, "cleanup.policy", " compact , delete"), 0);
    assert_string_equal(setting(d, "cleanup.policy"), "delete,compact");
    assert_int_equal(alter(d, CONFIG_SUBTRACT, "cleanup.policy", "delete,x"), 0);
    assert_string_equal(setting(d, "cleanup.policy"), "compact");
    assert_int_equal(alter(d, CONFIG_SUBTRACT, "cleanup.policy", "compact"), 0);
    assert_string_equal(setting(d, "cleanup.policy"), "");
    assert_int_equal(alter(d, CONFIG_DELETE, "cleanup.policy", NULL), 0);
    assert_null(setting(d, "cleanup.policy"));
    assert_int_equal(alter(d, CONFIG_REPLACE_ALL, NULL, NULL), 0);
    assert_null(setting(d, "retention.ms"));
}

/* I12: settings that would grow past their bound are refused (40), and stay as they were.
 */
static void test_config_bounds(void **state)
{
    struct driver *d = *state;
    char value[10000], key[16];
    driver_topic(d, 1, 1);
    memset(value, 'x', sizeof(value));
    value[9999] = '\0';
    assert_int_equal(alter(d, CONFIG_APPEND, "cleanup.policy", value), 0);
    value[0] = 'y';
    assert_int_equal(alter(d, CONFIG_APPEND, "cleanup.policy", value), 40);
    assert_int_equal(strlen(setting(d, "cleanup.policy")), 7 + 9999);
    for (int i = 0; i < 255; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(alter(d, CONFIG_SET, key, ""), 0);
    }
    assert_int_equal(alter(d, CONFIG_SET, "one more", ""), 40);
}

/* Producer ids are handed out once, to whichever cluster. */
static void test_producer_ids(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 100}};
    assert_int_equal(driver_apply(d, &cmd).value, 1);
    driver_cluster(d, 2);
    cmd.cluster_id = d->cluster_id;
    assert_int_equal(driver_apply(d, &cmd).value, 101);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_clusters),
        TEST(test_token_use),
        TEST(test_token_expiry),
        TEST(test_token_cluster),
        TEST(test_agents),
        TEST(test_agent_returns),
        TEST(test_topic_names),
        TEST(test_topic_delete),
        TEST(test_partitions),
        TEST(test_configs),
        TEST(test_configs_are_metadata),
        TEST(test_config_bounds),
        TEST(test_producer_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
