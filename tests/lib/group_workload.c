/* group_workload.c - see group_workload.h. */
#include "tests/lib/group_workload.h"

#include <stdio.h>

/* Whom a command is about. */
struct target {
    struct slice group_id, member_id, instance_id;
    const struct group *group; /* or NULL */
    int32_t generation;
};

static void choose(struct target *target, const struct cluster *cluster,
                   uint32_t (*pick)(uint32_t n))
{
    static const char *const names = "g\0-0g\0-1g\0-2"; /* ids are any bytes */
    const struct group_member *member = NULL, *next;

    target->group_id = slice_of(names + (size_t)4 * pick(3), 4);
    target->group = cluster == NULL ? NULL : state_group(cluster, target->group_id);
    target->generation = target->group == NULL ? 0 : target->group->generation;
    if (pick(5) == 0) {
        member = group_pending_next(target->group, NULL);
    } else {
        for (uint32_t n = 1 + pick(4);
             n > 0 && (next = group_member_next(target->group, member)) != NULL; n--)
            member = next;
    }
    target->member_id = member == NULL ? SLICE_LITERAL("nobody") : member->member_id;
    target->instance_id = member == NULL ? SLICE_NULL : member->instance_id;
}

static void make_join(struct command *cmd, const struct target *target,
                      struct slice new_id, uint32_t (*pick)(uint32_t n))
{
    static const struct join_protocol protocols[] = {
        {{(const uint8_t *)"range", 5}, {(const uint8_t *)"one\0two", 7}},
        {{(const uint8_t *)"sticky", 6}, {(const uint8_t *)"", 0}}};
    static const char *const instances = "i0i1i2";

    cmd->group_join.group_id = target->group_id;
    cmd->group_join.member_id = pick(2) ? SLICE_LITERAL("") : target->member_id;
    cmd->group_join.new_member_id = new_id;
    cmd->group_join.instance_id =
        pick(3) ? SLICE_NULL : slice_of(instances + (size_t)2 * pick(3), 2);
    cmd->group_join.client_id = SLICE_LITERAL("c");
    cmd->group_join.client_host = SLICE_LITERAL("");
    cmd->group_join.rebalance_ms = (int32_t)pick(1000);
    cmd->group_join.protocol_type = SLICE_LITERAL("consumer");
    cmd->group_join.protocols = protocols;
    cmd->group_join.protocol_count = 1 + pick(2);
    cmd->group_join.require_known_id = pick(2) == 0;
    cmd->group_join.limits = (struct group_limits){5, 3, 0, 0, 1};
}

static void make_sync(struct command *cmd, const struct target *target,
                      const struct sync_assignment *given, uint32_t (*pick)(uint32_t n))
{
    const struct group *group = target->group;

    cmd->group_sync.group_id = target->group_id;
    cmd->group_sync.generation = target->generation;
    cmd->group_sync.member_id = group != NULL && group->leader != NULL && pick(2) == 0
                                    ? group->leader->member_id
                                    : target->member_id;
    cmd->group_sync.assignments = given;
    cmd->group_sync.assignment_count = pick(2);
}

struct command_result group_workload_step(struct driver *driver,
                                          uint32_t (*pick)(uint32_t n), uint32_t number)
{
    static const enum command_kind kinds[] = {
        COMMAND_GROUP_JOIN,  COMMAND_GROUP_JOIN,   COMMAND_GROUP_JOIN,
        COMMAND_GROUP_JOIN,  COMMAND_GROUP_SYNC,   COMMAND_GROUP_SYNC,
        COMMAND_GROUP_SYNC,  COMMAND_GROUP_DUE,    COMMAND_GROUP_DUE,
        COMMAND_GROUP_LEAVE, COMMAND_GROUP_EXPIRE, COMMAND_GROUP_DELETE,
    };
    struct command cmd = {.kind = kinds[pick(ARRAY_LEN(kinds))]};
    char new_id[16];
    struct target target;

    choose(&target, state_cluster(driver->state, &driver->cluster_id), pick);
    struct group_leaver leaver = {target.member_id, target.instance_id};
    struct group_expiry expiry = {target.member_id, target.generation};
    struct sync_assignment given = {target.member_id, SLICE_LITERAL("assigned")};
    snprintf(new_id, sizeof(new_id), "c-%u", number);
    if (cmd.kind == COMMAND_GROUP_JOIN) {
        make_join(&cmd, &target, slice_str(new_id), pick);
    } else if (cmd.kind == COMMAND_GROUP_SYNC) {
        make_sync(&cmd, &target, &given, pick);
    } else if (cmd.kind == COMMAND_GROUP_DUE) {
        cmd.group_due.group_id = target.group_id;
        cmd.group_due.generation = target.generation;
        cmd.group_due.phase = pick(3) == 0 ? GROUP_PHASE_SYNC : GROUP_PHASE_JOIN;
    } else if (cmd.kind == COMMAND_GROUP_LEAVE) {
        cmd.group_leave.group_id = target.group_id;
        cmd.group_leave.members = &leaver;
        cmd.group_leave.member_count = 1;
    } else if (cmd.kind == COMMAND_GROUP_EXPIRE) {
        cmd.group_expire.group_id = target.group_id;
        cmd.group_expire.members = &expiry;
        cmd.group_expire.member_count = 1;
    } else {
        cmd.group_delete.group_id = target.group_id;
    }
    return driver_apply(driver, &cmd);
}
