/* test_state_replay.c - random commands against the state, from seeds.
 *
 * Checked after each step: offsets are dense (I4), a repeat gives the same answer (I5),
 * and every judgement of a producer's batch is that of a naive model of Kafka's rules.
 * Checked at random moments: a restart from the last checkpoint and the commands behind
 * it, and a replay from nothing, give the very same state (I7).
 *
 *   test_state_replay [FIRST_SEED [COUNT]]     a failing seed is named */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define STEPS      600
#define TOPICS     6
#define PARTITIONS 5
#define PRODUCERS  6
#define RUNS_MAX   12
#define REPEATS    64

#define CHECK(cond)                                                                      \
    ((cond) ? (void)0                                                                    \
            : (printf("seed %u step %d: %s\n", sim.seed, sim.step, #cond), exit(1)))

/* What Kafka remembers of a producer in a partition, kept without cleverness. */
struct model_producer {
    bool known;
    int16_t epoch;
    int64_t used_at_ms;
    int count;
    struct {
        int32_t first, last;
        int64_t offset, timestamp;
    } batches[5]; /* oldest first */
};

struct model_partition {
    int64_t next_offset;
    struct model_producer producers[PRODUCERS];
};

struct model_topic {
    bool exists;
    uint32_t id; /* number of its uuid: a topic made again has another */
    int32_t partitions;
    struct model_partition partition[PARTITIONS * 4];
};

struct repeat {
    uint8_t *payload;
    size_t len;
    uint8_t *result;
    size_t result_len;
};

static struct {
    unsigned seed, random;
    int step;
    struct driver live;
    struct slice *log; /* every command so far, from index 1 */
    size_t log_count, log_cap;
    struct db *db;
    char dir[64];
    uint32_t next_id;
    struct model_topic topics[TOPICS];
    struct repeat repeats[REPEATS];
    uint64_t commits, refused, duplicates, restarts;
} sim;

static uint32_t pick(uint32_t n)
{
    /* xorshift: the same everywhere */
    sim.random ^= sim.random << 13;
    sim.random ^= sim.random >> 17;
    sim.random ^= sim.random << 5;
    return sim.random % n;
}

static void remember(void *arg, struct slice command)
{
    (void)arg;
    if (sim.log_count == sim.log_cap) {
        sim.log_cap = sim.log_cap == 0 ? 1024 : sim.log_cap * 2;
        sim.log = mem_realloc(sim.log, sim.log_cap * sizeof(*sim.log));
    }
    sim.log[sim.log_count++] = slice_of(mem_dup(command.ptr, command.len), command.len);
}

/* ---- the model of sequences ---- */

static int32_t add_sequence(int32_t sequence, int64_t n)
{
    return (int32_t)(((int64_t)sequence + n) % ((int64_t)INT32_MAX + 1));
}

/* Kafka's ProducerAppendInfo, in the order of its checks; *DUPLICATE -1 or which. */
static int16_t model_judge(const struct model_producer *p, int16_t epoch, int32_t first,
                           int32_t last, int *duplicate)
{
    *duplicate = -1;
    if (!p->known)
        return 0;
    for (int i = 0; i < p->count && epoch == p->epoch; i++) {
        if (p->batches[i].first == first && p->batches[i].last == last) {
            *duplicate = i;
            return 0;
        }
    }
    if (epoch < p->epoch)
        return 47;
    if (epoch > p->epoch)
        return first == 0 ? 0 : 45;
    return first == add_sequence(p->batches[p->count - 1].last, 1) ? 0 : 45;
}

static void model_record(struct model_producer *p, int16_t epoch, int32_t first,
                         int32_t last, int64_t offset, int64_t timestamp)
{
    if (!p->known || p->epoch != epoch)
        p->count = 0;
    if (p->count == 5) {
        memmove(p->batches, p->batches + 1, 4 * sizeof(p->batches[0]));
        p->count = 4;
    }
    p->known = true;
    p->epoch = epoch;
    p->used_at_ms = sim.live.now_ms;
    p->batches[p->count].first = first;
    p->batches[p->count].last = last;
    p->batches[p->count].offset = offset;
    p->batches[p->count++].timestamp = timestamp;
}

/* ---- commits ---- */

/* A batch that a client might send: mostly the next, sometimes old, odd or renewed. */
static void choose_batch(const struct model_partition *partition,
                         struct test_batch *batch)
{
    batch->records = 1 + pick(5);
    batch->length = 61 + pick(1000);
    batch->max_timestamp = (int64_t)pick(1000000);
    batch->producer_id = -1;
    batch->sequence = -1;
    if (pick(4) == 0)
        return;
    batch->producer_id = pick(PRODUCERS);
    const struct model_producer *p = &partition->producers[batch->producer_id];
    batch->epoch = p->epoch;
    batch->sequence = p->known ? add_sequence(p->batches[p->count - 1].last, 1)
                               : (pick(2) ? 0 : INT32_MAX - (int32_t)pick(8));
    uint32_t how = pick(20);
    if (how < 3 && p->known) { /* a retry of one of the last */
        int i = (int)pick((uint32_t)p->count);
        batch->sequence = p->batches[i].first;
        batch->records = (uint32_t)(((int64_t)p->batches[i].last - p->batches[i].first +
                                     1 + ((int64_t)INT32_MAX + 1)) %
                                    ((int64_t)INT32_MAX + 1));
    } else if (how == 3) {
        batch->sequence = (int32_t)pick(30);
    } else if (how == 4) {
        batch->epoch++;
        batch->sequence = pick(3) == 0 ? 5 : 0;
    } else if (how == 5 && p->epoch > 0) {
        batch->epoch--;
    }
}

struct expectation {
    struct commit_exception exceptions[RUNS_MAX * 4];
    uint32_t exception_count;
    int64_t base_offset[RUNS_MAX];
    uint32_t runs;
};

static void expect_exception(struct expectation *e, uint32_t run, int32_t batch,
                             int16_t error, int64_t offset, int64_t timestamp)
{
    e->exceptions[e->exception_count++] =
        (struct commit_exception){run, batch, error, offset, timestamp};
}

/* Judge BATCH in the model and append it there; E gets what the commit must answer. */
static void model_batch(struct expectation *e, struct model_partition *partition,
                        uint32_t run, int32_t number, const struct test_batch *batch)
{
    int duplicate = -1;
    int16_t error = 0;
    int32_t last = 0;
    struct model_producer *p = NULL;

    if (batch->producer_id >= 0) {
        p = &partition->producers[batch->producer_id];
        last = add_sequence(batch->sequence, (int64_t)batch->records - 1);
        error = model_judge(p, batch->epoch, batch->sequence, last, &duplicate);
    }
    if (error != 0) {
        expect_exception(e, run, number, error, -1, -1);
        sim.refused++;
        return;
    }
    if (duplicate >= 0) {
        expect_exception(e, run, number, 0, p->batches[duplicate].offset,
                         p->batches[duplicate].timestamp);
        sim.duplicates++;
        return;
    }
    if (e->base_offset[run] < 0)
        e->base_offset[run] = partition->next_offset;
    if (p != NULL)
        model_record(p, batch->epoch, batch->sequence, last, partition->next_offset,
                     batch->max_timestamp);
    partition->next_offset += batch->records;
}

static void check_result(const struct commit_result *r, const struct expectation *e)
{
    CHECK(r->code == 0);
    CHECK(r->exception_count == e->exception_count);
    for (uint32_t i = 0; i < e->exception_count; i++) {
        CHECK(r->exceptions[i].run == e->exceptions[i].run);
        CHECK(r->exceptions[i].batch == e->exceptions[i].batch);
        CHECK(r->exceptions[i].kafka_error == e->exceptions[i].kafka_error);
        CHECK(r->exceptions[i].base_offset == e->exceptions[i].base_offset);
        CHECK(r->exceptions[i].timestamp == e->exceptions[i].timestamp);
    }
    for (uint32_t i = 0; i < e->runs; i++)
        CHECK(result_offset(r, i) == e->base_offset[i]);
}

/* Keep the command for a later repeat. */
static void keep_repeat(struct slice command)
{
    struct repeat *repeat = &sim.repeats[pick(REPEATS)];
    mem_free(repeat->payload);
    mem_free(repeat->result);
    repeat->payload = mem_dup(command.ptr, command.len);
    repeat->len = command.len;
    repeat->result = mem_dup(sim.live.result.data, sim.live.result.len);
    repeat->result_len = sim.live.result.len;
}

static void step_commit(void)
{
    struct test_batch batches[RUNS_MAX * 3];
    struct uuid id = test_uuid(9, sim.next_id++), topics[TOPICS];
    struct expectation e = {.exception_count = 0};
    struct test_commit c;
    size_t n = 0;

    for (uint32_t t = 0; t < TOPICS; t++) {
        topics[t] = test_uuid(2, sim.topics[t].id);
        for (int32_t p = 0; p < PARTITIONS * 4 && e.runs < RUNS_MAX; p++) {
            struct model_topic *topic = &sim.topics[t];
            if (pick(8) != 0)
                continue;
            e.base_offset[e.runs] = -1;
            bool exists = topic->exists && p < topic->partitions;
            int32_t count = 1 + (int32_t)pick(3);
            for (int32_t i = 0; i < count; i++) {
                struct test_batch *batch = &batches[n++];
                *batch = (struct test_batch){.topic = t, .partition = p};
                choose_batch(&topic->partition[p], batch);
                if (exists)
                    model_batch(&e, &topic->partition[p], e.runs, i, batch);
            }
            if (!exists)
                expect_exception(&e, e.runs, -1, topic->exists ? 3 : 100, -1, -1);
            e.runs++;
        }
    }
    if (e.runs == 0)
        return;
    test_commit_init(&c, &id, sim.live.now_ms, topics, TOPICS, batches, n);
    struct commit_result r = driver_commit(&sim.live, &c.commit);
    check_result(&r, &e);
    keep_repeat(sim.log[sim.log_count - 1]);
    test_commit_fini(&c);
    sim.commits++;
}

/* I5: the same object again, perhaps long after. */
static void step_repeat(void)
{
    const struct repeat *repeat = &sim.repeats[pick(REPEATS)];
    if (repeat->payload == NULL)
        return;
    uint8_t *again = mem_dup(repeat->payload, repeat->len);
    be64_put(again + 2, (uint64_t)sim.live.now_ms); /* the new command's own time */
    remember(NULL, slice_of(again, repeat->len));
    str_reset(&sim.live.result);
    state_apply(sim.live.state, ++sim.live.index, slice_of(again, repeat->len),
                &sim.live.result);
    CHECK(slice_eq(str_slice(&sim.live.result),
                   slice_of(repeat->result, repeat->result_len)));
    mem_free(again);
}

/* ---- the other commands ---- */

static void step_topic(void)
{
    uint32_t t = pick(TOPICS);
    struct model_topic *topic = &sim.topics[t];

    if (!topic->exists) {
        memset(topic, 0, sizeof(*topic));
        topic->exists = true;
        topic->id = sim.next_id++;
        topic->partitions = 1 + (int32_t)pick(PARTITIONS);
        CHECK(driver_topic(&sim.live, topic->id, topic->partitions).kafka_error == 0);
        CHECK(driver_topic(&sim.live, topic->id, topic->partitions).kafka_error == 0);
    } else if (pick(3) == 0) {
        CHECK(driver_topic_delete(&sim.live, topic->id).kafka_error == 0);
        CHECK(driver_topic_delete(&sim.live, topic->id).kafka_error == 100);
        topic->exists = false;
        topic->id = sim.next_id++; /* an id that nothing has */
    } else {
        struct command cmd = {.kind = COMMAND_PARTITIONS_CREATE};
        cmd.partitions_create.topic_id = test_uuid(2, topic->id);
        cmd.partitions_create.total = 1 + (int32_t)pick(PARTITIONS * 4);
        cmd.partitions_create.partitions_max = 10000;
        int16_t want = cmd.partitions_create.total > topic->partitions ? 0 : 37;
        CHECK(driver_apply(&sim.live, &cmd).kafka_error == want);
        if (want == 0)
            topic->partitions = cmd.partitions_create.total;
    }
}

static void step_configs(void)
{
    static const char *const keys[] = {"retention.ms", "cleanup.policy", "x"};
    static const char *const values[] = {"1", "compact", "delete", "compact,delete", ""};
    struct model_topic *topic = &sim.topics[pick(TOPICS)];
    struct config_change changes[4];
    struct command cmd = {.kind = COMMAND_CONFIGS_ALTER};

    cmd.configs_alter.topic_id = test_uuid(2, topic->id);
    cmd.configs_alter.changes = changes;
    cmd.configs_alter.change_count = 1 + pick(4);
    for (uint32_t i = 0; i < cmd.configs_alter.change_count; i++) {
        changes[i].op = (enum config_op)pick(5);
        changes[i].key = slice_str(keys[pick(3)]);
        changes[i].value = slice_str(values[pick(5)]);
        if (changes[i].op == CONFIG_DELETE || changes[i].op == CONFIG_REPLACE_ALL)
            changes[i].value = SLICE_NULL;
        if (changes[i].op == CONFIG_REPLACE_ALL)
            changes[i].key = SLICE_NULL;
    }
    CHECK(driver_apply(&sim.live, &cmd).kafka_error == (topic->exists ? 0 : 100));
}

static void step_agent(void)
{
    struct command cmd = {.kind = COMMAND_AGENT_REGISTER};
    cmd.agent_register.agent_id = test_uuid(3, pick(5));
    cmd.agent_register.zone = slice_str(pick(2) ? "a" : "b");
    cmd.agent_register.port = (int32_t)pick(4);
    cmd.agent_register.state = AGENT_ACTIVE;
    cmd.agent_register.agents_max = 4;
    if (pick(3) == 0) {
        cmd = (struct command){.kind = COMMAND_AGENT_REMOVE};
        cmd.agent_remove.agent_id = test_uuid(3, pick(5));
    }
    (void)driver_apply(&sim.live, &cmd);
}

static void step_token(void)
{
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE};
    uint8_t number = (uint8_t)pick(20);

    cmd.cluster_id = sim.live.cluster_id;
    memset(cmd.token_create.hash, number, SHA256_LEN);
    cmd.token_create.token_id = test_uuid(4, number);
    cmd.token_create.token_kind = TOKEN_ENROL;
    cmd.token_create.expires_at_ms = sim.live.now_ms + pick(100000000);
    cmd.token_create.single_use = pick(2) == 0;
    if (pick(2) == 0) {
        cmd = (struct command){.kind = COMMAND_TOKEN_USE};
        memset(cmd.token_use.hash, number, SHA256_LEN);
        cmd.token_use.used_by = test_uuid(3, pick(5));
    }
    (void)driver_apply(&sim.live, &cmd);
}

static void step_expire(void)
{
    struct command cmd = {.kind = COMMAND_EXPIRE_PRODUCERS};
    int64_t before_ms = sim.live.now_ms - pick(300000);

    cmd.expire_producers.before_ms = before_ms;
    (void)driver_apply(&sim.live, &cmd);
    for (int t = 0; t < TOPICS; t++) {
        for (int p = 0; p < PARTITIONS * 4; p++) {
            for (int i = 0; i < PRODUCERS; i++) {
                struct model_producer *known = &sim.topics[t].partition[p].producers[i];
                if (known->known && known->used_at_ms < before_ms)
                    memset(known, 0, sizeof(*known));
            }
        }
    }
}

/* ---- checkpoints and restarts ---- */

static void step_checkpoint(void)
{
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5)};
    struct str delta;
    struct err err;

    meta.position.index = sim.live.index;
    meta.position.term = 3;
    meta.position.configuration = SLICE_LITERAL("raft's");
    str_init(&delta, (size_t)1 << 30);
    checkpoint_collect(sim.live.state, &meta, &delta);
    CHECK(checkpoint_pending(sim.live.state) == 0);
    if (db_apply(sim.db, str_slice(&delta), &err) != 0) {
        printf("%s\n", err.text);
        CHECK(!"db_apply");
    }
    str_fini(&delta);
}

/* The state as of the database and the log behind it. */
static struct state *load(struct db *db, uint64_t *from)
{
    struct state *state = state_new(NULL);
    struct checkpoint_meta meta;
    struct str bytes, result;
    struct err err;

    str_init(&bytes, MIB);
    str_init(&result, 64 * MIB);
    if (db != NULL && checkpoint_load(state, db, &meta, &bytes, &err) != 0) {
        printf("%s\n", err.text);
        CHECK(!"checkpoint_load");
    }
    *from = state_applied_index(state);
    for (size_t i = (size_t)*from; i < sim.log_count; i++) {
        str_reset(&result);
        state_apply(state, i + 1, sim.log[i], &result);
    }
    str_fini(&bytes);
    str_fini(&result);
    return state;
}

static void step_restart(void)
{
    uint64_t from;
    struct state *again = load(sim.db, &from);

    CHECK(state_hash(again) == state_hash(sim.live.state));
    sim.restarts++;
    /* Go on with the restarted one: nothing may depend on what it was before. Its
     * changes behind the checkpoint are marked as the live one's are. */
    state_free(sim.live.state);
    sim.live.state = again;
}

static void step(void)
{
    static void (*const others[])(void) = {step_topic,  step_configs,    step_agent,
                                           step_token,  step_expire,     step_repeat,
                                           step_repeat, step_checkpoint, step_restart};
    sim.live.now_ms += pick(20000);
    if (pick(3) != 0)
        step_commit();
    else
        others[pick(ARRAY_LEN(others))]();
}

static void run_seed(unsigned seed)
{
    char path[128];
    struct err err;
    uint64_t from;

    memset(&sim, 0, sizeof(sim));
    sim.seed = seed;
    sim.random = seed * 2654435761u + 1;
    for (int i = 0; i < 8; i++)
        (void)pick(2);
    temp_dir(sim.dir);
    snprintf(path, sizeof(path), "%s/state.db", sim.dir);
    CHECK(db_open(path, &sim.db, &err) == 0);
    driver_init(&sim.live, NULL);
    sim.live.on_command = remember;
    driver_cluster(&sim.live, 1);
    sim.next_id = 100;
    for (int i = 0; i < TOPICS; i++)
        step_topic();
    for (sim.step = 0; sim.step < STEPS; sim.step++)
        step();
    struct state *replayed = load(NULL, &from);
    CHECK(state_hash(replayed) == state_hash(sim.live.state));
    state_free(replayed);
    step_restart();

    driver_fini(&sim.live);
    db_close(sim.db);
    temp_dir_remove(sim.dir);
    for (int i = 0; i < REPEATS; i++) {
        mem_free(sim.repeats[i].payload);
        mem_free(sim.repeats[i].result);
    }
    for (size_t i = 0; i < sim.log_count; i++)
        mem_free((void *)(uintptr_t)sim.log[i].ptr);
    mem_free(sim.log);
}

static void run_seeds(unsigned first, unsigned count)
{
    uint64_t commits = 0, refused = 0, duplicates = 0, restarts = 0;

    for (unsigned seed = first; seed < first + count; seed++) {
        run_seed(seed);
        commits += sim.commits;
        refused += sim.refused;
        duplicates += sim.duplicates;
        restarts += sim.restarts;
    }
    printf("%u seeds: %llu commits, %llu refused and %llu duplicate batches, "
           "%llu restarts\n",
           count, (unsigned long long)commits, (unsigned long long)refused,
           (unsigned long long)duplicates, (unsigned long long)restarts);
    /* A simulation that exercises nothing proves nothing. */
    ASSERT(commits > count * 100 && refused > count && duplicates > count &&
           restarts > count);
}

/* Forty seeds agree with the model, before and after restarts. */
static void test_seeds(void **state)
{
    (void)state;
    run_seeds(1, 40);
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
