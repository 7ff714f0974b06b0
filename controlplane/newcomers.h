/* newcomers.h - how many may have connected and not asked anything yet: of all, and of
 * one address.
 *
 * A handshake costs a server's thread a millisecond, and longer to a client that waits
 * its turn; so when thousands connect at once, all of them wait until they give up, and
 * their next attempt is one more. Who is turned away at the door comes again after a
 * while, and those inside get through. One address has a share of it only, so that nobody
 * keeps the others out by standing there.
 *
 * How many may be inside depends on what the machine can do: whoever took longer than
 * NEWCOMERS_SLOW_MS to ask something, or gave up after so long, halves it, and whoever
 * was quick makes it one more. So those inside are served before they give up, on any
 * machine. The clock is the caller's, and monotonic. Any thread. Used by http_server.c.
 */
#ifndef CONTROLPLANE_NEWCOMERS_H
#define CONTROLPLANE_NEWCOMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/defs.h"

struct newcomers;

/* Where somebody comes from: an IPv6 address, or an IPv4 one mapped into it. */
struct newcomers_place {
    uint8_t bytes[16];
};
/* Zero for other families, and for NULL. */
struct newcomers_place newcomers_place_of(const struct sockaddr *address);

#define NEWCOMERS_SLOW_MS 500
#define NEWCOMERS_LEAST   32 /* are let in however slow it is; fewer if MAX is less */
#define NEWCOMERS_CALM_MS                                                                \
    10000 /* after so long without a slow one, all MAX are again                         \
           */

/* At most MAX, and of one address the EACH_PART-th part of what may be at the time. */
struct newcomers *newcomers_new(size_t max, size_t each_part);
void newcomers_free(struct newcomers *newcomers); /* NULL is fine */

/* May one more from PLACE come in? Counted as turned away if not. */
bool newcomers_admit(struct newcomers *newcomers, const struct newcomers_place *place,
                     int64_t now_ms) MUST_CHECK;
/* One has come in, whether it was asked for or not; it must leave. */
void newcomers_enter(struct newcomers *newcomers, const struct newcomers_place *place);
/* It is a newcomer no more: after STAYED_MS it has asked something, or is gone. */
void newcomers_leave(struct newcomers *newcomers, const struct newcomers_place *place,
                     int64_t stayed_ms, int64_t now_ms);
/* ... for it was idle, and was cut off: that tells nothing of how fast we are. */
void newcomers_expel(struct newcomers *newcomers, const struct newcomers_place *place);

size_t newcomers_count(struct newcomers *newcomers);
size_t newcomers_limit(struct newcomers *newcomers); /* how many may be now */
uint64_t newcomers_turned_away(struct newcomers *newcomers);

#endif
