/* test_steering.c - zones of clients, and which agents they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/steering.h"
#include "common/json.h"

static void assert_slice(struct slice s, const char *text)
{
    if (text == NULL)
        assert_null(s.ptr);
    else
        assert_true(slice_eq_str(s, text));
}

/* The zone is a comma-separated item of the client id, in three spellings. */
static void client_ids_name_zones(void **state)
{
    (void)state;
    assert_slice(zone_of_client_id(slice_str("app,zone=eu-1a")), "eu-1a");
    assert_slice(zone_of_client_id(slice_str("zone=eu-1a")), "eu-1a");
    assert_slice(zone_of_client_id(slice_str("zone=eu-1a,app")), "eu-1a");
    assert_slice(zone_of_client_id(slice_str("app, ws_az=us-2,x=y")), "us-2");
    assert_slice(zone_of_client_id(slice_str("diskless_az=b")), "b");
    assert_slice(zone_of_client_id(slice_str("app")), NULL);
    assert_slice(zone_of_client_id(slice_str("app,zone=")), NULL);
    assert_slice(zone_of_client_id(slice_str("myzone=eu")), NULL);
    assert_slice(zone_of_client_id(slice_str("")), NULL);
    assert_slice(zone_of_client_id(SLICE_NULL), NULL);
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage out = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        out.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        out.ss_family = AF_INET6;
    else
        out.ss_family = AF_UNIX;
    return out;
}

static void assert_zone(const struct zone_table *table, const char *peer,
                        const char *zone)
{
    struct sockaddr_storage a = address(peer);
    assert_slice(zone_table_find(table, &a), zone);
}

/* The longest range that holds an address decides; IPv4 may come mapped into IPv6. */
static void addresses_have_zones(void **state)
{
    struct zone_table *table;

    (void)state;
    assert_int_equal(zone_table_new("10.0.0.0/8=all,10.1.0.0/16=one, 10.1.2.3=host,"
                                    "fd00:1::/33=six,192.168.8.0/22=odd",
                                    &table, NULL),
                     0);
    assert_zone(table, "10.9.9.9", "all");
    assert_zone(table, "10.1.9.9", "one");
    assert_zone(table, "10.1.2.3", "host");
    assert_zone(table, "11.0.0.1", NULL);
    assert_zone(table, "192.168.11.255", "odd");
    assert_zone(table, "192.168.12.0", NULL);
    assert_zone(table, "::ffff:10.1.2.3", "host");
    assert_zone(table, "fd00:1:0:1::1", "six");
    assert_zone(table, "fd00:1:8000::1", NULL);
    assert_zone(table, "/unix", NULL);
    zone_table_free(table);
}

/* A range that cannot be read is an error that shows it. */
static void bad_ranges_are_refused(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/8", "10.0.0.0/33=a", "10.0.0/8=a",    "fd00::/129=a",
        "=a",         "10.0.0.0/=a",   "10.0.0.0/8x=a", "10.0.0.0/8="};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct zone_table *table;
        struct err err;
        assert_int_equal(zone_table_new(bad[i], &table, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, "zone-cidr"));
    }
    struct zone_table *none;
    assert_int_equal(zone_table_new(NULL, &none, NULL), 0);
    assert_zone(none, "10.0.0.1", NULL);
    zone_table_free(none);
}

/* Agents 1 and 2 in zone a, 3 in zone b. */
static struct meta *make_meta(void)
{
    static const char *const text = "[[1,\"00000000-0000-0000-0000-000000000001\",\"h1\","
                                    "1,\"a\",\"\",\"\",\"active\"],"
                                    "[2,\"00000000-0000-0000-0000-000000000002\",\"h2\","
                                    "2,\"a\",\"r\",\"\",\"active\"],"
                                    "[3,\"00000000-0000-0000-0000-000000000003\",\"h3\","
                                    "3,\"b\",\"\",\"\",\"active\"]]";
    struct uuid cluster = {{1}};
    struct meta *meta = meta_new(&cluster);
    struct json *agents;
    struct err err;
    assert_int_equal(json_parse(slice_str(text), &agents, &err), 0);
    assert_int_equal(meta_put_agents(meta, agents, &err), 0);
    json_free(agents);
    meta_set_self(meta, 3);
    meta_publish(meta, 1);
    return meta;
}

/* A client sees the agents of its zone; the replicas are as many as asked, led by one of
 * those; the controller is one of those. */
static void clients_see_their_zone(void **state)
{
    struct meta *meta = make_meta();
    struct meta_view *view = meta_acquire(meta);
    struct uuid topic = {{9}};
    struct steering s;
    struct arena arena;
    int32_t *replicas;
    size_t n;
    bool led[4] = {false};

    (void)state;
    arena_init(&arena, MIB);
    assert_int_equal(steering_init(&s, view, slice_str("a"), &arena), 0);
    assert_int_equal(s.agent_count, 2);
    assert_int_equal(steering_controller(&s), 1);
    assert_int_equal(steering_set_factor(&s, 3, &arena), 0);
    for (int32_t p = 0; p < 64; p++) {
        int32_t leader = steering_place(&s, &topic, p, &replicas, &n);
        assert_in_range(leader, 1, 2);
        led[leader] = true;
        assert_int_equal(n, 3);
        assert_int_equal(replicas[0], leader);
        assert_int_equal(replicas[1], 3 - leader);
        assert_int_equal(replicas[2], leader);
    }
    assert_true(led[1] && led[2]);

    assert_int_equal(steering_init(&s, view, slice_str("b"), &arena), 0);
    assert_int_equal(s.agent_count, 1);
    assert_int_equal(steering_controller(&s), 3);
    assert_int_equal(steering_set_factor(&s, 2, &arena), 0);
    assert_int_equal(steering_place(&s, &topic, 5, &replicas, &n), 3);
    assert_int_equal(n, 2);
    assert_int_equal(replicas[1], 3);

    assert_int_equal(steering_init(&s, view, SLICE_NULL, &arena), 0);
    assert_int_equal(s.agent_count, 3);
    assert_int_equal(steering_controller(&s), 3);
    assert_slice(steering_rack(s.agents[0]), "a");
    assert_slice(steering_rack(s.agents[1]), "r");
    meta_release(view);
    meta_free(meta);
    arena_fini(&arena);
}

/* Before anything is known there is no leader, and no crash. */
static void nobody_leads_an_empty_cluster(void **state)
{
    struct uuid cluster = {{1}}, topic = {{9}};
    struct meta *meta = meta_new(&cluster);
    struct meta_view *view = meta_acquire(meta);
    struct steering s;
    struct arena arena;
    int32_t *replicas;
    size_t n;

    (void)state;
    arena_init(&arena, MIB);
    assert_int_equal(steering_init(&s, view, SLICE_NULL, &arena), 0);
    assert_int_equal(steering_set_factor(&s, 3, &arena), 0);
    assert_int_equal(steering_controller(&s), -1);
    assert_int_equal(steering_place(&s, &topic, 0, &replicas, &n), -1);
    assert_int_equal(n, 0);
    meta_release(view);
    meta_free(meta);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_ids_name_zones),
        cmocka_unit_test(addresses_have_zones),
        cmocka_unit_test(bad_ranges_are_refused),
        cmocka_unit_test(clients_see_their_zone),
        cmocka_unit_test(nobody_leads_an_empty_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
