/* api_plan.c - which runs to read from an offset on.
 *
 * The core thread copies the runs into one array; packing and printing is the server's
 * thread's work. An answer holds at most RUNS_MAX runs beside the first of each
 * partition: who wants more asks again from where it ends. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/call.h"
#include "proto/kafka_error.h"
#include "proto/packed.h"

#define PARTITIONS_MAX 4096
#define RUNS_MAX       32768
#define COLUMN_MAX     (16 * MIB)

struct plan_run {
    int64_t base_offset;
    uint64_t position;
    int64_t max_timestamp;
    uint32_t records, length;
    uint32_t object; /* index in the plan's objects */
};

struct query {
    struct uuid topic_id;
    int32_t partition;
    int64_t offset, max_bytes;
    /* answer */
    int16_t error;
    struct partition_offsets offsets;
    size_t first_run, run_count;
    size_t first_object, object_count;
};

struct plan_call {
    size_t count;
    struct query *queries;
    struct plan_run *runs;
    size_t run_count, run_cap;
    struct uuid *objects;
    size_t object_count, object_cap;
};

static void plan_cleanup(struct call *call)
{
    struct plan_call *plan = call->data;
    mem_free(plan->runs);
    mem_free(plan->objects);
}

static void add_object(struct plan_call *plan, struct query *query, const struct uuid *id)
{
    /* A partition's runs in offset order: those of one object follow each other. */
    if (query->object_count > 0 && uuid_eq(&plan->objects[plan->object_count - 1], id))
        return;
    if (plan->object_count == plan->object_cap) {
        plan->object_cap = MAX(2 * plan->object_cap, (size_t)64);
        plan->objects =
            mem_realloc(plan->objects, plan->object_cap * sizeof(*plan->objects));
    }
    plan->objects[plan->object_count++] = *id;
    query->object_count++;
}

static void add_run(struct plan_call *plan, struct query *query,
                    const struct run_view *view)
{
    add_object(plan, query, view->object_id);
    if (plan->run_count == plan->run_cap) {
        plan->run_cap = MAX(2 * plan->run_cap, (size_t)64);
        plan->runs = mem_realloc(plan->runs, plan->run_cap * sizeof(*plan->runs));
    }
    plan->runs[plan->run_count++] =
        (struct plan_run){.base_offset = view->base_offset,
                          .position = view->position,
                          .max_timestamp = view->max_timestamp,
                          .records = view->records,
                          .length = view->length,
                          .object = (uint32_t)(query->object_count - 1)};
    query->run_count++;
}

static void answer_query(const struct cluster *cluster, struct plan_call *plan,
                         struct query *query)
{
    const struct topic *topic = state_topic(cluster, &query->topic_id);
    struct run_walk walk;
    struct run_view view;
    int64_t bytes = 0;

    query->offsets = (struct partition_offsets){-1, -1};
    query->first_run = plan->run_count;
    query->first_object = plan->object_count;
    if (topic == NULL) {
        query->error = KAFKA_UNKNOWN_TOPIC_ID;
        return;
    }
    if (query->max_bytes == 0) {
        query->error = state_offsets(topic, query->partition, &query->offsets);
        return;
    }
    query->error =
        state_plan(topic, query->partition, query->offset, &query->offsets, &walk);
    while (query->error == 0 && bytes < query->max_bytes &&
           (query->run_count == 0 || plan->run_count < RUNS_MAX) &&
           state_plan_next(&walk, &view)) {
        add_run(plan, query, &view);
        bytes += view.length;
    }
}

static void plan_core(struct node *node, struct call *call)
{
    struct plan_call *plan = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    for (size_t i = 0; i < plan->count; i++)
        answer_query(cluster, plan, &plan->queries[i]);
    call_done(call);
}

enum { COL_BASE, COL_OBJECT, COL_RECORDS, COL_POSITION, COL_LENGTH, COL_TIME, COLUMNS };

static void push_columns(struct json *value, const struct plan_run *runs, size_t count)
{
    struct str columns[COLUMNS];
    int64_t last[COLUMNS] = {0};

    for (size_t i = 0; i < COLUMNS; i++)
        str_init(&columns[i], COLUMN_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct plan_run *run = &runs[i];
        packed_put_delta(&columns[COL_BASE], &last[COL_BASE], run->base_offset);
        packed_put_delta(&columns[COL_OBJECT], &last[COL_OBJECT], run->object);
        packed_put(&columns[COL_RECORDS], run->records);
        packed_put(&columns[COL_POSITION], (int64_t)run->position);
        packed_put(&columns[COL_LENGTH], run->length);
        packed_put_delta(&columns[COL_TIME], &last[COL_TIME], run->max_timestamp);
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        json_push(value, json_base64(str_slice(&columns[i])));
        str_fini(&columns[i]);
    }
}

static void plan_answer(struct call *call)
{
    const struct plan_call *plan = call->data;
    struct json *plans = json_array(), *answer = call_answer(call);

    for (size_t i = 0; i < plan->count; i++) {
        const struct query *query = &plan->queries[i];
        struct json *value = json_array(), *objects = json_array();
        for (size_t j = 0; j < query->object_count; j++)
            json_push(objects, json_uuid(&plan->objects[query->first_object + j]));
        json_push(value, json_int(query->error));
        json_push(value, json_int(query->offsets.high_watermark));
        json_push(value, json_int(query->offsets.log_start_offset));
        json_push(value, objects);
        push_columns(value, query->run_count == 0 ? NULL : &plan->runs[query->first_run],
                     query->run_count);
        json_push(plans, value);
    }
    json_set(answer, "plans", plans);
    call_reply_json(call, 200, answer);
}

void api_plan(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "partitions");
    struct plan_call *plan = arena_alloc(&call->arena, sizeof(*plan));

    if (r.failed)
        return;
    plan->count = json_count(list);
    if (plan->count > PARTITIONS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "partitions: more than %d; ask in several calls",
                  PARTITIONS_MAX);
        return;
    }
    plan->queries = arena_array(&call->arena, plan->count, sizeof(*plan->queries));
    for (size_t i = 0; i < plan->count && !r.failed; i++) {
        const struct json *value = json_at(&r, list, i);
        struct query *query = &plan->queries[i];
        query->topic_id = json_as_uuid(&r, json_at(&r, value, 0), "topic_id");
        query->partition =
            (int32_t)json_as_int(&r, json_at(&r, value, 1), "partition", 0, INT32_MAX);
        query->offset =
            json_as_int(&r, json_at(&r, value, 2), "offset", INT64_MIN, INT64_MAX);
        query->max_bytes =
            json_as_int(&r, json_at(&r, value, 3), "max_bytes", 0, INT64_MAX);
    }
    if (r.failed)
        return;
    call->data = plan;
    call->cleanup = plan_cleanup;
    call_ask(call, plan_core, plan_answer);
}
