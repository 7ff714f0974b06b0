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

#define FORMAT 2 /* and 1 */
/* The greatest age of a commit that could be configured, and more. */
#define RESULT_OLD_MS (INT64_C(32) * 86400000)

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
    uint64_t next_serial, next_object, next_audit;
    struct serials clusters, topics, groups;
    struct expected *expected; /* of all partitions that have a row */
    size_t expected_count, expected_cap;
    struct err *err;
};

/* Where a partition's runs must end. */
struct expected {
    struct partition *partition;
    int64_t next_offset;
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
    int64_t format = db_get_int(row);
    if (format < 1 || format > FORMAT)
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
    loading->next_audit = (uint64_t)db_get_int(row);
    return 0;
}

/* What is added next gets the serial of its row. */
static void set_serial(struct loading *loading, uint64_t serial)
{
    loading->state->catalog.next_serial = serial;
}

/* A number that has to fit into 32 bits; *DAMAGED is set when it does not. */
static uint32_t get_u32(struct reader *row, bool *damaged)
{
    int64_t v = db_get_int(row);
    if (v < 0 || v > UINT32_MAX)
        *damaged = true;
    return (uint32_t)v;
}

static int load_cell(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct cell *cell = &loading->state->catalog.cell;
    bool damaged = db_get_int(row) != 1;

    cell->founded = db_get_int(row) != 0;
    struct slice name = db_get_bytes(row);
    cell->founded_at_ms = db_get_int(row);
    cell->feature_level = get_u32(row, &damaged);
    catalog_set_cell(cell, name, db_get_bytes(row));
    cell->etag = (uint64_t)db_get_int(row);
    cell->next_node_id = (uint64_t)db_get_int(row);
    return damaged ? ERR_DAMAGED : 0;
}

static int load_node(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct cell *cell = &loading->state->catalog.cell;
    struct node_fields fields = {.node_id = (uint64_t)db_get_int(row)};
    bool damaged = fields.node_id == 0 || fields.node_id >= cell->next_node_id;

    if (get_uuid(row, &fields.instance) != 0 || damaged)
        return ERR_DAMAGED;
    fields.name = db_get_bytes(row);
    fields.peer_address = db_get_bytes(row);
    fields.people_url = db_get_bytes(row);
    fields.agents_url = db_get_bytes(row);
    fields.version = db_get_bytes(row);
    fields.features_max = get_u32(row, &damaged);
    fields.wanted = (enum node_wanted)db_get_int(row);
    struct cell_node *node = catalog_add_node(cell, fields.node_id);
    catalog_set_node(node, &fields);
    node->added_at_ms = db_get_int(row);
    node->etag = (uint64_t)db_get_int(row);
    return damaged ? ERR_DAMAGED : 0;
}

static int load_ca(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct ca_fields fields;

    if (get_uuid(row, &fields.ca_id) != 0)
        return ERR_DAMAGED;
    fields.certificate = db_get_bytes(row);
    fields.cross = db_get_bytes(row);
    fields.sealed_key = db_get_bytes(row);
    struct cell_ca *ca = catalog_add_ca(&loading->state->catalog.cell, &fields, serial);
    ca->added_at_ms = db_get_int(row);
    return 0;
}

static int load_backup(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct uuid id;

    if (get_uuid(row, &id) != 0)
        return ERR_DAMAGED;
    struct slice place = db_get_bytes(row);
    struct backup_info *backup =
        catalog_add_backup(&loading->state->catalog.cell, &id, place, serial);
    backup->applied_index = (uint64_t)db_get_int(row);
    backup->size_bytes = (uint64_t)db_get_int(row);
    backup->taken_at_ms = db_get_int(row);
    backup->recorded_at_ms = db_get_int(row);
    struct slice sha256 = db_get_bytes(row);
    if (sha256.len != SHA256_LEN)
        return ERR_DAMAGED;
    memcpy(backup->sha256, sha256.ptr, SHA256_LEN);
    return 0;
}

static void get_limits(struct reader *row, struct cluster_limits *limits, bool *damaged)
{
    limits->agents = get_u32(row, damaged);
    limits->topics = get_u32(row, damaged);
    limits->partitions = get_u32(row, damaged);
    limits->requests_per_second = get_u32(row, damaged);
    limits->metadata_bytes = (uint64_t)db_get_int(row);
}

static int load_cluster(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct catalog *catalog = &loading->state->catalog;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster_limits limits;
    bool damaged = false;
    struct uuid id;

    if (get_uuid(row, &id) != 0)
        return ERR_DAMAGED;
    struct slice name = db_get_bytes(row);
    int64_t created_at_ms = db_get_int(row);
    uint64_t config_version = (uint64_t)db_get_int(row);
    int32_t next_node_id = (int32_t)db_get_int(row);
    get_limits(row, &limits, &damaged);
    uint64_t etag = (uint64_t)db_get_int(row);
    uint64_t doomed = (uint64_t)db_get_int(row);
    if (damaged || catalog_cluster(catalog, &id) != NULL ||
        catalog_doomed_cluster(catalog, &id) != NULL ||
        (doomed == 0 && catalog_cluster_by_name(catalog, name) != NULL))
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct cluster *cluster = catalog_add_cluster(catalog, &id, name, created_at_ms);
    cluster->config_version = config_version;
    cluster->next_node_id = next_node_id;
    cluster->limits = limits;
    cluster->etag = etag;
    if (doomed != 0)
        catalog_doom_cluster(catalog, cluster, doomed);
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
    uint64_t etag = (uint64_t)db_get_int(row);
    uint64_t doomed = (uint64_t)db_get_int(row);
    if (partitions < 1 || partitions > COMMAND_PARTITIONS_MAX ||
        (doomed == 0 && (catalog_topic(cluster, &id) != NULL ||
                         catalog_topic_colliding(cluster, name) != NULL)))
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct topic *topic = catalog_add_topic(catalog, cluster, &id, name, created_at_ms);
    topic->replication_factor = (int16_t)replication_factor;
    topic->etag = etag;
    topic->purge_offset = db_get_int(row);
    partition_grow_topic(topic, (int32_t)partitions);
    serials_add(&loading->topics, serial, topic);
    int rc = load_configs(configs, &topic->configs);
    catalog_count_text(topic);
    if (doomed != 0)
        catalog_doom_topic(catalog, topic, doomed);
    return rc;
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
    agent->wanted = (enum agent_state)db_get_int(row);
    agent->etag = (uint64_t)db_get_int(row);
    return 0;
}

static int load_user(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct catalog *catalog = &loading->state->catalog;
    uint64_t serial = (uint64_t)db_get_int(row);
    uint64_t of = (uint64_t)db_get_int(row);
    struct cluster *cluster = of == 0 ? NULL : serials_find(&loading->clusters, of);
    struct uuid id;

    if ((of != 0 && cluster == NULL) || get_uuid(row, &id) != 0 ||
        catalog_user(catalog, &id) != NULL)
        return ERR_DAMAGED;
    set_serial(loading, serial);
    struct user *user = catalog_add_user(catalog, cluster, &id);
    struct slice name = db_get_bytes(row);
    catalog_set_user(user, name, db_get_bytes(row));
    user->role = (enum role)db_get_int(row);
    user->disabled = db_get_int(row) != 0;
    user->created_at_ms = db_get_int(row);
    user->etag = (uint64_t)db_get_int(row);
    return 0;
}

/* The cluster with that id, deleted ones too. */
static struct cluster *any_cluster(const struct catalog *catalog, const struct uuid *id)
{
    struct cluster *cluster = catalog_cluster(catalog, id);
    return cluster != NULL ? cluster : catalog_doomed_cluster(catalog, id);
}

/* The parts of a token's row that come before those of version 2. */
struct token_row {
    struct uuid id, cluster_id, used_by;
    uint8_t hash[SHA256_LEN];
    int64_t kind, created_at_ms, expires_at_ms, single_use, used_at_ms;
};

static int get_token(struct reader *row, struct token_row *token)
{
    if (get_uuid(row, &token->id) != 0 || get_uuid(row, &token->cluster_id) != 0)
        return ERR_DAMAGED;
    struct slice hash = db_get_bytes(row);
    if (hash.len != SHA256_LEN)
        return ERR_DAMAGED;
    memcpy(token->hash, hash.ptr, SHA256_LEN);
    token->kind = db_get_int(row);
    token->created_at_ms = db_get_int(row);
    token->expires_at_ms = db_get_int(row);
    token->single_use = db_get_int(row);
    token->used_at_ms = db_get_int(row);
    return get_uuid(row, &token->used_by);
}

static int load_token(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct catalog *catalog = &loading->state->catalog;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = NULL;
    struct user *user = NULL;
    struct token_row read;
    struct uuid user_id;

    if (get_token(row, &read) != 0 || catalog_token(catalog, read.hash) != NULL ||
        catalog_token_by_id(catalog, &read.id) != NULL)
        return ERR_DAMAGED;
    if (!uuid_is_zero(&read.cluster_id)) {
        cluster = any_cluster(catalog, &read.cluster_id);
        if (cluster == NULL)
            return ERR_DAMAGED;
    }
    int64_t role = db_get_int(row);
    struct slice of_user = db_get_bytes(row);
    if (of_user.len == sizeof(user_id)) {
        memcpy(&user_id, of_user.ptr, sizeof(user_id));
        user = catalog_user(catalog, &user_id);
        if (user == NULL && !uuid_is_zero(&user_id))
            return ERR_DAMAGED;
    }
    set_serial(loading, serial);
    struct token *token =
        catalog_add_token(catalog, cluster, user, &read.id, read.hash, db_get_bytes(row));
    token->token_kind = (enum token_kind)read.kind;
    token->role = (enum role)role;
    if (role == ROLE_NONE && token->token_kind == TOKEN_API)
        token->role = ROLE_OPERATOR; /* of version 1: the only one there was */
    token->created_at_ms = read.created_at_ms;
    token->expires_at_ms = read.expires_at_ms;
    token->single_use = read.single_use != 0;
    token->used_at_ms = read.used_at_ms;
    token->used_by = read.used_by;
    token->etag = (uint64_t)db_get_int(row);
    return 0;
}

static int load_group(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    struct group *group;

    set_serial(loading, serial);
    int rc = group_load_row(&loading->state->catalog, cluster, row, &group);
    if (rc == 0)
        serials_add(&loading->groups, serial, group);
    return rc;
}

static int load_group_member(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct group *group = serials_find(&loading->groups, (uint64_t)db_get_int(row));

    set_serial(loading, (uint64_t)db_get_int(row));
    return group_member_load_row(&loading->state->catalog, group, row);
}

static int load_group_topic(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct group *group = serials_find(&loading->groups, (uint64_t)db_get_int(row));
    struct topic *topic = serials_find(&loading->topics, (uint64_t)db_get_int(row));

    if (group == NULL || topic == NULL || group->cluster != topic->cluster ||
        group_topic_find(group, topic) != NULL)
        return ERR_DAMAGED;
    return group_topic_read(group_topic_add(group, topic), db_get_bytes(row));
}

static int groups_loaded(const struct loading *loading)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < loading->groups.count; i++)
        rc = group_loaded(loading->groups.items[i].object);
    return rc;
}

/* ---- usage, audit, replies ---- */

static int load_usage_day(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    int64_t day = db_get_int(row);

    if (cluster == NULL)
        return ERR_DAMAGED;
    return usage_day_read(usage_add_day(cluster, day), db_get_bytes(row));
}

static int load_usage_source(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    struct uuid id;

    if (cluster == NULL || get_uuid(row, &id) != 0 ||
        usage_source(&cluster->usage, &id) != NULL)
        return ERR_DAMAGED;
    struct usage_source *source = usage_add_source(cluster, &id, serial);
    source->incarnation = (uint64_t)db_get_int(row);
    source->counters.fetched_bytes = (uint64_t)db_get_int(row);
    source->counters.fetched_records = (uint64_t)db_get_int(row);
    source->counters.fetch_requests = (uint64_t)db_get_int(row);
    source->counters.produce_requests = (uint64_t)db_get_int(row);
    source->reported_at_ms = db_get_int(row);
    return usage_store_read(&source->counters.store, db_get_bytes(row));
}

static int load_audit(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct audit *audit = &loading->state->audit;
    struct audit_entry entry = {.id = (uint64_t)db_get_int(row)};
    char *texts[4] = {NULL, NULL, NULL, NULL};

    entry.at_ms = db_get_int(row);
    int rc = get_uuid(row, &entry.cluster_id);
    entry.actor_kind = (enum actor_kind)db_get_int(row);
    if (rc == 0)
        rc = get_uuid(row, &entry.actor_id);
    if (rc == 0)
        rc = get_uuid(row, &entry.request_id);
    if (rc != 0 || entry.id < audit->next_id)
        return ERR_DAMAGED;
    for (int i = 0; i < 4; i++)
        catalog_set_text(&texts[i], db_get_bytes(row));
    entry.actor_name = texts[0];
    entry.remote = texts[1];
    entry.action = texts[2];
    entry.target = texts[3];
    entry.code = (int)db_get_int(row);
    entry.kafka_error = (int16_t)db_get_int(row);
    (void)audit_add(audit, &entry);
    for (int i = 0; i < 4; i++)
        mem_free(texts[i]);
    return 0;
}

static int load_reply(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct replies *replies = &loading->state->replies;
    uint64_t serial = (uint64_t)db_get_int(row);
    int64_t at_ms = db_get_int(row);
    struct uuid cluster_id;
    struct reply_id id;

    if (get_uuid(row, &id.actor_id) != 0)
        return ERR_DAMAGED;
    struct slice key = db_get_bytes(row), body_hash = db_get_bytes(row);
    if (key.len != COMMAND_KEY_LEN || body_hash.len != COMMAND_KEY_LEN)
        return ERR_DAMAGED;
    memcpy(id.key, key.ptr, COMMAND_KEY_LEN);
    if (replies_find(replies, &id) != NULL)
        return ERR_DAMAGED;
    struct slice result = db_get_bytes(row);
    if (get_uuid(row, &cluster_id) != 0)
        return ERR_DAMAGED;
    struct reply *reply = replies_add(replies, &cluster_id, &id, serial, result);
    memcpy(reply->body_hash, body_hash.ptr, COMMAND_KEY_LEN);
    reply->at_ms = at_ms;
    return 0;
}

static int load_setting(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    uint64_t serial = (uint64_t)db_get_int(row);
    struct cluster *cluster = serials_find(&loading->clusters, (uint64_t)db_get_int(row));
    int64_t kind = db_get_int(row);
    struct slice name = db_get_bytes(row);

    if (cluster == NULL ||
        (kind != SETTING_BROKER && kind != SETTING_GROUP && kind != SETTING_QUOTA) ||
        settings_find(&cluster->settings, (enum setting_kind)kind, name) != NULL)
        return ERR_DAMAGED;
    struct setting_set *set = settings_add(cluster, (enum setting_kind)kind, name);
    set->serial = serial;
    int rc = load_configs(db_get_bytes(row), &set->values);
    set->etag = (uint64_t)db_get_int(row);
    settings_count_text(set);
    return rc;
}

/* ---- objects and their runs ---- */

/* One run of OBJECT, packed as apply_commit.c does. */
struct packed_run {
    int64_t topic, partition, offset, timestamp;
    uint64_t end;
};

/* What PURGE has taken from a topic that is half gone. */
static bool purged(const struct topic *topic, int64_t index, int64_t offset)
{
    return topic->doomed != 0 &&
           (index >= topic->partition_count ||
            (index == topic->partition_count - 1 && topic->purge_offset >= 0 &&
             offset >= topic->purge_offset));
}

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
    if (topic == NULL || purged(topic, index, offset))
        return 0; /* deleted since */
    struct partition *partition = partition_of(topic, (int32_t)index);
    if (partition != NULL && offset + records <= partition->log_start_offset)
        return 0; /* its records were deleted */
    if (partition != NULL && partition->run_count == 0 &&
        offset <= partition->log_start_offset)
        partition->next_offset = offset; /* the first that is left */
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
    topic->cluster->run_count++;
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
    objects_set_size(object, (uint64_t)db_get_int(row));
    object->created_at_ms = db_get_int(row);
    object->committed_at_ms = db_get_int(row);
    int64_t garbage_at_ms = db_get_int(row);
    object->node_id = (int32_t)db_get_int(row);
    object->content_crc = (uint32_t)db_get_int(row);
    object->content_bytes = (uint32_t)db_get_int(row);
    struct slice result = db_get_bytes(row);
    reader_init(&r, db_get_bytes(row));
    object->result_until_ms = db_get_int(row);
    if (object->result_until_ms == 0) /* of version 1, which kept it for ever */
        object->result_until_ms = object->committed_at_ms + RESULT_OLD_MS;
    if (object->result_until_ms > loading->state->now_ms && result.len == 0)
        return ERR_DAMAGED;
    if (object->result_until_ms > loading->state->now_ms)
        objects_set_result(objects, object, result);
    while (rc == 0 && reader_left(&r) > 0)
        rc = load_run(loading, object, &r, &last);
    if (rc == 0 && (object->run_count == 0) != (garbage_at_ms != 0))
        rc = ERR_DAMAGED;
    if (rc == 0 && garbage_at_ms != 0)
        objects_set_garbage(objects, object, garbage_at_ms);
    return rc;
}

static void expect(struct loading *loading, struct partition *partition,
                   int64_t next_offset)
{
    if (loading->expected_count == loading->expected_cap) {
        loading->expected_cap = MAX(2 * loading->expected_cap, (size_t)64);
        loading->expected = mem_realloc(
            loading->expected, loading->expected_cap * sizeof(*loading->expected));
    }
    loading->expected[loading->expected_count++] =
        (struct expected){partition, next_offset};
}

/* Comes before the objects, whose runs below the log's start are no more. */
static int load_partition(void *arg, struct reader *row)
{
    struct loading *loading = arg;
    struct topic *topic = serials_find(&loading->topics, (uint64_t)db_get_int(row));
    int64_t index = db_get_int(row);
    struct partition *partition =
        topic == NULL || index > INT32_MAX ? NULL : partition_of(topic, (int32_t)index);

    int64_t next_offset = db_get_int(row);
    int64_t log_start_offset = db_get_int(row);
    if (partition == NULL && topic != NULL && topic->doomed != 0) {
        (void)db_get_bytes(row); /* purged since */
        return 0;
    }
    if (partition == NULL || log_start_offset < 0 ||
        (topic->doomed == 0 && log_start_offset > next_offset))
        return ERR_DAMAGED;
    partition->log_start_offset = log_start_offset;
    expect(loading, partition, next_offset);
    return producers_read(&loading->state->producers, partition, db_get_bytes(row));
}

/* After the objects: the runs must end where the offsets do. */
static int check_ends(const struct loading *loading)
{
    for (size_t i = 0; i < loading->expected_count; i++) {
        struct partition *partition = loading->expected[i].partition;
        int64_t next_offset = loading->expected[i].next_offset;
        if (partition->run_count == 0 && partition->log_start_offset == next_offset)
            partition->next_offset = next_offset; /* all records were deleted */
        if (partition->next_offset != next_offset && partition->topic->doomed == 0)
            return ERR_DAMAGED;
    }
    return 0;
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
        {DB_CELL, load_cell},
        {DB_NODES, load_node},
        {DB_CAS, load_ca},
        {DB_BACKUPS, load_backup},
        {DB_CLUSTERS, load_cluster},
        {DB_TOPICS, load_topic},
        {DB_AGENTS, load_agent},
        {DB_USERS, load_user},
        {DB_TOKENS, load_token},
        {DB_PARTITIONS, load_partition},
        {DB_OBJECTS, load_object},
        {DB_USAGE_DAYS, load_usage_day},
        {DB_USAGE_SOURCES, load_usage_source},
        {DB_AUDIT, load_audit},
        {DB_REPLIES, load_reply},
        {DB_GROUPS, load_group},
        {DB_GROUP_MEMBERS, load_group_member},
        {DB_GROUP_OFFSETS, load_group_topic},
        {DB_SETTINGS, load_setting},
    };
    int rc = 0;

    memset(meta, 0, sizeof(*meta));
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(steps); i++)
        rc = db_scan(db, steps[i].table, steps[i].on_row, &loading, &own);
    if (rc == 0)
        rc = check_ends(&loading);
    if (rc == 0 && groups_loaded(&loading) != 0)
        rc = err_set(&own, ERR_DAMAGED, "database: a group and its members contradict");
    if (rc == 0 && meta->position.index > 0) {
        if (loading.next_serial < state->catalog.next_serial ||
            loading.next_audit < state->audit.next_id ||
            loading.next_object < state->objects.next_serial)
            rc = err_set(&own, ERR_DAMAGED, "database: serials run backwards");
        state->catalog.next_serial = loading.next_serial;
        state->objects.next_serial = loading.next_object;
        state->audit.next_id = loading.next_audit;
        producers_sort(&state->producers);
    }
    mem_free(loading.clusters.items);
    mem_free(loading.topics.items);
    mem_free(loading.groups.items);
    mem_free(loading.expected);
    if (rc != 0)
        return err_set(err, rc, "%s: restore the directory from a backup", own.text);
    return 0;
}
