/* packed.h - columns of integers as zigzag LEB128 varints: how runs and batches travel in
 * commits, plans, watch events and replicated commands (control_api.md). */
#ifndef PROTO_PACKED_H
#define PROTO_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/slice.h"
#include "common/str.h"

/* Write: one value, plain or as the difference to *LAST (which it updates). */
static inline void packed_put(struct str *column, int64_t v)
{
    write_varint(column, v);
}

static inline void packed_put_delta(struct str *column, int64_t *last, int64_t v)
{
    write_varint(column, (int64_t)((uint64_t)v - (uint64_t)*last));
    *last = v;
}

/* Read: sticky errors as in struct reader; wrap-around is defined, never a fault. */
static inline int64_t packed_get(struct reader *column)
{
    return reader_varlong(column);
}

static inline int64_t packed_get_delta(struct reader *column, int64_t *last)
{
    *last = (int64_t)((uint64_t)*last + (uint64_t)reader_varlong(column));
    return *last;
}

/* Number of values in a column, or -1 when it ends inside one. */
int64_t packed_count(struct slice column);

#endif
