/* test_consumer_groups.c - a group of KIP-848 under random clients, from seeds.
 *
 * Clients of the consumer protocol, and classic ones among them, some static, join, read
 * other topics, commit, die, leave, come back; their requests and answers are lost, or
 * repeated by a second agent; what they have to give up they give up when they like;
 * sessions end, also of those that live, and of an epoch that is over. Topics are made,
 * grow and go. The commands and the functions that answer are the product's.
 *
 * Checked after each command: a naive walk over the members finds that no partition is
 * owned by two, and the same owners, states, counts and bytes; a heartbeat that is said
 * to change nothing does change nothing when it is applied. Checked with each answer:
 * among the clients that believe they are members, no partition is had by two; who
 * commits is a member, at its present epoch; a timer of an epoch before ends nobody. When
 * faults end, the leader's own timers (coordinator.c) put out who is gone, and who gives
 * nothing up in its time, and the group settles: everything that is read has one owner,
 * who reads it, and every client has what the coordinator thinks it has. Now and then,
 * and in the end, a restart from the last checkpoint and the log behind it gives the same
 * state (I7).
 *
 *   test_consumer_groups [FIRST_SEED [COUNT]]     a failing seed is named */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "controlplane/checkpoint.h"
#include "controlplane/coordinator.h"
#include "controlplane/group_classic.h"
#include "proto/consumer_protocol.h"
#include "tests/lib/consumer_clients.h"
#include "tests/lib/group_sim.h"

#define STEPS   1200
#define CLIENTS 9
#define STATICS 3 /* of them */
#define CLASSIC 2 /* the last ones */
#define TOPICS  5

#define REBALANCE_MS 60000
#define ROUNDS       60 /* after the faults, twice as many, of so long each */
#define ROUND_MS     3000

#define CHECK(cond) GROUP_SIM_CHECK(&sim.run, cond)

enum doing { JOINING, SYNCING, WORKING };

struct client {
    bool alive;
    bool lapsed;                /* its session ended, and it does not know */
    char instance[16];          /* "": dynamic */
    char id[16];                /* "": classic, and none yet */
    int32_t epoch;              /* 0: it has to join */
    enum doing doing;           /* classic */
    unsigned reads;             /* bit of each topic's number */
    bool regex;                 /* it says so by an expression */
    bool full;                  /* its next request says everything */
    struct partition_set owned; /* what it works on */
    struct partition_set told;  /* what it was told to have */
};

static struct {
    struct group_sim run;
    struct client clients[CLIENTS];
    int32_t partitions[TOPICS + 1]; /* of topics by number; 0: it is not there */
    struct db *db;
    char path[64];
    int64_t next_offset;
    uint64_t answers, moves, fenced, expired, replaced, restarts, quiet, classic_joins,
        commits, put_out;
} sim;

static uint32_t pick(uint32_t n)
{
    return group_sim_pick(&sim.run, n);
}

static bool lost(void)
{
    return sim.run.faults && pick(10) == 0;
}

static const struct cluster *the_cluster(void)
{
    return group_sim_cluster(&sim.run);
}

static const struct group *the_group(void)
{
    return consumer_group(&sim.run.live);
}

static bool is_classic(const struct client *client)
{
    return client >= &sim.clients[CLIENTS - CLASSIC];
}

/* ---- what always holds ---- */

static void check_owned(const struct group *group, const struct partition_set *set,
                        const struct group_member *member, struct partition_set *all)
{
    CHECK(!partition_set_overlaps(set, all));
    partition_set_merge(all, set);
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        for (uint32_t j = 0; j < topic->count; j++)
            CHECK(consumer_group_owner(group, &topic->topic_id, topic->partitions[j]) ==
                  member);
    }
}

static uint64_t bytes_of(const struct group_member *m)
{
    const struct consumer_member *c = m->consumer;
    return METADATA_MEMBER_BYTES + m->member_id.len + m->instance_id.len +
           m->client_id.len + m->client_host.len + m->protocols.len + m->assignment.len +
           c->names.len + c->regex.len + c->rack.len + c->assignor.len +
           METADATA_ASSIGNED_BYTES * partition_set_count(&c->target);
}

static void check_group(void)
{
    const struct group *group = the_group();
    struct partition_set owned = {0}, targets = {0};
    uint64_t bytes;
    uint32_t classic = 0, members = 0;

    if (group == NULL)
        return;
    CHECK(group->kind == GROUP_CONSUMER);
    bytes = METADATA_GROUP_BYTES + group->group_id.len + group_sim_offset_bytes(group);
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        const struct consumer_member *c = m->consumer;
        members++;
        classic += c->classic;
        bytes += bytes_of(m);
        check_owned(group, &c->assigned, m, &owned);
        check_owned(group, &c->revoking, m, &owned);
        CHECK(!partition_set_overlaps(&c->target, &targets));
        partition_set_merge(&targets, &c->target);
        CHECK(c->epoch <= group->consumer->assignment_epoch);
        CHECK((c->state == CONSUMER_UNREVOKED) == (c->revoking.topic_count > 0));
        CHECK(c->classic == (m->protocol_count > 0));
        if (c->state == CONSUMER_STABLE && c->epoch == group->consumer->assignment_epoch)
            CHECK(partition_set_equal(&c->assigned, &c->target));
    }
    CHECK(classic == group->consumer->classic_count);
    CHECK(members == group->member_count);
    CHECK(group->consumer->assignment_epoch <= group->generation);
    CHECK(bytes == the_cluster()->group_bytes);
    partition_set_fini(&owned);
    partition_set_fini(&targets);
}

/* Among those that believe they are members nothing is had twice. */
static void check_clients(void)
{
    struct partition_set all = {0};

    for (int i = 0; i < CLIENTS; i++) {
        const struct client *client = &sim.clients[i];
        if (!client->alive || client->lapsed)
            continue;
        CHECK(!partition_set_overlaps(&client->owned, &all));
        partition_set_merge(&all, &client->owned);
    }
    partition_set_fini(&all);
}

/* ---- what clients make of answers ---- */

static void forget(struct client *client)
{
    partition_set_fini(&client->owned);
    partition_set_fini(&client->told);
    client->epoch = 0;
    client->doing = JOINING;
    client->lapsed = false;
    client->full = true;
}

/* What is new is had at once; what has to go, goes when the client likes. */
static void take_told(struct client *client, const char *text)
{
    struct partition_set told;

    set_parse(text, &told);
    partition_set_merge(&client->owned, &told);
    partition_set_move(&client->told, &told);
    sim.moves++;
    check_clients();
}

static void give_up(struct client *client)
{
    struct partition_set kept = {0};
    partition_set_intersect(&kept, &client->owned, &client->told);
    partition_set_move(&client->owned, &kept);
}

/* CLIENT says how far it has read in one of the partitions that it works on. Returns
 * Kafka's error. */
static int16_t commit(const struct client *client)
{
    uint32_t t = 1 + pick(TOPICS);
    struct uuid id = test_uuid(2, t);
    const struct partition_topic *had = partition_set_topic(&client->owned, &id);

    if (had == NULL)
        return 0;
    int16_t error =
        group_sim_commit(&sim.run, client->epoch, client->id, NULL, t,
                         had->partitions[pick(had->count)], ++sim.next_offset);
    check_group();
    if (error == 0) {
        const struct group_member *m =
            group_find_member(the_group(), slice_str(client->id));
        CHECK(m != NULL && m->consumer->epoch == client->epoch);
        sim.commits++;
    }
    return error;
}

/* ---- clients of the consumer protocol ---- */

static void subscription(const struct client *client, char names[128], char regex[64])
{
    names[0] = regex[0] = '\0';
    for (unsigned t = 1; t <= TOPICS; t++) {
        if ((client->reads & (1u << t)) == 0)
            continue;
        (void)snprintf(names + strlen(names), 128 - strlen(names), "%stopic-%u",
                       names[0] == '\0' ? "" : ",", t);
        (void)snprintf(regex + strlen(regex), 64 - strlen(regex), "%s%u",
                       regex[0] == '\0' ? "topic-[" : "", t);
    }
    if (regex[0] != '\0')
        (void)snprintf(regex + strlen(regex), 64 - strlen(regex), "]");
}

/* Applying what need not be proposed changes nothing that anybody could see. */
static void check_quiet(struct beat *said)
{
    const struct group *group = the_group();
    const struct group_member *m = group_find_member(group, slice_str(said->member));
    struct partition_set assigned = {0}, revoking = {0}, target = {0};

    if (m == NULL || m->consumer == NULL)
        return;
    int32_t generation = group->generation, epoch = m->consumer->epoch;
    int32_t assignment_epoch = group->consumer->assignment_epoch;
    enum consumer_state state = m->consumer->state;
    partition_set_copy(&assigned, &m->consumer->assigned);
    partition_set_copy(&revoking, &m->consumer->revoking);
    partition_set_copy(&target, &m->consumer->target);
    said->force = true;
    struct beaten forced = beat(&sim.run.live, said);
    said->force = false;
    CHECK(forced.proposed);
    CHECK(generation == group->generation && epoch == m->consumer->epoch);
    CHECK(assignment_epoch == group->consumer->assignment_epoch);
    CHECK(state == m->consumer->state);
    CHECK(partition_set_equal(&assigned, &m->consumer->assigned));
    CHECK(partition_set_equal(&revoking, &m->consumer->revoking));
    CHECK(partition_set_equal(&target, &m->consumer->target));
    partition_set_fini(&assigned);
    partition_set_fini(&revoking);
    partition_set_fini(&target);
    sim.quiet++;
}

static void take_beaten(struct client *client, const struct beaten *beaten)
{
    if (beaten->error == 111) {
        /* Somebody of its instance is there still: it waits. */
        return;
    }
    if (beaten->error != 0) {
        sim.fenced++;
        forget(client);
        return;
    }
    sim.answers++;
    client->lapsed = false;
    client->full = false;
    client->epoch = beaten->epoch;
    if (beaten->has_assigned)
        take_told(client, beaten->assigned);
}

static void heartbeat(struct client *client)
{
    char names[128], regex[64];
    bool joins = client->epoch == 0, says_all = client->full || joins || pick(8) == 0;
    struct beat said = {.member = client->id,
                        .epoch = client->epoch,
                        .flags_off = CONSUMER_MAY_DOWNGRADE};

    if (joins)
        forget(client);
    subscription(client, names, regex);
    if (says_all) {
        said.names = client->regex ? "" : names;
        said.regex = client->regex ? regex : "";
        said.rebalance_ms = REBALANCE_MS;
    }
    if (client->instance[0] != '\0' && says_all)
        said.instance = client->instance;
    if (says_all || pick(2) == 0)
        said.owned = joins ? "" : set_text(&client->owned);
    if (pick(20) == 0 && says_all)
        said.assignor = pick(2) == 0 ? "range" : "uniform";
    client->full = true; /* until an answer comes */
    if (lost())
        return;
    struct beaten first = beat(&sim.run.live, &said);
    check_group();
    if (!first.proposed && pick(4) == 0)
        check_quiet(&said);
    if (sim.run.faults && pick(12) == 0) { /* the other agent had it, too */
        struct beaten second = beat(&sim.run.live, &said);
        check_group();
        if (pick(2) == 0)
            first = second;
    }
    if (!lost())
        take_beaten(client, &first);
}

/* ---- classic clients ---- */

static void classic_metadata(const struct client *client, struct str *out)
{
    struct consumer_protocol_subscription body = consumer_protocol_subscription_defaults;
    struct consumer_protocol_subscription_owned owned[TOPICS];
    char texts[TOPICS + 1][16];
    struct slice topics[TOPICS];

    body.topics = topics;
    body.owned_partitions = owned;
    for (unsigned t = 1; t <= TOPICS; t++) {
        struct uuid id = test_uuid(2, t);
        const struct partition_topic *had = partition_set_topic(&client->owned, &id);
        (void)snprintf(texts[t], sizeof(texts[t]), "topic-%u", t);
        if ((client->reads & (1u << t)) != 0)
            topics[body.topics_count++] = slice_str(texts[t]);
        if (had != NULL)
            owned[body.owned_partitions_count++] =
                (struct consumer_protocol_subscription_owned){
                    slice_str(texts[t]), had->partitions, had->count};
    }
    str_init(out, 65536);
    CHECK(consumer_protocol_write_subscription(1, &body, out) == 0);
}

static void classic_reset(struct client *client)
{
    forget(client);
    client->id[0] = '\0';
    sim.fenced++;
}

static void classic_join(struct client *client)
{
    struct command cmd = {.kind = COMMAND_GROUP_JOIN,
                          .cluster_id = sim.run.live.cluster_id};
    struct group_join_answer answer;
    char new_id[16];
    struct str metadata;

    if (client->id[0] == '\0')
        forget(client);
    classic_metadata(client, &metadata);
    struct join_protocol protocol = {SLICE_LITERAL("cooperative-sticky"),
                                     str_slice(&metadata)};
    (void)snprintf(new_id, sizeof(new_id), "k%u", ++sim.run.next_id);
    cmd.group_join.group_id = SLICE_LITERAL("g");
    cmd.group_join.member_id = slice_str(client->id);
    cmd.group_join.new_member_id = slice_str(new_id);
    cmd.group_join.instance_id =
        client->instance[0] == '\0' ? SLICE_NULL : slice_str(client->instance);
    cmd.group_join.client_id = SLICE_LITERAL("k");
    cmd.group_join.client_host = SLICE_LITERAL("/::2");
    cmd.group_join.session_ms = 10000;
    cmd.group_join.rebalance_ms = REBALANCE_MS;
    cmd.group_join.protocol_type = SLICE_LITERAL("consumer");
    cmd.group_join.protocols = &protocol;
    cmd.group_join.protocol_count = 1;
    cmd.group_join.limits = (struct group_limits){1000, 1000, 0, 6000, 1800000};
    struct command_result result = driver_apply(&sim.run.live, &cmd);
    str_fini(&metadata);
    check_group();
    if (lost())
        return;
    if (result.kafka_error != 0) {
        classic_reset(client);
        return;
    }
    sim.classic_joins++;
    (void)snprintf(client->id, sizeof(client->id), "%.*s", (int)result.data.len,
                   (const char *)result.data.ptr);
    CHECK(
        group_classic_poll_join(the_group(), slice_str(client->id), SLICE_NULL, &answer));
    CHECK(answer.error == 0);
    client->lapsed = false;
    client->epoch = answer.generation;
    client->doing = SYNCING;
}

static const char *classic_assignment(struct slice bytes)
{
    struct consumer_protocol_assignment body;
    struct partition_set set = {0};
    struct arena arena;

    arena_init(&arena, MIB);
    CHECK(consumer_protocol_read_assignment(bytes, &arena, &body) == 0);
    for (size_t i = 0; i < body.assigned_partitions_count; i++) {
        struct uuid id =
            test_uuid(2, (uint32_t)(body.assigned_partitions[i].topic.ptr[6] - '0'));
        for (size_t j = 0; j < body.assigned_partitions[i].partitions_count; j++)
            (void)partition_set_add(&set, &id, body.assigned_partitions[i].partitions[j]);
    }
    const char *text = set_text(&set);
    partition_set_fini(&set);
    arena_fini(&arena);
    return text;
}

static void classic_error(struct client *client, int16_t error)
{
    if (error == 27)
        client->doing = JOINING;
    else
        classic_reset(client);
}

static void classic_sync(struct client *client)
{
    struct command cmd = {.kind = COMMAND_GROUP_SYNC,
                          .cluster_id = sim.run.live.cluster_id};
    struct group_sync_answer answer;

    cmd.group_sync.group_id = SLICE_LITERAL("g");
    cmd.group_sync.member_id = slice_str(client->id);
    cmd.group_sync.generation = client->epoch;
    if (group_classic_sync_changes(the_group(), &cmd)) {
        int16_t error = driver_apply(&sim.run.live, &cmd).kafka_error;
        check_group();
        if (error != 0) {
            classic_error(client, error);
            return;
        }
    }
    CHECK(group_classic_poll_sync(the_group(), client->epoch, slice_str(client->id),
                                  SLICE_NULL, &answer));
    if (lost()) { /* it joins again, with what it has */
        client->doing = JOINING;
        return;
    }
    if (answer.error != 0) {
        classic_error(client, answer.error);
        return;
    }
    sim.answers++;
    take_told(client, classic_assignment(answer.assignment));
    client->doing = WORKING;
}

static void classic_beat(struct client *client)
{
    int16_t error = group_classic_heartbeat(the_group(), client->epoch,
                                            slice_str(client->id), SLICE_NULL);
    if (lost())
        return;
    if (error != 0)
        classic_error(client, error);
}

static void classic_step(struct client *client)
{
    switch (client->doing) {
    case JOINING:
        if (the_group() != NULL && the_group()->member_count > 0)
            classic_join(client);
        break;
    case SYNCING:
        classic_sync(client);
        break;
    case WORKING:
        if (!partition_set_covers(&client->told, &client->owned)) {
            if (sim.run.faults && pick(3) == 0)
                break;
            give_up(client);
            client->doing = JOINING; /* cooperative: to say so */
        } else if (pick(3) == 0) {
            int16_t error = commit(client);
            if (error != 0 && error != 3 && error != 100 && !lost())
                classic_error(client, error);
        } else {
            classic_beat(client);
        }
        break;
    }
}

/* ---- the steps ---- */

static void client_step(struct client *client)
{
    if (!client->alive) {
        if (pick(4) != 0)
            return;
        client->alive = true;
        forget(client);
        if (is_classic(client))
            client->id[0] = '\0';
        else
            (void)snprintf(client->id, sizeof(client->id), "c%u", ++sim.run.next_id);
    }
    if (is_classic(client)) {
        classic_step(client);
        return;
    }
    if (!sim.run.faults || pick(3) != 0)
        give_up(client);
    if (client->epoch > 0 && pick(4) == 0)
        (void)commit(client); /* should it be refused, the heartbeat says why */
    else
        heartbeat(client);
}

static void step_client(void)
{
    client_step(&sim.clients[pick(CLIENTS)]);
}

static void step_subscribe(void)
{
    struct client *client = &sim.clients[pick(CLIENTS)];
    client->reads = pick(1u << (TOPICS + 1)) | 2;
    client->regex = pick(3) == 0;
    client->full = true;
    if (is_classic(client) && client->doing == WORKING)
        client->doing = JOINING;
}

static void step_die(void)
{
    struct client *client = &sim.clients[pick(CLIENTS)];
    struct beat said = {.member = client->id, .epoch = -1};

    if (!client->alive || pick(3) != 0)
        return;
    client->alive = false;
    partition_set_fini(&client->owned);
    if (is_classic(client) || client->epoch == 0 || pick(2) == 0)
        return;
    if (client->instance[0] != '\0') { /* it will be back */
        said.instance = client->instance;
        said.epoch = -2;
        sim.replaced++;
    }
    if (!lost())
        (void)beat(&sim.run.live, &said);
    check_group();
}

/* A session, or a time to give something up, is over: of who died, or of anybody. */
static void step_expire(void)
{
    const struct group *group = the_group();
    const struct group_member *m = NULL;
    uint32_t n =
        group == NULL || group->member_count == 0 ? 0 : pick(group->member_count);
    char id[16];

    if (group == NULL || group->member_count == 0 || (sim.run.faults && pick(3) != 0))
        return;
    for (uint32_t i = 0; i <= n; i++)
        m = group_member_next(group, m);
    (void)snprintf(id, sizeof(id), "%.*s", (int)m->member_id.len,
                   (const char *)m->member_id.ptr);
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &sim.clients[i];
        if (!client->alive || strcmp(client->id, id) != 0)
            continue;
        if (!sim.run.faults || pick(4) != 0)
            return;
        client->lapsed = true;
    }
    if (pick(4) == 0) { /* a timer of the epoch before */
        expire_consumer(&sim.run.live, id, consumer_member_epoch(m) - 1);
        CHECK(group_find_member(the_group(), slice_str(id)) != NULL);
    }
    expire_consumer(&sim.run.live, id, consumer_member_epoch(m));
    sim.expired++;
    check_group();
}

/* A topic that is made again has another id; here it gets the same one, so nobody may
 * still have anything of the one before. */
static bool forgotten(uint32_t t)
{
    struct uuid id = test_uuid(2, t);

    for (int i = 0; i < CLIENTS; i++) {
        if (partition_set_topic(&sim.clients[i].owned, &id) != NULL)
            return false;
    }
    for (const struct group_member *m = NULL;
         (m = group_member_next(the_group(), m)) != NULL;) {
        if (partition_set_topic(&m->consumer->assigned, &id) != NULL ||
            partition_set_topic(&m->consumer->revoking, &id) != NULL)
            return false;
    }
    return true;
}

static void step_topic(void)
{
    uint32_t t = 1 + pick(TOPICS);

    if (pick(4) != 0 || (sim.partitions[t] == 0 && !forgotten(t)))
        return;
    if (sim.partitions[t] == 0) {
        sim.partitions[t] = 1 + (int32_t)pick(6);
        CHECK(driver_topic(&sim.run.live, t, sim.partitions[t]).kafka_error == 0);
    } else if (pick(3) > 0 && sim.partitions[t] < 30) {
        struct command cmd = {.kind = COMMAND_PARTITIONS_CREATE};
        sim.partitions[t] += 1 + (int32_t)pick(4);
        cmd.partitions_create.topic_id = test_uuid(2, t);
        cmd.partitions_create.total = sim.partitions[t];
        cmd.partitions_create.partitions_max = 100000;
        CHECK(driver_apply(&sim.run.live, &cmd).kafka_error == 0);
    } else if (t != 1) {
        sim.partitions[t] = 0;
        CHECK(driver_topic_delete(&sim.run.live, t).kafka_error == 0);
        while (state_purge_due(sim.run.live.state))
            (void)driver_purge(&sim.run.live, 100);
    }
}

/* ---- checkpoints and restarts ---- */

/* The state as of the database and, with REPLAY, the log behind it. */
static struct state *load(bool replay_log)
{
    struct state *state = state_new(NULL);
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;

    str_init(&bytes, 64 * MIB);
    if (checkpoint_load(state, sim.db, &meta, &bytes, &err) != 0) {
        printf("%s\n", err.text);
        CHECK(!"checkpoint_load");
    }
    str_fini(&bytes);
    if (replay_log)
        group_sim_replay(&sim.run, state);
    return state;
}

/* In steps, with heartbeats in between: it is the state of when it began all the same. */
static void step_checkpoint(void)
{
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5)};
    struct str delta;
    struct err err;
    bool done = false;

    if (pick(4) != 0)
        return;
    meta.position.index = sim.run.live.index;
    meta.position.configuration = SLICE_LITERAL("c");
    str_init(&delta, (size_t)1 << 30);
    uint64_t hash = state_hash(sim.run.live.state);
    checkpoint_begin(sim.run.live.state, &meta, &delta);
    for (int i = 0; i < 10 && !done; i++) {
        step_client();
        done = checkpoint_step(sim.run.live.state, 1);
    }
    while (!done)
        done = checkpoint_step(sim.run.live.state, 100);
    CHECK(db_apply(sim.db, str_slice(&delta), &err) == 0);
    str_fini(&delta);
    struct state *saved = load(false);
    CHECK(state_hash(saved) == hash);
    state_free(saved);
}

static void step_restart(void)
{
    if (sim.run.faults && pick(6) != 0)
        return;
    struct state *again = load(true);
    CHECK(state_hash(again) == state_hash(sim.run.live.state));
    state_free(sim.run.live.state);
    sim.run.live.state = again;
    sim.restarts++;
    check_group();
}

static void step(void)
{
    static void (*const others[])(void) = {step_subscribe, step_die,   step_die,
                                           step_expire,    step_topic, step_checkpoint,
                                           step_restart};
    if (pick(5) != 0)
        step_client();
    else
        others[pick(sizeof(others) / sizeof(others[0]))]();
}

/* ---- the end ---- */

static const struct client *client_of(const struct group_member *member)
{
    for (int i = 0; i < CLIENTS; i++) {
        if (sim.clients[i].alive && slice_eq_str(member->member_id, sim.clients[i].id))
            return &sim.clients[i];
    }
    return NULL;
}

static void check_settled(void)
{
    const struct group *group = the_group();
    struct partition_set all = {0};

    CHECK(group->state == GROUP_STABLE);
    CHECK(group->member_count == CLIENTS);
    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        const struct client *client = client_of(m);
        CHECK(client != NULL);
        CHECK(partition_set_equal(&client->owned, &m->consumer->assigned));
        partition_set_merge(&all, &client->owned);
    }
    for (uint32_t t = 1; t <= TOPICS; t++) {
        struct uuid id = test_uuid(2, t);
        bool read = false;
        for (int i = 0; i < CLIENTS; i++)
            read |= (sim.clients[i].reads & (1u << t)) != 0;
        for (int32_t p = 0; p < sim.partitions[t]; p++) {
            CHECK(partition_set_has(&all, &id, p) == read);
            if (read)
                CHECK((client_of(consumer_group_owner(group, &id, p))->reads &
                       (1u << t)) != 0);
        }
    }
    partition_set_fini(&all);
}

/* Whom a timer has put out does not know it until it asks. */
static void note_lapsed(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &sim.clients[i];
        if (group_find_member(the_group(), slice_str(client->id)) == NULL)
            client->lapsed = true;
    }
}

/* What the leader's timers say is due. */
static void apply_due(struct command *cmd)
{
    (void)driver_apply(&sim.run.live, cmd);
    check_group();
    note_lapsed();
}

/* It lives, and gives nothing up of what it has to: it is not waited for longer than it
 * said. *SINCE_MS: that it has had to, at its epoch; 0: it does not have to. */
static void cling(struct client *client, int64_t *since_ms, int64_t now_ms)
{
    const struct group_member *m;

    if (client->alive)
        heartbeat(client);
    else
        client_step(client);
    m = group_find_member(the_group(), slice_str(client->id));
    sim.put_out += *since_ms != 0 && (m == NULL || client->epoch == 0);
    if (m == NULL || m->consumer->state != CONSUMER_UNREVOKED)
        *since_ms = 0;
    else if (*since_ms == 0)
        *since_ms = now_ms;
    CHECK(*since_ms == 0 || now_ms - *since_ms <= REBALANCE_MS + 2 * ROUND_MS);
}

static void settle(void)
{
    struct coordinator *coordinator = group_sim_coordinator(0);
    int64_t now_ms = 1000000, since_ms = 0;

    sim.run.faults = false;
    coordinator_begin(coordinator, sim.run.live.state, now_ms);
    for (int round = 0; round < 2 * ROUNDS; round++) {
        now_ms += ROUND_MS;
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &sim.clients[i];
            if (i == STATICS && round < ROUNDS)
                cling(client, &since_ms, now_ms);
            else
                client_step(client);
            if (client->alive)
                coordinator_touch(coordinator, &sim.run.live.cluster_id,
                                  SLICE_LITERAL("g"), slice_str(client->id), now_ms);
        }
        group_sim_run_timers(&sim.run, coordinator, now_ms, apply_due);
        check_clients();
    }
    coordinator_free(coordinator);
    check_settled();
}

/* ---- a seed ---- */

static void begin(unsigned seed)
{
    struct err err;

    (void)snprintf(sim.path, sizeof(sim.path), "/tmp/weft-groups-%d.db", (int)getpid());
    (void)unlink(sim.path);
    CHECK(db_open(sim.path, &sim.db, &err) == 0);
    group_sim_begin(&sim.run, seed);
    for (uint32_t t = 1; t <= TOPICS; t++) {
        sim.partitions[t] = t % 2 == 0 ? 0 : 1 + (int32_t)pick(8);
        if (sim.partitions[t] > 0)
            driver_topic(&sim.run.live, t, sim.partitions[t]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        sim.clients[i].reads = 2 + 8 * pick(2);
        if (i < STATICS)
            (void)snprintf(sim.clients[i].instance, sizeof(sim.clients[i].instance),
                           "i%d", i);
    }
}

static void end(void)
{
    group_sim_end(&sim.run);
    db_close(sim.db);
    (void)unlink(sim.path);
    for (int i = 0; i < CLIENTS; i++) {
        partition_set_fini(&sim.clients[i].owned);
        partition_set_fini(&sim.clients[i].told);
    }
    memset(sim.clients, 0, sizeof(sim.clients));
}

static void run_seeds(unsigned first, unsigned count)
{
    memset(&sim, 0, sizeof(sim));
    for (unsigned seed = first; seed < first + count; seed++) {
        begin(seed);
        for (sim.run.step = 0; sim.run.step < STEPS; sim.run.step++)
            step();
        settle();
        step_restart();
        CHECK(group_sim_replays(&sim.run));
        end();
    }
    printf("%u seeds: %llu answers, %llu assignments, %llu fenced, %llu expired, %llu "
           "left for a while, %llu restarts, %llu quiet, %llu classic joins, "
           "%llu commits, %llu put out\n",
           count, (unsigned long long)sim.answers, (unsigned long long)sim.moves,
           (unsigned long long)sim.fenced, (unsigned long long)sim.expired,
           (unsigned long long)sim.replaced, (unsigned long long)sim.restarts,
           (unsigned long long)sim.quiet, (unsigned long long)sim.classic_joins,
           (unsigned long long)sim.commits, (unsigned long long)sim.put_out);
    /* A simulation that exercises nothing proves nothing. */
    ASSERT(sim.moves > 50 * count && sim.fenced > count && sim.expired > 2 * count &&
           sim.restarts > count && sim.quiet > count && sim.classic_joins > 2 * count &&
           sim.commits > 10 * count && sim.put_out >= count / 10);
}

/* Fifty seeds hold to the rules, and settle. */
static void test_seeds(void **state)
{
    (void)state;
    run_seeds(1, 50);
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
