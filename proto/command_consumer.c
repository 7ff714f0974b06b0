/* command_consumer.c - the fields of CONSUMER_HEARTBEAT: written and read. */
#include "proto/command_io.h"

enum { HAS_NAMES = 1, HAS_OWNED = 2, HAS_KNOWN = 3 };

static void put_owned(const struct command *cmd, struct str *out)
{
    write_uvarint(out, cmd->consumer_heartbeat.owned_count);
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.owned_count; i++) {
        const struct owned_topic *topic = &cmd->consumer_heartbeat.owned[i];
        put_uuid(out, &topic->topic_id);
        write_uvarint(out, topic->partition_count);
        for (uint32_t j = 0; j < topic->partition_count; j++)
            write_uvarint(out, (uint32_t)topic->partitions[j]);
    }
}

static void put_regexes(const struct command *cmd, struct str *out)
{
    write_u64(out, cmd->consumer_heartbeat.topics_version);
    write_uvarint(out, cmd->consumer_heartbeat.regex_count);
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.regex_count; i++) {
        const struct resolved_regex *regex = &cmd->consumer_heartbeat.regexes[i];
        put_text(out, regex->pattern);
        write_uvarint(out, regex->topic_count);
        for (uint32_t j = 0; j < regex->topic_count; j++)
            put_uuid(out, &regex->topics[j]);
    }
}

void write_consumer_heartbeat(const struct command *cmd, struct str *out)
{
    put_text(out, cmd->consumer_heartbeat.group_id);
    put_text(out, cmd->consumer_heartbeat.member_id);
    write_u32(out, (uint32_t)cmd->consumer_heartbeat.member_epoch);
    put_text(out, cmd->consumer_heartbeat.instance_id);
    put_text(out, cmd->consumer_heartbeat.rack_id);
    put_text(out, cmd->consumer_heartbeat.client_id);
    put_text(out, cmd->consumer_heartbeat.client_host);
    write_u32(out, (uint32_t)cmd->consumer_heartbeat.rebalance_ms);
    write_u8(out, (cmd->consumer_heartbeat.has_names ? HAS_NAMES : 0) |
                      (cmd->consumer_heartbeat.has_owned ? HAS_OWNED : 0));
    write_uvarint(out, cmd->consumer_heartbeat.name_count);
    for (uint32_t i = 0; i < cmd->consumer_heartbeat.name_count; i++)
        put_text(out, cmd->consumer_heartbeat.names[i]);
    put_text(out, cmd->consumer_heartbeat.regex);
    put_text(out, cmd->consumer_heartbeat.assignor);
    put_owned(cmd, out);
    put_regexes(cmd, out);
    write_u32(out, cmd->consumer_heartbeat.flags);
    put_group_limits(out, &cmd->consumer_heartbeat.limits);
}

static void get_names(struct reading *in, struct command *cmd)
{
    uint32_t n = reader_uvarint(&in->r);
    struct slice *names = get_array(in, n, COMMAND_NAMES_MAX, 1, sizeof(*names));

    for (uint32_t i = 0; i < n && !in->r.failed; i++)
        names[i] = need_text(&in->r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.names = names;
    cmd->consumer_heartbeat.name_count = n;
}

static void get_owned_topic(struct reading *in, struct owned_topic *topic, uint32_t *left)
{
    struct reader *r = &in->r;

    topic->topic_id = get_uuid(r);
    uint32_t n = reader_uvarint(r);
    int32_t *partitions = get_array(in, n, *left, 1, sizeof(*partitions));
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        uint32_t partition = reader_uvarint(r);
        if (partition > INT32_MAX)
            reader_fail(r);
        partitions[i] = (int32_t)partition;
    }
    if (!r->failed)
        *left -= n;
    topic->partitions = partitions;
    topic->partition_count = n;
}

static void get_owned(struct reading *in, struct command *cmd)
{
    uint32_t n = reader_uvarint(&in->r), left = COMMAND_OWNED_MAX;
    struct owned_topic *owned =
        get_array(in, n, COMMAND_NAMES_MAX, sizeof(struct uuid) + 1, sizeof(*owned));

    for (uint32_t i = 0; i < n && !in->r.failed; i++)
        get_owned_topic(in, &owned[i], &left);
    cmd->consumer_heartbeat.owned = owned;
    cmd->consumer_heartbeat.owned_count = n;
}

/* The ids ascend: so they are kept. */
static void get_regex(struct reading *in, struct resolved_regex *regex)
{
    struct reader *r = &in->r;

    regex->pattern = need_text(r, COMMAND_GROUP_TEXT_MAX);
    uint32_t n = reader_uvarint(r);
    struct uuid *topics =
        get_array(in, n, UINT32_MAX, sizeof(struct uuid), sizeof(*topics));
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        topics[i] = get_uuid(r);
        if (i > 0 && uuid_cmp(&topics[i - 1], &topics[i]) >= 0)
            reader_fail(r);
    }
    regex->topics = topics;
    regex->topic_count = n;
}

static void get_regexes(struct reading *in, struct command *cmd)
{
    cmd->consumer_heartbeat.topics_version = reader_u64(&in->r);
    uint32_t n = reader_uvarint(&in->r);
    struct resolved_regex *regexes =
        get_array(in, n, COMMAND_REGEXES_MAX, 2, sizeof(*regexes));
    for (uint32_t i = 0; i < n && !in->r.failed; i++)
        get_regex(in, &regexes[i]);
    cmd->consumer_heartbeat.regexes = regexes;
    cmd->consumer_heartbeat.regex_count = n;
}

void read_consumer_heartbeat(struct reading *in, struct command *cmd)
{
    struct reader *r = &in->r;

    cmd->consumer_heartbeat.group_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.member_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.member_epoch = reader_i32(r);
    cmd->consumer_heartbeat.instance_id = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.rack_id = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.client_id = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.client_host = need_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.rebalance_ms = reader_i32(r);
    uint8_t has = reader_u8(r);
    if (has > HAS_KNOWN)
        reader_fail(r);
    cmd->consumer_heartbeat.has_names = (has & HAS_NAMES) != 0;
    cmd->consumer_heartbeat.has_owned = (has & HAS_OWNED) != 0;
    get_names(in, cmd);
    cmd->consumer_heartbeat.regex = get_text(r, COMMAND_GROUP_TEXT_MAX);
    cmd->consumer_heartbeat.assignor = get_text(r, COMMAND_GROUP_TEXT_MAX);
    get_owned(in, cmd);
    get_regexes(in, cmd);
    cmd->consumer_heartbeat.flags = reader_u32(r);
    get_group_limits(r, &cmd->consumer_heartbeat.limits);
}
