/* load.h - what the programs that load a control plane as agents do have in common:
 * agents that join, a topic, the word to begin, latencies.
 *
 * Used by bench_commit.c, bench_offsets.c and bench_agents.c. One thread, one loop.
 * Whatever is refused ends the program: a benchmark of errors says nothing. */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "common/defs.h"
#include "common/option.h"

/* Exit status 1, and WHAT: TEXT (may be NULL) on standard error. */
void load_die(const char *what, const char *text) __attribute__((noreturn));

/* Where agents join, as options: the first members of a program's own, LOAD_TARGET_SPECS
 * the first of its specs. */
struct load_target {
    char *control_plane, *ca_fingerprint, *enrolment_token;
};
#define LOAD_TARGET_SPEC(field, name, type, placeholder, help)                           \
    {                                                                                    \
        name, OPTION_##type, offsetof(struct load_target, field), NULL, placeholder,     \
            help                                                                         \
    }
#define LOAD_TARGET_SPECS                                                                \
    LOAD_TARGET_SPEC(control_plane, "control-plane", LIST, "URL", "for enrolment"),      \
        LOAD_TARGET_SPEC(ca_fingerprint, "ca-fingerprint", STRING, "HEX", "of its CA"),  \
        LOAD_TARGET_SPEC(enrolment_token, "enrolment-token", SECRET, "TOKEN,...",        \
                         "of the clusters that agents join, in turn")

/* Read OPTIONS, which begin with a struct load_target; the program ends here when
 * something is wrong or --help was asked for. */
void load_options(const struct option_program *program, int argc, char **argv,
                  void *options);

/* Make *CTL, enrol and register as an agent at HOST:PORT; then call JOINED. TARGET must
 * outlive the agent. The NUMBERth agent is of the NUMBERth cluster, in turn. */
void load_join(struct loop *loop, const struct load_target *target, int64_t number,
               const char *host, int64_t port, struct ctl **ctl,
               void (*joined)(void *arg), void *arg);

/* Make the topic NAME, then call MADE. */
void load_make_topic(struct ctl *ctl, const char *name, int64_t partitions,
                     void (*made)(const struct uuid *topic_id));

/* Say {"ready":true} and wait for the word to begin, on standard input. */
void load_await_go(void);

#define LOAD_BUCKETS 100000 /* of 0.1 ms */
struct load_latencies {
    int64_t count, longest_us;
    uint32_t buckets[LOAD_BUCKETS + 1];
};
void load_observe(struct load_latencies *latencies, int64_t took_us);
/* "p50_ms", "p99_ms" and "max_ms" as members of a JSON object, on standard output. */
void load_print(const struct load_latencies *latencies);

#endif
