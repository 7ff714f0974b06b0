/* test_overview.c - a cluster at a glance, of what its agents told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "controlplane/overview.h"
#include "tests/lib/state_driver.h"

struct world {
    struct driver driver;
    struct sessions *sessions;
    struct prices *prices;
    struct overview overview;
};

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    struct err err;
    driver_init(&w->driver, NULL);
    w->driver.now_ms = 1000000;
    driver_cluster(&w->driver, 1);
    w->sessions = sessions_new(10000);
    assert_int_equal(prices_open(NULL, &w->prices, &err), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    sessions_free(w->sessions);
    prices_free(w->prices);
    driver_fini(&w->driver);
    mem_free(w);
    return 0;
}

/* Register agent N in ZONE; with a session when LOAD is there. */
static void add_agent(struct world *w, uint32_t n, const char *zone,
                      enum agent_state state, const struct session_load *load)
{
    struct command cmd = {.kind = COMMAND_AGENT_REGISTER};
    char host[16];
    struct uuid id = test_uuid(3, n);
    snprintf(host, sizeof(host), "h%u", n);
    cmd.agent_register.agent_id = id;
    cmd.agent_register.zone = slice_str(zone);
    cmd.agent_register.rack = slice_str(zone);
    cmd.agent_register.host = slice_str(host);
    cmd.agent_register.port = 9092;
    cmd.agent_register.state = state;
    cmd.agent_register.agents_max = 1000;
    assert_int_equal(driver_apply(&w->driver, &cmd).code, 0);
    if (load == NULL)
        return;
    sessions_touch(w->sessions, &w->driver.cluster_id, &id, 0);
    sessions_set_load(w->sessions, &w->driver.cluster_id, &id, load);
}

static const struct overview *look(struct world *w)
{
    overview_make(state_cluster(w->driver.state, &w->driver.cluster_id), w->sessions,
                  w->prices, w->driver.now_ms, &w->overview);
    return &w->overview;
}

static struct session_load load_of(struct world *w, const char *provider)
{
    struct session_load load = {.in_bytes_per_second = 1 << 20,
                                .out_bytes_per_second = 1 << 21,
                                .connections = 3,
                                .at_ms = w->driver.now_ms};
    load.rates[USAGE_STORE_FIRST + STORE_PUT] = 2;
    load.rates[USAGE_STORE_FIRST + STORE_GET] = 5;
    load.latencies[USAGE_PRODUCE][10] = 100;
    snprintf(load.provider, sizeof(load.provider), "%s", provider);
    snprintf(load.region, sizeof(load.region), "us-east-1");
    return load;
}

/* Without agents that serve, a cluster is down, whatever is registered. */
static void down(void **state)
{
    struct world *w = *state;
    assert_int_equal(look(w)->health, OVERVIEW_DOWN);
    assert_false(w->overview.cost.known);
    struct session_load load = load_of(w, "aws");
    add_agent(w, 1, "a", AGENT_DRAINING, &load);
    add_agent(w, 2, "a", AGENT_ACTIVE, NULL);
    assert_int_equal(look(w)->health, OVERVIEW_DOWN);
    assert_int_equal(w->overview.agents, 2);
    assert_int_equal(w->overview.silent, 1);
    assert_int_equal(w->overview.draining, 1);
}

/* What agents told is summed up, over all and by zone; an old report is no report. */
static void sums(void **state)
{
    struct world *w = *state;
    struct session_load load = load_of(w, "aws");
    add_agent(w, 1, "a", AGENT_ACTIVE, &load);
    add_agent(w, 2, "b", AGENT_ACTIVE, &load);
    add_agent(w, 3, "b", AGENT_ACTIVE, &load);
    assert_int_equal(look(w)->health, OVERVIEW_OK);
    assert_int_equal(w->overview.zone_count, 2);
    assert_string_equal(w->overview.zones[1].name, "b");
    assert_int_equal(w->overview.zones[1].agents, 2);
    assert_int_equal(w->overview.zones[1].load.connections, 6);
    assert_true(w->overview.load.in_bytes_per_second == 3 << 20);
    assert_int_equal(w->overview.load.latencies[USAGE_PRODUCE][10], 300);
    w->driver.now_ms += OVERVIEW_LOAD_MS + 1;
    load.at_ms = w->driver.now_ms;
    add_agent(w, 4, "c", AGENT_ACTIVE, &load);
    assert_int_equal(look(w)->health, OVERVIEW_DEGRADED);
    assert_int_equal(w->overview.silent, 3);
    assert_true(w->overview.load.in_bytes_per_second == 1 << 20);
}

/* Cost is the rate of requests by their price: a month of it, and for a GiB produced. */
static void cost(void **state)
{
    struct world *w = *state;
    struct session_load load = load_of(w, "aws");
    add_agent(w, 1, "a", AGENT_ACTIVE, &load);
    look(w);
    double per_second = 2 * 5e-6 + 5 * 0.4e-6;
    assert_true(w->overview.cost.known);
    assert_true(fabs(w->overview.cost.requests_month - per_second * 2628000) < 1e-6);
    assert_true(fabs(w->overview.cost.per_gib - per_second * 1024) < 1e-9);
    load = load_of(w, "acme");
    add_agent(w, 1, "a", AGENT_ACTIVE, &load);
    assert_false(look(w)->cost.known);
    load = load_of(w, "none");
    load.in_bytes_per_second = 0;
    add_agent(w, 1, "a", AGENT_ACTIVE, &load);
    assert_true(look(w)->cost.known);
    assert_true(w->overview.cost.requests_month == 0);
    assert_true(w->overview.cost.per_gib < 0);
}

/* Zones beyond the bound are told as one. */
static void many_zones(void **state)
{
    struct world *w = *state;
    char name[16];
    for (uint32_t i = 1; i <= OVERVIEW_ZONES_MAX + 10; i++) {
        struct session_load load = load_of(w, "aws");
        snprintf(name, sizeof(name), "z%u", i);
        add_agent(w, i, name, AGENT_ACTIVE, &load);
    }
    look(w);
    assert_int_equal(w->overview.zone_count, OVERVIEW_ZONES_MAX);
    assert_string_equal(w->overview.zones[OVERVIEW_ZONES_MAX - 1].name, "other");
    assert_int_equal(w->overview.zones[OVERVIEW_ZONES_MAX - 1].agents, 11);
}

/* What is stored counts objects until they are deleted, and a month of it costs. */
static void stored(void **state)
{
    struct world *w = *state;
    struct session_load load = load_of(w, "aws");
    struct test_commit c;
    struct uuid topic = test_uuid(2, 1), id = test_uuid(9, 1);
    const struct test_batch batches[] = {
        {.records = 10, .producer_id = -1, .length = 700}};
    driver_topic(&w->driver, 1, 1);
    add_agent(w, 1, "a", AGENT_ACTIVE, &load);
    test_commit_init(&c, &id, w->driver.now_ms, &topic, 1, batches, 1);
    driver_commit(&w->driver, &c.commit);
    uint64_t size = c.commit.object_size;
    test_commit_fini(&c);
    assert_int_equal(look(w)->stored_bytes, size);
    assert_true(fabs(w->overview.cost.storage_month -
                     (double)size / (double)GIB * 0.023) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(down, setup, teardown),
        cmocka_unit_test_setup_teardown(sums, setup, teardown),
        cmocka_unit_test_setup_teardown(cost, setup, teardown),
        cmocka_unit_test_setup_teardown(many_zones, setup, teardown),
        cmocka_unit_test_setup_teardown(stored, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
