/* fake_ctl.h - the control plane's side of commits, in memory under virtual time:
 * offsets, idempotence by object id (I5) and by producer (kafka.md 3.3), lost replies,
 * outages.
 *
 * It is also the judge: it looks at every committed object in the fake store, and asserts
 * that it is there (I1), is what its footer says, and that no batch is committed twice.
 */
#ifndef TESTS_LIB_FAKE_CTL_H
#define TESTS_LIB_FAKE_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "common/list.h"
#include "common/uuid.h"
#include "tests/lib/fake_store.h"
#include "tests/lib/vtime.h"

/* Where a test's batches bear their number: behind the header of record batch v2. */
#define FAKE_BATCH_HEADER  61
#define FAKE_BATCH_LEN_MIN (FAKE_BATCH_HEADER + 8)

struct fake_entry {
    int64_t base_offset;
    uint32_t records;
    uint64_t number; /* of the batch */
};

#define FAKE_PRODUCERS_MAX 64

struct fake_partition {
    struct list_node node;
    struct uuid topic_id;
    int32_t partition;
    struct fake_entry *log;
    size_t count;
    int64_t next_offset;
    struct fake_producer {
        int64_t id;
        int16_t epoch;
        size_t last_count; /* of the last 5 batches */
        struct fake_last {
            int32_t first, last;
            int64_t offset, timestamp;
        } last[5];
    } producers[FAKE_PRODUCERS_MAX];
    size_t producer_count;
};

struct fake_ctl {
    struct vtime *time;
    struct fake_store *store;
    struct uuid cluster_id;
    /* faults */
    unsigned lost_percent; /* applied, answer lost: applied again after retry_ms */
    int64_t retry_ms;
    bool down;          /* nothing is applied until it is cleared */
    int64_t max_age_ms; /* older objects are EXPIRED; 0: never */
    int64_t base_ms, spread_ms;
    void (*on_answer)(int code, const char *text, const struct json *answer, void *arg);
    void *arg;
    /* what came of it */
    size_t requests, repeats, objects;
    int64_t created_last_ms; /* of the object committed last, for seal order */
    /* private */
    struct list partitions;
    struct list known; /* results by object id */
    struct json *body; /* the request in flight */
    struct json *answer;
};

void fake_ctl_init(struct fake_ctl *ctl, struct vtime *time, struct fake_store *store,
                   const struct uuid *cluster_id);
void fake_ctl_fini(struct fake_ctl *ctl);
/* A commit request; ownership of BODY moves. One at a time. */
void fake_ctl_commit(struct fake_ctl *ctl, struct json *body);
/* What was committed of a partition, or NULL. */
const struct fake_partition *fake_ctl_partition(const struct fake_ctl *ctl,
                                                const struct uuid *topic_id,
                                                int32_t partition);

#endif
