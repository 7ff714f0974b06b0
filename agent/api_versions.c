/* api_versions.c - ApiVersions: which APIs and versions are served (KIP-511, KIP-584).
 *
 * Answered from the table of APIs, without those that have no handler; also for versions
 * to come: then in version 0 with UNSUPPORTED_VERSION and the one row that the client
 * needs to try again.
 *
 * Of Kafka's features one is finalized, because it is true: group.version 1, the group
 * protocol of KIP-848. The epoch of that is the same on every agent of a version, so that
 * clients, which believe the highest epoch they see, see the same everywhere. */
#include <ctype.h>

#include "agent/dispatch.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

/* Counts up when what is finalized changes. */
#define FEATURES_EPOCH 1
/* Clients before this version cannot read a lowest level of 0 (KAFKA-17492). */
#define LEVEL_ZERO_FROM 4
#define GROUP_VERSION   1

/* Kafka's pattern: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? */
static bool is_software_name(struct slice s)
{
    if (s.len == 0 || !isalnum(s.ptr[0]) || !isalnum(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!isalnum(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '.')
            return false;
    }
    return true;
}

static void fill(struct api_versions_response_api *row, const struct kafka_api *api)
{
    row->api_key = api->key;
    row->min_version = api->advertised_min;
    row->max_version = api->max_version;
}

int api_api_versions(struct request *req)
{
    const struct api_versions_request *body = req->body;
    struct api_versions_response reply = api_versions_response_defaults;
    struct api_versions_response_api rows[KAFKA_API_COUNT];
    struct api_versions_response_supported_feature supported = {
        .name = slice_str("group.version"), .max_version = GROUP_VERSION};
    struct api_versions_response_finalized_feature finalized = {
        .name = slice_str("group.version"),
        .max_version_level = GROUP_VERSION,
        .min_version_level = GROUP_VERSION};

    reply.api_keys = rows;
    if (req->header.downgrade) {
        reply.error_code = KAFKA_UNSUPPORTED_VERSION;
        fill(&rows[0], req->header.api);
        reply.api_keys_count = 1;
        return request_reply(req, &reply);
    }
    if (req->header.api_version >= 3 &&
        (!is_software_name(body->client_software_name) ||
         !is_software_name(body->client_software_version))) {
        reply.error_code = KAFKA_INVALID_REQUEST;
        return request_reply(req, &reply);
    }
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        if (dispatch_is_advertised(kafka_apis[i].key))
            fill(&rows[reply.api_keys_count++], &kafka_apis[i]);
    }
    if (req->header.api_version >= LEVEL_ZERO_FROM) {
        reply.supported_features = &supported;
        reply.supported_features_count = 1;
    }
    reply.finalized_features = &finalized;
    reply.finalized_features_count = 1;
    reply.finalized_features_epoch = FEATURES_EPOCH;
    return request_reply(req, &reply);
}
