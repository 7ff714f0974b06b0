/* api_describe_topics.c - DescribeTopicPartitions: topics page by page (KIP-966).
 *
 * Topics come sorted by name, their partitions in order, at most so many partitions a
 * page; next_cursor names the first one that did not fit. */
#include <stdlib.h>

#include "agent/dispatch.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"
#include "proto/topic_config.h"

#define PARTITIONS_MAX   2000
#define TOPIC_OPERATIONS 0xdf8 /* api_metadata.c */

struct page {
    struct steering steering;
    struct describe_topic_partitions_response reply;
    size_t room; /* partitions that still fit */
};

static int compare_names(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The names to describe, sorted, each once, from the cursor's topic on. */
static int collect(struct request *req, struct slice **names, size_t *count)
{
    const struct describe_topic_partitions_request *body = req->body;
    const struct meta_view *view = request_view(req);
    bool all = body->topics_count == 0;
    size_t n = all ? view->topic_count : body->topics_count;
    struct slice *list = request_array(req, n, sizeof(*list));
    if (list == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++)
        list[i] = all ? view->topics[i]->name : body->topics[i].name;
    qsort(list, n, sizeof(*list), compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && slice_eq(list[i], list[kept - 1]))
            continue;
        if (body->cursor != NULL && slice_cmp(list[i], body->cursor->topic_name) < 0)
            continue;
        list[kept++] = list[i];
    }
    *names = list;
    *count = kept;
    return 0;
}

static bool any_unknown(struct request *req)
{
    const struct describe_topic_partitions_request *body = req->body;
    const struct meta_view *view = request_view(req);
    for (size_t i = 0; i < body->topics_count; i++) {
        struct slice name = body->topics[i].name;
        if (topic_name_valid(name) && meta_topic_by_name(view, name) == NULL)
            return true;
    }
    return false;
}

/* Partitions of TOPIC from FIRST on, as many as fit. */
static int describe(struct request *req, struct page *page,
                    const struct meta_topic *topic, size_t first,
                    struct describe_topic_partitions_response_topic *out)
{
    size_t n = MIN((size_t)topic->partitions - first, page->room);
    struct describe_topic_partitions_response_partition *rows =
        request_array(req, n, sizeof(*rows));
    /* Empty, where null would say "not known". */
    int32_t *none = request_array(req, 1, sizeof(*none));
    if (rows == NULL || none == NULL ||
        steering_set_factor(&page->steering, topic->replication_factor, &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        struct describe_topic_partitions_response_partition *row = &rows[i];
        row->partition_index = (int32_t)(first + i);
        row->leader_id = steering_place(&page->steering, &topic->id, row->partition_index,
                                        &row->replica_nodes, &row->replica_nodes_count);
        row->leader_epoch = 0;
        row->isr_nodes = row->replica_nodes;
        row->isr_nodes_count = row->replica_nodes_count;
        row->eligible_leader_replicas = none;
        row->last_known_elr = none;
        if (row->leader_id < 0)
            row->error_code = KAFKA_LEADER_NOT_AVAILABLE;
    }
    out->topic_id = topic->id;
    out->partitions = rows;
    out->partitions_count = n;
    page->room -= n;
    if (first + n == (size_t)topic->partitions)
        return 0;
    struct describe_topic_partitions_response_cursor *next =
        request_array(req, 1, sizeof(*next));
    if (next == NULL)
        return ERR_TOO_LARGE;
    next->topic_name = topic->name;
    next->partition_index = (int32_t)(first + n);
    page->reply.next_cursor = next;
    return 0;
}

static int add_topic(struct request *req, struct page *page, struct slice name)
{
    const struct describe_topic_partitions_request *body = req->body;
    const struct meta_topic *topic = meta_topic_by_name(page->steering.view, name);
    struct describe_topic_partitions_response_topic *out =
        &page->reply.topics[page->reply.topics_count++];

    *out = describe_topic_partitions_response_topic_defaults;
    out->name = name;
    out->topic_authorized_operations = TOPIC_OPERATIONS;
    if (topic == NULL) {
        out->error_code = topic_name_valid(name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                                 : KAFKA_INVALID_TOPIC_EXCEPTION;
        return 0;
    }
    size_t first = 0;
    if (body->cursor != NULL && slice_eq(name, body->cursor->topic_name))
        first = MIN((size_t)body->cursor->partition_index, (size_t)topic->partitions);
    return describe(req, page, topic, first, out);
}

int api_describe_topic_partitions(struct request *req)
{
    const struct describe_topic_partitions_request *body = req->body;
    struct slice *names;
    size_t count;

    if (!req->refreshed && any_unknown(req))
        return request_refresh(req);
    struct page page = {.reply = describe_topic_partitions_response_defaults};
    int32_t limit = body->response_partition_limit;
    page.room = (size_t)MAX(MIN(limit, PARTITIONS_MAX), 1);
    if (collect(req, &names, &count) != 0 ||
        steering_init(&page.steering, request_view(req), request_zone(req),
                      &req->arena) != 0)
        return ERR_TOO_LARGE;
    page.reply.topics = request_array(req, count, sizeof(*page.reply.topics));
    if (page.reply.topics == NULL)
        return ERR_TOO_LARGE;
    if (body->cursor != NULL && body->cursor->partition_index < 0) {
        for (size_t i = 0; i < count; i++) {
            page.reply.topics[i] = describe_topic_partitions_response_topic_defaults;
            page.reply.topics[i].name = names[i];
            page.reply.topics[i].error_code = KAFKA_INVALID_REQUEST;
        }
        page.reply.topics_count = count;
        return request_reply(req, &page.reply);
    }
    for (size_t i = 0; i < count && page.reply.next_cursor == NULL; i++) {
        if (page.room == 0) {
            struct describe_topic_partitions_response_cursor *next =
                request_array(req, 1, sizeof(*next));
            if (next == NULL)
                return ERR_TOO_LARGE;
            next->topic_name = names[i];
            page.reply.next_cursor = next;
        } else if (add_topic(req, &page, names[i]) != 0) {
            return ERR_TOO_LARGE;
        }
    }
    return request_reply(req, &page.reply);
}
