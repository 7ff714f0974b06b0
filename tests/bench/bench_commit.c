/* bench_commit.c - loads a control plane with commits, as many agents at once would.
 *
 * Started by scripts/bench. Each of --agents enrols, registers and then always has one
 * commit request of --objects objects in flight, over a TLS connection of its own, made
 * of the agent's own parts (agent/ctl.h, proto/commit.h). Every object has --runs runs,
 * one a partition, of --batches idempotent batches each; the producers of a run's batches
 * differ, so that every batch costs the control plane a look-up and a sequence check.
 * With --rate the requests start evenly spread in time, each agent's next no sooner than
 * its last was answered.
 *
 * When all agents have had an answer to --warmup requests, prints {"ready":true} and
 * waits for a line on standard input; then measures for --duration and prints a line of
 * JSON. Ends with 1 as soon as anything is refused: a benchmark of errors says nothing.
 */
#include <stdio.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/mem.h"
#include "proto/commit.h"
#include "tests/bench/load.h"

#define PRODUCERS    8
#define RECORDS      5 /* in a batch */
#define RECORD_BYTES 1024
#define AGENTS_MAX   1024
#define COLUMNS_MAX  (1 << 24)

struct bench_options {
    struct load_target target;
    char *topic;
    int64_t agents, objects, runs, batches, warmup, duration_ms, rate;
};

static const struct option_spec specs[] = {
    LOAD_TARGET_SPECS,
#define OPTION(field, name, type, text, placeholder, help)                               \
    {                                                                                    \
        name, OPTION_##type, offsetof(struct bench_options, field), text, placeholder,   \
            help                                                                         \
    }
    OPTION(topic, "topic", STRING, "bench", "NAME", "made with --runs partitions"),
    OPTION(agents, "agents", INT, "1", "N", "requests outstanding, one an agent"),
    OPTION(objects, "objects", INT, "1", "N", "objects in a request"),
    OPTION(runs, "runs", INT, "320", "N", "runs in an object"),
    OPTION(batches, "batches", INT, "5", "N", "batches in a run"),
    OPTION(warmup, "warmup", INT, "20", "N", "requests of each agent before it counts"),
    OPTION(duration_ms, "duration", DURATION, "5s", "TIME", "what is measured"),
    OPTION(rate, "rate", INT, "0", "N", "objects a second; 0: as many as go"),
#undef OPTION
};

static const struct option_program program = {
    .name = "bench_commit",
    .summary =
        "Commits objects that do not exist, as fast as the control plane takes them.",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

struct bench_agent {
    struct ctl *ctl;
    struct loop_timer timer;
    int64_t next_at_us; /* with --rate: when the next request should start */
    struct commit_producer producers[PRODUCERS];
    int32_t *next_sequence; /* a row a run, a column a producer */
    int64_t sent_at_us;
    int64_t answered;
    bool busy;
};

static struct bench_options options;
static struct loop *loop;
static struct bench_agent agents[AGENTS_MAX];
static struct uuid topic_id;
static int64_t joined, warm, busy;
static bool measuring, over;
static int64_t begun_at_us, commits;
static struct load_latencies latencies;

static void send_commit(struct bench_agent *agent);

/* ---- one request ---- */

static void add_run(struct bench_agent *agent, struct commit_builder *b, uint32_t run,
                    uint64_t *bytes)
{
    int32_t *sequences = agent->next_sequence + (size_t)run * PRODUCERS;
    uint32_t length = RECORDS * RECORD_BYTES + 61;

    commit_builder_run(b, 0, (int32_t)run, (uint32_t)options.batches);
    for (uint32_t i = 0; i < (uint32_t)options.batches; i++) {
        uint32_t producer = (run + i) % PRODUCERS;
        commit_builder_batch(b, length, RECORDS, producer + 1, sequences[producer],
                             ctl_now_ms(agent->ctl));
        sequences[producer] += RECORDS;
        *bytes += length;
    }
}

static struct json *make_commit(struct bench_agent *agent)
{
    struct commit_builder b;
    int64_t now_ms = ctl_now_ms(agent->ctl);
    uint64_t bytes = 16 + 24;

    commit_builder_init(&b, now_ms);
    for (uint32_t run = 0; run < (uint32_t)options.runs; run++)
        add_run(agent, &b, run, &bytes);
    struct commit commit = {
        .object_id = uuid_random(),
        .object_size = bytes,
        .created_at_ms = now_ms,
        .topics = &topic_id,
        .topic_count = 1,
        .producers = agent->producers,
        .producer_count = PRODUCERS,
    };
    commit_builder_columns(&b, &commit);
    struct json *json = commit_to_json(&commit);
    commit_builder_fini(&b);
    return json;
}

static void check_results(const struct json *answer)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    struct arena arena;

    arena_init(&arena, COLUMNS_MAX);
    const struct json *results = json_at(&r, answer, 2);
    for (size_t i = 0; i < (size_t)options.objects && !r.failed; i++) {
        struct commit_result result;
        if (commit_result_from_json(json_at(&r, results, i), &arena, &result, &err) != 0)
            load_die("answer", err.text);
        if (result.code != 0)
            load_die("object refused", err_name(result.code));
        if (result.exception_count > 0)
            load_die("batches refused", "see the exceptions of the answer");
    }
    if (r.failed)
        load_die("answer", err.text);
    arena_fini(&arena);
}

/* Between two requests of one agent, at --rate. */
static int64_t interval_us(void)
{
    if (options.rate == 0)
        return 0;
    return 1000000 * options.agents * options.objects / options.rate;
}

static void on_time(struct loop_timer *timer, void *arg)
{
    (void)timer;
    if (!over)
        send_commit(arg);
}

/* The agent's next request: at once, or when its time has come. */
static void send_next(struct bench_agent *agent)
{
    int64_t early_ms = (agent->next_at_us - clock_monotonic_us()) / 1000;

    agent->next_at_us += interval_us();
    if (options.rate == 0 || early_ms <= 0)
        send_commit(agent);
    else
        loop_timer_set(&agent->timer, early_ms);
}

/* Once, when every agent is warm: wait for the harness, then count. */
static void begin_measuring(void)
{
    load_await_go();
    measuring = true;
    begun_at_us = clock_monotonic_us();
    for (int64_t i = 0; i < options.agents; i++) {
        agents[i].next_at_us = begun_at_us + i * interval_us() / options.agents;
        send_next(&agents[i]);
    }
}

static void on_commit(int code, const char *text, const struct json *answer, void *arg)
{
    struct bench_agent *agent = arg;
    int64_t now_us = clock_monotonic_us();

    if (code != 0)
        load_die("commit", text);
    check_results(answer);
    agent->busy = false;
    busy--;
    if (measuring) {
        load_observe(&latencies, now_us - agent->sent_at_us);
        commits += options.objects;
        over = over || now_us - begun_at_us >= options.duration_ms * 1000;
        if (!over)
            send_next(agent);
        else if (busy == 0)
            loop_stop(loop);
        return;
    }
    if (++agent->answered < options.warmup) {
        send_commit(agent);
        return;
    }
    if (++warm == options.agents)
        begin_measuring();
}

static void send_commit(struct bench_agent *agent)
{
    struct json *body = json_array();
    for (int64_t i = 0; i < options.objects; i++)
        json_push(body, make_commit(agent));
    agent->busy = true;
    busy++;
    agent->sent_at_us = clock_monotonic_us();
    (void)ctl_send(agent->ctl, "/agent/v1/commit", body, 0, on_commit, agent);
}

/* ---- joining ---- */

static void on_topic(const struct uuid *id)
{
    topic_id = *id;
    for (int64_t i = 0; i < options.agents; i++)
        send_commit(&agents[i]);
}

static void on_producer_ids(int code, const char *text, const struct json *answer,
                            void *arg)
{
    struct bench_agent *agent = arg;
    struct err err = {0};
    struct json_reader r = {.err = &err};

    if (code != 0)
        load_die("producer-ids", text);
    int64_t first = json_get_int(&r, answer, "first", 0, INT64_MAX - PRODUCERS);
    if (r.failed)
        load_die("producer-ids", err.text);
    for (int i = 0; i < PRODUCERS; i++)
        agent->producers[i].producer_id = first + i;
    if (++joined == options.agents)
        load_make_topic(agent->ctl, options.topic, options.runs, on_topic);
}

static void on_joined(void *arg)
{
    struct bench_agent *agent = arg;
    struct json *body = json_object();

    json_set(body, "count", json_int(PRODUCERS));
    (void)ctl_send(agent->ctl, "/agent/v1/producer-ids", body, 0, on_producer_ids, agent);
}

static void join(struct bench_agent *agent)
{
    agent->next_sequence =
        mem_zalloc((size_t)options.runs * PRODUCERS * sizeof(*agent->next_sequence));
    loop_timer_init(&agent->timer, loop, on_time, agent);
    load_join(loop, &options.target, 0, "127.0.0.1", 1 + (agent - agents), &agent->ctl,
              on_joined, agent);
}

/* ---- the whole ---- */

static void check_options(void)
{
    if (options.agents < 1 || options.agents > AGENTS_MAX || options.objects < 1 ||
        options.objects > COMMIT_OBJECTS_MAX || options.runs < 1 ||
        options.runs > COMMIT_RUNS_MAX || options.batches < 1 || options.warmup < 1)
        load_die("options", "a number is out of range");
}

int main(int argc, char **argv)
{
    load_options(&program, argc, argv, &options);
    check_options();
    loop = loop_new();
    for (int64_t i = 0; i < options.agents; i++)
        join(&agents[i]);
    loop_run(loop);
    printf("{\"commits\":%lld,\"seconds\":%.4f,", (long long)commits,
           (double)(clock_monotonic_us() - begun_at_us) / 1e6);
    load_print(&latencies);
    printf("}\n");
    for (int64_t i = 0; i < options.agents; i++) {
        loop_timer_fini(&agents[i].timer);
        ctl_free(agents[i].ctl);
        mem_free(agents[i].next_sequence);
    }
    loop_free(loop);
    option_free(&program, &options);
    return 0;
}
