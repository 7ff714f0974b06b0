/* logfmt.c - see logfmt.h. */
#include "common/logfmt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"

/* ---- UTF-8 ---- */

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t logfmt_utf8_len(const char *text, size_t len)
{
    unsigned char a = (unsigned char)text[0];
    unsigned char b = len > 1 ? (unsigned char)text[1] : 0;
    size_t need = a < 0x80 ? 1 : a < 0xc2 ? 0 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;

    if (a > 0xf4 || need == 0 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if (!continues(text[i]))
            return 0;
    }
    if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) ||
        (a == 0xf4 && b > 0x8f))
        return 0;
    return need;
}

void logfmt_clean(char *line, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = logfmt_utf8_len(line + i, len - i);
        if (n == 0 || (unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
            n = 1;
        }
        i += n;
    }
}

/* ---- JSON out ---- */

struct json_out {
    char *bytes;
    size_t len, size;
};

static void put(struct json_out *out, const char *bytes, size_t len)
{
    ASSERT(len <= out->size - out->len); /* LOGFMT_JSON_MAX */
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void put_char(struct json_out *out, unsigned char c)
{
    char text[8];
    if (c == '"' || c == '\\') {
        put(out, "\\", 1);
        put(out, (const char *)&c, 1);
    } else if (c < 0x20 || c == 0x7f) {
        put(out, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
    } else {
        put(out, (const char *)&c, 1);
    }
}

static void put_string(struct json_out *out, const char *text, size_t len)
{
    put(out, "\"", 1);
    for (size_t i = 0; i < len; i++)
        put_char(out, (unsigned char)text[i]);
    put(out, "\"", 1);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The quoted value that begins at TEXT, unescaped; returns how many bytes it took. A cut
 * one ends with the line. */
static size_t put_quoted(struct json_out *out, const char *text, size_t len)
{
    size_t i = 1;
    put(out, "\"", 1);
    while (i < len && text[i] != '"') {
        if (text[i] != '\\' || i + 1 == len) {
            put_char(out, (unsigned char)text[i++]);
            continue;
        }
        int high = i + 3 < len && text[i + 1] == 'x' ? hex_digit(text[i + 2]) : -1;
        int low = high < 0 ? -1 : hex_digit(text[i + 3]);
        if (low >= 0) {
            int c = high * 16 + low;
            if (c < 0x80)
                put_char(out, (unsigned char)c);
            else
                put(out, "\\ufffd", 6);
            i += 4;
        } else {
            put_char(out, (unsigned char)text[i + 1]);
            i += 2;
        }
    }
    put(out, "\"", 1);
    return i < len ? i + 1 : len;
}

/* ---- numbers ---- */

/* Does FMT print KEY by a conversion for numbers? */
static bool is_numeric(const char *fmt, const char *key, size_t key_len)
{
    for (const char *p = fmt; (p = strchr(p, '=')) != NULL; p++) {
        if ((size_t)(p - fmt) < key_len || memcmp(p - key_len, key, key_len) != 0 ||
            ((size_t)(p - fmt) > key_len && p[-(ptrdiff_t)key_len - 1] != ' '))
            continue;
        if (p[1] != '%')
            return false;
        const char *conversion = p + 2 + strspn(p + 2, "-+#0123456789.hljzt");
        return *conversion != '\0' && strchr("diufFeEgG", *conversion) != NULL;
    }
    return false;
}

static size_t digits(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

/* What every reader of JSON takes as a number, 64 bits of it. */
#define NUMBER_MAX_BYTES 18

/* Is TEXT a number as JSON writes them? ("nan" and a cut one are not.) */
static bool is_json_number(const char *text, size_t len)
{
    if (len > NUMBER_MAX_BYTES)
        return false;
    size_t i = len > 0 && text[0] == '-';
    size_t whole = digits(text + i, len - i);
    if (whole == 0 || (whole > 1 && text[i] == '0'))
        return false;
    i += whole;
    if (i < len && text[i] == '.') {
        size_t fraction = digits(text + i + 1, len - i - 1);
        if (fraction == 0)
            return false;
        i += 1 + fraction;
    }
    return i == len;
}

/* ---- the line ---- */

static size_t word_len(const char *text, size_t len, const char *ends)
{
    size_t n = 0;
    while (n < len && (text[n] == '\0' || strchr(ends, text[n]) == NULL))
        n++;
    return n;
}

static size_t put_value(struct json_out *out, const char *text, size_t len, bool numeric)
{
    if (len > 0 && text[0] == '"')
        return put_quoted(out, text, len);
    size_t n = word_len(text, len, " ");
    if (numeric && is_json_number(text, n))
        put(out, text, n);
    else
        put_string(out, text, n);
    return n;
}

size_t logfmt_to_json(const char *line, size_t len, const char *fmt, char *out_bytes,
                      size_t size)
{
    struct json_out out = {.bytes = out_bytes, .size = size};
    size_t at = word_len(line, len, " ");

    put(&out, "{\"time\":", 8);
    put_string(&out, line, at);
    while (at < len) {
        if (line[at] == ' ') {
            at++;
            continue;
        }
        size_t key = word_len(line + at, len - at, "= ");
        const char *name = line + at;
        at += key;
        put(&out, ",", 1);
        /* A word without "=" is what an unquoted value of two words left. */
        put_string(&out, key == 0 ? "_" : name, key == 0 ? 1 : key);
        put(&out, ":", 1);
        if (at < len && line[at] == '=')
            at++;
        else
            key = 0;
        if (key == 0 && (at == len || line[at] == ' '))
            put(&out, "\"\"", 2);
        else
            at += put_value(&out, line + at, len - at, is_numeric(fmt, name, key));
    }
    put(&out, "}", 1);
    return out.len;
}
