/* api_groups.h - the ops of /agent/v1/groups: what one is, and the families of them.
 *
 *   server's thread   parse: the op's JSON into the call's arena, with bounds
 *   core thread       run: answer from memory, or propose; ops in their order
 *                     flush: for a kind that gathers all its ops of a call into one
 *                     command
 *                     settle: what was proposed is applied; copy the answer out
 *   server's thread   print
 *
 * A kind is a row of one of the tables; api_groups.c finds and drives them. */
#ifndef CONTROLPLANE_API_GROUPS_H
#define CONTROLPLANE_API_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "controlplane/call.h"

#define GROUP_OPS_MAX 4096
#define GROUP_OP_ID_MAX                                                                  \
    COMMAND_GROUP_TEXT_MAX /* bytes of a group's, member's or instance's id */
#define GROUP_OPS_ANSWER_MAX (24 * MIB)
/* One op's answer, before it is printed: an agent takes 64 MiB of text. */
#define GROUP_OP_ANSWER_MAX (40 * MIB)

enum group_op_step {
    GROUP_OP_ANSWERED, /* the answer is in op->data */
    GROUP_OP_PROPOSED, /* group_op_propose was called for it: settle comes later */
    GROUP_OP_BATCHED,  /* flush will propose it, then settle comes */
};

struct group_op {
    const struct group_op_kind *kind;
    struct slice group; /* borrows from the body; null for "list" */
    void *data;         /* the kind's own, in the call's arena */
    /* An op before it in this call changes the same group: memory does not know of that
     * yet. Set for kinds that change; others are put off until it does. */
    bool after_change;
    bool again, too_large; /* see group_op_room */
    /* private */
    enum group_op_step step;
    bool settles, deferred;
};

struct group_op_kind {
    const char *name;
    unsigned fields; /* of the JSON array, with the name */
    bool has_group;  /* the field after the name is the group's id */
    bool changes;    /* run may propose */
    bool waits;      /* print says "wait" by itself when op->again is set */
    /* When R fails, or by call_fail, the call fails as a whole: an agent does not send
     * what is no op. */
    void (*parse)(struct call *call, struct json_reader *r, const struct json *value,
                  struct group_op *op);
    /* A kind that does not change must answer. */
    enum group_op_step (*run)(struct node *node, struct call *call, struct group_op *op);
    /* OPS are all of this kind that run answered BATCHED for; at least one. NULL for
     * kinds that do not. */
    void (*flush)(struct node *node, struct call *call, struct group_op *const *ops,
                  size_t count);
    void (*settle)(struct node *node, struct call *call, struct group_op *op);
    struct json *(*print)(const struct call *call, const struct group_op *op);
};

/* ---- what the families use ---- */

/* Field I of an op as text of GROUP_OP_ID_MAX bytes at most. */
struct slice group_op_text(struct json_reader *r, const struct json *value, size_t i,
                           const char *what);
struct slice group_op_text_or_null(struct json_reader *r, const struct json *value,
                                   size_t i, const char *what);
/* Before BYTES are copied into the answer: is there room? False: op->again is set, and
 * the agent will ask again; or op->too_large, so that it must be told error 15. The first
 * answer of a call has all the room there is. Core thread. */
bool group_op_room(struct call *call, struct group_op *op, size_t bytes);
/* Propose CMD for an op, from run or flush: call_propose with the settling of all. */
void group_op_propose(struct node *node, struct call *call,
                      struct call_proposal *proposal, struct command *cmd);
/* What a command about a group came to: Kafka's error. RESULT (may be NULL) borrows from
 * the proposal. */
int16_t group_op_result(const struct call_proposal *proposal,
                        struct command_result *result);
/* How long ago the agent sent what is in CALL first; 0: it does not say. Core thread. */
uint32_t group_op_late_ms(const struct node *node, const struct call *call);
/* A member was heard of: its session goes on. Core thread. */
void group_op_touch(struct node *node, struct call *call, struct slice group,
                    struct slice member);

/* The families: api_groups.c finds an op by its name in these. */
extern const struct group_op_kind group_classic_ops[]; /* api_group_classic.c */
extern const size_t group_classic_op_count;
extern const struct group_op_kind group_consumer_ops[]; /* api_group_consumer.c */
extern const size_t group_consumer_op_count;
extern const struct group_op_kind group_offset_ops[]; /* api_group_offsets.c */
extern const size_t group_offset_op_count;            /* commit, fetch, offset_delete */
extern const struct group_op_kind group_admin_ops[];  /* api_group_admin.c */
extern const size_t group_admin_op_count;

#endif
