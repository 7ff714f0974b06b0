/* group_clients.h - what members of a classic group do, one line each, in tests of the
 * state. The group is "g"; members are known by their ids. */
#ifndef TESTS_LIB_GROUP_CLIENTS_H
#define TESTS_LIB_GROUP_CLIENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cursor.h"
#include "controlplane/group_classic.h"
#include "tests/lib/state_driver.h"

#define TEXT(s)  SLICE_LITERAL(s)
#define CONST(s) (const uint8_t *)(s), sizeof(s) - 1 /* of static ones */

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

static const struct join_protocol range[] = {{{CONST("range")}, {CONST("m1")}}};
static const struct join_protocol both[] = {{{CONST("range")}, {CONST("m1")}},
                                            {{CONST("sticky")}, {CONST("m2")}}};

/* A join of the member ID of group "g", with the protocol "range", as of before v4: a new
 * member is accepted at once, under the id that IDS says. */
static inline struct command join_command(const char *id, const char *new_id)
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

static inline int16_t join_as(struct driver *d, const char *new_id)
{
    struct command cmd = join_command("", new_id);
    return driver_apply(d, &cmd).kafka_error;
}

static inline int16_t rejoin(struct driver *d, const char *id)
{
    struct command cmd = join_command(id, "");
    return driver_apply(d, &cmd).kafka_error;
}

static inline struct command_result join_static(struct driver *d, const char *instance,
                                                const char *new_id, bool may_skip)
{
    struct command cmd = join_command("", new_id);
    cmd.group_join.instance_id = slice_str(instance);
    cmd.group_join.may_skip_assignment = may_skip;
    return driver_apply(d, &cmd);
}

static inline const struct group *group_of(struct driver *d)
{
    return state_group(state_cluster(d->state, &d->cluster_id), TEXT("g"));
}

static inline int64_t due(struct driver *d, enum group_phase phase, int32_t generation)
{
    struct command cmd = {.kind = COMMAND_GROUP_DUE};
    cmd.group_due.group_id = TEXT("g");
    cmd.group_due.generation = generation;
    cmd.group_due.phase = phase;
    return driver_apply(d, &cmd).value;
}

static inline int64_t join_over(struct driver *d)
{
    return due(d, GROUP_PHASE_JOIN, group_of(d)->generation);
}

static inline int16_t sync_as(struct driver *d, const char *id, int32_t generation,
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

static inline int64_t expire(struct driver *d, const char *id, int32_t generation)
{
    const struct group_expiry expiry = {slice_str(id), generation};
    struct command cmd = {.kind = COMMAND_GROUP_EXPIRE};
    cmd.group_expire.group_id = TEXT("g");
    cmd.group_expire.members = &expiry;
    cmd.group_expire.member_count = 1;
    return driver_apply(d, &cmd).value;
}

/* Leave; the error of the group, or that of the member. */
static inline int16_t leave_as(struct driver *d, const char *id, struct slice instance)
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

static inline int16_t delete_group(struct driver *d)
{
    struct command cmd = {.kind = COMMAND_GROUP_DELETE};
    cmd.group_delete.group_id = TEXT("g");
    return driver_apply(d, &cmd).kafka_error;
}

/* Group "g" stable at generation 1: "a" leads and has "for a", "b" follows with "for b".
 */
static inline void stable_pair(struct driver *d)
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
static inline void stable_static_pair(struct driver *d)
{
    const struct sync_assignment given[] = {{TEXT("a"), TEXT("for a")},
                                            {TEXT("b"), TEXT("for b")}};
    assert_int_equal(join_static(d, "i", "a", true).kafka_error, 0);
    assert_int_equal(join_static(d, "j", "b", true).kafka_error, 0);
    assert_int_equal(join_over(d), 1);
    assert_int_equal(sync_as(d, "b", 1, NULL, 0), 0);
    assert_int_equal(sync_as(d, "a", 1, given, 2), 0);
}

static inline bool waits(struct driver *d, const char *id)
{
    struct group_join_answer answer;
    return !group_classic_poll_join(group_of(d), slice_str(id), SLICE_NULL, &answer);
}

static inline struct group_join_answer joined(struct driver *d, const char *id)
{
    struct group_join_answer answer;
    assert_true(group_classic_poll_join(group_of(d), slice_str(id), SLICE_NULL, &answer));
    return answer;
}

static inline struct group_sync_answer synced(struct driver *d, const char *id,
                                              int32_t generation)
{
    struct group_sync_answer answer;
    assert_true(group_classic_poll_sync(group_of(d), generation, slice_str(id),
                                        SLICE_NULL, &answer));
    return answer;
}

#define assert_slice_equal(slice, text) assert_true(slice_eq_str((slice), (text)))

#endif
