/* meta.c - the immutable views of the cluster, and the draft that the next one is made
 * of.
 *
 * A topic is shared by all views that hold it; a view is two arrays and two hash tables
 * of pointers. Publishing therefore copies pointers only. The one lock is around the
 * pointer to the current view: taking a reference and replacing it must not cross. */
#include "agent/meta.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cursor.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"

#define TOPICS_MAX     1000000
#define AGENTS_MAX     10000 /* drop_ghosts looks at all pairs */
#define PARTITIONS_MAX 1000000
#define NAME_MAX_LEN   249
#define TEXT_MAX       1024
#define CONFIG_MAX     65536
#define SETTINGS_MAX   1000000

struct topic_box {
    struct meta_topic topic;
    atomic_uint refs;
};

/* A list of agents, shared by the views between two changes of it. */
struct meta_agents {
    atomic_uint refs;
    size_t count;
    struct meta_agent list[];
};

/* The settings, shared by the views between two changes of them. */
struct meta_settings {
    atomic_uint refs;
    size_t count;
    struct meta_setting list[];
};

/* Open addressing over the view's topics: 1 + index, 0 is free. */
struct meta_table {
    size_t mask;
    uint32_t slots[];
};

struct meta {
    pthread_mutex_t lock; /* around `view` */
    struct meta_view *view;
    /* core thread */
    struct uuid cluster_id;
    int32_t self_node_id;
    struct meta_agents *agents;
    struct meta_settings *settings;
    struct topic_config_set defaults; /* of topics: what was set for all brokers */
    struct topic_box **topics;        /* by name */
    size_t topic_count, topic_cap;
    bool changed;
};

/* ---- topics and agents: made, shared, freed ---- */

static void topic_unref(struct topic_box *box)
{
    if (atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) > 1)
        return;
    mem_free((void *)(uintptr_t)box->topic.name.ptr);
    topic_config_set_fini(box->topic.set);
    mem_free(box->topic.set);
    mem_free(box);
}

static struct topic_box *box_of(struct meta_topic *topic)
{
    return CONTAINER_OF(topic, struct topic_box, topic);
}

static void free_texts(struct meta_agent *agent)
{
    mem_free((void *)(uintptr_t)agent->host);
    mem_free((void *)(uintptr_t)agent->zone);
    mem_free((void *)(uintptr_t)agent->rack);
    mem_free((void *)(uintptr_t)agent->http_url);
}

static void agents_unref(struct meta_agents *agents)
{
    if (atomic_fetch_sub_explicit(&agents->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < agents->count; i++)
        free_texts(&agents->list[i]);
    mem_free(agents);
}

static struct meta_agents *agents_new(size_t count)
{
    struct meta_agents *agents =
        mem_zalloc(sizeof(*agents) + count * sizeof(agents->list[0]));
    atomic_init(&agents->refs, 1);
    agents->count = count;
    return agents;
}

static char *dup_text(struct slice s)
{
    char *text = mem_alloc(s.len + 1);
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

/* Values were checked when they were set, but by a control plane that may be newer than
 * this agent: what we do not understand does not act here. */
static void read_configs(struct json_reader *r, const struct json *object,
                         enum setting_kind kind, struct topic_config_set *set)
{
    void *iter = NULL;
    const char *key;
    const struct json *value;

    if (!r->failed && !json_is_object(object)) {
        r->failed = true;
        err_set(r->err, ERR_MALFORMED, "configs: not an object");
    }
    if (r->failed)
        return;
    while (json_next(object, &iter, &key, &value)) {
        struct slice text = json_as_string(r, value, "config", CONFIG_MAX);
        const struct topic_config_spec *spec = kind == 0
                                                   ? topic_config_find(slice_str(key))
                                                   : setting_find(kind, slice_str(key));
        struct err err;
        if (r->failed)
            return;
        if (spec == NULL || topic_config_check(spec, text, &err) != 0)
            log_warn("meta", "configuration not understood", "name=%.64s", key);
        else
            topic_config_set_put(set, slice_str(key), text);
    }
}

/* What acts in TOPIC: what was set on it, else for all brokers, else the default. */
static void set_effective(struct meta_topic *topic,
                          const struct topic_config_set *defaults)
{
    struct topic_config_set both;

    if (defaults->count == 0) {
        topic_config_effective(topic->set, &topic->config);
        return;
    }
    topic_config_set_copy(&both, defaults);
    for (size_t i = 0; i < topic->set->count; i++)
        topic_config_set_put(&both, slice_str(topic->set->entries[i].name),
                             slice_str(topic->set->entries[i].value));
    topic_config_effective(&both, &topic->config);
    topic_config_set_fini(&both);
}

/* A new topic, or NULL with R failed. */
static struct topic_box *read_topic(struct json_reader *r, const struct json *value,
                                    const struct topic_config_set *defaults)
{
    struct topic_box *box = mem_zalloc(sizeof(*box));
    struct meta_topic *topic = &box->topic;

    atomic_init(&box->refs, 1);
    topic->set = mem_zalloc(sizeof(*topic->set));
    topic->id = json_as_uuid(r, json_at(r, value, 0), "topic id");
    struct slice name =
        json_as_string(r, json_at(r, value, 1), "topic name", NAME_MAX_LEN);
    topic->name = slice_of(dup_text(name), name.len);
    topic->partitions =
        (int32_t)json_as_int(r, json_at(r, value, 2), "partitions", 1, PARTITIONS_MAX);
    topic->replication_factor =
        (int16_t)json_as_int(r, json_at(r, value, 3), "replication factor", 1, INT16_MAX);
    read_configs(r, json_at(r, value, 4), (enum setting_kind)0, topic->set);
    topic->created_at_ms =
        json_as_int(r, json_at(r, value, 5), "created_at_ms", 0, INT64_MAX);
    if (r->failed) {
        topic_unref(box);
        return NULL;
    }
    set_effective(topic, defaults);
    return box;
}

/* ---- settings ---- */

static void settings_unref(struct meta_settings *settings)
{
    if (atomic_fetch_sub_explicit(&settings->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < settings->count; i++) {
        topic_config_set_fini(settings->list[i].values);
        mem_free(settings->list[i].values);
        mem_free((void *)(uintptr_t)settings->list[i].name.ptr);
    }
    mem_free(settings);
}

static struct meta_settings *settings_new(size_t count)
{
    struct meta_settings *settings =
        mem_zalloc(sizeof(*settings) + count * sizeof(settings->list[0]));
    atomic_init(&settings->refs, 1);
    settings->count = count;
    return settings;
}

static int compare_settings(const void *a, const void *b)
{
    const struct meta_setting *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return slice_cmp(x->name, y->name);
}

static void read_setting(struct json_reader *r, const struct json *row,
                         struct meta_setting *setting)
{
    setting->kind =
        (enum setting_kind)json_as_int(r, json_at(r, row, 0), "kind", 0, INT8_MAX);
    struct slice name = json_as_string(r, json_at(r, row, 1), "name", CONFIG_MAX);
    setting->name = slice_of(dup_text(name), name.len);
    setting->values = mem_zalloc(sizeof(*setting->values));
    read_configs(r, json_at(r, row, 2), setting->kind, setting->values);
}

/* A new list, or NULL with R failed. ROWS may be null: an older control plane. */
static struct meta_settings *read_settings(struct json_reader *r, const struct json *rows)
{
    size_t n = json_count(rows);
    if (n > SETTINGS_MAX) {
        r->failed = true;
        err_set(r->err, ERR_TOO_LARGE, "%zu settings", n);
        return NULL;
    }
    struct meta_settings *settings = settings_new(n);
    settings->count = 0;
    for (size_t i = 0; i < n && !r->failed; i++)
        read_setting(r, json_at(r, rows, i), &settings->list[settings->count++]);
    if (r->failed) {
        settings_unref(settings);
        return NULL;
    }
    qsort(settings->list, n, sizeof(settings->list[0]), compare_settings);
    return settings;
}

static void copy_setting(struct meta_setting *to, const struct meta_setting *from)
{
    to->kind = from->kind;
    to->name = slice_of(dup_text(from->name), from->name.len);
    to->values = mem_zalloc(sizeof(*to->values));
    topic_config_set_copy(to->values, from->values);
}

static char *read_text(struct json_reader *r, const struct json *row, size_t i,
                       const char *what)
{
    const struct json *value = json_at(r, row, i);
    return dup_text(json_is_null(value) ? SLICE_LITERAL("")
                                        : json_as_string(r, value, what, TEXT_MAX));
}

static void read_agent(struct json_reader *r, const struct json *row,
                       struct meta_agent *agent)
{
    agent->node_id = (int32_t)json_as_int(r, json_at(r, row, 0), "node id", 1, INT32_MAX);
    agent->agent_id = json_as_uuid(r, json_at(r, row, 1), "agent id");
    agent->host = read_text(r, row, 2, "host");
    agent->port = (int32_t)json_as_int(r, json_at(r, row, 3), "port", 1, 65535);
    agent->zone = read_text(r, row, 4, "zone");
    agent->rack = read_text(r, row, 5, "rack");
    agent->http_url = read_text(r, row, 6, "http url");
    struct slice state = json_as_string(r, json_at(r, row, 7), "state", TEXT_MAX);
    agent->draining = slice_eq_str(state, "draining");
}

static int compare_agents(const void *a, const void *b)
{
    const struct meta_agent *x = a, *y = b;
    return (x->node_id > y->node_id) - (x->node_id < y->node_id);
}

/* An agent that was killed and started again is known twice until its old session ends,
 * under two node ids and one address, which clients cannot tell apart: only the younger
 * node is there. The list is by node id, which only rises. */
static void drop_ghosts(struct meta_agents *agents)
{
    size_t kept = 0;
    for (size_t i = 0; i < agents->count; i++) {
        struct meta_agent *agent = &agents->list[i];
        bool ghost = false;
        for (size_t j = i + 1; j < agents->count && !ghost; j++)
            ghost = agents->list[j].port == agent->port &&
                    strcmp(agents->list[j].host, agent->host) == 0;
        if (ghost)
            free_texts(agent);
        else
            agents->list[kept++] = *agent;
    }
    agents->count = kept;
}

/* A new list, or NULL with R failed. */
static struct meta_agents *read_agents(struct json_reader *r, const struct json *rows)
{
    size_t n = json_count(rows);
    if (n > AGENTS_MAX) {
        r->failed = true;
        err_set(r->err, ERR_TOO_LARGE, "%zu agents", n);
        return NULL;
    }
    struct meta_agents *agents = agents_new(n);
    for (size_t i = 0; i < n; i++)
        read_agent(r, json_at(r, rows, i), &agents->list[i]);
    if (r->failed) {
        agents_unref(agents);
        return NULL;
    }
    qsort(agents->list, n, sizeof(agents->list[0]), compare_agents);
    drop_ghosts(agents);
    return agents;
}

/* ---- hash tables ---- */

static size_t hash_bytes(const uint8_t *bytes, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return (size_t)(h ^ (h >> 29));
}

static struct meta_table *table_new(size_t count)
{
    size_t size = 4;
    while (size < count * 2)
        size *= 2;
    struct meta_table *table =
        mem_zalloc(sizeof(*table) + size * sizeof(table->slots[0]));
    table->mask = size - 1;
    return table;
}

static void table_put(struct meta_table *table, struct slice key, size_t index)
{
    size_t i = hash_bytes(key.ptr, key.len) & table->mask;
    while (table->slots[i] != 0)
        i = (i + 1) & table->mask;
    table->slots[i] = (uint32_t)index + 1;
}

/* Walk the candidates for KEY: start with *AT from table_start; NULL at the end. */
static const struct meta_topic *table_next(const struct meta_view *view,
                                           const struct meta_table *table, size_t *at)
{
    uint32_t slot = table->slots[*at & table->mask];
    (*at)++;
    return slot == 0 ? NULL : view->topics[slot - 1];
}

const struct meta_topic *meta_topic_by_name(const struct meta_view *view,
                                            struct slice name)
{
    const struct meta_topic *topic;
    size_t at = hash_bytes(name.ptr, name.len);
    while ((topic = table_next(view, view->by_name, &at)) != NULL) {
        if (slice_eq(topic->name, name))
            return topic;
    }
    return NULL;
}

const struct meta_topic *meta_topic_by_id(const struct meta_view *view,
                                          const struct uuid *id)
{
    const struct meta_topic *topic;
    size_t at = hash_bytes(id->bytes, sizeof(id->bytes));
    while ((topic = table_next(view, view->by_id, &at)) != NULL) {
        if (uuid_eq(&topic->id, id))
            return topic;
    }
    return NULL;
}

const struct meta_agent *meta_agent_by_id(const struct meta_view *view, int32_t node_id)
{
    const struct meta_agent key = {.node_id = node_id};
    if (view->agent_count == 0)
        return NULL;
    return bsearch(&key, view->agents, view->agent_count, sizeof(key), compare_agents);
}

const struct topic_config_set *meta_setting(const struct meta_view *view,
                                            enum setting_kind kind, struct slice name)
{
    const struct meta_setting key = {.kind = kind, .name = name};
    const struct meta_setting *found =
        view->setting_count == 0 ? NULL
                                 : bsearch(&key, view->settings, view->setting_count,
                                           sizeof(key), compare_settings);
    return found == NULL ? NULL : found->values;
}

const char *meta_own_setting(const struct meta_view *view, const char *name)
{
    char self[16];
    if (view->setting_count == 0)
        return NULL;
    snprintf(self, sizeof(self), "%d", view->self_node_id);
    const struct topic_config_set *own =
        meta_setting(view, SETTING_BROKER, slice_str(self));
    const char *value = own == NULL ? NULL : topic_config_set_get(own, name);
    const struct topic_config_set *all =
        meta_setting(view, SETTING_BROKER, SLICE_LITERAL(""));
    if (value == NULL && all != NULL)
        value = topic_config_set_get(all, name);
    return value;
}

int64_t meta_own_number(const struct meta_view *view, const char *name, int64_t absent)
{
    const char *value = meta_own_setting(view, name);
    return value == NULL ? absent : strtoll(value, NULL, 10);
}

bool meta_own_flag(const struct meta_view *view, const char *name, bool absent)
{
    const char *value = meta_own_setting(view, name);
    return value == NULL ? absent : strcasecmp(value, "true") == 0;
}

/* ---- views ---- */

static struct meta_view *view_new(const struct meta *meta, int64_t cursor)
{
    struct meta_view *view = mem_zalloc(sizeof(*view));
    size_t n = meta->topic_count;

    atomic_init(&view->refs, 1);
    view->cluster_id = meta->cluster_id;
    view->self_node_id = meta->self_node_id;
    view->cursor = cursor;
    view->shared_agents = meta->agents;
    atomic_fetch_add_explicit(&meta->agents->refs, 1, memory_order_relaxed);
    view->agents = meta->agents->list;
    view->agent_count = meta->agents->count;
    view->shared_settings = meta->settings;
    atomic_fetch_add_explicit(&meta->settings->refs, 1, memory_order_relaxed);
    view->settings = meta->settings->list;
    view->setting_count = meta->settings->count;
    view->topics = mem_alloc(n * sizeof(view->topics[0]));
    view->topic_count = n;
    view->by_name = table_new(n);
    view->by_id = table_new(n);
    for (size_t i = 0; i < n; i++) {
        struct meta_topic *topic = &meta->topics[i]->topic;
        atomic_fetch_add_explicit(&meta->topics[i]->refs, 1, memory_order_relaxed);
        view->topics[i] = topic;
        table_put(view->by_name, topic->name, i);
        table_put(view->by_id, slice_of(topic->id.bytes, sizeof(topic->id.bytes)), i);
    }
    return view;
}

void meta_release(struct meta_view *view)
{
    if (atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < view->topic_count; i++)
        topic_unref(box_of(view->topics[i]));
    agents_unref(view->shared_agents);
    settings_unref(view->shared_settings);
    mem_free(view->topics);
    mem_free(view->by_name);
    mem_free(view->by_id);
    mem_free(view);
}

struct meta_view *meta_acquire(struct meta *meta)
{
    pthread_mutex_lock(&meta->lock);
    struct meta_view *view = meta->view;
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&meta->lock);
    return view;
}

void meta_publish(struct meta *meta, int64_t cursor)
{
    if (!meta->changed)
        return;
    meta->changed = false;
    struct meta_view *fresh = view_new(meta, cursor);
    pthread_mutex_lock(&meta->lock);
    struct meta_view *old = meta->view;
    meta->view = fresh;
    pthread_mutex_unlock(&meta->lock);
    meta_release(old);
}

/* ---- the draft ---- */

struct meta *meta_new(const struct uuid *cluster_id)
{
    struct meta *meta = mem_zalloc(sizeof(*meta));
    pthread_mutex_init(&meta->lock, NULL);
    meta->cluster_id = *cluster_id;
    meta->self_node_id = -1;
    meta->agents = agents_new(0);
    meta->settings = settings_new(0);
    meta->view = view_new(meta, -1);
    return meta;
}

static void drop_topics(struct meta *meta)
{
    for (size_t i = 0; i < meta->topic_count; i++)
        topic_unref(meta->topics[i]);
    meta->topic_count = 0;
}

void meta_free(struct meta *meta)
{
    if (meta == NULL)
        return;
    meta_release(meta->view);
    drop_topics(meta);
    mem_free(meta->topics);
    agents_unref(meta->agents);
    settings_unref(meta->settings);
    topic_config_set_fini(&meta->defaults);
    pthread_mutex_destroy(&meta->lock);
    mem_free(meta);
}

void meta_set_self(struct meta *meta, int32_t node_id)
{
    meta->changed |= meta->self_node_id != node_id;
    meta->self_node_id = node_id;
}

/* Index of NAME in the draft, or where it belongs. */
static size_t find_name(const struct meta *meta, struct slice name, bool *found)
{
    size_t low = 0, high = meta->topic_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(meta->topics[middle]->topic.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < meta->topic_count && slice_eq(meta->topics[low]->topic.name, name);
    return low;
}

static void remove_at(struct meta *meta, size_t i)
{
    topic_unref(meta->topics[i]);
    meta->topic_count--;
    memmove(&meta->topics[i], &meta->topics[i + 1],
            (meta->topic_count - i) * sizeof(meta->topics[0]));
}

static void reserve(struct meta *meta, size_t count)
{
    if (count <= meta->topic_cap)
        return;
    meta->topic_cap = MAX(count, meta->topic_cap * 2);
    meta->topics = mem_realloc(meta->topics, meta->topic_cap * sizeof(meta->topics[0]));
}

static void put_topic(struct meta *meta, struct topic_box *box)
{
    bool found;
    size_t i = find_name(meta, box->topic.name, &found);
    meta->changed = true;
    if (found) {
        topic_unref(meta->topics[i]);
        meta->topics[i] = box;
        return;
    }
    reserve(meta, meta->topic_count + 1);
    memmove(&meta->topics[i + 1], &meta->topics[i],
            (meta->topic_count - i) * sizeof(meta->topics[0]));
    meta->topics[i] = box;
    meta->topic_count++;
}

int meta_put_topic(struct meta *meta, const struct json *topic, struct err *err)
{
    struct json_reader r = {.err = err};
    struct topic_box *box = read_topic(&r, topic, &meta->defaults);
    if (box == NULL)
        return ERR_MALFORMED;
    put_topic(meta, box);
    return 0;
}

void meta_delete_topic(struct meta *meta, const struct uuid *topic_id)
{
    for (size_t i = 0; i < meta->topic_count; i++) {
        if (uuid_eq(&meta->topics[i]->topic.id, topic_id)) {
            remove_at(meta, i);
            meta->changed = true;
            return;
        }
    }
}

int meta_put_agents(struct meta *meta, const struct json *agents, struct err *err)
{
    struct json_reader r = {.err = err};
    struct meta_agents *list = read_agents(&r, agents);
    if (list == NULL)
        return ERR_MALFORMED;
    agents_unref(meta->agents);
    meta->agents = list;
    meta->changed = true;
    return 0;
}

/* What is set for all brokers is, under the topics' own names, the default of topics. */
static void find_defaults(const struct meta_settings *settings,
                          struct topic_config_set *defaults)
{
    memset(defaults, 0, sizeof(*defaults));
    for (size_t i = 0; i < settings->count; i++) {
        const struct meta_setting *setting = &settings->list[i];
        if (setting->kind != SETTING_BROKER || setting->name.len > 0)
            continue;
        for (size_t k = 0; k < setting->values->count; k++) {
            struct slice name = slice_str(setting->values->entries[k].name);
            const struct topic_config_spec *spec = setting_find(SETTING_BROKER, name);
            if (spec != NULL && setting_is_topic_default(spec, name))
                topic_config_set_put(defaults, slice_str(spec->name),
                                     slice_str(setting->values->entries[k].value));
        }
    }
}

static bool sets_equal(const struct topic_config_set *a, const struct topic_config_set *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = strcmp(a->entries[i].name, b->entries[i].name) == 0 &&
                strcmp(a->entries[i].value, b->entries[i].value) == 0;
    return equal;
}

/* A topic as it is with other defaults: views that hold the old one keep it. */
static struct topic_box *copy_box(const struct topic_box *from,
                                  const struct topic_config_set *defaults)
{
    struct topic_box *box = mem_zalloc(sizeof(*box));

    atomic_init(&box->refs, 1);
    box->topic = from->topic;
    box->topic.name = slice_of(dup_text(from->topic.name), from->topic.name.len);
    box->topic.set = mem_zalloc(sizeof(*box->topic.set));
    topic_config_set_copy(box->topic.set, from->topic.set);
    set_effective(&box->topic, defaults);
    return box;
}

/* SETTINGS, whose ownership moves, hold from now on. */
static void set_settings(struct meta *meta, struct meta_settings *settings)
{
    struct topic_config_set defaults;

    find_defaults(settings, &defaults);
    bool same = sets_equal(&defaults, &meta->defaults);
    topic_config_set_fini(&meta->defaults);
    meta->defaults = defaults;
    for (size_t i = 0; !same && i < meta->topic_count; i++) {
        struct topic_box *box = copy_box(meta->topics[i], &meta->defaults);
        topic_unref(meta->topics[i]);
        meta->topics[i] = box;
    }
    settings_unref(meta->settings);
    meta->settings = settings;
    meta->changed = true;
}

int meta_put_setting(struct meta *meta, const struct json *row, struct err *err)
{
    struct json_reader r = {.err = err};
    struct meta_settings *next = settings_new(meta->settings->count + 1);
    struct meta_setting *put = &next->list[0];

    next->count = 1;
    read_setting(&r, row, put);
    if (r.failed) {
        settings_unref(next);
        return ERR_MALFORMED;
    }
    for (size_t i = 0; i < meta->settings->count; i++) {
        if (compare_settings(&meta->settings->list[i], put) != 0)
            copy_setting(&next->list[next->count++], &meta->settings->list[i]);
    }
    if (put->values->count == 0) { /* nothing holds for it any more */
        struct meta_setting gone = *put;
        *put = next->list[--next->count];
        topic_config_set_fini(gone.values);
        mem_free(gone.values);
        mem_free((void *)(uintptr_t)gone.name.ptr);
    }
    qsort(next->list, next->count, sizeof(next->list[0]), compare_settings);
    set_settings(meta, next);
    return 0;
}

static int compare_boxes(const void *a, const void *b)
{
    const struct topic_box *x = *(struct topic_box *const *)a;
    const struct topic_box *y = *(struct topic_box *const *)b;
    return slice_cmp(x->topic.name, y->topic.name);
}

int meta_load(struct meta *meta, const struct json *answer, struct err *err)
{
    struct json_reader r = {.err = err};
    const struct json *rows = json_get_array(&r, answer, "topics");
    const struct json *agent_rows = json_get_array(&r, answer, "agents");
    struct topic_config_set defaults = {0};
    size_t n = json_count(rows), read = 0;

    if (r.failed)
        return ERR_MALFORMED;
    if (n > TOPICS_MAX)
        return err_set(err, ERR_TOO_LARGE, "%zu topics", n);
    struct meta_agents *agents = read_agents(&r, agent_rows);
    struct meta_settings *settings =
        r.failed ? NULL : read_settings(&r, json_find(answer, "settings"));
    struct topic_box **boxes = mem_alloc(n * sizeof(boxes[0]));
    if (settings != NULL)
        find_defaults(settings, &defaults);
    while (read < n && !r.failed) {
        boxes[read] = read_topic(&r, json_at(&r, rows, read), &defaults);
        read += boxes[read] != NULL;
    }
    topic_config_set_fini(&defaults);
    if (r.failed) {
        while (read > 0)
            topic_unref(boxes[--read]);
        mem_free(boxes);
        if (agents != NULL)
            agents_unref(agents);
        if (settings != NULL)
            settings_unref(settings);
        return ERR_MALFORMED;
    }
    qsort(boxes, n, sizeof(boxes[0]), compare_boxes);
    drop_topics(meta);
    set_settings(meta, settings); /* while there are no topics to be made anew */
    mem_free(meta->topics);
    meta->topics = boxes;
    meta->topic_count = meta->topic_cap = n;
    agents_unref(meta->agents);
    meta->agents = agents;
    return 0;
}

/* ---- steering ---- */

static bool shown(const struct meta_agent *agent, const struct slice *zone,
                  bool with_draining)
{
    if (agent->draining && !with_draining)
        return false;
    return zone == NULL || slice_eq_str(*zone, agent->zone);
}

static size_t pick(const struct meta_view *view, const struct slice *zone,
                   bool with_draining, const struct meta_agent **agents, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < view->agent_count && n < max; i++) {
        if (shown(&view->agents[i], zone, with_draining))
            agents[n++] = &view->agents[i];
    }
    return n;
}

size_t meta_agents_for_zone(const struct meta_view *view, struct slice zone,
                            const struct meta_agent **agents, size_t max)
{
    size_t n = zone.len == 0 ? 0 : pick(view, &zone, false, agents, max);
    if (n == 0)
        n = pick(view, NULL, false, agents, max);
    return n > 0 ? n : pick(view, NULL, true, agents, max);
}

/* How much an agent wants a partition: equal everywhere, independent of the others. */
static uint64_t weigh(const struct meta_agent *agent, const struct uuid *topic_id,
                      int32_t partition)
{
    const uint64_t words[] = {
        be64_get(agent->agent_id.bytes),
        be64_get(agent->agent_id.bytes + 8),
        be64_get(topic_id->bytes),
        be64_get(topic_id->bytes + 8),
        (uint32_t)partition,
    };
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        h ^= words[i];
        h ^= h >> 32;
        h *= 0xd6e8feb86659fd93u;
        h ^= h >> 32;
        h *= 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    return h;
}

const struct meta_agent *meta_leader(const struct meta_agent *const *agents, size_t n,
                                     const struct uuid *topic_id, int32_t partition)
{
    const struct meta_agent *best = NULL;
    uint64_t best_weight = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t weight = weigh(agents[i], topic_id, partition);
        if (best == NULL || weight > best_weight) {
            best = agents[i];
            best_weight = weight;
        }
    }
    return best;
}
