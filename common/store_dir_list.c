/* store_dir_list.c - LIST of a directory store, in S3's order: the bytes of whole keys.
 *
 * A directory is entered where its name with the "/" behind it sorts among its siblings;
 * so "a-b" comes before "a/b", as in S3. Of a directory of any size only the next
 * ENTRIES_KEEP names are held at a time; when they are used up it is read again from
 * there. Files that come and go meanwhile may or may not be listed, as with S3. */
#include "common/store_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

#define KEY_SIZE sizeof(((struct store_request *)0)->key)
/* So many names of one directory are held at most, and a quarter of them is kept when
 * they are sorted; more than a whole answer, so that one reading mostly will do. */
#define ENTRIES_MAX  (4 * (STORE_LIST_MAX + 1))
#define ENTRIES_KEEP (STORE_LIST_MAX + 1)

/* Older temporary files are left-overs. */
#define TEMP_LIFE_MS (24 * 3600 * INT64_C(1000))

struct lister {
    int root_fd;
    const char *prefix;
    const char *after;
    struct store_request *request; /* room for STORE_LIST_MAX keys */
    size_t count;
    bool more;
};

/* The names of one directory that come next; directories end in "/". */
struct entries {
    char *names[ENTRIES_MAX];
    size_t count;
    bool cut; /* there are more, behind the last */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void drop_from(struct entries *entries, size_t first)
{
    for (size_t i = first; i < entries->count; i++)
        mem_free(entries->names[i]);
    entries->count = MIN(entries->count, first);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Can the file FULL, or something in the directory FULL, be part of the answer? */
static bool wanted(const struct lister *lister, const char *full, bool is_dir)
{
    if (!is_dir)
        return begins_with(full, lister->prefix) && strcmp(full, lister->after) > 0;
    if (!begins_with(full, lister->prefix) && !begins_with(lister->prefix, full))
        return false;
    return strcmp(full, lister->after) > 0 || begins_with(lister->after, full);
}

/* A temporary file that no living PUT can have: a process was killed over it. LIST is
 * what sees every directory now and then, so that is where it goes. */
static void sweep(int dir, const char *name)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        clock_wall_ms() - (int64_t)st.st_mtim.tv_sec * 1000 > TEMP_LIFE_MS)
        unlinkat(dir, name, 0);
}

static bool is_directory(int dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Take ENTRY of directory PATH ("" or "a/b/") if it is behind LOWER and wanted. */
static void take_entry(const struct lister *lister, int dir, const char *path,
                       const struct dirent *entry, const char *lower,
                       struct entries *entries)
{
    char full[KEY_SIZE + 1];
    if (entry->d_name[0] == STORE_DIR_TEMP_MARK) {
        sweep(dir, entry->d_name);
        return;
    }
    bool is_dir = is_directory(dir, entry);
    int n =
        snprintf(full, sizeof(full), "%s%s%s", path, entry->d_name, is_dir ? "/" : "");
    if (n < 0 || (size_t)n >= sizeof(full) || (!is_dir && (size_t)n >= KEY_SIZE))
        return; /* no key is as long as this */
    const char *name = full + strlen(path);
    if (store_check_prefix(name, NULL) != 0 || strcmp(name, lower) <= 0 ||
        !wanted(lister, full, is_dir))
        return;
    if (entries->count == ENTRIES_MAX) {
        qsort(entries->names, entries->count, sizeof(entries->names[0]), by_name);
        drop_from(entries, ENTRIES_KEEP);
        entries->cut = true;
    }
    entries->names[entries->count++] = mem_strdup(name);
}

/* Read the next names of directory PATH behind LOWER. One that is gone is empty. */
static int read_entries(const struct lister *lister, const char *path, const char *lower,
                        struct entries *entries, struct err *err)
{
    int fd = openat(lister->root_fd, *path != '\0' ? path : ".",
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int code = err_set_errno(err, errno, "cannot open the directory %s", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(dir)) != NULL) {
        take_entry(lister, fd, path, entry, lower, entries);
        errno = 0;
    }
    int code =
        errno != 0 ? err_set_errno(err, errno, "cannot read the directory %s", path) : 0;
    closedir(dir);
    qsort(entries->names, entries->count, sizeof(entries->names[0]), by_name);
    if (entries->count > ENTRIES_KEEP && entries->cut)
        drop_from(entries, ENTRIES_KEEP);
    return code;
}

static void add_key(struct lister *lister, const char *key)
{
    struct store_request *request = lister->request;
    struct stat st;
    if (fstatat(lister->root_fd, key, &st, 0) != 0 || !S_ISREG(st.st_mode))
        return; /* deleted since, or a socket: not an object */
    if (lister->count == STORE_LIST_MAX) {
        lister->more = true;
        return;
    }
    request->keys[lister->count] = mem_strdup(key);
    request->sizes[lister->count] = (uint64_t)st.st_size;
    request->modified_ms[lister->count] =
        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    lister->count++;
}

/* Walk directory PATH, at most as deep as a key has room for slashes. */
static int walk(struct lister *lister, const char *path, struct err *err)
{
    struct entries *entries = mem_alloc(sizeof(*entries));
    char lower[KEY_SIZE + 1] = "";
    char full[2 * KEY_SIZE];
    int code = 0;

    do {
        entries->count = 0;
        entries->cut = false;
        code = read_entries(lister, path, lower, entries, err);
        for (size_t i = 0; i < entries->count && code == 0 && !lister->more; i++) {
            const char *name = entries->names[i];
            snprintf(full, sizeof(full), "%s%s", path, name);
            if (full[strlen(full) - 1] == '/')
                code = walk(lister, full, err);
            else
                add_key(lister, full);
        }
        if (entries->count > 0)
            snprintf(lower, sizeof(lower), "%s", entries->names[entries->count - 1]);
        drop_from(entries, 0);
    } while (code == 0 && entries->cut && !lister->more);
    mem_free(entries);
    return code;
}

int store_dir_list(int root_fd, struct store_request *request, struct err *err)
{
    struct lister lister = {
        .root_fd = root_fd,
        .prefix = request->key,
        .after = request->start_after,
        .request = request,
    };
    request->keys = mem_alloc(STORE_LIST_MAX * sizeof(*request->keys));
    request->sizes = mem_alloc(STORE_LIST_MAX * sizeof(*request->sizes));
    request->modified_ms = mem_alloc(STORE_LIST_MAX * sizeof(*request->modified_ms));
    int code = walk(&lister, "", err);
    if (code != 0) {
        for (size_t i = 0; i < lister.count; i++)
            mem_free(request->keys[i]);
        mem_free(request->keys);
        mem_free(request->sizes);
        mem_free(request->modified_ms);
        request->keys = NULL;
        request->sizes = NULL;
        request->modified_ms = NULL;
        return code;
    }
    request->key_count = lister.count;
    request->more = lister.more;
    return 0;
}
