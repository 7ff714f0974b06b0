/* topic_change.h - creating, deleting, growing and configuring topics: one call to the
 * control plane with a list of items, and a result for each.
 *
 * For handlers: init, add each item, ask; the answer comes when the change is durable and
 * this agent's own view shows it (or at once, if it was only to be validated). */
#ifndef AGENT_TOPIC_CHANGE_H
#define AGENT_TOPIC_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core.h"
#include "agent/request.h"
#include "common/slice.h"
#include "common/uuid.h"

enum topic_change_op { TOPICS_CREATE, TOPICS_DELETE, TOPICS_PARTITIONS, TOPICS_CONFIGS };

struct topic_result {
    int16_t kafka_error;
    const char *message; /* in the request's arena, or NULL */
    struct uuid topic_id;
    struct slice name;
    int32_t partitions;
    int16_t replication_factor;
};

struct topic_change {
    struct relay_ask relay; /* its kafka_error is of the whole call */
    enum topic_change_op op;
    bool validate_only;
    size_t item_count;
    struct json *items;
    struct topic_result *results; /* one for each item, when the whole has no error */
};

void topic_change_init(struct topic_change *change, enum topic_change_op op,
                       bool validate_only);
/* ITEM is one of control_api.md's list for the op; ownership moves. Returns the index of
 * its result. */
size_t topic_change_add(struct topic_change *change, struct json *item);
/* Send it off for REQ, until DEADLINE_AT_MS; without items ON_ANSWER is called at once.
 * Returns what the handler has to. */
int topic_change_ask(struct request *req, struct topic_change *change,
                     int64_t deadline_at_ms, request_answer_fn *on_answer);

/* The same without a request: make the relay's body, for relay_ask (and tests). */
void topic_change_seal(struct topic_change *change, int64_t deadline_at_ms);

/* What became of an item: the error of the whole, or its own. *RESULT is the item's, NULL
 * if the whole has an error. */
int16_t topic_change_error(const struct topic_change *change, size_t item,
                           const struct topic_result **result);

#endif
