/* replica_clock.c - what time the voters take it to be: the bound for a leader's own.
 *
 * A leader stamps commands with its wall clock, and the state's time never goes back. So
 * one that is elected with a clock far in the future would make everything expire, for
 * good. Therefore whoever votes says what its own wall clock shows (clock_ms of the
 * VOTE_RESULT); and who is elected goes by the latest time that a majority of those that
 * it knows, itself included, has reached. Of two that is the earlier of them, of three
 * the middle one. Clocks need not agree better than NODE_CLOCK_AHEAD_MS for all this. */
#include "common/check.h"
#include "controlplane/replica_raft.h"

/* What a voter told longer ago than so many election timeouts does not count. */
#define FRESH_TIMEOUTS 20

void replica_heard_clock(struct replica *replica, uint64_t from,
                         const struct peer_message *msg, int64_t now_ms)
{
    struct replica_peer *peer = replica_peer(replica, from);

    /* Nodes of the release before tell none; and no time is before 1970. */
    if (msg->clock_ms == PEER_NO_CLOCK || msg->clock_ms < 0)
        return;
    peer->wall_ms = msg->clock_ms;
    peer->wall_at_ms = now_ms;
}

void replica_compare_clocks(struct replica *replica, int64_t now_ms)
{
    int64_t times[LEASE_PEERS_MAX + 1];
    int64_t fresh_ms = FRESH_TIMEOUTS * (int64_t)replica->options.election_timeout_ms;
    size_t count = 0;

    replica->clock_ms = REPLICA_NO_CLOCK;
    if (replica->options.wall_ms == NULL)
        return;
    times[count++] = replica->options.wall_ms(replica->options.arg);
    for (size_t i = 0; i < replica->peer_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];
        if (peer->wall_at_ms < 0 || now_ms - peer->wall_at_ms > fresh_ms ||
            !replica_is_voter(replica, peer->id))
            continue;
        int64_t ms = MIN(peer->wall_ms, INT64_MAX / 2) + now_ms - peer->wall_at_ms;
        size_t at = count++;
        for (; at > 0 && times[at - 1] < ms; at--)
            times[at] = times[at - 1];
        times[at] = ms; /* latest first */
    }
    if (count == 1)
        return;
    replica->clock_ms = times[count / 2];
    replica->clock_at_ms = now_ms;
}

int64_t replica_clock_ms(const struct replica *replica, int64_t now_ms)
{
    if (raft_state((struct raft *)(uintptr_t)&replica->raft) != RAFT_LEADER ||
        replica->clock_ms == REPLICA_NO_CLOCK)
        return REPLICA_NO_CLOCK;
    return replica->clock_ms + (now_ms - replica->clock_at_ms);
}
