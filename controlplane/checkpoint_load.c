/* checkpoint_load.c - the state out of the database's rows, at start.
 *
 * Tables are read in the order in which they refer to each other. Nothing is believed:
 * rows that contradict each other, gaps in offsets, runs outside of their object fail as
 * ERR_DAMAGED, because serving them would lose records silently (I4). */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

#define FORMAT 1

struct by_serial {
    uint64_t serial;
    void *object;
};

/* Serials ascend as rows are read, so that finding is a binary search. */
struct serials {
    struct by_serial *items;
    size_t count, cap;
};

struct loading {
    struct state *state;
    struct checkpoint_meta *meta;
    struct str *bytes; /* for meta's configuration */
    uint64_t next_serial, next_object;
    struct serials clusters, topics;
    struct err *err;
};

static void serials_add(struct serials *serials, uint64_t serial, void *object)
{
    if (serials->count == serials->cap) {
        serials->cap = serials->cap == 0 ? 64 : serials->cap * 2;
        serials->items =
            mem_realloc(serials->items, serials->cap * sizeof(*serials->items));
    }
    serials->items[serials->count++] = (struct by_serial){serial, object};
}

static void *serials_find(const struct serials *serials, uint64_t serial)
{
    size_t low = 0, high = serials->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (serials->items[middle].serial < serial)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == serials->count || serials->items[low].serial != serial)
        return NULL;
    return serials->items[low].object;
}

static int get_uuid(struct reader *row, struct uuid *uuid)
{
    struct slice bytes = db_get_bytes(row);
    if (bytes.len != sizeof(uuid->bytes))
        return ERR_DAMAGED;
    memcpy(uuid->bytes, bytes.ptr, sizeof(uuid->bytes));
    return 0;
}

/* ---- rows ---- */

static int load_meta(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct replica_position *position = &loading->meta->position;

    if (db_get_int(row) != 1)
        return ERR_DAMAGED;
    if (db_get_int(row) != FORMAT)
        return err_set(loading->err, ERR_UNSUPPORTED,
                       "database: written by another version of the program");
    if (get_uuid(row, &loading->meta->cell_id) != 0)
        return ERR_DAMAGED;
    position->index = (uint64_t)db_get_int(row);
    position->term = (uint64_t)db_get_int(row);
    str_append_slice(loading->bytes, db_get_bytes(row));
    position->configuration = str_slice(loading->bytes);
    position->configuration_index = (uint64_t)db_get_int(row);
    loading->state->applied_index = position->index;
    loading->state->now_ms = db_get_int(row);
    loading->state->next_producer_id = db_get_int(row);
    loading->next_serial = (uint64_t)db_get_int(row);
    loading->next_object = (uint64_t)db_get_int(row);
    return 0;
}

/* What is added next gets the serial of its row. */
static void set_serial(struct loading *loading, uint64_t serial)
{
    loading->state->catalog.next_serial = serial;
}

static int load_cluster(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct catalog *catalog = &loading->state->catalog;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct uuid id;

    if (get_uuid(row, &id) != 0)
        return ERR_DAMAGED;
    struct slice name = db_get_bytes(row);
    int64_t created_at_ms = db_get_int(row);
    if (catalog_cluster(catalog, &id) != NULL ||
        catalog_cluster_by_name(catalog, name) != NULL)
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct cluster *cluster = catalog_add_cluster(catalog, &id, name, created_at_ms);
    cluster->config_version = (uint64_t)db_get_int(row);
    cluster->next_node_id = (int32_t)db_get_int(row);
    serials_add(&loading->clusters, serial, cluster);
    return 0;
}

static int load_configs(struct slice packed, struct topic_config_set *set)
{
    struct reader r;
    reader_init(&r, packed);
    while (reader_left(&r) > 0) {
        struct slice name = reader_bytes(&r, reader_u16(&r));
        struct slice value = reader_bytes(&r, reader_u32(&r));
        if (r.failed)
            return ERR_DAMAGED;
        topic_config_set_put(set, name, value);
    }
    return 0;
}

static int load_topic(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct catalog *catalog = &loading->state->catalog;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    struct uuid id;

    if (cluster == NULL || get_uuid(row, &id) != 0)
        return ERR_DAMAGED;
    struct slice name = db_get_bytes(row);
    int64_t created_at_ms = db_get_int(row);
    int64_t replication_factor = db_get_int(row);
    int64_t partitions = db_get_int(row);
    struct slice configs = db_get_bytes(row);
    if (partitions < 1 || partitions > COMMAND_PARTITIONS_MAX ||
        catalog_topic(cluster, &id) != NULL ||
        catalog_topic_colliding(cluster, name) != NULL)
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct topic *topic = catalog_add_topic(catalog, cluster, &id, name, created_at_ms);
    topic->replication_factor = (int16_t)replication_factor;
    partition_grow_topic(topic, (int32_t)partitions);
    serials_add(&loading->topics, serial, topic);
    return load_configs(configs, &topic->configs);
}

static int load_agent(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    int64_t node_id = db_get_int(row);
    struct slice text[5];
    struct uuid id;

    if (cluster == NULL || get_uuid(row, &id) != 0 ||
        catalog_agent(cluster, &id) != NULL || node_id >= cluster->next_node_id)
        return ERR_DAMAGED;
    struct agent_info *agent = catalog_add_agent(cluster, &id, (int32_t)node_id);
    for (int i = 0; i < 3; i++)
        text[i] = db_get_bytes(row);
    agent->port = (int32_t)db_get_int(row);
    text[3] = db_get_bytes(row);
    text[4] = db_get_bytes(row);
    catalog_set_agent(agent, text[0], text[1], text[2], text[3], text[4]);
    agent->state = (enum agent_state)db_get_int(row);
    agent->registered_at_ms = db_get_int(row);
    return 0;
}

static int load_token(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct uuid id, cluster_id;

    if (get_uuid(row, &id) != 0 || get_uuid(row, &cluster_id) != 0)
        return ERR_DAMAGED;
    struct slice hash = db_get_bytes(row);
    if (hash.len != SHA256_LEN ||
        catalog_token(&loading->state->catalog, hash.ptr) != NULL)
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct token *token = catalog_add_token(&loading->state->catalog, &id, hash.ptr);
    token->cluster_id = cluster_id;
    token->token_kind = (enum token_kind)db_get_int(row);
    token->created_at_ms = db_get_int(row);
    token->expires_at_ms = db_get_int(row);
    token->single_use = db_get_int(row) != 0;
    token->used_at_ms = db_get_int(row);
    return get_uuid(row, &token->used_by);
}

/* ---- objects and their runs ---- */

/* One run of OBJECT, packed as apply_commit.c does. */
struct packed_run {
    int64_t topic, partition, offset, timestamp;
    uint64_t end;
};

static int load_run(struct loading *loading, struct stored_object *object,
                    struct reader *r, struct packed_run *last)
{
    int64_t serial = packed_get_delta(r, &last->topic);
    int64_t index = packed_get_delta(r, &last->partition);
    int64_t offset = packed_get_delta(r, &last->offset);
    int64_t records = packed_get(r);
    uint64_t position = last->end + (uint64_t)packed_get(r);
    int64_t length = packed_get(r);
    int64_t timestamp = packed_get_delta(r, &last->timestamp);

    if (r->failed || records < 1 || records > INT32_MAX || length < 1 ||
        length > INT32_MAX || position + (uint64_t)length > object->size_bytes)
        return ERR_DAMAGED;
    last->end = position + (uint64_t)length;
    struct topic *topic = serials_find(&loading->topics, (uint64_t)serial);
    if (topic == NULL)
        return 0; /* deleted since */
    struct partition *partition = partition_of(topic, (int32_t)index);
    if (partition == NULL || partition->next_offset != offset)
        return ERR_DAMAGED; /* offsets are dense */
    struct run run = {.object = object,
                      .max_timestamp = timestamp,
                      .position = position,
                      .records = (uint32_t)records,
                      .length = (uint32_t)length};
    partition_append(partition, &run);
    object->run_count++;
    loading->state->run_count++;
    return 0;
}

static int load_object(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct object_list *objects = &loading->state->objects;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    struct packed_run last = {0, 0, 0, 0, 0};
    struct uuid id;
    struct reader r;
    int rc = 0;

    if (cluster == NULL || serial < objects->next_serial || get_uuid(row, &id) != 0 ||
        objects_find(cluster, &id) != NULL)
        return ERR_DAMAGED;
    struct stored_object *object = objects_add(objects, cluster, &id, serial);
    object->size_bytes = (uint64_t)db_get_int(row);
    object->created_at_ms = db_get_int(row);
    object->committed_at_ms = db_get_int(row);
    int64_t garbage_at_ms = db_get_int(row);
    object->node_id = (int32_t)db_get_int(row);
    object->content_crc = (uint32_t)db_get_int(row);
    object->content_bytes = (uint32_t)db_get_int(row);
    objects_set_result(objects, object, db_get_bytes(row));
    reader_init(&r, db_get_bytes(row));
    while (rc == 0 && reader_left(&r) > 0)
        rc = load_run(loading, object, &r, &last);
    if (rc == 0 && (object->run_count == 0) != (garbage_at_ms != 0))
        rc = ERR_DAMAGED;
    if (rc == 0 && garbage_at_ms != 0)
        objects_set_garbage(objects, object, garbage_at_ms);
    return rc;
}

/* Comes after the objects: the offsets must be where the runs end. */
static int load_partition(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct topic *topic = serials_find(&loading->topics, (uint64_t)db_get_int(row));
    int64_t index = db_get_int(row);
    struct partition *partition =
        topic == NULL || index > INT32_MAX ? NULL : partition_of(topic, (int32_t)index);

    if (partition == NULL || partition->next_offset != db_get_int(row))
        return ERR_DAMAGED;
    partition->log_start_offset = db_get_int(row);
    return producers_read(&loading->state->producers, partition, db_get_bytes(row));
}

/* ---- all ---- */

int checkpoint_load(struct state *state, struct db *db, struct checkpoint_meta *meta,
                    struct str *bytes, struct err *err)
{
    struct err own = {.code = 0};
    struct loading loading = {.state = state, .meta = meta, .bytes = bytes, .err = &own};
    static const struct {
        enum db_table table;
        int (*on_row)(void *arg, struct reader *row);
    } steps[] = {
        {DB_META, load_meta},
        {DB_CLUSTERS, load_cluster},
        {DB_TOPICS, load_topic},
        {DB_AGENTS, load_agent},
        {DB_TOKENS, load_token},
        {DB_OBJECTS, load_object},
        {DB_PARTITIONS, load_partition},
    };
    int rc = 0;

    memset(meta, 0, sizeof(*meta));
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(steps); i++)
        rc = db_scan(db, steps[i].table, steps[i].on_row, &loading, &own);
    if (rc == 0 && meta->position.index > 0) {
        if (loading.next_serial < state->catalog.next_serial ||
            loading.next_object < state->objects.next_serial)
            rc = err_set(&own, ERR_DAMAGED, "database: serials run backwards");
        state->catalog.next_serial = loading.next_serial;
        state->objects.next_serial = loading.next_object;
        producers_sort(&state->producers);
    }
    mem_free(loading.clusters.items);
    mem_free(loading.topics.items);
    if (rc != 0)
        return err_set(err, rc, "%s: restore the directory from a backup", own.text);
    return 0;
}
