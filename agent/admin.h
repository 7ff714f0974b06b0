/* admin.h - a small HTTP server for /healthz, /readyz, /metrics and, on this machine,
 * /logs.
 *
 * On one loop. GET only, one request a connection, no body; connections, header bytes and
 * time are bounded, so that whoever reaches the port can do no harm with it. Says nothing
 * about records; what names clients is for who asks from this machine (or through
 * `kubectl port-forward`), which LOCAL tells. */
#ifndef AGENT_ADMIN_H
#define AGENT_ADMIN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/str.h"

struct admin;

/* Fill BODY for PATH and return the HTTP status; 404 for what is not known. */
typedef int admin_handler_fn(const char *path, bool local, struct str *body, void *arg);

/* Serve on LISTEN ("HOST:PORT"; port 0: a free one). */
int admin_new(struct loop *loop, const char *listen, admin_handler_fn *handler, void *arg,
              struct admin **admin, struct err *err) MUST_CHECK;
int admin_port(const struct admin *admin);
/* Is PEER a loopback address? */
bool admin_is_local(const struct sockaddr_storage *peer);
void admin_free(struct admin *admin); /* NULL is fine */

#endif
