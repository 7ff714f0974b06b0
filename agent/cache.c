/* cache.c - see cache.h.
 *
 * An entry is either a whole object of our own (chunk WRITTEN) or one chunk of any
 * object. Entries lie in one hash table by (object, chunk) and in one list by last use;
 * an entry leaves when the bytes of all pass the limit, or when the agent's memory runs
 * short, and nobody holds it.
 *
 *   LOADING --on_read, 0--> READY          cache_acquire makes LOADING,
 *      |                                   cache_put_written makes READY
 *      +------on_read, error--> FAILED     leaves the table at once; those who hold it
 *                                          learn the code, the next reader tries again */
#include "agent/cache.h"

#include <string.h>

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "agent/metrics.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "proto/object.h"

#define WRITTEN         UINT32_MAX
#define READ_TIMEOUT_MS 30000
/* Part of the agent's memory past which the cache evicts before its own limit. */
#define BUDGET_PERCENT 70

enum entry_state { ENTRY_LOADING, ENTRY_READY, ENTRY_FAILED };

struct entry_key {
    struct uuid object_id;
    uint32_t chunk; /* or WRITTEN */
};

struct cache_entry {
    struct entry_key key;
    enum entry_state state;
    int code;
    unsigned holds;
    size_t bytes;
    struct list_node lru; /* front: used last */
    struct list waiters;  /* struct cache_hold */
    struct cache_piece *pieces;
    size_t piece_count;
    struct cache *cache;
    struct store_request request;
    bool in_table;
    UT_hash_handle hh;
};

struct cache {
    struct cache_options options;
    struct cache_entry *table;
    struct list lru;
    size_t bytes;
    size_t reading;
    struct log_limit read_errors;
};

struct cache *cache_new(const struct cache_options *options)
{
    struct cache *cache = mem_zalloc(sizeof(*cache));

    cache->options = *options;
    cache->read_errors.interval_ms = 5000;
    list_init(&cache->lru);
    return cache;
}

static struct cache_entry *find(struct cache *cache, const struct uuid *object_id,
                                uint32_t chunk)
{
    struct entry_key key;
    struct cache_entry *entry;

    memset(&key, 0, sizeof(key));
    key.object_id = *object_id;
    key.chunk = chunk;
    HASH_FIND(hh, cache->table, &key, sizeof(key), entry);
    return entry;
}

static struct cache_entry *insert(struct cache *cache, const struct uuid *object_id,
                                  uint32_t chunk)
{
    struct cache_entry *entry = mem_zalloc(sizeof(*entry));

    entry->key.object_id = *object_id;
    entry->key.chunk = chunk;
    entry->cache = cache;
    list_init(&entry->waiters);
    list_push_front(&cache->lru, &entry->lru);
    HASH_ADD(hh, cache->table, key, sizeof(entry->key), entry);
    entry->in_table = true;
    return entry;
}

static void leave_table(struct cache *cache, struct cache_entry *entry)
{
    if (!entry->in_table)
        return;
    HASH_DELETE(hh, cache->table, entry);
    list_remove(&entry->lru);
    cache->bytes -= entry->bytes;
    entry->in_table = false;
}

static void entry_free(struct cache_entry *entry)
{
    for (size_t i = 0; i < entry->piece_count; i++)
        blob_unref(entry->pieces[i].blob);
    mem_free(entry->pieces);
    mem_free(entry);
}

static bool over_limit(const struct cache *cache)
{
    return cache->bytes > cache->options.max_bytes ||
           (cache->options.budget != NULL &&
            budget_above(cache->options.budget, BUDGET_PERCENT));
}

static void evict(struct cache *cache)
{
    struct list_node *node = cache->lru.head.prev;

    while (over_limit(cache) && node != &cache->lru.head) {
        struct cache_entry *entry = CONTAINER_OF(node, struct cache_entry, lru);
        node = node->prev;
        if (entry->holds > 0 || entry->state == ENTRY_LOADING)
            continue;
        leave_table(cache, entry);
        entry_free(entry);
        metric_add(agent_metric(cache_evictions_total), 1);
    }
    metric_set(agent_metric(cache_bytes), (int64_t)cache->bytes);
}

void cache_free(struct cache *cache)
{
    struct cache_entry *entry;
    struct cache_entry *next;

    ASSERT(cache->reading == 0);
    HASH_ITER(hh, cache->table, entry, next)
    {
        ASSERT(entry->holds == 0);
        leave_table(cache, entry);
        entry_free(entry);
    }
    mem_free(cache);
}

void cache_stop(struct cache *cache)
{
    struct cache_entry *entry;
    struct cache_entry *next;

    HASH_ITER(hh, cache->table, entry, next)
    if (entry->state == ENTRY_LOADING)
        store_cancel(cache->options.store, &entry->request);
}

bool cache_idle(const struct cache *cache)
{
    return cache->reading == 0;
}

size_t cache_reading(const struct cache *cache)
{
    return cache->reading;
}

void cache_put_written(struct cache *cache, const struct uuid *object_id,
                       const struct cache_piece *pieces, size_t piece_count)
{
    if (piece_count == 0 || find(cache, object_id, WRITTEN) != NULL)
        return;
    struct cache_entry *entry = insert(cache, object_id, WRITTEN);

    entry->state = ENTRY_READY;
    entry->pieces = mem_dup(pieces, piece_count * sizeof(*pieces));
    entry->piece_count = piece_count;
    for (size_t i = 0; i < piece_count; i++) {
        (void)blob_ref(pieces[i].blob);
        entry->bytes += pieces[i].bytes.len;
    }
    cache->bytes += entry->bytes;
    evict(cache);
}

/* ---- reading ---- */

static void take_blob(struct cache_entry *entry, struct blob *blob)
{
    entry->pieces = mem_alloc(sizeof(*entry->pieces));
    entry->pieces[0] =
        (struct cache_piece){entry->request.offset, blob_slice(blob), blob};
    entry->piece_count = 1;
    entry->bytes = blob->len;
    entry->cache->bytes += blob->len;
    entry->state = ENTRY_READY;
}

static void read_failed(struct cache *cache, struct cache_entry *entry)
{
    uint64_t dropped;

    entry->state = ENTRY_FAILED;
    entry->code = entry->request.err.code;
    leave_table(cache, entry);
    if (entry->code != ERR_CANCELLED &&
        log_limit_pass(&cache->read_errors, clock_monotonic_ms(), &dropped))
        log_warn("cache", "reading an object failed", "key=%s offset=%llu err=%s",
                 entry->request.key, (unsigned long long)entry->request.offset,
                 LOG_QUOTED(entry->request.err.text));
}

static void on_read(struct store_request *request)
{
    struct cache_entry *entry = CONTAINER_OF(request, struct cache_entry, request);
    struct cache *cache = entry->cache;
    struct list waiters;
    struct list_node *node;

    cache->reading--;
    if (request->err.code == 0) {
        metric_observe(agent_metric(get_seconds), request->elapsed_us);
        take_blob(entry, request->blob);
    } else {
        read_failed(cache, entry);
    }

    /* Waiters may release their holds, and with them the entry: one more hold keeps it.
     */
    entry->holds++;
    list_init(&waiters);
    list_splice(&waiters, &entry->waiters);
    while ((node = list_pop_front(&waiters)) != NULL) {
        struct cache_hold *hold = CONTAINER_OF(node, struct cache_hold, node);
        hold->on_settled(hold);
    }
    if (--entry->holds == 0 && !entry->in_table)
        entry_free(entry);
    evict(cache);
}

static void start_read(struct cache *cache, struct cache_entry *entry)
{
    struct store_request *request = &entry->request;

    request->kind = STORE_GET;
    object_key(&cache->options.cluster_id, &entry->key.object_id, request->key);
    request->offset = (uint64_t)entry->key.chunk * CACHE_CHUNK_BYTES;
    request->length = CACHE_CHUNK_BYTES;
    request->deadline_at_ms = clock_monotonic_ms() + READ_TIMEOUT_MS;
    request->reply_to = cache->options.store_replies;
    request->done = on_read;
    cache->reading++;
    store_send(cache->options.store, request);
}

static bool has_position(const struct cache_entry *entry, uint64_t position)
{
    const struct cache_piece *last = &entry->pieces[entry->piece_count - 1];

    return position >= entry->pieces[0].position &&
           position < last->position + last->bytes.len;
}

static uint32_t chunk_of(uint64_t position)
{
    return (uint32_t)(position / CACHE_CHUNK_BYTES);
}

static struct cache_entry *entry_at(struct cache *cache, const struct uuid *object_id,
                                    uint64_t position)
{
    struct cache_entry *entry = find(cache, object_id, WRITTEN);

    if (entry == NULL || !has_position(entry, position))
        entry = find(cache, object_id, chunk_of(position));
    return entry;
}

bool cache_has(struct cache *cache, const struct uuid *object_id, uint64_t position)
{
    return entry_at(cache, object_id, position) != NULL;
}

bool cache_acquire(struct cache *cache, const struct uuid *object_id, uint64_t position,
                   struct cache_hold *hold, void (*on_settled)(struct cache_hold *hold))
{
    struct cache_entry *entry = entry_at(cache, object_id, position);

    if (entry == NULL) {
        metric_add(agent_metric(cache_misses_total), 1);
        entry = insert(cache, object_id, chunk_of(position));
        start_read(cache, entry);
    } else {
        metric_add(agent_metric(cache_hits_total), 1);
        list_remove(&entry->lru);
        list_push_front(&cache->lru, &entry->lru);
    }
    entry->holds++;
    hold->entry = entry;
    hold->on_settled = on_settled;
    list_node_init(&hold->node);
    if (entry->state != ENTRY_LOADING)
        return true;
    list_push_back(&entry->waiters, &hold->node);
    return false;
}

void cache_release(struct cache *cache, struct cache_hold *hold)
{
    struct cache_entry *entry = hold->entry;

    ASSERT(entry != NULL && entry->holds > 0 && entry->cache == cache);
    list_remove(&hold->node);
    hold->entry = NULL;
    if (--entry->holds > 0 || entry->state == ENTRY_LOADING)
        return; /* one that is being read stays for on_read, in or out of the table */
    if (!entry->in_table)
        entry_free(entry);
    else
        evict(cache); /* what was held may have kept the cache above its limit */
}

int cache_hold_code(const struct cache_hold *hold)
{
    return hold->entry->code;
}

uint64_t cache_hold_end(const struct cache_hold *hold)
{
    const struct cache_entry *entry = hold->entry;

    if (entry->key.chunk != WRITTEN)
        return ((uint64_t)entry->key.chunk + 1) * CACHE_CHUNK_BYTES;
    const struct cache_piece *last = &entry->pieces[entry->piece_count - 1];
    return last->position + last->bytes.len;
}

struct slice cache_bytes(const struct cache_hold *hold, uint64_t position, uint64_t len,
                         struct blob **blob)
{
    const struct cache_entry *entry = hold->entry;
    size_t low = 0;
    size_t high = entry->piece_count;

    /* The last piece that begins at or before POSITION. */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (entry->pieces[mid].position <= position)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return SLICE_NULL;
    const struct cache_piece *piece = &entry->pieces[low - 1];
    uint64_t skip = position - piece->position;
    if (skip >= piece->bytes.len)
        return SLICE_NULL;
    *blob = piece->blob;
    return slice_of(piece->bytes.ptr + skip, MIN(len, piece->bytes.len - skip));
}
