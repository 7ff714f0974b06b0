/* test_node_cell.c - three real nodes in one process, over loopback TLS: elections,
 * commits, failover, joins, removals, snapshots for who is far behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "controlplane/replica.h"
#include "proto/snapshot_file.h"
#include "tests/lib/node_cell.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

struct fixture {
    struct test_cell cell;
    struct str result;
    int64_t next_id; /* of the producer ids that were given out */
};

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    test_cell_init(&f->cell);
    str_init(&f->result, 64 * MIB);
    f->next_id = 1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    test_cell_fini(&f->cell);
    str_fini(&f->result);
    mem_free(f);
    return 0;
}

/* A command that is seen in the state, once. */
static void make_cluster(struct fixture *f)
{
    struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                          .cluster_id = test_uuid(1, 1),
                          .cluster_create = {.name = SLICE_LITERAL("acme")}};
    test_cell_call(&f->cell, &cmd, &f->result);
}

/* Producer ids: each grant begins behind all that went before, whoever leads. */
static void take_ids(struct fixture *f, int times)
{
    for (int i = 0; i < times; i++) {
        struct command cmd = {.kind = COMMAND_PRODUCER_IDS,
                              .cluster_id = test_uuid(1, 1),
                              .producer_ids = {.count = 10}};
        struct command_result result;
        test_cell_call(&f->cell, &cmd, &f->result);
        assert_int_equal(command_result_read(str_slice(&f->result), &result), 0);
        assert_true(result.value >= f->next_id);
        f->next_id = result.value + 10;
    }
}

/* Rows enough to make the log behind checkpoints go. */
static void make_topics(struct fixture *f, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char name[32];
        struct command cmd = {.kind = COMMAND_TOPIC_CREATE,
                              .cluster_id = test_uuid(1, 1),
                              .topic_create = {.partitions = 8,
                                               .topics_max = 100000,
                                               .partitions_max = 1000000}};
        snprintf(name, sizeof(name), "topic-%u", i);
        cmd.topic_create.name = slice_str(name);
        cmd.topic_create.topic_id = test_uuid(2, i);
        test_cell_call(&f->cell, &cmd, &f->result);
    }
}

static void start_three(struct fixture *f)
{
    test_cell_start(&f->cell, 1);
    make_cluster(f);
    for (uint64_t id = 2; id <= 3; id++) {
        test_cell_start(&f->cell, id);
        test_cell_add(&f->cell, id);
    }
}

static struct node_health health_of(struct fixture *f, uint64_t id)
{
    struct node_health health;
    node_health(f->cell.nodes[id].node, &health);
    return health;
}

/* Two nodes join a cell of one, become voters, and all three have the same state. */
static void test_three(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    take_ids(f, 100);
    test_cell_converge(&f->cell);
    usleep(1200000); /* health is published each second */
    struct node_health health = health_of(f, test_cell_leader(&f->cell));
    assert_int_equal(health.server_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(health.servers[i].role, NODE_VOTER);
        assert_true(health.servers[i].connected);
        assert_in_range(health.servers[i].contact_ms, 0, 5000);
    }
}

/* The leader dies: the others elect one and go on; it comes back and follows. */
static void test_failover(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    for (int round = 0; round < 4; round++) {
        uint64_t leader = test_cell_leader(&f->cell);
        take_ids(f, 20);
        test_cell_kill(&f->cell, leader);
        int64_t start_ms = clock_monotonic_ms();
        take_ids(f, 1);
        assert_in_range(clock_monotonic_ms() - start_ms, 0, 3000);
        take_ids(f, 20);
        test_cell_start(&f->cell, leader);
    }
    test_cell_converge(&f->cell);
}

/* A leader that is stopped in order hands over first: nobody waits for a timeout. */
static void test_hand_over(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    take_ids(f, 10);
    for (int round = 0; round < 3; round++) {
        test_cell_converge(&f->cell);
        uint64_t leader = test_cell_leader(&f->cell);
        test_cell_stop(&f->cell, leader);
        int64_t start_ms = clock_monotonic_ms();
        uint64_t next = test_cell_leader(&f->cell);
        assert_int_not_equal(next, leader);
        assert_in_range(clock_monotonic_ms() - start_ms, 0, 200);
        take_ids(f, 5);
        test_cell_start(&f->cell, leader);
    }
    test_cell_converge(&f->cell);
}

/* Asked for, leadership goes to the node that is named. */
static void test_transfer(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    for (uint64_t id = 1; id <= 3; id++) {
        if (test_cell_leader(&f->cell) == id)
            continue;
        assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_TRANSFER, id), 0);
        assert_int_equal(test_cell_leader(&f->cell), id);
    }
}

static void read_time(struct node *node, void *arg)
{
    *(int64_t *)arg = state_now_ms(node_state(node));
}

/* The time of the state's last command, less what it is. */
static int64_t ahead_ms(struct fixture *f)
{
    int64_t at_ms = 0;

    take_ids(f, 3);
    node_run(f->cell.nodes[test_cell_leader(&f->cell)].node, read_time, &at_ms);
    return at_ms - clock_wall_ms();
}

/* A leader whose clock is a month ahead, or jumps there, takes the cell's time a few
 * minutes along and not for ever. */
static void test_clock_ahead(void **state)
{
    struct fixture *f = *state;
    int64_t month_ms = INT64_C(30) * 24 * 3600 * 1000;

    start_three(f);
    assert_in_range(ahead_ms(f) + 1000, 0, 1000);
    atomic_store(&f->cell.nodes[2].ahead_ms, month_ms);
    if (test_cell_leader(&f->cell) != 2)
        assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_TRANSFER, 2), 0);
    assert_in_range(ahead_ms(f) + 1000, 0, NODE_CLOCK_AHEAD_MS + 3000);
    assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_TRANSFER, 3), 0);
    /* When it is elected, not before: of two of three it would be believed. */
    assert_int_equal(test_cell_leader(&f->cell), 3);
    atomic_store(&f->cell.nodes[2].ahead_ms, 0);
    atomic_store(&f->cell.nodes[3].ahead_ms, month_ms);
    assert_in_range(ahead_ms(f) + 1000, 0, NODE_CLOCK_AHEAD_MS + 3000);
}

/* Of a majority that is gone nothing is acknowledged, and nothing is read. */
static void test_minority(void **state)
{
    struct fixture *f = *state;
    struct command cmd = {.kind = COMMAND_PRODUCER_IDS,
                          .cluster_id = test_uuid(1, 1),
                          .producer_ids = {.count = 10}};

    start_three(f);
    take_ids(f, 10);
    uint64_t leader = test_cell_leader(&f->cell);
    for (uint64_t id = 1; id <= 3; id++) {
        if (id != leader)
            test_cell_kill(&f->cell, id);
    }
    assert_int_not_equal(node_call(f->cell.nodes[leader].node, &cmd, NULL), 0);
    usleep(400000);
    struct node_health health = health_of(f, leader);
    assert_false(health.leader && health.readable);
    for (uint64_t id = 1; id <= 3; id++) {
        if (id != leader)
            test_cell_start(&f->cell, id);
    }
    take_ids(f, 10);
    test_cell_converge(&f->cell);
}

/* A follower whose log is gone from the leader gets a snapshot, is told so, and then
 * follows; so it does after a restart of its own. */
static void test_install(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    test_cell_converge(&f->cell);
    uint64_t leader = test_cell_leader(&f->cell);
    uint64_t behind = leader == 3 ? 2 : 3;
    test_cell_kill(&f->cell, behind);
    make_topics(f, 1, 6000);
    test_cell_start(&f->cell, behind);
    test_cell_converge(&f->cell);
    assert_int_equal(atomic_load(&f->cell.nodes[behind].installed), 1);
    take_ids(f, 10);
    test_cell_stop(&f->cell, behind);
    take_ids(f, 10);
    test_cell_start(&f->cell, behind);
    test_cell_converge(&f->cell);
}

/* A node that joins a cell whose log does not reach back any more begins with a
 * snapshot. */
static void test_join_by_snapshot(void **state)
{
    struct fixture *f = *state;

    test_cell_start(&f->cell, 1);
    make_cluster(f);
    make_topics(f, 1, 6000);
    test_cell_start(&f->cell, 2);
    test_cell_add(&f->cell, 2);
    assert_int_equal(atomic_load(&f->cell.nodes[2].installed), 1);
    take_ids(f, 10);
    test_cell_converge(&f->cell);
}

/* The table of nodes, which says who was removed. */
static void name_three(struct fixture *f)
{
    for (uint32_t i = 1; i <= 3; i++) {
        struct command cmd = {.kind = COMMAND_NODE_PUT,
                              .node_put = {.instance = test_uuid(9, i),
                                           .name = SLICE_LITERAL("node"),
                                           .features_max = 1000,
                                           .wanted = WANT_VOTER}};
        cmd.node_put.peer_address = slice_str(f->cell.nodes[i].listen);
        test_cell_call(&f->cell, &cmd, &f->result);
    }
}

/* A leader that is to go hands over first; a node that is removed is told so, and the
 * others go on without it. */
static void test_remove(void **state)
{
    struct fixture *f = *state;

    start_three(f);
    name_three(f);
    uint64_t leader = test_cell_leader(&f->cell);
    struct command gone = {.kind = COMMAND_NODE_REMOVE,
                           .node_remove = {.node_id = leader}};
    assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_REMOVE, leader), ERR_INVALID);
    assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_TRANSFER, 0), 0);
    test_cell_call(&f->cell, &gone, &f->result);
    assert_int_equal(test_cell_change(&f->cell, NODE_CHANGE_REMOVE, leader), 0);
    for (int i = 0; i < 500 && atomic_load(&f->cell.nodes[leader].removed) == 0; i++)
        usleep(10000);
    assert_int_equal(atomic_load(&f->cell.nodes[leader].removed), 1);
    test_cell_kill(&f->cell, leader);
    take_ids(f, 20);
    test_cell_converge(&f->cell);
    usleep(1200000);
    assert_int_equal(health_of(f, test_cell_leader(&f->cell)).server_count, 2);
}

/* A backup holds everything that was done before it was asked for; a new cell begins with
 * it. */
struct backup {
    struct node_snapshot snapshot;
    atomic_int ended;
    int code;
};

static void on_backup(struct node_snapshot *snapshot, int code, const struct err *err)
{
    struct backup *backup = CONTAINER_OF(snapshot, struct backup, snapshot);
    if (code != 0)
        fprintf(stderr, "backup: %s\n", err->text);
    backup->code = code;
    atomic_store(&backup->ended, 1);
}

static void begin_backup(struct node *node, void *arg)
{
    node_make_snapshot(node, &((struct backup *)arg)->snapshot);
}

static void test_backup(void **state)
{
    struct fixture *f = *state;
    struct backup backup = {.snapshot = {.done = on_backup}};
    struct uuid other_cell = test_uuid(88, 1);
    struct snapshot_info info;
    struct err err = {.code = 0};
    char dir[64], home[64];

    temp_dir(dir);
    temp_dir(home);
    test_cell_start(&f->cell, 1);
    make_cluster(f);
    make_topics(f, 1, 50);
    take_ids(f, 20);
    snprintf(backup.snapshot.path, sizeof(backup.snapshot.path), "%s/backup", dir);
    uint64_t hash = node_hash(f->cell.nodes[1].node);
    node_run(f->cell.nodes[1].node, begin_backup, &backup);
    for (int i = 0; i < 1000 && atomic_load(&backup.ended) == 0; i++)
        usleep(10000);
    assert_int_equal(atomic_load(&backup.ended), 1);
    assert_int_equal(backup.code, 0);
    assert_int_equal(snapshot_unpack(backup.snapshot.path, NULL, &info, NULL, &err), 0);
    assert_int_equal(info.index, backup.snapshot.index);
    assert_memory_equal(info.sha256, backup.snapshot.sha256, 32);
    if (node_restore(home, backup.snapshot.path, &other_cell, &(uint64_t){1},
                     "127.0.0.1:1", &info, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(node_restore(home, backup.snapshot.path, &other_cell, &(uint64_t){1},
                                  "", &info, &err),
                     ERR_EXISTS);
    struct node_options options = {
        .dir = home, .cell_id = other_cell, .node_id = 1, .begin = NODE_GO_ON};
    struct node *node = NULL;
    if (node_start(&options, &node, &err) != 0)
        fail_msg("%s", err.text);
    struct command cmd = {.kind = COMMAND_PRODUCER_IDS,
                          .cluster_id = test_uuid(1, 1),
                          .producer_ids = {.count = 10}};
    struct command_result result;
    struct uuid cell_id = node_cell_id(node);
    assert_true(uuid_eq(&cell_id, &other_cell));
    (void)hash;
    assert_int_equal(node_call(node, &cmd, &f->result), 0);
    assert_int_equal(command_result_read(str_slice(&f->result), &result), 0);
    assert_int_equal(result.value, f->next_id);
    node_stop(node);
    temp_dir_remove(dir);
    temp_dir_remove(home);
}

/* ---- an install that was interrupted ---- */

static void unlink_in(const char *dir, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
}

/* Put a snapshot of the leader's database into node ID's directory as NAME, which is
 * down. */
static void plant(struct fixture *f, uint64_t id, const char *name)
{
    struct backup backup = {.snapshot = {.done = on_backup}};
    const char *dir = f->cell.nodes[id].dir;
    struct snapshot_info info;
    struct err err;
    char path[160];

    snprintf(backup.snapshot.path, sizeof(backup.snapshot.path), "%s/planted", dir);
    node_run(f->cell.nodes[test_cell_leader(&f->cell)].node, begin_backup, &backup);
    for (int i = 0; i < 1000 && atomic_load(&backup.ended) == 0; i++)
        usleep(10000);
    assert_int_equal(backup.code, 0);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(snapshot_unpack(backup.snapshot.path, path, &info, NULL, &err), 0);
    assert_int_equal(unlink(backup.snapshot.path), 0);
}

static void touch(const char *dir, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* Whatever step of an install a crash came after, the next start ends with the leader's
 * state: nothing was begun; noted, and the new database beside the old one; in its place,
 * and the log as it was before. What half a backup left goes too. */
static void test_interrupted(void **state)
{
    struct fixture *f = *state;
    uint32_t topics = 1;

    start_three(f);
    make_topics(f, topics, 20);
    test_cell_converge(&f->cell);
    for (int step = 0; step < 3; step++) {
        uint64_t behind = test_cell_leader(&f->cell) == 3 ? 2 : 3;
        const char *dir = f->cell.nodes[behind].dir;
        test_cell_kill(&f->cell, behind);
        make_topics(f, topics += 100, 50);
        plant(f, behind, step < 2 ? "install-next.db" : "state.db");
        if (step == 2) {
            unlink_in(dir, "state.db-wal");
            unlink_in(dir, "state.db-shm");
        }
        if (step > 0)
            touch(dir, "install");
        touch(dir, "install-fetch.part");
        touch(dir, "download-1.part.part");
        test_cell_start(&f->cell, behind);
        char path[160];
        snprintf(path, sizeof(path), "%s/download-1.part.part", dir);
        assert_int_not_equal(access(path, F_OK), 0);
        snprintf(path, sizeof(path), "%s/install", dir);
        assert_int_not_equal(access(path, F_OK), 0);
        snprintf(path, sizeof(path), "%s/install-next.db", dir);
        assert_int_not_equal(access(path, F_OK), 0);
        take_ids(f, 5);
        test_cell_converge(&f->cell);
    }
}

/* ---- a damaged log ---- */

/* Change a byte of the first record of node ID's newest segment: entries follow it that
 * say it was acknowledged. */
static void damage_log(struct fixture *f, uint64_t id)
{
    const char *dir = f->cell.nodes[id].dir;
    char path[400], newest[300] = "";
    struct dirent *item;
    uint8_t byte;

    DIR *opened = opendir(dir);
    while ((item = readdir(opened)) != NULL) {
        if (strncmp(item->d_name, "wal-", 4) == 0 && strcmp(item->d_name, newest) > 0)
            snprintf(newest, sizeof(newest), "%s", item->d_name);
    }
    closedir(opened);
    snprintf(path, sizeof(path), "%s/%s", dir, newest);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 64 + 50), 1);
    byte ^= 0xff;
    assert_int_equal(pwrite(fd, &byte, 1, 64 + 50), 1);
    close(fd);
}

static void remove_damaged(const char *dir)
{
    char path[400];
    struct dirent *item;

    DIR *opened = opendir(dir);
    while ((item = readdir(opened)) != NULL) {
        if (strncmp(item->d_name, "damaged-", 8) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, item->d_name);
        temp_dir_remove(path);
    }
    closedir(opened);
}

/* A node of three whose log is damaged sets it aside and comes back by the others, who go
 * on meanwhile; then it votes again. */
static void test_damaged_log(void **state)
{
    struct fixture *f = *state;
    char path[160];

    start_three(f);
    test_cell_converge(&f->cell);
    uint64_t leader = test_cell_leader(&f->cell);
    /* The first of the others: whom a leader hands over to that has no better choice. */
    uint64_t hurt = leader == 1 ? 2 : 1;
    take_ids(f, 50);
    test_cell_converge(&f->cell);
    test_cell_stop(&f->cell, hurt); /* writes a checkpoint: the configuration is in it */
    test_cell_start(&f->cell, hurt);
    take_ids(f, 50);
    test_cell_converge(&f->cell);
    test_cell_kill(&f->cell, hurt);
    damage_log(f, hurt);
    test_cell_start(&f->cell, hurt);
    snprintf(path, sizeof(path), "%s/recovering", f->cell.nodes[hurt].dir);
    for (int i = 0; i < 1000 && access(path, F_OK) == 0; i++)
        usleep(10000);
    assert_int_not_equal(access(path, F_OK), 0);
    take_ids(f, 20);
    test_cell_converge(&f->cell);
    /* Its vote counts again: with it and one other a leader is elected. */
    test_cell_kill(&f->cell,
                   test_cell_leader(&f->cell) == hurt ? 3 : test_cell_leader(&f->cell));
    take_ids(f, 20);
    remove_damaged(f->cell.nodes[hurt].dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_three, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hand_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transfer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_minority, setup, teardown),
        cmocka_unit_test_setup_teardown(test_install, setup, teardown),
        cmocka_unit_test_setup_teardown(test_join_by_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backup, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
