/* api_find_coordinator.c - FindCoordinator: which agent a group is steered to.
 *
 * Any agent serves any group (I9); naming one of the client's zone by rendezvous hashing
 * keeps a group's members together and moves few groups when agents come and go. There
 * are no transactions and no share groups: their keys are refused with
 * UNSUPPORTED_VERSION, which clients treat as final, as InitProducerId does.
 *
 * librdkafka takes this API's presence for "the broker knows lz4" and sends lz4 batches
 * uncompressed to a broker that lacks it. */
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

enum { KEY_GROUP = 0, KEY_TRANSACTION = 1, KEY_SHARE = 2 };

/* First version with a list of keys (KIP-699). */
#define BATCHED_FROM 4

struct finder {
    struct steering steering;
    int8_t key_type;
};

static void find(const struct finder *finder, struct slice key,
                 struct find_coordinator_response_coordinator *out)
{
    *out = find_coordinator_response_coordinator_defaults;
    out->key = key;
    out->node_id = -1;
    out->port = -1;
    out->host = slice_str("");
    if (finder->key_type == KEY_GROUP) {
        const struct meta_agent *agent = steering_coordinator(&finder->steering, key);
        if (agent != NULL) {
            out->node_id = agent->node_id;
            out->host = slice_str(agent->host);
            out->port = agent->port;
            out->error_message = slice_str("");
            return;
        }
        out->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
    } else if (finder->key_type == KEY_TRANSACTION || finder->key_type == KEY_SHARE) {
        out->error_code = KAFKA_UNSUPPORTED_VERSION;
    } else {
        out->error_code = KAFKA_INVALID_REQUEST;
    }
    out->error_message = slice_str(kafka_error_text(out->error_code));
}

static int reply_one(struct request *req, const struct finder *finder, struct slice key)
{
    struct find_coordinator_response reply = find_coordinator_response_defaults;
    struct find_coordinator_response_coordinator found;

    find(finder, key, &found);
    reply.error_code = found.error_code;
    if (req->header.api_version >= 1)
        reply.error_message =
            found.error_code == 0 ? slice_str("NONE") : found.error_message;
    reply.node_id = found.node_id;
    reply.host = found.host;
    reply.port = found.port;
    return request_reply(req, &reply);
}

int api_find_coordinator(struct request *req)
{
    const struct find_coordinator_request *body = req->body;
    struct find_coordinator_response reply = find_coordinator_response_defaults;
    struct finder finder = {.key_type = body->key_type};

    if (steering_init(&finder.steering, request_view(req), request_zone(req),
                      &req->arena) != 0)
        return ERR_TOO_LARGE;
    if (req->header.api_version < BATCHED_FROM)
        return reply_one(req, &finder, body->key);
    reply.coordinators =
        request_array(req, body->coordinator_keys_count, sizeof(*reply.coordinators));
    if (reply.coordinators == NULL && body->coordinator_keys_count > 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < body->coordinator_keys_count; i++)
        find(&finder, body->coordinator_keys[i], &reply.coordinators[i]);
    reply.coordinators_count = body->coordinator_keys_count;
    return request_reply(req, &reply);
}
