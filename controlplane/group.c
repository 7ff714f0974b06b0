/* group.c - groups and members: found, added, removed, counted. What the changes mean is
 * group_classic.c's and group_consumer.c's. */
#include "controlplane/group.h"
#include "controlplane/group_consumer.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"

/* ---- small parts ---- */

static struct slice dup_bytes(struct slice s)
{
    if (s.ptr == NULL)
        return SLICE_NULL;
    uint8_t *copy = mem_alloc(MAX(s.len, (size_t)1));
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return slice_of(copy, s.len);
}

static void free_bytes(struct slice s)
{
    mem_free((void *)(uintptr_t)s.ptr);
}

void group_set_text(struct slice *field, struct slice value)
{
    struct slice copy = dup_bytes(value);
    free_bytes(*field);
    *field = copy;
}

void group_count_bytes(struct group *group, int64_t change)
{
    group->bytes += (uint64_t)change;
    group->cluster->group_bytes += (uint64_t)change;
}

static void count_member(struct group_member *member)
{
    uint64_t bytes = METADATA_MEMBER_BYTES + member->member_id.len +
                     member->instance_id.len + member->client_id.len +
                     member->client_host.len + member->protocols.len +
                     member->assignment.len;
    member->group->cluster->group_bytes += bytes - member->bytes;
    member->bytes = bytes;
}

/* ---- reading ---- */

struct group *group_find(const struct cluster *cluster, struct slice group_id)
{
    struct group *group = NULL;
    if (group_id.ptr != NULL)
        HASH_FIND(hh, cluster->groups_by_id, group_id.ptr, group_id.len, group);
    return group;
}

struct group_member *group_find_member(const struct group *group, struct slice member_id)
{
    struct group_member *member = NULL;
    if (group != NULL && member_id.ptr != NULL)
        HASH_FIND(hh, group->by_id, member_id.ptr, member_id.len, member);
    return member;
}

struct group_member *group_static_member(const struct group *group,
                                         struct slice instance_id)
{
    struct group_member *member = NULL;
    if (group != NULL && instance_id.ptr != NULL)
        HASH_FIND(hh_instance, group->by_instance, instance_id.ptr, instance_id.len,
                  member);
    return member;
}

/* The one behind MEMBER in LIST, or its first. */
static struct group_member *member_after(const struct list *list,
                                         const struct group_member *member)
{
    struct list_node *next = member == NULL ? list->head.next : member->node.next;
    return next == &list->head ? NULL : CONTAINER_OF(next, struct group_member, node);
}

struct group_member *group_member_next(const struct group *group,
                                       const struct group_member *member)
{
    return group == NULL ? NULL : member_after(&group->members, member);
}

struct group_member *group_pending_next(const struct group *group,
                                        const struct group_member *member)
{
    return group == NULL ? NULL : member_after(&group->pending, member);
}

bool group_member_protocol(struct reader *walk, struct join_protocol *protocol)
{
    if (reader_left(walk) == 0)
        return false;
    protocol->name = reader_bytes(walk, reader_uvarint(walk));
    protocol->metadata = reader_bytes(walk, reader_uvarint(walk));
    return !walk->failed;
}

struct slice group_member_metadata(const struct group_member *member, struct slice name)
{
    struct join_protocol protocol;
    struct reader walk;

    reader_init(&walk, member->protocols);
    while (group_member_protocol(&walk, &protocol)) {
        if (slice_eq(protocol.name, name))
            return protocol.metadata;
    }
    return SLICE_NULL;
}

int32_t group_next_generation(const struct group *group)
{
    return group->generation == INT32_MAX ? 1 : group->generation + 1;
}

bool group_member_joined(const struct group_member *member)
{
    return !member->pending &&
           member->joined_generation == group_next_generation(member->group);
}

bool group_member_new(const struct group_member *member)
{
    return !member->pending &&
           member->since_generation == group_next_generation(member->group);
}

bool group_member_synced(const struct group_member *member)
{
    return !member->pending && member->synced_generation == member->group->generation;
}

int32_t group_rebalance_ms(const struct group *group)
{
    int32_t greatest = 0;
    for (const struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;)
        greatest = MAX(greatest, m->rebalance_ms);
    return greatest;
}

const char *group_state_name(enum group_state state)
{
    switch (state) {
    case GROUP_EMPTY:
        return "Empty";
    case GROUP_PREPARING:
        return "PreparingRebalance";
    case GROUP_COMPLETING:
        return "CompletingRebalance";
    case GROUP_STABLE:
        return "Stable";
    case GROUP_DEAD:
        return "Dead";
    case GROUP_ASSIGNING:
        return "Assigning";
    case GROUP_RECONCILING:
        return "Reconciling";
    }
    return "Unknown";
}

const char *group_kind_name(enum group_kind kind)
{
    return kind == GROUP_CONSUMER ? "consumer" : "classic";
}

/* ---- votes ---- */

/* Whether a protocol of that name was in WALK before FIRST: a member may repeat one, and
 * is counted once. */
static bool named_before(struct reader walk, const uint8_t *first, struct slice name)
{
    struct join_protocol protocol;
    while (group_member_protocol(&walk, &protocol) && protocol.name.ptr < first) {
        if (slice_eq(protocol.name, name))
            return true;
    }
    return false;
}

static void vote_for(struct group *group, struct slice name)
{
    struct group_vote *vote;
    HASH_FIND(hh, group->votes, name.ptr, name.len, vote);
    if (vote == NULL) {
        vote = mem_zalloc(sizeof(*vote));
        vote->name = dup_bytes(name);
        HASH_ADD_KEYPTR(hh, group->votes, vote->name.ptr, vote->name.len, vote);
    }
    vote->members++;
}

static void withdraw_vote(struct group *group, struct slice name)
{
    struct group_vote *vote;
    HASH_FIND(hh, group->votes, name.ptr, name.len, vote);
    ASSERT(vote != NULL);
    if (--vote->members > 0)
        return;
    HASH_DELETE(hh, group->votes, vote);
    free_bytes(vote->name);
    mem_free(vote);
}

static void each_vote(struct group_member *member,
                      void (*count)(struct group *group, struct slice name))
{
    struct join_protocol protocol;
    struct reader walk, all;

    reader_init(&all, member->protocols);
    walk = all;
    while (group_member_protocol(&walk, &protocol)) {
        if (!named_before(all, protocol.name.ptr, protocol.name))
            count(member->group, protocol.name);
    }
}

/* ---- counts of joined and synced members ---- */

/* MEMBER stops, or begins, to be counted as what it is. */
static void count_phases(struct group_member *member, bool begins)
{
    struct group *group = member->group;
    uint32_t joined = group_member_joined(member), synced = group_member_synced(member);
    group->joined_count += begins ? joined : 0 - joined;
    group->synced_count += begins ? synced : 0 - synced;
}

void group_set_joined(struct group_member *member, int32_t generation)
{
    count_phases(member, false);
    member->joined_generation = generation;
    count_phases(member, true);
}

void group_set_synced(struct group_member *member, int32_t generation)
{
    count_phases(member, false);
    member->synced_generation = generation;
    count_phases(member, true);
}

void group_set_generation(struct group *group, int32_t generation)
{
    group->generation = generation;
    group->joined_count = group->synced_count = 0;
    for (struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;)
        count_phases(m, true);
}

/* ---- groups ---- */

struct group *group_add(struct catalog *catalog, struct cluster *cluster,
                        struct slice group_id, int64_t now_ms)
{
    struct group *group = mem_zalloc(sizeof(*group));
    group->group_id = dup_bytes(group_id);
    group->cluster = cluster;
    group->state = GROUP_EMPTY;
    group->created_at_ms = now_ms;
    group->empty_since_ms = now_ms;
    group->serial = catalog->next_serial++;
    list_init(&group->members);
    list_init(&group->pending);
    row_init(&group->row, ROW_GROUP);
    list_push_back(&cluster->groups, &group->node);
    cluster->group_count++;
    HASH_ADD_KEYPTR(hh, cluster->groups_by_id, group->group_id.ptr, group_id.len, group);
    group_count_bytes(group, (int64_t)(METADATA_GROUP_BYTES + group_id.len));
    return group;
}

void group_remove(struct group *group)
{
    struct cluster *cluster = group->cluster;
    struct group_member *member;

    ASSERT(group->offsets == NULL);
    while ((member = group_member_next(group, NULL)) != NULL ||
           (member = group_pending_next(group, NULL)) != NULL)
        group_remove_member(member);
    ASSERT(group->votes == NULL);
    consumer_group_free(group);
    cluster->group_bytes -= group->bytes;
    cluster->group_count--;
    list_remove(&group->node);
    list_remove(&group->row.dirty);
    HASH_DELETE(hh, cluster->groups_by_id, group);
    free_bytes(group->group_id);
    free_bytes(group->protocol_type);
    free_bytes(group->protocol);
    mem_free(group);
}

/* ---- members ---- */

static void enter(struct group_member *member)
{
    struct group *group = member->group;

    list_push_back(member->pending ? &group->pending : &group->members, &member->node);
    if (member->pending)
        group->pending_count++;
    else
        group->member_count++;
    if (member->instance_id.ptr != NULL)
        HASH_ADD_KEYPTR(hh_instance, group->by_instance, member->instance_id.ptr,
                        member->instance_id.len, member);
    count_phases(member, true);
}

static void quit(struct group_member *member)
{
    struct group *group = member->group;

    count_phases(member, false);
    list_remove(&member->node);
    if (member->pending)
        group->pending_count--;
    else
        group->member_count--;
    if (member->instance_id.ptr != NULL)
        HASH_DELETE(hh_instance, group->by_instance, member);
}

struct group_member *group_add_member(struct catalog *catalog, struct group *group,
                                      struct slice member_id, struct slice instance_id,
                                      bool pending)
{
    struct group_member *member = mem_zalloc(sizeof(*member));
    member->group = group;
    member->member_id = dup_bytes(member_id);
    member->instance_id = dup_bytes(instance_id);
    member->pending = pending;
    member->since_generation = group_next_generation(group);
    member->joined_generation = -1;
    member->synced_generation = -1;
    member->assigned_generation = -1;
    member->serial = catalog->next_serial++;
    row_init(&member->row, ROW_GROUP_MEMBER);
    HASH_ADD_KEYPTR(hh, group->by_id, member->member_id.ptr, member_id.len, member);
    enter(member);
    count_member(member);
    return member;
}

void group_remove_member(struct group_member *member)
{
    struct group *group = member->group;

    consumer_member_free(member);
    quit(member);
    each_vote(member, withdraw_vote);
    if (group->leader == member)
        group->leader = NULL;
    group->cluster->group_bytes -= member->bytes;
    HASH_DELETE(hh, group->by_id, member);
    list_remove(&member->row.dirty);
    free_bytes(member->member_id);
    free_bytes(member->instance_id);
    free_bytes(member->client_id);
    free_bytes(member->client_host);
    free_bytes(member->protocols);
    free_bytes(member->assignment);
    mem_free(member);
}

void group_rename_member(struct group_member *member, struct slice member_id)
{
    struct group *group = member->group;

    HASH_DELETE(hh, group->by_id, member);
    group_set_text(&member->member_id, member_id);
    HASH_ADD_KEYPTR(hh, group->by_id, member->member_id.ptr, member->member_id.len,
                    member);
    count_member(member);
}

void group_set_client(struct group_member *member, struct slice client_id,
                      struct slice client_host)
{
    group_set_text(&member->client_id, client_id);
    group_set_text(&member->client_host, client_host);
    count_member(member);
}

void group_set_protocols(struct group_member *member,
                         const struct join_protocol *protocols, uint32_t count)
{
    struct str packed;

    each_vote(member, withdraw_vote);
    str_init(&packed, 2 * COMMAND_GROUP_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        write_uvarint(&packed, protocols[i].name.len);
        str_append_slice(&packed, protocols[i].name);
        write_uvarint(&packed, protocols[i].metadata.len);
        str_append_slice(&packed, protocols[i].metadata);
    }
    ASSERT(!packed.overflowed);
    group_set_text(&member->protocols, str_slice(&packed));
    str_fini(&packed);
    member->protocol_count = count;
    each_vote(member, vote_for);
    count_member(member);
}

void group_set_assignment(struct group_member *member, struct slice assignment)
{
    group_set_text(&member->assignment, assignment);
    member->assigned_generation = member->group->generation;
    count_member(member);
}
