/* bench_apply.c - what a commit costs the control plane below TLS and JSON.
 *
 *   bench_apply [DIR [COMMITS]]
 *
 * apply: state_apply alone, on one thread. node: the same commits through Raft, the log
 * with its fdatasync and the state, from the core thread of a real node; CPU of the whole
 * process, checkpoints included. Prints "name value unit" lines; the log lies in DIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define TOPICS 8

struct shape {
    const char *name;
    uint32_t runs, batches; /* of a run */
    uint32_t commits, outstanding;
};

/* The encoded commit command NUMBER of SHAPE: every batch of one idempotent producer. */
static struct slice make_commit(const struct shape *shape, uint32_t number,
                                int64_t now_ms)
{
    static struct test_batch batches[640 * 8];
    struct uuid id = test_uuid(9, number), topics[TOPICS];
    struct command cmd = {.kind = COMMAND_COMMIT, .cluster_id = test_uuid(1, 1)};
    struct test_commit c;
    struct str payload, bytes;
    uint32_t n = 0;

    cmd.now_ms = now_ms;
    for (uint32_t i = 0; i < TOPICS; i++)
        topics[i] = test_uuid(2, i);
    for (uint32_t run = 0; run < shape->runs; run++) {
        uint32_t per_topic = shape->runs / TOPICS;
        for (uint32_t b = 0; b < shape->batches; b++)
            batches[n++] = (struct test_batch){
                .topic = run / per_topic,
                .partition = (int32_t)(run % per_topic),
                .records = 10,
                .producer_id = 100 + run % 50,
                .sequence = (int32_t)((number * shape->batches + b) * 10),
                .max_timestamp = now_ms + b,
                .length = 5000 + run};
    }
    test_commit_init(&c, &id, now_ms, topics, TOPICS, batches, n);
    str_init(&payload, 64 * MIB);
    str_init(&bytes, 64 * MIB);
    driver_commit_command(&c.commit, &payload, &cmd);
    command_write(&cmd, &bytes);
    test_commit_fini(&c);
    str_fini(&payload);
    size_t len = bytes.len;
    return slice_of(str_take(&bytes), len);
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static struct slice *make_all(const struct shape *shape, int64_t now_ms)
{
    struct slice *commits = mem_alloc(shape->commits * sizeof(*commits));
    for (uint32_t i = 0; i < shape->commits; i++)
        commits[i] = make_commit(shape, i, now_ms);
    return commits;
}

static void free_all(const struct shape *shape, struct slice *commits)
{
    for (uint32_t i = 0; i < shape->commits; i++)
        free((void *)(uintptr_t)commits[i].ptr);
    mem_free(commits);
}

static void print(const struct shape *shape, const char *what, double value,
                  const char *unit)
{
    printf("%-24s %-28s %10.3f %s\n", shape->name, what, value, unit);
}

static void bench_state(const struct shape *shape)
{
    struct driver d;
    struct str result;

    driver_init(&d, NULL);
    driver_cluster(&d, 1);
    for (uint32_t i = 0; i < TOPICS; i++)
        driver_topic(&d, i, 100);
    struct slice *commits = make_all(shape, d.now_ms);
    str_init(&result, 64 * MIB);
    double start = cpu_us();
    for (uint32_t i = 0; i < shape->commits; i++) {
        str_reset(&result);
        state_apply(d.state, ++d.index, commits[i], &result);
    }
    print(shape, "apply", (cpu_us() - start) / shape->commits / 1000, "ms CPU/commit");
    print(shape, "command", (double)commits[0].len, "bytes");
    struct state_counts counts;
    state_count(d.state, &counts);
    ASSERT(counts.runs == (uint64_t)shape->commits * shape->runs);
    free_all(shape, commits);
    str_fini(&result);
    driver_fini(&d);
}

/* ---- through a node ---- */

struct load {
    const struct shape *shape;
    struct node *node;
    struct slice *commits;
    struct arena arena;
    uint32_t sent, ended, ended_seen;
    int64_t *sent_us, *took_us;
};

struct one {
    struct proposal proposal;
    struct load *load;
    uint32_t number;
};

static void send_next(struct load *load, struct one *one);

static void on_done(struct proposal *proposal, int code, struct slice result)
{
    struct one *one = CONTAINER_OF(proposal, struct one, proposal);
    struct load *load = one->load;
    (void)result;
    ASSERT(code == 0);
    load->took_us[one->number] = clock_monotonic_us() - load->sent_us[one->number];
    load->ended++;
    if (load->sent < load->shape->commits)
        send_next(load, one);
}

static void send_next(struct load *load, struct one *one)
{
    struct command cmd;
    struct arena arena;

    arena_init(&arena, MIB);
    one->number = load->sent++;
    one->proposal.done = on_done;
    load->sent_us[one->number] = clock_monotonic_us();
    int rc = command_read(load->commits[one->number], &arena, &cmd);
    ASSERT(rc == 0);
    node_propose(load->node, &one->proposal, &cmd);
    arena_fini(&arena);
}

static void begin(struct node *node, void *arg)
{
    struct load *load = arg;
    load->node = node;
    for (uint32_t i = 0; i < load->shape->outstanding; i++) {
        struct one *one = arena_alloc(&load->arena, sizeof(*one));
        one->load = load;
        send_next(load, one);
    }
}

/* On the core thread, which owns the count. */
static void get_ended(struct node *node, void *arg)
{
    struct load *load = arg;
    (void)node;
    load->ended_seen = load->ended;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void make_topics(struct node *node)
{
    struct command cluster = {.kind = COMMAND_CLUSTER_CREATE,
                              .cluster_id = test_uuid(1, 1),
                              .cluster_create = {.name = SLICE_LITERAL("bench")}};
    ASSERT(node_call(node, &cluster, NULL) == 0);
    for (uint32_t i = 0; i < TOPICS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%u", i);
        struct command topic = {.kind = COMMAND_TOPIC_CREATE,
                                .cluster_id = test_uuid(1, 1),
                                .topic_create = {.topic_id = test_uuid(2, i),
                                                 .name = slice_str(name),
                                                 .partitions = 100,
                                                 .topics_max = 100,
                                                 .partitions_max = 10000}};
        ASSERT(node_call(node, &topic, NULL) == 0);
    }
}

static void bench_node(const struct shape *shape, const char *dir)
{
    struct node_options options = {.dir = dir};
    struct load load = {.shape = shape};
    struct node_health health;
    struct node *node;
    struct err err;

    if (node_start(&options, &node, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    make_topics(node);
    load.commits = make_all(shape, clock_wall_ms());
    load.sent_us = mem_zalloc(shape->commits * sizeof(*load.sent_us));
    load.took_us = mem_zalloc(shape->commits * sizeof(*load.took_us));
    arena_init(&load.arena, MIB);
    double cpu = cpu_us();
    int64_t start = clock_monotonic_us();
    node_run(node, begin, &load);
    const struct timespec pause = {0, 5000000};
    do {
        nanosleep(&pause, NULL);
        node_run(node, get_ended, &load);
    } while (load.ended_seen < shape->commits);
    double took = (double)(clock_monotonic_us() - start);
    cpu = cpu_us() - cpu;
    node_health(node, &health);
    qsort(load.took_us, shape->commits, sizeof(*load.took_us), by_value);
    print(shape, "node", cpu / shape->commits / 1000, "ms CPU/commit");
    print(shape, "node", shape->commits / took * 1e6, "commits/s");
    print(shape, "latency p50", (double)load.took_us[shape->commits / 2] / 1000, "ms");
    print(shape, "latency p99", (double)load.took_us[shape->commits / 100 * 99] / 1000,
          "ms");
    print(shape, "commits per sync",
          (double)health.commands_total / (double)health.syncs_total, "");
    print(shape, "checkpoints", (double)health.checkpoints_total, "");
    print(shape, "checkpoint pause, max", (double)health.checkpoint_pause_max_us / 1000,
          "ms");
    start = clock_monotonic_us();
    node_stop(node);
    print(shape, "stop", (double)(clock_monotonic_us() - start) / 1000, "ms");
    start = clock_monotonic_us();
    ASSERT(node_start(&options, &node, &err) == 0);
    print(shape, "start", (double)(clock_monotonic_us() - start) / 1000, "ms");
    node_stop(node);
    free_all(shape, load.commits);
    mem_free(load.sent_us);
    mem_free(load.took_us);
    arena_fini(&load.arena);
}

int main(int argc, char **argv)
{
    struct shape shapes[] = {
        {"320 runs x 5 batches", 320, 5, 2000, 8},
        {"16 runs x 1 batch", 16, 1, 50000, 64},
    };
    char dir[64];

    if (argc > 1)
        setenv("TMPDIR", argv[1], 1);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (argc > 2)
            shapes[i].commits = (uint32_t)atoi(argv[2]);
        bench_state(&shapes[i]);
        temp_dir(dir);
        bench_node(&shapes[i], dir);
        temp_dir_remove(dir);
    }
    return 0;
}
