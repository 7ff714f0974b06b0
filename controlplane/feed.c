/* feed.c - rings of events, readers of them, and the texts of events.
 *
 * A ring is a growing circular array; what passes the bound falls out at the old end and
 * raises the floor. Events that are not sealed yet carry the index UNSEALED, which is
 * above every other; only their number is kept, since they are the last ones. */
#include "controlplane/feed.h"

#include <string.h>

#include <uthash.h>

#include "common/base64.h"
#include "common/check.h"
#include "common/json.h"
#include "common/mem.h"
#include "controlplane/told_groups.h"
#include "proto/packed.h"

#define UNSEALED       UINT64_MAX
#define EVENT_TEXT_MAX (64 * MIB)
/* Beyond what the limits of topics and settings let a cluster hold. */
#define TOPICS_TEXT_MAX ((size_t)16 * GIB)
/* What an event costs beside its text: the blob, its place in the ring. */
#define EVENT_OVERHEAD_BYTES 128
#define OBJECT_HEADER_BYTES  16

struct feed_event {
    uint64_t index;
    struct blob *text;
};

struct feed_ring {
    struct uuid cluster_id;
    struct feed_event *events; /* circular; size a power of two */
    size_t size, first, count;
    size_t unsealed; /* the last so many */
    size_t bytes;
    uint64_t floor; /* events at or below are not (all) here */
    /* Its list of agents changed: told once a seal, however many came and went. */
    const struct cluster *agents_of;
    struct blob *topics; /* the text of feed_topics, as of topics_version */
    uint64_t topics_version;
    bool ahead_noted;
    struct told_group *told_groups;
    struct list waiters;
    struct list_node dirty;
    UT_hash_handle hh;
};

struct feed {
    size_t ring_bytes;
    void (*on_dirty)(void *arg);
    void *arg;
    bool attached, told;
    void (*group_hook)(void *arg, const struct cluster *cluster,
                       const struct group *group);
    void *group_arg;
    uint64_t start;
    struct feed_ring *rings;
    struct list dirty; /* rings with unsealed events or news for waiters */
    struct feed_counts counts;
};

struct feed *feed_new(size_t ring_bytes, void (*on_dirty)(void *arg), void *arg)
{
    struct feed *feed = mem_zalloc(sizeof(*feed));
    feed->ring_bytes = ring_bytes;
    feed->on_dirty = on_dirty;
    feed->arg = arg;
    list_init(&feed->dirty);
    return feed;
}

static struct feed_event *event_at(const struct feed_ring *ring, size_t i)
{
    return &ring->events[(ring->first + i) & (ring->size - 1)];
}

/* Nobody waits. */
static void drop_rings(struct feed *feed)
{
    struct feed_ring *ring, *next;
    HASH_ITER(hh, feed->rings, ring, next)
    {
        ASSERT(list_empty(&ring->waiters));
        HASH_DEL(feed->rings, ring);
        for (size_t i = 0; i < ring->count; i++)
            blob_unref(event_at(ring, i)->text);
        blob_unref(ring->topics);
        told_groups_free(&ring->told_groups);
        list_remove(&ring->dirty);
        mem_free(ring->events);
        mem_free(ring);
    }
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    drop_rings(feed);
    mem_free(feed);
}

void feed_restart(struct feed *feed, uint64_t index)
{
    drop_rings(feed);
    feed->counts = (struct feed_counts){0};
    feed->start = index;
}

void feed_pass_groups(struct feed *feed,
                      void (*hook)(void *arg, const struct cluster *cluster,
                                   const struct group *group),
                      void *arg)
{
    feed->group_hook = hook;
    feed->group_arg = arg;
}

void feed_attach(struct feed *feed, uint64_t index)
{
    feed->attached = true;
    feed->start = index;
}

void feed_detach(struct feed *feed)
{
    feed->attached = false;
}

static struct feed_ring *ring_find(const struct feed *feed, const struct uuid *cluster_id)
{
    struct feed_ring *ring;
    HASH_FIND(hh, feed->rings, cluster_id, sizeof(*cluster_id), ring);
    return ring;
}

static struct feed_ring *ring_of(struct feed *feed, const struct uuid *cluster_id)
{
    struct feed_ring *ring = ring_find(feed, cluster_id);
    if (ring != NULL)
        return ring;
    ring = mem_zalloc(sizeof(*ring));
    ring->cluster_id = *cluster_id;
    ring->floor = feed->start;
    list_init(&ring->waiters);
    list_node_init(&ring->dirty);
    HASH_ADD(hh, feed->rings, cluster_id, sizeof(ring->cluster_id), ring);
    return ring;
}

/* --- events in --- */

static void drop_oldest(struct feed *feed, struct feed_ring *ring)
{
    struct feed_event *event = event_at(ring, 0);
    size_t bytes = event->text->len + EVENT_OVERHEAD_BYTES;
    if (event->index == UNSEALED)
        ring->unsealed--;
    ring->floor = event->index; /* UNSEALED: the seal sets it right */
    blob_unref(event->text);
    ring->first = (ring->first + 1) & (ring->size - 1);
    ring->count--;
    ring->bytes -= bytes;
    feed->counts.bytes -= bytes;
}

static void grow(struct feed_ring *ring)
{
    size_t size = ring->size == 0 ? 16 : ring->size * 2;
    struct feed_event *events = mem_alloc(size * sizeof(*events));
    for (size_t i = 0; i < ring->count; i++)
        events[i] = *event_at(ring, i);
    mem_free(ring->events);
    ring->events = events;
    ring->size = size;
    ring->first = 0;
}

/* There is news in RING: it waits for the seal. */
static void mark_dirty(struct feed *feed, struct feed_ring *ring)
{
    if (!list_linked(&ring->dirty))
        list_push_back(&feed->dirty, &ring->dirty);
    if (!feed->told && feed->on_dirty != NULL) {
        feed->told = true;
        feed->on_dirty(feed->arg);
    }
}

static void add_event(struct feed *feed, struct feed_ring *ring, const struct str *text)
{
    struct blob *blob = blob_new(text->len, NULL);

    ASSERT(!text->overflowed);
    memcpy(blob->data, text->data, text->len);
    if (ring->count == ring->size)
        grow(ring);
    ring->count++;
    ring->unsealed++;
    *event_at(ring, ring->count - 1) = (struct feed_event){UNSEALED, blob};
    ring->bytes += text->len + EVENT_OVERHEAD_BYTES;
    feed->counts.bytes += text->len + EVENT_OVERHEAD_BYTES;
    feed->counts.events++;
    while (ring->bytes > feed->ring_bytes && ring->count > 0)
        drop_oldest(feed, ring);
}

static void add_agents(struct feed *feed, struct feed_ring *ring)
{
    struct str text;
    str_init(&text, EVENT_TEXT_MAX);
    str_puts(&text, "[\"agents\",");
    feed_print_agents(ring->agents_of, &text);
    str_putc(&text, ']');
    ring->agents_of = NULL;
    add_event(feed, ring, &text);
    str_fini(&text);
}

void feed_seal(struct feed *feed, uint64_t index)
{
    LIST_FOREACH(node, next, &feed->dirty)
    {
        struct feed_ring *ring = CONTAINER_OF(node, struct feed_ring, dirty);
        if (ring->agents_of != NULL)
            add_agents(feed, ring);
        for (size_t i = ring->count - ring->unsealed; i < ring->count; i++)
            event_at(ring, i)->index = index;
        ring->unsealed = 0;
        if (ring->floor == UNSEALED)
            ring->floor = index;
        /* Without waiters there is nothing left to do for it. */
        if (list_empty(&ring->waiters))
            list_remove(node);
    }
}

/* --- readers --- */

/* Give WATCH what comes after its cursor. False: nothing yet, it may wait. */
static bool collect(const struct feed *feed, const struct feed_ring *ring,
                    struct feed_watch *watch, uint64_t index)
{
    uint64_t floor = ring == NULL ? feed->start : ring->floor;
    size_t first = ring == NULL ? 0 : ring->count;
    size_t bytes = 0, last;

    watch->cursor = index;
    watch->reset = watch->after < floor || watch->after > index;
    if (watch->reset)
        return true;
    /* Watchers are near the end: look for their place from there. */
    while (first > 0 && event_at(ring, first - 1)->index > watch->after)
        first--;
    if (ring == NULL || first == ring->count)
        return false;
    for (last = first; last < ring->count; last++) {
        const struct feed_event *event = event_at(ring, last);
        if (bytes > FEED_ANSWER_BYTES && event->index != event_at(ring, last - 1)->index)
            break;
        bytes += event->text->len + 1;
    }
    if (last < ring->count)
        watch->cursor = event_at(ring, last - 1)->index;
    watch->event_count = last - first;
    watch->events = mem_alloc(watch->event_count * sizeof(*watch->events));
    for (size_t i = 0; i < watch->event_count; i++)
        watch->events[i] = blob_ref(event_at(ring, first + i)->text);
    return true;
}

bool *feed_ahead_noted(struct feed *feed, const struct uuid *cluster_id)
{
    return &ring_of(feed, cluster_id)->ahead_noted;
}

bool feed_watch(struct feed *feed, struct feed_watch *watch, uint64_t index)
{
    feed_seal(feed, index);
    struct feed_ring *ring = ring_find(feed, &watch->cluster_id);
    watch->events = NULL;
    watch->event_count = 0;
    watch->ring = NULL;
    list_node_init(&watch->node);
    if (collect(feed, ring, watch, index)) {
        watch->done(watch);
        return false;
    }
    watch->ring = ring != NULL ? ring : ring_of(feed, &watch->cluster_id);
    list_push_back(&watch->ring->waiters, &watch->node);
    feed->counts.watchers++;
    return true;
}

bool feed_cancel(struct feed *feed, struct feed_watch *watch, uint64_t index)
{
    if (!list_linked(&watch->node))
        return false;
    feed_seal(feed, index);
    list_remove(&watch->node);
    feed->counts.watchers--;
    /* Events may have come in this very tick. */
    (void)collect(feed, watch->ring, watch, index);
    return true;
}

void feed_watch_fini(struct feed_watch *watch)
{
    for (size_t i = 0; i < watch->event_count; i++)
        blob_unref(watch->events[i]);
    mem_free(watch->events);
    watch->events = NULL;
    watch->event_count = 0;
}

static void wake_ring(struct feed *feed, struct feed_ring *ring, uint64_t index, bool all)
{
    struct list waiting;
    struct list_node *node;

    list_init(&waiting);
    list_splice(&waiting, &ring->waiters);
    while ((node = list_pop_front(&waiting)) != NULL) {
        struct feed_watch *watch = CONTAINER_OF(node, struct feed_watch, node);
        if (!collect(feed, ring, watch, index) && !all) {
            list_push_back(&ring->waiters, node);
            continue;
        }
        feed->counts.watchers--;
        watch->done(watch);
    }
}

void feed_deliver(struct feed *feed, uint64_t index)
{
    struct list dirty;
    struct list_node *node;

    feed->told = false;
    feed_seal(feed, index);
    list_init(&dirty);
    list_splice(&dirty, &feed->dirty);
    while ((node = list_pop_front(&dirty)) != NULL)
        wake_ring(feed, CONTAINER_OF(node, struct feed_ring, dirty), index, false);
}

void feed_wake_all(struct feed *feed, uint64_t index)
{
    struct feed_ring *ring, *next;
    feed_seal(feed, index);
    HASH_ITER(hh, feed->rings, ring, next)
    wake_ring(feed, ring, index, true);
}

void feed_count(const struct feed *feed, struct feed_counts *counts)
{
    *counts = feed->counts;
}

/* --- texts --- */

static void print_uuid(const struct uuid *uuid, struct str *out)
{
    char text[UUID_TEXT_LEN + 1];
    str_printf(out, "\"%s\"", uuid_print(uuid, text));
}

static struct json *topic_json(const struct topic *topic)
{
    struct json *value = json_array();
    struct json *configs = json_object();
    for (size_t i = 0; i < topic->configs.count; i++)
        json_set(configs, topic->configs.entries[i].name,
                 json_string(topic->configs.entries[i].value));
    json_push(value, json_uuid(&topic->topic_id));
    json_push(value, json_string(topic->name));
    json_push(value, json_int(topic->partition_count));
    json_push(value, json_int(topic->replication_factor));
    json_push(value, configs);
    json_push(value, json_int(topic->created_at_ms));
    return value;
}

static void print_topic(const struct topic *topic, struct str *out)
{
    struct json *value = topic_json(topic);
    json_print(value, out);
    json_free(value);
}

struct blob *feed_topics(struct feed *feed, const struct cluster *cluster)
{
    struct feed_ring *ring = ring_of(feed, &cluster->cluster_id);
    const struct topic *topic = NULL;
    struct str text;

    if (ring->topics != NULL && ring->topics_version == cluster->config_version)
        return blob_ref(ring->topics);
    str_init(&text, TOPICS_TEXT_MAX);
    str_putc(&text, '[');
    while ((topic = state_topic_next(cluster, topic)) != NULL) {
        if (text.len > 1)
            str_putc(&text, ',');
        print_topic(topic, &text);
    }
    str_putc(&text, ']');
    ASSERT(!text.overflowed);
    blob_unref(ring->topics);
    ring->topics = blob_new(text.len, NULL);
    memcpy(ring->topics->data, text.data, text.len);
    ring->topics_version = cluster->config_version;
    str_fini(&text);
    return blob_ref(ring->topics);
}

void feed_print_agents(const struct cluster *cluster, struct str *out)
{
    struct json *list = json_array();
    for (const struct agent_info *agent = state_agent_next(cluster, NULL); agent != NULL;
         agent = state_agent_next(cluster, agent)) {
        struct json *value = json_array();
        json_push(value, json_int(agent->node_id));
        json_push(value, json_uuid(&agent->agent_id));
        json_push(value, json_string(agent->host));
        json_push(value, json_int(agent->port));
        json_push(value, json_string(agent->zone));
        json_push(value, json_string(agent->rack));
        json_push(value, json_string(agent->http_url));
        json_push(value,
                  json_string(agent->state == AGENT_DRAINING ? "draining" : "active"));
        json_push(list, value);
    }
    json_print(list, out);
    json_free(list);
}

static struct json *setting_json(const struct setting_set *set)
{
    struct json *value = json_array(), *values = json_object();
    for (size_t i = 0; i < set->values.count; i++)
        json_set(values, set->values.entries[i].name,
                 json_string(set->values.entries[i].value));
    json_push(value, json_int(set->kind));
    json_push(value, json_slice(set->name));
    json_push(value, values);
    return value;
}

void feed_print_settings(const struct cluster *cluster, struct str *out)
{
    struct json *list = json_array();
    for (const struct setting_set *set = NULL;
         (set = settings_next(&cluster->settings, set)) != NULL;) {
        if (set->kind != SETTING_QUOTA)
            json_push(list, setting_json(set));
    }
    json_print(list, out);
    json_free(list);
}

static void print_column(struct str *column, struct str *out)
{
    ASSERT(!column->overflowed);
    str_puts(out, ",\"");
    base64_encode(str_slice(column), out);
    str_putc(out, '"');
    str_fini(column);
}

enum {
    COL_TOPIC,
    COL_PARTITION,
    COL_BASE,
    COL_RECORDS,
    COL_POSITION,
    COL_LENGTH,
    COL_TIME,
    COLUMNS
};

static void print_commit(const void *what, struct str *out)
{
    const struct commit_event *event = what;
    struct str columns[COLUMNS];
    int64_t last[COLUMNS] = {0}, topic_index = -1;
    const struct topic *topic = NULL;
    uint64_t end = OBJECT_HEADER_BYTES;

    for (size_t i = 0; i < COLUMNS; i++)
        str_init(&columns[i], EVENT_TEXT_MAX);
    str_puts(out, "[\"commit\",");
    print_uuid(&event->object_id, out);
    str_printf(out, ",%d,[", event->node_id);
    for (size_t i = 0; i < event->run_count; i++) {
        const struct committed_run *run = &event->runs[i];
        if (run->topic != topic) {
            if (topic != NULL)
                str_putc(out, ',');
            print_uuid(&run->topic->topic_id, out);
            topic = run->topic;
            topic_index++;
        }
        packed_put_delta(&columns[COL_TOPIC], &last[COL_TOPIC], topic_index);
        packed_put_delta(&columns[COL_PARTITION], &last[COL_PARTITION], run->partition);
        packed_put_delta(&columns[COL_BASE], &last[COL_BASE], run->base_offset);
        packed_put(&columns[COL_RECORDS], run->records);
        packed_put(&columns[COL_POSITION], (int64_t)(run->position - end));
        packed_put(&columns[COL_LENGTH], run->length);
        packed_put_delta(&columns[COL_TIME], &last[COL_TIME], run->max_timestamp);
        end = run->position + run->length;
    }
    str_putc(out, ']');
    for (size_t i = 0; i < COLUMNS; i++)
        print_column(&columns[i], out);
    str_putc(out, ']');
}

/* --- the state's hooks --- */

static void tell(struct feed *feed, const struct cluster *cluster, const void *what,
                 void (*print)(const void *what, struct str *out))
{
    struct str text;
    if (!feed->attached)
        return;
    struct feed_ring *ring = ring_of(feed, &cluster->cluster_id);
    str_init(&text, EVENT_TEXT_MAX);
    print(what, &text);
    add_event(feed, ring, &text);
    str_fini(&text);
    mark_dirty(feed, ring);
}

static void print_topic_event(const void *topic, struct str *out)
{
    str_puts(out, "[\"topic\",");
    print_topic(topic, out);
    str_putc(out, ']');
}

static void print_deleted_event(const void *topic_id, struct str *out)
{
    str_puts(out, "[\"topic_deleted\",");
    print_uuid(topic_id, out);
    str_putc(out, ']');
}

static void print_setting_event(const void *set, struct str *out)
{
    struct json *value = setting_json(set);
    str_puts(out, "[\"setting\",");
    json_print(value, out);
    json_free(value);
    str_putc(out, ']');
}

struct starts_event {
    const struct log_start *starts;
    size_t count;
};

static void print_starts_event(const void *what, struct str *out)
{
    const struct starts_event *event = what;
    str_puts(out, "[\"log_starts\",[");
    for (size_t i = 0; i < event->count; i++) {
        str_puts(out, i == 0 ? "[" : ",[");
        print_uuid(&event->starts[i].topic->topic_id, out);
        str_printf(out, ",%d,%lld]", event->starts[i].partition,
                   (long long)event->starts[i].offset);
    }
    str_puts(out, "]]");
}

static void on_setting(void *arg, const struct cluster *cluster,
                       const struct setting_set *set)
{
    tell(arg, cluster, set, print_setting_event);
}

static void on_log_starts(void *arg, const struct cluster *cluster,
                          const struct log_start *starts, size_t count)
{
    const struct starts_event event = {starts, count};
    tell(arg, cluster, &event, print_starts_event);
}

static void print_group_event(const void *what, struct str *out)
{
    const struct group *group = what;
    struct json *event = json_array();
    json_push(event, json_string("group"));
    json_push(event, json_slice(group->group_id));
    json_push(event, json_int(group->generation));
    json_push(event, json_string(group_state_name(group->state)));
    json_print(event, out);
    json_free(event);
}

static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    struct feed *feed = arg;
    if (feed->group_hook != NULL)
        feed->group_hook(feed->group_arg, cluster, group);
    if (feed->attached &&
        told_groups_news(&ring_of(feed, &cluster->cluster_id)->told_groups, group))
        tell(feed, cluster, group, print_group_event);
}

static void on_commit(void *arg, const struct cluster *cluster,
                      const struct commit_event *event)
{
    tell(arg, cluster, event, print_commit);
}

static void on_topic(void *arg, const struct cluster *cluster, const struct topic *topic)
{
    tell(arg, cluster, topic, print_topic_event);
}

static void on_topic_deleted(void *arg, const struct cluster *cluster,
                             const struct uuid *topic_id)
{
    tell(arg, cluster, topic_id, print_deleted_event);
}

static void on_agents(void *arg, const struct cluster *cluster)
{
    struct feed *feed = arg;
    if (!feed->attached)
        return;
    struct feed_ring *ring = ring_of(feed, &cluster->cluster_id);
    ring->agents_of = cluster;
    mark_dirty(feed, ring);
}

struct state_events feed_hooks(struct feed *feed)
{
    return (struct state_events){.arg = feed,
                                 .on_commit = on_commit,
                                 .on_topic = on_topic,
                                 .on_topic_deleted = on_topic_deleted,
                                 .on_agents = on_agents,
                                 .on_group = on_group,
                                 .on_setting = on_setting,
                                 .on_log_starts = on_log_starts};
}
