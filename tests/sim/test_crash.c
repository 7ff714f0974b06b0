/* test_crash.c - the log, the state and the database through crashes that lose what was
 * not synced, from seeds.
 *
 * One thread plays a node: it appends groups of entries, syncs, applies what is durable,
 * checkpoints and trims. A crash takes, of each log file, what the last fdatasync
 * covered, and of what was written since, any sectors of 512 bytes (torn writes, out of
 * order). Then the product's own recovery runs. Checked: everything that was synced is
 * there, unchanged (I1, I11); what follows of it is what was appended; replaying it over
 * the checkpoint gives the state that never crashed (I7); recovery needs no hand.
 *
 *   test_crash [FIRST_SEED [COUNT]]     a failing seed is named */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "controlplane/wal.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define STEPS       300
#define SEGMENT     8192
#define SECTOR      512
#define FILES_MAX   64
#define ENTRIES_MAX 20000
#define TRAILING    20

#define CHECK(cond)                                                                      \
    ((cond) ? (void)0                                                                    \
            : (printf("seed %u step %d: %s (%s)\n", sim.seed, sim.step, #cond,           \
                      sim.err.text),                                                     \
               exit(1)))

/* What the disk is sure to have of a log file. */
struct durable {
    char name[64];
    uint8_t *bytes;
    size_t len;
};

static struct {
    unsigned seed, random;
    int step;
    struct err err;
    char dir[64], image[80];
    struct durable files[FILES_MAX];
    size_t file_count;
    struct wal *wal;
    struct db *db;
    struct state *state;               /* the node's */
    struct driver observer;            /* applies the same, never crashes */
    struct slice entries[ENTRIES_MAX]; /* by index */
    uint64_t last, synced, applied, checkpointed;
    uint32_t next_id, crashes, cuts;
} sim;

static uint32_t pick(uint32_t n)
{
    sim.random ^= sim.random << 13;
    sim.random ^= sim.random >> 17;
    sim.random ^= sim.random << 5;
    return sim.random % n;
}

/* ---- the disk ---- */

static struct durable *find_file(const char *name)
{
    for (size_t i = 0; i < sim.file_count; i++) {
        if (strcmp(sim.files[i].name, name) == 0)
            return &sim.files[i];
    }
    CHECK(sim.file_count < FILES_MAX);
    struct durable *file = &sim.files[sim.file_count++];
    snprintf(file->name, sizeof(file->name), "%s", name);
    return file;
}

static size_t read_file(int fd, uint8_t **bytes)
{
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    *bytes = mem_alloc((size_t)st.st_size + 1);
    CHECK(pread(fd, *bytes, (size_t)st.st_size, 0) == st.st_size);
    return (size_t)st.st_size;
}

/* A segment is first synced under its temporary name: it keeps what that had. */
static int sim_fdatasync(int fd)
{
    char link[64], path[256];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    CHECK(n > 0);
    path[n] = '\0';
    struct durable *file = find_file(strrchr(path, '/') + 1);
    mem_free(file->bytes);
    file->len = read_file(fd, &file->bytes);
    return 0;
}

static int sim_fallocate(int fd, off_t at, off_t len)
{
    return posix_fallocate(fd, at, len);
}

static const struct wal_ops sim_ops = {pwritev, sim_fdatasync, sim_fallocate};

/* Make of the image's file NAME what a crash leaves. */
static void tear_file(const char *name)
{
    struct durable *file = find_file(name);
    char path[256];
    uint8_t *now;

    if (file->bytes == NULL)
        file = find_file("wal-new.tmp"); /* renamed, and nothing synced since */
    snprintf(path, sizeof(path), "%s/%s", sim.image, name);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    size_t len = read_file(fd, &now);
    uint32_t how = pick(4); /* none, all, or any of the sectors that were not synced */
    for (size_t at = 0; at < len && at < file->len; at += SECTOR) {
        size_t n = MIN((size_t)SECTOR, MIN(len, file->len) - at);
        if (how == 1 || (how >= 2 && pick(2)))
            continue;
        CHECK(pwrite(fd, file->bytes + at, n, (off_t)at) == (ssize_t)n);
    }
    close(fd);
    mem_free(now);
}

/* ---- the node ---- */

static void open_node(void)
{
    struct wal_options options = {
        .dir = sim.dir, .segment_bytes = SEGMENT, .cell_id = {{7}}, .ops = &sim_ops};
    struct checkpoint_meta meta;
    struct str bytes;
    char path[128];

    snprintf(path, sizeof(path), "%s/state.db", sim.dir);
    str_init(&bytes, MIB);
    sim.state = state_new(NULL);
    CHECK(db_open(path, &sim.db, &sim.err) == 0);
    CHECK(checkpoint_load(sim.state, sim.db, &meta, &bytes, &sim.err) == 0);
    CHECK(wal_open(&options, &sim.wal, &sim.err) == 0);
    str_fini(&bytes);
}

static void close_node(void)
{
    wal_close(sim.wal);
    db_close(sim.db);
    state_free(sim.state);
}

static void apply_entry(struct state *state, uint64_t index, struct slice entry)
{
    struct slice command;
    struct str result;

    str_init(&result, 64 * MIB);
    while (command_unpack(&entry, &command)) {
        str_reset(&result);
        state_apply(state, index, command, &result);
    }
    str_fini(&result);
}

static int replay_entry(void *arg, const struct wal_entry *entry)
{
    (void)arg;
    CHECK(entry->index <= sim.last);
    CHECK(slice_eq(entry->data, sim.entries[entry->index]));
    if (entry->index > state_applied_index(sim.state))
        apply_entry(sim.state, entry->index, entry->data);
    return 0;
}

static void apply_synced(void)
{
    for (; sim.applied < sim.synced; sim.applied++) {
        apply_entry(sim.state, sim.applied + 1, sim.entries[sim.applied + 1]);
        apply_entry(sim.observer.state, sim.applied + 1, sim.entries[sim.applied + 1]);
    }
}

/* ---- steps ---- */

/* The bytes of an entry: some commits, packed. */
static struct slice make_entry(void)
{
    struct str entry, payload, bytes;
    uint32_t count = 1 + pick(3);

    str_init(&entry, MIB);
    for (uint32_t i = 0; i < count; i++) {
        struct test_batch batches[8];
        struct uuid id = test_uuid(9, sim.next_id++), topic = test_uuid(2, 1);
        struct command cmd = {.cluster_id = test_uuid(1, 1)};
        struct test_commit c;
        size_t n = 0;
        for (int32_t p = 0; p < 8; p++) {
            if (p == 0 || pick(3) == 0)
                batches[n++] = (struct test_batch){
                    0, p, 1 + pick(9), pick(3), 0, (int32_t)pick(20), pick(1000), 0};
        }
        test_commit_init(&c, &id, 1000, &topic, 1, batches, n);
        str_init(&payload, MIB);
        str_init(&bytes, MIB);
        driver_commit_command(&c.commit, &payload, &cmd);
        cmd.now_ms = 1000 + (int64_t)sim.step;
        command_write(&cmd, &bytes);
        command_pack(str_slice(&bytes), &entry);
        str_fini(&bytes);
        str_fini(&payload);
        test_commit_fini(&c);
    }
    size_t len = entry.len;
    return slice_of(str_take(&entry), len);
}

static void append_entries(uint32_t count)
{
    struct wal_entry entries[8];
    size_t done;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t index = sim.last + 1;
        CHECK(index < ENTRIES_MAX);
        mem_free((void *)(uintptr_t)sim.entries[index].ptr);
        sim.entries[index] = make_entry();
        entries[i] = (struct wal_entry){
            .index = index, .term = 1, .type = 1, .data = sim.entries[index]};
        sim.last = index;
    }
    CHECK(wal_append(sim.wal, entries, count, &done, &sim.err) == 0);
}

static void step_sync(void)
{
    CHECK(wal_sync(sim.wal, &sim.err) == 0);
    sim.synced = sim.last;
    apply_synced();
}

static void step_checkpoint(void)
{
    struct checkpoint_meta meta = {.cell_id = {{7}}};
    struct str delta;

    meta.position.index = sim.applied;
    meta.position.term = 1;
    str_init(&delta, 64 * MIB);
    checkpoint_collect(sim.state, &meta, &delta);
    CHECK(db_apply(sim.db, str_slice(&delta), &sim.err) == 0);
    str_fini(&delta);
    sim.checkpointed = sim.applied;
    if (sim.checkpointed > TRAILING)
        CHECK(wal_trim(sim.wal, sim.checkpointed - TRAILING, &sim.err) == 0);
}

static void crash(void)
{
    char name[64], path[160];

    copy_dir(sim.dir, sim.image);
    for (uint64_t first = 1; first <= sim.last + 1; first++) {
        snprintf(name, sizeof(name), "wal-%020llu.log", (unsigned long long)first);
        snprintf(path, sizeof(path), "%s/%s", sim.image, name);
        if (access(path, F_OK) == 0)
            tear_file(name);
    }
    /* The mark is never synced: a power cut may have taken it. */
    snprintf(path, sizeof(path), "%s/durable", sim.image);
    if (pick(3) == 0)
        CHECK(truncate(path, 0) == 0);
    close_node();
    copy_dir(sim.image, sim.dir);
    open_node();
    sim.crashes++;
    sim.cuts += wal_cut_bytes(sim.wal) > 0;
    CHECK(wal_last_index(sim.wal) >= sim.synced);
    CHECK(wal_last_index(sim.wal) <= sim.last);
    CHECK(wal_read(sim.wal, wal_first_index(sim.wal), replay_entry, NULL, &sim.err) == 0);
    sim.last = sim.synced = wal_last_index(sim.wal);
    for (; sim.applied < sim.last; sim.applied++)
        apply_entry(sim.observer.state, sim.applied + 1, sim.entries[sim.applied + 1]);
    CHECK(state_applied_index(sim.state) == sim.applied);
    CHECK(state_hash(sim.state) == state_hash(sim.observer.state));
}

/* Entries 1 and 2: the cluster and a topic. */
static void begin(void)
{
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = test_uuid(1, 1),
                          .cluster_create = {.name = SLICE_LITERAL("c")}};
    struct str bytes;
    size_t done;

    for (uint64_t i = 1; i <= 2; i++) {
        struct str entry;
        str_init(&bytes, MIB);
        str_init(&entry, MIB);
        command_write(&cmd, &bytes);
        command_pack(str_slice(&bytes), &entry);
        size_t len = entry.len;
        sim.entries[i] = slice_of(str_take(&entry), len);
        struct wal_entry record = {
            .index = i, .term = 1, .type = 1, .data = sim.entries[i]};
        CHECK(wal_append(sim.wal, &record, 1, &done, &sim.err) == 0);
        str_fini(&bytes);
        cmd = (struct command){.kind = COMMAND_TOPIC_CREATE,
                               .cluster_id = test_uuid(1, 1),
                               .topic_create = {.topic_id = test_uuid(2, 1),
                                                .name = SLICE_LITERAL("t"),
                                                .partitions = 8,
                                                .topics_max = 10,
                                                .partitions_max = 10}};
    }
    sim.last = 2;
    step_sync();
}

static void run_seed(unsigned seed)
{
    uint32_t crashes = sim.crashes, cuts = sim.cuts;

    memset(&sim, 0, sizeof(sim));
    sim.crashes = crashes;
    sim.cuts = cuts;
    sim.seed = seed;
    sim.random = seed * 2654435761u + 1;
    sim.next_id = 1;
    temp_dir(sim.dir);
    snprintf(sim.image, sizeof(sim.image), "%s-image", sim.dir);
    driver_init(&sim.observer, NULL);
    open_node();
    begin();
    for (sim.step = 0; sim.step < STEPS; sim.step++) {
        uint32_t what = pick(100);
        if (what < 55)
            append_entries(1 + pick(5));
        else if (what < 82)
            step_sync();
        else if (what < 90)
            step_checkpoint();
        else
            crash();
    }
    crash();
    close_node();
    driver_fini(&sim.observer);
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        mem_free((void *)(uintptr_t)sim.entries[i].ptr);
    for (size_t i = 0; i < sim.file_count; i++)
        mem_free(sim.files[i].bytes);
    temp_dir_remove(sim.dir);
    temp_dir_remove(sim.image);
}

static void run_seeds(unsigned first, unsigned count)
{
    for (unsigned seed = first; seed < first + count; seed++)
        run_seed(seed);
    printf("%u seeds: %u crashes, %u torn tails cut\n", count, sim.crashes, sim.cuts);
    ASSERT(sim.crashes > count * 5 && sim.cuts > count / 2);
}

/* Thirty seeds lose nothing that was synced, and come back by themselves. */
static void test_seeds(void **state)
{
    (void)state;
    run_seeds(1, 30);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds)};

    if (argc > 1) {
        run_seeds((unsigned)atoi(argv[1]), argc > 2 ? (unsigned)atoi(argv[2]) : 1);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
