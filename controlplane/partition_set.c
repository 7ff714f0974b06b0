/* partition_set.c - sorted arrays; each operation is one merge over both. */
#include "controlplane/partition_set.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "proto/command.h"

void partition_set_fini(struct partition_set *set)
{
    for (uint32_t i = 0; i < set->topic_count; i++)
        mem_free(set->topics[i].partitions);
    mem_free(set->topics);
    memset(set, 0, sizeof(*set));
}

/* ---- one partition ---- */

/* The first topic that is not below TOPIC_ID. */
static uint32_t topic_slot(const struct partition_set *set, const struct uuid *topic_id)
{
    uint32_t low = 0, high = set->topic_count;

    /* Made in ascending order, mostly. */
    if (high > 0 && uuid_cmp(&set->topics[high - 1].topic_id, topic_id) < 0)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (uuid_cmp(&set->topics[middle].topic_id, topic_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t partition_slot(const struct partition_topic *topic, int32_t partition)
{
    uint32_t low = 0, high = topic->count;

    if (high > 0 && topic->partitions[high - 1] < partition)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (topic->partitions[middle] < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct partition_topic *partition_set_topic(const struct partition_set *set,
                                                  const struct uuid *topic_id)
{
    uint32_t slot = topic_slot(set, topic_id);
    if (slot == set->topic_count || !uuid_eq(&set->topics[slot].topic_id, topic_id))
        return NULL;
    return &set->topics[slot];
}

bool partition_set_has(const struct partition_set *set, const struct uuid *topic_id,
                       int32_t partition)
{
    const struct partition_topic *topic = partition_set_topic(set, topic_id);
    if (topic == NULL)
        return false;
    uint32_t slot = partition_slot(topic, partition);
    return slot < topic->count && topic->partitions[slot] == partition;
}

/* The entry of TOPIC_ID, made if need be; it must get a partition then. */
static struct partition_topic *need_topic(struct partition_set *set,
                                          const struct uuid *topic_id)
{
    uint32_t slot = topic_slot(set, topic_id);

    if (slot < set->topic_count && uuid_eq(&set->topics[slot].topic_id, topic_id))
        return &set->topics[slot];
    if (set->topic_count == set->topic_cap) {
        set->topic_cap = set->topic_cap == 0 ? 1 : set->topic_cap * 2;
        set->topics = mem_realloc(set->topics, set->topic_cap * sizeof(*set->topics));
    }
    memmove(&set->topics[slot + 1], &set->topics[slot],
            (set->topic_count - slot) * sizeof(*set->topics));
    set->topics[slot] = (struct partition_topic){.topic_id = *topic_id};
    set->topic_count++;
    return &set->topics[slot];
}

static void need_room(struct partition_topic *topic, uint32_t count)
{
    if (count <= topic->cap)
        return;
    topic->cap = topic->cap * 2 > count ? topic->cap * 2 : count;
    topic->partitions =
        mem_realloc(topic->partitions, topic->cap * sizeof(*topic->partitions));
}

bool partition_set_add(struct partition_set *set, const struct uuid *topic_id,
                       int32_t partition)
{
    struct partition_topic *topic = need_topic(set, topic_id);
    uint32_t slot = partition_slot(topic, partition);

    if (slot < topic->count && topic->partitions[slot] == partition)
        return false;
    need_room(topic, topic->count + 1);
    memmove(&topic->partitions[slot + 1], &topic->partitions[slot],
            (topic->count - slot) * sizeof(*topic->partitions));
    topic->partitions[slot] = partition;
    topic->count++;
    return true;
}

uint64_t partition_set_count(const struct partition_set *set)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < set->topic_count; i++)
        count += set->topics[i].count;
    return count;
}

/* ---- two sets ---- */

bool partition_set_equal(const struct partition_set *a, const struct partition_set *b)
{
    if (a->topic_count != b->topic_count)
        return false;
    for (uint32_t i = 0; i < a->topic_count; i++) {
        const struct partition_topic *x = &a->topics[i], *y = &b->topics[i];
        if (!uuid_eq(&x->topic_id, &y->topic_id) || x->count != y->count ||
            memcmp(x->partitions, y->partitions, x->count * sizeof(*x->partitions)) != 0)
            return false;
    }
    return true;
}

/* How many of A's partitions are in B; up to STOP_AT. */
static uint32_t common(const struct partition_topic *a, const struct partition_topic *b,
                       uint32_t stop_at)
{
    uint32_t found = 0;
    for (uint32_t i = 0, j = 0; i < a->count && j < b->count && found < stop_at;) {
        int32_t x = a->partitions[i], y = b->partitions[j];
        found += x == y;
        i += x <= y;
        j += y <= x;
    }
    return found;
}

bool partition_set_overlaps(const struct partition_set *a, const struct partition_set *b)
{
    for (uint32_t i = 0; i < a->topic_count; i++) {
        const struct partition_topic *other =
            partition_set_topic(b, &a->topics[i].topic_id);
        if (other != NULL && common(&a->topics[i], other, 1) > 0)
            return true;
    }
    return false;
}

bool partition_set_covers(const struct partition_set *whole,
                          const struct partition_set *part)
{
    for (uint32_t i = 0; i < part->topic_count; i++) {
        const struct partition_topic *topic = &part->topics[i];
        const struct partition_topic *other =
            partition_set_topic(whole, &topic->topic_id);
        if (other == NULL || common(topic, other, UINT32_MAX) < topic->count)
            return false;
    }
    return true;
}

static void append_topic(struct partition_set *out, const struct uuid *topic_id,
                         const int32_t *partitions, uint32_t count)
{
    if (count == 0)
        return;
    struct partition_topic *topic = need_topic(out, topic_id);
    need_room(topic, count);
    memcpy(topic->partitions, partitions, count * sizeof(*partitions));
    topic->count = count;
}

void partition_set_copy(struct partition_set *to, const struct partition_set *from)
{
    for (uint32_t i = 0; i < from->topic_count; i++)
        append_topic(to, &from->topics[i].topic_id, from->topics[i].partitions,
                     from->topics[i].count);
}

/* Those of A that are (WANTED) or are not in B. */
static void select_topic(struct partition_set *out, const struct partition_topic *a,
                         const struct partition_topic *b, bool wanted)
{
    uint32_t both = common(a, b, UINT32_MAX), j = 0;
    uint32_t count = wanted ? both : a->count - both;

    if (count == 0)
        return;
    struct partition_topic *topic = need_topic(out, &a->topic_id);
    need_room(topic, count);
    for (uint32_t i = 0; i < a->count; i++) {
        while (j < b->count && b->partitions[j] < a->partitions[i])
            j++;
        bool found = j < b->count && b->partitions[j] == a->partitions[i];
        if (found == wanted)
            topic->partitions[topic->count++] = a->partitions[i];
    }
}

void partition_set_intersect(struct partition_set *out, const struct partition_set *a,
                             const struct partition_set *b)
{
    for (uint32_t i = 0; i < a->topic_count; i++) {
        const struct partition_topic *other =
            partition_set_topic(b, &a->topics[i].topic_id);
        if (other != NULL)
            select_topic(out, &a->topics[i], other, true);
    }
}

void partition_set_subtract(struct partition_set *out, const struct partition_set *a,
                            const struct partition_set *b)
{
    for (uint32_t i = 0; i < a->topic_count; i++) {
        const struct partition_topic *topic = &a->topics[i];
        const struct partition_topic *other = partition_set_topic(b, &topic->topic_id);
        if (other == NULL)
            append_topic(out, &topic->topic_id, topic->partitions, topic->count);
        else
            select_topic(out, topic, other, false);
    }
}

/* The partitions of A and of B, which are of the same topic. */
static void merge_topic(struct partition_set *out, const struct partition_topic *a,
                        const struct partition_topic *b)
{
    struct partition_topic *topic = need_topic(out, &a->topic_id);
    uint32_t i = 0, j = 0;

    need_room(topic, a->count + b->count);
    while (i < a->count || j < b->count) {
        bool first =
            j == b->count || (i < a->count && a->partitions[i] <= b->partitions[j]);
        int32_t next = first ? a->partitions[i] : b->partitions[j];
        i += i < a->count && a->partitions[i] == next;
        j += j < b->count && b->partitions[j] == next;
        topic->partitions[topic->count++] = next;
    }
}

void partition_set_merge(struct partition_set *set, const struct partition_set *from)
{
    struct partition_set all = {0};
    uint32_t i = 0, j = 0;

    while (i < set->topic_count || j < from->topic_count) {
        const struct partition_topic *a = i == set->topic_count ? NULL : &set->topics[i];
        const struct partition_topic *b =
            j == from->topic_count ? NULL : &from->topics[j];
        int order = a == NULL ? 1 : b == NULL ? -1 : uuid_cmp(&a->topic_id, &b->topic_id);
        if (order == 0)
            merge_topic(&all, a, b);
        else if (order < 0)
            append_topic(&all, &a->topic_id, a->partitions, a->count);
        else
            append_topic(&all, &b->topic_id, b->partitions, b->count);
        i += order <= 0;
        j += order >= 0;
    }
    partition_set_move(set, &all);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct partition_pair *x = a, *y = b;
    int order = uuid_cmp(&x->topic_id, &y->topic_id);
    return order != 0 ? order
                      : (x->partition > y->partition) - (x->partition < y->partition);
}

void partition_set_build(struct partition_set *set, struct partition_pair *pairs,
                         size_t count)
{
    bool sorted = true;

    for (size_t i = 1; i < count && sorted; i++)
        sorted = compare_pairs(&pairs[i - 1], &pairs[i]) <= 0;
    if (!sorted)
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < count; i++)
        (void)partition_set_add(set, &pairs[i].topic_id, pairs[i].partition);
}

void partition_set_move(struct partition_set *set, struct partition_set *from)
{
    partition_set_fini(set);
    *set = *from;
    memset(from, 0, sizeof(*from));
}

/* ---- bytes ---- */

void partition_set_write(const struct partition_set *set, struct str *out)
{
    write_uvarint(out, set->topic_count);
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        int32_t last = 0;
        str_append(out, topic->topic_id.bytes, sizeof(topic->topic_id.bytes));
        write_uvarint(out, topic->count);
        for (uint32_t j = 0; j < topic->count; j++) {
            write_uvarint(out, (uint64_t)(topic->partitions[j] - last));
            last = topic->partitions[j];
        }
    }
}

static void read_topic(struct partition_set *set, struct reader *r, uint32_t *left)
{
    struct uuid id;
    struct slice bytes = reader_bytes(r, sizeof(id.bytes));
    uint32_t count = reader_uvarint(r);
    int64_t partition = 0;

    if (r->failed || count == 0 || count > *left || count > reader_left(r)) {
        reader_fail(r);
        return;
    }
    memcpy(id.bytes, bytes.ptr, sizeof(id.bytes));
    if (set->topic_count > 0 &&
        uuid_cmp(&set->topics[set->topic_count - 1].topic_id, &id) >= 0) {
        reader_fail(r);
        return;
    }
    *left -= count;
    struct partition_topic *topic = need_topic(set, &id);
    need_room(topic, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t more = reader_uvarint(r);
        partition += more;
        if ((i > 0 && more == 0) || partition >= COMMAND_PARTITIONS_MAX)
            reader_fail(r);
        if (r->failed)
            return;
        topic->partitions[topic->count++] = (int32_t)partition;
    }
}

void partition_set_read(struct partition_set *set, struct reader *r, uint32_t max)
{
    uint32_t topics = reader_uvarint(r);

    for (uint32_t i = 0; i < topics && !r->failed; i++)
        read_topic(set, r, &max);
    if (r->failed)
        partition_set_fini(set);
}
