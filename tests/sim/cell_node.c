/* cell_node.c - see cell_node.h. Events and time, checkpoints, proposals, Raft's
 * callbacks, start and crash. */
#include "tests/sim/cell_node.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/cursor.h"
#include "common/mem.h"

#define CLOCK_BASE_MS 10000000

struct sim_node cell_nodes[DISKS];

/* Something that happens to a node, if it lives as it did then. */
struct node_event {
    struct node_event *next; /* in the backlog */
    struct sim_node *node;
    uint32_t life;
    void (*run)(struct sim_node *node, void *arg);
    void *arg;
};

/* A checkpoint on its way into the database. */
struct saving {
    struct checkpoint_meta meta;
    struct str delta, configuration;
};

struct proposed {
    struct proposed *next;
    struct op *op;
    unsigned attempt;
};

/* The proposals of one entry. */
struct batch {
    struct batch *next;
    uint64_t index, term;
    struct proposed *proposals;
};

static struct uuid cell_id(void)
{
    return (struct uuid){{7}};
}

static struct sim_node *node_of(unsigned number)
{
    ASSERT(number > 0 && number < DISKS);
    return &cell_nodes[number];
}

/* ---- time and events ---- */

int64_t cell_node_now_ms(const struct sim_node *node)
{
    int64_t passed_ms = cell.time.now_ms - node->clock_from_ms;
    return node->clock_base_ms + (int64_t)((double)passed_ms * (1.0 + node->drift));
}

bool cell_node_up(unsigned number)
{
    const struct sim_node *node = node_of(number);
    return node->status == NODE_RUNS && !node->paused;
}

/* The disk has stopped in the middle of what runs: nothing gets out any more. */
bool cell_node_doomed(const struct sim_node *node)
{
    return disk_of(node->number)->crashed;
}

static void on_timer(struct sim_node *node, void *arg)
{
    (void)arg;
    node->timer_at_ms = INT64_MAX;
    if (replica_timeout_ms(node->replica) <= cell_node_now_ms(node))
        replica_tick(node->replica, cell_node_now_ms(node));
}

/* A wake-up at the replica's next timeout, by the node's own clock. */
static void schedule_timer(struct sim_node *node)
{
    int64_t left_ms = replica_timeout_ms(node->replica) - cell_node_now_ms(node);
    int64_t delay_ms = MAX((int64_t)((double)left_ms / (1.0 + node->drift)), 0) + 1;
    int64_t at_ms = cell.time.now_ms + delay_ms;

    if (at_ms >= node->timer_at_ms)
        return; /* it will look again then */
    node->timer_at_ms = at_ms;
    cell_node_after(node, delay_ms, on_timer, NULL);
}

static void checkpoint(struct sim_node *node);

static void stop_removed(struct sim_node *node, void *arg)
{
    (void)arg;
    cell_trace("node %u: was removed", node->number);
    cell_node_forget(node->number, NODE_REMOVED);
}

/* NODE was given something: what else comes of it. */
static void settle(struct sim_node *node)
{
    if (node->status != NODE_RUNS)
        return;
    if (cell_node_doomed(node)) {
        cell_node_crash(node->number, disk_of(node->number)->power);
        return;
    }
    if (replica_removed(node->replica) && !node->stopping) {
        CELL_CHECK(node->removing, "node %u takes itself for removed", node->number);
        node->stopping = true;
        cell_node_after(node, cell_between(0, 500), stop_removed, NULL);
    }
    if (node->entries_unsaved >= node->checkpoint_every && node->saving == NULL &&
        !cell_install_begun(node))
        checkpoint(node);
    schedule_timer(node);
}

static void run_event(struct node_event *event)
{
    struct sim_node *node = event->node;

    event->run(node, event->arg);
    mem_free(event);
    settle(node);
}

static void fire(void *arg)
{
    struct node_event *event = arg;
    struct sim_node *node = event->node;

    if (event->life != node->life || node->status != NODE_RUNS) {
        mem_free(event);
        return;
    }
    if (!node->paused) {
        run_event(event);
        return;
    }
    event->next = NULL;
    *node->backlog_end = event;
    node->backlog_end = &event->next;
}

void cell_node_after(struct sim_node *node, int64_t delay_ms,
                     void (*run)(struct sim_node *node, void *arg), void *arg)
{
    struct node_event *event = mem_zalloc(sizeof(*event));
    event->node = node;
    event->life = node->life;
    event->run = run;
    event->arg = arg;
    vtime_after(&cell.time, delay_ms, fire, event);
}

void cell_node_pause(unsigned number)
{
    struct sim_node *node = node_of(number);
    ASSERT(cell_node_up(number));
    node->paused = true;
    cell.counts.pauses++;
    cell_trace("node %u stops", number);
}

static void requested(struct sim_node *node, void *arg);

/* A loop that goes on looks at its sockets and timers in any order. */
static void requests_first(struct sim_node *node)
{
    struct node_event *event = node->backlog, *others = NULL, **others_end = &others;

    node->backlog_end = &node->backlog;
    for (struct node_event *next; event != NULL; event = next) {
        struct node_event ***end =
            event->run == requested ? &node->backlog_end : &others_end;
        next = event->next;
        event->next = NULL;
        **end = event;
        *end = &event->next;
    }
    *node->backlog_end = others;
    if (others != NULL)
        node->backlog_end = others_end;
}

void cell_node_resume(unsigned number)
{
    struct sim_node *node = node_of(number);
    struct node_event *event;

    if (node->status != NODE_RUNS || !node->paused)
        return;
    cell_trace("node %u goes on", number);
    node->paused = false;
    uint32_t life = node->life;
    if (cell_chance(50))
        requests_first(node);
    while (node->life == life && (event = node->backlog) != NULL) {
        node->backlog = event->next;
        if (node->backlog == NULL)
            node->backlog_end = &node->backlog;
        run_event(event);
    }
}

/* ---- checkpoints ---- */

static void saved(struct sim_node *node, void *arg)
{
    struct saving *saving = arg;
    struct err err;

    if (disk_of(node->number)->full) {
        cell_node_after(node, CELL_NO_SPACE_MS, saved, saving);
        return;
    }
    int rc = db_apply(node->db, str_slice(&saving->delta), &err);
    ASSERT(rc == 0);
    node->saving = NULL;
    cell_trace("node %u: checkpoint %llu", node->number,
               (unsigned long long)saving->meta.position.index);
    replica_checkpointed(node->replica, &saving->meta.position, cell_node_now_ms(node));
    str_fini(&saving->delta);
    str_fini(&saving->configuration);
    mem_free(saving);
}

/* Some rows more, while commands are applied between. */
static void collect(struct sim_node *node, void *arg)
{
    struct saving *saving = arg;

    if (checkpoint_step(node->state, (uint32_t)cell_between(1, 60)))
        cell_node_after(node, cell_between(1, cell_chance(10) ? 500 : 30), saved, saving);
    else
        cell_node_after(node, cell_between(0, 5), collect, saving);
}

static void checkpoint(struct sim_node *node)
{
    struct saving *saving = mem_zalloc(sizeof(*saving));

    str_init(&saving->delta, 64 * MIB);
    str_init(&saving->configuration, 64 * KIB);
    saving->meta.cell_id = cell_id();
    int rc =
        replica_position(node->replica, &saving->meta.position, &saving->configuration);
    ASSERT(rc == 0);
    CELL_CHECK(saving->meta.position.index == node->applied,
               "node %u: position %llu, applied %llu", node->number,
               (unsigned long long)saving->meta.position.index,
               (unsigned long long)node->applied);
    checkpoint_begin(node->state, &saving->meta, &saving->delta);
    node->saving = saving;
    node->entries_unsaved = 0;
    collect(node, saving);
}

/* ---- proposals ---- */

static void answer_op(struct sim_node *node, struct op *op, unsigned attempt, int code,
                      uint64_t index, struct slice result)
{
    struct answer answer = {.code = code, .index = index, .result = result};

    if (cell_node_doomed(node))
        return;
    answer.leader = (unsigned)replica_leader_id(node->replica);
    load_answer(op, attempt, node->number, &answer);
}

static void end_proposals(struct sim_node *node, struct proposed *proposed, int code)
{
    while (proposed != NULL) {
        struct proposed *next = proposed->next;
        answer_op(node, proposed->op, proposed->attempt, code, 0, SLICE_NULL);
        mem_free(proposed);
        proposed = next;
    }
}

static void end_batches(struct sim_node *node, int code)
{
    struct batch *batch;
    while ((batch = node->batches) != NULL) {
        node->batches = batch->next;
        end_proposals(node, batch->proposals, code);
        mem_free(batch);
    }
}

/* What was proposed at this moment becomes one entry. */
static void flush(struct sim_node *node, void *arg)
{
    struct batch *batch = mem_zalloc(sizeof(*batch)), **end = &node->batches;

    (void)arg;
    node->flush_scheduled = false;
    batch->proposals = node->pending;
    node->pending = NULL;
    node->pending_end = &node->pending;
    while (*end != NULL)
        end = &(*end)->next;
    *end = batch;
    int rc = replica_submit(node->replica, str_slice(&node->entry),
                            cell_node_now_ms(node), &batch->index, &batch->term);
    str_reset(&node->entry);
    if (rc == 0)
        return;
    end = &node->batches;
    while (*end != NULL && *end != batch)
        end = &(*end)->next;
    if (*end == batch)
        *end = batch->next;
    end_proposals(node, batch->proposals, rc);
    mem_free(batch);
}

static void propose(struct sim_node *node, struct op *op, unsigned attempt)
{
    int code = replica_write_code(node->replica);
    struct str bytes;

    if (code != 0) {
        answer_op(node, op, attempt, code, 0, SLICE_NULL);
        return;
    }
    int64_t now_ms = MAX(cell.time.now_ms + node->wall_offset_ms,
                         MAX(state_now_ms(node->state), node->stamped_ms));
    node->stamped_ms = op->cmd.now_ms = now_ms;
    str_init(&bytes, MIB);
    command_write(&op->cmd, &bytes);
    command_pack(str_slice(&bytes), &node->entry);
    str_fini(&bytes);
    struct proposed *proposed = mem_zalloc(sizeof(*proposed));
    proposed->op = op;
    proposed->attempt = attempt;
    *node->pending_end = proposed;
    node->pending_end = &proposed->next;
    if (!node->flush_scheduled) {
        node->flush_scheduled = true;
        cell_node_after(node, 0, flush, NULL);
    }
}

static void read_state(struct sim_node *node, struct op *op, unsigned attempt)
{
    struct answer answer = {.code = ERR_NOT_LEADER};
    struct uuid cluster_id = test_uuid(1, 1), topic_id = test_uuid(2, op->topic);
    struct partition_offsets offsets;

    answer.leader = (unsigned)replica_leader_id(node->replica);
    if (replica_can_read(node->replica, cell_node_now_ms(node))) {
        const struct cluster *cluster = state_cluster(node->state, &cluster_id);
        const struct topic *topic =
            cluster == NULL ? NULL : state_topic(cluster, &topic_id);
        answer.code = 0;
        answer.index = node->applied;
        answer.found = state_offsets(topic, op->partition, &offsets) == 0;
        answer.offset = answer.found ? offsets.high_watermark : -1;
    }
    if (!cell_node_doomed(node))
        load_answer(op, attempt, node->number, &answer);
}

/* A request that has reached a running process. */
struct request {
    struct op *op;
    unsigned attempt;
};

static void requested(struct sim_node *node, void *arg)
{
    struct request *request = arg;
    if (request->op->kind == OP_READ)
        read_state(node, request->op, request->attempt);
    else
        propose(node, request->op, request->attempt);
    mem_free(request);
}

void cell_node_request(unsigned number, struct op *op, unsigned attempt)
{
    struct sim_node *node = node_of(number);
    struct answer refused = {.code = ERR_UNAVAILABLE};

    if (node->status != NODE_RUNS) {
        load_answer(op, attempt, number, &refused);
        return;
    }
    struct request *request = mem_zalloc(sizeof(*request));
    request->op = op;
    request->attempt = attempt;
    cell_node_after(node, 0, requested, request);
}

/* ---- what Raft decided ---- */

/* The proposals that wait for entry INDEX of TERM. Batches before it were lost. */
static struct proposed *take_batch(struct sim_node *node, uint64_t index, uint64_t term)
{
    struct batch *batch;
    struct proposed *proposals = NULL;

    while ((batch = node->batches) != NULL && batch->index <= index) {
        node->batches = batch->next;
        if (batch->index == index && batch->term == term)
            proposals = batch->proposals;
        else
            end_proposals(node, batch->proposals, ERR_UNAVAILABLE);
        mem_free(batch);
    }
    return proposals;
}

static void applied(struct sim_node *node, uint64_t index)
{
    CELL_CHECK(index == node->applied + 1, "node %u applies %llu behind %llu",
               node->number, (unsigned long long)index,
               (unsigned long long)node->applied);
    CELL_CHECK(index <= node->durable_index,
               "node %u applies %llu, its log is durable up to %llu", node->number,
               (unsigned long long)index, (unsigned long long)node->durable_index);
    node->applied = index;
    node->entries_unsaved++;
}

static void on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    struct sim_node *node = arg;
    struct slice command, rest = data;
    struct str result;
    uint64_t hash = 1;

    if (cell_node_doomed(node))
        return;
    applied(node, index);
    uint64_t expect = check_entry(node->number, index, term, data);
    struct proposed *proposed = take_batch(node, index, term);
    str_init(&result, 64 * MIB);
    if (data.len == 0)
        state_skip(node->state, index);
    while (command_unpack(&rest, &command)) {
        str_reset(&result);
        state_apply(node->state, index, command, &result);
        hash = check_hash(hash, str_slice(&result));
        if (proposed != NULL) {
            struct proposed *next = proposed->next;
            answer_op(node, proposed->op, proposed->attempt, 0, index,
                      str_slice(&result));
            mem_free(proposed);
            proposed = next;
        }
    }
    str_fini(&result);
    CELL_CHECK(hash == expect, "node %u: entry %llu has other results than elsewhere",
               node->number, (unsigned long long)index);
    check_state(node->number, index, node->state);
}

static void on_skip(void *arg, uint64_t index)
{
    struct sim_node *node = arg;

    if (cell_node_doomed(node))
        return;
    applied(node, index);
    (void)check_entry(node->number, index, 0, SLICE_NULL);
    state_skip(node->state, index);
}

static void on_role(void *arg)
{
    struct sim_node *node = arg;

    if (node->replica == NULL || cell_node_doomed(node))
        return;
    bool leader = replica_is_leader(node->replica);
    int code = replica_write_code(node->replica);
    if (leader)
        check_leader(node->number, replica_term(node->replica));
    if (leader != node->leader)
        cell_trace("node %u: %s of term %llu", node->number,
                   leader ? "leader" : "no leader",
                   (unsigned long long)replica_term(node->replica));
    node->leader = leader;
    if (code != 0)
        end_batches(node, code == ERR_NOT_LEADER ? ERR_UNAVAILABLE : code);
}

static void on_message(void *arg, uint64_t to, struct slice bytes)
{
    struct sim_node *node = arg;
    if (!cell_node_doomed(node) && to < DISKS)
        net_send(&cell.net, node->number, (unsigned)to, bytes);
}

struct delivery {
    unsigned from;
    struct str bytes;
};

static void received(struct sim_node *node, void *arg)
{
    struct delivery *delivery = arg;
    int rc = replica_receive(node->replica, delivery->from, str_slice(&delivery->bytes),
                             cell_node_now_ms(node));
    CELL_CHECK(rc == 0, "node %u cannot read a message of node %u", node->number,
               delivery->from);
    str_fini(&delivery->bytes);
    mem_free(delivery);
}

void cell_node_deliver(unsigned from, unsigned to, struct slice bytes)
{
    struct sim_node *node = node_of(to);

    if (node->status != NODE_RUNS)
        return;
    struct delivery *delivery = mem_zalloc(sizeof(*delivery));
    delivery->from = from;
    str_init(&delivery->bytes, 64 * MIB);
    str_append_slice(&delivery->bytes, bytes);
    cell_node_after(node, 0, received, delivery);
}

static void on_fatal(void *arg, const struct err *err)
{
    struct sim_node *node = arg;
    if (!cell_node_doomed(node))
        cell_fail("node %u stops for good: %s", node->number, err->text);
}

/* ---- life ---- */

void cell_node_make(unsigned number, bool bootstrap)
{
    struct sim_node *node = node_of(number);

    ASSERT(node->status == NODE_UNUSED);
    memset(node, 0, sizeof(*node));
    node->number = number;
    node->status = NODE_DOWN;
    /* Two clocks may differ by the whole allowance. */
    node->drift =
        (double)cell_between(-1000, 1000) / 1000.0 * REPLICA_DRIFT_PERCENT / 210.0;
    node->wall_offset_ms = cell_between(-60000, 60000);
    node->clock_from_ms = cell.time.now_ms;
    node->clock_base_ms = cell_between(1, CLOCK_BASE_MS);
    node->life = bootstrap ? 0 : 1;
    node->segment_bytes = cell_chance(50) ? 4096 : 16384;
    node->trailing = (unsigned)cell_between(1, cell_chance(50) ? 20 : 200);
    node->checkpoint_every = (uint64_t)cell_between(20, 200);
}

static int node_load(struct sim_node *node, struct checkpoint_meta *meta,
                     struct str *bytes, struct err *err)
{
    char path[64];
    struct wal_options options = {
        .dir = path, .segment_bytes = node->segment_bytes, .cell_id = cell_id()};

    disk_path(node->number, path);
    node->state = state_new(NULL);
    int rc = db_open(path, &node->db, err);
    if (rc == 0)
        rc = checkpoint_load(node->state, node->db, meta, bytes, err);
    if (rc == 0)
        rc = wal_open(&options, &node->wal, err);
    if (rc == 0 && wal_cut_bytes(node->wal) > 0)
        cell.counts.torn_tails++;
    return rc;
}

static int node_begin(struct sim_node *node, const struct checkpoint_meta *meta,
                      struct err *err)
{
    char path[128], address[32], dir[64];
    struct log_port port = {.arg = node, .submit = cell_log_submit};
    struct replica_options options = {
        .id = node->number,
        .address = address,
        .vote_path = path,
        .election_timeout_ms = CELL_ELECTION_MS,
        .heartbeat_ms = CELL_HEARTBEAT_MS,
        .random_seed = (unsigned)vtime_random(&cell.time, UINT32_MAX),
        .trailing = node->trailing,
        .bootstrap = node->life == 1 && node->number == 1,
        .reset_log = node->marker,
        .start = meta->position,
        .wal = node->wal,
        .arg = node,
        .on_apply = on_apply,
        .on_skip = on_skip,
        .on_role = on_role,
        .on_message = on_message,
        .on_install = cell_install_wanted,
        .on_installed = cell_install_done,
        .on_fatal = on_fatal,
    };

    disk_path(node->number, dir);
    snprintf(path, sizeof(path), "%s/vote", dir);
    snprintf(address, sizeof(address), "node-%u:7802", node->number);
    int rc = replica_new(&options, &node->replica, err);
    if (rc != 0)
        return rc;
    node->durable_index = wal_last_index(node->wal);
    node->applied = meta->position.index;
    return replica_start(node->replica, &port, cell_node_now_ms(node), err);
}

void cell_node_start(unsigned number)
{
    struct sim_node *node = node_of(number);
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err = {.code = 0};

    ASSERT(node->status == NODE_DOWN);
    cell_install_after_crash(node);
    node->life++;
    node->status = NODE_RUNS;
    node->paused = node->leader = node->log_busy = node->flush_scheduled = false;
    node->stopping = false;
    node->log_state = 0;
    node->timer_at_ms = INT64_MAX;
    node->backlog = NULL;
    node->backlog_end = &node->backlog;
    node->pending = NULL;
    node->pending_end = &node->pending;
    node->batches = NULL;
    node->saving = NULL;
    node->stamped_ms = 0;
    list_init(&node->log_queue);
    list_init(&node->log_doing);
    str_init(&node->entry, 16 * MIB);
    str_init(&bytes, 64 * KIB);
    memset(&meta, 0, sizeof(meta));
    int rc = node_load(node, &meta, &bytes, &err);
    if (rc == 0)
        rc = node_begin(node, &meta, &err);
    if (cell_node_doomed(node)) {
        cell_node_crash(number, disk_of(number)->power);
    } else if (rc == ERR_IO || rc == ERR_NO_SPACE) {
        cell_trace("node %u does not start yet: %s", number, err.text);
        cell_node_crash(number, false);
    } else if (rc != 0) {
        cell_trace("node %u does not start: %s", number, err.text);
        CELL_CHECK(disk_of(number)->flipped, "node %u does not start: %s", number,
                   err.text);
        cell_node_forget(number, NODE_DAMAGED);
    } else {
        cell_trace("node %u starts: checkpoint %llu, log to %llu", number,
                   (unsigned long long)meta.position.index,
                   (unsigned long long)node->durable_index);
        settle(node);
    }
    str_fini(&bytes);
}

/* Let go of the process's memory; what jobs and events hold stays until the seed ends. */
static void end_process(struct sim_node *node)
{
    if (node->replica != NULL)
        replica_free(node->replica);
    if (node->wal != NULL)
        wal_close(node->wal);
    state_free(node->state);
    node->replica = NULL;
    node->wal = NULL;
    node->state = NULL;
    node->leader = false;
    str_fini(&node->entry);
    node->life++;
}

void cell_node_crash(unsigned number, bool power)
{
    struct sim_node *node = node_of(number);

    ASSERT(node->status == NODE_RUNS);
    cell_trace("node %u: %s", number, power ? "power cut" : "killed");
    cell.counts.crashes++;
    cell.counts.power_cuts += power;
    node->status = NODE_DOWN;
    end_process(node);
    disk_crash(disk_of(number), power);
    net_reset_node(&cell.net, number);
}

void cell_node_forget(unsigned number, enum node_status status)
{
    struct sim_node *node = node_of(number);

    if (node->status == NODE_RUNS) {
        end_process(node);
        net_reset_node(&cell.net, number);
    }
    node->status = status;
    disk_wipe(disk_of(number));
    cell_db_put(number, NULL);
}

unsigned cell_leader(void)
{
    unsigned leader = 0;
    uint64_t term = 0;

    for (unsigned i = 1; i < DISKS; i++) {
        if (cell_node_up(i) && replica_is_leader(cell_nodes[i].replica) &&
            replica_term(cell_nodes[i].replica) > term) {
            leader = i;
            term = replica_term(cell_nodes[i].replica);
        }
    }
    return leader;
}

/* ---- the operator ---- */

int cell_node_change(unsigned number, enum replica_change_kind kind, unsigned id)
{
    struct sim_node *node = node_of(number);
    char address[32];
    struct err err = {.code = 0};
    uint64_t index;

    if (!cell_node_up(number))
        return ERR_NOT_LEADER;
    snprintf(address, sizeof(address), "node-%u:7802", id);
    int rc = replica_change(node->replica, kind, id, address, cell_node_now_ms(node),
                            &index, &err);
    cell_trace("node %u: change %d of %u: %s", number, (int)kind, id,
               rc == 0 ? "ok" : err.text);
    if (rc == 0)
        cell.counts.changes++;
    if (rc == 0 && kind == REPLICA_REMOVE)
        cell_nodes[id].removing = true;
    settle(node);
    return rc;
}

int cell_node_transfer(unsigned number, unsigned to)
{
    struct sim_node *node = node_of(number);
    struct err err = {.code = 0};

    if (!cell_node_up(number))
        return ERR_NOT_LEADER;
    int rc = replica_transfer(node->replica, to, cell_node_now_ms(node), &err);
    cell_trace("node %u: transfer to %u: %s", number, to, rc == 0 ? "ok" : err.text);
    cell.counts.transfers += rc == 0;
    settle(node);
    return rc;
}
