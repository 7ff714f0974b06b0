/* file.c - see file.h. */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/dir_sync.h"
#include "common/mem.h"

/* What a signal removes: a name that does not move, or "". */
static char doomed[4200];
static volatile sig_atomic_t is_doomed;

static void on_signal(int signum)
{
    if (is_doomed)
        (void)unlink(doomed);
    /* SA_RESETHAND: the second time it ends the process, with the right status; but not
     * the first process of a container. */
    (void)raise(signum);
    if (getpid() == 1)
        _exit(128 + signum);
}

static void watch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    static bool done;

    for (size_t i = 0; i < ARRAY_LEN(signals) && !done; i++)
        (void)sigaction(signals[i], &action, NULL);
    done = true;
}

int file_read(const char *path, struct str *text, struct err *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    char buffer[16384];
    ssize_t n;
    int rc = 0;

    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = err_set_errno(err, errno, "%s", path);
            break;
        }
        str_append(text, buffer, (size_t)n);
        if (text->overflowed) {
            rc = err_set(err, ERR_TOO_LARGE, "%s is too large for what it should be",
                         path);
            break;
        }
    }
    explicit_bzero(buffer, sizeof(buffer));
    if (!standard_input)
        close(fd);
    return rc;
}

int file_write(int fd, struct slice bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "write");
        bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

int file_temporary(const char *path, char *name, int *fd, struct err *err)
{
    size_t len = strlen(path);

    if (len + FILE_TEMPORARY_LEN > sizeof(doomed))
        return err_set(err, ERR_INVALID, "the path %.40s... is too long", path);
    memcpy(name, path, len);
    (void)strcpy(name + len, ".part-XXXXXX");
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd < 0)
        return err_set_errno(err, errno, "a temporary file beside %s", path);
    is_doomed = 0;
    (void)strcpy(doomed, name);
    is_doomed = 1;
    watch_signals();
    return 0;
}

int file_keep(const char *name, int fd, const char *path, struct err *err)
{
    int rc = 0;

    if (fsync(fd) != 0)
        rc = err_set_errno(err, errno, "sync %s", name);
    if (close(fd) != 0 && rc == 0)
        rc = err_set_errno(err, errno, "close %s", name);
    if (rc == 0 && rename(name, path) != 0)
        rc = err_set_errno(err, errno, "rename to %s", path);
    if (rc != 0)
        (void)unlink(name);
    is_doomed = 0;
    return rc == 0 ? dir_sync_of(path, err) : rc;
}

void file_drop(const char *name, int fd)
{
    close(fd);
    (void)unlink(name);
    is_doomed = 0;
}

int file_replace(const char *path, struct slice bytes, struct err *err)
{
    char *name = mem_alloc(strlen(path) + FILE_TEMPORARY_LEN);
    int fd;
    int rc = file_temporary(path, name, &fd, err);

    if (rc == 0 && (rc = file_write(fd, bytes, err)) != 0)
        file_drop(name, fd);
    else if (rc == 0)
        rc = file_keep(name, fd, path, err);
    mem_free(name);
    return rc;
}
