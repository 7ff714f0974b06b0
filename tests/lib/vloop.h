/* vloop.h - timers of common/loop.h in virtual time, for simulations of what stands on a
 * loop and uses nothing of it but timers.
 *
 * A program that is linked with --wrap for the functions below (see the Makefile) has all
 * its timers here: they fire in order of their time, those of one time in order of being
 * set, and the clock stands where the last one fired. There is one such loop. */
#ifndef TESTS_LIB_VLOOP_H
#define TESTS_LIB_VLOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"

struct loop *vloop(void); /* to be given to whoever wants one; never freed */
int64_t vloop_now_ms(void);
/* Fire the next timer, unless it is later than UNTIL_MS; then false, and it is UNTIL_MS.
 */
bool vloop_step(int64_t until_ms);
void vloop_reset(void); /* to a time soon after zero; no timer may be set */

#endif
