/* lag.c - two asks a round: the list of groups, then the lag of our own. */
#include "agent/lag.h"

#include <string.h>

#include "agent/group_op.h"
#include "agent/metrics.h"
#include "agent/steering.h"
#include "common/check.h"
#include "common/mem.h"

/* Bounds (I12), and so that a scrape stays readable. */
#define GROUPS_MAX      1000
#define PARTITIONS_MAX  100 /* of a group: those that lag most */
#define ROWS_MAX        10000
#define ROUND_BYTES_MAX (64 * MIB)
/* So often at most, however often somebody scrapes. */
#define EVERY_MS 10000
/* What is older says nothing any more. */
#define LIFE_MS    120000
#define TIMEOUT_MS 20000

struct lag_row {
    struct slice group;
    struct uuid topic_id;
    int32_t partition;
    int64_t records, lag_ms;
};

/* One round: what was asked, and what is known of it. */
struct lag_round {
    struct arena arena;
    struct group_ask ask;
    struct slice *names; /* of our groups */
    size_t name_count;
    struct lag_row *rows;
    size_t row_count;
    int64_t begun_at_ms;
};

struct lag {
    struct loop *loop;
    struct groups *groups;
    struct meta *meta;
    struct mailbox replies;
    struct lag_round *known; /* the last whole one, or NULL */
    struct lag_round *round; /* the one under way, or NULL */
    bool listing;            /* its first ask is out */
    bool stopped;
};

static void round_free(struct lag_round *round)
{
    if (round == NULL)
        return;
    arena_fini(&round->arena);
    mem_free(round);
}

/* ---- the list ---- */

/* Which groups are ours: the list is read on this thread, so the view may be asked. */
static int read_list(struct group_op *op, struct json_reader *r,
                     const struct json *result)
{
    struct lag *lag = op->own;
    struct lag_round *round = lag->round;
    struct meta_view *view = meta_acquire(lag->meta);
    struct steering steering;

    int16_t error = group_read_error(r, result, 0);
    const struct json *groups = json_at(r, result, 1);
    round->names =
        group_read_array(r, GROUPS_MAX, sizeof(round->names[0]), &round->arena);
    if (steering_init(&steering, view, SLICE_NULL, &round->arena) != 0)
        r->failed = true;
    size_t count = error == 0 ? json_count(groups) : 0;
    for (size_t i = 0; i < count && !r->failed && round->name_count < GROUPS_MAX; i++) {
        const struct json *row = json_at(r, groups, i);
        struct slice name = json_as_string(r, json_at(r, row, 0), "group", INT16_MAX);
        const struct meta_agent *agent =
            r->failed ? NULL : steering_coordinator(&steering, name);
        if (agent != NULL && agent->node_id == view->self_node_id)
            round->names[round->name_count++] = group_read_text(r, row, 0, &round->arena);
    }
    meta_release(view);
    return 0;
}

/* ---- lags ---- */

static int read_lag(struct group_op *op, struct json_reader *r, const struct json *result)
{
    struct lag_round *round = ((struct lag *)op->own)->round;
    int16_t error = group_read_error(r, result, 0);
    const struct json *rows = json_at(r, result, 1);
    size_t count = error == 0 ? json_count(rows) : 0;

    for (size_t i = 0; i < count && !r->failed && round->row_count < ROWS_MAX; i++) {
        const struct json *from = json_at(r, rows, i);
        struct lag_row row = {
            .group = op->group,
            .topic_id = json_as_uuid(r, json_at(r, from, 0), "topic id"),
            .partition =
                (int32_t)json_as_int(r, json_at(r, from, 1), "partition", 0, INT32_MAX),
        };
        int64_t offset = json_as_int(r, json_at(r, from, 2), "offset", -1, INT64_MAX);
        int64_t end = json_as_int(r, json_at(r, from, 3), "end", 0, INT64_MAX);
        row.lag_ms = json_as_int(r, json_at(r, from, 4), "lag", 0, INT64_MAX);
        row.records = end > offset ? end - MAX(offset, (int64_t)0) : 0;
        if (!r->failed)
            round->rows[round->row_count++] = row;
    }
    return 0;
}

/* ---- rounds ---- */

static int add_op(struct lag *lag, struct group_op *op, struct slice group,
                  struct json *json, group_read_fn *read)
{
    return group_op_set(op, &lag->round->arena, group, json, read, lag);
}

static void ask_all(struct lag *lag, struct group_op *ops, size_t count)
{
    struct group_ask *ask = &lag->round->ask;
    *ask = (struct group_ask){.ops = ops, .op_count = count};
    ask->deadline_at_ms = loop_now_ms(lag->loop) + TIMEOUT_MS;
    ask->ask.reply_to = &lag->replies;
    ask->ask.arena = &lag->round->arena;
    groups_ask(lag->groups, ask);
}

static void end_round(struct lag *lag, bool known)
{
    struct lag_round *round = lag->round;

    lag->round = NULL;
    if (!known) {
        round_free(round);
        return;
    }
    round_free(lag->known);
    lag->known = round;
}

static void ask_lags(struct lag *lag)
{
    struct lag_round *round = lag->round;
    size_t count = round->name_count;
    struct group_op *ops = arena_try_array(&round->arena, count + 1, sizeof(ops[0]));
    int rc = ops == NULL ? ERR_TOO_LARGE : 0;

    round->rows = arena_try_array(&round->arena, ROWS_MAX, sizeof(round->rows[0]));
    if (round->rows == NULL)
        rc = ERR_TOO_LARGE;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct json *json = group_op_json("lag", round->names[i]);
        json_push(json, json_int(PARTITIONS_MAX));
        rc = add_op(lag, &ops[i], round->names[i], json, read_lag);
    }
    lag->listing = false;
    if (rc != 0)
        end_round(lag, false);
    else
        ask_all(lag, ops, count);
}

static void on_reply(struct message *message, void *arg)
{
    struct lag *lag = arg;
    (void)message;

    if (!lag->listing)
        end_round(lag, true);
    else if (lag->round->ask.ops[0].kafka_error != 0 || lag->stopped)
        end_round(lag, false);
    else
        ask_lags(lag);
}

static void begin(struct lag *lag)
{
    struct lag_round *round = mem_zalloc(sizeof(*round));
    struct json *json = json_array();

    arena_init(&round->arena, ROUND_BYTES_MAX);
    round->begun_at_ms = loop_now_ms(lag->loop);
    lag->round = round;
    lag->listing = true;
    json_push(json, json_string("list"));
    json_push(json, json_null());
    json_push(json, json_null());
    struct group_op *op = arena_alloc(&round->arena, sizeof(*op));
    int rc = add_op(lag, op, slice_str(""), json, read_list);
    ASSERT(rc == 0);
    ask_all(lag, op, 1);
}

/* ---- printing ---- */

static void print_row(const struct lag_row *row, const struct meta_topic *topic,
                      const char *name, struct str *out)
{
    str_printf(out, "%s{", name);
    metric_print_label("group", row->group, out);
    str_putc(out, ',');
    metric_print_label("topic", topic->name, out);
    str_printf(out, ",partition=\"%d\"} ", row->partition);
}

static void print_all(const struct lag_round *round, const struct meta_view *view,
                      bool seconds, struct str *out)
{
    const char *name = seconds ? agent_family(group_lag_seconds)->name
                               : agent_family(group_lag_records)->name;

    for (size_t i = 0; i < round->row_count; i++) {
        const struct lag_row *row = &round->rows[i];
        const struct meta_topic *topic = meta_topic_by_id(view, &row->topic_id);
        if (topic == NULL)
            continue;
        print_row(row, topic, name, out);
        if (seconds)
            str_printf(out, "%lld.%03d\n", (long long)(row->lag_ms / 1000),
                       (int)(row->lag_ms % 1000));
        else
            str_printf(out, "%lld\n", (long long)row->records);
    }
}

void lag_print(struct lag *lag, struct str *out)
{
    int64_t now = loop_now_ms(lag->loop);
    bool known = lag->known != NULL && now - lag->known->begun_at_ms < LIFE_MS;
    struct meta_view *view = meta_acquire(lag->meta);

    metric_print_head(agent_family(group_lag_records), out);
    if (known)
        print_all(lag->known, view, false, out);
    metric_print_head(agent_family(group_lag_seconds), out);
    if (known)
        print_all(lag->known, view, true, out);
    meta_release(view);
    bool due = lag->known == NULL || now - lag->known->begun_at_ms >= EVERY_MS;
    if (due && lag->round == NULL && !lag->stopped)
        begin(lag);
}

/* ---- life ---- */

void lag_stop(struct lag *lag)
{
    lag->stopped = true;
}

struct lag *lag_new(struct loop *loop, struct groups *groups, struct meta *meta)
{
    struct lag *lag = mem_zalloc(sizeof(*lag));
    lag->loop = loop;
    lag->groups = groups;
    lag->meta = meta;
    mailbox_init(&lag->replies, loop, on_reply, lag);
    return lag;
}

void lag_free(struct lag *lag)
{
    if (lag == NULL)
        return;
    lag->stopped = true;
    mailbox_drain(&lag->replies);
    ASSERT(lag->round == NULL);
    mailbox_fini(&lag->replies);
    round_free(lag->known);
    mem_free(lag);
}
