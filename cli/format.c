/* format.c - see format.h. */
#include "cli/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/defs.h"

#define NAME_MAX_LEN 64

void format_bytes(int64_t bytes, struct str *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    size_t unit = 0;

    while (v >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        v /= 1024;
        unit++;
    }
    str_printf(out, unit == 0 || v >= 99.95 ? "%.0f %s" : "%.1f %s", v, units[unit]);
}

void format_duration(int64_t ms, struct str *out)
{
    if (ms < 1000)
        str_printf(out, "%" PRId64 "ms", ms);
    else if (ms < 10000 && ms % 1000 >= 100)
        str_printf(out, "%" PRId64 ".%" PRId64 "s", ms / 1000, ms % 1000 / 100);
    else if (ms < 120000)
        str_printf(out, "%" PRId64 "s", ms / 1000);
    else if (ms < 7200000)
        str_printf(out, "%" PRId64 "m", ms / 60000);
    else if (ms < 2 * INT64_C(86400000))
        str_printf(out, "%" PRId64 "h", ms / 3600000);
    else
        str_printf(out, "%" PRId64 "d", ms / 86400000);
}

void format_time(int64_t at_ms, struct str *out)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[40];

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
        str_printf(out, "%" PRId64, at_ms);
    else
        str_puts(out, text);
}

/* ---- cells ---- */

static const struct json *find_path(const struct json *object, const char *path,
                                    size_t len)
{
    while (object != NULL && len > 0) {
        const char *dot = memchr(path, '.', len);
        size_t part = dot == NULL ? len : (size_t)(dot - path);
        char key[NAME_MAX_LEN];
        if (part >= sizeof(key))
            return NULL;
        memcpy(key, path, part);
        key[part] = '\0';
        object = json_find(object, key);
        part += dot != NULL;
        path += part;
        len -= part;
    }
    return object;
}

const struct json *format_find(const struct json *object, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "|");
        const struct json *value = find_path(object, path, len);
        if (!json_is_null(value) || path[len] == '\0')
            return value;
        path += len + 1;
    }
}

bool format_is_right(enum cell cell)
{
    return cell == CELL_INT || cell == CELL_BYTES || cell == CELL_COUNT ||
           cell == CELL_RATE || cell == CELL_HOURS || cell == CELL_MONEY;
}

static void pairs(const struct json *object, struct str *out)
{
    const struct json *value;
    const char *key;
    void *iter = NULL;
    bool first = true;

    while (json_next(object, &iter, &key, &value)) {
        str_printf(out, "%s%s=", first ? "" : ", ", key);
        format_cell(value, CELL_TEXT, 0, out);
        first = false;
    }
    if (first)
        str_putc(out, '-');
}

static void text_cell(const struct json *value, struct str *out)
{
    struct json_reader r = {0};

    switch (json_kind(value)) {
    case JSON_KIND_STRING: {
        struct slice text = json_as_string(&r, value, "", SIZE_MAX);
        str_append_slice(out, text.len == 0 ? SLICE_LITERAL("-") : text);
        break;
    }
    case JSON_KIND_BOOL:
        str_puts(out, json_as_bool(&r, value, "") ? "yes" : "no");
        break;
    case JSON_KIND_NULL:
        str_putc(out, '-');
        break;
    case JSON_KIND_INT:
    case JSON_KIND_REAL:
    case JSON_KIND_ARRAY:
    case JSON_KIND_OBJECT:
        json_print(value, out);
        break;
    }
}

static void number_cell(int64_t number, enum cell cell, int64_t now_ms, struct str *out)
{
    switch (cell) {
    case CELL_BYTES:
        format_bytes(number, out);
        break;
    case CELL_RATE:
        format_bytes(number, out);
        str_puts(out, "/s");
        break;
    case CELL_HOURS:
        str_printf(out, "%.1f", (double)number / 3600000);
        break;
    case CELL_TIME:
        format_time(number, out);
        break;
    case CELL_AGE:
        format_duration(MAX(now_ms - number, 0), out);
        break;
    case CELL_UNTIL:
        if (number <= now_ms)
            str_puts(out, "expired");
        else
            format_duration(number - now_ms, out);
        break;
    case CELL_DURATION:
        format_duration(number, out);
        break;
    case CELL_TEXT:
    case CELL_INT:
    case CELL_COUNT:
    case CELL_PAIRS:
    case CELL_MONEY:
        str_printf(out, "%" PRId64, number);
        break;
    }
}

/* Money keeps two digits that say something, everything else is whole. */
static void real_cell(double number, enum cell cell, int64_t now_ms, struct str *out)
{
    if (cell == CELL_MONEY)
        str_printf(out, number < 0.1 ? "%.2g" : "%.2f", number);
    else if (cell == CELL_TEXT)
        str_printf(out, "%g", number);
    else
        number_cell((int64_t)(number + 0.5), cell, now_ms, out);
}

void format_cell(const struct json *value, enum cell cell, int64_t now_ms,
                 struct str *out)
{
    struct json_reader r = {0};

    if (json_is_null(value))
        str_putc(out, '-');
    else if (cell == CELL_COUNT)
        str_printf(out, "%zu", json_count(value));
    else if (cell == CELL_PAIRS && json_is_object(value))
        pairs(value, out);
    else if (json_kind(value) == JSON_KIND_INT)
        number_cell(json_as_int(&r, value, "", INT64_MIN, INT64_MAX), cell, now_ms, out);
    else if (json_kind(value) == JSON_KIND_REAL)
        real_cell(json_as_number(&r, value, "", 0, 1e18), cell, now_ms, out);
    else
        text_cell(value, out);
}

/* ---- templates ---- */

void format_escape(const char *text, struct str *out)
{
    for (; *text != '\0'; text++) {
        char c = *text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
        if (plain)
            str_putc(out, c);
        else
            str_printf(out, "%%%02X", (unsigned char)c);
    }
}

void format_fill(const char *template, const char *(*lookup)(const char *name, void *arg),
                 void *arg, bool escape, struct str *out)
{
    while (*template != '\0') {
        const char *end = *template == '{' ? strchr(template, '}') : NULL;
        const char *value = NULL;
        char name[NAME_MAX_LEN];
        if (end != NULL && (size_t)(end - template - 1) < sizeof(name)) {
            size_t len = (size_t)(end - template - 1);
            memcpy(name, template + 1, len);
            name[len] = '\0';
            value = lookup(name, arg);
        }
        if (value == NULL) {
            str_putc(out, *template ++);
            continue;
        }
        if (escape)
            format_escape(value, out);
        else
            str_puts(out, value);
        template = end + 1;
    }
}
