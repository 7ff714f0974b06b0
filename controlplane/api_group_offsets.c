/* api_group_offsets.c - the ops of /agent/v1/groups about offsets: commit, fetch,
 * offset_delete.
 *
 * All commits of a call become one command, all deletions another: their payload is
 * written straight into the proposal. A fetch is answered from memory. */
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/api_groups.h"
#include "controlplane/group_consumer.h"
#include "proto/kafka_error.h"
#include "proto/offset_commit.h"

/* ---- what is asked for, with its answer ---- */

struct offset_part {
    struct offset_commit_partition part;
    uint32_t order; /* among those of its topic, as they were sent */
};

struct offset_topic {
    struct uuid id;
    struct offset_part *parts; /* ascending, none twice */
    uint32_t count;
    uint32_t *places; /* of each partition as it was sent: which of `parts` it is */
    uint32_t sent;
    uint32_t index; /* into the command's ids */
};

/* The command of a call that its ops share. */
struct gathered {
    struct call_proposal proposal;
    struct group_op *const *ops;
    size_t count;
    bool settled;
};

struct change {
    struct offset_commit commit; /* its topic_count: of those with partitions */
    struct offset_topic *topics;
    uint32_t topic_count;
    uint32_t part_count;
    struct gathered *gathered;
    /* the result */
    int16_t error;
    int16_t *errors; /* of all parts */
};

/* ---- reading JSON ---- */

static int compare_parts(const void *a, const void *b)
{
    const struct offset_part *x = a, *y = b;
    if (x->part.partition != y->part.partition)
        return x->part.partition < y->part.partition ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* In order, and of what was named twice the last, as Kafka does it. */
static void sort_parts(struct offset_topic *topic)
{
    struct offset_part *parts = topic->parts;
    uint32_t kept = 0;
    bool sorted = true;

    for (uint32_t i = 1; i < topic->sent; i++)
        sorted &= parts[i - 1].part.partition < parts[i].part.partition;
    if (!sorted)
        qsort(parts, topic->sent, sizeof(*parts), compare_parts);
    for (uint32_t i = 0; i < topic->sent; i++) {
        if (kept > 0 && parts[kept - 1].part.partition == parts[i].part.partition)
            kept--;
        topic->places[parts[i].order] = kept;
        parts[kept++] = parts[i];
    }
    topic->count = kept;
}

static void parse_commit_part(struct json_reader *r, const struct json *row,
                              struct offset_commit_partition *part)
{
    const struct json *metadata = json_at(r, row, 3);

    part->partition =
        (int32_t)json_as_int(r, json_at(r, row, 0), "partition", 0, INT32_MAX);
    part->offset = json_as_int(r, json_at(r, row, 1), "offset", INT64_MIN, INT64_MAX);
    part->leader_epoch =
        (int32_t)json_as_int(r, json_at(r, row, 2), "leader epoch", INT32_MIN, INT32_MAX);
    part->metadata = SLICE_LITERAL("");
    if (!json_is_null(metadata))
        part->metadata =
            json_as_string(r, metadata, "metadata", OFFSET_COMMIT_METADATA_MAX);
}

/* [topic_id, [PART...]]; PART is a partition, or what a commit says of it. */
static void parse_topic(struct call *call, struct json_reader *r, const struct json *row,
                        bool commit, struct offset_topic *topic)
{
    const struct json *list = json_at(r, row, 1);
    size_t count = json_count(list);

    topic->id = json_as_uuid(r, json_at(r, row, 0), "topic id");
    if (!r->failed && count > OFFSET_COMMIT_PARTITIONS_MAX)
        call_fail(call, ERR_TOO_LARGE, "more than %d partitions of a topic",
                  OFFSET_COMMIT_PARTITIONS_MAX);
    if (r->failed || count > OFFSET_COMMIT_PARTITIONS_MAX)
        return;
    topic->sent = (uint32_t)count;
    topic->parts = arena_array(&call->arena, count, sizeof(*topic->parts));
    topic->places = arena_array(&call->arena, count, sizeof(*topic->places));
    for (uint32_t i = 0; i < topic->sent && !r->failed; i++) {
        struct offset_part *part = &topic->parts[i];
        const struct json *value = json_at(r, list, i);
        part->order = i;
        part->part.metadata = SLICE_LITERAL("");
        if (commit)
            parse_commit_part(r, value, &part->part);
        else
            part->part.partition =
                (int32_t)json_as_int(r, value, "partition", 0, INT32_MAX);
    }
    if (!r->failed)
        sort_parts(topic);
}

static void parse_change(struct call *call, struct json_reader *r,
                         const struct json *topics, bool commit, struct change *change)
{
    size_t count = json_count(topics);

    change->topics = arena_array(&call->arena, count, sizeof(*change->topics));
    change->topic_count = (uint32_t)count;
    for (size_t i = 0; i < count && !r->failed; i++) {
        struct offset_topic *topic = &change->topics[i];
        parse_topic(call, r, json_at(r, topics, i), commit, topic);
        change->part_count += topic->count;
        change->commit.topic_count += topic->count > 0;
    }
    change->errors = arena_array(&call->arena, change->part_count, sizeof(int16_t));
}

/* ["commit", group, generation, member, instance, topics, flags] */
static void parse_commit(struct call *call, struct json_reader *r,
                         const struct json *value, struct group_op *op)
{
    struct change *change = arena_alloc(&call->arena, sizeof(*change));

    op->data = change;
    parse_change(call, r, json_at(r, value, 5), true, change);
    change->commit.group = op->group;
    change->commit.generation =
        (int32_t)json_as_int(r, json_at(r, value, 2), "generation", INT32_MIN, INT32_MAX);
    change->commit.member = group_op_text(r, value, 3, "member");
    change->commit.instance = group_op_text_or_null(r, value, 4, "instance");
    change->commit.flags = (uint8_t)json_as_int(r, json_at(r, value, 6), "flags", 0,
                                                OFFSET_COMMIT_KNOWS_EPOCHS);
}

/* ["offset_delete", group, topics] */
static void parse_delete(struct call *call, struct json_reader *r,
                         const struct json *value, struct group_op *op)
{
    struct change *change = arena_alloc(&call->arena, sizeof(*change));

    op->data = change;
    parse_change(call, r, json_at(r, value, 2), false, change);
    change->commit.group = op->group;
    change->commit.generation = -1;
    change->commit.member = SLICE_LITERAL("");
}

static enum group_op_step run_change(struct node *node, struct call *call,
                                     struct group_op *op)
{
    (void)node, (void)call, (void)op;
    return GROUP_OP_BATCHED;
}

/* ---- the command ---- */

/* Topic ids, each once, by open addressing. */
struct id_table {
    struct uuid *ids;
    uint32_t count;
    uint32_t *slots; /* 1 + index; 0: free */
    uint32_t mask;
};

static void id_table_init(struct id_table *table, size_t topics)
{
    uint32_t slots = 16;

    while (slots < 2 * topics)
        slots *= 2;
    table->ids = mem_alloc(MAX(topics, (size_t)1) * sizeof(*table->ids));
    table->slots = mem_zalloc(slots * sizeof(*table->slots));
    table->mask = slots - 1;
    table->count = 0;
}

static void id_table_fini(struct id_table *table)
{
    mem_free(table->ids);
    mem_free(table->slots);
}

static uint32_t id_table_add(struct id_table *table, const struct uuid *id)
{
    uint32_t at = crc32c(id->bytes, sizeof(id->bytes)) & table->mask;

    for (; table->slots[at] != 0; at = (at + 1) & table->mask) {
        if (uuid_eq(&table->ids[table->slots[at] - 1], id))
            return table->slots[at] - 1;
    }
    table->ids[table->count] = *id;
    table->slots[at] = ++table->count;
    return table->count - 1;
}

/* Topics without partitions are left out. */
static void write_change(const struct change *change, struct str *out)
{
    offset_commits_write_commit(out, &change->commit);
    for (uint32_t i = 0; i < change->topic_count; i++) {
        const struct offset_topic *topic = &change->topics[i];
        const struct offset_commit_topic of = {topic->index, topic->count};
        int32_t last = -1;
        if (topic->count == 0)
            continue;
        offset_commits_write_topic(out, &of);
        for (uint32_t j = 0; j < topic->count; j++)
            offset_commits_write_partition(out, &last, &topic->parts[j].part);
    }
}

/* The payload of all changes of a call. */
static void write_payload(struct group_op *const *ops, size_t count, struct str *out)
{
    struct id_table table;
    size_t topics = 0;

    for (size_t i = 0; i < count; i++)
        topics += ((const struct change *)ops[i]->data)->topic_count;
    id_table_init(&table, topics);
    for (size_t i = 0; i < count; i++) {
        struct change *change = ops[i]->data;
        for (uint32_t j = 0; j < change->topic_count; j++)
            change->topics[j].index = id_table_add(&table, &change->topics[j].id);
    }
    offset_commits_write_ids(out, table.ids, table.count);
    offset_commits_write_count(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        write_change(ops[i]->data, out);
    id_table_fini(&table);
}

static void flush(struct node *node, struct call *call, struct group_op *const *ops,
                  size_t count, struct command *cmd, struct slice *payload)
{
    struct gathered *gathered = arena_alloc(&call->arena, sizeof(*gathered));
    uint32_t late_ms =
        cmd->kind == COMMAND_OFFSETS_COMMIT ? group_op_late_ms(node, call) : 0;
    struct str bytes;

    gathered->ops = ops;
    gathered->count = count;
    for (size_t i = 0; i < count; i++) {
        struct change *change = ops[i]->data;
        change->gathered = gathered;
        change->commit.late_ms = late_ms;
    }
    str_init(&bytes, COMMAND_BYTES_MAX);
    write_payload(ops, count, &bytes);
    if (bytes.overflowed) {
        call_fail(call, ERR_TOO_LARGE, "ops: too many offsets for one call");
    } else {
        *payload = str_slice(&bytes); /* into the log's entry before this returns */
        group_op_propose(node, call, &gathered->proposal, cmd);
    }
    str_fini(&bytes);
}

static void flush_commits(struct node *node, struct call *call,
                          struct group_op *const *ops, size_t count)
{
    struct command cmd = {
        .kind = COMMAND_OFFSETS_COMMIT,
        .cluster_id = call->cluster_id,
        .offsets_commit = {.groups_max = (uint32_t)call->service->options->max_groups,
                           .metadata_max =
                               (uint64_t)call->service->options->max_metadata_bytes}};
    flush(node, call, ops, count, &cmd, &cmd.offsets_commit.payload);
}

static void flush_deletes(struct node *node, struct call *call,
                          struct group_op *const *ops, size_t count)
{
    struct command cmd = {.kind = COMMAND_OFFSETS_DELETE, .cluster_id = call->cluster_id};
    flush(node, call, ops, count, &cmd, &cmd.offsets_delete.payload);
}

/* Give each op its part of the result, or all of them one error. */
static void take_results(struct gathered *gathered)
{
    struct command_result result;
    struct offset_results walk;
    int16_t error = group_op_result(&gathered->proposal, &result);

    if (error == 0 && (offset_results_begin(&walk, result.data) != 0 ||
                       walk.commit_count != gathered->count))
        error = KAFKA_UNKNOWN_SERVER_ERROR;
    for (size_t i = 0; i < gathered->count; i++) {
        struct change *change = gathered->ops[i]->data;
        change->error = error;
        if (error == 0 && offset_results_next(&walk, &change->error, change->errors,
                                              change->part_count) != 0)
            change->error = error = KAFKA_UNKNOWN_SERVER_ERROR;
    }
    gathered->settled = true;
}

static void settle_change(struct node *node, struct call *call, struct group_op *op)
{
    const struct change *change = op->data;

    if (!change->gathered->settled)
        take_results(change->gathered);
    if (change->error == 0 && change->commit.member.len > 0)
        group_op_touch(node, call, op->group, change->commit.member);
}

static bool any_error(const struct change *change)
{
    for (uint32_t i = 0; i < change->part_count; i++) {
        if (change->errors[i] != 0)
            return true;
    }
    return false;
}

/* [error, [[error...]...]] in the order of the op; empty: none. */
static struct json *print_change(const struct call *call, const struct group_op *op)
{
    const struct change *change = op->data;
    struct json *answer = json_array(), *lists = json_array();
    uint32_t first = 0;

    (void)call;
    json_push(answer, json_int(change->error));
    json_push(answer, lists);
    if (change->error != 0 || !any_error(change))
        return answer;
    for (uint32_t i = 0; i < change->topic_count; i++) {
        const struct offset_topic *topic = &change->topics[i];
        struct json *list = json_array();
        for (uint32_t j = 0; j < topic->sent; j++)
            json_push(list, json_int(change->errors[first + topic->places[j]]));
        json_push(lists, list);
        first += topic->count;
    }
    return answer;
}

/* ---- fetch ---- */

struct found_topic {
    struct uuid id;
    struct group_offset *offsets; /* metadata is in the call's arena */
    uint32_t count;
};

struct fetch {
    struct slice member; /* or null */
    int32_t epoch;
    bool all;
    struct offset_topic *asked; /* partitions in the order of the op */
    uint32_t asked_count;
    /* the result */
    int16_t error;
    struct found_topic *found;
    uint32_t found_count;
};

/* ["fetch", group, member, epoch, topics] */
static void parse_fetch(struct call *call, struct json_reader *r,
                        const struct json *value, struct group_op *op)
{
    const struct json *topics = json_at(r, value, 4);
    struct fetch *fetch = arena_alloc(&call->arena, sizeof(*fetch));

    op->data = fetch;
    fetch->member = group_op_text_or_null(r, value, 2, "member");
    fetch->epoch =
        (int32_t)json_as_int(r, json_at(r, value, 3), "epoch", INT32_MIN, INT32_MAX);
    fetch->all = json_is_null(topics);
    fetch->asked_count = (uint32_t)json_count(topics);
    fetch->asked = arena_array(&call->arena, fetch->asked_count, sizeof(*fetch->asked));
    for (uint32_t i = 0; i < fetch->asked_count && !r->failed; i++) {
        const struct json *row = json_at(r, topics, i);
        const struct json *list = json_at(r, row, 1);
        struct offset_topic *topic = &fetch->asked[i];
        topic->id = json_as_uuid(r, json_at(r, row, 0), "topic id");
        topic->sent = (uint32_t)json_count(list);
        topic->places = arena_array(&call->arena, topic->sent, sizeof(*topic->places));
        for (uint32_t j = 0; j < topic->sent && !r->failed; j++)
            topic->places[j] =
                (uint32_t)json_as_int(r, json_at(r, list, j), "partition", 0, INT32_MAX);
    }
}

/* What is copied of an offset, and printed of it, about. */
static size_t offset_bytes(const struct group_offset *offset)
{
    return 64 + 2 * offset->metadata.len;
}

/* Whether there is room for BYTES: not in this answer, or (error 15) in none. */
static bool have_room(struct call *call, struct group_op *op, size_t bytes)
{
    struct fetch *fetch = op->data;

    if (bytes > GROUP_OPS_ANSWER_MAX) {
        fetch->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
        return false;
    }
    return group_op_room(call, op, bytes);
}

static struct group_offset keep_offset(struct call *call,
                                       const struct group_offset *offset)
{
    struct group_offset kept = *offset;
    kept.topic = NULL; /* the state's: gone by the time of printing */
    kept.metadata = arena_dup(&call->arena, offset->metadata);
    return kept;
}

static void find_asked(struct call *call, const struct cluster *cluster,
                       const struct group *group, struct group_op *op)
{
    struct fetch *fetch = op->data;
    struct group_offset offset;
    size_t bytes = 0;

    for (uint32_t i = 0; i < fetch->asked_count; i++) {
        const struct offset_topic *asked = &fetch->asked[i];
        const struct topic *topic = state_topic(cluster, &asked->id);
        bytes += 64;
        for (uint32_t j = 0; j < asked->sent; j++) {
            if (state_group_offset(group, topic, (int32_t)asked->places[j], &offset))
                bytes += offset_bytes(&offset);
        }
    }
    if (!have_room(call, op, bytes))
        return;
    fetch->found_count = fetch->asked_count;
    fetch->found = arena_array(&call->arena, fetch->found_count, sizeof(*fetch->found));
    for (uint32_t i = 0; i < fetch->asked_count; i++) {
        const struct offset_topic *asked = &fetch->asked[i];
        const struct topic *topic = state_topic(cluster, &asked->id);
        struct found_topic *found = &fetch->found[i];
        found->id = asked->id;
        found->offsets = arena_array(&call->arena, asked->sent, sizeof(*found->offsets));
        for (uint32_t j = 0; j < asked->sent; j++) {
            if (state_group_offset(group, topic, (int32_t)asked->places[j], &offset))
                found->offsets[found->count++] = keep_offset(call, &offset);
        }
    }
}

/* How many topics, and how large an answer. */
static uint32_t measure_all(const struct group *group, uint32_t *offsets, size_t *bytes)
{
    struct group_offset_walk walk = {.next = 0};
    const struct topic *last = NULL;
    struct group_offset offset;
    uint32_t topics = 0;

    while (state_group_offset_next(group, &walk, &offset)) {
        topics += offset.topic != last;
        *bytes += offset_bytes(&offset) + (offset.topic != last ? 64 : 0);
        last = offset.topic;
        ++*offsets;
    }
    return topics;
}

static void find_all(struct call *call, const struct group *group, struct group_op *op)
{
    struct fetch *fetch = op->data;
    struct group_offset_walk walk = {.next = 0};
    const struct topic *last = NULL;
    struct group_offset offset;
    uint32_t count = 0, n = 0;
    size_t bytes = 0;

    uint32_t topics = measure_all(group, &count, &bytes);
    if (!have_room(call, op, bytes))
        return;
    struct group_offset *offsets =
        arena_array(&call->arena, count, sizeof(*fetch->found->offsets));
    fetch->found = arena_array(&call->arena, topics, sizeof(*fetch->found));
    while (state_group_offset_next(group, &walk, &offset)) {
        if (offset.topic != last) {
            fetch->found[fetch->found_count].id = offset.topic->topic_id;
            fetch->found[fetch->found_count++].offsets = &offsets[n];
        }
        last = offset.topic;
        fetch->found[fetch->found_count - 1].count++;
        offsets[n++] = keep_offset(call, &offset);
    }
}

static enum group_op_step run_fetch(struct node *node, struct call *call,
                                    struct group_op *op)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = cluster == NULL ? NULL : state_group(cluster, op->group);
    struct fetch *fetch = op->data;

    /* Who names no member is a tool, or an older client. */
    if (group != NULL && group->kind == GROUP_CONSUMER &&
        (fetch->member.ptr != NULL || fetch->epoch >= 0))
        fetch->error = consumer_check_fetch(group, fetch->epoch, fetch->member);
    if (cluster == NULL)
        fetch->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    if (fetch->error != 0)
        return GROUP_OP_ANSWERED;
    if (!fetch->all)
        find_asked(call, cluster, group, op);
    else if (group != NULL)
        find_all(call, group, op);
    return GROUP_OP_ANSWERED;
}

static struct json *print_fetch(const struct call *call, const struct group_op *op)
{
    const struct fetch *fetch = op->data;
    struct json *answer = json_array(), *topics = json_array();

    (void)call;
    json_push(answer, json_int(fetch->error));
    json_push(answer, topics);
    for (uint32_t i = 0; i < fetch->found_count; i++) {
        const struct found_topic *found = &fetch->found[i];
        struct json *row = json_array(), *list = json_array();
        for (uint32_t j = 0; j < found->count; j++) {
            struct json *offset = json_array();
            json_push(offset, json_int(found->offsets[j].partition));
            json_push(offset, json_int(found->offsets[j].offset));
            json_push(offset, json_int(found->offsets[j].leader_epoch));
            json_push(offset, json_slice(found->offsets[j].metadata));
            json_push(list, offset);
        }
        json_push(row, json_uuid(&found->id));
        json_push(row, list);
        json_push(topics, row);
    }
    return answer;
}

/* ---- the table ---- */

const struct group_op_kind group_offset_ops[] = {
    {.name = "commit",
     .fields = 7,
     .has_group = true,
     .changes = true,
     .parse = parse_commit,
     .run = run_change,
     .flush = flush_commits,
     .settle = settle_change,
     .print = print_change},
    {.name = "offset_delete",
     .fields = 3,
     .has_group = true,
     .changes = true,
     .parse = parse_delete,
     .run = run_change,
     .flush = flush_deletes,
     .settle = settle_change,
     .print = print_change},
    {.name = "fetch",
     .fields = 5,
     .has_group = true,
     .parse = parse_fetch,
     .run = run_fetch,
     .print = print_fetch},
};
const size_t group_offset_op_count = ARRAY_LEN(group_offset_ops);
