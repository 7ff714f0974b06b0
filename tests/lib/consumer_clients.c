/* consumer_clients.c - see the header. */
#include "tests/lib/consumer_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

#define TOPICS 100 /* numbers that texts know */

/* ---- texts ---- */

const char *set_text(const struct partition_set *set)
{
    static char buffers[8][2048];
    static unsigned next;
    char *text = buffers[next++ % 8], *end = text + sizeof(buffers[0]), *p = text;

    *p = '\0';
    for (uint32_t number = 1; number < TOPICS; number++) {
        struct uuid id = test_uuid(2, number);
        const struct partition_topic *topic = partition_set_topic(set, &id);
        if (topic == NULL)
            continue;
        p += snprintf(p, (size_t)(end - p), "%s%u:", p == text ? "" : " ", number);
        for (uint32_t i = 0; i < topic->count && p < end; i++)
            p += snprintf(p, (size_t)(end - p), "%s%d", i == 0 ? "" : ",",
                          topic->partitions[i]);
        ASSERT(p < end);
    }
    return text;
}

void set_parse(const char *text, struct partition_set *set)
{
    memset(set, 0, sizeof(*set));
    while (*text != '\0') {
        char *end;
        struct uuid id = test_uuid(2, (uint32_t)strtoul(text, &end, 10));
        do {
            (void)partition_set_add(set, &id, (int32_t)strtol(end + 1, &end, 10));
        } while (*end == ',');
        text = *end == ' ' ? end + 1 : end;
    }
}

/* ---- reading ---- */

static const struct group *find_group(const struct driver *d, const char *id)
{
    return state_group(state_cluster(d->state, &d->cluster_id), slice_str(id));
}

const struct group *consumer_group(const struct driver *d)
{
    return find_group(d, "g");
}

const struct consumer_member *consumer_of(const struct driver *d, const char *member)
{
    const struct group_member *found =
        group_find_member(consumer_group(d), slice_str(member));
    return found == NULL ? NULL : found->consumer;
}

const char *assigned_of(const struct driver *d, const char *member)
{
    return set_text(&consumer_of(d, member)->assigned);
}

const char *target_of(const struct driver *d, const char *member)
{
    return set_text(&consumer_of(d, member)->target);
}

/* ---- heartbeats ---- */

static struct slice text_or_null(const char *text)
{
    return text == NULL ? SLICE_NULL : slice_str(text);
}

static uint32_t split_names(const char *text, struct slice *names)
{
    uint32_t count = 0;
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ",");
        names[count++] = slice_of(text, len);
        text += len + (text[len] == ',');
    }
    return count;
}

static void fill(const struct beat *said, const struct driver *d, struct slice *names,
                 struct partition_set *owned, struct owned_topic *topics,
                 struct command *cmd)
{
    bool joins = said->epoch == 0;

    *cmd =
        (struct command){.kind = COMMAND_CONSUMER_HEARTBEAT, .cluster_id = d->cluster_id};
    cmd->consumer_heartbeat.group_id = slice_str(said->group == NULL ? "g" : said->group);
    cmd->consumer_heartbeat.member_id = slice_str(said->member);
    cmd->consumer_heartbeat.member_epoch = said->epoch;
    cmd->consumer_heartbeat.instance_id = text_or_null(said->instance);
    cmd->consumer_heartbeat.rack_id = text_or_null(said->rack);
    cmd->consumer_heartbeat.client_id =
        slice_str(said->client_id == NULL ? "c" : said->client_id);
    cmd->consumer_heartbeat.client_host = SLICE_LITERAL("/::1");
    cmd->consumer_heartbeat.rebalance_ms = said->rebalance_ms != 0 ? said->rebalance_ms
                                           : joins                 ? 60000
                                                                   : -1;
    cmd->consumer_heartbeat.has_names = said->names != NULL;
    cmd->consumer_heartbeat.names = names;
    cmd->consumer_heartbeat.name_count = split_names(said->names, names);
    cmd->consumer_heartbeat.regex = text_or_null(said->regex);
    cmd->consumer_heartbeat.assignor = text_or_null(said->assignor);
    cmd->consumer_heartbeat.has_owned = said->owned != NULL;
    for (uint32_t i = 0; i < owned->topic_count; i++)
        topics[i] =
            (struct owned_topic){owned->topics[i].topic_id, owned->topics[i].partitions,
                                 owned->topics[i].count};
    cmd->consumer_heartbeat.owned = topics;
    cmd->consumer_heartbeat.owned_count = owned->topic_count;
    cmd->consumer_heartbeat.flags =
        (CONSUMER_MAY_UPGRADE | CONSUMER_MAY_DOWNGRADE) & ~said->flags_off;
    cmd->consumer_heartbeat.limits = (struct group_limits){
        .members_max = said->members_max == 0 ? 1000 : said->members_max,
        .groups_max = said->groups_max == 0 ? 1000 : said->groups_max,
        .metadata_max = said->metadata_max};
}

static void note(struct beaten *beaten, struct slice message)
{
    (void)snprintf(beaten->message, sizeof(beaten->message), "%.*s", (int)message.len,
                   message.len == 0 ? "" : (const char *)message.ptr);
}

static void take_answer(const struct group *group, const struct command *cmd,
                        const struct command_result *result, struct beaten *beaten)
{
    struct consumer_answer answer;

    consumer_heartbeat_answer(group, cmd, result, &answer);
    beaten->error = answer.error;
    note(beaten, answer.message);
    beaten->epoch = answer.epoch;
    beaten->has_assigned = answer.assignment != NULL;
    if (answer.assignment != NULL)
        (void)snprintf(beaten->assigned, sizeof(beaten->assigned), "%s",
                       set_text(answer.assignment));
}

static struct beaten send(struct driver *d, struct command *cmd, bool force)
{
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    const struct group *group = state_group(cluster, cmd->consumer_heartbeat.group_id);
    struct beaten beaten = {.proposed = false};
    struct command_result result;
    const char *message = NULL;
    struct err err = {0};
    struct arena arena;

    beaten.error = consumer_heartbeat_check(cmd, &message);
    if (beaten.error != 0) {
        note(&beaten, slice_str(message));
        return beaten;
    }
    if (!consumer_heartbeat_changes(cluster, group, cmd) && !force) {
        take_answer(group, cmd, NULL, &beaten);
        return beaten;
    }
    beaten.proposed = true;
    arena_init(&arena, (size_t)8 << 20);
    beaten.error = consumer_heartbeat_resolve(cluster, group, cmd, &arena, &err);
    if (beaten.error == 0) {
        result = driver_apply(d, cmd);
        group = state_group(cluster, cmd->consumer_heartbeat.group_id);
        take_answer(group, cmd, &result, &beaten);
    } else {
        note(&beaten, slice_str(err.text));
    }
    arena_fini(&arena);
    return beaten;
}

struct beaten beat(struct driver *d, const struct beat *said)
{
    struct slice names[TOPICS];
    struct owned_topic topics[TOPICS];
    struct partition_set owned = {0};
    struct command cmd;

    if (said->owned != NULL)
        set_parse(said->owned, &owned);
    fill(said, d, names, &owned, topics, &cmd);
    struct beaten beaten = send(d, &cmd, said->force);
    partition_set_fini(&owned);
    return beaten;
}

struct beaten join_consumer(struct driver *d, const char *member)
{
    return BEAT(d, .member = member, .names = "topic-1", .owned = "");
}

void expire_consumer(struct driver *d, const char *member, int32_t epoch)
{
    struct command cmd = {.kind = COMMAND_GROUP_EXPIRE, .cluster_id = d->cluster_id};
    struct group_expiry expiry = {slice_str(member), epoch};

    cmd.group_expire.group_id = SLICE_LITERAL("g");
    cmd.group_expire.members = &expiry;
    cmd.group_expire.member_count = 1;
    (void)driver_apply(d, &cmd);
}
