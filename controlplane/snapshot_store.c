/* snapshot_store.c - see snapshot_store.h. */
#include "controlplane/snapshot_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/db.h"

#define PATH_BYTES        1024
#define SHIP_KEEP_MS      600000 /* a file for other nodes, after its last use */
#define SHIP_FRESH_MS     60000  /* older ones are not begun with any more */
#define CONFIGURATION_MAX (64 * KIB)

struct snapshot_store {
    char dir[PATH_BYTES - 128];
    struct uuid cell_id;
    atomic_bool cancelled;
    atomic_uint level;
    pthread_mutex_t copy_mutex; /* the database stays where it is */
    pthread_mutex_t ship_mutex; /* what follows */
    char ship_path[PATH_BYTES]; /* "": none */
    struct snapshot_info ship;
    unsigned ship_users;
    int64_t ship_used_ms;
    atomic_uint copies; /* names of copies differ */
};

static bool is_cancelled(void *arg)
{
    struct snapshot_store *store = arg;
    return atomic_load(&store->cancelled);
}

/* Delete all files of DIR whose name begins with PREFIX. */
static void delete_prefixed(const char *dir_path, const char *prefix)
{
    DIR *dir = opendir(dir_path);
    struct dirent *item;

    while (dir != NULL && (item = readdir(dir)) != NULL) {
        if (strncmp(item->d_name, prefix, strlen(prefix)) == 0)
            (void)unlinkat(dirfd(dir), item->d_name, 0);
    }
    if (dir != NULL)
        closedir(dir);
}

struct snapshot_store *snapshot_store_new(const char *dir, const struct uuid *cell_id)
{
    struct snapshot_store *store = mem_zalloc(sizeof(*store));

    (void)snprintf(store->dir, sizeof(store->dir), "%s", dir);
    store->cell_id = *cell_id;
    atomic_init(&store->cancelled, false);
    atomic_init(&store->copies, 0);
    atomic_init(&store->level, 1);
    pthread_mutex_init(&store->copy_mutex, NULL);
    pthread_mutex_init(&store->ship_mutex, NULL);
    /* What a process that was killed left behind. */
    delete_prefixed(dir, "ship-");
    delete_prefixed(dir, "copy-");
    delete_prefixed(dir, "download-");
    delete_prefixed(dir, "backup.part");
    return store;
}

void snapshot_store_set_level(struct snapshot_store *store, uint32_t level)
{
    atomic_store(&store->level, level);
}

void snapshot_store_cancel(struct snapshot_store *store)
{
    atomic_store(&store->cancelled, true);
}

void snapshot_store_free(struct snapshot_store *store)
{
    if (store == NULL)
        return;
    ASSERT(store->ship_users == 0);
    if (store->ship_path[0] != '\0')
        (void)unlink(store->ship_path);
    pthread_mutex_destroy(&store->copy_mutex);
    pthread_mutex_destroy(&store->ship_mutex);
    mem_free(store);
}

void snapshot_store_lock(struct snapshot_store *store)
{
    pthread_mutex_lock(&store->copy_mutex);
}

void snapshot_store_unlock(struct snapshot_store *store)
{
    pthread_mutex_unlock(&store->copy_mutex);
}

/* ---- meta ---- */

struct meta_reading {
    struct checkpoint_meta *meta;
    struct str *bytes;
    bool found;
};

/* The first columns of META (db_table.def); what follows is the state's. */
static int on_meta(void *arg, struct reader *row)
{
    struct meta_reading *reading = arg;
    struct checkpoint_meta *meta = reading->meta;

    (void)db_get_int(row); /* id */
    (void)db_get_int(row); /* format, judged when it is loaded */
    struct slice cell = db_get_bytes(row);
    if (cell.len != sizeof(meta->cell_id.bytes))
        return ERR_DAMAGED;
    memcpy(meta->cell_id.bytes, cell.ptr, cell.len);
    meta->position.index = (uint64_t)db_get_int(row);
    meta->position.term = (uint64_t)db_get_int(row);
    struct slice configuration = db_get_bytes(row);
    str_append_slice(reading->bytes, configuration);
    meta->position.configuration_index = (uint64_t)db_get_int(row);
    reader_skip(row, reader_left(row));
    if (row->failed || reading->bytes->overflowed)
        return ERR_DAMAGED;
    reading->found = true;
    return 0;
}

int snapshot_read_meta(const char *path, struct checkpoint_meta *meta, struct str *bytes,
                       struct err *err)
{
    struct meta_reading reading = {.meta = meta, .bytes = bytes};
    struct db *db = NULL;
    struct err local = {.code = 0};
    int rc = db_open(path, &db, &local);

    memset(meta, 0, sizeof(*meta));
    if (rc == 0)
        rc = db_scan(db, DB_META, on_meta, &reading, &local);
    if (rc == 0 && !reading.found)
        rc = err_set(&local, ERR_DAMAGED, "the database holds no state");
    db_close(db);
    if (rc != 0)
        return err_set(err, rc, "%s: %s", path, local.text);
    meta->position.configuration = str_slice(bytes);
    return 0;
}

/* ---- making ---- */

/* A copy of the database at one moment. */
static int copy_database(struct snapshot_store *store, const char *copy, struct err *err)
{
    char from[PATH_BYTES];
    int rc;

    (void)snprintf(from, sizeof(from), "%s/state.db", store->dir);
    pthread_mutex_lock(&store->copy_mutex);
    rc = db_copy(from, copy, is_cancelled, store, err);
    pthread_mutex_unlock(&store->copy_mutex);
    FAULT_POINT("snapshot-copied");
    return rc;
}

static void delete_copy(const char *copy)
{
    char path[PATH_BYTES + 16];
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", copy, suffixes[i]);
        (void)unlink(path);
    }
}

int snapshot_store_make(struct snapshot_store *store, const char *path,
                        uint64_t rate_bytes, struct snapshot_info *info, struct err *err)
{
    struct snapshot_pace pace = {
        .rate_bytes = rate_bytes, .stopped = is_cancelled, .arg = store};
    struct checkpoint_meta meta;
    char copy[PATH_BYTES];
    struct str bytes;

    (void)snprintf(copy, sizeof(copy), "%s/copy-%u.db", store->dir,
                   atomic_fetch_add(&store->copies, 1));
    str_init(&bytes, CONFIGURATION_MAX);
    delete_copy(copy);
    int rc = copy_database(store, copy, err);
    if (rc == 0)
        rc = snapshot_read_meta(copy, &meta, &bytes, err);
    if (rc == 0) {
        memset(info, 0, sizeof(*info));
        info->feature_level = (uint16_t)atomic_load(&store->level);
        info->cell_id = store->cell_id;
        info->index = meta.position.index;
        info->term = meta.position.term;
        info->created_at_ms = clock_wall_ms();
        rc = snapshot_pack(copy, path, info, &pace, err);
    }
    delete_copy(copy);
    str_fini(&bytes);
    return rc;
}

/* ---- for other nodes ---- */

/* Make a new file for them; ship_mutex is held, others wait. */
static int make_ship(struct snapshot_store *store, struct err *err)
{
    char path[PATH_BYTES];
    struct snapshot_info info;

    (void)snprintf(path, sizeof(path), "%s/ship-%lld.weft", store->dir,
                   (long long)clock_wall_ms());
    int rc = snapshot_store_make(store, path, 0, &info, err);
    if (rc != 0)
        return rc;
    /* Who has the old one open goes on reading it. */
    if (store->ship_path[0] != '\0')
        (void)unlink(store->ship_path);
    (void)snprintf(store->ship_path, sizeof(store->ship_path), "%s", path);
    store->ship = info;
    log_info("snapshot", "made for other nodes", "index=%llu bytes=%llu plain=%llu",
             (unsigned long long)info.index, (unsigned long long)info.file_bytes,
             (unsigned long long)info.plain_bytes);
    return 0;
}

static bool ship_serves(const struct snapshot_store *store, uint64_t index,
                        uint64_t file_index, int64_t created_at_ms)
{
    const struct snapshot_info *ship = &store->ship;

    if (store->ship_path[0] == '\0' || ship->index < index)
        return false;
    if (ship->index == file_index && ship->created_at_ms == created_at_ms)
        return true; /* a fetch goes on */
    return clock_wall_ms() - ship->created_at_ms < SHIP_FRESH_MS;
}

int snapshot_store_open(struct snapshot_store *store, uint64_t index, uint64_t file_index,
                        int64_t created_at_ms, struct peers_file *file, struct err *err)
{
    int rc = 0, fd = -1;

    pthread_mutex_lock(&store->ship_mutex);
    if (!ship_serves(store, index, file_index, created_at_ms))
        rc = make_ship(store, err);
    if (rc == 0 && store->ship.index < index)
        rc = err_set(err, ERR_UNAVAILABLE, "the database is at %llu only",
                     (unsigned long long)store->ship.index);
    if (rc == 0) {
        fd = open(store->ship_path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            rc = err_set_errno(err, errno, "open %s", store->ship_path);
    }
    if (rc == 0) {
        file->fd = fd;
        file->size = store->ship.file_bytes;
        file->index = store->ship.index;
        file->created_at_ms = store->ship.created_at_ms;
        store->ship_users++;
        store->ship_used_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&store->ship_mutex);
    return rc;
}

void snapshot_store_close(struct snapshot_store *store, struct peers_file *file)
{
    close(file->fd);
    pthread_mutex_lock(&store->ship_mutex);
    store->ship_users--;
    store->ship_used_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&store->ship_mutex);
}

void snapshot_store_sweep(struct snapshot_store *store, int64_t now_ms)
{
    if (pthread_mutex_trylock(&store->ship_mutex) != 0)
        return; /* one is being made */
    if (store->ship_path[0] != '\0' && store->ship_users == 0 &&
        now_ms - store->ship_used_ms >= SHIP_KEEP_MS) {
        (void)unlink(store->ship_path);
        store->ship_path[0] = '\0';
    }
    pthread_mutex_unlock(&store->ship_mutex);
}
