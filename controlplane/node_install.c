/* node_install.c - a snapshot of the leader takes the place of this node's state.
 *
 *   FETCHING   a thread fetches DIR/install-fetch.part from the leader, goes on where it
 *              broke off, unpacks and verifies it as DIR/install-next.db
 *   WAITING    for a checkpoint that is being written
 *   REPLACING  the replica stands still; the old state is freed; the thread writes the
 *              note DIR/install, closes the database, puts the new one in its place and
 *              loads it
 *   RESETTING  the log is made to begin behind it; then the note goes
 *
 * A crash: without the note nothing has happened, what was fetched is thrown away. With
 * it and install-next.db, the database is put in its place by the next start; with it
 * alone, it is there already. In both cases the log is reset before Raft begins. Fault
 * points install-* lie between all steps. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/backoff.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/fault.h"
#include "common/mem.h"
#include "common/version.h"
#include "controlplane/node_core.h"
#include "controlplane/worker.h"

#define NOTE              "install"
#define FETCHED           "install-fetch.part"
#define NEXT              "install-next.db"
#define ATTEMPTS_MAX      20
#define RETRY_MIN_MS      100
#define FAILED_MS         1000 /* the next message of the leader may ask again: not at once */
#define RETRY_MAX_MS      2000
#define CONFIGURATION_MAX (64 * KIB)

enum install_state {
    INSTALL_FETCHING,
    INSTALL_WAITING,
    INSTALL_REPLACING,
    INSTALL_RESETTING
};

struct install {
    struct message message; /* back */
    struct list_node node;  /* to the thread */
    struct node *owner;
    enum install_state state;
    struct worker worker;
    struct mailbox back;
    atomic_bool cancelled;
    /* what to fetch */
    uint64_t from, index;
    char address[PEERS_ADDRESS_MAX + 1];
    int fd;
    /* results */
    int code;
    struct err err;
    struct checkpoint_meta meta;
    struct str configuration;
    struct state *state_loaded;
    struct db *db;
    int64_t began_ms;
};

static void delete_file(const struct node *node, const char *name)
{
    char path[NODE_PATH_BYTES];
    node_path(node, name, path);
    (void)unlink(path);
}

/* NEXT and what SQLite may have made beside it. */
static void delete_next(const struct node *node)
{
    delete_file(node, NEXT);
    delete_file(node, NEXT "-wal");
    delete_file(node, NEXT "-shm");
    delete_file(node, NEXT ".part");
}

/* ---- the steps on disk, each repeatable ---- */

static int write_note(const struct node *node, struct err *err)
{
    char path[NODE_PATH_BYTES];

    node_path(node, NOTE, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int rc = fd < 0 || fsync(fd) != 0 ? err_set_errno(err, errno, "make %s", path) : 0;
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        rc = node_sync_dir(node, err);
    FAULT_POINT("install-noted");
    return rc;
}

/* NEXT becomes the database; the old one's log must be gone before. */
static int put_in_place(const struct node *node, struct err *err)
{
    char next[NODE_PATH_BYTES], path[NODE_PATH_BYTES];

    delete_file(node, "state.db-wal");
    delete_file(node, "state.db-shm");
    delete_file(node, NEXT "-wal"); /* empty: it was closed in order */
    delete_file(node, NEXT "-shm");
    FAULT_POINT("install-cleared");
    node_path(node, NEXT, next);
    node_path(node, "state.db", path);
    if (rename(next, path) != 0)
        return err_set_errno(err, errno, "rename %s", next);
    int rc = node_sync_dir(node, err);
    FAULT_POINT("install-replaced");
    return rc;
}

int node_finish_install(struct node *node, struct err *err)
{
    char path[NODE_PATH_BYTES];

    FAULT_POINT("install-reset");
    node_path(node, NOTE, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(err, errno, "remove %s", path);
    int rc = node_sync_dir(node, err);
    FAULT_POINT("install-finished");
    return rc;
}

int node_recover_install(struct node *node, bool *found, struct err *err)
{
    char note[NODE_PATH_BYTES], next[NODE_PATH_BYTES];
    int rc = 0;

    node_path(node, NOTE, note);
    node_path(node, NEXT, next);
    *found = access(note, F_OK) == 0;
    if (*found) {
        log_warn("node", "going on with a snapshot that was being installed", "");
        if (access(next, F_OK) == 0)
            rc = put_in_place(node, err);
    }
    delete_next(node);
    delete_file(node, FETCHED);
    return rc;
}

/* ---- on the thread: fetch ---- */

static bool is_cancelled(void *arg)
{
    struct install *install = arg;
    return atomic_load(&install->cancelled);
}

static int on_begin(void *arg, struct peers_fetch *fetch, struct err *err)
{
    struct install *install = arg;
    log_info("node", "fetching a snapshot", "from=%llu index=%llu bytes=%llu at=%llu",
             (unsigned long long)fetch->node_id, (unsigned long long)fetch->file_index,
             (unsigned long long)fetch->size, (unsigned long long)fetch->offset);
    if (ftruncate(install->fd, (off_t)fetch->offset) != 0 ||
        lseek(install->fd, (off_t)fetch->offset, SEEK_SET) < 0)
        return err_set_errno(err, errno, "the snapshot's file");
    return 0;
}

static int on_bytes(void *arg, struct slice bytes, struct err *err)
{
    struct install *install = arg;

    FAULT_POINT("install-fetching");
    while (bytes.len > 0) {
        ssize_t n = write(install->fd, bytes.ptr, bytes.len);
        if (n <= 0 && errno != EINTR)
            return err_set_errno(err, n < 0 ? errno : EIO, "write the snapshot's file");
        if (n > 0)
            bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

static void nap(struct install *install, int64_t ms)
{
    for (int64_t at = 0; at < ms && !is_cancelled(install); at += 50)
        usleep(50000);
}

/* Fetch the whole file; what broke off goes on. */
static int fetch_file(struct install *install, struct err *err)
{
    struct peers_fetch fetch = {.node_id = install->from,
                                .address = install->address,
                                .index = install->index,
                                .arg = install,
                                .on_begin = on_begin,
                                .on_bytes = on_bytes,
                                .cancelled = is_cancelled};
    struct backoff backoff;
    uint64_t seed;
    int rc = 0;

    crypto_random(&seed, sizeof(seed));
    backoff_init(&backoff, RETRY_MIN_MS, RETRY_MAX_MS, seed);
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        uint64_t before = fetch.offset;
        rc = peers_fetch(install->owner->peers, &fetch, err);
        if (rc == 0 || rc == ERR_CANCELLED || rc == ERR_NO_SPACE)
            break;
        if (fetch.offset > before)
            attempt = 0; /* it moves */
        log_warn("node", "snapshot not fetched, trying again", "err=%s",
                 LOG_QUOTED(err->text));
        nap(install, backoff_next_ms(&backoff));
        if (is_cancelled(install))
            break;
    }
    if (rc == 0 && fsync(install->fd) != 0)
        rc = err_set_errno(err, errno, "sync the snapshot's file");
    return rc;
}

/* The file is what it says, and its database too. */
static int verify(struct install *install, struct err *err)
{
    struct node *node = install->owner;
    char path[NODE_PATH_BYTES], next[NODE_PATH_BYTES];
    struct snapshot_pace pace = {.stopped = is_cancelled, .arg = install};
    struct snapshot_info info;

    node_path(node, FETCHED, path);
    node_path(node, NEXT, next);
    FAULT_POINT("install-fetched");
    delete_next(node);
    int rc = snapshot_unpack(path, next, &info, &pace, err);
    (void)unlink(path);
    if (rc != 0)
        return rc;
    if (!uuid_eq(&info.cell_id, &node->cell_id))
        return err_set(err, ERR_CONFLICT, "the snapshot is of another cell");
    rc = snapshot_read_meta(next, &install->meta, &install->configuration, err);
    if (rc == 0 &&
        (install->meta.position.index != info.index || info.index < install->index ||
         !uuid_eq(&install->meta.cell_id, &node->cell_id)))
        rc = err_set(err, ERR_DAMAGED, "the snapshot's database is not what it says");
    FAULT_POINT("install-verified");
    return rc;
}

static int fetch(struct install *install, struct err *err)
{
    char path[NODE_PATH_BYTES];

    node_path(install->owner, FETCHED, path);
    install->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (install->fd < 0)
        return err_set_errno(err, errno, "make %s", path);
    int rc = fetch_file(install, err);
    close(install->fd);
    if (rc == 0)
        rc = verify(install, err);
    if (rc != 0) {
        (void)unlink(path);
        delete_next(install->owner);
        nap(install, FAILED_MS);
    }
    return rc;
}

/* ---- on the thread: replace ---- */

static int replace(struct install *install, struct err *err)
{
    struct node *node = install->owner;
    char path[NODE_PATH_BYTES];
    struct checkpoint_meta meta;
    struct str configuration;
    int rc;

    node_path(node, "state.db", path);
    snapshot_store_lock(node->snapshots);
    rc = write_note(node, err);
    if (rc == 0) {
        db_close(install->db);
        install->db = NULL;
        rc = put_in_place(node, err);
    }
    if (rc == 0)
        rc = db_open(path, &install->db, err);
    snapshot_store_unlock(node->snapshots);
    if (rc != 0)
        return rc;
    str_init(&configuration, CONFIGURATION_MAX);
    install->state_loaded = state_new(&node->options.events);
    rc = checkpoint_load(install->state_loaded, install->db, &meta, &configuration, err);
    if (rc == 0)
        rc = node_check_level(node, install->state_loaded, err);
    str_fini(&configuration);
    FAULT_POINT("install-loaded");
    return rc;
}

static void run(void *arg, struct list *jobs)
{
    struct install *install = arg;

    while (list_pop_front(jobs) != NULL) {
        install->code = install->state == INSTALL_FETCHING
                            ? fetch(install, &install->err)
                            : replace(install, &install->err);
        mailbox_send(&install->back, &install->message);
    }
}

/* ---- a new cell from a backup ---- */

/* The database's META row, for the new cell of one node: what the log begins behind. */
static int found_cell(const struct node *place, const char *path,
                      const struct uuid *cell_id, uint64_t *node_id, const char *address,
                      struct err *err)
{
    struct checkpoint_meta meta;
    struct str configuration, delta;
    struct state *state = state_new(NULL);
    struct db *db = NULL;
    int rc = db_open(path, &db, err);

    str_init(&configuration, CONFIGURATION_MAX);
    str_init(&delta, (size_t)1 << 32);
    if (rc == 0)
        rc = checkpoint_load(state, db, &meta, &configuration, err);
    if (rc == 0)
        rc = node_check_level(place, state, err);
    if (rc == 0) {
        if (*node_id == 0)
            *node_id = state_cell(state)->next_node_id;
        str_reset(&configuration);
        rc = replica_configuration_alone(*node_id, address, &configuration);
        meta.cell_id = *cell_id;
        meta.position.index += NODE_RESTORE_GAP;
        meta.position.configuration = str_slice(&configuration);
        meta.position.configuration_index = meta.position.index;
    }
    if (rc == 0) {
        checkpoint_collect(state, &meta, &delta);
        rc = db_apply(db, str_slice(&delta), err);
    }
    db_close(db);
    state_free(state);
    str_fini(&configuration);
    str_fini(&delta);
    return rc;
}

/* The new cell's terms go on from the backup's. */
static int found_vote(const struct node *place, uint64_t term, struct err *err)
{
    char path[NODE_PATH_BYTES];
    struct vote vote;

    node_path(place, "vote", path);
    int rc = vote_open(&vote, path, NULL, err);
    if (rc == 0)
        rc = vote_store(&vote, MAX(vote.term, term), 0, err);
    vote_close(&vote);
    return rc;
}

int node_restore(const char *dir, const char *file, const struct uuid *cell_id,
                 uint64_t *node_id, const char *address, struct snapshot_info *info,
                 struct err *err)
{
    struct node place = {.lock_fd = -1, .options = {.features_max = FEATURE_LEVEL_MAX}};
    struct snapshot_info found;
    char path[NODE_PATH_BYTES], next[NODE_PATH_BYTES];

    int n = snprintf(place.dir, sizeof(place.dir), "%s", dir);
    if (n <= 0 || (size_t)n >= sizeof(place.dir))
        return err_set(err, ERR_INVALID, "no usable data directory: '%s'", dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "make the directory %s", dir);
    node_path(&place, "state.db", path);
    node_path(&place, NEXT, next);
    if (access(path, F_OK) == 0)
        return err_set(err, ERR_EXISTS,
                       "%s holds a node already: restore into an empty directory", dir);
    delete_next(&place);
    int rc = snapshot_unpack(file, next, &found, NULL, err);
    if (rc == 0)
        rc = found_cell(&place, next, cell_id, node_id, address, err);
    if (rc == 0)
        rc = found_vote(&place, found.term, err);
    /* The same as an install: the note makes the start begin the log behind it. */
    if (rc == 0)
        rc = write_note(&place, err);
    if (rc == 0)
        rc = put_in_place(&place, err);
    if (rc != 0)
        delete_next(&place);
    else if (info != NULL)
        *info = found;
    return rc;
}

/* ---- on the core thread ---- */

static void free_install(struct node *node)
{
    struct install *install = node->install;

    node->install = NULL;
    worker_stop(&install->worker);
    (void)mailbox_drain(&install->back);
    mailbox_fini(&install->back);
    str_fini(&install->configuration);
    state_free(install->state_loaded);
    db_close(install->db);
    mem_free(install);
}

/* Give it up before anything was replaced. */
static void give_up(struct node *node, bool tell_replica)
{
    delete_next(node);
    free_install(node);
    if (tell_replica)
        replica_install_failed(node->replica, clock_monotonic_ms());
    node_touch(node);
}

/* Nothing writes to the database now: the replica decides whether it is still wanted. */
static void begin_replacing(struct node *node)
{
    struct install *install = node->install;
    int rc = replica_install_begin(node->replica, &install->meta.position,
                                   clock_monotonic_ms());

    if (rc != 0) {
        log_info("node", "the snapshot is not needed any more", "");
        give_up(node, false);
        return;
    }
    save_job_free(node->saving);
    node->saving = NULL;
    node->save_failed = false;
    saver_stop(&node->saver);
    install->db = node->db;
    node->db = NULL;
    /* Never two states in memory; until the new one is there an empty one stands in, and
     * nothing is read from it: this node is no leader. */
    state_free(node->state);
    node->state = state_new(&node->options.events);
    install->state = INSTALL_REPLACING;
    worker_submit(&install->worker, &install->node);
}

bool node_install_waits(const struct node *node)
{
    return node->install != NULL && node->install->state != INSTALL_FETCHING;
}

void node_install_saved(struct node *node)
{
    if (node->install != NULL && node->install->state == INSTALL_WAITING &&
        !node->stopping)
        begin_replacing(node);
}

static void replaced(struct node *node)
{
    struct install *install = node->install;

    if (install->code != 0) {
        node_fatal(node, &install->err);
        return;
    }
    state_free(node->state);
    node->state = install->state_loaded;
    install->state_loaded = NULL;
    node->db = install->db;
    install->db = NULL;
    if (saver_start(&node->saver, node->db, &node->save_back) != 0) {
        struct err err;
        err_set(&err, ERR_NOMEM, "start the database's thread");
        node_fatal(node, &err);
        return;
    }
    node->saved_index = install->meta.position.index;
    node->applied_bytes = 0;
    install->state = INSTALL_RESETTING;
    log_info("node", "snapshot installed", "index=%llu from=%llu ms=%lld",
             (unsigned long long)install->meta.position.index,
             (unsigned long long)install->from,
             (long long)(clock_monotonic_ms() - install->began_ms));
    replica_installed(node->replica, clock_monotonic_ms());
    node_touch(node);
}

static void on_back(struct message *message, void *arg)
{
    struct node *node = arg;
    struct install *install = CONTAINER_OF(message, struct install, message);

    if (node->stopping)
        return; /* what happened on disk is finished by the next start */
    if (install->state == INSTALL_REPLACING) {
        replaced(node);
        return;
    }
    if (install->code != 0) {
        log_warn("node", "no snapshot", "err=%s", LOG_QUOTED(install->err.text));
        give_up(node, true);
        return;
    }
    install->state = INSTALL_WAITING;
    if (node->saving == NULL || node->save_failed)
        begin_replacing(node);
}

/* Where FROM is reached: what it said itself, else the configuration. */
static void find_address(struct node *node, struct install *install)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    struct peers_status status[PEERS_MAX];
    size_t count = replica_servers(node->replica, servers);

    for (size_t i = 0; i < count; i++) {
        if (servers[i].id == install->from)
            (void)snprintf(install->address, sizeof(install->address), "%s",
                           servers[i].address);
    }
    count = peers_status(node->peers, status);
    for (size_t i = 0; i < count; i++) {
        if (status[i].node_id == install->from && status[i].address[0] != '\0')
            (void)snprintf(install->address, sizeof(install->address), "%s",
                           status[i].address);
    }
}

void node_on_install(void *arg, uint64_t from, const struct replica_position *at_least)
{
    struct node *node = arg;
    struct install *install = mem_zalloc(sizeof(*install));

    node_flush_install(node); /* the one before may not have been told of */
    ASSERT(node->install == NULL && node->peers != NULL);
    install->owner = node;
    install->from = from;
    install->index = at_least->index;
    install->began_ms = clock_monotonic_ms();
    list_node_init(&install->node);
    atomic_init(&install->cancelled, false);
    str_init(&install->configuration, CONFIGURATION_MAX);
    find_address(node, install);
    mailbox_init(&install->back, node->thread.loop, on_back, node);
    node->install = install;
    if (worker_start(&install->worker, "weft-install", run, install) != 0) {
        install->code = err_set(&install->err, ERR_NOMEM, "start a thread");
        mailbox_send(&install->back, &install->message);
        return;
    }
    worker_submit(&install->worker, &install->node);
}

void node_on_installed(void *arg)
{
    struct node *node = arg;
    node->installed = true;
    node_touch(node);
}

void node_flush_install(struct node *node)
{
    struct err err;

    if (!node->installed)
        return;
    node->installed = false;
    if (node_finish_install(node, &err) != 0) {
        node_fatal(node, &err);
        return;
    }
    free_install(node);
    pthread_mutex_lock(&node->health_mutex);
    node->health.snapshots_installed_total++;
    node->health.checkpoint_index = node->saved_index;
    pthread_mutex_unlock(&node->health_mutex);
    if (node->options.on_installed != NULL)
        node->options.on_installed(node->options.arg);
}

void node_stop_install(struct node *node)
{
    if (node->install == NULL)
        return;
    atomic_store(&node->install->cancelled, true);
    free_install(node);
}
