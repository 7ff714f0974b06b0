/* api_quotas.c - AlterClientQuotas and DescribeClientQuotas (KIP-546): stored, not
 * enforced yet, and so not advertised by agents. */
#include "controlplane/api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/quota_entity.h"
#include "controlplane/topic_items.h"
#include "proto/kafka_error.h"

#define TEXT_MAX COMMAND_NAME_MAX

/* --- POST /agent/v1/quotas/alter --- */

/* The quotas that there are, and to which entities they apply. */
static const struct {
    const char *key;
    bool of_ip, whole;
} quota_keys[] = {
    {"producer_byte_rate", false, true},      {"consumer_byte_rate", false, true},
    {"request_percentage", false, false},     {"controller_mutation_rate", false, false},
    {"connection_creation_rate", true, true},
};

struct quota_item {
    struct topic_item item; /* for its error, message and proposal */
    struct quota_part parts[COMMAND_ENTITY_MAX];
    uint32_t part_count;
    struct quota_change *changes;
    uint32_t change_count;
};

static int compare_parts(const void *a, const void *b)
{
    const struct quota_part *x = a, *y = b;
    return slice_cmp(x->type, y->type);
}

/* As Kafka: users, client ids, or both; or an address alone. */
static const char *judge_entity(const struct quota_item *item)
{
    bool ip = false;
    for (uint32_t i = 0; i < item->part_count; i++) {
        struct slice type = item->parts[i].type;
        bool is_ip = slice_eq_str(type, "ip");
        if (!is_ip && !slice_eq_str(type, "user") && !slice_eq_str(type, "client-id"))
            return "Unhandled client quota entity type";
        if (item->parts[i].name.ptr != NULL && item->parts[i].name.len == 0)
            return "Empty name of a client quota entity";
        if (i > 0 && slice_eq(type, item->parts[i - 1].type))
            return "An entity type is named more than once";
        ip |= is_ip;
    }
    if (item->part_count == 0)
        return "Invalid empty client quota entity";
    return ip && item->part_count > 1 ? "An address stands alone" : NULL;
}

static const char *judge_change(const struct quota_item *item,
                                const struct quota_change *change)
{
    bool ip = slice_eq_str(item->parts[0].type, "ip");
    for (size_t i = 0; i < ARRAY_LEN(quota_keys); i++) {
        if (!slice_eq_str(change->key, quota_keys[i].key) || quota_keys[i].of_ip != ip)
            continue;
        if (change->remove)
            return NULL;
        if (!(change->value > 0) || !isfinite(change->value))
            return "Quota values must be greater than 0";
        if (quota_keys[i].whole &&
            (change->value != floor(change->value) || change->value >= 0x1p63))
            return "The quota wants a whole number";
        return NULL;
    }
    return "Invalid configuration key of the entity";
}

static void read_parts(struct call *call, struct json_reader *r, const struct json *list,
                       struct quota_item *item)
{
    size_t count = json_count(list);

    if (count > COMMAND_ENTITY_MAX) {
        topic_item_refuse(call, &item->item, KAFKA_INVALID_REQUEST, "too many parts");
        return;
    }
    for (size_t i = 0; i < count && !r->failed; i++) {
        const struct json *part = json_at(r, list, i), *name = json_at(r, part, 1);
        item->parts[i].type = json_as_string(r, json_at(r, part, 0), "type", TEXT_MAX);
        if (!r->failed && !json_is_null(name))
            item->parts[i].name = json_as_string(r, name, "name", TEXT_MAX);
    }
    item->part_count = (uint32_t)count;
    qsort(item->parts, count, sizeof(item->parts[0]), compare_parts);
    const char *wrong = r->failed ? NULL : judge_entity(item);
    if (wrong != NULL)
        topic_item_refuse(call, &item->item, KAFKA_INVALID_REQUEST, "%s", wrong);
}

/* Values travel as text: JSON has no number that is sure to stay the same. */
static double read_value(struct call *call, struct json_reader *r,
                         const struct json *value, struct quota_item *item)
{
    char text[QUOTA_VALUE_TEXT + 1], *end = text;
    struct slice s = json_as_string(r, value, "value", QUOTA_VALUE_TEXT);

    memcpy(text, s.ptr == NULL ? (const uint8_t *)"" : s.ptr, s.len);
    text[s.len] = '\0';
    double number = strtod(text, &end);
    if (s.len == 0 || *end != '\0')
        topic_item_refuse(call, &item->item, KAFKA_INVALID_REQUEST, "not a number");
    return number;
}

static void read_quota_changes(struct call *call, struct json_reader *r,
                               const struct json *list, struct quota_item *item)
{
    size_t count = json_count(list);

    item->changes = arena_try_array(&call->arena, count, sizeof(*item->changes));
    if (count > COMMAND_QUOTAS_MAX || item->changes == NULL) {
        topic_item_refuse(call, &item->item, KAFKA_INVALID_REQUEST, "too many quotas");
        return;
    }
    for (size_t i = 0; i < count && !r->failed && item->item.error == 0; i++) {
        const struct json *row = json_at(r, list, i), *value = json_at(r, row, 1);
        struct quota_change *change = &item->changes[i];
        change->key = json_as_string(r, json_at(r, row, 0), "key", TEXT_MAX);
        change->remove = !r->failed && json_is_null(value);
        if (!r->failed && !change->remove)
            change->value = read_value(call, r, value, item);
        const char *wrong =
            r->failed || item->item.error != 0 ? NULL : judge_change(item, change);
        if (wrong != NULL)
            topic_item_refuse(call, &item->item, KAFKA_INVALID_REQUEST, "%s", wrong);
    }
    item->change_count = (uint32_t)count;
}

struct quotas_call {
    bool validate_only;
    size_t count, open;
    struct quota_item *items;
};

static void quotas_settled(struct node *node, struct call *call)
{
    const struct quotas_call *quotas = call->data;
    (void)node;
    for (size_t i = 0; i < quotas->count; i++)
        topic_item_settle(call, &quotas->items[i].item);
    call_done(call);
}

static void quotas_core(struct node *node, struct call *call)
{
    struct quotas_call *quotas = call->data;
    const struct control_options *options = call->service->options;
    size_t proposed = 0;

    for (size_t i = 0; i < quotas->count; i++) {
        struct quota_item *item = &quotas->items[i];
        struct command cmd = {
            .kind = COMMAND_QUOTAS_ALTER,
            .cluster_id = call->cluster_id,
            .quotas_alter = {.parts = item->parts,
                             .part_count = item->part_count,
                             .changes = item->changes,
                             .change_count = item->change_count,
                             .sets_max = SETTINGS_MAX,
                             .metadata_max = (uint64_t)options->max_metadata_bytes}};
        struct str message;
        if (item->item.error != 0)
            continue;
        if (!quotas->validate_only) {
            item->item.proposed = true;
            proposed++;
            call_target(call, "quotas");
            call_propose(node, call, &item->item.proposal, &cmd, quotas_settled);
            continue;
        }
        str_init(&message, 64 * KIB);
        int16_t error =
            state_check_quotas_alter(call_cluster(node, call), &cmd, &message);
        if (error != 0)
            topic_item_refuse(call, &item->item, error, "%s", str_cstr(&message));
        str_fini(&message);
    }
    if (proposed == 0)
        call_done(call);
}

static void quotas_answer(struct call *call)
{
    const struct quotas_call *quotas = call->data;
    struct json *results = json_array(), *answer = call_answer(call);

    for (size_t i = 0; i < quotas->count; i++)
        json_push(results, topic_item_result(&quotas->items[i].item));
    json_set(answer, "results", results);
    call_reply_json(call, 200, answer);
}

void api_quotas_alter(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *list = json_get_array(&r, call->body, "entries");
    struct quotas_call *quotas = arena_alloc(&call->arena, sizeof(*quotas));

    quotas->validate_only = json_get_bool(&r, call->body, "validate_only");
    if (r.failed)
        return;
    quotas->count = json_count(list);
    quotas->items = arena_try_array(&call->arena, quotas->count, sizeof(*quotas->items));
    if (quotas->count > TOPIC_ITEMS_MAX || quotas->items == NULL) {
        call_fail(call, ERR_TOO_LARGE, "entries: too many for one call");
        return;
    }
    for (size_t i = 0; i < quotas->count && !r.failed; i++) {
        const struct json *value = json_at(&r, list, i);
        read_parts(call, &r, json_at(&r, value, 0), &quotas->items[i]);
        if (!r.failed && quotas->items[i].item.error == 0)
            read_quota_changes(call, &r, json_at(&r, value, 1), &quotas->items[i]);
    }
    if (r.failed)
        return;
    call->data = quotas;
    call_ask(call, quotas_core, quotas_answer);
}

/* --- POST /agent/v1/quotas --- */

enum match { MATCH_EXACT, MATCH_DEFAULT, MATCH_SPECIFIED };

struct filter {
    struct slice type, name;
    enum match match;
};

struct quotas_list {
    bool strict;
    size_t filter_count;
    struct filter filters[COMMAND_ENTITY_MAX];
    struct json *entries; /* made on the core thread, given to the answer */
};

static bool part_matches(const struct filter *filter, const struct quota_part *part)
{
    if (!slice_eq(filter->type, part->type))
        return false;
    if (filter->match == MATCH_SPECIFIED)
        return true;
    if (filter->match == MATCH_DEFAULT)
        return part->name.ptr == NULL;
    return part->name.ptr != NULL && slice_eq(filter->name, part->name);
}

/* Every filter must find its part; strictly, there may be no part besides. */
static bool entity_matches(const struct quotas_list *list, const struct quota_part *parts,
                           uint32_t count)
{
    for (size_t i = 0; i < list->filter_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < count; k++)
            found |= part_matches(&list->filters[i], &parts[k]);
        if (!found)
            return false;
    }
    return !list->strict || count == list->filter_count;
}

static struct json *entry_json(const struct setting_set *set,
                               const struct quota_part *parts, uint32_t count)
{
    struct json *entry = json_array(), *entity = json_array(), *values = json_array();
    for (uint32_t i = 0; i < count; i++) {
        struct json *part = json_array();
        json_push(part, json_slice(parts[i].type));
        json_push(part, json_slice(parts[i].name));
        json_push(entity, part);
    }
    for (size_t i = 0; i < set->values.count; i++) {
        struct json *value = json_array();
        json_push(value, json_string(set->values.entries[i].name));
        json_push(value, json_string(set->values.entries[i].value));
        json_push(values, value);
    }
    json_push(entry, entity);
    json_push(entry, values);
    return entry;
}

static void list_core(struct node *node, struct call *call)
{
    struct quotas_list *list = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    const struct setting_set *set = NULL;
    struct quota_part parts[COMMAND_ENTITY_MAX];

    list->entries = json_array();
    while ((set = settings_next(&cluster->settings, set)) != NULL) {
        uint32_t count =
            set->kind == SETTING_QUOTA ? quota_entity_read(set->name, parts) : 0;
        if (count > 0 && entity_matches(list, parts, count))
            json_push(list->entries, entry_json(set, parts, count));
    }
    call_done(call);
}

static void list_cleanup(struct call *call)
{
    struct quotas_list *list = call->data;
    json_free(list->entries);
}

static void list_answer(struct call *call)
{
    struct quotas_list *list = call->data;
    struct json *answer = call_answer(call);

    json_set(answer, "entries", list->entries);
    list->entries = NULL;
    call_reply_json(call, 200, answer);
}

void api_quotas_list(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *filters = json_get_array(&r, call->body, "filters");
    struct quotas_list *list = arena_alloc(&call->arena, sizeof(*list));

    list->strict = json_get_bool(&r, call->body, "strict");
    list->filter_count = json_count(filters);
    if (r.failed)
        return;
    if (list->filter_count > COMMAND_ENTITY_MAX) {
        call_fail(call, ERR_TOO_LARGE, "filters: more than %d", COMMAND_ENTITY_MAX);
        return;
    }
    for (size_t i = 0; i < list->filter_count && !r.failed; i++) {
        const struct json *row = json_at(&r, filters, i), *name = json_at(&r, row, 2);
        struct filter *filter = &list->filters[i];
        filter->type = json_as_string(&r, json_at(&r, row, 0), "type", TEXT_MAX);
        filter->match = (enum match)json_as_int(&r, json_at(&r, row, 1), "match",
                                                MATCH_EXACT, MATCH_SPECIFIED);
        if (!r.failed && !json_is_null(name))
            filter->name = json_as_string(&r, name, "name", TEXT_MAX);
    }
    if (r.failed)
        return;
    call->data = list;
    call->cleanup = list_cleanup;
    call_ask(call, list_core, list_answer);
}
