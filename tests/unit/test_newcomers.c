/* test_newcomers.c - who may come in, by all that stand there and by the address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "controlplane/newcomers.h"

static struct newcomers_place place_of(const char *text)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return newcomers_place_of((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return newcomers_place_of((struct sockaddr *)&in6);
}

/* One address has its share; another one still comes in; who leaves makes room. */
static void test_each(void **state)
{
    struct newcomers *newcomers = newcomers_new(12, 4);
    struct newcomers_place a = place_of("10.0.0.1"), b = place_of("10.0.0.2");
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(newcomers_admit(newcomers, &a, 0));
        newcomers_enter(newcomers, &a);
    }
    assert_false(newcomers_admit(newcomers, &a, 0));
    assert_true(newcomers_admit(newcomers, &b, 0));
    newcomers_leave(newcomers, &a, 1, 0);
    assert_true(newcomers_admit(newcomers, &a, 0));
    assert_int_equal(newcomers_count(newcomers), 2);
    assert_int_equal(newcomers_turned_away(newcomers), 1);
    newcomers_free(newcomers);
}

/* All together have a bound too. */
static void test_all(void **state)
{
    struct newcomers *newcomers = newcomers_new(300, 100);
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        struct newcomers_place place = {{1, i}};
        for (int j = 0; j < 3; j++) {
            assert_true(newcomers_admit(newcomers, &place, 0));
            newcomers_enter(newcomers, &place);
        }
    }
    struct newcomers_place more = place_of("2001:db8::1");
    assert_false(newcomers_admit(newcomers, &more, 0));
    for (uint8_t i = 0; i < 100; i++) {
        struct newcomers_place place = {{1, i}};
        for (int j = 0; j < 3; j++)
            newcomers_leave(newcomers, &place, 1, 0);
    }
    assert_true(newcomers_admit(newcomers, &more, 0));
    assert_int_equal(newcomers_count(newcomers), 0);
    newcomers_free(newcomers);
}

/* An IPv4 address is the same one when it comes mapped; other families are one place. */
static void test_places(void **state)
{
    struct newcomers_place plain = place_of("192.0.2.7");
    struct newcomers_place mapped = place_of("::ffff:192.0.2.7");
    struct newcomers_place other = place_of("2001:db8::1"),
                           none = newcomers_place_of(NULL);
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct newcomers_place of_local = newcomers_place_of(&local);
    (void)state;
    assert_memory_equal(&plain, &mapped, sizeof(plain));
    assert_memory_not_equal(&plain, &other, sizeof(plain));
    assert_memory_equal(&none, &of_local, sizeof(none));
}

/* COUNT come in, each from a place of its own, and leave after STAYED_MS. */
static void pass(struct newcomers *newcomers, unsigned count, int64_t stayed_ms,
                 int64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        struct newcomers_place place = {{3, (uint8_t)(i >> 8), (uint8_t)i}};
        newcomers_enter(newcomers, &place);
        newcomers_leave(newcomers, &place, stayed_ms, now_ms);
    }
}

/* Those who take long halve how many may be, once for all who stood there together, down
 * to a least number; the share of an address goes with it. */
static void test_slow(void **state)
{
    struct newcomers *newcomers = newcomers_new(512, 4);
    struct newcomers_place a = place_of("10.0.0.1");
    (void)state;
    pass(newcomers, 100, NEWCOMERS_SLOW_MS + 1, 1000);
    assert_int_equal(newcomers_limit(newcomers), 256);
    for (int i = 0; i < 64; i++) {
        assert_true(newcomers_admit(newcomers, &a, 1000));
        newcomers_enter(newcomers, &a);
    }
    assert_false(newcomers_admit(newcomers, &a, 1000));
    for (int64_t i = 2; i < 9; i++)
        pass(newcomers, 1, NEWCOMERS_SLOW_MS + 1, i * 1000);
    assert_int_equal(newcomers_limit(newcomers), NEWCOMERS_LEAST);
    for (int i = 0; i < 64; i++)
        newcomers_expel(newcomers, &a);
    newcomers_free(newcomers);
}

/* Each quick one makes it one more, up to what may be at the most; and when nobody was
 * slow for a while, it is all of that. */
static void test_quick(void **state)
{
    struct newcomers *newcomers = newcomers_new(512, 4);
    struct newcomers_place a = place_of("10.0.0.1");
    (void)state;
    pass(newcomers, 1, NEWCOMERS_SLOW_MS + 1, 1000);
    pass(newcomers, 10, NEWCOMERS_SLOW_MS, 1100);
    assert_int_equal(newcomers_limit(newcomers), 266);
    pass(newcomers, 300, 1, 1100);
    assert_int_equal(newcomers_limit(newcomers), 512);
    pass(newcomers, 1, NEWCOMERS_SLOW_MS + 1, 2000);
    assert_true(newcomers_admit(newcomers, &a, 2000 + NEWCOMERS_CALM_MS));
    assert_int_equal(newcomers_limit(newcomers), 256);
    assert_true(newcomers_admit(newcomers, &a, 2001 + NEWCOMERS_CALM_MS));
    assert_int_equal(newcomers_limit(newcomers), 512);
    newcomers_free(newcomers);
}

/* Whoever stood idle until it was cut off makes nobody else wait outside. */
static void test_expelled(void **state)
{
    struct newcomers *newcomers = newcomers_new(512, 4);
    struct newcomers_place a = place_of("10.0.0.1");
    (void)state;
    newcomers_enter(newcomers, &a);
    newcomers_expel(newcomers, &a);
    assert_int_equal(newcomers_limit(newcomers), 512);
    assert_int_equal(newcomers_count(newcomers), 0);
    newcomers_free(newcomers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),   cmocka_unit_test(test_all),
        cmocka_unit_test(test_places), cmocka_unit_test(test_slow),
        cmocka_unit_test(test_quick),  cmocka_unit_test(test_expelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
