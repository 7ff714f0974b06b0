/* stop_signal.h - SIGTERM and SIGINT while a program is still beginning.
 *
 * A program blocks them before it starts threads and takes them later, in order. What
 * takes long until then (a file that is waited for, a cell that is joined, a name server
 * that does not answer) looks here now and then and gives up: a first process of a
 * container is ended by no signal that it does not look at. */
#ifndef COMMON_STOP_SIGNAL_H
#define COMMON_STOP_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

/* Both of them. */
void stop_signal_set(sigset_t *signals);
/* Whether one of them, blocked, waits to be taken. Any thread. */
bool stop_signal_waits(void);

#endif
