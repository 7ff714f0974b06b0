/* test_replica_lease.c - how long a leader may read, and whom a voter listens to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controlplane/replica_lease.h"

#define ELECTION 500
#define BEAT     100
/* What a lease lasts from the time that a majority answered: 500 - 10 % - 100. */
#define LASTS 350

static const uint64_t voters[] = {1, 2, 3, 4, 5};

static struct lease leader(void)
{
    struct lease lease;
    lease_init(&lease, ELECTION, BEAT, 0);
    lease_lead(&lease, 7);
    return lease;
}

/* The lease counts from the newest time that a majority, the leader included, answered.
 */
static void test_majority(void **state)
{
    struct lease lease = leader();
    (void)state;
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
    lease_answered(&lease, 2, 1000);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == 1000 + LASTS);
    assert_true(lease_end_ms(&lease, 1, voters, 5) == LEASE_NONE);
    lease_answered(&lease, 3, 900);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == 1000 + LASTS);
    assert_true(lease_end_ms(&lease, 1, voters, 5) == 900 + LASTS);
    lease_answered(&lease, 2, 800); /* an old answer is late */
    lease_answered(&lease, 4, 950);
    assert_true(lease_end_ms(&lease, 1, voters, 5) == 950 + LASTS);
    lease_answered(&lease, 9, 5000); /* no voter */
    assert_true(lease_end_ms(&lease, 1, voters, 5) == 950 + LASTS);
    /* Of four voters three are a majority. */
    assert_true(lease_end_ms(&lease, 1, voters, 4) == 950 + LASTS);
}

/* A single voter may always read while it leads; who does not lead never. */
static void test_alone(void **state)
{
    struct lease lease = leader();
    (void)state;
    assert_true(lease_end_ms(&lease, 1, voters, 1) == LEASE_FOREVER);
    lease_stop(&lease);
    assert_true(lease_end_ms(&lease, 1, voters, 1) == LEASE_NONE);
    assert_true(lease_end_ms(&lease, 1, voters, 0) == LEASE_NONE);
}

/* A leader that removed itself has no lease: the one voter that is left would lead at
 * once when it is started anew, without asking anybody. */
static void test_no_voter(void **state)
{
    struct lease lease = leader();
    (void)state;
    lease_answered(&lease, 2, 1000);
    lease_answered(&lease, 3, 1000);
    assert_true(lease_end_ms(&lease, 1, voters, 2) == 1000 + LASTS);
    assert_true(lease_end_ms(&lease, 1, voters + 1, 1) == LEASE_NONE);
    assert_true(lease_end_ms(&lease, 1, voters + 1, 2) == LEASE_NONE);
}

/* A new term begins without a lease. */
static void test_new_term(void **state)
{
    struct lease lease = leader();
    (void)state;
    lease_answered(&lease, 2, 1000);
    lease_lead(&lease, 8);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
    lease_stop(&lease);
    lease_answered(&lease, 2, 2000);
    lease_lead(&lease, 9);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
}

/* A transfer ends the lease; if it fails, only what was sent after that counts again. */
static void test_transfer(void **state)
{
    struct lease lease = leader();
    (void)state;
    lease_answered(&lease, 2, 1000);
    assert_int_equal(lease_transfer(&lease), 1);
    assert_true(lease_transferring(&lease));
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
    assert_true(lease_end_ms(&lease, 1, voters, 1) == LEASE_NONE);
    lease_answered(&lease, 2, 1100);
    lease_revoke(&lease, 1200);
    assert_false(lease_transferring(&lease));
    assert_int_equal(lease.revoked, 1);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
    lease_answered(&lease, 2, 1200); /* perhaps from just before */
    assert_true(lease_end_ms(&lease, 1, voters, 3) == LEASE_NONE);
    lease_answered(&lease, 2, 1201);
    assert_true(lease_end_ms(&lease, 1, voters, 3) == 1201 + LASTS);
    assert_int_equal(lease_transfer(&lease), 2);
}

/* A follower answers the newest clock of the leader of the term that is asked for. */
static void test_follower(void **state)
{
    struct lease lease;
    (void)state;
    lease_init(&lease, ELECTION, BEAT, 0);
    assert_true(lease_clock(&lease, 7) == LEASE_NONE);
    lease_heard(&lease, 7, 1000, 0, 50);
    lease_heard(&lease, 7, 900, 0, 60);
    assert_true(lease_clock(&lease, 7) == 1000);
    assert_true(lease_clock(&lease, 8) == LEASE_NONE);
    lease_heard(&lease, 8, 10, 0, 70); /* another leader, another clock */
    assert_true(lease_clock(&lease, 8) == 10);
}

/* Votes are looked at one election timeout after the start, and disrupt a leader one
 * after it was heard last. */
static void test_votes(void **state)
{
    struct lease lease;
    struct lease_request plain = {.disrupt = false};
    (void)state;
    lease_init(&lease, ELECTION, BEAT, 1000);
    assert_false(lease_may_vote(&lease, &plain, 1499));
    assert_true(lease_may_vote(&lease, &plain, 1500));
    assert_true(lease_may_disrupt(&lease, &plain, 1500)); /* nobody was heard */
    lease_heard(&lease, 7, 5, 0, 2000);
    assert_false(lease_may_disrupt(&lease, &plain, 2499));
    assert_true(lease_may_disrupt(&lease, &plain, 2500));
}

/* The permission of a leader is obeyed until it says that it is revoked, also by who has
 * just started, if it heard that leader since. */
static void test_permission(void **state)
{
    struct lease lease;
    struct lease_request request = {.disrupt = true, .transfer_term = 7, .transfer = 2};
    (void)state;
    lease_init(&lease, ELECTION, BEAT, 1000);
    assert_false(lease_may_vote(&lease, &request, 1001));
    lease_heard(&lease, 7, 5, 1, 1002);
    assert_true(lease_may_vote(&lease, &request, 1003));
    assert_true(lease_may_disrupt(&lease, &request, 1003));
    lease_heard(&lease, 7, 6, 2, 1004);
    assert_false(lease_may_vote(&lease, &request, 1005));
    assert_false(lease_may_disrupt(&lease, &request, 1005));
    request.transfer = 3;
    assert_true(lease_may_disrupt(&lease, &request, 1005));
    /* Of an older leader than the one that is heard: not; of a later one: yes. */
    lease_heard(&lease, 8, 1, 0, 1006);
    assert_false(lease_may_disrupt(&lease, &request, 1007));
    request.transfer_term = 9;
    assert_true(lease_may_disrupt(&lease, &request, 1007));
    request.disrupt = false;
    assert_false(lease_may_disrupt(&lease, &request, 1007));
}

/* A leader steps down for its own heir only, and not after it was revoked. */
static void test_own_permission(void **state)
{
    struct lease lease = leader();
    struct lease_request request = {.disrupt = true, .transfer_term = 7, .transfer = 1};
    (void)state;
    assert_false(lease_may_disrupt(&lease, &request, 10000));
    (void)lease_transfer(&lease);
    assert_true(lease_may_disrupt(&lease, &request, 10000));
    request.transfer_term = 8;
    assert_false(lease_may_disrupt(&lease, &request, 10000));
    request.transfer_term = 7;
    lease_revoke(&lease, 10000);
    assert_false(lease_may_disrupt(&lease, &request, 10000));
}

/* The heir takes no permission that it knows to be revoked. */
static void test_heir(void **state)
{
    struct lease lease;
    (void)state;
    lease_init(&lease, ELECTION, BEAT, 0);
    lease_heard(&lease, 7, 5, 1, 10);
    assert_false(lease_permit(&lease, 7, 1));
    assert_false(lease_permit(&lease, 6, 9));
    assert_true(lease_permit(&lease, 7, 2));
    assert_int_equal(lease.permit_term, 7);
    assert_int_equal(lease.permit, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_majority),       cmocka_unit_test(test_alone),
        cmocka_unit_test(test_no_voter),       cmocka_unit_test(test_new_term),
        cmocka_unit_test(test_transfer),       cmocka_unit_test(test_follower),
        cmocka_unit_test(test_votes),          cmocka_unit_test(test_permission),
        cmocka_unit_test(test_own_permission), cmocka_unit_test(test_heir)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
