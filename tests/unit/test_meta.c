/* Unit tests of agent/meta.c: views are immutable, lookups, steering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/meta.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/str.h"

#define ID_A "00000000-0000-4000-8000-00000000000a"
#define ID_B "00000000-0000-4000-8000-00000000000b"
#define AGENT(n, host, zone, state)                                                      \
    "[" #n ",\"00000000-0000-4000-8000-0000000000" #n "\",\"" host "\",9092,\"" zone     \
    "\",\"\",\"\",\"" state "\"]"

static struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct err err = {0};
    assert_int_equal(json_parse(slice_str(text), &json, &err), 0);
    return json;
}

static int load(struct meta *meta, const char *text)
{
    struct err err = {0};
    struct json *json = parse(text);
    int rc = meta_load(meta, json, &err);
    json_free(json);
    if (rc == 0)
        meta_publish(meta, 1);
    return rc;
}

static int put_topic(struct meta *meta, const char *text)
{
    struct err err = {0};
    struct json *json = parse(text);
    int rc = meta_put_topic(meta, json, &err);
    json_free(json);
    return rc;
}

static int setup(void **state)
{
    const struct uuid cluster = {{5}};
    *state = meta_new(&cluster);
    return 0;
}

static int teardown(void **state)
{
    meta_free(*state);
    return 0;
}

static const char two_topics[] =
    "{\"cursor\":9,\"agents\":[" AGENT(12, "b", "z2", "active") "," AGENT(
        11, "a", "z1", "active") "],\"topics\":["
                                 "[\"" ID_B "\",\"zoo\",3,2,{},77],"
                                 "[\"" ID_A
                                 "\",\"ant\",1,1,{\"max.message.bytes\":\"5000\","
                                 "\"message.timestamp.type\":\"LogAppendTime\",\"of.the."
                                 "future\":\"x\"},66]]}";

/* Before the first answer there is an empty view, and nobody is self. */
static void test_empty(void **state)
{
    struct meta_view *view = meta_acquire(*state);
    assert_int_equal(view->self_node_id, -1);
    assert_int_equal(view->topic_count, 0);
    assert_null(meta_topic_by_name(view, SLICE_LITERAL("x")));
    assert_null(meta_agent_by_id(view, 1));
    meta_release(view);
}

/* What was loaded is found by name and id, sorted, with its settings in effect. */
static void test_load(void **state)
{
    struct uuid id;
    meta_set_self(*state, 12);
    assert_int_equal(load(*state, two_topics), 0);
    struct meta_view *view = meta_acquire(*state);
    assert_int_equal(view->self_node_id, 12);
    assert_int_equal(view->cursor, 1);
    assert_int_equal(view->topic_count, 2);
    assert_true(slice_eq_str(view->topics[0]->name, "ant"));
    assert_int_equal(uuid_parse(SLICE_LITERAL(ID_B), &id), 0);
    const struct meta_topic *zoo = meta_topic_by_id(view, &id);
    assert_ptr_equal(zoo, meta_topic_by_name(view, SLICE_LITERAL("zoo")));
    assert_int_equal(zoo->partitions, 3);
    assert_int_equal(zoo->replication_factor, 2);
    assert_int_equal(zoo->created_at_ms, 77);
    assert_int_equal(zoo->config.max_message_bytes, 1048588);
    const struct meta_topic *ant = view->topics[0];
    assert_int_equal(ant->config.max_message_bytes, 5000);
    assert_true(ant->config.log_append_time);
    assert_string_equal(topic_config_set_get(ant->set, "max.message.bytes"), "5000");
    assert_int_equal(view->agents[0].node_id, 11);
    assert_string_equal(meta_agent_by_id(view, 12)->host, "b");
    meta_release(view);
}

/* A view does not change while somebody holds it, whatever is published. */
static void test_views_are_immutable(void **state)
{
    struct meta *meta = *state;
    struct uuid id;
    assert_int_equal(load(meta, two_topics), 0);
    struct meta_view *old = meta_acquire(meta);
    assert_int_equal(put_topic(meta, "[\"" ID_A "\",\"ant\",8,1,{},66]"), 0);
    assert_int_equal(uuid_parse(SLICE_LITERAL(ID_B), &id), 0);
    meta_delete_topic(meta, &id);
    struct meta_view *still = meta_acquire(meta);
    assert_ptr_equal(still, old); /* not published yet */
    meta_release(still);
    meta_publish(meta, 2);
    struct meta_view *fresh = meta_acquire(meta);
    assert_int_equal(meta_topic_by_name(old, SLICE_LITERAL("ant"))->partitions, 1);
    assert_non_null(meta_topic_by_id(old, &id));
    assert_int_equal(meta_topic_by_name(fresh, SLICE_LITERAL("ant"))->partitions, 8);
    assert_null(meta_topic_by_id(fresh, &id));
    meta_release(fresh);
    meta_publish(meta, 3); /* nothing changed: the same view */
    struct meta_view *same = meta_acquire(meta);
    assert_ptr_equal(same, fresh);
    meta_release(same);
    meta_release(old);
}

/* A view outlives the meta that made it. */
static void test_view_outlives_meta(void **state)
{
    const struct uuid cluster = {{5}};
    struct meta *meta = meta_new(&cluster);
    (void)state;
    assert_int_equal(load(meta, two_topics), 0);
    struct meta_view *view = meta_acquire(meta);
    meta_free(meta);
    assert_non_null(meta_topic_by_name(view, SLICE_LITERAL("zoo")));
    meta_release(view);
}

/* What cannot be read changes nothing. */
static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"agents\":[],\"topics\":[[]]}",
        "{\"agents\":[[1]],\"topics\":[]}",
        "{\"agents\":[],\"topics\":[[\"" ID_A "\",\"x\",0,1,{},1]]}",
        "{\"agents\":[],\"topics\":[[\"" ID_A "\",\"x\",1,99999,{},1]]}",
        "{\"agents\":[],\"topics\":[[\"nope\",\"x\",1,1,{},1]]}",
        "{\"agents\":[],\"topics\":[[\"" ID_A "\",\"x\",1,1,[],1]]}",
        "{\"agents\":[],\"topics\":[[\"" ID_A "\",\"x\",1,1,{\"k\":5},1]]}",
        "{\"agents\":[],\"topics\":[[\"" ID_A "\",7,1,1,{},1]]}",
    };
    assert_int_equal(load(*state, two_topics), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_not_equal(load(*state, bad[i]), 0);
    assert_int_not_equal(put_topic(*state, "[1]"), 0);
    struct meta_view *view = meta_acquire(*state);
    assert_int_equal(view->topic_count, 2);
    assert_int_equal(view->agent_count, 2);
    meta_release(view);
}

/* Many topics come and go one by one, and each lookup finds what is there. */
static void test_many_topics(void **state)
{
    struct meta *meta = *state;
    char text[200];
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text),
                 "[\"00000000-0000-4000-8000-%012x\",\"t%d\",%d,1,{},1]", i + 1,
                 i * 7919 % 500, i + 1);
        assert_int_equal(put_topic(meta, text), 0);
    }
    struct uuid id = {{0}};
    for (int i = 0; i < 500; i += 2) {
        snprintf(text, sizeof(text), "00000000-0000-4000-8000-%012x", i + 1);
        assert_int_equal(uuid_parse(slice_str(text), &id), 0);
        meta_delete_topic(meta, &id);
    }
    meta_publish(meta, 1);
    struct meta_view *view = meta_acquire(meta);
    assert_int_equal(view->topic_count, 250);
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "t%d", i * 7919 % 500);
        const struct meta_topic *topic = meta_topic_by_name(view, slice_str(text));
        if (i % 2 == 0)
            assert_null(topic);
        else
            assert_int_equal(topic->partitions, i + 1);
    }
    meta_release(view);
}

/* An agent that was killed and started again at its address is shown once, as the younger
 * node: clients merge nodes of one address. */
static void test_ghosts(void **state)
{
    assert_int_equal(
        load(*state,
             "{\"topics\":[],\"agents\":[" AGENT(11, "a", "z", "active") "," AGENT(
                 14, "a", "z", "active") "," AGENT(12, "b", "z", "active") "]}"),
        0);
    struct meta_view *view = meta_acquire(*state);
    assert_int_equal(view->agent_count, 2);
    assert_null(meta_agent_by_id(view, 11));
    assert_non_null(meta_agent_by_id(view, 14));
    meta_release(view);
}

/* Clients see their zone's agents that are not draining; if there are none, all that are
 * not draining; if there are none, all. */
static void test_zones(void **state)
{
    const struct meta_agent *agents[8];
    assert_int_equal(
        load(*state,
             "{\"topics\":[],\"agents\":[" AGENT(11, "a", "z1", "active") "," AGENT(
                 12, "b", "z1",
                 "draining") "," AGENT(13, "c", "z2",
                                       "active") "," AGENT(14, "d", "z3",
                                                           "draining") "]}"),
        0);
    struct meta_view *view = meta_acquire(*state);
    assert_int_equal(meta_agents_for_zone(view, SLICE_LITERAL("z1"), agents, 8), 1);
    assert_int_equal(agents[0]->node_id, 11);
    assert_int_equal(meta_agents_for_zone(view, SLICE_LITERAL("z3"), agents, 8), 2);
    assert_int_equal(meta_agents_for_zone(view, SLICE_NULL, agents, 8), 2);
    meta_release(view);
    assert_int_equal(
        load(*state, "{\"topics\":[],\"agents\":[" AGENT(14, "d", "z3", "draining") "]}"),
        0);
    view = meta_acquire(*state);
    assert_int_equal(meta_agents_for_zone(view, SLICE_LITERAL("z1"), agents, 8), 1);
    meta_release(view);
}

/* Rendezvous hashing: partitions are spread evenly, and when an agent goes only its own
 * move; when it comes back they come back. */
static void test_rendezvous(void **state)
{
    struct meta_agent list[5] = {{0}};
    const struct meta_agent *all[5], *fewer[4];
    struct uuid topic = {{9}};
    int counts[5] = {0};
    (void)state;
    for (int i = 0; i < 5; i++) {
        list[i].node_id = i;
        list[i].agent_id.bytes[3] = (uint8_t)(i * 37);
        all[i] = &list[i];
    }
    for (int i = 0; i < 4; i++)
        fewer[i] = &list[i];
    for (int p = 0; p < 5000; p++) {
        const struct meta_agent *now = meta_leader(all, 5, &topic, p);
        const struct meta_agent *then = meta_leader(fewer, 4, &topic, p);
        counts[now->node_id]++;
        if (now->node_id != 4)
            assert_ptr_equal(now, then);
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(counts[i], 850, 1150);
    assert_null(meta_leader(all, 0, &topic, 1));
}

static int put_setting(struct meta *meta, const char *text)
{
    struct err err = {0};
    struct json *json = parse(text);
    int rc = meta_put_setting(meta, json, &err);
    json_free(json);
    meta_publish(meta, 2);
    return rc;
}

/* Settings come with the metadata and by events; an own one stands before that of all,
 * and empty ones are gone. */
static void test_settings(void **state)
{
    struct meta *meta = *state;
    meta_set_self(meta, 11);
    assert_int_equal(
        load(meta, "{\"cursor\":1,\"agents\":[],\"topics\":[],\"settings\":["
                   "[32,\"g\",{\"consumer.session.timeout.ms\":\"9000\"}],"
                   "[4,\"\",{\"num.partitions\":\"4\",\"of.the.future\":\"1\"}]]}"),
        0);
    struct meta_view *view = meta_acquire(meta);
    assert_int_equal(view->setting_count, 2);
    assert_int_equal(meta_own_number(view, "num.partitions", 1), 4);
    assert_int_equal(meta_own_number(view, "fetch.max.bytes", 77), 77);
    assert_non_null(meta_setting(view, SETTING_GROUP, slice_str("g")));
    assert_null(meta_setting(view, SETTING_GROUP, slice_str("")));
    assert_int_equal(put_setting(meta, "[4,\"11\",{\"num.partitions\":\"6\"}]"), 0);
    assert_int_equal(meta_own_number(view, "num.partitions", 1), 4); /* as it was */
    meta_release(view);
    view = meta_acquire(meta);
    assert_int_equal(meta_own_number(view, "num.partitions", 1), 6);
    meta_release(view);
    assert_int_equal(put_setting(meta, "[4,\"11\",{}]"), 0);
    assert_int_equal(put_setting(meta, "[4,\"12\",{}]"), 0); /* never there */
    view = meta_acquire(meta);
    assert_int_equal(view->setting_count, 2);
    assert_int_equal(meta_own_number(view, "num.partitions", 1), 4);
    meta_release(view);
    assert_int_equal(put_setting(meta, "[4,\"\",5]"), ERR_MALFORMED);
    assert_int_equal(put_setting(meta, "[4]"), ERR_MALFORMED);
}

/* What is set for all brokers is the default of topics, those there and those to come;
 * views that are held keep what they had. */
static void test_topic_defaults(void **state)
{
    struct meta *meta = *state;
    assert_int_equal(load(meta, two_topics), 0);
    struct meta_view *old = meta_acquire(meta);
    assert_int_equal(
        put_setting(meta, "[4,\"\",{\"message.max.bytes\":\"700\",\"compression.type\":"
                          "\"zstd\",\"compression.zstd.level\":\"9\"}]"),
        0);
    struct meta_view *view = meta_acquire(meta);
    const struct meta_topic *zoo = meta_topic_by_name(view, slice_str("zoo"));
    const struct meta_topic *ant = meta_topic_by_name(view, slice_str("ant"));
    assert_int_equal(zoo->config.max_message_bytes, 700);
    assert_int_equal(zoo->config.compression_level, 9);
    assert_int_equal(ant->config.max_message_bytes, 5000);
    assert_true(ant->config.log_append_time);
    assert_int_equal(meta_topic_by_name(old, slice_str("zoo"))->config.max_message_bytes,
                     1048588);
    meta_release(view);
    meta_release(old);
    assert_int_equal(put_topic(meta, "[\"" ID_B "\",\"new\",1,1,{},77]"), 0);
    meta_publish(meta, 3);
    view = meta_acquire(meta);
    assert_int_equal(meta_topic_by_name(view, slice_str("new"))->config.max_message_bytes,
                     700);
    meta_release(view);
    assert_int_equal(load(meta, two_topics), 0); /* nothing is set any more */
    view = meta_acquire(meta);
    assert_int_equal(meta_topic_by_name(view, slice_str("zoo"))->config.max_message_bytes,
                     1048588);
    meta_release(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_views_are_immutable, setup, teardown),
        cmocka_unit_test(test_view_outlives_meta),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_topics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ghosts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_topic_defaults, setup, teardown),
        cmocka_unit_test(test_rendezvous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
