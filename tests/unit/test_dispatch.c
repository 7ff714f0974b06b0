/* test_dispatch.c - the table of APIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/dispatch.h"
#include "proto/kafka_gen.h"
#include "tests/lib/fake_core_send.h"

/* No two APIs that are served have the same handler, and what is unknown has none. */
static void every_api_has_its_own_handler(void **state)
{
    (void)state;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        dispatch_fn *handler = dispatch_find(kafka_apis[i].key);
        for (size_t j = 0; j < i; j++)
            assert_true(handler == NULL || handler != dispatch_find(kafka_apis[j].key));
    }
    assert_non_null(dispatch_find(KAFKA_PRODUCE));
    assert_null(dispatch_find(4));
    assert_null(dispatch_find(-1));
    assert_null(dispatch_find(INT16_MAX));
}

/* Quotas are kept but not enforced: to advertise them would be a promise. What is not
 * served is not advertised either, and everything else is. */
static void quotas_are_not_advertised(void **state)
{
    (void)state;
    assert_non_null(dispatch_find(KAFKA_DESCRIBE_CLIENT_QUOTAS));
    assert_non_null(dispatch_find(KAFKA_ALTER_CLIENT_QUOTAS));
    assert_false(dispatch_is_advertised(KAFKA_DESCRIBE_CLIENT_QUOTAS));
    assert_false(dispatch_is_advertised(KAFKA_ALTER_CLIENT_QUOTAS));
    assert_true(dispatch_is_advertised(KAFKA_DESCRIBE_QUORUM));
    assert_false(dispatch_is_advertised(71)); /* GetTelemetrySubscriptions */
}

/* The versions are those of Kafka 4.2 (kafka.md 1.1); a lower one than a client's best
 * would make kafkajs send what we close the connection for. */
static void versions_are_those_of_kafka_4_2(void **state)
{
    static const int16_t wanted[][4] = {
        /* key, least, greatest, advertised from */
        {0, 3, 13, 0}, {1, 4, 18, 4}, {2, 1, 11, 1}, {3, 0, 13, 0}, {8, 2, 10, 2},
        {9, 1, 10, 1}, {10, 0, 6, 0}, {11, 0, 9, 0}, {12, 0, 4, 0}, {13, 0, 5, 0},
        {14, 0, 5, 0}, {15, 0, 6, 0}, {16, 0, 5, 0}, {18, 0, 4, 0}, {19, 2, 7, 2},
        {20, 1, 6, 1}, {21, 0, 2, 0}, {22, 0, 5, 0}, {23, 2, 4, 2}, {32, 1, 4, 1},
        {33, 0, 2, 0}, {34, 1, 2, 1}, {35, 1, 4, 1}, {37, 0, 3, 0}, {42, 0, 2, 0},
        {43, 0, 2, 0}, {44, 0, 1, 0}, {45, 0, 1, 0}, {46, 0, 0, 0}, {47, 0, 0, 0},
        {48, 0, 1, 0}, {49, 0, 1, 0}, {55, 0, 2, 0}, {57, 0, 2, 0}, {60, 0, 2, 0},
        {61, 0, 0, 0}, {68, 0, 1, 0}, {69, 0, 1, 0}, {74, 0, 1, 0}, {75, 0, 0, 0},
    };
    (void)state;
    assert_int_equal(KAFKA_API_COUNT, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_int_equal(kafka_apis[i].key, wanted[i][0]);
        assert_int_equal(kafka_apis[i].min_version, wanted[i][1]);
        assert_int_equal(kafka_apis[i].max_version, wanted[i][2]);
        assert_int_equal(kafka_apis[i].advertised_min, wanted[i][3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_api_has_its_own_handler),
        cmocka_unit_test(quotas_are_not_advertised),
        cmocka_unit_test(versions_are_those_of_kafka_4_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
