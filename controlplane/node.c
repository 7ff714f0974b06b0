/* node.c - the core thread: its start and stop, asks, timers, the end of a tick.
 *
 * One tick: messages arrive (asks, peers' messages, log jobs that came back, checkpoints
 * written), asks propose, and at its end everything proposed becomes one Raft entry,
 * unless several are under way (node_propose.c). While the log's thread syncs, further
 * ticks add entries; the next sync takes them all.
 */
#include "controlplane/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/dir_sync.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/version.h"
#include "controlplane/node_core.h"

#define SEGMENT_BYTES        (64 * MIB)
#define CHECKPOINT_BYTES     (16 * MIB)
#define CHECKPOINT_MS        60000
#define PROPOSALS_MAX        (64 * MIB)
#define PRODUCER_EXPIRY_MS   86400000
#define OFFSETS_RETENTION_MS (INT64_C(7) * 86400000)
#define ELECTION_MS          500
#define HEARTBEAT_MS         100
#define SNAPSHOT_RATE        (64 * MIB)
#define HOUSEKEEP_MS         1000
#define CHANGE_TICK_MS       100
#define RESULT_MAX           (64 * MIB)

/* ---- health ---- */

void node_publish(struct node *node, bool count)
{
    struct node_health *health = &node->health;
    struct node_server servers[NODE_SERVERS_MAX];
    struct state_counts counts;
    size_t server_count = 0;

    if (count) {
        state_count(node->state, &counts);
        server_count = node_servers(node, servers);
    }
    pthread_mutex_lock(&node->health_mutex);
    health->leader = replica_is_leader(node->replica);
    health->readable = replica_can_read(node->replica, clock_monotonic_ms());
    health->write_code = replica_write_code(node->replica);
    health->term = replica_term(node->replica);
    health->last_index = replica_last_index(node->replica);
    health->commit_index = replica_commit_index(node->replica);
    health->applied_index = replica_applied_index(node->replica);
    health->leader_id = replica_leader_id(node->replica);
    if (count) {
        health->counts = counts;
        health->server_count = server_count;
        memcpy(health->servers, servers, server_count * sizeof(servers[0]));
    }
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
    if (node->peers != NULL)
        peers_sent_snapshots(node->peers, &health->snapshots_sent_total,
                             &health->snapshot_bytes_total);
}

/* ---- the end of a tick ---- */

/* Raft's timer moves with every event; it is set once a tick, when it has changed. */
static void schedule(struct node *node)
{
    int64_t due_ms = replica_timeout_ms(node->replica);

    if (due_ms == node->scheduled_ms)
        return;
    node->scheduled_ms = due_ms;
    loop_timer_set(&node->raft_timer, MAX(due_ms - clock_monotonic_ms(), 1));
}

static void on_flush(struct loop_deferred *deferred)
{
    struct node *node = CONTAINER_OF(deferred, struct node, flush);

    if (!node->running || node->stopping)
        return;
    if (node->dead) {
        node_end_all(node, ERR_UNAVAILABLE);
        return;
    }
    node_flush_install(node);
    node_flush_recovery(node);
    node_flush_proposals(node, false);
    node_consider_checkpoint(node);
    node_flush_snapshots(node);
    node_flush_peers(node);
    node_publish(node, false);
    schedule(node);
}

void node_touch(struct node *node)
{
    loop_defer(node->thread.loop, &node->flush);
}

/* ---- what Raft tells ---- */

static void on_role(void *arg)
{
    struct node *node = arg;
    bool leader;
    int code;

    if (node->replica == NULL || !node->running)
        return; /* still starting */
    leader = replica_is_leader(node->replica);
    code = replica_write_code(node->replica);
    node_publish(node, false);
    /* While leadership is being handed over, what was submitted may still be applied. */
    if (code != 0 && (!leader || code != ERR_NOT_LEADER))
        node_end_batches(node, code == ERR_NOT_LEADER ? ERR_UNAVAILABLE : code);
    node_change_role(node);
    node_touch(node);
    if (leader == node->leader)
        return;
    node->leader = leader;
    if (leader) {
        node_begin_time(node);
        pthread_mutex_lock(&node->health_mutex);
        node->health.elections_total++;
        pthread_mutex_unlock(&node->health_mutex);
    }
    log_info("node", leader ? "leads" : "follows", "term=%llu leader=%llu",
             (unsigned long long)replica_term(node->replica),
             (unsigned long long)replica_leader_id(node->replica));
    if (node->options.on_leader != NULL)
        node->options.on_leader(node->options.arg, leader);
}

void node_fatal(struct node *node, const struct err *err)
{
    if (node->dead)
        return;
    node->dead = true;
    node->dead_err = *err;
    log_error("node", "this node cannot go on", "err=%s", LOG_QUOTED(err->text));
    if (node->options.on_fatal == NULL)
        abort();
    node->options.on_fatal(node->options.arg, err);
}

static void on_fatal(void *arg, const struct err *err)
{
    node_fatal(arg, err);
}

int node_check_level(const struct node *node, const struct state *state, struct err *err)
{
    uint32_t level = state_cell(state)->feature_level;

    if (level <= node->options.features_max)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the cell is at feature level %u and this program, weft-controlplane "
                   "%s, knows up to %u: start the version that the other nodes run; the "
                   "data directory can stay as it is",
                   level, WEFT_VERSION, node->options.features_max);
}

/* ---- timers ---- */

static void on_raft_timer(struct loop_timer *timer, void *arg)
{
    struct node *node = arg;
    (void)timer;
    node->scheduled_ms = -1;
    replica_tick(node->replica, clock_monotonic_ms());
    node_touch(node);
}

/* Every second, and more often while somebody waits for a change of members. */
static void on_housekeeping(struct loop_timer *timer, void *arg)
{
    struct node *node = arg;
    int64_t now_ms = loop_now_ms(node->thread.loop);

    node_change_tick(node);
    if (now_ms >= node->housekeep_at_ms) {
        node->housekeep_at_ms = now_ms + HOUSEKEEP_MS;
        node_retry_checkpoint(node);
        node_expire_producers(node);
        node_expire_offsets(node);
        node_purge(node);
        node_publish(node, true);
        node_look_at_members(node);
        node_retry_transfer(node);
        snapshot_store_set_level(node->snapshots, state_cell(node->state)->feature_level);
        snapshot_store_sweep(node->snapshots, now_ms);
    }
    node_touch(node);
    loop_timer_set(timer, CHANGE_TICK_MS);
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
    if (!node->stopping)
        node_touch(node); /* perhaps a checkpoint is due */
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
    return replica_leader_id(node->replica);
}

uint64_t node_id(const struct node *node)
{
    return node->options.node_id;
}

struct uuid node_cell_id(const struct node *node)
{
    return node->cell_id;
}

struct loop *node_loop(struct node *node)
{
    return node->thread.loop;
}

/* ---- start ---- */

void node_path(const struct node *node, const char *name, char path[NODE_PATH_BYTES])
{
    (void)snprintf(path, NODE_PATH_BYTES, "%s/%s", node->dir, name);
}

int node_sync_dir(const struct node *node, struct err *err)
{
    return dir_sync(node->dir, err);
}

static int open_dir(struct node *node, struct err *err)
{
    char path[NODE_PATH_BYTES];
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
    char path[NODE_PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/state.db", node->dir);
    int rc = db_open(path, &node->db, err);
    if (rc == 0)
        rc = checkpoint_load(node->state, node->db, &node->loaded, &node->configuration,
                             err);
    if (rc != 0)
        return err_wrap(err, rc, "%s", path);
    node->saved_index = node->loaded.position.index;
    node->health.checkpoint_index = node->loaded.position.index;
    if (node->loaded.position.index > 0 && !uuid_is_zero(&node->options.cell_id) &&
        !uuid_eq(&node->loaded.cell_id, &node->options.cell_id))
        return err_set(err, ERR_CONFLICT, "%s holds the data of another cell", node->dir);
    return node_check_level(node, node->state, err);
}

/* Whether DIR has files of a log. */
static bool has_log(const struct node *node)
{
    DIR *dir = opendir(node->dir);
    const struct dirent *item;
    bool found = false;

    while (dir != NULL && !found && (item = readdir(dir)) != NULL)
        found = strncmp(item->d_name, "wal-", 4) == 0;
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* The log of the database's cell; a new one gets the id that is wanted, or its own. */
static int open_log(struct node *node, struct err *err)
{
    struct wal_options options = {.dir = node->dir,
                                  .segment_bytes = node->options.wal_segment_bytes,
                                  .cell_id = uuid_is_zero(&node->loaded.cell_id)
                                                 ? node->options.cell_id
                                                 : node->loaded.cell_id,
                                  .ops = node->options.wal_ops};

    /* Before anything is made: a new log would have an id of its own. */
    if (node->options.begin == NODE_GO_ON && node->loaded.position.index == 0 &&
        !has_log(node))
        return err_set(err, ERR_NOT_FOUND, "%s holds no node of a cell", node->dir);
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

static int64_t wall_ms(void *arg)
{
    struct node *node = arg;
    return node->options.wall_ms == NULL ? clock_wall_ms()
                                         : node->options.wall_ms(node->options.arg);
}

static int make_replica(struct node *node, struct err *err)
{
    char path[NODE_PATH_BYTES];
    unsigned seed;

    snprintf(path, sizeof(path), "%s/vote", node->dir);
    crypto_random(&seed, sizeof(seed));
    struct replica_options options = {.id = node->options.node_id,
                                      .address = node->address,
                                      .vote_path = path,
                                      .election_timeout_ms =
                                          node->options.election_timeout_ms,
                                      .heartbeat_ms = node->options.heartbeat_ms,
                                      .reset_log = node->reset_log,
                                      .random_seed = seed,
                                      .bootstrap = node->options.begin == NODE_BOOTSTRAP,
                                      .start = node->loaded.position,
                                      .wal = node->wal,
                                      .arg = node,
                                      .wall_ms = wall_ms,
                                      .on_apply = node_on_apply,
                                      .on_skip = node_on_skip,
                                      .on_role = on_role,
                                      .on_message = node_on_message,
                                      .on_configuration = node_on_configuration,
                                      .on_install = node_on_install,
                                      .on_installed = node_on_installed,
                                      .on_fatal = on_fatal};
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
    if (starting->code == 0 && node->dead)
        starting->code =
            err_set(starting->err, node->dead_err.code, "%s", node->dead_err.text);
    if (starting->code == 0 && node->reset_log)
        starting->code = node_finish_install(node, starting->err);
    if (starting->code == 0) {
        node_begin_recovery(node);
        node->running = true;
        node->scheduled_ms = -1;
        schedule(node);
        loop_timer_set(&node->housekeeping, CHANGE_TICK_MS);
        on_role(node);
        node_publish(node, true);
        node_touch(node);
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
    mailbox_init(&node->save_back, node->thread.loop, node_on_saved, node);
    mailbox_init(&node->peers_in, node->thread.loop, node_on_peer, node);
    rc = node_start_jobs(node, err);
    if (rc != 0)
        return rc;
    rc = log_writer_start(&node->writer, node->wal, &node->log_back);
    if (rc != 0)
        return err_set(err, rc, "start the log's thread");
    rc = saver_start(&node->saver, node->db, &node->save_back);
    if (rc != 0)
        return err_set(err, rc, "start the database's thread");
    rc = node_start_peers(node, err);
    if (rc != 0)
        return rc;
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
    if (options->offsets_retention_ms == 0)
        options->offsets_retention_ms = OFFSETS_RETENTION_MS;
    if (options->proposals_max_bytes == 0)
        options->proposals_max_bytes = PROPOSALS_MAX;
    if (options->election_timeout_ms == 0)
        options->election_timeout_ms = ELECTION_MS;
    if (options->heartbeat_ms == 0)
        options->heartbeat_ms = HEARTBEAT_MS;
    if (options->features_max == 0)
        options->features_max = FEATURE_LEVEL_MAX;
    if (options->command_level == NULL)
        options->command_level = command_level;
    if (options->snapshot_rate_bytes == 0)
        options->snapshot_rate_bytes = SNAPSHOT_RATE;
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
    offsets_expiry_fini(&node->offsets_expiry);
    str_fini(&node->configuration);
    pthread_mutex_destroy(&node->health_mutex);
    save_job_free(node->saving);
    snapshot_store_free(node->snapshots);
    mem_free(node->recovery);
    for (size_t i = 0; i < node->options.known_count; i++)
        mem_free((char *)(uintptr_t)node->known[i].address);
    mem_free(node->known);
    mem_free(node->address);
    mem_free(node);
}

/* Join the threads, oldest work first; then the caller's thread owns everything. */
static void stop_threads(struct node *node)
{
    if (node->thread.loop == NULL)
        return;
    loop_thread_stop(&node->thread);
    if (node->snapshots != NULL)
        snapshot_store_cancel(node->snapshots);
    if (node->jobs_up)
        worker_stop(&node->jobs);
    node_stop_install(node); /* it fetches through the peers */
    node_stop_peers(node);
    if (node->writer.wal != NULL) {
        log_writer_stop(&node->writer);
        node->wal = NULL; /* the writer closed it */
    }
    saver_stop(&node->saver);
    (void)mailbox_drain(&node->log_back);
    (void)mailbox_drain(&node->save_back);
    (void)mailbox_drain(&node->peers_in);
    (void)mailbox_drain(&node->jobs_back);
    (void)mailbox_drain(&node->asks);
    if (node->timers_up) {
        loop_timer_fini(&node->raft_timer);
        loop_timer_fini(&node->housekeeping);
    }
    mailbox_fini(&node->asks);
    mailbox_fini(&node->log_back);
    mailbox_fini(&node->save_back);
    mailbox_fini(&node->peers_in);
    mailbox_fini(&node->jobs_back);
    loop_thread_fini(&node->thread);
    node->thread.loop = NULL;
}

/* What is needed after the start; certificates are taken at once. */
static void copy_known(struct node *node)
{
    size_t count = node->options.known_count;

    node->known = mem_zalloc((count + 1) * sizeof(*node->known));
    for (size_t i = 0; i < count; i++) {
        node->known[i].node_id = node->options.known[i].node_id;
        node->known[i].address = mem_strdup(node->options.known[i].address);
    }
    node->options.known = node->known;
}

int node_start(const struct node_options *options, struct node **node_out,
               struct err *err)
{
    struct node *node = mem_zalloc(sizeof(*node));

    node->options = *options;
    set_defaults(&node->options);
    node->address = mem_strdup(options->address == NULL ? "" : options->address);
    node->lock_fd = -1;
    copy_known(node);
    node->save_warning.interval_ms = 60000;
    pthread_mutex_init(&node->health_mutex, NULL);
    list_init(&node->pending);
    list_init(&node->batches);
    list_init(&node->sealed);
    list_init(&node->failed);
    list_init(&node->snapshots_waiting);
    list_init(&node->changes_ended);
    loop_deferred_init(&node->flush, on_flush);
    str_init(&node->entry, NODE_ENTRY_BYTES + COMMAND_BYTES_MAX + KIB);
    str_init(&node->result, RESULT_MAX);
    offsets_expiry_init(&node->offsets_expiry, node->options.offsets_retention_ms);
    str_init(&node->configuration, 64 * KIB);
    node->state = state_new(&options->events);
    int rc = open_dir(node, err);
    if (rc == 0)
        rc = node_recover_install(node, &node->reset_log, err);
    if (rc == 0)
        rc = load(node, err);
    if (rc == 0)
        rc = node_recover_log(node, open_log, err);
    if (rc == 0)
        node->snapshots = snapshot_store_new(node->dir, &node->cell_id);
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
    node_end_all(node, ERR_CANCELLED);
    node_end_changes(node, ERR_CANCELLED);
    node_end_snapshots(node, ERR_CANCELLED);
    ask_done(ask);
}

void node_kill(struct node *node)
{
    (void)run_and_wait(node, stop_on_core, NULL);
    stop_threads(node);
    free_node(node);
}

void node_stop(struct node *node)
{
    (void)run_and_wait(node, node_step_down, NULL);
    (void)run_and_wait(node, stop_on_core, NULL);
    stop_threads(node);
    node_last_checkpoint(node);
    free_node(node);
}
