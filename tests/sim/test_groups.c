/* test_groups.c - classic groups under random clients, from seeds.
 *
 * Clients join, sync, commit, leave, die and come back, some static, with other protocols
 * at times; their requests are lost, repeated late, and answered or not; sessions and
 * phases end when they like, and timers of a generation that is over fire late. The
 * commands and the functions that answer are the product's.
 *
 * Checked after each command: there is one leader, a member; the counts, the votes and
 * the bytes are what a naive walk finds; generations go up by one; no phase lasts that
 * should be over, or ends while somebody is waited for; a late timer does nothing, and a
 * rebalance loses no static member. Checked with each answer: who commits is of the
 * present generation; of a generation only one member was ever told to lead, members have
 * assignments of that generation and meant for them, and no partition is had by two. When
 * faults end, the leader's own timers (coordinator.c) are enough for the group to settle
 * with whoever lives, and to put out who does not sync. In the end the log gives the same
 * state again (I7).
 *
 *   test_groups [FIRST_SEED [COUNT]]     a failing seed is named */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/coordinator.h"
#include "controlplane/group_classic.h"
#include "tests/lib/group_sim.h"

#define STEPS       1000
#define CLIENTS     7
#define STATICS     3 /* of them */
#define PARTITIONS  20
#define GENERATIONS 2048
#define OLD         32
#define ROUNDS      400 /* after the faults, of so long each */
#define ROUND_MS    250
#define ID_MAX      24

#define CHECK(cond) GROUP_SIM_CHECK(&sim.run, cond)

enum doing { IDLE, JOINING, ASSIGNING, SYNCING, WORKING };

struct client {
    bool alive;
    char instance[16]; /* "": dynamic */
    char id[ID_MAX];   /* "": none yet */
    enum doing doing;
    int32_t generation;
    bool leads, may_assign;
    unsigned variant; /* of what it can speak */
};

/* What clients were told of a generation. */
struct told {
    char leader[ID_MAX];
    char leader_instance[16];
    uint32_t owned; /* partitions that somebody has */
    uint32_t owned_by[CLIENTS];
};

static struct {
    struct group_sim run;
    struct client clients[CLIENTS];
    struct told told[GENERATIONS];
    uint8_t *old[OLD]; /* commands that may come again */
    size_t old_len[OLD];
    int32_t generation;
    int64_t next_offset;
    uint64_t rebalances, replaced, expired, refused, worked, commits;
} sim;

static uint32_t pick(uint32_t n)
{
    return group_sim_pick(&sim.run, n);
}

/* A reply or request is lost, once in a while, as long as there are faults. */
static bool lost(void)
{
    return sim.run.faults && pick(12) == 0;
}

static const struct cluster *the_cluster(void)
{
    return group_sim_cluster(&sim.run);
}

static const struct group *the_group(void)
{
    return state_group(the_cluster(), SLICE_LITERAL("g"));
}

static struct slice instance_of(const struct client *client)
{
    return client->instance[0] == '\0' ? SLICE_NULL : slice_str(client->instance);
}

/* ---- what always holds ---- */

static bool speaks_all(const struct group *group, struct slice name)
{
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        if (group_member_metadata(m, name).ptr == NULL)
            return false;
    }
    return true;
}

static uint64_t bytes_of(const struct group_member *m)
{
    return METADATA_MEMBER_BYTES + m->member_id.len + m->instance_id.len +
           m->client_id.len + m->client_host.len + m->protocols.len + m->assignment.len;
}

static void check_members(const struct group *group)
{
    uint32_t members = 0, pending = 0, joined = 0, synced = 0;
    uint64_t bytes =
        METADATA_GROUP_BYTES + group->group_id.len + group_sim_offset_bytes(group);
    bool leads = false;

    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        members++;
        joined += group_member_joined(m);
        synced += group_member_synced(m);
        leads |= m == group->leader;
        bytes += bytes_of(m);
        CHECK(!m->pending && group_find_member(group, m->member_id) == m);
        CHECK(m->instance_id.ptr == NULL ||
              group_static_member(group, m->instance_id) == m);
        CHECK(m->assigned_generation <= group->generation);
    }
    for (const struct group_member *m = NULL;
         (m = group_pending_next(group, m)) != NULL;) {
        pending++;
        bytes += bytes_of(m);
        CHECK(m->pending && group_find_member(group, m->member_id) == m);
    }
    CHECK(members == group->member_count && pending == group->pending_count);
    CHECK(joined == group->joined_count && synced == group->synced_count);
    CHECK(leads == (members > 0) && (group->leader != NULL) == (members > 0));
    CHECK(bytes == the_cluster()->group_bytes);
}

static void check(void)
{
    const struct group *group = the_group();
    if (group == NULL) {
        CHECK(the_cluster()->group_bytes == 0);
        if (sim.generation != 0) /* they begin again */
            memset(sim.told, 0, sizeof(sim.told));
        sim.generation = 0;
        return;
    }
    check_members(group);
    CHECK((group->state == GROUP_EMPTY) == (group->member_count == 0));
    CHECK(group->generation == sim.generation || group->generation == sim.generation + 1);
    sim.rebalances += group->generation != sim.generation;
    sim.generation = group->generation;
    CHECK(sim.generation < GENERATIONS);
    if (group->state == GROUP_PREPARING)
        CHECK(group->initial || group->pending_count > 0 ||
              group->joined_count < group->member_count);
    if (group->state == GROUP_COMPLETING || group->state == GROUP_STABLE)
        CHECK(speaks_all(group, group->protocol));
    if (group->state == GROUP_COMPLETING)
        CHECK(!group_member_synced(group->leader));
}

static struct command_result apply(struct command *cmd)
{
    uint32_t at = pick(OLD);
    struct command_result result = driver_apply(&sim.run.live, cmd);
    mem_free(sim.old[at]);
    sim.old_len[at] = sim.run.live.command.len;
    sim.old[at] = mem_dup(sim.run.live.command.data, sim.run.live.command.len);
    check();
    return result;
}

/* ---- clients ---- */

static void forget_all(struct client *client)
{
    client->id[0] = '\0';
    client->doing = IDLE;
}

/* What the error of any of its requests makes of CLIENT. */
static void on_error(struct client *client, int16_t error)
{
    sim.refused++;
    client->doing = IDLE;
    if (error == 82)
        client->alive = false; /* fatal: somebody has its instance */
    else if (error != 27 && error != 22 && error != 79)
        client->id[0] = '\0';
}

static void set_id(struct client *client, struct slice id)
{
    CHECK(id.len < ID_MAX);
    memcpy(client->id, id.ptr, id.len);
    client->id[id.len] = '\0';
}

static const struct join_protocol *protocols_of(const struct client *client,
                                                uint32_t *count)
{
    static struct join_protocol lists[4][2];
    lists[0][0] = lists[1][1] = lists[2][0] =
        (struct join_protocol){SLICE_LITERAL("range"), SLICE_LITERAL("r")};
    lists[0][1] = lists[1][0] =
        (struct join_protocol){SLICE_LITERAL("sticky"), SLICE_LITERAL("s")};
    lists[3][0] = (struct join_protocol){SLICE_LITERAL("odd"), SLICE_LITERAL("")};
    *count = client->variant < 2 ? 2 : 1;
    return lists[client->variant];
}

/* The join was answered: CLIENT is of a generation, and perhaps leads it. */
static void on_joined(struct client *client, const struct group_join_answer *answer,
                      bool may_assign)
{
    struct told *told = &sim.told[answer->generation];

    client->generation = answer->generation;
    client->leads = answer->leads;
    client->may_assign = answer->leads && may_assign;
    client->doing = ASSIGNING;
    if (!client->may_assign)
        return;
    /* One member leads, or a static one under several ids, one after the other. */
    CHECK(told->leader[0] == '\0' || strcmp(told->leader, client->id) == 0 ||
          (client->instance[0] != '\0' &&
           strcmp(told->leader_instance, client->instance) == 0));
    memcpy(told->leader, client->id, sizeof(told->leader));
    memcpy(told->leader_instance, client->instance, sizeof(told->leader_instance));
}

static void poll_join(struct client *client, bool may_assign)
{
    struct group_join_answer answer;

    if (!group_classic_poll_join(the_group(), slice_str(client->id), instance_of(client),
                                 &answer))
        return;
    if (lost())
        client->doing = IDLE;
    else if (answer.error != 0)
        on_error(client, answer.error);
    else
        on_joined(client, &answer, may_assign);
}

/* Whether a rebalance waits for somebody beside CLIENT: for a member that has not joined,
 * or for whoever was given an id. */
static bool waits_for_others(const struct client *client)
{
    const struct group *group = the_group();

    if (group == NULL || group->state != GROUP_PREPARING)
        return false;
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        if (!group_member_joined(m) && !slice_eq_str(m->member_id, client->id) &&
            (client->instance[0] == '\0' ||
             !slice_eq_str(m->instance_id, client->instance)))
            return true;
    }
    for (const struct group_member *m = NULL;
         (m = group_pending_next(group, m)) != NULL;) {
        if (!slice_eq_str(m->member_id, client->id))
            return true;
    }
    return false;
}

static void join(struct client *client)
{
    char fresh[ID_MAX];
    struct command cmd = {.kind = COMMAND_GROUP_JOIN};

    snprintf(fresh, sizeof(fresh), "c-%u", sim.run.next_id++);
    cmd.group_join.group_id = SLICE_LITERAL("g");
    cmd.group_join.member_id = slice_str(client->id);
    cmd.group_join.new_member_id = slice_str(fresh);
    cmd.group_join.instance_id = instance_of(client);
    cmd.group_join.client_id = SLICE_LITERAL("c");
    cmd.group_join.client_host = SLICE_LITERAL("h");
    cmd.group_join.session_ms = 10000;
    cmd.group_join.rebalance_ms = 1000;
    cmd.group_join.protocol_type = SLICE_LITERAL("consumer");
    cmd.group_join.protocols = protocols_of(client, &cmd.group_join.protocol_count);
    cmd.group_join.require_known_id = pick(4) != 0;
    cmd.group_join.may_skip_assignment = pick(2) == 0;
    cmd.group_join.limits = (struct group_limits){
        sim.run.faults && pick(60) == 0 ? 3 : CLIENTS * 2, 1, 0, 6000, 30000};
    if (!group_classic_join_changes(the_group(), &cmd)) {
        CHECK(apply(&cmd).kafka_error == 0 && the_group()->etag < sim.run.live.index);
        client->doing = JOINING;
        poll_join(client, true);
        return;
    }
    bool others = waits_for_others(client);
    struct command_result result = apply(&cmd);
    CHECK(!others || the_group()->state == GROUP_PREPARING);
    if (lost())
        return; /* neither the id nor the answer gets there */
    if (result.kafka_error == 0 || result.kafka_error == 79)
        set_id(client, result.data);
    if (result.kafka_error != 0) {
        on_error(client, result.kafka_error);
        return;
    }
    sim.replaced += result.value != GROUP_JOIN_POLL;
    client->doing = JOINING;
    poll_join(client, result.value == GROUP_JOIN_POLL);
}

/* The partitions that ASSIGNMENT says; it must be of this generation, and for ID. */
static uint32_t decode(struct slice assignment, int32_t generation, const char *id)
{
    int32_t of;
    uint32_t partitions;
    char text[64], whom[ID_MAX];

    if (assignment.len == 0)
        return 0;
    CHECK(assignment.len < sizeof(text));
    memcpy(text, assignment.ptr, assignment.len);
    text[assignment.len] = '\0';
    CHECK(sscanf(text, "%d %x %23s", &of, &partitions, whom) == 3);
    CHECK(of == generation);
    CHECK(strcmp(whom, id) == 0 || id[0] == '\0');
    return partitions;
}

static void on_synced(struct client *client, struct slice assignment)
{
    struct told *told = &sim.told[client->generation];
    size_t me = (size_t)(client - sim.clients);
    /* A static member has what was meant for the id that it had then. */
    uint32_t mine =
        decode(assignment, client->generation, client->instance[0] ? "" : client->id);

    CHECK((told->owned & ~told->owned_by[me] & mine) == 0);
    told->owned |= mine;
    told->owned_by[me] |= mine;
    client->doing = WORKING;
    sim.worked++;
}

static void poll_sync(struct client *client)
{
    struct group_sync_answer answer;

    if (!group_classic_poll_sync(the_group(), client->generation, slice_str(client->id),
                                 instance_of(client), &answer))
        return;
    if (lost())
        client->doing = ASSIGNING;
    else if (answer.error != 0)
        on_error(client, answer.error);
    else
        on_synced(client, answer.assignment);
}

static void sync(struct client *client)
{
    static char texts[CLIENTS * 4][64];
    struct sync_assignment given[CLIENTS * 4];
    struct command cmd = {.kind = COMMAND_GROUP_SYNC};
    uint32_t count = 0;

    cmd.group_sync.group_id = SLICE_LITERAL("g");
    cmd.group_sync.generation = client->generation;
    cmd.group_sync.member_id = slice_str(client->id);
    cmd.group_sync.instance_id = instance_of(client);
    /* The members of its generation are those that the group has: if that has gone on,
     * the sync is refused. */
    for (const struct group_member *m = NULL;
         client->may_assign && (m = group_member_next(the_group(), m)) != NULL;) {
        uint32_t share = 0;
        if (sim.run.faults && pick(20) == 0)
            continue; /* it is given nothing, not what it had */
        for (uint32_t p = count; p < PARTITIONS; p += the_group()->member_count)
            share |= 1u << p;
        CHECK(count < CLIENTS * 4);
        snprintf(texts[count], sizeof(texts[count]), "%d %x %.*s", client->generation,
                 share, (int)m->member_id.len, m->member_id.ptr);
        given[count].member_id = m->member_id;
        given[count].assignment = slice_str(texts[count]);
        count++;
    }
    cmd.group_sync.assignments = given;
    cmd.group_sync.assignment_count = count;
    if (group_classic_sync_changes(the_group(), &cmd)) {
        int16_t error = apply(&cmd).kafka_error;
        if (lost())
            return;
        if (error != 0) {
            on_error(client, error);
            return;
        }
    }
    client->doing = SYNCING;
    poll_sync(client);
}

/* It says how far it has read in a partition that it was given. */
static void commit(struct client *client)
{
    uint32_t mine = sim.told[client->generation].owned_by[client - sim.clients];
    int32_t partition = (int32_t)pick(PARTITIONS);

    if ((mine & (1u << partition)) == 0)
        return;
    int16_t error =
        group_sim_commit(&sim.run, client->generation, client->id,
                         client->instance[0] == '\0' ? NULL : client->instance, 1,
                         partition, ++sim.next_offset);
    check();
    CHECK(error != 0 || client->generation == the_group()->generation);
    sim.commits += error == 0;
    if (error != 0 && !lost())
        on_error(client, error);
}

static void heartbeat(struct client *client)
{
    int16_t error = group_classic_heartbeat(the_group(), client->generation,
                                            slice_str(client->id), instance_of(client));
    if (lost())
        return;
    if (error != 0)
        on_error(client, error);
    else if (sim.run.faults && pick(40) == 0)
        client->doing = IDLE; /* it wants another assignment */
}

static void leave(struct client *client)
{
    struct group_leaver leaver = {slice_str(client->id), instance_of(client)};
    struct command cmd = {.kind = COMMAND_GROUP_LEAVE};

    if (leaver.instance_id.ptr != NULL && pick(2) == 0)
        leaver.member_id = SLICE_LITERAL("");
    cmd.group_leave.group_id = SLICE_LITERAL("g");
    cmd.group_leave.members = &leaver;
    cmd.group_leave.member_count = 1;
    (void)apply(&cmd);
    forget_all(client);
}

/* The next thing that CLIENT does as it should. */
static void go_on(struct client *client)
{
    switch (client->doing) {
    case IDLE:
        join(client);
        break;
    case JOINING:
        poll_join(client, true);
        break;
    case ASSIGNING:
        sync(client);
        break;
    case SYNCING:
        poll_sync(client);
        break;
    case WORKING:
        if (pick(3) == 0)
            commit(client);
        else
            heartbeat(client);
        break;
    }
}

/* ---- time and faults ---- */

static bool expire(struct slice member_id, int32_t generation)
{
    const struct group_expiry expiry = {member_id, generation};
    struct command cmd = {.kind = COMMAND_GROUP_EXPIRE};

    cmd.group_expire.group_id = SLICE_LITERAL("g");
    cmd.group_expire.members = &expiry;
    cmd.group_expire.member_count = 1;
    const struct group_member *member = group_find_member(the_group(), member_id);
    bool late =
        member != NULL && !member->pending && generation != the_group()->generation;
    int64_t gone = apply(&cmd).value;
    CHECK(!late || gone == 0);
    sim.expired += gone > 0;
    return gone > 0;
}

static uint32_t static_members(void)
{
    uint32_t count = 0;
    for (const struct group_member *m = NULL;
         (m = group_member_next(the_group(), m)) != NULL;)
        count += m->instance_id.ptr != NULL;
    return count;
}

static void due(enum group_phase phase)
{
    struct command cmd = {.kind = COMMAND_GROUP_DUE};
    bool late = pick(8) == 0;

    if (the_group() == NULL)
        return;
    uint32_t before = static_members();
    cmd.group_due.group_id = SLICE_LITERAL("g");
    cmd.group_due.generation = the_group()->generation - late;
    cmd.group_due.phase = phase;
    int64_t done = apply(&cmd).value;
    CHECK(!late || done == 0);
    CHECK(phase == GROUP_PHASE_SYNC || static_members() == before);
}

/* Some member's session runs out, whoever it is. */
static void expire_any(void)
{
    const struct group *group = the_group();
    const struct group_member *m = NULL;
    uint32_t n = pick(CLIENTS);

    if (group == NULL)
        return;
    m = pick(3) == 0 ? group_pending_next(group, NULL) : group_member_next(group, NULL);
    while (m != NULL && !m->pending && n-- > 0)
        m = group_member_next(group, m);
    if (m != NULL)
        (void)expire(m->member_id, group->generation - (pick(5) == 0));
}

/* A command comes once more, of whatever time. */
static void repeat_old(void)
{
    uint32_t at = pick(OLD);
    if (sim.old[at] == NULL)
        return;
    group_sim_apply(&sim.run, slice_of(sim.old[at], sim.old_len[at]));
    check();
}

static void delete_group(void)
{
    struct command cmd = {.kind = COMMAND_GROUP_DELETE};
    bool empty = the_group() != NULL && the_group()->member_count == 0;

    cmd.group_delete.group_id = SLICE_LITERAL("g");
    int16_t error = apply(&cmd).kafka_error;
    CHECK((error == 0) == empty && (!empty || the_group() == NULL));
}

static void fault(struct client *client)
{
    switch (pick(15)) {
    case 0:
    case 1:
        expire_any();
        break;
    case 2:
    case 3:
        repeat_old();
        break;
    case 4:
        due(GROUP_PHASE_SYNC);
        break;
    case 5:
        delete_group();
        break;
    case 6:
        client->variant = pick(30) == 0 ? 3 : pick(3);
        break;
    case 7:
        leave(client);
        break;
    case 8:
    case 9:
    case 10:
    case 11: /* crashes; a static one comes back without its id */
        client->alive = client->instance[0] != '\0';
        forget_all(client);
        break;
    case 12:
        client->doing = IDLE; /* its connection broke */
        break;
    default:
        client->alive = true;
    }
}

static void step(void)
{
    struct client *client = &sim.clients[pick(CLIENTS)];

    sim.run.live.now_ms += pick(100);
    if (pick(14) == 0)
        fault(client);
    else if (pick(12) == 0)
        due(GROUP_PHASE_JOIN);
    else if (client->alive)
        go_on(client);
}

/* ---- the end of faults ---- */

static bool settled(void)
{
    const struct group *group = the_group();
    uint32_t alive = 0;

    for (int i = 0; i < CLIENTS; i++) {
        const struct client *client = &sim.clients[i];
        alive += client->alive;
        if (client->alive &&
            (client->doing != WORKING || client->generation != group->generation))
            return false;
    }
    return group != NULL && group->state == GROUP_STABLE &&
           group->member_count == alive && group->pending_count == 0;
}

/* What the leader's timers say is due. */
static void apply_due(struct command *cmd)
{
    int64_t done = apply(cmd).value;
    sim.expired += cmd->kind == COMMAND_GROUP_EXPIRE && done > 0;
}

/* It lives, and joins, but does not ask for its assignment until the group has put it
 * out for that. Returns whether it still has to be. */
static bool dawdle(struct client *client)
{
    bool has_id = client->id[0] != '\0';

    if (client->doing != ASSIGNING && client->doing != SYNCING) {
        go_on(client);
        return true;
    }
    heartbeat(client);
    return !has_id || client->id[0] != '\0';
}

static void settle(void)
{
    int32_t before = sim.generation;

    sim.run.faults = false;
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &sim.clients[i];
        const struct group_member *m =
            group_find_member(the_group(), slice_str(client->id));
        client->alive = true;
        client->variant %= 3;
        /* Who was alone with another protocol keeps all others out until it goes. */
        if (m != NULL && group_member_metadata(m, SLICE_LITERAL("odd")).ptr != NULL)
            leave(client);
    }
    struct coordinator *coordinator = group_sim_coordinator(3000);
    int64_t now_ms = 1000000;
    bool dawdles = true;
    coordinator_begin(coordinator, sim.run.live.state, now_ms);
    forget_all(&sim.clients[CLIENTS - 1]); /* it has to join */
    for (sim.run.step = STEPS; sim.run.step < STEPS + ROUNDS && (dawdles || !settled());
         sim.run.step++) {
        now_ms += ROUND_MS;
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &sim.clients[i];
            client->alive = true;
            if (i == CLIENTS - 1 && dawdles)
                dawdles = dawdle(client);
            else
                go_on(client);
            coordinator_touch(coordinator, &sim.run.live.cluster_id, SLICE_LITERAL("g"),
                              slice_str(client->id), now_ms);
        }
        group_sim_run_timers(&sim.run, coordinator, now_ms, apply_due);
    }
    coordinator_free(coordinator);
    CHECK(!dawdles && settled());
    const struct told *told = &sim.told[the_group()->generation];
    CHECK(told->owned == (1u << PARTITIONS) - 1 || sim.generation == before);
}

static void run_seed(unsigned seed)
{
    uint64_t kept[] = {sim.rebalances, sim.replaced, sim.expired,
                       sim.refused,    sim.worked,   sim.commits};

    memset(&sim, 0, sizeof(sim));
    sim.rebalances = kept[0];
    sim.replaced = kept[1];
    sim.expired = kept[2];
    sim.refused = kept[3];
    sim.worked = kept[4];
    sim.commits = kept[5];
    group_sim_begin(&sim.run, seed);
    driver_topic(&sim.run.live, 1, PARTITIONS);
    for (int i = 0; i < CLIENTS; i++) {
        sim.clients[i].alive = true;
        if (i < STATICS)
            snprintf(sim.clients[i].instance, sizeof(sim.clients[i].instance), "i%d", i);
    }
    for (sim.run.step = 0; sim.run.step < STEPS; sim.run.step++)
        step();
    settle();
    CHECK(group_sim_replays(&sim.run));
    group_sim_end(&sim.run);
    for (int i = 0; i < OLD; i++)
        mem_free(sim.old[i]);
}

static void run_seeds(unsigned first, unsigned count)
{
    memset(&sim, 0, sizeof(sim));
    for (unsigned seed = first; seed < first + count; seed++)
        run_seed(seed);
    printf("%u seeds: %llu generations, %llu assignments taken, %llu replacements, "
           "%llu expired, %llu refused, %llu commits\n",
           count, (unsigned long long)sim.rebalances, (unsigned long long)sim.worked,
           (unsigned long long)sim.replaced, (unsigned long long)sim.expired,
           (unsigned long long)sim.refused, (unsigned long long)sim.commits);
    /* A simulation that exercises nothing proves nothing. */
    ASSERT(sim.rebalances > 10 * count && sim.worked > 15 * count &&
           sim.replaced > count / 4 && sim.expired > 2 * count && sim.refused > count &&
           sim.commits > 2 * count);
}

/* A hundred seeds hold to the rules, and settle. */
static void test_seeds(void **state)
{
    (void)state;
    run_seeds(1, 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds)};
    unsigned first, count;

    if (group_sim_args(argc, argv, &first, &count)) {
        run_seeds(first, count);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
