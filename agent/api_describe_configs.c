/* api_describe_configs.c - DescribeConfigs of topics and of this agent as a broker.
 *
 * A topic shows every configuration that Kafka knows, with where its value comes from,
 * synonyms, types and documentation as asked (KIP-226, KIP-569). A broker shows
 * broker_config.def and the broker-level names of the topic configurations. */
#include <stdio.h>

#include "agent/client_thread.h"
#include "agent/config_source.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"
#include "proto/topic_config.h"

/* Resources of one request: each costs a few kilobytes of reply. */
#define RESOURCES_MAX 10000

#define NUMBER_MAX 24

/* Values of broker_config.def that are not constants. */
struct broker_values {
    char advertised[300];
    const char *auto_create, *rack, *listeners;
    char node_id[NUMBER_MAX], idle_ms[NUMBER_MAX], replication_factor[NUMBER_MAX],
        fetch_max_bytes[NUMBER_MAX], max_connections[NUMBER_MAX], threads[NUMBER_MAX],
        partitions[NUMBER_MAX], max_request_bytes[NUMBER_MAX];
    char refusal[64];
};

static bool is_wanted(const struct describe_configs_request_resource *resource,
                      const char *name)
{
    if (resource->configuration_keys_count == 0)
        return true; /* null and empty: all */
    for (size_t i = 0; i < resource->configuration_keys_count; i++) {
        if (slice_eq_str(resource->configuration_keys[i], name))
            return true;
    }
    return false;
}

static int16_t refuse(struct describe_configs_response_result *out, int16_t error,
                      const char *message)
{
    out->error_code = error;
    out->error_message = slice_str(message == NULL ? kafka_error_text(error) : message);
    return error;
}

/* The values that stand behind one another: the topic's, then the default. */
static int fill_synonyms(struct request *req, const struct topic_config_spec *spec,
                         const char *set, struct describe_configs_response_config *out)
{
    struct describe_configs_response_synonym *rows = request_array(req, 2, sizeof(*rows));
    size_t n = 0;
    if (rows == NULL)
        return ERR_TOO_LARGE;
    if (set != NULL) {
        rows[n].name = slice_str(spec->name);
        rows[n].value = slice_str(set);
        rows[n++].source = CONFIG_SOURCE_TOPIC;
    }
    if (spec->broker_name != NULL) {
        rows[n].name = slice_str(spec->broker_name);
        rows[n].value = slice_str(spec->default_text);
        rows[n++].source = CONFIG_SOURCE_DEFAULT;
    }
    out->synonyms = rows;
    out->synonyms_count = n;
    return 0;
}

static int describe_topic(struct request *req,
                          const struct describe_configs_request_resource *resource,
                          struct describe_configs_response_result *out)
{
    const struct describe_configs_request *body = req->body;
    if (!topic_name_valid(resource->resource_name)) {
        refuse(out, KAFKA_INVALID_TOPIC_EXCEPTION, NULL);
        return 0;
    }
    const struct meta_topic *topic =
        meta_topic_by_name(request_view(req), resource->resource_name);
    if (topic == NULL) {
        refuse(out, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, NULL);
        return 0;
    }
    struct describe_configs_response_config *rows =
        request_array(req, topic_config_spec_count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    size_t n = 0;
    for (size_t i = 0; i < topic_config_spec_count; i++) {
        const struct topic_config_spec *spec = &topic_config_specs[i];
        if (!is_wanted(resource, spec->name))
            continue;
        const char *set = topic_config_set_get(topic->set, spec->name);
        struct describe_configs_response_config *row = &rows[n++];
        *row = describe_configs_response_config_defaults;
        row->name = slice_str(spec->name);
        row->value = slice_str(set != NULL ? set : spec->default_text);
        row->config_source = set != NULL ? CONFIG_SOURCE_TOPIC : CONFIG_SOURCE_DEFAULT;
        row->config_type = (int8_t)spec->type;
        if (body->include_documentation)
            row->documentation = slice_str(spec->help);
        if (body->include_synonyms && fill_synonyms(req, spec, set, row) != 0)
            return ERR_TOO_LARGE;
    }
    out->configs = rows;
    out->configs_count = n;
    return 0;
}

/* ---- broker ---- */

static void print_int(char text[NUMBER_MAX], int64_t value)
{
    snprintf(text, NUMBER_MAX, "%lld", (long long)value);
}

/* The values of this agent; NULL past the request's memory. */
static struct broker_values *broker_values(struct request *req)
{
    const struct front_options *options = request_options(req);
    const struct meta_view *view = request_view(req);
    const struct meta_agent *self = meta_agent_by_id(view, view->self_node_id);
    struct broker_values *values = request_array(req, 1, sizeof(*values));
    if (values == NULL)
        return NULL;
    if (self != NULL)
        snprintf(values->advertised, sizeof(values->advertised), "PLAINTEXT://%s:%d",
                 self->host, self->port);
    values->auto_create = options->auto_create_topics ? "true" : "false";
    values->rack = self == NULL ? NULL : (const char *)steering_rack(self).ptr;
    values->listeners = options->listen;
    print_int(values->node_id, view->self_node_id);
    print_int(values->idle_ms, options->idle_timeout_ms);
    print_int(values->replication_factor, options->default_replication_factor);
    print_int(values->fetch_max_bytes, options->fetch_max_bytes);
    print_int(values->max_connections, (int64_t)options->max_connections);
    print_int(values->threads, (int64_t)req->thread->front->thread_count);
    print_int(values->partitions, options->default_partitions);
    print_int(values->max_request_bytes, (int64_t)options->max_request_bytes);
    snprintf(values->refusal, sizeof(values->refusal),
             "ask the broker itself: this is %s", values->node_id);
    return values;
}

struct broker_row {
    const char *name;
    enum topic_config_type type;
    const char *value;
    const char *help;
    bool is_option;
};

#define ADVERTISED         values->advertised
#define AUTO_CREATE        values->auto_create
#define NODE_ID            values->node_id
#define RACK               values->rack
#define IDLE_MS            values->idle_ms
#define REPLICATION_FACTOR values->replication_factor
#define FETCH_MAX_BYTES    values->fetch_max_bytes
#define LISTENERS          values->listeners
#define MAX_CONNECTIONS    values->max_connections
#define THREADS            values->threads
#define PARTITIONS         values->partitions
#define MAX_REQUEST_BYTES  values->max_request_bytes

static void fill_broker_row(const struct describe_configs_request *body,
                            const struct broker_row *from,
                            struct describe_configs_response_config *row)
{
    *row = describe_configs_response_config_defaults;
    row->name = slice_str(from->name);
    row->value = slice_str(from->value);
    row->read_only = true;
    row->config_source = from->is_option ? CONFIG_SOURCE_STATIC : CONFIG_SOURCE_DEFAULT;
    row->config_type = (int8_t)from->type;
    if (body->include_documentation)
        row->documentation = slice_str(from->help);
}

static int describe_broker(struct request *req,
                           const struct describe_configs_request_resource *resource,
                           struct describe_configs_response_result *out)
{
    const struct describe_configs_request *body = req->body;
    /* An empty name asks for the defaults of all brokers: none are set. */
    if (resource->resource_name.len == 0)
        return 0;
    const struct broker_values *values = broker_values(req);
    if (values == NULL)
        return ERR_TOO_LARGE;
    if (!slice_eq_str(resource->resource_name, values->node_id)) {
        refuse(out, KAFKA_INVALID_REQUEST, values->refusal);
        return 0;
    }
    const struct broker_row fixed[] = {
#define BROKER_CONFIG(name, type, value, help)                                           \
    {name, TOPIC_CONFIG_##type, value, help, true},
#include "agent/broker_config.def"
#undef BROKER_CONFIG
    };
    struct describe_configs_response_config *rows =
        request_array(req, ARRAY_LEN(fixed) + topic_config_spec_count, sizeof(*rows));
    if (rows == NULL)
        return ERR_TOO_LARGE;
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (is_wanted(resource, fixed[i].name))
            fill_broker_row(body, &fixed[i], &rows[n++]);
    }
    for (size_t i = 0; i < topic_config_spec_count; i++) {
        const struct topic_config_spec *spec = &topic_config_specs[i];
        if (spec->broker_name == NULL || !is_wanted(resource, spec->broker_name))
            continue;
        struct broker_row row = {spec->broker_name, spec->type, spec->default_text,
                                 spec->help, false};
        fill_broker_row(body, &row, &rows[n++]);
    }
    out->configs = rows;
    out->configs_count = n;
    return 0;
}

/* ---- the request ---- */

static bool any_unknown(struct request *req)
{
    const struct describe_configs_request *body = req->body;
    for (size_t i = 0; i < body->resources_count; i++) {
        struct slice name = body->resources[i].resource_name;
        if (body->resources[i].resource_type == CONFIG_RESOURCE_TOPIC &&
            topic_name_valid(name) && meta_topic_by_name(request_view(req), name) == NULL)
            return true;
    }
    return false;
}

int api_describe_configs(struct request *req)
{
    const struct describe_configs_request *body = req->body;
    struct describe_configs_response reply = describe_configs_response_defaults;
    size_t n = body->resources_count;

    if (n > RESOURCES_MAX)
        return ERR_TOO_LARGE;
    if (!req->refreshed && any_unknown(req))
        return request_refresh(req);
    reply.results = request_array(req, n, sizeof(*reply.results));
    reply.results_count = n;
    if (reply.results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const struct describe_configs_request_resource *resource = &body->resources[i];
        struct describe_configs_response_result *out = &reply.results[i];
        *out = describe_configs_response_result_defaults;
        out->resource_type = resource->resource_type;
        out->resource_name = resource->resource_name;
        int rc = 0;
        if (resource->resource_type == CONFIG_RESOURCE_TOPIC)
            rc = describe_topic(req, resource, out);
        else if (resource->resource_type == CONFIG_RESOURCE_BROKER)
            rc = describe_broker(req, resource, out);
        else
            refuse(out, KAFKA_INVALID_REQUEST, "only topics and brokers are configured");
        if (rc != 0)
            return rc;
    }
    return request_reply(req, &reply);
}
