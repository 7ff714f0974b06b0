/* api_inspect.c - what Kafka's admin tools look at and only the control plane knows: the
 * sizes of logs, the producers of partitions, the voters of the cell. Reads only. */
#include "controlplane/api.h"

#include <string.h>

#include "common/mem.h"
#include "controlplane/call.h"
#include "proto/kafka_error.h"
#include "proto/packed.h"

#define COLUMN_MAX (64 * MIB)

/* --- POST /agent/v1/sizes --- */

struct topic_sizes {
    struct uuid topic_id;
    struct str column;
};

struct sizes_call {
    bool all;
    size_t count;
    struct topic_sizes *topics;
};

static void sizes_cleanup(struct call *call)
{
    struct sizes_call *sizes = call->data;
    for (size_t i = 0; i < sizes->count; i++)
        str_fini(&sizes->topics[i].column);
    if (sizes->all)
        mem_free(sizes->topics);
}

static void fill_sizes(const struct topic *topic, struct topic_sizes *out)
{
    for (int32_t i = 0; topic != NULL && i < topic->partition_count; i++)
        packed_put(&out->column, (int64_t)state_partition_size(topic, i).bytes);
}

static void sizes_core(struct node *node, struct call *call)
{
    struct sizes_call *sizes = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    const struct topic *topic = NULL;

    for (size_t i = 0; !sizes->all && i < sizes->count; i++)
        fill_sizes(state_topic(cluster, &sizes->topics[i].topic_id), &sizes->topics[i]);
    if (sizes->all)
        sizes->topics = mem_zalloc((cluster->topic_count + 1) * sizeof(*sizes->topics));
    while (sizes->all && (topic = state_topic_next(cluster, topic)) != NULL) {
        struct topic_sizes *out = &sizes->topics[sizes->count++];
        out->topic_id = topic->topic_id;
        str_init(&out->column, COLUMN_MAX);
        fill_sizes(topic, out);
    }
    call_done(call);
}

static void sizes_answer(struct call *call)
{
    const struct sizes_call *sizes = call->data;
    struct json *list = json_array(), *answer = call_answer(call);

    for (size_t i = 0; i < sizes->count; i++) {
        struct json *row = json_array();
        json_push(row, json_uuid(&sizes->topics[i].topic_id));
        json_push(row, json_base64(str_slice(&sizes->topics[i].column)));
        json_push(list, row);
    }
    json_set(answer, "sizes", list);
    call_reply_json(call, 200, answer);
}

void api_sizes(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get(&r, call->body, "topics");
    struct sizes_call *sizes = arena_alloc(&call->arena, sizeof(*sizes));

    if (r.failed)
        return;
    sizes->all = json_is_null(list);
    if (!sizes->all) {
        size_t count = json_count(json_get_array(&r, call->body, "topics"));
        sizes->topics = arena_try_array(&call->arena, count, sizeof(*sizes->topics));
        if (sizes->topics == NULL) {
            call_fail(call, ERR_TOO_LARGE, "topics: too many for one call");
            return;
        }
        for (size_t i = 0; i < count && !r.failed; i++)
            sizes->topics[i].topic_id =
                json_as_uuid(&r, json_at(&r, list, i), "topic_id");
        if (r.failed)
            return;
        for (size_t i = 0; i < count; i++)
            str_init(&sizes->topics[i].column, COLUMN_MAX);
        sizes->count = count;
    }
    call->data = sizes;
    call->cleanup = sizes_cleanup;
    call_ask(call, sizes_core, sizes_answer);
}

/* --- POST /agent/v1/producers --- */

/* Partitions of one call, and producers of one answer. */
#define PRODUCER_PARTITIONS_MAX 4096
#define PRODUCERS_MAX           65536

struct producers_query {
    struct uuid topic_id;
    int32_t partition;
    /* answer */
    int16_t error;
    size_t first, count;
};

struct producers_call {
    size_t count;
    struct producers_query *queries;
    struct producer_view *views;
    size_t view_count;
};

static void producers_cleanup(struct call *call)
{
    struct producers_call *producers = call->data;
    mem_free(producers->views);
}

static void query_producers(const struct cluster *cluster,
                            struct producers_call *producers,
                            struct producers_query *query)
{
    const struct topic *topic = state_topic(cluster, &query->topic_id);
    struct partition_offsets offsets;

    query->first = producers->view_count;
    query->error = topic == NULL ? KAFKA_UNKNOWN_TOPIC_ID
                                 : state_offsets(topic, query->partition, &offsets);
    if (query->error != 0)
        return;
    size_t room = PRODUCERS_MAX - producers->view_count;
    query->count = state_producers(topic, query->partition,
                                   producers->views + producers->view_count, room);
    producers->view_count += query->count;
    /* No answer is better than one that leaves some out without a word. */
    if (query->count == room)
        query->error = KAFKA_UNKNOWN_SERVER_ERROR;
}

static void producers_core(struct node *node, struct call *call)
{
    struct producers_call *producers = call->data;
    const struct cluster *cluster = call_cluster(node, call);

    producers->views = mem_alloc(PRODUCERS_MAX * sizeof(*producers->views));
    for (size_t i = 0; i < producers->count; i++)
        query_producers(cluster, producers, &producers->queries[i]);
    call_done(call);
}

static void producers_answer(struct call *call)
{
    const struct producers_call *producers = call->data;
    struct json *list = json_array(), *answer = call_answer(call);

    for (size_t i = 0; i < producers->count; i++) {
        const struct producers_query *query = &producers->queries[i];
        struct json *value = json_array(), *rows = json_array();
        for (size_t k = 0; k < query->count && query->error == 0; k++) {
            const struct producer_view *view = &producers->views[query->first + k];
            struct json *row = json_array();
            json_push(row, json_int(view->producer_id));
            json_push(row, json_int(view->epoch));
            json_push(row, json_int(view->last_sequence));
            json_push(row, json_int(view->last_timestamp));
            json_push(rows, row);
        }
        json_push(value, json_int(query->error));
        json_push(value, rows);
        json_push(list, value);
    }
    json_set(answer, "producers", list);
    call_reply_json(call, 200, answer);
}

void api_producers(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "partitions");
    struct producers_call *producers = arena_alloc(&call->arena, sizeof(*producers));

    if (r.failed)
        return;
    producers->count = json_count(list);
    if (producers->count > PRODUCER_PARTITIONS_MAX) {
        call_fail(call, ERR_TOO_LARGE, "partitions: more than %d; ask in several calls",
                  PRODUCER_PARTITIONS_MAX);
        return;
    }
    producers->queries =
        arena_array(&call->arena, producers->count, sizeof(*producers->queries));
    for (size_t i = 0; i < producers->count && !r.failed; i++) {
        const struct json *value = json_at(&r, list, i);
        struct producers_query *query = &producers->queries[i];
        query->topic_id = json_as_uuid(&r, json_at(&r, value, 0), "topic_id");
        query->partition = (int32_t)json_as_int(&r, json_at(&r, value, 1), "partition",
                                                INT32_MIN, INT32_MAX);
    }
    if (r.failed)
        return;
    call->data = producers;
    call->cleanup = producers_cleanup;
    call_ask(call, producers_core, producers_answer);
}

/* --- POST /agent/v1/quorum --- */

struct quorum_call {
    uint64_t leader_id, term, applied_index;
    struct node_server servers[NODE_SERVERS_MAX];
    size_t count;
};

static void quorum_core(struct node *node, struct call *call)
{
    struct quorum_call *quorum = call->data;

    quorum->leader_id = node_leader_id(node);
    quorum->term = node_term(node);
    quorum->count = node_servers(node, quorum->servers);
    quorum->applied_index = state_applied_index(node_state(node));
    call_done(call);
}

/* Addresses are the cell's own affair: tenants see ids and progress only (I10). */
static void quorum_answer(struct call *call)
{
    const struct quorum_call *quorum = call->data;
    struct json *list = json_array(), *answer = call_answer(call);

    for (size_t i = 0; i < quorum->count; i++) {
        const struct node_server *server = &quorum->servers[i];
        struct json *row = json_array();
        json_push(row, json_int((int64_t)server->node_id));
        json_push(row, json_bool(server->role == NODE_VOTER));
        json_push(row, json_int((int64_t)(server->self ? quorum->applied_index
                                                       : server->match_index)));
        json_push(row, json_int(server->self ? 0 : server->contact_ms));
        json_push(list, row);
    }
    json_set(answer, "leader", json_int((int64_t)quorum->leader_id));
    json_set(answer, "term", json_int((int64_t)quorum->term));
    json_set(answer, "commit_index", json_int((int64_t)quorum->applied_index));
    json_set(answer, "nodes", list);
    call_reply_json(call, 200, answer);
}

void api_quorum(struct call *call)
{
    call->data = arena_alloc(&call->arena, sizeof(struct quorum_call));
    call_ask(call, quorum_core, quorum_answer);
}
