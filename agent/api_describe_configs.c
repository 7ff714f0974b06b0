/* api_describe_configs.c - DescribeConfigs of topics, groups, and this agent as a broker.
 *
 * A topic shows every configuration that Kafka knows, with where its value comes from,
 * synonyms, types and documentation as asked (KIP-226, KIP-569). A broker shows
 * broker_config.def and the broker-level names of the topic configurations. What was set
 * while the agents run (AlterConfigs) stands before options and defaults. */
#include <ctype.h>
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

#define NUMBER_MAX    24
#define LOG_LEVEL_MAX 8

/* Values of broker_config.def that are not constants. */
struct broker_values {
    char advertised[300];
    const char *auto_create, *rack, *listeners;
    char node_id[NUMBER_MAX], idle_ms[NUMBER_MAX], replication_factor[NUMBER_MAX],
        fetch_max_bytes[NUMBER_MAX], max_connections[NUMBER_MAX], threads[NUMBER_MAX],
        partitions[NUMBER_MAX], max_request_bytes[NUMBER_MAX], flush_bytes[NUMBER_MAX],
        flush_interval_ms[NUMBER_MAX];
    const char *log_level;
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

/* One value that stands for a configuration, before those behind it. */
struct layer {
    const char *name, *value; /* NULL value: nothing was set here */
    enum config_source source;
};

/* Fill ROW with the first of LAYERS that has a value, and its synonyms with all that do,
 * if they are asked for. */
static int fill_row(struct request *req, const struct layer *layers, size_t count,
                    struct describe_configs_response_config *row)
{
    const struct describe_configs_request *body = req->body;
    struct describe_configs_response_synonym *rows = NULL;
    size_t n = 0;

    row->config_source = CONFIG_SOURCE_DEFAULT;
    if (body->include_synonyms) {
        rows = request_array(req, count, sizeof(*rows));
        if (rows == NULL)
            return ERR_TOO_LARGE;
    }
    for (size_t i = count; i-- > 0;) {
        if (layers[i].value == NULL)
            continue;
        row->value = slice_str(layers[i].value);
        row->config_source = (int8_t)layers[i].source;
    }
    for (size_t i = 0; i < count && rows != NULL; i++) {
        if (layers[i].value == NULL || layers[i].name == NULL)
            continue;
        rows[n].name = slice_str(layers[i].name);
        rows[n].value = slice_str(layers[i].value);
        rows[n++].source = (int8_t)layers[i].source;
    }
    row->synonyms = rows;
    row->synonyms_count = n;
    return 0;
}

static void begin_row(const struct describe_configs_request *body, const char *name,
                      enum topic_config_type type, const char *help,
                      struct describe_configs_response_config *row)
{
    *row = describe_configs_response_config_defaults;
    row->name = slice_str(name);
    row->config_type = (int8_t)type;
    if (body->include_documentation)
        row->documentation = slice_str(help);
}

/* What was set for all brokers under NAME, or NULL. */
static const char *set_for_all(struct request *req, const char *name)
{
    const struct topic_config_set *all =
        meta_setting(request_view(req), SETTING_BROKER, SLICE_LITERAL(""));
    return all == NULL || name == NULL ? NULL : topic_config_set_get(all, name);
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
        const struct layer layers[] = {
            {spec->name, topic_config_set_get(topic->set, spec->name),
             CONFIG_SOURCE_TOPIC},
            {spec->broker_name, set_for_all(req, spec->broker_name),
             CONFIG_SOURCE_BROKERS},
            {spec->broker_name, spec->default_text, CONFIG_SOURCE_DEFAULT},
        };
        begin_row(body, spec->name, spec->type, spec->help, &rows[n]);
        if (fill_row(req, layers, ARRAY_LEN(layers), &rows[n++]) != 0)
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
    print_int(values->flush_bytes, options->flush_bytes);
    print_int(values->flush_interval_ms, options->flush_interval_ms);
    values->log_level = options->log_level == NULL ? "info" : options->log_level;
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
#define FLUSH_BYTES        values->flush_bytes
#define FLUSH_INTERVAL_MS  values->flush_interval_ms
#define LOG_LEVEL          values->log_level
#define UNLIMITED          "9223372036854775807"

static int fill_broker_row(struct request *req, const struct broker_row *from,
                           const struct topic_config_set *own,
                           struct describe_configs_response_config *row)
{
    const struct topic_config_spec *spec =
        setting_find(SETTING_BROKER, slice_str(from->name));
    const struct layer layers[] = {
        {from->name, own == NULL ? NULL : topic_config_set_get(own, from->name),
         CONFIG_SOURCE_BROKER},
        {from->name, set_for_all(req, from->name), CONFIG_SOURCE_BROKERS},
        {from->name, from->value,
         from->is_option ? CONFIG_SOURCE_STATIC : CONFIG_SOURCE_DEFAULT},
    };

    begin_row(req->body, from->name, from->type, from->help, row);
    row->read_only = spec == NULL;
    return fill_row(req, layers, ARRAY_LEN(layers), row);
}

/* An empty name asks for what was set for all brokers. */
static int describe_brokers(struct request *req,
                            const struct describe_configs_request_resource *resource,
                            struct describe_configs_response_result *out)
{
    const struct topic_config_set *all =
        meta_setting(request_view(req), SETTING_BROKER, SLICE_LITERAL(""));
    size_t count = all == NULL ? 0 : all->count, n = 0;
    struct describe_configs_response_config *rows =
        request_array(req, count, sizeof(*rows));

    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        const char *name = all->entries[i].name;
        const struct topic_config_spec *spec =
            setting_find(SETTING_BROKER, slice_str(name));
        const struct layer layer = {name, all->entries[i].value, CONFIG_SOURCE_BROKERS};
        if (spec == NULL || !is_wanted(resource, name))
            continue;
        begin_row(req->body, name, spec->type, spec->help, &rows[n]);
        if (fill_row(req, &layer, 1, &rows[n++]) != 0)
            return ERR_TOO_LARGE;
    }
    out->configs = rows;
    out->configs_count = n;
    return 0;
}

static int describe_broker(struct request *req,
                           const struct describe_configs_request_resource *resource,
                           struct describe_configs_response_result *out)
{
    if (resource->resource_name.len == 0)
        return describe_brokers(req, resource, out);
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
    const struct topic_config_set *own =
        meta_setting(request_view(req), SETTING_BROKER, resource->resource_name);
    if (rows == NULL)
        return ERR_TOO_LARGE;
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (is_wanted(resource, fixed[i].name) &&
            fill_broker_row(req, &fixed[i], own, &rows[n++]) != 0)
            return ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < topic_config_spec_count; i++) {
        const struct topic_config_spec *spec = &topic_config_specs[i];
        if (spec->broker_name == NULL || !is_wanted(resource, spec->broker_name))
            continue;
        struct broker_row row = {spec->broker_name, spec->type, spec->default_text,
                                 spec->help, false};
        if (fill_broker_row(req, &row, own, &rows[n++]) != 0)
            return ERR_TOO_LARGE;
    }
    out->configs = rows;
    out->configs_count = n;
    return 0;
}

/* ---- loggers ---- */

/* A broker has one logger, whose level is the setting weft.log.level, in Kafka's words.
 */
static int describe_loggers(struct request *req,
                            const struct describe_configs_request_resource *resource,
                            struct describe_configs_response_result *out)
{
    const struct broker_values *values = broker_values(req);
    struct describe_configs_response_config *row = request_array(req, 1, sizeof(*row));
    char *level = request_array(req, 1, LOG_LEVEL_MAX + 1);

    if (values == NULL || row == NULL || level == NULL)
        return ERR_TOO_LARGE;
    if (!slice_eq_str(resource->resource_name, values->node_id)) {
        refuse(out, KAFKA_INVALID_REQUEST, values->refusal);
        return 0;
    }
    const char *set = meta_own_setting(request_view(req), LOG_LEVEL_SETTING);
    snprintf(level, LOG_LEVEL_MAX + 1, "%s", set == NULL ? values->log_level : set);
    for (char *p = level; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    const struct layer layer = {ROOT_LOGGER, level, CONFIG_SOURCE_BROKER_LOGGER};
    out->configs = row;
    if (!is_wanted(resource, ROOT_LOGGER))
        return 0;
    begin_row(req->body, ROOT_LOGGER, TOPIC_CONFIG_STRING, "What the agent logs.", row);
    out->configs_count = 1;
    return fill_row(req, &layer, 1, row);
}

/* ---- groups ---- */

/* Any group may be asked for, there or not: as in Kafka, what would hold for it. */
static int describe_group(struct request *req,
                          const struct describe_configs_request_resource *resource,
                          struct describe_configs_response_result *out)
{
    const struct topic_config_set *own =
        meta_setting(request_view(req), SETTING_GROUP, resource->resource_name);
    struct describe_configs_response_config *rows =
        request_array(req, group_setting_count, sizeof(*rows));
    size_t n = 0;

    if (rows == NULL)
        return ERR_TOO_LARGE;
    if (resource->resource_name.len == 0) {
        refuse(out, KAFKA_INVALID_REQUEST, "Group name must not be empty");
        return 0;
    }
    for (size_t i = 0; i < group_setting_count; i++) {
        const struct topic_config_spec *spec = &group_settings[i];
        const struct layer layers[] = {
            {spec->name, own == NULL ? NULL : topic_config_set_get(own, spec->name),
             CONFIG_SOURCE_GROUP},
            {spec->broker_name, set_for_all(req, spec->broker_name),
             CONFIG_SOURCE_BROKERS},
            {spec->broker_name, spec->default_text, CONFIG_SOURCE_DEFAULT},
        };
        if (!is_wanted(resource, spec->name))
            continue;
        begin_row(req->body, spec->name, spec->type, spec->help, &rows[n]);
        if (fill_row(req, layers, ARRAY_LEN(layers), &rows[n++]) != 0)
            return ERR_TOO_LARGE;
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
        else if (resource->resource_type == CONFIG_RESOURCE_BROKER_LOGGER)
            rc = describe_loggers(req, resource, out);
        else if (resource->resource_type == CONFIG_RESOURCE_GROUP)
            rc = describe_group(req, resource, out);
        else
            refuse(out, KAFKA_INVALID_REQUEST,
                   "only topics, brokers and groups are configured");
        if (rc != 0)
            return rc;
    }
    return request_reply(req, &reply);
}
