/* group_heartbeat.c - what the leader asks about heartbeats of KIP-848: is it valid, does
 * it change anything, what is the answer; and other requests by such members. Nothing
 * here changes the state, but for the note when the topics were looked at last. */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/group_reconcile.h"
#include "controlplane/topic_regex.h"
#include "proto/kafka_error.h"

#define NAMES_BYTES_MAX COMMAND_BYTES_MAX
/* Steps that resolving a group's expressions may take, all together: some 50 ms. */
#define REGEX_STEPS_MAX (UINT64_C(16) << 20)
/* Topics that one expression may match, and that a command may name for several. */
#define REGEX_TOPICS_MAX   100000
#define COMMAND_TOPICS_MAX 200000

/* ---- parts of a request ---- */

static bool is_empty(struct slice text)
{
    return text.ptr != NULL && text.len == 0;
}

int16_t consumer_heartbeat_check(const struct command *cmd, const char **message)
{
    int32_t epoch = cmd->consumer_heartbeat.member_epoch;
    const char *wrong = NULL;

    if (cmd->consumer_heartbeat.member_id.len == 0)
        wrong = "MemberId can't be empty.";
    else if (cmd->consumer_heartbeat.group_id.len == 0)
        wrong = "GroupId can't be empty.";
    else if (is_empty(cmd->consumer_heartbeat.instance_id))
        wrong = "InstanceId can't be empty.";
    else if (is_empty(cmd->consumer_heartbeat.rack_id))
        wrong = "RackId can't be empty.";
    else if (epoch == 0 && cmd->consumer_heartbeat.rebalance_ms == -1)
        wrong = "RebalanceTimeoutMs must be provided in first request.";
    else if (epoch == 0 && (!cmd->consumer_heartbeat.has_owned ||
                            cmd->consumer_heartbeat.owned_count > 0))
        wrong = "TopicPartitions must be empty when (re-)joining.";
    else if (epoch == 0 && !cmd->consumer_heartbeat.has_names &&
             cmd->consumer_heartbeat.regex.ptr == NULL)
        wrong = "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null "
                "when (re-)joining.";
    else if (epoch == CONSUMER_EPOCH_LEAVE_STATIC &&
             cmd->consumer_heartbeat.instance_id.ptr == NULL)
        wrong = "InstanceId can't be null.";
    else if (epoch < CONSUMER_EPOCH_LEAVE_STATIC)
        wrong = "MemberEpoch is invalid.";
    if (wrong != NULL) {
        *message = wrong;
        return KAFKA_INVALID_REQUEST;
    }
    if (cmd->consumer_heartbeat.assignor.ptr != NULL &&
        assignor_by_name(cmd->consumer_heartbeat.assignor) == ASSIGNOR_KINDS) {
        *message =
            "ServerAssignor is not supported. Supported assignors: uniform, range.";
        return KAFKA_UNSUPPORTED_ASSIGNOR;
    }
    return 0;
}

bool consumer_heartbeat_full(const struct command *cmd)
{
    return cmd->consumer_heartbeat.member_epoch == 0 ||
           (cmd->consumer_heartbeat.rebalance_ms != -1 &&
            (cmd->consumer_heartbeat.has_names ||
             cmd->consumer_heartbeat.regex.ptr != NULL) &&
            cmd->consumer_heartbeat.has_owned);
}

void consumer_owned(const struct command *cmd, struct partition_set *owned)
{
    struct partition_pair *pairs;
    size_t count = 0;

    memset(owned, 0, sizeof(*owned));
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.owned_count; i++)
        count += cmd->consumer_heartbeat.owned[i].partition_count;
    if (count == 0)
        return;
    pairs = mem_alloc(count * sizeof(*pairs));
    count = 0;
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.owned_count; i++) {
        const struct owned_topic *topic = &cmd->consumer_heartbeat.owned[i];
        for (uint32_t j = 0; j < topic->partition_count; j++)
            pairs[count++] =
                (struct partition_pair){topic->topic_id, topic->partitions[j]};
    }
    partition_set_build(owned, pairs, count);
    mem_free(pairs);
}

static int compare_names(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

uint32_t consumer_pack_names(const struct slice *names, uint32_t count, struct str *out)
{
    struct slice *sorted = mem_dup(names, count * sizeof(*names));
    uint32_t kept = 0;

    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), compare_names);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && slice_eq(sorted[i - 1], sorted[i]))
            continue;
        write_uvarint(out, sorted[i].len);
        str_append_slice(out, sorted[i]);
        kept++;
    }
    mem_free(sorted);
    return kept;
}

/* ---- judging ---- */

static void refuse(struct heartbeat_judgement *judgement, int16_t error,
                   const char *message)
{
    *judgement = (struct heartbeat_judgement){
        .verdict = HEARTBEAT_REFUSED, .error = error, .message = message};
}

/* Who joins again (epoch 0) has nothing and is welcome. A member that asks again with the
 * epoch before has lost the answer that told it of the present one: as long as it has
 * nothing but what it may have. */
static bool epoch_fits(const struct consumer_member *consumer, const struct command *cmd)
{
    int32_t epoch = cmd->consumer_heartbeat.member_epoch;
    struct partition_set owned;

    if (epoch == consumer->epoch || epoch == 0)
        return true;
    if (epoch > consumer->epoch || epoch != consumer->previous_epoch ||
        !cmd->consumer_heartbeat.has_owned)
        return false;
    consumer_owned(cmd, &owned);
    bool fits = partition_set_covers(&consumer->assigned, &owned);
    partition_set_fini(&owned);
    return fits;
}

static void judge_epoch(const struct group_member *member, const struct command *cmd,
                        struct heartbeat_judgement *judgement)
{
    judgement->verdict = HEARTBEAT_KNOWN;
    judgement->member = member;
    if (epoch_fits(member->consumer, cmd))
        return;
    refuse(judgement, KAFKA_FENCED_MEMBER_EPOCH,
           cmd->consumer_heartbeat.member_epoch > member->consumer->epoch
               ? "The member's epoch is greater than the one the coordinator knows. It "
                 "must abandon all its partitions and rejoin."
               : "The member's epoch is smaller than the one the coordinator knows. It "
                 "must abandon all its partitions and rejoin.");
}

/* By its instance: who has it, and whether CMD is of that one. */
static void judge_static(const struct group *group, const struct command *cmd,
                         struct heartbeat_judgement *judgement)
{
    const struct group_member *owner =
        group_static_member(group, cmd->consumer_heartbeat.instance_id);
    bool same =
        owner != NULL && slice_eq(owner->member_id, cmd->consumer_heartbeat.member_id);

    const struct group_member *other =
        group_find_member(group, cmd->consumer_heartbeat.member_id);

    if (cmd->consumer_heartbeat.member_epoch == 0) {
        if (other != NULL && other != owner) {
            refuse(judgement, KAFKA_INVALID_REQUEST,
                   "The member id is that of a member without this instance id.");
        } else if (owner == NULL) {
            judgement->verdict = HEARTBEAT_NEW;
        } else if (owner->consumer->epoch == CONSUMER_EPOCH_LEAVE_STATIC ||
                   owner->consumer->classic) {
            judgement->verdict = HEARTBEAT_REPLACE;
            judgement->member = owner;
        } else if (same) {
            /* It has lost the answer to its join. Kafka says 111 here, which clients take
             * for final. */
            judgement->verdict = HEARTBEAT_KNOWN;
            judgement->member = owner;
        } else {
            refuse(judgement, KAFKA_UNRELEASED_INSTANCE_ID,
                   "The instance id is owned by another member.");
        }
    } else if (owner == NULL) {
        refuse(judgement, KAFKA_UNKNOWN_MEMBER_ID,
               "There is no member of that instance id.");
    } else if (!same) {
        refuse(judgement, KAFKA_FENCED_INSTANCE_ID,
               "Another member has the instance id.");
    } else {
        judge_epoch(owner, cmd, judgement);
    }
}

static void judge_leave(const struct group *group, const struct command *cmd,
                        struct heartbeat_judgement *judgement)
{
    struct slice instance = cmd->consumer_heartbeat.instance_id;
    const struct group_member *member =
        instance.ptr == NULL ? group_find_member(group, cmd->consumer_heartbeat.member_id)
                             : group_static_member(group, instance);

    if (member == NULL) {
        refuse(judgement, KAFKA_UNKNOWN_MEMBER_ID, "There is no such member.");
        return;
    }
    if (!slice_eq(member->member_id, cmd->consumer_heartbeat.member_id)) {
        refuse(judgement, KAFKA_FENCED_INSTANCE_ID,
               "Another member has the instance id.");
        return;
    }
    judgement->verdict = cmd->consumer_heartbeat.member_epoch == CONSUMER_EPOCH_LEAVE
                             ? HEARTBEAT_LEAVES
                             : HEARTBEAT_LEAVES_STATIC;
    judgement->member = member;
}

/* Whether one more has room. Who takes a place that is there already needs none. */
static bool is_full(const struct group *group, const struct command *cmd)
{
    uint32_t most = MIN(cmd->consumer_heartbeat.limits.members_max, GROUP_MEMBERS_MAX);
    return group->member_count >= most &&
           group_find_member(group, cmd->consumer_heartbeat.member_id) == NULL &&
           group_static_member(group, cmd->consumer_heartbeat.instance_id) == NULL;
}

void consumer_judge_heartbeat(const struct group *group, const struct command *cmd,
                              struct heartbeat_judgement *judgement)
{
    int32_t epoch = cmd->consumer_heartbeat.member_epoch;
    bool consumer = group != NULL && group->kind == GROUP_CONSUMER;
    const struct group_member *member;

    *judgement = (struct heartbeat_judgement){.verdict = HEARTBEAT_NEW};
    if (!consumer) {
        if (epoch != 0)
            refuse(judgement, KAFKA_GROUP_ID_NOT_FOUND,
                   "There is no such consumer group.");
        else if (group != NULL && is_full(group, cmd))
            refuse(judgement, KAFKA_GROUP_MAX_SIZE_REACHED,
                   "The consumer group has reached its maximum capacity.");
        return;
    }
    if (epoch < 0) {
        judge_leave(group, cmd, judgement);
        return;
    }
    if (is_full(group, cmd)) {
        refuse(judgement, KAFKA_GROUP_MAX_SIZE_REACHED,
               "The consumer group has reached its maximum capacity.");
        return;
    }
    if (cmd->consumer_heartbeat.instance_id.ptr != NULL) {
        judge_static(group, cmd, judgement);
        return;
    }
    member = group_find_member(group, cmd->consumer_heartbeat.member_id);
    if (member != NULL)
        judge_epoch(member, cmd, judgement);
    else if (epoch != 0)
        refuse(judgement, KAFKA_UNKNOWN_MEMBER_ID, "There is no such member.");
}

/* ---- regular expressions ---- */

static int compare_ids(const void *a, const void *b)
{
    return uuid_cmp(a, b);
}

/* What of CLUSTER's topics PATTERN matches, into ARENA. ERR_INVALID or ERR_TOO_LARGE. */
static int resolve(const struct cluster *cluster, struct slice pattern, uint64_t *steps,
                   struct arena *arena, struct resolved_regex *out, struct err *err)
{
    struct topic_regex *regex;
    struct uuid *topics;
    uint32_t count = 0;

    int rc = topic_regex_new(pattern, &regex, err);
    if (rc != 0)
        return rc;
    topics = mem_alloc(MAX(cluster->topic_count, 1u) * sizeof(*topics));
    for (const struct topic *t = NULL;
         rc == 0 && (t = catalog_topic_next(cluster, t)) != NULL;) {
        bool matches;
        rc = topic_regex_match(regex, slice_str(t->name), steps, &matches);
        if (rc == 0 && matches)
            topics[count++] = t->topic_id;
    }
    if (rc != 0)
        err_set(err, rc, "too costly for so many topics");
    if (rc == 0 && count > 0)
        qsort(topics, count, sizeof(*topics), compare_ids);
    struct uuid *kept = rc == 0 && count <= REGEX_TOPICS_MAX
                            ? arena_try_array(arena, MAX(count, 1u), sizeof(*kept))
                            : NULL;
    if (rc == 0 && kept == NULL)
        rc = err_set(err, ERR_TOO_LARGE, "it matches too many topics");
    if (rc == 0) {
        memcpy(kept, topics, count * sizeof(*topics));
        *out = (struct resolved_regex){pattern, kept, count};
    }
    mem_free(topics);
    topic_regex_free(regex);
    return rc;
}

/* Whether what the group's REGEX was resolved to still is so. */
static bool still_true(const struct cluster *cluster, const struct group *group,
                       const struct consumer_regex *regex)
{
    return regex->topics_version == cluster->config_version ||
           (regex->topics_version != 0 &&
            group->consumer->seen_version == cluster->config_version);
}

int16_t consumer_heartbeat_resolve(const struct cluster *cluster,
                                   const struct group *group, struct command *cmd,
                                   struct arena *arena, struct err *err)
{
    const struct consumer_group *consumer = group == NULL ? NULL : group->consumer;
    uint32_t most = 1 + (consumer == NULL ? 0 : consumer->regex_count), count = 0;
    struct slice own = cmd->consumer_heartbeat.regex;
    uint64_t steps = REGEX_STEPS_MAX;
    const struct consumer_regex *known =
        consumer == NULL || own.len == 0 ? NULL : consumer_group_regex(group, own);

    cmd->consumer_heartbeat.topics_version = cluster->config_version;
    cmd->consumer_heartbeat.regex_count = 0;
    if (most == 1 && own.len == 0)
        return 0;
    struct resolved_regex *regexes = arena_try_array(arena, most, sizeof(*regexes));
    cmd->consumer_heartbeat.regexes = regexes;
    if (regexes == NULL) {
        err_set(err, ERR_TOO_LARGE, "too many regular expressions");
        return KAFKA_INVALID_REGULAR_EXPRESSION;
    }
    if (own.len > 0 && known == NULL) {
        if (consumer != NULL && consumer->regex_count >= CONSUMER_REGEXES_MAX) {
            err_set(err, ERR_TOO_LARGE, "the group has %d regular expressions",
                    CONSUMER_REGEXES_MAX);
            return KAFKA_INVALID_REGULAR_EXPRESSION;
        }
        int rc = resolve(cluster, own, &steps, arena, &regexes[count++], err);
        if (rc != 0) {
            err_wrap(err, rc,
                     "SubscribedTopicRegex `%.*s` is not a valid regular expression",
                     (int)MIN(own.len, (size_t)100), (const char *)own.ptr);
            return KAFKA_INVALID_REGULAR_EXPRESSION;
        }
    }
    uint64_t topics = count == 0 ? 0 : regexes[0].topic_count;
    if (consumer != NULL) {
        LIST_FOREACH(node, next, &consumer->regexes)
        {
            const struct consumer_regex *regex =
                CONTAINER_OF(node, struct consumer_regex, node);
            /* One that has become too costly keeps what it matched before; one that has
             * no room any more is another heartbeat's. */
            if (!still_true(cluster, group, regex) &&
                resolve(cluster, regex->pattern, &steps, arena, &regexes[count], NULL) ==
                    0 &&
                topics + regexes[count].topic_count <= COMMAND_TOPICS_MAX)
                topics += regexes[count++].topic_count;
        }
    }
    cmd->consumer_heartbeat.regex_count = count;
    return 0;
}

/* ---- does it change anything? ---- */

/* Whether the expressions of the group match other topics by now. */
static bool regexes_changed(const struct cluster *cluster, const struct group *group)
{
    uint64_t steps = REGEX_STEPS_MAX;
    bool changed = false;

    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        const struct consumer_regex *regex =
            CONTAINER_OF(node, struct consumer_regex, node);
        struct resolved_regex now;
        struct arena arena;
        if (changed || still_true(cluster, group, regex))
            continue;
        arena_init(&arena, REGEX_TOPICS_MAX * 2 * sizeof(struct uuid));
        if (resolve(cluster, regex->pattern, &steps, &arena, &now, NULL) == 0)
            changed = now.topic_count != regex->topic_count ||
                      (now.topic_count > 0 &&
                       memcmp(now.topics, regex->topics,
                              now.topic_count * sizeof(*now.topics)) != 0);
        arena_fini(&arena);
    }
    return changed;
}

/* Whether topics that the group reads came, grew or went: looked at once for each version
 * of the cluster's topics. */
static bool topics_changed(const struct cluster *cluster, const struct group *group)
{
    struct consumer_group *consumer = group->consumer;
    struct consumer_topics topics;

    if (consumer->seen_version == cluster->config_version)
        return false;
    if (regexes_changed(cluster, group))
        return true;
    consumer_topics_collect(group, &topics);
    bool changed = consumer_topics_hash(&topics) != consumer->topics_hash;
    consumer_topics_fini(&topics);
    if (!changed)
        consumer->seen_version = cluster->config_version;
    return changed;
}

static bool text_changed(struct slice said, struct slice kept)
{
    return said.ptr != NULL && !slice_eq(said, kept);
}

static bool names_changed(const struct consumer_member *consumer,
                          const struct command *cmd)
{
    struct str packed;

    if (!cmd->consumer_heartbeat.has_names)
        return false;
    str_init(&packed, NAMES_BYTES_MAX);
    (void)consumer_pack_names(cmd->consumer_heartbeat.names,
                              cmd->consumer_heartbeat.name_count, &packed);
    bool changed = !slice_eq(str_slice(&packed), consumer->names);
    str_fini(&packed);
    return changed;
}

/* Whether CMD says anything of MEMBER that is new. */
static bool says_new(const struct group_member *member, const struct command *cmd)
{
    const struct consumer_member *consumer = member->consumer;

    return text_changed(cmd->consumer_heartbeat.instance_id, member->instance_id) ||
           text_changed(cmd->consumer_heartbeat.rack_id, consumer->rack) ||
           text_changed(cmd->consumer_heartbeat.regex, consumer->regex) ||
           text_changed(cmd->consumer_heartbeat.assignor, consumer->assignor) ||
           text_changed(cmd->consumer_heartbeat.client_id, member->client_id) ||
           text_changed(cmd->consumer_heartbeat.client_host, member->client_host) ||
           (cmd->consumer_heartbeat.rebalance_ms != -1 &&
            cmd->consumer_heartbeat.rebalance_ms != member->rebalance_ms) ||
           consumer->classic || names_changed(consumer, cmd);
}

static bool moves(const struct group_member *member, const struct command *cmd)
{
    struct partition_set owned;
    struct reconciled next;

    consumer_owned(cmd, &owned);
    bool moved = consumer_reconcile(
        member, cmd->consumer_heartbeat.has_owned ? &owned : NULL, false, &next);
    reconciled_fini(&next);
    partition_set_fini(&owned);
    return moved;
}

bool consumer_heartbeat_changes(const struct cluster *cluster, const struct group *group,
                                const struct command *cmd)
{
    struct heartbeat_judgement judgement;

    consumer_judge_heartbeat(group, cmd, &judgement);
    if (judgement.verdict == HEARTBEAT_REFUSED)
        return false;
    if (judgement.verdict != HEARTBEAT_KNOWN)
        return true;
    return group->generation != group->consumer->assignment_epoch ||
           group->consumer->flags != cmd->consumer_heartbeat.flags ||
           says_new(judgement.member, cmd) || topics_changed(cluster, group) ||
           moves(judgement.member, cmd);
}

/* ---- answers ---- */

int64_t consumer_heartbeat_value(int32_t epoch, bool with_assignment)
{
    return (int64_t)(uint32_t)epoch | (with_assignment ? INT64_C(1) << 32 : 0);
}

static void answer_error(struct consumer_answer *answer, int16_t error,
                         struct slice message)
{
    *answer = (struct consumer_answer){.error = error, .message = message};
}

void consumer_heartbeat_answer(const struct group *group, const struct command *cmd,
                               const struct command_result *result,
                               struct consumer_answer *answer)
{
    const struct group_member *member =
        group_find_member(group, cmd->consumer_heartbeat.member_id);
    struct heartbeat_judgement judgement;
    bool with_assignment = consumer_heartbeat_full(cmd);

    memset(answer, 0, sizeof(*answer));
    answer->epoch = cmd->consumer_heartbeat.member_epoch;
    if (result != NULL && result->kafka_error != 0) {
        answer_error(answer, result->kafka_error, result->message);
        return;
    }
    if (cmd->consumer_heartbeat.member_epoch < 0 && result != NULL)
        return;
    if (result == NULL) {
        consumer_judge_heartbeat(group, cmd, &judgement);
        if (judgement.verdict == HEARTBEAT_REFUSED) {
            answer_error(answer, judgement.error, slice_str(judgement.message));
            return;
        }
    } else {
        with_assignment |= (result->value >> 32 & 1) != 0;
    }
    /* It went since its heartbeat was applied. */
    if (member == NULL || member->consumer == NULL) {
        answer_error(answer, KAFKA_UNKNOWN_MEMBER_ID, SLICE_NULL);
        return;
    }
    answer->epoch = member->consumer->epoch;
    if (with_assignment)
        answer->assignment = &member->consumer->assigned;
}

/* ---- timers ---- */

bool consumer_classic_must_rejoin(const struct group_member *member)
{
    const struct group *group = member->group;
    const struct consumer_member *consumer = member->consumer;
    struct reconciled next;

    if (consumer->epoch < group->generation || consumer->state == CONSUMER_UNREVOKED)
        return true;
    if (consumer->state == CONSUMER_STABLE)
        return false;
    /* All that it waits for is free. */
    bool moved = consumer_reconcile(member, NULL, false, &next);
    bool rejoin = moved && next.state == CONSUMER_STABLE;
    reconciled_fini(&next);
    return rejoin;
}

int32_t consumer_member_deadline_ms(const struct group_member *member, uint64_t *key)
{
    const struct consumer_member *consumer = member->consumer;

    *key = consumer->moved_index * 2;
    if (consumer->epoch == CONSUMER_EPOCH_LEAVE_STATIC)
        return 0;
    if (!consumer->classic)
        return consumer->state == CONSUMER_UNREVOKED ? member->rebalance_ms : 0;
    if (consumer->awaits_sync)
        return member->rebalance_ms;
    *key += 1;
    return consumer_classic_must_rejoin(member) ? member->rebalance_ms : 0;
}

int32_t consumer_member_epoch(const struct group_member *member)
{
    return member->consumer->epoch;
}

int32_t consumer_member_session_ms(const struct group_member *member, int32_t session_ms)
{
    return member->consumer->classic ? member->session_ms : session_ms;
}

/* ---- offsets ---- */

static int16_t check_epoch(const struct group_member *member, int32_t epoch)
{
    if (epoch == member->consumer->epoch)
        return 0;
    return member->consumer->classic ? KAFKA_ILLEGAL_GENERATION
                                     : KAFKA_STALE_MEMBER_EPOCH;
}

int16_t consumer_check_commit(const struct group *group, int32_t epoch,
                              struct slice member_id, bool knows_epochs)
{
    const struct group_member *member = group_find_member(group, member_id);

    if (epoch < 0 && group->member_count == 0)
        return 0;
    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!member->consumer->classic && !knows_epochs)
        return KAFKA_UNSUPPORTED_VERSION;
    return check_epoch(member, epoch);
}

int16_t consumer_check_fetch(const struct group *group, int32_t epoch,
                             struct slice member_id)
{
    const struct group_member *member = group_find_member(group, member_id);

    if (epoch < 0 && member_id.len == 0)
        return 0;
    if (member == NULL)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return check_epoch(member, epoch);
}
