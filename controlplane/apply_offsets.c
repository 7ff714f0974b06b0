/* apply_offsets.c - consumer groups commit offsets, and forget them.
 *
 * A commit is judged as Kafka's coordinator does: by generation or member epoch, unless
 * it is nobody's (-1) and the group has no members; that makes a group that is not there.
 * Whoever may commit at all may still be refused single partitions. All commits of one
 * agents' call are one command, walked without being unfolded; a commit to partitions
 * that the group has committed before allocates nothing.
 *
 * An agent repeats a call whose answer was lost, and what it repeats may have been
 * overtaken by what the client did through another agent. So a commit says since when it
 * has been on its way, and does not replace an offset that was committed after that.
 *
 * Offsets expire (KIP-211) when their group has been empty for the retention; those of
 * groups that only commit, and of topics that nobody of a group reads any more, when they
 * were committed so long ago. A group that has neither members nor offsets goes. */
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"
#include "controlplane/group.h"
#include "controlplane/group_classic.h"
#include "controlplane/group_consumer.h"
#include "controlplane/group_offsets.h"
#include "controlplane/group_topics.h"
#include "proto/kafka_error.h"
#include "proto/offset_commit.h"

/* ---- commit ---- */

/* One commit of a command, being applied. */
struct committing {
    struct state *state;
    const struct command *cmd;
    struct cluster *cluster;
    struct offset_commits *walk;
    struct offset_commit commit;
    struct group *group; /* NULL: not there, or not yet */
    int16_t error;       /* of all */
    uint32_t position, exceptions;
    int64_t last_exception;
};

static int16_t judge_commit(const struct group *group, const struct offset_commit *commit)
{
    bool knows_epochs = (commit->flags & OFFSET_COMMIT_KNOWS_EPOCHS) != 0;

    if (group == NULL && commit->generation < 0)
        return 0;
    if (group == NULL)
        return knows_epochs ? KAFKA_GROUP_ID_NOT_FOUND : KAFKA_ILLEGAL_GENERATION;
    if (group->kind == GROUP_CONSUMER)
        return consumer_check_commit(group, commit->generation, commit->member,
                                     knows_epochs);
    return group_classic_check_commit(group, commit->generation, commit->member,
                                      commit->instance);
}

static void except(struct committing *c, uint32_t position, int16_t error)
{
    offset_results_except(&c->state->offsets.exceptions, &c->last_exception, position,
                          error);
    c->exceptions++;
}

static struct committed_part *grow_parts(struct apply_offsets_scratch *s, uint32_t count)
{
    if (count > s->part_cap) {
        s->part_cap = MAX(count, 64u);
        s->parts = mem_realloc(s->parts, s->part_cap * sizeof(*s->parts));
        s->positions = mem_realloc(s->positions, s->part_cap * sizeof(*s->positions));
        s->errors = mem_realloc(s->errors, s->part_cap * sizeof(*s->errors));
        s->partitions = mem_realloc(s->partitions, s->part_cap * sizeof(*s->partitions));
    }
    return s->parts;
}

/* The group that a commit of nobody's makes: simple, without members. */
static struct group *make_group(struct committing *c)
{
    struct state *state = c->state;
    const struct command *cmd = c->cmd;

    if (c->cluster->group_count >= cmd->offsets_commit.groups_max)
        return NULL;
    return apply_add_group(state, c->cluster, c->commit.group, cmd->now_ms);
}

/* What of PARTS is new, or has more metadata than before, is refused: the cluster's
 * memory is used up. Who only goes on committing goes on. */
static void refuse_growth(struct apply_offsets_scratch *s,
                          const struct group_topic *group_topic, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct committed *old =
            group_topic == NULL || s->errors[i] != 0
                ? NULL
                : group_topic_get(group_topic, s->parts[i].partition);
        uint32_t had = old == NULL || old->metadata == NULL ? 0 : old->metadata->len;
        if (s->errors[i] == 0 && (old == NULL || s->parts[i].metadata.len > had))
            s->errors[i] = KAFKA_POLICY_VIOLATION;
    }
}

/* What was overtaken on its way is refused retriably: the client, should it still wait,
 * knows best. The commit itself, carried out before, is no obstacle to its repeat; nor is
 * another one of the same command. */
static void refuse_overtaken(const struct committing *c,
                             const struct group_topic *group_topic, uint32_t count)
{
    struct apply_offsets_scratch *s = &c->state->offsets;
    int64_t asked_at_ms = c->cmd->now_ms - c->commit.late_ms;

    for (uint32_t i = 0; i < count; i++) {
        const struct committed *old = group_topic_get(group_topic, s->parts[i].partition);
        if (old != NULL && s->errors[i] == 0 && old->committed_at_ms > asked_at_ms &&
            old->committed_at_ms < c->cmd->now_ms && !group_topic_says(old, &s->parts[i]))
            s->errors[i] = KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    }
}

/* Leave those without an error in PARTS. Returns how many. */
static uint32_t take_accepted(struct apply_offsets_scratch *s, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (s->errors[i] == 0)
            s->parts[kept++] = s->parts[i];
    }
    return kept;
}

static void store(struct committing *c, struct topic *topic, uint32_t count)
{
    struct apply_offsets_scratch *s = &c->state->offsets;
    uint64_t max = apply_limit(c->cluster->limits.metadata_bytes,
                               c->cmd->offsets_commit.metadata_max);
    struct group_topic *group_topic =
        c->group == NULL || topic == NULL ? NULL : group_topic_find(c->group, topic);

    if (group_topic != NULL && c->commit.late_ms > 0)
        refuse_overtaken(c, group_topic, count);
    if (max != 0 && catalog_metadata_bytes(c->cluster) >= max)
        refuse_growth(s, group_topic, count);
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < count; i++)
        accepted += s->errors[i] == 0;
    if (accepted > 0 && c->group == NULL && (c->group = make_group(c)) == NULL) {
        for (uint32_t i = 0; i < count; i++)
            s->errors[i] = s->errors[i] == 0 ? KAFKA_POLICY_VIOLATION : s->errors[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (s->errors[i] != 0)
            except(c, s->positions[i], s->errors[i]);
    }
    accepted = take_accepted(s, count);
    if (accepted == 0)
        return;
    if (group_topic == NULL)
        group_topic = group_topic_add(c->group, topic);
    apply_touch(c->state, &group_topic->row);
    group_topic_put(group_topic, s->parts, accepted, c->cmd->now_ms);
}

static void commit_topic(struct committing *c)
{
    struct apply_offsets_scratch *s = &c->state->offsets;
    struct offset_commit_topic of;

    offset_commits_next_topic(c->walk, &of);
    struct uuid id = offset_commits_id(c->walk, of.index);
    struct topic *topic = c->error != 0 ? NULL : catalog_topic(c->cluster, &id);
    struct committed_part *parts = grow_parts(s, of.partition_count);

    for (uint32_t i = 0; i < of.partition_count; i++) {
        struct offset_commit_partition part;
        offset_commits_next_partition(c->walk, &part);
        s->positions[i] = c->position++;
        s->errors[i] = topic == NULL ? KAFKA_UNKNOWN_TOPIC_ID
                       : part.partition >= topic->partition_count
                           ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                           : 0;
        parts[i] = (struct committed_part){.partition = part.partition,
                                           .leader_epoch = part.leader_epoch,
                                           .offset = part.offset,
                                           .metadata = part.metadata};
    }
    if (c->error == 0)
        store(c, topic, of.partition_count);
}

static void commit_one(struct committing *c)
{
    struct apply_offsets_scratch *s = &c->state->offsets;

    offset_commits_next(c->walk, &c->commit);
    c->group = group_find(c->cluster, c->commit.group);
    c->error = judge_commit(c->group, &c->commit);
    c->position = c->exceptions = 0;
    c->last_exception = -1;
    str_reset(&s->exceptions);
    bool is_new = c->group == NULL;
    for (uint32_t i = 0; i < c->commit.topic_count; i++)
        commit_topic(c);
    offset_results_write(&s->data, c->error, c->exceptions, str_slice(&s->exceptions));
    if (is_new && c->group != NULL)
        apply_group_changed(c->state, c->group);
}

void apply_offsets_commit(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    struct offset_commits walk;

    if (cluster == NULL)
        return;
    struct committing c = {.state = state, .cmd = cmd, .cluster = cluster, .walk = &walk};
    offset_commits_begin(&walk, cmd->offsets_commit.payload);
    str_reset(&state->offsets.data);
    offset_results_write_count(&state->offsets.data, walk.commit_count);
    for (uint32_t i = 0; i < walk.commit_count; i++)
        commit_one(&c);
    result->data = str_slice(&state->offsets.data);
}

/* ---- forgetting ---- */

/* GROUP_TOPIC has changed; or it is empty, and goes. */
static bool drop_if_empty(struct state *state, struct group_topic *group_topic)
{
    if (group_topic->count > 0)
        return false;
    apply_drop_group_topic(state, group_topic);
    return true;
}

void apply_drop_group_topic(struct state *state, struct group_topic *group_topic)
{
    apply_forget(state, &group_topic->row);
    checkpoint_delete_group_topic(group_topic, &state->deletes);
    group_topic_remove(group_topic);
}

void apply_drop_group_offsets(struct state *state, struct group *group)
{
    while (group->offsets != NULL)
        apply_drop_group_topic(state, group->offsets->topics[group->offsets->count - 1]);
}

/* ---- delete ---- */

/* Commits may be of the group without a name; it cannot be named otherwise (Kafka). */
static int16_t judge_delete(const struct group *group, struct slice group_id)
{
    if (group_id.len == 0)
        return KAFKA_INVALID_GROUP_ID;
    if (group == NULL)
        return KAFKA_GROUP_ID_NOT_FOUND;
    if (group->kind != GROUP_CONSUMER && group->member_count > 0 &&
        !group_topics_consumers(group))
        return KAFKA_NON_EMPTY_GROUP;
    return 0;
}

/* One topic of a deletion: its partitions are forgotten unless somebody reads it. */
static void delete_topic(struct committing *c, const struct group_topics *read)
{
    struct apply_offsets_scratch *s = &c->state->offsets;
    struct offset_commit_topic of;

    offset_commits_next_topic(c->walk, &of);
    struct uuid id = offset_commits_id(c->walk, of.index);
    struct topic *topic = c->error != 0 ? NULL : catalog_topic(c->cluster, &id);
    struct group_topic *group_topic =
        topic == NULL ? NULL : group_topic_find(c->group, topic);
    bool is_read = topic != NULL && group_topics_has(read, topic);
    int16_t error = topic == NULL ? KAFKA_UNKNOWN_TOPIC_ID
                    : is_read     ? KAFKA_GROUP_SUBSCRIBED_TO_TOPIC
                                  : 0;

    (void)grow_parts(s, of.partition_count);
    for (uint32_t i = 0; i < of.partition_count; i++) {
        struct offset_commit_partition part;
        offset_commits_next_partition(c->walk, &part);
        s->partitions[i] = part.partition;
        if (c->error == 0 && error != 0)
            except(c, c->position, error);
        c->position++;
    }
    if (error != 0 || group_topic == NULL)
        return;
    apply_touch(c->state, &group_topic->row);
    (void)group_topic_drop(group_topic, s->partitions, of.partition_count);
    (void)drop_if_empty(c->state, group_topic);
}

static void delete_one(struct committing *c)
{
    struct apply_offsets_scratch *s = &c->state->offsets;
    struct group_topics read;

    offset_commits_next(c->walk, &c->commit);
    c->group = group_find(c->cluster, c->commit.group);
    c->error = judge_delete(c->group, c->commit.group);
    c->position = c->exceptions = 0;
    c->last_exception = -1;
    str_reset(&s->exceptions);
    group_topics_init(&read, c->error == 0 ? c->group : NULL);
    for (uint32_t i = 0; i < c->commit.topic_count; i++)
        delete_topic(c, &read);
    group_topics_fini(&read);
    offset_results_write(&s->data, c->error, c->exceptions, str_slice(&s->exceptions));
}

void apply_offsets_delete(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);
    struct offset_commits walk;

    if (cluster == NULL)
        return;
    struct committing c = {.state = state, .cmd = cmd, .cluster = cluster, .walk = &walk};
    offset_commits_begin(&walk, cmd->offsets_delete.payload);
    str_reset(&state->offsets.data);
    offset_results_write_count(&state->offsets.data, walk.commit_count);
    for (uint32_t i = 0; i < walk.commit_count; i++)
        delete_one(&c);
    result->data = str_slice(&state->offsets.data);
}

/* ---- expire ---- */

/* What of a group's offsets may go. */
enum expiry {
    EXPIRE_NOTHING,
    EXPIRE_ALL,    /* the group has been empty for the retention */
    EXPIRE_OLD,    /* what was committed before the retention */
    EXPIRE_UNREAD, /* ... of topics that no member reads */
};

static enum expiry expiry_of(const struct group *group, int64_t before_ms)
{
    if (group->kind == GROUP_CONSUMER)
        return group->member_count == 0 ? EXPIRE_OLD : EXPIRE_UNREAD;
    if (group->protocol_type.ptr == NULL)
        return EXPIRE_OLD; /* a simple one: nobody ever joined */
    if (group->state == GROUP_EMPTY)
        return group->empty_since_ms <= before_ms ? EXPIRE_ALL : EXPIRE_NOTHING;
    return group->state == GROUP_STABLE && group_topics_consumers(group) ? EXPIRE_UNREAD
                                                                         : EXPIRE_NOTHING;
}

static bool has_old(const struct group_topic *group_topic, int64_t before_ms)
{
    for (uint32_t i = 0; i < group_topic->count; i++) {
        if (group_topic->items[i].committed_at_ms <= before_ms)
            return true;
    }
    return false;
}

static bool goes(const struct group *group)
{
    return group->member_count == 0 && group->pending_count == 0 &&
           group_topic_next(group, NULL) == NULL;
}

bool state_offsets_expire(const struct group *group, int64_t before_ms)
{
    enum expiry expiry = expiry_of(group, before_ms);
    const struct group_topic *group_topic = NULL;
    bool found = false;

    if (goes(group))
        return true;
    if (expiry == EXPIRE_NOTHING || expiry == EXPIRE_ALL)
        return expiry == EXPIRE_ALL;
    struct group_topics read;
    bool known = false; /* what they read is found out only when it matters */
    while (!found && (group_topic = group_topic_next(group, group_topic)) != NULL) {
        if (!has_old(group_topic, before_ms))
            continue;
        if (!known)
            group_topics_init(&read, expiry == EXPIRE_UNREAD ? group : NULL);
        known = true;
        found = !group_topics_has(&read, group_topic->topic);
    }
    if (known)
        group_topics_fini(&read);
    return found;
}

/* Returns how many offsets went. */
static uint64_t expire_offsets(struct state *state, struct group *group,
                               int64_t before_ms)
{
    enum expiry expiry = expiry_of(group, before_ms);
    struct group_topics read;
    uint64_t gone = 0;

    if (expiry == EXPIRE_NOTHING || group->offsets == NULL)
        return 0;
    group_topics_init(&read, expiry == EXPIRE_UNREAD ? group : NULL);
    for (uint32_t i = group->offsets->count; i > 0; i--) {
        struct group_topic *group_topic = group->offsets->topics[i - 1];
        if (group_topics_has(&read, group_topic->topic) ||
            group_topic->topic->doomed != 0)
            continue; /* what is doomed is PURGE's */
        if (expiry != EXPIRE_ALL && !has_old(group_topic, before_ms))
            continue;
        apply_touch(state, &group_topic->row);
        gone += group_topic_drop_older(group_topic,
                                       expiry == EXPIRE_ALL ? INT64_MAX : before_ms);
        if (drop_if_empty(state, group_topic) && group->offsets == NULL)
            break;
    }
    group_topics_fini(&read);
    return gone;
}

void apply_offsets_expire(struct state *state, const struct command *cmd,
                          struct command_result *result)
{
    struct cluster *cluster = apply_cluster(state, cmd, result);

    if (cluster == NULL)
        return;
    for (uint32_t i = 0; i < cmd->offsets_expire.group_count; i++) {
        struct group *group = group_find(cluster, cmd->offsets_expire.groups[i]);
        if (group == NULL)
            continue;
        result->value +=
            (int64_t)expire_offsets(state, group, cmd->offsets_expire.before_ms);
        if (!goes(group))
            continue;
        apply_drop_group(state, group);
        result->value++;
    }
}

/* ---- reading ---- */

static void view_offset(const struct group_topic *group_topic,
                        const struct committed *item, struct group_offset *offset)
{
    const struct committed_text *text = item->metadata;

    *offset = (struct group_offset){
        .topic = group_topic->topic,
        .partition = item->partition,
        .leader_epoch = item->leader_epoch,
        .offset = item->offset,
        .committed_at_ms = item->committed_at_ms,
        .metadata = text == NULL ? SLICE_LITERAL("") : slice_of(text->bytes, text->len)};
}

bool state_group_offset(const struct group *group, const struct topic *topic,
                        int32_t partition, struct group_offset *offset)
{
    const struct group_topic *group_topic =
        group == NULL || topic == NULL ? NULL : group_topic_find(group, topic);
    const struct committed *item =
        group_topic == NULL ? NULL : group_topic_get(group_topic, partition);

    if (item == NULL)
        return false;
    view_offset(group_topic, item, offset);
    return true;
}

bool state_group_offset_next(const struct group *group, struct group_offset_walk *walk,
                             struct group_offset *offset)
{
    if (walk->of_topic == NULL || walk->next == walk->of_topic->count) {
        walk->of_topic = group_topic_next(group, walk->of_topic);
        walk->next = 0;
    }
    if (walk->of_topic == NULL)
        return false;
    view_offset(walk->of_topic, &walk->of_topic->items[walk->next++], offset);
    return true;
}
