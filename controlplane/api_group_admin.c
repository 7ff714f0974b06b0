/* api_group_admin.c - ops of tools about groups of either kind: list, describe, delete,
 * lag.
 *
 * A group with commits only is shown as a classic one, as Apache Kafka does. */
#include "controlplane/api_groups.h"

#include <string.h>
#include <strings.h>

#include "controlplane/group_lag.h"
#include "proto/kafka_error.h"

static struct slice keep(struct call *call, struct slice text)
{
    return text.ptr == NULL ? SLICE_LITERAL("") : arena_dup(&call->arena, text);
}

/* --- list --- */

struct list_filter {
    bool given;
    size_t count;
    struct slice *words;
};

struct listed_group {
    struct slice group_id, protocol_type;
    const char *state, *kind;
};

struct list_op {
    int16_t error;
    struct list_filter states, types;
    struct listed_group *groups;
    size_t count;
};

#define FILTER_WORDS_MAX 64

static void read_filter(struct call *call, struct json_reader *r,
                        const struct json *value, size_t i, struct list_filter *filter)
{
    const struct json *list = json_at(r, value, i);
    if (r->failed || json_is_null(list))
        return;
    filter->count = json_count(list);
    if (!json_is_array(list) || filter->count > FILTER_WORDS_MAX) {
        call_fail(call, ERR_MALFORMED, "ops: a filter of list is no list of %d words",
                  FILTER_WORDS_MAX);
        return;
    }
    filter->given = filter->count > 0;
    filter->words = arena_array(&call->arena, filter->count, sizeof(*filter->words));
    for (size_t j = 0; j < filter->count; j++)
        filter->words[j] = group_op_text(r, list, j, "word");
}

static bool passes(const struct list_filter *filter, const char *word)
{
    bool found = !filter->given;
    for (size_t i = 0; i < filter->count && !found; i++)
        found = filter->words[i].len == strlen(word) &&
                strncasecmp((const char *)filter->words[i].ptr, word, strlen(word)) == 0;
    return found;
}

static void list_parse(struct call *call, struct json_reader *r, const struct json *value,
                       struct group_op *op)
{
    struct list_op *list = arena_alloc(&call->arena, sizeof(*list));
    op->data = list;
    read_filter(call, r, value, 1, &list->states);
    read_filter(call, r, value, 2, &list->types);
}

static bool is_listed(const struct list_op *list, const struct group *group)
{
    return group->state != GROUP_DEAD &&
           passes(&list->states, group_state_name(group->state)) &&
           passes(&list->types, group_kind_name(group->kind));
}

static enum group_op_step list_run(struct node *node, struct call *call,
                                   struct group_op *op)
{
    const struct cluster *cluster = call_cluster(node, call);
    const struct group *group = NULL;
    struct list_op *list = op->data;
    size_t count = 0, bytes = 0;

    while ((group = state_group_next(cluster, group)) != NULL) {
        if (!is_listed(list, group))
            continue;
        count++;
        bytes +=
            sizeof(struct listed_group) + group->group_id.len + group->protocol_type.len;
    }
    if (!group_op_room(call, op, bytes)) {
        list->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
        return GROUP_OP_ANSWERED;
    }
    list->groups = arena_array(&call->arena, count, sizeof(*list->groups));
    while ((group = state_group_next(cluster, group)) != NULL) {
        if (!is_listed(list, group))
            continue;
        list->groups[list->count++] = (struct listed_group){
            .group_id = keep(call, group->group_id),
            .protocol_type = group->kind == GROUP_CONSUMER
                                 ? SLICE_LITERAL("consumer")
                                 : keep(call, group->protocol_type),
            .state = group_state_name(group->state),
            .kind = group_kind_name(group->kind),
        };
    }
    return GROUP_OP_ANSWERED;
}

static struct json *list_print(const struct call *call, const struct group_op *op)
{
    const struct list_op *list = op->data;
    struct json *value = json_array(), *groups = json_array();
    (void)call;

    json_push(value, json_int(list->error));
    for (size_t i = 0; i < list->count; i++) {
        struct json *item = json_array();
        json_push(item, json_slice(list->groups[i].group_id));
        json_push(item, json_slice(list->groups[i].protocol_type));
        json_push(item, json_string(list->groups[i].state));
        json_push(item, json_string(list->groups[i].kind));
        json_push(groups, item);
    }
    json_push(value, groups);
    return value;
}

/* --- describe --- */

struct described_member {
    struct slice member_id, instance_id, client_id, host, metadata, assignment;
};

struct describe_op {
    int16_t error;
    const char *message, *kind, *state;
    struct slice protocol_type, protocol;
    struct described_member *members;
    size_t count;
};

static void describe_parse(struct call *call, struct json_reader *r,
                           const struct json *value, struct group_op *op)
{
    (void)r, (void)value;
    op->data = arena_alloc(&call->arena, sizeof(struct describe_op));
}

/* The metadata of the protocol that was chosen; while members still join, none. */
static struct slice shown_metadata(const struct group *group,
                                   const struct group_member *member)
{
    return group->state == GROUP_STABLE ? group_member_metadata(member, group->protocol)
                                        : SLICE_NULL;
}

static struct slice shown_assignment(const struct group *group,
                                     const struct group_member *member)
{
    return group->state == GROUP_STABLE ? member->assignment : SLICE_NULL;
}

static size_t described_bytes(const struct group *group)
{
    const struct group_member *member = NULL;
    size_t bytes = sizeof(struct describe_op);
    while ((member = group_member_next(group, member)) != NULL)
        bytes += sizeof(struct described_member) + member->member_id.len +
                 member->instance_id.len + member->client_id.len +
                 member->client_host.len + shown_metadata(group, member).len +
                 shown_assignment(group, member).len;
    return bytes;
}

static void copy_described(struct call *call, const struct group *group,
                           struct describe_op *describe)
{
    const struct group_member *member = NULL;
    describe->members =
        arena_array(&call->arena, group->member_count, sizeof(*describe->members));
    while ((member = group_member_next(group, member)) != NULL)
        describe->members[describe->count++] = (struct described_member){
            .member_id = keep(call, member->member_id),
            .instance_id = member->instance_id.ptr == NULL
                               ? SLICE_NULL
                               : keep(call, member->instance_id),
            .client_id = keep(call, member->client_id),
            .host = keep(call, member->client_host),
            .metadata = keep(call, shown_metadata(group, member)),
            .assignment = keep(call, shown_assignment(group, member)),
        };
}

static enum group_op_step describe_run(struct node *node, struct call *call,
                                       struct group_op *op)
{
    const struct group *group = state_group(call_cluster(node, call), op->group);
    struct describe_op *describe = op->data;

    describe->protocol_type = describe->protocol = SLICE_LITERAL("");
    if (group == NULL) {
        describe->error = KAFKA_GROUP_ID_NOT_FOUND;
        describe->message = "there is no such group";
        describe->kind = "none";
        describe->state = "Dead";
        return GROUP_OP_ANSWERED;
    }
    describe->kind = group_kind_name(group->kind);
    describe->state = group_state_name(group->state);
    if (group->kind == GROUP_CONSUMER) {
        describe->error = KAFKA_GROUP_ID_NOT_FOUND;
        describe->message = "the group is no classic group";
        return GROUP_OP_ANSWERED;
    }
    if (!group_op_room(call, op, described_bytes(group))) {
        describe->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
        describe->message = "the group's members are too much for one answer";
        return GROUP_OP_ANSWERED;
    }
    describe->protocol_type = keep(call, group->protocol_type);
    if (group->state == GROUP_STABLE)
        describe->protocol = keep(call, group->protocol);
    copy_described(call, group, describe);
    return GROUP_OP_ANSWERED;
}

static struct json *describe_print(const struct call *call, const struct group_op *op)
{
    const struct describe_op *describe = op->data;
    struct json *value = json_array(), *members = json_array();
    (void)call;

    json_push(value, json_int(describe->error));
    json_push(value,
              describe->message == NULL ? json_null() : json_string(describe->message));
    json_push(value, json_string(describe->kind));
    json_push(value, json_string(describe->state));
    json_push(value, json_slice(describe->protocol_type));
    json_push(value, json_slice(describe->protocol));
    for (size_t i = 0; i < describe->count; i++) {
        const struct described_member *member = &describe->members[i];
        struct json *item = json_array();
        json_push(item, json_slice(member->member_id));
        json_push(item, json_slice(member->instance_id));
        json_push(item, json_slice(member->client_id));
        json_push(item, json_slice(member->host));
        json_push(item, json_base64(member->metadata));
        json_push(item, json_base64(member->assignment));
        json_push(members, item);
    }
    json_push(value, members);
    return value;
}

/* --- delete --- */

struct delete_op {
    int16_t error;
    struct call_proposal proposal;
};

static void delete_parse(struct call *call, struct json_reader *r,
                         const struct json *value, struct group_op *op)
{
    (void)r, (void)value;
    op->data = arena_alloc(&call->arena, sizeof(struct delete_op));
}

static enum group_op_step delete_run(struct node *node, struct call *call,
                                     struct group_op *op)
{
    const struct group *group = state_group(call_cluster(node, call), op->group);
    struct delete_op *delete = op->data;

    if (group == NULL && !op->after_change) {
        delete->error = KAFKA_GROUP_ID_NOT_FOUND;
        return GROUP_OP_ANSWERED;
    }
    struct command cmd = {.kind = COMMAND_GROUP_DELETE,
                          .cluster_id = call->cluster_id,
                          .group_delete = {.group_id = op->group}};
    group_op_propose(node, call, &delete->proposal, &cmd);
    return GROUP_OP_PROPOSED;
}

static void delete_settle(struct node *node, struct call *call, struct group_op *op)
{
    struct delete_op *delete = op->data;
    (void)node, (void)call;
    delete->error = group_op_result(&delete->proposal, NULL);
}

static struct json *delete_print(const struct call *call, const struct group_op *op)
{
    const struct delete_op *delete = op->data;
    struct json *value = json_array();
    (void)call;
    json_push(value, json_int(delete->error));
    return value;
}

/* --- lag --- */

#define LAG_PARTITIONS_MAX 1000

struct lag_item {
    struct uuid topic_id;
    int32_t partition;
    int64_t offset, high_watermark, lag_ms;
};

struct lag_op {
    size_t max, count;
    struct lag_item *items;
};

static void lag_parse(struct call *call, struct json_reader *r, const struct json *value,
                      struct group_op *op)
{
    struct lag_op *lag = arena_alloc(&call->arena, sizeof(*lag));
    op->data = lag;
    lag->max = (size_t)json_as_int(r, json_at(r, value, 2), "max", 0, LAG_PARTITIONS_MAX);
}

static enum group_op_step lag_run(struct node *node, struct call *call,
                                  struct group_op *op)
{
    const struct group *group = state_group(call_cluster(node, call), op->group);
    struct lag_op *lag = op->data;
    struct group_lag *worst;

    if (!group_op_room(call, op, lag->max * (sizeof(*worst) + sizeof(*lag->items))))
        return GROUP_OP_ANSWERED;
    lag->count =
        group_lag_worst(group, node_now_ms(node), lag->max, &call->arena, &worst);
    lag->items = arena_array(&call->arena, lag->count, sizeof(*lag->items));
    for (size_t i = 0; i < lag->count; i++)
        lag->items[i] = (struct lag_item){.topic_id = worst[i].topic->topic_id,
                                          .partition = worst[i].partition,
                                          .offset = worst[i].offset,
                                          .high_watermark = worst[i].high_watermark,
                                          .lag_ms = worst[i].lag_ms};
    return GROUP_OP_ANSWERED;
}

static struct json *lag_print(const struct call *call, const struct group_op *op)
{
    const struct lag_op *lag = op->data;
    struct json *value = json_array(), *items = json_array();
    (void)call;

    json_push(value, json_int(0));
    for (size_t i = 0; i < lag->count; i++) {
        struct json *item = json_array();
        json_push(item, json_uuid(&lag->items[i].topic_id));
        json_push(item, json_int(lag->items[i].partition));
        json_push(item, json_int(lag->items[i].offset));
        json_push(item, json_int(lag->items[i].high_watermark));
        json_push(item, json_int(lag->items[i].lag_ms));
        json_push(items, item);
    }
    json_push(value, items);
    return value;
}

const struct group_op_kind group_admin_ops[] = {
    {"list", 3, false, false, false, list_parse, list_run, NULL, NULL, list_print},
    {"describe", 2, true, false, false, describe_parse, describe_run, NULL, NULL,
     describe_print},
    {"delete", 2, true, true, false, delete_parse, delete_run, NULL, delete_settle,
     delete_print},
    {"lag", 3, true, false, false, lag_parse, lag_run, NULL, NULL, lag_print},
};
const size_t group_admin_op_count = ARRAY_LEN(group_admin_ops);
