/* address.h - HOST:PORT texts, and the address that clients are told by default. */
#ifndef AGENT_ADDRESS_H
#define AGENT_ADDRESS_H

#include "common/defs.h"
#include "common/err.h"

#define ADDRESS_HOST_MAX 256

struct address {
    char host[ADDRESS_HOST_MAX]; /* without brackets; "" for all */
    int port;
};

/* "HOST:PORT", "[::1]:9092", ":9092"; without a port it is DEFAULT_PORT, or ERR_INVALID
 * when that is negative. NAME is the option's, for the text. */
int address_parse(const char *name, const char *text, int default_port,
                  struct address *address, struct err *err) MUST_CHECK;

/* Where clients reach a listener on LISTEN (its first item) with the real port PORT:
 * ADVERTISE if set; else the environment's POD_IP; else the address listened on; else,
 * when that is all, the first address of this machine that is not loopback. */
int address_advertised(const char *advertise, const char *listen, int port,
                       struct address *address, struct err *err) MUST_CHECK;

/* A bound, listening, non-blocking socket. ERR_* with a text that names the address. */
int address_listen(const char *name, const struct address *address, int *fd,
                   struct err *err) MUST_CHECK;
/* The port that FD is bound to. */
int address_port(int fd);

#endif
