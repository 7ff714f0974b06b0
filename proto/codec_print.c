/* codec_print.c - messages as text, for traces. Never shows records or hidden fields. */
#include "proto/codec.h"

#include <inttypes.h>
#include <string.h>

#include "common/uuid.h"

#define ELEMENTS_MAX     16
#define STRING_SHOWN_MAX 256

static void print_string(struct slice s, struct str *text)
{
    if (s.ptr == NULL) {
        str_puts(text, "null");
        return;
    }
    str_putc(text, '"');
    for (size_t i = 0; i < s.len && i < STRING_SHOWN_MAX; i++) {
        uint8_t c = s.ptr[i];
        if (c == '"' || c == '\\')
            str_printf(text, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            str_printf(text, "\\x%02x", c);
        else
            str_putc(text, (char)c);
    }
    str_puts(text, s.len > STRING_SHOWN_MAX ? "\"..." : "\"");
}

static void print_bytes(bool is_null, size_t len, struct str *text)
{
    if (is_null)
        str_puts(text, "null");
    else
        str_printf(text, "<%zu bytes>", len);
}

static void print_struct(const struct codec_struct *type, int16_t version,
                         const void *base, struct str *text);

static void print_number(const struct codec_field *field, const void *at,
                         struct str *text)
{
    int64_t v = field->type == CODEC_INT8    ? *(const int8_t *)at
                : field->type == CODEC_INT16 ? *(const int16_t *)at
                : field->type == CODEC_INT32 ? *(const int32_t *)at
                                             : *(const int64_t *)at;
    str_printf(text, "%" PRId64, v);
}

static void print_value(const struct codec_field *field, int16_t version, const void *at,
                        struct str *text)
{
    char uuid[UUID_TEXT_LEN + 1];
    switch ((enum codec_type)field->type) {
    case CODEC_BOOL:
        str_puts(text, *(const bool *)at ? "true" : "false");
        return;
    case CODEC_INT8:
    case CODEC_INT16:
    case CODEC_INT32:
    case CODEC_INT64:
        print_number(field, at, text);
        return;
    case CODEC_UINT16:
        str_printf(text, "%u", *(const uint16_t *)at);
        return;
    case CODEC_FLOAT64:
        str_printf(text, "%g", *(const double *)at);
        return;
    case CODEC_UUID:
        str_puts(text, uuid_print(at, uuid));
        return;
    case CODEC_STRING:
    case CODEC_RECORDS: {
        const struct slice *s = at;
        if (field->type == CODEC_RECORDS || (field->flags & CODEC_HIDDEN))
            print_bytes(s->ptr == NULL, s->len, text);
        else
            print_string(*s, text);
        return;
    }
    case CODEC_SLICES: {
        const struct slice_list *list = at;
        print_bytes(list->is_null, list->bytes, text);
        return;
    }
    case CODEC_STRUCT:
        print_struct(field->sub, version, at, text);
        return;
    }
}

static size_t element_size(const struct codec_field *field)
{
    switch ((enum codec_type)field->type) {
    case CODEC_STRUCT:
        return field->sub->size;
    case CODEC_INT8:
        return sizeof(int8_t);
    case CODEC_INT32:
        return sizeof(int32_t);
    default:
        return sizeof(struct slice);
    }
}

static void print_array(const struct codec_field *field, int16_t version,
                        const void *base, struct str *text)
{
    const uint8_t *items;
    size_t n;
    memcpy(&items, (const uint8_t *)base + field->offset, sizeof(items));
    memcpy(&n, (const uint8_t *)base + field->count_offset, sizeof(n));
    if (items == NULL) {
        str_puts(text, field->null_from == CODEC_VERSION_NONE ? "[]" : "null");
        return;
    }
    str_putc(text, '[');
    for (size_t i = 0; i < n && i < ELEMENTS_MAX; i++) {
        if (i > 0)
            str_putc(text, ' ');
        print_value(field, version, items + i * element_size(field), text);
    }
    if (n > ELEMENTS_MAX)
        str_printf(text, " ... %zu more", n - ELEMENTS_MAX);
    str_putc(text, ']');
}

static void print_field(const struct codec_field *field, int16_t version,
                        const void *base, struct str *text)
{
    const uint8_t *at = (const uint8_t *)base + field->offset;
    str_printf(text, "%s=", field->name);
    if (field->flags & CODEC_ARRAY) {
        print_array(field, version, base, text);
        return;
    }
    if (field->type == CODEC_STRUCT && field->null_from != CODEC_VERSION_NONE) {
        void *inner;
        memcpy(&inner, at, sizeof(inner));
        if (inner == NULL) {
            str_puts(text, "null");
            return;
        }
        at = inner;
    }
    print_value(field, version, at, text);
}

static void print_struct(const struct codec_struct *type, int16_t version,
                         const void *base, struct str *text)
{
    const char *gap = "";
    str_putc(text, '{');
    for (size_t i = 0; i < type->field_count; i++) {
        const struct codec_field *field = &type->fields[i];
        if (version < field->min_version || version > field->max_version)
            continue;
        str_puts(text, gap);
        print_field(field, version, base, text);
        gap = " ";
    }
    str_putc(text, '}');
}

void codec_print(const struct codec_message *msg, int16_t version, const void *body,
                 struct str *text)
{
    str_printf(text, "%s v%d", msg->name, version);
    print_struct(msg->body, version, body, text);
}
