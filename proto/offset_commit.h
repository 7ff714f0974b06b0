/* offset_commit.h - many commits of consumer groups' offsets, as the command carries
 * them.
 *
 * All commits of one agent's call travel in one command (OFFSETS_COMMIT), and go to the
 * state without being unfolded: written by the service side, walked by whoever applies.
 *
 *   uvarint topics, their ids (16 bytes each)
 *   uvarint commits, each:
 *     text group, zigzag generation or epoch, text member, text instance or null,
 *     u8 flags, uvarint late_ms (with flag 2 only), uvarint topics, each:
 *       uvarint index into the ids, uvarint partitions (1 or more), each:
 *         uvarint partition (the first), or how many lie between it and the one before,
 *         zigzag offset, zigzag leader epoch, text metadata
 *
 * A text is uvarint length + 1 (0: null) and bytes. Partitions of a topic ascend, none
 * twice. offset_commits_valid() looks at all of it once; then a walk cannot fail.
 *
 * The result's data, offset_results_*: uvarint commits, each: zigzag Kafka error of the
 * whole, uvarint exceptions, each: uvarint position of the partition among all of the
 * commit's, as how many lie between it and the exception before, and its zigzag Kafka
 * error.
 *
 * OFFSETS_DELETE has the same payload and result; what belongs to a partition beside its
 * number is not looked at. */
#ifndef PROTO_OFFSET_COMMIT_H
#define PROTO_OFFSET_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define OFFSET_COMMIT_COUNT_MAX      65536  /* commits in one command */
#define OFFSET_COMMIT_TOPICS_MAX     262144 /* ids in one command */
#define OFFSET_COMMIT_PARTITIONS_MAX 100000 /* of one topic */
#define OFFSET_COMMIT_TEXT_MAX       32767  /* group, member, instance */
#define OFFSET_COMMIT_METADATA_MAX   16384  /* bytes of UTF-8: 4096 characters */

/* The client speaks OffsetCommit 9 or later: it knows the errors of KIP-848. */
#define OFFSET_COMMIT_KNOWS_EPOCHS 1u
/* late_ms follows; in the bytes only. */
#define OFFSET_COMMIT_LATE 2u

struct offset_commit {
    struct slice group;
    int32_t generation; /* or member epoch; -1: of nobody's */
    struct slice member;
    struct slice instance; /* or null */
    uint8_t flags;
    uint32_t late_ms; /* it was asked for so long before the command; 0: just now */
    uint32_t topic_count;
};

struct offset_commit_topic {
    uint32_t index; /* into the ids */
    uint32_t partition_count;
};

struct offset_commit_partition {
    int32_t partition;
    int32_t leader_epoch; /* -1: unknown */
    int64_t offset;
    struct slice metadata; /* never null */
};

/* ---- writing: in the order of the layout ---- */

void offset_commits_write_ids(struct str *out, const struct uuid *ids, uint32_t count);
void offset_commits_write_count(struct str *out, uint32_t commits);
void offset_commits_write_commit(struct str *out, const struct offset_commit *commit);
void offset_commits_write_topic(struct str *out, const struct offset_commit_topic *topic);
/* *LAST is -1 before the first of a topic. */
void offset_commits_write_partition(struct str *out, int32_t *last,
                                    const struct offset_commit_partition *partition);

/* ---- walking ---- */

struct offset_commits {
    struct reader r;
    const uint8_t *ids;
    uint32_t id_count;
    uint32_t commit_count;
    int32_t last; /* partition */
};

/* Whether PAYLOAD is well-formed to its end. */
bool offset_commits_valid(struct slice payload) MUST_CHECK;
/* Begin with a valid PAYLOAD; then, exactly as often as the counts say, the next commit,
 * its next topic, its next partition. Copy the walk to go over a part twice. */
void offset_commits_begin(struct offset_commits *walk, struct slice payload);
void offset_commits_next(struct offset_commits *walk, struct offset_commit *commit);
void offset_commits_next_topic(struct offset_commits *walk,
                               struct offset_commit_topic *topic);
void offset_commits_next_partition(struct offset_commits *walk,
                                   struct offset_commit_partition *partition);
struct uuid offset_commits_id(const struct offset_commits *walk, uint32_t index);

/* ---- the result ---- */

struct offset_results {
    struct reader r;
    uint32_t commit_count;
};

void offset_results_write_count(struct str *out, uint32_t commits);
/* EXCEPTIONS: what offset_results_except() made of the commit, COUNT times. */
void offset_results_write(struct str *out, int16_t error, uint32_t count,
                          struct slice exceptions);
/* *LAST is -1 before the first of a commit; positions ascend. */
void offset_results_except(struct str *exceptions, int64_t *last, uint32_t position,
                           int16_t error);

/* Returns 0 or ERR_MALFORMED. */
int offset_results_begin(struct offset_results *walk, struct slice result) MUST_CHECK;
/* The next commit's: *ERROR, and ERRORS[0..COUNT) of its partitions. */
int offset_results_next(struct offset_results *walk, int16_t *error, int16_t *errors,
                        uint32_t count) MUST_CHECK;

#endif
