/* cell_disk.c - see cell_disk.h. Files are never freed before the seed ends: whoever
 * holds one, a directory of the past or a descriptor, needs no count. */
#include "tests/sim/cell_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/check.h"
#include "common/defs.h"
#include "common/mem.h"

#define SECTOR   512
#define FD_FIRST (1 << 20)
#define FDS      128

struct disk_file {
    struct disk_file *next; /* of all */
    struct disk_file *left; /* what is left of it by the crash that is being made */
    uint64_t left_by;       /* ... which is this one */
    uint8_t *now, *durable; /* of CAP bytes, zeros behind the end */
    bool *dirty;            /* by sector */
    size_t cap, len, durable_len;
};

struct descriptor {
    struct disk *disk;      /* NULL: closed */
    struct disk_file *file; /* NULL: the directory */
};

static struct {
    struct vtime *time;
    uint64_t crashes;
    struct disk disks[DISKS];
    struct disk_file *files;
    struct descriptor fds[FDS];
    struct {
        struct disk *disk; /* being listed */
        size_t at;
        struct dirent item;
    } listing;
} sim;

static bool chance(unsigned percent)
{
    return vtime_chance(sim.time, percent);
}

/* ---- files ---- */

static struct disk_file *file_new(void)
{
    struct disk_file *file = mem_zalloc(sizeof(*file));
    file->next = sim.files;
    sim.files = file;
    return file;
}

static size_t sectors(size_t bytes)
{
    return (bytes + SECTOR - 1) / SECTOR;
}

static void file_reserve(struct disk_file *file, size_t bytes)
{
    size_t cap = sectors(MAX(bytes, file->cap)) * SECTOR;
    if (cap == file->cap)
        return;
    file->now = mem_realloc(file->now, cap);
    file->durable = mem_realloc(file->durable, cap);
    file->dirty = mem_realloc(file->dirty, cap / SECTOR);
    memset(file->now + file->cap, 0, cap - file->cap);
    memset(file->durable + file->cap, 0, cap - file->cap);
    memset(file->dirty + file->cap / SECTOR, 0, (cap - file->cap) / SECTOR);
    file->cap = cap;
}

static void file_touch(struct disk_file *file, size_t at, size_t bytes)
{
    if (bytes > 0)
        memset(file->dirty + at / SECTOR, 1, sectors(at + bytes) - at / SECTOR);
}

static void file_set_len(struct disk_file *file, size_t len)
{
    file_reserve(file, len);
    if (len < file->len) {
        memset(file->now + len, 0, file->len - len);
        file_touch(file, len, file->len - len);
    } else {
        file_touch(file, file->len, len - file->len);
    }
    file->len = len;
}

static void file_write(struct disk_file *file, size_t at, const void *bytes, size_t n)
{
    if (at + n > file->len)
        file_set_len(file, at + n);
    if (n > 0)
        memcpy(file->now + at, bytes, n);
    file_touch(file, at, n);
}

static void sector_stored(struct disk_file *file, size_t sector)
{
    memcpy(file->durable + sector * SECTOR, file->now + sector * SECTOR, SECTOR);
}

/* Write what is dirty; when it fails, only some of it. Nothing is dirty then. */
static void file_sync(struct disk_file *file, bool fails)
{
    for (size_t i = 0; i < file->cap / SECTOR; i++) {
        if (file->dirty[i] && !(fails && chance(50)))
            sector_stored(file, i);
        file->dirty[i] = false;
    }
    if (!fails || chance(50))
        file->durable_len = file->len;
}

/* What a crash leaves of FILE, as a file of its own. */
static struct disk_file *file_left(const struct disk_file *file, bool power)
{
    struct disk_file *left = file_new();
    unsigned kept = chance(25) ? 0 : chance(33) ? 100 : 50;
    bool longer = kept == 100 || (kept > 0 && chance(50));

    file_reserve(left, file->cap);
    left->len = !power || longer ? file->len : file->durable_len;
    left->durable_len = power ? left->len : file->durable_len;
    for (size_t i = 0; i < file->cap / SECTOR; i++) {
        bool newer = !power || (file->dirty[i] && chance(kept));
        memcpy(left->now + i * SECTOR, (newer ? file->now : file->durable) + i * SECTOR,
               SECTOR);
        memcpy(left->durable + i * SECTOR,
               (power ? left->now : file->durable) + i * SECTOR, SECTOR);
        left->dirty[i] = !power && file->dirty[i];
    }
    if (left->cap > left->len)
        memset(left->now + left->len, 0, left->cap - left->len);
    return left;
}

/* ---- directories ---- */

static struct disk_name *find(struct disk_dir *dir, const char *name)
{
    for (size_t i = 0; i < dir->count; i++) {
        if (strcmp(dir->names[i].name, name) == 0)
            return &dir->names[i];
    }
    return NULL;
}

static void dir_remove(struct disk_dir *dir, struct disk_name *item)
{
    *item = dir->names[--dir->count];
}

static struct disk_name *dir_add(struct disk_dir *dir, const char *name)
{
    ASSERT(dir->count < DISK_FILES);
    struct disk_name *item = &dir->names[dir->count++];
    snprintf(item->name, sizeof(item->name), "%s", name);
    return item;
}

static void dir_left(const struct disk_dir *from, bool power, struct disk_dir *left)
{
    left->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        struct disk_file *file = from->names[i].file;
        if (file->left_by != sim.crashes) {
            file->left_by = sim.crashes;
            file->left = file_left(file, power);
        }
        left->names[i] = from->names[i];
        left->names[i].file = file->left;
    }
}

/* What a crash leaves of DISK: after a power cut the directory of some moment since it
 * was synced; else all of it, as little synced as before. */
static void make_left(const struct disk *disk, bool power, struct disk *left)
{
    size_t which = disk->history_count;

    memset(left, 0, sizeof(*left));
    sim.crashes++;
    if (power)
        which = (size_t)vtime_random(sim.time, disk->history_count + 1);
    dir_left(which < disk->history_count ? &disk->history[which] : &disk->dir, power,
             &left->dir);
    if (power || disk->history_count == 0)
        return;
    left->history_count = left->history_cap = disk->history_count;
    left->history = mem_alloc(left->history_count * sizeof(*left->history));
    for (size_t i = 0; i < left->history_count; i++)
        dir_left(&disk->history[i], false, &left->history[i]);
}

/* The disk is about to change, or was synced: perhaps this was the last time. */
static void count_op(struct disk *disk)
{
    if (disk->ops_left < 0 || disk->crashed || disk->ops_left-- > 0)
        return;
    disk->crashed = true;
    disk->left = mem_alloc(sizeof(*disk->left));
    make_left(disk, disk->power, disk->left);
}

/* Remember the directory as it is before a change of it. */
static void dir_changes(struct disk *disk)
{
    count_op(disk);
    if (disk->history_count == disk->history_cap) {
        disk->history_cap = MAX((size_t)8, disk->history_cap * 2);
        disk->history =
            mem_realloc(disk->history, disk->history_cap * sizeof(*disk->history));
    }
    disk->history[disk->history_count++] = disk->dir;
}

/* ---- from outside ---- */

static void close_all(const struct disk *disk)
{
    for (int i = 0; i < FDS; i++) {
        if (sim.fds[i].disk == disk)
            sim.fds[i].disk = NULL;
    }
}

static void disk_reset(struct disk *disk)
{
    close_all(disk);
    mem_free(disk->history);
    mem_free(disk->left);
    memset(disk, 0, sizeof(*disk));
    disk->ops_left = -1;
}

void disks_init(struct vtime *time)
{
    sim.time = time;
    for (unsigned i = 0; i < DISKS; i++)
        disk_reset(&sim.disks[i]);
}

struct disk *disk_of(unsigned number)
{
    ASSERT(number < DISKS);
    return &sim.disks[number];
}

void disk_path(unsigned number, char path[64])
{
    snprintf(path, 64, "%s%u", DISK_ROOT, number);
}

void disk_crash(struct disk *disk, bool power)
{
    struct disk left;
    bool flipped = disk->flipped;

    if (!disk->crashed && !power) {
        close_all(disk);
        return;
    }
    if (disk->crashed)
        left = *disk->left;
    else
        make_left(disk, true, &left);
    disk_reset(disk);
    disk->dir = left.dir;
    disk->history = left.history;
    disk->history_count = left.history_count;
    disk->history_cap = left.history_cap;
    disk->flipped = flipped;
}

void disk_wipe(struct disk *disk)
{
    disk_reset(disk);
}

bool disk_flip(struct disk *disk, bool older)
{
    struct disk_name *logs[DISK_FILES], *newest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < disk->dir.count; i++) {
        struct disk_name *item = &disk->dir.names[i];
        if (strncmp(item->name, "wal-0", 5) != 0)
            continue;
        logs[count++] = item;
        if (newest == NULL || strcmp(item->name, newest->name) > 0)
            newest = item;
    }
    if (count == 0 || (older && count == 1))
        return false;
    struct disk_name *item = logs[vtime_random(sim.time, count)];
    if (older && item == newest)
        return false;
    struct disk_file *file = item->file;
    size_t end = file->len;
    while (end > 0 && file->durable[end - 1] == 0)
        end--;
    if (end == 0)
        return false;
    size_t at = (size_t)vtime_random(sim.time, end);
    uint8_t bit = (uint8_t)(1u << vtime_random(sim.time, 8));
    file->durable[at] ^= bit;
    file->now[at] ^= bit;
    disk->flipped = true;
    return true;
}

/* ---- what the product calls instead of the system ---- */

/* The disk of PATH, *NAME the rest; NULL: not one of ours. */
static struct disk *disk_of_path(const char *path, const char **name)
{
    size_t root = strlen(DISK_ROOT);
    char *end;

    if (strncmp(path, DISK_ROOT, root) != 0)
        return NULL;
    unsigned long number = strtoul(path + root, &end, 10);
    *name = *end == '/' ? end + 1 : end;
    return disk_of((unsigned)number);
}

static struct descriptor *descriptor_of(int fd)
{
    return fd < FD_FIRST || fd >= FD_FIRST + FDS ? NULL : &sim.fds[fd - FD_FIRST];
}

static int new_fd(struct disk *disk, struct disk_file *file)
{
    for (int i = 0; i < FDS; i++) {
        if (sim.fds[i].disk == NULL) {
            sim.fds[i] = (struct descriptor){disk, file};
            return FD_FIRST + i;
        }
    }
    ASSERT(!"descriptors are leaking");
    return -1;
}

static int fail(int errnum)
{
    errno = errnum;
    return -1;
}

static int open_in(struct disk *disk, const char *name, int flags)
{
    struct disk_name *item = find(&disk->dir, name);

    if (*name == '\0')
        return new_fd(disk, NULL);
    if (item == NULL && (flags & O_CREAT) == 0)
        return fail(ENOENT);
    if (item != NULL && (flags & O_EXCL))
        return fail(EEXIST);
    if (item == NULL) {
        if (disk->full)
            return fail(ENOSPC);
        dir_changes(disk);
        item = dir_add(&disk->dir, name);
        item->file = file_new();
    } else if (flags & O_TRUNC) {
        count_op(disk);
        file_set_len(item->file, 0);
    }
    return new_fd(disk, item->file);
}

#define WRAP(type, name, ...)                                                            \
    type __real_##name(__VA_ARGS__);                                                     \
    type __wrap_##name(__VA_ARGS__);                                                     \
    type __wrap_##name(__VA_ARGS__)

/* The mode is passed on whether it is there or not; the system looks at it only when it
 * makes a file. */
WRAP(int, open, const char *path, int flags, mode_t mode)
{
    const char *name;
    struct disk *disk = disk_of_path(path, &name);
    return disk == NULL ? __real_open(path, flags, mode) : open_in(disk, name, flags);
}

WRAP(int, openat, int dir_fd, const char *path, int flags, mode_t mode)
{
    struct descriptor *dir = descriptor_of(dir_fd);
    return dir == NULL ? __real_openat(dir_fd, path, flags, mode)
                       : open_in(dir->disk, path, flags);
}

WRAP(int, close, int fd)
{
    struct descriptor *d = descriptor_of(fd);
    if (d == NULL)
        return __real_close(fd);
    d->disk = NULL; /* closed by a crash already, perhaps */
    return 0;
}

WRAP(ssize_t, pread, int fd, void *bytes, size_t n, off_t at)
{
    struct descriptor *d = descriptor_of(fd);
    if (d == NULL)
        return __real_pread(fd, bytes, n, at);
    if ((size_t)at >= d->file->len)
        return 0;
    n = MIN(n, d->file->len - (size_t)at);
    memcpy(bytes, d->file->now + at, n);
    return (ssize_t)n;
}

WRAP(ssize_t, pwritev, int fd, const struct iovec *iov, int count, off_t at)
{
    struct descriptor *d = descriptor_of(fd);
    ssize_t done = 0;

    if (d == NULL)
        return __real_pwritev(fd, iov, count, at);
    count_op(d->disk);
    for (int i = 0; i < count; i++) {
        size_t n = iov[i].iov_len;
        size_t start = (size_t)at + (size_t)done;
        if (d->disk->full && start + n > d->file->len)
            return done > 0 ? done : fail(ENOSPC);
        file_write(d->file, start, iov[i].iov_base, n);
        done += (ssize_t)n;
    }
    return done;
}

WRAP(ssize_t, pwrite, int fd, const void *bytes, size_t n, off_t at)
{
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    return descriptor_of(fd) == NULL ? __real_pwrite(fd, bytes, n, at)
                                     : __wrap_pwritev(fd, &iov, 1, at);
}

static int sync_fd(struct descriptor *d)
{
    struct disk *disk = d->disk;

    count_op(disk);
    if (d->file == NULL) {
        disk->history_count = 0;
        return 0;
    }
    if (disk->sync_fails && d->file->len > 8192) { /* not the small files */
        disk->sync_fails = false;
        file_sync(d->file, true);
        return fail(EIO);
    }
    file_sync(d->file, false);
    return 0;
}

WRAP(int, fdatasync, int fd)
{
    struct descriptor *d = descriptor_of(fd);
    return d == NULL ? __real_fdatasync(fd) : sync_fd(d);
}

WRAP(int, fsync, int fd)
{
    struct descriptor *d = descriptor_of(fd);
    return d == NULL ? __real_fsync(fd) : sync_fd(d);
}

WRAP(int, posix_fallocate, int fd, off_t at, off_t len)
{
    struct descriptor *d = descriptor_of(fd);

    if (d == NULL)
        return __real_posix_fallocate(fd, at, len);
    if (d->disk->full)
        return ENOSPC;
    count_op(d->disk);
    if ((size_t)(at + len) > d->file->len)
        file_set_len(d->file, (size_t)(at + len));
    return 0;
}

WRAP(int, ftruncate, int fd, off_t len)
{
    struct descriptor *d = descriptor_of(fd);

    if (d == NULL)
        return __real_ftruncate(fd, len);
    count_op(d->disk);
    file_set_len(d->file, (size_t)len);
    return 0;
}

WRAP(off_t, lseek, int fd, off_t at, int whence)
{
    struct descriptor *d = descriptor_of(fd);

    if (d == NULL)
        return __real_lseek(fd, at, whence);
    ASSERT(at == 0 && whence == SEEK_END); /* all that is used */
    return (off_t)d->file->len;
}

WRAP(int, fstat, int fd, struct stat *st)
{
    struct descriptor *d = descriptor_of(fd);

    if (d == NULL)
        return __real_fstat(fd, st);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFREG | 0600;
    st->st_size = (off_t)d->file->len;
    return 0;
}

static int rename_in(struct disk *disk, const char *from, const char *to)
{
    struct disk_name *old = find(&disk->dir, from);

    if (old == NULL)
        return fail(ENOENT);
    struct disk_file *file = old->file;
    dir_changes(disk);
    dir_remove(&disk->dir, old);
    struct disk_name *item = find(&disk->dir, to);
    if (item == NULL)
        item = dir_add(&disk->dir, to);
    item->file = file;
    return 0;
}

WRAP(int, rename, const char *from, const char *to)
{
    const char *from_name, *to_name;
    struct disk *disk = disk_of_path(from, &from_name);

    if (disk == NULL)
        return __real_rename(from, to);
    ASSERT(disk_of_path(to, &to_name) == disk);
    return rename_in(disk, from_name, to_name);
}

static int unlink_in(struct disk *disk, const char *name)
{
    struct disk_name *item = find(&disk->dir, name);

    if (item == NULL)
        return fail(ENOENT);
    dir_changes(disk);
    dir_remove(&disk->dir, item);
    return 0;
}

WRAP(int, unlink, const char *path)
{
    const char *name;
    struct disk *disk = disk_of_path(path, &name);
    return disk == NULL ? __real_unlink(path) : unlink_in(disk, name);
}

WRAP(int, unlinkat, int dir_fd, const char *path, int flags)
{
    struct descriptor *dir = descriptor_of(dir_fd);
    return dir == NULL ? __real_unlinkat(dir_fd, path, flags)
                       : unlink_in(dir->disk, path);
}

WRAP(int, access, const char *path, int mode)
{
    const char *name;
    struct disk *disk = disk_of_path(path, &name);
    if (disk == NULL)
        return __real_access(path, mode);
    return *name == '\0' || find(&disk->dir, name) != NULL ? 0 : fail(ENOENT);
}

/* One directory is listed at a time. */
WRAP(DIR *, opendir, const char *path)
{
    const char *name;
    struct disk *disk = disk_of_path(path, &name);

    if (disk == NULL)
        return __real_opendir(path);
    ASSERT(sim.listing.disk == NULL);
    sim.listing.disk = disk;
    sim.listing.at = 0;
    return (DIR *)(void *)&sim.listing;
}

WRAP(struct dirent *, readdir, DIR *dir)
{
    if ((void *)dir != (void *)&sim.listing)
        return __real_readdir(dir);
    if (sim.listing.at == sim.listing.disk->dir.count)
        return NULL;
    snprintf(sim.listing.item.d_name, sizeof(sim.listing.item.d_name), "%s",
             sim.listing.disk->dir.names[sim.listing.at++].name);
    return &sim.listing.item;
}

WRAP(int, closedir, DIR *dir)
{
    if ((void *)dir != (void *)&sim.listing)
        return __real_closedir(dir);
    sim.listing.disk = NULL;
    return 0;
}
