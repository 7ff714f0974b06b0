/* str.c - a growing string with a maximum and a sticky overflow. */
#include "common/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

#define CAP_MIN ((size_t)64)

void str_init(struct str *str, size_t max_bytes)
{
    memset(str, 0, sizeof(*str));
    /* One byte stays for the NUL, whatever the caller asks. */
    str->max_bytes = MIN(max_bytes, SIZE_MAX / 2);
}

void str_fini(struct str *str)
{
    free(str->data);
    str->data = NULL;
    str->len = str->cap = 0;
}

void str_reset(struct str *str)
{
    str->len = 0;
    str->overflowed = false;
    if (str->data != NULL)
        str->data[0] = '\0';
}

/* Room for LEN more bytes and the NUL. A system without memory counts as overflow. */
static bool reserve(struct str *str, size_t len)
{
    if (str->overflowed || len > str->max_bytes - str->len) {
        str->overflowed = true;
        return false;
    }
    size_t need = str->len + len + 1;
    if (need <= str->cap)
        return true;
    size_t cap = MAX(MIN(str->cap * 2, str->max_bytes + 1), MAX(need, CAP_MIN));
    char *data = realloc(str->data, cap);
    if (data == NULL) {
        str->overflowed = true;
        return false;
    }
    str->data = data;
    str->cap = cap;
    return true;
}

void *str_extend(struct str *str, size_t len)
{
    if (!reserve(str, len))
        return NULL;
    char *room = str->data + str->len;
    str->len += len;
    str->data[str->len] = '\0';
    return room;
}

void str_truncate(struct str *str, size_t len)
{
    ASSERT(len <= str->len);
    str->len = len;
    if (str->data != NULL)
        str->data[len] = '\0';
}

void str_append(struct str *str, const void *bytes, size_t len)
{
    void *room = str_extend(str, len);
    if (room != NULL && len > 0)
        memcpy(room, bytes, len);
}

void str_append_slice(struct str *str, struct slice s)
{
    str_append(str, s.ptr, s.len);
}

void str_puts(struct str *str, const char *s)
{
    str_append(str, s, strlen(s));
}

void str_putc(struct str *str, char c)
{
    str_append(str, &c, 1);
}

void str_vprintf(struct str *str, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    /* Into the room that is there; the second try knows the length. */
    size_t room = str->data == NULL ? 0 : str->cap - str->len;
    int n = vsnprintf(room == 0 ? NULL : str->data + str->len, room, fmt, args);
    if (n < 0 || str->overflowed || (size_t)n > str->max_bytes - str->len) {
        str->overflowed = true;
    } else if ((size_t)n < room) {
        str->len += (size_t)n;
    } else {
        char *at = str_extend(str, (size_t)n);
        if (at != NULL)
            vsnprintf(at, (size_t)n + 1, fmt, again);
    }
    if (str->data != NULL)
        str->data[str->len] = '\0';
    va_end(again);
}

void str_printf(struct str *str, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    str_vprintf(str, fmt, args);
    va_end(args);
}

char *str_take(struct str *str)
{
    char *data = str->data;
    if (data == NULL)
        data = calloc(1, 1);
    str->data = NULL;
    str->len = str->cap = 0;
    return data;
}

const char *str_cstr(const struct str *str)
{
    return str->data == NULL ? "" : str->data;
}
