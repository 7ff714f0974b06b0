/* quota.h - requests per second, for each cluster and each credential: token buckets.
 *
 * call.c asks before it reads a body, on a thread of the HTTP server, so that a flood
 * costs little; so a quota may be called from any thread. It has no clock: NOW_MS is
 * monotonic. A bucket holds up to one second's worth, and is forgotten when it is full
 * again; their number is bounded (I12), and all for whom there is no room share one. */
#ifndef CONTROLPLANE_QUOTA_H
#define CONTROLPLANE_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/uuid.h"

struct quota;

#define QUOTA_ENTRIES_MAX 65536

/* RATE: requests per second of whom no other rate was set; 0: without limit. */
struct quota *quota_new(uint32_t rate, size_t entries_max);
void quota_free(struct quota *quota); /* NULL is fine */

/* From now on WHO may make RATE requests per second (0: without limit). */
void quota_set_rate(struct quota *quota, const struct uuid *who, uint32_t rate,
                    int64_t now_ms);
/* Take one request. Returns 0, or after how many ms (> 0) there is room for one. */
int64_t quota_take(struct quota *quota, const struct uuid *who,
                   int64_t now_ms) MUST_CHECK;
size_t quota_count(const struct quota *quota);

#endif
