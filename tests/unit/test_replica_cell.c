/* test_replica_cell.c - cells of three and five replicas on virtual time: elections, lost
 * leaders, logs in conflict, snapshots, changes of members, transfers and leases.
 *
 * At each millisecond the fixture holds that a term has one leader, that what is applied
 * is the same everywhere, and that no leader may read beside a later one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/lib/vcell.h"

static int setup3(void **state)
{
    *state = vcell_new(3);
    return 0;
}

static int setup5(void **state)
{
    *state = vcell_new(5);
    return 0;
}

static int setup1(void **state)
{
    *state = vcell_new(1);
    return 0;
}

static int teardown(void **state)
{
    vcell_free(*state);
    return 0;
}

static void submit_many(struct vcell *cell, unsigned count)
{
    char text[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "entry %u", i);
        assert_true(vcell_submit(cell, vcell_leader(cell), text) > 0);
        if (i % 500 == 499)
            vcell_run(cell, 10);
    }
}

static uint64_t applied(struct vcell *cell, uint64_t id)
{
    return replica_applied_index(vcell_replica(cell, id));
}

/* A cell has one leader, whom all know, and what it takes is applied everywhere. */
static void test_replication(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    submit_many(cell, 1000);
    vcell_until_equal(cell);
    for (uint64_t id = 1; id <= 3; id++) {
        assert_int_equal(replica_leader_id(vcell_replica(cell, id)), leader);
        assert_string_equal(replica_leader_address(vcell_replica(cell, id)),
                            cell->nodes[leader].address);
        assert_int_equal(replica_write_code(vcell_replica(cell, id)),
                         id == leader ? 0 : ERR_NOT_LEADER);
    }
    assert_int_equal(vcell_readers(cell), 1);
    uint64_t other = vcell_other(cell, leader, 0);
    assert_int_equal(vcell_submit(cell, other, "no"), 0);
}

/* Voters stand for election in turn, not by lot: a lost leader is followed by another
 * soon after the time that it may have been missed by accident. Twenty times. */
static void test_failover_time(void **state)
{
    struct vcell *cell = *state;
    for (int i = 0; i < 20; i++) {
        uint64_t leader = vcell_leader(cell);
        vcell_run(cell, 37 * i % VCELL_BEAT);
        vcell_crash(cell, leader);
        int64_t began_ms = cell->now_ms;
        vcell_until_leader(cell);
        assert_true(cell->now_ms - began_ms < VCELL_ELECTION + VCELL_BEAT * 3 / 2);
        vcell_start(cell, leader);
        vcell_until_equal(cell);
        vcell_run(cell, 2 * VCELL_ELECTION);
    }
}

/* Without a majority nothing is committed, and the leader steps down. */
static void test_no_majority(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    uint64_t before = applied(cell, leader);
    vcell_isolate(cell, leader, true);
    assert_true(vcell_submit(cell, leader, "alone") > 0);
    vcell_run(cell, 100);
    assert_int_equal(applied(cell, leader), before);
    vcell_run(cell, 2 * VCELL_ELECTION);
    assert_false(replica_is_leader(vcell_replica(cell, leader)));
    assert_int_equal(replica_leader_id(vcell_replica(cell, leader)), 0);
}

/* A leader that dies is followed by another within three seconds, which has all that was
 * applied; and the old one catches up. Ten times. */
static void test_failover(void **state)
{
    struct vcell *cell = *state;
    for (int i = 0; i < 10; i++) {
        uint64_t leader = vcell_leader(cell);
        submit_many(cell, 20);
        vcell_run(cell, 20);
        uint64_t done = applied(cell, leader);
        vcell_crash(cell, leader);
        int64_t began_ms = cell->now_ms;
        vcell_until_leader(cell);
        assert_true(cell->now_ms - began_ms < 3000);
        assert_true(applied(cell, vcell_leader(cell)) >= done);
        submit_many(cell, 20);
        vcell_start(cell, leader);
        vcell_until_equal(cell);
        vcell_until_leader(cell);
    }
}

/* What an old leader took without a majority is replaced by what the new one has. */
static void test_conflict(void **state)
{
    struct vcell *cell = *state;
    uint64_t old = vcell_leader(cell);
    submit_many(cell, 10);
    vcell_until_equal(cell);
    vcell_isolate(cell, old, true);
    for (int i = 0; i < 10; i++)
        assert_true(vcell_submit(cell, old, "lost") > 0);
    vcell_run(cell, VCELL_ELECTION * 3);
    uint64_t new = vcell_leader(cell);
    assert_int_not_equal(new, old);
    uint64_t index = vcell_submit(cell, new, "kept");
    vcell_run(cell, 300);
    assert_true(applied(cell, new) >= index);
    vcell_isolate(cell, old, false);
    vcell_until_equal(cell);
    assert_int_equal(cell->nodes[old].hash, cell->nodes[new].hash);
}

/* The same with a disk of the old leader that stands still: jobs of entries that were
 * replaced count for nothing when they come back. */
static void test_conflict_slow_disk(void **state)
{
    struct vcell *cell = *state;
    uint64_t old = vcell_leader(cell);
    cell->nodes[old].hold_jobs = true;
    vcell_isolate(cell, old, true);
    for (int i = 0; i < 10; i++)
        assert_true(vcell_submit(cell, old, "lost") > 0);
    vcell_run(cell, VCELL_ELECTION * 3);
    for (int i = 0; i < 20; i++)
        assert_true(vcell_submit(cell, vcell_leader(cell), "kept") > 0);
    vcell_isolate(cell, old, false);
    vcell_run(cell, 300);
    cell->nodes[old].hold_jobs = false;
    vcell_until_equal(cell);
}

/* A node whose disk is slower than an election stays a follower and catches up. */
static void test_slow_disk(void **state)
{
    struct vcell *cell = *state;
    uint64_t slow = vcell_other(cell, vcell_leader(cell), 0);
    cell->nodes[slow].disk_ms = 700;
    unsigned elections = cell->elections;
    for (int i = 0; i < 30; i++) {
        submit_many(cell, 5);
        vcell_run(cell, 100);
    }
    assert_int_equal(cell->elections, elections);
    cell->nodes[slow].disk_ms = 1;
    vcell_until_equal(cell);
}

/* Everybody dies at once: what was applied anywhere is there after the restart. */
static void test_power_cut(void **state)
{
    struct vcell *cell = *state;
    for (int round = 0; round < 5; round++) {
        submit_many(cell, 50);
        vcell_run(cell, 3);
        uint64_t done = 0;
        for (uint64_t id = 1; id <= 3; id++)
            done = applied(cell, id) > done ? applied(cell, id) : done;
        for (uint64_t id = 1; id <= 3; id++)
            vcell_crash(cell, id);
        for (uint64_t id = 1; id <= 3; id++)
            vcell_start(cell, id);
        vcell_until_leader(cell);
        vcell_until_equal(cell);
        assert_true(applied(cell, 1) >= done);
    }
}

static uint64_t former;

static bool another_leads(struct vcell *cell)
{
    return vcell_leader(cell) != former && vcell_leader(cell) != 0;
}

/* Make node BEHIND miss more than the leader keeps. */
static void fall_behind(struct vcell *cell, uint64_t behind)
{
    vcell_crash(cell, behind);
    vcell_until_leader(cell);
    submit_many(cell, 6000);
    vcell_run(cell, 300);
    vcell_checkpoint(cell, vcell_leader(cell));
    vcell_checkpoint(cell, vcell_other(cell, vcell_leader(cell), behind));
    vcell_run(cell, 10);
}

/* A follower that is too far behind gets a snapshot, then the log again; also the log on
 * its disk begins behind the snapshot. */
static void test_install(void **state)
{
    struct vcell *cell = *state;
    uint64_t behind = vcell_other(cell, vcell_leader(cell), 0);
    fall_behind(cell, behind);
    vcell_start(cell, behind);
    vcell_run(cell, 1000);
    submit_many(cell, 10);
    vcell_until_equal(cell);
    assert_int_equal(cell->nodes[behind].installs, 1);
    assert_true(wal_first_index(cell->nodes[behind].wal) > 6000);
    vcell_crash(cell, behind);
    vcell_start(cell, behind);
    vcell_until_equal(cell);
    /* It can lead: it has what the others need. */
    struct err err;
    vcell_run(cell, 300);
    assert_int_equal(replica_transfer(vcell_replica(cell, vcell_leader(cell)), behind,
                                      cell->now_ms, &err),
                     0);
    vcell_run(cell, 100);
    assert_int_equal(vcell_leader(cell), behind);
    submit_many(cell, 10);
    vcell_until_equal(cell);
}

/* A snapshot that is newer than the one that was offered is as good. */
static void test_install_newer(void **state)
{
    struct vcell *cell = *state;
    uint64_t behind = vcell_other(cell, vcell_leader(cell), 0);
    fall_behind(cell, behind);
    cell->nodes[behind].hold_installs = true;
    vcell_start(cell, behind);
    vcell_run(cell, 1000);
    assert_true(cell->nodes[behind].install_from != 0);
    submit_many(cell, 3000);
    vcell_run(cell, 200);
    cell->nodes[behind].hold_installs = false;
    vcell_run(cell, 500);
    assert_int_equal(cell->nodes[behind].installs, 1);
    submit_many(cell, 10);
    vcell_until_equal(cell);
}

/* A crash after the state was replaced and before the log was: the log begins anew at the
 * start. And one before anything happened: the install is asked for again. */
static void test_install_crash(void **state)
{
    struct vcell *cell = *state;
    uint64_t behind = vcell_other(cell, vcell_leader(cell), 0);
    fall_behind(cell, behind);
    cell->nodes[behind].hold_installs = true;
    vcell_start(cell, behind);
    vcell_run(cell, 1000);
    assert_true(cell->nodes[behind].install_from != 0);
    vcell_crash(cell, behind);
    cell->nodes[behind].hold_installs = false;
    cell->nodes[behind].disk_ms = 100000; /* the log's job does not come back */
    vcell_start(cell, behind);
    vcell_run(cell, 1000);
    assert_true(cell->nodes[behind].marker);
    vcell_crash(cell, behind);
    cell->nodes[behind].disk_ms = 1;
    vcell_start(cell, behind);
    submit_many(cell, 10);
    vcell_until_equal(cell);
    assert_int_equal(cell->nodes[behind].installs, 0);
}

/* While a snapshot is fetched the node is a member like any other: it votes when the
 * leader dies, and the fetch that failed is begun anew from the next leader. */
static void test_install_leader_dies(void **state)
{
    struct vcell *cell = *state;
    uint64_t behind = vcell_other(cell, vcell_leader(cell), 0);
    uint64_t leader;
    fall_behind(cell, behind);
    cell->nodes[behind].hold_installs = true;
    vcell_start(cell, behind);
    vcell_run(cell, 1000);
    leader = vcell_leader(cell);
    assert_int_equal(cell->nodes[behind].install_from, leader);
    vcell_crash(cell, leader);
    former = leader;
    vcell_until(cell, another_leads); /* two of three: the one that is behind voted */
    cell->nodes[behind].hold_installs = false;
    vcell_run(cell, 2000);
    assert_int_equal(cell->nodes[behind].installs, 1);
    vcell_start(cell, leader);
    vcell_until_equal(cell);
}

/* One node grows to five and goes back to three, under load. */
static void test_members(void **state)
{
    struct vcell *cell = *state;
    struct replica_server server;
    for (uint64_t id = 2; id <= 5; id++) {
        submit_many(cell, 100);
        vcell_start(cell, id);
        vcell_change(cell, REPLICA_ADD, id);
        assert_true(vcell_server(cell, 1, id, &server));
        assert_int_equal(server.role, REPLICA_STANDBY);
        vcell_change(cell, REPLICA_PROMOTE, id);
        assert_true(vcell_server(cell, 1, id, &server));
        assert_int_equal(server.role, REPLICA_VOTER);
        assert_true(cell->nodes[id].configurations > 0);
    }
    vcell_until_equal(cell);
    vcell_change(cell, REPLICA_DEMOTE, vcell_other(cell, vcell_leader(cell), 0));
    vcell_change(cell, REPLICA_REMOVE, vcell_other(cell, vcell_leader(cell), 0));
    submit_many(cell, 10);
    vcell_run(cell, 100);
    assert_int_equal(vcell_readers(cell), 1);
}

static int try_change(struct vcell *cell, enum replica_change_kind kind, uint64_t id)
{
    struct err err;
    uint64_t index;
    return replica_change(vcell_replica(cell, vcell_leader(cell)), kind, id,
                          cell->nodes[id].address, cell->now_ms, &index, &err);
}

/* Guard 3: a node that lacks the log is not promoted, and nobody is while a voter does
 * not know of the last change; a lost voter is removed first. */
static void test_promote_late(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    uint64_t lost = vcell_other(cell, leader, 0);
    vcell_change(cell, REPLICA_ADD, 4); /* it does not run yet */
    assert_int_equal(try_change(cell, REPLICA_PROMOTE, 4), ERR_UNAVAILABLE);
    vcell_start(cell, 4);
    vcell_until_equal(cell);
    cell->nodes[4].disk_ms = 100000;
    submit_many(cell, 1000);
    vcell_run(cell, 300);
    assert_int_equal(try_change(cell, REPLICA_PROMOTE, 4), ERR_UNAVAILABLE);
    vcell_crash(cell, 4);
    cell->nodes[4].disk_ms = 1;
    vcell_start(cell, 4);
    vcell_until_equal(cell);
    vcell_crash(cell, lost);
    vcell_start(cell, 5);
    vcell_change(cell, REPLICA_ADD, 5);
    vcell_until_equal(cell);
    vcell_run(cell, 300);
    assert_int_equal(try_change(cell, REPLICA_PROMOTE, 4), ERR_UNAVAILABLE);
    vcell_change(cell, REPLICA_REMOVE, lost);
    vcell_change(cell, REPLICA_PROMOTE, 4);
    vcell_change(cell, REPLICA_PROMOTE, 5);
    vcell_until_equal(cell);
    /* The removed one comes back: it disturbs nobody. */
    unsigned elections = cell->elections;
    vcell_start(cell, lost);
    vcell_run(cell, 5000);
    assert_int_equal(cell->elections, elections);
}

/* One change at a time, and only what makes sense. */
static void test_refused_changes(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    assert_int_equal(try_change(cell, REPLICA_ADD, 2), ERR_EXISTS);
    assert_int_equal(try_change(cell, REPLICA_PROMOTE, 2), ERR_EXISTS);
    assert_int_equal(try_change(cell, REPLICA_PROMOTE, 6), ERR_NOT_FOUND);
    assert_int_equal(try_change(cell, REPLICA_REMOVE, 6), ERR_NOT_FOUND);
    assert_int_equal(try_change(cell, REPLICA_ADD, 4), 0);
    assert_true(replica_changing(vcell_replica(cell, leader)));
    assert_int_equal(try_change(cell, REPLICA_ADD, 5), ERR_CONFLICT);
    vcell_run(cell, 50);
    assert_false(replica_changing(vcell_replica(cell, leader)));
    struct err err;
    uint64_t index;
    assert_int_equal(replica_change(vcell_replica(cell, vcell_other(cell, leader, 0)),
                                    REPLICA_ADD, 5, "node5:1", cell->now_ms, &index,
                                    &err),
                     ERR_NOT_LEADER);
    vcell_change(cell, REPLICA_REMOVE, 4);
    vcell_change(cell, REPLICA_REMOVE, vcell_other(cell, vcell_leader(cell), 0));
}

/* ID hands over, and another leads. */
static uint64_t hand_over(struct vcell *cell, uint64_t id)
{
    struct err err;

    assert_int_equal(replica_transfer(vcell_replica(cell, id), 0, cell->now_ms, &err), 0);
    vcell_until_leader(cell);
    uint64_t leader = vcell_leader(cell);
    assert_int_not_equal(leader, id);
    return leader;
}

/* A leader neither demotes nor removes itself: it hands over, and the next one does it.
 */
static void test_remove_leader(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    assert_int_equal(try_change(cell, REPLICA_REMOVE, leader), ERR_INVALID);
    assert_int_equal(try_change(cell, REPLICA_DEMOTE, leader), ERR_INVALID);
    assert_false(replica_changing(vcell_replica(cell, leader)));
    hand_over(cell, leader);
    vcell_change(cell, REPLICA_REMOVE, leader);
    vcell_crash(cell, leader);
    submit_many(cell, 10);
    vcell_until_equal(cell);
}

/* Of two voters the leader is removed by the other, which then leads alone. */
static void test_remove_leader_of_two(void **state)
{
    struct vcell *cell = *state;
    vcell_change(cell, REPLICA_REMOVE, vcell_other(cell, vcell_leader(cell), 0));
    uint64_t leader = vcell_leader(cell);
    assert_int_equal(try_change(cell, REPLICA_REMOVE, leader), ERR_INVALID);
    uint64_t other = hand_over(cell, leader);
    vcell_change(cell, REPLICA_REMOVE, leader);
    vcell_run(cell, 3 * VCELL_ELECTION);
    assert_int_equal(vcell_leader(cell), other);
    assert_true(vcell_submit(cell, other, "alone") > 0);
}

/* A hand-over takes far less than 100 ms, and the old leader reads nothing from its
 * beginning on. */
static void test_transfer(void **state)
{
    struct vcell *cell = *state;
    struct err err;
    for (int i = 0; i < 10; i++) {
        uint64_t leader = vcell_leader(cell);
        submit_many(cell, 50);
        assert_int_equal(vcell_readers(cell), 1);
        assert_int_equal(
            replica_transfer(vcell_replica(cell, leader), 0, cell->now_ms, &err), 0);
        assert_int_equal(vcell_readers(cell), 0);
        assert_int_equal(vcell_submit(cell, leader, "late"), 0);
        int64_t began_ms = cell->now_ms;
        vcell_until_leader(cell);
        assert_true(cell->now_ms - began_ms < 100);
        assert_int_not_equal(vcell_leader(cell), leader);
        vcell_until_equal(cell);
        vcell_run(cell, 300);
    }
    uint64_t leader = vcell_leader(cell);
    assert_int_equal(
        replica_transfer(vcell_replica(cell, leader), leader, cell->now_ms, &err),
        ERR_NOT_FOUND);
    uint64_t gone = vcell_other(cell, leader, 0);
    vcell_crash(cell, gone);
    vcell_run(cell, 2 * VCELL_ELECTION);
    assert_int_equal(
        replica_transfer(vcell_replica(cell, leader), gone, cell->now_ms, &err),
        ERR_UNAVAILABLE);
}

/* A leader that was stopped and goes on answers nothing, though it has not heard yet that
 * there is another. */
static void test_lease_after_pause(void **state)
{
    struct vcell *cell = *state;
    uint64_t old = vcell_leader(cell);
    struct replica *replica = vcell_replica(cell, old);
    assert_true(replica_can_read(replica, cell->now_ms));
    cell->nodes[old].paused = true;
    vcell_until_leader(cell);
    assert_true(replica_is_leader(replica));
    assert_false(replica_can_read(replica, cell->now_ms));
    cell->nodes[old].paused = false;
    vcell_until_equal(cell);
    assert_false(replica_can_read(replica, cell->now_ms));
}

/* The lease ends before any follower would vote, whatever it is that cuts it off. */
static void test_lease_ends_first(void **state)
{
    struct vcell *cell = *state;
    uint64_t old = vcell_leader(cell);
    int64_t end_ms = replica_lease_end_ms(vcell_replica(cell, old));
    int64_t allowance_ms = VCELL_ELECTION * REPLICA_DRIFT_PERCENT / 100;
    assert_true(end_ms > cell->now_ms);
    assert_true(end_ms <= cell->now_ms + VCELL_ELECTION - allowance_ms - VCELL_BEAT);
    for (uint64_t id = 1; id <= 3; id++)
        cell->cut[id][old] = true; /* it speaks, but hears nothing */
    vcell_run(cell, end_ms + 2 - cell->now_ms);
    assert_int_equal(vcell_readers(cell), 0);
    assert_true(replica_is_leader(vcell_replica(cell, old)));
}

/* A leader knows what time it is by most of the voters' clocks: its own, far ahead, does
 * not count, and neither does one of the others'. */
static void test_clock(void **state)
{
    struct vcell *cell = *state;
    int64_t hour_ms = 3600000, when_ms = 1000 * hour_ms;

    for (uint64_t wrong = 1; wrong <= 3; wrong++) {
        for (uint64_t id = 1; id <= 3; id++)
            cell->nodes[id].wall_ms = when_ms + (id == wrong ? 500 * hour_ms : 0);
        uint64_t leader = hand_over(cell, vcell_leader(cell));
        vcell_run(cell, 100);
        const struct replica *replica = vcell_replica(cell, leader);
        /* Not to the millisecond: their words were under way. */
        assert_in_range(replica_clock_ms(replica, cell->now_ms) - when_ms,
                        cell->now_ms - 10, cell->now_ms);
        /* It goes on at the pace of the monotonic clock, wherever the wall's jumps. */
        cell->nodes[leader].wall_ms += hour_ms;
        vcell_run(cell, 200);
        /* Not to the millisecond: their words were under way. */
        assert_in_range(replica_clock_ms(replica, cell->now_ms) - when_ms,
                        cell->now_ms - 10, cell->now_ms);
        uint64_t other = vcell_other(cell, leader, 0);
        assert_true(replica_clock_ms(vcell_replica(cell, other), cell->now_ms) ==
                    REPLICA_NO_CLOCK);
    }
}

static uint64_t stopped;

static bool stop_at_timeout_now(struct vcell *cell, uint64_t from, uint64_t to,
                                const struct peer_message *msg)
{
    (void)from;
    if (msg->type == PEER_TIMEOUT_NOW && stopped == 0) {
        stopped = to;
        cell->nodes[to].paused = true;
    }
    return true;
}

/* A transfer that came to nothing is revoked: the node that was stopped with the
 * permission in its hand and goes on later may not disrupt the leader, which reads. */
static void test_transfer_revoked(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    struct err err;
    stopped = 0;
    cell->filter = stop_at_timeout_now;
    assert_int_equal(replica_transfer(vcell_replica(cell, leader), 0, cell->now_ms, &err),
                     0);
    vcell_run(cell, 20);
    assert_true(stopped != 0);
    assert_int_equal(vcell_readers(cell), 0);
    vcell_run(cell, 2 * VCELL_ELECTION);
    assert_int_equal(vcell_leader(cell), leader);
    assert_int_equal(vcell_readers(cell), 1);
    /* The leader must not hear of it either: it would step down and be safe so. */
    cell->cut[stopped][leader] = true;
    cell->nodes[stopped].paused = false;
    uint64_t third = vcell_other(cell, leader, stopped);
    for (int i = 0; i < 2 * VCELL_ELECTION; i++) {
        vcell_run(cell, 1);
        assert_int_equal(replica_leader_id(vcell_replica(cell, third)), leader);
    }
    cell->cut[stopped][leader] = false;
    vcell_until_leader(cell);
    vcell_until_equal(cell);
}

/* A voter that has forgotten whom it follows, by a restart, is deaf to candidates until
 * the lease that its answers gave has ended. */
static void test_restarted_voter(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    uint64_t voter = vcell_other(cell, leader, 0);
    uint64_t candidate = vcell_other(cell, leader, voter);
    /* The candidate is cut off from the leader, and near its time. */
    cell->cut[leader][candidate] = cell->cut[candidate][leader] = true;
    vcell_run(cell, 2 * VCELL_ELECTION);
    assert_true(replica_can_read(vcell_replica(cell, leader), cell->now_ms));
    vcell_crash(cell, voter);
    vcell_start(cell, voter);
    cell->cut[leader][voter] = cell->cut[voter][leader] = true;
    /* check() of the fixture sees it when two could read. */
    former = leader;
    vcell_until(cell, another_leads);
    vcell_isolate(cell, leader, false);
    vcell_until_leader(cell);
    vcell_until_equal(cell);
}

/* The disk of the leader is full, or fails: it hands over at once, and is not elected
 * until there is room again. */
static void break_leader(struct vcell *cell, int code)
{
    uint64_t leader = vcell_leader(cell);
    struct log_job *notice = mem_zalloc(sizeof(*notice));
    submit_many(cell, 20);
    cell->nodes[leader].hold_jobs = true;
    notice->kind = LOG_NOTICE;
    notice->code = code;
    replica_log_done(vcell_replica(cell, leader), notice, cell->now_ms);
    assert_int_equal(replica_write_code(vcell_replica(cell, leader)), code);
    assert_int_equal(vcell_submit(cell, leader, "no"), 0);
    int64_t began_ms = cell->now_ms;
    vcell_until_leader(cell);
    assert_int_not_equal(vcell_leader(cell), leader);
    assert_true(cell->now_ms - began_ms < 200);
    submit_many(cell, 20);
    /* It is not elected when the others are gone, but follows. */
    vcell_run(cell, 5 * VCELL_ELECTION);
    assert_int_not_equal(vcell_leader(cell), leader);
    assert_int_equal(replica_leader_id(vcell_replica(cell, leader)), vcell_leader(cell));
}

static void test_no_space(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    break_leader(cell, ERR_NO_SPACE);
    struct log_job *notice = mem_zalloc(sizeof(*notice));
    notice->kind = LOG_NOTICE;
    cell->nodes[leader].hold_jobs = false;
    replica_log_done(vcell_replica(cell, leader), notice, cell->now_ms);
    vcell_until_equal(cell);
}

static void test_broken_disk(void **state)
{
    struct vcell *cell = *state;
    uint64_t leader = vcell_leader(cell);
    break_leader(cell, ERR_IO);
    vcell_crash(cell, leader);
    cell->nodes[leader].hold_jobs = false;
    vcell_start(cell, leader);
    vcell_until_equal(cell);
}

static uint32_t seed_state;
static unsigned changes;

static uint32_t roll(uint32_t n)
{
    seed_state = seed_state * 1664525u + 1013904223u;
    return (seed_state >> 8) % n;
}

/* Any change that the leader takes; but of five voters three stay. */
static void change_something(struct vcell *cell)
{
    uint64_t leader = vcell_leader(cell), id = 1 + roll(6), index;
    struct replica_server servers[REPLICA_SERVERS_MAX];
    unsigned voters = 0;
    struct err err;

    if (leader == 0)
        return;
    size_t n = replica_servers(vcell_replica(cell, leader), servers);
    for (size_t i = 0; i < n; i++)
        voters += servers[i].role == REPLICA_VOTER;
    enum replica_change_kind kind = (enum replica_change_kind)roll(4);
    if (voters <= 3 && (kind == REPLICA_DEMOTE || kind == REPLICA_REMOVE))
        kind = roll(2) == 0 ? REPLICA_ADD : REPLICA_PROMOTE;
    /* A node that was removed must not come back with its id: it is only demoted. */
    if (kind == REPLICA_REMOVE)
        kind = REPLICA_DEMOTE;
    if (replica_change(vcell_replica(cell, leader), kind, id, cell->nodes[id].address,
                       cell->now_ms, &index, &err) == 0)
        changes++;
}

static void one_fault(struct vcell *cell)
{
    uint64_t id = 1 + roll(5);
    struct vcell_node *node = &cell->nodes[id];
    struct err err;

    switch (roll(11)) {
    case 0:
    case 1:
        if (node->replica != NULL)
            vcell_crash(cell, id);
        break;
    case 2:
        vcell_isolate(cell, id, true);
        break;
    case 3:
        cell->cut[id][1 + roll(5)] = true;
        break;
    case 4:
        memset(cell->cut, 0, sizeof(cell->cut));
        break;
    case 5:
        node->paused = !node->paused;
        break;
    case 6:
        /* Refused or not: either is right. */
        if (vcell_leader(cell) != 0 &&
            replica_transfer(vcell_replica(cell, vcell_leader(cell)), 0, cell->now_ms,
                             &err) == ERR_NOT_FOUND)
            fail();
        break;
    case 7:
        if (node->replica != NULL && node->install_from == 0)
            vcell_checkpoint(cell, id);
        break;
    case 8:
        node->disk_ms = 1 + roll(300);
        break;
    case 9:
    case 10:
        change_something(cell);
        break;
    }
    id = 1 + roll(6);
    if (cell->nodes[id].replica == NULL)
        vcell_start(cell, id);
}

static bool lose_some(struct vcell *cell, uint64_t from, uint64_t to,
                      const struct peer_message *msg)
{
    (void)cell, (void)from, (void)to, (void)msg;
    return roll(20) != 0;
}

/* Node 6 may not have been added yet. */
static bool members_are_equal(struct vcell *cell)
{
    uint64_t leader = vcell_leader(cell);
    struct replica_server servers[REPLICA_SERVERS_MAX];

    if (leader == 0)
        return false;
    size_t n = replica_servers(vcell_replica(cell, leader), servers);
    for (size_t i = 0; i < n; i++) {
        if (applied(cell, servers[i].id) !=
            replica_last_index(vcell_replica(cell, leader)))
            return false;
    }
    return true;
}

/* Faults of all kinds at random: the fixture's rules hold all the time, and when they end
 * the cell comes together within ten seconds. */
static void test_chaos(void **state)
{
    struct vcell *cell = *state;
    const char *seed = getenv("CELL_SEED");
    unsigned installs = 0;
    seed_state = seed != NULL ? (uint32_t)atoi(seed) : 1;
    changes = 0;
    cell->trailing = 20;
    for (int round = 0; round < 10; round++) {
        cell->filter = lose_some;
        for (int i = 0; i < 60; i++) {
            one_fault(cell);
            for (int j = 0; j < 10 && vcell_leader(cell) != 0; j++)
                (void)vcell_submit(cell, vcell_leader(cell), "chaos");
            vcell_run(cell, 20 + roll(400));
        }
        cell->filter = NULL;
        memset(cell->cut, 0, sizeof(cell->cut));
        for (uint64_t id = 1; id <= 6; id++) {
            cell->nodes[id].paused = false;
            cell->nodes[id].disk_ms = 1;
            if (cell->nodes[id].replica == NULL)
                vcell_start(cell, id);
        }
        int64_t began_ms = cell->now_ms;
        vcell_until_leader(cell);
        vcell_until(cell, members_are_equal);
        assert_true(cell->now_ms - began_ms < 10000);
    }
    for (uint64_t id = 1; id <= 6; id++)
        installs += cell->nodes[id].installs;
    print_message("elections=%u installs=%u changes=%u\n", cell->elections, installs,
                  changes);
}

int main(void)
{
#define TEST1(t) cmocka_unit_test_setup_teardown(t, setup1, teardown)
#define TEST3(t) cmocka_unit_test_setup_teardown(t, setup3, teardown)
#define TEST5(t) cmocka_unit_test_setup_teardown(t, setup5, teardown)
    const struct CMUnitTest tests[] = {TEST3(test_replication),
                                       TEST3(test_no_majority),
                                       TEST3(test_failover_time),
                                       TEST3(test_failover),
                                       TEST5(test_failover),
                                       TEST3(test_conflict),
                                       TEST3(test_conflict_slow_disk),
                                       TEST3(test_slow_disk),
                                       TEST3(test_power_cut),
                                       TEST3(test_install),
                                       TEST3(test_install_newer),
                                       TEST3(test_install_crash),
                                       TEST3(test_install_leader_dies),
                                       TEST1(test_members),
                                       TEST3(test_promote_late),
                                       TEST3(test_refused_changes),
                                       TEST3(test_remove_leader),
                                       TEST3(test_remove_leader_of_two),
                                       TEST3(test_transfer),
                                       TEST3(test_lease_after_pause),
                                       TEST3(test_lease_ends_first),
                                       TEST3(test_clock),
                                       TEST3(test_transfer_revoked),
                                       TEST3(test_restarted_voter),
                                       TEST3(test_no_space),
                                       TEST3(test_broken_disk),
                                       TEST5(test_chaos)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
