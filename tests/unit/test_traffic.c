/* test_traffic.c - counters by topic, of a bounded number of topics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/meta.h"
#include "agent/traffic.h"
#include "common/defs.h"
#include "common/json.h"

#define ID(n) "00000000-0000-4000-8000-00000000000" #n

static struct meta *meta;
static struct str out;

static struct uuid id(int n)
{
    char text[] = ID(0);
    struct uuid uuid;
    text[35] = (char)('0' + n);
    assert_int_equal(uuid_parse(slice_str(text), &uuid), 0);
    return uuid;
}

static int setup(void **state)
{
    static const char text[] =
        "{\"cursor\":1,\"now_ms\":1,\"config_version\":1,\"agents\":[],\"settings\":[],"
        "\"topics\":[[\"" ID(1) "\",\"a\",1,1,{},0],[\"" ID(
            2) "\",\"b\",1,1,{},0],"
               "[\"" ID(3) "\",\"c\",1,1,{},0]]}";
    const struct uuid cluster = {{7}};
    struct json *json;
    struct err err;
    meta = meta_new(&cluster);
    assert_int_equal(json_parse(slice_str(text), &json, &err), 0);
    assert_int_equal(meta_load(meta, json, &err), 0);
    json_free(json);
    meta_publish(meta, 1);
    str_init(&out, 64 * KIB);
    *state = traffic_new(2);
    return 0;
}

static int teardown(void **state)
{
    traffic_free(*state);
    meta_free(meta);
    str_fini(&out);
    return 0;
}

static void produce(struct traffic *traffic, int topic, uint64_t bytes, int64_t now_ms)
{
    struct uuid topic_id = id(topic);
    traffic_produced(traffic, &topic_id, bytes / 10, bytes, now_ms);
}

static bool shows(struct traffic *traffic, const char *line)
{
    struct meta_view *view = meta_acquire(meta);
    str_reset(&out);
    traffic_print(traffic, view, &out);
    meta_release(view);
    return strstr(str_cstr(&out), line) != NULL;
}

/* Each topic has its own counters while there is room, and the rest are told together. */
static void bounded(void **state)
{
    struct traffic *traffic = *state;
    struct uuid a = id(1);
    produce(traffic, 1, 100, 0);
    produce(traffic, 2, 200, 0);
    produce(traffic, 3, 300, 0);
    produce(traffic, 1, 10, 0);
    traffic_fetched(traffic, &a, 3, 30, 0);
    assert_true(
        shows(traffic, "weft_agent_topic_produced_bytes_total{topic=\"a\"} 110\n"));
    assert_true(
        shows(traffic, "weft_agent_topic_produced_bytes_total{topic=\"b\"} 200\n"));
    assert_true(
        shows(traffic, "weft_agent_topic_produced_bytes_total{topic=\"other\"} 300\n"));
    assert_true(
        shows(traffic, "weft_agent_topic_produced_records_total{topic=\"other\"} 30\n"));
    assert_true(shows(traffic, "weft_agent_topic_fetched_bytes_total{topic=\"a\"} 30\n"));
    assert_true(
        shows(traffic, "weft_agent_topic_fetched_records_total{topic=\"a\"} 3\n"));
    assert_false(shows(traffic, "\"c\""));
}

/* A place goes to another topic when its own was idle for ten minutes, or is deleted;
 * what was counted for the others stays where it is, so that no counter falls. */
static void places_move(void **state)
{
    struct traffic *traffic = *state;
    struct uuid b = id(2);
    produce(traffic, 1, 100, 0);
    produce(traffic, 2, 200, 500000);
    produce(traffic, 3, 300, 600000);
    assert_false(shows(traffic, "\"c\""));
    produce(traffic, 3, 1, 600001);
    assert_true(shows(traffic, "topic_produced_bytes_total{topic=\"c\"} 1\n"));
    assert_true(shows(traffic, "topic_produced_bytes_total{topic=\"other\"} 300\n"));
    assert_false(shows(traffic, "\"a\""));
    produce(traffic, 1, 5, 600002);
    assert_true(shows(traffic, "topic_produced_bytes_total{topic=\"other\"} 305\n"));
    traffic_forget(traffic, &b);
    traffic_forget(traffic, &b);
    produce(traffic, 1, 7, 600003);
    assert_true(shows(traffic, "topic_produced_bytes_total{topic=\"a\"} 7\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(places_move, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
