/* service.h - the service side of the control plane: owns every part, starts and stops
 * them in order, and does what no call asks for: ending sessions, waking watchers,
 * renewing our certificate. */
#ifndef CONTROLPLANE_SERVICE_H
#define CONTROLPLANE_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/prices.h"
#include "controlplane/backup.h"
#include "controlplane/cell.h"
#include "controlplane/feed.h"
#include "controlplane/group_timers.h"
#include "controlplane/http_server.h"
#include "controlplane/members.h"
#include "controlplane/node.h"
#include "controlplane/node_certificates.h"
#include "controlplane/options.h"
#include "controlplane/quota.h"
#include "controlplane/sessions.h"
#include "controlplane/trust.h"
#include "controlplane/turns.h"

/* Constant between service_start and service_stop but for what it says. */
struct service {
    const struct control_options *options;
    struct cell_addresses addresses;
    struct cell_self cell; /* its identity: main thread */
    struct trust *trust;   /* the cell's */
    struct node *node;
    struct backup *backup; /* NULL without --backup-to */
    struct prices *prices; /* of object stores */
    struct budget budget;  /* of request bodies */
    /* requests per second, of each cluster and of each API token; any thread */
    struct quota *cluster_quota, *token_quota;
    struct http_server *people, *agents;
    char *people_url, *agents_url;
    int64_t renew_not_before_ms; /* main thread */
    uint64_t trust_version;      /* main thread: that our certificate was made under */
    struct command founding;     /* CELL_INIT, borrows from the identity */
    atomic_uint_fast64_t trust_index; /* of the state that trust was loaded from */
    uint64_t least_index;             /* an older state's CAs are not taken */
    atomic_uint_fast64_t turned_away; /* agents, by their listener, so far */
    atomic_int ended; /* not 0: the exit status that the process shall end with */
    /* core thread */
    struct feed *feed;
    struct sessions *sessions;
    struct group_timers *group_timers;
    struct coordinator *coordinator; /* of those */
    struct turns *turns;             /* of commits */
    struct turns *call_turns;        /* of other calls */
    struct loop_timer turns_timer, call_turns_timer;
    struct members *members;
    struct node_certificates certificates; /* of the nodes */
    uint64_t turned_away_seen;
    size_t cas_seen; /* what trust was loaded with */
    struct uuid ca_seen;
    struct loop_timer sweep;
    struct loop_deferred deliver;
    bool attached, leased, stopping;
};

/* Exit status of a node that is no member of its cell any more. */
#define SERVICE_REMOVED 3
/* ... and of one that cannot go on: a disk that does not keep the vote, a program that is
 * too old for its cell. */
#define SERVICE_FATAL 4

/* Start all: identity (which may found or join a cell), node, listeners; write the
 * addresses file. OPTIONS must outlive the service. */
int service_start(const struct control_options *options, struct service **service,
                  struct err *err) MUST_CHECK;
/* Every second, main thread: cut off clients that are too slow; renew our certificate at
 * two thirds of its life, or when the cell has another CA. */
void service_tend(struct service *service, int64_t wall_ms, int64_t monotonic_ms);
/* Hand leadership over, refuse new calls, let those in progress end, stop the node, free.
 */
void service_stop(struct service *service);

#endif
