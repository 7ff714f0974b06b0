/* test_turns.c - commits under way, a cluster beside others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/defs.h"
#include "controlplane/turns.h"

#define MANY 64

struct one {
    struct turn turn;
    bool came;
};

struct fixture {
    struct turns *turns;
    struct one flood[MANY], steady[MANY];
};

static struct fixture f;
static const struct uuid flooder = {{1}}, other = {{2}};

static void go(struct turn *turn)
{
    CONTAINER_OF(turn, struct one, turn)->came = true;
}

static int setup(void **state)
{
    (void)state;
    f = (struct fixture){.turns = turns_new()};
    for (int i = 0; i < MANY; i++)
        f.flood[i].turn = f.steady[i].turn = (struct turn){.go = go, .weight = 1};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    turns_free(f.turns);
    return 0;
}

static unsigned came(const struct one *ones)
{
    unsigned n = 0;
    for (int i = 0; i < MANY; i++)
        n += ones[i].came;
    return n;
}

/* Give all turns of ONES, in order, until none waits. */
static void give_all(struct one *ones, unsigned from, int64_t now_ms)
{
    for (unsigned i = from; i < MANY; i++) {
        if (ones[i].came)
            turns_give(f.turns, &ones[i].turn, now_ms);
    }
}

/* A cluster that is alone has as much under way as it likes. */
static void test_alone(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, i);
    assert_int_equal(came(f.flood), MANY);
    assert_int_equal(turns_waiting(f.turns), 0);
    give_all(f.flood, 0, MANY);
}

/* Beside another one it has eight; the rest comes as they end, in order, and the other
 * one's never waits. */
static void test_beside(void **state)
{
    (void)state;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    for (int i = 0; i < MANY; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 1);
    assert_int_equal(came(f.flood), TURNS_UNDER_WAY);
    assert_int_equal(turns_waiting(f.turns), MANY - TURNS_UNDER_WAY);
    turns_take(f.turns, &f.steady[1].turn, &other, 2);
    assert_true(f.steady[1].came);
    for (unsigned i = 0; i < MANY - TURNS_UNDER_WAY; i++) {
        assert_false(f.flood[i + TURNS_UNDER_WAY].came);
        turns_give(f.turns, &f.flood[i].turn, 3);
        assert_true(f.flood[i + TURNS_UNDER_WAY].came);
        assert_int_equal(came(f.flood), TURNS_UNDER_WAY + i + 1);
    }
    assert_int_equal(turns_waiting(f.turns), 0);
    give_all(f.flood, MANY - TURNS_UNDER_WAY, 4);
    turns_give(f.turns, &f.steady[0].turn, 4);
    turns_give(f.turns, &f.steady[1].turn, 4);
}

/* When the other one has gone for a second, all that waits comes with the next end; and
 * when it comes, what is under way goes on, but nothing is added. */
static void test_comes_and_goes(void **state)
{
    (void)state;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    turns_give(f.turns, &f.steady[0].turn, 1);
    for (int i = 0; i < 32; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, TURNS_MEMORY_MS);
    assert_int_equal(came(f.flood), TURNS_UNDER_WAY);
    turns_give(f.turns, &f.flood[0].turn, TURNS_MEMORY_MS + 1);
    assert_int_equal(came(f.flood), 32);
    turns_take(f.turns, &f.steady[1].turn, &other, TURNS_MEMORY_MS + 2);
    turns_take(f.turns, &f.flood[32].turn, &flooder, TURNS_MEMORY_MS + 3);
    assert_false(f.flood[32].came);
    for (int i = 1; i < 32; i++) {
        turns_give(f.turns, &f.flood[i].turn, TURNS_MEMORY_MS + 4);
        assert_int_equal(f.flood[32].came, i >= 32 - TURNS_UNDER_WAY);
    }
    turns_give(f.turns, &f.flood[32].turn, TURNS_MEMORY_MS + 5);
    turns_give(f.turns, &f.steady[1].turn, TURNS_MEMORY_MS + 5);
}

/* What is heavier than all that may be under way comes alone; weights add up. */
static void test_weights(void **state)
{
    (void)state;
    f.flood[0].turn.weight = 100;
    f.flood[1].turn.weight = 5;
    f.flood[2].turn.weight = 4;
    f.flood[3].turn.weight = 1;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    for (int i = 0; i < 4; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 1);
    assert_int_equal(came(f.flood), 1);
    turns_give(f.turns, &f.flood[0].turn, 2);
    assert_int_equal(came(f.flood), 2); /* 5 + 4 is too much, and order is kept */
    turns_give(f.turns, &f.flood[1].turn, 3);
    assert_int_equal(came(f.flood), 4);
    give_all(f.flood, 2, 4);
    turns_give(f.turns, &f.steady[0].turn, 4);
}

/* Many clusters that come once are forgotten; what is under way for long is not. */
static void test_forgotten(void **state)
{
    (void)state;
    turns_take(f.turns, &f.flood[0].turn, &flooder, 0);
    for (int i = 0; i < 5000; i++) {
        struct uuid id = {{3, (uint8_t)i, (uint8_t)(i >> 8)}};
        struct one once = {.turn = {.go = go, .weight = 1}};
        turns_take(f.turns, &once.turn, &id, i * 10);
        assert_true(once.came);
        turns_give(f.turns, &once.turn, i * 10);
    }
    turns_give(f.turns, &f.flood[0].turn, 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
