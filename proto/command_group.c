/* command_group.c - the fields of the commands of groups: written and read. */
#include "proto/command_io.h"
#include "proto/offset_commit.h"

void put_group_limits(struct str *out, const struct group_limits *limits)
{
    write_u32(out, limits->members_max);
    write_u32(out, limits->groups_max);
    write_u64(out, limits->metadata_max);
    write_u32(out, (uint32_t)limits->session_min_ms);
    write_u32(out, (uint32_t)limits->session_max_ms);
}

void get_group_limits(struct reader *r, struct group_limits *limits)
{
    limits->members_max = reader_u32(r);
    limits->groups_max = reader_u32(r);
    limits->metadata_max = reader_u64(r);
    limits->session_min_ms = reader_i32(r);
    limits->session_max_ms = reader_i32(r);
}

void write_group_join(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_join.group_id);
    put_text(out, cmd->group_join.member_id);
    put_text(out, cmd->group_join.new_member_id);
    put_text(out, cmd->group_join.instance_id);
    put_text(out, cmd->group_join.client_id);
    put_text(out, cmd->group_join.client_host);
    write_u32(out, (uint32_t)cmd->group_join.session_ms);
    write_u32(out, (uint32_t)cmd->group_join.rebalance_ms);
    put_text(out, cmd->group_join.protocol_type);
    write_uvarint(out, cmd->group_join.protocol_count);
    for (uint32_t i = 0; i < cmd->group_join.protocol_count; i++) {
        put_text(out, cmd->group_join.protocols[i].name);
        put_text(out, cmd->group_join.protocols[i].metadata);
    }
    write_u8(out, cmd->group_join.require_known_id);
    write_u8(out, cmd->group_join.may_skip_assignment);
    put_group_limits(out, &cmd->group_join.limits);
}

static const struct join_protocol *get_protocols(struct reading *in, uint32_t *count)
{
    struct reader *r = &in->r;
    size_t bytes = 0;
    uint32_t n = reader_uvarint(r);
    struct join_protocol *protocols =
        get_array(in, n, COMMAND_PROTOCOLS_MAX, 2, sizeof(*protocols));

    for (uint32_t i = 0; i < n && !r->failed; i++) {
        protocols[i].name = need_text(r, COMMAND_GROUP_TEXT_MAX);
        protocols[i].metadata = need_text(r, COMMAND_GROUP_BYTES_MAX);
        bytes += protocols[i].metadata.len;
    }
    if (bytes > COMMAND_GROUP_BYTES_MAX)
        reader_fail(r);
    *count = n;
    return protocols;
}

void read_group_join(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->group_join.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.new_member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.instance_id = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.client_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.client_host = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.session_ms = reader_i32(r);
    cmd->group_join.rebalance_ms = reader_i32(r);
    cmd->group_join.protocol_type = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_join.protocols = get_protocols(in, &cmd->group_join.protocol_count);
    cmd->group_join.require_known_id = get_bool(r);
    cmd->group_join.may_skip_assignment = get_bool(r);
    get_group_limits(r, &cmd->group_join.limits);
    if (cmd->group_join.member_id.len == 0 && cmd->group_join.new_member_id.len == 0)
        reader_fail(r);
}

void write_group_sync(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_sync.group_id);
    write_u32(out, (uint32_t)cmd->group_sync.generation);
    put_text(out, cmd->group_sync.member_id);
    put_text(out, cmd->group_sync.instance_id);
    put_text(out, cmd->group_sync.protocol_type);
    put_text(out, cmd->group_sync.protocol_name);
    write_uvarint(out, cmd->group_sync.assignment_count);
    for (uint32_t i = 0; i < cmd->group_sync.assignment_count; i++) {
        put_text(out, cmd->group_sync.assignments[i].member_id);
        put_text(out, cmd->group_sync.assignments[i].assignment);
    }
    write_u64(out, cmd->group_sync.metadata_max);
}

void read_group_sync(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    size_t bytes = 0;

    cmd->group_sync.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_sync.generation = reader_i32(r);
    cmd->group_sync.member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_sync.instance_id = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_sync.protocol_type = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_sync.protocol_name = get_text(r, COMMAND_GROUP_TEXT_MAX);
    uint32_t n = reader_uvarint(r);
    struct sync_assignment *assignments =
        get_array(in, n, COMMAND_MEMBERS_MAX, 2, sizeof(*assignments));
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        assignments[i].member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
        assignments[i].assignment = need_text(r, COMMAND_GROUP_BYTES_MAX);
        bytes += assignments[i].assignment.len;
    }
    if (bytes > COMMAND_GROUP_BYTES_MAX)
        reader_fail(r);
    cmd->group_sync.assignments = assignments;
    cmd->group_sync.assignment_count = n;
    cmd->group_sync.metadata_max = reader_u64(r);
}

void write_group_leave(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_leave.group_id);
    write_uvarint(out, cmd->group_leave.member_count);
    for (uint32_t i = 0; i < cmd->group_leave.member_count; i++) {
        put_text(out, cmd->group_leave.members[i].member_id);
        put_text(out, cmd->group_leave.members[i].instance_id);
    }
}

void read_group_leave(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;

    cmd->group_leave.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    uint32_t n = reader_uvarint(r);
    struct group_leaver *members =
        get_array(in, n, COMMAND_MEMBERS_MAX, 2, sizeof(*members));
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        members[i].member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
        members[i].instance_id = get_text(r, COMMAND_GROUP_TEXT_MAX);
    }
    cmd->group_leave.members = members;
    cmd->group_leave.member_count = n;
}

void write_group_due(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_due.group_id);
    write_u32(out, (uint32_t)cmd->group_due.generation);
    write_u8(out, (uint8_t)cmd->group_due.phase);
}

void read_group_due(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->group_due.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->group_due.generation = reader_i32(r);
    cmd->group_due.phase =
        (enum group_phase)get_enum(r, GROUP_PHASE_JOIN, GROUP_PHASE_SYNC);
}

void write_group_expire(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_expire.group_id);
    write_uvarint(out, cmd->group_expire.member_count);
    for (uint32_t i = 0; i < cmd->group_expire.member_count; i++) {
        put_text(out, cmd->group_expire.members[i].member_id);
        write_u32(out, (uint32_t)cmd->group_expire.members[i].epoch);
    }
}

void read_group_expire(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;

    cmd->group_expire.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    uint32_t n = reader_uvarint(r);
    struct group_expiry *members =
        get_array(in, n, COMMAND_MEMBERS_MAX, 5, sizeof(*members));
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        members[i].member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
        members[i].epoch = reader_i32(r);
    }
    cmd->group_expire.members = members;
    cmd->group_expire.member_count = n;
}

void write_group_delete(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->group_delete.group_id);
}

void read_group_delete(struct reading *in, struct command *cmd)
{
    cmd->group_delete.group_id = need_text(&in->r, COMMAND_GROUP_TEXT_MAX);
}

/* ---- offsets ---- */

void write_offsets_commit(const struct command *cmd, struct str *out)
{
    write_u32(out, cmd->offsets_commit.groups_max);
    write_u64(out, cmd->offsets_commit.metadata_max);
    str_append_slice(out, cmd->offsets_commit.payload);
}

/* The payload is looked at here, once: whoever applies it walks it without failing. */
static struct slice get_offsets(struct reader *r)
{
    struct slice payload = reader_bytes(r, reader_left(r));
    if (!offset_commits_valid(payload))
        reader_fail(r);
    return payload;
}

void read_offsets_commit(struct reading *in, struct command *cmd)
{
    cmd->offsets_commit.groups_max = reader_u32(&in->r);
    cmd->offsets_commit.metadata_max = reader_u64(&in->r);
    cmd->offsets_commit.payload = get_offsets(&in->r);
}

void write_offsets_delete(const struct command *cmd, struct str *out)
{
    str_append_slice(out, cmd->offsets_delete.payload);
}

void read_offsets_delete(struct reading *in, struct command *cmd)
{
    cmd->offsets_delete.payload = get_offsets(&in->r);
}

void write_offsets_expire(const struct command *cmd, struct str *out)
{
    write_u64(out, (uint64_t)cmd->offsets_expire.before_ms);
    write_uvarint(out, cmd->offsets_expire.group_count);
    for (uint32_t i = 0; i < cmd->offsets_expire.group_count; i++)
        put_text(out, cmd->offsets_expire.groups[i]);
}

void read_offsets_expire(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->offsets_expire.before_ms = reader_i64(r);
    uint32_t n = reader_uvarint(r);
    struct slice *groups = get_array(in, n, COMMAND_GROUPS_MAX, 1, sizeof(*groups));
    for (uint32_t i = 0; i < n && !r->failed; i++)
        groups[i] = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->offsets_expire.groups = groups;
    cmd->offsets_expire.group_count = n;
}
