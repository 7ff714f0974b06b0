/* partition.c - arrays of runs, and finding in them. */
#include "controlplane/partition.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"

#define FIRST_RUNS 4

static struct partition *partition_new(struct topic *topic, int32_t index)
{
    struct partition *partition = mem_zalloc(sizeof(*partition));
    partition->topic = topic;
    partition->index = index;
    row_init(&partition->row, ROW_PARTITION);
    return partition;
}

void partition_grow_topic(struct topic *topic, int32_t total)
{
    ASSERT(total >= topic->partition_count);
    topic->partitions =
        mem_realloc(topic->partitions, (size_t)total * sizeof(*topic->partitions));
    for (int32_t i = topic->partition_count; i < total; i++)
        topic->partitions[i] = partition_new(topic, i);
    topic->cluster->partition_count += (uint64_t)(total - topic->partition_count);
    topic->partition_count = total;
}

/* What was allocated. */
static struct run *slots(const struct partition *partition)
{
    return partition->runs == NULL ? NULL : partition->runs - partition->run_head;
}

static void free_one(struct partition *partition)
{
    ASSERT(partition->producer_count == 0);
    list_remove(&partition->row.dirty);
    mem_free(slots(partition));
    mem_free(partition->block_max);
    mem_free(partition->producers);
    mem_free(partition);
}

void partition_free_last(struct topic *topic)
{
    ASSERT(topic->doomed != 0 && topic->partition_count > 0);
    free_one(topic->partitions[--topic->partition_count]);
}

void partition_free_topic(struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        free_one(topic->partitions[i]);
    if (topic->doomed == 0)
        topic->cluster->partition_count -= (uint64_t)topic->partition_count;
    topic->partition_count = 0;
    mem_free(topic->partitions);
    topic->partitions = NULL;
}

struct partition *partition_of(const struct topic *topic, int32_t index)
{
    if (index < 0 || index >= topic->partition_count)
        return NULL;
    return topic->partitions[index];
}

/* The block of run I. */
static uint32_t block_of(const struct partition *partition, uint32_t i)
{
    return (partition->run_head + i) / PARTITION_BLOCK;
}

static void set_cap(struct partition *partition, uint32_t cap)
{
    uint32_t blocks = (cap + PARTITION_BLOCK - 1) / PARTITION_BLOCK;
    struct run *all = mem_realloc(slots(partition), cap * sizeof(*all));

    partition->runs = all + partition->run_head;
    partition->block_max =
        mem_realloc(partition->block_max, blocks * sizeof(*partition->block_max));
    partition->run_cap = cap;
}

/* Runs went at the beginning: set the blocks right, as far as that changes them, or ALL.
 */
static void mend_blocks(struct partition *partition, bool all)
{
    int64_t max = INT64_MIN;
    uint32_t i = 0;

    while (i < partition->run_count) {
        uint32_t block = block_of(partition, i);
        for (; i < partition->run_count && block_of(partition, i) == block; i++)
            max = MAX(max, partition->runs[i].max_timestamp);
        if (!all && partition->block_max[block] == max)
            return;
        partition->block_max[block] = max;
    }
}

/* Move the runs to the beginning of their slots. */
static void close_up(struct partition *partition)
{
    struct run *all = slots(partition);

    memmove(all, partition->runs, partition->run_count * sizeof(*all));
    partition->runs = all;
    partition->run_head = 0;
    mend_blocks(partition, true);
}

static void grow(struct partition *partition)
{
    uint32_t cap = partition->run_cap == 0 ? FIRST_RUNS
                                           : partition->run_cap + partition->run_cap / 2;

    ASSERT(cap > partition->run_cap);
    set_cap(partition, cap);
}

void partition_append(struct partition *partition, struct run *run)
{
    if (partition->run_head + partition->run_count == partition->run_cap)
        grow(partition);
    int64_t max = partition_max_timestamp(partition);
    uint32_t i = partition->run_count++;
    run->base_offset = partition->next_offset;
    partition->runs[i] = *run;
    partition->block_max[block_of(partition, i)] = MAX(max, run->max_timestamp);
    partition->next_offset += run->records;
    partition->bytes += run->length;
    partition->topic->bytes += run->length;
    partition->topic->records += run->records;
    partition->topic->appended_bytes += run->length;
    partition->topic->appended_records += run->records;
}

void partition_drop_first_runs(struct partition *partition, uint32_t n)
{
    ASSERT(n <= partition->run_count);
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        partition->bytes -= partition->runs[i].length;
        partition->topic->bytes -= partition->runs[i].length;
        partition->topic->records -= partition->runs[i].records;
    }
    partition->runs += n;
    partition->run_head += n;
    partition->run_count -= n;
    if (partition->run_head < partition->run_count) {
        mend_blocks(partition, false);
        return;
    }
    /* At least as many are free as are left: it costs no more than dropping them did. */
    close_up(partition);
    if (partition->run_count > 0 && partition->run_count < partition->run_cap / 4)
        set_cap(partition, MAX(2 * partition->run_count, (uint32_t)FIRST_RUNS));
}

struct run *partition_last_run(const struct partition *partition)
{
    ASSERT(partition->run_count > 0);
    return &partition->runs[partition->run_count - 1];
}

void partition_drop_run(struct partition *partition)
{
    uint32_t last = partition->run_count - 1, block = block_of(partition, last);
    int64_t max =
        block == block_of(partition, 0) ? INT64_MIN : partition->block_max[block - 1];

    const struct run *run = partition_last_run(partition);
    partition->next_offset = run->base_offset;
    partition->bytes -= run->length;
    partition->topic->bytes -= run->length;
    partition->topic->records -= run->records;
    partition->run_count = last;
    /* What ends within a block is the maximum of the runs that are left in it. */
    for (uint32_t i = last; i > 0 && block_of(partition, i - 1) == block; i--)
        max = MAX(max, partition->runs[i - 1].max_timestamp);
    partition->block_max[block] = max;
}

uint32_t partition_find_offset(const struct partition *partition, int64_t offset)
{
    uint32_t low = 0, high = partition->run_count; /* the answer is in [low, high) */

    ASSERT(high > 0 && offset >= partition->runs[0].base_offset &&
           offset < partition->next_offset);
    /* Tailing readers ask for the last run. */
    if (offset >= partition->runs[high - 1].base_offset)
        return high - 1;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (partition->runs[middle].base_offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t partition_max_timestamp(const struct partition *partition)
{
    if (partition->run_count == 0)
        return INT64_MIN;
    return partition->block_max[block_of(partition, partition->run_count - 1)];
}

uint32_t partition_find_timestamp(const struct partition *partition, int64_t timestamp)
{
    if (partition->run_count == 0)
        return 0;
    /* The first block whose prefix reaches it. */
    uint32_t low = block_of(partition, 0);
    uint32_t high = block_of(partition, partition->run_count - 1) + 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (partition->block_max[middle] >= timestamp)
            high = middle;
        else
            low = middle + 1;
    }
    uint32_t slot = MAX(low * PARTITION_BLOCK, partition->run_head);
    for (uint32_t i = slot - partition->run_head; i < partition->run_count; i++) {
        if (partition->runs[i].max_timestamp >= timestamp)
            return i;
    }
    return partition->run_count;
}
