/* api_fetch.c - Fetch: what is asked of which partition; the core finds the batches.
 *
 * Sessions are never made: every reply says session id 0, and a client then sends full
 * requests (KIP-227). The leader epoch of every partition is 0, for ever. Unknown
 * partitions and wrong epochs are decided here and make the answer immediate; offsets,
 * limits and waiting are the core's. */
#include "agent/client_thread.h"
#include "agent/conn.h"
#include "agent/dispatch.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define VERSION_TOPIC_IDS 13
#define LEADER_EPOCH      0
#define READ_COMMITTED    1

/* A client that goes away leaves its fetch waiting in the core for so long. */
#define MOST_WAIT_MS 60000

static const struct meta_topic *find_topic(struct request *req,
                                           const struct fetch_request_topic *topic)
{
    const struct meta_view *view = request_view(req);
    return req->header.api_version >= VERSION_TOPIC_IDS
               ? meta_topic_by_id(view, &topic->topic_id)
               : meta_topic_by_name(view, topic->topic);
}

static bool any_unknown(struct request *req)
{
    const struct fetch_request *body = req->body;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct fetch_request_topic *asked = &body->topics[i];
        const struct meta_topic *topic = find_topic(req, asked);
        if (topic == NULL)
            return true;
        for (size_t j = 0; j < asked->partitions_count; j++) {
            if (asked->partitions[j].partition >= topic->partitions)
                return true;
        }
    }
    return false;
}

/* Session id 0 with a further epoch, or any other id, continues a session: there is none.
 * Epoch 0 asks for a new one and -1 for none: both are full requests. */
static bool continues_session(const struct fetch_request *body)
{
    return body->session_epoch != 0 && body->session_epoch != -1;
}

static int16_t judge(const struct request *req, const struct meta_topic *topic,
                     const struct fetch_request_partition *asked)
{
    if (topic == NULL)
        return req->header.api_version >= VERSION_TOPIC_IDS
                   ? KAFKA_UNKNOWN_TOPIC_ID
                   : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (asked->partition < 0 || asked->partition >= topic->partitions)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (asked->current_leader_epoch > LEADER_EPOCH)
        return KAFKA_UNKNOWN_LEADER_EPOCH;
    if (asked->current_leader_epoch < -1)
        return KAFKA_FENCED_LEADER_EPOCH;
    /* An epoch from the future: Kafka finds no end offset for it and says this. */
    if (asked->last_fetched_epoch > LEADER_EPOCH)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    return 0;
}

static size_t count_partitions(const struct fetch_request *body)
{
    size_t n = 0;
    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partitions_count;
    return n;
}

static void fill_parts(struct request *req, struct fetch_ask *ask)
{
    const struct fetch_request *body = req->body;
    struct fetch_part *part = ask->parts;
    for (size_t i = 0; i < body->topics_count; i++) {
        const struct meta_topic *topic = find_topic(req, &body->topics[i]);
        for (size_t j = 0; j < body->topics[i].partitions_count; j++) {
            const struct fetch_request_partition *asked = &body->topics[i].partitions[j];
            *part = (struct fetch_part){
                .partition = asked->partition,
                .offset = asked->fetch_offset,
                .max_bytes = MAX(asked->partition_max_bytes, 0),
                .kafka_error = judge(req, topic, asked),
                .high_watermark = -1,
                .last_stable_offset = -1,
                .log_start_offset = -1,
            };
            if (topic != NULL)
                part->topic_id = topic->id;
            part++;
        }
    }
}

/* A topic that was deleted meanwhile: versions that name topics know no unknown ids. */
static int16_t error_for(const struct request *req, int16_t error)
{
    return error == KAFKA_UNKNOWN_TOPIC_ID && req->header.api_version < VERSION_TOPIC_IDS
               ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
               : error;
}

static void fill_partition(const struct request *req, const struct fetch_part *part,
                           bool read_committed, struct fetch_response_partition *out)
{
    static struct fetch_response_aborted_transaction none;
    *out = fetch_response_partition_defaults;
    out->partition_index = part->partition;
    out->error_code = error_for(req, part->kafka_error);
    /* With an error Kafka tells none of the offsets, also when it knows them. */
    out->high_watermark = -1;
    if (part->kafka_error != 0)
        return;
    out->high_watermark = part->high_watermark;
    out->last_stable_offset = part->last_stable_offset;
    out->log_start_offset = part->log_start_offset;
    /* Null says that nobody looked, which is so for read_uncommitted. */
    out->aborted_transactions = read_committed ? &none : NULL;
    out->records = (struct slice_list){
        .items = part->slices, .count = part->slice_count, .bytes = part->bytes};
}

static int on_batches(struct request *req)
{
    const struct fetch_request *body = req->body;
    const struct fetch_ask *ask = req->own;
    const struct fetch_part *part = ask->parts;
    struct fetch_response reply = fetch_response_defaults;

    reply.responses = request_array(req, body->topics_count, sizeof(*reply.responses));
    reply.responses_count = body->topics_count;
    struct fetch_response_partition *rows =
        request_array(req, ask->part_count, sizeof(*rows));
    if (reply.responses == NULL || rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        struct fetch_response_topic *topic = &reply.responses[i];
        topic->topic = body->topics[i].topic;
        topic->topic_id = body->topics[i].topic_id;
        topic->partitions = rows;
        topic->partitions_count = body->topics[i].partitions_count;
        for (size_t j = 0; j < topic->partitions_count; j++)
            fill_partition(req, part++, ask->read_committed, rows++);
    }
    return request_reply(req, &reply);
}

int api_fetch(struct request *req)
{
    const struct fetch_request *body = req->body;

    conn_set_rack(req->conn, body->rack_id);
    if (continues_session(body)) {
        struct fetch_response reply = fetch_response_defaults;
        reply.error_code = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
        return request_reply(req, &reply);
    }
    if (!req->refreshed && any_unknown(req))
        return request_refresh(req);
    struct fetch_ask *ask = request_array(req, 1, sizeof(*ask));
    if (ask == NULL)
        return ERR_TOO_LARGE;
    ask->part_count = count_partitions(body);
    ask->parts = request_array(req, ask->part_count, sizeof(*ask->parts));
    if (ask->parts == NULL)
        return ERR_TOO_LARGE;
    fill_parts(req, ask);
    int64_t most = MIN(meta_own_number(request_view(req), "fetch.max.bytes",
                                       request_options(req)->fetch_max_bytes),
                       (int64_t)INT32_MAX);
    ask->max_bytes = (int32_t)MIN((int64_t)MAX(body->max_bytes, 0), most);
    ask->min_bytes = MIN(MAX(body->min_bytes, 0), ask->max_bytes);
    ask->deadline_at_ms =
        request_now_ms(req) + MIN(MAX(body->max_wait_ms, 0), MOST_WAIT_MS);
    ask->read_committed = body->isolation_level == READ_COMMITTED;
    req->own = ask;
    request_expect(req, (size_t)ask->max_bytes);
    return request_ask(req, &ask->ask, ASK_FETCH, on_batches);
}
