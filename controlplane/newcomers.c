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
    size_t max, each_part, limit, count;
    int64_t slow_at_ms;     /* when LIMIT was halved last; -1: it never was */
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

struct newcomers *newcomers_new(size_t max, size_t each_part)
{
    struct newcomers *newcomers = mem_zalloc(sizeof(*newcomers));
    pthread_mutex_init(&newcomers->lock, NULL);
    newcomers->max = newcomers->limit = max;
    newcomers->each_part = each_part;
    newcomers->slow_at_ms = -1;
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

bool newcomers_admit(struct newcomers *newcomers, const struct newcomers_place *place,
                     int64_t now_ms)
{
    pthread_mutex_lock(&newcomers->lock);
    if (newcomers->slow_at_ms >= 0 &&
        now_ms - newcomers->slow_at_ms > NEWCOMERS_CALM_MS) {
        newcomers->limit = newcomers->max;
        newcomers->slow_at_ms = -1;
    }
    const struct source *source = find(newcomers, place);
    size_t each_max = MAX(newcomers->limit / newcomers->each_part, 1);
    bool room = newcomers->count < newcomers->limit &&
                (source == NULL || source->count < each_max);
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

static void take_out(struct newcomers *newcomers, const struct newcomers_place *place)
{
    struct source *source = find(newcomers, place);
    ASSERT(source != NULL && newcomers->count > 0);
    newcomers->count--;
    if (--source->count == 0)
        drop(newcomers, source);
}

/* Those who stood here together were slow together: they halve it once. */
static void learn(struct newcomers *newcomers, int64_t stayed_ms, int64_t now_ms)
{
    if (stayed_ms <= NEWCOMERS_SLOW_MS) {
        newcomers->limit = MIN(newcomers->limit + 1, newcomers->max);
    } else if (newcomers->slow_at_ms < 0 ||
               now_ms - newcomers->slow_at_ms > NEWCOMERS_SLOW_MS) {
        newcomers->limit =
            MAX(newcomers->limit / 2, MIN(NEWCOMERS_LEAST, newcomers->max));
        newcomers->slow_at_ms = now_ms;
    }
}

void newcomers_leave(struct newcomers *newcomers, const struct newcomers_place *place,
                     int64_t stayed_ms, int64_t now_ms)
{
    pthread_mutex_lock(&newcomers->lock);
    take_out(newcomers, place);
    learn(newcomers, stayed_ms, now_ms);
    pthread_mutex_unlock(&newcomers->lock);
}

void newcomers_expel(struct newcomers *newcomers, const struct newcomers_place *place)
{
    pthread_mutex_lock(&newcomers->lock);
    take_out(newcomers, place);
    pthread_mutex_unlock(&newcomers->lock);
}

size_t newcomers_count(struct newcomers *newcomers)
{
    pthread_mutex_lock(&newcomers->lock);
    size_t count = newcomers->count;
    pthread_mutex_unlock(&newcomers->lock);
    return count;
}

size_t newcomers_limit(struct newcomers *newcomers)
{
    pthread_mutex_lock(&newcomers->lock);
    size_t limit = newcomers->limit;
    pthread_mutex_unlock(&newcomers->lock);
    return limit;
}

uint64_t newcomers_turned_away(struct newcomers *newcomers)
{
    pthread_mutex_lock(&newcomers->lock);
    uint64_t count = newcomers->turned_away;
    pthread_mutex_unlock(&newcomers->lock);
    return count;
}
