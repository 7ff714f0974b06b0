/* vcell.c - see vcell.h. */
#include "tests/lib/vcell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/mem.h"
#include "tests/lib/node_driver.h"

#define UNTIL_MS 20000

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static int no_room_needed(int fd, off_t at, off_t len)
{
    return ftruncate(fd, at + len);
}

static const struct wal_ops wal_ops = {pwritev, no_sync, no_room_needed};
static const struct vote_ops vote_ops = {pwrite, no_sync};

/* ---- one node ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

static void note_applied(struct vcell_node *node, uint64_t index)
{
    struct vcell *cell = node->cell;
    ASSERT(index == node->applied + 1 && index < ARRAY_LEN(cell->hashes));
    node->applied = index;
    if (cell->hashes[index] == 0)
        cell->hashes[index] = node->hash;
    /* The same prefix everywhere. */
    ASSERT(cell->hashes[index] == node->hash);
}

static void on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    struct vcell_node *node = arg;
    node->hash = mix(mix(node->hash, index), term);
    for (size_t i = 0; i < data.len; i++)
        node->hash = mix(node->hash, data.ptr[i]);
    note_applied(node, index);
}

static void on_skip(void *arg, uint64_t index)
{
    struct vcell_node *node = arg;
    node->hash = mix(node->hash, index);
    note_applied(node, index);
}

static void on_message(void *arg, uint64_t to, struct slice bytes)
{
    struct vcell_node *node = arg;
    struct vcell *cell = node->cell;
    struct peer_message msg;

    ASSERT(peer_message_decode(bytes, &msg) == 0);
    ASSERT(to > 0 && to < VCELL_NODES && to != node->id);
    if (cell->cut[node->id][to] ||
        (cell->filter != NULL && !cell->filter(cell, node->id, to, &msg)))
        return;
    struct vcell_message *message = mem_zalloc(sizeof(*message));
    message->from = node->id;
    message->to = to;
    message->due_ms = cell->now_ms + cell->delay_ms;
    str_init(&message->bytes, PEER_MESSAGE_MAX);
    str_append_slice(&message->bytes, bytes);
    list_push_back(&cell->messages, &message->node);
}

static void on_install(void *arg, uint64_t from, const struct replica_position *at_least)
{
    struct vcell_node *node = arg;
    ASSERT(node->install_from == 0 && at_least->index > 0);
    node->install_from = from;
}

static void on_installed(void *arg)
{
    struct vcell_node *node = arg;
    ASSERT(node->marker);
    node->marker = false;
    node->installs++;
}

static void on_configuration(void *arg)
{
    struct vcell_node *node = arg;
    node->configurations++;
}

static int64_t wall_ms(void *arg)
{
    const struct vcell_node *node = arg;
    return node->wall_ms + node->cell->now_ms;
}

static void on_fatal(void *arg, const struct err *err)
{
    struct vcell_node *node = arg;
    node->fatal = err->code;
}

static void submit_job(void *arg, struct log_job *job)
{
    struct vcell_node *node = arg;
    list_push_back(&node->jobs, &job->node);
    job->done = (size_t)(node->cell->now_ms + node->disk_ms); /* when it is */
}

static void snapshot_set(struct vcell_snapshot *to,
                         const struct replica_position *position, uint64_t hash)
{
    struct slice bytes = position->configuration;
    str_reset(&to->configuration);
    str_append_slice(&to->configuration, bytes);
    to->position = *position;
    to->position.configuration = str_slice(&to->configuration);
    to->hash = hash;
}

void vcell_start(struct vcell *cell, uint64_t id)
{
    struct vcell_node *node = &cell->nodes[id];
    char vote[128];
    struct err err = {.code = 0};
    struct uuid uuid = {{1}};
    struct wal_options log = {
        .dir = node->dir, .segment_bytes = 16384, .cell_id = uuid, .ops = &wal_ops};

    ASSERT(node->replica == NULL);
    (void)mkdir(node->dir, 0700);
    snprintf(vote, sizeof(vote), "%s/vote", node->dir);
    int rc = wal_open(&log, &node->wal, &err);
    struct replica_options options = {.id = id,
                                      .address = node->address,
                                      .vote_path = vote,
                                      .vote_ops = &vote_ops,
                                      .election_timeout_ms = VCELL_ELECTION,
                                      .heartbeat_ms = VCELL_BEAT,
                                      .trailing = cell->trailing,
                                      .random_seed = ++cell->seed * 7919,
                                      .bootstrap = id == 1,
                                      .reset_log = node->marker,
                                      .start = node->saved.position,
                                      .wal = node->wal,
                                      .arg = node,
                                      .wall_ms = wall_ms,
                                      .on_apply = on_apply,
                                      .on_skip = on_skip,
                                      .on_message = on_message,
                                      .on_configuration = on_configuration,
                                      .on_install = on_install,
                                      .on_installed = on_installed,
                                      .on_fatal = on_fatal};
    struct log_port port = {.arg = node, .submit = submit_job};
    node->hash = node->saved.hash;
    node->applied = node->saved.position.index;
    node->install_from = 0;
    if (rc == 0)
        rc = replica_new(&options, &node->replica, &err);
    if (rc == 0)
        node->marker = false;
    if (rc == 0)
        rc = replica_start(node->replica, &port, cell->now_ms, &err);
    if (rc != 0)
        fprintf(stderr, "start of node %d: %s\n", (int)id, err.text);
    ASSERT(rc == 0);
}

static void drop_jobs(struct vcell_node *node)
{
    struct list_node *item;
    while ((item = list_pop_front(&node->jobs)) != NULL)
        log_job_free(CONTAINER_OF(item, struct log_job, node));
}

void vcell_crash(struct vcell *cell, uint64_t id)
{
    struct vcell_node *node = &cell->nodes[id];
    ASSERT(node->replica != NULL);
    replica_free(node->replica);
    node->replica = NULL;
    drop_jobs(node);
    wal_close(node->wal);
    node->wal = NULL;
    node->paused = false;
}

static int run_job(struct vcell_node *node, struct log_job *job)
{
    struct err err;
    size_t done;
    int rc = node->fail_jobs;

    if (rc == 0 && job->kind == LOG_APPEND)
        rc = wal_append(node->wal, job->entries, job->count, &done, &err);
    else if (rc == 0 && job->kind == LOG_TRUNCATE)
        rc = wal_truncate(node->wal, job->index, &err);
    else if (rc == 0 && job->kind == LOG_TRIM)
        rc = wal_trim(node->wal, job->index, &err);
    else if (rc == 0 && job->kind == LOG_RESET)
        rc = wal_reset(node->wal, job->index, &err);
    return rc == 0 ? wal_sync(node->wal, &err) : rc;
}

static void run_disk(struct vcell_node *node)
{
    while (node->replica != NULL && !node->hold_jobs && !list_empty(&node->jobs)) {
        struct log_job *job = CONTAINER_OF(list_first(&node->jobs), struct log_job, node);
        if ((int64_t)job->done > node->cell->now_ms)
            return;
        list_remove(&job->node);
        job->code = run_job(node, job);
        replica_log_done(node->replica, job, node->cell->now_ms);
    }
}

/* The snapshot is fetched in no time: the source's state as it is now. */
static void run_install(struct vcell_node *node)
{
    struct vcell *cell = node->cell;
    struct vcell_node *from = &cell->nodes[node->install_from];
    struct replica_position position;
    struct str configuration;

    if (node->install_from == 0 || node->hold_installs)
        return;
    node->install_from = 0;
    if (from->replica == NULL || cell->cut[from->id][node->id]) {
        replica_install_failed(node->replica, cell->now_ms);
        return;
    }
    str_init(&configuration, MIB);
    ASSERT(replica_position(from->replica, &position, &configuration) == 0);
    if (replica_install_begin(node->replica, &position, cell->now_ms) == 0) {
        node->marker = true;
        snapshot_set(&node->saved, &position, from->hash);
        node->hash = from->hash;
        node->applied = position.index;
        replica_installed(node->replica, cell->now_ms);
    }
    str_fini(&configuration);
}

/* ---- the cell ---- */

static void free_message(struct vcell_message *message)
{
    str_fini(&message->bytes);
    mem_free(message);
}

static void deliver(struct vcell *cell)
{
    LIST_FOREACH(item, next, &cell->messages)
    {
        struct vcell_message *message = CONTAINER_OF(item, struct vcell_message, node);
        struct vcell_node *to = &cell->nodes[message->to];
        if (message->due_ms > cell->now_ms || to->paused)
            continue;
        list_remove(&message->node);
        if (to->replica != NULL && !cell->cut[message->from][message->to])
            ASSERT(replica_receive(to->replica, message->from, str_slice(&message->bytes),
                                   cell->now_ms) == 0);
        free_message(message);
    }
}

static void check(struct vcell *cell)
{
    uint64_t newest = 0;

    for (uint64_t id = 1; id < VCELL_NODES; id++) {
        struct replica *replica = cell->nodes[id].replica;
        if (replica == NULL || !replica_is_leader(replica))
            continue;
        uint64_t term = replica_term(replica);
        ASSERT(term < ARRAY_LEN(cell->leaders));
        if (cell->leaders[term] == 0) {
            cell->leaders[term] = id;
            cell->elections++;
        }
        ASSERT(cell->leaders[term] == id); /* one leader a term */
        if (replica_can_read(replica, cell->now_ms))
            newest = MAX(newest, term);
        /* Who may read while a later leader is there would miss its commits. */
        for (uint64_t other = 1; other < VCELL_NODES; other++) {
            struct replica *later = cell->nodes[other].replica;
            if (later != NULL && replica_is_leader(later) && replica_term(later) > term)
                ASSERT(!replica_can_read(replica, cell->now_ms));
        }
    }
    ASSERT(newest == 0 || newest >= cell->reader_term);
    cell->reader_term = MAX(cell->reader_term, newest);
}

void vcell_run(struct vcell *cell, int64_t ms)
{
    for (int64_t end_ms = cell->now_ms + ms; cell->now_ms < end_ms; cell->now_ms++) {
        deliver(cell);
        for (uint64_t id = 1; id < VCELL_NODES; id++) {
            struct vcell_node *node = &cell->nodes[id];
            if (node->replica == NULL || node->paused)
                continue;
            run_disk(node);
            run_install(node);
            if (replica_timeout_ms(node->replica) <= cell->now_ms)
                replica_tick(node->replica, cell->now_ms);
        }
        check(cell);
    }
}

void vcell_until(struct vcell *cell, bool (*done)(struct vcell *cell))
{
    for (int64_t end_ms = cell->now_ms + UNTIL_MS; !done(cell);) {
        ASSERT(cell->now_ms < end_ms);
        vcell_run(cell, 1);
    }
}

static bool has_leader(struct vcell *cell)
{
    uint64_t id = vcell_leader(cell);
    return id != 0 && replica_can_read(cell->nodes[id].replica, cell->now_ms);
}

void vcell_until_leader(struct vcell *cell)
{
    vcell_until(cell, has_leader);
}

static bool are_equal(struct vcell *cell)
{
    uint64_t id = vcell_leader(cell);
    if (id == 0)
        return false;
    for (uint64_t other = 1; other < VCELL_NODES; other++) {
        struct replica *replica = cell->nodes[other].replica;
        if (replica != NULL && !cell->nodes[other].paused &&
            replica_applied_index(replica) != replica_last_index(cell->nodes[id].replica))
            return false;
    }
    return true;
}

void vcell_until_equal(struct vcell *cell)
{
    vcell_until(cell, are_equal);
}

void vcell_isolate(struct vcell *cell, uint64_t id, bool cut)
{
    for (uint64_t other = 1; other < VCELL_NODES; other++)
        cell->cut[id][other] = cell->cut[other][id] = cut;
}

struct replica *vcell_replica(struct vcell *cell, uint64_t id)
{
    return cell->nodes[id].replica;
}

uint64_t vcell_leader(struct vcell *cell)
{
    uint64_t leader = 0, term = 0;
    for (uint64_t id = 1; id < VCELL_NODES; id++) {
        struct replica *replica = cell->nodes[id].replica;
        if (replica == NULL || cell->nodes[id].paused || !replica_is_leader(replica) ||
            replica_term(replica) <= term)
            continue;
        leader = id;
        term = replica_term(replica);
    }
    return leader;
}

uint64_t vcell_other(struct vcell *cell, uint64_t a, uint64_t b)
{
    for (uint64_t id = 1; id < VCELL_NODES; id++) {
        if (id != a && id != b && cell->nodes[id].replica != NULL)
            return id;
    }
    return 0;
}

uint64_t vcell_submit(struct vcell *cell, uint64_t id, const char *text)
{
    uint64_t index, term;
    int rc = replica_submit(cell->nodes[id].replica, slice_str(text), cell->now_ms,
                            &index, &term);
    return rc == 0 ? index : 0;
}

void vcell_checkpoint(struct vcell *cell, uint64_t id)
{
    struct vcell_node *node = &cell->nodes[id];
    struct replica_position position;
    struct str configuration;

    str_init(&configuration, MIB);
    ASSERT(replica_position(node->replica, &position, &configuration) == 0);
    snapshot_set(&node->saved, &position, node->hash);
    replica_checkpointed(node->replica, &node->saved.position, cell->now_ms);
    str_fini(&configuration);
}

static bool settled(struct vcell *cell)
{
    uint64_t id = vcell_leader(cell);
    return id != 0 && !replica_changing(cell->nodes[id].replica) &&
           replica_applied_index(cell->nodes[id].replica) ==
               replica_last_index(cell->nodes[id].replica);
}

void vcell_change(struct vcell *cell, enum replica_change_kind kind, uint64_t id)
{
    struct err err;
    uint64_t index;
    int rc = -1;

    for (int i = 0; i < UNTIL_MS && rc != 0; i++) {
        uint64_t leader = vcell_leader(cell);
        if (leader != 0)
            rc = replica_change(cell->nodes[leader].replica, kind, id,
                                cell->nodes[id].address, cell->now_ms, &index, &err);
        vcell_run(cell, 1);
    }
    if (rc != 0)
        fprintf(stderr, "change of node %d: %s\n", (int)id, err.text);
    ASSERT(rc == 0);
    vcell_until(cell, settled);
}

unsigned vcell_readers(struct vcell *cell)
{
    unsigned n = 0;
    for (uint64_t id = 1; id < VCELL_NODES; id++)
        n += cell->nodes[id].replica != NULL &&
             replica_can_read(cell->nodes[id].replica, cell->now_ms);
    return n;
}

bool vcell_server(struct vcell *cell, uint64_t at, uint64_t id,
                  struct replica_server *server)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t n = replica_servers(cell->nodes[at].replica, servers);
    for (size_t i = 0; i < n; i++) {
        if (servers[i].id != id)
            continue;
        *server = servers[i];
        return true;
    }
    return false;
}

struct vcell *vcell_new(unsigned count)
{
    struct vcell *cell = mem_zalloc(sizeof(*cell));

    temp_dir(cell->dir);
    cell->now_ms = 1000;
    cell->delay_ms = 1;
    list_init(&cell->messages);
    for (uint64_t id = 1; id < VCELL_NODES; id++) {
        struct vcell_node *node = &cell->nodes[id];
        node->cell = cell;
        node->id = id;
        node->disk_ms = 1;
        list_init(&node->jobs);
        str_init(&node->saved.configuration, MIB);
        snprintf(node->dir, sizeof(node->dir), "%s/%d", cell->dir, (int)id);
        snprintf(node->address, sizeof(node->address), "node%d:7802", (int)id);
    }
    vcell_start(cell, 1);
    for (uint64_t id = 2; id <= count; id++) {
        vcell_start(cell, id);
        vcell_change(cell, REPLICA_ADD, id);
        vcell_change(cell, REPLICA_PROMOTE, id);
    }
    vcell_until_equal(cell);
    vcell_run(cell, VCELL_BEAT * 2);
    return cell;
}

void vcell_free(struct vcell *cell)
{
    struct list_node *item;
    for (uint64_t id = 1; id < VCELL_NODES; id++) {
        if (cell->nodes[id].replica != NULL)
            vcell_crash(cell, id);
        str_fini(&cell->nodes[id].saved.configuration);
        if (access(cell->nodes[id].dir, F_OK) == 0)
            temp_dir_remove(cell->nodes[id].dir);
    }
    while ((item = list_pop_front(&cell->messages)) != NULL)
        free_message(CONTAINER_OF(item, struct vcell_message, node));
    temp_dir_remove(cell->dir);
    mem_free(cell);
}
