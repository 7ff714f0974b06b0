/* command.c - encode and decode the replicated commands.
 *
 * One writer and one reader for each kind, side by side, in the order of the struct; the
 * table at the end is made from command.def. A reader may meet any bytes (the log of
 * another version, a fuzzer): it bounds every count and text, and leaves deciding to
 * whoever applies. */
#include "proto/command.h"

#include <string.h>

#include "common/cursor.h"
#include "common/err.h"

/* ---- the small parts ---- */

static void put_uuid(struct str *out, const struct uuid *uuid)
{
    str_append(out, uuid->bytes, sizeof(uuid->bytes));
}

static struct uuid get_uuid(struct reader *r)
{
    struct uuid uuid = UUID_ZERO;
    struct slice bytes = reader_bytes(r, sizeof(uuid.bytes));
    if (bytes.ptr != NULL)
        memcpy(uuid.bytes, bytes.ptr, sizeof(uuid.bytes));
    return uuid;
}

/* Length + 1, so that null and "" differ. */
static void put_text(struct str *out, struct slice text)
{
    write_uvarint(out, text.ptr == NULL ? 0 : text.len + 1);
    if (text.ptr != NULL)
        str_append_slice(out, text);
}

static struct slice get_text(struct reader *r, size_t max_len)
{
    uint32_t len = reader_uvarint(r);
    if (len == 0)
        return SLICE_NULL;
    if (len - 1 > max_len)
        reader_fail(r);
    return reader_bytes(r, len - 1);
}

static void put_hash(struct str *out, const uint8_t hash[SHA256_LEN])
{
    str_append(out, hash, SHA256_LEN);
}

static void get_hash(struct reader *r, uint8_t hash[SHA256_LEN])
{
    struct slice bytes = reader_bytes(r, SHA256_LEN);
    if (bytes.ptr != NULL)
        memcpy(hash, bytes.ptr, SHA256_LEN);
}

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

static bool get_bool(struct reader *r)
{
    uint8_t v = reader_u8(r);
    if (v > 1)
        reader_fail(r);
    return v == 1;
}

/* A count or time that cannot be negative. */
static int64_t get_natural(struct reader *r)
{
    int64_t v = reader_i64(r);
    if (v < 0)
        reader_fail(r);
    return v;
}

/* ---- the kinds ---- */

static void write_cluster_create(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->cluster_create.name);
}

static void read_cluster_create(struct reader *r, struct arena *arena,
                                struct command *cmd)
{
    (void)arena;
    cmd->cluster_create.name = get_text(r, COMMAND_TEXT_MAX);
    if (cmd->cluster_create.name.ptr == NULL)
        reader_fail(r);
}

static void write_token_create(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->token_create.token_id);
    put_hash(out, cmd->token_create.hash);
    write_u8(out, (uint8_t)cmd->token_create.token_kind);
    write_u64(out, (uint64_t)cmd->token_create.expires_at_ms);
    write_u8(out, cmd->token_create.single_use);
}

static void read_token_create(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
    cmd->token_create.token_id = get_uuid(r);
    get_hash(r, cmd->token_create.hash);
    uint8_t kind = reader_u8(r);
    if (kind != TOKEN_ADMIN && kind != TOKEN_ENROL)
        reader_fail(r);
    cmd->token_create.token_kind = (enum token_kind)kind;
    cmd->token_create.expires_at_ms = get_natural(r);
    cmd->token_create.single_use = get_bool(r);
}

static void write_token_use(const struct command *cmd, struct str *out)
{
    put_hash(out, cmd->token_use.hash);
    put_uuid(out, &cmd->token_use.used_by);
}

static void read_token_use(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
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

static void read_agent_register(struct reader *r, struct arena *arena,
                                struct command *cmd)
{
    (void)arena;
    cmd->agent_register.agent_id = get_uuid(r);
    cmd->agent_register.zone = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.rack = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.host = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.http_url = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.version = get_text(r, COMMAND_TEXT_MAX);
    cmd->agent_register.port = reader_i32(r);
    uint8_t state = reader_u8(r);
    if (state != AGENT_ACTIVE && state != AGENT_DRAINING)
        reader_fail(r);
    cmd->agent_register.state = (enum agent_state)state;
    cmd->agent_register.agents_max = reader_u32(r);
}

static void write_agent_remove(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->agent_remove.agent_id);
}

static void read_agent_remove(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
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
}

static void read_topic_create(struct reader *r, struct arena *arena, struct command *cmd)
{
    cmd->topic_create.topic_id = get_uuid(r);
    cmd->topic_create.name = get_text(r, COMMAND_TEXT_MAX);
    cmd->topic_create.partitions = reader_i32(r);
    cmd->topic_create.replication_factor = reader_i16(r);
    cmd->topic_create.configs = get_changes(r, arena, &cmd->topic_create.config_count);
    cmd->topic_create.topics_max = reader_u32(r);
    cmd->topic_create.partitions_max = reader_u32(r);
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

static void read_topic_delete(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
    cmd->topic_delete.topic_id = get_uuid(r);
}

static void write_partitions_create(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->partitions_create.topic_id);
    write_u32(out, (uint32_t)cmd->partitions_create.total);
    write_u32(out, cmd->partitions_create.partitions_max);
}

static void read_partitions_create(struct reader *r, struct arena *arena,
                                   struct command *cmd)
{
    (void)arena;
    cmd->partitions_create.topic_id = get_uuid(r);
    cmd->partitions_create.total = reader_i32(r);
    cmd->partitions_create.partitions_max = reader_u32(r);
    if (cmd->partitions_create.total < 1 ||
        cmd->partitions_create.total > COMMAND_PARTITIONS_MAX)
        reader_fail(r);
}

static void write_configs_alter(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->configs_alter.topic_id);
    put_changes(out, cmd->configs_alter.changes, cmd->configs_alter.change_count);
}

static void read_configs_alter(struct reader *r, struct arena *arena, struct command *cmd)
{
    cmd->configs_alter.topic_id = get_uuid(r);
    cmd->configs_alter.changes = get_changes(r, arena, &cmd->configs_alter.change_count);
}

static void write_commit(const struct command *cmd, struct str *out)
{
    put_uuid(out, &cmd->commit.agent_id);
    write_u32(out, (uint32_t)cmd->commit.node_id);
    write_u64(out, (uint64_t)cmd->commit.max_age_ms);
    write_u64(out, (uint64_t)cmd->commit.max_future_ms);
    str_append_slice(out, cmd->commit.payload);
}

static void read_commit(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
    cmd->commit.agent_id = get_uuid(r);
    cmd->commit.node_id = reader_i32(r);
    cmd->commit.max_age_ms = get_natural(r);
    cmd->commit.max_future_ms = get_natural(r);
    cmd->commit.payload = reader_bytes(r, reader_left(r));
}

static void write_producer_ids(const struct command *cmd, struct str *out)
{
    write_u32(out, (uint32_t)cmd->producer_ids.count);
}

static void read_producer_ids(struct reader *r, struct arena *arena, struct command *cmd)
{
    (void)arena;
    cmd->producer_ids.count = reader_i32(r);
    if (cmd->producer_ids.count < 1)
        reader_fail(r);
}

static void write_expire_producers(const struct command *cmd, struct str *out)
{
    write_u64(out, (uint64_t)cmd->expire_producers.before_ms);
}

static void read_expire_producers(struct reader *r, struct arena *arena,
                                  struct command *cmd)
{
    (void)arena;
    cmd->expire_producers.before_ms = reader_i64(r);
}

/* ---- the table ---- */

struct kind {
    const char *name;
    void (*write)(const struct command *cmd, struct str *out);
    void (*read)(struct reader *r, struct arena *arena, struct command *cmd);
};

static const struct kind kinds[] = {
#define COMMAND(name, lower, number) [number] = {#name, write_##lower, read_##lower},
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

void command_write(const struct command *cmd, struct str *out)
{
    write_u8(out, COMMAND_VERSION);
    write_u8(out, (uint8_t)cmd->kind);
    write_u64(out, (uint64_t)cmd->now_ms);
    put_uuid(out, &cmd->cluster_id);
    kinds[cmd->kind].write(cmd, out);
}

int command_read(struct slice bytes, struct arena *arena, struct command *cmd)
{
    struct reader r;
    reader_init(&r, bytes);
    uint8_t version = reader_u8(&r);
    uint8_t number = reader_u8(&r);
    if (r.failed || version == 0)
        return ERR_MALFORMED;
    const struct kind *kind = find_kind(number);
    if (version > COMMAND_VERSION || kind == NULL)
        return ERR_UNSUPPORTED;
    struct command read = {.kind = (enum command_kind)number};
    read.now_ms = get_natural(&r);
    read.cluster_id = get_uuid(&r);
    if (!r.failed)
        kind->read(&r, arena, &read);
    if (r.failed || reader_left(&r) != 0)
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
