/* log.c - logfmt lines on standard error.
 *
 * A line is put together on the stack and leaves by one write(2), so that lines of many
 * threads do not mix; what is longer than LINE_MAX_BYTES is cut and ends in "...". */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static atomic_int min_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

int log_parse_level(const char *text, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

/* Append to the line; N grows to LINE_MAX_BYTES at most, which marks a cut. */
PRINTF_LIKE(3, 0)
static void append(char *line, size_t *n, const char *fmt, va_list args)
{
    if (*n >= LINE_MAX_BYTES)
        return;
    int added = vsnprintf(line + *n, LINE_MAX_BYTES - *n, fmt, args);
    if (added > 0)
        *n = MIN(*n + (size_t)added, LINE_MAX_BYTES);
}

PRINTF_LIKE(3, 4)
static void appendf(char *line, size_t *n, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    append(line, n, fmt, args);
    va_end(args);
}

static void append_time(char *line, size_t *n)
{
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    appendf(line, n, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
            tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
            (int)(ts.tv_nsec / 1000000));
}

void log_write(enum log_level level, const char *module, const char *msg, const char *fmt,
               ...)
{
    char line[LINE_MAX_BYTES + 1];
    char quoted[512];
    size_t n = 0;
    int saved_errno = errno;

    if (!log_enabled(level))
        return;
    append_time(line, &n);
    appendf(line, &n, " level=%s module=%s msg=%s", level_names[level], module,
            log_quote(msg, quoted, sizeof(quoted)));
    if (fmt[0] != '\0') {
        appendf(line, &n, " ");
        va_list args;
        va_start(args, fmt);
        append(line, &n, fmt, args);
        va_end(args);
    }
    if (n == LINE_MAX_BYTES)
        memcpy(line + n - 4, "...", 3), n--;
    /* One event is one line, whatever a value brought along. */
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; /* there is nobody left to tell */
    errno = saved_errno;
}

const char *log_quote(const char *text, char *buf, size_t size)
{
    size_t n = 0;
    if (size < 3)
        return "";
    buf[n++] = '"';
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool escape = c == '"' || c == '\\';
        bool control = c < 0x20 || c == 0x7f;
        /* Room for this byte's form, the closing quote and the NUL. */
        if (n + (control ? 4u : escape ? 2u : 1u) + 2 > size)
            break;
        if (control) {
            n += (size_t)snprintf(buf + n, size - n, "\\x%02x", c);
        } else {
            if (escape)
                buf[n++] = '\\';
            buf[n++] = *p;
        }
    }
    buf[n++] = '"';
    buf[n] = '\0';
    return buf;
}

bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint64_t *dropped)
{
    if (now_ms < limit->next_at_ms) {
        limit->dropped++;
        return false;
    }
    *dropped = limit->dropped;
    limit->dropped = 0;
    limit->next_at_ms = now_ms + limit->interval_ms;
    return true;
}
