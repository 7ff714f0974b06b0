/* test_replica_guards.c - one replica among voters 1 to 3 that the test plays: what it
 * must do before it says anything, and what libraft 0.22.1 would do wrong without the
 * guards of replica_message.c. Each test fails without the rule that it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "controlplane/replica.h"
#include "proto/peer_message.h"
#include "tests/lib/node_driver.h"

#define TIMEOUT 500
#define BEAT    100

struct fixture {
    char dir[64], vote_path[80];
    struct wal *wal;
    struct replica *replica;
    struct replica_position start;
    int64_t now_ms;
    struct list jobs;
    bool hold;             /* jobs stay in the list */
    struct str bytes[256]; /* of what was sent */
    struct peer_message sent[256];
    uint64_t sent_to[256];
    size_t sent_count;
    uint64_t install_from;
    int fatal;
};

static bool vote_fails;

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static ssize_t write_vote(int fd, const void *data, size_t len, off_t at)
{
    return vote_fails ? -1 : pwrite(fd, data, len, at);
}

static const struct vote_ops vote_ops = {write_vote, no_sync};

static void on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    (void)arg, (void)index, (void)term, (void)data;
}

static void on_skip(void *arg, uint64_t index)
{
    (void)arg, (void)index;
}

static void on_message(void *arg, uint64_t to, struct slice bytes)
{
    struct fixture *f = arg;
    struct peer_message *msg = &f->sent[f->sent_count];
    struct vote vote;
    struct err err;

    assert_true(f->sent_count < 256);
    str_init(&f->bytes[f->sent_count], PEER_MESSAGE_MAX);
    str_append_slice(&f->bytes[f->sent_count], bytes);
    assert_int_equal(peer_message_decode(str_slice(&f->bytes[f->sent_count]), msg), 0);
    f->sent_to[f->sent_count++] = to;
    /* Raft 5.2: whatever term a message speaks of is on disk before, and a vote too. */
    assert_int_equal(vote_open(&vote, f->vote_path, NULL, &err), 0);
    if (msg->type != PEER_VOTE || !msg->vote.pre_vote)
        assert_true(vote.term >= msg->term || msg->type == PEER_VOTE_RESULT);
    if (msg->type == PEER_VOTE_RESULT && msg->vote_result.granted &&
        !msg->vote_result.pre_vote)
        assert_true(vote.term == msg->term && vote.voted_for == to);
    vote_close(&vote);
}

static void on_install(void *arg, uint64_t from, const struct replica_position *at_least)
{
    struct fixture *f = arg;
    (void)at_least;
    f->install_from = from;
}

static void on_fatal(void *arg, const struct err *err)
{
    struct fixture *f = arg;
    f->fatal = err->code;
}

static void finish(struct fixture *f, struct log_job *job)
{
    struct err err;
    size_t done;
    int rc = 0;
    if (job->kind == LOG_APPEND)
        rc = wal_append(f->wal, job->entries, job->count, &done, &err);
    else if (job->kind == LOG_TRUNCATE)
        rc = wal_truncate(f->wal, job->index, &err);
    else if (job->kind == LOG_RESET)
        rc = wal_reset(f->wal, job->index, &err);
    if (rc == 0)
        rc = wal_sync(f->wal, &err);
    job->code = rc;
    replica_log_done(f->replica, job, f->now_ms);
}

static void finish_one(struct fixture *f)
{
    struct list_node *node = list_pop_front(&f->jobs);
    assert_non_null(node);
    finish(f, CONTAINER_OF(node, struct log_job, node));
}

static void finish_all(struct fixture *f)
{
    while (!f->hold && !list_empty(&f->jobs))
        finish_one(f);
}

static void submit_job(void *arg, struct log_job *job)
{
    struct fixture *f = arg;
    list_push_back(&f->jobs, &job->node);
}

static void forget_sent(struct fixture *f)
{
    while (f->sent_count > 0)
        str_fini(&f->bytes[--f->sent_count]);
}

/* Raft's encoding of voters 1 to COUNT. */
static struct slice configuration(unsigned count)
{
    static uint8_t all[5][200];
    uint8_t *bytes = all[count];
    size_t at = 0;
    memset(bytes, 0, sizeof(all[count]));
    bytes[at++] = 1;
    bytes[at] = (uint8_t)count;
    at += 8;
    for (unsigned i = 1; i <= count; i++) {
        bytes[at] = (uint8_t)i;
        at += 8;
        bytes[at++] = 'a';
        bytes[at++] = (uint8_t)('0' + i);
        at++;
        bytes[at++] = 1;
    }
    return slice_of(bytes, (at + 7) / 8 * 8);
}

static void start(struct fixture *f)
{
    struct err err;
    struct log_port port = {.arg = f, .submit = submit_job};
    struct replica_options options = {.id = 1,
                                      .address = "a1",
                                      .vote_path = f->vote_path,
                                      .vote_ops = &vote_ops,
                                      .election_timeout_ms = TIMEOUT,
                                      .heartbeat_ms = BEAT,
                                      .random_seed = 1,
                                      .start = f->start,
                                      .wal = f->wal,
                                      .arg = f,
                                      .on_apply = on_apply,
                                      .on_skip = on_skip,
                                      .on_message = on_message,
                                      .on_install = on_install,
                                      .on_fatal = on_fatal};
    assert_int_equal(replica_new(&options, &f->replica, &err), 0);
    assert_int_equal(replica_start(f->replica, &port, f->now_ms, &err), 0);
    f->now_ms += TIMEOUT; /* it is deaf no more */
}

/* A follower in term 1 of a cell of three, with entry 1 only. */
static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct err err;
    struct vote vote;
    size_t done;

    temp_dir(f->dir);
    snprintf(f->vote_path, sizeof(f->vote_path), "%s/vote", f->dir);
    list_init(&f->jobs);
    f->now_ms = 1000;
    vote_fails = false;
    struct wal_options log = {.dir = f->dir, .segment_bytes = 4096};
    assert_int_equal(wal_open(&log, &f->wal, &err), 0);
    struct wal_entry entry = {
        .index = 1, .term = 1, .type = PEER_CHANGE, .data = configuration(3)};
    assert_int_equal(wal_append(f->wal, &entry, 1, &done, &err), 0);
    assert_int_equal(wal_sync(f->wal, &err), 0);
    assert_int_equal(vote_open(&vote, f->vote_path, NULL, &err), 0);
    assert_int_equal(vote_store(&vote, 1, 0, &err), 0);
    vote_close(&vote);
    start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct list_node *node;
    replica_free(f->replica);
    while ((node = list_pop_front(&f->jobs)) != NULL)
        log_job_free(CONTAINER_OF(node, struct log_job, node));
    wal_close(f->wal);
    forget_sent(f);
    temp_dir_remove(f->dir);
    mem_free(f);
    return 0;
}

static void receive(struct fixture *f, uint64_t from, const struct peer_message *msg)
{
    struct str bytes;
    str_init(&bytes, PEER_MESSAGE_MAX);
    peer_message_encode(msg, &bytes);
    assert_int_equal(replica_receive(f->replica, from, str_slice(&bytes), f->now_ms), 0);
    str_fini(&bytes);
    finish_all(f);
}

/* An append of leader FROM: COUNT commands of term ENTRY_TERM behind PREV, but a change
 * at CHANGE_AT (0: none). */
static void append(struct fixture *f, uint64_t from, uint64_t term, uint64_t prev,
                   uint64_t prev_term, unsigned count, uint64_t entry_term,
                   uint64_t change_at, uint64_t commit)
{
    struct peer_entry entries[64];
    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) {
        bool change = prev + 1 + i == change_at;
        entries[i] =
            (struct peer_entry){.term = entry_term,
                                .type = change ? PEER_CHANGE : PEER_COMMAND,
                                .data = change ? configuration(4) : slice_str("command")};
    }
    struct peer_message msg = {.type = PEER_APPEND,
                               .term = term,
                               .clock_ms = f->now_ms,
                               .append = {.prev_index = prev,
                                          .prev_term = prev_term,
                                          .commit_index = commit,
                                          .count = count,
                                          .entries = entries}};
    receive(f, from, &msg);
}

/* The last message of TYPE to TO, or NULL. */
static const struct peer_message *last_sent(const struct fixture *f,
                                            enum peer_message_type type, uint64_t to)
{
    for (size_t i = f->sent_count; i-- > 0;) {
        if (f->sent[i].type == type && f->sent_to[i] == to)
            return &f->sent[i];
    }
    return NULL;
}

static void answer(struct fixture *f, uint64_t from, uint64_t rejected, uint64_t last)
{
    struct peer_message msg = {
        .type = PEER_APPEND_RESULT,
        .term = replica_term(f->replica),
        .clock_ms = f->now_ms,
        .append_result = {.rejected = rejected, .last_index = last}};
    receive(f, from, &msg);
}

static void become_leader(struct fixture *f)
{
    f->now_ms += 2 * TIMEOUT;
    replica_tick(f->replica, f->now_ms);
    uint64_t term = replica_term(f->replica) + 1;
    struct peer_message grant = {.type = PEER_VOTE_RESULT,
                                 .term = term,
                                 .vote_result = {.granted = true, .pre_vote = true}};
    receive(f, 2, &grant);
    grant.vote_result.pre_vote = false;
    receive(f, 2, &grant);
    finish_all(f);
    assert_true(replica_is_leader(f->replica));
}

/* Guard 1: a change of members that is not the first entry of an append has the right
 * index, so it is known to be committed when it is. */
static void test_change_inside_append(void **state)
{
    struct fixture *f = *state;
    append(f, 2, 5, 1, 1, 4, 5, 3, 1);
    assert_int_equal(replica_last_index(f->replica), 5);
    assert_true(replica_changing(f->replica));
    append(f, 2, 5, 5, 5, 0, 0, 0, 5);
    assert_int_equal(replica_commit_index(f->replica), 5);
    assert_false(replica_changing(f->replica));
    struct replica_server servers[REPLICA_SERVERS_MAX];
    assert_int_equal(replica_servers(f->replica, servers), 4);
}

/* Guard 2: a late rejection of what is known to match changes nothing: the node goes on
 * to be sent the log. */
static void test_late_rejection(void **state)
{
    struct fixture *f = *state;
    uint64_t index, term;
    become_leader(f);
    answer(f, 2, 0, 2); /* it has our first entry, 2 */
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            replica_submit(f->replica, slice_str("x"), f->now_ms, &index, &term), 0);
    answer(f, 2, 6, 2); /* what went out was lost on the way */
    answer(f, 2, 2, 1); /* and this was late */
    forget_sent(f);
    f->now_ms += BEAT;
    replica_tick(f->replica, f->now_ms);
    const struct peer_message *msg = last_sent(f, PEER_APPEND, 2);
    assert_non_null(msg);
    assert_int_equal(msg->append.prev_index, 2);
    assert_int_equal(msg->append.count, 4);
}

/* What standby 4 does with what came for it since the last call: it takes what fits to
 * its log, whose last entry is *LAST, and asks for what it lacks; messages that LOST says
 * are lost. Nothing that is not committed may be among it. */
static void standby_hears(struct fixture *f, uint64_t *last, bool (*lost)(unsigned))
{
    for (size_t i = 0; i < f->sent_count; i++) {
        const struct peer_message *msg = &f->sent[i];
        if (f->sent_to[i] != 4 || msg->type != PEER_APPEND)
            continue;
        uint64_t prev = msg->append.prev_index;
        assert_true(prev + msg->append.count <= replica_commit_index(f->replica));
        if (lost != NULL && lost((unsigned)i))
            continue;
        if (prev <= *last)
            *last = MAX(*last, prev + msg->append.count);
        answer(f, 4, prev <= *last ? 0 : prev, *last);
    }
    forget_sent(f);
}

static bool is_third(unsigned i)
{
    return i % 3 == 0;
}

static uint64_t submit(struct fixture *f, unsigned count)
{
    uint64_t index = 0, term;
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(
            replica_submit(f->replica, slice_str("x"), f->now_ms, &index, &term), 0);
    finish_all(f);
    return index;
}

static void beat(struct fixture *f)
{
    f->now_ms += BEAT;
    replica_tick(f->replica, f->now_ms);
}

/* Lead, with 4 as a standby whose change is committed behind COUNT entries; the last. */
static uint64_t lead_with_standby(struct fixture *f, unsigned count)
{
    struct err err;
    uint64_t index;

    become_leader(f);
    answer(f, 2, 0, submit(f, count));
    assert_int_equal(
        replica_change(f->replica, REPLICA_ADD, 4, "a4", f->now_ms, &index, &err), 0);
    finish_all(f);
    answer(f, 2, 0, index);
    answer(f, 3, 0, index);
    assert_int_equal(replica_commit_index(f->replica), index);
    return index;
}

/* Guard 10: a standby is sent committed entries only, and all of them, also when messages
 * to it are lost; what is not committed it gets once it is a voter. */
static void test_standby(void **state)
{
    struct fixture *f = *state;
    uint64_t index = lead_with_standby(f, 1), last = 0;
    struct err err;

    for (unsigned round = 0; round < 20; round++) {
        index = submit(f, 1 + round % 3);
        standby_hears(f, &last, is_third);
        answer(f, 2, 0, index);
        beat(f);
        standby_hears(f, &last, is_third);
    }
    for (unsigned i = 0; i < 4; i++) {
        beat(f);
        standby_hears(f, &last, NULL);
    }
    assert_int_equal(last, index);
    answer(f, 3, 0, index);
    assert_int_equal(
        replica_change(f->replica, REPLICA_PROMOTE, 4, NULL, f->now_ms, &index, &err), 0);
    finish_all(f);
    assert_true(replica_commit_index(f->replica) < index);
    const struct peer_message *msg = last_sent(f, PEER_APPEND, 4);
    if (msg == NULL || msg->append.prev_index + msg->append.count < index) {
        beat(f);
        msg = last_sent(f, PEER_APPEND, 4);
    }
    assert_non_null(msg);
    assert_int_equal(msg->append.prev_index + msg->append.count, index);
}

/* Guard 10: a standby that was a voter, and has what the cell never had, is asked further
 * and further back until something fits; a late refusal of an earlier append changes
 * nothing. */
static void test_standby_refuses(void **state)
{
    struct fixture *f = *state;
    uint64_t index = lead_with_standby(f, 10), prev = UINT64_MAX, last = 2;
    unsigned refused = 0;

    forget_sent(f);
    beat(f);
    for (;;) {
        const struct peer_message *msg = last_sent(f, PEER_APPEND, 4);
        assert_non_null(msg);
        assert_true(msg->append.prev_index < prev);
        prev = msg->append.prev_index;
        if (prev <= last)
            break;
        forget_sent(f);
        answer(f, 4, prev + 1, 8); /* of no append that is under way */
        assert_null(last_sent(f, PEER_APPEND, 4));
        answer(f, 4, prev, 8);
        refused++;
    }
    assert_int_equal(refused, 1 + 8 - last);
    standby_hears(f, &last, NULL);
    for (unsigned i = 0; i < 2; i++) {
        beat(f);
        standby_hears(f, &last, NULL);
    }
    assert_int_equal(last, index);
}

/* Guard 4: the refusal of a pre-vote tells our term, if that is higher. */
static void test_pre_vote_refused(void **state)
{
    struct fixture *f = *state;
    struct peer_message vote = {
        .type = PEER_VOTE,
        .term = 3,
        .vote = {.last_index = 1, .last_term = 1, .pre_vote = true}};
    append(f, 2, 9, 1, 1, 1, 9, 0, 1);
    forget_sent(f);
    receive(f, 3, &vote);
    const struct peer_message *msg = last_sent(f, PEER_VOTE_RESULT, 3);
    assert_non_null(msg);
    assert_false(msg->vote_result.granted);
    assert_int_equal(msg->term, 9);
}

/* Guard 5: a vote that comes when there is no candidacy is not looked at. */
static void test_stray_vote(void **state)
{
    struct fixture *f = *state;
    struct peer_message vote = {.type = PEER_VOTE_RESULT, .term = 50};
    become_leader(f);
    uint64_t term = replica_term(f->replica);
    receive(f, 3, &vote);
    assert_true(replica_is_leader(f->replica));
    assert_int_equal(replica_term(f->replica), term);
}

/* Guard 6: a leader takes nothing from one that says to lead the same term. */
static void test_two_leaders(void **state)
{
    struct fixture *f = *state;
    become_leader(f);
    uint64_t term = replica_term(f->replica);
    uint64_t last = replica_last_index(f->replica);
    forget_sent(f);
    append(f, 3, term, last, term, 3, term, 0, last);
    assert_true(replica_is_leader(f->replica));
    assert_int_equal(replica_last_index(f->replica), last);
    assert_null(last_sent(f, PEER_APPEND_RESULT, 3));
}

/* Guard 7: an append that begins before our snapshot is taken from behind it. */
static void test_append_before_snapshot(void **state)
{
    struct fixture *f = *state;
    struct peer_message install = {.type = PEER_INSTALL,
                                   .term = 5,
                                   .clock_ms = f->now_ms,
                                   .install = {.last_index = 90,
                                               .last_term = 4,
                                               .configuration_index = 1,
                                               .configuration = configuration(3)}};
    struct replica_position position = {.index = 100,
                                        .term = 4,
                                        .configuration_index = 1,
                                        .configuration = configuration(3)};
    receive(f, 2, &install);
    assert_int_equal(f->install_from, 2);
    assert_int_equal(replica_install_begin(f->replica, &position, f->now_ms), 0);
    replica_installed(f->replica, f->now_ms);
    finish_all(f);
    assert_int_equal(replica_applied_index(f->replica), 100);
    forget_sent(f);
    append(f, 2, 5, 50, 4, 10, 4, 0, 60); /* all of it is in the snapshot */
    const struct peer_message *msg = last_sent(f, PEER_APPEND_RESULT, 2);
    assert_non_null(msg);
    assert_int_equal(msg->append_result.rejected, 0);
    assert_int_equal(msg->append_result.last_index, 100);
    append(f, 2, 5, 95, 4, 10, 4, 0, 104);
    msg = last_sent(f, PEER_APPEND_RESULT, 2);
    assert_int_equal(msg->append_result.rejected, 0);
    assert_int_equal(msg->append_result.last_index, 105);
    assert_int_equal(replica_applied_index(f->replica), 104);
}

/* Guard 8: an older leader hears of the new term, and of nothing else. */
static void test_older_leader(void **state)
{
    struct fixture *f = *state;
    append(f, 2, 9, 1, 1, 5, 9, 0, 1);
    forget_sent(f);
    append(f, 3, 8, 1, 1, 1, 8, 0, 1);
    const struct peer_message *msg = last_sent(f, PEER_APPEND_RESULT, 3);
    assert_non_null(msg);
    assert_int_equal(msg->term, 9);
    assert_int_equal(msg->append_result.last_index, 0);
    assert_true(msg->clock_ms == PEER_NO_CLOCK);
}

/* A new leader appends an entry of its term even when it knows all to be committed, and
 * changes no member before that is (Raft 4.1, as mended in 2015). */
static void test_own_entry_first(void **state)
{
    struct fixture *f = *state;
    struct err err;
    uint64_t index;
    become_leader(f);
    assert_int_equal(replica_last_index(f->replica), 2);
    assert_false(replica_can_read(f->replica, f->now_ms));
    assert_int_equal(
        replica_change(f->replica, REPLICA_ADD, 4, "a4", f->now_ms, &index, &err),
        ERR_UNAVAILABLE);
    answer(f, 2, 0, 2);
    assert_int_equal(replica_commit_index(f->replica), 2);
    assert_true(replica_can_read(f->replica, f->now_ms));
    assert_int_equal(
        replica_change(f->replica, REPLICA_ADD, 4, "a4", f->now_ms, &index, &err), 0);
}

/* What is committed by others is applied here when our own log has it, not before: a
 * checkpoint never runs ahead of the log. */
static void test_durable_before_applied(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    append(f, 2, 5, 1, 1, 3, 5, 0, 4);
    assert_int_equal(replica_commit_index(f->replica), 4);
    assert_int_equal(replica_applied_index(f->replica), 1);
    finish_one(f);
    assert_int_equal(replica_applied_index(f->replica), 4);
}

/* An entry that was replaced and came back is not durable because it was once being
 * written: only the job that writes it last counts. */
static void test_replaced_twice(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    append(f, 2, 5, 1, 1, 3, 5, 0, 1); /* 2..4 of term 5: job 1 */
    append(f, 3, 6, 1, 1, 2, 6, 0, 1); /* 2..3 of term 6: cut, job 2 */
    append(f, 2, 7, 1, 1, 3, 5, 0, 1); /* 2..4 of term 5 again: cut, job 3 */
    assert_int_equal(replica_last_index(f->replica), 4);
    forget_sent(f);
    for (int i = 0; i < 4; i++) {
        finish_one(f); /* up to the second cut */
        const struct peer_message *msg = last_sent(f, PEER_APPEND_RESULT, 2);
        assert_true(msg == NULL || msg->append_result.last_index <= 1);
    }
    finish_one(f);
    const struct peer_message *msg = last_sent(f, PEER_APPEND_RESULT, 2);
    assert_non_null(msg);
    assert_int_equal(msg->append_result.last_index, 4);
}

/* A committed change is handed back to libraft before the next message, durable here or
 * not: else the rollback of the next change would undo both. */
static void test_rollback_of_one_change(void **state)
{
    struct fixture *f = *state;
    struct replica_server servers[REPLICA_SERVERS_MAX];
    struct peer_entry removal = {
        .term = 5, .type = PEER_CHANGE, .data = configuration(3)};
    struct peer_message msg = {.type = PEER_APPEND,
                               .term = 5,
                               .append = {.prev_index = 2,
                                          .prev_term = 5,
                                          .commit_index = 2,
                                          .count = 1,
                                          .entries = &removal}};
    f->hold = true;
    append(f, 2, 5, 1, 1, 1, 5, 2, 2); /* node 4 comes, committed at once */
    assert_int_equal(replica_servers(f->replica, servers), 4);
    receive(f, 2, &msg); /* and goes: not committed */
    assert_int_equal(replica_servers(f->replica, servers), 3);
    append(f, 3, 6, 2, 5, 1, 6, 0, 2); /* another leader has another entry there */
    assert_int_equal(replica_servers(f->replica, servers), 4);
    assert_false(replica_changing(f->replica));
}

/* A vote that cannot be stored is not given: nothing is said, and the node must end. */
static void test_vote_not_stored(void **state)
{
    struct fixture *f = *state;
    struct peer_message vote = {
        .type = PEER_VOTE, .term = 7, .vote = {.last_index = 5, .last_term = 6}};
    vote_fails = true;
    receive(f, 3, &vote);
    assert_int_equal(f->sent_count, 0);
    assert_int_not_equal(f->fatal, 0);
    append(f, 2, 9, 1, 1, 1, 9, 0, 1);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(replica_last_index(f->replica), 1);
}

static void notice(struct fixture *f, int code)
{
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_NOTICE;
    job->code = code;
    replica_log_done(f->replica, job, f->now_ms);
}

/* With a log that cannot be written a node is no candidate, takes no entry, and answers
 * its leader all the same; when there is room again it goes on. */
static void test_no_room(void **state)
{
    struct fixture *f = *state;
    notice(f, ERR_NO_SPACE);
    append(f, 2, 5, 1, 1, 3, 5, 0, 1);
    assert_int_equal(replica_last_index(f->replica), 1);
    const struct peer_message *msg = last_sent(f, PEER_APPEND_RESULT, 2);
    assert_non_null(msg);
    assert_int_equal(msg->append_result.last_index, 1);
    for (int i = 0; i < 10; i++) {
        f->now_ms = replica_timeout_ms(f->replica);
        replica_tick(f->replica, f->now_ms);
    }
    assert_null(last_sent(f, PEER_VOTE, 2));
    struct peer_message now = {
        .type = PEER_TIMEOUT_NOW,
        .term = 5,
        .timeout_now = {.last_index = 1, .last_term = 1, .transfer = 1}};
    receive(f, 2, &now);
    assert_null(last_sent(f, PEER_VOTE, 2));
    notice(f, 0);
    append(f, 2, 5, 1, 1, 3, 5, 0, 4);
    assert_int_equal(replica_applied_index(f->replica), 4);
}

/* While the state is being replaced this node takes nothing and votes for nobody. */
static void test_installing(void **state)
{
    struct fixture *f = *state;
    struct replica_position position = {.index = 100,
                                        .term = 4,
                                        .configuration_index = 1,
                                        .configuration = configuration(3)};
    append(f, 2, 5, 1, 1, 3, 4, 0, 1);
    assert_int_equal(replica_install_begin(f->replica, &position, f->now_ms), 0);
    forget_sent(f);
    append(f, 2, 5, 4, 4, 3, 5, 0, 4);
    assert_int_equal(replica_last_index(f->replica), 100);
    f->now_ms += 10 * TIMEOUT;
    replica_tick(f->replica, f->now_ms);
    struct peer_message vote = {
        .type = PEER_VOTE, .term = 7, .vote = {.last_index = 500, .last_term = 6}};
    receive(f, 3, &vote);
    const struct peer_message *msg = last_sent(f, PEER_VOTE_RESULT, 3);
    assert_true(msg == NULL || !msg->vote_result.granted);
    assert_null(last_sent(f, PEER_VOTE, 2));
    replica_installed(f->replica, f->now_ms);
    finish_all(f);
    receive(f, 3, &vote);
    msg = last_sent(f, PEER_VOTE_RESULT, 3);
    assert_true(msg != NULL && msg->vote_result.granted);
}

/* While the state is replaced it stands nowhere: a checkpoint then would write the new
 * state under the old index, and the log would be applied to it once more. */
static void test_installing_no_position(void **state)
{
    struct fixture *f = *state;
    struct str bytes;
    struct replica_position where, position = {.index = 100,
                                               .term = 4,
                                               .configuration_index = 1,
                                               .configuration = configuration(3)};
    str_init(&bytes, MIB);
    append(f, 2, 5, 1, 1, 3, 4, 0, 3);
    assert_int_equal(replica_position(f->replica, &where, &bytes), 0);
    assert_int_equal(where.index, 3);
    assert_int_equal(replica_install_begin(f->replica, &position, f->now_ms), 0);
    assert_int_equal(replica_position(f->replica, &where, &bytes), ERR_UNAVAILABLE);
    f->hold = true;
    replica_installed(f->replica, f->now_ms);
    assert_int_equal(replica_position(f->replica, &where, &bytes), ERR_UNAVAILABLE);
    f->hold = false;
    finish_all(f);
    assert_int_equal(replica_position(f->replica, &where, &bytes), 0);
    assert_int_equal(where.index, 100);
    str_fini(&bytes);
}

/* A snapshot that the log has overtaken is not taken. */
static void test_install_too_late(void **state)
{
    struct fixture *f = *state;
    struct replica_position position = {.index = 3,
                                        .term = 5,
                                        .configuration_index = 1,
                                        .configuration = configuration(3)};
    append(f, 2, 5, 1, 1, 5, 5, 0, 6);
    assert_int_equal(replica_install_begin(f->replica, &position, f->now_ms),
                     ERR_CANCELLED);
    assert_int_equal(replica_applied_index(f->replica), 6);
}

/* What no node of ours would send is refused, and changes nothing. */
static void test_garbage(void **state)
{
    struct fixture *f = *state;
    struct peer_message vote = {.type = PEER_VOTE, .term = 7};
    struct str bytes;
    str_init(&bytes, MIB);
    peer_message_encode(&vote, &bytes);
    assert_int_equal(replica_receive(f->replica, 1, str_slice(&bytes), f->now_ms),
                     ERR_MALFORMED); /* from ourselves */
    assert_int_equal(replica_receive(f->replica, 2, slice_str("garbage"), f->now_ms),
                     ERR_MALFORMED);
    assert_int_equal(replica_term(f->replica), 1);
    str_fini(&bytes);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_change_inside_append),
                                       TEST(test_late_rejection),
                                       TEST(test_standby),
                                       TEST(test_standby_refuses),
                                       TEST(test_pre_vote_refused),
                                       TEST(test_stray_vote),
                                       TEST(test_two_leaders),
                                       TEST(test_append_before_snapshot),
                                       TEST(test_older_leader),
                                       TEST(test_own_entry_first),
                                       TEST(test_durable_before_applied),
                                       TEST(test_replaced_twice),
                                       TEST(test_rollback_of_one_change),
                                       TEST(test_vote_not_stored),
                                       TEST(test_no_room),
                                       TEST(test_installing),
                                       TEST(test_installing_no_position),
                                       TEST(test_install_too_late),
                                       TEST(test_garbage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
