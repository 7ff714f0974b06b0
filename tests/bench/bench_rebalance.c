/* bench_rebalance.c - what groups of KIP-848 cost the core thread, without log and HTTP.
 *
 * Prints a line for each: "SHAPE  WHAT  VALUE UNIT". Shapes are members and partitions of
 * one group: all join, one more joins and the group settles; then heartbeats that change
 * nothing, as the leader answers them from memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "controlplane/group_consumer.h"
#include "tests/lib/state_driver.h"

#define QUIET 200000 /* heartbeats from memory */

struct member {
    char id[16];
    int32_t epoch;
    struct partition_set owned;
};

struct shape {
    char name[48];
    struct driver d;
    struct member *members;
    uint32_t count;
    uint64_t commands;
    int64_t command_us, longest_us;
};

static void fill(const struct member *member, struct slice *name,
                 struct owned_topic *owned, struct command *cmd)
{
    bool joins = member->epoch == 0;

    *cmd = (struct command){.kind = COMMAND_CONSUMER_HEARTBEAT};
    cmd->consumer_heartbeat.group_id = SLICE_LITERAL("g");
    cmd->consumer_heartbeat.member_id = slice_str(member->id);
    cmd->consumer_heartbeat.member_epoch = member->epoch;
    cmd->consumer_heartbeat.client_id = SLICE_LITERAL("c");
    cmd->consumer_heartbeat.client_host = SLICE_LITERAL("/::1");
    cmd->consumer_heartbeat.rebalance_ms = joins ? 60000 : -1;
    cmd->consumer_heartbeat.has_names = joins;
    cmd->consumer_heartbeat.names = name;
    cmd->consumer_heartbeat.name_count = joins;
    cmd->consumer_heartbeat.has_owned = true;
    cmd->consumer_heartbeat.owned = owned;
    if (member->owned.topic_count > 0) {
        *owned = (struct owned_topic){member->owned.topics[0].topic_id,
                                      member->owned.topics[0].partitions,
                                      member->owned.topics[0].count};
        cmd->consumer_heartbeat.owned_count = 1;
    }
    cmd->consumer_heartbeat.limits =
        (struct group_limits){.members_max = 10000, .groups_max = 10};
}

static int64_t now_us(void)
{
    return clock_monotonic_us();
}

/* A heartbeat as the leader has it. Returns whether it was proposed. */
static bool beat(struct shape *s, struct member *member)
{
    const struct cluster *cluster = state_cluster(s->d.state, &s->d.cluster_id);
    struct slice name = SLICE_LITERAL("topic-1");
    struct consumer_answer answer;
    struct command_result result;
    struct owned_topic owned;
    struct command cmd;

    fill(member, &name, &owned, &cmd);
    const struct group *group = state_group(cluster, SLICE_LITERAL("g"));
    bool changes = consumer_heartbeat_changes(cluster, group, &cmd);
    if (changes) {
        int64_t from_us = now_us();
        result = driver_apply(&s->d, &cmd);
        int64_t took_us = now_us() - from_us;
        s->command_us += took_us;
        s->longest_us = MAX(s->longest_us, took_us);
        s->commands++;
        group = state_group(cluster, SLICE_LITERAL("g"));
    }
    consumer_heartbeat_answer(group, &cmd, changes ? &result : NULL, &answer);
    ASSERT(answer.error == 0);
    member->epoch = answer.epoch;
    if (answer.assignment != NULL) {
        struct partition_set told = {0};
        partition_set_copy(&told, answer.assignment);
        partition_set_move(&member->owned, &told);
    }
    return changes;
}

static void settle(struct shape *s, const char *what)
{
    bool moved = true;
    uint32_t rounds = 0;

    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < s->count; i++)
            moved |= beat(s, &s->members[i]);
        rounds++;
    }
    printf("%s  %s rounds  %u\n", s->name, what, rounds);
    printf("%s  %s commands  %llu\n", s->name, what, (unsigned long long)s->commands);
    printf("%s  %s cpu  %.1f ms\n", s->name, what, (double)s->command_us / 1000);
    printf("%s  %s longest command  %.2f ms\n", s->name, what,
           (double)s->longest_us / 1000);
    s->commands = 0;
    s->command_us = s->longest_us = 0;
}

static void run(uint32_t members, int32_t partitions)
{
    struct shape s = {.count = members};

    (void)snprintf(s.name, sizeof(s.name), "%u members, %d partitions", members,
                   partitions);
    driver_init(&s.d, NULL);
    driver_cluster(&s.d, 1);
    driver_topic(&s.d, 1, partitions);
    s.members = mem_zalloc((members + 1) * sizeof(*s.members));
    for (uint32_t i = 0; i <= members; i++)
        (void)snprintf(s.members[i].id, sizeof(s.members[i].id), "member-%05u", i);
    settle(&s, "all join");
    s.count++;
    settle(&s, "one more");
    int64_t from_us = now_us();
    for (uint32_t i = 0; i < QUIET; i++) {
        bool changed = beat(&s, &s.members[i % s.count]);
        ASSERT(!changed);
    }
    printf("%s  heartbeat from memory  %.2f us\n", s.name,
           (double)(now_us() - from_us) / QUIET);
    for (uint32_t i = 0; i < s.count; i++)
        partition_set_fini(&s.members[i].owned);
    mem_free(s.members);
    driver_fini(&s.d);
}

int main(void)
{
    run(10, 100);
    run(100, 1000);
    run(1000, 10000);
    return 0;
}
