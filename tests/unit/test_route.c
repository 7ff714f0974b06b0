/* test_route.c - finding a call's route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/defs.h"
#include "controlplane/route.h"

static size_t found;
static struct slice id, cluster;
static struct str allow;

static enum route_result find(const struct route_table *table, const char *method,
                              const char *path)
{
    str_fini(&allow);
    str_init(&allow, 256);
    struct route_match match = {.index = SIZE_MAX};
    enum route_result result = route_find(table, method, path, &match, &allow);
    found = match.index;
    id = match.id;
    cluster = match.cluster;
    return result;
}

/* The table's own paths are found, each at its place. */
static void every_route(void **state)
{
    const struct route_table *tables[] = {&people_table, &agents_table};
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct route *route = &tables[t]->routes[i];
            assert_int_equal(find(tables[t], route->method, route->path), ROUTE_FOUND);
            assert_int_equal(found, i);
            assert_int_equal(route->access == ACCESS_AGENT ||
                                 route->access == ACCESS_NODE,
                             tables[t] == &agents_table);
            /* What people change is audited; what they read is not. */
            if (route_wants_person(route))
                assert_int_equal(route->action == NULL,
                                 strcmp(route->method, "GET") == 0);
        }
}

/* A parameter is one whole segment; nothing more and nothing less fits. */
static void parameters(void **state)
{
    (void)state;
    assert_int_equal(find(&people_table, "GET", "/api/v1/clusters/abc"), ROUTE_FOUND);
    assert_true(slice_eq_str(cluster, "abc"));
    assert_null(id.ptr);
    assert_int_equal(find(&people_table, "GET", "/api/v1/clusters/abc/topics/t.1"),
                     ROUTE_FOUND);
    assert_true(slice_eq_str(cluster, "abc"));
    assert_true(slice_eq_str(id, "t.1"));
    assert_int_equal(find(&people_table, "DELETE", "/api/v1/users/x"), ROUTE_FOUND);
    assert_null(cluster.ptr);
    assert_true(slice_eq_str(id, "x"));
    assert_int_equal(find(&people_table, "GET", "/api/v1/clusters/"), ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "GET", "/api/v1/clusters/a/b"), ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "GET", "/api/v1/clusters/a/"), ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "POST", "/api/v1/clusters//enrolment-tokens"),
                     ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "GET", "/healthzz"), ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "GET", "/health"), ROUTE_NO_PATH);
    assert_int_equal(find(&people_table, "GET", ""), ROUTE_NO_PATH);
}

/* A wrong method is told apart, with the right ones; HEAD reads as GET. */
static void methods(void **state)
{
    (void)state;
    assert_int_equal(find(&people_table, "PUT", "/api/v1/clusters"), ROUTE_NO_METHOD);
    assert_string_equal(str_cstr(&allow), "OPTIONS, GET, HEAD, POST");
    assert_int_equal(find(&people_table, "HEAD", "/healthz"), ROUTE_FOUND);
    assert_int_equal(find(&agents_table, "get", "/agent/v1/watch"), ROUTE_NO_METHOD);
    /* A backup is not made to be thrown away. */
    assert_int_equal(find(&people_table, "GET", "/api/v1/backups/download"), ROUTE_FOUND);
    assert_int_equal(find(&people_table, "HEAD", "/api/v1/backups/download"),
                     ROUTE_NO_METHOD);
    assert_string_equal(str_cstr(&allow), "OPTIONS, GET");
    str_fini(&allow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route),
        cmocka_unit_test(parameters),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
