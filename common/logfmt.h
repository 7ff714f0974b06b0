/* logfmt.h - the text of a log line: what may stand in it, and the same line as JSON.
 *
 * log.c's own. A line is "TIME KEY=VALUE KEY="VALUE" ..."; a quoted value has \" \\ and
 * \xNN, as log_quote writes them. Everything here takes any bytes. */
#ifndef COMMON_LOGFMT_H
#define COMMON_LOGFMT_H

#include <stddef.h>

/* The bytes of the UTF-8 character at TEXT (RFC 3629: no surrogates, no longer form than
 * needed), of which LEN > 0 are there; 0: it is none. */
size_t logfmt_utf8_len(const char *text, size_t len);

/* Put "?" in the place of each control byte, and of each byte that is no UTF-8. */
void logfmt_clean(char *line, size_t len);

/* The cleaned LINE as a JSON object into OUT, which has room for SIZE bytes, at least
 * LOGFMT_JSON_MAX(LEN) of them; returns its length. A value is a number if FMT, which the
 * pairs were printed with, says so ("bytes=%zu"), else a string: so a key's type does not
 * depend on the value, but for numbers of more than 18 characters. Escaped bytes that are
 * no UTF-8 become U+FFFD. */
size_t logfmt_to_json(const char *line, size_t len, const char *fmt, char *out,
                      size_t size);
/* At worst "a " becomes ",\"a\":\"\"". */
#define LOGFMT_JSON_MAX(len) (4 * (len) + 64)

#endif
