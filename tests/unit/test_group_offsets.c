/* test_group_offsets.c - what groups have committed: who may, what is kept, and when it
 * is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "controlplane/db.h"
#include "controlplane/group.h"
#include "controlplane/group_offsets.h"
#include "controlplane/offsets_expiry.h"
#include "proto/consumer_protocol.h"
#include "proto/kafka_error.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/offset_driver.h"

#define NONE INT64_MIN
#define DAY  INT64_C(86400000)

static int groups_changed;

static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    (void)arg, (void)cluster, (void)group;
    groups_changed++;
}

static int setup(void **state)
{
    static const struct state_events events = {.on_group = on_group};
    struct driver *d = mem_zalloc(sizeof(*d));
    groups_changed = 0;
    driver_init(d, &events);
    driver_cluster(d, 1);
    driver_topic(d, 1, 4);
    driver_topic(d, 2, 100);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

static const struct cluster *cluster_of(const struct driver *d)
{
    return state_cluster(d->state, &d->cluster_id);
}

static const struct group *group_of(const struct driver *d, const char *name)
{
    return state_group(cluster_of(d), slice_str(name));
}

/* Nobody's commit of one partition. */
static int16_t commit(struct driver *d, const char *group, uint32_t topic,
                      int32_t partition, int64_t offset)
{
    const struct test_offset part = {topic, partition, offset, 0, NULL};
    int16_t error = 0;
    const struct test_offsets one = {
        .group = group, .generation = -1, .parts = &part, .count = 1, .errors = &error};
    int16_t of_all = driver_offsets(d, &one);
    return of_all != 0 ? of_all : error;
}

/* ---- members of a classic group ---- */

static int16_t join(struct driver *d, const char *group, const char *type,
                    const char *topic, const char *member)
{
    struct consumer_protocol_subscription subscription =
        consumer_protocol_subscription_defaults;
    struct slice names[1] = {slice_str(topic)};
    struct join_protocol protocol = {.name = SLICE_LITERAL("range")};
    struct command cmd = {.kind = COMMAND_GROUP_JOIN};
    struct str metadata;

    str_init(&metadata, KIB);
    subscription.topics = names;
    subscription.topics_count = 1;
    if (topic != NULL)
        assert_int_equal(
            consumer_protocol_write_subscription(0, &subscription, &metadata), 0);
    else
        str_puts(&metadata, "?");
    protocol.metadata = str_slice(&metadata);
    cmd.group_join.group_id = slice_str(group);
    cmd.group_join.member_id = SLICE_LITERAL("");
    cmd.group_join.new_member_id = slice_str(member);
    cmd.group_join.client_id = SLICE_LITERAL("c");
    cmd.group_join.client_host = SLICE_LITERAL("/h");
    cmd.group_join.session_ms = 10000;
    cmd.group_join.rebalance_ms = 60000;
    cmd.group_join.protocol_type = slice_str(type);
    cmd.group_join.protocols = &protocol;
    cmd.group_join.protocol_count = 1;
    cmd.group_join.limits = (struct group_limits){.members_max = 1000,
                                                  .groups_max = 1000,
                                                  .session_min_ms = 6000,
                                                  .session_max_ms = 1800000};
    int16_t error = driver_apply(d, &cmd).kafka_error;
    str_fini(&metadata);
    return error;
}

static void due(struct driver *d, const char *group)
{
    struct command cmd = {.kind = COMMAND_GROUP_DUE};
    cmd.group_due.group_id = slice_str(group);
    cmd.group_due.generation = group_of(d, group)->generation;
    cmd.group_due.phase = GROUP_PHASE_JOIN;
    driver_apply(d, &cmd);
}

static void sync(struct driver *d, const char *group, const char *member)
{
    struct command cmd = {.kind = COMMAND_GROUP_SYNC};
    cmd.group_sync.group_id = slice_str(group);
    cmd.group_sync.generation = group_of(d, group)->generation;
    cmd.group_sync.member_id = slice_str(member);
    assert_int_equal(driver_apply(d, &cmd).kafka_error, 0);
}

static void leave(struct driver *d, const char *group, const char *member)
{
    const struct group_leaver who = {slice_str(member), SLICE_NULL};
    struct command cmd = {.kind = COMMAND_GROUP_LEAVE};
    cmd.group_leave.group_id = slice_str(group);
    cmd.group_leave.members = &who;
    cmd.group_leave.member_count = 1;
    driver_apply(d, &cmd);
}

/* A stable group of one member "m" that reads TOPIC (NULL: nobody knows what). */
static void stable_group(struct driver *d, const char *group, const char *type,
                         const char *topic)
{
    assert_int_equal(join(d, group, type, topic, "m"), 0);
    due(d, group);
    assert_int_equal(group_of(d, group)->state, GROUP_COMPLETING);
    sync(d, group, "m");
    assert_int_equal(group_of(d, group)->state, GROUP_STABLE);
}

static int16_t commit_as(struct driver *d, const char *group, int32_t generation,
                         const char *member, uint8_t flags)
{
    const struct test_offset part = {1, 0, 50, 0, NULL};
    const struct test_offsets one = {.group = group,
                                     .generation = generation,
                                     .member = member,
                                     .flags = flags,
                                     .parts = &part,
                                     .count = 1};
    return driver_offsets(d, &one);
}

/* ---- commit ---- */

/* Nobody's commit makes a group that is not there, once something of it is accepted; a
 * later one replaces the offset; offset, epoch and text are kept as they came. */
static void test_simple(void **state)
{
    struct driver *d = *state;
    const struct uuid topic_id = test_uuid(2, 1);
    const struct topic *topic = state_topic(cluster_of(d), &topic_id);
    const struct test_offset part = {1, 3, 7, 5, "a\ttext"};
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = &part, .count = 1};
    struct group_offset offset;

    assert_int_equal(commit(d, "g", 1, 4, 1), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(commit(d, "g", 9, 0, 1), KAFKA_UNKNOWN_TOPIC_ID);
    assert_null(group_of(d, "g"));
    assert_int_equal(groups_changed, 0);
    assert_int_equal(commit(d, "g", 1, 3, 1), 0);
    assert_int_equal(groups_changed, 1);
    assert_int_equal(group_of(d, "g")->kind, GROUP_EMPTY_KIND);
    d->now_ms += 1000;
    assert_int_equal(driver_offsets(d, &one), 0);
    assert_true(state_group_offset(group_of(d, "g"), topic, 3, &offset));
    assert_int_equal(offset.offset, 7);
    assert_int_equal(offset.leader_epoch, 5);
    assert_int_equal(offset.committed_at_ms, d->now_ms);
    assert_true(slice_eq_str(offset.metadata, "a\ttext"));
    assert_int_equal(commit(d, "g", 1, 3, 8), 0);
    assert_true(state_group_offset(group_of(d, "g"), topic, 3, &offset));
    assert_int_equal(offset.metadata.len, 0);
    assert_false(state_group_offset(group_of(d, "g"), topic, 2, &offset));
    assert_int_equal(commit(d, "", 1, 3, 8), 0); /* Kafka takes the empty id, too */
    assert_int_equal(driver_offset(d, "", 1, 3), 8);
}

/* A member of a group that is not there: 69 for who knows that error, else 22. */
static void test_unknown_group(void **state)
{
    struct driver *d = *state;

    assert_int_equal(commit_as(d, "g", 1, "m", 0), KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(commit_as(d, "g", 1, "m", OFFSET_COMMIT_KNOWS_EPOCHS),
                     KAFKA_GROUP_ID_NOT_FOUND);
    assert_null(group_of(d, "g"));
}

/* Members commit by id and generation, not while the assignment is made; who is nobody
 * may not while there are members. */
static void test_members(void **state)
{
    struct driver *d = *state;

    assert_int_equal(join(d, "g", "consumer", "topic-1", "m"), 0);
    due(d, "g");
    assert_int_equal(commit_as(d, "g", 1, "m", 0), KAFKA_REBALANCE_IN_PROGRESS);
    sync(d, "g", "m");
    assert_int_equal(commit_as(d, "g", 1, "m", 0), 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), 50);
    assert_int_equal(commit_as(d, "g", 2, "m", 0), KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(commit_as(d, "g", 1, "x", 0), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit_as(d, "g", -1, "", 0), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit_as(d, "g", -1, "m", 0), KAFKA_ILLEGAL_GENERATION);
    leave(d, "g", "m");
    assert_int_equal(commit_as(d, "g", 1, "m", 0), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit_as(d, "g", -1, "", 0), 0);
}

static int16_t commit_late(struct driver *d, int64_t offset, const char *metadata,
                           uint32_t late_ms)
{
    const struct test_offset part = {1, 0, offset, 0, metadata};
    int16_t error = 0;
    const struct test_offsets one = {.group = "g",
                                     .generation = -1,
                                     .late_ms = late_ms,
                                     .parts = &part,
                                     .count = 1,
                                     .errors = &error};
    int16_t of_all = driver_offsets(d, &one);
    return of_all != 0 ? of_all : error;
}

/* A commit that an agent repeats after a newer one went another way does not replace it,
 * and is to be tried again (14) by who still waits for it. */
static void test_overtaken(void **state)
{
    struct driver *d = *state;

    assert_int_equal(commit_late(d, 10, NULL, 5), 0); /* its answer is lost */
    d->now_ms += 100;
    assert_int_equal(commit_late(d, 20, NULL, 3), 0);
    d->now_ms += 100;
    assert_int_equal(commit_late(d, 10, NULL, 205), KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(driver_offset(d, "g", 1, 0), 20);
    /* Asked for after that, it is meant. */
    assert_int_equal(commit_late(d, 10, NULL, 100), 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), 10);
}

/* A repeat of what was carried out is the same again, as often as it comes; what differs
 * in the text alone is not the same. */
static void test_repeated(void **state)
{
    struct driver *d = *state;

    assert_int_equal(commit_late(d, 10, "x", 5), 0);
    for (uint32_t late_ms = 105; late_ms < 400; late_ms += 100) {
        d->now_ms += 100;
        assert_int_equal(commit_late(d, 10, "x", late_ms), 0);
    }
    d->now_ms += 100;
    assert_int_equal(commit_late(d, 10, "y", 500), KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(commit_late(d, 10, "y", 0), 0);
}

/* Two commits of one command are in its order, however late it is. */
static void test_late_together(void **state)
{
    struct driver *d = *state;
    const struct test_offset first = {1, 0, 10, 0, NULL}, second = {1, 0, 20, 0, NULL};
    int16_t errors[2] = {0};
    const struct test_offsets both[] = {{.group = "g",
                                         .generation = -1,
                                         .late_ms = 900,
                                         .parts = &first,
                                         .count = 1,
                                         .errors = &errors[0]},
                                        {.group = "g",
                                         .generation = -1,
                                         .late_ms = 900,
                                         .parts = &second,
                                         .count = 1,
                                         .errors = &errors[1]}};

    assert_int_equal(driver_offsets_of(d, COMMAND_OFFSETS_COMMIT, both, 2), 0);
    assert_int_equal(errors[0] | errors[1], 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), 20);
}

/* All commits of a command are judged by themselves, in their order, and so are the
 * partitions of one. */
static void test_many(void **state)
{
    struct driver *d = *state;
    const struct test_offset a[] = {{1, 0, 1, 0, NULL}, {1, 3, 2, 0, NULL},
                                    {1, 4, 3, 0, NULL}, {8, 0, 4, 0, NULL},
                                    {2, 99, 5, 0, "x"}, {1, 0, 6, 0, NULL}};
    const struct test_offset b[] = {{1, 0, 9, 0, NULL}};
    int16_t errors[3][6];
    const struct test_offsets all[] = {
        {.group = "a", .generation = -1, .parts = a, .count = 6, .errors = errors[0]},
        {.group = "b", .generation = 3, .parts = b, .count = 1, .errors = errors[1]},
        {.group = "a", .generation = -1, .parts = b, .count = 1, .errors = errors[2]}};

    assert_int_equal(driver_offsets_of(d, COMMAND_OFFSETS_COMMIT, all, 3), 0);
    const int16_t want[] = {
        0, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_UNKNOWN_TOPIC_ID, 0, 0};
    assert_memory_equal(errors[0], want, sizeof(want));
    assert_int_equal(driver_offset(d, "a", 1, 0), 9); /* 1, then 6, then 9 */
    assert_int_equal(driver_offset(d, "a", 1, 3), 2);
    assert_int_equal(driver_offset(d, "a", 2, 99), 5);
    assert_null(group_of(d, "b"));
}

/* Partitions stay sorted whatever the order is in which they come, and are listed by
 * topic in order of creation, then by number. */
static void test_order(void **state)
{
    struct driver *d = *state;
    struct group_offset_walk walk = {.next = 0};
    struct group_offset offset;
    struct test_offset some[20];
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 20};

    for (int start = 0; start < 5; start++) {
        for (int i = 0; i < 20; i++)
            some[i] = (struct test_offset){2, i * 5 + (start * 3) % 5, i, 0, "m"};
        assert_int_equal(driver_offsets(d, &one), 0);
    }
    assert_int_equal(commit(d, "g", 1, 2, 0), 0);
    for (int i = -1; i < 100; i++) {
        assert_true(state_group_offset_next(group_of(d, "g"), &walk, &offset));
        assert_string_equal(offset.topic->name, i < 0 ? "topic-1" : "topic-2");
        assert_int_equal(offset.partition, i < 0 ? 2 : i);
        assert_int_equal(offset.offset, i < 0 ? 0 : i / 5);
    }
    assert_false(state_group_offset_next(group_of(d, "g"), &walk, &offset));
}

/* Nobody's commit is refused, with 44, when there may be no more groups. */
static void test_groups_max(void **state)
{
    struct driver *d = *state;
    const struct test_offset part = {1, 0, 1, 0, NULL};
    const struct test_offsets both[] = {
        {.group = "a", .generation = -1, .parts = &part, .count = 1},
        {.group = "b", .generation = -1, .parts = &part, .count = 1}};
    struct command cmd = {.kind = COMMAND_OFFSETS_COMMIT};
    struct offset_results walk;
    int16_t error, each;
    struct str payload;

    str_init(&payload, KIB);
    offsets_payload(both, 2, &payload);
    cmd.offsets_commit.payload = str_slice(&payload);
    cmd.offsets_commit.groups_max = 1;
    struct command_result result = driver_apply(d, &cmd);
    assert_int_equal(offset_results_begin(&walk, result.data), 0);
    assert_int_equal(offset_results_next(&walk, &error, &each, 1), 0);
    assert_int_equal(each, 0);
    assert_int_equal(offset_results_next(&walk, &error, &each, 1), 0);
    assert_int_equal(error, 0);
    assert_int_equal(each, KAFKA_POLICY_VIOLATION);
    assert_null(group_of(d, "b"));
    str_fini(&payload);
}

static int16_t commit_full(struct driver *d, int32_t partition, const char *metadata)
{
    const struct test_offset part = {1, partition, 1, 0, metadata};
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = &part, .count = 1};
    struct command cmd = {.kind = COMMAND_OFFSETS_COMMIT};
    struct offset_results walk;
    int16_t error, each;
    struct str payload;

    str_init(&payload, KIB);
    offsets_payload(&one, 1, &payload);
    cmd.offsets_commit.payload = str_slice(&payload);
    cmd.offsets_commit.groups_max = 10;
    cmd.offsets_commit.metadata_max = 1;
    struct command_result result = driver_apply(d, &cmd);
    assert_int_equal(offset_results_begin(&walk, result.data), 0);
    assert_int_equal(offset_results_next(&walk, &error, &each, 1), 0);
    str_fini(&payload);
    return each;
}

/* Over the cluster's limit of metadata nothing is added, but who has committed before
 * goes on. */
static void test_full(void **state)
{
    struct driver *d = *state;

    assert_int_equal(commit_full(d, 0, NULL), KAFKA_POLICY_VIOLATION);
    assert_null(group_of(d, "g"));
    assert_int_equal(commit(d, "g", 1, 0, 9), 0);
    assert_int_equal(commit_full(d, 0, NULL), 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), 1);
    assert_int_equal(commit_full(d, 0, "more"), KAFKA_POLICY_VIOLATION);
    assert_int_equal(commit_full(d, 1, NULL), KAFKA_POLICY_VIOLATION);
}

/* What a group holds is counted, and counted back to nothing when it goes. */
static void test_accounting(void **state)
{
    struct driver *d = *state;
    uint64_t before = state_metadata_bytes(cluster_of(d));
    const struct test_offset some[] = {{1, 0, 1, 0, "metadata"}, {1, 1, 1, 0, NULL}};
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 2};
    struct command gone = {.kind = COMMAND_GROUP_DELETE};

    assert_int_equal(commit(d, "g", 2, 0, 1), 0);
    uint64_t with_group = state_metadata_bytes(cluster_of(d));
    assert_true(with_group > before);
    assert_int_equal(driver_offsets(d, &one), 0);
    assert_int_equal(state_metadata_bytes(cluster_of(d)) - with_group,
                     METADATA_GROUP_TOPIC_BYTES + 2 * METADATA_COMMITTED_BYTES + 8);
    assert_int_equal(commit(d, "g", 1, 0, 1), 0); /* without the text */
    assert_int_equal(state_metadata_bytes(cluster_of(d)) - with_group,
                     METADATA_GROUP_TOPIC_BYTES + 2 * METADATA_COMMITTED_BYTES);
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(state_metadata_bytes(cluster_of(d)), with_group);
    gone.group_delete.group_id = SLICE_LITERAL("g");
    assert_int_equal(driver_apply(d, &gone).kafka_error, 0);
    assert_int_equal(state_metadata_bytes(cluster_of(d)), before);
}

/* ---- delete ---- */

/* Offsets of a group without members are deleted; what is not there is deleted, too; an
 * unknown group is 69, the one without a name 24, an unknown topic 100. */
static void test_delete(void **state)
{
    struct driver *d = *state;
    const struct test_offset some[] = {
        {1, 0, 0, 0, NULL}, {1, 2, 0, 0, NULL}, {9, 0, 0, 0, NULL}};
    int16_t errors[3];
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 3, .errors = errors};

    assert_int_equal(driver_offsets_delete(d, &one), KAFKA_GROUP_ID_NOT_FOUND);
    const struct test_offsets nameless = {.group = "", .generation = -1};
    assert_int_equal(commit(d, "", 1, 0, 1), 0);
    assert_int_equal(driver_offsets_delete(d, &nameless), KAFKA_INVALID_GROUP_ID);
    assert_int_equal(commit(d, "g", 1, 0, 1), 0);
    assert_int_equal(commit(d, "g", 1, 1, 1), 0);
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], 0);
    assert_int_equal(errors[2], KAFKA_UNKNOWN_TOPIC_ID);
    assert_int_equal(driver_offset(d, "g", 1, 0), NONE);
    assert_int_equal(driver_offset(d, "g", 1, 1), 1);
}

static void two_topics(struct driver *d, const char *group)
{
    assert_int_equal(commit(d, group, 1, 0, 1), 0);
    assert_int_equal(commit(d, group, 2, 0, 1), 0);
}

/* What a member reads is spared with 86, topic by topic; if it cannot be known, all is.
 */
static void test_delete_subscribed(void **state)
{
    struct driver *d = *state;
    const struct test_offset some[] = {{1, 0, 0, 0, NULL}, {2, 0, 0, 0, NULL}};
    int16_t errors[2];
    struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 2, .errors = errors};

    two_topics(d, "g");
    stable_group(d, "g", "consumer", "topic-1");
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(errors[0], KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
    assert_int_equal(errors[1], 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), 1);
    assert_int_equal(driver_offset(d, "g", 2, 0), NONE);
    one.group = "odd";
    two_topics(d, "odd");
    stable_group(d, "odd", "consumer", NULL);
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(errors[0], KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
    assert_int_equal(errors[1], KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
    leave(d, "odd", "m");
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(errors[0], 0);
}

/* The offsets of a group of another type are 68 as long as it has members. */
static void test_delete_other_type(void **state)
{
    struct driver *d = *state;
    const struct test_offset some[] = {{1, 0, 0, 0, NULL}};
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 1};

    two_topics(d, "g");
    stable_group(d, "g", "connect", NULL);
    assert_int_equal(driver_offsets_delete(d, &one), KAFKA_NON_EMPTY_GROUP);
    leave(d, "g", "m");
    assert_int_equal(driver_offsets_delete(d, &one), 0);
    assert_int_equal(driver_offset(d, "g", 1, 0), NONE);
}

/* ---- topics and groups go ---- */

/* A deleted topic's offsets are not seen from then on, and PURGE forgets them in bounded
 * steps; a topic that is made again begins without any. */
static void test_topic_deleted(void **state)
{
    struct driver *d = *state;
    struct group_offset_walk walk = {.next = 0};
    struct group_offset offset;

    two_topics(d, "a");
    two_topics(d, "b");
    assert_int_equal(driver_topic_delete(d, 1).kafka_error, 0);
    assert_int_equal(driver_topic(d, 1, 4).kafka_error, 0); /* the very same id, even */
    assert_int_equal(driver_offset(d, "a", 1, 0), NONE);
    assert_true(state_group_offset_next(group_of(d, "a"), &walk, &offset));
    assert_string_equal(offset.topic->name, "topic-2");
    assert_false(state_group_offset_next(group_of(d, "a"), &walk, &offset));
    assert_int_equal(commit(d, "a", 1, 0, 77), 0);
    assert_int_equal(driver_purge(d, 1), 1);
    assert_true(state_purge_due(d->state));
    while (state_purge_due(d->state))
        assert_true(driver_purge(d, 1) > 0);
    assert_int_equal(driver_offset(d, "a", 1, 0), 77);
    assert_int_equal(driver_offset(d, "b", 2, 0), 1);
    assert_int_equal(group_of(d, "b")->offsets->count, 1);
}

/* A cluster that is deleted takes groups and offsets with it, in bounded steps. */
static void test_cluster_deleted(void **state)
{
    struct driver *d = *state;
    struct command gone = {.kind = COMMAND_CLUSTER_DELETE, .cluster_id = d->cluster_id};

    two_topics(d, "a");
    two_topics(d, "b");
    assert_int_equal(driver_apply(d, &gone).code, 0);
    for (int i = 0; state_purge_due(d->state); i++) {
        assert_true(i < 200);
        assert_true(driver_purge(d, 2) > 0);
    }
}

/* ---- expiry ---- */

static int64_t expire(struct driver *d, const char *group)
{
    bool expected = group_of(d, group) != NULL &&
                    state_offsets_expire(group_of(d, group), d->now_ms - 7 * DAY);
    int64_t gone = driver_offsets_expire(d, d->now_ms - 7 * DAY, group);
    assert_int_equal(gone > 0, expected); /* the leader would have proposed it */
    return gone;
}

/* Of a group that nobody ever joined an offset goes when it was committed so long ago,
 * each by itself; with the last one goes the group. */
static void test_expire_simple(void **state)
{
    struct driver *d = *state;

    assert_int_equal(commit(d, "g", 1, 0, 1), 0);
    d->now_ms += DAY;
    assert_int_equal(commit(d, "g", 1, 1, 1), 0);
    assert_int_equal(commit(d, "g", 2, 1, 1), 0);
    d->now_ms += 6 * DAY - 1;
    assert_int_equal(expire(d, "g"), 0);
    d->now_ms += 1;
    assert_int_equal(expire(d, "g"), 1);
    assert_int_equal(driver_offset(d, "g", 1, 0), NONE);
    assert_int_equal(driver_offset(d, "g", 1, 1), 1);
    d->now_ms += DAY;
    assert_int_equal(expire(d, "g"), 3);
    assert_null(group_of(d, "g"));
    assert_int_equal(expire(d, "g"), 0);
}

/* The offsets of a group that had members stay for the retention after the last one left,
 * whenever they were committed, and then go all at once. */
static void test_expire_empty(void **state)
{
    struct driver *d = *state;

    two_topics(d, "g");
    stable_group(d, "g", "consumer", "topic-1");
    d->now_ms += 30 * DAY;
    leave(d, "g", "m");
    assert_int_equal(expire(d, "g"), 0);
    d->now_ms += 6 * DAY;
    assert_int_equal(commit(d, "g", 1, 1, 1), 0);
    assert_int_equal(expire(d, "g"), 0);
    d->now_ms += DAY;
    assert_int_equal(expire(d, "g"), 4);
    assert_null(group_of(d, "g"));
}

/* Of a group with members only what they do not read goes, when it is old; while they
 * rebalance nothing does, and nothing of groups of other types. */
static void test_expire_unread(void **state)
{
    struct driver *d = *state;

    two_topics(d, "g");
    stable_group(d, "g", "consumer", "topic-1");
    two_topics(d, "other");
    stable_group(d, "other", "connect", "topic-1");
    assert_int_equal(expire(d, "g"), 0);
    d->now_ms += 8 * DAY;
    assert_int_equal(join(d, "g", "consumer", "topic-1", "m2"), 0);
    assert_int_equal(group_of(d, "g")->state, GROUP_PREPARING);
    assert_int_equal(expire(d, "g"), 0);
    due(d, "g");
    sync(d, "g", "m2");
    assert_int_equal(group_of(d, "g")->state, GROUP_STABLE);
    assert_int_equal(expire(d, "g"), 1);
    assert_int_equal(driver_offset(d, "g", 1, 0), 1);
    assert_int_equal(driver_offset(d, "g", 2, 0), NONE);
    assert_int_equal(expire(d, "other"), 0);
}

/* A group without members and offsets goes at once, but for one to which an id was given
 * out that may still join. */
static void test_expire_hollow(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_GROUP_JOIN};

    stable_group(d, "g", "consumer", "topic-1");
    assert_int_equal(expire(d, "g"), 0);
    leave(d, "g", "m");
    assert_int_equal(expire(d, "g"), 1);
    assert_null(group_of(d, "g"));
    (void)cmd;
}

/* The leader looks at all groups in a round, and then rests; each proposal is of one
 * cluster. A round goes on where the last step was, also when that group has gone. */
static void test_rounds(void **state)
{
    struct driver *d = *state;
    struct offsets_expiry expiry;
    struct arena arena;
    struct command cmd;
    char name[16];
    size_t proposed = 0;

    arena_init(&arena, MIB);
    offsets_expiry_init(&expiry, 7 * DAY);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "g%d", i);
        assert_int_equal(commit(d, name, 1, 0, 1), 0);
    }
    struct uuid first = d->cluster_id;
    driver_cluster(d, 2);
    driver_topic(d, 1, 1);
    assert_int_equal(commit(d, "h", 1, 0, 1), 0);
    assert_false(offsets_expiry_step(&expiry, d->state, d->now_ms, 0, &arena, &cmd));
    d->now_ms += 8 * DAY;
    int64_t tick_ms = 10 * 60 * 1000;
    assert_false(
        offsets_expiry_step(&expiry, d->state, d->now_ms, tick_ms - 1, &arena, &cmd));
    while (offsets_expiry_step(&expiry, d->state, d->now_ms, tick_ms, &arena, &cmd)) {
        proposed += cmd.offsets_expire.group_count;
        assert_true(uuid_eq(&cmd.cluster_id, &first) || proposed == 301);
        assert_int_equal(driver_apply(d, &cmd).value, 2 * cmd.offsets_expire.group_count);
    }
    assert_int_equal(proposed, 301);
    assert_false(
        offsets_expiry_step(&expiry, d->state, d->now_ms, tick_ms, &arena, &cmd));
    offsets_expiry_fini(&expiry);
    arena_fini(&arena);
}

/* ---- stored ---- */

/* After a checkpoint the state is the same again, also when offsets changed, went, or
 * came while it was collected. */
static void test_checkpoint(void **state)
{
    struct driver *d = *state;
    struct checkpoint_meta meta = {.position = {.index = 1}};
    const struct test_offset some[] = {{1, 0, 11, 3, "text"},
                                       {1, 3, INT64_MAX, -1, NULL}};
    const struct test_offsets one = {
        .group = "g", .generation = -1, .parts = some, .count = 2};
    struct str delta, bytes;
    struct db *db;
    struct err err;

    str_init(&delta, 16 * MIB);
    str_init(&bytes, MIB);
    char dir[64], path[80];
    temp_dir(dir);
    snprintf(path, sizeof(path), "%s/state.db", dir);
    assert_int_equal(db_open(path, &db, &err), 0);
    two_topics(d, "a");
    two_topics(d, "b");
    checkpoint_collect(d->state, &meta, &delta);
    assert_int_equal(db_apply(db, str_slice(&delta), &err), 0);
    assert_int_equal(driver_offsets(d, &one), 0);
    assert_int_equal(
        driver_offsets_delete(
            d, &(struct test_offsets){.group = "a", .parts = some, .count = 1}),
        0);
    assert_int_equal(driver_topic_delete(d, 2).kafka_error, 0);
    driver_purge(d, 2);
    meta.position.index = d->index;
    str_reset(&delta);
    checkpoint_collect(d->state, &meta, &delta);
    assert_int_equal(db_apply(db, str_slice(&delta), &err), 0);
    struct state *loaded = state_new(NULL);
    assert_int_equal(checkpoint_load(loaded, db, &meta, &bytes, &err), 0);
    assert_int_equal(state_hash(loaded), state_hash(d->state));
    struct state *live = d->state;
    d->state = loaded;
    assert_int_equal(driver_offset(d, "g", 1, 3), INT64_MAX);
    assert_int_equal(driver_offset(d, "a", 1, 0), NONE);
    d->state = live;
    state_free(loaded);
    db_close(db);
    temp_dir_remove(dir);
    str_fini(&delta);
    str_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_simple, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overtaken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_groups_max, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_accounting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_subscribed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_other_type, setup, teardown),
        cmocka_unit_test_setup_teardown(test_topic_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cluster_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expire_simple, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expire_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expire_unread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expire_hollow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checkpoint, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
