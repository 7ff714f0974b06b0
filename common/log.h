/* log.h - one line per event on standard error, as logfmt or as JSON.
 *
 *   2026-01-02T03:04:05.678Z level=warn module=store msg="put failed" key=... err="..."
 *   {"time":"2026-01-02T03:04:05.678Z","level":"warn","module":"store","msg":"put
 * failed", "key":"...","err":"..."}
 *
 * KEY=VALUE pairs follow the message as formatted text; values that hold spaces or
 * quotes are written with log_quote. Never log payload, keys, tokens or private keys: the
 * last lines are also kept in memory, and shown to whoever may ask for them. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"

/* "" as FMT means no pairs, and is no oversight. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_set_level(enum log_level level);
int log_parse_level(const char *text, enum log_level *level) MUST_CHECK;
bool log_enabled(enum log_level level);
void log_set_format(enum log_format format);
int log_parse_format(const char *text, enum log_format *format) MUST_CHECK;

/* MODULE is a short noun ("store"); MSG a fixed sentence; FMT the further pairs
 * ("key=%s bytes=%zu") or "". Thread-safe; one write(2) per line. */
void log_write(enum log_level level, const char *module, const char *msg, const char *fmt,
               ...) PRINTF_LIKE(4, 5);

#define log_debug(module, msg, ...)                                                      \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, module, msg, __VA_ARGS__) : (void)0)
#define log_info(module, msg, ...)  log_write(LOG_INFO, module, msg, __VA_ARGS__)
#define log_warn(module, msg, ...)  log_write(LOG_WARN, module, msg, __VA_ARGS__)
#define log_error(module, msg, ...) log_write(LOG_ERROR, module, msg, __VA_ARGS__)

/* Why PROGRAM ends, for people: "PROGRAM: TEXT", or as JSON an error like any other. */
void log_last_words(const char *program, const char *text);

/* TEXT in double quotes with quotes, backslashes, control bytes and what is no UTF-8
 * escaped, cut to what fits; returns BUF. */
const char *log_quote(const char *text, char *buf, size_t size);
/* The same for the arguments of a line, to a "%s" without quotes. */
#define LOG_QUOTED(text) log_quote((text), (char[LOG_QUOTED_MAX]){0}, LOG_QUOTED_MAX)
#define LOG_QUOTED_MAX   1024

/* The lines written last, oldest first, as they were written; LOG_RECENT_BYTES of them at
 * most. Thread-safe. */
void log_recent(struct str *out);
#define LOG_RECENT_BYTES ((size_t)256 * 1024)

/* At most one line per INTERVAL_MS from one place; counts what it drops. */
struct log_limit {
    int64_t interval_ms;
    /* private */
    int64_t next_at_ms;
    uint64_t dropped;
};
/* True if the caller may log now; *DROPPED is how many were held back since. */
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint64_t *dropped);

/* The same for a place where many threads log: LINES a second. */
struct log_burst {
    uint64_t lines;
    /* private */
    atomic_int_fast64_t second;
    atomic_uint_fast64_t used, dropped;
};
bool log_burst_pass(struct log_burst *burst, int64_t now_ms, uint64_t *dropped);

#endif
