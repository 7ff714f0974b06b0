/* command.c - encode and decode the replicated commands.
 *
 * One writer and one reader for each kind, side by side, in the order of the struct; the
 * table at the end is made from command.def. Fields that came with version 2 are last. A
 * reader may meet any bytes (the log of another version, a fuzzer): it bounds every count
 * and text, and leaves deciding to whoever applies. */
#include "proto/command.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "proto/command_io.h"
#include "proto/setting.h"

/* ---- the small parts ---- */

static void put_changes(struct str *out, const struct config_change *changes,
                        uint32_t count)
{
    write_uvarint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        write_u8(out, (uint8_t)changes[i].op);
        put_text(out, changes[i].key);
        put_text(out, changes[i].value);
    }
}

/* Only REPLACE_ALL lacks a key; only it and DELETE lack a value. */
static bool change_valid(const struct config_change *change)
{
    bool has_key = change->key.ptr != NULL, has_value = change->value.ptr != NULL;
    switch (change->op) {
    case CONFIG_SET:
    case CONFIG_APPEND:
    case CONFIG_SUBTRACT:
        return has_key && has_value;
    case CONFIG_DELETE:
        return has_key && !has_value;
    case CONFIG_REPLACE_ALL:
        return !has_key && !has_value;
    }
    return false;
}

static const struct config_change *get_changes(struct reader *r, struct arena *arena,
                                               uint32_t *count)
{
    uint32_t n = reader_uvarint(r);
    if (n > COMMAND_CONFIGS_MAX || n > reader_left(r)) {
        reader_fail(r);
        return NULL;
    }
    struct config_change *changes = arena_try_array(arena, n, sizeof(*changes));
    if (changes == NULL && n > 0) {
        reader_fail(r);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        changes[i].op = (enum config_op)reader_u8(r);
        changes[i].key = get_text(r, COMMAND_TEXT_MAX);
        changes[i].value = get_text(r, COMMAND_CONFIG_VALUE_MAX);
        if (!change_valid(&changes[i]))
            reader_fail(r);
    }
    *count = n;
    return changes;
}

static void put_limits(struct str *out, const struct cluster_limits *limits)
{
    write_u32(out, limits->agents);
    write_u32(out, limits->topics);
    write_u32(out, limits->partitions);
    write_u32(out, limits->requests_per_second);
    write_u64(out, limits->metadata_bytes);
}

static void get_limits(struct reader *r, struct cluster_limits *limits)
{
    limits->agents = reader_u32(r);
    limits->topics = reader_u32(r);
    limits->partitions = reader_u32(r);
    limits->requests_per_second = reader_u32(r);
    limits->metadata_bytes = reader_u64(r);
}

static void put_ca(struct str *out, const struct ca_fields *ca)
{
    put_uuid(out, &ca->ca_id);
    put_text(out, ca->certificate);
    put_text(out, ca->cross);
    put_text(out, ca->sealed_key);
}

static void get_ca(struct reader *r, struct ca_fields *ca)
{
    ca->ca_id = need_uuid(r);
    ca->certificate = need_text(r, COMMAND_PEM_MAX);
    ca->cross = get_text(r, COMMAND_PEM_MAX);
    ca->sealed_key = need_text(r, COMMAND_SEALED_MAX);
}

static void put_node(struct str *out, const struct node_fields *node)
{
    write_u64(out, node->node_id);
    put_uuid(out, &node->instance);
    put_text(out, node->name);
    put_text(out, node->peer_address);
    put_text(out, node->people_url);
    put_text(out, node->agents_url);
    put_text(out, node->version);
    write_u32(out, node->features_max);
    write_u8(out, (uint8_t)node->wanted);
}

static void get_node(struct reader *r, struct node_fields *node)
{
    node->node_id = (uint64_t)get_natural(r);
    node->instance = get_uuid(r);
    node->name = get_text(r, COMMAND_NAME_MAX);
    node->peer_address = get_text(r, COMMAND_NAME_MAX);
    node->people_url = get_text(r, COMMAND_NAME_MAX);
    node->agents_url = get_text(r, COMMAND_NAME_MAX);
    node->version = get_text(r, COMMAND_NAME_MAX);
    node->features_max = reader_u32(r);
    node->wanted = (enum node_wanted)get_enum(r, WANT_VOTER, WANT_STANDBY);
}

/* ---- the context ---- */

static void put_context(struct str *out, const struct command_context *context)
{
    write_u8(out, (uint8_t)context->actor_kind);
    put_uuid(out, &context->actor_id);
    put_text(out, context->actor_name);
    put_text(out, context->remote);
    put_text(out, context->action);
    put_text(out, context->target);
    put_uuid(out, &context->request_id);
    put_hash(out, context->idempotency_key);
    put_hash(out, context->body_hash);
    write_u32(out, context->audit_max);
    write_u64(out, (uint64_t)context->audit_age_ms);
    write_u64(out, (uint64_t)context->replies_age_ms);
}

static const struct command_context *get_context(struct reading *in)
{
    struct reader *r = &in->r;
    struct command_context *context = arena_try_array(in->arena, 1, sizeof(*context));

    if (context == NULL) {
        reader_fail(r);
        return NULL;
    }
    context->actor_kind = (enum actor_kind)get_enum(r, ACTOR_CELL, ACTOR_NODE);
    context->actor_id = get_uuid(r);
    context->actor_name = get_text(r, COMMAND_ACTOR_NAME_MAX);
    context->remote = get_text(r, COMMAND_REMOTE_MAX);
    context->action = get_text(r, COMMAND_ACTION_MAX);
    context->target = get_text(r, COMMAND_NAME_MAX);
    context->request_id = get_uuid(r);
    memset(context->idempotency_key, 0, sizeof(context->idempotency_key));
    memset(context->body_hash, 0, sizeof(context->body_hash));
    get_hash(r, context->idempotency_key);
    get_hash(r, context->body_hash);
    context->audit_max = reader_u32(r);
    context->audit_age_ms = get_natural(r);
    context->replies_age_ms = get_natural(r);
    return context;
}

/* ---- the kinds ---- */

static void write_cluster_create(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->cluster_create.name);
    put_limits(out, &cmd->cluster_create.limits);
}

static void read_cluster_create(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->cluster_create.name = need_text(r, COMMAND_TEXT_MAX);
    if (in->version >= 2)
        get_limits(r, &cmd->cluster_create.limits);
}

static void write_token_create(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->token_create.token_id);
    put_hash(out, cmd->token_create.hash);
    write_u8(out, (uint8_t)cmd->token_create.token_kind);
    write_u64(out, (uint64_t)cmd->token_create.expires_at_ms);
    write_u8(out, cmd->token_create.single_use);
    write_u8(out, (uint8_t)cmd->token_create.role);
    put_uuid(out, &cmd->token_create.user_id);
    put_text(out, cmd->token_create.name);
}

static void read_token_create(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->token_create.token_id = get_uuid(r);
    get_hash(r, cmd->token_create.hash);
    cmd->token_create.token_kind = (enum token_kind)get_enum(r, TOKEN_API, TOKEN_JOIN);
    cmd->token_create.expires_at_ms = get_natural(r);
    cmd->token_create.single_use = get_bool(r);
    if (in->version >= 2) {
        cmd->token_create.role = (enum role)get_enum(r, ROLE_NONE, ROLE_VIEWER);
        cmd->token_create.user_id = get_uuid(r);
        cmd->token_create.name = get_text(r, COMMAND_NAME_MAX);
    } else if (cmd->token_create.token_kind == TOKEN_API) {
        cmd->token_create.role = ROLE_OPERATOR; /* the only one there was */
    }
}

static void write_token_use(const struct command *cmd, struct str *out)
{
    put_hash(out, cmd->token_use.hash);
    put_uuid(out, &cmd->token_use.used_by);
}

static void read_token_use(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    get_hash(r, cmd->token_use.hash);
    cmd->token_use.used_by = get_uuid(r);
}

static void write_agent_register(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->agent_register.agent_id);
    put_text(out, cmd->agent_register.zone);
    put_text(out, cmd->agent_register.rack);
    put_text(out, cmd->agent_register.host);
    put_text(out, cmd->agent_register.http_url);
    put_text(out, cmd->agent_register.version);
    write_u32(out, (uint32_t)cmd->agent_register.port);
    write_u8(out, (uint8_t)cmd->agent_register.state);
    write_u32(out, cmd->agent_register.agents_max);
}

static void read_agent_register(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->agent_register.agent_id = get_uuid(r);
    cmd->agent_register.zone = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.rack = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.host = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.http_url = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.version = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.port = reader_i32(r);
    cmd->agent_register.state =
        (enum agent_state)get_enum(r, AGENT_ACTIVE, AGENT_DRAINING);
    cmd->agent_register.agents_max = reader_u32(r);
}

static void write_agent_remove(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->agent_remove.agent_id);
}

static void read_agent_remove(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->agent_remove.agent_id = get_uuid(r);
}

static void write_topic_create(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->topic_create.topic_id);
    put_text(out, cmd->topic_create.name);
    write_u32(out, (uint32_t)cmd->topic_create.partitions);
    write_u16(out, (uint16_t)cmd->topic_create.replication_factor);
    put_changes(out, cmd->topic_create.configs, cmd->topic_create.config_count);
    write_u32(out, cmd->topic_create.topics_max);
    write_u32(out, cmd->topic_create.partitions_max);
    write_u64(out, cmd->topic_create.metadata_max);
}

static void read_topic_create(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->topic_create.topic_id = get_uuid(r);
    cmd->topic_create.name = get_text(r, COMMAND_TEXT_MAX);
    cmd->topic_create.partitions = reader_i32(r);
    cmd->topic_create.replication_factor = reader_i16(r);
    cmd->topic_create.configs =
        get_changes(r, in->arena, &cmd->topic_create.config_count);
    cmd->topic_create.topics_max = reader_u32(r);
    cmd->topic_create.partitions_max = reader_u32(r);
    if (in->version >= 2)
        cmd->topic_create.metadata_max = reader_u64(r);
    if (cmd->topic_create.name.ptr == NULL || cmd->topic_create.partitions < 1 ||
        cmd->topic_create.partitions > COMMAND_PARTITIONS_MAX ||
        uuid_is_zero(&cmd->topic_create.topic_id))
        reader_fail(r);
    for (uint32_t i = 0; !r->failed && i < cmd->topic_create.config_count; i++) {
        if (cmd->topic_create.configs[i].op != CONFIG_SET)
            reader_fail(r);
    }
}

static void write_topic_delete(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->topic_delete.topic_id);
}

static void read_topic_delete(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->topic_delete.topic_id = get_uuid(r);
}

static void write_partitions_create(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->partitions_create.topic_id);
    write_u32(out, (uint32_t)cmd->partitions_create.total);
    write_u32(out, cmd->partitions_create.partitions_max);
    write_u64(out, cmd->partitions_create.metadata_max);
}

static void read_partitions_create(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->partitions_create.topic_id = get_uuid(r);
    cmd->partitions_create.total = reader_i32(r);
    cmd->partitions_create.partitions_max = reader_u32(r);
    if (in->version >= 2)
        cmd->partitions_create.metadata_max = reader_u64(r);
    if (cmd->partitions_create.total < 1 ||
        cmd->partitions_create.total > COMMAND_PARTITIONS_MAX)
        reader_fail(r);
}

static void write_configs_alter(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->configs_alter.topic_id);
    put_changes(out, cmd->configs_alter.changes, cmd->configs_alter.change_count);
    write_u64(out, cmd->configs_alter.metadata_max);
}

static void read_configs_alter(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->configs_alter.topic_id = get_uuid(r);
    cmd->configs_alter.changes =
        get_changes(r, in->arena, &cmd->configs_alter.change_count);
    if (in->version >= 2)
        cmd->configs_alter.metadata_max = reader_u64(r);
}

static void write_commit(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->commit.agent_id);
    write_u32(out, (uint32_t)cmd->commit.node_id);
    write_u64(out, (uint64_t)cmd->commit.max_age_ms);
    write_u64(out, (uint64_t)cmd->commit.max_future_ms);
    write_u64(out, cmd->commit.metadata_max);
    str_append_slice(out, cmd->commit.payload);
}

static void read_commit(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->commit.agent_id = get_uuid(r);
    cmd->commit.node_id = reader_i32(r);
    cmd->commit.max_age_ms = get_natural(r);
    cmd->commit.max_future_ms = get_natural(r);
    if (in->version >= 2)
        cmd->commit.metadata_max = reader_u64(r);
    cmd->commit.payload = reader_bytes(r, reader_left(r));
}

static void write_producer_ids(const struct command *cmd, struct str *out)
{
    write_u32(out, (uint32_t)cmd->producer_ids.count);
}

static void read_producer_ids(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->producer_ids.count = reader_i32(r);
    if (cmd->producer_ids.count < 1)
        reader_fail(r);
}

static void write_expire_producers(const struct command *cmd, struct str *out)
{
    write_u64(out, (uint64_t)cmd->expire_producers.before_ms);
}

static void read_expire_producers(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->expire_producers.before_ms = reader_i64(r);
}

static void write_cell_init(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->cell_init.name);
    put_ca(out, &cmd->cell_init.ca);
    put_text(out, cmd->cell_init.sealed_token_secret);
    put_uuid(out, &cmd->cell_init.token_id);
    put_hash(out, cmd->cell_init.token_hash);
    put_node(out, &cmd->cell_init.node);
}

static void read_cell_init(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->cell_init.name = get_text(r, COMMAND_NAME_MAX);
    get_ca(r, &cmd->cell_init.ca);
    cmd->cell_init.sealed_token_secret = need_text(r, COMMAND_SEALED_MAX);
    cmd->cell_init.token_id = need_uuid(r);
    get_hash(r, cmd->cell_init.token_hash);
    get_node(r, &cmd->cell_init.node);
}

static void write_ca_add(const struct command *cmd, struct str *out)
{
    put_ca(out, &cmd->ca_add);
}

static void read_ca_add(struct reading *in, struct command *cmd)
{
    get_ca(&in->r, &cmd->ca_add);
}

static void write_ca_remove(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->ca_remove.ca_id);
}

static void read_ca_remove(struct reading *in, struct command *cmd)
{
    cmd->ca_remove.ca_id = get_uuid(&in->r);
}

static void write_node_put(const struct command *cmd, struct str *out)
{
    put_node(out, &cmd->node_put);
}

static void read_node_put(struct reading *in, struct command *cmd)
{
    get_node(&in->r, &cmd->node_put);
}

static void write_node_remove(const struct command *cmd, struct str *out)
{
    write_u64(out, cmd->node_remove.node_id);
}

static void read_node_remove(struct reading *in, struct command *cmd)
{
    cmd->node_remove.node_id = reader_u64(&in->r);
}

static void write_feature_level(const struct command *cmd, struct str *out)
{
    write_u32(out, cmd->feature_level.level);
}

static void read_feature_level(struct reading *in, struct command *cmd)
{
    cmd->feature_level.level = reader_u32(&in->r);
}

static void write_user_put(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->user_put.user_id);
    put_text(out, cmd->user_put.name);
    put_text(out, cmd->user_put.email);
    write_u8(out, (uint8_t)cmd->user_put.role);
    write_u8(out, cmd->user_put.disabled);
}

static void read_user_put(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->user_put.user_id = need_uuid(r);
    cmd->user_put.name = need_text(r, COMMAND_ACTOR_NAME_MAX);
    cmd->user_put.email = get_text(r, COMMAND_NAME_MAX);
    cmd->user_put.role = (enum role)get_enum(r, ROLE_OPERATOR, ROLE_VIEWER);
    cmd->user_put.disabled = get_bool(r);
}

static void write_user_remove(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->user_remove.user_id);
}

static void read_user_remove(struct reading *in, struct command *cmd)
{
    cmd->user_remove.user_id = get_uuid(&in->r);
}

static void write_token_remove(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->token_remove.token_id);
}

static void read_token_remove(struct reading *in, struct command *cmd)
{
    cmd->token_remove.token_id = get_uuid(&in->r);
}

static void write_cluster_alter(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->cluster_alter.name);
    write_u8(out, cmd->cluster_alter.set_limits);
    put_limits(out, &cmd->cluster_alter.limits);
}

static void read_cluster_alter(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->cluster_alter.name = get_text(r, COMMAND_TEXT_MAX);
    cmd->cluster_alter.set_limits = get_bool(r);
    get_limits(r, &cmd->cluster_alter.limits);
}

static void write_cluster_delete(const struct command *cmd, struct str *out)
{
    (void)cmd, (void)out;
}

static void read_cluster_delete(struct reading *in, struct command *cmd)
{
    (void)in, (void)cmd;
}

static void write_purge(const struct command *cmd, struct str *out)
{
    write_u32(out, cmd->purge.rows_max);
    write_u64(out, (uint64_t)cmd->purge.audit_before_ms);
    write_u64(out, (uint64_t)cmd->purge.replies_before_ms);
}

static void read_purge(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->purge.rows_max = reader_u32(r);
    cmd->purge.audit_before_ms = reader_i64(r);
    cmd->purge.replies_before_ms = reader_i64(r);
}

static void write_usage_report(const struct command *cmd, struct str *out)
{
    const struct usage_counters *counters = &cmd->usage_report.counters;
    put_uuid(out, &cmd->usage_report.agent_id);
    write_u64(out, cmd->usage_report.incarnation);
    write_u64(out, counters->fetched_bytes);
    write_u64(out, counters->fetched_records);
    write_u64(out, counters->fetch_requests);
    write_u64(out, counters->produce_requests);
    write_uvarint(out, counters->store.put);
    write_uvarint(out, counters->store.get);
    write_uvarint(out, counters->store.head);
    write_uvarint(out, counters->store.list);
    write_uvarint(out, counters->store.delete);
    write_uvarint(out, counters->store.written_bytes);
    write_uvarint(out, counters->store.read_bytes);
}

static uint64_t need_counter(struct reader *r)
{
    uint64_t v = reader_uvarlong(r);
    if (v > INT64_MAX)
        reader_fail(r);
    return v;
}

static void read_usage_report(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    struct usage_counters *counters = &cmd->usage_report.counters;
    cmd->usage_report.agent_id = need_uuid(r);
    cmd->usage_report.incarnation = reader_u64(r);
    /* Sums of them must not wrap in a lifetime. */
    counters->fetched_bytes = (uint64_t)get_natural(r);
    counters->fetched_records = (uint64_t)get_natural(r);
    counters->fetch_requests = (uint64_t)get_natural(r);
    counters->produce_requests = (uint64_t)get_natural(r);
    if (reader_left(r) == 0)
        return; /* of a program that did not count what follows */
    counters->store.put = need_counter(r);
    counters->store.get = need_counter(r);
    counters->store.head = need_counter(r);
    counters->store.list = need_counter(r);
    counters->store.delete = need_counter(r);
    counters->store.written_bytes = need_counter(r);
    counters->store.read_bytes = need_counter(r);
}

static void write_backup_record(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->backup_record.backup_id);
    put_text(out, cmd->backup_record.place);
    write_u64(out, cmd->backup_record.applied_index);
    write_u64(out, cmd->backup_record.size_bytes);
    write_u64(out, (uint64_t)cmd->backup_record.taken_at_ms);
    put_hash(out, cmd->backup_record.sha256);
}

static void read_backup_record(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->backup_record.backup_id = need_uuid(r);
    cmd->backup_record.place = get_text(r, COMMAND_NAME_MAX);
    cmd->backup_record.applied_index = reader_u64(r);
    cmd->backup_record.size_bytes = reader_u64(r);
    cmd->backup_record.taken_at_ms = get_natural(r);
    get_hash(r, cmd->backup_record.sha256);
}

static void write_agent_alter(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->agent_alter.agent_id);
    write_u8(out, (uint8_t)cmd->agent_alter.wanted);
}

static void read_agent_alter(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->agent_alter.agent_id = get_uuid(r);
    cmd->agent_alter.wanted = (enum agent_state)get_enum(r, AGENT_ACTIVE, AGENT_DRAINING);
}

static void write_records_delete(const struct command *cmd, struct str *out)
{
    write_uvarint(out, cmd->records_delete.cut_count);
    for (uint32_t i = 0; i < cmd->records_delete.cut_count; i++) {
        put_uuid(out, &cmd->records_delete.cuts[i].topic_id);
        write_u32(out, (uint32_t)cmd->records_delete.cuts[i].partition);
        write_u64(out, (uint64_t)cmd->records_delete.cuts[i].offset);
    }
}

static void read_records_delete(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    uint32_t n = reader_uvarint(r);
    struct records_cut *cuts =
        n > COMMAND_RECORDS_MAX ? NULL : arena_try_array(in->arena, n, sizeof(*cuts));

    if (n > COMMAND_RECORDS_MAX || (cuts == NULL && n > 0)) {
        reader_fail(r);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        cuts[i].topic_id = get_uuid(r);
        cuts[i].partition = reader_i32(r);
        cuts[i].offset = reader_i64(r);
    }
    cmd->records_delete.cuts = cuts;
    cmd->records_delete.cut_count = n;
}

static void write_settings_alter(const struct command *cmd, struct str *out)
{
    write_u8(out, cmd->settings_alter.setting_kind);
    put_text(out, cmd->settings_alter.name);
    put_changes(out, cmd->settings_alter.changes, cmd->settings_alter.change_count);
    write_u32(out, cmd->settings_alter.sets_max);
    write_u64(out, cmd->settings_alter.metadata_max);
}

static void read_settings_alter(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    uint8_t kind = reader_u8(r);
    if (kind != SETTING_BROKER && kind != SETTING_GROUP)
        reader_fail(r);
    cmd->settings_alter.setting_kind = kind;
    cmd->settings_alter.name = need_text(r, COMMAND_TEXT_MAX);
    cmd->settings_alter.changes =
        get_changes(r, in->arena, &cmd->settings_alter.change_count);
    cmd->settings_alter.sets_max = reader_u32(r);
    cmd->settings_alter.metadata_max = reader_u64(r);
}

static void put_double(struct str *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    write_u64(out, bits);
}

static double get_double(struct reader *r)
{
    uint64_t bits = reader_u64(r);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void write_quotas_alter(const struct command *cmd, struct str *out)
{
    write_u8(out, (uint8_t)cmd->quotas_alter.part_count);
    for (uint32_t i = 0; i < cmd->quotas_alter.part_count; i++) {
        put_text(out, cmd->quotas_alter.parts[i].type);
        put_text(out, cmd->quotas_alter.parts[i].name);
    }
    write_u8(out, (uint8_t)cmd->quotas_alter.change_count);
    for (uint32_t i = 0; i < cmd->quotas_alter.change_count; i++) {
        put_text(out, cmd->quotas_alter.changes[i].key);
        write_u8(out, cmd->quotas_alter.changes[i].remove);
        put_double(out, cmd->quotas_alter.changes[i].value);
    }
    write_u32(out, cmd->quotas_alter.sets_max);
    write_u64(out, cmd->quotas_alter.metadata_max);
}

/* An entity is known by its bytes: parts come sorted, so that it has one form only. */
static const struct quota_part *get_parts(struct reading *in, uint32_t n)
{
    struct quota_part *parts =
        n > COMMAND_ENTITY_MAX ? NULL : arena_try_array(in->arena, n, sizeof(*parts));

    if (n == 0 || parts == NULL) {
        reader_fail(&in->r);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        parts[i].type = need_text(&in->r, COMMAND_NAME_MAX);
        parts[i].name = get_text(&in->r, COMMAND_NAME_MAX);
        if (!in->r.failed && i > 0 && slice_cmp(parts[i - 1].type, parts[i].type) >= 0)
            reader_fail(&in->r);
    }
    return parts;
}

static void read_quotas_alter(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;
    cmd->quotas_alter.part_count = reader_u8(r);
    cmd->quotas_alter.parts = get_parts(in, cmd->quotas_alter.part_count);
    uint32_t n = reader_u8(r);
    struct quota_change *changes =
        n > COMMAND_QUOTAS_MAX ? NULL : arena_try_array(in->arena, n, sizeof(*changes));
    if (n > COMMAND_QUOTAS_MAX || (changes == NULL && n > 0)) {
        reader_fail(r);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        changes[i].key = need_text(r, COMMAND_NAME_MAX);
        changes[i].remove = get_bool(r);
        changes[i].value = get_double(r);
    }
    cmd->quotas_alter.changes = changes;
    cmd->quotas_alter.change_count = n;
    cmd->quotas_alter.sets_max = reader_u32(r);
    cmd->quotas_alter.metadata_max = reader_u64(r);
}

/* ---- the table ---- */

struct kind {
    const char *name;
    void (*write)(const struct command *cmd, struct str *out);
    void (*read)(struct reading *in, struct command *cmd);
    uint32_t level;
};

static const struct kind kinds[] = {
#define COMMAND(name, lower, number, level)                                              \
    [number] = {#name, write_##lower, read_##lower, level},
#include "proto/command.def"
#undef COMMAND
};

static const struct kind *find_kind(unsigned number)
{
    if (number >= ARRAY_LEN(kinds) || kinds[number].name == NULL)
        return NULL;
    return &kinds[number];
}

const char *command_name(enum command_kind kind)
{
    const struct kind *found = find_kind((unsigned)kind);
    return found == NULL ? "?" : found->name;
}

uint32_t command_level(enum command_kind kind)
{
    const struct kind *found = find_kind((unsigned)kind);
    return found == NULL ? UINT32_MAX : found->level;
}

bool command_is_newer(struct slice bytes)
{
    return bytes.len >= 2 &&
           (bytes.ptr[0] > COMMAND_VERSION || find_kind(bytes.ptr[1]) == NULL);
}

enum { FLAG_CONTEXT = 1, FLAG_IF_VERSION = 2, FLAGS_KNOWN = 3 };

void command_write(const struct command *cmd, struct str *out)
{
    uint8_t flags = 0;

    ASSERT(cmd->context == NULL || cmd->kind != COMMAND_COMMIT);
    flags |= cmd->context == NULL ? 0 : FLAG_CONTEXT;
    flags |= cmd->if_version == 0 ? 0 : FLAG_IF_VERSION;
    write_u8(out, COMMAND_VERSION);
    write_u8(out, (uint8_t)cmd->kind);
    write_u64(out, (uint64_t)cmd->now_ms);
    put_uuid(out, &cmd->cluster_id);
    write_u8(out, flags);
    if (cmd->context != NULL)
        put_context(out, cmd->context);
    if (cmd->if_version != 0)
        write_u64(out, cmd->if_version);
    kinds[cmd->kind].write(cmd, out);
}

/* The flags and what they announce. A commit has its own kind of result, and so neither
 * a context nor a condition. */
static void read_flags(struct reading *in, struct command *cmd)
{
    uint8_t flags = reader_u8(&in->r);
    if ((flags & ~FLAGS_KNOWN) != 0 || (flags != 0 && cmd->kind == COMMAND_COMMIT))
        reader_fail(&in->r);
    if ((flags & FLAG_CONTEXT) != 0)
        cmd->context = get_context(in);
    if ((flags & FLAG_IF_VERSION) != 0)
        cmd->if_version = reader_u64(&in->r);
}

int command_read(struct slice bytes, struct arena *arena, struct command *cmd)
{
    struct reading in = {.arena = arena};
    reader_init(&in.r, bytes);
    in.version = reader_u8(&in.r);
    uint8_t number = reader_u8(&in.r);
    if (in.r.failed || in.version == 0)
        return ERR_MALFORMED;
    const struct kind *kind = find_kind(number);
    if (in.version > COMMAND_VERSION || kind == NULL ||
        (in.version == 1 && number > COMMAND_EXPIRE_PRODUCERS))
        return ERR_UNSUPPORTED;
    struct command read = {.kind = (enum command_kind)number};
    read.now_ms = get_natural(&in.r);
    read.cluster_id = get_uuid(&in.r);
    if (in.version >= 2)
        read_flags(&in, &read);
    if (!in.r.failed)
        kind->read(&in, &read);
    if (in.r.failed || reader_left(&in.r) != 0)
        return ERR_MALFORMED;
    *cmd = read;
    return 0;
}

void command_result_write(const struct command_result *result, struct str *out)
{
    write_uvarint(out, (uint64_t)result->code);
    write_u16(out, (uint16_t)result->kafka_error);
    put_text(out, result->message);
    write_u64(out, (uint64_t)result->value);
    put_uuid(out, &result->id);
    write_u64(out, result->version);
    write_u64(out, (uint64_t)result->at_ms);
    if (result->data.ptr != NULL)
        put_text(out, result->data);
}

int command_result_read(struct slice bytes, struct command_result *result)
{
    struct reader r;
    struct command_result read;
    reader_init(&r, bytes);
    uint32_t code = reader_uvarint(&r);
    read.code = (int)code;
    read.kafka_error = reader_i16(&r);
    read.message = get_text(&r, COMMAND_TEXT_MAX);
    read.value = reader_i64(&r);
    read.id = get_uuid(&r);
    read.version = reader_u64(&r);
    read.at_ms = reader_i64(&r);
    read.data = SLICE_NULL;
    if (reader_left(&r) > 0)
        read.data = need_text(&r, COMMAND_RESULT_DATA_MAX);
    if (r.failed || reader_left(&r) != 0 || code >= ERR_MAX)
        return ERR_MALFORMED;
    *result = read;
    return 0;
}

void command_pack(struct slice command, struct str *out)
{
    write_u32(out, (uint32_t)command.len);
    str_append_slice(out, command);
}

bool command_unpack(struct slice *entry, struct slice *command)
{
    if (entry->len == 0)
        return false;
    struct reader r;
    reader_init(&r, *entry);
    struct slice bytes = reader_bytes(&r, reader_u32(&r));
    if (r.failed)
        bytes = *entry; /* unreadable: one command that will be refused as malformed */
    *command = bytes;
    *entry = r.failed ? SLICE_NULL : slice_of(r.pos, reader_left(&r));
    return true;
}
