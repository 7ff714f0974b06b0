/* api_producer_id.c - InitProducerId for idempotent producers.
 *
 * Without a transactional id every call gets a fresh producer id with epoch 0, whatever
 * id the producer had before (kafka.md 3.3). Transactions are not served: an id for one
 * is refused with UNSUPPORTED_VERSION, which every client treats as fatal at once, where
 * the codes of a missing coordinator would have it try for ever. */
#include "agent/dispatch.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

#define TIMEOUT_MS 20000

static int refuse(struct request *req, int16_t error)
{
    struct init_producer_id_response reply = init_producer_id_response_defaults;
    reply.error_code = error;
    reply.producer_epoch = -1;
    return request_reply(req, &reply);
}

static int on_id(struct request *req)
{
    const struct producer_id_ask *ask = req->own;
    if (ask->kafka_error != 0)
        return refuse(req, ask->kafka_error);
    struct init_producer_id_response reply = init_producer_id_response_defaults;
    reply.producer_id = ask->producer_id;
    reply.producer_epoch = 0;
    return request_reply(req, &reply);
}

int api_init_producer_id(struct request *req)
{
    const struct init_producer_id_request *body = req->body;

    if (body->transactional_id.ptr != NULL)
        return refuse(req, body->transactional_id.len == 0 ? KAFKA_INVALID_REQUEST
                                                           : KAFKA_UNSUPPORTED_VERSION);
    if ((body->producer_id < 0) != (body->producer_epoch < 0))
        return refuse(req, KAFKA_INVALID_REQUEST);
    struct producer_id_ask *ask = request_array(req, 1, sizeof(*ask));
    if (ask == NULL)
        return ERR_TOO_LARGE;
    ask->deadline_at_ms = request_now_ms(req) + TIMEOUT_MS;
    req->own = ask;
    return request_ask(req, &ask->ask, ASK_PRODUCER_ID, on_id);
}
