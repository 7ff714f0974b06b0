/* bench_offsets.c - loads a control plane with committed offsets, as many consumers
 * behind a few agents would.
 *
 * Started by scripts/bench. Each of --consumers, a group of its own, commits --partitions
 * offsets of one topic, and again as soon as that is acknowledged, or --every after it
 * did before. As the agent does it (agent/groups.h), the commits of a lane's consumers
 * wait for its call that is on its way, and go together in the next one.
 *
 * When every consumer has committed once, prints {"ready":true} and waits for a line on
 * standard input; then measures for --duration and prints a line of JSON. Ends with 1 as
 * soon as anything is refused: a benchmark of errors says nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/option.h"

#define AGENTS_MAX 64
#define LANES      4    /* of an agent */
#define OPS_MAX    4096 /* in a call */
#define VALUES_MAX 262000
#define BODY_MAX   (8 * MIB)
#define BUCKETS    100000 /* of 0.1 ms */
#define TICK_MS    5

struct bench_options {
    char *control_plane, *ca_fingerprint, *enrolment_token, *topic;
    int64_t agents, consumers, partitions, every_ms, duration_ms;
};

static const struct option_spec specs[] = {
#define OPTION(field, name, type, text, placeholder, help)                               \
    {name, OPTION_##type, offsetof(struct bench_options, field), text, placeholder, help},
    OPTION(control_plane, "control-plane", LIST, NULL, "URL", "address for enrolment")
        OPTION(ca_fingerprint, "ca-fingerprint", STRING, NULL, "HEX", "of its CA") OPTION(
            enrolment_token, "enrolment-token", SECRET, NULL, "TOKEN", "of the cluster")
            OPTION(topic, "topic", STRING, "offsets", "NAME", "made with --partitions")
                OPTION(agents, "agents", INT, "2", "N", "that the consumers share")
                    OPTION(consumers, "consumers", INT, "4000", "N",
                           "each a group, with one commit outstanding")
                        OPTION(partitions, "partitions", INT, "1", "N", "of a commit")
                            OPTION(every_ms, "every", DURATION, "0s", "TIME",
                                   "between two commits of a consumer; 0: none")
                                OPTION(duration_ms, "duration", DURATION, "5s", "TIME",
                                       "what is measured")
#undef OPTION
};

static const struct option_program program = {
    .name = "bench_offsets",
    .summary = "Commits offsets of groups, as fast as the control plane takes them.",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

struct consumer {
    int64_t offset;
    int64_t ready_at_us; /* it wants to commit since, or from then on */
};

/* One call is on its way at a time. */
struct lane {
    struct bench_agent *agent;
    size_t *waiting, *sent; /* consumers */
    size_t waiting_count, sent_count;
    bool busy;
};

struct bench_agent {
    struct ctl *ctl;
    struct lane lanes[LANES];
};

static struct bench_options options;
static struct loop *loop;
static struct loop_timer tick;
static struct bench_agent agents[AGENTS_MAX];
static struct consumer *consumers;
static struct uuid topic_id;
static int64_t joined, begun_at_us, first_round, commits, calls;
static bool measuring, over;
static int64_t longest_us;
static uint32_t latencies[BUCKETS + 1];

static void send_waiting(struct lane *lane);

static void die(const char *what, const char *text)
{
    fprintf(stderr, "bench_offsets: %s: %s\n", what, text == NULL ? "" : text);
    exit(1);
}

static struct lane *lane_of(size_t consumer)
{
    struct bench_agent *agent = &agents[consumer % (size_t)options.agents];
    return &agent->lanes[consumer / (size_t)options.agents % LANES];
}

/* ---- a call ---- */

static void put_op(struct str *body, size_t consumer)
{
    char id[UUID_TEXT_LEN + 1];

    str_printf(body, "[\"commit\",\"bench-%zu\",-1,\"\",null,[[\"%s\",[", consumer,
               uuid_print(&topic_id, id));
    for (int64_t i = 0; i < options.partitions; i++)
        str_printf(body, "%s[%lld,%lld,0,null]", i == 0 ? "" : ",", (long long)i,
                   (long long)consumers[consumer].offset);
    str_puts(body, "]]],0]");
    consumers[consumer].offset++;
}

static void check(const struct json *answer, size_t count)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    const struct json *results = json_get_array(&r, answer, "results");

    if (json_count(results) != count)
        die("answer", "another number of results");
    for (size_t i = 0; i < count && !r.failed; i++) {
        const struct json *result = json_at(&r, results, i);
        if (json_as_int(&r, json_at(&r, result, 0), "error", -1, INT16_MAX) != 0 ||
            json_count(json_at(&r, result, 1)) != 0)
            die("answer", "a commit was refused");
    }
    if (r.failed)
        die("answer", err.text);
}

static void begin_measuring(void)
{
    char line[64];

    printf("{\"ready\":true}\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        die("standard input", "ended before the word to begin");
    measuring = true;
    begun_at_us = clock_monotonic_us();
    for (int64_t i = 0; i < options.consumers; i++) {
        struct lane *lane = lane_of((size_t)i);
        consumers[i].ready_at_us =
            begun_at_us + options.every_ms * 1000 * i / options.consumers;
        lane->waiting[lane->waiting_count++] = (size_t)i;
    }
    loop_timer_set(&tick, 0);
}

static void count_one(size_t consumer, int64_t now_us)
{
    int64_t took_us = now_us - consumers[consumer].ready_at_us;

    latencies[MIN(took_us / 100, BUCKETS)]++;
    longest_us = MAX(longest_us, took_us);
    commits++;
}

static bool all_quiet(void)
{
    for (int64_t i = 0; i < options.agents; i++) {
        for (int j = 0; j < LANES; j++) {
            if (agents[i].lanes[j].busy)
                return false;
        }
    }
    return true;
}

static void on_commit(int code, const char *text, const struct json *answer, void *arg)
{
    struct lane *lane = arg;
    int64_t now_us = clock_monotonic_us();

    if (code != 0)
        die("groups", text);
    check(answer, lane->sent_count);
    lane->busy = false;
    calls += measuring;
    for (size_t i = 0; i < lane->sent_count; i++) {
        size_t consumer = lane->sent[i];
        if (!measuring) {
            first_round++;
            continue;
        }
        count_one(consumer, now_us);
        consumers[consumer].ready_at_us =
            MAX(now_us, consumers[consumer].ready_at_us + options.every_ms * 1000);
        lane->waiting[lane->waiting_count++] = consumer;
    }
    over = over || (measuring && now_us - begun_at_us >= options.duration_ms * 1000);
    if (over && all_quiet())
        loop_stop(loop);
    else if (!over)
        send_waiting(lane);
    if (!measuring && first_round == options.consumers)
        begin_measuring();
}

/* Those of the lane that want to commit now, as many as a call takes. */
static void send_waiting(struct lane *lane)
{
    size_t kept = 0, most = MIN((size_t)OPS_MAX,
                                VALUES_MAX / (12 + 5 * (size_t)options.partitions));
    int64_t now_us = clock_monotonic_us();
    struct str body;

    if (lane->busy || over)
        return;
    lane->sent_count = 0;
    str_init(&body, BODY_MAX);
    str_puts(&body, "{\"ops\":[");
    for (size_t i = 0; i < lane->waiting_count; i++) {
        size_t consumer = lane->waiting[i];
        if (lane->sent_count == most || consumers[consumer].ready_at_us > now_us) {
            lane->waiting[kept++] = consumer;
            continue;
        }
        if (lane->sent_count > 0)
            str_putc(&body, ',');
        put_op(&body, consumer);
        lane->sent[lane->sent_count++] = consumer;
    }
    lane->waiting_count = kept;
    str_puts(&body, "]}");
    if (lane->sent_count > 0) {
        lane->busy = true;
        (void)ctl_send_text(lane->agent->ctl, "/agent/v1/groups", &body, 0, on_commit,
                            lane);
    }
    str_fini(&body);
}

static void send_all(void)
{
    for (int64_t i = 0; i < options.agents; i++) {
        for (int j = 0; j < LANES; j++)
            send_waiting(&agents[i].lanes[j]);
    }
}

static void on_tick(struct loop_timer *timer, void *arg)
{
    (void)arg;
    send_all();
    if (!over)
        loop_timer_set(timer, TICK_MS);
}

/* ---- joining ---- */

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
    for (int64_t i = 0; i < options.consumers; i++) {
        struct lane *lane = lane_of((size_t)i);
        lane->waiting[lane->waiting_count++] = (size_t)i;
    }
    send_all();
}

static void make_topic(struct ctl *ctl)
{
    struct json *topic = json_array(), *topics = json_array(), *body = json_object();
    json_push(topic, json_string(options.topic));
    json_push(topic, json_int(options.partitions));
    json_push(topic, json_int(1));
    json_push(topic, json_object());
    json_push(topic, json_array());
    json_push(topics, topic);
    json_set(body, "validate_only", json_bool(false));
    json_set(body, "topics", topics);
    (void)ctl_send(ctl, "/agent/v1/topics/create", body, 0, on_topic, NULL);
}

static void on_registered(int code, const char *text, void *arg)
{
    struct bench_agent *agent = arg;

    if (code != 0)
        die("register", text);
    if (++joined == options.agents)
        make_topic(agent->ctl);
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
    json_set(body, "port", json_int(20000 + (agent - agents)));
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

    for (int i = 0; i < LANES; i++) {
        struct lane *lane = &agent->lanes[i];
        lane->agent = agent;
        lane->waiting = mem_zalloc((size_t)options.consumers * sizeof(size_t));
        lane->sent = mem_zalloc((size_t)options.consumers * sizeof(size_t));
    }
    if (ctl_new(loop, &ctl_options, &agent->ctl, &err) != 0)
        die("options", err.text);
    ctl_enrol(agent->ctl, on_enrolled, agent);
}

/* ---- the whole ---- */

/* The least latency in ms that PART of all commits do not pass. */
static double percentile(double part)
{
    double seen = 0;
    for (int i = 0; i <= BUCKETS; i++) {
        seen += latencies[i];
        if (seen >= part * (double)commits)
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
    if (options.agents < 1 || options.agents > AGENTS_MAX || options.consumers < 1 ||
        options.consumers > 1000000 || options.partitions < 1 ||
        options.partitions > 10000)
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
    loop_timer_init(&tick, loop, on_tick, NULL);
    consumers = mem_zalloc((size_t)options.consumers * sizeof(*consumers));
    for (int64_t i = 0; i < options.agents; i++)
        join(&agents[i]);
    loop_run(loop);
    printf("{\"commits\":%lld,\"calls\":%lld,\"seconds\":%.4f,\"p50_ms\":%.1f,"
           "\"p99_ms\":%.1f,\"max_ms\":%.1f}\n",
           (long long)commits, (long long)calls,
           (double)(clock_monotonic_us() - begun_at_us) / 1e6, percentile(0.50),
           percentile(0.99), (double)longest_us / 1e3);
    loop_timer_fini(&tick);
    for (int64_t i = 0; i < options.agents; i++) {
        ctl_free(agents[i].ctl);
        for (int j = 0; j < LANES; j++) {
            mem_free(agents[i].lanes[j].waiting);
            mem_free(agents[i].lanes[j].sent);
        }
    }
    mem_free(consumers);
    loop_free(loop);
    option_free(&program, &options);
    return 0;
}
