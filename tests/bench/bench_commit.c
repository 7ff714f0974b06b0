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
#include <stdlib.h>
#include <string.h>

#include "agent/ctl.h"
#include "common/arena.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/option.h"
#include "proto/commit.h"

#define PRODUCERS    8
#define RECORDS      5 /* in a batch */
#define RECORD_BYTES 1024
#define AGENTS_MAX   1024
#define COLUMNS_MAX  (1 << 24)
#define BUCKETS      100000 /* of 0.1 ms */

struct bench_options {
    char *control_plane, *ca_fingerprint, *enrolment_token, *topic;
    int64_t agents, objects, runs, batches, warmup, duration_ms, rate;
};

static const struct option_spec specs[] = {
#define OPTION(field, name, type, text, placeholder, help)                               \
    {name, OPTION_##type, offsetof(struct bench_options, field), text, placeholder, help},
    OPTION(control_plane, "control-plane", LIST, NULL, "URL", "address for enrolment")
        OPTION(ca_fingerprint, "ca-fingerprint", STRING, NULL, "HEX", "of its CA") OPTION(
            enrolment_token, "enrolment-token", SECRET, NULL, "TOKEN", "of the cluster")
            OPTION(topic, "topic", STRING, "bench", "NAME", "made with --runs partitions")
                OPTION(agents, "agents", INT, "1", "N",
                       "requests outstanding, one an agent")
                    OPTION(objects, "objects", INT, "1", "N", "objects in a request")
                        OPTION(runs, "runs", INT, "320", "N", "runs in an object")
                            OPTION(batches, "batches", INT, "5", "N", "batches in a run")
                                OPTION(warmup, "warmup", INT, "20", "N",
                                       "requests of each agent before it counts")
                                    OPTION(duration_ms, "duration", DURATION, "5s",
                                           "TIME", "what is measured")
                                        OPTION(rate, "rate", INT, "0", "N",
                                               "objects a second; 0: as many as go")
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
static int64_t begun_at_us, commits, requests;
static int64_t longest_us;
static uint32_t latencies[BUCKETS + 1];

static void send_commit(struct bench_agent *agent);

static void die(const char *what, const char *text)
{
    fprintf(stderr, "bench_commit: %s: %s\n", what, text == NULL ? "" : text);
    exit(1);
}

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
            die("answer", err.text);
        if (result.code != 0)
            die("object refused", err_name(result.code));
        if (result.exception_count > 0)
            die("batches refused", "see the exceptions of the answer");
    }
    if (r.failed)
        die("answer", err.text);
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
    char line[64];

    printf("{\"ready\":true}\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        die("standard input", "ended before the word to begin");
    measuring = true;
    begun_at_us = clock_monotonic_us();
    for (int64_t i = 0; i < options.agents; i++) {
        agents[i].next_at_us = begun_at_us + i * interval_us() / options.agents;
        send_next(&agents[i]);
    }
}

static void count(const struct bench_agent *agent, int64_t now_us)
{
    int64_t tenths = (now_us - agent->sent_at_us) / 100;
    latencies[MIN(tenths, BUCKETS)]++;
    longest_us = MAX(longest_us, now_us - agent->sent_at_us);
    requests++;
    commits += options.objects;
}

static void on_commit(int code, const char *text, const struct json *answer, void *arg)
{
    struct bench_agent *agent = arg;
    int64_t now_us = clock_monotonic_us();

    if (code != 0)
        die("commit", text);
    check_results(answer);
    agent->busy = false;
    busy--;
    if (measuring) {
        count(agent, now_us);
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

static void all_joined(void)
{
    for (int64_t i = 0; i < options.agents; i++)
        send_commit(&agents[i]);
}

static void on_topic(int code, const char *text, const struct json *answer, void *arg)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};

    (void)arg;
    if (code != 0)
        die("topics/create", text);
    const struct json *result = json_at(&r, json_get_array(&r, answer, "results"), 0);
    if (json_as_int(&r, json_at(&r, result, 0), "error", -1, 1000) != 0)
        die("topics/create", "the topic was refused");
    topic_id = json_as_uuid(&r, json_at(&r, result, 2), "topic id");
    if (r.failed)
        die("topics/create", err.text);
    all_joined();
}

static void make_topic(struct ctl *ctl)
{
    struct json *topic = json_array(), *topics = json_array(), *body = json_object();
    json_push(topic, json_string(options.topic));
    json_push(topic, json_int(options.runs));
    json_push(topic, json_int(1));
    json_push(topic, json_object());
    json_push(topic, json_array());
    json_push(topics, topic);
    json_set(body, "validate_only", json_bool(false));
    json_set(body, "topics", topics);
    (void)ctl_send(ctl, "/agent/v1/topics/create", body, 0, on_topic, NULL);
}

static void on_producer_ids(int code, const char *text, const struct json *answer,
                            void *arg)
{
    struct bench_agent *agent = arg;
    struct err err = {0};
    struct json_reader r = {.err = &err};

    if (code != 0)
        die("producer-ids", text);
    int64_t first = json_get_int(&r, answer, "first", 0, INT64_MAX - PRODUCERS);
    if (r.failed)
        die("producer-ids", err.text);
    for (int i = 0; i < PRODUCERS; i++)
        agent->producers[i].producer_id = first + i;
    if (++joined == options.agents)
        make_topic(agent->ctl);
}

static void on_registered(int code, const char *text, void *arg)
{
    struct bench_agent *agent = arg;
    struct json *body = json_object();

    if (code != 0)
        die("register", text);
    json_set(body, "count", json_int(PRODUCERS));
    (void)ctl_send(agent->ctl, "/agent/v1/producer-ids", body, 0, on_producer_ids, agent);
}

static void on_enrolled(int code, const char *text, void *arg)
{
    struct bench_agent *agent = arg;
    struct json *body = json_object();

    if (code != 0)
        die("enrol", text);
    json_set(body, "zone", json_string("bench"));
    json_set(body, "rack", json_string(""));
    json_set(body, "host", json_string("127.0.0.1"));
    json_set(body, "port", json_int(1 + (agent - agents)));
    json_set(body, "http_url", json_string(""));
    json_set(body, "version", json_string("bench"));
    json_set(body, "state", json_string("active"));
    ctl_register(agent->ctl, body, on_registered, agent);
}

static void join(struct bench_agent *agent)
{
    struct err err = {0};
    const struct ctl_options ctl_options = {
        .urls = options.control_plane,
        .ca_fingerprint = options.ca_fingerprint,
        .enrolment_token = options.enrolment_token,
    };

    agent->next_sequence =
        mem_zalloc((size_t)options.runs * PRODUCERS * sizeof(*agent->next_sequence));
    loop_timer_init(&agent->timer, loop, on_time, agent);
    if (ctl_new(loop, &ctl_options, &agent->ctl, &err) != 0)
        die("options", err.text);
    ctl_enrol(agent->ctl, on_enrolled, agent);
}

/* ---- the whole ---- */

/* The least latency in ms that PART of all requests do not pass. */
static double percentile(double part)
{
    double seen = 0;
    for (int i = 0; i <= BUCKETS; i++) {
        seen += latencies[i];
        if (seen >= part * (double)requests)
            return (i + 1) / 10.0;
    }
    return 0;
}

static void check_options(void)
{
    if (options.control_plane == NULL || options.ca_fingerprint == NULL ||
        options.enrolment_token == NULL)
        die("options", "--control-plane, --ca-fingerprint and --enrolment-token must be "
                       "given");
    if (options.agents < 1 || options.agents > AGENTS_MAX || options.objects < 1 ||
        options.objects > COMMIT_OBJECTS_MAX || options.runs < 1 ||
        options.runs > COMMIT_RUNS_MAX || options.batches < 1 || options.warmup < 1)
        die("options", "a number is out of range");
}

int main(int argc, char **argv)
{
    enum option_outcome outcome;
    struct err err = {0};

    if (option_parse(&program, argc, argv, &options, &outcome, &err) != 0)
        die("options", err.text);
    if (outcome != OPTION_RUN)
        return 0;
    check_options();
    log_set_level(LOG_WARN);
    loop = loop_new();
    for (int64_t i = 0; i < options.agents; i++)
        join(&agents[i]);
    loop_run(loop);
    printf("{\"commits\":%lld,\"seconds\":%.4f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,"
           "\"max_ms\":%.1f}\n",
           (long long)commits, (double)(clock_monotonic_us() - begun_at_us) / 1e6,
           percentile(0.50), percentile(0.99), (double)longest_us / 1e3);
    for (int64_t i = 0; i < options.agents; i++) {
        loop_timer_fini(&agents[i].timer);
        ctl_free(agents[i].ctl);
        mem_free(agents[i].next_sequence);
    }
    loop_free(loop);
    option_free(&program, &options);
    return 0;
}
