/* offset_workload.c - see offset_workload.h. */
#include "tests/lib/offset_workload.h"

#include "tests/lib/offset_driver.h"

#define PARTS (OFFSET_TOPICS * OFFSET_PARTITIONS)

static const char *const groups[OFFSET_GROUPS] = {"o-0", "o-1", "o-2"};

struct workload {
    struct offset_model *model;
    struct driver *driver;
    const struct offset_topic *topics;
    uint32_t (*pick)(uint32_t n);
    uint32_t group;
};

static bool group_exists(const struct workload *w)
{
    return state_group(state_cluster(w->driver->state, &w->driver->cluster_id),
                       slice_str(groups[w->group])) != NULL;
}

/* The present topic T has an offset of partition P. */
static bool has_offset(const struct workload *w, uint32_t g, uint32_t t, int32_t p)
{
    return w->topics[t].exists && w->model->offsets[g][t][p].topic == w->topics[t].id;
}

static const char *compare(const struct workload *w)
{
    for (uint32_t g = 0; g < OFFSET_GROUPS; g++) {
        for (uint32_t t = 0; t < OFFSET_TOPICS; t++) {
            for (int32_t p = 0; p < OFFSET_PARTITIONS; p++) {
                int64_t want = has_offset(w, g, t, p) ? w->model->offsets[g][t][p].offset
                                                      : INT64_MIN;
                if (driver_offset(w->driver, groups[g], w->topics[t].id, p) != want)
                    return "an offset is not what was committed last";
            }
        }
    }
    return NULL;
}

/* Some partitions of some topics, in order; INDEXES: of the topics. */
static size_t choose(const struct workload *w, struct test_offset *parts,
                     uint32_t *indexes)
{
    size_t n = 0;

    for (uint32_t t = 0; t < OFFSET_TOPICS; t++) {
        if (w->topics[t].id == 0 || w->pick(3) != 0)
            continue;
        for (int32_t p = 0; p < OFFSET_PARTITIONS; p++) {
            if (w->pick(4) != 0)
                continue;
            indexes[n] = t;
            parts[n++] = (struct test_offset){w->topics[t].id, p, (int64_t)w->pick(1000),
                                              0, w->pick(2) ? NULL : "some metadata"};
        }
    }
    return n;
}

static const char *change(struct workload *w)
{
    struct test_offset parts[PARTS];
    uint32_t indexes[PARTS];
    int16_t errors[PARTS];
    bool deletes = w->pick(4) == 0, known = group_exists(w);
    const struct test_offsets one = {.group = groups[w->group],
                                     .generation = -1,
                                     .parts = parts,
                                     .count = choose(w, parts, indexes),
                                     .errors = errors};

    int16_t error = driver_offsets_of(
        w->driver, deletes ? COMMAND_OFFSETS_DELETE : COMMAND_OFFSETS_COMMIT, &one, 1);
    if (error != (deletes && !known ? 69 : 0))
        return "the error of a group is another";
    for (size_t i = 0; i < one.count && error == 0; i++) {
        const struct offset_topic *topic = &w->topics[indexes[i]];
        bool there = deletes || parts[i].partition < topic->partitions;
        if (errors[i] != (!topic->exists ? 100 : there ? 0 : 3))
            return "the error of a partition is another";
        if (errors[i] != 0)
            continue;
        w->model->offsets[w->group][indexes[i]][parts[i].partition].topic =
            deletes ? 0 : topic->id;
        w->model->offsets[w->group][indexes[i]][parts[i].partition].offset =
            parts[i].offset;
        w->model->offsets[w->group][indexes[i]][parts[i].partition].at_ms =
            w->driver->now_ms;
        w->model->commits += !deletes;
    }
    return compare(w);
}

/* What was committed so long ago goes, and with the last of it the group. */
static const char *expire(struct workload *w)
{
    int64_t before_ms = w->driver->now_ms - w->pick(100000);
    bool left = false;

    driver_offsets_expire(w->driver, before_ms, groups[w->group]);
    for (uint32_t t = 0; t < OFFSET_TOPICS; t++) {
        for (int32_t p = 0; p < OFFSET_PARTITIONS; p++) {
            if (w->model->offsets[w->group][t][p].at_ms <= before_ms)
                w->model->offsets[w->group][t][p].topic = 0;
            left |= has_offset(w, w->group, t, p);
        }
    }
    if (group_exists(w) != left)
        return "a group is there without offsets, or the other way round";
    return compare(w);
}

const char *offset_workload_step(struct offset_model *model, struct driver *driver,
                                 const struct offset_topic topics[OFFSET_TOPICS],
                                 uint32_t (*pick)(uint32_t n))
{
    struct workload w = {model, driver, topics, pick, pick(OFFSET_GROUPS)};

    return pick(4) == 0 ? expire(&w) : change(&w);
}
