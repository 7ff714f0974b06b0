/* dir_sync.c - see dir_sync.h. */
#include "common/dir_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int dir_sync(const char *dir, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) != 0 ? err_set_errno(err, errno, "sync %s", dir) : 0;
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
    return rc;
}

int dir_sync_of(const char *path, struct err *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL)
        return dir_sync(".", err);
    if (len >= sizeof(dir))
        return err_set_errno(err, errno = ENAMETOOLONG, "sync the directory of %s", path);
    memcpy(dir, path, len);
    dir[len] = '\0';
    return dir_sync(len == 0 ? "/" : dir, err);
}
