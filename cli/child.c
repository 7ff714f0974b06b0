/* child.c - see child.h. */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#define POLL_US 2000

void child_find(const char *name, char path[CHILD_PATH_MAX])
{
    char self[CHILD_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash = NULL;

    if (len > 0) {
        self[len] = '\0';
        slash = strrchr(self, '/');
    }
    if (slash != NULL) {
        *slash = '\0';
        int n = snprintf(path, CHILD_PATH_MAX, "%s/%s", self, name);
        if (n < CHILD_PATH_MAX && access(path, X_OK) == 0)
            return;
    }
    (void)snprintf(path, CHILD_PATH_MAX, "%s", name);
}

/* In the child: become ARGV, or end with 127 and a line in the log. */
static void become(pid_t parent, int log, char *const argv[])
{
    sigset_t none;
    int in = open("/dev/null", O_RDONLY);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || in < 0 || dup2(in, 0) < 0 || dup2(log, 1) < 0 ||
        dup2(log, 2) < 0)
        _exit(127);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int child_start(struct child *child, const char *name, char *const argv[],
                struct err *err)
{
    pid_t parent = getpid();
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (log < 0)
        return err_set_errno(err, errno, "%s", child->log);
    child->name = name;
    child->pid = fork();
    if (child->pid == 0)
        become(parent, log, argv);
    (void)close(log);
    if (child->pid > 0)
        return 0;
    child->pid = 0;
    return err_set_errno(err, errno, "%s: fork", name);
}

bool child_ended(struct child *child, int *status)
{
    if (child->pid == 0 || waitpid(child->pid, status, WNOHANG) != child->pid)
        return false;
    child->pid = 0;
    return true;
}

void child_stop(struct child *child, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    int status;

    if (child->pid == 0)
        return;
    (void)kill(child->pid, SIGTERM);
    while (!child_ended(child, &status)) {
        if (clock_monotonic_ms() >= until_ms) {
            (void)kill(child->pid, SIGKILL);
            (void)waitpid(child->pid, &status, 0);
            child->pid = 0;
            return;
        }
        (void)usleep(POLL_US);
    }
}
