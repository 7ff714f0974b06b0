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

#define GROUP_OPS_MAX        4096
#define GROUP_OP_ID_MAX      32767 /* bytes of a group's, member's or instance's id */
#define GROUP_OPS_ANSWER_MAX (32 * MIB)

enum group_op_step {
    GROUP_OP_ANSWERED, /* the answer is in op->data */
    GROUP_OP_PROPOSED, /* call_propose was called for it: settle comes later */
    GROUP_OP_BATCHED,  /* flush will propose it, then settle comes */
};

struct group_op {
    const struct group_op_kind *kind;
    struct slice group; /* borrows from the body; null for "list" */
    void *data;         /* the kind's own, in the call's arena */
    bool settles;       /* run said PROPOSED or BATCHED */
    /* An op before it in this call may change the same group: memory is not up to date
     * yet, so do not answer from it what that op decides. */
    bool after_change;
    bool again; /* the answer has no room: ask again */
    size_t answer_bytes; /* about; set by who answers with much */
    struct group_op *next; /* of the same call and group, private to api_groups.c */
};

struct group_op_kind {
    const char *name;
    unsigned fields; /* of the JSON array, with the name */
    bool has_group;  /* the field after the name is the group's id */
    bool changes;    /* run may propose */
    /* On failure of R the call fails as a whole: an agent does not send what is no op. */
    void (*parse)(struct call *call, struct json_reader *r, const struct json *value,
                  struct group_op *op);
    enum group_op_step (*run)(struct node *node, struct call *call, struct group_op *op);
    /* OPS are all of this kind that run answered BATCHED for; at least one. */
    void (*flush)(struct node *node, struct call *call, struct group_op *const *ops,
                  size_t count); /* may be NULL */
    void (*settle)(struct node *node, struct call *call, struct group_op *op);
    struct json *(*print)(const struct call *call, const struct group_op *op);
};

/* Propose CMD for an op from run or flush (call_propose with the family's settling). */
void group_op_propose(struct node *node, struct call *call,
                      struct call_proposal *proposal, struct command *cmd);
/* A member was heard of: its session goes on. Core thread. */
void group_op_touch(struct node *node, struct call *call, struct slice group,
                    struct slice member);

/* The families: api_groups.c finds an op by its name in these. */
extern const struct group_op_kind group_classic_ops[];  /* api_group_classic.c */
extern const size_t group_classic_op_count;
extern const struct group_op_kind group_consumer_ops[]; /* api_group_consumer.c */
extern const size_t group_consumer_op_count;
extern const struct group_op_kind group_offset_ops[];   /* api_group_offsets.c */
extern const size_t group_offset_op_count;              /* commit, fetch, offset_delete */
extern const struct group_op_kind group_admin_ops[];    /* api_group_admin.c */
extern const size_t group_admin_op_count;

#endif
