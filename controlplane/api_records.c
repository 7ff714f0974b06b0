/* api_records.c - DeleteRecords: logs begin later (KIP-107).
 *
 * One command for all partitions of a call; what it says of each is passed on. */
#include "controlplane/api.h"

#include "common/cursor.h"
#include "controlplane/call.h"

struct records_call {
    uint32_t count;
    struct records_cut *cuts;
    struct call_proposal proposal;
};

static void records_core(struct node *node, struct call *call)
{
    struct records_call *records = call->data;
    struct command cmd = {
        .kind = COMMAND_RECORDS_DELETE,
        .cluster_id = call->cluster_id,
        .records_delete = {.cuts = records->cuts, .cut_count = records->count}};
    call_propose(node, call, &records->proposal, &cmd, NULL);
}

static void records_answer(struct call *call)
{
    const struct records_call *records = call->data;
    struct json *results = json_array();
    struct command_result result;
    struct reader r;

    if (!call_result(call, &records->proposal, "cluster", &result)) {
        json_free(results);
        return;
    }
    struct json *answer = call_answer(call);
    reader_init(&r, result.data);
    for (uint32_t i = 0; i < records->count; i++) {
        struct json *row = json_array();
        json_push(row, json_int(reader_i16(&r)));
        json_push(row, json_int(reader_i64(&r)));
        json_push(results, row);
    }
    json_set(answer, "results", results);
    call_reply_json(call, 200, answer);
}

void api_records_delete(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "partitions");
    struct records_call *records = arena_alloc(&call->arena, sizeof(*records));

    if (r.failed)
        return;
    if (json_count(list) > COMMAND_RECORDS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "partitions: more than %d; use several calls",
                  COMMAND_RECORDS_MAX);
        return;
    }
    records->count = (uint32_t)json_count(list);
    records->cuts = arena_array(&call->arena, records->count, sizeof(*records->cuts));
    for (size_t i = 0; i < records->count && !r.failed; i++) {
        const struct json *value = json_at(&r, list, i);
        struct records_cut *cut = &records->cuts[i];
        cut->topic_id = json_as_uuid(&r, json_at(&r, value, 0), "topic_id");
        cut->partition = (int32_t)json_as_int(&r, json_at(&r, value, 1), "partition",
                                              INT32_MIN, INT32_MAX);
        cut->offset =
            json_as_int(&r, json_at(&r, value, 2), "offset", INT64_MIN, INT64_MAX);
    }
    if (r.failed)
        return;
    call->data = records;
    call_ask(call, records_core, records_answer);
}
