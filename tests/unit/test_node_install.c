/* test_node_install.c - a node that is killed at each step of installing a snapshot: the
 * next start ends with the leader's state. With FAULTS=1 it dies at the fault points
 * install-*, otherwise some time after its start.
 *
 * The node that dies is this program again, as a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/node_cell.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define PEM_BYTES 65536

#ifdef WEFT_FAULTS
static const char *const points[] = {
    "install-fetching", "install-fetched",  "install-verified", "install-noted",
    "install-cleared",  "install-replaced", "install-loaded",   "install-reset",
    "install-finished", "wal-reset",        "wal-reset-empty",
};
#define KILLS ARRAY_LEN(points)
#else
#define KILLS    9
#define DELAY_MS 40 /* times 1 to KILLS: an install takes about 200 ms */
#endif

/* ---- the process that dies ---- */

static struct slice read_pem(const char *dir, const char *name)
{
    static char bytes[3][PEM_BYTES];
    static int used;
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        exit(2);
    size_t len = fread(bytes[used], 1, PEM_BYTES, file);
    fclose(file);
    return slice_of(bytes[used++], len);
}

/* ARGV: "node", directory of the PEMs, data directory, where it listens, where node 1
 * does. */
static int be_node(char **argv)
{
    struct peers_address known = {1, argv[4]};
    struct node_options options = {.dir = argv[2],
                                   .cell_id = test_uuid(77, 1),
                                   .node_id = 2,
                                   .begin = NODE_JOIN,
                                   .listen_peers = argv[3],
                                   .address = argv[3],
                                   .certificate = {.chain_pem = read_pem(argv[1], "cert"),
                                                   .key_pem = read_pem(argv[1], "key"),
                                                   .ca_pem = read_pem(argv[1], "ca")},
                                   .known = &known,
                                   .known_count = 1,
                                   .election_timeout_ms = 300,
                                   .heartbeat_ms = 50};
    struct node *node = NULL;
    struct err err = {.code = 0};

    if (node_start(&options, &node, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    sleep(30);
    return 4; /* it should be dead */
}

/* ---- the test ---- */

static void write_pem(const char *dir, const char *name, struct slice pem)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(pem.ptr, 1, pem.len, file), pem.len);
    fclose(file);
}

/* Run node 2 as a process that dies at the TH step. */
static void run_dying(struct test_cell *cell, const char *pems, size_t th)
{
    int status = 0;

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
#ifdef WEFT_FAULTS
        char fault[64];
        snprintf(fault, sizeof(fault), "%s:1", points[th]);
        setenv("WEFT_FAULT", fault, 1);
#endif
        execl("/proc/self/exe", "node", pems, cell->nodes[2].dir, cell->nodes[2].listen,
              cell->nodes[1].listen, (char *)NULL);
        _exit(9);
    }
#ifndef WEFT_FAULTS
    usleep((useconds_t)(th + 1) * DELAY_MS * 1000);
    kill(pid, SIGKILL);
#endif
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("step %zu: status %x", th, (unsigned)status);
}

static void make_topics(struct test_cell *cell, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char name[32];
        struct command cmd = {.kind = COMMAND_TOPIC_CREATE,
                              .cluster_id = test_uuid(1, 1),
                              .topic_create = {.partitions = 8,
                                               .topics_max = 100000,
                                               .partitions_max = 1000000}};
        snprintf(name, sizeof(name), "topic-%u", i);
        cmd.topic_create.name = slice_str(name);
        cmd.topic_create.topic_id = test_uuid(2, i);
        test_cell_call(cell, &cmd, NULL);
    }
}

/* A node that dies at any step of an install has the leader's state after its next
 * start. */
static void test_kill_points(void **state)
{
    struct test_cell cell;
    struct command cluster = {.kind = COMMAND_CLUSTER_CREATE,
                              .cluster_id = test_uuid(1, 1),
                              .cluster_create = {.name = SLICE_LITERAL("acme")}};
    char pems[64];

    (void)state;
    test_cell_init(&cell);
    temp_dir(pems);
    test_cell_start(&cell, 1);
    test_cell_call(&cell, &cluster, NULL);
    test_cell_start(&cell, 2); /* makes its directory and certificate */
    test_cell_add(&cell, 2);
    write_pem(pems, "cert", cell.nodes[2].certificate.pem.chain_pem);
    write_pem(pems, "key", cell.nodes[2].certificate.pem.key_pem);
    write_pem(pems, "ca", cell.nodes[2].certificate.pem.ca_pem);
    assert_int_equal(test_cell_change(&cell, NODE_CHANGE_DEMOTE, 2), 0);
    for (size_t i = 0; i < KILLS; i++) {
        test_cell_kill(&cell, 2);
        make_topics(&cell, (uint32_t)(1 + i * 10000), 6000);
        run_dying(&cell, pems, i);
        test_cell_start(&cell, 2);
        test_cell_converge(&cell);
    }
    test_cell_fini(&cell);
    temp_dir_remove(pems);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill_points)};

    if (argc == 5 && strcmp(argv[0], "node") == 0)
        return be_node(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
