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
    struct newcomers *newcomers = newcomers_new(100, 3);
    struct newcomers_place a = place_of("10.0.0.1"), b = place_of("10.0.0.2");
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(newcomers_admit(newcomers, &a));
        newcomers_enter(newcomers, &a);
    }
    assert_false(newcomers_admit(newcomers, &a));
    assert_true(newcomers_admit(newcomers, &b));
    newcomers_leave(newcomers, &a);
    assert_true(newcomers_admit(newcomers, &a));
    assert_int_equal(newcomers_count(newcomers), 2);
    assert_int_equal(newcomers_turned_away(newcomers), 1);
    newcomers_free(newcomers);
}

/* All together have a bound too. */
static void test_all(void **state)
{
    struct newcomers *newcomers = newcomers_new(300, 3);
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        struct newcomers_place place = {{1, i}};
        for (int j = 0; j < 3; j++) {
            assert_true(newcomers_admit(newcomers, &place));
            newcomers_enter(newcomers, &place);
        }
    }
    struct newcomers_place more = place_of("2001:db8::1");
    assert_false(newcomers_admit(newcomers, &more));
    for (uint8_t i = 0; i < 100; i++) {
        struct newcomers_place place = {{1, i}};
        for (int j = 0; j < 3; j++)
            newcomers_leave(newcomers, &place);
    }
    assert_true(newcomers_admit(newcomers, &more));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
