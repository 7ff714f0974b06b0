/* node.c - the core thread: asks in, proposals through Raft, checkpoints out.
 *
 * One tick: messages arrive (asks, log jobs that came back, checkpoints written), asks
 * propose, and at its end everything proposed becomes one Raft entry. While the log's
 * thread syncs, further ticks add entries; the next sync takes them all. */
#include "controlplane/node.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "controlplane/db.h"
#include "controlplane/log_writer.h"
#include "controlplane/replica.h"
#include "controlplane/saver.h"
#include "controlplane/wal.h"

#define PATH_BYTES         1024
#define SEGMENT_BYTES      (64 * MIB)
#define CHECKPOINT_BYTES   (16 * MIB)
#define CHECKPOINT_MS      60000
#define PROPOSALS_MAX      (64 * MIB)
#define PRODUCER_EXPIRY_MS 86400000
#define ELECTION_MS        1000
#define HEARTBEAT_MS       100
/* An entry is begun with what a tick proposed, and cut at about this size. */
#define ENTRY_BYTES ((size_t)2 << 20)
/* So many changed rows are copied in a few milliseconds: more would pause too long. */
#define CHECKPOINT_ROWS 8192
#define HOUSEKEEP_MS    1000
/* How much of the producers' time one EXPIRE_PRODUCERS takes: bounds its work. */
#define EXPIRE_STEP_MS  60000
#define EXPIRE_EVERY_MS 60000
#define RESULT_MAX      (64 * MIB)

/* Proposals of one Raft entry, in order. */
struct batch {
    struct list_node node;
    struct list proposals;
    uint64_t index, term;
};

struct node {
    struct node_options options;
    char dir[PATH_BYTES - 64];
    char *address;
    int lock_fd;
    struct uuid cell_id;
    struct loop_thread thread;
    struct mailbox asks, log_back, save_back;
    struct log_writer writer;
    struct saver saver;
    struct wal *wal; /* until the writer has it */
    struct db *db;
    struct state *state;
    struct replica *replica;
    struct checkpoint_meta loaded;
    struct str configuration; /* loaded borrows it */
    bool timers_up;
    struct loop_timer raft_timer, housekeeping;
    /* proposals */
    struct list pending; /* of this tick; their commands are in entry */
    struct str entry;
    struct list batches; /* submitted, not yet applied */
    struct list failed;  /* to be told at the end of the tick */
    size_t waiting_bytes;
    struct loop_deferred flush;
    struct str result;
    int64_t stamped_ms;
    bool leader, stopping;
    /* checkpoints */
    struct save_job *saving; /* with the saver, or waiting to be tried again */
    bool save_failed;
    uint64_t applied_bytes; /* of entries since the last checkpoint */
    int64_t checkpoint_at_ms;
    struct log_limit save_warning;
    int64_t expire_at_ms;
    /* health, for all threads */
    pthread_mutex_t health_mutex;
    struct node_health health;
    atomic_uint_fast64_t entries, commands;
};

/* ---- health ---- */

static void publish_health(struct node *node, bool count)
{
    struct node_health *health = &node->health;
    struct state_counts counts;

    if (count)
        state_count(node->state, &counts);
    pthread_mutex_lock(&node->health_mutex);
    health->leader = replica_is_leader(node->replica);
    health->readable = replica_can_read(node->replica, clock_monotonic_ms());
    health->write_code = replica_write_code(node->replica);
    health->term = replica_term(node->replica);
    health->last_index = replica_last_index(node->replica);
    health->commit_index = replica_commit_index(node->replica);
    health->applied_index = replica_applied_index(node->replica);
    if (count)
        health->counts = counts;
    pthread_mutex_unlock(&node->health_mutex);
}

void node_health(struct node *node, struct node_health *health)
{
    pthread_mutex_lock(&node->health_mutex);
    *health = node->health;
    pthread_mutex_unlock(&node->health_mutex);
    health->entries_total = atomic_load(&node->entries);
    health->commands_total = atomic_load(&node->commands);
    health->log_bytes = atomic_load(&node->writer.bytes);
    health->log_bytes_total = atomic_load(&node->writer.appended_bytes);
    health->syncs_total = atomic_load(&node->writer.syncs);
    health->sync_us_max = (int64_t)atomic_exchange(&node->writer.sync_us_max, 0);
}

/* ---- checkpoints ---- */

static void begin_checkpoint(struct node *node)
{
    int64_t start = clock_monotonic_us();
    struct save_job *job = save_job_new();

    job->meta.cell_id = node->cell_id;
    int rc = replica_position(node->replica, &job->meta.position, &job->configuration);
    if (rc != 0) {
        save_job_free(job);
        return;
    }
    checkpoint_collect(node->state, &job->meta, &job->delta);
    ASSERT(!job->delta.overflowed);
    FAULT_POINT("checkpoint-collected");
    node->saving = job;
    node->save_failed = false;
    node->applied_bytes = 0;
    node->checkpoint_at_ms = loop_now_ms(node->thread.loop);
    saver_submit(&node->saver, job);
    int64_t pause_us = clock_monotonic_us() - start;
    pthread_mutex_lock(&node->health_mutex);
    node->health.checkpoint_pause_us = pause_us;
    node->health.checkpoint_pause_max_us =
        MAX(node->health.checkpoint_pause_max_us, pause_us);
    pthread_mutex_unlock(&node->health_mutex);
}

/* The log has grown or much has changed: the state should go into the database. */
static bool checkpoint_due(const struct node *node)
{
    if (node->applied_bytes >= node->options.checkpoint_log_bytes ||
        checkpoint_pending(node->state) >= CHECKPOINT_ROWS)
        return true;
    return node->applied_bytes > 0 &&
           loop_now_ms(node->thread.loop) - node->checkpoint_at_ms >=
               node->options.checkpoint_every_ms;
}

static void consider_checkpoint(struct node *node)
{
    if (node->saving == NULL && !node->stopping && checkpoint_due(node))
        begin_checkpoint(node);
}

static void on_saved(struct message *message, void *arg)
{
    struct node *node = arg;
    struct save_job *job = CONTAINER_OF(message, struct save_job, message);
    uint64_t dropped;

    ASSERT(job == node->saving);
    if (job->code != 0) {
        /* The delta stays and is tried again: the log is still there, nothing is lost. */
        node->save_failed = true;
        if (log_limit_pass(&node->save_warning, clock_monotonic_ms(), &dropped))
            log_error("node", "checkpoint not written, will try again", "err=\"%s\"",
                      job->err.text);
        pthread_mutex_lock(&node->health_mutex);
        node->health.checkpoint_failures_total++;
        pthread_mutex_unlock(&node->health_mutex);
        return;
    }
    node->saving = NULL;
    pthread_mutex_lock(&node->health_mutex);
    node->health.checkpoints_total++;
    node->health.checkpoint_write_ms = job->took_ms;
    node->health.checkpoint_index = job->meta.position.index;
    pthread_mutex_unlock(&node->health_mutex);
    log_debug("node", "checkpoint written", "index=%llu bytes=%zu ms=%lld",
              (unsigned long long)job->meta.position.index, job->delta.len,
              (long long)job->took_ms);
    if (!node->stopping) /* the log's thread may be gone */
        replica_checkpointed(node->replica, &job->meta.position, clock_monotonic_ms());
    save_job_free(job);
}

/* ---- proposals ---- */

static void end_proposal(struct node *node, struct proposal *proposal, int code,
                         struct slice result)
{
    node->waiting_bytes -= proposal->bytes;
    proposal->done(proposal, code, result);
}

static void end_list(struct node *node, struct list *proposals, int code)
{
    struct list_node *item;
    while ((item = list_pop_front(proposals)) != NULL)
        end_proposal(node, CONTAINER_OF(item, struct proposal, node), code, SLICE_NULL);
}

static void free_batch(struct batch *batch)
{
    list_remove(&batch->node);
    mem_free(batch);
}

/* Nobody knows whether what was submitted will happen: tell who waits. */
static void end_batches(struct node *node, int code)
{
    struct list_node *item;
    struct list proposals;

    list_init(&proposals);
    while ((item = list_first(&node->batches)) != NULL) {
        struct batch *batch = CONTAINER_OF(item, struct batch, node);
        list_splice(&proposals, &batch->proposals);
        free_batch(batch);
    }
    end_list(node, &proposals, code);
}

/* Keep PROPOSAL to be told CODE at the end of the tick. */
static void fail_later(struct node *node, struct proposal *proposal, int code)
{
    proposal->code = code;
    list_push_back(&node->failed, &proposal->node);
    loop_defer(node->thread.loop, &node->flush);
}

/* Make one Raft entry of what is pending. */
static void submit_pending(struct node *node)
{
    struct list_node *item;

    if (list_empty(&node->pending))
        return;
    struct batch *batch = mem_zalloc(sizeof(*batch));
    list_init(&batch->proposals);
    list_push_back(&node->batches, &batch->node);
    FAULT_POINT("propose");
    int rc = node->entry.overflowed
                 ? ERR_TOO_LARGE
                 : replica_submit(node->replica, str_slice(&node->entry),
                                  clock_monotonic_ms(), &batch->index, &batch->term);
    str_reset(&node->entry);
    if (rc == 0) {
        list_splice(&batch->proposals, &node->pending);
        atomic_fetch_add(&node->entries, 1);
        return;
    }
    free_batch(batch);
    while ((item = list_pop_front(&node->pending)) != NULL)
        fail_later(node, CONTAINER_OF(item, struct proposal, node), rc);
}

static void on_flush(struct loop_deferred *deferred)
{
    struct node *node = CONTAINER_OF(deferred, struct node, flush);
    struct list failed;
    struct list_node *item;

    submit_pending(node);
    list_init(&failed);
    list_splice(&failed, &node->failed);
    while ((item = list_pop_front(&failed)) != NULL) {
        struct proposal *proposal = CONTAINER_OF(item, struct proposal, node);
        end_proposal(node, proposal, proposal->code, SLICE_NULL);
    }
    consider_checkpoint(node);
}

int64_t node_now_ms(const struct node *node)
{
    int64_t now_ms = MAX(clock_wall_ms(), state_now_ms(node->state));
    return MAX(now_ms, node->stamped_ms);
}

void node_propose(struct node *node, struct proposal *proposal, struct command *cmd)
{
    struct str *entry = &node->entry;
    size_t at = entry->len;
    int code = node->stopping ? ERR_CANCELLED : replica_write_code(node->replica);

    list_node_init(&proposal->node);
    proposal->bytes = 0;
    if (code == 0 && node->waiting_bytes >= node->options.proposals_max_bytes)
        code = ERR_OVERLOADED;
    if (code != 0) {
        fail_later(node, proposal, code);
        return;
    }
    cmd->now_ms = node->stamped_ms = node_now_ms(node);
    /* command_pack()'s form, written in place. */
    write_u32(entry, 0);
    command_write(cmd, entry);
    size_t bytes = entry->len - at;
    if (entry->overflowed || bytes - 4 > COMMAND_BYTES_MAX) {
        entry->len = at;
        entry->overflowed = false;
        fail_later(node, proposal, ERR_TOO_LARGE);
        return;
    }
    be32_put((uint8_t *)entry->data + at, (uint32_t)(bytes - 4));
    proposal->bytes = bytes;
    node->waiting_bytes += bytes;
    list_push_back(&node->pending, &proposal->node);
    loop_defer(node->thread.loop, &node->flush);
    if (entry->len >= ENTRY_BYTES)
        submit_pending(node);
}

/* ---- what Raft decided ---- */

/* The batch that waits for entry INDEX of TERM, or NULL. Batches before it were lost. */
static struct batch *take_batch(struct node *node, uint64_t index, uint64_t term)
{
    struct list_node *item;

    while ((item = list_first(&node->batches)) != NULL) {
        struct batch *batch = CONTAINER_OF(item, struct batch, node);
        if (batch->index > index)
            return NULL;
        if (batch->index == index && batch->term == term)
            return batch;
        end_list(node, &batch->proposals, ERR_UNAVAILABLE);
        free_batch(batch);
    }
    return NULL;
}

static void on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    struct node *node = arg;
    struct batch *batch = take_batch(node, index, term);
    struct slice command;

    node->applied_bytes += data.len;
    if (data.len == 0)
        state_skip(node->state, index);
    while (command_unpack(&data, &command)) {
        struct list_node *item = batch == NULL ? NULL : list_pop_front(&batch->proposals);
        str_reset(&node->result);
        state_apply(node->state, index, command, &node->result);
        FAULT_POINT("applied");
        atomic_fetch_add(&node->commands, 1);
        if (item != NULL)
            end_proposal(node, CONTAINER_OF(item, struct proposal, node), 0,
                         str_slice(&node->result));
    }
    if (batch != NULL) {
        ASSERT(list_empty(&batch->proposals));
        free_batch(batch);
    }
}

static void on_skip(void *arg, uint64_t index)
{
    struct node *node = arg;
    state_skip(node->state, index);
}

static void on_role(void *arg)
{
    struct node *node = arg;
    bool leader;
    int code;

    if (node->replica == NULL)
        return; /* still starting */
    leader = replica_is_leader(node->replica);
    code = replica_write_code(node->replica);
    publish_health(node, false);
    if (code != 0)
        end_batches(node, code == ERR_NOT_LEADER ? ERR_UNAVAILABLE : code);
    if (leader == node->leader)
        return;
    node->leader = leader;
    if (node->options.on_leader != NULL)
        node->options.on_leader(node->options.arg, leader);
}

/* ---- timers ---- */

static void schedule(struct node *node)
{
    int64_t after_ms = replica_timeout_ms(node->replica) - clock_monotonic_ms();
    loop_timer_set(&node->raft_timer, MAX(after_ms, 1));
}

static void on_raft_timer(struct loop_timer *timer, void *arg)
{
    struct node *node = arg;
    (void)timer;
    replica_tick(node->replica, clock_monotonic_ms());
    schedule(node);
}

static void expired(struct proposal *proposal, int code, struct slice result)
{
    (void)code, (void)result; /* tried again in a minute */
    mem_free(proposal);
}

/* The leader proposes that what was unused for a day is forgotten, in steps. */
static void expire_producers(struct node *node)
{
    int64_t oldest_ms = state_oldest_producer_ms(node->state);
    int64_t limit_ms = node_now_ms(node) - node->options.producer_expiry_ms;

    if (!node_is_leader(node) || oldest_ms < 0 || oldest_ms >= limit_ms ||
        loop_now_ms(node->thread.loop) < node->expire_at_ms)
        return;
    struct command cmd = {.kind = COMMAND_EXPIRE_PRODUCERS};
    struct proposal *proposal = mem_zalloc(sizeof(*proposal));
    cmd.expire_producers.before_ms = MIN(limit_ms, oldest_ms + EXPIRE_STEP_MS);
    /* More to do: go on at the next round. */
    if (cmd.expire_producers.before_ms == limit_ms)
        node->expire_at_ms = loop_now_ms(node->thread.loop) + EXPIRE_EVERY_MS;
    proposal->done = expired;
    node_propose(node, proposal, &cmd);
}

static void on_housekeeping(struct loop_timer *timer, void *arg)
{
    struct node *node = arg;

    if (node->save_failed) {
        node->save_failed = false;
        saver_submit(&node->saver, node->saving);
    }
    consider_checkpoint(node);
    expire_producers(node);
    publish_health(node, true);
    loop_timer_set(timer, HOUSEKEEP_MS);
}

/* ---- messages ---- */

static void on_ask(struct message *message, void *arg)
{
    struct ask *ask = CONTAINER_OF(message, struct ask, message);
    ask->run(arg, ask);
}

static void on_log_done(struct message *message, void *arg)
{
    struct node *node = arg;
    replica_log_done(node->replica, CONTAINER_OF(message, struct log_job, message),
                     clock_monotonic_ms());
    publish_health(node, false);
    if (!node->stopping)
        loop_defer(node->thread.loop, &node->flush); /* perhaps a checkpoint is due */
}

void node_send(struct node *node, struct ask *ask)
{
    mailbox_send(&node->asks, &ask->message);
}

void ask_done(struct ask *ask)
{
    ask->done(ask);
}

/* ---- reading ---- */

bool node_can_read(const struct node *node)
{
    return replica_can_read(node->replica, clock_monotonic_ms());
}

const char *node_leader_address(const struct node *node)
{
    return replica_leader_address(node->replica);
}

bool node_is_leader(const struct node *node)
{
    return replica_is_leader(node->replica);
}

const struct state *node_state(const struct node *node)
{
    return node->state;
}

uint64_t node_term(const struct node *node)
{
    return replica_term(node->replica);
}

uint64_t node_leader_id(const struct node *node)
{
    return replica_is_leader(node->replica) ? node->options.node_id : 0;
}

uint64_t node_id(const struct node *node)
{
    return node->options.node_id;
}

struct uuid node_cell_id(const struct node *node)
{
    return node->cell_id;
}

size_t node_servers(const struct node *node, struct node_server servers[NODE_SERVERS_MAX])
{
    struct node_server *self = &servers[0];

    memset(self, 0, sizeof(*self));
    self->node_id = node->options.node_id;
    (void)snprintf(self->address, sizeof(self->address), "%s", node->address);
    self->role = NODE_VOTER;
    self->leader = replica_is_leader(node->replica);
    self->self = true;
    self->match_index = replica_last_index(node->replica);
    return 1;
}

/* ---- members and snapshots: one node alone has neither peers nor others ---- */

struct refused {
    struct ask ask;
    struct node_change *change;
    struct node_snapshot *snapshot;
};

static void run_refused(struct node *node, struct ask *ask)
{
    (void)node;
    ask_done(ask);
}

static void end_refused(struct ask *ask)
{
    struct refused *refused = CONTAINER_OF(ask, struct refused, ask);
    struct err err = {.code = 0};
    int rc = err_set(&err, ERR_UNSUPPORTED, "this node speaks to no others");

    if (refused->change != NULL)
        refused->change->done(refused->change, rc, &err);
    else
        refused->snapshot->done(refused->snapshot, rc, &err);
    mem_free(refused);
}

static struct refused *refuse(struct node *node)
{
    struct refused *refused = mem_zalloc(sizeof(*refused));
    refused->ask.run = run_refused;
    refused->ask.done = end_refused;
    node_send(node, &refused->ask);
    return refused;
}

void node_change(struct node *node, struct node_change *change)
{
    refuse(node)->change = change; /* runs later, on this thread */
}

void node_make_snapshot(struct node *node, struct node_snapshot *snapshot)
{
    refuse(node)->snapshot = snapshot;
}

int node_set_certificate(struct node *node, const struct peers_certificate *certificate,
                         struct err *err)
{
    (void)node, (void)certificate, (void)err;
    return 0;
}

const char *node_peers_listen(const struct node *node)
{
    (void)node;
    return "";
}

struct loop *node_loop(struct node *node)
{
    return node->thread.loop;
}

/* ---- start ---- */

static int open_dir(struct node *node, struct err *err)
{
    char path[PATH_BYTES];
    int n = snprintf(node->dir, sizeof(node->dir), "%s", node->options.dir);

    if (n <= 0 || (size_t)n >= sizeof(node->dir))
        return err_set(err, ERR_INVALID, "no usable data directory: '%s'",
                       node->options.dir);
    if (mkdir(node->dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "make the directory %s", node->dir);
    snprintf(path, sizeof(path), "%s/lock", node->dir);
    node->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (node->lock_fd < 0)
        return err_set_errno(err, errno, "open %s", path);
    if (flock(node->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT,
                       "%s is in use by another process: stop it, or give another "
                       "directory",
                       node->dir);
    return 0;
}

static int load(struct node *node, struct err *err)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/state.db", node->dir);
    int rc = db_open(path, &node->db, err);
    if (rc == 0)
        rc = checkpoint_load(node->state, node->db, &node->loaded, &node->configuration,
                             err);
    if (rc != 0)
        return err_wrap(err, rc, "%s", path);
    node->health.checkpoint_index = node->loaded.position.index;
    return 0;
}

/* The log of the database's cell; a new one gets an id of its own. */
static int open_log(struct node *node, struct err *err)
{
    struct wal_options options = {.dir = node->dir,
                                  .segment_bytes = node->options.wal_segment_bytes,
                                  .cell_id = node->loaded.cell_id,
                                  .ops = node->options.wal_ops};
    int rc = wal_open(&options, &node->wal, err);

    if (rc != 0)
        return rc;
    node->cell_id = wal_cell_id(node->wal);
    if (wal_cut_bytes(node->wal) > 0)
        log_info("wal", "cut a torn tail", "bytes=%llu last_index=%llu",
                 (unsigned long long)wal_cut_bytes(node->wal),
                 (unsigned long long)wal_last_index(node->wal));
    return 0;
}

static int make_replica(struct node *node, struct err *err)
{
    char path[PATH_BYTES];
    unsigned seed;

    snprintf(path, sizeof(path), "%s/vote", node->dir);
    crypto_random(&seed, sizeof(seed));
    struct replica_options options = {.id = node->options.node_id,
                                      .address = node->address,
                                      .vote_path = path,
                                      .election_timeout_ms = ELECTION_MS,
                                      .heartbeat_ms = HEARTBEAT_MS,
                                      .random_seed = seed,
                                      .bootstrap = node->options.begin == NODE_BOOTSTRAP,
                                      .start = node->loaded.position,
                                      .wal = node->wal,
                                      .arg = node,
                                      .on_apply = on_apply,
                                      .on_skip = on_skip,
                                      .on_role = on_role};
    return replica_new(&options, &node->replica, err);
}

/* Run by the core thread as its first message. */
struct starting {
    struct ask ask;
    sem_t done;
    int code;
    struct err *err;
};

static void start_on_core(struct node *node, struct ask *ask)
{
    struct starting *starting = CONTAINER_OF(ask, struct starting, ask);

    loop_timer_init(&node->raft_timer, node->thread.loop, on_raft_timer, node);
    loop_timer_init(&node->housekeeping, node->thread.loop, on_housekeeping, node);
    node->timers_up = true;
    node->checkpoint_at_ms = loop_now_ms(node->thread.loop);
    struct log_port log = log_writer_port(&node->writer);
    starting->code =
        replica_start(node->replica, &log, clock_monotonic_ms(), starting->err);
    if (starting->code == 0) {
        schedule(node);
        loop_timer_set(&node->housekeeping, HOUSEKEEP_MS);
        on_role(node);
        publish_health(node, true);
        log_info("node", "state loaded", "checkpoint=%llu applied=%llu",
                 (unsigned long long)node->loaded.position.index,
                 (unsigned long long)replica_applied_index(node->replica));
    }
    ask_done(ask);
}

static void started(struct ask *ask)
{
    sem_post(&CONTAINER_OF(ask, struct starting, ask)->done);
}

/* Run START on the core thread, and wait for it. */
static int run_and_wait(struct node *node, void (*run)(struct node *, struct ask *),
                        struct err *err)
{
    struct starting starting = {.ask = {.run = run, .done = started}, .err = err};

    sem_init(&starting.done, 0, 0);
    node_send(node, &starting.ask);
    while (sem_wait(&starting.done) != 0)
        ;
    sem_destroy(&starting.done);
    return starting.code;
}

static int start_threads(struct node *node, struct err *err)
{
    int rc = loop_thread_start(&node->thread, "weft-core");
    if (rc != 0)
        return err_set(err, rc, "start the core thread");
    mailbox_init(&node->asks, node->thread.loop, on_ask, node);
    mailbox_init(&node->log_back, node->thread.loop, on_log_done, node);
    mailbox_init(&node->save_back, node->thread.loop, on_saved, node);
    rc = log_writer_start(&node->writer, node->wal, &node->log_back);
    if (rc != 0)
        return err_set(err, rc, "start the log's thread");
    rc = saver_start(&node->saver, node->db, &node->save_back);
    if (rc != 0)
        return err_set(err, rc, "start the database's thread");
    return run_and_wait(node, start_on_core, err);
}

static void set_defaults(struct node_options *options)
{
    if (options->node_id == 0)
        options->node_id = 1;
    if (options->wal_segment_bytes == 0)
        options->wal_segment_bytes = SEGMENT_BYTES;
    if (options->checkpoint_log_bytes == 0)
        options->checkpoint_log_bytes = CHECKPOINT_BYTES;
    if (options->checkpoint_every_ms == 0)
        options->checkpoint_every_ms = CHECKPOINT_MS;
    if (options->producer_expiry_ms == 0)
        options->producer_expiry_ms = PRODUCER_EXPIRY_MS;
    if (options->proposals_max_bytes == 0)
        options->proposals_max_bytes = PROPOSALS_MAX;
}

static void free_node(struct node *node)
{
    replica_free(node->replica);
    state_free(node->state);
    db_close(node->db);
    wal_close(node->wal);
    if (node->lock_fd >= 0)
        close(node->lock_fd);
    str_fini(&node->entry);
    str_fini(&node->result);
    str_fini(&node->configuration);
    pthread_mutex_destroy(&node->health_mutex);
    save_job_free(node->saving);
    mem_free(node->address);
    mem_free(node);
}

/* Join the threads, oldest work first; then the caller's thread owns everything. */
static void stop_threads(struct node *node)
{
    if (node->thread.loop == NULL)
        return;
    loop_thread_stop(&node->thread);
    if (node->writer.wal != NULL) {
        log_writer_stop(&node->writer);
        node->wal = NULL; /* the writer closed it */
    }
    saver_stop(&node->saver);
    (void)mailbox_drain(&node->log_back);
    (void)mailbox_drain(&node->save_back);
    (void)mailbox_drain(&node->asks);
    if (node->timers_up) {
        loop_timer_fini(&node->raft_timer);
        loop_timer_fini(&node->housekeeping);
    }
    mailbox_fini(&node->asks);
    mailbox_fini(&node->log_back);
    mailbox_fini(&node->save_back);
    loop_thread_fini(&node->thread);
    node->thread.loop = NULL;
}

int node_start(const struct node_options *options, struct node **node_out,
               struct err *err)
{
    struct node *node = mem_zalloc(sizeof(*node));

    node->options = *options;
    set_defaults(&node->options);
    node->address = mem_strdup(options->address == NULL ? "" : options->address);
    node->lock_fd = -1;
    node->save_warning.interval_ms = 60000;
    pthread_mutex_init(&node->health_mutex, NULL);
    list_init(&node->pending);
    list_init(&node->batches);
    list_init(&node->failed);
    loop_deferred_init(&node->flush, on_flush);
    str_init(&node->entry, ENTRY_BYTES + COMMAND_BYTES_MAX + KIB);
    str_init(&node->result, RESULT_MAX);
    str_init(&node->configuration, 64 * KIB);
    node->state = state_new(&options->events);
    int rc = open_dir(node, err);
    if (rc == 0)
        rc = load(node, err);
    if (rc == 0)
        rc = open_log(node, err);
    if (rc == 0)
        rc = make_replica(node, err);
    if (rc == 0)
        rc = start_threads(node, err);
    if (rc != 0) {
        node->stopping = true;
        stop_threads(node);
        free_node(node);
        return rc;
    }
    *node_out = node;
    return 0;
}

/* ---- stop ---- */

static void stop_on_core(struct node *node, struct ask *ask)
{
    node->stopping = true;
    loop_defer_cancel(&node->flush);
    end_list(node, &node->pending, ERR_CANCELLED);
    end_list(node, &node->failed, ERR_CANCELLED);
    end_batches(node, ERR_CANCELLED);
    ask_done(ask);
}

/* The state as it is now goes into the database, so that the next start is short. */
static void last_checkpoint(struct node *node)
{
    struct err err;
    struct save_job *job = save_job_new();
    int rc = 0;

    job->meta.cell_id = node->cell_id;
    if (node->saving != NULL)
        rc = db_apply(node->db, str_slice(&node->saving->delta), &err);
    if (rc == 0 &&
        replica_position(node->replica, &job->meta.position, &job->configuration) == 0) {
        checkpoint_collect(node->state, &job->meta, &job->delta);
        rc = db_apply(node->db, str_slice(&job->delta), &err);
    }
    if (rc != 0)
        log_warn("node", "no last checkpoint; the log will be replayed", "err=\"%s\"",
                 err.text);
    save_job_free(job);
}

void node_kill(struct node *node)
{
    (void)run_and_wait(node, stop_on_core, NULL);
    stop_threads(node);
    free_node(node);
}

void node_stop(struct node *node)
{
    (void)run_and_wait(node, stop_on_core, NULL);
    stop_threads(node);
    last_checkpoint(node);
    free_node(node);
}
