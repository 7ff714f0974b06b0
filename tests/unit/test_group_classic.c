/* test_group_classic.c - classic consumer groups: what Kafka's coordinator would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/group_clients.h"

static int setup(void **state)
{
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, NULL);
    driver_cluster(d, 1);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

/* ---- joining ---- */

/* A dynamic member of version 4 or later is given an id first (KIP-394), which is no
 * member yet; with it, it joins. */
static void test_id_required(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "a");
    cmd.group_join.require_known_id = true;

    struct command_result result = driver_apply(d, &cmd);
    assert_int_equal(result.kafka_error, ID_REQUIRED);
    assert_slice_equal(result.data, "a");
    assert_int_equal(group_of(d)->state, GROUP_EMPTY);
    assert_int_equal(group_of(d)->pending_count, 1);
    assert_int_equal(group_of(d)->member_count, 0);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(group_of(d)->pending_count, 0);
    assert_true(waits(d, "a"));
}

/* A static member has its instance's id, and joins at once whatever the version. */
static void test_static_needs_no_id(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "a");
    cmd.group_join.require_known_id = true;
    cmd.group_join.instance_id = TEXT("i");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(group_of(d)->member_count, 1);
}

/* Whoever names a member id that the group, or no group, has is unknown. */
static void test_unknown_member(void **state)
{
    struct driver *d = *state;
    assert_int_equal(rejoin(d, "x"), UNKNOWN_MEMBER);
    assert_null(group_of(d));
    stable_pair(d);
    assert_int_equal(rejoin(d, "x"), UNKNOWN_MEMBER);
}

/* An empty group id, a session timeout out of bounds, and a join without type or
 * protocols are refused, and make no group. */
static void test_invalid_joins(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "a");

    cmd.group_join.group_id = TEXT("");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 24);
    cmd = join_command("", "a");
    cmd.group_join.session_ms = 5999;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 26);
    cmd.group_join.session_ms = 1800001;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 26);
    cmd = join_command("", "a");
    cmd.group_join.protocol_count = 0;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, INCONSISTENT);
    cmd = join_command("", "a");
    cmd.group_join.protocol_type = TEXT("");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, INCONSISTENT);
    assert_null(group_of(d));
}

/* All members of a group have one protocol type and speak one protocol in common; a group
 * that is empty again may take up another type. */
static void test_inconsistent_protocols(void **state)
{
    struct driver *d = *state;
    const struct join_protocol other = {TEXT("other"), TEXT("")};
    struct command strange = join_command("", "x"), connect = join_command("", "y");

    strange.group_join.protocols = &other;
    connect.group_join.protocol_type = TEXT("connect");
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(driver_apply(d, &strange).kafka_error, INCONSISTENT);
    assert_int_equal(driver_apply(d, &connect).kafka_error, INCONSISTENT);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_int_equal(driver_apply(d, &connect).kafka_error, 0);
    assert_slice_equal(group_of(d)->protocol_type, "connect");
}

/* A full group takes no more members, but those that it has may join again. */
static void test_max_size(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "c");
    stable_pair(d);
    cmd.group_join.limits.members_max = 2;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, FULL);
    struct command again = join_command("a", "");
    again.group_join.limits.members_max = 2;
    assert_int_equal(driver_apply(d, &again).kafka_error, 0);
    assert_int_equal(group_of(d)->member_count, 2);
}

/* Should the limit have been lowered, a rebalance lets in those who come back first, and
 * the others are members no more. */
static void test_max_size_lowered(void **state)
{
    struct driver *d = *state;
    struct command first = join_command("b", ""), second = join_command("a", "");
    stable_pair(d);
    first.group_join.protocols = both;
    first.group_join.protocol_count = 2;
    first.group_join.limits.members_max = second.group_join.limits.members_max = 1;
    assert_int_equal(driver_apply(d, &first).kafka_error, 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(driver_apply(d, &second).kafka_error, FULL);
    assert_null(group_find_member(group_of(d), TEXT("a")));
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_slice_equal(group_of(d)->leader->member_id, "b");
}

/* ---- the join phase ---- */

/* The first rebalance waits for the initial delay, even when all have joined (KIP-134);
 * then the first member leads, and only it is told who the members are. */
static void test_initial_delay(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_true(group_of(d)->initial);
    assert_true(waits(d, "a") && waits(d, "b"));
    assert_int_equal(join_over(d), 1);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    struct group_join_answer leader = joined(d, "a"), follower = joined(d, "b");
    assert_int_equal(leader.error, 0);
    assert_int_equal(leader.generation, 1);
    assert_slice_equal(leader.leader, "a");
    assert_slice_equal(leader.protocol, "range");
    assert_slice_equal(leader.protocol_type, "consumer");
    assert_true(leader.leads);
    assert_false(follower.leads);
    assert_slice_equal(follower.leader, "a");
}

/* A delay that ends late, for another generation or phase, does nothing. */
static void test_late_due(void **state)
{
    struct driver *d = *state;
    assert_int_equal(due(d, GROUP_PHASE_JOIN, 0), 0);
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(due(d, GROUP_PHASE_JOIN, 1), 0);
    assert_int_equal(due(d, GROUP_PHASE_SYNC, 0), 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(due(d, GROUP_PHASE_JOIN, 0), 1);
    assert_int_equal(due(d, GROUP_PHASE_JOIN, 0), 0);
    assert_int_equal(group_of(d)->generation, 1);
}

/* Later rebalances end when all known members have joined again. */
static void test_all_joined(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_true(waits(d, "b") && waits(d, "c"));
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_int_equal(joined(d, "c").generation, 2);
    assert_slice_equal(joined(d, "c").leader, "a");
}

/* ... and whoever was given an id is waited for too, until that expires. */
static void test_pending_waited_for(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "p");
    cmd.group_join.require_known_id = true;
    stable_pair(d);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, ID_REQUIRED);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(expire(d, "p", 77), 1);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_int_equal(rejoin(d, "p"), UNKNOWN_MEMBER);
}

/* The rebalance timeout removes dynamic members that did not come back, keeps static
 * ones, and has somebody lead who is there. */
static void test_rebalance_timeout(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_static(d, "i", "s", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_null(group_find_member(group_of(d), TEXT("a")));
    assert_non_null(group_find_member(group_of(d), TEXT("s")));
    assert_slice_equal(joined(d, "c").leader, "b");
    assert_int_equal(joined(d, "a").error, UNKNOWN_MEMBER);
}

/* While only static members are left, and none has joined, the phase lasts until their
 * sessions run out. */
static void test_only_absent_statics(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_static(d, "i", "s", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(group_of(d)->member_count, 1);
    assert_int_equal(expire(d, "s", 1), 1);
    assert_int_equal(group_of(d)->state, GROUP_EMPTY);
    assert_int_equal(group_of(d)->generation, 2);
}

/* Each member votes for the first it names of the protocols that all speak. */
static void test_vote(void **state)
{
    struct driver *d = *state;
    static const struct join_protocol reversed[] = {{{CONST("sticky")}, {CONST("")}},
                                                    {{CONST("only-mine")}, {CONST("")}},
                                                    {{CONST("range")}, {CONST("")}}};
    static const char *const ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        struct command cmd = join_command("", ids[i]);
        cmd.group_join.protocols = i == 0 ? both : reversed;
        cmd.group_join.protocol_count = i == 0 ? 2 : 3;
        assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    }
    assert_int_equal(join_over(d), 1);
    assert_slice_equal(group_of(d)->protocol, "sticky");
    assert_slice_equal(group_member_metadata(group_of(d)->leader, group_of(d)->protocol),
                       "m2");
}

/* A member that names a protocol twice has one vote, and withdraws it once. */
static void test_repeated_protocol(void **state)
{
    struct driver *d = *state;
    static const struct join_protocol twice[] = {{{CONST("range")}, {CONST("x")}},
                                                 {{CONST("range")}, {CONST("y")}}};
    struct command cmd = join_command("", "b");
    cmd.group_join.protocols = twice;
    cmd.group_join.protocol_count = 2;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_slice_equal(group_of(d)->protocol, "range");
    assert_int_equal(leave_as(d, "b", SLICE_NULL), 0);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
}

/* A leader's join always rebalances. */
static void test_leader_rejoins(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
}

/* A follower's join with what it had said before is answered with the present generation,
 * and need not be proposed; with something new it rebalances. */
static void test_follower_rejoins(void **state)
{
    struct driver *d = *state;
    struct command same = join_command("b", ""), news = join_command("b", "");
    stable_pair(d);
    news.group_join.protocols = both;
    news.group_join.protocol_count = 2;
    assert_false(group_classic_join_changes(group_of(d), &same));
    assert_true(group_classic_join_changes(group_of(d), &news));
    assert_int_equal(driver_apply(d, &same).kafka_error, 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_int_equal(joined(d, "b").generation, 1);
    assert_int_equal(driver_apply(d, &news).kafka_error, 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
}

/* While the leader assigns, a join that says the same is a lost answer: it gets the
 * generation again, the leader with the members; a new one begins anew. */
static void test_rejoin_while_completing(void **state)
{
    struct driver *d = *state;
    struct command news = join_command("b", "");
    news.group_join.protocols = both;
    news.group_join.protocol_count = 2;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_true(joined(d, "a").leads);
    assert_int_equal(driver_apply(d, &news).kafka_error, 0);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_false(group_of(d)->initial);
}

/* Whose join was answered by a generation that is over already still gets that answer,
 * but leads it no more; the sync will say that it is over. */
static void test_overtaken_join(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(joined(d, "b").error, 0);
    assert_int_equal(joined(d, "b").generation, 1);
    assert_false(joined(d, "a").leads);
    assert_slice_equal(joined(d, "a").leader, "");
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), REBALANCE);
}

/* ---- sync ---- */

/* Followers wait for the leader's assignments; whom it does not name gets an empty one.
 * A repeat is answered the same from memory. */
static void test_sync(void **state)
{
    struct driver *d = *state;
    const struct sync_assignment given[] = {{TEXT("b"), TEXT("for b")},
                                            {TEXT("nobody"), TEXT("x")}};
    struct group_sync_answer answer;
    struct command cmd = {.kind = COMMAND_GROUP_SYNC};

    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_false(group_classic_poll_sync(group_of(d), 1, TEXT("b"), SLICE_NULL, &answer));
    assert_int_equal(sync_as(d, "a", 1, given, 2), 0);
    assert_slice_equal(synced(d, "b", 1).assignment, "for b");
    assert_slice_equal(synced(d, "a", 1).assignment, "");
    assert_slice_equal(synced(d, "a", 1).protocol, "range");
    cmd.group_sync.group_id = TEXT("g");
    cmd.group_sync.member_id = TEXT("b");
    cmd.group_sync.generation = 1;
    assert_false(group_classic_sync_changes(group_of(d), &cmd));
}

/* A sync is judged by member, then generation, then protocol, then state. */
static void test_sync_refused(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_GROUP_SYNC};

    assert_int_equal(sync_as(d, "a", 1, NULL, 0), UNKNOWN_MEMBER);
    stable_pair(d);
    assert_int_equal(sync_as(d, "x", 9, NULL, 0), UNKNOWN_MEMBER);
    assert_int_equal(sync_as(d, "a", 2, NULL, 0), ILLEGAL_GENERATION);
    cmd.group_sync.group_id = TEXT("g");
    cmd.group_sync.member_id = TEXT("a");
    cmd.group_sync.generation = 1;
    cmd.group_sync.protocol_name = TEXT("sticky");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, INCONSISTENT);
    cmd.group_sync.protocol_name = SLICE_NULL;
    cmd.group_sync.protocol_type = TEXT("connect");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, INCONSISTENT);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(sync_as(d, "a", 1, NULL, 0), REBALANCE);
}

/* A sync that waited while the group began to rebalance, or went on to the next
 * generation, is told to join again, not that it is illegal. */
static void test_overtaken_sync(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(synced(d, "b", 1).error, REBALANCE);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(group_of(d)->generation, 2);
    assert_int_equal(synced(d, "b", 1).error, REBALANCE);
}

/* Assignments are of their generation: a member that is given none has not the old one.
 */
static void test_old_assignment(void **state)
{
    struct driver *d = *state;
    const struct sync_assignment given[] = {{TEXT("a"), TEXT("all")}};
    stable_pair(d);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(sync_as(d, "a", 2, given, 1), 0);
    assert_slice_equal(synced(d, "b", 2).assignment, "");
}

/* Who does not sync within the rebalance timeout is removed, static or not. */
static void test_sync_timeout(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_static(d, "i", "s", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "a", 1, NULL, 0), 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_true(group_classic_due(group_of(d), GROUP_PHASE_SYNC));
    assert_int_equal(due(d, GROUP_PHASE_SYNC, 1), 1);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(group_of(d)->member_count, 1);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(sync_as(d, "a", 2, NULL, 0), 0);
    assert_false(group_classic_due(group_of(d), GROUP_PHASE_SYNC));
    assert_int_equal(due(d, GROUP_PHASE_SYNC, 2), 0);
}

/* ---- heartbeats and commits ---- */

static int16_t beat(struct driver *d, const char *id, int32_t generation)
{
    return group_classic_heartbeat(group_of(d), generation, slice_str(id), SLICE_NULL);
}

/* A heartbeat is 27 while members join and 0 while the leader assigns and after; of a
 * stranger 25, of another generation 22. */
static void test_heartbeat(void **state)
{
    struct driver *d = *state;
    assert_int_equal(beat(d, "a", 1), UNKNOWN_MEMBER);
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(beat(d, "a", 0), REBALANCE);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(beat(d, "a", 1), 0);
    assert_int_equal(sync_as(d, "a", 1, NULL, 0), 0);
    assert_int_equal(beat(d, "a", 1), 0);
    assert_int_equal(beat(d, "a", 2), ILLEGAL_GENERATION);
    assert_int_equal(beat(d, "x", 1), UNKNOWN_MEMBER);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(beat(d, "a", 1), REBALANCE);
}

static int16_t commits(struct driver *d, const char *id, int32_t generation)
{
    return group_classic_check_commit(group_of(d), generation, slice_str(id), SLICE_NULL);
}

/* Commits are the members', of the present generation and not while it is being assigned;
 * of a group that is empty, anybody's without a generation. */
static void test_commit(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(commits(d, "a", 1), REBALANCE);
    assert_int_equal(sync_as(d, "a", 1, NULL, 0), 0);
    assert_int_equal(commits(d, "a", 1), 0);
    assert_int_equal(commits(d, "a", 0), ILLEGAL_GENERATION);
    assert_int_equal(commits(d, "x", 1), UNKNOWN_MEMBER);
    assert_int_equal(commits(d, "", -1), UNKNOWN_MEMBER);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(commits(d, "a", 1), 0);
    assert_int_equal(leave_as(d, "b", SLICE_NULL), 0);
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_int_equal(commits(d, "", -1), 0);
    assert_int_equal(commits(d, "a", 1), UNKNOWN_MEMBER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_id_required),
        TEST(test_static_needs_no_id),
        TEST(test_unknown_member),
        TEST(test_invalid_joins),
        TEST(test_inconsistent_protocols),
        TEST(test_max_size),
        TEST(test_max_size_lowered),
        TEST(test_initial_delay),
        TEST(test_late_due),
        TEST(test_all_joined),
        TEST(test_pending_waited_for),
        TEST(test_rebalance_timeout),
        TEST(test_only_absent_statics),
        TEST(test_vote),
        TEST(test_repeated_protocol),
        TEST(test_leader_rejoins),
        TEST(test_follower_rejoins),
        TEST(test_rejoin_while_completing),
        TEST(test_overtaken_join),
        TEST(test_sync),
        TEST(test_sync_refused),
        TEST(test_overtaken_sync),
        TEST(test_old_assignment),
        TEST(test_sync_timeout),
        TEST(test_heartbeat),
        TEST(test_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
