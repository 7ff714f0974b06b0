/* test_cell.c - the cell simulator: the product's replica, log, vote, state and
 * checkpoints on simulated disks, network and clocks, in virtual time, from seeds.
 *
 * A seed founds a cell, runs clients against it while everything goes wrong that
 * cell_chaos.c knows of, then mends all: within 60 simulated seconds every client must
 * have success again, and soon after all members be the same. What is checked all the
 * time is in cell_check.c and cell_load.c.
 *
 *   test_cell                        a few seeds, as a test of `make check`
 *   test_cell --seed N [--trace]     one seed
 *   test_cell --seeds N [--first F] [--jobs J] [--until-failure]
 *                                    many; a line for each that fails, then the sums
 *   --voters N                       in any of these: cells of N voters */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "tests/sim/cell_node.h"

#define FAULTS_MS     30000 /* faults happen for so long, or up to twice */
#define RECOVERY_MS   60000
#define CHECK_SEEDS   12
#define FAILED_STATUS 3   /* of a process that has told why */
#define SEED_LIMIT_S  120 /* of real time */

struct simulation cell;
static const char *program;
static unsigned voters; /* 0: as the seed says */

/* ---- for the other parts ---- */

void cell_fail(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    printf("seed %llu fails at %lld ms: %s; replay: %s --seed %llu --trace\n",
           (unsigned long long)cell.seed, (long long)cell.time.now_ms, text, program,
           (unsigned long long)cell.seed);
    fflush(stdout);
    _exit(FAILED_STATUS);
}

void cell_trace(const char *format, ...)
{
    va_list args;

    if (!cell.trace)
        return;
    printf("%8lld ", (long long)cell.time.now_ms);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* The product's own log belongs to the trace (--wrap in the Makefile). */
void __wrap_log_write(enum log_level level, const char *module, const char *msg,
                      const char *fmt, ...) PRINTF_LIKE(4, 5);
void __wrap_log_write(enum log_level level, const char *module, const char *msg,
                      const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)level;
    cell_trace("  [%s] %s %s", module, msg, text);
}

/* An assertion of the product is a failure of the seed. */
NORETURN void __wrap_check_failed(const char *expr, const char *file, int line,
                                  const char *func);
void __wrap_check_failed(const char *expr, const char *file, int line, const char *func)
{
    cell_fail("%s:%d: %s: ASSERT(%s)", file, line, func, expr);
}

int64_t cell_between(int64_t low, int64_t high)
{
    return low + (int64_t)vtime_random(&cell.time, (uint64_t)(high - low + 1));
}

bool cell_chance(unsigned percent)
{
    return vtime_chance(&cell.time, percent);
}

/* ---- one seed ---- */

static void run_until(int64_t until_ms)
{
    while (vtime_step(&cell.time, until_ms))
        ;
}

/* Run until DONE says so, which must be within LIMIT_MS. */
static void run_within(int64_t limit_ms, bool (*done)(void), const char *what)
{
    int64_t until_ms = cell.time.now_ms + limit_ms;

    while (!done()) {
        CELL_CHECK(cell.time.now_ms < until_ms, "%s within %lld ms", what,
                   (long long)limit_ms);
        run_until(cell.time.now_ms + 100);
    }
}

static int64_t calm_since_ms;

static bool recovered(void)
{
    return load_recovered(calm_since_ms);
}

static void compare_states(void)
{
    check_state_at_end();
    for (unsigned i = 1; i <= cell.last_node; i++) {
        if (cell_nodes[i].status == NODE_RUNS)
            check_state(i, cell_nodes[i].applied, cell_nodes[i].state);
    }
}

static void run_seed(uint64_t seed)
{
    memset(&cell.counts, 0, sizeof(cell.counts));
    cell.seed = seed;
    vtime_init(&cell.time, seed);
    disks_init(&cell.time);
    net_init(&cell.net, &cell.time, cell_node_deliver);
    check_init();
    cell.voters = cell_chance(60) ? 3 : 5;
    if (voters > 0)
        cell.voters = voters;
    int64_t start_ms = cell.time.now_ms;
    chaos_start();
    load_start();
    run_until(cell.time.now_ms + 2000);
    chaos_begin();
    run_until(cell.time.now_ms + cell_between(FAULTS_MS, 2 * FAULTS_MS));
    chaos_end();
    cell_trace("the faults end");
    calm_since_ms = cell.time.now_ms;
    run_within(RECOVERY_MS, recovered, "not every client has success");
    chaos_end_all();
    load_stop();
    run_within(RECOVERY_MS, load_idle, "something is not answered");
    run_within(RECOVERY_MS, chaos_settled, "not all members are the same");
    compare_states();
    cell.counts.milliseconds = (uint64_t)(cell.time.now_ms - start_ms);
}

/* ---- many ---- */

static void print_counts(const struct cell_counts *c)
{
    printf(
        "%llu crashes (%llu power cuts), %llu pauses, %llu cut links, %llu disk "
        "faults, %llu flipped bits, %llu torn tails; %llu elections, %llu transfers, "
        "%llu installs, %llu changes, %llu nodes replaced; %llu entries, %llu commits, "
        "%llu repeats, %llu topics, %llu reads (%llu refused); %.1f simulated hours\n",
        (unsigned long long)c->crashes, (unsigned long long)c->power_cuts,
        (unsigned long long)c->pauses, (unsigned long long)c->cuts,
        (unsigned long long)c->disk_faults, (unsigned long long)c->flips,
        (unsigned long long)c->torn_tails, (unsigned long long)c->elections,
        (unsigned long long)c->transfers, (unsigned long long)c->installs,
        (unsigned long long)c->changes, (unsigned long long)c->replaced,
        (unsigned long long)c->entries, (unsigned long long)c->commits,
        (unsigned long long)c->repeats, (unsigned long long)c->topics,
        (unsigned long long)c->reads, (unsigned long long)c->refused_reads,
        (double)c->milliseconds / 3600000.0);
}

struct child {
    pid_t pid;
    int fd; /* its counts come from here */
    uint64_t seed;
};

/* Run SEED in a process of its own: nothing of it is left for the next. */
static struct child start_child(uint64_t seed)
{
    int fds[2];

    fflush(stdout);
    ASSERT(pipe(fds) == 0);
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        alarm(SEED_LIMIT_S);
        run_seed(seed);
        ssize_t n = write(fds[1], &cell.counts, sizeof(cell.counts));
        fflush(stdout);
        _exit(n == sizeof(cell.counts) ? 0 : 1);
    }
    close(fds[1]);
    return (struct child){pid, fds[0], seed};
}

/* Wait for CHILD; false: it failed. */
static bool end_child(struct child *child, struct cell_counts *sum)
{
    struct cell_counts counts;
    int status = 0;
    ssize_t n = read(child->fd, &counts, sizeof(counts));

    close(child->fd);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == FAILED_STATUS))
        printf("seed %llu fails: wait status %d; replay: %s --seed %llu --trace\n",
               (unsigned long long)child->seed, status, program,
               (unsigned long long)child->seed);
    if (n != sizeof(counts) || status != 0)
        return false;
    const uint64_t *from = (const uint64_t *)(const void *)&counts;
    uint64_t *to = (uint64_t *)(void *)sum;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*to); i++)
        to[i] += from[i];
    return true;
}

/* Returns how many fail. */
static unsigned run_seeds(uint64_t first, uint64_t count, unsigned jobs,
                          bool until_failure)
{
    struct child children[16];
    struct cell_counts sum = {.crashes = 0};
    uint64_t next = first, end = first + count, done = 0;
    unsigned running = 0, failed = 0;

    jobs = MIN(MAX(jobs, 1u), (unsigned)ARRAY_LEN(children));
    while (next < end || running > 0) {
        while (running < jobs && next < end && !(until_failure && failed > 0))
            children[running++] = start_child(next++);
        if (running == 0)
            break;
        failed += !end_child(&children[0], &sum);
        done++;
        memmove(children, children + 1, --running * sizeof(children[0]));
    }
    printf("%llu seeds from %llu, %u failed: ", (unsigned long long)done,
           (unsigned long long)first, failed);
    print_counts(&sum);
    return failed;
}

/* Cells of three and five nodes lose nothing, tell nothing stale and come back by
 * themselves, whatever happens to disks, network, clocks and members. */
static void test_seeds(void **state)
{
    (void)state;
    assert_int_equal(run_seeds(1, CHECK_SEEDS, 1, false), 0);
}

/* Seeds that failed once, each for a reason of its own. */
static void test_regressions(void **state)
{
    static const uint64_t seeds[] = {
        108833, /* guard 10 of replica_message.c */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
        assert_int_equal(run_seeds(seeds[i], 1, 1, false), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds),
                                       cmocka_unit_test(test_regressions)};
    uint64_t seed = 0, first = 1, count = 0;
    unsigned jobs = 1;
    bool until_failure = false;

    program = argv[0];
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0)
            cell.trace = true;
        else if (strcmp(argv[i], "--until-failure") == 0)
            until_failure = true;
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--seeds") == 0)
            count = strtoull(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--first") == 0)
            first = strtoull(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--voters") == 0)
            voters = (unsigned)strtoul(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--jobs") == 0)
            jobs = (unsigned)strtoul(value, NULL, 10), i++;
        else {
            fprintf(stderr, "unknown argument %s; see the head of test_cell.c\n",
                    argv[i]);
            return 2;
        }
    }
    if (seed > 0) {
        run_seed(seed);
        print_counts(&cell.counts);
        fflush(stdout);
        _exit(0); /* nothing was freed: no leak */
    }
    if (count > 0)
        return run_seeds(first, count, jobs, until_failure) > 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
