/* vtime.h - virtual time and seeded chance for simulations: events run in order of their
 * time, those of one time in order of their making; nothing ever waits. */
#ifndef TESTS_LIB_VTIME_H
#define TESTS_LIB_VTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/list.h"

struct vtime {
    int64_t now_ms;
    struct list events;
    uint64_t random;
};

void vtime_init(struct vtime *time, uint64_t seed);
void vtime_fini(struct vtime *time); /* drops what is left */
/* Call RUN(arg) after DELAY_MS. */
void vtime_after(struct vtime *time, int64_t delay_ms, void (*run)(void *arg), void *arg);
/* Run the next event, unless it is later than UNTIL_MS; then false, and it is UNTIL_MS.
 */
bool vtime_step(struct vtime *time, int64_t until_ms);
bool vtime_idle(const struct vtime *time);

/* A number from 0 to N - 1. */
uint64_t vtime_random(struct vtime *time, uint64_t n);
bool vtime_chance(struct vtime *time, unsigned percent);

#endif
