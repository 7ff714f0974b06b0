/* traffic.c - counters in a table by topic, in a list by last use. */
#include "agent/traffic.h"

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "agent/meta.h"
#include "agent/metrics.h"
#include "common/list.h"
#include "common/mem.h"

/* Unused for so long, a topic makes room for another. */
#define IDLE_MS 600000

enum traffic_kind { PRODUCED_BYTES, PRODUCED_RECORDS, FETCHED_BYTES, FETCHED_RECORDS };
#define KINDS (FETCHED_RECORDS + 1)

struct topic_traffic {
    struct uuid topic_id;
    uint64_t counts[KINDS];
    int64_t used_at_ms;
    struct list_node node;
    UT_hash_handle hh;
};

struct traffic {
    size_t topics_max, count;
    struct topic_traffic *table;
    struct list by_use; /* used longest ago first */
    struct topic_traffic other;
};

struct traffic *traffic_new(size_t topics_max)
{
    struct traffic *traffic = mem_zalloc(sizeof(*traffic));
    traffic->topics_max = topics_max;
    list_init(&traffic->by_use);
    list_node_init(&traffic->other.node);
    return traffic;
}

static void drop(struct traffic *traffic, struct topic_traffic *topic)
{
    HASH_DELETE(hh, traffic->table, topic);
    list_remove(&topic->node);
    traffic->count--;
    mem_free(topic);
}

void traffic_free(struct traffic *traffic)
{
    struct list_node *node;
    if (traffic == NULL)
        return;
    while ((node = list_first(&traffic->by_use)) != NULL)
        drop(traffic, CONTAINER_OF(node, struct topic_traffic, node));
    mem_free(traffic);
}

static struct topic_traffic *find(struct traffic *traffic, const struct uuid *topic_id)
{
    struct topic_traffic *topic;
    HASH_FIND(hh, traffic->table, topic_id, sizeof(*topic_id), topic);
    return topic;
}

static struct topic_traffic *add(struct traffic *traffic, const struct uuid *topic_id)
{
    struct topic_traffic *topic = mem_zalloc(sizeof(*topic));
    topic->topic_id = *topic_id;
    list_node_init(&topic->node);
    HASH_ADD(hh, traffic->table, topic_id, sizeof(topic->topic_id), topic);
    traffic->count++;
    return topic;
}

/* Whose counters TOPIC_ID's are. */
static struct topic_traffic *use(struct traffic *traffic, const struct uuid *topic_id,
                                 int64_t now_ms)
{
    struct topic_traffic *topic = find(traffic, topic_id);

    if (topic == NULL) {
        struct list_node *node = list_first(&traffic->by_use);
        if (traffic->count >= traffic->topics_max && node != NULL) {
            struct topic_traffic *old = CONTAINER_OF(node, struct topic_traffic, node);
            if (now_ms - old->used_at_ms > IDLE_MS)
                drop(traffic, old);
        }
        if (traffic->count >= traffic->topics_max)
            return &traffic->other;
        topic = add(traffic, topic_id);
    }
    topic->used_at_ms = now_ms;
    list_remove(&topic->node);
    list_push_back(&traffic->by_use, &topic->node);
    return topic;
}

void traffic_produced(struct traffic *traffic, const struct uuid *topic_id,
                      uint64_t records, uint64_t bytes, int64_t now_ms)
{
    struct topic_traffic *topic = use(traffic, topic_id, now_ms);
    topic->counts[PRODUCED_BYTES] += bytes;
    topic->counts[PRODUCED_RECORDS] += records;
}

void traffic_fetched(struct traffic *traffic, const struct uuid *topic_id,
                     uint64_t records, uint64_t bytes, int64_t now_ms)
{
    struct topic_traffic *topic = use(traffic, topic_id, now_ms);
    topic->counts[FETCHED_BYTES] += bytes;
    topic->counts[FETCHED_RECORDS] += records;
}

void traffic_forget(struct traffic *traffic, const struct uuid *topic_id)
{
    struct topic_traffic *topic = find(traffic, topic_id);
    if (topic != NULL)
        drop(traffic, topic);
}

static void print_one(const struct metric_spec *spec, struct slice name, uint64_t value,
                      struct str *out)
{
    str_printf(out, "%s{", spec->name);
    metric_print_label("topic", name, out);
    str_printf(out, "} %llu\n", (unsigned long long)value);
}

void traffic_print(const struct traffic *traffic, const struct meta_view *view,
                   struct str *out)
{
    const struct metric_spec *const specs[KINDS] = {
        agent_family(topic_produced_bytes_total),
        agent_family(topic_produced_records_total),
        agent_family(topic_fetched_bytes_total),
        agent_family(topic_fetched_records_total),
    };
    for (size_t kind = 0; kind < KINDS; kind++) {
        metric_print_head(specs[kind], out);
        LIST_FOREACH(node, next, &traffic->by_use)
        {
            const struct topic_traffic *topic =
                CONTAINER_OF(node, struct topic_traffic, node);
            const struct meta_topic *meta = meta_topic_by_id(view, &topic->topic_id);
            if (meta != NULL)
                print_one(specs[kind], meta->name, topic->counts[kind], out);
        }
        print_one(specs[kind], slice_str("other"), traffic->other.counts[kind], out);
    }
}
