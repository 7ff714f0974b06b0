/* commit.h - one object's commit and its result: the hot message of the whole system.
 *
 * The same columns travel in the JSON of /agent/v1/commit (base64, control_api.md) and in
 * the replicated command (raw), so that the control plane decodes them once, when it
 * applies. Built by the agent's committer, read by the control plane's apply_commit. */
#ifndef PROTO_COMMIT_H
#define PROTO_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/json.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "proto/packed.h"

#define COMMIT_TOPICS_MAX    65536
#define COMMIT_RUNS_MAX      65536
#define COMMIT_BATCHES_MAX   (1 << 20)
#define COMMIT_PRODUCERS_MAX 65536
#define COMMIT_OBJECTS_MAX   64 /* in one request */

struct commit_producer {
    int64_t producer_id;
    int16_t producer_epoch;
};

/* Columns are raw packed bytes; see control_api.md for each one's coding. */
struct commit {
    struct uuid object_id;
    uint64_t object_size;
    int64_t created_at_ms;
    struct uuid *topics;
    uint32_t topic_count;
    struct commit_producer *producers;
    uint32_t producer_count;
    struct slice topic, partition, batches;                          /* a row a run */
    struct slice length, records, producer, sequence, max_timestamp; /* a row a batch */
};

struct commit_exception {
    uint32_t run;
    int32_t batch;       /* in the run; -1: the whole run */
    int16_t kafka_error; /* 0: a duplicate */
    int64_t base_offset; /* of the original, for a duplicate; else -1 */
    int64_t timestamp;
};

struct commit_result {
    int code;                 /* ERR_*: the whole object is refused; else 0 */
    struct slice base_offset; /* packed delta column, a row a run */
    struct commit_exception *exceptions;
    uint32_t exception_count;
};

/* Walk the runs and batches of a commit. commit_walk_next_run returns false at the end or
 * on malformed columns (then w->failed). Columns that are too long or short fail. */
struct commit_walk {
    /* current run */
    uint32_t run;
    uint32_t topic; /* index into commit->topics */
    int32_t partition;
    uint32_t batches;
    /* current batch */
    uint32_t batch;    /* batches of the run that were walked, this one included */
    uint64_t position; /* in the object */
    uint32_t length;
    uint32_t records;
    uint32_t producer; /* 0: none */
    int32_t sequence;  /* base sequence; -1 without producer */
    int64_t max_timestamp;
    bool failed;
    /* private */
    const struct commit *commit;
    struct reader r[8];
    uint64_t next_position;
    int64_t last_topic, last_partition, last_timestamp;
    uint32_t last_producer;
    int32_t next_sequence;
};

void commit_walk_init(struct commit_walk *walk, const struct commit *commit);
bool commit_walk_next_run(struct commit_walk *walk);
bool commit_walk_next_batch(struct commit_walk *walk); /* within the run */

/* Check everything that needs no state: counts, order of runs, ranges, the size. */
int commit_check(const struct commit *commit, struct err *err) MUST_CHECK;

/* Build the columns row by row. */
struct commit_builder {
    struct str topic, partition, batches, length, records, producer, sequence,
        max_timestamp;
    int64_t last_topic, last_partition, last_timestamp;
    uint32_t last_producer;
    int32_t next_sequence;
};
void commit_builder_init(struct commit_builder *b, int64_t created_at_ms);
void commit_builder_fini(struct commit_builder *b);
void commit_builder_run(struct commit_builder *b, uint32_t topic, int32_t partition,
                        uint32_t batches);
void commit_builder_batch(struct commit_builder *b, uint32_t length, uint32_t records,
                          uint32_t producer, int32_t sequence, int64_t max_timestamp);
/* Point COMMIT's columns at the builder's bytes. */
void commit_builder_columns(const struct commit_builder *b, struct commit *commit);

/* JSON of control_api.md, and the raw form of commands and the database. Decoded values
 * live in ARENA or borrow from the input. */
struct json *commit_to_json(const struct commit *commit);
int commit_from_json(const struct json *value, struct arena *arena, struct commit *commit,
                     struct err *err) MUST_CHECK;
struct json *commit_result_to_json(const struct commit_result *result);
int commit_result_from_json(const struct json *value, struct arena *arena,
                            struct commit_result *result, struct err *err) MUST_CHECK;
void commit_write(const struct commit *commit, struct str *out);
int commit_read(struct reader *r, struct arena *arena, struct commit *commit) MUST_CHECK;
void commit_result_write(const struct commit_result *result, struct str *out);
int commit_result_read(struct reader *r, struct arena *arena,
                       struct commit_result *result) MUST_CHECK;

#endif
