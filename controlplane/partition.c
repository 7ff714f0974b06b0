/* partition.c - arrays of runs, and finding in them. */
#include "controlplane/partition.h"

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

static void free_one(struct partition *partition)
{
    ASSERT(partition->producer_count == 0);
    list_remove(&partition->row.dirty);
    mem_free(partition->runs);
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

static void grow(struct partition *partition)
{
    uint32_t cap = partition->run_cap == 0 ? FIRST_RUNS
                                           : partition->run_cap + partition->run_cap / 2;
    uint32_t blocks = (cap + PARTITION_BLOCK - 1) / PARTITION_BLOCK;

    ASSERT(cap > partition->run_cap);
    partition->runs = mem_realloc(partition->runs, cap * sizeof(*partition->runs));
    partition->block_max =
        mem_realloc(partition->block_max, blocks * sizeof(*partition->block_max));
    partition->run_cap = cap;
}

void partition_append(struct partition *partition, struct run *run)
{
    if (partition->run_count == partition->run_cap)
        grow(partition);
    int64_t max = partition_max_timestamp(partition);
    uint32_t i = partition->run_count++;
    run->base_offset = partition->next_offset;
    partition->runs[i] = *run;
    partition->block_max[i / PARTITION_BLOCK] = MAX(max, run->max_timestamp);
    partition->next_offset += run->records;
    partition->bytes += run->length;
    partition->topic->bytes += run->length;
    partition->topic->records += run->records;
}

struct run *partition_last_run(const struct partition *partition)
{
    ASSERT(partition->run_count > 0);
    return &partition->runs[partition->run_count - 1];
}

void partition_drop_run(struct partition *partition)
{
    uint32_t last = partition->run_count - 1, block = last / PARTITION_BLOCK;
    int64_t max = block == 0 ? INT64_MIN : partition->block_max[block - 1];

    const struct run *run = partition_last_run(partition);
    partition->next_offset = run->base_offset;
    partition->bytes -= run->length;
    partition->topic->bytes -= run->length;
    partition->topic->records -= run->records;
    partition->run_count = last;
    /* What ends within a block is the maximum of the runs that are left in it. */
    for (uint32_t i = block * PARTITION_BLOCK; i < last; i++)
        max = MAX(max, partition->runs[i].max_timestamp);
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
    return partition->block_max[(partition->run_count - 1) / PARTITION_BLOCK];
}

uint32_t partition_find_timestamp(const struct partition *partition, int64_t timestamp)
{
    uint32_t blocks = (partition->run_count + PARTITION_BLOCK - 1) / PARTITION_BLOCK;
    uint32_t low = 0, high = blocks; /* the first block whose prefix reaches it */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (partition->block_max[middle] >= timestamp)
            high = middle;
        else
            low = middle + 1;
    }
    for (uint32_t i = low * PARTITION_BLOCK; i < partition->run_count; i++) {
        if (partition->runs[i].max_timestamp >= timestamp)
            return i;
    }
    return partition->run_count;
}
