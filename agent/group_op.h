/* group_op.h - what the handlers of group APIs share: making a group ask, reading
 * results.
 *
 *   struct group_ask *ask = group_ask_new(req, n);          NULL: ERR_TOO_LARGE
 *   struct json *op = group_op_json("heartbeat", group_id); and json_push()es
 *   rc = group_ask_set(req, &ask->ops[i], group_id, op, read_it, &result);
 *   return group_ask_send(req, ask, on_answer);             then req->own is ASK
 *
 * The ops are sent together and each answered by itself; `read` runs on the core thread,
 * ON_ANSWER on the client thread. */
#ifndef AGENT_GROUP_OP_H
#define AGENT_GROUP_OP_H

#include <stddef.h>
#include <stdint.h>

#include "agent/core.h"
#include "agent/request.h"
#include "common/arena.h"
#include "common/defs.h"
#include "common/json.h"
#include "common/slice.h"

/* ---- asking; client thread ---- */

struct group_ask *group_ask_new(struct request *req, size_t op_count) MUST_CHECK;
/* ["KIND", GROUP]; more is pushed onto it. */
struct json *group_op_json(const char *kind, struct slice group);
/* OP is JSON (ownership moves), its result goes through READ to OWN. ERR_TOO_LARGE. The
 * op's kind is PLAIN until the caller says otherwise. */
int group_ask_set(struct request *req, struct group_op *op, struct slice group,
                  struct json *json, group_read_fn *read, void *own) MUST_CHECK;
/* The same for an op without a request. */
int group_op_set(struct group_op *op, struct arena *arena, struct slice group,
                 struct json *json, group_read_fn *read, void *own) MUST_CHECK;
/* Returns request_ask's result. */
int group_ask_send(struct request *req, struct group_ask *ask,
                   request_answer_fn *on_answer) MUST_CHECK;

/* BEFORE, NAME and AFTER as one text; null when there is no room. */
struct slice group_message(struct arena *arena, const char *before, struct slice name,
                           const char *after);

/* Topic id and partitions: [topic_id, [partition...]]. */
struct json *group_partitions_json(const struct uuid *topic_id, const int32_t *partitions,
                                   size_t count);

/* What a client may do with a group where nobody is refused anything (KIP-430). */
#define GROUP_OPERATIONS 0xd48

/* ---- reading results; in a group_read_fn, memory of ARENA. A value that is not there or
 * wrong sets R; no room in the arena does too. ---- */

/* S, or "" where null is not allowed. */
static inline struct slice group_not_null(struct slice s)
{
    return s.ptr == NULL ? slice_str("") : s;
}

/* Element I of ROW. */
int16_t group_read_error(struct json_reader *r, const struct json *row, size_t i);
struct slice group_read_text(struct json_reader *r, const struct json *row, size_t i,
                             struct arena *arena); /* JSON null: the null slice */
struct slice group_read_bytes(struct json_reader *r, const struct json *row, size_t i,
                              struct arena *arena);
/* N zeroed elements of SIZE; NULL when R failed or fails. */
void *group_read_array(struct json_reader *r, size_t n, size_t size, struct arena *arena);

/* [[topic_id, [partition...]]...]; null gives count 0 and topics NULL. */
struct group_topic {
    struct uuid topic_id;
    int32_t *partitions;
    size_t partition_count;
};
struct group_topics {
    struct group_topic *topics;
    size_t count;
    bool null;
};
void group_read_topics(struct json_reader *r, const struct json *row, size_t i,
                       struct arena *arena, struct group_topics *topics);

#endif
