/* group_sim.c - see the header. */
#include "tests/lib/group_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "controlplane/group_offsets.h"
#include "tests/lib/offset_driver.h"

static void remember(void *arg, struct slice command)
{
    struct group_sim *sim = arg;

    if (sim->log_count == sim->log_cap) {
        sim->log_cap = sim->log_cap == 0 ? 1024 : sim->log_cap * 2;
        sim->log = mem_realloc(sim->log, sim->log_cap * sizeof(*sim->log));
    }
    sim->log[sim->log_count++] = slice_of(mem_dup(command.ptr, command.len), command.len);
}

void group_sim_begin(struct group_sim *sim, unsigned seed)
{
    memset(sim, 0, sizeof(*sim));
    sim->seed = seed;
    sim->random = seed * 2654435761u + 1;
    for (int i = 0; i < 8; i++)
        (void)group_sim_pick(sim, 2);
    sim->faults = true;
    driver_init(&sim->live, NULL);
    sim->live.on_command = remember;
    sim->live.arg = sim;
    driver_cluster(&sim->live, 1);
}

void group_sim_end(struct group_sim *sim)
{
    driver_fini(&sim->live);
    for (size_t i = 0; i < sim->log_count; i++)
        mem_free((void *)(uintptr_t)sim->log[i].ptr);
    mem_free(sim->log);
}

uint32_t group_sim_pick(struct group_sim *sim, uint32_t n)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 17;
    sim->random ^= sim->random << 5;
    return sim->random % n;
}

const struct cluster *group_sim_cluster(const struct group_sim *sim)
{
    return state_cluster(sim->live.state, &sim->live.cluster_id);
}

int16_t group_sim_commit(struct group_sim *sim, int32_t generation, const char *member,
                         const char *instance, uint32_t topic, int32_t partition,
                         int64_t offset)
{
    const struct test_offset part = {topic, partition, offset, 0, NULL};
    int16_t error = 0;
    const struct test_offsets one = {.group = "g",
                                     .generation = generation,
                                     .member = member,
                                     .instance = instance,
                                     .flags = OFFSET_COMMIT_KNOWS_EPOCHS,
                                     .parts = &part,
                                     .count = 1,
                                     .errors = &error};
    int16_t of_all = driver_offsets(&sim->live, &one);
    return of_all != 0 ? of_all : error;
}

uint64_t group_sim_offset_bytes(const struct group *group)
{
    struct group_offset_walk walk = {.next = 0};
    const struct topic *topic = NULL;
    struct group_offset offset;
    uint64_t bytes = 0;

    while (state_group_offset_next(group, &walk, &offset)) {
        if (offset.topic != topic)
            bytes += METADATA_GROUP_TOPIC_BYTES;
        topic = offset.topic;
        bytes += METADATA_COMMITTED_BYTES + offset.metadata.len;
    }
    return bytes;
}

void group_sim_apply(struct group_sim *sim, struct slice bytes)
{
    remember(sim, bytes);
    str_reset(&sim->live.result);
    state_apply(sim->live.state, ++sim->live.index, bytes, &sim->live.result);
}

void group_sim_replay(const struct group_sim *sim, struct state *state)
{
    struct str result;

    str_init(&result, 64 * MIB);
    for (size_t i = (size_t)state_applied_index(state); i < sim->log_count; i++) {
        str_reset(&result);
        state_apply(state, i + 1, sim->log[i], &result);
    }
    str_fini(&result);
}

bool group_sim_replays(const struct group_sim *sim)
{
    struct state *again = state_new(NULL);

    group_sim_replay(sim, again);
    bool same = state_hash(again) == state_hash(sim->live.state);
    state_free(again);
    return same;
}

static void on_noted(void *arg)
{
    (void)arg;
}

struct coordinator *group_sim_coordinator(int64_t initial_delay_ms)
{
    return coordinator_new(&(struct coordinator_options){
        .initial_delay_ms = initial_delay_ms, .on_noted = on_noted});
}

void group_sim_run_timers(struct group_sim *sim, struct coordinator *coordinator,
                          int64_t now_ms, void (*apply)(struct command *cmd))
{
    struct arena arena;
    struct command cmd;

    arena_init(&arena, MIB);
    while (true) {
        coordinator_note(coordinator, &sim->live.cluster_id, SLICE_LITERAL("g"));
        coordinator_settle(coordinator, sim->live.state, now_ms);
        if (!coordinator_next(coordinator, sim->live.state, now_ms, &arena, &cmd))
            break;
        apply(&cmd);
    }
    arena_fini(&arena);
}

void group_sim_fail(const struct group_sim *sim, const char *what)
{
    printf("seed %u step %d: %s\n", sim->seed, sim->step, what);
    exit(1);
}

bool group_sim_args(int argc, char **argv, unsigned *first, unsigned *count)
{
    if (argc < 2)
        return false;
    *first = (unsigned)atoi(argv[1]);
    *count = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
    return true;
}
