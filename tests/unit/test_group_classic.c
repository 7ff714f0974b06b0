/* test_group_classic.c - classic consumer groups: what Kafka's coordinator would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cursor.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/group_classic.h"
#include "tests/lib/state_driver.h"

#define TEXT(s) SLICE_LITERAL(s)
#define CONST(s)                                                                         \
    {                                                                                    \
        (const uint8_t *)(s), sizeof(s) - 1                                              \
    } /* of static ones */

enum {
    UNKNOWN_MEMBER = 25,
    ILLEGAL_GENERATION = 22,
    INCONSISTENT = 23,
    REBALANCE = 27,
    ID_REQUIRED = 79,
    FULL = 81,
    FENCED = 82,
};

static const struct group_limits wide = {.members_max = 1000,
                                         .groups_max = 1000,
                                         .session_min_ms = 6000,
                                         .session_max_ms = 1800000};

static struct {
    unsigned events, deaths;
} seen;

static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    (void)arg, (void)cluster;
    seen.events++;
    seen.deaths += group->state == GROUP_DEAD;
}

static int setup(void **state)
{
    static const struct state_events events = {.on_group = on_group};
    struct driver *d = mem_zalloc(sizeof(*d));

    memset(&seen, 0, sizeof(seen));
    driver_init(d, &events);
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

/* ---- what clients do ---- */

static const struct join_protocol range[] = {{CONST("range"), CONST("m1")}};
static const struct join_protocol both[] = {{CONST("range"), CONST("m1")},
                                            {CONST("sticky"), CONST("m2")}};

/* A join of the member ID of group "g", with the protocol "range", as of before v4: a new
 * member is accepted at once, under the id that IDS says. */
static struct command join_command(const char *id, const char *new_id)
{
    struct command cmd = {.kind = COMMAND_GROUP_JOIN};
    cmd.group_join.group_id = TEXT("g");
    cmd.group_join.member_id = slice_str(id);
    cmd.group_join.new_member_id = slice_str(new_id);
    cmd.group_join.client_id = TEXT("c");
    cmd.group_join.client_host = TEXT("/::1");
    cmd.group_join.session_ms = 10000;
    cmd.group_join.rebalance_ms = 60000;
    cmd.group_join.protocol_type = TEXT("consumer");
    cmd.group_join.protocols = range;
    cmd.group_join.protocol_count = 1;
    cmd.group_join.limits = wide;
    return cmd;
}

static int16_t join_as(struct driver *d, const char *new_id)
{
    struct command cmd = join_command("", new_id);
    return driver_apply(d, &cmd).kafka_error;
}

static int16_t rejoin(struct driver *d, const char *id)
{
    struct command cmd = join_command(id, "");
    return driver_apply(d, &cmd).kafka_error;
}

static struct command_result join_static(struct driver *d, const char *instance,
                                         const char *new_id, bool may_skip)
{
    struct command cmd = join_command("", new_id);
    cmd.group_join.instance_id = slice_str(instance);
    cmd.group_join.may_skip_assignment = may_skip;
    return driver_apply(d, &cmd);
}

static const struct group *group_of(struct driver *d)
{
    return state_group(state_cluster(d->state, &d->cluster_id), TEXT("g"));
}

static int64_t due(struct driver *d, enum group_phase phase, int32_t generation)
{
    struct command cmd = {.kind = COMMAND_GROUP_DUE};
    cmd.group_due.group_id = TEXT("g");
    cmd.group_due.generation = generation;
    cmd.group_due.phase = phase;
    return driver_apply(d, &cmd).value;
}

static int64_t join_over(struct driver *d)
{
    return due(d, GROUP_PHASE_JOIN, group_of(d)->generation);
}

static int16_t sync_as(struct driver *d, const char *id, int32_t generation,
                       const struct sync_assignment *assignments, uint32_t count)
{
    struct command cmd = {.kind = COMMAND_GROUP_SYNC};
    cmd.group_sync.group_id = TEXT("g");
    cmd.group_sync.generation = generation;
    cmd.group_sync.member_id = slice_str(id);
    cmd.group_sync.protocol_type = TEXT("consumer");
    cmd.group_sync.protocol_name = TEXT("range");
    cmd.group_sync.assignments = assignments;
    cmd.group_sync.assignment_count = count;
    return driver_apply(d, &cmd).kafka_error;
}

static int64_t expire(struct driver *d, const char *id, int32_t generation)
{
    const struct group_expiry expiry = {slice_str(id), generation};
    struct command cmd = {.kind = COMMAND_GROUP_EXPIRE};
    cmd.group_expire.group_id = TEXT("g");
    cmd.group_expire.members = &expiry;
    cmd.group_expire.member_count = 1;
    return driver_apply(d, &cmd).value;
}

/* Leave; the error of the group, or that of the member. */
static int16_t leave_as(struct driver *d, const char *id, struct slice instance)
{
    const struct group_leaver leaver = {slice_str(id), instance};
    struct command cmd = {.kind = COMMAND_GROUP_LEAVE};
    cmd.group_leave.group_id = TEXT("g");
    cmd.group_leave.members = &leaver;
    cmd.group_leave.member_count = 1;
    struct command_result result = driver_apply(d, &cmd);
    if (result.kafka_error != 0)
        return result.kafka_error;
    assert_int_equal(result.data.len, 2);
    return (int16_t)be16_get(result.data.ptr);
}

static int16_t delete_group(struct driver *d)
{
    struct command cmd = {.kind = COMMAND_GROUP_DELETE};
    cmd.group_delete.group_id = TEXT("g");
    return driver_apply(d, &cmd).kafka_error;
}

/* Group "g" stable at generation 1: "a" leads and has "for a", "b" follows with "for b".
 */
static void stable_pair(struct driver *d)
{
    const struct sync_assignment given[] = {{TEXT("a"), TEXT("for a")},
                                            {TEXT("b"), TEXT("for b")}};
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(sync_as(d, "a", 1, given, 2), 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
}

/* The same with static members "a" (instance "i") and "b" (instance "j"). */
static void stable_static_pair(struct driver *d)
{
    const struct sync_assignment given[] = {{TEXT("a"), TEXT("for a")},
                                            {TEXT("b"), TEXT("for b")}};
    assert_int_equal(join_static(d, "i", "a", true).kafka_error, 0);
    assert_int_equal(join_static(d, "j", "b", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(sync_as(d, "a", 1, given, 2), 0);
}

static bool waits(struct driver *d, const char *id)
{
    struct group_join_answer answer;
    return !group_classic_poll_join(group_of(d), slice_str(id), SLICE_NULL, &answer);
}

static struct group_join_answer joined(struct driver *d, const char *id)
{
    struct group_join_answer answer;
    assert_true(group_classic_poll_join(group_of(d), slice_str(id), SLICE_NULL, &answer));
    return answer;
}

static struct group_sync_answer synced(struct driver *d, const char *id,
                                       int32_t generation)
{
    struct group_sync_answer answer;
    assert_true(group_classic_poll_sync(group_of(d), generation, slice_str(id),
                                        SLICE_NULL, &answer));
    return answer;
}

#define assert_slice_equal(slice, text) assert_true(slice_eq_str((slice), (text)))

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
    static const struct join_protocol reversed[] = {{CONST("sticky"), CONST("")},
                                                    {CONST("only-mine"), CONST("")},
                                                    {CONST("range"), CONST("")}};
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
    static const struct join_protocol twice[] = {{CONST("range"), CONST("x")},
                                                 {CONST("range"), CONST("y")}};
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

/* Whose join was answered by a generation that is over already still gets that answer;
 * the sync will say that it is over. */
static void test_overtaken_join(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(join_as(d, "c"), 0);
    assert_int_equal(joined(d, "b").error, 0);
    assert_int_equal(joined(d, "b").generation, 1);
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

/* ---- static members ---- */

/* A static member that comes back takes its place, with its assignment, and nobody has to
 * rebalance; the old id is fenced in everything it does. */
static void test_static_replaced(void **state)
{
    struct driver *d = *state;
    struct command old = join_command("b", "");
    struct group_join_answer parked;
    stable_static_pair(d);
    struct command_result result = join_static(d, "j", "b2", true);
    assert_int_equal(result.kafka_error, 0);
    assert_int_equal(result.value, GROUP_JOIN_REPLACED);
    assert_slice_equal(result.data, "b2");
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_int_equal(group_of(d)->generation, 1);
    assert_int_equal(joined(d, "b2").generation, 1);
    assert_slice_equal(synced(d, "b2", 1).assignment, "for b");
    assert_int_equal(group_classic_heartbeat(group_of(d), 1, TEXT("b"), TEXT("j")),
                     FENCED);
    assert_int_equal(group_classic_check_commit(group_of(d), 1, TEXT("b"), TEXT("j")),
                     FENCED);
    assert_true(group_classic_poll_join(group_of(d), TEXT("b"), TEXT("j"), &parked));
    assert_int_equal(parked.error, FENCED);
    assert_int_equal(leave_as(d, "b", TEXT("j")), FENCED);
    old.group_join.instance_id = TEXT("j");
    assert_int_equal(driver_apply(d, &old).kafka_error, FENCED);
}

/* A leader that was replaced must not assign again: from version 9 on it is told so, to
 * older ones it does not seem to lead. */
static void test_static_leader_replaced(void **state)
{
    struct driver *d = *state;
    stable_static_pair(d);
    assert_int_equal(join_static(d, "i", "a2", true).value, GROUP_JOIN_REPLACED);
    assert_true(joined(d, "a2").leads);
    assert_int_equal(join_static(d, "i", "a3", false).value, GROUP_JOIN_REPLACED_OLD);
    assert_int_equal(join_static(d, "j", "b2", false).value, GROUP_JOIN_POLL);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_slice_equal(group_of(d)->leader->member_id, "a3");
}

/* ... unless the members would vote for another protocol now. */
static void test_static_replaced_changes_vote(void **state)
{
    struct driver *d = *state;
    static const struct join_protocol reversed[] = {{CONST("sticky"), CONST("")},
                                                    {CONST("range"), CONST("")}};
    struct command cmd = join_command("", "a");
    cmd.group_join.instance_id = TEXT("i");
    cmd.group_join.protocols = both;
    cmd.group_join.protocol_count = 2;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "a", 1, NULL, 0), 0);
    cmd.group_join.new_member_id = TEXT("a2");
    cmd.group_join.protocols = reversed;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    assert_int_equal(group_of(d)->generation, 2);
    assert_slice_equal(group_of(d)->protocol, "sticky");
}

/* While the leader assigns it may have named the old id: so the group rebalances. */
static void test_static_replaced_while_completing(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_static(d, "i", "a", true).kafka_error, 0);
    assert_int_equal(join_static(d, "j", "b", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(join_static(d, "j", "b2", true).value, GROUP_JOIN_POLL);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_true(waits(d, "b2"));
}

/* A static member's session runs out like any other's. */
static void test_static_expires(void **state)
{
    struct driver *d = *state;
    stable_static_pair(d);
    assert_int_equal(expire(d, "b", 1), 1);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_null(group_static_member(group_of(d), TEXT("j")));
}

/* ---- leaving and expiring ---- */

/* Each member that leaves has an answer of its own; an operator names an instance. */
static void test_leave(void **state)
{
    struct driver *d = *state;
    const struct group_leaver leavers[] = {{TEXT("x"), SLICE_NULL},
                                           {TEXT(""), TEXT("j")},
                                           {TEXT(""), TEXT("none")},
                                           {TEXT("x"), TEXT("i")},
                                           {TEXT("a"), TEXT("i")}};
    static const int16_t expected[] = {UNKNOWN_MEMBER, 0, UNKNOWN_MEMBER, FENCED, 0};
    struct command cmd = {.kind = COMMAND_GROUP_LEAVE};

    assert_int_equal(leave_as(d, "a", SLICE_NULL), UNKNOWN_MEMBER);
    stable_static_pair(d);
    cmd.group_leave.group_id = TEXT("g");
    cmd.group_leave.members = leavers;
    cmd.group_leave.member_count = 5;
    struct command_result result = driver_apply(d, &cmd);
    assert_int_equal(result.kafka_error, 0);
    assert_int_equal(result.data.len, 10);
    for (int i = 0; i < 5; i++)
        assert_int_equal((int16_t)be16_get(result.data.ptr + 2 * i), expected[i]);
    assert_int_equal(group_of(d)->member_count, 0);
}

/* The last one's leaving makes the group empty, in a generation of its own, and it is
 * known since when. */
static void test_last_leaves(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    d->now_ms += 500;
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_slice_equal(group_of(d)->leader->member_id, "b");
    assert_int_equal(leave_as(d, "b", SLICE_NULL), 0);
    assert_int_equal(group_of(d)->state, GROUP_EMPTY);
    assert_int_equal(group_of(d)->generation, 2);
    assert_int_equal(group_of(d)->empty_since_ms, d->now_ms);
    assert_null(group_of(d)->protocol.ptr);
    assert_slice_equal(group_of(d)->protocol_type, "consumer");
}

/* A pending id leaves without troubling the members. */
static void test_pending_leaves(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "p");
    cmd.group_join.require_known_id = true;
    stable_pair(d);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, ID_REQUIRED);
    assert_int_equal(leave_as(d, "p", SLICE_NULL), 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    assert_int_equal(group_of(d)->pending_count, 0);
}

/* A session that ran out removes its member, unless the group has gone on since, or the
 * member waits for the others. */
static void test_expire(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    assert_int_equal(expire(d, "b", 0), 0);
    assert_int_equal(expire(d, "x", 1), 0);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_int_equal(expire(d, "a", 1), 0);
    assert_int_equal(expire(d, "b", 1), 1);
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_int_equal(group_of(d)->member_count, 1);
}

/* A follower that waits for the leader's assignments does not expire; the leader does. */
static void test_expire_while_completing(void **state)
{
    struct driver *d = *state;
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(join_as(d, "b"), 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(expire(d, "b", 1), 0);
    assert_int_equal(expire(d, "a", 1), 1);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_slice_equal(group_of(d)->leader->member_id, "b");
}

/* A new member whose join was never answered may expire while it waits: its client may be
 * gone, and has not its id to come back with. */
static void test_new_member_expires(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    assert_int_equal(join_as(d, "c"), 0);
    assert_true(group_member_new(group_find_member(group_of(d), TEXT("c"))));
    assert_int_equal(expire(d, "c", 1), 1);
    assert_int_equal(rejoin(d, "a"), 0);
    assert_false(group_member_new(group_find_member(group_of(d), TEXT("a"))));
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(group_of(d)->generation, 2);
}

/* ---- deleting, limits, the rest ---- */

/* Only a group without members can be deleted; then it is not known, and whoever watches
 * is told. */
static void test_delete(void **state)
{
    struct driver *d = *state;
    assert_int_equal(delete_group(d), 69);
    assert_int_equal(join_as(d, "a"), 0);
    assert_int_equal(delete_group(d), 68);
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_int_equal(seen.deaths, 0);
    assert_int_equal(delete_group(d), 0);
    assert_int_equal(seen.deaths, 1);
    assert_null(group_of(d));
}

/* Every change of a group is told; what changes nothing is not. */
static void test_events(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    assert_int_equal(seen.events, 5);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(rejoin(d, "b"), 0);
    assert_int_equal(due(d, GROUP_PHASE_SYNC, 1), 0);
    assert_int_equal(seen.events, 5);
}

/* A group, its members and what they say count in the cluster's metadata bytes, above
 * whose limit nothing more is taken; all of it is given back. */
static void test_metadata_limit(void **state)
{
    struct driver *d = *state;
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    const struct sync_assignment given = {TEXT("a"), TEXT("0123456789")};
    struct command cmd = join_command("", "a"), sync = {.kind = COMMAND_GROUP_SYNC};

    cmd.group_join.limits.metadata_max = METADATA_GROUP_BYTES + METADATA_MEMBER_BYTES;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    assert_null(group_of(d));
    assert_int_equal(state_metadata_bytes(cluster), 0);
    cmd.group_join.limits.metadata_max += 100;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    uint64_t used = state_metadata_bytes(cluster);
    assert_int_equal(join_over(d), 1);
    sync.group_sync.group_id = TEXT("g");
    sync.group_sync.generation = 1;
    sync.group_sync.member_id = TEXT("a");
    sync.group_sync.assignments = &given;
    sync.group_sync.assignment_count = 1;
    sync.group_sync.metadata_max = used + 9;
    assert_int_equal(driver_apply(d, &sync).kafka_error, 44);
    sync.group_sync.metadata_max = used + 10;
    assert_int_equal(driver_apply(d, &sync).kafka_error, 0);
    assert_int_equal(state_metadata_bytes(cluster), used + 10);
    assert_int_equal(leave_as(d, "a", SLICE_NULL), 0);
    assert_int_equal(delete_group(d), 0);
    assert_int_equal(state_metadata_bytes(cluster), 0);
}

/* A cluster has so many groups and no more. */
static void test_groups_limit(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "x");
    assert_int_equal(join_as(d, "a"), 0);
    cmd.group_join.group_id = TEXT("h");
    cmd.group_join.limits.groups_max = 1;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 44);
    cmd.group_join.limits.groups_max = 2;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
}

/* Ids are any bytes: what follows a NUL counts. */
static void test_any_bytes(void **state)
{
    struct driver *d = *state;
    struct command one = join_command("", "a"), two = join_command("", "a");
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    one.group_join.group_id = TEXT("g\0x");
    two.group_join.group_id = TEXT("g\0y\xff");
    one.group_join.instance_id = TEXT("i\0");
    assert_int_equal(driver_apply(d, &one).kafka_error, 0);
    assert_int_equal(driver_apply(d, &two).kafka_error, 0);
    assert_int_equal(cluster->group_count, 2);
    const struct group *group = state_group(cluster, TEXT("g\0x"));
    assert_non_null(group_static_member(group, TEXT("i\0")));
    assert_null(group_static_member(group, TEXT("i")));
}

/* The groups of a deleted cluster are forgotten in steps, without a word. */
static void test_cluster_deleted(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_CLUSTER_DELETE};
    stable_pair(d);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    struct command join = join_command("", "c");
    assert_int_equal(driver_apply(d, &join).code, ERR_NOT_FOUND);
    assert_int_equal(driver_purge(d, 2), 2);
    assert_true(state_purge_due(d->state));
    assert_true(driver_purge(d, 100) >= 2);
    assert_false(state_purge_due(d->state));
    assert_int_equal(seen.deaths, 0);
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
        TEST(test_static_replaced),
        TEST(test_static_leader_replaced),
        TEST(test_static_replaced_changes_vote),
        TEST(test_static_replaced_while_completing),
        TEST(test_static_expires),
        TEST(test_leave),
        TEST(test_last_leaves),
        TEST(test_pending_leaves),
        TEST(test_expire),
        TEST(test_expire_while_completing),
        TEST(test_new_member_expires),
        TEST(test_delete),
        TEST(test_events),
        TEST(test_metadata_limit),
        TEST(test_groups_limit),
        TEST(test_any_bytes),
        TEST(test_cluster_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
