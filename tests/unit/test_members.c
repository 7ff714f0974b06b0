/* test_members.c - which change of the cell's membership comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controlplane/members.h"

#define SELF 1

static struct node_server server(uint64_t id, enum node_role role)
{
    return (struct node_server){.node_id = id,
                                .role = role,
                                .connected = true,
                                .self = id == SELF,
                                .leader = id == SELF};
}

static void expect(const struct members_wanted *wanted, size_t wanted_count,
                   const struct node_server *servers, size_t count,
                   enum node_change_kind kind, uint64_t id)
{
    struct members_decision d =
        members_decide(wanted, wanted_count, servers, count, SELF);
    assert_true(d.any);
    assert_int_equal(d.kind, kind);
    assert_int_equal(d.node_id, id);
}

/* When Raft's members are those of the table, nothing is changed. */
static void in_step(void **state)
{
    const struct members_wanted wanted[] = {
        {1, "a", true}, {2, "b", true}, {3, "c", false}};
    const struct node_server servers[] = {server(1, NODE_VOTER), server(2, NODE_VOTER),
                                          server(3, NODE_STANDBY)};
    (void)state;
    assert_false(members_decide(wanted, 3, servers, 3, SELF).any);
}

/* A new node of the table is added with its address; then it is promoted, unless it is to
 * stay a standby or is not connected. */
static void growth(void **state)
{
    struct members_wanted wanted[] = {{1, "a", true}, {2, "b", true}};
    struct node_server servers[] = {server(1, NODE_VOTER), server(2, NODE_STANDBY)};
    (void)state;
    expect(wanted, 2, servers, 1, NODE_CHANGE_ADD, 2);
    assert_string_equal(members_decide(wanted, 2, servers, 1, SELF).address, "b");
    expect(wanted, 2, servers, 2, NODE_CHANGE_PROMOTE, 2);
    servers[1].connected = false;
    assert_false(members_decide(wanted, 2, servers, 2, SELF).any);
    servers[1].connected = true;
    wanted[1].voter = false;
    assert_false(members_decide(wanted, 2, servers, 2, SELF).any);
}

/* Whoever is not in the table goes, before anybody is added or promoted. */
static void removal(void **state)
{
    const struct members_wanted wanted[] = {
        {1, "a", true}, {3, "c", true}, {4, "d", true}};
    const struct node_server servers[] = {server(1, NODE_VOTER), server(2, NODE_VOTER),
                                          server(3, NODE_STANDBY)};
    (void)state;
    expect(wanted, 3, servers, 3, NODE_CHANGE_REMOVE, 2);
}

/* A voter that shall be a standby is demoted. */
static void demotion(void **state)
{
    const struct members_wanted wanted[] = {{1, "a", true}, {2, "b", false}};
    const struct node_server servers[] = {server(1, NODE_VOTER), server(2, NODE_VOTER)};
    (void)state;
    expect(wanted, 2, servers, 2, NODE_CHANGE_DEMOTE, 2);
}

/* The leader itself goes last of all. */
static void leader_last(void **state)
{
    const struct members_wanted wanted[] = {{2, "b", true}, {3, "c", true}};
    struct node_server servers[] = {server(1, NODE_VOTER), server(2, NODE_VOTER),
                                    server(3, NODE_STANDBY)};
    (void)state;
    expect(wanted, 2, servers, 3, NODE_CHANGE_PROMOTE, 3);
    servers[2].role = NODE_VOTER;
    expect(wanted, 2, servers, 3, NODE_CHANGE_REMOVE, SELF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_step),     cmocka_unit_test(growth),
        cmocka_unit_test(removal),     cmocka_unit_test(demotion),
        cmocka_unit_test(leader_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
