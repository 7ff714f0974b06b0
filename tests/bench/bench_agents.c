/* bench_agents.c - many agents that are registered and watch, and do nothing else.
 *
 * Started by scripts/bench. Agent i belongs to the cluster of the i-th enrolment token,
 * tokens taken in turn; it enrols, registers, asks for the metadata once and then always
 * has a watch parked, over a TLS connection of its own, made of the agent's own parts
 * (agent/ctl.h). They join at --pace, --joining of them at the same time at the most: a
 * join costs both sides two handshakes, and the news of it goes to all of its cluster.
 * When all watch, prints {"ready":true} and waits for a line on standard
 * input; then counts for --duration and prints a line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/option.h"

#define AGENTS_MAX 20000
#define PACE_MS    20

struct bench_options {
    char *control_plane, *ca_fingerprint, *enrolment_tokens;
    int64_t agents, pace, joining, duration_ms;
};

static const struct option_spec specs[] = {
    {"control-plane", OPTION_LIST, offsetof(struct bench_options, control_plane), NULL,
     "URL", "addresses for enrolment"},
    {"ca-fingerprint", OPTION_STRING, offsetof(struct bench_options, ca_fingerprint),
     NULL, "HEX", "of its CA"},
    {"enrolment-tokens", OPTION_SECRET, offsetof(struct bench_options, enrolment_tokens),
     NULL, "TOKEN,...", "of the clusters"},
    {"agents", OPTION_INT, offsetof(struct bench_options, agents), "10000", "N",
     "agents"},
    {"pace", OPTION_INT, offsetof(struct bench_options, pace), "40", "N",
     "that join in a second"},
    {"joining", OPTION_INT, offsetof(struct bench_options, joining), "32", "N",
     "that join at the same time"},
    {"duration", OPTION_DURATION, offsetof(struct bench_options, duration_ms), "20s",
     "TIME", "what is measured"},
};

static const struct option_program program = {
    .name = "bench_agents",
    .summary = "Registers agents that watch a control plane and do nothing else.",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

struct bench_agent {
    struct ctl *ctl;
    int64_t cursor;
    bool watching;
};

static struct bench_options options;
static struct loop *loop;
static struct bench_agent *agents;
static char **tokens;
static size_t token_count;
static int64_t begun, asked, joined, answers; /* asked: for the metadata */
static bool measuring;
static struct loop_timer end, pacer;

static void die(const char *what, const char *text)
{
    fprintf(stderr, "bench_agents: %s: %s\n", what, text == NULL ? "" : text);
    exit(1);
}

static int64_t cursor_of(const struct json *answer)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    int64_t cursor = json_get_int(&r, answer, "cursor", 0, INT64_MAX);
    if (r.failed)
        die("answer", err.text);
    return cursor;
}

static void on_end(struct loop_timer *timer, void *arg)
{
    (void)timer, (void)arg;
    loop_stop(loop);
}

/* Once, when all watch: wait for the harness, then count. */
static void begin_measuring(void)
{
    char line[64];

    printf("{\"ready\":true}\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        die("standard input", "ended before the word to begin");
    measuring = true;
    loop_timer_init(&end, loop, on_end, NULL);
    loop_timer_set(&end, options.duration_ms);
}

static void on_watch(int code, const char *text, const struct json *answer, void *arg);

static void watch(struct bench_agent *agent)
{
    const struct ctl_session *session = ctl_session(agent->ctl);
    struct json *body = json_object();

    json_set(body, "after", json_int(agent->cursor));
    json_set(body, "wait_ms", json_int(session->watch_ms));
    (void)ctl_send_patient(agent->ctl, "/agent/v1/watch", body, session->watch_ms, 0,
                           on_watch, agent);
}

static void on_watch(int code, const char *text, const struct json *answer, void *arg)
{
    struct bench_agent *agent = arg;

    if (code != 0)
        die("watch", text);
    agent->cursor = cursor_of(answer);
    if (measuring)
        answers++;
    watch(agent);
    if (agent->watching)
        return;
    agent->watching = true;
    if (++joined == options.agents)
        begin_measuring();
}

static void on_metadata(int code, const char *text, const struct json *answer, void *arg)
{
    struct bench_agent *agent = arg;

    if (code != 0)
        die("metadata", text);
    agent->cursor = cursor_of(answer);
    asked++;
    watch(agent);
}

static void on_registered(int code, const char *text, void *arg)
{
    struct bench_agent *agent = arg;

    if (code != 0)
        die("register", text);
    (void)ctl_send(agent->ctl, "/agent/v1/metadata", json_object(), 0, on_metadata,
                   agent);
}

static void on_enrolled(int code, const char *text, void *arg)
{
    struct bench_agent *agent = arg;
    struct json *body = json_object();
    int64_t number = agent - agents;
    char host[32];

    if (code != 0)
        die("enrol", text);
    snprintf(host, sizeof(host), "10.%d.%d.%d", (int)(number >> 16),
             (int)(number >> 8 & 255), (int)(number & 255));
    json_set(body, "zone", json_string("bench"));
    json_set(body, "rack", json_string(""));
    json_set(body, "host", json_string(host));
    json_set(body, "port", json_int(9092));
    json_set(body, "http_url", json_string(""));
    json_set(body, "version", json_string("bench"));
    json_set(body, "state", json_string("active"));
    ctl_register(agent->ctl, body, on_registered, agent);
}

static void join_next(void)
{
    struct err err = {0};

    struct bench_agent *agent = &agents[begun];
    const struct ctl_options ctl_options = {
        .urls = options.control_plane,
        .ca_fingerprint = options.ca_fingerprint,
        .enrolment_token = tokens[(size_t)begun % token_count],
    };
    begun++;
    if (ctl_new(loop, &ctl_options, &agent->ctl, &err) != 0)
        die("options", err.text);
    ctl_enrol(agent->ctl, on_enrolled, agent);
}

/* Those whose time has come, unless too many are joining. */
static void on_pace(struct loop_timer *timer, void *arg)
{
    static int64_t begun_at_ms;
    int64_t now_ms = clock_monotonic_ms();

    (void)arg;
    if (begun_at_ms == 0)
        begun_at_ms = now_ms;
    int64_t due = MIN((now_ms - begun_at_ms) * options.pace / 1000 + 1, options.agents);
    while (begun < due && begun - asked < options.joining)
        join_next();
    if (begun < options.agents)
        loop_timer_set(timer, PACE_MS);
}

static void split_tokens(void)
{
    char *rest = options.enrolment_tokens, *token;

    tokens = mem_zalloc((strlen(rest) + 1) * sizeof(*tokens));
    while ((token = strsep(&rest, ",")) != NULL)
        tokens[token_count++] = token;
}

int main(int argc, char **argv)
{
    enum option_outcome outcome;
    struct err err = {0};

    if (option_parse(&program, argc, argv, &options, &outcome, &err) != 0)
        die("options", err.text);
    if (outcome != OPTION_RUN)
        return 0;
    if (options.control_plane == NULL || options.ca_fingerprint == NULL ||
        options.enrolment_tokens == NULL || options.agents < 1 || options.joining < 1 ||
        options.pace < 1 || options.agents > AGENTS_MAX)
        die("options", "--control-plane, --ca-fingerprint and --enrolment-tokens must be "
                       "given, and at most 20000 agents");
    log_set_level(LOG_WARN);
    loop = loop_new();
    split_tokens();
    agents = mem_zalloc((size_t)options.agents * sizeof(*agents));
    loop_timer_init(&pacer, loop, on_pace, NULL);
    loop_timer_set(&pacer, 0);
    loop_run(loop);
    printf("{\"answers\":%lld,\"seconds\":%.1f}\n", (long long)answers,
           (double)options.duration_ms / 1e3);
    loop_timer_fini(&end);
    loop_timer_fini(&pacer);
    for (int64_t i = 0; i < options.agents; i++)
        ctl_free(agents[i].ctl);
    mem_free(agents);
    mem_free(tokens);
    loop_free(loop);
    option_free(&program, &options);
    return 0;
}
