/* audit.c - see audit.h. A log only loses its oldest entry; in the ring of all logs that
 * leaves holes, which are closed when they are too many. */
#include "controlplane/audit.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"

void audit_init(struct audit *audit)
{
    memset(audit, 0, sizeof(*audit));
    audit->next_id = 1;
    list_init(&audit->big);
}

/* ---- rings ---- */

/* Close the holes, and begin at the start. */
static void compact(struct audit_ring *ring)
{
    size_t n = 0;
    for (size_t i = ring->head; i < ring->end; i++) {
        if (ring->slots[i].entry != NULL)
            ring->slots[n++] = ring->slots[i];
    }
    ring->head = 0;
    ring->end = n;
    ASSERT(n == ring->live);
}

static void ring_push(struct audit_ring *ring, struct audit_entry *entry)
{
    if (ring->end == ring->cap && ring->live < ring->cap / 2)
        compact(ring);
    if (ring->end == ring->cap) {
        ring->cap = ring->cap == 0 ? 8 : ring->cap * 2;
        ring->slots = mem_realloc(ring->slots, ring->cap * sizeof(*ring->slots));
    }
    ASSERT(ring->end == ring->head || ring->slots[ring->end - 1].id < entry->id);
    ring->slots[ring->end++] = (struct audit_slot){entry->id, entry};
    ring->live++;
}

/* The first slot whose id is >= ID, or end. */
static size_t ring_find(const struct audit_ring *ring, uint64_t id)
{
    size_t low = ring->head, high = ring->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->slots[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void ring_remove(struct audit_ring *ring, const struct audit_entry *entry)
{
    size_t at = ring_find(ring, entry->id);
    ASSERT(at < ring->end && ring->slots[at].entry == entry);
    ring->slots[at].entry = NULL;
    ring->live--;
    while (ring->head < ring->end && ring->slots[ring->head].entry == NULL)
        ring->head++;
}

static struct audit_entry *ring_first(const struct audit_ring *ring)
{
    return ring->head == ring->end ? NULL : ring->slots[ring->head].entry;
}

/* ---- adding and removing ---- */

static struct audit_log *find_log(const struct audit *audit,
                                  const struct uuid *cluster_id)
{
    struct audit_log *log;
    HASH_FIND(hh, audit->logs, cluster_id, sizeof(*cluster_id), log);
    return log;
}

static const char *put_text(char **at, const char *text)
{
    char *start = *at;
    size_t len = strlen(text) + 1;
    memcpy(start, text, len);
    *at += len;
    return start;
}

/* One allocation: the entry, and its texts behind it. */
static struct audit_entry *copy(const struct audit_entry *fields)
{
    size_t texts = strlen(fields->actor_name) + strlen(fields->remote) +
                   strlen(fields->action) + strlen(fields->target) + 4;
    struct audit_entry *entry = mem_alloc(sizeof(*entry) + texts);
    char *at = (char *)(entry + 1);

    *entry = *fields;
    entry->actor_name = put_text(&at, fields->actor_name);
    entry->remote = put_text(&at, fields->remote);
    entry->action = put_text(&at, fields->action);
    entry->target = put_text(&at, fields->target);
    row_init(&entry->row, ROW_AUDIT);
    return entry;
}

struct audit_entry *audit_add(struct audit *audit, const struct audit_entry *fields)
{
    struct audit_log *log = find_log(audit, &fields->cluster_id);
    struct audit_entry *entry = copy(fields);

    if (log == NULL) {
        log = mem_zalloc(sizeof(*log));
        log->cluster_id = fields->cluster_id;
        list_node_init(&log->big);
        HASH_ADD(hh, audit->logs, cluster_id, sizeof(log->cluster_id), log);
    }
    ring_push(&log->ring, entry);
    if (log->ring.live == AUDIT_FAIR + 1)
        list_push_back(&audit->big, &log->big);
    ring_push(&audit->all, entry);
    audit->next_id = entry->id + 1;
    return entry;
}

struct audit_entry *audit_oldest(const struct audit *audit)
{
    return ring_first(&audit->all);
}

struct audit_entry *audit_oldest_of(const struct audit *audit,
                                    const struct uuid *cluster_id, size_t *count)
{
    const struct audit_log *log = find_log(audit, cluster_id);
    *count = log == NULL ? 0 : log->ring.live;
    return log == NULL ? NULL : ring_first(&log->ring);
}

/* Whether A loses one before B does: the same on all nodes. */
static bool goes_first(const struct audit_log *a, const struct audit_log *b)
{
    if (a->ring.live != b->ring.live)
        return a->ring.live > b->ring.live;
    return ring_first(&a->ring)->id < ring_first(&b->ring)->id;
}

struct audit_entry *audit_excess(const struct audit *audit)
{
    const struct audit_log *most = NULL;

    LIST_FOREACH(node, next, &audit->big)
    {
        const struct audit_log *log = CONTAINER_OF(node, struct audit_log, big);
        if (most == NULL || goes_first(log, most))
            most = log;
    }
    return most == NULL ? audit_oldest(audit) : ring_first(&most->ring);
}

void audit_remove(struct audit *audit, struct audit_entry *entry)
{
    struct audit_log *log = find_log(audit, &entry->cluster_id);

    ASSERT(log != NULL && ring_first(&log->ring) == entry);
    ring_remove(&log->ring, entry);
    if (log->ring.live == AUDIT_FAIR)
        list_remove(&log->big);
    ring_remove(&audit->all, entry);
    if (log->ring.live == 0) {
        HASH_DELETE(hh, audit->logs, log);
        mem_free(log->ring.slots);
        mem_free(log);
    }
    list_remove(&entry->row.dirty);
    mem_free(entry);
}

void audit_fini(struct audit *audit)
{
    struct audit_entry *entry;
    while ((entry = audit_oldest(audit)) != NULL)
        audit_remove(audit, entry);
    mem_free(audit->all.slots);
}

/* ---- reading ---- */

static bool actor_matches(const struct audit_entry *entry, struct slice actor)
{
    char text[UUID_TEXT_LEN + 1];
    return slice_eq_str(actor, entry->actor_name) ||
           slice_eq_str(actor, uuid_print(&entry->actor_id, text));
}

static bool action_matches(const struct audit_entry *entry, struct slice action)
{
    if (action.ptr[action.len - 1] != '.')
        return slice_eq_str(action, entry->action);
    return strncmp(entry->action, (const char *)action.ptr, action.len) == 0;
}

static bool matches(const struct audit_entry *entry, const struct audit_query *query)
{
    return (query->from_ms == 0 || entry->at_ms >= query->from_ms) &&
           (query->to_ms == 0 || entry->at_ms < query->to_ms) &&
           (query->actor.len == 0 || actor_matches(entry, query->actor)) &&
           (query->action.len == 0 || action_matches(entry, query->action));
}

static const struct audit_ring *ring_of(const struct audit *audit,
                                        const struct audit_query *query)
{
    static const struct audit_ring empty;
    if (query->cluster_id == NULL)
        return &audit->all;
    const struct audit_log *log = find_log(audit, query->cluster_id);
    return log == NULL ? &empty : &log->ring;
}

size_t audit_read(const struct audit *audit, const struct audit_query *query,
                  const struct audit_entry **entries, size_t max, uint64_t *next)
{
    const struct audit_ring *ring = ring_of(audit, query);
    bool back = query->newest_first;
    size_t found = 0, seen = 0;
    size_t at = back ? ring->end : ring->head; /* backwards: the slot behind the next */

    if (query->after != 0)
        at = ring_find(ring, back ? query->after : query->after + 1);
    *next = 0;
    while (back ? at > ring->head : at < ring->end) {
        const struct audit_slot *slot = &ring->slots[back ? --at : at++];
        if (slot->entry != NULL && matches(slot->entry, query))
            entries[found++] = slot->entry;
        if (found == max || ++seen == AUDIT_SCAN_MAX) {
            bool more = back ? at > ring->head : at < ring->end;
            *next = more ? slot->id : 0;
            break;
        }
    }
    return found;
}
