/* test_node.c - the whole node: proposals become durable and applied, restarts come back
 * to the same state, kill -9 loses nothing, a failing disk stops acknowledgements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "controlplane/node_core.h"
#include "controlplane/wal.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define KILL_OBJECTS 100000

struct fixture {
    char dir[64];
    struct str result;
    uint32_t next_object;
    int64_t created_at_ms; /* of all objects: a repeat has the same bytes */
};

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    temp_dir(f->dir);
    str_init(&f->result, 64 * MIB);
    f->next_object = 1;
    f->created_at_ms = clock_wall_ms();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(f->dir);
    str_fini(&f->result);
    mem_free(f);
    return 0;
}

static struct node *start(struct fixture *f)
{
    struct node_options options = {.dir = f->dir,
                                   .address = "127.0.0.1:1",
                                   .wal_segment_bytes = 256 * KIB,
                                   .checkpoint_log_bytes = 64 * KIB};
    struct node *node = NULL;
    struct err err = {.code = 0};
    int rc = node_start(&options, &node, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    return node;
}

static struct command_result call(struct fixture *f, struct node *node,
                                  struct command *cmd)
{
    struct command_result result;
    cmd->cluster_id = test_uuid(1, 1);
    assert_int_equal(node_call(node, cmd, &f->result), 0);
    assert_int_equal(command_result_read(str_slice(&f->result), &result), 0);
    return result;
}

static void make_topic(struct fixture *f, struct node *node)
{
    struct command cluster = {.kind = COMMAND_CLUSTER_CREATE,
                              .cluster_create = {.name = SLICE_LITERAL("acme")}};
    struct command topic = {.kind = COMMAND_TOPIC_CREATE,
                            .topic_create = {.name = SLICE_LITERAL("t"),
                                             .partitions = 16,
                                             .topics_max = 10,
                                             .partitions_max = 100}};
    topic.topic_create.topic_id = test_uuid(2, 1);
    assert_int_equal(call(f, node, &cluster).code, 0);
    assert_int_equal(call(f, node, &topic).kafka_error, 0);
}

/* Commit object NUMBER: a record into each of 16 partitions. Returns the code; *OFFSET is
 * that of partition 0. */
static int commit_one(struct fixture *f, struct node *node, uint32_t number,
                      int64_t *offset)
{
    struct test_batch batches[16];
    struct uuid id = test_uuid(9, number), topic = test_uuid(2, 1);
    struct command cmd = {.kind = COMMAND_COMMIT, .cluster_id = test_uuid(1, 1)};
    struct commit_result result;
    struct test_commit c;
    struct arena arena;
    struct str payload;
    struct reader r;

    for (int32_t i = 0; i < 16; i++)
        batches[i] = (struct test_batch){0, i, 1, -1, 0, -1, 1, 0};
    test_commit_init(&c, &id, f->created_at_ms, &topic, 1, batches, 16);
    str_init(&payload, MIB);
    driver_commit_command(&c.commit, &payload, &cmd);
    int code = node_call(node, &cmd, &f->result);
    arena_init(&arena, MIB);
    if (code == 0) {
        reader_init(&r, str_slice(&f->result));
        assert_int_equal(commit_result_read(&r, &arena, &result), 0);
        assert_int_equal(result.code, 0);
        *offset = result_offset(&result, 0);
    }
    arena_fini(&arena);
    str_fini(&payload);
    test_commit_fini(&c);
    return code;
}

/* A proposal ends after it was applied, with the state's answer. */
static void test_propose(void **state)
{
    struct fixture *f = *state;
    struct node *node = start(f);
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 10}};
    struct node_health health;
    int64_t offset = -1;

    make_topic(f, node);
    assert_int_equal(call(f, node, &ids).value, 1);
    assert_int_equal(call(f, node, &ids).value, 11);
    assert_int_equal(commit_one(f, node, 1, &offset), 0);
    assert_int_equal(offset, 0);
    assert_int_equal(commit_one(f, node, 2, &offset), 0);
    assert_int_equal(offset, 1);
    node_health(node, &health);
    assert_true(health.leader);
    assert_true(health.readable);
    assert_int_equal(health.write_code, 0);
    assert_int_equal(health.commands_total, 6);
    node_stop(node);
}

/* A restart has the same state, whatever lies in the checkpoint and what in the log; each
 * start is a new term. */
static void test_restart(void **state)
{
    struct fixture *f = *state;
    struct node *node = start(f);
    struct node_health health;
    uint64_t term = 0;
    int64_t offset = -1;

    make_topic(f, node);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 300; i++)
            assert_int_equal(commit_one(f, node, f->next_object++, &offset), 0);
        uint64_t hash = node_hash(node);
        node_stop(node);
        node = start(f);
        assert_true(node_hash(node) == hash);
        node_health(node, &health);
        assert_true(health.term > term);
        term = health.term;
    }
    assert_int_equal(offset, 1499);
    node_stop(node);
}

/* The log behind a checkpoint goes, and the node starts from what is left. */
static void test_trim(void **state)
{
    struct fixture *f = *state;
    struct node *node = start(f);
    struct node_health health;
    int64_t offset = -1;
    char path[128];

    make_topic(f, node);
    for (uint32_t i = 0; i < 6000; i++)
        assert_int_equal(commit_one(f, node, f->next_object++, &offset), 0);
    for (int i = 0; i < 100; i++) {
        node_health(node, &health);
        if (health.checkpoint_index > 5500 && health.log_bytes < 5500 * 250)
            break;
        usleep(50000);
        assert_int_equal(commit_one(f, node, f->next_object++, &offset), 0);
    }
    assert_true(health.checkpoints_total > 3);
    assert_int_equal(health.checkpoint_failures_total, 0);
    snprintf(path, sizeof(path), "%s/wal-%020d.log", f->dir, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    uint64_t hash = node_hash(node);
    node_stop(node);
    node = start(f);
    assert_true(node_hash(node) == hash);
    node_stop(node);
}

/* A second process may not open the directory. */
static void test_lock(void **state)
{
    struct fixture *f = *state;
    struct node *node = start(f), *second = NULL;
    struct node_options options = {.dir = f->dir};
    struct err err;

    assert_int_equal(node_start(&options, &second, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "another process"));
    node_stop(node);
}

/* ---- kill -9 ---- */

/* The child: commit for ever, and write the number and offset of each acknowledged one.
 */
static void child_commits(struct fixture *f, int fd)
{
    struct node *node = start(f);
    int64_t offset;

    for (uint32_t i = f->next_object;; i++) {
        if (commit_one(f, node, i, &offset) != 0)
            _exit(3);
        uint32_t line[2] = {i, (uint32_t)offset};
        if (write(fd, line, sizeof(line)) != (ssize_t)sizeof(line))
            _exit(4);
    }
}

/* Run a child for a while and kill it; OFFSETS and *ACKED get what it acknowledged. */
static void run_child(struct fixture *f, useconds_t for_us, uint32_t *offsets,
                      uint32_t *acked)
{
    uint32_t line[2];
    int pipe_fd[2], status;

    assert_int_equal(pipe(pipe_fd), 0);
    f->next_object = *acked + 1;
    pid_t pid = fork();
    if (pid == 0) {
        close(pipe_fd[0]);
        child_commits(f, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    /* Read while it runs: a full pipe would stop it. */
    fcntl(pipe_fd[0], F_SETPIPE_SZ, 1 << 20);
    usleep(for_us);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while (read(pipe_fd[0], line, sizeof(line)) == (ssize_t)sizeof(line)) {
        assert_int_equal(line[0], *acked + 1);
        offsets[++*acked] = line[1];
        assert_true(*acked < KILL_OBJECTS - 1);
    }
    close(pipe_fd[0]);
}

/* I1, I5, I11: after kill -9 at a random moment every acknowledged commit is there with
 * its offset; repeating it, and the one that was not answered, gives one append each. */
static void test_kill(void **state)
{
    struct fixture *f = *state;
    uint32_t *offsets = mem_alloc(KILL_OBJECTS * sizeof(*offsets)), acked = 0,
             checked = 0;
    struct node *node = start(f);
    unsigned seed = 12345;
    int64_t offset = -1;

    make_topic(f, node);
    node_stop(node);
    for (int round = 0; round < 25; round++) {
        run_child(f, (useconds_t)(5000 + rand_r(&seed) % 60000), offsets, &acked);
        node = start(f);
        for (; checked < acked; checked++) {
            assert_int_equal(offsets[checked + 1], checked);
            assert_int_equal(commit_one(f, node, checked + 1, &offset), 0);
            assert_int_equal(offset, checked);
        }
        node_stop(node);
    }
    assert_true(acked > 100);
    node = start(f);
    assert_int_equal(commit_one(f, node, acked + 1, &offset), 0);
    assert_int_equal(offset, acked); /* dense: nothing was doubled either */
    node_stop(node);
    mem_free(offsets);
}

/* I11: a kill in the middle of the very first start needs no hand either. */
static void test_kill_first_start(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 99;

    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)start(f);
            pause();
        }
        usleep((useconds_t)(rand_r(&seed) % 8000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        struct node *node = start(f);
        make_topic(f, node);
        node_stop(node);
        temp_dir_remove(f->dir);
        assert_int_equal(mkdir(f->dir, 0700), 0);
    }
}

/* ---- a failing disk ---- */

static atomic_int fail_fallocate, fail_sync, hold_sync;

static int test_fdatasync(int fd)
{
    int error = atomic_load(&fail_sync);
    while (atomic_load(&hold_sync) != 0)
        usleep(1000);
    if (error == 0)
        return fdatasync(fd);
    errno = error;
    return -1;
}

static int test_fallocate(int fd, off_t at, off_t len)
{
    int error = atomic_load(&fail_fallocate);
    return error != 0 ? error : posix_fallocate(fd, at, len);
}

static struct node *start_failing(struct fixture *f)
{
    static const struct wal_ops ops = {pwritev, test_fdatasync, test_fallocate};
    struct node_options options = {
        .dir = f->dir, .wal_segment_bytes = 64 * KIB, .wal_ops = &ops};
    struct node *node = NULL;
    struct err err = {.code = 0};

    atomic_store(&fail_fallocate, 0);
    atomic_store(&fail_sync, 0);
    if (node_start(&options, &node, &err) != 0)
        fail_msg("%s", err.text);
    return node;
}

static atomic_int held_done;

static void on_held(struct proposal *proposal, int code, struct slice result)
{
    (void)result;
    assert_int_equal(code, 0);
    atomic_fetch_add(&held_done, 1);
    mem_free(proposal);
}

static void propose_one(struct node *node, void *arg)
{
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct proposal *proposal = mem_zalloc(sizeof(*proposal));

    (void)arg;
    proposal->done = on_held;
    node_propose(node, proposal, &ids);
}

/* While some entries are under way, further proposals wait to go together in one; none is
 * forgotten. */
static void test_together(void **state)
{
    struct fixture *f = *state;
    struct node *node = start_failing(f);
    struct node_health before, after;

    make_topic(f, node);
    node_health(node, &before);
    atomic_store(&held_done, 0);
    atomic_store(&hold_sync, 1);
    for (int i = 0; i < 100; i++)
        node_run(node, propose_one, NULL); /* a tick each */
    assert_int_equal(atomic_load(&held_done), 0);
    atomic_store(&hold_sync, 0);
    for (int tries = 0; atomic_load(&held_done) < 100; tries++) {
        assert_true(tries < 1000);
        usleep(10000);
    }
    node_health(node, &after);
    assert_int_equal(after.commands_total - before.commands_total, 100);
    assert_true(after.entries_total - before.entries_total < 20);
    node_stop(node);
}

/* A full disk: nothing is acknowledged, proposals are refused and say why, reads go on;
 * when there is room again the node goes on by itself, and nothing is lost or doubled. */
static void test_no_space(void **state)
{
    struct fixture *f = *state;
    struct node *node = start_failing(f);
    struct node_health health;
    int64_t offset = -1;
    uint32_t i = 0;
    int code = 0;

    make_topic(f, node);
    atomic_store(&fail_fallocate, ENOSPC);
    while (code == 0)
        code = commit_one(f, node, ++i, &offset);
    assert_int_equal(code, ERR_NO_SPACE);
    assert_int_equal(commit_one(f, node, i, &offset), ERR_NO_SPACE);
    node_health(node, &health);
    assert_int_equal(health.write_code, ERR_NO_SPACE);
    assert_true(health.readable);
    assert_int_equal(offset, i - 2);
    atomic_store(&fail_fallocate, 0);
    for (int tries = 0; (code = commit_one(f, node, i, &offset)) != 0; tries++) {
        assert_int_equal(code, ERR_NO_SPACE);
        assert_true(tries < 100);
        usleep(50000);
    }
    assert_int_equal(offset, i - 1);
    uint64_t hash = node_hash(node);
    node_stop(node);
    node = start(f);
    assert_true(node_hash(node) == hash);
    node_stop(node);
}

/* A failed fdatasync: nothing more is acknowledged until a restart, which loses nothing
 * that was. */
static void test_failed_sync(void **state)
{
    struct fixture *f = *state;
    struct node *node = start_failing(f);
    struct node_health health;
    int64_t offset = -1;

    make_topic(f, node);
    for (uint32_t i = 1; i <= 20; i++)
        assert_int_equal(commit_one(f, node, i, &offset), 0);
    atomic_store(&fail_sync, EIO);
    assert_int_equal(commit_one(f, node, 21, &offset), ERR_IO);
    atomic_store(&fail_sync, 0);
    assert_int_equal(commit_one(f, node, 22, &offset), ERR_IO);
    node_health(node, &health);
    assert_int_equal(health.write_code, ERR_IO);
    assert_true(health.readable);
    node_stop(node);
    node = start(f);
    for (uint32_t i = 1; i <= 22; i++) {
        assert_int_equal(commit_one(f, node, i, &offset), 0);
        assert_int_equal(offset, i - 1);
    }
    node_stop(node);
}

struct many {
    struct proposal proposal;
    int code;
};

static void done_overloaded(struct proposal *proposal, int code, struct slice result)
{
    (void)result;
    CONTAINER_OF(proposal, struct many, proposal)->code = code;
}

static void propose_too_much(struct node *node, void *arg)
{
    struct many *proposals = arg;
    for (int i = 0; i < 10; i++) {
        struct command cmd = {.kind = COMMAND_CLUSTER_CREATE,
                              .cluster_id = test_uuid(1, (uint32_t)i)};
        char name[4000];
        memset(name, 'a' + i, sizeof(name));
        cmd.cluster_create.name = slice_of(name, sizeof(name));
        proposals[i].proposal.done = done_overloaded;
        proposals[i].code = -1;
        node_propose(node, &proposals[i].proposal, &cmd);
        assert_int_equal(proposals[i].code, -1); /* never from inside node_propose */
    }
}

static void nothing(struct node *node, void *arg)
{
    (void)node, (void)arg;
}

/* I12: what is proposed and not applied is bounded; the rest is refused as overload. */
static void test_overload(void **state)
{
    struct fixture *f = *state;
    struct many proposals[10];
    struct node_options options = {.dir = f->dir, .proposals_max_bytes = 10000};
    struct node *node;
    struct err err;
    int refused = 0;

    assert_int_equal(node_start(&options, &node, &err), 0);
    node_run(node, propose_too_much, proposals);
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    while (node_call(node, &ids, &f->result) == ERR_OVERLOADED)
        node_run(node, nothing, NULL);
    node_run(node, nothing, NULL);
    for (int i = 0; i < 10; i++) {
        assert_true(proposals[i].code == 0 || proposals[i].code == ERR_OVERLOADED);
        refused += proposals[i].code != 0;
    }
    assert_int_equal(refused, 7);
    node_stop(node);
}

static void count_runs(struct node *node, void *arg)
{
    struct state_counts counts;
    state_count(node_state(node), &counts);
    *(uint64_t *)arg = counts.runs + state_purge_due(node_state(node));
}

/* The leader proposes that what was deleted is forgotten, a step after the other, until
 * nothing is left: here more than one step. */
static void test_purge(void **state)
{
    struct fixture *f = *state;
    struct node *node = start(f);
    struct command gone = {.kind = COMMAND_TOPIC_DELETE};
    uint64_t left = 0;
    int64_t offset;

    make_topic(f, node);
    for (uint32_t i = 0; i < 300; i++) /* 4,800 runs */
        assert_int_equal(commit_one(f, node, i, &offset), 0);
    gone.topic_delete.topic_id = test_uuid(2, 1);
    node_run(node, count_runs, &left);
    assert_int_equal(left, 4800);
    assert_int_equal(call(f, node, &gone).kafka_error, 0);
    for (int i = 0; i < 500 && left > 0; i++) {
        usleep(20000);
        node_run(node, count_runs, &left);
    }
    assert_int_equal(left, 0);
    node_stop(node);
}

/* A directory of another cell is refused, and so is an empty one where a node should be;
 * neither is changed by that. */
static void test_other_cell(void **state)
{
    struct fixture *f = *state;
    struct node_options options = {
        .dir = f->dir, .address = "127.0.0.1:1", .begin = NODE_GO_ON};
    struct node *node = NULL;
    struct err err;

    struct uuid own = test_uuid(98, 9);

    assert_int_equal(node_start(&options, &node, &err), ERR_NOT_FOUND);
    options.begin = NODE_BOOTSTRAP; /* the refusal has left nothing in its way */
    options.cell_id = own;
    assert_int_equal(node_start(&options, &node, &err), 0);
    make_topic(f, node);
    uint64_t hash = node_hash(node);
    node_stop(node);
    options.cell_id = test_uuid(99, 9);
    assert_int_equal(node_start(&options, &node, &err), ERR_CONFLICT);
    options.begin = NODE_JOIN;
    assert_int_equal(node_start(&options, &node, &err), ERR_CONFLICT);
    node = start(f);
    assert_true(node_hash(node) == hash);
    node_stop(node);
}

/* How much of the audit log and of the results for repeats there is. */
static void count_kept(struct node *node, void *arg)
{
    const struct audit_entry *entries[10];
    struct audit_query query = {.cluster_id = NULL};
    struct command purge = {.purge = {.replies_before_ms = INT64_MAX}};
    uint64_t next;
    *(uint64_t *)arg = state_audit(node_state(node), &query, entries, 10, &next) +
                       state_has_older(node_state(node), &purge);
}

/* Entries of the audit log and idempotency keys go by age without anybody's call; younger
 * ones stay. */
static void test_ageing(void **state)
{
    struct fixture *f = *state;
    struct node_options options = {
        .dir = f->dir, .audit_age_ms = 1, .replies_age_ms = 3600000};
    struct command_context context = {.actor_kind = ACTOR_USER,
                                      .action = SLICE_LITERAL("ids"),
                                      .audit_max = 100,
                                      .audit_age_ms = 3600000,
                                      .replies_age_ms = 3600000,
                                      .idempotency_key = {1}};
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct node *node = NULL;
    struct err err;
    uint64_t kept = 0;

    ids.context = &context;
    assert_int_equal(node_start(&options, &node, &err), 0);
    make_topic(f, node);
    assert_int_equal(call(f, node, &ids).code, 0);
    for (int i = 0; i < 500; i++) {
        node_run(node, count_kept, &kept);
        if (kept == 1)
            break;
        usleep(20000);
    }
    assert_int_equal(kept, 1); /* the key */
    node_stop(node);
    options.replies_age_ms = 1;
    assert_int_equal(node_start(&options, &node, &err), 0);
    for (int i = 0; i < 500 && kept > 0; i++) {
        usleep(20000);
        node_run(node, count_kept, &kept);
    }
    assert_int_equal(kept, 0);
    node_stop(node);
}

/* ---- feature levels ---- */

static uint32_t ids_of_level_two(enum command_kind kind)
{
    return kind == COMMAND_PRODUCER_IDS ? 2 : command_level(kind);
}

static void found_cell(struct fixture *f, struct node *node, uint32_t features_max)
{
    struct command cmd = {.kind = COMMAND_CELL_INIT};
    cmd.cell_init.name = SLICE_LITERAL("cell");
    cmd.cell_init.ca.ca_id = test_uuid(4, 1);
    cmd.cell_init.ca.certificate = SLICE_LITERAL("certificate");
    cmd.cell_init.ca.sealed_key = SLICE_LITERAL("sealed");
    cmd.cell_init.sealed_token_secret = SLICE_LITERAL("sealed");
    cmd.cell_init.token_id = test_uuid(5, 1);
    cmd.cell_init.token_hash[0] = 1;
    cmd.cell_init.node =
        (struct node_fields){.name = SLICE_LITERAL("n"),
                             .peer_address = SLICE_LITERAL("127.0.0.1:1"),
                             .people_url = SLICE_LITERAL("https://n:1"),
                             .agents_url = SLICE_LITERAL("https://n:2"),
                             .version = SLICE_LITERAL("1"),
                             .instance = test_uuid(3, 1),
                             .features_max = features_max,
                             .wanted = WANT_VOTER};
    assert_int_equal(node_call(node, &cmd, &f->result), 0);
    struct command_result result;
    assert_int_equal(command_result_read(str_slice(&f->result), &result), 0);
    assert_int_equal(result.code, 0);
}

static void on_fatal(void *arg, const struct err *err)
{
    *(struct err *)arg = *err;
}

/* A command above the cell's level is never proposed; once the level is raised it is. A
 * program that does not know the level refuses to start. */
static void test_level(void **state)
{
    struct fixture *f = *state;
    struct node_options options = {
        .dir = f->dir, .features_max = 2, .command_level = ids_of_level_two};
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct command raise = {.kind = COMMAND_FEATURE_LEVEL, .feature_level = {2}};
    struct node *node = NULL;
    struct err err;

    assert_int_equal(node_start(&options, &node, &err), 0);
    make_topic(f, node);
    found_cell(f, node, 2);
    assert_int_equal(node_call(node, &ids, &f->result), ERR_UNSUPPORTED);
    assert_int_equal(call(f, node, &raise).code, 0);
    assert_int_equal(call(f, node, &ids).code, 0);
    node_stop(node);
    options.features_max = 1;
    assert_int_equal(node_start(&options, &node, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "feature level 2"));
}

/* A program that sees the level raised above what it knows stops there. */
static void test_level_raised(void **state)
{
    struct fixture *f = *state;
    struct err fatal = {0}, err;
    struct node_options options = {.dir = f->dir, .arg = &fatal, .on_fatal = on_fatal};
    struct command raise = {.kind = COMMAND_FEATURE_LEVEL, .feature_level = {2}};
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct node *node = NULL;

    assert_int_equal(node_start(&options, &node, &err), 0);
    make_topic(f, node);
    found_cell(f, node, 2); /* what it was before it was put back to an older one */
    (void)node_call(node, &raise, &f->result);
    assert_int_equal(fatal.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(fatal.text, "start the version that the other nodes run"));
    assert_int_not_equal(node_call(node, &ids, &f->result), 0);
    node_kill(node);
}

/* A command that no command of ours is, as a newer program would write it. */
static void submit_newer(struct node *node, void *arg)
{
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct str bytes, entry;
    uint64_t index, term;
    (void)arg;
    str_init(&bytes, KIB);
    str_init(&entry, KIB);
    command_write(&ids, &bytes);
    bytes.data[1] = (char)200;
    command_pack(str_slice(&bytes), &entry);
    assert_int_equal(replica_submit(node->replica, str_slice(&entry),
                                    clock_monotonic_ms(), &index, &term),
                     0);
    node_touch(node);
    str_fini(&bytes);
    str_fini(&entry);
}

/* A command that only a newer program knows is not skipped: the node stops before it,
 * applies nothing behind it, and says what to start instead. */
static void test_newer_command(void **state)
{
    struct fixture *f = *state;
    struct err fatal = {0}, err;
    struct node_options options = {.dir = f->dir, .arg = &fatal, .on_fatal = on_fatal};
    struct command ids = {.kind = COMMAND_PRODUCER_IDS, .producer_ids = {.count = 1}};
    struct node *node = NULL;

    assert_int_equal(node_start(&options, &node, &err), 0);
    make_topic(f, node);
    uint64_t hash = node_hash(node);
    node_run(node, submit_newer, NULL);
    assert_int_not_equal(node_call(node, &ids, &f->result), 0);
    assert_int_equal(fatal.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(fatal.text, "written by a newer weft-controlplane"));
    assert_true(node_hash(node) == hash);
    node_stop(node); /* leaves no checkpoint that would skip it */
    fatal.code = 0;
    if (node_start(&options, &node, &err) == 0) {
        for (int i = 0; i < 500 && fatal.code == 0; i++) {
            usleep(20000);
            node_run(node, nothing, NULL);
        }
        node_kill(node);
    } else {
        fatal.code = err.code;
    }
    assert_int_equal(fatal.code, ERR_UNSUPPORTED);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_propose),  TEST(test_restart),      TEST(test_trim),
        TEST(test_lock),     TEST(test_kill),         TEST(test_kill_first_start),
        TEST(test_no_space), TEST(test_failed_sync),  TEST(test_overload),
        TEST(test_purge),    TEST(test_other_cell),   TEST(test_ageing),
        TEST(test_level),    TEST(test_level_raised), TEST(test_newer_command),
        TEST(test_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
