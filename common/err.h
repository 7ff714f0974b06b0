/* err.h - error codes and error texts.
 *
 * A function that can fail returns an int: 0, or one of the ERR_* codes of err.def.
 * Where a person will read about the failure, the last parameter is a struct err: the
 * place of failure sets it, outer layers wrap it with what they were doing, and
 * whoever handles it logs it once. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"

enum err_code {
    ERR_OK = 0,
#define ERR(name, text, retry, http, kafka) ERR_##name,
#include "common/err.def"
#undef ERR
    ERR_MAX
};

/* Room for the text of a struct err; longer texts are cut. */
#define ERR_TEXT_MAX 256

struct err {
    int code;
    char text[ERR_TEXT_MAX];
};

/* Store CODE and the formatted text in ERR (which may be NULL); returns CODE. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Like err_set with ": strerror(errnum)" appended; the code is ERR_NO_SPACE for ENOSPC
 * and EDQUOT, ERR_NOT_FOUND for ENOENT, ERR_EXISTS for EEXIST, else ERR_IO. */
int err_set_errno(struct err *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Put "formatted: " in front of the text of ERR (may be NULL); returns ERR's code,
 * or CODE as given when ERR is NULL. */
int err_wrap(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What err.def says of CODE. Unknown codes read as ERR_INTERNAL. */
const char *err_name(int code); /* "NOT_FOUND" */
const char *err_text(int code); /* "no such thing" */
bool err_retriable(int code);
int err_http_status(int code);
int16_t err_kafka(int code);

#endif
