/* replica.c - events into raft_step(), its updates out to log and state.
 *
 * Entries stay in memory from their submission until they are both durable and applied.
 * raft_step() is never entered from inside its own update: applying may find committed
 * configurations, which are stepped one after the other by apply_committed(). */
#include "controlplane/replica.h"

#include <stdlib.h>
#include <string.h>

#include <raft.h>

#include "common/check.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/vote.h"

#if RAFT_VERSION_NUMBER != 2201
#error "Weft needs libraft 0.22.1: 0.15 loses committed entries (see ARCHITECTURE.md)"
#endif

/* Not exported by every build of the library; where it is, it must agree. */
#pragma weak raft_version_number

/* Entries kept behind a checkpoint, for followers that are a little late. */
#define TRAILING 4096
/* Told to the leader by raft_step's events, in an unspecified unit; we watch space. */
#define CAPACITY     60000
#define MAX_INFLIGHT 8192

/* What entries' bytes lie in; freed with the last of them. */
struct block {
    void *base; /* raft_malloc'ed */
    unsigned refs;
};

struct entry {
    uint64_t term;
    enum raft_entry_type type;
    struct slice data;
    struct block *block;
};

struct replica {
    struct replica_options options;
    struct raft raft;
    bool started; /* raft_init was called */
    struct vote vote;
    struct log_port log;
    /* Entries from first_index on, in a ring. */
    struct entry *ring;
    size_t ring_mask; /* slots - 1 */
    uint64_t first_index, last_index;
    uint64_t persisted_index; /* durable in our log */
    uint64_t applied_index, applied_term;
    uint64_t term_start_index; /* reads wait until this is applied */
    uint64_t checkpoint_index;
    unsigned short state; /* Raft's, as last reported */
    int write_code;       /* 0 or why the log cannot be written */
    bool applying;
};

/* ---- the window of entries ---- */

static struct entry *entry_at(struct replica *replica, uint64_t index)
{
    ASSERT(index >= replica->first_index && index <= replica->last_index);
    return &replica->ring[index & replica->ring_mask];
}

static void block_unref(struct block *block)
{
    if (--block->refs > 0)
        return;
    raft_free(block->base);
    mem_free(block);
}

static void ring_grow(struct replica *replica)
{
    size_t slots = replica->ring == NULL ? 1024 : (replica->ring_mask + 1) * 2;
    struct entry *ring = mem_zalloc(slots * sizeof(*ring));

    for (uint64_t i = replica->first_index; i <= replica->last_index; i++)
        ring[i & (slots - 1)] = replica->ring[i & replica->ring_mask];
    mem_free(replica->ring);
    replica->ring = ring;
    replica->ring_mask = slots - 1;
}

static void window_push(struct replica *replica, const struct entry *entry)
{
    uint64_t count = replica->last_index + 1 - replica->first_index;
    if (replica->ring == NULL || count > replica->ring_mask)
        ring_grow(replica);
    replica->last_index++;
    *entry_at(replica, replica->last_index) = *entry;
}

/* Let go of what is durable and applied. */
static void window_release(struct replica *replica)
{
    uint64_t end = MIN(replica->persisted_index, replica->applied_index);
    while (replica->first_index <= end && replica->first_index <= replica->last_index) {
        block_unref(entry_at(replica, replica->first_index)->block);
        replica->first_index++;
    }
}

/* Forget entries from index FROM on. */
static void window_truncate(struct replica *replica, uint64_t from)
{
    while (replica->last_index >= from) {
        block_unref(entry_at(replica, replica->last_index)->block);
        replica->last_index--;
    }
}

/* ---- stepping ---- */

static int step(struct replica *replica, struct raft_event *event, int64_t now_ms);

/* The log job of entries that will be durable; they are in the window already. */
static void submit_append(struct replica *replica, uint64_t index, unsigned n,
                          struct block *block)
{
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_APPEND;
    job->index = index + n - 1;
    job->count = n;
    job->entries = mem_alloc(n * sizeof(*job->entries));
    for (unsigned i = 0; i < n; i++) {
        const struct entry *entry = entry_at(replica, index + i);
        job->entries[i] = (struct wal_entry){.index = index + i,
                                             .term = entry->term,
                                             .type = (uint8_t)entry->type,
                                             .data = entry->data};
    }
    job->arg = block; /* the log reads it; let go in free_job() */
    block->refs++;
    replica->log.submit(replica->log.arg, job);
}

static void submit_truncate(struct replica *replica, uint64_t from)
{
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_TRUNCATE;
    job->index = from;
    replica->log.submit(replica->log.arg, job);
}

static void take_entries(struct replica *replica, const struct raft_update *update)
{
    uint64_t index = update->entries.index;
    unsigned n = update->entries.n;

    ASSERT(n > 0 && index <= replica->last_index + 1);
    ASSERT(index > replica->applied_index);
    if (index <= replica->last_index) {
        /* A conflicting suffix goes; what of it is still being written will not count. */
        window_truncate(replica, index);
        replica->persisted_index = MIN(replica->persisted_index, index - 1);
        submit_truncate(replica, index);
    }
    struct block *block = mem_zalloc(sizeof(*block));
    block->base = update->entries.batch[0].batch;
    block->refs = n;
    for (unsigned i = 0; i < n; i++) {
        const struct raft_entry *from = &update->entries.batch[i];
        ASSERT(from->batch == block->base);
        struct entry entry = {.term = from->term,
                              .type = from->type,
                              .data = slice_of(from->buf.base, from->buf.len),
                              .block = block};
        window_push(replica, &entry);
    }
    submit_append(replica, index, n, block);
}

/* Leader or not has changed, or might have. */
static void take_state(struct replica *replica)
{
    unsigned short state = (unsigned short)raft_state(&replica->raft);
    if (state == RAFT_LEADER && replica->state != RAFT_LEADER)
        replica->term_start_index = replica->last_index;
    if (state != replica->state)
        log_info("raft", "state changed", "state=%s term=%llu last_index=%llu",
                 raft_state_name(state), raft_current_term(&replica->raft),
                 (unsigned long long)replica->last_index);
    replica->state = state;
    if (replica->options.on_role != NULL)
        replica->options.on_role(replica->options.arg);
}

/* One event and its consequences but applying. */
static int step(struct replica *replica, struct raft_event *event, int64_t now_ms)
{
    struct raft_update update;
    struct err err;

    memset(&update, 0, sizeof(update));
    event->time = (raft_time)now_ms;
    event->capacity = CAPACITY;
    int rc = raft_step(&replica->raft, event, &update);
    if (rc != 0)
        return rc;
    if (update.flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) {
        /* Raft 5.2: before any message, and there is no going on without it. */
        if (vote_store(&replica->vote, raft_current_term(&replica->raft),
                       raft_voted_for(&replica->raft), &err) != 0) {
            log_error("raft", "term and vote cannot be stored: stopping", "err=\"%s\"",
                      err.text);
            abort();
        }
    }
    if (update.flags & RAFT_UPDATE_ENTRIES)
        take_entries(replica, &update);
    /* A single voter has nobody to send messages to, and gets no snapshot from others. */
    ASSERT((update.flags & RAFT_UPDATE_SNAPSHOT) == 0);
    if (update.flags & RAFT_UPDATE_STATE)
        take_state(replica);
    return 0;
}

static void apply_configuration(struct replica *replica, uint64_t index,
                                const struct entry *entry, int64_t now_ms)
{
    struct raft_buffer buf = {.base = (void *)(uintptr_t)entry->data.ptr,
                              .len = entry->data.len};
    struct raft_event event = {.type = RAFT_CONFIGURATION};

    event.configuration.index = index;
    int rc = raft_configuration_decode(&buf, &event.configuration.conf);
    ASSERT(rc == 0); /* it was decoded when it was proposed */
    rc = step(replica, &event, now_ms);
    ASSERT(rc == 0);
}

static void apply_committed(struct replica *replica, int64_t now_ms)
{
    if (replica->applying)
        return;
    replica->applying = true;
    while (replica->applied_index <
           MIN(raft_commit_index(&replica->raft), replica->persisted_index)) {
        uint64_t index = replica->applied_index + 1;
        struct entry entry = *entry_at(replica, index);
        FAULT_POINT("apply");
        if (entry.type == RAFT_CHANGE)
            apply_configuration(replica, index, &entry, now_ms);
        replica->applied_index = index;
        replica->applied_term = entry.term;
        if (entry.type == RAFT_COMMAND)
            replica->options.on_apply(replica->options.arg, index, entry.term,
                                      entry.data);
        else
            replica->options.on_skip(replica->options.arg, index);
        window_release(replica);
    }
    replica->applying = false;
}

/* ---- start ---- */

struct loading {
    struct raft_entry *entries;
    size_t count, cap;
    struct str bytes; /* of all entries, back to back */
};

static int load_entry(void *arg, const struct wal_entry *entry)
{
    struct loading *loading = arg;
    if (loading->count == loading->cap) {
        loading->cap = loading->cap == 0 ? 1024 : loading->cap * 2;
        loading->entries =
            mem_realloc(loading->entries, loading->cap * sizeof(*loading->entries));
    }
    loading->entries[loading->count++] =
        (struct raft_entry){.term = entry->term,
                            .type = (enum raft_entry_type)entry->type,
                            .buf = {.base = NULL, .len = entry->data.len}};
    str_append_slice(&loading->bytes, entry->data);
    return loading->bytes.overflowed ? ERR_TOO_LARGE : 0;
}

/* Entry 1 of a new cell: a configuration of this node alone. */
static int bootstrap(struct replica *replica, struct err *err)
{
    struct raft_configuration configuration;
    struct raft_buffer buf = {NULL, 0};
    size_t done;

    raft_configuration_init(&configuration);
    int rc = raft_configuration_add(&configuration, replica->options.id,
                                    replica->options.address, RAFT_VOTER);
    if (rc == 0)
        rc = raft_configuration_encode(&configuration, &buf);
    raft_configuration_close(&configuration);
    if (rc != 0)
        return err_set(err, ERR_INTERNAL, "make the first configuration: %s",
                       raft_strerror(rc));
    struct wal_entry entry = {
        .index = 1, .term = 1, .type = RAFT_CHANGE, .data = slice_of(buf.base, buf.len)};
    rc = wal_append(replica->options.wal, &entry, 1, &done, err);
    if (rc == 0)
        rc = wal_sync(replica->options.wal, err);
    raft_free(buf.base);
    if (rc == 0)
        rc = vote_store(&replica->vote, 1, 0, err);
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

int replica_new(const struct replica_options *options, struct replica **replica_out,
                struct err *err)
{
    struct replica *replica = mem_zalloc(sizeof(*replica));
    int rc = check_library(err);

    replica->options = *options;
    replica->vote.fd = -1;
    replica->state = RAFT_FOLLOWER;
    if (rc == 0)
        rc = vote_open(&replica->vote, options->vote_path, options->vote_ops, err);
    if (rc == 0 && options->bootstrap && wal_last_index(options->wal) == 0 &&
        options->start.index == 0)
        rc = bootstrap(replica, err);
    if (rc == 0 && replica->vote.term == 0) {
        /* A crash between the two halves of bootstrap; or the file is gone. */
        rc = wal_last_index(options->wal) == 1 && options->start.index == 0
                 ? vote_store(&replica->vote, 1, 0, err)
                 : err_set(err, ERR_DAMAGED,
                           "%s is missing: restore the directory from a backup",
                           options->vote_path);
    }
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

/* Set up RAFT_START's snapshot from the last checkpoint. */
static int fill_metadata(const struct replica *replica,
                         struct raft_snapshot_metadata *metadata, struct err *err)
{
    const struct replica_position *start = &replica->options.start;
    struct raft_buffer buf = {.base = (void *)(uintptr_t)start->configuration.ptr,
                              .len = start->configuration.len};

    memset(metadata, 0, sizeof(*metadata));
    metadata->index = start->index;
    metadata->term = start->term;
    metadata->configuration_index = start->configuration_index;
    int rc = raft_configuration_decode(&buf, &metadata->configuration);
    return rc == 0 ? 0
                   : err_set(err, ERR_DAMAGED, "the database's Raft configuration: %s",
                             raft_strerror(rc));
}

/* Give Raft the log; entries behind the checkpoint go into the window. */
static int step_start(struct replica *replica, struct loading *loading, int64_t now_ms,
                      struct err *err)
{
    struct raft_snapshot_metadata metadata;
    struct raft_event event = {.type = RAFT_START};
    uint64_t first = wal_first_index(replica->options.wal);
    uint8_t *bytes = (uint8_t *)loading->bytes.data;
    struct block *block = mem_zalloc(sizeof(*block));

    /* Raft frees what it is given by raft_free. */
    block->base = raft_malloc(loading->bytes.len + 1);
    ASSERT(block->base != NULL);
    if (bytes != NULL)
        memcpy(block->base, bytes, loading->bytes.len);
    block->refs = 1;
    size_t at = 0;
    for (size_t i = 0; i < loading->count; i++) {
        struct raft_entry *entry = &loading->entries[i];
        entry->buf.base = (uint8_t *)block->base + at;
        entry->batch = block->base;
        at += entry->buf.len;
        if (first + i <= replica->options.start.index)
            continue;
        struct entry keep = {.term = entry->term,
                             .type = entry->type,
                             .data = slice_of(entry->buf.base, entry->buf.len),
                             .block = block};
        block->refs++;
        window_push(replica, &keep);
    }
    int rc = 0;
    if (replica->options.start.index > 0) {
        rc = fill_metadata(replica, &metadata, err);
        event.start.metadata = &metadata;
    }
    event.start.term = replica->vote.term;
    event.start.voted_for = replica->vote.voted_for;
    event.start.start_index = first;
    event.start.entries = loading->entries;
    event.start.n_entries = (unsigned)loading->count;
    if (rc == 0) {
        int raft_rc = step(replica, &event, now_ms);
        if (raft_rc != 0)
            rc = err_set(err, ERR_DAMAGED, "Raft refuses the log: %s",
                         raft_strerror(raft_rc));
    }
    block_unref(block);
    return rc;
}

/* Whether the newest configuration of log and checkpoint is of this node alone. */
static bool is_alone(const struct replica *replica, const struct loading *loading)
{
    struct slice newest = replica->options.start.configuration;
    struct raft_configuration configuration;
    size_t at = 0;

    for (size_t i = 0; i < loading->count; i++) {
        if (loading->entries[i].type == RAFT_CHANGE)
            newest = slice_of(loading->bytes.data + at, loading->entries[i].buf.len);
        at += loading->entries[i].buf.len;
    }
    struct raft_buffer buf = {.base = (void *)(uintptr_t)newest.ptr, .len = newest.len};
    if (newest.ptr == NULL || raft_configuration_decode(&buf, &configuration) != 0)
        return false;
    bool alone =
        configuration.n == 1 && configuration.servers[0].id == replica->options.id;
    raft_configuration_close(&configuration);
    return alone;
}

/* A node alone begins a new term with each start: nobody else can, and whoever keys
 * something by term (the cursors of watch) sees a new history. libraft does not by
 * itself. */
static int begin_term(struct replica *replica, const struct loading *loading,
                      struct err *err)
{
    uint64_t term = replica->vote.term;
    if (!is_alone(replica, loading))
        return 0;
    if (loading->count > 0)
        term = MAX(term, loading->entries[loading->count - 1].term);
    return vote_store(&replica->vote, term + 1, 0, err);
}

int replica_start(struct replica *replica, const struct log_port *log, int64_t now_ms,
                  struct err *err)
{
    struct loading loading = {.count = 0};
    const struct replica_options *options = &replica->options;
    int rc = check_range(replica, err);

    if (rc != 0)
        return rc;
    rc = raft_init(&replica->raft, NULL, NULL, options->id, options->address);
    ASSERT(rc == 0);
    replica->started = true;
    raft_seed(&replica->raft, options->random_seed);
    raft_set_election_timeout(&replica->raft, options->election_timeout_ms);
    raft_set_heartbeat_timeout(&replica->raft, options->heartbeat_ms);
    raft_set_pre_vote(&replica->raft, true);
    raft_set_max_inflight_entries(&replica->raft, MAX_INFLIGHT);
    replica->log = *log;
    replica->applied_index = options->start.index;
    replica->applied_term = options->start.term;
    replica->checkpoint_index = options->start.index;
    replica->first_index = options->start.index + 1;
    replica->last_index = options->start.index;
    replica->persisted_index = wal_last_index(options->wal);
    str_init(&loading.bytes, SIZE_MAX / 2);
    rc = wal_read(options->wal, wal_first_index(options->wal), load_entry, &loading, err);
    if (rc == 0)
        rc = begin_term(replica, &loading, err);
    if (rc == 0)
        rc = step_start(replica, &loading, now_ms, err);
    mem_free(loading.entries);
    str_fini(&loading.bytes);
    if (rc == 0)
        apply_committed(replica, now_ms);
    return rc;
}

void replica_free(struct replica *replica)
{
    if (replica == NULL)
        return;
    if (replica->ring != NULL)
        window_truncate(replica, replica->first_index);
    if (replica->started)
        raft_close(&replica->raft, NULL);
    vote_close(&replica->vote);
    mem_free(replica->ring);
    mem_free(replica);
}

/* ---- running ---- */

int replica_submit(struct replica *replica, struct slice data, int64_t now_ms,
                   uint64_t *index, uint64_t *term)
{
    struct raft_event event = {.type = RAFT_SUBMIT};
    struct raft_entry entry = {.type = RAFT_COMMAND};

    if (replica->write_code != 0)
        return replica->write_code;
    if (data.len > WAL_ENTRY_MAX)
        return ERR_TOO_LARGE;
    if (!replica_is_leader(replica))
        return ERR_NOT_LEADER;
    entry.term = raft_current_term(&replica->raft);
    entry.buf.base = raft_malloc(data.len);
    ASSERT(entry.buf.base != NULL);
    memcpy(entry.buf.base, data.ptr, data.len);
    entry.buf.len = data.len;
    entry.batch = entry.buf.base;
    event.submit.entries = &entry;
    event.submit.n = 1;
    uint64_t last = replica->last_index;
    int rc = step(replica, &event, now_ms);
    if (rc != 0) {
        raft_free(entry.batch);
        return rc == RAFT_NOTLEADER ? ERR_NOT_LEADER : ERR_UNAVAILABLE;
    }
    ASSERT(replica->last_index == last + 1);
    *index = last + 1;
    *term = entry.term;
    return 0;
}

/* Entries up to INDEX are durable, unless a conflict has replaced them meanwhile. */
static void persisted(struct replica *replica, const struct log_job *job, int64_t now_ms)
{
    uint64_t index = job->index;
    const struct wal_entry *last = &job->entries[job->count - 1];
    struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};

    if (index > replica->last_index || index <= replica->persisted_index ||
        entry_at(replica, index)->term != last->term)
        return;
    replica->persisted_index = index;
    event.persisted_entries.index = index;
    int rc = step(replica, &event, now_ms);
    ASSERT(rc == 0);
}

/* Done with JOB: its entries' bytes may have left the window long since. */
static void free_job(struct log_job *job)
{
    if (job->kind == LOG_APPEND)
        block_unref(job->arg);
    mem_free(job->entries);
    mem_free(job);
}

void replica_log_done(struct replica *replica, struct log_job *job, int64_t now_ms)
{
    if (job->kind == LOG_NOTICE || job->code == ERR_IO) {
        replica->write_code = job->code;
        if (replica->options.on_role != NULL)
            replica->options.on_role(replica->options.arg);
    } else if (job->code == 0 && job->kind == LOG_APPEND) {
        persisted(replica, job, now_ms);
    }
    free_job(job);
    apply_committed(replica, now_ms);
    window_release(replica);
}

void replica_tick(struct replica *replica, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_TIMEOUT};
    int rc = step(replica, &event, now_ms);
    if (rc != 0)
        log_warn("raft", "timeout not handled", "err=\"%s\"", raft_strerror(rc));
    apply_committed(replica, now_ms);
}

int64_t replica_lease_end_ms(const struct replica *replica)
{
    return replica_is_leader(replica) ? INT64_MAX : INT64_MIN;
}

int64_t replica_timeout_ms(const struct replica *replica)
{
    return (int64_t)raft_timeout(&replica->raft);
}

/* ---- peers ---- */

int replica_receive(struct replica *replica, uint64_t from, struct slice bytes,
                    int64_t now_ms)
{
    (void)replica, (void)from, (void)bytes, (void)now_ms;
    return ERR_MALFORMED;
}

int replica_install_begin(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms)
{
    (void)replica, (void)position, (void)now_ms;
    return ERR_CANCELLED;
}

void replica_installed(struct replica *replica, int64_t now_ms)
{
    (void)replica, (void)now_ms;
}

void replica_install_failed(struct replica *replica, int64_t now_ms)
{
    (void)replica, (void)now_ms;
}

int replica_change(struct replica *replica, enum replica_change_kind kind, uint64_t id,
                   const char *address, int64_t now_ms, uint64_t *index, struct err *err)
{
    (void)replica, (void)kind, (void)id, (void)address, (void)now_ms, (void)index;
    return err_set(err, ERR_UNAVAILABLE, "a cell of one node");
}

int replica_transfer(struct replica *replica, uint64_t id, int64_t now_ms,
                     struct err *err)
{
    (void)replica, (void)id, (void)now_ms;
    return err_set(err, ERR_UNAVAILABLE, "there is no other voter");
}

size_t replica_servers(const struct replica *replica,
                       struct replica_server servers[REPLICA_SERVERS_MAX])
{
    const struct raft_configuration *configuration = &replica->raft.configuration;
    size_t n = MIN(configuration->n, (unsigned)REPLICA_SERVERS_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct raft_server *from = &configuration->servers[i];
        servers[i] = (struct replica_server){
            .id = from->id,
            .address = from->address,
            .role = from->role == RAFT_VOTER ? REPLICA_VOTER : REPLICA_STANDBY,
            .self = from->id == replica->options.id,
            .leader = from->id == replica_leader_id(replica),
            .heard_ms = -1};
    }
    return n;
}

bool replica_changing(const struct replica *replica)
{
    return replica->raft.configuration_uncommitted_index != 0;
}

bool replica_removed(const struct replica *replica)
{
    (void)replica;
    return false;
}

int replica_configuration_alone(uint64_t id, const char *address, struct str *out)
{
    struct raft_configuration configuration;
    struct raft_buffer buf = {NULL, 0};

    raft_configuration_init(&configuration);
    int rc = raft_configuration_add(&configuration, id, address, RAFT_VOTER);
    if (rc == 0)
        rc = raft_configuration_encode(&configuration, &buf);
    raft_configuration_close(&configuration);
    if (rc != 0)
        return ERR_INVALID;
    str_append(out, buf.base, buf.len);
    raft_free(buf.base);
    return out->overflowed ? ERR_TOO_LARGE : 0;
}

/* ---- checkpoints ---- */

int replica_position(struct replica *replica, struct replica_position *position,
                     struct str *configuration)
{
    struct raft_buffer buf;
    size_t at = configuration->len;
    int rc = raft_configuration_encode(&replica->raft.configuration_committed, &buf);

    if (rc != 0)
        return ERR_NOMEM;
    str_append(configuration, buf.base, buf.len);
    raft_free(buf.base);
    position->index = replica->applied_index;
    position->term = replica->applied_term;
    position->configuration_index = replica->raft.configuration_committed_index;
    position->configuration = slice_of(configuration->data + at, configuration->len - at);
    return 0;
}

void replica_checkpointed(struct replica *replica,
                          const struct replica_position *position, int64_t now_ms)
{
    struct raft_event event = {.type = RAFT_SNAPSHOT};
    struct raft_buffer buf = {.base = (void *)(uintptr_t)position->configuration.ptr,
                              .len = position->configuration.len};

    /* Raft asserts (in builds that do) that a snapshot is newer than the last. */
    if (position->index <= replica->checkpoint_index)
        return;
    replica->checkpoint_index = position->index;
    event.snapshot.metadata.index = position->index;
    event.snapshot.metadata.term = position->term;
    event.snapshot.metadata.configuration_index = position->configuration_index;
    event.snapshot.trailing = TRAILING;
    int rc = raft_configuration_decode(&buf, &event.snapshot.metadata.configuration);
    ASSERT(rc == 0);
    rc = step(replica, &event, now_ms);
    ASSERT(rc == 0);
    if (position->index <= TRAILING)
        return;
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = LOG_TRIM;
    job->index = position->index - TRAILING;
    replica->log.submit(replica->log.arg, job);
}

/* ---- asking ---- */

bool replica_is_leader(const struct replica *replica)
{
    return replica->state == RAFT_LEADER;
}

bool replica_can_read(const struct replica *replica, int64_t now_ms)
{
    (void)now_ms;
    /* A single voter's lease cannot end: nobody else can be elected. */
    return replica_is_leader(replica) &&
           replica->applied_index >= replica->term_start_index;
}

uint64_t replica_leader_id(const struct replica *replica)
{
    raft_id id;
    const char *address;
    raft_leader((struct raft *)(uintptr_t)&replica->raft, &id, &address);
    return id;
}

const char *replica_leader_address(const struct replica *replica)
{
    raft_id id;
    const char *address = NULL;
    /* raft_leader() reads only; it lacks the const. */
    raft_leader((struct raft *)(uintptr_t)&replica->raft, &id, &address);
    return id == 0 ? NULL : address;
}

int replica_write_code(const struct replica *replica)
{
    if (replica->write_code != 0)
        return replica->write_code;
    return replica_is_leader(replica) ? 0 : ERR_NOT_LEADER;
}

uint64_t replica_term(const struct replica *replica)
{
    return raft_current_term(&replica->raft);
}

uint64_t replica_last_index(const struct replica *replica)
{
    return replica->last_index;
}

uint64_t replica_commit_index(const struct replica *replica)
{
    return raft_commit_index(&replica->raft);
}

uint64_t replica_applied_index(const struct replica *replica)
{
    return replica->applied_index;
}
