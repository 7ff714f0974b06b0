/* producers.h - idempotent producers: what a partition remembers of each, and the
 * judgement of a batch (KIP-98; kafka.md 3.3).
 *
 * A state is per partition and producer id: the epoch and the last five batches. States
 * unused for long are dropped by EXPIRE_PRODUCERS, all before a time at once, so that it
 * does not matter in which order a node remembers them (I7). Used by apply_*.c and
 * checkpoint.c. */
#ifndef CONTROLPLANE_PRODUCERS_H
#define CONTROLPLANE_PRODUCERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/str.h"
#include "controlplane/partition.h"

#define PRODUCER_BATCHES 5 /* Kafka's number: max.in.flight of an idempotent producer */
/* At so many in one partition, the quarter that was unused longest is forgotten. */
#define PRODUCERS_PER_PARTITION 16384

struct producer_batch {
    int64_t base_offset;
    int64_t timestamp;
    int32_t first_sequence, last_sequence;
};

struct producer {
    int64_t producer_id;
    struct partition *partition;
    struct list_node node; /* in producer_table.by_use */
    int64_t used_at_ms;
    int64_t
        queued_at_ms; /* when it last moved in the list; at most a minute before use */
    int16_t epoch;
    uint8_t count; /* of batches */
    uint8_t last;  /* index of the newest */
    struct producer_batch batches[PRODUCER_BATCHES];
};

/* All producer states of this node. */
struct producer_table {
    struct list by_use; /* queued_at_ms never falls along it */
    uint64_t count;
};

void producers_init(struct producer_table *table);

/* PRODUCER_ID's state in PARTITION, or NULL. */
struct producer *producers_find(const struct partition *partition, int64_t producer_id);

/* Judge a batch of RECORDS records against PRODUCER (NULL: nothing is known of it):
 * 0: append it; else Kafka's 45 or 47. A batch that was appended before gives 0 and sets
 * *DUPLICATE to what is remembered of it. */
int16_t producers_judge(const struct producer *producer, int16_t epoch,
                        int32_t first_sequence, uint32_t records,
                        const struct producer_batch **duplicate) MUST_CHECK;

/* Remember an appended batch. PRODUCER NULL: a new state. Returns the state. */
struct producer *producers_record(struct producer_table *table,
                                  struct partition *partition, struct producer *producer,
                                  int64_t producer_id, int16_t epoch,
                                  const struct producer_batch *batch, int64_t now_ms);
/* The last sequence number of a batch: wraps from 2^31 - 1 to 0. */
int32_t producers_last_sequence(int32_t first_sequence, uint32_t records);

/* Drop states last used before BEFORE_MS; ON_DROP hears each partition that lost one.
 * Returns how many. */
uint64_t producers_expire(struct producer_table *table, int64_t before_ms,
                          void (*on_drop)(void *arg, struct partition *partition),
                          void *arg);
/* Drop all of PARTITION's. */
void producers_drop(struct producer_table *table, struct partition *partition);

/* All of PARTITION's states as bytes, in order of producer id, and back. Loading leaves
 * the table unsorted until producers_sort(). */
void producers_write(const struct partition *partition, struct str *out);
int producers_read(struct producer_table *table, struct partition *partition,
                   struct slice bytes) MUST_CHECK;
void producers_sort(struct producer_table *table);

#endif
