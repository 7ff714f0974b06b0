/* replica_start.c - from checkpoint, log and vote to a replica that runs.
 *
 * The three must fit together: what does not is damage, which only a human can judge, but
 * for the two halves of a bootstrap and of an install, which a crash may have parted. */
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/replica_raft.h"

#if RAFT_VERSION_NUMBER != 2201
#error "Weft needs libraft 0.22.1: 0.15 loses committed entries (see ARCHITECTURE.md)"
#endif

/* Not exported by every build of the library; where it is, it must agree. */
#pragma weak raft_version_number

/* Entries sent to a node before it has answered. */
#define MAX_INFLIGHT 2048
/* The log is loaded into blocks of so much. */
#define LOAD_BLOCK MIB

int replica_decode_configuration(struct slice bytes,
                                 struct raft_configuration *configuration)
{
    struct raft_buffer buf = {.base = (void *)(uintptr_t)bytes.ptr, .len = bytes.len};
    /* libraft's decoder trusts its input. */
    if (!peer_configuration_valid(bytes))
        return RAFT_MALFORMED;
    return raft_configuration_decode(&buf, configuration);
}

int replica_configuration_alone(uint64_t id, const char *address, struct str *out)
{
    struct raft_configuration configuration;
    struct raft_buffer buf = {NULL, 0};

    if (id == 0 || strlen(address) > REPLICA_ADDRESS_MAX)
        return ERR_INVALID;
    raft_configuration_init(&configuration);
    int rc = raft_configuration_add(&configuration, id, address, RAFT_VOTER);
    if (rc == 0)
        rc = raft_configuration_encode(&configuration, &buf);
    raft_configuration_close(&configuration);
    ASSERT(rc == 0);
    str_append(out, buf.base, buf.len);
    raft_free(buf.base);
    return out->overflowed ? ERR_TOO_LARGE : 0;
}

size_t replica_configuration_voters(struct slice bytes)
{
    struct raft_configuration configuration;
    size_t voters = 0;

    if (replica_decode_configuration(bytes, &configuration) != 0)
        return 0;
    for (unsigned i = 0; i < configuration.n; i++)
        voters += configuration.servers[i].role == RAFT_VOTER;
    raft_configuration_close(&configuration);
    return voters;
}

/* Entry 1 of a new cell: a configuration of this node alone. */
static int bootstrap(struct replica *replica, struct err *err)
{
    struct str bytes;
    size_t done;

    str_init(&bytes, PEER_CONFIGURATION_MAX);
    int rc = replica_configuration_alone(replica->options.id, replica->address, &bytes);
    if (rc != 0)
        err_set(err, rc, "\"%s\" is no address for peers", replica->address);
    struct wal_entry entry = {
        .index = 1, .term = 1, .type = RAFT_CHANGE, .data = str_slice(&bytes)};
    if (rc == 0)
        rc = wal_append(replica->options.wal, &entry, 1, &done, err);
    if (rc == 0)
        rc = wal_sync(replica->options.wal, err);
    if (rc == 0)
        rc = vote_store(&replica->vote, 1, 0, err);
    str_fini(&bytes);
    return rc;
}

static int check_library(struct err *err)
{
    if (raft_version_number != NULL && raft_version_number() != RAFT_VERSION_NUMBER)
        return err_set(err, ERR_UNSUPPORTED,
                       "libraft is of version %d, built for %d (0.22.1): install "
                       "libraft0 0.22.1",
                       raft_version_number(), RAFT_VERSION_NUMBER);
    return 0;
}

struct find_term {
    uint64_t index, term;
};

static int see_term(void *arg, const struct wal_entry *entry)
{
    struct find_term *find = arg;
    if (entry->index == find->index)
        find->term = entry->term;
    return entry->index >= find->index ? ERR_EXISTS : 0;
}

/* Finish what an install began. The log may be the old one, half deleted, or anew and
 * with entries that were acknowledged since: those stay. */
static int finish_install(struct replica *replica, struct err *err)
{
    struct wal *wal = replica->options.wal;
    const struct replica_position *start = &replica->options.start;
    struct find_term find = {.index = start->index};

    if (!replica->options.reset_log || start->index == 0 ||
        wal_first_index(wal) == start->index + 1)
        return 0;
    if (wal_first_index(wal) <= start->index && wal_last_index(wal) >= start->index) {
        int rc = wal_read(wal, start->index, see_term, &find, err);
        if (rc != 0 && rc != ERR_EXISTS)
            return rc;
    }
    return find.term == start->term ? 0 : wal_reset(wal, start->index + 1, err);
}

static int check_vote(struct replica *replica, struct err *err)
{
    uint64_t last = wal_last_index(replica->options.wal);
    bool new_log = replica->options.start.index == 0;

    if (replica->options.bootstrap && new_log && last == 0)
        return err_set(err, ERR_DAMAGED,
                       "there is a vote but no log: this was a node of a cell; restore "
                       "the directory from a backup, or begin with an empty one");
    if (replica->vote.term != 0 || (new_log && last == 0))
        return 0;
    /* A crash between the two halves of bootstrap; or the file is gone. */
    if (new_log && last == 1 && replica->options.bootstrap)
        return vote_store(&replica->vote, 1, 0, err);
    return err_set(err, ERR_DAMAGED,
                   "%s is missing: restore the directory from a backup, or remove this "
                   "node from its cell and add a new one",
                   replica->options.vote_path);
}

static void init(struct replica *replica, const struct replica_options *options)
{
    replica->options = *options;
    if (replica->options.trailing == 0)
        replica->options.trailing = REPLICA_TRAILING;
    replica->address = mem_strdup(options->address);
    replica->options.address = replica->address;
    replica->vote.fd = -1;
    replica->state = replica->told.state = RAFT_FOLLOWER;
    list_init(&replica->appends);
    window_init(&replica->window, 1);
    str_init(&replica->applied_configuration, PEER_CONFIGURATION_MAX);
    str_init(&replica->checkpoint_configuration, PEER_CONFIGURATION_MAX);
    str_init(&replica->out, PEER_MESSAGE_MAX);
}

int replica_new(const struct replica_options *options, struct replica **replica_out,
                struct err *err)
{
    struct replica *replica = mem_zalloc(sizeof(*replica));

    init(replica, options);
    int rc = check_library(err);
    if (rc == 0)
        rc = vote_open(&replica->vote, options->vote_path, options->vote_ops, err);
    if (rc == 0)
        rc = finish_install(replica, err);
    if (rc == 0 && options->bootstrap && replica->vote.term == 0 &&
        wal_last_index(options->wal) == 0 && options->start.index == 0)
        rc = bootstrap(replica, err);
    if (rc == 0)
        rc = check_vote(replica, err);
    if (rc != 0) {
        replica_free(replica);
        return rc;
    }
    *replica_out = replica;
    return 0;
}

/* The log must reach back to the checkpoint and contain it. */
static int check_range(const struct replica *replica, struct err *err)
{
    uint64_t first = wal_first_index(replica->options.wal);
    uint64_t last = wal_last_index(replica->options.wal);
    uint64_t start = replica->options.start.index;

    if (first > start + 1)
        return err_set(err, ERR_DAMAGED,
                       "the log begins at entry %llu but the database holds only up to "
                       "%llu: restore the directory from a backup",
                       (unsigned long long)first, (unsigned long long)start);
    if (last < start)
        return err_set(err, ERR_DAMAGED,
                       "the log ends at entry %llu but the database is at %llu: restore "
                       "the directory from a backup",
                       (unsigned long long)last, (unsigned long long)start);
    return 0;
}

/* The log goes into the window, in blocks. */
struct loading {
    struct replica *replica;
    struct window_block *block; /* holds one reference */
    size_t used, size;
};

static int load_entry(void *arg, const struct wal_entry *entry)
{
    struct loading *loading = arg;
    size_t len = entry->data.len;

    if (loading->block == NULL || loading->size - loading->used < len) {
        if (loading->block != NULL)
            window_block_unref(loading->block);
        loading->size = MAX(len, (size_t)LOAD_BLOCK);
        loading->used = 0;
        void *base = raft_malloc(loading->size);
        ASSERT(base != NULL);
        loading->block = window_block_new(base, 1);
    }
    uint8_t *bytes = (uint8_t *)loading->block->base + loading->used;
    if (len > 0)
        memcpy(bytes, entry->data.ptr, len);
    loading->used += len;
    if (entry->type == RAFT_CHANGE && !peer_configuration_valid(entry->data))
        return ERR_DAMAGED;
    struct window_entry keep = {.term = entry->term,
                                .type = entry->type,
                                .data = slice_of(bytes, len),
                                .block = loading->block};
    loading->block->refs++;
    window_push(&loading->replica->window, &keep);
    return 0;
}

static int load_log(struct replica *replica, struct err *err)
{
    struct wal *wal = replica->options.wal;
    struct loading loading = {.replica = replica};

    window_init(&replica->window, wal_first_index(wal));
    int rc = wal_read(wal, wal_first_index(wal), load_entry, &loading, err);
    if (loading.block != NULL)
        window_block_unref(loading.block);
    if (rc == ERR_DAMAGED && err->code == 0)
        err_set(err, rc, "the log holds a configuration that cannot be read");
    replica->persisted_index = replica->window.last;
    return rc;
}

bool replica_sole_voter(const struct raft_configuration *configuration, uint64_t id)
{
    bool found = false;
    for (unsigned i = 0; i < configuration->n; i++) {
        if (configuration->servers[i].role != RAFT_VOTER)
            continue;
        if (configuration->servers[i].id != id)
            return false;
        found = true;
    }
    return found;
}

/* Whether the newest configuration of log and checkpoint has no voter but this node. */
static bool starts_alone(const struct replica *replica)
{
    struct slice newest = replica->options.start.configuration;
    struct raft_configuration configuration;

    for (uint64_t i = replica->window.last; i >= replica->window.first; i--) {
        if (window_at(&replica->window, i)->type == RAFT_CHANGE) {
            newest = window_at(&replica->window, i)->data;
            break;
        }
    }
    if (newest.ptr == NULL || replica_decode_configuration(newest, &configuration) != 0)
        return false;
    bool alone = replica_sole_voter(&configuration, replica->options.id);
    raft_configuration_close(&configuration);
    return alone;
}

/* A single voter leads from its start on, and libraft lets it do so in the term it had:
 * entries of that term that were sent and not yet durable before a crash could come again
 * as others. So it begins a new term with each start. */
static int begin_term(struct replica *replica, struct err *err)
{
    uint64_t term = replica->vote.term;
    if (!starts_alone(replica))
        return 0;
    term = MAX(term, window_term(&replica->window, replica->window.last));
    return vote_store(&replica->vote, term + 1, replica->options.id, err);
}

/* RAFT_START with checkpoint and log. */
static int step_start(struct replica *replica, int64_t now_ms, struct err *err)
{
    const struct replica_position *start = &replica->options.start;
    struct window *window = &replica->window;
    struct raft_snapshot_metadata metadata;
    struct raft_event event = {.type = RAFT_START};
    size_t count = (size_t)(window->last + 1 - window->first);
    int rc = 0;

    if (start->index > 0) {
        memset(&metadata, 0, sizeof(metadata));
        metadata.index = start->index;
        metadata.term = start->term;
        metadata.configuration_index = start->configuration_index;
        rc = replica_decode_configuration(start->configuration, &metadata.configuration);
        if (rc != 0)
            return err_set(err, ERR_DAMAGED, "the database's Raft configuration: %s",
                           raft_strerror(rc));
        event.start.metadata = &metadata;
    }
    struct raft_entry *entries = mem_zalloc((count + 1) * sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const struct window_entry *entry = window_at(window, window->first + i);
        /* Only looked at: terms, types and configurations. */
        entries[i].term = entry->term;
        entries[i].type = (enum raft_entry_type)entry->type;
        entries[i].buf = (struct raft_buffer){.base = (void *)(uintptr_t)entry->data.ptr,
                                              .len = entry->data.len};
    }
    event.start.term = replica->vote.term;
    event.start.voted_for = replica->vote.voted_for;
    event.start.start_index = window->first;
    event.start.entries = entries;
    event.start.n_entries = (unsigned)count;
    rc = replica_step(replica, &event, now_ms);
    mem_free(entries);
    if (rc != 0)
        return err_set(err, ERR_DAMAGED, "Raft refuses the log: %s", raft_strerror(rc));
    return 0;
}

static void start_raft(struct replica *replica)
{
    const struct replica_options *options = &replica->options;
    int rc = raft_init(&replica->raft, NULL, NULL, options->id, replica->address);
    ASSERT(rc == 0);
    replica->started = true;
    raft_seed(&replica->raft, options->random_seed);
    raft_set_election_timeout(&replica->raft, options->election_timeout_ms);
    raft_set_heartbeat_timeout(&replica->raft, options->heartbeat_ms);
    raft_set_pre_vote(&replica->raft, true);
    raft_set_max_inflight_entries(&replica->raft, MAX_INFLIGHT);
}

int replica_start(struct replica *replica, const struct log_port *log, int64_t now_ms,
                  struct err *err)
{
    const struct replica_position *start = &replica->options.start;
    int rc = check_range(replica, err);

    if (rc != 0)
        return rc;
    start_raft(replica);
    replica->log = *log;
    replica->applied_index = replica->committed_index = start->index;
    replica->applied_term = start->term;
    replica_keep_configuration(replica, start->configuration_index, start->configuration);
    replica_set_checkpoint(replica, start);
    lease_init(&replica->lease, replica->options.election_timeout_ms,
               replica->options.heartbeat_ms, now_ms);
    err->code = 0;
    rc = load_log(replica, err);
    if (rc == 0)
        rc = begin_term(replica, err);
    if (rc == 0)
        rc = step_start(replica, now_ms, err);
    if (rc == 0)
        replica_apply_committed(replica, now_ms);
    return rc;
}

void replica_free(struct replica *replica)
{
    struct list_node *node;

    if (replica == NULL)
        return;
    while ((node = list_pop_front(&replica->appends)) != NULL)
        replica_free_append(CONTAINER_OF(node, struct append, node));
    window_fini(&replica->window);
    if (replica->started)
        raft_close(&replica->raft, NULL);
    vote_close(&replica->vote);
    str_fini(&replica->applied_configuration);
    str_fini(&replica->checkpoint_configuration);
    str_fini(&replica->out);
    mem_free(replica->address);
    mem_free(replica);
}
