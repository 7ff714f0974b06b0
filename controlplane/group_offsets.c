/* group_offsets.c - sorted arrays: of topics by their serial, of partitions by number. */
#include "controlplane/group_offsets.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/catalog.h"
#include "controlplane/group.h"
#include "proto/packed.h"

/* ---- accounting ---- */

static int64_t item_bytes(const struct committed *item)
{
    return METADATA_COMMITTED_BYTES +
           (item->metadata == NULL ? 0 : (int64_t)item->metadata->len);
}

/* ---- topics of a group ---- */

/* Where the topic of SERIAL is, or would be. */
static uint32_t topic_index(const struct group_offsets *offsets, uint64_t serial)
{
    uint32_t low = 0, high = offsets->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (offsets->topics[middle]->topic->serial < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct group_topic *group_topic_find(const struct group *group, const struct topic *topic)
{
    const struct group_offsets *offsets = group->offsets;

    if (offsets == NULL)
        return NULL;
    uint32_t at = topic_index(offsets, topic->serial);
    return at < offsets->count && offsets->topics[at]->topic == topic
               ? offsets->topics[at]
               : NULL;
}

struct group_topic *group_topic_next(const struct group *group,
                                     const struct group_topic *group_topic)
{
    const struct group_offsets *offsets = group->offsets;
    uint32_t at = 0;

    if (offsets == NULL)
        return NULL;
    if (group_topic != NULL)
        at = topic_index(offsets, group_topic->topic->serial) + 1;
    while (at < offsets->count && offsets->topics[at]->topic->doomed != 0)
        at++;
    return at < offsets->count ? offsets->topics[at] : NULL;
}

struct group_topic *group_topic_add(struct group *group, struct topic *topic)
{
    struct group_topic *group_topic = mem_zalloc(sizeof(*group_topic));

    if (group->offsets == NULL)
        group->offsets = mem_zalloc(sizeof(*group->offsets));
    struct group_offsets *offsets = group->offsets;
    uint32_t at = topic_index(offsets, topic->serial);
    ASSERT(at == offsets->count || offsets->topics[at]->topic != topic);
    if (offsets->count == offsets->cap) {
        offsets->cap = offsets->cap == 0 ? 1 : offsets->cap * 2;
        offsets->topics =
            mem_realloc(offsets->topics, offsets->cap * sizeof(struct group_topic *));
    }
    memmove(&offsets->topics[at + 1], &offsets->topics[at],
            (offsets->count - at) * sizeof(struct group_topic *));
    offsets->topics[at] = group_topic;
    offsets->count++;
    group_topic->group = group;
    group_topic->topic = topic;
    row_init(&group_topic->row, ROW_GROUP_TOPIC);
    list_node_init(&group_topic->of_topic);
    list_push_back(&topic->group_topics, &group_topic->of_topic);
    group_count_bytes(group, METADATA_GROUP_TOPIC_BYTES);
    return group_topic;
}

static void free_topic(struct group_topic *group_topic)
{
    int64_t bytes = METADATA_GROUP_TOPIC_BYTES;

    for (uint32_t i = 0; i < group_topic->count; i++) {
        bytes += item_bytes(&group_topic->items[i]);
        mem_free(group_topic->items[i].metadata);
    }
    group_count_bytes(group_topic->group, -bytes);
    list_remove(&group_topic->of_topic);
    list_remove(&group_topic->row.dirty);
    mem_free(group_topic->items);
    mem_free(group_topic);
}

void group_topic_remove(struct group_topic *group_topic)
{
    struct group *group = group_topic->group;
    struct group_offsets *offsets = group->offsets;
    uint32_t at = topic_index(offsets, group_topic->topic->serial);

    ASSERT(at < offsets->count && offsets->topics[at] == group_topic);
    free_topic(group_topic);
    offsets->count--;
    memmove(&offsets->topics[at], &offsets->topics[at + 1],
            (offsets->count - at) * sizeof(struct group_topic *));
    if (offsets->count == 0)
        group_offsets_free(group);
}

void group_offsets_free(struct group *group)
{
    struct group_offsets *offsets = group->offsets;

    if (offsets == NULL)
        return;
    for (uint32_t i = 0; i < offsets->count; i++)
        free_topic(offsets->topics[i]);
    mem_free(offsets->topics);
    mem_free(offsets);
    group->offsets = NULL;
}

/* ---- partitions of a topic ---- */

/* Where PARTITION is, or would be, from FROM on. Commits come in order, often of all
 * partitions, so that the first look mostly finds it. */
static uint32_t item_index(const struct group_topic *group_topic, uint32_t from,
                           int32_t partition)
{
    const struct committed *items = group_topic->items;
    uint32_t low = from, high = group_topic->count;

    if (low < high && items[low].partition >= partition)
        return low;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (items[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct committed *group_topic_get(const struct group_topic *group_topic,
                                        int32_t partition)
{
    uint32_t at = item_index(group_topic, 0, partition);

    return at < group_topic->count && group_topic->items[at].partition == partition
               ? &group_topic->items[at]
               : NULL;
}

bool group_topic_says(const struct committed *committed,
                      const struct committed_part *part)
{
    struct slice text = committed->metadata == NULL ? SLICE_LITERAL("")
                                                    : slice_of(committed->metadata->bytes,
                                                               committed->metadata->len);

    return committed->offset == part->offset &&
           committed->leader_epoch == part->leader_epoch &&
           slice_eq(text, part->metadata);
}

uint32_t group_topic_missing(const struct group_topic *group_topic,
                             const struct committed_part *parts, uint32_t count)
{
    uint32_t at = 0, missing = 0;

    for (uint32_t i = 0; i < count; i++) {
        at = item_index(group_topic, at, parts[i].partition);
        if (at == group_topic->count ||
            group_topic->items[at].partition != parts[i].partition)
            missing++;
    }
    return missing;
}

static void set_metadata(struct committed *item, struct slice text)
{
    struct committed_text *old = item->metadata;

    if (old != NULL && slice_eq(slice_of(old->bytes, old->len), text))
        return;
    mem_free(old);
    item->metadata = NULL;
    if (text.len == 0)
        return;
    item->metadata = mem_alloc(sizeof(*item->metadata) + text.len);
    item->metadata->len = (uint32_t)text.len;
    memcpy(item->metadata->bytes, text.ptr, text.len);
}

static void set_item(struct group *group, struct committed *item,
                     const struct committed_part *part, int64_t now_ms)
{
    int64_t before = item_bytes(item);
    item->offset = part->offset;
    item->leader_epoch = part->leader_epoch;
    item->committed_at_ms = now_ms;
    set_metadata(item, part->metadata);
    if (item_bytes(item) != before)
        group_count_bytes(group, item_bytes(item) - before);
}

/* Make room for those of PARTS that are missing, from the back, so that each item moves
 * once however many come between. */
static void make_room(struct group_topic *group_topic, const struct committed_part *parts,
                      uint32_t count, uint32_t missing)
{
    uint32_t need = group_topic->count + missing;
    uint32_t from = group_topic->count, to = need, part = count;

    if (need > group_topic->cap) {
        group_topic->cap = MAX(need, group_topic->cap + group_topic->cap / 2);
        group_topic->items =
            mem_realloc(group_topic->items, group_topic->cap * sizeof(struct committed));
    }
    struct committed *items = group_topic->items;
    while (to > from) {
        ASSERT(part > 0);
        int32_t partition = parts[part - 1].partition;
        if (from > 0 && items[from - 1].partition >= partition) {
            part -= items[from - 1].partition == partition ? 1 : 0;
            items[--to] = items[--from];
        } else {
            items[--to] = (struct committed){.partition = partition};
            part--;
        }
    }
    group_topic->count = need;
    group_count_bytes(group_topic->group, (int64_t)missing * METADATA_COMMITTED_BYTES);
}

void group_topic_put(struct group_topic *group_topic, const struct committed_part *parts,
                     uint32_t count, int64_t now_ms)
{
    uint32_t missing = group_topic_missing(group_topic, parts, count), at = 0;

    if (missing > 0)
        make_room(group_topic, parts, count, missing);
    for (uint32_t i = 0; i < count; i++) {
        at = item_index(group_topic, at, parts[i].partition);
        set_item(group_topic->group, &group_topic->items[at], &parts[i], now_ms);
    }
}

/* Keep the item at KEPT, or let it go. Returns how many are kept. */
static uint32_t sift(struct group_topic *group_topic, uint32_t kept,
                     const struct committed *item, bool keep)
{
    if (keep) {
        group_topic->items[kept] = *item;
        return kept + 1;
    }
    group_count_bytes(group_topic->group, -item_bytes(item));
    mem_free(item->metadata);
    return kept;
}

uint32_t group_topic_drop(struct group_topic *group_topic, const int32_t *partitions,
                          uint32_t count)
{
    uint32_t kept = 0, had = group_topic->count, at = 0;

    for (uint32_t i = 0; i < had; i++) {
        const struct committed item = group_topic->items[i];
        while (at < count && partitions[at] < item.partition)
            at++;
        kept = sift(group_topic, kept, &item,
                    at == count || partitions[at] != item.partition);
    }
    group_topic->count = kept;
    return had - kept;
}

uint32_t group_topic_drop_older(struct group_topic *group_topic, int64_t before_ms)
{
    uint32_t kept = 0, had = group_topic->count;

    for (uint32_t i = 0; i < had; i++) {
        const struct committed item = group_topic->items[i];
        kept = sift(group_topic, kept, &item, item.committed_at_ms > before_ms);
    }
    group_topic->count = kept;
    return had - kept;
}

/* ---- the row ---- */

void group_topic_write(const struct group_topic *group_topic, struct str *out)
{
    int64_t partition = 0, committed_at_ms = 0;

    for (uint32_t i = 0; i < group_topic->count; i++) {
        const struct committed *item = &group_topic->items[i];
        const struct committed_text *text = item->metadata;
        packed_put_delta(out, &partition, item->partition);
        packed_put(out, item->offset);
        packed_put(out, item->leader_epoch);
        packed_put_delta(out, &committed_at_ms, item->committed_at_ms);
        write_uvarint(out, text == NULL ? 0 : text->len);
        if (text != NULL)
            str_append(out, text->bytes, text->len);
    }
}

/* The items one after the other; they must ascend, so that they cannot be too many. */
int group_topic_read(struct group_topic *group_topic, struct slice packed)
{
    int64_t partition = 0, committed_at_ms = 0, last = -1;
    struct reader r;

    ASSERT(group_topic->count == 0);
    reader_init(&r, packed);
    while (reader_left(&r) > 0) {
        struct committed_part part;
        (void)packed_get_delta(&r, &partition);
        part.offset = packed_get(&r);
        int64_t leader_epoch = packed_get(&r);
        (void)packed_get_delta(&r, &committed_at_ms);
        part.metadata = reader_bytes(&r, reader_uvarint(&r));
        if (r.failed || partition <= last || partition > INT32_MAX ||
            leader_epoch < INT32_MIN || leader_epoch > INT32_MAX)
            return ERR_DAMAGED;
        part.partition = (int32_t)(last = partition);
        part.leader_epoch = (int32_t)leader_epoch;
        group_topic_put(group_topic, &part, 1, committed_at_ms);
    }
    return 0;
}
