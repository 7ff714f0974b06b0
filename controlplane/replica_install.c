/* replica_install.c - a snapshot of the leader instead of a log that is gone.
 *
 *   NONE --> FETCHING --> BEGUN --> RESET --> NONE
 *                |     (the state is  (the log begins
 *                +--> NONE replaced)    behind it)
 *
 * While the node fetches, libraft knows nothing of it: this node votes, answers and takes
 * entries as before, so a leader that dies meanwhile costs nothing. When the file is here
 * and good, libraft gets the message that offered it, with the file's own position, which
 * may be a later one: whatever a leader has applied is committed, in any term. */
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "controlplane/replica_raft.h"

void replica_offered_snapshot(struct replica *replica, uint64_t from,
                              const struct peer_message *msg)
{
    struct replica_position position = {.index = msg->install.last_index,
                                        .term = msg->install.last_term,
                                        .configuration_index =
                                            msg->install.configuration_index,
                                        .configuration = msg->install.configuration};

    if (replica->install.state != INSTALL_NONE || replica->options.on_install == NULL)
        return;
    replica->install.state = INSTALL_FETCHING;
    replica->install.from = from;
    log_info("raft", "behind the leader's log", "leader=%llu index=%llu last_index=%llu",
             (unsigned long long)from, (unsigned long long)position.index,
             (unsigned long long)replica->window.last);
    replica->options.on_install(replica->options.arg, from, &position);
}

void replica_install_failed(struct replica *replica, int64_t now_ms)
{
    (void)now_ms;
    ASSERT(replica->install.state <= INSTALL_FETCHING);
    replica->install.state = INSTALL_NONE;
}

/* RAFT_RECEIVE of an install that says POSITION. */
static void step_install(struct replica *replica, const struct replica_position *position,
                         int64_t now_ms)
{
    struct raft_message message = {.type = RAFT_INSTALL_SNAPSHOT};
    struct raft_install_snapshot *args = &message.install_snapshot;
    struct raft_event event = {.type = RAFT_RECEIVE};
    uint64_t leader = replica_leader_id(replica);
    const char *address = replica_leader_address(replica);
    char copy[REPLICA_ADDRESS_MAX + 1] = "";

    if (address != NULL)
        memcpy(copy, address, strlen(address) + 1);
    message.server_id = leader != 0 ? leader : replica->install.from;
    message.server_address = copy;
    args->version = 1;
    args->term = raft_current_term(&replica->raft);
    args->last_index = position->index;
    args->last_term = position->term;
    args->conf_index = position->configuration_index;
    int rc = replica_decode_configuration(position->configuration, &args->conf);
    ASSERT(rc == 0);
    event.receive.message = &message;
    replica_step_or_die(replica, &event, "a snapshot was fetched", now_ms);
}

int replica_install_begin(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms)
{
    struct raft_configuration configuration;

    ASSERT(replica->install.state <= INSTALL_FETCHING);
    replica->install.state = INSTALL_NONE;
    if (replica->dead || replica_is_leader(replica) ||
        position->index <= raft_commit_index(&replica->raft) ||
        replica_term_of(replica, position->index) == position->term)
        return ERR_CANCELLED;
    if (replica_decode_configuration(position->configuration, &configuration) != 0)
        return ERR_CANCELLED;
    raft_configuration_close(&configuration);
    step_install(replica, position, now_ms);
    if (replica->dead || replica->install.state != INSTALL_BEGUN)
        return ERR_CANCELLED;
    /* Nothing of the old log counts any more, not even what is being written. */
    replica_cap_appends(replica, 1);
    window_reset(&replica->window, position->index + 1);
    replica_set_checkpoint(replica, position);
    return 0;
}

void replica_installed(struct replica *replica, int64_t now_ms)
{
    (void)now_ms;
    ASSERT(replica->install.state == INSTALL_BEGUN);
    replica->install.state = INSTALL_RESET;
    replica_submit_job(replica, LOG_RESET, replica->checkpoint.index + 1);
}

void replica_reset_done(struct replica *replica, const struct log_job *job,
                        int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_PERSISTED_SNAPSHOT};
    struct raft_snapshot_metadata *metadata = &event.persisted_snapshot.metadata;
    const struct replica_position *position = &replica->checkpoint;

    if (job->code != 0 || replica->dead)
        return; /* the log is broken: a restart goes on from the snapshot */
    ASSERT(replica->install.state == INSTALL_RESET && job->index == position->index + 1);
    metadata->index = position->index;
    metadata->term = position->term;
    metadata->configuration_index = position->configuration_index;
    int rc =
        replica_decode_configuration(position->configuration, &metadata->configuration);
    ASSERT(rc == 0);
    event.persisted_snapshot.last = true;
    replica->install.state = INSTALL_NONE;
    replica->persisted_index = replica->applied_index = replica->committed_index =
        position->index;
    replica->applied_term = position->term;
    replica_keep_configuration(replica, position->configuration_index,
                               position->configuration);
    replica_step_or_die(replica, &event, "a snapshot was installed", now_ms);
    log_info("raft", "snapshot installed", "index=%llu",
             (unsigned long long)position->index);
    if (!replica->dead && replica->options.on_installed != NULL)
        replica->options.on_installed(replica->options.arg);
}
