/* duplicates.h - which names of a request's list occur more than once.
 *
 * Kafka refuses every mention of such a name, not only the second one. */
#ifndef AGENT_DUPLICATES_H
#define AGENT_DUPLICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/slice.h"

/* *MARKED gets an array of N out of ARENA: true for each of NAMES (null ones apart) that
 * stands there more than once. Returns 0 or ERR_TOO_LARGE. */
int duplicates_find(const struct slice *names, size_t n, struct arena *arena,
                    bool **marked) MUST_CHECK;

#endif
