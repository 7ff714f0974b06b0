/* node_cell.c - see node_cell.h. */
#include "tests/lib/node_cell.h"

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/log.h"
#include "controlplane/peer_net.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

/* libraft prints its trace messages into static buffers, traced or not. A process of the
 * product has one Raft on one thread; the several that a test has at once meet there. */
#ifdef __SANITIZE_THREAD__
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libraft.so";
}
#endif

#define WAIT_MS 20000

void test_cell_init(struct test_cell *cell)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    memset(cell, 0, sizeof(*cell));
    sigaction(SIGPIPE, &ignore, NULL);
    test_ca_init(&cell->ca);
    cell->cell_id = test_uuid(77, 1);
    cell->checkpoint_log_bytes = 64 * KIB;
}

void test_cell_fini(struct test_cell *cell)
{
    for (uint64_t id = 1; id <= TEST_NODES; id++) {
        struct test_node *test = &cell->nodes[id];
        if (test->node != NULL)
            node_kill(test->node);
        if (!test->used)
            continue;
        temp_dir_remove(test->dir);
        test_certificate_fini(&test->certificate);
    }
    test_ca_fini(&cell->ca);
}

static void on_leader(void *arg, bool leader)
{
    struct test_node *test = arg;
    if (leader)
        atomic_fetch_add(&test->leads, 1);
}

static void on_installed(void *arg)
{
    atomic_fetch_add(&((struct test_node *)arg)->installed, 1);
}

static void on_removed(void *arg, const char *reason)
{
    (void)reason;
    atomic_fetch_add(&((struct test_node *)arg)->removed, 1);
}

/* A port that is free now, below those that outgoing connections take. */
static void pick_port(char *listen, size_t size)
{
    uint16_t port = 0;
    char printed[PEER_ADDRESS_BYTES];
    struct err err;
    int fd = -1;

    do {
        crypto_random(&port, sizeof(port));
        port = (uint16_t)(10000 + port % 20000);
        snprintf(listen, size, "127.0.0.1:%d", port);
    } while (peer_listen(listen, &fd, printed, &err) != 0);
    close(fd);
}

static int64_t wall_ms(void *arg)
{
    struct test_node *test = arg;
    return clock_wall_ms() + atomic_load(&test->ahead_ms);
}

void test_cell_start(struct test_cell *cell, uint64_t id)
{
    struct test_node *test = &cell->nodes[id];
    struct peers_address known[TEST_NODES];
    struct err err = {.code = 0};
    size_t count = 0;

    if (!test->used) {
        test->used = true;
        test->id = id;
        temp_dir(test->dir);
        snprintf(test->listen, sizeof(test->listen), "127.0.0.1:0");
        test_certificate_init(&test->certificate, &cell->ca, &cell->cell_id, id, NULL);
    }
    for (uint64_t other = 1; other <= TEST_NODES; other++) {
        if (other != id && cell->nodes[other].used)
            known[count++] = (struct peers_address){other, cell->nodes[other].listen};
    }
    if (strcmp(test->listen, "127.0.0.1:0") == 0)
        pick_port(test->listen, sizeof(test->listen));
    struct node_options options = {
        .dir = test->dir,
        .cell_id = cell->cell_id,
        .node_id = id,
        .begin = id == 1 ? NODE_BOOTSTRAP : NODE_JOIN,
        .listen_peers = test->listen,
        .address = test->listen,
        .certificate = test->certificate.pem,
        .known = known,
        .known_count = count,
        .election_timeout_ms = 300,
        .heartbeat_ms = 50,
        .snapshot_rate_bytes = cell->snapshot_rate_bytes,
        .wal_segment_bytes = 256 * KIB,
        .checkpoint_log_bytes = cell->checkpoint_log_bytes,
        .arg = test,
        .wall_ms = wall_ms,
        .on_leader = on_leader,
        .on_installed = on_installed,
        .on_removed = on_removed,
    };
    if (node_start(&options, &test->node, &err) != 0) {
        fprintf(stderr, "node %d: %s\n", (int)id, err.text);
        ASSERT(false);
    }
}

void test_cell_stop(struct test_cell *cell, uint64_t id)
{
    node_stop(cell->nodes[id].node);
    cell->nodes[id].node = NULL;
}

void test_cell_kill(struct test_cell *cell, uint64_t id)
{
    node_kill(cell->nodes[id].node);
    cell->nodes[id].node = NULL;
}

uint64_t test_cell_leader(struct test_cell *cell)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    while (clock_monotonic_ms() < until_ms) {
        for (uint64_t id = 1; id <= TEST_NODES; id++) {
            struct node_health health;
            if (cell->nodes[id].node == NULL)
                continue;
            node_health(cell->nodes[id].node, &health);
            if (health.leader && health.write_code == 0)
                return id;
        }
        usleep(5000);
    }
    ASSERT(false);
    return 0;
}

struct changing {
    struct node_change change;
    sem_t ended;
    int code;
    struct err err;
};

static void on_changed(struct node_change *change, int code, const struct err *err)
{
    struct changing *changing = CONTAINER_OF(change, struct changing, change);
    changing->code = code;
    changing->err = *err;
    sem_post(&changing->ended);
}

static void begin_change(struct node *node, void *arg)
{
    node_change(node, &((struct changing *)arg)->change);
}

int test_cell_change(struct test_cell *cell, enum node_change_kind kind, uint64_t id)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    for (;;) {
        struct changing changing = {
            .change = {.done = on_changed, .kind = kind, .node_id = id}};
        struct node *node = cell->nodes[test_cell_leader(cell)].node;
        snprintf(changing.change.address, sizeof(changing.change.address), "%s",
                 cell->nodes[id].listen);
        sem_init(&changing.ended, 0, 0);
        node_run(node, begin_change, &changing);
        while (sem_wait(&changing.ended) != 0)
            ;
        sem_destroy(&changing.ended);
        bool again = changing.code == ERR_UNAVAILABLE || changing.code == ERR_CONFLICT ||
                     changing.code == ERR_NOT_LEADER;
        if (!again || clock_monotonic_ms() > until_ms) {
            if (changing.code != 0)
                fprintf(stderr, "change %d of node %d: %s\n", (int)kind, (int)id,
                        changing.err.text);
            return changing.code;
        }
        usleep(20000);
    }
}

void test_cell_add(struct test_cell *cell, uint64_t id)
{
    /* It is there already when a change was made whose leader was lost. */
    int rc = test_cell_change(cell, NODE_CHANGE_ADD, id);
    ASSERT(rc == 0 || rc == ERR_EXISTS);
    rc = test_cell_change(cell, NODE_CHANGE_PROMOTE, id);
    ASSERT(rc == 0 || rc == ERR_EXISTS);
}

void test_cell_call(struct test_cell *cell, struct command *cmd, struct str *result)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    for (;;) {
        struct node *node = cell->nodes[test_cell_leader(cell)].node;
        int rc = node_call(node, cmd, result);
        if (rc == 0)
            return;
        ASSERT(err_retriable(rc) && clock_monotonic_ms() < until_ms);
        usleep(5000);
    }
}

void test_cell_converge(struct test_cell *cell)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    while (clock_monotonic_ms() < until_ms) {
        uint64_t first = 0, hash = 0, highest = 0;
        bool same = true;
        for (uint64_t id = 1; id <= TEST_NODES; id++) {
            struct node_health health;
            if (cell->nodes[id].node == NULL)
                continue;
            node_health(cell->nodes[id].node, &health);
            highest = MAX(highest, health.last_index);
        }
        for (uint64_t id = 1; id <= TEST_NODES && same; id++) {
            struct node_health health;
            if (cell->nodes[id].node == NULL)
                continue;
            node_health(cell->nodes[id].node, &health);
            same = health.applied_index == highest;
            if (!same)
                break;
            uint64_t own = node_hash(cell->nodes[id].node);
            if (first == 0) {
                first = id;
                hash = own;
            }
            same = own == hash;
        }
        if (same)
            return;
        usleep(20000);
    }
    ASSERT(!"the nodes' states differ");
}
