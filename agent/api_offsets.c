/* api_offsets.c - ListOffsets and OffsetForLeaderEpoch.
 *
 * Both ask the core for offsets. The leader epoch of every record is 0, so that the end
 * of epoch 0 is the end of the log; answering "unknown" for it would make a Java consumer
 * throw its position away (kafka.md 2.2). */
#include <stdlib.h>

#include "agent/dispatch.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define LEADER_EPOCH 0
#define TIMEOUT_MS   30000

#define VERSION_LEADER_EPOCH 4

/* Timestamps that mean something else, and the version each came with. */
enum special_timestamp {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIMESTAMP = -3,           /* version 7 */
    EARLIEST_LOCAL = -4,          /* version 8 */
    LATEST_TIERED = -5,           /* version 9 */
    EARLIEST_PENDING_UPLOAD = -6, /* version 11 */
};

/* One partition of the request. Those that must be looked up have a part of the ask. */
struct entry {
    const struct offsets_part *part; /* NULL: the answer is `error`, or "none" */
    struct uuid topic_id;
    int32_t partition;
    int16_t error;
    bool duplicate;
};

struct offsets {
    struct offsets_ask ask;
    struct entry *entries;
    size_t count;
};

static int16_t judge_partition(const struct meta_topic *topic, int32_t partition,
                               int32_t current_leader_epoch)
{
    if (topic == NULL || partition < 0 || partition >= topic->partitions)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (current_leader_epoch > LEADER_EPOCH)
        return KAFKA_UNKNOWN_LEADER_EPOCH;
    if (current_leader_epoch < -1)
        return KAFKA_FENCED_LEADER_EPOCH;
    return 0;
}

/* Room for COUNT partitions of the request, to be added one by one. */
static struct offsets *make(struct request *req, size_t count)
{
    struct offsets *own = request_array(req, 1, sizeof(*own));
    if (own == NULL)
        return NULL;
    own->ask.parts = request_array(req, count, sizeof(*own->ask.parts));
    own->entries = request_array(req, count, sizeof(*own->entries));
    return own->ask.parts == NULL || own->entries == NULL ? NULL : own;
}

/* The next partition of the request. */
static struct entry *add(struct request *req, struct offsets *own,
                         struct slice topic_name, int32_t partition,
                         int32_t current_leader_epoch)
{
    const struct meta_topic *topic = meta_topic_by_name(request_view(req), topic_name);
    struct entry *entry = &own->entries[own->count++];
    if (topic != NULL)
        entry->topic_id = topic->id;
    entry->partition = partition;
    entry->error = judge_partition(topic, partition, current_leader_epoch);
    return entry;
}

/* Something that this agent has not heard of: perhaps it is new. */
static bool any_unknown(const struct offsets *own)
{
    for (size_t i = 0; i < own->count; i++) {
        if (own->entries[i].error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION &&
            own->entries[i].partition >= 0)
            return true;
    }
    return false;
}

/* Have the core look up TIMESTAMP for ENTRY. */
static void look_up(struct offsets *own, struct entry *entry, int64_t timestamp)
{
    struct offsets_part *part = &own->ask.parts[own->ask.part_count++];
    part->topic_id = entry->topic_id;
    part->partition = entry->partition;
    part->timestamp = timestamp;
    part->offset = part->found_timestamp = -1;
    entry->part = part;
}

/* The error of ENTRY once the core has answered. Topics go by name here, so that one
 * which was deleted meanwhile is no unknown id. */
static int16_t entry_error(const struct entry *entry)
{
    int16_t error = entry->part == NULL ? entry->error : entry->part->kafka_error;
    return error == KAFKA_UNKNOWN_TOPIC_ID ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : error;
}

static int hand_over(struct request *req, struct offsets *own, int64_t timeout_ms,
                     request_answer_fn *on_answer)
{
    req->own = own;
    if (own->ask.part_count == 0)
        return on_answer(req);
    own->ask.deadline_at_ms = request_now_ms(req) + timeout_ms;
    return request_ask(req, &own->ask.ask, ASK_OFFSETS, on_answer);
}

/* ---- ListOffsets ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    int c = uuid_cmp(&x->topic_id, &y->topic_id);
    return c != 0 ? c : (x->partition > y->partition) - (x->partition < y->partition);
}

/* A partition that is asked for twice gets INVALID_REQUEST, both times. */
static int mark_duplicates(struct request *req, struct offsets *own)
{
    size_t n = own->count;
    if (n < 2)
        return 0;
    struct entry **sorted = request_array(req, n, sizeof(*sorted));
    if (sorted == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &own->entries[i];
    qsort(sorted, n, sizeof(*sorted), compare_entries);
    for (size_t i = 1; i < n; i++) {
        if (compare_entries(&sorted[i - 1], &sorted[i]) == 0 &&
            !uuid_is_zero(&sorted[i]->topic_id))
            sorted[i - 1]->duplicate = sorted[i]->duplicate = true;
    }
    return 0;
}

/* Answer TIMESTAMP at once, or have it looked up. */
static void judge_timestamp(struct offsets *own, struct entry *entry, int16_t version,
                            int64_t timestamp)
{
    static const int16_t since[] = {
        [-LATEST] = 1,         [-EARLIEST] = 1,      [-MAX_TIMESTAMP] = 7,
        [-EARLIEST_LOCAL] = 8, [-LATEST_TIERED] = 9, [-EARLIEST_PENDING_UPLOAD] = 11,
    };
    if (entry->duplicate)
        entry->error = KAFKA_INVALID_REQUEST;
    if (entry->error != 0)
        return;
    if (timestamp >= 0) {
        look_up(own, entry, timestamp);
    } else if (timestamp < EARLIEST_PENDING_UPLOAD || version < since[-timestamp]) {
        entry->error = KAFKA_UNSUPPORTED_VERSION;
    } else if (timestamp >= EARLIEST_LOCAL) {
        look_up(own, entry, timestamp == EARLIEST_LOCAL ? EARLIEST : timestamp);
    }
    /* else "none": there are no tiers, so nothing is or waits to be in a second one */
}

static int on_listed(struct request *req)
{
    const struct list_offsets_request *body = req->body;
    const struct offsets *own = req->own;
    const struct entry *entry = own->entries;
    struct list_offsets_response reply = list_offsets_response_defaults;

    reply.topics = request_array(req, body->topics_count, sizeof(*reply.topics));
    reply.topics_count = body->topics_count;
    struct list_offsets_response_partition *rows =
        request_array(req, own->count, sizeof(*rows));
    if (reply.topics == NULL || rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        struct list_offsets_response_topic *topic = &reply.topics[i];
        topic->name = body->topics[i].name;
        topic->partitions = rows;
        topic->partitions_count = body->topics[i].partitions_count;
        for (size_t j = 0; j < topic->partitions_count; j++, entry++, rows++) {
            *rows = list_offsets_response_partition_defaults;
            rows->partition_index = entry->partition;
            rows->error_code = entry_error(entry);
            if (rows->error_code != 0 || entry->part == NULL || entry->part->offset < 0)
                continue;
            rows->offset = entry->part->offset;
            rows->timestamp = entry->part->found_timestamp;
            if (req->header.api_version >= VERSION_LEADER_EPOCH)
                rows->leader_epoch = LEADER_EPOCH;
        }
    }
    return request_reply(req, &reply);
}

int api_list_offsets(struct request *req)
{
    const struct list_offsets_request *body = req->body;
    size_t n = 0;

    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partitions_count;
    struct offsets *own = make(req, n);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        for (size_t j = 0; j < body->topics[i].partitions_count; j++) {
            const struct list_offsets_request_partition *asked =
                &body->topics[i].partitions[j];
            (void)add(req, own, body->topics[i].name, asked->partition_index,
                      asked->current_leader_epoch);
        }
    }
    if (!req->refreshed && any_unknown(own))
        return request_refresh(req);
    if (mark_duplicates(req, own) != 0)
        return ERR_TOO_LARGE;
    struct entry *entry = own->entries;
    for (size_t i = 0; i < body->topics_count; i++) {
        for (size_t j = 0; j < body->topics[i].partitions_count; j++, entry++)
            judge_timestamp(own, entry, req->header.api_version,
                            body->topics[i].partitions[j].timestamp);
    }
    int64_t timeout_ms = body->timeout_ms > 0 ? body->timeout_ms : TIMEOUT_MS;
    return hand_over(req, own, MIN(timeout_ms, TIMEOUT_MS), on_listed);
}

/* ---- OffsetForLeaderEpoch ---- */

static int on_epochs(struct request *req)
{
    const struct offset_for_leader_epoch_request *body = req->body;
    const struct offsets *own = req->own;
    const struct entry *entry = own->entries;
    struct offset_for_leader_epoch_response reply =
        offset_for_leader_epoch_response_defaults;

    reply.topics = request_array(req, body->topics_count, sizeof(*reply.topics));
    reply.topics_count = body->topics_count;
    struct offset_for_leader_epoch_response_partition *rows =
        request_array(req, own->count, sizeof(*rows));
    if (reply.topics == NULL || rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        struct offset_for_leader_epoch_response_topic *topic = &reply.topics[i];
        topic->topic = body->topics[i].topic;
        topic->partitions = rows;
        topic->partitions_count = body->topics[i].partitions_count;
        for (size_t j = 0; j < topic->partitions_count; j++, entry++, rows++) {
            *rows = offset_for_leader_epoch_response_partition_defaults;
            rows->partition = entry->partition;
            rows->error_code = entry_error(entry);
            if (rows->error_code != 0 || entry->part == NULL)
                continue; /* no such epoch: -1 and -1, as Kafka */
            rows->leader_epoch = LEADER_EPOCH;
            rows->end_offset = entry->part->offset;
        }
    }
    return request_reply(req, &reply);
}

int api_offset_for_leader_epoch(struct request *req)
{
    const struct offset_for_leader_epoch_request *body = req->body;
    size_t n = 0;

    for (size_t i = 0; i < body->topics_count; i++)
        n += body->topics[i].partitions_count;
    struct offsets *own = make(req, n);
    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->topics_count; i++) {
        for (size_t j = 0; j < body->topics[i].partitions_count; j++) {
            const struct offset_for_leader_epoch_request_partition *asked =
                &body->topics[i].partitions[j];
            struct entry *entry = add(req, own, body->topics[i].topic, asked->partition,
                                      asked->current_leader_epoch);
            if (entry->error == 0 && asked->leader_epoch == LEADER_EPOCH)
                look_up(own, entry, LATEST);
        }
    }
    if (!req->refreshed && any_unknown(own))
        return request_refresh(req);
    return hand_over(req, own, TIMEOUT_MS, on_epochs);
}
