/* route.c - the tables and the search in them. A table is short: a search from its start
 * costs less than a microsecond. */
#include "controlplane/route.h"

#include <string.h>

#include "common/defs.h"
#include "controlplane/api.h"

#define SMALL  (64 * KIB)
#define MEDIUM MIB
#define LARGE  (8 * MIB)

static const struct route people_routes[] = {
    {"GET", "/healthz", ACCESS_OPEN, 0, SMALL, api_healthz},
    {"GET", "/readyz", ACCESS_OPEN, 0, SMALL, api_readyz},
    {"GET", "/metrics", ACCESS_OPEN, 0, SMALL, api_metrics},
    {"GET", "/api/v1/ca", ACCESS_OPEN, 0, SMALL, api_ca},
    {"POST", "/api/v1/enrol", ACCESS_ENROL, 0, SMALL, api_enrol},
    {"POST", "/api/v1/clusters", ACCESS_ADMIN, 0, SMALL, api_clusters_create},
    {"GET", "/api/v1/clusters", ACCESS_ADMIN, 0, SMALL, api_clusters_list},
    {"GET", "/api/v1/clusters/{id}", ACCESS_ADMIN, 0, SMALL, api_clusters_get},
    {"POST", "/api/v1/clusters/{id}/enrolment-tokens", ACCESS_ADMIN, ROUTE_OPTIONAL_BODY,
     SMALL, api_tokens_create},
};

static const struct route agent_routes[] = {
    {"POST", "/agent/v1/commit", ACCESS_AGENT, 0, LARGE, api_commit},
    {"POST", "/agent/v1/watch", ACCESS_AGENT, ROUTE_WAITS, SMALL, api_watch},
    {"POST", "/agent/v1/plan", ACCESS_AGENT, 0, MEDIUM, api_plan},
    {"POST", "/agent/v1/offsets", ACCESS_AGENT, 0, MEDIUM, api_offsets},
    {"POST", "/agent/v1/producer-ids", ACCESS_AGENT, 0, SMALL, api_producer_ids},
    {"POST", "/agent/v1/metadata", ACCESS_AGENT, ROUTE_OPTIONAL_BODY, SMALL,
     api_metadata},
    {"POST", "/agent/v1/register", ACCESS_AGENT, ROUTE_UNREGISTERED, SMALL, api_register},
    {"POST", "/agent/v1/leave", ACCESS_AGENT, ROUTE_UNREGISTERED | ROUTE_OPTIONAL_BODY,
     SMALL, api_leave},
    {"POST", "/agent/v1/renew", ACCESS_AGENT, ROUTE_UNREGISTERED, SMALL, api_renew},
    {"POST", "/agent/v1/nodes", ACCESS_AGENT, ROUTE_UNREGISTERED | ROUTE_OPTIONAL_BODY,
     SMALL, api_nodes},
    {"POST", "/agent/v1/topics/create", ACCESS_AGENT, 0, LARGE, api_topics_create},
    {"POST", "/agent/v1/topics/delete", ACCESS_AGENT, 0, MEDIUM, api_topics_delete},
    {"POST", "/agent/v1/topics/partitions", ACCESS_AGENT, 0, LARGE,
     api_topics_partitions},
    {"POST", "/agent/v1/topics/configs", ACCESS_AGENT, 0, LARGE, api_topics_configs},
};

static struct route_stats people_stats[ARRAY_LEN(people_routes)];
static struct route_stats agent_stats[ARRAY_LEN(agent_routes)];

const struct route_table people_table = {"people", people_routes,
                                         ARRAY_LEN(people_routes), people_stats};
const struct route_table agents_table = {"agents", agent_routes, ARRAY_LEN(agent_routes),
                                         agent_stats};

/* Does PATH fit PATTERN? A "{id}" takes one segment that is not empty. */
static bool path_matches(const char *pattern, const char *path, struct slice *id)
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
        *id = slice_of(path, len);
        path += len;
        pattern += strlen("{id}");
    }
    return *path == '\0';
}

enum route_result route_find(const struct route_table *table, const char *method,
                             const char *path, size_t *index, struct slice *id,
                             struct str *allow)
{
    enum route_result result = ROUTE_NO_PATH;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        struct slice found = SLICE_NULL;
        if (!path_matches(route->path, path, &found))
            continue;
        if (strcmp(route->method, method) == 0) {
            *index = i;
            *id = found;
            return ROUTE_FOUND;
        }
        if (result == ROUTE_NO_METHOD)
            str_puts(allow, ", ");
        str_puts(allow, route->method);
        result = ROUTE_NO_METHOD;
    }
    return result;
}
