/* defs.h - compiler attributes and the few macros that every file may use.
 *
 * Nothing here has state or touches the C library beyond <stddef.h>. Macros
 * hide no control flow. */
#ifndef COMMON_DEFS_H
#define COMMON_DEFS_H

#include <stddef.h>

/* The caller must look at the returned value. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* printf-like checking: FMT and ARGS count parameters from 1. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN               __attribute__((noreturn))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of TYPE that embeds *PTR as MEMBER. */
#define CONTAINER_OF(ptr, type, member)                                                  \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#endif
