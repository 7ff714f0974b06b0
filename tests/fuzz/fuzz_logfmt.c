/* fuzz_logfmt.c - what a log line may hold, since clients choose names that stand in it.
 *
 * Quoted, the bytes are one value of a line; unquoted, they are the line itself. Cleaned
 * and made JSON, either must be one object of strings and numbers on one line of UTF-8,
 * within the length that is promised. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/logfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_BYTES 4096

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* The end of the string or number at P. Both are judged by the JSON reader: keys may
 * come twice in an object, which that one refuses. */
static const char *skip_value(const char *p, const char *end)
{
    const char *begin = p;
    struct json *json = NULL;
    if (p < end && *p == '"') {
        for (p++; p < end && *p != '"'; p++)
            p += *p == '\\';
        p++;
    } else {
        while (p < end && (isdigit((unsigned char)*p) || strchr("-.", *p) != NULL))
            p++;
    }
    check(p <= end && json_parse(slice_of(begin, (size_t)(p - begin)), &json, NULL) == 0);
    json_free(json);
    return p;
}

static void check_object(const char *p, size_t len)
{
    const char *end = p + len;
    for (char before = '{'; p < end && *p == before; before = ',') {
        p = skip_value(p + 1, end);
        check(p < end && *p == ':');
        p = skip_value(p + 1, end);
    }
    check(p + 1 == end && *p == '}');
}

static void turn(char *line, size_t len, const char *fmt)
{
    static char json[LOGFMT_JSON_MAX(2 * LINE_MAX_BYTES)];
    logfmt_clean(line, len);
    size_t n = logfmt_to_json(line, len, fmt, json, LOGFMT_JSON_MAX(len));
    check_object(json, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[LINE_MAX_BYTES + 1], text[LINE_MAX_BYTES + 64];
    if (size > LINE_MAX_BYTES)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    memcpy(text, "t a=", 4);
    log_quote(line, text + 4, sizeof(text) - 4);
    turn(text, strlen(text), "a=%s");
    turn(line, size, "a=%d b=%zu c=%s d=%.1f");
    return 0;
}
