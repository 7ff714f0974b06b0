/* node_cell.h - a cell of nodes in one process, over loopback TLS, for tests. */
#ifndef LIB_NODE_CELL_H
#define LIB_NODE_CELL_H

#include <stdatomic.h>

#include "controlplane/node.h"
#include "tests/lib/peer_certificates.h"

#define TEST_NODES 6

struct test_node {
    uint64_t id;
    char dir[64];
    char listen[64];
    struct node *node; /* NULL: down */
    struct test_certificate certificate;
    bool join, used;
    atomic_int leads;     /* calls of on_leader(true) */
    atomic_int installed; /* calls of on_installed */
    atomic_int removed;
    _Atomic int64_t ahead_ms; /* its wall clock's error */
};

struct test_cell {
    struct test_ca ca;
    struct uuid cell_id;
    struct test_node nodes[TEST_NODES + 1]; /* by id, from 1 */
    size_t checkpoint_log_bytes;            /* of nodes started from now on */
    uint64_t snapshot_rate_bytes;
};

void test_cell_init(struct test_cell *cell);
void test_cell_fini(struct test_cell *cell);

/* Start node ID: the first time as the founder (1) or as one that joins. Where it listens
 * stays the same. */
void test_cell_start(struct test_cell *cell, uint64_t id);
void test_cell_stop(struct test_cell *cell, uint64_t id); /* in order */
void test_cell_kill(struct test_cell *cell, uint64_t id);
/* Add node ID, which runs, and promote it when it is caught up. */
void test_cell_add(struct test_cell *cell, uint64_t id);
/* Wait for a leader among the nodes that run; its id. */
uint64_t test_cell_leader(struct test_cell *cell);
/* One change on the leader, tried again while it says later; the last code. */
int test_cell_change(struct test_cell *cell, enum node_change_kind kind, uint64_t id);
/* Propose on the leader until it was done; RESULT may be NULL. */
void test_cell_call(struct test_cell *cell, struct command *cmd, struct str *result);
/* Wait until all nodes that run have applied the same, and compare their states. */
void test_cell_converge(struct test_cell *cell);

#endif
