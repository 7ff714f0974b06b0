/* small_file.c - written beside the final name, synced, renamed; then the directory is
 * synced, so that the name survives too. */
#include "controlplane/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/dir_sync.h"
#include "common/mem.h"

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

static void join_path(const char *dir, const char *name, struct str *path)
{
    str_init(path, 8 * KIB);
    if (dir != NULL)
        str_printf(path, "%s/", dir);
    str_puts(path, name);
}

/* FINISH: how the temporary file gets its name: rename(2), or link(2), which fails when
 * the name is taken. */
static int put(const char *dir, const char *name, struct slice bytes, unsigned mode,
               bool create, struct err *err)
{
    struct str path, temporary;
    int code = 0;

    join_path(dir, name, &path);
    str_init(&temporary, 8 * KIB);
    str_printf(&temporary, "%s.new", str_cstr(&path));
    unlink(str_cstr(&temporary));
    int fd = open(str_cstr(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || write_all(fd, bytes) != 0 || fsync(fd) != 0)
        code = err_set_errno(err, errno, "write %s", str_cstr(&path));
    if (fd >= 0)
        close(fd);
    if (code == 0 && (create ? link(str_cstr(&temporary), str_cstr(&path))
                             : rename(str_cstr(&temporary), str_cstr(&path))) != 0)
        code = err_set_errno(err, errno, "name %s", str_cstr(&path));
    if (code == 0)
        code = dir_sync_of(str_cstr(&path), err);
    if (create || code != 0)
        unlink(str_cstr(&temporary));
    str_fini(&path);
    str_fini(&temporary);
    return code;
}

int small_file_write(const char *dir, const char *name, struct slice bytes, unsigned mode,
                     struct err *err)
{
    return put(dir, name, bytes, mode, false, err);
}

int small_file_create(const char *dir, const char *name, struct slice bytes,
                      unsigned mode, struct err *err)
{
    return put(dir, name, bytes, mode, true, err);
}

static int read_open(int fd, const char *path, bool secret, struct str *out,
                     struct err *err)
{
    char buf[4096];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return err_set_errno(err, errno, "stat %s", path);
    if (secret && (st.st_mode & 077) != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "%s is secret but others may read it: chmod 600 it", path);
    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "read %s", path);
        str_append(out, buf, (size_t)n);
    }
    explicit_bzero(buf, sizeof(buf));
    return out->overflowed
               ? err_set(err, ERR_TOO_LARGE, "%s is larger than it can be", path)
               : 0;
}

int small_file_read(const char *dir, const char *name, bool secret, struct str *out,
                    struct err *err)
{
    struct str path;
    int code;

    join_path(dir, name, &path);
    int fd = open(str_cstr(&path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        code = err_set_errno(err, errno, "open %s", str_cstr(&path));
    } else {
        code = read_open(fd, str_cstr(&path), secret, out, err);
        close(fd);
    }
    str_fini(&path);
    return code;
}
