/* test_dispatch.c - the table of APIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/dispatch.h"
#include "proto/kafka_gen.h"
#include "tests/lib/fake_core_send.h"

/* What ApiVersions advertises is what has a handler: every row of the table of APIs, and
 * no two of them the same. */
static void every_api_has_its_own_handler(void **state)
{
    (void)state;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        assert_non_null(dispatch_find(kafka_apis[i].key));
        for (size_t j = 0; j < i; j++)
            assert_true(dispatch_find(kafka_apis[i].key) !=
                        dispatch_find(kafka_apis[j].key));
    }
}

/* The versions are those of Kafka 4.2 (kafka.md 1.1); a lower one than a client's best
 * would make kafkajs send what we close the connection for. */
static void versions_are_those_of_kafka_4_2(void **state)
{
    static const int16_t wanted[][4] = {
        /* key, least, greatest, advertised from */
        {0, 3, 13, 0}, {1, 4, 18, 4}, {2, 1, 11, 1}, {3, 0, 13, 0},
        {10, 0, 6, 0}, {18, 0, 4, 0}, {19, 2, 7, 2}, {20, 1, 6, 1},
        {22, 0, 5, 0}, {23, 2, 4, 2}, {32, 1, 4, 1}, {33, 0, 2, 0},
        {37, 0, 3, 0}, {44, 0, 1, 0}, {60, 0, 2, 0}, {75, 0, 0, 0},
    };
    (void)state;
    assert_int_equal(KAFKA_API_COUNT, ARRAY_LEN(wanted));
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
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
        cmocka_unit_test(versions_are_those_of_kafka_4_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
