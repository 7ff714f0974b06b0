/* cell_load.c - the clients: idempotent producers that commit objects, somebody who makes
 * and deletes topics, readers, and one who repeats what was acknowledged long ago.
 *
 * A client asks the node that it takes for the leader, goes on to another when that does
 * not answer, and repeats the same command until it is acknowledged, as an agent does.
 * Checked here: a commit has one answer, however often it is asked for (I5); a producer
 * never finds a gap in its own sequence; a read shows everything that was acknowledged
 * before it was begun, and watermarks never go back (I4). */
#include <string.h>

#include "common/check.h"
#include "common/cursor.h"
#include "common/err.h"
#include "common/mem.h"
#include "proto/commit.h"
#include "tests/sim/cell.h"

#define PRODUCERS   4
#define CLIENTS     (PRODUCERS + 6)
#define REPEATABLE  256
#define TOPICS_LIVE 6
#define RUNS_MAX    6

enum client_kind { PRODUCER, TOPIC_MAKER, REPEATER, READER, ROAMER };

struct client {
    unsigned number;
    enum client_kind kind;
    unsigned target;          /* node */
    struct op *op;            /* under way */
    int64_t done_begun_at_ms; /* of the last one that was done */
    int32_t sequence[CELL_TOPICS][CELL_PARTITIONS];
};

struct topic_known {
    bool made, deleting, deleted;
    int32_t partitions;
    int64_t floor[CELL_PARTITIONS]; /* some client knows of so many records */
};

/* A request or an answer under way. */
struct travel {
    struct op *op;
    unsigned attempt, node;
    struct answer answer;
    struct str result; /* the answer borrows it */
};

static struct {
    struct client clients[CLIENTS];
    struct topic_known topics[CELL_TOPICS];
    uint32_t topic_count;
    struct op *repeatable[REPEATABLE]; /* acknowledged commits */
    uint32_t repeatable_count, next_object;
    int64_t quiet_until_ms;
    bool stopped;
} load;

static const struct uuid *cluster_id(void)
{
    static struct uuid id;
    id = test_uuid(1, 1);
    return &id;
}

static void begin(struct client *client);

/* ---- requests and answers under way ---- */

static void send_op(struct op *op);

static struct travel *travel_new(struct op *op, unsigned attempt, unsigned node)
{
    struct travel *travel = mem_zalloc(sizeof(*travel));
    travel->op = op;
    travel->attempt = attempt;
    travel->node = node;
    str_init(&travel->result, 64 * MIB);
    return travel;
}

static void request_arrives(void *arg)
{
    struct travel *travel = arg;
    cell_node_request(travel->node, travel->op, travel->attempt);
    mem_free(travel);
}

static void no_answer(void *arg)
{
    struct travel *travel = arg;
    struct op *op = travel->op;

    if (!op->done && op->attempt == travel->attempt) {
        op->client->target = (unsigned)cell_between(1, cell.last_node);
        send_op(op);
    }
    mem_free(travel);
}

static void begin_later(void *arg)
{
    begin(arg);
}

static void send_op(struct op *op)
{
    struct client *client = op->client;

    if (op->kind == OP_READ && op->attempt > 0) {
        /* Another read: it must show what was acknowledged by now. */
        op->done = true;
        client->op = NULL;
        begin(client);
        return;
    }
    op->attempt++;
    if (!cell_chance(1))
        vtime_after(&cell.time, cell_between(1, cell_chance(5) ? 200 : 5),
                    request_arrives, travel_new(op, op->attempt, client->target));
    vtime_after(&cell.time, cell_between(400, 1500), no_answer,
                travel_new(op, op->attempt, 0));
}

/* ---- what answers must be ---- */

static bool is_exception(const struct commit_result *result, uint32_t run)
{
    for (uint32_t i = 0; i < result->exception_count; i++) {
        if (result->exceptions[i].run == run)
            return true;
    }
    return false;
}

/* The offsets that an acknowledged commit has taken are known from now on. */
static void learn_commit(struct op *op)
{
    const struct commit *commit = &op->commit.commit;
    struct commit_result result;
    struct commit_walk walk;
    struct reader r, offsets;
    struct arena arena;
    int64_t offset = 0;

    arena_init(&arena, 16 * MIB);
    reader_init(&r, str_slice(&op->answer));
    int rc = commit_result_read(&r, &arena, &result);
    CELL_CHECK(rc == 0 && result.code == 0, "a commit is refused: code %d",
               rc != 0 ? rc : result.code);
    for (uint32_t i = 0; i < result.exception_count; i++) {
        int16_t error = result.exceptions[i].kafka_error;
        CELL_CHECK(error == STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION ||
                       error == STATE_KAFKA_UNKNOWN_TOPIC_ID,
                   "producer %u gets error %d for a batch that follows its last",
                   op->client->number, error);
    }
    reader_init(&offsets, result.base_offset);
    commit_walk_init(&walk, commit);
    while (commit_walk_next_run(&walk)) {
        int64_t base = packed_get_delta(&offsets, &offset);
        uint32_t topic = be32_get(commit->topics[walk.topic].bytes + 12) - 1;
        uint32_t records = 0;
        while (commit_walk_next_batch(&walk))
            records += walk.records;
        if (is_exception(&result, walk.run))
            continue; /* its topic was deleted meanwhile */
        int64_t *floor = &load.topics[topic].floor[walk.partition];
        *floor = MAX(*floor, base + records);
        op->client->sequence[topic][walk.partition] += (int32_t)records;
    }
    ASSERT(!walk.failed && !offsets.failed);
    arena_fini(&arena);
}

/* Returns whether OP was acknowledged by this. */
static bool take_commit(struct op *op, const struct answer *answer)
{
    if (op->answered) {
        cell.counts.repeats++;
        CELL_CHECK(slice_eq(str_slice(&op->answer), answer->result),
                   "a commit that is repeated gets another answer (entry %llu)",
                   (unsigned long long)answer->index);
        return false;
    }
    op->answered = true;
    str_append_slice(&op->answer, answer->result);
    learn_commit(op);
    cell.counts.commits++;
    load.repeatable[load.repeatable_count++ % REPEATABLE] = op;
    return true;
}

static void start_clients(void);

static void take_topic(struct op *op, const struct answer *answer)
{
    struct command_result result;
    struct topic_known *topic = &load.topics[op->topic];
    int rc = command_result_read(answer->result, &result);

    CELL_CHECK(rc == 0 && (result.code == 0 ||
                           (op->kind == OP_CLUSTER && result.code == ERR_EXISTS)),
               "topic %u: code %d", op->topic, rc != 0 ? rc : result.code);
    switch (op->kind) {
    case OP_CLUSTER:
        if (!op->done)
            start_clients();
        return;
    case OP_TOPIC_CREATE:
        CELL_CHECK(result.kafka_error == 0 ||
                       result.kafka_error == STATE_KAFKA_TOPIC_ALREADY_EXISTS,
                   "topic %u: create says %d", op->topic, result.kafka_error);
        topic->made = true;
        break;
    case OP_TOPIC_DELETE:
        topic->deleted = true;
        break;
    default:
        break;
    }
    cell.counts.topics++;
}

static void take_read(struct op *op, const struct answer *answer)
{
    struct topic_known *topic = &load.topics[op->topic];

    CELL_CHECK(answer->index >= op->floor_index,
               "a read begun at %lld ms shows the state of entry %llu; %llu was "
               "acknowledged before",
               (long long)op->begun_at_ms, (unsigned long long)answer->index,
               (unsigned long long)op->floor_index);
    CELL_CHECK(!answer->found || !op->floor_deleted,
               "a read shows topic %u, which was deleted before", op->topic);
    CELL_CHECK(answer->found || topic->deleting, "a read does not find topic %u",
               op->topic);
    CELL_CHECK(!answer->found || answer->offset >= op->floor_offset,
               "a read shows watermark %lld of topic %u partition %d, %lld was there "
               "before",
               (long long)answer->offset, op->topic, op->partition,
               (long long)op->floor_offset);
    if (answer->found)
        topic->floor[op->partition] = MAX(topic->floor[op->partition], answer->offset);
    cell.counts.reads++;
}

/* ---- answers ---- */

static void end_op(struct op *op)
{
    struct client *client = op->client;

    op->done = true;
    if (client->op != op)
        return; /* a repeat */
    client->op = NULL;
    client->done_begun_at_ms = op->begun_at_ms;
    vtime_after(&cell.time, cell_between(1, 60), begin_later, client);
}

static void success(struct op *op, const struct answer *answer)
{
    bool first = !op->done;

    check_acked(answer->index);
    if (op->kind == OP_COMMIT)
        (void)take_commit(op, answer);
    else if (op->kind == OP_READ)
        take_read(op, answer);
    else
        take_topic(op, answer);
    if (first)
        end_op(op);
}

static void send_again(void *arg)
{
    struct travel *travel = arg;
    if (!travel->op->done && travel->op->attempt == travel->attempt)
        send_op(travel->op);
    mem_free(travel);
}

static void answer_arrives(void *arg)
{
    struct travel *travel = arg;
    struct op *op = travel->op;
    struct answer *answer = &travel->answer;

    answer->result = str_slice(&travel->result);
    if (answer->code == 0) {
        success(op, answer);
    } else if (!op->done && op->attempt == travel->attempt) {
        op->client->target = answer->leader != 0
                                 ? answer->leader
                                 : (unsigned)cell_between(1, cell.last_node);
        vtime_after(&cell.time, cell_between(5, 50), send_again,
                    travel_new(op, op->attempt, 0));
    }
    str_fini(&travel->result);
    mem_free(travel);
}

void load_answer(struct op *op, unsigned attempt, unsigned node,
                 const struct answer *answer)
{
    struct travel *travel = travel_new(op, attempt, node);

    if (answer->code != 0 && op->kind == OP_READ)
        cell.counts.refused_reads++;
    travel->answer = *answer;
    str_append_slice(&travel->result, answer->result);
    if (cell_chance(2)) {
        str_fini(&travel->result);
        mem_free(travel); /* lost: the client asks again */
        return;
    }
    vtime_after(&cell.time, cell_between(1, cell_chance(5) ? 300 : 5), answer_arrives,
                travel);
}

/* ---- what clients do ---- */

static struct op *op_new(struct client *client, enum op_kind kind)
{
    struct op *op = mem_zalloc(sizeof(*op));
    op->client = client;
    op->kind = kind;
    op->begun_at_ms = cell.time.now_ms;
    op->cmd.cluster_id = *cluster_id();
    str_init(&op->payload, MIB);
    str_init(&op->answer, MIB);
    return op;
}

/* A topic that commits may go to, or -1; ascending from AFTER on. */
static int64_t pick_topic(int64_t after)
{
    uint32_t live[CELL_TOPICS], count = 0;

    for (uint32_t i = (uint32_t)(after + 1); i < load.topic_count; i++) {
        if (load.topics[i].made && !load.topics[i].deleting)
            live[count++] = i;
    }
    return count == 0 ? -1 : (int64_t)live[vtime_random(&cell.time, count)];
}

static struct op *new_commit(struct client *client)
{
    struct test_batch batches[RUNS_MAX * 2];
    struct uuid topics[2];
    struct uuid object_id = test_uuid(9, load.next_object++);
    int64_t topic = -1;
    uint32_t topic_count = 0;
    size_t n = 0;

    for (int t = 0; t < 2; t++) {
        int64_t next = pick_topic(topic);
        if (next < 0 || (t > 0 && cell_chance(50)))
            break;
        topic = next;
        topics[topic_count] = test_uuid(2, (uint32_t)topic);
        int32_t partitions = load.topics[topic].partitions;
        int32_t p = (int32_t)cell_between(0, partitions - 1);
        for (; p < partitions && n + 2 < RUNS_MAX * 2; p += (int32_t)cell_between(1, 3)) {
            int32_t sequence = client->sequence[topic][p];
            for (int64_t b = cell_between(1, 2); b > 0; b--) {
                uint32_t records = (uint32_t)cell_between(1, 9);
                batches[n++] = (struct test_batch){.topic = topic_count,
                                                   .partition = p,
                                                   .records = records,
                                                   .producer_id = 100 + client->number,
                                                   .sequence = sequence,
                                                   .max_timestamp = cell.time.now_ms};
                sequence += (int32_t)records;
            }
        }
        topic_count++;
    }
    if (n == 0)
        return NULL;
    struct op *op = op_new(client, OP_COMMIT);
    test_commit_init(&op->commit, &object_id, cell.time.now_ms, topics, topic_count,
                     batches, n);
    driver_commit_command(&op->commit.commit, &op->payload, &op->cmd);
    return op;
}

static struct op *new_topic_op(struct client *client)
{
    int64_t old = pick_topic(-1);
    uint32_t live = 0;

    for (uint32_t i = 0; i < load.topic_count; i++)
        live += load.topics[i].made && !load.topics[i].deleting;
    if (old >= 0 && live >= 2 && (live >= TOPICS_LIVE || cell_chance(30))) {
        struct op *op = op_new(client, OP_TOPIC_DELETE);
        op->topic = (uint32_t)old;
        load.topics[old].deleting = true;
        op->cmd.kind = COMMAND_TOPIC_DELETE;
        op->cmd.topic_delete.topic_id = test_uuid(2, op->topic);
        return op;
    }
    if (load.topic_count == CELL_TOPICS)
        return NULL;
    struct op *op = op_new(client, OP_TOPIC_CREATE);
    op->topic = load.topic_count++;
    load.topics[op->topic].partitions = (int32_t)cell_between(1, CELL_PARTITIONS);
    str_printf(&op->payload, "topic-%u", op->topic);
    op->cmd.kind = COMMAND_TOPIC_CREATE;
    op->cmd.topic_create.topic_id = test_uuid(2, op->topic);
    op->cmd.topic_create.name = str_slice(&op->payload);
    op->cmd.topic_create.partitions = load.topics[op->topic].partitions;
    op->cmd.topic_create.replication_factor = 3;
    op->cmd.topic_create.topics_max = 1000;
    op->cmd.topic_create.partitions_max = 100000;
    return op;
}

static struct op *new_read(struct client *client)
{
    uint32_t known[CELL_TOPICS], count = 0;

    for (uint32_t i = 0; i < load.topic_count; i++) {
        if (load.topics[i].made)
            known[count++] = i;
    }
    if (count == 0)
        return NULL;
    struct op *op = op_new(client, OP_READ);
    op->topic = known[vtime_random(&cell.time, count)];
    struct topic_known *topic = &load.topics[op->topic];
    op->partition = (int32_t)cell_between(0, topic->partitions - 1);
    op->floor_index = check_acked_index();
    op->floor_offset = topic->floor[op->partition];
    op->floor_deleted = topic->deleted;
    if (client->kind == ROAMER) /* also those that are no leader, or were one */
        client->target = (unsigned)cell_between(1, cell.last_node);
    return op;
}

/* Somebody asks again for what was acknowledged, perhaps long ago. */
static void repeat(struct client *client)
{
    uint32_t count = MIN(load.repeatable_count, (uint32_t)REPEATABLE);

    if (count > 0) {
        struct op *op = load.repeatable[vtime_random(&cell.time, count)];
        vtime_after(&cell.time, cell_between(1, 20), request_arrives,
                    travel_new(op, 0, op->client->target));
    }
    client->done_begun_at_ms = cell.time.now_ms;
    vtime_after(&cell.time, cell_between(50, 300), begin_later, client);
}

static void begin(struct client *client)
{
    struct op *op = NULL;

    if (load.stopped)
        return;
    if (cell.time.now_ms < load.quiet_until_ms && client->kind <= REPEATER) {
        vtime_after(&cell.time, 20, begin_later, client);
        return;
    }
    switch (client->kind) {
    case PRODUCER:
        op = new_commit(client);
        break;
    case TOPIC_MAKER:
        op = load.topic_count < 3 || cell_chance(20) ? new_topic_op(client) : NULL;
        break;
    case READER:
    case ROAMER:
        op = new_read(client);
        break;
    case REPEATER:
        repeat(client);
        return;
    }
    if (op == NULL) {
        client->done_begun_at_ms = cell.time.now_ms;
        vtime_after(&cell.time, cell_between(20, 300), begin_later, client);
        return;
    }
    client->op = op;
    send_op(op);
}

/* ---- life ---- */

static void start_clients(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &load.clients[i];
        client->number = i;
        client->kind = i < PRODUCERS        ? PRODUCER
                       : i == PRODUCERS     ? TOPIC_MAKER
                       : i == PRODUCERS + 1 ? REPEATER
                       : i < CLIENTS - 2    ? READER
                                            : ROAMER;
        client->target = 1;
        if (i > 0) /* the first goes on by itself */
            vtime_after(&cell.time, cell_between(1, 100), begin_later, client);
    }
}

void load_start(void)
{
    struct op *op = op_new(&load.clients[0], OP_CLUSTER);

    op->cmd.kind = COMMAND_CLUSTER_CREATE;
    op->cmd.cluster_create.name = slice_str("cluster");
    load.clients[0].target = 1;
    load.clients[0].op = op;
    send_op(op);
}

void load_quiet(int64_t for_ms)
{
    load.quiet_until_ms = cell.time.now_ms + for_ms;
}

void load_stop(void)
{
    load.stopped = true;
}

bool load_recovered(int64_t since_ms)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (load.clients[i].done_begun_at_ms < since_ms)
            return false;
    }
    return true;
}

bool load_idle(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (load.clients[i].op != NULL)
            return false;
    }
    return true;
}
