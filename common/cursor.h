/* cursor.h - read and write big-endian integers, varints and bytes with one check.
 *
 * Both kinds have a sticky error: after the first failure every read returns zero and
 * every write does nothing, so that callers check once, at the end. Varints are LEB128
 * (Kafka's unsigned varint); the zigzag forms are Kafka's varint and varlong. */
#ifndef COMMON_CURSOR_H
#define COMMON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"

struct reader {
    const uint8_t *pos;
    const uint8_t *end;
    bool failed;
};

static inline void reader_init(struct reader *r, struct slice s)
{
    r->pos = s.ptr;
    r->end = s.ptr == NULL ? NULL : s.ptr + s.len;
    r->failed = false;
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->pos);
}

void reader_fail(struct reader *r); /* fail, and leave nothing to read */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
static inline int8_t reader_i8(struct reader *r)
{
    return (int8_t)reader_u8(r);
}
static inline int16_t reader_i16(struct reader *r)
{
    return (int16_t)reader_u16(r);
}
static inline int32_t reader_i32(struct reader *r)
{
    return (int32_t)reader_u32(r);
}
static inline int64_t reader_i64(struct reader *r)
{
    return (int64_t)reader_u64(r);
}
uint32_t reader_uvarint(struct reader *r);               /* fails above 32 bits */
uint64_t reader_uvarlong(struct reader *r);              /* fails above 64 bits */
int32_t reader_varint(struct reader *r);                 /* zigzag */
int64_t reader_varlong(struct reader *r);                /* zigzag */
struct slice reader_bytes(struct reader *r, size_t len); /* borrowed */
void reader_skip(struct reader *r, size_t len);

/* Append to a struct str; its overflow is the sticky error. */
void write_u8(struct str *out, uint8_t v);
void write_u16(struct str *out, uint16_t v);
void write_u32(struct str *out, uint32_t v);
void write_u64(struct str *out, uint64_t v);
void write_uvarint(struct str *out, uint64_t v);
void write_varint(struct str *out, int64_t v); /* zigzag */

/* Bytes that write_uvarint makes of V: 1 to 10. */
size_t uvarint_size(uint64_t v);

static inline uint64_t zigzag_encode(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t zigzag_decode(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Big-endian access to memory that the caller has checked. */
uint16_t be16_get(const uint8_t *p);
uint32_t be32_get(const uint8_t *p);
uint64_t be64_get(const uint8_t *p);
void be16_put(uint8_t *p, uint16_t v);
void be32_put(uint8_t *p, uint32_t v);
void be64_put(uint8_t *p, uint64_t v);

#endif
