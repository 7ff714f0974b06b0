/* replica.c - events into raft_step(), its updates out to vote, log, peers and state.
 *
 * raft_step() is never entered from inside its own update: replica_step() first does all
 * that an update asks for, in the order that makes it safe (vote, log, configuration,
 * messages), and only then the committed configurations are handed back, one after the
 * other, before the next event comes. Applying is apart: only what is durable here is
 * applied, so that a checkpoint never runs ahead of the log. */
#include "controlplane/replica.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/replica_raft.h"

/* Of what is kept behind a checkpoint. */
#define TRAILING_BYTES (64 * MIB)
/* Over this nothing more is submitted: the log or the other nodes do not keep up. */
#define WINDOW_MAX (512 * MIB)
/* Told to the leader by raft_step's events, in an unspecified unit; we watch space. */
#define CAPACITY 60000

/* ---- dying ---- */

void replica_die(struct replica *replica, const struct err *err)
{
    log_error("raft", "this node must end", "err=%s", LOG_QUOTED(err->text));
    replica->dead = true;
    if (replica->options.on_fatal == NULL)
        abort();
    replica->options.on_fatal(replica->options.arg, err);
}

/* ---- what an update asks for ---- */

/* Raft 5.2: before any message, and there is no going on without it. */
static int store_vote(struct replica *replica)
{
    struct err err;
    int rc = vote_store(&replica->vote, raft_current_term(&replica->raft),
                        raft_voted_for(&replica->raft), &err);
    if (rc != 0) {
        err_wrap(&err, rc, "store term and vote");
        replica_die(replica, &err);
    }
    return rc;
}

void replica_submit_job(struct replica *replica, enum log_job_kind kind, uint64_t index)
{
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = kind;
    job->index = index;
    replica->log.submit(replica->log.arg, job);
}

/* The log job of N entries from INDEX on; they are in the window already. */
static void submit_append(struct replica *replica, uint64_t index, unsigned n,
                          struct window_block *block)
{
    struct log_job *job = mem_zalloc(sizeof(*job));
    struct append *append = mem_zalloc(sizeof(*append));

    job->kind = LOG_APPEND;
    job->index = index + n - 1;
    job->count = n;
    job->entries = mem_alloc(n * sizeof(*job->entries));
    for (unsigned i = 0; i < n; i++) {
        const struct window_entry *entry = window_at(&replica->window, index + i);
        job->entries[i] = (struct wal_entry){.index = index + i,
                                             .term = entry->term,
                                             .type = entry->type,
                                             .data = entry->data};
    }
    append->block = block;
    append->report = job->index;
    block->refs++;
    list_push_back(&replica->appends, &append->node);
    job->arg = append;
    replica->log.submit(replica->log.arg, job);
}

void replica_cap_appends(struct replica *replica, uint64_t from)
{
    LIST_FOREACH(node, next, &replica->appends)
    {
        struct append *append = CONTAINER_OF(node, struct append, node);
        append->report = MIN(append->report, from - 1);
    }
    replica->persisted_index = MIN(replica->persisted_index, from - 1);
}

static void take_entries(struct replica *replica, const struct raft_update *update)
{
    uint64_t index = update->entries.index;
    unsigned n = update->entries.n;

    ASSERT(n > 0 && index <= replica->window.last + 1);
    ASSERT(index > replica->applied_index);
    if (index <= replica->window.last) {
        /* A conflicting suffix goes; what of it is still being written will not count,
         * not even if the same entries come again meanwhile. */
        window_truncate(&replica->window, index);
        replica_cap_appends(replica, index);
        replica_submit_job(replica, LOG_TRUNCATE, index);
    }
    struct window_block *block = window_block_new(update->entries.batch[0].batch, n);
    for (unsigned i = 0; i < n; i++) {
        const struct raft_entry *from = &update->entries.batch[i];
        ASSERT(from->batch == block->base);
        struct window_entry entry = {.term = from->term,
                                     .type = (uint8_t)from->type,
                                     .data = slice_of(from->buf.base, from->buf.len),
                                     .block = block};
        window_push(&replica->window, &entry);
    }
    submit_append(replica, index, n, block);
}

/* This node has become leader, or is none any more. */
static void take_state(struct replica *replica)
{
    unsigned short state = (unsigned short)raft_state(&replica->raft);
    if (state == replica->state)
        return;
    replica->state = state;
    log_info("raft", "state changed", "state=%s term=%llu last_index=%llu",
             raft_state_name(state), raft_current_term(&replica->raft),
             (unsigned long long)replica->window.last);
    if (state == RAFT_LEADER) {
        replica->term_start_index = replica->window.last;
        lease_lead(&replica->lease, raft_current_term(&replica->raft));
        for (size_t i = 0; i < replica->peer_count; i++)
            replica->peers[i].sent_index = REPLICA_SENT_UNKNOWN;
    } else {
        lease_stop(&replica->lease);
    }
}

/* A transfer that began is under way no more though we still lead: it came to nothing. */
static void watch_transfer(struct replica *replica, int64_t now_ms)
{
    if (replica->state != RAFT_LEADER)
        replica->heir = 0;
    if (lease_transferring(&replica->lease) && replica->heir == 0 &&
        raft_transferee(&replica->raft) == 0)
        lease_revoke(&replica->lease, now_ms);
}

static void tell_role(struct replica *replica)
{
    unsigned short state = (unsigned short)raft_state(&replica->raft);
    uint64_t term = raft_current_term(&replica->raft);
    uint64_t leader_id = replica_leader_id(replica);
    bool transferring = lease_transferring(&replica->lease);

    if (replica->told.state == state && replica->told.term == term &&
        replica->told.leader_id == leader_id &&
        replica->told.transferring == transferring &&
        replica->told.write_code == replica->write_code)
        return;
    replica->told.state = state;
    replica->told.term = term;
    replica->told.leader_id = leader_id;
    replica->told.transferring = transferring;
    replica->told.write_code = replica->write_code;
    if (replica->options.on_role != NULL)
        replica->options.on_role(replica->options.arg);
}

static void tell_configuration(struct replica *replica)
{
    uint64_t committed = replica->raft.configuration_committed_index;
    uint64_t uncommitted = replica->raft.configuration_uncommitted_index;

    if (replica->told.committed == committed && replica->told.uncommitted == uncommitted)
        return;
    replica->was_member =
        replica->was_member ||
        replica_has_server(&replica->raft.configuration_committed, replica->options.id);
    replica->told.committed = committed;
    replica->told.uncommitted = uncommitted;
    if (replica->options.on_configuration != NULL)
        replica->options.on_configuration(replica->options.arg);
}

/* How many voters stand for election before us when the leader is gone. */
static unsigned own_turn(const struct replica *replica)
{
    const struct raft_configuration *configuration = &replica->raft.configuration;
    uint64_t leader_id = replica_leader_id(replica);
    unsigned turn = 0;

    for (unsigned i = 0; i < configuration->n; i++) {
        const struct raft_server *server = &configuration->servers[i];
        turn += server->role == RAFT_VOTER && server->id != leader_id &&
                server->id < replica->options.id;
    }
    return turn;
}

/* libraft lets a follower stand for election somewhere between one and two timeouts, by
 * lot. In turn it is sooner, and no two begin together: the first when the others must
 * have missed the leader for as long, since before they grant no vote, the next when that
 * one should have won. Whoever loses draws its next time by lot, as ever. */
static void take_turn(struct replica *replica)
{
    unsigned timeout_ms = replica->options.election_timeout_ms;
    unsigned step_ms = replica->options.heartbeat_ms;

    if (raft_state(&replica->raft) == RAFT_FOLLOWER)
        replica->raft.follower_state.randomized_election_timeout =
            MIN(timeout_ms + step_ms / 2 + own_turn(replica) * step_ms, 2 * timeout_ms);
}

/* raft_step() and what its update asks for. */
static int step_once(struct replica *replica, struct raft_event *event, int64_t now_ms)
{
    struct raft_update update;

    memset(&update, 0, sizeof(update));
    event->time = (raft_time)now_ms;
    event->capacity = CAPACITY;
    int rc = raft_step(&replica->raft, event, &update);
    if (rc != 0)
        return rc;
    if ((update.flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) != 0 &&
        store_vote(replica) != 0)
        return 0;
    if (update.flags & RAFT_UPDATE_ENTRIES)
        take_entries(replica, &update);
    if (update.flags & RAFT_UPDATE_SNAPSHOT) {
        /* Only replica_install_begin() lets it come to this, and knows all of it. */
        raft_configuration_close(&update.snapshot.metadata.configuration);
        raft_free(update.snapshot.chunk.base);
        replica->install.state = INSTALL_BEGUN;
    }
    if (update.flags & RAFT_UPDATE_STATE)
        take_state(replica);
    take_turn(replica);
    watch_transfer(replica, now_ms);
    /* Before the messages: one may go to a node that has just been added. */
    tell_configuration(replica);
    if (update.flags & RAFT_UPDATE_MESSAGES) {
        for (unsigned i = 0; i < update.messages.n; i++)
            replica_send(replica, &update.messages.batch[i], now_ms);
    }
    return 0;
}

/* Hand back a committed configuration. */
static void step_configuration(struct replica *replica, uint64_t index, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_CONFIGURATION};

    event.configuration.index = index;
    int rc = replica_decode_configuration(window_at(&replica->window, index)->data,
                                          &event.configuration.conf);
    ASSERT(rc == 0); /* it was decoded when it was proposed or received */
    rc = step_once(replica, &event, now_ms);
    ASSERT(rc == 0);
}

/* libraft must know of each committed change before it sees the next one, which may be in
 * the next message: else a rollback would go back too far. */
static void step_configurations(struct replica *replica, int64_t now_ms)
{
    while (!replica->dead && replica->install.state < INSTALL_BEGUN &&
           replica->committed_index < raft_commit_index(&replica->raft)) {
        uint64_t index = ++replica->committed_index;
        if (window_has(&replica->window, index) &&
            window_at(&replica->window, index)->type == RAFT_CHANGE)
            step_configuration(replica, index, now_ms);
    }
}

/* Raft 6.4, and 4.1 as mended in 2015: a leader knows what is committed, and may change
 * members, when an entry of its own term is. libraft appends one only when it is not sure
 * of the last entry; then a change could begin without it. */
static void begin_leading(struct replica *replica, int64_t now_ms)
{
    uint64_t zero = 0;

    if (raft_state(&replica->raft) != RAFT_LEADER ||
        replica_term_of(replica, replica->window.last) ==
            raft_current_term(&replica->raft) ||
        replica_sole_voter(&replica->raft.configuration, replica->options.id))
        return;
    int rc = replica_append(replica, RAFT_BARRIER, slice_of(&zero, sizeof(zero)), now_ms);
    if (rc == 0)
        replica->term_start_index = replica->window.last;
}

/* libraft tells the heir with the next answer that it gets of it, up to date or not, and
 * one that is not obeys not: so libraft hears of the transfer when the heir has all. */
static void drive_transfer(struct replica *replica, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_TRANSFER};
    raft_index match;

    if (replica->heir == 0 ||
        raft_match_index(&replica->raft, replica->heir, &match) != 0)
        return;
    if (match != replica->window.last &&
        now_ms - replica->heir_since_ms < (int64_t)replica->options.election_timeout_ms)
        return;
    event.transfer.server_id = replica->heir;
    replica->heir = 0;
    if (match != replica->window.last || step_once(replica, &event, now_ms) != 0)
        lease_revoke(&replica->lease, now_ms);
}

int replica_step(struct replica *replica, struct raft_event *event, int64_t now_ms)
{
    bool led = replica->state == RAFT_LEADER;

    if (replica->dead)
        return RAFT_SHUTDOWN;
    int rc = step_once(replica, event, now_ms);
    if (rc != 0)
        return rc;
    step_configurations(replica, now_ms);
    if (!replica->dead && !led && raft_state(&replica->raft) == RAFT_LEADER)
        replica_compare_clocks(replica, now_ms);
    if (!replica->dead && !led)
        begin_leading(replica, now_ms);
    if (!replica->dead)
        drive_transfer(replica, now_ms);
    if (!replica->dead)
        tell_role(replica);
    return 0;
}

void replica_step_or_die(struct replica *replica, struct raft_event *event,
                         const char *what, int64_t now_ms)
{
    struct err err;
    int rc = replica_step(replica, event, now_ms);

    if (rc == 0 || replica->dead)
        return;
    err_set(&err, ERR_DAMAGED, "%s: %s", what, raft_strerror(rc));
    replica_die(replica, &err);
}

/* ---- applying ---- */

void replica_keep_configuration(struct replica *replica, uint64_t index,
                                struct slice data)
{
    str_reset(&replica->applied_configuration);
    str_append_slice(&replica->applied_configuration, data);
    replica->applied_configuration_index = index;
}

void replica_apply_committed(struct replica *replica, int64_t now_ms)
{
    (void)now_ms;
    if (replica->applying || replica->dead || replica->install.state >= INSTALL_BEGUN)
        return;
    replica->applying = true;
    while (replica->applied_index <
           MIN(raft_commit_index(&replica->raft), replica->persisted_index)) {
        uint64_t index = replica->applied_index + 1;
        struct window_entry entry = *window_at(&replica->window, index);
        FAULT_POINT("apply");
        if (entry.type == RAFT_CHANGE)
            replica_keep_configuration(replica, index, entry.data);
        replica->applied_index = index;
        replica->applied_term = entry.term;
        if (entry.type == RAFT_COMMAND)
            replica->options.on_apply(replica->options.arg, index, entry.term,
                                      entry.data);
        else
            replica->options.on_skip(replica->options.arg, index);
    }
    replica->applying = false;
}

/* ---- running ---- */

int replica_append(struct replica *replica, enum raft_entry_type type, struct slice data,
                   int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_SUBMIT};
    struct raft_entry entry = {.type = type, .term = raft_current_term(&replica->raft)};
    uint64_t last = replica->window.last;

    entry.buf.base = raft_malloc(data.len + 1);
    ASSERT(entry.buf.base != NULL);
    if (data.len > 0)
        memcpy(entry.buf.base, data.ptr, data.len);
    entry.buf.len = data.len;
    entry.batch = entry.buf.base;
    event.submit.entries = &entry;
    event.submit.n = 1;
    int rc = replica_step(replica, &event, now_ms);
    if (rc != 0)
        raft_free(entry.batch);
    else
        ASSERT(replica->window.last > last);
    return rc;
}

int replica_submit(struct replica *replica, struct slice data, int64_t now_ms,
                   uint64_t *index, uint64_t *term)
{
    int code = replica_write_code(replica);

    if (code != 0)
        return code;
    if (data.len > PEER_ENTRY_MAX)
        return ERR_TOO_LARGE;
    if (replica->window.bytes > WINDOW_MAX)
        return ERR_OVERLOADED;
    uint64_t next = replica->window.last + 1;
    uint64_t now_term = raft_current_term(&replica->raft);
    int rc = replica_append(replica, RAFT_COMMAND, data, now_ms);
    if (rc != 0)
        return rc == RAFT_NOTLEADER ? ERR_NOT_LEADER : ERR_UNAVAILABLE;
    *index = next;
    *term = now_term;
    return 0;
}

/* Entries up to INDEX are durable. */
static void persisted(struct replica *replica, uint64_t index, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};

    if (replica->dead || index <= replica->persisted_index)
        return;
    ASSERT(index <= replica->window.last);
    replica->persisted_index = index;
    event.persisted_entries.index = index;
    replica_step_or_die(replica, &event, "entries were stored", now_ms);
}

void replica_free_append(struct append *append)
{
    window_block_unref(append->block);
    mem_free(append);
}

static void append_done(struct replica *replica, const struct log_job *job,
                        int64_t now_ms)
{
    struct append *append = job->arg;

    list_remove(&append->node);
    if (job->code == 0)
        persisted(replica, append->report, now_ms);
    replica_free_append(append);
}

static void set_write_code(struct replica *replica, int code, int64_t now_ms)
{
    if (replica->write_code == code)
        return;
    replica->write_code = code;
    replica->muted_until_ms = now_ms + replica->options.election_timeout_ms;
    if (replica->dead)
        return;
    if (code != 0)
        replica_give_way(replica, now_ms);
    tell_role(replica);
}

void replica_log_done(struct replica *replica, struct log_job *job, int64_t now_ms)
{
    if (job->kind == LOG_NOTICE || job->code == ERR_IO)
        set_write_code(replica, job->code, now_ms);
    if (job->kind == LOG_APPEND)
        append_done(replica, job, now_ms);
    else if (job->kind == LOG_RESET)
        replica_reset_done(replica, job, now_ms);
    log_job_free(job);
    replica_apply_committed(replica, now_ms);
}

/* Without a log this node must not be elected: whoever leads must be able to append. */
static bool is_muted(const struct replica *replica)
{
    return replica->write_code != 0 && replica->state != RAFT_LEADER &&
           !replica_sole_voter(&replica->raft.configuration, replica->options.id);
}

/* A follower that became the only voter, because the leader went, elects itself without
 * an election, and libraft would let it do so in the term of that leader. */
static void begin_term_alone(struct replica *replica, int64_t now_ms)
{
    if (replica->state != RAFT_FOLLOWER ||
        now_ms < (int64_t)raft_timeout(&replica->raft) ||
        !replica_sole_voter(&replica->raft.configuration, replica->options.id))
        return;
    replica->raft.current_term++;
    replica->raft.voted_for = replica->options.id;
    replica->raft.follower_state.match = 0;
    (void)store_vote(replica);
}

void replica_begin_transfer(struct replica *replica, uint64_t id, int64_t now_ms)
{
    /* Before the message that permits it. */
    (void)lease_transfer(&replica->lease);
    replica->heir = id;
    replica->heir_since_ms = now_ms;
    drive_transfer(replica, now_ms);
    tell_role(replica);
}

void replica_tick(struct replica *replica, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_TIMEOUT};

    if (replica->dead)
        return;
    if (is_muted(replica)) {
        replica->muted_until_ms = now_ms + replica->options.election_timeout_ms;
        return;
    }
    begin_term_alone(replica, now_ms);
    replica_step_or_die(replica, &event, "the time went on", now_ms);
    if (replica->write_code != 0)
        replica_give_way(replica, now_ms);
    replica_apply_committed(replica, now_ms);
}

int64_t replica_timeout_ms(const struct replica *replica)
{
    if (replica->dead)
        return INT64_MAX;
    return is_muted(replica) ? replica->muted_until_ms
                             : (int64_t)raft_timeout(&replica->raft);
}

/* ---- checkpoints ---- */

int replica_position(struct replica *replica, struct replica_position *position,
                     struct str *configuration)
{
    size_t at = configuration->len;

    if (replica->install.state >= INSTALL_BEGUN)
        return ERR_UNAVAILABLE; /* what is applied is not what the state holds */
    str_append_slice(configuration, str_slice(&replica->applied_configuration));
    if (configuration->overflowed)
        return ERR_TOO_LARGE;
    position->index = replica->applied_index;
    position->term = replica->applied_term;
    position->configuration_index = replica->applied_configuration_index;
    position->configuration = slice_of(configuration->data + at, configuration->len - at);
    return 0;
}

void replica_set_checkpoint(struct replica *replica,
                            const struct replica_position *position)
{
    struct str *bytes = &replica->checkpoint_configuration;
    str_reset(bytes);
    str_append_slice(bytes, position->configuration);
    replica->checkpoint = *position;
    replica->checkpoint.configuration = str_slice(bytes);
}

/* How many entries up to INDEX may stay in memory. */
static unsigned count_trailing(const struct replica *replica, uint64_t index)
{
    uint64_t bytes = 0;
    unsigned n = 0;

    while (n < replica->options.trailing && window_has(&replica->window, index - n)) {
        bytes += window_at(&replica->window, index - n)->data.len;
        if (bytes > TRAILING_BYTES)
            break;
        n++;
    }
    return n;
}

void replica_checkpointed(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_SNAPSHOT};

    /* Raft asserts (in builds that do) that a snapshot is newer than the last; and one
     * from before an install counts no more. */
    if (replica->dead || position->index <= replica->checkpoint.index)
        return;
    ASSERT(position->index <= replica->applied_index);
    unsigned trailing = count_trailing(replica, position->index);
    event.snapshot.metadata.index = position->index;
    event.snapshot.metadata.term = position->term;
    event.snapshot.metadata.configuration_index = position->configuration_index;
    event.snapshot.trailing = trailing;
    int rc = replica_decode_configuration(position->configuration,
                                          &event.snapshot.metadata.configuration);
    ASSERT(rc == 0);
    replica_set_checkpoint(replica, position);
    replica_step_or_die(replica, &event, "a checkpoint was made", now_ms);
    /* The same entries that libraft forgets. */
    uint64_t end = position->index - trailing;
    if (replica->dead || !window_has(&replica->window, end))
        return;
    window_release(&replica->window, end);
    replica_submit_job(replica, LOG_TRIM, end);
}

/* ---- asking ---- */

uint64_t replica_term_of(const struct replica *replica, uint64_t index)
{
    if (index == replica->checkpoint.index)
        return replica->checkpoint.term;
    return window_term(&replica->window, index);
}

bool replica_is_leader(const struct replica *replica)
{
    return !replica->dead && replica->started &&
           raft_state((struct raft *)(uintptr_t)&replica->raft) == RAFT_LEADER;
}

int64_t replica_lease_end_ms(const struct replica *replica)
{
    const struct raft_configuration *configuration = &replica->raft.configuration;
    uint64_t voters[REPLICA_SERVERS_MAX];
    size_t count = 0;

    if (!replica_is_leader(replica))
        return LEASE_NONE;
    for (unsigned i = 0; i < configuration->n && count < REPLICA_SERVERS_MAX; i++) {
        if (configuration->servers[i].role == RAFT_VOTER)
            voters[count++] = configuration->servers[i].id;
    }
    return lease_end_ms(&replica->lease, replica->options.id, voters, count);
}

bool replica_can_read(const struct replica *replica, int64_t now_ms)
{
    return replica_is_leader(replica) &&
           replica->applied_index >= replica->term_start_index &&
           now_ms < replica_lease_end_ms(replica);
}

/* raft_leader() reads only; it lacks the const. */
static uint64_t find_leader(const struct replica *replica, const char **address)
{
    raft_id id = 0;
    *address = NULL;
    if (replica->started && !replica->dead)
        raft_leader((struct raft *)(uintptr_t)&replica->raft, &id, address);
    return id;
}

uint64_t replica_leader_id(const struct replica *replica)
{
    const char *address;
    return find_leader(replica, &address);
}

const char *replica_leader_address(const struct replica *replica)
{
    const char *address;
    /* Of a leader that is not in our configuration it is not known. */
    return find_leader(replica, &address) == 0 || address[0] == '\0' ? NULL : address;
}

int replica_write_code(const struct replica *replica)
{
    if (replica->write_code != 0)
        return replica->write_code;
    return replica_is_leader(replica) && !lease_transferring(&replica->lease)
               ? 0
               : ERR_NOT_LEADER;
}

uint64_t replica_term(const struct replica *replica)
{
    return raft_current_term(&replica->raft);
}

uint64_t replica_last_index(const struct replica *replica)
{
    return replica->window.last;
}

uint64_t replica_commit_index(const struct replica *replica)
{
    return raft_commit_index(&replica->raft);
}

uint64_t replica_applied_index(const struct replica *replica)
{
    return replica->applied_index;
}
