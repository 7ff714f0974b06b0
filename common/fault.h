/* fault.h - named points where a test can make a process fail.
 *
 * In a build without WEFT_FAULTS the points cost nothing: FAULT_POINT is empty and
 * FAULT_ERROR is false. With WEFT_FAULTS the environment variable WEFT_FAULT lists, with
 * commas, what shall happen and when:
 *
 *   name:N          at the N-th pass (from 1) of point `name`: SIGKILL to ourselves
 *   name:N:kill     the same
 *   name:N:error    FAULT_ERROR("name") is true at that pass
 *   name:N:sleep=MS the pass takes MS milliseconds longer
 *
 * N may be `*`: every pass. A WEFT_FAULT that cannot be read stops the process at its
 * first point, so that a misspelt test does not pass. Points may be passed by any thread.
 */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

#ifdef WEFT_FAULTS

#define FAULT_POINT(name) ((void)fault_pass(name))
#define FAULT_ERROR(name) fault_pass(name)

/* Count a pass of NAME and do what WEFT_FAULT asks; true for the action `error`. */
bool fault_pass(const char *name);
/* How often NAME was passed so far. */
uint64_t fault_passes(const char *name);
/* Append "name count" lines of all points that were passed. */
void fault_print(struct str *out);
/* Read TEXT in place of the environment and forget all counts (unit tests). */
int fault_configure(const char *text) MUST_CHECK;

#else

#define FAULT_POINT(name) ((void)0)
#define FAULT_ERROR(name) false

#endif

#endif
