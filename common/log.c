/* log.c - lines on standard error, and the last of them in memory.
 *
 * A line is put together on the stack as logfmt, made JSON if that is wanted
 * (common/logfmt.h), and leaves by one write(2), so that lines of many threads do not
 * mix; what is longer than LINE_MAX_BYTES is cut and ends in "...". The lines kept are a
 * ring of bytes, whose oldest line may have lost its beginning and is then not shown. */
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/logfmt.h"

#define LINE_MAX_BYTES 4096

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};
static atomic_int min_level = LOG_INFO;
static atomic_int line_format = LOG_LOGFMT;

static struct {
    pthread_mutex_t lock;
    char bytes[LOG_RECENT_BYTES];
    uint64_t written; /* of all time; the next byte goes to this modulo the size */
} recent = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int find_name(const char *const *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    }
    return -1;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
}

int log_parse_level(const char *text, enum log_level *level)
{
    int found = find_name(level_names, ARRAY_LEN(level_names), text);
    if (found < 0)
        return ERR_INVALID;
    *level = (enum log_level)found;
    return 0;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&line_format, (int)format, memory_order_relaxed);
}

int log_parse_format(const char *text, enum log_format *format)
{
    int found = find_name(format_names, ARRAY_LEN(format_names), text);
    if (found < 0)
        return ERR_INVALID;
    *format = (enum log_format)found;
    return 0;
}

/* ---- the last lines ---- */

static void keep(const char *line, size_t len)
{
    pthread_mutex_lock(&recent.lock);
    for (size_t done = 0; done < len;) {
        size_t at = (size_t)(recent.written % sizeof(recent.bytes));
        size_t n = MIN(len - done, sizeof(recent.bytes) - at);
        memcpy(recent.bytes + at, line + done, n);
        recent.written += n;
        done += n;
    }
    pthread_mutex_unlock(&recent.lock);
}

void log_recent(struct str *out)
{
    size_t begin = out->len;
    pthread_mutex_lock(&recent.lock);
    bool full = recent.written > sizeof(recent.bytes);
    size_t at = (size_t)(recent.written % sizeof(recent.bytes));
    if (full)
        str_append(out, recent.bytes + at, sizeof(recent.bytes) - at);
    str_append(out, recent.bytes, at);
    pthread_mutex_unlock(&recent.lock);
    if (!full || out->overflowed)
        return;
    /* What is left of the oldest line goes. */
    const char *end = memchr(out->data + begin, '\n', out->len - begin);
    size_t lost = end == NULL ? out->len - begin : (size_t)(end + 1 - out->data) - begin;
    memmove(out->data + begin, out->data + begin + lost, out->len - begin - lost);
    str_truncate(out, out->len - lost);
}

/* ---- a line ---- */

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

/* LINE has room for a line end behind its LEN bytes. */
static void put_out(char *line, size_t len)
{
    line[len++] = '\n';
    keep(line, len);
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; /* there is nobody left to tell */
}

static void put_out_json(const char *line, size_t len, const char *fmt)
{
    char json[LOGFMT_JSON_MAX(LINE_MAX_BYTES) + 1];
    put_out(json, logfmt_to_json(line, len, fmt, json, sizeof(json) - 1));
}

void log_write(enum log_level level, const char *module, const char *msg, const char *fmt,
               ...)
{
    char line[LINE_MAX_BYTES + 1], quoted[512];
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
    /* One event is one line of text, whatever a value brought along. */
    logfmt_clean(line, n);
    if (atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON)
        put_out_json(line, n, fmt);
    else
        put_out(line, n);
    errno = saved_errno;
}

void log_last_words(const char *program, const char *text)
{
    char line[LINE_MAX_BYTES + 1], quoted[2 * ERR_TEXT_MAX];
    size_t n = 0;

    if (atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON) {
        log_error("main", "cannot go on", "err=%s",
                  log_quote(text, quoted, sizeof(quoted)));
        return;
    }
    appendf(line, &n, "%s: %s", program, text);
    n = MIN(n, (size_t)LINE_MAX_BYTES - 1);
    logfmt_clean(line, n);
    put_out(line, n);
}

const char *log_quote(const char *text, char *buf, size_t size)
{
    size_t n = 0;
    if (size < 3)
        return "";
    buf[n++] = '"';
    for (const char *p = text; *p != '\0';) {
        unsigned char c = (unsigned char)*p;
        size_t len = logfmt_utf8_len(p, strnlen(p, 4));
        bool escape = c == '"' || c == '\\';
        bool raw = len > 0 && c >= 0x20 && c != 0x7f;
        /* Room for this character's form, the closing quote and the NUL. */
        if (n + (!raw ? 4u : escape ? 2u : len) + 2 > size)
            break;
        if (raw) {
            if (escape)
                buf[n++] = '\\';
            memcpy(buf + n, p, len);
            n += len;
            p += len;
        } else {
            n += (size_t)snprintf(buf + n, size - n, "\\x%02x", c);
            p++;
        }
    }
    buf[n++] = '"';
    buf[n] = '\0';
    return buf;
}

/* ---- how often ---- */

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

/* Two threads that begin a second together may let a line more pass, which is as well. */
bool log_burst_pass(struct log_burst *burst, int64_t now_ms, uint64_t *dropped)
{
    int64_t second = now_ms / 1000 + 1; /* 0 is none */
    if (atomic_exchange(&burst->second, second) != second)
        atomic_store(&burst->used, 0);
    if (atomic_fetch_add(&burst->used, 1) >= burst->lines) {
        atomic_fetch_add(&burst->dropped, 1);
        return false;
    }
    *dropped = atomic_exchange(&burst->dropped, 0);
    return true;
}
