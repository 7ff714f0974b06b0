/* name_query.h - names are looked up without holding anybody up.
 *
 * getaddrinfo() blocks for as long as name servers let it, tens of seconds where they
 * drop what they are asked, and nothing interrupts it. So it runs on a thread of its own,
 * which nobody joins: who asked may go at any time, and what is left frees itself.
 * Addresses in figures need no server and no thread.
 *
 * This is the only caller of getaddrinfo(); libcurl has threads of its own
 * (http_client.c). */
#ifndef COMMON_NAME_QUERY_H
#define COMMON_NAME_QUERY_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"

/* Lookups under way in a process; they are few, unless no server answers. */
#define NAME_QUERY_MAX 64
/* What something at the start may wait for a name server. */
#define NAME_QUERY_START_MS 10000

struct name_query;

/* HOST ("": the wildcard, by AI_PASSIVE) and PORT in figures, for a stream, with FLAGS of
 * getaddrinfo. NULL: too many are under way. */
struct name_query *name_query_start(const char *host, const char *port, int flags);
/* Whether the answer is there; waits up to WAIT_MS for it. */
bool name_query_done(struct name_query *query, int64_t wait_ms);
/* Once it is done: 0 and *LIST, freeaddrinfo() is the caller's; ERR_UNAVAILABLE: no
 * server answered; ERR_NOT_FOUND. Only once. */
int name_query_take(struct name_query *query, struct addrinfo **list,
                    struct err *err) MUST_CHECK;
/* Done or not. NULL is nothing. */
void name_query_free(struct name_query *query);

/* At once: 0 and *LIST if HOST is empty or an address in figures, else ERR_NOT_FOUND. */
int name_query_figures(const char *host, const char *port, int flags,
                       struct addrinfo **list) MUST_CHECK;

struct name_wait {
    int64_t limit_ms;
    bool (*stopped)(void *arg); /* looked at all the while; NULL: stop_signal_waits() */
    void *arg;
};

/* Block for an answer; ERR_TIMEOUT, ERR_CANCELLED, else as name_query_take. */
int name_query_now(const char *host, const char *port, int flags,
                   const struct name_wait *wait, struct addrinfo **list,
                   struct err *err) MUST_CHECK;

#endif
