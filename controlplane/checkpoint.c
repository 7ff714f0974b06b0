/* checkpoint.c - rows out of the state, and the hash over them; loading is in
 * checkpoint_load.c. Within a delta deletions come first: what was deleted and made again
 * since the last one has a row to put. */
#include "controlplane/checkpoint.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/apply.h"

#define FORMAT 2
/* A step stops after so many bytes, whatever number of rows it may copy: some are large.
 */
#define STEP_BYTES MIB

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
    db_put_int(out, (int64_t)state->audit.next_id);
}

static void put_cell(const struct cell *cell, struct str *out)
{
    db_put_row(out, DB_CELL);
    db_put_int(out, 1);
    db_put_int(out, cell->founded);
    put_text(out, cell->name);
    db_put_int(out, cell->founded_at_ms);
    db_put_int(out, cell->feature_level);
    db_put_bytes(out, slice_of(cell->sealed_token_secret, cell->sealed_token_secret_len));
    db_put_int(out, (int64_t)cell->etag);
    db_put_int(out, (int64_t)cell->next_node_id);
}

static void put_node(const struct cell_node *node, struct str *out)
{
    db_put_row(out, DB_NODES);
    db_put_int(out, (int64_t)node->node_id);
    put_uuid(out, &node->instance);
    put_text(out, node->name);
    put_text(out, node->peer_address);
    put_text(out, node->people_url);
    put_text(out, node->agents_url);
    put_text(out, node->version);
    db_put_int(out, node->features_max);
    db_put_int(out, (int64_t)node->wanted);
    db_put_int(out, node->added_at_ms);
    db_put_int(out, (int64_t)node->etag);
}

static void put_ca(const struct cell_ca *ca, struct str *out)
{
    db_put_row(out, DB_CAS);
    db_put_int(out, (int64_t)ca->serial);
    put_uuid(out, &ca->ca_id);
    put_text(out, ca->certificate);
    put_text(out, ca->cross);
    db_put_bytes(out, slice_of(ca->sealed_key, ca->sealed_key_len));
    db_put_int(out, ca->added_at_ms);
}

static void put_backup(const struct backup_info *backup, struct str *out)
{
    db_put_row(out, DB_BACKUPS);
    db_put_int(out, (int64_t)backup->serial);
    put_uuid(out, &backup->backup_id);
    put_text(out, backup->place);
    db_put_int(out, (int64_t)backup->applied_index);
    db_put_int(out, (int64_t)backup->size_bytes);
    db_put_int(out, backup->taken_at_ms);
    db_put_int(out, backup->recorded_at_ms);
    db_put_bytes(out, slice_of(backup->sha256, SHA256_LEN));
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
    db_put_int(out, cluster->limits.agents);
    db_put_int(out, cluster->limits.topics);
    db_put_int(out, cluster->limits.partitions);
    db_put_int(out, cluster->limits.requests_per_second);
    db_put_int(out, (int64_t)cluster->limits.metadata_bytes);
    db_put_int(out, (int64_t)cluster->etag);
    db_put_int(out, (int64_t)cluster->doomed);
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
    db_put_int(out, (int64_t)topic->etag);
    db_put_int(out, (int64_t)topic->doomed);
    db_put_int(out, topic->purge_offset);
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
    db_put_int(out, (int64_t)agent->wanted);
    db_put_int(out, (int64_t)agent->etag);
}

static void put_user(const struct user *user, struct str *out)
{
    db_put_row(out, DB_USERS);
    db_put_int(out, (int64_t)user->serial);
    db_put_int(out, user->cluster == NULL ? 0 : (int64_t)user->cluster->serial);
    put_uuid(out, &user->user_id);
    put_text(out, user->name);
    put_text(out, user->email);
    db_put_int(out, (int64_t)user->role);
    db_put_int(out, user->disabled);
    db_put_int(out, user->created_at_ms);
    db_put_int(out, (int64_t)user->etag);
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
    db_put_int(out, (int64_t)token->role);
    put_uuid(out, token->user == NULL ? &UUID_ZERO : &token->user->user_id);
    put_text(out, token->name);
    db_put_int(out, (int64_t)token->etag);
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

/* Without its result when that is not good for anything any more at NOW_MS. */
static void put_object(const struct stored_object *object, struct slice runs,
                       int64_t now_ms, struct str *out)
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
    if (object->result != NULL && object->result_until_ms > now_ms)
        db_put_bytes(out, slice_of(object->result->bytes, object->result->len));
    else
        db_put_bytes(out, SLICE_NULL);
    db_put_bytes(out, runs);
    db_put_int(out, object->result_until_ms);
}

static void put_usage_day(const struct usage_day *day, struct str *out)
{
    db_put_row(out, DB_USAGE_DAYS);
    db_put_int(out, (int64_t)day->cluster->serial);
    db_put_int(out, day->day);
    size_t at = out->len;
    write_u32(out, 0);
    usage_day_write(day, out);
    if (!out->overflowed)
        be32_put((uint8_t *)out->data + at, (uint32_t)(out->len - at - 4));
}

static void put_usage_source(const struct usage_source *source, struct str *out)
{
    db_put_row(out, DB_USAGE_SOURCES);
    db_put_int(out, (int64_t)source->serial);
    db_put_int(out, (int64_t)source->cluster->serial);
    put_uuid(out, &source->agent_id);
    db_put_int(out, (int64_t)source->incarnation);
    db_put_int(out, (int64_t)source->counters.fetched_bytes);
    db_put_int(out, (int64_t)source->counters.fetched_records);
    db_put_int(out, (int64_t)source->counters.fetch_requests);
    db_put_int(out, (int64_t)source->counters.produce_requests);
    db_put_int(out, source->reported_at_ms);
    size_t at = out->len;
    write_u32(out, 0);
    usage_store_write(&source->counters.store, out);
    if (!out->overflowed)
        be32_put((uint8_t *)out->data + at, (uint32_t)(out->len - at - 4));
}

static void put_audit(const struct audit_entry *entry, struct str *out)
{
    db_put_row(out, DB_AUDIT);
    db_put_int(out, (int64_t)entry->id);
    db_put_int(out, entry->at_ms);
    put_uuid(out, &entry->cluster_id);
    db_put_int(out, (int64_t)entry->actor_kind);
    put_uuid(out, &entry->actor_id);
    put_uuid(out, &entry->request_id);
    put_text(out, entry->actor_name);
    put_text(out, entry->remote);
    put_text(out, entry->action);
    put_text(out, entry->target);
    db_put_int(out, entry->code);
    db_put_int(out, entry->kafka_error);
}

static void put_reply(const struct reply *reply, struct str *out)
{
    db_put_row(out, DB_REPLIES);
    db_put_int(out, (int64_t)reply->serial);
    db_put_int(out, reply->at_ms);
    put_uuid(out, &reply->id.actor_id);
    db_put_bytes(out, slice_of(reply->id.key, COMMAND_KEY_LEN));
    db_put_bytes(out, slice_of(reply->body_hash, COMMAND_KEY_LEN));
    db_put_bytes(out, slice_of(reply->result, reply->len));
    put_uuid(out, &reply->log->cluster_id);
}

static void put_setting(const struct setting_set *set, struct str *out)
{
    db_put_row(out, DB_SETTINGS);
    db_put_int(out, (int64_t)set->serial);
    db_put_int(out, (int64_t)set->cluster->serial);
    db_put_int(out, (int64_t)set->kind);
    db_put_bytes(out, set->name);
    put_configs(&set->values, out);
    db_put_int(out, (int64_t)set->etag);
}

static void put_group_topic(const struct group_topic *group_topic, struct str *out)
{
    db_put_row(out, DB_GROUP_OFFSETS);
    db_put_int(out, (int64_t)group_topic->group->serial);
    db_put_int(out, (int64_t)group_topic->topic->serial);
    size_t at = out->len;
    write_u32(out, 0);
    group_topic_write(group_topic, out);
    if (!out->overflowed)
        be32_put((uint8_t *)out->data + at, (uint32_t)(out->len - at - 4));
}

/* An object is written twice at most: when it was committed, with its runs, and when the
 * last of them is gone. */
static void collect_object(struct stored_object *object, struct str *out)
{
    put_object(object, slice_of(object->runs, object->runs_bytes), 0, out);
    mem_free(object->runs);
    object->runs = NULL;
    object->runs_bytes = 0;
}

static void collect_row(struct row *row, struct str *out)
{
    switch ((enum row_kind)row->kind) {
    case ROW_CELL:
        put_cell(CONTAINER_OF(row, struct cell, row), out);
        break;
    case ROW_NODE:
        put_node(CONTAINER_OF(row, struct cell_node, row), out);
        break;
    case ROW_CA:
        put_ca(CONTAINER_OF(row, struct cell_ca, row), out);
        break;
    case ROW_BACKUP:
        put_backup(CONTAINER_OF(row, struct backup_info, row), out);
        break;
    case ROW_CLUSTER:
        put_cluster(CONTAINER_OF(row, struct cluster, row), out);
        break;
    case ROW_TOPIC:
        put_topic(CONTAINER_OF(row, struct topic, row), out);
        break;
    case ROW_AGENT:
        put_agent(CONTAINER_OF(row, struct agent_info, row), out);
        break;
    case ROW_USER:
        put_user(CONTAINER_OF(row, struct user, row), out);
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
    case ROW_USAGE_DAY:
        put_usage_day(CONTAINER_OF(row, struct usage_day, row), out);
        break;
    case ROW_USAGE_SOURCE:
        put_usage_source(CONTAINER_OF(row, struct usage_source, row), out);
        break;
    case ROW_AUDIT:
        put_audit(CONTAINER_OF(row, struct audit_entry, row), out);
        break;
    case ROW_GROUP:
        group_put_row(CONTAINER_OF(row, struct group, row), out);
        break;
    case ROW_GROUP_MEMBER:
        group_member_put_row(CONTAINER_OF(row, struct group_member, row), out);
        break;
    case ROW_REPLY:
        put_reply(CONTAINER_OF(row, struct reply, row), out);
        break;
    case ROW_GROUP_TOPIC:
        put_group_topic(CONTAINER_OF(row, struct group_topic, row), out);
        break;
    case ROW_SETTING:
        put_setting(CONTAINER_OF(row, struct setting_set, row), out);
        break;
    }
}

/* ---- all of them ---- */

void checkpoint_begin(struct state *state, const struct checkpoint_meta *meta,
                      struct str *delta)
{
    ASSERT(state->delta == NULL && list_empty(&state->saving));
    state->delta = delta;
    put_meta(state, meta, delta);
    str_append_slice(delta, str_slice(&state->deletes));
    str_fini(&state->deletes);
    str_init(&state->deletes, (size_t)1 << 32);
    list_splice(&state->saving, &state->dirty);
    state->dirty_mark = state->dirty_mark == 1 ? 2 : 1;
    state->dirty_count = 0;
}

void checkpoint_copy_row(struct state *state, struct row *row)
{
    list_remove(&row->dirty);
    row->mark = ROW_CLEAN;
    collect_row(row, state->delta);
}

bool checkpoint_step(struct state *state, uint32_t rows_max)
{
    struct list_node *node = NULL;

    ASSERT(state->delta != NULL);
    size_t limit = state->delta->len + STEP_BYTES;
    for (uint32_t i = 0; i < rows_max && state->delta->len < limit; i++) {
        node = list_first(&state->saving);
        if (node == NULL)
            break;
        checkpoint_copy_row(state, CONTAINER_OF(node, struct row, dirty));
    }
    if (!list_empty(&state->saving))
        return false;
    state->delta = NULL;
    return true;
}

void checkpoint_collect(struct state *state, const struct checkpoint_meta *meta,
                        struct str *delta)
{
    checkpoint_begin(state, meta, delta);
    while (!checkpoint_step(state, UINT32_MAX)) {
    }
}

uint64_t checkpoint_pending(const struct state *state)
{
    return state->dirty_count + state->deletes.len / 16;
}

static void delete_by(struct str *delta, enum db_table table, uint64_t key)
{
    db_delete_row(delta, table);
    db_put_int(delta, (int64_t)key);
}

void checkpoint_delete_topic(const struct topic *topic, struct str *delta)
{
    delete_by(delta, DB_TOPICS, topic->serial);
    delete_by(delta, DB_PARTITIONS, topic->serial);
}

void checkpoint_delete_agent(const struct agent_info *agent, struct str *delta)
{
    delete_by(delta, DB_AGENTS, agent->cluster->serial);
    db_put_int(delta, agent->node_id);
}

void checkpoint_delete_token(const struct token *token, struct str *delta)
{
    delete_by(delta, DB_TOKENS, token->serial);
}

void checkpoint_delete_user(const struct user *user, struct str *delta)
{
    delete_by(delta, DB_USERS, user->serial);
}

void checkpoint_delete_cluster(const struct cluster *cluster, struct str *delta)
{
    delete_by(delta, DB_CLUSTERS, cluster->serial);
}

void checkpoint_delete_object(const struct stored_object *object, struct str *delta)
{
    delete_by(delta, DB_OBJECTS, object->serial);
}

void checkpoint_delete_node(const struct cell_node *node, struct str *delta)
{
    delete_by(delta, DB_NODES, node->node_id);
}

void checkpoint_delete_ca(const struct cell_ca *ca, struct str *delta)
{
    delete_by(delta, DB_CAS, ca->serial);
}

void checkpoint_delete_backup(const struct backup_info *backup, struct str *delta)
{
    delete_by(delta, DB_BACKUPS, backup->serial);
}

void checkpoint_delete_usage_day(const struct usage_day *day, struct str *delta)
{
    delete_by(delta, DB_USAGE_DAYS, day->cluster->serial);
    db_put_int(delta, day->day);
}

void checkpoint_delete_usage_source(const struct usage_source *source, struct str *delta)
{
    delete_by(delta, DB_USAGE_SOURCES, source->serial);
}

void checkpoint_delete_audit(const struct audit_entry *entry, struct str *delta)
{
    delete_by(delta, DB_AUDIT, entry->id);
}

void checkpoint_delete_group(const struct group *group, struct str *delta)
{
    delete_by(delta, DB_GROUPS, group->serial);
}

void checkpoint_delete_member(const struct group_member *member, struct str *delta)
{
    delete_by(delta, DB_GROUP_MEMBERS, member->group->serial);
    db_put_int(delta, (int64_t)member->serial);
}

void checkpoint_delete_reply(const struct reply *reply, struct str *delta)
{
    delete_by(delta, DB_REPLIES, reply->serial);
}

void checkpoint_delete_group_topic(const struct group_topic *group_topic,
                                   struct str *delta)
{
    delete_by(delta, DB_GROUP_OFFSETS, group_topic->group->serial);
    db_put_int(delta, (int64_t)group_topic->topic->serial);
}

void checkpoint_delete_setting(const struct setting_set *set, struct str *delta)
{
    delete_by(delta, DB_SETTINGS, set->serial);
}

/* ---- the hash ---- */

struct hash {
    uint64_t value;
    int64_t now_ms;
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
    }
    db_put_int(&hash->bytes, partition_max_timestamp(partition));
    hash_flush(hash);
}

static void hash_topic(struct hash *hash, const struct topic *topic)
{
    put_topic(topic, &hash->bytes);
    for (int32_t i = 0; i < topic->partition_count; i++)
        hash_partition(hash, topic->partitions[i]);
    hash_flush(hash);
}

static void hash_scope(struct hash *hash, const struct scope *scope)
{
    LIST_FOREACH(user, next_user, &scope->users)
    {
        put_user(CONTAINER_OF(user, struct user, node), &hash->bytes);
    }
    LIST_FOREACH(token, next_token, &scope->tokens)
    {
        put_token(CONTAINER_OF(token, struct token, node), &hash->bytes);
    }
    hash_flush(hash);
}

static void hash_usage(struct hash *hash, const struct usage *usage)
{
    LIST_FOREACH(day, next_day, &usage->days)
    {
        put_usage_day(CONTAINER_OF(day, struct usage_day, node), &hash->bytes);
    }
    LIST_FOREACH(source, next_source, &usage->sources)
    {
        put_usage_source(CONTAINER_OF(source, struct usage_source, node), &hash->bytes);
    }
    hash_flush(hash);
}

static void hash_settings(struct hash *hash, const struct settings *settings)
{
    for (const struct setting_set *set = NULL;
         (set = settings_next(settings, set)) != NULL;)
        put_setting(set, &hash->bytes);
    hash_flush(hash);
}

static void hash_audit(struct hash *hash, const struct audit *audit)
{
    for (size_t i = audit->all.head; i < audit->all.end; i++) {
        if (audit->all.slots[i].entry != NULL)
            put_audit(audit->all.slots[i].entry, &hash->bytes);
    }
    hash_flush(hash);
}

static void hash_replies(struct hash *hash, const struct replies *replies)
{
    LIST_FOREACH(node, next, &replies->list)
    {
        put_reply(CONTAINER_OF(node, struct reply, node), &hash->bytes);
    }
    hash_flush(hash);
}

static void hash_objects(struct hash *hash, const struct cluster *cluster)
{
    LIST_FOREACH(node, next, &cluster->objects.list)
    {
        const struct stored_object *object =
            CONTAINER_OF(node, struct stored_object, node);
        put_object(object, SLICE_NULL, hash->now_ms, &hash->bytes);
        db_put_int(&hash->bytes, object->run_count);
        hash_flush(hash);
    }
}

static void hash_group(struct hash *hash, const struct group *group)
{
    group_put_row(group, &hash->bytes);
    for (const struct group_member *m = NULL; (m = group_member_next(group, m)) != NULL;)
        group_member_put_row(m, &hash->bytes);
    for (const struct group_member *m = NULL; (m = group_pending_next(group, m)) != NULL;)
        group_member_put_row(m, &hash->bytes);
    for (uint32_t i = 0; group->offsets != NULL && i < group->offsets->count; i++)
        put_group_topic(group->offsets->topics[i], &hash->bytes);
    db_put_int(&hash->bytes, group->joined_count);
    db_put_int(&hash->bytes, group->synced_count);
    db_put_int(&hash->bytes, (int64_t)group->bytes);
    hash_flush(hash);
}

static void hash_cluster(struct hash *hash, const struct cluster *cluster)
{
    put_cluster(cluster, &hash->bytes);
    for (const struct agent_info *agent = NULL;
         (agent = catalog_agent_next(cluster, agent)) != NULL;)
        put_agent(agent, &hash->bytes);
    for (const struct topic *topic = NULL;
         (topic = catalog_topic_next(cluster, topic)) != NULL;)
        hash_topic(hash, topic);
    LIST_FOREACH(group, next_group, &cluster->groups)
    {
        hash_group(hash, CONTAINER_OF(group, struct group, node));
    }
    hash_scope(hash, &cluster->scope);
    hash_objects(hash, cluster);
    hash_usage(hash, &cluster->usage);
    hash_settings(hash, &cluster->settings);
    db_put_int(&hash->bytes, (int64_t)cluster->run_count);
    db_put_int(&hash->bytes, (int64_t)cluster->producer_count);
    db_put_int(&hash->bytes, (int64_t)cluster->text_bytes);
    db_put_int(&hash->bytes, (int64_t)cluster->group_bytes);
    hash_flush(hash);
}

static void hash_cell(struct hash *hash, const struct cell *cell)
{
    put_cell(cell, &hash->bytes);
    LIST_FOREACH(node, next, &cell->nodes)
    {
        put_node(CONTAINER_OF(node, struct cell_node, node), &hash->bytes);
    }
    LIST_FOREACH(ca, next_ca, &cell->cas)
    {
        put_ca(CONTAINER_OF(ca, struct cell_ca, node), &hash->bytes);
    }
    LIST_FOREACH(backup, next_backup, &cell->backups)
    {
        put_backup(CONTAINER_OF(backup, struct backup_info, node), &hash->bytes);
    }
    hash_scope(hash, &cell->scope);
    hash_flush(hash);
}

uint64_t state_hash(const struct state *state)
{
    struct hash hash = {.value = 0xcbf29ce484222325u, .now_ms = state->now_ms};
    struct checkpoint_meta meta = {.position = {.index = state->applied_index}};

    str_init(&hash.bytes, SIZE_MAX / 2);
    put_meta(state, &meta, &hash.bytes);
    db_put_int(&hash.bytes, (int64_t)state->run_count);
    for (const struct cluster *cluster = NULL;
         (cluster = catalog_cluster_next(&state->catalog, cluster)) != NULL;)
        hash_cluster(&hash, cluster);
    LIST_FOREACH(cluster_node, next_cluster, &state->catalog.doomed_clusters)
    {
        hash_cluster(&hash, CONTAINER_OF(cluster_node, struct cluster, node));
    }
    LIST_FOREACH(topic_node, next_topic, &state->catalog.doomed_topics)
    {
        hash_topic(&hash, CONTAINER_OF(topic_node, struct topic, node));
    }
    hash_cell(&hash, &state->catalog.cell);
    hash_audit(&hash, &state->audit);
    hash_replies(&hash, &state->replies);
    hash_flush(&hash);
    str_fini(&hash.bytes);
    return hash.value;
}
