/* store_dir.c - see store_dir.h; the table store_dir_ops is used by store.c.
 *
 * A worker blocks in each try; several workers make several tries at a time.
 *
 * PUT: the pieces go into a temporary file in the same directory (file_io.h), fdatasync,
 * link(2) to the final name, which fails if there is one (create-only), unlink of the
 * temporary name, fsync of the directory. A file that stands there already with the same
 * size and checksum is our own repeat.
 *
 * GET reads into a blob, past the page cache: the agent has a cache of its own, and the
 * memory that would be spent on a second one is better given to that. mmap would turn a
 * disk error or a truncated file into SIGBUS; nor could the budget count it. */
#include "common/store_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/crypto.h"
#include "common/fault.h"
#include "common/file_io.h"

#define KEY_SIZE   sizeof(((struct store_request *)0)->key)
#define KNOWN_DIRS 4096 /* a cluster has 258 */
#define READ_CHUNK (256 * KIB)

struct dir_store {
    int root_fd;
    struct budget *budget;
    /* Directories whose names this process made durable; a slot each by hash. */
    pthread_mutex_t known_lock;
    char *known[KNOWN_DIRS];
};

struct dir_worker {
    struct dir_store *store;
    uint64_t temp_id; /* random at start, counts on */
};

/* --- directories --- */

/* Length of the directory part of KEY with its "/"; 0 when it lies in the root. */
static size_t dir_len(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash != NULL ? (size_t)(slash - key) + 1 : 0;
}

/* Open the directory of KEY; -1 and errno. */
static int open_dir(const struct dir_store *store, const char *key)
{
    char path[KEY_SIZE];
    size_t len = dir_len(key);
    memcpy(path, key, len);
    memcpy(path + len, ".", 2);
    return openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static char **known_slot(struct dir_store *store, const char *path, size_t len)
{
    return &store->known[crc32c(path, len) % KNOWN_DIRS];
}

static bool is_known(struct dir_store *store, const char *path, size_t len)
{
    pthread_mutex_lock(&store->known_lock);
    const char *known = *known_slot(store, path, len);
    bool same = known != NULL && strlen(known) == len && memcmp(known, path, len) == 0;
    pthread_mutex_unlock(&store->known_lock);
    return same;
}

/* The directory whose path is the LEN bytes at PATH is durable, or perhaps not. */
static void set_known(struct dir_store *store, const char *path, size_t len, bool known)
{
    char *text = NULL;
    if (known) {
        text = mem_dup(path, len + 1);
        text[len] = '\0';
    }
    pthread_mutex_lock(&store->known_lock);
    char **slot = known_slot(store, path, len);
    char *before = *slot;
    *slot = text;
    pthread_mutex_unlock(&store->known_lock);
    mem_free(before);
}

/* Make the directory PATH, whose parents stand, and its name durable. */
static int make_dir(const struct dir_store *store, const char *path, struct err *err)
{
    if (mkdirat(store->root_fd, path, 0777) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "cannot make the directory %s", path);
    int parent = open_dir(store, path);
    int code = 0;
    if (parent < 0 || fsync(parent) != 0)
        code = err_set_errno(err, errno, "cannot sync the directory above %s", path);
    if (parent >= 0)
        close(parent);
    return code;
}

/* Make the directories of KEY and their names durable, from the root down. One that
 * another process made a moment ago may not be durable yet, so that those that stand are
 * synced too; known[] makes that once per process. */
static int make_dirs(struct dir_store *store, const char *key, struct err *err)
{
    char path[KEY_SIZE];
    for (size_t i = 0; key[i] != '\0'; i++) {
        if (key[i] != '/' || is_known(store, key, i))
            continue;
        memcpy(path, key, i);
        path[i] = '\0';
        int code = make_dir(store, path, err);
        if (code != 0)
            return code;
        set_known(store, key, i, true);
    }
    return 0;
}

/* Somebody removed directories of KEY: look at all of them again. */
static void forget_dirs(struct dir_store *store, const char *key)
{
    for (size_t i = 0; key[i] != '\0'; i++)
        if (key[i] == '/')
            set_known(store, key, i, false);
}

/* The directory of KEY, made if need be, as *FD. */
static int dir_for_put(struct dir_store *store, const char *key, int *fd, struct err *err)
{
    int code = make_dirs(store, key, err);
    if (code != 0)
        return code;
    int dir = open_dir(store, key);
    if (dir < 0)
        return err_set_errno(err, errno, "cannot open the directory of %s", key);
    *fd = dir;
    return 0;
}

/* --- PUT --- */

static int write_pieces(int fd, const struct store_request *request, struct err *err)
{
    int rc = FAULT_ERROR("store_dir_write") ? EIO
             : FAULT_ERROR("store_dir_space")
                 ? ENOSPC
                 : file_io_write(fd, request->pieces, request->piece_count);
    return rc == 0 ? 0 : err_set_errno(err, rc, "cannot write %s", request->key);
}

/* A new file of a name that nobody uses in DIR; its name goes to TEMP. */
static int open_temp(struct dir_worker *worker, int dir, char temp[32], struct err *err)
{
    int fd = -1;
    do {
        snprintf(temp, 32, "%c%016llx", STORE_DIR_TEMP_MARK,
                 (unsigned long long)worker->temp_id++);
        fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        err_set_errno(err, errno, "cannot create a temporary file");
    return fd;
}

static int fill_temp(int dir, const char *temp, int fd,
                     const struct store_request *request, struct err *err)
{
    int code = write_pieces(fd, request, err);
    if (code == 0 && (FAULT_ERROR("store_dir_sync") || fdatasync(fd) != 0))
        code =
            err_set_errno(err, errno != 0 ? errno : EIO, "cannot sync %s", request->key);
    /* The writer has the object in its own memory. What of it is in the page cache
     * would be held twice and evict what is read; and its pages are warm for the next
     * PUT (2.5 CPU s/GiB became 0.4 in a virtual machine that gives free pages back). */
    if (code == 0)
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    /* Some file systems (NFS) report a failed write here only. */
    if (close(fd) != 0 && code == 0)
        code = err_set_errno(err, errno, "cannot close %s", request->key);
    if (code != 0)
        unlinkat(dir, temp, 0);
    return code;
}

/* Does FD hold the very bytes of REQUEST? */
static bool same_content(int fd, const struct store_request *request)
{
    uint64_t size = 0;
    uint64_t at = 0;
    uint32_t crc = 0;
    struct stat st;

    for (size_t i = 0; i < request->piece_count; i++)
        size += request->pieces[i].len;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
        return false;
    uint8_t *buf = mem_alloc(READ_CHUNK);
    while (at < size) {
        ssize_t n = pread(fd, buf, READ_CHUNK, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        crc = crc32c_extend(crc, buf, (size_t)n);
        at += (uint64_t)n;
    }
    mem_free(buf);
    return at == size && crc == request->crc;
}

/* NAME stands in DIR already: success if it is the same object, else ERR_EXISTS. */
static int compare_existing(int dir, const char *name,
                            const struct store_request *request, struct err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && same_content(fd, request);
    if (fd >= 0)
        close(fd);
    return same ? 0
                : err_set(err, ERR_EXISTS, "%s exists with other content", request->key);
}

/* Give the temporary file its final name, and make that durable. */
static int publish(int dir, const char *temp, const char *name,
                   const struct store_request *request, struct err *err)
{
    bool linked = false;
    int code = 0;

    FAULT_POINT("store_dir_written");
    if (linkat(dir, temp, dir, name, 0) == 0)
        linked = true;
    else if (errno == EEXIST)
        code = compare_existing(dir, name, request, err);
    else
        code = err_set_errno(err, errno, "cannot link %s", request->key);
    FAULT_POINT("store_dir_linked");
    unlinkat(dir, temp, 0);
    if (code == 0 && (FAULT_ERROR("store_dir_sync_dir") || fsync(dir) != 0)) {
        code = err_set_errno(err, errno != 0 ? errno : EIO,
                             "cannot sync the directory of %s", request->key);
        /* A second fsync would not report the failure again: start from nothing. */
        if (linked)
            unlinkat(dir, name, 0);
    }
    return code;
}

static int put_into(struct dir_worker *worker, int dir, struct store_request *request,
                    struct err *err)
{
    char temp[32];
    errno = 0;
    int fd = open_temp(worker, dir, temp, err);
    if (fd < 0)
        return err->code;
    errno = 0;
    int code = fill_temp(dir, temp, fd, request, err);
    if (code == 0)
        code = publish(dir, temp, request->key + dir_len(request->key), request, err);
    return code;
}

static int put(struct dir_worker *worker, struct store_request *request, struct err *err)
{
    int dir = -1;
    int code = dir_for_put(worker->store, request->key, &dir, err);
    if (code == 0) {
        code = put_into(worker, dir, request, err);
        close(dir);
    }
    /* A directory was removed under us; that word is for objects only. */
    if (code == ERR_NOT_FOUND) {
        forget_dirs(worker->store, request->key);
        code = err_set(err, ERR_IO, "the directory of %s went away", request->key);
    }
    return code;
}

/* --- GET, HEAD, DELETE --- */

/* ENOTDIR: a part of the key is an object; so there is none of this key either. */
static int missing(int errnum, const char *what, const char *key, struct err *err)
{
    if (errnum == ENOENT || errnum == ENOTDIR || errnum == EISDIR)
        return err_set(err, ERR_NOT_FOUND, "there is no object %s", key);
    return err_set_errno(err, errnum, "cannot %s %s", what, key);
}

static int open_object(const struct dir_store *store, const char *key, int *fd,
                       uint64_t *size, struct err *err)
{
    struct stat st;
    int f = openat(store->root_fd, key, O_RDONLY | O_CLOEXEC);
    if (f < 0)
        return missing(errno, "open", key, err);
    int code = 0;
    if (fstat(f, &st) != 0)
        code = err_set_errno(err, errno, "cannot stat %s", key);
    else if (!S_ISREG(st.st_mode))
        code = missing(EISDIR, "open", key, err);
    if (code != 0) {
        close(f);
        return code;
    }
    *fd = f;
    *size = (uint64_t)st.st_size;
    return 0;
}

static int read_blob(int fd, const struct store_request *request, struct blob *blob,
                     struct err *err)
{
    size_t done = 0;
    size_t room = blob->block.data != NULL ? blob->block.size : blob->len;
    int rc = FAULT_ERROR("store_dir_read")
                 ? EIO
                 : file_io_read(fd, blob->data, blob->len, room, request->offset, &done);
    if (rc != 0)
        return err_set_errno(err, rc, "cannot read %s", request->key);
    if (done < blob->len)
        return err_set(err, ERR_IO, "%s became shorter while it was read", request->key);
    return 0;
}

static int get(struct dir_worker *worker, struct store_request *request, struct err *err)
{
    const struct dir_store *store = worker->store;
    uint64_t size = 0;
    int fd = -1;
    int code = open_object(store, request->key, &fd, &size, err);
    if (code != 0)
        return code;
    /* As HTTP: a range that begins at the end or behind it is an error, one that
     * passes the end is cut. */
    if (request->offset > size || (request->offset == size && request->offset > 0)) {
        code = err_set(err, ERR_INVALID, "%s has %llu bytes: offset %llu is outside",
                       request->key, (unsigned long long)size,
                       (unsigned long long)request->offset);
        goto out;
    }
    uint64_t len = size - request->offset;
    if (request->length != 0)
        len = MIN(len, request->length);
    struct blob *blob = blob_try_new((size_t)len, store->budget);
    if (blob == NULL) {
        code = err_set(err, ERR_NOMEM, "no room for %llu bytes of %s",
                       (unsigned long long)len, request->key);
        goto out;
    }
    code = read_blob(fd, request, blob, err);
    if (code != 0) {
        blob_unref(blob);
        goto out;
    }
    request->blob = blob;
    request->object_size = size;
out:
    close(fd);
    return code;
}

static int head(struct dir_worker *worker, struct store_request *request, struct err *err)
{
    struct stat st;
    if (fstatat(worker->store->root_fd, request->key, &st, 0) != 0)
        return missing(errno, "stat", request->key, err);
    if (!S_ISREG(st.st_mode))
        return missing(EISDIR, "stat", request->key, err);
    request->object_size = (uint64_t)st.st_size;
    return 0;
}

/* As S3: deleting what is not there succeeds. Not synced: an object that comes back
 * after a power cut is deleted again by whoever decided it. */
static int remove_object(struct dir_worker *worker, struct store_request *request,
                         struct err *err)
{
    if (unlinkat(worker->store->root_fd, request->key, 0) == 0 || errno == ENOENT ||
        errno == ENOTDIR || errno == EISDIR)
        return 0;
    return err_set_errno(err, errno, "cannot delete %s", request->key);
}

/* --- the table --- */

/* File systems have names of NAME_MAX bytes at most. */
static int check_names(const char *key, struct err *err)
{
    while (*key != '\0') {
        size_t len = strcspn(key, "/");
        if (len > NAME_MAX)
            return err_set(err, ERR_INVALID,
                           "a part of the key is longer than a file name may be (%d)",
                           NAME_MAX);
        key += len + (key[len] == '/');
    }
    return 0;
}

static void dir_start(void *worker_state, struct store_try *try)
{
    struct dir_worker *worker = worker_state;
    struct store_request *request = try->request;
    struct err *err = &try->err;
    int code = check_names(request->key, err);

    if (code == 0) {
        switch (request->kind) {
        case STORE_PUT:
            code = put(worker, request, err);
            break;
        case STORE_GET:
            code = get(worker, request, err);
            break;
        case STORE_HEAD:
            code = head(worker, request, err);
            break;
        case STORE_LIST:
            code = store_dir_list(worker->store->root_fd, request, err);
            break;
        case STORE_DELETE:
            code = remove_object(worker, request, err);
            break;
        }
    }
    err->code = code;
    /* Full disks are emptied, and some disks recover: the deadline is the limit. */
    try->retry = err_retriable(code);
    store_try_done(try);
}

/* A try is over before anybody could cancel it. */
static void dir_cancel(void *worker, struct store_try *try)
{
    (void)worker, (void)try;
    ASSERT(false);
}

static int dir_open(const struct store_options *options, const struct store_url *url,
                    void **state, struct err *err)
{
    int code = store_url_allow(url, "", err);
    if (code != 0)
        return code;
    if (url->authority[0] != '\0' || url->path[0] != '/')
        return err_set(err, ERR_INVALID,
                       "file:// needs an absolute path: file:///DIRECTORY, with three "
                       "slashes");
    int fd = open(url->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INVALID, "cannot open the store's directory %s: %s%s",
                       url->path, strerror(errno),
                       errno == ENOENT ? "; make it first" : "");
    if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        code = err_set(err, ERR_INVALID, "the store's directory %s is not writable: %s",
                       url->path, strerror(errno));
        close(fd);
        return code;
    }
    struct dir_store *store = mem_zalloc(sizeof(*store));
    store->root_fd = fd;
    store->budget = options->budget;
    pthread_mutex_init(&store->known_lock, NULL);
    *state = store;
    return 0;
}

static void dir_close(void *state)
{
    struct dir_store *store = state;
    close(store->root_fd);
    for (size_t i = 0; i < KNOWN_DIRS; i++)
        mem_free(store->known[i]);
    pthread_mutex_destroy(&store->known_lock);
    mem_free(store);
}

static void *dir_worker_new(void *state, struct loop *loop)
{
    struct dir_worker *worker = mem_zalloc(sizeof(*worker));
    (void)loop;
    worker->store = state;
    crypto_random(&worker->temp_id, sizeof(worker->temp_id));
    return worker;
}

static void dir_worker_free(void *worker_state)
{
    mem_free(worker_state);
}

const struct store_ops store_dir_ops = {
    .scheme = "file",
    .default_threads = 4,
    .backoff_base_ms = 50,
    .backoff_max_ms = 5000,
    .open = dir_open,
    .close = dir_close,
    .worker_new = dir_worker_new,
    .worker_free = dir_worker_free,
    .start = dir_start,
    .cancel = dir_cancel,
};
