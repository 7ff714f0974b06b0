/* test_group_members.c - classic consumer groups: static members, who leaves and expires,
 * and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/group_clients.h"

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
    static const struct join_protocol reversed[] = {{{CONST("sticky")}, {CONST("")}},
                                                    {{CONST("range")}, {CONST("")}}};
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

/* A static member that comes back needs no room in a full group: it is no member more. */
static void test_static_replaced_in_full_group(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "b2");
    stable_static_pair(d);
    cmd.group_join.instance_id = TEXT("j");
    cmd.group_join.limits.members_max = 2;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
    cmd.group_join.new_member_id = TEXT("c");
    cmd.group_join.instance_id = TEXT("k");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, FULL);
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

/* Who names an instance that the group does not know is not known, whatever its id. */
static void test_unknown_instance(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("b", "");
    stable_pair(d);
    cmd.group_join.instance_id = TEXT("new");
    assert_int_equal(driver_apply(d, &cmd).kafka_error, UNKNOWN_MEMBER);
    assert_int_equal(group_classic_heartbeat(group_of(d), 1, TEXT("b"), TEXT("new")),
                     UNKNOWN_MEMBER);
    assert_int_equal(leave_as(d, "b", TEXT("new")), UNKNOWN_MEMBER);
}

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
        TEST(test_static_replaced),
        TEST(test_static_leader_replaced),
        TEST(test_static_replaced_in_full_group),
        TEST(test_static_replaced_changes_vote),
        TEST(test_static_replaced_while_completing),
        TEST(test_static_expires),
        TEST(test_unknown_instance),
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
