/* node_driver.c - see node_driver.h. */
#include "tests/lib/node_driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"

struct call {
    struct ask ask;
    struct proposal proposal;
    struct command *cmd;
    struct str *result;
    void (*fn)(struct node *node, void *arg);
    void *arg;
    int code;
    sem_t ended;
};

static void on_proposed(struct proposal *proposal, int code, struct slice result)
{
    struct call *call = CONTAINER_OF(proposal, struct call, proposal);
    call->code = code;
    if (call->result != NULL)
        str_append_slice(call->result, result);
    ask_done(&call->ask);
}

static void run(struct node *node, struct ask *ask)
{
    struct call *call = CONTAINER_OF(ask, struct call, ask);
    if (call->cmd != NULL) {
        call->proposal.done = on_proposed;
        node_propose(node, &call->proposal, call->cmd);
        return;
    }
    call->fn(node, call->arg);
    ask_done(ask);
}

static void done(struct ask *ask)
{
    sem_post(&CONTAINER_OF(ask, struct call, ask)->ended);
}

static void wait_for(struct node *node, struct call *call)
{
    call->ask.run = run;
    call->ask.done = done;
    sem_init(&call->ended, 0, 0);
    node_send(node, &call->ask);
    while (sem_wait(&call->ended) != 0)
        ;
    sem_destroy(&call->ended);
}

int node_call(struct node *node, struct command *cmd, struct str *result)
{
    struct call call = {.cmd = cmd, .result = result};
    if (result != NULL)
        str_reset(result);
    wait_for(node, &call);
    return call.code;
}

void node_run(struct node *node, void (*fn)(struct node *node, void *arg), void *arg)
{
    struct call call = {.fn = fn, .arg = arg};
    wait_for(node, &call);
}

static void take_hash(struct node *node, void *arg)
{
    *(uint64_t *)arg = state_hash(node_state(node));
}

uint64_t node_hash(struct node *node)
{
    uint64_t hash = 0;
    node_run(node, take_hash, &hash);
    return hash;
}

void temp_dir(char path[64])
{
    const char *base = getenv("TMPDIR");
    /* In memory where that can be: killing a process loses nothing of it either. */
    if (base == NULL)
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, 64, "%s/weft-test-XXXXXX", base);
    ASSERT(mkdtemp(path) != NULL);
}

static void empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *item;
    if (dir == NULL)
        return;
    while ((item = readdir(dir)) != NULL) {
        if (item->d_name[0] != '.')
            ASSERT(unlinkat(dirfd(dir), item->d_name, 0) == 0);
    }
    closedir(dir);
}

void temp_dir_remove(const char *path)
{
    empty_dir(path);
    ASSERT(rmdir(path) == 0);
}

static void copy_file(int from, int to)
{
    char buf[65536];
    ssize_t n;
    while ((n = read(from, buf, sizeof(buf))) > 0)
        ASSERT(write(to, buf, (size_t)n) == n);
    ASSERT(n == 0);
}

void copy_dir(const char *from, const char *to)
{
    struct dirent *item;

    (void)mkdir(to, 0700);
    empty_dir(to);
    DIR *source = opendir(from), *target = opendir(to);
    ASSERT(source != NULL && target != NULL);
    while ((item = readdir(source)) != NULL) {
        if (item->d_name[0] == '.')
            continue;
        int in = openat(dirfd(source), item->d_name, O_RDONLY);
        int out = openat(dirfd(target), item->d_name, O_WRONLY | O_CREAT, 0600);
        ASSERT(in >= 0 && out >= 0);
        copy_file(in, out);
        close(in);
        close(out);
    }
    closedir(source);
    closedir(target);
}
