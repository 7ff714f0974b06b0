/* format.h - values as people read them: bytes, times, ages. No I/O, no clock. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdint.h>

#include "cli/command.h"
#include "common/json.h"
#include "common/str.h"

/* "1.5 GiB", "0 B" */
void format_bytes(int64_t bytes, struct str *out);
/* "850ms", "42s", "5m", "3h", "12d": the largest unit that says enough */
void format_duration(int64_t ms, struct str *out);
/* "2026-01-31 10:00:00", UTC */
void format_time(int64_t at_ms, struct str *out);

/* The member of OBJECT that PATH ("a.b", or "a.b|c": the first that is there and not
 * null) names, or NULL. */
const struct json *format_find(const struct json *object, const char *path);
/* Append the text of VALUE as CELL wants it; "-" for what is absent or null. */
void format_cell(const struct json *value, enum cell cell, int64_t now_ms,
                 struct str *out);
bool format_is_right(enum cell cell);

/* Append TEMPLATE with each "{name}" replaced by LOOKUP(name, arg): NULL leaves the
 * braces as they are. ESCAPE: percent-escape what is filled in, for a URL's path. */
void format_fill(const char *template, const char *(*lookup)(const char *name, void *arg),
                 void *arg, bool escape, struct str *out);
/* Percent-escape TEXT (RFC 3986, all but unreserved characters). */
void format_escape(const char *text, struct str *out);

#endif
