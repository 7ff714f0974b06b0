/* check.c - the end of a process that found itself wrong. */
#include "common/check.h"

#include <stdlib.h>

#include "common/log.h"

void check_failed(const char *expr, const char *file, int line, const char *func)
{
    char quoted[512];
    log_error("check", "assertion failed", "expr=%s at=%s:%d func=%s",
              log_quote(expr, quoted, sizeof(quoted)), file, line, func);
    abort();
}
