/* api_quotas.c - DescribeClientQuotas and AlterClientQuotas (KIP-546).
 *
 * The control plane keeps the quotas; nothing holds anybody to them yet, and so these two
 * are served but not advertised (dispatch.h): no client takes them for what they are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "common/json.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_MS 30000
#define TEXT_MAX   32767
#define VALUE_MAX  32

static struct slice copy(struct arena *arena, struct slice s)
{
    uint8_t *bytes = s.ptr == NULL ? NULL : arena_try_alloc(arena, s.len + 1);
    if (bytes == NULL)
        return SLICE_NULL;
    memcpy(bytes, s.ptr, s.len);
    bytes[s.len] = '\0';
    return slice_of(bytes, s.len);
}

static struct slice read_text(struct json_reader *r, const struct json *value,
                              struct arena *arena)
{
    if (r->failed || json_is_null(value))
        return SLICE_NULL;
    return copy(arena, json_as_string(r, value, "text", TEXT_MAX));
}

/* ---- AlterClientQuotas ---- */

struct altered {
    int16_t error;
    struct slice message;
};

struct alter {
    struct relay_ask ask;
    struct altered *results;
    size_t count;
};

static int read_altered(struct relay_ask *ask, const struct json *answer)
{
    struct alter *own = CONTAINER_OF(ask, struct alter, ask);
    struct json_reader r = {0};
    const struct json *rows = json_get_array(&r, answer, "results");

    for (size_t i = 0; i < own->count && !r.failed; i++) {
        const struct json *row = json_at(&r, rows, i);
        own->results[i].error =
            (int16_t)json_as_int(&r, json_at(&r, row, 0), "error", -1, INT16_MAX);
        own->results[i].message = read_text(&r, json_at(&r, row, 1), ask->ask.arena);
    }
    return r.failed ? ERR_MALFORMED : 0;
}

static int fill_entity(struct request *req,
                       const struct alter_client_quotas_request_entry *from,
                       struct alter_client_quotas_response_entry *out)
{
    out->entity = request_array(req, from->entity_count, sizeof(*out->entity));
    out->entity_count = from->entity_count;
    if (out->entity == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < from->entity_count; i++) {
        out->entity[i].entity_type = from->entity[i].entity_type;
        out->entity[i].entity_name = from->entity[i].entity_name;
    }
    return 0;
}

static int on_altered(struct request *req)
{
    const struct alter_client_quotas_request *body = req->body;
    const struct alter *own = req->own;
    struct alter_client_quotas_response reply = alter_client_quotas_response_defaults;

    reply.entries = request_array(req, own->count, sizeof(*reply.entries));
    reply.entries_count = own->count;
    if (reply.entries == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < own->count; i++) {
        struct alter_client_quotas_response_entry *out = &reply.entries[i];
        out->error_code =
            own->ask.kafka_error != 0 ? own->ask.kafka_error : own->results[i].error;
        out->error_message = own->results[i].message;
        if (out->error_code != 0 && out->error_message.ptr == NULL)
            out->error_message = slice_str(kafka_error_text(out->error_code));
        if (fill_entity(req, &body->entries[i], out) != 0)
            return ERR_TOO_LARGE;
    }
    return request_reply(req, &reply);
}

static struct json *entry_json(const struct alter_client_quotas_request_entry *entry)
{
    struct json *item = json_array(), *entity = json_array(), *ops = json_array();

    for (size_t i = 0; i < entry->entity_count; i++) {
        struct json *part = json_array();
        json_push(part, json_slice(entry->entity[i].entity_type));
        json_push(part, json_slice(entry->entity[i].entity_name));
        json_push(entity, part);
    }
    for (size_t i = 0; i < entry->ops_count; i++) {
        char text[VALUE_MAX];
        struct json *op = json_array();
        snprintf(text, sizeof(text), "%.17g", entry->ops[i].value);
        json_push(op, json_slice(entry->ops[i].key));
        json_push(op, entry->ops[i].remove ? json_null() : json_string(text));
        json_push(ops, op);
    }
    json_push(item, entity);
    json_push(item, ops);
    return item;
}

int api_alter_client_quotas(struct request *req)
{
    const struct alter_client_quotas_request *body = req->body;
    struct alter *own = request_array(req, 1, sizeof(*own));

    if (own == NULL)
        return ERR_TOO_LARGE;
    own->results = request_array(req, body->entries_count, sizeof(*own->results));
    own->count = body->entries_count;
    if (own->results == NULL)
        return ERR_TOO_LARGE;
    struct json *entries = json_array();
    for (size_t i = 0; i < body->entries_count; i++)
        json_push(entries, entry_json(&body->entries[i]));
    own->ask.path = "/agent/v1/quotas/alter";
    own->ask.body = json_object();
    json_set(own->ask.body, "validate_only", json_bool(body->validate_only));
    json_set(own->ask.body, "entries", entries);
    own->ask.read = read_altered;
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    req->own = own;
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_altered);
}

/* ---- DescribeClientQuotas ---- */

struct describe {
    struct relay_ask ask;
    struct describe_client_quotas_response_entry *entries;
    size_t count;
};

static int read_entry(struct json_reader *r, const struct json *value,
                      struct arena *arena,
                      struct describe_client_quotas_response_entry *out)
{
    const struct json *entity = json_at(r, value, 0), *values = json_at(r, value, 1);

    out->entity_count = json_count(entity);
    out->entity = arena_try_array(arena, out->entity_count, sizeof(*out->entity));
    out->values_count = json_count(values);
    out->values = arena_try_array(arena, out->values_count, sizeof(*out->values));
    if (out->entity == NULL || out->values == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < out->entity_count && !r->failed; i++) {
        const struct json *part = json_at(r, entity, i);
        out->entity[i].entity_type = read_text(r, json_at(r, part, 0), arena);
        out->entity[i].entity_name = read_text(r, json_at(r, part, 1), arena);
    }
    for (size_t i = 0; i < out->values_count && !r->failed; i++) {
        const struct json *row = json_at(r, values, i);
        out->values[i].key = read_text(r, json_at(r, row, 0), arena);
        struct slice text = read_text(r, json_at(r, row, 1), arena); /* NUL behind it */
        if (text.ptr != NULL)
            out->values[i].value = strtod((const char *)text.ptr, NULL);
    }
    return r->failed ? ERR_MALFORMED : 0;
}

static int read_entries(struct relay_ask *ask, const struct json *answer)
{
    struct describe *own = CONTAINER_OF(ask, struct describe, ask);
    struct json_reader r = {0};
    const struct json *list = json_get_array(&r, answer, "entries");
    size_t n = json_count(list);
    int rc = r.failed ? ERR_MALFORMED : 0;

    own->entries = arena_try_array(ask->ask.arena, n, sizeof(*own->entries));
    if (own->entries == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = read_entry(&r, json_at(&r, list, i), ask->ask.arena, &own->entries[i]);
    own->count = n;
    return rc;
}

static int on_described(struct request *req)
{
    const struct describe *own = req->own;
    struct describe_client_quotas_response reply =
        describe_client_quotas_response_defaults;

    reply.error_code = own->ask.kafka_error;
    if (reply.error_code != 0) {
        reply.error_message = slice_str(kafka_error_text(reply.error_code));
        return request_reply(req, &reply);
    }
    reply.entries = own->entries;
    reply.entries_count = own->count;
    return request_reply(req, &reply);
}

/* What is wrong with a filter, or NULL. */
static const char *judge_filter(
    const struct describe_client_quotas_request_component *filter)
{
    static const char *const types[] = {"user", "client-id", "ip"};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        known |= slice_eq_str(filter->entity_type, types[i]);
    if (!known)
        return "an entity type that does not exist";
    if (filter->match_type < 0 || filter->match_type > 2)
        return "a match type that does not exist";
    if ((filter->match_type == 0) != (filter->match.ptr != NULL))
        return "a name goes with an exact match, and only with one";
    return NULL;
}

static int refuse_filter(struct request *req, int16_t error, const char *why)
{
    struct describe_client_quotas_response reply =
        describe_client_quotas_response_defaults;
    reply.error_code = error;
    reply.error_message = slice_str(why);
    return request_reply(req, &reply);
}

int api_describe_client_quotas(struct request *req)
{
    const struct describe_client_quotas_request *body = req->body;
    struct describe *own = request_array(req, 1, sizeof(*own));

    if (own == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->components_count; i++) {
        const char *wrong = judge_filter(&body->components[i]);
        for (size_t k = 0; k < i && wrong == NULL; k++) {
            if (slice_eq(body->components[k].entity_type,
                         body->components[i].entity_type))
                wrong = "an entity type is named more than once";
        }
        if (wrong != NULL)
            return refuse_filter(req, KAFKA_INVALID_REQUEST, wrong);
    }
    struct json *filters = json_array();
    for (size_t i = 0; i < body->components_count; i++) {
        struct json *row = json_array();
        json_push(row, json_slice(body->components[i].entity_type));
        json_push(row, json_int(body->components[i].match_type));
        json_push(row, json_slice(body->components[i].match));
        json_push(filters, row);
    }
    own->ask.path = "/agent/v1/quotas";
    own->ask.body = json_object();
    json_set(own->ask.body, "strict", json_bool(body->strict));
    json_set(own->ask.body, "filters", filters);
    own->ask.read = read_entries;
    own->ask.deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    req->own = own;
    return request_ask(req, &own->ask.ask, ASK_RELAY, on_described);
}
