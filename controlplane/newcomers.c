/* newcomers.c - counts by address in a table, under a lock that nobody holds for long. */
#include "controlplane/newcomers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/check.h"
#include "common/mem.h"

struct source {
    struct newcomers_place place;
    size_t count;
    UT_hash_handle hh;
};

struct newcomers {
    pthread_mutex_t lock;
    size_t max, each_max, count;
    struct source *sources; /* those with a count above 0 */
    uint64_t turned_away;
};

struct newcomers_place newcomers_place_of(const struct sockaddr *address)
{
    struct newcomers_place place = {{0}};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        place.bytes[10] = place.bytes[11] = 0xff;
        memcpy(place.bytes + 12, &in.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        memcpy(place.bytes, &in6.sin6_addr, sizeof(place.bytes));
    }
    return place;
}

struct newcomers *newcomers_new(size_t max, size_t each_max)
{
    struct newcomers *newcomers = mem_zalloc(sizeof(*newcomers));
    pthread_mutex_init(&newcomers->lock, NULL);
    newcomers->max = max;
    newcomers->each_max = each_max;
    return newcomers;
}

static void drop(struct newcomers *newcomers, struct source *source)
{
    HASH_DEL(newcomers->sources, source);
    mem_free(source);
}

void newcomers_free(struct newcomers *newcomers)
{
    if (newcomers == NULL)
        return;
    while (newcomers->sources != NULL)
        drop(newcomers, newcomers->sources);
    pthread_mutex_destroy(&newcomers->lock);
    mem_free(newcomers);
}

static struct source *find(struct newcomers *newcomers,
                           const struct newcomers_place *place)
{
    struct source *source = NULL;
    HASH_FIND(hh, newcomers->sources, place, sizeof(*place), source);
    return source;
}

bool newcomers_admit(struct newcomers *newcomers, const struct newcomers_place *place)
{
    pthread_mutex_lock(&newcomers->lock);
    const struct source *source = find(newcomers, place);
    bool room = newcomers->count < newcomers->max &&
                (source == NULL || source->count < newcomers->each_max);
    newcomers->turned_away += !room;
    pthread_mutex_unlock(&newcomers->lock);
    return room;
}

void newcomers_enter(struct newcomers *newcomers, const struct newcomers_place *place)
{
    pthread_mutex_lock(&newcomers->lock);
    struct source *source = find(newcomers, place);
    if (source == NULL) {
        source = mem_zalloc(sizeof(*source));
        source->place = *place;
        HASH_ADD(hh, newcomers->sources, place, sizeof(source->place), source);
    }
    source->count++;
    newcomers->count++;
    pthread_mutex_unlock(&newcomers->lock);
}

void newcomers_leave(struct newcomers *newcomers, const struct newcomers_place *place)
{
    pthread_mutex_lock(&newcomers->lock);
    struct source *source = find(newcomers, place);
    ASSERT(source != NULL && newcomers->count > 0);
    newcomers->count--;
    if (--source->count == 0)
        drop(newcomers, source);
    pthread_mutex_unlock(&newcomers->lock);
}

size_t newcomers_count(struct newcomers *newcomers)
{
    pthread_mutex_lock(&newcomers->lock);
    size_t count = newcomers->count;
    pthread_mutex_unlock(&newcomers->lock);
    return count;
}

uint64_t newcomers_turned_away(struct newcomers *newcomers)
{
    pthread_mutex_lock(&newcomers->lock);
    uint64_t count = newcomers->turned_away;
    pthread_mutex_unlock(&newcomers->lock);
    return count;
}
