/* replica_lease.h - who may read by the clock, and who may vote meanwhile.
 *
 * A core: no clock, no Raft below it. replica*.c tell it what happened.
 *
 * The leader writes its clock into each append; a follower answers with the newest one.
 * What a majority of the voters has answered (the leader itself counts as now) is a time
 * at which all of them were followers of this leader, who do not vote for an election
 * timeout of theirs after it. So until that time plus the election timeout, less what
 * clocks may drift apart and one heartbeat, nobody else can be elected, but for
 *
 *  - a voter that restarted and has forgotten: it is deaf to vote requests for one
 *    election timeout from its start, but for what its leader permits after it;
 *  - a transfer, whose candidate may disrupt the leader. The leader gives its lease up
 *    before it permits that, with a number. If the transfer comes to nothing, the
 *    permission might still be on its way, in a process that was stopped say: so the
 *    appends say from then on that it is revoked, a voter that has seen this does not
 *    obey it any more, and only answers to those appends count for a new lease. */
#ifndef CONTROLPLANE_REPLICA_LEASE_H
#define CONTROLPLANE_REPLICA_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEASE_PEERS_MAX 32
#define LEASE_NONE      INT64_MIN
#define LEASE_FOREVER   INT64_MAX

struct lease {
    unsigned election_timeout_ms, heartbeat_ms;
    /* as leader */
    bool leading;
    uint64_t term;
    int64_t floor_ms;  /* only later clocks count */
    uint64_t transfer; /* the number of the last one begun in this term */
    uint64_t revoked;  /* of those that came to nothing */
    struct {
        uint64_t id;
        int64_t clock_ms; /* the newest it has answered */
    } peers[LEASE_PEERS_MAX];
    size_t peer_count;
    /* as follower, of the leader that was heard last */
    uint64_t heard_term, heard_revoked;
    int64_t heard_clock_ms; /* the newest of the leader's */
    int64_t heard_ms;       /* by our clock */
    /* what permits our candidacy to disrupt */
    uint64_t permit_term, permit;
    int64_t deaf_until_ms;
};

void lease_init(struct lease *lease, unsigned election_timeout_ms, unsigned heartbeat_ms,
                int64_t now_ms);

/* ---- the leader ---- */

void lease_lead(struct lease *lease, uint64_t term);
void lease_stop(struct lease *lease); /* leading */
void lease_answered(struct lease *lease, uint64_t id, int64_t clock_ms);
/* Permit a transfer: its number. The lease is over. */
uint64_t lease_transfer(struct lease *lease);
/* It came to nothing. */
void lease_revoke(struct lease *lease, int64_t now_ms);
bool lease_transferring(const struct lease *lease);
/* Until when this node, SELF, may read, with these voters: never if it is none of them.
 */
int64_t lease_end_ms(const struct lease *lease, uint64_t self, const uint64_t *voters,
                     size_t count);

/* ---- the follower ---- */

/* An append or install of the leader of TERM, which is not an older one. */
void lease_heard(struct lease *lease, uint64_t term, int64_t clock_ms, uint64_t revoked,
                 int64_t now_ms);
/* What to answer the leader of TERM; LEASE_NONE if it told none. */
int64_t lease_clock(const struct lease *lease, uint64_t term);
/* The leader of TERM permits us to disrupt it; false: that was revoked before. */
bool lease_permit(struct lease *lease, uint64_t term, uint64_t transfer);

/* What a vote request says of transfers. */
struct lease_request {
    bool disrupt;
    uint64_t transfer_term, transfer;
};
/* Whether it may be looked at at all, and as one that disrupts a leader: which it may by
 * permission, or when no leader was heard for an election timeout. */
bool lease_may_vote(const struct lease *lease, const struct lease_request *request,
                    int64_t now_ms);
bool lease_may_disrupt(const struct lease *lease, const struct lease_request *request,
                       int64_t now_ms);

#endif
