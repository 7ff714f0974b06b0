/* call.h - one API call, from its head to its answer.
 *
 *   server's thread   (the head)           path, method, credential's form, quota
 *   core thread       (people's calls)     the token's principal, its role and scope
 *   server's thread   route->start(call)   check the body, translate it into the arena
 *                     call_ask(call, on_core, then)
 *   core thread       on_core(node, call)  look at the state, propose
 *                     call_done(call)      ... now or later, exactly once
 *   server's thread   then(call)           print and answer (or ask again)
 *
 * call_fail() at any of these places makes the answer a problem; `then` is not called.
 * A call belongs to one thread at a time: it moves with call_ask and call_done. */
#ifndef CONTROLPLANE_CALL_H
#define CONTROLPLANE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/http_server.h"
#include "controlplane/node.h"
#include "controlplane/principal.h"
#include "controlplane/route.h"
#include "controlplane/service.h"
#include "controlplane/turns.h"

#define CALL_TRACE_MAX 40

struct call {
    struct ask ask; /* private */
    struct http_exchange *x;
    struct service *service;
    const struct route *route;
    struct slice id; /* of the path, borrowed: not the "{cluster}" */
    /* Whose: an agent's certificate says it, or a people's path when the principal may
     * see that cluster, which then exists. Zero: the cell. */
    struct uuid cluster_id;
    struct uuid agent_id;           /* an agent's call */
    struct principal principal;     /* a people's call; role NONE in others */
    uint8_t token_hash[SHA256_LEN]; /* of whatever token there was */
    struct uuid request_id;         /* people's: X-Request-Id of the answer */
    /* What logs call it: that id, or the one that an agent or node sent along. */
    char trace[CALL_TRACE_MAX + 1];
    uint64_t if_version; /* of If-Match; 0: any */
    /* The parsed body, or NULL; what is read from it borrows from it. */
    struct json *body;
    struct arena arena;
    struct err err;
    void *data;                   /* the api's own, in the arena */
    struct list_call *list;       /* list.c's */
    const struct one_source *one; /* one.c's */
    /* Called once at the end, on a server's thread, for what DATA holds beside. */
    void (*cleanup)(struct call *call);
    /* Called on the core thread when all proposals of a visit have settled, well or not.
     */
    void (*release)(struct node *node, struct call *call);
    /* Set by call_done: the control plane's clock, the applied index. */
    int64_t now_ms;
    uint64_t cursor;
    /* private */
    struct route_stats *stats;
    struct str plain; /* an unpacked body */
    size_t charged_bytes;
    char *leader;              /* in the arena */
    struct slice cluster_text; /* of the path */
    int64_t retry_ms;
    struct command_context context;
    bool has_key, quota_taken;
    struct turn turn; /* of this visit, if it takes one */
    bool has_turn, takes_turn;
    struct loop_deferred visit; /* when its turn has come */
    void (*on_core)(struct node *node, struct call *call);
    void (*then)(struct call *call);
    void (*on_settled)(struct node *node, struct call *call);
    size_t outstanding; /* proposals */
};

/* What a listener needs to make calls of exchanges; pass it as the server's `arg`. */
struct call_listener {
    struct service *service;
    const struct route_table *table;
};
extern const struct http_server_ops call_ops;

/* The answer will be a problem with CODE and this text: what to do. The first one wins.
 */
void call_fail(struct call *call, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- on a server's thread --- */
/* A reader whose failure is the call's. */
struct json_reader call_reader(struct call *call);
void call_ask(struct call *call, void (*on_core)(struct node *node, struct call *call),
              void (*then)(struct call *call));
/* Which bucket of the quotas its requests are taken from. Any thread. */
struct uuid call_bucket(const struct call *call);
/* Free the body early: nothing borrows from it any more. */
void call_drop_body(struct call *call);
/* The {...} of the path; fails the call with NOT_FOUND when it is no uuid. */
bool call_path_uuid(struct call *call, struct uuid *id) MUST_CHECK;
/* The largest time and count that people's tools are sure to keep exact (2^53 - 1). */
#define CALL_TIME_MAX INT64_C(9007199254740991)
/* A parameter of the query as a number, or ABSENT without it; fails the call with
 * INVALID when it is none or out of range. */
int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t absent);
/* ... as a text of 1 to MAX bytes, or a null slice; ... as a uuid, *FOUND: is there. */
struct slice call_query_text(struct call *call, const char *name, size_t max);
struct uuid call_query_uuid(struct call *call, const char *name, bool *found);
/* Fails the call with MALFORMED unless the body is an object whose members are all among
 * NAMES ("name, ttl_ms"). */
bool call_check_members(struct call *call, const char *names) MUST_CHECK;
/* {"now_ms", "cursor"}: how most answers to agents begin. */
struct json *call_answer(const struct call *call);
/* Answers. VALUE's ownership moves; TEXT's memory moves. */
void call_reply_json(struct call *call, int status, struct json *value);
void call_reply_empty(struct call *call); /* 204 */
/* Headers of the answer to come. */
void call_etag(struct call *call, uint64_t version);
void call_location(struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
void call_reply_text(struct call *call, int status, const char *content_type,
                     struct str *text);

/* --- on the core thread --- */
/* Always there for an agent's call. */
const struct cluster *call_cluster(struct node *node, const struct call *call);
/* What CLUSTER may use: as set, or else the cell's defaults. */
struct cluster_limits call_limits(const struct call *call, const struct cluster *cluster);
void call_done(struct call *call);
/* May this node answer from its state? Else the call fails with 421 and the leader's
 * address, or 503. Checked before a call's on_core; a call that waited there asks again.
 */
bool call_may_read(struct node *node, struct call *call);

/* One command of a call. */
struct call_proposal {
    struct proposal proposal; /* private */
    struct call *call;        /* private */
    struct slice result;      /* in the call's arena, once it settled */
};
/* What the audit log calls what the next proposals change: "topics/orders". */
void call_target(struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Who changes something, when that is a token which is not a person's: of enrolling, of
 * joining. */
void call_as_token(struct call *call, const struct token *token);
/* Another action than the route's, for the next proposals. */
void call_action(struct call *call, const char *action);
/* Propose CMD for CALL; when its route has an action, with the call's context: for the
 * audit log and, by the Idempotency-Key, against a second effect. When all proposals of
 * the call have settled, ON_SETTLED runs (NULL: call_done), unless one failed: then the
 * call fails as a whole. Repeating it is safe: commands are idempotent. */
void call_propose(struct node *node, struct call *call, struct call_proposal *proposal,
                  struct command *cmd,
                  void (*on_settled)(struct node *node, struct call *call));
/* ERR_* of the Kafka error that a topic's command speaks in. */
int call_code_of_kafka(int16_t error);
/* Read what came of it. False: it was refused, the call has failed with a text about
 * WHAT ("cluster"); RESULT is set all the same. */
bool call_result(struct call *call, const struct call_proposal *proposal,
                 const char *what, struct command_result *result) MUST_CHECK;

#endif
