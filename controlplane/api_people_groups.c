/* api_people_groups.c - people's calls about groups: list, get, delete. Their offsets are
 * in api_people_offsets.c. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "controlplane/change.h"
#include "controlplane/group_consumer.h"
#include "controlplane/list.h"
#include "controlplane/people_group.h"
#include "controlplane/settings.h"
#include "proto/consumer_protocol.h"

/* Members of one answer hold so many bytes of assignments; further ones are shown without
 * what they have. */
#define ASSIGNMENTS_MAX (16 * MIB)
/* Ids may be long: members behind so many bytes are not shown. */
#define MEMBERS_MAX_BYTES (32 * MIB)
#define GET_ARENA_MAX     (64 * MIB)

/* --- the path --- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool people_group_id(struct call *call, struct slice *id)
{
    struct slice text = call->id;
    size_t len = text.len / 2; /* of "~" and two digits a byte */
    bool good = text.len <= COMMAND_GROUP_TEXT_MAX;

    if (text.len == 0 || text.ptr[0] != '~') {
        *id = arena_dup(&call->arena, text);
    } else {
        uint8_t *bytes = arena_alloc(&call->arena, len + 1);
        good = good && text.len % 2 == 1;
        for (size_t i = 0; i < len && good; i++) {
            int high = hex_digit(text.ptr[1 + 2 * i]);
            int low = hex_digit(text.ptr[2 + 2 * i]);
            good = high >= 0 && low >= 0;
            bytes[i] = (uint8_t)(high << 4 | low);
        }
        *id = slice_of(bytes, len);
    }
    if (!good)
        call_fail(call, ERR_NOT_FOUND,
                  "the path names no group: an id with a / in it, or a ~ in front, is "
                  "written as ~ and its bytes in hex");
    return good;
}

const struct group *people_group(struct node *node, struct call *call, struct slice id)
{
    const struct group *group = state_group(call_cluster(node, call), id);
    if (group == NULL)
        call_fail(call, ERR_NOT_FOUND, "the cluster has no such group (any more)");
    return group;
}

void people_group_target(struct call *call, struct slice id)
{
    call_target(call, "groups/%.*s", (int)MIN(id.len, (size_t)250), (const char *)id.ptr);
}

const char *people_topic_name(struct call *call, const struct cluster *cluster,
                              const struct uuid *topic_id)
{
    const struct topic *topic = state_topic(cluster, topic_id);
    char text[UUID_TEXT_LEN + 1];
    return arena_strdup(
        &call->arena,
        slice_str(topic != NULL ? topic->name : uuid_print(topic_id, text)));
}

/* --- what a group is --- */

struct group_row {
    struct slice id, protocol_type;
    const char *kind, *state;
    uint32_t members;
    int64_t created_at_ms;
    uint64_t version;
};

static struct slice keep(struct call *call, struct slice text)
{
    return text.ptr == NULL ? SLICE_NULL : arena_dup(&call->arena, text);
}

static void copy_group(struct node *node, struct call *call, const void *from, void *out)
{
    const struct group *group = from;
    struct group_row *row = out;
    (void)node;
    *row = (struct group_row){
        .id = keep(call, group->group_id),
        .protocol_type = group->kind == GROUP_CONSUMER ? SLICE_LITERAL("consumer")
                                                       : keep(call, group->protocol_type),
        .kind = group_kind_name(group->kind),
        .state = group_state_name(group->state),
        .members = group->member_count,
        .created_at_ms = group->created_at_ms,
        .version = group->etag,
    };
}

static struct json *row_json(const void *out)
{
    const struct group_row *row = out;
    struct json *value = json_object();
    json_set(value, "id", json_slice(row->id));
    json_set(value, "type", json_string(row->kind));
    json_set(value, "state", json_string(row->state));
    json_set(value, "protocol_type",
             row->protocol_type.len == 0 ? json_null() : json_slice(row->protocol_type));
    json_set(value, "members", json_int(row->members));
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    json_set(value, "revision", json_int((int64_t)row->version));
    return value;
}

/* --- GET /api/v1/clusters/{cluster}/groups --- */

struct filter {
    struct slice q, state, type;
};

static const void *next_group(struct node *node, const struct call *call, const void *row)
{
    return state_group_next(call_cluster(node, call), row);
}

/* By the id that the key holds, if it holds all of it. */
static const void *find_group(struct node *node, const struct call *call,
                              const struct page_key *key)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = NULL;

    if (key->text_len < PAGE_TEXT_MAX) {
        group = state_group(cluster, slice_of(key->text, key->text_len));
        return group != NULL && group->serial == key->serial ? group : NULL;
    }
    while ((group = state_group_next(cluster, group)) != NULL)
        if (group->serial == key->serial)
            return group;
    return NULL;
}

enum { SORT_CREATED, SORT_ID, SORT_MEMBERS };
static const char *const group_sorts[] = {"created_at_ms", "id", "members", NULL};

/* The serial stands for the time: it is the source's order. */
static void key_of_group(const void *row, unsigned sort, struct page_key *key)
{
    const struct group *group = row;
    key->serial = group->serial;
    page_key_set_text(key, group->group_id);
    if (sort == SORT_CREATED)
        key->number = (int64_t)group->serial;
    else if (sort == SORT_MEMBERS)
        key->number = group->member_count;
}

static bool is_word(struct slice filter, const char *word)
{
    return filter.ptr == NULL ||
           (filter.len == strlen(word) &&
            strncasecmp((const char *)filter.ptr, word, filter.len) == 0);
}

static bool match_group(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct group *group = row;
    return is_word(filter->state, group_state_name(group->state)) &&
           is_word(filter->type, group_kind_name(group->kind)) &&
           (filter->q.ptr == NULL || memmem(group->group_id.ptr, group->group_id.len,
                                            filter->q.ptr, filter->q.len) != NULL);
}

static const struct list_source groups_source = {
    .sorts = group_sorts,
    .row_bytes = sizeof(struct group_row),
    .next = next_group,
    .find = find_group,
    .key = key_of_group,
    .match = match_group,
    .copy = copy_group,
    .print = row_json,
};

/* One of WORDS, by its place, or the call fails. */
static struct slice query_word(struct call *call, const char *name,
                               const char *const *words)
{
    struct slice text = call_query_text(call, name, 100);
    struct str all;

    if (text.ptr == NULL)
        return text;
    for (size_t i = 0; words[i] != NULL; i++)
        if (is_word(text, words[i]))
            return text;
    str_init(&all, KIB);
    for (size_t i = 0; words[i] != NULL; i++)
        str_printf(&all, "%s%s", i == 0 ? "" : ", ", words[i]);
    call_fail(call, ERR_INVALID, "%s: want one of %s", name, str_cstr(&all));
    str_fini(&all);
    return SLICE_NULL;
}

static const char *const state_words[] = {
    "Empty",  "PreparingRebalance", "CompletingRebalance",
    "Stable", "Assigning",          "Reconciling",
    NULL};
static const char *const type_words[] = {"classic", "consumer", NULL};

void api_people_groups_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->q = call_query_text(call, "q", 100);
    filter->state = query_word(call, "state", state_words);
    filter->type = query_word(call, "type", type_words);
    call->data = filter;
    list_start(call, &groups_source);
}

/* --- GET /api/v1/clusters/{cluster}/groups/{group} --- */

struct shown_topic {
    const char *name;
    const int32_t *partitions;
    uint32_t count;
};

struct shown_member {
    struct slice id, instance_id, client_id, host, rack, regex;
    bool consumer, classic; /* of a consumer group; speaks the classic protocol */
    int32_t epoch;
    int32_t session_ms, rebalance_ms;
    bool hidden;             /* what it has is too much to show */
    struct slice assignment; /* classic: as its leader wrote it */
    struct shown_topic *topics;
    size_t topic_count;
};

struct group_get {
    struct slice id;
    struct group_row row;
    struct slice protocol, leader;
    int32_t generation, assignment_epoch;
    const char *assignor;   /* NULL: a classic group */
    int64_t empty_since_ms; /* -1: it has members */
    bool readable;          /* classic assignments are Kafka's own */
    struct shown_member *members;
    size_t count;
};

static void copy_partitions(struct call *call, const struct cluster *cluster,
                            const struct partition_set *set, struct shown_member *out)
{
    out->topics = arena_array(&call->arena, set->topic_count, sizeof(*out->topics));
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        int32_t *partitions = arena_array(&call->arena, topic->count, sizeof(int32_t));
        if (topic->count > 0)
            memcpy(partitions, topic->partitions, topic->count * sizeof(int32_t));
        out->topics[out->topic_count++] = (struct shown_topic){
            people_topic_name(call, cluster, &topic->topic_id), partitions, topic->count};
    }
}

static size_t has_bytes(const struct group_member *member)
{
    const struct consumer_member *consumer = member->consumer;
    if (consumer == NULL)
        return member->assignment.len;
    return consumer->assigned.topic_count * 300 +
           (size_t)partition_set_count(&consumer->assigned) * sizeof(int32_t);
}

static void copy_member(struct call *call, const struct group *group,
                        const struct group_member *member, size_t *left,
                        struct shown_member *out)
{
    const struct consumer_member *consumer = member->consumer;

    *out = (struct shown_member){
        .id = keep(call, member->member_id),
        .instance_id = keep(call, member->instance_id),
        .client_id = keep(call, member->client_id),
        .host = keep(call, member->client_host),
        .consumer = consumer != NULL,
        .epoch = consumer != NULL ? consumer->epoch : group->generation,
        .session_ms = member->session_ms,
        .rebalance_ms = member->rebalance_ms,
        .hidden = has_bytes(member) > *left,
    };
    if (consumer != NULL) {
        out->rack = keep(call, consumer->rack);
        out->regex = keep(call, consumer->regex);
        out->classic = consumer->classic;
        out->session_ms = consumer_member_session_ms(
            member, (int32_t)group_setting_int(group->cluster, group->group_id,
                                               "consumer.session.timeout.ms"));
    }
    if (out->hidden)
        return;
    *left -= has_bytes(member);
    if (consumer != NULL)
        copy_partitions(call, group->cluster, &consumer->assigned, out);
    else if (group->state == GROUP_STABLE)
        out->assignment = keep(call, member->assignment);
}

static void get_core(struct node *node, struct call *call)
{
    struct group_get *get = call->data;
    const struct group *group = people_group(node, call, get->id);
    const struct group_member *member = NULL;
    size_t left = ASSIGNMENTS_MAX;

    if (group == NULL) {
        call_done(call);
        return;
    }
    copy_group(node, call, group, &get->row);
    get->generation = group->generation;
    get->empty_since_ms = group->member_count > 0 ? -1 : group->empty_since_ms;
    get->protocol = keep(call, group->protocol);
    if (group->leader != NULL)
        get->leader = keep(call, group->leader->member_id);
    if (group->kind == GROUP_CONSUMER) {
        get->assignment_epoch = group->consumer->assignment_epoch;
        get->assignor = assignor_name(consumer_group_assignor(group));
    }
    get->readable = slice_eq_str(group->protocol_type, "consumer");
    get->members = arena_array(&call->arena, group->member_count, sizeof(*get->members));
    while (arena_used(&call->arena) < MEMBERS_MAX_BYTES &&
           (member = group_member_next(group, member)) != NULL)
        copy_member(call, group, member, &left, &get->members[get->count++]);
    call_done(call);
}

static struct json *topic_json(struct slice name, const int32_t *partitions, size_t count)
{
    struct json *value = json_object(), *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_push(list, json_int(partitions[i]));
    json_set(value, "topic", json_slice(name));
    json_set(value, "partitions", list);
    return value;
}

/* What a classic member's leader gave it, when it is written as Kafka's consumers do. */
static struct json *assignment_json(const struct shown_member *member)
{
    struct consumer_protocol_assignment assignment;
    struct json *value;
    struct arena arena;

    if (member->assignment.len == 0)
        return json_array();
    arena_init(&arena, ASSIGNMENTS_MAX);
    if (consumer_protocol_read_assignment(member->assignment, &arena, &assignment) != 0) {
        value = json_null();
    } else {
        value = json_array();
        for (size_t i = 0; i < assignment.assigned_partitions_count; i++) {
            const struct consumer_protocol_assignment_assigned *topic =
                &assignment.assigned_partitions[i];
            json_push(value, topic_json(topic->topic, topic->partitions,
                                        topic->partitions_count));
        }
    }
    arena_fini(&arena);
    return value;
}

static struct json *has_json(const struct group_get *get,
                             const struct shown_member *member)
{
    if (member->hidden || (!member->consumer && !get->readable))
        return json_null();
    if (!member->consumer)
        return assignment_json(member);
    struct json *value = json_array();
    for (size_t i = 0; i < member->topic_count; i++)
        json_push(value,
                  topic_json(slice_str(member->topics[i].name),
                             member->topics[i].partitions, member->topics[i].count));
    return value;
}

static struct json *member_json(const struct group_get *get,
                                const struct shown_member *member)
{
    struct json *value = json_object();
    json_set(value, "id", json_slice(member->id));
    json_set(value, "instance_id", json_slice(member->instance_id));
    json_set(value, "client_id", json_slice(member->client_id));
    json_set(value, "host", json_slice(member->host));
    json_set(value, "protocol",
             json_string(member->consumer && !member->classic ? "consumer" : "classic"));
    json_set(value, "epoch", json_int(member->epoch));
    json_set(value, "session_ms", json_int(member->session_ms));
    json_set(value, "rebalance_ms", json_int(member->rebalance_ms));
    json_set(value, "rack", json_slice(member->rack));
    json_set(value, "regex", json_slice(member->regex));
    json_set(value, "partitions", has_json(get, member));
    return value;
}

static struct json *text_or_null(struct slice text)
{
    return text.len == 0 ? json_null() : json_slice(text);
}

static void get_answer(struct call *call)
{
    const struct group_get *get = call->data;
    struct json *value = row_json(&get->row), *members = json_array();
    bool consumer = get->assignor != NULL;

    json_set(value, "generation", json_int(get->generation));
    json_set(value, "assignment_epoch",
             consumer ? json_int(get->assignment_epoch) : json_null());
    json_set(value, "protocol",
             consumer ? json_string(get->assignor) : text_or_null(get->protocol));
    json_set(value, "leader", text_or_null(get->leader));
    json_set(value, "empty_since_ms",
             get->empty_since_ms < 0 ? json_null() : json_int(get->empty_since_ms));
    for (size_t i = 0; i < get->count; i++)
        json_push(members, member_json(get, &get->members[i]));
    json_set(value, "member_list", members);
    call_etag(call, get->row.version);
    call_reply_json(call, 200, value);
}

void api_people_groups_get(struct call *call)
{
    struct group_get *get = arena_alloc(&call->arena, sizeof(*get));
    if (!people_group_id(call, &get->id))
        return;
    arena_set_max(&call->arena, GET_ARENA_MAX);
    call->data = get;
    call_ask(call, get_core, get_answer);
}

/* --- DELETE /api/v1/clusters/{cluster}/groups/{group} --- */

struct group_delete {
    struct change change;
    struct slice id;
};

static void delete_prepare(struct node *node, struct call *call, struct change *change)
{
    const struct group_delete *delete = CONTAINER_OF(change, struct group_delete, change);
    const struct group *group = people_group(node, call, delete->id);

    if (group == NULL)
        return;
    if (call->if_version != 0 && call->if_version != group->etag) {
        call_fail(call, ERR_STALE,
                  "the group was changed since the ETag in If-Match: get it again, look, "
                  "and repeat with its present ETag");
        return;
    }
    if (group->member_count > 0) {
        call_fail(call, ERR_CONFLICT,
                  "the group has members: stop its consumers, or wait until their "
                  "sessions have expired");
        return;
    }
    change->cmd = (struct command){.kind = COMMAND_GROUP_DELETE,
                                   .cluster_id = call->cluster_id,
                                   .group_delete = {.group_id = delete->id}};
    people_group_target(call, delete->id);
}

void api_people_groups_delete(struct call *call)
{
    struct group_delete *delete = arena_alloc(&call->arena, sizeof(*delete));
    if (!people_group_id(call, &delete->id))
        return;
    delete->change.what = "group";
    delete->change.prepare = delete_prepare;
    change_start(call, &delete->change);
}
