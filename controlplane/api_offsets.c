/* api_offsets.c - ListOffsets: ends of a log, and the run that holds a timestamp.
 *
 * The control plane knows runs, not records: it names the run, and the agent finds the
 * record in it. */
#include "controlplane/api.h"

#include "controlplane/call.h"
#include "proto/kafka_error.h"

#define QUERIES_MAX 4096

/* ListOffsets' special timestamps (KIP-79, KIP-734, KIP-405, KIP-1005). */
#define AT_LATEST         -1
#define AT_EARLIEST       -2
#define AT_MAX_TIMESTAMP  -3
#define AT_EARLIEST_LOCAL -4
#define AT_LATEST_TIERED  -5

struct query {
    struct uuid topic_id;
    int32_t partition;
    int64_t timestamp;
    /* answer */
    int16_t error;
    struct partition_offsets offsets;
    int64_t offset, max_timestamp;
    struct found_run {
        bool found;
        struct run_view view;
        struct uuid object_id; /* view.object_id lives in the state */
    } run, next;               /* next: to look in too, where the first is cut */
};

struct offsets_call {
    size_t count;
    struct query *queries;
};

static void set_run(struct query *query, const struct run_view *run)
{
    query->run = (struct found_run){true, *run, *run->object_id};
    query->offset = run->base_offset;
    query->max_timestamp = run->max_timestamp;
}

static void answer_query(const struct cluster *cluster, struct query *query)
{
    const struct topic *topic = state_topic(cluster, &query->topic_id);
    struct run_view run;
    bool found = false;

    query->offsets = (struct partition_offsets){-1, -1};
    query->offset = -1;
    query->max_timestamp = -1;
    if (topic == NULL) {
        query->error = KAFKA_UNKNOWN_TOPIC_ID;
        return;
    }
    query->error = state_offsets(topic, query->partition, &query->offsets);
    if (query->error != 0)
        return;
    switch (query->timestamp) {
    case AT_LATEST:
        query->offset = query->offsets.high_watermark;
        return;
    case AT_EARLIEST:
    case AT_EARLIEST_LOCAL:
        query->offset = query->offsets.log_start_offset;
        return;
    case AT_MAX_TIMESTAMP:
        query->error = state_run_of_max_timestamp(topic, query->partition, &run, &found);
        break;
    case AT_LATEST_TIERED: /* nothing is tiered: Kafka answers -1 */
        return;
    default:
        if (query->timestamp < 0) {
            query->error = KAFKA_INVALID_REQUEST;
            return;
        }
        query->error = state_run_by_timestamp(topic, query->partition, query->timestamp,
                                              &run, &found);
        break;
    }
    if (query->error != 0 || !found)
        return;
    set_run(query, &run);
    query->error =
        state_run_behind_start(topic, query->partition, query->timestamp,
                               query->timestamp == AT_MAX_TIMESTAMP, &run, &found);
    if (found)
        query->next = (struct found_run){true, run, *run.object_id};
}

static void offsets_core(struct node *node, struct call *call)
{
    struct offsets_call *offsets = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    for (size_t i = 0; i < offsets->count; i++)
        answer_query(cluster, &offsets->queries[i]);
    call_done(call);
}

static struct json *run_json(const struct found_run *run)
{
    if (!run->found)
        return json_null();
    struct json *value = json_array();
    json_push(value, json_uuid(&run->object_id));
    json_push(value, json_int(run->view.base_offset));
    json_push(value, json_int(run->view.records));
    json_push(value, json_int((int64_t)run->view.position));
    json_push(value, json_int(run->view.length));
    return value;
}

static void offsets_answer(struct call *call)
{
    const struct offsets_call *offsets = call->data;
    struct json *answers = json_array(), *answer = call_answer(call);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct query *query = &offsets->queries[i];
        struct json *value = json_array();
        json_push(value, json_int(query->error));
        json_push(value, json_int(query->offsets.high_watermark));
        json_push(value, json_int(query->offsets.log_start_offset));
        json_push(value, json_int(query->offset));
        json_push(value, json_int(query->max_timestamp));
        json_push(value, run_json(&query->run));
        json_push(value, run_json(&query->next));
        json_push(answers, value);
    }
    json_set(answer, "answers", answers);
    call_reply_json(call, 200, answer);
}

void api_offsets(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "queries");
    struct offsets_call *offsets = arena_alloc(&call->arena, sizeof(*offsets));

    if (r.failed)
        return;
    offsets->count = json_count(list);
    if (offsets->count > QUERIES_MAX) {
        call_fail(call, ERR_TOO_LARGE, "queries: more than %d; ask in several calls",
                  QUERIES_MAX);
        return;
    }
    offsets->queries =
        arena_array(&call->arena, offsets->count, sizeof(*offsets->queries));
    for (size_t i = 0; i < offsets->count && !r.failed; i++) {
        const struct json *value = json_at(&r, list, i);
        struct query *query = &offsets->queries[i];
        query->topic_id = json_as_uuid(&r, json_at(&r, value, 0), "topic_id");
        query->partition =
            (int32_t)json_as_int(&r, json_at(&r, value, 1), "partition", 0, INT32_MAX);
        query->timestamp =
            json_as_int(&r, json_at(&r, value, 2), "timestamp", INT64_MIN, INT64_MAX);
    }
    if (r.failed)
        return;
    call->data = offsets;
    call_ask(call, offsets_core, offsets_answer);
}
