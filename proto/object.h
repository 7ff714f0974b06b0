/* object.h - the object format of object.md: writer and reader of everything but the
 * payload, which stays in the caller's slices. Pure functions. */
#ifndef PROTO_OBJECT_H
#define PROTO_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define OBJECT_HEADER_LEN  16
#define OBJECT_TRAILER_LEN 24
#define OBJECT_RUN_ROW_LEN 60
#define OBJECT_FOOTER_MAX  (64 * MIB)
#define OBJECT_KEY_MAX     128

enum object_kind { OBJECT_INTAKE = 0, OBJECT_FINAL = 1 };

struct object_topic {
    struct uuid id;
    struct slice name;
};

struct object_run {
    uint32_t topic; /* index */
    int32_t partition;
    uint64_t position;
    uint64_t length;
    uint32_t batches;
    uint32_t records;
    int64_t min_timestamp;
    int64_t max_timestamp;
    int64_t base_offset;
    uint32_t crc;
};

struct object_footer {
    enum object_kind kind;
    struct uuid cluster_id;
    struct uuid object_id;
    struct uuid agent_id;
    int64_t created_at_ms;
    struct object_topic *topics;
    size_t topic_count;
    struct object_run *runs;
    size_t run_count;
};

/* Write the 16 bytes in front of the runs. */
void object_write_header(enum object_kind kind, uint8_t header[OBJECT_HEADER_LEN]);
/* Append footer and trailer; the runs' positions and lengths must keep object.md's
 * invariants (asserted). */
void object_write_footer(const struct object_footer *footer, struct str *out);

/* Check a header: 0, ERR_MALFORMED or ERR_UNSUPPORTED (another version). */
int object_read_header(struct slice header, enum object_kind *kind,
                       struct err *err) MUST_CHECK;
/* From the last OBJECT_TRAILER_LEN bytes and the object's size: where the footer is. */
int object_read_trailer(struct slice trailer, uint64_t object_size, uint64_t *position,
                        uint32_t *length, struct err *err) MUST_CHECK;
/* Parse and check footer + trailer, given contiguously; kind is not set. Slices borrow
 * from BYTES, tables live in ARENA. */
int object_read_footer(struct slice bytes, uint64_t object_size, struct arena *arena,
                       struct object_footer *footer, struct err *err) MUST_CHECK;

/* "<cluster>/o/<xx>/<object>" */
void object_key(const struct uuid *cluster_id, const struct uuid *object_id,
                char key[OBJECT_KEY_MAX]);

#endif
