/* cursor.c - big-endian integers, varints and bytes, with one sticky failure. */
#include "common/cursor.h"

#include <string.h>

uint16_t be16_get(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap16(v);
}

uint32_t be32_get(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

uint64_t be64_get(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

void be16_put(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof(v));
}

void be32_put(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof(v));
}

void be64_put(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written for little-endian");

void reader_fail(struct reader *r)
{
    r->failed = true;
    r->pos = r->end;
}

/* LEN bytes and the position behind them, or NULL and failure. */
static const uint8_t *take(struct reader *r, size_t len)
{
    if (UNLIKELY(r->failed || len > reader_left(r))) {
        reader_fail(r);
        return NULL;
    }
    const uint8_t *p = r->pos;
    r->pos += len;
    return p;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p == NULL ? 0 : *p;
}

uint16_t reader_u16(struct reader *r)
{
    const uint8_t *p = take(r, 2);
    return p == NULL ? 0 : be16_get(p);
}

uint32_t reader_u32(struct reader *r)
{
    const uint8_t *p = take(r, 4);
    return p == NULL ? 0 : be32_get(p);
}

uint64_t reader_u64(struct reader *r)
{
    const uint8_t *p = take(r, 8);
    return p == NULL ? 0 : be64_get(p);
}

/* A LEB128 number of at most BITS bits. */
static uint64_t leb128(struct reader *r, unsigned bits)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < bits && r->pos < r->end; shift += 7) {
        uint8_t byte = *r->pos++;
        uint64_t low = byte & 0x7f;
        /* The last byte holds fewer than seven bits of the number. */
        if (bits - shift < 7 && low >> (bits - shift) != 0)
            break;
        v |= low << shift;
        if ((byte & 0x80) == 0)
            return v;
    }
    reader_fail(r);
    return 0;
}

uint32_t reader_uvarint(struct reader *r)
{
    return (uint32_t)leb128(r, 32);
}

uint64_t reader_uvarlong(struct reader *r)
{
    return leb128(r, 64);
}

int32_t reader_varint(struct reader *r)
{
    return (int32_t)zigzag_decode(leb128(r, 32));
}

int64_t reader_varlong(struct reader *r)
{
    return zigzag_decode(leb128(r, 64));
}

struct slice reader_bytes(struct reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    return p == NULL ? SLICE_NULL : slice_of(p, len);
}

void reader_skip(struct reader *r, size_t len)
{
    (void)take(r, len);
}

void write_u8(struct str *out, uint8_t v)
{
    str_append(out, &v, 1);
}

void write_u16(struct str *out, uint16_t v)
{
    uint8_t *p = str_extend(out, sizeof(v));
    if (p != NULL)
        be16_put(p, v);
}

void write_u32(struct str *out, uint32_t v)
{
    uint8_t *p = str_extend(out, sizeof(v));
    if (p != NULL)
        be32_put(p, v);
}

void write_u64(struct str *out, uint64_t v)
{
    uint8_t *p = str_extend(out, sizeof(v));
    if (p != NULL)
        be64_put(p, v);
}

void write_uvarint(struct str *out, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (uint8_t)v;
    str_append(out, bytes, n);
}

void write_varint(struct str *out, int64_t v)
{
    write_uvarint(out, zigzag_encode(v));
}

size_t uvarint_size(uint64_t v)
{
    /* Seven bits a byte; zero takes one as well. */
    return (size_t)(63 - __builtin_clzll(v | 1)) / 7 + 1;
}
