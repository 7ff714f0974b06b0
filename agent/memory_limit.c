/* memory_limit.c - read /proc and /sys for the memory limit; reads only (I2). */
#include "agent/memory_limit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/defs.h"

#define PATH_LEN 1024

/* The number in FILE; INT64_MAX for "max", or when there is none. */
static int64_t read_limit(const char *file)
{
    char text[64] = "";
    FILE *f = fopen(file, "re");
    if (f == NULL)
        return INT64_MAX;
    char *got = fgets(text, sizeof(text), f);
    fclose(f);
    if (got == NULL || text[0] < '0' || text[0] > '9')
        return INT64_MAX;
    long long v = strtoll(text, NULL, 10);
    return v > 0 ? v : INT64_MAX;
}

/* The least of NAME in BASE/GROUP and all its parents up to BASE. */
static int64_t walk_up(const char *base, const char *group, const char *name)
{
    char dir[PATH_LEN], file[PATH_LEN + 64];
    int64_t least = INT64_MAX;

    if (snprintf(dir, sizeof(dir), "%s%s", base, group) >= (int)sizeof(dir))
        return INT64_MAX;
    for (;;) {
        snprintf(file, sizeof(file), "%s/%s", dir, name);
        int64_t limit = read_limit(file);
        least = MIN(least, limit);
        char *slash = strrchr(dir, '/');
        if (slash == NULL || (size_t)(slash - dir) < strlen(base))
            return least;
        *slash = '\0';
    }
}

/* One line of /proc/self/cgroup: "0::/group" (v2) or "7:memory:/group" (v1). */
static int64_t limit_of_line(const char *root, char *line)
{
    char base[PATH_LEN];
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');

    if (group == NULL)
        return INT64_MAX;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (controllers[0] == '\0') {
        snprintf(base, sizeof(base), "%s/sys/fs/cgroup", root);
        return walk_up(base, group, "memory.max");
    }
    if (strcmp(controllers, "memory") == 0) {
        snprintf(base, sizeof(base), "%s/sys/fs/cgroup/memory", root);
        return walk_up(base, group, "memory.limit_in_bytes");
    }
    return INT64_MAX;
}

int64_t memory_limit_bytes(const char *root)
{
    char path[PATH_LEN], line[PATH_LEN];
    int64_t least = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        int64_t limit = limit_of_line(root, line);
        least = MIN(least, limit);
    }
    if (f != NULL)
        fclose(f);
    return least;
}
