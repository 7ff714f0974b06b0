/* child.h - a program that runs beside this one, and ends with it.
 *
 * Its output goes to a file. It gets no Ctrl-C of the terminal, so that its parent can
 * end several in order; when the parent dies, however, it is killed. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/defs.h"
#include "common/err.h"

#define CHILD_PATH_MAX 4096

struct child {
    const char *name; /* of the program, for messages */
    pid_t pid;        /* 0: none */
    char log[CHILD_PATH_MAX];
};

/* Where the program NAME is: beside this one, else what PATH finds. */
void child_find(const char *name, char path[CHILD_PATH_MAX]);
/* Start ARGV, whose first word is what child_find says, with no signal blocked. */
int child_start(struct child *child, const char *name, char *const argv[],
                struct err *err) MUST_CHECK;
/* True once it has ended; how, in STATUS (of waitpid). */
bool child_ended(struct child *child, int *status);
/* Ask it to end, wait WAIT_MS, then kill it. Nothing for one that does not run. */
void child_stop(struct child *child, int64_t wait_ms);

#endif
