/* bench_cell_size.c - what a cell of a million partitions costs a node.
 *
 *   bench_cell_size [DIR [TOPICS [PARTITIONS of a topic [ROUNDS]]]]
 *
 * Makes TOPICS topics, then commits of 1,000 runs until each partition has ROUNDS runs,
 * and a producer's state. Prints memory, the longest step of a checkpoint in which
 * everything is dirty, how long SQLite takes to write it, and how long a start takes to
 * load it. Prints "name value unit" lines; the database lies in DIR. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "controlplane/db.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define RUNS_OF_COMMIT 1000
#define STEP_ROWS      2048 /* as node_checkpoint.c */

static uint32_t topics, partitions, rounds;

static void print(const char *what, double value, const char *unit)
{
    printf("%-24s %-28s %10.1f %s\n", "cell size", what, value, unit);
    fflush(stdout);
}

/* Resident bytes of the process now. */
static double resident_mib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ASSERT(file != NULL);
    int n = fscanf(file, "%ld %ld", &pages, &resident);
    ASSERT(n == 2);
    fclose(file);
    return (double)resident * 4096 / MIB;
}

static void make_topics(struct driver *d)
{
    for (uint32_t i = 0; i < topics; i++) {
        char name[32];
        struct command cmd = {.kind = COMMAND_TOPIC_CREATE};
        snprintf(name, sizeof(name), "topic-%u", i);
        cmd.topic_create.topic_id = test_uuid(2, i);
        cmd.topic_create.name = slice_str(name);
        cmd.topic_create.partitions = (int32_t)partitions;
        cmd.topic_create.topics_max = UINT32_MAX;
        cmd.topic_create.partitions_max = UINT32_MAX;
        ASSERT(driver_apply(d, &cmd).kafka_error == 0);
    }
}

/* One commit: COUNT partitions of TOPIC from FIRST on, a batch of 10 records each. */
static void commit(struct driver *d, uint32_t topic, uint32_t first, uint32_t count,
                   uint32_t round)
{
    static uint32_t next_object;
    struct test_batch batches[RUNS_OF_COMMIT];
    struct uuid id = test_uuid(9, next_object++), topic_id = test_uuid(2, topic);
    struct test_commit c;

    for (uint32_t i = 0; i < count; i++)
        batches[i] = (struct test_batch){.partition = (int32_t)(first + i),
                                         .records = 10,
                                         .producer_id = 100 + topic % 50,
                                         .sequence = (int32_t)round * 10,
                                         .max_timestamp = d->now_ms,
                                         .length = 5000};
    test_commit_init(&c, &id, d->now_ms, &topic_id, 1, batches, count);
    ASSERT(driver_commit(d, &c.commit).code == 0);
    test_commit_fini(&c);
}

static void make_runs(struct driver *d)
{
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t t = 0; t < topics; t++) {
            for (uint32_t p = 0; p < partitions; p += RUNS_OF_COMMIT)
                commit(d, t, p, MIN(partitions - p, RUNS_OF_COMMIT), round);
        }
    }
}

/* A checkpoint of all rows, as a node does it; what it takes goes to the database. */
static void save(struct driver *d, struct db *db)
{
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5)};
    struct str delta;
    struct err err;
    int64_t longest = 0;
    bool done = false;

    meta.position.index = d->index;
    meta.position.term = 1;
    str_init(&delta, (size_t)1 << 36);
    int64_t all = clock_monotonic_us();
    for (int step = 0; !done; step++) {
        int64_t start = clock_monotonic_us();
        if (step == 0)
            checkpoint_begin(d->state, &meta, &delta);
        done = checkpoint_step(d->state, STEP_ROWS);
        longest = MAX(longest, clock_monotonic_us() - start);
    }
    print("collect, all dirty", (double)(clock_monotonic_us() - all) / 1000, "ms in all");
    print("pause, longest", (double)longest / 1000, "ms");
    print("delta", (double)delta.len / MIB, "MiB");
    int64_t start = clock_monotonic_us();
    int rc = db_apply(db, str_slice(&delta), &err);
    ASSERT(rc == 0);
    print("write", (double)(clock_monotonic_us() - start) / 1000, "ms");
    str_fini(&delta);
}

static uint64_t load(struct db *db)
{
    struct state *state = state_new(NULL);
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;

    str_init(&bytes, MIB);
    malloc_trim(0);
    double before = resident_mib();
    int64_t start = clock_monotonic_us();
    if (checkpoint_load(state, db, &meta, &bytes, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    print("load", (double)(clock_monotonic_us() - start) / 1000, "ms");
    print("memory, loaded", resident_mib() - before, "MiB");
    struct state_counts counts;
    state_count(state, &counts);
    ASSERT(counts.partitions == (uint64_t)topics * partitions);
    uint64_t hash = state_hash(state);
    state_free(state);
    str_fini(&bytes);
    return hash;
}

int main(int argc, char **argv)
{
    char path[512];
    struct driver d;
    struct db *db;
    struct err err;
    struct state_counts counts;

    topics = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000;
    partitions = argc > 3 ? (uint32_t)atoi(argv[3]) : 1000;
    rounds = argc > 4 ? (uint32_t)atoi(argv[4]) : 3;
    snprintf(path, sizeof(path), "%s/bench-cell-size.db", argc > 1 ? argv[1] : ".");
    driver_init(&d, NULL);
    driver_cluster(&d, 1);
    double before = resident_mib();
    make_topics(&d);
    print("memory, no runs", resident_mib() - before, "MiB");
    int64_t start = clock_monotonic_us();
    make_runs(&d);
    state_count(d.state, &counts);
    print("partitions", (double)counts.partitions, "");
    print("runs", (double)counts.runs, "");
    print("apply", (double)(clock_monotonic_us() - start) / (double)counts.runs,
          "us/run, with making it");
    print("memory", resident_mib() - before, "MiB");
    (void)unlink(path);
    if (db_open(path, &db, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    save(&d, db);
    uint64_t hash = state_hash(d.state);
    driver_fini(&d);
    ASSERT(load(db) == hash);
    db_close(db);
    (void)unlink(path);
    return 0;
}
