/* test_group_convert.c - members of the classic protocol in groups of KIP-848, and groups
 * that become what their members are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "proto/consumer_protocol.h"
#include "tests/lib/consumer_clients.h"
#include "tests/lib/group_clients.h"

enum { NO_GROUP = 69, STALE = 113 };

static int setup(void **state)
{
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, NULL);
    driver_cluster(d, 1);
    driver_topic(d, 1, 4);
    driver_topic(d, 2, 2);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

/* ---- classic clients that speak the consumer protocol ---- */

/* What a member that reads topic-1 and owns OWNED sends. */
static void metadata(const char *owned, struct str *out)
{
    static struct slice topics[] = {{CONST("topic-1")}};
    struct consumer_protocol_subscription body = consumer_protocol_subscription_defaults;
    struct consumer_protocol_subscription_owned had = {.topic = TEXT("topic-1")};
    struct partition_set set;

    set_parse(owned, &set);
    body.topics = topics;
    body.topics_count = 1;
    if (set.topic_count > 0) {
        had.partitions = set.topics[0].partitions;
        had.partitions_count = set.topics[0].count;
        body.owned_partitions = &had;
        body.owned_partitions_count = 1;
    }
    str_init(out, 4096);
    assert_int_equal(consumer_protocol_write_subscription(1, &body, out), 0);
    partition_set_fini(&set);
}

struct joining {
    const char *member, *new_member, *instance, *owned, *type, *protocol;
    bool known_id;
    uint32_t members_max;
};

static struct command_result classic_join(struct driver *d, const struct joining *said)
{
    struct command cmd = join_command(said->member == NULL ? "" : said->member,
                                      said->new_member == NULL ? "" : said->new_member);
    struct str bytes;

    metadata(said->owned == NULL ? "" : said->owned, &bytes);
    struct join_protocol protocol = {
        slice_str(said->protocol == NULL ? "range" : said->protocol), str_slice(&bytes)};
    cmd.group_join.protocols = &protocol;
    cmd.group_join.protocol_count = 1;
    cmd.group_join.require_known_id = said->known_id;
    if (said->type != NULL)
        cmd.group_join.protocol_type = slice_str(said->type);
    if (said->instance != NULL)
        cmd.group_join.instance_id = slice_str(said->instance);
    if (said->members_max != 0)
        cmd.group_join.limits.members_max = said->members_max;
    struct command_result result = driver_apply(d, &cmd);
    str_fini(&bytes);
    return result;
}
#define JOIN(d, ...) classic_join(d, &(struct joining){__VA_ARGS__})

/* What MEMBER's JoinGroup is answered: its generation, or minus the error. */
static int32_t joined_as(struct driver *d, const char *member)
{
    struct group_join_answer answer;
    assert_true(
        group_classic_poll_join(group_of(d), slice_str(member), SLICE_NULL, &answer));
    if (answer.error != 0)
        return -answer.error;
    assert_true(slice_eq_str(answer.protocol_type, "consumer"));
    assert_true(slice_eq_str(answer.protocol, "range"));
    assert_int_equal(answer.leader.len, 0);
    assert_false(answer.leads);
    return answer.generation;
}

/* The partitions of BYTES, an assignment. */
static const char *assignment_text(struct slice bytes)
{
    struct consumer_protocol_assignment body;
    struct partition_set set = {0};
    struct uuid one = test_uuid(2, 1);
    struct arena arena;

    arena_init(&arena, MIB);
    assert_int_equal(consumer_protocol_read_assignment(bytes, &arena, &body), 0);
    for (size_t i = 0; i < body.assigned_partitions_count; i++) {
        assert_true(slice_eq_str(body.assigned_partitions[i].topic, "topic-1"));
        for (size_t j = 0; j < body.assigned_partitions[i].partitions_count; j++)
            (void)partition_set_add(&set, &one,
                                    body.assigned_partitions[i].partitions[j]);
    }
    const char *text = set_text(&set);
    partition_set_fini(&set);
    arena_fini(&arena);
    return text;
}

/* SyncGroup: its partitions, or the error as a text. */
static const char *synced_as(struct driver *d, const char *member, int32_t generation)
{
    static char text[16];
    struct group_sync_answer answer;

    int16_t error = sync_as(d, member, generation, NULL, 0);
    if (error == 0) {
        assert_true(group_classic_poll_sync(group_of(d), generation, slice_str(member),
                                            SLICE_NULL, &answer));
        error = answer.error;
    }
    if (error == 0)
        return assignment_text(answer.assignment);
    (void)snprintf(text, sizeof(text), "%d", error);
    return text;
}

static int16_t heartbeat(struct driver *d, const char *member, int32_t generation)
{
    return group_classic_heartbeat(group_of(d), generation, slice_str(member),
                                   SLICE_NULL);
}

static struct slice assignment_bytes(const char *text, struct str *out)
{
    struct consumer_protocol_assignment body = consumer_protocol_assignment_defaults;
    struct consumer_protocol_assignment_assigned had = {.topic = TEXT("topic-1")};
    struct partition_set set;

    set_parse(text, &set);
    had.partitions = set.topics[0].partitions;
    had.partitions_count = set.topics[0].count;
    body.assigned_partitions = &had;
    body.assigned_partitions_count = 1;
    str_init(out, 4096);
    assert_int_equal(consumer_protocol_write_assignment(1, &body, out), 0);
    partition_set_fini(&set);
    return str_slice(out);
}

/* A classic group, stable at generation 1: "x" has FIRST, "y" has SECOND. */
static void classic_pair(struct driver *d, const char *first, const char *second)
{
    struct str bytes[2];
    const struct sync_assignment assignments[] = {
        {TEXT("x"), assignment_bytes(first, &bytes[0])},
        {TEXT("y"), assignment_bytes(second, &bytes[1])}};

    JOIN(d, .new_member = "x");
    JOIN(d, .new_member = "y");
    join_over(d);
    assert_int_equal(sync_as(d, "x", 1, assignments, 2), 0);
    assert_int_equal(sync_as(d, "y", 1, NULL, 0), 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
    str_fini(&bytes[0]);
    str_fini(&bytes[1]);
}

/* ---- up ---- */

/* A consumer joins a classic group: its members have what they had, are told to join
 * again, give up what the new one gets, and go on by their own protocol. */
static void test_upgrade(void **state)
{
    struct driver *d = *state;
    classic_pair(d, "1:0,1", "1:2,3");
    struct beaten b = join_consumer(d, "c");
    assert_int_equal(b.error, 0);
    assert_int_equal(b.epoch, 2);
    assert_int_equal(group_of(d)->kind, GROUP_CONSUMER);
    assert_int_equal(group_of(d)->member_count, 3);
    assert_string_equal(assigned_of(d, "x"), "1:0,1");
    assert_string_equal(assigned_of(d, "y"), "1:2,3");
    assert_string_equal(target_of(d, "c"), "1:3");
    assert_int_equal(heartbeat(d, "x", 1), REBALANCE);
    assert_int_equal(heartbeat(d, "y", 1), REBALANCE);
    assert_int_equal(JOIN(d, .member = "x", .owned = "1:0,1").kafka_error, 0);
    assert_int_equal(joined_as(d, "x"), 2);
    assert_string_equal(synced_as(d, "x", 2), "1:0,1");
    assert_int_equal(heartbeat(d, "x", 2), 0);
    /* "y" is told to give up 3 at its old generation, and joins once more. */
    JOIN(d, .member = "y", .owned = "1:2,3");
    assert_int_equal(joined_as(d, "y"), 1);
    assert_string_equal(synced_as(d, "y", 1), "1:2");
    assert_int_equal(heartbeat(d, "y", 1), REBALANCE);
    assert_string_equal(assigned_of(d, "c"), "");
    JOIN(d, .member = "y", .owned = "1:2");
    assert_int_equal(joined_as(d, "y"), 2);
    assert_string_equal(synced_as(d, "y", 2), "1:2");
    assert_string_equal(BEAT(d, .member = "c", .epoch = 2).assigned, "1:3");
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
}

/* Who waits in the classic group's join phase is told to join again. */
static void test_upgrade_while_preparing(void **state)
{
    struct driver *d = *state;
    JOIN(d, .new_member = "x");
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(join_consumer(d, "c").error, 0);
    assert_int_equal(joined_as(d, "x"), -REBALANCE);
    JOIN(d, .member = "x");
    assert_int_equal(joined_as(d, "x"), 1);
}

/* An assignor of the clients' may have given one partition to two: the first has it. */
static void test_upgrade_doubles(void **state)
{
    struct driver *d = *state;
    classic_pair(d, "1:0,1,2", "1:2,3,9");
    join_consumer(d, "c");
    assert_string_equal(assigned_of(d, "x"), "1:0,1,2");
    assert_string_equal(assigned_of(d, "y"), "1:3");
}

/* Groups of another type, members whose metadata is something else, and a policy that
 * does not let them: there is no such consumer group, and nothing changes. */
static void test_upgrade_refused(void **state)
{
    struct driver *d = *state;
    classic_pair(d, "1:0,1", "1:2,3");
    struct beaten b = BEAT(d, .member = "c", .names = "topic-1", .owned = "",
                           .flags_off = CONSUMER_MAY_UPGRADE);
    assert_int_equal(b.error, NO_GROUP);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
    assert_int_equal(
        BEAT(d, .member = "c", .names = "topic-1", .owned = "", .members_max = 2).error,
        FULL);
    assert_int_equal(heartbeat(d, "x", 1), 0);
    leave_as(d, "x", SLICE_NULL);
    leave_as(d, "y", SLICE_NULL);
    assert_int_equal(JOIN(d, .new_member = "w", .type = "connect").kafka_error, 0);
    assert_int_equal(join_consumer(d, "c").error, NO_GROUP);
    leave_as(d, "w", SLICE_NULL);
    assert_int_equal(join_as(d, "z"), 0); /* its metadata is "m1" */
    assert_int_equal(join_consumer(d, "c").error, NO_GROUP);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
}

/* An empty group is of the kind of its next member. */
static void test_empty(void **state)
{
    struct driver *d = *state;
    struct command cmd = join_command("", "p");
    cmd.group_join.require_known_id = true;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, ID_REQUIRED);
    assert_int_equal(join_consumer(d, "c").error, 0);
    assert_int_equal(group_of(d)->kind, GROUP_CONSUMER);
    assert_int_equal(group_of(d)->pending_count, 0);
    BEAT(d, .member = "c", .epoch = -1);
    assert_int_equal(JOIN(d, .new_member = "x").kafka_error, 0);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    join_over(d);
    leave_as(d, "x", SLICE_NULL);
    assert_int_equal(join_consumer(d, "c").error, 0);
    assert_int_equal(group_of(d)->kind, GROUP_CONSUMER);
}

/* ---- a classic member in a consumer group ---- */

/* It is given an id first, which is not kept; joins with it, never leads, and has its
 * partitions when they are free. */
static void test_classic_joins(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    struct command_result result = JOIN(d, .new_member = "x", .known_id = true);
    assert_int_equal(result.kafka_error, ID_REQUIRED);
    assert_slice_equal(result.data, "x");
    assert_int_equal(group_of(d)->pending_count, 0);
    result = JOIN(d, .member = "x", .known_id = true);
    assert_int_equal(result.kafka_error, 0);
    assert_slice_equal(result.data, "x");
    assert_int_equal(joined_as(d, "x"), 2);
    assert_string_equal(synced_as(d, "x", 2), "");
    assert_int_equal(heartbeat(d, "x", 2), 0);
    BEAT(d, .member = "c", .epoch = 1, .owned = "1:0,1,2,3");
    assert_int_equal(heartbeat(d, "x", 2), 0);
    BEAT(d, .member = "c", .epoch = 1, .owned = "1:0,1");
    assert_int_equal(heartbeat(d, "x", 2), REBALANCE); /* something is free for it */
    JOIN(d, .member = "x");
    assert_string_equal(synced_as(d, "x", 2), "1:2,3");
    assert_int_equal(heartbeat(d, "x", 2), 0);
    assert_int_equal(group_of(d)->state, GROUP_STABLE);
}

/* Its requests are judged by its member epoch, its instance, and what it is. */
static void test_classic_errors(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    assert_int_equal(heartbeat(d, "x", 1), ILLEGAL_GENERATION);
    assert_int_equal(heartbeat(d, "w", 2), UNKNOWN_MEMBER);
    assert_int_equal(heartbeat(d, "c", 2), UNKNOWN_MEMBER);
    assert_string_equal(synced_as(d, "x", 1), "22");
    assert_string_equal(synced_as(d, "c", 2), "25");
    assert_int_equal(JOIN(d, .new_member = "y", .type = "connect").kafka_error,
                     INCONSISTENT);
    assert_int_equal(JOIN(d, .new_member = "y", .protocol = "other").kafka_error,
                     INCONSISTENT);
    assert_int_equal(join_as(d, "y"), INCONSISTENT); /* its metadata is "m1" */
    assert_int_equal(JOIN(d, .new_member = "y", .members_max = 2).kafka_error, FULL);
    assert_int_equal(JOIN(d, .member = "y", .instance = "i").kafka_error, UNKNOWN_MEMBER);
    assert_int_equal(JOIN(d, .new_member = "s", .instance = "i").kafka_error, 0);
    assert_int_equal(JOIN(d, .member = "y", .instance = "i").kafka_error, FENCED);
}

/* A member that expired, does not know, and still has partitions is told so; one that has
 * none is as good as new. */
static void test_classic_lapsed(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    expire_consumer(d, "x", 2);
    assert_int_equal(JOIN(d, .member = "x", .owned = "1:2").kafka_error, UNKNOWN_MEMBER);
    assert_int_equal(group_of(d)->member_count, 1);
    assert_int_equal(JOIN(d, .member = "x").kafka_error, 0);
}

/* A sync after the group's epoch has grown is told to join again. */
static void test_classic_sync_late(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    join_consumer(d, "e");
    assert_string_equal(synced_as(d, "x", 2), "27");
}

/* The static classic member that comes back has a new id, and what it had. */
static void test_classic_static(void **state)
{
    struct driver *d = *state;
    JOIN(d, .new_member = "s", .instance = "i");
    join_over(d);
    join_consumer(d, "c");
    JOIN(d, .member = "s", .instance = "i");
    assert_int_equal(JOIN(d, .new_member = "t", .instance = "i").kafka_error, 0);
    assert_null(group_find_member(group_of(d), TEXT("s")));
    assert_int_equal(joined_as(d, "t"), group_of(d)->generation);
    assert_int_equal(consumer_of(d, "t")->classic, true);
}

/* A static member changes its protocol both ways, and keeps its partitions. */
static void test_static_changes_protocol(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    BEAT(d, .member = "a", .instance = "i", .names = "topic-1", .owned = "");
    BEAT(d, .member = "c", .epoch = 1, .owned = "1:0,1,2,3");
    BEAT(d, .member = "c", .epoch = 1, .owned = "1:2,3");
    BEAT(d, .member = "a", .epoch = 2);
    const char *had = assigned_of(d, "a");
    assert_int_equal(
        JOIN(d, .new_member = "b", .instance = "i", .owned = had).kafka_error, 0);
    assert_true(consumer_of(d, "b")->classic);
    assert_string_equal(assigned_of(d, "b"), had);
    struct beaten b =
        BEAT(d, .member = "e", .instance = "i", .names = "topic-1", .owned = "");
    assert_int_equal(b.error, 0);
    assert_string_equal(b.assigned, had);
    assert_false(consumer_of(d, "e")->classic);
    assert_int_equal(group_of(d)->consumer->classic_count, 0);
}

/* It leaves, and is removed by its instance; what it had goes to the others. */
static void test_classic_leaves(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    JOIN(d, .new_member = "s", .instance = "i");
    assert_int_equal(leave_as(d, "c", SLICE_NULL), UNKNOWN_MEMBER);
    assert_int_equal(leave_as(d, "x", SLICE_NULL), 0);
    assert_int_equal(leave_as(d, "x", SLICE_NULL), UNKNOWN_MEMBER);
    assert_int_equal(leave_as(d, "", TEXT("i")), 0);
    assert_int_equal(group_of(d)->member_count, 1);
    BEAT(d, .member = "c", .epoch = 1, .owned = "1:0,1,2,3");
    assert_string_equal(assigned_of(d, "c"), "1:0,1,2,3");
}

/* Who is to join again, and who has joined and not synced, has its rebalance timeout for
 * it; a session is the member's own. */
static void test_classic_deadlines(void **state)
{
    struct driver *d = *state;
    uint64_t key, later;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    const struct group_member *x = group_find_member(group_of(d), TEXT("x"));
    assert_int_equal(consumer_member_deadline_ms(x, &key), 60000); /* to sync */
    assert_string_equal(synced_as(d, "x", 2), "");
    assert_int_equal(consumer_member_deadline_ms(x, &later), 0);
    join_consumer(d, "e");
    assert_int_equal(consumer_member_deadline_ms(x, &later), 60000); /* to join */
    assert_int_not_equal(key, later);
    assert_int_equal(consumer_member_session_ms(x, 45000), 10000);
}

/* It commits with its generation, and is told by the classic error. */
static void test_classic_commits(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    assert_int_equal(consumer_check_commit(group_of(d), 2, TEXT("x"), false), 0);
    assert_int_equal(consumer_check_commit(group_of(d), 1, TEXT("x"), false),
                     ILLEGAL_GENERATION);
    assert_int_equal(consumer_check_commit(group_of(d), 7, TEXT("c"), true), STALE);
}

/* ---- down ---- */

/* The last consumer leaves: the group is classic, its members have what they had, keep
 * their generation, and are told to join again. */
static void test_downgrade(void **state)
{
    struct driver *d = *state;
    classic_pair(d, "1:0,1", "1:2,3");
    join_consumer(d, "c");
    JOIN(d, .member = "x", .owned = "1:0,1");
    JOIN(d, .member = "y", .owned = "1:2,3");
    BEAT(d, .member = "c", .epoch = -1);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
    assert_null(group_of(d)->consumer);
    assert_int_equal(group_of(d)->state, GROUP_PREPARING);
    assert_int_equal(group_of(d)->generation, 2);
    assert_true(slice_eq_str(group_of(d)->leader->member_id, "x"));
    assert_string_equal(
        assignment_text(group_find_member(group_of(d), TEXT("x"))->assignment), "1:0,1");
    assert_int_equal(heartbeat(d, "x", 2), REBALANCE);
    JOIN(d, .member = "x", .owned = "1:0,1");
    JOIN(d, .member = "y", .owned = "1:2,3");
    assert_int_equal(group_of(d)->state, GROUP_COMPLETING);
    assert_int_equal(group_of(d)->generation, 3);
}

/* An expired consumer too, and one whose place a classic static member takes. */
static void test_downgrade_by_others(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "c");
    JOIN(d, .new_member = "x");
    expire_consumer(d, "c", 1);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
    leave_as(d, "x", SLICE_NULL);
    BEAT(d, .member = "a", .instance = "i", .names = "topic-1", .owned = "");
    assert_int_equal(group_of(d)->kind, GROUP_CONSUMER);
    assert_int_equal(JOIN(d, .new_member = "b", .instance = "i").kafka_error, 0);
    assert_int_equal(group_of(d)->kind, GROUP_CLASSIC);
    assert_int_equal(group_of(d)->member_count, 1);
}

/* A policy that does not let it: the group stays what it is. */
static void test_downgrade_refused(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "c", .names = "topic-1", .owned = "",
         .flags_off = CONSUMER_MAY_DOWNGRADE);
    JOIN(d, .new_member = "x");
    BEAT(d, .member = "c", .epoch = -1);
    assert_int_equal(group_of(d)->kind, GROUP_CONSUMER);
    assert_int_equal(heartbeat(d, "x", 2), REBALANCE);
    JOIN(d, .member = "x");
    assert_string_equal(synced_as(d, "x", 3), "1:0,1,2,3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_upgrade),
        TEST(test_upgrade_while_preparing),
        TEST(test_upgrade_doubles),
        TEST(test_upgrade_refused),
        TEST(test_empty),
        TEST(test_classic_joins),
        TEST(test_classic_errors),
        TEST(test_classic_lapsed),
        TEST(test_classic_sync_late),
        TEST(test_classic_static),
        TEST(test_static_changes_protocol),
        TEST(test_classic_leaves),
        TEST(test_classic_deadlines),
        TEST(test_classic_commits),
        TEST(test_downgrade),
        TEST(test_downgrade_by_others),
        TEST(test_downgrade_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
