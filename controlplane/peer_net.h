/* peer_net.h - addresses and sockets of the peers' transport. Used by peers.c and
 * peer_snapshot.c. */
#ifndef CONTROLPLANE_PEER_NET_H
#define CONTROLPLANE_PEER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "common/err.h"

/* Room for "[v6 address]:port" and for a name as long as DNS allows. */
#define PEER_ADDRESS_BYTES 272

struct peer_sockaddr {
    struct sockaddr_storage address;
    socklen_t len;
};

/* Look "host:port" up; may block for seconds unless NUMERIC (then ERR_NOT_FOUND for
 * names). Of several addresses the one with number ATTEMPT, in rotation. */
int peer_resolve(const char *address, bool numeric, unsigned attempt,
                 struct peer_sockaddr *found, struct err *err) MUST_CHECK;
/* A socket that is being connected and does not block. */
int peer_connect(const struct peer_sockaddr *to, int *fd, struct err *err) MUST_CHECK;
/* Whether the connection of a socket that became writable was made. */
int peer_connected(int fd, struct err *err) MUST_CHECK;
/* A listening socket; PRINTED is where, with the port that was taken. */
int peer_listen(const char *address, int *fd, char printed[PEER_ADDRESS_BYTES],
                struct err *err) MUST_CHECK;
/* The next connection, or -1. FROM says whose. */
int peer_accept(int listen_fd, char from[PEER_ADDRESS_BYTES]);

#endif
