/* checkpoint.c - rows out of the state, and the hash over them; loading is in
 * checkpoint_load.c. Within a delta deletions come first: what was deleted and made again
 * since the last one has a row to put. */
#include "controlplane/checkpoint.h"

#include <string.h>

#include "common/mem.h"
#include "controlplane/apply.h"

#define FORMAT 1

/* ---- one row ---- */

static void put_text(struct str *out, const char *text)
{
    db_put_bytes(out, slice_str(text == NULL ? "" : text));
}

static void put_uuid(struct str *out, const struct uuid *uuid)
{
    db_put_bytes(out, slice_of(uuid->bytes, sizeof(uuid->bytes)));
}

static void put_meta(const struct state *state, const struct checkpoint_meta *meta,
                     struct str *out)
{
    db_put_row(out, DB_META);
    db_put_int(out, 1);
    db_put_int(out, FORMAT);
    put_uuid(out, &meta->cell_id);
    db_put_int(out, (int64_t)meta->position.index);
    db_put_int(out, (int64_t)meta->position.term);
    db_put_bytes(out, meta->position.configuration);
    db_put_int(out, (int64_t)meta->position.configuration_index);
    db_put_int(out, state->now_ms);
    db_put_int(out, state->next_producer_id);
    db_put_int(out, (int64_t)state->catalog.next_serial);
    db_put_int(out, (int64_t)state->objects.next_serial);
}

static void put_cluster(const struct cluster *cluster, struct str *out)
{
    db_put_row(out, DB_CLUSTERS);
    db_put_int(out, (int64_t)cluster->serial);
    put_uuid(out, &cluster->cluster_id);
    put_text(out, cluster->name);
    db_put_int(out, cluster->created_at_ms);
    db_put_int(out, (int64_t)cluster->config_version);
    db_put_int(out, cluster->next_node_id);
}

/* Settings: u16 length and bytes of each name, u32 and bytes of each value. */
static void put_configs(const struct topic_config_set *set, struct str *out)
{
    struct str packed;
    str_init(&packed, (size_t)64 * MIB);
    for (size_t i = 0; i < set->count; i++) {
        struct slice name = slice_str(set->entries[i].name);
        struct slice value = slice_str(set->entries[i].value);
        write_u16(&packed, (uint16_t)name.len);
        str_append_slice(&packed, name);
        write_u32(&packed, (uint32_t)value.len);
        str_append_slice(&packed, value);
    }
    db_put_bytes(out, str_slice(&packed));
    str_fini(&packed);
}

static void put_topic(const struct topic *topic, struct str *out)
{
    db_put_row(out, DB_TOPICS);
    db_put_int(out, (int64_t)topic->serial);
    db_put_int(out, (int64_t)topic->cluster->serial);
    put_uuid(out, &topic->topic_id);
    put_text(out, topic->name);
    db_put_int(out, topic->created_at_ms);
    db_put_int(out, topic->replication_factor);
    db_put_int(out, topic->partition_count);
    put_configs(&topic->configs, out);
}

static void put_agent(const struct agent_info *agent, struct str *out)
{
    db_put_row(out, DB_AGENTS);
    db_put_int(out, (int64_t)agent->cluster->serial);
    db_put_int(out, agent->node_id);
    put_uuid(out, &agent->agent_id);
    put_text(out, agent->zone);
    put_text(out, agent->rack);
    put_text(out, agent->host);
    db_put_int(out, agent->port);
    put_text(out, agent->http_url);
    put_text(out, agent->version);
    db_put_int(out, (int64_t)agent->state);
    db_put_int(out, agent->registered_at_ms);
}

static void put_token(const struct token *token, struct str *out)
{
    db_put_row(out, DB_TOKENS);
    db_put_int(out, (int64_t)token->serial);
    put_uuid(out, &token->token_id);
    put_uuid(out, &token->cluster_id);
    db_put_bytes(out, slice_of(token->hash, SHA256_LEN));
    db_put_int(out, (int64_t)token->token_kind);
    db_put_int(out, token->created_at_ms);
    db_put_int(out, token->expires_at_ms);
    db_put_int(out, token->single_use);
    db_put_int(out, token->used_at_ms);
    put_uuid(out, &token->used_by);
}

static void put_partition(const struct partition *partition, struct str *out)
{
    db_put_row(out, DB_PARTITIONS);
    db_put_int(out, (int64_t)partition->topic->serial);
    db_put_int(out, partition->index);
    db_put_int(out, partition->next_offset);
    db_put_int(out, partition->log_start_offset);
    /* In place, without a copy: the length is set when it is known. */
    size_t at = out->len;
    write_u32(out, 0);
    producers_write(partition, out);
    if (!out->overflowed)
        be32_put((uint8_t *)out->data + at, (uint32_t)(out->len - at - 4));
}

static void put_object(const struct stored_object *object, struct slice runs,
                       struct str *out)
{
    db_put_row(out, DB_OBJECTS);
    db_put_int(out, (int64_t)object->serial);
    db_put_int(out, (int64_t)object->cluster->serial);
    put_uuid(out, &object->object_id);
    db_put_int(out, (int64_t)object->size_bytes);
    db_put_int(out, object->created_at_ms);
    db_put_int(out, object->committed_at_ms);
    db_put_int(out, object->garbage_at_ms);
    db_put_int(out, object->node_id);
    db_put_int(out, object->content_crc);
    db_put_int(out, object->content_bytes);
    db_put_bytes(out, slice_of(object->result, object->result_bytes));
    db_put_bytes(out, runs);
}

/* An object is written twice at most: when it was committed, with its runs, and when the
 * last of them is gone. */
static void collect_object(struct stored_object *object, struct str *out)
{
    put_object(object, slice_of(object->runs, object->runs_bytes), out);
    mem_free(object->runs);
    object->runs = NULL;
    object->runs_bytes = 0;
}

static void collect_row(struct row *row, struct str *out)
{
    switch (row->kind) {
    case ROW_CLUSTER:
        put_cluster(CONTAINER_OF(row, struct cluster, row), out);
        break;
    case ROW_TOPIC:
        put_topic(CONTAINER_OF(row, struct topic, row), out);
        break;
    case ROW_AGENT:
        put_agent(CONTAINER_OF(row, struct agent_info, row), out);
        break;
    case ROW_TOKEN:
        put_token(CONTAINER_OF(row, struct token, row), out);
        break;
    case ROW_PARTITION:
        put_partition(CONTAINER_OF(row, struct partition, row), out);
        break;
    case ROW_OBJECT:
        collect_object(CONTAINER_OF(row, struct stored_object, row), out);
        break;
    }
}

/* ---- all of them ---- */

void checkpoint_collect(struct state *state, const struct checkpoint_meta *meta,
                        struct str *delta)
{
    struct list_node *node;

    str_append_slice(delta, str_slice(&state->deletes));
    str_fini(&state->deletes);
    str_init(&state->deletes, (size_t)1 << 32);
    while ((node = list_pop_front(&state->dirty)) != NULL)
        collect_row(CONTAINER_OF(node, struct row, dirty), delta);
    state->dirty_count = 0;
    put_meta(state, meta, delta);
}

uint64_t checkpoint_pending(const struct state *state)
{
    return state->dirty_count + state->deletes.len / 16;
}

void checkpoint_delete_topic(const struct topic *topic, struct str *delta)
{
    db_delete_row(delta, DB_TOPICS);
    db_put_int(delta, (int64_t)topic->serial);
    db_delete_row(delta, DB_PARTITIONS);
    db_put_int(delta, (int64_t)topic->serial);
}

void checkpoint_delete_agent(const struct agent_info *agent, struct str *delta)
{
    db_delete_row(delta, DB_AGENTS);
    db_put_int(delta, (int64_t)agent->cluster->serial);
    db_put_int(delta, agent->node_id);
}

void checkpoint_delete_token(const struct token *token, struct str *delta)
{
    db_delete_row(delta, DB_TOKENS);
    db_put_int(delta, (int64_t)token->serial);
}

/* ---- the hash ---- */

struct hash {
    uint64_t value;
    struct str bytes;
};

/* FNV-1a over words; good enough to tell states apart in tests. */
static void hash_flush(struct hash *hash)
{
    const uint8_t *p = (const uint8_t *)hash->bytes.data;
    for (size_t i = 0; i < hash->bytes.len; i++)
        hash->value = (hash->value ^ p[i]) * 0x100000001b3u;
    str_reset(&hash->bytes);
}

static void hash_partition(struct hash *hash, const struct partition *partition)
{
    put_partition(partition, &hash->bytes);
    for (uint32_t i = 0; i < partition->run_count; i++) {
        const struct run *run = &partition->runs[i];
        db_put_int(&hash->bytes, (int64_t)run->object->serial);
        db_put_int(&hash->bytes, run->base_offset);
        db_put_int(&hash->bytes, run->records);
        db_put_int(&hash->bytes, (int64_t)run->position);
        db_put_int(&hash->bytes, run->length);
        db_put_int(&hash->bytes, run->max_timestamp);
        db_put_int(&hash->bytes, partition->block_max[i / PARTITION_BLOCK]);
    }
    hash_flush(hash);
}

static void hash_cluster(struct hash *hash, const struct cluster *cluster)
{
    put_cluster(cluster, &hash->bytes);
    for (const struct agent_info *agent = NULL;
         (agent = catalog_agent_next(cluster, agent)) != NULL;)
        put_agent(agent, &hash->bytes);
    for (const struct topic *topic = NULL;
         (topic = catalog_topic_next(cluster, topic)) != NULL;) {
        put_topic(topic, &hash->bytes);
        for (int32_t i = 0; i < topic->partition_count; i++)
            hash_partition(hash, topic->partitions[i]);
    }
    hash_flush(hash);
}

uint64_t state_hash(const struct state *state)
{
    struct hash hash = {.value = 0xcbf29ce484222325u};
    struct checkpoint_meta meta = {.position = {.index = state->applied_index}};

    str_init(&hash.bytes, SIZE_MAX / 2);
    put_meta(state, &meta, &hash.bytes);
    db_put_int(&hash.bytes, (int64_t)state->run_count);
    for (const struct cluster *cluster = NULL;
         (cluster = catalog_cluster_next(&state->catalog, cluster)) != NULL;)
        hash_cluster(&hash, cluster);
    LIST_FOREACH(node, next, &state->catalog.tokens)
    {
        put_token(CONTAINER_OF(node, struct token, node), &hash.bytes);
    }
    LIST_FOREACH(object_node, next_object, &state->objects.list)
    {
        const struct stored_object *object =
            CONTAINER_OF(object_node, struct stored_object, node);
        put_object(object, SLICE_NULL, &hash.bytes);
        db_put_int(&hash.bytes, object->run_count);
        hash_flush(&hash);
    }
    hash_flush(&hash);
    str_fini(&hash.bytes);
    return hash.value;
}
