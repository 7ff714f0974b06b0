/* backoff.c - exponential delays with jitter, from a seed, so that simulations repeat. */
#include "common/backoff.h"

#include "common/check.h"

void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t max_ms, uint64_t seed)
{
    ASSERT(base_ms > 0 && max_ms >= base_ms);
    backoff->base_ms = base_ms;
    backoff->max_ms = max_ms;
    backoff->attempt = 0;
    backoff->seed = seed;
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, zero too. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t backoff_next_ms(struct backoff *backoff)
{
    int64_t delay_ms = backoff->base_ms;
    for (unsigned i = 0; i < backoff->attempt && delay_ms < backoff->max_ms; i++)
        delay_ms = delay_ms > backoff->max_ms / 2 ? backoff->max_ms : delay_ms * 2;
    if (delay_ms < backoff->max_ms)
        backoff->attempt++;
    int64_t half_ms = delay_ms / 2;
    uint64_t spread = (uint64_t)(delay_ms - half_ms) + 1;
    return half_ms + (int64_t)(next_random(&backoff->seed) % spread);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempt = 0;
}
