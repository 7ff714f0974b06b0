/* log.h - logfmt lines on standard error, one per event.
 *
 *   2026-01-02T03:04:05.678Z level=warn module=store msg="put failed" key=... err="..."
 *
 * KEY=VALUE pairs follow the message as formatted text; values that hold spaces or
 * quotes are written with log_quote. Never log payload, keys, tokens or private keys. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/err.h"

/* "" as FMT means no pairs, and is no oversight. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
int log_parse_level(const char *text, enum log_level *level) MUST_CHECK;
bool log_enabled(enum log_level level);

/* MODULE is a short noun ("store"); MSG a fixed sentence; FMT the further pairs
 * ("key=%s bytes=%zu") or "". Thread-safe; one write(2) per line. */
void log_write(enum log_level level, const char *module, const char *msg, const char *fmt,
               ...) PRINTF_LIKE(4, 5);

#define log_debug(module, msg, ...)                                                      \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, module, msg, __VA_ARGS__) : (void)0)
#define log_info(module, msg, ...)  log_write(LOG_INFO, module, msg, __VA_ARGS__)
#define log_warn(module, msg, ...)  log_write(LOG_WARN, module, msg, __VA_ARGS__)
#define log_error(module, msg, ...) log_write(LOG_ERROR, module, msg, __VA_ARGS__)

/* TEXT in double quotes with quotes, backslashes and control bytes escaped, cut to what
 * fits; returns BUF. */
const char *log_quote(const char *text, char *buf, size_t size);

/* At most one line per INTERVAL_MS from one place; counts what it drops. */
struct log_limit {
    int64_t interval_ms;
    /* private */
    int64_t next_at_ms;
    uint64_t dropped;
};
/* True if the caller may log now; *DROPPED is how many were held back since. */
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint64_t *dropped);

#endif
