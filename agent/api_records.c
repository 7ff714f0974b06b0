/* api_records.c - DeleteRecords: logs begin later (KIP-107).
 *
 * The control plane cuts the logs; the answer comes when this agent's own index knows of
 * it, so that a fetch that follows is answered alike. Other agents hear of it by their
 * watch. */
#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "agent/named_part.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_LEAST_MS 1000
#define TIMEOUT_MOST_MS  120000
/* Partitions of one call; a request that names more makes several, one by one. */
#define CUTS_MAX 4096

struct cut {
    struct named_part part; /* its error is the cut's */
    int64_t offset;
    int64_t low_watermark; /* result */
};

struct records {
    struct relay_ask ask;
    struct cut *cuts; /* one a partition of the request */
    size_t count;
    size_t sent, next; /* those of the call under way: cuts [sent, next) without error */
};

static int read_results(struct relay_ask *ask, const struct json *answer)
{
    struct records *own = CONTAINER_OF(ask, struct records, ask);
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "results");
    size_t k = 0;

    for (size_t i = own->sent; i < own->next && !r.failed; i++) {
        struct cut *cut = &own->cuts[i];
        if (cut->part.error != 0)
            continue;
        const struct json *row = json_at(&r, rows, k++);
        cut->part.error =
            (int16_t)json_as_int(&r, json_at(&r, row, 0), "error", -1, INT16_MAX);
        cut->low_watermark =
            json_as_int(&r, json_at(&r, row, 1), "low watermark", -1, INT64_MAX);
    }
    return r.failed ? ERR_MALFORMED : 0;
}

static int finish(struct request *req)
{
    const struct delete_records_request *body = req->body;
    const struct records *own = req->own;
    const struct cut *cut = own->cuts;
    struct delete_records_response reply = delete_records_response_defaults;
    struct delete_records_response_partition *rows =
        request_array(req, own->count, sizeof(*rows));

    reply.topics = request_array(req, body->topics_count, sizeof(*reply.topics));
    reply.topics_count = body->topics_count;
    if (reply.topics == NULL || rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        reply.topics[i].name = body->topics[i].name;
        reply.topics[i].partitions = rows;
        reply.topics[i].partitions_count = body->topics[i].partitions_count;
        for (size_t j = 0; j < body->topics[i].partitions_count; j++, cut++, rows++) {
            rows->partition_index = body->topics[i].partitions[j].partition_index;
            rows->error_code = named_part_error(cut->part.error);
            rows->low_watermark = cut->part.error == 0 ? cut->low_watermark : -1;
        }
    }
    return request_reply(req, &reply);
}

static int send_next(struct request *req);

static int on_cut(struct request *req)
{
    struct records *own = req->own;
    for (size_t i = own->sent; i < own->next && own->ask.kafka_error != 0; i++) {
        if (own->cuts[i].part.error == 0)
            own->cuts[i].part.error = own->ask.kafka_error;
    }
    return send_next(req);
}

/* The next call, or the reply. */
static int send_next(struct request *req)
{
    const struct delete_records_request *body = req->body;
    struct records *own = req->own;
    struct json *list = json_array();
    size_t n = 0;

    own->sent = own->next;
    for (; own->next < own->count && n < CUTS_MAX; own->next++) {
        const struct cut *cut = &own->cuts[own->next];
        if (cut->part.error != 0)
            continue;
        struct json *row = named_part_json(&cut->part);
        json_push(row, json_int(cut->offset));
        json_push(list, row);
        n++;
    }
    if (n == 0) {
        json_free(list);
        return finish(req);
    }
    own->ask = (struct relay_ask){.path = "/agent/v1/records/delete",
                                  .body = json_object(),
                                  .sees = true,
                                  .read = read_results};
    json_set(own->ask.body, "partitions", list);
    own->ask.deadline_at_ms =
        request_now_ms(req) +
        MAX(MIN(body->timeout_ms, TIMEOUT_MOST_MS), TIMEOUT_LEAST_MS);
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_cut);
}

int api_delete_records(struct request *req)
{
    const struct delete_records_request *body = req->body;
    struct records *own = request_array(req, 1, sizeof(*own));
    bool unknown = false;
    size_t n = 0;

    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partitions_count;
    if (own == NULL)
        return ERR_TOO_LARGE;
    own->cuts = request_array(req, n, sizeof(*own->cuts));
    if (own->cuts == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        for (size_t j = 0; j < body->topics[i].partitions_count; j++) {
            const struct delete_records_request_partition *asked =
                &body->topics[i].partitions[j];
            struct cut *cut = &own->cuts[own->count++];
            cut->part =
                named_part_find(req, body->topics[i].name, asked->partition_index);
            cut->offset = asked->offset;
            unknown |= cut->part.error != 0;
        }
    }
    if (unknown && !req->refreshed)
        return request_refresh(req);
    req->own = own;
    return send_next(req);
}
