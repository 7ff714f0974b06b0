/* backoff.h - delays between retries: exponential, with full jitter, capped. */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t base_ms;
    int64_t max_ms;
    /* private */
    unsigned attempt;
    uint64_t seed;
};

/* The first delay is in [base/2, base]; each further one doubles up to MAX_MS. */
void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t max_ms,
                  uint64_t seed);
int64_t backoff_next_ms(struct backoff *backoff);
void backoff_reset(struct backoff *backoff); /* after a success */

#endif
