/* group_row.c - groups and members as rows of the database, and back.
 *
 * Texts that may be null are a byte 1 and the text, or nothing. Nothing that is read is
 * believed: what contradicts itself is ERR_DAMAGED. */
#include <string.h>

#include "common/err.h"
#include "controlplane/db.h"
#include "controlplane/group.h"
#include "controlplane/group_consumer.h"

/* ---- out ---- */

static void put_nullable(struct str *out, struct slice text)
{
    if (text.ptr == NULL) {
        db_put_bytes(out, SLICE_NULL);
        return;
    }
    write_u32(out, (uint32_t)text.len + 1);
    write_u8(out, 1);
    str_append_slice(out, text);
}

/* A hundred expressions that match all of a hundred thousand topics, and more. */
#define CONSUMER_ROW_MAX ((size_t)512 << 20)

/* What belongs to KIP-848, of a member or (NULL) the group. */
static void put_consumer(const struct group *group, const struct group_member *member,
                         struct str *out)
{
    struct str bytes;

    str_init(&bytes, CONSUMER_ROW_MAX);
    if (member == NULL)
        consumer_group_write(group, &bytes);
    else
        consumer_member_write(member, &bytes);
    db_put_bytes(out, str_slice(&bytes));
    str_fini(&bytes);
}

void group_put_row(const struct group *group, struct str *out)
{
    db_put_row(out, DB_GROUPS);
    db_put_int(out, (int64_t)group->serial);
    db_put_int(out, (int64_t)group->cluster->serial);
    db_put_bytes(out, group->group_id);
    db_put_int(out, (int64_t)group->kind);
    db_put_int(out, (int64_t)group->state);
    db_put_int(out, group->generation);
    put_nullable(out, group->protocol_type);
    put_nullable(out, group->protocol);
    db_put_int(out, group->leader == NULL ? 0 : (int64_t)group->leader->serial);
    db_put_int(out, group->initial);
    db_put_int(out, group->created_at_ms);
    db_put_int(out, group->empty_since_ms);
    db_put_int(out, (int64_t)group->etag);
    put_consumer(group, NULL, out);
}

void group_member_put_row(const struct group_member *member, struct str *out)
{
    db_put_row(out, DB_GROUP_MEMBERS);
    db_put_int(out, (int64_t)member->group->serial);
    db_put_int(out, (int64_t)member->serial);
    db_put_bytes(out, member->member_id);
    put_nullable(out, member->instance_id);
    db_put_bytes(out, member->client_id);
    db_put_bytes(out, member->client_host);
    db_put_int(out, member->session_ms);
    db_put_int(out, member->rebalance_ms);
    db_put_int(out, member->pending);
    db_put_bytes(out, member->protocols);
    db_put_int(out, member->since_generation);
    db_put_int(out, member->joined_generation);
    db_put_int(out, member->synced_generation);
    db_put_int(out, member->assigned_generation);
    put_nullable(out, member->assignment);
    put_consumer(member->group, member, out);
}

/* ---- back ---- */

static struct slice get_nullable(struct reader *row)
{
    struct slice bytes = db_get_bytes(row);
    if (bytes.len == 0)
        return SLICE_NULL;
    return slice_of(bytes.ptr + 1, bytes.len - 1);
}

static int32_t get_i32(struct reader *row, bool *damaged)
{
    int64_t v = db_get_int(row);
    if (v < INT32_MIN || v > INT32_MAX)
        *damaged = true;
    return (int32_t)v;
}

int group_load_row(struct catalog *catalog, struct cluster *cluster, struct reader *row,
                   struct group **group_out)
{
    struct slice id = db_get_bytes(row);
    bool damaged = false;

    if (cluster == NULL || group_find(cluster, id) != NULL)
        return ERR_DAMAGED;
    struct group *group = group_add(catalog, cluster, id, 0);
    int64_t kind = db_get_int(row), state = db_get_int(row);
    group->kind = (enum group_kind)kind;
    group->state = (enum group_state)state;
    group_set_generation(group, get_i32(row, &damaged));
    group_set_text(&group->protocol_type, get_nullable(row));
    group_set_text(&group->protocol, get_nullable(row));
    group->leader_serial = (uint64_t)db_get_int(row);
    group->initial = db_get_int(row) != 0;
    group->created_at_ms = db_get_int(row);
    group->empty_since_ms = db_get_int(row);
    group->etag = (uint64_t)db_get_int(row);
    struct slice consumer = db_get_bytes(row);
    if (damaged || kind < GROUP_EMPTY_KIND || kind > GROUP_CONSUMER ||
        state < GROUP_EMPTY || state > GROUP_RECONCILING || state == GROUP_DEAD)
        return ERR_DAMAGED;
    *group_out = group;
    return consumer_group_read(group, consumer);
}

static int load_protocols(struct group_member *member, struct slice packed)
{
    struct join_protocol protocols[COMMAND_PROTOCOLS_MAX];
    struct reader walk;
    uint32_t count = 0;

    reader_init(&walk, packed);
    while (count < COMMAND_PROTOCOLS_MAX &&
           group_member_protocol(&walk, &protocols[count]))
        count++;
    if (walk.failed || reader_left(&walk) > 0 || packed.len > 2 * COMMAND_GROUP_BYTES_MAX)
        return ERR_DAMAGED;
    group_set_protocols(member, protocols, count);
    return 0;
}

int group_member_load_row(struct catalog *catalog, struct group *group,
                          struct reader *row)
{
    struct slice id = db_get_bytes(row), instance = get_nullable(row);
    struct slice client_id = db_get_bytes(row), client_host = db_get_bytes(row);
    bool damaged = false;

    if (group == NULL || id.len == 0 || group_find_member(group, id) != NULL ||
        group_static_member(group, instance) != NULL)
        return ERR_DAMAGED;
    int32_t session_ms = get_i32(row, &damaged), rebalance_ms = get_i32(row, &damaged);
    bool pending = db_get_int(row) != 0;
    struct group_member *member = group_add_member(catalog, group, id, instance, pending);
    group_set_client(member, client_id, client_host);
    member->session_ms = session_ms;
    member->rebalance_ms = rebalance_ms;
    int rc = load_protocols(member, db_get_bytes(row));
    member->since_generation = get_i32(row, &damaged);
    group_set_joined(member, get_i32(row, &damaged));
    group_set_synced(member, get_i32(row, &damaged));
    int32_t assigned = get_i32(row, &damaged);
    group_set_assignment(member, get_nullable(row));
    member->assigned_generation = assigned;
    if (rc == 0)
        rc = consumer_member_read(member, db_get_bytes(row));
    if (member->serial == group->leader_serial)
        group->leader = member;
    return damaged ? ERR_DAMAGED : rc;
}

/* Whether all members of a classic group speak a protocol in common, the group's. */
static bool agree(const struct group *group)
{
    struct join_protocol protocol;
    struct reader walk;

    reader_init(&walk, group_member_next(group, NULL)->protocols);
    while (group_member_protocol(&walk, &protocol)) {
        const struct group_vote *vote;
        HASH_FIND(hh, group->votes, protocol.name.ptr, protocol.name.len, vote);
        if (vote != NULL && vote->members == group->member_count)
            return true;
    }
    return false;
}

int group_loaded(struct group *group)
{
    bool has_leader = group->leader != NULL;

    if (group->cluster->doomed != 0) /* PURGE may be anywhere */
        return 0;
    if (has_leader != (group->leader_serial != 0) ||
        (has_leader && group->leader->pending))
        return ERR_DAMAGED;
    if (group->kind == GROUP_CONSUMER)
        return has_leader ? ERR_DAMAGED : consumer_group_loaded(group);
    /* What the transitions rely on. */
    if (group->state > GROUP_STABLE ||
        (group->state == GROUP_EMPTY) != (group->member_count == 0) ||
        has_leader != (group->member_count > 0))
        return ERR_DAMAGED;
    return group->member_count == 0 || agree(group) ? 0 : ERR_DAMAGED;
}
