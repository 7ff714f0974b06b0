/* test_replica.c - Raft with one voter: nothing is applied before it is durable, a
 * restart begins at the checkpoint, and a log that does not fit to it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "controlplane/replica.h"
#include "tests/lib/node_driver.h"

struct fixture {
    char dir[64], vote_path[80];
    struct loop *loop;
    struct mailbox back;
    struct log_writer writer;
    struct replica *replica;
    struct replica_position start;
    struct str configuration;
    struct err err;
    bool hold; /* keep log jobs in `held` instead of handing them over */
    struct log_job *held[64];
    size_t held_count;
    uint64_t applied[10000];
    char last[32]; /* the data applied last */
    size_t applied_count, skipped_count;
};

static void on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    struct fixture *f = arg;
    (void)term;
    f->applied[f->applied_count++] = index;
    snprintf(f->last, sizeof(f->last), "%.*s", (int)data.len, data.ptr);
}

static void on_skip(void *arg, uint64_t index)
{
    struct fixture *f = arg;
    (void)index;
    f->skipped_count++;
}

static void on_back(struct message *message, void *arg)
{
    struct fixture *f = arg;
    struct log_job *job = CONTAINER_OF(message, struct log_job, message);
    if (f->hold)
        f->held[f->held_count++] = job;
    else
        replica_log_done(f->replica, job, clock_monotonic_ms());
}

/* Open log and replica and start it; a failure's code, with everything closed. */
static int start(struct fixture *f)
{
    struct wal_options log = {.dir = f->dir, .segment_bytes = 4096};
    struct replica_options options = {.id = 1,
                                      .address = "127.0.0.1:1",
                                      .vote_path = f->vote_path,
                                      .election_timeout_ms = 1000,
                                      .heartbeat_ms = 100,
                                      .random_seed = 1,
                                      .bootstrap = true,
                                      .start = f->start,
                                      .arg = f,
                                      .on_apply = on_apply,
                                      .on_skip = on_skip};
    struct wal *wal;

    f->replica = NULL;
    f->err.text[0] = '\0';
    f->applied_count = f->skipped_count = 0;
    int rc = wal_open(&log, &wal, &f->err);
    if (rc != 0)
        return rc;
    options.wal = wal;
    rc = replica_new(&options, &f->replica, &f->err);
    if (rc != 0) {
        wal_close(wal);
        return rc;
    }
    assert_int_equal(log_writer_start(&f->writer, wal, &f->back), 0);
    struct log_port port = log_writer_port(&f->writer);
    rc = replica_start(f->replica, &port, clock_monotonic_ms(), &f->err);
    if (rc != 0) {
        log_writer_stop(&f->writer);
        replica_free(f->replica);
        f->replica = NULL;
    }
    return rc;
}

static void stop(struct fixture *f)
{
    if (f->replica == NULL)
        return;
    log_writer_stop(&f->writer);
    f->hold = false;
    for (size_t i = 0; i < f->held_count; i++)
        replica_log_done(f->replica, f->held[i], clock_monotonic_ms());
    f->held_count = 0;
    (void)mailbox_drain(&f->back);
    replica_free(f->replica);
    f->replica = NULL;
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    temp_dir(f->dir);
    snprintf(f->vote_path, sizeof(f->vote_path), "%s/vote", f->dir);
    str_init(&f->configuration, MIB);
    f->loop = loop_new();
    mailbox_init(&f->back, f->loop, on_back, f);
    *state = f;
    return start(f);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stop(f);
    mailbox_fini(&f->back);
    loop_free(f->loop);
    str_fini(&f->configuration);
    temp_dir_remove(f->dir);
    mem_free(f);
    return 0;
}

static uint64_t submit(struct fixture *f, const char *text)
{
    uint64_t index = 0, term = 0;
    assert_int_equal(
        replica_submit(f->replica, slice_str(text), clock_monotonic_ms(), &index, &term),
        0);
    assert_int_equal(term, replica_term(f->replica));
    return index;
}

static void wait_applied(struct fixture *f, uint64_t index)
{
    for (int i = 0; i < 1000 && replica_applied_index(f->replica) < index; i++)
        loop_run_once(f->loop, 10);
    assert_int_equal(replica_applied_index(f->replica), index);
}

/* A new cell: entry 1 is a configuration of this node, which leads at once. */
static void test_bootstrap(void **state)
{
    struct fixture *f = *state;
    assert_true(replica_is_leader(f->replica));
    assert_true(replica_can_read(f->replica, clock_monotonic_ms()));
    assert_string_equal(replica_leader_address(f->replica), "127.0.0.1:1");
    assert_int_equal(replica_write_code(f->replica), 0);
    assert_int_equal(replica_last_index(f->replica), 1);
    assert_int_equal(f->skipped_count, 1);
    assert_int_equal(submit(f, "first"), 2);
}

/* I1: an entry is applied when the log has made it durable, not before; in order, once.
 */
static void test_durable_first(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(submit(f, "x"), 2 + i);
    while (f->held_count < 5)
        loop_run_once(f->loop, 10);
    assert_int_equal(f->applied_count, 0);
    assert_int_equal(replica_commit_index(f->replica), 1);
    for (size_t i = 0; i < 5; i++) {
        replica_log_done(f->replica, f->held[i], clock_monotonic_ms());
        assert_int_equal(f->applied_count, i + 1);
        assert_int_equal(f->applied[i], 2 + i);
    }
    f->held_count = 0;
    f->hold = false;
}

/* A job that failed applies nothing, and nothing more is accepted. */
static void test_failed_log(void **state)
{
    struct fixture *f = *state;
    uint64_t index, term;
    f->hold = true;
    submit(f, "x");
    while (f->held_count < 1)
        loop_run_once(f->loop, 10);
    f->held[0]->code = ERR_IO;
    f->held_count = 0;
    replica_log_done(f->replica, f->held[0], clock_monotonic_ms());
    assert_int_equal(f->applied_count, 0);
    assert_int_equal(replica_submit(f->replica, slice_str("y"), 0, &index, &term),
                     ERR_IO);
    assert_int_equal(replica_write_code(f->replica), ERR_IO);
    assert_true(replica_can_read(f->replica, clock_monotonic_ms()));
    f->hold = false;
}

/* A restart without a checkpoint applies everything again, under a new term. */
static void test_replay(void **state)
{
    struct fixture *f = *state;
    uint64_t term = replica_term(f->replica);
    char text[16];
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "%d", i);
        submit(f, text);
    }
    wait_applied(f, 501);
    stop(f);
    assert_int_equal(start(f), 0);
    assert_int_equal(f->applied_count, 500);
    assert_string_equal(f->last, "499");
    assert_true(replica_term(f->replica) > term);
    assert_int_equal(submit(f, "more"), 502);
    wait_applied(f, 502);
}

/* Checkpoint at the applied index, as the node does. */
static void checkpoint(struct fixture *f)
{
    str_reset(&f->configuration);
    assert_int_equal(replica_position(f->replica, &f->start, &f->configuration), 0);
    replica_checkpointed(f->replica, &f->start, clock_monotonic_ms());
}

/* With a checkpoint only what lies behind it is applied; the log before it goes, but for
 * what a follower might still want. */
static void test_checkpoint(void **state)
{
    struct fixture *f = *state;
    char path[128];
    for (uint64_t i = 0; i < 9000; i++) {
        submit(f, "a command of some length, to fill segments");
        if (i % 500 == 0)
            wait_applied(f, i + 2);
    }
    wait_applied(f, 9001);
    checkpoint(f);
    checkpoint(f); /* the same again is none */
    submit(f, "behind");
    wait_applied(f, 9002);
    stop(f);
    snprintf(path, sizeof(path), "%s/wal-%020d.log", f->dir, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(start(f), 0);
    assert_int_equal(f->applied_count, 1);
    assert_string_equal(f->last, "behind");
    assert_int_equal(replica_applied_index(f->replica), 9002);
    stop(f);
    /* Without the checkpoint the log does not reach back far enough. */
    f->start = (struct replica_position){.index = 0};
    assert_int_equal(start(f), ERR_DAMAGED);
    assert_non_null(strstr(f->err.text, "the log begins at entry"));
}

/* A checkpoint that is ahead of the log means that log was lost. */
static void test_log_lost(void **state)
{
    struct fixture *f = *state;
    char path[128];
    submit(f, "x");
    wait_applied(f, 2);
    checkpoint(f);
    stop(f);
    snprintf(path, sizeof(path), "%s/wal-%020d.log", f->dir, 1);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/durable", f->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(start(f), ERR_DAMAGED);
    assert_non_null(strstr(f->err.text, "the log ends at entry 0"));
}

/* Without its vote a node could vote twice in a term: it refuses to start. */
static void test_vote_lost(void **state)
{
    struct fixture *f = *state;
    submit(f, "x");
    wait_applied(f, 2);
    stop(f);
    assert_int_equal(unlink(f->vote_path), 0);
    assert_int_equal(start(f), ERR_DAMAGED);
    assert_non_null(strstr(f->err.text, "vote is missing"));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_bootstrap),  TEST(test_durable_first),
                                       TEST(test_failed_log), TEST(test_replay),
                                       TEST(test_checkpoint), TEST(test_log_lost),
                                       TEST(test_vote_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
