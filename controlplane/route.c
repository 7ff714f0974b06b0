/* route.c - the tables and the search in them. A table is short: a search from its start
 * costs less than a microsecond. */
#include "controlplane/route.h"

#include <string.h>

#include "common/defs.h"
#include "controlplane/api.h"

#define SMALL  (64 * KIB)
#define MEDIUM MIB
#define LARGE  (8 * MIB)

#define C    "/api/v1/clusters/{cluster}"
#define CELL "/api/v1/cell"
#define BODY ROUTE_OPTIONAL_BODY

static const struct route people_routes[] = {
    {"GET", "/healthz", ACCESS_OPEN, 0, SMALL, api_healthz, NULL},
    {"GET", "/readyz", ACCESS_OPEN, 0, SMALL, api_readyz, NULL},
    {"GET", "/metrics", ACCESS_OPEN, ROUTE_ANY_NODE, SMALL, api_metrics, NULL},
    {"GET", "/api/v1/openapi.json", ACCESS_OPEN, 0, SMALL, api_openapi, NULL},
    {"GET", "/api/v1/docs", ACCESS_OPEN, 0, SMALL, api_docs, NULL},
    {"GET", "/api/v1/docs/page.js", ACCESS_OPEN, 0, SMALL, api_docs_script, NULL},
    {"GET", "/api/v1/docs/page.css", ACCESS_OPEN, 0, SMALL, api_docs_style, NULL},
    {"GET", "/", ACCESS_OPEN, 0, SMALL, api_console_moved, NULL},
    {"GET", "/console", ACCESS_OPEN, 0, SMALL, api_console, NULL},
    {"GET", "/console/", ACCESS_OPEN, 0, SMALL, api_console_moved, NULL},
    {"GET", "/console/{file}", ACCESS_OPEN, 0, SMALL, api_console_file, NULL},
    {"GET", "/console/pages/{file}", ACCESS_OPEN, 0, SMALL, api_console_page, NULL},
    {"GET", "/api/v1/ca", ACCESS_OPEN, 0, SMALL, api_ca, NULL},
    {"POST", "/api/v1/enrol", ACCESS_ENROL, 0, SMALL, api_enrol, "agent.enrol"},
    {"GET", "/api/v1/whoami", ACCESS_VIEWER, 0, SMALL, api_whoami, NULL},
    /* clusters */
    {"GET", "/api/v1/clusters", ACCESS_VIEWER, 0, SMALL, api_clusters_list, NULL},
    {"POST", "/api/v1/clusters", ACCESS_OPERATOR, 0, SMALL, api_clusters_create,
     "cluster.create"},
    {"GET", C, ACCESS_VIEWER, 0, SMALL, api_clusters_get, NULL},
    {"PATCH", C, ACCESS_ADMIN, 0, SMALL, api_clusters_patch, "cluster.rename"},
    {"DELETE", C, ACCESS_OPERATOR, 0, SMALL, api_clusters_delete, "cluster.delete"},
    {"GET", C "/limits", ACCESS_VIEWER, 0, SMALL, api_limits_get, NULL},
    {"PATCH", C "/limits", ACCESS_OPERATOR, 0, SMALL, api_limits_patch, "cluster.limits"},
    {"GET", C "/overview", ACCESS_VIEWER, 0, SMALL, api_overview, NULL},
    {"GET", C "/usage", ACCESS_VIEWER, 0, SMALL, api_usage_list, NULL},
    {"GET", C "/audit", ACCESS_VIEWER, 0, SMALL, api_audit_cluster, NULL},
    /* their agents */
    {"GET", C "/agents", ACCESS_VIEWER, 0, SMALL, api_agents_list, NULL},
    {"GET", C "/agents/{agent}", ACCESS_VIEWER, 0, SMALL, api_agents_get, NULL},
    {"PATCH", C "/agents/{agent}", ACCESS_ADMIN, 0, SMALL, api_agents_patch,
     "agent.drain"},
    {"DELETE", C "/agents/{agent}", ACCESS_ADMIN, 0, SMALL, api_agents_delete,
     "agent.forget"},
    /* their topics */
    {"GET", C "/topics", ACCESS_VIEWER, 0, SMALL, api_people_topics_list, NULL},
    {"POST", C "/topics", ACCESS_ADMIN, 0, MEDIUM, api_people_topics_create,
     "topic.create"},
    {"GET", C "/topics/{topic}", ACCESS_VIEWER, 0, SMALL, api_people_topics_get, NULL},
    {"PATCH", C "/topics/{topic}", ACCESS_ADMIN, 0, MEDIUM, api_people_topics_patch,
     "topic.configs"},
    {"DELETE", C "/topics/{topic}", ACCESS_ADMIN, 0, SMALL, api_people_topics_delete,
     "topic.delete"},
    {"GET", C "/topics/{topic}/partitions", ACCESS_VIEWER, 0, SMALL, api_partitions_list,
     NULL},
    /* their groups */
    {"GET", C "/groups", ACCESS_VIEWER, 0, SMALL, api_people_groups_list, NULL},
    {"GET", C "/groups/{group}", ACCESS_VIEWER, 0, SMALL, api_people_groups_get, NULL},
    {"DELETE", C "/groups/{group}", ACCESS_ADMIN, 0, SMALL, api_people_groups_delete,
     "group.delete"},
    {"GET", C "/groups/{group}/offsets", ACCESS_VIEWER, 0, SMALL,
     api_people_groups_offsets, NULL},
    {"POST", C "/groups/{group}/reset-offsets", ACCESS_ADMIN, 0, MEDIUM,
     api_people_groups_reset, "group.reset-offsets"},
    /* tokens and users */
    {"GET", C "/enrolment-tokens", ACCESS_VIEWER, 0, SMALL, api_enrolment_tokens_list,
     NULL},
    {"POST", C "/enrolment-tokens", ACCESS_ADMIN, BODY, SMALL,
     api_enrolment_tokens_create, "enrolment-token.create"},
    {"GET", C "/enrolment-tokens/{token}", ACCESS_VIEWER, 0, SMALL,
     api_enrolment_tokens_get, NULL},
    {"DELETE", C "/enrolment-tokens/{token}", ACCESS_ADMIN, 0, SMALL,
     api_enrolment_tokens_delete, "enrolment-token.delete"},
    {"GET", "/api/v1/users", ACCESS_VIEWER, 0, SMALL, api_users_list, NULL},
    {"POST", "/api/v1/users", ACCESS_ADMIN, 0, SMALL, api_users_create, "user.create"},
    {"GET", "/api/v1/users/{user}", ACCESS_VIEWER, 0, SMALL, api_users_get, NULL},
    {"PATCH", "/api/v1/users/{user}", ACCESS_ADMIN, 0, SMALL, api_users_patch,
     "user.alter"},
    {"DELETE", "/api/v1/users/{user}", ACCESS_ADMIN, 0, SMALL, api_users_delete,
     "user.delete"},
    {"GET", "/api/v1/tokens", ACCESS_VIEWER, 0, SMALL, api_tokens_list, NULL},
    {"POST", "/api/v1/tokens", ACCESS_ADMIN, 0, SMALL, api_tokens_create, "token.create"},
    {"GET", "/api/v1/tokens/{token}", ACCESS_VIEWER, 0, SMALL, api_tokens_get, NULL},
    {"DELETE", "/api/v1/tokens/{token}", ACCESS_VIEWER, 0, SMALL, api_tokens_delete,
     "token.delete"},
    /* of all clusters, and of the cell */
    {"GET", "/api/v1/usage", ACCESS_OPERATOR, 0, SMALL, api_usage_all, NULL},
    {"GET", "/api/v1/audit", ACCESS_OPERATOR, 0, SMALL, api_audit_all, NULL},
    {"GET", "/api/v1/backups", ACCESS_OPERATOR, 0, SMALL, api_backups_list, NULL},
    {"POST", "/api/v1/backups", ACCESS_OPERATOR, 0, SMALL, api_backups_record,
     "backup.record"},
    {"GET", "/api/v1/backups/download", ACCESS_OPERATOR, ROUTE_WAITS | ROUTE_NO_HEAD,
     SMALL, api_backups_download, NULL},
    {"GET", "/api/v1/backups/{backup}", ACCESS_OPERATOR, 0, SMALL, api_backups_get, NULL},
    {"GET", CELL, ACCESS_OPERATOR, 0, SMALL, api_cell_get, NULL},
    {"PATCH", CELL, ACCESS_OPERATOR, 0, SMALL, api_cell_patch, "cell.feature-level"},
    {"GET", CELL "/logs", ACCESS_OPERATOR, ROUTE_ANY_NODE, SMALL, api_cell_logs, NULL},
    {"GET", CELL "/nodes", ACCESS_OPERATOR, 0, SMALL, api_cell_nodes_list, NULL},
    {"GET", CELL "/nodes/{node}", ACCESS_OPERATOR, 0, SMALL, api_cell_nodes_get, NULL},
    {"DELETE", CELL "/nodes/{node}", ACCESS_OPERATOR, BODY, SMALL, api_cell_nodes_delete,
     "node.remove"},
    {"POST", CELL "/nodes/{node}/promote", ACCESS_OPERATOR, BODY, SMALL,
     api_cell_nodes_promote, "node.promote"},
    {"POST", CELL "/nodes/{node}/demote", ACCESS_OPERATOR, BODY, SMALL,
     api_cell_nodes_demote, "node.demote"},
    {"POST", CELL "/transfer", ACCESS_OPERATOR, BODY, SMALL, api_cell_transfer,
     "cell.transfer"},
    {"POST", CELL "/join", ACCESS_JOIN, 0, SMALL, api_cell_join, "node.join"},
    {"GET", CELL "/join-tokens", ACCESS_OPERATOR, 0, SMALL, api_join_tokens_list, NULL},
    {"POST", CELL "/join-tokens", ACCESS_OPERATOR, BODY, SMALL, api_join_tokens_create,
     "join-token.create"},
    {"GET", CELL "/join-tokens/{token}", ACCESS_OPERATOR, 0, SMALL, api_join_tokens_get,
     NULL},
    {"DELETE", CELL "/join-tokens/{token}", ACCESS_OPERATOR, 0, SMALL,
     api_join_tokens_delete, "join-token.delete"},
    {"GET", CELL "/ca", ACCESS_OPERATOR, 0, SMALL, api_cell_cas_list, NULL},
    {"POST", CELL "/ca", ACCESS_OPERATOR, BODY, SMALL, api_cell_cas_create, "ca.create"},
    {"DELETE", CELL "/ca/{fingerprint}", ACCESS_OPERATOR, 0, SMALL, api_cell_cas_delete,
     "ca.retire"},
};

static const struct route agent_routes[] = {
    {"POST", "/agent/v1/commit", ACCESS_AGENT, ROUTE_OWN_TURNS, LARGE, api_commit, NULL},
    {"POST", "/agent/v1/watch", ACCESS_AGENT, ROUTE_WAITS, SMALL, api_watch,
     "cell.commits-missing"},
    {"POST", "/agent/v1/plan", ACCESS_AGENT, 0, MEDIUM, api_plan, NULL},
    {"POST", "/agent/v1/groups", ACCESS_AGENT, 0, LARGE, api_groups, NULL},
    {"POST", "/agent/v1/offsets", ACCESS_AGENT, 0, MEDIUM, api_offsets, NULL},
    {"POST", "/agent/v1/producer-ids", ACCESS_AGENT, 0, SMALL, api_producer_ids, NULL},
    {"POST", "/agent/v1/metadata", ACCESS_AGENT, BODY, SMALL, api_cluster_metadata, NULL},
    {"POST", "/agent/v1/usage", ACCESS_AGENT, 0, SMALL, api_usage_report, NULL},
    {"POST", "/agent/v1/register", ACCESS_AGENT, ROUTE_UNREGISTERED, SMALL, api_register,
     NULL},
    {"POST", "/agent/v1/leave", ACCESS_AGENT, ROUTE_UNREGISTERED | BODY, SMALL, api_leave,
     NULL},
    {"POST", "/agent/v1/renew", ACCESS_AGENT, ROUTE_UNREGISTERED, SMALL, api_renew, NULL},
    {"POST", "/agent/v1/nodes", ACCESS_AGENT, ROUTE_UNREGISTERED | BODY, SMALL, api_nodes,
     NULL},
    /* among the nodes of the cell */
    {"POST", "/node/v1/report", ACCESS_NODE, 0, SMALL, api_node_report, NULL},
    {"POST", "/agent/v1/topics/create", ACCESS_AGENT, 0, LARGE, api_topics_create,
     "topic.create"},
    {"POST", "/agent/v1/topics/delete", ACCESS_AGENT, 0, MEDIUM, api_topics_delete,
     "topic.delete"},
    {"POST", "/agent/v1/topics/partitions", ACCESS_AGENT, 0, LARGE, api_topics_partitions,
     "topic.partitions"},
    {"POST", "/agent/v1/topics/configs", ACCESS_AGENT, 0, LARGE, api_topics_configs,
     "topic.configs"},
    {"POST", "/agent/v1/records/delete", ACCESS_AGENT, 0, MEDIUM, api_records_delete,
     NULL},
    {"POST", "/agent/v1/sizes", ACCESS_AGENT, 0, LARGE, api_sizes, NULL},
    {"POST", "/agent/v1/producers", ACCESS_AGENT, 0, MEDIUM, api_producers, NULL},
    {"POST", "/agent/v1/quorum", ACCESS_AGENT, BODY, SMALL, api_quorum, NULL},
    {"POST", "/agent/v1/quotas", ACCESS_AGENT, 0, SMALL, api_quotas_list, NULL},
    {"POST", "/agent/v1/quotas/alter", ACCESS_AGENT, 0, MEDIUM, api_quotas_alter,
     "quotas.alter"},
};

static struct route_stats people_stats[ARRAY_LEN(people_routes)];
static struct route_stats agent_stats[ARRAY_LEN(agent_routes)];

const struct route_table people_table = {"people", people_routes,
                                         ARRAY_LEN(people_routes), people_stats};
const struct route_table agents_table = {"agents", agent_routes, ARRAY_LEN(agent_routes),
                                         agent_stats};

/* Does PATH fit PATTERN? A "{name}" takes one segment that is not empty. */
static bool path_matches(const char *pattern, const char *path, struct route_match *match)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t len = strcspn(path, "/");
        if (len == 0)
            return false;
        if (strncmp(pattern, "{cluster}", strlen("{cluster}")) == 0)
            match->cluster = slice_of(path, len);
        else
            match->id = slice_of(path, len);
        path += len;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

/* GET brings HEAD along, and every path has OPTIONS. */
static void allow_method(struct str *allow, const struct route *route)
{
    if (allow->len == 0)
        str_puts(allow, "OPTIONS");
    str_printf(allow, ", %s", route->method);
    if (strcmp(route->method, "GET") == 0 && (route->flags & ROUTE_NO_HEAD) == 0)
        str_puts(allow, ", HEAD");
}

enum route_result route_find(const struct route_table *table, const char *method,
                             const char *path, struct route_match *match,
                             struct str *allow)
{
    enum route_result result = ROUTE_NO_PATH;
    bool head = strcmp(method, "HEAD") == 0;

    if (head)
        method = "GET";
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        struct route_match found = {.index = i};
        if (!path_matches(route->path, path, &found))
            continue;
        bool same = strcmp(route->method, method) == 0;
        if (same && !(head && (route->flags & ROUTE_NO_HEAD) != 0)) {
            *match = found;
            return ROUTE_FOUND;
        }
        allow_method(allow, route);
        result = ROUTE_NO_METHOD;
        if (same)
            break; /* a pattern further down is for others */
    }
    return result;
}
