/* route.h - which call is which: the tables of both listeners.
 *
 * A route names method, path, who may call, how large the body may be, and the function
 * that starts the call (api_*.c) on a thread of the HTTP server. Nothing of one listener
 * is reachable on the other. */
#ifndef CONTROLPLANE_ROUTE_H
#define CONTROLPLANE_ROUTE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/str.h"

struct call;

enum route_access {
    ACCESS_OPEN,  /* anybody */
    ACCESS_ADMIN, /* the admin token */
    ACCESS_ENROL, /* an enrolment token */
    ACCESS_AGENT, /* an agent's certificate; the session lives by it (I10) */
};

enum route_flags {
    ROUTE_UNREGISTERED = 1,  /* an agent may call before it registered */
    ROUTE_OPTIONAL_BODY = 2, /* no body stands for {} */
    ROUTE_WAITS = 4,         /* parks by nature: not in the latency histogram */
};

struct route {
    const char *method;
    const char *path; /* at most one segment is "{id}" */
    enum route_access access;
    unsigned flags;
    size_t body_max; /* plain bytes */
    void (*start)(struct call *call);
};

/* Answers so far, by the first digit of the status. */
struct route_stats {
    atomic_uint_fast64_t by_class[6];
};

struct route_table {
    const char *name; /* "people" */
    const struct route *routes;
    size_t count;
    struct route_stats *stats; /* one a route */
};

extern const struct route_table people_table, agents_table;

enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Find METHOD PATH; HEAD reads as GET. Sets *INDEX and, if the path has one, *ID
 * (borrowed from PATH) when found; appends the methods there are to ALLOW when only the
 * method is wrong. */
enum route_result route_find(const struct route_table *table, const char *method,
                             const char *path, size_t *index, struct slice *id,
                             struct str *allow);

#endif
