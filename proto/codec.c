/* codec.c - the interpreter of the generated field tables: decode and encode.
 *
 * Nesting is bounded by the schema (recursion goes down codec_struct.fields only). Counts
 * are checked against the bytes that are left before anything is allocated, and what is
 * allocated comes out of the caller's capped arena.
 *
 * Forms on the wire (KIP-482): a "flexible" version writes lengths and counts as unsigned
 * varint plus one, 0 being null, and ends every struct with tagged fields; the others
 * write int16 (strings) or int32 lengths, -1 being null. A nullable struct has a byte in
 * front in both: negative is null. */
#include "proto/codec.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/uuid.h"

/* Kafka refuses longer strings in every version, compact or not. */
#define STRING_MAX INT16_MAX

/* What empty arrays and strings point to: NULL would say null. */
static max_align_t nothing;

static size_t value_size(const struct codec_field *field)
{
    static const uint8_t sizes[] = {
        [CODEC_BOOL] = sizeof(bool),
        [CODEC_INT8] = sizeof(int8_t),
        [CODEC_INT16] = sizeof(int16_t),
        [CODEC_INT32] = sizeof(int32_t),
        [CODEC_INT64] = sizeof(int64_t),
        [CODEC_UINT16] = sizeof(uint16_t),
        [CODEC_FLOAT64] = sizeof(double),
        [CODEC_UUID] = sizeof(struct uuid),
        [CODEC_STRING] = sizeof(struct slice),
        [CODEC_RECORDS] = sizeof(struct slice),
        [CODEC_SLICES] = sizeof(struct slice_list),
    };
    return field->type == CODEC_STRUCT ? field->sub->size : sizes[field->type];
}

static bool field_in(const struct codec_field *field, int16_t version)
{
    return version >= field->min_version && version <= field->max_version;
}

static bool is_pointer_struct(const struct codec_field *field)
{
    return field->type == CODEC_STRUCT && !(field->flags & CODEC_ARRAY) &&
           field->null_from != CODEC_VERSION_NONE;
}

/* Pointers inside messages have the type of what they point to; memcpy keeps the
 * compiler from thinking that a void * cannot alias them. */
static void *load_pointer(const void *at)
{
    void *p;
    memcpy(&p, at, sizeof(p));
    return p;
}

static void store_pointer(void *at, void *p)
{
    memcpy(at, &p, sizeof(p));
}

static size_t load_count(const void *base, const struct codec_field *field)
{
    size_t n;
    memcpy(&n, (const uint8_t *)base + field->count_offset, sizeof(n));
    return n;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence of more than one byte at P (Unicode, table 3-7), or
 * 0: overlong forms, surrogates and what is above U+10FFFF are not well-formed. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xbf; /* of the second byte */
    size_t len;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        low = p[0] == 0xe0 ? 0xa0 : low;
        high = p[0] == 0xed ? 0x9f : high;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (left < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

static bool utf8_valid(struct slice s)
{
    size_t i = 0;
    while (i < s.len) {
        if (s.ptr[i] < 0x80) {
            i++;
            continue;
        }
        size_t len = utf8_sequence(s.ptr + i, s.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

/* ---- decode ---- */

struct decoder {
    struct reader *r;
    struct arena *arena;
    int error;
    int16_t version;
    bool flexible;
};

/* Keeps the first error; the reader's own failure is folded in at the end. */
static void decode_fail(struct decoder *d, int error)
{
    if (d->error == 0)
        d->error = error;
    reader_fail(d->r);
}

/* Arrays are nullable themselves; their elements never are. */
static bool nullable(const struct codec_field *field, int16_t version)
{
    return version >= field->null_from;
}

static bool value_nullable(const struct codec_field *field, int16_t version)
{
    return nullable(field, version) && !(field->flags & CODEC_ARRAY);
}

/* The least bytes that one value of FIELD takes, arrays apart. */
static size_t min_bytes_value(const struct decoder *d, const struct codec_field *field);

static size_t min_bytes_struct(const struct decoder *d, const struct codec_struct *type)
{
    size_t sum = d->flexible ? 1 : 0;
    for (size_t i = 0; i < type->plain_count; i++) {
        const struct codec_field *field = &type->fields[i];
        if (!field_in(field, d->version))
            continue;
        if (field->flags & CODEC_ARRAY)
            sum += d->flexible ? 1 : 4;
        else
            sum += min_bytes_value(d, field);
    }
    return sum;
}

static size_t min_bytes_value(const struct decoder *d, const struct codec_field *field)
{
    switch ((enum codec_type)field->type) {
    case CODEC_BOOL:
    case CODEC_INT8:
        return 1;
    case CODEC_INT16:
    case CODEC_UINT16:
        return 2;
    case CODEC_INT32:
        return 4;
    case CODEC_INT64:
    case CODEC_FLOAT64:
        return 8;
    case CODEC_UUID:
        return 16;
    case CODEC_STRING:
        return d->flexible ? 1 : 2;
    case CODEC_RECORDS:
    case CODEC_SLICES:
        return d->flexible ? 1 : 4;
    case CODEC_STRUCT:
        return is_pointer_struct(field) ? 1 : min_bytes_struct(d, field->sub);
    }
    return 1;
}

/* A length or count. False for null, if MAY_BE_NULL, and on failure. */
static bool decode_length(struct decoder *d, bool may_be_null, bool is_short, size_t *len)
{
    int64_t n;
    if (d->flexible)
        n = (int64_t)reader_uvarint(d->r) - 1;
    else if (is_short)
        n = reader_i16(d->r);
    else
        n = reader_i32(d->r);
    if (d->r->failed)
        return false;
    if (n >= 0) {
        *len = (size_t)n;
        return true;
    }
    if (n < -1 || !may_be_null)
        decode_fail(d, ERR_MALFORMED);
    return false;
}

static struct slice decode_bytes(struct decoder *d, size_t len)
{
    struct slice s = reader_bytes(d->r, len);
    return s.ptr == NULL ? slice_of(&nothing, 0) : s;
}

static struct slice decode_string(struct decoder *d, const struct codec_field *field)
{
    size_t len;
    if (!decode_length(d, value_nullable(field, d->version), true, &len))
        return SLICE_NULL;
    if (len > STRING_MAX) {
        decode_fail(d, ERR_MALFORMED);
        return SLICE_NULL;
    }
    struct slice s = decode_bytes(d, len);
    if (!utf8_valid(s))
        decode_fail(d, ERR_MALFORMED);
    return s;
}

static struct slice decode_records(struct decoder *d, const struct codec_field *field)
{
    size_t len;
    if (!decode_length(d, value_nullable(field, d->version), false, &len))
        return SLICE_NULL;
    return decode_bytes(d, len);
}

static void decode_slices(struct decoder *d, const struct codec_field *field,
                          struct slice_list *list)
{
    struct slice s = decode_records(d, field);
    if (s.ptr == NULL) {
        *list = (struct slice_list){.is_null = true};
        return;
    }
    struct slice *item = arena_try_alloc(d->arena, sizeof(*item));
    if (item == NULL) {
        decode_fail(d, ERR_TOO_LARGE);
        return;
    }
    *item = s;
    *list = (struct slice_list){.items = item, .count = 1, .bytes = s.len};
}

static void decode_struct(struct decoder *d, const struct codec_struct *type, void *out);

static void decode_pointer_struct(struct decoder *d, const struct codec_field *field,
                                  void *at)
{
    bool present = reader_i8(d->r) >= 0;
    if (d->r->failed)
        return;
    if (!present) {
        if (!nullable(field, d->version))
            decode_fail(d, ERR_MALFORMED);
        return;
    }
    void *inner = codec_new(field->sub, 1, d->arena);
    if (inner == NULL) {
        decode_fail(d, ERR_TOO_LARGE);
        return;
    }
    decode_struct(d, field->sub, inner);
    store_pointer(at, inner);
}

/* One value, or one element of an array. AT holds the default already. */
static void decode_value(struct decoder *d, const struct codec_field *field, void *at)
{
    switch ((enum codec_type)field->type) {
    case CODEC_BOOL:
        *(bool *)at = reader_u8(d->r) != 0;
        return;
    case CODEC_INT8:
        *(int8_t *)at = reader_i8(d->r);
        return;
    case CODEC_INT16:
        *(int16_t *)at = reader_i16(d->r);
        return;
    case CODEC_INT32:
        *(int32_t *)at = reader_i32(d->r);
        return;
    case CODEC_INT64:
        *(int64_t *)at = reader_i64(d->r);
        return;
    case CODEC_UINT16:
        *(uint16_t *)at = reader_u16(d->r);
        return;
    case CODEC_FLOAT64: {
        uint64_t bits = reader_u64(d->r);
        memcpy(at, &bits, sizeof(bits));
        return;
    }
    case CODEC_UUID: {
        struct slice s = reader_bytes(d->r, sizeof(struct uuid));
        if (s.len == sizeof(struct uuid))
            memcpy(at, s.ptr, s.len);
        return;
    }
    case CODEC_STRING:
        *(struct slice *)at = decode_string(d, field);
        return;
    case CODEC_RECORDS:
        *(struct slice *)at = decode_records(d, field);
        return;
    case CODEC_SLICES:
        decode_slices(d, field, at);
        return;
    case CODEC_STRUCT:
        if (is_pointer_struct(field))
            decode_pointer_struct(d, field, at);
        else
            decode_struct(d, field->sub, at);
        return;
    }
}

static void decode_array(struct decoder *d, const struct codec_field *field, void *out)
{
    size_t n;
    if (!decode_length(d, nullable(field, d->version), false, &n))
        return;
    if (n > reader_left(d->r) / MAX(min_bytes_value(d, field), (size_t)1)) {
        decode_fail(d, ERR_MALFORMED);
        return;
    }
    size_t size = value_size(field);
    uint8_t *items = (uint8_t *)&nothing;
    if (n > 0) {
        items = arena_try_array(d->arena, n, size);
        if (items == NULL) {
            decode_fail(d, ERR_TOO_LARGE);
            return;
        }
    }
    for (size_t i = 0; i < n && !d->r->failed; i++)
        decode_value(d, field, items + i * size);
    store_pointer((uint8_t *)out + field->offset, items);
    memcpy((uint8_t *)out + field->count_offset, &n, sizeof(n));
}

static void decode_field(struct decoder *d, const struct codec_field *field, void *out)
{
    if (field->flags & CODEC_ARRAY)
        decode_array(d, field, out);
    else
        decode_value(d, field, (uint8_t *)out + field->offset);
}

static const struct codec_field *find_tag(const struct decoder *d,
                                          const struct codec_struct *type, uint32_t tag)
{
    for (size_t i = type->plain_count; i < type->field_count; i++) {
        const struct codec_field *field = &type->fields[i];
        if ((uint32_t)field->tag == tag && field_in(field, d->version))
            return field;
    }
    return NULL;
}

/* Known tags are decoded inside of the length they declare; others are stepped over. */
static void decode_tags(struct decoder *d, const struct codec_struct *type, void *out)
{
    uint32_t n = reader_uvarint(d->r);
    for (uint32_t i = 0; i < n && !d->r->failed; i++) {
        uint32_t tag = reader_uvarint(d->r);
        uint32_t size = reader_uvarint(d->r);
        if (d->r->failed || size > reader_left(d->r)) {
            decode_fail(d, ERR_MALFORMED);
            return;
        }
        const struct codec_field *field = find_tag(d, type, tag);
        if (field == NULL) {
            reader_skip(d->r, size);
            continue;
        }
        const uint8_t *end = d->r->end;
        d->r->end = d->r->pos + size;
        decode_field(d, field, out);
        if (reader_left(d->r) != 0)
            decode_fail(d, ERR_MALFORMED);
        d->r->end = end;
    }
}

static void decode_struct(struct decoder *d, const struct codec_struct *type, void *out)
{
    memcpy(out, type->defaults, type->size);
    for (size_t i = 0; i < type->plain_count; i++) {
        if (field_in(&type->fields[i], d->version))
            decode_field(d, &type->fields[i], out);
        if (d->r->failed)
            return;
    }
    if (d->flexible)
        decode_tags(d, type, out);
}

int codec_decode(const struct codec_message *msg, int16_t version, struct reader *r,
                 struct arena *arena, void *out)
{
    if (version < msg->min_version || version > msg->max_version)
        return ERR_UNSUPPORTED;
    struct decoder d = {.r = r,
                        .arena = arena,
                        .version = version,
                        .flexible = version >= msg->flexible_from};
    decode_struct(&d, msg->body, out);
    if (d.error != 0)
        return d.error;
    return r->failed ? ERR_MALFORMED : 0;
}

void *codec_new(const struct codec_struct *type, size_t n, struct arena *arena)
{
    uint8_t *items = arena_try_array(arena, n, type->size);
    for (size_t i = 0; items != NULL && i < n; i++)
        memcpy(items + i * type->size, type->defaults, type->size);
    return items;
}

/* ---- output in pieces ---- */

void codec_out_init(struct codec_out *out, size_t max_bytes)
{
    memset(out, 0, sizeof(*out));
    str_init(&out->own, max_bytes);
}

void codec_out_fini(struct codec_out *out)
{
    str_fini(&out->own);
    mem_free(out->borrows);
    out->borrows = NULL;
    out->borrow_count = out->borrow_cap = out->borrowed_bytes = 0;
}

static void out_borrow(struct codec_out *out, struct slice bytes)
{
    if (bytes.len < CODEC_COPY_BELOW) {
        str_append_slice(&out->own, bytes);
        return;
    }
    if (out->borrow_count == out->borrow_cap) {
        out->borrow_cap = MAX(out->borrow_cap * 2, (size_t)8);
        out->borrows = mem_realloc(out->borrows, out->borrow_cap * sizeof(*out->borrows));
    }
    out->borrows[out->borrow_count++] =
        (struct codec_borrow){.at = out->own.len, .bytes = bytes};
    out->borrowed_bytes += bytes.len;
}

bool codec_out_next(const struct codec_out *out, struct codec_out_iter *iter,
                    struct slice *piece)
{
    bool more = iter->borrow < out->borrow_count;
    if (more && out->borrows[iter->borrow].at == iter->own_pos) {
        *piece = out->borrows[iter->borrow++].bytes;
        return true;
    }
    size_t end = more ? out->borrows[iter->borrow].at : out->own.len;
    if (end == iter->own_pos)
        return false;
    *piece = slice_of(out->own.data + iter->own_pos, end - iter->own_pos);
    iter->own_pos = end;
    return true;
}

void codec_out_flatten(const struct codec_out *out, struct str *flat)
{
    struct codec_out_iter iter = {0};
    struct slice piece;
    while (codec_out_next(out, &iter, &piece))
        str_append_slice(flat, piece);
}

/* ---- encode ---- */

struct encoder {
    struct codec_out *out;
    int error;
    int16_t version;
    bool flexible;
};

static void encode_fail(struct encoder *e, int error)
{
    if (e->error == 0)
        e->error = error;
}

static bool struct_differs(const struct codec_struct *type, const void *base,
                           bool lenient);

/* The value is not the default; LENIENT takes zero for a default as well. */
static bool field_differs(const struct codec_struct *type,
                          const struct codec_field *field, const void *base, bool lenient)
{
    static const uint8_t zeros[sizeof(struct uuid)];
    const uint8_t *at = (const uint8_t *)base + field->offset;
    if (field->flags & CODEC_ARRAY)
        return load_count(base, field) > 0;
    switch ((enum codec_type)field->type) {
    case CODEC_STRING:
    case CODEC_RECORDS: {
        struct slice s;
        memcpy(&s, at, sizeof(s));
        return s.len > 0 || (s.ptr != NULL && field->null_from != CODEC_VERSION_NONE);
    }
    case CODEC_SLICES:
        return ((const struct slice_list *)(const void *)at)->bytes > 0;
    case CODEC_STRUCT:
        if (is_pointer_struct(field))
            return load_pointer(at) != NULL;
        return struct_differs(field->sub, at, lenient);
    default: {
        size_t size = value_size(field);
        const uint8_t *def = (const uint8_t *)type->defaults + field->offset;
        return memcmp(at, def, size) != 0 && !(lenient && memcmp(at, zeros, size) == 0);
    }
    }
}

static bool struct_differs(const struct codec_struct *type, const void *base,
                           bool lenient)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (field_differs(type, &type->fields[i], base, lenient))
            return true;
    }
    return false;
}

/* A length or count, or null. */
static void encode_length(struct encoder *e, bool is_null, bool is_short, size_t len)
{
    struct str *own = &e->out->own;
    if (len > (is_short ? (size_t)STRING_MAX : (size_t)INT32_MAX - 1))
        encode_fail(e, ERR_INVALID);
    if (e->error != 0)
        return;
    if (e->flexible)
        write_uvarint(own, is_null ? 0 : (uint64_t)len + 1);
    else if (is_short)
        write_u16(own, is_null ? UINT16_MAX : (uint16_t)len);
    else
        write_u32(own, is_null ? UINT32_MAX : (uint32_t)len);
}

/* Null where the version knows none is empty: Kafka's default. */
static void encode_string(struct encoder *e, const struct codec_field *field,
                          struct slice s)
{
    encode_length(e, s.ptr == NULL && value_nullable(field, e->version), true, s.len);
    if (e->error == 0)
        str_append_slice(&e->out->own, s);
}

static void encode_slices(struct encoder *e, const struct codec_field *field,
                          const struct slice_list *list)
{
    encode_length(e, list->is_null && value_nullable(field, e->version), false,
                  list->bytes);
    size_t sum = 0;
    for (size_t i = 0; i < list->count && e->error == 0; i++) {
        out_borrow(e->out, list->items[i]);
        sum += list->items[i].len;
    }
    ASSERT(e->error != 0 || sum == list->bytes);
}

static void encode_struct(struct encoder *e, const struct codec_struct *type,
                          const void *base);

static void encode_pointer_struct(struct encoder *e, const struct codec_field *field,
                                  const void *at)
{
    const void *inner = load_pointer(at);
    if (inner == NULL && !nullable(field, e->version)) {
        encode_fail(e, ERR_INVALID);
        return;
    }
    write_u8(&e->out->own, inner == NULL ? UINT8_MAX : 1);
    if (inner != NULL)
        encode_struct(e, field->sub, inner);
}

static void encode_value(struct encoder *e, const struct codec_field *field,
                         const void *at)
{
    struct str *own = &e->out->own;
    switch ((enum codec_type)field->type) {
    case CODEC_BOOL:
        write_u8(own, *(const bool *)at);
        return;
    case CODEC_INT8:
        write_u8(own, (uint8_t) * (const int8_t *)at);
        return;
    case CODEC_INT16:
        write_u16(own, (uint16_t) * (const int16_t *)at);
        return;
    case CODEC_INT32:
        write_u32(own, (uint32_t) * (const int32_t *)at);
        return;
    case CODEC_INT64:
        write_u64(own, (uint64_t) * (const int64_t *)at);
        return;
    case CODEC_UINT16:
        write_u16(own, *(const uint16_t *)at);
        return;
    case CODEC_FLOAT64: {
        uint64_t bits;
        memcpy(&bits, at, sizeof(bits));
        write_u64(own, bits);
        return;
    }
    case CODEC_UUID:
        str_append(own, at, sizeof(struct uuid));
        return;
    case CODEC_STRING:
        encode_string(e, field, *(const struct slice *)at);
        return;
    case CODEC_RECORDS: {
        const struct slice *s = at;
        encode_length(e, s->ptr == NULL && value_nullable(field, e->version), false,
                      s->len);
        if (e->error == 0)
            out_borrow(e->out, *s);
        return;
    }
    case CODEC_SLICES:
        encode_slices(e, field, at);
        return;
    case CODEC_STRUCT:
        if (is_pointer_struct(field))
            encode_pointer_struct(e, field, at);
        else
            encode_struct(e, field->sub, at);
        return;
    }
}

static void encode_field(struct encoder *e, const struct codec_field *field,
                         const void *base)
{
    const uint8_t *at = (const uint8_t *)base + field->offset;
    if (!(field->flags & CODEC_ARRAY)) {
        encode_value(e, field, at);
        return;
    }
    const uint8_t *items = load_pointer(at);
    size_t n = load_count(base, field);
    ASSERT(items != NULL || n == 0);
    encode_length(e, items == NULL && nullable(field, e->version), false, n);
    size_t size = value_size(field);
    for (size_t i = 0; i < n && e->error == 0; i++)
        encode_value(e, field, items + i * size);
}

/* A tagged field is preceded by its size: written behind, then moved to make room. */
static void encode_tag(struct encoder *e, const struct codec_field *field,
                       const void *base)
{
    struct str *own = &e->out->own;
    size_t start = own->len, borrowed = e->out->borrow_count;
    encode_field(e, field, base);
    ASSERT(e->out->borrow_count == borrowed); /* schemas tag no records */
    size_t size = own->len - start;
    size_t head = uvarint_size((uint64_t)field->tag) + uvarint_size(size);
    write_uvarint(own, (uint64_t)field->tag);
    write_uvarint(own, size);
    if (own->overflowed)
        return;
    uint8_t saved[20];
    memcpy(saved, own->data + start + size, head);
    memmove(own->data + start + head, own->data + start, size);
    memcpy(own->data + start, saved, head);
}

static bool tag_is_written(const struct encoder *e, const struct codec_struct *type,
                           const struct codec_field *field, const void *base)
{
    return field_in(field, e->version) && field_differs(type, field, base, false);
}

static void encode_tags(struct encoder *e, const struct codec_struct *type,
                        const void *base)
{
    uint32_t n = 0;
    for (size_t i = type->plain_count; i < type->field_count; i++)
        n += tag_is_written(e, type, &type->fields[i], base);
    write_uvarint(&e->out->own, n);
    for (size_t i = type->plain_count; i < type->field_count && n > 0; i++) {
        if (tag_is_written(e, type, &type->fields[i], base))
            encode_tag(e, &type->fields[i], base);
    }
}

static void encode_struct(struct encoder *e, const struct codec_struct *type,
                          const void *base)
{
    for (size_t i = 0; i < type->field_count && e->error == 0; i++) {
        const struct codec_field *field = &type->fields[i];
        if (!field_in(field, e->version)) {
            if ((field->flags & CODEC_STRICT) && field_differs(type, field, base, true))
                encode_fail(e, ERR_UNSUPPORTED);
        } else if (i < type->plain_count) {
            encode_field(e, field, base);
        }
    }
    if (e->flexible && e->error == 0)
        encode_tags(e, type, base);
}

int codec_encode(const struct codec_message *msg, int16_t version, const void *body,
                 struct codec_out *out)
{
    if (version < msg->min_version || version > msg->max_version)
        return ERR_UNSUPPORTED;
    struct encoder e = {
        .out = out, .version = version, .flexible = version >= msg->flexible_from};
    encode_struct(&e, msg->body, body);
    if (e.error != 0)
        return e.error;
    return out->own.overflowed ? ERR_TOO_LARGE : 0;
}
