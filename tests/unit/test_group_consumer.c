/* test_group_consumer.c - groups of KIP-848: what Kafka's coordinator would say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "tests/lib/consumer_clients.h"

enum {
    UNKNOWN_MEMBER = 25,
    UNSUPPORTED_VERSION = 35,
    INVALID_REQUEST = 42,
    POLICY = 44,
    NO_GROUP = 69,
    FULL = 81,
    FENCED_INSTANCE = 82,
    FENCED_EPOCH = 110,
    UNRELEASED = 111,
    BAD_ASSIGNOR = 112,
    STALE = 113,
    BAD_REGEX = 128,
};

/* topic-1 has four partitions, topic-2 two. */
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

static void grow(struct driver *d, uint32_t number, int32_t total)
{
    struct command cmd = {.kind = COMMAND_PARTITIONS_CREATE};
    cmd.partitions_create.topic_id = test_uuid(2, number);
    cmd.partitions_create.total = total;
    cmd.partitions_create.partitions_max = 100000;
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
}

/* "a" has 0,1 and "b" 2,3; both are at epoch 2. */
static void stable_pair(struct driver *d)
{
    join_consumer(d, "a");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1");
    BEAT(d, .member = "b", .epoch = 2, .owned = "");
    assert_string_equal(assigned_of(d, "a"), "1:0,1");
    assert_string_equal(assigned_of(d, "b"), "1:2,3");
    assert_int_equal(consumer_group(d)->state, GROUP_STABLE);
}

#define ASSERT_BEAT(answer_, error_, epoch_, assigned_)                                  \
    do {                                                                                 \
        struct beaten b_ = (answer_);                                                    \
        const char *want_ = (assigned_);                                                 \
        assert_int_equal(b_.error, (error_));                                            \
        assert_int_equal(b_.epoch, (epoch_));                                            \
        assert_int_equal(b_.has_assigned, want_ != NULL);                                \
        if (want_ != NULL)                                                               \
            assert_string_equal(b_.assigned, want_);                                     \
    } while (0)
#define ASSERT_REFUSED(answer_, error_) ASSERT_BEAT(answer_, error_, 0, NULL)

/* ---- which requests are valid ---- */

/* A member, a group, and instance and rack where they are named, must not be empty. */
static void test_empty_ids(void **state)
{
    struct driver *d = *state;
    ASSERT_REFUSED(join_consumer(d, ""), INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .group = "", .member = "a", .names = "topic-1", .owned = ""),
                   INVALID_REQUEST);
    ASSERT_REFUSED(
        BEAT(d, .member = "a", .instance = "", .names = "topic-1", .owned = ""),
        INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .member = "a", .rack = "", .names = "topic-1", .owned = ""),
                   INVALID_REQUEST);
    assert_null(consumer_group(d));
}

/* Who joins says how long it may take, that it owns nothing, and what it reads. */
static void test_incomplete_join(void **state)
{
    struct driver *d = *state;
    ASSERT_REFUSED(
        BEAT(d, .member = "a", .rebalance_ms = -1, .names = "topic-1", .owned = ""),
        INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .member = "a", .names = "topic-1"), INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .member = "a", .names = "topic-1", .owned = "1:0"),
                   INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .member = "a", .owned = ""), INVALID_REQUEST);
    assert_null(consumer_group(d));
}

/* An empty list of names, or an empty expression, is a subscription to nothing. */
static void test_empty_subscription(void **state)
{
    struct driver *d = *state;
    ASSERT_BEAT(BEAT(d, .member = "a", .names = "", .owned = ""), 0, 1, "");
    ASSERT_BEAT(BEAT(d, .member = "b", .regex = "", .owned = ""), 0, 1, "");
}

/* Below -2 there is no epoch, and -2 is a static member's. */
static void test_invalid_epochs(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = -3), INVALID_REQUEST);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = -2), INVALID_REQUEST);
}

/* An assignor that the server does not have is refused, the empty name too. */
static void test_unknown_assignor(void **state)
{
    struct driver *d = *state;
    ASSERT_REFUSED(
        BEAT(d, .member = "a", .names = "topic-1", .owned = "", .assignor = "sticky"),
        BAD_ASSIGNOR);
    ASSERT_REFUSED(
        BEAT(d, .member = "a", .names = "topic-1", .owned = "", .assignor = ""),
        BAD_ASSIGNOR);
}

/* An expression that cannot be understood is told so, and makes no member. */
static void test_bad_regex(void **state)
{
    struct driver *d = *state;
    struct beaten b = BEAT(d, .member = "a", .regex = "(", .owned = "");
    assert_int_equal(b.error, BAD_REGEX);
    assert_non_null(strstr(b.message, "missing closing )"));
    assert_null(consumer_group(d));
}

/* Only a join makes a group; what is not there is 69, a member that is not there 25. */
static void test_unknown(void **state)
{
    struct driver *d = *state;
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 3), NO_GROUP);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = -1), NO_GROUP);
    join_consumer(d, "a");
    ASSERT_REFUSED(BEAT(d, .member = "b", .epoch = 1), UNKNOWN_MEMBER);
    ASSERT_REFUSED(BEAT(d, .member = "b", .epoch = -1), UNKNOWN_MEMBER);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1, .instance = "i"), UNKNOWN_MEMBER);
}

/* A full group takes no more, but whoever is in it goes on. */
static void test_full(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    ASSERT_REFUSED(
        BEAT(d, .member = "b", .names = "topic-1", .owned = "", .members_max = 1), FULL);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .members_max = 1), 0, 1, NULL);
}

/* The cluster's limits of groups and of metadata refuse what would pass them, and leave
 * nothing behind. */
static void test_limits(void **state)
{
    struct driver *d = *state;
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    uint64_t used = state_metadata_bytes(cluster);

    ASSERT_REFUSED(BEAT(d, .member = "a", .names = "topic-1", .owned = "",
                        .metadata_max = used + 500),
                   POLICY);
    assert_null(consumer_group(d));
    join_consumer(d, "a");
    ASSERT_REFUSED(BEAT(d, .group = "h", .member = "a", .names = "topic-1", .owned = "",
                        .groups_max = 1),
                   POLICY);
    assert_int_equal(cluster->group_count, 1);
    BEAT(d, .member = "a", .epoch = -1);
    struct command gone = {.kind = COMMAND_GROUP_DELETE};
    gone.group_delete.group_id = SLICE_LITERAL("g");
    assert_int_equal(driver_apply(d, &gone).kafka_error, 0);
    assert_int_equal(state_metadata_bytes(cluster), used);
}

/* ---- joining and reconciling ---- */

/* The first member has everything, at epoch 1. */
static void test_first_member(void **state)
{
    struct driver *d = *state;
    ASSERT_BEAT(join_consumer(d, "a"), 0, 1, "1:0,1,2,3");
    assert_int_equal(consumer_group(d)->generation, 1);
    assert_int_equal(consumer_group(d)->state, GROUP_STABLE);
    assert_int_equal(consumer_group(d)->kind, GROUP_CONSUMER);
}

/* A heartbeat that says nothing new is answered from memory, without the assignment. */
static void test_nothing_new(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    struct beaten b = BEAT(d, .member = "a", .epoch = 1);
    assert_false(b.proposed);
    ASSERT_BEAT(b, 0, 1, NULL);
    b = BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    assert_false(b.proposed);
    ASSERT_BEAT(b, 0, 1, NULL);
}

/* A full request is answered with the whole assignment, though nothing has changed. */
static void test_full_request(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    struct beaten b = BEAT(d, .member = "a", .epoch = 1, .rebalance_ms = 60000,
                           .names = "topic-1", .owned = "1:0,1,2,3");
    assert_false(b.proposed);
    ASSERT_BEAT(b, 0, 1, "1:0,1,2,3");
}

/* A second member gets its part only when the first has given it up: who has to is told
 * once and stays at its epoch, who waits is at the new one. */
static void test_revoke_first(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    ASSERT_BEAT(join_consumer(d, "b"), 0, 2, "");
    assert_int_equal(consumer_of(d, "b")->state, CONSUMER_UNRELEASED);
    assert_int_equal(consumer_group(d)->state, GROUP_RECONCILING);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3"), 0, 1, "1:0,1");
    assert_int_equal(consumer_of(d, "a")->state, CONSUMER_UNREVOKED);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 2, NULL);
    struct beaten b = BEAT(d, .member = "a", .epoch = 1);
    assert_false(b.proposed);
    ASSERT_BEAT(b, 0, 1, NULL);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1"), 0, 2, NULL);
    assert_int_equal(consumer_of(d, "a")->state, CONSUMER_STABLE);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 2, "1:2,3");
    assert_int_equal(consumer_group(d)->state, GROUP_STABLE);
}

/* As long as it says that it owns one of those that it has to give up, it has not. */
static void test_revoke_all(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,3"), 0, 1, NULL);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 2, NULL);
    assert_string_equal(assigned_of(d, "b"), "");
}

/* Who joins again with epoch 0 has nothing: what it had to give up is free, and it is
 * told its assignment anew. */
static void test_join_again(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    ASSERT_BEAT(join_consumer(d, "a"), 0, 1, "1:0,1,2,3");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    ASSERT_BEAT(join_consumer(d, "a"), 0, 2, "1:0,1");
    ASSERT_BEAT(join_consumer(d, "b"), 0, 2, "1:2,3");
    assert_int_equal(consumer_group(d)->generation, 2);
}

/* An epoch that the group never gave is fenced; so is one before, unless it is the last
 * one and the member has nothing but what it may have. */
static void test_epochs(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1");
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 3), FENCED_EPOCH);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1), FENCED_EPOCH);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2"), FENCED_EPOCH);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:1"), 0, 2, NULL);
    BEAT(d, .member = "a", .epoch = 2, .names = "topic-2");
    BEAT(d, .member = "a", .epoch = 2, .owned = "");
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1, .owned = ""), FENCED_EPOCH);
}

/* Another subscription makes a new epoch and target; the same one in another order does
 * not. */
static void test_subscription(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .names = "topic-1,topic-2", .owned = "");
    struct beaten b =
        BEAT(d, .member = "a", .epoch = 1, .names = "topic-2,topic-1,topic-2");
    assert_false(b.proposed);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .names = "topic-2",
                     .owned = "1:0,1,2,3 2:0,1"),
                0, 1, "2:0,1");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "2:0,1"), 0, 2, NULL);
}

/* A member that has something to give up already, and reads another topic now, has to
 * give up all that it does not read, before it is at the next epoch. */
static void test_subscription_while_revoking(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .names = "topic-2"), 0, 1, "");
    assert_string_equal(set_text(&consumer_of(d, "a")->revoking), "1:0,1,2,3");
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 3, NULL);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = ""), 0, 3, "2:0,1");
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 3), 0, 3, "1:0,1,2,3");
}

/* A topic that is not there is waited for: once it is made, the next heartbeat of any
 * member makes a new epoch. */
static void test_topic_appears(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .names = "topic-3", .owned = "");
    driver_topic(d, 4, 1);
    struct beaten b = BEAT(d, .member = "a", .epoch = 1);
    assert_false(b.proposed); /* of no interest */
    driver_topic(d, 3, 2);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1), 0, 2, "3:0,1");
}

/* A topic that grows is assigned anew, and what was there stays where it is. */
static void test_topic_grows(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    grow(d, 1, 6);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 3, "1:2,3,5");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 2), 0, 3, "1:0,1,4");
}

/* A deleted topic is given up; one of the same name is another. */
static void test_topic_deleted(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .names = "topic-1,topic-2", .owned = "");
    driver_topic_delete(d, 2);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3 2:0,1"), 0, 1,
                "1:0,1,2,3");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3"), 0, 2, NULL);
    assert_null(consumer_group_owner(consumer_group(d), &(struct uuid){{0}}, 0));
}

/* ---- leaving ---- */

/* Who leaves is told so; what it had goes to the others at their next heartbeats. */
static void test_leave(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = -1), 0, -1, NULL);
    assert_int_equal(consumer_group(d)->generation, 3);
    assert_int_equal(consumer_group(d)->state, GROUP_ASSIGNING);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 3, "1:0,1,2,3");
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 2), UNKNOWN_MEMBER);
}

/* The last one leaves the group empty, since then; it goes on with the next epoch. */
static void test_last_leaves(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    d->now_ms += 5000;
    BEAT(d, .member = "a", .epoch = -1);
    assert_int_equal(consumer_group(d)->state, GROUP_EMPTY);
    assert_int_equal(consumer_group(d)->empty_since_ms, d->now_ms);
    ASSERT_BEAT(join_consumer(d, "b"), 0, 3, "1:0,1,2,3");
}

/* A member whose session ran out goes; one that has moved on since does not. */
static void test_expiry(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    expire_consumer(d, "a", 1);
    assert_non_null(consumer_of(d, "a"));
    expire_consumer(d, "a", 2);
    assert_null(consumer_of(d, "a"));
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 3, "1:0,1,2,3");
}

/* ---- static members ---- */

static struct beaten join_static(struct driver *d, const char *member)
{
    return BEAT(d, .member = member, .instance = "i", .names = "topic-1", .owned = "");
}

/* An instance has one member at a time: another one cannot join while it is there. */
static void test_instance_in_use(void **state)
{
    struct driver *d = *state;
    ASSERT_BEAT(join_static(d, "a"), 0, 1, "1:0,1,2,3");
    ASSERT_REFUSED(join_static(d, "b"), UNRELEASED);
    ASSERT_REFUSED(BEAT(d, .member = "b", .epoch = 1, .instance = "i"), FENCED_INSTANCE);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1, .instance = "i"), 0, 1, NULL);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1), 0, 1, NULL);
}

/* The same member that joins again has lost the answer. */
static void test_static_joins_again(void **state)
{
    struct driver *d = *state;
    join_static(d, "a");
    ASSERT_BEAT(join_static(d, "a"), 0, 1, "1:0,1,2,3");
}

/* Who leaves for a while keeps what it has; who comes in its place has it at once, under
 * the same epoch, without a rebalance; the one before is fenced. */
static void test_static_replaced(void **state)
{
    struct driver *d = *state;
    join_static(d, "a");
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = -2, .instance = "i"), 0, -2, NULL);
    ASSERT_BEAT(join_consumer(d, "c"), 0, 2, "");
    assert_string_equal(assigned_of(d, "a"), "1:0,1,2,3");
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1, .instance = "i"), FENCED_EPOCH);
    ASSERT_BEAT(join_static(d, "b"), 0, 2, "1:0,1");
    assert_int_equal(consumer_group(d)->generation, 2);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1, .instance = "i"), FENCED_INSTANCE);
    ASSERT_REFUSED(BEAT(d, .member = "a", .epoch = 1), UNKNOWN_MEMBER);
    ASSERT_BEAT(BEAT(d, .member = "c", .epoch = 2), 0, 2, "1:2,3");
}

/* In a full group too: it needs no more room than there is. */
static void test_static_replaced_full(void **state)
{
    struct driver *d = *state;
    join_static(d, "a");
    BEAT(d, .member = "a", .epoch = -2, .instance = "i");
    ASSERT_BEAT(BEAT(d, .member = "b", .instance = "i", .names = "topic-1", .owned = "",
                     .members_max = 1),
                0, 1, "1:0,1,2,3");
}

/* Who does not come back in its session goes for ever. */
static void test_static_expires(void **state)
{
    struct driver *d = *state;
    join_static(d, "a");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = -2, .instance = "i");
    expire_consumer(d, "a", -2);
    ASSERT_BEAT(BEAT(d, .member = "b", .epoch = 2), 0, 3, "1:0,1,2,3");
}

/* The id of a member without an instance is not taken by a static one. */
static void test_static_takes_id(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    ASSERT_REFUSED(join_static(d, "a"), INVALID_REQUEST);
}

/* ---- expressions ---- */

/* An expression is a subscription to whatever it matches, also to what comes later. */
static void test_regex(void **state)
{
    struct driver *d = *state;
    ASSERT_BEAT(BEAT(d, .member = "a", .regex = "topic-[13]", .owned = ""), 0, 1,
                "1:0,1,2,3");
    driver_topic(d, 4, 1);
    struct beaten b = BEAT(d, .member = "a", .epoch = 1);
    assert_false(b.proposed);
    driver_topic(d, 3, 2);
    ASSERT_BEAT(BEAT(d, .member = "a", .epoch = 1), 0, 2, "1:0,1,2,3 3:0,1");
    driver_topic_delete(d, 1);
    BEAT(d, .member = "a", .epoch = 2, .owned = "3:0,1");
    assert_string_equal(assigned_of(d, "a"), "3:0,1");
}

/* Names and an expression together; either may go. */
static void test_regex_and_names(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .names = "topic-2", .regex = "topic-1", .owned = "");
    assert_string_equal(assigned_of(d, "a"), "1:0,1,2,3 2:0,1");
    BEAT(d, .member = "a", .epoch = 1, .regex = "", .owned = "2:0,1");
    assert_string_equal(assigned_of(d, "a"), "2:0,1");
    assert_int_equal(consumer_group(d)->consumer->regex_count, 0);
}

/* Another member's heartbeat finds what one's expression matches by now. */
static void test_regex_of_other(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .regex = "topic-3", .owned = "");
    join_consumer(d, "b");
    BEAT(d, .member = "a", .epoch = 1);
    driver_topic(d, 3, 2);
    BEAT(d, .member = "b", .epoch = 2);
    assert_string_equal(target_of(d, "a"), "3:0,1");
}

/* A group has a bounded number of expressions. */
static void test_regex_many(void **state)
{
    struct driver *d = *state;
    for (int i = 0; i < CONSUMER_REGEXES_MAX; i++) {
        char member[16], regex[16];
        (void)snprintf(member, sizeof(member), "m%d", i);
        (void)snprintf(regex, sizeof(regex), "r%d", i);
        assert_int_equal(BEAT(d, .member = member, .regex = regex, .owned = "").error, 0);
    }
    assert_int_equal(BEAT(d, .member = "more", .regex = "more", .owned = "").error,
                     BAD_REGEX);
    assert_int_equal(BEAT(d, .member = "more", .regex = "r1", .owned = "").error, 0);
}

/* ---- assignors ---- */

/* The assignor that most members name makes the target; without any, uniform does. */
static void test_assignor_votes(void **state)
{
    struct driver *d = *state;
    join_consumer(d, "a");
    assert_int_equal(consumer_group_assignor(consumer_group(d)), ASSIGNOR_UNIFORM);
    BEAT(d, .member = "b", .names = "topic-1", .owned = "", .assignor = "range");
    assert_int_equal(consumer_group_assignor(consumer_group(d)), ASSIGNOR_RANGE);
    BEAT(d, .member = "a", .epoch = 1, .assignor = "uniform");
    assert_int_equal(consumer_group_assignor(consumer_group(d)), ASSIGNOR_UNIFORM);
}

/* A rack is kept; another one is no reason for a new epoch. */
static void test_rack(void **state)
{
    struct driver *d = *state;
    BEAT(d, .member = "a", .names = "topic-1", .owned = "", .rack = "z1");
    struct beaten b = BEAT(d, .member = "a", .epoch = 1, .rack = "z2");
    assert_true(b.proposed);
    ASSERT_BEAT(b, 0, 1, NULL);
    assert_true(slice_eq_str(consumer_of(d, "a")->rack, "z2"));
}

/* ---- the leader's timers ---- */

/* Who has something to give up has its rebalance timeout for that, begun anew when it
 * is asked for more; others have no deadline. */
static void test_deadline(void **state)
{
    struct driver *d = *state;
    uint64_t key, later;
    join_consumer(d, "a");
    join_consumer(d, "b");
    const struct group *group = consumer_group(d);
    const struct group_member *a = group_find_member(group, SLICE_LITERAL("a"));
    const struct group_member *b = group_find_member(group, SLICE_LITERAL("b"));
    assert_int_equal(consumer_member_deadline_ms(a, &key), 0);
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    assert_int_equal(consumer_member_deadline_ms(a, &key), 60000);
    assert_int_equal(consumer_member_deadline_ms(b, &later), 0);
    BEAT(d, .member = "a", .epoch = 1, .owned = "1:0,1,2,3");
    assert_int_equal(consumer_member_deadline_ms(a, &later), 60000);
    assert_int_equal(key, later);
    BEAT(d, .member = "a", .epoch = 1, .names = "topic-2");
    assert_int_equal(consumer_member_deadline_ms(a, &later), 60000);
    assert_int_not_equal(key, later);
    BEAT(d, .member = "a", .epoch = 1, .owned = "");
    assert_int_equal(consumer_member_deadline_ms(a, &key), 0);
    assert_int_equal(consumer_member_session_ms(a, 45000), 45000);
}

/* ---- offsets ---- */

/* A member commits with its own epoch, by a version that knows of epochs; an empty group
 * lets anybody who is nobody. */
static void test_commits(void **state)
{
    struct driver *d = *state;
    struct slice a = SLICE_LITERAL("a"), x = SLICE_LITERAL("x"), none = SLICE_LITERAL("");
    stable_pair(d);
    const struct group *group = consumer_group(d);
    assert_int_equal(consumer_check_commit(group, 2, a, true), 0);
    assert_int_equal(consumer_check_commit(group, 1, a, true), STALE);
    assert_int_equal(consumer_check_commit(group, 3, a, true), STALE);
    assert_int_equal(consumer_check_commit(group, 2, a, false), UNSUPPORTED_VERSION);
    assert_int_equal(consumer_check_commit(group, 2, x, true), UNKNOWN_MEMBER);
    assert_int_equal(consumer_check_commit(group, -1, none, true), UNKNOWN_MEMBER);
    BEAT(d, .member = "a", .epoch = -1);
    BEAT(d, .member = "b", .epoch = -1);
    assert_int_equal(consumer_check_commit(group, -1, none, true), 0);
    assert_int_equal(consumer_check_commit(group, 1, a, true), UNKNOWN_MEMBER);
}

/* A fetch of offsets names no member, or one with its epoch. */
static void test_fetches(void **state)
{
    struct driver *d = *state;
    stable_pair(d);
    const struct group *group = consumer_group(d);
    assert_int_equal(consumer_check_fetch(group, -1, SLICE_NULL), 0);
    assert_int_equal(consumer_check_fetch(group, 2, SLICE_LITERAL("a")), 0);
    assert_int_equal(consumer_check_fetch(group, 1, SLICE_LITERAL("a")), STALE);
    assert_int_equal(consumer_check_fetch(group, 2, SLICE_LITERAL("x")), UNKNOWN_MEMBER);
}

/* A topic is subscribed to by its name, or by what matches it. */
static void test_subscribed(void **state)
{
    struct driver *d = *state;
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    struct uuid one = test_uuid(2, 1), two = test_uuid(2, 2);
    BEAT(d, .member = "a", .regex = ".*-2", .owned = "");
    assert_false(
        consumer_group_subscribed(consumer_group(d), state_topic(cluster, &one)));
    assert_true(consumer_group_subscribed(consumer_group(d), state_topic(cluster, &two)));
    join_consumer(d, "b");
    assert_true(consumer_group_subscribed(consumer_group(d), state_topic(cluster, &one)));
}

/* ---- kept ---- */

/* A deleted cluster takes its groups with it, and what they counted. */
static void test_cluster_deleted(void **state)
{
    struct driver *d = *state;
    struct command gone = {.kind = COMMAND_CLUSTER_DELETE};
    stable_pair(d);
    BEAT(d, .member = "c", .regex = ".*", .owned = "", .instance = "i", .rack = "z");
    assert_int_equal(driver_apply(d, &gone).code, 0);
    while (state_purge_due(d->state))
        assert_true(driver_purge(d, 3) > 0);
}

/* Read what WRITTEN holds as the group's, and its member's, into a new group. */
static int read_rows(struct slice group_row, struct slice member_row, bool *equal)
{
    struct state *again = state_new(NULL);
    struct uuid id = test_uuid(1, 1);
    struct str bytes;

    struct cluster *cluster =
        catalog_add_cluster(&again->catalog, &id, SLICE_LITERAL("c"), 0);
    struct group *group = group_add(&again->catalog, cluster, SLICE_LITERAL("g"), 0);
    group->kind = GROUP_CONSUMER;
    int rc = consumer_group_read(group, group_row);
    struct group_member *member =
        group_add_member(&again->catalog, group, SLICE_LITERAL("m"), SLICE_NULL, false);
    if (rc == 0)
        rc = consumer_member_read(member, member_row);
    if (rc == 0)
        rc = consumer_group_loaded(group);
    if (rc == 0) {
        str_init(&bytes, MIB);
        consumer_group_write(group, &bytes);
        *equal = slice_eq(str_slice(&bytes), group_row);
        str_reset(&bytes);
        consumer_member_write(member, &bytes);
        *equal &= slice_eq(str_slice(&bytes), member_row);
        str_fini(&bytes);
    }
    state_free(again);
    return rc;
}

/* What is stored is read back as it was; cut anywhere, or by a group of another kind, it
 * is damaged. */
static void test_rows(void **state)
{
    struct driver *d = *state;
    struct str group_row, member_row;
    bool equal = false;

    BEAT(d, .member = "a", .names = "topic-1", .regex = "topic-[12]", .owned = "",
         .rack = "z", .assignor = "range");
    BEAT(d, .member = "a", .epoch = 1, .regex = "topic-2", .names = "",
         .owned = "1:0,1,2,3 2:0,1");
    assert_int_equal(consumer_of(d, "a")->state, CONSUMER_UNREVOKED);
    str_init(&group_row, MIB);
    str_init(&member_row, MIB);
    consumer_group_write(consumer_group(d), &group_row);
    consumer_member_write(group_find_member(consumer_group(d), SLICE_LITERAL("a")),
                          &member_row);
    struct slice group = str_slice(&group_row), member = str_slice(&member_row);
    assert_int_equal(read_rows(group, member, &equal), 0);
    assert_true(equal);
    for (size_t len = 0; len < group.len; len++)
        assert_int_equal(read_rows(slice_of(group.ptr, len), member, &equal),
                         ERR_DAMAGED);
    for (size_t len = 0; len < member.len; len++)
        assert_int_equal(read_rows(group, slice_of(member.ptr, len), &equal),
                         ERR_DAMAGED);
    str_fini(&group_row);
    str_fini(&member_row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty_ids),
        TEST(test_incomplete_join),
        TEST(test_empty_subscription),
        TEST(test_invalid_epochs),
        TEST(test_unknown_assignor),
        TEST(test_bad_regex),
        TEST(test_unknown),
        TEST(test_full),
        TEST(test_limits),
        TEST(test_first_member),
        TEST(test_nothing_new),
        TEST(test_full_request),
        TEST(test_revoke_first),
        TEST(test_revoke_all),
        TEST(test_join_again),
        TEST(test_epochs),
        TEST(test_subscription),
        TEST(test_subscription_while_revoking),
        TEST(test_topic_appears),
        TEST(test_topic_grows),
        TEST(test_topic_deleted),
        TEST(test_leave),
        TEST(test_last_leaves),
        TEST(test_expiry),
        TEST(test_instance_in_use),
        TEST(test_static_joins_again),
        TEST(test_static_replaced),
        TEST(test_static_replaced_full),
        TEST(test_static_expires),
        TEST(test_static_takes_id),
        TEST(test_regex),
        TEST(test_regex_and_names),
        TEST(test_regex_of_other),
        TEST(test_regex_many),
        TEST(test_assignor_votes),
        TEST(test_rack),
        TEST(test_deadline),
        TEST(test_commits),
        TEST(test_fetches),
        TEST(test_subscribed),
        TEST(test_cluster_deleted),
        TEST(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
