/* api_people_offsets.c - people's calls about the offsets of a group: what it has
 * consumed and how far it is behind, and setting them anew.
 *
 * Setting means what kafka-consumer-groups --reset-offsets means, as far as the control
 * plane sees: a time is found by the index, to the run of records that holds it and not
 * to the record, so that a group begins up to a run too early and skips nothing. */
#include "controlplane/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "controlplane/group_lag.h"
#include "controlplane/group_owners.h"
#include "controlplane/list.h"
#include "controlplane/people_group.h"
#include "proto/kafka_error.h"
#include "proto/offset_commit.h"

/* --- GET .../groups/{group}/offsets --- */

struct offset_row {
    const char *topic; /* in the arena; the name of the row before when it is the same */
    struct uuid topic_id;
    uint64_t serial; /* of the topic, for the cursor */
    struct slice metadata;
    struct slice member_id, client_id, host; /* of who has it; null: nobody */
    int32_t leader_epoch;
    int64_t committed_at_ms;
    struct group_lag lag;
};

struct offsets_call {
    struct slice id;
    struct slice topic; /* filter, or null */
    bool has_after;
    uint64_t after_serial;
    int32_t after_partition;
    size_t limit, count;
    bool more;
    struct offset_row *rows;
};

#define METADATA_BYTES_MAX (16 * MIB) /* of one page */
/* That, and what the assignments of a classic group unfold to. */
#define OFFSETS_ARENA_MAX (160 * MIB)

static bool is_behind(const struct offsets_call *list, const struct group_offset *offset)
{
    return !list->has_after || offset->topic->serial > list->after_serial ||
           (offset->topic->serial == list->after_serial &&
            offset->partition > list->after_partition);
}

static void copy_offset(struct node *node, struct call *call,
                        const struct group_offset *offset, struct offset_row *row,
                        const struct offset_row *before)
{
    *row = (struct offset_row){
        .topic_id = offset->topic->topic_id,
        .serial = offset->topic->serial,
        .metadata = arena_dup(&call->arena, offset->metadata),
        .leader_epoch = offset->leader_epoch,
        .committed_at_ms = offset->committed_at_ms,
        .lag = group_lag_of(offset, node_now_ms(node)),
    };
    if (before != NULL && before->serial == row->serial)
        row->topic = before->topic;
    else
        row->topic = arena_strdup(&call->arena, slice_str(offset->topic->name));
}

static void copy_owner(struct call *call, const struct group_member *member,
                       struct offset_row *row)
{
    if (member == NULL)
        return;
    row->member_id = arena_dup(&call->arena, member->member_id);
    row->client_id = arena_dup(&call->arena, member->client_id);
    row->host = arena_dup(&call->arena, member->client_host);
}

static void offsets_core(struct node *node, struct call *call)
{
    struct offsets_call *list = call->data;
    const struct group *group = people_group(node, call, list->id);
    struct group_offset_walk walk = {.next = 0};
    struct group_offset offset;
    struct group_owners owners;
    size_t before;

    group_owners_init(&owners, group, &call->arena);
    before = arena_used(&call->arena);
    while (group != NULL && !list->more &&
           state_group_offset_next(group, &walk, &offset)) {
        if (!is_behind(list, &offset) ||
            (list->topic.ptr != NULL && !slice_eq_str(list->topic, offset.topic->name)))
            continue;
        if (list->count == list->limit ||
            arena_used(&call->arena) - before > METADATA_BYTES_MAX) {
            list->more = true;
            break;
        }
        copy_offset(node, call, &offset, &list->rows[list->count],
                    list->count > 0 ? &list->rows[list->count - 1] : NULL);
        copy_owner(call, group_owners_find(&owners, offset.topic, offset.partition),
                   &list->rows[list->count]);
        list->count++;
    }
    call_done(call);
}

static struct json *offset_json(const struct offset_row *row)
{
    struct json *value = json_object();
    json_set(value, "topic", json_string(row->topic));
    json_set(value, "topic_id", json_uuid(&row->topic_id));
    json_set(value, "partition", json_int(row->lag.partition));
    json_set(value, "offset", json_int(row->lag.offset));
    json_set(value, "leader_epoch", json_int(row->leader_epoch));
    json_set(value, "metadata", json_slice(row->metadata));
    json_set(value, "committed_at_ms", json_int(row->committed_at_ms));
    json_set(value, "log_start_offset", json_int(row->lag.log_start_offset));
    json_set(value, "high_watermark", json_int(row->lag.high_watermark));
    json_set(value, "lag", json_int(row->lag.lag));
    json_set(value, "lag_ms", json_int(row->lag.lag_ms));
    json_set(value, "member_id", json_slice(row->member_id));
    json_set(value, "client_id", json_slice(row->client_id));
    json_set(value, "host", json_slice(row->host));
    return value;
}

static void offsets_answer(struct call *call)
{
    const struct offsets_call *list = call->data;
    struct json *items = json_array();
    char next[64] = "";

    for (size_t i = 0; i < list->count; i++)
        json_push(items, offset_json(&list->rows[i]));
    if (list->more && list->count > 0)
        snprintf(next, sizeof(next), "%llu.%d",
                 (unsigned long long)list->rows[list->count - 1].serial,
                 list->rows[list->count - 1].lag.partition);
    list_reply(call, items, next[0] == '\0' ? NULL : next);
}

/* "SERIAL.PARTITION", of the last row of the page before. */
static void read_after(struct call *call, struct offsets_call *list)
{
    const char *text = http_exchange_query(call->x, "after");
    unsigned long long serial;
    int partition, len = 0;

    if (text == NULL)
        return;
    if (text[0] < '0' || text[0] > '9' ||
        sscanf(text, "%19llu.%10d%n", &serial, &partition, &len) != 2 ||
        text[len] != '\0' || partition < 0) {
        call_fail(call, ERR_INVALID, "after: want the `next` of the page before");
        return;
    }
    list->has_after = true;
    list->after_serial = serial;
    list->after_partition = partition;
}

void api_people_groups_offsets(struct call *call)
{
    struct offsets_call *list = arena_alloc(&call->arena, sizeof(*list));

    list->limit = list_limit(call);
    list->topic = call_query_text(call, "topic", 249);
    read_after(call, list);
    if (call->err.code != 0 || !people_group_id(call, &list->id))
        return;
    arena_set_max(&call->arena, OFFSETS_ARENA_MAX);
    list->rows = arena_array(&call->arena, list->limit, sizeof(*list->rows));
    call->data = list;
    call_ask(call, offsets_core, offsets_answer);
}

/* --- POST .../groups/{group}/reset-offsets --- */

/* So many partitions one call may set. */
#define RESET_MAX    10000
#define TOPIC_MAX    249
#define RESET_TOPICS 1000

enum reset_to {
    TO_EARLIEST,
    TO_LATEST,
    TO_CURRENT,
    TO_OFFSET,
    TO_TIME,
    TO_AGE,
    TO_SHIFT,
    TO_LIST,
    TO_COUNT
};

static const struct {
    const char *name;
    const char *member; /* of the body, that goes with it; NULL: none */
} reset_words[TO_COUNT] = {
    [TO_EARLIEST] = {"earliest", NULL}, [TO_LATEST] = {"latest", NULL},
    [TO_CURRENT] = {"current", NULL},   [TO_OFFSET] = {"offset", "offset"},
    [TO_TIME] = {"time", "time_ms"},    [TO_AGE] = {"age", "age_ms"},
    [TO_SHIFT] = {"shift", "shift"},    [TO_LIST] = {"list", "offsets"},
};

/* A partition whose offset is set. */
struct reset_item {
    const struct topic *found; /* core thread only */
    struct slice topic;        /* its name */
    int32_t partition;
    int64_t wanted; /* TO_LIST */
    bool has_before;
    int64_t before, after;
};

struct reset_scope {
    struct slice topic;
    int32_t *partitions; /* NULL: all */
    size_t count;
};

struct reset_call {
    struct slice id;
    enum reset_to to;
    int64_t number; /* of the member */
    bool dry_run, all_topics;
    struct reset_scope *scopes;
    size_t scope_count;
    struct reset_item *items;
    size_t count, cap;
    struct str payload;
    struct call_proposal proposal;
};

static void reset_cleanup(struct call *call)
{
    struct reset_call *reset = call->data;
    str_fini(&reset->payload);
}

/* --- its body --- */

static void read_list(struct call *call, struct json_reader *r, struct reset_call *reset)
{
    const struct json *list = json_get_array(r, call->body, "offsets");
    size_t count = json_count(list);

    if (r->failed)
        return;
    if (count > RESET_MAX) {
        call_fail(call, ERR_TOO_LARGE, "offsets: more than %d", RESET_MAX);
        return;
    }
    reset->cap = count;
    reset->items = arena_array(&call->arena, count, sizeof(*reset->items));
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *value = json_at(r, list, i);
        struct reset_item *item = &reset->items[reset->count++];
        item->topic = json_get_string(r, value, "topic", TOPIC_MAX);
        item->partition = (int32_t)json_get_int(r, value, "partition", 0, INT32_MAX);
        item->wanted = json_get_int(r, value, "offset", 0, CALL_TIME_MAX);
    }
}

/* "orders", or {"topic": "orders", "partitions": [0, 1]}. */
static void read_scope(struct call *call, struct json_reader *r, const struct json *value,
                       struct reset_scope *scope)
{
    if (!json_is_object(value)) {
        scope->topic = json_as_string(r, value, "topics", TOPIC_MAX);
        return;
    }
    scope->topic = json_get_string(r, value, "topic", TOPIC_MAX);
    if (json_find(value, "partitions") == NULL)
        return;
    const struct json *list = json_get_array(r, value, "partitions");
    scope->count = MIN(json_count(list), (size_t)RESET_MAX + 1);
    scope->partitions = arena_array(&call->arena, scope->count + 1, sizeof(int32_t));
    for (size_t i = 0; i < scope->count && !r->failed; i++)
        scope->partitions[i] =
            (int32_t)json_as_int(r, json_at(r, list, i), "partitions", 0, INT32_MAX);
}

static void read_scopes(struct call *call, struct json_reader *r,
                        struct reset_call *reset)
{
    const struct json *topics = json_find(call->body, "topics");
    bool all = json_find(call->body, "all_topics") != NULL &&
               json_get_bool(r, call->body, "all_topics");

    reset->all_topics = all;
    if (reset->to == TO_LIST) {
        if (all || topics != NULL)
            call_fail(call, ERR_INVALID,
                      "topics, all_topics: with \"to\": \"list\" the offsets say which "
                      "partitions");
        return;
    }
    if (all == (topics != NULL)) {
        call_fail(call, ERR_INVALID,
                  "want either topics or all_topics, to say which offsets are set");
        return;
    }
    if (all)
        return;
    topics = json_get_array(r, call->body, "topics");
    if (json_count(topics) > RESET_TOPICS) {
        call_fail(call, ERR_TOO_LARGE, "topics: more than %d", RESET_TOPICS);
        return;
    }
    reset->scope_count = json_count(topics);
    reset->scopes = arena_array(&call->arena, reset->scope_count, sizeof(*reset->scopes));
    for (size_t i = 0; i < reset->scope_count && !r->failed; i++)
        read_scope(call, r, json_at(r, topics, i), &reset->scopes[i]);
}

static bool read_to(struct call *call, struct json_reader *r, struct reset_call *reset)
{
    struct slice to = json_get_string(r, call->body, "to", 20);
    const char *wanted = NULL;

    reset->to = TO_COUNT;
    for (int i = 0; i < TO_COUNT && !r->failed; i++)
        if (slice_eq_str(to, reset_words[i].name)) {
            reset->to = (enum reset_to)i;
            wanted = reset_words[i].member;
        }
    if (!r->failed && reset->to == TO_COUNT)
        call_fail(call, ERR_INVALID,
                  "to: want earliest, latest, current, offset, time, age, shift or list");
    for (int i = 0; i < TO_COUNT && call->err.code == 0; i++) {
        const char *member = reset_words[i].member;
        if (member != NULL && json_find(call->body, member) != NULL && member != wanted)
            call_fail(call, ERR_INVALID, "%s: it goes with \"to\": \"%s\" only", member,
                      reset_words[i].name);
    }
    if (call->err.code == 0 && wanted != NULL && json_find(call->body, wanted) == NULL)
        call_fail(call, ERR_INVALID, "%s: with \"to\": \"%s\" it must be given", wanted,
                  reset_words[reset->to].name);
    if (call->err.code != 0)
        return false;
    if (reset->to == TO_LIST)
        read_list(call, r, reset);
    else if (wanted != NULL)
        reset->number =
            json_get_int(r, call->body, wanted,
                         reset->to == TO_SHIFT ? -CALL_TIME_MAX : 0, CALL_TIME_MAX);
    return call->err.code == 0;
}

/* --- what it comes to, on the core thread --- */

static void add_item(struct call *call, struct reset_call *reset,
                     const struct topic *topic, int32_t partition)
{
    if (reset->count == reset->cap) {
        if (reset->cap == RESET_MAX) {
            call_fail(
                call, ERR_TOO_LARGE,
                "the topics have more than %d partitions: set them in several calls",
                RESET_MAX);
            return;
        }
        size_t cap = MIN(MAX(2 * reset->cap, (size_t)64), (size_t)RESET_MAX);
        struct reset_item *items = arena_array(&call->arena, cap, sizeof(*reset->items));
        if (reset->count > 0)
            memcpy(items, reset->items, reset->count * sizeof(*items));
        reset->items = items;
        reset->cap = cap;
    }
    reset->items[reset->count++] =
        (struct reset_item){.found = topic,
                            .topic = arena_dup(&call->arena, slice_str(topic->name)),
                            .partition = partition};
}

static const struct topic *want_topic(struct node *node, struct call *call,
                                      struct slice name)
{
    const struct topic *topic = state_topic_by_name(call_cluster(node, call), name);
    if (topic == NULL)
        call_fail(call, ERR_NOT_FOUND, "the cluster has no topic \"%.*s\"", (int)name.len,
                  (const char *)name.ptr);
    return topic;
}

static void add_scope(struct node *node, struct call *call, struct reset_call *reset,
                      const struct reset_scope *scope)
{
    const struct topic *topic = want_topic(node, call, scope->topic);

    if (topic == NULL)
        return;
    for (int32_t i = 0;
         scope->partitions == NULL && i < topic->partition_count && call->err.code == 0;
         i++)
        add_item(call, reset, topic, i);
    for (size_t i = 0; i < scope->count && call->err.code == 0; i++) {
        if (scope->partitions[i] >= topic->partition_count)
            call_fail(call, ERR_NOT_FOUND, "topic \"%s\" has no partition %d",
                      topic->name, scope->partitions[i]);
        else
            add_item(call, reset, topic, scope->partitions[i]);
    }
}

/* All partitions that the group has offsets of. */
static void add_committed(struct call *call, struct reset_call *reset,
                          const struct group *group)
{
    struct group_offset_walk walk = {.next = 0};
    struct group_offset offset;
    while (group != NULL && call->err.code == 0 &&
           state_group_offset_next(group, &walk, &offset))
        add_item(call, reset, offset.topic, offset.partition);
}

static void find_listed(struct node *node, struct call *call, struct reset_call *reset)
{
    for (size_t i = 0; i < reset->count && call->err.code == 0; i++) {
        struct reset_item *item = &reset->items[i];
        item->found = want_topic(node, call, item->topic);
        if (item->found != NULL && item->partition >= item->found->partition_count)
            call_fail(call, ERR_NOT_FOUND, "topic \"%s\" has no partition %d",
                      item->found->name, item->partition);
    }
}

/* In the order that a commit wants, no partition twice. */
static int by_place(const void *a, const void *b)
{
    const struct reset_item *x = a, *y = b;
    if (x->found != y->found)
        return x->found->serial < y->found->serial ? -1 : 1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static void sort_items(struct call *call, struct reset_call *reset)
{
    if (reset->count > 1)
        qsort(reset->items, reset->count, sizeof(*reset->items), by_place);
    for (size_t i = 1; i < reset->count; i++)
        if (by_place(&reset->items[i - 1], &reset->items[i]) == 0) {
            call_fail(call, ERR_INVALID, "partition %d of topic \"%.*s\" is named twice",
                      reset->items[i].partition, (int)reset->items[i].topic.len,
                      (const char *)reset->items[i].topic.ptr);
            return;
        }
}

/* Where the first record lies whose time is TIME_MS or later, or the end. */
static int64_t offset_of_time(const struct reset_item *item, int64_t time_ms, int64_t end)
{
    struct run_view run;
    bool found = false;
    if (state_run_by_timestamp(item->found, item->partition, time_ms, &run, &found) != 0)
        return end;
    return found ? run.base_offset : end;
}

static void compute(struct node *node, struct call *call, const struct group *group,
                    const struct reset_call *reset, struct reset_item *item)
{
    struct partition_offsets offsets = {0, 0};
    struct group_offset committed;

    if (state_offsets(item->found, item->partition, &offsets) != 0)
        return;
    item->has_before =
        state_group_offset(group, item->found, item->partition, &committed);
    item->before = item->has_before ? committed.offset : -1;
    switch (reset->to) {
    case TO_EARLIEST:
        item->after = offsets.log_start_offset;
        break;
    case TO_LATEST:
        item->after = offsets.high_watermark;
        break;
    case TO_CURRENT:
        item->after = item->has_before ? item->before : offsets.high_watermark;
        break;
    case TO_OFFSET:
        item->after = reset->number;
        break;
    case TO_TIME:
        item->after = offset_of_time(item, reset->number, offsets.high_watermark);
        break;
    case TO_AGE:
        item->after =
            offset_of_time(item, MAX(node_now_ms(node) - reset->number, (int64_t)0),
                           offsets.high_watermark);
        break;
    case TO_SHIFT:
        if (!item->has_before)
            call_fail(call, ERR_CONFLICT,
                      "the group has no offset of partition %d of topic \"%.*s\" that "
                      "could be shifted",
                      item->partition, (int)item->topic.len,
                      (const char *)item->topic.ptr);
        item->after = item->before + reset->number;
        break;
    case TO_LIST:
        item->after = item->wanted;
        break;
    case TO_COUNT:
        break;
    }
    item->after = MIN(MAX(item->after, offsets.log_start_offset), offsets.high_watermark);
}

/* --- the commit --- */

static void write_topic(struct str *out, uint32_t index, const struct reset_item *items,
                        size_t count)
{
    const struct offset_commit_topic topic = {.index = index,
                                              .partition_count = (uint32_t)count};
    int32_t last = -1;
    offset_commits_write_topic(out, &topic);
    for (size_t i = 0; i < count; i++) {
        const struct offset_commit_partition partition = {
            .partition = items[i].partition,
            .leader_epoch = -1,
            .offset = items[i].after,
            .metadata = SLICE_LITERAL(""),
        };
        offset_commits_write_partition(out, &last, &partition);
    }
}

/* How many of ITEMS are of the first one's topic. */
static size_t same_topic(const struct reset_item *items, size_t count)
{
    size_t same = 1;
    while (same < count && items[same].found == items[0].found)
        same++;
    return same;
}

static void write_commit(struct call *call, struct reset_call *reset)
{
    struct uuid *ids = arena_array(&call->arena, reset->count, sizeof(*ids));
    uint32_t topics = 0;

    for (size_t i = 0; i < reset->count;
         i += same_topic(&reset->items[i], reset->count - i))
        ids[topics++] = reset->items[i].found->topic_id;
    const struct offset_commit commit = {.group = reset->id,
                                         .generation = -1,
                                         .member = SLICE_LITERAL(""),
                                         .instance = SLICE_NULL,
                                         .flags = OFFSET_COMMIT_KNOWS_EPOCHS,
                                         .topic_count = topics};
    offset_commits_write_ids(&reset->payload, ids, topics);
    offset_commits_write_count(&reset->payload, 1);
    offset_commits_write_commit(&reset->payload, &commit);
    topics = 0;
    for (size_t i = 0; i < reset->count;) {
        size_t same = same_topic(&reset->items[i], reset->count - i);
        write_topic(&reset->payload, topics++, &reset->items[i], same);
        i += same;
    }
}

/* What there is now; the same for a repeat by key, which comes later. */
static void show_committed(struct node *node, struct call *call, struct reset_call *reset)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = state_group(cluster, reset->id);
    struct group_offset committed;

    for (size_t i = 0; i < reset->count; i++) {
        struct reset_item *item = &reset->items[i];
        const struct topic *topic = state_topic_by_name(cluster, item->topic);
        item->has_before = false;
        if (state_group_offset(group, topic, item->partition, &committed))
            item->after = committed.offset;
    }
}

static void reset_settled(struct node *node, struct call *call)
{
    struct reset_call *reset = call->data;
    struct command_result result;
    struct offset_results walk;
    int16_t error = KAFKA_UNKNOWN_SERVER_ERROR;
    int16_t *errors = arena_array(&call->arena, reset->count, sizeof(*errors));

    if (call_result(call, &reset->proposal, "group", &result)) {
        if (offset_results_begin(&walk, result.data) == 0 && walk.commit_count == 1 &&
            offset_results_next(&walk, &error, errors, (uint32_t)reset->count) != 0)
            error = KAFKA_UNKNOWN_SERVER_ERROR;
        for (size_t i = 0; i < reset->count && error == 0; i++)
            error = errors[i];
        show_committed(node, call, reset);
        if (error != 0)
            call_fail(call, call_code_of_kafka(error),
                      "offsets were not set, or not all: %s", kafka_error_text(error));
    }
    call_done(call);
}

static bool is_active(const struct group *group)
{
    return group != NULL && group->member_count > 0;
}

static void reset_core(struct node *node, struct call *call)
{
    struct reset_call *reset = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = state_group(cluster, reset->id);

    if (is_active(group))
        call_fail(call, ERR_CONFLICT,
                  "the group has members: offsets can be set only when its consumers are "
                  "stopped and their sessions have expired");
    if (reset->to == TO_LIST)
        find_listed(node, call, reset);
    if (reset->all_topics && call->err.code == 0)
        add_committed(call, reset, group);
    for (size_t i = 0; i < reset->scope_count && call->err.code == 0; i++)
        add_scope(node, call, reset, &reset->scopes[i]);
    if (call->err.code == 0)
        sort_items(call, reset);
    for (size_t i = 0; i < reset->count && call->err.code == 0; i++)
        compute(node, call, group, reset, &reset->items[i]);
    if (call->err.code != 0 || reset->dry_run || reset->count == 0) {
        call_done(call);
        return;
    }
    str_reset(&reset->payload);
    write_commit(call, reset);
    struct command cmd = {
        .kind = COMMAND_OFFSETS_COMMIT,
        .cluster_id = call->cluster_id,
        .offsets_commit = {.groups_max = (uint32_t)call->service->options->max_groups,
                           .metadata_max = call_limits(call, cluster).metadata_bytes,
                           .payload = str_slice(&reset->payload)}};
    people_group_target(call, reset->id);
    call_propose(node, call, &reset->proposal, &cmd, reset_settled);
}

static void reset_answer(struct call *call)
{
    const struct reset_call *reset = call->data;
    struct json *value = json_object(), *items = json_array();

    for (size_t i = 0; i < reset->count; i++) {
        const struct reset_item *item = &reset->items[i];
        struct json *row = json_object();
        json_set(row, "topic", json_slice(item->topic));
        json_set(row, "partition", json_int(item->partition));
        json_set(row, "offset", json_int(item->after));
        json_set(row, "offset_before",
                 item->has_before ? json_int(item->before) : json_null());
        json_push(items, row);
    }
    json_set(value, "group", json_slice(reset->id));
    json_set(value, "dry_run", json_bool(reset->dry_run));
    json_set(value, "items", items);
    call_reply_json(call, 200, value);
}

void api_people_groups_reset(struct call *call)
{
    struct reset_call *reset = arena_alloc(&call->arena, sizeof(*reset));
    struct json_reader r = call_reader(call);

    str_init(&reset->payload, COMMAND_BYTES_MAX);
    if (!call_check_members(call, "to, offset, time_ms, age_ms, shift, offsets, topics, "
                                  "all_topics, dry_run") ||
        !people_group_id(call, &reset->id) || !read_to(call, &r, reset))
        return;
    reset->dry_run = true;
    if (json_find(call->body, "dry_run") != NULL)
        reset->dry_run = json_get_bool(&r, call->body, "dry_run");
    if (call->err.code == 0)
        read_scopes(call, &r, reset);
    if (call->err.code != 0)
        return;
    call->data = reset;
    call->cleanup = reset_cleanup;
    call_ask(call, reset_core, reset_answer);
}
