/* load.c - see load.h. */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"

#define CLUSTERS_MAX 1024

static const char *program_name = "load";
static char *tokens[CLUSTERS_MAX]; /* in the target's */
static int64_t token_count;

void load_die(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s: %s\n", program_name, what, text == NULL ? "" : text);
    exit(1);
}

static void split_tokens(char *rest)
{
    char *token;

    while ((token = strsep(&rest, ",")) != NULL) {
        if (token_count == CLUSTERS_MAX)
            load_die("options", "too many enrolment tokens");
        tokens[token_count++] = token;
    }
}

void load_options(const struct option_program *program, int argc, char **argv,
                  void *options)
{
    struct load_target *target = options;
    enum option_outcome outcome;
    struct err err = {0};

    program_name = program->name;
    if (option_parse(program, argc, argv, options, &outcome, &err) != 0)
        load_die("options", err.text);
    if (outcome != OPTION_RUN)
        exit(0);
    if (target->control_plane == NULL || target->ca_fingerprint == NULL ||
        target->enrolment_token == NULL)
        load_die("options",
                 "--control-plane, --ca-fingerprint and --enrolment-token must "
                 "be given");
    split_tokens(target->enrolment_token);
    log_set_level(LOG_WARN);
}

/* ---- joining ---- */

struct joining {
    struct ctl *ctl;
    char host[32];
    int64_t port;
    void (*joined)(void *arg);
    void *arg;
};

static void on_registered(int code, const char *text, void *arg)
{
    struct joining *joining = arg;

    if (code != 0)
        load_die("register", text);
    joining->joined(joining->arg);
    mem_free(joining);
}

static void on_enrolled(int code, const char *text, void *arg)
{
    struct joining *joining = arg;
    struct json *body = json_object();

    if (code != 0)
        load_die("enrol", text);
    json_set(body, "zone", json_string("bench"));
    json_set(body, "rack", json_string(""));
    json_set(body, "host", json_string(joining->host));
    json_set(body, "port", json_int(joining->port));
    json_set(body, "http_url", json_string(""));
    json_set(body, "version", json_string("bench"));
    json_set(body, "state", json_string("active"));
    ctl_register(joining->ctl, body, on_registered, joining);
}

void load_join(struct loop *loop, const struct load_target *target, int64_t number,
               const char *host, int64_t port, struct ctl **ctl,
               void (*joined)(void *arg), void *arg)
{
    struct joining *joining = mem_zalloc(sizeof(*joining));
    struct err err = {0};
    const struct ctl_options options = {
        .urls = target->control_plane,
        .ca_fingerprint = target->ca_fingerprint,
        .enrolment_token = tokens[number % token_count],
    };

    if (ctl_new(loop, &options, ctl, &err) != 0)
        load_die("options", err.text);
    joining->ctl = *ctl;
    snprintf(joining->host, sizeof(joining->host), "%s", host);
    joining->port = port;
    joining->joined = joined;
    joining->arg = arg;
    ctl_enrol(*ctl, on_enrolled, joining);
}

/* ---- a topic ---- */

static void (*topic_made)(const struct uuid *topic_id);

static void on_topic(int code, const char *text, const struct json *answer, void *arg)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};

    (void)arg;
    if (code != 0)
        load_die("topics/create", text);
    const struct json *result = json_at(&r, json_get_array(&r, answer, "results"), 0);
    if (json_as_int(&r, json_at(&r, result, 0), "error", -1, 1000) != 0)
        load_die("topics/create", "the topic was refused");
    struct uuid topic_id = json_as_uuid(&r, json_at(&r, result, 2), "topic id");
    if (r.failed)
        load_die("topics/create", err.text);
    topic_made(&topic_id);
}

void load_make_topic(struct ctl *ctl, const char *name, int64_t partitions,
                     void (*made)(const struct uuid *topic_id))
{
    struct json *topic = json_array(), *topics = json_array(), *body = json_object();

    json_push(topic, json_string(name));
    json_push(topic, json_int(partitions));
    json_push(topic, json_int(1));
    json_push(topic, json_object());
    json_push(topic, json_array());
    json_push(topics, topic);
    json_set(body, "validate_only", json_bool(false));
    json_set(body, "topics", topics);
    topic_made = made;
    (void)ctl_send(ctl, "/agent/v1/topics/create", body, 0, on_topic, NULL);
}

/* ---- measuring ---- */

void load_await_go(void)
{
    char line[64];

    printf("{\"ready\":true}\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        load_die("standard input", "ended before the word to begin");
}

void load_observe(struct load_latencies *latencies, int64_t took_us)
{
    latencies->count++;
    latencies->longest_us = MAX(latencies->longest_us, took_us);
    latencies->buckets[MIN(MAX(took_us, 0) / 100, LOAD_BUCKETS)]++;
}

/* The least latency in ms that PART of all do not pass. */
static double percentile(const struct load_latencies *latencies, double part)
{
    double seen = 0;

    for (int i = 0; i <= LOAD_BUCKETS; i++) {
        seen += latencies->buckets[i];
        if (seen >= part * (double)latencies->count)
            return (i + 1) / 10.0;
    }
    return 0;
}

void load_print(const struct load_latencies *latencies)
{
    printf("\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f", percentile(latencies, 0.50),
           percentile(latencies, 0.99), (double)latencies->longest_us / 1e3);
}
