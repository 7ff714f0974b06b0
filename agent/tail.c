/* tail.c - see tail.h.
 *
 * A span is an array of runs that are contiguous in offsets. An entry has one span for
 * its tail, which ends at the high watermark, and up to WINDOWS spans that plans brought.
 * Memory is bounded twice: a tail keeps the last TAIL_RUNS_MAX runs, and when all spans
 * together pass the limit, the entries used longest ago lose theirs. */
#include "agent/tail.h"

#include <string.h>

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/check.h"
#include "common/mem.h"

#define TAIL_RUNS_MAX 4096
#define WINDOWS       3

struct span {
    struct index_run *runs;
    size_t first, count, cap; /* runs[first .. first + count) */
    uint64_t used_at;         /* for replacing windows */
};

struct entry_key {
    struct uuid topic_id;
    int32_t partition;
};

struct tail_entry {
    struct entry_key key;
    bool known;
    bool deleted;
    int64_t high_watermark;
    int64_t heard; /* the end of the run that the watch brought last; 0: none yet */
    int64_t log_start;
    struct span
        tail; /* ends at the high watermark; of an unknown one: at heard, if any */
    struct span windows[WINDOWS];
    unsigned users;
    struct list waiters;
    struct list_node lru; /* front: used last */
    UT_hash_handle hh;
};

struct tail {
    struct tail_entry *table;
    struct list lru;
    struct list changed;
    size_t max_bytes, bytes;
    uint64_t uses;
    uint64_t resets;
};

struct tail *tail_new(size_t max_bytes)
{
    struct tail *tail = mem_zalloc(sizeof(*tail));

    tail->max_bytes = max_bytes;
    list_init(&tail->lru);
    list_init(&tail->changed);
    return tail;
}

/* ---- spans ---- */

static int64_t run_end(const struct index_run *run)
{
    return run->base_offset + run->records;
}

static void span_clear(struct tail *tail, struct span *span)
{
    tail->bytes -= span->cap * sizeof(*span->runs);
    mem_free(span->runs);
    *span = (struct span){NULL, 0, 0, 0, 0};
}

static void span_reserve(struct tail *tail, struct span *span, size_t n)
{
    if (span->first + span->count + n <= span->cap)
        return;
    if (span->first > 0) {
        memmove(span->runs, span->runs + span->first, span->count * sizeof(*span->runs));
        span->first = 0;
    }
    if (span->count + n <= span->cap)
        return;
    size_t cap = MAX(span->count + n, span->cap * 2);
    span->runs = mem_realloc(span->runs, cap * sizeof(*span->runs));
    tail->bytes += (cap - span->cap) * sizeof(*span->runs);
    span->cap = cap;
}

static void span_append(struct tail *tail, struct span *span,
                        const struct index_run *runs, size_t n)
{
    if (n == 0)
        return;
    span_reserve(tail, span, n);
    memcpy(span->runs + span->first + span->count, runs, n * sizeof(*runs));
    span->count += n;
}

static void span_set(struct tail *tail, struct span *span, const struct index_run *runs,
                     size_t n)
{
    span_clear(tail, span);
    span_append(tail, span, runs, n);
}

/* The runs from the one that holds OFFSET on. */
static size_t span_find(const struct span *span, int64_t offset,
                        const struct index_run **runs)
{
    const struct index_run *base = span->runs + span->first;
    size_t low = 0;
    size_t high = span->count;

    if (span->count == 0 || offset < base[0].base_offset ||
        offset >= run_end(&base[span->count - 1]))
        return 0;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (base[mid].base_offset <= offset)
            low = mid;
        else
            high = mid;
    }
    *runs = base + low;
    return span->count - low;
}

/* ---- entries ---- */

static struct tail_entry *find(const struct tail *tail, const struct uuid *topic_id,
                               int32_t partition)
{
    struct entry_key key;
    struct tail_entry *entry;

    memset(&key, 0, sizeof(key));
    key.topic_id = *topic_id;
    key.partition = partition;
    HASH_FIND(hh, tail->table, &key, sizeof(key), entry);
    return entry;
}

static void forget(struct tail *tail, struct tail_entry *entry)
{
    entry->known = false;
    span_clear(tail, &entry->tail);
    for (size_t i = 0; i < WINDOWS; i++)
        span_clear(tail, &entry->windows[i]);
}

static void entry_free(struct tail *tail, struct tail_entry *entry)
{
    ASSERT(entry->users == 0 && list_empty(&entry->waiters));
    forget(tail, entry);
    list_remove(&entry->lru);
    mem_free(entry);
}

void tail_free(struct tail *tail)
{
    struct tail_entry *entry;
    struct tail_entry *next;

    HASH_ITER(hh, tail->table, entry, next)
    {
        HASH_DELETE(hh, tail->table, entry);
        entry_free(tail, entry);
    }
    mem_free(tail);
}

static void changed(struct tail *tail, struct tail_entry *entry)
{
    list_splice(&tail->changed, &entry->waiters);
}

/* Give memory back, the entries used longest ago first. A partition that is in use now
 * may be evicted too: its readers plan again. */
static void evict(struct tail *tail, const struct tail_entry *keep)
{
    struct list_node *node = tail->lru.head.prev;

    while (tail->bytes > tail->max_bytes && node != &tail->lru.head) {
        struct tail_entry *entry = CONTAINER_OF(node, struct tail_entry, lru);
        node = node->prev;
        if (entry == keep)
            continue;
        if (entry->users > 0) {
            forget(tail, entry);
            changed(tail, entry);
            continue;
        }
        HASH_DELETE(hh, tail->table, entry);
        entry_free(tail, entry);
    }
}

struct tail_entry *tail_use(struct tail *tail, const struct uuid *topic_id,
                            int32_t partition)
{
    struct tail_entry *entry = find(tail, topic_id, partition);

    if (entry == NULL) {
        entry = mem_zalloc(sizeof(*entry));
        entry->key.topic_id = *topic_id;
        entry->key.partition = partition;
        list_init(&entry->waiters);
        list_node_init(&entry->lru);
        HASH_ADD(hh, tail->table, key, sizeof(entry->key), entry);
    }
    entry->users++;
    list_remove(&entry->lru);
    list_push_front(&tail->lru, &entry->lru);
    return entry;
}

void tail_unuse(struct tail *tail, struct tail_entry *entry)
{
    ASSERT(entry->users > 0);
    /* A deleted one is in no table any more. */
    if (--entry->users == 0 && entry->deleted)
        entry_free(tail, entry);
}

const struct uuid *tail_topic_id(const struct tail_entry *entry)
{
    return &entry->key.topic_id;
}

int32_t tail_partition(const struct tail_entry *entry)
{
    return entry->key.partition;
}

bool tail_known(const struct tail_entry *entry)
{
    return entry->known;
}

bool tail_deleted(const struct tail_entry *entry)
{
    return entry->deleted;
}

int64_t tail_high_watermark(const struct tail_entry *entry)
{
    return entry->high_watermark;
}

int64_t tail_entry_log_start(const struct tail_entry *entry)
{
    return entry->log_start;
}

int64_t tail_log_start(const struct tail *tail, const struct uuid *topic_id,
                       int32_t partition)
{
    const struct tail_entry *entry = find(tail, topic_id, partition);

    return entry == NULL || !entry->known ? -1 : entry->log_start;
}

size_t tail_find(struct tail_entry *entry, int64_t offset, const struct index_run **runs)
{
    size_t n = span_find(&entry->tail, offset, runs);

    for (size_t i = 0; n == 0 && i < WINDOWS; i++)
        n = span_find(&entry->windows[i], offset, runs);
    return n;
}

void tail_wait(struct tail_entry *entry, struct list_node *node)
{
    list_remove(node);
    list_push_back(&entry->waiters, node);
}

struct list *tail_changed(struct tail *tail)
{
    return &tail->changed;
}

/* ---- what is heard ---- */

static void append_run(struct tail *tail, struct tail_entry *entry,
                       const struct uuid *object_id, const struct tail_run *run)
{
    struct index_run joined = {*object_id, run->base_offset, run->position, run->length,
                               run->records};
    span_append(tail, &entry->tail, &joined, 1);
    if (entry->tail.count > TAIL_RUNS_MAX) {
        entry->tail.first++;
        entry->tail.count--;
    }
}

/* The watch brought RUN of a partition that is not known, but in use: a plan is on its
 * way, which may have been made before. */
static void remember_run(struct tail *tail, struct tail_entry *entry,
                         const struct uuid *object_id, const struct tail_run *run)
{
    if (entry->heard != run->base_offset || entry->users == 0)
        span_clear(tail, &entry->tail);
    if (entry->users > 0)
        append_run(tail, entry, object_id, run);
}

/* Join RUN to the tail of its entry. HINT: it may be ahead of what the watch still
 * brings, so a gap is not one. */
static void on_run(struct tail *tail, const struct uuid *object_id,
                   const struct tail_run *run, bool hint)
{
    struct tail_entry *entry = find(tail, &run->topic_id, run->partition);

    if (entry == NULL || (hint && !entry->known))
        return;
    if (entry->known && run->base_offset > entry->high_watermark) {
        if (hint)
            return;
        forget(tail, entry);
        changed(tail, entry);
    }
    if (!entry->known) {
        remember_run(tail, entry, object_id, run);
    } else if (run->base_offset == entry->high_watermark) {
        append_run(tail, entry, object_id, run);
        entry->high_watermark = run->base_offset + run->records;
        changed(tail, entry);
    }
    if (!hint)
        entry->heard = run->base_offset + run->records;
}

void tail_on_commit(struct tail *tail, const struct uuid *object_id,
                    int32_t writer_node_id, const struct tail_run *runs, size_t run_count)
{
    (void)writer_node_id;
    for (size_t i = 0; i < run_count; i++)
        on_run(tail, object_id, &runs[i], false);
    evict(tail, NULL);
}

void tail_on_own_commit(struct tail *tail, const struct uuid *object_id,
                        const struct tail_run *runs, size_t run_count)
{
    for (size_t i = 0; i < run_count; i++)
        on_run(tail, object_id, &runs[i], true);
    evict(tail, NULL);
}

void tail_on_reset(struct tail *tail)
{
    struct tail_entry *entry;
    struct tail_entry *next;

    tail->resets++;
    HASH_ITER(hh, tail->table, entry, next)
    {
        forget(tail, entry);
        /* What comes may be another history, of a cell that was restored: nothing that
         * was heard of the one before can be joined to it. */
        entry->heard = 0;
        entry->log_start = 0;
        changed(tail, entry);
    }
}

uint64_t tail_resets(const struct tail *tail)
{
    return tail->resets;
}

void tail_on_topic_deleted(struct tail *tail, const struct uuid *topic_id)
{
    struct tail_entry *entry;
    struct tail_entry *next;

    HASH_ITER(hh, tail->table, entry, next)
    {
        if (!uuid_eq(&entry->key.topic_id, topic_id))
            continue;
        HASH_DELETE(hh, tail->table, entry);
        forget(tail, entry);
        list_remove(&entry->lru);
        entry->deleted = true;
        changed(tail, entry);
        if (entry->users == 0)
            entry_free(tail, entry);
    }
}

/* Runs that end at or before OFFSET are no more. */
static void span_drop(struct span *span, int64_t offset)
{
    while (span->count > 0 && run_end(&span->runs[span->first]) <= offset) {
        span->first++;
        span->count--;
    }
}

/* Also in an entry that is not known: its plan may have been made before. */
static void set_log_start(struct tail_entry *entry, int64_t offset)
{
    if (offset <= entry->log_start)
        return;
    entry->log_start = offset;
    span_drop(&entry->tail, offset);
    for (size_t i = 0; i < WINDOWS; i++)
        span_drop(&entry->windows[i], offset);
}

void tail_on_log_start(struct tail *tail, const struct uuid *topic_id, int32_t partition,
                       int64_t offset)
{
    struct tail_entry *entry = find(tail, topic_id, partition);

    if (entry == NULL)
        return;
    set_log_start(entry, offset);
    changed(tail, entry);
}

/* Keep RUNS as a window, in place of the one that overlaps or was filled longest ago. */
static void keep_window(struct tail *tail, struct tail_entry *entry,
                        const struct index_run *runs, size_t n)
{
    struct span *victim = &entry->windows[0];

    for (size_t i = 0; i < WINDOWS; i++) {
        struct span *window = &entry->windows[i];
        const struct index_run *found;
        if (span_find(window, runs[0].base_offset, &found) > 0) {
            victim = window;
            break;
        }
        if (window->used_at < victim->used_at)
            victim = window;
    }
    span_set(tail, victim, runs, n);
    victim->used_at = ++tail->uses;
}

/* An unknown entry becomes known by a plan that says HIGH_WATERMARK. The plan may be
 * older than what the watch brought meanwhile: then that must join it. */
static void make_known(struct tail *tail, struct tail_entry *entry,
                       int64_t high_watermark, const struct index_run *runs, size_t n)
{
    const struct index_run *joining;

    if (high_watermark < entry->heard) {
        if (span_find(&entry->tail, high_watermark, &joining) == 0 ||
            joining->base_offset != high_watermark)
            return;
        entry->high_watermark = entry->heard;
    } else {
        entry->high_watermark = high_watermark;
        span_clear(tail, &entry->tail);
        if (n > 0 && run_end(&runs[n - 1]) == high_watermark)
            span_append(tail, &entry->tail, runs, n);
    }
    entry->known = true;
}

void tail_on_plan(struct tail *tail, struct tail_entry *entry, int64_t high_watermark,
                  int64_t log_start, const struct index_run *runs, size_t n)
{
    if (entry->deleted)
        return;
    set_log_start(entry, log_start);
    if (!entry->known || high_watermark > entry->high_watermark)
        make_known(tail, entry, high_watermark, runs, n);
    const struct index_run *found;
    if (n > 0 && span_find(&entry->tail, runs[0].base_offset, &found) == 0)
        keep_window(tail, entry, runs, n);
    changed(tail, entry);
    evict(tail, entry);
}
