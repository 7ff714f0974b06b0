/* api_log_dirs.c - DescribeLogDirs and AlterReplicaLogDirs (KIP-113).
 *
 * An agent has one directory, which is the object store. What a partition takes there is
 * told by one agent only, the one that the client knows as its leader, so that sums over
 * all brokers are right; total and usable bytes are not known of an object store (-1). */
#include <stdlib.h>
#include <string.h>

#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "common/cursor.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"
#include "proto/packed.h"

#define TIMEOUT_MS 30000
/* Named topics of one call, beyond which all are asked for. */
#define NAMED_MAX 1000

struct topic_size {
    struct uuid topic_id;
    int64_t *bytes; /* of each partition */
    size_t count;
};

struct sizes {
    struct relay_ask ask;
    struct topic_size *topics; /* by id */
    size_t count;
};

/* The store's URL without what follows a '?', and without user and password. */
static struct slice store_name(struct request *req)
{
    const char *url = request_options(req)->store;
    if (url == NULL)
        return SLICE_LITERAL("object-store");
    size_t len = strcspn(url, "?#");
    const char *host = strstr(url, "://");
    const char *at = host == NULL ? NULL : memchr(url, '@', len);
    if (at == NULL || at < host)
        return slice_of(url, len);
    size_t scheme = (size_t)(host - url) + 3, rest = len - (size_t)(at + 1 - url);
    char *name = request_array(req, scheme + rest + 1, 1);
    if (name == NULL)
        return SLICE_LITERAL("object-store");
    memcpy(name, url, scheme);
    memcpy(name + scheme, at + 1, rest);
    return slice_of(name, scheme + rest);
}

static int compare_sizes(const void *a, const void *b)
{
    const struct topic_size *x = a, *y = b;
    return uuid_cmp(&x->topic_id, &y->topic_id);
}

static int read_sizes(struct relay_ask *ask, const struct json *answer)
{
    struct sizes *own = CONTAINER_OF(ask, struct sizes, ask);
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "sizes");
    size_t n = json_count(rows);
    struct topic_size *topics = arena_try_array(ask->ask.arena, n, sizeof(*topics));

    if (topics == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n && !r.failed; i++) {
        const struct json *row = json_at(&r, rows, i);
        struct reader column;
        topics[i].topic_id = json_as_uuid(&r, json_at(&r, row, 0), "topic id");
        struct slice packed =
            json_as_base64(&r, json_at(&r, row, 1), "sizes", ask->ask.arena);
        int64_t count = r.failed ? -1 : packed_count(packed);
        if (count < 0)
            return ERR_MALFORMED;
        topics[i].count = (size_t)count;
        topics[i].bytes =
            arena_try_array(ask->ask.arena, (size_t)count, sizeof(*topics[i].bytes));
        if (topics[i].bytes == NULL)
            return ERR_TOO_LARGE;
        reader_init(&column, packed);
        for (int64_t k = 0; k < count; k++)
            topics[i].bytes[k] = packed_get(&column);
    }
    if (n > 1)
        qsort(topics, n, sizeof(*topics), compare_sizes);
    own->topics = topics;
    own->count = n;
    return r.failed ? ERR_MALFORMED : 0;
}

/* Whether the client asked for PARTITION of the topic. */
static bool is_asked(const struct describe_log_dirs_request_topic *asked,
                     int32_t partition)
{
    if (asked == NULL)
        return true;
    for (size_t i = 0; i < asked->partitions_count; i++) {
        if (asked->partitions[i] == partition)
            return true;
    }
    return false;
}

/* Those of TOPIC's partitions that this agent tells of. */
static int fill_topic(struct request *req, struct steering *steering,
                      const struct meta_topic *topic, const struct topic_size *size,
                      const struct describe_log_dirs_request_topic *asked,
                      struct describe_log_dirs_response_topic *out)
{
    struct describe_log_dirs_response_partition *rows =
        request_array(req, size->count, sizeof(*rows));
    size_t n = 0;

    if (rows == NULL || steering_set_factor(steering, 1, &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < size->count && i < (size_t)topic->partitions; i++) {
        int32_t *replicas;
        size_t count;
        if (!is_asked(asked, (int32_t)i) ||
            steering_place(steering, &topic->id, (int32_t)i, &replicas, &count) !=
                steering->view->self_node_id)
            continue;
        rows[n].partition_index = (int32_t)i;
        rows[n++].partition_size = size->bytes[i];
    }
    out->name = topic->name;
    out->partitions = rows;
    out->partitions_count = n;
    return 0;
}

static const struct topic_size *find_size(const struct sizes *own, const struct uuid *id)
{
    const struct topic_size key = {.topic_id = *id};
    return own->count == 0
               ? NULL
               : bsearch(&key, own->topics, own->count, sizeof(key), compare_sizes);
}

static int fill_dir(struct request *req, struct describe_log_dirs_response_result *dir)
{
    const struct describe_log_dirs_request *body = req->body;
    const struct meta_view *view = request_view(req);
    const struct sizes *own = req->own;
    size_t n = body->topics == NULL ? view->topic_count : body->topics_count;
    struct steering steering;

    dir->topics = request_array(req, n, sizeof(*dir->topics));
    if (dir->topics == NULL ||
        steering_init(&steering, view, request_zone(req), &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const struct describe_log_dirs_request_topic *asked =
            body->topics == NULL ? NULL : &body->topics[i];
        const struct meta_topic *topic =
            asked == NULL ? view->topics[i] : meta_topic_by_name(view, asked->topic);
        const struct topic_size *size = topic == NULL ? NULL : find_size(own, &topic->id);
        struct describe_log_dirs_response_topic *out = &dir->topics[dir->topics_count];
        if (size == NULL)
            continue;
        int rc = fill_topic(req, &steering, topic, size, asked, out);
        if (rc != 0)
            return rc;
        if (out->partitions_count > 0)
            dir->topics_count++;
    }
    return 0;
}

static int on_sizes(struct request *req)
{
    const struct sizes *own = req->own;
    struct describe_log_dirs_response reply = describe_log_dirs_response_defaults;
    struct describe_log_dirs_response_result dir =
        describe_log_dirs_response_result_defaults;

    dir.log_dir = store_name(req);
    dir.error_code = own->ask.kafka_error;
    if (dir.error_code == 0 && fill_dir(req, &dir) != 0)
        return ERR_TOO_LARGE;
    reply.results = &dir;
    reply.results_count = 1;
    return request_reply(req, &reply);
}

int api_describe_log_dirs(struct request *req)
{
    const struct describe_log_dirs_request *body = req->body;
    struct sizes *own = request_array(req, 1, sizeof(*own));
    struct json *list = NULL;

    if (own == NULL)
        return ERR_TOO_LARGE;
    if (body->topics != NULL && body->topics_count <= NAMED_MAX) {
        list = json_array();
        for (size_t i = 0; i < body->topics_count; i++) {
            const struct meta_topic *topic =
                meta_topic_by_name(request_view(req), body->topics[i].topic);
            if (topic != NULL)
                json_push(list, json_uuid(&topic->id));
        }
    }
    own->ask.path = "/agent/v1/sizes";
    own->ask.body = json_object();
    json_set(own->ask.body, "topics", list == NULL ? json_null() : list);
    own->ask.read = read_sizes;
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    req->own = own;
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_sizes);
}

/* ---- AlterReplicaLogDirs ---- */

/* There is one directory: what is in it already stays, and there is no other. As Kafka,
 * which looks at the directory before it looks at the partition. */
int api_alter_replica_log_dirs(struct request *req)
{
    const struct alter_replica_log_dirs_request *body = req->body;
    struct alter_replica_log_dirs_response reply =
        alter_replica_log_dirs_response_defaults;
    struct slice ours = store_name(req);
    size_t n = 0;

    for (size_t i = 0; i < body->dirs_count; i++)
        n += body->dirs[i].topics_count;
    reply.results = request_array(req, n, sizeof(*reply.results));
    if (reply.results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->dirs_count; i++) {
        bool known = slice_eq(body->dirs[i].path, ours);
        for (size_t j = 0; j < body->dirs[i].topics_count; j++) {
            const struct alter_replica_log_dirs_request_topic *asked =
                &body->dirs[i].topics[j];
            const struct meta_topic *topic =
                meta_topic_by_name(request_view(req), asked->name);
            struct alter_replica_log_dirs_response_result *out =
                &reply.results[reply.results_count++];
            out->topic_name = asked->name;
            out->partitions_count = asked->partitions_count;
            out->partitions =
                request_array(req, asked->partitions_count, sizeof(*out->partitions));
            if (out->partitions == NULL)
                return ERR_TOO_LARGE;
            for (size_t k = 0; k < asked->partitions_count; k++) {
                int32_t index = asked->partitions[k];
                out->partitions[k].partition_index = index;
                if (!known)
                    out->partitions[k].error_code = KAFKA_LOG_DIR_NOT_FOUND;
                else if (topic == NULL || index < 0 || index >= topic->partitions)
                    out->partitions[k].error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            }
        }
    }
    return request_reply(req, &reply);
}
