/* replica_message.c - peers' messages to and from libraft, and the guards against it.
 *
 * libraft 0.22.1 has faults that cost a cell its leader. None loses data; each was found
 * by simulation and is kept away from here, where messages pass:
 *
 *  1. A RAFT_CHANGE that is not the first entry of an append gets a wrong index at the
 *     follower: an append is split so that each is the first.
 *  2. A late rejection of an entry that is known to match makes the leader send nothing
 *     but heartbeats to that node: such are dropped.
 *  3. A voter whose newest configuration does not have it as voter refuses to vote: no
 *     change before the last one is everywhere (replica_members.c); and see 9.
 *  4. The refusal of a pre-vote carries the request's term: a node with the longest log
 *     and a lower term never learns that it is behind. It carries ours, if higher.
 *
 * And what was found by reading it:
 *
 *  5. A vote's result is looked at by a node that is no candidate, through a union that
 *     holds something else then: dropped.
 *  6. An append of the leader's own term at the leader is not checked for: dropped.
 *  7. An append that begins before a follower's snapshot is refused for ever: it is cut
 *     to what is behind the snapshot, for what is in that is committed and so the same.
 *  8. Results of an older term carry a last index that was never set.
 *  9. Guard 3 does not help a voter that crashes before it has heard of its promotion,
 *     or after it wrote of its own removal what the others never heard of: the other
 *     voters then cannot lose one of theirs. So whoever is asked votes, as the
 *     dissertation has it (4.1), whatever its own configuration says: the candidate
 *     counts by its own, and a candidate without the committed entries gets no vote.
 * 10. A standby with an entry that hardly a voter has can stop a cell: it becomes a voter
 *     by another leader's change, refuses its vote to all whose log is not as new, and
 *     may not stand for election since it knows of no change. So a standby gets what is
 *     committed, and no more. libraft sends it all, and thinks it sent: so where to go on
 *     is kept here, and its refusals are put in libraft's terms. */
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/replica_raft.h"

/* Bytes of entries in one message, unless a single one is larger; and in all messages
 * that one answer of libraft makes: what is left out the node will miss and ask for. */
#define APPEND_BYTES MIB
#define FLIGHT_BYTES (16 * MIB)

/* libraft's versions of messages; they tell it which fields are there. */
#define MESSAGE_VERSION 2

/* ---- out ---- */

static void send_out(struct replica *replica, uint64_t to, const struct peer_message *msg)
{
    if (to == 0 || replica->options.on_message == NULL)
        return;
    str_reset(&replica->out);
    peer_message_encode(msg, &replica->out);
    ASSERT(!replica->out.overflowed);
    replica->options.on_message(replica->options.arg, to, str_slice(&replica->out));
}

/* How many of the N entries from INDEX on one message takes: at least one. */
static uint32_t count_entries(const struct replica *replica, uint64_t index, uint64_t n,
                              size_t *bytes)
{
    uint32_t count = 0;

    *bytes = 0;
    while (count < n && count < PEER_ENTRIES_MAX) {
        size_t len = window_at(&replica->window, index + count)->data.len;
        if (count > 0 && *bytes + len > APPEND_BYTES)
            break;
        *bytes += len + PEER_ENTRY_BYTES;
        count++;
    }
    return count;
}

/* Whether the term of entry INDEX is known: a message can begin behind it. */
static bool is_known(const struct replica *replica, uint64_t index)
{
    return index == replica->checkpoint.index || window_has(&replica->window, index);
}

/* Guard 10: what of ARGS goes to a standby. Returns how many entries behind *PREV. */
static uint64_t cut_for_standby(struct replica *replica, struct replica_peer *peer,
                                const struct raft_append_entries *args, uint64_t *prev)
{
    uint64_t asked = args->prev_log_index, last = asked + args->n_entries;
    uint64_t committed = raft_commit_index(&replica->raft);
    uint64_t from = MIN(asked, committed), go_on = peer->sent_index;
    raft_index match = 0;

    if (raft_match_index(&replica->raft, peer->id, &match) == 0)
        go_on = MAX(go_on, (uint64_t)match);
    if (go_on < from && is_known(replica, go_on))
        from = go_on;
    *prev = from;
    peer->asked_prev = asked;
    peer->sent_prev = from;
    return MIN(last, committed) - MIN(from, committed);
}

static void send_append(struct replica *replica, uint64_t to,
                        const struct raft_append_entries *args, int64_t now_ms)
{
    struct replica_peer *peer = replica_peer(replica, to);
    struct peer_message msg = {.type = PEER_APPEND,
                               .term = args->term,
                               .clock_ms = now_ms,
                               .append = {.prev_index = args->prev_log_index,
                                          .prev_term = args->prev_log_term,
                                          .commit_index = args->leader_commit,
                                          .revoked = replica->lease.revoked}};
    uint64_t left = args->n_entries;
    bool standby = !replica_is_voter(replica, to);
    size_t sent = 0, bytes;

    if (standby) {
        left = cut_for_standby(replica, peer, args, &msg.append.prev_index);
        if (msg.append.prev_index != args->prev_log_index)
            msg.append.prev_term = replica_term_of(replica, msg.append.prev_index);
    }

    do {
        uint64_t index = msg.append.prev_index + 1;
        uint32_t count = count_entries(replica, index, left, &bytes);
        struct peer_entry *entries = mem_alloc((count + 1) * sizeof(*entries));
        for (uint32_t i = 0; i < count; i++) {
            const struct window_entry *entry = window_at(&replica->window, index + i);
            entries[i] = (struct peer_entry){.term = entry->term,
                                             .type = (enum peer_entry_type)entry->type,
                                             .data = entry->data};
        }
        msg.append.entries = entries;
        msg.append.count = count;
        send_out(replica, to, &msg);
        if (count > 0) {
            msg.append.prev_index += count;
            msg.append.prev_term = entries[count - 1].term;
        }
        mem_free(entries);
        left -= count;
        sent += bytes;
    } while (left > 0 && sent < FLIGHT_BYTES);
    peer->sent_index = standby ? msg.append.prev_index : REPLICA_SENT_UNKNOWN;
}

static void send_vote(struct replica *replica, uint64_t to,
                      const struct raft_request_vote *args)
{
    struct peer_message msg = {.type = PEER_VOTE,
                               .term = args->term,
                               .clock_ms = PEER_NO_CLOCK,
                               .vote = {.last_index = args->last_log_index,
                                        .last_term = args->last_log_term,
                                        .pre_vote = args->pre_vote}};
    if (args->disrupt_leader) {
        msg.vote.disrupt = true;
        msg.vote.transfer_term = replica->lease.permit_term;
        msg.vote.transfer = replica->lease.permit;
    }
    send_out(replica, to, &msg);
}

static void send_vote_result(struct replica *replica, uint64_t to,
                             const struct raft_request_vote_result *args)
{
    struct peer_message msg = {
        .type = PEER_VOTE_RESULT,
        .term = args->term,
        .clock_ms = replica->options.wall_ms == NULL
                        ? PEER_NO_CLOCK
                        : replica->options.wall_ms(replica->options.arg),
        .vote_result = {.pre_vote = args->pre_vote, .granted = args->vote_granted}};
    /* Guard 4. */
    if (args->pre_vote && !args->vote_granted)
        msg.term = MAX(msg.term, (uint64_t)raft_current_term(&replica->raft));
    send_out(replica, to, &msg);
}

static void send_append_result(struct replica *replica, uint64_t to,
                               const struct raft_append_entries_result *args)
{
    struct peer_message msg = {.type = PEER_APPEND_RESULT,
                               .term = args->term,
                               .clock_ms = lease_clock(&replica->lease, args->term),
                               .append_result = {.rejected = args->rejected,
                                                 .last_index = args->last_log_index}};
    send_out(replica, to, &msg);
}

static void send_install(struct replica *replica, uint64_t to,
                         const struct raft_install_snapshot *args, int64_t now_ms)
{
    const struct replica_position *position = &replica->checkpoint;
    struct peer_message msg = {
        .type = PEER_INSTALL,
        .term = args->term,
        .clock_ms = now_ms,
        .install = {.last_index = position->index,
                    .last_term = position->term,
                    .configuration_index = position->configuration_index,
                    .configuration = position->configuration}};
    ASSERT(args->last_index == position->index);
    replica_peer(replica, to)->install_ms = now_ms;
    send_out(replica, to, &msg);
}

static void send_timeout_now(struct replica *replica, uint64_t to,
                             const struct raft_timeout_now *args)
{
    struct peer_message msg = {.type = PEER_TIMEOUT_NOW,
                               .term = args->term,
                               .clock_ms = PEER_NO_CLOCK,
                               .timeout_now = {.last_index = args->last_log_index,
                                               .last_term = args->last_log_term,
                                               .transfer = replica->lease.transfer}};
    send_out(replica, to, &msg);
}

void replica_send(struct replica *replica, const struct raft_message *message,
                  int64_t now_ms)
{
    uint64_t to = message->server_id;

    switch (message->type) {
    case RAFT_APPEND_ENTRIES:
        send_append(replica, to, &message->append_entries, now_ms);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        send_append_result(replica, to, &message->append_entries_result);
        break;
    case RAFT_REQUEST_VOTE:
        send_vote(replica, to, &message->request_vote);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        send_vote_result(replica, to, &message->request_vote_result);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        send_install(replica, to, &message->install_snapshot, now_ms);
        break;
    case RAFT_TIMEOUT_NOW:
        send_timeout_now(replica, to, &message->timeout_now);
        break;
    }
}

/* ---- in ---- */

struct replica_peer *replica_peer(struct replica *replica, uint64_t id)
{
    size_t oldest = 0;

    for (size_t i = 0; i < replica->peer_count; i++) {
        if (replica->peers[i].id == id)
            return &replica->peers[i];
        if (replica->peers[i].heard_ms < replica->peers[oldest].heard_ms)
            oldest = i;
    }
    if (replica->peer_count < ARRAY_LEN(replica->peers))
        oldest = replica->peer_count++;
    replica->peers[oldest] = (struct replica_peer){.id = id,
                                                   .heard_ms = -1,
                                                   .install_ms = -1,
                                                   .wall_at_ms = -1,
                                                   .sent_index = REPLICA_SENT_UNKNOWN};
    return &replica->peers[oldest];
}

/* The address that libraft keeps for the leader: for people. */
static const char *address_of(const struct replica *replica, uint64_t id)
{
    const struct raft_configuration *configuration = &replica->raft.configuration;
    for (unsigned i = 0; i < configuration->n; i++) {
        if (configuration->servers[i].id == id)
            return configuration->servers[i].address;
    }
    return "";
}

static void step_message(struct replica *replica, uint64_t from,
                         struct raft_message *message, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_RECEIVE};
    char address[REPLICA_ADDRESS_MAX + 1];

    /* A copy: the configuration that holds it may be freed on the way. */
    size_t len = strlen(address_of(replica, from));
    ASSERT(len < sizeof(address));
    memcpy(address, address_of(replica, from), len + 1);
    message->server_id = from;
    message->server_address = address;
    event.receive.message = message;
    replica_step_or_die(replica, &event, "a message of another node", now_ms);
}

static unsigned short state_of(const struct replica *replica)
{
    return replica->raft.state;
}

static uint64_t current_term(const struct replica *replica)
{
    return raft_current_term(&replica->raft);
}

/* Guard 9. For the time of one vote this node is a voter of its newest configuration.
 * Returns what it was, to be undone by end_voting(). */
enum { VOTING_NOT_MEMBER = -1, VOTING_NOT_CHANGED = -2 };

static unsigned own_place(const struct replica *replica)
{
    const struct raft_configuration *configuration = &replica->raft.configuration;
    unsigned i = 0;
    while (i < configuration->n && configuration->servers[i].id != replica->options.id)
        i++;
    return i;
}

static int begin_voting(struct replica *replica)
{
    struct raft_configuration *configuration = &replica->raft.configuration;
    unsigned place = own_place(replica);

    if (place < configuration->n) {
        int role = configuration->servers[place].role;
        configuration->servers[place].role = RAFT_VOTER;
        return role;
    }
    /* libraft's books of a leader go by the places in its configuration. */
    if (state_of(replica) == RAFT_LEADER || configuration->n == 0)
        return VOTING_NOT_CHANGED;
    int rc = raft_configuration_add(configuration, replica->options.id, replica->address,
                                    RAFT_VOTER);
    return rc == 0 ? VOTING_NOT_MEMBER : VOTING_NOT_CHANGED;
}

static void end_voting(struct replica *replica, int was)
{
    struct raft_configuration *configuration = &replica->raft.configuration;
    unsigned place = own_place(replica);

    if (was == VOTING_NOT_CHANGED)
        return;
    ASSERT(place < configuration->n);
    if (was != VOTING_NOT_MEMBER) {
        configuration->servers[place].role = was;
        return;
    }
    raft_free(configuration->servers[place].address);
    configuration->n--;
    memmove(&configuration->servers[place], &configuration->servers[place + 1],
            (configuration->n - place) * sizeof(configuration->servers[0]));
}

static void receive_vote(struct replica *replica, uint64_t from,
                         const struct peer_message *msg, int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_REQUEST_VOTE};
    struct raft_request_vote *args = &message.request_vote;
    const struct lease_request request = {.disrupt = msg->vote.disrupt,
                                          .transfer_term = msg->vote.transfer_term,
                                          .transfer = msg->vote.transfer};

    if (!lease_may_vote(&replica->lease, &request, now_ms))
        return;
    args->version = MESSAGE_VERSION;
    args->term = msg->term;
    args->candidate_id = from;
    args->last_log_index = msg->vote.last_index;
    args->last_log_term = msg->vote.last_term;
    args->pre_vote = msg->vote.pre_vote;
    args->disrupt_leader = lease_may_disrupt(&replica->lease, &request, now_ms);
    int was = begin_voting(replica);
    step_message(replica, from, &message, now_ms);
    end_voting(replica, was);
}

static void receive_vote_result(struct replica *replica, uint64_t from,
                                const struct peer_message *msg, int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_REQUEST_VOTE_RESULT};

    replica_heard_clock(replica, from, msg, now_ms);
    if (state_of(replica) != RAFT_CANDIDATE)
        return; /* guard 5 */
    message.request_vote_result.version = MESSAGE_VERSION;
    message.request_vote_result.term = msg->term;
    message.request_vote_result.pre_vote = msg->vote_result.pre_vote;
    message.request_vote_result.vote_granted = msg->vote_result.granted;
    step_message(replica, from, &message, now_ms);
}

/* Guards 6 and 8: what comes from a leader of an older term is answered here, and what
 * says to come from another leader of ours is not looked at. */
static bool is_old_or_ours(struct replica *replica, uint64_t from,
                           const struct peer_message *msg, uint64_t rejected)
{
    struct peer_message answer = {.type = PEER_APPEND_RESULT,
                                  .term = current_term(replica),
                                  .clock_ms = PEER_NO_CLOCK,
                                  .append_result = {.rejected = rejected}};

    if (msg->term < current_term(replica)) {
        send_out(replica, from, &answer);
        return true;
    }
    if (state_of(replica) != RAFT_LEADER || msg->term > current_term(replica))
        return false;
    log_error("raft", "two leaders in a term", "term=%llu other=%llu",
              (unsigned long long)msg->term, (unsigned long long)from);
    return true;
}

/* The part of an append that libraft gets at once. */
struct part {
    uint64_t prev_index, prev_term;
    struct peer_entry *entries;
    unsigned count;
};

/* Step PART; its last index, or 0 when that was not accepted. */
static uint64_t step_part(struct replica *replica, uint64_t from,
                          const struct peer_message *msg, const struct part *part,
                          int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_APPEND_ENTRIES};
    struct raft_append_entries *args = &message.append_entries;
    struct raft_entry *entries = mem_zalloc((part->count + 1) * sizeof(*entries));
    size_t bytes = 0, at = 0;

    for (unsigned i = 0; i < part->count; i++)
        bytes += part->entries[i].data.len;
    uint8_t *base = part->count == 0 ? NULL : raft_malloc(bytes + 1);
    ASSERT(base != NULL || part->count == 0);
    for (unsigned i = 0; i < part->count; i++) {
        struct slice data = part->entries[i].data;
        if (data.len > 0)
            memcpy(base + at, data.ptr, data.len);
        entries[i].term = part->entries[i].term;
        entries[i].type = (enum raft_entry_type)part->entries[i].type;
        entries[i].buf = (struct raft_buffer){.base = base + at, .len = data.len};
        entries[i].batch = base; /* one block, whose owner is libraft or the window */
        at += data.len;
    }
    args->version = MESSAGE_VERSION;
    args->term = msg->term;
    args->prev_log_index = part->prev_index;
    args->prev_log_term = part->prev_term;
    args->leader_commit = msg->append.commit_index;
    args->entries = entries;
    args->n_entries = part->count;
    step_message(replica, from, &message, now_ms);
    mem_free(entries);
    uint64_t last = part->prev_index + part->count;
    if (replica->dead || part->count == 0 ||
        replica_term_of(replica, last) != part->entries[part->count - 1].term)
        return 0;
    return last;
}

/* Guard 1: each RAFT_CHANGE is the first of its part. */
static void step_parts(struct replica *replica, uint64_t from,
                       const struct peer_message *msg, struct part *whole, int64_t now_ms)
{
    struct part part = *whole;
    unsigned done = 0;

    do {
        unsigned end = done + 1;
        while (end < whole->count && whole->entries[end].type != PEER_CHANGE)
            end++;
        part.entries = whole->entries + done;
        part.count = MIN(end, whole->count) - done;
        uint64_t last = step_part(replica, from, msg, &part, now_ms);
        if (last == 0)
            return; /* the rest would only be rejected too */
        part.prev_index = last;
        part.prev_term = part.entries[part.count - 1].term;
        done += part.count;
    } while (done < whole->count);
}

/* Guard 7: leave out what our snapshot holds. */
static void skip_snapshot(const struct replica *replica, struct part *part)
{
    uint64_t end = replica->checkpoint.index;
    if (part->prev_index >= end || part->prev_index >= replica->window.first)
        return;
    uint64_t skip = MIN(end - part->prev_index, part->count);
    part->entries += skip;
    part->count -= (unsigned)skip;
    part->prev_index = end;
    part->prev_term = replica->checkpoint.term;
}

static void receive_append(struct replica *replica, uint64_t from,
                           const struct peer_message *msg, int64_t now_ms)
{
    struct peer_entry *entries;
    struct part part = {.prev_index = msg->append.prev_index,
                        .prev_term = msg->append.prev_term,
                        .count = msg->append.count};
    struct reader r;

    if (is_old_or_ours(replica, from, msg, msg->append.prev_index))
        return;
    lease_heard(&replica->lease, msg->term, msg->clock_ms, msg->append.revoked, now_ms);
    entries = mem_alloc((part.count + 1) * sizeof(*entries));
    reader_init(&r, msg->append.encoded);
    for (unsigned i = 0; i < part.count; i++)
        entries[i] = peer_entry_next(&r);
    part.entries = entries;
    /* What cannot be stored is not taken, but the leader is heard and answered. */
    if (replica->install.state >= INSTALL_BEGUN || replica->write_code != 0)
        part.count = 0;
    else
        skip_snapshot(replica, &part);
    step_parts(replica, from, msg, &part, now_ms);
    mem_free(entries);
}

/* Guard 10: go back for a standby that lacks what was sent before; libraft is to know it
 * of the append that it made. Returns false for a refusal of an earlier one. */
static bool go_back(struct replica *replica, uint64_t from, uint64_t last,
                    uint64_t *rejected)
{
    struct replica_peer *peer = replica_peer(replica, from);

    if (replica_is_voter(replica, from) || peer->sent_index == REPLICA_SENT_UNKNOWN)
        return true;
    if (*rejected != peer->sent_prev)
        return false;
    peer->sent_index = MIN(*rejected - 1, last);
    *rejected = peer->asked_prev;
    return true;
}

static void receive_append_result(struct replica *replica, uint64_t from,
                                  const struct peer_message *msg, int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_APPEND_ENTRIES_RESULT};
    struct raft_append_entries_result *args = &message.append_entries_result;
    uint64_t rejected = msg->append_result.rejected;
    raft_index match;

    if (state_of(replica) != RAFT_LEADER)
        return;
    bool ours = msg->term == current_term(replica);
    if (ours)
        lease_answered(&replica->lease, from, msg->clock_ms);
    args->rejected = rejected;
    args->last_log_index = msg->append_result.last_index;
    /* Guards 2 and 10. It was an answer all the same, so libraft hears that the node is
     * there. */
    if (ours && rejected > 0 &&
        ((raft_match_index(&replica->raft, from, &match) == 0 && rejected <= match) ||
         !go_back(replica, from, msg->append_result.last_index, &rejected))) {
        args->rejected = 0;
        args->last_log_index = 0;
    } else {
        args->rejected = rejected;
    }
    args->version = MESSAGE_VERSION;
    args->term = msg->term;
    step_message(replica, from, &message, now_ms);
}

static void receive_install(struct replica *replica, uint64_t from,
                            const struct peer_message *msg, int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_INSTALL_SNAPSHOT};
    struct raft_install_snapshot *args = &message.install_snapshot;

    if (is_old_or_ours(replica, from, msg, 0))
        return;
    lease_heard(&replica->lease, msg->term, msg->clock_ms, 0, now_ms);
    if (replica->install.state >= INSTALL_BEGUN)
        return;
    /* libraft is told when the snapshot is here; until then this node is a member that is
     * behind, and may even catch up by another leader's log. */
    if (msg->install.last_index > replica->checkpoint.index &&
        replica_term_of(replica, msg->install.last_index) != msg->install.last_term) {
        replica_offered_snapshot(replica, from, msg);
        return;
    }
    /* We have all that: libraft says so to the leader. */
    args->version = MESSAGE_VERSION;
    args->term = msg->term;
    args->last_index = msg->install.last_index;
    args->last_term = msg->install.last_term;
    args->conf_index = msg->install.configuration_index;
    int rc = replica_decode_configuration(msg->install.configuration, &args->conf);
    ASSERT(rc == 0); /* checked when the message was decoded */
    step_message(replica, from, &message, now_ms);
}

static void receive_timeout_now(struct replica *replica, uint64_t from,
                                const struct peer_message *msg, int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_TIMEOUT_NOW};

    if (replica->write_code != 0 || replica->install.state >= INSTALL_BEGUN ||
        msg->term != current_term(replica) ||
        !lease_permit(&replica->lease, msg->term, msg->timeout_now.transfer))
        return;
    message.timeout_now.version = MESSAGE_VERSION;
    message.timeout_now.term = msg->term;
    message.timeout_now.last_log_index = msg->timeout_now.last_index;
    message.timeout_now.last_log_term = msg->timeout_now.last_term;
    step_message(replica, from, &message, now_ms);
}

int replica_receive(struct replica *replica, uint64_t from, struct slice bytes,
                    int64_t now_ms)
{
    struct peer_message msg;
    int rc = peer_message_decode(bytes, &msg);

    if (rc != 0 || from == 0 || from == replica->options.id)
        return ERR_MALFORMED;
    if (replica->dead)
        return 0;
    replica_peer(replica, from)->heard_ms = now_ms;
    switch (msg.type) {
    case PEER_VOTE:
        receive_vote(replica, from, &msg, now_ms);
        break;
    case PEER_VOTE_RESULT:
        receive_vote_result(replica, from, &msg, now_ms);
        break;
    case PEER_APPEND:
        receive_append(replica, from, &msg, now_ms);
        break;
    case PEER_APPEND_RESULT:
        receive_append_result(replica, from, &msg, now_ms);
        break;
    case PEER_INSTALL:
        receive_install(replica, from, &msg, now_ms);
        break;
    case PEER_TIMEOUT_NOW:
        receive_timeout_now(replica, from, &msg, now_ms);
        break;
    }
    replica_apply_committed(replica, now_ms);
    return 0;
}
