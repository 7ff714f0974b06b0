/* group_convert.c - classic members of a consumer group, and groups that change their
 * kind; see the header.
 *
 * Such a member subscribes with the metadata of its protocols ("consumer" only: others
 * are opaque), which list what it owns, and is told its partitions by names: here they
 * are ids, which stay the same when a topic is deleted and made again. */
#include "controlplane/group_convert.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/group_judge.h"
#include "controlplane/group_reconcile.h"
#include "proto/consumer_protocol.h"
#include "proto/kafka_error.h"

/* For one member's metadata or assignment, decoded. */
#define DECODED_MAX (32 * MIB)

/* ---- the consumer protocol ---- */

static struct slice first_protocol(const struct group_member *member,
                                   struct slice *metadata)
{
    struct join_protocol protocol = {SLICE_NULL, SLICE_NULL};
    struct reader walk;

    reader_init(&walk, member->protocols);
    (void)group_member_protocol(&walk, &protocol);
    *metadata = protocol.metadata;
    return protocol.name;
}

/* Partitions that a member names, as many as there are. */
struct named {
    struct partition_pair *pairs;
    size_t count, cap;
};

static void add_partitions(const struct cluster *cluster, struct slice name,
                           const int32_t *partitions, size_t count, struct named *named)
{
    const struct topic *topic = catalog_topic_by_name(cluster, name);

    for (size_t i = 0; topic != NULL && i < count; i++) {
        if (partitions[i] < 0 || partitions[i] >= topic->partition_count)
            continue;
        if (named->count == named->cap) {
            named->cap = named->cap == 0 ? 16 : named->cap * 2;
            named->pairs = mem_realloc(named->pairs, named->cap * sizeof(*named->pairs));
        }
        named->pairs[named->count++] =
            (struct partition_pair){topic->topic_id, partitions[i]};
    }
}

/* ... as a set, which was empty; NAMED is gone. */
static void take_named(struct named *named, struct partition_set *set)
{
    partition_set_build(set, named->pairs, named->count);
    mem_free(named->pairs);
}

void consumer_classic_keep_assignment(struct group_member *member)
{
    const struct partition_set *assigned = &member->consumer->assigned;
    struct consumer_protocol_assignment body = consumer_protocol_assignment_defaults;
    struct slice metadata;
    struct str bytes;

    (void)first_protocol(member, &metadata);
    int16_t version = 0;
    if (metadata.len >= 2)
        version = (int16_t)(metadata.ptr[0] << 8 | metadata.ptr[1]);
    body.assigned_partitions =
        mem_zalloc(MAX(assigned->topic_count, 1u) * sizeof(*body.assigned_partitions));
    for (uint32_t i = 0; i < assigned->topic_count; i++) {
        const struct partition_topic *had = &assigned->topics[i];
        const struct topic *topic = catalog_topic(member->group->cluster, &had->topic_id);
        if (topic == NULL)
            continue;
        body.assigned_partitions[body.assigned_partitions_count++] =
            (struct consumer_protocol_assignment_assigned){slice_str(topic->name),
                                                           had->partitions, had->count};
    }
    str_init(&bytes, COMMAND_GROUP_BYTES_MAX);
    int rc = consumer_protocol_write_assignment(
        MIN(MAX(version, (int16_t)0), (int16_t)CONSUMER_PROTOCOL_VERSION_MAX), &body,
        &bytes);
    group_set_assignment(member, rc == 0 ? str_slice(&bytes) : SLICE_NULL);
    str_fini(&bytes);
    mem_free(body.assigned_partitions);
}

/* ---- classic to consumer ---- */

/* What a classic member's bytes say. */
struct decoded {
    struct arena arena;
    struct consumer_protocol_subscription subscription;
    struct consumer_protocol_assignment assignment;
};

static bool decode_subscription(struct slice metadata, struct decoded *decoded)
{
    return consumer_protocol_read_subscription(metadata, &decoded->arena,
                                               &decoded->subscription) == 0;
}

/* False: MEMBER speaks something else. DECODED is to be ended in any case. */
static bool decode_member(const struct group_member *member, struct decoded *decoded)
{
    struct slice metadata = member->group->protocol.ptr == NULL
                                ? SLICE_NULL
                                : group_member_metadata(member, member->group->protocol);

    arena_init(&decoded->arena, DECODED_MAX);
    if (metadata.ptr == NULL)
        (void)first_protocol(member, &metadata);
    decoded->assignment = consumer_protocol_assignment_defaults;
    return decode_subscription(metadata, decoded) &&
           (member->assignment.len == 0 ||
            consumer_protocol_read_assignment(member->assignment, &decoded->arena,
                                              &decoded->assignment) == 0);
}

static bool convertible(const struct group *group)
{
    if (group->kind == GROUP_CONSUMER || group->member_count == 0 ||
        !slice_eq_str(group->protocol_type, "consumer"))
        return false;
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        struct decoded decoded;
        bool fits = decode_member(m, &decoded);
        arena_fini(&decoded.arena);
        if (!fits)
            return false;
    }
    return true;
}

/* Take those out of SET that somebody has: an assignor of the clients' may give one to
 * two, and here it is the first one's. */
static void drop_owned(const struct group *group, struct partition_set *set)
{
    struct partition_set free = {0};

    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        for (uint32_t j = 0; j < topic->count; j++) {
            if (consumer_group_owner(group, &topic->topic_id, topic->partitions[j]) ==
                NULL)
                (void)partition_set_add(&free, &topic->topic_id, topic->partitions[j]);
        }
    }
    partition_set_move(set, &free);
}

static void convert_member(struct state *state, struct group_member *member)
{
    struct partition_set assigned = {0}, none = {0};
    const struct group *group = member->group;
    struct named named = {0};
    struct decoded decoded;

    apply_touch(state, &member->row);
    bool fits = decode_member(member, &decoded);
    ASSERT(fits);
    consumer_member_new(member);
    consumer_set_classic(member, true);
    (void)consumer_take_names(member, decoded.subscription.topics,
                              (uint32_t)decoded.subscription.topics_count);
    (void)consumer_take_text(&member->consumer->rack, decoded.subscription.rack_id);
    for (size_t i = 0; i < decoded.assignment.assigned_partitions_count; i++)
        add_partitions(group->cluster, decoded.assignment.assigned_partitions[i].topic,
                       decoded.assignment.assigned_partitions[i].partitions,
                       decoded.assignment.assigned_partitions[i].partitions_count,
                       &named);
    arena_fini(&decoded.arena);
    take_named(&named, &assigned);
    drop_owned(group, &assigned);
    partition_set_copy(&member->consumer->target, &assigned);
    consumer_set_partitions(member, &assigned, &none);
    member->consumer->epoch = group->generation;
    member->consumer->previous_epoch = group->generation;
    member->consumer->moved_index = state->applied_index;
    consumer_count_member(member);
}

bool group_convert_to_consumer(struct state *state, struct group *group)
{
    if (!convertible(group))
        return false;
    struct slice protocol = group->protocol;
    group->protocol = SLICE_NULL; /* members are decoded by it, below */
    consumer_begin_group(state, group);
    group->protocol = protocol;
    group->leader = NULL;
    for (struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;)
        convert_member(state, m);
    group_set_text(&group->protocol, SLICE_NULL);
    group->state = consumer_group_state(group);
    return true;
}

/* ---- consumer to classic ---- */

void group_convert_empty(struct state *state, struct group *group)
{
    ASSERT(group->member_count == 0);
    apply_touch_group(state, group);
    consumer_group_free(group);
    group->kind = GROUP_EMPTY_KIND;
    group->state = GROUP_EMPTY;
    group_set_text(&group->protocol_type, SLICE_NULL);
}

/* They have what they have, and are told by their heartbeats to join again. */
void group_convert_to_classic(struct state *state, struct group *group)
{
    apply_touch_group(state, group);
    for (struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;) {
        apply_touch(state, &m->row);
        consumer_classic_keep_assignment(m);
        consumer_member_free(m);
        m->since_generation = group->generation;
        m->joined_generation = m->synced_generation = group->generation;
    }
    consumer_group_free(group);
    group->kind = GROUP_CLASSIC;
    group->state = GROUP_PREPARING;
    group->leader = group_member_next(group, NULL);
    group_set_text(&group->protocol, group_judge_vote(group));
    group_set_generation(group, group->generation);
}

/* ---- JoinGroup ---- */

struct join {
    struct state *state;
    struct group *group;
    const struct command *cmd;
    struct command_result *result;
    struct decoded decoded;
};

/* Whether CMD has a protocol that all classic members speak. */
static bool speaks(const struct group *group, const struct command *cmd)
{
    bool any = group->consumer->classic_count == 0 && cmd->group_join.protocol_count > 0;

    for (uint32_t i = 0; i < cmd->group_join.protocol_count && !any; i++) {
        struct slice name = cmd->group_join.protocols[i].name;
        const struct group_vote *vote;
        HASH_FIND(hh, group->votes, name.ptr, name.len, vote);
        any = vote != NULL && vote->members == group->consumer->classic_count;
    }
    return any && slice_eq_str(cmd->group_join.protocol_type, "consumer");
}

/* The member that joins: known, in a static one's place, or NULL for a new one; or an
 * error. */
static int16_t find_joiner(const struct join *j, struct group_member **member)
{
    struct slice id = j->cmd->group_join.member_id;
    struct slice instance = j->cmd->group_join.instance_id;
    struct group_member *owner = group_static_member(j->group, instance);

    *member = instance.ptr == NULL ? group_find_member(j->group, id) : owner;
    if (instance.ptr == NULL || id.len == 0)
        return 0;
    if (owner == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return slice_eq(owner->member_id, id) ? 0 : KAFKA_FENCED_INSTANCE_ID;
}

static bool join_has_room(struct join *j, const struct group_member *member)
{
    const struct command *cmd = j->cmd;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < cmd->group_join.protocol_count; i++)
        bytes += 2 * cmd->group_join.protocols[i].metadata.len +
                 cmd->group_join.protocols[i].name.len;
    if (member == NULL)
        bytes += METADATA_MEMBER_BYTES + cmd->group_join.new_member_id.len +
                 cmd->group_join.instance_id.len + cmd->group_join.client_id.len +
                 cmd->group_join.client_host.len;
    else
        bytes -= MIN(bytes, member->protocols.len + member->consumer->bytes);
    return apply_group_room(j->state, j->group->cluster, bytes,
                            cmd->group_join.limits.metadata_max);
}

/* MEMBER speaks the classic protocol from now on, and says what CMD says. Returns whether
 * it subscribes to something else than before. */
static bool take_join(struct join *j, struct group_member *member)
{
    const struct command *cmd = j->cmd;
    const struct consumer_protocol_subscription *said = &j->decoded.subscription;

    group_set_client(member, cmd->group_join.client_id, cmd->group_join.client_host);
    group_set_protocols(member, cmd->group_join.protocols,
                        cmd->group_join.protocol_count);
    member->session_ms = cmd->group_join.session_ms;
    member->rebalance_ms = cmd->group_join.rebalance_ms;
    consumer_set_classic(member, true);
    group_set_text(&member->consumer->assignor, SLICE_NULL);
    (void)consumer_take_text(&member->consumer->rack, said->rack_id);
    bool others = member->consumer->regex.len > 0;
    consumer_set_regex(member, SLICE_NULL);
    others |= consumer_take_names(member, said->topics, (uint32_t)said->topics_count);
    member->consumer->awaits_sync = true;
    consumer_count_member(member);
    return others;
}

static struct group_member *enter(struct join *j, struct group_member *member)
{
    const struct command *cmd = j->cmd;
    struct slice id = cmd->group_join.member_id.len > 0 ? cmd->group_join.member_id
                                                        : cmd->group_join.new_member_id;

    if (member == NULL) {
        member =
            apply_add_member(j->state, j->group, id, cmd->group_join.instance_id, false);
        consumer_member_new(member);
        return member;
    }
    apply_touch(j->state, &member->row);
    if (!slice_eq(member->member_id, id)) {
        group_rename_member(member, id);
        member->consumer->previous_epoch = member->consumer->epoch;
        member->consumer->epoch = 0;
    }
    return member;
}

static void join(struct join *j, struct group_member *member)
{
    const struct consumer_protocol_subscription *said = &j->decoded.subscription;
    struct partition_set owned = {0};
    struct named named = {0};
    bool is_new = member == NULL;

    apply_touch_group(j->state, j->group);
    member = enter(j, member);
    bool others = take_join(j, member);
    for (size_t i = 0; i < said->owned_partitions_count; i++)
        add_partitions(j->group->cluster, said->owned_partitions[i].topic,
                       said->owned_partitions[i].partitions,
                       said->owned_partitions[i].partitions_count, &named);
    take_named(&named, &owned);
    (void)consumer_advance(j->state, member, others, &owned, others && !is_new);
    partition_set_fini(&owned);
    member->consumer->moved_index = j->state->applied_index;
    consumer_classic_keep_assignment(member);
    j->result->data = member->member_id;
    /* A static member of the consumer protocol was the last one, and is classic now. */
    if (j->group->consumer->classic_count == j->group->member_count &&
        (j->group->consumer->flags & CONSUMER_MAY_DOWNGRADE) != 0)
        group_convert_to_classic(j->state, j->group);
    apply_group_changed(j->state, j->group);
}

static bool is_full(const struct join *j, const struct group_member *member)
{
    uint32_t most = MIN(j->cmd->group_join.limits.members_max, GROUP_MEMBERS_MAX);
    return member == NULL && j->group->member_count >= most;
}

void consumer_apply_join(struct state *state, struct group *group,
                         const struct command *cmd, struct command_result *result)
{
    struct join j = {.state = state, .group = group, .cmd = cmd, .result = result};
    bool asks_id = cmd->group_join.member_id.len == 0 &&
                   cmd->group_join.instance_id.ptr == NULL &&
                   cmd->group_join.require_known_id;
    struct group_member *member = NULL;

    arena_init(&j.decoded.arena, DECODED_MAX);
    int16_t error = find_joiner(&j, &member);
    if (error == 0 && is_full(&j, member))
        error = KAFKA_GROUP_MAX_SIZE_REACHED;
    if (error == 0 &&
        (!speaks(group, cmd) ||
         !decode_subscription(cmd->group_join.protocols[0].metadata, &j.decoded)))
        error = KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    if (error == 0 && cmd->group_join.member_id.len == 0 &&
        group_find_member(group, cmd->group_join.new_member_id) != NULL)
        error = KAFKA_UNKNOWN_MEMBER_ID; /* not a new id: the client asks again */
    /* One that the group gave up without its knowing: what it has is others' by now, and
     * has to be dropped at once, not when it has joined. */
    if (error == 0 && member == NULL && cmd->group_join.member_id.len > 0 &&
        j.decoded.subscription.owned_partitions_count > 0)
        error = KAFKA_UNKNOWN_MEMBER_ID;
    if (error == 0 && asks_id) {
        /* Nothing is kept: whoever comes with an id, and owns nothing, is welcome. */
        result->data = cmd->group_join.new_member_id;
        error = KAFKA_MEMBER_ID_REQUIRED;
    }
    if (error == 0 && !join_has_room(&j, member))
        error = KAFKA_POLICY_VIOLATION;
    if (error == 0)
        join(&j, member);
    else
        apply_refuse_kafka(state, error, result);
    arena_fini(&j.decoded.arena);
}

/* ---- the other requests of classic members ---- */

/* 0, 25 or 82; and 25 for a member of the consumer protocol. */
static int16_t judge_classic(const struct group *group, struct slice member_id,
                             struct slice instance_id)
{
    int16_t error = group_judge_member(group, member_id, instance_id);
    if (error == 0 && !group_find_member(group, member_id)->consumer->classic)
        error = KAFKA_UNKNOWN_MEMBER_ID;
    return error;
}

bool consumer_classic_poll_join(const struct group *group, struct slice member_id,
                                struct slice instance_id,
                                struct group_join_answer *answer)
{
    const struct group_member *member = group_find_member(group, member_id);
    struct slice metadata;

    memset(answer, 0, sizeof(*answer));
    answer->error = judge_classic(group, member_id, instance_id);
    /* It waited in the classic group that this one was. */
    if (answer->error == 0 && !member->consumer->awaits_sync)
        answer->error = KAFKA_REBALANCE_IN_PROGRESS;
    if (answer->error != 0)
        return true;
    answer->generation = member->consumer->epoch;
    answer->protocol_type = group->protocol_type;
    answer->protocol = first_protocol(member, &metadata);
    answer->leader = SLICE_LITERAL("");
    return true;
}

/* What a sync of the classic MEMBER_ID is refused with. */
static int16_t judge_sync(const struct group *group, int32_t generation,
                          struct slice member_id, struct slice instance_id)
{
    const struct group_member *member = group_find_member(group, member_id);

    int16_t error = judge_classic(group, member_id, instance_id);
    if (error != 0)
        return error;
    if (generation != member->consumer->epoch)
        return KAFKA_ILLEGAL_GENERATION;
    /* One that has to give something up learns of it by this answer. */
    if (group->generation > member->consumer->epoch &&
        member->consumer->state != CONSUMER_UNREVOKED)
        return KAFKA_REBALANCE_IN_PROGRESS;
    return 0;
}

bool consumer_classic_poll_sync(const struct group *group, int32_t generation,
                                struct slice member_id, struct slice instance_id,
                                struct group_sync_answer *answer)
{
    const struct group_member *member = group_find_member(group, member_id);
    struct slice metadata;

    memset(answer, 0, sizeof(*answer));
    answer->error = judge_sync(group, generation, member_id, instance_id);
    if (answer->error != 0)
        return true;
    answer->protocol_type = group->protocol_type;
    answer->protocol = first_protocol(member, &metadata);
    answer->assignment = member->assignment;
    return true;
}

int16_t consumer_classic_heartbeat(const struct group *group, int32_t generation,
                                   struct slice member_id, struct slice instance_id)
{
    const struct group_member *member = group_find_member(group, member_id);

    int16_t error = judge_classic(group, member_id, instance_id);
    if (error != 0)
        return error;
    if (generation != member->consumer->epoch)
        return KAFKA_ILLEGAL_GENERATION;
    return consumer_classic_must_rejoin(member) ? KAFKA_REBALANCE_IN_PROGRESS : 0;
}

static int16_t judge_sync_command(const struct group *group, const struct command *cmd)
{
    struct slice type = cmd->group_sync.protocol_type;
    struct slice name = cmd->group_sync.protocol_name, metadata;

    int16_t error =
        judge_classic(group, cmd->group_sync.member_id, cmd->group_sync.instance_id);
    if (error != 0)
        return error;
    const struct group_member *member =
        group_find_member(group, cmd->group_sync.member_id);
    if ((type.ptr != NULL && !slice_eq(type, group->protocol_type)) ||
        (name.ptr != NULL && !slice_eq(name, first_protocol(member, &metadata))))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return judge_sync(group, cmd->group_sync.generation, cmd->group_sync.member_id,
                      cmd->group_sync.instance_id);
}

bool consumer_classic_sync_changes(const struct group *group, const struct command *cmd)
{
    return judge_sync_command(group, cmd) != 0 ||
           group_find_member(group, cmd->group_sync.member_id)->consumer->awaits_sync;
}

void consumer_apply_sync(struct state *state, struct group *group,
                         const struct command *cmd, struct command_result *result)
{
    int16_t error = judge_sync_command(group, cmd);
    struct group_member *member = group_find_member(group, cmd->group_sync.member_id);

    if (error != 0) {
        apply_refuse_kafka(state, error, result);
    } else if (member->consumer->awaits_sync) {
        apply_touch_group(state, group);
        apply_touch(state, &member->row);
        member->consumer->awaits_sync = false;
        apply_group_changed(state, group);
    }
}

int16_t consumer_apply_leaver(struct state *state, struct group *group,
                              const struct group_leaver *leaver)
{
    struct group_member *member = group_find_member(group, leaver->member_id);
    int16_t error = 0;

    if (leaver->member_id.len == 0) { /* somebody removes it by its instance */
        member = group_static_member(group, leaver->instance_id);
        error = member == NULL ? KAFKA_UNKNOWN_MEMBER_ID : 0;
    } else {
        error = judge_classic(group, leaver->member_id, leaver->instance_id);
    }
    if (error == 0)
        consumer_drop_member(state, member);
    return error;
}

bool consumer_apply_expiry(struct state *state, struct group *group,
                           const struct group_expiry *expiry)
{
    struct group_member *member = group_find_member(group, expiry->member_id);

    if (member == NULL || member->consumer->epoch != expiry->epoch)
        return false;
    consumer_drop_member(state, member);
    return true;
}
