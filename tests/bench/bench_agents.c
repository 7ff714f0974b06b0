/* bench_agents.c - many agents that are registered and watch, and do nothing else.
 *
 * Started by scripts/bench, several times when there are more agents than one process may
 * have files for: --first then is how many the others have. Agent i belongs to the
 * cluster of the i-th enrolment token, tokens taken in turn; it enrols, registers, asks
 * for the metadata once and then always has a watch parked, over a TLS connection of its
 * own, made of the agent's own parts (agent/ctl.h). They join at --pace, --joining of
 * them at the same time at the most: a join costs both sides two handshakes, and the news
 * of it goes to all of its cluster. When all watch, prints {"ready":true} and waits for a
 * line on standard input; then counts for --duration and prints a line of JSON.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/load.h"

#define AGENTS_MAX 20000
#define PACE_MS    20
/* Open files: of an agent (its connection, and what libcurl and the loop need), and of
 * the program. */
#define FILES_EACH 4
#define FILES_REST 64

struct bench_options {
    struct load_target target;
    int64_t agents, first, pace, joining, duration_ms;
};

static const struct option_spec specs[] = {
    LOAD_TARGET_SPECS,
#define OPTION(field, name, type, text, placeholder, help)                               \
    {                                                                                    \
        name, OPTION_##type, offsetof(struct bench_options, field), text, placeholder,   \
            help                                                                         \
    }
    OPTION(agents, "agents", INT, "10000", "N", "agents"),
    OPTION(first, "first", INT, "0", "N", "number of the first one"),
    OPTION(pace, "pace", INT, "25", "N", "that join in a second"),
    OPTION(joining, "joining", INT, "32", "N", "that join at the same time"),
    OPTION(duration_ms, "duration", DURATION, "20s", "TIME", "what is measured"),
#undef OPTION
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
static int64_t begun, asked, joined, answers; /* asked: for the metadata */
static bool measuring;
static struct loop_timer end, pacer;

static int64_t cursor_of(const struct json *answer)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    int64_t cursor = json_get_int(&r, answer, "cursor", 0, INT64_MAX);
    if (r.failed)
        load_die("answer", err.text);
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
    load_await_go();
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
        load_die("watch", text);
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
        load_die("metadata", text);
    agent->cursor = cursor_of(answer);
    asked++;
    watch(agent);
}

static void on_joined(void *arg)
{
    struct bench_agent *agent = arg;
    (void)ctl_send(agent->ctl, "/agent/v1/metadata", json_object(), 0, on_metadata,
                   agent);
}

static void join_next(void)
{
    struct bench_agent *agent = &agents[begun];
    int64_t number = options.first + begun++;
    char host[32];

    snprintf(host, sizeof(host), "10.%d.%d.%d", (int)(number >> 16),
             (int)(number >> 8 & 255), (int)(number & 255));
    load_join(loop, &options.target, number, host, 9092, &agent->ctl, on_joined, agent);
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

static void check_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < (rlim_t)(options.agents * FILES_EACH + FILES_REST))
        load_die("options", "too many agents for the limit of open files");
}

int main(int argc, char **argv)
{
    load_options(&program, argc, argv, &options);
    if (options.agents < 1 || options.agents > AGENTS_MAX || options.first < 0 ||
        options.first > AGENTS_MAX || options.joining < 1 || options.pace < 1)
        load_die("options", "a number is out of range");
    check_files();
    loop = loop_new();
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
    loop_free(loop);
    option_free(&program, &options);
    return 0;
}
