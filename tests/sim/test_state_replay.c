/* test_state_replay.c - random commands against the state, from seeds.
 *
 * Checked after each step: offsets are dense (I4), a repeat gives the same answer (I5),
 * and every judgement of a producer's batch is that of a naive model of Kafka's rules; so
 * are the usage of each hour, the audit log and what idempotency keys answer.
 * Checked at random moments: a restart from the last checkpoint and the commands behind
 * it, and a replay from nothing, give the very same state (I7); a checkpoint that was
 * copied in steps while commands went on is the state of the moment in which it began.
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
#include "tests/lib/admin_workload.h"
#include "tests/lib/cell_workload.h"
#include "tests/lib/group_workload.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/offset_workload.h"
#include "tests/lib/sequence_model.h"
#include "tests/lib/state_driver.h"

#define STEPS      600
#define TOPICS     6
#define PARTITIONS 5
#define PRODUCERS  6
#define RUNS_MAX   12
#define REPEATS    64
#define HOURS      4096
#define SOURCES    3
#define KEYS       5
#define AUDIT_MAX  12 /* entries of a cluster */
#define AUDITED    4096
#define AGE_MS     7200000 /* of audit entries and replies */
#define TENANTS    3

#define CHECK(cond)                                                                      \
    ((cond) ? (void)0                                                                    \
            : (printf("seed %u step %d: %s\n", sim.seed, sim.step, #cond), exit(1)))

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
    int64_t until_ms;
    uint8_t *result;
    size_t result_len;
};

/* An agent's counters: what it would count itself, and what counts of that. */
struct model_source {
    uint64_t incarnation, counter;
    uint64_t heard;    /* the last incarnation that reported */
    uint64_t reported; /* of this incarnation, the greatest */
};

struct model_key {
    bool known;
    uint8_t body;
    int64_t at_ms;
    uint8_t result[256];
    size_t len;
};

struct model_audit {
    bool live;
    uint32_t cluster, action;
    int64_t at_ms;
    int code;
};

/* Another cluster, which comes and goes. */
struct model_tenant {
    bool exists;
    uint32_t id, topic;
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
    /* usage */
    int64_t first_hour, metered_ms; /* 0: no partition yet */
    struct usage_hour hours[HOURS];
    struct model_source sources[SOURCES];
    uint64_t commit_bytes, commit_records, commit_batches;
    /* context */
    struct model_key keys[KEYS];
    struct model_audit audit[AUDITED]; /* entry i has id i + 1 */
    size_t audit_count;
    struct model_tenant tenants[TENANTS];
    struct offset_model offsets;
    struct cell_model cell;
    /* the checkpoint under way */
    bool collecting;
    struct str delta;
    uint64_t delta_hash;
    uint64_t commits, refused, duplicates, restarts, group_changes;
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
    batch->sequence = p->known ? model_sequence(p->batches[p->count - 1].last, 1)
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
        last = model_sequence(batch->sequence, (int64_t)batch->records - 1);
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
    sim.commit_bytes += batch->length;
    sim.commit_records += batch->records;
    sim.commit_batches++;
    if (p != NULL)
        model_record(p, batch->epoch, batch->sequence, last, partition->next_offset,
                     batch->max_timestamp, sim.live.now_ms);
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
    repeat->until_ms = sim.live.now_ms + 3600000 + 300000 + 3600000;
    repeat->result = mem_dup(sim.live.result.data, sim.live.result.len);
    repeat->result_len = sim.live.result.len;
}

static struct usage_hour *model_hour(int64_t at_ms)
{
    int64_t hour = at_ms / USAGE_HOUR_MS - sim.first_hour;
    CHECK(hour >= 0 && hour < HOURS);
    sim.hours[hour].start_ms = (sim.first_hour + hour) * USAGE_HOUR_MS;
    return &sim.hours[hour];
}

static void model_produced(void)
{
    struct usage_hour *hour = model_hour(sim.live.now_ms);
    hour->produced_bytes += sim.commit_bytes;
    hour->produced_records += sim.commit_records;
    hour->produced_batches += sim.commit_batches;
    hour->produced_objects += sim.commit_batches > 0;
}

static void step_commit(void)
{
    struct test_batch batches[RUNS_MAX * 3];
    struct uuid id = test_uuid(9, sim.next_id++), topics[TOPICS];
    struct expectation e = {.exception_count = 0};
    struct test_commit c;
    size_t n = 0;

    sim.commit_bytes = sim.commit_records = sim.commit_batches = 0;
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
    model_produced();
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
    if (sim.live.now_ms < repeat->until_ms) {
        CHECK(slice_eq(str_slice(&sim.live.result),
                       slice_of(repeat->result, repeat->result_len)));
    } else {
        struct commit_result result;
        struct reader r;
        reader_init(&r, str_slice(&sim.live.result));
        CHECK(commit_result_read(&r, &sim.live.arena, &result) == 0);
        CHECK(result.code == ERR_EXPIRED);
    }
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
    } else if (pick(8) == 0) {
        struct command cmd = {.kind = COMMAND_TOPIC_DELETE, .if_version = 1};
        cmd.topic_delete.topic_id = test_uuid(2, topic->id);
        CHECK(driver_apply(&sim.live, &cmd).code == ERR_STALE);
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

static void step_agent_alter(void)
{
    struct command cmd = {.kind = COMMAND_AGENT_ALTER};
    cmd.agent_alter.agent_id = test_uuid(3, pick(5));
    cmd.agent_alter.wanted = pick(2) ? AGENT_ACTIVE : AGENT_DRAINING;
    cmd.if_version = pick(3) == 0 ? 1 + pick(600) : 0;
    (void)driver_apply(&sim.live, &cmd);
}

/* ---- usage ---- */

/* The clock moves: the partitions that are there are there a while longer. */
static void advance(int64_t ms)
{
    int64_t at_ms = sim.live.now_ms, now_ms = at_ms + ms;
    uint64_t partitions = 0;

    for (int t = 0; t < TOPICS; t++)
        partitions += sim.topics[t].exists ? (uint64_t)sim.topics[t].partitions : 0;
    while (at_ms < now_ms) {
        int64_t end_ms = MIN(at_ms - at_ms % USAGE_HOUR_MS + USAGE_HOUR_MS, now_ms);
        model_hour(at_ms)->partition_ms += partitions * (uint64_t)(end_ms - at_ms);
        at_ms = end_ms;
    }
    sim.live.now_ms = now_ms;
}

/* A report of an agent: news, an old one again, or one of its former life. */
static void step_usage(void)
{
    struct command cmd = {.kind = COMMAND_USAGE_REPORT};
    uint32_t agent = pick(SOURCES);
    struct model_source *source = &sim.sources[agent];
    uint64_t incarnation = source->incarnation, counter;
    if (pick(10) == 0) {
        incarnation = ++source->incarnation;
        source->counter = source->reported = 0;
    }
    source->counter += pick(1000);
    counter = pick(3) == 0 ? pick((uint32_t)source->counter + 1) : source->counter;
    if (pick(8) == 0 && incarnation > 0 && source->heard == incarnation) {
        incarnation--; /* overtaken: counts no more */
        counter += 5000;
    } else if (counter > source->reported) {
        struct usage_hour *hour = model_hour(sim.live.now_ms);
        hour->fetched_bytes += 3 * (counter - source->reported);
        hour->fetched_records += counter - source->reported;
        hour->fetch_requests += counter - source->reported;
        hour->store.put += counter - source->reported;
        hour->store.read_bytes += 5 * (counter - source->reported);
        source->reported = counter;
    }
    source->heard = MAX(source->heard, incarnation);
    cmd.usage_report.agent_id = test_uuid(3, agent);
    cmd.usage_report.incarnation = incarnation;
    cmd.usage_report.counters.fetched_bytes = 3 * counter;
    cmd.usage_report.counters.fetched_records = counter;
    cmd.usage_report.counters.fetch_requests = counter;
    cmd.usage_report.counters.store.put = counter;
    cmd.usage_report.counters.store.read_bytes = 5 * counter;
    CHECK(driver_apply(&sim.live, &cmd).code == 0);
}

static void check_usage(void)
{
    static struct usage_hour hours[HOURS];
    const struct cluster *cluster = state_cluster(sim.live.state, &sim.live.cluster_id);
    size_t n = state_usage(cluster, 0, INT64_MAX, sim.live.now_ms, hours, HOURS);
    size_t at = 0;

    for (int i = 0; i < HOURS; i++) {
        const struct usage_hour *hour = &sim.hours[i];
        if (hour->produced_objects == 0 && hour->fetched_bytes == 0 &&
            hour->partition_ms == 0)
            continue;
        CHECK(at < n && memcmp(&hours[at], hour, sizeof(*hour)) == 0);
        at++;
    }
    CHECK(at == n);
}

/* ---- context: keys and audit ---- */

static const char *const actions[] = {"user.put", "user.remove", "topic.create"};

/* Drop what is too old, and what is too much in CLUSTER's log, as if by hand. */
static void model_trim(uint32_t cluster)
{
    int aged = 0, over = 0;

    for (size_t i = 0; i < sim.audit_count && aged < 16; i++) {
        if (sim.audit[i].live && sim.live.now_ms - sim.audit[i].at_ms > AGE_MS) {
            sim.audit[i].live = false;
            aged++;
        }
    }
    for (;;) {
        size_t count = 0, oldest = 0;
        for (size_t i = sim.audit_count; i-- > 0;) {
            if (sim.audit[i].live && sim.audit[i].cluster == cluster) {
                count++;
                oldest = i;
            }
        }
        if (count < AUDIT_MAX || over++ == 16)
            break;
        sim.audit[oldest].live = false;
    }
}

/* Apply CMD with a context, and without a repeat of a key note it in the model. */
static struct command_result apply_audited(struct command *cmd, uint32_t cluster,
                                           uint32_t action,
                                           struct command_context *context, bool repeat)
{
    context->action = slice_str(actions[action]);
    context->actor_name = SLICE_LITERAL("someone");
    context->audit_max = AUDIT_MAX;
    context->audit_age_ms = context->replies_age_ms = AGE_MS;
    cmd->context = context;
    struct command_result result = driver_apply(&sim.live, cmd);
    if (!repeat) {
        model_trim(cluster);
        CHECK(sim.audit_count < AUDITED);
        sim.audit[sim.audit_count++] =
            (struct model_audit){true, cluster, action, sim.live.now_ms, result.code};
    }
    return result;
}

static void step_user(void)
{
    struct command_context context = {.actor_kind = ACTOR_USER};
    struct command cmd = {.kind = COMMAND_USER_PUT, .cluster_id = sim.live.cluster_id};
    uint32_t key = pick(KEYS), action = 0;
    struct model_key *known = &sim.keys[key];
    uint8_t body = (uint8_t)pick(3);

    cmd.user_put.user_id = test_uuid(6, pick(4));
    cmd.user_put.name = pick(2) ? SLICE_LITERAL("ann") : SLICE_LITERAL("bob");
    cmd.user_put.role = pick(5) == 0 ? ROLE_OPERATOR : ROLE_ADMIN;
    if (pick(4) == 0) {
        struct uuid id = cmd.user_put.user_id;
        cmd = (struct command){.kind = COMMAND_USER_REMOVE,
                               .cluster_id = sim.live.cluster_id};
        cmd.user_remove.user_id = id;
        action = 1;
    }
    context.idempotency_key[0] = (uint8_t)(key + 1);
    context.body_hash[0] = body;
    bool repeat = known->known && sim.live.now_ms - known->at_ms <= AGE_MS;
    struct command_result result = apply_audited(&cmd, 0, action, &context, repeat);
    if (!repeat) {
        known->known = true;
        known->body = body;
        known->at_ms = sim.live.now_ms;
        known->len = sim.live.result.len;
        CHECK(known->len <= sizeof(known->result));
        memcpy(known->result, sim.live.result.data, known->len);
    } else if (known->body == body) {
        CHECK(slice_eq(str_slice(&sim.live.result), slice_of(known->result, known->len)));
    } else {
        CHECK(result.code == ERR_CONFLICT && result.value == COMMAND_KEY_REUSED);
    }
}

/* All entries that match are read, page by page, in both directions. */
static void check_audit(void)
{
    uint32_t cluster = pick(TENANTS + 2); /* the last: all of them */
    uint32_t action = pick(ARRAY_LEN(actions) + 1);
    struct uuid id = cluster == 0 ? sim.live.cluster_id
                                  : test_uuid(1, sim.tenants[(cluster - 1) % TENANTS].id);
    struct audit_query query = {.newest_first = pick(2) == 0};
    const struct audit_entry *entries[3];
    int64_t at = query.newest_first ? (int64_t)sim.audit_count : -1;

    if (cluster <= TENANTS)
        query.cluster_id = &id;
    if (action < ARRAY_LEN(actions))
        query.action = slice_str(actions[action]);
    do {
        size_t n = state_audit(sim.live.state, &query, entries, 3, &query.after);
        for (size_t i = 0; i < n; i++) {
            const struct model_audit *want;
            do {
                at += query.newest_first ? -1 : 1;
                CHECK(at >= 0 && at < (int64_t)sim.audit_count);
                want = &sim.audit[at];
            } while (
                !want->live ||
                (query.cluster_id != NULL &&
                 want->cluster != (cluster == 0 ? 0 : sim.tenants[cluster - 1].id)) ||
                (query.action.len > 0 && want->action != action));
            CHECK(entries[i]->id == (uint64_t)at + 1 && entries[i]->code == want->code);
            CHECK(entries[i]->at_ms == want->at_ms);
        }
    } while (query.after != 0);
}

/* ---- other clusters, deletion ---- */

static void tenant_commit(const struct model_tenant *tenant)
{
    const struct test_batch batches[] = {{0, 0, 5, 3, 0, 0, 1, 0},
                                         {0, 1, 2, -1, 0, -1, 1, 0}};
    struct uuid id = test_uuid(9, sim.next_id++), topic = test_uuid(2, tenant->topic);
    struct test_commit c;

    test_commit_init(&c, &id, sim.live.now_ms, &topic, 1, batches, 2);
    CHECK(driver_commit(&sim.live, &c.commit).code ==
          (tenant->exists ? 0 : ERR_NOT_FOUND));
    test_commit_fini(&c);
}

static void tenant_token(void)
{
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE};
    uint32_t number = sim.next_id++;
    cmd.cluster_id = sim.live.cluster_id;
    cmd.token_create.token_id = test_uuid(4, number);
    memcpy(cmd.token_create.hash, cmd.token_create.token_id.bytes, 16);
    cmd.token_create.token_kind = TOKEN_API;
    cmd.token_create.role = ROLE_VIEWER;
    (void)driver_apply(&sim.live, &cmd);
    const struct token *token =
        state_token_by_id(sim.live.state, &cmd.token_create.token_id);
    CHECK((token != NULL) ==
          (state_cluster(sim.live.state, &sim.live.cluster_id) != NULL));
}

static void step_group(void)
{
    int16_t error = group_workload_step(&sim.live, pick, sim.next_id++).kafka_error;
    sim.group_changes += error == 0;
}

static void step_admin(void)
{
    CHECK(admin_workload_step(&sim.live, pick));
}

static void step_offsets(void)
{
    struct offset_topic topics[TOPICS];
    for (int t = 0; t < TOPICS; t++)
        topics[t] = (struct offset_topic){sim.topics[t].id, sim.topics[t].exists,
                                          sim.topics[t].partitions};
    CHECK(offset_workload_step(&sim.offsets, &sim.live, topics, pick) == NULL);
}

/* A cluster of some life: made, used, deleted; what was deleted refuses everything. */
static void step_tenant(void)
{
    struct model_tenant *tenant = &sim.tenants[pick(TENANTS)];
    struct uuid own = sim.live.cluster_id;
    struct command_context context = {.actor_kind = ACTOR_TOKEN};

    if (tenant->id == 0) {
        tenant->id = sim.next_id++;
        tenant->exists = true;
        driver_cluster(&sim.live, tenant->id);
        tenant->topic = sim.next_id++;
        CHECK(driver_topic(&sim.live, tenant->topic, 2).kafka_error == 0);
    }
    sim.live.cluster_id = test_uuid(1, tenant->id);
    switch (pick(8)) {
    case 0: {
        struct command cmd = {.kind = COMMAND_CLUSTER_DELETE};
        cmd.cluster_id = sim.live.cluster_id;
        (void)apply_audited(&cmd, tenant->id, 1, &context, false);
        tenant->exists = false;
        CHECK(state_cluster(sim.live.state, &sim.live.cluster_id) == NULL);
        if (pick(3) == 0)
            tenant->id = 0; /* another one takes its place */
        break;
    }
    case 1: {
        struct command cmd = {.kind = COMMAND_CLUSTER_ALTER};
        cmd.cluster_id = sim.live.cluster_id;
        cmd.cluster_alter.set_limits = true;
        cmd.cluster_alter.limits.topics = 1 + pick(5);
        CHECK(apply_audited(&cmd, tenant->id, 0, &context, false).code ==
              (tenant->exists ? 0 : ERR_NOT_FOUND));
        break;
    }
    case 2:
        tenant_token();
        break;
    case 3:
        if (tenant->exists) {
            CHECK(driver_topic_delete(&sim.live, tenant->topic).kafka_error == 0);
            tenant->topic = sim.next_id++;
            CHECK(driver_topic(&sim.live, tenant->topic, 2).kafka_error == 0);
        }
        break;
    case 4:
        step_group();
        break;
    default:
        tenant_commit(tenant);
        break;
    }
    sim.live.cluster_id = own;
}

static void step_purge(void)
{
    uint32_t rows = 1 + pick(40);
    bool due = state_purge_due(sim.live.state);
    CHECK((driver_purge(&sim.live, rows) > 0) == due);
}

/* Forget all: what is left is what exists. */
static void purge_all(void)
{
    struct state_counts counts;
    uint64_t tenants = 0;
    while (state_purge_due(sim.live.state))
        CHECK(driver_purge(&sim.live, 100) > 0);
    for (int i = 0; i < TENANTS; i++)
        tenants += sim.tenants[i].exists;
    state_count(sim.live.state, &counts);
    CHECK(counts.clusters == 1 + tenants);
}

static void step_cell(void)
{
    CHECK(cell_workload_step(&sim.cell, &sim.live, pick, sim.next_id++));
}

/* ---- checkpoints and restarts ---- */

static struct state *load(struct db *db, uint64_t *from, bool replay);

/* The delta is complete: in the database it is the state of when it began. */
static void end_checkpoint(void)
{
    struct err err;
    uint64_t from;

    sim.collecting = false;
    if (db_apply(sim.db, str_slice(&sim.delta), &err) != 0) {
        printf("%s\n", err.text);
        CHECK(!"db_apply");
    }
    str_fini(&sim.delta);
    struct state *saved = load(sim.db, &from, false);
    CHECK(state_hash(saved) == sim.delta_hash);
    state_free(saved);
}

static void go_on_collecting(uint32_t rows)
{
    if (sim.collecting && checkpoint_step(sim.live.state, rows))
        end_checkpoint();
}

static void step_checkpoint(void)
{
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5)};

    go_on_collecting(UINT32_MAX);
    meta.position.index = sim.live.index;
    meta.position.term = 3;
    meta.position.configuration = SLICE_LITERAL("raft's");
    str_init(&sim.delta, (size_t)1 << 30);
    sim.delta_hash = state_hash(sim.live.state);
    checkpoint_begin(sim.live.state, &meta, &sim.delta);
    CHECK(checkpoint_pending(sim.live.state) == 0);
    sim.collecting = true;
    if (pick(2) == 0)
        go_on_collecting(UINT32_MAX);
}

/* The state as of the database and, with REPLAY, the log behind it. */
static struct state *load(struct db *db, uint64_t *from, bool replay)
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
    for (size_t i = (size_t)*from; replay && i < sim.log_count; i++) {
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

    if (sim.collecting) { /* a crash in the middle of it */
        str_fini(&sim.delta);
        sim.collecting = false;
    }
    struct state *again = load(sim.db, &from, true);
    CHECK(state_hash(again) == state_hash(sim.live.state));
    sim.restarts++;
    /* Go on with the restarted one: nothing may depend on what it was before. Its
     * changes behind the checkpoint are marked as the live one's are. */
    state_free(sim.live.state);
    sim.live.state = again;
}

static void step(void)
{
    static void (*const others[])(void) = {
        step_topic,   step_topic,      step_configs, step_agent,   step_agent_alter,
        step_token,   step_expire,     step_repeat,  step_repeat,  step_checkpoint,
        step_usage,   step_usage,      step_user,    step_user,    step_tenant,
        step_tenant,  step_tenant,     step_purge,   step_purge,   step_cell,
        check_usage,  step_checkpoint, check_audit,  check_audit,  step_restart,
        step_group,   step_group,      step_group,   step_group,   step_group,
        step_offsets, step_offsets,    step_offsets, step_offsets, step_admin,
        step_admin,
    };
    advance(pick(60) == 0 ? (int64_t)pick(200000000) : (int64_t)pick(20000));
    if (pick(2) == 0)
        step_commit();
    else
        others[pick(ARRAY_LEN(others))]();
    go_on_collecting(1 + pick(6));
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
    sim.first_hour = sim.live.now_ms / USAGE_HOUR_MS;
    for (int i = 0; i < TOPICS; i++)
        step_topic();
    for (sim.step = 0; sim.step < STEPS; sim.step++)
        step();
    CHECK(sim.group_changes > 5);
    check_usage();
    purge_all();
    struct state *replayed = load(NULL, &from, true);
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
