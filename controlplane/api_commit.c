/* api_commit.c - the hot call: objects' commits, many in one request.
 *
 * The server's thread turns each COMMIT's JSON into the raw form that the log carries;
 * the columns stay packed all the way. The core thread only proposes. An object that is
 * malformed is refused by itself, in its RESULT: the others go on (and their order, I8,
 * is that of the request). While other clusters commit too, a cluster has only so many
 * under way, and rests when it wants more (turns.h): its other requests wait, parked. */
#include "controlplane/api.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "controlplane/call.h"
#include "controlplane/metrics.h"
#include "proto/commit.h"

/* An object from the future has a wrong clock behind it. Agents keep to ours. */
#define MAX_FUTURE_MS (10 * 60 * 1000)
/* As much of a commit counts as one of an ordinary size. */
#define TURN_BYTES (4 * KIB)

struct item {
    int refused; /* before it was proposed, or 0 */
    struct str payload;
    struct call_proposal proposal;
};

struct commit_call {
    size_t count;
    struct item *items;
    int64_t proposed_at_us;
    struct turn turn;
    struct call *call;
    int32_t node_id; /* of the agent, when it asked */
};

static void commit_cleanup(struct call *call)
{
    struct commit_call *commits = call->data;
    for (size_t i = 0; i < commits->count; i++)
        str_fini(&commits->items[i].payload);
}

static void commit_settled(struct node *node, struct call *call)
{
    const struct commit_call *commits = call->data;
    (void)node;
    metric_observe(control_metric(commit_seconds),
                   clock_monotonic_us() - commits->proposed_at_us);
    call_done(call);
}

static void release(struct node *node, struct call *call)
{
    struct commit_call *commits = call->data;
    (void)node;
    turns_give(call->service->turns, &commits->turn, clock_monotonic_us());
}

/* Its turn has come; whether cluster and agent are still there, the command finds out. */
static void propose(struct turn *turn)
{
    struct commit_call *commits = CONTAINER_OF(turn, struct commit_call, turn);
    struct call *call = commits->call;
    struct node *node = call->service->node;

    for (size_t i = 0; i < commits->count; i++) {
        struct item *item = &commits->items[i];
        if (item->refused != 0)
            continue;
        struct command cmd = {
            .kind = COMMAND_COMMIT,
            .cluster_id = call->cluster_id,
            .commit = {.agent_id = call->agent_id,
                       .node_id = commits->node_id,
                       .max_age_ms = call->service->options->commit_max_age_ms,
                       .max_future_ms = MAX_FUTURE_MS,
                       .metadata_max =
                           (uint64_t)call->service->options->max_metadata_bytes,
                       .payload = str_slice(&item->payload)}};
        call_propose(node, call, &item->proposal, &cmd, commit_settled);
    }
}

static unsigned weigh(const struct commit_call *commits)
{
    size_t weight = 0;

    for (size_t i = 0; i < commits->count; i++) {
        if (commits->items[i].refused == 0)
            weight += 1 + commits->items[i].payload.len / TURN_BYTES;
    }
    return (unsigned)weight;
}

static void commit_core(struct node *node, struct call *call)
{
    struct commit_call *commits = call->data;

    commits->proposed_at_us = clock_monotonic_us();
    commits->call = call;
    commits->node_id = state_agent(call_cluster(node, call), &call->agent_id)->node_id;
    commits->turn.go = propose;
    commits->turn.weight = weigh(commits);
    call->release = release;
    if (commits->turn.weight == 0) {
        call_done(call); /* all were refused */
    } else {
        turns_note(call->service->call_turns, &call->cluster_id, commits->proposed_at_us);
        turns_take(call->service->turns, &commits->turn, &call->cluster_id,
                   commits->proposed_at_us);
    }
}

static struct json *refusal(int code)
{
    struct commit_result result = {.code = code, .base_offset = SLICE_LITERAL("")};
    metric_add(control_metric(commits_refused_total), 1);
    return commit_result_to_json(&result);
}

static struct json *item_answer(struct call *call, const struct item *item)
{
    struct commit_result result;
    struct reader r;

    if (item->refused != 0)
        return refusal(item->refused);
    reader_init(&r, item->proposal.result);
    int code = commit_result_read(&r, &call->arena, &result);
    if (code != 0)
        return refusal(ERR_INTERNAL);
    if (result.code != 0)
        return refusal(result.code);
    metric_add(control_metric(commits_total), 1);
    return commit_result_to_json(&result);
}

static void commit_answer(struct call *call)
{
    const struct commit_call *commits = call->data;
    struct json *answer = json_array(), *results = json_array();
    for (size_t i = 0; i < commits->count; i++)
        json_push(results, item_answer(call, &commits->items[i]));
    json_push(answer, json_int(call->now_ms));
    json_push(answer, json_int((int64_t)call->cursor));
    json_push(answer, results);
    call_reply_json(call, 200, answer);
}

static void log_malformed(const struct call *call, size_t i, const char *text)
{
    static _Thread_local struct log_limit limit = {.interval_ms = 1000};
    char agent[UUID_TEXT_LEN + 1];
    uint64_t dropped;
    if (log_limit_pass(&limit, clock_monotonic_ms(), &dropped))
        log_warn("commit", "an agent sent a malformed commit",
                 "agent=%s object=%zu reason=%s more=%llu",
                 uuid_print(&call->agent_id, agent), i, LOG_QUOTED(text),
                 (unsigned long long)dropped);
}

static void translate(struct call *call, const struct json *value, size_t i,
                      struct item *item)
{
    struct commit commit;
    struct err err;
    int code = commit_from_json(value, &call->arena, &commit, &err);
    str_init(&item->payload, COMMAND_BYTES_MAX);
    if (code == 0) {
        commit_write(&commit, &item->payload);
        code = item->payload.overflowed ? ERR_TOO_LARGE : 0;
        if (code != 0)
            err_set(&err, code, "the commit is over the limit");
    }
    if (code == 0)
        return;
    log_malformed(call, i, err.text);
    item->refused = code == ERR_TOO_LARGE ? ERR_TOO_LARGE : ERR_MALFORMED;
}

void api_commit(struct call *call)
{
    struct json_reader r = call_reader(call);
    size_t count = json_count(call->body);

    if (!json_is_array(call->body) || count == 0 || count > COMMIT_OBJECTS_MAX) {
        call_fail(call, ERR_MALFORMED, "the body is not a list of 1 to %d commits",
                  COMMIT_OBJECTS_MAX);
        return;
    }
    struct commit_call *commits = arena_alloc(&call->arena, sizeof(*commits));
    commits->items = arena_array(&call->arena, count, sizeof(*commits->items));
    commits->count = count;
    call->data = commits;
    call->cleanup = commit_cleanup;
    for (size_t i = 0; i < count; i++)
        translate(call, json_at(&r, call->body, i), i, &commits->items[i]);
    call_drop_body(call);
    call_ask(call, commit_core, commit_answer);
}
