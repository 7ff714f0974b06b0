/* fault.c - see fault.h.
 *
 * All state is behind one mutex: fault builds are for tests, not for speed. The table
 * of points has a fixed size, since the names are literals of our own code. */
#include "common/fault.h"

#ifdef WEFT_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/err.h"
#include "common/log.h"

#define POINTS_MAX     256
#define RULES_MAX      32
#define NAME_MAX_BYTES 64

enum action { ACTION_KILL, ACTION_ERROR, ACTION_SLEEP };

struct rule {
    char name[NAME_MAX_BYTES];
    uint64_t pass; /* 0: every one */
    enum action action;
    long sleep_ms;
};

struct point {
    char name[NAME_MAX_BYTES];
    uint64_t passes;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool configured;
static struct rule rules[RULES_MAX];
static size_t rule_count;
static struct point points[POINTS_MAX];
static size_t point_count;

/* One "name:N[:action]"; TEXT is cut up. */
static int parse_rule(char *text, struct rule *rule)
{
    char *save = NULL;
    const char *name = strtok_r(text, ":", &save);
    const char *pass = strtok_r(NULL, ":", &save);
    const char *action = strtok_r(NULL, ":", &save);
    char *end = NULL;

    if (name == NULL || pass == NULL || strlen(name) >= sizeof(rule->name))
        return ERR_INVALID;
    memset(rule, 0, sizeof(*rule));
    memcpy(rule->name, name, strlen(name));
    if (strcmp(pass, "*") != 0) {
        rule->pass = strtoull(pass, &end, 10);
        if (*end != '\0' || rule->pass == 0)
            return ERR_INVALID;
    }
    if (action == NULL || strcmp(action, "kill") == 0) {
        rule->action = ACTION_KILL;
    } else if (strcmp(action, "error") == 0) {
        rule->action = ACTION_ERROR;
    } else if (strncmp(action, "sleep=", 6) == 0) {
        rule->action = ACTION_SLEEP;
        rule->sleep_ms = strtol(action + 6, &end, 10);
        if (end == action + 6 || *end != '\0' || rule->sleep_ms < 0)
            return ERR_INVALID;
    } else {
        return ERR_INVALID;
    }
    return 0;
}

/* Replace the rules by those of TEXT; called with the mutex held. */
static int configure_locked(const char *text)
{
    char copy[RULES_MAX * NAME_MAX_BYTES];
    char *save = NULL;
    int code = 0;

    rule_count = 0;
    point_count = 0;
    configured = true;
    if (strlen(text) >= sizeof(copy))
        return ERR_INVALID;
    memcpy(copy, text, strlen(text) + 1);
    for (char *item = strtok_r(copy, ",", &save); item != NULL && code == 0;
         item = strtok_r(NULL, ",", &save)) {
        if (rule_count == RULES_MAX)
            return ERR_INVALID;
        code = parse_rule(item, &rules[rule_count]);
        rule_count += code == 0;
    }
    return code;
}

static struct point *find_point(const char *name)
{
    for (size_t i = 0; i < point_count; i++) {
        if (strcmp(points[i].name, name) == 0)
            return &points[i];
    }
    return NULL;
}

int fault_configure(const char *text)
{
    pthread_mutex_lock(&mutex);
    int code = configure_locked(text);
    pthread_mutex_unlock(&mutex);
    return code;
}

bool fault_pass(const char *name)
{
    bool fail = false, die = false;
    long sleep_ms = 0;

    pthread_mutex_lock(&mutex);
    if (!configured) {
        const char *text = getenv("WEFT_FAULT");
        ASSERT(configure_locked(text == NULL ? "" : text) == 0);
    }
    struct point *point = find_point(name);
    if (point == NULL) {
        ASSERT(point_count < POINTS_MAX && strlen(name) < NAME_MAX_BYTES);
        point = &points[point_count++];
        memset(point, 0, sizeof(*point));
        memcpy(point->name, name, strlen(name));
    }
    point->passes++;
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = &rules[i];
        if (strcmp(rule->name, name) != 0 ||
            (rule->pass != 0 && rule->pass != point->passes))
            continue;
        fail = fail || rule->action == ACTION_ERROR;
        die = die || rule->action == ACTION_KILL;
        sleep_ms += rule->action == ACTION_SLEEP ? rule->sleep_ms : 0;
    }
    pthread_mutex_unlock(&mutex);

    if (sleep_ms > 0) {
        struct timespec ts = {sleep_ms / 1000, (sleep_ms % 1000) * 1000000};
        nanosleep(&ts, NULL);
    }
    if (die) {
        log_warn("fault", "killed at a fault point", "point=%s", name);
        kill(getpid(), SIGKILL);
    }
    return fail;
}

uint64_t fault_passes(const char *name)
{
    pthread_mutex_lock(&mutex);
    const struct point *point = find_point(name);
    uint64_t passes = point == NULL ? 0 : point->passes;
    pthread_mutex_unlock(&mutex);
    return passes;
}

void fault_print(struct str *out)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < point_count; i++)
        str_printf(out, "%s %llu\n", points[i].name,
                   (unsigned long long)points[i].passes);
    pthread_mutex_unlock(&mutex);
}

#endif
