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

#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/load.h"

#define AGENTS_MAX 64
#define LANES      4    /* of an agent */
#define OPS_MAX    4096 /* in a call */
#define VALUES_MAX 262000
#define BODY_MAX   (8 * MIB)
#define TICK_MS    5

struct bench_options {
    struct load_target target;
    char *topic;
    int64_t agents, consumers, partitions, every_ms, duration_ms;
};

static const struct option_spec specs[] = {
    LOAD_TARGET_SPECS,
#define OPTION(field, name, type, text, placeholder, help)                               \
    {                                                                                    \
        name, OPTION_##type, offsetof(struct bench_options, field), text, placeholder,   \
            help                                                                         \
    }
    OPTION(topic, "topic", STRING, "offsets", "NAME", "made with --partitions"),
    OPTION(agents, "agents", INT, "2", "N", "that the consumers share"),
    OPTION(consumers, "consumers", INT, "4000", "N",
           "each a group, with one commit outstanding"),
    OPTION(partitions, "partitions", INT, "1", "N", "of a commit"),
    OPTION(every_ms, "every", DURATION, "0s", "TIME",
           "between two commits of a consumer; 0: none"),
    OPTION(duration_ms, "duration", DURATION, "5s", "TIME", "what is measured"),
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
static int64_t joined, begun_at_us, first_round, calls;
static bool measuring, over;
static struct load_latencies latencies;

static void send_waiting(struct lane *lane);

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
        load_die("answer", "another number of results");
    for (size_t i = 0; i < count && !r.failed; i++) {
        const struct json *result = json_at(&r, results, i);
        if (json_as_int(&r, json_at(&r, result, 0), "error", -1, INT16_MAX) != 0 ||
            json_count(json_at(&r, result, 1)) != 0)
            load_die("answer", "a commit was refused");
    }
    if (r.failed)
        load_die("answer", err.text);
}

static void begin_measuring(void)
{
    load_await_go();
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
        load_die("groups", text);
    check(answer, lane->sent_count);
    lane->busy = false;
    calls += measuring;
    for (size_t i = 0; i < lane->sent_count; i++) {
        size_t consumer = lane->sent[i];
        if (!measuring) {
            first_round++;
            continue;
        }
        load_observe(&latencies, now_us - consumers[consumer].ready_at_us);
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

static void on_topic(const struct uuid *id)
{
    topic_id = *id;
    for (int64_t i = 0; i < options.consumers; i++) {
        struct lane *lane = lane_of((size_t)i);
        lane->waiting[lane->waiting_count++] = (size_t)i;
    }
    send_all();
}

static void on_joined(void *arg)
{
    struct bench_agent *agent = arg;

    if (++joined == options.agents)
        load_make_topic(agent->ctl, options.topic, options.partitions, on_topic);
}

static void join(struct bench_agent *agent)
{
    for (int i = 0; i < LANES; i++) {
        struct lane *lane = &agent->lanes[i];
        lane->agent = agent;
        lane->waiting = mem_zalloc((size_t)options.consumers * sizeof(size_t));
        lane->sent = mem_zalloc((size_t)options.consumers * sizeof(size_t));
    }
    load_join(loop, &options.target, 0, "127.0.0.1", 20000 + (agent - agents),
              &agent->ctl, on_joined, agent);
}

/* ---- the whole ---- */

static void check_options(void)
{
    if (options.agents < 1 || options.agents > AGENTS_MAX || options.consumers < 1 ||
        options.consumers > 1000000 || options.partitions < 1 ||
        options.partitions > 10000)
        load_die("options", "a number is out of range");
}

int main(int argc, char **argv)
{
    load_options(&program, argc, argv, &options);
    check_options();
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    consumers = mem_zalloc((size_t)options.consumers * sizeof(*consumers));
    for (int64_t i = 0; i < options.agents; i++)
        join(&agents[i]);
    loop_run(loop);
    printf("{\"commits\":%lld,\"calls\":%lld,\"seconds\":%.4f,",
           (long long)latencies.count, (long long)calls,
           (double)(clock_monotonic_us() - begun_at_us) / 1e6);
    load_print(&latencies);
    printf("}\n");
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
