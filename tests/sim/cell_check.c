/* cell_check.c - what must hold of a cell, whatever happens.
 *
 * The first node that applies an entry says what the entry is; all others, and it itself
 * after a crash, must find the same (identical applied prefix, nothing acknowledged is
 * lost). An observer applies each entry once, from the beginning: results and state of
 * all nodes must be its (I7). Its events show the offsets (I4). */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/mem.h"
#include "tests/sim/cell.h"

#define TERMS_MAX  65536
#define STATE_STEP 64 /* the whole state is compared so often */

struct entry {
    uint64_t hash;        /* of term and bytes */
    uint64_t result_hash; /* of all its results */
    uint64_t state_hash;  /* after it; at each STATE_STEP-th only */
    unsigned node;        /* that applied it first */
};

static struct {
    struct entry *entries; /* by index */
    uint64_t last, cap;
    uint64_t acked_index;
    struct state *observer;
    struct str result;
    unsigned leaders[TERMS_MAX]; /* by term */
    int64_t next_offset[CELL_TOPICS][CELL_PARTITIONS];
} check;

uint64_t check_hash(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.ptr[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

/* I4: each run begins where the last one of its partition ended. */
static void on_commit(void *arg, const struct cluster *cluster,
                      const struct commit_event *event)
{
    (void)arg, (void)cluster;
    for (size_t i = 0; i < event->run_count; i++) {
        const struct committed_run *run = &event->runs[i];
        uint32_t topic = be32_get(run->topic->topic_id.bytes + 12) - 1;
        int64_t *next = &check.next_offset[topic][run->partition];
        CELL_CHECK(run->base_offset == *next,
                   "topic %u partition %d: offset %lld is given, %lld is next", topic,
                   run->partition, (long long)run->base_offset, (long long)*next);
        *next += run->records;
    }
}

void check_init(void)
{
    struct state_events events = {.on_commit = on_commit};
    memset(&check, 0, sizeof(check));
    check.observer = state_new(&events);
    str_init(&check.result, 64 * MIB);
}

void check_leader(unsigned node, uint64_t term)
{
    CELL_CHECK(term < TERMS_MAX, "term %llu: too many elections",
               (unsigned long long)term);
    unsigned *leader = &check.leaders[term];
    CELL_CHECK(*leader == 0 || *leader == node,
               "nodes %u and %u are both leader of term %llu", *leader, node,
               (unsigned long long)term);
    if (*leader == 0)
        cell.counts.elections++;
    *leader = node;
}

/* Apply it to the observer. */
static void observe(struct entry *entry, uint64_t index, struct slice data)
{
    struct slice command;

    entry->result_hash = 1;
    if (data.len == 0)
        state_skip(check.observer, index);
    while (command_unpack(&data, &command)) {
        str_reset(&check.result);
        state_apply(check.observer, index, command, &check.result);
        entry->result_hash = check_hash(entry->result_hash, str_slice(&check.result));
    }
    if (index % STATE_STEP == 0)
        entry->state_hash = state_hash(check.observer);
}

static uint64_t entry_hash(uint64_t term, struct slice data)
{
    uint8_t bytes[8];
    be64_put(bytes, term);
    return check_hash(check_hash(17, slice_of(bytes, 8)), data);
}

uint64_t check_entry(unsigned node, uint64_t index, uint64_t term, struct slice data)
{
    CELL_CHECK(index <= check.last + 1, "node %u applies entry %llu before %llu", node,
               (unsigned long long)index, (unsigned long long)check.last + 1);
    if (index == check.last + 1) {
        if (index >= check.cap) {
            check.cap = MAX((uint64_t)4096, check.cap * 2);
            check.entries =
                mem_realloc(check.entries, check.cap * sizeof(*check.entries));
        }
        check.last = index;
        check.entries[index] =
            (struct entry){.hash = entry_hash(term, data), .node = node};
        observe(&check.entries[index], index, data);
        cell.counts.entries++;
    }
    struct entry *entry = &check.entries[index];
    CELL_CHECK(entry->hash == entry_hash(term, data),
               "node %u applies another entry %llu (term %llu, %zu bytes) than node %u "
               "did",
               node, (unsigned long long)index, (unsigned long long)term, data.len,
               entry->node);
    return entry->result_hash;
}

void check_state(unsigned node, uint64_t index, const struct state *state)
{
    CELL_CHECK(index <= check.last, "node %u stands at %llu, nobody has applied it", node,
               (unsigned long long)index);
    if (index == 0 || check.entries[index].state_hash == 0)
        return;
    CELL_CHECK(state_hash(state) == check.entries[index].state_hash,
               "node %u has another state after entry %llu than the entries make", node,
               (unsigned long long)index);
}

void check_state_at_end(void)
{
    if (check.last > 0)
        check.entries[check.last].state_hash = state_hash(check.observer);
}

void check_acked(uint64_t index)
{
    check.acked_index = MAX(check.acked_index, index);
}

uint64_t check_acked_index(void)
{
    return check.acked_index;
}
