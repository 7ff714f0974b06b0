/* membership.h - from the members that the state wants to the next single change.
 *
 * A core: the leader asks it again and again with what Raft knows (replica_servers()) and
 * what the state says (its table of nodes), does the one step that it names, and asks
 * again when that is committed. So there are never two changes at once, and a new leader
 * goes on where the old one was. Nothing is remembered between calls.
 *
 * The order: a lost node goes before another comes, because until then a majority must be
 * found among fewer; who comes is a standby first, and becomes a voter when it has nearly
 * the whole log and every voter knows of the last change; and then goes who answers still
 * and is to go. A leader that is to go hands over first. A step that could not be
 * committed, because too few voters answer, is not begun. */
#ifndef CONTROLPLANE_MEMBERSHIP_H
#define CONTROLPLANE_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/replica.h"

/* A node that is to be a member. */
struct membership_node {
    uint64_t id;
    const char *address; /* for peers */
    bool standby;        /* is not to become a voter, or is to be one no more */
};

struct membership_view {
    const struct replica_server *servers; /* as the leader sees them */
    size_t server_count;
    bool changing;       /* replica_changing() */
    uint64_t last_index; /* replica_last_index() */
    const struct membership_node *nodes;
    size_t node_count;
    unsigned election_timeout_ms;
    int64_t now_ms;
};

enum membership_kind {
    MEMBERSHIP_NOTHING,  /* all is as it should be */
    MEMBERSHIP_WAIT,     /* for what `reason` says */
    MEMBERSHIP_CHANGE,   /* replica_change() */
    MEMBERSHIP_TRANSFER, /* replica_transfer(0) */
};

struct membership_step {
    enum membership_kind kind;
    enum replica_change_kind change;
    uint64_t id;         /* of the node that it is about */
    const char *address; /* of ADD; borrowed from the view */
    const char *reason;  /* for the log and for people; static */
};

/* Entries that a node may lack to be promoted. replica_change() checks the same. */
#define MEMBERSHIP_LAG 256

/* What to do next. Only the leader may ask. */
struct membership_step membership_next(const struct membership_view *view);

#endif
