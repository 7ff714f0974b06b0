/* api_audit.c - the audit log, of one cluster or of the cell with all clusters. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/list.h"
#include "controlplane/scope.h"

struct audit_row {
    uint64_t id;
    int64_t at_ms;
    struct uuid cluster_id, actor_id, request_id;
    enum actor_kind actor_kind;
    const char *actor_name, *remote, *action, *target; /* in the arena */
    int code;
    int16_t kafka_error;
};

struct audit_call {
    struct audit_query query;
    struct uuid cluster_id;
    size_t limit, count;
    uint64_t next;
    const struct audit_entry **entries;
    struct audit_row *rows;
};

static const char *keep(struct call *call, const char *text)
{
    return arena_strdup(&call->arena, slice_str(text));
}

static void list_core(struct node *node, struct call *call)
{
    struct audit_call *audit = call->data;

    audit->count = state_audit(node_state(node), &audit->query, audit->entries,
                               audit->limit, &audit->next);
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_entry *entry = audit->entries[i];
        audit->rows[i] = (struct audit_row){
            .id = entry->id,
            .at_ms = entry->at_ms,
            .cluster_id = entry->cluster_id,
            .actor_id = entry->actor_id,
            .request_id = entry->request_id,
            .actor_kind = entry->actor_kind,
            .actor_name = keep(call, entry->actor_name),
            .remote = keep(call, entry->remote),
            .action = keep(call, entry->action),
            .target = keep(call, entry->target),
            .code = entry->code,
            .kafka_error = entry->kafka_error,
        };
    }
    call_done(call);
}

static const char *kind_name(enum actor_kind kind)
{
    switch (kind) {
    case ACTOR_CELL:
        break;
    case ACTOR_TOKEN:
        return "token";
    case ACTOR_USER:
        return "user";
    case ACTOR_AGENT:
        return "agent";
    case ACTOR_NODE:
        return "node";
    }
    return "cell";
}

static struct json *row_json(const struct audit_row *row)
{
    struct json *value = json_object(), *actor = json_object();
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)row->id);
    json_set(actor, "kind", json_string(kind_name(row->actor_kind)));
    json_set(actor, "id", uuid_json(&row->actor_id));
    json_set(actor, "name", json_string(row->actor_name));
    json_set(value, "id", json_string(id));
    json_set(value, "at_ms", json_int(row->at_ms));
    json_set(value, "cluster_id", uuid_json(&row->cluster_id));
    json_set(value, "actor", actor);
    json_set(value, "remote", json_string(row->remote));
    json_set(value, "action", json_string(row->action));
    json_set(value, "target", json_string(row->target));
    json_set(value, "request_id", uuid_json(&row->request_id));
    int code = row->code != 0 ? row->code : call_code_of_kafka(row->kafka_error);
    if (code == ERR_OVERLOADED)
        code = ERR_LIMIT; /* as call_result() told it */
    json_set(value, "result", json_string(code == 0 ? "OK" : err_name(code)));
    json_set(value, "kafka_error", json_int(row->kafka_error));
    return value;
}

static void list_answer(struct call *call)
{
    const struct audit_call *audit = call->data;
    struct json *items = json_array();
    char next[24];

    for (size_t i = 0; i < audit->count; i++)
        json_push(items, row_json(&audit->rows[i]));
    snprintf(next, sizeof(next), "%llu", (unsigned long long)audit->next);
    list_reply(call, items, audit->next != 0 ? next : NULL);
}

/* Both lists but for what is CLUSTER. */
static void start(struct call *call, struct audit_call *audit)
{
    struct audit_query *query = &audit->query;
    const char *sort = http_exchange_query(call->x, "sort");

    if (sort != NULL && strcmp(sort, "at_ms") != 0 && strcmp(sort, "-at_ms") != 0)
        call_fail(call, ERR_INVALID, "sort: want at_ms or -at_ms");
    query->newest_first = sort == NULL || sort[0] == '-';
    query->actor = call_query_text(call, "actor", COMMAND_ACTOR_NAME_MAX);
    query->action = call_query_text(call, "action", COMMAND_ACTION_MAX);
    query->from_ms = call_query_int(call, "from_ms", 0, CALL_TIME_MAX, 0);
    query->to_ms = call_query_int(call, "to_ms", 0, CALL_TIME_MAX, 0);
    query->after = (uint64_t)call_query_int(call, "after", 1, INT64_MAX, 0);
    audit->limit = list_limit(call);
    if (call->err.code != 0)
        return;
    audit->entries = arena_array(&call->arena, audit->limit, sizeof(*audit->entries));
    audit->rows = arena_array(&call->arena, audit->limit, sizeof(*audit->rows));
    call->data = audit;
    call_ask(call, list_core, list_answer);
}

/* --- GET /api/v1/clusters/{cluster}/audit --- */

void api_audit_cluster(struct call *call)
{
    struct audit_call *audit = arena_alloc(&call->arena, sizeof(*audit));
    audit->query.cluster_id = &call->cluster_id; /* set on the way here: the path's */
    start(call, audit);
}

/* --- GET /api/v1/audit --- */

void api_audit_all(struct call *call)
{
    struct audit_call *audit = arena_alloc(&call->arena, sizeof(*audit));
    bool found;
    audit->cluster_id = call_query_uuid(call, "cluster_id", &found);
    if (found)
        audit->query.cluster_id = &audit->cluster_id;
    start(call, audit);
}
