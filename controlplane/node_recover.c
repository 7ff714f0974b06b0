/* node_recover.c - a node of several whose log is damaged comes back by its peers.
 *
 * The log is set aside as DIR/damaged-TIME, for a human to look at, and the node begins
 * anew behind its database. It may have lost entries that it had said to have, on which a
 * commit stands: until it has them again its word counts nothing. So, while
 * DIR/recovering is there:
 *
 * - it votes for nobody and stands for no election: votes asked of it and by it are
 *   dropped here, between replica and peers. The vote file stays;
 * - it greets others as one that lost its log. A leader that knows what this node once
 *   had takes its rejections for old ones (a durable log does not shrink) and sends it
 *   nothing; it hands leadership over, and the next leader begins with probing.
 *
 * It is over when an entry of a later term than this node had taken part in before was
 * applied here. Its leader was elected by others only, and of 2k others k+1. What was
 * committed with this node's lost word is in the logs of k others: one of them voted, so
 * that leader has it, before the entries of its own term; and it never counted this node
 * for more than what it answers now. An earlier term would not do: its leader still
 * counts the lost word. With fewer than three voters nobody can help: then the start is
 * refused as for a node alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"
#include "controlplane/node_core.h"
#include "proto/peer_message.h"

#define NOTE       "recovering"
#define VOTERS_MIN 3

struct recovery {
    uint64_t term; /* that this node had taken part in when it began; 0: not yet known */
};

/* TEXT: "moving" until the log was set aside whole, then "moved". */
static int write_note(const struct node *node, const char *text, struct err *err)
{
    char path[NODE_PATH_BYTES], part[NODE_PATH_BYTES];

    node_path(node, NOTE, path);
    node_path(node, NOTE ".part", part);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t len = (ssize_t)strlen(text);
    int rc = fd < 0 || write(fd, text, (size_t)len) != len || fsync(fd) != 0
                 ? err_set_errno(err, errno, "write %s", part)
                 : 0;
    if (fd >= 0)
        close(fd);
    if (rc == 0 && rename(part, path) != 0)
        rc = err_set_errno(err, errno, "rename %s", part);
    return rc == 0 ? node_sync_dir(node, err) : rc;
}

/* "" when there is no note. */
static void read_note(const struct node *node, char text[16])
{
    char path[NODE_PATH_BYTES];

    node_path(node, NOTE, path);
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, 15);
    text[MAX(n, 0)] = '\0';
    if (fd >= 0)
        close(fd);
}

/* The log's files go into a directory of their own. */
static int set_aside(struct node *node, struct err *err)
{
    char name[64], target[NODE_PATH_BYTES], from[2 * NODE_PATH_BYTES],
        to[2 * NODE_PATH_BYTES];
    struct dirent *item;
    int rc = write_note(node, "moving", err);

    (void)snprintf(name, sizeof(name), "damaged-%lld", (long long)clock_wall_ms());
    node_path(node, name, target);
    if (rc == 0 && mkdir(target, 0700) != 0 && errno != EEXIST)
        rc = err_set_errno(err, errno, "make %s", target);
    DIR *dir = rc == 0 ? opendir(node->dir) : NULL;
    while (rc == 0 && dir != NULL && (item = readdir(dir)) != NULL) {
        if (strncmp(item->d_name, "wal-", 4) != 0 && strcmp(item->d_name, "durable") != 0)
            continue;
        (void)snprintf(from, sizeof(from), "%s/%s", node->dir, item->d_name);
        (void)snprintf(to, sizeof(to), "%s/%s", target, item->d_name);
        if (rename(from, to) != 0)
            rc = err_set_errno(err, errno, "move %s", from);
        FAULT_POINT("recover-moving");
    }
    if (dir != NULL)
        closedir(dir);
    if (rc == 0)
        rc = node_sync_dir(node, err);
    if (rc == 0)
        rc = write_note(node, "moved", err);
    FAULT_POINT("recover-moved");
    if (rc == 0)
        log_warn("node",
                 "the damaged log was set aside; the other nodes have its entries",
                 "files=\"%s\"", target);
    return rc;
}

int node_recover_log(struct node *node, int (*open_log)(struct node *, struct err *),
                     struct err *err)
{
    char note[16];
    bool several =
        node->options.listen_peers != NULL &&
        replica_configuration_voters(node->loaded.position.configuration) >= VOTERS_MIN;

    read_note(node, note);
    int rc = strcmp(note, "moving") == 0 ? set_aside(node, err) : 0;
    if (rc == 0)
        rc = open_log(node, err);
    if (rc == ERR_DAMAGED && several) {
        log_error("node", "the log is damaged", "err=%s", LOG_QUOTED(err->text));
        rc = set_aside(node, err);
        if (rc == 0)
            rc = open_log(node, err);
    }
    read_note(node, note);
    if (rc != 0 || note[0] == '\0')
        return rc;
    log_warn("node", "recovering from the other nodes; no vote until that is done",
             "checkpoint=%llu", (unsigned long long)node->loaded.position.index);
    node->recovery = mem_zalloc(sizeof(*node->recovery));
    /* The new log begins behind the database. */
    if (wal_last_index(node->wal) < node->loaded.position.index)
        node->reset_log = true;
    return 0;
}

/* ---- while it lasts ---- */

bool node_recover_drops(const struct node *node, struct slice bytes)
{
    struct peer_message msg;

    return node->recovery != NULL && peer_message_decode(bytes, &msg) == 0 &&
           (msg.type == PEER_VOTE || msg.type == PEER_TIMEOUT_NOW);
}

void node_begin_recovery(struct node *node)
{
    if (node->recovery != NULL)
        node->recovery->term = replica_term(node->replica);
}

/* An entry of a later term was applied here. */
static bool is_recovered(struct node *node, struct replica_position *position)
{
    struct str configuration;

    if (replica_term(node->replica) <= node->recovery->term)
        return false;
    str_init(&configuration, 64 * KIB);
    int rc = replica_position(node->replica, position, &configuration);
    str_fini(&configuration);
    return rc == 0 && position->term > node->recovery->term;
}

void node_flush_recovery(struct node *node)
{
    struct replica_position position;
    char path[NODE_PATH_BYTES];
    struct err err = {.code = 0};

    if (node->recovery == NULL || !is_recovered(node, &position))
        return;
    node_path(node, NOTE, path);
    int rc = unlink(path) != 0 ? err_set_errno(&err, errno, "remove %s", path)
                               : node_sync_dir(node, &err);
    if (rc != 0) {
        node_fatal(node, &err);
        return;
    }
    log_info("node", "recovered: this node has all that was committed, and votes again",
             "index=%llu term=%llu", (unsigned long long)position.index,
             (unsigned long long)position.term);
    mem_free(node->recovery);
    node->recovery = NULL;
    peers_set_lost(node->peers, false);
}

/* ---- at the leader ---- */

/* Another voter than the one that lost its log, and which obeys no such word; 0: none
 * answers. */
static uint64_t heir_beside(const struct node *node, uint64_t lost)
{
    struct replica_server servers[REPLICA_SERVERS_MAX];
    size_t count = replica_servers(node->replica, servers);
    int64_t since_ms = clock_monotonic_ms() - (int64_t)node->options.election_timeout_ms;
    uint64_t heir = 0, best = 0;

    for (size_t i = 0; i < count; i++) {
        const struct replica_server *server = &servers[i];
        if (server->self || server->id == lost || server->role != REPLICA_VOTER ||
            server->heard_ms < since_ms || server->match_index <= best)
            continue;
        heir = server->id;
        best = server->match_index;
    }
    return heir;
}

void node_peer_lost(struct node *node, uint64_t from)
{
    if (!replica_is_leader(node->replica))
        return; /* whoever leads next knows nothing of it anyway */
    log_warn("node", "a node has lost its log: handing leadership over for it",
             "node=%llu", (unsigned long long)from);
    node->transfer_for = from;
    node->transfer_term = replica_term(node->replica);
    node_retry_transfer(node);
}

/* It is done when another leads, or this node anew: a hand-over that was begun may come
 * to nothing. */
void node_retry_transfer(struct node *node)
{
    struct err err;

    if (node->transfer_for == 0)
        return;
    if (!replica_is_leader(node->replica) ||
        replica_term(node->replica) != node->transfer_term) {
        node->transfer_for = 0;
        return;
    }
    uint64_t heir = heir_beside(node, node->transfer_for);
    if (heir != 0 &&
        replica_transfer(node->replica, heir, clock_monotonic_ms(), &err) != 0)
        log_debug("node", "leadership cannot be handed over yet", "err=%s",
                  LOG_QUOTED(err.text));
    node_touch(node);
}
