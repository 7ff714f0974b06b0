/* test_membership.c - which single change comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "controlplane/membership.h"
#include "tests/lib/vcell.h"

#define NOW 100000

struct fixture {
    struct replica_server servers[REPLICA_SERVERS_MAX];
    struct membership_node nodes[REPLICA_SERVERS_MAX];
    struct membership_view view;
};

/* COUNT voters, of which 1 leads, all well and wanted. */
static void init(struct fixture *f, size_t count)
{
    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < count; i++) {
        f->servers[i] = (struct replica_server){.id = i + 1,
                                                .address = "a:1",
                                                .role = REPLICA_VOTER,
                                                .self = i == 0,
                                                .leader = i == 0,
                                                .match_index = 1000,
                                                .heard_ms = i == 0 ? -1 : NOW - 50};
        f->nodes[i] = (struct membership_node){.id = i + 1, .address = "a:1"};
    }
    f->view = (struct membership_view){.servers = f->servers,
                                       .server_count = count,
                                       .last_index = 1000,
                                       .nodes = f->nodes,
                                       .node_count = count,
                                       .election_timeout_ms = 500,
                                       .now_ms = NOW};
}

static void check(struct fixture *f, enum membership_kind kind, uint64_t id)
{
    struct membership_step step = membership_next(&f->view);
    assert_int_equal(step.kind, kind);
    assert_int_equal(step.id, id);
}

static void check_change(struct fixture *f, enum replica_change_kind change, uint64_t id)
{
    check(f, MEMBERSHIP_CHANGE, id);
    assert_int_equal(membership_next(&f->view).change, change);
}

/* A cell that is as wanted is left alone; and so is one that changes already. */
static void test_nothing(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 3);
    check(&f, MEMBERSHIP_NOTHING, 0);
    f.view.changing = true;
    f.view.node_count = 2;
    check(&f, MEMBERSHIP_WAIT, 0);
}

/* A node that joined is added as a standby, and promoted when it has caught up. */
static void test_join(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 4);
    f.nodes[3].address = "new:7802";
    f.view.server_count = 3;
    check_change(&f, REPLICA_ADD, 4);
    assert_string_equal(membership_next(&f.view).address, "new:7802");
    f.view.server_count = 4;
    f.servers[3].role = REPLICA_STANDBY;
    f.servers[3].heard_ms = -1;
    check(&f, MEMBERSHIP_WAIT, 4);
    f.servers[3].heard_ms = NOW;
    f.servers[3].match_index = 1000 - MEMBERSHIP_LAG - 1;
    check(&f, MEMBERSHIP_WAIT, 4);
    f.servers[3].match_index++;
    check_change(&f, REPLICA_PROMOTE, 4);
    f.nodes[3].standby = true;
    check(&f, MEMBERSHIP_NOTHING, 0);
}

/* A lost node goes before its successor comes: first removed, then added, then promoted.
 */
static void test_replace(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 3);
    f.servers[2].heard_ms = NOW - 60000;
    f.nodes[2].id = 4;
    check_change(&f, REPLICA_REMOVE, 3);
    /* The successor is a member already: it is not promoted before. */
    f.servers[3] = f.servers[1];
    f.servers[3].id = 4;
    f.servers[3].role = REPLICA_STANDBY;
    f.view.server_count = 4;
    check_change(&f, REPLICA_REMOVE, 3);
    f.servers[2] = f.servers[3];
    f.view.server_count = 3;
    check_change(&f, REPLICA_PROMOTE, 4);
}

/* Of several that are to go the one that does not answer goes first. */
static void test_lost_first(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 5);
    f.view.node_count = 3;
    f.servers[4].heard_ms = -1;
    check_change(&f, REPLICA_REMOVE, 5);
    f.servers[4].heard_ms = NOW;
    check_change(&f, REPLICA_REMOVE, 4);
}

/* A change that the voters who are left could not commit is not begun. */
static void test_no_majority(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 3);
    f.view.node_count = 2;
    f.servers[1].heard_ms = -1; /* lost, but to stay; 3 answers and is to go */
    check(&f, MEMBERSHIP_WAIT, 3);
    f.servers[3] = f.servers[2];
    f.servers[3].id = 4;
    f.servers[3].role = REPLICA_STANDBY;
    f.nodes[2].id = 4;
    f.view.node_count = 3;
    f.view.server_count = 4;
    check_change(&f, REPLICA_PROMOTE, 4); /* with it there are enough */
    f.servers[3].role = REPLICA_VOTER;
    check_change(&f, REPLICA_REMOVE, 3);
    /* Nor is a fourth voter promoted when of the four only two would answer. */
    init(&f, 4);
    f.servers[3].role = REPLICA_STANDBY;
    f.servers[1].heard_ms = f.servers[2].heard_ms = -1;
    check(&f, MEMBERSHIP_WAIT, 4);
}

/* A leader that is to go, or to be a standby, hands over first. */
static void test_leader(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 3);
    f.nodes[0].standby = true;
    check(&f, MEMBERSHIP_TRANSFER, 1);
    f.nodes[0] = f.nodes[2];
    f.view.node_count = 2;
    check(&f, MEMBERSHIP_TRANSFER, 1);
    init(&f, 3);
    f.nodes[1].standby = true;
    check_change(&f, REPLICA_DEMOTE, 2);
    /* The only voter stays. */
    init(&f, 1);
    f.nodes[0].standby = true;
    check(&f, MEMBERSHIP_WAIT, 1);
}

/* A cell has seven voters at most; an eighth node stays a standby. */
static void test_limits(void **state)
{
    struct fixture f;
    (void)state;
    init(&f, 8);
    f.servers[7].role = REPLICA_STANDBY;
    check(&f, MEMBERSHIP_WAIT, 8);
    init(&f, REPLICA_SERVERS_MAX);
    for (size_t i = 7; i < REPLICA_SERVERS_MAX; i++) {
        f.servers[i].role = REPLICA_STANDBY;
        f.nodes[i].standby = true;
    }
    check(&f, MEMBERSHIP_NOTHING, 0);
    f.nodes[15].id = 99; /* one goes, then the other comes */
    check_change(&f, REPLICA_REMOVE, 16);
}

/* Drive real replicas: what membership_next() says is done until it says nothing. */
static void drive(struct vcell *cell, const struct membership_node *nodes, size_t count)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    struct err err;
    uint64_t index;

    for (int quiet = 0, ms = 0; quiet < 500; ms++) {
        uint64_t leader = vcell_leader(cell);
        assert_true(ms < 60000);
        vcell_run(cell, 1);
        if (leader == 0 || vcell_replica(cell, leader) == NULL)
            continue;
        struct replica *replica = vcell_replica(cell, leader);
        struct membership_view view = {.servers = servers,
                                       .server_count = replica_servers(replica, servers),
                                       .changing = replica_changing(replica),
                                       .last_index = replica_last_index(replica),
                                       .nodes = nodes,
                                       .node_count = count,
                                       .election_timeout_ms = VCELL_ELECTION,
                                       .now_ms = cell->now_ms};
        struct membership_step step = membership_next(&view);
        int rc = 0;
        quiet = step.kind == MEMBERSHIP_NOTHING ? quiet + 1 : 0;
        if (step.kind == MEMBERSHIP_CHANGE)
            rc = replica_change(replica, step.change, step.id, step.address, cell->now_ms,
                                &index, &err);
        else if (step.kind == MEMBERSHIP_TRANSFER)
            rc = replica_transfer(replica, 0, cell->now_ms, &err);
        /* Not yet is an answer; that it makes no sense is none. */
        assert_true(rc == 0 || rc == ERR_UNAVAILABLE || rc == ERR_NOT_LEADER ||
                    rc == ERR_CONFLICT);
    }
}

/* Three nodes become three others, one of the first lost, by nothing but single steps. */
static void test_all_replaced(void **state)
{
    struct vcell *cell = vcell_new(3);
    static const struct membership_node next[] = {
        {.id = 4, .address = "node4:7802"},
        {.id = 5, .address = "node5:7802"},
        {.id = 6, .address = "node6:7802"},
        {.id = 7, .address = "node7:7802", .standby = true}};
    struct replica_server server;
    (void)state;
    vcell_crash(cell, vcell_other(cell, vcell_leader(cell), 0));
    vcell_run(cell, 3 * VCELL_ELECTION);
    for (uint64_t id = 4; id <= 7; id++)
        vcell_start(cell, id);
    drive(cell, next, 4);
    uint64_t leader = vcell_leader(cell);
    assert_true(leader >= 4 && leader <= 6);
    for (uint64_t id = 1; id <= 7; id++) {
        assert_int_equal(vcell_server(cell, leader, id, &server), id >= 4);
        if (id >= 4)
            assert_int_equal(server.role, id == 7 ? REPLICA_STANDBY : REPLICA_VOTER);
    }
    assert_true(vcell_submit(cell, leader, "goes on") > 0);
    vcell_free(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),     cmocka_unit_test(test_join),
        cmocka_unit_test(test_replace),     cmocka_unit_test(test_lost_first),
        cmocka_unit_test(test_no_majority), cmocka_unit_test(test_leader),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_all_replaced)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
