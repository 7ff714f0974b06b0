/* fake_names.c - see fake_names.h. */
#include "tests/lib/fake_names.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMES_MAX 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    const char *name;
    enum fake_name is;
} names[NAMES_MAX];
static int hanging, asked;

/* The place of NAME, or of a free one, or -1. */
static int find(const char *name, bool make)
{
    for (int i = 0; i < NAMES_MAX; i++) {
        if (names[i].name == NULL && !make)
            return -1;
        if (names[i].name == NULL || strcmp(names[i].name, name) == 0)
            return i;
    }
    abort();
}

void fake_name_set(const char *name, enum fake_name is)
{
    pthread_mutex_lock(&lock);
    int i = find(name, true);
    names[i].name = name;
    names[i].is = is;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int fake_names_hanging(void)
{
    pthread_mutex_lock(&lock);
    int count = hanging;
    pthread_mutex_unlock(&lock);
    return count;
}

int fake_names_asked(void)
{
    pthread_mutex_lock(&lock);
    int count = asked;
    pthread_mutex_unlock(&lock);
    return count;
}

/* What name I is in the end; by the lock. */
static enum fake_name wait_for(int i)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FAKE_NAME_GIVE_UP_S;
    hanging++;
    while (names[i].is == FAKE_NAME_HANGS &&
           pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT)
        ;
    hanging--;
    return names[i].is;
}

/* In the place of the C library's. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    bool numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
    enum fake_name is = FAKE_NAME_LOOPBACK;

    pthread_mutex_lock(&lock);
    int i = name == NULL || numeric ? -1 : find(name, false);
    if (i >= 0) {
        asked++;
        is = wait_for(i);
    }
    pthread_mutex_unlock(&lock);
    if (is == FAKE_NAME_UNKNOWN)
        return EAI_NONAME;
    if (is == FAKE_NAME_HANGS)
        return EAI_AGAIN;
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (i >= 0)
        name = is == FAKE_NAME_ELSEWHERE ? "127.1.2.3" : "127.0.0.1";
    return next(name, service, hints, list);
}
