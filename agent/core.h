/* core.h - what client threads ask of the core thread, and how it answers.
 *
 * An ask is a message: the client thread fills it and sends it with core_send; the core
 * owns it until it sends it back to ask->reply_to, then it is the client thread's again.
 * Asks of one sender reach the core in the order they were sent (I8). Every ask is
 * answered exactly once, also at shutdown (with ERR_CANCELLED's Kafka error). Asks point
 * into the request's frame and arena, which live until the request is freed. */
#ifndef AGENT_CORE_H
#define AGENT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/blob.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/prices.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

struct core;

enum ask_type {
    ASK_PRODUCE,
    ASK_FETCH,
    ASK_OFFSETS,
    ASK_PRODUCER_ID,
    ASK_METADATA,
    ASK_GROUP,
    ASK_CANCEL,
    ASK_RELAY,
};

/* As ctl_request_id(). */
#define ASK_REQUEST_ID_LEN 25

struct ask {
    struct message message; /* type: enum ask_type; must be first */
    struct mailbox *reply_to;
    struct arena *arena; /* the request's; the core may allocate results in it */
    void *arg;           /* the asker's */
    /* result: the call to the control plane that was made for it last, "" for none */
    char request_id[ASK_REQUEST_ID_LEN + 1];
};

void core_send(struct core *core, struct ask *ask); /* any thread */

/* The core's side: give ASK back to whoever asked; it may be gone when this returns. */
static inline void ask_reply(struct ask *ask)
{
    mailbox_send(ask->reply_to, &ask->message);
}

/* The core's side: ASK is answered by the call of this id. */
static inline void ask_trace(struct ask *ask, const char *request_id)
{
    snprintf(ask->request_id, sizeof(ask->request_id), "%s", request_id);
}

/* ---- Produce: one part a partition, one batch each, validated by the asker ---- */

struct produce_part {
    struct uuid topic_id;
    int32_t partition;
    struct slice bytes; /* the whole batch, in the frame */
    uint32_t records;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    int64_t min_timestamp, max_timestamp;
    /* result */
    int16_t kafka_error;
    int64_t base_offset; /* -1 on error */
    int64_t
        log_append_time_ms; /* left as the asker set it; a duplicate's own otherwise */
    int64_t log_start_offset;
    const char *message; /* for ErrorMessage, or NULL */
};

struct produce_ask {
    struct ask ask;
    struct blob *frame; /* the core takes references of its own */
    struct produce_part *parts;
    size_t part_count;
    int64_t deadline_at_ms; /* monotonic: then REQUEST_TIMED_OUT for what is open */
    /* private to the core */
    struct list_node deadline_node;
    size_t open_parts;
};

/* ---- Fetch ---- */

struct fetch_part {
    struct uuid topic_id;
    int32_t partition;
    int64_t offset;
    int32_t max_bytes;
    /* result; KAFKA error decided by the asker (unknown topic, epochs) is preset: such
     * parts are not touched, but make the answer immediate */
    int16_t kafka_error;
    int64_t high_watermark, last_stable_offset, log_start_offset; /* -1 on error */
    struct slice
        *slices; /* in the ask's arena: batches with their base offsets written */
    size_t slice_count;
    size_t bytes;
};

struct fetch_ask {
    struct ask ask;
    struct fetch_part *parts;
    size_t part_count;
    int32_t min_bytes, max_bytes;
    int64_t deadline_at_ms; /* monotonic: max_wait is over */
    bool read_committed;
    /* result: blobs to unref when the reply has been written */
    struct blob **blobs;
    size_t blob_count;
    /* private to the core */
    void *fetch;
};

/* ---- Nobody waits for the answer of a fetch or of a group's join or sync any more: it
 * comes at once, without data. That ask must live until this one is answered, even if it
 * is answered before ---- */

struct cancel_ask {
    struct ask ask;
    struct ask *asked; /* ASK_FETCH or ASK_GROUP */
};

/* ---- ListOffsets and OffsetForLeaderEpoch (timestamp -1) ---- */

struct offsets_part {
    struct uuid topic_id;
    int32_t partition;
    int64_t timestamp; /* >= 0, or -1 latest, -2 earliest, -3 max timestamp */
    /* result; a preset kafka_error is left alone */
    int16_t kafka_error;
    int64_t offset;          /* -1: none */
    int64_t found_timestamp; /* -1: none */
};

struct offsets_ask {
    struct ask ask;
    struct offsets_part *parts;
    size_t part_count;
    int64_t deadline_at_ms;
    /* private to the core */
    void *lookup;
};

/* ---- A producer id of one's own ---- */

struct producer_id_ask {
    struct ask ask;
    int64_t deadline_at_ms;
    int64_t producer_id; /* result */
    int16_t kafka_error;
};

/* ---- Answered when the meta view is at least as new as the control plane's state at
 * the time of asking: for a Metadata request that names an unknown topic ---- */

struct metadata_ask {
    struct ask ask;
    int64_t deadline_at_ms;
    int16_t kafka_error;
};

/* ---- Groups: operations of control_api.md's /agent/v1/groups, made with group_op.h. Ops
 * of one group reach the control plane in the order they were asked in ---- */

struct group_op;
struct json;
struct json_reader;

/* Read the op's RESULT (control_api.md) into op->own; on the core thread, memory from the
 * ask's arena, nothing of RESULT may be kept. Returns 0 or an ERR_*. What cannot be read
 * sets R. */
typedef int group_read_fn(struct group_op *op, struct json_reader *r,
                          const struct json *result);

enum group_op_kind {
    GROUP_OP_PLAIN,
    GROUP_OP_JOIN, /* may be told to wait: asked again when the group has changed */
    GROUP_OP_SYNC, /* likewise */
};

struct group_op {
    enum group_op_kind kind;
    struct slice group; /* its id */
    struct slice text;  /* the op as JSON text, in the ask's arena */
    size_t values;      /* so many JSON values at most */
    /* JOIN, SYNC: as whom to ask again (a JOIN's member is told by "wait") */
    struct slice member, instance;
    int32_t generation; /* SYNC */
    bool lazy;          /* changes nothing: may be asked for beside the group's others,
                           and a little later when there are many */
    bool nameless;      /* JOIN: the client does not know `member` before the answer */
    group_read_fn *read;
    void *own;           /* the asker's */
    int16_t away_error;  /* when there is no answer in time: COORDINATOR_NOT_AVAILABLE */
    int16_t moved_error; /* when this agent goes: NOT_COORDINATOR */
    /* result: 0 when `read` was called; else why it was not. An op with a preset error
     * is not sent */
    int16_t kafka_error;
    /* private to the core */
    struct group_ask *ask;
    struct list_node node; /* in the one list that it waits in */
    struct list_node by_group;
    int state;
    size_t slot;    /* in its lane's call */
    bool polls;     /* asked before, and told to wait */
    bool again;     /* the group changed while it was asked for */
    bool cancelled; /* nobody waits for it */
    int64_t deadline_at_ms, poll_at_ms;
    int64_t asked_at_ms; /* sent first then, by the control plane's clock; 0: not yet */
};

struct group_ask {
    struct ask ask;
    struct group_op *ops;
    size_t op_count;
    int64_t deadline_at_ms; /* the control plane must have answered by then; what it bids
                               to wait may take longer */
    /* private to the core */
    size_t open_ops;
};

/* ---- One call to the control plane, whose answer the asker reads itself ---- */

struct relay_ask {
    struct ask ask;
    const char *path;  /* static */
    struct json *body; /* ownership to the core */
    bool sees;         /* answered when this agent's view is as new as the answer */
    int64_t deadline_at_ms;
    /* On the core thread: take what is needed out of ANSWER, into the ask's arena. 0 or
     * an ERR_*, whose Kafka error the ask then gets. */
    int (*read)(struct relay_ask *ask, const struct json *answer);
    /* result: 0 after read() */
    int16_t kafka_error;
};

/* ---- The core itself: what agent.c does with it, on the core's thread ---- */

struct budget;
struct ctl;
struct meta;
struct store;

struct core_options {
    struct loop *loop;
    struct ctl *ctl; /* enrolled and registered by the time of core_start */
    struct store *store;
    struct budget *budget;
    int64_t flush_bytes, flush_interval_ms;
    const char *log_level; /* the option, while nothing else is set; NULL: as it is */
    int64_t max_uploads, max_objects;
    int64_t upload_timeout_ms, hedge_after_ms;
    size_t cache_bytes, tail_bytes;
    size_t metrics_topics; /* topics with counters of their own */
    struct price price;    /* what the store's requests cost */
};

/* Made after enrolment: cluster and agent are CTL's. */
struct core *core_new(const struct core_options *options);
/* Begin to learn; asks may come at once. ON_READY once, when the metadata is there. */
void core_start(struct core *core, void (*on_ready)(void *arg), void *arg);
struct meta *core_meta(struct core *core);
bool core_ready(const struct core *core);
/* From now on what is produced is sealed and committed at once, and nobody waits for
 * more to fetch. */
void core_drain(struct core *core);
/* No ask is open, nothing is on its way to the store or to be committed. */
bool core_idle(const struct core *core);
/* Answer everything that is open, and whatever still comes, with ERR_CANCELLED's Kafka
 * error. Requests to the store are cancelled; core_quiet says when they are back. */
void core_abandon(struct core *core);
bool core_quiet(const struct core *core);
/* After core_quiet, when nobody sends asks any more. */
void core_free(struct core *core);
/* Bring the gauges of metric.def up to date. */
void core_update_metrics(struct core *core);
/* Append the labelled families that metric.def cannot hold. */
void core_print_metrics(struct core *core, struct str *out);

#endif
