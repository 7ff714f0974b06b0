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
    int64_t due_us; /* as told last; 0: never */
};

static struct fixture f;
static const struct uuid flooder = {{1}}, other = {{2}};

static void go(struct turn *turn)
{
    CONTAINER_OF(turn, struct one, turn)->came = true;
}

static void on_due(void *arg, int64_t due_us)
{
    (void)arg;
    f.due_us = due_us;
}

static int setup(void **state)
{
    (void)state;
    f = (struct fixture){.turns = turns_new(on_due, NULL)};
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
static void give_all(struct one *ones, unsigned from, int64_t now_us)
{
    for (unsigned i = from; i < MANY; i++) {
        if (ones[i].came)
            turns_give(f.turns, &ones[i].turn, now_us);
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

/* Beside another one it has eight; the rest comes eight by eight, in order, and the other
 * one's never waits. */
static void test_beside(void **state)
{
    int64_t now_us = 1;

    (void)state;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    for (int i = 0; i < MANY; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, now_us);
    assert_int_equal(came(f.flood), TURNS_UNDER_WAY);
    assert_int_equal(turns_waiting(f.turns), MANY - TURNS_UNDER_WAY);
    turns_take(f.turns, &f.steady[1].turn, &other, 2);
    assert_true(f.steady[1].came);
    for (unsigned i = 0; i < MANY; i++) {
        /* Nothing begins before all of a round have ended, and it has rested. */
        assert_int_equal(came(f.flood), i - i % TURNS_UNDER_WAY + TURNS_UNDER_WAY);
        turns_give(f.turns, &f.flood[i].turn, ++now_us);
        if (i % TURNS_UNDER_WAY < TURNS_UNDER_WAY - 1)
            continue;
        now_us = f.due_us;
        turns_go_on(f.turns, now_us);
    }
    assert_int_equal(turns_waiting(f.turns), 0);
    turns_give(f.turns, &f.steady[0].turn, now_us);
    turns_give(f.turns, &f.steady[1].turn, now_us);
}

/* A cluster rests four times as long as its round took, but not for longer than a bound;
 * what it asks for meanwhile waits behind the others. */
static void test_rest(void **state)
{
    (void)state;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    for (int i = 0; i < 12; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 100);
    give_all(f.flood, 0, 400);
    assert_int_equal(f.due_us, 400 + TURNS_REST * 300);
    turns_take(f.turns, &f.flood[12].turn, &flooder, 500);
    turns_go_on(f.turns, f.due_us - 1);
    assert_int_equal(came(f.flood), TURNS_UNDER_WAY);
    turns_go_on(f.turns, f.due_us);
    assert_true(f.flood[12].came); /* 8 to 12 are one round */
    for (int i = 13; i < MANY; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 2000);
    assert_int_equal(came(f.flood), 16);
    give_all(f.flood, 8, 100000);
    assert_int_equal(f.due_us, 100000 + TURNS_REST_MAX_US);
    for (int64_t now_us = f.due_us; turns_waiting(f.turns) > 0; now_us = f.due_us) {
        unsigned before = came(f.flood);
        turns_go_on(f.turns, now_us);
        give_all(f.flood, before, now_us);
    }
    assert_int_equal(came(f.flood), MANY);
    turns_give(f.turns, &f.steady[0].turn, 200000);
}

/* Who asks for no more than may be under way never rests; and of two that rest, the one
 * whose round was shorter goes on first. */
static void test_each_its_own(void **state)
{
    static const struct uuid third = {{3}};
    struct one its[9];

    (void)state;
    for (int i = 0; i < 9; i++) {
        its[i] = (struct one){.turn = {.go = go, .weight = 1}};
        turns_take(f.turns, &f.steady[i].turn, &other, 0);
        turns_take(f.turns, &f.flood[i].turn, &flooder, 0);
    }
    for (int i = 0; i < 8; i++)
        turns_take(f.turns, &its[i].turn, &third, 0);
    for (int i = 0; i < 8; i++)
        turns_give(f.turns, &its[i].turn, 10);
    assert_int_equal(f.due_us, 0);
    turns_take(f.turns, &its[8].turn, &third, 11);
    assert_true(its[8].came);
    give_all(f.steady, 0, 100);
    assert_int_equal(f.due_us, 100 + TURNS_REST * 100);
    give_all(f.flood, 0, 200);
    assert_int_equal(f.due_us, 100 + TURNS_REST * 100);
    turns_go_on(f.turns, f.due_us);
    assert_true(f.steady[8].came && !f.flood[8].came);
    assert_int_equal(f.due_us, 200 + TURNS_REST * 200);
    turns_go_on(f.turns, f.due_us);
    assert_true(f.flood[8].came);
    turns_give(f.turns, &f.flood[8].turn, 2000);
    turns_give(f.turns, &f.steady[8].turn, 2000);
    turns_give(f.turns, &its[8].turn, 2000);
}

/* When the other one has gone for a second, all that waits comes with the next end; and
 * when it comes, what is under way goes on, but nothing is added. */
static void test_comes_and_goes(void **state)
{
    (void)state;
    turns_take(f.turns, &f.steady[0].turn, &other, 0);
    turns_give(f.turns, &f.steady[0].turn, 1);
    for (int i = 0; i < 32; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, TURNS_MEMORY_US);
    assert_int_equal(came(f.flood), TURNS_UNDER_WAY);
    turns_give(f.turns, &f.flood[0].turn, TURNS_MEMORY_US + 1);
    assert_int_equal(came(f.flood), 32);
    turns_take(f.turns, &f.steady[1].turn, &other, TURNS_MEMORY_US + 2);
    turns_take(f.turns, &f.flood[32].turn, &flooder, TURNS_MEMORY_US + 3);
    assert_false(f.flood[32].came);
    for (int i = 1; i < 32; i++)
        turns_give(f.turns, &f.flood[i].turn, TURNS_MEMORY_US + 4);
    assert_false(f.flood[32].came);
    turns_go_on(f.turns, f.due_us);
    assert_true(f.flood[32].came);
    turns_give(f.turns, &f.flood[32].turn, TURNS_MEMORY_US + 5);
    turns_give(f.turns, &f.steady[1].turn, TURNS_MEMORY_US + 5);
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
    turns_go_on(f.turns, f.due_us);
    assert_int_equal(came(f.flood), 2); /* 5 + 4 is too much, and order is kept */
    turns_give(f.turns, &f.flood[1].turn, 9);
    turns_go_on(f.turns, f.due_us);
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
        turns_take(f.turns, &once.turn, &id, i * 10000);
        assert_true(once.came);
        turns_give(f.turns, &once.turn, i * 10000);
    }
    turns_give(f.turns, &f.flood[0].turn, 50000000);
}

/* A cluster that asks quietly gives way to one of which is told that it commits, but
 * nobody gives way to it; and it is forgotten when nothing of it is under way. */
static void test_quiet(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++)
        f.flood[i].turn.quiet = true;
    for (int i = 0; i < 16; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 1000);
    assert_int_equal(came(f.flood), 16);
    for (int i = 0; i < 16; i++)
        turns_take(f.turns, &f.steady[i].turn, &other, 1001);
    assert_int_equal(came(f.steady), 16);
    for (int i = 0; i < 16; i++) {
        turns_give(f.turns, &f.steady[i].turn, 1002);
        turns_give(f.turns, &f.flood[i].turn, 1002);
    }
    turns_note(f.turns, &other, 1003);
    for (int i = 16; i < 32; i++)
        turns_take(f.turns, &f.flood[i].turn, &flooder, 1004);
    assert_int_equal(came(f.flood), 16 + TURNS_UNDER_WAY);
    assert_int_equal(turns_waiting(f.turns), 16 - TURNS_UNDER_WAY);
    for (int i = 16; i < 16 + TURNS_UNDER_WAY; i++)
        turns_give(f.turns, &f.flood[i].turn, 1100);
    assert_true(f.due_us > 1100);
    turns_go_on(f.turns, f.due_us);
    assert_int_equal(came(f.flood), 32);
    for (int i = 16 + TURNS_UNDER_WAY; i < 32; i++)
        turns_give(f.turns, &f.flood[i].turn, f.due_us + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
