/* route.h - which call is which: the tables of both listeners.
 *
 * A route names method, path, who may call, what the audit log calls it, how large the
 * body may be, and the function that starts the call (api_*.c) on a thread of the HTTP
 * server. Nothing of one listener is reachable on the other. proto/openapi.json describes
 * every row of the people's table (tests/system/test_rest.py holds them together). */
#ifndef CONTROLPLANE_ROUTE_H
#define CONTROLPLANE_ROUTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/str.h"

struct call;

enum route_access {
    ACCESS_OPEN,     /* anybody */
    ACCESS_VIEWER,   /* an API token of any role */
    ACCESS_ADMIN,    /* ... of the role admin or operator */
    ACCESS_OPERATOR, /* ... of the role operator */
    ACCESS_ENROL,    /* an enrolment token */
    ACCESS_JOIN,     /* a join token */
    ACCESS_NODE,     /* the certificate of a node of this cell */
    ACCESS_AGENT,    /* an agent's certificate; the session lives by it (I10) */
};

enum route_flags {
    ROUTE_UNREGISTERED = 1,  /* an agent may call before it registered */
    ROUTE_OPTIONAL_BODY = 2, /* no body stands for {} */
    ROUTE_WAITS = 4,         /* parks by nature: not in the latency histogram */
    ROUTE_DELETING = 8,      /* also of a cluster that is being deleted */
    ROUTE_ANY_NODE = 32,     /* answered by a node that may not read, too */
    ROUTE_OWN_TURNS = 64,    /* takes its turns by itself: turns.h */
    ROUTE_NO_HEAD = 16,      /* a GET whose answer costs too much to be thrown away */
};

struct route {
    const char *method;
    const char *path; /* "{cluster}" and one other "{...}" at most */
    enum route_access access;
    unsigned flags;
    size_t body_max; /* plain bytes */
    void (*start)(struct call *call);
    const char *action; /* "topic.create" for the audit log; NULL: changes nothing */
};

/* Is it for people, by an API token? */
static inline bool route_wants_person(const struct route *route)
{
    return route->access == ACCESS_VIEWER || route->access == ACCESS_ADMIN ||
           route->access == ACCESS_OPERATOR;
}

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

struct route_match {
    size_t index;
    struct slice cluster; /* of "{cluster}", borrowed from the path; null without one */
    struct slice id;      /* of the other one */
};

/* Find METHOD PATH; HEAD reads as GET. Sets *MATCH when found; appends the methods there
 * are to ALLOW when only the method is wrong. */
enum route_result route_find(const struct route_table *table, const char *method,
                             const char *path, struct route_match *match,
                             struct str *allow);

#endif
