/* node_peers.c - other nodes: messages to and from them, who they are, changes of the
 * membership one at a time, and the hand-over before a stop. */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/node_core.h"

#define CHANGE_MS    10000
#define STEP_DOWN_MS 1000
#define REMOVED_MAX  256 /* the newest: their certificates may still be valid */

/* ---- messages ---- */

void node_on_message(void *arg, uint64_t to, struct slice bytes)
{
    struct node *node = arg;
    if (node->peers != NULL && !node_recover_drops(node, bytes))
        peers_send(node->peers, to, bytes);
}

static void end_membership(struct node *node, const char *reason)
{
    if (node->removed_told || node->stopping)
        return;
    node->removed_told = true;
    log_error("node", "this node is no member of the cell any more",
              "node=%llu reason=\"%s\"", (unsigned long long)node->options.node_id,
              reason);
    if (node->options.on_removed != NULL)
        node->options.on_removed(node->options.arg, reason);
}

void node_on_peer(struct message *message, void *arg)
{
    struct node *node = arg;
    struct peers_event *event = CONTAINER_OF(message, struct peers_event, message);
    char reason[128];

    if (node->peers == NULL || node->stopping) {
        peers_event_free(event);
        return;
    }
    if (!node->running) {
        /* Raft has not begun: as if it were lost on the way. */
    } else if (event->kind == PEERS_REMOVED) {
        (void)snprintf(reason, sizeof(reason), "node %llu says that it was removed",
                       (unsigned long long)event->from);
        end_membership(node, reason);
    } else if (event->kind == PEERS_LOST) {
        node_peer_lost(node, event->from);
    } else if (!node_recover_drops(node, str_slice(&event->body))) {
        int rc = replica_receive(node->replica, event->from, str_slice(&event->body),
                                 clock_monotonic_ms());
        if (rc == ERR_MALFORMED)
            peers_close(node->peers, event->from);
        node_touch(node);
    }
    peers_event_done(node->peers, event);
}

/* ---- who they are ---- */

void node_on_configuration(void *arg)
{
    struct node *node = arg;
    node->configuration_changed = true;
    node_touch(node);
}

/* The ids that were members once and must not be let in again: what the state remembers,
 * but for those that Raft's configuration still names. */
static size_t list_removed(const struct node *node, const struct replica_server *servers,
                           size_t count, uint64_t removed[REMOVED_MAX])
{
    uint64_t next = state_cell(node->state)->next_node_id;
    size_t found = 0;

    for (uint64_t id = next > 0 ? next - 1 : 0; id > 0 && found < REMOVED_MAX; id--) {
        bool member = false;
        for (size_t i = 0; i < count; i++)
            member = member || servers[i].id == id;
        if (!member && state_node_removed(node->state, id))
            removed[found++] = id;
    }
    return found;
}

/* The state has a newer address than the configuration when a node has moved. */
static const char *address_of(const struct node *node,
                              const struct replica_server *server)
{
    const struct cell_node *known = state_node(node->state, server->id);
    return known != NULL && known->peer_address != NULL && known->peer_address[0] != '\0'
               ? known->peer_address
               : server->address;
}

static void tell_addresses(struct node *node)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    struct peers_address addresses[REPLICA_SERVERS_MAX];
    uint64_t removed[REMOVED_MAX];
    size_t count = replica_servers(node->replica, servers);
    size_t removed_count = list_removed(node, servers, count, removed);

    for (size_t i = 0; i < count; i++) {
        addresses[i].node_id = servers[i].id;
        addresses[i].address = address_of(node, &servers[i]);
    }
    /* A node that joins knows no configuration yet, only what it was told. */
    if (count == 0 && node->options.known_count > 0)
        peers_set_nodes(node->peers, node->options.known, node->options.known_count, NULL,
                        0);
    else
        peers_set_nodes(node->peers, addresses, count, removed, removed_count);
}

void node_look_at_members(struct node *node)
{
    uint64_t hash = state_cell(node->state)->next_node_id;

    for (const struct cell_node *known = NULL;
         (known = state_node_next(node->state, known)) != NULL;)
        hash = hash * 31 + known->node_id * 7 + known->etag;
    if (hash != node->members_hash)
        node->configuration_changed = true;
    node->members_hash = hash;
}

size_t node_servers(const struct node *node, struct node_server servers[NODE_SERVERS_MAX])
{
    struct replica_server raft[REPLICA_SERVERS_MAX];
    struct peers_status status[PEERS_MAX];
    size_t connections = node->peers == NULL ? 0 : peers_status(node->peers, status);
    size_t count = MIN(replica_servers(node->replica, raft), (size_t)NODE_SERVERS_MAX);
    int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < count; i++) {
        struct node_server *server = &servers[i];
        memset(server, 0, sizeof(*server));
        server->node_id = raft[i].id;
        (void)snprintf(server->address, sizeof(server->address), "%s", raft[i].address);
        server->role = raft[i].role == REPLICA_VOTER ? NODE_VOTER : NODE_STANDBY;
        server->leader = raft[i].leader;
        server->self = raft[i].self;
        server->match_index = raft[i].match_index;
        server->contact_ms = raft[i].self           ? 0
                             : raft[i].heard_ms < 0 ? -1
                                                    : now_ms - raft[i].heard_ms;
        server->installing = raft[i].installing;
        server->connected = raft[i].self;
        for (size_t k = 0; k < connections; k++) {
            if (status[k].node_id == raft[i].id)
                server->connected = status[k].connected;
        }
    }
    return count;
}

int node_set_certificate(struct node *node, const struct peers_certificate *certificate,
                         struct err *err)
{
    return node->peers == NULL ? 0 : peers_set_certificate(node->peers, certificate, err);
}

const char *node_peers_listen(const struct node *node)
{
    return node->peers == NULL ? "" : peers_listen(node->peers);
}

/* ---- changes ---- */

static void end_change(struct node *node, struct node_change *change, int code)
{
    if (node->changing == change)
        node->changing = NULL;
    change->code = code;
    list_push_back(&node->changes_ended, &change->node);
    node_touch(node);
}

static int begin_change(struct node *node, struct node_change *change)
{
    static const enum replica_change_kind kinds[] = {
        [NODE_CHANGE_ADD] = REPLICA_ADD,
        [NODE_CHANGE_PROMOTE] = REPLICA_PROMOTE,
        [NODE_CHANGE_DEMOTE] = REPLICA_DEMOTE,
        [NODE_CHANGE_REMOVE] = REPLICA_REMOVE,
    };
    int64_t now_ms = clock_monotonic_ms();

    if (node->stopping || node->stepping_down != NULL)
        return err_set(&change->err, ERR_CANCELLED, "this node stops");
    if (!replica_is_leader(node->replica))
        return err_set(&change->err, ERR_NOT_LEADER, "this node is not the leader");
    if (node->changing != NULL)
        return err_set(&change->err, ERR_CONFLICT,
                       "another change of the cell's members is under way");
    if (node->peers == NULL &&
        (change->kind == NODE_CHANGE_ADD || change->kind == NODE_CHANGE_PROMOTE))
        return err_set(&change->err, ERR_UNSUPPORTED,
                       "this node speaks to no others: start it with --listen-peers");
    if (change->kind == NODE_CHANGE_TRANSFER)
        return replica_transfer(node->replica, change->node_id, now_ms, &change->err);
    return replica_change(node->replica, kinds[change->kind], change->node_id,
                          change->address, now_ms, &node->changing_index, &change->err);
}

void node_change(struct node *node, struct node_change *change)
{
    list_node_init(&change->node);
    change->err.code = 0;
    change->err.text[0] = '\0';
    change->until_ms = clock_monotonic_ms() + CHANGE_MS;
    node->changing_index = 0;
    int rc = begin_change(node, change);
    if (rc != 0) {
        end_change(node, change, rc);
        return;
    }
    node->changing = change;
    node->changing_term = replica_term(node->replica);
    /* It may have been applied before this returned. */
    if (node->changing_index > 0 &&
        replica_applied_index(node->replica) >= node->changing_index)
        end_change(node, change, 0);
    node_touch(node);
}

void node_change_applied(struct node *node, uint64_t index)
{
    struct node_change *change = node->changing;

    if (change == NULL || change->kind == NODE_CHANGE_TRANSFER ||
        index != node->changing_index)
        return;
    if (replica_term(node->replica) == node->changing_term)
        end_change(node, change, 0);
    else
        end_change(node, change,
                   err_set(&change->err, ERR_UNAVAILABLE,
                           "leadership was lost; look whether the change was made"));
}

void node_change_role(struct node *node)
{
    struct node_change *change = node->changing;
    bool leader = replica_is_leader(node->replica);
    bool writable = replica_write_code(node->replica) == 0;

    /* Not before the other one leads: our vote is still on its way to it. */
    if (node->stepping_down != NULL && !leader && replica_leader_id(node->replica) != 0) {
        struct ask *ask = node->stepping_down;
        node->stepping_down = NULL;
        ask_done(ask);
    }
    if (change == NULL)
        return;
    if (change->kind == NODE_CHANGE_TRANSFER) {
        if (!leader)
            end_change(node, change, 0);
        else if (writable)
            end_change(node, change,
                       err_set(&change->err, ERR_UNAVAILABLE,
                               "the other node did not take over in time"));
    }
    /* Else it is decided at the end of the tick: this may be called in the midst of an
     * apply that ends the change. */
}

/* The change of one that leads no more. */
static void settle_change(struct node *node)
{
    struct node_change *change = node->changing;

    if (change == NULL || change->kind == NODE_CHANGE_TRANSFER ||
        replica_is_leader(node->replica))
        return;
    end_change(node, change,
               err_set(&change->err, ERR_UNAVAILABLE,
                       "leadership was lost; look whether the change was made"));
}

void node_change_tick(struct node *node)
{
    struct node_change *change = node->changing;
    int64_t now_ms = clock_monotonic_ms();

    if (change != NULL && now_ms >= change->until_ms)
        end_change(node, change,
                   err_set(&change->err, ERR_TIMEOUT,
                           "no majority has answered; it may still be made"));
    if (node->stepping_down != NULL && now_ms >= node->step_down_until_ms) {
        struct ask *ask = node->stepping_down;
        node->stepping_down = NULL;
        ask_done(ask);
    }
}

void node_flush_peers(struct node *node)
{
    struct list ended;
    struct list_node *item;

    if (node->configuration_changed) {
        node->configuration_changed = false;
        /* Who the others are should be known without the log. */
        node->checkpoint_wanted = !replica_changing(node->replica);
        if (node->peers != NULL)
            tell_addresses(node);
        if (replica_removed(node->replica))
            end_membership(node, "the cell's configuration does not name it any more");
    }
    settle_change(node);
    list_init(&ended);
    list_splice(&ended, &node->changes_ended);
    while ((item = list_pop_front(&ended)) != NULL) {
        struct node_change *change = CONTAINER_OF(item, struct node_change, node);
        change->done(change, change->code, &change->err);
    }
}

void node_end_changes(struct node *node, int code)
{
    struct list_node *item;

    if (node->changing != NULL)
        end_change(node, node->changing,
                   err_set(&node->changing->err, code, "%s", err_text(code)));
    while ((item = list_pop_front(&node->changes_ended)) != NULL) {
        struct node_change *change = CONTAINER_OF(item, struct node_change, node);
        change->done(change, change->code, &change->err);
    }
}

void node_step_down(struct node *node, struct ask *ask)
{
    struct err err;

    node_flush_proposals(node, true); /* what was asked for before goes along */
    if (!replica_is_leader(node->replica) || node->peers == NULL ||
        replica_transfer(node->replica, 0, clock_monotonic_ms(), &err) != 0) {
        ask_done(ask);
        return;
    }
    node->stepping_down = ask;
    node->step_down_until_ms = clock_monotonic_ms() + STEP_DOWN_MS;
    node_touch(node);
}

/* ---- start and stop ---- */

static int open_snapshot(void *arg, uint64_t index, uint64_t file_index,
                         int64_t created_at_ms, struct peers_file *file, struct err *err)
{
    struct node *node = arg;
    return snapshot_store_open(node->snapshots, index, file_index, created_at_ms, file,
                               err);
}

static void close_snapshot(void *arg, struct peers_file *file)
{
    struct node *node = arg;
    snapshot_store_close(node->snapshots, file);
}

int node_start_peers(struct node *node, struct err *err)
{
    struct peers_options options = {
        .cell_id = node->cell_id,
        .node_id = node->options.node_id,
        .listen = node->options.listen_peers,
        .address = node->address,
        .certificate = node->options.certificate,
        .snapshot_rate_bytes = node->options.snapshot_rate_bytes,
        .back = &node->peers_in,
        .arg = node,
        .open_snapshot = open_snapshot,
        .close_snapshot = close_snapshot,
    };
    if (options.listen == NULL)
        return 0;
    node->configuration_changed = true;
    int rc = peers_start(&options, &node->peers, err);
    if (rc == 0)
        peers_set_lost(node->peers, node->recovery != NULL);
    return rc;
}

void node_stop_peers(struct node *node)
{
    struct peers *peers = node->peers;

    node->peers = NULL;
    if (peers != NULL)
        peers_stop(peers);
}
