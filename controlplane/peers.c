/* peers.c - see peers.h. The thread weft-peers: a link for each other node, with our
 * connection to it and its connection to us; connections that have not greeted yet.
 *
 * Everything below belongs to that thread but what says otherwise; others send commands.
 * A round every 100 ms ends what took too long, dials what is due and pings. A name
 * server that is slow or gone holds up nobody: each name is looked up by itself
 * (name_query.h), and meanwhile a node is dialled where it was last; it must show who it
 * is anyway. */
#include "controlplane/peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/backoff.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/peer_conn.h"
#include "controlplane/peer_frame.h"
#include "controlplane/peer_net.h"
#include "controlplane/peer_snapshot.h"
#include "controlplane/peer_tls.h"

#define ROUND_MS      100
#define CONNECT_MS    2000 /* from dialling to the handshake's end */
#define GREETING_MS   5000 /* from accepting to HELLO */
#define PING_MS       1000
#define SILENCE_MS    8000 /* a dialler that has not even pinged */
#define REDIAL_MIN_MS 100
#define REDIAL_MAX_MS 1000
#define WAITING_MAX   32 /* connections that have not greeted */
#define REMOVED_MAX   4096
#define QUEUE_MAX     (PEERS_MESSAGE_MAX + ((size_t)16 << 20)) /* to one node */
#define MAILED_MAX    ((size_t)256 << 20)
#define UNTAKEN_MAX   ((size_t)64 << 20) /* from one node, not yet taken by the core */
#define LOG_REPEAT_MS 30000
/* A lookup that takes longer does not keep us from trying the last address. */
#define LOOKUP_MS 500

enum command_kind {
    COMMAND_SEND,
    COMMAND_NODES,
    COMMAND_DONE,
    COMMAND_BEGIN,
    COMMAND_CLOSE,
    COMMAND_CHECK, /* connections, by the authorities */
};

struct command {
    struct message message; /* type: enum command_kind */
    uint64_t to;            /* SEND */
    size_t len;
    struct peers_address *nodes; /* NODES */
    size_t count;
    uint64_t *removed;
    size_t removed_count;
    uint8_t bytes[]; /* SEND */
};

struct link {
    struct list_node node;
    uint64_t node_id;
    char address[PEER_ADDRESS_BYTES]; /* as configured, or "" */
    char learned[PEER_ADDRESS_BYTES]; /* as it says itself, or "" */
    bool configured;
    struct name_query *query; /* on its way, or NULL */
    int64_t query_at_ms;
    struct peer_sockaddr known; /* where it was found last; len 0: nowhere yet */
    struct peer_conn *out, *in;
    int64_t dial_at_ms;
    unsigned attempt;
    struct backoff backoff;
    uint64_t boot, number; /* of its newest connection */
    uint64_t lost_boot;    /* of which the core was told PEERS_LOST */
    size_t untaken_bytes;
    struct log_limit warning;
    char last_error[ERR_TEXT_MAX];
    struct peers_status status; /* under status_mutex */
};

struct peers {
    struct peers_options options; /* its pointers are ours */
    char *address;
    char listen[PEER_ADDRESS_BYTES];
    struct loop_thread thread;
    struct mailbox commands;
    atomic_size_t mailed_bytes;
    atomic_bool lost;
    int listen_fd;
    struct loop_io listener;
    bool listening;
    struct loop_timer round;
    struct list links, waiting;
    size_t link_count, waiting_count;
    struct peer_senders senders;
    uint64_t *removed;
    size_t removed_count;
    uint64_t boot, next_number;
    struct log_limit refused_warning;
    pthread_mutex_t context_mutex;
    struct peer_tls_context *context;
    pthread_mutex_t status_mutex;
    bool stopping;
};

static const struct peer_conn_ops dial_ops, accept_ops;

/* ---- links ---- */

static struct link *find_link(struct peers *peers, uint64_t node_id)
{
    LIST_FOREACH(node, next, &peers->links)
    {
        struct link *link = CONTAINER_OF(node, struct link, node);
        if (link->node_id == node_id)
            return link;
    }
    return NULL;
}

static struct link *make_link(struct peers *peers, uint64_t node_id)
{
    struct link *link = find_link(peers, node_id);
    uint64_t seed;

    if (link != NULL || peers->link_count == PEERS_MAX)
        return link;
    link = mem_zalloc(sizeof(*link));
    link->node_id = node_id;
    link->warning.interval_ms = LOG_REPEAT_MS;
    link->status.node_id = node_id;
    crypto_random(&seed, sizeof(seed));
    backoff_init(&link->backoff, REDIAL_MIN_MS, REDIAL_MAX_MS, seed);
    pthread_mutex_lock(&peers->status_mutex);
    list_push_back(&peers->links, &link->node);
    peers->link_count++;
    pthread_mutex_unlock(&peers->status_mutex);
    return link;
}

/* Neither the configuration nor the node itself wants LINK any more, and the core has
 * taken all that came by it: else a node that comes back could send as much again. */
static bool is_over(const struct link *link)
{
    return !link->configured && link->in == NULL && link->untaken_bytes == 0;
}

static void drop_link(struct peers *peers, struct link *link)
{
    struct peer_conn *out = link->out, *in = link->in;
    struct err err = {.code = 0};

    err_set(&err, ERR_CANCELLED, "the node is not a member any more");
    link->out = link->in = NULL;
    if (out != NULL) {
        out->link = NULL;
        peer_conn_kill(out, &err);
    }
    if (in != NULL) {
        in->link = NULL;
        peer_conn_kill(in, &err);
    }
    pthread_mutex_lock(&peers->status_mutex);
    list_remove(&link->node);
    peers->link_count--;
    pthread_mutex_unlock(&peers->status_mutex);
    name_query_free(link->query);
    mem_free(link);
}

/* What the node says of itself is newer than the configuration; but if that cannot be
 * reached, the other one may be. */
static const char *link_address(const struct link *link)
{
    if (link->learned[0] == '\0' || (link->address[0] != '\0' && link->attempt % 2 == 1))
        return link->address;
    return link->learned;
}

static void publish(struct peers *peers, struct link *link)
{
    struct peers_status *status = &link->status;

    pthread_mutex_lock(&peers->status_mutex);
    status->connected = link->out != NULL && link->out->greeted;
    status->heard = link->in != NULL;
    (void)snprintf(status->address, sizeof(status->address), "%.*s", PEERS_ADDRESS_MAX,
                   link_address(link));
    (void)snprintf(status->error, sizeof(status->error), "%s",
                   status->connected ? "" : link->last_error);
    pthread_mutex_unlock(&peers->status_mutex);
}

/* Why LINK has no connection: told when it is news, and now and then. */
static void link_failed(struct peers *peers, struct link *link, const struct err *err)
{
    int64_t now_ms = clock_monotonic_ms();
    uint64_t dropped;

    if (strncmp(link->last_error, err->text, sizeof(link->last_error) - 1) != 0)
        link->warning.next_at_ms = 0;
    (void)snprintf(link->last_error, sizeof(link->last_error), "%s", err->text);
    if (!peers->stopping && log_limit_pass(&link->warning, now_ms, &dropped))
        log_warn("peers", "no connection", "node=%llu address=%s err=%s",
                 (unsigned long long)link->node_id, link_address(link),
                 LOG_QUOTED(err->text));
    link->dial_at_ms = now_ms + backoff_next_ms(&link->backoff);
    publish(peers, link);
}

static bool is_removed(const struct peers *peers, uint64_t node_id)
{
    for (size_t i = 0; i < peers->removed_count; i++) {
        if (peers->removed[i] == node_id)
            return true;
    }
    return false;
}

static struct peer_tls_context *take_context(struct peers *peers)
{
    pthread_mutex_lock(&peers->context_mutex);
    struct peer_tls_context *context = peer_tls_context_ref(peers->context);
    pthread_mutex_unlock(&peers->context_mutex);
    return context;
}

/* ---- events to the core ---- */

static void send_event(struct peers *peers, enum peers_event_kind kind, uint64_t from,
                       struct slice body)
{
    struct peers_event *event = mem_zalloc(sizeof(*event));
    event->kind = kind;
    event->from = from;
    str_init(&event->body, PEERS_MESSAGE_MAX);
    str_append_slice(&event->body, body);
    mailbox_send(peers->options.back, &event->message);
}

void peers_event_free(struct peers_event *event)
{
    str_fini(&event->body);
    mem_free(event);
}

void peers_event_done(struct peers *peers, struct peers_event *event)
{
    event->message.type = COMMAND_DONE;
    mailbox_send(&peers->commands, &event->message);
}

static void event_done(struct peers *peers, struct peers_event *event)
{
    struct link *link = find_link(peers, event->from);

    if (link != NULL) {
        link->untaken_bytes -= MIN(link->untaken_bytes, event->body.len);
        if (link->in != NULL && link->untaken_bytes <= UNTAKEN_MAX / 2)
            peer_conn_pause(link->in, false);
    }
    peers_event_free(event);
}

/* ---- our connections to others ---- */

static void fill_hello(struct peers *peers, struct peer_hello *hello)
{
    hello->cell_id = peers->options.cell_id;
    hello->from = peers->options.node_id;
    hello->boot = peers->boot;
    hello->lost = atomic_load(&peers->lost);
    (void)snprintf(hello->address, sizeof(hello->address), "%s", peers->address);
}

void peers_begin_fetch(struct peers *peers, struct peer_hello *hello,
                       struct peer_tls_context **context, const struct uuid **cell_id)
{
    fill_hello(peers, hello);
    *context = take_context(peers);
    *cell_id = &peers->options.cell_id;
}

static void on_dial_secure(struct peer_conn *conn)
{
    struct peers *peers = conn->owner;
    struct link *link = conn->link;
    struct peer_hello hello = {.purpose = PEER_RAFT};
    struct err err;

    if (conn->node_id != link->node_id) {
        err_set(&err, ERR_UNAUTHENTICATED,
                "at this address answers node %llu of the cell",
                (unsigned long long)conn->node_id);
        peer_conn_kill(conn, &err);
        return;
    }
    fill_hello(peers, &hello);
    hello.to = link->node_id;
    hello.number = ++peers->next_number;
    conn->deadline_ms = clock_monotonic_ms() + GREETING_MS;
    peer_hello_write(&hello, peer_conn_out(conn));
}

/* The other side speaks once: WELCOME or REFUSED. */
static void on_dial_frame(struct peer_conn *conn, uint8_t type, struct slice body)
{
    struct peers *peers = conn->owner;
    struct link *link = conn->link;
    char text[PEER_REFUSAL_MAX];
    enum peer_refusal reason;
    struct err err;

    if (type == PEER_WELCOME && !conn->greeted) {
        conn->greeted = true;
        conn->deadline_ms = INT64_MAX;
        backoff_reset(&link->backoff);
        link->last_error[0] = '\0';
        link->attempt = 0;
        name_query_free(link->query); /* the next connection asks anew */
        link->query = NULL;
        pthread_mutex_lock(&peers->status_mutex);
        link->status.connects++;
        pthread_mutex_unlock(&peers->status_mutex);
        publish(peers, link);
        log_info("peers", "connected", "node=%llu address=%s",
                 (unsigned long long)link->node_id, conn->address);
        return;
    }
    if (type == PEER_REFUSED && peer_refused_read(body, &reason, text) == 0) {
        err_set(&err, ERR_FORBIDDEN, "it refuses: %s", text);
        if (reason == PEER_REFUSED_REMOVED)
            send_event(peers, PEERS_REMOVED, link->node_id, SLICE_NULL);
    } else {
        err_set(&err, ERR_MALFORMED, "its answer makes no sense");
    }
    peer_conn_kill(conn, &err);
}

static void on_dial_closed(struct peer_conn *conn, const struct err *err)
{
    struct link *link = conn->link;

    if (link == NULL)
        return;
    ASSERT(link->out == conn);
    link->out = NULL;
    link->attempt++; /* another address of the name */
    pthread_mutex_lock(&((struct peers *)conn->owner)->status_mutex);
    link->status.sent_bytes += conn->sent_bytes;
    pthread_mutex_unlock(&((struct peers *)conn->owner)->status_mutex);
    link_failed(conn->owner, link, err);
}

static const struct peer_conn_ops dial_ops = {on_dial_secure, on_dial_frame,
                                              on_dial_closed};

static void dial(struct peers *peers, struct link *link, const struct peer_sockaddr *to)
{
    struct err err = {.code = 0};
    int fd = -1;
    int rc = peer_connect(to, &fd, &err);

    if (rc != 0) {
        link_failed(peers, link, &err);
        return;
    }
    struct peer_tls_context *context = take_context(peers);
    link->out = peer_conn_dial(peers->thread.loop, context, fd, &peers->options.cell_id,
                               &dial_ops, peers);
    peer_tls_context_unref(context);
    link->out->link = link;
    link->out->deadline_ms = clock_monotonic_ms() + CONNECT_MS;
    (void)snprintf(link->out->address, sizeof(link->out->address), "%s",
                   link_address(link));
}

/* An IP address is dialled at once, a name is looked up first. */
static void begin_dial(struct peers *peers, struct link *link, int64_t now_ms)
{
    struct err err = {.code = 0};
    int rc = peer_query_start(link_address(link), &link->known, &link->query, &err);

    link->query_at_ms = now_ms;
    if (rc != 0)
        link_failed(peers, link, &err);
    else if (link->query == NULL)
        dial(peers, link, &link->known);
}

/* Where LINK's node is now, or was last if no name server tells that. */
static void go_on_dial(struct peers *peers, struct link *link, int64_t now_ms)
{
    struct err err = {.code = 0};

    if (!name_query_done(link->query, 0)) {
        if (link->known.len > 0 && now_ms >= link->query_at_ms + LOOKUP_MS &&
            now_ms >= link->dial_at_ms)
            dial(peers, link, &link->known);
        return;
    }
    int rc = peer_query_take(link->query, link->attempt, &link->known, &err);
    link->query = NULL;
    if (rc == 0 || (rc == ERR_UNAVAILABLE && link->known.len > 0))
        dial(peers, link, &link->known);
    else
        link_failed(peers, link, &err);
}

/* ---- others' connections to us ---- */

static void warn_refused(struct peers *peers, const struct peer_conn *conn,
                         const struct err *err)
{
    uint64_t dropped = 0;

    if (!peers->stopping &&
        log_limit_pass(&peers->refused_warning, clock_monotonic_ms(), &dropped))
        log_warn("peers", "connection refused",
                 "from=%s node=%llu err=%s not_logged=%llu", conn->address,
                 (unsigned long long)conn->node_id, LOG_QUOTED(err->text),
                 (unsigned long long)dropped);
}

/* Say why, and end. */
static void refuse(struct peer_conn *conn, enum peer_refusal reason, const char *text)
{
    struct err err = {.code = 0};

    err_set(&err, ERR_FORBIDDEN, "%s", text);
    peer_refused_write(reason, text, peer_conn_out(conn));
    peer_conn_kill(conn, &err);
}

/* NULL, or why the greeting is not taken. */
static const char *check_hello(const struct peers *peers, const struct peer_conn *conn,
                               const struct peer_hello *hello)
{
    if (!uuid_eq(&hello->cell_id, &peers->options.cell_id))
        return "it greets for another cell";
    if (hello->from != conn->node_id)
        return "it greets as a node that its certificate does not name";
    if (hello->to != peers->options.node_id)
        return "this is another node than it looks for";
    if (hello->from == peers->options.node_id)
        return "it has this node's own id";
    return NULL;
}

static void take_raft(struct peers *peers, struct peer_conn *conn,
                      const struct peer_hello *hello)
{
    struct link *link = make_link(peers, hello->from);
    struct peer_welcome welcome = {.size = 0};
    struct err err;

    if (link == NULL) {
        refuse(conn, PEER_REFUSED_OTHER, "this node has too many peers");
        return;
    }
    if (hello->boot == link->boot && hello->number <= link->number) {
        refuse(conn, PEER_REFUSED_OTHER, "a newer connection of this node is there");
        return;
    }
    link->boot = hello->boot;
    link->number = hello->number;
    if (link->in != NULL) {
        struct peer_conn *old = link->in;
        err_set(&err, ERR_CLOSED, "its newer connection is there");
        link->in = NULL;
        old->link = NULL;
        peer_conn_kill(old, &err);
    }
    if (hello->address[0] != '\0' && strcmp(link->learned, hello->address) != 0)
        (void)snprintf(link->learned, sizeof(link->learned), "%s", hello->address);
    /* It is there: whatever we waited for before dialling again is over. */
    link->dial_at_ms = MIN(link->dial_at_ms, clock_monotonic_ms());
    link->in = conn;
    conn->link = link;
    conn->greeted = true;
    conn->frame_max = PEERS_MESSAGE_MAX;
    conn->deadline_ms = INT64_MAX;
    list_remove(&conn->node);
    peers->waiting_count--;
    peer_conn_pause(conn, link->untaken_bytes > UNTAKEN_MAX);
    if (hello->lost && link->lost_boot != hello->boot) {
        link->lost_boot = hello->boot;
        send_event(peers, PEERS_LOST, hello->from, SLICE_NULL);
    }
    peer_welcome_write(&welcome, peer_conn_out(conn));
    publish(peers, link);
}

static void take_snapshot(struct peers *peers, struct peer_conn *conn,
                          const struct peer_hello *hello)
{
    struct peer_tls *tls = NULL;
    int fd = -1;

    if (!peer_senders_room(&peers->senders, hello->from)) {
        refuse(conn, PEER_REFUSED_OTHER, "too many snapshots are being sent");
        return;
    }
    peers->waiting_count--;
    peer_conn_take(conn, &fd, &tls);
    peer_senders_add(&peers->senders, hello, fd, tls);
}

static void take_hello(struct peers *peers, struct peer_conn *conn, struct slice body)
{
    struct peer_hello hello;
    struct err err = {.code = 0};

    if (peer_hello_read(body, &hello, &err) != 0) {
        refuse(conn, PEER_REFUSED_OTHER, err.text);
        return;
    }
    const char *why = check_hello(peers, conn, &hello);
    if (why != NULL)
        refuse(conn, PEER_REFUSED_OTHER, why);
    else if (is_removed(peers, hello.from))
        refuse(conn, PEER_REFUSED_REMOVED, "this node was removed from the cell");
    else if (hello.purpose == PEER_RAFT)
        take_raft(peers, conn, &hello);
    else
        take_snapshot(peers, conn, &hello);
}

static void on_accept_secure(struct peer_conn *conn)
{
    (void)conn; /* it greets first */
}

static void on_accept_frame(struct peer_conn *conn, uint8_t type, struct slice body)
{
    struct peers *peers = conn->owner;
    struct link *link = conn->link;
    struct err err;

    if (!conn->greeted && type == PEER_HELLO) {
        take_hello(peers, conn, body);
    } else if (conn->greeted && type == PEER_MESSAGE && body.len > 0) {
        link->untaken_bytes += body.len;
        send_event(peers, PEERS_MESSAGE, link->node_id, body);
        if (link->untaken_bytes > UNTAKEN_MAX)
            peer_conn_pause(conn, true);
    } else if (!conn->greeted || type != PEER_PING) {
        err_set(&err, ERR_MALFORMED, "a frame of type %u is out of place", type);
        peer_conn_kill(conn, &err);
    }
}

static void on_accept_closed(struct peer_conn *conn, const struct err *err)
{
    struct peers *peers = conn->owner;
    struct link *link = conn->link;

    if (!conn->greeted) {
        peers->waiting_count--;
        warn_refused(peers, conn, err);
    }
    if (link == NULL)
        return;
    link->in = NULL;
    if (!peers->stopping)
        log_info("peers", "lost", "node=%llu from=%s why=%s",
                 (unsigned long long)link->node_id, conn->address, LOG_QUOTED(err->text));
    pthread_mutex_lock(&peers->status_mutex);
    link->status.received_bytes += conn->received_bytes;
    pthread_mutex_unlock(&peers->status_mutex);
    publish(peers, link);
}

static const struct peer_conn_ops accept_ops = {on_accept_secure, on_accept_frame,
                                                on_accept_closed};

static void accept_one(struct peers *peers, int fd, const char *from)
{
    struct err err;

    if (peers->waiting_count == WAITING_MAX) {
        /* The oldest has had its time: a flood must not keep a node out. */
        err_set(&err, ERR_OVERLOADED, "too many connections that do not greet");
        peer_conn_kill(CONTAINER_OF(list_first(&peers->waiting), struct peer_conn, node),
                       &err);
    }
    struct peer_tls_context *context = take_context(peers);
    struct peer_conn *conn = peer_conn_accept(
        peers->thread.loop, context, fd, &peers->options.cell_id, &accept_ops, peers);
    peer_tls_context_unref(context);
    (void)snprintf(conn->address, sizeof(conn->address), "%s", from);
    conn->deadline_ms = clock_monotonic_ms() + GREETING_MS;
    list_push_back(&peers->waiting, &conn->node);
    peers->waiting_count++;
}

static void on_listener(struct loop_io *io, unsigned events, void *arg)
{
    struct peers *peers = arg;
    char from[PEER_ADDRESS_BYTES];

    (void)io, (void)events;
    for (int i = 0; i < 16; i++) {
        int fd = peer_accept(peers->listen_fd, from);
        if (fd < 0)
            return;
        accept_one(peers, fd, from);
    }
}

/* ---- rounds ---- */

static void round_link(struct peers *peers, struct link *link, int64_t now_ms)
{
    struct peer_conn *out = link->out, *in = link->in;
    struct err err;

    if (out != NULL && now_ms >= out->deadline_ms) {
        err_set(&err, ERR_TIMEOUT, "it does not answer");
        peer_conn_kill(out, &err);
    } else if (out != NULL && out->greeted && now_ms - out->sent_at_ms >= PING_MS &&
               peer_conn_queued(out) == 0) {
        peer_frame_begin(peer_conn_out(out), PEER_PING, 0);
    }
    /* One that is not read for our own reasons is not silent. */
    if (in != NULL && !in->paused && now_ms - in->received_at_ms >= SILENCE_MS) {
        err_set(&err, ERR_TIMEOUT, "nothing was heard for %d ms", SILENCE_MS);
        peer_conn_kill(in, &err);
    }
    if (is_over(link)) {
        drop_link(peers, link);
        return;
    }
    if (link->out != NULL || link_address(link)[0] == '\0')
        return;
    if (link->query != NULL)
        go_on_dial(peers, link, now_ms);
    else if (now_ms >= link->dial_at_ms)
        begin_dial(peers, link, now_ms);
}

static void on_round(struct loop_timer *timer, void *arg)
{
    struct peers *peers = arg;
    int64_t now_ms = clock_monotonic_ms();
    struct err err;

    LIST_FOREACH(waiting, next_waiting, &peers->waiting)
    {
        struct peer_conn *conn = CONTAINER_OF(waiting, struct peer_conn, node);
        if (now_ms < conn->deadline_ms)
            break; /* in order of coming */
        err_set(&err, ERR_TIMEOUT, "it did not greet in time");
        peer_conn_kill(conn, &err);
    }
    LIST_FOREACH(node, next, &peers->links)
    {
        round_link(peers, CONTAINER_OF(node, struct link, node), now_ms);
    }
    peer_senders_sweep(&peers->senders);
    loop_timer_set(timer, ROUND_MS);
}

/* ---- commands ---- */

static void send_message(struct peers *peers, struct command *command)
{
    struct link *link = find_link(peers, command->to);
    struct peer_conn *conn = link == NULL ? NULL : link->out;
    struct err err;

    if (conn == NULL || !conn->greeted) {
        if (link != NULL) {
            pthread_mutex_lock(&peers->status_mutex);
            link->status.dropped_messages++;
            pthread_mutex_unlock(&peers->status_mutex);
        }
        return;
    }
    if (peer_conn_queued(conn) + command->len > QUEUE_MAX && peer_conn_queued(conn) > 0) {
        err_set(&err, ERR_OVERLOADED, "it takes too slowly what is sent to it");
        peer_conn_kill(conn, &err);
        return;
    }
    struct str *out = peer_conn_out(conn);
    peer_frame_begin(out, PEER_MESSAGE, command->len);
    str_append(out, command->bytes, command->len);
}

static void set_nodes(struct peers *peers, struct command *command)
{
    mem_free(peers->removed);
    peers->removed = command->removed;
    peers->removed_count = command->removed_count;
    command->removed = NULL;
    LIST_FOREACH(unmark, next_unmark, &peers->links)
    {
        CONTAINER_OF(unmark, struct link, node)->configured = false;
    }
    for (size_t i = 0; i < command->count; i++) {
        const struct peers_address *node = &command->nodes[i];
        struct link *link = node->node_id == peers->options.node_id
                                ? NULL
                                : make_link(peers, node->node_id);
        if (link == NULL)
            continue;
        link->configured = true;
        if (strcmp(link->address, node->address) != 0) {
            (void)snprintf(link->address, sizeof(link->address), "%s", node->address);
            link->dial_at_ms = 0;
            publish(peers, link);
        }
    }
    LIST_FOREACH(node, next, &peers->links)
    {
        struct link *link = CONTAINER_OF(node, struct link, node);
        if (is_removed(peers, link->node_id) || is_over(link))
            drop_link(peers, link);
    }
    on_round(&peers->round, peers); /* dial at once */
}

static void end_untrusted(struct peer_conn *conn, struct peer_tls_context *context)
{
    struct err err;

    if (conn == NULL || peer_conn_trusted(conn, context))
        return;
    err_set(&err, ERR_UNAUTHENTICATED,
            "its certificate is of an authority that was retired: both connect anew");
    peer_conn_kill(conn, &err);
}

/* Our authorities are others now: whoever was let in by one that is retired goes. */
static void check_connections(struct peers *peers)
{
    struct peer_tls_context *context = take_context(peers);

    LIST_FOREACH(node, next, &peers->links)
    {
        struct link *link = CONTAINER_OF(node, struct link, node);
        end_untrusted(link->out, context);
        end_untrusted(link->in, context);
    }
    peer_tls_context_unref(context);
}

static void close_incoming(struct peers *peers, uint64_t node_id)
{
    struct link *link = find_link(peers, node_id);
    struct err err;

    err_set(&err, ERR_MALFORMED, "what it sends is no message of Raft");
    if (link != NULL && link->in != NULL)
        peer_conn_kill(link->in, &err);
}

/* The first command: on the thread that owns the loop. */
static void begin(struct peers *peers)
{
    loop_io_init(&peers->listener, peers->thread.loop, peers->listen_fd, on_listener,
                 peers);
    loop_io_want(&peers->listener, LOOP_READ);
    loop_timer_init(&peers->round, peers->thread.loop, on_round, peers);
    loop_timer_set(&peers->round, ROUND_MS);
    peers->listening = true;
}

static void free_command(struct command *command)
{
    for (size_t i = 0; i < command->count; i++)
        mem_free((char *)(uintptr_t)command->nodes[i].address);
    mem_free(command->nodes);
    mem_free(command->removed);
    mem_free(command);
}

static void on_command(struct message *message, void *arg)
{
    struct peers *peers = arg;

    if (message->type == COMMAND_DONE) {
        event_done(peers, CONTAINER_OF(message, struct peers_event, message));
        return;
    }
    struct command *command = CONTAINER_OF(message, struct command, message);
    if (message->type == COMMAND_SEND)
        atomic_fetch_sub(&peers->mailed_bytes, command->len);
    if (!peers->stopping) {
        if (message->type == COMMAND_SEND)
            send_message(peers, command);
        else if (message->type == COMMAND_NODES)
            set_nodes(peers, command);
        else if (message->type == COMMAND_CLOSE)
            close_incoming(peers, command->to);
        else if (message->type == COMMAND_CHECK)
            check_connections(peers);
        else
            begin(peers);
    }
    free_command(command);
}

void peers_send(struct peers *peers, uint64_t to, struct slice bytes)
{
    if (bytes.len > PEERS_MESSAGE_MAX ||
        atomic_load(&peers->mailed_bytes) + bytes.len > MAILED_MAX)
        return; /* as if it were lost on the way */
    struct command *command = mem_zalloc(sizeof(*command) + bytes.len);
    command->message.type = COMMAND_SEND;
    command->to = to;
    command->len = bytes.len;
    if (bytes.len > 0)
        memcpy(command->bytes, bytes.ptr, bytes.len);
    atomic_fetch_add(&peers->mailed_bytes, bytes.len);
    mailbox_send(&peers->commands, &command->message);
}

void peers_close(struct peers *peers, uint64_t node_id)
{
    struct command *command = mem_zalloc(sizeof(*command));
    command->message.type = COMMAND_CLOSE;
    command->to = node_id;
    mailbox_send(&peers->commands, &command->message);
}

void peers_set_nodes(struct peers *peers, const struct peers_address *nodes, size_t count,
                     const uint64_t *removed, size_t removed_count)
{
    struct command *command = mem_zalloc(sizeof(*command));

    command->message.type = COMMAND_NODES;
    command->count = count;
    command->nodes = mem_zalloc((count + 1) * sizeof(*nodes));
    for (size_t i = 0; i < count; i++) {
        command->nodes[i].node_id = nodes[i].node_id;
        command->nodes[i].address = mem_strdup(nodes[i].address);
    }
    command->removed_count = MIN(removed_count, REMOVED_MAX);
    command->removed = mem_zalloc((removed_count + 1) * sizeof(*removed));
    if (removed_count > 0)
        /* The newest are the ones that may still try. */
        memcpy(command->removed, removed + (removed_count - command->removed_count),
               command->removed_count * sizeof(*removed));
    mailbox_send(&peers->commands, &command->message);
}

int peers_set_certificate(struct peers *peers,
                          const struct peers_certificate *certificate, struct err *err)
{
    struct peer_tls_context *context = NULL, *old;
    int rc = peer_tls_context_new(certificate, &context, err);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(&peers->context_mutex);
    old = peers->context;
    peers->context = context;
    pthread_mutex_unlock(&peers->context_mutex);
    peer_tls_context_unref(old);
    struct command *command = mem_zalloc(sizeof(*command));
    command->message.type = COMMAND_CHECK;
    mailbox_send(&peers->commands, &command->message);
    return 0;
}

size_t peers_status(struct peers *peers, struct peers_status status[PEERS_MAX])
{
    size_t count = 0;

    pthread_mutex_lock(&peers->status_mutex);
    LIST_FOREACH(node, next, &peers->links)
    {
        status[count++] = CONTAINER_OF(node, struct link, node)->status;
    }
    pthread_mutex_unlock(&peers->status_mutex);
    return count;
}

void peers_sent_snapshots(struct peers *peers, uint64_t *files, uint64_t *bytes)
{
    *files = atomic_load(&peers->senders.sent_files);
    *bytes = atomic_load(&peers->senders.sent_bytes);
}

void peers_set_lost(struct peers *peers, bool lost)
{
    atomic_store(&peers->lost, lost);
}

const char *peers_listen(const struct peers *peers)
{
    return peers->listen;
}

/* ---- start and stop ---- */

static void free_peers(struct peers *peers)
{
    if (peers->listen_fd >= 0)
        close(peers->listen_fd);
    peer_tls_context_unref(peers->context);
    pthread_mutex_destroy(&peers->context_mutex);
    pthread_mutex_destroy(&peers->status_mutex);
    mem_free(peers->removed);
    mem_free(peers->address);
    mem_free(peers);
}

/* The thread is still, everything is the caller's. */
static void close_all(struct peers *peers)
{
    struct list_node *node;
    struct err err;

    err_set(&err, ERR_CANCELLED, "this node stops");
    while ((node = list_first(&peers->waiting)) != NULL)
        peer_conn_kill(CONTAINER_OF(node, struct peer_conn, node), &err);
    while ((node = list_first(&peers->links)) != NULL)
        drop_link(peers, CONTAINER_OF(node, struct link, node));
    if (peers->listening) {
        loop_io_fini(&peers->listener);
        loop_timer_fini(&peers->round);
    }
}

int peers_start(const struct peers_options *options, struct peers **peers_out,
                struct err *err)
{
    struct peers *peers = mem_zalloc(sizeof(*peers));

    peers->options = *options;
    peers->address = mem_strdup(options->address == NULL ? "" : options->address);
    peers->listen_fd = -1;
    peers->refused_warning.interval_ms = 1000;
    pthread_mutex_init(&peers->context_mutex, NULL);
    pthread_mutex_init(&peers->status_mutex, NULL);
    list_init(&peers->links);
    list_init(&peers->waiting);
    peer_senders_init(&peers->senders, &peers->options);
    crypto_random(&peers->boot, sizeof(peers->boot));
    int rc = peer_tls_context_new(&options->certificate, &peers->context, err);
    if (rc == 0)
        rc = peer_listen(options->listen, &peers->listen_fd, peers->listen, err);
    if (rc == 0 && loop_thread_start(&peers->thread, "weft-peers") != 0)
        rc = err_set(err, ERR_NOMEM, "start the peers' thread");
    if (rc != 0) {
        free_peers(peers);
        return rc;
    }
    mailbox_init(&peers->commands, peers->thread.loop, on_command, peers);
    struct command *command = mem_zalloc(sizeof(*command));
    command->message.type = COMMAND_BEGIN;
    mailbox_send(&peers->commands, &command->message);
    *peers_out = peers;
    return 0;
}

void peers_stop(struct peers *peers)
{
    loop_thread_stop(&peers->thread);
    peers->stopping = true;
    peer_senders_fini(&peers->senders);
    (void)mailbox_drain(&peers->commands);
    close_all(peers);
    mailbox_fini(&peers->commands);
    loop_thread_fini(&peers->thread);
    free_peers(peers);
}
