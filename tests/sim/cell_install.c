/* cell_install.c - a simulated node that is too far behind gets another's database: the
 * steps of node.c's install, each an event, so that a crash can come between any two. */
#include "common/mem.h"
#include "tests/sim/cell_node.h"

#define TRIES 3

/* A snapshot from another node. */
struct fetch {
    unsigned from;
    uint64_t at_least;
    struct cell_db *db; /* NULL: not here yet */
    struct state *state;
    struct checkpoint_meta meta;
    struct str configuration;
    int tries;
};

static void fetch_free(struct sim_node *node)
{
    struct fetch *fetch = node->fetch;

    node->fetch = NULL;
    cell_db_free(fetch->db);
    if (fetch->state != NULL)
        state_free(fetch->state);
    str_fini(&fetch->configuration);
    mem_free(fetch);
}

/* The database is in its place: free the old state, go on with the new. */
static void install_state(struct sim_node *node, void *arg)
{
    struct fetch *fetch = node->fetch;

    (void)arg;
    state_free(node->state);
    node->state = fetch->state;
    fetch->state = NULL;
    node->applied = fetch->meta.position.index;
    node->entries_unsaved = 0;
    cell_trace("node %u: installed snapshot %llu", node->number,
               (unsigned long long)node->applied);
    check_state(node->number, node->applied, node->state);
    fetch_free(node);
    replica_installed(node->replica, cell_node_now_ms(node));
}

static void install_place(struct sim_node *node, void *arg)
{
    char path[64];
    struct err err;

    (void)arg;
    disk_path(node->number, path);
    cell_db_put(node->number, node->fetch->db);
    node->fetch->db = NULL;
    int rc = db_open(path, &node->db, &err);
    CELL_CHECK(rc == 0, "node %u: %s", node->number, err.text);
    cell_node_after(node, cell_between(0, 20), install_state, NULL);
}

static void install_mark(struct sim_node *node, void *arg)
{
    (void)arg;
    node->marker = true;
    cell_node_after(node, cell_between(0, 20), install_place, NULL);
}

/* The whole file is here: load it to know where it stands. */
static void fetched(struct sim_node *node, void *arg)
{
    struct fetch *fetch = node->fetch;
    struct err err;

    (void)arg;
    if (node->saving != NULL) { /* it writes into the old database */
        cell_node_after(node, 5, fetched, NULL);
        return;
    }
    fetch->state = state_new(NULL);
    int rc = checkpoint_load(fetch->state, (struct db *)(void *)fetch->db, &fetch->meta,
                             &fetch->configuration, &err);
    CELL_CHECK(rc == 0, "node %u: snapshot of node %u: %s", node->number, fetch->from,
               err.text);
    rc = replica_install_begin(node->replica, &fetch->meta.position,
                               cell_node_now_ms(node));
    if (rc != 0) {
        CELL_CHECK(rc == ERR_CANCELLED, "install_begin: %d", rc);
        fetch_free(node);
        return;
    }
    cell_node_after(node, cell_between(0, 20), install_mark, NULL);
}

/* Whether node A can speak to node B and hear it. */
static bool connected(unsigned a, unsigned b)
{
    return cell_node_up(b) && !cell.net.links[a][b].cut && !cell.net.links[b][a].cut;
}

static void fetch_try(struct sim_node *node, void *arg)
{
    struct fetch *fetch = node->fetch;
    const struct cell_db *from = cell_db_of(fetch->from);

    (void)arg;
    if (connected(node->number, fetch->from) && from != NULL && cell_chance(80)) {
        fetch->db = cell_db_copy(from);
        cell_node_after(node, cell_between(1, cell_chance(20) ? 3000 : 100), fetched,
                        NULL);
        return;
    }
    if (++fetch->tries < TRIES) {
        cell_node_after(node, cell_between(100, 1000), fetch_try, NULL);
        return;
    }
    fetch_free(node);
    replica_install_failed(node->replica, cell_node_now_ms(node));
}

void cell_install_wanted(void *arg, uint64_t from,
                         const struct replica_position *at_least)
{
    struct sim_node *node = arg;

    if (cell_node_doomed(node))
        return;
    CELL_CHECK(node->fetch == NULL, "node %u: two installs at a time", node->number);
    cell_trace("node %u: wants the snapshot of node %llu at %llu", node->number,
               (unsigned long long)from, (unsigned long long)at_least->index);
    struct fetch *fetch = mem_zalloc(sizeof(*fetch));
    fetch->from = (unsigned)from;
    fetch->at_least = at_least->index;
    str_init(&fetch->configuration, 64 * KIB);
    node->fetch = fetch;
    cell_node_after(node, cell_between(1, 50), fetch_try, NULL);
}

void cell_install_done(void *arg)
{
    struct sim_node *node = arg;

    if (cell_node_doomed(node))
        return;
    cell.counts.installs++;
    node->durable_index = node->applied;
    node->marker = false;
}

/* What a start finds, if it was killed in the midst of an install. */
void cell_install_after_crash(struct sim_node *node)
{
    if (node->fetch == NULL)
        return;
    if (node->marker && node->fetch->db != NULL) {
        /* The marker without the database in its place: it is put there now. */
        cell_db_put(node->number, node->fetch->db);
        node->fetch->db = NULL;
    }
    fetch_free(node);
}

bool cell_install_begun(const struct sim_node *node)
{
    return node->fetch != NULL && node->fetch->state != NULL;
}
