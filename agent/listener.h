/* listener.h - one listening socket: accepts, limits, hands over to a client thread.
 *
 * Sockets are bound by the caller of front_start, so that an address in use is its error;
 * accepting is done on the first client thread's loop. A connection above the limit is
 * accepted and closed at once: the client learns of it instead of waiting in a queue. */
#ifndef AGENT_LISTENER_H
#define AGENT_LISTENER_H

#include <stddef.h>

#include "agent/client_thread.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"

struct listener {
    struct front *front;
    int fd;
    int port;
    struct loop_io io;
    struct loop_timer retry; /* after a failure to accept, for want of descriptors */
    struct log_limit log;
    bool attached;
};

/* Bind every address of TEXT ("HOST:PORT,..."; "[::1]:9092"; an empty host is all). At
 * most MAX sockets. ERR_INVALID, or what the system said, with the address. */
int listener_bind_all(struct front *front, const char *text, struct listener *listeners,
                      size_t max, size_t *count, struct err *err) MUST_CHECK;
void listener_attach(struct listener *listener, struct loop *loop); /* loop's thread */
void listener_close(
    struct listener *listener); /* loop's thread if attached; twice is fine */

#endif
