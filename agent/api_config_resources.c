/* api_config_resources.c - ListConfigResources (KIP-1142): what has settings, by type.
 *
 * Topics and brokers are all of them, groups those that something was set for. Version 0
 * asks for client metrics only, of which there are none. */
#include <stdio.h>

#include "agent/client_thread.h"
#include "agent/config_source.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define NUMBER_MAX 12

struct listing {
    struct list_config_resources_response_resource *rows;
    size_t count;
};

static void add(struct listing *out, int8_t type, struct slice name)
{
    out->rows[out->count].resource_name = name;
    out->rows[out->count++].resource_type = type;
}

static int add_brokers(struct request *req, const struct steering *steering, int8_t type,
                       struct listing *out)
{
    char(*numbers)[NUMBER_MAX] =
        request_array(req, steering->agent_count, sizeof(*numbers));
    if (numbers == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < steering->agent_count; i++) {
        snprintf(numbers[i], NUMBER_MAX, "%d", steering->agents[i]->node_id);
        add(out, type, slice_str(numbers[i]));
    }
    return 0;
}

static int list_type(struct request *req, const struct steering *steering, int8_t type,
                     struct listing *out)
{
    const struct meta_view *view = steering->view;

    switch (type) {
    case CONFIG_RESOURCE_TOPIC:
        for (size_t i = 0; i < view->topic_count; i++)
            add(out, type, view->topics[i]->name);
        return 0;
    case CONFIG_RESOURCE_BROKER:
    case CONFIG_RESOURCE_BROKER_LOGGER:
        return add_brokers(req, steering, type, out);
    case CONFIG_RESOURCE_GROUP:
        for (size_t i = 0; i < view->setting_count; i++) {
            if (view->settings[i].kind == SETTING_GROUP)
                add(out, type, view->settings[i].name);
        }
        return 0;
    default:
        return 0; /* client metrics: none */
    }
}

static bool is_type(int8_t type)
{
    return type == CONFIG_RESOURCE_TOPIC || type == CONFIG_RESOURCE_BROKER ||
           type == CONFIG_RESOURCE_BROKER_LOGGER ||
           type == CONFIG_RESOURCE_CLIENT_METRICS || type == CONFIG_RESOURCE_GROUP;
}

int api_list_config_resources(struct request *req)
{
    static const int8_t all[] = {CONFIG_RESOURCE_GROUP, CONFIG_RESOURCE_CLIENT_METRICS,
                                 CONFIG_RESOURCE_BROKER_LOGGER, CONFIG_RESOURCE_BROKER,
                                 CONFIG_RESOURCE_TOPIC};
    static const int8_t metrics[] = {CONFIG_RESOURCE_CLIENT_METRICS};
    const struct list_config_resources_request *body = req->body;
    struct list_config_resources_response reply = list_config_resources_response_defaults;
    const int8_t *types = body->resource_types;
    size_t n = body->resource_types_count;
    const struct meta_view *view = request_view(req);
    struct steering steering;
    struct listing out = {NULL, 0};
    bool seen[INT8_MAX + 1] = {false};

    if (req->header.api_version == 0) {
        types = metrics;
        n = ARRAY_LEN(metrics);
    } else if (n == 0) {
        types = all;
        n = ARRAY_LEN(all);
    }
    if (steering_init(&steering, view, request_zone(req), &req->arena) != 0)
        return ERR_TOO_LARGE;
    out.rows = request_array(
        req, view->topic_count + 2 * steering.agent_count + view->setting_count,
        sizeof(*out.rows));
    if (out.rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        if (!is_type(types[i])) {
            reply.error_code = KAFKA_UNSUPPORTED_VERSION;
            return request_reply(req, &reply);
        }
        int rc = seen[types[i]] ? 0 : list_type(req, &steering, types[i], &out);
        if (rc != 0)
            return rc;
        seen[types[i]] = true;
    }
    reply.config_resources = out.rows;
    reply.config_resources_count = out.count;
    return request_reply(req, &reply);
}
