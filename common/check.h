/* check.h - assertions that stay in the product.
 *
 * ASSERT is for our own faults: a state that the code promises never to reach. It logs
 * the expression and where, and aborts. A peer's fault is never an ASSERT but an ERR_*.
 */
#ifndef COMMON_CHECK_H
#define COMMON_CHECK_H

#include "common/defs.h"

#define ASSERT(cond)                                                                     \
    (LIKELY(cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__, __func__))

/* The magic number of a long-lived object is what it should be. */
#define ASSERT_MAGIC(obj, value) ASSERT((obj) != NULL && (obj)->magic == (value))

NORETURN void check_failed(const char *expr, const char *file, int line,
                           const char *func);

#endif
