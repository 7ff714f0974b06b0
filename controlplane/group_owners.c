/* group_owners.c - the assignments of a classic group, as one sorted array. */
#include "controlplane/group_owners.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane/group_consumer.h"
#include "proto/consumer_protocol.h"

struct group_owned {
    struct slice topic; /* its name; borrows from the member's assignment */
    int32_t partition;
    const struct group_member *member;
};

static int by_place(const void *a, const void *b)
{
    const struct group_owned *x = a, *y = b;
    int order = slice_cmp(x->topic, y->topic);
    return order != 0 ? order
                      : (x->partition > y->partition) - (x->partition < y->partition);
}

/* Is it one whose members' assignments can be read, and are they few enough? */
static bool is_readable(const struct group *group)
{
    const struct group_member *member = NULL;
    size_t bytes = 0;

    if (group->kind != GROUP_CLASSIC || group->state != GROUP_STABLE ||
        !slice_eq_str(group->protocol_type, "consumer"))
        return false;
    while ((member = group_member_next(group, member)) != NULL)
        bytes += member->assignment.len;
    return bytes <= GROUP_OWNERS_BYTES_MAX;
}

static size_t count_of(const struct consumer_protocol_assignment *assignment)
{
    size_t count = 0;
    for (size_t i = 0; i < assignment->assigned_partitions_count; i++)
        count += assignment->assigned_partitions[i].partitions_count;
    return count;
}

static bool read_member(const struct group_member *member, struct arena *arena,
                        struct consumer_protocol_assignment *assignment)
{
    return member->assignment.len > 0 &&
           consumer_protocol_read_assignment(member->assignment, arena, assignment) == 0;
}

static void add_member(struct group_owners *owners, const struct group_member *member,
                       const struct consumer_protocol_assignment *assignment)
{
    for (size_t i = 0; i < assignment->assigned_partitions_count; i++) {
        const struct consumer_protocol_assignment_assigned *topic =
            &assignment->assigned_partitions[i];
        for (size_t j = 0; j < topic->partitions_count; j++)
            owners->owned[owners->count++] = (struct group_owned){
                .topic = topic->topic,
                .partition = topic->partitions[j],
                .member = member,
            };
    }
}

void group_owners_init(struct group_owners *owners, const struct group *group,
                       struct arena *arena)
{
    struct consumer_protocol_assignment *assignments;
    const struct group_member *member = NULL;
    size_t total = 0, i = 0;

    *owners = (struct group_owners){.group = group};
    if (group == NULL || !is_readable(group))
        return;
    assignments = arena_array(arena, group->member_count, sizeof(*assignments));
    for (; (member = group_member_next(group, member)) != NULL; i++) {
        if (!read_member(member, arena, &assignments[i]))
            memset(&assignments[i], 0, sizeof(assignments[i]));
        total += count_of(&assignments[i]);
    }
    owners->owned = arena_array(arena, total, sizeof(*owners->owned));
    for (i = 0; (member = group_member_next(group, member)) != NULL; i++)
        add_member(owners, member, &assignments[i]);
    if (owners->count > 1)
        qsort(owners->owned, owners->count, sizeof(*owners->owned), by_place);
}

const struct group_member *group_owners_find(const struct group_owners *owners,
                                             const struct topic *topic, int32_t partition)
{
    const struct group_owned wanted = {.topic = slice_str(topic->name),
                                       .partition = partition};
    const struct group_owned *found;

    if (owners->group != NULL && owners->group->kind == GROUP_CONSUMER)
        return consumer_group_owner(owners->group, &topic->topic_id, partition);
    if (owners->count == 0)
        return NULL;
    found = bsearch(&wanted, owners->owned, owners->count, sizeof(wanted), by_place);
    return found == NULL ? NULL : found->member;
}
