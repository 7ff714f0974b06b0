/* groups.c - lanes of group ops, their calls, and who waits for a group to change.
 *
 * An op is in one list at a time: its lane's queue, the table of its lane's call
 * (lane->sent, by position), or groups->parked. Joins and syncs are also in a table by
 * group from begin to end, so that news of a group finds them: what is parked is asked
 * again, and what is on its way is asked again should its answer, which may be older than
 * the news, bid to wait. */
#include "agent/groups.h"

#include <string.h>

#include "agent/ctl.h"
#include "agent/metrics.h"
#include "common/check.h"
#include "common/err.h"
#include "common/json.h"
#include "common/list.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/str.h"
#include "proto/kafka_error.h"

#define LANES 4
/* One more for what only keeps members alive: it gathers for so long after a call. */
#define LAZY_LANE LANES
#define LAZY_MS   50
/* One call: what the control plane takes, less what is around the ops. */
#define CALL_OPS_MAX    4096
#define CALL_BYTES_MAX  (8 * MIB)
#define CALL_VALUES_MAX (262144 - 8)
/* All that may be queued (I12). */
#define QUEUED_OPS_MAX   65536
#define QUEUED_BYTES_MAX (64 * MIB)
/* In case that news of a group is lost. */
#define POLL_MS     3000
#define POLL_VALUES 8
/* So long a question of our own (a poll) may be without answer. */
#define POLL_TIMEOUT_MS 20000
#define SWEEP_MS        250
#define LOG_INTERVAL_MS 1000
#define BUCKETS         4096 /* a power of two */

enum op_state { OP_QUEUED = 1, OP_SENT, OP_PARKED };

struct lane {
    struct groups *groups;
    struct list queue;
    struct ctl_call *call;
    struct group_op *sent[CALL_OPS_MAX]; /* NULL: settled meanwhile */
    size_t sent_count;
    int64_t sent_at_ms;
    int64_t known_ms; /* the control plane's clock when it answered last */
    size_t alone;     /* so many calls of one op each: one of them spoils the others */
};

struct groups {
    struct loop *loop;
    struct ctl *ctl;
    struct lane lanes[LANES + 1];
    struct loop_timer lazy;       /* the lazy lane has gathered long enough */
    struct list buckets[BUCKETS]; /* joins and syncs by group */
    struct list parked;           /* by poll_at_ms */
    size_t parked_count;
    size_t open; /* ops not answered yet */
    size_t queued_ops;
    size_t queued_bytes;
    bool draining;
    bool abandoned;
    struct loop_deferred work; /* begin calls, at the end of the tick */
    struct loop_timer sweep;
    struct log_limit odd_log;
};

/* Nobody's op: a member whom nobody knows leaves. */
struct orphan {
    struct group_op op;
    char text[];
};

/* ---- tables ---- */

static uint32_t hash_of(struct slice group)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < group.len; i++)
        hash = (hash ^ group.ptr[i]) * 16777619u;
    return hash ^ (hash >> 15);
}

static struct lane *lane_of(struct groups *groups, const struct group_op *op)
{
    size_t lane = op->lazy ? LAZY_LANE : hash_of(op->group) / BUCKETS % LANES;
    return &groups->lanes[lane];
}

static struct list *bucket_of(struct groups *groups, struct slice group)
{
    return &groups->buckets[hash_of(group) % BUCKETS];
}

/* What the op weighs in a call. */
static size_t weight(const struct group_op *op)
{
    return op->polls ? 64 + 6 * (op->group.len + op->member.len + op->instance.len)
                     : op->text.len + 1;
}

static void schedule(struct groups *groups)
{
    loop_defer(groups->loop, &groups->work);
}

static void take_off(struct groups *groups, struct group_op *op)
{
    list_remove(&op->node);
    if (op->state == OP_QUEUED) {
        groups->queued_ops--;
        groups->queued_bytes -= weight(op);
    } else if (op->state == OP_SENT) {
        lane_of(groups, op)->sent[op->slot] = NULL;
    } else if (op->state == OP_PARKED) {
        groups->parked_count--;
    }
    op->state = 0;
}

static void put_on(struct groups *groups, struct group_op *op, struct list_node *before)
{
    op->state = OP_QUEUED;
    groups->queued_ops++;
    groups->queued_bytes += weight(op);
    list_insert_before(before, &op->node);
    schedule(groups);
}

/* As one that has not been sent, or was answered. */
static void enqueue(struct groups *groups, struct group_op *op)
{
    op->asked_at_ms = 0;
    put_on(groups, op, &lane_of(groups, op)->queue.head);
}

/* ---- the end of an op ---- */

static void finish(struct groups *groups, struct group_op *op, int16_t kafka_error)
{
    struct group_ask *ask = op->ask;

    take_off(groups, op);
    list_remove(&op->by_group);
    groups->open--;
    if (ask == NULL) {
        mem_free(CONTAINER_OF(op, struct orphan, op));
        return;
    }
    op->kafka_error = kafka_error;
    if (--ask->open_ops == 0)
        ask_reply(&ask->ask);
}

static void begin(struct groups *groups, struct group_op *op, struct group_ask *ask,
                  int64_t deadline_at_ms)
{
    if (groups->open++ == 0)
        loop_timer_set(&groups->sweep, SWEEP_MS);
    op->ask = ask;
    op->polls = op->again = op->cancelled = false;
    op->deadline_at_ms = deadline_at_ms;
    list_node_init(&op->node);
    list_node_init(&op->by_group);
    if (op->kind != GROUP_OP_PLAIN)
        list_push_back(bucket_of(groups, op->group), &op->by_group);
    enqueue(groups, op);
}

/* The member that joined as nobody and was never told its id would hold up its group
 * until it times out: it leaves. */
static void leave_for(struct groups *groups, const struct group_op *op)
{
    struct json *json = json_array(), *members = json_array(), *member = json_array();
    struct str text;

    json_push(member, json_slice(op->member));
    json_push(member, json_null());
    json_push(member, json_null());
    json_push(members, member);
    json_push(json, json_string("leave"));
    json_push(json, json_slice(op->group));
    json_push(json, members);
    str_init(&text, CALL_BYTES_MAX);
    json_print(json, &text);
    json_free(json);

    struct orphan *orphan = mem_zalloc(sizeof(*orphan) + text.len + op->group.len);
    memcpy(orphan->text, text.data, text.len);
    memcpy(orphan->text + text.len, op->group.ptr, op->group.len);
    orphan->op.text = slice_of(orphan->text, text.len);
    orphan->op.values = POLL_VALUES;
    orphan->op.group = slice_of(orphan->text + text.len, op->group.len);
    str_fini(&text);
    begin(groups, &orphan->op, NULL, loop_now_ms(groups->loop) + POLL_TIMEOUT_MS);
}

/* Nobody waits for OP any more, or it has to be waited for elsewhere. */
static void give_up(struct groups *groups, struct group_op *op)
{
    if (op->kind == GROUP_OP_JOIN && op->nameless && op->polls && !groups->abandoned)
        leave_for(groups, op);
    finish(groups, op, op->moved_error);
}

/* ---- waiting ---- */

static void poll_again(struct groups *groups, struct group_op *op)
{
    take_off(groups, op);
    op->again = false;
    op->deadline_at_ms = loop_now_ms(groups->loop) + POLL_TIMEOUT_MS;
    metric_add(agent_metric(group_polls_total), 1);
    enqueue(groups, op);
}

static void park(struct groups *groups, struct group_op *op)
{
    op->polls = true;
    if (groups->draining || op->cancelled) {
        give_up(groups, op);
    } else if (op->again) {
        poll_again(groups, op);
    } else {
        take_off(groups, op);
        op->state = OP_PARKED;
        op->poll_at_ms = loop_now_ms(groups->loop) + POLL_MS;
        groups->parked_count++;
        list_push_back(&groups->parked, &op->node);
    }
}

static void wake(struct groups *groups, struct group_op *op)
{
    if (op->state == OP_PARKED)
        poll_again(groups, op);
    else if (op->state == OP_SENT)
        op->again = true;
}

void groups_on_change(struct groups *groups, struct slice group)
{
    LIST_FOREACH(node, next, bucket_of(groups, group))
    {
        struct group_op *op = CONTAINER_OF(node, struct group_op, by_group);
        if (slice_eq(op->group, group))
            wake(groups, op);
    }
}

void groups_on_reset(struct groups *groups)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        LIST_FOREACH(node, next, &groups->buckets[i])
        wake(groups, CONTAINER_OF(node, struct group_op, by_group));
    }
}

/* ---- answers ---- */

/* A line about what should not be, but not one for each time that a client brings it
 * about. */
static void log_odd(struct groups *groups, const char *what, const char *text)
{
    uint64_t dropped;
    if (log_limit_pass(&groups->odd_log, loop_now_ms(groups->loop), &dropped))
        log_error("groups", what, "err=%s not_logged=%llu",
                  LOG_QUOTED(text == NULL ? "" : text), (unsigned long long)dropped);
}

/* A result that is a word and not an error number. */
static bool says(const struct json *result, const char *word)
{
    struct json_reader r = {0};
    const struct json *first = json_at(&r, result, 0);
    return json_kind(first) == JSON_KIND_STRING &&
           slice_eq_str(json_as_string(&r, first, "result", 16), word);
}

/* ["wait"], or ["wait", member] to a join. */
static bool bids_wait(struct group_op *op, struct json_reader *r,
                      const struct json *result)
{
    if (op->kind == GROUP_OP_PLAIN || !says(result, "wait"))
        return false;
    if (op->kind == GROUP_OP_JOIN && !op->polls) {
        struct slice member =
            json_as_string(r, json_at(r, result, 1), "member", INT16_MAX);
        uint8_t *copy =
            r->failed ? NULL : arena_try_alloc(op->ask->ask.arena, member.len + 1);
        if (copy == NULL) {
            r->failed = true;
            return false;
        }
        op->member = slice_of(memcpy(copy, member.ptr, member.len), member.len);
    }
    return true;
}

static void settle(struct groups *groups, struct group_op *op, const struct json *result)
{
    struct err err = {0};
    struct json_reader r = {.err = &err};
    int rc = 0;

    if (op->ask == NULL) {
        finish(groups, op, 0);
        return;
    }
    if (says(result, "again")) { /* there was no room for it in the answer */
        take_off(groups, op);
        enqueue(groups, op);
        return;
    }
    if (bids_wait(op, &r, result)) {
        park(groups, op);
        return;
    }
    if (!r.failed)
        rc = op->read(op, &r, result);
    if (rc != 0 || r.failed) {
        log_odd(groups, "a result of the control plane cannot be read", err.text);
        finish(groups, op, KAFKA_UNKNOWN_SERVER_ERROR);
        return;
    }
    finish(groups, op, 0);
}

/* Put what is in the call back at the head of the queue, in its order. */
static void put_back(struct lane *lane)
{
    struct list_node *first = lane->queue.head.next;

    for (size_t i = 0; i < lane->sent_count; i++) {
        struct group_op *op = lane->sent[i];
        if (op == NULL)
            continue;
        take_off(lane->groups, op);
        put_on(lane->groups, op, first);
    }
    lane->sent_count = 0;
}

/* Failures for which one of the ops may be the reason. */
static bool may_be_an_op(int code)
{
    return code == 0 || code == ERR_MALFORMED || code == ERR_INVALID ||
           code == ERR_TOO_LARGE || code == ERR_UNSUPPORTED;
}

/* The control plane refused the call as such, with CODE, or (0) its answer makes no
 * sense. Should one op be the reason, the others must not suffer: each goes alone. */
static void on_refusal(struct lane *lane, int code, const char *text)
{
    bool whole = !may_be_an_op(code);
    if (lane->sent_count > 1 && !whole) {
        lane->alone = lane->sent_count;
        put_back(lane);
        return;
    }
    log_odd(lane->groups, "the control plane refuses an operation", text);
    for (size_t i = 0; i < lane->sent_count; i++) {
        struct group_op *op = lane->sent[i];
        if (op != NULL)
            finish(lane->groups, op, whole ? op->away_error : KAFKA_UNKNOWN_SERVER_ERROR);
    }
    lane->sent_count = 0;
}

static void on_answer(int code, const char *text, const struct json *answer, void *arg)
{
    struct lane *lane = arg;
    struct groups *groups = lane->groups;
    struct json_reader r = {0};

    lane->call = NULL;
    schedule(groups);
    metric_observe(agent_metric(group_call_seconds),
                   (loop_now_ms(groups->loop) - lane->sent_at_ms) * 1000);
    const struct json *results = code == 0 ? json_get_array(&r, answer, "results") : NULL;
    if (code != 0 || r.failed || json_count(results) != lane->sent_count) {
        on_refusal(lane, code, code == 0 ? "not as many results as operations" : text);
        return;
    }
    lane->known_ms =
        MAX(lane->known_ms, json_get_int(&r, answer, "now_ms", 0, INT64_MAX));
    size_t count = lane->sent_count;
    for (size_t i = 0; i < count; i++) {
        if (lane->sent[i] != NULL)
            settle(groups, lane->sent[i], json_at(&r, results, i));
    }
    lane->sent_count = 0;
}

/* ---- calls ---- */

static void append_poll(const struct group_op *op, struct str *body)
{
    bool join = op->kind == GROUP_OP_JOIN;
    struct json *poll = json_array();
    json_push(poll, json_string(join ? "poll_join" : "poll_sync"));
    json_push(poll, json_slice(op->group));
    if (!join)
        json_push(poll, json_int(op->generation));
    json_push(poll, json_slice(op->member));
    json_push(poll, json_slice(op->instance));
    json_print(poll, body);
    json_free(poll);
}

/* Whether OP goes into the call that LANE makes up, of BYTES and VALUES so far, with ops
 * that were sent first at ASKED_AT_MS: what is repeated goes by itself. */
static bool fits(const struct lane *lane, const struct group_op *op, size_t bytes,
                 size_t values, int64_t asked_at_ms)
{
    if (lane->sent_count == 0)
        return true;
    return lane->sent_count < (lane->alone > 0 ? 1 : CALL_OPS_MAX) &&
           bytes + weight(op) <= CALL_BYTES_MAX &&
           values + op->values <= CALL_VALUES_MAX && op->asked_at_ms == asked_at_ms;
}

/* OP leaves with the call that LANE makes up. */
static void take_in(struct lane *lane, struct group_op *op, struct str *body)
{
    if (lane->sent_count > 0)
        str_putc(body, ',');
    if (op->polls)
        append_poll(op, body);
    else
        str_append_slice(body, op->text);
    take_off(lane->groups, op);
    op->state = OP_SENT;
    op->slot = lane->sent_count;
    lane->sent[lane->sent_count++] = op;
}

static void send_call(struct lane *lane)
{
    struct groups *groups = lane->groups;
    const struct group_op *first =
        CONTAINER_OF(list_first(&lane->queue), struct group_op, node);
    int64_t before = first->asked_at_ms; /* 0: it was not sent before */
    /* What the last answer told of is not newer than what is asked now. */
    int64_t now_ms = MAX(ctl_now_ms(groups->ctl), lane->known_ms);
    int64_t asked_at_ms = before == 0 ? now_ms : before;
    struct str body;
    size_t bytes = 0, values = 0;

    str_init(&body, CALL_BYTES_MAX + 4096);
    str_puts(&body, "{\"ops\":[");
    LIST_FOREACH(node, next, &lane->queue)
    {
        struct group_op *op = CONTAINER_OF(node, struct group_op, node);
        if (!fits(lane, op, bytes, values, before))
            break;
        bytes += weight(op);
        values += op->polls ? POLL_VALUES : op->values;
        take_in(lane, op, &body);
        op->asked_at_ms = asked_at_ms;
    }
    str_printf(&body, "],\"asked_at_ms\":%lld}", (long long)asked_at_ms);
    if (lane->alone > 0)
        lane->alone--;
    metric_add(agent_metric(group_calls_total), 1);
    metric_observe(agent_metric(group_call_ops), (int64_t)lane->sent_count);
    lane->sent_at_ms = loop_now_ms(groups->loop);
    lane->call =
        ctl_send_text(groups->ctl, "/agent/v1/groups", &body, 0, on_answer, lane);
    for (size_t i = 0; i < lane->sent_count; i++) {
        if (lane->sent[i]->ask != NULL)
            ask_trace(&lane->sent[i]->ask->ask, ctl_request_id(lane->call));
    }
}

/* A lane that has been idle sends at once; a busy lazy one gathers. */
static bool may_send(const struct lane *lane, size_t i)
{
    struct groups *groups = lane->groups;
    int64_t wait_ms = lane->sent_at_ms + LAZY_MS - loop_now_ms(groups->loop);
    if (i != LAZY_LANE || wait_ms <= 0 || lane->alone > 0)
        return true;
    loop_timer_set(&groups->lazy, wait_ms);
    return false;
}

static void on_work(struct loop_deferred *deferred)
{
    struct groups *groups = CONTAINER_OF(deferred, struct groups, work);

    for (size_t i = 0; i < ARRAY_LEN(groups->lanes); i++) {
        struct lane *lane = &groups->lanes[i];
        if (lane->call == NULL && !list_empty(&lane->queue) && may_send(lane, i))
            send_call(lane);
    }
}

static void on_lazy(struct loop_timer *timer, void *arg)
{
    (void)timer;
    schedule(arg);
}

/* ---- time ---- */

/* The call is not repeated with what is too late in it: the others go in another one. */
static void expire_sent(struct lane *lane, int64_t now)
{
    bool late = false;

    for (size_t i = 0; i < lane->sent_count; i++) {
        struct group_op *op = lane->sent[i];
        if (op == NULL || op->deadline_at_ms > now)
            continue;
        late = true;
        metric_add(agent_metric(group_timeouts_total), 1);
        finish(lane->groups, op, op->away_error);
    }
    if (!late)
        return;
    ctl_cancel(lane->call);
    lane->call = NULL;
    put_back(lane);
    schedule(lane->groups);
}

static void on_sweep(struct loop_timer *timer, void *arg)
{
    struct groups *groups = arg;
    int64_t now = loop_now_ms(groups->loop);
    (void)timer;

    for (size_t i = 0; i < ARRAY_LEN(groups->lanes); i++) {
        struct lane *lane = &groups->lanes[i];
        LIST_FOREACH(node, next, &lane->queue)
        {
            struct group_op *op = CONTAINER_OF(node, struct group_op, node);
            if (op->deadline_at_ms > now)
                continue;
            metric_add(agent_metric(group_timeouts_total), 1);
            finish(groups, op, op->away_error);
        }
        if (lane->call != NULL)
            expire_sent(lane, now);
    }
    LIST_FOREACH(node, next, &groups->parked)
    {
        struct group_op *op = CONTAINER_OF(node, struct group_op, node);
        if (op->poll_at_ms > now)
            break;
        poll_again(groups, op);
    }
    if (groups->open > 0)
        loop_timer_set(&groups->sweep, SWEEP_MS);
}

/* ---- asking ---- */

static size_t bytes_of(const struct group_ask *ask)
{
    size_t bytes = 0;
    for (size_t i = 0; i < ask->op_count; i++)
        bytes += ask->ops[i].text.len;
    return bytes;
}

void groups_ask(struct groups *groups, struct group_ask *ask)
{
    bool full = groups->queued_ops + ask->op_count > QUEUED_OPS_MAX ||
                groups->queued_bytes + bytes_of(ask) > QUEUED_BYTES_MAX;

    ask->open_ops = 1; /* so that it is not answered before all are looked at */
    for (size_t i = 0; i < ask->op_count; i++) {
        struct group_op *op = &ask->ops[i];
        if (op->kafka_error != 0)
            continue;
        metric_add(agent_metric(group_ops_total), 1);
        if (full || groups->abandoned) {
            metric_add(agent_metric(group_refused_total), full);
            op->kafka_error = groups->abandoned ? op->moved_error : op->away_error;
            continue;
        }
        ask->open_ops++;
        begin(groups, op, ask, ask->deadline_at_ms);
    }
    if (--ask->open_ops == 0)
        ask_reply(&ask->ask);
}

void groups_cancel(struct groups *groups, struct group_ask *ask)
{
    size_t count = ask->open_ops == 0 ? 0 : ask->op_count;

    for (size_t i = 0; i < count; i++) {
        struct group_op *op = &ask->ops[i];
        if (op->state == 0 || op->kind == GROUP_OP_PLAIN)
            continue;
        bool last = ask->open_ops == 1; /* then ASK is not ours behind this */
        if (op->polls) {
            give_up(groups, op);
            if (last)
                return;
        } else {
            op->cancelled = true;
        }
    }
}

void groups_drain(struct groups *groups)
{
    struct list_node *node;

    groups->draining = true;
    while ((node = list_first(&groups->parked)) != NULL)
        give_up(groups, CONTAINER_OF(node, struct group_op, node));
}

void groups_abandon(struct groups *groups)
{
    struct list_node *node;

    groups->abandoned = true;
    groups_drain(groups);
    for (size_t i = 0; i < ARRAY_LEN(groups->lanes); i++) {
        struct lane *lane = &groups->lanes[i];
        if (lane->call != NULL)
            ctl_cancel(lane->call);
        lane->call = NULL;
        put_back(lane);
        while ((node = list_first(&lane->queue)) != NULL) {
            struct group_op *op = CONTAINER_OF(node, struct group_op, node);
            finish(groups, op, op->moved_error);
        }
    }
}

bool groups_idle(const struct groups *groups)
{
    return groups->open == 0;
}

/* ---- life ---- */

void groups_update_metrics(const struct groups *groups)
{
    metric_set(agent_metric(group_ops_open), (int64_t)groups->open);
    metric_set(agent_metric(group_ops_parked), (int64_t)groups->parked_count);
}

struct groups *groups_new(struct loop *loop, struct ctl *ctl)
{
    struct groups *groups = mem_zalloc(sizeof(*groups));

    groups->loop = loop;
    groups->ctl = ctl;
    groups->odd_log.interval_ms = LOG_INTERVAL_MS;
    list_init(&groups->parked);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&groups->buckets[i]);
    for (size_t i = 0; i < ARRAY_LEN(groups->lanes); i++) {
        groups->lanes[i].groups = groups;
        list_init(&groups->lanes[i].queue);
    }
    loop_deferred_init(&groups->work, on_work);
    loop_timer_init(&groups->sweep, loop, on_sweep, groups);
    loop_timer_init(&groups->lazy, loop, on_lazy, groups);
    return groups;
}

void groups_free(struct groups *groups)
{
    if (groups == NULL)
        return;
    ASSERT(groups_idle(groups));
    loop_defer_cancel(&groups->work);
    loop_timer_fini(&groups->sweep);
    loop_timer_fini(&groups->lazy);
    mem_free(groups);
}
