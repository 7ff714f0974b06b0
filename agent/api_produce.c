/* api_produce.c - Produce: check each partition's batch, hand the good ones to the core.
 *
 * Partitions are judged one by one (kafka.md 3.2); a bad one does not fail the others. A
 * batch stays where the socket wrote it, in the request's frame; a LogAppendTime topic
 * has its header rewritten, before anybody else sees the frame. Where a topic's
 * compression.type wants another codec than a batch has, all batches of the request move
 * to a blob of their own, which takes the frame's place. Order and
 * idempotence are judged where offsets are assigned, by the control plane.
 *
 * acks=1 means what acks=-1 means: durable and committed (I1). With acks=0 nothing is
 * replied, and an error closes the connection: the client has no other way to learn of
 * it. */
#include <stdio.h>
#include <string.h>

#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* Single records that a reply names (KIP-467); the client learns of the rest next time.
 */
#define BAD_RECORDS_MAX 100

/* What one batch may unpack to, where records must be looked at. */
#define PLAIN_MAX_BYTES (64 * MIB)
/* All batches of one request in the codecs of their topics. */
#define PACKED_MAX_BYTES (256 * MIB)

/* Who asks for acks=0 or 1 does not wait on replicas, so its timeout is not for us. */
#define LEAST_TIMEOUT_MS 30000
#define MOST_TIMEOUT_MS  900000

#define VERSION_ZSTD          7
#define VERSION_RECORD_ERRORS 8
#define VERSION_TOPIC_IDS     13

struct produce {
    struct produce_ask ask;
    struct produce_response reply;
};

/* What is judged of every partition in one request. */
struct judge {
    struct request *req;
    struct produce *own;
    struct batch_policy policy;
    int64_t now_ms;
    struct str packed; /* batches in their topic's codec */
    size_t *packed_at; /* of each part: where in that, +1; 0: it is in the frame */
};

static const struct meta_topic *find_topic(struct request *req,
                                           const struct produce_request_topic *topic)
{
    const struct meta_view *view = request_view(req);
    return req->header.api_version >= VERSION_TOPIC_IDS
               ? meta_topic_by_id(view, &topic->topic_id)
               : meta_topic_by_name(view, topic->name);
}

/* A topic or partition that this agent has not heard of: perhaps it is new. */
static bool any_unknown(struct request *req)
{
    const struct produce_request *body = req->body;
    for (size_t i = 0; i < body->topic_data_count; i++) {
        const struct produce_request_topic *asked = &body->topic_data[i];
        const struct meta_topic *topic = find_topic(req, asked);
        if (topic == NULL)
            return true;
        for (size_t j = 0; j < asked->partition_data_count; j++) {
            if (asked->partition_data[j].index >= topic->partitions)
                return true;
        }
    }
    return false;
}

static void refuse(struct produce_response_partition *out, int16_t error,
                   const char *text)
{
    out->error_code = error;
    out->error_message = slice_str(text);
}

static void set_policy(struct judge *judge, const struct meta_topic *topic)
{
    const struct topic_config *config = &topic->config;
    judge->policy = (struct batch_policy){
        .max_bytes = (uint32_t)config->max_message_bytes,
        .max_segment_bytes = (uint32_t)config->segment_bytes,
        .log_append_time = config->log_append_time,
        .zstd_allowed = judge->req->header.api_version >= VERSION_ZSTD,
        .now_ms = judge->now_ms,
        .before_max_ms = config->timestamp_before_max_ms,
        .after_max_ms = config->timestamp_after_max_ms,
    };
}

/* Walk the records of a batch; name the bad ones in OUT. Returns the Kafka error, or 0
 * when all are good. */
static int16_t check_records(struct judge *judge, const struct batch_info *info,
                             bool require_key, struct produce_response_partition *out)
{
    struct batch_bad_record bad[BAD_RECORDS_MAX];
    struct batch_record_rules rules = {
        .require_key = require_key,
        .policy = &judge->policy,
        .max_bytes = PLAIN_MAX_BYTES,
    };
    size_t n = 0;
    int16_t error = batch_check_records(info, &rules, bad, BAD_RECORDS_MAX, &n);
    if (error == 0 || n == 0 || judge->req->header.api_version < VERSION_RECORD_ERRORS)
        return error;
    struct produce_response_record_error *rows =
        request_array(judge->req, n, sizeof(*rows));
    if (rows == NULL)
        return KAFKA_UNKNOWN_SERVER_ERROR;
    for (size_t i = 0; i < n; i++) {
        rows[i].batch_index = bad[i].index;
        rows[i].batch_index_error_message = slice_str(bad[i].text);
    }
    out->record_errors = rows;
    out->record_errors_count = n;
    return error;
}

/* Whether every single record of the topic must be looked at. */
static bool looks_at_records(const struct topic_config *config)
{
    return config->compacted ||
           (!config->log_append_time && config->timestamp_before_max_ms != INT64_MAX);
}

/* The batch in the codec that its topic wants: *INFO is of the new one, in
 * judge->packed. */
static int16_t repack(struct judge *judge, const struct topic_config *config,
                      struct batch_info *info)
{
    size_t at = judge->packed.len;
    int16_t error =
        batch_recompress(info, (enum lz_codec)config->compression,
                         config->compression_level, PLAIN_MAX_BYTES, &judge->packed);
    if (error != 0)
        return error;
    struct slice bytes = slice_of(judge->packed.data + at, judge->packed.len - at);
    if (bytes.len > (size_t)config->max_message_bytes) {
        str_truncate(&judge->packed, at);
        return KAFKA_MESSAGE_TOO_LARGE;
    }
    int rc = batch_parse(bytes, info);
    ASSERT(rc == 0);
    judge->packed_at[judge->own->ask.part_count] = at + 1;
    return 0;
}

/* Judge one partition's records; on success the batch is the ask's next part. */
static void judge_partition(struct judge *judge, const struct meta_topic *topic,
                            const struct produce_request_partition *asked,
                            struct produce_response_partition *out)
{
    struct batch_info info;
    struct batch_verdict verdict;
    if (batch_validate_produce(asked->records, &judge->policy, &info, &verdict) != 0) {
        /* Kafka names the records whose timestamps are wrong. */
        if (verdict.error == KAFKA_INVALID_TIMESTAMP &&
            batch_parse(asked->records, &info) == 0)
            (void)check_records(judge, &info, topic->config.compacted, out);
        refuse(out, verdict.error, verdict.text);
        return;
    }
    if (info.attributes & BATCH_TRANSACTIONAL) {
        const struct produce_request *body = judge->req->body;
        if (body->transactional_id.ptr == NULL)
            refuse(out, KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                   "a transactional batch without a transactional id");
        else
            refuse(out, KAFKA_INVALID_TXN_STATE, "transactions are not served");
        return;
    }
    const struct topic_config *config = &topic->config;
    if (looks_at_records(config)) {
        int16_t error = check_records(judge, &info, config->compacted, out);
        if (error != 0) {
            refuse(out, error, "one or more records have been rejected");
            return;
        }
    }
    if (config->compression >= 0 && config->compression != info.codec) {
        int16_t error = repack(judge, config, &info);
        if (error != 0) {
            refuse(out, error, "the batch could not be packed as the topic wants it");
            return;
        }
    }
    if (topic->config.log_append_time) {
        union {
            const uint8_t *from;
            uint8_t *to; /* the frame is still ours alone */
        } bytes = {.from = info.bytes.ptr};
        batch_set_log_append_time(bytes.to, judge->now_ms);
        info.max_timestamp = judge->now_ms;
    }
    struct produce_ask *ask = &judge->own->ask;
    ask->parts[ask->part_count++] = (struct produce_part){
        .topic_id = topic->id,
        .partition = asked->index,
        .bytes = info.bytes,
        .records = (uint32_t)info.count,
        .producer_id = info.producer_id,
        .producer_epoch = info.producer_epoch,
        .base_sequence = info.base_sequence,
        .min_timestamp = info.base_timestamp,
        .max_timestamp = info.max_timestamp,
        .base_offset = -1,
        .log_append_time_ms = topic->config.log_append_time ? judge->now_ms : -1,
        .log_start_offset = -1,
    };
}

static int judge_topic(struct judge *judge, const struct produce_request_topic *asked,
                       struct produce_response_topic *out)
{
    const struct produce_request *body = judge->req->body;
    const struct meta_topic *topic = find_topic(judge->req, asked);
    size_t n = asked->partition_data_count;
    struct produce_response_partition *rows = request_array(judge->req, n, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    out->partition_responses = rows;
    out->partition_responses_count = n;
    if (topic != NULL)
        set_policy(judge, topic);
    bool acks_valid = body->acks >= -1 && body->acks <= 1;
    for (size_t i = 0; i < n; i++) {
        const struct produce_request_partition *partition = &asked->partition_data[i];
        rows[i] = produce_response_partition_defaults;
        rows[i].index = partition->index;
        rows[i].base_offset = -1;
        if (!acks_valid)
            refuse(&rows[i], KAFKA_INVALID_REQUIRED_ACKS, NULL);
        else if (topic == NULL)
            refuse(&rows[i],
                   judge->req->header.api_version >= VERSION_TOPIC_IDS
                       ? KAFKA_UNKNOWN_TOPIC_ID
                       : KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                   NULL);
        else if (partition->index < 0 || partition->index >= topic->partitions)
            refuse(&rows[i], KAFKA_UNKNOWN_TOPIC_OR_PARTITION, NULL);
        else
            judge_partition(judge, topic, partition, &rows[i]);
    }
    return 0;
}

/* Some batches were packed anew: have all of them in one blob, in place of the frame. */
static int move_batches(struct judge *judge)
{
    struct request *req = judge->req;
    struct produce_ask *ask = &judge->own->ask;
    size_t len = 0, at = 0;

    for (size_t i = 0; i < ask->part_count; i++)
        len += ask->parts[i].bytes.len;
    req->blobs =
        request_array(req, 1, sizeof(*req->blobs)); /* it goes with the request */
    if (req->blobs == NULL)
        return ERR_TOO_LARGE;
    struct blob *blob = blob_new(len, request_options(req)->budget);
    req->blobs[req->blob_count++] = blob;
    for (size_t i = 0; i < ask->part_count; i++) {
        struct slice *bytes = &ask->parts[i].bytes;
        const void *from = judge->packed_at[i] == 0
                               ? (const void *)bytes->ptr
                               : judge->packed.data + judge->packed_at[i] - 1;
        memcpy(blob->data + at, from, bytes->len);
        *bytes = slice_of(blob->data + at, bytes->len);
        at += bytes->len;
    }
    ask->frame = blob;
    return 0;
}

static size_t count_partitions(const struct produce_request *body)
{
    size_t n = 0;
    for (size_t i = 0; i < body->topic_data_count; i++)
        n += body->topic_data[i].partition_data_count;
    return n;
}

/* The reply with what became of each partition. */
static int finish(struct request *req, const struct produce *own)
{
    const struct produce_request *body = req->body;
    if (body->acks != 0)
        return request_reply(req, &own->reply);
    for (size_t i = 0; i < own->reply.responses_count; i++) {
        const struct produce_response_topic *topic = &own->reply.responses[i];
        for (size_t j = 0; j < topic->partition_responses_count; j++) {
            int16_t error = topic->partition_responses[j].error_code;
            char why[64];
            if (error == 0)
                continue;
            snprintf(why, sizeof(why), "produce with acks=0 failed: %s",
                     kafka_error_name(error));
            return request_close(req, why);
        }
    }
    return request_done(req);
}

/* A topic that was deleted while its records were on their way: versions that name topics
 * do not know the error of those that number them. */
static int16_t error_for(const struct request *req, int16_t error)
{
    return error == KAFKA_UNKNOWN_TOPIC_ID && req->header.api_version < VERSION_TOPIC_IDS
               ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
               : error;
}

/* Parts were made, in order, of the partitions that had no error of their own. */
static int on_committed(struct request *req)
{
    struct produce *own = req->own;
    const struct produce_part *part = own->ask.parts;
    for (size_t i = 0; i < own->reply.responses_count; i++) {
        struct produce_response_topic *topic = &own->reply.responses[i];
        for (size_t j = 0; j < topic->partition_responses_count; j++) {
            struct produce_response_partition *out = &topic->partition_responses[j];
            if (out->error_code != 0)
                continue;
            out->error_code = error_for(req, part->kafka_error);
            out->error_message = slice_str(part->message);
            if (part->kafka_error == 0) {
                out->base_offset = part->base_offset;
                out->log_append_time_ms = part->log_append_time_ms;
                out->log_start_offset = part->log_start_offset;
            }
            part++;
        }
    }
    return finish(req, own);
}

int api_produce(struct request *req)
{
    const struct produce_request *body = req->body;

    if (!req->refreshed && any_unknown(req))
        return request_refresh(req);
    size_t n = body->topic_data_count;
    struct produce *own = request_array(req, 1, sizeof(*own));
    if (own == NULL)
        return ERR_TOO_LARGE;
    own->reply = produce_response_defaults;
    own->reply.responses = request_array(req, n, sizeof(*own->reply.responses));
    own->reply.responses_count = n;
    own->ask.parts = request_array(req, count_partitions(body), sizeof(*own->ask.parts));
    if (own->reply.responses == NULL || own->ask.parts == NULL)
        return ERR_TOO_LARGE;
    own->ask.frame = req->frame;
    struct judge judge = {.req = req, .own = own, .now_ms = clock_wall_ms()};
    judge.packed_at =
        request_array(req, count_partitions(body) + 1, sizeof(*judge.packed_at));
    if (judge.packed_at == NULL)
        return ERR_TOO_LARGE;
    str_init(&judge.packed, PACKED_MAX_BYTES);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = judge_topic(&judge, &body->topic_data[i], &own->reply.responses[i]);
    if (rc == 0 && judge.packed.len > 0)
        rc = move_batches(&judge);
    str_fini(&judge.packed);
    if (rc != 0)
        return rc;
    if (own->ask.part_count == 0)
        return finish(req, own);
    int64_t timeout_ms = body->acks == -1 ? MAX(body->timeout_ms, 1)
                                          : MAX(body->timeout_ms, LEAST_TIMEOUT_MS);
    own->ask.deadline_at_ms = request_now_ms(req) + MIN(timeout_ms, MOST_TIMEOUT_MS);
    req->own = own;
    return request_ask(req, &own->ask.ask, ASK_PRODUCE, on_committed);
}
