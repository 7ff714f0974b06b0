/* str.h - a growing string of bytes with a stated maximum.
 *
 * Always NUL-terminated, so that data reads as a C string too. After the first append
 * that would pass the maximum, the string is `overflowed`, further appends do nothing,
 * and one check at the end is enough. */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"

struct str {
    char *data; /* NULL or NUL-terminated */
    size_t len;
    bool overflowed;
    /* private */
    size_t cap;
    size_t max_bytes;
};

void str_init(struct str *str, size_t max_bytes);
void str_fini(struct str *str);
void str_reset(struct str *str); /* empty again, memory kept */

void str_append(struct str *str, const void *bytes, size_t len);
void str_append_slice(struct str *str, struct slice s);
void str_puts(struct str *str, const char *s);
void str_putc(struct str *str, char c);
void str_printf(struct str *str, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vprintf(struct str *str, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* LEN writable bytes at the end that count as appended; NULL on overflow. */
void *str_extend(struct str *str, size_t len);
/* Take back what is behind the first LEN bytes (LEN <= str->len). */
void str_truncate(struct str *str, size_t len);

/* The bytes as malloc'ed memory, ownership to the caller; STR is empty after. */
char *str_take(struct str *str);
const char *str_cstr(const struct str *str); /* "" when nothing was appended */

/* Bytes that can still be appended. */
static inline size_t str_room(const struct str *str)
{
    return str->overflowed ? 0 : str->max_bytes - str->len;
}

static inline struct slice str_slice(const struct str *str)
{
    return slice_of(str->data, str->len);
}

#endif
