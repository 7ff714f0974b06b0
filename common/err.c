/* err.c - the table of err.def, and the texts that travel with a failure. */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
    bool retry;
    int http;
    int16_t kafka;
} rows[ERR_MAX] = {
    [ERR_OK] = {"OK", "success", false, 200, 0},
#define ERR(name, text, retry, http, kafka)                                              \
    [ERR_##name] = {#name, text, retry, http, kafka},
#include "common/err.def"
#undef ERR
};

static int known(int code)
{
    return code >= 0 && code < ERR_MAX ? code : ERR_INTERNAL;
}

/* Put ": TEXT" behind the first N bytes of ERR's text, cut to what fits. */
static void append(struct err *err, size_t n, const char *text)
{
    const char *parts[] = {": ", text};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t len = MIN(strlen(parts[i]), sizeof(err->text) - 1 - n);
        memcpy(err->text + n, parts[i], len);
        n += len;
    }
    err->text[n] = '\0';
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, fmt);
    err->code = code;
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return code;
}

static int errno_code(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    default:
        return ERR_IO;
    }
}

int err_set_errno(struct err *err, int errnum, const char *fmt, ...)
{
    int code = errno_code(errnum);
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, fmt);
    err->code = code;
    int n = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof(err->text)) {
        char buf[128];
        append(err, (size_t)n,
               errnum == EADDRINUSE
                   ? "another process has this port: stop it, or choose another port"
                   : strerror_r(errnum, buf, sizeof(buf)));
    }
    return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    char inner[ERR_TEXT_MAX];
    memcpy(inner, err->text, sizeof(inner));
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof(err->text))
        append(err, (size_t)n, inner);
    return err->code;
}

const char *err_name(int code)
{
    return rows[known(code)].name;
}

const char *err_text(int code)
{
    return rows[known(code)].text;
}

bool err_retriable(int code)
{
    return rows[known(code)].retry;
}

int err_http_status(int code)
{
    return rows[known(code)].http;
}

int16_t err_kafka(int code)
{
    return rows[known(code)].kafka;
}
