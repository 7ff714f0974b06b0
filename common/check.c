/* check.c - the end of a process that found itself wrong. */
#include "common/check.h"

#include <stdlib.h>

#include "common/log.h"

void check_failed(const char *expr, const char *file, int line, const char *func)
{
    log_error("check", "assertion failed", "expr=%s at=%s:%d func=%s", LOG_QUOTED(expr),
              file, line, func);
    abort();
}
