/* api_agents.c - an agent's own standing: register, leave, producer ids. */
#include "controlplane/api.h"

#include "controlplane/call.h"

#define NAME_MAX_LEN     255
#define URL_MAX_LEN      1024
#define PRODUCER_IDS_MAX 10000

/* --- POST /agent/v1/register --- */

struct reg {
    struct slice zone, rack, host, http_url, version;
    int32_t port;
    enum agent_state state;
    int64_t node_id;
    struct call_proposal proposal;
};

static void register_settled(struct node *node, struct call *call)
{
    struct reg *reg = call->data;
    struct command_result result;

    if (command_result_read(reg->proposal.result, &result) != 0) {
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    } else if (result.code == ERR_OVERLOADED) {
        call_fail(call, ERR_OVERLOADED, "the cluster has as many agents as it may have");
    } else if (result.code != 0) {
        call_fail(call, result.code, "the agent was not registered");
    } else {
        reg->node_id = result.value;
        sessions_touch(call->service->sessions, &call->cluster_id, &call->agent_id,
                       loop_now_ms(node_loop(node)));
        sessions_set_authority(call->service->sessions, &call->cluster_id,
                               &call->agent_id, http_exchange_peer_authority(call->x));
    }
    call_done(call);
}

static void register_core(struct node *node, struct call *call)
{
    struct reg *reg = call->data;
    struct command cmd = {
        .kind = COMMAND_AGENT_REGISTER,
        .cluster_id = call->cluster_id,
        .agent_register = {.agent_id = call->agent_id,
                           .zone = reg->zone,
                           .rack = reg->rack,
                           .host = reg->host,
                           .http_url = reg->http_url,
                           .version = reg->version,
                           .port = reg->port,
                           .state = reg->state,
                           .agents_max = (uint32_t)call->service->options->max_agents}};
    call_propose(node, call, &reg->proposal, &cmd, register_settled);
}

static void register_answer(struct call *call)
{
    const struct reg *reg = call->data;
    const struct control_options *options = call->service->options;
    struct json *answer = call_answer(call);
    json_set(answer, "node_id", json_int(reg->node_id));
    json_set(answer, "cluster_id", json_uuid(&call->cluster_id));
    json_set(answer, "agent_id", json_uuid(&call->agent_id));
    json_set(answer, "session_ms", json_int(options->session_timeout_ms));
    json_set(answer, "watch_ms", json_int(options->watch_wait_ms));
    json_set(answer, "commit_max_age_ms", json_int(options->commit_max_age_ms));
    call_reply_json(call, 200, answer);
}

void api_register(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct reg *reg = arena_alloc(&call->arena, sizeof(*reg));

    reg->zone = json_get_string(&r, call->body, "zone", NAME_MAX_LEN);
    reg->rack = json_get_string(&r, call->body, "rack", NAME_MAX_LEN);
    reg->host = json_get_string(&r, call->body, "host", NAME_MAX_LEN);
    reg->port = (int32_t)json_get_int(&r, call->body, "port", 1, 65535);
    reg->http_url = json_get_string(&r, call->body, "http_url", URL_MAX_LEN);
    reg->version = json_get_string(&r, call->body, "version", NAME_MAX_LEN);
    struct slice state = json_get_string(&r, call->body, "state", NAME_MAX_LEN);
    if (r.failed)
        return;
    if (reg->host.len == 0) {
        call_fail(call, ERR_INVALID, "host: want the name that Kafka clients connect to");
        return;
    }
    if (slice_eq_str(state, "active")) {
        reg->state = AGENT_ACTIVE;
    } else if (slice_eq_str(state, "draining")) {
        reg->state = AGENT_DRAINING;
    } else {
        call_fail(call, ERR_INVALID, "state: want \"active\" or \"draining\"");
        return;
    }
    call->data = reg;
    call_ask(call, register_core, register_answer);
}

/* --- POST /agent/v1/leave --- */

static void leave_settled(struct node *node, struct call *call)
{
    (void)node;
    /* Nobody there to be removed: so it is already as was asked. */
    sessions_forget(call->service->sessions, &call->cluster_id, &call->agent_id);
    call_done(call);
}

static void leave_core(struct node *node, struct call *call)
{
    struct command cmd = {.kind = COMMAND_AGENT_REMOVE,
                          .cluster_id = call->cluster_id,
                          .agent_remove = {.agent_id = call->agent_id}};
    call_propose(node, call, call->data, &cmd, leave_settled);
}

static void leave_answer(struct call *call)
{
    call_reply_json(call, 200, call_answer(call));
}

void api_leave(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct call_proposal));
    call_ask(call, leave_core, leave_answer);
}

/* --- POST /agent/v1/producer-ids --- */

struct producer_ids {
    int32_t count;
    int64_t first;
    struct call_proposal proposal;
};

static void ids_settled(struct node *node, struct call *call)
{
    struct producer_ids *ids = call->data;
    struct command_result result;
    (void)node;
    if (command_result_read(ids->proposal.result, &result) != 0 || result.code != 0)
        call_fail(call, ERR_INTERNAL, "no producer ids were given out");
    else
        ids->first = result.value;
    call_done(call);
}

static void ids_core(struct node *node, struct call *call)
{
    struct producer_ids *ids = call->data;
    struct command cmd = {.kind = COMMAND_PRODUCER_IDS,
                          .cluster_id = call->cluster_id,
                          .producer_ids = {.count = ids->count}};
    call_propose(node, call, &ids->proposal, &cmd, ids_settled);
}

static void ids_answer(struct call *call)
{
    const struct producer_ids *ids = call->data;
    struct json *answer = call_answer(call);
    json_set(answer, "first", json_int(ids->first));
    json_set(answer, "count", json_int(ids->count));
    call_reply_json(call, 200, answer);
}

void api_producer_ids(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct producer_ids *ids = arena_alloc(&call->arena, sizeof(*ids));
    ids->count = (int32_t)json_get_int(&r, call->body, "count", 1, PRODUCER_IDS_MAX);
    if (r.failed)
        return;
    call->data = ids;
    call_ask(call, ids_core, ids_answer);
}

/* --- POST /agent/v1/usage --- */

#define REPORT_EVERY_MS 60000 /* a command; its load is known from each call */
#define COUNTER_MAX     (INT64_C(1) << 60)

struct use_report {
    uint64_t incarnation;
    struct usage_counters counters;
    struct session_load load;
    bool final;
    enum agent_state wanted;
    struct call_proposal proposal;
};

static void usage_settled(struct node *node, struct call *call)
{
    struct use_report *usage = call->data;
    struct command_result result;
    (void)node;
    if (command_result_read(usage->proposal.result, &result) != 0)
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    else if (result.code != 0)
        call_fail(call, result.code, "the use was not counted: report it again");
    call_done(call);
}

static void usage_core(struct node *node, struct call *call)
{
    struct use_report *usage = call->data;
    struct sessions *sessions = call->service->sessions;
    const struct agent_info *agent =
        state_agent(call_cluster(node, call), &call->agent_id);

    usage->wanted = agent->wanted;
    usage->load.at_ms = node_now_ms(node);
    sessions_set_load(sessions, &call->cluster_id, &call->agent_id, &usage->load);
    /* Counters are since the agent's start, so that what is left out now is in the next
     * report. */
    if (!sessions_take_report(sessions, &call->cluster_id, &call->agent_id,
                              loop_now_ms(node_loop(node)),
                              usage->final ? 0 : REPORT_EVERY_MS)) {
        call_done(call);
        return;
    }
    struct command cmd = {.kind = COMMAND_USAGE_REPORT,
                          .cluster_id = call->cluster_id,
                          .usage_report = {.agent_id = call->agent_id,
                                           .incarnation = usage->incarnation,
                                           .counters = usage->counters}};
    call_propose(node, call, &usage->proposal, &cmd, usage_settled);
}

static void usage_answer(struct call *call)
{
    const struct use_report *usage = call->data;
    struct json *answer = call_answer(call);
    json_set(answer, "wanted_state",
             json_string(usage->wanted == AGENT_DRAINING ? "draining" : "active"));
    call_reply_json(call, 200, answer);
}

static uint64_t counter(struct json_reader *r, const struct json *object, const char *key)
{
    return (uint64_t)json_get_int(r, object, key, 0, COUNTER_MAX);
}

static void read_store(struct json_reader *r, const struct json *value,
                       struct usage_store *store)
{
    store->put = counter(r, value, "put");
    store->get = counter(r, value, "get");
    store->head = counter(r, value, "head");
    store->list = counter(r, value, "list");
    store->delete = counter(r, value, "delete");
    store->written_bytes = counter(r, value, "written_bytes");
    store->read_bytes = counter(r, value, "read_bytes");
}

void api_usage_report(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct use_report *usage = arena_alloc(&call->arena, sizeof(*usage));
    struct usage_counters *counters = &usage->counters;
    const struct json *body = call->body;

    usage->incarnation = (uint64_t)json_get_int(&r, body, "incarnation", 1, INT64_MAX);
    counters->fetched_bytes = counter(&r, body, "fetched_bytes");
    counters->fetched_records = counter(&r, body, "fetched_records");
    counters->fetch_requests = counter(&r, body, "fetch_requests");
    counters->produce_requests = counter(&r, body, "produce_requests");
    if (json_find(body, "store") != NULL)
        read_store(&r, json_get(&r, body, "store"), &counters->store);
    session_load_read(&r, body, &call->arena, &usage->load);
    usage->final = json_get_bool(&r, body, "final");
    if (r.failed)
        return;
    call->data = usage;
    call_ask(call, usage_core, usage_answer);
}
