/* process_metrics.c - see process_metrics.h; the fields are those of proc(5). */
#include "common/process_metrics.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/metric.h"

enum process_value {
    CPU_SECONDS,
    RESIDENT_BYTES,
    VIRTUAL_BYTES,
    OPEN_FDS,
    MAX_FDS,
    THREADS,
    START_SECONDS,
};

static const struct metric_spec specs[] = {
    [CPU_SECONDS] = {METRIC_COUNTER, "process_cpu_seconds_total", "seconds",
                     "CPU time of the process, user and system", NULL},
    [RESIDENT_BYTES] = {METRIC_GAUGE, "process_resident_memory_bytes", "bytes",
                        "memory of the process that is in RAM", NULL},
    [VIRTUAL_BYTES] = {METRIC_GAUGE, "process_virtual_memory_bytes", "bytes",
                       "address space of the process", NULL},
    [OPEN_FDS] = {METRIC_GAUGE, "process_open_fds", "", "open file descriptors", NULL},
    [MAX_FDS] = {METRIC_GAUGE, "process_max_fds", "",
                 "file descriptors that the process may have open", NULL},
    [THREADS] = {METRIC_GAUGE, "process_threads", "", "threads of the process", NULL},
    [START_SECONDS] = {METRIC_GAUGE, "process_start_time_seconds", "seconds",
                       "when the process began, Unix time", NULL},
};

/* The file as text, cut at SIZE; "" when it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t n = file == NULL ? 0 : fread(text, 1, size - 1, file);
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
}

/* When the machine was booted, Unix time. */
static double boot_seconds(void)
{
    unsigned long long seconds = 0;
    char line[256];
    FILE *file = fopen("/proc/stat", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "btime %llu", &seconds) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return (double)seconds;
}

static int count_fds(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 3; /* ".", ".." and the directory itself */
}

void process_metrics_print(struct str *out)
{
    double values[ARRAY_LEN(specs)] = {0};
    unsigned long long user = 0, system = 0, start = 0, virtual_bytes = 0, pages = 0;
    long threads = 0;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    struct rlimit limit;
    char text[1024];

    read_text("/proc/self/stat", text, sizeof(text));
    /* The name of the program may hold anything but ends with the last ")". */
    const char *rest = strrchr(text, ')');
    if (rest != NULL &&
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
               "%ld %*d %llu %llu %llu",
               &user, &system, &threads, &start, &virtual_bytes, &pages) == 6) {
        values[CPU_SECONDS] = (double)(user + system) / ticks;
        values[RESIDENT_BYTES] = (double)pages * (double)sysconf(_SC_PAGESIZE);
        values[VIRTUAL_BYTES] = (double)virtual_bytes;
        values[THREADS] = (double)threads;
        values[START_SECONDS] = boot_seconds() + (double)start / ticks;
    }
    values[OPEN_FDS] = (double)count_fds();
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        values[MAX_FDS] = (double)limit.rlim_cur;
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        metric_print_head(&specs[i], out);
        /* Whole bytes, and seconds of today, need more digits than nine. */
        str_printf(out, "%s %.*f\n", specs[i].name, i == CPU_SECONDS ? 2 : 0, values[i]);
    }
}
