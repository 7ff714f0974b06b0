/* group_lag.c - a lookup in the partition's index for each committed offset. */
#include "controlplane/group_lag.h"

#include <stdlib.h>

#include "common/mem.h"

struct group_lag group_lag_of(const struct group_offset *offset, int64_t now_ms)
{
    struct group_lag lag = {.topic = offset->topic,
                            .partition = offset->partition,
                            .offset = offset->offset,
                            .high_watermark = -1,
                            .log_start_offset = -1};
    struct partition_offsets offsets;
    struct run_walk walk;
    struct run_view run;

    if (state_offsets(offset->topic, offset->partition, &offsets) != 0)
        return lag;
    lag.high_watermark = offsets.high_watermark;
    lag.log_start_offset = offsets.log_start_offset;
    lag.lag = MAX(offsets.high_watermark - offset->offset, (int64_t)0);
    int64_t next = MAX(offset->offset, offsets.log_start_offset);
    if (lag.lag > 0 &&
        state_plan(offset->topic, offset->partition, next, &offsets, &walk) == 0 &&
        state_plan_next(&walk, &run) && run.max_timestamp >= 0)
        lag.lag_ms = MAX(now_ms - run.max_timestamp, (int64_t)0);
    return lag;
}

static int by_lag(const void *a, const void *b)
{
    const struct group_lag *x = a, *y = b;
    if (x->lag != y->lag)
        return x->lag < y->lag ? 1 : -1;
    if (x->topic->serial != y->topic->serial)
        return x->topic->serial < y->topic->serial ? -1 : 1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

size_t group_lag_worst(const struct group *group, int64_t now_ms, size_t max,
                       struct arena *arena, struct group_lag **out)
{
    struct group_offset_walk walk = {.next = 0};
    struct group_offset offset;
    struct group_lag *all = NULL;
    size_t count = 0, cap = 0;

    while (group != NULL && state_group_offset_next(group, &walk, &offset)) {
        if (count == cap) {
            cap = MAX(2 * cap, (size_t)64);
            all = mem_realloc(all, cap * sizeof(*all));
        }
        all[count++] = group_lag_of(&offset, now_ms);
    }
    if (count > 1)
        qsort(all, count, sizeof(*all), by_lag);
    count = MIN(count, max);
    *out = arena_array(arena, count, sizeof(**out));
    for (size_t i = 0; i < count; i++)
        (*out)[i] = all[i];
    mem_free(all);
    return count;
}
