/* replica_members.c - who belongs to the cell: one change at a time, transfers, lists.
 *
 * A change is an entry with the whole new configuration, which counts from the moment it
 * is in a log (Raft dissertation, chapter 4). Before one begins:
 *
 *  - the last one is committed, and an entry of this leader's term (begin_leading());
 *  - every voter that will still be one has the last change in its log (guard 3 of
 *    replica_message.c): one that does not know that it is a voter refuses to vote. A
 *    voter that is dead is therefore removed before another is promoted;
 *  - a node to be promoted has nearly the whole log;
 *  - who goes does not lead. A leader that demotes or removes itself ends its office by
 * the change's commit, which a majority of the others has written, but perhaps only one
 * of them beside it: with that one's disk lost nobody who may stand for election is up to
 *    date, though all voters but one are there. One that hands over first leaves a leader
 *    that has the change, and goes on until the others have it too. */
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "controlplane/membership.h"
#include "controlplane/replica_raft.h"

/* A node may be promoted that lacks no more entries than this. */
#define PROMOTE_LAG MEMBERSHIP_LAG

static const struct raft_server *find_server(const struct raft_configuration *from,
                                             uint64_t id)
{
    for (unsigned i = 0; i < from->n; i++) {
        if (from->servers[i].id == id)
            return &from->servers[i];
    }
    return NULL;
}

bool replica_has_server(const struct raft_configuration *configuration, uint64_t id)
{
    return find_server(configuration, id) != NULL;
}

bool replica_is_voter(const struct replica *replica, uint64_t id)
{
    const struct raft_server *server = find_server(&replica->raft.configuration, id);
    return server != NULL && server->role == RAFT_VOTER;
}

static unsigned count_voters(const struct raft_configuration *configuration)
{
    unsigned n = 0;
    for (unsigned i = 0; i < configuration->n; i++)
        n += configuration->servers[i].role == RAFT_VOTER;
    return n;
}

static uint64_t match_of(const struct replica *replica, uint64_t id)
{
    raft_index match = 0;
    if (id == replica->options.id)
        return replica->persisted_index;
    return raft_match_index(&replica->raft, id, &match) == 0 ? match : 0;
}

/* Heard within an election timeout. */
static bool is_near(const struct replica *replica, uint64_t id, int64_t now_ms)
{
    for (size_t i = 0; i < replica->peer_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];
        if (peer->id == id)
            return peer->heard_ms >= 0 &&
                   now_ms - peer->heard_ms <=
                       (int64_t)replica->options.election_timeout_ms;
    }
    return false;
}

/* ---- changing ---- */

/* Guard 3: each voter but EXCEPT, and with NEAR_ONLY those that are not heard of, knows
 * of the last change. */
static int check_voters(const struct replica *replica, uint64_t except, bool near_only,
                        int64_t now_ms, struct err *err)
{
    const struct raft_configuration *now = &replica->raft.configuration;

    for (unsigned i = 0; i < now->n; i++) {
        uint64_t id = now->servers[i].id;
        if (now->servers[i].role != RAFT_VOTER || id == except ||
            id == replica->options.id || (near_only && !is_near(replica, id, now_ms)))
            continue;
        if (match_of(replica, id) < replica->raft.configuration_committed_index)
            return err_set(err, ERR_UNAVAILABLE,
                           "node %llu does not know of the last change yet; if it is "
                           "lost, remove it first",
                           (unsigned long long)id);
    }
    return 0;
}

static int check_caught_up(const struct replica *replica, uint64_t id, int64_t now_ms,
                           struct err *err)
{
    uint64_t match = match_of(replica, id);

    if (!is_near(replica, id, now_ms))
        return err_set(err, ERR_UNAVAILABLE, "node %llu does not answer",
                       (unsigned long long)id);
    if (match < replica->raft.configuration_committed_index ||
        match + PROMOTE_LAG < replica->window.last)
        return err_set(err, ERR_UNAVAILABLE,
                       "node %llu is behind: it has entry %llu of %llu",
                       (unsigned long long)id, (unsigned long long)match,
                       (unsigned long long)replica->window.last);
    return 0;
}

/* Whether a change may begin at all. */
static int check_free(const struct replica *replica, struct err *err)
{
    int code = replica_write_code(replica);

    if (code != 0)
        return err_set(err, code, "%s", err_text(code));
    if (replica->raft.configuration_uncommitted_index != 0)
        return err_set(err, ERR_CONFLICT, "another change is not committed yet");
    if (!replica_sole_voter(&replica->raft.configuration, replica->options.id) &&
        replica_term_of(replica, raft_commit_index(&replica->raft)) !=
            raft_current_term(&replica->raft))
        return err_set(err, ERR_UNAVAILABLE,
                       "the leader is new: nothing of its term is committed yet");
    return 0;
}

static int check_add(const struct replica *replica, uint64_t id, const char *address,
                     int64_t now_ms, struct err *err)
{
    const struct raft_configuration *now = &replica->raft.configuration;

    if (id == 0 || address == NULL || address[0] == '\0' ||
        strlen(address) > REPLICA_ADDRESS_MAX)
        return err_set(err, ERR_INVALID, "a node needs an id and an address");
    for (unsigned i = 0; i < now->n; i++) {
        if (now->servers[i].id == id || strcmp(now->servers[i].address, address) == 0)
            return err_set(err, ERR_EXISTS, "node %llu at %s is a member",
                           (unsigned long long)now->servers[i].id,
                           now->servers[i].address);
    }
    if (now->n >= REPLICA_SERVERS_MAX)
        return err_set(err, ERR_TOO_LARGE, "a cell has at most %d nodes",
                       REPLICA_SERVERS_MAX);
    return check_voters(replica, 0, true, now_ms, err);
}

static int check_member(const struct replica *replica, enum replica_change_kind kind,
                        uint64_t id, int64_t now_ms, struct err *err)
{
    const struct raft_configuration *now = &replica->raft.configuration;
    const struct raft_server *server = find_server(now, id);

    if (server == NULL)
        return err_set(err, ERR_NOT_FOUND, "node %llu is no member",
                       (unsigned long long)id);
    bool voter = server->role == RAFT_VOTER;
    if (kind == REPLICA_PROMOTE) {
        if (voter)
            return err_set(err, ERR_EXISTS, "node %llu is a voter",
                           (unsigned long long)id);
        if (count_voters(now) >= REPLICA_VOTERS_MAX)
            return err_set(err, ERR_TOO_LARGE, "a cell has at most %d voters",
                           REPLICA_VOTERS_MAX);
        int rc = check_voters(replica, 0, false, now_ms, err);
        return rc != 0 ? rc : check_caught_up(replica, id, now_ms, err);
    }
    if (kind == REPLICA_DEMOTE && !voter)
        return err_set(err, ERR_EXISTS, "node %llu is a standby", (unsigned long long)id);
    if (voter && count_voters(now) == 1)
        return err_set(err, ERR_INVALID, "node %llu is the only voter",
                       (unsigned long long)id);
    if (voter && id == replica->options.id)
        return err_set(err, ERR_INVALID,
                       "node %llu leads: hand leadership to another voter first",
                       (unsigned long long)id);
    return check_voters(replica, id, false, now_ms, err);
}

/* The configuration that the change makes of the present one. */
static void make_configuration(const struct replica *replica,
                               enum replica_change_kind kind, uint64_t id,
                               const char *address, struct raft_configuration *next)
{
    const struct raft_configuration *now = &replica->raft.configuration;
    int rc = 0;

    raft_configuration_init(next);
    for (unsigned i = 0; i < now->n && rc == 0; i++) {
        const struct raft_server *server = &now->servers[i];
        int role = server->role;
        if (server->id == id && kind == REPLICA_REMOVE)
            continue;
        if (server->id == id)
            role = kind == REPLICA_PROMOTE ? RAFT_VOTER : RAFT_STANDBY;
        rc = raft_configuration_add(next, server->id, server->address, role);
    }
    if (rc == 0 && kind == REPLICA_ADD)
        rc = raft_configuration_add(next, id, address, RAFT_STANDBY);
    ASSERT(rc == 0);
}

int replica_change(struct replica *replica, enum replica_change_kind kind, uint64_t id,
                   const char *address, int64_t now_ms, uint64_t *index, struct err *err)
{
    static const char *const names[] = {"add", "promote", "demote", "remove"};
    struct raft_configuration next;
    struct raft_buffer buf;
    int rc = check_free(replica, err);

    if (rc == 0)
        rc = kind == REPLICA_ADD ? check_add(replica, id, address, now_ms, err)
                                 : check_member(replica, kind, id, now_ms, err);
    if (rc != 0)
        return rc;
    make_configuration(replica, kind, id, address, &next);
    rc = raft_configuration_encode(&next, &buf);
    raft_configuration_close(&next);
    ASSERT(rc == 0);
    uint64_t at = replica->window.last + 1;
    rc = replica_append(replica, RAFT_CHANGE, slice_of(buf.base, buf.len), now_ms);
    raft_free(buf.base);
    if (rc == RAFT_CANTCHANGE)
        return err_set(err, ERR_CONFLICT, "another change is not committed yet");
    if (rc != 0)
        return err_set(err, rc == RAFT_NOTLEADER ? ERR_NOT_LEADER : ERR_UNAVAILABLE,
                       "change the members: %s", raft_strerror(rc));
    log_info("raft", "members change", "change=%s node=%llu index=%llu", names[kind],
             (unsigned long long)id, (unsigned long long)at);
    *index = at;
    replica_apply_committed(replica, now_ms);
    return 0;
}

/* ---- transfers ---- */

/* The voter that is heard of and has the most of the log, or 0. */
static uint64_t find_heir(const struct replica *replica, int64_t now_ms)
{
    const struct raft_configuration *now = &replica->raft.configuration;
    uint64_t heir = 0, best = 0;

    for (unsigned i = 0; i < now->n; i++) {
        uint64_t id = now->servers[i].id;
        if (now->servers[i].role != RAFT_VOTER || id == replica->options.id ||
            !is_near(replica, id, now_ms) || match_of(replica, id) <= best)
            continue;
        heir = id;
        best = match_of(replica, id);
    }
    return heir;
}

int replica_transfer(struct replica *replica, uint64_t id, int64_t now_ms,
                     struct err *err)
{
    const struct raft_server *server;

    if (!replica_is_leader(replica) || lease_transferring(&replica->lease))
        return err_set(err, ERR_NOT_LEADER, "this node does not lead, or hands over");
    if (id == 0)
        id = find_heir(replica, now_ms);
    if (id == 0)
        return err_set(err, ERR_UNAVAILABLE, "no other voter answers");
    server = find_server(&replica->raft.configuration, id);
    if (server == NULL || server->role != RAFT_VOTER || id == replica->options.id)
        return err_set(err, ERR_NOT_FOUND, "node %llu is no other voter",
                       (unsigned long long)id);
    if (!is_near(replica, id, now_ms))
        return err_set(err, ERR_UNAVAILABLE, "node %llu does not answer",
                       (unsigned long long)id);
    replica_begin_transfer(replica, id, now_ms);
    return 0;
}

void replica_give_way(struct replica *replica, int64_t now_ms)
{
    if (!replica_is_leader(replica) || lease_transferring(&replica->lease))
        return;
    uint64_t heir = find_heir(replica, now_ms);
    if (heir != 0)
        replica_begin_transfer(replica, heir, now_ms);
}

/* ---- lists ---- */

static void fill_server(const struct replica *replica, const struct raft_server *from,
                        struct replica_server *server)
{
    bool leading = replica_is_leader(replica);

    *server = (struct replica_server){.id = from->id,
                                      .address = from->address,
                                      .role = from->role == RAFT_VOTER ? REPLICA_VOTER
                                                                       : REPLICA_STANDBY,
                                      .self = from->id == replica->options.id,
                                      .leader = from->id == replica_leader_id(replica),
                                      .heard_ms = -1};
    if (leading || server->self)
        server->match_index = match_of(replica, from->id);
    for (size_t i = 0; i < replica->peer_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];
        if (peer->id != from->id)
            continue;
        server->heard_ms = peer->heard_ms;
        server->installing = leading && peer->install_ms >= 0 &&
                             server->match_index < replica->checkpoint.index;
    }
}

size_t replica_servers(const struct replica *replica,
                       struct replica_server servers[REPLICA_SERVERS_MAX])
{
    const struct raft_configuration *now = &replica->raft.configuration;
    size_t n = MIN((size_t)now->n, (size_t)REPLICA_SERVERS_MAX);

    for (size_t i = 0; i < n; i++)
        fill_server(replica, &now->servers[i], &servers[i]);
    return n;
}

bool replica_changing(const struct replica *replica)
{
    return replica->raft.configuration_uncommitted_index != 0;
}

bool replica_removed(const struct replica *replica)
{
    const struct raft *raft = &replica->raft;
    /* A node that was just added first learns of configurations from before that, by the
     * log or in a snapshot. */
    return replica->was_member &&
           !replica_has_server(&raft->configuration_committed, replica->options.id) &&
           !replica_has_server(&raft->configuration, replica->options.id);
}
