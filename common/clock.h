/* clock.h - the two clocks. Cores never call these: they get `now` as a parameter. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); /* since 1970 UTC */

#endif
