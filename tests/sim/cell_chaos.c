/* cell_chaos.c - what goes wrong in a cell, and the operator who mends it: which faults
 * there are, and how often, is drawn from the seed. */
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "tests/sim/cell_node.h"

/* Kinds of faults; a seed has most of them. */
enum fault {
    FAULT_CRASH,
    FAULT_CRASH_IN_WRITE,
    FAULT_CRASH_ALL,
    FAULT_PAUSE,
    FAULT_PARTITION,
    FAULT_CUT,
    FAULT_SLOW,
    FAULT_DISK_FULL,
    FAULT_SYNC,
    FAULT_FLIP,
    FAULT_WALL,
    FAULT_TRANSFER,
    FAULT_SUCCESSION,
    FAULT_KINDS,
};

static struct {
    bool enabled[FAULT_KINDS];
    bool changes;       /* the membership too */
    enum fault only;    /* FAULT_KINDS: any */
    unsigned kept_down; /* when the faults end; 0: none */
    int64_t pace_ms;    /* between faults, at most */
    int64_t outage_ms;  /* how long one lasts, at most */
} chaos;

/* ---- what ends by itself ---- */

static void start_again(void *arg)
{
    unsigned number = (unsigned)(uintptr_t)arg;
    if (cell_nodes[number].status == NODE_DOWN)
        cell_node_start(number);
}

static void go_on(void *arg)
{
    cell_node_resume((unsigned)(uintptr_t)arg);
}

static void has_room(void *arg)
{
    disk_of((unsigned)(uintptr_t)arg)->full = false;
}

static void mend_pair(void *arg)
{
    unsigned pair = (unsigned)(uintptr_t)arg;
    net_mend(&cell.net, pair / DISKS, pair % DISKS);
    cell.net.links[pair / DISKS][pair % DISKS].slow_ms = 0;
}

static void later(int64_t delay_ms, void (*run)(void *arg), unsigned number)
{
    vtime_after(&cell.time, delay_ms, run, (void *)(uintptr_t)number);
}

static int64_t outage(void)
{
    if (cell_chance(20))
        return cell_between(1, 150); /* hardly gone */
    return cell_between(5, cell_chance(10) ? chaos.outage_ms * 4 : chaos.outage_ms);
}

/* ---- faults ---- */

static unsigned pick_node(void)
{
    return (unsigned)cell_between(1, cell.last_node);
}

static void crash(unsigned number, bool power)
{
    if (cell_nodes[number].status != NODE_RUNS)
        return;
    cell_node_crash(number, power);
    later(outage(), start_again, number);
}

static void cut(unsigned from, unsigned to, int64_t for_ms)
{
    cell.counts.cuts++;
    net_cut(&cell.net, from, to);
    later(for_ms, mend_pair, from * DISKS + to);
}

static void partition(void)
{
    int64_t for_ms = outage();
    bool one_way = cell_chance(25);
    unsigned leader = cell_leader();
    uint64_t side = vtime_random(&cell.time, UINT32_MAX);

    if (leader != 0 && cell_chance(40))
        side = 1u << leader; /* alone */
    for (unsigned a = 1; a <= cell.last_node; a++) {
        for (unsigned b = 1; b <= cell.last_node; b++) {
            bool from = side >> a & 1, to = side >> b & 1;
            if (from != to && (from || !one_way))
                cut(a, b, for_ms);
        }
    }
    cell_trace("partition%s %llx for %lld ms", one_way ? ", one way," : "",
               (unsigned long long)(side & ((2u << cell.last_node) - 2)),
               (long long)for_ms);
}

/* The members of the newest leader's configuration, or 0. */
static size_t members(struct replica_server servers[REPLICA_SERVERS_MAX])
{
    unsigned leader = cell_leader();
    return leader == 0 ? 0 : replica_servers(cell_nodes[leader].replica, servers);
}

/* Numbers are never used again: some must be left for the end. */
static bool may_spend(void)
{
    return cell.last_node + 5 < DISKS;
}

/* No member's log is damaged, whether that is known yet or not. */
static bool all_whole(const struct replica_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cell_nodes[servers[i].id].status == NODE_DAMAGED ||
            disk_of((unsigned)servers[i].id)->flipped)
            return false;
    }
    return count > 0;
}

/* A damaged log costs the cell one copy of everything: only one at a time, and only
 * while all others are whole. */
static bool may_flip(unsigned number)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t count = members(servers), voters = 0;

    for (size_t i = 0; i < count; i++)
        voters += servers[i].role == REPLICA_VOTER;
    if (!all_whole(servers, count) || replica_changing(cell_nodes[cell_leader()].replica))
        return false;
    return voters >= 3 && cell_nodes[number].status == NODE_RUNS && chaos.changes &&
           may_spend();
}

static void flip(unsigned number)
{
    if (!may_flip(number) || !disk_flip(disk_of(number), true))
        return;
    cell_trace("node %u: a bit of its log flips", number);
    cell.counts.flips++;
    crash(number, false);
}

static void flip_leader(void *arg)
{
    (void)arg;
    if (!cell.calm && cell_leader() != 0)
        flip(cell_leader());
}

static void isolate(unsigned number, int64_t for_ms)
{
    for (unsigned i = 1; i <= cell.last_node; i++) {
        if (i == number)
            continue;
        cut(number, i, for_ms);
        cut(i, number, for_ms);
    }
}

/* A leader is heard by no more followers than make it a majority, while nothing is
 * written; then those restart in a moment and do not hear it either. Whom do they vote
 * for, and who reads? SIDE: the leader in the low byte, then a bit for each of them. */
static void restart_followers(void *arg)
{
    uint32_t side = (uint32_t)(uintptr_t)arg;
    unsigned leader = side & 0xff;

    load_quiet(0);
    if (cell.calm || cell_leader() != leader)
        return;
    cell_trace("all followers of node %u restart, which is alone", leader);
    isolate(leader, cell_between(300, 1500));
    for (unsigned i = 1; i <= cell.last_node; i++) {
        if ((side >> (8 + i) & 1) == 0 || !cell_node_up(i))
            continue;
        cell_node_crash(i, false);
        later(cell_between(1, 20), start_again, i);
    }
}

static void cut_others(void *arg)
{
    uint32_t side = (uint32_t)(uintptr_t)arg;
    unsigned leader = side & 0xff;

    for (unsigned i = 1; i <= cell.last_node; i++) {
        if (i == leader || (side >> (8 + i) & 1) != 0)
            continue;
        cut(leader, i, 1500);
        cut(i, leader, 1500);
    }
}

static void succession(void)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t count = members(servers), voters = 0, chosen = 0;
    uint32_t side = cell_leader();

    for (size_t i = 0; i < count; i++)
        voters += servers[i].role == REPLICA_VOTER;
    for (size_t i = 0; i < count && chosen < voters / 2; i++) {
        if (servers[i].role != REPLICA_VOTER || servers[i].self)
            continue;
        side |= 1u << (8 + servers[i].id);
        chosen++;
    }
    if (chosen == 0)
        return;
    load_quiet(1400);
    later(60, cut_others, side);
    later(cell_between(560, 1100), restart_followers, side);
}

/* One that hands over stops, and goes on when another leads. */
static void stop_shortly(void *arg)
{
    unsigned number = (unsigned)(uintptr_t)arg;

    if (cell.calm || !cell_node_up(number))
        return;
    cell_node_pause(number);
    later(cell_between(15, 300), go_on, number);
}

static void fault(enum fault kind)
{
    unsigned number = cell_chance(40) ? cell_leader() : pick_node();
    struct disk *disk = disk_of(number);

    if (number == 0)
        return;
    switch (kind) {
    case FAULT_CRASH:
        crash(number, cell_chance(60));
        break;
    case FAULT_CRASH_IN_WRITE:
        disk->power = cell_chance(60);
        disk->ops_left = (int)cell_between(0, 12);
        break;
    case FAULT_CRASH_ALL:
        for (unsigned i = 1; i <= cell.last_node; i++)
            crash(i, cell_chance(80));
        break;
    case FAULT_PAUSE:
        if (cell_node_up(number)) {
            cell_node_pause(number);
            later(outage(), go_on, number);
        }
        break;
    case FAULT_PARTITION:
        partition();
        break;
    case FAULT_CUT:
        cut(number, pick_node(), outage());
        break;
    case FAULT_SLOW: {
        unsigned to = pick_node();
        cell.net.links[number][to].slow_ms = cell_between(10, 600);
        later(outage(), mend_pair, number * DISKS + to);
        break;
    }
    case FAULT_DISK_FULL:
        cell.counts.disk_faults++;
        disk->full = true;
        later(outage(), has_room, number);
        break;
    case FAULT_SYNC:
        disk->sync_fails = cell_nodes[number].status == NODE_RUNS;
        break;
    case FAULT_FLIP:
        flip(number);
        break;
    case FAULT_WALL:
        cell_nodes[number].wall_offset_ms = cell_between(-60000, 60000);
        break;
    case FAULT_TRANSFER:
        if (cell_node_transfer(number, cell_chance(50) ? 0 : pick_node()) == 0 &&
            cell_chance(60))
            later(cell_between(0, 3), stop_shortly, number);
        break;
    case FAULT_SUCCESSION:
        succession();
        break;
    case FAULT_KINDS:
        break;
    }
}

static void next_fault(void *arg)
{
    (void)arg;
    if (cell.calm)
        return;
    enum fault kind = chaos.only != FAULT_KINDS
                          ? chaos.only
                          : (enum fault)vtime_random(&cell.time, FAULT_KINDS);
    if (chaos.enabled[kind] && (kind != FAULT_CRASH_ALL || cell_chance(20)))
        fault(kind);
    vtime_after(&cell.time, cell_between(1, chaos.pace_ms), next_fault, NULL);
}

/* ---- the operator ---- */

/* A node whose log broke, or that crashed in the middle of a write, is started again. */
static void supervise(void *arg)
{
    (void)arg;
    for (unsigned i = 1; i <= cell.last_node; i++) {
        struct sim_node *node = &cell_nodes[i];
        if (node->status == NODE_RUNS && node->log_state == ERR_IO && !node->paused)
            cell_node_crash(i, cell_chance(30));
        if (node->status == NODE_DOWN && i != chaos.kept_down &&
            (cell.calm || cell_chance(20)))
            cell_node_start(i);
    }
    vtime_after(&cell.time, cell_between(200, 1500), supervise, NULL);
}

static void add_node(unsigned leader)
{
    if (cell.last_node + 1 >= DISKS)
        return;
    unsigned number = ++cell.last_node;
    cell_node_make(number, false);
    cell_node_start(number);
    (void)cell_node_change(leader, REPLICA_ADD, number);
}

static unsigned find(const struct replica_server *servers, size_t count,
                     bool (*wanted)(const struct replica_server *server))
{
    unsigned found[REPLICA_SERVERS_MAX], n = 0;

    for (size_t i = 0; i < count; i++) {
        if (wanted(&servers[i]))
            found[n++] = (unsigned)servers[i].id;
    }
    return n == 0 ? 0 : found[vtime_random(&cell.time, n)];
}

static bool is_lost(const struct replica_server *server)
{
    enum node_status status = cell_nodes[server->id].status;
    return status == NODE_DAMAGED || status == NODE_REMOVED;
}

static bool is_standby(const struct replica_server *server)
{
    return server->role == REPLICA_STANDBY && !is_lost(server);
}

static bool is_voter(const struct replica_server *server)
{
    return server->role == REPLICA_VOTER;
}

/* One that was never added, because its leader was none any more. */
static unsigned spare_node(const struct replica_server *servers, size_t count)
{
    for (unsigned i = 1; i <= cell.last_node; i++) {
        bool member = false;
        for (size_t s = 0; s < count; s++)
            member = member || servers[s].id == i;
        if (!member && !cell_nodes[i].removing && cell_nodes[i].status == NODE_RUNS)
            return i;
    }
    return 0;
}

/* One step towards the voters that the cell should have; now and then one away. */
static void administrate(unsigned leader)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t count = replica_servers(cell_nodes[leader].replica, servers), voters = 0;

    for (size_t i = 0; i < count; i++)
        voters += is_voter(&servers[i]);
    unsigned lost = find(servers, count, is_lost);
    unsigned standby = find(servers, count, is_standby);
    unsigned voter = find(servers, count, is_voter);
    unsigned spare = spare_node(servers, count);
    if (lost != 0 && cell_node_change(leader, REPLICA_REMOVE, lost) == 0) {
        cell.counts.replaced++;
    } else if (!cell.calm && chaos.changes && voters > 2 && all_whole(servers, count) &&
               cell_chance(40)) {
        enum replica_change_kind kind =
            may_spend() && cell_chance(50) ? REPLICA_REMOVE : REPLICA_DEMOTE;
        /* As membership.c: a leader that is to go hands over first. */
        if (voter == leader)
            (void)cell_node_transfer(leader, 0);
        else
            (void)cell_node_change(leader, kind, voter);
    } else if (standby != 0 && (cell.calm || cell_chance(80))) {
        /* It may crash before it hears of it, and then the leader be lost. */
        if (cell_node_change(leader, REPLICA_PROMOTE, standby) == 0 && !cell.calm &&
            cell_chance(30)) {
            crash(standby, true);
            later(cell_between(50, 400), flip_leader, 0);
        }
    } else if (spare != 0) {
        (void)cell_node_change(leader, REPLICA_ADD, spare);
    } else if (voters < cell.voters) {
        add_node(leader);
    }
}

static void operate(void *arg)
{
    unsigned leader = cell_leader();

    (void)arg;
    if (leader != 0)
        administrate(leader);
    vtime_after(&cell.time, cell_between(100, cell.calm ? 500 : 4000), operate, NULL);
}

/* ---- acts ---- */

static size_t count_voters(void)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t count = members(servers), voters = 0;
    for (size_t i = 0; i < count; i++)
        voters += is_voter(&servers[i]);
    return voters;
}

void chaos_start(void)
{
    cell.calm = true;
    cell.last_node = 1;
    cell_node_make(1, true);
    cell_node_start(1);
    supervise(NULL);
    operate(NULL);
    int64_t until_ms = cell.time.now_ms + 60000;
    while (count_voters() < cell.voters) {
        CELL_CHECK(cell.time.now_ms < until_ms, "no cell of %u nodes after a minute",
                   cell.voters);
        (void)vtime_step(&cell.time, until_ms);
    }
}

/* Some things happen only in a cell that is well otherwise: leaders must stay long
 * enough to lose their lease, or to hear of something very late. */
static void choose_only(enum fault kind)
{
    chaos.only = kind;
    chaos.enabled[kind] = true;
    chaos.changes = false;
    chaos.pace_ms = kind == FAULT_SUCCESSION ? 5000 : 2500;
    chaos.outage_ms = 1500;
    cell.net.delay_ms = 3;
    cell.net.resets = 0;
    cell.net.disorder = kind == FAULT_SUCCESSION ? 0 : 3000;
}

void chaos_begin(void)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        chaos.enabled[i] = cell_chance(75);
    chaos.changes = cell.voters > 1 && cell_chance(75);
    chaos.pace_ms = cell_between(100, 1500);
    chaos.outage_ms = cell_between(500, 5000);
    cell.net.delay_ms = cell_chance(50) ? 3 : cell_between(1, 60);
    cell.net.resets = cell_chance(50) ? 0 : (unsigned)cell_between(1, 100);
    cell.net.disorder = cell_chance(60) ? 0 : (unsigned)cell_between(1, 3000);
    chaos.only = FAULT_KINDS;
    if (cell_chance(20))
        choose_only(cell_chance(60) ? FAULT_SUCCESSION : FAULT_CUT);
    cell.calm = false;
    next_fault(NULL);
}

/* A cell recovers without one of its voters, if that leaves a majority, whichever
 * configuration counts. */
static void keep_one_down(void)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    unsigned number = pick_node();

    for (unsigned i = 1; i <= cell.last_node; i++) {
        if (cell_nodes[i].status != NODE_RUNS)
            continue;
        size_t count = replica_servers(cell_nodes[i].replica, servers), voters = 0;
        for (size_t s = 0; s < count; s++)
            voters += is_voter(&servers[s]);
        if (count > 0 && (voters < 3 || !all_whole(servers, count)))
            return;
    }
    if (cell_nodes[number].status != NODE_RUNS)
        return;
    cell_node_crash(number, true);
    chaos.kept_down = number;
    cell_trace("node %u stays down", number);
}

void chaos_end(void)
{
    cell.calm = true;
    net_mend_all(&cell.net);
    cell.net.resets = cell.net.disorder = 0;
    cell.net.delay_ms = 3;
    for (unsigned i = 1; i <= cell.last_node; i++) {
        disk_of(i)->full = disk_of(i)->sync_fails = false;
        disk_of(i)->ops_left = -1;
        cell_node_resume(i);
        if (cell_nodes[i].status == NODE_DOWN)
            cell_node_start(i);
    }
    if (cell_chance(40))
        keep_one_down();
}

void chaos_end_all(void)
{
    unsigned number = chaos.kept_down;

    chaos.kept_down = 0;
    if (number != 0 && cell_nodes[number].status == NODE_DOWN)
        cell_node_start(number);
}

/* NODE knows of these members, and that they are committed. */
static bool same_members(const struct sim_node *node,
                         const struct replica_server *servers, size_t count)
{
    struct replica_server own[REPLICA_SERVERS_MAX];

    if (replica_changing(node->replica) || replica_servers(node->replica, own) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (own[i].id != servers[i].id || own[i].role != servers[i].role)
            return false;
    }
    return true;
}

bool chaos_settled(void)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    unsigned leader = cell_leader();

    if (leader == 0)
        return false;
    const struct sim_node *leads = &cell_nodes[leader];
    size_t count = replica_servers(leads->replica, servers);
    size_t voters = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sim_node *node = &cell_nodes[servers[i].id];
        if (node->status != NODE_RUNS || node->applied != leads->applied ||
            node->applied != replica_last_index(leads->replica) ||
            !same_members(node, servers, count))
            return false;
        voters += is_voter(&servers[i]);
    }
    return voters >= cell.voters && leads->applied >= check_acked_index();
}
