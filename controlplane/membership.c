/* membership.c - see membership.h. */
#include "controlplane/membership.h"

#include "common/defs.h"

static const struct membership_node *find_node(const struct membership_view *view,
                                               uint64_t id)
{
    for (size_t i = 0; i < view->node_count; i++) {
        if (view->nodes[i].id == id)
            return &view->nodes[i];
    }
    return NULL;
}

static const struct replica_server *find_server(const struct membership_view *view,
                                                uint64_t id)
{
    for (size_t i = 0; i < view->server_count; i++) {
        if (view->servers[i].id == id)
            return &view->servers[i];
    }
    return NULL;
}

/* It answered within two election timeouts: a change is no matter of milliseconds. */
static bool is_near(const struct membership_view *view,
                    const struct replica_server *server)
{
    return server->self ||
           (server->heard_ms >= 0 &&
            view->now_ms - server->heard_ms <= 2 * (int64_t)view->election_timeout_ms);
}

static bool is_voter(const struct replica_server *server)
{
    return server->role == REPLICA_VOTER;
}

/* Whether the voters, without EXCEPT and with one more that answers if MORE, have a
 * majority that answers. */
static bool has_majority(const struct membership_view *view, uint64_t except, bool more)
{
    size_t voters = more ? 1 : 0, near = voters;

    for (size_t i = 0; i < view->server_count; i++) {
        const struct replica_server *server = &view->servers[i];
        if (!is_voter(server) || server->id == except)
            continue;
        voters++;
        near += is_near(view, server);
    }
    return near > voters / 2;
}

static struct membership_step step(enum membership_kind kind, uint64_t id,
                                   const char *reason)
{
    return (struct membership_step){.kind = kind, .id = id, .reason = reason};
}

static struct membership_step change(enum replica_change_kind kind, uint64_t id,
                                     const char *reason)
{
    return (struct membership_step){
        .kind = MEMBERSHIP_CHANGE, .change = kind, .id = id, .reason = reason};
}

/* SERVER goes as a voter, by KIND. */
static struct membership_step lose(const struct membership_view *view,
                                   const struct replica_server *server,
                                   enum replica_change_kind kind, const char *reason)
{
    if (is_voter(server) && !has_majority(view, server->id, false))
        return step(MEMBERSHIP_WAIT, server->id,
                    "the voters that would be left have no majority that answers");
    if (server->self)
        return step(MEMBERSHIP_TRANSFER, server->id, "the leader is to go");
    return change(kind, server->id, reason);
}

/* Who is a member and should not be; of those that answer, or of those that do not. */
static struct membership_step next_remove(const struct membership_view *view, bool near)
{
    for (size_t i = 0; i < view->server_count; i++) {
        const struct replica_server *server = &view->servers[i];
        if (find_node(view, server->id) == NULL && is_near(view, server) == near)
            return lose(view, server, REPLICA_REMOVE, "the node was removed");
    }
    return step(MEMBERSHIP_NOTHING, 0, "");
}

static struct membership_step next_remove_lost(const struct membership_view *view)
{
    return next_remove(view, false);
}

static struct membership_step next_remove_healthy(const struct membership_view *view)
{
    return next_remove(view, true);
}

static struct membership_step next_demote(const struct membership_view *view)
{
    for (size_t i = 0; i < view->server_count; i++) {
        const struct replica_server *server = &view->servers[i];
        const struct membership_node *node = find_node(view, server->id);
        if (node != NULL && node->standby && is_voter(server))
            return lose(view, server, REPLICA_DEMOTE, "the node is to be a standby");
    }
    return step(MEMBERSHIP_NOTHING, 0, "");
}

static struct membership_step next_add(const struct membership_view *view)
{
    for (size_t i = 0; i < view->node_count; i++) {
        const struct membership_node *node = &view->nodes[i];
        if (find_server(view, node->id) != NULL)
            continue;
        if (view->server_count >= REPLICA_SERVERS_MAX)
            return step(MEMBERSHIP_WAIT, node->id, "the cell has all the nodes it can");
        struct membership_step add = change(REPLICA_ADD, node->id, "the node joined");
        add.address = node->address;
        return add;
    }
    return step(MEMBERSHIP_NOTHING, 0, "");
}

/* Why SERVER cannot be promoted yet, or NULL. */
static const char *hindrance(const struct membership_view *view,
                             const struct replica_server *server)
{
    size_t voters = 0;

    for (size_t i = 0; i < view->server_count; i++)
        voters += is_voter(&view->servers[i]);
    if (voters >= REPLICA_VOTERS_MAX)
        return "the cell has all the voters it can";
    if (!is_near(view, server))
        return "the node does not answer";
    if (server->match_index + MEMBERSHIP_LAG < view->last_index)
        return "the node is catching up";
    if (!has_majority(view, 0, true))
        return "too few voters answer";
    return NULL;
}

static struct membership_step next_promote(const struct membership_view *view)
{
    struct membership_step wait = step(MEMBERSHIP_NOTHING, 0, "");

    for (size_t i = 0; i < view->server_count; i++) {
        const struct replica_server *server = &view->servers[i];
        const struct membership_node *node = find_node(view, server->id);
        if (is_voter(server) || node == NULL || node->standby)
            continue;
        const char *reason = hindrance(view, server);
        if (reason == NULL)
            return change(REPLICA_PROMOTE, server->id, "the node has caught up");
        wait = step(MEMBERSHIP_WAIT, server->id, reason);
    }
    return wait;
}

struct membership_step membership_next(const struct membership_view *view)
{
    struct membership_step (*const rules[])(const struct membership_view *) = {
        next_remove_lost, next_add, next_promote, next_demote, next_remove_healthy};
    struct membership_step wait = step(MEMBERSHIP_NOTHING, 0, "");

    if (view->changing)
        return step(MEMBERSHIP_WAIT, 0, "the last change is not committed yet");
    /* One that must wait does not hold up those behind it. */
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct membership_step next = rules[i](view);
        if (next.kind == MEMBERSHIP_CHANGE || next.kind == MEMBERSHIP_TRANSFER)
            return next;
        if (next.kind == MEMBERSHIP_WAIT && wait.kind == MEMBERSHIP_NOTHING)
            wait = next;
    }
    return wait;
}
