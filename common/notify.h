/* notify.h - tell the service manager how we are: sd_notify(3) without its library.
 *
 * One datagram to the socket that $NOTIFY_SOCKET names, which systemd sets for a unit of
 * Type=notify. Nothing happens without one, so that main programs call this always. Any
 * thread; blocks no longer than the manager takes to read its socket. */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

#include <stdint.h>

/* One line for `systemctl status`; no line end in it. */
void notify_status(const char *text);
/* The start is complete: units that come after us may start. */
void notify_ready(void);
/* An orderly end has begun, which takes WITHIN_MS at the most: the manager waits for so
 * long, whatever TimeoutStopSec= says. 0: as long as the unit says. */
void notify_stopping(int64_t within_ms);

#endif
