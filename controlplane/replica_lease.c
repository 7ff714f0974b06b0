/* replica_lease.c - see replica_lease.h. */
#include "controlplane/replica_lease.h"

#include "common/check.h"
#include "common/defs.h"
#include "controlplane/replica.h"

void lease_init(struct lease *lease, unsigned election_timeout_ms, unsigned heartbeat_ms,
                int64_t now_ms)
{
    *lease = (struct lease){.election_timeout_ms = election_timeout_ms,
                            .heartbeat_ms = heartbeat_ms,
                            .heard_clock_ms = LEASE_NONE,
                            .deaf_until_ms = now_ms + election_timeout_ms};
}

/* ---- the leader ---- */

void lease_lead(struct lease *lease, uint64_t term)
{
    lease->leading = true;
    lease->term = term;
    lease->floor_ms = LEASE_NONE;
    lease->transfer = lease->revoked = 0;
    lease->peer_count = 0;
}

void lease_stop(struct lease *lease)
{
    lease->leading = false;
}

/* The peer ID's place; when all are taken, that of the one answered longest ago. */
static size_t find_peer(struct lease *lease, uint64_t id)
{
    size_t oldest = 0;

    for (size_t i = 0; i < lease->peer_count; i++) {
        if (lease->peers[i].id == id)
            return i;
        if (lease->peers[i].clock_ms < lease->peers[oldest].clock_ms)
            oldest = i;
    }
    if (lease->peer_count < LEASE_PEERS_MAX)
        oldest = lease->peer_count++;
    lease->peers[oldest].id = id;
    lease->peers[oldest].clock_ms = LEASE_NONE;
    return oldest;
}

void lease_answered(struct lease *lease, uint64_t id, int64_t clock_ms)
{
    if (!lease->leading || clock_ms == LEASE_NONE)
        return;
    size_t i = find_peer(lease, id);
    lease->peers[i].clock_ms = MAX(lease->peers[i].clock_ms, clock_ms);
}

uint64_t lease_transfer(struct lease *lease)
{
    ASSERT(lease->leading);
    return ++lease->transfer;
}

void lease_revoke(struct lease *lease, int64_t now_ms)
{
    lease->revoked = lease->transfer;
    lease->floor_ms = now_ms; /* of this very time some are from before */
}

bool lease_transferring(const struct lease *lease)
{
    return lease->leading && lease->transfer > lease->revoked;
}

static int64_t answered_ms(const struct lease *lease, uint64_t id)
{
    for (size_t i = 0; i < lease->peer_count; i++) {
        if (lease->peers[i].id == id)
            return lease->peers[i].clock_ms > lease->floor_ms ? lease->peers[i].clock_ms
                                                              : LEASE_NONE;
    }
    return LEASE_NONE;
}

int64_t lease_end_ms(const struct lease *lease, uint64_t self, const uint64_t *voters,
                     size_t count)
{
    int64_t times[REPLICA_SERVERS_MAX];
    bool voter = false;

    ASSERT(count <= REPLICA_SERVERS_MAX);
    if (!lease->leading || lease_transferring(lease))
        return LEASE_NONE;
    /* Newest first. */
    for (size_t i = 0; i < count; i++) {
        voter = voter || voters[i] == self;
        int64_t ms = voters[i] == self ? LEASE_FOREVER : answered_ms(lease, voters[i]);
        size_t at = i;
        for (; at > 0 && times[at - 1] < ms; at--)
            times[at] = times[at - 1];
        times[at] = ms;
    }
    /* One that removes itself may leave a single voter, which needs nobody's vote and is
     * not deaf when it is started anew. */
    if (!voter)
        return LEASE_NONE;
    int64_t since_ms = times[count / 2]; /* of the last that makes the majority */
    if (since_ms == LEASE_NONE || since_ms == LEASE_FOREVER)
        return since_ms;
    int64_t timeout_ms = lease->election_timeout_ms;
    return since_ms + timeout_ms - timeout_ms * REPLICA_DRIFT_PERCENT / 100 -
           lease->heartbeat_ms;
}

/* ---- the follower ---- */

void lease_heard(struct lease *lease, uint64_t term, int64_t clock_ms, uint64_t revoked,
                 int64_t now_ms)
{
    if (term > lease->heard_term) {
        lease->heard_term = term;
        lease->heard_clock_ms = LEASE_NONE;
        lease->heard_revoked = 0;
    }
    lease->heard_clock_ms = MAX(lease->heard_clock_ms, clock_ms);
    lease->heard_revoked = MAX(lease->heard_revoked, revoked);
    lease->heard_ms = now_ms;
}

int64_t lease_clock(const struct lease *lease, uint64_t term)
{
    return lease->heard_term == term ? lease->heard_clock_ms : LEASE_NONE;
}

bool lease_permit(struct lease *lease, uint64_t term, uint64_t transfer)
{
    if (term < lease->heard_term ||
        (term == lease->heard_term && transfer <= lease->heard_revoked))
        return false;
    lease->permit_term = term;
    lease->permit = transfer;
    return true;
}

/* A leader obeys its own permission only; a follower that of the leader it heard last, as
 * far as it has heard. */
static bool is_permitted(const struct lease *lease, const struct lease_request *request)
{
    if (!request->disrupt)
        return false;
    if (lease->leading)
        return request->transfer_term == lease->term &&
               request->transfer > lease->revoked && request->transfer <= lease->transfer;
    return lease->heard_term != 0 && request->transfer_term == lease->heard_term &&
           request->transfer > lease->heard_revoked;
}

bool lease_may_vote(const struct lease *lease, const struct lease_request *request,
                    int64_t now_ms)
{
    return now_ms >= lease->deaf_until_ms || is_permitted(lease, request);
}

bool lease_may_disrupt(const struct lease *lease, const struct lease_request *request,
                       int64_t now_ms)
{
    if (lease->leading || is_permitted(lease, request))
        return is_permitted(lease, request);
    /* A later leader than ours was elected when ours had no lease any more. */
    return (request->disrupt && request->transfer_term > lease->heard_term) ||
           lease->heard_term == 0 ||
           now_ms - lease->heard_ms >= (int64_t)lease->election_timeout_ms;
}
