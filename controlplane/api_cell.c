/* api_cell.c - the cell itself: its status, its nodes, its feature level, who leads.
 *
 * What people ask for is written into the state's table of nodes; the leader brings
 * Raft's members in step with it (members.c), so promoting, demoting and removing answer
 * 202: it is accepted, and GET shows how far it is. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/version.h"
#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"

#define NODES_MAX 64
/* So long not heard of, a node counts as gone: some heartbeats. */
#define ALIVE_MS 3000
/* After a hand-over. */
#define LEADER_LOOK_MS 5
#define LEADER_WAIT_MS 2000

/* --- POST /agent/v1/nodes --- */

struct agents_view {
    size_t count;
    struct {
        uint64_t node_id;
        const char *url;
    } nodes[NODES_MAX];
};

static void agents_core(struct node *node, struct call *call)
{
    struct agents_view *view = call->data;
    const struct cell_node *row = NULL;
    while (view->count < NODES_MAX &&
           (row = state_node_next(node_state(node), row)) != NULL) {
        if (row->agents_url[0] == '\0')
            continue;
        view->nodes[view->count].node_id = row->node_id;
        view->nodes[view->count++].url =
            arena_strdup(&call->arena, slice_str(row->agents_url));
    }
    call_done(call);
}

static void agents_answer(struct call *call)
{
    const struct agents_view *view = call->data;
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    struct json *answer = call_answer(call), *nodes = json_array();
    for (size_t i = 0; i < view->count; i++) {
        struct json *row = json_array();
        json_push(row, json_int((int64_t)view->nodes[i].node_id));
        json_push(row, json_string(view->nodes[i].url));
        json_push(nodes, row);
    }
    json_set(answer, "nodes", nodes);
    trust_fingerprint(call->service->trust, fingerprint);
    json_set(answer, "ca", json_string(fingerprint));
    call_reply_json(call, 200, answer);
}

void api_nodes(struct call *call)
{
    struct agents_view *view = arena_alloc(&call->arena, sizeof(*view));
    view->count = 0;
    call->data = view;
    call_ask(call, agents_core, agents_answer);
}

/* --- a node, for people --- */

struct node_row {
    uint64_t id;
    const char *name, *people_url, *agents_url, *peer_address,
        *version; /* in the arena */
    const char *role;
    uint32_t features_max;
    bool leader, alive, snapshot, known; /* known: its place in the log is */
    int64_t heard_at_ms;                 /* 0: not */
    uint64_t match_index, behind;
    int64_t joined_at_ms, not_after_ms; /* of its certificate; 0: not known */
    uint64_t revision;
};

static const char *role_of(const struct cell_node *row, const struct node_server *server)
{
    if (server == NULL)
        return "joining";
    if (server->role == NODE_VOTER)
        return row->wanted == WANT_VOTER ? "voter" : "leaving";
    return row->wanted == WANT_VOTER ? "joining" : "standby";
}

static void copy_server(struct node *node, const struct node_server *server,
                        struct node_row *out)
{
    struct node_health health;
    node_health(node, &health);
    out->leader = server->leader;
    out->snapshot = server->installing;
    out->alive =
        server->self || (server->contact_ms >= 0 && server->contact_ms < ALIVE_MS);
    if (server->self)
        out->heard_at_ms = node_now_ms(node);
    else if (server->contact_ms >= 0)
        out->heard_at_ms = node_now_ms(node) - server->contact_ms;
    out->match_index = server->self ? health.last_index : server->match_index;
    out->known = server->self || server->match_index > 0;
    if (out->known && health.last_index > out->match_index)
        out->behind = health.last_index - out->match_index;
}

static void copy_node(struct node *node, struct call *call, const void *from, void *to)
{
    const struct cell_node *row = from;
    struct node_row *out = to;
    struct node_server servers[NODE_SERVERS_MAX];
    const struct node_server *server = NULL;
    size_t count = node_servers(node, servers);

    for (size_t i = 0; i < count; i++) {
        if (servers[i].node_id == row->node_id)
            server = &servers[i];
    }
    *out = (struct node_row){
        .id = row->node_id,
        .name = arena_strdup(&call->arena, slice_str(row->name)),
        .people_url = arena_strdup(&call->arena, slice_str(row->people_url)),
        .agents_url = arena_strdup(&call->arena, slice_str(row->agents_url)),
        .peer_address = arena_strdup(&call->arena, slice_str(row->peer_address)),
        .version = arena_strdup(&call->arena, slice_str(row->version)),
        .role = role_of(row, server),
        .features_max = row->features_max,
        .joined_at_ms = row->added_at_ms,
        .revision = row->etag,
    };
    const struct node_certificate *certificate =
        node_certificates_find(&call->service->certificates, row->node_id);
    if (certificate != NULL)
        out->not_after_ms = certificate->not_after_ms;
    if (server != NULL)
        copy_server(node, server, out);
}

static struct json *print_node(const void *from)
{
    const struct node_row *row = from;
    struct json *value = json_object();
    json_set(value, "id", json_int((int64_t)row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "role", json_string(row->role));
    json_set(value, "leader", json_bool(row->leader));
    json_set(value, "people_url", json_string(row->people_url));
    json_set(value, "agents_url", json_string(row->agents_url));
    json_set(value, "peer_address", json_string(row->peer_address));
    json_set(value, "version", json_string(row->version));
    json_set(value, "feature_level_max", json_int(row->features_max));
    json_set(value, "alive", json_bool(row->alive));
    json_set(value, "last_heard_ms",
             row->heard_at_ms == 0 ? json_null() : json_int(row->heard_at_ms));
    json_set(value, "match_index",
             row->known ? json_int((int64_t)row->match_index) : json_null());
    json_set(value, "behind", row->known ? json_int((int64_t)row->behind) : json_null());
    json_set(value, "snapshot", json_bool(row->snapshot));
    json_set(value, "joined_at_ms", json_int(row->joined_at_ms));
    json_set(value, "certificate_expires_at_ms",
             row->not_after_ms == 0 ? json_null() : json_int(row->not_after_ms));
    json_set(value, "revision", json_int((int64_t)row->revision));
    return value;
}

/* --- GET /api/v1/cell/nodes --- */

static const void *next_node(struct node *node, const struct call *call, const void *row)
{
    (void)call;
    return state_node_next(node_state(node), row);
}

static const void *find_node(struct node *node, const struct call *call,
                             const struct page_key *key)
{
    (void)call;
    return state_node(node_state(node), key->serial);
}

static void key_of_node(const void *from, unsigned sort, struct page_key *key)
{
    const struct cell_node *row = from;
    (void)sort;
    key->id = row->instance;
    key->serial = row->node_id;
    key->number = (int64_t)row->node_id;
}

static const char *const node_sorts[] = {"id", NULL};
static const struct list_source nodes_source = {
    .sorts = node_sorts,
    .row_bytes = sizeof(struct node_row),
    .next = next_node,
    .find = find_node,
    .key = key_of_node,
    .copy = copy_node,
    .print = print_node,
};

void api_cell_nodes_list(struct call *call)
{
    list_start(call, &nodes_source);
}

/* --- one of them --- */

/* The {node} of the path: a number without leading zeros. */
static bool path_node(struct call *call, uint64_t *node_id)
{
    uint64_t id = 0;
    bool good = call->id.len > 0 && call->id.len <= 19 && call->id.ptr[0] != '0';
    for (size_t i = 0; good && i < call->id.len; i++) {
        good = call->id.ptr[i] >= '0' && call->id.ptr[i] <= '9';
        id = id * 10 + (uint64_t)(call->id.ptr[i] - '0');
    }
    if (!good)
        call_fail(call, ERR_NOT_FOUND,
                  "there is no such node: ids are numbers from 1 on");
    *node_id = id;
    return good;
}

struct node_change_call {
    struct change change;
    uint64_t node_id;
    enum node_wanted wanted;
    bool remove;
    struct node_row row;
};

/* The path's node, or NULL: the call has failed. */
static const struct cell_node *want_node(struct node *node, struct call *call)
{
    const struct node_change_call *want = call->data;
    const struct cell_node *row = state_node(node_state(node), want->node_id);
    if (row == NULL)
        call_fail(call, ERR_NOT_FOUND, "%s",
                  state_node_removed(node_state(node), want->node_id)
                      ? "this node was removed from the cell"
                      : "there is no node of this id in the cell");
    return row;
}

static const void *want_row(struct node *node, struct call *call)
{
    return want_node(node, call);
}

static const struct one_source node_source = {
    .rows = &nodes_source,
    .row_at = offsetof(struct node_change_call, row),
    .version_at = offsetof(struct node_row, revision),
    .want = want_row,
};

void api_cell_nodes_get(struct call *call)
{
    struct node_change_call *get = arena_alloc(&call->arena, sizeof(*get));
    *get = (struct node_change_call){0};
    call->data = get;
    if (path_node(call, &get->node_id))
        one_start(call, &node_source);
}

static size_t count_voters(const struct state *state)
{
    const struct cell_node *row = NULL;
    size_t count = 0;
    while ((row = state_node_next(state, row)) != NULL)
        count += row->wanted == WANT_VOTER;
    return count;
}

static void alter_prepare(struct node *node, struct call *call, struct change *change)
{
    struct node_change_call *alter =
        CONTAINER_OF(change, struct node_change_call, change);
    const struct cell_node *row = want_node(node, call);
    struct command *cmd = &change->cmd;

    if (row == NULL)
        return;
    bool less = alter->remove || alter->wanted == WANT_STANDBY;
    if (less && row->wanted == WANT_VOTER && count_voters(node_state(node)) == 1) {
        call_fail(call, ERR_CONFLICT,
                  "this is the only voter: a cell without one decides nothing. Promote "
                  "or join another node first");
        return;
    }
    call_target(call, "nodes/%llu", (unsigned long long)row->node_id);
    copy_node(node, call, row, &alter->row);
    if (alter->remove) {
        cmd->kind = COMMAND_NODE_REMOVE;
        cmd->node_remove.node_id = row->node_id;
        return;
    }
    cmd->kind = COMMAND_NODE_PUT;
    cmd->node_put =
        (struct node_fields){.node_id = row->node_id,
                             .instance = row->instance,
                             .name = slice_str(alter->row.name),
                             .peer_address = slice_str(alter->row.peer_address),
                             .people_url = slice_str(alter->row.people_url),
                             .agents_url = slice_str(alter->row.agents_url),
                             .version = slice_str(alter->row.version),
                             .features_max = row->features_max,
                             .wanted = alter->wanted};
}

static void alter_copy(struct node *node, struct call *call, struct change *change)
{
    struct node_change_call *alter =
        CONTAINER_OF(change, struct node_change_call, change);
    const struct cell_node *row = state_node(node_state(node), alter->node_id);
    if (row != NULL)
        copy_node(node, call, row, &alter->row);
    else
        alter->row.role = "leaving";
}

static void alter_answer(struct call *call)
{
    one_reply(call, 202, &node_source);
}

static void alter(struct call *call, bool remove, enum node_wanted wanted)
{
    struct node_change_call *change = arena_alloc(&call->arena, sizeof(*change));
    *change = (struct node_change_call){.remove = remove, .wanted = wanted};
    change->change.what = "node";
    change->change.prepare = alter_prepare;
    change->change.copy = alter_copy;
    change->change.answer = alter_answer;
    if (path_node(call, &change->node_id))
        change_start(call, &change->change);
}

void api_cell_nodes_delete(struct call *call)
{
    alter(call, true, WANT_STANDBY);
}

void api_cell_nodes_promote(struct call *call)
{
    alter(call, false, WANT_VOTER);
}

void api_cell_nodes_demote(struct call *call)
{
    alter(call, false, WANT_STANDBY);
}

/* --- POST /api/v1/cell/transfer --- */

struct transfer {
    struct node_change change;
    struct call *call;
    struct call_proposal note;
    struct loop_timer timer;
    bool timed;
    int64_t until_ms;
    uint64_t leader;
    const char *url; /* in the arena */
};

/* Done, or given up: who leads, as far as it is known. */
static void transfer_end(struct transfer *transfer)
{
    struct call *call = transfer->call;
    struct node *node = call->service->node;
    const struct cell_node *row = state_node(node_state(node), transfer->leader);
    transfer->url =
        row == NULL ? "" : arena_strdup(&call->arena, slice_str(row->people_url));
    if (transfer->timed)
        loop_timer_fini(&transfer->timer);
    if (call->err.code == 0 && transfer->leader == 0)
        call_fail(call, ERR_UNAVAILABLE,
                  "leadership was handed over, and who has it is not known yet");
    call_done(call);
}

/* The one that took over says so within a heartbeat. */
static void transfer_look(struct loop_timer *timer, void *arg)
{
    struct transfer *transfer = arg;
    struct node *node = transfer->call->service->node;
    transfer->leader = node_leader_id(node);
    if (transfer->leader != 0 || loop_now_ms(node_loop(node)) > transfer->until_ms)
        transfer_end(transfer);
    else
        loop_timer_set(timer, LEADER_LOOK_MS);
}

static void transferred(struct node_change *change, int code, const struct err *err)
{
    struct transfer *transfer = CONTAINER_OF(change, struct transfer, change);
    struct call *call = transfer->call;
    struct loop *loop = node_loop(call->service->node);

    if (code != 0) {
        call_fail(call, code == ERR_NOT_FOUND ? ERR_INVALID : code, "%s", err->text);
        transfer_end(transfer);
        return;
    }
    transfer->timed = true;
    transfer->until_ms = loop_now_ms(loop) + LEADER_WAIT_MS;
    loop_timer_init(&transfer->timer, loop, transfer_look, transfer);
    loop_timer_set(&transfer->timer, 0);
}

static void transfer_noted(struct node *node, struct call *call)
{
    struct transfer *transfer = call->data;
    node_change(node, &transfer->change);
}

/* The audit log hears of it before: who leads no more can write nothing. */
static void transfer_core(struct node *node, struct call *call)
{
    struct transfer *transfer = call->data;
    struct command nothing = {.kind = COMMAND_PURGE};
    if (transfer->change.node_id == node_id(node)) {
        transfer->leader = node_id(node);
        transfer->url = arena_strdup(&call->arena, slice_str(call->service->people_url));
        call_done(call);
        return;
    }
    if (transfer->change.node_id == 0)
        call_target(call, "nodes");
    else
        call_target(call, "nodes/%llu", (unsigned long long)transfer->change.node_id);
    call_propose(node, call, &transfer->note, &nothing, transfer_noted);
}

static void transfer_answer(struct call *call)
{
    const struct transfer *transfer = call->data;
    struct json *answer = json_object();
    json_set(answer, "leader", json_int((int64_t)transfer->leader));
    json_set(answer, "leader_url", json_string(transfer->url));
    call_reply_json(call, 200, answer);
}

void api_cell_transfer(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct transfer *transfer = arena_alloc(&call->arena, sizeof(*transfer));
    if (!call_check_members(call, "node_id"))
        return;
    const struct json *to = json_find(call->body, "node_id");
    *transfer = (struct transfer){
        .call = call, .change = {.done = transferred, .kind = NODE_CHANGE_TRANSFER}};
    if (to != NULL)
        transfer->change.node_id =
            (uint64_t)json_as_int(&r, to, "node_id", 1, INT64_C(9007199254740991));
    if (r.failed)
        return;
    call->data = transfer;
    call_ask(call, transfer_core, transfer_answer);
}

/* --- GET and PATCH /api/v1/cell --- */

struct cell_view {
    struct change change;
    uint32_t level, level_max;
    uint64_t leader, node_id, applied_index, revision;
    int64_t founded_at_ms;
    struct node_health health;
    struct state_counts counts;
    bool purging, has_backup;
    struct backup_info backup;
};

static void copy_cell(struct node *node, struct call *call, struct cell_view *view)
{
    const struct state *state = node_state(node);
    const struct cell *cell = state_cell(state);
    const struct cell_node *row = NULL;
    const struct backup_info *backup = NULL;

    view->level = cell->feature_level;
    view->level_max = UINT32_MAX;
    while ((row = state_node_next(state, row)) != NULL)
        view->level_max = MIN(view->level_max, row->features_max);
    view->leader = node_leader_id(node);
    view->node_id = node_id(node);
    view->applied_index = state_applied_index(state);
    view->revision = cell->etag;
    view->founded_at_ms = cell->founded_at_ms;
    view->purging = state_purge_due(state);
    state_count(state, &view->counts);
    while ((backup = state_backup_next(state, backup)) != NULL) {
        view->has_backup = true;
        view->backup = *backup;
    }
    if (view->has_backup)
        view->backup.place = arena_strdup(&call->arena, slice_str(view->backup.place));
}

static struct json *print_backup(const struct cell_view *view)
{
    char hex[2 * SHA256_LEN + 1];
    struct json *value;
    if (!view->has_backup)
        return json_null();
    value = json_object();
    crypto_hex(view->backup.sha256, SHA256_LEN, hex);
    json_set(value, "id", json_uuid(&view->backup.backup_id));
    json_set(value, "recorded_at_ms", json_int(view->backup.recorded_at_ms));
    json_set(value, "place", json_string(view->backup.place));
    json_set(value, "applied_index", json_int((int64_t)view->backup.applied_index));
    json_set(value, "size_bytes", json_int((int64_t)view->backup.size_bytes));
    json_set(value, "taken_at_ms", json_int(view->backup.taken_at_ms));
    json_set(value, "sha256", json_string(hex));
    return value;
}

static struct json *print_counts(const struct state_counts *counts)
{
    struct json *value = json_object();
    json_set(value, "clusters", json_int((int64_t)counts->clusters));
    json_set(value, "topics", json_int((int64_t)counts->topics));
    json_set(value, "partitions", json_int((int64_t)counts->partitions));
    json_set(value, "agents", json_int((int64_t)counts->agents));
    json_set(value, "memory_bytes", json_int((int64_t)counts->memory_bytes));
    return value;
}

static void cell_answer(struct call *call)
{
    struct cell_view *view = call->data;
    struct uuid id = node_cell_id(call->service->node);
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    struct json *answer = json_object();

    node_health(call->service->node, &view->health);
    trust_fingerprint(call->service->trust, fingerprint);
    json_set(answer, "id", json_uuid(&id));
    json_set(answer, "created_at_ms", json_int(view->founded_at_ms));
    json_set(answer, "version", json_string(WEFT_VERSION));
    json_set(answer, "feature_level", json_int(view->level));
    json_set(answer, "feature_level_max", json_int(view->level_max));
    json_set(answer, "leader",
             view->leader == 0 ? json_null() : json_int((int64_t)view->leader));
    json_set(answer, "node_id", json_int((int64_t)view->node_id));
    json_set(answer, "term", json_int((int64_t)view->health.term));
    json_set(answer, "commit_index", json_int((int64_t)view->health.commit_index));
    json_set(answer, "applied_index", json_int((int64_t)view->applied_index));
    json_set(answer, "ca_fingerprint", json_string(fingerprint));
    json_set(answer, "counts", print_counts(&view->counts));
    json_set(answer, "purge_pending", json_bool(view->purging));
    json_set(answer, "last_backup", print_backup(view));
    json_set(answer, "revision", json_int((int64_t)view->revision));
    call_etag(call, view->revision);
    call_reply_json(call, 200, answer);
}

static void cell_core(struct node *node, struct call *call)
{
    copy_cell(node, call, call->data);
    call_done(call);
}

void api_cell_get(struct call *call)
{
    struct cell_view *view = arena_alloc(&call->arena, sizeof(*view));
    *view = (struct cell_view){0};
    call->data = view;
    call_ask(call, cell_core, cell_answer);
}

static void level_prepare(struct node *node, struct call *call, struct change *change)
{
    struct cell_view *view = CONTAINER_OF(change, struct cell_view, change);
    uint32_t level = change->cmd.feature_level.level;
    copy_cell(node, call, view);
    call_target(call, "cell");
    if (level < view->level)
        call_fail(call, ERR_CONFLICT,
                  "the cell is at feature level %u, and what it has written cannot be "
                  "taken back: a level is never lowered",
                  view->level);
    else if (level > view->level_max)
        call_fail(call, ERR_CONFLICT,
                  "not every node can do level %u: the cell's oldest program can do %u. "
                  "Upgrade all nodes first",
                  level, view->level_max);
}

static void level_copy(struct node *node, struct call *call, struct change *change)
{
    copy_cell(node, call, CONTAINER_OF(change, struct cell_view, change));
}

void api_cell_patch(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct cell_view *view = arena_alloc(&call->arena, sizeof(*view));
    if (!call_check_members(call, "feature_level"))
        return;
    *view = (struct cell_view){0};
    view->change.what = "cell";
    view->change.cmd.kind = COMMAND_FEATURE_LEVEL;
    view->change.cmd.feature_level.level =
        (uint32_t)json_get_int(&r, call->body, "feature_level", 1, UINT32_MAX);
    view->change.prepare = level_prepare;
    view->change.copy = level_copy;
    view->change.answer = cell_answer;
    if (!r.failed)
        change_start(call, &view->change);
}
