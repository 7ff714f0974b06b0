/* api_groups.c - POST /agent/v1/groups: the ops of many clients in one call.
 *
 * The ops run in their order in one visit to the core thread: what changes a group is
 * proposed there, all of it in one tick, so that it becomes one entry of the log; what
 * does not is answered from memory, by the leader's lease. An op that only reads, behind
 * one that changes the same group, waits for that to be applied. When all is applied, the
 * answers are copied out, and printed on a server's thread. */
#include "controlplane/api_groups.h"

#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "controlplane/api.h"
#include "controlplane/coordinator.h"
#include "controlplane/metrics.h"
#include "proto/kafka_error.h"

#define CALL_ARENA_MAX (160 * MIB) /* what comes in, results, and an answer */
#define KIND_NAME_MAX  32

/* Which groups an op of this call changes: open addressing, at most half full. */
struct changed {
    const struct group_op **slots;
    size_t mask;
    bool any;
};

struct groups_call {
    struct group_op *ops;
    size_t count;
    int64_t asked_at_ms; /* INT64_MAX: the agent does not say */
    size_t answer_bytes;
    size_t batched; /* ops that wait for flush */
    struct changed changed;
};

static const struct {
    const struct group_op_kind *kinds;
    const size_t *count;
} families[] = {
    {group_classic_ops, &group_classic_op_count},
    {group_consumer_ops, &group_consumer_op_count},
    {group_offset_ops, &group_offset_op_count},
    {group_admin_ops, &group_admin_op_count},
};

static const struct group_op_kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        for (size_t j = 0; j < *families[i].count; j++)
            if (slice_eq_str(name, families[i].kinds[j].name))
                return &families[i].kinds[j];
    return NULL;
}

/* --- what the families use --- */

struct slice group_op_text(struct json_reader *r, const struct json *value, size_t i,
                           const char *what)
{
    return json_as_string(r, json_at(r, value, i), what, GROUP_OP_ID_MAX);
}

struct slice group_op_text_or_null(struct json_reader *r, const struct json *value,
                                   size_t i, const char *what)
{
    const struct json *item = json_at(r, value, i);
    return json_is_null(item) ? SLICE_NULL
                              : json_as_string(r, item, what, GROUP_OP_ID_MAX);
}

bool group_op_room(struct call *call, struct group_op *op, size_t bytes)
{
    struct groups_call *groups = call->data;
    if (bytes > GROUP_OP_ANSWER_MAX) {
        op->too_large = true;
        return false;
    }
    if (groups->answer_bytes > 0 && groups->answer_bytes + bytes > GROUP_OPS_ANSWER_MAX) {
        op->again = true;
        return false;
    }
    groups->answer_bytes += bytes;
    return true;
}

int16_t group_op_result(const struct call_proposal *proposal,
                        struct command_result *result)
{
    struct command_result here;
    if (result == NULL)
        result = &here;
    if (command_result_read(proposal->result, result) != 0)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    if (result->code == ERR_NOT_FOUND) /* the cluster */
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    return result->code != 0 ? KAFKA_UNKNOWN_SERVER_ERROR : result->kafka_error;
}

uint32_t group_op_late_ms(const struct node *node, const struct call *call)
{
    const struct groups_call *groups = call->data;
    int64_t now_ms = node_now_ms(node);

    return groups->asked_at_ms >= now_ms
               ? 0
               : (uint32_t)MIN(now_ms - groups->asked_at_ms, (int64_t)UINT32_MAX);
}

void group_op_touch(struct node *node, struct call *call, struct slice group,
                    struct slice member)
{
    coordinator_touch(call->service->coordinator, &call->cluster_id, group, member,
                      loop_now_ms(node_loop(node)));
}

/* --- core thread --- */

/* Where GROUP is, or would be. */
static size_t changed_slot(const struct changed *changed, struct slice group)
{
    size_t i = crc32c(group.ptr, group.len) & changed->mask;
    while (changed->slots[i] != NULL && !slice_eq(changed->slots[i]->group, group))
        i = (i + 1) & changed->mask;
    return i;
}

static bool is_changed(const struct changed *changed, const struct group_op *op)
{
    if (!op->kind->has_group)
        return changed->any;
    return changed->any && changed->slots[changed_slot(changed, op->group)] != NULL;
}

static void note_changed(struct changed *changed, const struct group_op *op)
{
    changed->any = true;
    if (op->kind->has_group)
        changed->slots[changed_slot(changed, op->group)] = op;
}

static void groups_settled(struct node *node, struct call *call)
{
    struct groups_call *groups = call->data;
    for (size_t i = 0; i < groups->count; i++) {
        struct group_op *op = &groups->ops[i];
        if (op->deferred) {
            enum group_op_step step = op->kind->run(node, call, op);
            ASSERT(step == GROUP_OP_ANSWERED);
        } else if (op->settles) {
            op->kind->settle(node, call, op);
        }
    }
    call_done(call);
}

void group_op_propose(struct node *node, struct call *call,
                      struct call_proposal *proposal, struct command *cmd)
{
    call_propose(node, call, proposal, cmd, groups_settled);
}

/* The ops that a kind has gathered so far, in one go. */
static void flush_kind(struct node *node, struct call *call,
                       const struct group_op_kind *kind)
{
    struct groups_call *groups = call->data;
    struct group_op **batch;
    size_t count = 0, n = 0;

    for (size_t i = 0; i < groups->count; i++) {
        const struct group_op *op = &groups->ops[i];
        count += op->kind == kind && op->step == GROUP_OP_BATCHED;
    }
    if (count == 0)
        return;
    batch = arena_array(&call->arena, count, sizeof(struct group_op *));
    for (size_t i = 0; i < groups->count; i++) {
        struct group_op *op = &groups->ops[i];
        if (op->kind != kind || op->step != GROUP_OP_BATCHED)
            continue;
        batch[n++] = op;
        op->step = GROUP_OP_PROPOSED;
    }
    groups->batched -= count;
    kind->flush(node, call, batch, count);
}

/* All kinds but EXCEPT. */
static void flush(struct node *node, struct call *call,
                  const struct group_op_kind *except)
{
    struct groups_call *groups = call->data;

    for (size_t i = 0; i < ARRAY_LEN(families) && groups->batched > 0; i++)
        for (size_t j = 0; j < *families[i].count; j++)
            if (families[i].kinds[j].flush != NULL && &families[i].kinds[j] != except)
                flush_kind(node, call, &families[i].kinds[j]);
}

static void run_op(struct node *node, struct call *call, struct group_op *op)
{
    struct groups_call *groups = call->data;
    op->after_change = is_changed(&groups->changed, op);
    if (op->after_change && !op->kind->changes) {
        op->deferred = true;
        return;
    }
    /* What is gathered comes before what changes the same group in another way: a member
     * that commits and then leaves has committed. */
    if (op->after_change)
        flush(node, call, op->kind);
    op->step = op->kind->run(node, call, op);
    op->settles = op->step != GROUP_OP_ANSWERED;
    groups->batched += op->step == GROUP_OP_BATCHED;
    if (op->settles)
        note_changed(&groups->changed, op);
}

static void groups_core(struct node *node, struct call *call)
{
    struct groups_call *groups = call->data;
    size_t slots = 16;

    while (slots < 2 * groups->count)
        slots *= 2;
    groups->changed.mask = slots - 1;
    groups->changed.slots =
        arena_array(&call->arena, slots, sizeof(*groups->changed.slots));
    for (size_t i = 0; i < groups->count; i++)
        run_op(node, call, &groups->ops[i]);
    flush(node, call, NULL);
    metric_add(control_metric(group_ops_total), (int64_t)groups->count);
    if (call->outstanding == 0)
        groups_settled(node, call);
}

/* --- server's thread --- */

static void groups_answer(struct call *call)
{
    const struct groups_call *groups = call->data;
    struct json *answer = call_answer(call), *results = json_array();

    for (size_t i = 0; i < groups->count; i++) {
        const struct group_op *op = &groups->ops[i];
        struct json *result;
        if (op->again && !op->kind->waits) {
            result = json_array();
            json_push(result, json_string("again"));
        } else {
            result = op->kind->print(call, op);
        }
        json_push(results, result);
    }
    json_set(answer, "results", results);
    call_reply_json(call, 200, answer);
}

static void read_op(struct call *call, struct json_reader *r, const struct json *value,
                    struct group_op *op)
{
    struct slice name = json_as_string(r, json_at(r, value, 0), "op", KIND_NAME_MAX);

    if (r->failed)
        return;
    op->kind = find_kind(name);
    if (op->kind == NULL) {
        call_fail(call, ERR_MALFORMED, "ops: one has a name that is not known");
        return;
    }
    if (json_count(value) != op->kind->fields) {
        call_fail(call, ERR_MALFORMED, "ops: a \"%s\" has %zu fields, and must have %u",
                  op->kind->name, json_count(value), op->kind->fields);
        return;
    }
    if (op->kind->has_group)
        op->group = group_op_text(r, value, 1, "group");
    if (!r->failed)
        op->kind->parse(call, r, value, op);
}

void api_groups(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "ops");
    struct groups_call *groups;

    if (r.failed)
        return;
    arena_set_max(&call->arena, CALL_ARENA_MAX);
    groups = arena_alloc(&call->arena, sizeof(*groups));
    groups->asked_at_ms = json_find(call->body, "asked_at_ms") == NULL
                              ? INT64_MAX
                              : json_get_int(&r, call->body, "asked_at_ms", 0, INT64_MAX);
    groups->count = json_count(list);
    if (groups->count > GROUP_OPS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "ops: more than %d; ask in several calls",
                  GROUP_OPS_MAX);
        return;
    }
    groups->ops = arena_array(&call->arena, groups->count, sizeof(*groups->ops));
    for (size_t i = 0; i < groups->count && call->err.code == 0; i++)
        read_op(call, &r, json_at(&r, list, i), &groups->ops[i]);
    if (call->err.code != 0)
        return;
    call->data = groups;
    call_ask(call, groups_core, groups_answer);
}
