/* peer_net.h - addresses and sockets of the peers' transport. Used by peers.c and
 * peer_snapshot.c. */
#ifndef CONTROLPLANE_PEER_NET_H
#define CONTROLPLANE_PEER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/name_query.h"

/* Room for "[v6 address]:port" and for a name as long as DNS allows. */
#define PEER_ADDRESS_BYTES 272

struct peer_sockaddr {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Look "host:port" up. An address in figures is FOUND at once, *QUERY is then NULL; for a
 * name *QUERY is on its way. */
int peer_query_start(const char *address, struct peer_sockaddr *found,
                     struct name_query **query, struct err *err) MUST_CHECK;
/* The end of a QUERY that is done: frees it. Of several addresses the one with number
 * ATTEMPT, in rotation. ERR_UNAVAILABLE: no name server answered. */
int peer_query_take(struct name_query *query, unsigned attempt,
                    struct peer_sockaddr *found, struct err *err) MUST_CHECK;
/* Look "host:port" up, and block for WAIT at the most. */
int peer_resolve(const char *address, const struct name_wait *wait,
                 struct peer_sockaddr *found, struct err *err) MUST_CHECK;
/* A socket that is being connected and does not block. */
int peer_connect(const struct peer_sockaddr *to, int *fd, struct err *err) MUST_CHECK;
/* Whether the connection of a socket that became writable was made. */
int peer_connected(int fd, struct err *err) MUST_CHECK;
/* A listening socket; PRINTED is where, with the port that was taken. A name is waited
 * for some seconds. */
int peer_listen(const char *address, int *fd, char printed[PEER_ADDRESS_BYTES],
                struct err *err) MUST_CHECK;
/* The next connection, or -1. FROM says whose. */
int peer_accept(int listen_fd, char from[PEER_ADDRESS_BYTES]);

#endif
