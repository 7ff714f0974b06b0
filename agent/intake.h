/* intake.h - one intake object from its first batch to the answer of its producers.
 *
 *   OPEN -> SEALED -> UPLOADING -> UPLOADED -> COMMITTING -> settled (freed)
 *                         |             (failed: settled at once)
 *
 * Holds what the object consists of, never its payload: batches are slices of the
 * producers' frames. Sealing fixes the layout of object.md; header and footer are made
 * for each try of an upload, since they name the object id. A core: no clock, no I/O. */
#ifndef AGENT_INTAKE_H
#define AGENT_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/produces.h"
#include "common/arena.h"
#include "common/list.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "proto/commit.h"
#include "proto/object.h"

/* An object takes no more than this, so that its commit fits in one request: at worst
 * 35 bytes of JSON a batch and 60 a run. */
#define INTAKE_BATCHES_MAX 65536
#define INTAKE_RUNS_MAX    32768

enum intake_state {
    INTAKE_OPEN,
    INTAKE_SEALED, /* waits for its turn to upload */
    INTAKE_UPLOADING,
    INTAKE_UPLOADED, /* waits for its turn to commit */
    INTAKE_COMMITTING,
};

struct intake_batch {
    struct intake_batch *next; /* of its run, in the order of arrival */
    struct produce *produce;
    uint32_t part; /* of the produce */
    uint32_t records;
    struct slice bytes;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int64_t min_timestamp, max_timestamp;
};

struct intake_run {
    struct uuid topic_id;
    int32_t partition;
    struct intake_batch *first, *last;
    uint32_t batches;
    uint32_t records;
    uint64_t length;
};

struct intake {
    enum intake_state state;
    uint64_t number;       /* of seal order */
    struct list_node node; /* of whoever holds it */
    int64_t opened_at_ms;
    int64_t moved_at_ms; /* when it was sealed, then when it was uploaded */
    size_t batch_count;
    uint64_t bytes; /* of all batches */
    /* from sealing on */
    int64_t created_at_ms;    /* by the control plane's clock */
    struct intake_run **runs; /* in the object's order */
    size_t run_count;
    struct object_footer footer; /* object_id is for each try to set */
    uint32_t runs_crc;           /* of all runs, back to back */
    /* from its upload on */
    struct uuid object_id; /* the one that may be committed */
    uint64_t object_size;
    /* private */
    unsigned refs;
    struct arena arena;
    struct budget *budget;
    size_t charged_bytes;
    struct intake_run **table; /* open addressing, by topic and partition */
    size_t table_mask;
};

/* Memory of the books goes on BUDGET (may be NULL). */
struct intake *intake_new(struct budget *budget, int64_t now);
struct intake *intake_ref(struct intake *intake);
void intake_unref(struct intake *intake); /* the last one releases the batches */

/* Is there room for all parts of ASK? */
bool intake_fits(const struct intake *intake, const struct produce_ask *ask);
/* Append all parts of PRODUCE's ask. */
void intake_add(struct intake *intake, struct produce *produce);

/* The name of a topic for the footer; null slice: not known (deleted meanwhile). */
typedef struct slice intake_name_fn(const struct uuid *topic_id, void *arg);

struct intake_seal {
    uint64_t number;
    int64_t created_at_ms;
    const struct uuid *cluster_id, *agent_id;
    intake_name_fn *name;
    void *name_arg;
};
void intake_seal(struct intake *intake, const struct intake_seal *seal);

/* The bytes of the object under the id OBJECT_ID: header and footer are written to HEADER
 * and FOOTER, PIECES (intake_piece_count of them) refer to them and to the batches. */
size_t intake_piece_count(const struct intake *intake);
void intake_layout(const struct intake *intake, const struct uuid *object_id,
                   uint8_t header[OBJECT_HEADER_LEN], struct str *footer,
                   struct slice *pieces, uint32_t *crc, uint64_t *size);

/* The commit as JSON, once object_id and object_size stand. */
struct json *intake_commit(const struct intake *intake);
/* An upper bound for the bytes of that. */
size_t intake_commit_bytes(const struct intake *intake);

#endif
